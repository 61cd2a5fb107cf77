// Package verifierdb keeps checks in PostgreSQL and finds excerpts with what the registry says of them at this moment.
// It reads no name, no contract and no document, and can change nothing that is written.
package verifierdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/together"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/verifier"
)

// DB is the verifier's side of the database. Its pool has the role tesdiq_verifier and reads from the primary: a
// replica could be behind a revocation.
type DB struct {
	Pool *pgxpool.Pool

	queue together.Queue[*recording] // of checks to be written
}

// columnsExcerpt and fromExcerpt are one excerpt and all that its verdict depends on. l is the latest version of its
// entry's object (what is said of a person who was annulled falls as well); n another object of the same chain that came later, by the day from which it holds and then by the
// order in which the objects were first entered, and is not annulled.
const columnsExcerpt = `
	x.id, x.code, x.number, x.kind, x.subject, x.statement, x.valid_until, x.issued_at, r.revoked_at, w.withdrawn_at,
	coalesce(CASE WHEN l.act = 'annul' THEN l.entered_at END,
	         (SELECT p.entered_at FROM entries p WHERE p.book = 'person' AND p.number = x.subject AND p.act = 'annul')) AS annulled_at,
	CASE WHEN l.act = 'correct' AND l.id <> e.id THEN l.entered_at END AS corrected_at,
	CASE WHEN l.act = 'append' AND l.id <> e.id THEN l.entered_at ELSE n.entered_at END AS newer_at,
	(SELECT min(k.revoked_at) FROM revoked_files k
	 WHERE k.excerpt_id = x.id AND NOT EXISTS (
		SELECT FROM excerpt_files g WHERE g.excerpt_id = x.id AND NOT EXISTS (SELECT FROM revoked_files b WHERE b.sha256 = g.sha256))) AS key_revoked_at`

const fromExcerpt = `
	excerpts x
	JOIN entries e ON e.id = x.entry_id
	CROSS JOIN LATERAL (
		SELECT v.id, v.act, v.effective_on, v.entered_at
		FROM entries v
		WHERE v.book = e.book AND v.number = e.number
		ORDER BY v.version DESC
		LIMIT 1) l
	LEFT JOIN LATERAL (
		SELECT o.entered_at
		FROM entries o
		WHERE o.book = e.book AND o.chain = e.chain AND o.number <> e.number AND o.act <> 'annul'
		  AND NOT EXISTS (SELECT FROM entries y WHERE y.book = o.book AND y.number = o.number AND y.version > o.version)
		  AND (o.effective_on, (SELECT f.id FROM entries f WHERE f.book = o.book AND f.number = o.number AND f.version = 1))
		    > (l.effective_on, (SELECT f.id FROM entries f WHERE f.book = e.book AND f.number = e.number AND f.version = 1))
		ORDER BY o.effective_on, o.id
		LIMIT 1) n ON true
	LEFT JOIN revocations r ON r.excerpt_id = x.id
	LEFT JOIN withdrawals w ON w.excerpt_id = x.id`

// excerptRow is what columnsExcerpt reads. Every field is a pointer or takes NULL, because a check may have no excerpt.
type excerptRow struct {
	ID           *int64               `db:"id"`
	Code         *string              `db:"code"`
	Number       *string              `db:"number"`
	Kind         *string              `db:"kind"`
	Subject      *string              `db:"subject"`
	Statement    *templates.Statement `db:"statement"`
	ValidUntil   tesdiq.Date          `db:"valid_until"`
	IssuedAt     *time.Time           `db:"issued_at"`
	RevokedAt    *time.Time           `db:"revoked_at"`
	WithdrawnAt  *time.Time           `db:"withdrawn_at"`
	AnnulledAt   *time.Time           `db:"annulled_at"`
	CorrectedAt  *time.Time           `db:"corrected_at"`
	NewerAt      *time.Time           `db:"newer_at"`
	KeyRevokedAt *time.Time           `db:"key_revoked_at"`
}

// dest are the places for columnsExcerpt, in their order.
func (r *excerptRow) dest() []any {
	return []any{
		&r.ID, &r.Code, &r.Number, &r.Kind, &r.Subject, &r.Statement, &r.ValidUntil, &r.IssuedAt, &r.RevokedAt,
		&r.WithdrawnAt, &r.AnnulledAt, &r.CorrectedAt, &r.NewerAt, &r.KeyRevokedAt,
	}
}

func (r *excerptRow) excerpt() verifier.Excerpt {
	if r.ID == nil {
		return verifier.Excerpt{}
	}
	return verifier.Excerpt{
		ID: *r.ID, Code: tesdiq.Code(*r.Code), Number: *r.Number, Kind: *r.Kind, Subject: tesdiq.FIN(*r.Subject),
		Statement: *r.Statement, IssuedAt: *r.IssuedAt,
		State: verifier.State{
			ValidUntil: r.ValidUntil, RevokedAt: or(r.RevokedAt), WithdrawnAt: or(r.WithdrawnAt),
			AnnulledAt: or(r.AnnulledAt), CorrectedAt: or(r.CorrectedAt), NewerAt: or(r.NewerAt),
			KeyRevokedAt: or(r.KeyRevokedAt),
		},
	}
}

// or is the value, or the zero value for NULL.
func or[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

const sqlByCode = `SELECT` + columnsExcerpt + `
	FROM` + fromExcerpt + `
	WHERE x.code = @code`

var byCode = place(sqlByCode)

// ByCode finds the excerpt of a code.
func (db *DB) ByCode(ctx context.Context, code tesdiq.Code) (verifier.Excerpt, error) {
	var r excerptRow
	err := db.Pool.QueryRow(ctx, byCode.sql, byCode.args(pgx.NamedArgs{"code": string(code)})...).Scan(r.dest()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return verifier.Excerpt{}, verifier.ErrNoExcerpt
	}
	if err != nil {
		return verifier.Excerpt{}, fmt.Errorf("verifierdb: by code: %w", err)
	}
	return r.excerpt(), nil
}

// What we signed counts as handed out even without the archive that followed it: cut back to it, a file is still bit for bit ours.
const sqlByFiles = `SELECT CASE WHEN f.sha256 = ANY (@sums) THEN f.sha256 ELSE f.signed_sha256 END,
	(SELECT min(k.revoked_at) FROM revoked_files k WHERE k.sha256 = f.sha256) AS file_revoked_at,` + columnsExcerpt + `
	FROM excerpt_files f JOIN` + fromExcerpt + `
	ON x.id = f.excerpt_id
	WHERE f.sha256 = ANY (@sums) OR f.signed_sha256 = ANY (@sums)
	ORDER BY least(array_position(@sums, f.sha256), array_position(@sums, f.signed_sha256))
	LIMIT 1`

// ByFiles finds the excerpt of the first of the files that was handed out, or that is the signed part of one.
func (db *DB) ByFiles(ctx context.Context, sums []verifier.Sum) (verifier.Excerpt, verifier.Sum, error) {
	var (
		r     excerptRow
		found []byte
		file  *time.Time // since when this very file does not count, though the excerpt may have been issued anew
	)
	list := make([][]byte, len(sums))
	for i := range sums {
		list[i] = sums[i][:]
	}
	err := db.Pool.QueryRow(ctx, sqlByFiles, pgx.NamedArgs{"sums": list}).Scan(append([]any{&found, &file}, r.dest()...)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return verifier.Excerpt{}, verifier.Sum{}, verifier.ErrNoExcerpt
	}
	if err != nil {
		return verifier.Excerpt{}, verifier.Sum{}, fmt.Errorf("verifierdb: by file: %w", err)
	}
	r.KeyRevokedAt = file
	return r.excerpt(), verifier.Sum(found), nil
}
