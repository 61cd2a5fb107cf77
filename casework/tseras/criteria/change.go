package criteria

// wouldChange finds what would change the result: the nearest grade and the nearest limit, upwards and downwards, with which
// the outcome, band or degree would be another; the proof of a cause that is missing; one condition more; and the day
// on which the disability becomes indefinite, if it goes on.
func (d *decision) wouldChange() {
	d.Changes = []Change{}
	for i, c := range d.in.Findings.Conditions {
		for _, step := range []int{1, -1} {
			for grade := c.Grade + step; grade >= 1 && grade <= 4; grade += step {
				if !d.regime.criteria[c.Criterion].knows(grade) {
					continue
				}
				in := d.in
				in.Findings.Conditions = append([]Condition(nil), d.in.Findings.Conditions...)
				in.Findings.Conditions[i].Grade = grade
				if d.note(in, Change{What: "grade", Criterion: c.Criterion, Grade: grade}) {
					break
				}
			}
		}
	}
	if !d.alone {
		for i, l := range d.in.Findings.Activities.list() {
			for _, step := range []int{1, -1} {
				for level := l.level() + step; l != "" && level >= 0 && level <= 3; level += step {
					in := d.in
					*in.Findings.Activities.At(ActivityNames[i]) = limits[level+1]
					if d.note(in, Change{What: "activity", Activities: []string{ActivityNames[i]}, Limit: limits[level+1]}) {
						d.join()
						break
					}
				}
			}
		}
	}
	d.noteAdded()
	d.Changes = append(d.Changes, d.unproven...)
	d.noteRecord()
}

// note tries another input, and keeps the change when its result is another one.
func (d *decision) note(in Input, change Change) bool {
	other := decision{rules: d.rules, regime: d.regime, in: in, adult: d.adult, alone: d.alone, plain: true}
	other.measure()
	if other.Outcome == d.Outcome && other.Band == d.Band && other.Degree == d.Degree {
		return false
	}
	change.Outcome, change.Band, change.Degree = other.Outcome, other.Band, other.Degree
	d.Changes = append(d.Changes, change)
	return true
}

// join puts the last change together with an earlier one about other activities that says the same.
func (d *decision) join() {
	last := len(d.Changes) - 1
	for i, c := range d.Changes[:last] {
		if n := d.Changes[last]; c.What == n.What && c.Limit == n.Limit && c.Outcome == n.Outcome && c.Band == n.Band && c.Degree == n.Degree {
			d.Changes[i].Activities = append(c.Activities, n.Activities...)
			d.Changes = d.Changes[:last]
			return
		}
	}
}

// noteAdded says that one more condition which gives grounds by itself would lift the loss into another band.
func (d *decision) noteAdded() {
	g := d.regime
	if g.law.Method != percents || d.Outcome == Kept || d.Outcome == NotDisability {
		return
	}
	loss := g.combine(append(append([]Valued(nil), d.Conditions...), Valued{Percent: g.countsFrom.n, Counts: true}), func(string, ref, ...Param) {})
	if s := g.severity(loss); s > g.severity(d.Loss) {
		d.Changes = append(d.Changes, Change{What: "added", Outcome: d.Outcome, Band: bands[s]})
	}
}

// noteRecord says on which day the disability becomes indefinite by its track record, if it goes on in the same band.
func (d *decision) noteRecord() {
	g := d.regime
	if d.Until.IsZero() || d.Outcome != Disability || g.record[3].n == 0 {
		return
	}
	severity := d.severityNow()
	on := d.From.AddYears(g.record[severity].n)
	if since, gaps, ok := g.row(d.in.Prior, d.in.DecidedOn, severity); ok {
		on = since.AddYears(g.record[severity].n).AddDays(gaps)
	}
	if since, gaps, ok := g.row(d.in.Prior, d.in.DecidedOn, 0); ok {
		on = earlier(on, since.AddYears(g.recordMixed.n).AddDays(gaps))
	}
	d.Changes = append(d.Changes, Change{What: "record", On: on, Term: Indefinite})
}
