package issuerdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq/issuer"
)

// Defaults of a Dispatcher.
const (
	DefaultLease = 3 * time.Second
	DefaultPoll  = time.Second
)

// settle is how long finishing what was begun may take after Run was told to stop.
const settle = 10 * time.Second

// Dispatcher takes up intents as soon as they are committed, and by a poll those that a crash left over. Several may
// run at once, in one process or many: the primary key of attempts decides who makes what.
type Dispatcher struct {
	Pool    *pgxpool.Pool // as tesdiq_issuer
	Maker   *issuer.Maker
	Permits Permits       // for the keys' guard; nil: there is none
	Ready   func() error  // says why the keys cannot be called now, and nothing is claimed meanwhile; nil: they always can
	Workers int           // how many pages are made at a time; 0: four a processor
	Lease   time.Duration // how long a first attempt without a result is somebody's at work; 0: DefaultLease
	Poll    time.Duration // how often leftovers are looked for; 0: DefaultPoll
	Now     func() time.Time
	Rand    io.Reader
	Log     *slog.Logger

	due     chan int64 // intents that somebody said are due; saying so twice, or wrongly, does no harm
	slots   chan struct{}
	jobs    chan issuer.Job
	made    chan issuer.Excerpt
	swept   sweeper
	sweepIt chan struct{}
}

// Run works until ctx is done, then finishes what it has claimed. It runs once.
func (d *Dispatcher) Run(ctx context.Context) error {
	if d.Workers <= 0 {
		d.Workers = 4 * runtime.GOMAXPROCS(0) // a worker waits for the database, too
	}
	if d.Lease <= 0 {
		d.Lease = DefaultLease
	}
	if d.Poll <= 0 {
		d.Poll = DefaultPoll
	}
	// Claimed is what a crash burns an attempt of; two a worker keep all of them busy while more are claimed.
	ahead := 2 * d.Workers
	d.due = make(chan int64, 10_000)
	d.slots = make(chan struct{}, ahead)
	d.jobs = make(chan issuer.Job, ahead)
	d.made = make(chan issuer.Excerpt, ahead)
	d.sweepIt = make(chan struct{}, 1)

	// What was claimed is finished even though ctx is done, but not for ever.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(settle, cancel) })
	defer stop()

	var finders, workers, storers sync.WaitGroup
	finders.Go(func() { d.listen(ctx) })
	finders.Go(func() { d.sweepAgain(ctx) })
	finders.Go(func() { d.claimAgain(ctx); close(d.jobs) })
	for range d.Workers {
		workers.Go(func() {
			for job := range d.jobs {
				d.make(work, job)
				<-d.slots
			}
		})
	}
	// Two, so that one gathers while the other waits for the disk.
	for range 2 {
		storers.Go(func() { d.storeAgain(work) })
	}
	finders.Wait()
	workers.Wait()
	close(d.made)
	storers.Wait()
	return nil
}

// listen hears of new intents. Without the connection nothing is lost but time: the sweep finds them.
func (d *Dispatcher) listen(ctx context.Context) {
	listen(ctx, d.Pool, intentChannel, d.Log, func(begins bool) {
		if !begins {
			return
		}
		select {
		case d.sweepIt <- struct{}{}: // what was said while nobody listened
		default:
		}
	}, func(payload string) {
		id, err := strconv.ParseInt(payload, 10, 64)
		if err != nil {
			return // anybody who may connect may notify
		}
		select {
		case d.due <- id:
		default: // more than we can remember; the sweep finds it
		}
	})
}

// sweepAgain looks for what is left over, at each poll.
func (d *Dispatcher) sweepAgain(ctx context.Context) {
	tick := time.NewTicker(d.Poll)
	defer tick.Stop()
	for whole := true; ; {
		if err := d.sweep(ctx, whole); err != nil && ctx.Err() == nil {
			d.Log.WarnContext(ctx, "issuing: sweep failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			whole = false
		case <-d.sweepIt:
			whole = true
		}
	}
}

// claimAgain claims what is due, as many at a time as there is room for.
func (d *Dispatcher) claimAgain(ctx context.Context) {
	for {
		var ids []int64
		select {
		case <-ctx.Done():
			return
		case id := <-d.due:
			ids = append(ids, id)
		}
	more:
		for len(ids) < d.Workers {
			select {
			case id := <-d.due:
				ids = append(ids, id)
			default:
				break more
			}
		}
		if !d.awaitKeys(ctx) {
			return
		}
		// Room for all of them, so that under load a claim is for as many as there are workers, who meanwhile still have
		// what was claimed before: one by one costs the database three times as much.
		for range ids {
			select {
			case <-ctx.Done():
				return
			case d.slots <- struct{}{}:
			}
		}
		jobs, err := d.take(context.WithoutCancel(ctx), ids) // an attempt that was committed is an attempt that should be made
		if err != nil {
			d.Log.WarnContext(ctx, "issuing: claim failed", "err", err) // the sweep finds them again
		}
		for range len(ids) - len(jobs) {
			<-d.slots
		}
		for _, job := range jobs {
			d.jobs <- job
		}
	}
}

// keysAgain is how often it is looked whether keys that were away are back.
const keysAgain = 100 * time.Millisecond

// awaitKeys waits until the keys can be called: what is not claimed loses no attempt. false: ctx is done.
func (d *Dispatcher) awaitKeys(ctx context.Context) bool {
	for said := false; d.Ready != nil; {
		err := d.Ready()
		if err == nil {
			break
		}
		if !said {
			d.Log.WarnContext(ctx, "issuing: nothing is claimed until the keys are back", "err", err)
			said = true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(keysAgain):
		}
	}
	return true
}

// take claims intents and reads what their excerpts will state.
func (d *Dispatcher) take(ctx context.Context, ids []int64) (jobs []issuer.Job, err error) {
	cs, err := d.claim(ctx, ids)
	if err != nil || len(cs) == 0 {
		return nil, err
	}
	err = again(ctx, func() (err error) {
		jobs, err = facts(ctx, d.Pool, d.Log, cs)
		return err
	})
	return jobs, err
}

// make carries one claimed intent through steps 2 to 5.
func (d *Dispatcher) make(ctx context.Context, job issuer.Job) {
	// The attempt was committed by claim, or there were no job.
	x, err := d.try(permitted(ctx, d.Permits, Attempt{ForExcerpt, fmt.Sprintf("%s/%d", job.Number, job.Attempt)}), job)
	var void *issuer.VoidError
	switch {
	case err == nil:
		d.made <- x
		return
	case errors.As(err, &void):
		d.Log.InfoContext(ctx, "issuing: void", "number", job.Number, "reason", void.Reason, "err", void.Err)
	case errors.Is(err, issuer.ErrKeyAway):
		d.Log.WarnContext(ctx, "issuing: the key is away, the excerpt waits", "number", job.Number, "attempt", job.Attempt, "err", err)
		if err := d.absent(ctx, job); err != nil {
			d.Log.WarnContext(ctx, "issuing: absence not written", "number", job.Number, "err", err) // the attempt counts, of which there are several
		}
		return
	case job.Attempt-job.Away >= issuer.MaxAttempts:
		void = &issuer.VoidError{Reason: issuer.Failed}
		d.Log.ErrorContext(ctx, "issuing: given up", "number", job.Number, "attempt", job.Attempt, "err", err)
	default:
		// The next attempt comes when this one's lease is over: a clock that is away for a moment voids nothing.
		d.Log.WarnContext(ctx, "issuing: attempt failed", "number", job.Number, "attempt", job.Attempt, "err", err)
		return
	}
	if err := d.void(ctx, job.Intent, void.Reason); err != nil {
		d.Log.WarnContext(ctx, "issuing: void not written", "number", job.Number, "err", err) // the sweep tries again
	}
}

// try is an attempt. A panic fails it like an error: what one page makes the drawing stumble over must not stop others'.
func (d *Dispatcher) try(ctx context.Context, job issuer.Job) (x issuer.Excerpt, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("issuerdb: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return d.Maker.Make(ctx, job)
}

// storeAgain stores what was made, everything that is ready in one transaction.
func (d *Dispatcher) storeAgain(ctx context.Context) {
	for x := range d.made {
		batch := []issuer.Excerpt{x}
	more:
		for len(batch) < maxBatch {
			select {
			case x, ok := <-d.made:
				if !ok {
					break more
				}
				batch = append(batch, x)
			default:
				break more
			}
		}
		if err := d.store(ctx, batch); err != nil {
			// Nothing of it is handed out. The sweep begins the next attempts.
			d.Log.ErrorContext(ctx, "issuing: store failed", "excerpts", len(batch), "err", err)
		}
	}
}
