// Package throttle stops the guessing of codes: it counts questions that found nothing, per asker and in the whole.
// It keeps everything in memory, knows no code and no person, and forgets after a minute.
package throttle

import (
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Window is the time over which is counted.
const Window = time.Minute

// Limits are how many misses are borne within Window. All fields are required.
type Limits struct {
	Misses  int // by one address prefix
	Tripped int // by all prefixes together; beyond it, a prefix with any miss of its own is refused
	Client  int // by one API client, who is known and does not count towards Tripped
	Quota   int // questions, hits too, by one API client
	Keys    int // that are remembered at most; the oldest are forgotten first
}

// Default are the limits of the public service. The memory for them stays under 20 MB.
var Default = Limits{Misses: 20, Tripped: 200, Client: 300, Quota: 600_000, Keys: 50_000}

// Throttle counts. Use New.
type Throttle struct {
	limits  Limits
	tripped func(misses int) // told at most once in a Window

	mu      sync.Mutex
	askers  map[string]*asker
	order   []string // keys of askers, oldest first; may hold keys that are gone
	misses  ring     // of all prefixes
	alarmed time.Time
}

// asker is one prefix or client. Times are reserved before the question and taken back when it found something, so that
// parallel questions cannot all pass a limit that none of them has reached yet.
type asker struct {
	reserved []time.Time // oldest first
	asked    int         // questions in the window that began at since; clients only
	since    time.Time
}

// New makes a throttle. tripped is told when the misses of all prefixes pass the limit; it may be nil.
func New(limits Limits, tripped func(misses int)) *Throttle {
	return &Throttle{limits: limits, tripped: tripped, askers: map[string]*asker{}, misses: ring{times: make([]time.Time, limits.Tripped)}}
}

// Reservation is the right to ask one question. Exactly one of Hit and Miss ends it.
type Reservation struct {
	t    *Throttle
	key  string
	at   time.Time
	open bool // counts towards Tripped
}

// Prefix reserves a question of somebody who is known only by an address prefix.
// The error is a Problem of kind TooMany, "throttle.misses" or "throttle.tripped", with Args["Seconds"].
func (t *Throttle) Prefix(prefix string, now time.Time) (Reservation, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.asker("prefix "+prefix, now)
	if err := a.room(t.limits.Misses, now); err != nil {
		return Reservation{}, err
	}
	if since, over := t.misses.full(now); over && len(a.reserved) > 0 {
		return Reservation{}, tooMany("throttle.tripped", since, now)
	}
	return t.reserve(a, "prefix "+prefix, now, true), nil
}

// Client reserves a question of an API client.
// The error is a Problem of kind TooMany, "throttle.misses" or "throttle.quota", with Args["Seconds"].
func (t *Throttle) Client(id string, now time.Time) (Reservation, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.asker("client "+id, now)
	if now.Sub(a.since) >= Window {
		a.asked, a.since = 0, now
	}
	if a.asked >= t.limits.Quota {
		return Reservation{}, tooMany("throttle.quota", a.since, now)
	}
	if err := a.room(t.limits.Client, now); err != nil {
		return Reservation{}, err
	}
	a.asked++
	return t.reserve(a, "client "+id, now, false), nil
}

// Hit takes the reservation back: the question found something.
func (r Reservation) Hit() {
	if r.t == nil {
		return
	}
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	a, ok := r.t.askers[r.key]
	if !ok {
		return
	}
	for i, at := range a.reserved {
		if at.Equal(r.at) {
			a.reserved = append(a.reserved[:i], a.reserved[i+1:]...)
			return
		}
	}
}

// Miss keeps it: the question found nothing.
func (r Reservation) Miss() {
	if r.t == nil || !r.open {
		return
	}
	t := r.t
	t.mu.Lock()
	t.misses.add(r.at)
	_, over := t.misses.full(r.at)
	alarm := over && (t.alarmed.IsZero() || r.at.Sub(t.alarmed) >= Window)
	if alarm {
		t.alarmed = r.at
	}
	t.mu.Unlock()
	if alarm && t.tripped != nil {
		t.tripped(t.limits.Tripped)
	}
}

func (t *Throttle) reserve(a *asker, key string, now time.Time, open bool) Reservation {
	a.reserved = append(a.reserved, now)
	return Reservation{t: t, key: key, at: now, open: open}
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
	for len(a.reserved) > 0 && now.Sub(a.reserved[0]) >= Window {
		a.reserved = a.reserved[1:]
	}
	return a
}

// forget makes room for one more key: the oldest go whose time is over, and one more if there is still none.
func (t *Throttle) forget(now time.Time) {
	for len(t.order) > 0 {
		oldest := t.askers[t.order[0]]
		idle := now.Sub(oldest.since) >= Window && (len(oldest.reserved) == 0 || now.Sub(oldest.reserved[len(oldest.reserved)-1]) >= Window)
		switch {
		case idle, len(t.order) >= t.limits.Keys:
			delete(t.askers, t.order[0])
			t.order = t.order[1:]
		default:
			return
		}
	}
}

func (a *asker) room(limit int, now time.Time) error {
	if len(a.reserved) < limit {
		return nil
	}
	return tooMany("throttle.misses", a.reserved[len(a.reserved)-limit], now)
}

func tooMany(key string, since, now time.Time) error {
	wait := Window - now.Sub(since)
	seconds := max(1, int((wait+time.Second-1)/time.Second))
	return tesdiq.NewProblem(tesdiq.TooMany, key).With("Seconds", seconds)
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
