package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/gateway/gatewaydb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// corrected asks, as a page does, for the correction of a register of somebody's case, and gives the correction's number once it is in a state.
func (w *world) corrected(v *visitor, about, register, wrong, words string) string {
	w.t.Helper()
	form := "/cabinet/corrections/new/" + about
	_, _, page := w.ask(v.http, http.MethodGet, form, "", nil)
	_, key, _ := strings.Cut(page, `name="key" value="`)
	key, _, _ = strings.Cut(key, `"`)
	status, head, body := w.ask(v.http, http.MethodPost, form, "", url.Values{"key": {key}, "register": {register}, "wrong": {wrong}, "words": {words}})
	if status != http.StatusSeeOther {
		w.t.Fatalf("ask for a correction: %d %s", status, body)
	}
	at := head.Get("Location")
	return at[strings.LastIndex(at, "/")+1:]
}

// What a person said of a register, and what its agency ruled, are checked by the command without network, database and secret; each change of it is
// refused with a reason.
func TestACapturedCorrectionIsVerifiedOffline(t *testing.T) {
	w := open(t, 5)
	const words = "Orada müalicə almamışam"
	about := w.applied("nermin", tseras.AwaitingReferral)
	about = about[strings.LastIndex(about, "/")+1:]
	v := w.as("nermin", "")
	number := w.corrected(v, about, string(gateway.Episodes), "never-was", words)
	w.until("/"+number, tseras.Corrected)
	w.until("/"+about, tseras.AwaitingReferral)

	log := gatewaydb.Log{Pool: w.db.Pool(postgres.Casework)}
	var line gatewaydb.Line
	for end := time.Now().Add(loopPatience); line.Stamped == nil; time.Sleep(50 * time.Millisecond) {
		lines, err := log.OfCase(t.Context(), number)
		if err != nil || len(lines) != 1 || time.Now().After(end) {
			t.Fatalf("%+v, %v", lines, err)
		}
		line = lines[0]
	}
	if line.Register != gateway.Episodes.Correction() {
		t.Errorf("%s was asked", line.Register)
	}
	good, err := log.Evidence(t.Context(), number, line.ID)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	trust := filepath.Join(dir, "trust.json") // nothing else of the service is there
	if err := os.WriteFile(trust, read(t, filepath.Join(w.dir, "agencies", agencies.TrustFile)), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := func(content []byte) (said verifiedFile, code int) {
		t.Helper()
		file := filepath.Join(dir, "exchange")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), binary(t), "gateway", "verify", "-trust", trust, "-json", file)
		cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir}
		out, err := cmd.Output()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		if bytes.Contains(out, []byte(people.Who("nermin").FIN)) || bytes.Contains(out, []byte(words)) {
			t.Errorf("what is printed names the person, or says his words: %s", out)
		}
		if err := json.Unmarshal(out, &said); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		return said, cmd.ProcessState.ExitCode()
	}
	said, code := verify(good)
	if code != 0 || !said.Verified || said.Case != number || said.Question != line.ID || said.Register != line.Register || said.Stamped == nil || !said.Found {
		t.Fatalf("exit %d, %+v", code, said)
	}

	changed := map[string][]byte{}
	for n := range 8 { // in what was asked, in what was ruled, in the seals and in the stamp
		at := (2*n + 1) * len(good) / 16
		b := bytes.Clone(good)
		if b[at]++; b[at] == '"' || b[at] == '\\' || b[at] < ' ' {
			b[at] += 2
		}
		changed[fmt.Sprintf("byte %d", at)] = b
	}
	changed["cut off"] = good[:len(good)-7]
	changed["something after it"] = append(bytes.Clone(good), "{}"...)
	for name, b := range changed {
		if bytes.Equal(b, good) {
			t.Fatalf("%s: nothing is changed", name)
		}
		if said, code := verify(b); code != 1 || said.Verified || said.Reason == "" {
			t.Errorf("%s: exit %d, %+v", name, code, said)
		}
	}
}
