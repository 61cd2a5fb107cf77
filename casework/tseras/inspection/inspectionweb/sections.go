package inspectionweb

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
	"github.com/tesdiq/tesdiq/web"
)

func (h *Web) heads(lang tesdiq.Lang, names ...string) (all []string) {
	for _, n := range names {
		all = append(all, h.Shell.T(lang, "inspection.column."+n))
	}
	return all
}

// section begins a section with the words of its name.
func (h *Web) section(lang tesdiq.Lang, name string, columns ...string) section {
	return section{Name: name, Title: h.Shell.T(lang, "inspection."+name), Text: h.said(lang, "inspection."+name+".text"),
		Empty: h.Shell.T(lang, "inspection.empty"), Head: h.heads(lang, columns...)}
}

// said is a text that a section may have.
func (h *Web) said(lang tesdiq.Lang, key string) string {
	if !h.Shell.Has(key) {
		return ""
	}
	return h.Shell.T(lang, key)
}

// caseLink leads to the question about a case: its number, and what for.
func caseLink(number string) cell {
	return cell{Text: number, Link: root + "/case?number=" + url.QueryEscape(number)}
}

// clocks: how many open cases stand where, and those that are over.
func (h *Web) clocks(r *http.Request, q query) ([]section, error) {
	all, err := h.Inspector.Standings(r.Context())
	if err != nil {
		return nil, err
	}
	standing := h.section(q.lang, "standing", "kind", "state", "turn", "open", "soon", "overdue")
	var labels, values []string
	var lengths []int
	for _, s := range all {
		row := []cell{text(h.kind(q.lang, s.Kind)), text(h.state(q.lang, s.State)), text(h.turn(q.lang, s.Turn)), num(s.Open), num(s.Soon), num(s.Overdue)}
		if s.Soon > 0 {
			row[4].Class, row[4].Mark = "warn", "!"
		}
		if s.Overdue > 0 {
			row[5].Class, row[5].Mark = "bad", "✕"
		}
		standing.Rows = append(standing.Rows, row)
		labels, values, lengths = append(labels, row[1].Text+" · "+row[0].Text), append(values, strconv.Itoa(s.Open)), append(lengths, s.Open)
	}
	h.draw(q.lang, &standing, labels, values, lengths)
	skip, limit := q.limits("overdue")
	cases, err := h.Inspector.Overdue(r.Context(), skip, limit)
	if err != nil {
		return nil, err
	}
	overdue := h.section(q.lang, "overdue", "number", "kind", "state", "turn", "due", "over")
	today := tesdiq.DateOf(h.Now())
	for _, c := range cases {
		days, err := h.Calendar.Left(c.Clock.DueBy, today)
		if err != nil {
			return nil, err
		}
		overdue.Rows = append(overdue.Rows, []cell{caseLink(c.Number), text(h.kind(q.lang, c.Kind)), text(h.state(q.lang, c.State)), text(h.turn(q.lang, c.Clock.Turn)),
			text(c.Clock.DueBy.String()), {Text: h.Shell.TN(q.lang, "clocks.over", days), Class: "bad", Mark: "✕"}})
	}
	return []section{standing, q.paged(overdue, "clocks")}, nil
}

// draws: how often everybody was drawn against what is to be expected, and the rounds.
func (h *Web) draws(r *http.Request, q query) ([]section, error) {
	tallies, err := h.Inspector.Tallies(r.Context(), q.period)
	if err != nil {
		return nil, err
	}
	var sections []section
	for _, role := range []string{"commission", "chair", "member", "further"} {
		s := h.section(q.lang, "draws."+role, "name", "lots", "drawn", "expected")
		s.Name = role
		var of []inspection.Tally
		for _, t := range tallies {
			if t.Role == role {
				of = append(of, t)
				s.Rows = append(s.Rows, []cell{text(t.Name), num(t.Lots), num(t.Drawn), decimal(q.lang, t.Expected, 1)})
			}
		}
		if len(of) > 0 {
			x, freedom, p := inspection.ChiSquare(of)
			s.Text = h.Shell.T(q.lang, "inspection.chi", "X", web.Decimal(q.lang, x, 2), "Freedom", freedom, "P", web.Decimal(q.lang, p, 4))
			if freedom == 0 {
				s.Text = h.Shell.T(q.lang, "inspection.chi.few")
			}
			if p < 0.001 {
				s.Text += " " + h.Shell.T(q.lang, "inspection.chi.unlikely")
			}
		} else {
			s.Text, s.Empty = "", s.Text // said once
		}
		if role == "commission" {
			var labels, values []string
			var lengths []int
			for _, t := range of {
				labels, values = append(labels, t.Name), append(values, h.Shell.T(q.lang, "inspection.drawn.of", "Drawn", t.Drawn, "Expected", web.Decimal(q.lang, t.Expected, 1)))
				lengths = append(lengths, t.Drawn)
			}
			h.draw(q.lang, &s, labels, values, lengths)
		}
		sections = append(sections, s)
	}
	skip, limit := q.limits("rounds")
	rounds, err := h.Inspector.Rounds(r.Context(), q.period, skip, limit)
	if err != nil {
		return nil, err
	}
	s := h.section(q.lang, "rounds", "round", "committed", "opened-seed", "lots")
	for _, x := range rounds {
		s.Rows = append(s.Rows, []cell{{Text: strconv.FormatInt(x.Number, 10), Link: fmt.Sprintf("/draws/%d.json", x.Number)},
			text(tesdiq.ClockString(x.Committed)), text(tesdiq.ClockString(x.Opened)), num(x.Drawings)})
	}
	return append(sections, q.paged(s, "draws")), nil
}

// findings: where a result differs from the last by the same findings, who refused to sign, who was passed over, and where a further member was needed.
func (h *Web) findings(r *http.Request, q query) (sections []section, err error) {
	for _, what := range []string{"contradictions", "refusals", "passed", "further"} {
		skip, limit := q.limits(what)
		all, err := h.Inspector.Findings(r.Context(), what, q.period, skip, limit)
		if err != nil {
			return nil, err
		}
		columns := []string{"number", "when", "commission", "member", "said"}
		if what == "further" {
			columns = columns[:4]
		}
		s := h.section(q.lang, what, columns...)
		for _, f := range all {
			if what == "passed" {
				f.Said = h.Shell.T(q.lang, "inspection.passed."+f.Said)
			}
			row := []cell{caseLink(f.Number), text(tesdiq.ClockString(f.At)), text(f.Commission), text(f.Member), text(f.Said)}
			s.Rows = append(s.Rows, row[:len(columns)])
		}
		sections = append(sections, q.paged(s, "findings"))
	}
	return sections, nil
}

// looks: who looked at how many cases on a day.
func (h *Web) looks(r *http.Request, q query) ([]section, error) {
	skip, limit := q.limits("lookers")
	all, err := h.Inspector.Lookers(r.Context(), q.period, skip, limit)
	if err != nil {
		return nil, err
	}
	s := h.section(q.lang, "lookers", "day", "who", "office", "seen", "unrelated", "misses")
	for _, l := range all {
		who := cmp.Or(l.Who, h.Shell.T(q.lang, "inspection.program"))
		row := []cell{text(l.Day.String()), text(h.Shell.T(q.lang, "inspection.part."+l.Part) + " · " + who), text(l.Office), num(l.Cases), num(l.Unrelated), num(l.Misses)}
		if l.Anomalous() {
			row[1].Class, row[1].Mark = "bad", "✕"
		}
		s.Rows = append(s.Rows, row)
	}
	s.Text = h.Shell.T(q.lang, "inspection.lookers.text", "Alarm", inspection.AlarmAt)
	return []section{q.paged(s, "looks")}, nil
}

// dimensions are the tables of a quarter's statistics, in their order, with the words of their values.
var dimensions = []struct{ name, words string }{
	{"way", "inspection.way."}, {"outcome", "inspection.outcome."}, {"band", ""}, {"cause", "registry.cause."}, {"term", "inspection.term."}, {"region", ""},
}

// statistics: how many cases were closed, and, of a quarter that is over, how.
func (h *Web) statistics(r *http.Request, q query) (sections []section, err error) {
	all, err := h.Inspector.Statistics(r.Context(), q.period)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"closed", "month"} {
		var cells []inspection.Cell
		for _, c := range all.Totals[name] {
			cells = append(cells, inspection.Cell{Count: c})
		}
		sections = append(sections, h.dimension(q.lang, name, "", cells))
	}
	if all.Tables == nil {
		s := h.section(q.lang, "quarters")
		s.Text, s.Empty = "", s.Text
		return append(sections, s), nil
	}
	for _, d := range dimensions {
		s := h.dimension(q.lang, d.name, d.words, all.Tables[d.name])
		s.Empty = h.Shell.T(q.lang, "inspection.few")
		sections = append(sections, s)
	}
	return sections, nil
}

func (h *Web) dimension(lang tesdiq.Lang, name, prefix string, cells []inspection.Cell) section {
	s := h.section(lang, "by-"+name, name, "cases", "share", "average")
	total := 0
	for _, c := range cells {
		total += c.Cases
	}
	var labels, values []string
	var lengths []int
	for _, c := range cells {
		label, plain := c.Value, ""
		switch {
		case c.Rest:
			label = h.Shell.T(lang, "inspection.rest")
		case name == "closed":
			kind, state, _ := strings.Cut(c.Value, ".")
			label = h.words(lang, "tseras-person.state.", state) + " · " + h.words(lang, "filing.kind.", kind)
		case name == "month":
			label, plain = h.month(lang, c.Value), c.Value
		case c.Value == "":
			label = h.Shell.T(lang, "inspection.unknown")
		case prefix != "":
			label = h.words(lang, prefix, c.Value)
		}
		average := cell{Text: "—", Num: true} // of a few cases the average is the time of one
		if c.Cases >= inspection.Smallest {
			average = decimal(lang, float64(c.Days)/float64(c.Cases), 1)
		}
		s.Rows = append(s.Rows, []cell{{Text: label, Plain: plain}, num(c.Cases), percent(lang, float64(c.Cases)/float64(total)), average})
		labels, values, lengths = append(labels, label), append(values, strconv.Itoa(c.Cases)), append(lengths, c.Cases)
	}
	h.draw(lang, &s, labels, values, lengths)
	return s
}

// draw gives a section a chart of figures of its table.
func (h *Web) draw(lang tesdiq.Lang, s *section, labels, values []string, lengths []int) {
	if len(labels) == 0 {
		return
	}
	s.Chart = newChart("chart-"+s.Name, s.Title, h.Shell.T(lang, "inspection.chart", "Count", len(labels)), labels, values, lengths)
}
