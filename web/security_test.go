package web_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// S15: what another site makes a browser send is refused, with or without the session's cookie.
func TestWhatAnotherSiteSendsIsRefused(t *testing.T) {
	s := webtest.Shell(t)
	b := webtest.Open(t, s, probe(s))
	b.SignIn("")
	send := func(header, value string) webtest.Answer {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Server.URL+"/send", strings.NewReader("text=sent"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header, value)
		return b.Do(r)
	}
	for _, c := range []struct {
		header, value string
		status        int
	}{
		{"Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		{"Sec-Fetch-Site", "same-site", http.StatusForbidden},
		{"Origin", "https://example.org", http.StatusForbidden},
		{"Origin", "null", http.StatusForbidden},
		{"Sec-Fetch-Site", "same-origin", http.StatusOK},
		{"Origin", b.Server.URL, http.StatusOK},
	} {
		if a := send(c.header, c.value); a.Status != c.status || (a.Body == "sent") != (c.status == http.StatusOK) {
			t.Errorf("%s: %s: %d %q", c.header, c.value, a.Status, a.Body)
		}
	}
}

func TestASessionThatSomebodyPlantedIsNotTaken(t *testing.T) {
	s := webtest.Shell(t)
	b := webtest.Open(t, s, probe(s))
	planted := "planted-token-planted-token-planted-token-0"
	b.Header.Set("Cookie", "session="+planted)
	visitor := b.Get("/visitor")
	if c := visitor.Header.Get("Set-Cookie"); c == "" || strings.Contains(c, planted) {
		t.Errorf("the cookie after a planted one: %q", c)
	}
	// A real session, known to somebody before the sign-in, is worth nothing after it; nor is what it held.
	b.Header.Del("Cookie")
	before := b.Get("/visitor").Body
	known := cookieOf(t, b, "session").Value
	b.SignIn("")
	if cookieOf(t, b, "session").Value == known {
		t.Fatal("the token did not change at sign-in")
	}
	thief := webtest.Another(t, b.Server)
	thief.Header.Set("Cookie", "session="+known)
	if a := thief.Get("/own"); a.Status != http.StatusSeeOther {
		t.Errorf("the session of before is signed in: %d", a.Status)
	}
	if after := b.Get("/visitor").Body; after == before || after == "" {
		t.Errorf("visitor before %q, after %q", before, after)
	}
}

func cookieOf(t *testing.T, b *webtest.Browser, name string) *http.Cookie {
	t.Helper()
	u, err := url.Parse(b.Server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Client.Jar.Cookies(u) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s", name)
	return nil
}

func TestCookieFlags(t *testing.T) {
	for _, secure := range []bool{false, true} {
		store := memstore.NewWithCleanupInterval(0)
		s := webtest.Shell(t, func(c *web.Config) { c.Secure, c.Sessions = secure, store })
		b := webtest.Open(t, s, probe(s))
		a := b.Get("/visitor?lang=en")
		cookies := (&http.Response{Header: a.Header}).Cookies()
		if len(cookies) != 2 {
			t.Fatalf("%d cookies", len(cookies))
		}
		for _, c := range cookies {
			name := map[bool]string{false: "session", true: "__Host-session"}[secure]
			if c.Name != name && c.Name != "lang" {
				t.Errorf("cookie %s", c.Name)
			}
			if !c.HttpOnly || c.Secure != secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("cookie %s", c.Raw)
			}
			if c.Name == name {
				if c.MaxAge != 0 || !c.Expires.IsZero() {
					t.Errorf("the session outlives the browser: %s", c.Raw)
				}
				all, err := store.All()
				if err != nil {
					t.Fatal(err)
				}
				if _, ok := all[c.Value]; ok || len(all) != 1 {
					t.Error("the token is stored as it is, not hashed")
				}
			}
		}
	}
}

func TestASessionEnds(t *testing.T) {
	s := webtest.Shell(t, func(c *web.Config) { c.Idle, c.Lifetime = 300*time.Millisecond, 900*time.Millisecond })
	b := webtest.Open(t, s, probe(s))
	b.SignIn("")
	start := time.Now()
	for time.Since(start) < 800*time.Millisecond {
		if a := b.Get("/own"); a.Status != http.StatusOK && time.Since(start) < 850*time.Millisecond {
			t.Fatalf("ended after %v in spite of use: %d", time.Since(start), a.Status)
		}
		time.Sleep(50 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	if a := b.Get("/own"); a.Status != http.StatusSeeOther {
		t.Errorf("still signed in after its lifetime: %d", a.Status)
	}
	b.SignIn("")
	time.Sleep(400 * time.Millisecond)
	if a := b.Get("/own"); a.Status != http.StatusSeeOther {
		t.Errorf("still signed in after idling: %d", a.Status)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	s := webtest.Shell(t, func(c *web.Config) { c.Secure, c.FormAction = true, []string{"https://id.example"} })
	b := webtest.Open(t, s, probe(s), s.Public)
	for _, path := range []string{"/", "/how", "/nothing", "/fault", "/panic", "/own", "/static/none.css", "/robots.txt"} {
		h := b.Get(path).Header
		for name, want := range map[string]string{
			"Content-Security-Policy":    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' https://id.example; frame-ancestors 'none'; base-uri 'none'",
			"Referrer-Policy":            "no-referrer",
			"X-Content-Type-Options":     "nosniff",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Strict-Transport-Security":  "max-age=31536000; includeSubDomains",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s: %q", path, name, got)
			}
		}
		if h.Get("Permissions-Policy") == "" {
			t.Errorf("%s: no Permissions-Policy", path)
		}
		if got := strings.Join(h.Values("Cache-Control"), "; "); path != "/robots.txt" && got != "no-store" {
			t.Errorf("%s: Cache-Control: %q", path, got)
		}
	}
	// A cookie that is set does not weaken it.
	if got := b.Get("/visitor").Header.Values("Cache-Control"); len(got) != 1 || got[0] != "no-store" {
		t.Errorf("with a cookie: %v", got)
	}
}

func TestFirstViewIsSmall(t *testing.T) {
	s := webtest.Shell(t, func(c *web.Config) { c.Demo = true })
	b := webtest.Open(t, s, s.Public)
	for _, lang := range tesdiq.Langs {
		a := b.Get("/?lang=" + string(lang))
		sum := len(a.Body)
		for _, m := range regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(a.Body, -1) {
			f := b.Get(m[1])
			if f.Status != http.StatusOK || !strings.Contains(f.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d, %s", m[1], f.Status, f.Header.Get("Cache-Control"))
			}
			if strings.HasSuffix(m[1], ".css") && len(f.Body) > 20<<10 {
				t.Errorf("the style sheet has %d bytes", len(f.Body))
			}
			sum += len(f.Body)
		}
		if sum > 50<<10 || sum < 5<<10 {
			t.Errorf("first view in %s: %d bytes", lang, sum)
		}
		t.Logf("first view in %s: %d bytes", lang, sum)
	}
}

func TestPagesHaveNoInlineStyleAndNothingFromElsewhere(t *testing.T) {
	for _, path := range []string{"/", "/how", "/privacy", "/nothing"} {
		s := webtest.Shell(t)
		b := webtest.Open(t, s, s.Public)
		body := b.Get(path).Body
		for _, bad := range []string{"<script", " style=", " onclick", "javascript:", "https://", "//fonts"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	s := webtest.Shell(t)
	b := webtest.Open(t, s, probe(s))
	if a := b.Post("/send", url.Values{"text": {strings.Repeat("x", 60<<10)}}); a.Status != http.StatusOK || len(a.Body) != 60<<10 {
		t.Errorf("60 KB: %d", a.Status)
	}
	if a := b.Post("/send", url.Values{"text": {strings.Repeat("x", 65<<10)}}); a.Status != http.StatusRequestEntityTooLarge || !strings.Contains(a.Body, "64 KB") {
		t.Errorf("65 KB: %d %s", a.Status, a.Body)
	}
	if a := b.Post("/send", url.Values{"text": {"x"}, "%zz": nil}); a.Status != http.StatusOK {
		t.Errorf("escaped: %d", a.Status)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Server.URL+"/send", strings.NewReader("text=%zz"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a := b.Do(r); a.Status != http.StatusUnprocessableEntity {
		t.Errorf("malformed: %d", a.Status)
	}
}

// upload sends size bytes as a file; a size of -1 is not announced beforehand.
func upload(t *testing.T, b *webtest.Browser, size int, announced bool) webtest.Answer {
	t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	f, err := m.CreateFormFile("file", "x.pdf")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	var reader io.Reader = &body
	if !announced {
		reader = io.MultiReader(reader) // hides the length: sent in chunks
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Server.URL+"/upload", reader)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.Do(r)
}

func TestUploadsAreBoundedOnTheirOwn(t *testing.T) {
	s := webtest.Shell(t)
	b := webtest.Open(t, s, probe(s))
	for _, c := range []struct {
		size      int
		announced bool
		want      int
	}{
		{90 << 10, true, http.StatusOK}, {90 << 10, false, http.StatusOK},
		{101 << 10, true, http.StatusRequestEntityTooLarge}, {101 << 10, false, http.StatusRequestEntityTooLarge},
	} {
		if a := upload(t, b, c.size, c.announced); a.Status != c.want {
			t.Errorf("%d bytes, announced %v: %d %s", c.size, c.announced, a.Status, a.Body)
		}
	}
}

func TestTheLogHoldsPatternsAndNothingOfThePerson(t *testing.T) {
	var log bytes.Buffer
	routes := map[string]int{}
	s := webtest.Shell(t, func(c *web.Config) {
		c.Log = slog.New(slog.NewJSONHandler(&log, nil))
		c.Observe = func(route string, status int, _ time.Duration) { routes[fmt.Sprint(route, " ", status)]++ }
	})
	b := webtest.Open(t, s, probe(s), s.Public)
	b.SignIn("")
	b.Get("/v/7K2M9QXA4TRCW8HNR?secret=1")
	b.Get("/nothing/5ZK8R2M")
	b.Get("/own")
	b.Post("/send", url.Values{"text": {"Quliyeva"}})
	for _, bad := range []string{"7K2M", "5ZK8R2M", "Quliyeva", "Nərmin", "secret", "127.0.0.1"} {
		if strings.Contains(log.String(), bad) {
			t.Errorf("the log holds %q: %s", bad, log.String())
		}
	}
	for _, want := range []string{"/v/{code} 200", "none 404", "/own 200", "/send 200"} {
		if routes[want] != 1 {
			t.Errorf("observed %v, not %q once", routes, want)
		}
	}
}

// failing is a session store that can be made to fail.
type failing struct {
	*memstore.MemStore
	err error
}

func (f *failing) Commit(token string, b []byte, expiry time.Time) error {
	if f.err != nil {
		return f.err
	}
	return f.MemStore.Commit(token, b, expiry)
}

func TestAnAnswerThatNeedsASessionIsNotGivenWithoutIt(t *testing.T) {
	store := &failing{memstore.NewWithCleanupInterval(0), errors.New("no database")}
	s := webtest.Shell(t, func(c *web.Config) { c.Sessions = store })
	b := webtest.Open(t, s, probe(s))
	a := b.Get("/visitor")
	if a.Status != http.StatusInternalServerError || !strings.Contains(a.Body, "</html>") || strings.Contains(a.Body, "no database") || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if strings.Count(a.Body, "</html>") != 1 || !strings.HasSuffix(strings.TrimSpace(a.Body), "</html>") {
		t.Errorf("more than the error page: %s", a.Body)
	}
}

func TestClientPrefix(t *testing.T) {
	s := webtest.Shell(t, func(c *web.Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	})
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.7:1234", "", "203.0.113.0/24"},
		{"[2001:db8:1:2ff::1]:1", "", "2001:db8:1:200::/56"},
		{"[::ffff:203.0.113.7]:1", "", "203.0.113.0/24"},
		{"203.0.113.7:1234", "198.51.100.1", "203.0.113.0/24"}, // no proxy: not believed
		{"10.1.2.3:1", "198.51.100.1", "198.51.100.0/24"},
		{"10.1.2.3:1", "192.0.2.1, 198.51.100.1", "198.51.100.0/24"}, // only what our proxy wrote
		{"10.1.2.3:1", "192.0.2.1, 198.51.100.1, 10.9.9.9", "198.51.100.0/24"},
		{"10.1.2.3:1", "nonsense", "10.1.2.0/24"},
		{"10.1.2.3:1", "192.0.2.1, nonsense, 10.9.9.9", "10.9.9.0/24"},
		{"[fd00::1]:1", "2001:db8:1:2ff::1", "2001:db8:1:200::/56"},
		{"nonsense", "", "unknown"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := s.ClientPrefix(r); got != c.want {
			t.Errorf("%s for %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}
