package cabinetdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/pgxstore"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Sessions keeps the shell's sessions in the table of that name. Expired ones are removed by the worker.
func Sessions(pool *pgxpool.Pool) *pgxstore.PostgresStore {
	return pgxstore.NewWithCleanupInterval(pool, 0)
}

const (
	sqlSignIn = `
		SELECT data
		FROM sessions
		WHERE token = @token AND expiry > current_timestamp`
	sqlStay = `
		UPDATE sessions
		SET expiry = @expiry
		WHERE token = @token AND expiry > current_timestamp`
)

// SignIns reads Sessions as the role tesdiq_reception, for a process that signs nobody in: it moves the end of a session
// that is used, and changes nothing that it says, so that whoever owns the process still cannot sign in as somebody.
func SignIns(pool *pgxpool.Pool) *Store { return &Store{pool, sqlSignIn, sqlStay, ""} }

const (
	sqlVisit = `
		SELECT data
		FROM visits
		WHERE token = @token AND expiry > current_timestamp`
	sqlKeepVisit = `
		INSERT INTO visits (token, data, expiry)
		VALUES (@token, @data, @expiry)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`
	sqlEndVisit = `
		DELETE FROM visits
		WHERE token = @token`
)

// Visits keeps, as the role tesdiq_reception, what a process that signs nobody in remembers of a browser: which checks it
// made without a name. Expired ones are removed by the worker.
func Visits(pool *pgxpool.Pool) *Store { return &Store{pool, sqlVisit, sqlKeepVisit, sqlEndVisit} }

// Store is what the session library asks of SignIns and Visits. Tokens come hashed.
type Store struct {
	pool            *pgxpool.Pool
	find, keep, end string // statements; no end: sessions are not ended here
}

// FindCtx reads a session that has not ended.
func (s *Store) FindCtx(ctx context.Context, token string) (b []byte, found bool, err error) {
	err = s.pool.QueryRow(ctx, s.find, pgx.NamedArgs{"token": token}).Scan(&b)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("cabinetdb: session: %w", err)
	}
	return b, true, nil
}

// CommitCtx keeps a session until expiry.
func (s *Store) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	if _, err := s.pool.Exec(ctx, s.keep, pgx.NamedArgs{"token": token, "data": b, "expiry": expiry}); err != nil {
		return fmt.Errorf("cabinetdb: session: %w", err)
	}
	return nil
}

// DeleteCtx ends a session.
func (s *Store) DeleteCtx(ctx context.Context, token string) error {
	if s.end == "" {
		return errors.New("cabinetdb: people sign out where they signed in")
	}
	if _, err := s.pool.Exec(ctx, s.end, pgx.NamedArgs{"token": token}); err != nil {
		return fmt.Errorf("cabinetdb: session: %w", err)
	}
	return nil
}

// Find is FindCtx. The library wants it and does not call it; so are the two below.
func (s *Store) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx.
func (s *Store) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx.
func (s *Store) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
