package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
)

// shm is the kernel's file system in memory. A test's database is some eight hundred files that are copied and removed
// again: in memory that takes a fifth of the processor's time that a disk's file system takes.
const shm = "/dev/shm"

// enough is how many bytes must be free in memory for the data of the test binaries that run at a time.
const enough = 4 << 30

// temporary is the folder for what tests need while they run, and whether it is in memory: TMPDIR if somebody has said it, else one in memory
// if there is room, else /tmp.
func temporary() (dir string, inMemory bool) {
	if os.Getenv("TMPDIR") == "" {
		if free, ok := memory(shm); ok && free >= enough {
			return shm, true
		}
	}
	_, inMemory = memory(os.TempDir())
	return os.TempDir(), inMemory
}

// memory says whether a folder is in memory, and how many bytes are free there.
func memory(dir string) (free uint64, ok bool) {
	const tmpfs = 0x01021994 // statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, false
	}
	return fs.Bavail * uint64(fs.Bsize), fs.Type == tmpfs
}

// copyCluster makes a folder for this test binary's server, with the template in it. initdb takes most of a second and
// the migrations as much, a copy of what they made a twentieth, so that is kept, for this user, this version of PostgreSQL and these
// migrations.
func copyCluster(ctx context.Context) (string, error) {
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	unlock, err := lockFile(filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	sweep(cache)

	version, err := privatepg.Version()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(version + postgres.Migrations()))
	made := filepath.Join(cache, "made-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(made); errors.Is(err, os.ErrNotExist) {
		if err := makeCluster(ctx, made); err != nil {
			return "", err
		}
	} else if err != nil {
		return "", err
	}
	now := time.Now()
	if err := os.Chtimes(made, now, now); err != nil { // used last
		return "", err
	}
	dir, err := os.MkdirTemp(cache, "run-"+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", err
	}
	// cp keeps the owner, who is not us when we are root.
	out, err := exec.CommandContext(ctx, "cp", "-a", filepath.Join(made, "data"), filepath.Join(dir, "data")).CombinedOutput()
	if err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("copy of the data folder: %w: %s", err, out)
	}
	return dir, nil
}

// makeCluster makes a data folder with the template in it. It gets its name when it is whole.
func makeCluster(ctx context.Context, made string) error {
	half := filepath.Join(filepath.Dir(made), "half")
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	s, err := privatepg.Start(ctx, options(half))
	if err != nil {
		return err
	}
	err = postgres.EnsureDatabase(ctx, s.URL(privatepg.Superuser, "postgres"), template)
	if err == nil {
		err = postgres.Migrate(ctx, s.URL(privatepg.Superuser, template))
	}
	if err := errors.Join(err, s.Stop()); err != nil {
		return err
	}
	return os.Rename(half, made)
}

// cacheFolder is a folder of this user and nobody else, whoever may write to its parent.
func cacheFolder() (string, error) {
	uid := os.Getuid()
	parent, _ := temporary()
	dir := filepath.Join(parent, "tesdiq-pgtest-"+strconv.Itoa(uid))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || info.Sys().(*syscall.Stat_t).Uid != uint32(uid) {
		return "", fmt.Errorf("%s is not a private folder of this user: remove it", dir)
	}
	return dir, nil
}

// kept is how many clusters are kept to be copied: one for each set of migrations that somebody works on.
const kept = 4

// sweep removes the folders of test binaries that were killed, and the clusters that were used least lately. Called under the
// cache's lock, under which the folders are made and copied.
func sweep(cache string) {
	left, _ := filepath.Glob(filepath.Join(cache, "run-*")) // fails on a malformed pattern only
	for _, dir := range left {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), "run-%d-", &pid); err != nil || syscall.Kill(pid, 0) == nil {
			continue
		}
		os.RemoveAll(dir) // what cannot be removed is tried again next time
	}
	used := map[string]time.Time{}
	made, _ := filepath.Glob(filepath.Join(cache, "made-*"))
	for _, dir := range made {
		if info, err := os.Stat(dir); err == nil {
			used[dir] = info.ModTime()
		}
	}
	slices.SortFunc(made, func(a, b string) int { return used[b].Compare(used[a]) })
	for _, dir := range made[min(kept, len(made)):] {
		os.RemoveAll(dir)
	}
}

// lockFile waits for a lock that works between processes.
func lockFile(file string) (unlock func(), err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, err
		}
	}
}
