package issuerdb_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/templates/all"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// today is the day of the tests in Baku; every clock of theirs begins there.
var today = tesdiq.NewDate(2026, 11, 21)

// authority is one throwaway set for all tests.
var authority = sync.OnceValues(func() (*signer.Set, error) {
	return signer.NewThrowaway(rand.Reader, today.Start())
})

// world is a database with people, and both sides of issuing.
type world struct {
	t       testing.TB
	db      *pgtest.DB
	cabinet *issuerdb.Cabinet
	keys    *key
	next    int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, db: pgtest.Open(t), keys: newKey(t)}
	w.cabinet = &issuerdb.Cabinet{
		Pool: w.db.Pool(postgres.Cabinet), Kinds: all.Kinds, Now: now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
	return w
}

// now runs from nine o'clock of the tests' day.
var began = time.Now()

func now() time.Time { return today.Start().Add(9 * time.Hour).Add(time.Since(began)) }

// maker makes excerpts with the real signer and the real checks.
func (w *world) maker() *issuer.Maker {
	set, err := authority()
	if err != nil {
		w.t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		w.t.Fatal(err)
	}
	return &issuer.Maker{Kinds: all.Kinds, Origin: "https://tesdiq.example", Signer: w.keys, Roots: roots, Now: now, Rand: rand.Reader}
}

func (w *world) dispatcher() *issuerdb.Dispatcher {
	return &issuerdb.Dispatcher{
		Pool: w.db.Pool(postgres.Issuer), Maker: w.maker(), Workers: 2, Lease: 300 * time.Millisecond, Poll: 50 * time.Millisecond,
		Now: now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
}

// run runs a dispatcher until stop is called, or the test ends.
func (w *world) run(d *issuerdb.Dispatcher) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	w.t.Cleanup(stop)
	return stop
}

// listen lets the cabinet hear of what is ready, until the test ends.
func (w *world) listen() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.cabinet.Listen(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	w.t.Cleanup(func() { cancel(); <-done })
}

// key counts the calls of the real signer's key.
type key struct {
	signer *signer.PDFSigner
	calls  atomic.Int64 // of Sign
	stated atomic.Int64 // of SignStatements
	fail   atomic.Bool  // as if the key were away
}

func newKey(t testing.TB) *key {
	set, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	return &key{signer: set.PDFSigner(rand.Reader)}
}

func (k *key) Sign(ctx context.Context, pdf []byte, at time.Time) ([]byte, time.Time, error) {
	k.calls.Add(1)
	if k.fail.Load() {
		return nil, time.Time{}, fmt.Errorf("the key is away")
	}
	return k.signer.SignUntil(ctx, pdf, at, signer.SignInfo{})
}

func (k *key) SignStatements(ctx context.Context, full, brief []byte, address string, at time.Time) (jws, cose []byte, signers []*x509.Certificate, err error) {
	k.stated.Add(1)
	if k.fail.Load() {
		return nil, nil, nil, fmt.Errorf("the key is away")
	}
	return k.signer.SignStatements(ctx, full, brief, address, at)
}

// person enters an invented person with one examination in force, and returns the FIN and the examination's number.
func (w *world) person(surname string) (tesdiq.FIN, string) {
	w.t.Helper()
	w.next++
	fin := tesdiq.FIN(fmt.Sprintf("%07d", w.next))
	id := w.entry(registry.Head{Book: registry.Persons, Number: string(fin), Version: 1, Act: registry.Append, Subject: fin, Chain: string(fin), EffectiveOn: today})
	w.exec(`INSERT INTO persons (entry_id, fin, surname, given, father, sex, born, document)
		VALUES ($1, $2, $3, 'Nərmin', 'Əli', 'f', '1987-03-08', $4)`, id, fin, surname, "AA"+fmt.Sprintf("%07d", w.next))
	number := registry.Number(registry.Examinations, 2026, w.next)
	w.examination(fin, number, 1, registry.Append, today.AddDays(-17))
	return fin, number
}

func (w *world) examination(fin tesdiq.FIN, number string, version int, act registry.Act, day tesdiq.Date) registry.EntryID {
	w.t.Helper()
	id := w.entry(registry.Head{Book: registry.Examinations, Number: number, Version: version, Act: act, Subject: fin, Chain: string(fin), EffectiveOn: day})
	w.exec(`INSERT INTO examinations (entry_id, commission, examined_on, repeat, outcome, loss, degree, old_group, cause, from_day, until_day, next_from)
		VALUES ($1, '7 saylı TSEK', $2, true, 'disability', 65, '', '', 'general_illness', $2, $3, $4)`, id, day, day.AddYears(2), day.AddMonths(22))
	return id
}

func (w *world) entry(h registry.Head) (id registry.EntryID) {
	w.t.Helper()
	if h.Act != registry.Append {
		h.Reason = "a slip of the pen"
	}
	err := w.db.Admin.QueryRow(w.t.Context(), `
		INSERT INTO entries (book, number, version, act, subject, chain, effective_on, entered_at, entered_by, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'test', $9) RETURNING id`,
		h.Book, h.Number, h.Version, h.Act, h.Subject, h.Chain, h.EffectiveOn, now(), h.Reason).Scan(&id)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Admin.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// count runs a query that gives one number.
func (w *world) count(sql string, args ...any) (n int) {
	w.t.Helper()
	if err := w.db.Admin.QueryRow(w.t.Context(), sql, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

var requests atomic.Int64

// request is a new request about an examination.
func request(number string) issuer.Request {
	return issuer.Request{
		Key: "key-" + strconv.FormatInt(requests.Add(1), 10), Kind: "examination", Entry: number, Lang: tesdiq.Az, Validity: issuer.Days30,
	}
}

func (w *world) ask(fin tesdiq.FIN, r issuer.Request) issuer.Number {
	w.t.Helper()
	n, err := w.cabinet.Ask(w.t.Context(), fin, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// wait waits for an excerpt and fails the test if it is not there in half a minute.
func (w *world) wait(fin tesdiq.FIN, n issuer.Number) issuer.Item {
	w.t.Helper()
	item, err := w.cabinet.Wait(w.t.Context(), fin, n, 30*time.Second)
	if err != nil {
		w.t.Fatal(err)
	}
	if state := item.State(today); state == issuer.Making {
		w.t.Fatalf("%s is still being made", n)
	}
	return item
}

// consistent asserts what must hold whatever happened: one end for each intent, an attempt for each call of the key, a
// file and a ledger line for each excerpt, and nothing stored twice.
func (w *world) consistent() {
	w.t.Helper()
	for name, sql := range map[string]string{
		"intents with two ends":                  `SELECT count(*) FROM excerpts JOIN voids ON intent_id = id`,
		"intents without an end":                 `SELECT count(*) FROM intents i WHERE NOT EXISTS (SELECT FROM excerpts x WHERE x.id = i.id) AND NOT EXISTS (SELECT FROM voids v WHERE v.intent_id = i.id)`,
		"excerpts without exactly one file":      `SELECT count(*) FROM excerpts x WHERE (SELECT count(*) FROM excerpt_files f WHERE f.excerpt_id = x.id) <> 1`,
		"excerpts without exactly one line":      `SELECT count(*) FROM excerpts x WHERE (SELECT count(*) FROM ledger_lines l WHERE l.kind = 'excerpt' AND l.object = x.number) <> 1`,
		"excerpts without exactly one message":   `SELECT count(*) FROM excerpts x WHERE (SELECT count(*) FROM messages m WHERE m.key = 'message.excerpt' AND m.args->>'Number' = x.number) <> 1`,
		"intents without exactly one line":       `SELECT count(*) FROM intents i WHERE (SELECT count(*) FROM ledger_lines l WHERE l.kind = 'intent' AND l.object = i.number) <> 1`,
		"lines without an excerpt":               `SELECT count(*) FROM ledger_lines l WHERE l.kind = 'excerpt' AND NOT EXISTS (SELECT FROM excerpts x WHERE x.number = l.object)`,
		"excerpts without an attempt":            `SELECT count(*) FROM excerpts x WHERE NOT EXISTS (SELECT FROM attempts a WHERE a.intent_id = x.id)`,
		"excerpts that differ from their intent": `SELECT count(*) FROM excerpts x JOIN intents i USING (id) WHERE (x.code, x.number, x.kind, x.lang, x.subject, x.entry_id, x.valid_until) IS DISTINCT FROM (i.code, i.number, i.kind, i.lang, i.subject, i.entry_id, i.valid_until)`,
	} {
		if n := w.count(sql); n != 0 {
			w.t.Errorf("%s: %d", name, n)
		}
	}
	if calls, attempts := int(max(w.keys.calls.Load(), w.keys.stated.Load())), w.count(`SELECT count(*) FROM attempts`); calls > attempts {
		w.t.Errorf("the key was called %d times for %d attempts", calls, attempts)
	}
}

// lines are the ledger's lines of a kind, by their objects.
func (w *world) rows(sql string) pgx.Rows {
	w.t.Helper()
	rows, err := w.db.Admin.Query(w.t.Context(), sql)
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// signerFunc is a signer that does something else with the page.
type signerFunc func([]byte) []byte

func (f signerFunc) SignStatements(ctx context.Context, full, brief []byte, address string, at time.Time) (jws, cose []byte, signers []*x509.Certificate, err error) {
	set, err := authority()
	if err != nil {
		return nil, nil, nil, err
	}
	return set.PDFSigner(rand.Reader).SignStatements(ctx, full, brief, address, at)
}

func (f signerFunc) Sign(_ context.Context, pdf []byte, _ time.Time) ([]byte, time.Time, error) {
	return f(pdf), time.Time{}, nil
}

// otherAuthority signs like ours, under another root.
func otherAuthority(t testing.TB) *signer.PDFSigner {
	t.Helper()
	set, err := signer.NewThrowaway(rand.Reader, today.Start())
	if err != nil {
		t.Fatal(err)
	}
	return set.PDFSigner(rand.Reader)
}
