package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// side is one of two ways of doing the same thing.
type side struct {
	name string
	// do does it once. client counts from 0; of one client, do is called one at a time.
	do func(ctx context.Context, client int) error
}

// total is what a side did.
type total struct {
	done      int
	took      time.Duration
	spent     spent
	latencies []time.Duration
}

// each is the processor time for one, in words.
func (t total) each() string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(max(t.done, 1)) }
	if t.spent.database == 0 {
		return fmt.Sprintf("%.3f ms", ms(t.spent.here))
	}
	return fmt.Sprintf("%.3f ms, and %.3f ms in PostgreSQL", ms(t.spent.here), ms(t.spent.database))
}

func (t total) rate() float64 {
	if t.took <= 0 {
		return 0
	}
	return float64(t.done) / t.took.Seconds()
}

// at is the latency that a share of all stayed under, in milliseconds.
func (t total) at(share float64) float64 {
	if len(t.latencies) == 0 {
		return 0
	}
	slices.Sort(t.latencies)
	i := min(int(share*float64(len(t.latencies))), len(t.latencies)-1)
	return float64(t.latencies[i].Microseconds()) / 1000
}

// slice is how long a side works before it is the other's turn: long enough that starting and ending does not count.
const slice = time.Second

// warm is how much of a side is done first and not counted: connections, statements, fonts.
const warm = slice / 2

// compare lets the sides work in turns, each for o.For in all, and besides them also, once a turn, if it is not nil.
func compare(ctx context.Context, o Options, m meter, ours, baseline side, also func(context.Context) error) (a, b total, err error) {
	turns := max(int(o.For/slice), 2)
	each := o.For / time.Duration(turns)
	bar := progress(o.Progress, "measuring", turns+1)
	defer bar.Close()
	for turn := range turns + 1 {
		length := each
		if turn == 0 {
			length = min(warm, each)
		}
		for _, of := range []struct {
			side
			*total
		}{{ours, &a}, {baseline, &b}} {
			before, err := m.read()
			if err != nil {
				return a, b, err
			}
			t, err := work(ctx, o.Clients, length, of.do)
			if err != nil {
				return a, b, fmt.Errorf("%s: %w", of.name, err)
			}
			after, err := m.read()
			if err != nil {
				return a, b, err
			}
			if turn > 0 {
				of.done, of.took, of.latencies = of.done+t.done, of.took+t.took, append(of.latencies, t.latencies...)
				of.spent = of.spent.plus(after.minus(before))
			}
		}
		if turn > 0 && also != nil {
			if err := also(ctx); err != nil {
				return a, b, err
			}
		}
		bar.Describe(fmt.Sprintf("ours %.0f/s, baseline %.0f/s", a.rate(), b.rate()))
		if err := bar.Add(1); err != nil {
			return a, b, err
		}
	}
	if a.done == 0 || b.done == 0 {
		return a, b, fmt.Errorf("%s is too short: not one was finished", o.For)
	}
	return a, b, nil
}

// work lets clients do something over and over for a while. What was begun is finished and counts, with its time.
func work(ctx context.Context, clients int, length time.Duration, do func(context.Context, int) error) (total, error) {
	runtime.GC() // one side's rubbish is not the other's
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	each := make([][]time.Duration, clients)
	began := time.Now()
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for at := began; at.Sub(began) < length && ctx.Err() == nil; {
				if err := do(ctx, client); err != nil {
					cancel(err)
					return
				}
				now := time.Now()
				each[client] = append(each[client], now.Sub(at))
				at = now
			}
		})
	}
	all.Wait()
	t := total{took: time.Since(began), latencies: slices.Concat(each...)}
	t.done = len(t.latencies)
	return t, context.Cause(ctx)
}

// cost is how much processor time each side took for one, as rows of the table.
func cost(ours, baseline total) [][2]string {
	return [][2]string{{"processor time of ours", ours.each()}, {"of the baseline", baseline.each()}}
}

func progress(w io.Writer, what string, steps int) *progressbar.ProgressBar {
	return progressbar.NewOptions(steps, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(20), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
}
