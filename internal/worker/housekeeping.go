package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Housekeeping are the jobs that remove what has expired: sessions, visits, API tokens, what was said under /pki and said anew since,
// and what counted towards the limits of the look-up without sign-in and counts no more.
func Housekeeping(pool *pgxpool.Pool, now func() time.Time) []Job {
	remove := func(what, statement string) func(context.Context) error {
		return func(ctx context.Context) error { return removeExpired(ctx, pool, what, statement, now()) }
	}
	return []Job{
		Periodic("expired-sessions", 10*time.Minute, remove("sessions", sqlExpiredSessions)),
		Periodic("expired-visits", 10*time.Minute, remove("visits", sqlExpiredVisits)),
		Periodic("expired-tokens", 10*time.Minute, remove("tokens", sqlExpiredTokens)),
		Periodic("old-publications", time.Hour, remove("publications", sqlOldPublications)),
		Periodic("old-lookup-tries", time.Hour, remove("tries", sqlOldTries)),
		Periodic("old-lookup-proofs", time.Hour, remove("proofs", sqlOldProofs)),
		Periodic("old-lookup-requests", time.Hour, remove("requests", sqlOldRequests)),
	}
}

// A thousand at a time, so that nobody waits for a lock.
const (
	// Sessions live by the clock of the database, by which they are found: a demonstration whose clock was put forward signs nobody out.
	sqlExpiredSessions = `
		DELETE FROM sessions
		WHERE token IN (SELECT token FROM sessions WHERE expiry <= current_timestamp LIMIT 1000)`
	sqlExpiredVisits = `
		DELETE FROM visits
		WHERE token IN (SELECT token FROM visits WHERE expiry <= current_timestamp LIMIT 1000)`
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
	// Limits count a day at most; a request is repeated within hours.
	sqlOldTries = `
		DELETE FROM lookup_tries
		WHERE id IN (SELECT id FROM lookup_tries WHERE at < @now::timestamptz - interval '2 days' LIMIT 1000)`
	sqlOldProofs = `
		DELETE FROM lookup_proofs
		WHERE id IN (SELECT id FROM lookup_proofs WHERE expires_at < @now LIMIT 1000)`
	sqlOldRequests = `
		DELETE FROM lookup_requests
		WHERE (client_id, key) IN (SELECT client_id, key FROM lookup_requests WHERE at < @now::timestamptz - interval '2 days' LIMIT 1000)`
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
