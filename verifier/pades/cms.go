package pades

import (
	"bytes"
	"crypto"
	"crypto/sha1" //nolint:gosec // only to compare a certificate with what an old signing-certificate attribute names
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of CMS (RFC 5652), ESS (RFC 2634, RFC 5035) and time stamps (RFC 3161).
var (
	oidData           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTSTInfo        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidSigningCertV1  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidTimeStampToken = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidArchiveV3      = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}
	oidHashIndexV3    = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 5}
	oidSigningCertV2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

var (
	context0 = casn1.Tag(0).ContextSpecific().Constructed()
	context1 = casn1.Tag(1).ContextSpecific().Constructed()
)

const (
	maxCertificates = 40
	maxCertificate  = 64 << 10 // bytes of one certificate
	maxAttributes   = 32
	maxTokens       = 4
)

var (
	unreadable = failure{Failed, FormatFailure, ReasonSignature}
	tooWeak    = failure{Indeterminate, CryptoConstraintsFailure, ReasonWeak}
	noSigner   = failure{Indeterminate, NoSigningCertificateFound, ReasonCertificate}
)

// cmsKind is what a CMS is used for: what must be in it and what may.
type cmsKind int

const (
	cadesKind cmsKind = iota + 1 // ETSI.CAdES.detached: no unsigned attribute but time stamps
	adobeKind                    // adbe.pkcs7.detached: signed attributes may be absent, unsigned ones are anything
	tokenKind                    // a time-stamp token: its content is inside
)

// signedData is a CMS SignedData with one signer.
type signedData struct {
	kind         cmsKind
	content      []byte // nil if detached
	certificates []*x509.Certificate
	signer       *x509.Certificate // the one that the signer's identifier points to
	attributes   []byte            // the signed attributes, as the SET OF that was signed; nil if there are none
	digest       []byte            // their messageDigest
	hash         crypto.Hash
	scheme       scheme
	named        *essID // by signing-certificate; nil if absent
	signature    []byte
	tokens       [][]byte // signature time stamps, DER
	stamps       []*stamp // those of them that are whole, once they were read
	crls         [][]byte // from the SignedData, DER
}

// essID is how signing-certificate names the signer's certificate.
type essID struct {
	hash   crypto.Hash // 0: SHA-1, by the first version of the attribute
	digest []byte
	serial *big.Int // nil if absent
}

// readCMS reads a ContentInfo with zeros behind it.
func readCMS(ber []byte, kind cmsKind) (*signedData, *failure) {
	der, rest, ok := toDER(ber)
	if !ok || len(bytes.Trim(rest, "\x00")) != 0 {
		return nil, &unreadable
	}
	var (
		outer, inner, body cryptobyte.String
		oid                asn1.ObjectIdentifier
	)
	in := cryptobyte.String(der)
	if !in.ReadASN1(&outer, casn1.SEQUENCE) || !in.Empty() ||
		!outer.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) ||
		!outer.ReadASN1(&inner, context0) || !outer.Empty() ||
		!inner.ReadASN1(&body, casn1.SEQUENCE) || !inner.Empty() {
		return nil, &unreadable
	}
	s := &signedData{kind: kind}
	contentType := oidData
	if kind == tokenKind {
		contentType = oidTSTInfo
	}
	var (
		version                                   int64
		digests, encapsulated, certs, crls, infos cryptobyte.String
	)
	if !body.ReadASN1Integer(&version) || !body.ReadASN1(&digests, casn1.SET) || !body.ReadASN1(&encapsulated, casn1.SEQUENCE) {
		return nil, &unreadable
	}
	if body.PeekASN1Tag(context0) && !body.ReadASN1(&certs, context0) || body.PeekASN1Tag(context1) && !body.ReadASN1(&crls, context1) ||
		!body.ReadASN1(&infos, casn1.SET) || !body.Empty() {
		return nil, &unreadable
	}
	if !encapsulated.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(contentType) {
		return nil, &unreadable
	}
	if kind == tokenKind {
		var explicit, octets cryptobyte.String
		if !encapsulated.ReadASN1(&explicit, context0) || !explicit.ReadASN1(&octets, casn1.OCTET_STRING) || !explicit.Empty() {
			return nil, &unreadable
		}
		s.content = octets
	}
	if !encapsulated.Empty() { // with a content of its own, a "detached" signature would say nothing about the file
		return nil, &unreadable
	}
	needs := int64(1)
	if kind == tokenKind {
		needs = 3
	}
	for !crls.Empty() {
		var raw cryptobyte.String
		var tag casn1.Tag
		if !crls.ReadAnyASN1Element(&raw, &tag) {
			return nil, &unreadable
		}
		if tag != casn1.SEQUENCE {
			needs = 5 // revocation information of another kind, such as an OCSP answer
		} else if len(s.crls) < maxTokens {
			s.crls = append(s.crls, raw)
		}
	}
	bagNeeds, bad := s.readCertificates(certs)
	if bad != nil {
		return nil, bad
	}
	var info cryptobyte.String
	if !infos.ReadASN1(&info, casn1.SEQUENCE) || !infos.Empty() { // exactly one signer
		return nil, &unreadable
	}
	signerVersion, bad := s.readSigner(info, contentType)
	if bad != nil {
		return nil, bad
	}
	// RFC 5652, 5.1. Older writers have one version for everything; ours do not, and nothing signs it.
	if needs = max(needs, bagNeeds, signerVersion); version != needs && (kind != adobeKind || version < 1 || version > 5) {
		return nil, &unreadable
	}
	found := false
	for !digests.Empty() {
		a, ok := readAlgorithmID(&digests)
		if !ok {
			return nil, &unreadable
		}
		found = found || a.hash() == s.hash
	}
	if !found {
		return nil, &unreadable
	}
	return s, nil
}

// readCertificates reads the bag. Order and number of certificates mean nothing; the signer is found by its identifier. What is
// not an X.509 certificate that can be read cannot be the signer's either. It gives the version that the bag asks for.
func (s *signedData) readCertificates(certs cryptobyte.String) (int64, *failure) {
	needs := int64(1)
	for n := 0; !certs.Empty(); n++ {
		var raw cryptobyte.String
		var tag casn1.Tag
		if !certs.ReadAnyASN1Element(&raw, &tag) || len(raw) > maxCertificate || n == maxCertificates {
			return 0, &unreadable
		}
		switch tag {
		case casn1.SEQUENCE:
		case casn1.Tag(1).ContextSpecific().Constructed():
			needs = max(needs, 3)
			continue
		case casn1.Tag(2).ContextSpecific().Constructed():
			needs = max(needs, 4)
			continue
		case casn1.Tag(3).ContextSpecific().Constructed():
			needs = 5
			continue
		default:
			return 0, &unreadable
		}
		if c := parseCertificate(raw); c != nil && !holds(s.certificates, c) {
			s.certificates = append(s.certificates, c)
		}
	}
	return needs, nil
}

// readSigner reads the SignerInfo and gives its version.
func (s *signedData) readSigner(in cryptobyte.String, contentType asn1.ObjectIdentifier) (int64, *failure) {
	var (
		version                 int64
		id, issuer, signed, key cryptobyte.String
		serial                  = new(big.Int)
		context0Primitive       = casn1.Tag(0).ContextSpecific()
	)
	if !in.ReadASN1Integer(&version) {
		return 0, &unreadable
	}
	switch version {
	case 1: // by issuer and serial number
		if !in.ReadASN1(&id, casn1.SEQUENCE) || !id.ReadASN1Element(&issuer, casn1.SEQUENCE) || !id.ReadASN1Integer(serial) || !id.Empty() {
			return 0, &unreadable
		}
	case 3: // by key identifier
		if !in.ReadASN1(&key, context0Primitive) || key.Empty() {
			return 0, &unreadable
		}
	default:
		return 0, &unreadable
	}
	var bad *failure
	if s.hash, bad = readHash(&in); bad != nil {
		return 0, bad
	}
	if in.PeekASN1Tag(context0) {
		if !in.ReadASN1(&signed, context0) {
			return 0, &unreadable
		}
		if bad := s.readSigned(signed, contentType); bad != nil {
			return 0, bad
		}
	} else if s.kind != adobeKind {
		return 0, &unreadable
	}
	if s.scheme, bad = readScheme(&in, s.hash); bad != nil {
		return 0, bad
	}
	var signature cryptobyte.String
	if !in.ReadASN1(&signature, casn1.OCTET_STRING) {
		return 0, &unreadable
	}
	s.signature = signature
	if !in.Empty() {
		if bad := s.readUnsigned(&in); bad != nil || !in.Empty() {
			return 0, &unreadable
		}
	}
	for _, c := range s.certificates {
		if version == 1 && bytes.Equal(c.RawIssuer, issuer) && c.SerialNumber.Cmp(serial) == 0 || version == 3 && bytes.Equal(c.SubjectKeyId, key) {
			if s.signer != nil { // two certificates by one name: which of them signed would be our guess
				return 0, &noSigner
			}
			s.signer = c
		}
	}
	if s.signer == nil {
		return 0, &noSigner
	}
	return version, nil
}

// readSigned reads the signed attributes, none of them twice.
func (s *signedData) readSigned(in cryptobyte.String, contentType asn1.ObjectIdentifier) *failure {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(in) })
	var err error
	if s.attributes, err = b.Bytes(); err != nil {
		return &unreadable
	}
	var (
		seen    []asn1.ObjectIdentifier
		hasType bool
	)
	for !in.Empty() {
		var raw, value cryptobyte.String
		if len(seen) == maxAttributes || !in.ReadASN1Element(&raw, casn1.SEQUENCE) {
			return &unreadable
		}
		oid, ok := readAttribute(raw, &value)
		if !ok || slices.ContainsFunc(seen, oid.Equal) {
			return &unreadable
		}
		seen = append(seen, oid)
		switch {
		case oid.Equal(oidContentType):
			var got asn1.ObjectIdentifier
			if !value.ReadASN1ObjectIdentifier(&got) || !got.Equal(contentType) {
				return &unreadable
			}
			hasType = true
		case oid.Equal(oidMessageDigest):
			var octets cryptobyte.String
			if !value.ReadASN1(&octets, casn1.OCTET_STRING) || len(octets) != s.hash.Size() {
				return &unreadable
			}
			s.digest = octets
		case oid.Equal(oidSigningCertV2):
			if s.named, ok = readSigningCertificate(&value, true); !ok {
				return &unreadable
			}
		case oid.Equal(oidSigningCertV1):
			v1, ok := readSigningCertificate(&value, false)
			if !ok {
				return &unreadable
			}
			if s.named == nil {
				s.named = v1
			}
		default: // whatever else was signed says nothing to us
			continue
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

// readAttribute reads type and values of an attribute.
func readAttribute(raw cryptobyte.String, value *cryptobyte.String) (asn1.ObjectIdentifier, bool) {
	var (
		attribute cryptobyte.String
		oid       asn1.ObjectIdentifier
	)
	ok := raw.ReadASN1(&attribute, casn1.SEQUENCE) && attribute.ReadASN1ObjectIdentifier(&oid) &&
		attribute.ReadASN1(value, casn1.SET) && attribute.Empty()
	return oid, ok
}

// readSigningCertificate reads SigningCertificateV2 (RFC 5035) or SigningCertificate (RFC 2634); the first certificate in it is the signer's.
func readSigningCertificate(value *cryptobyte.String, v2 bool) (*essID, bool) {
	var all, certs, id, digest, issuer cryptobyte.String
	e := &essID{}
	if !value.ReadASN1(&all, casn1.SEQUENCE) || !all.ReadASN1(&certs, casn1.SEQUENCE) || !certs.ReadASN1(&id, casn1.SEQUENCE) {
		return nil, false
	}
	if v2 {
		e.hash = crypto.SHA256
		if id.PeekASN1Tag(casn1.SEQUENCE) {
			a, ok := readAlgorithmID(&id)
			if !ok || a.hash() == 0 {
				return nil, false
			}
			e.hash = a.hash()
		}
	}
	if !id.ReadASN1(&digest, casn1.OCTET_STRING) {
		return nil, false
	}
	e.digest = digest
	if id.Empty() {
		return e, true
	}
	e.serial = new(big.Int)
	return e, id.ReadASN1(&issuer, casn1.SEQUENCE) && id.Empty() && issuer.SkipASN1(casn1.SEQUENCE) && issuer.ReadASN1Integer(e.serial)
}

// readUnsigned reads the unsigned attributes, of which only signature time stamps mean something.
func (s *signedData) readUnsigned(in *cryptobyte.String) *failure {
	var unsigned cryptobyte.String
	if !in.ReadASN1(&unsigned, context1) {
		return &unreadable
	}
	others := false
	for n := 0; !unsigned.Empty(); n++ {
		var raw, value cryptobyte.String
		if n == maxAttributes || !unsigned.ReadASN1Element(&raw, casn1.SEQUENCE) {
			return &unreadable
		}
		oid, ok := readAttribute(raw, &value)
		if !ok {
			return &unreadable
		}
		if !oid.Equal(oidTimeStampToken) {
			if s.kind == cadesKind && !longTerm(oid) {
				return &unreadable
			}
			others = true
			continue
		}
		for !value.Empty() {
			var token cryptobyte.String
			if !value.ReadASN1Element(&token, casn1.SEQUENCE) || len(s.tokens) == maxTokens {
				return &unreadable
			}
			s.tokens = append(s.tokens, token)
		}
	}
	if others && s.kind == cadesKind && len(s.tokens) == 0 {
		return &unreadable
	}
	return nil
}

// longTerm says whether an unsigned attribute is one of those by which CAdES (RFC 5126, 6; EN 319 122-1, 5.5, A.1) proves a signature and its
// time stamp for long. EN 319 142-1, 6.3, leaves no room for them in a PDF, but some writers put them there; they say nothing to us.
func longTerm(oid asn1.ObjectIdentifier) bool {
	n := len(oid) - 1
	if n == len(oidTimeStampToken)-1 && oid[:n].Equal(oidTimeStampToken[:n]) {
		return oid[n] >= 21 && oid[n] <= 27 || oid[n] == 48
	}
	return oid.Equal(oidArchiveV3) || oid.Equal(oidHashIndexV3)
}

// covers says whether the signature is over content with this digest.
func (s *signedData) covers(digest []byte) bool {
	return s.attributes == nil || bytes.Equal(s.digest, digest)
}

// verify checks the signature with the key of the certificate that the signer's identifier points to, whatever else is in the bag.
// digest is the content's.
func (s *signedData) verify(digest []byte) *failure {
	if s.attributes != nil {
		h := s.hash.New()
		h.Write(s.attributes)
		digest = h.Sum(nil)
	}
	return verifyWith(s.signer, s.scheme, s.hash, digest, s.signature)
}

// identify checks that the signer meant this certificate and not another with the same key (RFC 5035, 5).
func (s *signedData) identify() *failure {
	if s.named == nil {
		if s.kind == tokenKind {
			return &failure{Indeterminate, SigConstraintsFailure, ReasonCertificate}
		}
		return nil // the bytes are as signed all the same; trust asks for it
	}
	var digest []byte
	if s.named.hash == 0 {
		sum := sha1.Sum(s.signer.Raw) //nolint:gosec // see the import
		digest = sum[:]
	} else {
		h := s.named.hash.New()
		h.Write(s.signer.Raw)
		digest = h.Sum(nil)
	}
	if !bytes.Equal(s.named.digest, digest) || s.named.serial != nil && s.named.serial.Cmp(s.signer.SerialNumber) != 0 {
		return &noSigner
	}
	return nil
}

// agrees says, where no roots are given, whether the certificate of the signer's issuer, if it came along, issued it. Nothing more
// protects what is in the bag.
func (s *signedData) agrees() bool {
	named := false
	for _, ca := range s.certificates {
		if ca == s.signer || !bytes.Equal(ca.RawSubject, s.signer.RawIssuer) {
			continue
		}
		named = true
		var insecure x509.InsecureAlgorithmError
		if err := s.signer.CheckSignatureFrom(ca); err == nil || errors.As(err, &insecure) || errors.Is(err, x509.ErrUnsupportedAlgorithm) {
			return true
		}
	}
	return !named
}

// maxPath bounds the certificates that are tried for a chain.
const maxPath = 6

// path gives the certificates among several bags that may lead from the signer to a root, by their names. The rest of a bag is no
// matter: whoever made the file can put there what he wants.
func (s *signedData) path(more []*x509.Certificate) []*x509.Certificate {
	found := []*x509.Certificate{s.signer}
	for i := 0; i < len(found) && len(found) < maxPath; i++ {
		for _, bag := range [][]*x509.Certificate{s.certificates, more} {
			for _, c := range bag {
				if c.IsCA && len(found) < maxPath && bytes.Equal(c.RawSubject, found[i].RawIssuer) && !holds(found, c) {
					found = append(found, c)
				}
			}
		}
	}
	return found
}
