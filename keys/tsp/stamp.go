package tsp

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
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/tesdiq/tesdiq/keys"
)

// MaxReply is the most that is read of an answer of an authority elsewhere, in bytes: a token with its whole chain takes about 6,000.
const MaxReply = 16 << 10

// MaxSkew is how far another authority's clock may be from ours.
const MaxSkew = 5 * time.Second

// Ask carries a request, DER, to somebody and gives the answer. Whoever writes one sets a deadline and bounds what is read.
type Ask func(ctx context.Context, request []byte) ([]byte, error)

// Client asks a time-stamp authority. What it gives is believed only after its imprint, nonce, policy, time, signature and chain were checked.
// All fields but Policy are required. It may be used by several goroutines if Rand may.
type Client struct {
	Ask    Ask
	Roots  *keys.Roots // that may end the chain of a time stamp
	Policy x509.OID    // zero: whichever the authority has
	Now    func() time.Time
	Rand   io.Reader
}

// Why a time stamp of another authority is refused.
var (
	ErrReply   = errors.New("tsp: the time-stamp authority's answer cannot be read")
	ErrRefused = errors.New("tsp: the time-stamp authority refuses")
	ErrImprint = errors.New("tsp: the time stamp is over something else")
	ErrNonce   = errors.New("tsp: the time stamp answers another request")
	ErrPolicy  = errors.New("tsp: the time stamp has another policy")
	ErrSkew    = errors.New("tsp: the time stamp's clock is not ours")
	ErrForged  = errors.New("tsp: the time stamp's signature does not verify")
	ErrChain   = errors.New("tsp: the time stamp is by nobody whom we trust")
)

// Stamp gets a TimeStampToken over a SHA-256 digest, DER.
func (r Client) Stamp(ctx context.Context, digest []byte) ([]byte, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("tsp: %d bytes are no SHA-256 digest", len(digest))
	}
	random := make([]byte, 16)
	if _, err := io.ReadFull(r.Rand, random); err != nil {
		return nil, fmt.Errorf("tsp: nonce: %w", err)
	}
	random[0] = random[0]&0x3f | 0x40 // positive, and always 16 bytes
	nonce := new(big.Int).SetBytes(random)
	var policy []byte
	if der, err := r.Policy.MarshalBinary(); err == nil {
		policy = der
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // MessageImprint
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidSHA256) })
			b.AddASN1OctetString(digest)
		})
		if policy != nil {
			b.AddASN1(casn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(policy) })
		}
		b.AddASN1BigInt(nonce)
		b.AddASN1Boolean(true) // with certificates
	})
	request, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("tsp: %w", err)
	}
	reply, err := r.Ask(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("tsp: %w", err)
	}
	token, err := readReply(reply)
	if err != nil {
		return nil, err
	}
	return token, r.check(token, digest, nonce, policy)
}

// readReply reads a TimeStampResp.
func readReply(der []byte) (token []byte, err error) {
	in := cryptobyte.String(der)
	var reply, info, raw cryptobyte.String
	var status int
	if len(der) > MaxReply || !in.ReadASN1(&reply, casn1.SEQUENCE) || !in.Empty() ||
		!reply.ReadASN1(&info, casn1.SEQUENCE) || !info.ReadASN1Integer(&status) {
		return nil, ErrReply
	}
	if status != 0 && status != 1 { // 0: granted; 1: granted with modifications, which are looked for below
		return nil, fmt.Errorf("%w: status %d", ErrRefused, status)
	}
	if !reply.ReadASN1Element(&raw, casn1.SEQUENCE) || !reply.Empty() {
		return nil, ErrReply
	}
	return raw, nil
}

func (r Client) check(token, digest []byte, nonce *big.Int, policy []byte) error {
	t, err := Read(token)
	if err != nil || t.content == nil {
		return ErrReply
	}
	switch {
	case !bytes.Equal(t.info.imprint, digest):
		return ErrImprint
	case t.info.nonce == nil || t.info.nonce.Cmp(nonce) != 0:
		return ErrNonce
	case policy != nil && !bytes.Equal(t.info.policy, append([]byte{byte(casn1.OBJECT_IDENTIFIER), byte(len(policy))}, policy...)):
		return ErrPolicy
	}
	if skew := t.At.Sub(r.Now()).Abs(); skew > MaxSkew {
		return fmt.Errorf("%w: %s apart", ErrSkew, skew)
	}
	_, err = t.trusted(r.Roots)
	return err
}

// trusted checks a token's signature and that its signer is one of those whose time stamps are believed.
func (t *Signed) trusted(roots *keys.Roots) ([]*x509.Certificate, error) {
	leaf, bag, err := t.Signer()
	if err != nil {
		return nil, ErrReply
	}
	chain, err := roots.Chain(keys.TimeStamping, leaf, bag, t.At)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrChain, err)
	}
	return chain, t.verify(leaf)
}

// Verify says when a token's authority, one of those that end at roots, saw a SHA-256 digest. It asks nobody.
func Verify(token, digest []byte, roots *keys.Roots) (time.Time, error) {
	t, err := Read(token)
	if err != nil || t.content == nil {
		return time.Time{}, ErrReply
	}
	if !bytes.Equal(t.info.imprint, digest) {
		return time.Time{}, ErrImprint
	}
	if _, err := t.trusted(roots); err != nil {
		return time.Time{}, err
	}
	return t.At, nil
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
	// How each may be named: also by the key's own algorithm (RFC 3370, 3.2; some do so with ECDSA).
	remoteNames = map[x509.SignatureAlgorithm][]string{
		x509.SHA256WithRSA: {"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"}, x509.SHA384WithRSA: {"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.12"},
		x509.SHA512WithRSA: {"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.13"}, x509.ECDSAWithSHA256: {"1.2.840.10045.2.1", "1.2.840.10045.4.3.2"},
		x509.ECDSAWithSHA384: {"1.2.840.10045.2.1", "1.2.840.10045.4.3.3"}, x509.ECDSAWithSHA512: {"1.2.840.10045.2.1", "1.2.840.10045.4.3.4"},
	}
)

// Versions of a SignedData over something that is no plain data, and of a SignerInfo that names issuer and serial number (RFC 5652, 5.1 and 5.3).
const (
	signedVersion = 3
	infoVersion   = 1
)

// names says whether the digest algorithm is among those that are listed before the content, where no signature is over them.
func (t *Signed) names(digest asn1.ObjectIdentifier) bool {
	for rest := cryptobyte.String(t.digests); !rest.Empty(); {
		var one cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !rest.ReadASN1(&one, casn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&oid) {
			return false
		}
		if oid.Equal(digest) {
			return true
		}
	}
	return false
}

// verify checks the signature of a token: that the signed attributes are over its content, and name the certificate whose key signed them.
func (t *Signed) verify(leaf *x509.Certificate) error {
	in := cryptobyte.String(t.afterSID)
	var digestAlgorithm, attributes, signatureAlgorithm, signature cryptobyte.String
	var digestOID, signatureOID asn1.ObjectIdentifier
	if !in.ReadASN1(&digestAlgorithm, casn1.SEQUENCE) || !digestAlgorithm.ReadASN1ObjectIdentifier(&digestOID) ||
		!in.ReadASN1(&attributes, tagContext0) || !in.ReadASN1(&signatureAlgorithm, casn1.SEQUENCE) ||
		!signatureAlgorithm.ReadASN1ObjectIdentifier(&signatureOID) || !in.ReadASN1(&signature, casn1.OCTET_STRING) {
		return ErrReply
	}
	hash, ok := remoteDigests[digestOID.String()]
	if !ok {
		return fmt.Errorf("%w: digest %s", ErrForged, digestOID)
	}
	var set cryptobyte.Builder
	set.AddASN1(casn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
	signed, err := set.Bytes()
	if err != nil {
		return ErrReply
	}
	h := hash.New()
	h.Write(t.content)
	want := h.Sum(nil)
	var over, named bool
	for rest := attributes; !rest.Empty(); {
		var attribute, values, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !rest.ReadASN1(&attribute, casn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&oid) || !attribute.ReadASN1(&values, casn1.SET) {
			return ErrReply
		}
		switch {
		case oid.Equal(oidMessageDigest):
			if !values.ReadASN1(&value, casn1.OCTET_STRING) || !bytes.Equal(value, want) {
				return fmt.Errorf("%w: message digest", ErrForged)
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
	if !ok || !over || !named || !slices.Contains(remoteNames[algorithm], signatureOID.String()) || !t.names(digestOID) ||
		t.version != signedVersion || t.infoVersion != infoVersion {
		return fmt.Errorf("%w: attributes", ErrForged)
	}
	if err := leaf.CheckSignature(algorithm, signed, signature); err != nil {
		return fmt.Errorf("%w: %v", ErrForged, err)
	}
	return nil
}
