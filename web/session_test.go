package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
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

// Nobody waits without end for a database that takes connections and does not answer.
func TestAnAnswerComesInTime(t *testing.T) {
	s := plainShell(t, nil)
	s.Patience = 20 * time.Millisecond
	s.Away = func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }
	h := s.Router(func(r chi.Router) {
		r.Post("/hangs", s.Do(func(_ http.ResponseWriter, r *http.Request) error {
			<-r.Context().Done()
			return fmt.Errorf("frozen: %w", r.Context().Err())
		}))
		r.Post("/file", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			until, ok := r.Context().Deadline()
			if !ok || time.Until(until) < time.Minute {
				t.Errorf("a file must come in until %v", until)
			}
			return nil
		}))
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/hangs", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "</html>") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	r := httptest.NewRequest(http.MethodPost, "/file", strings.NewReader("%PDF"))
	r.Header.Set("Content-Type", "Multipart/form-data; boundary=b")
	h.ServeHTTP(httptest.NewRecorder(), r)
}

// A database that is away is no fault of ours to be reported, but a moment to be waited for; a program is told how long.
func TestADatabaseThatIsAwayIsWaitedFor(t *testing.T) {
	away := errors.New("no database")
	s := plainShell(t, nil)
	s.Away = func(err error) bool { return errors.Is(err, away) }
	h := s.Router(func(r chi.Router) {
		r.Get("/page", s.Do(func(http.ResponseWriter, *http.Request) error { return fmt.Errorf("secret: %w", away) }))
		r.Get("/api/page", s.Do(func(http.ResponseWriter, *http.Request) error { return fmt.Errorf("secret: %w", away) }))
		r.Get("/fault", s.Do(func(http.ResponseWriter, *http.Request) error { return errors.New("secret") }))
	})
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/page": {http.StatusServiceUnavailable, "</html>"}, "/api/page": {http.StatusServiceUnavailable, `"urn:tesdiq:problem:web.away"`},
		"/fault": {http.StatusInternalServerError, "</html>"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		body := w.Body.String()
		if w.Code != want.status || !strings.Contains(body, want.says) || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %s", path, w.Code, body)
		}
		if wait := w.Header().Get("Retry-After"); (wait != "") != (want.status == http.StatusServiceUnavailable) {
			t.Errorf("%s: Retry-After %q", path, wait)
		}
	}
}
