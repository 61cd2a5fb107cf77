package pgtest

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tesdiq/tesdiq/internal/postgres"
)

func TestPrepareFindsWhatCannotRun(t *testing.T) {
	db := Open(t)
	for _, c := range []struct {
		role      postgres.Role
		statement string
		code      string // SQLSTATE, "" for what can run
	}{
		{postgres.Verifier, `SELECT id FROM checks WHERE subject = @subject AND at > @from`, ""},
		{postgres.Verifier, `INSERT INTO messages (fin, key, args, sent_at) VALUES (@fin, @key, @args, @at)`, ""},
		{postgres.Verifier, `SELECT id FROM cheques`, "42P01"},
		{postgres.Verifier, `SELECT colour FROM checks`, "42703"},
		{postgres.Verifier, `SELEC id FROM checks`, "42601"},
		{postgres.Verifier, `SELECT surname FROM persons WHERE fin = @fin`, "42501"},
		{postgres.Verifier, `SELECT bytes FROM excerpt_files`, "42501"},
		{postgres.Verifier, `UPDATE checks SET note = @note`, "42501"},
		{postgres.Cabinet, `SELECT surname FROM persons WHERE fin = @fin`, ""},
	} {
		err := prepare(t, db, c.role, c.statement)
		var pg *pgconn.PgError
		if (err == nil) != (c.code == "") || err != nil && (!errors.As(err, &pg) || pg.Code != c.code) {
			t.Errorf("as %s: %s: %v, want %q", c.role, c.statement, err, c.code)
		}
	}
	var n int
	if err := db.Admin.QueryRow(t.Context(), "SELECT count(*) FROM messages").Scan(&n); err != nil || n != 0 {
		t.Errorf("preparing wrote %d rows, %v", n, err)
	}
}
