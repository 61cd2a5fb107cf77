package contract

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
)

// Limits of the texts, in letters.
const (
	MaxEmployer  = 200
	MaxWorkplace = 200
	MaxPosition  = 150
	MaxGround    = 100
)

// minAge is the age in years from which somebody may work. Source: Labour Code, article 42.
const minAge = 15

// maxSalary is a month's salary beyond which a zero too many is likelier than the salary. ASSUMPTION: a million manats.
const maxSalary = tesdiq.Qapik(1_000_000_00)

var (
	// oldest is the earliest first working day in the book. ASSUMPTION: a working life before the book was opened.
	oldest = tesdiq.NewDate(1950, 1, 1)
	// latest is how far ahead a contract may be concluded. ASSUMPTION: a year.
	latestYears = 1
)

// Heading of a contract: each is a chain of its own, ordered by the day from which a version holds.
func (k Contract) Heading() registry.Head {
	return registry.Head{Book: registry.Contracts, Number: k.Number, Subject: k.Subject, Chain: k.Number, EffectiveOn: k.EffectiveOn}
}

// Validate lists what is wrong with the contract, by its JSON field names.
func (k Contract) Validate(c registry.Circumstances) (ps tesdiq.Problems) {
	ps.Add("number", registry.CheckNumber(registry.Contracts, k.Number))
	if fin, err := tesdiq.ParseFIN(string(k.Subject)); err != nil || fin != k.Subject {
		ps.Add("subject", tesdiq.Invalid("fin.malformed"))
	}
	ps.Add("employer", tesdiq.CheckText(k.Employer, MaxEmployer, true))
	if v, err := tesdiq.ParseVOEN(string(k.EmployerVOEN)); err != nil || v != k.EmployerVOEN {
		ps.Add("employer_voen", tesdiq.Invalid("voen.malformed"))
	}
	ps.Add("workplace", tesdiq.CheckText(k.Workplace, MaxWorkplace, false))
	ps.Add("position", tesdiq.CheckText(k.Position, MaxPosition, true))
	if k.Salary < 0 || k.Salary > maxSalary {
		ps.Add("salary", tesdiq.Invalid("contract.salary"))
	}
	ps = append(ps, k.days(c)...)
	return append(ps, k.end(c)...)
}

// days judges conclusion, begin and term.
func (k Contract) days(c registry.Circumstances) (ps tesdiq.Problems) {
	switch {
	case k.Concluded.IsZero():
		ps.Add("concluded", tesdiq.Invalid("date.missing"))
	case k.Concluded.After(c.Today):
		ps.Add("concluded", tesdiq.Invalid("date.future"))
	}
	switch {
	case k.From.IsZero():
		ps.Add("from", tesdiq.Invalid("date.missing"))
	case k.From.Before(k.Concluded):
		ps.Add("from", tesdiq.Invalid("contract.from_early"))
	case k.From.Before(oldest):
		ps.Add("from", tesdiq.Invalid("contract.too_old"))
	case k.From.After(c.Today.AddYears(latestYears)):
		ps.Add("from", tesdiq.Invalid("contract.too_far"))
	case k.From.Before(c.Born.AddYears(minAge)):
		ps.Add("from", tesdiq.Invalid("contract.too_young"))
	}
	if !k.Until.IsZero() && k.Until.Before(k.From) {
		ps.Add("until", tesdiq.Invalid("contract.until_early"))
	}
	switch {
	case k.EffectiveOn.IsZero():
		ps.Add("effective_on", tesdiq.Invalid("date.missing"))
	case k.EffectiveOn.Before(k.From):
		ps.Add("effective_on", tesdiq.Invalid("contract.effective_early"))
	case k.EffectiveOn.After(c.Today) && k.EffectiveOn != k.From:
		// An excerpt says what is so now; so an amendment is entered on the day from which it holds, not ahead of it.
		ps.Add("effective_on", tesdiq.Invalid("contract.effective_future"))
	}
	return ps
}

// end judges the state and what belongs to it.
func (k Contract) end(c registry.Circumstances) (ps tesdiq.Problems) {
	switch k.State {
	case Active:
		if !k.Terminated.IsZero() {
			ps.Add("terminated", tesdiq.Invalid("contract.terminated_unwanted"))
		}
		if k.Ground != "" {
			ps.Add("ground", tesdiq.Invalid("contract.terminated_unwanted"))
		}
	case Terminated:
		switch {
		case k.Terminated.IsZero():
			ps.Add("terminated", tesdiq.Invalid("date.missing"))
		case k.Terminated.Before(k.From):
			ps.Add("terminated", tesdiq.Invalid("contract.terminated_early"))
		case k.Terminated.After(c.Today):
			ps.Add("terminated", tesdiq.Invalid("date.future"))
		case k.EffectiveOn != k.Terminated:
			ps.Add("effective_on", tesdiq.Invalid("contract.effective_terminated"))
		}
		ps.Add("ground", tesdiq.CheckText(k.Ground, MaxGround, true))
	default:
		ps.Add("state", tesdiq.Invalid("contract.state"))
	}
	return ps
}

// Follows allows an amendment, or a termination that changes nothing else, of a contract that is not terminated.
func (k Contract) Follows(before registry.Body) (ps tesdiq.Problems) {
	b, ok := before.(Contract)
	switch {
	case !ok:
		return tesdiq.Problems{tesdiq.NewProblem(tesdiq.Conflict, "entry.exists").In("number")}
	case b.State == Terminated:
		return tesdiq.Problems{tesdiq.NewProblem(tesdiq.Conflict, "contract.ended").In("number")}
	case k == b:
		return tesdiq.Problems{tesdiq.Invalid("entry.unchanged")}
	}
	for _, f := range []struct {
		field string
		same  bool
	}{
		{"employer_voen", k.EmployerVOEN == b.EmployerVOEN},
		{"concluded", k.Concluded == b.Concluded},
		{"from", k.From == b.From},
	} {
		if !f.same {
			// Another employer or begin is another contract; a slip of the pen is a correction.
			ps.Add(f.field, tesdiq.NewProblem(tesdiq.Conflict, "contract.other"))
		}
	}
	if k.EffectiveOn.Before(b.EffectiveOn) {
		ps.Add("effective_on", tesdiq.Invalid("contract.effective_order"))
	}
	if k.State == Terminated && k.ended(b) != k {
		ps.Add("state", tesdiq.Invalid("contract.termination_only"))
	}
	return ps
}

// ended is b with k's end and nothing else of k.
func (k Contract) ended(b Contract) Contract {
	b.State, b.Terminated, b.Ground, b.EffectiveOn = k.State, k.Terminated, k.Ground, k.EffectiveOn
	return b
}

// HoldsOn says whether the contract is in force on the day d, by the entry's own days.
func (k Contract) HoldsOn(d tesdiq.Date) bool {
	return k.State == Active && !d.Before(k.From) && (k.Until.IsZero() || !d.After(k.Until))
}
