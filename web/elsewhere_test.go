package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// readOnly keeps a session alive and changes nothing in it, as a process may that signs nobody in.
type readOnly struct{ *memstore.MemStore }

func (s readOnly) Commit(token string, _ []byte, expiry time.Time) error {
	if b, found, _ := s.MemStore.Find(token); found {
		return s.MemStore.Commit(token, b, expiry)
	}
	return nil
}

func (s readOnly) Delete(string) error { return errors.New("read only") }

// Two processes at one address: people sign in at the first, and the second reads who they are.
func TestWhoSignedInElsewhereIsKnown(t *testing.T) {
	sessions, m := memstore.NewWithCleanupInterval(0), members{"5ZK8R2M": true}
	first := webtest.Shell(t, func(c *web.Config) { c.Sessions, c.Members = sessions, m })
	second := webtest.Shell(t, func(c *web.Config) { c.SignIns, c.Members = readOnly{sessions}, m })
	there := second.Router(probe(second), func(r chi.Router) {
		r.Get("/signin", second.Do(func(_ http.ResponseWriter, r *http.Request) error { return second.SignIn(r, webtest.Nermin, 0) }))
		r.Get("/signout", second.Do(func(_ http.ResponseWriter, r *http.Request) error { return second.SignOut(r) }))
		r.Get("/act", second.Do(func(_ http.ResponseWriter, r *http.Request) error { return second.Act(r, 0) }))
	})
	// A proxy tells them apart by the path.
	b := webtest.Open(t, first, first.Public)
	inner := b.Server.Config.Handler
	b.Server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/there/") {
			http.StripPrefix("/there", there).ServeHTTP(w, r)
			return
		}
		inner.ServeHTTP(w, r)
	})
	ask := func(path, want string) {
		t.Helper()
		if a := b.Get(path); a.Status != http.StatusOK || a.Body != want {
			t.Errorf("%s: %d %q, want %q", path, a.Status, a.Body, want)
		}
	}
	ask("/there/who", "|az")
	visitor := b.Get("/there/visitor").Body
	ask("/there/visitor", visitor) // remembered
	b.SignIn("")
	ask("/there/who", "Nərmin Quliyeva|az")
	if again := b.Get("/there/visitor").Body; visitor == "" || again == visitor {
		t.Errorf("visitor %q is %q after signing in", visitor, again)
	}
	b.Act()
	ask("/there/who", "Nümunə Bank · Nərmin Q.|az")
	for _, path := range []string{"/there/signin", "/there/signout", "/there/act"} {
		if a := b.Get(path); a.Status != http.StatusInternalServerError {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	// The part in the organisation ends: one request is refused, then he acts for himself, and both processes tell him once.
	delete(m, "5ZK8R2M")
	if a := b.Get("/there/who"); a.Status != http.StatusForbidden {
		t.Errorf("after the end: %d", a.Status)
	}
	ask("/there/who", "Nərmin Quliyeva|az")
	if a := b.Get("/"); a.Status != http.StatusForbidden {
		t.Errorf("after the end, where he signed in: %d", a.Status)
	}
	ask("/there/who", "Nərmin Quliyeva|az")
	// A stranger with another cookie is nobody.
	if a := webtest.Another(t, &httptest.Server{URL: b.Server.URL}).Get("/there/who"); a.Body != "|az" {
		t.Errorf("a stranger is %q", a.Body)
	}
}
