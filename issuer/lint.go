package issuer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"github.com/tesdiq/tesdiq/verifier/statement"
)

// lint reads the unsigned page back, with code that shares nothing with what drew it, and compares it with what it
// shall state. What it read is for the check after signing.
func lint(sheet Sheet) (read pades.Inspection, err error) {
	read = pades.Inspect(sheet.PDF)
	if len(read.Findings) > 0 {
		return read, errors.New(strings.Join(read.Findings, "; "))
	}
	// A fact may run over several lines of the page, and a long word may be broken: blanks do not count.
	page := compact(strings.Join(read.Drawn, ""))
	for i, line := range sheet.Lines {
		if !strings.Contains(page, compact(line)) {
			return read, fmt.Errorf("the page does not show text %d of %d", i+1, len(sheet.Lines)) // the text itself is personal
		}
	}
	if !bytes.Equal(read.Attached, sheet.JWS) {
		return read, errors.New("the attachment is not what was signed for machines")
	}
	return read, heard(read.Heard, sheet.Facts)
}

// heard compares what a screen reader says of the table with the facts: each label as the head of a row and its value after it,
// in their order, and no other row.
func heard(said []pades.Said, facts []templates.Fact) error {
	var rows []pades.Said
	for _, s := range said {
		if s.Role == "TH" || s.Role == "TD" {
			rows = append(rows, s)
		}
	}
	if len(rows) != 2*len(facts) {
		return fmt.Errorf("%d cells are heard, %d facts are stated", len(rows), len(facts))
	}
	for i, f := range facts {
		label, value := rows[2*i], rows[2*i+1]
		if label.Role != "TH" || value.Role != "TD" || compact(label.Text) != compact(f.Label) || compact(value.Text) != compact(f.Value) {
			return fmt.Errorf("fact %d of %d is heard otherwise", i+1, len(facts))
		}
	}
	return nil
}

// check sees that the signed file is the page that was linted with a signature after it, and that whoever relies on it passes
// it, on paper too: the page, the attachment and the QR say the same.
func (m *Maker) check(job Job, sheet Sheet, signed []byte, linted pades.Inspection) (report pades.Report, err error) {
	if len(signed) <= len(sheet.PDF) || !bytes.HasPrefix(signed, sheet.PDF) {
		return report, errors.New("the signer changed the page")
	}
	switch report = pades.ReadInspected(signed, m.Roots, linted); {
	case report.Integrity != pades.Intact, report.Indication != pades.Passed:
		return report, fmt.Errorf("%s, %s (%s): %s", report.Integrity, report.Indication, report.SubIndication, report.Reason)
	case report.Code != job.Code.String():
		return report, errors.New("the page carries another code")
	}
	signers := statement.NewSigners(m.Roots, sheet.Signers...)
	full, _, err := signers.ReadJWS(sheet.JWS)
	if err != nil {
		return report, fmt.Errorf("attachment: %w", err)
	}
	if written, err := full.JSON(); err != nil || !bytes.Equal(written, sheet.Full) {
		return report, errors.New("the attachment states something else")
	}
	if len(full.Facts) != len(sheet.Facts) || full.Code != job.Code.String() || full.Number != string(job.Number) {
		return report, errors.New("the attachment states another excerpt")
	}
	for i, f := range sheet.Facts {
		if full.Facts[i] != (statement.Fact{Group: f.Group, Key: f.Key, Label: f.Label, Value: f.Value}) {
			return report, fmt.Errorf("fact %d of %d is attached otherwise", i+1, len(sheet.Facts))
		}
	}
	brief, err := signers.ReadQR(sheet.QR)
	switch {
	case err != nil:
		return report, fmt.Errorf("QR: %w", err)
	case brief.Digest != sha256.Sum256(sheet.Full), brief.Code != job.Code, brief.Number != string(job.Number), brief.Kind != job.Kind, brief.ValidUntil != job.ValidUntil:
		return report, errors.New("the QR states another excerpt")
	}
	return report, nil
}

func compact(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
