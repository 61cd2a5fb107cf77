// Package inspectionweb is the inspectors' pages: lists and figures without persons, each also as a chart and for a
// spreadsheet, and one case by its number, for a purpose. A page is made of sections, and so is its CSV.
package inspectionweb

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Inspector is what the pages ask.
type Inspector interface {
	Standings(ctx context.Context) ([]inspection.Standing, error)
	Overdue(ctx context.Context, skip, limit int) ([]inspection.Case, error)
	Rounds(ctx context.Context, p inspection.Period, skip, limit int) ([]inspection.Round, error)
	Tallies(ctx context.Context, p inspection.Period) ([]inspection.Tally, error)
	// Findings are "contradictions", "refusals", "passed" or "further" members.
	Findings(ctx context.Context, what string, p inspection.Period, skip, limit int) ([]inspection.Finding, error)
	Lookers(ctx context.Context, p inspection.Period, skip, limit int) ([]inspection.Looker, error)
	Statistics(ctx context.Context, p inspection.Period) (inspection.Statistics, error)
	Look(ctx context.Context, by inspection.Officer, number string, purpose inspection.Purpose) (token string, err error)
	Show(ctx context.Context, by inspection.Officer, token string) (inspection.Shown, error)
}

// Web is the inspectors' pages. All fields are required.
type Web struct {
	Shell     *web.Shell
	Inspector Inspector
	Calendar  *tesdiq.Calendar
	Now       func() time.Time

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Web) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(pageFiles); err != nil {
		return fmt.Errorf("inspectionweb: %w", err)
	}
	return nil
}

const (
	root = "/inspection"
	duty = "inspection" // what an organisation must have for these pages
)

// views are the pages of lists and figures, by their addresses below root.
var views = []struct {
	name     string
	periods  func(today tesdiq.Date) []inspection.Period // nil: it has none
	sections func(*Web, *http.Request, query) ([]section, error)
}{
	{"clocks", nil, (*Web).clocks},
	{"draws", inspection.Periods, (*Web).draws},
	{"findings", inspection.Periods, (*Web).findings},
	{"looks", inspection.Periods, (*Web).looks},
	{"statistics", inspection.ForStatistics, (*Web).statistics},
}

// Routes registers the pages' addresses, after Prepare.
func (h *Web) Routes(r chi.Router) {
	in := func(f web.Handler) http.HandlerFunc { return h.Shell.Duty(duty, f) }
	r.Get(root, in(func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, root+"/clocks", http.StatusSeeOther)
		return nil
	}))
	for n := range views {
		r.Get(root+"/"+views[n].name, in(func(w http.ResponseWriter, r *http.Request) error { return h.view(w, r, n) }))
		r.Get(root+"/"+views[n].name+".csv", in(func(w http.ResponseWriter, r *http.Request) error { return h.csv(w, r, n) }))
	}
	r.Get(root+"/case", in(h.ask))
	r.Post(root+"/case", in(h.look))
	r.Get(root+"/case/{look}", in(h.show))
}

// officer is who inspects; the routes let nobody else in.
func officer(r *http.Request) inspection.Officer {
	v := web.ViewerOf(r.Context())
	return inspection.Officer{FIN: v.Person.FIN, Name: v.Person.Name.Short(), Organisation: v.Organisation.ID, Office: v.Organisation.Name}
}

// query is what of a list is asked for.
type query struct {
	lang    tesdiq.Lang
	periods []inspection.Period // that may be asked for; none: the page has no period
	period  inspection.Period
	list    string // the section of which another page is asked for; the others show their first
	page    int    // of that section, from 0
	limit   int
}

// perPage is how many rows a section shows; a spreadsheet gets up to inCSV.
const (
	perPage = 50
	inCSV   = 100_000
)

// limits are how much of a section to read: one row more than is shown, so that it is known whether there are others.
func (q query) limits(list string) (skip, limit int) {
	if q.limit > 0 {
		return 0, q.limit
	}
	if list == q.list {
		skip = q.page * perPage
	}
	return skip, perPage + 1
}

func (h *Web) query(r *http.Request, n int) query {
	v := r.URL.Query()
	page, err := strconv.Atoi(v.Get("page"))
	if err != nil || page < 0 || page > 1_000_000 {
		page = 0
	}
	q := query{lang: web.ViewerOf(r.Context()).Lang, list: v.Get("list"), page: page}
	if periods := views[n].periods; periods != nil {
		q.periods = periods(tesdiq.DateOf(h.Now()))
		q.period = inspection.PeriodOf(v.Get("period"), q.periods)
	}
	return q
}

// section is a table with what is said of it, and a chart of the same figures where one helps.
type section struct {
	Name         string // of the list, in addresses
	Title        string
	Text         string
	Head         []string
	Rows         [][]cell
	Empty        string
	Chart        *chart
	Newer, Older string // addresses; empty where there are none
}

// cell is one cell of a table.
type cell struct {
	Text  string
	Plain string // the same for programs, where it differs
	Link  string
	Class string // of a tag: good, warn, bad
	Mark  string
	Num   bool
}

func text(s string) cell { return cell{Text: s} }
func num(n int) cell     { return cell{Text: strconv.Itoa(n), Num: true} }

func decimal(lang tesdiq.Lang, x float64, digits int) cell {
	return cell{Text: web.Decimal(lang, x, digits), Plain: strconv.FormatFloat(x, 'f', digits, 64), Num: true}
}

func percent(lang tesdiq.Lang, share float64) cell {
	return cell{Text: web.Percent(lang, share), Plain: strconv.FormatFloat(100*share, 'f', 1, 64) + "%", Num: true}
}

// paged cuts a section to a page and says where the others are.
func (q query) paged(s section, view string) section {
	if q.limit > 0 {
		return s
	}
	page := 0
	if s.Name == q.list {
		page = q.page
	}
	at := func(page int) string {
		v := url.Values{"list": {s.Name}, "page": {strconv.Itoa(page)}, "period": {q.period.Key}}
		return root + "/" + view + "?" + v.Encode() + "#" + s.Name
	}
	if len(s.Rows) > perPage {
		s.Rows = s.Rows[:perPage]
		s.Older = at(page + 1)
	}
	if page > 0 {
		s.Newer = at(page - 1)
	}
	return s
}

type tab struct {
	Name, Path string
	Current    bool
}

type viewPage struct {
	Tabs     []tab
	Lead     string
	Sections []section
	CSV      string
	Periods  []web.Choice // none: the page has no period
	Period   string
	Path     string
}

func tabs(current string) (all []tab) {
	for _, v := range views {
		all = append(all, tab{"inspection.tab." + v.name, root + "/" + v.name, v.name == current})
	}
	return append(all, tab{"inspection.tab.case", root + "/case", current == "case"})
}

// view shows lists and figures.
func (h *Web) view(w http.ResponseWriter, r *http.Request, n int) error {
	v, q := views[n], h.query(r, n)
	sections, err := v.sections(h, r, q)
	if err != nil {
		return err
	}
	p := viewPage{Tabs: tabs(v.name), Lead: "inspection.lead." + v.name, Sections: sections, Path: root + "/" + v.name, CSV: root + "/" + v.name + ".csv"}
	if len(q.periods) > 0 {
		p.Period = q.period.Key
		p.CSV += "?period=" + url.QueryEscape(p.Period)
		for _, x := range q.periods {
			p.Periods = append(p.Periods, web.Choice{Value: x.Key, Label: h.periodName(q.lang, x)})
		}
	}
	return h.pages.Render(w, r, "view.html", web.Page{Title: "inspection.tab." + v.name, Section: duty, Data: p})
}

// periodName is a period in words.
func (h *Web) periodName(lang tesdiq.Lang, p inspection.Period) string {
	switch year, part, quarter := strings.Cut(p.Key, "-Q"); {
	case quarter:
		return h.Shell.T(lang, "inspection.quarter."+part, "Year", year)
	case strings.Contains(p.Key, "-"):
		return h.month(lang, p.Key)
	}
	return p.Key
}

// month is a month, as 2026-08, in words.
func (h *Web) month(lang tesdiq.Lang, key string) string {
	year, month, _ := strings.Cut(key, "-")
	return h.Shell.T(lang, "inspection.month."+month, "Year", year)
}

// csv is the same for a spreadsheet.
func (h *Web) csv(w http.ResponseWriter, r *http.Request, n int) error {
	q := h.query(r, n)
	q.limit = inCSV
	sections, err := views[n].sections(h, r, q)
	if err != nil {
		return err
	}
	return writeCSV(w, "inspection-"+views[n].name+".csv", sections)
}

// words says a key that other pages have, or the bare word where none has it.
func (h *Web) words(lang tesdiq.Lang, prefix, word string) string {
	if key := prefix + word; h.Shell.Has(key) {
		return h.Shell.T(lang, key)
	}
	return word
}

func (h *Web) kind(lang tesdiq.Lang, k casework.Kind) string {
	return h.words(lang, "filing.kind.", string(k))
}
func (h *Web) state(lang tesdiq.Lang, s casework.State) string {
	return h.words(lang, "tseras-person.state.", string(s))
}
func (h *Web) turn(lang tesdiq.Lang, t casework.Turn) string {
	return h.words(lang, "inspection.turn.", string(t))
}

type askPage struct {
	Tabs            []tab
	Number, Purpose string
	Purposes        []web.Choice
	Alarm, Most     int
	Minutes         int
}

func (h *Web) form(w http.ResponseWriter, r *http.Request, number, purpose string, ps tesdiq.Problems) error {
	p := askPage{Tabs: tabs("case"), Number: number, Purpose: purpose, Alarm: inspection.AlarmAt, Most: inspection.MostADay,
		Minutes: int(inspection.LookLength / time.Minute)}
	for _, x := range inspection.Purposes {
		p.Purposes = append(p.Purposes, web.Choice{Value: string(x), Label: h.Shell.T(web.ViewerOf(r.Context()).Lang, "inspection.purpose."+string(x))})
	}
	return h.pages.Render(w, r, "ask.html", web.Page{Title: "inspection.tab.case", Section: duty, Data: p, Problems: ps})
}

// ask asks for a case's number and for what it is looked at.
func (h *Web) ask(w http.ResponseWriter, r *http.Request) error {
	return h.form(w, r, r.URL.Query().Get("number"), "", nil)
}

// numberPattern is what the number of a case looks like.
var numberPattern = regexp.MustCompile(`^T-\d{4}-\d{6,}$`)

// asked are a number and a purpose as they were typed and chosen; the error names all fields that are missing or wrong.
func asked(f url.Values) (number string, purpose inspection.Purpose, ps tesdiq.Problems) {
	number = strings.ToUpper(strings.Join(strings.Fields(f.Get("number")), ""))
	purpose = inspection.Purpose(f.Get("purpose"))
	switch {
	case number == "":
		ps.Add("number", tesdiq.Invalid("inspection.number-missing"))
	case !numberPattern.MatchString(number):
		ps.Add("number", tesdiq.Invalid("inspection.number-malformed"))
	}
	if !slices.Contains(inspection.Purposes, purpose) {
		ps.Add("purpose", tesdiq.Invalid("inspection.purpose"))
	}
	return number, purpose, ps
}

// look (a POST) writes the look down, and only then leads to what it shows.
func (h *Web) look(w http.ResponseWriter, r *http.Request) error {
	number, purpose, ps := asked(r.PostForm)
	if len(ps) == 0 {
		token, err := h.Inspector.Look(r.Context(), officer(r), number, purpose)
		if err == nil {
			http.Redirect(w, r, root+"/case/"+token, http.StatusSeeOther)
			return nil
		}
		if tesdiq.ProblemsOf(err)[0].Kind != tesdiq.NotFound {
			return err
		}
		ps.Add("number", tesdiq.Invalid("inspection.number-unknown"))
	}
	return h.form(w, r, r.PostForm.Get("number"), string(purpose), ps)
}

type stepLine struct {
	At   time.Time
	What string
	Who  string
	Due  string
}

type casePage struct {
	Tabs    []tab
	Name    string
	Purpose string
	Ends    time.Time
	Facts   [][2]string
	Steps   []stepLine
	Rings   []string
}

// show shows a case for a look that was written down.
func (h *Web) show(w http.ResponseWriter, r *http.Request) error {
	s, err := h.Inspector.Show(r.Context(), officer(r), chi.URLParam(r, "look"))
	if err != nil {
		return err
	}
	lang := web.ViewerOf(r.Context()).Lang
	t := func(key string, args ...any) string { return h.Shell.T(lang, key, args...) }
	p := casePage{Tabs: tabs("case"), Name: s.Name.Short(), Purpose: "inspection.purpose." + string(s.Look.Purpose), Ends: s.Look.At.Add(inspection.LookLength)}
	p.Facts = [][2]string{{t("inspection.column.kind"), h.kind(lang, s.Case.Kind)}, {t("inspection.column.state"), h.state(lang, s.Case.State)},
		{t("inspection.column.turn"), h.turn(lang, s.Case.Clock.Turn)}, {t("inspection.column.opened"), tesdiq.DateOf(s.Case.Opened).String()}}
	if !s.Case.Clock.DueBy.IsZero() {
		p.Facts = append(p.Facts, [2]string{t("inspection.column.due"), s.Case.Clock.DueBy.String()})
	}
	for _, x := range s.Steps {
		l := stepLine{At: x.At, What: h.words(lang, "tseras-person.step.", x.What), Who: t("inspection.by." + string(x.Part))}
		if x.Office != "" {
			l.Who += " · " + x.Office
		}
		if !x.DueBy.IsZero() {
			l.Due = t("inspection.until", "Day", x.DueBy.String())
		}
		p.Steps = append(p.Steps, l)
	}
	for _, x := range s.Rings {
		p.Rings = append(p.Rings, tesdiq.ClockString(x.At)+" · "+t("clocks.alarm."+string(x.Alarm))+" · "+h.turn(lang, x.Turn)+" · "+t("inspection.until", "Day", x.DueBy.String()))
	}
	return h.pages.Render(w, r, "case.html", web.Page{TitleText: t("inspection.case", "Number", s.Case.Number), Section: duty, Data: p})
}
