package issuing

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/signer/hsm"
)

// Watch stands over the keys: it lets them be called for what is written down, counts, compares, and sees whether they are there
// (docs/adr/0012).
type Watch struct {
	h     service.Host
	set   *signer.Set // as loaded
	guard *signer.Guard

	writing sync.Mutex
	uses    *issuerdb.KeyUses // under writing

	alarms  *prometheus.CounterVec
	mu      sync.Mutex
	said    map[string]time.Time // when an alarm was last written into the log
	excess  map[string]int64     // how much of it is known
	missing bool                 // a key in a module, when it was last looked
}

// How often the watch looks, and how often it says the same again.
const (
	lookOften    = time.Second
	compareOften = 10 * time.Second
	lastWrite    = 3 * time.Second
	sayAgain     = time.Minute
)

// NewWatch is the watch over a set's keys, and the set behind it.
func NewWatch(h service.Host, pools *postgres.Pools, set *signer.Set, limits map[string]signer.Limit) (*Watch, *signer.Set, error) {
	run, err := tesdiq.RandomText(h.Rand, 16)
	if err != nil {
		return nil, nil, err
	}
	w := &Watch{h: h, set: set, said: map[string]time.Time{}, excess: map[string]int64{},
		uses: &issuerdb.KeyUses{Pool: pools.Issuer, Run: run, Began: h.Now(), Now: h.Now}}
	w.guard = &signer.Guard{Now: h.Now, Limits: limits, Refused: w.refused}
	w.alarms = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tesdiq_key_alarms_total",
		Help: "Signatures that were refused (no_intent, spent, limit), and signatures that were made beyond what is written down (excess)."}, []string{"role", "reason"})
	if h.Metrics != nil {
		h.Metrics.Registry.MustRegister(w.alarms, callCounts{w.guard}, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tesdiq_keys_ready",
			Help: "1 if the keys can be called, as far as is known; 0 if their module is away."}, func() float64 {
			if w.Ready() != nil {
				return 0
			}
			return 1
		}))
	}
	return w, set.Guarded(w.guard), nil
}

// callCounts gives the guard's counts to whoever watches.
type callCounts struct{ guard *signer.Guard }

var callsDesc = prometheus.NewDesc("tesdiq_key_calls_total", "Calls of a key, counted before it is called: three of the document signer's and two of the time-stamp signer's are one excerpt.",
	[]string{"role", "serial", "purpose"}, nil)

// Describe implements prometheus.Collector.
func (callCounts) Describe(ch chan<- *prometheus.Desc) { ch <- callsDesc }

// Collect implements prometheus.Collector.
func (c callCounts) Collect(ch chan<- prometheus.Metric) {
	for u, n := range c.guard.Calls() {
		ch <- prometheus.MustNewConstMetric(callsDesc, prometheus.CounterValue, float64(n), u.Role, u.Serial, u.Purpose)
	}
}

// Permit implements issuerdb.Permits.
func (w *Watch) Permit(ctx context.Context, a issuerdb.Attempt) context.Context {
	documents, stamps := a.Purpose().Calls()
	return w.guard.Permit(ctx, string(a.Purpose()), a.String(), map[string]int{keys.RoleDocumentSigner: documents, keys.RoleStampSigner: stamps})
}

// Ready says why the keys cannot be called now.
func (w *Watch) Ready() error { return w.set.Ready() }

func (w *Watch) refused(role, serial string, why error) {
	reason := "limit"
	switch {
	case errors.Is(why, signer.ErrNoIntent):
		reason = "no_intent"
	case errors.Is(why, signer.ErrSpent):
		reason = "spent"
	}
	w.alarms.WithLabelValues(role, reason).Inc()
	w.alarm(role+reason, "a signature was refused", "role", role, "serial", serial, "err", why)
}

// alarm writes one into the log, the same not more than once a minute.
func (w *Watch) alarm(id, what string, args ...any) {
	now := w.h.Now()
	w.mu.Lock()
	last, known := w.said[id]
	again := !known || now.Sub(last) >= sayAgain
	if again {
		w.said[id] = now
	}
	w.mu.Unlock()
	if again {
		w.h.Log.Error("ALARM: "+what, args...)
	}
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	look, compare := time.NewTicker(lookOften), time.NewTicker(compareOften)
	defer look.Stop()
	defer compare.Stop()
	for {
		if err := w.Compare(ctx); err != nil && ctx.Err() == nil {
			w.h.Log.WarnContext(ctx, "keys: their uses are not compared", "err", err)
		}
		for next := false; !next; {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-look.C:
				w.look(ctx)
			case <-compare.C:
				next = true
			}
		}
	}
}

// While runs what calls the keys, and afterwards writes down the last calls.
func (w *Watch) While(work service.Loop) service.Loop {
	return func(ctx context.Context) error {
		err := work(ctx)
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWrite)
		defer cancel()
		w.writing.Lock()
		defer w.writing.Unlock()
		if err := w.uses.Write(last, w.calls()); err != nil {
			w.h.Log.Warn("keys: the last uses are not written", "err", err)
		}
		return err
	}
}

// look sees whether the keys in modules are there, and says when that changes.
func (w *Watch) look(ctx context.Context) {
	err := w.set.Look(ctx)
	if ctx.Err() != nil {
		return
	}
	if missing := err != nil; missing != w.missing {
		w.missing = missing
		if missing {
			w.h.Log.ErrorContext(ctx, "ALARM: the keys are away, nothing is issued until they are back", "err", err)
		} else {
			w.h.Log.InfoContext(ctx, "keys: they are back")
		}
	}
}

func (w *Watch) calls() (all []issuerdb.KeyUse) {
	for u, n := range w.guard.Calls() {
		all = append(all, issuerdb.KeyUse{Role: u.Role, Serial: u.Serial, Purpose: u.Purpose, Calls: n})
	}
	return all
}

// Compare writes down how often the keys were called, tells the guard what other processes called today, and raises the alarm where there
// were more calls than is written down.
func (w *Watch) Compare(ctx context.Context) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	calls := w.calls()
	if err := w.uses.Write(ctx, calls); err != nil {
		return err
	}
	today, err := w.uses.Today(ctx)
	if err != nil {
		return err
	}
	sums := map[signer.Use]int64{}
	for _, u := range today {
		sums[signer.Use{Role: u.Role, Serial: u.Serial}] += u.Calls
	}
	for u, n := range sums {
		w.guard.Elsewhere(u.Role, u.Serial, n)
	}
	found, err := w.uses.Compare(ctx, calls)
	if err != nil {
		return err
	}
	for _, x := range found {
		id := x.Role + string(x.Purpose)
		if more := x.Calls - x.Allowed - w.excess[id]; more > 0 {
			w.excess[id] += more
			w.alarms.WithLabelValues(x.Role, "excess").Add(float64(more))
			w.h.Log.ErrorContext(ctx, "ALARM: a key was called more often than is written down", "role", x.Role, "purpose", x.Purpose, "calls", x.Calls, "allowed", x.Allowed)
		}
	}
	return nil
}

// DefaultLimits are those of a service whose configuration names none: about 50,000 excerpts a day.
var DefaultLimits = map[string]signer.Limit{
	keys.RoleDocumentSigner: {PerSecond: 300, Burst: 900, PerDay: 150_000},
	keys.RoleStampSigner:    {PerSecond: 300, Burst: 900, PerDay: 200_000},
	keys.RoleResponder:      {PerSecond: 100, Burst: 300, PerDay: 500_000},
}

// Limits are those of a configuration.
func Limits(c service.Config) (map[string]signer.Limit, error) {
	limits := map[string]signer.Limit{}
	for role, l := range DefaultLimits {
		limits[role] = l
	}
	for role, set := range c.Keys.Limits {
		l, known := limits[role]
		if !known {
			return nil, fmt.Errorf("keys.limits.%s: there is no such key: %s, %s or %s", role, keys.RoleDocumentSigner, keys.RoleStampSigner, keys.RoleResponder)
		}
		if set.PerSecond < 0 || set.Burst < 0 || set.PerDay < 0 {
			return nil, fmt.Errorf("keys.limits.%s: a limit cannot be less than nothing", role)
		}
		if set.PerSecond > 0 {
			l.PerSecond, l.Burst = set.PerSecond, max(1, int(3*set.PerSecond))
		}
		if set.Burst > 0 {
			l.Burst = set.Burst
		}
		if set.PerDay > 0 {
			l.PerDay = set.PerDay
		}
		limits[role] = l
	}
	return limits, nil
}

// away puts what a key or its guard says that passes into the issuer's words.
func away(err error) error {
	if errors.Is(err, hsm.ErrAway) || errors.Is(err, hsm.ErrPIN) || errors.Is(err, signer.ErrLimit) {
		return fmt.Errorf("%w: %w", issuer.ErrKeyAway, err)
	}
	return err
}
