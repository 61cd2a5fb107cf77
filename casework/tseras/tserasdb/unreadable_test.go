package tserasdb_test

import (
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

// What a member found in one case cannot be read: it waits, and who is silent in another is passed over all the same.
func TestFindingsThatCannotBeReadKeepNobodyElseWaiting(t *testing.T) {
	w := newWorld(t)
	var cases []casework.Case
	for _, who := range []string{"nermin", "cavid"} {
		c, err := w.desk.Refer(t.Context(), w.from, w.referral(who), "signed")
		w.must(err)
		cases = append(cases, c)
	}
	w.work()
	w.work()
	for _, c := range cases {
		number := w.blind(c.Number)
		for fin, s := range w.seats(number) {
			if s.Role == tseras.Chair {
				w.must(w.bench.Record(t.Context(), fin, number, findings("joints-rheumatoid", 2)))
			}
		}
	}
	_, err := w.db.Admin.Exec(t.Context(), `UPDATE tseras_findings SET findings = '"nothing"' WHERE number = $1`, w.blind(cases[0].Number))
	w.must(err)
	w.later = 28 * 24 * time.Hour
	if n, err := w.decider.PassOver(t.Context()); err == nil || n != 1 {
		t.Errorf("%d went on: %v", n, err)
	}
	w.expect(cases[0].Subject, cases[0].Number, tseras.Drawn)
	w.expect(cases[1].Subject, cases[1].Number, tseras.FurtherMember)
}
