package criteria_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

var day = tesdiq.MustDate

// free are activities without a limit, of a person of 15 years and more.
func free() criteria.Activities {
	return criteria.Activities{SelfCare: "none", Movement: "none", Orientation: "none", Communication: "none", Behaviour: "none", Learning: "none", Work: "none"}
}

// adult is a case of an adult with some conditions.
func adult(conditions ...criteria.Condition) criteria.Input {
	return criteria.Input{
		CaseOn: day("2026-02-02"), DecidedOn: day("2026-02-10"), Born: day("1980-05-17"),
		Findings: criteria.Findings{Conditions: conditions, Activities: free()},
	}
}

func TestPackageDecidesTheSameBytesAgain(t *testing.T) {
	in := adult(criteria.Condition{Criterion: "limbs-shin", Grade: 2}, criteria.Condition{Criterion: "heart-failure", Grade: 3})
	r, err := criteria.Decide(in)
	if err != nil {
		t.Fatal(err)
	}
	if r.Loss != 80 || r.Band != "61-80" || r.Cause != criteria.GeneralIllness || r.Until != day("2027-02-09") || r.NextFrom != day("2026-12-11") {
		t.Errorf("%s", r.Canonical())
	}
	file := criteria.Pack("T-2026-000001", in, r).Bytes()
	p, err := criteria.ReadPackage(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, again, err := p.Again(); err != nil || !bytes.Equal(again.Canonical(), r.Canonical()) {
		t.Errorf("again: %v", err)
	}
	for name, c := range map[string]struct{ from, to, key string }{
		"loss":    {`"loss":80`, `"loss":85`, "criteria.package_differs"},
		"grade":   {`"grade":3,"cause":"general_illness"`, `"grade":4,"cause":"general_illness"`, "criteria.package_differs"},
		"finding": {`{"criterion":"heart-failure","grade":3},{`, `{"criterion":"heart-failure","grade":4},{`, "criteria.package_differs"},
		"order":   {`{"criterion":"heart-failure","grade":3},{"criterion":"limbs-shin","grade":2}`, `{"criterion":"limbs-shin","grade":2},{"criterion":"heart-failure","grade":3}`, "criteria.package_input"},
		"rules":   {`"rules":"v1-`, `"rules":"v9-`, "criteria.rules_unknown"},
	} {
		changed := bytes.Replace(file, []byte(c.from), []byte(c.to), 1)
		if bytes.Equal(changed, file) {
			t.Fatalf("%s: nothing was changed", name)
		}
		p, err := criteria.ReadPackage(changed)
		if err == nil {
			_, _, err = p.Again()
		}
		var problem *tesdiq.Problem
		if !errors.As(err, &problem) || problem.Key != c.key {
			t.Errorf("%s: %v, wants %s", name, err, c.key)
		}
	}
}

func TestOrderOfFindingsDoesNotMatter(t *testing.T) {
	in := adult(criteria.Condition{Criterion: "limbs-shin", Grade: 2}, criteria.Condition{Criterion: "heart-failure", Grade: 3}, criteria.Condition{Criterion: "mental-mood", Grade: 1})
	want, err := criteria.Decide(in)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(in.Findings.Conditions)
	got, err := criteria.Decide(in)
	if err != nil || !bytes.Equal(got.Canonical(), want.Canonical()) {
		t.Errorf("%v\n%s\n%s", err, got.Canonical(), want.Canonical())
	}
}
