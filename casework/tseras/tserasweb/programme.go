package tserasweb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/programme-*.html pages/_programme-parts.html pages/_looks.html
var programmePages embed.FS

// ProgrammeDesk takes a person's word on his rehabilitation programme.
type ProgrammeDesk interface {
	Show(ctx context.Context, subject tesdiq.FIN, number string) (tseras.Shown, error)
	AskProgramme(ctx context.Context, subject tesdiq.FIN, decision string, by casework.Actor, key string) (casework.Case, error)
	WishProgramme(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor, words string) error
	AnswerDraft(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor, n int, word tseras.DraftWord, words string) error
	DeclineProgramme(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor) error
}

// Programmes is the pages of a person's rehabilitation programmes. All fields are required.
type Programmes struct {
	Person *Person // says where a case stands
	Desk   ProgrammeDesk

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Programmes) Prepare() (err error) {
	if h.pages, err = h.Person.Shell.Pages(programmePages); err != nil {
		return fmt.Errorf("tserasweb: %w", err)
	}
	return nil
}

const programmesPath = "/cabinet/programmes"

func programmePath(number string) string { return programmesPath + "/" + url.PathEscape(number) }

// Routes registers the pages' addresses, after Prepare.
func (h *Programmes) Routes(r chi.Router) {
	private := h.Person.Shell.Private
	r.Get(programmesPath+"/{number}", private(h.show))
	r.Post(programmesPath+"/{number}/wish", private(h.wish))
	r.Post(programmesPath+"/{number}/answer", private(h.answer))
	r.Get(programmesPath+"/{number}/decline", private(h.confirm))
	r.Post(programmesPath+"/{number}/decline", private(h.decline))
	r.Post(programmesPath+"/{number}/again", private(h.again))
}

// measureLine is a line of a programme in words.
type measureLine struct{ Name, Sort, Provider, Until string }

// linesOf says a programme's lines in words, by sort.
func linesOf(lang tesdiq.Lang, lines []tseras.Line) (all []measureLine) {
	for _, s := range tseras.Sorts {
		for _, l := range lines {
			if m, ok := tseras.MeasureOf(l.Measure); ok && m.Sort == s {
				all = append(all, measureLine{m.Name(lang), "tseras-programme.sort." + string(s), l.Provider, l.Until.String()})
			}
		}
	}
	return all
}

type programmePage struct {
	Number, Path, Decision, Body string
	Tag                          tag
	Turn                         turn
	Closed                       bool
	State                        casework.State
	Meeting                      *tseras.Invitation // to come
	Wish                         string             // asked for, and not answered
	CanWish, CanAnswer           bool
	CanDecline                   bool
	N                            int
	Lines                        []measureLine
	Word                         tseras.DraftWord
	Missing, Answer              string // what the person said is missing; why it was entered without
	Entered                      string // the day
	Replaced                     string // by the programme with this number
	Again                        string // key of the form that asks for another one; empty where none can be asked for
	Steps                        []stepLine
	Looks                        []lookLine
	Form                         struct{ Wish, Missing string }
}

// found is the programme of the address.
func (h *Programmes) found(r *http.Request) (tseras.Shown, error) {
	fin, _ := viewer(r)
	s, err := h.Desk.Show(r.Context(), fin, chi.URLParam(r, "number"))
	if err == nil && s.Programme == nil {
		err = casework.ErrMissing
	}
	return s, err
}

func (h *Programmes) page(lang tesdiq.Lang, s tseras.Shown) (p programmePage, err error) {
	g := s.Programme
	p = programmePage{
		Number: s.Number, Path: programmePath(s.Number), Decision: g.Decision, Body: g.Body, Tag: tagOf(s.State), Closed: closed(s.Case), State: s.State,
		Wish: g.Wish, CanWish: s.State == tseras.AwaitingMeeting, CanAnswer: s.State == tseras.Drafted && g.Word == tseras.NoWord,
		CanDecline: tseras.Withdrawable(s.Case), Word: g.Word, Missing: g.Missing, Answer: g.Answer, Replaced: g.Replaced, Looks: looksOf(s.Looks),
	}
	if s.State == tseras.AwaitingMeeting {
		p.Meeting = &g.Invitation
	}
	if d, ok := g.Latest(); ok && (s.State == tseras.Drafted || s.State == tseras.Entered) {
		p.N, p.Lines = d.N, linesOf(lang, d.Lines)
	}
	if s.State == tseras.Entered {
		p.Entered = tesdiq.DateOf(s.Since).String()
	}
	if p.Turn, err = h.Person.turnOf(lang, s.Case, ""); err != nil {
		return p, err
	}
	if p.Closed && s.State != tseras.Declined && g.Replaced == "" {
		if p.Again, err = h.Person.newKey(); err != nil {
			return p, err
		}
	}
	for i := len(s.Steps) - 1; i >= 0; i-- {
		p.Steps = append(p.Steps, h.Person.step(lang, tseras.Programme, s.Steps[i], s.Filed))
	}
	return p, nil
}

// show is the page of a programme; of an entered one it is made to be printed.
func (h *Programmes) show(w http.ResponseWriter, r *http.Request) error {
	return h.render(w, r, struct{ Wish, Missing string }{}, nil)
}

func (h *Programmes) render(w http.ResponseWriter, r *http.Request, form struct{ Wish, Missing string }, ps tesdiq.Problems) error {
	_, lang := viewer(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	p, err := h.page(lang, s)
	if err != nil {
		return err
	}
	p.Form = form
	return h.pages.Render(w, r, "programme-case.html", web.Page{
		Section: "cases", TitleText: h.Person.Shell.T(lang, "tseras-programme.case", "Number", s.Number), Data: p, Problems: ps, Self: p.Path,
	})
}

// by is the person himself.
func by(r *http.Request) (tesdiq.FIN, casework.Actor) {
	fin, _ := viewer(r)
	return fin, casework.Actor{Part: casework.BySubject, FIN: fin}
}

// done leads back to the programme, or shows what is wrong with the form.
func (h *Programmes) done(w http.ResponseWriter, r *http.Request, form struct{ Wish, Missing string }, err error) error {
	var ps tesdiq.Problems
	switch {
	case errors.As(err, &ps):
		return h.render(w, r, form, ps)
	case err != nil:
		return err
	}
	http.Redirect(w, r, programmePath(chi.URLParam(r, "number")), http.StatusSeeOther)
	return nil
}

// wish (a POST) asks for another time or place.
func (h *Programmes) wish(w http.ResponseWriter, r *http.Request) error {
	fin, by := by(r)
	words := oneLine(r.PostForm.Get("wish"))
	if _, err := h.found(r); err != nil {
		return err
	}
	return h.done(w, r, struct{ Wish, Missing string }{Wish: words}, h.Desk.WishProgramme(r.Context(), fin, chi.URLParam(r, "number"), by, words))
}

// answer (a POST) is the person's word on the draft that he has read.
func (h *Programmes) answer(w http.ResponseWriter, r *http.Request) error {
	fin, by := by(r)
	if _, err := h.found(r); err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PostForm.Get("n"))
	if err != nil {
		return casework.ErrState
	}
	word, words := tseras.DraftWord(r.PostForm.Get("word")), oneLine(r.PostForm.Get("missing"))
	return h.done(w, r, struct{ Wish, Missing string }{Missing: words}, h.Desk.AnswerDraft(r.Context(), fin, chi.URLParam(r, "number"), by, n, word, words))
}

// confirm asks whether the person means it.
func (h *Programmes) confirm(w http.ResponseWriter, r *http.Request) error {
	s, err := h.found(r)
	if err != nil {
		return err
	}
	if !tseras.Withdrawable(s.Case) {
		http.Redirect(w, r, programmePath(s.Number), http.StatusSeeOther)
		return nil
	}
	return h.pages.Render(w, r, "programme-decline.html", web.Page{Title: "tseras-programme.decline", Section: "cases", Data: withdrawPage{Number: s.Number, Path: programmePath(s.Number)}})
}

// decline (a POST) ends the programme. Again, it changes nothing.
func (h *Programmes) decline(w http.ResponseWriter, r *http.Request) error {
	fin, by := by(r)
	if _, err := h.found(r); err != nil {
		return err
	}
	return h.done(w, r, struct{ Wish, Missing string }{}, h.Desk.DeclineProgramme(r.Context(), fin, chi.URLParam(r, "number"), by))
}

// again (a POST) asks for another programme after the same decision. Sent twice, it opens one.
func (h *Programmes) again(w http.ResponseWriter, r *http.Request) error {
	fin, by := by(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	key := r.PostForm.Get("key")
	if len(key) != keyLength {
		return casework.ErrState
	}
	c, err := h.Desk.AskProgramme(r.Context(), fin, s.Programme.Decision, by, key)
	if errors.Is(err, casework.ErrOpen) {
		http.Redirect(w, r, CasesPath, http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, programmePath(c.Number), http.StatusSeeOther)
	return nil
}
