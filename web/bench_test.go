package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tesdiq/tesdiq/web/webtest"
)

// BenchmarkHome renders the first page through the whole shell.
func BenchmarkHome(b *testing.B) {
	s := webtest.Shell(b)
	h := s.Router(s.Public)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
