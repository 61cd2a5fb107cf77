package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exposed is the most that `systemd-analyze security` may find, in tenths: 0 is nothing, 100 all of the machine. What is left is that the
// programs use the network, and that those that read foreign files set their own limits.
const exposed = "17"

// Every unit is one that systemd understands, confined, and of the users and folders that docs/processes.md makes.
func TestUnits(t *testing.T) {
	units, err := filepath.Glob("../../docs/systemd/*.service")
	if err != nil || len(units) != 4 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	programs := filepath.Dir(binary(t))
	three, err := builtThree()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range units {
		name := strings.TrimSuffix(filepath.Base(path), ".service")
		t.Run(name, func(t *testing.T) {
			unit, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			says := func(key string) string {
				m := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindStringSubmatch(string(unit))
				if m == nil {
					t.Errorf("no %s", key)
					return ""
				}
				return m[1]
			}
			if says("User") != name || says("Group") != name {
				t.Errorf("runs as %s:%s", says("User"), says("Group"))
			}
			folder, example := "/etc/tesdiq/", name
			if _, program, ok := strings.Cut(name, "-"); ok {
				folder, example = folder+program+"/", program
				for _, other := range []string{"issuer", "verifier", "casework"} {
					if hidden := strings.Contains(says("InaccessiblePaths"), "-/etc/tesdiq/"+other); hidden == (other == program) {
						t.Errorf("%s may read the folder of %s: %v", program, other, !hidden)
					}
				}
			}
			if !strings.HasSuffix(says("ExecStart"), " -config "+folder+example+".toml") {
				t.Errorf("starts %s", says("ExecStart"))
			}
			// The programs are not installed here.
			program := strings.Fields(says("ExecStart"))[0]
			real := filepath.Join(three, filepath.Base(program))
			if filepath.Base(program) == "tesdiq" {
				real = filepath.Join(programs, filepath.Base(binary(t)))
			}
			copied := filepath.Join(t.TempDir(), filepath.Base(path))
			if err := os.WriteFile(copied, []byte(strings.Replace(string(unit), program, real, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"verify", copied}, {"security", "--offline=true", "--no-pager", "--threshold=" + exposed, copied}} {
				out, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
				if err != nil || args[0] == "verify" && len(out) > 0 {
					t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
				}
			}
		})
	}
}
