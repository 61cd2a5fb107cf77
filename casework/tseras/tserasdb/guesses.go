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

// guess counts a referral whose birth date is not that of its FIN, or whose FIN is nobody's, and refuses what comes after too many. It is
// written in a transaction of its own, because nothing else of what is refused is kept; one institution's are counted one after the other,
// so that asking at once does not help.
func (d Desk) guess(ctx context.Context, from tseras.Institution, r tseras.Referral) error {
	if fin, err := tesdiq.ParseFIN(string(r.Subject)); err != nil || fin != r.Subject || r.Born.IsZero() {
		return nil //nolint:nilerr // it is refused for what it lacks, and tells nothing of anybody
	}
	now := d.moment()
	args := pgx.NamedArgs{
		"lock": "referral misses " + strconv.FormatInt(from.ID, 10), "institution": from.ID, "number": r.Number, "subject": r.Subject, "member": from.Member,
		"day": tesdiq.DateOf(now), "now": now,
	}
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sqlLockFiling, args); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		var told bool
		if err := tx.QueryRow(ctx, sqlTold, args).Scan(&told); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		if told {
			return nil
		}
		var person, day int
		if err := tx.QueryRow(ctx, sqlMisses, args).Scan(&person, &day); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		if err := tseras.GuessesOn(tesdiq.DateOf(now)).Refusal(person, day, now); err != nil {
			return err
		}
		p, err := registrydb.Reader{Pool: tx}.Person(ctx, r.Subject)
		var unknown *tesdiq.Problem
		switch {
		case err == nil && p.Born == r.Born:
			return nil
		case err != nil && (!errors.As(err, &unknown) || unknown.Kind != tesdiq.NotFound):
			return err
		}
		var id int64
		if err := tx.QueryRow(ctx, sqlMiss, args).Scan(&id); err != nil {
			return fmt.Errorf("tserasdb: guess: %w", err)
		}
		line, err := ledger.NewLine(d.Rand, ledger.Look, "referral-miss/"+strconv.FormatInt(id, 10), missContent(from, r.Subject, now))
		if err != nil {
			return err
		}
		return ledgerdb.Append(ctx, tx, line)
	})
}

// missContent is the canonical bytes of a miss, to which its ledger line commits.
func missContent(from tseras.Institution, subject tesdiq.FIN, at time.Time) []byte {
	return []byte(strconv.FormatInt(from.ID, 10) + " " + string(subject) + " " + string(from.Member) + " " + at.UTC().Format("2006-01-02T15:04:05.000000Z"))
}
