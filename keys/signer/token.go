package signer

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

// signedData is what we read of a signature or a TimeStampToken (RFC 5652, RFC 3161). Reading proves nothing.
type signedData struct {
	der          []byte
	content      []byte // TSTInfo; nil in a signature
	certificates []byte // the bag as written
	sid          []byte // of the one signer: issuer and serial number
	afterSID     []byte // the rest of the SignerInfo
	token        []byte // the signature's time stamp; nil if there is none
	info         tstInfo
	at           time.Time // the time stamp's
}

type tstInfo struct {
	policy  []byte // object identifier, DER
	imprint []byte // SHA-256
	nonce   *big.Int
}

var errToken = errors.New("signer: not a signature or time stamp that we can read")

// readSigned reads a SignedData with one signer, DER.
func readSigned(der []byte) (*signedData, error) {
	var in, outer, inner, body, encapsulated, wrapped, content, certificates, infos, info, sid cryptobyte.String
	var oid, kind asn1.ObjectIdentifier
	in = der
	t := &signedData{der: der}
	if !in.ReadASN1(&outer, casn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) ||
		!outer.ReadASN1(&inner, tagContext0) || !inner.ReadASN1(&body, casn1.SEQUENCE) ||
		!body.SkipASN1(casn1.INTEGER) || !body.SkipASN1(casn1.SET) || !body.ReadASN1(&encapsulated, casn1.SEQUENCE) ||
		!encapsulated.ReadASN1ObjectIdentifier(&kind) ||
		!body.ReadASN1(&certificates, tagContext0) || !body.SkipOptionalASN1(tagContext1) ||
		!body.ReadASN1(&infos, casn1.SET) || !infos.ReadASN1(&info, casn1.SEQUENCE) || !infos.Empty() ||
		!info.SkipASN1(casn1.INTEGER) || !info.ReadASN1(&sid, casn1.SEQUENCE) {
		return nil, errToken
	}
	t.certificates, t.sid, t.afterSID = certificates, sid, info
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
	t.token = token
	return t, nil
}

// readInfo reads TSTInfo.
func (t *signedData) readInfo() error {
	in := cryptobyte.String(t.content)
	var info, policy, message, algorithm, hash cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !in.ReadASN1(&info, casn1.SEQUENCE) || !info.SkipASN1(casn1.INTEGER) || !info.ReadASN1Element(&policy, casn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&message, casn1.SEQUENCE) || !message.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!oid.Equal(oidSHA256) || !message.ReadASN1(&hash, casn1.OCTET_STRING) ||
		!info.SkipASN1(casn1.INTEGER) || !info.ReadASN1GeneralizedTime(&t.at) || !info.SkipOptionalASN1(casn1.SEQUENCE) ||
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

const maxTokenCertificates = 8

// signer finds the signer's certificate in the bag, and gives the others.
func (t *signedData) signer() (leaf *x509.Certificate, bag []*x509.Certificate, err error) {
	sid := cryptobyte.String(t.sid)
	var issuer cryptobyte.String
	serial := new(big.Int)
	if !sid.ReadASN1Element(&issuer, casn1.SEQUENCE) || !sid.ReadASN1Integer(serial) {
		return nil, nil, errToken
	}
	for rest, n := cryptobyte.String(t.certificates), 0; !rest.Empty(); n++ {
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

// bag gives the certificates that came along, DER.
func (t *signedData) bag() (all [][]byte) {
	for rest := cryptobyte.String(t.certificates); !rest.Empty() && len(all) < maxTokenCertificates; {
		var raw cryptobyte.String
		if !rest.ReadASN1Element(&raw, casn1.SEQUENCE) {
			break
		}
		all = append(all, raw)
	}
	return all
}
