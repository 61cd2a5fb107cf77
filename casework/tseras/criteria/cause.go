package criteria

// findCause finds what the disability comes from. Of several causes, that with the better social guarantees is taken.
func (d *decision) findCause() {
	g := d.regime
	counting := d.Conditions
	if n := countingOf(d.Conditions); len(n) > 0 {
		counting = n
	}
	best := g.causes[GeneralIllness]
	several := false
	first := true
	for i, v := range d.Conditions {
		c := d.proven(v.Condition)
		d.Conditions[i].Cause = c.ID
		if !takesPart(v, counting) {
			continue
		}
		if !first && c.ID != best.ID {
			several = true
		}
		if first || c.Rank < best.Rank {
			best = c
		}
		first = false
	}
	if several {
		d.because("cause_best", best.ref, causeParam(best.ID))
	} else {
		d.because("cause", best.ref, causeParam(best.ID))
	}
	d.Cause = best.ID
}

// countingOf are the conditions that give grounds for disability by themselves.
func countingOf(all []Valued) (some []Valued) {
	for _, v := range all {
		if v.Counts {
			some = append(some, v)
		}
	}
	return some
}

func takesPart(v Valued, some []Valued) bool {
	for _, s := range some {
		if s.Criterion == v.Criterion {
			return true
		}
	}
	return false
}

// proven is the best cause of a condition that is proven, general illness where none is.
func (d *decision) proven(c Condition) cause {
	g := d.regime
	best := g.causes[GeneralIllness]
	better := func(id Cause) {
		if k, ok := g.causes[id]; ok && k.Rank < best.Rank {
			best = k
		}
	}
	covers := func(p Proof) bool {
		for _, icd := range p.ICD {
			if g.criteria[c.Criterion].covers(icd) {
				return true
			}
		}
		return false
	}
	claimed := c.Cause == "" || c.Cause == GeneralIllness
	for _, p := range d.in.Causes {
		// An act of its own sets the cause of the diseases that it names, whatever members say.
		if covers(p) && (g.causes[p.Cause].ByAct || p.Cause == c.Cause) || len(p.ICD) == 0 && p.Cause == c.Cause {
			better(p.Cause)
			claimed = claimed || p.Cause == c.Cause
		}
	}
	if claimed {
		return best
	}
	k := g.causes[c.Cause]
	if k.Needs == "" {
		better(c.Cause)
		return best
	}
	if g.priorProves.value == "yes" {
		for _, p := range d.in.Prior {
			if p.Outcome != NotDisability && p.Cause == c.Cause {
				d.because("cause_prior", g.priorProves.ref, causeParam(c.Cause))
				better(c.Cause)
				return best
			}
		}
	}
	d.because("cause_unproven", k.ref, causeParam(c.Cause), Param{"Document", "document", k.Needs})
	if k.Rank < best.Rank {
		d.unproven = append(d.unproven, Change{What: "proof", Criterion: c.Criterion, Document: k.Needs, Cause: c.Cause})
	}
	return best
}
