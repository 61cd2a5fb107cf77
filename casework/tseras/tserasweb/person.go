// Package tserasweb is the assessment of disability as people see it: a person's own cases under /cabinet/cases, and what
// medical institutions send and read by the API. It decides nothing, and shows nobody what is another's.
package tserasweb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/person-*.html pages/_person-parts.html pages/_asked-parts.html pages/_looks.html
var personPages embed.FS

// Desk takes what a person brings, and shows him his cases.
type Desk interface {
	Apply(ctx context.Context, subject tesdiq.FIN, by casework.Actor, key string) (casework.Case, error)
	Withdraw(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor) error
	Appeal(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor, about tseras.Dispute, key string) (casework.Case, error)
	Slots(ctx context.Context, subject tesdiq.FIN, number string) ([]tseras.Slot, error)
	Move(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor, starts time.Time) error
	CannotCome(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor) error
	Cases(ctx context.Context, subject tesdiq.FIN) ([]casework.Case, error)
	// Asked are the institutions that a person's cases wait for, by the cases' numbers.
	Asked(ctx context.Context, subject tesdiq.FIN) (map[string]string, error)
	Show(ctx context.Context, subject tesdiq.FIN, number string) (tseras.Shown, error)
	// Filed is what clerks did for a person; of one case alone where its number is given.
	Filed(ctx context.Context, subject tesdiq.FIN, number string) ([]tseras.Filed, error)
}

// Person is a person's pages. All fields are required.
type Person struct {
	Shell    *web.Shell
	Desk     Desk
	Answers  tseras.Exchanges // what registers signed, for the person's own package
	Calendar *tesdiq.Calendar
	Now      func() time.Time
	Rand     io.Reader // of the forms' keys

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Person) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(personPages); err != nil {
		return fmt.Errorf("tserasweb: %w", err)
	}
	return nil
}

// CasesPath is the address of a person's cases.
const CasesPath = "/cabinet/cases"

// Routes registers the pages' addresses, after Prepare.
func (h *Person) Routes(r chi.Router) {
	private := h.Shell.Private
	r.Get(CasesPath, private(h.list))
	r.Post(CasesPath, private(h.apply))
	r.Get(CasesPath+"/new", private(h.form))
	r.Get(CasesPath+"/{number}", private(h.show))
	r.Get(CasesPath+"/{number}/package", private(h.pack))
	r.Get(CasesPath+"/{number}/withdraw", private(h.confirm))
	r.Post(CasesPath+"/{number}/withdraw", private(h.withdraw))
	r.Get(CasesPath+"/{number}/appeal", private(h.appealForm))
	r.Post(CasesPath+"/{number}/appeal", private(h.appeal))
	r.Get(CasesPath+"/{number}/slot", private(h.slot))
	r.Post(CasesPath+"/{number}/slot", private(h.change))
}

// viewer is who asks; the routes let only people in who are signed in and act for themselves.
func viewer(r *http.Request) (fin tesdiq.FIN, lang tesdiq.Lang) {
	v := web.ViewerOf(r.Context())
	return v.Person.FIN, v.Lang
}

// path is the address of a case's page.
func path(number string) string { return CasesPath + "/" + url.PathEscape(number) }

// tag is a state in one word, with its mark: meaning is never in the colour alone.
type tag struct{ Class, Mark, Word string }

func tagOf(s casework.State) tag {
	t := tag{"none", "…", "tseras-person.state." + string(s)}
	switch s {
	case tseras.Decided, tseras.Entered, tseras.Corrected:
		t.Class, t.Mark = "good", "✓"
	case tseras.Declined, tseras.Withdrawn, tseras.Lapsed, tseras.Refused:
		t.Class, t.Mark = "warn", "!"
	}
	return t
}

type listPage struct {
	Open   []line // the cases that are under way
	New    bool   // an assessment can be applied for
	Closed []line
	Filed  []filedLine // what clerks did for the person
}

// line is a case in a list.
type line struct {
	Number, Path string
	Kind         string // key of its word
	Opened       time.Time
	Tag          tag
	Turn         turn
}

// turn is whose turn it is, in words.
type turn struct {
	Who   string // a sentence
	What  string // what is being done; empty for a closed case
	Until string // a sentence about the last day; empty where there is none
	Alarm casework.Alarm
}

// doing is what is being done in a case: that of its state, but where nobody may be drawn.
func doing(c casework.Case) string {
	if c.Clock.Turn == casework.Office && (c.State == tseras.AwaitingDraw || c.State == tseras.FurtherMember) {
		return tseras.StepNobody
	}
	return string(c.State)
}

// turnOf says whose turn it is. asked is the institution that the case waits for, or "".
func (h *Person) turnOf(lang tesdiq.Lang, c casework.Case, asked string) (turn, error) {
	t := func(key string, args ...any) string { return h.Shell.T(lang, key, args...) }
	out := turn{Who: t("tseras-person.turn." + string(c.Clock.Turn))}
	if closed(c) {
		return out, nil
	}
	if out.What = t(area(c.Kind) + "doing." + doing(c)); asked != "" {
		out.What = t("tseras-person.doing.awaiting_referral.at", "Name", asked)
	}
	if c.Clock.DueBy.IsZero() {
		return out, nil
	}
	var err error
	if out.Alarm, err = c.Clock.Alarm(h.Calendar, tesdiq.DateOf(h.Now())); err != nil {
		return out, err
	}
	day := c.Clock.DueBy.String()
	switch {
	case out.Alarm == casework.Overdue:
		out.Until = t("tseras-person.until.overdue", "Day", day)
	case c.Clock.Provisional:
		out.Until = t("tseras-person.until.provisional", "Day", day)
	default:
		out.Until = t("tseras-person.until", "Day", day)
	}
	words, err := left(h.Shell, lang, h.Calendar, c.Clock, tesdiq.DateOf(h.Now()))
	out.Until += " " + words
	return out, err
}

// area is where a kind's words stand.
func area(k casework.Kind) string {
	switch k {
	case tseras.Appeal:
		return "tseras-appeal."
	case tseras.Programme:
		return "tseras-programme."
	}
	if k == tseras.Correction {
		return "tseras-correction."
	}
	return "tseras-person."
}

// assesses says whether a case is an assessment or an appeal, of which nobody has two under way.
func assesses(c casework.Case) bool { return c.Kind == tseras.Assessment || c.Kind == tseras.Appeal }

func closed(c casework.Case) bool { return tseras.Machine.Closed(c.Kind, c.State) }

func (h *Person) lineOf(lang tesdiq.Lang, c casework.Case, asked string) (line, error) {
	t, err := h.turnOf(lang, c, asked)
	return line{c.Number, path(c.Number), "filing.kind." + string(c.Kind), c.Opened, tagOf(c.State), t}, err
}

// list shows the person's cases, and how to open one.
func (h *Person) list(w http.ResponseWriter, r *http.Request) error {
	fin, lang := viewer(r)
	cases, err := h.Desk.Cases(r.Context(), fin)
	if err != nil {
		return err
	}
	asked, err := h.Desk.Asked(r.Context(), fin)
	if err != nil {
		return err
	}
	data := listPage{New: true}
	for _, c := range cases {
		l, err := h.lineOf(lang, c, asked[c.Number])
		if err != nil {
			return err
		}
		if closed(c) {
			data.Closed = append(data.Closed, l)
		} else {
			data.Open = append(data.Open, l)
			data.New = data.New && !assesses(c)
		}
	}
	filed, err := h.Desk.Filed(r.Context(), fin, "")
	if err != nil {
		return err
	}
	for _, f := range filed {
		data.Filed = append(data.Filed, filedOf(h.Shell, lang, f))
	}
	return h.pages.Render(w, r, "person-cases.html", web.Page{Title: "tseras-person.cases", Section: "cases", Data: data})
}

// keyLength is how many characters a form's key has, five random bits each.
const keyLength = 26

func (h *Person) newKey() (string, error) { return tesdiq.RandomText(h.Rand, keyLength) }

type formPage struct{ Key string }

// form says what an application leads to. Its address holds the form's key: whoever comes back to it because the answer was
// lost on its way, and sends the same again, opens the same case.
func (h *Person) form(w http.ResponseWriter, r *http.Request) error {
	fin, _ := viewer(r)
	key := r.URL.Query().Get("key")
	if len(key) != keyLength {
		key, err := h.newKey()
		if err != nil {
			return err
		}
		http.Redirect(w, r, CasesPath+"/new?key="+key, http.StatusSeeOther)
		return nil
	}
	open, err := h.open(r.Context(), fin, assesses)
	if err != nil {
		return err
	}
	if open != nil {
		http.Redirect(w, r, path(open.Number), http.StatusSeeOther)
		return nil
	}
	return h.pages.Render(w, r, "person-new.html", web.Page{Title: "tseras-person.new", Section: "cases", Data: formPage{key}})
}

// open is the person's case of a sort that is under way, the newest; nil when there is none.
func (h *Person) open(ctx context.Context, fin tesdiq.FIN, sort func(casework.Case) bool) (*casework.Case, error) {
	cases, err := h.Desk.Cases(ctx, fin)
	if err != nil {
		return nil, err
	}
	for i := range cases {
		if !closed(cases[i]) && sort(cases[i]) {
			return &cases[i], nil
		}
	}
	return nil, nil //nolint:nilnil // most people have none
}

// apply (a POST) opens a case. Sent twice, it opens one; who has an open one is led to it.
func (h *Person) apply(w http.ResponseWriter, r *http.Request) error {
	fin, _ := viewer(r)
	key := r.PostForm.Get("key")
	if len(key) != keyLength {
		http.Redirect(w, r, CasesPath+"/new", http.StatusSeeOther)
		return nil
	}
	c, err := h.Desk.Apply(r.Context(), fin, casework.Actor{Part: casework.BySubject, FIN: fin}, key)
	if errors.Is(err, casework.ErrOpen) {
		http.Redirect(w, r, CasesPath, http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, path(c.Number), http.StatusSeeOther)
	return nil
}

// found is the case of the address; casework.ErrMissing where it is none of the person's.
func (h *Person) found(r *http.Request) (tseras.Shown, error) {
	fin, _ := viewer(r)
	return h.Desk.Show(r.Context(), fin, chi.URLParam(r, "number"))
}

type withdrawPage struct {
	Number, Path string
	Appeal       bool
}

// confirm asks whether the person means it.
func (h *Person) confirm(w http.ResponseWriter, r *http.Request) error {
	s, err := h.found(r)
	if err != nil {
		return err
	}
	if s.Kind == tseras.Programme {
		return casework.ErrMissing // it has a page of its own
	}
	if !tseras.Withdrawable(s.Case) {
		http.Redirect(w, r, path(s.Number), http.StatusSeeOther)
		return nil
	}
	return h.pages.Render(w, r, "person-withdraw.html", web.Page{Title: "tseras-person.withdraw", Section: "cases", Data: withdrawPage{s.Number, path(s.Number), s.Kind == tseras.Appeal}})
}

// withdraw (a POST) takes the application back. Again, it changes nothing.
func (h *Person) withdraw(w http.ResponseWriter, r *http.Request) error {
	fin, _ := viewer(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	if s.Kind == tseras.Programme {
		return casework.ErrMissing
	}
	if s.State != tseras.Withdrawn {
		if err := h.Desk.Withdraw(r.Context(), fin, s.Number, casework.Actor{Part: casework.BySubject, FIN: fin}); err != nil {
			return err
		}
	}
	http.Redirect(w, r, path(s.Number), http.StatusSeeOther)
	return nil
}

// pack hands out the decision package with the registers' signed answers enclosed, which name the person; or as committed, which names nobody,
// for whom else he wants to show it to. In neither does anything tell who the members are: of what they signed there are the digests.
// `tesdiq decide -package FILE` computes both again, and comes to the same committed bytes.
func (h *Person) pack(w http.ResponseWriter, r *http.Request) error {
	s, err := h.found(r)
	if err != nil {
		return err
	}
	if s.Package == nil {
		return casework.ErrMissing
	}
	var file []byte
	name := s.Number
	if r.URL.Query().Get("answers") == "no" {
		name += "-" + bare
		file, err = s.Nameless()
	} else {
		file, err = s.Enclosed(r.Context(), h.Answers)
	}
	if err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Type", "application/json")
	head.Set("Content-Disposition", `attachment; filename="`+name+`.json"`) // a number has no character to be escaped
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Length", strconv.Itoa(len(file)))
	_, _ = w.Write(file) // an error means that the client has gone
	return nil
}

// bare is what is added to the name of a package without answers.
const bare = "nameless"

// Open is the person's case that is under way, for the first page of the cabinet: its address and a sentence about whose
// turn it is. false when there is none.
func (h *Person) Open(ctx context.Context, fin tesdiq.FIN, lang tesdiq.Lang) (address, title, text string, ok bool, err error) {
	c, err := h.open(ctx, fin, assesses)
	if err == nil && c == nil {
		c, err = h.open(ctx, fin, func(casework.Case) bool { return true })
	}
	if err != nil || c == nil {
		return "", "", "", false, err
	}
	asked, err := h.Desk.Asked(ctx, fin)
	if err != nil {
		return "", "", "", false, err
	}
	t, err := h.turnOf(lang, *c, asked[c.Number])
	if err != nil {
		return "", "", "", false, err
	}
	text = t.What
	if t.Until != "" {
		text += " " + t.Until
	}
	return path(c.Number), t.Who, text, true, nil
}
