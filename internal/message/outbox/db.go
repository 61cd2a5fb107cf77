package outbox

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/internal/message/smpp"
)

// deciding is the advisory lock (of the database) under which it is decided what is sent, and receipts are laid beside what
// they are about: of several senders one does so at a time. What is sent and waited for is not under it. The number means nothing.
const deciding int64 = 0x7465736469715f6f

const sqlDeciding = `SELECT pg_advisory_xact_lock(@lock)`

// decide runs f in a transaction under the lock.
func (s *Sender) decide(ctx context.Context, f func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlDeciding, pgx.NamedArgs{"lock": deciding}); err != nil {
			return err
		}
		return f(tx)
	})
}

// Until @lease the claimed are ours; then whoever looks takes them for left behind by a crash.
const (
	sqlClaimCodes = `
		UPDATE outbox SET due_at = @lease
		WHERE id IN (
			SELECT o.id
			FROM outbox o
			JOIN contacts c ON c.id = o.contact_id
			WHERE o.due_at <= @now AND o.message_id IS NULL AND c.channel <> ALL(@skip::text[])
			ORDER BY o.due_at
			LIMIT @limit)
		RETURNING id`
	sqlClaim = `
		UPDATE outbox SET due_at = @lease
		WHERE id IN (
			SELECT o.id
			FROM outbox o
			JOIN messages m ON m.id = o.message_id
			LEFT JOIN contacts c ON c.id = o.contact_id
			LEFT JOIN LATERAL (SELECT h.channel FROM channel_choices h WHERE h.fin = m.fin ORDER BY h.id DESC LIMIT 1) h ON true
			WHERE o.due_at <= @now AND o.message_id IS NOT NULL AND coalesce(c.channel, h.channel, 'cabinet') <> ALL(@skip::text[])
			ORDER BY o.due_at
			LIMIT @limit)
		RETURNING id`
)

// claim takes what is due, codes first.
func claim(ctx context.Context, tx pgx.Tx, now, lease time.Time, skip []string, limit int) (ids []int64, err error) {
	for _, statement := range []string{sqlClaimCodes, sqlClaim} {
		rows, _ := tx.Query(ctx, statement, pgx.NamedArgs{"now": now, "lease": lease, "skip": skip, "limit": limit - len(ids)})
		found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return nil, fmt.Errorf("outbox: claim: %w", err)
		}
		ids = append(ids, found...)
	}
	return ids, nil
}

const sqlNobody = `
	WITH nobody AS (
		SELECT o.id
		FROM outbox o
		JOIN messages m ON m.id = o.message_id
		LEFT JOIN LATERAL (SELECT h.channel FROM channel_choices h WHERE h.fin = m.fin ORDER BY h.id DESC LIMIT 1) h ON true
		WHERE o.due_at <= @now AND o.message_id IS NOT NULL AND o.contact_id IS NULL AND coalesce(h.channel, 'cabinet') = 'cabinet'
			AND NOT EXISTS (SELECT FROM dispatches d WHERE d.outbox_id = o.id)
		ORDER BY o.due_at
		LIMIT @limit
	), ended AS (
		INSERT INTO outbox_ends (outbox_id, outcome, ended_at)
		SELECT id, 'none', @now FROM nobody
		ON CONFLICT DO NOTHING
	)
	UPDATE outbox SET due_at = NULL
	WHERE id IN (SELECT id FROM nobody)`

// skim ends what nobody wants to hear of besides the cabinet: most messages, so it is done for many at a time.
func (s *Sender) skim(ctx context.Context, tx pgx.Tx, now time.Time, limit int) (n int, err error) {
	tag, err := tx.Exec(ctx, sqlNobody, pgx.NamedArgs{"now": now, "limit": limit})
	if err != nil {
		return 0, fmt.Errorf("outbox: skim: %w", err)
	}
	for range tag.RowsAffected() {
		s.count(tesdiq.CabinetOnly, "end-none")
	}
	return int(tag.RowsAffected()), nil
}

// A choice made after the first part left changes nothing for this message: it goes on to where it began.
const sqlEntries = `
	SELECT o.id, o.message_id IS NULL, o.at, coalesce(m.key, ''), coalesce(m.args, '{}'), coalesce(c.id, 0), coalesce(c.channel, ''), coalesce(c.address, ''),
		CASE WHEN o.contact_id IS NOT NULL THEN c.lang ELSE coalesce(h.lang, c.lang, 'az') END, -- an address that was left keeps its language
		(SELECT count(DISTINCT p.outbox_id)
			FROM contacts k
			JOIN dispatches p ON p.contact_id = k.id
			JOIN outbox q ON q.id = p.outbox_id
			WHERE k.address = c.address AND p.dispatched_at > @yesterday AND q.id <> o.id AND q.message_id IS NOT NULL)
	FROM outbox o
	LEFT JOIN messages m ON m.id = o.message_id
	LEFT JOIN LATERAL (SELECT h.contact_id, h.lang FROM channel_choices h WHERE h.fin = m.fin ORDER BY h.id DESC LIMIT 1) h ON true
	LEFT JOIN LATERAL (SELECT p.contact_id FROM dispatches p WHERE p.outbox_id = o.id ORDER BY p.id LIMIT 1) b ON true
	LEFT JOIN contacts c ON c.id = coalesce(b.contact_id, o.contact_id, h.contact_id)
	WHERE o.id = ANY(@ids::bigint[])
	ORDER BY o.message_id IS NOT NULL, o.id`

const sqlTries = `
	SELECT d.outbox_id, d.id, d.part, d.parts, d.attempt, d.dispatched_at,
		coalesce(bool_or(e.event = 'accepted'), false), coalesce(bool_or(e.event = 'unsent'), false),
		coalesce(bool_or(e.event = 'refused'), false), coalesce(bool_or(e.event = 'unsure'), false)
	FROM dispatches d
	LEFT JOIN dispatch_events e ON e.dispatch_id = d.id
	WHERE d.outbox_id = ANY(@ids::bigint[])
	GROUP BY d.id
	ORDER BY d.id`

// entries reads all that is known of some.
func entries(ctx context.Context, tx pgx.Tx, ids []int64, now time.Time) ([]Entry, error) {
	rows, _ := tx.Query(ctx, sqlEntries, pgx.NamedArgs{"ids": ids, "yesterday": now.Add(-24 * time.Hour)})
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Entry, err error) {
		return e, row.Scan(&e.ID, &e.Code, &e.At, &e.Key, &e.Args, &e.Contact, &e.Channel, &e.Address, &e.Lang, &e.Today)
	})
	if err != nil {
		return nil, fmt.Errorf("outbox: entries: %w", err)
	}
	place := map[int64]*Entry{}
	for i := range found {
		place[found[i].ID] = &found[i]
	}
	rows, _ = tx.Query(ctx, sqlTries, pgx.NamedArgs{"ids": ids})
	var id int64
	var t Try
	_, err = pgx.ForEachRow(rows, []any{&id, &t.Dispatch, &t.Part, &t.Parts, &t.Attempt, &t.At, &t.Accepted, &t.Unsent, &t.Refused, &t.Unsure}, func() error {
		place[id].Tries = append(place[id].Tries, t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("outbox: tries: %w", err)
	}
	return found, nil
}

const (
	sqlEnd = `
		INSERT INTO outbox_ends (outbox_id, outcome, ended_at)
		VALUES (@id, @outcome, @now)
		ON CONFLICT DO NOTHING`
	sqlDue = `
		UPDATE outbox SET due_at = @due
		WHERE id = @id`
	sqlDispatch = `
		INSERT INTO dispatches (outbox_id, contact_id, part, parts, attempt, dispatched_at)
		VALUES (@id, @contact, @part, @parts, @attempt, @now)
		RETURNING id`
	sqlEvent = `
		INSERT INTO dispatch_events (dispatch_id, event, carrier_id, reason, at)
		VALUES (@dispatch, @event, @carrier, @reason, @now)
		ON CONFLICT DO NOTHING`
)

func end(ctx context.Context, tx pgx.Tx, id int64, outcome Outcome, now time.Time) error {
	if _, err := tx.Exec(ctx, sqlEnd, pgx.NamedArgs{"id": id, "outcome": outcome, "now": now}); err != nil {
		return fmt.Errorf("outbox: end: %w", err)
	}
	return due(ctx, tx, id, nil)
}

// due says when to look at an entry again; nil: never.
func due(ctx context.Context, tx pgx.Tx, id int64, at *time.Time) error {
	if _, err := tx.Exec(ctx, sqlDue, pgx.NamedArgs{"id": id, "due": at}); err != nil {
		return fmt.Errorf("outbox: due: %w", err)
	}
	return nil
}

func dispatch(ctx context.Context, tx pgx.Tx, e Entry, part, parts int, now time.Time) (id int64, err error) {
	err = tx.QueryRow(ctx, sqlDispatch, pgx.NamedArgs{"id": e.ID, "contact": e.Contact, "part": part, "parts": parts, "attempt": e.attempt(part), "now": now}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("outbox: dispatch: %w", err)
	}
	return id, nil
}

func event(ctx context.Context, tx pgx.Tx, dispatch int64, kind, carrier, reason string, now time.Time) error {
	_, err := tx.Exec(ctx, sqlEvent, pgx.NamedArgs{"dispatch": dispatch, "event": kind, "carrier": carrier, "reason": reason, "now": now})
	if err != nil {
		return fmt.Errorf("outbox: event: %w", err)
	}
	return nil
}

const (
	sqlCodes = `
		SELECT count(*)
		FROM contact_codes
		WHERE contact_id = @contact`
	sqlCode = `
		INSERT INTO contact_codes (contact_id, n, salt, hash, drawn_at, expires_at)
		VALUES (@contact, @n, @salt, @hash, @now, @expires)`
)

// maxCodes is how many codes one address gets; who needs more gives the address anew.
const maxCodes = 5

// drawCode draws a code of six digits for an address; ok is false when it has had all of its codes.
func (s *Sender) drawCode(ctx context.Context, tx pgx.Tx, contact int64, now time.Time, holds time.Duration) (code string, ok bool, err error) {
	var n int
	if err := tx.QueryRow(ctx, sqlCodes, pgx.NamedArgs{"contact": contact}).Scan(&n); err != nil {
		return "", false, fmt.Errorf("outbox: codes: %w", err)
	}
	if n >= maxCodes {
		return "", false, nil
	}
	number, err := digits(s.Rand)
	if err != nil {
		return "", false, fmt.Errorf("outbox: code: %w", err)
	}
	salt := make([]byte, 16)
	if _, err := io.ReadFull(s.Rand, salt); err != nil {
		return "", false, fmt.Errorf("outbox: code: %w", err)
	}
	hash, err := message.HashCode(number, salt)
	if err != nil {
		return "", false, fmt.Errorf("outbox: code: %w", err)
	}
	_, err = tx.Exec(ctx, sqlCode, pgx.NamedArgs{"contact": contact, "n": n + 1, "salt": salt, "hash": hash, "now": now, "expires": now.Add(holds)})
	if err != nil {
		return "", false, fmt.Errorf("outbox: code: %w", err)
	}
	return number, true, nil
}

// digits draws six decimal digits, each code as likely as any other.
func digits(random io.Reader) (string, error) {
	const codes = 1_000_000
	for {
		var b [4]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", err
		}
		n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
		if n < 1<<32/codes*codes {
			return fmt.Sprintf("%06d", n%codes), nil
		}
	}
}

const (
	sqlReceipt = `
		INSERT INTO receipts (carrier_id, address, reference, event, reason, at)
		VALUES (@carrier, @address, @reference, @event, @reason, @now)
		ON CONFLICT DO NOTHING`

	// What receipts say of what the carrier has taken under their id and for their number.
	sqlMatch = `
		INSERT INTO dispatch_events (dispatch_id, event, reason, at)
		SELECT DISTINCT ON (d.id, r.event) d.id, r.event, r.reason, r.at
		FROM receipts r
		JOIN dispatch_events a ON a.event = 'accepted' AND a.carrier_id = r.carrier_id AND a.carrier_id <> ''
		JOIN dispatches d ON d.id = a.dispatch_id
		JOIN contacts c ON c.id = d.contact_id AND c.address = r.address
		WHERE r.carrier_id = ANY(@carriers::text[]) AND r.at > d.dispatched_at - interval '1 minute' AND r.at < d.dispatched_at + interval '14 days'
		ORDER BY d.id, r.event, r.id
		ON CONFLICT DO NOTHING
		RETURNING event`

	// A receipt whose id nobody told us is about something of which no answer came: what has its reference, or, where the
	// carrier does not say the reference again, the only part for its number, however often it was sent.
	sqlSettle = `
		INSERT INTO dispatch_events (dispatch_id, event, carrier_id, reason, at)
		SELECT DISTINCT ON (d.id) d.id, 'accepted', r.carrier_id, 'receipt', r.at
		FROM contacts c
		JOIN dispatches d ON d.contact_id = c.id AND d.dispatched_at > @since
		JOIN dispatch_events u ON u.dispatch_id = d.id AND u.event = 'unsure'
		JOIN receipts r ON r.address = c.address AND r.at >= d.dispatched_at
		WHERE c.address = ANY(@addresses::text[])
			AND NOT EXISTS (SELECT FROM dispatch_events a WHERE a.dispatch_id = d.id AND a.event = 'accepted')
			AND NOT EXISTS (SELECT FROM dispatch_events a JOIN dispatches p ON p.id = a.dispatch_id JOIN contacts k ON k.id = p.contact_id
				WHERE a.event = 'accepted' AND a.carrier_id = r.carrier_id AND k.address = r.address)
			AND (r.reference = d.id % 65536
				OR r.reference IS NULL AND 1 = (
					SELECT count(DISTINCT (p.outbox_id, p.part))
					FROM contacts k
					JOIN dispatches p ON p.contact_id = k.id AND p.dispatched_at > @since
					JOIN dispatch_events v ON v.dispatch_id = p.id AND v.event = 'unsure'
					WHERE k.address = c.address AND NOT EXISTS (SELECT FROM dispatch_events a WHERE a.dispatch_id = p.id AND a.event = 'accepted')))
		ORDER BY d.id, r.id
		ON CONFLICT DO NOTHING
		RETURNING carrier_id`
)

// Receive keeps a receipt, and lays it beside what it is about. The same receipt again changes nothing.
func (s *Sender) Receive(ctx context.Context, r smpp.Receipt) error {
	err := s.decide(ctx, func(tx pgx.Tx) error {
		var reference *int
		if r.Reference >= 0 {
			reference = &r.Reference
		}
		_, err := tx.Exec(ctx, sqlReceipt, pgx.NamedArgs{"carrier": r.ID, "address": r.To, "reference": reference, "event": string(r.Event), "reason": r.Reason, "now": s.Now()})
		if err != nil {
			return fmt.Errorf("outbox: receipt: %w", err)
		}
		return s.lay(ctx, tx, []string{r.ID}, []string{r.To})
	})
	if err != nil {
		s.Log.WarnContext(ctx, "messages: a receipt was not kept; the centre will say it again", "err", err)
	}
	return err
}

// settleFor is how far back something unsure may be settled by a receipt.
const settleFor = 3 * 24 * time.Hour

// lay puts receipts beside what they are about: by the ids that carriers gave, and for addresses by what is unsure.
func (s *Sender) lay(ctx context.Context, tx pgx.Tx, carriers, addresses []string) error {
	rows, _ := tx.Query(ctx, sqlSettle, pgx.NamedArgs{"addresses": addresses, "since": s.Now().Add(-settleFor)})
	settled, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("outbox: settle: %w", err)
	}
	rows, _ = tx.Query(ctx, sqlMatch, pgx.NamedArgs{"carriers": append(carriers, settled...)})
	events, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("outbox: match: %w", err)
	}
	for range settled {
		s.count(tesdiq.SMS, "settled")
	}
	for _, e := range events {
		s.count(tesdiq.SMS, e)
	}
	return nil
}

const sqlQueue = `
	SELECT count(*), coalesce(min(due_at), @now)
	FROM outbox
	WHERE due_at <= @now`

// Queue is how many messages wait that could have been sent, and since when the oldest of them could.
func (s *Sender) Queue(ctx context.Context) (waiting int, since time.Time, err error) {
	if err := s.Pool.QueryRow(ctx, sqlQueue, pgx.NamedArgs{"now": s.Now()}).Scan(&waiting, &since); err != nil {
		return 0, since, fmt.Errorf("outbox: queue: %w", err)
	}
	return waiting, since, nil
}
