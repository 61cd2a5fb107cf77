package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service/checking"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/web/democlock"
	"github.com/tesdiq/tesdiq/web/signin"
	"github.com/tesdiq/tesdiq/web/signin/demoprovider"
)

// TestMain lets the test binary be the program: a script that says "exec tesdiq" runs it under that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "tesdiq" || len(os.Args) == 2 && os.Args[1] == checking.ReadFiles {
		main()
		return
	}
	pgtest.Main(m)
}

// world is the whole service on a database of the test's own, reached over HTTP, with the invented cast.
type world struct {
	mainJob
	t   testing.TB
	app *app
	dir string // where the demonstration keeps what it made
	db  *pgtest.DB
	log *logged

	clock *democlock.Clock
}

// logged keeps what the service logs.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// open starts the service with n people besides the cast, and with parts that are changed.
func open(t testing.TB, n int, change ...func(*parts)) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, db: pgtest.Open(t), log: &logged{}, dir: t.TempDir()}
	pools, err := postgres.OpenAll(ctx, w.db.URL(postgres.Cabinet), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pools.Close)
	if _, err := registrydb.Load(ctx, pools.Registry, people.Generate(1, n, tesdiq.DateOf(time.Now())), rand.Reader, nil); err != nil {
		t.Fatal(err)
	}
	var notes demoNotes
	if err := notes.organisations(ctx, organisationdb.Operator{Pool: pools.Operator, Now: time.Now, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	w.client = summaryClient{notes.ClientID, notes.Secret}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.address = "http://" + l.Addr().String()
	set, err := signer.NewThrowawayAt(rand.Reader, time.Now(), w.address)
	if err != nil {
		t.Fatal(err)
	}
	w.clock = &democlock.Clock{Real: time.Now, End: tesdiq.DateOf(set.Signer.NotAfter).AddDays(-1), Keep: func(time.Duration) error { return nil }}
	p := parts{
		Pools: pools, PublicURL: w.address, Keys: set, Now: w.clock.Now, Clock: w.clock, People: demoPeople(),
		Log: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		SignIn: signin.Config{Issuer: w.address + demoprovider.Path, ClientID: "tesdiq", Secret: "a secret of the test",
			RedirectURL: w.address + "/signin/callback", PostLogout: w.address + "/signin/out"},
	}
	for _, c := range change {
		c(&p)
	}
	if p.Agencies, err = (demoCommand{Data: w.dir, People: n, Seed: 1}).agencies(ctx, &p); err != nil {
		t.Fatal(err)
	}
	w.app, err = newApp(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- w.app.serve(serving, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

// as signs somebody of the cast in; the organisation, if any, is for which he acts.
func (w *world) as(who, organisation string) *visitor {
	w.t.Helper()
	voen, to := "", "/cabinet"
	for _, o := range people.Organisations {
		if o.Key == organisation {
			voen, to = ":"+string(o.VOEN), "/check"
		}
	}
	v, err := w.signIn(w.t.Context(), people.Who(who), voen, to)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// drawn draws an excerpt as somebody of the cast.
func (w *world) drawn(v *visitor, kind string) summaryExcerpt {
	w.t.Helper()
	e, err := w.draw(w.t.Context(), v, kind)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// ask sends a request and gives the status, without following a redirect, and the body.
func (w *world) ask(c *http.Client, method, path, token string, form url.Values) (int, http.Header, string) {
	w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.address+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if token != "" {
		r.Header.Set("Authorization", authorization(token))
	}
	still := *c
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := still.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(b)
}

// authorization is what a request proves itself with: a seal, or the token of a program.
func authorization(token string) string {
	if strings.HasPrefix(token, "Seal ") {
		return token
	}
	return "Bearer " + token
}

func (w *world) apiToken() string {
	w.t.Helper()
	token, err := w.token(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// apiCheck checks a code as the bank's program and gives the check's number.
func (w *world) apiCheck(token, code string) (id string, verdict tesdiq.Verdict) {
	w.t.Helper()
	body, _ := json.Marshal(map[string]string{"code": code, "purpose": "credit"})
	var answer struct {
		Verdict tesdiq.Verdict
		Check   struct{ ID string }
	}
	if err := call(w.t.Context(), http.MethodPost, w.address+"/api/v1/checks", token, "application/json", body, &answer); err != nil {
		w.t.Fatal(err)
	}
	return answer.Check.ID, answer.Verdict
}
