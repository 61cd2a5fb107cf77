// Package webtest lets tests of pages use a real shell: sessions in memory, a browser that keeps cookies.
package webtest

import (
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

// Shell makes a shell whose sessions are in memory and whose log is dropped; change may alter its configuration.
func Shell(t testing.TB, change ...func(*web.Config)) *web.Shell {
	t.Helper()
	c := web.Config{
		Sessions: memstore.NewWithCleanupInterval(0),
		Log:      slog.New(slog.DiscardHandler),
		Now:      time.Now,
		Rand:     rand.Reader,
	}
	for _, f := range change {
		f(&c)
	}
	s, err := web.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Nermin is an invented person for tests.
var Nermin = web.Person{
	FIN: "5ZK8R2M", Name: tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin", Father: "Əli"}, Sex: tesdiq.Female, Method: "face",
}

// Browser asks a server for pages, keeps cookies, and shows redirects instead of following them.
type Browser struct {
	t      testing.TB
	Server *httptest.Server
	Client *http.Client
	Header http.Header // sent with every request, for example Accept-Language
}

// Open serves the routes in a shell, and opens a browser there. GET /test/signin?fin=… signs somebody in without a provider, with sits=yes a member of a commission.
func Open(t testing.TB, s *web.Shell, routes ...web.Routes) *Browser {
	t.Helper()
	routes = append(routes, func(r chi.Router) {
		r.Get("/test/signin", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			p := Nermin
			p.SignedInAt = s.Now()
			if fin := r.URL.Query().Get("fin"); fin != "" {
				p.FIN = tesdiq.FIN(fin)
			}
			p.Sits = r.URL.Query().Get("sits") == "yes"
			if err := s.SignIn(r, p, 0); err != nil {
				return err
			}
			w.WriteHeader(http.StatusNoContent)
			return nil
		}))
		r.Get("/test/act", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Cache-Control", "no-store")
			return s.Act(r, 1)
		}))
	})
	srv := httptest.NewServer(s.Router(routes...))
	t.Cleanup(srv.Close)
	return Another(t, srv)
}

// Another is a further browser at the same server, with cookies of its own.
func Another(t testing.TB, srv *httptest.Server) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Browser{t, srv, &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, http.Header{}}
}

// SignIn signs an invented person in; an empty FIN means Nermin.
func (b *Browser) SignIn(fin tesdiq.FIN) {
	b.t.Helper()
	if r := b.Get("/test/signin?fin=" + url.QueryEscape(string(fin))); r.Status != http.StatusNoContent {
		b.t.Fatalf("sign in: %d %s", r.Status, r.Body)
	}
}

// Act makes who is signed in act for organisation 1.
func (b *Browser) Act() {
	b.t.Helper()
	if r := b.Get("/test/act"); r.Status != http.StatusOK {
		b.t.Fatalf("act: %d %s", r.Status, r.Body)
	}
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Get asks for a page.
func (b *Browser) Get(path string) Answer {
	b.t.Helper()
	return b.Do(b.request(http.MethodGet, path, nil))
}

// Post sends a form as a browser does, from a page of the same site.
func (b *Browser) Post(path string, form url.Values) Answer {
	b.t.Helper()
	r := b.request(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.Do(r)
}

func (b *Browser) request(method, path string, body io.Reader) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.Server.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for k, v := range b.Header {
		r.Header[k] = v
	}
	return r
}

// Do sends a request as it is.
func (b *Browser) Do(r *http.Request) Answer {
	b.t.Helper()
	resp, err := b.Client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return Answer{resp.StatusCode, resp.Header, string(body)}
}
