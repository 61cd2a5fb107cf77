package tseras_test

import (
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

func TestNotices(t *testing.T) {
	day := tesdiq.MustDate
	for name, c := range map[string]struct {
		terms       criteria.Terms
		next, until string
		want        map[string]tseras.Notice
	}{
		"by the rules": {criteria.Current().Terms(day("2026-10-01")), "2026-11-01", "2026-12-31", map[string]tseras.Notice{
			"2026-10-16": "", "2026-10-17": tseras.Invited, "2026-10-31": tseras.Invited, "2026-11-01": tseras.Invited, "2026-12-16": tseras.Invited,
			"2026-12-17": tseras.Reminded, "2026-12-31": tseras.Reminded, "2027-01-01": tseras.Ended, "2027-01-30": tseras.Ended, "2027-01-31": "",
		}},
		"by other days": {criteria.Terms{Invite: 30, Remind: 7, Late: 0}, "2026-11-01", "2026-12-31", map[string]tseras.Notice{
			"2026-10-01": "", "2026-10-02": tseras.Invited, "2026-12-23": tseras.Invited, "2026-12-24": tseras.Reminded, "2026-12-31": tseras.Reminded, "2027-01-01": "",
		}},
		"a term of a few days": {criteria.Terms{Invite: 15, Remind: 14, Late: 30}, "2026-11-02", "2026-11-10", map[string]tseras.Notice{
			"2026-11-01": tseras.Invited, "2026-11-02": tseras.Reminded, "2026-11-11": tseras.Ended,
		}},
		"without a term": {criteria.Terms{Invite: 15, Remind: 14, Late: 30}, "", "", map[string]tseras.Notice{"2026-10-17": "", "2036-01-01": ""}},
	} {
		var next, until tesdiq.Date
		if c.until != "" {
			next, until = day(c.next), day(c.until)
		}
		for today, want := range c.want {
			got, due := tseras.NoticeOn(day(today), c.terms, next, until)
			if got != want || due != (want != "") {
				t.Errorf("%s, %s: %q, %v; want %q", name, today, got, due, want)
			}
			// What is looked at for notices leaves out nobody who is due.
			if first, opens := tseras.Noticed(day(today), c.terms); due && (until.Before(first) || next.After(opens)) {
				t.Errorf("%s, %s: looked at are terms that end from %s and open by %s", name, today, first, opens)
			}
		}
	}
}

// The first notice of what is decided today comes before the day from which the decision says that one can apply.
func TestWhoIsDecidedIsInvitedBeforeTheWindow(t *testing.T) {
	free := criteria.Activities{SelfCare: "none", Movement: "none", Orientation: "none", Communication: "none", Behaviour: "none", Learning: "none", Work: "none"}
	r, err := criteria.Decide(criteria.Input{
		CaseOn: tesdiq.MustDate("2026-02-02"), DecidedOn: tesdiq.MustDate("2026-02-10"), Born: tesdiq.MustDate("1980-05-17"),
		Findings: criteria.Findings{Conditions: []criteria.Condition{{Criterion: "nervous-stroke", Grade: 3}}, Activities: free},
	})
	if err != nil {
		t.Fatal(err)
	}
	for today := r.DecidedOn; ; today = today.AddDays(1) {
		n, due := tseras.NoticeOn(today, criteria.Current().Terms(today), r.NextFrom, r.Until)
		if !due {
			continue
		}
		if before := today.DaysUntil(r.NextFrom); n != tseras.Invited || before != 15 {
			t.Errorf("%s on %s, %d days before %s", n, today, before, r.NextFrom)
		}
		return
	}
}
