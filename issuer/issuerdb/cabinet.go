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
	"github.com/tesdiq/tesdiq/internal/together"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Cabinet is what a signed-in person may do with excerpts: only with his own. All fields are required.
type Cabinet struct {
	Pool   *pgxpool.Pool // as tesdiq_cabinet
	Kinds  issuer.Kinds
	PerDay int // excerpts that a person may ask for within a day, a few more at the same moment; 0: as many as he likes
	Now    func() time.Time
	Rand   io.Reader
	Log    *slog.Logger

	asking  together.Queue[*asking]
	reading together.Queue[*reading]
	waiters waiters
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
			return message.Send(ctx, tx, aloud(letter(fin, "message.withdrawn", number, now)))
		})
	})
}
