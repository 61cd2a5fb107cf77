package outbox

import (
	"time"

	"github.com/tesdiq/tesdiq"
)

// Entry is what is known of one message that is to go out.
type Entry struct {
	ID      int64
	Code    bool // it is a code to confirm an address, and no message
	At      time.Time
	Key     string
	Args    map[string]string
	Contact int64 // 0: the person wants no more than the cabinet
	Channel tesdiq.Channel
	Address string
	Lang    tesdiq.Lang
	Today   int // other messages to that address in the last 24 hours
	Tries   []Try
}

// Try is one part that was handed to a carrier once, and what became of it.
type Try struct {
	Dispatch    int64
	Part, Parts int
	Attempt     int
	At          time.Time
	Accepted    bool
	Unsent      bool // surely nothing left
	Refused     bool // for now
	Unsure      bool // it left, and no answer came
}

// open says that nothing is known of it: who made it has stopped in between.
func (t Try) open() bool { return !t.Accepted && !t.Unsent && !t.Refused && !t.Unsure }

// Outcome is how a message ended for us.
type Outcome string

// The outcomes.
const (
	None    Outcome = "none"    // there is no way out, or none is wanted
	Sent    Outcome = "sent"    // the carrier has all of it
	Unsure  Outcome = "unsure"  // it may have arrived
	Refused Outcome = "refused" // the carrier does not take it
	Expired Outcome = "expired" // it could not be sent in time
)

// Step is what is to be done with an entry: one of End, Until and Send.
type Step struct {
	Lost  []int64 // dispatches of which nothing will be known any more: note them as unsure
	End   Outcome
	Until time.Time // look again then
	Send  []int     // the parts to send now
}

// How long to wait after a part was refused for now, or nothing left; doubled by each further attempt, up to the longest. In the time
// that a message has there can be no thousand attempts, which the schema takes for a fault.
const (
	firstBackoff   = time.Minute
	longestBackoff = time.Hour
	unsentBackoff  = 5 * time.Second
	longestUnsent  = 10 * time.Minute
	limitBackoff   = time.Hour // when the number has had its messages of the day
)

// Next decides what to do with an entry whose text has some number of parts. It is called when nobody is at work on it, so a
// try without an end is one that a crash left: it may have left, or not. The rule for these: they are sent again after
// Settle, in which a receipt may still tell, and all in all at most UnsureMost times.
func (e Entry) Next(now time.Time, parts int, r Rules, has func(tesdiq.Channel) bool) Step {
	var s Step
	if e.Contact == 0 || !has(e.Channel) {
		s.End = None
		return s
	}
	accepted, unsure := make([]bool, parts+1), make([]int, parts+1)
	var again time.Time
	for _, t := range e.Tries {
		if t.open() {
			s.Lost = append(s.Lost, t.Dispatch)
			t.Unsure = true
		}
		if t.Parts != parts { // the words have changed since: what is half sent is not sent anew
			s.End = Unsure
			return s
		}
		switch {
		case t.Accepted:
			accepted[t.Part] = true
		case t.Unsure:
			unsure[t.Part]++
			if !e.Code { // who waits for a code does not wait for a receipt
				again = later(again, t.At.Add(r.Settle))
			}
		case t.Unsent:
			again = later(again, t.At.Add(min(unsentBackoff<<min(t.Attempt-1, 10), longestUnsent)))
		case t.Refused:
			again = later(again, t.At.Add(min(firstBackoff<<min(t.Attempt-1, 10), longestBackoff)))
		}
	}
	whole, doubt := true, false
	for part := 1; part <= parts; part++ {
		switch {
		case accepted[part]:
		case unsure[part] >= r.UnsureMost:
			whole, doubt = false, true
		default:
			whole, doubt = false, doubt || unsure[part] > 0
			s.Send = append(s.Send, part)
		}
	}
	late := e.At.Add(r.MessageFor)
	if e.Code {
		late = e.At.Add(r.CodeFor)
	}
	switch {
	case whole:
		s.End = Sent
	case len(s.Send) == 0:
		s.End = Unsure
	case !now.Before(late) && doubt:
		s.End = Unsure
	case !now.Before(late):
		s.End = Expired
	case now.Before(again):
		s.Until = again
	case e.Channel == tesdiq.SMS && !e.Code:
		if until, quiet := r.Quiet(now); quiet {
			s.Until = until
		} else if e.Today >= r.DailyMost && len(e.Tries) == 0 {
			s.Until = now.Add(limitBackoff)
		}
	}
	if s.End != "" || !s.Until.IsZero() {
		s.Send = nil
	}
	return s
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// attempt is the number of a part's next attempt.
func (e Entry) attempt(part int) int {
	n := 1
	for _, t := range e.Tries {
		if t.Part == part {
			n = max(n, t.Attempt+1)
		}
	}
	return n
}
