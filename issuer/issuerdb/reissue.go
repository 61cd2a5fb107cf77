package issuerdb

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Reissue makes the files of excerpts anew that do not count any more because a certificate was revoked: the same page, number and code
// (docs/adr/0011). It may be broken off and run again at any time: what has a file that counts is done. All fields but Permits, Batch,
// Workers and Progress are required.
type Reissue struct {
	Pool     *pgxpool.Pool // as tesdiq_issuer
	Maker    *issuer.Maker
	Now      func() time.Time
	Rand     io.Reader // of the ledger lines' keys
	Log      *slog.Logger
	Permits  Permits     // for the keys' guard; nil: there is none
	Batch    int         // excerpts in one transaction; 0: 256
	Workers  int         // pages that are made at a time; 0: two a processor
	Progress func(n int) // told how many more are done; nil: nobody
}

// Left is what there is to do for a revoked certificate.
type Left struct {
	Excerpts int `db:"excerpts"` // with no file that counts
	Gone     int `db:"gone"`     // of them, no longer in force: withdrawn, revoked, expired, annulled or superseded
}

// Open are those that are to be made anew.
func (l Left) Open() int { return l.Excerpts - l.Gone }

// withoutFile are the excerpts x, with what their entries' later ones say, none of whose files counts, and one does not because of the
// certificate @serial.
const withoutFile = `
	FROM excerpts x
	JOIN intents i ON i.id = x.id
	JOIN entries e ON e.id = x.entry_id
	WHERE EXISTS (SELECT FROM revoked_files k WHERE k.excerpt_id = x.id AND k.serial = @serial)
	  AND NOT EXISTS (
		SELECT FROM excerpt_files g WHERE g.excerpt_id = x.id AND NOT EXISTS (SELECT FROM revoked_files b WHERE b.sha256 = g.sha256))`

const inForce = `
	x.valid_until >= @today
	  AND NOT EXISTS (SELECT FROM withdrawals w WHERE w.excerpt_id = x.id)
	  AND NOT EXISTS (SELECT FROM revocations r WHERE r.excerpt_id = x.id)`

const sqlLeft = `
	SELECT count(*) AS excerpts, count(*) FILTER (WHERE NOT (` + inForce + `) OR o.annulled OR o.newer) AS gone
	FROM (SELECT x.id, x.valid_until, ` + standing + withoutFile + `) o
	JOIN excerpts x ON x.id = o.id`

// Left counts what there is to do.
func (r *Reissue) Left(ctx context.Context, serial string) (Left, error) {
	rows, _ := r.Pool.Query(ctx, sqlLeft, pgx.NamedArgs{"serial": serial, "today": tesdiq.DateOf(r.Now())})
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Left])
	if err != nil {
		return l, fmt.Errorf("issuerdb: left to reissue: %w", err)
	}
	return l, nil
}

const sqlReissuable = `
	SELECT i.id, i.request, i.code, i.number, i.kind, i.template, i.lang, i.subject, i.entry_id, i.person_id, i.recipient,
	       i.purpose, i.with_salary, i.valid_until, i.asked_at, 0 AS attempt, 0 AS away, e.book, x.statement::text AS statement, ` + standing + withoutFile + `
	  AND x.id > @after AND ` + inForce + `
	ORDER BY x.id
	LIMIT @batch`

type reissuable struct {
	claimed
	Statement string `db:"statement"`
}

// lot is what one transaction stores: its pages on their way through a run.
type lot struct {
	size   int // excerpts that are to be made
	jobs   []issuer.Job
	stated map[int64]string
	made   []issuer.Excerpt
	away   error // why keys could not be called; nil: they could
}

// Run makes them anew until none is left or ctx ends. It says how many it made, and how many it could not: those are logged, and tried
// again by the next run. While one lot is made, the one before it is stored and the next one is read, so that the processors wait for the
// disk as little as can be.
func (r *Reissue) Run(ctx context.Context, serial string) (made, failed int, err error) {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ready, done := make(chan *lot, 1), make(chan *lot, 1)
	var stages sync.WaitGroup
	stages.Go(func() {
		defer close(ready)
		if err := r.find(working, serial, ready); err != nil {
			stop(err)
		}
	})
	stages.Go(func() {
		defer close(done)
		for l := range ready {
			r.make(working, l)
			if working.Err() != nil {
				continue // find ends by itself
			}
			done <- l
		}
	})
	for l := range done {
		if err != nil || working.Err() != nil {
			continue
		}
		failed += l.size - len(l.made)
		if len(l.made) == 0 {
			if err = errNoneMade; l.away != nil {
				err = l.away
			}
			stop(err)
			continue
		}
		stored := 0
		if err = again(working, func() (err error) { stored, err = r.store(working, l.made); return err }); err != nil {
			stop(err)
			continue
		}
		if made += stored; r.Progress != nil {
			r.Progress(l.size)
		}
	}
	stages.Wait()
	if ctx.Err() != nil {
		return made, failed, ctx.Err()
	}
	return made, failed, context.Cause(working)
}

// find reads lot after lot, and commits the attempts to make them.
func (r *Reissue) find(ctx context.Context, serial string, ready chan<- *lot) error {
	batch := r.Batch
	if batch <= 0 {
		batch = 256
	}
	for after := int64(0); ; {
		rows, _ := r.Pool.Query(ctx, sqlReissuable, pgx.NamedArgs{"serial": serial, "today": tesdiq.DateOf(r.Now()), "after": after, "batch": batch})
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[reissuable])
		if err != nil {
			return fmt.Errorf("issuerdb: reissue: %w", err)
		}
		if len(found) == 0 {
			return nil
		}
		after = found[len(found)-1].ID
		l := &lot{stated: map[int64]string{}}
		var cs []claimed
		for _, f := range found {
			if !f.Current() {
				continue // a signature now would say something that is not so
			}
			l.stated[f.ID] = f.Statement
			cs = append(cs, f.claimed)
		}
		if l.size = len(cs); l.size == 0 {
			continue
		}
		if l.jobs, err = facts(ctx, r.Pool, r.Log, cs); err != nil {
			return err
		}
		if err := r.attempt(ctx, l.jobs); err != nil {
			return err
		}
		select {
		case ready <- l:
		case <-ctx.Done():
			return nil
		}
	}
}

// make makes the files of a lot. One that fails is logged; the others go on.
func (r *Reissue) make(ctx context.Context, l *lot) {
	workers := r.Workers
	if workers <= 0 {
		workers = 2 * runtime.GOMAXPROCS(0)
	}
	files := make([]*issuer.Excerpt, len(l.jobs))
	var wait sync.WaitGroup
	var away atomic.Pointer[error]
	next := make(chan int)
	for range workers {
		wait.Go(func() {
			for n := range next {
				x, err := r.Maker.Remake(permitted(ctx, r.Permits, Attempt{ForReissue, string(l.jobs[n].Number)}), l.jobs[n], []byte(l.stated[l.jobs[n].ID]))
				if err != nil {
					if errors.Is(err, issuer.ErrKeyAway) {
						away.Store(&err)
					}
					if ctx.Err() == nil {
						r.Log.ErrorContext(ctx, "not issued anew", "number", l.jobs[n].Number, "err", err)
					}
					continue
				}
				files[n] = &x
			}
		})
	}
	for n := range l.jobs {
		if ctx.Err() != nil {
			break
		}
		next <- n
	}
	close(next)
	wait.Wait()
	for _, x := range files {
		if x != nil {
			l.made = append(l.made, *x)
		}
	}
	if err := away.Load(); err != nil {
		l.away = *err
	}
}

const sqlReissueAttempts = `
	INSERT INTO reissue_attempts (excerpt_id, attempted_at)
	SELECT unnest(@ids::bigint[]), @now
	ON CONFLICT DO NOTHING`

// errNoneMade stops a run in which nothing succeeds: most likely whoever is on duty was revoked, too.
var errNoneMade = errors.New("issuerdb: reissue: none of a whole batch could be made; the log says why. A revoked signer needs a successor first: tesdiq keys rotate")

// attempt is committed before a key is called, as in issuing.
func (r *Reissue) attempt(ctx context.Context, jobs []issuer.Job) error {
	ids := make([]int64, len(jobs))
	for n, j := range jobs {
		ids[n] = j.ID
	}
	return again(ctx, func() error {
		if _, err := r.Pool.Exec(ctx, sqlReissueAttempts, pgx.NamedArgs{"ids": ids, "now": issuer.Moment(r.Now())}); err != nil {
			return fmt.Errorf("issuerdb: reissue: attempt: %w", err)
		}
		return nil
	})
}

// Two runs at once do not store an excerpt twice: the second waits for the first's transaction, and then finds a file that counts.
const (
	reissueLock     = 0x7465736469710002 // "tesdiq", 2
	sqlReissueLock  = `SELECT pg_advisory_xact_lock(@lock)`
	sqlStoreReissue = `
	WITH made AS (
		SELECT *
		FROM unnest(@ids::bigint[], @hashes::bytea[], @files::bytea[], @issued::timestamptz[], @until::timestamptz[], @signed::bytea[], @signers::text[], @stampers::text[])
		     AS made (id, sha256, bytes, issued_at, stamped_until, signed, signer_serial, stamp_serial)
	)
	INSERT INTO excerpt_files (sha256, excerpt_id, size, bytes, stored_at, stamped_until, signed_sha256, signer_serial, stamp_serial, signed_at)
	SELECT made.sha256, made.id, length(made.bytes), made.bytes, made.issued_at, coalesce(made.stamped_until, '-infinity'),
	       made.signed, made.signer_serial, made.stamp_serial, made.issued_at
	FROM made
	WHERE NOT EXISTS (
		SELECT FROM excerpt_files g WHERE g.excerpt_id = made.id AND NOT EXISTS (SELECT FROM revoked_files b WHERE b.sha256 = g.sha256))
	  AND NOT EXISTS (
		SELECT FROM certificate_revocations c
		WHERE c.serial IN (made.signer_serial, made.stamp_serial) AND made.issued_at >= c.invalid_from)
	RETURNING excerpt_id`
)

// store keeps the new files with their ledger lines, and tells those whose excerpts they are.
func (r *Reissue) store(ctx context.Context, made []issuer.Excerpt) (stored int, err error) {
	if len(made) == 0 {
		return 0, nil
	}
	err = pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlReissueLock, pgx.NamedArgs{"lock": reissueLock}); err != nil {
			return fmt.Errorf("issuerdb: reissue: lock: %w", err)
		}
		rows, _ := tx.Query(ctx, sqlStoreReissue, pgx.NamedArgs{
			"ids":    each(made, func(x issuer.Excerpt) int64 { return x.ID }),
			"hashes": each(made, func(x issuer.Excerpt) []byte { return x.SHA256[:] }),
			"files":  each(made, func(x issuer.Excerpt) []byte { return x.PDF }),
			"issued": each(made, func(x issuer.Excerpt) time.Time { return x.IssuedAt }),
			"until": each(made, func(x issuer.Excerpt) *time.Time {
				if x.StampedUntil.IsZero() {
					return nil
				}
				return &x.StampedUntil
			}),
			"signed":   each(made, func(x issuer.Excerpt) []byte { return x.Signed[:] }),
			"signers":  each(made, func(x issuer.Excerpt) string { return x.SignerSerial }),
			"stampers": each(made, func(x issuer.Excerpt) string { return x.StampSerial }),
		})
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return fmt.Errorf("issuerdb: reissue: store: %w", err)
		}
		of := map[int64]issuer.Excerpt{}
		for _, x := range made {
			of[x.ID] = x
		}
		var lines []ledger.Line
		var letters []message.Message
		for _, id := range ids {
			x := of[id]
			line, err := ledger.NewLine(r.Rand, ledger.Reissue, hex.EncodeToString(x.SHA256[:]), issuer.ReissueContent(x.Number, x.SHA256[:], x.IssuedAt))
			if err != nil {
				return err
			}
			lines = append(lines, line)
			letters = append(letters, letter(x.Subject, "message.reissued", x.Number, x.IssuedAt))
		}
		stored = len(ids)
		if err := ledgerdb.Append(ctx, tx, lines...); err != nil {
			return err
		}
		return message.Send(ctx, tx, letters...)
	})
	return stored, err
}
