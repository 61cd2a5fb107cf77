package tserasdb

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

// attends says of a seat s whether the member who has it was not passed over.
const attends = `NOT EXISTS (SELECT FROM tseras_passed o WHERE o.number = s.number AND o.member_id = s.member_id)`

// The cases of a commission whose clock is over, and those in which somebody has a seat who is a member no more. Which of them go on is
// decided once they are held.
const sqlMaybeSilent = `
	SELECT c.id
	FROM cases c
	JOIN case_steps t ON t.case_id = c.id AND t.seq = c.seq
	WHERE c.procedure = 'tseras' AND c.kind IN ('assessment', 'appeal') AND c.id > @after
	  AND c.state IN ('awaiting_draw', 'drawn', 'further_member', 'signing')
	  AND (t.due_by < @today OR EXISTS (
	          SELECT FROM tseras_blind b JOIN tseras_seats s ON s.number = b.number JOIN commission_members m ON m.id = s.member_id
	          WHERE b.case_id = c.id AND m.ended_at IS NOT NULL AND ` + attends + `))
	ORDER BY c.id
	LIMIT @batch`

// PassOver takes cases from members who are silent or are members no more, and says of those for which nobody may be drawn whose turn it is.
// It may be broken off and run again at any time, in any number of processes: each step is written with what it passes over, once. It
// returns how many cases went on, with what is wrong with those that it could not move.
func (d Decider) PassOver(ctx context.Context) (moved int, err error) {
	var failed []error
	today := tesdiq.DateOf(d.moment())
	for after := casework.ID(0); ; {
		var ids []casework.ID
		n := 0
		err := pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
			n = 0
			rows, _ := tx.Query(ctx, sqlMaybeSilent, pgx.NamedArgs{"after": after, "today": today, "batch": silentBatch}) // the error comes out of Collect
			var err error
			if ids, err = pgx.CollectRows(rows, pgx.RowTo[casework.ID]); err != nil {
				return err
			}
			for _, state := range []casework.State{tseras.AwaitingDraw, tseras.Drawn, tseras.FurtherMember, tseras.Signing} {
				cases, err := caseworkdb.LockAll(ctx, tx, tseras.Procedure, "", state, ids)
				if err != nil {
					return err
				}
				went, wrong := inBatch(cases, func(cases []casework.Case) (n int, failed []error, err error) {
					err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { // a savepoint
						n, failed, err = d.passOverAll(ctx, tx, cases)
						return err
					})
					return n, failed, ofCases(idsOf(cases), err)
				})
				n, failed = n+went, append(failed, wrong...)
			}
			return nil
		})
		if err != nil {
			return moved, errors.Join(append(failed, fmt.Errorf("tserasdb: pass over: %w", err))...)
		}
		if moved += n; len(ids) == 0 {
			return moved, errors.Join(failed...)
		}
		after = ids[len(ids)-1]
	}
}

// Since when cases wait for those who sit: the latest seat, and of an appeal the day on which the person came. Whether a draw is called for
// and not made.
const sqlWaitsSince = `
	SELECT c.id,
	       (SELECT max(s.seated_at) FROM tseras_seats s JOIN tseras_blind b ON b.number = s.number WHERE b.case_id = c.id),
	       (SELECT max(h.ends_at) FROM tseras_slots_held h JOIN tseras_blind b ON b.number = h.number WHERE b.case_id = c.id AND c.state = 'drawn'),
	       NOT EXISTS (SELECT FROM drawings d WHERE d.case_id = c.id AND d.seq = c.seq)
	FROM cases c
	WHERE c.id = ANY (@ids)`

// waits is for whom and since when a case waits.
type waits struct {
	seated, came *time.Time
	called       bool
}

func waitsSince(ctx context.Context, tx pgx.Tx, cases []casework.Case) (map[casework.ID]waits, error) {
	all := make(map[casework.ID]waits, len(cases))
	rows, _ := tx.Query(ctx, sqlWaitsSince, pgx.NamedArgs{"ids": idsOf(cases)}) // the error comes out of ForEachRow
	var id casework.ID
	var w waits
	_, err := pgx.ForEachRow(rows, []any{&id, &w.seated, &w.came, &w.called}, func() error {
		all[id] = w
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: waits since: %w", err)
	}
	return all, nil
}

// passOverAll does with cases, which the transaction holds, what is to be done. Of a morning's overdue cases few look as if somebody were to be
// passed over, and only these are looked at each by itself: what is wrong with one of them must not keep the others waiting.
func (d Decider) passOverAll(ctx context.Context, tx pgx.Tx, cases []casework.Case) (n int, failed []error, err error) {
	cases, err = d.silent(ctx, tx, cases)
	if err != nil {
		return 0, nil, err
	}
	for _, c := range cases {
		went := false
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) { // a savepoint
			went, err = d.passOver(ctx, tx, c)
			return err
		})
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("tserasdb: case %d: %w", c.ID, err))
		case went:
			n++
		}
	}
	return n, failed, nil
}

// silent leaves of cases those that look as if somebody were to be passed over.
func (d Decider) silent(ctx context.Context, tx pgx.Tx, cases []casework.Case) (some []casework.Case, err error) {
	if len(cases) == 0 {
		return nil, nil
	}
	benches, err := benchesOf(ctx, tx, cases)
	if err != nil {
		return nil, err
	}
	wait, err := waitsSince(ctx, tx, cases)
	if err != nil {
		return nil, err
	}
	for i, c := range cases {
		over, err := d.over(c, wait[c.ID])
		if err != nil {
			return nil, err
		}
		if _, silent := tseras.Silent(c.State, benches[i].seats, wait[c.ID].called, over); silent {
			some = append(some, c)
		}
	}
	return some, nil
}

// passOver does with a case what is to be done, and says whether that was anything.
func (d Decider) passOver(ctx context.Context, tx pgx.Tx, c casework.Case) (bool, error) {
	b, err := benchOf(ctx, tx, c)
	if err != nil {
		return false, err
	}
	if b.number != "" {
		if err := lockSeats(ctx, tx, b.number); err != nil { // nobody records or signs meanwhile
			return false, err
		}
		if b, err = benchOf(ctx, tx, c); err != nil {
			return false, err
		}
	}
	wait, err := waitsSince(ctx, tx, []casework.Case{c})
	if err != nil {
		return false, err
	}
	over, err := d.over(c, wait[c.ID])
	if err != nil {
		return false, err
	}
	s, silent := tseras.Silent(c.State, b.seats, wait[c.ID].called, over)
	if !silent {
		return false, nil
	}
	if s.What == tseras.StepAnother && c.Kind == tseras.Appeal {
		x, err := slotOf(ctx, tx, c)
		if err != nil {
			return false, err
		}
		if err := giveBack(ctx, tx, x, slotSilent, d.moment()); err != nil {
			return false, err
		}
	}
	variant := ""
	switch s.What {
	case tseras.StepNobody:
		variant = tseras.ClockNobody
	case tseras.StepAnother, tseras.StepSilent:
		variant = d.further(c)
	}
	args := map[string]string{"Members": strconv.Itoa(len(s.Passed))}
	moved, err := d.anew(c, s.To, variant, s.What, args, d.moment())
	if err != nil {
		return false, err
	}
	if err := caseworkdb.Write(ctx, tx, d.Rand, tseras.Procedure, moved); err != nil {
		return false, err
	}
	c = moved.Case
	if err := pass(ctx, tx, c, b.number, s.Passed); err != nil {
		return false, err
	}
	if s.What == tseras.StepNobody || s.What == tseras.StepPassed {
		return true, nil // the alarm tells; the decision tells
	}
	if s.What == tseras.StepAnother && c.Kind == tseras.Assessment {
		if err := d.corrected(ctx, tx, c); err != nil {
			return false, err
		}
	}
	return true, tell(ctx, tx, c, s.What, d.moment())
}

const sqlCorrectedSince = `
	SELECT EXISTS (
		SELECT FROM tseras_corrections k
		JOIN case_steps own ON own.case_id = k.case_id AND own.to_state = 'corrected'
		WHERE k.about = @id AND own.at >= (SELECT max(s.at) FROM case_steps s WHERE s.case_id = @id AND s.to_state = 'gathering'))`

// corrected lets the registers of a case that waits for another commission be asked again, if one was corrected while it was with the commission
// before: nobody has found anything by the old answers, so the next commission reads the new ones.
func (d Decider) corrected(ctx context.Context, tx pgx.Tx, c casework.Case) error {
	var corrected bool
	if err := tx.QueryRow(ctx, sqlCorrectedSince, pgx.NamedArgs{"id": c.ID}).Scan(&corrected); err != nil {
		return fmt.Errorf("tserasdb: corrected since: %w", err)
	}
	if !corrected {
		return nil
	}
	_, err := d.move(ctx, tx, c, tseras.Gathering, "", casework.Actor{Part: casework.BySystem}, tseras.StepRegisterCorrected, nil)
	return err
}

// over says whether a case's clock is over, and who is silent was waited for as long as he is.
func (d Decider) over(c casework.Case, w waits) (bool, error) {
	today, since := tesdiq.DateOf(d.moment()), tesdiq.DateOf(c.Since)
	if c.Clock.DueBy.After(since) {
		since = c.Clock.DueBy
	}
	for _, at := range []*time.Time{w.seated, w.came} {
		if at != nil && tesdiq.DateOf(*at).After(since) {
			since = tesdiq.DateOf(*at)
		}
	}
	fresh := c
	fresh.State = "" // not an extension: it is counted from the day that is given
	until, err := casework.Clocks().Start(d.Calendar, fresh, c.State, tseras.ClockSilent, since)
	return today.After(until.DueBy), err
}

// further is the variant of the clock with which others go on: the term's own runs on while it is not over.
func (d Decider) further(c casework.Case) string {
	if tesdiq.DateOf(d.moment()).After(c.Clock.DueBy) {
		return tseras.ClockAgain
	}
	return ""
}

// undecided calls for one more member, where no more than half of those who spoke have signed, or nobody has explained.
func (d Decider) undecided(w *writes, c casework.Case) error {
	moved, err := d.anew(c, tseras.FurtherMember, d.further(c), tseras.StepUndecided, nil, w.now)
	if err != nil {
		return err
	}
	w.moved, w.told = append(w.moved, moved), append(w.told, noteOf(moved.Case, tseras.StepUndecided, w.now))
	return nil
}

// anew moves a case with a clock that begins today, though the case may stay in its state.
func (d Desk) anew(c casework.Case, to casework.State, variant, what string, args map[string]string, now time.Time) (m caseworkdb.Moved, err error) {
	fresh := c
	fresh.State = ""
	clock, err := casework.Clocks().Start(d.Calendar, fresh, to, variant, tesdiq.DateOf(now))
	if err != nil {
		return m, err
	}
	m.Case, m.Step, err = tseras.Machine.Move(c, to, casework.Actor{Part: casework.BySystem}, what, args, clock, now)
	return m, err
}

const sqlPass = `
	INSERT INTO tseras_passed (number, member_id, case_id, seq, why, at)
	SELECT @number, a.member, @case, @seq, a.why, @now
	FROM unnest(@members::text[], @whys::text[]) AS a (member, why)`

// pass writes who is passed over by the case's latest step.
func pass(ctx context.Context, tx pgx.Tx, c casework.Case, number tseras.BlindNumber, passed []tseras.Attending) error {
	var members, whys []string
	for _, a := range passed {
		why := "silent"
		if a.Ended {
			why = "ended"
		}
		members, whys = append(members, string(a.Member)), append(whys, why)
	}
	if len(members) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, sqlPass, pgx.NamedArgs{"number": number, "case": c.ID, "seq": c.Seq, "members": members, "whys": whys, "now": c.Since}); err != nil {
		return fmt.Errorf("tserasdb: pass over: %w", err)
	}
	return nil
}

// again is the variant of the clock with which a commission begins: when for a time nobody could be drawn, its term begins now.
func again(c casework.Case) string {
	if c.Clock.Turn == casework.Office {
		return tseras.ClockAgain
	}
	return ""
}

// able gives a case for which further members can be drawn again, after a time when nobody could, back to the commission's turn.
func (w *writes) able(c casework.Case) (casework.Case, error) {
	if c.Clock.Turn != casework.Office {
		return c, nil
	}
	moved, err := w.desk.anew(c, tseras.FurtherMember, tseras.ClockAgain, tseras.StepAble, nil, w.now)
	if err != nil {
		return c, err
	}
	w.moved = append(w.moved, moved)
	return moved.Case, nil
}
