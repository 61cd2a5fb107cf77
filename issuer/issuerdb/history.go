package issuerdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
)

// Checks by the subject for himself do not count: he sees those where he made them.
const columnsItem = `
	SELECT i.id, i.request, i.code, i.number, i.kind, i.template, i.lang, i.subject, i.entry_id, i.person_id, i.recipient,
	       i.purpose, i.with_salary, i.valid_until, i.asked_at,
	       e.number AS entry_number, x.issued_at, v.reason AS void_reason, w.withdrawn_at, r.revoked_at, r.reason AS revoke_reason,
	       (SELECT count(*) FROM checks c
	        WHERE c.excerpt_id = i.id AND NOT (c.sort = 'person' AND c.member_fin = i.subject)) AS checks,
	       ` + standing + `
	FROM intents i
	JOIN entries e ON e.id = i.entry_id
	LEFT JOIN excerpts x ON x.id = i.id
	LEFT JOIN voids v ON v.intent_id = i.id
	LEFT JOIN withdrawals w ON w.excerpt_id = i.id
	LEFT JOIN revocations r ON r.excerpt_id = i.id
	WHERE i.subject = @subject`

const sqlHistory = columnsItem + `
	  AND (@kind::text = '' OR i.kind = @kind) AND (@before::bigint = 0 OR i.id < @before)
	ORDER BY i.id DESC
	LIMIT @limit`

// History is a page of what the person asked for, the newest first: at most limit items with ids below before (0: from
// the newest), of one kind or of all (""). more says whether there are older ones.
func (c *Cabinet) History(ctx context.Context, fin tesdiq.FIN, kind string, before int64, limit int) (items []issuer.Item, more bool, err error) {
	rows, _ := c.Pool.Query(ctx, sqlHistory, pgx.NamedArgs{"subject": fin, "kind": kind, "before": before, "limit": limit + 1})
	items, err = pgx.CollectRows(rows, pgx.RowToStructByName[issuer.Item])
	if err != nil {
		return nil, false, fmt.Errorf("issuerdb: history: %w", err)
	}
	if len(items) > limit {
		return items[:limit], true, nil
	}
	return items, false, nil
}

const sqlItem = columnsItem + `
	  AND i.number = @number`

// Item is one of them. One that is not there or somebody else's is issuer.ErrMissing.
func (c *Cabinet) Item(ctx context.Context, fin tesdiq.FIN, number issuer.Number) (issuer.Item, error) {
	rows, _ := c.Pool.Query(ctx, sqlItem, pgx.NamedArgs{"subject": fin, "number": number})
	item, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[issuer.Item])
	if errors.Is(err, pgx.ErrNoRows) {
		return item, issuer.ErrMissing
	}
	if err != nil {
		return item, fmt.Errorf("issuerdb: item: %w", err)
	}
	return item, nil
}

const sqlFile = `
	SELECT f.sha256, f.bytes
	FROM excerpts x
	JOIN excerpt_files f ON f.excerpt_id = x.id
	WHERE x.number = @number AND x.subject = @subject
	ORDER BY f.stored_at DESC, f.sha256
	LIMIT 1`

// File is the newest version of an excerpt's file, byte for byte as it was stored.
func (c *Cabinet) File(ctx context.Context, fin tesdiq.FIN, number issuer.Number) (f issuer.File, err error) {
	var sum []byte
	err = c.Pool.QueryRow(ctx, sqlFile, pgx.NamedArgs{"number": number, "subject": fin}).Scan(&sum, &f.PDF)
	if errors.Is(err, pgx.ErrNoRows) {
		return f, issuer.ErrMissing
	}
	if err != nil {
		return f, fmt.Errorf("issuerdb: file: %w", err)
	}
	copy(f.SHA256[:], sum)
	return f, nil
}
