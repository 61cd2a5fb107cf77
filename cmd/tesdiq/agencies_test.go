package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

// brief is a log that remembers nothing: the command under test is the other side.
type brief struct{}

func (brief) Asked(_ context.Context, all []gateway.Asking) (past []gateway.Past, _ error) {
	for _, q := range all {
		past = append(past, gateway.Past{Asked: q.Asked})
	}
	return past, nil
}
func (brief) Tried(context.Context, []gateway.Attempt) error { return nil }
func (brief) Answered(context.Context, gateway.Attempt, gateway.Exchange) ([]byte, error) {
	return nil, nil
}

// TestAgenciesAndVerify starts the agencies as the command does, asks them by what they leave in their folder, stops and starts them again, and checks
// what was captured with the program's own command.
func TestAgenciesAndVerify(t *testing.T) {
	dir := t.TempDir()
	set, err := signer.NewThrowawayAt(rand.Reader, time.Now().Add(-time.Hour), "http://localhost")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	pem := filepath.Join(dir, "tsa.pem")
	if err := os.WriteFile(pem, roots.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, operator := freeAddress(t), freeAddress(t)
	data := filepath.Join(dir, "agencies")
	run := func(faults string) (stop func()) {
		args := agenciesCommand{Addr: addr, Operator: operator, Data: data, TimeStamps: pem, People: 30, Seed: 1, Faults: faults}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- args.Run(ctx) }()
		waitFor(t, "http://"+operator+"/calls")
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	stop := run("")
	ask := func() gateway.Outcome {
		c := gatewayOf(t, data)
		return c.Ask(t.Context(), []gateway.Question{{ID: gateway.IDOf("T-2026-000001", gateway.Dialysis, people.Who("elcin").FIN, 1), Case: "T-2026-000001",
			Register: gateway.Dialysis, Person: people.Who("elcin").FIN, Asked: time.Now().Truncate(time.Minute)}})[0]
	}
	first := ask()
	if first.Answer == nil {
		t.Fatalf("%+v", first.No)
	}
	put(t, "http://"+operator+"/faults", `[{"register":"dialysis","kind":"revoked"}]`, http.StatusNoContent)
	if o := ask(); o.No == nil || o.No.Reason != gateway.Revoked {
		t.Errorf("%+v", o)
	}
	put(t, "http://"+operator+"/faults", `[{"kind":"sunshine"}]`, http.StatusBadRequest)
	stop()
	if o := ask(); o.No == nil || o.No.Reason != gateway.Unreachable {
		t.Errorf("%+v", o)
	}
	faults := filepath.Join(dir, "faults.json")
	if err := os.WriteFile(faults, []byte(`[{"kind":"busy","times":1}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	stop = run(faults)
	defer stop()
	again := ask()
	if again.Answer == nil || again.Answer.Facts.Dialysis[0] != first.Answer.Facts.Dialysis[0] {
		t.Errorf("after a restart and a busy moment: %+v %+v", again.No, again.Answer)
	}

	authority := set.Authority(rand.Reader)
	stamps, err := gateway.StampAll(t.Context(), tsp.Client{Roots: roots, Now: time.Now, Rand: rand.Reader,
		Ask: func(_ context.Context, r []byte) ([]byte, error) { return authority.Reply(r, time.Now()) }},
		[][sha256.Size]byte{first.Answer.Exchange.Leaf()})
	if err != nil {
		t.Fatal(err)
	}
	good := gateway.Evidence{Exchange: first.Answer.Exchange, Stamp: stamps[0]}.Bytes()
	files := map[string][]byte{"good": good, "bare": first.Answer.Exchange.Bytes(),
		"changed": []byte(strings.Replace(string(good), `"index":0`, `"index":1`, 1)), "rubbish": []byte("{}")}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust, err := gateway.ParseTrust(read(t, filepath.Join(data, agencies.TrustFile)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]gateway.Reason{"good": "", "bare": gateway.NotStamped, "changed": gateway.BadStamp, "rubbish": gateway.Garbage} {
		path := filepath.Join(dir, name)
		v, err := verifyExchange(trust, path)
		if err != nil || v.Reason != want || v.Verified != (want == "") {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		if line, _ := json.Marshal(v); strings.Contains(string(line)+v.String(), string(people.Who("elcin").FIN)) {
			t.Errorf("%s: what is printed names the person", name)
		}
		wantCode := 1
		if want == "" {
			wantCode = 0
		}
		if code := exit(t, "gateway", "verify", "-trust", filepath.Join(data, agencies.TrustFile), path); code != wantCode {
			t.Errorf("%s: exit %d, not %d", name, code, wantCode)
		}
	}
}

func exit(t *testing.T, args ...string) int {
	t.Helper()
	return run(t.Context(), args)
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// gatewayOf is a gateway made of nothing but the folder that the agencies leave.
func gatewayOf(t *testing.T, dir string) *gateway.Client {
	t.Helper()
	config, err := agencies.Files(dir).Read(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	config.Log, config.Now = brief{}, time.Now
	c, err := gateway.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func waitFor(t *testing.T, url string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			return
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func put(t testing.TB, url, body string, want int) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if said, _ := io.ReadAll(resp.Body); resp.StatusCode != want {
		t.Errorf("status %d: %s", resp.StatusCode, said)
	}
}
