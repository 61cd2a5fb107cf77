package tserasdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Bench is the members' side. Its role reads of a case what a commission may see, and has no way from there to the person.
type Bench struct {
	Pool *pgxpool.Pool // as tesdiq_commission
	Now  func() time.Time
	Rand io.Reader // of the ledger lines' keys
}

func (b Bench) moment() time.Time { return b.Now().UTC().Truncate(time.Microsecond) }

const seatColumns = `
	SELECT s.number, s.member_id, s.role, c.state, c.began, c.due_by, c.provisional, c.kind,
	       h.n, h.starts_at, h.ends_at, h.place, EXISTS (SELECT FROM tseras_absences a WHERE a.number = h.number AND a.n = h.n),
	       EXISTS (SELECT FROM tseras_findings f WHERE f.number = s.number AND f.member_id = s.member_id),
	       EXISTS (SELECT FROM tseras_signatures g WHERE g.number = s.number AND g.member_id = s.member_id
	               AND g.n = (SELECT max(p.n) FROM tseras_proposals p WHERE p.number = s.number)),
	       NOT (` + attends + `)
	FROM tseras_seats s
	JOIN commission_members m ON m.id = s.member_id
	JOIN tseras_blind_cases c ON c.number = s.number
	LEFT JOIN tseras_slots_held h ON h.number = s.number AND s.role <> 'further'
	WHERE m.fin = @fin AND m.ended_at IS NULL`

const sqlSeats = seatColumns + `
	  AND (c.state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed') OR s.number IN (
	      SELECT k.number
	      FROM tseras_seats k
	      JOIN commission_members o ON o.id = k.member_id AND o.fin = @fin AND o.ended_at IS NULL
	      JOIN tseras_blind_cases e ON e.number = k.number AND e.state IN ('decided', 'declined', 'withdrawn', 'lapsed')
	      ORDER BY k.seated_at DESC, k.number
	      LIMIT @closed))
	ORDER BY c.due_by, s.number`

// One seat is found by its case: a member has thousands in a year.
const sqlSeat = seatColumns + `
	  AND s.number = @number`

// closedSeats is how many closed cases a member's list has: the latest. In a year they are two thousand (ASSUMPTION: 100,000 cases, 50 commissions).
const closedSeats = 100

const sqlMember = `
	SELECT m.id, k.name
	FROM commission_members m
	JOIN commissions k ON k.id = m.commission_id
	WHERE m.fin = @fin AND m.ended_at IS NULL`

// Member says as whom somebody sits in a commission. casework.ErrMissing when he sits in none.
func (b Bench) Member(ctx context.Context, fin tesdiq.FIN) (id tseras.MemberID, commission string, err error) {
	err = b.Pool.QueryRow(ctx, sqlMember, pgx.NamedArgs{"fin": fin}).Scan(&id, &commission)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", "", casework.ErrMissing
	case err != nil:
		return "", "", fmt.Errorf("tserasdb: member: %w", err)
	}
	return id, commission, nil
}

// Seats are the cases in which a person has a seat, the one due first first; of the closed ones the latest closedSeats.
func (b Bench) Seats(ctx context.Context, fin tesdiq.FIN) ([]tseras.Seat, error) {
	return seats(ctx, b.Pool, sqlSeats, pgx.NamedArgs{"fin": fin, "closed": closedSeats})
}

type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func seats(ctx context.Context, q queryer, sql string, args pgx.NamedArgs) ([]tseras.Seat, error) {
	rows, _ := q.Query(ctx, sql, args) // the error comes out of Collect
	seats, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s tseras.Seat, err error) {
		s.Clock.Turn = casework.Commission
		var n *int
		var starts, ends *time.Time
		var place *string
		var absent bool
		err = row.Scan(&s.Number, &s.Member, &s.Role, &s.State, &s.Clock.Began, &s.Clock.DueBy, &s.Clock.Provisional, &s.Kind,
			&n, &starts, &ends, &place, &absent, &s.Recorded, &s.Signed, &s.Passed)
		if err == nil && n != nil {
			s.Meets = &tseras.Meeting{N: *n, Starts: *starts, Ends: *ends, Place: *place, Absent: absent}
		}
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: seats: %w", err)
	}
	return seats, nil
}

// seat is a person's seat in a case. casework.ErrMissing when there is none, tseras.ErrPassed when he was passed over.
func (b Bench) seat(ctx context.Context, q queryer, fin tesdiq.FIN, number tseras.BlindNumber) (tseras.Seat, error) {
	seats, err := seats(ctx, q, sqlSeat, pgx.NamedArgs{"fin": fin, "number": number})
	switch {
	case err != nil:
		return tseras.Seat{}, err
	case len(seats) != 1:
		return tseras.Seat{}, casework.ErrMissing
	case seats[0].Passed:
		return tseras.Seat{}, tseras.ErrPassed
	}
	return seats[0], nil
}

// What the commission sees that was drawn last.
const sqlBlindOf = `
	SELECT coalesce((SELECT a.referral FROM tseras_blind_anew a WHERE a.number = b.number ORDER BY a.seq DESC LIMIT 1), b.referral)
	FROM tseras_blind b
	WHERE b.number = @number`

const sqlFindingsOf = `SELECT findings FROM tseras_findings WHERE number = @number AND member_id = @member`

const sqlProposalOf = `
	SELECT n, result, digest
	FROM tseras_proposals
	WHERE number = @number
	ORDER BY n DESC
	LIMIT 1`

const sqlLook = `
	INSERT INTO tseras_looks (number, member_id, at)
	VALUES (@number, @member, @now)
	RETURNING id`

// lookContent is the canonical bytes of a look, to which its ledger line commits.
func lookContent(number tseras.BlindNumber, member tseras.MemberID, at time.Time) []byte {
	return []byte(string(number) + " " + string(member) + " " + tseras.Moment(at).String())
}

// Open shows a case to a member who has a seat in it, and writes down that he looked before it is shown. What others
// found he never sees; what the rules made of it, when all have recorded.
func (b Bench) Open(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber) (s tseras.BlindCase, err error) {
	err = pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if s.Seat, err = b.seat(ctx, tx, fin, number); err != nil {
			return err
		}
		now := b.moment()
		args := pgx.NamedArgs{"number": number, "member": s.Member, "now": now}
		var look int64
		if err := tx.QueryRow(ctx, sqlLook, args).Scan(&look); err != nil {
			return fmt.Errorf("tserasdb: look: %w", err)
		}
		if err := tx.QueryRow(ctx, sqlBlindOf, args).Scan(&s.Referral); err != nil {
			return fmt.Errorf("tserasdb: blind referral: %w", err)
		}
		if s.Recorded {
			if err := tx.QueryRow(ctx, sqlFindingsOf, args).Scan(&s.Findings); err != nil {
				return fmt.Errorf("tserasdb: findings: %w", err)
			}
		}
		// A further member finds for himself before he sees what the rules made of the others' findings.
		if s.Recorded && s.State != tseras.Drawn && s.State != tseras.FurtherMember {
			var p tseras.Proposal
			switch err := tx.QueryRow(ctx, sqlProposalOf, args).Scan(&p.N, &p.Result, &p.Digest); {
			case err == nil:
				s.Proposal = &p
			case !errors.Is(err, pgx.ErrNoRows):
				return fmt.Errorf("tserasdb: proposal: %w", err)
			}
		}
		line, err := ledger.NewLine(b.Rand, ledger.Look, "tseras/"+strconv.FormatInt(look, 10), lookContent(number, s.Member, now))
		if err != nil {
			return err
		}
		return ledgerdb.Append(ctx, tx, line)
	})
	return s, err
}

const sqlRecord = `
	INSERT INTO tseras_findings (number, member_id, findings, recorded_at)
	VALUES (@number, @member, @findings, @now)`

// Record writes down what a member found, once; the same again changes nothing. ErrState when it is not his turn, or when he has recorded
// something else already; what is wrong with the findings comes as Problems.
func (b Bench) Record(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, found criteria.Findings) error {
	err := pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if err := lockSeats(ctx, tx, number); err != nil {
			return err
		}
		s, err := b.seat(ctx, tx, fin, number)
		if err != nil {
			return err
		}
		if s.Recorded {
			return sameAgain(ctx, tx, s, found)
		}
		if s.State != tseras.Drawn && s.State != tseras.FurtherMember || s.Meets != nil && s.Meets.Absent {
			return casework.ErrState
		}
		if s.Waits(b.moment()) {
			return tseras.ErrEarly
		}
		var r tseras.BlindReferral
		if err := tx.QueryRow(ctx, sqlBlindOf, pgx.NamedArgs{"number": number}).Scan(&r); err != nil {
			return fmt.Errorf("tserasdb: blind referral: %w", err)
		}
		if err := tseras.CheckFindings(found, r.Age, tesdiq.DateOf(b.moment())); err != nil {
			return err
		}
		text, err := textOf(found)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlRecord, pgx.NamedArgs{"number": number, "member": s.Member, "findings": text, "now": b.moment()}); err != nil {
			return fmt.Errorf("tserasdb: record: %w", err)
		}
		line, err := ledger.NewLine(b.Rand, ledger.Finding, string(number)+"/"+string(s.Member), []byte(text))
		if err != nil {
			return err
		}
		return ledgerdb.Append(ctx, tx, line)
	})
	return once(err)
}

// sameAgain is nil where a member sends once more what he has recorded: the second of two clicks.
func sameAgain(ctx context.Context, tx pgx.Tx, s tseras.Seat, found criteria.Findings) error {
	var before criteria.Findings
	if err := tx.QueryRow(ctx, sqlFindingsOf, pgx.NamedArgs{"number": s.Number, "member": s.Member}).Scan(&before); err != nil {
		return fmt.Errorf("tserasdb: findings: %w", err)
	}
	if !before.Same(found) {
		return casework.ErrState
	}
	return nil
}

const sqlSign = `
	INSERT INTO tseras_signatures (number, n, member_id, signs, reason, explains, evidence, signed_at)
	VALUES (@number, @n, @member, @signs, @reason, @explains, @evidence, @now)`

// Sign writes down a member's word on the latest proposal, once. Chair and further member must explain a result that differs from last
// time's by the same findings: "tseras.explains.missing".
func (b Bench) Sign(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, w tseras.Word) error {
	err := pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if err := lockSeats(ctx, tx, number); err != nil {
			return err
		}
		s, err := b.seat(ctx, tx, fin, number)
		if err != nil {
			return err
		}
		var p tseras.Proposal
		if s.State != tseras.Signing || s.Signed {
			return casework.ErrState
		}
		if err := tx.QueryRow(ctx, sqlProposalOf, pgx.NamedArgs{"number": number}).Scan(&p.N, &p.Result, &p.Digest); err != nil {
			return fmt.Errorf("tserasdb: proposal: %w", err)
		}
		if p.N != w.N {
			return casework.ErrState
		}
		var ps tesdiq.Problems
		ps.Add("reason", tesdiq.CheckText(w.Reason, maxReason, !w.Signs))
		ps.Add("explains", tesdiq.CheckText(w.Explains, maxReason, false))
		if w.Signs && w.Reason != "" {
			ps.Add("reason", tesdiq.Invalid("tseras.reason.unwanted"))
		}
		if w.Signs && s.Explains() && p.Result.Differs && w.Explains == "" {
			ps.Add("explains", tesdiq.Invalid("tseras.explains.missing"))
		}
		if err := ps.Err(); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlSign, pgx.NamedArgs{"number": number, "n": w.N, "member": s.Member, "signs": w.Signs, "reason": w.Reason,
			"explains": w.Explains, "evidence": w.Evidence, "now": b.moment()})
		if err != nil {
			return fmt.Errorf("tserasdb: sign: %w", err)
		}
		line, err := ledger.NewLine(b.Rand, ledger.Finding, string(number)+"/"+string(s.Member)+"/"+strconv.Itoa(w.N), append(p.Digest, strconv.FormatBool(w.Signs)+w.Reason...))
		if err != nil {
			return err
		}
		return ledgerdb.Append(ctx, tx, line)
	})
	return once(err)
}

const sqlExtend = `
	INSERT INTO tseras_extensions (number, member_id, reason, asked_at)
	VALUES (@number, @member, @reason, @now)`

// Extend asks for the longer term, which only the chair may, once and while the commission records. A chair whose commission was passed over asks no more.
func (b Bench) Extend(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, reason string) error {
	if err := tesdiq.CheckText(reason, maxReason, true); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if err := lockSeats(ctx, tx, number); err != nil {
			return err
		}
		s, err := b.seat(ctx, tx, fin, number)
		switch {
		case err != nil:
			return err
		case s.Role != tseras.Chair:
			return tesdiq.NewProblem(tesdiq.Forbidden, "tseras.chair_only")
		case s.Kind == tseras.Appeal:
			return casework.ErrState // its term is longer already, and the person has a day
		case s.State != tseras.Drawn:
			return casework.ErrState
		}
		_, err = tx.Exec(ctx, sqlExtend, pgx.NamedArgs{"number": number, "member": s.Member, "reason": reason, "now": b.moment()})
		if err != nil {
			return fmt.Errorf("tserasdb: extend: %w", err)
		}
		return nil
	})
	return once(err)
}

// One decides at a time whether the person was there, and whether a member is silent: the member who records what he found or says his word,
// the chair who says that nobody came or asks for the longer term, or the program that passes members over. The role may change nothing that could be locked, so it is a lock by the case's number.
const sqlLockSeats = `SELECT pg_advisory_xact_lock(hashtextextended('tseras seats ' || @number, 0))`

func lockSeats(ctx context.Context, tx pgx.Tx, number tseras.BlindNumber) error {
	if _, err := tx.Exec(ctx, sqlLockSeats, pgx.NamedArgs{"number": number}); err != nil {
		return fmt.Errorf("tserasdb: seats: %w", err)
	}
	return nil
}

const sqlAnyFindings = `SELECT EXISTS (SELECT FROM tseras_findings WHERE number = @number)`

const sqlAbsent = `
	INSERT INTO tseras_absences (number, n, member_id, said_at)
	VALUES (@number, @n, @member, @now)`

// Absent says of an appeal that the person did not come to the n-th slot, which only the chair may, when the slot is over and
// nobody has recorded what he found: twice said, it ends the appeal.
func (b Bench) Absent(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, n int) error {
	err := pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if err := lockSeats(ctx, tx, number); err != nil {
			return err
		}
		s, err := b.seat(ctx, tx, fin, number)
		switch {
		case err != nil:
			return err
		case s.Role != tseras.Chair:
			return tesdiq.NewProblem(tesdiq.Forbidden, "tseras.chair_only")
		case s.State != tseras.Drawn || s.Meets == nil || s.Meets.N != n || s.Meets.Absent:
			return casework.ErrState
		case !s.Over(b.moment()):
			return tseras.ErrGoesOn
		}
		var found bool
		args := pgx.NamedArgs{"number": number, "n": n, "member": s.Member, "now": b.moment()}
		if err := tx.QueryRow(ctx, sqlAnyFindings, args).Scan(&found); err != nil {
			return fmt.Errorf("tserasdb: absent: %w", err)
		}
		if found {
			return casework.ErrState
		}
		if _, err := tx.Exec(ctx, sqlAbsent, args); err != nil {
			return fmt.Errorf("tserasdb: absent: %w", err)
		}
		return nil
	})
	return once(err)
}

// once makes of what was written already what it is for the person: not his turn any more.
func once(err error) error {
	var failed *pgconn.PgError
	if errors.As(err, &failed) && failed.Code == uniqueViolation {
		return casework.ErrState
	}
	return err
}
