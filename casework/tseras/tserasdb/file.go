package tserasdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

const sqlReferral = `
	SELECT referral, district
	FROM tseras_referrals
	WHERE case_id = @id`

// The latest outcome of each register since the case began to ask.
const sqlEvidence = `
	SELECT DISTINCT ON (register) outcome
	FROM tseras_evidence
	WHERE case_id = @id AND at >= @since
	ORDER BY register, n DESC`

const sqlGatheringSince = `
	SELECT max(at)
	FROM case_steps
	WHERE case_id = @id AND to_state = 'gathering'`

const sqlOwnDecisions = `
	SELECT d.entry_id, d.package
	FROM tseras_decisions d
	JOIN cases c ON c.id = d.case_id
	WHERE c.subject = @subject AND d.entry_id IS NOT NULL`

// fileOf reads everything of a case that the transaction holds.
func fileOf(ctx context.Context, tx pgx.Tx, c casework.Case) (tseras.File, error) {
	f := tseras.File{Case: c}
	of := c.ID // whose referral and evidence are used
	books := registrydb.Reader{Pool: tx}
	person, err := books.Person(ctx, c.Subject)
	if err != nil {
		return f, err
	}
	f.Born = person.Born
	if c.Kind == tseras.Appeal {
		of = c.About
		if f.First, err = firstOf(ctx, tx, of); err != nil {
			return f, err
		}
	}
	var r tseras.Referral
	switch err := tx.QueryRow(ctx, sqlReferral, pgx.NamedArgs{"id": of}).Scan(&r, &f.District); {
	case err == nil:
		f.Referral = &r
	case !errors.Is(err, pgx.ErrNoRows):
		return f, fmt.Errorf("tserasdb: referral: %w", err)
	}
	if f.Evidence, err = evidenceOf(ctx, tx, of); err != nil {
		return f, err
	}
	but := ""
	if f.First != nil {
		but = f.First.Entry
	}
	f.Prior, err = priorOf(ctx, tx, c.Subject, but)
	return f, err
}

// evidenceOf is what the registers said since the case last began to ask them.
func evidenceOf(ctx context.Context, tx pgx.Tx, id casework.ID) (tseras.Evidence, error) {
	since, err := gatheringSince(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	rows, _ := tx.Query(ctx, sqlEvidence, pgx.NamedArgs{"id": id, "since": since}) // the error comes out of Collect
	evidence, err := pgx.CollectRows(rows, pgx.RowTo[tseras.Outcome])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: evidence: %w", err)
	}
	return evidence, nil
}

func gatheringSince(ctx context.Context, tx pgx.Tx, id casework.ID) (since time.Time, err error) {
	if err := tx.QueryRow(ctx, sqlGatheringSince, pgx.NamedArgs{"id": id}).Scan(&since); err != nil {
		return since, fmt.Errorf("tserasdb: gathering of case %d: %w", id, err)
	}
	return since, nil
}

// priorOf are the earlier decisions on the person, with the conditions of those that were ours; without that of one number.
func priorOf(ctx context.Context, tx pgx.Tx, subject tesdiq.FIN, but string) ([]criteria.Prior, error) {
	entries, err := registrydb.Reader{Pool: tx}.Examinations(ctx, subject)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	rows, _ := tx.Query(ctx, sqlOwnDecisions, pgx.NamedArgs{"subject": subject}) // the error comes out of ForEachRow
	ours := map[registry.EntryID][]criteria.Condition{}
	var id registry.EntryID
	var text []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &text}, func() error {
		p, err := criteria.ReadPackage(text)
		if err != nil {
			return err
		}
		var r criteria.Result
		if err := json.Unmarshal(p.Result, &r); err != nil {
			return err
		}
		for _, v := range r.Conditions {
			ours[id] = append(ours[id], v.Condition)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: earlier decisions: %w", err)
	}
	var prior []criteria.Prior
	for _, e := range entries {
		if e.Head.Number == but {
			continue
		}
		prior = append(prior, tseras.PriorOf(e.Examination, ours[e.Head.ID]))
	}
	return prior, nil
}
