package gatewaydb_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/gateway/gatewaydb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Casework)
}

// town is the agencies, a log in PostgreSQL and a time-stamp authority.
type town struct {
	*agencies.Server
	db      *pgtest.DB
	log     gatewaydb.Log
	stamper gatewaydb.Stamper
	config  gateway.Config
	url     string
}

var world = sync.OnceValue(func() *agencies.World { return agencies.NewWorld(1, 40, tesdiq.DateOf(time.Now())) })

func build(t testing.TB) *town {
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
	w := &town{db: pgtest.Open(t), Server: &agencies.Server{World: world(), Keys: k, Now: time.Now, Rand: rand.Reader}}
	server := httptest.NewServer(w.Server)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.log = gatewaydb.Log{Pool: w.db.Pool(postgres.Casework)}
	authority := set.Authority(rand.Reader)
	w.stamper = gatewaydb.Stamper{Log: w.log, Now: time.Now, Authority: tsp.Client{Roots: roots, Now: time.Now, Rand: rand.Reader,
		Ask: func(_ context.Context, r []byte) ([]byte, error) { return authority.Reply(r, time.Now()) }}}
	services := agencies.Services(server.URL)
	for i := range services {
		services[i].Pause, services[i].Trip = gateway.Millis(time.Millisecond), 1000
	}
	w.config = gateway.Config{Seal: k.Asker, Trust: k.Trust, Services: services, Log: w.log, Now: time.Now, Rand: rand.Reader}
	return w
}

func (w *town) client(t testing.TB) *gateway.Client {
	t.Helper()
	c, err := gateway.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open makes a case, which is not this package's to make.
func (w *town) open(t testing.TB, who string) (number string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), w.db.Admin, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SET LOCAL session_replication_role = replica"); err != nil {
			return err
		}
		return tx.QueryRow(t.Context(), `
			INSERT INTO cases (number, procedure, kind, subject, opened_at, law_on, request, seq, state)
			SELECT 'T-2026-' || lpad((1 + count(*))::text, 6, '0'), 'tseras', 'assessment', $1, now(), current_date, gen_random_uuid()::text, 1, 'gathering' FROM cases
			RETURNING number`, people.Who(who).FIN).Scan(&number)
	})
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func ask(number string, r gateway.Register, who string) gateway.Question {
	fin := people.Who(who).FIN
	return gateway.Question{ID: gateway.IDOf(number, r, fin, 1), Case: number, Register: r, Person: fin}
}

func all(number, who string) (questions []gateway.Question) {
	for _, r := range gateway.Registers() {
		questions = append(questions, ask(number, r, who))
	}
	return questions
}

func TestAnExchangeIsKeptAndStamped(t *testing.T) {
	w := build(t)
	number := w.open(t, "elcin")
	outcomes := w.client(t).Ask(t.Context(), all(number, "elcin"))
	for _, o := range outcomes {
		if o.Answer == nil {
			t.Fatalf("%s: %+v", o.Question.Register, o.No)
		}
	}
	bare, err := w.log.Evidence(t.Context(), number, outcomes[0].Question.ID)
	if err != nil || !gateway.IsExchange(bare) {
		t.Fatalf("before the time stamp: %v", err)
	}
	for _, want := range []int{7, 5, 0} {
		if n, err := w.stamper.Stamp(t.Context(), 7); err != nil || n != want {
			t.Fatalf("%d stamped, not %d: %v", n, want, err)
		}
	}
	for _, o := range outcomes {
		file, err := w.log.Evidence(t.Context(), number, o.Question.ID)
		if err != nil {
			t.Fatal(err)
		}
		e, err := gateway.ParseEvidence(file)
		if err != nil {
			t.Fatal(err)
		}
		v, err := w.Keys.Trust.Verify(e)
		if err != nil || v.Question != o.Question || v.Answer.Found != o.Answer.Found {
			t.Errorf("%s: %v", o.Question.Register, err)
		}
	}
	lines, err := w.log.OfCase(t.Context(), number)
	if err != nil || len(lines) != len(outcomes) {
		t.Fatalf("%d lines: %v", len(lines), err)
	}
	for _, l := range lines {
		if l.Answered == nil || l.Stamped == nil || l.Attempts != 1 || *l.Reason != "" || l.Service != agencies.ServiceOf(l.Register) {
			t.Errorf("%+v", l)
		}
	}
}

// TestNobodySeesTheExchangesOfAnotherCase reads contents in every way that the role has.
func TestNobodySeesTheExchangesOfAnotherCase(t *testing.T) {
	w := build(t)
	one, other := w.open(t, "elcin"), w.open(t, "nermin")
	c := w.client(t)
	mine := c.Ask(t.Context(), []gateway.Question{ask(one, gateway.Dialysis, "elcin")})[0]
	c.Ask(t.Context(), []gateway.Question{ask(other, gateway.Episodes, "nermin")})
	if _, err := w.log.Evidence(t.Context(), other, mine.Question.ID); err != gatewaydb.ErrMissing {
		t.Errorf("through another case: %v", err)
	}
	pool := w.db.Pool(postgres.Casework)
	count := func(set string) (n int) {
		err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "SELECT set_config('tesdiq.case', $1, true)", set); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), "SELECT count(*) FROM gateway_exchanges").Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if count(one) != 1 || count(other) != 1 || count("") != 0 || count("%") != 0 {
		t.Error("a statement sees other rows than its case's")
	}
	var n int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM gateway_exchanges").Scan(&n); err != nil || n != 0 {
		t.Errorf("without a case %d rows are seen: %v", n, err)
	}
	for _, statement := range []string{"UPDATE gateway_answers SET leaf = leaf", "DELETE FROM gateway_exchanges", "UPDATE gateway_questions SET person = person",
		"DELETE FROM gateway_attempts", "TRUNCATE gateway_stamps", "ALTER TABLE gateway_exchanges DISABLE ROW LEVEL SECURITY"} {
		if _, err := pool.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	for _, role := range postgres.Roles() {
		if role == postgres.Casework {
			continue
		}
		for _, table := range []string{"gateway_questions", "gateway_attempts", "gateway_answers", "gateway_exchanges", "gateway_stamps", "gateway_stamped"} {
			if _, err := w.db.Pool(role).Exec(t.Context(), "SELECT FROM "+table); err == nil || !strings.Contains(err.Error(), "42501") {
				t.Errorf("%s reads %s: %v", role, table, err)
			}
		}
	}
}

func TestAQuestionIsAskedOnceAndHasOneAnswer(t *testing.T) {
	w := build(t)
	number := w.open(t, "elcin")
	q := ask(number, gateway.Dialysis, "elcin")
	w.SetFaults([]agencies.Fault{{Kind: agencies.Slow, Delay: gateway.Millis(50 * time.Millisecond)}})
	var wait sync.WaitGroup
	answers := make([]gateway.Outcome, 20)
	for i := range answers {
		wait.Go(func() { answers[i] = w.client(t).Ask(t.Context(), []gateway.Question{q})[0] })
	}
	wait.Wait()
	kept, err := w.log.Evidence(t.Context(), number, q.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range answers {
		if o.Answer == nil || string(o.Answer.Exchange.Bytes()) != string(kept) {
			t.Errorf("%d got another answer than the one that is kept: %+v", i, o.No)
		}
	}
	before := w.Calls()[gateway.Dialysis]
	if o := w.client(t).Ask(t.Context(), []gateway.Question{q})[0]; o.Answer == nil || string(o.Answer.Exchange.Bytes()) != string(kept) {
		t.Errorf("asked again: %+v", o)
	}
	if w.Calls()[gateway.Dialysis] != before {
		t.Error("what is answered is asked again")
	}
	other := q
	other.Since = tesdiq.NewDate(2020, 1, 1)
	if o := w.client(t).Ask(t.Context(), []gateway.Question{other})[0]; o.No == nil || o.No.Reason != gateway.Malformed {
		t.Errorf("another question under the same ID: %+v", o)
	}
}

func TestWithoutACaseNobodyIsAsked(t *testing.T) {
	w := build(t)
	o := w.client(t).Ask(t.Context(), all("T-2026-999999", "elcin"))
	for _, x := range o {
		if x.No == nil || x.No.Reason != gateway.NotLogged {
			t.Errorf("%+v", x)
		}
	}
	if calls := w.Calls(); len(calls) != 0 {
		t.Errorf("asked all the same: %v", calls)
	}
}

// TestAfterACrash asks again what was asked before a crash: under the same ID, with the day on which it was asked first.
func TestAfterACrash(t *testing.T) {
	w := build(t)
	number := w.open(t, "elcin")
	ctx, kill := context.WithCancel(t.Context())
	w.SetFaults([]agencies.Fault{{Kind: agencies.Slow, Delay: gateway.Millis(time.Minute)}})
	gone := make(chan []gateway.Outcome)
	go func() { gone <- w.client(t).Ask(ctx, all(number, "elcin")) }()
	for len(w.Calls()) < len(gateway.Registers()) {
		time.Sleep(5 * time.Millisecond)
	}
	kill()
	for _, o := range <-gone {
		if o.No == nil || o.No.Reason != gateway.Broken {
			t.Errorf("%+v", o)
		}
	}
	w.SetFaults(nil)
	open, err := w.log.Unanswered(t.Context(), []string{number, "T-2026-000777"})
	if err != nil || len(open) != len(gateway.Registers()) {
		t.Fatalf("%d unanswered: %v", len(open), err)
	}
	silent, err := w.log.Silent(t.Context(), time.Now().Add(-time.Hour))
	if err != nil || len(silent) != len(gateway.Registers()) || silent[0].N != 1 {
		t.Errorf("%+v, %v", silent, err)
	}
	for i, o := range w.client(t).Ask(t.Context(), open) {
		if o.Answer == nil || o.Question.ID != open[i].ID || !o.Question.Asked.Equal(open[i].Asked) {
			t.Errorf("%+v", o)
		}
	}
	lines, err := w.log.OfCase(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.Attempts != 2 || l.Answered == nil {
			t.Errorf("%+v", l)
		}
	}
}

// TestKilledConnections cuts the database's connections while many ask: nothing that was told is missing afterwards, and nobody is told what is not kept.
func TestKilledConnections(t *testing.T) {
	w := build(t)
	var numbers []string
	for _, a := range people.Cast {
		numbers = append(numbers, w.open(t, a.Key))
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for ctx.Err() == nil {
			_, _ = w.db.Admin.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tesdiq_casework' AND random() < 0.3")
			time.Sleep(7 * time.Millisecond)
		}
	}()
	told := map[string]string{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i, a := range people.Cast {
		wait.Go(func() {
			for round := range 6 {
				for _, o := range w.client(t).Ask(t.Context(), all(numbers[i], a.Key)) {
					mu.Lock()
					if o.Answer != nil {
						body := string(o.Answer.Exchange.Bytes())
						if before, ok := told[o.Question.ID]; ok && before != body {
							t.Errorf("round %d: told twice, and not the same", round)
						}
						told[o.Question.ID] = body
					} else if o.No.Reason != gateway.NotLogged {
						t.Errorf("%+v", o.No)
					}
					mu.Unlock()
				}
			}
		})
	}
	wait.Wait()
	stop()
	if len(told) == 0 {
		t.Fatal("nothing was told at all")
	}
	missing := 0
	for i := range numbers {
		lines, err := w.log.OfCase(t.Context(), numbers[i])
		for try := 0; err != nil && try < 20; try++ { // the last killed connection may still be in the pool
			lines, err = w.log.OfCase(t.Context(), numbers[i])
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			body, ok := told[l.ID]
			if !ok {
				continue
			}
			delete(told, l.ID)
			kept, err := w.log.Evidence(t.Context(), numbers[i], l.ID)
			if err != nil || string(kept) != body {
				missing++
			}
		}
	}
	if missing > 0 || len(told) > 0 {
		t.Errorf("%d answers that were told are not kept as told, %d not at all", missing, len(told))
	}
}

// TestAClockThatIsSetBack: an attempt that ended before it began is written down all the same.
func TestAClockThatIsSetBack(t *testing.T) {
	w := build(t)
	number := w.open(t, "elcin")
	var calls int
	w.config.Now = func() time.Time {
		calls++
		return time.Now().Add(-time.Duration(calls) * 200 * time.Millisecond)
	}
	w.SetFaults([]agencies.Fault{{Kind: agencies.Refusing}})
	o := w.client(t).Ask(t.Context(), []gateway.Question{ask(number, gateway.Dialysis, "elcin")})[0]
	if o.No == nil || o.No.Reason != gateway.Refused {
		t.Errorf("%+v", o)
	}
}

func BenchmarkAskAndKeep(b *testing.B) {
	w := build(b)
	number := w.open(b, "elcin")
	c := w.client(b)
	for i := 0; b.Loop(); i++ {
		q := ask(number, gateway.Dialysis, "elcin")
		q.ID = gateway.IDOf(fmt.Sprint(i), gateway.Dialysis, q.Person, 1)
		if o := c.Ask(b.Context(), []gateway.Question{q})[0]; o.Answer == nil {
			b.Fatalf("%+v", o.No)
		}
	}
}
