package privatepg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dataArg names the data folder by the open file that the child inherits as its descriptor 3, not by its path. Run by
// root, postgres becomes another user, who may not be able to walk the path (a checkout below /root); through the open
// folder it need not.
const dataArg = "/proc/self/fd/3"

// owner is whom PostgreSQL's processes run as: ourselves, or, as it refuses root, somebody else.
type owner struct {
	uid, gid uint32
	drop     bool // we are root and become owner
}

// dataOwner chooses the owner: not root, ourselves. Root: who owns the data already, else user postgres, else nobody.
func dataOwner(data string) (owner, error) {
	if uid := os.Geteuid(); uid != 0 {
		return owner{uint32(uid), uint32(os.Getegid()), false}, nil
	}
	if info, err := os.Stat(data); err == nil {
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 0 {
			return owner{st.Uid, st.Gid, true}, nil
		}
		return owner{}, errors.New("the data folder belongs to root, as whom PostgreSQL refuses to run")
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err1 == nil && err2 == nil && uid != 0 {
			return owner{uint32(uid), uint32(gid), true}, nil
		}
	}
	return owner{}, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")
}

// own gives a folder that we made to the owner.
func (o owner) own(dir string) error {
	if !o.drop {
		return nil
	}
	return os.Chown(dir, int(o.uid), int(o.gid))
}

// command prepares a program that runs as who, with an environment of its own (no PGDATA, PGPORT or locale of the
// caller), out of reach of the terminal's Ctrl-C, and that gets the signal onParentDeath when we die.
func command(who owner, onParentDeath syscall.Signal, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: onParentDeath}
	if who.drop {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: who.uid, Gid: who.gid}
	}
	return cmd
}

// child is a started program.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read only after done
}

// startChild starts cmd from a goroutine that keeps its thread until the program has ended: the kernel sends the
// parent-death signal when the thread that forked ends, not the process.
func startChild(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.done)
		}
	}()
	return c, <-started
}

func (c *child) signal(sig syscall.Signal) {
	_ = c.cmd.Process.Signal(sig) // fails only when it has ended, which is what we want
}

// lockPatience is how long a taken lock is tried again. Whoever is just starting a program has, until that program
// begins, a copy of himself with all of his files open: killed in that moment, he seems to hold his locks a little longer.
const lockPatience, lockPause = 500 * time.Millisecond, 10 * time.Millisecond

// lockFolder takes the lock that says that this process runs the server.
func lockFolder(file string) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for waited := time.Duration(0); ; waited += lockPause {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.EWOULDBLOCK) && waited < lockPatience {
			time.Sleep(lockPause)
			continue
		}
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, err
		}
		holder, _ := os.ReadFile(file) // only to name it
		return nil, fmt.Errorf("%w (process %s)", ErrInUse, strings.TrimSpace(string(holder)))
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// waitForCluster takes the lock that every process of a server inherits. While one of them lives, the lock is taken and
// no second server may touch the data. A server whose parent was killed is still shutting down: that is waited for.
// The children of a killed postmaster would go on with what they were doing, for hours perhaps: they are killed.
func waitForCluster(ctx context.Context, file, data string, log *slog.Logger) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	told := false
	deadline := time.After(clusterPatience)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, err
		}
		if !told {
			log.Info("waiting for an earlier PostgreSQL to end")
			told = true
		}
		if err := killOrphans(f, data); err != nil {
			f.Close()
			return nil, err
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("an earlier PostgreSQL is still running: %w", ctx.Err())
		case <-deadline:
			f.Close()
			return nil, fmt.Errorf("an earlier PostgreSQL is still running after %s (see postmaster.pid)", clusterPatience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// clusterPatience is longer than an orderly shutdown takes after its parent died.
const clusterPatience = time.Minute

// killOrphans kills the processes that hold the cluster lock, unless their postmaster is among them.
func killOrphans(lock *os.File, data string) error {
	info, err := lock.Stat()
	if err != nil {
		return err
	}
	holders, err := holders(info)
	if err != nil {
		return err
	}
	if pid, err := postmasterPid(data); err == nil && slices.Contains(holders, pid) {
		return nil
	}
	for _, pid := range holders {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by now
	}
	return nil
}

func postmasterPid(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	return strconv.Atoi(strings.TrimSpace(first))
}

// holders are PostgreSQL's processes that have file open.
func holders(file os.FileInfo) ([]int, error) {
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, process := range processes {
		// Other people's processes and those that end meanwhile cannot be read: they are not ours.
		name, err := os.ReadFile(filepath.Join(process, "comm"))
		if err != nil || !slices.Contains([]string{"postgres", "initdb"}, strings.TrimSpace(string(name))) {
			continue
		}
		fds, _ := filepath.Glob(filepath.Join(process, "fd", "*"))
		for _, fd := range fds {
			if open, err := os.Stat(fd); err == nil && os.SameFile(open, file) {
				pid, err := strconv.Atoi(filepath.Base(process))
				if err != nil {
					return nil, err
				}
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids, nil
}
