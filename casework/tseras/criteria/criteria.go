// Package criteria holds the rules of disability assessment: what findings mean in percent, band or degree, by which
// cause, for how long, and why. Nobody types a percentage, a degree or a term; the rules compute them.
//
// The rules are data (data/v1 …: tables with the day from which each line holds, its source and the source's label) and
// pure functions. The same Input under the same published version gives the same bytes everywhere, so that anybody can
// decide again (Package). A published version is never edited, only followed by the next.
//
// Three periods of the law are known. The law of the case's own day applies:
//
//	groups    to 29.12.2015               read, as history; never decided anew
//	degrees   30.12.2015 – 30.06.2022     Cabinet of Ministers 413 of 30.12.2015
//	percents  since 01.07.2022            Cabinet of Ministers 187 of 13.05.2022
//
// The tables that the acts annex were not found but for a few lines that newspapers printed: most lines of criteria.csv
// are assumptions and say so. docs/adr/0014 gives the reasons of what the law leaves open.
package criteria

import (
	"github.com/tesdiq/tesdiq"
)

// Decide applies the current rules to findings of a commission. Its errors are tesdiq.Problems of what the input lacks.
func Decide(in Input) (Result, error) { return Current().Decide(in) }

// Alone decides without a commission, where the current rules say that the registers' evidence alone is enough. Findings
// of the input are not looked at. If it is not enough, the result has only the reasons why not.
func Alone(in Input) (Result, bool) { return Current().Alone(in) }

// Decide applies these rules to findings of a commission.
func (r *Rules) Decide(in Input) (Result, error) {
	in = in.ordered()
	g := r.on(in.CaseOn)
	if ps := in.check(g); len(ps) > 0 {
		return Result{}, ps
	}
	d := decision{rules: r, regime: g, in: in, adult: in.adultOn(g)}
	d.decide()
	d.wouldChange()
	return d.Result, nil
}

// decision is a result while it is being worked out.
type decision struct {
	rules  *Rules
	regime *regime
	in     Input
	Result

	adult bool // of age on the day of the decision
	alone bool // nobody has looked at the life activities: only registers have spoken
	plain bool // one of the trials of wouldChange, which need no reasons

	raised   bool     // the life activities raised the loss
	level    int      // severity by the law of degrees
	unproven []Change // causes that were named and not proven
}

// decide works out everything but what would change it.
func (d *decision) decide() {
	d.Result = Result{Rules: d.rules.Version, Law: d.regime.law.ID, Alone: d.alone, DecidedOn: d.in.DecidedOn}
	d.because("law", d.regime.law.ref, dateParam("On", d.in.CaseOn))
	if d.measure(); d.Outcome == Disability || d.Outcome == Child {
		d.findCause()
		d.findTerm()
	}
}

// measure finds outcome, loss, band and degree.
func (d *decision) measure() {
	switch d.regime.law.Method {
	case percents:
		d.percent()
	case degrees:
		d.degree()
	}
	d.kept()
}

// because adds a reason.
func (d *decision) because(key string, at ref, params ...Param) {
	if d.plain {
		return
	}
	d.Reasons = append(d.Reasons, at.reason(key, params...))
}

// outcome is what a disability is called at the person's age.
func (d *decision) outcome() Outcome {
	if d.adult {
		return Disability
	}
	return Child
}

// kept keeps an indefinite disability that is at least as severe as what was found now. New criteria do not touch it.
func (d *decision) kept() {
	last, ok := d.indefinite()
	if !ok || d.Outcome != NotDisability && last.severity() < d.severityNow() {
		return
	}
	d.because("kept", d.regime.keepIndefinite.ref, dateParam("Since", last.From))
	d.Outcome = Kept
	d.Loss, d.Band, d.Degree = 0, "", ""
}

// indefinite is the disability without term in force on the day of the decision, if the latest earlier decision found one.
func (d *decision) indefinite() (Prior, bool) {
	if len(d.in.Prior) == 0 || d.regime.keepIndefinite.value != "yes" {
		return Prior{}, false
	}
	p := d.in.Prior[len(d.in.Prior)-1]
	return p, p.Outcome != NotDisability && p.Until.IsZero()
}

// later is the later of two days.
func later(a, b tesdiq.Date) tesdiq.Date {
	if a.After(b) {
		return a
	}
	return b
}

// earlier is the earlier of two days.
func earlier(a, b tesdiq.Date) tesdiq.Date {
	if a.Before(b) {
		return a
	}
	return b
}
