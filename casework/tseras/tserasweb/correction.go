package tserasweb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/correction-*.html pages/_programme-parts.html pages/_asked-parts.html
var correctionPages embed.FS

// CorrectionDesk takes what a person says of a register's answer.
type CorrectionDesk interface {
	Show(ctx context.Context, subject tesdiq.FIN, number string) (tseras.Shown, error)
	AskCorrection(ctx context.Context, subject tesdiq.FIN, about string, r tseras.Register, wrong tseras.Wrong, words string, by casework.Actor, key string) (casework.Case, error)
	Withdraw(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor) error
}

// Corrections is the pages on which a person says that a register is wrong, and reads what its agency said. All fields are required.
type Corrections struct {
	Person *Person // says where a case stands
	Desk   CorrectionDesk

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Corrections) Prepare() (err error) {
	if h.pages, err = h.Person.Shell.Pages(correctionPages); err != nil {
		return fmt.Errorf("tserasweb: %w", err)
	}
	return nil
}

const correctionsPath = "/cabinet/corrections"

func correctionPath(number string) string { return correctionsPath + "/" + url.PathEscape(number) }

// newCorrectionPath is where the registers of a case are corrected.
func newCorrectionPath(about string) string { return correctionsPath + "/new/" + url.PathEscape(about) }

// Routes registers the pages' addresses, after Prepare.
func (h *Corrections) Routes(r chi.Router) {
	private := h.Person.Shell.Private
	r.Get(correctionsPath+"/new/{number}", private(h.form))
	r.Post(correctionsPath+"/new/{number}", private(h.ask))
	r.Get(correctionsPath+"/{number}", private(h.show))
	r.Post(correctionsPath+"/{number}/withdraw", private(h.withdraw))
}

type correctionForm struct {
	Number, Path, Key, Register, Wrong, Words string
	Registers, Wrongs                         []web.Choice
}

// about is the case of the address whose registers have answered.
func (h *Corrections) about(r *http.Request) (tseras.Shown, error) {
	fin, _ := viewer(r)
	s, err := h.Desk.Show(r.Context(), fin, chi.URLParam(r, "number"))
	if err == nil && s.Kind != tseras.Assessment {
		err = casework.ErrMissing
	}
	return s, err
}

// form asks which register is wrong, and what.
func (h *Corrections) form(w http.ResponseWriter, r *http.Request) error {
	key, err := h.Person.newKey()
	if err != nil {
		return err
	}
	return h.render(w, r, correctionForm{Key: key, Register: r.URL.Query().Get("register")}, nil)
}

func (h *Corrections) render(w http.ResponseWriter, r *http.Request, f correctionForm, ps tesdiq.Problems) error {
	_, lang := viewer(r)
	s, err := h.about(r)
	if err != nil {
		return err
	}
	t := func(key string, args ...any) string { return h.Person.Shell.T(lang, key, args...) }
	f.Number, f.Path = s.Number, newCorrectionPath(s.Number)
	for _, x := range tseras.Registers {
		if o, asked := s.Evidence.Of(x); asked && o.Answered {
			f.Registers = append(f.Registers, web.Choice{Value: string(x), Label: t("tseras-person.register." + string(x))})
		}
	}
	f.Wrongs = wrongs(h.Person.Shell, lang)
	return h.pages.Render(w, r, "correction-new.html", web.Page{
		Title: "tseras-correction.new", Section: "cases", Data: f, Problems: ps, Self: f.Path,
		Labels: map[string]string{"words": t("tseras-correction.words")},
	})
}

// wrongs are what can be wrong with an answer, as a form offers it.
func wrongs(shell *web.Shell, lang tesdiq.Lang) (all []web.Choice) {
	for _, x := range tseras.Wrongs() {
		all = append(all, web.Choice{Value: string(x), Label: shell.T(lang, "tseras-correction.wrong."+string(x))})
	}
	return all
}

// ask (a POST) opens the correction. Sent twice, it opens one.
func (h *Corrections) ask(w http.ResponseWriter, r *http.Request) error {
	fin, by := by(r)
	s, err := h.about(r)
	if err != nil {
		return err
	}
	v := r.PostForm
	f := correctionForm{Key: v.Get("key"), Register: v.Get("register"), Wrong: v.Get("wrong"), Words: oneLine(v.Get("words"))}
	if len(f.Key) != keyLength {
		return casework.ErrState
	}
	var ps tesdiq.Problems // in the order of the form
	if o, asked := s.Evidence.Of(tseras.Register(f.Register)); !asked || !o.Answered {
		ps.Add("register", tesdiq.Invalid("tseras.correction.register"))
	}
	ps = append(ps, tseras.CheckDispute(tseras.Wrong(f.Wrong), f.Words)...)
	if len(ps) > 0 {
		return h.render(w, r, f, ps)
	}
	c, err := h.Desk.AskCorrection(r.Context(), fin, s.Number, tseras.Register(f.Register), tseras.Wrong(f.Wrong), f.Words, by, f.Key)
	if errors.Is(err, casework.ErrOpen) {
		ps.Add("register", tesdiq.NewProblem(tesdiq.Conflict, "tseras.correction.open"))
		return h.render(w, r, f, ps)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, correctionPath(c.Number), http.StatusSeeOther)
	return nil
}

type correctionPage struct {
	Number, Path, About, AboutPath string
	Tag                            tag
	Turn                           turn
	Closed, Decided, Corrected     bool
	Reopened, GoesOn               bool // the case that it is about asks all registers again; or is with its commission already
	Register, Wrong, Words         string
	Said                           string // what the agency said, or that it has not
	Again, Until                   string
	Steps                          []stepLine
}

func (h *Corrections) found(r *http.Request) (tseras.Shown, error) {
	fin, _ := viewer(r)
	s, err := h.Desk.Show(r.Context(), fin, chi.URLParam(r, "number"))
	if err == nil && s.Correction == nil {
		err = casework.ErrMissing
	}
	return s, err
}

// show is the page of a correction.
func (h *Corrections) show(w http.ResponseWriter, r *http.Request) error {
	_, lang := viewer(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	k := s.Correction
	t := func(key string, args ...any) string { return h.Person.Shell.T(lang, key, args...) }
	p := correctionPage{
		Number: s.Number, Path: correctionPath(s.Number), About: k.About, AboutPath: path(k.About), Tag: tagOf(s.State), Closed: closed(s.Case),
		Decided: k.State == tseras.Decided, Corrected: s.State == tseras.Corrected, Reopened: k.Reopened,
		GoesOn: slices.Contains([]casework.State{tseras.Drawn, tseras.FurtherMember, tseras.Signing}, k.State), Register: t("tseras-person.register." + string(k.Register)),
		Wrong: t("tseras-correction.wrong." + string(k.Wrong)), Words: k.Words,
	}
	switch {
	case s.State == tseras.Refused:
		p.Said = t("tseras-correction.reason." + k.Reason)
	case k.Answered:
		p.Said = t("tseras-correction.said." + k.Outcome)
	case k.Asked > 0:
		p.Said = t("tseras-correction.silent")
	}
	if !k.Again.IsZero() && !p.Closed {
		p.Again = tesdiq.ClockString(k.Again)
	}
	if !k.Until.IsZero() {
		p.Until = k.Until.String()
	}
	if p.Turn, err = h.Person.turnOf(lang, s.Case, ""); err != nil {
		return err
	}
	for i := len(s.Steps) - 1; i >= 0; i-- {
		p.Steps = append(p.Steps, h.Person.step(lang, tseras.Correction, s.Steps[i], s.Filed))
	}
	return h.pages.Render(w, r, "correction-case.html", web.Page{TitleText: t("tseras-correction.case", "Number", s.Number), Section: "cases", Data: p})
}

// withdraw (a POST) takes it back. Again, it changes nothing.
func (h *Corrections) withdraw(w http.ResponseWriter, r *http.Request) error {
	fin, by := by(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	if s.State != tseras.Withdrawn {
		if err := h.Desk.Withdraw(r.Context(), fin, s.Number, by); err != nil {
			return err
		}
	}
	http.Redirect(w, r, correctionPath(s.Number), http.StatusSeeOther)
	return nil
}
