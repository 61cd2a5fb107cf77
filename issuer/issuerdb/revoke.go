package issuerdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Operator revokes excerpts: the issuer's own word that one holds no longer. The pool's role is tesdiq_operator.
type Operator struct {
	Pool *pgxpool.Pool
	Now  func() time.Time
	Rand io.Reader // of the ledger lines' keys
}

// Revocable is an excerpt as the operator sees it: without whom it is about and what it says.
type Revocable struct {
	ID         int64         `db:"id"`
	Number     issuer.Number `db:"number"`
	Kind       string        `db:"kind"`
	Lang       tesdiq.Lang   `db:"lang"`
	IssuedAt   time.Time     `db:"issued_at"`
	ValidUntil tesdiq.Date   `db:"valid_until"`
	Withdrawn  bool          `db:"withdrawn"`
	Revoked    bool          `db:"revoked"`
	Subject    tesdiq.FIN    `db:"subject"`
}

const sqlRevocable = `
	SELECT x.id, x.number, x.kind, x.lang, x.issued_at, x.valid_until, x.subject,
	       w.excerpt_id IS NOT NULL AS withdrawn, r.excerpt_id IS NOT NULL AS revoked
	FROM excerpts x
	LEFT JOIN withdrawals w ON w.excerpt_id = x.id
	LEFT JOIN revocations r ON r.excerpt_id = x.id
	WHERE x.code = @code OR x.number = @number`

// Find finds an issued excerpt by its code or its number; else issuer.ErrMissing.
func (o Operator) Find(ctx context.Context, codeOrNumber string) (Revocable, error) {
	var x Revocable
	err := pgx.BeginFunc(ctx, o.Pool, func(tx pgx.Tx) (err error) {
		x, err = revocable(ctx, tx, codeOrNumber)
		return err
	})
	return x, err
}

func revocable(ctx context.Context, tx pgx.Tx, codeOrNumber string) (Revocable, error) {
	args := pgx.NamedArgs{"code": "", "number": ""}
	if number, err := issuer.ParseNumber(codeOrNumber); err == nil {
		args["number"] = number
	} else if code, err := tesdiq.ParseCode(codeOrNumber); err == nil {
		args["code"] = code
	} else {
		return Revocable{}, err
	}
	rows, _ := tx.Query(ctx, sqlRevocable, args) // the error comes out of Collect
	x, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Revocable])
	if errors.Is(err, pgx.ErrNoRows) {
		return x, issuer.ErrMissing
	}
	if err != nil {
		return x, fmt.Errorf("issuerdb: find: %w", err)
	}
	return x, nil
}

const sqlRevoke = `
	INSERT INTO revocations (excerpt_id, reason, by, revoked_at)
	VALUES (@id, @reason, @by, @now)
	ON CONFLICT DO NOTHING`

// Limits of what is written with a revocation, in letters. The person reads the reason.
const (
	maxReason = 500
	maxBy     = 100
)

// CheckRevocation lists what is wrong with the words of a revocation, by the fields reason and by.
func CheckRevocation(reason, by string) error {
	var ps tesdiq.Problems
	ps.Add("reason", tesdiq.CheckText(reason, maxReason, true))
	ps.Add("by", tesdiq.CheckText(by, maxBy, true))
	return ps.Err()
}

// Revoke revokes an excerpt, with its ledger line and the message to the person. One that is revoked already is a
// Conflict, "excerpt.revoked"; one that the person withdrew may still be revoked.
func (o Operator) Revoke(ctx context.Context, codeOrNumber, reason, by string) (Revocable, error) {
	var x Revocable
	if err := CheckRevocation(reason, by); err != nil {
		return x, err
	}
	err := pgx.BeginFunc(ctx, o.Pool, func(tx pgx.Tx) (err error) {
		if x, err = revocable(ctx, tx, codeOrNumber); err != nil {
			return err
		}
		now := issuer.Moment(o.Now())
		tag, err := tx.Exec(ctx, sqlRevoke, pgx.NamedArgs{"id": x.ID, "reason": reason, "by": by, "now": now})
		if err != nil {
			return fmt.Errorf("issuerdb: revoke: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return tesdiq.NewProblem(tesdiq.Conflict, "excerpt.revoked")
		}
		line, err := ledger.NewLine(o.Rand, ledger.Revocation, string(x.Number), issuer.RevocationContent(x.Number, reason, by, now))
		if err != nil {
			return err
		}
		if err := ledgerdb.Append(ctx, tx, line); err != nil {
			return err
		}
		return message.Send(ctx, tx, aloud(letter(x.Subject, "message.revoked", x.Number, now)))
	})
	return x, err
}
