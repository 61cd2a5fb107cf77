// Package pades reads signed PDFs strictly: whether the bytes are as they were signed, who signed them, and when.
//
// It knows exactly what our drawing and our signer write (one original, one update that holds the signature, and updates that add
// validation data and document time stamps) and passes nothing else. It trusts pinned roots only, asks no network, writes nothing, and reads any file in bounded memory
// and time. It cannot say whether an excerpt still holds, or whether a certificate was revoked: that is the registry's and
// the verifier's part. It shares no code with keys/signer, so that a fault of the one is found by the other.
//
// The shape is meant for the full reading of other people's PDFs too: object.go (syntax), revision.go (a file's revisions),
// excerpt.go (what our update may hold), cms.go and timestamp.go (the signature), text.go and lint.go (the page).
package pades

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys"
)

// Integrity says whether the bytes are as they were signed, whoever signed them.
type Integrity string

// Values of Integrity. "extended" is for other signers' files; our own excerpts allow nothing.
const (
	Intact   Integrity = "intact"
	Altered  Integrity = "altered"  // changed after signing
	Broken   Integrity = "broken"   // cannot be judged, or the signature does not match
	Unsigned Integrity = "unsigned" // no signature at all
)

// Indication is the result in the words of ETSI EN 319 102-1, table 5.
type Indication string

// Values of Indication.
const (
	Passed        Indication = "TOTAL-PASSED"
	Failed        Indication = "TOTAL-FAILED"
	Indeterminate Indication = "INDETERMINATE"
)

// SubIndication gives the reason in the words of ETSI EN 319 102-1, tables 6 and 7.
type SubIndication string

// The sub-indications that this reading can give.
const (
	FormatFailure             SubIndication = "FORMAT_FAILURE"
	HashFailure               SubIndication = "HASH_FAILURE"
	SigCryptoFailure          SubIndication = "SIG_CRYPTO_FAILURE"
	SigConstraintsFailure     SubIndication = "SIG_CONSTRAINTS_FAILURE"
	ChainConstraintsFailure   SubIndication = "CHAIN_CONSTRAINTS_FAILURE"
	CryptoConstraintsFailure  SubIndication = "CRYPTO_CONSTRAINTS_FAILURE"
	NoSigningCertificateFound SubIndication = "NO_SIGNING_CERTIFICATE_FOUND"
	NoCertificateChainFound   SubIndication = "NO_CERTIFICATE_CHAIN_FOUND"
	NotYetValid               SubIndication = "NOT_YET_VALID"
	OutOfBoundsNoPOE          SubIndication = "OUT_OF_BOUNDS_NO_POE"
	NoPOE                     SubIndication = "NO_POE"
)

// Reason is a stable key for one sentence to a person; the sentences are with whoever shows them.
type Reason string

// The reasons. Reasons lists them.
const (
	ReasonPassed        Reason = "pades.passed"
	ReasonIntact        Reason = "pades.intact"         // as signed; who signed was not asked
	ReasonEmpty         Reason = "pades.empty"          // no bytes
	ReasonTooLarge      Reason = "pades.too_large"      // more than MaxSize
	ReasonNotPDF        Reason = "pades.not_pdf"        // does not begin as a PDF
	ReasonEncrypted     Reason = "pades.encrypted"      // needs a password
	ReasonUnsigned      Reason = "pades.unsigned"       // no signature at all
	ReasonAppended      Reason = "pades.appended"       // whole and signed, and something follows
	ReasonWrapped       Reason = "pades.wrapped"        // a signed file inside another
	ReasonChanged       Reason = "pades.changed"        // the digest is another
	ReasonStructure     Reason = "pades.structure"      // signed, but not built as ours are
	ReasonSignature     Reason = "pades.signature"      // the signature itself cannot be read or does not verify
	ReasonWeak          Reason = "pades.weak"           // algorithm or key that we do not accept
	ReasonCertificate   Reason = "pades.certificate"    // the signer's certificate is absent or not the one that was signed
	ReasonStranger      Reason = "pades.stranger"       // no chain to a pinned root
	ReasonPurpose       Reason = "pades.purpose"        // ours, but not for signing documents
	ReasonNoTime        Reason = "pades.no_time"        // no time stamp
	ReasonUntrustedTime Reason = "pades.untrusted_time" // a time stamp that does not hold or that we do not trust
	ReasonExpired       Reason = "pades.expired"        // signed after the certificate's end
	ReasonTooEarly      Reason = "pades.too_early"      // signed before the certificate's beginning
	ReasonGaveUp        Reason = "pades.gave_up"        // its reader died or took too long
)

// GaveUp is the report of whoever had a file read elsewhere and got no answer.
func GaveUp() Report {
	return Report{Integrity: Broken, Indication: Indeterminate, SubIndication: FormatFailure, Reason: ReasonGaveUp}
}

// Reasons gives every Reason, so that a test can find out whether each has its sentence.
func Reasons() []Reason {
	return []Reason{
		ReasonPassed, ReasonIntact, ReasonEmpty, ReasonTooLarge, ReasonNotPDF, ReasonEncrypted, ReasonUnsigned, ReasonAppended,
		ReasonWrapped, ReasonChanged, ReasonStructure, ReasonSignature, ReasonWeak, ReasonCertificate, ReasonStranger,
		ReasonPurpose, ReasonNoTime, ReasonUntrustedTime, ReasonExpired, ReasonTooEarly, ReasonGaveUp,
	}
}

// Report is what can be said of a file. Signer, SignedAt, Level and Code are filled only with Passed: before that, they
// would be claims of whoever made the file.
type Report struct {
	Integrity     Integrity
	Indication    Indication
	SubIndication SubIndication // empty with Passed
	Reason        Reason
	Signer        string    // common name of the certificate
	SignedAt      time.Time // of the time stamp, UTC
	Level         string    // "B-T", "B-LT" or "B-LTA"
	Code          string    // the authentication code printed on the page, in groups of four; empty if none is
}

// Read judges a file. With roots nil it judges Integrity only, and the Indication is never Passed.
// It never returns an error: whatever cannot be read is Broken.
func Read(pdf []byte, roots *keys.Roots) Report {
	switch {
	case len(pdf) == 0:
		return broken(ReasonEmpty)
	case len(pdf) > MaxSize:
		return broken(ReasonTooLarge)
	case !bytes.HasPrefix(pdf, []byte("%PDF-")):
		return broken(ReasonNotPDF)
	}
	f, err := readFile(pdf)
	if f.base != nil && f.trailer().has("Encrypt") {
		return broken(ReasonEncrypted)
	}
	if err != nil || f.update == nil {
		return foreign(f)
	}
	sig, ok := readExcerpt(f)
	if !ok {
		return foreign(f)
	}
	archive, ok := readArchive(f)
	if f.to != len(pdf) || !ok {
		return failed(Altered, FormatFailure, ReasonAppended)
	}
	return judge(f, sig, archive, roots)
}

// judge reads the signature of a file that is built as ours are.
func judge(f *file, sig *signature, archive *archive, roots *keys.Roots) Report {
	cms, bad := readCMS(sig.contents, oidData)
	if bad != nil {
		return bad.report(Broken)
	}
	h := sha256.New()
	h.Write(f.src[:sig.from])
	h.Write(f.src[sig.to:f.update.to])
	if !bytes.Equal(h.Sum(nil), cms.digest) {
		return failed(Altered, HashFailure, ReasonChanged)
	}
	if bad := cms.verify(); bad != nil {
		return bad.report(Broken)
	}
	if bad := cms.identify(); bad != nil {
		return bad.report(Broken)
	}
	stamp, noTime := readStamp(cms)
	if noTime != nil && cms.token != nil {
		return noTime.report(Broken)
	}
	level, whole := archive.judge(f, roots)
	if !whole {
		return failed(Altered, HashFailure, ReasonAppended)
	}
	// From here on the bytes are as signed by the holder of the certificate's key; whether that is one of ours is next.
	if roots == nil {
		if !cms.agrees() {
			return failure{Indeterminate, NoCertificateChainFound, ReasonSignature}.report(Broken)
		}
		return Report{Integrity: Intact, Indication: Indeterminate, SubIndication: NoCertificateChainFound, Reason: ReasonIntact}
	}
	when := cms.signer.NotBefore // to tell a stranger from one of ours without a time stamp
	if noTime == nil {
		if noTime = stamp.trust(roots); noTime == nil {
			when = stamp.at
		}
	}
	chain, err := roots.Chain(keys.DocumentSigning, cms.signer, cms.certificates, when)
	outOfTime := errors.Is(err, keys.ErrExpired) || errors.Is(err, keys.ErrNotYetValid)
	switch {
	case err != nil && (noTime == nil || !outOfTime):
		return chainFailure(err).report(Intact)
	case noTime != nil:
		return noTime.report(Intact)
	}
	if !cms.onlyHas(chain) {
		return failure{Indeterminate, SigConstraintsFailure, ReasonStructure}.report(Intact)
	}
	return Report{
		Integrity: Intact, Indication: Passed, Reason: ReasonPassed,
		Signer: cms.signer.Subject.CommonName, SignedAt: stamp.at, Level: level, Code: printedCode(f),
	}
}

// failure is why a signature is not accepted.
type failure struct {
	indication Indication
	sub        SubIndication
	reason     Reason
}

func (f failure) report(integrity Integrity) Report {
	return Report{Integrity: integrity, Indication: f.indication, SubIndication: f.sub, Reason: f.reason}
}

func failed(integrity Integrity, sub SubIndication, reason Reason) Report {
	return failure{Failed, sub, reason}.report(integrity)
}

func broken(reason Reason) Report { return failed(Broken, FormatFailure, reason) }

// chainFailure puts what keys says into the standard's words.
func chainFailure(err error) failure {
	switch {
	case errors.Is(err, keys.ErrExpired):
		// The time stamp proves that the signature existed then, not that it did before: 319 102-1, 5.5.4.
		return failure{Indeterminate, OutOfBoundsNoPOE, ReasonExpired}
	case errors.Is(err, keys.ErrNotYetValid):
		return failure{Failed, NotYetValid, ReasonTooEarly}
	case errors.Is(err, keys.ErrPurpose):
		return failure{Indeterminate, ChainConstraintsFailure, ReasonPurpose}
	case errors.Is(err, keys.ErrWeak):
		return failure{Indeterminate, CryptoConstraintsFailure, ReasonWeak}
	}
	return failure{Indeterminate, NoCertificateChainFound, ReasonStranger}
}

// maxInside is how many beginnings of a file inside a file are tried.
const maxInside = 4

// foreign says what can be said of a file that is not built as ours are. It never says Intact.
func foreign(f *file) Report {
	src := f.src
	if f.update == nil && f.base != nil && f.to == len(src) && !signs(src) {
		return failed(Unsigned, FormatFailure, ReasonUnsigned)
	}
	// A whole file of ours inside another: the outer one shows something else.
	for from, tried := 1, 0; tried < maxInside; tried++ {
		n := bytes.Index(src[from:], []byte("%PDF-1."))
		if n < 0 {
			break
		}
		from += n
		if inner, _ := readFile(src[from:]); inner.update != nil {
			if _, ok := readExcerpt(inner); ok {
				return failed(Altered, FormatFailure, ReasonWrapped)
			}
		}
		from++
	}
	if encrypted(src) {
		return broken(ReasonEncrypted)
	}
	if !signs(src) {
		return failed(Unsigned, FormatFailure, ReasonUnsigned)
	}
	return broken(ReasonStructure)
}

// signs says whether a file that we do not read whole may hold a signature. A signature's dictionary cannot stand in a
// compressed object, because /ByteRange leaves a gap in the bytes of the file itself; so its words can be looked for.
// A false alarm makes a file Broken instead of Unsigned and never better.
func signs(src []byte) bool {
	for _, word := range []string{"/ByteRange", "/Byte#", "#52ange", "/Adobe.PPK", "adbe.pkcs7", "ETSI.CAdES", "ETSI.RFC3161", "/FT/Sig", "/FT /Sig", "/Type/Sig", "/Type /Sig", "/DocMDP"} {
		if bytes.Contains(src, []byte(word)) {
			return true
		}
	}
	return false
}

// encrypted says whether a trailer of a file that we do not read whole seems to ask for a password. It chooses among sentences only.
func encrypted(src []byte) bool {
	return bytes.Contains(src, []byte("/Encrypt ")) || bytes.Contains(src, []byte("/Encrypt<<"))
}

// printedCode finds the authentication code on the page: the first line that is one.
func printedCode(f *file) (code string) {
	_, err := f.text(nil, func(line string) bool {
		if c, err := tesdiq.ParseCode(line); err == nil && c.String() == line {
			code = line
		}
		return code != ""
	})
	if err != nil {
		return ""
	}
	return code
}

// holds says whether certs has c.
func holds(certs []*x509.Certificate, c *x509.Certificate) bool {
	for _, other := range certs {
		if other.Equal(c) {
			return true
		}
	}
	return false
}
