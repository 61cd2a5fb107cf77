package gateway_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

// memory is a log that lasts as long as the test: what gatewaydb does in PostgreSQL.
type memory struct {
	mu    sync.Mutex
	past  map[string]gateway.Past
	tried []gateway.Attempt
	fails error // of everything
}

func (m *memory) Asked(_ context.Context, all []gateway.Asking) (past []gateway.Past, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.past == nil {
		m.past = map[string]gateway.Past{}
	}
	for _, q := range all {
		if _, ok := m.past[q.ID]; !ok {
			m.past[q.ID] = gateway.Past{Asked: q.Asked}
		}
		past = append(past, m.past[q.ID])
	}
	return past, m.fails
}

func (m *memory) Tried(_ context.Context, all []gateway.Attempt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range all {
		m.note(a)
	}
	return m.fails
}

func (m *memory) note(a gateway.Attempt) {
	m.tried = append(m.tried, a)
	p := m.past[a.Question]
	p.Attempts = a.Number
	m.past[a.Question] = p
}

func (m *memory) Answered(_ context.Context, a gateway.Attempt, x gateway.Exchange) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fails != nil {
		return nil, m.fails
	}
	m.note(a)
	p := m.past[a.Question]
	p.Exchange = x.Bytes()
	m.past[a.Question] = p
	return nil, nil
}

func (m *memory) reasons() (all []gateway.Reason) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.tried {
		all = append(all, a.Reason)
	}
	return all
}

// town is the agencies on a free port, a gateway before them, and a time-stamp authority.
type town struct {
	*agencies.Server
	log       *memory
	config    gateway.Config
	authority tsp.Client
	set       *signer.Set
	url       string
}

var world = sync.OnceValue(func() *agencies.World { return agencies.NewWorld(1, 400, tesdiq.DateOf(time.Now())) })

func build(t testing.TB, change func(*gateway.Service)) *town {
	t.Helper()
	set, err := signer.NewThrowawayAt(rand.Reader, time.Now().Add(-time.Hour), "http://localhost")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	k, err := agencies.Open(t.TempDir(), roots.PEM(), time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := &town{log: &memory{}, set: set, Server: &agencies.Server{World: world(), Keys: k, Now: time.Now, Rand: rand.Reader}}
	server := httptest.NewServer(w.Server)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.authority = stamper(set, roots)
	services := agencies.Services(server.URL)
	for i := range services {
		services[i].Pause, services[i].Trip = gateway.Millis(time.Millisecond), 1000
		if change != nil {
			change(&services[i])
		}
	}
	w.config = gateway.Config{Seal: k.Asker, Trust: k.Trust, Services: services, Log: w.log, Now: time.Now, Rand: rand.Reader}
	return w
}

// stamper asks the authority of a set as if it were elsewhere.
func stamper(set *signer.Set, roots *keys.Roots) tsp.Client {
	a := set.Authority(rand.Reader)
	return tsp.Client{Roots: roots, Now: time.Now, Rand: rand.Reader, Ask: func(_ context.Context, request []byte) ([]byte, error) { return a.Reply(request, time.Now()) }}
}

func (w *town) client(t testing.TB) *gateway.Client {
	t.Helper()
	c, err := gateway.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func question(t testing.TB, r gateway.Register, who string) gateway.Question {
	t.Helper()
	id, err := gateway.NewID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return gateway.Question{ID: id, Case: "T-2026-000123", Register: r, Person: people.Who(who).FIN}
}

// evidence asks about somebody and has the exchange stamped, among others.
func (w *town) evidence(t testing.TB, r gateway.Register, who string, others int) gateway.Evidence {
	t.Helper()
	o := w.client(t).Ask(t.Context(), []gateway.Question{question(t, r, who)})[0]
	if o.Answer == nil {
		t.Fatalf("%+v", o.No)
	}
	leaves := [][sha256.Size]byte{o.Answer.Exchange.Leaf()}
	for i := range others {
		leaves = append(leaves, sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	leaves[0], leaves[others/2] = leaves[others/2], leaves[0]
	all, err := gateway.StampAll(t.Context(), w.authority, leaves)
	if err != nil {
		t.Fatal(err)
	}
	return gateway.Evidence{Exchange: o.Answer.Exchange, Stamp: all[others/2]}
}

func TestEvidenceIsCheckedWithTheTrustFileAlone(t *testing.T) {
	w := build(t, nil)
	file, err := w.Keys.Trust.JSON()
	if err != nil {
		t.Fatal(err)
	}
	trust, err := gateway.ParseTrust(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, others := range []int{0, 1, 2, 6, 30} {
		e, err := gateway.ParseEvidence(w.evidence(t, gateway.Dialysis, "elcin", others).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		v, err := trust.Verify(e)
		if err != nil {
			t.Fatalf("among %d: %v", others, err)
		}
		if v.Question.Case != "T-2026-000123" || v.Client != agencies.Asker || v.Service != agencies.ServiceOf(gateway.Dialysis) ||
			len(v.Answer.Facts.Dialysis) != 1 || time.Since(v.Stamped) > time.Minute {
			t.Errorf("%+v", v)
		}
	}
}

// TestEveryByteOfEvidence changes each byte of a file and cuts it everywhere: none is ever verified.
func TestEveryByteOfEvidence(t *testing.T) {
	w := build(t, nil)
	file := w.evidence(t, gateway.Population, "leman", 3).Bytes()
	check := func(data []byte) error {
		e, err := gateway.ParseEvidence(data)
		if err == nil {
			_, err = w.Keys.Trust.Verify(e)
		}
		return err
	}
	if err := check(file); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for i := range file {
		changed := append([]byte(nil), file...)
		changed[i] ^= []byte{1, 0x20, 2, 4}[i%4]
		if check(changed) == nil {
			accepted++
			t.Logf("byte %d of %d, %q → %q, in …%s…", i, len(file), file[i], changed[i], file[max(0, i-30):min(len(file), i+10)])
		}
		if check(file[:i]) == nil {
			t.Errorf("cut at %d, and accepted", i)
		}
	}
	if accepted > 0 {
		t.Errorf("%d changed files were accepted", accepted)
	}
	for _, twin := range []string{" " + string(file), string(file) + "\n", strings.Replace(string(file), `"format"`, `"format":"tesdiq-evidence-1","format"`, 1)} {
		if check([]byte(twin)) == nil {
			t.Error("another spelling is accepted")
		}
	}
}
