package criteria_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

// Whatever is wrong with an input is said at once, by its field, and nothing is decided.
func TestInputsThatCannotBeDecided(t *testing.T) {
	stroke := criteria.Condition{Criterion: "nervous-stroke", Grade: 3}
	answer := criteria.Answer{Register: "dialysis", State: criteria.Nothing, On: day("2026-02-01")}
	fact := criteria.Fact{Fact: "chronic_dialysis", ICD: "N18.5", Since: day("2025-01-01")}
	prior := criteria.Prior{From: day("2024-01-01"), Until: day("2025-12-31"), Outcome: criteria.Disability, Loss: 65}
	for name, c := range map[string]struct {
		change func(*criteria.Input)
		want   string
	}{
		"nothing at all": {func(in *criteria.Input) { *in = criteria.Input{} }, "case_on date.missing; decided_on date.missing; born date.missing"},
		"before any law": {func(in *criteria.Input) { in.CaseOn = day("1990-01-01") }, "case_on criteria.law_past"},
		"two things": {func(in *criteria.Input) {
			in.CaseOn, in.DecidedOn = day("2026-02-10"), day("2026-02-02")
			in.Born = day("2027-01-01")
		}, "born criteria.born_late"},
		"unknown cause": {func(in *criteria.Input) { in.Findings.Conditions[0].Cause = "bad_luck" }, "findings.conditions criteria.cause"},
		"unknown proof": {func(in *criteria.Input) { in.Causes = []criteria.Proof{{Cause: "bad_luck"}} }, "causes criteria.cause"},
		"a proof of nothing": {func(in *criteria.Input) {
			in.Causes = []criteria.Proof{{Cause: "general_illness", Document: "x", Issued: day("2026-01-01")}}
		}, "causes criteria.cause_document"},
		"a proof without a day": {func(in *criteria.Input) {
			in.Causes = []criteria.Proof{{Cause: "work_injury", Document: "accident_act"}}
		}, "causes criteria.cause_issued"},
		"no such limit": {func(in *criteria.Input) { in.Findings.Activities.Learning = "IV" }, "findings.activities.learning criteria.limit"},
		"grade none":    {func(in *criteria.Input) { in.Findings.Conditions[0].Grade = 0 }, "findings.conditions criteria.grade"},
		"grade minus":   {func(in *criteria.Input) { in.Findings.Conditions[0].Grade = -1 }, "findings.conditions criteria.grade"},
		"nothing with facts": {func(in *criteria.Input) {
			answer := answer
			answer.Facts = []criteria.Fact{fact}
			in.Evidence = []criteria.Answer{answer}
		}, "evidence criteria.evidence_state"},
		"answered without facts": {func(in *criteria.Input) {
			answer := answer
			answer.State = criteria.Answered
			in.Evidence = []criteria.Answer{answer}
		}, "evidence criteria.evidence_state"},
		"an unknown state": {func(in *criteria.Input) {
			answer := answer
			answer.State = "perhaps"
			in.Evidence = []criteria.Answer{answer}
		}, "evidence criteria.evidence_state"},
		"an answer of the future": {func(in *criteria.Input) {
			answer := answer
			answer.On = day("2026-02-11")
			in.Evidence = []criteria.Answer{answer}
		}, "evidence criteria.evidence_day"},
		"two answers": {func(in *criteria.Input) { in.Evidence = []criteria.Answer{answer, answer} }, "evidence criteria.evidence_twice"},
		"a prior of the future": {func(in *criteria.Input) {
			prior := prior
			prior.From, prior.Until = day("2026-03-01"), day("2027-03-01")
			in.Prior = []criteria.Prior{prior}
		}, "prior criteria.prior_days"},
		"a prior turned round": {func(in *criteria.Input) {
			prior := prior
			prior.Until = day("2023-01-01")
			in.Prior = []criteria.Prior{prior}
		}, "prior criteria.prior_days"},
		"a prior of 110":       {func(in *criteria.Input) { prior := prior; prior.Loss = 110; in.Prior = []criteria.Prior{prior} }, "prior criteria.prior_measure"},
		"a prior of degree IV": {func(in *criteria.Input) { prior := prior; prior.Degree = "IV"; in.Prior = []criteria.Prior{prior} }, "prior criteria.prior_measure"},
		"a prior that was kept": {func(in *criteria.Input) {
			prior := prior
			prior.Outcome = criteria.Kept
			in.Prior = []criteria.Prior{prior}
		}, "prior criteria.prior_outcome"},
		"too many": {func(in *criteria.Input) { in.Prior = slices.Repeat([]criteria.Prior{prior}, 201) }, "findings criteria.too_many"},
	} {
		in := adult(stroke)
		c.change(&in)
		var got []string
		for _, p := range criteria.Current().Check(in) {
			got = append(got, p.Field+" "+p.Key)
		}
		if said := strings.Join(got, "; "); said != c.want {
			t.Errorf("%s: %q, want %q", name, said, c.want)
		}
		if _, err := criteria.Decide(in); err == nil {
			t.Errorf("%s: it was decided", name)
		}
	}
}

// A day of a decision that found nothing may be unknown: the register has none.
func TestAPriorThatFoundNothing(t *testing.T) {
	in := adult(criteria.Condition{Criterion: "nervous-stroke", Grade: 3})
	in.Prior = []criteria.Prior{{Outcome: criteria.NotDisability, Loss: 20}}
	if r, err := criteria.Decide(in); err != nil || r.Loss != 65 {
		t.Errorf("%d %v", r.Loss, err)
	}
}

// What registers prove by themselves can be held against what members found.
func TestProven(t *testing.T) {
	in := adult()
	in.Evidence = []criteria.Answer{
		{Register: "dialysis", State: criteria.Answered, On: day("2026-02-09"), Facts: []criteria.Fact{{Fact: "chronic_dialysis", ICD: "N18.5", Since: day("2025-01-01")}}},
		{Register: "oncology", State: criteria.NoAnswer},
	}
	want := []criteria.Condition{{Criterion: "kidney-dialysis", Grade: 4}}
	if got := criteria.Current().Proven(in); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, enough := criteria.Alone(in); enough {
		t.Error("decided alone though a register did not answer")
	}
	in.DecidedOn = tesdiq.Date{}
	if got := criteria.Current().Proven(in); len(got) > 0 {
		t.Errorf("of an input without a day: %v", got)
	}
}

// What pages list is what the rules take.
func TestWhatCanBeChosenIsTaken(t *testing.T) {
	rules, on := criteria.Current(), day("2026-02-02")
	for _, lang := range tesdiq.Langs {
		s := criteria.Speaker{Rules: rules, Day: on, Lang: lang, Text: wordsIn(t, lang)}
		for _, k := range rules.Criteria(on) {
			if k.Title(lang) == "" || s.System(k.System) == "" {
				t.Errorf("%s has no name in %s", k.ID, lang)
			}
			for n := range 6 {
				if (k.Grade(n, lang) != "") != (n >= 1 && n <= 4 && k.Percents[min(n, 4)] > 0) {
					t.Errorf("%s: grade %d is %q in %s", k.ID, n, k.Grade(n, lang), lang)
				}
			}
		}
		for _, name := range criteria.ActivityNames {
			if s.Activity(name) == "" || s.Limit("II") == "" {
				t.Errorf("%s has no name in %s", name, lang)
			}
		}
		causes, documents := rules.Causes(on)
		for i, c := range causes {
			in := adult(criteria.Condition{Criterion: "nervous-stroke", Grade: 3, Cause: c})
			if documents[i] != "" {
				in.Causes = []criteria.Proof{{Cause: c, Document: documents[i], Issued: on}}
				if s.Document(documents[i]) == "" {
					t.Errorf("%s has no name in %s", documents[i], lang)
				}
			}
			if r, err := criteria.Decide(in); err != nil || r.Cause != c {
				t.Errorf("%s gives %s, %v", c, r.Cause, err)
			}
		}
		registers, days := rules.Registers(on)
		for _, name := range registers {
			if s.Register(name) == "" {
				t.Errorf("%s has no name in %s", name, lang)
			}
		}
		if len(registers) != 7 || days != 30 || s.Term(criteria.To18) == "" {
			t.Errorf("%d registers, %d days", len(registers), days)
		}
	}
	if none, _ := rules.Registers(day("2021-01-01")); none != nil || rules.Criteria(day("1990-01-01")) != nil {
		t.Error("registers decide under 413, or there are criteria before any law")
	}
	if _, ok := rules.Criterion(day("1990-01-01"), "nervous-stroke"); ok || rules.AssessesWork(day("1990-01-01"), day("1950-01-01")) {
		t.Error("rules of before any law")
	}
}
