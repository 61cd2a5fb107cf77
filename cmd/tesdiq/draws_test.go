package main

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/ledger"
)

// promise is what is public of a round before it is drawn.
func promise(t *testing.T, n int64, seed tseras.Seed) tseras.Round {
	t.Helper()
	commitment, at := seed.Commitment(n), time.Date(2026, 9, 1, 5, 0, 0, 0, time.UTC)
	line, err := ledger.NewLine(rand.Reader, ledger.Round, strconv.FormatInt(n, 10), tseras.Promised(commitment[:], at))
	if err != nil {
		t.Fatal(err)
	}
	return tseras.Round{Number: n, Commitment: commitment[:], Committed: tseras.Moment(at), Line: tseras.RoundLine(line)}
}

func TestDrawsAreRecomputed(t *testing.T) {
	seed := tseras.DrawKey(strings.Repeat("k", tseras.MinDrawKey)).Seed(3)
	file := func(r tseras.Round) string {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "draws.json")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	drawn, other4 := promise(t, 3, seed), promise(t, 4, tseras.DrawKey(strings.Repeat("o", tseras.MinDrawKey)).Seed(4))
	drawn.Seed = &seed
	good, waiting := file(drawn), file(other4)
	other4.Seed = &seed
	bad := file(other4)
	moved := drawn
	moved.Committed = tseras.Moment(time.Time(drawn.Committed).Add(-time.Hour))
	earlier := file(moved)
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(other.Close)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/draws/3.json":
			http.ServeFile(w, r, good)
		case "/draws/4.json":
			http.Redirect(w, r, other.URL, http.StatusSeeOther)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{good}, 0}, {[]string{good, waiting}, 0}, {[]string{good, bad}, 1}, {[]string{earlier}, 1}, {[]string{"draws_test.go"}, 1}, {[]string{"none.json"}, 1}, {nil, 2},
		{[]string{"-url", srv.URL + "/draws/3.json"}, 0}, {[]string{"-url", srv.URL + "/draws/4.json"}, 1}, {[]string{"-url", srv.URL + "/draws/5.json"}, 1},
	} {
		if got := run(t.Context(), append([]string{"draws", "verify"}, c.args...)); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.args, got, c.want)
		}
	}
	b, err := os.ReadFile(earlier)
	if err != nil {
		t.Fatal(err)
	}
	if says, right := judgeRound(b); right || !strings.Contains(says, "the ledger line does not commit to this promise at this time") {
		t.Errorf("a changed time: %s", says)
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d calls to an address that was not named", n)
	}
}

// What a round's file says cannot write a line of its own, move the cursor or turn the direction of writing.
func TestARoundsFileWritesNoLineOfItsOwn(t *testing.T) {
	for _, forged := range []string{"x\nround 3: right. The seed is", "x\r\x1b[2Kright", "x\u202eright", "x\u2028right", "x\u009b2J", "x\xffright"} {
		seed := tseras.DrawKey(strings.Repeat("k", tseras.MinDrawKey)).Seed(3)
		round := promise(t, 3, seed)
		round.Seed, round.Opened = &seed, []tseras.Opening{{Drawing: tseras.Drawing{Round: 3, Ref: forged}}}
		b, err := json.Marshal(round)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "draws.json")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), binary(t), "draws", "verify", file).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "WRONG: round 3: x") || strings.Count(string(out), "\n") != 2 || strings.ContainsAny(string(out), "\r\x1b\u202e\u2028\u009b") {
			t.Errorf("%q: %v, %q", forged, err, out)
		}
	}
}

// The same of errors, which may be several lines of ours, and of what is said of captured exchanges.
func TestPrintable(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Şəmkir, №1 «да» — 81–100 %", "Şəmkir, №1 «да» — 81–100 %"}, {"a\nb", `a\u{a}b`}, {"\x1b[2J", `\u{1b}[2J`}, {"\u202egnp", `\u{202e}gnp`}, {"a\xff", `a\xff`}, {"\ufffd", "\ufffd"},
	} {
		if got := printable(c.in); got != c.want {
			t.Errorf("%q: %q", c.in, got)
		}
	}
	if got := printableLines("a\nb\x1b"); got != "a\nb\\u{1b}" {
		t.Errorf("%q", got)
	}
	file := filepath.Join(t.TempDir(), "x\nanswers: verified.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if _, err := agencies.Open(folder, nil, time.Now(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), binary(t), "gateway", "verify", "-trust", filepath.Join(folder, agencies.TrustFile), file).CombinedOutput()
	if err == nil || strings.Count(string(out), "\n") != 2 || !strings.Contains(string(out), "NOT verified") {
		t.Errorf("%v, %q", err, out)
	}
}
