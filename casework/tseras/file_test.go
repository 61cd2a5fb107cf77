package tseras_test

import (
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
)

// A case that was opened under the law of degrees and is decided today stands in the book by its own day, for the book's
// measure goes by the examination's day.
func TestACaseOfTheLawOfDegreesIsEntered(t *testing.T) {
	today, born := tesdiq.MustDate("2026-11-23"), tesdiq.MustDate("1970-05-01")
	f := tseras.File{Born: born, Case: casework.Case{Head: casework.Head{Subject: "5NQ7K2M", LawOn: tesdiq.MustDate("2022-06-29")}}}
	in := f.Input(today)
	in.Findings = criteria.Findings{
		Conditions: []criteria.Condition{{Criterion: "joints-rheumatoid", Grade: 3}},
		Activities: criteria.Activities{SelfCare: criteria.LimitII, Movement: criteria.LimitII, Orientation: "none", Communication: "none", Behaviour: "none",
			Learning: "none", Work: criteria.LimitII},
	}
	r, err := criteria.Decide(in)
	if err != nil || r.Degree == "" {
		t.Fatalf("%+v, %v", r, err)
	}
	x, entered := tseras.EntryOf(f, r, "7 saylı TSEK")
	x.Number = "M-2026-000001"
	if ps := x.Validate(registry.Circumstances{Today: today, Born: born}); !entered || len(ps) > 0 || x.From != today {
		t.Errorf("%+v: %v", x, ps)
	}
}

func TestWhatFoundNoDisabilityBreaksATrackRecord(t *testing.T) {
	p := tseras.PriorOf(examination.Examination{ExaminedOn: tesdiq.MustDate("2024-03-01"), Outcome: examination.NotDisability, Loss: 25}, nil)
	if p.From.ISO() != "2024-03-01" {
		t.Errorf("from %s", p.From.ISO())
	}
}

// Whether the life activity "work" is assessed goes by the case's own day, so the members must be told the age on that day, whenever the
// institution referred.
func TestMembersAreToldTheAgeOnTheCasesOwnDay(t *testing.T) {
	opened, born := tesdiq.MustDate("2026-03-02"), tesdiq.MustDate("2011-03-05")
	f := tseras.File{Born: born, Case: casework.Case{Head: casework.Head{LawOn: opened}}, Referral: &tseras.Referral{On: tesdiq.MustDate("2026-03-09")}}
	if age := f.Blinded(f.Case.LawOn).Age; age != 7 || age.Works() {
		t.Errorf("she was fourteen, and the members are told %s", age)
	}
}
