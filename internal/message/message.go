// Package message writes messages to people into the caller's transaction: always a note in the cabinet, and if it is to be
// heard at once also an entry of the outbox, which internal/message/outbox sends by the channel that the person chose.
package message

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
)

// Message is a sentence of the locale files for one person. It carries no diagnosis and no degree.
type Message struct {
	To   tesdiq.FIN
	Key  string            // "message.check": the subject is "message.check.title", the text "message.check.text"
	Args map[string]string // placeholders; what is itself a key (a verdict, a purpose) ends in ".key"
	Link string            // a path of our own to read more, or empty
	At   time.Time
	// Aloud: it also goes out by SMS or e-mail, if the person chose one. What goes out is "message.check.short", or where
	// there is none a sentence that says only that something is in the cabinet. It may hold a number, a day and a count, and
	// nothing else of Args (ShortArgs): everybody who sees the telephone reads it.
	Aloud bool
}

// ShortArgs are the placeholders that a short text may have.
var ShortArgs = []string{"Number", "From", "Day", "Days", "Time", "Next"}

const (
	sqlSend = `
	INSERT INTO messages (fin, key, args, link, sent_at)
	SELECT m.fin, m.key, m.args::jsonb, m.link, m.at
	FROM unnest(@fins::text[], @keys::text[], @args::text[], @links::text[], @ats::timestamptz[]) AS m (fin, key, args, link, at)`

	// An outbox entry is due from the moment of its message on.
	sqlSendAloud = `
	WITH sent AS (
		INSERT INTO messages (fin, key, args, link, sent_at)
		SELECT m.fin, m.key, m.args::jsonb, m.link, m.at
		FROM unnest(@fins::text[], @keys::text[], @args::text[], @links::text[], @ats::timestamptz[]) AS m (fin, key, args, link, at)
		ORDER BY m.at
		RETURNING id
	)
	INSERT INTO outbox (message_id, at, due_at)
	SELECT id, @at, @at FROM sent`
)

// Send writes messages in the caller's transaction: they are told, and go out, if and only if the change commits.
func Send(ctx context.Context, tx pgx.Tx, ms ...Message) error {
	quiet := make([]Message, 0, len(ms))
	aloud := map[time.Time][]Message{} // by the moment, which all of one change share
	for _, m := range ms {
		if m.Aloud {
			aloud[m.At] = append(aloud[m.At], m)
		} else {
			quiet = append(quiet, m)
		}
	}
	if len(quiet) > 0 {
		if err := write(ctx, tx, sqlSend, quiet); err != nil {
			return err
		}
	}
	for _, group := range aloud {
		if err := write(ctx, tx, sqlSendAloud, group); err != nil {
			return err
		}
	}
	return nil
}

// write runs one of the statements above on messages; @at is the moment of the first.
func write(ctx context.Context, tx pgx.Tx, statement string, ms []Message) error {
	fins, keys, args, links := make([]string, len(ms)), make([]string, len(ms)), make([]string, len(ms)), make([]string, len(ms))
	ats := make([]time.Time, len(ms))
	for i, m := range ms {
		if m.Args == nil {
			m.Args = map[string]string{}
		}
		a, err := json.Marshal(m.Args)
		if err != nil {
			return fmt.Errorf("message: send: %w", err)
		}
		fins[i], keys[i], args[i], links[i], ats[i] = string(m.To), m.Key, string(a), m.Link, m.At
	}
	named := pgx.NamedArgs{"fins": fins, "keys": keys, "args": args, "links": links, "ats": ats}
	if statement == sqlSendAloud {
		named["at"] = ms[0].At
	}
	if _, err := tx.Exec(ctx, statement, named); err != nil {
		return fmt.Errorf("message: send: %w", err)
	}
	return nil
}

const sqlSendTo = `
	WITH sent AS (
		INSERT INTO messages (fin, key, args, link, sent_at)
		VALUES (@fin, @key, '{}', @link, @at)
		RETURNING id
	)
	INSERT INTO outbox (message_id, contact_id, at, due_at)
	SELECT id, @contact, @at, @at FROM sent`

// SendTo writes a message without placeholders that goes out to one address, whatever the person has chosen meanwhile: that he
// chose another is said to the one before.
func SendTo(ctx context.Context, tx pgx.Tx, m Message, contact int64) error {
	_, err := tx.Exec(ctx, sqlSendTo, pgx.NamedArgs{"fin": m.To, "key": m.Key, "link": m.Link, "at": m.At, "contact": contact})
	if err != nil {
		return fmt.Errorf("message: send to: %w", err)
	}
	return nil
}

// HashCode is what is kept of a code that confirms an address. Of six digits all can be tried, so each try is made to cost:
// all of them take longer than the quarter of an hour that the code holds.
func HashCode(code string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, code, salt, 100_000, sha256.Size)
}

const sqlSendCode = `
	INSERT INTO outbox (contact_id, at, due_at)
	VALUES (@contact, @at, @at)`

// SendCode asks, in the caller's transaction, for a code to an address that is not confirmed yet. The sender draws it, so
// that it stands nowhere but in what is sent.
func SendCode(ctx context.Context, tx pgx.Tx, contact int64, at time.Time) error {
	if _, err := tx.Exec(ctx, sqlSendCode, pgx.NamedArgs{"contact": contact, "at": at}); err != nil {
		return fmt.Errorf("message: send code: %w", err)
	}
	return nil
}
