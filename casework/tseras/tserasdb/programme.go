package tserasdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/message"
)

const sqlOpenProgrammes = `
	SELECT id
	FROM cases
	WHERE subject = ANY (@subjects) AND kind = 'programme' AND state NOT IN ('declined', 'withdrawn', 'lapsed', 'entered')
	ORDER BY id`

// The district is what the population register said last, in whatever case of the person.
const sqlEnlist = `
	INSERT INTO tseras_programmes (case_id, decision, district)
	SELECT a.case_id, a.decision, coalesce((
	           SELECT e.outcome #>> '{facts,Population,0,district}'
	           FROM cases c
	           JOIN tseras_evidence e ON e.case_id = c.id AND e.register = 'population' AND e.answered
	           WHERE c.subject = a.subject
	           ORDER BY e.at DESC
	           LIMIT 1), '')
	FROM unnest(@cases::bigint[], @decisions::bigint[], @subjects::text[]) AS a (case_id, decision, subject)`

// programmes follow decisions that were entered, in their transaction: programmes under way that follow an earlier one are
// closed, and one is opened where the result is a disability. What was entered of earlier programmes stays until a further
// programme is entered (docs/adr/0022).
func (w *writes) programmes(ctx context.Context, tx pgx.Tx) error {
	var subjects []tesdiq.FIN
	var open []caseworkdb.Opening
	system := casework.Actor{Part: casework.BySystem}
	for _, d := range w.decisions {
		if !d.replaces() {
			continue // what was decided before holds, and what follows it
		}
		subjects = append(subjects, d.file.Case.Subject)
		if tseras.Needs(d.result) {
			o, err := w.desk.programme(d.after, system, "decision:"+d.after.Number, w.now)
			if err != nil {
				return err
			}
			open = append(open, o)
		}
	}
	if len(subjects) == 0 {
		return nil
	}
	if err := lockProgrammes(ctx, tx, subjects...); err != nil {
		return err
	}
	if err := w.replaceProgrammes(ctx, tx, subjects); err != nil {
		return err
	}
	fresh, err := caseworkdb.OpenAll(ctx, tx, w.desk.Rand, open...)
	if err != nil {
		return err
	}
	return w.desk.enlist(ctx, tx, fresh...)
}

// A decision that is entered and a person who asks for a programme wait for each other: whoever is second sees what the first has written. Else a
// programme about a decision that is being replaced would be opened and not be closed. A person's decided case is locked before this, not after it.
const sqlLockProgrammes = `
	SELECT pg_advisory_xact_lock(hashtextextended('tseras programme ' || s.subject, 0))
	FROM (SELECT DISTINCT subject FROM unnest(@subjects::text[]) AS u (subject) ORDER BY subject) s`

func lockProgrammes(ctx context.Context, tx pgx.Tx, subjects ...tesdiq.FIN) error {
	if _, err := tx.Exec(ctx, sqlLockProgrammes, pgx.NamedArgs{"subjects": subjects}); err != nil {
		return fmt.Errorf("tserasdb: programmes: %w", err)
	}
	return nil
}

// replaceProgrammes closes the programmes of people that are under way.
func (w *writes) replaceProgrammes(ctx context.Context, tx pgx.Tx, subjects []tesdiq.FIN) error {
	rows, _ := tx.Query(ctx, sqlOpenProgrammes, pgx.NamedArgs{"subjects": subjects}) // the error comes out of Collect
	open, err := pgx.CollectRows(rows, pgx.RowTo[casework.ID])
	if err != nil {
		return fmt.Errorf("tserasdb: programmes: %w", err)
	}
	for _, id := range open {
		c, err := caseworkdb.Lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if tseras.Machine.Closed(c.Kind, c.State) {
			continue // it was closed meanwhile
		}
		if _, err := w.desk.move(ctx, tx, c, tseras.Declined, "", casework.Actor{Part: casework.BySystem}, tseras.StepReplaced, nil); err != nil {
			return err
		}
	}
	return nil
}

// programme is the opening of a programme that follows a decided case.
func (d Desk) programme(decided casework.Case, by casework.Actor, request string, now time.Time) (caseworkdb.Opening, error) {
	head := casework.Case{Head: casework.Head{
		Procedure: tseras.Procedure, Kind: tseras.Programme, Subject: decided.Subject, LawOn: tesdiq.DateOf(now), About: decided.ID,
	}}
	c, step, err := d.step(head, tseras.AwaitingInvitation, "", by, tseras.StepOpened, map[string]string{"About": decided.Number}, now)
	return caseworkdb.Opening{Case: c, First: step, Request: request}, err
}

// enlist writes what is kept of opened programmes, and tells the people.
func (d Desk) enlist(ctx context.Context, tx pgx.Tx, cs ...casework.Case) error {
	if len(cs) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, sqlEnlist, pgx.NamedArgs{
		"cases":     idsOf(cs),
		"decisions": column(cs, func(c casework.Case) casework.ID { return c.About }),
		"subjects":  column(cs, func(c casework.Case) tesdiq.FIN { return c.Subject }),
	})
	if err != nil {
		return fmt.Errorf("tserasdb: programmes: %w", err)
	}
	notes := make([]message.Message, 0, len(cs))
	for _, c := range cs {
		if note, told := noteOfProgramme(c, tseras.StepOpened, nil, c.Opened); told {
			notes = append(notes, note)
		}
	}
	return message.Send(ctx, tx, notes...)
}

// openProgramme opens a programme that a person asks for.
func (d Desk) openProgramme(ctx context.Context, tx pgx.Tx, decided casework.Case, by casework.Actor, request string) (casework.Case, error) {
	now := d.moment()
	o, err := d.programme(decided, by, request, now)
	if err != nil {
		return o.Case, err
	}
	c, fresh, err := caseworkdb.Open(ctx, tx, d.Rand, o.Case, o.First, o.Request)
	if err != nil || !fresh {
		return c, err
	}
	if err := often(ctx, tx, c.Subject, by, now); err != nil {
		return c, err
	}
	return c, d.enlist(ctx, tx, c)
}

// programmeMessages are what the person is told of a programme's steps. What he did himself he knows.
var programmeMessages = map[string]string{
	tseras.StepOpened: "opened", tseras.StepInvited: "invited", tseras.StepMoved: "moved", tseras.StepAbsent: "absent", tseras.StepLapsed: "lapsed",
	tseras.StepDrafted: "drafted", tseras.StepEntered: "entered",
}

// tellOfProgramme leaves a message about a programme's step.
func (d Desk) tellOfProgramme(ctx context.Context, tx pgx.Tx, c casework.Case, what string, args map[string]string) error {
	note, told := noteOfProgramme(c, what, args, d.moment())
	if !told {
		return nil
	}
	return message.Send(ctx, tx, note)
}

// noteOfProgramme names no measure: by a device somebody would know of the diagnosis.
func noteOfProgramme(c casework.Case, what string, args map[string]string, now time.Time) (message.Message, bool) {
	key, told := programmeMessages[what]
	all := map[string]string{"Number": c.Number}
	for _, name := range []string{"Day", "Time"} {
		if args[name] != "" {
			all[name] = args[name]
		}
	}
	return message.Message{
		To: c.Subject, Key: "tseras-programme.message." + key, Args: all, Link: "/cabinet/cases/" + c.Number, At: now, Aloud: what != tseras.StepOpened,
	}, told
}

const sqlLatestDecision = `
	SELECT c.id, d.package
	FROM cases c
	JOIN tseras_decisions d ON d.case_id = c.id
	JOIN entries e ON e.id = d.entry_id
	WHERE c.subject = @subject AND NOT EXISTS (SELECT FROM entries v WHERE v.book = e.book AND v.number = e.number AND v.act = 'annul')
	ORDER BY d.decided_at DESC, c.id DESC
	LIMIT 1`

// AskProgramme opens a programme at the person's wish, where none is under way: he declined an earlier one or did not come,
// or needs something else now. decision is the number of the decided case, which must be his latest one, with a disability that
// has not ended. key is the form's own.
func (d Desk) AskProgramme(ctx context.Context, subject tesdiq.FIN, decision string, by casework.Actor, key string) (c casework.Case, err error) {
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		decided, err := caseworkdb.ByNumber(ctx, tx, subject, decision)
		if err != nil {
			return err
		}
		if decided, err = caseworkdb.Lock(ctx, tx, decided.ID); err != nil {
			return err
		}
		if err := lockProgrammes(ctx, tx, subject); err != nil {
			return err
		}
		var latest casework.ID
		var pack []byte
		switch err := tx.QueryRow(ctx, sqlLatestDecision, pgx.NamedArgs{"subject": subject}).Scan(&latest, &pack); {
		case errors.Is(err, pgx.ErrNoRows):
			return casework.ErrState
		case err != nil:
			return fmt.Errorf("tserasdb: decision: %w", err)
		}
		_, r, err := resultOf(pack)
		if err != nil {
			return err
		}
		if latest != decided.ID || !tseras.Needs(r) || !r.Until.IsZero() && r.Until.Before(tesdiq.DateOf(d.moment())) {
			return casework.ErrState
		}
		c, err = d.openProgramme(ctx, tx, decided, by, "subject:"+string(subject)+":"+key)
		return err
	})
	return c, err
}

// onProgramme changes a person's programme, which is locked.
func (d Desk) onProgramme(ctx context.Context, subject tesdiq.FIN, number string, do func(tx pgx.Tx, c casework.Case, k tseras.Course) error) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		c, err := caseworkdb.ByNumber(ctx, tx, subject, number)
		if err != nil {
			return err
		}
		if c, err = caseworkdb.Lock(ctx, tx, c.ID); err != nil {
			return err
		}
		if c.Kind != tseras.Programme {
			return casework.ErrMissing
		}
		steps, err := caseworkdb.History(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		return do(tx, c, tseras.CourseOf(steps))
	})
}

// WishProgramme asks the body for another time or place, or to come to the person's home.
func (d Desk) WishProgramme(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor, words string) error {
	if err := tesdiq.CheckText(words, tseras.MaxWish, true); err != nil {
		return inField(err, "wish")
	}
	return d.onProgramme(ctx, subject, number, func(tx pgx.Tx, c casework.Case, k tseras.Course) error {
		if c.State == tseras.AwaitingMeeting && k.Wish == words {
			return nil // sent twice
		}
		if err := k.MaySay("wish"); c.State == tseras.AwaitingMeeting && err != nil {
			return err
		}
		return d.keep(ctx, tx, c, tseras.AwaitingMeeting, by, tseras.StepWished, map[string]string{"Reason": words})
	})
}

// AnswerDraft is the person's word on the n-th draft: he agrees, or says what is missing.
func (d Desk) AnswerDraft(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor, n int, word tseras.DraftWord, words string) error {
	what, args := tseras.StepAgreed, map[string]string{"Draft": tseras.DraftNumber(n)}
	if word != tseras.Agreed {
		if err := tesdiq.CheckText(words, tseras.MaxWish, true); err != nil {
			return inField(err, "missing")
		}
		what, word, args["Reason"] = tseras.StepMissing, tseras.Missing, words
	} else {
		words = ""
	}
	return d.onProgramme(ctx, subject, number, func(tx pgx.Tx, c casework.Case, k tseras.Course) error {
		var latest int
		if err := tx.QueryRow(ctx, sqlDraftCount, pgx.NamedArgs{"id": c.ID}).Scan(&latest); err != nil {
			return fmt.Errorf("tserasdb: drafts: %w", err)
		}
		switch {
		case c.State != tseras.Drafted || latest != n:
			return casework.ErrState // another draft came meanwhile: he must read it first
		case k.Word == word && k.Missing == words:
			return nil // sent twice
		}
		if word == tseras.Missing {
			if err := k.MaySay("missing"); err != nil {
				return err
			}
		}
		return d.keep(ctx, tx, c, tseras.Drafted, by, what, args)
	})
}

// keep writes a step into the state where the case is, or must be, whose clock goes on.
func (d Desk) keep(ctx context.Context, tx pgx.Tx, c casework.Case, state casework.State, by casework.Actor, what string, args map[string]string) error {
	if c.State != state {
		return casework.ErrState
	}
	after, step, err := tseras.Machine.Move(c, state, by, what, args, c.Clock, d.moment())
	if err != nil {
		return err
	}
	return caseworkdb.Write(ctx, tx, d.Rand, tseras.Procedure, caseworkdb.Moved{Case: after, Step: step})
}

// inField says which field a problem is about.
func inField(err error, field string) error {
	var ps tesdiq.Problems
	ps.Add(field, err)
	return ps
}

const sqlDraftCount = `
	SELECT count(*)
	FROM tseras_programme_drafts
	WHERE case_id = @id`

const sqlDrafts = `
	SELECT draft
	FROM tseras_programme_drafts
	WHERE case_id = @id
	ORDER BY n`

const sqlProgrammeOf = `
	SELECT a.number, coalesce((` + holder + `), 0), coalesce((
	           SELECT x.number
	           FROM cases x
	           JOIN case_steps s ON s.case_id = x.id AND s.seq = x.seq
	           WHERE x.subject = c.subject AND x.kind = 'programme' AND x.state = 'entered' AND c.state = 'entered'
	             AND s.at > (SELECT max(t.at) FROM case_steps t WHERE t.case_id = c.id)
	           ORDER BY s.at DESC
	           LIMIT 1), '')
	FROM cases c
	JOIN cases a ON a.id = c.about
	WHERE c.id = @id`

const sqlBodyName = `
	SELECT name
	FROM organisations
	WHERE id = @body`

// programmeOf is a programme with its drafts.
func programmeOf(ctx context.Context, tx pgx.Tx, c casework.Case, steps []casework.Step) (p tseras.ProgrammeView, body int64, err error) {
	p.Course = tseras.CourseOf(steps)
	if err := tx.QueryRow(ctx, sqlProgrammeOf, pgx.NamedArgs{"id": c.ID}).Scan(&p.Decision, &body, &p.Replaced); err != nil {
		return p, body, fmt.Errorf("tserasdb: programme: %w", err)
	}
	if body != 0 {
		if err := tx.QueryRow(ctx, sqlBodyName, pgx.NamedArgs{"body": body}).Scan(&p.Body); err != nil {
			return p, body, fmt.Errorf("tserasdb: body: %w", err)
		}
	}
	rows, _ := tx.Query(ctx, sqlDrafts, pgx.NamedArgs{"id": c.ID}) // the error comes out of Collect
	if p.Drafts, err = pgx.CollectRows(rows, pgx.RowTo[tseras.Draft]); err != nil {
		return p, body, fmt.Errorf("tserasdb: drafts: %w", err)
	}
	return p, body, nil
}
