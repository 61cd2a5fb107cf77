package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
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

	later []turn[*Authority] // who takes over
}

// Stamp implements Stamper. The time is written in whole seconds, and said to be right to one second.
func (a *Authority) Stamp(ctx context.Context, digest []byte, at time.Time) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("signer: time stamp: %d bytes are no SHA-256 digest", len(digest))
	}
	return a.stamp(ctx, stampRequest{digest: digest, certificates: true}, at)
}

// stampRequest is what is asked of an authority, RFC 3161, 2.4.1.
type stampRequest struct {
	digest       []byte // SHA-256
	policy       []byte // an object identifier, DER; nil: any
	nonce        *big.Int
	certificates bool // asks for the signer's certificate in the token
}

func (a *Authority) stamp(ctx context.Context, r stampRequest, at time.Time) ([]byte, error) {
	a = onDuty(a, a.later, at)
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
		addImprint(b, r.digest)
		b.AddASN1BigInt(serial)
		b.AddASN1GeneralizedTime(at.UTC().Truncate(time.Second))
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(1) }) // accuracy: seconds
		if r.nonce != nil {
			b.AddASN1BigInt(r.nonce)
		}
	})
	info, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("signer: time stamp: %w", err)
	}
	hash := sha256.Sum256(info)
	signed := &cms{contentType: oidTSTInfo, content: info, digest: hash[:], certificate: a.Certificate, key: in(ctx, a.Key)}
	if r.certificates {
		signed.certificates = []*x509.Certificate{a.Certificate}
	}
	token, err := signed.sign(a.Rand)
	if err != nil {
		return nil, fmt.Errorf("signer: time stamp: %w", err)
	}
	return token, nil
}

// addImprint writes a MessageImprint.
func addImprint(b *cryptobyte.Builder, digest []byte) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addSHA256(b)
		b.AddASN1OctetString(digest)
	})
}

// PKIStatus and PKIFailureInfo of an answer, RFC 3161, 2.4.2.
const (
	statusGranted  = 0
	statusRejected = 2

	failBadAlgorithm = 0
	failBadFormat    = 5
	failPolicy       = 15
	failExtension    = 16
	failSystem       = 25
)

const maxStampRequest = 1024 // bytes

// Reply answers a TimeStampReq with a TimeStampResp, both DER. With an error, which is for us, comes an answer all the same.
func (a *Authority) Reply(request []byte, now time.Time) ([]byte, error) {
	r, fault := readStampRequest(request)
	if fault < 0 && r.policy != nil {
		own, err := a.Policy.MarshalBinary()
		if err != nil || !bytes.Equal(own, r.policy) {
			fault = failPolicy
		}
	}
	if fault >= 0 {
		return stampReply(nil, fault), nil
	}
	token, err := a.stamp(context.Background(), r, now)
	if err != nil {
		return stampReply(nil, failSystem), err
	}
	return stampReply(token, -1), nil
}

// stampReply writes a TimeStampResp: a token, or the bit that says why there is none.
func stampReply(token []byte, fault int) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // PKIStatusInfo
			if token != nil {
				b.AddASN1Int64(statusGranted)
				return
			}
			b.AddASN1Int64(statusRejected)
			bits := make([]byte, fault/8+1)
			bits[fault/8] = 0x80 >> (fault % 8)
			b.AddASN1(casn1.BIT_STRING, func(b *cryptobyte.Builder) {
				b.AddUint8(uint8(7 - fault%8))
				b.AddBytes(bits)
			})
		})
		b.AddBytes(token)
	})
	return b.BytesOrPanic() // of a token that is DER, or of numbers
}

// readStampRequest reads a TimeStampReq; fault is the bit of what is wrong with it, or -1.
func readStampRequest(der []byte) (r stampRequest, fault int) {
	in := cryptobyte.String(der)
	var request, imprint, algorithm, parameters, digest, policy cryptobyte.String
	var version int64
	var oid asn1.ObjectIdentifier
	if len(der) > maxStampRequest || !in.ReadASN1(&request, casn1.SEQUENCE) || !in.Empty() ||
		!request.ReadASN1Integer(&version) || version != 1 ||
		!request.ReadASN1(&imprint, casn1.SEQUENCE) || !imprint.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!algorithm.Empty() && (!algorithm.ReadASN1(&parameters, casn1.NULL) || !algorithm.Empty()) ||
		!imprint.ReadASN1(&digest, casn1.OCTET_STRING) || !imprint.Empty() {
		return r, failBadFormat
	}
	if !oid.Equal(oidSHA256) {
		return r, failBadAlgorithm
	}
	if len(digest) != sha256.Size {
		return r, failBadFormat
	}
	r.digest = digest
	if request.PeekASN1Tag(casn1.OBJECT_IDENTIFIER) {
		if !request.ReadASN1(&policy, casn1.OBJECT_IDENTIFIER) {
			return r, failBadFormat
		}
		r.policy = policy
	}
	if request.PeekASN1Tag(casn1.INTEGER) {
		if r.nonce = new(big.Int); !request.ReadASN1Integer(r.nonce) || r.nonce.BitLen() > 256 {
			return r, failBadFormat
		}
	}
	if request.PeekASN1Tag(casn1.BOOLEAN) && !request.ReadASN1Boolean(&r.certificates) {
		return r, failBadFormat
	}
	if request.PeekASN1Tag(tagContext0) {
		return r, failExtension
	}
	if !request.Empty() {
		return r, failBadFormat
	}
	return r, -1
}
