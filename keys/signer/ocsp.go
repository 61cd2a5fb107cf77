package signer

import (
	"crypto"
	"crypto/sha1" // only to name an authority in answers as older programs ask for them; it protects nothing
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of OCSP, RFC 6960.
var (
	oidOCSPBasic   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidSHA1        = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
)

// certID names a certificate in questions and answers, RFC 6960, 4.1.1.
type certID struct {
	raw    []byte // DER
	hash   crypto.Hash
	name   []byte // digest of the authority's name
	key    []byte // digest of its key
	serial *big.Int
}

// answerID is by what an answer is kept.
type answerID struct{ register, serial string }

type answer struct {
	der      []byte
	produced time.Time
	state    state
}

// fresh gives an answer that was produced in the second of at; asked for again in that second it is the same.
func (s *Status) fresh(r *Register, serial *big.Int, at time.Time) ([]byte, state, error) {
	if r.Responder == nil || r.ResponderKey == nil {
		return nil, state{}, fmt.Errorf("signer: nobody answers for %s", r.Name)
	}
	at = at.UTC().Truncate(time.Second)
	st, err := s.state(r, serial, at)
	if err != nil {
		return nil, state{}, err
	}
	key := answerID{r.Name, string(serial.Bytes())}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.answers[key]; ok && (a.state.revoked == nil) == (st.revoked == nil) && a.produced.Equal(at) {
		return a.der, a.state, nil
	}
	der, err := r.sign(s.Rand, r.id(serial, crypto.SHA256, false), st, at)
	if err != nil {
		return nil, state{}, err
	}
	if s.answers == nil {
		s.answers = map[answerID]answer{}
	}
	s.answers[key] = answer{der: der, produced: at, state: st}
	return der, st, nil
}

// digests are those of the authority's name and of its key's bits.
func (r *Register) digests(hash crypto.Hash) (id certID) {
	id.hash = hash
	spki := cryptobyte.String(r.Authority.RawSubjectPublicKeyInfo)
	var in cryptobyte.String
	var key asn1.BitString
	// The certificate was parsed before: its key is there.
	_ = spki.ReadASN1(&in, casn1.SEQUENCE) && in.SkipASN1(casn1.SEQUENCE) && in.ReadASN1BitString(&key)
	if hash == crypto.SHA1 {
		name, bits := sha1.Sum(r.Authority.RawSubject), sha1.Sum(key.RightAlign())
		id.name, id.key = name[:], bits[:]
		return id
	}
	name, bits := sha256.Sum256(r.Authority.RawSubject), sha256.Sum256(key.RightAlign())
	id.name, id.key = name[:], bits[:]
	return id
}

// id names a certificate of this register. Programs write the algorithm with a NULL behind it or without: by whichever way they ask, the
// answer repeats it.
func (r *Register) id(serial *big.Int, hash crypto.Hash, null bool) certID {
	id := r.digests(hash)
	id.serial = serial
	oid := oidSHA256
	if hash == crypto.SHA1 {
		oid = oidSHA1
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			if null {
				b.AddASN1(casn1.NULL, func(*cryptobyte.Builder) {})
			}
		})
		b.AddASN1OctetString(id.name)
		b.AddASN1OctetString(id.key)
		b.AddASN1BigInt(serial)
	})
	id.raw = b.BytesOrPanic() // of digests and a number
	return id
}

// sign makes an answer (BasicOCSPResponse in an OCSPResponse, RFC 6960, 4.2.1).
func (r *Register) sign(rand io.Reader, id certID, st state, at time.Time) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // ResponseData
		b.AddASN1(tagContext1, func(b *cryptobyte.Builder) { b.AddBytes(r.Responder.RawSubject) }) // ResponderID, byName
		b.AddASN1GeneralizedTime(at)
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { addSingleResponse(b, id, st, at) })
	})
	data, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("signer: ocsp: %w", err)
	}
	if !allP256(r.Responder) {
		return nil, errors.New("signer: ocsp: the responder's key is not on P-256")
	}
	hash := sha256.Sum256(data)
	signature, err := r.ResponderKey.Sign(rand, hash[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signer: ocsp: private key: %w", err)
	}
	var basic cryptobyte.Builder
	basic.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(data)
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidECDSAWithSHA256) })
		b.AddASN1BitString(signature)
		b.AddASN1(tagContext0, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(r.Responder.Raw) })
		})
	})
	inner, err := basic.Bytes()
	if err != nil {
		return nil, fmt.Errorf("signer: ocsp: %w", err)
	}
	var out cryptobyte.Builder
	out.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0) // successful
		b.AddASN1(tagContext0, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOCSPBasic)
				b.AddASN1OctetString(inner)
			})
		})
	})
	return out.Bytes()
}

func addSingleResponse(b *cryptobyte.Builder, id certID, st state, at time.Time) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(id.raw)
		switch {
		case st.revoked != nil:
			b.AddASN1(tagContext1, func(b *cryptobyte.Builder) {
				b.AddASN1GeneralizedTime(st.revoked.At.UTC().Truncate(time.Second))
				if st.revoked.Reason != 0 { // 0 is "unspecified", which should be left out: RFC 5280, 5.3.1
					b.AddASN1(tagContext0, func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(st.revoked.Reason)) })
				}
			})
		case st.unknown:
			b.AddASN1(casn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
		default:
			b.AddASN1(casn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
		}
		b.AddASN1GeneralizedTime(at)
		b.AddASN1(tagContext0, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(at.Add(answerValid)) })
	})
}

// responderFits says whether a certificate may answer for an authority.
func responderFits(responder, authority *x509.Certificate, key crypto.Signer) error {
	if err := fits(key, responder); err != nil {
		return err
	}
	if err := responder.CheckSignatureFrom(authority); err != nil {
		return err
	}
	if len(responder.ExtKeyUsage) != 1 || responder.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning {
		return errors.New("OCSP signing is not its only extended key usage")
	}
	return nil
}
