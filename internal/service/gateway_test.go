package service

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each wrong setting of [gateway] and [draws] is refused before anything starts: the error names the configuration's file, the setting, the
// file that it names, and what to do.
func TestSettingsOfTheGatewayAndTheDraws(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, size int, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.Repeat("x", size)), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		return path
	}
	key, certificate, trust, services := file("key.pem", 9, 0o600), file("seal.pem", 9, 0o644), file("trust.json", 9, 0o644), file("services.json", 9, 0o644)
	secret, short, read, changed := file("draw.key", minDrawKey, 0o600), file("short.key", minDrawKey-1, 0o600), file("read.key", minDrawKey, 0o640), file("changed.json", 9, 0o664)
	nowhere := filepath.Join(dir, "nowhere")
	good := map[string]string{
		"gateway.member": "AZ/GOV/MLSPP/TESDIQ", "gateway.key": key, "gateway.certificate": certificate, "gateway.trust": trust, "gateway.services": services,
		"gateway.time_stamps": "https://tsa.example/tsp", "draws.key": secret, "draws.every": "1h",
	}
	// refused are the lines about these settings, of the error that reading the file gives.
	refused := func(values map[string]string) (all []string) {
		t.Helper()
		text := ""
		for _, table := range []string{"gateway", "draws"} {
			for name, value := range values {
				if in, of, _ := strings.Cut(name, "."); in == table {
					if !strings.Contains(text, "["+table+"]\n") {
						text += "[" + table + "]\n"
					}
					text += fmt.Sprintf("%s = %q\n", of, value)
				}
			}
		}
		path := filepath.Join(dir, "casework.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadConfig(path, Casework)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("the error does not name %s: %v", path, err) // the rest of the configuration is missing here
		}
		for line := range strings.Lines(err.Error()) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "gateway") || strings.HasPrefix(line, "draws") {
				all = append(all, line)
			}
		}
		return all
	}
	if all := refused(good); len(all) != 0 {
		t.Fatalf("good settings are refused: %q", all)
	}
	if all := refused(nil); len(all) != 0 {
		t.Errorf("without both nothing is offered, and nothing is wrong: %q", all)
	}
	for setting, bad := range map[string]map[string][]string{
		"gateway.member":      {"": {"is missing", "trust file", "AZ/GOV/MLSPP/TESDIQ"}},
		"gateway.key":         {"": {"is missing", "file"}, nowhere: {nowhere, "cannot be read"}, certificate: {certificate, "chmod 600 " + certificate}},
		"gateway.certificate": {"": {"is missing", "file"}, nowhere: {nowhere, "cannot be read"}, changed: {changed, "chmod 644 " + changed}},
		"gateway.trust":       {"": {"is missing", "file"}, nowhere: {nowhere, "cannot be read"}, changed: {changed, "chmod 644 " + changed}},
		"gateway.services":    {"": {"is missing", "file"}, nowhere: {nowhere, "cannot be read"}, changed: {changed, "chmod 644 " + changed}},
		"gateway.time_stamps": {"tsa.example": {"tsa.example", "https://"}, "ftp://tsa.example": {"https://"}, "https://u:p@tsa.example/": {"https://"}, "https://": {"https://"}},
		"draws.key":           {"": {"is missing", "32 random bytes"}, nowhere: {nowhere, "cannot be read"}, read: {read, "chmod 600 " + read}, short: {short, "fewer than 32", "head -c 32 /dev/urandom > " + short}},
		"draws.every":         {"-1s": {"1s", "24h"}, "25h": {"1s", "24h"}, "10ms": {"1s", "24h"}},
	} {
		for value, want := range bad {
			values := maps.Clone(good)
			if values[setting] = value; value == "" {
				delete(values, setting)
			}
			all := refused(values)
			if len(all) != 1 || !strings.HasPrefix(all[0], setting+": ") {
				t.Errorf("%s = %q: %q", setting, value, all)
				continue
			}
			for _, word := range want {
				if !strings.Contains(all[0], word) {
					t.Errorf("%s = %q: %q is not in %q", setting, value, word, all[0])
				}
			}
		}
	}
	if all := refused(map[string]string{"draws.key": secret}); len(all) != 1 || !strings.HasPrefix(all[0], "draws: goes with gateway") {
		t.Errorf("draws without a gateway: %q", all)
	}
	if all := refused(map[string]string{"gateway.member": "x"}); len(all) != 5 {
		t.Errorf("all that is missing is said at once: %q", all)
	}
}
