package examination

import (
	"slices"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
)

// The law's periods, by the day of the examination. Sources: Cabinet of Ministers 413 of 30.12.2015, 187 of 13.05.2022.
var (
	DegreesSince  = tesdiq.NewDate(2015, 12, 30)
	PercentsSince = tesdiq.NewDate(2022, 7, 1)
)

// oldest is the earliest day of an examination in the book. ASSUMPTION: when Cabinet 99 of 29.08.1997 gave its form.
var oldest = tesdiq.NewDate(1997, 8, 29)

// adult is the age in years from which a disability has a degree. Source: law on the rights of persons with disabilities.
const adult = 18

// MaxCommission is how many letters the name of a commission may have.
const MaxCommission = 100

// Heading of an examination: a person's examinations are one chain, ordered by their day.
func (e Examination) Heading() registry.Head {
	return registry.Head{Book: registry.Examinations, Number: e.Number, Subject: e.Subject, Chain: string(e.Subject), EffectiveOn: e.ExaminedOn}
}

// Validate lists what is wrong with the examination, by its JSON field names.
func (e Examination) Validate(c registry.Circumstances) (ps tesdiq.Problems) {
	ps.Add("number", registry.CheckNumber(registry.Examinations, e.Number))
	if fin, err := tesdiq.ParseFIN(string(e.Subject)); err != nil || fin != e.Subject {
		ps.Add("subject", tesdiq.Invalid("fin.malformed"))
	}
	ps.Add("commission", tesdiq.CheckText(e.Commission, MaxCommission, true))
	switch {
	case e.ExaminedOn.IsZero():
		ps.Add("examined_on", tesdiq.Invalid("date.missing"))
		return ps
	case e.ExaminedOn.After(c.Today):
		ps.Add("examined_on", tesdiq.Invalid("date.future"))
	case e.ExaminedOn.Before(oldest):
		ps.Add("examined_on", tesdiq.Invalid("examination.too_old"))
	case e.ExaminedOn.Before(c.Born):
		ps.Add("examined_on", tesdiq.Invalid("examination.before_birth"))
	}
	ps = append(ps, e.finding(c.Born)...)
	return append(ps, e.term(c.Born)...)
}

// finding judges outcome, measure and cause.
func (e Examination) finding(born tesdiq.Date) (ps tesdiq.Problems) {
	percents := !e.ExaminedOn.Before(PercentsSince)
	degrees := !percents && !e.ExaminedOn.Before(DegreesSince)
	roman := []string{"I", "II", "III"}
	if e.Loss < 0 || e.Loss > 100 || e.Loss%5 != 0 {
		ps.Add("loss", tesdiq.Invalid("examination.loss"))
	} else if e.Loss > 0 && !percents {
		ps.Add("loss", tesdiq.Invalid("examination.loss_period"))
	}
	child := e.ExaminedOn.Before(born.AddYears(adult))
	switch e.Outcome {
	case Disability:
		if child {
			ps.Add("outcome", tesdiq.Invalid("examination.is_child"))
		}
		switch {
		case percents && e.Loss < 35:
			ps.Add("loss", tesdiq.Invalid("examination.loss_low"))
		case degrees && !slices.Contains(roman, string(e.Degree)):
			ps.Add("degree", tesdiq.Invalid("examination.degree_missing"))
		case !percents && !degrees && !slices.Contains(roman, string(e.Group)):
			ps.Add("group", tesdiq.Invalid("examination.group_missing"))
		}
	case ChildUnder18:
		if !child {
			ps.Add("outcome", tesdiq.Invalid("examination.is_adult"))
		}
		if percents && e.Loss > 0 && e.Loss < 35 {
			ps.Add("loss", tesdiq.Invalid("examination.loss_low"))
		}
	case NotDisability:
		if e.Loss > 30 {
			ps.Add("loss", tesdiq.Invalid("examination.loss_high"))
		}
	default:
		ps.Add("outcome", tesdiq.Invalid("examination.outcome"))
		return ps
	}
	if e.Degree != "" && !(e.Outcome == Disability && degrees) {
		ps.Add("degree", tesdiq.Invalid("examination.degree_period"))
	}
	if e.Group != "" && !(e.Outcome == Disability && !percents && !degrees) {
		ps.Add("group", tesdiq.Invalid("examination.group_period"))
	}
	switch {
	case e.Outcome == NotDisability && e.Cause != "":
		ps.Add("cause", tesdiq.Invalid("examination.cause_unwanted"))
	case e.Outcome != NotDisability && !slices.Contains(Causes, e.Cause):
		ps.Add("cause", tesdiq.Invalid("examination.cause"))
	}
	return ps
}

// term judges from when until when it holds.
func (e Examination) term(born tesdiq.Date) (ps tesdiq.Problems) {
	if e.Outcome == NotDisability {
		for _, d := range []struct {
			field string
			day   tesdiq.Date
		}{{"from", e.From}, {"until", e.Until}, {"next_from", e.NextFrom}} {
			if !d.day.IsZero() {
				ps.Add(d.field, tesdiq.Invalid("examination.term_unwanted"))
			}
		}
		return ps
	}
	switch {
	case e.From.IsZero():
		ps.Add("from", tesdiq.Invalid("date.missing"))
	case e.From.Before(e.ExaminedOn):
		// Disability begins with the decision, never before it.
		ps.Add("from", tesdiq.Invalid("examination.from_early"))
	}
	switch eighteen := born.AddYears(adult); {
	case !e.Until.IsZero() && !e.Until.After(e.From):
		ps.Add("until", tesdiq.Invalid("examination.until_early"))
	case e.Outcome == ChildUnder18 && (e.Until.IsZero() || e.Until.After(eighteen)):
		ps.Add("until", tesdiq.Invalid("examination.until_eighteen"))
	}
	switch {
	case e.NextFrom.IsZero():
	case e.Until.IsZero():
		ps.Add("next_from", tesdiq.Invalid("examination.next_indefinite"))
	case e.NextFrom.After(e.Until), !e.NextFrom.After(e.From):
		ps.Add("next_from", tesdiq.Invalid("examination.next_outside"))
	}
	return ps
}

// Follows refuses: a later examination has a number of its own; an examination can only be corrected or annulled.
func (e Examination) Follows(registry.Body) tesdiq.Problems {
	return tesdiq.Problems{tesdiq.NewProblem(tesdiq.Conflict, "examination.is_new").In("number")}
}

// Band is the band of the loss.
func (e Examination) Band() Band { return BandOf(e.Loss) }

// HoldsOn says whether what was found is so on the day d, by the entry's own term.
func (e Examination) HoldsOn(d tesdiq.Date) bool {
	return e.Outcome != NotDisability && !d.Before(e.From) && (e.Until.IsZero() || !d.After(e.Until))
}
