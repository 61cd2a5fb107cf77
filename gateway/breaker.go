package gateway

import (
	"sync"
	"time"
)

// breaker leaves a service alone that fails again and again: so that it can recover, and so that nobody waits for what will not come.
// Closed it lets everybody through; after trip failures in a row it is open for rest; then one question tries, and decides.
type breaker struct {
	trip int
	rest time.Duration

	mu      sync.Mutex
	failed  int       // in a row
	until   time.Time // open until then; zero: closed
	probing bool      // somebody tries
}

// enter says whether a question may be sent; if not, when it is worth asking again.
func (b *breaker) enter(now time.Time) (probe, ok bool, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return false, true, time.Time{}
	case now.Before(b.until):
		return false, false, b.until
	case b.probing:
		return false, false, now.Add(b.rest)
	}
	b.probing = true
	return true, true, time.Time{}
}

// leave says how it went. Who did not probe and comes back to an open breaker, from before it opened, changes nothing by a failure.
func (b *breaker) leave(probe, well, blame bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if probe {
		b.probing = false
	}
	switch {
	case well:
		b.failed, b.until = 0, time.Time{}
	case !blame:
		// It answered, or was not asked: neither good nor bad. A probe that learned nothing leaves the next question to try.
	case probe:
		b.until = now.Add(b.rest)
	case b.until.IsZero():
		if b.failed++; b.failed >= b.trip {
			b.until = now.Add(b.rest)
		}
	}
}

// state is what an operator sees.
func (b *breaker) state(now time.Time) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.until.IsZero():
		return "closed"
	case now.Before(b.until):
		return "open"
	default:
		return "half-open"
	}
}
