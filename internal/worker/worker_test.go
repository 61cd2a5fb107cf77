package worker_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/worker"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Worker)
}

// syncBuffer is a log that two goroutines may share.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func start(t *testing.T, db *pgtest.DB, log *syncBuffer, jobs ...worker.Job) *worker.Worker {
	t.Helper()
	w, err := worker.New(db.Pool(postgres.Worker), worker.Config{Jobs: jobs, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func stop(t *testing.T, w *worker.Worker, patience time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(30 * time.Second):
		t.Fatalf("waited in vain for %s", what)
	}
}

// A database that starts anew while the worker starts takes nobody down.
func TestAStartOutlivesADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	config, err := pgxpool.ParseConfig(pgtest.Open(t).URL(postgres.Worker))
	if err != nil {
		t.Fatal(err)
	}
	var away atomic.Int64
	away.Store(3)
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if away.Add(-1) >= 0 {
			return nil, errors.New("the database is away")
		}
		return dial(ctx, network, address)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	ran := make(chan struct{}, 100)
	job := worker.Periodic("often", time.Second, func(context.Context) error { ran <- struct{}{}; return nil })
	w, err := worker.New(pool, worker.Config{Jobs: []worker.Job{job}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if away.Load() >= 0 {
		t.Error("the database was never away")
	}
	await(t, "a job", ran)
	stop(t, w, 10*time.Second)
}

func TestJobRunsAgainAndAgainAlsoAfterAFailure(t *testing.T) {
	t.Parallel()
	ran := make(chan struct{}, 100)
	var runs atomic.Int32
	var log syncBuffer
	w := start(t, pgtest.Open(t), &log, worker.Periodic("count", time.Second, func(context.Context) error {
		defer func() { ran <- struct{}{} }()
		if runs.Add(1) == 1 {
			return errors.New("the first time fails")
		}
		return nil
	}))
	for range 3 {
		await(t, "a run", ran)
	}
	stop(t, w, 10*time.Second)
	if text := log.String(); !strings.Contains(text, "the first time fails") || strings.Contains(text, "INFO") {
		t.Errorf("log: %s\nwant the failure and nothing below a warning", text)
	}
}

func TestStopWaitsForTheJobAtWork(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 10)
	var finished atomic.Bool
	var log syncBuffer
	w := start(t, pgtest.Open(t), &log, worker.Periodic("slow", time.Hour, func(ctx context.Context) error {
		begun <- struct{}{}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
			finished.Store(true)
		}
		return nil
	}))
	await(t, "the job", begun)
	stop(t, w, 30*time.Second)
	if !finished.Load() {
		t.Error("Stop did not wait")
	}
}

func TestStopCancelsTheJobThatTakesTooLong(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 10)
	var cancelled atomic.Bool
	var log syncBuffer
	w := start(t, pgtest.Open(t), &log, worker.Periodic("endless", time.Hour, func(ctx context.Context) error {
		begun <- struct{}{}
		<-ctx.Done()
		cancelled.Store(true)
		return ctx.Err()
	}))
	await(t, "the job", begun)
	stop(t, w, 200*time.Millisecond)
	if !cancelled.Load() {
		t.Error("the job was not cancelled")
	}
}

func TestTwoWorkersShareTheJobs(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	var atWork, most, runs atomic.Int32
	ran := make(chan struct{}, 100)
	job := worker.Periodic("shared", time.Second, func(context.Context) error {
		n := atWork.Add(1)
		defer atWork.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(1500 * time.Millisecond) // longer than its period
		runs.Add(1)
		ran <- struct{}{}
		return nil
	})
	var log syncBuffer
	one, two := start(t, db, &log, job), start(t, db, &log, job)
	await(t, "a run", ran)
	await(t, "a second run", ran)
	stop(t, one, 10*time.Second)
	stop(t, two, 10*time.Second)
	if most.Load() != 1 {
		t.Errorf("%d runs of one job at the same time", most.Load())
	}
}

func TestWrongJobsAreRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	nothing := func(context.Context) error { return nil }
	for what, jobs := range map[string][]worker.Job{
		"two of one name": {worker.Periodic("a", time.Hour, nothing), worker.Periodic("a", time.Hour, nothing)},
		"too often":       {worker.Periodic("a", time.Millisecond, nothing)},
	} {
		_, err := worker.New(db.Pool(postgres.Worker), worker.Config{Jobs: jobs, Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}

func TestHousekeepingRemovesOnlyWhatHasExpired(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	now := time.Now().AddDate(1, 0, 0) // a clock that was put forward ends no session, which lives by the database's
	for _, fill := range []string{
		`INSERT INTO sessions (token, data, expiry) SELECT 'old' || n, '', current_timestamp FROM generate_series(1, 2500) n`,
		`INSERT INTO sessions (token, data, expiry) VALUES ('live', '', current_timestamp + interval '1 hour')`,
		`INSERT INTO visits (token, data, expiry) VALUES ('live', '', current_timestamp + interval '1 hour'), ('old', '', current_timestamp)`,
	} {
		if _, err := db.Admin.Exec(t.Context(), fill); err != nil {
			t.Fatal(err)
		}
	}
	_, err := db.Admin.Exec(t.Context(), `
		WITH o AS (INSERT INTO organisations (voen, name, sort, added_at) VALUES ('1234567891', 'Bank', 'bank', $1) RETURNING id),
		c AS (INSERT INTO api_clients (id, organisation_id, name, secret_sha256, added_at)
			SELECT 'client', id, 'program', sha256('s'), $1 FROM o RETURNING id)
		INSERT INTO api_tokens (sha256, client_id, expires_at)
		SELECT sha256(t::bytea), id, e FROM c, (VALUES ('old', $1 - interval '1 second'), ('live', $1)) AS v(t, e)`, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, fill := range []string{
		`INSERT INTO lookup_tries (at, day, way, card, address, shown)
			SELECT $1::timestamptz - s, '2026-11-21', 'page', sha256(t::bytea), sha256('a'), false FROM (VALUES ('old', interval '2 days 1 second'), ('live', interval '2 days')) AS v(t, s)`,
		`INSERT INTO lookup_proofs (id, expires_at) SELECT substr(sha256(t::bytea), 1, 16), $1::timestamptz - s FROM (VALUES ('old', interval '1 second'), ('live', interval '0')) AS v(t, s)`,
		`INSERT INTO lookup_requests (client_id, key, request_sha256, at)
			SELECT 'client', t, sha256('r'), $1::timestamptz - s FROM (VALUES ('old', interval '2 days 1 second'), ('live', interval '2 days')) AS v(t, s)`,
	} {
		if _, err := db.Admin.Exec(t.Context(), fill, now); err != nil {
			t.Fatal(err)
		}
	}
	var log syncBuffer
	w := start(t, db, &log, worker.Housekeeping(db.Pool(postgres.Worker), func() time.Time { return now })...)
	deadline := time.Now().Add(30 * time.Second)
	for {
		var old, live int
		err := db.Admin.QueryRow(t.Context(), `
			SELECT (SELECT count(*) FROM sessions WHERE token LIKE 'old%') + (SELECT count(*) FROM visits WHERE token = 'old') + (SELECT count(*) FROM api_tokens WHERE sha256 = sha256('old'))
			       + (SELECT count(*) FROM lookup_tries WHERE card = sha256('old')) + (SELECT count(*) FROM lookup_proofs WHERE id = substr(sha256('old'), 1, 16)) + (SELECT count(*) FROM lookup_requests WHERE key = 'old'),
			       (SELECT count(*) FROM sessions WHERE token = 'live') + (SELECT count(*) FROM visits WHERE token = 'live') + (SELECT count(*) FROM api_tokens WHERE sha256 = sha256('live'))
			       + (SELECT count(*) FROM lookup_tries WHERE card = sha256('live')) + (SELECT count(*) FROM lookup_proofs WHERE id = substr(sha256('live'), 1, 16)) + (SELECT count(*) FROM lookup_requests WHERE key = 'live')`).
			Scan(&old, &live)
		if err != nil {
			t.Fatal(err)
		}
		if live != 6 {
			t.Fatalf("%d of 6 live ones are left", live)
		}
		if old == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d expired ones are left; log: %s", old, &log)
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop(t, w, 10*time.Second)
}

// No component commits jobs with its data yet, so none may touch the queue: whoever could would make others work.
func TestOnlyTheWorkerTouchesTheQueue(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	for _, role := range postgres.Roles() {
		_, err := db.Pool(role).Exec(t.Context(), "SELECT FROM river_job")
		if allowed := err == nil; allowed != (role == postgres.Worker) {
			t.Errorf("%s: %v", role, err)
		}
	}
}
