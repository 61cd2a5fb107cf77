package issuerdb

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
)

// How often Wait looks for itself, for the case that a notification was lost. The first look comes sooner when nobody
// listens, and not at once when somebody does: making takes longer than a look, so most would find nothing yet.
const (
	lookAgain   = 250 * time.Millisecond
	lookBlindly = 25 * time.Millisecond
)

// waiters are who waits for which excerpt in this process.
type waiters struct {
	mu      sync.Mutex
	waiting map[issuer.Number][]chan struct{}
	heard   atomic.Bool // somebody listens
}

func (w *waiters) add(n issuer.Number) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = map[issuer.Number][]chan struct{}{}
	}
	ch := make(chan struct{}, 1)
	w.waiting[n] = append(w.waiting[n], ch)
	return ch
}

func (w *waiters) remove(n issuer.Number, ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var rest []chan struct{}
	for _, c := range w.waiting[n] {
		if c != ch {
			rest = append(rest, c)
		}
	}
	if len(rest) == 0 {
		delete(w.waiting, n)
	} else {
		w.waiting[n] = rest
	}
}

func (w *waiters) wake(n issuer.Number) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ch := range w.waiting[n] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Listen hears of what became ready, until ctx is done, so that Wait need not look for itself. It keeps one connection.
func (c *Cabinet) Listen(ctx context.Context) error {
	defer c.waiters.heard.Store(false)
	listen(ctx, c.Pool, excerptChannel, c.Log, c.waiters.heard.Store, func(payload string) {
		for n := range strings.SplitSeq(payload, ",") {
			c.waiters.wake(issuer.Number(n))
		}
	})
	return nil
}

// Wait waits until the excerpt is there or void, at most for limit, and says how it stands then.
// One that is not there or somebody else's is issuer.ErrMissing.
func (c *Cabinet) Wait(ctx context.Context, fin tesdiq.FIN, number issuer.Number, limit time.Duration) (issuer.Item, error) {
	ready := c.waiters.add(number) // before looking, so that what happens in between is heard
	defer c.waiters.remove(number, ready)
	end := time.NewTimer(limit)
	defer end.Stop()
	first := lookBlindly
	if c.waiters.heard.Load() {
		first = lookAgain
	}
	look := time.NewTimer(first)
	defer look.Stop()
	for last := false; ; {
		select {
		case <-ctx.Done():
			return issuer.Item{}, ctx.Err()
		case <-ready:
		case <-look.C:
			look.Reset(lookAgain)
		case <-end.C:
			last = true
		}
		item, err := c.Item(ctx, fin, number)
		if err != nil || last || item.State(tesdiq.DateOf(c.Now())) != issuer.Making {
			return item, err
		}
	}
}
