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

// SignIns reads Sessions as the role tesdiq_reception, for a process that signs nobody in: it can keep a session alive
// and change nothing that it says, so that whoever owns the process still cannot sign in as somebody.
type SignIns struct{ Pool *pgxpool.Pool }

const sqlSignIn = `
	SELECT data
	FROM sessions
	WHERE token = @token AND expiry > current_timestamp`

// FindCtx reads a session that has not ended. The token comes hashed, here and below.
func (s SignIns) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return find(ctx, s.Pool, sqlSignIn, token)
}

const sqlStay = `
	UPDATE sessions
	SET expiry = @expiry
	WHERE token = @token AND expiry > current_timestamp`

// CommitCtx moves the end of a session that was used just now. What it says stays as it is.
func (s SignIns) CommitCtx(ctx context.Context, token string, _ []byte, expiry time.Time) error {
	return run(ctx, s.Pool, sqlStay, pgx.NamedArgs{"token": token, "expiry": expiry})
}

// DeleteCtx refuses: people sign out where they signed in.
func (s SignIns) DeleteCtx(context.Context, string) error {
	return errors.New("cabinetdb: people sign out where they signed in")
}

// Find is FindCtx for a library that wants it and does not call it; so are the others.
func (s SignIns) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx.
func (s SignIns) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx.
func (s SignIns) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// Visits keeps, as the role tesdiq_reception, what a process that signs nobody in remembers of a browser: which checks it
// made without a name. Expired ones are removed by the worker.
type Visits struct{ Pool *pgxpool.Pool }

const sqlVisit = `
	SELECT data
	FROM visits
	WHERE token = @token AND expiry > current_timestamp`

// FindCtx reads a visit that has not ended.
func (v Visits) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return find(ctx, v.Pool, sqlVisit, token)
}

const sqlKeepVisit = `
	INSERT INTO visits (token, data, expiry)
	VALUES (@token, @data, @expiry)
	ON CONFLICT (token) DO UPDATE SET data = excluded.data, expiry = excluded.expiry`

// CommitCtx writes a visit.
func (v Visits) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	return run(ctx, v.Pool, sqlKeepVisit, pgx.NamedArgs{"token": token, "data": b, "expiry": expiry})
}

const sqlEndVisit = `
	DELETE FROM visits
	WHERE token = @token`

// DeleteCtx ends a visit.
func (v Visits) DeleteCtx(ctx context.Context, token string) error {
	return run(ctx, v.Pool, sqlEndVisit, pgx.NamedArgs{"token": token})
}

// Find is FindCtx for a library that wants it and does not call it; so are the others.
func (v Visits) Find(token string) ([]byte, bool, error) {
	return v.FindCtx(context.Background(), token)
}

// Commit is CommitCtx.
func (v Visits) Commit(token string, b []byte, expiry time.Time) error {
	return v.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx.
func (v Visits) Delete(token string) error { return v.DeleteCtx(context.Background(), token) }

func find(ctx context.Context, pool *pgxpool.Pool, sql, token string) (b []byte, found bool, err error) {
	err = pool.QueryRow(ctx, sql, pgx.NamedArgs{"token": token}).Scan(&b)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("cabinetdb: session: %w", err)
	}
	return b, true, nil
}

func run(ctx context.Context, pool *pgxpool.Pool, sql string, args pgx.NamedArgs) error {
	if _, err := pool.Exec(ctx, sql, args); err != nil {
		return fmt.Errorf("cabinetdb: session: %w", err)
	}
	return nil
}
