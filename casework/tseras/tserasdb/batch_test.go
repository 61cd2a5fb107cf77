package tserasdb_test

import (
	"context"
	"sync"
	"testing"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
)

// counted counts what the registers are asked.
type counted struct {
	tseras.Registry
	mu        sync.Mutex
	questions map[string]int
}

func (c *counted) Ask(ctx context.Context, questions []gateway.Question) []gateway.Outcome {
	c.mu.Lock()
	for _, q := range questions {
		c.questions[q.ID]++
	}
	c.mu.Unlock()
	return c.Registry.Ask(ctx, questions)
}

// What is wrong with one case of a batch keeps the others neither from being asked for nor from being drawn for, and each is
// asked for once though the batch was done again case by case.
func TestOneCaseDoesNotKeepItsBatch(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	var ids []casework.ID
	for _, who := range []string{"nermin", "cavid"} {
		c, err := w.desk.Refer(ctx, w.from, w.referral(who), "signed")
		w.must(err)
		ids = append(ids, c.ID)
	}
	spoil := func() { // the first one's referral cannot be read any more
		_, err := w.db.Admin.Exec(ctx, `UPDATE tseras_referrals SET referral = '"nothing"' WHERE case_id = $1`, ids[0])
		w.must(err)
	}
	states := func() (all []string) {
		w.must(w.db.Admin.QueryRow(ctx, `SELECT array_agg(state ORDER BY id) FROM cases`).Scan(&all))
		return all
	}
	var referral []byte
	w.must(w.db.Admin.QueryRow(ctx, `SELECT referral::text FROM tseras_referrals WHERE case_id = $1`, ids[0]).Scan(&referral))

	count := &counted{Registry: w.gatherer.Registers, questions: map[string]int{}}
	w.gatherer.Registers = count
	spoil()
	last, n, err := w.gatherer.Gather(ctx, 0)
	if last != ids[1] || n != 1 || err == nil {
		t.Errorf("gathered: up to %d, %d, %v", last, n, err)
	}
	if got := states(); got[0] != "gathering" || got[1] != "awaiting_draw" {
		t.Errorf("%v", got)
	}
	for id, n := range count.questions {
		if n != 1 {
			t.Errorf("question %s was asked %d times", id, n)
		}
	}
	if len(count.questions) < 2 {
		t.Errorf("%d questions", len(count.questions))
	}

	_, err = w.db.Admin.Exec(ctx, `UPDATE tseras_referrals SET referral = $2::jsonb WHERE case_id = $1`, ids[0], string(referral))
	w.must(err)
	if _, n, err := w.gatherer.Gather(ctx, 0); n != 1 || err != nil {
		t.Fatalf("gathered: %d, %v", n, err)
	}
	spoil()
	drawn := 0
	for range 2 {
		n, err := w.drawer.Draw(ctx)
		w.must(err)
		drawn += n
	}
	if got := states(); drawn != 1 || got[0] != "awaiting_draw" || got[1] != "drawn" {
		t.Errorf("%d drawn, %v", drawn, got)
	}
}

// Cases for which nobody can be drawn are older than all others and more than a batch: the others are drawn for all the same, and by one call as many
// as a batch has. Where one call cannot look at all, the next goes on behind.
func TestCasesThatCannotBeDrawnForThrottleNoOthers(t *testing.T) {
	for name, x := range map[string]struct{ size, looks, first, second int }{
		"looks at all":   {2, 10, 3, 0},
		"cannot":         {2, 1, 0, 1},
		"and then again": {3, 1, 0, 3},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tserasdb.DrawBatches(t, x.size, x.looks)
			for i, who := range []string{"nermin", "cavid", "elcin", "aysel", "nigar", "zaur"} {
				c, err := w.desk.Refer(t.Context(), w.from, w.referral(who), "signed")
				w.must(err)
				_, _, err = w.gatherer.Gather(t.Context(), 0)
				w.must(err)
				w.expect(c.Subject, c.Number, tseras.AwaitingDraw)
				if i < 3 {
					_, err := w.db.Admin.Exec(t.Context(), `UPDATE tseras_referrals SET referral = '"nothing"' WHERE case_id = $1`, c.ID)
					w.must(err)
				}
			}
			for i, want := range []int{x.first, x.second} {
				if n, err := w.drawer.Draw(t.Context()); n != want || err != nil {
					t.Errorf("call %d: drawn for %d, want %d; %v", i+1, n, want, err)
				}
			}
		})
	}
}
