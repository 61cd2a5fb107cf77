package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// code is the SQLSTATE of an error, or "" if it is not PostgreSQL's.
func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

func TestMigrateAgainChangesNothing(t *testing.T) {
	db := pgtest.Open(t)
	count := func() (n int) {
		t.Helper()
		if err := db.Admin.QueryRow(t.Context(), "SELECT count(*) FROM goose_db_version").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	if err := postgres.Migrate(t.Context(), db.AdminURL()); err != nil {
		t.Fatal(err)
	}
	if after := count(); after != before || before < 2 {
		t.Errorf("%d versions before, %d after; want the same and at least goose's own and one more", before, after)
	}
}

// Roles belong to the whole server: the first start of two databases at once makes them in both.
func TestMigrateConcurrentlyOnANewServer(t *testing.T) {
	server, err := privatepg.Start(t.Context(), privatepg.Options{Dir: t.TempDir(), FsyncOff: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	var wg sync.WaitGroup
	failed := make(chan error, 100)
	for _, name := range []string{"one", "two", "one", "two"} {
		wg.Go(func() {
			if err := postgres.EnsureDatabase(t.Context(), server.URL("postgres", "postgres"), name); err != nil {
				failed <- err
				return
			}
			failed <- postgres.Migrate(t.Context(), server.URL("postgres", name))
		})
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"one", "two"} {
		for _, role := range postgres.Roles() {
			pool, err := postgres.Open(t.Context(), server.URL("postgres", name), role)
			if err != nil {
				t.Fatal(err)
			}
			pool.Close()
		}
	}
}

// Where the database is somebody else's there is no superuser for us.
func TestMigrateWithoutASuperuser(t *testing.T) {
	server, err := privatepg.Start(t.Context(), privatepg.Options{Dir: t.TempDir(), FsyncOff: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	admin, err := pgx.Connect(t.Context(), server.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(context.WithoutCancel(t.Context()))
	for _, statement := range []string{
		"CREATE ROLE keeper LOGIN CREATEROLE",
		"CREATE DATABASE tesdiq OWNER keeper",
	} {
		if _, err := admin.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := postgres.Migrate(t.Context(), server.URL("keeper", "tesdiq")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRoleThatGrewTooMightyIsCutBack(t *testing.T) {
	db := pgtest.Open(t)
	if _, err := db.Admin.Exec(t.Context(), "ALTER ROLE tesdiq_verifier CREATEDB BYPASSRLS"); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Migrate(t.Context(), db.AdminURL()); err != nil {
		t.Fatal(err)
	}
	var mighty bool
	err := db.Admin.QueryRow(t.Context(),
		"SELECT rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = 'tesdiq_verifier'").Scan(&mighty)
	if err != nil || mighty {
		t.Errorf("mighty = %v, %v", mighty, err)
	}
}

func TestSessionsHaveDeadlines(t *testing.T) {
	db := pgtest.Open(t)
	for name, want := range map[string]string{
		"statement_timeout":                   "15s",
		"lock_timeout":                        "5s",
		"idle_in_transaction_session_timeout": "15s",
		"application_name":                    "tesdiq_verifier",
		"TimeZone":                            "UTC",
	} {
		var got string
		if err := db.Pool(postgres.Verifier).QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}

func TestPasswords(t *testing.T) {
	dir := t.TempDir()
	server, err := privatepg.Start(t.Context(), privatepg.Options{Dir: dir, FsyncOff: true,
		Settings: map[string]string{"hba_file": writeHBA(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	admin := server.URL("postgres", "postgres")
	if err := postgres.Migrate(t.Context(), admin); err != nil {
		t.Fatal(err)
	}
	const password = "S3cret:/?#[]@%40"
	err = postgres.SetPasswords(t.Context(), admin, strings.NewReader(strings.Repeat("s", 16)),
		map[postgres.Role]string{postgres.Issuer: password})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := postgres.OpenConfig(t.Context(), postgres.Config{URL: admin, Role: postgres.Issuer, Password: password})
	if err != nil {
		t.Fatalf("the right password: %v", err)
	}
	pool.Close()
	for _, wrong := range []postgres.Config{
		{URL: admin, Role: postgres.Issuer, Password: password + "x"},
		{URL: admin, Role: postgres.Issuer},
		{URL: strings.Replace(admin, "postgres@", "postgres:"+"in-the-url@", 1), Role: postgres.Issuer},
		{URL: admin, Role: postgres.Verifier, Password: password},
	} {
		pool, err := postgres.OpenConfig(t.Context(), wrong)
		if err == nil {
			pool.Close()
			t.Errorf("%s got in with the password %q", wrong.Role, wrong.Password)
		}
		if err != nil && wrong.Password != "" && strings.Contains(err.Error(), wrong.Password) {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	err = postgres.SetPasswords(t.Context(), admin, strings.NewReader(strings.Repeat("s", 16)),
		map[postgres.Role]string{postgres.Issuer: "şifrə"})
	if err == nil {
		t.Error("a password that would need SASLprep was taken")
	}
}

func TestOpenRefusesWhatIsNoAddress(t *testing.T) {
	for _, address := range []string{"", "host=/tmp password=hidden", "http://hidden@localhost/", "postgres://a:hid den%zz@h/d"} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		pool, err := postgres.Open(ctx, address, postgres.Verifier)
		cancel()
		if err == nil {
			pool.Close()
			t.Errorf("%q was taken", address)
			continue
		}
		if strings.Contains(err.Error(), "hid") {
			t.Errorf("the error tells the address: %v", err)
		}
	}
}

func TestNewFunctionsAndTypesAreNobodysUntilGranted(t *testing.T) {
	db := pgtest.Open(t)
	_, err := db.Admin.Exec(t.Context(), `
		SET ROLE tesdiq_owner;
		CREATE FUNCTION secret() RETURNS int LANGUAGE sql AS 'SELECT 1';
		RESET ROLE`)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range postgres.Roles() {
		_, err := db.Pool(role).Exec(t.Context(), "SELECT secret()")
		if code(err) != "42501" {
			t.Errorf("%s: %v, want 42501", role, err)
		}
		_, err = db.Pool(role).Exec(t.Context(), fmt.Sprintf("CREATE TABLE made_by_%s (n int)", role))
		if code(err) != "42501" {
			t.Errorf("%s made a table: %v, want 42501", role, err)
		}
		_, err = db.Pool(role).Exec(t.Context(), "CREATE TEMPORARY TABLE made (n int)")
		if code(err) != "42501" {
			t.Errorf("%s made a temporary table: %v, want 42501", role, err)
		}
		_, err = db.Pool(role).Exec(t.Context(), "SET ROLE tesdiq_owner")
		if code(err) != "42501" {
			t.Errorf("%s became the owner: %v, want 42501", role, err)
		}
	}
}

// writeHBA lets the superuser in as he is and asks everybody else for a password.
func writeHBA(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tesdiq-hba-") // t.TempDir is closed to the user that the server runs as
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "pg_hba.conf")
	if err := os.WriteFile(file, []byte("local all postgres trust\nlocal all all scram-sha-256\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}
