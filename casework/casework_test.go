package casework_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
)

var machine = casework.Machine{Procedure: "tseras", Transitions: []casework.Transition{
	{Kind: "assessment", From: "", To: "gathering", By: []casework.Part{casework.BySubject}},
	{Kind: "assessment", From: "gathering", To: "decided", By: []casework.Part{casework.BySystem}},
}}

func TestACaseGoesOnlyWhereTheMachineLets(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	system := casework.Actor{Part: casework.BySystem}
	c := casework.Case{Head: casework.Head{Procedure: "tseras", Kind: "assessment"}}
	if _, _, err := machine.Move(c, "decided", system, "decided", nil, casework.Clock{}, at); !errors.Is(err, casework.ErrState) {
		t.Errorf("decided before it began: %v", err)
	}
	if _, _, err := machine.Move(c, "gathering", system, "opened", nil, casework.Clock{}, at); !errors.Is(err, casework.ErrState) {
		t.Errorf("opened by the system: %v", err)
	}
	c, s, err := machine.Move(c, "gathering", casework.Actor{Part: casework.BySubject, FIN: "5NQ7K2M"}, "opened", nil, casework.Clock{}, at)
	if err != nil || c.Seq != 1 || s.Seq != 1 || s.From != "" || c.State != "gathering" {
		t.Fatalf("%+v, %+v, %v", c, s, err)
	}
	// A clock that runs behind does not put the second step before the first.
	c, s, err = machine.Move(c, "decided", system, "decided", nil, casework.Clock{}, at.Add(-time.Hour))
	if err != nil || !s.At.Equal(at) || !c.Since.Equal(at) {
		t.Errorf("%v, %v", s.At, err)
	}
	if !machine.Closed("assessment", c.State) || machine.Closed("assessment", "gathering") || machine.Closed("assessment", "") {
		t.Error("closed states are told wrongly")
	}
}

func TestClocks(t *testing.T) {
	cal := tesdiq.AzerbaijanCalendar()
	day := tesdiq.MustDate("2026-11-23")
	c := casework.Case{Head: casework.Head{Procedure: "tseras", Kind: "assessment", LawOn: day}}
	start := func(to casework.State, variant string, on tesdiq.Date) casework.Clock {
		t.Helper()
		k, err := casework.Clocks().Start(cal, c, to, variant, on)
		if err != nil {
			t.Fatal(err)
		}
		c.State, c.Clock = to, k
		return k
	}
	if k := start("awaiting_referral", "", day); k.Turn != casework.Institution || k.DueBy.ISO() != "2026-12-02" {
		t.Errorf("a referral: %+v", k)
	}
	if k := start("awaiting_referral", "urgent", day); k.DueBy.ISO() != "2026-11-30" {
		t.Errorf("an urgent referral: %+v", k)
	}
	first := start("awaiting_draw", "", day)
	if first.Turn != casework.Commission || first.DueBy.ISO() != "2026-12-07" {
		t.Errorf("an assessment: %+v", first)
	}
	if k := start("drawn", "", day.AddDays(1)); k != first {
		t.Errorf("the draw starts another clock: %+v", k)
	}
	if k := start("drawn", "extended", day.AddDays(9)); k.Began != day || k.DueBy.ISO() != "2026-12-14" {
		t.Errorf("15 days count from where the 10 did: %+v", k)
	}
	if k := start("decided", "", day); k.Turn != casework.Nobody || !k.DueBy.IsZero() {
		t.Errorf("a decided case: %+v", k)
	}
	if _, err := casework.Clocks().Start(cal, c, "drawn", "forever", day); err == nil {
		t.Error("a variant that no rule knows has a clock")
	}
	c.LawOn = tesdiq.MustDate("2015-06-01")
	if k := start("awaiting_draw", "", day); !k.DueBy.IsZero() {
		t.Errorf("under a law before the rules: %+v", k)
	}
	for today, want := range map[string]casework.Alarm{
		"2026-12-02": casework.Quiet, "2026-12-03": casework.Soon, "2026-12-07": casework.Soon, "2026-12-08": casework.Overdue,
	} {
		if got, err := first.Alarm(cal, tesdiq.MustDate(today)); got != want || err != nil {
			t.Errorf("on %s: %q, %v; want %q", today, got, err, want)
		}
	}
}
