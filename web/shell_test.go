package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// members knows the members of organisation 1, until they end.
type members map[tesdiq.FIN]bool

func (m members) Membership(_ context.Context, fin tesdiq.FIN, id int64) (web.Organisation, error) {
	if !m[fin] || id != 1 {
		return web.Organisation{}, tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
	}
	return web.Organisation{ID: 1, Name: "Nümunə Bank", Role: "clerk"}, nil
}

// probe is a set of routes that do what pages do.
func probe(s *web.Shell) web.Routes {
	return func(r chi.Router) {
		r.Get("/who", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			_, err := w.Write([]byte(web.ViewerOf(r.Context()).Label() + "|" + string(web.ViewerOf(r.Context()).Lang)))
			return err
		}))
		r.Get("/visitor", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			_, err := w.Write([]byte(s.Visitor(r)))
			return err
		}))
		r.Post("/send", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			_, err := w.Write([]byte(r.PostFormValue("text")))
			return err
		}))
		r.Post("/upload", s.Do(s.Upload(func(w http.ResponseWriter, r *http.Request) error {
			_, _, err := r.FormFile("file")
			return err
		}, 100<<10)))
		r.Get("/own", s.Person(func(http.ResponseWriter, *http.Request) error { return nil }))
		r.Post("/own", s.Person(func(http.ResponseWriter, *http.Request) error { return nil }))
		r.Get("/private", s.Private(func(http.ResponseWriter, *http.Request) error { return nil }))
		r.Get("/fault", s.Do(func(http.ResponseWriter, *http.Request) error { return errors.New("secret cause") }))
		r.Get("/panic", s.Do(func(http.ResponseWriter, *http.Request) error { panic("secret cause") }))
		r.Get("/v/{code}", s.Do(func(http.ResponseWriter, *http.Request) error { return nil }))
	}
}

func TestAPersonIsSentToSignInAndBack(t *testing.T) {
	s := webtest.Shell(t)
	b := webtest.Open(t, s, probe(s))
	a := b.Get("/own?x=1")
	if a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/signin?to=%2Fown%3Fx%3D1" {
		t.Errorf("reading: %d to %q", a.Status, a.Header.Get("Location"))
	}
	if a := b.Post("/own", nil); a.Status != http.StatusUnauthorized || !strings.Contains(a.Body, `href="/signin"`) {
		t.Errorf("sending: %d %s", a.Status, a.Body)
	}
	b.SignIn("")
	if a := b.Get("/own"); a.Status != http.StatusOK {
		t.Errorf("signed in: %d", a.Status)
	}
}

func TestAnEndedMemberActsNoMore(t *testing.T) {
	m := members{"5ZK8R2M": true}
	s := webtest.Shell(t, func(c *web.Config) { c.Members = m })
	b := webtest.Open(t, s, probe(s))
	b.SignIn("")
	b.Act()
	if a := b.Get("/who"); a.Body != "Nümunə Bank · Nərmin Q.|az" {
		t.Errorf("acting: %q", a.Body)
	}
	if a := b.Get("/private"); a.Status != http.StatusForbidden || !strings.Contains(a.Body, "/cabinet/act") {
		t.Errorf("private affairs while acting: %d", a.Status)
	}
	delete(m, "5ZK8R2M")
	if a := b.Post("/send", url.Values{"text": {"sent"}}); a.Status != http.StatusForbidden || strings.Contains(a.Body, ">sent<") {
		t.Errorf("sending after the end: %d", a.Status)
	}
	if a := b.Get("/who"); a.Body != "Nərmin Quliyeva|az" {
		t.Errorf("afterwards: %q", a.Body)
	}
}

func TestFaultsTellNothingOfTheirCause(t *testing.T) {
	s := webtest.Shell(t)
	b := webtest.Open(t, s, probe(s))
	for _, path := range []string{"/fault", "/panic"} {
		a := b.Get(path)
		if a.Status != http.StatusInternalServerError || strings.Contains(a.Body, "secret") || !strings.Contains(a.Body, "<h1>") {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	b.Header.Set("Accept", "application/json")
	a := b.Get("/fault")
	if a.Header.Get("Content-Type") != "application/problem+json" || strings.Contains(a.Body, "secret") || !strings.Contains(a.Body, `"urn:tesdiq:problem:internal"`) {
		t.Errorf("for a program: %s %s", a.Header.Get("Content-Type"), a.Body)
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	s := webtest.Shell(t)
	b := webtest.Open(t, s, probe(s))
	if a := b.Get("/nothing"); a.Status != http.StatusNotFound || !strings.Contains(a.Body, "<h1>Tapılmadı</h1>") {
		t.Errorf("unknown: %d %s", a.Status, a.Body)
	}
	if a := b.Post("/who", nil); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET" {
		t.Errorf("method: %d, allow %q", a.Status, a.Header.Get("Allow"))
	}
}
