package pades

import "testing"

// Where a page's text and pictures stand, as the operators say: each content is looked for at a place where it is and at one where it is not.
func TestWhereThingsStand(t *testing.T) {
	const there, elsewhere = true, false
	src := PlainFile("<</Type/Catalog>>", "<</Subtype/Form/Matrix[1 0 0 1 100 0]/Length 30>>\nstream\nBT /F 10 Tf 0 5 Td (form) Tj E\nendstream",
		"<</Subtype/Image/Length 0>>\nstream\n\nendstream")
	d, err := openDocument(src, newEffort())
	if err != nil {
		t.Fatal(err)
	}
	resources, err := newReader([]byte("<</XObject<</Fm 2 0 R/Im 3 0 R>>/Font<</C<</Subtype/Type0>>>>>>")).value(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		content string
		x, y    float64 // middle of a small place
		want    bool
	}{
		{"BT /F 10 Tf 100 200 Td (text) Tj ET", 105, 203, there},
		{"BT /F 10 Tf 100 200 Td (text) Tj ET", 105, 300, elsewhere},
		{"BT /F 10 Tf 100 200 Td (text) Tj ET", 90, 203, elsewhere},
		{"BT /F 10 Tf 100 200 Td (    ) Tj ET", 105, 203, elsewhere},
		{"BT /F 10 Tf 3 Tr 100 200 Td (text) Tj ET", 105, 203, elsewhere},
		{"BT /F 10 Tf 100 200 Td (text) Tj 0 -50 Td (next) Tj ET", 105, 153, there},
		{"BT /F 10 Tf 100 200 TD 0 -50 TD (a) Tj T* (b) Tj ET", 102, 103, there},
		{"BT /F 10 Tf 12 TL 100 200 Td (a) ' ET", 102, 191, there},
		{"BT /F 10 Tf 12 TL 100 200 Td 0 0 (a) \" ET", 102, 191, there},
		{"BT /F 1 Tf 10 0 0 10 100 200 Tm (text) Tj ET", 105, 203, there},
		{"2 0 0 2 0 0 cm BT /F 10 Tf 100 200 Td (text) Tj ET", 205, 405, there},
		{"q 2 0 0 2 0 0 cm Q BT /F 10 Tf 100 200 Td (text) Tj ET", 205, 405, elsewhere},
		{"BT /F 10 Tf 100 200 Td [(t) -5000 (u)] TJ ET", 156, 203, there},
		{"BT /F 10 Tf 100 200 Td [(t) -5000 (u)] TJ ET", 130, 203, elsewhere},
		{"BT /F 10 Tf 100 200 Td (one) Tj (two) Tj ET", 118, 203, there},
		{"BT /C 10 Tf 100 200 Td <0001000200030004> Tj ET", 130, 203, elsewhere},
		{"BT /F 10 Tf 50 Ts 100 200 Td (text) Tj ET", 105, 253, there},
		{"1 0 0 1 0 200 cm /Fm Do", 105, 207, there},
		{"1 0 0 1 0 200 cm /Fm Do", 5, 207, elsewhere},
		{"50 0 0 50 100 200 cm /Im Do", 120, 220, there},
		{"50 0 0 50 100 200 cm /Im Do", 160, 220, elsewhere},
		{"500 0 0 800 0 0 cm /Im Do", 120, 220, elsewhere}, // what the page is drawn on
		{"50 0 0 50 100 200 cm BI /W 1 ID \x00EIx EI Q", 120, 220, there},
		{"100 200 50 50 re f", 120, 220, elsewhere},
		{"% (", 120, 220, elsewhere},
		{"(", 120, 220, there}, // it cannot be told
		{"BI /W 1 ID x", 120, 220, there},
	} {
		p := &painter{d: d, rect: box{c.x - 1, c.y - 1, c.x + 1, c.y + 1}, page: 595 * 842, left: 1000}
		if p.paint([]byte(c.content), &resources, graphics{ctm: unit, scale: 1}); p.hit != c.want {
			t.Errorf("%s at %g %g: %v", c.content, c.x, c.y, p.hit)
		}
	}
}
