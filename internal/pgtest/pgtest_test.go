package pgtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestEveryTestHasItsOwnDatabase(t *testing.T) {
	one, two := pgtest.Open(t), pgtest.Open(t)
	if _, err := one.Admin.Exec(t.Context(), "CREATE TABLE mine (n int)"); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := two.Admin.QueryRow(t.Context(), "SELECT to_regclass('mine') IS NOT NULL").Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		t.Error("a table of one database is in the other")
	}
}

func TestPoolConnectsAsItsRole(t *testing.T) {
	db := pgtest.Open(t)
	for _, role := range postgres.Roles() {
		var user, name string
		err := db.Pool(role).QueryRow(t.Context(), "SELECT session_user, current_setting('application_name')").Scan(&user, &name)
		if err != nil {
			t.Fatal(err)
		}
		if user != string(role) || name != string(role) {
			t.Errorf("session_user %s, application_name %s, want %s", user, name, role)
		}
	}
}

func TestStatements(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.go", "package a\nconst sqlOne = `SELECT 1`\nconst columns = \"a, \" + \"b\"\nconst sqlless = 3\n")
	write("b.go", "package a\nfunc f() {\n\tconst sqlTwo = (`SELECT ` + columns) + \" FROM t\"\n}\n")
	write("a_test.go", "package a\nconst sqlTest = `SELECT 2`\n")
	got, err := pgtest.Statements(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got["sqlOne"] != "SELECT 1" || got["sqlTwo"] != "SELECT a, b FROM t" {
		t.Errorf("got %q", got)
	}
	write("c.go", "package a\nconst sqlThree = other.Columns\n")
	if _, err := pgtest.Statements(dir); err == nil || !strings.Contains(err.Error(), "sqlThree") {
		t.Errorf("err = %v, want one that names sqlThree", err)
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		pgtest.Open(b)
	}
}
