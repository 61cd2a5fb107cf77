package tserasweb

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/rehabilitation-*.html pages/_programme-parts.html
var rehabilitationPages embed.FS

// Bodies is what the pages of rehabilitation bodies ask.
type Bodies interface {
	List(ctx context.Context, body int64) (own, free []tseras.ListedProgramme, err error)
	Take(ctx context.Context, body tseras.Body, number string) error
	Open(ctx context.Context, body tseras.Body, number string) (tseras.ProgrammeFile, error)
	Invite(ctx context.Context, body tseras.Body, number string, i tseras.Invitation, absent bool) error
	Lapse(ctx context.Context, body tseras.Body, number string) error
	Draft(ctx context.Context, body tseras.Body, number string, n int, lines []tseras.Line) error
	Enter(ctx context.Context, body tseras.Body, number string, n int, answer string) error
}

// Rehabilitation is the pages of the specialists of rehabilitation bodies: of a case that is not the body's they show a number,
// a district and a day. All fields are required.
type Rehabilitation struct {
	Shell    *web.Shell
	Bodies   Bodies
	Calendar *tesdiq.Calendar
	Now      func() time.Time

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Rehabilitation) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(rehabilitationPages); err != nil {
		return fmt.Errorf("tserasweb: %w", err)
	}
	return nil
}

const (
	rehabilitationPath = "/rehabilitation"
	rehabilitationDuty = "rehabilitation" // organisation.Rehabilitation: components do not import each other
)

// Routes registers the pages' addresses, after Prepare.
func (h *Rehabilitation) Routes(r chi.Router) {
	duty := func(f web.Handler) http.HandlerFunc { return h.Shell.Duty(rehabilitationDuty, f) }
	r.Get(rehabilitationPath, duty(h.list))
	r.Get(rehabilitationPath+"/{number}", duty(h.show))
	r.Post(rehabilitationPath+"/{number}/take", duty(h.take))
	r.Post(rehabilitationPath+"/{number}/invite", duty(h.invite))
	r.Post(rehabilitationPath+"/{number}/lapse", duty(h.lapse))
	r.Post(rehabilitationPath+"/{number}/draft", duty(h.draft))
	r.Post(rehabilitationPath+"/{number}/enter", duty(h.enter))
}

// bodyOf is who acts; the routes let only in who acts for a body with the duty.
func bodyOf(r *http.Request) tseras.Body {
	v := web.ViewerOf(r.Context())
	return tseras.Body{ID: v.Organisation.ID, Name: v.Organisation.Name, FIN: v.Person.FIN}
}

func bodyPath(number string) string { return rehabilitationPath + "/" + url.PathEscape(number) }

// bodyLine is a case in a body's list.
type bodyLine struct {
	tseras.ListedProgramme
	Path, Word, Left string
	Alarm            casework.Alarm
}

type bodyList struct{ Own, Free []bodyLine }

// list shows the body's cases and those that it may take.
func (h *Rehabilitation) list(w http.ResponseWriter, r *http.Request) error {
	own, free, err := h.Bodies.List(r.Context(), bodyOf(r).ID)
	if err != nil {
		return err
	}
	var p bodyList
	lang, today := web.ViewerOf(r.Context()).Lang, tesdiq.DateOf(h.Now())
	for _, x := range []struct {
		from []tseras.ListedProgramme
		to   *[]bodyLine
	}{{own, &p.Own}, {free, &p.Free}} {
		for _, c := range x.from {
			l := bodyLine{ListedProgramme: c, Path: bodyPath(c.Number), Word: "tseras-person.state." + string(c.State)}
			if l.Alarm, err = c.Clock.Alarm(h.Calendar, today); err != nil {
				return err
			}
			if l.Left, err = left(h.Shell, lang, h.Calendar, c.Clock, today); err != nil {
				return err
			}
			*x.to = append(*x.to, l)
		}
	}
	return h.pages.Render(w, r, "rehabilitation-list.html", web.Page{Title: "tseras-programme.title", Section: rehabilitationDuty, Data: p})
}

// programmeForm is what was typed.
type programmeForm struct {
	Day, Time, Place, Home string
	Lines                  []typedLine
	Reason                 string
}

// typedLine is a measure as it was typed.
type typedLine struct{ Measure, Name, Provider, Until string }

type bodyCase struct {
	tseras.ProgrammeFile
	Path, Word, NeedText, Age string
	Left                      string
	Alarm                     casework.Alarm
	Limits                    []namedValue
	Steps                     []stepLine
	Shown                     []measureLine // the latest draft
	N, Next                   int           // of the latest draft, and of the one to be made
	Invites                   bool          // for the first time
	Moves, Absent, Lapses     bool
	Drafts, Enters, Answers   bool
	Waits                     string // why it cannot be entered yet
	Form                      programmeForm
	Sorts                     []measureSort
}

// measureSort is a sort with the measures that can be added of it.
type measureSort struct {
	Name     string
	Measures []web.Choice
}

// show is the page of a case. Each look is written down before it is shown.
func (h *Rehabilitation) show(w http.ResponseWriter, r *http.Request) error {
	f, err := h.Bodies.Open(r.Context(), bodyOf(r), chi.URLParam(r, "number"))
	if err != nil {
		return err
	}
	return h.render(w, r, f, blankProgramme(web.ViewerOf(r.Context()).Lang, f), nil)
}

// blankProgramme is the form before anything is typed: the invitation that there is, and the latest draft.
func blankProgramme(lang tesdiq.Lang, f tseras.ProgrammeFile) programmeForm {
	form := programmeForm{Time: "10:00"}
	if f.State == tseras.AwaitingMeeting {
		form.Place = f.Invitation.Place
	}
	if d, ok := f.Latest(); ok {
		for _, l := range d.Lines {
			m, _ := tseras.MeasureOf(l.Measure)
			form.Lines = append(form.Lines, typedLine{l.Measure, m.Name(lang), l.Provider, l.Until.ISO()})
		}
	}
	return form
}

func (h *Rehabilitation) render(w http.ResponseWriter, r *http.Request, f tseras.ProgrammeFile, form programmeForm, ps tesdiq.Problems) error {
	lang := web.ViewerOf(r.Context()).Lang
	now := h.Now()
	today := tesdiq.DateOf(now)
	say := speaker(h.Shell, lang, today)
	met := f.State == tseras.AwaitingMeeting && f.Invitation.Began(now)
	p := bodyCase{
		ProgrammeFile: f, Path: bodyPath(f.Number), Word: "tseras-person.state." + string(f.State), Form: form,
		NeedText: sentence(lang, say.Result(f.Need.Outcome, f.Need.Band, f.Need.Degree)), Age: strconv.Itoa(ageOn(f.Born, today)),
		Invites: f.State == tseras.AwaitingInvitation, Moves: f.State == tseras.AwaitingMeeting, Absent: met, Lapses: f.State == tseras.AwaitingMeeting && f.MayLapse(now),
		Drafts: met || f.State == tseras.Drafted, Next: len(f.ProgrammeView.Drafts) + 1, Answers: f.State == tseras.Drafted && f.ProgrammeView.Word == tseras.Missing,
	}
	var err error
	if p.Alarm, err = f.Clock.Alarm(h.Calendar, today); err != nil {
		return err
	}
	if p.Left, err = left(h.Shell, lang, h.Calendar, f.Clock, today); err != nil {
		return err
	}
	if d, ok := f.Latest(); ok {
		p.N, p.Shown = d.N, linesOf(lang, d.Lines)
	}
	if f.State == tseras.Drafted {
		p.Enters = f.MayEnter("x", f.Clock.DueBy, today) == nil
		if !p.Enters {
			p.Waits = h.Shell.T(lang, "tseras-programme.waits", "Day", f.Clock.DueBy.String())
		}
	}
	for _, name := range criteria.ActivityNames {
		if l := *f.Need.Activities.At(name); l != "" && l != criteria.NoLimit {
			p.Limits = append(p.Limits, namedValue{say.Activity(name), say.Limit(l)})
		}
	}
	for i := len(f.Steps) - 1; i >= 0; i-- {
		s := f.Steps[i]
		l := stepLine{At: s.At, What: stepWords(h.Shell, lang, tseras.Programme, s), Who: s.By.Office, Why: s.Args["Reason"]}
		if l.Who == "" {
			l.Who = h.Shell.T(lang, "tseras-programme.by."+string(s.By.Part))
		}
		p.Steps = append(p.Steps, l)
	}
	p.Sorts = h.measures(lang, today, form)
	labels := map[string]string{"place": h.Shell.T(lang, "tseras-programme.place")}
	for _, l := range form.Lines { // each measure has the same two fields
		labels["provider-"+l.Measure] = l.Name + ", " + h.Shell.T(lang, "tseras-programme.provider")
		labels["until-"+l.Measure] = l.Name + ", " + h.Shell.T(lang, "tseras-programme.until")
	}
	return h.pages.Render(w, r, "rehabilitation-case.html", web.Page{
		TitleText: h.Shell.T(lang, "tseras-programme.case", "Number", f.Number), Section: rehabilitationDuty, Data: p, Problems: ps, Labels: labels, Self: p.Path,
	})
}

// measures are those that can be added to a form.
func (h *Rehabilitation) measures(lang tesdiq.Lang, today tesdiq.Date, form programmeForm) (all []measureSort) {
	for _, s := range tseras.Sorts {
		x := measureSort{Name: h.Shell.T(lang, "tseras-programme.sort."+string(s))}
		for _, m := range tseras.Measures() {
			if m.Sort == s && m.On(today) && !slices.ContainsFunc(form.Lines, func(l typedLine) bool { return l.Measure == m.Code }) {
				x.Measures = append(x.Measures, web.Choice{Value: m.Code, Label: m.Name(lang)})
			}
		}
		if len(x.Measures) > 0 {
			all = append(all, x)
		}
	}
	return all
}

// ageOn is how many years old somebody is on a day.
func ageOn(born, day tesdiq.Date) int {
	n := day.Year() - born.Year()
	if born.AddYears(n).After(day) {
		n--
	}
	return n
}

// done leads back to the case, or shows what is wrong with the form.
func (h *Rehabilitation) done(w http.ResponseWriter, r *http.Request, form programmeForm, err error) error {
	var ps tesdiq.Problems
	var p *tesdiq.Problem
	switch {
	case errors.As(err, &ps):
	case errors.As(err, &p) && p.Kind == tesdiq.Refused:
		ps = tesdiq.Problems{p}
	case err != nil:
		return err
	default:
		http.Redirect(w, r, bodyPath(chi.URLParam(r, "number")), http.StatusSeeOther)
		return nil
	}
	f, err := h.Bodies.Open(r.Context(), bodyOf(r), chi.URLParam(r, "number"))
	if err != nil {
		return err
	}
	blank := blankProgramme(web.ViewerOf(r.Context()).Lang, f)
	if form.Day == "" && form.Time == "" {
		form.Time, form.Place = blank.Time, blank.Place
	}
	if form.Lines == nil {
		form.Lines = blank.Lines
	}
	return h.render(w, r, f, form, ps)
}

// take (a POST) makes a free case the body's own.
func (h *Rehabilitation) take(w http.ResponseWriter, r *http.Request) error {
	return h.done(w, r, programmeForm{}, h.Bodies.Take(r.Context(), bodyOf(r), chi.URLParam(r, "number")))
}

// invite (a POST) says when and where they meet; "absent" with it, that the person did not come.
func (h *Rehabilitation) invite(w http.ResponseWriter, r *http.Request) error {
	form := programmeForm{Day: r.PostForm.Get("day"), Time: r.PostForm.Get("time"), Place: r.PostForm.Get("place"), Home: r.PostForm.Get("home")}
	i := tseras.Invitation{Time: strings.TrimSpace(form.Time), Place: form.Place, Home: form.Home == "yes"}
	if form.Day != "" {
		day, err := tesdiq.ParseDate(form.Day)
		if err != nil {
			var ps tesdiq.Problems
			ps.Add("day", err)
			return h.done(w, r, form, ps)
		}
		i.Day = day
	}
	return h.done(w, r, form, h.Bodies.Invite(r.Context(), bodyOf(r), chi.URLParam(r, "number"), i, r.PostForm.Get("do") == "absent"))
}

// lapse (a POST) closes a case whose person did not come twice.
func (h *Rehabilitation) lapse(w http.ResponseWriter, r *http.Request) error {
	return h.done(w, r, programmeForm{}, h.Bodies.Lapse(r.Context(), bodyOf(r), chi.URLParam(r, "number")))
}

// draft (a POST) takes what was done with the form of measures: adds or removes one, or keeps all of them as a draft.
func (h *Rehabilitation) draft(w http.ResponseWriter, r *http.Request) error {
	lang := web.ViewerOf(r.Context()).Lang
	do := r.PostForm.Get("do")
	form := programmeForm{Lines: []typedLine{}, Time: "10:00"}
	var ps tesdiq.Problems
	var lines []tseras.Line
	codes := r.PostForm["measure"]
	if code := r.PostForm.Get("add"); code != "" && len(codes) < tseras.MaxLines && !slices.Contains(codes, code) {
		codes = append(codes, code)
		do = "add"
	}
	for _, code := range codes {
		m, ok := tseras.MeasureOf(code)
		if !ok || do == "remove:"+code {
			continue
		}
		l := typedLine{code, m.Name(lang), r.PostForm.Get("provider-" + code), r.PostForm.Get("until-" + code)}
		form.Lines = append(form.Lines, l)
		line := tseras.Line{Measure: code, Provider: l.Provider}
		if l.Until != "" {
			var err error
			if line.Until, err = tesdiq.ParseDate(l.Until); err != nil {
				ps.Add("until-"+code, err)
			}
		}
		lines = append(lines, line)
	}
	number := chi.URLParam(r, "number")
	if do == "save" && len(ps) == 0 {
		n, err := strconv.Atoi(r.PostForm.Get("n"))
		if err != nil {
			return casework.ErrState
		}
		return h.done(w, r, form, h.Bodies.Draft(r.Context(), bodyOf(r), number, n, lines))
	}
	if do != "save" {
		ps = nil
	}
	f, err := h.Bodies.Open(r.Context(), bodyOf(r), number)
	if err != nil {
		return err
	}
	return h.render(w, r, f, form, ps)
}

// enter (a POST) makes the draft the programme.
func (h *Rehabilitation) enter(w http.ResponseWriter, r *http.Request) error {
	n, err := strconv.Atoi(r.PostForm.Get("n"))
	if err != nil {
		return casework.ErrState
	}
	reason := r.PostForm.Get("reason")
	return h.done(w, r, programmeForm{Reason: reason}, h.Bodies.Enter(r.Context(), bodyOf(r), chi.URLParam(r, "number"), n, reason))
}
