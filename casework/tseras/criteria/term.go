package criteria

import (
	"slices"

	"github.com/tesdiq/tesdiq"
)

// Term is for how long a disability is found.
type Term string

// The terms that there are.
const (
	Months6    Term = "6m"
	Year1      Term = "1y"
	Years2     Term = "2y"
	Years3     Term = "3y"
	Years5     Term = "5y"
	To18       Term = "to18"
	Indefinite Term = "indefinite"
)

// months is a term's length; 0 for those that are no number of months.
func (t Term) months() int {
	switch t {
	case Months6:
		return 6
	case Year1:
		return 12
	case Years2:
		return 24
	case Years3:
		return 36
	case Years5:
		return 60
	}
	return 0
}

// length orders terms.
func (t Term) length() int {
	switch t {
	case To18:
		return 1000
	case Indefinite:
		return 2000
	}
	return t.months()
}

// findTerm finds from when until when the disability holds, and when the next examination opens.
func (d *decision) findTerm() {
	g := d.regime
	d.From = d.in.DecidedOn
	term, at := d.borne()
	if d.adult && term != Indefinite {
		if last, ok := d.indefinite(); ok {
			term, at = Indefinite, g.keepIndefinite.ref
			d.because("indefinite_carried", at, dateParam("Since", last.From))
		} else if g.record[3].n > 0 {
			if found, ok := g.byRecord(d.in.Prior, d.in.DecidedOn); ok {
				term, at = Indefinite, found.at
				d.because(found.key, at, numberParam("Years", found.years), bandParam(bands[found.severity]), dateParam("Since", found.since))
			}
		}
	}
	d.Term = term
	if term == Indefinite {
		d.because("indefinite", at, dateParam("From", d.From))
		return
	}
	if term != To18 {
		d.Until = d.From.AddMonths(term.months()).AddDays(-1)
	}
	if !d.adult {
		eighteen := d.in.Born.AddYears(g.adultAge)
		if term == To18 || d.Until.After(eighteen) {
			d.Term, d.Until = To18, eighteen
		}
	}
	d.because("term", at, Param{"Term", "term", string(d.Term)}, dateParam("From", d.From), dateParam("Until", d.Until))
	if d.Term == To18 {
		d.because("adult_again", g.law.ref, dateParam("On", d.Until))
	}
	d.NextFrom = g.nextFrom(d.From, d.Until)
	if d.NextFrom == d.Until.AddDays(-g.window.n) {
		d.because("next", g.window.ref, dateParam("NextFrom", d.NextFrom), numberParam("Days", g.window.n))
	} else {
		d.because("next_soon", g.window.ref, dateParam("NextFrom", d.NextFrom))
	}
}

// nextFrom is the first day of the next examination's window.
func (g *regime) nextFrom(from, until tesdiq.Date) tesdiq.Date {
	return later(until.AddDays(-g.window.n), from.AddDays(1))
}

// borne is the longest term that the conditions which last so long bear by themselves: which alone would give the same
// band or degree.
func (d *decision) borne() (Term, ref) {
	g := d.regime
	severity := d.severityNow()
	usual, at := Term(g.usualTerm[severity].value), g.usualTerm[severity].ref
	if !d.adult {
		usual, at = Term(g.childTerm.value), g.childTerm.ref
	}
	if d.raised && g.raisedTerm.value == "usual" {
		return usual, g.raisedTerm.ref
	}
	terms := make([]Term, len(d.Conditions))
	refs := make([]ref, len(d.Conditions))
	for i, v := range d.Conditions {
		terms[i], refs[i] = d.termOf(v, usual, at)
	}
	best, from := Term(""), at
	for i, t := range terms {
		if t.length() <= best.length() {
			continue
		}
		lasting := make([]Valued, 0, len(d.Conditions))
		for j, v := range d.Conditions {
			if terms[j].length() >= t.length() {
				lasting = append(lasting, v)
			}
		}
		if d.severityOf(lasting) == severity || d.raised {
			best, from = t, refs[i]
		}
	}
	if best == "" {
		return usual, at
	}
	return best, from
}

// termOf is the term of one condition.
func (d *decision) termOf(v Valued, usual Term, at ref) (Term, ref) {
	g := d.regime
	k := g.criteria[v.Criterion]
	switch {
	case !d.adult && k.Child == childTo18:
		if lifelong := g.childLifelong; lifelong.value != "" { // the table of criteria is of a later act than the case
			return Term(lifelong.value), lifelong.ref
		}
		return To18, k.ref
	case g.law.Method == degrees:
		if l := g.degrees[v.Criterion][v.Grade]; l.indefinite && d.adult && l.severity == d.level {
			return Indefinite, l.ref
		}
		return usual, at
	case k.Term == "":
		return usual, at
	case k.Term == Indefinite && !d.adult:
		return To18, k.ref
	}
	return k.Term, k.ref
}

// severityOf is the severity that some of the conditions give without the others.
func (d *decision) severityOf(some []Valued) int {
	g := d.regime
	if g.law.Method == percents {
		return g.severity(g.combine(some, func(string, ref, ...Param) {}))
	}
	// Life activities are limited by all conditions together, so a degree by them is borne by any.
	severity, _ := d.in.Findings.Activities.highest()
	for _, v := range some {
		severity = max(severity, v.Degree)
	}
	return severity
}

// severityNow is 1 to 3.
func (d *decision) severityNow() int {
	if d.level > 0 {
		return d.level
	}
	return d.regime.severity(d.Loss)
}

// record is what makes a disability indefinite by its track record.
type record struct {
	key      string
	at       ref
	years    int
	severity int // 0: across bands
	since    tesdiq.Date
}

// byRecord says whether the earlier decisions make the one on a day indefinite. Only consecutive ones with a term count; a
// gap of more days than the parameter allows breaks the row, a shorter one does not count as time.
func (g *regime) byRecord(prior []Prior, on tesdiq.Date) (record, bool) {
	reach := g.reach(prior, on)
	for severity := 3; severity >= 1; severity-- {
		if since, gaps, ok := g.row(prior, on, severity); ok && !since.AddYears(g.record[severity].n).AddDays(gaps).After(reach) {
			return record{"record", g.record[severity].ref, g.record[severity].n, severity, since}, true
		}
	}
	if since, gaps, ok := g.row(prior, on, 0); ok && !since.AddYears(g.recordMixed.n).AddDays(gaps).After(reach) {
		return record{"record_mixed", g.recordMixed.ref, g.recordMixed.n, 0, since}, true
	}
	return record{}, false
}

// reach is the day up to which time counts: that of the decision, or, when it is made in the last window of a term, the day
// after the term, so that who comes in time does not lose the days for which disability is found already.
func (g *regime) reach(prior []Prior, on tesdiq.Date) tesdiq.Date {
	if len(prior) == 0 || g.recordToEnd.value == "no" {
		return on
	}
	end := prior[len(prior)-1].Until
	if end.IsZero() || end.Before(on) || on.Before(end.AddDays(-g.window.n)) {
		return on
	}
	return end.AddDays(1)
}

// row is the first day of the unbroken row of decisions in one band that ends on a day, and how many days of gaps it has.
// Severity 0 is any band.
func (g *regime) row(prior []Prior, on tesdiq.Date, severity int) (since tesdiq.Date, gaps int, ok bool) {
	next := on
	for _, p := range slices.Backward(prior) {
		if p.From.IsZero() || !p.From.Before(next) {
			continue
		}
		s := p.severity()
		if p.Outcome == Child && g.recordChild.value == "no" {
			s = 0
		}
		if s == 0 || p.Until.IsZero() || severity > 0 && s != severity && !(s > severity && g.recordHigher.value == "yes") {
			break
		}
		gap := max(p.Until.DaysUntil(next)-1, 0) // a later decision ends an earlier one
		if gap > g.recordGap.n {
			break
		}
		since, gaps, next, ok = p.From, gaps+gap, p.From, true
	}
	return since, gaps, ok
}

// Terms are the days about the end of a term, for a run over many of them.
type Terms struct {
	Invite int // so many days before the window of the next examination opens
	Remind int // so many days before the last day
	Late   int // so many days after the last day it is still told that it is over
}

// Terms are those in force on a day.
func (r *Rules) Terms(day tesdiq.Date) Terms {
	g := r.on(day)
	if g == nil {
		return Terms{}
	}
	return Terms{g.invite.n - g.window.n, g.remind.n, g.late.n}
}
