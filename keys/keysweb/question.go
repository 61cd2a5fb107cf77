package keysweb

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Limits of a question, in bytes. One about a certificate takes about 110; what is over is room for an asker's name and signature, which
// are passed over: everybody gets the same answers.
const (
	maxQuestion = 2048
	maxNonce    = 128 // RFC 9654, 2.1
	maxMore     = 8   // extensions
)

// Statuses of an answer that says nothing, RFC 6960, 4.2.1.
const (
	malformed    = 1
	tryLater     = 3
	unauthorized = 6 // RFC 5019, 2.2.3: we have no answer to that
)

// failure is an answer that has nothing but its status; it has no signature.
func failure(status byte) []byte { return []byte{0x30, 3, 0x0a, 1, status} }

var (
	context0 = asn1.Tag(0).ContextSpecific().Constructed()
	context1 = asn1.Tag(1).ContextSpecific().Constructed()
	context2 = asn1.Tag(2).ContextSpecific().Constructed()
	nonceOID = []byte{0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2} // id-pkix-ocsp-nonce
)

// readQuestion finds in an OCSPRequest (RFC 6960, 4.1.1) the one CertID that it asks about, whole and unread; or fault, a status that says
// why there is none. It knows this one shape (RFC 5019, 2.1.1), goes four levels deep and no deeper, and takes each field once.
func readQuestion(der []byte) (certID []byte, fault byte) {
	in := cryptobyte.String(der)
	var request, tbs, list, one, id cryptobyte.String
	if len(der) > maxQuestion || !in.ReadASN1(&request, asn1.SEQUENCE) || !in.Empty() ||
		!request.ReadASN1(&tbs, asn1.SEQUENCE) || !request.SkipOptionalASN1(context0) || !request.Empty() || // a signature
		!readVersion(&tbs) || !tbs.SkipOptionalASN1(context1) || // the asker's name
		!tbs.ReadASN1(&list, asn1.SEQUENCE) || !list.ReadASN1(&one, asn1.SEQUENCE) ||
		!one.ReadASN1Element(&id, asn1.SEQUENCE) || !one.SkipOptionalASN1(context0) || !one.Empty() || // singleRequestExtensions
		!readMore(&tbs) || !tbs.Empty() {
		return nil, malformed
	}
	if !list.Empty() {
		return nil, unauthorized // answers are made for one certificate each
	}
	return id, 0
}

// readVersion reads a version, which must be the first if it is there.
func readVersion(in *cryptobyte.String) bool {
	var wrapped cryptobyte.String
	var has bool
	var version uint8
	return in.ReadOptionalASN1(&wrapped, &has, context0) &&
		(!has || wrapped.ReadASN1Integer(&version) && wrapped.Empty() && version == 0)
}

// readMore reads requestExtensions. A nonce is looked at for its length alone (RFC 9654): an answer made beforehand has none (RFC 5019, 4),
// and says by its times how old it is. Nothing else may demand to be understood.
func readMore(in *cryptobyte.String) bool {
	var wrapped, all cryptobyte.String
	var has bool
	if !in.ReadOptionalASN1(&wrapped, &has, context2) {
		return false
	}
	if !has {
		return true
	}
	if !wrapped.ReadASN1(&all, asn1.SEQUENCE) || !wrapped.Empty() || all.Empty() {
		return false
	}
	seen := map[string]bool{}
	for !all.Empty() {
		var extension, oid, value, nonce cryptobyte.String
		var critical bool
		if len(seen) == maxMore || !all.ReadASN1(&extension, asn1.SEQUENCE) || !extension.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || seen[string(oid)] ||
			extension.PeekASN1Tag(asn1.BOOLEAN) && !extension.ReadASN1Boolean(&critical) ||
			!extension.ReadASN1(&value, asn1.OCTET_STRING) || !extension.Empty() {
			return false
		}
		seen[string(oid)] = true
		if string(oid) != string(nonceOID) {
			if critical {
				return false
			}
			continue
		}
		if !value.ReadASN1(&nonce, asn1.OCTET_STRING) || !value.Empty() || len(nonce) == 0 || len(nonce) > maxNonce {
			return false
		}
	}
	return true
}
