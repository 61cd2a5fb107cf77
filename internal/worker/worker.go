// Package worker runs what has to be done again and again in the background, as jobs in PostgreSQL (River), so that of
// several processes one does it. It cannot sign and knows no component: it calls the functions that it is given.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// Job is something to be done every so often.
type Job struct {
	name  string
	every time.Duration
	run   func(context.Context) error
}

// Periodic is a job that runs when a worker starts and then every so often (at least a second; River is good to about
// five). It must bear being run twice, or broken off midway.
func Periodic(name string, every time.Duration, run func(context.Context) error) Job {
	return Job{name, every, run}
}

// Config is what a worker needs.
type Config struct {
	// Jobs are what it does. Names are unique, and stay: a job outlives the process that queued it.
	Jobs []Job
	// Log is told what goes wrong.
	Log *slog.Logger
}

// Worker works the queue.
type Worker struct {
	client *river.Client[pgx.Tx]
}

const (
	maxWorkers = 2 // housekeeping must not crowd out people
	maxTries   = 3 // then the next period tries again anyway
	jobTimeout = time.Minute
)

// periodicArgs is a queued run of a job.
type periodicArgs struct {
	Name string `json:"name"`
}

// Kind names these jobs in the queue.
func (periodicArgs) Kind() string { return "periodic" }

type periodicWorker struct {
	river.WorkerDefaults[periodicArgs]
	jobs map[string]Job
}

// Work runs the job of that name.
func (w *periodicWorker) Work(ctx context.Context, queued *river.Job[periodicArgs]) error {
	job, ok := w.jobs[queued.Args.Name]
	if !ok {
		return river.JobCancel(errors.New("no such job in this version"))
	}
	if err := job.run(ctx); err != nil {
		return fmt.Errorf("%s: %w", job.name, err)
	}
	return nil
}

// onceAtATime: a run is not queued while one of the same job waits or works.
var onceAtATime = river.UniqueOpts{
	ByArgs: true,
	ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
		rivertype.JobStateRunning, rivertype.JobStateScheduled,
	},
}

// New prepares a worker over a pool of the role tesdiq_worker.
func New(pool *pgxpool.Pool, c Config) (*Worker, error) {
	byName := map[string]Job{}
	var periodic []*river.PeriodicJob
	for _, job := range c.Jobs {
		if _, twice := byName[job.name]; twice {
			return nil, fmt.Errorf("worker: two jobs are named %s", job.name)
		}
		if job.every < time.Second {
			return nil, fmt.Errorf("worker: %s: every %s is too often", job.name, job.every)
		}
		byName[job.name] = job
		periodic = append(periodic, river.NewPeriodicJob(river.PeriodicInterval(job.every),
			func() (river.JobArgs, *river.InsertOpts) {
				return periodicArgs{job.name}, &river.InsertOpts{MaxAttempts: maxTries, UniqueOpts: onceAtATime}
			},
			&river.PeriodicJobOpts{ID: job.name, RunOnStart: true}))
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &periodicWorker{jobs: byName})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		ErrorHandler: failures{c.Log},
		JobTimeout:   jobTimeout,
		Logger:       slog.New(warnings{c.Log.Handler()}),
		PeriodicJobs: periodic,
		Queues:       map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: maxWorkers}},
		Workers:      workers,
	})
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return &Worker{client}, nil
}

// A start that finds no database is tried so often again, so long after the last: the service, which answers already, outlives a database that
// starts anew just then.
const (
	startTries = 40
	startAgain = 250 * time.Millisecond
)

// Start begins to work. ctx is for the start only; Stop ends the work.
func (w *Worker) Start(ctx context.Context) error {
	for try := 1; ; try++ {
		err := w.client.Start(context.WithoutCancel(ctx))
		if err == nil {
			return nil
		}
		if try == startTries {
			return fmt.Errorf("worker: start: %w", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("worker: start: %w", err)
		case <-time.After(startAgain):
		}
	}
}

// Stop takes no new job and waits for those at work; when ctx ends, these are cancelled.
func (w *Worker) Stop(ctx context.Context) error {
	err := w.client.Stop(ctx)
	if err != nil && ctx.Err() != nil {
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = w.client.StopAndCancel(patience)
	}
	if err != nil {
		return fmt.Errorf("worker: stop: %w", err)
	}
	return nil
}

// failures reports jobs that failed; River itself mentions them only below a warning. It goes on to try them again.
type failures struct{ log *slog.Logger }

// HandleError is told of an error that a job returned.
func (f failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.log.WarnContext(ctx, "background job failed", "id", job.ID, "attempt", job.Attempt, "err", err)
	return nil
}

// HandlePanic is told of a panic in a job.
func (f failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.ErrorContext(ctx, "background job panicked", "id", job.ID, "attempt", job.Attempt, "panic", value, "trace", trace)
	return nil
}

// warnings lets through what is at least a warning: River reports every start and stop of its parts.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }
