package tserasdb_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// A member who knows an inspector must not learn by him whom he assesses: which member has which case is shown when it is closed.
func TestInspectorsSeeWhoRefusedWhenTheCaseIsClosed(t *testing.T) {
	w := newWorld(t)
	pool := w.db.Pool(postgres.Inspection)
	fin, _ := subject("nermin")
	c, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	sees := func(want int) {
		t.Helper()
		for _, view := range []string{"inspection_refusals", "inspection_further"} {
			var n int
			w.must(pool.QueryRow(t.Context(), `SELECT count(*) FROM `+view+` WHERE number = $1`, c.Number).Scan(&n))
			if n != want {
				t.Errorf("%s: %d, want %d", view, n, want)
			}
		}
		// Nor how many cases wait for somebody: whom the lot drew counts when the case is closed.
		var lots int
		w.must(pool.QueryRow(t.Context(), `SELECT count(*) FROM inspection_lots`).Scan(&lots))
		if (lots > 0) != (want > 0) {
			t.Errorf("%d lots are counted, closed cases: %d", lots, want)
		}
	}
	w.work()
	w.work()
	found := func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", 2) }
	number := w.record(w.seats(""), found)
	w.work()
	w.sign(number, tseras.Chair)
	w.work()
	w.work() // a further member is drawn
	w.expect(fin, c.Number, tseras.FurtherMember)
	sees(0)
	w.record(w.seats(number), found)
	w.work()
	for fin := range w.seats(number) {
		w.must(w.bench.Sign(t.Context(), fin, number, tseras.Word{N: 2, Signs: true, Evidence: "token"}))
	}
	w.work()
	w.expect(fin, c.Number, tseras.Decided)
	sees(1)

	// A look opens a name to who made it alone. Whoever owns the role may date a look next year: the name is closed after a quarter of an hour all the same.
	var id, look, office int64
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT c.id, o.id FROM cases c, organisations o WHERE c.number = $1`, c.Number).Scan(&id, &office))
	token := strings.Repeat("A", 26)
	w.must(pool.QueryRow(t.Context(), `
		INSERT INTO inspection_looks (token, case_id, organisation_id, office, officer_fin, officer, purpose, at)
		VALUES ($1, $2, $3, 'x', '5ZK8R2M', 'x', 'court', now() + interval '1 year') RETURNING id`, token, id, office).Scan(&look))
	_, err = pool.Exec(t.Context(), `INSERT INTO ledger_lines (kind, object, key, mac) VALUES ('look', 'inspection/' || $1::bigint, $2, $2)`, look, make([]byte, 32))
	w.must(err)
	name := func(officer string) error {
		var surname string
		return pool.QueryRow(t.Context(), `SELECT surname FROM inspection_person($1, $2)`, token, officer).Scan(&surname)
	}
	w.must(name("5ZK8R2M"))
	if err := name("2AB3C4D"); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("another's look opens a name: %v", err)
	}
	_, err = w.db.Admin.Exec(t.Context(), `UPDATE inspection_looks SET written = written - interval '16 minutes'`)
	w.must(err)
	if err := name("5ZK8R2M"); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("a look that is dated next year opens a name for longer: %v", err)
	}
}
