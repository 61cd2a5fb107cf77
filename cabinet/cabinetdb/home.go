package cabinetdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
)

// The latest examination that holds: of each object the last version unless it was annulled, and of those the latest.
const sqlExamination = `
	SELECT x.next_from, x.until_day
	FROM entries e
	JOIN examinations x ON x.entry_id = e.id
	WHERE e.book = 'examination' AND e.subject = @fin AND e.act <> 'annul'
	  AND NOT EXISTS (SELECT FROM entries l WHERE l.book = e.book AND l.number = e.number AND l.version > e.version)
	ORDER BY e.effective_on DESC, (SELECT f.id FROM entries f WHERE f.book = e.book AND f.number = e.number AND f.version = 1) DESC
	LIMIT 1`

// In force: issued, neither withdrawn nor revoked, not past its day, its entry (and the person's) neither annulled nor
// followed by a newer one. Checks by the person himself do not count.
const sqlExcerpts = `
	SELECT x.number, x.kind, coalesce(x.statement->>'title', '') AS title, i.recipient, i.purpose, x.valid_until, c.checks, c.last_check
	FROM excerpts x
	JOIN intents i ON i.id = x.id
	JOIN entries e ON e.id = x.entry_id
	CROSS JOIN LATERAL (
		SELECT count(*) AS checks, max(c.at) AS last_check
		FROM checks c
		WHERE c.excerpt_id = x.id AND NOT (c.sort = 'person' AND c.member_fin = x.subject)) c
	WHERE x.subject = @fin AND x.valid_until >= @today
	  AND NOT EXISTS (SELECT FROM withdrawals w WHERE w.excerpt_id = x.id)
	  AND NOT EXISTS (SELECT FROM revocations r WHERE r.excerpt_id = x.id)
	  AND NOT EXISTS (SELECT FROM entries l WHERE l.book = e.book AND l.number = e.number AND (l.act = 'annul' OR l.version > e.version))
	  AND NOT EXISTS (SELECT FROM entries p WHERE p.book = 'person' AND p.number = e.subject AND p.act = 'annul')
	  AND NOT EXISTS (
		SELECT FROM entries l
		WHERE l.book = e.book AND l.chain = e.chain AND l.number <> e.number
		  AND (l.effective_on, (SELECT f.id FROM entries f WHERE f.book = l.book AND f.number = l.number AND f.version = 1))
		    > (e.effective_on, (SELECT f.id FROM entries f WHERE f.book = e.book AND f.number = e.number AND f.version = 1))
		  AND l.act <> 'annul'
		  AND NOT EXISTS (SELECT FROM entries v WHERE v.book = l.book AND v.number = l.number AND v.version > l.version))
	ORDER BY x.issued_at DESC, x.id DESC
	LIMIT 20`

const sqlLately = `
	SELECT
		(SELECT count(*) FROM checks c WHERE c.subject = @fin AND c.at >= @since AND NOT (c.sort = 'person' AND c.member_fin = @fin)),
		(SELECT count(*) FROM looks l WHERE l.subject = @fin AND l.at >= @since)
		+ (SELECT count(*) FROM tseras_referral_looks f WHERE f.subject = @fin AND f.at >= @since)`

// Home reads the first page as of a day, all from one snapshot.
func (db DB) Home(ctx context.Context, fin tesdiq.FIN, today tesdiq.Date) (h cabinet.Home, err error) {
	err = pgx.BeginTxFunc(ctx, db.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"fin": fin, "today": today, "since": today.AddDays(-cabinet.LookBack).Start()}
		err := tx.QueryRow(ctx, sqlExamination, args).Scan(&h.Examination.NextFrom, &h.Examination.Until)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		rows, _ := tx.Query(ctx, sqlExcerpts, args)
		if h.Excerpts, err = pgx.CollectRows(rows, pgx.RowToStructByName[cabinet.Excerpt]); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlLately, args).Scan(&h.Checks, &h.Looks); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sqlUnread, args).Scan(&h.Unread)
	})
	if err != nil {
		return h, fmt.Errorf("cabinetdb: home: %w", err)
	}
	return h, nil
}
