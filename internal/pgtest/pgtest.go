// Package pgtest gives every test a PostgreSQL database of its own, migrated and empty, on a private server that is
// started once for each test binary. It is for tests only.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
)

// template is the migrated database that the tests' databases are copied from.
const template = "tesdiq_template"

// patience is how long preparing or cleaning up may take, on a machine that is busy with other tests.
const patience = 3 * time.Minute

// DB is one test's database.
type DB struct {
	// Admin is a superuser's pool, for assertions and for what no component may do.
	Admin *pgxpool.Pool

	t     testing.TB
	name  string
	mu    sync.Mutex
	pools map[postgres.Role]*pgxpool.Pool
}

var (
	inMain  atomic.Bool
	counter atomic.Int64
	server  = sync.OnceValues(startServer) // at the first Open, so that tests without a database need not wait for it
	running *privatepg.Server
	folder  string
)

// Main is the whole TestMain of a package that opens databases:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
func Main(m *testing.M) {
	inMain.Store(true)
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	// After a panic in a test nobody comes here: then the server ends by its parent-death signal, and the next start
	// removes the folder.
	defer func() {
		if running != nil {
			if err := running.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
		if folder != "" {
			os.RemoveAll(folder)
		}
	}()
	return m.Run()
}

func startServer() (*privatepg.Server, error) {
	if !inMain.Load() {
		return nil, errors.New("pgtest: the package needs func TestMain(m *testing.M) { pgtest.Main(m) }")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	if folder, err = copyCluster(ctx); err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	if running, err = privatepg.Start(ctx, options(folder)); err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	// The roles and rights that no migration file gives.
	if err := postgres.Migrate(ctx, running.URL(privatepg.Superuser, template)); err != nil {
		return nil, err
	}
	return running, nil
}

func options(dir string) privatepg.Options {
	return privatepg.Options{Dir: dir, FsyncOff: true, Settings: map[string]string{
		"shared_buffers": "32MB", // several test binaries run at a time
		"autovacuum":     "off",  // no test lives long enough
		"jit":            "off",  // nor asks anything that is worth compiling
	}}
}

// Open makes a database for the test and drops it when the test ends.
func Open(t testing.TB) *DB {
	t.Helper()
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	db := &DB{t: t, name: fmt.Sprintf("test_%d", counter.Add(1)), pools: map[postgres.Role]*pgxpool.Pool{}}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := db.maintain(ctx, "CREATE DATABASE "+db.name+" TEMPLATE "+template+" STRATEGY "+strategy(), true); err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	db.Admin, err = pgxpool.New(ctx, s.URL(privatepg.Superuser, db.name))
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(db.drop)
	return db
}

// strategy is how the server copies the template: file by file, which needs a checkpoint and a system call for all of
// a file, or page by page through its log, which is quicker on a disk.
func strategy() string {
	if _, inMemory := temporary(); inMemory {
		return "FILE_COPY"
	}
	return "WAL_LOG"
}

// maintain runs a statement about the database from outside it.
func (db *DB) maintain(ctx context.Context, statement string, admit bool) error {
	conn, err := pgx.Connect(ctx, running.URL(privatepg.Superuser, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, statement); err != nil {
		return err
	}
	if admit {
		return postgres.Admit(ctx, conn, db.name)
	}
	return nil
}

func (db *DB) drop() {
	// A connection that the test forgot to give back must not hold up the others for ever.
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		db.mu.Lock()
		defer db.mu.Unlock()
		for _, pool := range db.pools {
			pool.Close()
		}
		db.Admin.Close()
	}()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		db.t.Error("pgtest: a connection was not given back to its pool (Rows without Close, Acquire without Release)")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := db.maintain(ctx, "DROP DATABASE "+db.name+" WITH (FORCE)", false); err != nil {
		db.t.Errorf("pgtest: %v", err)
	}
}

// Pool is the pool of a component's role; asked twice, the same one.
func (db *DB) Pool(role postgres.Role) *pgxpool.Pool {
	db.t.Helper()
	db.mu.Lock()
	defer db.mu.Unlock()
	if pool, ok := db.pools[role]; ok {
		return pool
	}
	pool, err := postgres.Open(db.t.Context(), db.URL(role), role)
	if err != nil {
		db.t.Fatal(err)
	}
	db.pools[role] = pool
	return pool
}

// URL is the database's address for a component's role.
func (db *DB) URL(role postgres.Role) string { return running.URL(string(role), db.name) }

// AdminURL is the database's address for the superuser.
func (db *DB) AdminURL() string { return running.URL(privatepg.Superuser, db.name) }
