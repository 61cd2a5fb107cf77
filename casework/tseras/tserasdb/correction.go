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
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/message"
)

const sqlOpenCorrection = `
	SELECT EXISTS (
		SELECT FROM tseras_corrections k JOIN cases c ON c.id = k.case_id
		WHERE k.about = @about AND k.register = @register AND c.state = 'asked' AND c.request <> @request)`

const sqlCorrection = `
	INSERT INTO tseras_corrections (case_id, about, register, disputes, wrong, words)
	VALUES (@case, @about, @register, @disputes, @wrong, @words)`

// AskCorrection opens a case in which the agency is asked to correct what its register answered for a case of the person. One that
// is open for the same register is casework.ErrOpen; a register that has not answered, casework.ErrState. key is the form's own.
func (d Desk) AskCorrection(ctx context.Context, subject tesdiq.FIN, about string, r gateway.Register, wrong gateway.Wrong, words string, by casework.Actor, key string) (c casework.Case, err error) {
	if err := tseras.CheckDispute(wrong, words).Err(); err != nil {
		return c, err
	}
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		of, err := caseworkdb.ByNumber(ctx, tx, subject, about)
		if err != nil {
			return err
		}
		if of, err = caseworkdb.Lock(ctx, tx, of.ID); err != nil {
			return err
		}
		if of.Kind != tseras.Assessment {
			return casework.ErrState
		}
		all, err := evidenceOf(ctx, tx, of.ID)
		if err != nil {
			return err
		}
		o, asked := all[of.ID].Of(r)
		if !asked || !o.Answered {
			return casework.ErrState
		}
		request, open := "subject:"+string(subject)+":"+key, false
		if err := tx.QueryRow(ctx, sqlOpenCorrection, pgx.NamedArgs{"about": of.ID, "register": r, "request": request}).Scan(&open); err != nil {
			return fmt.Errorf("tserasdb: correction: %w", err)
		}
		if open {
			return casework.ErrOpen
		}
		now := d.moment()
		head := casework.Case{Head: casework.Head{Procedure: tseras.Procedure, Kind: tseras.Correction, Subject: subject, LawOn: tesdiq.DateOf(now), About: of.ID}}
		opened, step, err := d.step(head, tseras.Asked, "", by, tseras.StepCorrectionAsked, correctionArgs(of.Number, r, wrong, words), now)
		if err != nil {
			return err
		}
		var fresh bool
		if c, fresh, err = caseworkdb.Open(ctx, tx, d.Rand, opened, step, request); err != nil || !fresh {
			return err
		}
		if err := often(ctx, tx, subject, by, now); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sqlCorrection, pgx.NamedArgs{"case": c.ID, "about": of.ID, "register": r, "disputes": o.Question, "wrong": wrong, "words": words})
		if err != nil {
			return fmt.Errorf("tserasdb: correction: %w", err)
		}
		if by.Part != casework.ByClerk {
			return nil // he is told what the agency says
		}
		return tellOf(ctx, tx, c, by, tseras.StepCorrectionAsked, now)
	})
	return c, err
}

// correctionArgs are what the step of a correction, and so its ledger line, commits to: which answer, what is wrong, and the digest of the words.
func correctionArgs(about string, r gateway.Register, wrong gateway.Wrong, words string) map[string]string {
	return map[string]string{"About": about, "Register": string(r), "Wrong": string(wrong), "Words": digestOf(words)}
}

const sqlCorrectionOf = `
	SELECT a.number, a.state, k.register, k.disputes::text, k.wrong, k.words, coalesce(o.n, 0), coalesce(o.outcome, ''), coalesce(o.reason, ''), coalesce(o.answered, false), o.again_at,
	       (SELECT d.decided_at FROM tseras_decisions d WHERE d.case_id = a.id),
	       EXISTS (SELECT FROM case_steps own JOIN case_steps s ON s.case_id = k.about AND s.what = 'register_corrected' AND s.at >= own.at
	               WHERE own.case_id = k.case_id AND own.to_state = 'corrected')
	FROM tseras_corrections k
	JOIN cases a ON a.id = k.about
	LEFT JOIN LATERAL (SELECT * FROM tseras_correction_outcomes x WHERE x.case_id = k.case_id ORDER BY x.n DESC LIMIT 1) o ON true
	WHERE k.case_id = @id`

// correctionOf is what is asked in a correction's case, and what came of it.
func correctionOf(ctx context.Context, tx pgx.Tx, id casework.ID, now time.Time) (v tseras.CorrectionView, err error) {
	var again, decided *time.Time
	err = tx.QueryRow(ctx, sqlCorrectionOf, pgx.NamedArgs{"id": id}).Scan(&v.About, &v.State, &v.Register, &v.Disputes, &v.Wrong, &v.Words, &v.Asked, &v.Outcome, &v.Reason,
		&v.Answered, &again, &decided, &v.Reopened)
	if err != nil {
		return v, fmt.Errorf("tserasdb: correction: %w", err)
	}
	if again != nil {
		v.Again = *again
	}
	if decided != nil {
		if last := tseras.AppealUntil(*decided); !last.Before(tesdiq.DateOf(now)) {
			v.Until = last
		}
	}
	return v, nil
}

// Corrector asks the agencies for the corrections that people want. Any number of processes may run it: a question asked twice is one.
type Corrector struct {
	Desk
	Registers tseras.Registry
}

const sqlToCorrect = `
	SELECT c.id
	FROM cases c
	WHERE c.procedure = 'tseras' AND c.kind = 'correction' AND c.state = 'asked' AND c.id > @after
	  AND coalesce((SELECT o.again_at <= @now FROM tseras_correction_outcomes o WHERE o.case_id = c.id ORDER BY o.n DESC LIMIT 1), true)
	ORDER BY c.id
	LIMIT @batch`

const sqlDelays = `SELECT count(*) FROM tseras_correction_outcomes WHERE case_id = @id AND outcome = 'later'`

const sqlCorrectionOutcome = `
	INSERT INTO tseras_correction_outcomes (case_id, n, answered, outcome, reason, at, again_at)
	VALUES (@case, @n, @answered, @outcome, @reason, @now, @again)`

// correctBatch is how many corrections are looked up at a time.
var correctBatch = 32 // a test makes it small

// Correct asks for all corrections that are due, each once, and returns how many. What fails for one keeps no other waiting.
func (k Corrector) Correct(ctx context.Context) (n int, err error) {
	var failed []error
	for after := casework.ID(0); ; {
		rows, _ := k.Pool.Query(ctx, sqlToCorrect, pgx.NamedArgs{"after": after, "now": k.moment(), "batch": correctBatch}) // the error comes out of Collect
		ids, err := pgx.CollectRows(rows, pgx.RowTo[casework.ID])
		if err != nil {
			return n, errors.Join(append(failed, fmt.Errorf("tserasdb: to correct: %w", err))...)
		}
		if len(ids) == 0 {
			return n, errors.Join(failed...)
		}
		for _, id := range ids {
			if after = id; ctx.Err() != nil {
				return n, errors.Join(append(failed, ctx.Err())...)
			}
			if err := k.one(ctx, id); err != nil {
				failed = append(failed, fmt.Errorf("tserasdb: correction %d: %w", id, err))
				continue
			}
			n++
		}
	}
}

// one asks for one correction. No transaction is open while the agency is asked; what it says is written, with where the cases go
// by it, only if nobody else wrote meanwhile.
func (k Corrector) one(ctx context.Context, id casework.ID) error {
	var c casework.Case
	var v tseras.CorrectionView
	var delays int
	err := pgx.BeginFunc(ctx, k.Pool, func(tx pgx.Tx) (err error) {
		if c, err = caseworkdb.Lock(ctx, tx, id); err != nil {
			return err
		}
		if v, err = correctionOf(ctx, tx, id, k.moment()); err != nil {
			return err
		}
		return tx.QueryRow(ctx, sqlDelays, pgx.NamedArgs{"id": id}).Scan(&delays)
	})
	if err != nil || c.State != tseras.Asked {
		return err
	}
	o := tseras.AskCorrection(ctx, k.Registers, c, v, delays+1)
	return pgx.BeginFunc(ctx, k.Pool, func(tx pgx.Tx) error {
		c, err := caseworkdb.Lock(ctx, tx, id)
		if err != nil {
			return err
		}
		now, err := correctionOf(ctx, tx, id, k.moment())
		if err != nil || c.State != tseras.Asked || now.Asked != v.Asked {
			return err // somebody else asked, or the person took it back
		}
		return k.write(ctx, tx, c, now, o)
	})
}

// write writes down what came of an asking, and moves the case by it.
func (k Corrector) write(ctx context.Context, tx pgx.Tx, c casework.Case, v tseras.CorrectionView, o gateway.Outcome) error {
	args := pgx.NamedArgs{"case": c.ID, "n": v.Asked + 1, "answered": o.Answer != nil, "outcome": "", "reason": "", "now": k.moment(), "again": nil}
	to, what := c.State, ""
	switch {
	case o.Answer == nil:
		args["reason"], args["again"] = string(o.No.Reason), o.No.Next
	case len(o.Answer.Facts.Ruling) != 1:
		return errors.New("an answer without a ruling")
	default:
		r := o.Answer.Facts.Ruling[0]
		args["outcome"], args["reason"] = r.Outcome, r.Reason
		switch r.Outcome {
		case gateway.RuledLater:
			args["again"] = r.Until.Start()
		case gateway.RuledCorrected:
			to, what = tseras.Corrected, tseras.StepCorrectionCorrected
		default:
			to, what = tseras.Refused, tseras.StepCorrectionRefused
		}
	}
	if _, err := tx.Exec(ctx, sqlCorrectionOutcome, args); err != nil {
		return fmt.Errorf("outcome: %w", err)
	}
	if what == "" {
		return nil
	}
	system := casework.Actor{Part: casework.BySystem}
	c, err := k.move(ctx, tx, c, to, "", system, what, nil)
	if err != nil {
		return err
	}
	err = message.Send(ctx, tx, message.Message{To: c.Subject, Key: "tseras-correction.message." + string(to), Args: map[string]string{"Number": c.Number},
		Link: "/cabinet/cases/" + c.Number, At: k.moment(), Aloud: true})
	if err != nil || to != tseras.Corrected {
		return err
	}
	about, err := caseworkdb.Lock(ctx, tx, c.About)
	if err != nil || !tseras.Reopens(about) {
		return err // decided: the person is told on the page what he can do
	}
	_, err = k.move(ctx, tx, about, tseras.Gathering, "", system, tseras.StepRegisterCorrected, nil)
	return err
}
