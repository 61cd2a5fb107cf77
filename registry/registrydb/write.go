package registrydb

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	"github.com/tesdiq/tesdiq/registry/person"
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
	c, err := numbered(ctx, tx, c, now)
	if err != nil {
		return nil, registry.Version{}, err
	}
	before, err := latest(ctx, tx, c.Heading())
	if err != nil {
		return nil, registry.Version{}, err
	}
	born, err := bornOf(ctx, tx, c)
	if err != nil {
		return before, registry.Version{}, err
	}
	after, err := registry.Next(before, c, born, now)
	if err != nil {
		return before, after, err
	}
	if err := insert(ctx, tx, &after); err != nil {
		return before, after, err
	}
	line, err := lineOf(random, after)
	if err != nil {
		return before, after, err
	}
	if err := ledgerdb.Append(ctx, tx, line); err != nil {
		return before, after, err
	}
	return before, after, message.Send(ctx, tx, messageOf(after))
}

const sqlLatest = `
	SELECT ` + columnsHead + `
	FROM entries e
	WHERE e.book = @book AND e.number = @number
	ORDER BY e.version DESC
	LIMIT 1`

// latest is the latest version of an object, annulled or not; nil when there is none.
func latest(ctx context.Context, tx pgx.Tx, of registry.Head) (*registry.Version, error) {
	heads, err := some(ctx, tx, func(row pgx.CollectableRow) (h registry.Head, err error) {
		return h, row.Scan(head(&h)...)
	}, sqlLatest, pgx.NamedArgs{"book": of.Book, "number": of.Number})
	if err != nil || len(heads) == 0 {
		return nil, err
	}
	v, err := Reader{tx}.Version(ctx, heads[0])
	return &v, err
}

// Latest is the latest version of an object, annulled or not, whoever it is about: for the operator, who writes a look.
func (r Reader) Latest(ctx context.Context, book registry.Book, number string) (registry.Version, error) {
	h, err := one(ctx, r.Pool, func(row pgx.CollectableRow) (h registry.Head, err error) {
		return h, row.Scan(head(&h)...)
	}, sqlLatest, pgx.NamedArgs{"book": book, "number": number})
	if err != nil {
		return registry.Version{}, err
	}
	return r.Version(ctx, h)
}

// bornOf is the birthday of the person whom a change is about, by which it is judged. Nobody has examinations or
// contracts who is not in the book of persons.
func bornOf(ctx context.Context, tx pgx.Tx, c registry.Change) (tesdiq.Date, error) {
	h := c.Heading()
	if h.Book == registry.Persons || c.Body == nil {
		return tesdiq.Date{}, nil
	}
	p, err := Reader{tx}.Person(ctx, h.Subject)
	if errors.Is(err, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")) {
		return tesdiq.Date{}, tesdiq.Invalid("entry.person_unknown").In("subject")
	}
	return p.Born, err
}

const sqlInsertHead = `
	INSERT INTO entries (book, number, version, act, subject, chain, effective_on, entered_at, entered_by, reason)
	VALUES (@book, @number, @version, @act, @subject, @chain, @effective_on, @entered_at, @entered_by, @reason)
	RETURNING id`

const sqlInsertPerson = `
	INSERT INTO persons (entry_id, fin, surname, given, father, sex, born, document)
	VALUES (@entry_id, @fin, @surname, @given, @father, @sex, @born, @document)`

const sqlInsertExamination = `
	INSERT INTO examinations (entry_id, commission, examined_on, repeat, outcome, loss, degree, old_group, cause, from_day, until_day, next_from)
	VALUES (@entry_id, @commission, @examined_on, @repeat, @outcome, @loss, @degree, @old_group, @cause, @from_day, @until_day, @next_from)`

const sqlInsertContract = `
	INSERT INTO contracts (entry_id, employer, employer_voen, workplace, position, main, part_time, salary, concluded, from_day, until_day, state, terminated, ground)
	VALUES (@entry_id, @employer, @employer_voen, @workplace, @position, @main, @part_time, @salary, @concluded, @from_day, @until_day, @state, @terminated, @ground)`

// uniqueViolation is PostgreSQL's code for "somebody was faster".
const uniqueViolation = "23505"

// insert writes head and body, and sets the head's ID.
func insert(ctx context.Context, tx pgx.Tx, v *registry.Version) error {
	h := v.Head
	rows, _ := tx.Query(ctx, sqlInsertHead, pgx.NamedArgs{
		"book": h.Book, "number": h.Number, "version": h.Version, "act": h.Act, "subject": h.Subject, "chain": h.Chain,
		"effective_on": h.EffectiveOn, "entered_at": h.EnteredAt, "entered_by": h.EnteredBy, "reason": h.Reason,
	}) // the error comes out of Collect
	id, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[registry.EntryID])
	var failed *pgconn.PgError
	if errors.As(err, &failed) && failed.Code == uniqueViolation {
		if h.Version == 1 {
			return tesdiq.NewProblem(tesdiq.Conflict, "entry.exists").In("number")
		}
		return tesdiq.NewProblem(tesdiq.Conflict, "entry.moved")
	}
	if err != nil {
		return fmt.Errorf("registrydb: head: %w", err)
	}
	v.Head.ID = id
	sql, args := "", pgx.NamedArgs{}
	switch b := v.Body.(type) {
	case person.Person:
		sql, args = sqlInsertPerson, pgx.NamedArgs{
			"fin": b.FIN, "surname": b.Name.Surname, "given": b.Name.Given, "father": b.Name.Father,
			"sex": b.Sex, "born": b.Born, "document": b.Document,
		}
	case examination.Examination:
		sql, args = sqlInsertExamination, pgx.NamedArgs{
			"commission": b.Commission, "examined_on": b.ExaminedOn, "repeat": b.Repeat, "outcome": b.Outcome, "loss": b.Loss,
			"degree": b.Degree, "old_group": b.Group, "cause": b.Cause, "from_day": b.From, "until_day": b.Until, "next_from": b.NextFrom,
		}
	case contract.Contract:
		sql, args = sqlInsertContract, pgx.NamedArgs{
			"employer": b.Employer, "employer_voen": b.EmployerVOEN, "workplace": b.Workplace, "position": b.Position,
			"main": b.Main, "part_time": b.PartTime, "salary": b.Salary, "concluded": b.Concluded,
			"from_day": b.From, "until_day": b.Until, "state": b.State, "terminated": b.Terminated, "ground": b.Ground,
		}
	}
	args["entry_id"] = id
	if _, err := tx.Exec(ctx, sql, args); err != nil {
		return fmt.Errorf("registrydb: body of %s: %w", h.Book, err)
	}
	return nil
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

// numbered gives a new object that has no number the next one of its year.
func numbered(ctx context.Context, tx pgx.Tx, c registry.Change, now time.Time) (registry.Change, error) {
	if c.Act != registry.Append || c.After != 0 || c.Body == nil || c.Heading().Number != "" {
		return c, nil
	}
	var err error
	switch b := c.Body.(type) {
	case examination.Examination:
		b.Number, err = NextNumber(ctx, tx, registry.Examinations, tesdiq.DateOf(now).Year())
		c.Body = b
	case contract.Contract:
		b.Number, err = NextNumber(ctx, tx, registry.Contracts, tesdiq.DateOf(now).Year())
		c.Body = b
	}
	return c, err
}

const sqlLockNumbers = `SELECT pg_advisory_xact_lock(hashtextextended(@numbers, 0))`

const sqlLastNumber = `
	SELECT number
	FROM entries
	WHERE book = @book AND number BETWEEN @first AND @last
	ORDER BY number DESC
	LIMIT 1`

// NextNumber is a book's next number of the year. Whoever asks holds the year's numbers until his transaction ends.
func NextNumber(ctx context.Context, tx pgx.Tx, book registry.Book, year int) (string, error) {
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
	return registry.NextNumber(book, year, last)
}
