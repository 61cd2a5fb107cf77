package cabinetdb

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/internal/message"
)

const sqlChoices = `
	SELECT h.channel, coalesce(c.address, '') AS address, h.lang, h.chosen_at
	FROM channel_choices h
	LEFT JOIN contacts c ON c.id = h.contact_id
	WHERE h.fin = @fin
	ORDER BY h.id DESC
	LIMIT 20`

// Choices are the channels that somebody chose, the current one first.
func (db DB) Choices(ctx context.Context, fin tesdiq.FIN) ([]cabinet.Choice, error) {
	rows, _ := db.Pool.Query(ctx, sqlChoices, pgx.NamedArgs{"fin": fin})
	choices, err := pgx.CollectRows(rows, pgx.RowToStructByName[cabinet.Choice])
	if err != nil {
		return nil, fmt.Errorf("cabinetdb: choices: %w", err)
	}
	return choices, nil
}

const sqlContact = `
	SELECT c.id, c.channel, c.address, c.lang, EXISTS (SELECT FROM contact_confirmations k WHERE k.contact_id = c.id) AS confirmed,
		(SELECT count(*) FROM contact_guesses g WHERE g.contact_id = c.id) AS guesses,
		(SELECT count(*) FROM outbox o WHERE o.contact_id = c.id AND o.message_id IS NULL) AS codes
	FROM contacts c
	WHERE c.id = @id AND c.fin = @fin`

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func contact(ctx context.Context, q querier, fin tesdiq.FIN, id int64) (cabinet.Contact, error) {
	rows, _ := q.Query(ctx, sqlContact, pgx.NamedArgs{"id": id, "fin": fin})
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[cabinet.Contact])
	if errors.Is(err, pgx.ErrNoRows) {
		return c, tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-contact")
	}
	if err != nil {
		return c, fmt.Errorf("cabinetdb: contact: %w", err)
	}
	return c, nil
}

// Contact is an address that somebody gave. Another's is as one that does not exist: a Problem of kind NotFound,
// "cabinet.no-contact".
func (db DB) Contact(ctx context.Context, fin tesdiq.FIN, id int64) (cabinet.Contact, error) {
	return contact(ctx, db.Pool, fin, id)
}

const (
	// One person's, and one address's, changes come one after the other.
	sqlLockContact = `SELECT pg_advisory_xact_lock(hashtextextended(k, 0)) FROM unnest(@keys::text[]) AS k ORDER BY k`

	sqlConfirmed = `
		SELECT c.id
		FROM contacts c
		JOIN contact_confirmations k ON k.contact_id = c.id
		WHERE c.fin = @fin AND c.channel = @channel AND c.address = @address
		ORDER BY c.id DESC
		LIMIT 1`

	sqlGive = `
		INSERT INTO contacts (fin, channel, address, lang, given_at)
		VALUES (@fin, @channel, @address, @lang, @now)
		RETURNING id`

	// The codes that were asked for in the last 24 hours, by a person and for an address.
	sqlAsked = `
		SELECT count(*) FILTER (WHERE c.fin = @fin), count(*) FILTER (WHERE c.address = @address)
		FROM contacts c
		JOIN outbox o ON o.contact_id = c.id AND o.message_id IS NULL
		WHERE (c.fin = @fin OR c.address = @address) AND o.at > @yesterday`
)

// Choose makes a channel somebody's. For an address that is not confirmed yet a code is sent first: then id is that of the
// contact, whose code is to be typed; else 0. The problem is "cabinet.codes-asked", of kind TooMany.
func (db DB) Choose(ctx context.Context, fin tesdiq.FIN, channel tesdiq.Channel, address string, lang tesdiq.Lang, now time.Time) (id int64, err error) {
	err = db.changeContact(ctx, fin, address, func(tx pgx.Tx) error {
		if channel == tesdiq.CabinetOnly {
			return choose(ctx, tx, fin, channel, 0, lang, now)
		}
		var known int64
		args := pgx.NamedArgs{"fin": fin, "channel": channel, "address": address, "lang": lang, "now": now}
		switch err := tx.QueryRow(ctx, sqlConfirmed, args).Scan(&known); {
		case err == nil:
			return choose(ctx, tx, fin, channel, known, lang, now)
		case !errors.Is(err, pgx.ErrNoRows):
			return fmt.Errorf("cabinetdb: confirmed: %w", err)
		}
		if err := mayAsk(ctx, tx, fin, address, now); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlGive, args).Scan(&id); err != nil {
			return fmt.Errorf("cabinetdb: give: %w", err)
		}
		return message.SendCode(ctx, tx, id, now)
	})
	return id, err
}

// Again asks for another code for an address that somebody gave. The problems are "cabinet.codes-asked" and "cabinet.no-contact".
func (db DB) Again(ctx context.Context, fin tesdiq.FIN, id int64, now time.Time) error {
	given, err := db.Contact(ctx, fin, id)
	if err != nil {
		return err
	}
	return db.changeContact(ctx, fin, given.Address, func(tx pgx.Tx) error {
		c, err := contact(ctx, tx, fin, id)
		if err != nil || c.Confirmed {
			return err
		}
		if c.Codes >= cabinet.MaxCodes || c.Guesses >= cabinet.MaxGuesses {
			return tesdiq.NewProblem(tesdiq.TooMany, "cabinet.codes-asked")
		}
		if err := mayAsk(ctx, tx, fin, c.Address, now); err != nil {
			return err
		}
		return message.SendCode(ctx, tx, id, now)
	})
}

func (db DB) changeContact(ctx context.Context, fin tesdiq.FIN, address string, change func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockContact, pgx.NamedArgs{"keys": []string{"contact " + string(fin), "contact " + address}}); err != nil {
			return fmt.Errorf("cabinetdb: lock: %w", err)
		}
		return change(tx)
	})
}

func mayAsk(ctx context.Context, tx pgx.Tx, fin tesdiq.FIN, address string, now time.Time) error {
	var person, there int
	err := tx.QueryRow(ctx, sqlAsked, pgx.NamedArgs{"fin": fin, "address": address, "yesterday": now.Add(-24 * time.Hour)}).Scan(&person, &there)
	if err != nil {
		return fmt.Errorf("cabinetdb: asked: %w", err)
	}
	if person >= cabinet.MaxCodesPerson || there >= cabinet.MaxCodesAddress {
		return tesdiq.NewProblem(tesdiq.TooMany, "cabinet.codes-asked")
	}
	return nil
}

const (
	sqlCurrent = `
		SELECT channel, coalesce(contact_id, 0)
		FROM channel_choices
		WHERE fin = @fin
		ORDER BY id DESC
		LIMIT 1`
	sqlChoose = `
		INSERT INTO channel_choices (fin, channel, contact_id, lang, chosen_at)
		VALUES (@fin, @channel, nullif(@contact::bigint, 0), @lang, @now)`
)

// choose writes a choice, and tells of it in the cabinet and at the address that it was before: if it was somebody else who
// chose, the person hears of it.
func choose(ctx context.Context, tx pgx.Tx, fin tesdiq.FIN, channel tesdiq.Channel, contact int64, lang tesdiq.Lang, now time.Time) error {
	var was tesdiq.Channel
	var before int64
	if err := tx.QueryRow(ctx, sqlCurrent, pgx.NamedArgs{"fin": fin}).Scan(&was, &before); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("cabinetdb: current: %w", err)
	}
	_, err := tx.Exec(ctx, sqlChoose, pgx.NamedArgs{"fin": fin, "channel": channel, "contact": contact, "lang": lang, "now": now})
	if err != nil {
		return fmt.Errorf("cabinetdb: choose: %w", err)
	}
	told := message.Message{To: fin, Key: "message.channel", Link: "/cabinet/channel", At: now}
	switch {
	case before == contact && was == channel:
		return nil // only the language, or the same again
	case before != 0:
		return message.SendTo(ctx, tx, told, before)
	}
	return message.Send(ctx, tx, told)
}

const (
	sqlCodes = `
		SELECT salt, hash, expires_at > @now
		FROM contact_codes
		WHERE contact_id = @contact
		ORDER BY n DESC`
	sqlGuess = `
		INSERT INTO contact_guesses (contact_id, n, guessed_at)
		VALUES (@contact, @n, @now)`
	sqlConfirm = `
		INSERT INTO contact_confirmations (contact_id, fin, channel, confirmed_at)
		VALUES (@contact, @fin, @channel, @now)`
)

// Confirm compares a code with those that were sent to an address, and if it is one of them makes the address somebody's
// channel. Each guess counts, and is written down before it is told whether it was right. The problems are "cabinet.no-contact",
// "cabinet.code-wrong" (Left), "cabinet.code-expired" and "cabinet.guesses".
func (db DB) Confirm(ctx context.Context, fin tesdiq.FIN, id int64, code string, now time.Time) error {
	given, err := db.Contact(ctx, fin, id)
	if err != nil {
		return err
	}
	var wrong error // told when the guess is written down
	err = db.changeContact(ctx, fin, given.Address, func(tx pgx.Tx) error {
		c, err := contact(ctx, tx, fin, id)
		if err != nil || c.Confirmed {
			return err
		}
		if c.Guesses >= cabinet.MaxGuesses {
			return tesdiq.NewProblem(tesdiq.TooMany, "cabinet.guesses").In("code")
		}
		if _, err := tx.Exec(ctx, sqlGuess, pgx.NamedArgs{"contact": id, "n": c.Guesses + 1, "now": now}); err != nil {
			return fmt.Errorf("cabinetdb: guess: %w", err)
		}
		right, late, err := matches(ctx, tx, id, code, now)
		switch {
		case err != nil:
			return err
		case late:
			wrong = tesdiq.Invalid("cabinet.code-expired").In("code")
			return nil
		case !right:
			wrong = tesdiq.Invalid("cabinet.code-wrong").In("code").With("Left", cabinet.MaxGuesses-c.Guesses-1)
			return nil
		}
		if _, err := tx.Exec(ctx, sqlConfirm, pgx.NamedArgs{"contact": id, "fin": fin, "channel": c.Channel, "now": now}); err != nil {
			return fmt.Errorf("cabinetdb: confirm: %w", err)
		}
		return choose(ctx, tx, fin, c.Channel, id, c.Lang, now)
	})
	return errors.Join(err, wrong)
}

// matches says whether a code is one that was sent and still holds; late: none of those that were sent holds any more.
func matches(ctx context.Context, tx pgx.Tx, contact int64, code string, now time.Time) (right, late bool, err error) {
	var salt, hash []byte
	var holds bool
	sent, open := 0, 0
	rows, _ := tx.Query(ctx, sqlCodes, pgx.NamedArgs{"contact": contact, "now": now})
	_, err = pgx.ForEachRow(rows, []any{&salt, &hash, &holds}, func() error {
		got, err := message.HashCode(code, salt)
		if err != nil {
			return err
		}
		sent++
		if holds {
			open++
			right = right || subtle.ConstantTimeCompare(got, hash) == 1
		}
		return nil
	})
	if err != nil {
		return false, false, fmt.Errorf("cabinetdb: codes: %w", err)
	}
	return right, sent > 0 && open == 0, nil
}
