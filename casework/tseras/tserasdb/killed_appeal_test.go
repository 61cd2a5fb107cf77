package tserasdb_test

import (
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
)

// decidedAlone is before each appeal: a round is committed to, and the registers have decided.
var decidedAlone = []deed{
	{"commit to a round", draw}, {"apply", applies}, {"decide alone", gather},
	{"remember", func(j *journey) error { j.first = j.number; return nil }},
}

func appeal(j *journey) error {
	fin, by := subject(j.who)
	c, err := j.desk.Appeal(j.Context(), fin, j.first, by, disputed, "form-2")
	j.number = c.Number
	return err
}

// slot is the one that the appeal has.
func (j *journey) slot() tseras.Examined {
	j.Helper()
	s := j.state(j.fin, j.number)
	if s.Examined == nil {
		j.Fatalf("%s has no slot", j.number)
	}
	return *s.Examined
}

// at lets a deed be done some time after the slot begins, or before it.
func at(after time.Duration, do func(*journey) error) func(*journey) error {
	return func(j *journey) error {
		if j.meets.IsZero() || after >= 0 {
			j.meets = j.slot().Slot.Starts
		}
		j.later = time.Until(j.meets) + after
		return do(j)
	}
}

// moves takes the slot after the first that is offered, and the same when it is done again.
func moves(j *journey) error {
	if j.wanted.IsZero() {
		free, err := j.desk.Slots(j.Context(), j.fin, j.number)
		if err != nil {
			return err
		}
		j.wanted = free[1].Starts
	}
	_, by := subject(j.who)
	return j.desk.Move(j.Context(), j.fin, j.number, by, j.wanted)
}

func cannotCome(j *journey) error {
	_, by := subject(j.who)
	return done(j.desk.CannotCome(j.Context(), j.fin, j.number, by))
}

// remind reminds of the slot on the day before.
func remind(j *journey) error {
	_, err := tserasdb.Reminders{Pool: j.desk.Pool, Calendar: j.desk.Calendar, Now: j.now}.Remind(j.Context())
	return err
}

// nobodyCame is the chair's word when the slot is over. n: which of the slots.
func nobodyCame(n int) func(*journey) error {
	return chairDoes(func(j *journey, chair tesdiq.FIN) error { return done(j.bench.Absent(j.Context(), chair, j.blind, n)) })
}

// Together the roads have each transaction of an appeal.
var appealRoads = []road{
	{name: "an appeal that is examined and replaces", who: "sevinc", before: decidedAlone, deeds: []deed{
		{"appeal", appeal},
		{"draw, and give a slot", draw},
		{"move the slot", moves},
		{"remind of it", at(-20*time.Hour, remind)},
		{"look, and record", at(time.Minute, record(2, 2))},
		{"compute and propose", decide},
		{"sign", sign("")},
		{"decide", decide},
	}},
	{name: "an appeal to which nobody comes", who: "sevinc", before: decidedAlone, deeds: []deed{
		{"appeal", appeal},
		{"draw, and give a slot", draw},
		{"the chair says that nobody came", at(time.Hour, nobodyCame(1))},
		{"give another slot", decide},
		{"the chair says it again", at(time.Hour, nobodyCame(2))},
		{"let it lapse", decide},
	}},
	{name: "an appeal that is taken back", who: "sevinc", before: decidedAlone, deeds: []deed{
		{"appeal", appeal},
		{"draw, and give a slot", draw},
		{"cannot come", cannotCome},
		{"take it back", func(j *journey) error {
			_, by := subject(j.who)
			return done(j.desk.Withdraw(j.Context(), j.fin, j.number, by))
		}},
	}},
}
