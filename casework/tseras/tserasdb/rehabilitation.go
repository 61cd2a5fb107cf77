package tserasdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// Rehabilitation is the side of the bodies that make programmes. A body sees whom a case is about only once it has taken it.
type Rehabilitation struct{ Desk }

// holder is the body that has the case c: the last that took it, as long as it is open and has the duty. When it has not any
// more, the case is free again.
const holder = `
	SELECT b.organisation_id
	FROM (SELECT organisation_id FROM tseras_programme_bodies WHERE case_id = c.id ORDER BY n DESC LIMIT 1) b
	JOIN organisations o ON o.id = b.organisation_id AND o.closed_at IS NULL
	JOIN organisation_duties t ON t.organisation_id = o.id AND t.duty = 'rehabilitation' AND t.ended_at IS NULL`

// serves: a body may take a free case of its districts; one of a district that no body serves, any body.
const serves = `
	(EXISTS (SELECT FROM organisation_districts s WHERE s.organisation_id = @body AND s.district = p.district AND s.ended_at IS NULL)
	 OR NOT EXISTS (
	     SELECT FROM organisation_districts s
	     JOIN organisations o ON o.id = s.organisation_id AND o.closed_at IS NULL
	     JOIN organisation_duties t ON t.organisation_id = o.id AND t.duty = 'rehabilitation' AND t.ended_at IS NULL
	     WHERE s.district = p.district AND s.ended_at IS NULL))`

const onDuty = `
	EXISTS (SELECT FROM organisations o JOIN organisation_duties t ON t.organisation_id = o.id AND t.duty = 'rehabilitation' AND t.ended_at IS NULL
	        WHERE o.id = @body AND o.closed_at IS NULL)`

// listLimit is how many cases a list shows.
const listLimit = 500

const sqlProgrammes = `
	SELECT c.number, c.state, c.opened_at, p.district, s.turn, s.began, s.due_by, s.provisional, s.what = 'programme_wished',
	       coalesce((` + holder + `), 0) = @body
	FROM cases c
	JOIN tseras_programmes p ON p.case_id = c.id
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.procedure = 'tseras' AND c.kind = 'programme' AND c.state IN ('awaiting_invitation', 'awaiting_meeting', 'drafted')
	  AND ` + onDuty + `
	  AND coalesce((` + holder + `), 0) IN (0, @body)
	  AND (EXISTS (` + holder + `) OR ` + serves + `)
	ORDER BY s.due_by, c.id
	LIMIT @limit`

// List are the open cases that a body has, and those that it may take; the next deadline first.
func (r Rehabilitation) List(ctx context.Context, body int64) (own, free []tseras.ListedProgramme, err error) {
	rows, _ := r.Pool.Query(ctx, sqlProgrammes, pgx.NamedArgs{"body": body, "limit": listLimit}) // the error comes out of ForEachRow
	var l tseras.ListedProgramme
	var mine bool
	k := &l.Clock
	_, err = pgx.ForEachRow(rows, []any{&l.Number, &l.State, &l.Opened, &l.District, &k.Turn, &k.Began, &k.DueBy, &k.Provisional, &l.Wish, &mine}, func() error {
		if mine {
			own = append(own, l)
		} else {
			free = append(free, l)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("tserasdb: programmes: %w", err)
	}
	return own, free, nil
}

const sqlByProgramme = `
	SELECT c.id, coalesce((` + holder + `), 0), ` + serves + `
	FROM cases c
	JOIN tseras_programmes p ON p.case_id = c.id
	WHERE c.number = @number AND c.kind = 'programme' AND ` + onDuty

// find locks a case for a body. casework.ErrMissing where it is neither the body's nor free for it: never told apart. holds is 0
// for a free one.
func (Rehabilitation) find(ctx context.Context, tx pgx.Tx, body int64, number string) (c casework.Case, holds int64, err error) {
	args := pgx.NamedArgs{"number": number, "body": body}
	var id casework.ID
	var may bool
	look := func() error {
		err := tx.QueryRow(ctx, sqlByProgramme, args).Scan(&id, &holds, &may)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return casework.ErrMissing
		case err != nil:
			return fmt.Errorf("tserasdb: programme: %w", err)
		}
		return nil
	}
	if err := look(); err != nil {
		return c, 0, err
	}
	if c, err = caseworkdb.Lock(ctx, tx, id); err != nil {
		return c, 0, err
	}
	if err := look(); err != nil { // as it is now that nobody else can take it
		return c, 0, err
	}
	if holds != body && (holds != 0 || !may) {
		return c, 0, casework.ErrMissing
	}
	return c, holds, nil
}

const sqlTake = `
	INSERT INTO tseras_programme_bodies (case_id, n, organisation_id, taken_at)
	SELECT @case, 1 + coalesce(max(n), 0), @body, @now
	FROM tseras_programme_bodies
	WHERE case_id = @case`

// Take gives a free case to a body. Again, it changes nothing; one that another body has is casework.ErrMissing.
func (r Rehabilitation) Take(ctx context.Context, body tseras.Body, number string) error {
	return pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		c, holds, err := r.find(ctx, tx, body.ID, number)
		if err != nil || holds == body.ID {
			return err
		}
		if tseras.Machine.Closed(c.Kind, c.State) {
			return casework.ErrMissing
		}
		if _, err := tx.Exec(ctx, sqlTake, pgx.NamedArgs{"case": c.ID, "body": body.ID, "now": r.moment()}); err != nil {
			return fmt.Errorf("tserasdb: take: %w", err)
		}
		return r.keep(ctx, tx, c, c.State, body.Actor(), tseras.StepTaken, nil)
	})
}

const sqlProgrammeLook = `
	INSERT INTO tseras_programme_looks (case_id, organisation_id, fin, at)
	VALUES (@case, @body, @fin, @now)
	RETURNING id`

const sqlNeed = `
	SELECT d.package, p.district, coalesce((SELECT t.address FROM tseras_programme_telephones t WHERE t.case_id = p.case_id),
	       (SELECT r.referral->>'phone' FROM tseras_referrals r JOIN cases c ON c.id = r.case_id AND c.subject = @subject
	        WHERE coalesce(r.referral->>'phone', '') <> '' ORDER BY r.received_at DESC LIMIT 1), '')
	FROM tseras_programmes p
	JOIN tseras_decisions d ON d.case_id = p.decision
	WHERE p.case_id = @case`

// ProgrammeLookContent is the canonical bytes of a body's look at a case, to which its ledger line commits.
func ProgrammeLookContent(number string, body int64, fin tesdiq.FIN, at time.Time) []byte {
	return []byte(number + " " + strconv.FormatInt(body, 10) + " " + string(fin) + " " + tseras.Moment(at).String())
}

// Open shows a body a case that it has, and writes down who looked before it is shown. One that the person does not want any more, or
// that another decision has ended, is casework.ErrMissing: nobody there has any business with it.
func (r Rehabilitation) Open(ctx context.Context, body tseras.Body, number string) (f tseras.ProgrammeFile, err error) {
	err = pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		f, err = r.open(ctx, tx, body, number)
		return err
	})
	return f, err
}

func (r Rehabilitation) open(ctx context.Context, tx pgx.Tx, body tseras.Body, number string) (f tseras.ProgrammeFile, err error) {
	if f.Case, err = r.own(ctx, tx, body, number); err != nil {
		return f, err
	}
	if f.State == tseras.Withdrawn || f.State == tseras.Declined {
		return f, casework.ErrMissing
	}
	now := r.moment()
	var look int64
	if err := tx.QueryRow(ctx, sqlProgrammeLook, pgx.NamedArgs{"case": f.ID, "body": body.ID, "fin": body.FIN, "now": now}).Scan(&look); err != nil {
		return f, fmt.Errorf("tserasdb: look: %w", err)
	}
	line, err := ledger.NewLine(r.Rand, ledger.Look, "programme/"+strconv.FormatInt(look, 10), ProgrammeLookContent(f.Number, body.ID, body.FIN, now))
	if err != nil {
		return f, err
	}
	if err := ledgerdb.Append(ctx, tx, line); err != nil {
		return f, err
	}
	if f.Steps, err = caseworkdb.History(ctx, tx, f.ID); err != nil {
		return f, err
	}
	if f.ProgrammeView, _, err = programmeOf(ctx, tx, f.Case, f.Steps); err != nil {
		return f, err
	}
	person, err := registrydb.Reader{Pool: tx}.Person(ctx, f.Subject)
	if err != nil {
		return f, err
	}
	f.Name, f.Born = person.Name, person.Born
	var pack []byte
	if err := tx.QueryRow(ctx, sqlNeed, pgx.NamedArgs{"case": f.ID, "subject": f.Subject}).Scan(&pack, &f.District, &f.Telephone); err != nil {
		return f, fmt.Errorf("tserasdb: need: %w", err)
	}
	if tseras.Machine.Closed(f.Kind, f.State) {
		f.Telephone = "" // there is nothing left to call for
	}
	in, result, err := resultOf(pack)
	f.Need = tseras.NeedOf(in, result)
	return f, err
}

// own locks a case that a body has.
func (r Rehabilitation) own(ctx context.Context, tx pgx.Tx, body tseras.Body, number string) (casework.Case, error) {
	c, holds, err := r.find(ctx, tx, body.ID, number)
	if err == nil && holds != body.ID {
		err = casework.ErrMissing
	}
	return c, err
}

// change does something with a case that a body has.
func (r Rehabilitation) change(ctx context.Context, body tseras.Body, number string, do func(tx pgx.Tx, c casework.Case, k tseras.Course) error) error {
	return pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		c, err := r.own(ctx, tx, body, number)
		if err != nil {
			return err
		}
		steps, err := caseworkdb.History(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		return do(tx, c, tseras.CourseOf(steps))
	})
}

// Invite says when and where the programme is prepared: for the first time, at another time, or anew because the person did not
// come (absent), which can be said only once the meeting's hour has come. The same again changes nothing. The clock of the
// programme counts from the meeting.
func (r Rehabilitation) Invite(ctx context.Context, body tseras.Body, number string, i tseras.Invitation, absent bool) error {
	return r.change(ctx, body, number, func(tx pgx.Tx, c casework.Case, k tseras.Course) error {
		now := r.moment()
		today := tesdiq.DateOf(now)
		what := tseras.StepMoved
		switch {
		case c.State == tseras.AwaitingMeeting && k.Invitation == i && k.Wish == "":
			return nil // sent twice
		case c.State == tseras.AwaitingInvitation && !absent:
			what = tseras.StepInvited
		case c.State != tseras.AwaitingMeeting || absent && !k.Invitation.Began(now):
			return casework.ErrState
		case absent:
			what = tseras.StepAbsent
		}
		before := c
		before.State = tseras.AwaitingInvitation // the limit counts from today, also where a meeting is moved
		latest, err := casework.Clocks().Start(r.Calendar, before, tseras.AwaitingMeeting, "latest", today)
		if err != nil {
			return err
		}
		if err := i.Validate(r.Calendar, today, latest.DueBy).Err(); err != nil {
			return err
		}
		clock, err := casework.Clocks().Start(r.Calendar, c, tseras.AwaitingMeeting, "", i.Day)
		if err != nil {
			return err
		}
		return r.say(ctx, tx, c, tseras.AwaitingMeeting, body, what, i.Args(), clock)
	})
}

// say writes a step with a clock of its own, and tells the person.
func (r Rehabilitation) say(ctx context.Context, tx pgx.Tx, c casework.Case, to casework.State, body tseras.Body, what string, args map[string]string, clock casework.Clock) error {
	after, step, err := tseras.Machine.Move(c, to, body.Actor(), what, args, clock, r.moment())
	if err != nil {
		return err
	}
	if err := caseworkdb.Write(ctx, tx, r.Rand, tseras.Procedure, caseworkdb.Moved{Case: after, Step: step}); err != nil {
		return err
	}
	return r.tellOfProgramme(ctx, tx, after, what, args)
}

// Lapse closes a case whose person has not come for the second time. Again, it changes nothing.
func (r Rehabilitation) Lapse(ctx context.Context, body tseras.Body, number string) error {
	return r.change(ctx, body, number, func(tx pgx.Tx, c casework.Case, k tseras.Course) error {
		switch {
		case c.State == tseras.Lapsed:
			return nil
		case c.State != tseras.AwaitingMeeting || !k.MayLapse(r.moment()):
			return casework.ErrState
		}
		return r.say(ctx, tx, c, tseras.Lapsed, body, tseras.StepLapsed, nil, casework.Clock{Turn: casework.Nobody, Began: tesdiq.DateOf(r.moment())})
	})
}

const sqlDraft = `
	INSERT INTO tseras_programme_drafts (case_id, n, draft)
	VALUES (@case, @n, @draft)`

// Draft writes down what was prepared with the person, as the n-th draft. The same again changes nothing; another n than the
// next is ErrState: somebody else drafted meanwhile.
func (r Rehabilitation) Draft(ctx context.Context, body tseras.Body, number string, n int, lines []tseras.Line) error {
	return r.change(ctx, body, number, func(tx pgx.Tx, c casework.Case, k tseras.Course) error {
		rows, _ := tx.Query(ctx, sqlDrafts, pgx.NamedArgs{"id": c.ID}) // the error comes out of Collect
		drafts, err := pgx.CollectRows(rows, pgx.RowTo[tseras.Draft])
		if err != nil {
			return fmt.Errorf("tserasdb: drafts: %w", err)
		}
		now := r.moment()
		switch {
		case n == len(drafts) && n > 0 && c.State == tseras.Drafted && reflect.DeepEqual(drafts[n-1].Lines, lines):
			return nil // sent twice
		case n != len(drafts)+1, c.State != tseras.AwaitingMeeting && c.State != tseras.Drafted, c.State == tseras.AwaitingMeeting && !k.Invitation.Began(now):
			return casework.ErrState
		}
		ends, err := endOf(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		if err := tseras.CheckLines(lines, tesdiq.DateOf(now), ends).Err(); err != nil {
			return err
		}
		d := tseras.Draft{N: n, Made: now, Body: body.Name, Lines: lines}
		content, err := d.Content(c.Number)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sqlDraft, pgx.NamedArgs{"case": c.ID, "n": n, "draft": d}); err != nil {
			return fmt.Errorf("tserasdb: draft: %w", err)
		}
		clock, err := casework.Clocks().Start(r.Calendar, c, tseras.Drafted, "", tesdiq.DateOf(now))
		if err != nil {
			return err
		}
		args := map[string]string{"Draft": tseras.DraftNumber(n), "SHA256": tseras.Digest256(content)}
		return r.say(ctx, tx, c, tseras.Drafted, body, tseras.StepDrafted, args, clock)
	})
}

const sqlDecisionPackage = `
	SELECT d.package
	FROM tseras_programmes p
	JOIN tseras_decisions d ON d.case_id = p.decision
	WHERE p.case_id = @id`

// endOf is the last day of the disability that a programme follows; none: indefinite.
func endOf(ctx context.Context, tx pgx.Tx, id casework.ID) (tesdiq.Date, error) {
	var pack []byte
	if err := tx.QueryRow(ctx, sqlDecisionPackage, pgx.NamedArgs{"id": id}).Scan(&pack); err != nil {
		return tesdiq.Date{}, fmt.Errorf("tserasdb: decision: %w", err)
	}
	_, r, err := resultOf(pack)
	return r.Until, err
}

// resultOf reads a decision's package.
func resultOf(pack []byte) (in criteria.Input, r criteria.Result, err error) {
	p, err := criteria.ReadPackage(pack)
	if err != nil {
		return in, r, err
	}
	if err := json.Unmarshal(p.Input, &in); err != nil {
		return in, r, fmt.Errorf("tserasdb: input: %w", err)
	}
	if err := json.Unmarshal(p.Result, &r); err != nil {
		return in, r, fmt.Errorf("tserasdb: result: %w", err)
	}
	return in, r, nil
}

// Enter makes the n-th draft the programme. answer is why it is entered although the person said that something is missing; he
// reads it. Again, it changes nothing.
func (r Rehabilitation) Enter(ctx context.Context, body tseras.Body, number string, n int, answer string) error {
	if err := tesdiq.CheckText(answer, tseras.MaxWish, false); err != nil {
		return inField(err, "reason")
	}
	return r.change(ctx, body, number, func(tx pgx.Tx, c casework.Case, k tseras.Course) error {
		rows, _ := tx.Query(ctx, sqlDrafts, pgx.NamedArgs{"id": c.ID}) // the error comes out of Collect
		drafts, err := pgx.CollectRows(rows, pgx.RowTo[tseras.Draft])
		if err != nil {
			return fmt.Errorf("tserasdb: drafts: %w", err)
		}
		switch {
		case c.State == tseras.Entered && n == len(drafts):
			return nil // sent twice
		case c.State != tseras.Drafted || n != len(drafts):
			return casework.ErrState
		}
		today := tesdiq.DateOf(r.moment())
		if err := k.MayEnter(answer, c.Clock.DueBy, today); err != nil {
			return err
		}
		content, err := drafts[n-1].Content(c.Number)
		if err != nil {
			return err
		}
		args := map[string]string{"Draft": tseras.DraftNumber(n), "SHA256": tseras.Digest256(content)}
		if k.Word == tseras.Missing {
			args["Reason"] = answer
		}
		return r.say(ctx, tx, c, tseras.Entered, body, tseras.StepEntered, args, casework.Clock{Turn: casework.Nobody, Began: today})
	})
}
