package tserasweb

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/web"
)

// appealRight is what the page of a decided assessment says of appeals.
type appealRight struct {
	Text string
	Path string // where to; empty where there is nothing to do
	Word string // key of what the link says
	Asks bool   // it leads to the form
	Was  bool   // there is an appeal
}

// rightOf says whether and until when a decided assessment can be appealed, or what became of its appeal.
func (h *Person) rightOf(lang tesdiq.Lang, s tseras.Shown) *appealRight {
	if s.Kind != tseras.Assessment || s.State != tseras.Decided {
		return nil
	}
	t := func(key string, args ...any) string { return h.Shell.T(lang, "tseras-appeal."+key, args...) }
	if i := slices.IndexFunc(s.Appeals, func(a casework.Case) bool { return a.State != tseras.Withdrawn }); i >= 0 {
		a := s.Appeals[i]
		r := &appealRight{Was: true, Path: path(a.Number), Word: "tseras-appeal.see", Text: t("right.open", "Number", a.Number)}
		switch a.State {
		case tseras.Decided:
			r.Text = t("right.decided", "Number", a.Number)
		case tseras.Lapsed:
			r.Text = t("right.lapsed", "Number", a.Number)
		}
		return r
	}
	until := tseras.AppealUntil(s.Since).String()
	switch err := tseras.MayAppeal(s.Case, s.Appeals, s.Newer, h.Now()); {
	case err == nil:
		return &appealRight{Text: t("right", "Day", until), Path: path(s.Number) + "/appeal", Word: "tseras-appeal.begin", Asks: true}
	case errors.Is(err, tseras.ErrNewer):
		return nil
	}
	return &appealRight{Text: t("right.over", "Day", until)}
}

// examined is when and where a person is expected.
type examined struct {
	Starts time.Time
	Place  string
	Ticket string
	Change string // where the time can be changed; empty where it cannot be any more
}

// appealView is what the page of an appeal has beyond that of an assessment.
type appealView struct {
	First     string // number of the first case
	FirstPath string
	Examined  *examined
	Points    []string // what is disputed, in words
	Words     string
	Compared  []comparedRow // once it is decided
	Confirmed bool
}

// comparedRow is one line of the first decision beside that of the appeal.
type comparedRow struct{ Name, First, Now string }

// appealOf is the view of an appeal; nil for other cases.
func (h *Person) appealOf(lang tesdiq.Lang, s tseras.Shown) (*appealView, error) {
	if s.Kind != tseras.Appeal || s.First == nil {
		return nil, nil //nolint:nilnil // it is none
	}
	v := &appealView{First: s.First.Number, FirstPath: path(s.First.Number), Words: s.Dispute.Words}
	for _, p := range s.Dispute.Points {
		v.Points = append(v.Points, h.Shell.T(lang, "tseras-appeal.point."+string(p)))
	}
	if x := s.Examined; x != nil && (s.State == tseras.Drawn || s.Package != nil || s.State == tseras.FurtherMember || s.State == tseras.Signing) {
		v.Examined = &examined{Starts: x.Slot.Starts, Place: x.Slot.Place, Ticket: x.Ticket.String()}
		if s.State == tseras.Drawn && h.Now().Before(x.Slot.Starts) {
			v.Examined.Change = path(s.Number) + "/slot"
		}
	}
	if s.Package == nil {
		return v, nil
	}
	first, say, err := h.resultOf(lang, s.First.Case, s.First.Package)
	if err != nil {
		return nil, err
	}
	now, _, err := h.resultOf(lang, s.Case, s.Package)
	if err != nil {
		return nil, err
	}
	v.Confirmed = tseras.Confirms(first, now)
	v.Compared = h.compared(lang, say, first, now)
	return v, nil
}

// resultOf reads a decision package, and who says it in words.
func (h *Person) resultOf(lang tesdiq.Lang, c casework.Case, text []byte) (r criteria.Result, say criteria.Speaker, err error) {
	pack, err := criteria.ReadPackage(text)
	if err != nil {
		return r, say, fmt.Errorf("tserasweb: package: %w", err)
	}
	if err := json.Unmarshal(pack.Result, &r); err != nil {
		return r, say, fmt.Errorf("tserasweb: result: %w", err)
	}
	rules, err := criteria.ByVersion(pack.Rules)
	if err != nil {
		return r, say, fmt.Errorf("tserasweb: rules: %w", err)
	}
	t := func(key string, args ...any) string { return h.Shell.T(lang, key, args...) }
	return r, criteria.Speaker{Rules: rules, Day: c.LawOn, Lang: lang, Text: t}, nil
}

// compared lays the appeal's result beside the first one. Only what was compared to tell whether it confirms stands here.
func (h *Person) compared(lang tesdiq.Lang, say criteria.Speaker, first, now criteria.Result) (rows []comparedRow) {
	t := func(key string, args ...any) string { return h.Shell.T(lang, key, args...) }
	add := func(key string, of func(criteria.Result) string) {
		if a, b := of(first), of(now); a != "" || b != "" {
			rows = append(rows, comparedRow{t(key), a, b})
		}
	}
	add("tseras-appeal.compared.result", func(r criteria.Result) string { return sentence(lang, say.Result(r.Outcome, r.Band, r.Degree)) })
	add("tseras-person.fact.loss", func(r criteria.Result) string {
		if r.Loss == 0 {
			return ""
		}
		return t("tseras-person.percent", "N", r.Loss)
	})
	add("tseras-person.fact.cause", func(r criteria.Result) string {
		if r.Cause == "" {
			return ""
		}
		return t("registry.cause." + string(r.Cause))
	})
	add("tseras-appeal.compared.term", func(r criteria.Result) string {
		if r.Term == "" {
			return ""
		}
		return say.Term(r.Term)
	})
	return rows
}

// pointRow is a line of the form with what was chosen.
type pointRow struct {
	ID, Value, Label string
	Chosen           bool
}

type appealForm struct {
	First, FirstPath, Path string
	Key, Until, Words      string
	Most                   int // letters
	Points                 []pointRow
	Slots                  tseras.AppealRules
}

// appealForm says what an appeal leads to, and asks what is disputed. Its address holds the form's key, as that of an application.
func (h *Person) appealForm(w http.ResponseWriter, r *http.Request) error {
	_, lang := viewer(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	if right := h.rightOf(lang, s); right == nil || !right.Asks {
		http.Redirect(w, r, path(s.Number), http.StatusSeeOther)
		return nil
	}
	key := r.URL.Query().Get("key")
	if len(key) != keyLength {
		if key, err = h.newKey(); err != nil {
			return err
		}
		http.Redirect(w, r, path(s.Number)+"/appeal?key="+key, http.StatusSeeOther)
		return nil
	}
	return h.askAppeal(w, r, s, key, tseras.Dispute{}, nil)
}

func (h *Person) askAppeal(w http.ResponseWriter, r *http.Request, s tseras.Shown, key string, d tseras.Dispute, ps tesdiq.Problems) error {
	_, lang := viewer(r)
	rules := tseras.AppealRulesOn(tesdiq.DateOf(h.Now()))
	f := appealForm{First: s.Number, FirstPath: path(s.Number), Path: path(s.Number) + "/appeal?key=" + key, Key: key, Words: d.Words,
		Until: tseras.AppealUntil(s.Since).String(), Most: rules.Words, Slots: rules}
	f.Points = pointRows(h.Shell, lang, d)
	return h.pages.Render(w, r, "person-appeal.html", web.Page{
		Title: "tseras-appeal.new", Section: "cases", Data: f, Problems: ps,
		Labels: map[string]string{"words": h.Shell.T(lang, "tseras-appeal.words")},
	})
}

// pointRows are the lines of a form, with what was chosen.
func pointRows(shell *web.Shell, lang tesdiq.Lang, d tseras.Dispute) (rows []pointRow) {
	for i, p := range tseras.Points {
		row := pointRow{"points", string(p), shell.T(lang, "tseras-appeal.point."+string(p)), slices.Contains(d.Points, p)}
		if i > 0 { // the first has the field's own name, to which the summary of errors leads
			row.ID += "-" + strconv.Itoa(i+1)
		}
		rows = append(rows, row)
	}
	return rows
}

// disputeOf is what a form says. Lines are joined: a text field's own line ends are no letters.
func disputeOf(r *http.Request) tseras.Dispute {
	d := tseras.Dispute{Words: oneLine(r.PostForm.Get("words"))}
	for _, p := range r.PostForm["points"] {
		d.Points = append(d.Points, tseras.Point(p))
	}
	return d
}

// appeal (a POST) opens an appeal. Sent twice, it opens one.
func (h *Person) appeal(w http.ResponseWriter, r *http.Request) error {
	fin, _ := viewer(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	key := r.PostForm.Get("key")
	if len(key) != keyLength {
		http.Redirect(w, r, path(s.Number)+"/appeal", http.StatusSeeOther)
		return nil
	}
	d := disputeOf(r)
	c, err := h.Desk.Appeal(r.Context(), fin, s.Number, casework.Actor{Part: casework.BySubject, FIN: fin}, d, key)
	var ps tesdiq.Problems
	if errors.As(err, &ps) {
		return h.askAppeal(w, r, s, key, d, ps)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, path(c.Number), http.StatusSeeOther)
	return nil
}

// slotDay is a day with the times that are free on it.
type slotDay struct {
	Day   tesdiq.Date
	Times []slotTime
}

type slotTime struct {
	ID, Value, Label string
}

type slotPage struct {
	Number, Path string
	Examined     examined
	Days         []slotDay
	Moves, Again int
}

// slot is the page on which a person chooses another time, or says that he cannot come.
func (h *Person) slot(w http.ResponseWriter, r *http.Request) error {
	s, err := h.found(r)
	if err != nil {
		return err
	}
	return h.askSlot(w, r, s, nil)
}

func (h *Person) askSlot(w http.ResponseWriter, r *http.Request, s tseras.Shown, ps tesdiq.Problems) error {
	fin, lang := viewer(r)
	free, err := h.Desk.Slots(r.Context(), fin, s.Number)
	if errors.Is(err, casework.ErrState) || s.Examined == nil {
		http.Redirect(w, r, path(s.Number), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	x := s.Examined
	p := slotPage{Number: s.Number, Path: path(s.Number), Moves: x.Moves, Again: x.Again,
		Examined: examined{Starts: x.Slot.Starts, Place: x.Slot.Place, Ticket: x.Ticket.String()}}
	for i, f := range free {
		day := tesdiq.DateOf(f.Starts)
		if n := len(p.Days); n == 0 || p.Days[n-1].Day != day {
			p.Days = append(p.Days, slotDay{Day: day})
		}
		last := &p.Days[len(p.Days)-1]
		t := slotTime{"slot", f.Starts.UTC().Format(time.RFC3339), f.Starts.In(tesdiq.Baku).Format("15:04")}
		if i > 0 {
			t.ID += "-" + strconv.Itoa(i+1)
		}
		last.Times = append(last.Times, t)
	}
	return h.pages.Render(w, r, "person-slot.html", web.Page{Section: "cases", TitleText: h.Shell.T(lang, "tseras-appeal.slot.title", "Number", s.Number), Data: p, Problems: ps})
}

// change (a POST) moves the person's slot to the time that was chosen, or gives him another because he cannot come.
func (h *Person) change(w http.ResponseWriter, r *http.Request) error {
	fin, _ := viewer(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	by := casework.Actor{Part: casework.BySubject, FIN: fin}
	if r.PostForm.Get("do") == "cannot" {
		err = h.Desk.CannotCome(r.Context(), fin, s.Number, by)
	} else {
		var at time.Time
		if at, err = time.Parse(time.RFC3339, r.PostForm.Get("slot")); err != nil {
			return h.askSlot(w, r, s, tesdiq.Problems{tesdiq.Invalid("tseras.slot.choose").In("slot")})
		}
		err = h.Desk.Move(r.Context(), fin, s.Number, by, at)
	}
	if errors.Is(err, tseras.ErrTaken) {
		return h.askSlot(w, r, s, tesdiq.Problems{tseras.ErrTaken})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, path(s.Number), http.StatusSeeOther)
	return nil
}
