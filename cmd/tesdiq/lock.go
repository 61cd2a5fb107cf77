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

// lockName is the file in a demonstration's folder that is locked while one runs there; it holds the process number.
const lockName = "lock"

// lockData takes the folder for this process. The kernel gives it back when the process ends, however it ends.
func lockData(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
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
		holder, _ := os.ReadFile(f.Name()) // only to name it
		return nil, fmt.Errorf("a demonstration runs on the data in %s (process %s): stop that one first, or name another folder with -data",
			dir, strings.TrimSpace(string(holder)))
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
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
