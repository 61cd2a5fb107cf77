package people_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

var today = tesdiq.NewDate(2026, 11, 21)

// Generate panics when the books' own rules refuse what it invents, so that every property below also tests that.
func TestPeopleAreWhatTheBooksAllow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		day := today.AddDays(rapid.IntRange(0, 3000).Draw(t, "days"))
		last := map[string]int{}
		for v := range people.Generate(rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 200).Draw(t, "n"), day) {
			object := string(v.Head.Book) + v.Head.Number
			if v.Head.Version != last[object]+1 {
				t.Fatalf("%s: version %d after %d", object, v.Head.Version, last[object])
			}
			last[object] = v.Head.Version
			if !v.Head.EnteredAt.Before(day.Start()) {
				t.Fatalf("%s: entered at %s, ahead of %s", object, v.Head.EnteredAt, day)
			}
			if k, ok := v.Body.(contract.Contract); ok && (!k.EmployerVOEN.CheckDigit() || !k.EmployerVOEN.IsLegalPerson()) {
				t.Fatalf("VÖEN %s", k.EmployerVOEN)
			}
		}
	})
}

func TestTheSameSeedGivesTheSamePeople(t *testing.T) {
	one := slices.Collect(people.Generate(7, 300, today))
	two := slices.Collect(people.Generate(7, 300, today))
	if !slices.Equal(one, two) {
		t.Error("two runs differ")
	}
	other := slices.Collect(people.Generate(8, 300, today))
	if slices.Equal(one, other) {
		t.Error("two seeds do not differ")
	}
}

func TestTenThousandPeopleHaveEverything(t *testing.T) {
	const n = 10_000
	seen := map[string]int{}
	see := func(what string) { seen[what]++ }
	persons, fins := 0, map[tesdiq.FIN]bool{}
	var thisPerson person.Person
	employers := map[tesdiq.FIN]map[tesdiq.VOEN]bool{}
	for v := range people.Generate(1, n, today) {
		see(string(v.Head.Book) + " " + string(v.Head.Act))
		switch b := v.Body.(type) {
		case person.Person:
			persons++
			if fins[b.FIN] {
				t.Fatalf("FIN %s twice", b.FIN)
			}
			fins[b.FIN], thisPerson = true, b
			woman := strings.HasSuffix(b.Name.Surname, "ova") || strings.HasSuffix(b.Name.Surname, "yeva")
			man := strings.HasSuffix(b.Name.Surname, "ov") || strings.HasSuffix(b.Name.Surname, "yev")
			if woman && b.Sex != tesdiq.Female || man && b.Sex != tesdiq.Male {
				t.Errorf("%s is %s", b.Name.Full(b.Sex), b.Sex)
			}
			if b.Born.AddYears(100).Before(today) {
				see("over a hundred")
			}
			if b.Name.Father == "" {
				see("no father's name")
			}
		case examination.Examination:
			if thisPerson.FIN != b.Subject {
				t.Fatalf("examination of %s among the entries of %s", b.Subject, thisPerson.FIN)
			}
			see("outcome " + string(b.Outcome))
			see("cause " + string(b.Cause))
			if b.Outcome == examination.Disability {
				see("band " + string(b.Band()))
				see("degree " + string(b.Degree))
				see("group " + string(b.Group))
			}
			if b.Repeat {
				see("repeat")
			}
			if b.Outcome != examination.NotDisability && b.Until.IsZero() {
				see("indefinite")
			}
			if b.HoldsOn(today) {
				see("disability now")
			}
		case contract.Contract:
			if employers[b.Subject] == nil {
				employers[b.Subject] = map[tesdiq.VOEN]bool{}
			}
			employers[b.Subject][b.EmployerVOEN] = true
			see("contract " + string(b.State))
			if !b.Main {
				see("additional")
			}
			if !b.Until.IsZero() {
				see("fixed term")
			}
			if v.Head.Version > 1 && b.State == contract.Active {
				see("amended")
			}
			if b.HoldsOn(today) && v.Head.Version == 1 {
				see("job now")
			}
			for _, form := range []string{"Məhdud Məsuliyyətli", "Açıq Səhmdar", "Qapalı Səhmdar"} {
				if strings.Contains(b.Employer, form) {
					see(form)
				}
			}
		}
	}
	if persons != n+len(people.Cast) {
		t.Errorf("%d people, want %d and the cast", persons, n)
	}
	for _, several := range employers {
		if len(several) > 2 {
			see("several employers")
		}
	}
	for what, least := range map[string]int{
		"person append": n, "examination append": n / 2, "examination correct": 50, "examination annul": 10, "contract append": n * 5 / 2,
		"outcome disability": 2000, "outcome child": 300, "outcome not_disability": 200,
		"band 31-60": 300, "band 61-80": 300, "band 81-100": 300, "degree I": 100, "degree II": 100, "degree III": 100,
		"group I": 100, "group II": 100, "group III": 100, "repeat": 1000, "indefinite": 300, "disability now": 500,
		"contract active": n, "contract terminated": n / 2, "additional": 300, "fixed term": 1000, "amended": 3000, "job now": 1000,
		"several employers": 500, "over a hundred": 10, "no father's name": 5,
		"Məhdud Məsuliyyətli": 1000, "Açıq Səhmdar": 1000, "Qapalı Səhmdar": 1000,
	} {
		if seen[what] < least {
			t.Errorf("%s: %d, want at least %d", what, seen[what], least)
		}
	}
	for _, c := range examination.Causes {
		if seen["cause "+string(c)] == 0 {
			t.Errorf("nobody's cause is %s", c)
		}
	}
	t.Log(seen)
}

func TestTheCast(t *testing.T) {
	known := map[tesdiq.FIN][]registry.Version{}
	for v := range people.Generate(1, 0, today) {
		known[v.Head.Subject] = append(known[v.Head.Subject], v)
	}
	for _, a := range people.Cast {
		if _, err := tesdiq.ParseFIN(string(a.FIN)); err != nil || len(known[a.FIN]) == 0 {
			t.Errorf("%s: FIN %s: %v, %d versions", a.Key, a.FIN, err, len(known[a.FIN]))
		}
	}
	if got := people.Who("nermin").Name.Full(tesdiq.Female); got != "Quliyeva Nərmin Əli qızı" {
		t.Errorf("the first of the cast is %s", got)
	}
	if n := len(known[people.Who("gunay").FIN]); n != 1 {
		t.Errorf("the books say %d things about Günay, want only that she is there", n)
	}
	holds := 0
	for _, v := range known[people.Who("nermin").FIN] {
		if e, ok := v.Body.(examination.Examination); ok && e.HoldsOn(today) && e.Band() == examination.Band61 {
			holds++
		}
	}
	if holds != 1 {
		t.Errorf("Nərmin has %d current disabilities of the middle band, want 1", holds)
	}
	for _, o := range people.Organisations {
		if !o.VOEN.CheckDigit() {
			t.Errorf("%s: VÖEN %s", o.Key, o.VOEN)
		}
		for _, m := range o.Members {
			people.Who(m.Key) // panics when there is none
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		for range people.Generate(1, 1000, today) {
		}
	}
}
