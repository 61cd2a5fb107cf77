// Package signer holds private keys behind crypto.Signer and does with them what the project signs: certificates of a
// throwaway authority, RFC 3161 time stamps, and PDFs by ETSI.CAdES.detached. It cannot tell whether something deserves to be
// signed; the issuer decides that, and checks the result with verifier/pades, which shares no code with this package.
package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
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
	// Later take over from Signer and TSA, in this order; what signs goes by the time.
	Later []Duty
	// Trust is the list of who was valid when, and TrustFile the same as it is signed; nil in a set without one.
	Trust     *keys.TrustList
	TrustFile []byte
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

// NewThrowaway makes a whole set for a demo or a test: root, issuing authority, document signer, time-stamp signer, OCSP responder,
// all P-256. The certificates hold from a minute before now, so that a signature made in the same second is inside. They say
// nothing of where to ask about them; NewThrowawayAt's do.
func NewThrowaway(rand io.Reader, now time.Time) (*Set, error) { return NewThrowawayAt(rand, now, "") }

// NewThrowawayAt makes a set whose certificates say that the service at origin ("https://tesdiq.example") has their lists of
// revocations and answers for them.
func NewThrowawayAt(rand io.Reader, now time.Time, origin string) (*Set, error) {
	from := now.UTC().Truncate(time.Second).Add(-time.Minute)
	names := map[role]subject{}
	for _, r := range []struct {
		role  role
		name  string
		years int
	}{
		{rootRole, "Tesdiq root authority", rootYears}, {issuingRole, "Tesdiq issuing authority", caYears},
		{documentRole, "Tesdiq document signer", signerYears}, {stampRole, "Tesdiq time stamps", tsaYears},
		{answersRole, answersName, caYears}, {rootAnswersRole, rootAnswersName, caYears},
	} {
		names[r.role] = throwawaySubject(r.name, from, from.AddDate(r.years, 0, 0))
	}
	return blueprint{address: origin, listed: from.AddDate(rootYears, 0, 0), subjects: names, key: inMemory(rand)}.make(rand)
}

const answersName, rootAnswersName = "Tesdiq answers, issuing authority", "Tesdiq answers, root authority"

func throwawaySubject(name string, from, to time.Time) subject {
	return subject{
		name: pkix.Name{Country: []string{"AZ"}, Organization: []string{demoName}, CommonName: name + " (" + demoName + ")"},
		from: from, to: to, policies: []x509.OID{throwawayPolicy},
	}
}

// addResponders gives both authorities of a throwaway set somebody who answers for them, as long as the issuing one lasts.
func (s *Set) addResponders(rand io.Reader, origin string) error {
	b := blueprint{address: origin, key: inMemory(rand), subjects: map[role]subject{
		answersRole:     throwawaySubject(answersName, s.CA.NotBefore, s.CA.NotAfter),
		rootAnswersRole: throwawaySubject(rootAnswersName, s.CA.NotBefore, s.CA.NotAfter),
	}}
	return b.addResponders(s, rand)
}

// inMemory makes keys on P-256 that are nowhere else.
func inMemory(rand io.Reader) func(role) (crypto.Signer, error) {
	return func(role) (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand) }
}

// blueprint is what a set is made from: what each certificate says, and where the keys come from.
type blueprint struct {
	address  string
	listed   time.Time // until when the list of trust holds
	subjects map[role]subject
	key      func(role) (crypto.Signer, error)
}

func (b blueprint) make(rand io.Reader) (s *Set, err error) {
	s = &Set{}
	if s.Root, s.RootKey, err = b.pair(rand, rootRole, nil, "", nil); err != nil {
		return nil, err
	}
	if s.CA, s.CAKey, err = b.pair(rand, issuingRole, s.Root, rootRole, s.RootKey); err != nil {
		return nil, err
	}
	if s.Signer, s.SignerKey, err = b.pair(rand, documentRole, s.CA, issuingRole, s.CAKey); err != nil {
		return nil, err
	}
	if s.TSA, s.TSAKey, err = b.pair(rand, stampRole, s.Root, rootRole, s.RootKey); err != nil {
		return nil, err
	}
	if err := b.addResponders(s, rand); err != nil {
		return nil, err
	}
	return s, s.signTrust(rand, s.newTrust(b.address, s.Root.NotBefore, b.listed), Authorized{Certificate: s.Root, Key: s.RootKey, role: rootRole})
}

func (b blueprint) addResponders(s *Set, rand io.Reader) (err error) {
	if s.Responder, s.ResponderKey, err = b.pair(rand, answersRole, s.CA, issuingRole, s.CAKey); err != nil {
		return err
	}
	s.RootResponder, err = certificate(rand, rootAnswersRole, b.subjects[rootAnswersRole], b.address, s.ResponderKey.Public(), s.Root, rootRole, s.RootKey)
	return err
}

// pair makes the key of a role and its certificate.
func (b blueprint) pair(rand io.Reader, r role, parent *x509.Certificate, authority role, parentKey crypto.Signer) (*x509.Certificate, crypto.Signer, error) {
	key, err := b.key(r)
	if err != nil {
		return nil, nil, fmt.Errorf("signer: key of %q: %w", b.subjects[r].name.CommonName, err)
	}
	if parent == nil {
		parentKey = key
	}
	c, err := certificate(rand, r, b.subjects[r], b.address, key.Public(), parent, authority, parentKey)
	return c, key, err
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
	return &Authority{Key: s.TSAKey, Certificate: s.TSA, Policy: s.stampPolicy(), Rand: rand,
		later: turns(s, func(on *Set) *Authority { return on.Authority(rand) })}
}

// stampPolicy names the rules of the set's time stamps: those that the ceremony wrote into the time-stamp signer's certificate.
func (s *Set) stampPolicy() x509.OID {
	if len(s.TSA.Policies) == 0 || s.Throwaway() {
		return timeStampPolicy
	}
	return s.TSA.Policies[0]
}

// PDFSigner signs with the set's document signer and its own time-stamp authority, as B-T.
func (s *Set) PDFSigner(rand io.Reader) *PDFSigner {
	return &PDFSigner{Key: s.SignerKey, Certificate: s.Signer, Chain: []*x509.Certificate{s.CA}, Stamper: s.Authority(rand), Rand: rand, Room: s.room(),
		later: turns(s, func(on *Set) *PDFSigner { return on.PDFSigner(rand) })}
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
	for _, t := range p.later {
		t.who.Witness, t.who.Roots = p.Witness, p.Roots
	}
	return p, nil
}

// room is how many bytes a signature with our own time stamp can take: three certificates, and for the rest about 900.
func (s *Set) room() int {
	if !allP256(s.Root, s.CA, s.Signer, s.TSA) {
		return foreignRoom
	}
	return (len(s.Signer.Raw) + len(s.CA.Raw) + len(s.TSA.Raw) + ownRoom + 31) &^ 31
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
		// Who was relieved for good needs no key any more.
		{"document signer", s.SignerKey, s.Signer, s.relieved(keys.RoleDocumentSigner)}, {"time-stamp signer", s.TSAKey, s.TSA, s.relieved(keys.RoleStampSigner)},
	} {
		if p.key == nil && p.optional {
			continue
		}
		if err := fits(p.key, p.cert); err != nil {
			return fmt.Errorf("%s: %w", p.what, err)
		}
	}
	if err := s.checkLater(); err != nil {
		return err
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
