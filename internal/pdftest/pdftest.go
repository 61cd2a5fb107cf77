// Package pdftest has the page that tests of signing and reading start from. It is for tests only.
package pdftest

import (
	"bytes"
	_ "embed"
	"fmt"
)

//go:embed page.pdf
var page []byte

// Page gives a page as gopdf draws it, not yet signed: what Facts lists, in a subset of Noto Sans (templates/fonts), lines and
// rectangles. Its catalog is object 1, its page 5, its font 10 with the character map 6 and the file 7, its content 11.
func Page() []byte { return bytes.Clone(page) }

// Code is the authentication code that stands on the page.
const Code = "1234-5678-9ABC-DEFG-T"

// Facts stand on the page, in this order.
var Facts = []string{
	"Əlilliyin müəyyən edilməsi barədə çıxarış",
	"Soyad, ad, ata adı: Əliyeva Şəfəq İsmayıl qızı",
	"Pozulma faizi: 61–80",
	"Müddət: 21.11.2026 – 21.11.2027",
	Code,
}

// WithObject writes a page anew with another object in the place of one of its own, and with a table that fits. The document's
// information is left out.
func WithObject(page []byte, number int, body string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var offsets []int
	for n := 1; ; n++ {
		from := bytes.Index(page, fmt.Appendf(nil, "\n%d 0 obj\n", n))
		if from < 0 {
			break
		}
		to := bytes.Index(page[from:], []byte("\nendobj\n")) + from
		offsets = append(offsets, b.Len())
		if n == number {
			fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n, body)
			continue
		}
		b.Write(page[from+1 : to])
		b.WriteString("\nendobj\n")
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return b.Bytes()
}
