package criteria_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
)

// dice draws inputs that somebody might find; the same number draws the same input.
type dice struct{ *rand.Rand }

func throw(n uint64) dice { return dice{rand.New(rand.NewPCG(n, 1729))} }

func (d dice) day(from, to string) tesdiq.Date {
	a, b := day(from), day(to)
	return a.AddDays(d.IntN(a.DaysUntil(b) + 1))
}

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// input is a case since the degrees, of somebody of any age, with up to five conditions and up to six earlier decisions.
func (d dice) input() criteria.Input {
	in := criteria.Input{CaseOn: d.day("2015-12-30", "2027-12-31"), Born: d.day("1925-01-01", "2015-12-30")}
	in.DecidedOn = in.CaseOn.AddDays(d.IntN(20))
	a := &in.Findings.Activities
	for _, name := range criteria.ActivityNames {
		*a.At(name) = pick(d, []criteria.Limit{"none", "none", "none", "I", "II", "III"})
	}
	if !criteria.Current().AssessesWork(in.CaseOn, in.Born) {
		a.Work = ""
	}
	in.Findings.Conditions = d.conditions(in, d.IntN(6))
	until := d.day("1998-01-01", "2014-01-01")
	for range d.IntN(7) {
		p := criteria.Prior{From: until.AddDays(1 + d.IntN(90)), Outcome: criteria.Disability, Cause: pick(d, []criteria.Cause{"general_illness", "work_injury", "childhood"})}
		p.Until = p.From.AddMonths(pick(d, []int{6, 12, 24, 60})).AddDays(-1)
		until = p.Until
		switch {
		case p.From.Before(day("2015-12-30")):
			p.Group = pick(d, []string{"I", "II", "III"})
		case p.From.Before(day("2022-07-01")):
			p.Degree = pick(d, []string{"I", "II", "III"})
		default:
			p.Loss = 35 + 5*d.IntN(14)
		}
		if p.From.After(in.DecidedOn) {
			break
		}
		if d.IntN(8) == 0 {
			p.Until = tesdiq.Date{}
		}
		in.Prior = append(in.Prior, p)
		if p.Until.IsZero() {
			break
		}
	}
	return in
}

// conditions draws n of the criteria that fit the person's age.
func (d dice) conditions(in criteria.Input, n int) (cs []criteria.Condition) {
	all := criteria.Current().Criteria(in.CaseOn)
	causes, _ := criteria.Current().Causes(in.CaseOn)
	adult := !in.DecidedOn.Before(in.Born.AddYears(18))
	for range 50 {
		k := pick(d, all)
		grade := 1 + d.IntN(4)
		if len(cs) == n {
			break
		}
		if k.Percents[grade] == 0 || adult && k.Child == "only" || !adult && k.Child == "no" || slices.ContainsFunc(cs, func(c criteria.Condition) bool { return c.Criterion == k.ID }) {
			continue
		}
		c := criteria.Condition{Criterion: k.ID, Grade: grade}
		if d.IntN(4) == 0 {
			c.Cause = pick(d, causes)
		}
		cs = append(cs, c)
	}
	return cs
}

const throws = 600

func decide(t *testing.T, n int, in criteria.Input) criteria.Result {
	t.Helper()
	r, err := criteria.Decide(in)
	if err != nil {
		t.Fatalf("throw %d: %v\n%s", n, err, in.Canonical())
	}
	return r
}

func TestMoreConditionsNeverLowerTheLoss(t *testing.T) {
	for n := range throws {
		d := throw(uint64(n))
		in := d.input()
		in.Prior = nil // an earlier indefinite one hides the loss
		before := decide(t, n, in)
		more := d.conditions(in, 8)
		for _, c := range more {
			if slices.ContainsFunc(in.Findings.Conditions, func(x criteria.Condition) bool { return x.Criterion == c.Criterion }) {
				continue
			}
			in.Findings.Conditions = append(in.Findings.Conditions, c)
			after := decide(t, n, in)
			if after.Loss < before.Loss || before.Degree != "" && (after.Degree == "" || len(after.Degree) > len(before.Degree)) || before.Outcome != criteria.NotDisability && after.Outcome == criteria.NotDisability {
				t.Fatalf("throw %d: %s lowers %d%s to %d%s\n%s", n, c.Criterion, before.Loss, before.Degree, after.Loss, after.Degree, in.Canonical())
			}
			before = after
		}
	}
}

func TestASevererGradeNeverLowersTheLoss(t *testing.T) {
	for n := range throws {
		d := throw(uint64(n))
		in := d.input()
		in.Prior = nil
		if len(in.Findings.Conditions) == 0 {
			continue
		}
		before := decide(t, n, in)
		i := d.IntN(len(in.Findings.Conditions))
		c := &in.Findings.Conditions[i]
		k, _ := criteria.Current().Criterion(in.CaseOn, c.Criterion)
		for c.Grade++; c.Grade <= 4 && k.Percents[c.Grade] == 0; c.Grade++ {
		}
		if c.Grade > 4 {
			continue
		}
		if after := decide(t, n, in); after.Loss < before.Loss {
			t.Fatalf("throw %d: %d to %d", n, before.Loss, after.Loss)
		}
	}
}

func TestTheOrderOfNothingMatters(t *testing.T) {
	for n := range throws {
		d := throw(uint64(n))
		in := d.input()
		want := decide(t, n, in).Canonical()
		form := in.Canonical()
		d.Shuffle(len(in.Findings.Conditions), func(i, j int) {
			c := in.Findings.Conditions
			c[i], c[j] = c[j], c[i]
		})
		d.Shuffle(len(in.Prior), func(i, j int) { in.Prior[i], in.Prior[j] = in.Prior[j], in.Prior[i] })
		if got := decide(t, n, in).Canonical(); !bytes.Equal(got, want) || !bytes.Equal(in.Canonical(), form) {
			t.Fatalf("throw %d:\n%s\n%s", n, got, want)
		}
	}
}

// Whatever is decided can be entered: the register's own rules find nothing wrong with it.
func TestEveryResultIsAnEntryOfTheRegister(t *testing.T) {
	seen := map[criteria.Outcome]int{}
	for n := range throws {
		in := throw(uint64(n)).input()
		r := decide(t, n, in)
		seen[r.Outcome]++
		if r.Outcome == criteria.Kept {
			continue
		}
		day := r.DecidedOn
		if criteria.Current().Law(day) != r.Law {
			day = in.CaseOn // the register judges by the day of the examination
		}
		if r.Outcome != criteria.NotDisability && (day.Before(in.Born.AddYears(18))) != (r.Outcome == criteria.Child) {
			continue // 18 between the case and the decision, and the law, too
		}
		e := examination.Examination{
			Number: "M-2026-000001", Subject: "5ABCD12", Commission: "7 saylı TSEK", ExaminedOn: day, Outcome: examination.Outcome(r.Outcome),
			Loss: examination.Loss(r.Loss), Degree: examination.DisabilityDegree(r.Degree), Cause: examination.Cause(r.Cause),
			From: r.From, Until: r.Until, NextFrom: r.NextFrom,
		}
		if ps := e.Validate(registry.Circumstances{Today: r.DecidedOn, Born: in.Born}); len(ps) > 0 {
			t.Fatalf("throw %d: %v\n%s\n%s", n, ps, in.Canonical(), r.Canonical())
		}
		if band := examination.BandOf(examination.Loss(r.Loss)); string(band) != string(r.Band) {
			t.Fatalf("throw %d: the register's band of %d is %q, ours %q", n, r.Loss, band, r.Band)
		}
	}
	for _, o := range []criteria.Outcome{criteria.Disability, criteria.Child, criteria.NotDisability, criteria.Kept} {
		if seen[o] < throws/100 {
			t.Errorf("only %d of %d are %s: the dice are loaded", seen[o], throws, o)
		}
	}
}

// What would change it does.
func TestWhatWouldChangeItDoes(t *testing.T) {
	grades, limits := 0, 0
	for n := range throws {
		in := throw(uint64(n)).input()
		r := decide(t, n, in)
		for _, c := range r.Changes {
			other := in
			other.Findings.Conditions = slices.Clone(in.Findings.Conditions)
			switch c.What {
			case "grade":
				i := slices.IndexFunc(other.Findings.Conditions, func(x criteria.Condition) bool { return x.Criterion == c.Criterion })
				other.Findings.Conditions[i].Grade = c.Grade
				grades++
			case "activity":
				*other.Findings.Activities.At(c.Activities[len(c.Activities)-1]) = c.Limit
				limits++
			default:
				continue
			}
			if got := decide(t, n, other); got.Outcome != c.Outcome || got.Band != c.Band || got.Degree != c.Degree || got.Band == r.Band && got.Degree == r.Degree && got.Outcome == r.Outcome {
				t.Fatalf("throw %d: %+v gives %s %s %s", n, c, got.Outcome, got.Band, got.Degree)
			}
		}
	}
	if grades < 100 || limits < 100 {
		t.Errorf("%d changes of grade and %d of a limit were tried", grades, limits)
	}
}

// Registers alone never find less than a commission would that found just this.
func TestAloneIsWhatACommissionWouldDecide(t *testing.T) {
	alone := 0
	facts := map[string]criteria.Fact{
		"dialysis": {Fact: "chronic_dialysis", ICD: "N18.5"}, "oncology": {Fact: "stage_4", ICD: "C34.1"}, "tuberculosis": {Fact: "drug_resistant", ICD: "A15.0"},
		"vision": {Fact: "irreversible_blindness", ICD: "H54.0"}, "hospital": {Fact: "karyotype", ICD: "Q90.0"},
	}
	names, _ := criteria.Current().Registers(day("2026-01-01"))
	for n := range throws {
		d := throw(uint64(n))
		in := d.input()
		in.CaseOn = d.day("2022-07-01", "2027-01-01")
		in.DecidedOn = in.CaseOn.AddDays(d.IntN(3))
		in.Prior = slices.DeleteFunc(in.Prior, func(p criteria.Prior) bool { return p.From.After(in.DecidedOn) })
		silent := false
		for _, name := range names {
			a := criteria.Answer{Register: name, State: criteria.Nothing, On: in.CaseOn}
			if f, ok := facts[name]; ok && d.IntN(3) == 0 {
				f.Since = in.CaseOn.AddDays(-d.IntN(400))
				a.State, a.Facts = criteria.Answered, []criteria.Fact{f}
			}
			if d.IntN(40) == 0 {
				a, silent = criteria.Answer{Register: name, State: criteria.NoAnswer}, true
			}
			in.Evidence = append(in.Evidence, a)
		}
		r, ok := criteria.Alone(in)
		if !ok {
			if len(r.Reasons) == 0 || r.Outcome != "" {
				t.Fatalf("throw %d: no reason why not: %s", n, r.Canonical())
			}
			continue
		}
		alone++
		if silent {
			t.Fatalf("throw %d: decided alone though a register did not answer", n)
		}
		if r.Outcome == criteria.NotDisability {
			t.Fatalf("throw %d: refused alone", n)
		}
		same := in
		same.Findings = criteria.Findings{Activities: free()}
		if !criteria.Current().AssessesWork(in.CaseOn, in.Born) {
			same.Findings.Activities.Work = ""
		}
		for _, v := range r.Conditions {
			same.Findings.Conditions = append(same.Findings.Conditions, criteria.Condition{Criterion: v.Criterion, Grade: v.Grade})
		}
		want := decide(t, n, same)
		if r.Loss != want.Loss || r.Term != want.Term || r.Until != want.Until || r.Outcome != want.Outcome {
			t.Fatalf("throw %d:\n%s\n%s", n, r.Canonical(), want.Canonical())
		}
		if _, again, err := criteria.Pack("T-2026-000001", in, r).Again(); err != nil || !bytes.Equal(again.Canonical(), r.Canonical()) {
			t.Fatalf("throw %d: again: %v", n, err)
		}
	}
	if alone < throws/20 {
		t.Errorf("only %d of %d are decided alone", alone, throws)
	}
}

func FuzzDecide(f *testing.F) {
	for n := range 20 {
		f.Add(throw(uint64(n)).input().Canonical())
	}
	f.Add([]byte(`{"case_on":"2026-02-01","decided_on":"2026-02-10","born":"1980-01-01"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := criteria.ReadInput(b)
		if err != nil {
			return
		}
		again, err := criteria.ReadInput(in.Canonical())
		if err != nil || !bytes.Equal(again.Canonical(), in.Canonical()) {
			t.Fatalf("the canonical form is not its own: %v", err)
		}
		r, alone := criteria.Alone(in)
		if alone && r.Outcome == criteria.NotDisability {
			t.Fatal("refused alone")
		}
		r, err = criteria.Decide(in)
		if err != nil {
			if p := tesdiq.ProblemsOf(err); p[0].Kind == tesdiq.Internal {
				t.Fatalf("not a problem for people: %v", err)
			}
			return
		}
		if r.Loss < 0 || r.Loss > 100 || r.Loss%5 != 0 || r.Outcome == criteria.Disability && r.Law == "187" && r.Loss < 35 || !r.Until.IsZero() && !r.Until.After(r.From) {
			t.Fatalf("%s", r.Canonical())
		}
		if _, _, err := criteria.Pack("", in, r).Again(); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReadPackage(f *testing.F) {
	in := throw(1).input()
	r, err := criteria.Decide(in)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(criteria.Pack("T-2026-000001", in, r).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := criteria.ReadPackage(b)
		if err != nil {
			return
		}
		in, r, err := p.Again()
		if err != nil {
			if p := tesdiq.ProblemsOf(err); p[0].Kind == tesdiq.Internal {
				t.Fatalf("not a problem for people: %v", err)
			}
			return
		}
		if want, err := criteria.Decide(in); err == nil && !r.Alone && !bytes.Equal(r.Canonical(), want.Canonical()) && p.Rules == want.Rules {
			t.Fatal("taken, though the rules decide otherwise")
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	inputs := make([]criteria.Input, 1000)
	for n := range inputs {
		inputs[n] = throw(uint64(n)).input()
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := criteria.Decide(inputs[n%len(inputs)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}

func BenchmarkDecideAgain(b *testing.B) {
	in := throw(7).input()
	r, err := criteria.Decide(in)
	if err != nil {
		b.Fatal(err)
	}
	p := criteria.Pack("T-2026-000001", in, r)
	for b.Loop() {
		if _, _, err := p.Again(); err != nil {
			b.Fatal(err)
		}
	}
}
