package signin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/signin"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// confirming is a page that lets somebody confirm "about" with a nonce, and one that says what he has confirmed.
func confirming(s *web.Shell, h **signin.Web) web.Routes {
	return func(r chi.Router) {
		r.Post("/confirm", s.Person(func(w http.ResponseWriter, r *http.Request) error {
			return (*h).Prove(w, r, signin.Confirmation{About: "a thing", Nonce: r.PostFormValue("nonce"), Kept: "my words", To: "/confirmed"})
		}))
		r.Get("/confirmed", s.Person(func(w http.ResponseWriter, r *http.Request) error {
			about := r.URL.Query().Get("about")
			if about == "" {
				about = "a thing"
			}
			nonce := r.URL.Query().Get("nonce")
			if nonce == "" {
				nonce = "digest-of-the-thing"
			}
			p, ok := (*h).Proven(r, about, func(string) string { return nonce })
			_, err := fmt.Fprintf(w, "%v|%s|%d", ok, p.Kept, strings.Count(p.Token, "."))
			return err
		}))
	}
}

// proving is a service with a provider that a test commands, somebody signed in, and a confirmation that has been sent to
// the provider: its state.
func proving(t *testing.T, change func(c map[string]any)) (b *webtest.Browser, f *forger, begin func() string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f = &forger{key: key, client: "tesdiq"}
	f.token = func(f *forger) string {
		c := f.claims()
		c["auth_time"] = time.Now().Unix()
		if change != nil {
			change(c)
		}
		return f.signed(c)
	}
	op := httptest.NewServer(f)
	t.Cleanup(op.Close)
	f.issuer = op.URL
	s := webtest.Shell(t)
	h, err := signin.New(s, signin.Config{Issuer: op.URL, ClientID: "tesdiq", Secret: "secret", RedirectURL: "http://127.0.0.1:2/signin/callback"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b = webtest.Open(t, s, h.Routes, confirming(s, &h))
	b.SignIn("")
	return b, f, func() string {
		u, err := url.Parse(b.Post("/confirm", url.Values{"nonce": {"digest-of-the-thing"}}).Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		if q.Get("prompt") != "login" || q.Get("max_age") != "0" || q.Get("nonce") != "digest-of-the-thing" || q.Get("code_challenge_method") != "S256" {
			t.Fatalf("asked for %v", q)
		}
		f.nonce = q.Get("nonce")
		return q.Get("state")
	}
}

func TestWhoConfirmsDoesSoOnceForOneThing(t *testing.T) {
	b, _, begin := proving(t, nil)
	state := begin()
	if a := b.Get("/signin/callback?code=x&state=" + state); a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/confirmed" {
		t.Fatalf("%d to %q: %s", a.Status, a.Header.Get("Location"), a.Body)
	}
	if a := b.Get("/confirmed"); a.Body != "true|my words|2" {
		t.Errorf("confirmed: %s", a.Body)
	}
	if a := b.Get("/confirmed"); a.Body != "false||0" {
		t.Errorf("a proof is given twice: %s", a.Body)
	}
	if a := b.Get("/signin/callback?code=x&state=" + state); a.Status != http.StatusBadRequest {
		t.Errorf("a callback that is replayed: %d", a.Status)
	}
	for _, other := range []string{"about=another", "nonce=another"} {
		b.Get("/signin/callback?code=x&state=" + begin())
		if a := b.Get("/confirmed?" + other); a.Body != "false||0" {
			t.Errorf("%s: %s", other, a.Body)
		}
	}
}

func TestConfirmationsThatAreRefused(t *testing.T) {
	long := time.Now().Add(-2 * time.Minute).Unix()
	for _, c := range []struct {
		name   string
		change func(c map[string]any)
		status int
		says   string
	}{
		{"another person", func(c map[string]any) { c["fin"] = "7AB2C3D" }, http.StatusForbidden, "Başqa şəxs"},
		{"signed in long ago", func(c map[string]any) { c["auth_time"] = long }, http.StatusForbidden, "köhnədir"},
		{"it does not say when", func(c map[string]any) { delete(c, "auth_time") }, http.StatusForbidden, "köhnədir"},
		{"a time that is to come", func(c map[string]any) { c["auth_time"] = time.Now().Add(time.Hour).Unix() }, http.StatusForbidden, "köhnədir"},
		{"an old token", func(c map[string]any) { c["iat"] = long }, http.StatusForbidden, "köhnədir"},
		{"other nonce", func(c map[string]any) { c["nonce"] = "digest-of-another" }, http.StatusBadGateway, "alınmadı"},
		{"no nonce", func(c map[string]any) { delete(c, "nonce") }, http.StatusBadGateway, "alınmadı"},
	} {
		b, _, begin := proving(t, c.change)
		a := b.Get("/signin/callback?code=x&state=" + begin())
		if a.Status != c.status || !strings.Contains(a.Body, c.says) || !strings.Contains(a.Body, `href="/confirmed"`) {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
		if a := b.Get("/confirmed"); a.Body != "false||0" {
			t.Errorf("%s: confirmed all the same: %s", c.name, a.Body)
		}
	}
}

func TestAConfirmationIsOfOneBrowserAndOneState(t *testing.T) {
	b, _, begin := proving(t, nil)
	state := begin()
	for name, query := range map[string]string{"no state": "code=x", "another's state": "code=x&state=0000"} {
		if a := b.Get("/signin/callback?" + query); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
	other := webtest.Another(t, b.Server)
	other.SignIn("")
	if a := other.Get("/signin/callback?code=x&state=" + state); a.Status != http.StatusBadRequest {
		t.Errorf("the same person in another browser: %d", a.Status)
	}
	b.SignIn("7AB2C3D") // somebody else signs in at this browser meanwhile
	if a := b.Get("/signin/callback?code=x&state=" + state); a.Status != http.StatusBadRequest {
		t.Errorf("another person in the same browser: %d", a.Status)
	}
	nobody := webtest.Another(t, b.Server)
	if a := nobody.Post("/confirm", url.Values{"nonce": {"x"}}); a.Status != http.StatusUnauthorized {
		t.Errorf("nobody is signed in: %d", a.Status)
	}
}

func TestWhenTheProviderIsDownNothingIsConfirmed(t *testing.T) {
	s := webtest.Shell(t)
	h, err := signin.New(s, signin.Config{Issuer: "http://127.0.0.1:1", ClientID: "x", RedirectURL: "http://127.0.0.1:2/signin/callback"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := webtest.Open(t, s, h.Routes, confirming(s, &h))
	b.SignIn("")
	a := b.Post("/confirm", url.Values{"nonce": {"digest-of-the-thing"}})
	if a.Status != http.StatusServiceUnavailable || !strings.Contains(a.Body, "cavab vermir") || !strings.Contains(a.Body, `href="/confirmed"`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := b.Get("/confirmed"); a.Body != "false||0" {
		t.Errorf("confirmed: %s", a.Body)
	}
}
