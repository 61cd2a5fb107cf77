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
	"strconv"
	"syscall"

	"github.com/tesdiq/tesdiq/internal/privatepg"
)

// copyCluster makes a folder for this test binary's server. initdb takes a second, a copy of what it made a twentieth,
// so its work is kept in the temporary folder, for this user and this version of PostgreSQL.
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
	sum := sha256.Sum256([]byte(version))
	made := filepath.Join(cache, "initdb-"+hex.EncodeToString(sum[:4]))
	if err := privatepg.Init(ctx, options(made)); err != nil {
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

// cacheFolder is a folder of this user and nobody else, whoever may write to the temporary folder.
func cacheFolder() (string, error) {
	uid := os.Getuid()
	dir := filepath.Join(os.TempDir(), "tesdiq-pgtest-"+strconv.Itoa(uid))
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

// sweep removes the folders of test binaries that were killed. Called under the cache's lock, under which the folders
// are made.
func sweep(cache string) {
	left, _ := filepath.Glob(filepath.Join(cache, "run-*")) // fails on a malformed pattern only
	for _, dir := range left {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), "run-%d-", &pid); err != nil || syscall.Kill(pid, 0) == nil {
			continue
		}
		os.RemoveAll(dir) // what cannot be removed is tried again next time
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
