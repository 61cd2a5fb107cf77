package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDecide runs testdata/decide.txt beside packages of decisions, without a database.
func TestDecide(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "tesdiq")); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile("../../casework/tseras/criteria/testdata/packages/v1-several-causes.json")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(good), `"rules":"`)
	version, _, _ := strings.Cut(rest, `"`)
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/decide.txt"},
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("VERSION", version)
			for name, text := range map[string]string{
				"good.json":   string(good),
				"spaced.json": strings.ReplaceAll(string(good), `,"`, ",\n\""),
				"result.json": strings.Replace(string(good), `"loss":80`, `"loss":85`, 1),
				"input.json":  strings.Replace(string(good), `"born":"1980-05-17"`, `"born":"1980-5-17"`, 1),
				"rules.json":  strings.ReplaceAll(string(good), version, "v7-00"),
				"format.json": strings.Replace(string(good), `tesdiq-decision-1`, `tesdiq-decision-7`, 1),
			} {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), []byte(text), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
	})
}
