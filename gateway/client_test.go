package gateway_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
)

func ask(t testing.TB, c *gateway.Client, q ...gateway.Question) []gateway.Outcome {
	t.Helper()
	out := c.Ask(t.Context(), q)
	if len(out) != len(q) {
		t.Fatalf("%d outcomes of %d questions", len(out), len(q))
	}
	for i, o := range out {
		if (o.Answer == nil) == (o.No == nil) {
			t.Fatalf("an outcome that is both or neither: %+v", o)
		}
		if o.Question.ID != q[i].ID {
			t.Fatal("outcomes in another order")
		}
	}
	return out
}

func TestPassingFaultsAreTriedAgain(t *testing.T) {
	for _, kind := range []agencies.Kind{agencies.Down, agencies.Busy, agencies.Failing, agencies.Half} {
		w := build(t, nil)
		w.SetFaults([]agencies.Fault{{Kind: kind, Times: 2}})
		if o := ask(t, w.client(t), question(t, gateway.Vision, "ebdulrehimxan"))[0]; o.Answer == nil || len(w.log.tried) != 3 {
			t.Errorf("%s: %+v after %d attempts", kind, o.No, len(w.log.tried))
		}
		w.SetFaults([]agencies.Fault{{Kind: kind}})
		if o := ask(t, w.client(t), question(t, gateway.Vision, "ebdulrehimxan"))[0]; o.No == nil || o.No.Attempts != 3 {
			t.Errorf("%s for good: %+v", kind, o)
		}
	}
}

func TestWhatWasSaidOnPurposeIsNotAskedAgainAtOnce(t *testing.T) {
	w := build(t, nil)
	for _, kind := range []agencies.Kind{agencies.Refusing, agencies.BadSignature, agencies.WrongPerson, agencies.Stale, agencies.UnknownField} {
		w.SetFaults([]agencies.Fault{{Kind: kind}})
		if o := ask(t, w.client(t), question(t, gateway.Vision, "ebdulrehimxan"))[0]; o.No == nil || o.No.Attempts != 1 {
			t.Errorf("%s: %+v", kind, o)
		}
	}
}

// TestSilenceIsNeverNothing compares what is said of a register that is down with what is said of one that has nothing.
func TestSilenceIsNeverNothing(t *testing.T) {
	w := build(t, nil)
	nothing := ask(t, w.client(t), question(t, gateway.Dialysis, "gunay"))[0]
	if nothing.Answer == nil || nothing.Answer.Found || len(nothing.Answer.Facts.Dialysis) != 0 {
		t.Fatalf("%+v", nothing)
	}
	for _, kind := range agencies.Kinds {
		if kind == agencies.Slow || kind == agencies.Nothing || kind == agencies.Dead || kind == agencies.Future || kind == agencies.Later || kind == agencies.Denies {
			continue // which are answers, are of corrections, or need something to be wrong about
		}
		w.SetFaults([]agencies.Fault{{Kind: kind}})
		if o := ask(t, w.client(t), question(t, gateway.Dialysis, "gunay"))[0]; o.Answer != nil {
			t.Errorf("%s is taken for an answer", kind)
		}
	}
}

func TestWhoDoesNotAnswerDoesNotHoldUpTheOthers(t *testing.T) {
	w := build(t, func(s *gateway.Service) {
		s.Deadline, s.Attempt = gateway.Millis(time.Second), gateway.Millis(time.Second)
	})
	w.SetFaults([]agencies.Fault{{Kind: agencies.Slow, Register: gateway.Oncology, Delay: gateway.Millis(time.Minute)}})
	began := time.Now()
	var all []gateway.Question
	for _, r := range gateway.Registers() {
		all = append(all, question(t, r, "sevinc"))
	}
	for _, o := range ask(t, w.client(t), all...) {
		if silent := o.Question.Register == gateway.Oncology; silent != (o.No != nil) {
			t.Errorf("%s: %+v", o.Question.Register, o.No)
		} else if silent && (o.No.Reason != gateway.TimedOut || o.No.Since.IsZero() || !o.No.Next.After(time.Now())) {
			t.Errorf("%+v", o.No)
		}
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestDeadlineOfAll(t *testing.T) {
	w := build(t, func(s *gateway.Service) {
		s.Deadline, s.Attempt, s.Parallel = gateway.Millis(time.Minute), gateway.Millis(time.Minute), 1
	})
	w.config.Deadline = 500 * time.Millisecond
	w.SetFaults([]agencies.Fault{{Kind: agencies.Slow, Delay: gateway.Millis(time.Minute)}})
	reasons := map[gateway.Reason]int{}
	for _, o := range ask(t, w.client(t), question(t, gateway.Vision, "elcin"), question(t, gateway.Vision, "elcin"), question(t, gateway.Vision, "elcin")) {
		reasons[o.No.Reason]++
	}
	if reasons[gateway.TimedOut] != 1 || reasons[gateway.Queued] != 2 {
		t.Errorf("%v", reasons)
	}
}

func TestNoMoreThanAreAllowedAtATime(t *testing.T) {
	w := build(t, nil)
	var now, most atomic.Int64
	slow := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		w.ServeHTTP(rw, r)
	}))
	defer slow.Close()
	for i := range w.config.Services {
		w.config.Services[i].URL, w.config.Services[i].Parallel = slow.URL, 3
	}
	var all []gateway.Question
	for range 40 {
		all = append(all, question(t, gateway.Vision, "elcin"))
	}
	for _, o := range ask(t, w.client(t), all...) {
		if o.No != nil {
			t.Errorf("%+v", o.No)
		}
	}
	if most.Load() != 3 {
		t.Errorf("%d at a time", most.Load())
	}
}

// TestBreaker opens after failures in a row, lets one question try after its rest, and closes when that is answered.
func TestBreaker(t *testing.T) {
	w := build(t, func(s *gateway.Service) {
		s.Attempts, s.Trip, s.Rest = 1, 3, gateway.Millis(10*time.Minute)
	})
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	w.config.Now, w.Now = now, now
	c := w.client(t)
	w.SetFaults([]agencies.Fault{{Kind: agencies.Failing, Register: gateway.Vision}})
	one := func() gateway.Outcome { return ask(t, c, question(t, gateway.Vision, "ebdulrehimxan"))[0] }
	for range 3 {
		if o := one(); o.No.Reason != gateway.Failed {
			t.Fatalf("%+v", o.No)
		}
	}
	before := w.Calls()[gateway.Vision]
	if o := one(); o.No.Reason != gateway.Paused || o.No.Attempts != 0 || !o.No.Next.After(now().Add(9*time.Minute)) || c.States()[gateway.Vision] != "open" {
		t.Fatalf("%+v, %s", o.No, c.States()[gateway.Vision])
	}
	if o := ask(t, c, question(t, gateway.Dialysis, "elcin"))[0]; o.Answer == nil {
		t.Errorf("another service pays for it: %+v", o.No)
	}
	if w.Calls()[gateway.Vision] != before {
		t.Error("asked all the same")
	}
	ahead.Add(int64(11 * time.Minute))
	if c.States()[gateway.Vision] != "half-open" {
		t.Error(c.States()[gateway.Vision])
	}
	// One tries, and fails: the others are not sent.
	reasons := map[gateway.Reason]int{}
	var all []gateway.Question
	for range 10 {
		all = append(all, question(t, gateway.Vision, "ebdulrehimxan"))
	}
	for _, o := range ask(t, c, all...) {
		reasons[o.No.Reason]++
	}
	if reasons[gateway.Failed] != 1 || reasons[gateway.Paused] != 9 {
		t.Errorf("half open: %v", reasons)
	}
	w.SetFaults(nil)
	if o := one(); o.No == nil || o.No.Reason != gateway.Paused {
		t.Errorf("a probe that failed closes it: %+v", o)
	}
	ahead.Add(int64(11 * time.Minute))
	if o := one(); o.Answer == nil || c.States()[gateway.Vision] != "closed" {
		t.Errorf("%+v, %s", o.No, c.States()[gateway.Vision])
	}
}

// TestARefusalDoesNotOpenTheBreaker: who refuses one person's question is well.
func TestARefusalDoesNotOpenTheBreaker(t *testing.T) {
	w := build(t, func(s *gateway.Service) { s.Trip = 2 })
	c := w.client(t)
	w.SetFaults([]agencies.Fault{{Kind: agencies.Refusing}})
	for range 5 {
		if o := ask(t, c, question(t, gateway.Vision, "elcin"))[0]; o.No.Reason != gateway.Refused || !strings.HasPrefix(o.No.Detail, "Server.ServerProxy.") {
			t.Fatalf("%+v", o.No)
		}
	}
}

func TestWhatIsNoQuestionIsNotSent(t *testing.T) {
	w := build(t, nil)
	good := question(t, gateway.Vision, "elcin")
	change := func(f func(*gateway.Question)) gateway.Question {
		q := good
		f(&q)
		return q
	}
	w.config.Services = w.config.Services[1:]
	missing := gateway.Registers()[0]
	for name, q := range map[string]gateway.Question{
		"no id":         change(func(q *gateway.Question) { q.ID = "1" }),
		"no case":       change(func(q *gateway.Question) { q.Case = "" }),
		"a case as url": change(func(q *gateway.Question) { q.Case = "../../x" }),
		"other purpose": change(func(q *gateway.Question) { q.Purpose = gateway.Contacting }),
		"no register":   change(func(q *gateway.Question) { q.Register = "income" }),
		"no person":     change(func(q *gateway.Question) { q.Person = "12" }),
		"part seconds":  change(func(q *gateway.Question) { q.Asked = time.Unix(5, 7) }),
		"not named":     change(func(q *gateway.Question) { q.Register = missing }),
	} {
		o := ask(t, w.client(t), q)[0]
		if want := map[bool]gateway.Reason{true: gateway.NotNamed, false: gateway.Malformed}[name == "not named"]; o.No == nil || o.No.Reason != want {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if len(w.Calls()) != 0 {
		t.Error("it was sent")
	}
}

func TestWhatCannotBeWrittenDownIsNeitherAskedNorBelieved(t *testing.T) {
	w := build(t, nil)
	w.log.fails = errors.New("disk full")
	if o := ask(t, w.client(t), question(t, gateway.Vision, "elcin"))[0]; o.No == nil || o.No.Reason != gateway.NotLogged {
		t.Errorf("%+v", o)
	}
	if len(w.Calls()) != 0 {
		t.Error("asked all the same")
	}
	w.log.fails = nil
	late := &lateFailure{memory: w.log}
	w.config.Log = late
	if o := ask(t, w.client(t), question(t, gateway.Vision, "elcin"))[0]; o.No == nil || o.No.Reason != gateway.NotLogged {
		t.Errorf("an answer that is not kept is believed: %+v", o)
	}
}

// lateFailure fails when the answer is there.
type lateFailure struct{ *memory }

func (lateFailure) Answered(context.Context, gateway.Attempt, gateway.Exchange) ([]byte, error) {
	return nil, errors.New("disk full")
}

func TestTheSameQuestionHasTheSameAnswer(t *testing.T) {
	w := build(t, nil)
	q := question(t, gateway.Dialysis, "elcin")
	q.ID = gateway.IDOf(q.Case, q.Register, q.Person, 1)
	first := ask(t, w.client(t), q)[0]
	w.SetFaults([]agencies.Fault{{Kind: agencies.Down}})
	again := ask(t, w.client(t), q)[0]
	if again.Answer == nil || string(again.Answer.Exchange.Bytes()) != string(first.Answer.Exchange.Bytes()) || w.Calls()[gateway.Dialysis] != 1 {
		t.Errorf("%+v", again.No)
	}
	if gateway.IDOf(q.Case, q.Register, q.Person, 2) == q.ID || gateway.IDOf(q.Case, gateway.Vision, q.Person, 1) == q.ID {
		t.Error("two questions have one ID")
	}
}

// TestOnlyNamedHostsAreCalled: a redirect, a proxy of the environment and an address in an answer lead nowhere.
func TestOnlyNamedHostsAreCalled(t *testing.T) {
	var strangers atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	defer stranger.Close()
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, stranger.URL)
	}
	w := build(t, nil)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, stranger.URL+r.URL.Path, http.StatusPermanentRedirect)
	}))
	defer front.Close()
	if o := ask(t, w.client(t), question(t, gateway.Vision, "elcin"))[0]; o.Answer == nil {
		t.Fatalf("%+v", o.No)
	}
	for i := range w.config.Services {
		w.config.Services[i].URL = front.URL
	}
	if o := ask(t, w.client(t), question(t, gateway.Vision, "elcin"))[0]; o.No == nil || o.No.Reason != gateway.Redirected {
		t.Errorf("%+v", o)
	}
	if strangers.Load() != 0 {
		t.Error("somebody was called whom nobody named")
	}
}

func TestConfiguration(t *testing.T) {
	w := build(t, nil)
	for name, change := range map[string]func(*gateway.Config){
		"plain http to elsewhere": func(c *gateway.Config) { c.Services[0].URL = "http://registers.example" },
		"a path":                  func(c *gateway.Config) { c.Services[0].URL = "https://registers.example/x" },
		"a password":              func(c *gateway.Config) { c.Services[0].URL = "https://a:b@registers.example" },
		"a file":                  func(c *gateway.Config) { c.Services[0].URL = "file:///etc/passwd" },
		"another instance":        func(c *gateway.Config) { c.Services[0].ID = "EE/GOV/MOH/REGISTERS/vision" },
		"no identifier":           func(c *gateway.Config) { c.Services[0].ID = "AZ-TEST/GOV/MOH/REG ISTERS/vision" },
		"twice":                   func(c *gateway.Config) { c.Services[1] = c.Services[0] },
		"no register":             func(c *gateway.Config) { c.Services[0].Register = "income" },
		"no log":                  func(c *gateway.Config) { c.Log = nil },
		"another's seal":          func(c *gateway.Config) { s := *c.Seal; s.Member = "EE/GOV/X/Y"; c.Seal = &s },
	} {
		c := w.config
		c.Services = append([]gateway.Service(nil), c.Services...)
		change(&c)
		if _, err := gateway.New(c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// TestARevokedSealStopsAtOnce: a newer trust file counts from the next answer on, and an older one is refused.
func TestARevokedSealStopsAtOnce(t *testing.T) {
	w := build(t, nil)
	c := w.client(t)
	file := w.Keys.Trust.TrustFile
	for _, m := range file.Members {
		if m.ID == agencies.ServiceOf(gateway.Vision).Member() {
			data, err := file.Revoke(certificate(t, m.Seals[0]), time.Now().Add(-time.Minute), "keyCompromise", "stolen").JSON()
			if err != nil {
				t.Fatal(err)
			}
			newer, err := gateway.ParseTrust(data)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Renew(newer); err != nil {
				t.Fatal(err)
			}
		}
	}
	if o := ask(t, c, question(t, gateway.Vision, "elcin"))[0]; o.No == nil || o.No.Reason != gateway.Revoked {
		t.Errorf("%+v", o)
	}
	if err := c.Renew(w.Keys.Trust); err == nil {
		t.Error("an older trust file is taken")
	}
	w.config.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
	if o := ask(t, w.client(t), question(t, gateway.Vision, "elcin"))[0]; o.No == nil || o.No.Reason != gateway.Outdated || o.No.Attempts != 0 {
		t.Errorf("by a trust file of last year: %+v", o.No)
	}
}

// TestBrokenLines: what a network does to a connection is a reason each, and soon.
func TestBrokenLines(t *testing.T) {
	w := build(t, func(s *gateway.Service) {
		s.Attempts, s.Attempt = 1, gateway.Millis(300*time.Millisecond)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var mu sync.Mutex
	var says string
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 8<<10))
				mu.Lock()
				text := says
				mu.Unlock()
				_, _ = io.WriteString(conn, text)
				if text == "" || strings.HasPrefix(text, "HTTP/1.1 200 OK\r\nContent-Length: 100") {
					time.Sleep(time.Second)
				}
			}()
		}
	}()
	for i := range w.config.Services {
		w.config.Services[i].URL = "http://" + l.Addr().String()
	}
	for text, want := range map[string]gateway.Reason{
		"": gateway.TimedOut, "SSH-2.0-OpenSSH\r\n": gateway.Unreachable, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc": gateway.TimedOut,
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc": gateway.Garbage, "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n": gateway.Unreachable,
		"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: 7200\r\n\r\n": gateway.Busy, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n": gateway.Failed,
	} {
		mu.Lock()
		says = text
		mu.Unlock()
		o := ask(t, w.client(t), question(t, gateway.Vision, "elcin"))[0]
		if o.No == nil || o.No.Reason != want {
			t.Errorf("%.40q: %+v", text, o.No)
		} else if want == gateway.Busy && o.No.Next.Before(time.Now().Add(time.Hour)) {
			t.Errorf("it said when to come again: %s", o.No.Next)
		}
	}
}

// TestGone: who stops asking gets every outcome at once, and what was sent stands in the log.
func TestGone(t *testing.T) {
	w := build(t, nil)
	w.SetFaults([]agencies.Fault{{Kind: agencies.Slow, Delay: gateway.Millis(time.Minute)}})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	for _, o := range w.client(t).Ask(ctx, []gateway.Question{question(t, gateway.Vision, "elcin"), question(t, gateway.Dialysis, "elcin")}) {
		if o.No == nil || o.No.Reason != gateway.Broken {
			t.Errorf("%+v", o)
		}
	}
	if r := w.log.reasons(); len(r) != 2 || r[0] != gateway.Broken {
		t.Errorf("%v", r)
	}
}

// TestNothingOfTheNeighbourIsKept: neither in the outcome nor in the log.
func TestNothingOfTheNeighbourIsKept(t *testing.T) {
	w := build(t, nil)
	w.SetFaults([]agencies.Fault{{Kind: agencies.WrongPerson}})
	o := ask(t, w.client(t), question(t, gateway.Episodes, "nermin"))[0]
	if o.No == nil || strings.Contains(o.No.Detail, string(people.Who("nermin").FIN)) || w.log.past[o.Question.ID].Exchange != nil {
		t.Errorf("%+v", o)
	}
}

// TestLinesWithCertificates: over https who is not known is not asked, and where both must show a certificate both do.
func TestLinesWithCertificates(t *testing.T) {
	w := build(t, func(s *gateway.Service) { s.Attempts = 1 })
	line := httptest.NewUnstartedServer(w.Server)
	line.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	line.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail, as they must
	line.StartTLS()
	defer line.Close()
	for i := range w.config.Services {
		w.config.Services[i].URL = line.URL
	}
	one := func() gateway.Outcome { return ask(t, w.client(t), question(t, gateway.Vision, "elcin"))[0] }
	if o := one(); o.No == nil || o.No.Reason != gateway.Unreachable {
		t.Errorf("a stranger's server: %+v", o)
	}
	w.config.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
	w.config.TLS.RootCAs.AddCert(line.Certificate())
	if o := one(); o.No == nil || o.No.Reason != gateway.Unreachable {
		t.Errorf("without our certificate: %+v", o)
	}
	w.config.TLS.Certificates = line.TLS.Certificates
	if o := one(); o.Answer == nil {
		t.Errorf("%+v", o.No)
	}
}

func certificate(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A correction is asked of who keeps the register, sealed as any question is; the answer is one ruling, and nothing of the person's
// words can be changed without the seal breaking.
func TestACorrectionIsAskedAndRuled(t *testing.T) {
	w := build(t, nil)
	first := question(t, gateway.Dialysis, "gunay")
	q := question(t, gateway.Dialysis.Correction(), "gunay")
	for want, d := range map[string]gateway.Dispute{
		gateway.RuledCorrected: {Answer: first.ID, Wrong: "never-was", Words: "Mən heç vaxt dializ almamışam"},
		gateway.RuledRefused:   {Answer: first.ID, Wrong: "missing", Words: "2019-cu il çatışmır"},
	} {
		var err error
		if q.ID, err = gateway.NewID(rand.Reader); err != nil {
			t.Fatal(err)
		}
		q.Dispute = d
		o := ask(t, w.client(t), q)[0]
		if o.Answer == nil || len(o.Answer.Facts.Ruling) != 1 || o.Answer.Facts.Ruling[0].Outcome != want {
			t.Errorf("%s: %+v", want, o)
		}
	}
	for _, kind := range []agencies.Kind{agencies.Later, agencies.Denies} {
		w.SetFaults([]agencies.Fault{{Kind: kind}})
		q.ID, _ = gateway.NewID(rand.Reader)
		o := ask(t, w.client(t), q)[0]
		if want := map[agencies.Kind]string{agencies.Later: gateway.RuledLater, agencies.Denies: gateway.RuledRefused}[kind]; o.Answer == nil || o.Answer.Facts.Ruling[0].Outcome != want {
			t.Errorf("%s: %+v", kind, o)
		}
	}
	for _, kind := range []agencies.Kind{agencies.Down, agencies.BadSignature, agencies.WrongPerson, agencies.UnknownField, agencies.Contradictory, agencies.WrongHash} {
		w.SetFaults([]agencies.Fault{{Kind: kind}})
		q.ID, _ = gateway.NewID(rand.Reader)
		if o := ask(t, w.client(t), q)[0]; o.Answer != nil {
			t.Errorf("%s is taken for an answer", kind)
		}
	}
	w.SetFaults(nil)
	for what, wrong := range map[string]func(*gateway.Question){
		"no words":         func(q *gateway.Question) { q.Dispute.Words = "" },
		"an unknown code":  func(q *gateway.Question) { q.Dispute.Wrong = "all" },
		"no answer":        func(q *gateway.Question) { q.Dispute.Answer = "" },
		"no correction":    func(q *gateway.Question) { q.Register, q.Purpose = gateway.Dialysis, gateway.Assessment },
		"no such register": func(q *gateway.Question) { q.Register = "correctnothing" },
	} {
		x := q
		x.ID, _ = gateway.NewID(rand.Reader)
		wrong(&x)
		if o := ask(t, w.client(t), x)[0]; o.No == nil || o.No.Reason != gateway.Malformed {
			t.Errorf("%s: %+v", what, o)
		}
	}
}
