package tserasdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

// Gatherer asks the registers for each case that waits for them, and moves it on when all have answered.
type Gatherer struct {
	Desk
	Registers tseras.Registry
	Log       *slog.Logger
}

// gatherBatch is how many cases are read and written together; of gatherParallel of them the registers are asked at the same time, each of
// which a dozen: the pages need connections too.
const (
	gatherBatch    = 64
	gatherParallel = 8
)

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

// Gather asks for up to a batch of cases after the one named, and returns the last of them, which is the one named when there are no more,
// with how many it asked for. The error says what is wrong with some of them; the others were asked for.
func (g Gatherer) Gather(ctx context.Context, after casework.ID) (last casework.ID, n int, err error) {
	rows, _ := g.Pool.Query(ctx, sqlToGather, pgx.NamedArgs{"after": after, "now": g.moment(), "registers": len(tseras.Registers), "batch": gatherBatch})
	ids, err := pgx.CollectRows(rows, pgx.RowTo[casework.ID])
	if err != nil {
		return after, 0, fmt.Errorf("tserasdb: to gather: %w", err)
	}
	if len(ids) == 0 {
		return after, 0, nil
	}
	said := map[casework.ID]asked{}
	n, failed := inBatch(ids, func(ids []casework.ID) (int, []error, error) {
		cases, evidence, err := g.waiting(ctx, ids)
		if err != nil {
			return 0, nil, ofCases(ids, err)
		}
		cases = slices.DeleteFunc(cases, func(c casework.Case) bool { a, ok := said[c.ID]; return ok && a.seq == c.Seq }) // asked before the batch failed
		maps.Copy(said, g.ask(ctx, cases, evidence))
		if err := ctx.Err(); err != nil {
			return 0, nil, err // what was answered is in the log of questions, and is not asked again
		}
		return g.some(ctx, ids, said)
	})
	if err := ctx.Err(); err != nil {
		return after, n, err
	}
	return ids[len(ids)-1], n, errors.Join(failed...)
}

// waiting reads those of the cases that still wait, and what the registers have said of each.
func (g Gatherer) waiting(ctx context.Context, ids []casework.ID) (cases []casework.Case, e map[casework.ID]tseras.Evidence, err error) {
	err = pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) error {
		if cases, err = caseworkdb.LockAll(ctx, tx, tseras.Procedure, tseras.Assessment, tseras.Gathering, ids); err != nil {
			return err
		}
		e, err = evidenceOf(ctx, tx, idsOf(cases)...)
		return err
	})
	return cases, e, err
}

// asked is what the registers said of a case when it stood at a step.
type asked struct {
	seq      int
	outcomes []tseras.Outcome
}

// ask asks for several cases at the same time. No transaction is open meanwhile.
func (g Gatherer) ask(ctx context.Context, cases []casework.Case, evidence map[casework.ID]tseras.Evidence) map[casework.ID]asked {
	said := make([]asked, len(cases))
	var group errgroup.Group
	group.SetLimit(gatherParallel)
	for i, c := range cases {
		group.Go(func() error {
			said[i] = asked{c.Seq, tseras.Ask(ctx, g.Registers, c, evidence[c.ID], g.moment())}
			return nil
		})
	}
	_ = group.Wait() // what was not answered stands in the outcomes
	all := make(map[casework.ID]asked, len(cases))
	for i, c := range cases {
		all[c.ID] = said[i]
	}
	return all
}

// some writes what the registers said of cases, with where each goes by it, only if it still waits: it may have been withdrawn.
func (g Gatherer) some(ctx context.Context, ids []casework.ID, said map[casework.ID]asked) (n int, failed []error, err error) {
	err = pgx.BeginFunc(ctx, g.Pool, func(tx pgx.Tx) error {
		failed = nil
		cases, err := caseworkdb.LockAll(ctx, tx, tseras.Procedure, tseras.Assessment, tseras.Gathering, ids)
		if err != nil {
			return err
		}
		cases = slices.DeleteFunc(cases, func(c casework.Case) bool { a, ok := said[c.ID]; return !ok || a.seq != c.Seq })
		if n = len(cases); n == 0 {
			return nil
		}
		w := g.writes()
		if err := insertOutcomes(ctx, tx, cases, said, w.now); err != nil {
			return err
		}
		files, err := filesOf(ctx, tx, cases)
		if err != nil {
			return err
		}
		for i, c := range cases {
			if err := w.try(func() error { return next(w, files[i]) }); err != nil {
				failed = append(failed, fmt.Errorf("tserasdb: case %d: %w", c.ID, err))
			}
		}
		return w.flush(ctx, tx)
	})
	return n, failed, ofCases(ids, err)
}

const sqlOutcomes = `
	INSERT INTO tseras_evidence (case_id, register, n, answered, outcome, at)
	SELECT a.case_id, a.register,
	       1 + coalesce((SELECT max(e.n) FROM tseras_evidence e WHERE e.case_id = a.case_id AND e.register = a.register), 0),
	       a.answered, a.outcome::jsonb, @now
	FROM unnest(@cases::bigint[], @registers::text[], @answered::boolean[], @outcomes::text[]) AS a (case_id, register, answered, outcome)`

func insertOutcomes(ctx context.Context, tx pgx.Tx, cases []casework.Case, said map[casework.ID]asked, now time.Time) error {
	var ids []casework.ID
	var registers, texts []string
	var answered []bool
	for _, c := range cases {
		for _, kept := range said[c.ID].outcomes {
			text, err := textOf(kept)
			if err != nil {
				return err
			}
			ids, registers, answered, texts = append(ids, c.ID), append(registers, string(kept.Register)), append(answered, kept.Answered), append(texts, text)
		}
	}
	_, err := tx.Exec(ctx, sqlOutcomes, pgx.NamedArgs{"cases": ids, "registers": registers, "answered": answered, "outcomes": texts, "now": now})
	if err != nil {
		return fmt.Errorf("tserasdb: outcomes: %w", err)
	}
	return nil
}

// next moves a case on by what the registers said.
func next(w *writes, f tseras.File) error {
	n := f.Next(w.now)
	if n.To == f.Case.State {
		return nil
	}
	if n.Alone != nil {
		p := f.Pack(f.Input(n.Alone.DecidedOn), *n.Alone)
		return w.decide(f, *n.Alone, p.Bytes(), "", n.What, true)
	}
	c, err := w.move(f.Case, n.To, n.Variant, casework.Actor{Part: casework.BySystem}, n.What, nil)
	if err != nil || n.To == tseras.AwaitingDraw {
		return err
	}
	if n.To == tseras.AwaitingReferral {
		w.asked, w.codes = append(w.asked, c), append(w.codes, f.Evidence.RegisteredAt())
	}
	w.told = append(w.told, noteOf(c, n.What, w.now))
	return nil
}
