package issuerdb_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
)

// absentKey is a key that is away, and back when it is told.
type absentKey struct {
	*key
	away atomic.Bool
}

func (k *absentKey) Sign(ctx context.Context, pdf []byte, at time.Time) ([]byte, time.Time, error) {
	if k.away.Load() {
		return nil, time.Time{}, fmt.Errorf("%w: no module", issuer.ErrKeyAway)
	}
	return k.key.Sign(ctx, pdf, at)
}

func (k *absentKey) SignStatements(ctx context.Context, full, brief []byte, address string, at time.Time) (jws, cose []byte, signers []*x509.Certificate, err error) {
	if k.away.Load() {
		return nil, nil, nil, fmt.Errorf("%w: no module", issuer.ErrKeyAway)
	}
	return k.key.SignStatements(ctx, full, brief, address, at)
}

// permits remember which attempts were to have one.
type permits struct {
	mu  sync.Mutex
	got []issuerdb.Attempt
}

func (p *permits) Permit(ctx context.Context, a issuerdb.Attempt) context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, a)
	return ctx
}

// However often the key is away, the excerpt is not void: those attempts do not count, and each asked for its own permit after its commit.
func TestAKeyThatIsAwayVoidsNothing(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Quliyeva")
	k := &absentKey{key: w.keys}
	k.away.Store(true)
	given := &permits{}
	d := w.dispatcher()
	d.Maker.Signer, d.Permits = k, given
	d.Lease = 10 * time.Millisecond
	stop := w.run(d)
	n := w.ask(fin, request(number))
	for end := time.Now().Add(time.Minute); w.count(`SELECT count(*) FROM key_absences`) <= issuer.MaxAttempts+2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d absences", w.count(`SELECT count(*) FROM key_absences`))
		}
	}
	item, err := w.cabinet.Item(t.Context(), fin, n)
	if err != nil || item.State(today) != issuer.Making {
		t.Fatalf("%s, %v", item.State(today), err)
	}
	k.away.Store(false)
	if item := w.wait(fin, n); item.State(today) != issuer.InForce {
		t.Errorf("it is %s", item.State(today))
	}
	stop()
	w.consistent()
	seen := map[string]bool{}
	for _, a := range given.got {
		if a.Purpose() != issuerdb.ForExcerpt || !strings.HasPrefix(a.String(), string(n)+"/") || seen[a.String()] {
			t.Errorf("a permit for %q of %s", a.Purpose(), a)
		}
		seen[a.String()] = true
	}
	if attempts := w.count(`SELECT count(*) FROM attempts`); len(given.got) != attempts {
		t.Errorf("%d permits for %d attempts", len(given.got), attempts)
	}
}

// A key whose limit is reached may be back tomorrow only: until then an excerpt that waits is not tried every few seconds, each time with
// two rows that stay. It is after some minutes, and is not void.
func TestWhatWaitsForLongIsTriedSeldom(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Babayeva")
	d := w.dispatcher()
	d.Lease = 10 * time.Second
	waited := func(times int) (issuer.Number, string) {
		r := request(number)
		r.Key = fmt.Sprintf("%032d", times)
		n := w.ask(fin, r)
		of := fmt.Sprintf(`intent_id = (SELECT id FROM intents WHERE number = '%s')`, n)
		w.exec(`INSERT INTO attempts (intent_id, n, attempted_at) SELECT i.id, n, $2 FROM intents i, generate_series(1, $3) n WHERE i.number = $1`, n, now().Add(-2*d.Lease), times)
		w.exec(`INSERT INTO key_absences (intent_id, n, noted_at) SELECT intent_id, n, attempted_at FROM attempts WHERE ` + of)
		return n, of
	}
	long, attempts := waited(12)
	short, _ := waited(3)
	stop := w.run(d)
	w.wait(fin, short)
	stop()
	if n := w.count(`SELECT count(*) FROM attempts WHERE ` + attempts); n != 12 {
		t.Errorf("it was tried %d times more", n-12)
	}
	w.exec(`UPDATE attempts SET attempted_at = $1 WHERE `+attempts, now().Add(-130*d.Lease))
	w.run(w.dispatcher())
	if item := w.wait(fin, long); item.State(today) != issuer.InForce {
		t.Errorf("it is %s", item.State(today))
	}
}

// While the keys are known to be away nothing is claimed at all.
func TestNothingIsClaimedWhileTheKeysAreAway(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Həsənova")
	var away atomic.Bool
	away.Store(true)
	d := w.dispatcher()
	d.Ready = func() error {
		if away.Load() {
			return errors.New("no module")
		}
		return nil
	}
	w.run(d)
	n := w.ask(fin, request(number))
	time.Sleep(500 * time.Millisecond)
	if attempts := w.count(`SELECT count(*) FROM attempts`); attempts != 0 {
		t.Errorf("%d attempts", attempts)
	}
	away.Store(false)
	w.wait(fin, n)
	w.consistent()
}

// What keys were called for is compared with what is written down, over all processes.
func TestCallsAreComparedWithAttempts(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Əliyeva")
	began := now()
	uses := func(run string) *issuerdb.KeyUses {
		return &issuerdb.KeyUses{Pool: w.db.Pool(postgres.Issuer), Run: run, Began: began, Now: now}
	}
	ours, theirs := uses("ours"), uses("theirs")
	w.run(w.dispatcher())
	w.wait(fin, w.ask(fin, request(number)))
	use := func(calls int64) []issuerdb.KeyUse {
		return []issuerdb.KeyUse{{Role: "document-signer", Serial: "5f", Purpose: "excerpt", Calls: calls}, {Role: "ocsp-responder", Serial: "60", Purpose: "answer", Calls: 1000}}
	}
	compare := func(k *issuerdb.KeyUses, calls int64) []issuerdb.Excess {
		t.Helper()
		if err := k.Write(t.Context(), use(calls)); err != nil {
			t.Fatal(err)
		}
		found, err := k.Compare(t.Context(), use(calls))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for range 3 { // an attempt is counted once, however often it is looked
		if found := compare(ours, 3); len(found) != 0 {
			t.Errorf("as often as is written down: %+v", found)
		}
	}
	if found := compare(ours, 4); len(found) != 1 || found[0] != (issuerdb.Excess{Role: "document-signer", Purpose: issuerdb.ForExcerpt, Calls: 4, Allowed: 3}) {
		t.Errorf("once more: %+v", found)
	}
	if found := compare(theirs, 0); len(found) != 1 {
		t.Errorf("another process does not see it: %+v", found)
	}
	// What was removed is missed.
	w.exec(`DELETE FROM key_uses WHERE role = 'document-signer'`)
	if found := compare(theirs, 3); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	w.exec(`ALTER TABLE key_absences DROP CONSTRAINT key_absences_intent_id_n_fkey; DELETE FROM attempts`)
	if found := compare(uses("third"), 0); len(found) != 1 || found[0].Allowed != 0 {
		t.Errorf("attempts were removed: %+v", found)
	}
	today, err := uses("fourth").Today(t.Context())
	if err != nil || len(today) != 2 {
		t.Errorf("%+v, %v", today, err)
	}
	if n := w.count(`SELECT sum(calls) FROM key_uses WHERE run = 'ours'`); n != 1000 {
		t.Errorf("%d calls are written", n)
	}
}
