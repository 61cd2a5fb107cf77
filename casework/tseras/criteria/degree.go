package criteria

import "strings"

// degree measures by the law of 30.12.2015–30.06.2022: the severest limit of a life activity, or the degree that the list of
// 413 gives a condition, whichever is the severer. Several conditions do not add up.
func (d *decision) degree() {
	g := d.regime
	severity := 0
	d.Conditions = make([]Valued, 0, len(d.in.Findings.Conditions))
	for _, c := range d.in.Findings.Conditions {
		v := Valued{Condition: c, Counts: true}
		if l := g.degrees[c.Criterion][c.Grade]; l.severity > 0 {
			v.Degree = l.severity
			if l.severity > severity {
				severity = l.severity
			}
			d.because("listed", l.ref, criterionParam(c.Criterion), textParam("Degree", roman(l.severity)))
		}
		d.Conditions = append(d.Conditions, v)
	}
	level, activity := d.in.Findings.Activities.highest()
	switch {
	case len(d.Conditions) == 0:
		d.because("no_condition", g.law.ref)
	case level > severity:
		severity = level
		d.because("limited", g.law.ref, Param{"Activity", "activity", activity}, textParam("Limit", string(limits[level+1])))
	}
	if severity == 0 {
		d.Outcome = NotDisability
		d.because("not_limited", g.law.ref)
		return
	}
	d.Outcome = d.outcome()
	d.level = severity
	if d.Outcome == Child {
		d.because("child_413", g.law.ref)
		return
	}
	d.Degree = roman(severity)
	d.because("degree", g.law.ref, textParam("Degree", d.Degree))
}

// roman is the degree of a severity: I is the severest.
func roman(severity int) string { return strings.Repeat("I", 4-severity) }
