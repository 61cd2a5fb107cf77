package signer

import (
	"bytes"
	"crypto"
	"crypto/sha1" // only to recognise an authority by the name that an OCSP request gives it; it protects nothing
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
	oidOCSPNonce   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidSHA1        = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
)

// Limits of a request.
const (
	MaxOCSPRequest = 2048 // bytes
	maxOCSPCerts   = 4    // certificates that one request may ask about
	maxOCSPNonce   = 32   // bytes, RFC 8954
	maxNonces      = 200  // answers a second that are made for one asker alone; beyond, he is told to try later
)

// Statuses of an answer that says nothing, RFC 6960, 4.2.1.
const (
	ocspMalformed    = 1
	ocspInternal     = 2
	ocspTryLater     = 3
	ocspUnauthorized = 6
)

// certID is what a request asks about, RFC 6960, 4.1.1.
type certID struct {
	raw    []byte // as asked, to be repeated
	hash   crypto.Hash
	name   []byte // digest of the authority's name
	key    []byte // digest of its key
	serial *big.Int
}

// answerID is by what an answer is kept: a question about a certificate of ours can be written in four ways.
type answerID struct{ register, question string }

type answer struct {
	der      []byte
	produced time.Time
	state    state
}

// budget counts what is made in one second.
type budget struct {
	second int64
	made   int
}

func (b *budget) take(now time.Time, most int) bool {
	if s := now.Unix(); s != b.second {
		b.second, b.made = s, 0
	}
	b.made++
	return b.made <= most
}

// Answer answers an OCSP request. It always gives an OCSPResponse; until says how long it may be given again to whoever asks the same,
// and is zero if it must not be.
// An error is for us to know: the asker got an answer.
func (s *Status) Answer(request []byte, now time.Time) (der []byte, until time.Time, err error) {
	ids, nonce, ok := readOCSPRequest(request)
	if !ok {
		return ocspFailure(ocspMalformed), time.Time{}, nil
	}
	var r *Register
	for _, id := range ids {
		found := s.asked(id)
		if found == nil || r != nil && r != found { // one answer has one signer, who speaks for one authority
			return ocspFailure(ocspUnauthorized), time.Time{}, nil
		}
		r = found
	}
	if r.Responder == nil || r.ResponderKey == nil {
		return ocspFailure(ocspUnauthorized), time.Time{}, nil
	}
	now = now.UTC().Truncate(time.Second)
	if nonce == nil && len(ids) == 1 {
		a, err := s.kept(r, ids[0], now, func(a answer) bool {
			age := now.Sub(a.produced)
			return age >= 0 && age < answerRepeat
		})
		if err != nil {
			return ocspFailure(ocspInternal), time.Time{}, err
		}
		return a.der, a.produced.Add(answerRepeat), nil
	}
	s.mu.Lock()
	enough := !s.nonces.take(now, maxNonces)
	s.mu.Unlock()
	if enough {
		return ocspFailure(ocspTryLater), time.Time{}, nil
	}
	var states []state
	for _, id := range ids {
		st, err := s.state(r, id.serial, now)
		if err != nil {
			return ocspFailure(ocspInternal), time.Time{}, err
		}
		states = append(states, st)
	}
	if der, err = r.sign(s.Rand, ids, states, nonce, now); err != nil {
		return ocspFailure(ocspInternal), time.Time{}, err
	}
	return der, time.Time{}, nil
}

// fresh gives an answer that was produced in the second of at.
func (s *Status) fresh(r *Register, serial *big.Int, at time.Time) ([]byte, state, error) {
	if r.Responder == nil || r.ResponderKey == nil {
		return nil, state{}, fmt.Errorf("signer: nobody answers for %s", r.Name)
	}
	at = at.UTC().Truncate(time.Second)
	a, err := s.kept(r, r.id(serial), at, func(a answer) bool { return a.produced.Equal(at) })
	return a.der, a.state, err
}

// kept gives the answer that is kept, if it still says what is so and is good enough, or makes one.
func (s *Status) kept(r *Register, id certID, at time.Time, enough func(answer) bool) (answer, error) {
	st, err := s.state(r, id.serial, at)
	if err != nil {
		return answer{}, err
	}
	key := answerID{r.Name, string(id.raw)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.answers[key]; ok && (a.state.revoked == nil) == (st.revoked == nil) && enough(a) {
		return a, nil
	}
	der, err := r.sign(s.Rand, []certID{id}, []state{st}, nil, at)
	if err != nil {
		return answer{}, err
	}
	a := answer{der: der, produced: at, state: st}
	if !st.unknown { // or an asker could fill our memory with numbers
		if s.answers == nil {
			s.answers = map[answerID]answer{}
		}
		s.answers[key] = a
	}
	return a, nil
}

// asked finds the authority of a request.
func (s *Status) asked(id certID) *Register {
	for i := range s.Registers {
		r := &s.Registers[i]
		own := r.digests(id.hash)
		if bytes.Equal(own.name, id.name) && bytes.Equal(own.key, id.key) {
			return r
		}
	}
	return nil
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

// id names a certificate of this register, by SHA-256.
func (r *Register) id(serial *big.Int) certID {
	id := r.digests(crypto.SHA256)
	id.serial = serial
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addSHA256(b)
		b.AddASN1OctetString(id.name)
		b.AddASN1OctetString(id.key)
		b.AddASN1BigInt(serial)
	})
	id.raw = b.BytesOrPanic() // of digests and a number
	return id
}

// sign makes an answer (BasicOCSPResponse in an OCSPResponse, RFC 6960, 4.2.1).
func (r *Register) sign(rand io.Reader, ids []certID, states []state, nonce []byte, at time.Time) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // ResponseData
		b.AddASN1(tagContext1, func(b *cryptobyte.Builder) { b.AddBytes(r.Responder.RawSubject) }) // ResponderID, byName
		b.AddASN1GeneralizedTime(at)
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for i := range ids {
				addSingleResponse(b, ids[i], states[i], at)
			}
		})
		if nonce != nil {
			b.AddASN1(tagContext1, func(b *cryptobyte.Builder) {
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidOCSPNonce)
						b.AddASN1(casn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
					})
				})
			})
		}
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

// ocspFailure is an answer that has nothing but its status, unsigned.
func ocspFailure(status int64) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Enum(status) })
	return b.BytesOrPanic() // of one number
}

// readOCSPRequest reads what is asked. A signature of the asker is passed over: everybody gets the same answers.
func readOCSPRequest(der []byte) (ids []certID, nonce []byte, ok bool) {
	in := cryptobyte.String(der)
	var request, tbs, list cryptobyte.String
	var version int64
	if len(der) > MaxOCSPRequest || !in.ReadASN1(&request, casn1.SEQUENCE) || !in.Empty() || !request.ReadASN1(&tbs, casn1.SEQUENCE) ||
		!request.SkipOptionalASN1(tagContext0) || !request.Empty() ||
		!tbs.ReadOptionalASN1Integer(&version, tagContext0, int64(0)) || version != 0 ||
		!tbs.SkipOptionalASN1(tagContext1) || // requestorName
		!tbs.ReadASN1(&list, casn1.SEQUENCE) {
		return nil, nil, false
	}
	for !list.Empty() {
		var one, raw cryptobyte.String
		if len(ids) == maxOCSPCerts || !list.ReadASN1(&one, casn1.SEQUENCE) || !one.ReadASN1Element(&raw, casn1.SEQUENCE) ||
			!one.SkipOptionalASN1(tagContext0) || !one.Empty() {
			return nil, nil, false
		}
		id, ok := readCertID(raw)
		if !ok {
			return nil, nil, false
		}
		ids = append(ids, id)
	}
	var wrapped, extensions cryptobyte.String
	var has bool
	if len(ids) == 0 || !tbs.ReadOptionalASN1(&wrapped, &has, tagContext2) || !tbs.Empty() {
		return nil, nil, false
	}
	if !has {
		return ids, nil, true
	}
	if !wrapped.ReadASN1(&extensions, casn1.SEQUENCE) || !wrapped.Empty() {
		return nil, nil, false
	}
	for !extensions.Empty() {
		var extension, value, octets cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !extensions.ReadASN1(&extension, casn1.SEQUENCE) || !extension.ReadASN1ObjectIdentifier(&oid) ||
			extension.PeekASN1Tag(casn1.BOOLEAN) && !extension.ReadASN1Boolean(&critical) ||
			!extension.ReadASN1(&value, casn1.OCTET_STRING) || !extension.Empty() {
			return nil, nil, false
		}
		switch {
		case oid.Equal(oidOCSPNonce):
			// A nonce is an OCTET STRING in the extension's; of another length it is refused (RFC 8954, 2.1).
			if nonce != nil || !value.ReadASN1(&octets, casn1.OCTET_STRING) || !value.Empty() || len(octets) == 0 || len(octets) > maxOCSPNonce {
				return nil, nil, false
			}
			nonce = octets
		case critical:
			return nil, nil, false
		}
	}
	return ids, nonce, true
}

var tagContext2 = casn1.Tag(2).ContextSpecific().Constructed()

func readCertID(raw cryptobyte.String) (id certID, ok bool) {
	id.raw = raw
	var in, algorithm, parameters, name, key cryptobyte.String
	var oid asn1.ObjectIdentifier
	id.serial = new(big.Int)
	if !raw.ReadASN1(&in, casn1.SEQUENCE) || !in.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!algorithm.Empty() && (!algorithm.ReadASN1(&parameters, casn1.NULL) || !parameters.Empty() || !algorithm.Empty()) ||
		!in.ReadASN1(&name, casn1.OCTET_STRING) || !in.ReadASN1(&key, casn1.OCTET_STRING) ||
		!in.ReadASN1Integer(id.serial) || !in.Empty() || id.serial.Sign() <= 0 || id.serial.BitLen() > 160 {
		return id, false
	}
	switch {
	case oid.Equal(oidSHA256) && len(name) == sha256.Size && len(key) == sha256.Size:
		id.hash = crypto.SHA256
	case oid.Equal(oidSHA1) && len(name) == sha1.Size && len(key) == sha1.Size:
		id.hash = crypto.SHA1
	default:
		return id, false
	}
	id.name, id.key = name, key
	return id, true
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
