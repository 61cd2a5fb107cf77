package pades

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// evidence is what a file brings along to prove itself: certificates, OCSP answers and CRLs of its document security store and of its
// signature. It is believed only as far as it is signed by an authority of the chain, and only where it speaks against somebody: that
// nothing speaks against a certificate here is no proof, since whoever made the file may have left it out.
type evidence struct {
	certificates []*x509.Certificate
	ocsps, crls  [][]byte
}

const maxProofs = 64 // of one kind that are looked at

// evidence collects what the newest document security store has.
func (d *document) evidence(s *signedData) evidence {
	e := evidence{crls: s.crls}
	rev := d.last()
	_, catalog := d.root(rev)
	dss := d.resolve(catalog.get("DSS"), rev)
	streams := func(key string) [][]byte {
		var all [][]byte
		list := d.resolve(dss.get(key), rev)
		for i := range list.items {
			number, ok := refOf(&list.items[i])
			if !ok || len(all) == maxProofs {
				break
			}
			it := d.load(number, rev)
			if it == nil || !it.isFlow {
				continue
			}
			if data, err := d.decode(it, rev, 0); err == nil {
				all = append(all, data)
			}
		}
		return all
	}
	for _, der := range streams("Certs") {
		if c := parseCertificate(der); c != nil {
			e.certificates = append(e.certificates, c)
		}
	}
	e.ocsps, e.crls = streams("OCSPs"), append(e.crls, streams("CRLs")...)
	return e
}

// answers says whether there is anything about revocation.
func (e *evidence) answers() bool { return len(e.ocsps)+len(e.crls) > 0 }

// revoked says whether a certificate of a chain, the root left out, was revoked by the time at.
func (e *evidence) revoked(chain []*x509.Certificate, at time.Time) *failure {
	for i := 0; i+1 < len(chain); i++ {
		since, ok := e.revokedSince(chain[i], chain[i+1])
		if !ok || since.After(at) {
			continue
		}
		if i == 0 {
			return &failure{Failed, Revoked, ReasonRevoked}
		}
		return &failure{Indeterminate, RevokedCANoPOE, ReasonRevoked}
	}
	return nil
}

// revokedSince gives the earliest time from which something signed by the issuer says that the certificate is revoked: the invalidity date
// (RFC 5280, 5.3.2) where it is given and earlier.
func (e *evidence) revokedSince(c, issuer *x509.Certificate) (since time.Time, found bool) {
	note := func(at time.Time, extensions []pkix.Extension) {
		for _, x := range extensions {
			if earlier, ok := invalidityDate(x); ok && earlier.Before(at) {
				at = earlier
			}
		}
		if !found || at.Before(since) {
			since, found = at, true
		}
	}
	for _, der := range e.ocsps {
		if !saysRevoked(der, c.SerialNumber) {
			continue
		}
		// This checks that the issuer signed the answer, or a responder that the issuer appointed.
		response, err := ocsp.ParseResponseForCert(der, c, issuer)
		if err != nil || response.Status != ocsp.Revoked {
			continue
		}
		note(response.RevokedAt, response.Extensions)
	}
	for _, der := range e.crls {
		if !bytes.Contains(der, c.SerialNumber.Bytes()) || !bytes.Contains(der, issuer.RawSubject) {
			continue
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil || !bytes.Equal(list.RawIssuer, issuer.RawSubject) || list.CheckSignatureFrom(issuer) != nil {
			continue
		}
		for i := range list.RevokedCertificateEntries {
			if r := &list.RevokedCertificateEntries[i]; r.SerialNumber.Cmp(c.SerialNumber) == 0 && r.ReasonCode != 8 { // 8: removed from the list
				note(r.RevocationTime, r.Extensions)
			}
		}
	}
	return since, found
}

// saysRevoked says whether an OCSP answer has an entry that calls this serial number revoked, whoever signed it. Only then it is worth to
// find out who did.
func saysRevoked(der []byte, serial *big.Int) bool {
	var outer, wrapped, body, octets, basic, tbs, list, skip cryptobyte.String
	context2 := casn1.Tag(2).ContextSpecific().Constructed()
	in := cryptobyte.String(der)
	if !in.ReadASN1(&outer, casn1.SEQUENCE) || !outer.SkipASN1(casn1.ENUM) || !outer.ReadASN1(&wrapped, context0) ||
		!wrapped.ReadASN1(&body, casn1.SEQUENCE) || !body.SkipASN1(casn1.OBJECT_IDENTIFIER) || !body.ReadASN1(&octets, casn1.OCTET_STRING) ||
		!octets.ReadASN1(&basic, casn1.SEQUENCE) || !basic.ReadASN1(&tbs, casn1.SEQUENCE) || !tbs.SkipOptionalASN1(context0) ||
		!tbs.SkipOptionalASN1(context1) || !tbs.SkipOptionalASN1(context2) || // by name or by key
		!tbs.ReadASN1(&skip, casn1.GeneralizedTime) || !tbs.ReadASN1(&list, casn1.SEQUENCE) {
		return false
	}
	for !list.Empty() {
		var one, id cryptobyte.String
		number := new(big.Int)
		if !list.ReadASN1(&one, casn1.SEQUENCE) || !one.ReadASN1(&id, casn1.SEQUENCE) || !id.SkipASN1(casn1.SEQUENCE) ||
			!id.SkipASN1(casn1.OCTET_STRING) || !id.SkipASN1(casn1.OCTET_STRING) || !id.ReadASN1Integer(number) {
			return false
		}
		if one.PeekASN1Tag(context1) && number.Cmp(serial) == 0 {
			return true
		}
	}
	return false
}

var oidInvalidityDate = asn1.ObjectIdentifier{2, 5, 29, 24}

// invalidityDate reads the extension of that name.
func invalidityDate(x pkix.Extension) (time.Time, bool) {
	var at time.Time
	if !x.Id.Equal(oidInvalidityDate) {
		return at, false
	}
	in := cryptobyte.String(x.Value)
	return at, in.ReadASN1GeneralizedTime(&at) && in.Empty()
}

// certificates that were parsed, by their hash: the same few come with every file.
var parsed struct {
	sync.Mutex
	certificates map[[sha256.Size]byte]*x509.Certificate
}

const maxParsed = 256

// parseCertificate gives nil for what cannot be read.
func parseCertificate(der []byte) *x509.Certificate {
	id := sha256.Sum256(der)
	parsed.Lock()
	c := parsed.certificates[id]
	parsed.Unlock()
	if c != nil {
		return c
	}
	c, err := x509.ParseCertificate(bytes.Clone(der)) // not to keep the file it came with
	if err != nil {
		return nil
	}
	parsed.Lock()
	defer parsed.Unlock()
	if parsed.certificates == nil || len(parsed.certificates) >= maxParsed {
		parsed.certificates = map[[sha256.Size]byte]*x509.Certificate{}
	}
	parsed.certificates[id] = c
	return c
}
