package sandbox_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"github.com/tesdiq/tesdiq/verifier/sandbox"
)

// The test's own program is the child, under these names.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "child-reads":
			if err := sandbox.Serve(os.Stdin, os.Stdout); err != nil {
				os.Exit(1)
			}
			os.Exit(0)
		case "child-tries":
			os.Exit(try(os.Args[2]))
		}
	}
	os.Exit(m.Run())
}

// try confines itself and does what a file might make a reader do. 0: it could.
func try(what string) int {
	address, path := os.Args[3], os.Args[4]
	if err := sandbox.Confine(); err != nil {
		return 3
	}
	var err error
	switch what {
	case "nothing":
	case "read a file":
		_, err = os.ReadFile("/etc/passwd")
	case "write a file":
		err = os.WriteFile(path, []byte("x"), 0o600)
	case "remove a file":
		err = os.Remove(path)
	case "list a folder":
		_, err = os.ReadDir("/")
	case "connect":
		var c net.Conn
		if c, err = net.DialTimeout("tcp", address, time.Second); err == nil {
			c.Close()
		}
	case "listen":
		_, err = net.Listen("tcp", "127.0.0.1:0")
	case "start a program":
		err = exec.Command("/bin/true").Run()
	case "become another program":
		err = syscall.Exec("/bin/true", []string{"true"}, nil)
	case "stop its parent":
		err = syscall.Kill(os.Getppid(), syscall.SIGTERM)
	case "look into its parent":
		err = syscall.PtraceAttach(os.Getppid())
	case "take memory":
		var kept [][]byte
		for range 20 {
			b := make([]byte, 64<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
		}
		if len(kept) == 0 {
			return 4
		}
	default:
		return 5
	}
	if err != nil {
		return 6
	}
	return 0
}

func TestWhatAChildCannotDo(t *testing.T) {
	canary, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer canary.Close()
	var calls atomic.Int64
	go func() {
		for {
			c, err := canary.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			c.Close()
		}
	}()
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what string
		code int // how it ends
	}{
		{"nothing", 0}, {"read a file", 6}, {"write a file", 6}, {"remove a file", 6}, {"list a folder", 6}, {"connect", 6}, {"listen", 6},
		{"start a program", 6}, {"become another program", 6}, {"stop its parent", 6}, {"look into its parent", 6},
		{"take memory", 2}, // the Go runtime's own end, out of memory
	} {
		err := exec.Command(os.Args[0], "child-tries", tt.what, canary.Addr().String(), path).Run()
		var exit *exec.ExitError
		code := 0
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != tt.code {
			t.Errorf("%s: ended with %d instead of %d", tt.what, code, tt.code)
		}
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "before" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if calls.Load() != 0 {
		t.Errorf("%d connections were made", calls.Load())
	}
}

type world struct {
	pool *sandbox.Pool
	pdf  []byte
	lost atomic.Int64
}

func newWorld(t testing.TB, children int, timeout time.Duration) *world {
	t.Helper()
	w := &world{}
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	set, err := signer.NewThrowaway(rand.Reader, now.AddDate(0, 0, -1))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	if w.pdf, err = set.PDFSigner(rand.Reader).Sign(t.Context(), pdftest.Page(), now, signer.SignInfo{}); err != nil {
		t.Fatal(err)
	}
	w.pool, err = sandbox.NewPool(t.Context(), sandbox.Config{
		Command: []string{os.Args[0], "child-reads"}, Roots: roots, Children: children, Timeout: timeout,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Lost: func() { w.lost.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.pool.Close)
	if direct := pades.Read(w.pdf, roots); direct.Indication != pades.Passed {
		t.Fatalf("our own file reads %+v", direct)
	} else if r := w.read(t, w.pdf); r != direct {
		t.Fatalf("the child says %+v, we %+v", r, direct)
	}
	return w
}

func (w *world) read(t testing.TB, pdf []byte) pades.Report {
	t.Helper()
	r, err := w.pool.Read(t.Context(), pdf)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// children are the processes that this one has started to read.
func children(t *testing.T) (pids []int) {
	t.Helper()
	out, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	for tid := range tasks(t) {
		b, err := os.ReadFile("/proc/self/task/" + tid + "/children")
		if err == nil {
			out = append(append(out, ' '), b...)
		}
	}
	seen := map[int]bool{}
	for _, f := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err == nil && bytes.Contains(line, []byte("child-reads")) && !seen[pid] {
			seen[pid] = true
			pids = append(pids, pid)
		}
	}
	return pids
}

func tasks(t *testing.T) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, e := range entries {
		all[e.Name()] = true
	}
	return all
}

// A child that dies between two files is replaced without anybody noticing; one that dies or hangs over a file leaves its
// answer behind, and the next file is read.
func TestAChildIsReplaced(t *testing.T) {
	w := newWorld(t, 1, sandbox.DefaultTimeout) // on a busy machine a new child needs a while
	before := children(t)
	if len(before) != 1 {
		t.Fatalf("children %v", before)
	}
	if err := syscall.Kill(before[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for len(children(t)) != 0 { // until it was waited for
		time.Sleep(time.Millisecond)
	}
	if r := w.read(t, w.pdf); r.Indication != pades.Passed || w.lost.Load() != 0 {
		t.Errorf("after a death between two files: %+v, %d lost", r, w.lost.Load())
	}

	stopped := children(t)[0]
	if err := syscall.Kill(stopped, syscall.SIGSTOP); err != nil { // it hangs over the next one
		t.Fatal(err)
	}
	answer := make(chan pades.Report)
	go func() {
		r, err := w.pool.Read(context.WithoutCancel(t.Context()), w.pdf)
		if err != nil {
			t.Error(err)
		}
		answer <- r
	}()
	if r := <-answer; r != pades.GaveUp() || w.lost.Load() != 1 {
		t.Errorf("over a hanging child: %+v, %d lost", r, w.lost.Load())
	}
	if r := w.read(t, w.pdf); r.Indication != pades.Passed {
		t.Errorf("after it: %+v", r)
	}
	if now := children(t); len(now) != 1 || now[0] == stopped {
		t.Errorf("children %v", now)
	}
}

// S5, S8: files made from ours by changing bytes; none may pass, none may take a child with it.
func TestManyDamagedFiles(t *testing.T) {
	files := 2_000
	if n, err := strconv.Atoi(os.Getenv("TESDIQ_DAMAGED_FILES")); err == nil {
		files = n
	}
	w := newWorld(t, 2, sandbox.DefaultTimeout)
	var next, passed atomic.Int64
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(files); i = next.Add(1) {
				pdf := damage(w.pdf, uint64(i))
				r, err := w.pool.Read(t.Context(), pdf)
				if err != nil {
					t.Error(err)
					return
				}
				if r == pades.GaveUp() {
					t.Errorf("file %d took its child with it", i)
				}
				if r.Indication == pades.Passed && !bytes.Equal(pdf, w.pdf) {
					passed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if passed.Load() != 0 {
		t.Errorf("of %d files %d passed", files, passed.Load())
	}
}

// damage changes a few bytes, cuts, doubles or moves a part, the same for the same number.
func damage(pdf []byte, number uint64) []byte {
	b := bytes.Clone(pdf)
	state := number
	draw := func(n int) int { // splitmix64
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return int((z ^ z>>31) % uint64(n))
	}
	for range 1 + draw(8) {
		at := draw(len(b))
		end := min(len(b), at+1+draw(200))
		switch draw(5) {
		case 0:
			b[at] = byte(draw(256))
		case 1:
			b[at] ^= 1 << draw(8)
		case 2:
			b = append(b[:at:at], b[end:]...)
		case 3:
			b = append(b[:end:end], b[at:]...)
		case 4:
			b = append(append(b[:at:at], []byte("<<[(/Kids 1 0 R obj stream xref trailer %%EOF 99999999999 R]>>")[draw(40):]...), b[at:]...)
		}
		if len(b) == 0 {
			return []byte("%PDF-1.7\n")
		}
	}
	return b
}

func TestAllBusy(t *testing.T) {
	w := newWorld(t, 1, 2*time.Second)
	if err := syscall.Kill(children(t)[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		close(begun)
		_, _ = w.pool.Read(context.WithoutCancel(t.Context()), w.pdf)
	})
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for range 2 { // whichever comes first holds the child
		if _, err := w.pool.Read(ctx, w.pdf); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	}
	all.Wait()
	w.pool.Close()
	if _, err := w.pool.Read(t.Context(), w.pdf); !errors.Is(err, sandbox.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
}

func TestAProgramThatIsNoReader(t *testing.T) {
	set, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"/bin/true", "/no/such/program"} {
		_, err = sandbox.NewPool(t.Context(), sandbox.Config{
			Command: []string{command}, Roots: roots, Children: 1, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err == nil {
			t.Errorf("%s is taken for a reader", command)
		}
	}
}

// BenchmarkRead is one of our own files, in a child and here.
func BenchmarkRead(b *testing.B) {
	w := newWorld(b, 1, sandbox.DefaultTimeout)
	for b.Loop() {
		if _, err := w.pool.Read(b.Context(), w.pdf); err != nil {
			b.Fatal(err)
		}
	}
}
