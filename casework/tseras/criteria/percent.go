package criteria

// percent measures by the law since 01.07.2022: percent of loss of body functions.
func (d *decision) percent() {
	g := d.regime
	d.value()
	loss := g.combine(d.Conditions, d.because)
	if !d.alone {
		loss = d.raise(loss)
	}
	severity := g.severity(loss)
	d.Loss, d.Band = loss, bands[severity]
	if severity == 0 {
		d.Outcome = NotDisability
		d.because("not_disability", g.noneUpTo.ref, numberParam("Loss", loss), numberParam("Limit", g.noneUpTo.n))
		return
	}
	d.Outcome = d.outcome()
	d.because("band", g.bandFrom[severity].ref, numberParam("Loss", loss), bandParam(d.Band))
}

// value gives each condition its percentage.
func (d *decision) value() {
	g := d.regime
	d.Conditions = make([]Valued, 0, len(d.in.Findings.Conditions))
	for _, c := range d.in.Findings.Conditions {
		k := g.criteria[c.Criterion]
		v := Valued{Condition: c, Percent: g.round(k.Percents[c.Grade])}
		if !d.plain {
			d.because("condition", k.ref, criterionParam(c.Criterion), gradeParam(c.Criterion, c.Grade), numberParam("Percent", v.Percent))
		}
		if k.System == "chromosomal" && v.Percent < g.chromosomeLeast.n {
			v.Percent = g.chromosomeLeast.n
			d.because("chromosome", g.chromosomeLeast.ref, criterionParam(c.Criterion), numberParam("Percent", v.Percent))
		}
		v.Counts = v.Percent >= g.countsFrom.n
		d.Conditions = append(d.Conditions, v)
	}
	if len(d.Conditions) == 0 {
		d.because("no_condition", g.law.ref)
	}
	d.onceOfEachFamily()
}

// onceOfEachFamily lets only the highest condition of a family take part: the others describe the same disorder.
func (d *decision) onceOfEachFamily() {
	g := d.regime
	for i := range d.Conditions {
		v := &d.Conditions[i]
		k := g.criteria[v.Criterion]
		if k.Family == "" || !v.Counts {
			continue
		}
		for j, other := range d.Conditions {
			if i != j && g.criteria[other.Criterion].Family == k.Family && other.Counts && (other.Percent > v.Percent || other.Percent == v.Percent && j < i) {
				v.Counts, v.Same = false, other.Criterion
				d.because("same_disorder", g.countsFrom.ref, criterionParam(v.Criterion), Param{"Other", "criterion", other.Criterion})
				break
			}
		}
	}
}

// round is the percentage in steps: upwards, so that 31 to 35 is 35.
func (g *regime) round(percent int) int {
	return min((percent+g.step.n-1)/g.step.n*g.step.n, g.cap.n)
}

// combine is the loss by several conditions: those that give grounds for disability by themselves take part, and two or more
// of them add to the highest. The other ones stand for themselves.
func (g *regime) combine(all []Valued, because func(string, ref, ...Param)) int {
	highest, lowest, counting, without := 0, 0, 0, 0
	for _, v := range all {
		highest = max(highest, v.Percent)
		switch {
		case !v.Counts && v.Same == "":
			without++
		case v.Counts:
			if counting++; counting == 1 || v.Percent < lowest {
				lowest = v.Percent
			}
		}
	}
	if len(all) > 1 && without > 0 {
		because("counts_not", g.countsFrom.ref, numberParam("Count", without), numberParam("Limit", g.countsFrom.n))
	}
	if counting < 2 {
		return highest
	}
	sum := min(highest+g.add.n, g.cap.n)
	key := "combined_equal"
	if lowest != highest {
		key = "combined_highest"
	}
	because(key, g.add.ref, numberParam("Highest", highest), numberParam("Added", g.add.n), numberParam("Loss", sum))
	if highest+g.add.n > g.cap.n {
		because("cap", g.cap.ref, numberParam("Limit", g.cap.n))
	}
	return sum
}

// severity is 1 to 3 for the bands, 0 below them.
func (g *regime) severity(loss int) int {
	for s := 3; s > 0; s-- {
		if loss >= g.bandFrom[s].n {
			return s
		}
	}
	return 0
}

// raise lifts the loss to the band that the severest limit of a life activity stands for, by no more bands than the
// parameter allows, and never without any condition at all.
func (d *decision) raise(loss int) int {
	g := d.regime
	level, activity := d.in.Findings.Activities.highest()
	band := g.severity(loss)
	if level <= band || loss == 0 {
		return loss
	}
	to := min(level, band+g.activitiesRaise.n)
	if to <= band {
		return loss
	}
	raised := g.round(g.bandFrom[to].n)
	d.raised = true
	params := []Param{{"Activity", "activity", activity}, textParam("Limit", string(limits[level+1])), numberParam("From", loss), numberParam("Loss", raised)}
	d.because("raised", g.activitiesRaise.ref, params...)
	if to < level {
		d.because("raised_not_further", g.activitiesRaise.ref, numberParam("Bands", g.activitiesRaise.n))
	}
	return raised
}
