package registrydb

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

// loadBatch is how many entries go into one COPY: enough that the round trips do not count, little enough to hold.
const loadBatch = 5000

// Load writes very many versions, which the caller made with registry.Next, each with its ledger line, by COPY and in
// one transaction: all or none. Nobody is sent a message, because nothing new happened to anybody.
// progress, if not nil, is told after each batch how many versions there are so far. The pool's role is tesdiq_registry.
func Load(ctx context.Context, pool *pgxpool.Pool, versions iter.Seq[registry.Version], random io.Reader, progress func(versions int)) (n int, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		batch := make([]registry.Version, 0, loadBatch)
		flush := func() error {
			if err := load(ctx, tx, batch, random); err != nil {
				return err
			}
			n += len(batch)
			batch = batch[:0]
			if progress != nil {
				progress(n)
			}
			return nil
		}
		for v := range versions {
			if batch = append(batch, v); len(batch) == loadBatch {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return flush()
	})
	return n, err
}

// sqlReserve takes numbers from the sequence of the table's own identity column; COPY may set it.
const sqlReserve = `
	SELECT nextval(pg_get_serial_sequence('entries', 'id'))
	FROM generate_series(1, @n)`

// load writes one batch.
func load(ctx context.Context, tx pgx.Tx, batch []registry.Version, random io.Reader) error {
	rows, _ := tx.Query(ctx, sqlReserve, pgx.NamedArgs{"n": len(batch)}) // the error comes out of Collect
	ids, err := pgx.CollectRows(rows, pgx.RowTo[registry.EntryID])
	if err != nil {
		return fmt.Errorf("registrydb: load: reserve: %w", err)
	}
	var heads, lines, persons, examinations, contracts [][]any
	for i, v := range batch {
		v.Head.ID = ids[i]
		h, id := v.Head, ids[i]
		line, err := lineOf(random, v)
		if err != nil {
			return err
		}
		lines = append(lines, []any{string(line.Kind), line.Object, line.Key, line.MAC})
		heads = append(heads, []any{
			id, string(h.Book), h.Number, h.Version, string(h.Act), string(h.Subject), h.Chain, h.EffectiveOn, h.EnteredAt, h.EnteredBy, h.Reason,
		})
		switch b := v.Body.(type) {
		case person.Person:
			persons = append(persons, []any{
				id, string(b.FIN), b.Name.Surname, b.Name.Given, b.Name.Father, string(b.Sex), b.Born, string(b.Document),
			})
		case examination.Examination:
			examinations = append(examinations, []any{
				id, b.Commission, b.ExaminedOn, b.Repeat, string(b.Outcome), int(b.Loss), string(b.Degree), string(b.Group), string(b.Cause),
				b.From, b.Until, b.NextFrom,
			})
		case contract.Contract:
			contracts = append(contracts, []any{
				id, b.Employer, string(b.EmployerVOEN), b.Workplace, b.Position, b.Main, b.PartTime, int64(b.Salary), b.Concluded,
				b.From, b.Until, string(b.State), b.Terminated, b.Ground,
			})
		}
	}
	for _, t := range []struct {
		table   string
		columns []string
		rows    [][]any
	}{
		{"entries", []string{"id", "book", "number", "version", "act", "subject", "chain", "effective_on", "entered_at", "entered_by", "reason"}, heads},
		{"persons", []string{"entry_id", "fin", "surname", "given", "father", "sex", "born", "document"}, persons},
		{"examinations", []string{"entry_id", "commission", "examined_on", "repeat", "outcome", "loss", "degree", "old_group", "cause", "from_day", "until_day", "next_from"}, examinations},
		{"contracts", []string{"entry_id", "employer", "employer_voen", "workplace", "position", "main", "part_time", "salary", "concluded", "from_day", "until_day", "state", "terminated", "ground"}, contracts},
		{"ledger_lines", []string{"kind", "object", "key", "mac"}, lines},
	} {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.table}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
			return fmt.Errorf("registrydb: load: %s: %w", t.table, err)
		}
	}
	return nil
}
