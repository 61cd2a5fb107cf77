package tserasdb_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// night is a book of examinations and the clock of its nights.
type night struct {
	*testing.T
	db    *pgtest.DB
	at    time.Time
	books registrydb.Writer
	fin   tesdiq.FIN
}

func newNight(t *testing.T) *night {
	t.Helper()
	n := &night{T: t, db: pgtest.Open(t), at: time.Date(2026, 11, 23, 2, 0, 0, 0, tesdiq.Baku), fin: people.Who("gunay").FIN}
	n.books = registrydb.Writer{Pool: n.db.Pool(postgres.Registry), Now: func() time.Time { return n.at }, Rand: rand.Reader}
	if _, err := registrydb.Load(t.Context(), n.books.Pool, people.Generate(1, 0, tesdiq.DateOf(n.at)), rand.Reader, func(int) {}); err != nil {
		t.Fatal(err)
	}
	// The cast's own terms are told first.
	n.tell()
	return n
}

func (n *night) tell() map[tseras.Notice]int {
	n.Helper()
	told, err := tserasdb.Terms{Pool: n.db.Pool(postgres.Casework), Now: func() time.Time { return n.at }}.Tell(n.Context(), nil)
	if err != nil {
		n.Fatal(err)
	}
	return told
}

// heard is what the person was told since the test began.
func (n *night) heard() (keys []string) {
	n.Helper()
	rows, err := n.db.Admin.Query(n.Context(), `SELECT key FROM messages WHERE fin = $1 AND key LIKE 'tseras.message.%' ORDER BY id`, n.fin)
	if err != nil {
		n.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			n.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

func (n *night) examined(on, until, next string) registry.Version {
	n.Helper()
	x := examination.Examination{
		Subject: n.fin, Commission: "7 saylı TSEK", ExaminedOn: tesdiq.MustDate(on), Outcome: examination.Disability, Loss: 65, Cause: "general_illness",
		From: tesdiq.MustDate(on),
	}
	if until != "" {
		x.Until, x.NextFrom = tesdiq.MustDate(until), tesdiq.MustDate(next)
	}
	_, v, err := n.books.Enter(n.Context(), registry.Change{Act: registry.Append, Body: x, By: "Reyestr şöbəsi"})
	if err != nil {
		n.Fatal(err)
	}
	return v
}

// until lets the nights pass up to a day.
func (n *night) until(day string) {
	n.Helper()
	for tesdiq.DateOf(n.at).Before(tesdiq.MustDate(day)) {
		n.at = n.at.AddDate(0, 0, 1)
		n.tell()
	}
}

func expect(n *night, want ...string) {
	n.Helper()
	got := n.heard()
	if len(got) != len(want) {
		n.Fatalf("%s: told %v, want %v", tesdiq.DateOf(n.at), got, want)
	}
	for i := range want {
		if got[i] != "tseras.message."+want[i] {
			n.Fatalf("%s: told %v, want %v", tesdiq.DateOf(n.at), got, want)
		}
	}
}

func TestEachNoticeComesOnce(t *testing.T) {
	n := newNight(t)
	n.examined("2026-11-22", "2027-02-28", "2026-12-30")
	n.until("2026-12-14")
	expect(n)
	n.until("2026-12-15") // before the window opens, and says when it does
	expect(n, "invited")
	var args string
	if err := n.db.Admin.QueryRow(t.Context(), `SELECT concat_ws(' ', args->>'From', args->>'Day') FROM messages WHERE fin = $1 AND key = 'tseras.message.invited'`, n.fin).Scan(&args); err != nil || args != "30.12.2026 28.02.2027" {
		t.Errorf("invited from and until %s, %v", args, err)
	}
	n.tell() // broken off and run again
	n.until("2027-02-13")
	expect(n, "invited")
	n.until("2027-02-14")
	expect(n, "invited", "reminded")
	n.until("2027-03-20")
	expect(n, "invited", "reminded", "ended")
}

// Whoever is invited may apply before the window opens: his health may have changed (ground 1.5.5). Then nobody reminds him.
func TestAnApplicationBeforeTheWindowIsTaken(t *testing.T) {
	n := newNight(t)
	n.examined("2026-11-22", "2027-02-28", "2026-12-30")
	n.until("2026-12-20")
	expect(n, "invited")
	apply(t, n)
	n.until("2027-02-20")
	expect(n, "invited", "applied")
}

func TestTheIndefiniteTheReplacedAndTheAnnulledAreNotBothered(t *testing.T) {
	n := newNight(t)
	n.examined("2026-11-20", "2027-01-31", "2026-12-02")
	n.examined("2026-11-22", "", "") // a later one without term
	n.until("2027-03-15")
	expect(n)

	n = newNight(t)
	v := n.examined("2026-11-20", "2027-01-31", "2026-12-02")
	if _, _, err := n.books.Enter(t.Context(), registry.Change{Act: registry.Annul, Book: registry.Examinations, Number: v.Head.Number,
		After: v.Head.Version, By: "Reyestr şöbəsi", Reason: "Başqa şəxsə aiddir"}); err != nil {
		t.Fatal(err)
	}
	n.until("2027-03-15")
	expect(n)
}

func TestANightThatWasMissedIsMadeUpByTheLatestNotice(t *testing.T) {
	n := newNight(t)
	n.examined("2026-11-22", "2027-01-31", "2026-12-02")
	n.at = n.at.AddDate(0, 0, 60) // 22 January: the invitation was missed
	n.tell()
	expect(n, "reminded")
}

func TestWhoHasAppliedIsNotReminded(t *testing.T) {
	n := newNight(t)
	n.examined("2026-11-22", "2027-01-31", "2026-11-24")
	n.at = n.at.AddDate(0, 0, 5)
	n.tell()
	expect(n, "invited")
	apply(t, n)
	n.until("2027-01-25")
	expect(n, "invited", "applied")
	n.until("2027-02-03")
	expect(n, "invited", "applied", "ended")
}

func apply(t *testing.T, n *night) {
	t.Helper()
	fin, by := subject("gunay")
	desk := tserasdb.Desk{Pool: n.db.Pool(postgres.Casework), Calendar: tesdiq.AzerbaijanCalendar(), Now: func() time.Time { return n.at }, Rand: rand.Reader}
	if _, err := desk.Apply(t.Context(), fin, by, "form-1"); err != nil {
		t.Fatal(err)
	}
}

// Nights over the whole country: 600,000 examinations with terms spread over two years, and indefinite ones. Nobody was told anything before
// the first; the night after it is as all others are.
func BenchmarkNight(b *testing.B) {
	db := pgtest.Open(b)
	fill(b, db.Admin, 600_000)
	first := time.Date(2026, 11, 23, 2, 0, 0, 0, tesdiq.Baku)
	night := func(b *testing.B, at time.Time) {
		looked := 0
		told, err := tserasdb.Terms{Pool: db.Pool(postgres.Casework), Now: func() time.Time { return at }}.Tell(b.Context(), func(n int) { looked = n })
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(looked), "terms")
		b.ReportMetric(float64(told[tseras.Invited]+told[tseras.Reminded]+told[tseras.Ended]), "told")
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if _, err := db.Admin.Exec(b.Context(), `TRUNCATE term_notices, outbox, messages CASCADE`); err != nil {
				b.Fatal(err)
			}
			night(b, first)
		}
	})
	b.Run("usual", func(b *testing.B) {
		for at := first; b.Loop(); {
			at = at.AddDate(0, 0, 1)
			night(b, at)
		}
	})
}

func fill(b *testing.B, admin *pgxpool.Pool, n int) {
	b.Helper()
	for _, sql := range []string{`
		INSERT INTO entries (book, number, version, act, subject, chain, effective_on, entered_at, entered_by)
		SELECT 'examination', 'M-2025-' || lpad(i::text, 6, '0'), 1, 'append', 'Z' || lpad(i::text, 6, '0'), 'Z' || lpad(i::text, 6, '0'),
		       DATE '2025-06-01', TIMESTAMPTZ '2025-06-01 09:00+04', 'x'
		FROM generate_series(1, $1::int) AS i`, `
		INSERT INTO examinations (entry_id, commission, examined_on, repeat, outcome, loss, degree, old_group, cause, from_day, until_day, next_from)
		SELECT e.id, 'x', DATE '2025-06-01', false, 'disability', 65, '', '', 'general_illness', DATE '2025-06-01',
		       CASE WHEN e.id % 3 = 0 THEN NULL ELSE DATE '2025-06-02' + (e.id % 730)::int END,
		       CASE WHEN e.id % 3 = 0 THEN NULL ELSE greatest(DATE '2025-06-02', DATE '2025-06-02' + (e.id % 730)::int - 60) END
		FROM entries e WHERE e.book = 'examination' AND $1::int > 0`} {
		if _, err := admin.Exec(context.Background(), sql, n); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := admin.Exec(context.Background(), `ANALYZE`); err != nil {
		b.Fatal(err)
	}
}
