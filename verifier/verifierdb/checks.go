package verifierdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/verifier"
)

const columnsCheck = `
	c.id, c.at, c.way, coalesce(c.excerpt_id, 0), coalesce(c.subject, ''), coalesce(c.code, ''), c.sha256, c.sort,
	coalesce(c.organisation_id, 0), coalesce(o.name, ''), coalesce(c.member_fin, ''), coalesce(c.client_id, ''),
	coalesce(c.visitor, ''), c.purpose, c.note, c.verdict, c.reason, coalesce(c.idempotency_key, ''), c.request_sha256`

// fileRevokedAt is since when the very file that was checked does not count, though its excerpt may have been issued anew since. What
// was shown with validation data that somebody else added stands in no list of ours: it rests on a file of the excerpt that was there
// before the check, and fell with it, then or later. An altered file was never one of ours.
const fileRevokedAt = `
	CASE WHEN c.sha256 IS NOT NULL AND c.reason NOT LIKE 'altered.%' THEN (
		SELECT min(k.revoked_at) FROM revoked_files k
		WHERE k.excerpt_id = c.excerpt_id AND (k.sha256 = c.sha256
		   OR NOT EXISTS (SELECT FROM excerpt_files g WHERE g.sha256 = c.sha256)
		  AND k.stored_at <= c.at AND (k.revoked_at <= c.at) = (c.reason = 'revoked.signer'))) END AS file_revoked_at`

const fromCheck = `
	checks c
	LEFT JOIN organisations o ON o.id = c.organisation_id
	LEFT JOIN LATERAL (SELECT` + columnsExcerpt + ` FROM` + fromExcerpt + ` WHERE x.id = c.excerpt_id) q ON true`

// visible is what an asker may read of checks: a program and a manager all of their organisation's, a clerk and a
// private person their own, somebody who did not sign in those of his session.
const visible = `
	CASE @sort
		WHEN 'organisation' THEN c.organisation_id = @organisation AND (@manager OR c.member_fin = @member)
		WHEN 'person' THEN c.sort = 'person' AND c.member_fin = @member
		WHEN 'anonymous' THEN c.sort = 'anonymous' AND c.visitor = @visitor
		ELSE false
	END`

func asker(by verifier.Asker) pgx.NamedArgs {
	return pgx.NamedArgs{
		"sort": string(by.Sort), "organisation": by.Organisation, "manager": by.Manager, "member": none(string(by.Member)),
		"visitor": none(by.Visitor),
	}
}

const sqlCheckByID = `SELECT` + columnsCheck + `,` + fileRevokedAt + `, q.*
	FROM` + fromCheck + `
	WHERE c.id = @id AND` + visible

// ByID reads a check that the asker may see.
func (db *DB) ByID(ctx context.Context, id verifier.CheckID, by verifier.Asker) (verifier.Check, verifier.Excerpt, error) {
	args := asker(by)
	args["id"] = string(id)
	return db.check(ctx, sqlCheckByID, args)
}

const sqlCheckByKey = `SELECT` + columnsCheck + `,` + fileRevokedAt + `, q.*
	FROM` + fromCheck + `
	WHERE c.client_id = @client AND c.idempotency_key = @key`

const sqlCheckByForm = `SELECT` + columnsCheck + `,` + fileRevokedAt + `, q.*
	FROM` + fromCheck + `
	WHERE c.client_id IS NULL AND c.idempotency_key = @key`

// ByKey reads the check of a client's key or, without a client, of a form's.
func (db *DB) ByKey(ctx context.Context, client, key string) (verifier.Check, verifier.Excerpt, error) {
	if client == "" {
		return db.check(ctx, sqlCheckByForm, pgx.NamedArgs{"key": key})
	}
	return db.check(ctx, sqlCheckByKey, pgx.NamedArgs{"client": client, "key": key})
}

func (db *DB) check(ctx context.Context, sql string, args pgx.NamedArgs) (verifier.Check, verifier.Excerpt, error) {
	var (
		c            verifier.Check
		r            excerptRow
		sum, request []byte
		at           time.Time
		file         *time.Time
	)
	err := db.Pool.QueryRow(ctx, sql, args).Scan(append([]any{
		&c.ID, &at, &c.Way, &c.Excerpt, &c.Subject, &c.Code, &sum, &c.By.Sort, &c.By.Organisation, &c.By.Name, &c.By.Member,
		&c.By.Client, &c.By.Visitor, &c.Purpose, &c.Note, &c.Verdict, &c.Reason, &c.Key, &request, &file,
	}, r.dest()...)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return verifier.Check{}, verifier.Excerpt{}, verifier.ErrNoCheck
	}
	if err != nil {
		return verifier.Check{}, verifier.Excerpt{}, fmt.Errorf("verifierdb: check: %w", err)
	}
	c.At, c.Sum, c.Request = at.UTC(), sumOf(sum), sumOf(request)
	if file != nil {
		r.KeyRevokedAt = file
	}
	x := r.excerpt()
	if x.ID == 0 {
		x.Missing = c.Reason
	}
	return c, x, nil
}

func sumOf(b []byte) *verifier.Sum {
	if len(b) == 0 {
		return nil
	}
	s := verifier.Sum(b)
	return &s
}

const sqlClient = `
	SELECT k.id, k.organisation_id, o.name, k.secret_sha256
	FROM api_clients k JOIN organisations o ON o.id = k.organisation_id
	WHERE k.id = @id AND k.ended_at IS NULL AND o.closed_at IS NULL`

// Secret reads a client that may sign in, and the SHA-256 of its secret.
func (db *DB) Secret(ctx context.Context, id string) (verifier.Client, verifier.Sum, error) {
	var (
		c   verifier.Client
		sum []byte
	)
	err := db.Pool.QueryRow(ctx, sqlClient, pgx.NamedArgs{"id": id}).Scan(&c.ID, &c.Organisation, &c.Name, &sum)
	if errors.Is(err, pgx.ErrNoRows) {
		return verifier.Client{}, verifier.Sum{}, verifier.ErrNoClient
	}
	if err != nil {
		return verifier.Client{}, verifier.Sum{}, fmt.Errorf("verifierdb: client: %w", err)
	}
	return c, verifier.Sum(sum), nil
}

const sqlGrant = `
	INSERT INTO api_tokens (sha256, client_id, expires_at)
	VALUES (@sha256, @client, @expires)`

// Grant keeps a token's SHA-256.
func (db *DB) Grant(ctx context.Context, token verifier.Sum, client string, expires time.Time) error {
	_, err := db.Pool.Exec(ctx, sqlGrant, pgx.NamedArgs{"sha256": token[:], "client": client, "expires": expires})
	if err != nil {
		return fmt.Errorf("verifierdb: grant: %w", err)
	}
	return nil
}

const sqlToken = `
	SELECT k.id, k.organisation_id, o.name, t.expires_at
	FROM api_tokens t
	JOIN api_clients k ON k.id = t.client_id
	JOIN organisations o ON o.id = k.organisation_id
	WHERE t.sha256 = @sha256 AND t.expires_at > @now AND k.ended_at IS NULL AND o.closed_at IS NULL`

// Token reads the client of a token that still opens the API, and when it expires.
func (db *DB) Token(ctx context.Context, token verifier.Sum, now time.Time) (verifier.Client, time.Time, error) {
	var (
		c       verifier.Client
		expires time.Time
	)
	err := db.Pool.QueryRow(ctx, sqlToken, pgx.NamedArgs{"sha256": token[:], "now": now}).Scan(&c.ID, &c.Organisation, &c.Name, &expires)
	if errors.Is(err, pgx.ErrNoRows) {
		return verifier.Client{}, time.Time{}, verifier.ErrNoToken
	}
	if err != nil {
		return verifier.Client{}, time.Time{}, fmt.Errorf("verifierdb: token: %w", err)
	}
	return c, expires, nil
}

var _ interface {
	verifier.Excerpts
	verifier.Checks
	verifier.Clients
} = (*DB)(nil)
