package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/privatepg"
)

// Told to stop under load, the service ends with success and nothing is lost; clients only see that it was away.
func TestStoppingUnderLoad(t *testing.T) {
	t.Parallel()
	in := installDemo(t)
	stop := in.load(in.clients())
	for range 2 {
		time.Sleep(2 * time.Second)
		t.Logf("stopped in %s", in.running.stop().Round(time.Millisecond))
		in.running = in.program.start()
		in.running.mustBeReady()
	}
	stop()
	in.audit(new(figures))
}

// Requests that are under way when the service is told to stop get their answers: here every one of them has its commit
// still before it when the signal comes.
func TestRequestsUnderWayAreFinished(t *testing.T) {
	t.Parallel()
	in := installDemo(t)
	ctx := t.Context()
	notes, err := readNotes(in.program.dir)
	if err != nil {
		t.Fatal(err)
	}
	job := &mainJob{address: in.program.address, client: summaryClient{notes.ClientID, notes.Secret}}

	// still lets a browser stop at where a form leads, for by then nobody answers any more.
	led := make(map[*visitor]string)
	still := func(v *visitor) {
		v.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			led[v] = r.URL.Path
			return http.ErrUseLastResponse
		}
	}
	var citizens []*citizen
	var forms []event
	for _, who := range drawers[:6] {
		c, err := newCitizen(ctx, in.shared, job, who)
		if err != nil {
			t.Fatal(err)
		}
		from := c.sources[0]
		if err := c.browser.open(ctx, in.program.address+"/cabinet/excerpts/new?kind="+from.kind+"&number="+from.number); err != nil {
			t.Fatal(err)
		}
		e := event{What: asking, Who: who, Kind: from.kind, Entry: from.number, Lang: string(tesdiq.Az)}
		for n := range c.browser.each("input") {
			if attribute(n, "name") == "key" {
				e.Key = attribute(n, "value")
			}
		}
		if err := in.shared.history.write(e); err != nil {
			t.Fatal(err)
		}
		still(c.browser)
		citizens, forms = append(citizens, c), append(forms, e)
	}
	var clerks []*visitor
	for range 4 {
		v, err := job.signIn(ctx, people.Who("aysel"), ":"+string(people.Organisations[0].VOEN), "/check")
		if err != nil {
			t.Fatal(err)
		}
		still(v)
		clerks = append(clerks, v)
	}
	token, err := job.token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	program := &bank{shared: in.shared, token: token}

	release := in.cutter.hold()
	defer release()
	var asked sync.WaitGroup
	answered := make(chan error, 20)
	for i, c := range citizens {
		asked.Go(func() {
			c.browser.submit(ctx, "validity", "30", "lang", forms[i].Lang)
			if c.browser.status != http.StatusSeeOther {
				answered <- fmt.Errorf("a form that was under way: status %d", c.browser.status)
			}
		})
	}
	for _, v := range clerks {
		asked.Go(func() {
			v.submit(ctx, "code", notes.example().Code, "purpose", "credit")
			if v.status != http.StatusSeeOther {
				answered <- fmt.Errorf("a check that was under way: status %d", v.status)
			}
		})
	}
	const calls = 5
	checks := make([]event, calls)
	for i := range calls {
		checks[i] = event{What: progAsking, Key: fmt.Sprint("under way ", i), Code: notes.example().Code}
		if err := in.shared.history.write(checks[i]); err != nil {
			t.Fatal(err)
		}
		asked.Go(func() {
			id, err := program.ask(ctx, checks[i])
			if err != nil {
				answered <- fmt.Errorf("a program's check that was under way: %w", err)
			}
			checks[i].What, checks[i].ID = checked, id
		})
	}
	// Forms that come together wait for one commit, and so do checks: only the service can say that they have come. It counts the question about it, too. None may wait longer than a transaction may be idle.
	underWay := len(citizens) + len(clerks) + calls
	for end := time.Now().Add(10 * time.Second); in.cutter.held.Load() < 2 || in.inFlight() < underWay+1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d commits are held, %d of %d requests are under way", in.cutter.held.Load(), in.inFlight()-1, underWay)
		}
	}
	if err := in.running.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	signalled := time.Now()
	for { // until nobody new is let in
		c, err := net.Dial("tcp", strings.TrimPrefix(in.program.address, "http://"))
		if err != nil {
			break
		}
		c.Close()
		if time.Since(signalled) > 5*time.Second {
			t.Fatal("it still takes connections")
		}
		time.Sleep(10 * time.Millisecond)
	}
	release()
	asked.Wait()
	close(answered)
	for err := range answered {
		t.Error(err)
	}
	select {
	case <-in.running.done:
	case <-time.After(20 * time.Second):
		t.Fatal("it does not stop")
	}
	if in.running.err != nil {
		t.Errorf("stopping: %v\n%s", in.running.err, in.program.tail())
	}
	t.Logf("stopped in %s", time.Since(signalled).Round(time.Millisecond))
	if t.Failed() {
		t.Fatal(in.program.tail())
	}

	in.running = in.program.start()
	in.running.mustBeReady()
	for i, c := range citizens {
		e := forms[i]
		c.browser.http.CheckRedirect = nil
		e.What, e.Number = numbered, path.Base(led[c.browser])
		in.write(e)
		if err := in.shared.insist("the file", func(ctx context.Context) error { return c.fetch(ctx, &e) }); err != nil || e.What != drawn {
			t.Errorf("%s is %s: %v", e.Number, e.What, err)
		}
		in.write(e)
	}
	for _, v := range clerks {
		in.write(event{What: pageAsking, Code: notes.example().Code})
		in.write(event{What: pageChecked, Code: notes.example().Code, ID: path.Base(led[v])})
	}
	for _, e := range checks {
		in.write(e)
	}
	in.audit(new(figures))
}

// inFlight is how many requests the service is answering, this one included.
func (in *installed) inFlight() int { return in.metric(inFlight) }

var inFlight = regexp.MustCompile(`(?m)^tesdiq_http_requests_in_flight (\d+)$`)

func (in *installed) write(e event) {
	in.t.Helper()
	if err := in.shared.history.write(e); err != nil {
		in.t.Fatal(err)
	}
}

// The set-up of the demonstration is killed again and again, each time when a certain part of it has just begun or been
// done; the next start goes on. Once it is complete, every further start shows the same.
func TestABrokenOffSetUpContinues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const invented = 1500
	p := demoProgram(t, dir, "", invented)
	database := filepath.Join(p.dir, "postgres")
	for _, mark := range []string{"lock", "postgres/data.tmp/PG_VERSION", "postgres/data/postmaster.pid", "postgres/socket", "said: Inventing",
		"keys", "demo.json", "examples", "examples/expired.pdf", "examples/valid.pdf", "examples/superseded.pdf", "examples/revoked.pdf"} {
		run := p.start()
		for end := time.Now().Add(time.Minute); !p.reached(mark); time.Sleep(time.Millisecond) {
			if run.ended() || time.Now().After(end) {
				t.Fatalf("it does not come to %s: %v\n%s", mark, run.err, p.tail())
			}
		}
		run.kill()
	}
	run := p.start()
	run.mustBeReady()
	codes := p.codes(run)
	if len(codes) != 6 {
		t.Fatalf("it printed %d codes:\n%s", len(codes), run.out)
	}

	server, err := privatepg.Running(database)
	if err != nil {
		t.Fatal(err)
	}
	a := newAuditor(t, server.URL(privatepg.Superuser, demoDatabase), p)
	a.consistent()
	for what, want := range map[string]int{
		`SELECT count(*) FROM persons`: len(people.Cast) + invented, `SELECT count(*) FROM organisations`: len(people.Organisations),
		`SELECT count(*) FROM intents`: examplesDrawn, `SELECT count(*) FROM excerpts`: examplesDrawn, `SELECT count(*) FROM voids`: 0,
	} {
		if got := a.count(what); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	// What was begun on a day of the past has been finished on that day.
	if n := a.count(`SELECT count(*) FROM excerpts WHERE issued_at > valid_until`); n != 0 {
		t.Errorf("%d excerpts were issued after they had expired", n)
	}
	a.examplesAreWhatTheySay(p)

	p.startTwice(run)
	run.stop()
	again := p.start()
	again.mustBeReady()
	if got := p.codes(again); strings.Join(got, " ") != strings.Join(codes, " ") {
		t.Errorf("the second start prints %s instead of %s", got, codes)
	}
	again.stop()
	if found := p.panics(); len(found) > 0 {
		t.Errorf("the log tells of panics: %q", found)
	}
}

// examplesDrawn is how many excerpts the set-up draws: one for each verdict but unknown.
const examplesDrawn = 6

// reached says whether a file of the set-up is there, or something has been said.
func (p *program) reached(mark string) bool {
	if words, ok := strings.CutPrefix(mark, "said: "); ok {
		b, err := os.ReadFile(p.log)
		return err == nil && strings.Contains(string(b), words)
	}
	_, err := os.Stat(filepath.Join(p.dir, mark))
	return err == nil
}

var printedCodes = regexp.MustCompile(`(?m)^  [a-z]+ +(` + codePattern.String() + `)`)

// codes are those that a start printed.
func (p *program) codes(run *process) (codes []string) {
	// It prints them just before it serves.
	for range 100 {
		if strings.Contains(run.out.String(), "For programs") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	for _, m := range printedCodes.FindAllStringSubmatch(run.out.String(), -1) {
		codes = append(codes, m[1])
	}
	return codes
}

// examplesAreWhatTheySay checks every example of the set-up.
func (a *auditor) examplesAreWhatTheySay(p *program) {
	a.t.Helper()
	notes, err := readNotes(p.dir)
	if err != nil {
		a.t.Fatal(err)
	}
	token, err := a.job.token(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	for _, e := range notes.Examples {
		address, kind, body := "/api/v1/checks", "application/json", []byte(`{"code":"`+string(e.Code)+`","purpose":"credit"}`)
		if e.Verdict == tesdiq.Altered {
			address, kind = "/api/v1/documents?purpose=credit", "application/pdf"
			if body, err = os.ReadFile(e.File); err != nil {
				a.t.Fatal(err)
			}
		}
		var answer struct{ Verdict tesdiq.Verdict }
		if err := call(a.t.Context(), http.MethodPost, p.address+address, token, kind, body, &answer); err != nil {
			a.t.Fatal(err)
		}
		if answer.Verdict != e.Verdict {
			a.t.Errorf("the example of %s is %s", e.Verdict, answer.Verdict)
		}
	}
}

// startTwice starts another process on the same data, and one on the same address, while run runs: they say what is in the way.
func (p *program) startTwice(run *process) {
	p.t.Helper()
	for _, second := range []struct {
		addr, data string
		says       []string
	}{
		{"127.0.0.1:0", p.dir, []string{"runs on the data in", p.address, fmt.Sprintf("process %d", run.cmd.Process.Pid), "-data"}},
		{strings.TrimPrefix(p.address, "http://"), p.t.TempDir(), []string{"cannot be used", "-addr"}},
	} {
		ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary(p.t), "demo", "-addr", second.addr, "-data", second.data)
		cmd.Env = p.env
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 1 || strings.Count(string(out), "\n") != 1 {
			p.t.Errorf("a second start: %v: %s", err, out)
		}
		for _, words := range second.says {
			if !strings.Contains(string(out), words) {
				p.t.Errorf("a second start says %q without %q", out, words)
			}
		}
	}
	run.mustBeReady()
}
