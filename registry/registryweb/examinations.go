package registryweb

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/web"
)

// examinationsPage is the register of somebody's examinations.
type examinationsPage struct {
	Now  *nowHolds // nil: no disability is established today
	Rows []examinationRow
}

// nowHolds is what is so today, in one sentence each.
type nowHolds struct{ Result, Term, Next, Number string }

type examinationRow struct {
	Number, Result, Commission, Term string
	ExaminedOn                       tesdiq.Date
	Tag                              tag
}

// examinations lists the examinations, the newest first.
func (h *Web) examinations(w http.ResponseWriter, r *http.Request) error {
	entries, err := h.Books.Examinations(r.Context(), web.ViewerOf(r.Context()).Person.FIN)
	if err != nil {
		return err
	}
	say, today := h.say(r), tesdiq.DateOf(h.Now())
	var p examinationsPage
	for i, e := range entries {
		holds := i == 0
		p.Rows = append(p.Rows, examinationRow{
			Number: e.Head.Number, Result: result(say, e.Examination), Commission: e.Commission, Term: term(say, e.From, e.Until),
			ExaminedOn: e.ExaminedOn, Tag: examinationTag(say, e.Examination, holds, today),
		})
		if holds && e.HoldsOn(today) {
			p.Now = &nowHolds{Result: result(say, e.Examination), Term: term(say, e.From, e.Until), Next: next(say, e.Examination, today), Number: e.Head.Number}
		}
	}
	return h.pages.Render(w, r, "examinations.html", web.Page{Title: "web.section.examinations", Section: "examinations", Data: p})
}

// examination shows one examination with all its versions.
func (h *Web) examination(w http.ResponseWriter, r *http.Request) error {
	ctx, fin, number := r.Context(), web.ViewerOf(r.Context()).Person.FIN, chi.URLParam(r, "number")
	if registry.CheckNumber(registry.Examinations, number) != nil {
		return missing
	}
	entries, err := h.Books.ExaminationVersions(ctx, fin, number)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return missing
	}
	all, err := h.Books.Examinations(ctx, fin)
	if err != nil {
		return err
	}
	say, today := h.say(r), tesdiq.DateOf(h.Now())
	var heads []registry.Head
	var says [][]fact
	for _, e := range entries {
		heads, says = append(heads, e.Head), append(says, examinationFacts(say, e.Examination))
	}
	last := entries[len(entries)-1]
	o := object{Number: number, Facts: says[len(says)-1]}
	o.Versions = versions(say, heads, says, func(i int) string { return "registry.version." + string(heads[i].Act) })
	switch {
	case last.Act == registry.Annul:
		o.Tag, o.Why = bad(say("registry.state.annulled")), say("registry.why.annulled")
	case all[0].Head.Number != number:
		o.Tag, o.Why, o.Newer = examinationTag(say, last.Examination, false, today), say("registry.why.superseded"), all[0].Head.Number
	default:
		o.Tag, o.Draw = examinationTag(say, last.Examination, true, today), "/cabinet/excerpts/new?kind=examination&number="+number
		if last.Outcome != examination.NotDisability && !last.HoldsOn(today) && !today.Before(last.From) {
			o.Why = say("registry.why.expired", "Day", last.Until.String())
		}
	}
	return h.pages.Render(w, r, "examination.html", web.Page{
		TitleText: say("registry.examination", "Day", last.ExaminedOn.String()), Section: "examinations", Data: o,
	})
}

// examinationTag says how an examination stands; holds: no later one came after it.
func examinationTag(say say, e examination.Examination, holds bool, today tesdiq.Date) tag {
	switch {
	case !holds:
		return none(say("registry.state.superseded"))
	case e.Outcome == examination.NotDisability:
		return none(say("registry.state.last"))
	case e.HoldsOn(today):
		return good(say("registry.state.in_force"))
	case today.Before(e.From):
		return none(say("registry.state.not_begun"))
	}
	return warn(say("registry.state.expired"))
}

// result is what was found, in the words of the law of its time.
func result(say say, e examination.Examination) string {
	switch {
	case e.Outcome == examination.NotDisability:
		return say("registry.result.none")
	case e.Outcome == examination.ChildUnder18:
		return say("registry.result.child")
	case e.Group != "":
		return say("registry.result.group", "Group", string(e.Group))
	case e.Degree != "":
		return say("registry.result.degree", "Degree", string(e.Degree))
	}
	return say("registry.result.band", "Band", strings.ReplaceAll(string(e.Band()), "-", "–"))
}

// term is from when until when something holds; empty when it never did.
func term(say say, from, until tesdiq.Date) string {
	switch {
	case from.IsZero():
		return ""
	case until.IsZero():
		return say("registry.term.indefinite", "From", from.String())
	}
	return say("registry.term", "From", from.String(), "Until", until.String())
}

// next is what the person has to do about the next examination, and when.
func next(say say, e examination.Examination, today tesdiq.Date) string {
	switch {
	case e.Until.IsZero():
		return say("registry.next.never")
	case e.NextFrom.IsZero():
		return say("registry.next.until", "Day", e.Until.String())
	case today.Before(e.NextFrom):
		return say("registry.next.from", "Day", e.NextFrom.String())
	}
	return say("registry.next.now", "Day", e.Until.String())
}

// examinationFacts are the rows of one version.
func examinationFacts(say say, e examination.Examination) []fact {
	f := facts{say: say}
	f.add("number", e.Number)
	f.add("examined_on", e.ExaminedOn.String())
	sort := "registry.first"
	if e.Repeat {
		sort = "registry.repeat"
	}
	f.add("sort", say(sort))
	f.add("commission", e.Commission)
	f.add("result", result(say, e))
	if e.Loss > 0 {
		f.add("loss", say("registry.percent", "Percent", strconv.Itoa(int(e.Loss))))
	}
	if e.Cause != "" {
		f.add("cause", say("registry.cause."+string(e.Cause)))
	}
	if e.Outcome != examination.NotDisability {
		f.add("term", term(say, e.From, e.Until))
		switch {
		case e.Until.IsZero():
			f.add("next", say("registry.next.none"))
		case !e.NextFrom.IsZero():
			f.add("next", say("registry.next.after", "Day", e.NextFrom.String()))
		}
	}
	return f.rows
}
