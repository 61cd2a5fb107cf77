package issuerdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
)

// keyRevoked is since when no file of the excerpt x counts, because certificates were revoked; NULL if one does.
const keyRevoked = `SELECT min(k.revoked_at) FROM revoked_files k
	        WHERE k.excerpt_id = x.id AND NOT EXISTS (
	            SELECT FROM excerpt_files g WHERE g.excerpt_id = x.id AND NOT EXISTS (SELECT FROM revoked_files b WHERE b.sha256 = g.sha256))`

// Checks by the subject for himself do not count: he sees those where he made them.
const columnsItem = `
	SELECT i.id, i.request, i.code, i.number, i.kind, i.template, i.lang, i.subject, i.entry_id, i.person_id, i.recipient,
	       i.purpose, i.with_salary, i.valid_until, i.asked_at,
	       e.number AS entry_number, x.issued_at, v.reason AS void_reason, w.withdrawn_at, r.revoked_at, r.reason AS revoke_reason,
	       (` + keyRevoked + `) AS key_revoked_at,
	       (SELECT count(*) FROM checks c
	        WHERE c.excerpt_id = i.id AND NOT (c.sort = 'person' AND c.member_fin = i.subject)) AS checks,
	       ` + standing + `
	FROM intents i
	JOIN entries e ON e.id = i.entry_id
	LEFT JOIN excerpts x ON x.id = i.id
	LEFT JOIN voids v ON v.intent_id = i.id
	LEFT JOIN withdrawals w ON w.excerpt_id = i.id
	LEFT JOIN revocations r ON r.excerpt_id = i.id`

const sqlHistory = columnsItem + `
	WHERE i.subject = @subject AND (@kind::text = '' OR i.kind = @kind) AND (@before::bigint = 0 OR i.id < @before)
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

const sqlItems = columnsItem + `
	WHERE (i.subject, i.number) IN (SELECT * FROM unnest(@subjects::text[], @numbers::text[]))`

// reading is one who looks at an item. What is stored together is looked for together by those who waited.
type reading struct {
	fin    tesdiq.FIN
	number issuer.Number
	item   issuer.Item
	err    error
}

// readTimeout is the longest that a reader waits; the database gives up before.
const readTimeout = 20 * time.Second

var errUnread = errors.New("issuerdb: item: not read")

// Item is one of them. One that is not there or somebody else's is issuer.ErrMissing.
func (c *Cabinet) Item(ctx context.Context, fin tesdiq.FIN, number issuer.Number) (issuer.Item, error) {
	if err := ctx.Err(); err != nil {
		return issuer.Item{}, fmt.Errorf("issuerdb: item: %w", err)
	}
	r := &reading{fin: fin, number: number, err: errUnread}
	ctx = context.WithoutCancel(ctx) // others may read with this one
	c.reading.Do(r, func(batch []*reading) {
		ctx, cancel := context.WithTimeout(ctx, readTimeout)
		defer cancel()
		c.read(ctx, batch)
	})
	return r.item, r.err
}

// read leaves with each of a batch its item or its error.
func (c *Cabinet) read(ctx context.Context, batch []*reading) {
	rows, _ := c.Pool.Query(ctx, sqlItems, pgx.NamedArgs{
		"subjects": each(batch, func(r *reading) string { return string(r.fin) }),
		"numbers":  each(batch, func(r *reading) string { return string(r.number) }),
	})
	items, err := pgx.CollectRows(rows, pgx.RowToStructByName[issuer.Item])
	if refused(err) && len(batch) > 1 {
		for _, r := range batch {
			c.read(ctx, []*reading{r})
		}
		return
	}
	found := make(map[issuer.Number]issuer.Item, len(items))
	for _, item := range items {
		found[item.Number] = item
	}
	for _, r := range batch {
		item, ok := found[r.number]
		switch {
		case err != nil:
			r.err = fmt.Errorf("issuerdb: item: %w", err)
		case !ok || item.Subject != r.fin: // another's number may have been asked for beside its owner's own asking
			r.err = issuer.ErrMissing
		default:
			r.item, r.err = item, nil
		}
	}
}

const sqlFile = `
	SELECT f.sha256, f.bytes
	FROM excerpts x
	JOIN excerpt_files f ON f.excerpt_id = x.id
	WHERE x.number = @number AND x.subject = @subject
	ORDER BY f.stored_at DESC, f.size DESC, f.sha256
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
