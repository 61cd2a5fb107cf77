package signer_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
)

// guardedSet is a set behind a guard whose clock the test moves.
type guardedSet struct {
	*signer.Set
	guard   *signer.Guard
	now     time.Time
	refused []error
}

func newGuarded(t *testing.T, limits map[string]signer.Limit) *guardedSet {
	t.Helper()
	g := &guardedSet{now: time.Now()}
	set, err := signer.NewThrowaway(rand.Reader, g.now)
	if err != nil {
		t.Fatal(err)
	}
	g.guard = &signer.Guard{Now: func() time.Time { return g.now }, Limits: limits, Refused: func(_, _ string, why error) { g.refused = append(g.refused, why) }}
	g.Set = set.Guarded(g.guard)
	return g
}

// oneExcerpt is what an attempt allows.
var oneExcerpt = map[string]int{keys.RoleDocumentSigner: 3, keys.RoleStampSigner: 2}

func (g *guardedSet) excerpt(ctx context.Context, t *testing.T) error {
	t.Helper()
	p, err := g.Archivist(rand.Reader, g.Status(rand.Reader, signer.NothingRevoked{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := p.SignStatements(ctx, []byte("{}"), []byte{0xa0}, "https://tesdiq.example/v/X", g.now); err != nil {
		return err
	}
	_, err = p.Sign(ctx, pdftest.Page(), g.now, signer.SignInfo{})
	return err
}

// Whatever way leads to a key: without something written down there is no signature, and with it one excerpt and no more.
func TestNothingIsSignedThatIsNotWrittenDown(t *testing.T) {
	g := newGuarded(t, nil)
	digest := sha256.Sum256(nil)
	ctx := g.guard.Permit(t.Context(), "excerpt", "E-2026-0000001/1", oneExcerpt)
	other := newGuarded(t, nil)
	for name, try := range map[string]func() error{
		"the key itself": func() error { _, err := g.SignerKey.Sign(rand.Reader, digest[:], crypto.SHA256); return err },
		"the key of time stamps": func() error {
			_, err := g.TSAKey.Sign(rand.Reader, digest[:], crypto.SHA256)
			return err
		},
		"an excerpt":          func() error { return g.excerpt(t.Context(), t) },
		"a time stamp":        func() error { _, err := g.Authority(rand.Reader).Stamp(t.Context(), digest[:], g.now); return err },
		"another's permit":    func() error { return other.excerpt(ctx, t) },
		"for nothing written": func() error { return g.excerpt(g.guard.Permit(t.Context(), "excerpt", "", oneExcerpt), t) },
	} {
		if err := try(); !errors.Is(err, signer.ErrNoIntent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(g.guard.Calls()); n != 0 {
		t.Errorf("%d uses", n)
	}
	if len(g.refused) != 5 {
		t.Errorf("told of %d refusals", len(g.refused))
	}

	if err := g.excerpt(ctx, t); err != nil {
		t.Fatal(err)
	}
	if err := g.excerpt(ctx, t); !errors.Is(err, signer.ErrSpent) {
		t.Errorf("a second one: %v", err)
	}
	late := g.guard.Permit(t.Context(), "excerpt", "E-2026-0000002/1", oneExcerpt)
	g.now = g.now.Add(signer.PermitLife + time.Second)
	if err := g.excerpt(late, t); !errors.Is(err, signer.ErrSpent) {
		t.Errorf("too late: %v", err)
	}
	calls := g.guard.Calls()
	for use, want := range map[signer.Use]int64{
		{Role: keys.RoleDocumentSigner, Serial: keys.Serial(g.Signer), Purpose: "excerpt"}:      3,
		{Role: keys.RoleStampSigner, Serial: keys.Serial(g.TSA), Purpose: "excerpt"}:            2,
		{Role: keys.RoleResponder, Serial: keys.Serial(g.Responder), Purpose: signer.ForAnswer}: 3,
	} {
		if calls[use] != want {
			t.Errorf("%+v: %d calls, want %d", use, calls[use], want)
		}
	}
	// Our other processes are answered by a permission of their own, which is counted as such.
	if _, err := g.Authority(rand.Reader).ForOthers().Stamp(t.Context(), digest[:], g.now); err != nil {
		t.Error(err)
	}
	if n := g.guard.Calls()[signer.Use{Role: keys.RoleStampSigner, Serial: keys.Serial(g.TSA), Purpose: signer.ForOthers}]; n != 1 {
		t.Errorf("%d time stamps for others", n)
	}
}

// A permit is used up once, however many use it at a time.
func TestAPermitIsUsedUpOnce(t *testing.T) {
	g := newGuarded(t, nil)
	digest := sha256.Sum256(nil)
	ctx := g.guard.Permit(t.Context(), "renewal", "E-2026-0000003", map[string]int{keys.RoleStampSigner: 2})
	authority := g.Authority(rand.Reader)
	g.guard.Refused = nil
	var all sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for range 20 {
		all.Go(func() {
			if _, err := authority.Stamp(ctx, digest[:], g.now); err == nil {
				mu.Lock()
				defer mu.Unlock()
				made++
			}
		})
	}
	all.Wait()
	if made != 2 {
		t.Errorf("%d time stamps", made)
	}
}

func TestAKeyHasItsLimits(t *testing.T) {
	digest := sha256.Sum256(nil)
	stamp := func(g *guardedSet) error {
		_, err := g.Authority(rand.Reader).ForOthers().Stamp(t.Context(), digest[:], g.now)
		return err
	}
	g := newGuarded(t, map[string]signer.Limit{keys.RoleStampSigner: {PerSecond: 0.2, Burst: 4, PerDay: 6}})
	until := g.now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	if until.Sub(g.now) < 2*time.Minute { // the day ends within the test
		g.now = g.now.Add(3 * time.Minute)
		until = until.Add(24 * time.Hour)
	}
	for n := range 4 {
		if err := stamp(g); err != nil {
			t.Fatalf("%d: %v", n, err)
		}
	}
	if err := stamp(g); !errors.Is(err, signer.ErrLimit) {
		t.Errorf("beyond the burst: %v", err)
	}
	g.now = g.now.Add(5 * time.Second) // one more is there
	if err := stamp(g); err != nil {
		t.Error(err)
	}
	g.guard.Elsewhere(keys.RoleStampSigner, keys.Serial(g.TSA), 1)
	g.now = g.now.Add(time.Minute)
	if err := stamp(g); !errors.Is(err, signer.ErrLimit) {
		t.Errorf("beyond the day: %v", err)
	}
	g.now = until.Add(time.Second)
	if err := stamp(g); err != nil {
		t.Errorf("the next day: %v", err)
	}
	// What comes a little too fast waits.
	g = newGuarded(t, map[string]signer.Limit{keys.RoleStampSigner: {PerSecond: 10, Burst: 1}})
	began := time.Now()
	for range 3 {
		if err := stamp(g); err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(began); took < 250*time.Millisecond {
		t.Errorf("took %s", took)
	}
}
