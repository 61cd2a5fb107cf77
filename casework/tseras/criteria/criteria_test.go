package criteria_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
		"rules":   {`"rules":"v`, `"rules":"w`, "criteria.rules_unknown"},
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

func TestMembersAgreeByMajority(t *testing.T) {
	found := func(movement criteria.Limit, cs ...criteria.Condition) criteria.Findings {
		f := criteria.Findings{Conditions: cs, Activities: free()}
		f.Activities.Movement = movement
		return f
	}
	stroke := func(grade int) criteria.Condition {
		return criteria.Condition{Criterion: "nervous-stroke", Grade: grade}
	}
	mood := criteria.Condition{Criterion: "mental-mood", Grade: 2}
	for _, c := range []struct {
		name      string
		members   []criteria.Findings
		agreed    []criteria.Condition
		movement  criteria.Limit
		different []criteria.Difference
	}{
		{"two alike", []criteria.Findings{found("II", stroke(3)), found("II", stroke(3))}, []criteria.Condition{stroke(3)}, "II", nil},
		{"two, another grade", []criteria.Findings{found("II", stroke(3)), found("II", stroke(2))}, nil, "II", []criteria.Difference{{Criterion: "nervous-stroke"}}},
		{"two, another limit", []criteria.Findings{found("II", stroke(3)), found("I", stroke(3))}, []criteria.Condition{stroke(3)}, "", []criteria.Difference{{Activity: "movement"}}},
		{"two, one sees more", []criteria.Findings{found("II", stroke(3), mood), found("II", stroke(3))}, []criteria.Condition{stroke(3)}, "II", []criteria.Difference{{Criterion: "mental-mood"}}},
		{"three, one sees more", []criteria.Findings{found("II", stroke(3), mood), found("II", stroke(3)), found("II", stroke(3))}, []criteria.Condition{stroke(3)}, "II", nil},
		{"three, one differs", []criteria.Findings{found("I", stroke(2)), found("II", stroke(3)), found("II", stroke(3))}, []criteria.Condition{stroke(3)}, "II", nil},
		{"three, all differ", []criteria.Findings{found("I", stroke(2)), found("II", stroke(3)), found("III", stroke(4))}, nil, "", []criteria.Difference{{Criterion: "nervous-stroke"}, {Activity: "movement"}}},
		{"nobody", nil, nil, "", nil},
	} {
		agreed, different := criteria.Agree(c.members)
		if len(c.members) == 0 {
			if len(different) != len(criteria.ActivityNames) {
				t.Errorf("%s agreed on %d activities", c.name, len(criteria.ActivityNames)-len(different))
			}
			continue
		}
		if !slices.Equal(agreed.Conditions, c.agreed) || agreed.Activities.Movement != c.movement || !slices.Equal(different, c.different) {
			t.Errorf("%s: %v %s, different %v", c.name, agreed.Conditions, agreed.Activities.Movement, different)
		}
	}
}

func TestTheDaysOfATermsEnd(t *testing.T) {
	for on, want := range map[string]criteria.Terms{"2016-01-01": {15, 14, 30}, "2020-01-16": {15, 14, 30}, "2026-11-22": {15, 14, 30}, "1997-08-28": {}} {
		if got := criteria.Current().Terms(day(on)); got != want {
			t.Errorf("on %s: %+v", on, got)
		}
	}
}

func TestInputsAreReadStrictly(t *testing.T) {
	good := string(adult().Canonical())
	if _, err := criteria.ReadInput([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"a name":       strings.Replace(good, `{"case_on"`, `{"name":"x","case_on"`, 1),
		"two values":   good + good,
		"no value":     "",
		"a list":       "[]",
		"no day":       strings.Replace(good, "2026-02-10", "2026-02-30", 1),
		"a half grade": strings.Replace(good, `"conditions":[]`, `"conditions":[{"criterion":"nervous-stroke","grade":2.5}]`, 1),
	} {
		if text == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := criteria.ReadInput([]byte(text)); !errors.Is(err, tesdiq.Invalid("criteria.input_unreadable")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Decisions of before are decided again to the same bytes by every later program. Nothing may be written over these files.
func TestPackagesOfBefore(t *testing.T) {
	files, err := filepath.Glob("testdata/packages/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d packages, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := criteria.ReadPackage(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, r, err := p.Again(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, r.Canonical())
		}
		if !bytes.Equal(p.Bytes(), b) {
			t.Errorf("%s: written again it is another file", name)
		}
	}
}

// No reason names an act of after the case's own day, and an item only with its act. The days are those that the person reads.
func TestNoReasonCitesALaterAct(t *testing.T) {
	text, written := wordsIn(t, tesdiq.Az), regexp.MustCompile(`\b\d\d\.\d\d\.\d{4}\b`)
	cited := map[string]int{}
	look := func(in criteria.Input, r criteria.Result) {
		for _, x := range r.Reasons {
			cited[r.Law+" "+x.Act]++
			if x.Act == "" {
				if x.Item != "" {
					t.Errorf("%s: %s of no act", x.Key, x.Item)
				}
				continue
			}
			if of := written.FindString(text("criteria.act." + x.Act)); of != "" && in.CaseOn.Before(day(of)) {
				t.Errorf("a case of %s: %s is of Cabinet %s of %s", in.CaseOn, x.Key, x.Act, of)
			}
			if x.Act == "187" && r.Law == "413" {
				t.Errorf("a case of %s, under 413: %s is of Cabinet 187", in.CaseOn, x.Key)
			}
		}
	}
	for n := range throws {
		in := throw(uint64(n)).input()
		look(in, decide(t, n, in))
	}
	files, err := filepath.Glob("testdata/situations/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		s := readSituation(t, path)
		if r, err := criteria.Decide(s.in); err == nil {
			look(s.in, r)
		}
		r, _ := criteria.Alone(s.in)
		look(s.in, r)
	}
	for _, of := range []string{"413 413", "413 11", "187 187", "187 11", "187 12"} {
		if cited[of] == 0 {
			t.Errorf("no reason under one law cites the other: %s", of)
		}
	}
}

// Where the item of an act is known the person reads it.
func TestTheItemOfAnActIsSaid(t *testing.T) {
	for lang, want := range map[tesdiq.Lang]string{tesdiq.Az: ", bənd 1.5.2", tesdiq.En: ", item 1.5.2", tesdiq.Ru: ", пункт 1.5.2"} {
		s := criteria.Speaker{Rules: criteria.Current(), Day: day("2026-02-02"), Lang: lang, Text: wordsIn(t, lang)}
		whole, without := s.Act(criteria.Reason{Act: "12", Item: "1.5.2"}), s.Act(criteria.Reason{Act: "12"})
		if whole != without+want {
			t.Errorf("%s: %s", lang, whole)
		}
	}
}

// Reasons and changes can be said in every language, with nothing left open.
func TestEverySituationCanBeSaidInEveryLanguage(t *testing.T) {
	for n := range 100 {
		in := throw(uint64(n)).input()
		r, err := criteria.Decide(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, lang := range tesdiq.Langs {
			s := criteria.Speaker{Rules: criteria.Current(), Day: in.CaseOn, Lang: lang, Text: wordsIn(t, lang)}
			for _, x := range r.Reasons {
				if said := s.Reason(x) + s.Act(x) + s.Label(x); strings.Contains(said, "criteria.") || strings.Contains(said, "no value") {
					t.Errorf("%s: %s", lang, said)
				}
			}
			for _, c := range r.Changes {
				if said := s.Change(c); strings.Contains(said, "criteria.") || strings.HasSuffix(said, ": .") {
					t.Errorf("%s: %s", lang, said)
				}
			}
		}
	}
}
