package issuerdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// An attempt that has no result is somebody's at work for the lease; each further one for twice as long, so that a key
// that is away for some minutes voids nothing. The primary key of attempts decides who wins. One statement, which commits
// by itself: its rows reach us only after the commit, so no key is called before its attempt is durable.
const sqlClaim = `
	WITH due AS (
		SELECT i.id, coalesce(a.n, 0) + 1 AS n
		FROM unnest(@ids::bigint[]) AS i (id)
		LEFT JOIN LATERAL (
			SELECT attempts.n, attempts.attempted_at FROM attempts
			WHERE attempts.intent_id = i.id ORDER BY attempts.n DESC LIMIT 1) a ON true
		WHERE NOT EXISTS (SELECT FROM excerpts x WHERE x.id = i.id)
		  AND NOT EXISTS (SELECT FROM voids v WHERE v.intent_id = i.id)
		  AND (a.n IS NULL OR a.n < @max AND a.attempted_at <= @now::timestamptz - make_interval(secs => @lease * 2 ^ (a.n - 1)))
	), claimed AS (
		INSERT INTO attempts (intent_id, n, attempted_at)
		SELECT due.id, due.n, @now FROM due
		ON CONFLICT DO NOTHING
		RETURNING intent_id, n)
	SELECT i.id, i.request, i.code, i.number, i.kind, i.template, i.lang, i.subject, i.entry_id, i.person_id, i.recipient,
	       i.purpose, i.with_salary, i.valid_until, i.asked_at, claimed.n AS attempt, e.book, ` + standing + `
	FROM claimed
	JOIN intents i ON i.id = claimed.intent_id
	JOIN entries e ON e.id = i.entry_id
	ORDER BY i.id`

// standing is how the entry e stands among the later ones: issuer.Standing. It is registry.StandingOf in SQL, for many
// entries at a time; a test compares the two. What is said of a person who was never right was never right either.
const standing = `
	       EXISTS (
		SELECT FROM entries l
		WHERE l.book = e.book AND l.number = e.number AND l.act = 'annul'
		UNION ALL
		SELECT FROM entries p
		WHERE p.book = 'person' AND p.number = e.subject AND p.act = 'annul') AS annulled,
	       EXISTS (
		SELECT FROM entries l
		WHERE l.book = e.book AND l.number = e.number AND l.version > e.version
		UNION ALL
		SELECT FROM entries l
		WHERE l.book = e.book AND l.chain = e.chain AND l.number <> e.number
		  AND (l.effective_on, (SELECT f.id FROM entries f WHERE f.book = l.book AND f.number = l.number AND f.version = 1))
		    > (e.effective_on, (SELECT f.id FROM entries f WHERE f.book = e.book AND f.number = e.number AND f.version = 1))
		  AND l.act <> 'annul'
		  AND NOT EXISTS (
			SELECT FROM entries v WHERE v.book = l.book AND v.number = l.number AND v.version > l.version)) AS newer`

type claimed struct {
	issuer.Intent
	issuer.Standing
	Attempt int           `db:"attempt"`
	Book    registry.Book `db:"book"`
}

// claim commits an attempt for each of the intents that is due. It returns fewer where another dispatcher was faster
// or nothing is left to do.
func (d *Dispatcher) claim(ctx context.Context, ids []int64) ([]claimed, error) {
	d.trace(issuer.Claim, false)
	rows, _ := d.Pool.Query(ctx, sqlClaim, pgx.NamedArgs{
		"ids": ids, "max": issuer.MaxAttempts, "now": issuer.Moment(d.Now()), "lease": d.Lease.Seconds(),
	})
	cs, err := pgx.CollectRows(rows, pgx.RowToStructByName[claimed])
	if err != nil {
		return nil, fmt.Errorf("issuerdb: claim: %w", err)
	}
	d.trace(issuer.Claim, true)
	return cs, nil
}

// facts reads what the excerpt of a claimed intent will state.
func (d *Dispatcher) facts(ctx context.Context, c claimed) (issuer.Job, error) {
	books := registrydb.Reader{Pool: d.Pool}
	p, err := books.PersonEntry(ctx, c.PersonID)
	if err != nil {
		return issuer.Job{}, fmt.Errorf("issuerdb: facts: %w", err)
	}
	v, err := books.Version(ctx, registry.Head{ID: c.EntryID, Book: c.Book})
	if err != nil {
		return issuer.Job{}, fmt.Errorf("issuerdb: facts: %w", err)
	}
	return issuer.Job{Intent: c.Intent, Standing: c.Standing, Attempt: c.Attempt, Person: p.Person, Entry: v.Body}, nil
}

func (d *Dispatcher) trace(step issuer.Step, ended bool) {
	if d.Maker.Trace != nil {
		d.Maker.Trace(step, ended)
	}
}

// The sweep reads the intents in strides, so that also the first one, over all of them, is made of short statements.
const stride = 100_000

const sqlOpen = `
	SELECT i.id, coalesce(a.n, 0) AS n,
	       a.n IS NULL OR a.attempted_at <= @now::timestamptz - make_interval(secs => @lease * 2 ^ (a.n - 1)) AS due
	FROM intents i
	LEFT JOIN LATERAL (
		SELECT attempts.n, attempts.attempted_at FROM attempts
		WHERE attempts.intent_id = i.id ORDER BY attempts.n DESC LIMIT 1) a ON true
	WHERE i.id > @after AND i.id <= @upto
	  AND NOT EXISTS (SELECT FROM excerpts x WHERE x.id = i.id)
	  AND NOT EXISTS (SELECT FROM voids v WHERE v.intent_id = i.id)
	ORDER BY i.id`

// sqlFrontier: ids are given before their transactions commit, so a lower id may appear after a higher one; not after
// ten minutes, for no transaction may last so long (internal/postgres sets the deadlines).
const sqlFrontier = `
	SELECT coalesce((SELECT max(id) FROM intents), 0) AS last,
	       coalesce((SELECT id FROM intents WHERE id > @after AND asked_at < @old ORDER BY id DESC LIMIT 1), @after) AS settled`

const old = 10 * time.Minute

type openRow struct {
	ID  int64 `db:"id"`
	N   int   `db:"n"`
	Due bool  `db:"due"`
}

// sweep looks through what is not known to be finished, hands on what is due and gives up what had its attempts.
func (d *Dispatcher) sweep(ctx context.Context) error {
	now := issuer.Moment(d.Now())
	var last, settled int64
	err := d.Pool.QueryRow(ctx, sqlFrontier, pgx.NamedArgs{"after": d.swept, "old": now.Add(-old)}).Scan(&last, &settled)
	if err != nil {
		return fmt.Errorf("issuerdb: frontier: %w", err)
	}
	for from := d.swept; from < last; from += stride {
		rows, _ := d.Pool.Query(ctx, sqlOpen, pgx.NamedArgs{"after": from, "upto": from + stride, "now": now, "lease": d.Lease.Seconds()})
		open, err := pgx.CollectRows(rows, pgx.RowToStructByName[openRow])
		if err != nil {
			return fmt.Errorf("issuerdb: open intents: %w", err)
		}
		for _, o := range open {
			settled = min(settled, o.ID-1)
			switch {
			case !o.Due:
			case o.N >= issuer.MaxAttempts:
				if err := d.void(ctx, issuer.Intent{ID: o.ID}, issuer.Failed); err != nil {
					return err
				}
			default:
				select {
				case d.due <- o.ID:
				default: // full: the next sweep
				}
			}
		}
	}
	d.swept = max(d.swept, settled)
	return nil
}
