// Package pades reads signed PDFs strictly: whether the bytes are as they were signed, who signed them, and when.
//
// It is in three layers. A document (document.go, xref.go, unpack.go) reads any PDF as ISO 32000-2 says: all cross-reference sections,
// every byte accounted for, nothing repaired and nothing guessed; what two readers might read in two ways is Broken. A history
// (seal.go, cms.go, algorithm.go, ber.go, timestamp.go, history.go) checks every signature and document time stamp against the
// revision that brought it, and judges every later revision by its delta (delta.go, deltaform.go, deltapage.go, deltastructure.go, cover.go): the newer document is walked along
// every reference, each place where something may change has a rule, and everything else must be as it was. Trust (trust.go,
// evidence.go) asks by pinned roots who signed, and walks the time stamps back from the last. Whether a file is as it was
// signed does not depend on whom one trusts.
//
// Apart from that, revision.go, excerpt.go, text.go and lint.go know exactly what our drawing and our signer write, for the issuer's lint and for
// the code that is printed on a page.
//
// The package asks no network, writes nothing, and reads any file in bounded memory and time. It cannot say whether an excerpt still
// holds, or whether a certificate was revoked if the file does not say so: that is the registry's and the verifier's part. It shares no
// code with keys/signer, so that a fault of the one is found by the other.
package pades

import (
	"bytes"
	"crypto/x509"
	"errors"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys"
)

// Integrity says whether the bytes are as they were signed, whoever signed them.
type Integrity string

// Values of Integrity. Our own excerpts allow nothing, so that they are never Extended.
const (
	Intact   Integrity = "intact"   // as signed, but for validation data and document time stamps
	Extended Integrity = "extended" // after signing only what the signer allowed was added: filled fields, further signatures, notes
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
	Revoked                   SubIndication = "REVOKED"
	RevokedCANoPOE            SubIndication = "REVOKED_CA_NO_POE"
	TimestampOrderFailure     SubIndication = "TIMESTAMP_ORDER_FAILURE"
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
	ReasonIncomplete    Reason = "pades.incomplete"     // its end is missing; Unsigned or Broken, by whether a signature is in what is there
	ReasonUnsigned      Reason = "pades.unsigned"       // no signature at all
	ReasonAppended      Reason = "pades.appended"       // whole and signed, and something follows
	ReasonWrapped       Reason = "pades.wrapped"        // a signed file inside another
	ReasonChanged       Reason = "pades.changed"        // the digest is another
	ReasonStructure     Reason = "pades.structure"      // signed, but not to be read in one way only
	ReasonSignature     Reason = "pades.signature"      // the signature itself cannot be read or does not verify
	ReasonWeak          Reason = "pades.weak"           // algorithm or key that we do not accept
	ReasonCertificate   Reason = "pades.certificate"    // the signer's certificate is absent or not the one that was signed
	ReasonStranger      Reason = "pades.stranger"       // no chain to a pinned root
	ReasonPurpose       Reason = "pades.purpose"        // ours, but not for signing documents
	ReasonNoTime        Reason = "pades.no_time"        // no time stamp
	ReasonUntrustedTime Reason = "pades.untrusted_time" // a time stamp that does not hold or that we do not trust
	ReasonExpired       Reason = "pades.expired"        // signed after the certificate's end
	ReasonTooEarly      Reason = "pades.too_early"      // signed before the certificate's beginning
	ReasonExtended      Reason = "pades.extended"       // more was added, which the signer allowed
	ReasonRevoked       Reason = "pades.revoked"        // the file itself proves that a certificate was revoked before
	ReasonStale         Reason = "pades.stale"          // the last time stamp's certificate has ended
	ReasonOnlyTime      Reason = "pades.only_time"      // time stamps, and no signature
	ReasonGaveUp        Reason = "pades.gave_up"        // its reader died or took too long
)

// GaveUp is the report of whoever had a file read elsewhere and got no answer.
func GaveUp() Report {
	return Report{Integrity: Broken, Indication: Indeterminate, SubIndication: FormatFailure, Reason: ReasonGaveUp}
}

// Reasons gives every Reason, so that a test can find out whether each has its sentence.
func Reasons() []Reason {
	return []Reason{
		ReasonPassed, ReasonIntact, ReasonEmpty, ReasonTooLarge, ReasonNotPDF, ReasonEncrypted, ReasonIncomplete, ReasonUnsigned, ReasonAppended,
		ReasonWrapped, ReasonChanged, ReasonStructure, ReasonSignature, ReasonWeak, ReasonCertificate, ReasonStranger,
		ReasonPurpose, ReasonNoTime, ReasonUntrustedTime, ReasonExpired, ReasonTooEarly, ReasonExtended, ReasonRevoked, ReasonStale,
		ReasonOnlyTime, ReasonGaveUp,
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

	// With Intact: how long the file was when it was signed. What the issuer handed out is this beginning or a longer one that ends
	// with a revision; what follows are validation data and time stamps.
	Signed int

	// With Passed: the numbers of the signer's certificate and of that of the time stamp that dates it, lower-case hexadecimal. What was
	// revoked after the file was made, the file cannot know.
	SignerSerial, StampSerial string

	why error // for our own tests: what exactly was found
}

// Read judges a file as of its last time stamp: whoever asks later than that asks with ReadAt.
func Read(pdf []byte, roots *keys.Roots) Report { return ReadAt(pdf, roots, time.Time{}) }

// ReadAt judges a file as of now. With roots nil it judges Integrity only, and the Indication is never Passed.
// It never returns an error: whatever cannot be read is Broken.
func ReadAt(pdf []byte, roots *keys.Roots, now time.Time) Report { return read(pdf, roots, now, nil) }

// ReadInspected is Read for who inspected the same page before it was signed: where it still draws the same with the same fonts, the code
// on it is the one that was found then, and the page is not read a second time.
func ReadInspected(pdf []byte, roots *keys.Roots, before Inspection) Report {
	return read(pdf, roots, time.Time{}, before.shown)
}

func read(pdf []byte, roots *keys.Roots, now time.Time, before *shown) Report {
	switch {
	case len(pdf) == 0:
		return broken(ReasonEmpty)
	case len(pdf) > MaxSize:
		return broken(ReasonTooLarge)
	case !bytes.HasPrefix(pdf, []byte("%PDF-")):
		return broken(ReasonNotPDF)
	}
	e := newEffort()
	d, err := openDocument(pdf, e)
	defer d.close()
	if err != nil {
		r := foreign(pdf, err, e)
		r.why = err
		return r
	}
	h := d.judge()
	if h.bad != nil {
		r := h.bad.report(h.integrity)
		if h.integrity != Altered && h.bad.reason != ReasonWeak && wrapped(pdf, e) {
			r = failed(Altered, FormatFailure, ReasonWrapped)
		}
		r.why = h.why
		return r
	}
	for _, s := range h.seals {
		if bad := s.contradiction(roots == nil); bad != nil {
			return bad.report(Broken)
		}
	}
	// From here on the bytes are as signed by the holder of the certificate's key; whether that is one of ours is next.
	var r Report
	switch {
	case roots != nil:
		r = (&trust{d: d, h: h, roots: roots, now: now, before: before}).report()
	case h.integrity == Extended:
		r = Report{Indication: Indeterminate, SubIndication: NoCertificateChainFound, Reason: ReasonExtended}
	default:
		r = Report{Indication: Indeterminate, SubIndication: NoCertificateChainFound, Reason: ReasonIntact}
	}
	r.Integrity = h.integrity
	if h.integrity == Intact {
		r.Signed = h.seals[0].end
	}
	return r
}

// contradiction reads the signature's own time stamps, and says whether what came along with a signature contradicts it: a time stamp over something else, or, where no roots
// will find out, an issuer that did not issue the certificate.
func (s *seal) contradiction(alone bool) *failure {
	for _, token := range s.cms.tokens {
		stamp, bad := readStamp(token)
		if bad == nil && !stamp.over(s.cms.signature) {
			bad = &untrusted
		}
		if bad != nil && (bad.reason != ReasonWeak || s.kind == cadesKind) {
			return &untrusted
		}
		if bad == nil {
			s.cms.stamps = append(s.cms.stamps, stamp)
		}
	}
	if alone && !s.cms.agrees() {
		return &failure{Indeterminate, NoCertificateChainFound, ReasonSignature}
	}
	return nil
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

// How much is tried to find a better sentence on a file that cannot be judged.
const (
	maxInside = 3 // beginnings of files inside the file
	maxCuts   = 3 // ends of each
)

// foreign says what can be said of a file that cannot be read as a whole. It never says Intact.
func foreign(src []byte, err error, e *effort) Report {
	switch {
	case errors.Is(err, errLocked), incomplete(src) && encrypted(src):
		return broken(ReasonEncrypted)
	case incomplete(src) && signs(src):
		return broken(ReasonIncomplete)
	case incomplete(src):
		return failed(Unsigned, FormatFailure, ReasonIncomplete)
	case holdsSigned(src, false, e):
		return failed(Altered, FormatFailure, ReasonAppended)
	case wrapped(src, e):
		return failed(Altered, FormatFailure, ReasonWrapped)
	case encrypted(src):
		return broken(ReasonEncrypted)
	case !signs(src):
		return failed(Unsigned, FormatFailure, ReasonUnsigned)
	}
	return broken(ReasonStructure)
}

// incomplete says whether src seems to be the beginning of a file: it has no end at all, or breaks off in an
// object, or in a line, of an update. It chooses among sentences, and among Broken and Altered.
func incomplete(src []byte) bool {
	end := bytes.LastIndex(src, []byte("%%EOF"))
	if end < 0 {
		return true
	}
	rest := src[end+len("%%EOF"):]
	r := reader{src: rest, at: skip(rest, 0)}
	if _, _, ok := r.objectHeader(); !ok {
		return false
	}
	if last := bytes.LastIndex(rest, []byte("endobj")); last >= 0 {
		rest = rest[last+len("endobj"):]
	}
	rest = rest[skip(rest, 0):]
	if len(rest) == 0 || rest[0] >= '0' && rest[0] <= '9' {
		return len(rest) > 0
	}
	return bytes.Contains(rest, []byte("startxref")) || !isSpace(rest[len(rest)-1]) // behind its trailer, or in a line of it
}

// wrapped says whether a whole signed file is inside another, which shows something else.
func wrapped(src []byte, e *effort) bool {
	for from, tried := 1, 0; tried < maxInside; tried++ {
		n := bytes.Index(src[from:], []byte("%PDF-"))
		if n < 0 {
			break
		}
		from += n
		if holdsSigned(src[from:], true, e) {
			return true
		}
		from++
	}
	return false
}

// holdsSigned says whether src begins with a whole signed file, by trying where it could end: from the end back, or from the beginning.
func holdsSigned(src []byte, forward bool, e *effort) bool {
	if !bytes.Contains(src, []byte("/ByteRange")) {
		return false
	}
	mark := []byte("%%EOF")
	from, to := 0, len(src)
	for range maxCuts {
		var end int
		if forward {
			n := bytes.Index(src[from:], mark)
			if n < 0 {
				return false
			}
			end = from + n + len(mark)
			from = end
		} else {
			n := bytes.LastIndex(src[:to], mark)
			if n < 0 {
				return false
			}
			to, end = n, n+len(mark)
		}
		ends := []int{end}
		for end < len(src) && end < ends[0]+2 && (src[end] == '\n' || src[end] == '\r') {
			end++
			ends = append(ends, end)
		}
		if holdsSignedTo(src, ends, forward, e) {
			return true
		}
	}
	return false
}

// holdsSignedTo is holdsSigned for a file that ends at the first of ends, or with the line end behind it.
func holdsSignedTo(src []byte, ends []int, forward bool, e *effort) bool {
	d, err := openDocument(src[:ends[0]], e)
	defer d.close()
	if err != nil || len(d.seals(d.last())) == 0 {
		return false
	}
	for _, end := range ends {
		if end < len(src) || forward {
			d.src = src[:end]
			if h := d.judge(); h.bad == nil {
				return true
			}
		}
	}
	return false
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

// printedCode finds the authentication code on the page of a file of ours: the first line that is one. before is what the page showed
// when it was inspected, if it was.
func (d *document) printedCode(main *seal, before *shown) (code string) {
	if before != nil && before.still(d, main.rev) {
		return before.code
	}
	f := d.asOurs(main.rev)
	if f == nil {
		return ""
	}
	_, err := f.text(nil, func(line string) bool {
		code = codeIn(line)
		return code != ""
	})
	if err != nil {
		return ""
	}
	return code
}

// codeIn is a line of the page, if that is an authentication code as we print it.
func codeIn(line string) string {
	if c, err := tesdiq.ParseCode(line); err == nil && c.String() == line {
		return line
	}
	return ""
}

// maxOurs is how many objects a file of ours has at most; ten times as many as any.
const maxOurs = 500

// asOurs gives a revision in the form in which pages of ours are read; nil if it is too large for one.
func (d *document) asOurs(rev int) *file {
	all := &revision{index: map[int]int{}, trailer: d.revisions[rev].trailer}
	for k := rev; k >= 0; k-- {
		for number := range d.revisions[k].entries {
			if _, newer := all.index[int(number)]; newer {
				continue
			}
			it := d.load(int(number), rev)
			if it == nil {
				continue
			}
			if len(all.objects) == maxOurs {
				return nil
			}
			all.index[int(number)] = len(all.objects)
			all.objects = append(all.objects, object{number: int(number), at: it.at, value: it.value, stream: it.stream})
		}
	}
	return &file{src: d.src, base: all, to: len(d.src)}
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
