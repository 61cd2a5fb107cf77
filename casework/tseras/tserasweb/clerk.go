package tserasweb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/clerk-*.html
var clerkPages embed.FS

// Filing is what the clerks' pages ask.
type Filing interface {
	Identify(ctx context.Context, by tseras.Clerk, card tesdiq.DocumentNumber, fin tesdiq.FIN) (tseras.Visit, error)
	Visit(ctx context.Context, by tseras.Clerk, id string) (tseras.Visit, error)
	End(ctx context.Context, by tseras.Clerk, id string) error
	Cases(ctx context.Context, by tseras.Clerk, v tseras.Visit) ([]casework.Case, []tseras.Filed, error)
	Apply(ctx context.Context, by tseras.Clerk, visit string) (casework.Case, error)
	Withdraw(ctx context.Context, by tseras.Clerk, visit, number string) error
}

// Clerk is the pages of a clerk who files for a person who is present. A page is open for some minutes, names the person
// each time, and shows of cases where they stand and nothing else. All fields are required.
type Clerk struct {
	Shell  *web.Shell
	Filing Filing

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Clerk) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(clerkPages); err != nil {
		return fmt.Errorf("tserasweb: %w", err)
	}
	return nil
}

const filingPath = "/filing"

// filingDuty is what an organisation must have for these pages.
const filingDuty = "filing" // organisation.Filing: components do not import each other

// Routes registers the pages' addresses, after Prepare.
func (h *Clerk) Routes(r chi.Router) {
	clerk := func(f web.Handler) http.HandlerFunc { return h.Shell.Duty(filingDuty, f) }
	r.Get(filingPath, clerk(h.start))
	r.Post(filingPath, clerk(h.identify))
	r.Get(filingPath+"/{visit}", clerk(h.show))
	r.Post(filingPath+"/{visit}/apply", clerk(h.apply))
	r.Get(filingPath+"/{visit}/withdraw/{number}", clerk(h.confirm))
	r.Post(filingPath+"/{visit}/withdraw/{number}", clerk(h.withdraw))
	r.Get(filingPath+"/{visit}/receipt/{number}", clerk(h.receipt))
	r.Post(filingPath+"/{visit}/end", clerk(h.end))
}

// clerkOf is who files; the routes let only in who acts for an office with the duty.
func clerkOf(r *http.Request) tseras.Clerk {
	v := web.ViewerOf(r.Context())
	return tseras.Clerk{FIN: v.Person.FIN, Name: v.Person.Name.Short(), Organisation: v.Organisation.ID, Office: v.Organisation.Name}
}

type clerkStart struct {
	Document, FIN        string
	Own, Office, Minutes int
}

func (h *Clerk) form(w http.ResponseWriter, r *http.Request, document, fin string, ps tesdiq.Problems) error {
	data := clerkStart{document, fin, tseras.MissesPerHour, tseras.MissesPerDay, int(tseras.VisitLength / time.Minute)}
	return h.pages.Render(w, r, "clerk-start.html", web.Page{Title: "filing.title", Section: filingDuty, Data: data, Problems: ps})
}

// start asks for what stands on the card of the person who is present.
func (h *Clerk) start(w http.ResponseWriter, r *http.Request) error { return h.form(w, r, "", "", nil) }

// identify (a POST) opens the person's page. What hits nobody is told as one problem of both fields.
func (h *Clerk) identify(w http.ResponseWriter, r *http.Request) error {
	document, fin := r.PostForm.Get("document"), r.PostForm.Get("fin")
	var ps tesdiq.Problems
	card, err := tesdiq.ParseDocumentNumber(document)
	ps.Add("document", err)
	person, err := tesdiq.ParseFIN(fin)
	ps.Add("fin", err)
	if len(ps) > 0 {
		return h.form(w, r, document, fin, ps)
	}
	v, err := h.Filing.Identify(r.Context(), clerkOf(r), card, person)
	if errors.Is(err, tseras.ErrNoMatch) {
		ps.Add("document", tseras.ErrNoMatch)
		return h.form(w, r, document, fin, ps)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, visitPath(v.ID), http.StatusSeeOther)
	return nil
}

func visitPath(id string) string { return filingPath + "/" + url.PathEscape(id) }

// clerkCase is what a clerk sees of a case.
type clerkCase struct {
	Number, Kind string
	Tag          tag
	Turn         string
	Withdraw     string // where; empty: it cannot be
	Receipt      string // where; empty: this clerk did nothing with it in this visit
}

type clerkVisit struct {
	Name     string
	Path     string
	Ends     time.Time
	Cases    []clerkCase
	CanApply bool
	Office   string
	Clerk    string
	One      clerkCase      // of the receipt or the question
	Done     []tseras.Filed // with the case, in this visit
}

// visit reads the visit of the address. tseras.ErrVisit where it is not this clerk's, or over.
func (h *Clerk) visit(r *http.Request) (p clerkVisit, err error) {
	by := clerkOf(r)
	v, err := h.Filing.Visit(r.Context(), by, chi.URLParam(r, "visit"))
	if err != nil {
		return p, err
	}
	cases, done, err := h.Filing.Cases(r.Context(), by, v)
	if err != nil {
		return p, err
	}
	p = clerkVisit{Name: v.Name.Short(), Path: visitPath(v.ID), Ends: v.Ends(), CanApply: true, Office: by.Office, Clerk: by.Name}
	number := chi.URLParam(r, "number")
	for _, c := range cases {
		line := clerkCase{Number: c.Number, Kind: "filing.kind." + string(c.Kind), Tag: tagOf(c.State), Turn: "tseras-person.turn." + string(c.Clock.Turn)}
		if !closed(c) {
			p.CanApply = p.CanApply && c.Kind != tseras.Assessment && c.Kind != tseras.Appeal
			if tseras.Machine.Allows(c.Kind, c.State, tseras.Withdrawn, casework.ByClerk) {
				line.Withdraw = p.Path + "/withdraw/" + c.Number
			}
		}
		for _, d := range done {
			if d.Number != c.Number {
				continue
			}
			line.Receipt = p.Path + "/receipt/" + c.Number
			if c.Number == number {
				p.Done = append(p.Done, d)
			}
		}
		if c.Number == number {
			p.One = line
		}
		p.Cases = append(p.Cases, line)
	}
	return p, nil
}

// show is the page of the person who is present.
func (h *Clerk) show(w http.ResponseWriter, r *http.Request) error {
	p, err := h.visit(r)
	if err != nil {
		return err
	}
	title := h.Shell.T(web.ViewerOf(r.Context()).Lang, "filing.for", "Name", p.Name)
	return h.pages.Render(w, r, "clerk-visit.html", web.Page{TitleText: title, Section: filingDuty, Data: p})
}

// apply (a POST) opens a case, one a visit.
func (h *Clerk) apply(w http.ResponseWriter, r *http.Request) error {
	visit := chi.URLParam(r, "visit")
	c, err := h.Filing.Apply(r.Context(), clerkOf(r), visit)
	if err != nil {
		return err
	}
	http.Redirect(w, r, visitPath(visit)+"/receipt/"+c.Number, http.StatusSeeOther)
	return nil
}

// confirm asks whether the person means it.
func (h *Clerk) confirm(w http.ResponseWriter, r *http.Request) error {
	p, err := h.visit(r)
	if err != nil {
		return err
	}
	if p.One.Withdraw == "" {
		return casework.ErrMissing
	}
	return h.pages.Render(w, r, "clerk-withdraw.html", web.Page{Title: "filing.withdraw.ask", Section: filingDuty, Data: p})
}

// withdraw (a POST) takes an application back. Again, it changes nothing.
func (h *Clerk) withdraw(w http.ResponseWriter, r *http.Request) error {
	p, err := h.visit(r)
	if err != nil {
		return err
	}
	number := chi.URLParam(r, "number")
	if p.One.Receipt == "" || p.One.Withdraw != "" { // not withdrawn in this visit already
		if err := h.Filing.Withdraw(r.Context(), clerkOf(r), chi.URLParam(r, "visit"), number); err != nil {
			return err
		}
	}
	http.Redirect(w, r, p.Path+"/receipt/"+url.PathEscape(number), http.StatusSeeOther)
	return nil
}

// receipt is to be printed for the person: what was done for him, by whom, and the case's number.
func (h *Clerk) receipt(w http.ResponseWriter, r *http.Request) error {
	p, err := h.visit(r)
	if err != nil {
		return err
	}
	if p.One.Receipt == "" {
		return casework.ErrMissing
	}
	title := h.Shell.T(web.ViewerOf(r.Context()).Lang, "filing.receipt.of", "Number", p.One.Number)
	return h.pages.Render(w, r, "clerk-receipt.html", web.Page{TitleText: title, Section: filingDuty, Data: p})
}

// end (a POST) closes the person's page.
func (h *Clerk) end(w http.ResponseWriter, r *http.Request) error {
	if err := h.Filing.End(r.Context(), clerkOf(r), chi.URLParam(r, "visit")); err != nil {
		return err
	}
	http.Redirect(w, r, filingPath, http.StatusSeeOther)
	return nil
}
