// Package tsp asks a time-stamp authority (RFC 3161) for time stamps and checks what it gives. It holds no private key: whoever signs documents and
// whoever asks other agencies use it alike.
package tsp

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Signed is what we read of a signature or a TimeStampToken (RFC 5652, RFC 3161). Reading proves nothing.
type Signed struct {
	Certificates []byte    // the bag as written
	SID          []byte    // of the one signer: issuer and serial number
	Token        []byte    // a signature's time stamp; nil if there is none
	At           time.Time // a time stamp's

	version, infoVersion int64
	digests              []byte // the algorithms that were used, as written

	content  []byte // TSTInfo; nil in a signature
	afterSID []byte // the rest of the SignerInfo
	info     tstInfo
}

type tstInfo struct {
	policy  []byte // object identifier, DER
	imprint []byte // SHA-256
	nonce   *big.Int
}

var errToken = errors.New("tsp: not a signature or time stamp that we can read")

// Read reads a SignedData with one signer, DER.
func Read(der []byte) (*Signed, error) {
	var in, outer, inner, body, encapsulated, wrapped, content, certificates, infos, info, sid, digests cryptobyte.String
	var oid, kind asn1.ObjectIdentifier
	in = der
	t := &Signed{}
	if !in.ReadASN1(&outer, casn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) ||
		!outer.ReadASN1(&inner, tagContext0) || !inner.ReadASN1(&body, casn1.SEQUENCE) ||
		!body.ReadASN1Integer(&t.version) || !body.ReadASN1(&digests, casn1.SET) || !body.ReadASN1(&encapsulated, casn1.SEQUENCE) ||
		!encapsulated.ReadASN1ObjectIdentifier(&kind) ||
		!body.ReadASN1(&certificates, tagContext0) || !body.SkipOptionalASN1(tagContext1) ||
		!body.ReadASN1(&infos, casn1.SET) || !infos.ReadASN1(&info, casn1.SEQUENCE) || !infos.Empty() ||
		!info.ReadASN1Integer(&t.infoVersion) || !info.ReadASN1(&sid, casn1.SEQUENCE) {
		return nil, errToken
	}
	t.Certificates, t.SID, t.afterSID, t.digests = certificates, sid, info, digests
	if kind.Equal(oidTSTInfo) {
		if !encapsulated.ReadASN1(&wrapped, tagContext0) || !wrapped.ReadASN1(&content, casn1.OCTET_STRING) {
			return nil, errToken
		}
		t.content = content
		return t, t.readInfo()
	}
	var unsigned, attribute, values, token cryptobyte.String
	if !info.SkipASN1(casn1.SEQUENCE) || !info.SkipASN1(tagContext0) || !info.SkipASN1(casn1.SEQUENCE) || !info.SkipASN1(casn1.OCTET_STRING) ||
		!info.ReadASN1(&unsigned, tagContext1) || !unsigned.ReadASN1(&attribute, casn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&oid) ||
		!oid.Equal(oidTimeStampToken) || !attribute.ReadASN1(&values, casn1.SET) || !values.ReadASN1Element(&token, casn1.SEQUENCE) {
		return nil, errToken
	}
	t.Token = token
	return t, nil
}

// readInfo reads TSTInfo.
func (t *Signed) readInfo() error {
	in := cryptobyte.String(t.content)
	var info, policy, message, algorithm, hash cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&info, casn1.SEQUENCE) || !info.SkipASN1(casn1.INTEGER) || !info.ReadASN1Element(&policy, casn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&message, casn1.SEQUENCE) || !message.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!oid.Equal(oidSHA256) || !message.ReadASN1(&hash, casn1.OCTET_STRING) ||
		!info.SkipASN1(casn1.INTEGER) || !info.ReadASN1GeneralizedTime(&t.At) || !info.SkipOptionalASN1(casn1.SEQUENCE) ||
		!info.SkipOptionalASN1(casn1.BOOLEAN) {
		return errToken
	}
	t.info = tstInfo{policy: policy, imprint: hash}
	if info.PeekASN1Tag(casn1.INTEGER) {
		t.info.nonce = new(big.Int)
		if !info.ReadASN1Integer(t.info.nonce) {
			return errToken
		}
	}
	return nil
}

// Object identifiers: RFC 5652, RFC 3161, RFC 5035, RFC 2634.
var (
	oidSignedData     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidMessageDigest  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTSTInfo        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidTimeStampToken = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSigningCert    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256         = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}

	tagContext0 = casn1.Tag(0).ContextSpecific().Constructed()
	tagContext1 = casn1.Tag(1).ContextSpecific().Constructed()
)

const maxTokenCertificates = 8

// Signer finds the signer's certificate in the bag, and gives the others.
func (t *Signed) Signer() (leaf *x509.Certificate, bag []*x509.Certificate, err error) {
	sid := cryptobyte.String(t.SID)
	var issuer cryptobyte.String
	serial := new(big.Int)
	if !sid.ReadASN1Element(&issuer, casn1.SEQUENCE) || !sid.ReadASN1Integer(serial) {
		return nil, nil, errToken
	}
	for rest, n := cryptobyte.String(t.Certificates), 0; !rest.Empty(); n++ {
		var raw cryptobyte.String
		if n == maxTokenCertificates || !rest.ReadASN1Element(&raw, casn1.SEQUENCE) {
			return nil, nil, errToken
		}
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			return nil, nil, errToken
		}
		if bytes.Equal(c.RawIssuer, issuer) && c.SerialNumber.Cmp(serial) == 0 {
			leaf = c
			continue
		}
		bag = append(bag, c)
	}
	if leaf == nil {
		return nil, nil, errToken
	}
	return leaf, bag, nil
}

// Bag gives the certificates that came along, DER.
func (t *Signed) Bag() (all [][]byte) {
	for rest := cryptobyte.String(t.Certificates); !rest.Empty() && len(all) < maxTokenCertificates; {
		var raw cryptobyte.String
		if !rest.ReadASN1Element(&raw, casn1.SEQUENCE) {
			break
		}
		all = append(all, raw)
	}
	return all
}
