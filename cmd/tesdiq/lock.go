package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockName is the file in a demonstration's folder that is locked while one runs there; it holds the process number and
// the address that people open.
const lockName = "lock"

// noFolder says that a folder cannot be used, and what to do.
func noFolder(err error) error {
	return fmt.Errorf("%w: name a folder that you may write to with -data", err)
}

// held says of a demonstration that runs on the data in a folder; nil when none does.
func held(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if !errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK) {
		return nil
	}
	return runs(dir)
}

// runs is what a second demonstration on the same data says.
func runs(dir string) error {
	b, _ := os.ReadFile(filepath.Join(dir, lockName)) // only to name it
	holder, address, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	if address != "" {
		address = " at " + address
	}
	return fmt.Errorf("a demonstration runs on the data in %s already%s (process %s): stop that one first, or name another folder with -data",
		dir, address, holder)
}

// lockData takes the folder for this process, which answers at an address. The kernel gives it back when the process
// ends, however it ends.
func lockData(dir, address string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, noFolder(err)
	}
	const patience, pause = 500 * time.Millisecond, 10 * time.Millisecond // see lockPatience of privatepg
	for waited := time.Duration(0); ; waited += pause {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.EWOULDBLOCK) && waited < patience {
			time.Sleep(pause)
			continue
		}
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, err
		}
		return nil, runs(dir)
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintf(f, "%d\n%s\n", os.Getpid(), address)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// writeWhole writes a file so that a crash leaves either all of it or what was there before.
func writeWhole(file string, content []byte) error {
	half := file + ".tmp"
	f, err := os.OpenFile(half, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(half, file)
}
