package keysdb_test

import (
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
