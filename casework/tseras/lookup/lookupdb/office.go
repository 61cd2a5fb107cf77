package lookupdb

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
)

// A token that has expired, or whose client or organisation is closed, is none.
const sqlEnter = `
	SELECT k.id, k.organisation_id,
	       EXISTS (SELECT FROM organisation_duties d WHERE d.organisation_id = k.organisation_id AND d.duty = 'call_centre' AND d.ended_at IS NULL)
	FROM api_tokens t
	JOIN api_clients k ON k.id = t.client_id
	JOIN organisations o ON o.id = k.organisation_id
	WHERE t.sha256 = @sum AND t.expires_at > @now AND k.ended_at IS NULL AND o.closed_at IS NULL`

// Enter finds the office whose program holds a token. The errors are Problems: "token.unknown", and "lookup.duty" of an organisation that
// answers no calls.
func (db *DB) Enter(ctx context.Context, token string) (lookup.Office, error) {
	sum := sha256.Sum256([]byte(token))
	var o lookup.Office
	var answers bool
	err := db.Pool.QueryRow(ctx, sqlEnter, pgx.NamedArgs{"sum": sum[:], "now": db.Now()}).Scan(&o.Client, &o.Organisation, &answers)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return lookup.Office{}, tesdiq.NewProblem(tesdiq.SignIn, "token.unknown")
	case err != nil:
		return lookup.Office{}, fmt.Errorf("lookupdb: enter: %w", err)
	case !answers:
		return lookup.Office{}, tesdiq.NewProblem(tesdiq.Forbidden, "lookup.duty")
	}
	return o, nil
}

const sqlOperator = `
	SELECT EXISTS (SELECT FROM members WHERE organisation_id = @organisation AND fin = @fin AND ended_at IS NULL)`

// operates says whether somebody is a member of the office now; else it is a Problem, "lookup.operator.unknown".
func operates(ctx context.Context, tx pgx.Tx, o lookup.Office) error {
	var is bool
	if err := tx.QueryRow(ctx, sqlOperator, pgx.NamedArgs{"organisation": o.Organisation, "fin": o.Operator}).Scan(&is); err != nil {
		return fmt.Errorf("lookupdb: operator: %w", err)
	}
	if !is {
		return tesdiq.Invalid("lookup.operator.unknown").In("operator")
	}
	return nil
}
