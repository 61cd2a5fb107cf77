package issuerdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/issuer"
)

// Purpose is what keys are called for.
type Purpose string

// The purposes, each with its table of attempts.
const (
	ForExcerpt Purpose = "excerpt"
	ForReissue Purpose = "reissue"
	ForRenewal Purpose = "renewal"
)

// How many signatures one attempt takes. An excerpt has two statements and the file signed, and two time stamps; a renewal asks for one to
// see how large it is, and for one.
const (
	DocumentCalls = 3
	StampCalls    = 2
)

// Calls says how often an attempt may call the key of the document signer and that of the time-stamp signer.
func (p Purpose) Calls() (documents, stamps int) {
	switch p {
	case ForExcerpt, ForReissue:
		return DocumentCalls, StampCalls
	case ForRenewal:
		return 0, StampCalls
	}
	return 0, 0
}

// Attempt is one that is committed. Nobody but this package can make one, and it does so only after the commit.
type Attempt struct {
	purpose Purpose
	about   string
}

// Purpose says what it is for; empty for none.
func (a Attempt) Purpose() Purpose { return a.purpose }

// String names it for the log.
func (a Attempt) String() string { return a.about }

// Permits lets keys be called for an attempt: in the context that it gives, as often as one takes.
type Permits interface {
	Permit(ctx context.Context, a Attempt) context.Context
}

// permitted is the context for an attempt; without Permits the keys are nobody's to guard, as in measurements.
func permitted(ctx context.Context, p Permits, a Attempt) context.Context {
	if p == nil {
		return ctx
	}
	return p.Permit(ctx, a)
}

const sqlAbsent = `
	INSERT INTO key_absences (intent_id, n, noted_at)
	VALUES (@id, @n, @now)
	ON CONFLICT DO NOTHING`

// absent writes down that an attempt does not count, because the key was away or at its limit.
func (d *Dispatcher) absent(ctx context.Context, job issuer.Job) error {
	return again(ctx, func() error {
		if _, err := d.Pool.Exec(ctx, sqlAbsent, pgx.NamedArgs{"id": job.ID, "n": job.Attempt, "now": issuer.Moment(d.Now())}); err != nil {
			return fmt.Errorf("issuerdb: absence: %w", err)
		}
		return nil
	})
}

const sqlRenewalAttempts = `
	INSERT INTO renewal_attempts (sha256, attempted_at)
	SELECT unnest(@hashes::bytea[]), @now
	ON CONFLICT DO NOTHING`

// attempt is committed before a key is called, as in issuing.
func (r *Renewals) attempt(ctx context.Context, due []issuer.Stored) error {
	return again(ctx, func() error {
		if _, err := r.Pool.Exec(ctx, sqlRenewalAttempts, pgx.NamedArgs{
			"hashes": each(due, func(s issuer.Stored) []byte { return s.SHA256 }), "now": issuer.Moment(r.Now())}); err != nil {
			return fmt.Errorf("issuerdb: renewal: attempt: %w", err)
		}
		return nil
	})
}

// KeyUse is how often a process called a key for a purpose.
type KeyUse struct {
	Role    string `db:"role"`
	Serial  string `db:"serial"`
	Purpose string `db:"purpose"`
	Calls   int64  `db:"calls"`
}

// KeyUses counts what keys were called for, and compares it with what is written down. It is used by one goroutine.
type KeyUses struct {
	Pool  *pgxpool.Pool // as tesdiq_issuer
	Run   string        // names the process; drawn at its start
	Began time.Time     // of the process
	Now   func() time.Time

	settled time.Time         // up to here allowed is counted
	allowed map[Purpose]int64 // attempts from Began to settled
	written map[KeyUse]int64  // by use without calls
}

const sqlWriteUses = `
	INSERT INTO key_uses (run, role, serial, purpose, calls, counted_at)
	SELECT @run, u.role, u.serial, u.purpose, u.calls, @now
	FROM unnest(@roles::text[], @serials::text[], @purposes::text[], @calls::bigint[]) AS u (role, serial, purpose, calls)
	ON CONFLICT DO NOTHING`

// Write writes down what was called since it was last told. calls are all since the process began.
func (k *KeyUses) Write(ctx context.Context, calls []KeyUse) error {
	var fresh []KeyUse
	for _, u := range calls {
		use := u
		use.Calls = 0
		if u.Calls -= k.written[use]; u.Calls > 0 {
			fresh = append(fresh, u)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	now := issuer.Moment(k.Now())
	err := again(ctx, func() error {
		_, err := k.Pool.Exec(ctx, sqlWriteUses, pgx.NamedArgs{"run": k.Run, "now": now,
			"roles": each(fresh, func(u KeyUse) string { return u.Role }), "serials": each(fresh, func(u KeyUse) string { return u.Serial }),
			"purposes": each(fresh, func(u KeyUse) string { return u.Purpose }), "calls": each(fresh, func(u KeyUse) int64 { return u.Calls })})
		return err
	})
	if err != nil {
		return fmt.Errorf("issuerdb: key uses: %w", err)
	}
	if k.written == nil {
		k.written = map[KeyUse]int64{}
	}
	for _, u := range fresh {
		calls := u.Calls
		u.Calls = 0
		k.written[u] += calls
	}
	return nil
}

const sqlUsesSince = `
	SELECT role, serial, purpose, sum(calls)::bigint AS calls
	FROM key_uses
	WHERE counted_at >= @since AND run <> @run
	GROUP BY role, serial, purpose`

// Today gives what all other processes called today, UTC.
func (k *KeyUses) Today(ctx context.Context) ([]KeyUse, error) {
	return k.since(ctx, k.Now().UTC().Truncate(24*time.Hour))
}

func (k *KeyUses) since(ctx context.Context, since time.Time) ([]KeyUse, error) {
	rows, _ := k.Pool.Query(ctx, sqlUsesSince, pgx.NamedArgs{"since": since, "run": k.Run})
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[KeyUse])
	if err != nil {
		return nil, fmt.Errorf("issuerdb: key uses: %w", err)
	}
	return all, nil
}

// Excess is a key that was called more often than is written down.
type Excess struct {
	Role           string
	Purpose        Purpose
	Calls, Allowed int64
}

const sqlAttemptsBetween = `
	SELECT (SELECT count(*) FROM attempts WHERE attempted_at > @from AND attempted_at <= @upto),
	       (SELECT count(*) FROM reissue_attempts WHERE attempted_at > @from AND attempted_at <= @upto),
	       (SELECT count(*) FROM renewal_attempts WHERE attempted_at > @from AND attempted_at <= @upto)`

// Attempts younger than settling may still be committed by somebody; those from margin before the beginning may have been worked on after it.
const (
	settling = time.Minute
	margin   = 3 * time.Minute
)

// Compare finds keys that all processes together called more often since this one began than attempts are written down. calls are this
// one's, read before it is asked.
func (k *KeyUses) Compare(ctx context.Context, calls []KeyUse) ([]Excess, error) {
	if k.allowed == nil {
		k.allowed, k.settled = map[Purpose]int64{}, k.Began.Add(-margin)
	}
	now := issuer.Moment(k.Now())
	others, err := k.since(ctx, k.Began)
	if err != nil {
		return nil, err
	}
	cut := now.Add(-settling)
	if cut.Before(k.settled) {
		cut = k.settled
	}
	old, err := k.attempts(ctx, k.settled, cut)
	if err != nil {
		return nil, err
	}
	recent, err := k.attempts(ctx, cut, now.Add(settling))
	if err != nil {
		return nil, err
	}
	type both struct{ role, purpose string }
	sums := map[both]int64{}
	for _, u := range append(others, calls...) {
		sums[both{u.Role, u.Purpose}] += u.Calls
	}
	k.settled = cut
	var found []Excess
	for _, p := range []Purpose{ForExcerpt, ForReissue, ForRenewal} {
		k.allowed[p] += old[p]
		documents, stamps := p.Calls()
		for _, of := range []struct {
			role  string
			times int
		}{{"document-signer", documents}, {"time-stamp-signer", stamps}} {
			made, allowed := sums[both{of.role, string(p)}], int64(of.times)*(k.allowed[p]+recent[p])
			if made > allowed {
				found = append(found, Excess{Role: of.role, Purpose: p, Calls: made, Allowed: allowed})
			}
		}
	}
	return found, nil
}

func (k *KeyUses) attempts(ctx context.Context, from, upto time.Time) (map[Purpose]int64, error) {
	var excerpts, reissues, renewals int64
	if err := k.Pool.QueryRow(ctx, sqlAttemptsBetween, pgx.NamedArgs{"from": from, "upto": upto}).Scan(&excerpts, &reissues, &renewals); err != nil {
		return nil, fmt.Errorf("issuerdb: attempts: %w", err)
	}
	return map[Purpose]int64{ForExcerpt: excerpts, ForReissue: reissues, ForRenewal: renewals}, nil
}
