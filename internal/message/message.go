// Package message writes messages to people into the caller's transaction. Today's channel is the cabinet.
package message

import (
	"context"
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
}

const sqlSend = `
	INSERT INTO messages (fin, key, args, link, sent_at)
	VALUES (@fin, @key, @args, @link, @at)`

// Send writes a message in the caller's transaction: it is told if and only if the change commits.
func Send(ctx context.Context, tx pgx.Tx, m Message) error {
	if m.Args == nil {
		m.Args = map[string]string{}
	}
	_, err := tx.Exec(ctx, sqlSend, pgx.NamedArgs{"fin": m.To, "key": m.Key, "args": m.Args, "link": m.Link, "at": m.At})
	if err != nil {
		return fmt.Errorf("message: send: %w", err)
	}
	return nil
}
