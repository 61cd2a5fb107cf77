package criteria

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// Input is all that a decision rests on. It names no person, no sender and no official.
type Input struct {
	CaseOn    tesdiq.Date `json:"case_on"`    // the case's own day (its registration): the law of this day applies
	DecidedOn tesdiq.Date `json:"decided_on"` // the day of the decision: disability begins on it
	Born      tesdiq.Date `json:"born"`
	Findings  Findings    `json:"findings"`
	Causes    []Proof     `json:"causes"`   // acts and decisions that prove a cause
	Evidence  []Answer    `json:"evidence"` // what the registers answered
	Prior     []Prior     `json:"prior"`    // the person's earlier decisions, from the register
}

// Findings are what the members of a commission found, as they agreed.
type Findings struct {
	Conditions []Condition `json:"conditions"`
	Activities Activities  `json:"activities"`
}

// Same says whether two are the same findings, in whatever order their conditions stand.
func (f Findings) Same(g Findings) bool {
	return f.Activities == g.Activities && slices.Equal(orderedConditions(f.Conditions), orderedConditions(g.Conditions))
}

// Condition is one criterion that was found, by the grade of the disorder of function.
type Condition struct {
	Criterion string `json:"criterion"`
	Grade     int    `json:"grade"`           // 1 mild … 4 extreme; a criterion may know only some
	Cause     Cause  `json:"cause,omitempty"` // what it comes from, when not of general illness
}

// Limit is how far a life activity is limited.
type Limit string

// The limits. An activity that was not assessed is the empty Limit.
const (
	NoLimit Limit = "none"
	LimitI  Limit = "I"
	LimitII Limit = "II"
	Limit3  Limit = "III"
)

var limits = []Limit{"", NoLimit, LimitI, LimitII, Limit3}

// level is 0 for no limit, 3 for the severest.
func (l Limit) level() int { return max(slices.Index(limits, l)-1, 0) }

// Activities are the seven categories of life activity.
type Activities struct {
	SelfCare      Limit `json:"self_care"`
	Movement      Limit `json:"movement"`
	Orientation   Limit `json:"orientation"`
	Communication Limit `json:"communication"`
	Behaviour     Limit `json:"behaviour"` // control of one's own behaviour
	Learning      Limit `json:"learning"`
	Work          Limit `json:"work,omitempty"` // not assessed under 15
}

// ActivityNames are the seven, in the order of the law's list; the last is not assessed in children under 15.
var ActivityNames = []string{"self_care", "movement", "orientation", "communication", "behaviour", "learning", "work"}

// list is the limits in the order of ActivityNames.
func (a Activities) list() [7]Limit {
	return [7]Limit{a.SelfCare, a.Movement, a.Orientation, a.Communication, a.Behaviour, a.Learning, a.Work}
}

// At points to the limit of a named activity; nil for an unknown name.
func (a *Activities) At(name string) *Limit {
	switch name {
	case "self_care":
		return &a.SelfCare
	case "movement":
		return &a.Movement
	case "orientation":
		return &a.Orientation
	case "communication":
		return &a.Communication
	case "behaviour":
		return &a.Behaviour
	case "learning":
		return &a.Learning
	case "work":
		return &a.Work
	}
	return nil
}

// highest is the severest limit and the first activity that has it.
func (a Activities) highest() (level int, name string) {
	for i, l := range a.list() {
		if l.level() > level {
			level, name = l.level(), ActivityNames[i]
		}
	}
	return level, name
}

// Proof is an act or decision from which a cause follows. Its number stands in the case, not here.
type Proof struct {
	Cause    Cause       `json:"cause"`
	Document string      `json:"document"` // "accident_act", "occupational_act", "criminal_decision" …: causes.csv
	Issued   tesdiq.Date `json:"issued"`
	ICD      []string    `json:"icd,omitempty"` // which diseases it speaks of; none: those that members name
}

// State is how a register answered. That it did not answer is never taken for "nothing".
type State string

// The states.
const (
	Answered State = "answered"  // with facts
	Nothing  State = "nothing"   // it knows of nothing
	NoAnswer State = "no_answer" // it was asked and did not answer, or was never asked
)

// Answer is what one register said.
type Answer struct {
	Register string      `json:"register"` // "hospital", "oncology", "tuberculosis", "dialysis", "occupational", "vision", "population"
	State    State       `json:"state"`
	On       tesdiq.Date `json:"on"` // the day of the answer
	Facts    []Fact      `json:"facts,omitempty"`
}

// Fact is one thing that a register knows of the person.
type Fact struct {
	Fact  string      `json:"fact"` // "chronic_dialysis", "stage_4", "diagnosis" …: alone.csv
	ICD   string      `json:"icd,omitempty"`
	Since tesdiq.Date `json:"since"`
	Until tesdiq.Date `json:"until"` // none: it still is so
}

// Prior is an earlier decision on the same person, as the register of examinations has it; annulled ones are left out.
type Prior struct {
	From       tesdiq.Date `json:"from"`  // of one that found no disability: its day; without it, it breaks no row
	Until      tesdiq.Date `json:"until"` // the last day; none: indefinite
	Outcome    Outcome     `json:"outcome"`
	Loss       int         `json:"loss,omitempty"`
	Degree     string      `json:"degree,omitempty"` // I–III, 30.12.2015–30.06.2022
	Group      string      `json:"group,omitempty"`  // I–III, before
	Cause      Cause       `json:"cause,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"` // where the decision was ours, and only there
}

// ordered is the input in the order of its canonical form, so that the order in which things were found does not matter.
func (in Input) ordered() Input {
	in.Findings.Conditions = append([]Condition{}, orderedConditions(in.Findings.Conditions)...) // never null
	in.Causes = append([]Proof{}, in.Causes...)
	for i, p := range in.Causes {
		in.Causes[i].ICD = slices.Sorted(slices.Values(p.ICD))
	}
	slices.SortFunc(in.Causes, func(a, b Proof) int {
		return cmp.Or(cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Document, b.Document), a.Issued.Compare(b.Issued), slices.Compare(a.ICD, b.ICD))
	})
	in.Evidence = append([]Answer{}, in.Evidence...)
	for i, a := range in.Evidence {
		in.Evidence[i].Facts = slices.SortedFunc(slices.Values(a.Facts), func(a, b Fact) int {
			return cmp.Or(cmp.Compare(a.Fact, b.Fact), cmp.Compare(a.ICD, b.ICD), a.Since.Compare(b.Since), a.Until.Compare(b.Until))
		})
	}
	slices.SortFunc(in.Evidence, func(a, b Answer) int {
		return cmp.Or(cmp.Compare(a.Register, b.Register), a.On.Compare(b.On), cmp.Compare(a.State, b.State))
	})
	in.Prior = append([]Prior{}, in.Prior...)
	for i, p := range in.Prior {
		in.Prior[i].Conditions = orderedConditions(p.Conditions)
	}
	slices.SortFunc(in.Prior, func(a, b Prior) int {
		return cmp.Or(a.From.Compare(b.From), a.Until.Compare(b.Until), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Loss, b.Loss),
			cmp.Compare(a.Degree, b.Degree), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Cause, b.Cause))
	})
	return in
}

func orderedConditions(cs []Condition) []Condition {
	return slices.SortedFunc(slices.Values(cs), func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Criterion, b.Criterion), cmp.Compare(a.Grade, b.Grade), cmp.Compare(a.Cause, b.Cause))
	})
}

// maxList is how many lines a list of the input may have: far above any person's, far below what would cost time.
const maxList = 200

// checkCase lists what is wrong with everything but the findings.
func (in Input) checkCase(g *regime) (ps tesdiq.Problems) {
	for _, day := range []struct {
		field string
		on    tesdiq.Date
	}{{"case_on", in.CaseOn}, {"decided_on", in.DecidedOn}, {"born", in.Born}} {
		if day.on.IsZero() {
			ps.Add(day.field, tesdiq.Invalid("date.missing"))
		}
	}
	if len(ps) > 0 {
		return ps
	}
	switch {
	case g == nil || g.law.Method == groups:
		ps.Add("case_on", tesdiq.Invalid("criteria.law_past"))
		return ps
	case in.CaseOn.Before(in.Born):
		ps.Add("born", tesdiq.Invalid("criteria.born_late"))
	case in.DecidedOn.Before(in.CaseOn):
		ps.Add("decided_on", tesdiq.Invalid("criteria.decided_early"))
	}
	if len(in.Causes) > maxList || len(in.Evidence) > maxList || len(in.Prior) > maxList || len(in.Findings.Conditions) > maxList {
		ps.Add("findings", tesdiq.Invalid("criteria.too_many"))
		return ps
	}
	for _, p := range in.Causes {
		c, known := g.causes[p.Cause]
		switch {
		case !known:
			ps.Add("causes", tesdiq.Invalid("criteria.cause").With("Cause", string(p.Cause)))
		case c.Needs == "" || p.Document != c.Needs:
			ps.Add("causes", tesdiq.Invalid("criteria.cause_document").With("Cause", string(p.Cause)))
		case p.Issued.IsZero() || p.Issued.After(in.DecidedOn):
			ps.Add("causes", tesdiq.Invalid("criteria.cause_issued"))
		}
	}
	for _, p := range in.Prior {
		if wrong := p.check(in.DecidedOn); wrong != "" {
			ps.Add("prior", tesdiq.Invalid(wrong))
		}
	}
	for i, a := range in.Evidence {
		switch {
		case a.State != Answered && a.State != Nothing && a.State != NoAnswer, a.State != Answered && len(a.Facts) > 0, a.State == Answered && len(a.Facts) == 0:
			ps.Add("evidence", tesdiq.Invalid("criteria.evidence_state").With("Register", a.Register))
		case a.State != NoAnswer && (a.On.IsZero() || a.On.After(in.DecidedOn)):
			ps.Add("evidence", tesdiq.Invalid("criteria.evidence_day").With("Register", a.Register))
		case i > 0 && a.Register == in.Evidence[i-1].Register:
			ps.Add("evidence", tesdiq.Invalid("criteria.evidence_twice").With("Register", a.Register))
		}
	}
	return ps
}

// check lists what is wrong with the input as a decision on a commission's findings.
func (in Input) check(g *regime) tesdiq.Problems {
	ps := in.checkCase(g)
	if len(ps) > 0 {
		return ps
	}
	for i, c := range in.Findings.Conditions {
		ps.Add("findings.conditions", g.checkCondition(c, in.adultOn(g), in.wasAdult(g)))
		if i > 0 && c.Criterion == in.Findings.Conditions[i-1].Criterion {
			ps.Add("findings.conditions", tesdiq.Invalid("criteria.twice").With("Criterion", c.Criterion))
		}
	}
	assessesWork := g.assessesWork(in.CaseOn, in.Born)
	for i, l := range in.Findings.Activities.list() {
		field := "findings.activities." + ActivityNames[i]
		switch {
		case !slices.Contains(limits, l):
			ps.Add(field, tesdiq.Invalid("criteria.limit"))
		case ActivityNames[i] == "work" && !assessesWork:
			if l != "" {
				ps.Add(field, tesdiq.Invalid("criteria.work_child"))
			}
		case l == "":
			ps.Add(field, tesdiq.Invalid("criteria.limit_missing"))
		}
	}
	return ps
}

// adultOn says whether the person is of age on the day of the decision.
func (in Input) adultOn(g *regime) bool { return !in.DecidedOn.Before(in.Born.AddYears(g.adultAge)) }

// wasAdult says whether the person was of age on the case's own day, which is what a commission is told.
func (in Input) wasAdult(g *regime) bool { return !in.CaseOn.Before(in.Born.AddYears(g.adultAge)) }

// checkCondition is a Problem with one condition, or nil. A criterion may be for the person's age now or for that on the case's own
// day: whoever comes of age while the case is open must not make what was found before impossible to decide.
func (g *regime) checkCondition(c Condition, adult, was bool) error {
	k, ok := g.criteria[c.Criterion]
	switch {
	case !ok:
		return tesdiq.Invalid("criteria.unknown").With("Criterion", c.Criterion)
	case !k.Fits(adult) && !k.Fits(was):
		return tesdiq.Invalid("criteria.age").With("Criterion", c.Criterion)
	case !k.knows(c.Grade):
		return tesdiq.Invalid("criteria.grade").With("Criterion", c.Criterion)
	}
	if _, known := g.causes[c.Cause]; c.Cause != "" && !known {
		return tesdiq.Invalid("criteria.cause").With("Cause", string(c.Cause))
	}
	return nil
}

// check is the key of what is wrong with an earlier decision, or "".
func (p Prior) check(decided tesdiq.Date) string {
	roman := func(s string) bool { return s == "" || s == "I" || s == "II" || s == "III" }
	switch {
	case p.Outcome != Disability && p.Outcome != Child && p.Outcome != NotDisability:
		return "criteria.prior_outcome"
	case p.Outcome == NotDisability:
		return ""
	case p.From.IsZero() || p.From.After(decided) || !p.Until.IsZero() && p.Until.Before(p.From):
		return "criteria.prior_days"
	case p.Loss < 0 || p.Loss > 100 || !roman(p.Degree) || !roman(p.Group):
		return "criteria.prior_measure"
	}
	return ""
}

// severity is 1 for 31–60 percent, degree or group III, 3 for 81–100, degree or group I; 0 where it is not stated.
// Equivalence of old and new: FOUND sadehuquq.org.
func (p Prior) severity() int {
	switch roman := p.Degree + p.Group; {
	case p.Outcome == NotDisability:
		return 0
	case p.Loss > 80:
		return 3
	case p.Loss > 60:
		return 2
	case p.Loss > 30:
		return 1
	case roman != "":
		return 4 - strings.Count(roman, "I")
	}
	return 0
}
