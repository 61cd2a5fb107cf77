//go:build cgo

package hsm

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/miekg/pkcs11"
)

// libraries are the modules of this process: C_Initialize is for a whole process, so that they cannot be fields of anything.
var libraries = struct {
	sync.Mutex
	byPath map[string]*library
	tokens map[Place]*token // without label and id
}{byPath: map[string]*library{}, tokens: map[Place]*token{}}

// library is a loaded module.
type library struct {
	path string

	// Whoever calls the module holds using for reading, and whoever finalizes it for writing: handles of before mean something
	// else afterwards.
	using sync.RWMutex
	epoch int // how often it was initialized; under using

	starting sync.Mutex
	loaded   *pkcs11.Ctx // under starting; once set it stays
}

// tokenOf finds the token of a place, or notes that there is to be one.
func tokenOf(p Place) *token {
	p.Label, p.ID = "", ""
	libraries.Lock()
	defer libraries.Unlock()
	t := libraries.tokens[p]
	if t == nil {
		l := libraries.byPath[p.Module]
		if l == nil {
			l = &library{path: p.Module}
			libraries.byPath[p.Module] = l
		}
		t = &token{library: l, place: p, slots: make(chan struct{}, Sessions)}
		libraries.tokens[p] = t
	}
	return t
}

// start loads and initializes the module if that was not done. The caller holds using for reading.
func (l *library) start() (*pkcs11.Ctx, error) {
	l.starting.Lock()
	defer l.starting.Unlock()
	if l.loaded != nil {
		return l.loaded, nil
	}
	if _, err := os.Stat(l.path); err != nil {
		return nil, fmt.Errorf("%w: there is no module %s: install it, or correct `module`", ErrAway, l.path)
	}
	ctx := pkcs11.New(l.path)
	if ctx == nil {
		return nil, fmt.Errorf("%w: %s is not a PKCS #11 module that can be loaded here", ErrAway, l.path)
	}
	if err := initialize(ctx); err != nil {
		ctx.Destroy()
		return nil, fmt.Errorf("%w: module %s cannot be initialized: %w", ErrAway, l.path, err)
	}
	l.loaded = ctx
	return ctx, nil
}

func initialize(ctx *pkcs11.Ctx) error {
	if err := ctx.Initialize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return err
	}
	return nil
}

// restart has the module look for its tokens anew, as many do only when they are initialized. It does nothing, and says so, while
// somebody is in a call, who may never come back from it.
func (l *library) restart() bool {
	if !l.using.TryLock() {
		return false
	}
	defer l.using.Unlock()
	l.starting.Lock()
	defer l.starting.Unlock()
	if l.loaded == nil {
		return true
	}
	l.epoch++ // whatever comes of it: what was opened before is nobody's any more
	if err := l.loaded.Finalize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED)) {
		return false
	}
	if err := initialize(l.loaded); err != nil {
		return false
	}
	return true
}
