package tserasweb

import (
	"errors"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

// clerkForm is a form that a clerk reads out and fills in for the person. What was typed is not shown again once it is sent.
type clerkForm struct {
	clerkVisit
	Key   string // the form's own
	Words string

	Points []pointRow // of an appeal
	Most   int        // letters
	Slots  tseras.AppealRules

	Register, Wrong   string // of a correction
	Registers, Wrongs []web.Choice
}

// newForm is an empty form about the case of the address; casework.ErrMissing where its link is not offered.
func (h *Clerk) newForm(r *http.Request, offered func(clerkCase) string) (f clerkForm, err error) {
	if f.clerkVisit, err = h.visit(r); err != nil {
		return f, err
	}
	if offered(f.One) == "" {
		return f, casework.ErrMissing
	}
	f.Key, err = tesdiq.RandomText(h.Rand, keyLength)
	return f, err
}

func appealOffered(c clerkCase) string { return c.Appeal }

func correctionOffered(c clerkCase) string { return c.Correct }

// appealForm says what an appeal leads to, and asks what is disputed.
func (h *Clerk) appealForm(w http.ResponseWriter, r *http.Request) error {
	f, err := h.newForm(r, appealOffered)
	if err != nil {
		return err
	}
	return h.askAppeal(w, r, f, tseras.Dispute{}, nil)
}

func (h *Clerk) askAppeal(w http.ResponseWriter, r *http.Request, f clerkForm, d tseras.Dispute, ps tesdiq.Problems) error {
	f.Slots = tseras.AppealRulesOn(tesdiq.DateOf(h.Now()))
	lang := web.ViewerOf(r.Context()).Lang
	f.Points, f.Words, f.Most = pointRows(h.Shell, lang, d), d.Words, f.Slots.Words
	return h.pages.Render(w, r, "clerk-appeal.html", web.Page{
		Title: "tseras-appeal.new", Section: filingDuty, Data: f, Problems: ps, Self: f.One.Appeal,
		Labels: map[string]string{"words": h.Shell.T(lang, "tseras-appeal.words")},
	})
}

// appeal (a POST) opens an appeal. Sent twice, it opens one.
func (h *Clerk) appeal(w http.ResponseWriter, r *http.Request) error {
	visit, key, d := chi.URLParam(r, "visit"), r.PostForm.Get("key"), disputeOf(r)
	if len(key) != keyLength {
		return casework.ErrState
	}
	c, err := h.Filing.Appeal(r.Context(), clerkOf(r), visit, chi.URLParam(r, "number"), d, key)
	var ps tesdiq.Problems
	if errors.As(err, &ps) {
		f, err := h.newForm(r, appealOffered)
		if err != nil {
			return err
		}
		f.Key = key
		return h.askAppeal(w, r, f, d, ps)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, visitPath(visit)+"/receipt/"+c.Number, http.StatusSeeOther)
	return nil
}

// correctionForm asks which register is wrong, and what. It offers all: which of them have answered is not the clerk's.
func (h *Clerk) correctionForm(w http.ResponseWriter, r *http.Request) error {
	f, err := h.newForm(r, correctionOffered)
	if err != nil {
		return err
	}
	return h.askCorrection(w, r, f, nil)
}

func (h *Clerk) askCorrection(w http.ResponseWriter, r *http.Request, f clerkForm, ps tesdiq.Problems) error {
	lang := web.ViewerOf(r.Context()).Lang
	for _, x := range tseras.Registers {
		f.Registers = append(f.Registers, web.Choice{Value: string(x), Label: h.Shell.T(lang, "tseras-person.register."+string(x))})
	}
	f.Wrongs = wrongs(h.Shell, lang)
	return h.pages.Render(w, r, "clerk-correct.html", web.Page{
		Title: "tseras-correction.new", Section: filingDuty, Data: f, Problems: ps, Self: f.One.Correct,
		Labels: map[string]string{"words": h.Shell.T(lang, "tseras-correction.words")},
	})
}

// Problems of the field register.
var (
	errCorrectionOpen = tesdiq.NewProblem(tesdiq.Conflict, "tseras.correction.open")
	errUnanswered     = tesdiq.NewProblem(tesdiq.Conflict, "tseras.correction.unanswered")
)

// correct (a POST) opens a correction. Sent twice, it opens one.
func (h *Clerk) correct(w http.ResponseWriter, r *http.Request) error {
	visit, v := chi.URLParam(r, "visit"), r.PostForm
	key, register, wrong, words := v.Get("key"), tseras.Register(v.Get("register")), tseras.Wrong(v.Get("wrong")), oneLine(v.Get("words"))
	if len(key) != keyLength {
		return casework.ErrState
	}
	var ps tesdiq.Problems // in the order of the form
	if !slices.Contains(tseras.Registers, register) {
		ps.Add("register", tesdiq.Invalid("tseras.correction.register"))
	}
	ps = append(ps, tseras.CheckDispute(wrong, words)...)
	if len(ps) == 0 {
		c, err := h.Filing.AskCorrection(r.Context(), clerkOf(r), visit, chi.URLParam(r, "number"), register, wrong, words, key)
		switch {
		case err == nil:
			http.Redirect(w, r, visitPath(visit)+"/receipt/"+c.Number, http.StatusSeeOther)
			return nil
		case errors.Is(err, casework.ErrOpen):
			ps.Add("register", errCorrectionOpen)
		case errors.Is(err, casework.ErrState):
			ps.Add("register", errUnanswered)
		default:
			return err
		}
	}
	f, err := h.newForm(r, correctionOffered)
	if err != nil {
		return err
	}
	f.Key, f.Register, f.Wrong, f.Words = key, string(register), string(wrong), words
	return h.askCorrection(w, r, f, ps)
}
