// Package message writes messages to people into the caller's transaction. Today's channel is the cabinet.
package message

import (
	"context"
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
}

const sqlSend = `
	INSERT INTO messages (fin, key, args, link, sent_at)
	SELECT m.fin, m.key, m.args::jsonb, m.link, m.at
	FROM unnest(@fins::text[], @keys::text[], @args::text[], @links::text[], @ats::timestamptz[]) AS m (fin, key, args, link, at)`

// Send writes messages in the caller's transaction: they are told if and only if the change commits.
func Send(ctx context.Context, tx pgx.Tx, ms ...Message) error {
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
	_, err := tx.Exec(ctx, sqlSend, pgx.NamedArgs{"fins": fins, "keys": keys, "args": args, "links": links, "ats": ats})
	if err != nil {
		return fmt.Errorf("message: send: %w", err)
	}
	return nil
}
