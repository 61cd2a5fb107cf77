package signer

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// Guard stands before the keys of a set and lets nobody call them without permission. For documents and their time stamps a permit is
// needed, which is for one attempt that was written down before, for so many calls and not for long. What stands for itself (answers
// about certificates, lists of revocations, time stamps for our other processes) has a standing permission by its purpose. Every call is
// counted before the key is called, and every key has its limits.
//
// It protects from our own mistakes, and gives the figures by which those of others are found: docs/adr/0012.
type Guard struct {
	Now    func() time.Time
	Limits map[string]Limit // by role; one that is not there has none
	// Refused, if not nil, is told of each call that was not let through.
	Refused func(role, serial string, why error)

	mu      sync.Mutex
	counts  map[Use]int64
	buckets map[string]*bucket // by serial number
}

// Use is what a key was called for.
type Use struct{ Role, Serial, Purpose string }

// Purposes that need no permit.
const (
	ForAnswer = "answer"     // about a certificate, by OCSP
	ForList   = "list"       // of revocations
	ForOthers = "time-stamp" // for our own processes elsewhere, at /pki/tsa
)

// PermitLife is how long a permit holds: several times as long as an attempt takes.
const PermitLife = 2 * time.Minute

// Why a key is not called, for errors.Is.
var (
	// ErrNoIntent says that nothing is written down for which the key might be called.
	ErrNoIntent = errors.New("signer: refused: no intent is written down for this signature")
	// ErrSpent says that a permit was used up, or its time is over.
	ErrSpent = errors.New("signer: refused: what is written down allows no further signature")
	// ErrLimit says that the key may give no more signatures now; later it may.
	ErrLimit = errors.New("signer: refused: the key's limit is reached")
)

// permit is permission to call keys, as often as left says by their roles.
type permit struct {
	guard   *Guard
	purpose string
	about   string // what is written down
	until   time.Time

	mu   sync.Mutex
	left map[string]int
}

type permitKey struct{}

// Permit gives a context in which keys may be called, by their roles as often as calls says. about is what was written down and
// committed for that; only who committed it may ask.
func (g *Guard) Permit(ctx context.Context, purpose, about string, calls map[string]int) context.Context {
	return context.WithValue(ctx, permitKey{}, &permit{guard: g, purpose: purpose, about: about, until: g.Now().Add(PermitLife), left: maps.Clone(calls)})
}

// take uses a permit once.
func (p *permit) take(g *Guard, role string) error {
	if p == nil || p.guard != g || p.about == "" {
		return ErrNoIntent
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case g.Now().After(p.until):
		return fmt.Errorf("%w: %s of %s began too long ago", ErrSpent, p.purpose, p.about)
	case p.left[role] <= 0:
		return fmt.Errorf("%w: %s of %s, by the %s", ErrSpent, p.purpose, p.about, role)
	}
	p.left[role]--
	return nil
}

// guarded is a key behind a guard. Called without a context it has no permit.
type guarded struct {
	guard        *Guard
	role, serial string
	key          crypto.Signer
	standing     string // the purpose that needs no permit; empty: none
	ctx          context.Context
}

// in gives a key for calls in a context.
func in(ctx context.Context, key crypto.Signer) crypto.Signer {
	g, ok := key.(*guarded)
	if !ok {
		return key
	}
	now := *g
	now.ctx = ctx
	return &now
}

// Public gives the public key.
func (k *guarded) Public() crypto.PublicKey { return k.key.Public() }

// Sign calls the key if it may be called.
func (k *guarded) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	ctx := k.ctx
	if ctx == nil {
		ctx = context.Background()
	}
	purpose := k.standing
	if purpose == "" {
		p, _ := ctx.Value(permitKey{}).(*permit)
		if err := p.take(k.guard, k.role); err != nil {
			return nil, k.refuse(err)
		}
		purpose = p.purpose
	}
	wait, err := k.guard.count(Use{k.role, k.serial, purpose})
	if err != nil {
		return nil, k.refuse(err)
	}
	if wait > 0 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
	if c, ok := k.key.(interface {
		SignContext(ctx context.Context, digest []byte) ([]byte, error)
	}); ok {
		return c.SignContext(ctx, digest)
	}
	return k.key.Sign(rand, digest, opts)
}

func (k *guarded) refuse(why error) error {
	if k.guard.Refused != nil {
		k.guard.Refused(k.role, k.serial, why)
	}
	return why
}

// count counts a call that is about to be made, and says how long it must wait.
func (g *Guard) count(u Use) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait, err := g.bucket(u.Role, u.Serial).take(g.Now())
	if err != nil {
		return 0, fmt.Errorf("%w: %s %s: %w", ErrLimit, u.Role, u.Serial, err)
	}
	if g.counts == nil {
		g.counts = map[Use]int64{}
	}
	g.counts[u]++
	return wait, nil
}

// Calls says how often keys were called, by what for.
func (g *Guard) Calls() map[Use]int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.counts)
}

// Elsewhere tells how many signatures a key has given today in other processes, among them those that ran before this one.
func (g *Guard) Elsewhere(role, serial string, calls int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.bucket(role, serial)
	b.newDay(g.Now())
	b.elsewhere = calls
}

// Limit is how many signatures a key may give. Zeros are no limit.
type Limit struct {
	PerSecond float64
	Burst     int // so many at once before PerSecond counts; 0: those of one second
	PerDay    int64
}

// limitPatience is how long a call waits for its turn before it is refused.
const limitPatience = 2 * time.Second

type bucket struct {
	Limit
	tokens float64
	filled time.Time
	day    time.Time

	today, elsewhere int64
}

// bucket is a key's. The caller holds mu.
func (g *Guard) bucket(role, serial string) *bucket {
	b := g.buckets[serial]
	if b == nil {
		b = &bucket{Limit: g.Limits[role], filled: g.Now()}
		if b.Burst <= 0 {
			b.Burst = max(1, int(b.PerSecond))
		}
		b.tokens = float64(b.Burst)
		if g.buckets == nil {
			g.buckets = map[string]*bucket{}
		}
		g.buckets[serial] = b
	}
	return b
}

// newDay begins to count anew at midnight, UTC.
func (b *bucket) newDay(now time.Time) {
	if day := now.UTC().Truncate(24 * time.Hour); !day.Equal(b.day) {
		b.day, b.today, b.elsewhere = day, 0, 0
	}
}

func (b *bucket) take(now time.Time) (wait time.Duration, err error) {
	b.newDay(now)
	if b.PerDay > 0 && b.today+b.elsewhere >= b.PerDay {
		return 0, fmt.Errorf("%d a day", b.PerDay)
	}
	if b.PerSecond > 0 {
		if passed := now.Sub(b.filled); passed > 0 {
			b.tokens = min(float64(b.Burst), b.tokens+passed.Seconds()*b.PerSecond)
		}
		b.filled = now
		if b.tokens < 1 {
			wait = time.Duration((1 - b.tokens) / b.PerSecond * float64(time.Second))
		}
		if wait > limitPatience {
			return 0, fmt.Errorf("%g a second", b.PerSecond)
		}
		b.tokens--
	}
	b.today++
	return wait, nil
}

// Guarded is the set with its keys behind a guard.
func (s *Set) Guarded(g *Guard) *Set {
	stand := func(role string, c *x509.Certificate, key crypto.Signer, standing string) crypto.Signer {
		if key == nil || c == nil {
			return nil
		}
		return &guarded{guard: g, role: role, serial: keys.Serial(c), key: key, standing: standing}
	}
	now := *s
	now.RootKey = stand(keys.RoleRoot, s.Root, s.RootKey, ForList)
	now.CAKey = stand(keys.RoleIssuingCA, s.CA, s.CAKey, ForList)
	now.SignerKey = stand(keys.RoleDocumentSigner, s.Signer, s.SignerKey, "")
	now.TSAKey = stand(keys.RoleStampSigner, s.TSA, s.TSAKey, "")
	now.ResponderKey = stand(keys.RoleResponder, s.Responder, s.ResponderKey, ForAnswer)
	now.Later = nil
	for _, d := range s.Later {
		d.Key = stand(d.Role, d.Certificate, d.Key, "")
		now.Later = append(now.Later, d)
	}
	return &now
}

// ForOthers is the authority with a standing permission: whom it answers is decided by who asks it.
func (a *Authority) ForOthers() *Authority {
	now := *a
	if g, ok := a.Key.(*guarded); ok {
		standing := *g
		standing.standing = ForOthers
		now.Key = &standing
	}
	now.later = nil
	for _, t := range a.later {
		now.later = append(now.later, turn[*Authority]{t.from, t.who.ForOthers()})
	}
	return &now
}

// Ready says why nothing can be signed now; nil: as far as is known, it can.
func (s *Set) Ready() error {
	for _, k := range s.inModules() {
		if err := k.Ready(); err != nil {
			return err
		}
	}
	return nil
}

// Look sees whether the keys in modules are there, and lets those that were away come back.
func (s *Set) Look(ctx context.Context) error {
	var all []error
	for _, k := range s.inModules() {
		all = append(all, k.Open(ctx))
	}
	return errors.Join(all...)
}
