package pades_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// A page that was inspected before it was signed is not read a second time; one that shows anything else is.
func TestAPageIsReadOnce(t *testing.T) {
	w := newWorld(t)
	const mark = "known from before"
	before := pades.WithCode(pades.Inspect(w.page), mark)
	if r := pades.ReadInspected(w.signed, w.roots, before); r.Indication != pades.Passed || r.Code != mark {
		t.Errorf("the same page was read again: %+v", r)
	}
	if r := pades.ReadInspected(w.signed, w.roots, pades.Inspection{}); r != pades.Read(w.signed, w.roots) {
		t.Errorf("without an inspection: %+v", r)
	}
	// Another content, other dictionaries of content and character map, another font.
	word := func(from, to string) func([]byte) []byte {
		return func(body []byte) []byte { return bytes.Replace(body, []byte(from), []byte(to), 1) }
	}
	for name, c := range map[string]struct {
		number int
		change func(body []byte) []byte
	}{
		"content":              {11, func(body []byte) []byte { return flip(body, bytes.Index(body, []byte("\nendstream"))-1) }},
		"content's dictionary": {11, word("/Filter/FlateDecode", "/Filter[/FlateDecode]")},
		"map":                  {6, func(body []byte) []byte { return flip(body, bytes.Index(body, []byte("\nendstream"))-1) }},
		"map's dictionary":     {6, word("/Length ", "/X 1/Length ")},
		"a font":               {10, word("/Type0", "/Type0 /X 1")},
	} {
		from := bytes.Index(w.page, fmt.Appendf(nil, "\n%d 0 obj\n", c.number)) + len(fmt.Sprintf("\n%d 0 obj\n", c.number))
		body := w.page[from : from+bytes.Index(w.page[from:], []byte("\nendobj\n"))]
		other := c.change(body)
		if bytes.Equal(other, body) {
			t.Fatalf("%s: nothing to change in %.200s", name, body)
		}
		signed, err := w.set.PDFSigner(rand.Reader).Sign(t.Context(), pdftest.WithObject(w.page, c.number, string(other)), now, signer.SignInfo{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r := pades.ReadInspected(signed, w.roots, before); r.Integrity != pades.Intact || r.Code == mark {
			t.Errorf("%s is another one, and was not looked at: %+v", name, r)
		}
	}
}
