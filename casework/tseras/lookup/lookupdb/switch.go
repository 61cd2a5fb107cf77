package lookupdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Switches are people's own: whether they let themselves be looked up. Each change has its ledger line: nobody can say that somebody was open who
// was not.
type Switches struct {
	Pool *pgxpool.Pool // as tesdiq_cabinet
	Now  func() time.Time
	Rand io.Reader // of ledger lines' keys
}

const sqlFirst = `
	INSERT INTO lookup_switches (subject, open, cause, at)
	SELECT @fin, @open, @cause, @at
	WHERE NOT EXISTS (SELECT FROM lookup_switches WHERE subject = @fin)
	ON CONFLICT DO NOTHING
	RETURNING id`

// SignedIn closes the look-up of whoever signs in for the first time: he has a safer way now.
func (s Switches) SignedIn(ctx context.Context, fin tesdiq.FIN) error {
	err := s.write(ctx, sqlFirst, lookup.Switched{Subject: fin, Cause: lookup.BySignIn})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // not the first
	}
	return err
}

const sqlSwitch = `
	INSERT INTO lookup_switches (subject, open, cause, at)
	VALUES (@fin, @open, @cause, @at)
	RETURNING id`

// Switch writes down what somebody chose.
func (s Switches) Switch(ctx context.Context, fin tesdiq.FIN, open bool) error {
	return s.write(ctx, sqlSwitch, lookup.Switched{Subject: fin, Open: open, Cause: lookup.ByChoice})
}

// write writes a switching with its ledger line.
func (s Switches) write(ctx context.Context, statement string, w lookup.Switched) error {
	w.At = s.Now().UTC().Truncate(time.Microsecond)
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, statement, pgx.NamedArgs{"fin": w.Subject, "open": w.Open, "cause": w.Cause, "at": w.At}).Scan(&w.ID); err != nil {
			return fmt.Errorf("lookupdb: switch: %w", err)
		}
		content, err := w.Content()
		if err != nil {
			return err
		}
		line, err := ledger.NewLine(s.Rand, ledger.Lookup, w.Object(), content)
		if err != nil {
			return err
		}
		return ledgerdb.Append(ctx, tx, line)
	})
}

const sqlSetting = `
	SELECT open, cause = 'choice', at
	FROM lookup_switches
	WHERE subject = @fin
	ORDER BY id DESC
	LIMIT 1`

// Setting is what somebody's switch says, and since when.
func (s Switches) Setting(ctx context.Context, fin tesdiq.FIN) (v lookup.Setting, err error) {
	err = s.Pool.QueryRow(ctx, sqlSetting, pgx.NamedArgs{"fin": fin}).Scan(&v.Open, &v.Chosen, &v.Since)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return lookup.Setting{Open: true}, nil
	case err != nil:
		return v, fmt.Errorf("lookupdb: setting: %w", err)
	}
	return v, nil
}

const sqlSeen = `
	SELECT l.at, l.way, coalesce(o.name, ''), l.outcome
	FROM lookups l
	LEFT JOIN organisations o ON o.id = l.organisation_id
	WHERE l.subject = @fin
	ORDER BY l.at DESC, l.id DESC
	LIMIT @limit`

// Seen are the latest questions that matched somebody, the newest first.
func (s Switches) Seen(ctx context.Context, fin tesdiq.FIN, limit int) ([]lookup.Seen, error) {
	rows, _ := s.Pool.Query(ctx, sqlSeen, pgx.NamedArgs{"fin": fin, "limit": limit}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[lookup.Seen])
	if err != nil {
		return nil, fmt.Errorf("lookupdb: seen: %w", err)
	}
	return all, nil
}
