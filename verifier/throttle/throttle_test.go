package throttle

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func seconds(err error) int {
	var p *tesdiq.Problem
	if errors.As(err, &p) && p.Kind == tesdiq.TooMany {
		return p.Args["Seconds"].(int)
	}
	return 0
}

func TestTwentyMissesAMinute(t *testing.T) {
	th := New(Default, nil)
	for i := range 20 {
		r, err := th.Prefix(t.Context(), "a", start.Add(time.Duration(i)*time.Second))
		if err != nil {
			t.Fatalf("miss %d: %v", i+1, err)
		}
		r.Miss()
	}
	_, err := th.Prefix(t.Context(), "a", start.Add(20*time.Second))
	if got := seconds(err); got != 40 {
		t.Errorf("the 21st: wait %d s, want 40 (%v)", got, err)
	}
	if _, err := th.Prefix(t.Context(), "b", start.Add(20*time.Second)); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	r, err := th.Prefix(t.Context(), "a", start.Add(60*time.Second))
	if err != nil {
		t.Errorf("after the first has gone by: %v", err)
	}
	r.Miss()
	if _, err := th.Prefix(t.Context(), "a", start.Add(60*time.Second)); err == nil {
		t.Error("two, though only one has gone by")
	}
}

func TestHitsCostNothing(t *testing.T) {
	th := New(Default, nil)
	for range 10_000 {
		r, err := th.Prefix(t.Context(), "a", start)
		if err != nil {
			t.Fatal(err)
		}
		r.Hit()
	}
}

// Whoever holds a code may ask often, but not without end.
func TestQuestionsOfNobodysOrganisationAreCounted(t *testing.T) {
	th := New(Default, nil)
	for i := range Default.Asked {
		if err := th.Ask("a", start); err != nil {
			t.Fatalf("question %d: %v", i, err)
		}
	}
	late := start.Add(Window - time.Second)
	err := th.Ask("a", late)
	if !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "throttle.asked")) || tesdiq.ProblemsOf(err)[0].Args["Seconds"] != 1 {
		t.Errorf("%v", err)
	}
	if err := th.Ask("b", late); err != nil {
		t.Errorf("another is refused: %v", err)
	}
	if err := th.Ask("a", start.Add(Window)); err != nil {
		t.Errorf("after a minute: %v", err)
	}
}

func TestParallelGuessesCannotPassTheLimit(t *testing.T) {
	th := New(Default, nil)
	var wg sync.WaitGroup
	var passed atomic.Int64
	for range 500 {
		wg.Go(func() {
			if r, err := th.Prefix(t.Context(), "a", start); err == nil {
				passed.Add(1)
				time.Sleep(time.Millisecond)
				r.Miss()
			}
		})
	}
	wg.Wait()
	if passed.Load() != 20 {
		t.Errorf("%d passed, want 20", passed.Load())
	}
}

func TestParallelHitsAllPass(t *testing.T) {
	th := New(Default, nil)
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() {
			r, err := th.Prefix(t.Context(), "a", start)
			if err != nil {
				t.Error(err)
				return
			}
			time.Sleep(time.Millisecond)
			r.Hit()
			r.Miss() // too late
		})
	}
	wg.Wait()
	if a := th.askers["prefix a"]; a.open != 0 || len(a.misses) != 0 {
		t.Errorf("%d open, %d misses", a.open, len(a.misses))
	}
}

func TestWhoHangsUpDoesNotWait(t *testing.T) {
	th := New(Default, nil)
	for range 20 {
		if _, err := th.Prefix(t.Context(), "a", start); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := th.Prefix(ctx, "a", start); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestTripwire(t *testing.T) {
	alarms := 0
	th := New(Default, func(int) { alarms++ })
	for i := range 200 {
		r, err := th.Prefix(t.Context(), fmt.Sprint(i), start)
		if err != nil {
			t.Fatal(i, err)
		}
		r.Miss()
	}
	if alarms != 1 {
		t.Errorf("%d alarms, want 1", alarms)
	}
	if _, err := th.Prefix(t.Context(), "7", start.Add(time.Second)); seconds(err) != 59 {
		t.Errorf("a prefix with a miss: %v", err)
	}
	r, err := th.Prefix(t.Context(), "new", start.Add(time.Second))
	if err != nil {
		t.Errorf("a prefix without one: %v", err)
	}
	r.Miss()
	if _, err := th.Prefix(t.Context(), "new", start.Add(time.Second)); seconds(err) == 0 {
		t.Errorf("with one now: %v", err)
	}
	if alarms != 1 {
		t.Errorf("%d alarms within the minute, want 1", alarms)
	}
	if _, err := th.Prefix(t.Context(), "7", start.Add(Window)); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

func TestClientHasItsOwnLimits(t *testing.T) {
	limits := Default
	limits.Client, limits.Quota = 3, 10
	th := New(limits, nil)
	for range 3 {
		r, err := th.Client(t.Context(), "bank", start)
		if err != nil {
			t.Fatal(err)
		}
		r.Miss()
	}
	if _, err := th.Client(t.Context(), "bank", start); !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "throttle.misses")) {
		t.Errorf("the fourth miss: %v", err)
	}
	later := start.Add(Window)
	for i := range 10 {
		r, err := th.Client(t.Context(), "bank", later)
		if err != nil {
			t.Fatal(i, err)
		}
		r.Hit()
	}
	if _, err := th.Client(t.Context(), "bank", later); !errors.Is(err, tesdiq.NewProblem(tesdiq.TooMany, "throttle.quota")) {
		t.Errorf("beyond the quota: %v", err)
	}
	if _, err := th.Prefix(t.Context(), "bank", later); err != nil {
		t.Errorf("a prefix of the same name: %v", err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	limits := Default
	limits.Keys = 1000
	th := New(limits, nil)
	for i := range 100_000 {
		if r, err := th.Prefix(t.Context(), fmt.Sprint(i), start.Add(time.Duration(i)*time.Microsecond)); err == nil {
			r.Miss()
		}
	}
	if len(th.askers) > 1000 || len(th.order) > 1000 {
		t.Errorf("%d askers, %d in order", len(th.askers), len(th.order))
	}
	if r, err := th.Prefix(t.Context(), "late", start.Add(time.Hour)); err == nil {
		r.Miss()
	}
	if len(th.askers) != 1 {
		t.Errorf("%d askers an hour later, want 1", len(th.askers))
	}
}

func BenchmarkPrefix(b *testing.B) {
	th := New(Default, nil)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if r, err := th.Prefix(b.Context(), "a", start); err == nil {
				r.Hit()
			}
		}
	})
}
