//go:build !cgo

package hsm

import (
	"context"
	"crypto/ecdsa"
)

// token is none: PKCS #11 modules are C libraries.
type token struct{}

func tokenOf(Place) *token { return nil }

func (*token) sign(context.Context, Place, *ecdsa.PublicKey, []byte) ([]byte, error) {
	return nil, ErrNoCgo
}
func (*token) check(context.Context, Place, *ecdsa.PublicKey) error { return ErrNoCgo }
func (*token) generate(context.Context, Place, bool) (*ecdsa.PublicKey, error) {
	return nil, ErrNoCgo
}
func (*token) destroy(context.Context, Place) error { return ErrNoCgo }
func (*token) ready() error                         { return ErrNoCgo }
