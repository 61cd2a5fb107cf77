package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Housekeeping are the jobs that remove what has expired: sessions, visits, API tokens, and what was said under /pki and said anew since.
func Housekeeping(pool *pgxpool.Pool, now func() time.Time) []Job {
	remove := func(what, statement string) func(context.Context) error {
		return func(ctx context.Context) error { return removeExpired(ctx, pool, what, statement, now()) }
	}
	return []Job{
		Periodic("expired-sessions", 10*time.Minute, remove("sessions", sqlExpiredSessions)),
		Periodic("expired-visits", 10*time.Minute, remove("visits", sqlExpiredVisits)),
		Periodic("expired-tokens", 10*time.Minute, remove("tokens", sqlExpiredTokens)),
		Periodic("old-publications", time.Hour, remove("publications", sqlOldPublications)),
	}
}

// A thousand at a time, so that nobody waits for a lock.
const (
	sqlExpiredSessions = `
		DELETE FROM sessions
		WHERE token IN (SELECT token FROM sessions WHERE expiry < @now LIMIT 1000)`
	sqlExpiredVisits = `
		DELETE FROM visits
		WHERE token IN (SELECT token FROM visits WHERE expiry < @now LIMIT 1000)`
	sqlExpiredTokens = `
		DELETE FROM api_tokens
		WHERE sha256 IN (SELECT sha256 FROM api_tokens WHERE expires_at < @now LIMIT 1000)`
	// What is said now stays, however old it is.
	sqlOldPublications = `
		DELETE FROM publications
		WHERE (path, produced_at) IN (
			SELECT p.path, p.produced_at FROM publications p
			WHERE EXISTS (SELECT FROM publications n
				WHERE n.path = p.path AND n.produced_at > p.produced_at AND n.produced_at < @now::timestamptz - interval '1 day')
			LIMIT 1000)`
)

func removeExpired(ctx context.Context, pool *pgxpool.Pool, what, statement string, now time.Time) error {
	for {
		tag, err := pool.Exec(ctx, statement, pgx.NamedArgs{"now": now})
		if err != nil {
			return fmt.Errorf("expired %s: %w", what, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
	}
}
