package criteria

import (
	"maps"
	"slices"

	"github.com/tesdiq/tesdiq"
)

// Alone decides by these rules without a commission, where the registers' evidence alone is enough. It never refuses
// a disability, never finds one below that in force, and decides nothing while a register has not answered.
func (r *Rules) Alone(in Input) (Result, bool) {
	in = in.ordered()
	in.Findings = Findings{Conditions: []Condition{}}
	a := aloneCase{in: in, g: r.on(in.CaseOn)}
	if a.look() {
		d := decision{rules: r, regime: a.g, in: a.in, adult: a.in.adultOn(a.g), alone: true}
		d.decide()
		if a.enough(&d) {
			d.Reasons = append(slices.Clone(a.reasons), d.Reasons...)
			d.wouldChange()
			return d.Result, true
		}
	}
	no := Result{
		Rules: r.Version, DecidedOn: in.DecidedOn, Conditions: []Valued{}, Reasons: a.why, Changes: []Change{},
	}
	if a.g != nil {
		no.Law = a.g.law.ID
	}
	return no, false
}

// aloneCase is the question whether evidence is enough.
type aloneCase struct {
	in      Input
	g       *regime
	reasons []Reason // what the evidence decides
	why     []Reason // why it is not enough
	open    []Fact   // facts that no rule decides and that may be a condition
}

func (a *aloneCase) not(key string, at ref, params ...Param) {
	a.why = append(a.why, at.reason(key, params...))
}

// look finds the conditions that the evidence decides, and everything that is in the way.
func (a *aloneCase) look() bool {
	if len(a.in.checkCase(a.g)) > 0 {
		a.not("alone_input", ref{Label: "SEED", Source: "S0"})
		return false
	}
	if a.g.law.Method != percents {
		a.not("alone_law", a.g.law.ref)
		return false
	}
	a.answered()
	used := a.find()
	for _, answer := range a.in.Evidence {
		for _, f := range answer.Facts {
			if !used[f] && a.mayBeMore(f) {
				a.open = append(a.open, f)
			}
		}
	}
	for _, p := range a.in.Causes {
		if !a.connected(p) {
			a.not("alone_cause", a.g.causes[p.Cause].ref, causeParam(p.Cause))
		}
	}
	if len(a.in.Findings.Conditions) == 0 && len(a.why) == 0 {
		a.not("alone_nothing", a.g.registersRef)
	}
	return len(a.why) == 0
}

// find takes the conditions that the evidence decides as findings, and gives the facts that they rest on.
func (a *aloneCase) find() map[Fact]bool {
	used := map[Fact]bool{}
	adult := a.in.adultOn(a.g)
	for _, id := range slices.Sorted(maps.Keys(a.g.alone)) {
		found := Condition{Criterion: id}
		var by aloneRule
		for _, rule := range a.g.alone[id] {
			grade, cause, facts := a.satisfies(rule, a.g.criteria[id])
			for _, f := range facts {
				used[f] = true
			}
			if grade > found.Grade {
				found.Grade, found.Cause, by = grade, cause, rule
			}
		}
		if found.Grade == 0 || a.g.checkCondition(found, adult, adult) != nil {
			continue
		}
		a.in.Findings.Conditions = append(a.in.Findings.Conditions, found)
		a.reasons = append(a.reasons, by.reason("alone", registerParam(by.register), criterionParam(id)))
	}
	return used
}

// connected says whether a proof of a cause names a disease that the evidence decides: else a commission has to look.
func (a *aloneCase) connected(p Proof) bool {
	return slices.ContainsFunc(p.ICD, func(icd string) bool {
		return slices.ContainsFunc(a.in.Findings.Conditions, func(c Condition) bool { return a.g.criteria[c.Criterion].covers(icd) })
	})
}

// answered looks whether every register that must have answered did so, and lately.
func (a *aloneCase) answered() {
	for _, register := range a.g.registers {
		i := slices.IndexFunc(a.in.Evidence, func(e Answer) bool { return e.Register == register })
		switch {
		case i < 0 || a.in.Evidence[i].State == NoAnswer:
			a.not("alone_missing", a.g.registersRef, registerParam(register))
		case a.in.Evidence[i].On.DaysUntil(a.in.DecidedOn) > a.g.registersFresh.n:
			a.not("alone_stale", a.g.registersFresh.ref, registerParam(register), dateParam("On", a.in.Evidence[i].On))
		}
	}
}

// satisfies says which grade of a criterion the evidence proves by a rule, 0 for none, and which facts it is about.
func (a *aloneCase) satisfies(rule aloneRule, k *Criterion) (grade int, cause Cause, facts []Fact) {
	grade = rule.grade
	if rule.prior {
		before, ok := a.before(k.ID)
		if !ok || rule.grade > 0 && before.Grade != rule.grade {
			return 0, "", nil
		}
		grade, cause = before.Grade, before.Cause
	}
	for _, answer := range a.in.Evidence {
		if answer.Register != rule.register || answer.State != Answered {
			continue
		}
		for _, f := range answer.Facts {
			if f.Fact != rule.fact || !f.Until.IsZero() && f.Until.Before(a.in.DecidedOn) || f.Since.IsZero() || f.Since.After(answer.On) || !k.covers(f.ICD) {
				continue
			}
			switch {
			case answer.On.DaysUntil(a.in.DecidedOn) > rule.fresh:
				a.not("alone_old", rule.ref, registerParam(rule.register), dateParam("On", answer.On), numberParam("Days", rule.fresh))
			case f.Since.DaysUntil(a.in.DecidedOn) >= rule.standing:
				facts = append(facts, f)
			}
		}
	}
	if len(facts) == 0 {
		return 0, "", nil
	}
	return grade, cause, facts
}

// before is the condition that the latest decision, ours, found by a criterion, when its term is over or in its last window.
func (a *aloneCase) before(criterion string) (Condition, bool) {
	if len(a.in.Prior) == 0 {
		return Condition{}, false
	}
	p := a.in.Prior[len(a.in.Prior)-1]
	if p.Outcome == NotDisability || p.Until.IsZero() || a.in.DecidedOn.Before(p.Until.AddDays(-a.g.window.n)) || p.Until.DaysUntil(a.in.DecidedOn) > a.g.recordGap.n {
		return Condition{}, false
	}
	i := slices.IndexFunc(p.Conditions, func(c Condition) bool { return c.Criterion == criterion })
	if i < 0 {
		return Condition{}, false
	}
	c := p.Conditions[i]
	if c.Cause == "" {
		c.Cause = p.Cause
	}
	if _, known := a.g.causes[c.Cause]; !known {
		c.Cause = ""
	}
	return c, true
}

// mayBeMore says whether a fact may be one more condition: it lasts, belongs to a criterion that the evidence did not decide, and
// no earlier decision of ours can have known of it.
func (a *aloneCase) mayBeMore(f Fact) bool {
	if !f.Until.IsZero() && f.Until.Before(a.in.DecidedOn) {
		return false
	}
	if n := len(a.in.Prior); n > 0 && len(a.in.Prior[n-1].Conditions) > 0 && !f.Since.After(a.in.Prior[n-1].From) {
		return false
	}
	for _, c := range a.in.Findings.Conditions {
		if a.g.criteria[c.Criterion].covers(f.ICD) {
			return false
		}
	}
	for _, k := range a.g.criteria {
		if k.covers(f.ICD) {
			return true
		}
	}
	return false
}

// enough says whether a commission could not find more than the evidence does.
func (a *aloneCase) enough(d *decision) bool {
	severity := d.severityNow()
	if d.Outcome == Kept {
		last, _ := d.indefinite()
		severity = last.severity()
	}
	if d.Outcome == NotDisability {
		a.not("alone_nothing", a.g.registersRef)
	}
	if len(a.open) > 0 && severity < len(bands)-1 {
		a.not("alone_open", a.g.registersRef, numberParam("Count", len(a.open)))
	}
	if n := len(a.in.Prior); n > 0 && a.in.Prior[n-1].severity() > severity {
		a.not("alone_lower", a.g.registersRef, dateParam("Since", a.in.Prior[n-1].From))
	}
	return len(a.why) == 0
}

// Proven are the conditions that the registers' evidence proves by itself, whether or not it is enough to decide alone:
// what a commission must not overlook. It is empty where the input cannot be decided at all.
func (r *Rules) Proven(in Input) []Condition {
	in = in.ordered()
	in.Findings = Findings{}
	a := aloneCase{in: in, g: r.on(in.CaseOn)}
	if len(in.checkCase(a.g)) > 0 {
		return nil
	}
	a.find()
	return a.in.Findings.Conditions
}

// Registers are those that must have answered before a case of a day can be decided alone, and how many days old their
// answers may be.
func (r *Rules) Registers(day tesdiq.Date) (names []string, days int) {
	g := r.on(day)
	if g == nil || g.law.Method != percents {
		return nil, 0
	}
	return slices.Clone(g.registers), g.registersFresh.n
}

// RestsOn are the registers that a decision of a case of a day rests on, in order: while one of them has not answered nothing is decided, neither
// alone nor by a commission (tseras.File.Next). Where what is in force on the day names none, because nothing is decided alone by it, they are those that
// are named next: the same are asked. It is empty where nothing is decided at all.
func (r *Rules) RestsOn(day tesdiq.Date) []string {
	g := r.on(day)
	if g == nil || g.law.Method == groups {
		return nil
	}
	for _, next := range r.regimes {
		if !next.since.Before(g.since) && len(next.registers) > 0 {
			return slices.Sorted(slices.Values(next.registers))
		}
	}
	return nil
}
