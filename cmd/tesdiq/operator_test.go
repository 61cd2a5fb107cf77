package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// TestOperator runs the scripts of testdata/operator, each against a database of its own with the fixed cast in it. In a
// script, "sql QUERY" compares what the database says with the lines of the file named after it.
func TestOperator(t *testing.T) {
	scripts, err := filepath.Glob("testdata/operator/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "tesdiq")); err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		// One after the other: the database's roles, whose passwords the program sets, belong to all.
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txt"), func(t *testing.T) {
			db := pgtest.Open(t)
			_, err := registrydb.Load(t.Context(), db.Pool(postgres.Registry), people.Generate(1, 0, tesdiq.DateOf(time.Now())), rand.Reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Run("script", func(t *testing.T) {
				testscript.Run(t, testscript.Params{
					Files: []string{script},
					Setup: func(e *testscript.Env) error {
						e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
						e.Setenv("DATABASE_URL", db.AdminURL())
						passwords := filepath.Join(e.WorkDir, "var/demo/passwords") // of which the test's server wants none
						if err := os.MkdirAll(passwords, 0o700); err != nil {
							return err
						}
						for _, role := range postgres.Roles() {
							if err := os.WriteFile(filepath.Join(passwords, string(role)), []byte("none"), 0o600); err != nil {
								return err
							}
						}
						e.Setenv("TODAY", tesdiq.DateOf(time.Now()).ISO())
						e.Setenv("LASTMONTH", tesdiq.DateOf(time.Now()).AddMonths(-1).ISO())
						e.Setenv("NEXTYEAR", tesdiq.DateOf(time.Now()).AddYears(1).ISO())
						for _, a := range people.Cast {
							e.Setenv(strings.ToUpper(a.Key), string(a.FIN))
						}
						return nil
					},
					Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
						"sql": func(ts *testscript.TestScript, neg bool, args []string) {
							if neg || len(args) != 2 {
								ts.Fatalf("usage: sql QUERY ANSWER")
							}
							var got string
							if err := db.Admin.QueryRow(t.Context(), args[0]).Scan(&got); err != nil {
								ts.Fatalf("%v", err)
							}
							if got != args[1] {
								ts.Fatalf("%s: %s, want %s", args[0], got, args[1])
							}
						},
						"do": func(ts *testscript.TestScript, neg bool, args []string) {
							if _, err := db.Admin.Exec(t.Context(), ts.ReadFile(args[0])); err != nil {
								ts.Fatalf("%v", err)
							}
						},
						// fill writes the script's variables into a file.
						"fill": func(ts *testscript.TestScript, neg bool, args []string) {
							for _, name := range args {
								b := os.Expand(ts.ReadFile(name), ts.Getenv)
								ts.Check(os.WriteFile(ts.MkAbs(name), []byte(b), 0o600))
							}
						},
					},
				})
			})
		})
	}
}
