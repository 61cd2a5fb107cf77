package registrydb

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry"
)

// Officer reads people's entries in the course of office, never without a look. The pool's role is tesdiq_operator.
type Officer struct {
	Pool *pgxpool.Pool
	Now  func() time.Time
	Rand io.Reader // of the ledger lines' keys
}

const sqlLook = `
	INSERT INTO looks (subject, office, by, purpose, at)
	VALUES (@subject, @office, @by, @purpose, @at)
	RETURNING id`

// Look reads all versions of all entries about l.Subject, the oldest first, and writes down that it did: look, ledger line
// and message to the person commit before anything is returned. Of somebody who is in no book it is a Problem of kind
// NotFound, "entry.unknown", and nothing is written.
func (o Officer) Look(ctx context.Context, l registry.Look) ([]registry.Version, error) {
	if err := l.Validate().Err(); err != nil {
		return nil, err
	}
	l.At = o.Now().UTC().Truncate(time.Microsecond)
	var seen []registry.Version
	err := pgx.BeginFunc(ctx, o.Pool, func(tx pgx.Tx) error {
		heads, err := Reader{tx}.Subject(ctx, l.Subject)
		if err != nil {
			return err
		}
		if len(heads) == 0 {
			return tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown").In("subject")
		}
		for _, h := range heads {
			v, err := Reader{tx}.Version(ctx, h)
			if err != nil {
				return err
			}
			seen = append(seen, v)
		}
		return look(ctx, tx, l, o.Rand)
	})
	if err != nil {
		return nil, err
	}
	return seen, nil
}

// look writes a look in the caller's transaction.
func look(ctx context.Context, tx pgx.Tx, l registry.Look, random io.Reader) error {
	rows, _ := tx.Query(ctx, sqlLook, pgx.NamedArgs{ // the error comes out of Collect
		"subject": l.Subject, "office": l.Office, "by": l.By, "purpose": l.Purpose, "at": l.At,
	})
	var err error
	if l.ID, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64]); err != nil {
		return fmt.Errorf("registrydb: look: %w", err)
	}
	content, err := l.Content()
	if err != nil {
		return err
	}
	line, err := ledger.NewLine(random, ledger.Look, strconv.FormatInt(l.ID, 10), content)
	if err != nil {
		return err
	}
	if err := ledgerdb.Append(ctx, tx, line); err != nil {
		return err
	}
	return message.Send(ctx, tx, message.Message{
		To: l.Subject, Key: "message.look", At: l.At, Args: map[string]string{"Office": l.Office, "Purpose": l.Purpose}, Aloud: true,
	})
}
