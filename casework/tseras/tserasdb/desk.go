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
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// Desk takes what people and institutions bring: applications, referrals, withdrawals; and shows a person his cases.
type Desk struct {
	Pool     *pgxpool.Pool // as tesdiq_casework
	Calendar *tesdiq.Calendar
	Now      func() time.Time
	Rand     io.Reader // of the ledger lines' keys
}

// moment is now, as the database keeps it.
func (d Desk) moment() time.Time { return d.Now().UTC().Truncate(time.Microsecond) }

// Apply opens an assessment of a person, who asks himself or through a clerk. key is the form's own: the same form sent
// twice is one case. Who has an open one gets casework.ErrOpen; who is not in the book of persons "entry.unknown"; who has opened too many today tseras.ErrOften.
func (d Desk) Apply(ctx context.Context, subject tesdiq.FIN, by casework.Actor, key string) (c casework.Case, err error) {
	err = d.again(ctx, func(tx pgx.Tx) error {
		c, _, err = d.open(ctx, tx, subject, by, "applied", "subject:"+string(subject)+":"+key)
		return err
	})
	return c, err
}

// again opens a case. Of requests that come at the same moment one is written, and the others are refused because the person has an open
// case then; whether it is their own is seen by asking once more.
func (d Desk) again(ctx context.Context, open func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, d.Pool, open)
	if taken(err) {
		err = pgx.BeginFunc(ctx, d.Pool, open)
	}
	var failed *pgconn.PgError
	if errors.As(err, &failed) && taken(err) {
		return casework.ErrOpen
	}
	return err
}

// taken says whether somebody else was faster.
func taken(err error) bool {
	var failed *pgconn.PgError
	return errors.Is(err, casework.ErrOpen) || errors.Is(err, errOpenCase) || errors.Is(err, errGathering) || errors.As(err, &failed) && failed.Code == uniqueViolation
}

// open opens a case, tells the person, and says whether it is a new one.
func (d Desk) open(ctx context.Context, tx pgx.Tx, subject tesdiq.FIN, by casework.Actor, what, request string) (casework.Case, bool, error) {
	if _, err := (registrydb.Reader{Pool: tx}).Person(ctx, subject); err != nil {
		return casework.Case{}, false, err
	}
	now := d.moment()
	head := casework.Case{Head: casework.Head{Procedure: tseras.Procedure, Kind: tseras.Assessment, Subject: subject, LawOn: tesdiq.DateOf(now)}}
	c, step, err := d.step(head, tseras.Gathering, "", by, what, nil, now)
	if err != nil {
		return c, false, err
	}
	c, fresh, err := caseworkdb.Open(ctx, tx, d.Rand, c, step, request)
	if err != nil || !fresh {
		return c, fresh, err
	}
	if err := often(ctx, tx, subject, by, now); err != nil {
		return c, false, err
	}
	return c, true, tellOf(ctx, tx, c, by, what, now)
}

const sqlOpenedLately = `
	SELECT count(*)
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = 1
	WHERE c.subject = @subject AND c.opened_at > @since AND s.part = @part`

// often is asked once a case is opened: tseras.ErrOften when the person, or clerks for him, have opened too many, this one among them.
func often(ctx context.Context, tx pgx.Tx, subject tesdiq.FIN, by casework.Actor, now time.Time) error {
	if by.Part != casework.BySubject && by.Part != casework.ByClerk {
		return nil
	}
	var n int
	if err := tx.QueryRow(ctx, sqlOpenedLately, pgx.NamedArgs{"subject": subject, "since": now.Add(-24 * time.Hour), "part": by.Part}).Scan(&n); err != nil {
		return fmt.Errorf("tserasdb: opened lately: %w", err)
	}
	if n > tseras.OpensPerDay {
		return tseras.ErrOften
	}
	return nil
}

// step is a move with the clock of the state that it leads to.
func (d Desk) step(c casework.Case, to casework.State, variant string, by casework.Actor, what string, args map[string]string, now time.Time) (casework.Case, casework.Step, error) {
	clock, err := casework.Clocks().Start(d.Calendar, c, to, variant, tesdiq.DateOf(now))
	if err != nil {
		return c, casework.Step{}, err
	}
	return tseras.Machine.Move(c, to, by, what, args, clock, now)
}

// move writes a step of a case that the transaction holds.
func (d Desk) move(ctx context.Context, tx pgx.Tx, c casework.Case, to casework.State, variant string, by casework.Actor, what string, args map[string]string) (casework.Case, error) {
	after, step, err := d.step(c, to, variant, by, what, args, d.moment())
	if err != nil {
		return c, err
	}
	return after, caseworkdb.Write(ctx, tx, d.Rand, tseras.Procedure, caseworkdb.Moved{Case: after, Step: step})
}

// tell leaves a message about a case's step with the person. It names neither diagnosis nor degree.
func tell(ctx context.Context, tx pgx.Tx, c casework.Case, what string, now time.Time) error {
	return message.Send(ctx, tx, noteOf(c, what, now))
}

func noteOf(c casework.Case, what string, now time.Time) message.Message {
	return message.Message{
		To: c.Subject, Key: "tseras.message." + what, Args: map[string]string{"Number": c.Number}, Link: "/cabinet/cases/" + c.Number, At: now, Aloud: true,
	}
}

// tellOf is tell of a step that a clerk may have done for the person: then it says so, and which office's he is.
func tellOf(ctx context.Context, tx pgx.Tx, c casework.Case, by casework.Actor, what string, now time.Time) error {
	if by.Part != casework.ByClerk {
		return tell(ctx, tx, c, what, now)
	}
	return message.Send(ctx, tx, message.Message{
		To: c.Subject, Key: "filing.message." + what, Args: map[string]string{"Number": c.Number, "Office": by.Office}, Link: "/cabinet/cases/" + c.Number,
		At: now, Aloud: true,
	})
}

const sqlInstitution = `
	SELECT o.name, m.district
	FROM medical_institutions m
	JOIN organisations o ON o.id = m.organisation_id
	WHERE m.organisation_id = @id AND o.closed_at IS NULL`

// Institution finds an open medical institution by its organisation's ID. casework.ErrMissing when it is none.
func (d Desk) Institution(ctx context.Context, id int64) (tseras.Institution, error) {
	i := tseras.Institution{ID: id}
	err := d.Pool.QueryRow(ctx, sqlInstitution, pgx.NamedArgs{"id": id}).Scan(&i.Name, &i.District)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return i, casework.ErrMissing
	case err != nil:
		return i, fmt.Errorf("tserasdb: institution: %w", err)
	}
	return i, nil
}

const sqlOpenCase = `
	SELECT id
	FROM cases
	WHERE subject = @subject AND kind = 'assessment' AND state NOT IN ('decided', 'declined', 'withdrawn')`

const sqlReferred = `
	SELECT r.case_id, r.referral
	FROM tseras_referrals r
	WHERE r.organisation_id = @institution AND r.number = @number`

const sqlInsertReferral = `
	INSERT INTO tseras_referrals (case_id, organisation_id, district, number, referral, member, signed, received_at)
	VALUES (@case, @institution, @district, @number, @referral, nullif(@member, ''), @signed, @now)`

const uniqueViolation = "23505"

// Refer takes a referral, which from signed. It opens a case, or goes to the one that waits for it; the same referral
// again gives its case. A person with another open case that waits for none is a Conflict, "tseras.referral.open", which is written down
// as a look before it is told; too many of these, or too many wrong birth dates, are of kind TooMany (tseras.Guesses).
func (d Desk) Refer(ctx context.Context, from tseras.Institution, r tseras.Referral, signed string) (c casework.Case, err error) {
	if err := d.guess(ctx, from, r, toldOpen); err != nil {
		return c, err
	}
	err = d.again(ctx, func(tx pgx.Tx) error {
		c, err = d.refer(ctx, tx, from, r, signed)
		return err
	})
	if errors.Is(err, casework.ErrOpen) {
		err = errOpenCase
	}
	if errors.Is(err, errOpenCase) || errors.Is(err, errGathering) { // it may have been opened after the look was to be written
		if failed := d.guess(ctx, from, r, toldOpen); failed != nil {
			err = failed
		}
	}
	return c, err
}

// errOpenCase: the person is in another case, which waits for no referral.
var errOpenCase = tesdiq.NewProblem(tesdiq.Conflict, "tseras.referral.open").In("subject")

// errGathering: the person's registers are being asked; whether a referral is wanted will be seen by what they say.
var errGathering = tesdiq.NewProblem(tesdiq.Conflict, "tseras.referral.gathering").In("subject")

// notAwaited is why an open case takes no referral.
func notAwaited(c casework.Case) error {
	if c.State == tseras.Gathering {
		return errGathering
	}
	return errOpenCase
}

// referredBefore is the case of a referral that an institution has sent before under the same number. Another referral under
// that number is a Conflict, "tseras.referral.number".
func referredBefore(ctx context.Context, tx pgx.Tx, from tseras.Institution, r tseras.Referral) (id casework.ID, known bool, err error) {
	var before tseras.Referral
	switch err := tx.QueryRow(ctx, sqlReferred, pgx.NamedArgs{"institution": from.ID, "number": r.Number}).Scan(&id, &before); {
	case errors.Is(err, pgx.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("tserasdb: refer: %w", err)
	}
	was, err := textOf(before)
	if err != nil {
		return 0, false, err
	}
	if is, err := textOf(r); err != nil || is != was {
		return 0, false, errors.Join(err, tesdiq.NewProblem(tesdiq.Conflict, "tseras.referral.number").In("number"))
	}
	return id, true, nil
}

// personOf is whom a referral is about, if nothing is wrong with it on a day. What is wrong with itself is told first, and before anybody is looked
// for: else a referral that is always refused would tell whether its birth date is right. Whether there is such a person is told as a field's
// problem, like the rest.
func personOf(ctx context.Context, tx pgx.Tx, r tseras.Referral, today tesdiq.Date) (person.Entry, error) {
	if ps := r.Validate(today, r.Born); len(ps) > 0 {
		return person.Entry{}, ps.Err()
	}
	p, err := registrydb.Reader{Pool: tx}.Person(ctx, r.Subject)
	var unknown *tesdiq.Problem
	if err != nil && (!errors.As(err, &unknown) || unknown.Kind != tesdiq.NotFound) {
		return p, err
	}
	if unknown != nil {
		return p, inField(tesdiq.Invalid("tseras.referral.nobody"), "subject")
	}
	return p, r.Validate(today, p.Born).Err()
}

func (d Desk) refer(ctx context.Context, tx pgx.Tx, from tseras.Institution, r tseras.Referral, signed string) (casework.Case, error) {
	id, known, err := referredBefore(ctx, tx, from, r)
	if err != nil {
		return casework.Case{}, err
	}
	if known {
		return caseworkdb.Lock(ctx, tx, id)
	}
	now := d.moment()
	if _, err := personOf(ctx, tx, r, tesdiq.DateOf(now)); err != nil {
		return casework.Case{}, err
	}
	by := casework.Actor{Part: casework.ByInstitution, Office: from.Name}
	var c casework.Case
	switch err := tx.QueryRow(ctx, sqlOpenCase, pgx.NamedArgs{"subject": r.Subject}).Scan(&id); {
	case errors.Is(err, pgx.ErrNoRows):
		request := "institution:" + strconv.FormatInt(from.ID, 10) + ":" + r.Number
		if c, _, err = d.open(ctx, tx, r.Subject, by, "referred", request); err != nil {
			return c, err
		}
	case err != nil:
		return c, fmt.Errorf("tserasdb: refer: %w", err)
	default:
		if c, err = caseworkdb.Lock(ctx, tx, id); err != nil {
			return c, err
		}
		if c.State != tseras.AwaitingReferral {
			return c, notAwaited(c)
		}
		if c, err = d.move(ctx, tx, c, tseras.Gathering, "", by, "referred", nil); err != nil {
			return c, err
		}
		if err := tell(ctx, tx, c, "referred", now); err != nil {
			return c, err
		}
	}
	_, err = tx.Exec(ctx, sqlInsertReferral, pgx.NamedArgs{
		"case": c.ID, "institution": from.ID, "district": from.District, "number": r.Number, "referral": r,
		"member": from.Member, "signed": signed, "now": now,
	})
	if err != nil {
		return c, fmt.Errorf("tserasdb: refer: %w", err)
	}
	return c, nil
}

// maxReason is how many letters a reason may have.
const maxReason = 500

// Withdraw takes a person's application, appeal or correction back, and tells him. casework.ErrMissing of a programme, which he declines.
func (d Desk) Withdraw(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		c, err := caseworkdb.ByNumber(ctx, tx, subject, number)
		if err != nil {
			return err
		}
		if c, err = caseworkdb.Lock(ctx, tx, c.ID); err != nil {
			return err
		}
		if c.Kind == tseras.Programme {
			return casework.ErrMissing
		}
		if c.Kind == tseras.Appeal && c.State == tseras.Drawn {
			if err := d.giveBack(ctx, tx, c); err != nil {
				return err
			}
		}
		if c, err = d.move(ctx, tx, c, tseras.Withdrawn, "", by, "withdrawn", nil); err != nil {
			return err
		}
		if c.Kind == tseras.Appeal && by.Part != casework.ByClerk {
			return tellAppeal(ctx, tx, c, "withdrawn", nil, d.moment())
		}
		return tellOf(ctx, tx, c, by, "withdrawn", d.moment())
	})
}

// DeclineProgramme ends a programme that the person does not want. Again, it changes nothing.
func (d Desk) DeclineProgramme(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor) error {
	return d.onProgramme(ctx, subject, number, func(tx pgx.Tx, c casework.Case, _ tseras.Course) error {
		if c.State == tseras.Withdrawn {
			return nil
		}
		_, err := d.move(ctx, tx, c, tseras.Withdrawn, "", by, tseras.StepWithdrawn, nil)
		return err
	})
}

// Cases are a person's cases, the newest first.
func (d Desk) Cases(ctx context.Context, subject tesdiq.FIN) ([]casework.Case, error) {
	return caseworkdb.Of(ctx, d.Pool, subject)
}

const sqlAskedFor = `
	SELECT c.number, o.name
	FROM cases c
	JOIN tseras_referral_requests q ON q.case_id = c.id AND q.seq = c.seq
	JOIN organisations o ON o.id = q.organisation_id
	WHERE c.subject = @subject AND c.state = 'awaiting_referral'`

// Asked are the institutions that a person's cases wait for, by the cases' numbers. A case whose register names none of ours is not among them.
func (d Desk) Asked(ctx context.Context, subject tesdiq.FIN) (map[string]string, error) {
	asked := map[string]string{}
	rows, _ := d.Pool.Query(ctx, sqlAskedFor, pgx.NamedArgs{"subject": subject}) // the error comes out of ForEachRow
	var number, name string
	if _, err := pgx.ForEachRow(rows, []any{&number, &name}, func() error { asked[number] = name; return nil }); err != nil {
		return nil, fmt.Errorf("tserasdb: asked: %w", err)
	}
	return asked, nil
}

const sqlLooksOf = `
	SELECT k.name, l.at, ''
	FROM tseras_looks l
	JOIN tseras_blind b ON b.number = l.number
	JOIN commission_members m ON m.id = l.member_id
	JOIN commissions k ON k.id = m.commission_id
	WHERE b.case_id = @id
	UNION ALL
	SELECT i.office, i.at, i.purpose
	FROM inspection_looks i
	WHERE i.case_id = @id
	UNION ALL
	SELECT o.name, l.at, ''
	FROM tseras_programme_looks l
	JOIN organisations o ON o.id = l.organisation_id
	WHERE l.case_id = @id
	UNION ALL
	SELECT o.name, l.at, ''
	FROM tseras_result_looks l
	JOIN organisations o ON o.id = l.organisation_id
	WHERE l.case_id = @id
	ORDER BY 2 DESC`

const sqlAskedOf = `
	SELECT o.name
	FROM cases c
	JOIN tseras_referral_requests q ON q.case_id = c.id AND q.seq = c.seq
	JOIN organisations o ON o.id = q.organisation_id
	WHERE c.id = @id AND c.state = 'awaiting_referral'`

const sqlDecisionOf = `
	SELECT d.package, coalesce(e.number, ''),
	       coalesce((SELECT g.explains FROM tseras_signatures g JOIN tseras_blind b ON b.number = g.number
	                 WHERE b.case_id = d.case_id AND g.signs AND g.explains <> ''
	                 ORDER BY g.n DESC, (SELECT s.role FROM tseras_seats s WHERE s.number = g.number AND s.member_id = g.member_id) LIMIT 1), '') -- the chair's before the further member's
	FROM tseras_decisions d
	LEFT JOIN entries e ON e.id = d.entry_id
	WHERE d.case_id = @id`

// Show is a person's case with all that happened to it. casework.ErrMissing when it is none of his.
func (d Desk) Show(ctx context.Context, subject tesdiq.FIN, number string) (s tseras.Shown, err error) {
	err = pgx.BeginTxFunc(ctx, d.Pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		s, err = d.show(ctx, tx, subject, number)
		return err
	})
	return s, err
}

func (d Desk) show(ctx context.Context, tx pgx.Tx, subject tesdiq.FIN, number string) (s tseras.Shown, err error) {
	if s.Case, err = caseworkdb.ByNumber(ctx, tx, subject, number); err != nil {
		return s, err
	}
	if s.Steps, err = caseworkdb.History(ctx, tx, s.ID); err != nil {
		return s, err
	}
	of := s.ID // whose evidence it rests on
	if s.Kind == tseras.Appeal {
		of = s.About
	}
	if s.Kind == tseras.Assessment || s.Kind == tseras.Appeal {
		evidence, err := evidenceOf(ctx, tx, of)
		if err != nil {
			return s, err
		}
		s.Evidence = evidence[of]
	}
	if s.Filed, err = filed(ctx, tx, subject, number); err != nil {
		return s, err
	}
	rows, _ := tx.Query(ctx, sqlLooksOf, pgx.NamedArgs{"id": s.ID}) // the error comes out of Collect
	if s.Looks, err = pgx.CollectRows(rows, pgx.RowToStructByPos[tseras.Look]); err != nil {
		return s, fmt.Errorf("tserasdb: looks: %w", err)
	}
	err = tx.QueryRow(ctx, sqlDecisionOf, pgx.NamedArgs{"id": s.ID}).Scan(&s.Package, &s.Entry, &s.Explains)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return s, fmt.Errorf("tserasdb: decision: %w", err)
	}
	switch s.Kind {
	case tseras.Assessment:
		err = tx.QueryRow(ctx, sqlAskedOf, pgx.NamedArgs{"id": s.ID}).Scan(&s.Asked)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return s, fmt.Errorf("tserasdb: asked: %w", err)
		}
		err = d.showAppeals(ctx, tx, &s)
	case tseras.Appeal:
		err = d.showFirst(ctx, tx, &s)
	case tseras.Programme:
		p, _, failed := programmeOf(ctx, tx, s.Case, s.Steps)
		s.Programme, err = &p, failed
	case tseras.Correction:
		v, failed := correctionOf(ctx, tx, s.ID, d.moment())
		s.Correction, err = &v, failed
	default:
		err = nil
	}
	return s, err
}
