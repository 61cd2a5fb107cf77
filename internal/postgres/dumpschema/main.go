// Command dumpschema writes the schema that the migrations make, for readers: internal/postgres/schema.sql.
//
//	dumpschema FILE          writes it
//	dumpschema -check FILE   fails if the file says something else
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
)

func main() {
	check := flag.Bool("check", false, "compare instead of writing")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), flag.Arg(0), *check); err != nil {
		fmt.Fprintln(os.Stderr, "dumpschema:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, file string, check bool) error {
	version, err := privatepg.Version()
	if err != nil {
		return err
	}
	if !check {
		dump, err := dump(ctx)
		if err != nil {
			return err
		}
		return os.WriteFile(file, append(header(version), dump...), 0o644)
	}
	committed, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(committed, header(version)) {
		// Each major version words its dump in its own way: only its own can be compared.
		return fmt.Errorf("%s was dumped by another major version than %s: compare on that one, or run make schema", file, version)
	}
	dump, err := dump(ctx)
	if err != nil {
		return err
	}
	if !bytes.Equal(committed, append(header(version), dump...)) {
		return fmt.Errorf("%s is not what the migrations make: run make schema and commit it", file)
	}
	return nil
}

var major = regexp.MustCompile(`\) (\d+)`) // postgres (PostgreSQL) 15.18 (Debian …)

func header(version string) []byte {
	number := "?"
	if found := major.FindStringSubmatch(version); found != nil {
		number = found[1]
	}
	return []byte(`-- What the migrations make, for readers: never edited, written by make schema, checked by make lint.
-- Every object belongs to tesdiq_owner; who may do what is in privileges.txt. Tables river_… are the job queue's. PostgreSQL ` + number + ".\n\n")
}

// dump migrates a new server and dumps its schema.
func dump(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "tesdiq-schema-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	server, err := privatepg.Start(ctx, privatepg.Options{Dir: dir, FsyncOff: true})
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	const database = "tesdiq"
	if err := postgres.EnsureDatabase(ctx, server.URL(privatepg.Superuser, "postgres"), database); err != nil {
		return nil, err
	}
	address := server.URL(privatepg.Superuser, database)
	if err := postgres.Migrate(ctx, address); err != nil {
		return nil, err
	}
	pgDump, err := privatepg.Program("pg_dump")
	if err != nil {
		return nil, err
	}
	var complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, pgDump, "--schema-only", "--no-owner", "--no-privileges", "--exclude-table=goose_db_version*", "--dbname="+address)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("pg_dump: %w: %s", err, &complaint)
	}
	return steady(string(out)), nil
}

// noise are the lines of a dump that depend on pg_dump's version and the moment, or say nothing about the schema.
var noise = regexp.MustCompile(`^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)$`)

// steady leaves the statements of a dump, with one empty line between two.
func steady(dump string) []byte {
	var kept []string
	for line := range strings.Lines(dump) {
		if line = strings.TrimRight(line, "\n"); !noise.MatchString(line) {
			kept = append(kept, line)
		}
	}
	text := regexp.MustCompile(`\n{2,}`).ReplaceAllString(strings.Join(kept, "\n"), "\n\n")
	return []byte(strings.TrimSpace(text) + "\n")
}
