package tseras

import (
	"cmp"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Hours are when and where a commission examines in person, on one day of the week.
type Hours struct {
	Commission    string
	Weekday       time.Weekday
	Opens, Closes int // minutes since midnight in Baku
	Minutes       int // that one examination has
	AtATime       int // how many go on side by side
	Place         string
}

// Limits of Hours.
const (
	MaxAtATime = 20
	MaxMinutes = 240
	MinMinutes = 5
	MaxPlace   = 200
)

const dayMinutes = 24 * 60

// Validate lists what is wrong with hours, by the fields weekday, from, until, minutes, at_a_time, place.
func (h Hours) Validate() (ps tesdiq.Problems) {
	if h.Weekday < time.Sunday || h.Weekday > time.Saturday {
		ps.Add("weekday", tesdiq.Invalid("tseras.hours.weekday"))
	}
	if h.Minutes < MinMinutes || h.Minutes > MaxMinutes {
		ps.Add("minutes", tesdiq.Invalid("tseras.hours.minutes").With("Least", MinMinutes).With("Most", MaxMinutes))
	}
	if h.Opens < 0 || h.Closes > dayMinutes || h.Opens+h.Minutes > h.Closes {
		ps.Add("until", tesdiq.Invalid("tseras.hours.until"))
	}
	if h.AtATime < 1 || h.AtATime > MaxAtATime {
		ps.Add("at_a_time", tesdiq.Invalid("tseras.hours.at_a_time").With("Most", MaxAtATime))
	}
	ps.Add("place", tesdiq.CheckText(h.Place, MaxPlace, true))
	return ps
}

// Slot is a time at which a commission examines one person.
type Slot struct {
	Commission   string
	Starts, Ends time.Time
	Lane         int // which of those side by side, from 1
	Place        string
}

// Slots are all of some hours on the working days from first to last, the earliest first. Days of a year whose movable
// holidays are not set yet are counted by the yearly holidays alone.
func Slots(all []Hours, cal *tesdiq.Calendar, first, last tesdiq.Date) ([]Slot, error) {
	var slots []Slot
	for day := first; !day.After(last); day = day.AddDays(1) {
		if next, _, err := cal.Term(day.AddDays(-1), 1); err != nil {
			return nil, err
		} else if next != day {
			continue
		}
		for _, h := range all {
			if h.Weekday != day.Weekday() {
				continue
			}
			for at := h.Opens; at+h.Minutes <= h.Closes; at += h.Minutes {
				starts := day.Start().Add(time.Duration(at) * time.Minute)
				for lane := 1; lane <= h.AtATime; lane++ {
					slots = append(slots, Slot{h.Commission, starts, starts.Add(time.Duration(h.Minutes) * time.Minute), lane, h.Place})
				}
			}
		}
	}
	slices.SortStableFunc(slots, func(a, b Slot) int {
		return cmp.Or(a.Starts.Compare(b.Starts), cmp.Compare(a.Commission, b.Commission), cmp.Compare(a.Lane, b.Lane))
	})
	return slots, nil
}

// Free are those slots with which none that is taken overlaps. They may overlap although both are the commission's, where its
// hours were changed meanwhile.
func Free(slots, taken []Slot) []Slot {
	type lane struct {
		commission string
		n          int
	}
	by := map[lane][]Slot{}
	for _, t := range taken {
		k := lane{t.Commission, t.Lane}
		by[k] = append(by[k], t)
	}
	return slices.DeleteFunc(slices.Clone(slots), func(s Slot) bool {
		return slices.ContainsFunc(by[lane{s.Commission, s.Lane}], func(t Slot) bool { return s.Starts.Before(t.Ends) && t.Starts.Before(s.Ends) })
	})
}

// Reminder is the working day before a slot, on which the person is reminded.
func Reminder(cal *tesdiq.Calendar, s Slot) (tesdiq.Date, error) {
	on := tesdiq.DateOf(s.Starts)
	for day := on.AddDays(-1); ; day = day.AddDays(-1) {
		if next, _, err := cal.Term(day.AddDays(-1), 1); err != nil || next == day {
			return day, err
		}
	}
}

// Examined is how an appeal's examination in person stands.
type Examined struct {
	Ticket BlindNumber // by which the person is called: the commission knows him by no other name
	N      int         // of the slots that he was given
	Slot   Slot        // that he has
	Moves  int         // how often he may still choose another
	Again  int         // how often there is still a new one if he cannot come
}
