// Package bench measures what this machine carries: our whole way of doing something beside a plain way of doing the
// same, in one run and in turns, so that what else the machine does hits both. It is for an operator who wants to know
// how many machines he needs, and for us to see what our care costs.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime"
	"text/tabwriter"
	"time"
)

// Kinds are what can be measured.
var Kinds = []string{"issue", "check", "verify", "decide"}

// Options say how to measure. Rand, Now and Progress are required.
type Options struct {
	For      time.Duration // how long each side works
	Clients  int           // at a time; 0: what suits the kind
	People   int           // invented ones in the books; 0: 2000
	Database string        // address of a PostgreSQL whose user may make databases and roles; empty: a private one
	Now      func() time.Time
	Rand     io.Reader
	Progress io.Writer // what is being done, for whoever waits
	Log      *slog.Logger
}

// Result is what was measured. Rates are per second.
type Result struct {
	What         string  `json:"what"`
	Ours         float64 `json:"ours_per_s"`
	Baseline     string  `json:"baseline"`
	BaselineRate float64 `json:"baseline_per_s"`
	Ratio        float64 `json:"ratio"`
	// Pgbench is what pgbench reaches with the same statements; only for check, and only where it is installed.
	Pgbench float64 `json:"pgbench_per_s,omitempty"`
	P50     float64 `json:"p50_ms"` // of ours
	P99     float64 `json:"p99_ms"`
	Clients int     `json:"clients"`

	ours string
	more [][2]string // rows of the table that are not in the line
}

// Run measures one of Kinds.
func Run(ctx context.Context, what string, o Options) (Result, error) {
	if o.For <= 0 {
		return Result{}, fmt.Errorf("bench: %s is no time to measure in", o.For)
	}
	if o.Clients < 0 || o.People < 0 {
		return Result{}, fmt.Errorf("bench: %d clients, %d people", o.Clients, o.People)
	}
	clients := 64
	if what == "verify" || what == "decide" {
		clients = runtime.GOMAXPROCS(0)
	}
	o = o.filled(clients)
	measure, ok := map[string]func(context.Context, Options) (Result, error){"issue": issue, "check": check, "verify": verifyFiles, "decide": decide}[what]
	if !ok {
		return Result{}, fmt.Errorf("bench: %q is nothing that can be measured", what)
	}
	r, err := measure(ctx, o)
	if err != nil {
		return Result{}, fmt.Errorf("bench: %s: %w", what, err)
	}
	r.What, r.Clients = what, o.Clients
	r.Ratio = round(r.Ours/r.BaselineRate, 2)
	r.Ours, r.BaselineRate, r.Pgbench = round(r.Ours, 1), round(r.BaselineRate, 1), round(r.Pgbench, 1)
	r.P50, r.P99 = round(r.P50, 2), round(r.P99, 2)
	return r, nil
}

// filled are options with what was left out.
func (o Options) filled(clients int) Options {
	if o.Clients == 0 {
		o.Clients = clients
	}
	if o.People == 0 {
		o.People = 2000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func round(x float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(x*scale) / scale
}

// WriteJSON writes the one line for programs.
func (r Result) WriteJSON(w io.Writer) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// WriteTable writes the same for people.
func (r Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s, %d at a time\n", r.What, r.Clients)
	fmt.Fprintf(t, "  ours\t%.1f/s\t%s\n", r.Ours, r.ours)
	fmt.Fprintf(t, "  baseline\t%.1f/s\t%s\n", r.BaselineRate, r.Baseline)
	fmt.Fprintf(t, "  ratio\t%.2f\t\n", r.Ratio)
	if r.Pgbench > 0 {
		fmt.Fprintf(t, "  pgbench\t%.1f/s\tthe same statements, nothing around them\n", r.Pgbench)
	}
	fmt.Fprintf(t, "  latency of ours\t%.2f ms\tin half of the cases at most; in 99 of 100: %.2f ms\n", r.P50, r.P99)
	for _, row := range r.more {
		fmt.Fprintf(t, "  %s\t%s\t\n", row[0], row[1])
	}
	return t.Flush()
}
