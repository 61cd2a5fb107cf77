// Package privatepg runs a PostgreSQL of our own over the machine's initdb and postgres, so that a newcomer needs no
// database and a test gets a real one. It listens on a Unix socket in a private folder and on nothing else.
//
// It cannot upgrade a data folder to another major version, and it is not for production: there the operator's own
// PostgreSQL is named by DATABASE_URL. Linux only (flock, the parent-death signal, /proc).
package privatepg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Superuser is the role that initdb makes.
const Superuser = "postgres"

// ErrInUse says that another process runs a server on this folder.
var ErrInUse = errors.New("another process runs a private PostgreSQL on this folder")

// Options says where the server lives. Dir is required.
type Options struct {
	// Dir is the folder that holds everything of this server: data, locks, log. It is made if it is missing.
	Dir string
	// FsyncOff gives up durability for speed. For tests only: a crash of the machine may then corrupt the data.
	FsyncOff bool
	// Settings are further settings of postgres, for example {"shared_buffers": "512MB"}; they win over ours.
	Settings map[string]string
	// Log is told what the server goes through; nil is silence. PostgreSQL's own words go to Dir/postgres.log.
	Log *slog.Logger
}

// Server is a running private PostgreSQL.
type Server struct {
	opts      Options
	socketDir string
	postgres  *child
	lock      *os.File // held as long as this Server is
	ended     sync.Once
}

// The files of Options.Dir. The locks are beside the data folder, not in it: they must be held before there is one.
const (
	dataName    = "data"
	halfName    = "data.tmp"     // initdb works here; renamed to data when it has finished
	lockName    = "lock"         // held by the process that called Start, with its number in it
	clusterName = "cluster.lock" // held by postgres and by every process that it forks, see waitForCluster
	socketName  = "socket"       // the path of the socket's folder, so that the next start can remove a dead one
	logName     = "postgres.log"
)

const (
	socketFile    = ".s.PGSQL.5432"
	maxSocketPath = 107 // bytes: sun_path of sockaddr_un without its closing NUL
	maxLog        = 4 << 20
)

// Start starts the server of opts.Dir, making its data folder first if there is none, and returns when it takes
// connections. It fails with ErrInUse while another process has the folder. After a crash, of the server or of the
// whole process, the next Start recovers. ctx is for the start only: when it ends later, the server goes on.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("privatepg: %w", err)
	}
	opts.Dir = dir
	s := &Server{opts: opts}
	if err := s.start(ctx); err != nil {
		s.release()
		return nil, fmt.Errorf("privatepg: %s: %w", dir, err)
	}
	return s, nil
}

// Init makes the data folder of opts.Dir if there is none, without starting a server on it.
func Init(ctx context.Context, opts Options) error {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{opts: opts}
	defer s.release()
	cluster, who, err := s.claim(ctx)
	if err != nil {
		return fmt.Errorf("privatepg: %s: %w", opts.Dir, err)
	}
	defer cluster.Close()
	if err := s.initialise(ctx, who, cluster); err != nil {
		return fmt.Errorf("privatepg: %s: %w", opts.Dir, err)
	}
	return nil
}

// claim locks the folder for this process, waits until no process of an earlier server is left, and says as whom the
// server is to run. The caller closes the returned lock once postgres has inherited it.
func (s *Server) claim(ctx context.Context) (cluster *os.File, who owner, err error) {
	if err := os.MkdirAll(s.opts.Dir, 0o700); err != nil {
		return nil, owner{}, err
	}
	if s.lock, err = lockFolder(filepath.Join(s.opts.Dir, lockName)); err != nil {
		return nil, owner{}, err
	}
	if who, err = dataOwner(filepath.Join(s.opts.Dir, dataName)); err != nil {
		return nil, owner{}, err
	}
	cluster, err = waitForCluster(ctx, filepath.Join(s.opts.Dir, clusterName), filepath.Join(s.opts.Dir, dataName), s.opts.Log)
	return cluster, who, err
}

func (s *Server) start(ctx context.Context) error {
	cluster, who, err := s.claim(ctx)
	if err != nil {
		return err
	}
	defer cluster.Close() // from then on only postgres and its children hold it
	if err := s.initialise(ctx, who, cluster); err != nil {
		return err
	}
	data := filepath.Join(s.opts.Dir, dataName)
	bin, err := binFor(data)
	if err != nil {
		return err
	}
	// Both locks are ours, so no process of an earlier server lives, whatever its number now belongs to.
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := s.makeSocketDir(who); err != nil {
		return err
	}
	if err := s.launch(bin, data, who, cluster); err != nil {
		return err
	}
	if err := s.waitReady(ctx, data); err != nil {
		s.end(syscall.SIGQUIT, 10*time.Second)
		return err
	}
	s.opts.Log.Info("private PostgreSQL is ready", "dir", s.opts.Dir, "pid", s.Pid())
	return nil
}

// launch starts postgres on the data folder. It is handed the folder as an open file (see dataArg) and the cluster
// lock.
func (s *Server) launch(bin, data string, who owner, cluster *os.File) error {
	folder, err := os.Open(data)
	if err != nil {
		return err
	}
	defer folder.Close()
	out, err := openLog(filepath.Join(s.opts.Dir, logName))
	if err != nil {
		return err
	}
	defer out.Close()

	// With fsync on, a dying parent means a quick but orderly shutdown; else there is nothing worth the wait.
	onParentDeath := syscall.SIGINT
	if s.opts.FsyncOff {
		onParentDeath = syscall.SIGQUIT
	}
	cmd := command(who, onParentDeath, filepath.Join(bin, "postgres"), s.arguments()...)
	cmd.ExtraFiles = []*os.File{folder, cluster}
	cmd.Stdout, cmd.Stderr = out, out
	s.postgres, err = startChild(cmd)
	return err
}

func (s *Server) arguments() []string {
	settings := map[string]string{
		"listen_addresses":        "",
		"unix_socket_directories": s.socketDir,
		"unix_socket_permissions": "0700",
		"max_connections":         "200",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"logging_collector":       "off",
		// Personal data stays out of the log: no failed statements, no values of rows, no errors of sessions at all
		// (the level log is above error and below fatal).
		"log_min_messages":        "log",
		"log_min_error_statement": "panic",
		"log_error_verbosity":     "terse",
		"log_checkpoints":         "off",
	}
	if s.opts.FsyncOff {
		settings["fsync"] = "off"
		settings["synchronous_commit"] = "off"
		settings["full_page_writes"] = "off"
	}
	for name, value := range s.opts.Settings {
		settings[name] = value
	}
	args := []string{"-D", dataArg}
	for name, value := range settings {
		args = append(args, "-c"+name+"="+value)
	}
	sort.Strings(args[2:])
	return args
}

// waitReady waits until the server that we started, and no other, says in its postmaster.pid that it takes
// connections. pg_ctl does the same; a look at the socket would not tell whose it is.
func (s *Server) waitReady(ctx context.Context, data string) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-s.postgres.done:
			return fmt.Errorf("postgres did not start (%v): %s", s.postgres.err, tail(filepath.Join(s.opts.Dir, logName)))
		case <-ctx.Done():
			return fmt.Errorf("postgres did not get ready: %w", ctx.Err())
		case <-tick.C:
			if ready(filepath.Join(data, "postmaster.pid"), s.Pid()) {
				return nil
			}
		}
	}
}

// ready reads a postmaster.pid: its first line is the process number, its eighth the state.
func ready(file string, pid int) bool {
	content, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	lines := strings.Split(string(content), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

// URL is the address of a database on this server for user, who needs no password.
func (s *Server) URL(user, database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.User(user),
		Path:     "/" + database,
		RawQuery: url.Values{"host": {s.socketDir}}.Encode(),
	}
	return u.String()
}

// Pid is the process number of the server.
func (s *Server) Pid() int { return s.postgres.cmd.Process.Pid }

// Done is closed when the server has ended, asked or not.
func (s *Server) Done() <-chan struct{} { return s.postgres.done }

// Stop ends the server in good order: open transactions are broken off, everything committed is on disk.
func (s *Server) Stop() error {
	err := s.end(syscall.SIGINT, 30*time.Second)
	s.release()
	return err
}

// Kill ends the server with SIGKILL, as a crash would. Start works on the same folder again.
func (s *Server) Kill() {
	s.postgres.signal(syscall.SIGKILL)
	<-s.postgres.done
	s.release()
}

// end sends sig and waits; a server that is not gone after patience is killed.
func (s *Server) end(sig syscall.Signal, patience time.Duration) error {
	s.postgres.signal(sig)
	select {
	case <-s.postgres.done:
		return nil
	case <-time.After(patience):
		s.postgres.signal(syscall.SIGKILL)
		<-s.postgres.done
		return fmt.Errorf("privatepg: %s: postgres did not stop within %s and was killed", s.opts.Dir, patience)
	}
}

// release gives the folder back.
func (s *Server) release() {
	s.ended.Do(func() {
		if s.socketDir != "" {
			os.RemoveAll(s.socketDir)
			os.Remove(filepath.Join(s.opts.Dir, socketName))
		}
		if s.lock != nil {
			// Not only closed: a program that is being started elsewhere in this process may have a copy of it for a moment.
			syscall.Flock(int(s.lock.Fd()), syscall.LOCK_UN)
			s.lock.Close()
		}
	})
}

// makeSocketDir makes a private folder with a short path, and removes the one that a crash may have left.
func (s *Server) makeSocketDir(who owner) error {
	note := filepath.Join(s.opts.Dir, socketName)
	if old, err := os.ReadFile(note); err == nil && strings.HasPrefix(filepath.Base(string(old)), socketPrefix) {
		os.RemoveAll(string(old))
	}
	parent := os.TempDir()
	if !fitsSocket(parent) {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, socketPrefix)
	if err != nil {
		return err
	}
	s.socketDir = dir
	if err := who.own(dir); err != nil {
		return err
	}
	return os.WriteFile(note, []byte(dir), 0o600)
}

const socketPrefix = "tesdiq-pg-"

// fitsSocket says whether a socket's folder may be made in parent: short enough, and without the characters that
// separate or quote in PostgreSQL's list of folders.
func fitsSocket(parent string) bool {
	const random = 10 // digits that MkdirTemp adds at most
	return len(parent)+len("/"+socketPrefix)+random+len("/"+socketFile) <= maxSocketPath &&
		!strings.ContainsAny(parent, `, "'@`)
}

// openLog opens PostgreSQL's log for appending, and begins anew when it has grown large.
func openLog(file string) (*os.File, error) {
	if info, err := os.Stat(file); err == nil && info.Size() > maxLog {
		os.Remove(file)
	}
	return os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

// tail is the end of a log, for an error message.
func tail(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 1500 {
		f.Seek(-1500, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	return strings.TrimSpace(string(text))
}
