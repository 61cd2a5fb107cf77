package issuerdb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
)

// freezer stops a dispatcher for good at one point of one step, as a killed process stops: from then on no step of it
// begins or ends. Thawed, it goes on as a process would that had only slept, while others did its work.
type freezer struct {
	step   issuer.Step
	ended  bool
	frozen chan struct{}
	thaw   chan struct{}
	once   sync.Once
	dead   atomic.Bool
}

func (f *freezer) trace(step issuer.Step, ended bool) {
	if step == f.step && ended == f.ended {
		f.once.Do(func() { f.dead.Store(true); close(f.frozen) })
	}
	if f.dead.Load() {
		<-f.thaw
	}
}

// R2: the process dies before and after each named step; another one finishes.
func TestACrashAtEachStepLosesAndDoublesNothing(t *testing.T) {
	for _, step := range []issuer.Step{issuer.Claim, issuer.Attest, issuer.Render, issuer.Lint, issuer.Sign, issuer.Check, issuer.Store} {
		for _, ended := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s ended=%v", step, ended), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.listen()
				f := &freezer{step: step, ended: ended, frozen: make(chan struct{}), thaw: make(chan struct{})}
				dying := w.dispatcher()
				dying.Maker.Trace = f.trace
				stop := w.run(dying)
				people := map[issuer.Number]tesdiq.FIN{}
				for range 3 {
					fin, number := w.person("Quliyeva")
					people[w.ask(fin, request(number))] = fin
				}
				select {
				case <-f.frozen:
				case <-time.After(time.Minute):
					t.Fatal("the step was never reached")
				}
				w.run(w.dispatcher())
				files := map[issuer.Number]issuer.File{}
				for n, fin := range people {
					if s := w.wait(fin, n).State(today); s != issuer.InForce {
						t.Errorf("%s is %s", n, s)
					}
					var err error
					if files[n], err = w.cabinet.File(t.Context(), fin, n); err != nil {
						t.Fatal(err)
					}
				}
				close(f.thaw)
				stop()
				for n, fin := range people {
					after, err := w.cabinet.File(t.Context(), fin, n)
					if err != nil || after.SHA256 != files[n].SHA256 {
						t.Errorf("%s: another file than was handed out (%v)", n, err)
					}
				}
				w.consistent()
			})
		}
	}
}

// A crash at each attempt is not tried for ever: the sweep says so to the person.
func TestAfterTooManyCrashesTheIntentIsVoid(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Quliyeva")
	n := w.ask(fin, request(number))
	w.exec(`INSERT INTO attempts SELECT id, k, $1 FROM intents, generate_series(1, $2::int) k`, now().Add(-time.Hour), issuer.MaxAttempts)
	w.run(w.dispatcher())
	item := w.wait(fin, n)
	if item.State(today) != issuer.Void || issuer.VoidReason(*item.VoidReason) != issuer.Failed {
		t.Errorf("state %s", item.State(today))
	}
	if w.keys.calls.Load() != 0 {
		t.Error("one attempt too many called the key")
	}
	w.consistent()
}

// An attempt whose lease is not over is somebody's at work.
func TestAYoungAttemptIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Quliyeva")
	n := w.ask(fin, request(number))
	w.exec(`INSERT INTO attempts SELECT id, 1, $1 FROM intents`, now())
	d := w.dispatcher()
	d.Lease = time.Hour
	stop := w.run(d)
	time.Sleep(200 * time.Millisecond) // four polls
	stop()
	if got := w.count(`SELECT count(*) FROM attempts`); got != 1 {
		t.Errorf("%d attempts", got)
	}
	w.run(w.dispatcher())
	w.wait(fin, n)
	w.consistent()
}

// cutter is a network that breaks at a commit: either the server never hears of it, or its answer is lost.
type cutter struct {
	armed atomic.Int64 // how many of the next commits are cut
	cuts  atomic.Int64
}

func (c *cutter) pool(t *testing.T, w *world, role postgres.Role) *pgxpool.Pool {
	t.Helper()
	config := w.db.Pool(role).Config().Copy()
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return &cutConn{Conn: conn, cutter: c}, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

type cutConn struct {
	net.Conn
	cutter *cutter
}

func (c *cutConn) Write(b []byte) (int, error) {
	if !bytes.Contains(b, []byte("commit\x00")) || c.cutter.armed.Add(-1) < 0 {
		return c.Conn.Write(b)
	}
	c.cutter.cuts.Add(1)
	if rand.N(2) == 0 {
		if _, err := c.Conn.Write(b); err != nil {
			return 0, err
		}
		time.Sleep(rand.N(2 * time.Millisecond)) // so that the server may be before, in or after it
	}
	c.Conn.Close()
	return 0, errors.New("the cable was cut")
}

// R5: the connection is lost exactly during COMMIT. The same request again gets the same number, and nothing twice.
func TestACommitCutMidwayIsRepeated(t *testing.T) {
	w := newWorld(t)
	w.listen()
	asking, storing := &cutter{}, &cutter{}
	w.cabinet.Pool = asking.pool(t, w, postgres.Cabinet)
	d := w.dispatcher()
	d.Pool = storing.pool(t, w, postgres.Issuer)
	w.run(d)
	fin, number := w.person("Quliyeva")
	const times = 60
	for range times {
		r := request(number)
		asking.armed.Store(1)
		storing.armed.Store(1)
		first := w.ask(fin, r)
		if second := w.ask(fin, r); second != first {
			t.Fatalf("%s, then %s", first, second)
		}
		if s := w.wait(fin, first).State(today); s != issuer.InForce {
			t.Fatalf("%s is %s", first, s)
		}
	}
	if n := asking.cuts.Load(); n < times {
		t.Errorf("only %d of %d commits of requests were cut", n, times)
	}
	if n := storing.cuts.Load(); n < times/2 {
		t.Errorf("only %d commits of the store were cut", n)
	}
	if n := w.count(`SELECT count(*) FROM intents`); n != times {
		t.Errorf("%d intents for %d requests", n, times)
	}
	w.consistent()
}

// R1 and R3 in short form: twenty clients draw while every connection to the server is killed again and again.
func TestNothingIsLostWhenConnectionsAreKilled(t *testing.T) {
	w := newWorld(t)
	w.listen()
	for range 2 {
		d := w.dispatcher()
		d.Lease = time.Second // so that the attempts outlast the storm also on a slow machine
		w.run(d)
	}
	const clients, each = 20, 8
	type person struct {
		fin    tesdiq.FIN
		number string
	}
	people := make([]person, clients)
	for i := range people {
		people[i].fin, people[i].number = w.person("Quliyeva")
	}
	ctx, stop := context.WithCancel(t.Context())
	var killer, drawing sync.WaitGroup
	kills := 0
	killer.Go(func() {
		// Not longer than this: where a step takes longer than the connections live, nothing would ever be done.
		for end := time.Now().Add(10 * time.Second); ctx.Err() == nil && time.Now().Before(end); {
			time.Sleep(rand.N(120 * time.Millisecond))
			var n int
			err := w.db.Admin.QueryRow(context.WithoutCancel(ctx), `
				SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND usename IN ('tesdiq_cabinet', 'tesdiq_issuer')`).Scan(&n)
			if err != nil {
				t.Error(err)
				return
			}
			kills += n
		}
	})
	var mu sync.Mutex
	acknowledged := map[issuer.Number]issuer.File{}
	for _, p := range people {
		drawing.Go(func() {
			for range each {
				n, f, err := draw(w, p.fin, request(p.number))
				if err != nil {
					t.Errorf("drawing: %v", err)
					return
				}
				mu.Lock()
				if _, twice := acknowledged[n]; twice {
					t.Errorf("%s was handed out twice", n)
				}
				acknowledged[n] = f
				mu.Unlock()
			}
		})
	}
	drawing.Wait()
	stop()
	killer.Wait()
	t.Logf("%d connections were killed", kills)
	if kills < clients {
		t.Errorf("only %d connections were killed", kills)
	}
	if n := w.count(`SELECT count(*) FROM excerpts`); n != clients*each || len(acknowledged) != n {
		t.Errorf("%d excerpts, %d acknowledged, %d drawn", n, len(acknowledged), clients*each)
	}
	rows := w.rows(`SELECT x.number, f.sha256 FROM excerpts x JOIN excerpt_files f ON f.excerpt_id = x.id`)
	var number issuer.Number
	var sum []byte
	if _, err := pgx.ForEachRow(rows, []any{&number, &sum}, func() error {
		if f, ok := acknowledged[number]; !ok || !bytes.Equal(f.SHA256[:], sum) {
			t.Errorf("%s: what is stored is not what was handed out", number)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.consistent()
}

// draw asks, waits and fetches as a client does that gives up only after a minute.
func draw(w *world, fin tesdiq.FIN, r issuer.Request) (n issuer.Number, f issuer.File, err error) {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if n, err = w.cabinet.Ask(context.Background(), fin, r); err != nil {
			continue
		}
		var item issuer.Item
		if item, err = w.cabinet.Wait(context.Background(), fin, n, 30*time.Second); err != nil {
			continue
		}
		if s := item.State(today); s != issuer.InForce {
			return n, f, fmt.Errorf("%s is %s", n, s)
		}
		if f, err = w.cabinet.File(context.Background(), fin, n); err == nil {
			return n, f, nil
		}
	}
	return n, f, err
}
