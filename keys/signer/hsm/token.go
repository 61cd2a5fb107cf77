//go:build cgo

package hsm

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/miekg/pkcs11"
)

// token is one token of a module, with our sessions.
type token struct {
	library *library
	place   Place         // without label and id
	slots   chan struct{} // one for each call that is inside

	mu      sync.Mutex
	open    *connection // nil: none
	refused error       // the PIN was, and is not tried again
	failed  error       // why there is no connection
	resting bool        // it is too early to try again
	pause   time.Duration
	looked  bool // it is too early to have the module look for its tokens anew

	late struct { // calls that their callers have left behind
		sync.Mutex
		n int
	}
}

// How long a module that is away is left in peace; doubled each time.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
	lookPause  = 2 * time.Second
)

// connection is sessions of a token that somebody is signed in to, until something fails.
type connection struct {
	ctx      *pkcs11.Ctx
	epoch    int
	slot     uint
	sessions chan pkcs11.SessionHandle // as many as slots
	writing  pkcs11.SessionHandle      // makes and removes keys; what is not kept lives as long as this session

	mu   sync.Mutex
	keys map[string]pkcs11.ObjectHandle // by Place.ID; checked
}

// do runs one call in the module and waits for it as long as ctx lasts.
func do[T any](ctx context.Context, t *token, call func(*connection, pkcs11.SessionHandle) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("%w: all sessions are busy: %w", ErrAway, ctx.Err())
	}
	done := make(chan result, 1)
	returned := make(chan struct{})
	go func() {
		value, err := twice(t, call)
		<-t.slots
		close(returned)
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		t.count(1)
		go func() {
			<-returned
			t.count(-1)
		}()
		return none, fmt.Errorf("%w: it does not answer: %w", ErrAway, ctx.Err())
	}
}

func (t *token) count(n int) {
	t.late.Lock()
	defer t.late.Unlock()
	t.late.n += n
}

// ready says why nothing can be signed now.
func (t *token) ready() error {
	t.late.Lock()
	late := t.late.n
	t.late.Unlock()
	if late > 0 {
		return fmt.Errorf("%w: %d calls have not come back", ErrAway, late)
	}
	if !t.mu.TryLock() {
		return nil // somebody is opening sessions
	}
	defer t.mu.Unlock()
	if t.refused != nil {
		return t.refused
	}
	if t.open == nil {
		return t.failed
	}
	return nil
}

// twice makes a call, and once more with new sessions if the module fails at it.
func twice[T any](t *token, call func(*connection, pkcs11.SessionHandle) (T, error)) (value T, err error) {
	for try := range 2 {
		var c *connection
		if c, err = t.connect(); err != nil {
			return value, err
		}
		value, err = once(t, c, call)
		var failure pkcs11.Error
		switch {
		case err == nil:
			return value, nil
		case errors.As(err, new(errNoKey)):
			// The token may be another than it was, and the module not know it. To look again disturbs the other keys, so not often.
			if try > 0 || !t.look() {
				return value, err
			}
			t.drop(c, err)
			t.library.restart()
		case errors.As(err, &failure), errors.Is(err, errStale):
			t.drop(c, err)
		default:
			return value, err
		}
	}
	if errors.Is(err, ErrAway) {
		return value, err
	}
	return value, fmt.Errorf("%w: %w", ErrAway, err)
}

var errStale = errors.New("hsm: the module was initialized again meanwhile")

func once[T any](t *token, c *connection, call func(*connection, pkcs11.SessionHandle) (T, error)) (value T, err error) {
	t.library.using.RLock()
	defer t.library.using.RUnlock()
	if c.epoch != t.library.epoch {
		return value, errStale
	}
	session := <-c.sessions
	defer func() { c.sessions <- session }()
	return call(c, session)
}

// connect gives our sessions, and opens them if there are none.
func (t *token) connect() (*connection, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.open != nil:
		return t.open, nil
	case t.refused != nil:
		return nil, t.refused
	case t.resting:
		return nil, t.failed
	}
	c, found, err := t.dial()
	if err != nil && !errors.Is(err, ErrPIN) && found != nothingYet && t.library.restart() {
		c, _, err = t.dial()
	}
	if err == nil {
		t.open, t.failed, t.pause = c, nil, 0
		return c, nil
	}
	if errors.Is(err, ErrPIN) {
		t.refused = err
		return nil, err
	}
	t.failed = err
	t.rest()
	return nil, err
}

// rest leaves the module in peace for a while. The caller holds mu.
func (t *token) rest() {
	t.pause = min(max(2*t.pause, firstPause), lastPause)
	t.resting = true
	time.AfterFunc(t.pause, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.resting = false
	})
}

// look says whether it is time to have the module look for its tokens anew.
func (t *token) look() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.looked {
		return false
	}
	t.looked = true
	time.AfterFunc(lookPause, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.looked = false
	})
	return true
}

// drop forgets sessions that failed.
func (t *token) drop(c *connection, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open != c {
		return
	}
	t.open, t.failed = nil, fmt.Errorf("%w: %w", ErrAway, why)
	// Not while a call of somebody else is still in one of them; sessions that are left over end with the module.
	if t.library.using.TryLock() {
		if c.epoch == t.library.epoch {
			_ = c.ctx.CloseAllSessions(c.slot) // of a token that may be gone
		}
		t.library.using.Unlock()
	}
}

// progress is how far dial came: a module that was only now loaded need not be initialized again.
type progress int

const (
	nothingYet progress = iota
	loaded
)

// dial opens sessions and signs in.
func (t *token) dial() (_ *connection, _ progress, err error) {
	pin, err := t.place.pin()
	if err != nil {
		return nil, nothingYet, fmt.Errorf("%w: %w", ErrAway, err)
	}
	t.library.using.RLock()
	defer t.library.using.RUnlock()
	t.library.starting.Lock()
	fresh := t.library.loaded == nil
	t.library.starting.Unlock()
	ctx, err := t.library.start()
	if err != nil {
		return nil, nothingYet, err
	}
	far := loaded
	if fresh {
		far = nothingYet
	}
	slot, info, err := t.find(ctx)
	if err != nil {
		return nil, far, err
	}
	switch {
	case info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0:
		return nil, far, fmt.Errorf("%w: token %q is locked by wrong PINs: its security officer must set a new one", ErrPIN, t.place.Token)
	case info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0:
		return nil, far, fmt.Errorf("%w: one more wrong PIN locks token %q, so none is tried: sign in to it once by hand (pkcs11-tool --login) with the right one", ErrPIN, t.place.Token)
	}
	c := &connection{ctx: ctx, epoch: t.library.epoch, slot: slot, sessions: make(chan pkcs11.SessionHandle, Sessions), keys: map[string]pkcs11.ObjectHandle{}}
	defer func() {
		if err != nil {
			_ = ctx.CloseAllSessions(slot)
		}
	}()
	if c.writing, err = ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
		return nil, far, fmt.Errorf("%w: session: %w", ErrAway, err)
	}
	for range Sessions {
		s, err := ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
		if err != nil {
			return nil, far, fmt.Errorf("%w: session: %w", ErrAway, err)
		}
		c.sessions <- s
	}
	switch err := ctx.Login(c.writing, pkcs11.CKU_USER, pin); {
	case err == nil, errors.Is(err, pkcs11.Error(pkcs11.CKR_USER_ALREADY_LOGGED_IN)):
	case isAny(err, pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE, pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_PIN_LOCKED,
		pkcs11.CKR_USER_PIN_NOT_INITIALIZED):
		return nil, far, fmt.Errorf("%w: token %q refuses the PIN in %s (%w). It is not tried again, because tokens lock: correct the file and start the program anew", ErrPIN, t.place.Token, t.place.PINFile, err)
	default:
		return nil, far, fmt.Errorf("%w: signing in to token %q: %w", ErrAway, t.place.Token, err)
	}
	return c, far, nil
}

func isAny(err error, codes ...uint) bool {
	for _, code := range codes {
		if errors.Is(err, pkcs11.Error(code)) {
			return true
		}
	}
	return false
}

// find finds the one token that has the label.
func (t *token) find(ctx *pkcs11.Ctx) (slot uint, info pkcs11.TokenInfo, err error) {
	slots, err := ctx.GetSlotList(true)
	if err != nil {
		return 0, info, fmt.Errorf("%w: slots of %s: %w", ErrAway, t.place.Module, err)
	}
	var labels []string
	found := 0
	for _, s := range slots {
		i, err := ctx.GetTokenInfo(s)
		if err != nil || i.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue
		}
		label := strings.TrimRight(i.Label, " \x00")
		labels = append(labels, fmt.Sprintf("%q", label))
		if label == t.place.Token {
			slot, info = s, i
			found++
		}
	}
	switch {
	case found > 1:
		return 0, info, fmt.Errorf("%w: %d tokens of %s are called %q: give each its own label", ErrAway, found, t.place.Module, t.place.Token)
	case found == 0:
		return 0, info, fmt.Errorf("%w: no token of %s is called %q (there are: %s): connect it, or correct `token`", ErrAway, t.place.Module, t.place.Token, strings.Join(labels, ", "))
	}
	return slot, info, nil
}

// key finds the private key of a place, once for a connection, and sees that it is public's and cannot leave the token.
func (c *connection) key(s pkcs11.SessionHandle, p Place, public *ecdsa.PublicKey) (pkcs11.ObjectHandle, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.keys[p.ID]; ok {
		return h, nil
	}
	h, err := c.one(s, pkcs11.CKO_PRIVATE_KEY, p)
	if err != nil {
		return 0, err
	}
	is, err := c.ctx.GetAttributeValue(s, h, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, nil), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, nil)})
	if err != nil {
		return 0, err
	}
	if yes := func(a *pkcs11.Attribute) bool { return len(a.Value) > 0 && a.Value[0] != 0 }; !yes(is[0]) || yes(is[1]) {
		return 0, fmt.Errorf("%w: it can be taken out of the token, so it may be anywhere: make another with `tesdiq keys rotate`", ErrWrongKey)
	}
	half, err := c.one(s, pkcs11.CKO_PUBLIC_KEY, p)
	if err != nil {
		return 0, err
	}
	point, err := c.point(s, half)
	if err != nil {
		return 0, err
	}
	if !point.Equal(public) {
		return 0, fmt.Errorf("%w: the certificate belongs to another: correct `id` or `token`, or put back the certificate that belongs to this key", ErrWrongKey)
	}
	c.keys[p.ID] = h
	return h, nil
}

// one finds the one object of a class that has the place's id.
func (c *connection) one(s pkcs11.SessionHandle, class uint, p Place) (pkcs11.ObjectHandle, error) {
	err := c.ctx.FindObjectsInit(s, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_EC), pkcs11.NewAttribute(pkcs11.CKA_ID, p.id())})
	if err != nil {
		return 0, err
	}
	found, _, err := c.ctx.FindObjects(s, 2)
	if err := errors.Join(err, c.ctx.FindObjectsFinal(s)); err != nil {
		return 0, err
	}
	switch {
	case len(found) == 0:
		return 0, errNoKey{class}
	case len(found) > 1:
		return 0, fmt.Errorf("%w: several have this id: remove those that are not the certificate's", ErrWrongKey)
	}
	return found[0], nil
}

// errNoKey says that a token has no key with an id: it was put into another token, or this one was taken out.
type errNoKey struct{ class uint }

func (e errNoKey) Error() string {
	half := "private"
	if e.class == pkcs11.CKO_PUBLIC_KEY {
		half = "public"
	}
	return "hsm: the token has no " + half + " key with this id: connect the token that has it, or correct `id`"
}

func (e errNoKey) Is(target error) bool { return target == ErrAway }

// point reads a public key's point on P-256.
func (c *connection) point(s pkcs11.SessionHandle, h pkcs11.ObjectHandle) (*ecdsa.PublicKey, error) {
	is, err := c.ctx.GetAttributeValue(s, h, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, nil), pkcs11.NewAttribute(pkcs11.CKA_EC_POINT, nil)})
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(is[0].Value, curve) {
		return nil, fmt.Errorf("%w: it is not on P-256", ErrWrongKey)
	}
	bits := is[1].Value
	var inside []byte // an OCTET STRING, says PKCS #11; some modules give the point itself
	if rest, err := asn1.Unmarshal(bits, &inside); err == nil && len(rest) == 0 {
		bits = inside
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), bits)
	if err != nil {
		return nil, fmt.Errorf("%w: its point is none of P-256: %w", ErrWrongKey, err)
	}
	return public, nil
}

// curve is P-256's object identifier, DER (RFC 5480, 2.1.1.1).
var curve = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}

// found runs a call with a key that is found first. A key that is not there may be back when the module looks again.
func found[T any](ctx context.Context, t *token, p Place, public *ecdsa.PublicKey, call func(*connection, pkcs11.SessionHandle, pkcs11.ObjectHandle) (T, error)) (T, error) {
	return do(ctx, t, func(c *connection, s pkcs11.SessionHandle) (value T, err error) {
		h, err := c.key(s, p, public)
		if err != nil {
			return value, err
		}
		return call(c, s, h)
	})
}

// sign gives r and s.
func (t *token) sign(ctx context.Context, p Place, public *ecdsa.PublicKey, digest []byte) ([]byte, error) {
	return found(ctx, t, p, public, func(c *connection, s pkcs11.SessionHandle, h pkcs11.ObjectHandle) ([]byte, error) {
		if err := c.ctx.SignInit(s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil)}, h); err != nil {
			return nil, err
		}
		return c.ctx.Sign(s, digest)
	})
}

// check sees that the key is there: asked anew, not remembered.
func (t *token) check(ctx context.Context, p Place, public *ecdsa.PublicKey) error {
	_, err := found(ctx, t, p, public, func(c *connection, s pkcs11.SessionHandle, h pkcs11.ObjectHandle) (struct{}, error) {
		is, err := c.ctx.GetAttributeValue(s, h, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil)})
		if err == nil && !bytes.Equal(is[0].Value, p.id()) {
			err = errStale
		}
		return struct{}{}, err
	})
	return err
}

// generate makes a pair.
func (t *token) generate(ctx context.Context, p Place, keep bool) (*ecdsa.PublicKey, error) {
	return do(ctx, t, func(c *connection, _ pkcs11.SessionHandle) (*ecdsa.PublicKey, error) {
		c.mu.Lock() // one at a time in the session that writes
		defer c.mu.Unlock()
		both := func(further ...*pkcs11.Attribute) []*pkcs11.Attribute {
			return append(further, pkcs11.NewAttribute(pkcs11.CKA_TOKEN, keep), pkcs11.NewAttribute(pkcs11.CKA_LABEL, p.Label), pkcs11.NewAttribute(pkcs11.CKA_ID, p.id()))
		}
		half, _, err := c.ctx.GenerateKeyPair(c.writing, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_EC_KEY_PAIR_GEN, nil)},
			both(pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, curve), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true)),
			both(pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true), pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
				pkcs11.NewAttribute(pkcs11.CKA_SIGN, true), pkcs11.NewAttribute(pkcs11.CKA_DERIVE, false)))
		if err != nil {
			return nil, err
		}
		return c.point(c.writing, half)
	})
}

// destroy removes both halves of a key.
func (t *token) destroy(ctx context.Context, p Place) error {
	_, err := do(ctx, t, func(c *connection, _ pkcs11.SessionHandle) (struct{}, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.keys, p.ID)
		for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
			h, err := c.one(c.writing, class, p)
			if err == nil {
				err = c.ctx.DestroyObject(c.writing, h)
			}
			if err != nil && !errors.As(err, new(errNoKey)) {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}
