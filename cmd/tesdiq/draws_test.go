package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tesdiq/tesdiq/casework/tseras"
)

func TestDrawsAreRecomputed(t *testing.T) {
	seed := tseras.DrawKey(strings.Repeat("k", tseras.MinDrawKey)).Seed(3)
	commitment := seed.Commitment(3)
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
	good := file(tseras.Round{Number: 3, Commitment: commitment[:], Seed: &seed})
	waiting := file(tseras.Round{Number: 4, Commitment: commitment[:]})
	bad := file(tseras.Round{Number: 4, Commitment: commitment[:], Seed: &seed})
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
		{[]string{good}, 0}, {[]string{good, waiting}, 0}, {[]string{good, bad}, 1}, {[]string{"draws_test.go"}, 1}, {[]string{"none.json"}, 1}, {nil, 2},
		{[]string{"-url", srv.URL + "/draws/3.json"}, 0}, {[]string{"-url", srv.URL + "/draws/4.json"}, 1}, {[]string{"-url", srv.URL + "/draws/5.json"}, 1},
	} {
		if got := run(t.Context(), append([]string{"draws", "verify"}, c.args...)); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.args, got, c.want)
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d calls to an address that was not named", n)
	}
}
