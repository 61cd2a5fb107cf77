package pdftest

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/signintech/gopdf"
)

var update = flag.Bool("update", false, "write page.pdf anew")

// The page is kept as a file, so that an attack on it is always on the same bytes; here is how it was drawn.
func TestPageIsWhatGopdfDraws(t *testing.T) {
	p := &gopdf.GoPdf{}
	p.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	p.SetInfo(gopdf.PdfInfo{Title: "Çıxarış", Producer: "Tesdiq", CreationDate: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)})
	p.AddPage()
	if err := p.AddTTFFont("text", "../../templates/fonts/NotoSans-Regular.ttf"); err != nil {
		t.Fatal(err)
	}
	p.SetLineWidth(0.5)
	p.Line(57, 90, 538, 90)
	for i, fact := range Facts {
		if err := p.SetFont("text", "", 11); err != nil {
			t.Fatal(err)
		}
		p.SetXY(57, 60+40*float64(i))
		if err := p.Cell(nil, fact); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 { // something like a QR
		p.RectFromUpperLeftWithStyle(400+float64(i%8)*4, 300+float64(i/8)*4, 4, 4, "F")
	}
	drawn, err := p.GetBytesPdfReturnErr()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("page.pdf", drawn, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(drawn, page) {
		t.Errorf("gopdf draws another page now (%d bytes, not %d): go test ./internal/pdftest -update", len(drawn), len(page))
	}
}
