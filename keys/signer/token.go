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

// token is what we read of a TimeStampToken (RFC 3161, RFC 5652). Reading proves nothing.
type token struct {
	content      []byte // TSTInfo
	certificates []byte // the bag as written
	sid          []byte // of the one signer: issuer and serial number
	info         tstInfo
	at           time.Time
}

type tstInfo struct {
	policy  asn1.RawValue
	imprint []byte // SHA-256
	nonce   *big.Int
}

var errToken = errors.New("signer: not a time-stamp token that we can read")

// readToken reads a token with one signer, DER.
func readToken(der []byte) (*token, error) {
	var in, outer, inner, body, encapsulated, content, certificates, infos, info, sid cryptobyte.String
	var oid asn1.ObjectIdentifier
	in = der
	t := &token{}
	if !in.ReadASN1(&outer, casn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) ||
		!outer.ReadASN1(&inner, tagContext0) || !inner.ReadASN1(&body, casn1.SEQUENCE) ||
		!body.SkipASN1(casn1.INTEGER) || !body.SkipASN1(casn1.SET) || !body.ReadASN1(&encapsulated, casn1.SEQUENCE) ||
		!encapsulated.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidTSTInfo) || !encapsulated.ReadASN1(&content, tagContext0) ||
		!content.ReadASN1(&content, casn1.OCTET_STRING) ||
		!body.ReadASN1(&certificates, tagContext0) || !body.SkipOptionalASN1(tagContext1) ||
		!body.ReadASN1(&infos, casn1.SET) || !infos.ReadASN1(&info, casn1.SEQUENCE) || !infos.Empty() ||
		!info.SkipASN1(casn1.INTEGER) || !info.ReadASN1(&sid, casn1.SEQUENCE) {
		return nil, errToken
	}
	t.content, t.certificates, t.sid = content, certificates, sid
	return t, t.readInfo()
}

// readInfo reads TSTInfo.
func (t *token) readInfo() error {
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
	t.info = tstInfo{policy: asn1.RawValue{FullBytes: policy}, imprint: hash}
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
func (t *token) signer() (leaf *x509.Certificate, bag []*x509.Certificate, err error) {
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
