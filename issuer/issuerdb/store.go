package issuerdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// maxBatch is how many excerpts one transaction stores at most; their numbers fit into one notification (8000 bytes).
const maxBatch = 64

// An intent ends as an excerpt or void, never both. No row may be locked for that (nothing here may be updated), so
// storing holds the lock shared and voiding, which is rare, alone: whoever comes second sees what the first wrote.
const (
	endLock          = 0x7465736469710001 // "tesdiq", 1
	sqlLockForStore  = `SELECT pg_advisory_xact_lock_shared(@lock)`
	sqlLockForVoid   = `SELECT pg_advisory_xact_lock(@lock)`
	sqlNotify        = `SELECT pg_notify(@channel, @payload)`
	sqlStoreExcerpts = `
	WITH made AS (
		SELECT *
		FROM unnest(@ids::bigint[], @statements::text[], @issued::timestamptz[], @hashes::bytea[], @files::bytea[], @until::timestamptz[], @signed::bytea[],
		            @signers::text[], @stampers::text[])
		     AS made (id, statement, issued_at, sha256, bytes, stamped_until, signed, signer_serial, stamp_serial)
	), stored AS (
		INSERT INTO excerpts (id, code, number, kind, lang, subject, entry_id, statement, valid_until, issued_at)
		SELECT i.id, i.code, i.number, i.kind, i.lang, i.subject, i.entry_id, made.statement::jsonb, i.valid_until, made.issued_at
		FROM made
		JOIN intents i ON i.id = made.id
		WHERE NOT EXISTS (SELECT FROM voids v WHERE v.intent_id = i.id)
		ON CONFLICT (id) DO NOTHING
		RETURNING id
	), filed AS (
		INSERT INTO excerpt_files (sha256, excerpt_id, size, bytes, stored_at, stamped_until, signed_sha256, signer_serial, stamp_serial, signed_at)
		SELECT made.sha256, made.id, length(made.bytes), made.bytes, made.issued_at, coalesce(made.stamped_until, '-infinity'),
		       made.signed, made.signer_serial, made.stamp_serial, made.issued_at
		FROM made
		JOIN stored ON stored.id = made.id)
	SELECT id FROM stored`
)

// store is step 6: the excerpt, its file, its ledger line and the message to its subject, together or not at all. What
// was stored before, by whomever, stays as it is, and the bytes that came second are thrown away.
// It may be repeated: after a commit whose answer was lost it finds everything there and writes nothing.
func (d *Dispatcher) store(ctx context.Context, batch []issuer.Excerpt) error {
	d.trace(issuer.Store, false)
	err := again(ctx, func() error { return d.storeOnce(ctx, batch) })
	if refused(err) && len(batch) > 1 {
		var all []error
		for _, x := range batch {
			all = append(all, d.store(ctx, []issuer.Excerpt{x}))
		}
		return errors.Join(all...)
	}
	if err == nil {
		d.trace(issuer.Store, true)
	}
	return err
}

func (d *Dispatcher) storeOnce(ctx context.Context, batch []issuer.Excerpt) error {
	var ids []int64
	var issued []time.Time
	var statements []string
	var signers, stampers []string
	var hashes, files, signed [][]byte
	var until []*time.Time
	made := make(map[int64]issuer.Excerpt, len(batch))
	for _, x := range batch {
		if _, twice := made[x.ID]; twice {
			continue // the first attempt's lease was over before it could be stored, and both are here
		}
		made[x.ID] = x
		ids, statements, issued = append(ids, x.ID), append(statements, string(x.Statement)), append(issued, x.IssuedAt)
		signers, stampers = append(signers, x.SignerSerial), append(stampers, x.StampSerial)
		hashes, files = append(hashes, x.SHA256[:]), append(files, x.PDF)
		signed = append(signed, x.Signed[:])
		if x.StampedUntil.IsZero() {
			until = append(until, nil)
		} else {
			until = append(until, &x.StampedUntil)
		}
	}
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockForStore, pgx.NamedArgs{"lock": endLock}); err != nil {
			return fmt.Errorf("issuerdb: store: lock: %w", err)
		}
		rows, _ := tx.Query(ctx, sqlStoreExcerpts, pgx.NamedArgs{
			"ids": ids, "statements": statements, "issued": issued, "hashes": hashes, "files": files, "signed": signed, "until": until,
			"signers": signers, "stampers": stampers,
		})
		stored, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return fmt.Errorf("issuerdb: store: %w", err)
		}
		if len(stored) == 0 {
			return nil
		}
		var lines []ledger.Line
		var letters []message.Message
		var numbers []string
		for _, id := range stored {
			x := made[id]
			content, err := issuer.ExcerptContent(x)
			if err != nil {
				return err
			}
			line, err := ledger.NewLine(d.Rand, ledger.Excerpt, string(x.Number), content)
			if err != nil {
				return err
			}
			lines = append(lines, line)
			letters = append(letters, letter(x.Subject, "message.excerpt", x.Number, x.IssuedAt))
			numbers = append(numbers, string(x.Number))
		}
		if err := ledgerdb.Append(ctx, tx, lines...); err != nil {
			return err
		}
		if err := message.Send(ctx, tx, letters...); err != nil {
			return err
		}
		return notify(ctx, tx, excerptChannel, strings.Join(numbers, ","))
	})
}

const sqlVoid = `
	WITH voided AS (
		INSERT INTO voids (intent_id, reason, voided_at)
		SELECT @id, @reason, @now
		WHERE NOT EXISTS (SELECT FROM excerpts x WHERE x.id = @id)
		ON CONFLICT DO NOTHING
		RETURNING intent_id)
	SELECT i.number, i.subject
	FROM voided
	JOIN intents i ON i.id = voided.intent_id`

// void ends an intent that will have no excerpt and tells its subject. If it has one after all, or is void already,
// nothing happens.
func (d *Dispatcher) void(ctx context.Context, intent issuer.Intent, reason issuer.VoidReason) error {
	now := issuer.Moment(d.Now())
	return again(ctx, func() error {
		return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, sqlLockForVoid, pgx.NamedArgs{"lock": endLock}); err != nil {
				return fmt.Errorf("issuerdb: void: lock: %w", err)
			}
			var number issuer.Number
			var subject tesdiq.FIN
			err := tx.QueryRow(ctx, sqlVoid, pgx.NamedArgs{"id": intent.ID, "reason": reason, "now": now}).Scan(&number, &subject)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("issuerdb: void: %w", err)
			}
			if err := message.Send(ctx, tx, letter(subject, "message.void", number, now)); err != nil {
				return err
			}
			return notify(ctx, tx, excerptChannel, string(number))
		})
	})
}

// letter tells a person what became of his excerpt. It names only the number: the kind alone would say something.
func letter(to tesdiq.FIN, key string, number issuer.Number, at time.Time) message.Message {
	return message.Message{To: to, Key: key, Args: map[string]string{"Number": string(number)}, Link: "/cabinet/excerpts/" + string(number), At: at}
}

// aloud has a letter go out by SMS or e-mail, too: what its reader should hear of even if he did not ask for it.
func aloud(m message.Message) message.Message {
	m.Aloud = true
	return m
}

func notify(ctx context.Context, tx pgx.Tx, channel, payload string) error {
	if _, err := tx.Exec(ctx, sqlNotify, pgx.NamedArgs{"channel": channel, "payload": payload}); err != nil {
		return fmt.Errorf("issuerdb: notify: %w", err)
	}
	return nil
}

// again repeats a transaction that may be repeated, when it failed for want of a connection or of an answer. It gives
// up after about two seconds, and at once where the database understood and refused.
func again(ctx context.Context, do func() error) error {
	pause := 30 * time.Millisecond
	for try := 1; ; try++ {
		err := do()
		if err == nil || try == 7 || ctx.Err() != nil || !passing(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// refused says whether the database refuses the data of one of a batch: the others must not fail for it.
func refused(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && strings.HasPrefix(e.Code, "2")
}

// passing says whether an error may be gone when the same is tried again on another connection.
func passing(err error) bool {
	var problem *tesdiq.Problem
	var problems tesdiq.Problems
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &problem), errors.As(err, &problems), errors.Is(err, pgx.ErrNoRows):
		return false
	case errors.As(err, &refused):
		switch refused.Code[:2] {
		case "08", "40", "53", "55", "57": // connection, deadlock, too many, lock timeout, the server goes or ended us
			return true
		}
		return false
	}
	return true // no answer
}
