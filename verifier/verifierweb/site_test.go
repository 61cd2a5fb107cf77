package verifierweb_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/throttle"
	"github.com/tesdiq/tesdiq/verifier/verifierdb"
	"github.com/tesdiq/tesdiq/verifier/verifierdb/verifierdbtest"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	nermin  = tesdiq.FIN("5ZK8R2M") // the subject of the excerpts
	aysel   = tesdiq.FIN("7HV1K9T") // a clerk of the bank
	manager = tesdiq.FIN("9MN2P3Q")
	bank    = int64(1)
	secret  = "0123456789abcdef"
)

// members makes the invented people members of the bank.
type members struct{}

func (members) Membership(_ context.Context, fin tesdiq.FIN, organisation int64) (web.Organisation, error) {
	role := map[tesdiq.FIN]string{aysel: "clerk", manager: "manager"}[fin]
	if role == "" || organisation != bank {
		return web.Organisation{}, tesdiq.NewProblem(tesdiq.NotFound, "no-member")
	}
	return web.Organisation{ID: bank, Name: "Nümunə Bank", Role: role}, nil
}

// site is the whole of checking: pages and API over a real database.
type site struct {
	*verifierdbtest.World
	*webtest.Browser
	t     *testing.T
	pg    *pgtest.DB
	v     *verifier.Verifier
	log   *lockedBuffer
	has   func(string) bool
	clock *clock

	contract, examination verifierdbtest.Issued
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) pass(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func (s *site) alarm(_ context.Context, sum verifier.Sum) { s.t.Errorf("alarm for %x", sum) }

func open(t *testing.T, change ...func(*verifierweb.Config)) *site {
	t.Helper()
	pg := pgtest.Open(t)
	s := &site{World: verifierdbtest.New(t, pg), t: t, pg: pg, log: &lockedBuffer{}, clock: &clock{now: verifierdbtest.Day}}
	if id := s.Organisation("Nümunə Bank"); id != bank {
		t.Fatalf("the bank is organisation %d", id)
	}
	s.Member(bank, aysel, "Aysel Həsənova", "clerk")
	s.Member(bank, manager, "Rəşad Məmmədov", "manager")
	s.World.Client(bank, "bank", secret)
	next := tesdiq.MustDate("2027-11-21")
	s.contract = s.World.Excerpt(s.Entry("contract", nermin, "K-1", 1, "append", tesdiq.MustDate("2021-03-14")), next)
	s.examination = s.World.Excerpt(s.Entry("examination", nermin, "M-1", 1, "append", tesdiq.MustDate("2026-11-04")), next)

	shell := webtest.Shell(t, func(c *web.Config) {
		c.Members, c.Log = members{}, slog.New(slog.NewTextHandler(s.log, nil))
	})
	db := &verifierdb.DB{Pool: pg.Pool(postgres.Verifier)}
	th := throttle.New(throttle.Default, nil)
	s.v = &verifier.Verifier{Excerpts: db, Checks: db, Reader: verifierdbtest.Reader{}, Alarm: s.alarm, Throttle: th, Now: s.clock.Now, Rand: rand.Reader}
	c := verifierweb.Config{
		Shell: shell, Verifier: s.v, Made: db, Seen: &verifierdb.Cabinet{Pool: pg.Pool(postgres.Cabinet)},
		Door: &verifier.Door{Clients: db, Throttle: th, Now: s.clock.Now, Rand: rand.Reader}, Address: "https://tesdiq.example", Now: s.clock.Now,
		KindTitle: func(_ tesdiq.Lang, kind string) string {
			return map[string]string{"contract": "İş yerinə dair arayış", "examination": "Əlilliyin müəyyən edilməsi barədə çıxarış"}[kind]
		},
	}
	for _, f := range change {
		f(&c)
	}
	h, err := verifierweb.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.has = shell.Has
	s.Browser = webtest.Open(t, shell, h.Routes, h.SubjectRoutes)
	return s
}

// as is another browser, signed in as somebody, perhaps for the bank; no FIN: not signed in.
func (s *site) as(fin tesdiq.FIN, forBank bool) *webtest.Browser {
	s.t.Helper()
	b := webtest.Another(s.t, s.Server)
	if fin != "" {
		b.SignIn(fin)
	}
	if forBank {
		b.Act()
	}
	return b
}

func form(code, purpose string) url.Values { return url.Values{"code": {code}, "purpose": {purpose}} }

// check posts a check and reads its answer.
func (s *site) check(b *webtest.Browser, values url.Values) webtest.Answer {
	s.t.Helper()
	a := b.Post("/check", values)
	if a.Status != http.StatusSeeOther {
		s.t.Fatalf("check: %d %s", a.Status, text(a.Body))
	}
	return s.read(b, a)
}

func (s *site) read(b *webtest.Browser, redirect webtest.Answer) webtest.Answer {
	s.t.Helper()
	a := b.Get(redirect.Header.Get("Location"))
	if a.Status != http.StatusOK {
		s.t.Fatalf("answer: %d %s", a.Status, text(a.Body))
	}
	return a
}

// upload posts a file through the form, after the fields.
func (s *site) upload(b *webtest.Browser, name, media string, content []byte, values url.Values) webtest.Answer {
	s.t.Helper()
	return b.Do(s.uploadRequest(name, media, content, values))
}

func (s *site) uploadRequest(name, media string, content []byte, values url.Values) *http.Request {
	s.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for k := range values {
		if err := m.WriteField(k, values.Get(k)); err != nil {
			s.t.Fatal(err)
		}
	}
	part, err := m.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`}, "Content-Type": {media},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		s.t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		s.t.Fatal(err)
	}
	return s.request(http.MethodPost, "/check", m.FormDataContentType(), &body)
}

func (s *site) request(method, path, media string, body io.Reader) *http.Request {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.Server.URL+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	return r
}

// checks is how many checks are recorded.
func (s *site) checks() int64 { return s.ID("SELECT count(*) FROM checks") }

// text is a page without its marks, for messages of failed tests.
func text(body string) string {
	_, main, _ := strings.Cut(body, "<main")
	if main == "" {
		main = body
	}
	var b strings.Builder
	depth := 0
	for _, r := range main {
		switch {
		case r == '<':
			depth++
		case r == '>':
			depth--
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
