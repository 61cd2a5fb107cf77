package tseras

import (
	"slices"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/registry/examination"
)

// File is everything of a case that decides how it goes on.
type File struct {
	Case     casework.Case
	Born     tesdiq.Date // as the register of persons says
	Referral *Referral   // nil: there is none
	District District    // of the institution that referred
	Evidence Evidence
	Prior    []criteria.Prior // earlier decisions on the person
	// First is the decision that an appeal is about, which Prior leaves out: the appeal decides in its place, and Referral,
	// District and Evidence are those of the first. nil for an assessment.
	First *First
}

// Input is what the rules are asked on a day, without findings.
func (f File) Input(on tesdiq.Date) criteria.Input {
	return criteria.Input{
		CaseOn: f.Case.LawOn, DecidedOn: on, Born: f.Born, Causes: f.Evidence.Causes(), Evidence: f.Evidence.Answers(), Prior: f.Prior,
		Findings: criteria.Findings{Conditions: []criteria.Condition{}},
	}
}

// Pack makes the package of a decision, with the digests of what the registers signed; of an appeal with the case that they were asked for.
func (f File) Pack(in criteria.Input, r criteria.Result) criteria.Package {
	p := criteria.Pack(f.Case.Number, in, r)
	if f.First != nil {
		p.About = f.First.Number
	}
	p.Answers = f.Evidence.Exchanges()
	return p
}

// PriorOf is an earlier examination as the rules read it; conditions are those of our own decision, if it was ours.
func PriorOf(x examination.Examination, conditions []criteria.Condition) criteria.Prior {
	from := x.From
	if x.Outcome == examination.NotDisability {
		from = x.ExaminedOn // it breaks a track record on the day on which it was found
	}
	return criteria.Prior{
		From: from, Until: x.Until, Outcome: criteria.Outcome(x.Outcome), Loss: int(x.Loss), Degree: string(x.Degree), Group: string(x.Group),
		Cause: criteria.Cause(x.Cause), Conditions: conditions,
	}
}

// Next is where a case goes once its registers were asked.
type Next struct {
	To      casework.State // its own state: it waits
	What    string         // the step's key
	Variant string         // of the clock
	Alone   *criteria.Result
}

// Next is where a case in Gathering goes. While a register is silent it waits: no answer is never taken for "nothing".
// Then the registers' evidence alone decides, where a rule says so; else a referral goes to the draw, and without one the
// institution is asked to examine and refer.
func (f File) Next(now time.Time) Next {
	silent := f.Evidence.Silent()
	unregistered := slices.Contains(silent, gateway.Registration) // matters only to who has to refer
	if len(silent) > 1 || len(silent) == 1 && !unregistered {
		return Next{To: Gathering}
	}
	if f.died() {
		return Next{To: Declined, What: "died"}
	}
	if r, ok := criteria.Alone(f.Input(tesdiq.DateOf(now))); ok {
		return Next{To: Decided, What: "decided_alone", Alone: &r}
	}
	switch {
	case f.Referral == nil && unregistered:
		return Next{To: Gathering}
	case f.Referral == nil:
		return Next{To: AwaitingReferral, What: "referral_asked", Variant: f.Evidence.variant()}
	}
	return Next{To: AwaitingDraw, What: "evidence_complete"}
}

// died says whether the population register knows of the person's death.
func (f File) died() bool {
	o, _ := f.Evidence.Of(gateway.Population)
	for _, p := range o.Facts.Population {
		if !p.Died.IsZero() {
			return true
		}
	}
	return false
}

// Barred is who must not be drawn for the case by what the registers, the referral and the decision say that an appeal is about. Who else had a part
// is asked of the steps and seats when it is drawn.
func (f File) Barred() Barred {
	var physicians []tesdiq.FIN
	if f.Referral != nil {
		physicians = f.Referral.Physicians
	}
	b := f.Evidence.Barred(f.Case.Subject, f.District, physicians)
	if f.First != nil {
		b.People = append(b.People, f.First.Members...)
		b.Commissions = append(b.Commissions, f.First.Panel)
	}
	return b
}

// Blinded is what a commission sees of the case on a day. Where the registers alone decided there is no referral: then it is
// what they said. The age is that on the case's own day, by which the rules say whether work is assessed.
func (f File) Blinded(on tesdiq.Date) BlindReferral {
	r := Referral{On: on}
	if f.Referral != nil {
		r = *f.Referral
	}
	b := Blind(r, f.Evidence, f.Born, len(f.Prior) > 0)
	b.Age = AgeGroupOf(f.Born, f.Case.LawOn)
	return b
}

// Differs says whether the same findings gave another result before under the same law, so that the chair must say why: an
// assessment is compared with the last one, an appeal with the decision that it is about.
func (f File) Differs(in criteria.Input, r criteria.Result) bool {
	if f.First == nil {
		return Differs(f.Prior, in, r)
	}
	first := f.First.Result
	var before []criteria.Condition
	for _, v := range first.Conditions {
		before = append(before, v.Condition)
	}
	return first.Law == r.Law && sameConditions(before, in.Findings.Conditions) && !Confirms(first, r)
}

// ByRules is the name under which a decision that the registers' evidence made alone stands in the book of examinations.
const ByRules = "TSERAS, komissiyasız (reyestrlərin məlumatı ilə)"

// EntryOf is the examination that a result is entered as; false where nothing is entered, because an earlier indefinite
// disability stays as it is. commission is the name of the one that decided.
func EntryOf(f File, r criteria.Result, commission string) (examination.Examination, bool) {
	if r.Outcome == criteria.Kept {
		return examination.Examination{}, false
	}
	on := r.DecidedOn
	if r.Degree != "" {
		on = f.Case.LawOn // a case of the law of degrees: the book's measure goes by the examination's day
	}
	return examination.Examination{
		Subject: f.Case.Subject, Commission: commission, ExaminedOn: on, Repeat: len(f.Prior) > 0,
		Outcome: examination.Outcome(r.Outcome), Loss: examination.Loss(r.Loss), Degree: examination.DisabilityDegree(r.Degree),
		Cause: examination.Cause(r.Cause), From: r.From, Until: r.Until, NextFrom: r.NextFrom,
	}, true
}

// BlindResult is what the members see of what the rules made of their findings: no day, by which the person's birthday
// or earlier decisions could be known.
type BlindResult struct {
	Outcome    criteria.Outcome  `json:"outcome"`
	Loss       int               `json:"loss,omitempty"`
	Band       criteria.Band     `json:"band,omitempty"`
	Degree     string            `json:"degree,omitempty"`
	Cause      criteria.Cause    `json:"cause,omitempty"`
	Term       criteria.Term     `json:"term,omitempty"`
	Conditions []criteria.Valued `json:"conditions"`
	// Differs: the same findings under the same law gave another result last time; the chair must say why.
	Differs bool `json:"differs,omitempty"`
}

// BlindResultOf leaves of a result what members may see.
func BlindResultOf(r criteria.Result, differs bool) BlindResult {
	return BlindResult{r.Outcome, r.Loss, r.Band, r.Degree, r.Cause, r.Term, r.Conditions, differs}
}
