package cabinetdb_test

import (
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet/cabinetdb"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// A process that signs nobody in reads who is signed in and keeps the session alive, and that is all, whatever it tries.
func TestReceptionCanSignNobodyIn(t *testing.T) {
	pg := pgtest.Open(t)
	reception := pg.Pool(postgres.Reception)
	sessions, signIns := cabinetdb.Sessions(pg.Pool(postgres.Cabinet)), cabinetdb.SignIns(reception)
	soon := time.Now().Add(time.Minute)
	if err := sessions.Commit("a", []byte("Nərmin"), soon); err != nil {
		t.Fatal(err)
	}
	if err := signIns.Commit("a", []byte("Elçin"), soon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := signIns.Commit("b", []byte("Elçin"), soon); err != nil { // as when somebody signed out just now
		t.Fatal(err)
	}
	for token, want := range map[string]string{"a": "Nərmin", "b": ""} {
		if b, found, err := signIns.Find(token); err != nil || string(b) != want || found != (want != "") {
			t.Errorf("%s: %q, %v, %v", token, b, found, err)
		}
	}
	var expiry time.Time
	if err := pg.Admin.QueryRow(t.Context(), "SELECT expiry FROM sessions").Scan(&expiry); err != nil || expiry.Before(soon.Add(time.Minute)) {
		t.Errorf("the session ends at %s, %v", expiry, err)
	}
	if err := signIns.Delete("a"); err == nil {
		t.Error("it signs people out")
	}
	for _, try := range []string{
		"INSERT INTO sessions (token, data, expiry) VALUES ('c', 'Elçin', now())", "UPDATE sessions SET data = 'Elçin'",
		"UPDATE sessions SET token = 'c'", "DELETE FROM sessions",
		"SELECT key FROM messages", "SELECT voen FROM organisations", "SELECT name FROM members", "SELECT id FROM excerpts", "SELECT id FROM checks",
		"SELECT number FROM persons", "INSERT INTO members (organisation_id, fin, name, role, added_at) VALUES (1, 'x', 'x', 'clerk', now())",
	} {
		if _, err := reception.Exec(t.Context(), try); err == nil {
			t.Errorf("it may: %s", try)
		}
	}
}

// What every page of such a process asks: membership, and how many messages wait.
func TestReceptionReadsMembershipAndCountsMessages(t *testing.T) {
	pg := pgtest.Open(t)
	exec(t, pg, `INSERT INTO organisations (voen, name, sort, added_at) VALUES ('1400057421', 'Çinar Bank', 'bank', now())`)
	exec(t, pg, `INSERT INTO members (organisation_id, fin, name, role, added_at) SELECT id, $1, 'Aysel Həsənova', 'clerk', now() FROM organisations`, aysel)
	db := cabinetdb.DB{Pool: pg.Pool(postgres.Reception)}
	all, err := cabinetdb.DB{Pool: pg.Pool(postgres.Cabinet)}.Memberships(t.Context(), aysel)
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	if m, err := db.Membership(t.Context(), aysel, all[0].ID); err != nil || m.Name != "Çinar Bank" || m.Role != "clerk" {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := db.Membership(t.Context(), nermin, all[0].ID); tesdiq.ProblemsOf(err)[0].Kind != tesdiq.NotFound {
		t.Errorf("membership of another: %v", err)
	}
	if n, err := db.Unread(t.Context(), aysel); err != nil || n != 0 {
		t.Errorf("%d unread, %v", n, err)
	}
}

func TestVisitsAreKeptUntilTheyEnd(t *testing.T) {
	pg := pgtest.Open(t)
	visits := cabinetdb.Visits(pg.Pool(postgres.Reception))
	now := time.Now()
	for _, v := range []struct {
		token, data string
		expiry      time.Time
	}{{"a", "one", now.Add(time.Minute)}, {"a", "two", now.Add(time.Minute)}, {"over", "x", now.Add(-time.Minute)}, {"ended", "x", now.Add(time.Minute)}} {
		if err := visits.Commit(v.token, []byte(v.data), v.expiry); err != nil {
			t.Fatal(err)
		}
	}
	if err := visits.Delete("ended"); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{"a": "two", "over": "", "ended": "", "none": ""} {
		if b, found, err := visits.Find(token); err != nil || string(b) != want || found != (want != "") {
			t.Errorf("%s: %q, %v, %v", token, b, found, err)
		}
	}
}
