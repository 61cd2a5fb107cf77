package verifierdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/verifier"
)

// Cabinet reads who asked about a person, for that person. Its pool has the role tesdiq_cabinet.
type Cabinet struct {
	Pool *pgxpool.Pool
}

// farAway is after everything: the beginning of a list.
var farAway = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

func from(c verifier.Cursor) (time.Time, string) {
	if c.At.IsZero() {
		return farAway, ""
	}
	return c.At, c.Mark
}

// The marks of checks, looks of both sorts and look-ups without sign-in are told apart by their first letter, so that one list can hold all.
const sqlOfSubject = `
	SELECT * FROM (
		(SELECT c.id, c.at, 'c' || c.id AS mark, c.way, c.sort, coalesce(o.name, '') AS name, '' AS clerk,
		        c.sort = 'person' AND c.member_fin = c.subject AS own, c.purpose, c.note, c.verdict, x.kind, x.number, false AS overtaken
		 FROM checks c
		 JOIN excerpts x ON x.id = c.excerpt_id
		 LEFT JOIN organisations o ON o.id = c.organisation_id
		 WHERE c.subject = @subject AND (@kind = '' OR x.kind = @kind) AND c.at <= @at AND (c.at, 'c' || c.id) < (@at, @mark)
		 ORDER BY c.at DESC, c.id DESC
		 LIMIT @limit)
		UNION ALL
		(SELECT '', k.at, 'l' || lpad(k.id::text, 19, '0'), '', '', k.office, '', false, k.purpose, '', '', '', '', false
		 FROM looks k
		 WHERE k.subject = @subject AND @kind = '' AND k.at <= @at AND (k.at, 'l' || lpad(k.id::text, 19, '0')) < (@at, @mark)
		 ORDER BY k.at DESC, k.id DESC
		 LIMIT @limit)
		UNION ALL
		(SELECT '', u.at, 'n' || lpad(u.id::text, 19, '0'), u.way, '', coalesce(o.name, ''), '', false,
		        CASE WHEN u.outcome IN ('decided', 'under_review') THEN 'shown' ELSE 'nothing' END, '', '', '', '', false
		 FROM lookups u
		 LEFT JOIN organisations o ON o.id = u.organisation_id
		 WHERE u.subject = @subject AND @kind = '' AND u.at <= @at AND (u.at, 'n' || lpad(u.id::text, 19, '0')) < (@at, @mark)
		 ORDER BY u.at DESC, u.id DESC
		 LIMIT @limit)
		UNION ALL
		(SELECT '', f.at, 'r' || lpad(f.id::text, 19, '0'), 'referral', '', o.name, '', false, f.told, '', '', '', '', false
		 FROM tseras_referral_looks f
		 JOIN organisations o ON o.id = f.organisation_id
		 WHERE f.subject = @subject AND @kind = '' AND f.at <= @at AND (f.at, 'r' || lpad(f.id::text, 19, '0')) < (@at, @mark)
		 ORDER BY f.at DESC, f.id DESC
		 LIMIT @limit)
	) rows
	ORDER BY at DESC, mark DESC
	LIMIT @limit`

// OfSubject lists who checked a person's excerpts and, without a kind, which offices looked at the person's entries,
// which institutions at the person before they referred, and who asked for the last result without signing in, the newest first, after a place in the list. The note of an organisation is told, its clerk is not.
func (db *Cabinet) OfSubject(ctx context.Context, subject, kind string, after verifier.Cursor, limit int) ([]verifier.Row, error) {
	at, mark := from(after)
	return list(ctx, db.Pool, sqlOfSubject, pgx.NamedArgs{"subject": subject, "kind": kind, "at": at, "mark": mark, "limit": limit})
}

// The list of whoever asked does not name an excerpt that the citizen withdrew, whenever the check was made.
const selectMade = `
	SELECT c.id, c.at, 'c' || c.id AS mark, c.way, c.sort, '' AS name, coalesce(m.name, k.name, '') AS clerk,
	       false AS own, c.purpose, c.note, c.verdict,
	       CASE WHEN w.excerpt_id IS NULL THEN coalesce(x.kind, '') ELSE '' END AS kind,
	       CASE WHEN w.excerpt_id IS NULL THEN coalesce(x.number, '') ELSE '' END AS number,
	       EXISTS (SELECT FROM revoked_files f WHERE f.excerpt_id = c.excerpt_id AND f.stored_at <= c.at AND f.revoked_at > c.at) AS overtaken
	FROM checks c
	LEFT JOIN excerpts x ON x.id = c.excerpt_id
	LEFT JOIN withdrawals w ON w.excerpt_id = c.excerpt_id
	LEFT JOIN LATERAL (
		SELECT n.name FROM members n
		WHERE n.organisation_id = c.organisation_id AND n.fin = c.member_fin
		ORDER BY n.id DESC
		LIMIT 1) m ON true
	LEFT JOIN api_clients k ON k.id = c.client_id
	WHERE c.at >= @since AND c.at <= @at AND (c.at, 'c' || c.id) < (@at, @mark) AND`

// The list is bounded by c.at alone as well, because an index can follow that and not the pair.
// One statement for each sort of asker, so that each has its index.
const (
	sqlMadeByOrganisation = selectMade + ` c.organisation_id = @organisation` + newestFirst
	sqlMadeByClerk        = selectMade + ` c.organisation_id = @organisation AND c.member_fin = @member` + newestFirst
	sqlMadeByPerson       = selectMade + ` c.sort = 'person' AND c.member_fin = @member` + newestFirst

	newestFirst = `
	ORDER BY c.at DESC, c.id DESC
	LIMIT @limit`
)

// Made lists the checks that somebody signed in has made since a moment, the newest first, after a place in the list:
// a manager his organisation's, a clerk and a private person their own.
func (db *DB) Made(ctx context.Context, by verifier.Asker, since time.Time, after verifier.Cursor, limit int) ([]verifier.Row, error) {
	at, mark := from(after)
	args := pgx.NamedArgs{
		"since": since, "at": at, "mark": mark, "limit": limit, "organisation": by.Organisation, "member": string(by.Member),
	}
	switch {
	case by.Sort == verifier.ByOrganisation && by.Manager:
		return list(ctx, db.Pool, sqlMadeByOrganisation, args)
	case by.Sort == verifier.ByOrganisation:
		return list(ctx, db.Pool, sqlMadeByClerk, args)
	case by.Sort == verifier.ByPerson:
		return list(ctx, db.Pool, sqlMadeByPerson, args)
	default:
		return nil, nil // without a name there is nothing to keep a list by
	}
}

func list(ctx context.Context, pool *pgxpool.Pool, sql string, args pgx.NamedArgs) ([]verifier.Row, error) {
	rows, _ := pool.Query(ctx, sql, args) // the error comes out of Collect
	out, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r verifier.Row, err error) {
		err = row.Scan(&r.ID, &r.At, &r.Mark, &r.Way, &r.Sort, &r.Name, &r.Clerk, &r.Own, &r.Purpose, &r.Note, &r.Verdict, &r.Kind, &r.Number, &r.Overtaken)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("verifierdb: list: %w", err)
	}
	return out, nil
}
