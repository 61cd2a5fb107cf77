package tserasdb_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/ledger"
)

// S20: who may be drawn, when, and whose seals refer changes only with a line in the ledger, which says by the database's clock when.
func TestS20EachChangeOfTheListsHasItsLine(t *testing.T) {
	w := newWorld(t)
	op := tserasdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: w.now, Rand: w.desk.Rand}
	all, err := op.Changes(t.Context())
	w.must(err)
	before := len(all)
	if want := commissions*(1+4+5) + 2; before != want {
		t.Errorf("%d changes, want %d", before, want)
	}
	dry := op
	dry.Preview = true
	w.must(dry.Close(t.Context(), "K02"))

	const voen = "1400057421"
	seal := &x509.Certificate{Raw: []byte("a certificate")}
	_, err = op.AddSeal(t.Context(), voen, seal)
	w.must(err)
	w.must(op.EndMember(t.Context(), "K01-4"))
	w.later = -time.Hour
	late, err := op.AddMember(t.Context(), "K01", "0EAR1ER", "Həkim Nümunəvi", true)
	w.must(err)
	w.later = 24 * time.Hour // as a demonstration's clock
	w.must(op.Close(t.Context(), "K03"))

	all, err = op.Changes(t.Context())
	w.must(err)
	var said []string
	for _, c := range all[before:] {
		note := string(c.List) + " " + string(c.Act)
		if c.Backdated() {
			note += " backdated"
		}
		said = append(said, note)
	}
	if want := []string{"seal added", "member ended", "member added backdated", "commission ended"}; !slices.Equal(said, want) {
		t.Errorf("%v, want %v; %s", said, want, late)
	}
	for _, c := range all {
		rows, _ := w.db.Admin.Query(t.Context(), `SELECT kind, object, key, mac FROM ledger_lines WHERE kind = 'list' AND object = $1`, c.Object()) // the error comes out of Collect
		line, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[ledger.Line])
		if err != nil || !line.Opens(c.Canonical()) {
			t.Fatalf("the line of change %d: %v", c.ID, err)
		}
		c.Content += " "
		if line.Opens(c.Canonical()) {
			t.Errorf("the line of change %d opens with something else", c.ID)
		}
	}
	if n := w.count(`SELECT count(*) FROM ledger_lines WHERE kind = 'list'`); n != len(all) {
		t.Errorf("%d lines of %d changes", n, len(all))
	}
	w.refusedBy(postgres.Operator, "says when it wrote", `INSERT INTO list_changes (list, act, content, written_at) VALUES ('member', 'added', '{}', '2020-01-01')`)
	w.refusedBy(postgres.Operator, "changes what it wrote", `UPDATE list_changes SET content = '{}'`)
	w.refusedBy(postgres.Operator, "deletes what it wrote", `DELETE FROM list_changes`)
}

func TestBackdated(t *testing.T) {
	written := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for content, want := range map[string]bool{
		`{"added_at": "2026-03-02T08:58:59+00:00"}`:                                          true,
		`{"added_at": "2026-03-02T12:59:30+04:00"}`:                                          false, // another machine's clock
		`{"added_at": "2026-06-01T00:00:00+00:00"}`:                                          false,
		`{"added_at": "2020-01-01T00:00:00+00:00", "ended_at": "2026-03-02T09:00:00+00:00"}`: true, // as added
		`{"district": "Nəsimi"}`:                                                             false,
		`x`:                                                                                  true,
	} {
		if got := (tseras.ListChange{Act: tseras.ListAdded, Content: content, Written: written}).Backdated(); got != want {
			t.Errorf("%s: %v", content, got)
		}
	}
	for content, want := range map[string]bool{
		`{"added_at": "2020-01-01T00:00:00+00:00", "ended_at": "2026-03-02T09:00:00+00:00"}`:  false,
		`{"added_at": "2020-01-01T00:00:00+00:00", "closed_at": "2026-03-01T09:00:00+00:00"}`: true,
	} {
		if got := (tseras.ListChange{Act: tseras.ListEnded, Content: content, Written: written}).Backdated(); got != want {
			t.Errorf("%s: %v", content, got)
		}
	}
}
