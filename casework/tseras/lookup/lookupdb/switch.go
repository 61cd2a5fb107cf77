package lookupdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
)

// Switches are people's own: whether they let themselves be looked up.
type Switches struct {
	Pool *pgxpool.Pool // as tesdiq_cabinet
	Now  func() time.Time
}

const sqlFirst = `
	INSERT INTO lookup_switches (subject, open, cause, at)
	SELECT @fin, false, 'sign_in', @at
	WHERE NOT EXISTS (SELECT FROM lookup_switches WHERE subject = @fin)
	ON CONFLICT DO NOTHING`

// SignedIn closes the look-up of whoever signs in for the first time: he has a safer way now.
func (s Switches) SignedIn(ctx context.Context, fin tesdiq.FIN) error {
	if _, err := s.Pool.Exec(ctx, sqlFirst, pgx.NamedArgs{"fin": fin, "at": s.Now()}); err != nil {
		return fmt.Errorf("lookupdb: first sign-in: %w", err)
	}
	return nil
}

const sqlSwitch = `
	INSERT INTO lookup_switches (subject, open, cause, at)
	VALUES (@fin, @open, 'choice', @at)`

// Switch writes down what somebody chose.
func (s Switches) Switch(ctx context.Context, fin tesdiq.FIN, open bool) error {
	if _, err := s.Pool.Exec(ctx, sqlSwitch, pgx.NamedArgs{"fin": fin, "open": open, "at": s.Now()}); err != nil {
		return fmt.Errorf("lookupdb: switch: %w", err)
	}
	return nil
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
