package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is one of ours as a process of its own, which may be killed and started again with the same arguments.
type program struct {
	t       testing.TB
	dir     string // -data
	address string // http://127.0.0.1:PORT, the same at every start
	path    string // of the program; empty: tesdiq
	args    []string
	env     []string
	log     string // file to which everything that it says is appended
}

// demoProgram prepares the demonstration in a folder; database is its DATABASE_URL, or empty for a private one.
func demoProgram(t testing.TB, dir, database string, people int) *program {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := &program{t: t, dir: dir + "/data", address: "http://" + l.Addr().String(), log: dir + "/tesdiq.log"}
	p.args = []string{"demo", "-data", p.dir, "-addr", l.Addr().String(), "-people", fmt.Sprint(people), "-past", "0"}
	p.env = append(os.Environ(), "DATABASE_URL="+database)
	return p
}

// process is one life of a program.
type process struct {
	program *program
	cmd     *exec.Cmd
	began   time.Time
	out     *logged       // its standard output
	errors  *logged       // its standard error
	done    chan struct{} // closed when it has ended
	err     error         // how; after done
}

// start starts the program, which dies with the test whatever becomes of the test.
func (p *program) start() *process {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	path := p.path
	if path == "" {
		path = binary(p.t)
	}
	run := &process{program: p, cmd: exec.Command(path, p.args...), began: time.Now(), out: &logged{}, errors: &logged{}, done: make(chan struct{})}
	run.cmd.Env, run.cmd.Stderr, run.cmd.Stdout = p.env, io.MultiWriter(log, run.errors), io.MultiWriter(log, run.out)
	run.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		// The kernel tells of the parent's death when the thread ends that started the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := run.cmd.Start()
		started <- err
		if err == nil {
			run.err = run.cmd.Wait()
			close(run.done)
		}
	}()
	if err := <-started; err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(run.kill)
	return run
}

// kill ends the process as a crash would.
func (run *process) kill() {
	run.cmd.Process.Kill()
	<-run.done
}

// ended says whether the process has ended.
func (run *process) ended() bool {
	select {
	case <-run.done:
		return true
	default:
		return false
	}
}

// ready waits until /readyz says so, and tells how long after its start that was.
func (run *process) ready(ctx context.Context) (time.Duration, error) {
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		if run.ended() {
			return 0, fmt.Errorf("it ended: %v", run.err)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, run.program.address+"/readyz", nil)
		if err != nil {
			return 0, err
		}
		if answer, err := client.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return time.Since(run.began), nil
			}
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// mustBeReady fails the test if the process is not ready in a minute.
func (run *process) mustBeReady() time.Duration {
	run.program.t.Helper()
	ctx, cancel := context.WithTimeout(run.program.t.Context(), time.Minute)
	defer cancel()
	took, err := run.ready(ctx)
	if err != nil {
		run.program.t.Fatalf("not ready: %v\n%s", err, run.program.tail())
	}
	return took
}

// stop ends the process in good order and fails the test if that takes too long or is no success.
func (run *process) stop() time.Duration {
	run.program.t.Helper()
	began := time.Now()
	if err := run.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		run.program.t.Error(err)
	}
	select {
	case <-run.done:
	case <-time.After(20 * time.Second):
		run.program.t.Errorf("it has not stopped within twenty seconds\n%s", run.program.tail())
		run.kill()
	}
	if run.err != nil {
		run.program.t.Errorf("stopping: %v\n%s", run.err, run.program.tail())
	}
	return time.Since(began)
}

// tail is the end of what the program said.
func (p *program) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(b, []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-30):], []byte("\n")))
}

var volatileWords = regexp.MustCompile(`[0-9]{3,}|user=\w+|tesdiq_\w+`)

// lastWord is why a process ended, without numbers and names that differ each time.
func (run *process) lastWord() string {
	lines := strings.Split(strings.TrimSpace(run.errors.String()), "\n")
	return volatileWords.ReplaceAllString(lines[len(lines)-1], "*")
}

// panics are the lines of the log that tell of one.
func (p *program) panics() (found []string) {
	b, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Error(err)
	}
	for _, line := range bytes.Split(b, []byte("\n")) {
		if bytes.Contains(line, []byte("panic")) || bytes.Contains(line, []byte("DATA RACE")) {
			found = append(found, string(line))
		}
	}
	return found
}

// figures count what happened, by its name.
type figures struct {
	mu sync.Mutex
	n  map[string]int
}

func (f *figures) add(what string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n == nil {
		f.n = map[string]int{}
	}
	f.n[what] += n
}

func (f *figures) of(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n[what]
}
