package tserasdb

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

const sqlReferralsOf = `
	SELECT case_id, referral, district
	FROM tseras_referrals
	WHERE case_id = ANY (@ids)`

// The latest outcome of each register since the case last began to ask.
const sqlEvidence = `
	SELECT DISTINCT ON (e.case_id, e.register) e.case_id, e.outcome
	FROM (SELECT case_id, max(at) AS since
	      FROM case_steps
	      WHERE case_id = ANY (@ids) AND to_state = 'gathering'
	      GROUP BY case_id) g
	JOIN tseras_evidence e ON e.case_id = g.case_id AND e.at >= g.since
	ORDER BY e.case_id, e.register, e.n DESC`

const sqlOwnDecisions = `
	SELECT d.entry_id, d.package
	FROM tseras_decisions d
	JOIN cases c ON c.id = d.case_id
	WHERE c.subject = ANY (@subjects) AND d.entry_id IS NOT NULL`

// filesOf reads everything of cases that the transaction holds, in their order, by a few statements for all of them.
func filesOf(ctx context.Context, tx pgx.Tx, cases []casework.Case) ([]tseras.File, error) {
	files, err := headsOf(ctx, tx, cases)
	if err != nil {
		return nil, err
	}
	of := make([]casework.ID, len(cases)) // whose referral and evidence are used
	for i, c := range cases {
		of[i] = c.ID
		if c.Kind == tseras.Appeal {
			of[i] = c.About
		}
	}
	referrals, err := referralsOf(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	evidence, err := evidenceOf(ctx, tx, of...)
	if err != nil {
		return nil, err
	}
	for i := range files {
		if r, ok := referrals[of[i]]; ok {
			files[i].Referral, files[i].District = &r.Referral, r.district
		}
		files[i].Evidence = evidence[of[i]]
	}
	return files, nil
}

// headsOf reads of cases what was decided about their people before, and not what was gathered for them.
func headsOf(ctx context.Context, tx pgx.Tx, cases []casework.Case) ([]tseras.File, error) {
	subjects := column(cases, func(c casework.Case) tesdiq.FIN { return c.Subject })
	people, err := registrydb.Reader{Pool: tx}.People(ctx, subjects...)
	if err != nil {
		return nil, err
	}
	files := make([]tseras.File, len(cases))
	for i, c := range cases {
		p, known := people[c.Subject]
		if !known {
			return nil, fmt.Errorf("tserasdb: case %d: %w", c.ID, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown"))
		}
		files[i] = tseras.File{Case: c, Born: p.Born}
		if c.Kind == tseras.Appeal {
			if files[i].First, err = firstOf(ctx, tx, c.About); err != nil {
				return nil, err
			}
		}
	}
	prior, err := priorOf(ctx, tx, subjects)
	if err != nil {
		return nil, err
	}
	for i := range files {
		f := &files[i]
		for _, e := range prior[f.Case.Subject] {
			if f.First == nil || e.number != f.First.Entry {
				f.Prior = append(f.Prior, e.Prior)
			}
		}
	}
	return files, nil
}

// referred is a referral with the district of the institution.
type referred struct {
	tseras.Referral
	district tseras.District
}

func referralsOf(ctx context.Context, tx pgx.Tx, ids []casework.ID) (map[casework.ID]referred, error) {
	all := make(map[casework.ID]referred, len(ids))
	rows, _ := tx.Query(ctx, sqlReferralsOf, pgx.NamedArgs{"ids": ids}) // the error comes out of ForEachRow
	var id casework.ID
	var text []byte
	var district tseras.District
	_, err := pgx.ForEachRow(rows, []any{&id, &text, &district}, func() error {
		r := referred{district: district}
		err := json.Unmarshal(text, &r.Referral)
		all[id] = r
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: referrals: %w", err)
	}
	return all, nil
}

// evidenceOf is what the registers said since each case last began to ask them.
func evidenceOf(ctx context.Context, tx pgx.Tx, ids ...casework.ID) (map[casework.ID]tseras.Evidence, error) {
	all := make(map[casework.ID]tseras.Evidence, len(ids))
	rows, _ := tx.Query(ctx, sqlEvidence, pgx.NamedArgs{"ids": ids}) // the error comes out of ForEachRow
	var id casework.ID
	var text []byte
	_, err := pgx.ForEachRow(rows, []any{&id, &text}, func() error {
		var o tseras.Outcome
		err := json.Unmarshal(text, &o)
		all[id] = append(all[id], o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: evidence: %w", err)
	}
	return all, nil
}

// earlier is an earlier decision, with the number under which the book has it.
type earlier struct {
	criteria.Prior
	number string
}

// priorOf are the earlier decisions on people, with the conditions of those that were ours.
func priorOf(ctx context.Context, tx pgx.Tx, subjects []tesdiq.FIN) (map[tesdiq.FIN][]earlier, error) {
	entries, err := registrydb.Reader{Pool: tx}.ExaminationsOf(ctx, subjects...)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	rows, _ := tx.Query(ctx, sqlOwnDecisions, pgx.NamedArgs{"subjects": subjects}) // the error comes out of ForEachRow
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
	prior := map[tesdiq.FIN][]earlier{}
	for _, e := range entries {
		prior[e.Head.Subject] = append(prior[e.Head.Subject], earlier{tseras.PriorOf(e.Examination, ours[e.Head.ID]), e.Head.Number})
	}
	return prior, nil
}
