// Package caseworkdb keeps cases and their steps, for all procedures, in the caller's transaction. Its role is
// tesdiq_casework. A case's state changes only together with a step; the database refuses anything else.
package caseworkdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

const sqlOpen = `
	INSERT INTO cases (number, procedure, kind, subject, opened_at, law_on, about, request, seq, state)
	SELECT 'T-' || a.year || '-' || CASE WHEN n < 1000000 THEN lpad(n::text, 6, '0') ELSE n::text END,
	       a.procedure, a.kind, a.subject, a.opened_at, a.law_on, nullif(a.about, 0), a.request, 1, a.state
	FROM (SELECT nextval('case_numbers') AS n, r.*
	      FROM unnest(@years::text[], @procedures::text[], @kinds::text[], @subjects::text[], @opened::timestamptz[], @laws::date[], @abouts::bigint[],
	                  @requests::text[], @states::text[]) AS r (year, procedure, kind, subject, opened_at, law_on, about, request, state)) a
	ON CONFLICT (request) DO NOTHING
	RETURNING id, number, request`

const sqlOpened = `
	SELECT id FROM cases
	WHERE request = @request`

const uniqueViolation = "23505"

// Open writes a new case with its first step, a Move from a Case that is only a head. Request names who asks and his own
// key: asked again with the same, it returns the case that there is, and false. Of a person who has an open case of the
// kind, where he may have only one, it is casework.ErrOpen, and the transaction must be rolled back.
func Open(ctx context.Context, tx pgx.Tx, random io.Reader, c casework.Case, first casework.Step, request string) (casework.Case, bool, error) {
	fresh, err := OpenAll(ctx, tx, random, Opening{c, first, request})
	if err != nil {
		return c, false, err
	}
	if len(fresh) == 1 {
		return fresh[0], true, nil
	}
	var id casework.ID
	if err := tx.QueryRow(ctx, sqlOpened, pgx.NamedArgs{"request": request}).Scan(&id); err != nil {
		return c, false, fmt.Errorf("caseworkdb: opened: %w", err)
	}
	c, err = Lock(ctx, tx, id)
	return c, false, err
}

// Opening is a case to be opened, as Open takes it.
type Opening struct {
	Case    casework.Case
	First   casework.Step
	Request string
}

// OpenAll is Open of several cases by the same statements. It returns those that are new, in their order: what was asked before is left out.
func OpenAll(ctx context.Context, tx pgx.Tx, random io.Reader, all ...Opening) (fresh []casework.Case, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	n := len(all)
	texts := map[string][]string{}
	opened, laws, abouts := make([]time.Time, n), make([]tesdiq.Date, n), make([]casework.ID, n)
	for i, o := range all {
		for name, text := range map[string]string{"years": strconv.Itoa(tesdiq.DateOf(o.First.At).Year()), "procedures": string(o.Case.Procedure),
			"kinds": string(o.Case.Kind), "subjects": string(o.Case.Subject), "requests": o.Request, "states": string(o.Case.State)} {
			texts[name] = append(texts[name], text)
		}
		opened[i], laws[i], abouts[i] = o.First.At, o.Case.LawOn, o.Case.About
	}
	args := pgx.NamedArgs{"opened": opened, "laws": laws, "abouts": abouts}
	for name, text := range texts {
		args[name] = text
	}
	type key struct {
		id     casework.ID
		number string
	}
	keys := map[string]key{}
	rows, _ := tx.Query(ctx, sqlOpen, args) // the error comes out of ForEachRow
	var k key
	var request string
	_, err = pgx.ForEachRow(rows, []any{&k.id, &k.number, &request}, func() error {
		keys[request] = k
		return nil
	})
	var failed *pgconn.PgError
	switch {
	case errors.As(err, &failed) && failed.Code == uniqueViolation && strings.HasPrefix(failed.ConstraintName, "cases_one_"):
		return nil, casework.ErrOpen
	case err != nil:
		return nil, fmt.Errorf("caseworkdb: open: %w", err)
	}
	first := map[casework.Procedure][]Moved{}
	for _, o := range all {
		k, isNew := keys[o.Request]
		if !isNew {
			continue
		}
		c := o.Case
		c.ID, c.Number, c.Opened, o.First.Case = k.id, k.number, o.First.At, k.id
		fresh = append(fresh, c)
		first[c.Procedure] = append(first[c.Procedure], Moved{Case: c, Step: o.First})
	}
	for p, moved := range first {
		if err := steps(ctx, tx, random, p, moved); err != nil {
			return nil, err
		}
	}
	return fresh, nil
}

const columns = `
	c.id, c.number, c.procedure, c.kind, c.subject, c.opened_at, c.law_on, coalesce(c.about, 0), c.seq, c.state, s.at, s.turn, s.began, s.due_by, s.provisional`

const sqlHold = `
	SELECT FROM cases
	WHERE id = @id
	FOR UPDATE`

const sqlHeld = `
	SELECT ` + columns + `
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.id = @id`

const sqlLockState = `
	SELECT ` + columns + `
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.procedure = @procedure AND (@kind = '' OR c.kind = @kind) AND c.state = @state AND c.id = ANY (@ids)
	ORDER BY c.id
	FOR UPDATE OF c SKIP LOCKED`

const sqlByID = `
	SELECT ` + columns + `
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.id = @id`

const sqlByNumber = `
	SELECT ` + columns + `
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.number = @number AND c.subject = @subject`

const sqlOf = `
	SELECT ` + columns + `
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.subject = @subject
	ORDER BY c.id DESC`

func scan(row pgx.CollectableRow) (c casework.Case, err error) {
	err = row.Scan(&c.ID, &c.Number, &c.Procedure, &c.Kind, &c.Subject, &c.Opened, &c.LawOn, &c.About, &c.Seq, &c.State, &c.Since,
		&c.Clock.Turn, &c.Clock.Began, &c.Clock.DueBy, &c.Clock.Provisional)
	return c, err
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func one(ctx context.Context, q querier, sql string, args pgx.NamedArgs) (casework.Case, error) {
	rows, _ := q.Query(ctx, sql, args) // the error comes out of Collect
	c, err := pgx.CollectExactlyOneRow(rows, scan)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return c, casework.ErrMissing
	case err != nil:
		return c, fmt.Errorf("caseworkdb: case: %w", err)
	}
	return c, nil
}

func many(ctx context.Context, q querier, sql string, args pgx.NamedArgs) ([]casework.Case, error) {
	rows, _ := q.Query(ctx, sql, args) // the error comes out of Collect
	cs, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("caseworkdb: cases: %w", err)
	}
	return cs, nil
}

// Lock reads a case and holds it until the transaction ends.
func Lock(ctx context.Context, tx pgx.Tx, id casework.ID) (casework.Case, error) {
	// Two statements: one that had to wait would join the case as it is now with the step that was its latest before.
	if _, err := tx.Exec(ctx, sqlHold, pgx.NamedArgs{"id": id}); err != nil {
		return casework.Case{}, fmt.Errorf("caseworkdb: hold: %w", err)
	}
	return one(ctx, tx, sqlHeld, pgx.NamedArgs{"id": id})
}

// LockAll reads those of some cases, of one kind or of any (""), that are still in a state, and holds them until the transaction ends. Those that
// somebody else holds are left out: whoever holds them is doing something with them.
func LockAll(ctx context.Context, tx pgx.Tx, p casework.Procedure, k casework.Kind, s casework.State, ids []casework.ID) ([]casework.Case, error) {
	return many(ctx, tx, sqlLockState, pgx.NamedArgs{"procedure": p, "kind": k, "state": s, "ids": ids})
}

// ByID reads a case.
func ByID(ctx context.Context, q querier, id casework.ID) (casework.Case, error) {
	return one(ctx, q, sqlByID, pgx.NamedArgs{"id": id})
}

// ByNumber reads a person's case.
func ByNumber(ctx context.Context, q querier, subject tesdiq.FIN, number string) (casework.Case, error) {
	return one(ctx, q, sqlByNumber, pgx.NamedArgs{"number": number, "subject": subject})
}

// Of are a person's cases, the newest first.
func Of(ctx context.Context, q querier, subject tesdiq.FIN) ([]casework.Case, error) {
	return many(ctx, q, sqlOf, pgx.NamedArgs{"subject": subject})
}

const sqlSteps = `
	INSERT INTO case_steps (case_id, procedure, kind, seq, from_state, to_state, at, part, actor_fin, office, what, args, turn, began, due_by, provisional)
	SELECT a.case_id, @procedure, a.kind, a.seq, a.from_state, a.to_state, a.at, a.part, nullif(a.actor_fin, ''), a.office, a.what, a.args::jsonb,
	       a.turn, a.began, a.due_by, a.provisional
	FROM unnest(@cases::bigint[], @kinds::text[], @seqs::int[], @froms::text[], @tos::text[], @ats::timestamptz[], @parts::text[], @fins::text[],
	            @offices::text[], @whats::text[], @args::text[], @turns::text[], @began::date[], @due::date[], @provisional::boolean[])
	     AS a (case_id, kind, seq, from_state, to_state, at, part, actor_fin, office, what, args, turn, began, due_by, provisional)
	ORDER BY a.seq`

const sqlStand = `
	UPDATE cases c
	SET seq = a.seq, state = a.state
	FROM unnest(@cases::bigint[], @seqs::int[], @states::text[]) AS a (case_id, seq, state)
	WHERE c.id = a.case_id AND c.seq < a.seq`

// Moved is a case after a step, and the step.
type Moved struct {
	Case casework.Case
	Step casework.Step
}

// Write writes one step for each of several cases of one procedure, which the transaction holds (Lock), and where each
// stands now. Each step has its ledger line.
func Write(ctx context.Context, tx pgx.Tx, random io.Reader, p casework.Procedure, moved ...Moved) error {
	if len(moved) == 0 {
		return nil
	}
	var ids []casework.ID
	var seqs []int
	var states []casework.State
	for _, m := range moved {
		ids, seqs, states = append(ids, m.Case.ID), append(seqs, m.Case.Seq), append(states, m.Case.State)
	}
	if err := steps(ctx, tx, random, p, moved); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, sqlStand, pgx.NamedArgs{"cases": ids, "seqs": seqs, "states": states})
	if err != nil {
		return fmt.Errorf("caseworkdb: stand: %w", err)
	}
	if int(tag.RowsAffected()) != len(moved) {
		return fmt.Errorf("caseworkdb: %d of %d cases moved", tag.RowsAffected(), len(moved))
	}
	return nil
}

// steps writes steps and their ledger lines.
func steps(ctx context.Context, tx pgx.Tx, random io.Reader, p casework.Procedure, moved []Moved) error {
	n := len(moved)
	cases, seqs, ats := make([]casework.ID, n), make([]int, n), make([]time.Time, n)
	texts := map[string][]string{}
	began, due := make([]tesdiq.Date, n), make([]tesdiq.Date, n)
	provisional := make([]bool, n)
	lines := make([]ledger.Line, n)
	for i, m := range moved {
		s := m.Step
		if s.Args == nil {
			s.Args = map[string]string{}
		}
		args, err := json.Marshal(s.Args)
		if err != nil {
			return fmt.Errorf("caseworkdb: step: %w", err)
		}
		for name, text := range map[string]string{"froms": string(s.From), "tos": string(s.To), "parts": string(s.By.Part), "fins": string(s.By.FIN),
			"offices": s.By.Office, "whats": s.What, "args": string(args), "turns": string(s.Clock.Turn), "kinds": string(m.Case.Kind)} {
			texts[name] = append(texts[name], text)
		}
		cases[i], seqs[i], ats[i] = s.Case, s.Seq, s.At
		began[i], due[i], provisional[i] = s.Clock.Began, s.Clock.DueBy, s.Clock.Provisional
		content, err := s.Content()
		if err != nil {
			return err
		}
		if lines[i], err = ledger.NewLine(random, ledger.Step, strconv.FormatInt(int64(s.Case), 10)+"/"+strconv.Itoa(s.Seq), content); err != nil {
			return err
		}
	}
	args := pgx.NamedArgs{"procedure": p, "cases": cases, "seqs": seqs, "ats": ats, "began": began, "due": due, "provisional": provisional}
	for name, text := range texts {
		args[name] = text
	}
	if _, err := tx.Exec(ctx, sqlSteps, args); err != nil {
		return fmt.Errorf("caseworkdb: steps: %w", err)
	}
	return ledgerdb.Append(ctx, tx, lines...)
}

const sqlHistory = `
	SELECT s.case_id, s.seq, s.from_state, s.to_state, s.at, s.part, coalesce(s.actor_fin, ''), s.office, s.what, s.args, s.turn, s.began, s.due_by, s.provisional
	FROM case_steps s
	WHERE s.case_id = @id
	ORDER BY s.seq`

// History is all steps of a case, the first first.
func History(ctx context.Context, q querier, id casework.ID) ([]casework.Step, error) {
	rows, _ := q.Query(ctx, sqlHistory, pgx.NamedArgs{"id": id}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s casework.Step, err error) {
		err = row.Scan(&s.Case, &s.Seq, &s.From, &s.To, &s.At, &s.By.Part, &s.By.FIN, &s.By.Office, &s.What, &s.Args,
			&s.Clock.Turn, &s.Clock.Began, &s.Clock.DueBy, &s.Clock.Provisional)
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("caseworkdb: history of case %d: %w", id, err)
	}
	return all, nil
}
