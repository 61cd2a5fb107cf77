package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// play lets day after day pass.
func (y *year) play(ctx context.Context) error {
	y.lots()
	y.meter()
	here, database := y.here, y.database
	began, still := y.Now(), 0
	for ; y.day < y.Days+drainDays; y.day++ {
		if y.day%7 == 6 {
			if err := y.phase(ctx, "terms", y.tell); err != nil {
				return err
			}
		}
		if !y.works(y.day) {
			continue
		}
		moved := y.did["steps seen"]
		if err := y.today(ctx); err != nil {
			return err
		}
		if y.day >= y.Days && y.did["steps seen"] == moved && len(y.due) == 0 {
			if still++; still > patience {
				break
			}
		}
		wall := y.Now().Sub(began).Seconds()
		y.say(fmt.Sprintf("%s: %d of %d cases opened, %d decided, %d crashes, %.0f decisions/s", begins.AddDays(y.day), y.did["cases opened"], y.Cases,
			y.did["seen: "+string(tseras.Decided)], y.struck, float64(y.did["seen: "+string(tseras.Decided)])/max(wall, 0.001)))
	}
	y.spent["the year"] = y.Now().Sub(began)
	y.meter()
	y.spent["processors: the program and those who play"], y.spent["processors: PostgreSQL"] = y.here-here, y.database-database
	y.say("")
	return nil
}

// today is one working day: in the morning, at noon and in the evening people act, and after each the program's loops run.
func (y *year) today(ctx context.Context) error {
	y.trouble()
	if err := y.leave(ctx); err != nil {
		return err
	}
	for _, hour := range []int{9, 13, 17} {
		y.to(begins.AddDays(y.day).Start().Add(time.Duration(hour) * time.Hour))
		var acts []*act
		for day, due := range y.due { // what came while the day was on, too
			if day <= y.day {
				acts = append(acts, due...)
				delete(y.due, day)
			}
		}
		if len(acts) == 0 && hour != 9 {
			continue // what the program could do it has done
		}
		slices.SortStableFunc(acts, func(a, b *act) int { return a.life.n - b.life.n })
		y.chance.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
		if err := y.phase(ctx, "people", func(ctx context.Context) error { return y.do(ctx, acts) }); err != nil {
			return err
		}
		for _, loop := range []struct {
			what string
			do   func(context.Context) error
		}{{"gather", y.gather}, {"pass over", y.passOver}, {"decide", y.decide}, {"draw", y.draw}} {
			if err := y.phase(ctx, loop.what, loop.do); err != nil {
				return err
			}
		}
		began := y.Now()
		if err := y.look(ctx); err != nil {
			return err
		}
		y.spent["looking on"] += y.Now().Sub(began)
	}
	if err := y.afterwards(ctx); err != nil {
		return err
	}
	return y.evening(ctx)
}

func (y *year) gather(ctx context.Context) error {
	var after casework.ID
	for {
		last, n, err := y.gatherer.Gather(ctx, after)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		after = last
	}
}

func (y *year) draw(ctx context.Context) error {
	for {
		n, err := y.drawer.Draw(ctx)
		if err != nil || n == 0 {
			return err
		}
		y.count("commissions and further members drawn", n)
	}
}

func (y *year) decide(ctx context.Context) error {
	began, worked := y.Now(), y.meter()
	n, err := y.decider.Decide(ctx) // where it moved a case, it is somebody's turn
	y.did["moved by the decider"] += n
	if n >= full {
		y.did[fullTurns] += n
		y.spent[fullTurns] += y.Now().Sub(began)
		y.worked[fullTurns] += y.meter() - worked
	}
	return err
}

// full is how many cases a turn of the decider moves at least that is counted as a full one: of less than that what a turn costs in itself, the
// looking and the planning of statements, is most of it.
const full = 100

const fullTurns = "moved by the decider in full turns"

// passOver takes cases from those who are silent, in the morning: a day is over for all at once.
func (y *year) passOver(ctx context.Context) error {
	n, err := y.decider.PassOver(ctx)
	y.count("passed over who was silent", n)
	return err
}

func (y *year) tell(ctx context.Context) error {
	y.to(begins.AddDays(y.day).Start().Add(23 * time.Hour))
	told, err := y.terms.Tell(ctx, nil)
	for _, n := range told {
		y.count("told of terms", n)
	}
	return err
}

const sqlAtWork = `
	SELECT id, state, seq
	FROM cases
	WHERE procedure = 'tseras' AND kind IN ('assessment', 'appeal') AND state IN ('gathering', 'awaiting_referral', 'awaiting_draw', 'drawn', 'further_member', 'signing')`

const sqlClosed = `
	SELECT id, state, seq
	FROM cases
	WHERE id = ANY (@ids)`

const sqlNewSeats = `
	SELECT b.case_id, s.number, m.fin, s.role
	FROM tseras_blind b
	JOIN tseras_seats s ON s.number = b.number
	JOIN commission_members m ON m.id = s.member_id
	WHERE b.case_id = ANY (@ids)
	ORDER BY b.case_id, s.role, s.member_id`

// look lets everybody see what has become of his cases, and decide what he does next and when.
func (y *year) look(ctx context.Context) error {
	rows, _ := y.admin.Query(ctx, sqlAtWork) // the error comes out of Collect
	type stand struct {
		ID    int64
		State casework.State
		Seq   int
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stand])
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	seen := map[int64]bool{}
	var seated []int64
	for _, s := range open {
		seen[s.ID] = true
		l := y.lives[s.ID]
		if l == nil {
			continue // his application is being sent again after a crash
		}
		if s.State == tseras.Drawn || s.State == tseras.FurtherMember {
			seated = append(seated, s.ID)
		}
		if s.Seq != l.seq {
			y.did["steps seen"] += s.Seq - l.seq
			l.seq, l.state = s.Seq, s.State
			y.goesOn(l)
		}
	}
	var gone []int64
	for id := range y.lives {
		if !seen[id] {
			gone = append(gone, id)
		}
	}
	rows, _ = y.admin.Query(ctx, sqlClosed, pgx.NamedArgs{"ids": gone}) // the error comes out of Collect
	closed, err := pgx.CollectRows(rows, pgx.RowToStructByPos[stand])
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	for _, s := range closed {
		y.did["steps seen"]++
		y.did["seen: "+string(s.State)]++
		l := y.lives[s.ID]
		if delete(y.lives, s.ID); s.State == tseras.Decided && !l.appeal && l.chance(50) {
			y.plan(y.in(1+l.r.IntN(18)), &act{what: appeals, life: l})
		}
	}
	return y.seat(ctx, seated)
}

// seat tells members of their new seats.
func (y *year) seat(ctx context.Context, ids []int64) error {
	rows, _ := y.admin.Query(ctx, sqlNewSeats, pgx.NamedArgs{"ids": ids}) // the error comes out of ForEachRow
	var id int64
	var s seat
	_, err := pgx.ForEachRow(rows, []any{&id, &s.number, &s.fin, &s.role}, func() error {
		l, key := y.lives[id], string(s.number)+string(s.fin)
		if l == nil || y.known[key] {
			return nil
		}
		y.known[key] = true
		l.seats = append(l.seats, s)
		if s.role == tseras.Chair && l.chance(30) {
			y.plan(y.in(1+l.r.IntN(8)), &act{what: extends, life: l, seat: s})
		}
		switch {
		case l.chance(30): // never
		case l.chance(60): // too late, sometimes so late that others were drawn
			y.plan(y.in(9+l.r.IntN(15)), &act{what: records, life: l, seat: s})
		default:
			y.plan(y.in(l.r.IntN(5)), &act{what: records, life: l, seat: s})
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("simulate: seats: %w", err)
	}
	return nil
}

// goesOn plans what is done next in a case that has come into another state.
func (y *year) goesOn(l *life) {
	switch l.state {
	case tseras.AwaitingReferral:
		switch n := l.r.IntN(100); {
		case n < 7:
			y.plan(y.in(1+l.r.IntN(6)), &act{what: declines, life: l})
		case n < 8: // the institution says nothing, ever; some of these people give up
			if l.chance(500) {
				y.plan(y.in(20+l.r.IntN(40)), &act{what: withdraws, life: l})
			}
		case n < 16: // it is late
			y.plan(y.in(8+l.r.IntN(12)), &act{what: refers, life: l})
		default:
			y.plan(y.in(1+l.r.IntN(6)), &act{what: refers, life: l})
		}
	case tseras.Signing:
		for _, s := range l.seats {
			does := signs
			if l.chance(12) {
				does = refuses
			}
			days := l.r.IntN(3)
			switch {
			case l.chance(30):
				continue // never
			case l.chance(30):
				days = 8 + l.r.IntN(10) // too late
			}
			y.plan(y.in(days), &act{what: does, life: l, seat: s})
		}
	}
}

const sqlClocks = `
	SELECT c.id, c.state, s.turn, s.began, s.due_by
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.procedure = 'tseras' AND c.kind IN ('assessment', 'appeal') AND c.state IN ('gathering', 'awaiting_referral', 'awaiting_draw', 'drawn', 'further_member', 'signing')`

// The open cases whose clock is over and has not rung for it.
const sqlSilent = `
	SELECT count(*)
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed', 'entered', 'corrected', 'refused') AND s.due_by < @today
	  AND NOT EXISTS (SELECT FROM case_alarms a WHERE a.case_id = c.id AND a.turn = s.turn AND a.due_by = s.due_by AND a.alarm = 'overdue')`

func (y *year) ring(ctx context.Context) error {
	rang, err := y.alarms.Ring(ctx)
	for r, n := range rang {
		y.count("clocks rung: "+string(r.Alarm), n)
	}
	return err
}

func (y *year) remind(ctx context.Context) error {
	n, err := y.reminders.Remind(ctx)
	y.count("reminded of an examination", n)
	return err
}

// evening looks at all clocks: each that is over must ring, and it must be known for whom the case waits.
func (y *year) evening(ctx context.Context) error {
	today := begins.AddDays(y.day)
	for _, loop := range []struct {
		what string
		do   func(context.Context) error
	}{{"alarms", y.ring}, {"reminders", y.remind}} {
		if err := y.phase(ctx, loop.what, loop.do); err != nil {
			return err
		}
	}
	var silent int
	if err := y.admin.QueryRow(ctx, sqlSilent, pgx.NamedArgs{"today": today}).Scan(&silent); err != nil {
		return fmt.Errorf("simulate: alarms: %w", err)
	}
	for range silent {
		y.fault("a clock that is over has not rung")
	}
	rows, _ := y.admin.Query(ctx, sqlClocks) // the error comes out of ForEachRow
	var id int64
	var state casework.State
	var c casework.Clock
	var overdue []int64
	calendar := tesdiq.AzerbaijanCalendar()
	_, err := pgx.ForEachRow(rows, []any{&id, &state, &c.Turn, &c.Began, &c.DueBy}, func() error {
		alarm, err := c.Alarm(calendar, today)
		over := !c.DueBy.IsZero() && c.DueBy.Before(today)
		switch {
		case err != nil:
			return err
		case over != (alarm == casework.Overdue):
			y.fault("a clock that is over does not ring, or rings and is not over")
		case c.DueBy.IsZero():
			y.fault("an open case without a clock: " + string(state))
		case over:
			overdue = append(overdue, id)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("simulate: clocks: %w", err)
	}
	if len(overdue) == 0 {
		return nil
	}
	why, err := explain(ctx, y.admin, overdue)
	if err != nil {
		return err
	}
	for _, id := range overdue {
		if why[id].Waits == "" {
			y.fault("a clock is over and nobody knows why: " + string(why[id].State))
		}
		y.late[why[id].Waits]++
	}
	y.did["overdue clocks seen on an evening"] += len(overdue)
	return nil
}

// leaveEvery is after how many days a member leaves his commission, in the middle of his cases, and somebody else comes.
const leaveEvery = 28

func (y *year) leave(ctx context.Context) error {
	if y.day >= yearDays || y.day%leaveEvery != 0 {
		return nil
	}
	n := y.day / leaveEvery
	pool, err := postgres.Open(ctx, y.url(), postgres.Operator)
	if err != nil {
		return err
	}
	defer pool.Close()
	op := tserasdb.Operator{Pool: pool, Now: y.now, Rand: y.dice}
	panel := fmt.Sprintf("K%02d", 1+n%panels)
	if err := op.EndMember(ctx, tseras.MemberID(fmt.Sprintf("%s-%d", panel, 1+(n/panels)%perPanel))); err != nil {
		return err
	}
	_, err = op.AddMember(ctx, panel, tesdiq.FIN(fmt.Sprintf("%02dY%04d", n, n)), "Həkim Nümunəvi", true)
	y.count("members left", 1)
	return err
}
