package tserasdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// Institutions are the medical institutions' side: what they referred, who waits for a referral of theirs, and that they do
// not refer. Every statement names the institution: it sees nothing of another's.
type Institutions struct{ Desk }

const sqlReferrals = `
	SELECT c.number, c.state, s.turn, s.began, s.due_by, s.provisional, r.referral
	FROM tseras_referrals r
	JOIN cases c ON c.id = r.case_id
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE r.organisation_id = @institution AND (@number = '' OR r.number = @number) AND (@case = '' OR c.number = @case)
	  AND (cardinality(@states::text[]) = 0 OR c.state = ANY (@states))
	  AND (@before = '' OR (r.received_at, r.case_id) < (
	          SELECT b.received_at, b.case_id FROM tseras_referrals b JOIN cases k ON k.id = b.case_id WHERE b.organisation_id = @institution AND k.number = @before))
	ORDER BY r.received_at DESC, r.case_id DESC
	LIMIT @limit`

// Referrals are the referrals that an institution sent, the newest first, without their results.
func (d Institutions) Referrals(ctx context.Context, from tseras.Institution, s tseras.Sought) ([]tseras.Referred, error) {
	states := []string{}
	for _, state := range s.Progress.States() {
		states = append(states, string(state))
	}
	return d.referrals(ctx, d.Pool, pgx.NamedArgs{
		"institution": from.ID, "number": s.Number, "case": "", "states": states, "before": s.Before, "limit": s.Limit,
	})
}

func (Institutions) referrals(ctx context.Context, q queryer, args pgx.NamedArgs) ([]tseras.Referred, error) {
	rows, _ := q.Query(ctx, sqlReferrals, args) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r tseras.Referred, err error) {
		var state casework.State
		err = row.Scan(&r.Case, &state, &r.Clock.Turn, &r.Clock.Began, &r.Clock.DueBy, &r.Clock.Provisional, &r.Referral)
		r.Progress = tseras.ProgressOf(state)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: referrals: %w", err)
	}
	return all, nil
}

const sqlResult = `
	SELECT c.id, d.package
	FROM cases c
	JOIN tseras_decisions d ON d.case_id = c.id
	WHERE c.number = @case`

const sqlResultLook = `
	INSERT INTO tseras_result_looks (case_id, organisation_id, member, day, at)
	VALUES (@case, @institution, nullif(@member, ''), @day, @now)
	ON CONFLICT DO NOTHING
	RETURNING id`

// resultLookContent is the canonical bytes of a look at a result, to which its ledger line commits.
func resultLookContent(id casework.ID, from tseras.Institution, at time.Time) []byte {
	return []byte(strconv.FormatInt(int64(id), 10) + " " + strconv.FormatInt(from.ID, 10) + " " + string(from.Member) + " " + tseras.Moment(at).String())
}

// Referral is one referral of an institution's, by its case. Where it is decided, what the institution is told of the result
// is with it, and that it looked is written down before, once a day: the person sees it. casework.ErrMissing when it is none
// of the institution's.
func (d Institutions) Referral(ctx context.Context, from tseras.Institution, number string) (r tseras.Referred, err error) {
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		all, err := d.referrals(ctx, tx, pgx.NamedArgs{"institution": from.ID, "number": "", "case": number, "states": []string{}, "before": "", "limit": 1})
		if err != nil {
			return err
		}
		if len(all) == 0 || number == "" {
			return casework.ErrMissing
		}
		if r = all[0]; r.Progress != tseras.WithResult {
			return nil
		}
		r.Result, err = d.told(ctx, tx, from, number)
		return err
	})
	return r, err
}

// told is what an institution is told of a decided case, after its look is written down.
func (d Institutions) told(ctx context.Context, tx pgx.Tx, from tseras.Institution, number string) (*tseras.Told, error) {
	var id casework.ID
	var text []byte
	if err := tx.QueryRow(ctx, sqlResult, pgx.NamedArgs{"case": number}).Scan(&id, &text); err != nil {
		return nil, fmt.Errorf("tserasdb: result: %w", err)
	}
	p, err := criteria.ReadPackage(text)
	if err != nil {
		return nil, err
	}
	var result criteria.Result
	if err := json.Unmarshal(p.Result, &result); err != nil {
		return nil, fmt.Errorf("tserasdb: result: %w", err)
	}
	told := tseras.ToldOf(result)
	now := d.moment()
	var look int64
	switch err := tx.QueryRow(ctx, sqlResultLook, pgx.NamedArgs{
		"case": id, "institution": from.ID, "member": from.Member, "day": tesdiq.DateOf(now), "now": now,
	}).Scan(&look); {
	case errors.Is(err, pgx.ErrNoRows):
		return &told, nil // he has looked today
	case err != nil:
		return nil, fmt.Errorf("tserasdb: look: %w", err)
	}
	line, err := ledger.NewLine(d.Rand, ledger.Look, "result/"+strconv.FormatInt(look, 10), resultLookContent(id, from, now))
	if err != nil {
		return nil, err
	}
	return &told, ledgerdb.Append(ctx, tx, line)
}

// The request of the step at which a case stands now: one of an earlier step is over.
const sqlAwaiting = `
	SELECT c.id, c.number, c.subject, c.opened_at, s.turn, s.began, s.due_by, s.provisional
	FROM tseras_referral_requests q
	JOIN cases c ON c.id = q.case_id AND c.seq = q.seq
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE q.organisation_id = @institution AND c.state = 'awaiting_referral' AND (@case = '' OR c.number = @case)
	  AND (@after = '' OR (s.due_by, c.id) > (
	          SELECT t.due_by, k.id FROM cases k JOIN case_steps t ON t.case_id = k.id AND t.seq = k.seq WHERE k.number = @after))
	ORDER BY s.due_by, c.id
	LIMIT @limit`

// Awaiting are the people who wait for an institution's referral, those due first first; after is the case after which the
// page begins, or "".
func (d Institutions) Awaiting(ctx context.Context, from tseras.Institution, after string, limit int) ([]tseras.Awaited, error) {
	return d.awaiting(ctx, d.Pool, pgx.NamedArgs{"institution": from.ID, "case": "", "after": after, "limit": limit})
}

// Awaited is one of them. casework.ErrMissing when the case does not wait for this institution.
func (d Institutions) Awaited(ctx context.Context, from tseras.Institution, number string) (tseras.Awaited, error) {
	return d.awaited(ctx, d.Pool, from, number)
}

func (d Institutions) awaited(ctx context.Context, q reader, from tseras.Institution, number string) (tseras.Awaited, error) {
	if number == "" {
		return tseras.Awaited{}, casework.ErrMissing
	}
	all, err := d.awaiting(ctx, q, pgx.NamedArgs{"institution": from.ID, "case": number, "after": "", "limit": 1})
	switch {
	case err != nil:
		return tseras.Awaited{}, err
	case len(all) == 0:
		return tseras.Awaited{}, casework.ErrMissing
	}
	return all[0], nil
}

// reader is a pool or a transaction.
type reader interface {
	queryer
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func (Institutions) awaiting(ctx context.Context, q reader, args pgx.NamedArgs) ([]tseras.Awaited, error) {
	rows, _ := q.Query(ctx, sqlAwaiting, args) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a tseras.Awaited, err error) {
		var id casework.ID
		var opened time.Time
		err = row.Scan(&id, &a.Case, &a.Subject, &opened, &a.Clock.Turn, &a.Clock.Began, &a.Clock.DueBy, &a.Clock.Provisional)
		a.Applied = tesdiq.DateOf(opened)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: awaiting: %w", err)
	}
	books := registrydb.Reader{Pool: q}
	for i := range all {
		p, err := books.Person(ctx, all[i].Subject)
		if err != nil {
			return nil, err
		}
		all[i].Name, all[i].Born = p.Name.Full(p.Sex), p.Born
	}
	return all, nil
}

// Check says what is wrong with a referral, and whom it is about, after it is written down that somebody looked. Whether the person has an open
// case it does not tell: that is told whoever signs (Refer).
func (d Institutions) Check(ctx context.Context, from tseras.Institution, r tseras.Referral) (name string, err error) {
	if err := d.guess(ctx, from, r, toldName); err != nil {
		return "", err
	}
	err = pgx.BeginTxFunc(ctx, d.Pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, _, err := referredBefore(ctx, tx, from, r); err != nil { // first: another referral under a number that was used tells nothing of its birth date
			return err
		}
		person, err := personOf(ctx, tx, r, tesdiq.DateOf(d.Now()))
		if err == nil {
			name = person.Name.Full(person.Sex)
		}
		return err
	})
	return name, err
}

const sqlInsertRefusal = `
	INSERT INTO tseras_refusals (case_id, organisation_id, reason, words, member, signed, at)
	VALUES (@case, @institution, @reason, @words, nullif(@member, ''), @signed, @now)`

const sqlRefusal = `
	SELECT c.id
	FROM tseras_refusals f
	JOIN cases c ON c.id = f.case_id
	WHERE c.number = @case AND f.organisation_id = @institution AND f.reason = @reason AND f.words = @words`

// Refuse closes a case that waits for this institution's referral, with the institution's reason, which the person reads.
// The same again gives the case. casework.ErrMissing when the case does not wait for this institution.
func (d Institutions) Refuse(ctx context.Context, from tseras.Institution, r tseras.Refusal, signed string) (c casework.Case, err error) {
	if err := r.Validate().Err(); err != nil {
		return c, err
	}
	args := pgx.NamedArgs{
		"case": r.Case, "institution": from.ID, "reason": r.Reason, "words": r.Words, "member": from.Member, "signed": signed,
	}
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		var id casework.ID
		switch err := tx.QueryRow(ctx, sqlRefusal, args).Scan(&id); {
		case err == nil:
			c, err = caseworkdb.Lock(ctx, tx, id)
			return err
		case !errors.Is(err, pgx.ErrNoRows):
			return fmt.Errorf("tserasdb: refusal: %w", err)
		}
		if c, err = d.lockAwaited(ctx, tx, from, r.Case); err != nil {
			return err
		}
		by := casework.Actor{Part: casework.ByInstitution, Office: from.Name}
		if c, err = d.move(ctx, tx, c, tseras.Declined, "", by, "declined", map[string]string{"Ground": string(r.Reason), "Reason": r.Words}); err != nil {
			return err
		}
		args["case"], args["now"] = c.ID, d.moment()
		if _, err := tx.Exec(ctx, sqlInsertRefusal, args); err != nil {
			return fmt.Errorf("tserasdb: refusal: %w", err)
		}
		return tell(ctx, tx, c, "declined", d.moment())
	})
	return c, err
}

const sqlAwaitedBy = `
	SELECT c.id
	FROM cases c
	JOIN tseras_referral_requests q ON q.case_id = c.id
	WHERE c.number = @case AND q.organisation_id = @institution
	LIMIT 1`

// lockAwaited holds a case that waits for an institution.
func (d Institutions) lockAwaited(ctx context.Context, tx pgx.Tx, from tseras.Institution, number string) (c casework.Case, err error) {
	var id casework.ID
	switch err := tx.QueryRow(ctx, sqlAwaitedBy, pgx.NamedArgs{"case": number, "institution": from.ID}).Scan(&id); {
	case errors.Is(err, pgx.ErrNoRows):
		return c, casework.ErrMissing
	case err != nil:
		return c, fmt.Errorf("tserasdb: awaited: %w", err)
	}
	if c, err = caseworkdb.Lock(ctx, tx, id); err != nil {
		return c, err
	}
	if _, err := d.awaited(ctx, tx, from, number); err != nil {
		if errors.Is(err, casework.ErrMissing) {
			return c, casework.ErrState // it waited for this institution once
		}
		return c, err
	}
	return c, nil
}

const sqlAskInstitutions = `
	INSERT INTO tseras_referral_requests (case_id, seq, organisation_id)
	SELECT a.case_id, a.seq, m.organisation_id
	FROM unnest(@cases::bigint[], @seqs::int[], @codes::text[]) AS a (case_id, seq, code)
	JOIN medical_institutions m ON m.code = a.code
	JOIN organisations o ON o.id = m.organisation_id
	WHERE o.closed_at IS NULL
	RETURNING case_id, organisation_id`

// The institution's managers are told; where there is none, all who act for it.
const sqlWhomToTell = `
	SELECT m.organisation_id, m.fin
	FROM members m
	WHERE m.organisation_id = ANY (@institutions) AND m.ended_at IS NULL
	  AND (m.role = 'manager' OR NOT EXISTS (
	          SELECT FROM members k WHERE k.organisation_id = m.organisation_id AND k.ended_at IS NULL AND k.role = 'manager'))
	ORDER BY m.fin`

// askInstitutions writes down which institutions have to refer after the steps at which cases stand, and tells those who act
// for them, without a name. Where none of ours has the code, nobody is asked.
func (w *writes) askInstitutions(ctx context.Context, tx pgx.Tx) error {
	if len(w.asked) == 0 {
		return nil
	}
	asked := map[casework.ID]int64{}
	var institutions []int64
	var id casework.ID
	var institution int64
	rows, _ := tx.Query(ctx, sqlAskInstitutions, pgx.NamedArgs{ // the error comes out of ForEachRow
		"cases": idsOf(w.asked), "seqs": column(w.asked, func(c casework.Case) int { return c.Seq }), "codes": w.codes,
	})
	_, err := pgx.ForEachRow(rows, []any{&id, &institution}, func() error {
		asked[id], institutions = institution, append(institutions, institution)
		return nil
	})
	if err != nil {
		return fmt.Errorf("tserasdb: ask institutions: %w", err)
	}
	tell := map[int64][]tesdiq.FIN{}
	var fin tesdiq.FIN
	rows, _ = tx.Query(ctx, sqlWhomToTell, pgx.NamedArgs{"institutions": institutions}) // the error comes out of ForEachRow
	_, err = pgx.ForEachRow(rows, []any{&institution, &fin}, func() error {
		tell[institution] = append(tell[institution], fin)
		return nil
	})
	if err != nil {
		return fmt.Errorf("tserasdb: whom to tell: %w", err)
	}
	var all []message.Message
	for _, c := range w.asked {
		for _, fin := range tell[asked[c.ID]] {
			all = append(all, message.Message{
				To: fin, Key: "tseras.message.referral_wanted", Args: map[string]string{"Number": c.Number, "Day": c.Clock.DueBy.String()},
				Link: fmt.Sprintf("/institution/waiting/%s?for=%d", c.Number, asked[c.ID]), At: w.now,
			})
		}
	}
	return message.Send(ctx, tx, all...)
}
