package issuerdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/templates"
)

// asking is one who waits for the number of his excerpt. Those who ask at the same time are written down in one
// transaction (docs/adr/0006).
type asking struct {
	want
	request issuer.Request
	number  issuer.Number
	err     error
}

// want is the object that an excerpt shall be about, and the identity of the request, "" for none yet.
type want struct {
	fin      tesdiq.FIN
	kind     templates.Kind
	number   string
	identity string
}

// askTimeout is the longest that an asker waits for his number; the database gives up before.
const askTimeout = 20 * time.Second

var errUnasked = errors.New("issuerdb: ask: not written")

// Ask is step 1: it writes down what the person wants, with a fresh number and code, and wakes the issuing process. The
// same request again, also at the same moment or after a lost answer, gives the number that it got the first time.
//
// Whatever is wrong with the request comes as Problems, each with its field; see issuer.Request.Check and Entry. Ask
// returns when the intent is durable, or will not be, even if ctx ends meanwhile.
func (c *Cabinet) Ask(ctx context.Context, fin tesdiq.FIN, r issuer.Request) (issuer.Number, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("issuerdb: ask: %w", err)
	}
	k, err := c.Kinds.Kind(r.Kind)
	if err != nil {
		return "", err
	}
	if r, err = r.Check(k); err != nil {
		return "", err
	}
	a := &asking{want: want{fin: fin, kind: k, number: r.Entry, identity: r.Identity()}, request: r, err: errUnasked}
	ctx = context.WithoutCancel(ctx)
	c.asking.Do(a, func(batch []*asking) {
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		c.ask(ctx, batch)
	})
	return a.number, a.err
}

// ask leaves with each of a batch its number or its error.
func (c *Cabinet) ask(ctx context.Context, batch []*asking) {
	// A commit whose answer was lost may have happened: asking again finds it.
	err := again(ctx, func() error { return c.askOnce(ctx, batch) })
	if refused(err) && len(batch) > 1 {
		for _, a := range batch {
			c.ask(ctx, []*asking{a})
		}
		return
	}
	if err != nil {
		for _, a := range batch {
			a.number, a.err = "", err
		}
	}
}

func (c *Cabinet) askOnce(ctx context.Context, batch []*asking) error {
	return pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		wants := make([]want, len(batch))
		for i, a := range batch {
			wants[i] = a.want
		}
		found, err := c.find(ctx, tx, wants)
		if err != nil {
			return err
		}
		var intents []issuer.Intent
		here := map[tesdiq.FIN]int{}         // intents of this batch
		waiting := map[tesdiq.Code]*asking{} // by the code that each will have if nobody asked the same
		for i, a := range batch {
			a.number, a.err = found[i].asked, found[i].err
			if a.number != "" || a.err != nil {
				continue
			}
			if c.PerDay > 0 && found[i].lately+here[a.fin] >= c.PerDay {
				a.err = issuer.ErrTooMany.With("Max", c.PerDay)
				continue
			}
			var intent issuer.Intent
			if intent, a.err = c.intent(a, found[i]); a.err == nil {
				intents, waiting[intent.Code] = append(intents, intent), a
				here[a.fin]++
			}
		}
		if intents, err = insertIntents(ctx, tx, intents); err != nil {
			return err
		}
		var lines []ledger.Line
		for _, intent := range intents {
			line, err := ledger.NewLine(c.Rand, ledger.Intent, string(intent.Number), issuer.IntentContent(intent))
			if err != nil {
				return err
			}
			lines = append(lines, line)
			waiting[intent.Code].number = intent.Number
			delete(waiting, intent.Code)
		}
		if len(lines) > 0 {
			if err := ledgerdb.Append(ctx, tx, lines...); err != nil {
				return err
			}
		}
		// The same request was quicker by another way; it has committed, or the insert would still wait for it, or it is
		// among these.
		for _, a := range waiting {
			err := tx.QueryRow(ctx, sqlAsked, pgx.NamedArgs{"subject": a.fin, "request": a.identity}).Scan(&a.number)
			if err != nil {
				return fmt.Errorf("issuerdb: ask: %w", err)
			}
		}
		return nil
	})
}

// intent is a request with its code, before it has a number.
func (c *Cabinet) intent(a *asking, f found) (issuer.Intent, error) {
	now := issuer.Moment(c.Now())
	until, err := a.request.Validity.Until(now, a.kind.Until(f.entry.Body))
	if err != nil {
		return issuer.Intent{}, err
	}
	code, err := tesdiq.NewCode(c.Rand)
	if err != nil {
		return issuer.Intent{}, err
	}
	return issuer.Intent{
		Request: a.identity, Code: code, Kind: a.kind.Name, Template: a.kind.Current, Lang: a.request.Lang,
		Subject: a.fin, EntryID: f.entry.Head.ID, PersonID: f.person, Recipient: a.request.Recipient, Purpose: a.request.Purpose,
		WithSalary: a.request.WithSalary, ValidUntil: until, AskedAt: now,
	}, nil
}

const sqlAsked = `
	SELECT number FROM intents
	WHERE subject = @subject AND request = @request`

// Writing the intents down and waking the issuing process are one statement; the wake is delivered by the commit.
const sqlIntents = `
	WITH wanted AS (
		SELECT a.*, nextval('excerpt_numbers') AS n
		FROM unnest(@requests::text[], @codes::text[], @prefixes::text[], @kinds::text[], @templates::int[], @langs::text[], @subjects::text[],
		            @entries::bigint[], @persons::bigint[], @recipients::text[], @purposes::text[], @salaries::boolean[], @untils::date[],
		            @asked::timestamptz[])
		     AS a (request, code, prefix, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at)
	), asked AS (
		INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose,
		                     with_salary, valid_until, asked_at)
		SELECT request, code, prefix || CASE WHEN n < 10000000 THEN lpad(n::text, 7, '0') ELSE n::text END,
		       kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at
		FROM wanted
		ON CONFLICT (subject, request) DO NOTHING
		RETURNING id, code, number)
	SELECT id, code, number, pg_notify(@channel, id::text) FROM asked`

// insertIntents writes intents down, gives each its number and wakes the issuing process. It returns those that were
// not asked for before.
func insertIntents(ctx context.Context, tx pgx.Tx, intents []issuer.Intent) ([]issuer.Intent, error) {
	if len(intents) == 0 {
		return nil, nil
	}
	// In one order, so that two batches with the same requests do not wait for each other.
	slices.SortFunc(intents, func(a, b issuer.Intent) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Request, b.Request))
	})
	byCode := make(map[tesdiq.Code]issuer.Intent, len(intents))
	for _, i := range intents {
		byCode[i.Code] = i
	}
	rows, _ := tx.Query(ctx, sqlIntents, pgx.NamedArgs{
		"requests": each(intents, func(i issuer.Intent) string { return i.Request }),
		"codes":    each(intents, func(i issuer.Intent) string { return string(i.Code) }),
		"prefixes": each(intents, func(i issuer.Intent) string { return issuer.NumberPrefix(i.AskedAt) }),
		"kinds":    each(intents, func(i issuer.Intent) string { return i.Kind }), "templates": each(intents, func(i issuer.Intent) int { return i.Template }),
		"langs":    each(intents, func(i issuer.Intent) string { return string(i.Lang) }),
		"subjects": each(intents, func(i issuer.Intent) string { return string(i.Subject) }),
		"entries":  each(intents, func(i issuer.Intent) registry.EntryID { return i.EntryID }), "persons": each(intents, func(i issuer.Intent) registry.EntryID { return i.PersonID }),
		"recipients": each(intents, func(i issuer.Intent) string { return i.Recipient }), "purposes": each(intents, func(i issuer.Intent) string { return i.Purpose }),
		"salaries": each(intents, func(i issuer.Intent) bool { return i.WithSalary }),
		"untils":   each(intents, func(i issuer.Intent) tesdiq.Date { return i.ValidUntil }), "asked": each(intents, func(i issuer.Intent) time.Time { return i.AskedAt }),
		"channel": intentChannel,
	})
	var written []issuer.Intent
	var id int64
	var code tesdiq.Code
	var number issuer.Number
	_, err := pgx.ForEachRow(rows, []any{&id, &code, &number, nil}, func() error {
		i := byCode[code]
		i.ID, i.Number = id, number
		written = append(written, i)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("issuerdb: ask: %w", err)
	}
	return written, nil
}

// each is one thing of every item, as an array for the database.
func each[T, U any](items []T, of func(T) U) []U {
	us := make([]U, len(items))
	for i, item := range items {
		us[i] = of(item)
	}
	return us
}
