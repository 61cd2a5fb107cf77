package service

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"
)

// Metrics are for this machine: neither a proxy on it, whatever it adds or leaves out, nor another site's page that a
// browser here has open (under a name that leads to this machine) gets them.
func TestMetricsAreForThisMachine(t *testing.T) {
	r := chi.NewRouter()
	NewMetrics().Operations(func(context.Context) error { return nil })(r)
	for _, tt := range []struct {
		name, peer, host, header string
		want                     int
	}{
		{"here", "127.0.0.1:999", "localhost:8080", "", 200},
		{"here, by address", "127.0.0.1:999", "127.0.0.1:8080", "", 200},
		{"here, IPv6", "[::1]:999", "[::1]:8080", "", 200},
		{"here, IPv6 without port", "[::1]:999", "[::1]", "", 200},
		{"elsewhere", "192.0.2.1:999", "localhost:8080", "", 404},
		{"a proxy that says for whom", "127.0.0.1:999", "localhost:8080", "X-Forwarded-For", 404},
		{"a proxy that says it otherwise", "127.0.0.1:999", "localhost:8080", "X-Real-IP", 404},
		{"a proxy that says nothing", "127.0.0.1:999", "tesdiq.example", "", 404},
		{"a name that leads here", "127.0.0.1:999", "evil.example:8080", "", 404},
		{"no name", "127.0.0.1:999", "", "", 404},
		{"a socket's path as a name", "127.0.0.1:999", "/tmp", "", 404},
	} {
		q := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		q.RemoteAddr, q.Host = tt.peer, tt.host
		if tt.header != "" {
			q.Header.Set(tt.header, "192.0.2.1")
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		if w.Code != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.want)
		}
	}
}
