package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
)

// What a pool says while its server is killed and started again is told from what a server refuses.
func TestAway(t *testing.T) {
	opts := privatepg.Options{Dir: t.TempDir(), FsyncOff: true}
	server, err := privatepg.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { server.Stop() }()
	if err := postgres.EnsureDatabase(t.Context(), server.URL(privatepg.Superuser, "postgres"), "one"); err != nil {
		t.Fatal(err)
	}
	address := server.URL(privatepg.Superuser, "one")
	if err := postgres.Migrate(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	pool, err := postgres.Open(t.Context(), address, postgres.Cabinet)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "SELECT 1 / 0"); err == nil || postgres.Away(err) {
		t.Errorf("a server that answers is away: %v", err)
	}
	if _, err := postgres.Open(t.Context(), server.URL(privatepg.Superuser, "another"), postgres.Cabinet); err == nil || postgres.Away(err) {
		t.Errorf("a server that has no such database is away: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pool.Exec(ctx, "SELECT 1"); err == nil || postgres.Away(err) {
		t.Errorf("a server that nobody waited for is away: %v", err)
	}

	running := make(chan error, 1)
	go func() {
		_, err := pool.Exec(t.Context(), "SELECT pg_sleep(10)")
		running <- err
	}()
	time.Sleep(100 * time.Millisecond) // for the statement to have begun; if it has not, it meets no server
	server.Kill()
	for name, err := range map[string]error{"at work": <-running, "asked afterwards": pool.Ping(t.Context())} {
		if !postgres.Away(err) {
			t.Errorf("a server that was killed, %s, is not away: %v", name, err)
		}
	}
	if server, err = privatepg.Start(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
}
