package privatepg_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/privatepg"
)

// The helper process of TestParentKilled starts a server, says its number and waits to be killed.
func TestMain(m *testing.M) {
	dir := os.Getenv("PRIVATEPG_TEST_HOLD")
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := privatepg.Start(context.Background(), privatepg.Options{Dir: dir})
	if err != nil {
		os.Stdout.WriteString("error: " + err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString(strconv.Itoa(s.Pid()) + "\n")
	<-s.Done()
}

func start(t *testing.T, opts privatepg.Options) *privatepg.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := privatepg.Start(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

// sql runs one command through psql, so that the test needs no driver.
func sql(t *testing.T, s *privatepg.Server, command string) string {
	t.Helper()
	psql, err := privatepg.Program("psql")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(psql, "-XAt", "-v", "ON_ERROR_STOP=1", "-d", s.URL("postgres", "postgres"), "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestCommittedDataOutlivesStopAndKill(t *testing.T) {
	opts := privatepg.Options{Dir: filepath.Join(t.TempDir(), "pg")}
	s := start(t, opts)
	sql(t, s, "CREATE TABLE kept (n int)")
	sql(t, s, "INSERT INTO kept VALUES (1)")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}

	s = start(t, opts)
	sql(t, s, "INSERT INTO kept VALUES (2)")
	s.Kill()
	select {
	case <-s.Done():
	default:
		t.Error("Done is open after Kill")
	}

	s = start(t, opts)
	if got := sql(t, s, "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"); got != "1,2" {
		t.Errorf("kept = %s, want 1,2", got)
	}
}

func TestKilledPostmasterWithBusyChildren(t *testing.T) {
	opts := privatepg.Options{Dir: filepath.Join(t.TempDir(), "pg"), FsyncOff: true}
	s := start(t, opts)
	psql, _ := privatepg.Program("psql")
	for range 5 {
		busy := exec.Command(psql, "-X", "-d", s.URL("postgres", "postgres"), "-c",
			"SELECT count(*) FROM generate_series(1, 1000000000)")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		s.Kill() // its child still counts: the next start must wait for it, then succeed
		s = start(t, opts)
		busy.Wait()
	}
	if got := sql(t, s, "SELECT 1"); got != "1" {
		t.Errorf("got %s", got)
	}
}

func TestSettings(t *testing.T) {
	s := start(t, privatepg.Options{Dir: filepath.Join(t.TempDir(), "pg"), FsyncOff: true,
		Settings: map[string]string{"shared_buffers": "32MB"}})
	for name, want := range map[string]string{
		"listen_addresses": "", "max_connections": "200", "server_encoding": "UTF8", "lc_collate": "C.UTF-8",
		"TimeZone": "UTC", "fsync": "off", "shared_buffers": "32MB", "data_checksums": "on",
	} {
		if got := sql(t, s, "SELECT current_setting('"+name+"')"); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if got := sql(t, s, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"); got != "t" {
		t.Error("postgres is not the superuser")
	}
}

func TestSecondStartOnTheSameFolderIsRefused(t *testing.T) {
	opts := privatepg.Options{Dir: filepath.Join(t.TempDir(), "pg"), FsyncOff: true}
	s := start(t, opts)
	second, err := privatepg.Start(t.Context(), opts)
	if err == nil {
		second.Stop()
	}
	if !errors.Is(err, privatepg.ErrInUse) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("err = %v, want ErrInUse naming the process", err)
	}
	if got := sql(t, s, "SELECT 1"); got != "1" {
		t.Errorf("the first server does not answer: %s", got)
	}
}

func TestHalfFinishedInitdbIsDoneAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pg")
	half := filepath.Join(dir, "data.tmp")
	if err := os.MkdirAll(filepath.Join(half, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, privatepg.Options{Dir: dir, FsyncOff: true})
	if got := sql(t, s, "SELECT 1"); got != "1" {
		t.Errorf("got %s", got)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("data.tmp: %v, want it gone", err)
	}
}

func TestLongTemporaryFolder(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "pg")
	t.Setenv("TMPDIR", long)
	s := start(t, privatepg.Options{Dir: dir, FsyncOff: true})
	if got := sql(t, s, "SELECT 1"); got != "1" {
		t.Errorf("got %s", got)
	}
}

// As root we run postgres as somebody who may not enter a folder like /root.
func TestFolderThatOnlyItsOwnerMayEnter(t *testing.T) {
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, privatepg.Options{Dir: filepath.Join(closed, "pg"), FsyncOff: true})
	if got := sql(t, s, "SELECT 1"); got != "1" {
		t.Errorf("got %s", got)
	}
}

func TestFailureSaysWhatPostgresSaid(t *testing.T) {
	_, err := privatepg.Start(t.Context(), privatepg.Options{Dir: filepath.Join(t.TempDir(), "pg"), FsyncOff: true,
		Settings: map[string]string{"max_connections": "many"}})
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("err = %v, want PostgreSQL's reason", err)
	}
}

func TestParentKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pg")
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), "PRIVATEPG_TEST_HOLD="+dir)
	out, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4096)
	n, _ := out.Read(line)
	pid, err := strconv.Atoi(string(bytes.TrimSpace(line[:n])))
	if err != nil {
		t.Fatalf("helper said %q", line[:n])
	}
	note, err := os.ReadFile(filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	helper.Process.Kill()
	helper.Wait()

	s := start(t, privatepg.Options{Dir: dir})                                            // waits for the orphan's orderly shutdown
	if line, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline"); len(line) > 0 { // a zombie has none
		t.Errorf("the killed process's server %d is still there", pid)
	}
	if _, err := os.Stat(string(note)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the dead server's socket folder: %v, want it gone", err)
	}
	if got := sql(t, s, "SELECT 1"); got != "1" {
		t.Errorf("got %s", got)
	}
}

func TestKilledWhileMakingTheDataFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pg")
	for _, after := range []time.Duration{50, 200, 400} {
		ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
		if s, err := privatepg.Start(ctx, privatepg.Options{Dir: dir, FsyncOff: true}); err == nil {
			s.Kill() // a fast machine
		}
		cancel()
	}
	s := start(t, privatepg.Options{Dir: dir, FsyncOff: true})
	if got := sql(t, s, "SELECT 1"); got != "1" {
		t.Errorf("got %s", got)
	}
}

// A program that is being started has a copy of our open files until it begins; the folder must not seem taken by it.
func TestStartWhileOtherProgramsAreStarted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var others sync.WaitGroup
	for range 8 {
		others.Go(func() {
			for ctx.Err() == nil {
				exec.Command("/bin/true").Run()
			}
		})
	}
	defer others.Wait()
	defer stop()
	opts := privatepg.Options{Dir: t.TempDir(), FsyncOff: true}
	for range 15 {
		s, err := privatepg.Start(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		s.Kill()
	}
}
