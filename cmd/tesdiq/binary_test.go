package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tesdiq-bin-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "tesdiq")
	out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return file, err
})

// binary is the program, built once for all tests.
func binary(t testing.TB) string {
	t.Helper()
	file, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return file
}
