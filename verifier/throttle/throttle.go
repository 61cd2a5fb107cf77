// Package throttle stops the guessing of codes: it counts questions that found nothing, per asker and in the whole.
// It keeps everything in memory, knows no code and no person, and forgets after a minute.
package throttle

import (
	"context"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Window is the time over which is counted.
const Window = time.Minute

// Limits are how many misses and questions are borne within Window. All fields are required.
type Limits struct {
	Misses  int // by one address prefix
	Tripped int // by all prefixes together; beyond it, a prefix with any miss of its own is refused
	Client  int // by one API client, who is known and does not count towards Tripped
	Quota   int // questions, hits too, by one API client
	Asked   int // questions, hits too, by one address prefix or one person who does not act for an organisation
	Keys    int // that are remembered at most; the oldest are forgotten first
}

// Default are the limits of the public service. The memory for them stays under 20 MB.
var Default = Limits{Misses: 20, Tripped: 200, Client: 300, Quota: 600_000, Asked: 120, Keys: 50_000}

// Throttle counts. Use New.
type Throttle struct {
	limits  Limits
	tripped func(misses int) // told at most once in a Window

	mu      sync.Mutex
	askers  map[string]*asker
	order   []string // keys of askers, oldest first
	misses  ring     // of all prefixes
	alarmed time.Time
}

// asker is one prefix or client.
type asker struct {
	misses  []time.Time   // within the window, oldest first
	open    int           // questions that have not ended
	settled chan struct{} // closed when one of them ends; nil when nobody waits
	asked   int           // questions in the window that began at since; see ask
	since   time.Time
}

// New makes a throttle. tripped is told when the misses of all prefixes pass the limit; it may be nil.
func New(limits Limits, tripped func(misses int)) *Throttle {
	return &Throttle{limits: limits, tripped: tripped, askers: map[string]*asker{}, misses: ring{times: make([]time.Time, limits.Tripped)}}
}

// Reservation is the right to ask one question. The first Hit or Miss ends it; what comes later does nothing, and so
// does anything with the zero Reservation.
type Reservation struct {
	t      *Throttle
	a      *asker
	at     time.Time
	public bool // counts towards Tripped
}

// Prefix reserves a question of somebody who is known only by an address prefix. It waits while questions of the same
// prefix are open that could still use up its limit: so parallel guesses cannot all pass a limit that none of them has
// reached yet, and parallel hits are not refused.
// The error is a Problem of kind TooMany, "throttle.misses" or "throttle.tripped", with Args["Seconds"]; or the context's.
func (t *Throttle) Prefix(ctx context.Context, prefix string, now time.Time) (*Reservation, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		a := t.asker("prefix "+prefix, now)
		limit := t.limits.Misses
		if err := a.room(limit, now); err != nil {
			return nil, err
		}
		if since, over := t.misses.full(now); over {
			if limit = 1; len(a.misses) > 0 {
				return nil, tooMany(tesdiq.NewProblem(tesdiq.TooMany, "throttle.tripped"), since, now)
			}
		}
		if len(a.misses)+a.open < limit {
			return t.reserve(a, now, true), nil
		}
		if err := t.wait(ctx, a); err != nil {
			return nil, err
		}
	}
}

// Ask counts a question of somebody for whom no organisation answers, whatever comes of it: whoever holds one code must
// not be able to bury its subject in messages. key is an address prefix or stands for a person.
// The error is a Problem of kind TooMany, "throttle.asked", with Args["Seconds"].
func (t *Throttle) Ask(key string, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.asker("asker "+key, now)
	if err := a.ask(t.limits.Asked, "throttle.asked", now); err != nil {
		return err
	}
	a.asked++
	return nil
}

// Client reserves a question of an API client.
// The error is a Problem of kind TooMany, "throttle.misses" or "throttle.quota", with Args["Seconds"]; or the context's.
func (t *Throttle) Client(ctx context.Context, id string, now time.Time) (*Reservation, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		a := t.asker("client "+id, now)
		if err := a.ask(t.limits.Quota, "throttle.quota", now); err != nil {
			return nil, err
		}
		if err := a.room(t.limits.Client, now); err != nil {
			return nil, err
		}
		if len(a.misses)+a.open < t.limits.Client {
			a.asked++
			return t.reserve(a, now, false), nil
		}
		if err := t.wait(ctx, a); err != nil {
			return nil, err
		}
	}
}

func (t *Throttle) reserve(a *asker, now time.Time, public bool) *Reservation {
	a.open++
	return &Reservation{t: t, a: a, at: now, public: public}
}

// wait gives the lock away until a question of the asker ends.
func (t *Throttle) wait(ctx context.Context, a *asker) error {
	if a.settled == nil {
		a.settled = make(chan struct{})
	}
	settled := a.settled
	t.mu.Unlock()
	defer t.mu.Lock()
	select {
	case <-settled:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Hit ends the question: it found something, or could not have been a guess.
func (r *Reservation) Hit() { r.end(false) }

// Miss ends the question: it found nothing.
func (r *Reservation) Miss() { r.end(true) }

func (r *Reservation) end(miss bool) {
	t := r.t
	if t == nil {
		return
	}
	t.mu.Lock()
	a := r.a
	if a == nil {
		t.mu.Unlock()
		return
	}
	r.a = nil
	a.open--
	if a.settled != nil {
		close(a.settled)
		a.settled = nil
	}
	alarm := false
	if miss {
		a.misses = append(a.misses, r.at)
		alarm = r.public && t.count(r.at)
	}
	t.mu.Unlock()
	if alarm && t.tripped != nil {
		t.tripped(t.limits.Tripped)
	}
}

// count adds a miss to those of all prefixes, and says whether to give alarm.
func (t *Throttle) count(at time.Time) bool {
	t.misses.add(at)
	if _, over := t.misses.full(at); !over || !t.alarmed.IsZero() && at.Sub(t.alarmed) < Window {
		return false
	}
	t.alarmed = at
	return true
}

// asker finds or makes the entry of a key. The caller holds the lock.
func (t *Throttle) asker(key string, now time.Time) *asker {
	a, ok := t.askers[key]
	if !ok {
		t.forget(now)
		a = &asker{since: now}
		t.askers[key] = a
		t.order = append(t.order, key)
	}
	for len(a.misses) > 0 && now.Sub(a.misses[0]) >= Window {
		a.misses = a.misses[1:]
	}
	return a
}

// forget makes room for one more key: the oldest go whose time is over, and one more if there is still none.
func (t *Throttle) forget(now time.Time) {
	for len(t.order) > 0 {
		oldest := t.askers[t.order[0]]
		idle := oldest.open == 0 && now.Sub(oldest.since) >= Window &&
			(len(oldest.misses) == 0 || now.Sub(oldest.misses[len(oldest.misses)-1]) >= Window)
		switch {
		case idle, len(t.order) >= t.limits.Keys:
			delete(t.askers, t.order[0])
			t.order = t.order[1:]
		default:
			return
		}
	}
}

// ask says whether one more question fits into the window.
func (a *asker) ask(limit int, refusal string, now time.Time) error {
	if now.Sub(a.since) >= Window {
		a.asked, a.since = 0, now
	}
	if a.asked >= limit {
		return tooMany(tesdiq.NewProblem(tesdiq.TooMany, refusal), a.since, now)
	}
	return nil
}

func (a *asker) room(limit int, now time.Time) error {
	if len(a.misses) < limit {
		return nil
	}
	return tooMany(tesdiq.NewProblem(tesdiq.TooMany, "throttle.misses"), a.misses[len(a.misses)-limit], now)
}

func tooMany(p *tesdiq.Problem, since, now time.Time) error {
	wait := Window - now.Sub(since)
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	return p.With("Seconds", seconds)
}

// ring remembers the last misses.
type ring struct {
	times []time.Time
	next  int
}

func (r *ring) add(at time.Time) {
	r.times[r.next] = at
	r.next = (r.next + 1) % len(r.times)
}

// full says whether all that it can hold lie within the Window, and when the oldest was.
func (r *ring) full(now time.Time) (time.Time, bool) {
	oldest := r.times[r.next]
	return oldest, !oldest.IsZero() && now.Sub(oldest) < Window
}
