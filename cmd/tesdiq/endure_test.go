package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
)

// killsEnv says how often the service and PostgreSQL are killed, each; `make endure` sets it to 100.
const killsEnv = "TESDIQ_KILLS"

// Every process lives for a random time up to this before it is killed.
const longestLife = 8 * time.Second

// installed is the service as a process of its own over a PostgreSQL of the test's own, with the cutter in between.
type installed struct {
	t       *testing.T
	dir     string
	cutter  *cutter
	program *program
	shared  *shared

	server  *privatepg.Server
	outages atomic.Int64 // grows when PostgreSQL goes down, and when it is back: odd while it is away
	running *process

	serverIsLeftAlone atomic.Bool // nobody kills PostgreSQL any more
}

// installDemo starts PostgreSQL with fsync on, and the service on it.
func installDemo(t *testing.T) *installed {
	t.Helper()
	in := &installed{t: t, dir: t.TempDir(), cutter: newCutter(t)}
	in.startServer()
	t.Cleanup(func() { in.server.Stop() })
	if err := postgres.EnsureDatabase(t.Context(), in.server.URL(privatepg.Superuser, "postgres"), demoDatabase); err != nil {
		t.Fatal(err)
	}
	in.program = demoProgram(t, in.dir, in.cutter.url(), 100)
	in.running = in.program.start()
	in.running.mustBeReady()
	file, err := os.OpenFile(filepath.Join(in.dir, "history.jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	in.shared = &shared{address: in.program.address, history: &history{file: file}, pause: 250 * time.Millisecond}
	return in
}

func (in *installed) startServer() {
	in.t.Helper()
	server, err := privatepg.Start(context.Background(), privatepg.Options{Dir: filepath.Join(in.dir, "postgres")})
	if err != nil {
		in.t.Fatal(err)
	}
	in.server = server
	in.cutter.lead(server.URL(privatepg.Superuser, demoDatabase))
}

// adminURL leads to the database past the cutter, as the superuser.
func (in *installed) adminURL() string { return in.server.URL(privatepg.Superuser, demoDatabase) }

// The twenty clients: who draws (some from two browsers), programs and clerks of the bank.
var (
	drawers  = []string{"nermin", "nermin", "elcin", "elcin", "oqtay", "leman", "ebdulrehimxan", "xeyransa", "cavid", "cavid", "aysel", "sevinc"}
	programs = 5
	clerks   = []string{"aysel", "murad", "murad"}
)

// clients signs all clients in while nothing is killed; their sessions and tokens must outlive everything that comes.
func (in *installed) clients() (errands []errand) {
	in.t.Helper()
	ctx := in.t.Context()
	notes, err := readNotes(in.program.dir)
	if err != nil {
		in.t.Fatal(err)
	}
	in.shared.offer(notes.example().Code)
	job := &mainJob{address: in.program.address, client: summaryClient{notes.ClientID, notes.Secret}}
	for _, who := range drawers {
		c, err := newCitizen(ctx, in.shared, job, who)
		if err != nil {
			in.t.Fatal(err)
		}
		errands = append(errands, c.draw)
	}
	for range programs {
		token, err := job.token(ctx)
		if err != nil {
			in.t.Fatal(err)
		}
		errands = append(errands, (&bank{shared: in.shared, token: token, http: http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}}).check)
	}
	for _, who := range clerks {
		v, err := job.signIn(ctx, people.Who(who), ":"+string(people.Organisations[0].VOEN), "/check")
		if err != nil {
			in.t.Fatal(err)
		}
		v.http.Timeout = 20 * time.Second
		errands = append(errands, (&clerk{in.shared, v}).check)
	}
	return errands
}

// load lets all clients work until stop is called, which waits for each to bring its last errand to the end.
func (in *installed) load(errands []errand) (stop func()) {
	ended := make(chan struct{})
	var clients sync.WaitGroup
	for i, do := range errands {
		clients.Go(func() {
			if err := in.shared.repeat(ended, do); err != nil {
				in.t.Errorf("client %d: %v", i, err)
			}
		})
	}
	stop = sync.OnceFunc(func() { close(ended); clients.Wait() })
	in.t.Cleanup(stop)
	return stop
}

// audit compares everything with the history.
func (in *installed) audit(count *figures) {
	in.t.Helper()
	a := newAuditor(in.t, in.adminURL(), in.program)
	a.settled()
	events, err := readHistory(filepath.Join(in.dir, "history.jsonl"))
	if err != nil {
		in.t.Fatal(err)
	}
	a.consistent()
	a.account(events, count)
	for _, line := range in.program.panics() {
		in.t.Errorf("the log tells of a panic: %s", line)
	}
}

// killServer kills PostgreSQL so many times, at random moments.
func (in *installed) killServer(times int, count *figures) {
	defer in.serverIsLeftAlone.Store(true)
	for range times {
		time.Sleep(100*time.Millisecond + rand.N(longestLife))
		in.outages.Add(1)
		in.server.Kill()
		time.Sleep(rand.N(300 * time.Millisecond))
		in.startServer()
		in.outages.Add(1)
		count.add("PostgreSQL killed", 1)
	}
}

// lives is what is kept of the service's lives.
type lives struct {
	mu    sync.Mutex
	ready []time.Duration // from the start to /readyz, where PostgreSQL was up all the while
	late  []time.Duration // the same where it was not
	signs int             // calls of the key, as far as they were seen before each end

	reasons figures // why starts were given up
}

// killService kills the service so many times, at random moments of its life, and starts it at once.
func (in *installed) killService(times int, l *lives, count *figures) {
	var watching sync.WaitGroup
	defer watching.Wait()
	live := func() *atomic.Bool {
		run, up := in.program.start(), new(atomic.Bool)
		outages := in.outages.Load()
		in.running = run
		watching.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			took, err := run.ready(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				in.t.Errorf("the service is not ready after a minute\n%s", in.program.tail())
			}
			if err != nil {
				return
			}
			up.Store(true)
			l.mu.Lock()
			defer l.mu.Unlock()
			if outages%2 == 0 && outages == in.outages.Load() {
				l.ready = append(l.ready, took)
			} else {
				l.late = append(l.late, took)
			}
		})
		return up
	}
	up := new(atomic.Bool)
	up.Store(true)
	// keep starts the service again when it ended because it found no database, as systemd does, for as long as it is told.
	keep := func(on func() bool) {
		for on() && !in.t.Failed() {
			select {
			case <-in.running.done:
			case <-time.After(5 * time.Millisecond):
				continue
			}
			if up.Load() {
				in.t.Errorf("the service ended by itself: %v\n%s", in.running.err, in.program.tail())
			}
			count.add("service: starts without a database", 1)
			l.reasons.add(in.running.lastWord(), 1)
			time.Sleep(100 * time.Millisecond)
			up = live()
		}
	}
	for range times {
		end := time.Now().Add(rand.N(longestLife))
		keep(func() bool { return time.Now().Before(end) })
		in.scrape(l)
		in.running.kill()
		count.add("service killed", 1)
		up = live()
	}
	keep(func() bool { return !in.serverIsLeftAlone.Load() || !up.Load() })
}

var signsBegan = regexp.MustCompile(`(?m)^tesdiq_issue_steps_total\{point="began",step="sign"\} (\d+)$`)

// scrape adds what the service counts of the key's calls.
func (in *installed) scrape(l *lives) { l.signs += in.metric(signsBegan) }

// metric reads one of the service's figures; 0 while it is starting or ending.
func (in *installed) metric(name *regexp.Regexp) (n int) {
	client := http.Client{Timeout: time.Second}
	answer, err := client.Get(in.program.address + "/metrics")
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(answer.Body)
	if m := name.FindSubmatch(said); m != nil {
		n, _ = strconv.Atoi(string(m[1]))
	}
	return n
}

// TestNothingIsLost is R1, R3 and R5 of the reliability tests in short form: while twenty clients draw and check, the
// service and PostgreSQL are killed again and again and commits are cut midway. An outside history must find every
// acknowledged excerpt and check exactly once.
func TestNothingIsLost(t *testing.T) {
	kills := 4
	if s := os.Getenv(killsEnv); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil || kills < 1 {
			t.Fatalf("%s=%q is no number of kills", killsEnv, s)
		}
	}
	in := installDemo(t)
	errands := in.clients()
	if len(errands) != 20 {
		t.Fatalf("%d clients", len(errands))
	}
	began := time.Now()
	in.cutter.on.Store(true)
	stop := in.load(errands)
	var count figures
	var l lives
	var killers sync.WaitGroup
	killers.Go(func() { in.killServer(kills, &count) })
	killers.Go(func() { in.killService(kills, &l, &count) })
	killers.Wait()
	in.cutter.on.Store(false)
	stop()
	took := time.Since(began)
	in.scrape(&l)
	in.audit(&count)

	if attempts := count.of("attempts"); l.signs > attempts {
		t.Errorf("the key was called %d times for %d attempts", l.signs, attempts)
	}
	if l.signs == 0 {
		t.Error("no call of the key was seen: that comparison proves nothing")
	}
	slices.Sort(l.ready)
	if len(l.ready) == 0 {
		t.Error("no start of the service was measured")
	} else if median := l.ready[len(l.ready)/2]; median >= 5*time.Second {
		t.Errorf("the service needs %s to start", median)
	}
	in.report(took, &count, &l)
	if n := count.of("excerpts acknowledged and found once"); n < 10 {
		t.Errorf("only %d excerpts were acknowledged: this proves nothing", n)
	}
	if n := count.of("checks acknowledged, found once and seen by the subject"); n < 10 {
		t.Errorf("only %d checks were acknowledged: this proves nothing", n)
	}
}

// report prints a table of figures.
func (in *installed) report(took time.Duration, count *figures, l *lives) {
	var b strings.Builder
	line := func(what string, format string, args ...any) {
		fmt.Fprintf(&b, "  %-58s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("duration", "%s, %d clients", took.Round(time.Second), len(drawers)+programs+len(clerks))
	for _, what := range []string{"service killed", "PostgreSQL killed", "service: starts without a database"} {
		line(what, "%d", count.of(what))
	}
	if n := len(l.ready); n > 0 {
		line("service ready again after", "median %s, most %s (%d starts)", l.ready[n/2].Round(time.Millisecond), l.ready[n-1].Round(time.Millisecond), n)
	}
	slices.Sort(l.late)
	if n := len(l.late); n > 0 {
		line("… where PostgreSQL was away meanwhile", "median %s, most %s (%d starts)", l.late[n/2].Round(time.Millisecond), l.late[n-1].Round(time.Millisecond), n)
	}
	for _, why := range slices.Sorted(maps.Keys(l.reasons.n)) {
		line("… its last word, times", "%d %s", l.reasons.n[why], why)
	}
	in.cutter.mu.Lock()
	for _, m := range []moment{atCommit, atStatement, elsewhere} {
		c := in.cutter.cuts[m]
		line("connections cut at "+string(m), "%d: %d %s, %d %s, %d %s", c[before]+c[during]+c[after], c[before], before, c[during], during, c[after], after)
	}
	in.cutter.mu.Unlock()
	line("errands of clients tried again", "%d, of these after a status 500: %d", in.shared.figures.of("tried again"), in.shared.figures.of("faults"))
	for _, what := range []string{"keys of forms", "excerpts acknowledged and found once", "intents", "intents void", "attempts", "excerpts stored", "files of them, each TOTAL-PASSED",
		"keys of checks", "checks acknowledged, found once and seen by the subject", "checks stored"} {
		line(what, "%d", count.of(what))
	}
	line("calls of the key that were seen", "%d", l.signs)
	in.t.Logf("nothing lost:\n%s", b.String())
}
