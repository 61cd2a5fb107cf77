package tserasdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// Nothing is told of a birth date where the number was used before: that referral is the same, or another is refused for its number. Of who
// waits for the institution it knows the birth date from its list.
const sqlTold = `
	SELECT EXISTS (SELECT FROM tseras_referrals WHERE organisation_id = @institution AND number = @number)
	    OR EXISTS (SELECT FROM tseras_referral_requests q JOIN cases c ON c.id = q.case_id AND c.seq = q.seq
	               WHERE q.organisation_id = @institution AND c.subject = @subject AND c.state = 'awaiting_referral')`

const sqlMisses = `
	SELECT count(*) FILTER (WHERE subject = @subject), count(*)
	FROM tseras_referral_misses
	WHERE organisation_id = @institution AND day = @day`

const sqlMiss = `
	INSERT INTO tseras_referral_misses (organisation_id, subject, member, day, at)
	VALUES (@institution, @subject, nullif(@member, ''), @day, @now)
	RETURNING id`

// What somebody is told of a person by a referral that is not taken yet, or not taken.
const (
	toldName = "name" // who it is, by Check
	toldOpen = "open" // that he has an open case, by Refer
)

// Of how many others somebody, and all of his institution, learned something today without referring them.
const sqlOthersLooked = `
	SELECT count(DISTINCT l.subject) FILTER (WHERE l.member = @member), count(DISTINCT l.subject)
	FROM tseras_referral_looks l
	WHERE l.organisation_id = @institution AND l.day = @day AND l.subject <> @subject
	  AND NOT EXISTS (
	          SELECT FROM tseras_referrals r JOIN cases c ON c.id = r.case_id
	          WHERE r.organisation_id = l.organisation_id AND c.subject = l.subject AND r.received_at >= @since)`

const sqlReferralLook = `
	INSERT INTO tseras_referral_looks (organisation_id, subject, member, told, day, at)
	VALUES (@institution, @subject, nullif(@member, ''), @told, @day, @now)
	ON CONFLICT DO NOTHING
	RETURNING id`

// Whether a referral of a person would be refused because of an open case, be it an assessment or an appeal: the index cases_one_assessment has the same states.
const sqlRefused = `
	SELECT EXISTS (
		SELECT FROM cases
		WHERE subject = @subject AND kind IN ('assessment', 'appeal') AND state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed', 'awaiting_referral'))`

// guess is asked before anything of a referral is compared with anybody's data. It counts one whose birth date is not that of its FIN, or whose FIN
// is nobody's, and refuses what comes after too many; and writes down that the person was looked at, where what is told tells something of him:
// the name, or that he has an open case. It is written in a transaction of its own, because nothing else of what is refused is kept; one
// institution's are counted one after the other, so that asking at once does not help.
func (d Desk) guess(ctx context.Context, from tseras.Institution, r tseras.Referral, told string) error {
	now := d.moment()
	day := tesdiq.DateOf(now)
	if len(r.Validate(day, r.Born)) > 0 {
		return nil // it is refused for what is wrong with itself, and tells nothing of anybody
	}
	args := pgx.NamedArgs{
		"lock": "referral misses " + strconv.FormatInt(from.ID, 10), "institution": from.ID, "number": r.Number, "subject": r.Subject, "member": from.Member,
		"told": told, "day": day, "since": day.Start(), "now": now,
	}
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockFiling, args); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		var nothing bool
		if err := tx.QueryRow(ctx, sqlTold, args).Scan(&nothing); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		if nothing {
			return nil
		}
		var person, misses, member, institution int
		if err := tx.QueryRow(ctx, sqlMisses, args).Scan(&person, &misses); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		if err := tx.QueryRow(ctx, sqlOthersLooked, args).Scan(&member, &institution); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		limits := tseras.GuessesOn(day)
		if err := limits.Refusal(person, misses, now); err != nil {
			return err
		}
		if err := limits.LookRefusal(member, institution, now); err != nil {
			return err
		}
		p, err := registrydb.Reader{Pool: tx}.Person(ctx, r.Subject)
		var unknown *tesdiq.Problem
		switch {
		case err == nil && p.Born == r.Born:
			return d.lookedAt(ctx, tx, from, r, args)
		case err != nil && (!errors.As(err, &unknown) || unknown.Kind != tesdiq.NotFound):
			return err
		}
		return d.written(ctx, tx, sqlMiss, args, "referral-miss/", missContent(from, r.Subject, now))
	})
}

// lookedAt writes down that a person was looked at, once a day for each who looks.
func (d Desk) lookedAt(ctx context.Context, tx pgx.Tx, from tseras.Institution, r tseras.Referral, args pgx.NamedArgs) error {
	told, _ := args["told"].(string)
	if told == toldOpen {
		var refused bool
		if err := tx.QueryRow(ctx, sqlRefused, args).Scan(&refused); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		if !refused {
			return nil // it is taken, and the case tells
		}
	}
	now, _ := args["now"].(time.Time)
	return d.written(ctx, tx, sqlReferralLook, args, "referral-look/", referralLookContent(from, r.Subject, told, now))
}

// written writes a row with its ledger line; a row that is there already has its own.
func (d Desk) written(ctx context.Context, tx pgx.Tx, insert string, args pgx.NamedArgs, object string, content []byte) error {
	var id int64
	switch err := tx.QueryRow(ctx, insert, args).Scan(&id); {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("tserasdb: guess: %w", err)
	}
	line, err := ledger.NewLine(d.Rand, ledger.Look, object+strconv.FormatInt(id, 10), content)
	if err != nil {
		return err
	}
	return ledgerdb.Append(ctx, tx, line)
}

// referralLookContent is the canonical bytes of a look at a person, to which its ledger line commits.
func referralLookContent(from tseras.Institution, subject tesdiq.FIN, told string, at time.Time) []byte {
	return []byte(strconv.FormatInt(from.ID, 10) + " " + string(subject) + " " + string(from.Member) + " " + told + " " + tseras.Moment(at).String())
}

// missContent is the canonical bytes of a miss, to which its ledger line commits.
func missContent(from tseras.Institution, subject tesdiq.FIN, at time.Time) []byte {
	return []byte(strconv.FormatInt(from.ID, 10) + " " + string(subject) + " " + string(from.Member) + " " + tseras.Moment(at).String())
}
