// Package lookupweb is the look-up without sign-in as people and offices see it: the public page, its switch in the cabinet, and the API
// of call centres. Every answer waits for the same step of the clock, and those that show nothing are one page.
package lookupweb

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Desk answers questions.
type Desk interface {
	// Puzzle is a new puzzle for who asks from an address prefix.
	Puzzle(ctx context.Context, prefix string) (string, error)
	// TelephoneOnly says whether nothing is shown on the page now.
	TelephoneOnly(ctx context.Context) (bool, error)
	// Ask answers, once everything about the question is on the disk.
	Ask(ctx context.Context, q lookup.Asked) (lookup.Answer, error)
	// Enter finds the office whose program holds a token.
	Enter(ctx context.Context, token string) (lookup.Office, error)
}

// Switches are people's own.
type Switches interface {
	Switch(ctx context.Context, fin tesdiq.FIN, open bool) error
	Setting(ctx context.Context, fin tesdiq.FIN) (lookup.Setting, error)
	Seen(ctx context.Context, fin tesdiq.FIN, limit int) ([]lookup.Seen, error)
}

// Web serves the pages and the API. All fields are required.
type Web struct {
	Shell    *web.Shell
	Desk     Desk
	Switches Switches
	Limits   lookup.Book
	Address  string // where the service is reached from outside: "https://tesdiq.example"
	Now      func() time.Time

	pages   *web.Pages
	openapi []byte
}

// Path is the public page's address.
const Path = "/lookup"

// SwitchPath is the address of a person's switch.
const SwitchPath = "/cabinet/lookup"

// Prepare parses the pages and writes the API's description.
func (h *Web) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(pageFiles); err != nil {
		return fmt.Errorf("lookupweb: %w", err)
	}
	h.openapi, err = h.describe()
	return err
}

// Routes registers the addresses, after Prepare.
func (h *Web) Routes(r chi.Router) {
	r.Get(Path, h.Shell.Do(h.form))
	r.Post(Path, h.Shell.Do(h.ask))
	r.Get(SwitchPath, h.Shell.Private(h.setting))
	r.Post(SwitchPath, h.Shell.Private(h.change))
	r.Post("/api/v1/lookups", h.Shell.Do(h.Shell.Upload(h.api, maxRequest)))
	r.Get("/api/v1/lookups/openapi.json", h.Shell.Do(h.description))
}

// limits are those of today.
func (h *Web) limits() lookup.Limits { return h.Limits.On(tesdiq.DateOf(h.Now())) }

// formPage is the public page.
type formPage struct {
	Document, Born string // as typed
	Puzzle         string
	TelephoneOnly  bool
	Limits         lookup.Limits
}

func (h *Web) form(w http.ResponseWriter, r *http.Request) error {
	return h.showForm(w, r, formPage{}, nil)
}

// showForm shows the form with a new puzzle. Its script alone may run there, from our own address: it is the only one that we serve.
func (h *Web) showForm(w http.ResponseWriter, r *http.Request, p formPage, problems tesdiq.Problems) (err error) {
	if p.Puzzle, err = h.Desk.Puzzle(r.Context(), h.Shell.ClientPrefix(r)); err != nil {
		return err
	}
	if p.TelephoneOnly, err = h.Desk.TelephoneOnly(r.Context()); err != nil {
		return err
	}
	p.Limits = h.limits()
	policy := w.Header().Get("Content-Security-Policy")
	w.Header().Set("Content-Security-Policy", policy+"; script-src 'self'")
	return h.pages.Render(w, r, "form.html", web.Page{Title: "lookup.title", Data: p, Problems: problems})
}

// ask (a POST) answers a question: with a proof of work on the page, without one by the person's own channel.
func (h *Web) ask(w http.ResponseWriter, r *http.Request) error {
	began := h.Now()
	typed := formPage{Document: r.PostForm.Get("document"), Born: r.PostForm.Get("born")}
	q := lookup.Asked{Way: lookup.ByTelephone, Prefix: h.Shell.ClientPrefix(r)}
	var problems tesdiq.Problems
	q.Question, problems = h.read(typed.Document, typed.Born)
	if len(problems) > 0 {
		return h.showForm(w, r, typed, problems)
	}
	if numbers := r.PostForm.Get("numbers"); numbers != "" {
		q.Way, q.Proof = lookup.ByPage, lookup.Proof{Puzzle: r.PostForm.Get("puzzle"), Numbers: numbers}
	}
	a, err := h.Desk.Ask(r.Context(), q)
	if ps := tesdiq.ProblemsOf(err); err != nil && ps[0].Kind == tesdiq.Refused {
		return h.showForm(w, r, typed, ps)
	}
	if err != nil {
		return err
	}
	if err := h.wait(r.Context(), began); err != nil {
		return err
	}
	title := "lookup.result.title"
	switch {
	case a.Way == lookup.ByTelephone:
		title = "lookup.sent.title"
	case !a.Result.Shows():
		title = "lookup.nothing.title"
	}
	return h.pages.Render(w, r, "answer.html", web.Page{Title: title, Data: a, NoIndex: true})
}

// read reads a question, and says all that is wrong with it at once.
func (h *Web) read(document, born string) (q lookup.Question, ps tesdiq.Problems) {
	var err error
	q.Card, err = lookup.ReadCard(document)
	ps.Add("document", err)
	q.Born, err = lookup.ReadBorn(born, tesdiq.DateOf(h.Now()))
	ps.Add("born", err)
	return q, ps
}

// wait lets an answer wait for the next step of the clock since it was asked for.
func (h *Web) wait(ctx context.Context, began time.Time) error {
	timer := time.NewTimer(lookup.Wait(h.Now().Sub(began), h.limits().Step))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// seenMost is how many questions the switch's page shows; all are among who looked.
const seenMost = 20

type switchPage struct {
	lookup.Setting
	Seen    []lookup.Seen
	Value   string
	Choices []web.Choice
}

// setting shows a person's switch, and who asked.
func (h *Web) setting(w http.ResponseWriter, r *http.Request) error { return h.showSwitch(w, r, nil) }

func (h *Web) showSwitch(w http.ResponseWriter, r *http.Request, problems tesdiq.Problems) (err error) {
	v := web.ViewerOf(r.Context())
	var p switchPage
	if p.Setting, err = h.Switches.Setting(r.Context(), v.Person.FIN); err != nil {
		return err
	}
	if p.Seen, err = h.Switches.Seen(r.Context(), v.Person.FIN, seenMost); err != nil {
		return err
	}
	t := func(key string) string { return h.Shell.T(v.Lang, key) }
	p.Choices = []web.Choice{{Value: "no", Label: t("lookup.switch.closed"), Hint: t("lookup.switch.closed.hint")},
		{Value: "yes", Label: t("lookup.switch.open"), Hint: t("lookup.switch.open.hint")}}
	if p.Value = "no"; p.Open {
		p.Value = "yes"
	}
	return h.pages.Render(w, r, "switch.html", web.Page{Title: "lookup.switch.title", Section: "checks-of-mine", Data: p, Problems: problems})
}

// change (a POST) writes down what the person chose.
func (h *Web) change(w http.ResponseWriter, r *http.Request) error {
	open := r.PostForm.Get("open")
	if open != "yes" && open != "no" {
		return h.showSwitch(w, r, tesdiq.Problems{tesdiq.Invalid("lookup.switch.which").In("open")})
	}
	if err := h.Switches.Switch(r.Context(), web.ViewerOf(r.Context()).Person.FIN, open == "yes"); err != nil {
		return err
	}
	http.Redirect(w, r, SwitchPath, http.StatusSeeOther)
	return nil
}
