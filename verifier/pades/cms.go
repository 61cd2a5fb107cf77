package pades

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"

	"github.com/tesdiq/tesdiq/keys"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of CMS (RFC 5652), ESS (RFC 5035), time stamps (RFC 3161) and algorithms (RFC 5754, RFC 5758).
var (
	oidData            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTSTInfo         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidTimeStampToken  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSigningCertV2   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

var (
	context0 = casn1.Tag(0).ContextSpecific().Constructed()
	context1 = casn1.Tag(1).ContextSpecific().Constructed()
)

const (
	maxCertificates = 8
	maxCertificate  = 16 << 10 // bytes of one certificate
	maxAttributes   = 16
)

var (
	unreadable = failure{Failed, FormatFailure, ReasonSignature}
	tooWeak    = failure{Indeterminate, CryptoConstraintsFailure, ReasonWeak}
)

// signedData is a CMS SignedData with one signer, as our signer and its time-stamp authority write it: DER, SHA-256, ECDSA on P-256.
type signedData struct {
	content      []byte // nil if detached
	certificates []*x509.Certificate
	signer       *x509.Certificate // the one that issuer and serial number of the signer point to
	attributes   []byte            // the signed attributes, as the SET OF that was signed
	digest       []byte            // their messageDigest
	certHash     []byte            // SHA-256 of the certificate by signing-certificate-v2; nil if absent
	signature    []byte
	token        []byte // signature time stamp, DER; nil if none
}

// readCMS reads a ContentInfo with zeros behind it. Content of type data must be detached, any other must be inside.
func readCMS(der []byte, contentType asn1.ObjectIdentifier) (*signedData, *failure) {
	var (
		in, outer, inner, body cryptobyte.String
		oid                    asn1.ObjectIdentifier
	)
	in = der
	if !in.ReadASN1(&outer, casn1.SEQUENCE) || len(bytes.Trim(in, "\x00")) != 0 ||
		!outer.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) ||
		!outer.ReadASN1(&inner, context0) || !outer.Empty() ||
		!inner.ReadASN1(&body, casn1.SEQUENCE) || !inner.Empty() {
		return nil, &unreadable
	}
	s := &signedData{}
	var (
		version                             int64
		digests, encapsulated, certs, infos cryptobyte.String
	)
	detached := contentType.Equal(oidData)
	if !body.ReadASN1Integer(&version) || detached && version != 1 || !detached && version != 3 ||
		!body.ReadASN1(&digests, casn1.SET) || !body.ReadASN1(&encapsulated, casn1.SEQUENCE) ||
		!body.ReadASN1(&certs, context0) || !body.ReadASN1(&infos, casn1.SET) || !body.Empty() { // no CRLs: we keep our own
		return nil, &unreadable
	}
	if bad := readAlgorithm(&digests, oidSHA256); bad != nil {
		return nil, bad
	}
	if !digests.Empty() || !encapsulated.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(contentType) {
		return nil, &unreadable
	}
	if !detached {
		var explicit, octets cryptobyte.String
		if !encapsulated.ReadASN1(&explicit, context0) || !explicit.ReadASN1(&octets, casn1.OCTET_STRING) || !explicit.Empty() {
			return nil, &unreadable
		}
		s.content = octets
	}
	if !encapsulated.Empty() { // with a content of its own, a "detached" signature would say nothing about the file
		return nil, &unreadable
	}
	if bad := s.readCertificates(certs); bad != nil {
		return nil, bad
	}
	var info cryptobyte.String
	if !infos.ReadASN1(&info, casn1.SEQUENCE) || !infos.Empty() { // exactly one signer
		return nil, &unreadable
	}
	if bad := s.readSigner(info, contentType); bad != nil {
		return nil, bad
	}
	return s, nil
}

// readAlgorithm reads an AlgorithmIdentifier that must be want. Its parameters must be absent: ours are, and RFC 5754 and 5758 ask for it.
func readAlgorithm(in *cryptobyte.String, want asn1.ObjectIdentifier) *failure {
	var (
		algorithm cryptobyte.String
		oid       asn1.ObjectIdentifier
	)
	if !in.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return &unreadable
	}
	if !oid.Equal(want) { // SHA-1 and MD5 most of all
		return &tooWeak
	}
	if !algorithm.Empty() {
		return &unreadable
	}
	return nil
}

// readCertificates reads the bag. Order and number of certificates mean nothing; the signer is found by its identifier.
func (s *signedData) readCertificates(certs cryptobyte.String) *failure {
	for !certs.Empty() {
		var raw cryptobyte.String
		if !certs.ReadASN1Element(&raw, casn1.SEQUENCE) || len(raw) > maxCertificate || len(s.certificates) == maxCertificates {
			return &unreadable
		}
		c, err := x509.ParseCertificate(raw)
		if err != nil || holds(s.certificates, c) {
			return &unreadable
		}
		if keys.Strong(c) != nil {
			return &tooWeak
		}
		s.certificates = append(s.certificates, c)
	}
	return nil
}

func (s *signedData) readSigner(in cryptobyte.String, contentType asn1.ObjectIdentifier) *failure {
	var (
		version            int64
		id, issuer, signed cryptobyte.String
		serial             = new(big.Int)
	)
	if !in.ReadASN1Integer(&version) || version != 1 || // 1: by issuer and serial number
		!in.ReadASN1(&id, casn1.SEQUENCE) || !id.ReadASN1Element(&issuer, casn1.SEQUENCE) || !id.ReadASN1Integer(serial) || !id.Empty() {
		return &unreadable
	}
	if bad := readAlgorithm(&in, oidSHA256); bad != nil {
		return bad
	}
	if !in.ReadASN1(&signed, context0) {
		return &unreadable
	}
	if bad := readAlgorithm(&in, oidECDSAWithSHA256); bad != nil {
		return bad
	}
	var signature cryptobyte.String
	if !in.ReadASN1(&signature, casn1.OCTET_STRING) {
		return &unreadable
	}
	s.signature = signature
	if bad := s.readSigned(signed, contentType); bad != nil {
		return bad
	}
	if !in.Empty() {
		if bad := s.readUnsigned(&in); bad != nil || !in.Empty() {
			return &unreadable
		}
	}
	for _, c := range s.certificates {
		if bytes.Equal(c.RawIssuer, issuer) && c.SerialNumber.Cmp(serial) == 0 {
			if s.signer != nil { // two certificates by one name: which of them signed would be our guess
				return &failure{Indeterminate, NoSigningCertificateFound, ReasonCertificate}
			}
			s.signer = c
		}
	}
	if s.signer == nil {
		return &failure{Indeterminate, NoSigningCertificateFound, ReasonCertificate}
	}
	return nil
}

// readSigned reads the signed attributes: exactly contentType, messageDigest and signing-certificate-v2, in DER's order.
func (s *signedData) readSigned(in cryptobyte.String, contentType asn1.ObjectIdentifier) *failure {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(in) })
	var err error
	if s.attributes, err = b.Bytes(); err != nil {
		return &unreadable
	}
	var (
		before  cryptobyte.String
		hasType bool
	)
	for n := 0; !in.Empty(); n++ {
		var raw, value cryptobyte.String
		if n == maxAttributes || !in.ReadASN1Element(&raw, casn1.SEQUENCE) || bytes.Compare(before, raw) >= 0 {
			return &unreadable
		}
		before = raw
		oid, ok := readAttribute(raw, &value)
		if !ok {
			return &unreadable
		}
		switch {
		case oid.Equal(oidContentType) && !hasType:
			var got asn1.ObjectIdentifier
			if !value.ReadASN1ObjectIdentifier(&got) || !got.Equal(contentType) {
				return &unreadable
			}
			hasType = true
		case oid.Equal(oidMessageDigest) && s.digest == nil:
			var octets cryptobyte.String
			if !value.ReadASN1(&octets, casn1.OCTET_STRING) || len(octets) != sha256.Size {
				return &unreadable
			}
			s.digest = octets
		case oid.Equal(oidSigningCertV2) && s.certHash == nil:
			if s.certHash, ok = readSigningCertificate(&value); !ok {
				return &unreadable
			}
		default: // signing-time too: PAdES has it in /M, EN 319 142-1, 6.3
			return &unreadable
		}
		if !value.Empty() {
			return &unreadable
		}
	}
	if !hasType || s.digest == nil {
		return &unreadable
	}
	return nil
}

// readAttribute reads type and the one value of an attribute.
func readAttribute(raw cryptobyte.String, value *cryptobyte.String) (asn1.ObjectIdentifier, bool) {
	var (
		attribute cryptobyte.String
		oid       asn1.ObjectIdentifier
	)
	ok := raw.ReadASN1(&attribute, casn1.SEQUENCE) && attribute.ReadASN1ObjectIdentifier(&oid) &&
		attribute.ReadASN1(value, casn1.SET) && attribute.Empty()
	return oid, ok
}

// readSigningCertificate reads SigningCertificateV2 (RFC 5035): one certificate, by SHA-256, which being the default is left out.
func readSigningCertificate(value *cryptobyte.String) ([]byte, bool) {
	var all, certs, id, hash cryptobyte.String
	ok := value.ReadASN1(&all, casn1.SEQUENCE) && all.ReadASN1(&certs, casn1.SEQUENCE) && all.Empty() &&
		certs.ReadASN1(&id, casn1.SEQUENCE) && certs.Empty() &&
		id.ReadASN1(&hash, casn1.OCTET_STRING) && id.Empty() && len(hash) == sha256.Size
	return hash, ok
}

// readUnsigned reads the unsigned attributes: at most one, a signature time stamp.
func (s *signedData) readUnsigned(in *cryptobyte.String) *failure {
	var unsigned, raw, value, token cryptobyte.String
	if !in.ReadASN1(&unsigned, context1) || !unsigned.ReadASN1Element(&raw, casn1.SEQUENCE) || !unsigned.Empty() {
		return &unreadable
	}
	oid, ok := readAttribute(raw, &value)
	if !ok || !oid.Equal(oidTimeStampToken) || !value.ReadASN1Element(&token, casn1.SEQUENCE) || !value.Empty() {
		return &unreadable
	}
	s.token = token
	return nil
}

// verify checks the signature with the key of the certificate that the signer's identifier points to, whatever else is in the bag.
func (s *signedData) verify() *failure {
	key, ok := s.signer.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return &tooWeak
	}
	hash := sha256.Sum256(s.attributes)
	if !ecdsa.VerifyASN1(key, hash[:], s.signature) {
		return &failure{Failed, SigCryptoFailure, ReasonSignature}
	}
	return nil
}

// identify checks that the signer meant this certificate and not another with the same key (RFC 5035, 5).
func (s *signedData) identify() *failure {
	hash := sha256.Sum256(s.signer.Raw)
	switch {
	case s.certHash == nil:
		return &failure{Indeterminate, SigConstraintsFailure, ReasonCertificate}
	case !bytes.Equal(s.certHash, hash[:]):
		return &failure{Indeterminate, NoSigningCertificateFound, ReasonCertificate}
	}
	return nil
}

// onlyHas says whether every certificate that came along is needed: one that is not would be a part of the file that nothing
// protects.
func (s *signedData) onlyHas(chain []*x509.Certificate) bool {
	for _, c := range s.certificates {
		if !holds(chain, c) {
			return false
		}
	}
	return true
}

// agrees says, where no roots are given, whether the certificates at least fit each other: every one but the signer's must have issued
// another. Nothing more protects them.
func (s *signedData) agrees() bool {
	for _, ca := range s.certificates {
		if ca == s.signer {
			continue
		}
		issued := false
		for _, c := range s.certificates {
			issued = issued || c != ca && c.CheckSignatureFrom(ca) == nil
		}
		if !issued {
			return false
		}
	}
	return true
}
