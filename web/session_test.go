package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/go-chi/chi/v5"
)

func plainShell(t *testing.T, observe func(string, int, time.Duration)) *Shell {
	t.Helper()
	s, err := New(Config{Sessions: memstore.NewWithCleanupInterval(0), Log: slog.New(slog.DiscardHandler), Now: time.Now, Rand: rand.Reader, Observe: observe})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestASessionOfAnotherVersionIsSignedOut(t *testing.T) {
	s := plainShell(t, nil)
	h := s.Router(func(r chi.Router) {
		r.Get("/spoil", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			s.sessions.Put(r.Context(), keyPerson, "{")
			return nil
		}))
		r.Get("/own", s.Person(func(http.ResponseWriter, *http.Request) error { return nil }))
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/spoil", nil))
	r := httptest.NewRequest(http.MethodGet, "/own", nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("%d, %v", w.Code, w.Result().Cookies())
	}
}

func TestAClientThatWentAwayIsNoSuccess(t *testing.T) {
	var seen []int
	s := plainShell(t, func(_ string, status int, _ time.Duration) { seen = append(seen, status) })
	ctx, cancel := context.WithCancel(t.Context())
	h := s.Router(func(r chi.Router) {
		r.Get("/slow", s.Do(func(_ http.ResponseWriter, r *http.Request) error {
			cancel()
			return r.Context().Err()
		}))
	})
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/slow", nil))
	if len(seen) != 1 || seen[0] != statusClosed {
		t.Errorf("observed %v", seen)
	}
}
