package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keysRun runs `tesdiq keys …` in a folder.
func keysRun(t *testing.T, dir string, well bool, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary(t), append([]string{"keys"}, args...)...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if (err == nil) != well {
		t.Fatalf("keys %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestKeysFromCeremonyToRotation(t *testing.T) {
	dir := t.TempDir()
	plan, err := os.ReadFile("../../docs/ceremony.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plan.toml"), plan, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := keysRun(t, dir, true, "ceremony", "-plan", "plan.toml", "-out", "made"); !strings.Contains(said, "REHEARSAL") || !strings.Contains(said, dryRun) {
		t.Errorf("rehearsal: %s", said)
	}
	if _, err := os.Stat(filepath.Join(dir, "made")); !os.IsNotExist(err) {
		t.Error("the rehearsal wrote something")
	}
	said := keysRun(t, dir, true, "ceremony", "-plan", "plan.toml", "-out", "made", "-apply")
	protocol, err := os.ReadFile(filepath.Join(dir, "made", "protocol.txt"))
	if err != nil || !strings.HasPrefix(said, string(protocol)) {
		t.Errorf("the protocol that is printed is not the one that is written: %v", err)
	}
	if said := keysRun(t, dir, false, "ceremony", "-plan", "plan.toml", "-out", "made", "-apply"); !strings.Contains(said, "never overwritten") {
		t.Errorf("again: %s", said)
	}

	from := time.Now().Add(time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	rotate := []string{"rotate", "-keys", "made/service", "-authority", "made/issuing-ca", "-role", "document-signer", "-from", from}
	before := keysRun(t, dir, true, "list", "-keys", "made/service")
	if said := keysRun(t, dir, true, rotate...); !strings.Contains(said, dryRun) || keysRun(t, dir, true, "list", "-keys", "made/service") != before {
		t.Errorf("a dry run changed something: %s", said)
	}
	keysRun(t, dir, true, append(rotate, "-apply")...)
	after := keysRun(t, dir, true, "list", "-keys", "made/service")
	if !strings.Contains(after, "signs from "+from) || !strings.Contains(after, "signs until "+from) || strings.Count(after, "document-signer") != 2 {
		t.Errorf("list: %s", after)
	}
	keysRun(t, dir, false, "publish", "-keys", "made/service", "-authority", "made/service")
	if said := keysRun(t, dir, true, "publish", "-keys", "made/service", "-authority", "made/root", "-apply"); !strings.Contains(said, "list of revocations of root") {
		t.Errorf("publish: %s", said)
	}
}
