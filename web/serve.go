package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/tesdiq/tesdiq"
)

// Routes registers addresses on a router.
type Routes func(r chi.Router)

// Router puts the routes of several …web packages into the shell: every request gets headers, limits, a language, a
// session, one line in the log, and an error page when something is wrong.
func (s *Shell) Router(routes ...Routes) chi.Router {
	r := chi.NewRouter()
	r.Use(s.serve, middleware.GetHead)
	r.NotFound(s.Do(func(http.ResponseWriter, *http.Request) error {
		return tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
	}))
	r.MethodNotAllowed(s.methodNotAllowed)
	r.Get("/static/{file}", s.static.ServeHTTP)
	r.Get("/favicon.ico", s.static.file("mark.svg"))
	r.Get("/robots.txt", s.static.file("robots.txt"))
	for _, f := range routes {
		f(r)
	}
	return r
}

// stateless says which addresses have no session: nobody is signed in there by a cookie.
func stateless(path string) bool {
	for _, prefix := range []string{"/static/", "/api/", "/oauth/", "/pki/", "/log/", "/demo-provider/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	switch path {
	case "/favicon.ico", "/robots.txt", "/healthz", "/readyz", "/metrics":
		return true
	}
	return false
}

// response remembers what was answered, and saves the session before the first byte.
type response struct {
	http.ResponseWriter
	status int
	bytes  int64
	save   func() error // nil: nothing to save
	failed func(error)  // answers instead, when save fails
	dead   bool         // answered by failed: what the handler writes is dropped
}

func (w *response) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status >= 200 && w.save != nil {
		save := w.save
		w.save = nil
		if err := save(); err != nil {
			w.failed(err)
			w.dead = true
			return
		}
	}
	if status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.dead {
		return len(b), nil
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type (
	bodyKey    struct{} // the request's body before it was bounded
	requestKey struct{} // the request's number
)

func (s *Shell) serve(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := s.Now()
		w := &response{ResponseWriter: rw}
		s.headers(w.Header())
		id, err := tesdiq.RandomText(s.Rand, 10)
		if err != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		// A database that takes connections and does not answer must not keep people waiting without a word.
		ctx, cancel := context.WithTimeout(r.Context(), s.patience(r))
		defer cancel()
		ctx = context.WithValue(ctx, requestKey{}, id)
		ctx = context.WithValue(ctx, bodyKey{}, r.Body)
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		defer func() {
			if caught := recover(); caught != nil {
				s.panicked(w, r, caught)
			}
			if w.status == 0 {
				w.WriteHeader(http.StatusOK) // an empty answer still saves the session
			}
			s.note(r, w, s.Now().Sub(start))
		}()
		r, err = s.load(w, r)
		if stateOf(r.Context()).session {
			w.save = func() error { return s.save(w, r) }
			w.failed = func(err error) { s.Problem(w, r, err) }
		}
		switch {
		case err != nil:
			s.Problem(w, r, err)
		case s.csrf.Check(r) != nil:
			s.Problem(w, r, tesdiq.NewProblem(tesdiq.Forbidden, "web.cross-site"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// fileTime is the longest that a file may take to come in.
const fileTime = 3 * time.Minute

// patience is how long an answer may take.
func (s *Shell) patience(r *http.Request) time.Duration {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "", "application/json", "application/x-www-form-urlencoded":
		return s.Patience
	}
	return fileTime + s.Patience
}

// panicked answers a request whose handler panicked. What was said stays in the log.
func (s *Shell) panicked(w *response, r *http.Request, caught any) {
	if caught == http.ErrAbortHandler {
		panic(caught)
	}
	s.Log.ErrorContext(r.Context(), "panic", "request", r.Context().Value(requestKey{}), "what", fmt.Sprint(caught), "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look whole
	}
	s.write(w, r, tesdiq.Problems{tesdiq.NewProblem(tesdiq.Internal, "internal")})
}

// note writes the request's line: the route's pattern, never the address, which may hold a code.
func (s *Shell) note(r *http.Request, w *response, took time.Duration) {
	route := "none"
	if c := chi.RouteContext(r.Context()); c != nil {
		if p := c.RoutePattern(); p != "" && !(w.status == http.StatusNotFound && strings.HasSuffix(p, "*")) {
			route = p
		}
	}
	s.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.Any("request", r.Context().Value(requestKey{})), slog.String("method", method(r)), slog.String("route", route),
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes), slog.Duration("took", took))
	if s.Observe != nil {
		s.Observe(route, w.status, took)
	}
}

// method is the request's method, or "other": a client may send any word.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return "other"
}

// methodNotAllowed answers a method that an address does not take; the header says which it takes (RFC 9110, 15.5.6).
func (s *Shell) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	routes := chi.RouteContext(r.Context()).Routes
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if routes.Match(chi.NewRouteContext(), m, r.URL.Path) {
			w.Header().Add("Allow", m)
		}
	}
	s.write(w, r, tesdiq.Problems{tesdiq.NewProblem(tesdiq.Refused, "web.method")}, http.StatusMethodNotAllowed)
}

// Upload bounds the body of a route that takes files. A body that says beforehand that it is larger is refused
// before anything of it is read.
func (s *Shell) Upload(h Handler, maxBytes int64) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.ContentLength > maxBytes {
			w.Header().Set("Connection", "close") // rather than read it all for nothing
			return tooLarge(maxBytes)
		}
		if body, ok := r.Context().Value(bodyKey{}).(io.ReadCloser); ok {
			r.Body = http.MaxBytesReader(w, body, maxBytes)
		}
		return h(w, r)
	}
}

func tooLarge(maxBytes int64) error {
	return tesdiq.NewProblem(tesdiq.TooLarge, "web.too-large").With("KB", maxBytes>>10)
}

// form reads a plain form, so that a handler finds its fields and a body that is too large is told as such. The API takes
// no such form: there it is content of the wrong kind, which curl sends unless told otherwise, and the handler says so.
func form(r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/api/") || r.Method == http.MethodGet || r.Method == http.MethodHead || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	if err := r.ParseForm(); err != nil {
		if e := new(http.MaxBytesError); errors.As(err, &e) {
			return err
		}
		return tesdiq.Invalid("web.form")
	}
	return nil
}
