// Package service is what every program that serves is made of, whichever components it runs: its configuration, its
// database pools, metrics, the pages for operators, and serving until it is told to stop. It knows no component; those
// that belong together are put together in the packages below it, once for the separate process and for all in one.
package service

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/tesdiq/tesdiq/internal/postgres"
)

// Host is what all parts of a process share.
type Host struct {
	PublicURL string // without a path: "https://tesdiq.example"
	Proxies   []netip.Prefix
	Now       func() time.Time
	Rand      io.Reader
	Log       *slog.Logger
	Metrics   *Metrics
}

// Host makes the host of a process from its configuration.
func (c Config) Host(now func() time.Time, rand io.Reader) Host {
	return Host{PublicURL: c.PublicURL, Proxies: c.Proxies, Now: now, Rand: rand, Metrics: NewMetrics(),
		Log: slog.New(slog.NewJSONHandler(os.Stdout, nil))}
}

// Pools opens the pools of the program that the configuration was read for.
func (c Config) Pools(ctx context.Context) (*postgres.Pools, error) {
	passwords, err := Passwords(c.Database.Passwords, c.program.Roles()...)
	if err != nil {
		return nil, err
	}
	pools, err := postgres.OpenRoles(ctx, c.Database.URL, passwords, c.program.Roles()...)
	if err != nil {
		if postgres.Away(err) {
			return nil, fmt.Errorf("database.url: the database does not answer: %w", err)
		}
		return nil, fmt.Errorf("the database does not let us in: run `tesdiq migrate` first, and see database.passwords: %w", err)
	}
	return pools, nil
}

// Main is main of a program that serves as one configuration says: PROGRAM -config FILE.
func Main(program Program, run func(ctx context.Context, c Config) error) {
	Prepare()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet(string(program), flag.ContinueOnError)
	file := flags.String("config", "", "configuration `FILE` (docs/"+string(program)+".example.toml)")
	err := flags.Parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil || *file == "" || flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "%s: use: %s -config FILE\n", program, program)
		os.Exit(2)
	}
	c, err := ReadConfig(*file, program)
	if err == nil {
		err = run(ctx, c)
	}
	if err != nil && !(errors.Is(err, context.Canceled) && ctx.Err() != nil) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program, err)
		os.Exit(ExitStatus(err))
	}
}

// Halt is an error after which nobody may start the program again before somebody has looked: another try would do harm.
type Halt struct{ Err error }

func (h Halt) Error() string { return h.Err.Error() }

func (h Halt) Unwrap() error { return h.Err }

// ExitStatus is that of a program that ends with an error: 78 (EX_CONFIG of sysexits.h) for a Halt, which the systemd units know.
func ExitStatus(err error) int {
	if errors.As(err, new(Halt)) {
		return 78
	}
	return 1
}

// Prepare sets what suits a program that serves. What lives long is small (fonts, words, sessions are elsewhere) and what
// a request makes is short-lived: collecting less often costs some tens of megabytes and saves a tenth of the processor.
// GOGC still decides if it is set.
func Prepare() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// How long stopping waits: for requests, then for what is made and done in the background. Whoever stops the service
// (systemd, a person with Ctrl+C) waits for less than twenty seconds.
const (
	requestPatience    = 10 * time.Second
	BackgroundPatience = 5 * time.Second
)

// Loop is what a process does without being asked, until ctx ends. It ends earlier only if it cannot go on.
type Loop func(ctx context.Context) error

// Every is a loop that does something at the start and then every so often. What goes wrong is told, and tried again the
// next time.
func Every(often time.Duration, h Host, name string, do func(context.Context) error) Loop {
	return func(ctx context.Context) error {
		again := time.NewTicker(often)
		defer again.Stop()
		for {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				h.Log.WarnContext(ctx, "background job failed", "job", name, "err", err)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-again.C:
			}
		}
	}
}

// Listen serves at the address of the configuration.
func (c Config) Listen(ctx context.Context, h Host, handler http.Handler, loops ...Loop) error {
	l, err := net.Listen("tcp", c.Address)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	h.Log.Info("ready", "address", l.Addr().String(), "public", h.PublicURL)
	return Serve(ctx, h, l, handler, loops...)
}

// Serve answers requests and runs the loops until ctx ends, then lets the requests that are under way finish, and then
// the loops: a request that is under way still waits for its excerpt.
func Serve(ctx context.Context, h Host, l net.Listener, handler http.Handler, loops ...Loop) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	results := make(chan error, len(loops))
	for _, loop := range loops {
		go func() { results <- loop(background) }()
	}
	server := &http.Server{
		Handler: h.Metrics.watch(handler),
		// A page is small and a file at most 20 MB: whoever is slower holds a place that somebody else wants.
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(h.Log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var err error
	left := len(loops)
	select {
	case err = <-failed:
	case err = <-results:
		left--
		if err == nil {
			err = errors.New("work in the background has ended")
		}
		h.Log.Error("stopping: the service cannot go on", "err", err)
		server.Close()
	case <-ctx.Done():
		h.Log.Info("stopping", "because", context.Cause(ctx))
		stopping, done := context.WithTimeout(context.Background(), requestPatience)
		defer done()
		if err := server.Shutdown(stopping); err != nil {
			// Somebody sends slowly. What he asks for is not done, and he may ask again.
			h.Log.Warn("stopping: some requests did not end in time", "err", err)
			server.Close()
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	cancel()
	for range left {
		if ended := <-results; !errors.Is(ended, context.Canceled) {
			err = errors.Join(err, ended)
		}
	}
	return err
}
