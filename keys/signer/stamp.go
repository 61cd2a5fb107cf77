package signer

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Stamper gives a DER TimeStampToken (RFC 3161) over a SHA-256 digest. An authority elsewhere has its own clock and may
// ignore at.
type Stamper interface {
	Stamp(ctx context.Context, sha256 []byte, at time.Time) ([]byte, error)
}

// timeStampPolicy names the rules of the demo's time stamps, under the arc for examples as throwawayPolicy is.
var timeStampPolicy = mustOID("2.999.2")

// Authority is a time-stamp authority in this process. All fields are required. It may be used by several goroutines if Key and Rand may.
type Authority struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
	Policy      x509.OID
	Rand        io.Reader
}

// Stamp implements Stamper. The time is written in whole seconds, and said to be right to one second.
func (a *Authority) Stamp(ctx context.Context, digest []byte, at time.Time) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("signer: time stamp: %d bytes are no SHA-256 digest", len(digest))
	}
	if at.Before(a.Certificate.NotBefore) || at.After(a.Certificate.NotAfter) {
		return nil, fmt.Errorf("signer: time stamp: %s is outside the certificate's validity", at.UTC().Format(time.RFC3339))
	}
	serial, err := newSerial(a.Rand)
	if err != nil {
		return nil, err
	}
	policy, err := a.Policy.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("signer: time stamp: policy: %w", err)
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // TSTInfo
		b.AddASN1Int64(1)
		b.AddASN1(casn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(policy) })
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // messageImprint
			addSHA256(b)
			b.AddASN1OctetString(digest)
		})
		b.AddASN1BigInt(serial)
		b.AddASN1GeneralizedTime(at.UTC().Truncate(time.Second))
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(1) }) // accuracy: seconds
	})
	info, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("signer: time stamp: %w", err)
	}
	hash := sha256.Sum256(info)
	token, err := (&cms{
		contentType: oidTSTInfo, content: info, digest: hash[:],
		certificate: a.Certificate, key: a.Key, certificates: []*x509.Certificate{a.Certificate},
	}).sign(a.Rand)
	if err != nil {
		return nil, fmt.Errorf("signer: time stamp: %w", err)
	}
	return token, nil
}
