// Package lookupdb answers the look-up without sign-in from PostgreSQL, as the role tesdiq_lookup: it counts, finds, and records with the
// ledger line and the message, in one transaction, before anything is told. What all processes share stands in the database.
package lookupdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// DB answers. All fields but Tripped are required.
type DB struct {
	Pool    *pgxpool.Pool // as tesdiq_lookup
	Limits  lookup.Book
	Now     func() time.Time
	Rand    io.Reader        // of puzzles and ledger lines' keys
	Tripped func(misses int) // told of each question while too much is asked in vain; may be nil

	secret atomic.Pointer[lookup.Secret]
}

const sqlSecret = `SELECT key FROM lookup_secret`

// shared is the installation's secret, read once.
func (db *DB) shared(ctx context.Context) (lookup.Secret, error) {
	if s := db.secret.Load(); s != nil {
		return *s, nil
	}
	var s lookup.Secret
	if err := db.Pool.QueryRow(ctx, sqlSecret).Scan((*[]byte)(&s)); err != nil {
		return nil, fmt.Errorf("lookupdb: secret: %w", err)
	}
	db.secret.Store(&s)
	return s, nil
}

// moment is now, as the database keeps it.
func (db *DB) moment() time.Time { return db.Now().UTC().Truncate(time.Microsecond) }

const sqlCountAddress = `
	SELECT count(*)
	FROM lookup_tries
	WHERE address = @address AND day = @day`

// Puzzle is a new puzzle for an address prefix, as the page's script gets it.
func (db *DB) Puzzle(ctx context.Context, prefix string) (string, error) {
	secret, err := db.shared(ctx)
	if err != nil {
		return "", err
	}
	now := db.moment()
	asked := 0
	err = db.Pool.QueryRow(ctx, sqlCountAddress, pgx.NamedArgs{"address": secret.Address(prefix), "day": tesdiq.DateOf(now)}).Scan(&asked)
	if err != nil {
		return "", fmt.Errorf("lookupdb: puzzle: %w", err)
	}
	p, err := db.Limits.On(tesdiq.DateOf(now)).NewPuzzle(asked, now, db.Rand)
	if err != nil {
		return "", err
	}
	return p.Text(secret), nil
}

// TelephoneOnly says whether answers go to the telephone alone now.
func (db *DB) TelephoneOnly(ctx context.Context) (bool, error) {
	now, c := db.moment(), lookup.Counts{}
	if err := db.Pool.QueryRow(ctx, sqlCountMisses, pgx.NamedArgs{"hour": now.Add(-time.Hour)}).Scan(&c.Misses); err != nil {
		return false, fmt.Errorf("lookupdb: misses: %w", err)
	}
	return db.Limits.On(tesdiq.DateOf(now)).Tripped(c), nil
}

const sqlCountMisses = `
	SELECT count(*)
	FROM lookup_tries
	WHERE at > @hour AND NOT shown AND way <> 'office'`

// Ask answers a question, once everything about it is on the disk. The errors are Problems: of a proof, of kind TooMany where too much was
// asked, "idempotency.other" where a key was used for another request, and "lookup.operator.unknown".
func (db *DB) Ask(ctx context.Context, q lookup.Asked) (a lookup.Answer, err error) {
	secret, err := db.shared(ctx)
	if err != nil {
		return a, err
	}
	now := db.moment()
	limits := db.Limits.On(tesdiq.DateOf(now))
	var puzzle lookup.Puzzle
	if q.Way == lookup.ByPage {
		if puzzle, err = q.Proof.Check(secret, now); err != nil {
			return a, err
		}
	}
	err = pgx.BeginFunc(ctx, db.Pool, func(tx pgx.Tx) (err error) {
		a, err = db.ask(ctx, tx, question{Asked: q, limits: limits, now: now, card: secret.Card(q.Card), address: secret.Address(q.Prefix), puzzle: puzzle})
		return err
	})
	return a, err
}

// question is what is asked with all that it is counted under.
type question struct {
	lookup.Asked
	limits        lookup.Limits
	now           time.Time
	card, address []byte
	puzzle        lookup.Puzzle
}

// Whoever asks from one address, for one organisation, under one operator's name, or of one card waits for the other: so parallel questions cannot
// all pass a limit. The locks are taken in one order, from the widest to the narrowest, so that no two wait for each other.
const sqlLock = `SELECT pg_advisory_xact_lock(hashtextextended(@name, 27))`

const (
	sqlCountCard = `
		SELECT count(*)
		FROM lookup_tries
		WHERE card = @card AND day = @day AND (way = 'office') = @office`
	sqlCountOffice = `
		SELECT (SELECT count(*) FROM lookup_tries WHERE organisation_id = @organisation AND day = @day),
		       (SELECT count(*) FROM lookup_tries WHERE operator_fin = @operator AND at > @hour)`
	sqlSpend = `
		INSERT INTO lookup_proofs (id, expires_at)
		VALUES (@id, @expires)
		ON CONFLICT DO NOTHING`
	sqlTry = `
		INSERT INTO lookup_tries (at, day, way, card, address, organisation_id, operator_fin, shown)
		VALUES (@at, @day, @way, @card, @address, @organisation, @operator, @shown)`
)

func (db *DB) ask(ctx context.Context, tx pgx.Tx, q question) (lookup.Answer, error) {
	day := tesdiq.DateOf(q.now)
	office := q.Way == lookup.ByOffice
	if office {
		if a, done, err := repeated(ctx, tx, q); done || err != nil {
			return a, err
		}
		if err := operates(ctx, tx, q.Office); err != nil {
			return lookup.Answer{}, err
		}
	}
	locks := []string{"address " + string(q.address)}
	if office {
		locks = []string{"organisation " + strconv.FormatInt(q.Office.Organisation, 10), "operator " + string(q.Office.Operator)}
	}
	counts, err := db.counts(ctx, tx, q, append(locks, "card "+string(q.card)), day)
	if err != nil {
		return lookup.Answer{}, err
	}
	if err := q.limits.Refusal(q.Way, counts, q.now); err != nil {
		return lookup.Answer{}, err
	}
	if q.Way == lookup.ByPage {
		if q.puzzle.Bits < q.limits.Bits(counts.Address) {
			return lookup.Answer{}, lookup.ErrProofUsed
		}
		tag, err := tx.Exec(ctx, sqlSpend, pgx.NamedArgs{"id": q.puzzle.ID[:], "expires": q.puzzle.Until})
		if err != nil {
			return lookup.Answer{}, fmt.Errorf("lookupdb: proof: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return lookup.Answer{}, lookup.ErrProofUsed
		}
		if q.limits.Tripped(counts) {
			q.Way = lookup.ByTelephone
			if db.Tripped != nil {
				db.Tripped(counts.Misses)
			}
		}
	}
	return db.answer(ctx, tx, q, counts, day)
}

// answer finds, records and tells; whatever it finds, the same is counted.
func (db *DB) answer(ctx context.Context, tx pgx.Tx, q question, counts lookup.Counts, day tesdiq.Date) (lookup.Answer, error) {
	found, err := find(ctx, tx, q.Question)
	if err != nil {
		return lookup.Answer{}, err
	}
	result := found.Result()
	if q.limits.Over(q.Way, counts) {
		found, result = lookup.Found{}, lookup.Result{Outcome: lookup.None}
	}
	try := pgx.NamedArgs{"at": q.now, "day": day, "way": q.Way, "card": q.card, "address": q.address, "organisation": nil, "operator": nil, "shown": result.Shows()}
	if q.Way == lookup.ByOffice {
		try["address"], try["organisation"], try["operator"] = nil, q.Office.Organisation, q.Office.Operator
	}
	if _, err := tx.Exec(ctx, sqlTry, try); err != nil {
		return lookup.Answer{}, fmt.Errorf("lookupdb: try: %w", err)
	}
	var id *int64
	if found.Subject != "" {
		look := lookup.Look{At: q.now, Subject: found.Subject, Way: q.Way, Result: result,
			Office: lookup.Office{Organisation: q.Office.Organisation, Client: q.Office.Client, Operator: q.Office.Operator}}
		if look.ID, err = db.record(ctx, tx, look); err != nil {
			return lookup.Answer{}, err
		}
		id = &look.ID
	}
	if q.Way == lookup.ByOffice {
		if err := remember(ctx, tx, q, id); err != nil {
			return lookup.Answer{}, err
		}
	}
	return told(q.Way, result), nil
}

// told is what whoever asked gets of a result.
func told(way lookup.Way, r lookup.Result) lookup.Answer {
	if !r.Shows() || way == lookup.ByTelephone {
		r = lookup.Result{Outcome: lookup.None}
	}
	return lookup.Answer{Result: r, Way: way}
}

// counts are what has been asked before, from a moment on from which nobody else asks under the same locks.
func (db *DB) counts(ctx context.Context, tx pgx.Tx, q question, locks []string, day tesdiq.Date) (c lookup.Counts, err error) {
	for _, name := range locks {
		if _, err := tx.Exec(ctx, sqlLock, pgx.NamedArgs{"name": fmt.Sprintf("%x", name)}); err != nil {
			return c, fmt.Errorf("lookupdb: lock: %w", err)
		}
	}
	office := q.Way == lookup.ByOffice
	args := pgx.NamedArgs{"card": q.card, "address": q.address, "day": day, "office": office, "hour": q.now.Add(-time.Hour),
		"organisation": q.Office.Organisation, "operator": q.Office.Operator}
	for _, count := range []struct {
		needed    bool
		statement string
		into      []any
	}{
		{true, sqlCountCard, []any{&c.Card}},
		{!office, sqlCountAddress, []any{&c.Address}},
		{!office, sqlCountMisses, []any{&c.Misses}},
		{office, sqlCountOffice, []any{&c.Office, &c.Operator}},
	} {
		if !count.needed {
			continue
		}
		if err := tx.QueryRow(ctx, count.statement, args).Scan(count.into...); err != nil {
			return c, fmt.Errorf("lookupdb: count: %w", err)
		}
	}
	return c, nil
}

const sqlFind = `
	SELECT subject, open, examined_on, disability, until_day, next_from, under_review
	FROM lookup_find(@card, @born)`

// find finds the person whom a question matches. Two with one card and birthday are nobody.
func find(ctx context.Context, tx pgx.Tx, q lookup.Question) (lookup.Found, error) {
	rows, _ := tx.Query(ctx, sqlFind, pgx.NamedArgs{"card": q.Card, "born": q.Born}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f lookup.Found, err error) {
		return f, row.Scan(&f.Subject, &f.Open, &f.ExaminedOn, &f.Disability, &f.Until, &f.Next, &f.UnderReview)
	})
	if err != nil {
		return lookup.Found{}, fmt.Errorf("lookupdb: find: %w", err)
	}
	if len(all) != 1 {
		return lookup.Found{}, nil
	}
	return all[0], nil
}

const sqlRecord = `
	INSERT INTO lookups (at, subject, way, organisation_id, client_id, operator_fin, outcome, decided_on, next_on, indefinite)
	VALUES (@at, @subject, @way, @organisation, @client, @operator, @outcome, @decided, @next, @indefinite)
	RETURNING id`

// record writes a look, its ledger line and the message to the person.
func (db *DB) record(ctx context.Context, tx pgx.Tx, l lookup.Look) (int64, error) {
	args := pgx.NamedArgs{"at": l.At, "subject": l.Subject, "way": l.Way, "organisation": nil, "client": nil, "operator": nil,
		"outcome": l.Outcome, "decided": l.DecidedOn, "next": l.NextOn, "indefinite": l.Indefinite}
	office := ""
	if l.Way == lookup.ByOffice {
		args["organisation"], args["client"], args["operator"] = l.Office.Organisation, l.Office.Client, l.Office.Operator
		var err error
		if office, err = officeName(ctx, tx, l.Office.Organisation); err != nil {
			return 0, err
		}
	}
	if err := tx.QueryRow(ctx, sqlRecord, args).Scan(&l.ID); err != nil {
		return 0, fmt.Errorf("lookupdb: record: %w", err)
	}
	content, err := l.Content()
	if err != nil {
		return 0, err
	}
	line, err := ledger.NewLine(db.Rand, ledger.Lookup, strconv.FormatInt(l.ID, 10), content)
	if err != nil {
		return 0, err
	}
	if err := ledgerdb.Append(ctx, tx, line); err != nil {
		return 0, err
	}
	return l.ID, message.Send(ctx, tx, noticeOf(l, office))
}

// noticeOf is what the person is told of a look. What was asked for by telephone is the answer itself.
func noticeOf(l lookup.Look, office string) message.Message {
	m := message.Message{To: l.Subject, At: l.At, Link: "/cabinet/lookup", Aloud: l.Shows(),
		Args: map[string]string{"Time": tesdiq.ClockString(l.At), "Office": office}}
	what := "shown"
	switch {
	case !l.Shows():
		what = "nothing"
	case l.Way == lookup.ByTelephone:
		m.Args = map[string]string{"Day": l.DecidedOn.String(), "Next": l.NextOn.String()}
		what = answerOf(l.Result)
	}
	m.Key = "lookup.message." + what
	return m
}

// answerOf names the message that says a result.
func answerOf(r lookup.Result) string {
	switch {
	case r.Outcome == lookup.UnderReview:
		return "review"
	case r.Indefinite:
		return "indefinite"
	case r.NextOn.IsZero():
		return "decided"
	}
	return "next"
}

const sqlOfficeName = `SELECT name FROM organisations WHERE id = @id`

func officeName(ctx context.Context, tx pgx.Tx, id int64) (name string, err error) {
	if err := tx.QueryRow(ctx, sqlOfficeName, pgx.NamedArgs{"id": id}).Scan(&name); err != nil {
		return "", fmt.Errorf("lookupdb: office: %w", err)
	}
	return name, nil
}

const (
	sqlRepeated = `
		SELECT r.request_sha256, coalesce(l.outcome, 'none'), l.decided_on, l.next_on, coalesce(l.indefinite, false)
		FROM lookup_requests r
		LEFT JOIN lookups l ON l.id = r.lookup_id
		WHERE r.client_id = @client AND r.key = @key`
	sqlRemember = `
		INSERT INTO lookup_requests (client_id, key, request_sha256, lookup_id, at)
		VALUES (@client, @key, @request, @lookup, @at)`
)

// repeated is the answer to a request that was made before under the same key.
func repeated(ctx context.Context, tx pgx.Tx, q question) (a lookup.Answer, done bool, err error) {
	args := pgx.NamedArgs{"name": fmt.Sprintf("key %s %s", q.Office.Client, q.Office.Key), "client": q.Office.Client, "key": q.Office.Key}
	if _, err := tx.Exec(ctx, sqlLock, args); err != nil {
		return a, false, fmt.Errorf("lookupdb: lock: %w", err)
	}
	var request []byte
	var r lookup.Result
	err = tx.QueryRow(ctx, sqlRepeated, args).Scan(&request, &r.Outcome, &r.DecidedOn, &r.NextOn, &r.Indefinite)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return a, false, nil
	case err != nil:
		return a, false, fmt.Errorf("lookupdb: repeated: %w", err)
	case [32]byte(request) != q.Office.Request:
		return a, false, tesdiq.Invalid("idempotency.other").In("Idempotency-Key")
	}
	return told(q.Way, r), true, nil
}

func remember(ctx context.Context, tx pgx.Tx, q question, id *int64) error {
	_, err := tx.Exec(ctx, sqlRemember, pgx.NamedArgs{"client": q.Office.Client, "key": q.Office.Key, "request": q.Office.Request[:], "lookup": id, "at": q.now})
	if err != nil {
		return fmt.Errorf("lookupdb: remember: %w", err)
	}
	return nil
}
