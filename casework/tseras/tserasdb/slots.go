package tserasdb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
)

const sqlHours = `
	SELECT h.commission_id, h.weekday % 7, h.opens, h.closes, h.minutes, h.at_a_time, h.place
	FROM commission_hours h
	JOIN commissions k ON k.id = h.commission_id
	WHERE h.ended_at IS NULL AND k.closed_at IS NULL AND (@commission = '' OR h.commission_id = @commission)`

const sqlSlotsTaken = `
	SELECT h.commission_id, h.starts_at, h.ends_at, h.lane, h.place
	FROM tseras_slots_held h
	WHERE h.starts_at >= @first AND h.starts_at < @last AND (@commission = '' OR h.commission_id = @commission)`

// freeSlots are the slots of a commission, or of all (""), that nobody holds, on the days from first to last.
func freeSlots(ctx context.Context, q queryer, cal *tesdiq.Calendar, commission string, first, last tesdiq.Date) ([]tseras.Slot, error) {
	rows, _ := q.Query(ctx, sqlHours, pgx.NamedArgs{"commission": commission}) // the error comes out of Collect
	hours, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tseras.Hours])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: hours: %w", err)
	}
	all, err := tseras.Slots(hours, cal, first, last)
	if err != nil {
		return nil, err
	}
	rows, _ = q.Query(ctx, sqlSlotsTaken, pgx.NamedArgs{"commission": commission, "first": first.Start(), "last": last.End()})
	taken, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tseras.Slot])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: slots: %w", err)
	}
	return tseras.Free(all, taken), nil
}

// slotDays are the first and the last day of the slots that are given or offered on a day: notice working days after it at least.
func slotDays(cal *tesdiq.Calendar, today tesdiq.Date, notice int) (first, last tesdiq.Date, err error) {
	if first, _, err = cal.Term(today, notice); err != nil {
		return first, last, err
	}
	last, _, err = cal.Term(today, max(notice, tseras.AppealRulesOn(today).Ahead))
	return first, last, err
}

// A slot that somebody holds is not given. Of two who want the same one at a moment the second waits for the first, and finds
// that it is taken.
const sqlTakeSlot = `
	INSERT INTO tseras_slots (number, n, commission_id, starts_at, lane, turn, ends_at, place, given_at)
	SELECT @number, @n, @commission, @starts, @lane,
	       1 + coalesce((SELECT max(s.turn) FROM tseras_slots s WHERE s.commission_id = @commission AND s.starts_at = @starts AND s.lane = @lane), 0),
	       @ends, @place, @now
	WHERE NOT EXISTS (SELECT FROM tseras_slots_held h WHERE h.commission_id = @commission AND h.starts_at = @starts AND h.lane = @lane)
	ON CONFLICT (commission_id, starts_at, lane, turn) DO NOTHING`

// take gives a case the first of some slots that is still free. tseras.ErrTaken when none is.
func take(ctx context.Context, tx pgx.Tx, number tseras.BlindNumber, n int, free []tseras.Slot, now time.Time) (tseras.Slot, error) {
	for _, s := range free {
		tag, err := tx.Exec(ctx, sqlTakeSlot, pgx.NamedArgs{"number": number, "n": n, "commission": s.Commission, "starts": s.Starts, "lane": s.Lane,
			"ends": s.Ends, "place": s.Place, "now": now})
		if err != nil {
			return s, fmt.Errorf("tserasdb: take a slot: %w", err)
		}
		if tag.RowsAffected() == 1 {
			return s, nil
		}
	}
	return tseras.Slot{}, tseras.ErrTaken
}

// slotBook is the free slots of all commissions as a round of draws gives them away. It is read when the first appeal asks.
type slotBook struct {
	calendar *tesdiq.Calendar
	today    tesdiq.Date
	free     map[string][]tseras.Slot // nil before
}

func (b *slotBook) read(ctx context.Context, tx pgx.Tx) error {
	if b.free != nil {
		return nil
	}
	first, last, err := slotDays(b.calendar, b.today, tseras.AppealRulesOn(b.today).Notice)
	if err != nil {
		return err
	}
	all, err := freeSlots(ctx, tx, b.calendar, "", first, last)
	if err != nil {
		return err
	}
	b.free = map[string][]tseras.Slot{}
	for _, s := range all {
		b.free[s.Commission] = append(b.free[s.Commission], s)
	}
	return nil
}

// open leaves of the commissions those that can see somebody in time.
func (b *slotBook) open(ctx context.Context, tx pgx.Tx, all []tseras.Commission) (some []tseras.Commission, err error) {
	if err := b.read(ctx, tx); err != nil {
		return nil, err
	}
	for _, c := range all {
		if len(b.free[c.ID]) > 0 {
			some = append(some, c)
		}
	}
	return some, nil
}

const sqlSlotsGiven = `SELECT count(*) FROM tseras_slots WHERE number = @number`

// give gives a case, as one more, the commission's first free slot.
func (b *slotBook) give(ctx context.Context, tx pgx.Tx, commission string, number tseras.BlindNumber, now time.Time) (tseras.Slot, error) {
	var n int
	if err := tx.QueryRow(ctx, sqlSlotsGiven, pgx.NamedArgs{"number": number}).Scan(&n); err != nil {
		return tseras.Slot{}, fmt.Errorf("tserasdb: slots given: %w", err)
	}
	s, err := take(ctx, tx, number, n+1, b.free[commission], now)
	if err != nil {
		return s, err
	}
	b.free[commission] = tseras.Free(b.free[commission], []tseras.Slot{s})
	return s, nil
}

const sqlSlotOf = `
	SELECT b.number, h.n, h.commission_id, h.starts_at, h.ends_at, h.lane, h.place,
	       (SELECT count(*) FROM tseras_slot_returns r WHERE r.number = b.number AND r.why = 'moved'),
	       (SELECT count(*) FROM tseras_slot_returns r WHERE r.number = b.number AND r.why IN ('cannot', 'absent'))
	FROM tseras_blind b
	JOIN tseras_slots_held h ON h.number = b.number
	WHERE b.case_id = @id`

// slotOf is the slot that a case has, and what is left of changing it. casework.ErrState when it has none.
func slotOf(ctx context.Context, tx pgx.Tx, c casework.Case) (x tseras.Examined, err error) {
	var moved, again int
	err = tx.QueryRow(ctx, sqlSlotOf, pgx.NamedArgs{"id": c.ID}).Scan(&x.Ticket, &x.N, &x.Slot.Commission, &x.Slot.Starts, &x.Slot.Ends, &x.Slot.Lane,
		&x.Slot.Place, &moved, &again)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return x, casework.ErrState
	case err != nil:
		return x, fmt.Errorf("tserasdb: slot: %w", err)
	}
	rules := tseras.AppealRulesOn(tesdiq.DateOf(c.Opened))
	x.Moves, x.Again = max(0, rules.Moves-moved), max(0, rules.Again-again)
	return x, nil
}

// Why a slot is given back.
const (
	slotMoved     = "moved"
	slotCannot    = "cannot" // the person has said that he cannot come
	slotAbsent    = "absent" // the chair has said that he did not
	slotWithdrawn = "withdrawn"
	slotSilent    = "silent" // nobody of the commission has said what he found
)

const sqlReturnSlot = `
	INSERT INTO tseras_slot_returns (number, n, commission_id, starts_at, lane, turn, why, returned_at)
	SELECT s.number, s.n, s.commission_id, s.starts_at, s.lane, s.turn, @why, @now
	FROM tseras_slots s
	WHERE s.number = @number AND s.n = @n`

// giveBack gives a case's slot back, for others.
func giveBack(ctx context.Context, tx pgx.Tx, x tseras.Examined, why string, now time.Time) error {
	if _, err := tx.Exec(ctx, sqlReturnSlot, pgx.NamedArgs{"number": x.Ticket, "n": x.N, "why": why, "now": now}); err != nil {
		return fmt.Errorf("tserasdb: give back a slot: %w", err)
	}
	return nil
}

// slotArgs are what a step's sentence says of a slot.
func slotArgs(s tseras.Slot) map[string]string {
	return map[string]string{"Day": tesdiq.DateOf(s.Starts).String(), "Time": s.Starts.In(tesdiq.Baku).Format("15:04"), "Place": s.Place}
}

// slotNow is a person's appeal that waits for him, held by the transaction, with its slot. casework.ErrState when he is not
// waited for, or the slot has begun.
func (d Desk) slotNow(ctx context.Context, tx pgx.Tx, subject tesdiq.FIN, number string) (c casework.Case, x tseras.Examined, err error) {
	if c, err = caseworkdb.ByNumber(ctx, tx, subject, number); err != nil {
		return c, x, err
	}
	if c, err = caseworkdb.Lock(ctx, tx, c.ID); err != nil {
		return c, x, err
	}
	if c.Kind != tseras.Appeal || c.State != tseras.Drawn {
		return c, x, casework.ErrState
	}
	if x, err = slotOf(ctx, tx, c); err == nil && !d.moment().Before(x.Slot.Starts) {
		err = casework.ErrState
	}
	return c, x, err
}

// offered are the free slots that a person may choose from, from the next working day on. Where none is free so soon, none is offered.
func (d Desk) offered(ctx context.Context, q queryer, commission string) ([]tseras.Slot, error) {
	first, last, err := slotDays(d.Calendar, tesdiq.DateOf(d.moment()), 1)
	if err != nil {
		return nil, err
	}
	return freeSlots(ctx, q, d.Calendar, commission, first, last)
}

// Slots are the free slots to which a person may move his appeal: one of each time.
func (d Desk) Slots(ctx context.Context, subject tesdiq.FIN, number string) (times []tseras.Slot, err error) {
	err = pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		_, x, err := d.slotNow(ctx, tx, subject, number)
		if err != nil {
			return err
		}
		free, err := d.offered(ctx, tx, x.Slot.Commission)
		for _, s := range free {
			if n := len(times); s.Starts != x.Slot.Starts && (n == 0 || !times[n-1].Starts.Equal(s.Starts)) {
				times = append(times, s)
			}
		}
		return err
	})
	return times, err
}

// Move moves a person's appeal to another slot that is offered, by when it starts. tseras.ErrNoMoves when he has moved it as
// often as he may, tseras.ErrTaken when the slot is not free.
func (d Desk) Move(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor, starts time.Time) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		c, x, err := d.slotNow(ctx, tx, subject, number)
		switch {
		case err != nil:
			return err
		case x.Slot.Starts.Equal(starts):
			return nil // it is his
		case x.Moves == 0:
			return tseras.ErrNoMoves
		}
		free, err := d.offered(ctx, tx, x.Slot.Commission)
		if err != nil {
			return err
		}
		var same []tseras.Slot
		for _, s := range free {
			if s.Starts.Equal(starts) {
				same = append(same, s)
			}
		}
		_, err = d.another(ctx, tx, c, x, same, slotMoved, by)
		return err
	})
}

// CannotCome says that the person cannot come to his slot, and gives him the next free one. tseras.ErrNoneAgain when there was
// one already.
func (d Desk) CannotCome(ctx context.Context, subject tesdiq.FIN, number string, by casework.Actor) error {
	return pgx.BeginFunc(ctx, d.Pool, func(tx pgx.Tx) error {
		c, x, err := d.slotNow(ctx, tx, subject, number)
		switch {
		case err != nil:
			return err
		case x.Again == 0:
			return tseras.ErrNoneAgain
		}
		free, err := d.later(ctx, tx, x)
		if err != nil {
			return err
		}
		_, err = d.another(ctx, tx, c, x, free, slotCannot, by)
		return err
	})
}

// seekDays is for how many days further a slot is looked for where none is free in time: a case that waits for a slot is shown as
// late, one without a slot would be forgotten.
const seekDays = 120

// later are the free slots after the one that a case has, with the usual notice.
func (d Desk) later(ctx context.Context, q queryer, x tseras.Examined) ([]tseras.Slot, error) {
	today := tesdiq.DateOf(d.moment())
	if on := tesdiq.DateOf(x.Slot.Starts); on.After(today) {
		today = on
	}
	first, last, err := slotDays(d.Calendar, today, tseras.AppealRulesOn(today).Notice)
	if err != nil {
		return nil, err
	}
	return freeSlots(ctx, q, d.Calendar, x.Slot.Commission, first, last.AddDays(seekDays))
}

// another gives a case another slot for the one that it has, and tells the person.
func (d Desk) another(ctx context.Context, tx pgx.Tx, c casework.Case, x tseras.Examined, free []tseras.Slot, why string, by casework.Actor) (casework.Case, error) {
	now := d.moment()
	if err := giveBack(ctx, tx, x, why, now); err != nil {
		return c, err
	}
	s, err := take(ctx, tx, x.Ticket, x.N+1, free, now)
	if err != nil {
		return c, err
	}
	what := "slot_" + why
	if c, err = d.move(ctx, tx, c, tseras.Drawn, "moved", by, what, slotArgs(s)); err != nil {
		return c, err
	}
	return c, tellAppeal(ctx, tx, c, what, slotArgs(s), now)
}

// absent does what the chair's word leads to that the person did not come: another slot, or the end.
func (d Desk) absent(ctx context.Context, tx pgx.Tx, c casework.Case, b bench) error {
	x, err := slotOf(ctx, tx, c)
	if err != nil {
		return err
	}
	by := casework.Actor{Part: casework.ByChair, FIN: b.chair, Office: b.commission}
	if x.Again > 0 {
		free, err := d.later(ctx, tx, x)
		if err != nil {
			return err
		}
		_, err = d.another(ctx, tx, c, x, free, slotAbsent, by)
		return err
	}
	if err := giveBack(ctx, tx, x, slotAbsent, d.moment()); err != nil {
		return err
	}
	if c, err = d.move(ctx, tx, c, tseras.Lapsed, "", by, "lapsed", nil); err != nil {
		return err
	}
	return tellAppeal(ctx, tx, c, "lapsed", nil, d.moment())
}

// Reminders remind people of the slots to which they are expected. It may be broken off and run again at any time: each reminder
// is written with its message, once.
type Reminders struct {
	Pool     *pgxpool.Pool // as tesdiq_casework
	Calendar *tesdiq.Calendar
	Now      func() time.Time
}

// The slots of the next days of which nobody was reminded, and which were given before the day of the reminder.
const sqlToRemind = `
	SELECT c.id, h.number, h.n, h.commission_id, h.starts_at, h.ends_at, h.lane, h.place, h.given_at
	FROM tseras_slots_held h
	JOIN tseras_blind b ON b.number = h.number
	JOIN cases c ON c.id = b.case_id
	WHERE h.starts_at > @now AND h.starts_at < @last AND c.state = 'drawn'
	  AND NOT EXISTS (SELECT FROM tseras_slot_reminders r WHERE r.number = h.number AND r.n = h.n)
	ORDER BY h.starts_at
	FOR UPDATE OF c SKIP LOCKED`

const sqlReminded = `
	INSERT INTO tseras_slot_reminders (number, n, at)
	VALUES (@number, @n, @now)`

// remindAhead is how many days before a slot it is looked whether its reminder is due: longer than any row of holidays.
const remindAhead = 15

// Remind reminds everybody whose slot is on the next working day, and returns how many they were. Who was given the slot today was
// told today.
func (r Reminders) Remind(ctx context.Context) (n int, err error) {
	now := r.Now().UTC().Truncate(time.Microsecond)
	today := tesdiq.DateOf(now)
	err = pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		n = 0
		rows, _ := tx.Query(ctx, sqlToRemind, pgx.NamedArgs{"now": now, "last": today.AddDays(remindAhead).End()}) // the error comes out of Collect
		type due struct {
			id    casework.ID
			x     tseras.Examined
			given time.Time
		}
		all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d due, err error) {
			s := &d.x.Slot
			return d, row.Scan(&d.id, &d.x.Ticket, &d.x.N, &s.Commission, &s.Starts, &s.Ends, &s.Lane, &s.Place, &d.given)
		})
		if err != nil {
			return fmt.Errorf("tserasdb: to remind: %w", err)
		}
		for _, d := range all {
			day, err := tseras.Reminder(r.Calendar, d.x.Slot)
			if err != nil {
				return err
			}
			if today.Before(day) || tesdiq.DateOf(d.given) == today {
				continue
			}
			c, err := caseworkdb.Lock(ctx, tx, d.id)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, sqlReminded, pgx.NamedArgs{"number": d.x.Ticket, "n": d.x.N, "now": now}); err != nil {
				return fmt.Errorf("tserasdb: reminded: %w", err)
			}
			if err := tellAppeal(ctx, tx, c, "slot_tomorrow", slotArgs(d.x.Slot), now); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

const sqlAddHours = `
	INSERT INTO commission_hours (commission_id, weekday, opens, closes, minutes, at_a_time, place, added_at)
	SELECT k.id, @weekday, @opens, @closes, @minutes, @at_a_time, @place, @now
	FROM commissions k
	WHERE k.id = @commission AND k.closed_at IS NULL
	RETURNING id, (to_jsonb(commission_hours) - 'ended_at')::text`

// AddHours says when a commission examines in person on one day of the week. A day that has hours is a Conflict, "tseras.hours.exists".
func (o Operator) AddHours(ctx context.Context, h tseras.Hours) (id int64, err error) {
	if err := h.Validate().Err(); err != nil {
		return 0, err
	}
	weekday := int(h.Weekday)
	if h.Weekday == time.Sunday {
		weekday = 7
	}
	err = o.write(ctx, tseras.ListHours, tseras.ListAdded, sqlAddHours, pgx.NamedArgs{"commission": h.Commission, "weekday": weekday, "opens": h.Opens, "closes": h.Closes, "minutes": h.Minutes,
		"at_a_time": h.AtATime, "place": h.Place, "now": o.Now()}, tesdiq.NewProblem(tesdiq.Conflict, "tseras.hours.exists").In("weekday"), &id)
	return id, err
}

const sqlEndHours = `
	UPDATE commission_hours SET ended_at = @now
	WHERE commission_id = @commission AND weekday = @weekday AND ended_at IS NULL
	RETURNING id, to_jsonb(commission_hours)::text`

// EndHours ends a commission's hours of one day of the week: no further slot is given. Slots that people have stay theirs.
func (o Operator) EndHours(ctx context.Context, commission string, day time.Weekday) (id int64, err error) {
	weekday := int(day)
	if day == time.Sunday {
		weekday = 7
	}
	err = o.write(ctx, tseras.ListHours, tseras.ListEnded, sqlEndHours, pgx.NamedArgs{"commission": commission, "weekday": weekday, "now": o.Now()}, nil, &id)
	return id, err
}
