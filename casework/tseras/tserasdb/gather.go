package tserasdb

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

// Gatherer asks the registers for each case that waits for them, and moves it on when all have answered.
type Gatherer struct {
	Desk
	Registers tseras.Registry
	Log       *slog.Logger
}

// gatherBatch is how many cases are asked about at a time.
const gatherBatch = 32

// The cases that wait for registers, and of which some register was not asked yet or may be asked again.
const sqlToGather = `
	SELECT c.id
	FROM cases c
	WHERE c.procedure = 'tseras' AND c.kind = 'assessment' AND c.state = 'gathering' AND c.id > @after
	  AND (SELECT count(*) FROM (
	         SELECT DISTINCT ON (e.register) e.answered, e.outcome->>'again' AS again
	         FROM tseras_evidence e
	         WHERE e.case_id = c.id AND e.at >= (SELECT max(s.at) FROM case_steps s WHERE s.case_id = c.id AND s.to_state = 'gathering')
	         ORDER BY e.register, e.n DESC) latest
	       WHERE latest.answered OR latest.again::timestamptz > @now) < @registers
	ORDER BY c.id
	LIMIT @batch`

// Gather asks for up to a batch of cases after the one named, and returns the last it asked for and how many they were.
func (g Gatherer) Gather(ctx context.Context, after casework.ID) (last casework.ID, n int, err error) {
	rows, _ := g.Pool.Query(ctx, sqlToGather, pgx.NamedArgs{"after": after, "now": g.moment(), "registers": len(tseras.Registers), "batch": gatherBatch})
	ids, err := pgx.CollectRows(rows, pgx.RowTo[casework.ID])
	if err != nil {
		return after, 0, fmt.Errorf("tserasdb: to gather: %w", err)
	}
	for _, id := range ids {
		if err := g.one(ctx, id); err != nil {
			return id, n, fmt.Errorf("tserasdb: gather for case %d: %w", id, err)
		}
		last = id
		n++
	}
	return last, n, nil
}

// one asks for one case. No transaction is open while the registers are asked: what they say is written, with where the
// case goes by it, only if the case still waits.
func (g Gatherer) one(ctx context.Context, id casework.ID) error {
	c, evidence, err := g.waiting(ctx, id)
	if err != nil || c.State != tseras.Gathering {
		return err
	}
	seq, outcomes := c.Seq, tseras.Ask(ctx, g.Registers, c, evidence, g.moment())
	return pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) error {
		c, err := caseworkdb.Lock(ctx, tx, id)
		if err != nil || c.Seq != seq {
			return err // it was withdrawn meanwhile
		}
		if err := insertOutcomes(ctx, tx, id, outcomes, g.moment()); err != nil {
			return err
		}
		f, err := fileOf(ctx, tx, c)
		if err != nil {
			return err
		}
		return g.next(ctx, tx, f)
	})
}

// waiting reads a case and what the registers have said of it.
func (g Gatherer) waiting(ctx context.Context, id casework.ID) (c casework.Case, e tseras.Evidence, err error) {
	err = pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) error {
		if c, err = caseworkdb.Lock(ctx, tx, id); err != nil {
			return err
		}
		e, err = evidenceOf(ctx, tx, c.ID)
		return err
	})
	return c, e, err
}

const sqlOutcomes = `
	INSERT INTO tseras_evidence (case_id, register, n, answered, outcome, at)
	SELECT @case, a.register, 1 + coalesce((SELECT max(e.n) FROM tseras_evidence e WHERE e.case_id = @case AND e.register = a.register), 0),
	       a.answered, a.outcome::jsonb, @now
	FROM unnest(@registers::text[], @answered::boolean[], @outcomes::text[]) AS a (register, answered, outcome)`

func insertOutcomes(ctx context.Context, tx pgx.Tx, id casework.ID, outcomes []tseras.Outcome, now time.Time) error {
	var registers, texts []string
	var answered []bool
	for _, kept := range outcomes {
		text, err := textOf(kept)
		if err != nil {
			return err
		}
		registers, answered, texts = append(registers, string(kept.Register)), append(answered, kept.Answered), append(texts, text)
	}
	_, err := tx.Exec(ctx, sqlOutcomes, pgx.NamedArgs{"case": id, "registers": registers, "answered": answered, "outcomes": texts, "now": now})
	if err != nil {
		return fmt.Errorf("tserasdb: outcomes: %w", err)
	}
	return nil
}

// next moves a case on by what the registers said.
func (g Gatherer) next(ctx context.Context, tx pgx.Tx, f tseras.File) error {
	n := f.Next(g.moment())
	if n.To == f.Case.State {
		return nil
	}
	system := casework.Actor{Part: casework.BySystem}
	if n.Alone != nil {
		in := f.Input(n.Alone.DecidedOn)
		p := criteria.Pack(f.Case.Number, in, *n.Alone)
		return g.decide(ctx, tx, f, *n.Alone, p.Bytes(), "", n.What, true)
	}
	c, err := g.move(ctx, tx, f.Case, n.To, n.Variant, system, n.What, nil)
	if err != nil || n.To == tseras.AwaitingDraw {
		return err
	}
	if n.To == tseras.AwaitingReferral {
		if err := g.askInstitution(ctx, tx, c, f.Evidence.RegisteredAt()); err != nil {
			return err
		}
	}
	return tell(ctx, tx, c, n.What, g.moment())
}
