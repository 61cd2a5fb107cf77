package issuerdb

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// An attempt that has no result is somebody's at work for the lease; each further one for twice as long. Those at which the
// key was away do not count, but after a few of them it is waited longer, too: a key whose day's limit is reached comes back tomorrow, and
// until then each attempt is two rows that stay. The primary key of attempts decides who wins. One statement, which commits
// by itself: its rows reach us only after the commit, so no key is called before its attempt is durable.
const (
	// atWork is for how many leases the attempt a, after away absences, is somebody's.
	atWork = `2 ^ (greatest(a.n - away.n - 1, 0) + least(greatest(away.n - 4, 0), 7))`

	sqlClaim = `
	WITH due AS (
		SELECT i.id, coalesce(a.n, 0) + 1 AS n
		FROM unnest(@ids::bigint[]) AS i (id)
		LEFT JOIN LATERAL (
			SELECT attempts.n, attempts.attempted_at FROM attempts
			WHERE attempts.intent_id = i.id ORDER BY attempts.n DESC LIMIT 1) a ON true
		LEFT JOIN LATERAL (SELECT count(*) AS n FROM key_absences k WHERE k.intent_id = i.id) away ON true
		WHERE NOT EXISTS (SELECT FROM excerpts x WHERE x.id = i.id)
		  AND NOT EXISTS (SELECT FROM voids v WHERE v.intent_id = i.id)
		  AND (a.n IS NULL OR a.n - away.n < @max
		       AND a.attempted_at <= @now::timestamptz - make_interval(secs => @lease * ` + atWork + `))
	), claimed AS (
		INSERT INTO attempts (intent_id, n, attempted_at)
		SELECT due.id, due.n, @now FROM due
		ON CONFLICT DO NOTHING
		RETURNING intent_id, n)
	SELECT i.id, i.request, i.code, i.number, i.kind, i.template, i.lang, i.subject, i.entry_id, i.person_id, i.recipient,
	       i.purpose, i.with_salary, i.valid_until, i.asked_at, claimed.n AS attempt,
	       (SELECT count(*) FROM key_absences k WHERE k.intent_id = i.id) AS away, e.book, ` + standing + `
	FROM claimed
	JOIN intents i ON i.id = claimed.intent_id
	JOIN entries e ON e.id = i.entry_id
	ORDER BY i.id`
)

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
	Away    int           `db:"away"`
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

// facts reads what the excerpts of claimed intents will state. One whose entry or person cannot be found is left out:
// nothing here is ever deleted, so it would be our mistake, and the attempt fails.
func facts(ctx context.Context, pool *pgxpool.Pool, log *slog.Logger, cs []claimed) ([]issuer.Job, error) {
	var heads []registry.Head
	for _, c := range cs {
		heads = append(heads, registry.Head{ID: c.EntryID, Book: c.Book}, registry.Head{ID: c.PersonID, Book: registry.Persons})
	}
	found, err := registrydb.Reader{Pool: pool}.Versions(ctx, heads...)
	if err != nil {
		return nil, fmt.Errorf("issuerdb: facts: %w", err)
	}
	var jobs []issuer.Job
	for _, c := range cs {
		p, isPerson := found[c.PersonID].Body.(person.Person)
		e, isThere := found[c.EntryID]
		if !isPerson || !isThere {
			log.ErrorContext(ctx, "issuing: entry or person not found", "number", c.Number, "entry", c.EntryID, "person", c.PersonID)
			continue
		}
		jobs = append(jobs, issuer.Job{Intent: c.Intent, Standing: c.Standing, Attempt: c.Attempt, Away: c.Away, Person: p, Entry: e.Body})
	}
	return jobs, nil
}

func (d *Dispatcher) trace(step issuer.Step, ended bool) {
	if d.Maker.Trace != nil {
		d.Maker.Trace(step, ended)
	}
}
