package tserasdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

const sqlRound = `
	SELECT r.commitment, r.committed_at, s.seed, l.kind, l.object, l.key, l.mac
	FROM draw_rounds r
	JOIN draw_lines l ON l.object = r.round::text
	LEFT JOIN draw_seeds s ON s.round = r.round
	WHERE r.round = @round`

// opened says whether a drawing is open: its case is closed, and if the person withdrew it, so long ago that the same members would not be
// drawn for him again. They could else read from the districts that were left out where the person of their next case lives.
const opened = `(c.state IN ('decided', 'declined', 'lapsed') OR c.state = 'withdrawn' AND t.at < @since)`

const sqlDrawings = `
	SELECT d.ref, d.commitment, d.salt, d.drawing, ` + opened + `
	FROM drawings d
	JOIN cases c ON c.id = d.case_id
	JOIN case_steps t ON t.case_id = c.id AND t.seq = c.seq
	WHERE d.round = @round
	ORDER BY d.ref`

// Rounds reads what is public of the draws.
type Rounds struct {
	Pool *pgxpool.Pool // as tesdiq_casework
	Now  func() time.Time
}

// since is from when on a withdrawal keeps its drawing sealed.
func (r Rounds) since() time.Time { return r.Now().AddDate(0, -tseras.AgainMonths, 0) }

// Round is what is public of a round: drawings are sealed until their case is closed. casework.ErrMissing when there is none.
func (r Rounds) Round(ctx context.Context, n int64) (tseras.Round, error) {
	round := tseras.Round{Number: n}
	var seed []byte
	err := r.Pool.QueryRow(ctx, sqlRound, pgx.NamedArgs{"round": n}).Scan(&round.Commitment, (*time.Time)(&round.Committed), &seed,
		&round.Line.Kind, &round.Line.Object, &round.Line.Key, &round.Line.MAC)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return round, casework.ErrMissing
	case err != nil:
		return round, fmt.Errorf("tserasdb: round %d: %w", n, err)
	case seed == nil:
		return round, nil
	}
	round.Seed = (*tseras.Seed)(seed)
	rows, _ := r.Pool.Query(ctx, sqlDrawings, pgx.NamedArgs{"round": n, "since": r.since()}) // the error comes out of ForEachRow
	var sealed tseras.Sealed
	var opening tseras.Opening
	var text []byte
	var open bool
	_, err = pgx.ForEachRow(rows, []any{&sealed.Ref, &sealed.Commitment, &opening.Salt, &text, &open}, func() error {
		round.Drawings = append(round.Drawings, tseras.Sealed{Ref: sealed.Ref, Commitment: append([]byte(nil), sealed.Commitment...)})
		if !open {
			return nil
		}
		o := tseras.Opening{Salt: append([]byte(nil), opening.Salt...)}
		if err := json.Unmarshal(text, &o.Drawing); err != nil {
			return err
		}
		round.Opened = append(round.Opened, o)
		return nil
	})
	if err != nil {
		return round, fmt.Errorf("tserasdb: round %d: %w", n, err)
	}
	return round, nil
}

const sqlDrawn = `
	SELECT r.round, r.committed_at, l.mac, s.opened_at, count(d.ref), count(d.ref) FILTER (WHERE ` + opened + `)
	FROM (SELECT round, opened_at
	      FROM draw_seeds
	      WHERE @before::bigint = 0 OR (opened_at, round) < (SELECT opened_at, round FROM draw_seeds WHERE round = @before)
	      ORDER BY opened_at DESC, round DESC
	      LIMIT @limit) s -- before all their drawings are counted
	JOIN draw_rounds r ON r.round = s.round
	JOIN draw_lines l ON l.object = r.round::text
	LEFT JOIN drawings d ON d.round = r.round
	LEFT JOIN cases c ON c.id = d.case_id
	LEFT JOIN case_steps t ON t.case_id = c.id AND t.seq = c.seq
	GROUP BY r.round, r.committed_at, l.mac, s.opened_at
	ORDER BY s.opened_at DESC, r.round DESC`

// Drawn are up to limit rounds that were drawn before round before was (0: the latest), the latest first: none if that one was not drawn.
func (r Rounds) Drawn(ctx context.Context, before int64, limit int) ([]tseras.RoundSummary, error) {
	return r.list(ctx, sqlDrawn, pgx.NamedArgs{"before": before, "limit": limit, "since": r.since()})
}

const sqlPromised = `
	SELECT r.round, r.committed_at, l.mac, NULL::timestamptz, 0, 0
	FROM draw_rounds r
	JOIN draw_lines l ON l.object = r.round::text
	WHERE NOT EXISTS (SELECT FROM draw_seeds s WHERE s.round = r.round)
	ORDER BY r.round`

// Promised are the rounds that are committed to and not drawn, in their order: as many as are committed to ahead, and those of an earlier key.
func (r Rounds) Promised(ctx context.Context) ([]tseras.RoundSummary, error) {
	return r.list(ctx, sqlPromised, pgx.NamedArgs{})
}

func (r Rounds) list(ctx context.Context, sql string, args pgx.NamedArgs) ([]tseras.RoundSummary, error) {
	rows, _ := r.Pool.Query(ctx, sql, args) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tseras.RoundSummary])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: rounds: %w", err)
	}
	return all, nil
}
