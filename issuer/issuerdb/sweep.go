package issuerdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/issuer"
)

const (
	// stride is how many intents one statement looks through, so that also the first sweep, over all of them, is made of
	// short ones.
	stride = 100_000
	// wholeEvery is how many sweeps pass until everything that may still change is looked through. Those in between look
	// only at what came since recentSweeps ago and at what was open then: at 400 a second ten minutes are 240,000.
	wholeEvery   = 60
	recentSweeps = 3
	// settledAfter is when no more intents appear between those that are there: ids are given before their transactions
	// commit, and no transaction may last so long (internal/postgres sets the deadlines).
	settledAfter = 10 * time.Minute
)

// sweeper is what a dispatcher remembers from sweep to sweep.
type sweeper struct {
	count   int     // sweeps since the last whole one
	settled int64   // every intent up to this one is finished
	lasts   []int64 // the highest ids of the last sweeps, the oldest first
	open    []int64 // intents that were not finished when last looked at
}

const sqlOpen = `
	WITH open AS MATERIALIZED (
		SELECT id
		FROM (SELECT i.id FROM intents i WHERE i.id > @after AND i.id <= @upto
		      UNION
		      SELECT unnest(@known::bigint[])) AS look
		WHERE NOT EXISTS (SELECT FROM excerpts x WHERE x.id = look.id)
		  AND NOT EXISTS (SELECT FROM voids v WHERE v.intent_id = look.id))
	SELECT open.id, coalesce(a.n - away.n, 0) AS n,
	       a.n IS NULL OR a.attempted_at <= @now::timestamptz - make_interval(secs => @lease * ` + atWork + `) AS due
	FROM open
	LEFT JOIN LATERAL (
		SELECT attempts.n, attempts.attempted_at FROM attempts
		WHERE attempts.intent_id = open.id ORDER BY attempts.n DESC LIMIT 1) a ON true
	LEFT JOIN LATERAL (SELECT count(*) AS n FROM key_absences k WHERE k.intent_id = open.id) away ON true
	ORDER BY open.id`

const sqlFrontier = `
	SELECT coalesce((SELECT max(id) FROM intents), 0) AS last,
	       coalesce((SELECT id FROM intents WHERE id > @after AND asked_at < @old ORDER BY id DESC LIMIT 1), @after) AS settled`

type openRow struct {
	ID  int64 `db:"id"`
	N   int   `db:"n"`
	Due bool  `db:"due"`
}

// sweep looks through what is not known to be finished, hands on what is due and gives up what had its attempts. The
// first one, every wholeEvery-th and one that is asked for (whole) leave nothing out.
func (d *Dispatcher) sweep(ctx context.Context, whole bool) error {
	s := &d.swept
	whole = whole || len(s.lasts) == 0 || s.count >= wholeEvery
	now := issuer.Moment(d.Now())
	var last, settled int64
	err := d.Pool.QueryRow(ctx, sqlFrontier, pgx.NamedArgs{"after": s.settled, "old": now.Add(-settledAfter)}).Scan(&last, &settled)
	if err != nil {
		return fmt.Errorf("issuerdb: frontier: %w", err)
	}
	from, known := s.settled, []int64(nil)
	if !whole {
		from, known = max(s.settled, s.lasts[0]), s.open
	}
	var open []int64
	for first := true; first || from < last; first = false {
		rows, _ := d.Pool.Query(ctx, sqlOpen, pgx.NamedArgs{"after": from, "upto": from + stride, "known": known, "now": now, "lease": d.Lease.Seconds()})
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[openRow])
		if err != nil {
			return fmt.Errorf("issuerdb: open intents: %w", err)
		}
		for _, o := range found {
			open = append(open, o.ID)
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
		from, known = from+stride, nil
	}
	s.open, s.count = open, s.count+1
	if s.lasts = append(s.lasts, last); len(s.lasts) > recentSweeps {
		s.lasts = s.lasts[1:]
	}
	if whole {
		s.count = 0
		for _, id := range open {
			settled = min(settled, id-1)
		}
		s.settled = max(s.settled, settled)
	}
	return nil
}
