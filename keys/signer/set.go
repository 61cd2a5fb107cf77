// Package signer holds private keys behind crypto.Signer and does with them what the project signs: certificates of a
// throwaway authority, RFC 3161 time stamps, and PDFs by ETSI.CAdES.detached. It cannot tell whether something deserves to be
// signed; the issuer decides that, and checks the result with verifier/pades, which shares no code with this package.
package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// Set is everything an issuing process signs with. RootKey and CAKey are nil where the ceremony keeps them elsewhere.
type Set struct {
	Root, CA, Signer, TSA             *x509.Certificate
	RootKey, CAKey, SignerKey, TSAKey crypto.Signer

	// Responder answers for what CA issued, RootResponder for what Root did (RFC 6960 wants each to be issued by the authority for
	// which it answers); both with one key. nil in a set that was made before there were any.
	Responder, RootResponder *x509.Certificate
	ResponderKey             crypto.Signer
	// CRL and RootCRL are the authorities' lists, DER, where their keys are elsewhere.
	CRL, RootCRL []byte
}

// demoName stands in every throwaway certificate's subject, for people who look at it.
const demoName = "DEMO, not for real use"

// throwawayPolicy stands in every throwaway certificate, for programs. Being inside the certificates it cannot be lost, unlike a
// file beside them. 2.999 is the arc for examples (ITU-T X.660), which nothing real may use.
var throwawayPolicy = mustOID("2.999.1")

func mustOID(s string) x509.OID {
	oid, err := x509.ParseOID(s)
	if err != nil {
		panic(err) // a constant of this package, wrong at the first run or never
	}
	return oid
}

// Years that certificates of a throwaway set last.
const (
	rootYears, caYears, signerYears, tsaYears = 10, 5, 2, 5
)

// Where a service has what its certificates point to, below its address.
const (
	PathOCSP         = "/pki/ocsp"
	PathCRL          = "/pki/crl/"          // NAME.crl
	PathCertificates = "/pki/certificates/" // NAME.cer
)

// NewThrowaway makes a whole set for a demo or a test: root, issuing authority, document signer, time-stamp signer, all P-256.
// The certificates hold from a minute before now, so that a signature made in the same second is inside. They say nothing of where
// to ask about them; NewThrowawayAt's do.
func NewThrowaway(rand io.Reader, now time.Time) (*Set, error) { return NewThrowawayAt(rand, now, "") }

// NewThrowawayAt makes a set whose certificates say that the service at origin ("https://tesdiq.example") has their lists of
// revocations and answers for them.
func NewThrowawayAt(rand io.Reader, now time.Time, origin string) (*Set, error) {
	s := &Set{}
	from := now.UTC().Truncate(time.Second).Add(-time.Minute)

	root, err := template(rand, "Tesdiq root authority", from, rootYears)
	if err != nil {
		return nil, err
	}
	root.IsCA, root.BasicConstraintsValid, root.MaxPathLen = true, true, 1
	root.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	if s.Root, s.RootKey, err = issue(rand, root, nil, nil); err != nil {
		return nil, err
	}

	ca, err := template(rand, "Tesdiq issuing authority", from, caYears)
	if err != nil {
		return nil, err
	}
	ca.IsCA, ca.BasicConstraintsValid, ca.MaxPathLenZero = true, true, true
	ca.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	pointTo(ca, origin, rootName)
	if s.CA, s.CAKey, err = issue(rand, ca, s.Root, s.RootKey); err != nil {
		return nil, err
	}

	doc, err := template(rand, "Tesdiq document signer", from, signerYears)
	if err != nil {
		return nil, err
	}
	doc.BasicConstraintsValid = true
	doc.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	// Document signing is what we ask for; e-mail protection is what poppler and openssl know.
	doc.UnknownExtKeyUsage = []asn1.ObjectIdentifier{keys.OIDDocumentSigning}
	doc.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	pointTo(doc, origin, caName)
	if s.Signer, s.SignerKey, err = issue(rand, doc, s.CA, s.CAKey); err != nil {
		return nil, err
	}

	// Directly under the root: whoever has the issuing authority's key still cannot date documents.
	tsa, err := template(rand, "Tesdiq time stamps", from, tsaYears)
	if err != nil {
		return nil, err
	}
	tsa.BasicConstraintsValid = true
	tsa.KeyUsage = x509.KeyUsageDigitalSignature
	// Written by hand because x509 never marks this extension critical, and RFC 3161 asks for that.
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		return nil, fmt.Errorf("signer: time-stamp usage: %w", err)
	}
	tsa.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}
	pointTo(tsa, origin, rootName)
	if s.TSA, s.TSAKey, err = issue(rand, tsa, s.Root, s.RootKey); err != nil {
		return nil, err
	}
	return s, s.addResponders(rand)
}

// addResponders gives both authorities somebody who answers for them, as long as they last.
func (s *Set) addResponders(rand io.Reader) error {
	issuing, err := responderTemplate(rand, "Tesdiq answers for the issuing authority", s.CA)
	if err != nil {
		return err
	}
	if s.Responder, s.ResponderKey, err = issue(rand, issuing, s.CA, s.CAKey); err != nil {
		return err
	}
	root, err := responderTemplate(rand, "Tesdiq answers for the root authority", s.CA) // whose end comes before the root's
	if err != nil {
		return err
	}
	s.RootResponder, err = certify(rand, root, s.ResponderKey, s.Root, s.RootKey)
	return err
}

func responderTemplate(rand io.Reader, name string, as *x509.Certificate) (*x509.Certificate, error) {
	t, err := template(rand, name, as.NotBefore, 0)
	if err != nil {
		return nil, err
	}
	t.NotAfter = as.NotAfter
	t.BasicConstraintsValid = true
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	// Nobody need ask whether it was revoked (RFC 6960, 4.2.2.2.1): who would answer?
	t.ExtraExtensions = []pkix.Extension{{Id: oidOCSPNoCheck, Value: asn1.NullBytes}}
	return t, nil
}

// pointTo writes into a certificate where its authority's list, answers and certificate are.
func pointTo(t *x509.Certificate, origin, authority string) {
	if origin == "" {
		return
	}
	t.OCSPServer = []string{origin + PathOCSP}
	t.CRLDistributionPoints = []string{origin + PathCRL + authority + ".crl"}
	t.IssuingCertificateURL = []string{origin + PathCertificates + authority + ".cer"}
}

func template(rand io.Reader, name string, from time.Time, years int) (*x509.Certificate, error) {
	serial, err := newSerial(rand)
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Country: []string{"AZ"}, Organization: []string{demoName}, CommonName: name + " (" + demoName + ")"},
		NotBefore:    from,
		NotAfter:     from.AddDate(years, 0, 0),
		Policies:     []x509.OID{throwawayPolicy},
	}, nil
}

// newSerial draws 126 random bits under a leading 01, so that the number is positive and always 16 bytes
// (at least 64 random bits, at most 20 bytes: CA/Browser Forum 7.1, RFC 5280 4.1.2.2).
func newSerial(rand io.Reader) (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(rand, b); err != nil {
		return nil, fmt.Errorf("signer: serial number: %w", err)
	}
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b), nil
}

// issue makes a key and its certificate, signed by parent, or by itself where parent is nil.
func issue(rand io.Reader, tmpl, parent *x509.Certificate, parentKey crypto.Signer) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return nil, nil, fmt.Errorf("signer: key of %q: %w", tmpl.Subject.CommonName, err)
	}
	cert, err := certify(rand, tmpl, key, parent, parentKey)
	if err != nil {
		return nil, nil, err
	}
	return cert, key, nil
}

// certify makes the certificate of a key on P-256, signed by parent, or by itself where parent is nil.
func certify(rand io.Reader, tmpl *x509.Certificate, key crypto.Signer, parent *x509.Certificate, parentKey crypto.Signer) (*x509.Certificate, error) {
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("signer: key of %q: a %T", tmpl.Subject.CommonName, key.Public())
	}
	bits, err := public.Bytes()
	if err != nil {
		return nil, fmt.Errorf("signer: key of %q: %w", tmpl.Subject.CommonName, err)
	}
	id := sha256.Sum256(bits)
	tmpl.SubjectKeyId = id[:20] // RFC 7093, method 1
	if parent == nil {
		parent, parentKey = tmpl, key
	}
	der, err := x509.CreateCertificate(rand, tmpl, parent, public, parentKey)
	if err != nil {
		return nil, fmt.Errorf("signer: certificate of %q: %w", tmpl.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("signer: certificate of %q: %w", tmpl.Subject.CommonName, err)
	}
	return cert, nil
}

// Throwaway says whether any certificate of the set was made by NewThrowaway. A service in production must refuse such a set.
func (s *Set) Throwaway() bool {
	for _, c := range []*x509.Certificate{s.Root, s.CA, s.Signer, s.TSA} {
		for _, p := range c.Policies {
			if p.Equal(throwawayPolicy) {
				return true
			}
		}
	}
	return false
}

// Roots pins the set's root: what a relying party needs to check what the set signs.
func (s *Set) Roots() (*keys.Roots, error) { return keys.NewRoots(s.Root) }

// Authority is the set's own time-stamp authority. Rand is for serial numbers and signatures.
func (s *Set) Authority(rand io.Reader) *Authority {
	return &Authority{Key: s.TSAKey, Certificate: s.TSA, Policy: timeStampPolicy, Rand: rand}
}

// PDFSigner signs with the set's document signer and its own time-stamp authority, as B-T.
func (s *Set) PDFSigner(rand io.Reader) *PDFSigner {
	return &PDFSigner{Key: s.SignerKey, Certificate: s.Signer, Chain: []*x509.Certificate{s.CA}, Stamper: s.Authority(rand), Rand: rand, Room: s.room()}
}

// Archivist signs as PDFSigner does, and brings what it signs to B-LTA with what status says.
func (s *Set) Archivist(rand io.Reader, status *Status) (*PDFSigner, error) {
	p := s.PDFSigner(rand)
	p.Witness = status
	var err error
	if p.Roots, err = s.Roots(); err != nil {
		return nil, err
	}
	if s.Responder == nil {
		return nil, errors.New("signer: there is no OCSP responder, so nothing that is signed can be vouched for later")
	}
	return p, nil
}

// room is how many bytes a signature with our own time stamp can take: three certificates, and for the rest about 900.
func (s *Set) room() int {
	if !allP256(s.Root, s.CA, s.Signer, s.TSA) {
		return foreignRoom
	}
	return (len(s.Signer.Raw) + len(s.CA.Raw) + len(s.TSA.Raw) + ownRoom + 63) &^ 63
}

// allP256 says whether all keys, and with them all signatures, are P-256.
func allP256(certs ...*x509.Certificate) bool {
	for _, c := range certs {
		if k, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || k.Curve != elliptic.P256() {
			return false
		}
	}
	return true
}

// check finds out whether the set fits together, as Load must before anything is signed.
func (s *Set) check() error {
	roots, err := s.Roots()
	if err != nil {
		return err
	}
	if _, err := roots.Chain(keys.DocumentSigning, s.Signer, []*x509.Certificate{s.CA}, s.Signer.NotBefore); err != nil {
		return fmt.Errorf("document signer: %w", err)
	}
	if _, err := roots.Chain(keys.TimeStamping, s.TSA, []*x509.Certificate{s.CA}, s.TSA.NotBefore); err != nil {
		return fmt.Errorf("time-stamp signer: %w", err)
	}
	for _, p := range []struct {
		what     string
		key      crypto.Signer
		cert     *x509.Certificate
		optional bool
	}{
		{"root", s.RootKey, s.Root, true}, {"issuing authority", s.CAKey, s.CA, true},
		{"document signer", s.SignerKey, s.Signer, false}, {"time-stamp signer", s.TSAKey, s.TSA, false},
	} {
		if p.key == nil && p.optional {
			continue
		}
		if err := fits(p.key, p.cert); err != nil {
			return fmt.Errorf("%s: %w", p.what, err)
		}
	}
	if s.Responder == nil && s.RootResponder == nil {
		return nil
	}
	if s.Responder == nil || s.RootResponder == nil {
		return errors.New("OCSP responder: one authority has one and the other has none")
	}
	if err := responderFits(s.Responder, s.CA, s.ResponderKey); err != nil {
		return fmt.Errorf("OCSP responder of the issuing authority: %w", err)
	}
	if err := responderFits(s.RootResponder, s.Root, s.ResponderKey); err != nil {
		return fmt.Errorf("OCSP responder of the root: %w", err)
	}
	return nil
}

// fits says whether key is the private key of cert.
func fits(key crypto.Signer, cert *x509.Certificate) error {
	if key == nil || cert == nil {
		return errors.New("key or certificate missing")
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	if !bytes.Equal(public, cert.RawSubjectPublicKeyInfo) {
		return errors.New("the key is not the certificate's")
	}
	return nil
}
