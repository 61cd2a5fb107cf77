// Package issuerdb keeps intents, attempts, excerpts and voids in PostgreSQL. Cabinet is the side of a signed-in person,
// as role tesdiq_cabinet: to ask, wait, read and withdraw. Dispatcher is the issuing process, as role tesdiq_issuer: to
// claim, make and store. Nothing here is ever updated or deleted.
package issuerdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/templates"
)

// Cabinet is what a signed-in person may do with excerpts: only with his own. All fields are required.
type Cabinet struct {
	Pool  *pgxpool.Pool // as tesdiq_cabinet
	Kinds issuer.Kinds
	Now   func() time.Time
	Rand  io.Reader
	Log   *slog.Logger

	waiters waiters
}

// All that asking must know first, in one round trip: the entry, whom it is about as registered now, and the number
// that the same request already got.
const sqlEntryByNumber = `
	SELECT e.id,
	       (SELECT p.id FROM entries p
	        WHERE p.book = 'person' AND p.number = e.subject AND p.act <> 'annul'
	          AND NOT EXISTS (SELECT FROM entries v WHERE v.book = p.book AND v.number = p.number AND v.version > p.version)) AS person,
	       (SELECT i.number FROM intents i WHERE i.subject = e.subject AND i.request = @request) AS asked, ` + standing + `
	FROM entries e
	WHERE e.book = @book AND e.number = @number AND e.subject = @subject
	ORDER BY e.version DESC
	LIMIT 1`

const sqlHolding = `
	SELECT e.number
	FROM entries e
	WHERE e.book = @book AND e.chain = (SELECT o.chain FROM entries o WHERE o.id = @id) AND e.act <> 'annul'
	  AND NOT EXISTS (SELECT FROM entries v WHERE v.book = e.book AND v.number = e.number AND v.version > e.version)
	ORDER BY e.effective_on DESC, (SELECT f.id FROM entries f WHERE f.book = e.book AND f.number = e.number AND f.version = 1) DESC
	LIMIT 1`

// Entry finds what an excerpt of the kind about the person's object with this number would state, and who it is about.
// An object that is not there, or is somebody else's, is a Problem of kind NotFound. One that holds no longer is a
// Conflict: "excerpt.entry_annulled", or "excerpt.entry_superseded" with the Number of the one that holds.
func (c *Cabinet) Entry(ctx context.Context, fin tesdiq.FIN, kind, number string) (issuer.Source, error) {
	k, err := c.Kinds.Kind(kind)
	if err != nil {
		return issuer.Source{}, err
	}
	f, err := c.find(ctx, c.Pool, k, fin, number, "")
	if err != nil {
		return issuer.Source{}, err
	}
	p, err := registrydb.Reader{Pool: c.Pool}.PersonEntry(ctx, f.person)
	if err != nil {
		return issuer.Source{}, fmt.Errorf("issuerdb: person: %w", err)
	}
	return issuer.Source{Kind: k, Entry: f.entry, Person: p}, nil
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// found is as much of a Source as asking needs; or the number that the same request got before.
type found struct {
	entry  registry.Version
	person registry.EntryID
	asked  issuer.Number
}

func (c *Cabinet) find(ctx context.Context, q querier, k templates.Kind, fin tesdiq.FIN, number, request string) (f found, err error) {
	if registry.CheckNumber(k.Book, number) != nil { // the database would not even take some of what a form can send
		return f, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")
	}
	var id registry.EntryID
	var person *registry.EntryID
	var before *issuer.Number
	var is issuer.Standing
	err = q.QueryRow(ctx, sqlEntryByNumber, pgx.NamedArgs{"book": k.Book, "number": number, "subject": fin, "request": request}).
		Scan(&id, &person, &before, &is.Annulled, &is.Newer)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return f, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")
	case err != nil:
		return f, fmt.Errorf("issuerdb: entry: %w", err)
	case before != nil:
		return found{asked: *before}, nil
	case is.Annulled:
		return f, issuer.ErrAnnulled
	case is.Newer:
		var holding string
		if err := q.QueryRow(ctx, sqlHolding, pgx.NamedArgs{"book": k.Book, "id": id}).Scan(&holding); err != nil {
			return f, fmt.Errorf("issuerdb: holding entry: %w", err)
		}
		return f, issuer.ErrSuperseded.With("Number", holding)
	case person == nil:
		return f, fmt.Errorf("issuerdb: entry %d is about nobody in the book of persons", id)
	}
	v, err := registrydb.Reader{Pool: q}.Version(ctx, registry.Head{ID: id, Book: k.Book})
	if err != nil {
		return f, fmt.Errorf("issuerdb: entry: %w", err)
	}
	return found{entry: v, person: *person}, nil
}

const sqlAsked = `
	SELECT number FROM intents
	WHERE subject = @subject AND request = @request`

// Writing the intent down and waking the issuing process are one statement; the wake is delivered by the commit.
const sqlIntent = `
	WITH asked AS (
		INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose,
		                     with_salary, valid_until, asked_at)
		SELECT @request, @code, @prefix || CASE WHEN n < 10000000 THEN lpad(n::text, 7, '0') ELSE n::text END,
		       @kind, @template, @lang, @subject, @entry, @person, @recipient, @purpose, @salary, @until, @asked
		FROM nextval('excerpt_numbers') AS n
		ON CONFLICT (subject, request) DO NOTHING
		RETURNING id, number)
	SELECT id, number, pg_notify(@channel, id::text) FROM asked`

// Ask is step 1: it writes down what the person wants, with a fresh number and code, and wakes the issuing process. The
// same request again, also at the same moment or after a lost answer, gives the number that it got the first time.
//
// Whatever is wrong with the request comes as Problems, each with its field; see issuer.Request.Check and Entry.
func (c *Cabinet) Ask(ctx context.Context, fin tesdiq.FIN, r issuer.Request) (issuer.Number, error) {
	k, err := c.Kinds.Kind(r.Kind)
	if err != nil {
		return "", err
	}
	if r, err = r.Check(k); err != nil {
		return "", err
	}
	var number issuer.Number
	// A commit whose answer was lost may have happened: asking again finds it.
	err = again(ctx, func() (err error) {
		number, err = c.askOnce(ctx, fin, k, r)
		return err
	})
	return number, err
}

func (c *Cabinet) askOnce(ctx context.Context, fin tesdiq.FIN, k templates.Kind, r issuer.Request) (number issuer.Number, err error) {
	err = pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		identity := pgx.NamedArgs{"subject": fin, "request": r.Identity()}
		f, err := c.find(ctx, tx, k, fin, r.Entry, r.Identity())
		if err != nil || f.asked != "" {
			number = f.asked
			return err
		}
		intent, err := c.intent(fin, k, r, f)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, sqlIntent, pgx.NamedArgs{
			"request": intent.Request, "code": intent.Code, "prefix": issuer.NumberPrefix(intent.AskedAt), "kind": intent.Kind, "template": intent.Template,
			"lang": intent.Lang, "subject": intent.Subject, "entry": intent.EntryID, "person": intent.PersonID,
			"recipient": intent.Recipient, "purpose": intent.Purpose, "salary": intent.WithSalary, "until": intent.ValidUntil,
			"asked": intent.AskedAt, "channel": intentChannel,
		}).Scan(&intent.ID, &intent.Number, nil)
		if errors.Is(err, pgx.ErrNoRows) {
			// The same request was quicker by another way; it has committed, or this insert would still wait for it.
			if err := tx.QueryRow(ctx, sqlAsked, identity).Scan(&number); err != nil {
				return fmt.Errorf("issuerdb: ask: %w", err)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("issuerdb: ask: %w", err)
		}
		line, err := ledger.NewLine(c.Rand, ledger.Intent, string(intent.Number), issuer.IntentContent(intent))
		if err != nil {
			return err
		}
		if err := ledgerdb.Append(ctx, tx, line); err != nil {
			return err
		}
		number = intent.Number
		return nil
	})
	return number, err
}

// intent is a request with its code, before it has a number.
func (c *Cabinet) intent(fin tesdiq.FIN, k templates.Kind, r issuer.Request, f found) (issuer.Intent, error) {
	now := issuer.Moment(c.Now())
	until, err := r.Validity.Until(now, k.Until(f.entry.Body))
	if err != nil {
		return issuer.Intent{}, err
	}
	code, err := tesdiq.NewCode(c.Rand)
	if err != nil {
		return issuer.Intent{}, err
	}
	return issuer.Intent{
		Request: r.Identity(), Code: code, Kind: k.Name, Template: k.Current, Lang: r.Lang,
		Subject: fin, EntryID: f.entry.Head.ID, PersonID: f.person, Recipient: r.Recipient, Purpose: r.Purpose,
		WithSalary: r.WithSalary, ValidUntil: until, AskedAt: now,
	}, nil
}

const sqlExcerptOf = `
	SELECT x.id, w.excerpt_id IS NOT NULL AS withdrawn, r.excerpt_id IS NOT NULL AS revoked
	FROM excerpts x
	LEFT JOIN withdrawals w ON w.excerpt_id = x.id
	LEFT JOIN revocations r ON r.excerpt_id = x.id
	WHERE x.number = @number AND x.subject = @subject`

const sqlWithdraw = `
	INSERT INTO withdrawals (excerpt_id, withdrawn_at)
	VALUES (@id, @now)
	ON CONFLICT DO NOTHING`

// Withdraw takes an excerpt back: whoever checks it from now on is told so and sees no facts. Again, it changes nothing.
// One that the issuer has revoked is a Conflict, "excerpt.revoked".
func (c *Cabinet) Withdraw(ctx context.Context, fin tesdiq.FIN, number issuer.Number) error {
	return again(ctx, func() error {
		return pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
			var id int64
			var withdrawn, revoked bool
			err := tx.QueryRow(ctx, sqlExcerptOf, pgx.NamedArgs{"number": number, "subject": fin}).Scan(&id, &withdrawn, &revoked)
			switch {
			case errors.Is(err, pgx.ErrNoRows):
				return issuer.ErrMissing
			case err != nil:
				return fmt.Errorf("issuerdb: withdraw: %w", err)
			case withdrawn:
				return nil
			case revoked:
				return tesdiq.NewProblem(tesdiq.Conflict, "excerpt.revoked")
			}
			now := issuer.Moment(c.Now())
			tag, err := tx.Exec(ctx, sqlWithdraw, pgx.NamedArgs{"id": id, "now": now})
			if err != nil {
				return fmt.Errorf("issuerdb: withdraw: %w", err)
			}
			if tag.RowsAffected() == 0 {
				return nil // by another way at the same moment
			}
			line, err := ledger.NewLine(c.Rand, ledger.Withdrawal, string(number), issuer.WithdrawalContent(number, now))
			if err != nil {
				return err
			}
			if err := ledgerdb.Append(ctx, tx, line); err != nil {
				return err
			}
			return message.Send(ctx, tx, letter(fin, "message.withdrawn", number, now))
		})
	})
}
