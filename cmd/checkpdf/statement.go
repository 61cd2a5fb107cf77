package main

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"github.com/tesdiq/tesdiq/verifier/statement"
)

// statements are the two ways to read what an excerpt says for machines: from its QR code, and from its attachment.
type statements struct {
	signers *statement.Signers
	roots   *keys.Roots
	trust   *keys.TrustList // nil: revocations are not known
	now     time.Time
	words   map[string]string
	stdout  io.Writer
	stderr  io.Writer
}

// qrLine is what -qr -json prints.
type qrLine struct {
	Result     string `json:"result"` // genuine or refused
	Reason     string `json:"reason"`
	AsOf       string `json:"as_of"` // RFC 3339, UTC
	Kind       string `json:"kind"`
	Number     string `json:"number"`
	Person     string `json:"person"` // initials, and the last characters of the FIN
	ValidUntil string `json:"valid_until"`
	Code       string `json:"code"`
	Address    string `json:"address"`
	Digest     string `json:"digest"` // SHA-256 of the whole statement
	Signer     string `json:"signer"`
}

// Keys of the sentences on statements.
const (
	qrGenuine         = "qr.genuine"
	statementNone     = "statement.none"      // there is none
	statementForm     = "statement.form"      // not written as ours are
	statementFile     = "statement.file"      // neither a PDF nor an attachment out of one
	statementStranger = "statement.stranger"  // signed by somebody else, or out of his time
	statementWrong    = "statement.signature" // the signature does not verify
	statementDiffers  = "statement.differs"   // it says something else than the page
)

// statementKeys lists them, so that a test can find out whether each has its sentence.
var statementKeys = []string{qrGenuine, statementNone, statementForm, statementFile, statementStranger, statementWrong, statementDiffers}

// sentence is the key of the sentence on an error of package statement.
func sentence(err error) string {
	switch {
	case errors.Is(err, statement.ErrNoStatement):
		return statementNone
	case errors.Is(err, statement.ErrStranger):
		return statementStranger
	case errors.Is(err, statement.ErrSignature):
		return statementWrong
	}
	return statementForm
}

// qr judges the text of a QR code.
func (s *statements) qr(text string, asJSON bool) int {
	g, err := s.signers.ReadQR(text)
	l, status := qrLine{Result: "refused"}, someNot
	switch {
	case err != nil:
		l.Reason = s.words[sentence(err)]
	case s.revoked(g.Signer, s.now):
		l.Reason = s.words[trustRevoked]
	default:
		status = allPassed
		l = qrLine{"genuine", strings.ReplaceAll(s.words[qrGenuine], "{day}", tesdiq.DateOf(g.AsOf).String()), g.AsOf.Format(time.RFC3339), g.Kind, g.Number,
			g.Initials + " ••••" + g.FINTail, g.ValidUntil.ISO(), g.Code.String(), g.Address, hex.EncodeToString(g.Digest[:]), g.Signer.Subject.CommonName}
	}
	if asJSON {
		e := json.NewEncoder(s.stdout)
		e.SetEscapeHTML(false)
		err = e.Encode(l)
	} else {
		var b strings.Builder
		b.WriteString(l.Reason)
		for _, f := range []struct{ label, value string }{{"kind", s.words["kind."+l.Kind]}, {"number", l.Number}, {"person", l.Person},
			{"valid_until", until(l.ValidUntil)}, {"code", l.Code}, {"address", l.Address}, {"signer", l.Signer}} {
			if f.value != "" {
				fmt.Fprintf(&b, " %s: %s.", s.words["label."+f.label], printable(f.value))
			}
		}
		b.WriteByte('\n')
		_, err = io.WriteString(s.stdout, b.String())
	}
	if err != nil {
		fmt.Fprintf(s.stderr, "checkpdf: %s\n", strings.ReplaceAll(s.words[useWrite], "{detail}", err.Error()))
		return wrongUse
	}
	return status
}

// revoked says whether the trust list says so of a signer. What has no time stamp can have been written at any time up to now,
// whatever day it claims.
func (s *statements) revoked(signer *x509.Certificate, signedAt time.Time) bool {
	if s.trust == nil {
		return false
	}
	_, revoked := s.trust.RevokedFor(keys.Serial(signer), signedAt)
	return revoked
}

// until writes a day as people do.
func until(iso string) string {
	d, err := tesdiq.ParseDate(iso)
	if err != nil {
		return ""
	}
	return d.String()
}

// print prints what a file states: an excerpt's PDF, or the attachment that was taken out of one.
func (s *statements) print(name string) int {
	full, key := s.read(name)
	if key != "" {
		fmt.Fprintf(s.stderr, "checkpdf: %s: %s\n", printable(name), s.words[key])
		return someNot
	}
	if _, err := s.stdout.Write(append(full, '\n')); err != nil {
		fmt.Fprintf(s.stderr, "checkpdf: %s\n", strings.ReplaceAll(s.words[useWrite], "{detail}", err.Error()))
		return wrongUse
	}
	return allPassed
}

// read gives the JSON that a file states, or the key of the sentence that says why not.
func (s *statements) read(name string) (full []byte, key string) {
	data, key := load(name)
	if key != "" {
		return nil, key
	}
	isPDF := bytes.HasPrefix(data, []byte("%PDF-"))
	jws, code, signedAt := data, "", s.now
	if isPDF {
		report := pades.ReadAt(data, s.roots, s.now)
		if report.Indication != pades.Passed {
			return nil, string(report.Reason)
		}
		var err error
		if jws, err = pades.Attachment(data); err != nil || jws == nil {
			return nil, statementNone
		}
		code, signedAt = report.Code, report.SignedAt
	}
	said, signer, err := s.signers.ReadJWS(jws)
	switch {
	case err == nil:
	case isPDF || sentence(err) != statementForm:
		return nil, sentence(err)
	case verifier.IsPicture(data):
		return nil, filePicture
	default:
		return nil, statementFile
	}
	if s.revoked(signer, signedAt) {
		return nil, trustRevoked
	}
	if isPDF && (said.Code != code || !says(data, said)) {
		return nil, statementDiffers
	}
	if full, err = said.JSON(); err != nil {
		return nil, statementForm
	}
	return full, ""
}

// says says whether a page shows, and a screen reader hears, exactly the facts of a statement.
func says(pdf []byte, s statement.Statement) bool {
	page := pades.Inspect(pdf)
	drawn := compact(strings.Join(page.Drawn, ""))
	for _, text := range []string{s.Title, s.Number, s.Code} {
		if !strings.Contains(drawn, compact(text)) {
			return false
		}
	}
	var rows []string
	for _, h := range page.Heard {
		if h.Role == "TH" || h.Role == "TD" {
			rows = append(rows, compact(h.Text))
		}
	}
	if len(rows) != 2*len(s.Facts) {
		return false
	}
	for i, f := range s.Facts {
		if rows[2*i] != compact(f.Label) || rows[2*i+1] != compact(f.Value) {
			return false
		}
	}
	return true
}

// compact leaves out blanks: a fact may run over several lines of the page.
func compact(s string) string { return strings.Join(strings.Fields(s), "") }
