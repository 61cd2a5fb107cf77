package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
)

// The demonstration invents people, and gives roles passwords, in no database that holds somebody else's.
func TestTheDemonstrationLeavesForeignDatabasesAlone(t *testing.T) {
	db := pgtest.Open(t)
	t.Setenv("DATABASE_URL", db.AdminURL())
	enter := func(fin string) {
		t.Helper()
		_, err := db.Admin.Exec(t.Context(), `INSERT INTO entries (book, number, version, act, subject, chain, effective_on, entered_at, entered_by)
			VALUES ('person', $1, 1, 'append', $1, $1, '1987-03-08', now(), 'test')`, fin)
		if err != nil {
			t.Fatal(err)
		}
	}
	enter("0000000")
	data := t.TempDir()
	if _, err := demoDatabaseIn(t.Context(), data); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Fatalf("taken: %v", err)
	}
	if _, err := os.Stat(filepath.Join(data, "passwords")); err == nil {
		t.Error("passwords were drawn")
	}
	enter(string(people.Cast[0].FIN))
	if _, err := demoDatabaseIn(t.Context(), data); err != nil {
		t.Errorf("its own of last time: %v", err)
	}
}
