package registrydb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
)

// Writer enters changes, each in a transaction of its own. The pool's role is tesdiq_registry.
type Writer struct {
	Pool *pgxpool.Pool
	Now  func() time.Time
	Rand io.Reader // of the ledger lines' keys
}

// Enter writes one change: entry, ledger line and message to the person, together or not at all. It returns the version
// before (nil: there was none) and the one that it wrote. What the rules do not allow is a Problem or Problems; a change
// that somebody else made in the meantime is a Conflict, "entry.moved".
func (w Writer) Enter(ctx context.Context, c registry.Change) (before *registry.Version, after registry.Version, err error) {
	err = pgx.BeginFunc(ctx, w.Pool, func(tx pgx.Tx) error {
		before, after, err = Enter(ctx, tx, c, w.Now(), w.Rand)
		return err
	})
	return before, after, err
}

// errPreview rolls a preview back.
var errPreview = errors.New("registrydb: preview")

// Preview does everything that Enter does, and takes it back.
func (w Writer) Preview(ctx context.Context, c registry.Change) (before *registry.Version, after registry.Version, err error) {
	err = pgx.BeginFunc(ctx, w.Pool, func(tx pgx.Tx) error {
		if before, after, err = Enter(ctx, tx, c, w.Now(), w.Rand); err != nil {
			return err
		}
		return errPreview
	})
	if errors.Is(err, errPreview) {
		err = nil
	}
	return before, after, err
}

// Enter writes one change in the caller's transaction, whose role may write to the books; after an error the transaction
// must be rolled back. A body without a number that begins a new object is given the year's next one.
func Enter(ctx context.Context, tx pgx.Tx, c registry.Change, now time.Time, random io.Reader) (*registry.Version, registry.Version, error) {
	before, after, err := enter(ctx, tx, []registry.Change{c}, now, random)
	return before[0], after[0], err
}

// EnterAll is Enter of many changes, each of another object, by the same few statements. It returns the versions that it wrote, in the
// order of the changes. What is wrong with one of them is the error for all.
func EnterAll(ctx context.Context, tx pgx.Tx, cs []registry.Change, now time.Time, random io.Reader) ([]registry.Version, error) {
	_, after, err := enter(ctx, tx, cs, now, random)
	return after, err
}

func enter(ctx context.Context, tx pgx.Tx, cs []registry.Change, now time.Time, random io.Reader) (before []*registry.Version, after []registry.Version, err error) {
	before, after = make([]*registry.Version, len(cs)), make([]registry.Version, len(cs))
	if cs, err = numbered(ctx, tx, cs, now); err != nil {
		return before, after, err
	}
	if before, err = latest(ctx, tx, cs); err != nil {
		return before, after, err
	}
	born, err := bornOf(ctx, tx, cs)
	if err != nil {
		return before, after, err
	}
	for i, c := range cs {
		if after[i], err = registry.Next(before[i], c, born[i], now); err != nil {
			return before, after, err
		}
	}
	if err := insert(ctx, tx, after); err != nil {
		return before, after, err
	}
	lines, told := make([]ledger.Line, len(cs)), make([]message.Message, len(cs))
	for i, v := range after {
		if lines[i], err = lineOf(random, v); err != nil {
			return before, after, err
		}
		told[i] = messageOf(v)
	}
	if err := ledgerdb.Append(ctx, tx, lines...); err != nil {
		return before, after, err
	}
	return before, after, message.Send(ctx, tx, told...)
}

const sqlLatest = `
	SELECT ` + columnsHead + `
	FROM unnest(@books::text[], @numbers::text[]) AS a (book, number)
	CROSS JOIN LATERAL (SELECT * FROM entries o WHERE o.book = a.book AND o.number = a.number ORDER BY o.version DESC LIMIT 1) e`

// latestHeads are the heads of the latest versions of objects, annulled or not; those that there are.
func latestHeads(ctx context.Context, q Querier, of ...registry.Head) ([]registry.Head, error) {
	books, numbers := make([]string, len(of)), make([]string, len(of))
	for i, h := range of {
		books[i], numbers[i] = string(h.Book), h.Number
	}
	return some(ctx, q, func(row pgx.CollectableRow) (h registry.Head, err error) {
		return h, row.Scan(head(&h)...)
	}, sqlLatest, pgx.NamedArgs{"books": books, "numbers": numbers})
}

// latest are the latest versions of what changes are about, annulled or not; nil where there is none.
func latest(ctx context.Context, tx pgx.Tx, cs []registry.Change) ([]*registry.Version, error) {
	before := make([]*registry.Version, len(cs))
	of := make([]registry.Head, len(cs))
	for i, c := range cs {
		of[i] = c.Heading()
	}
	heads, err := latestHeads(ctx, tx, of...)
	if err != nil || len(heads) == 0 {
		return before, err
	}
	versions, err := Reader{tx}.Versions(ctx, heads...)
	if err != nil {
		return before, err
	}
	for _, v := range versions {
		for i, h := range of {
			if h.Book == v.Head.Book && h.Number == v.Head.Number {
				before[i] = &v
			}
		}
	}
	return before, nil
}

// Latest is the latest version of an object, annulled or not, whoever it is about: for the operator, who writes a look.
func (r Reader) Latest(ctx context.Context, book registry.Book, number string) (registry.Version, error) {
	heads, err := latestHeads(ctx, r.Pool, registry.Head{Book: book, Number: number})
	if err != nil {
		return registry.Version{}, err
	}
	if len(heads) == 0 {
		return registry.Version{}, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")
	}
	return r.Version(ctx, heads[0])
}

// bornOf are the birthdays of those whom changes are about, by which they are judged. Nobody has examinations or
// contracts who is not in the book of persons.
func bornOf(ctx context.Context, tx pgx.Tx, cs []registry.Change) ([]tesdiq.Date, error) {
	born := make([]tesdiq.Date, len(cs))
	var subjects []tesdiq.FIN
	for _, c := range cs {
		if h := c.Heading(); h.Book != registry.Persons && c.Body != nil {
			subjects = append(subjects, h.Subject)
		}
	}
	if len(subjects) == 0 {
		return born, nil
	}
	people, err := Reader{tx}.People(ctx, subjects...)
	if err != nil {
		return born, err
	}
	for i, c := range cs {
		h := c.Heading()
		if h.Book == registry.Persons || c.Body == nil {
			continue
		}
		p, known := people[h.Subject]
		if !known {
			return born, tesdiq.Invalid("entry.person_unknown").In("subject")
		}
		born[i] = p.Born
	}
	return born, nil
}

const sqlInsertHeads = `
	INSERT INTO entries (book, number, version, act, subject, chain, effective_on, entered_at, entered_by, reason)
	SELECT *
	FROM unnest(@books::text[], @numbers::text[], @versions::int[], @acts::text[], @subjects::text[], @chains::text[], @effective::date[],
	            @entered::timestamptz[], @by::text[], @reasons::text[])
	RETURNING id, book, number`

// uniqueViolation is PostgreSQL's code for "somebody was faster".
const uniqueViolation = "23505"

// column is one field of each of several rows, for unnest.
func column[R, V any](rows []R, of func(R) V) []V {
	all := make([]V, len(rows))
	for i, r := range rows {
		all[i] = of(r)
	}
	return all
}

// insert writes heads and bodies, and sets the heads' IDs.
func insert(ctx context.Context, tx pgx.Tx, vs []registry.Version) error {
	rows, _ := tx.Query(ctx, sqlInsertHeads, pgx.NamedArgs{
		"books":     column(vs, func(v registry.Version) string { return string(v.Head.Book) }),
		"numbers":   column(vs, func(v registry.Version) string { return v.Head.Number }),
		"versions":  column(vs, func(v registry.Version) int { return v.Head.Version }),
		"acts":      column(vs, func(v registry.Version) string { return string(v.Head.Act) }),
		"subjects":  column(vs, func(v registry.Version) string { return string(v.Head.Subject) }),
		"chains":    column(vs, func(v registry.Version) string { return v.Head.Chain }),
		"effective": column(vs, func(v registry.Version) tesdiq.Date { return v.Head.EffectiveOn }),
		"entered":   column(vs, func(v registry.Version) time.Time { return v.Head.EnteredAt }),
		"by":        column(vs, func(v registry.Version) string { return v.Head.EnteredBy }),
		"reasons":   column(vs, func(v registry.Version) string { return v.Head.Reason }),
	}) // the error comes out of ForEachRow
	var id registry.EntryID
	var book registry.Book
	var number string
	_, err := pgx.ForEachRow(rows, []any{&id, &book, &number}, func() error {
		for i := range vs {
			if h := &vs[i].Head; h.Book == book && h.Number == number {
				h.ID = id
			}
		}
		return nil
	})
	var failed *pgconn.PgError
	if errors.As(err, &failed) && failed.Code == uniqueViolation {
		if len(vs) == 1 && vs[0].Head.Version == 1 {
			return tesdiq.NewProblem(tesdiq.Conflict, "entry.exists").In("number")
		}
		return tesdiq.NewProblem(tesdiq.Conflict, "entry.moved")
	}
	if err != nil {
		return fmt.Errorf("registrydb: heads: %w", err)
	}
	return insertBodies(ctx, tx, vs)
}

// lineOf is the ledger line of an entry, whose object is the entry's ID: a number could be somebody's FIN.
func lineOf(random io.Reader, v registry.Version) (ledger.Line, error) {
	content, err := registry.Content(v.Head, v.Body)
	if err != nil {
		return ledger.Line{}, err
	}
	return ledger.NewLine(random, ledger.Entry, strconv.FormatInt(int64(v.Head.ID), 10), content)
}

// messageOf tells the person what was entered, without saying what it says.
func messageOf(v registry.Version) message.Message {
	m := message.Message{
		To: v.Head.Subject, Key: "message.entry", At: v.Head.EnteredAt, Aloud: true,
		Args: map[string]string{
			"Book.key": "registry.book." + string(v.Head.Book),
			"Act.key":  "registry.act." + string(v.Head.Act),
			"Number":   v.Head.Number,
		},
	}
	switch v.Head.Book {
	case registry.Examinations:
		m.Link = "/cabinet/examinations/" + v.Head.Number
	case registry.Contracts:
		m.Link = "/cabinet/contracts/" + v.Head.Number
	}
	return m
}

// numbered gives the new objects that have no number the next ones of their year.
func numbered(ctx context.Context, tx pgx.Tx, cs []registry.Change, now time.Time) ([]registry.Change, error) {
	cs = slices.Clone(cs)
	last := map[registry.Book]string{}
	year := tesdiq.DateOf(now).Year()
	for i, c := range cs {
		if c.Act != registry.Append || c.After != 0 || c.Body == nil || c.Heading().Number != "" {
			continue
		}
		book := c.Heading().Book
		before, known := last[book]
		var err error
		if !known {
			if before, err = lastNumber(ctx, tx, book, year); err != nil {
				return cs, err
			}
		}
		if last[book], err = registry.NextNumber(book, year, before); err != nil {
			return cs, err
		}
		switch b := c.Body.(type) {
		case examination.Examination:
			b.Number = last[book]
			cs[i].Body = b
		case contract.Contract:
			b.Number = last[book]
			cs[i].Body = b
		}
	}
	return cs, nil
}

const sqlLockNumbers = `SELECT pg_advisory_xact_lock(hashtextextended(@numbers, 0))`

const sqlLastNumber = `
	SELECT number
	FROM entries
	WHERE book = @book AND number BETWEEN @first AND @last
	ORDER BY number DESC
	LIMIT 1`

// lastNumber is a book's last number of the year; "" when there is none. Whoever asks holds the year's numbers until his transaction ends.
func lastNumber(ctx context.Context, tx pgx.Tx, book registry.Book, year int) (string, error) {
	first := registry.Number(book, year, 0)
	if _, err := tx.Exec(ctx, sqlLockNumbers, pgx.NamedArgs{"numbers": "registry:" + first}); err != nil {
		return "", fmt.Errorf("registrydb: numbers of %d: %w", year, err)
	}
	rows, _ := tx.Query(ctx, sqlLastNumber, pgx.NamedArgs{ // the error comes out of Collect
		"book": book, "first": first, "last": registry.LastNumber(book, year),
	})
	last, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("registrydb: last number of %d: %w", year, err)
	}
	return last, nil
}
