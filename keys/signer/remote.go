package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	_ "crypto/sha512" // digests of others' signatures
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// MaxStampReply is the most that is read of an answer of an authority elsewhere, in bytes: a token with its whole chain takes about 6,000.
const MaxStampReply = 16 << 10

// maxSkew is how far another authority's clock may be from ours.
const maxSkew = 5 * time.Second

// Ask carries a request, DER, to somebody and gives the answer. Whoever writes one sets a deadline and bounds what is read.
type Ask func(ctx context.Context, request []byte) ([]byte, error)

// Remote is a time-stamp authority elsewhere (RFC 3161). What it gives is believed only after its imprint, nonce, policy, time, signature
// and chain were checked; without it nothing is signed. All fields but Policy and OCSP are required. It may be used by several goroutines.
type Remote struct {
	Ask    Ask
	Roots  *keys.Roots // that may end the chain of a time stamp
	Policy x509.OID    // zero: whichever the authority has
	OCSP   Ask         // asks whether its certificates were revoked; nil: nobody can be asked
	Now    func() time.Time
	Rand   io.Reader

	mu      sync.Mutex
	answers map[string]remoteAnswer // by serial number
}

// Why a time stamp of another authority is refused.
var (
	ErrStampReply   = errors.New("signer: the time-stamp authority's answer cannot be read")
	ErrStampRefused = errors.New("signer: the time-stamp authority refuses")
	ErrStampImprint = errors.New("signer: the time stamp is over something else")
	ErrStampNonce   = errors.New("signer: the time stamp answers another request")
	ErrStampPolicy  = errors.New("signer: the time stamp has another policy")
	ErrStampSkew    = errors.New("signer: the time stamp's clock is not ours")
	ErrStampForged  = errors.New("signer: the time stamp's signature does not verify")
	ErrStampChain   = errors.New("signer: the time stamp is by nobody whom we trust")
)

// Stamp implements Stamper. The authority has its own clock.
func (r *Remote) Stamp(ctx context.Context, digest []byte, _ time.Time) ([]byte, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("signer: time stamp: %d bytes are no SHA-256 digest", len(digest))
	}
	nonce, err := newSerial(r.Rand)
	if err != nil {
		return nil, err
	}
	var policy []byte
	if der, err := r.Policy.MarshalBinary(); err == nil {
		policy = der
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addImprint(b, digest)
		if policy != nil {
			b.AddASN1(casn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(policy) })
		}
		b.AddASN1BigInt(nonce)
		b.AddASN1Boolean(true) // with certificates
	})
	request, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("signer: time stamp: %w", err)
	}
	reply, err := r.Ask(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("signer: time stamp: %w", err)
	}
	token, err := readStampReply(reply)
	if err != nil {
		return nil, err
	}
	return token, r.check(token, digest, nonce, policy)
}

// readStampReply reads a TimeStampResp.
func readStampReply(der []byte) (token []byte, err error) {
	in := cryptobyte.String(der)
	var reply, info, raw cryptobyte.String
	var status int
	if len(der) > MaxStampReply || !in.ReadASN1(&reply, casn1.SEQUENCE) || !in.Empty() ||
		!reply.ReadASN1(&info, casn1.SEQUENCE) || !info.ReadASN1Integer(&status) {
		return nil, ErrStampReply
	}
	if status != statusGranted && status != 1 { // 1: granted with modifications, which are looked for below
		return nil, fmt.Errorf("%w: status %d", ErrStampRefused, status)
	}
	if !reply.ReadASN1Element(&raw, casn1.SEQUENCE) || !reply.Empty() {
		return nil, ErrStampReply
	}
	return raw, nil
}

func (r *Remote) check(token, digest []byte, nonce *big.Int, policy []byte) error {
	t, err := readSigned(token)
	if err != nil || t.content == nil {
		return ErrStampReply
	}
	switch {
	case !bytes.Equal(t.info.imprint, digest):
		return ErrStampImprint
	case t.info.nonce == nil || t.info.nonce.Cmp(nonce) != 0:
		return ErrStampNonce
	case policy != nil && !bytes.Equal(t.info.policy, append([]byte{byte(casn1.OBJECT_IDENTIFIER), byte(len(policy))}, policy...)):
		return ErrStampPolicy
	}
	if skew := t.at.Sub(r.Now()).Abs(); skew > maxSkew {
		return fmt.Errorf("%w: %s apart", ErrStampSkew, skew)
	}
	leaf, bag, err := t.signer()
	if err != nil {
		return ErrStampReply
	}
	if _, err := r.Roots.Chain(keys.TimeStamping, leaf, bag, t.at); err != nil {
		return fmt.Errorf("%w: %v", ErrStampChain, err)
	}
	return t.verify(leaf)
}

// How others sign. A digest of less than 256 bits is no time stamp for us.
var (
	remoteDigests = map[string]crypto.Hash{
		"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}
	remoteRSA = map[crypto.Hash]x509.SignatureAlgorithm{
		crypto.SHA256: x509.SHA256WithRSA, crypto.SHA384: x509.SHA384WithRSA, crypto.SHA512: x509.SHA512WithRSA,
	}
	remoteECDSA = map[crypto.Hash]x509.SignatureAlgorithm{
		crypto.SHA256: x509.ECDSAWithSHA256, crypto.SHA384: x509.ECDSAWithSHA384, crypto.SHA512: x509.ECDSAWithSHA512,
	}
)

// verify checks the signature of a token: that the signed attributes are over its content, and name the certificate whose key signed them.
func (t *signedData) verify(leaf *x509.Certificate) error {
	in := cryptobyte.String(t.afterSID)
	var digestAlgorithm, attributes, signatureAlgorithm, signature cryptobyte.String
	var digestOID, signatureOID asn1.ObjectIdentifier
	if !in.ReadASN1(&digestAlgorithm, casn1.SEQUENCE) || !digestAlgorithm.ReadASN1ObjectIdentifier(&digestOID) ||
		!in.ReadASN1(&attributes, tagContext0) || !in.ReadASN1(&signatureAlgorithm, casn1.SEQUENCE) ||
		!signatureAlgorithm.ReadASN1ObjectIdentifier(&signatureOID) || !in.ReadASN1(&signature, casn1.OCTET_STRING) {
		return ErrStampReply
	}
	hash, ok := remoteDigests[digestOID.String()]
	if !ok {
		return fmt.Errorf("%w: digest %s", ErrStampForged, digestOID)
	}
	var set cryptobyte.Builder
	set.AddASN1(casn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
	signed, err := set.Bytes()
	if err != nil {
		return ErrStampReply
	}
	h := hash.New()
	h.Write(t.content)
	want := h.Sum(nil)
	var over, named bool
	for rest := attributes; !rest.Empty(); {
		var attribute, values, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !rest.ReadASN1(&attribute, casn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&oid) || !attribute.ReadASN1(&values, casn1.SET) {
			return ErrStampReply
		}
		switch {
		case oid.Equal(oidMessageDigest):
			if !values.ReadASN1(&value, casn1.OCTET_STRING) || !bytes.Equal(value, want) {
				return fmt.Errorf("%w: message digest", ErrStampForged)
			}
			over = true
		case oid.Equal(oidSigningCertV2):
			// ESSCertIDv2 (RFC 5035): whichever of the three it is by, nothing else in there is as long and fits.
			for _, by := range remoteDigests {
				h := by.New()
				h.Write(leaf.Raw)
				named = named || bytes.Contains(values, h.Sum(nil))
			}
		case oid.Equal(oidSigningCert):
			named = named || len(values) > 0 // by SHA-1 (RFC 2634): it says which was meant, and proves nothing; chain and key do
		}
	}
	algorithm, ok := remoteRSA[hash]
	if leaf.PublicKeyAlgorithm == x509.ECDSA {
		algorithm, ok = remoteECDSA[hash]
	}
	if !ok || !over || !named {
		return fmt.Errorf("%w: attributes", ErrStampForged)
	}
	if err := leaf.CheckSignature(algorithm, signed, signature); err != nil {
		return fmt.Errorf("%w: %v", ErrStampForged, err)
	}
	return nil
}

// oidSigningCert is id-aa-signingCertificate, RFC 2634.
var oidSigningCert = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}

type remoteAnswer struct {
	der   []byte
	asked time.Time
	until time.Time
}

// Evidence implements Witness for the authority's own chain: what its OCSP responder says, asked for again each hour. Where nobody can be
// asked, it is the certificates alone.
func (r *Remote) Evidence(ctx context.Context, chain []*x509.Certificate, at time.Time) (Evidence, error) {
	e := Evidence{Certificates: chain}
	if r.OCSP == nil {
		return e, nil
	}
	for i, c := range chain[:max(0, len(chain)-1)] {
		if noCheck(c) {
			continue
		}
		der, err := r.answer(ctx, c, chain[i+1], at)
		if err != nil {
			return e, err
		}
		e.OCSPs = append(e.OCSPs, der)
	}
	return e, nil
}

func noCheck(c *x509.Certificate) bool {
	for _, x := range c.Extensions {
		if x.Id.Equal(oidOCSPNoCheck) {
			return true
		}
	}
	return false
}

func (r *Remote) answer(ctx context.Context, c, issuer *x509.Certificate, at time.Time) ([]byte, error) {
	id := string(c.RawIssuer) + string(c.SerialNumber.Bytes())
	r.mu.Lock()
	kept, ok := r.answers[id]
	r.mu.Unlock()
	if ok && at.Before(kept.asked.Add(answerRepeat)) && at.Before(kept.until) {
		return kept.der, nil
	}
	request, err := ocsp.CreateRequest(c, issuer, nil)
	if err != nil {
		return nil, fmt.Errorf("signer: ocsp: %w", err)
	}
	der, err := r.OCSP(ctx, request)
	if err != nil {
		if ok && at.Before(kept.until) {
			return kept.der, nil // it still holds; the next signature asks again
		}
		return nil, fmt.Errorf("signer: ocsp of %q: %w", c.Subject.CommonName, err)
	}
	answer, err := ocsp.ParseResponseForCert(der, c, issuer)
	switch {
	case err != nil:
		return nil, fmt.Errorf("signer: ocsp of %q: %w", c.Subject.CommonName, err)
	case answer.Status == ocsp.Revoked:
		return nil, fmt.Errorf("%w: %q", ErrRevoked, c.Subject.CommonName)
	case answer.Status != ocsp.Good:
		return nil, fmt.Errorf("signer: ocsp of %q: status %d", c.Subject.CommonName, answer.Status)
	case answer.ThisUpdate.After(at.Add(maxSkew)), !answer.NextUpdate.IsZero() && answer.NextUpdate.Before(at):
		return nil, fmt.Errorf("signer: ocsp of %q: not of this time", c.Subject.CommonName)
	}
	until := answer.NextUpdate
	if until.IsZero() {
		until = answer.ThisUpdate.Add(answerRepeat)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil || len(r.answers) >= 16 {
		r.answers = map[string]remoteAnswer{}
	}
	r.answers[id] = remoteAnswer{der, at, until}
	return der, nil
}

// stampedElsewhere vouches for our chains by our own status, and for the other authority's by what it says itself.
type stampedElsewhere struct {
	own    *Status
	remote *Remote
}

func (w stampedElsewhere) Evidence(ctx context.Context, chain []*x509.Certificate, at time.Time) (Evidence, error) {
	if w.own.register(chain[len(chain)-1]) != nil {
		return w.own.Evidence(ctx, chain, at)
	}
	return w.remote.Evidence(ctx, chain, at)
}

// StampedBy lets an authority elsewhere stamp what a signer of ours signs. The signer's roots must be those of both.
func (p *PDFSigner) StampedBy(r *Remote) error {
	own, ok := p.Witness.(*Status)
	if !ok {
		return errors.New("signer: stamped elsewhere: who vouches for the signer is missing")
	}
	for _, who := range append([]*PDFSigner{p}, whoLater(p.later)...) {
		who.Stamper, who.Witness, who.Roots, who.Room = r, stampedElsewhere{own, r}, r.Roots, foreignRoom
	}
	return nil
}

func whoLater(turns []turn[*PDFSigner]) (all []*PDFSigner) {
	for _, t := range turns {
		all = append(all, t.who)
	}
	return all
}
