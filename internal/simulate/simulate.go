// Package simulate plays a year of disability assessments, on a PostgreSQL of its own and with a clock that it moves: invented people
// apply, agencies answer late, wrongly or not at all, institutions refer, decline or say nothing, members of commissions record, disagree,
// sign, refuse or are late, and the program is broken off and its database killed in the middle. All parts are the real ones, with their
// real roles. When the year is over, everything is compared with everything by statements of its own (Audit).
package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Options say what is played. Cases, Now and Progress are required.
type Options struct {
	Cases   int
	Seed    uint64           // the same seed invents the same people, who behave the same
	Crashes int              // how often something is killed; 0: by the number of cases; negative: never
	Sealed  int              // of one case in so many each question goes through the gateway, sealed and logged; 0: of about 2,000 cases, 1: of all
	Days    int              // on how many of the year's first days people apply; 0: on all
	Clients int              // how many people act at a time; 0: 8
	Now     func() time.Time // the clock on the wall, for rates
	// Progress is told what day it is, for whoever waits.
	Progress io.Writer
	Log      *slog.Logger
}

// begins is the first day of the year that is played: the same whenever it is played, so that a seed always tells the same story.
var begins = tesdiq.NewDate(2026, 1, 5)

// Lengths of the year, in days: people apply for 364, and within 120 more everything that can end has ended.
const (
	yearDays  = 364
	drainDays = 120
	patience  = 20 // in which nothing has happened, so that nothing more will: longer than any silence is borne
)

func (o Options) filled() (Options, error) {
	if o.Cases < 1 || o.Cases > 10_000_000 {
		return o, fmt.Errorf("simulate: %d cases", o.Cases)
	}
	if o.Crashes == 0 {
		o.Crashes = min(6+o.Cases/2000, 60)
	}
	if o.Sealed == 0 {
		o.Sealed = max(1, o.Cases/2000)
	}
	if o.Days < 0 || o.Days > yearDays {
		return o, fmt.Errorf("simulate: %d days of %d", o.Days, yearDays)
	}
	if o.Days == 0 {
		o.Days = yearDays
	}
	if o.Clients == 0 {
		o.Clients = 4 * runtime.GOMAXPROCS(0)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// Run plays the year and judges it. An error says that it could not be played; what is wrong with what was played stands in the report.
func Run(ctx context.Context, o Options) (r Report, err error) {
	if o, err = o.filled(); err != nil {
		return r, err
	}
	dir, err := os.MkdirTemp("", "tesdiq-simulate-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	y := newYear(o, dir)
	began := o.Now()
	if err := y.open(ctx); err != nil {
		return r, errors.Join(err, y.close())
	}
	defer func() { err = errors.Join(err, y.close()) }()
	y.spent["set up"] = o.Now().Sub(began)
	if err := y.play(ctx); err != nil {
		return r, err
	}
	return y.judge(ctx)
}

func newYear(o Options, dir string) *year {
	return &year{
		Options: o, dir: dir, dice: &dice{r: rand.NewChaCha8([32]byte{byte(o.Seed), byte(o.Seed >> 8), byte(o.Seed >> 16), byte(o.Seed >> 24)})},
		chance: rand.New(rand.NewPCG(o.Seed, 0)), spent: map[string]time.Duration{}, worked: map[string]time.Duration{}, turns: map[string]int{}, did: map[string]int{}, wrong: map[string]int{},
		lives: map[int64]*life{}, due: map[int][]*act{}, known: map[string]bool{}, late: map[string]int{},
	}
}
