package agencies_test

import (
	"context"
	"crypto/rand"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
)

// memory is a log that lasts as long as the test: what gatewaydb does in PostgreSQL.
type memory struct {
	mu    sync.Mutex
	past  map[string]gateway.Past
	tried []gateway.Attempt
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
	return past, nil
}

func (m *memory) Tried(_ context.Context, all []gateway.Attempt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range all {
		m.note(a)
	}
	return nil
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
	m.note(a)
	p := m.past[a.Question]
	p.Exchange = x.Bytes()
	m.past[a.Question] = p
	return nil, nil
}

// bench is the agencies on a free port, and a gateway before them.
type bench struct {
	*agencies.Server
	log    *memory
	client *gateway.Client
	url    string
}

func start(t testing.TB, change func(*gateway.Service)) *bench {
	t.Helper()
	now := time.Now()
	keys, err := agencies.Open(t.TempDir(), nil, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{log: &memory{}, Server: &agencies.Server{World: agencies.NewWorld(1, 400, tesdiq.DateOf(now)), Keys: keys, Now: time.Now, Rand: rand.Reader}}
	server := httptest.NewServer(b.Server)
	t.Cleanup(server.Close)
	b.url = server.URL
	services := agencies.Services(server.URL)
	for i := range services {
		services[i].Pause, services[i].Trip = gateway.Millis(time.Millisecond), 1000
		if change != nil {
			change(&services[i])
		}
	}
	b.client, err = gateway.New(gateway.Config{Seal: keys.Asker, Trust: keys.Trust, Services: services, Log: b.log, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func question(t testing.TB, r gateway.Register, who string) gateway.Question {
	t.Helper()
	id, err := gateway.NewID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return gateway.Question{ID: id, Case: "T-2026-000123", Register: r, Person: people.Who(who).FIN}
}

func TestEveryRegisterAnswersForEverybody(t *testing.T) {
	b := start(t, nil)
	found := map[gateway.Register]int{}
	for _, a := range people.Cast {
		var all []gateway.Question
		for _, r := range gateway.Registers() {
			all = append(all, question(t, r, a.Key))
		}
		for i, o := range b.client.Ask(t.Context(), all) {
			if o.No != nil || o.Answer == nil {
				t.Fatalf("%s of %s: %+v", all[i].Register, a.Key, o.No)
			}
			if o.Answer.Found {
				found[all[i].Register]++
			}
		}
	}
	for _, r := range gateway.Registers() {
		if found[r] == 0 && r != gateway.Tuberculosis { // which nobody of the cast has
			t.Errorf("%s has nothing about anybody", r)
		}
	}
}

func TestFaults(t *testing.T) {
	want := map[agencies.Kind]gateway.Reason{
		agencies.Down: gateway.Unreachable, agencies.Busy: gateway.Busy, agencies.Failing: gateway.Failed, agencies.Refusing: gateway.Refused,
		agencies.Redirecting: gateway.Redirected, agencies.Half: gateway.Truncated, agencies.Endless: gateway.TooLarge, agencies.Garbage: gateway.Garbage,
		agencies.HTML: gateway.Garbage, agencies.Unsigned: gateway.Unsigned, agencies.BadSignature: gateway.BadSignature, agencies.Stranger: gateway.Stranger,
		agencies.Expired: gateway.OutOfTime, agencies.Revoked: gateway.Revoked, agencies.OtherMember: gateway.Stranger, agencies.WrongID: gateway.Replayed,
		agencies.WrongHash: gateway.WrongHash, agencies.WrongCase: gateway.WrongCase, agencies.WrongPerson: gateway.WrongPerson,
		agencies.WrongService: gateway.WrongService, agencies.WrongClient: gateway.WrongClient, agencies.UnknownField: gateway.UnknownField,
		agencies.MissingField: gateway.WrongSchema, agencies.Twice: gateway.WrongSchema, agencies.OtherSchema: gateway.WrongSchema,
		agencies.Future: gateway.FutureDate, agencies.FutureState: gateway.FutureDate, agencies.Stale: gateway.Stale, agencies.Replay: gateway.Replayed,
		agencies.Early: gateway.Replayed, agencies.Contradictory: gateway.Contradictory, agencies.Slow: gateway.TimedOut,
	}
	b := start(t, func(s *gateway.Service) { s.Attempts, s.Attempt = 1, gateway.Millis(time.Second) })
	if o := b.client.Ask(t.Context(), []gateway.Question{question(t, gateway.Dialysis, "elcin")}); o[0].Answer == nil {
		t.Fatalf("without a fault: %+v", o[0].No)
	}
	for _, k := range agencies.Kinds {
		t.Run(string(k), func(t *testing.T) {
			b.SetFaults([]agencies.Fault{{Kind: k, Delay: gateway.Millis(3 * time.Second)}})
			o := b.client.Ask(t.Context(), []gateway.Question{question(t, gateway.Dialysis, "elcin")})[0]
			switch reason, bad := want[k]; {
			case !bad:
				if o.Answer == nil || o.No != nil {
					t.Fatalf("%+v", o.No)
				}
			case o.Answer != nil || o.No == nil:
				t.Fatal("it was accepted")
			case o.No.Reason != reason:
				t.Errorf("%s (%s), not %s", o.No.Reason, o.No.Detail, reason)
			case o.No.Since.IsZero() || !o.No.Next.After(time.Now()) || o.No.Attempts != 1:
				t.Errorf("%+v", o.No)
			}
		})
	}
}
