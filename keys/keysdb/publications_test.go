package keysdb_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/keys/keysdb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Issuer, postgres.Verifier)
}

func TestTheNewestIsSaid(t *testing.T) {
	db := pgtest.Open(t)
	at := time.Now().Truncate(time.Microsecond)
	now := at
	shelf := &keysdb.Shelf{Pool: db.Pool(postgres.Verifier), Now: func() time.Time { return now }}
	find := func(path, want string, wantUntil time.Time) {
		t.Helper()
		body, _, until, err := shelf.Find(path)
		if err != nil || string(body) != want || !until.Equal(wantUntil) {
			t.Errorf("%s: %q until %s, %v; want %q until %s", path, body, until, err, want, wantUntil)
		}
	}
	say := func(p ...keysdb.Publication) {
		t.Helper()
		if err := keysdb.Publish(t.Context(), db.Pool(postgres.Issuer), p); err != nil {
			t.Fatal(err)
		}
		now = now.Add(2 * time.Second)
	}
	find("a", "", time.Time{})
	day := at.Add(24 * time.Hour)
	say(keysdb.Publication{Path: "a", Serial: "7", Body: []byte("good"), Produced: at, Until: day}, keysdb.Publication{Path: "b", Body: []byte("list"), Produced: at})
	find("a", "good", day)
	find("b", "list", time.Time{})
	if _, err := db.Admin.Exec(t.Context(), `INSERT INTO certificate_revocations VALUES ('7', 'document-signer', 'keyCompromise', 'stolen', 'Operator', $1, $1)`, at); err != nil {
		t.Fatal(err)
	}
	find("a", "good", day) // known for less than a second
	now = now.Add(2 * time.Second)
	find("a", "good", at) // which is over
	say(keysdb.Publication{Path: "a", Serial: "7", Revocations: 1, Body: []byte("revoked"), Produced: at.Add(time.Second), Until: day})
	find("a", "revoked", day)
	// What is older, of another issuing process whose clock is behind, changes nothing; the same twice neither.
	say(keysdb.Publication{Path: "a", Serial: "7", Body: []byte("good again"), Produced: at.Add(-time.Second), Until: day},
		keysdb.Publication{Path: "b", Body: []byte("another list"), Produced: at})
	find("a", "revoked", day)
	find("b", "list", time.Time{})
}

// A database that does not answer keeps one who asks waiting, not everybody: what is known serves for a minute, and nobody asks again and
// again where nothing is known any more.
func TestADatabaseThatHangsKeepsNobodyWaiting(t *testing.T) {
	db := pgtest.Open(t)
	at := time.Now().Truncate(time.Microsecond)
	var mu sync.Mutex
	ahead := time.Duration(0)
	shelf := &keysdb.Shelf{Pool: db.Pool(postgres.Verifier), Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(ahead)
	}}
	later := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		ahead += d
	}
	if err := keysdb.Publish(t.Context(), db.Pool(postgres.Issuer), []keysdb.Publication{{Path: "a", Body: []byte("list"), Produced: at}}); err != nil {
		t.Fatal(err)
	}
	if body, _, _, err := shelf.Find("a"); err != nil || string(body) != "list" {
		t.Fatalf("%q, %v", body, err)
	}
	held, err := db.Admin.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer held.Rollback(t.Context()) //nolint:errcheck // of a lock
	if _, err := held.Exec(t.Context(), `LOCK TABLE publications IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	const askers = 5
	ask := func(want string) (waited int) {
		var all sync.WaitGroup
		for range askers {
			all.Go(func() {
				began := time.Now()
				body, _, _, err := shelf.Find("a")
				if string(body) != want || (err != nil) != (want == "") {
					t.Errorf("%q, %v; want %q", body, err, want)
				}
				if time.Since(began) > 2*time.Second {
					mu.Lock()
					defer mu.Unlock()
					waited++
				}
			})
		}
		all.Wait()
		return waited
	}
	later(2 * time.Second)
	if waited := ask("list"); waited > 1 {
		t.Errorf("%d of %d waited", waited, askers)
	}
	later(2 * time.Minute)
	began := time.Now()
	ask("")
	if took := time.Since(began); took > 15*time.Second { // one question's time limit, not each asker's
		t.Errorf("took %s", took)
	}
}

// What was said while a clock was ahead does not hide what is said now.
func TestAClockThatWasAheadHidesNothing(t *testing.T) {
	db := pgtest.Open(t)
	at := time.Now().Truncate(time.Microsecond)
	for _, p := range []keysdb.Publication{
		{Path: "crl", Body: []byte("nothing revoked"), Produced: at.AddDate(1, 0, 0)}, {Path: "crl", Revocations: 1, Body: []byte("one revoked"), Produced: at},
	} {
		if err := keysdb.Publish(t.Context(), db.Pool(postgres.Issuer), []keysdb.Publication{p}); err != nil {
			t.Fatal(err)
		}
	}
	shelf := &keysdb.Shelf{Pool: db.Pool(postgres.Verifier), Now: time.Now}
	if body, _, _, err := shelf.Find("crl"); err != nil || string(body) != "one revoked" {
		t.Errorf("%q, %v", body, err)
	}
}

// Who removes what was said before cannot go back to it by removing what is said now.
func TestWhatIsSaidNowCannotBeRemoved(t *testing.T) {
	db := pgtest.Open(t)
	at := time.Now().Truncate(time.Microsecond)
	for i, body := range []string{"first", "second", "third"} {
		p := keysdb.Publication{Path: "crl", Body: []byte(body), Produced: at.Add(time.Duration(i-3) * time.Hour)}
		if err := keysdb.Publish(t.Context(), db.Pool(postgres.Issuer), []keysdb.Publication{p}); err != nil {
			t.Fatal(err)
		}
	}
	worker := db.Pool(postgres.Worker)
	for _, sql := range []string{`DELETE FROM publications`, `DELETE FROM publications WHERE produced_at > $1`} {
		if _, err := worker.Exec(t.Context(), sql, args(sql, at.Add(-90*time.Minute))...); err == nil {
			t.Errorf("the worker may: %s", sql)
		}
	}
	if _, err := worker.Exec(t.Context(), `DELETE FROM publications WHERE produced_at < $1`, at.Add(-90*time.Minute)); err != nil {
		t.Errorf("the worker removes what was said before: %v", err)
	}
	shelf := &keysdb.Shelf{Pool: db.Pool(postgres.Verifier), Now: time.Now}
	if body, _, _, err := shelf.Find("crl"); err != nil || string(body) != "third" {
		t.Errorf("%q, %v", body, err)
	}
}

func args(sql string, at time.Time) []any {
	if strings.Contains(sql, "$1") {
		return []any{at}
	}
	return nil
}
