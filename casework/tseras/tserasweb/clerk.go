package tserasweb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/clerk-*.html pages/_asked-parts.html
var clerkPages embed.FS

// Filing is what the clerks' pages ask.
type Filing interface {
	Identify(ctx context.Context, by tseras.Clerk, card tesdiq.DocumentNumber, fin tesdiq.FIN) (tseras.Visit, error)
	Visit(ctx context.Context, by tseras.Clerk, id string) (tseras.Visit, error)
	End(ctx context.Context, by tseras.Clerk, id string) error
	Cases(ctx context.Context, by tseras.Clerk, v tseras.Visit) ([]casework.Case, []tseras.Filed, error)
	Apply(ctx context.Context, by tseras.Clerk, visit string) (casework.Case, error)
	Withdraw(ctx context.Context, by tseras.Clerk, visit, number string) error
	Appeal(ctx context.Context, by tseras.Clerk, visit, number string, about tseras.Dispute, key string) (casework.Case, error)
	AskCorrection(ctx context.Context, by tseras.Clerk, visit, about string, r tseras.Register, wrong tseras.Wrong, words, key string) (casework.Case, error)
}

// Clerk is the pages of a clerk who files for a person who is present. A page is open for some minutes, names the person
// each time, and shows of cases where they stand and nothing else. All fields are required.
type Clerk struct {
	Shell  *web.Shell
	Filing Filing
	Now    func() time.Time
	Rand   io.Reader // of the forms' keys

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
	r.Get(filingPath+"/{visit}/appeal/{number}", clerk(h.appealForm))
	r.Post(filingPath+"/{visit}/appeal/{number}", clerk(h.appeal))
	r.Get(filingPath+"/{visit}/correct/{number}", clerk(h.correctionForm))
	r.Post(filingPath+"/{visit}/correct/{number}", clerk(h.correct))
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
	Then         string // key of what follows when it is withdrawn
	Withdraw     string // where; empty: it cannot be
	Appeal       string // where; empty: it cannot be appealed
	Until        string // the last day to appeal
	Correct      string // where it is said that a register is wrong; empty: no register is asked for it
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
	One      clerkCase   // of the receipt or the question
	Done     []filedLine // with the case, in this visit
}

// filedLine is what a clerk did, in words.
type filedLine struct {
	At        time.Time
	Who, What string
}

func filedOf(shell *web.Shell, lang tesdiq.Lang, f tseras.Filed) filedLine {
	l := filedLine{At: f.At, Who: f.Office, What: shell.T(lang, "filing.mine.opened")}
	if f.Clerk != "" {
		l.Who += " · " + f.Clerk
	}
	if f.Number != "" {
		l.What = f.Number + ": " + stepWords(shell, lang, f.Kind, casework.Step{What: f.What})
	}
	return l
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
	number, lang := chi.URLParam(r, "number"), web.ViewerOf(r.Context()).Lang
	appealable := tseras.Appealable(cases, h.Now())
	for _, c := range cases {
		p.CanApply = p.CanApply && (closed(c) || !assesses(c))
		line := h.line(p.Path, c, slices.ContainsFunc(appealable, func(x casework.Case) bool { return x.ID == c.ID }))
		for _, d := range done {
			if d.Number != c.Number {
				continue
			}
			line.Receipt = p.Path + "/receipt/" + c.Number
			if c.Number == number {
				p.Done = append(p.Done, filedOf(h.Shell, lang, d))
			}
		}
		if c.Number == number {
			p.One = line
		}
		p.Cases = append(p.Cases, line)
	}
	return p, nil
}

// line says of a case what a clerk sees of it, and what he can do with it.
func (h *Clerk) line(visit string, c casework.Case, appealable bool) clerkCase {
	line := clerkCase{Number: c.Number, Kind: "filing.kind." + string(c.Kind), Tag: tagOf(c.State), Turn: "tseras-person.turn." + string(c.Clock.Turn)}
	if c.Kind != tseras.Programme && tseras.Machine.Allows(c.Kind, c.State, tseras.Withdrawn, casework.ByClerk) {
		line.Withdraw, line.Then = visit+"/withdraw/"+c.Number, "filing.withdraw.then."+string(c.Kind)
	}
	if c.Kind != tseras.Assessment || c.State == tseras.Declined || c.State == tseras.Withdrawn {
		return line
	}
	line.Correct = visit + "/correct/" + c.Number
	if appealable {
		line.Appeal, line.Until = visit+"/appeal/"+c.Number, tseras.AppealUntil(c.Since).String()
	}
	return line
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
	title := h.Shell.T(web.ViewerOf(r.Context()).Lang, "filing.withdraw.ask", "Number", p.One.Number)
	return h.pages.Render(w, r, "clerk-withdraw.html", web.Page{TitleText: title, Section: filingDuty, Data: p})
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
