package tserasdb_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// younger counts drawings by rounds that were committed to after the step that called for the draw.
const younger = `SELECT count(*) FROM drawings d JOIN draw_rounds r ON r.round = d.round JOIN case_steps t ON t.case_id = d.case_id AND t.seq = d.seq WHERE r.committed_at > t.at`

// A case is drawn for by a round that was committed to before it waited for the draw, also when it had to wait; where none is left it waits
// on, until a step says anew that it waits.
func TestNobodyIsDrawnByARoundYoungerThanTheCase(t *testing.T) {
	tserasdb.SmallBatches(t) // so that one of two cases is left over
	tserasdb.Ahead(t, 1)
	w := newWorld(t)
	ctx := t.Context()
	var ids []casework.ID
	ready := func() {
		t.Helper()
		ids = nil
		for _, who := range []string{"nermin", "cavid"} {
			c, err := w.desk.Refer(ctx, w.from, w.referral(who), "signed")
			w.must(err)
			ids = append(ids, c.ID)
		}
		_, n, err := w.gatherer.Gather(ctx, 0)
		w.must(err)
		if n != 2 {
			t.Fatalf("%d gathered", n)
		}
	}
	ready()
	draw := func(want int) {
		t.Helper()
		if n, err := w.drawer.Draw(ctx); err != nil || n != want {
			t.Fatalf("drawn for %d, want %d: %v", n, want, err)
		}
		var wrong int
		w.must(w.db.Admin.QueryRow(ctx, younger).Scan(&wrong))
		if wrong != 0 {
			t.Fatalf("%d are drawn by a younger round", wrong)
		}
	}
	round := func(id casework.ID) (n int64) {
		t.Helper()
		w.must(w.db.Admin.QueryRow(ctx, `SELECT round FROM drawings WHERE case_id = $1`, id).Scan(&n))
		return n
	}
	draw(1)
	draw(0) // round 2 was committed to when the second was known
	w.refusedBy(postgres.Casework, "draws by a younger round", `
		INSERT INTO drawings (round, ref, case_id, seq, commitment, salt, drawing) SELECT 2, 'YOUNGER', c.id, c.seq, d.commitment, d.salt, d.drawing FROM drawings d, cases c WHERE c.id = $1`, ids[1])
	w.refusedBy(postgres.Casework, "draws by a seed that is open", `
		INSERT INTO drawings (round, ref, case_id, seq, commitment, salt, drawing) SELECT 1, 'OPEN', c.id, c.seq, d.commitment, d.salt, d.drawing FROM drawings d, cases c WHERE c.id = $1`, ids[1])
	fin, by := subject("nermin")
	cases, err := w.desk.Cases(ctx, fin)
	w.must(err)
	w.must(w.desk.Withdraw(ctx, fin, cases[0].Number, by)) // nobody passes its members over
	w.later = 60 * 24 * time.Hour
	_, err = w.decider.PassOver(ctx)
	w.must(err)
	draw(1)
	if a, b := round(ids[0]), round(ids[1]); a != 1 || b != 2 {
		t.Errorf("drawn by %d and %d", a, b)
	}

	// With enough rounds ahead nobody waits: who was left over is drawn for by an older one, the youngest that there is.
	tserasdb.Ahead(t, 3)
	w = newWorld(t)
	ready()
	draw(1)
	draw(1)
	if a, b := round(ids[0]), round(ids[1]); a != 3 || b != 2 {
		t.Errorf("drawn by %d and %d", a, b)
	}
	drawn, err := w.rounds.Drawn(ctx, 0, 100)
	w.must(err)
	promised, err := w.rounds.Promised(ctx)
	w.must(err)
	for i, s := range slices.Concat(drawn, promised) {
		r, err := w.rounds.Round(ctx, s.Number)
		w.must(err)
		if _, err := r.Verify(); err != nil || len(s.Line()) != 12 || (r.Seed == nil) != (i >= len(drawn)) || (s.Opened == nil) != (i >= len(drawn)) {
			t.Errorf("%v, %q, opened %v, seed %v", err, s.Line(), s.Opened, r.Seed)
		}
	}
	numbers := func(rounds []tseras.RoundSummary) (all []int64) {
		for _, s := range rounds {
			all = append(all, s.Number)
		}
		return all
	}
	if d, p := numbers(drawn), numbers(promised); !slices.Equal(d, []int64{2, 3}) || !slices.Equal(p, []int64{1, 4, 5}) {
		t.Errorf("drawn %v, promised %v", d, p)
	}
	if older, err := w.rounds.Drawn(ctx, 2, 100); err != nil || !slices.Equal(numbers(older), []int64{3}) {
		t.Errorf("before round 2: %v, %v", older, err)
	}
	if none, err := w.rounds.Drawn(ctx, 4, 100); err != nil || len(none) != 0 {
		t.Errorf("before a round that is not drawn: %v, %v", none, err)
	}

	// Another key is no reason to open what does not fit the promise; its own rounds are committed to first.
	w.drawer.Key = tseras.DrawKey(strings.Repeat("n", 32))
	if n, err := w.drawer.Draw(ctx); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if promised, err = w.rounds.Promised(ctx); err != nil || len(promised) != 6 {
		t.Errorf("%d promised rounds, %v", len(promised), err)
	}
	// Who writes another line, or another time, is found by everybody.
	for _, sql := range []string{`UPDATE draw_rounds SET committed_at = committed_at - interval '1 hour' WHERE round = 3`, `UPDATE ledger_lines SET mac = key WHERE kind = 'round' AND object = '2'`} {
		_, err := w.db.Admin.Exec(ctx, sql)
		w.must(err)
	}
	for n := int64(2); n <= 3; n++ {
		r, err := w.rounds.Round(ctx, n)
		w.must(err)
		if _, err := r.Verify(); err == nil || !strings.Contains(err.Error(), "the ledger line does not commit to this promise at this time") {
			t.Errorf("round %d: %v", n, err)
		}
	}
	w.refusedBy(postgres.Casework, "reads the ledger", `SELECT key FROM ledger_lines`)
}
