// Package cabinetdb reads what the cabinet's first page, its messages and its roles need.
package cabinetdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
)

// DB reads as the role tesdiq_cabinet.
type DB struct{ Pool *pgxpool.Pool }

// dutiesOf are an organisation's duties now. That a medical institution refers follows from its sort.
const dutiesOf = `
	ARRAY(SELECT d.duty FROM organisation_duties d WHERE d.organisation_id = o.id AND d.ended_at IS NULL
	      UNION ALL SELECT 'referral' WHERE o.sort = 'medical' ORDER BY 1) AS duties`

const sqlMembership = `
	SELECT o.id, o.name, m.role, ` + dutiesOf + `
	FROM members m
	JOIN organisations o ON o.id = m.organisation_id
	WHERE m.fin = @fin AND m.organisation_id = @organisation AND m.ended_at IS NULL AND o.closed_at IS NULL`

// Membership is somebody's current part in an open organisation; else a Problem of kind NotFound, "cabinet.no-member".
func (db DB) Membership(ctx context.Context, fin tesdiq.FIN, organisation int64) (cabinet.Membership, error) {
	return db.membership(ctx, sqlMembership, pgx.NamedArgs{"fin": fin, "organisation": organisation})
}

const sqlMembershipByVOEN = `
	SELECT o.id, o.name, m.role, ` + dutiesOf + `
	FROM members m
	JOIN organisations o ON o.id = m.organisation_id
	WHERE m.fin = @fin AND o.voen = @voen AND m.ended_at IS NULL AND o.closed_at IS NULL`

// MembershipByVOEN is Membership in the organisation with a VÖEN.
func (db DB) MembershipByVOEN(ctx context.Context, fin tesdiq.FIN, voen tesdiq.VOEN) (cabinet.Membership, error) {
	return db.membership(ctx, sqlMembershipByVOEN, pgx.NamedArgs{"fin": fin, "voen": voen})
}

func (db DB) membership(ctx context.Context, sql string, args pgx.NamedArgs) (cabinet.Membership, error) {
	rows, _ := db.Pool.Query(ctx, sql, args)
	m, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[cabinet.Membership])
	if errors.Is(err, pgx.ErrNoRows) {
		return m, tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-member")
	}
	if err != nil {
		return m, fmt.Errorf("cabinetdb: membership: %w", err)
	}
	return m, nil
}

const sqlMemberships = `
	SELECT o.id, o.name, m.role, ` + dutiesOf + `
	FROM members m
	JOIN organisations o ON o.id = m.organisation_id
	WHERE m.fin = @fin AND m.ended_at IS NULL AND o.closed_at IS NULL
	ORDER BY o.name COLLATE "az-x-icu", o.id`

// Memberships are all for which somebody may act now.
func (db DB) Memberships(ctx context.Context, fin tesdiq.FIN) ([]cabinet.Membership, error) {
	rows, _ := db.Pool.Query(ctx, sqlMemberships, pgx.NamedArgs{"fin": fin})
	ms, err := pgx.CollectRows(rows, pgx.RowToStructByName[cabinet.Membership])
	if err != nil {
		return nil, fmt.Errorf("cabinetdb: memberships: %w", err)
	}
	return ms, nil
}

const sqlUnread = `
	SELECT count(*)
	FROM messages
	WHERE fin = @fin AND read_at IS NULL`

// Unread counts the messages that somebody has not read.
func (db DB) Unread(ctx context.Context, fin tesdiq.FIN) (n int, err error) {
	if err := db.Pool.QueryRow(ctx, sqlUnread, pgx.NamedArgs{"fin": fin}).Scan(&n); err != nil {
		return 0, fmt.Errorf("cabinetdb: unread: %w", err)
	}
	return n, nil
}

const sqlMessages = `
	WITH page AS (
		SELECT id, key, args, link, sent_at, read_at
		FROM messages
		WHERE fin = @fin AND (@before::bigint = 0 OR (sent_at, id) < (SELECT b.sent_at, b.id FROM messages b WHERE b.id = @before AND b.fin = @fin))
		ORDER BY sent_at DESC, id DESC
		LIMIT @limit
	)
	SELECT p.id, p.key, p.args, p.link, p.sent_at, p.read_at, o.channel, o.address, o.state, o.at
	FROM page p
	LEFT JOIN outbox_states o ON o.message_id = p.id
	ORDER BY p.sent_at DESC, p.id DESC`

// Messages are at most limit of somebody's messages, the newest first; before is the id of the last one seen, or 0.
func (db DB) Messages(ctx context.Context, fin tesdiq.FIN, before int64, limit int) ([]cabinet.Message, error) {
	rows, _ := db.Pool.Query(ctx, sqlMessages, pgx.NamedArgs{"fin": fin, "before": before, "limit": limit})
	ms, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m cabinet.Message, err error) {
		var channel *tesdiq.Channel
		var address, state *string
		var at *time.Time
		err = row.Scan(&m.ID, &m.Key, &m.Args, &m.Link, &m.SentAt, &m.ReadAt, &channel, &address, &state, &at)
		if err == nil && channel != nil {
			m.Out = &cabinet.Out{Channel: *channel, Address: *address, State: *state, At: *at}
		}
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("cabinetdb: messages: %w", err)
	}
	return ms, nil
}

const sqlRead = `
	UPDATE messages
	SET read_at = coalesce(read_at, @now)
	WHERE id = @id AND fin = @fin
	RETURNING link`

// Read marks a message of somebody's as read, if it was not before, and says where it leads. Another's message is as one
// that does not exist: a Problem of kind NotFound, "cabinet.no-message".
func (db DB) Read(ctx context.Context, fin tesdiq.FIN, id int64, now time.Time) (link string, err error) {
	err = db.Pool.QueryRow(ctx, sqlRead, pgx.NamedArgs{"fin": fin, "id": id, "now": now}).Scan(&link)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-message")
	}
	if err != nil {
		return "", fmt.Errorf("cabinetdb: read: %w", err)
	}
	return link, nil
}

const sqlReadAll = `
	UPDATE messages
	SET read_at = @now
	WHERE fin = @fin AND read_at IS NULL AND id <= @upto`

// ReadAll marks somebody's messages up to an id as read: those that came while he looked stay unread.
func (db DB) ReadAll(ctx context.Context, fin tesdiq.FIN, upto int64, now time.Time) error {
	if _, err := db.Pool.Exec(ctx, sqlReadAll, pgx.NamedArgs{"fin": fin, "upto": upto, "now": now}); err != nil {
		return fmt.Errorf("cabinetdb: read all: %w", err)
	}
	return nil
}
