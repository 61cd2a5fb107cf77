package privatepg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// initialise makes the data folder if there is none. initdb works in another folder that gets its name only when it
// is whole, so a crash midway leaves nothing that looks like data.
func (s *Server) initialise(ctx context.Context, who owner, cluster *os.File) error {
	data, half := filepath.Join(s.opts.Dir, dataName), filepath.Join(s.opts.Dir, halfName)
	if err := os.RemoveAll(half); err != nil {
		return err
	}
	if _, err := os.Stat(data); err == nil {
		return nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	bin, err := newestBin()
	if err != nil {
		return err
	}
	s.opts.Log.Info("making a PostgreSQL data folder", "dir", data)
	if err := os.Mkdir(half, 0o700); err != nil {
		return err
	}
	if err := who.own(half); err != nil {
		return err
	}
	folder, err := os.Open(half)
	if err != nil {
		return err
	}
	defer folder.Close()

	args := []string{"-D", dataArg, "--username=" + Superuser, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
		"--data-checksums", "--no-instructions"}
	if s.opts.FsyncOff {
		args = append(args, "--no-sync", "--wal-segsize=1") // MB: a sixteenth to write and to copy
	}
	var out bytes.Buffer
	cmd := command(who, syscall.SIGKILL, filepath.Join(bin, "initdb"), args...)
	cmd.ExtraFiles = []*os.File{folder, cluster}
	cmd.Stdout, cmd.Stderr = &out, &out
	initdb, err := startChild(cmd)
	if err != nil {
		return err
	}
	select {
	case <-initdb.done:
	case <-ctx.Done():
		initdb.signal(syscall.SIGTERM) // it removes what it began
		<-initdb.done
		return ctx.Err()
	}
	if initdb.err != nil {
		return fmt.Errorf("initdb: %w: %s", initdb.err, strings.TrimSpace(out.String()))
	}
	if err := os.Rename(half, data); err != nil {
		return err
	}
	return syncFolder(s.opts.Dir)
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// newestBin finds the folder of the newest initdb and postgres: Debian's places first, then PATH.
func newestBin() (string, error) {
	if bins := debianBins(); len(bins) > 0 {
		return bins[0].dir, nil
	}
	if p, err := exec.LookPath("initdb"); err == nil {
		if p, err = filepath.EvalSymlinks(p); err == nil { // initdb looks for postgres beside itself
			return filepath.Dir(p), nil
		}
	}
	return "", errors.New("no PostgreSQL on this machine: install the package postgresql, or set DATABASE_URL")
}

// binFor finds the programs of the major version that made the data folder.
func binFor(data string) (string, error) {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return "", fmt.Errorf("not a PostgreSQL data folder: %w", err)
	}
	version := strings.TrimSpace(string(content))
	bins := debianBins()
	for _, b := range bins {
		if strconv.Itoa(b.major) == version {
			return b.dir, nil
		}
	}
	if len(bins) == 0 {
		return newestBin() // from PATH; postgres itself refuses a data folder of another version
	}
	return "", fmt.Errorf("the data is PostgreSQL %s's, but installed is %d: install postgresql-%s, or start with another data folder",
		version, bins[0].major, version)
}

// Version is the major version that a new data folder would get.
func Version() (string, error) {
	bin, err := newestBin()
	if err != nil {
		return "", err
	}
	out, err := exec.Command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("privatepg: version: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// Program is the path of one of PostgreSQL's programs, for example pg_dump.
func Program(name string) (string, error) {
	bin, err := newestBin()
	if err != nil {
		return "", err
	}
	return filepath.Join(bin, name), nil
}

type versionedBin struct {
	major int
	dir   string
}

// debianBins are the installed versions, the newest first.
func debianBins() []versionedBin {
	var bins []versionedBin
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // fails on a malformed pattern only
	for _, initdb := range found {
		dir := filepath.Dir(initdb)
		major, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "postgres")); err != nil {
			continue
		}
		bins = append(bins, versionedBin{major, dir})
	}
	slices.SortFunc(bins, func(a, b versionedBin) int { return b.major - a.major })
	return bins
}
