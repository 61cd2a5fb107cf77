package issuer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// lint reads the unsigned page back and compares it with what it shall state.
func (m *Maker) lint(job Job, sheet Sheet) error {
	if err := m.Reader.Lint(sheet.PDF); err != nil {
		return err
	}
	text, err := m.Reader.Text(sheet.PDF)
	if err != nil {
		return err
	}
	// A long fact is broken into lines, and where is the drawing's own affair: blanks do not count.
	page := compact(text)
	for i, line := range append([]string{job.Code.String(), string(job.Number)}, sheet.Lines...) {
		if !strings.Contains(page, compact(line)) {
			return fmt.Errorf("the page does not show its text %d of %d", i, len(sheet.Lines)+2) // the text itself is personal
		}
	}
	return nil
}

// check sees that the signed file is the page that was linted with a signature after it, and that relying parties pass it.
func (m *Maker) check(page, signed []byte) error {
	if len(signed) <= len(page) || !bytes.HasPrefix(signed, page) {
		return errors.New("the signer changed the page")
	}
	return m.Reader.Passed(signed, m.Now())
}

func compact(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
