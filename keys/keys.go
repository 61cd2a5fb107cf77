// Package keys says which certificates are trusted, for what, and when they were valid: it builds chains to pinned roots only.
// It holds no private key, asks no network, and cannot sign; private keys are in keys/signer.
package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Purpose is what a certificate is asked to do.
type Purpose int

const (
	// DocumentSigning asks for a signer of documents: key usage digitalSignature or nonRepudiation,
	// extended key usage id-kp-documentSigning (RFC 9336).
	DocumentSigning Purpose = iota + 1
	// TimeStamping asks for a time-stamp signer: extended key usage timeStamping, critical and alone (RFC 3161, 2.3).
	TimeStamping
)

// OIDDocumentSigning is id-kp-documentSigning, RFC 9336.
var OIDDocumentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// Why a certificate is not accepted. Chain wraps exactly one of them.
var (
	ErrNoChain     = errors.New("no chain to a pinned root")
	ErrNotYetValid = errors.New("not yet valid at that time")
	ErrExpired     = errors.New("no longer valid at that time")
	ErrPurpose     = errors.New("not issued for this purpose")
	ErrWeak        = errors.New("key or signature algorithm too weak")
)

// Limits of what is read.
const (
	maxRoots = 64      // anchors in one file
	maxPEM   = 1 << 20 // bytes of one file of anchors
	maxBag   = 8       // certificates that come with a signature; ours bring two
	maxChain = 5       // certificates from signer to root
)

// Roots are the pinned anchors: nothing else ever ends a chain, whatever comes with a signature.
// A Roots may be shared by goroutines.
type Roots struct {
	certs []*x509.Certificate
	pool  *x509.CertPool
	// Anchors that end chains of time stamps and of nothing else: an authority elsewhere dates our documents and cannot make any.
	stamps    []*x509.Certificate
	stampPool *x509.CertPool // of both

	// Chains that were found, by everything they depend on but the time, which is compared each time. The same few certificates
	// sign millions of documents, and building their chains costs more than the signatures themselves.
	mu    sync.RWMutex
	found map[[sha256.Size]byte][]*x509.Certificate
}

// maxFound bounds the chains that are kept; beyond it all are forgotten. Only chains to our own roots are ever kept.
const maxFound = 256

// TimeStampBlock is the PEM type of an anchor for time stamps alone. Programs that know no such limit pass it over.
const TimeStampBlock = "TIME STAMP CERTIFICATE"

// ParseRoots reads anchors from PEM. Every block must be a self-signed CA certificate, of type CERTIFICATE or TimeStampBlock; text between
// blocks is allowed.
func ParseRoots(data []byte) (*Roots, error) {
	if len(data) > maxPEM {
		return nil, fmt.Errorf("keys: roots: more than %d bytes", maxPEM)
	}
	var certs, stamps []*x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			if bytes.Contains(rest, []byte("-----BEGIN ")) {
				return nil, errors.New("keys: roots: a PEM block cannot be read")
			}
			break
		}
		if block.Type != "CERTIFICATE" && block.Type != TimeStampBlock {
			return nil, fmt.Errorf("keys: roots: a %q block, only CERTIFICATE belongs here", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("keys: roots: certificate %d: %w", len(certs)+len(stamps)+1, err)
		}
		if block.Type == TimeStampBlock {
			stamps = append(stamps, cert)
		} else {
			certs = append(certs, cert)
		}
		if len(certs)+len(stamps) > maxRoots {
			return nil, fmt.Errorf("keys: roots: more than %d certificates", maxRoots)
		}
	}
	r, err := NewRoots(certs...)
	if err != nil {
		return nil, err
	}
	return r.WithTimeStamps(stamps...)
}

// NewRoots pins certs.
func NewRoots(certs ...*x509.Certificate) (*Roots, error) {
	if len(certs) == 0 {
		return nil, errors.New("keys: roots: no certificate")
	}
	r := &Roots{pool: x509.NewCertPool(), stampPool: x509.NewCertPool(), found: map[[sha256.Size]byte][]*x509.Certificate{}}
	for _, c := range certs {
		if err := r.anchor(c); err != nil {
			return nil, err
		}
		r.certs = append(r.certs, c)
		r.pool.AddCert(c)
	}
	return r, nil
}

// WithTimeStamps pins, besides those of r, anchors for time stamps alone.
func (r *Roots) WithTimeStamps(certs ...*x509.Certificate) (*Roots, error) {
	more, err := NewRoots(r.certs...)
	if err != nil {
		return nil, err
	}
	for _, c := range append(slices.Clone(r.stamps), certs...) {
		if err := more.anchor(c); err != nil {
			return nil, err
		}
		more.stamps = append(more.stamps, c)
	}
	return more, nil
}

// anchor judges a certificate that is to be pinned, and pins it for time stamps.
func (r *Roots) anchor(c *x509.Certificate) error {
	switch {
	case !c.IsCA || !c.BasicConstraintsValid || c.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("keys: roots: %q is not a certification authority", c.Subject.CommonName)
	case !bytes.Equal(c.RawIssuer, c.RawSubject) || c.CheckSignatureFrom(c) != nil:
		return fmt.Errorf("keys: roots: %q is not self-signed", c.Subject.CommonName)
	}
	if err := Strong(c); err != nil {
		return fmt.Errorf("keys: roots: %w", err)
	}
	for _, other := range slices.Concat(r.certs, r.stamps) {
		if other.Equal(c) {
			return fmt.Errorf("keys: roots: %q stands there twice", c.Subject.CommonName)
		}
	}
	r.stampPool.AddCert(c)
	return nil
}

// PEM writes the anchors so that ParseRoots, openssl and certutil read them.
func (r *Roots) PEM() []byte {
	var b bytes.Buffer
	for _, c := range r.certs {
		// Writing to a bytes.Buffer cannot fail.
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	for _, c := range r.stamps {
		_ = pem.Encode(&b, &pem.Block{Type: TimeStampBlock, Bytes: c.Raw})
	}
	return b.Bytes()
}

// Certificates gives the anchors, in the order they were read.
func (r *Roots) Certificates() []*x509.Certificate {
	return slices.Clone(r.certs)
}

// Chain builds the chain of leaf, through certificates of bag, to a pinned root: leaf first, root last. All of it must have
// been valid at the time at, and leaf issued for purpose. It does not ask whether a certificate was revoked.
// A chain that exists but was not valid at that time gives ErrExpired or ErrNotYetValid, so that a caller can tell a
// stranger from one of ours who came too late.
func (r *Roots) Chain(purpose Purpose, leaf *x509.Certificate, bag []*x509.Certificate, at time.Time) ([]*x509.Certificate, error) {
	if len(bag) > maxBag {
		return nil, fmt.Errorf("%w: %d certificates in the bag", ErrNoChain, len(bag))
	}
	if at.IsZero() { // x509 would take the zero time for "now"
		return nil, fmt.Errorf("%w: no time given", ErrNotYetValid)
	}
	id := chainID(purpose, leaf, bag)
	r.mu.RLock()
	chain := r.found[id]
	r.mu.RUnlock()
	if chain != nil && validAt(chain, at) {
		return slices.Clone(chain), nil
	}
	chain, err := r.build(purpose, leaf, bag, at)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	if len(r.found) >= maxFound {
		clear(r.found)
	}
	r.found[id] = slices.Clone(chain)
	r.mu.Unlock()
	return chain, nil
}

// chainID is a digest of everything that a chain depends on but the time.
func chainID(purpose Purpose, leaf *x509.Certificate, bag []*x509.Certificate) (id [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte{byte(purpose)})
	h.Write(leaf.Raw) // DER says itself where it ends
	for _, c := range bag {
		h.Write(c.Raw)
	}
	h.Sum(id[:0])
	return id
}

// validAt says whether every certificate of a chain was valid, by x509's own comparison.
func validAt(chain []*x509.Certificate, at time.Time) bool {
	for _, c := range chain {
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			return false
		}
	}
	return true
}

func (r *Roots) build(purpose Purpose, leaf *x509.Certificate, bag []*x509.Certificate, at time.Time) ([]*x509.Certificate, error) {
	// Before any signature is checked: a key of a hundred thousand bits is an attack on our time.
	if err := Strong(leaf); err != nil {
		return nil, err
	}
	between := x509.NewCertPool()
	for _, c := range bag {
		if c.IsCA && Strong(c) == nil {
			between.AddCert(c)
		}
	}
	// x509 does not know document signing, so it is told not to ask; purposeOf does.
	pool := r.pool
	if purpose == TimeStamping {
		pool = r.stampPool
	}
	options := x509.VerifyOptions{Roots: pool, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	chains, err := leaf.Verify(options)
	if err != nil {
		if !everValid(leaf, options) {
			return nil, fmt.Errorf("%w: %v", ErrNoChain, err)
		}
		if at.Before(leaf.NotBefore) {
			return nil, fmt.Errorf("%w: valid from %s", ErrNotYetValid, leaf.NotBefore.UTC().Format(time.RFC3339))
		}
		return nil, fmt.Errorf("%w: %v", ErrExpired, err)
	}
	if err := purposeOf(leaf, purpose); err != nil {
		return nil, err
	}
	for _, chain := range chains {
		if err = chainFit(chain, purpose); err == nil {
			return chain, nil
		}
	}
	return nil, err
}

// everValid says whether there is a chain at the beginning or at the end of the certificate's own time.
func everValid(leaf *x509.Certificate, options x509.VerifyOptions) bool {
	for _, options.CurrentTime = range []time.Time{leaf.NotBefore, leaf.NotAfter} {
		if _, err := leaf.Verify(options); err == nil {
			return true
		}
	}
	return false
}

// chainFit checks what x509 was not asked: algorithms, and that an authority limited to other purposes issued nothing here.
func chainFit(chain []*x509.Certificate, purpose Purpose) error {
	if len(chain) > maxChain {
		return fmt.Errorf("%w: %d certificates long", ErrNoChain, len(chain))
	}
	for i, c := range chain {
		if err := Strong(c); err != nil {
			return err
		}
		between := i > 0 && i < len(chain)-1
		if between && len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !mayIssue(c, purpose) {
			return fmt.Errorf("%w: authority %q is limited to others", ErrPurpose, c.Subject.CommonName)
		}
	}
	return nil
}

func mayIssue(ca *x509.Certificate, purpose Purpose) bool {
	for _, u := range ca.ExtKeyUsage {
		if u == x509.ExtKeyUsageAny || u == x509.ExtKeyUsageTimeStamping && purpose == TimeStamping {
			return true
		}
	}
	for _, oid := range ca.UnknownExtKeyUsage {
		if oid.Equal(OIDDocumentSigning) && purpose == DocumentSigning {
			return true
		}
	}
	return false
}

func purposeOf(c *x509.Certificate, purpose Purpose) error {
	if c.IsCA {
		return fmt.Errorf("%w: a certification authority", ErrPurpose)
	}
	if c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0 {
		return fmt.Errorf("%w: key usage", ErrPurpose)
	}
	switch purpose {
	case DocumentSigning:
		for _, oid := range c.UnknownExtKeyUsage {
			if oid.Equal(OIDDocumentSigning) {
				return nil
			}
		}
		return fmt.Errorf("%w: no document-signing extended key usage", ErrPurpose)
	case TimeStamping:
		if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) != 0 {
			return fmt.Errorf("%w: time stamping is not the only extended key usage", ErrPurpose)
		}
		for _, e := range c.Extensions {
			if e.Id.Equal(oidExtKeyUsage) && e.Critical {
				return nil
			}
		}
		return fmt.Errorf("%w: extended key usage is not critical", ErrPurpose)
	}
	return fmt.Errorf("%w: purpose %d", ErrPurpose, purpose)
}

// Strong refuses, with ErrWeak, what no certificate of ours may have: SHA-1, MD5, RSA under 2048 bits or above 8192, curves other than
// P-256 and P-384.
func Strong(c *x509.Certificate) error {
	switch c.SignatureAlgorithm {
	case x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
	default:
		return fmt.Errorf("%w: %q signed with %s", ErrWeak, c.Subject.CommonName, c.SignatureAlgorithm)
	}
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() || key.Curve == elliptic.P384() {
			return nil
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits >= 2048 && bits <= 8192 {
			return nil
		}
	}
	return fmt.Errorf("%w: key of %q", ErrWeak, c.Subject.CommonName)
}

// IDSize is how many bytes name a signer's certificate.
const IDSize = 8

// ID names a signer's certificate in statements: the first bytes of its SHA-256. It only finds the certificate; what is
// trusted is the chain.
func ID(c *x509.Certificate) [IDSize]byte {
	sum := sha256.Sum256(c.Raw)
	return [IDSize]byte(sum[:IDSize])
}
