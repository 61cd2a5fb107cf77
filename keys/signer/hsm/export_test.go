//go:build cgo

package hsm

import (
	"context"

	"github.com/miekg/pkcs11"
)

// Value asks the module for the private key itself.
func (k *Key) Value(ctx context.Context) ([]byte, error) {
	return found(ctx, k.token, k.Place, k.public, func(c *connection, s pkcs11.SessionHandle, h pkcs11.ObjectHandle) ([]byte, error) {
		is, err := c.ctx.GetAttributeValue(s, h, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
		if err != nil {
			return nil, err
		}
		return is[0].Value, nil
	})
}
