package templates

import (
	"strconv"
	"strings"

	"github.com/signintech/gopdf"
)

// head is the mark, who issues, and the number of the excerpt.
type head struct{ ministry, system, label, number string }

const (
	markSize    = 14 * mm
	numberWidth = 40 * mm
)

func (h head) lines(d *drawing) []string {
	return d.wrap(bold, 11, width-markSize-5*mm-numberWidth, h.ministry)
}

func (h head) height(d *drawing, _ density) float64 { return markSize + 4*mm }

func (h head) draw(d *drawing, y float64, _ density) {
	// The mark itself is on the stationery.
	x, lines := left+markSize+5*mm, h.lines(d)
	base := y + markSize/2 - float64(len(lines)-1)*7 - 1.5
	d.begin(paragraph)
	d.paragraph(bold, 11, 14, ink, x, base, lines)
	d.end()
	d.begin(paragraph)
	d.text(regular, 9, quiet, x, base+float64(len(lines)-1)*14+13, h.system)
	d.end()
	d.begin(paragraph)
	d.text(regular, 9, quiet, right-d.measure(regular, 9, strings.TrimSpace(h.label)), y+markSize/2-2, h.label)
	d.text(bold, 10, ink, right-d.measure(bold, 10, h.number), y+markSize/2+11, h.number)
	d.end()
	d.rule(brand, y+markSize+4*mm, 0.6*mm)
}

// drawMark draws the eight-pointed star with a tick, in a square of the given side.
func drawMark(pdf *gopdf.GoPdf, x, y, side float64) {
	u := side / 48 // the mark is drawn on a grid of 48
	p := func(px, py float64) gopdf.Point { return gopdf.Point{X: x + px*u, Y: y + py*u} }
	pdf.SetStrokeColor(brand.r, brand.g, brand.b)
	pdf.SetLineWidth(2 * u)
	const far = 14 * 1.41421356
	pdf.Polygon([]gopdf.Point{p(10, 10), p(38, 10), p(38, 38), p(10, 38)}, "D")
	pdf.Polygon([]gopdf.Point{p(24, 24-far), p(24+far, 24), p(24, 24+far), p(24-far, 24)}, "D")
	pdf.SetLineWidth(3.2 * u)
	a, b, c := p(16.5, 24.5), p(22, 30), p(32, 18.5)
	pdf.Line(a.X, a.Y, b.X, b.Y)
	// The second stroke begins a little before the corner, so that the tick has no notch there.
	pdf.Line(b.X-1.1*u, b.Y+1.1*u, c.X, c.Y)
}

// title is what the document is, and as of when.
type title struct{ text, under string }

func (t title) lines(d *drawing) []string { return d.wrap(bold, 19, 150*mm, t.text) }

func (t title) height(d *drawing, style density) float64 {
	return style.titleGap + float64(len(t.lines(d)))*23 + 13
}

func (t title) draw(d *drawing, y float64, style density) {
	lines := t.lines(d)
	base := y + style.titleGap + 16
	d.begin(heading1)
	d.paragraph(bold, 19, 23, ink, left, base, lines)
	d.end()
	d.begin(paragraph)
	d.text(regular, 10.5, quiet, left, base+float64(len(lines)-1)*23+17, t.under)
	d.end()
}

// table is a heading and the facts under it.
type table struct {
	heading string
	rows    []Fact
}

const labelWidth = 56 * mm

func (t table) row(d *drawing, f Fact, style density) (label, value []string, height float64) {
	label = d.wrap(regular, style.size, labelWidth-4*mm, f.Label)
	value = d.wrap(bold, style.size, width-labelWidth, f.Value)
	return label, value, float64(max(len(label), len(value)))*style.leading + 2*style.pad
}

func (t table) height(d *drawing, style density) float64 {
	h := style.groupGap + style.leading
	for _, f := range t.rows {
		_, _, row := t.row(d, f, style)
		h += row
	}
	return h
}

func (t table) draw(d *drawing, y float64, style density) {
	d.begin(heading2)
	d.text(bold, style.size, brand, left, y+style.groupGap+style.size*0.8, t.heading)
	d.end()
	d.tags.open(tableRole)
	y += style.groupGap + style.leading
	for _, f := range t.rows {
		label, value, height := t.row(d, f, style)
		base := y + style.pad + style.size*0.95
		d.tags.open(tableRow)
		d.begin(rowHead)
		d.paragraph(regular, style.size, style.leading, quiet, left, base, label)
		d.end()
		d.begin(cell)
		d.paragraph(bold, style.size, style.leading, ink, left+labelWidth, base, value)
		d.end()
		d.tags.shut()
		y += height
		d.rule(line, y, 0.2*mm)
	}
	d.tags.shut()
}

// panel is how to check the excerpt: the QR, the code in groups of four, the address.
type panel struct {
	before, at, after, code, note string
	spoken                        string // what is heard in its place
}

const (
	panelPad  = 6 * mm
	qrSide    = 46 * mm // with the quiet zone of four modules
	panelText = left + panelPad + qrSide + 7*mm
)

func (p panel) lines(d *drawing) (ask, note []string) {
	w := float64(right - panelPad - panelText)
	ask = append(ask, d.wrap(regular, 10, w, p.before)...)
	ask = append(ask, d.wrap(bold, 11, w, p.at)...)
	return append(ask, d.wrap(regular, 10, w, p.after)...), d.wrap(regular, 8.5, w, p.note)
}

func (p panel) textHeight(d *drawing) float64 {
	ask, note := p.lines(d)
	return float64(len(ask))*13.5 + 30 + float64(len(note))*11.5
}

func (p panel) height(d *drawing, _ density) float64 {
	return max(qrSide, p.textHeight(d)) + 2*4.5*mm
}

func (p panel) draw(d *drawing, y float64, style density) {
	h := p.height(d, style)
	d.artifact()
	d.rect(ground, left, y, width, h)
	d.rect(brand, left, y, 1.6*mm, h)
	d.endArtifact()
	base := y + (h-p.textHeight(d))/2 + 10
	w := float64(right - panelPad - panelText)
	run := func(f family, size float64, c colour, s string) {
		lines := d.wrap(f, size, w, s)
		d.paragraph(f, size, 13.5, c, panelText, base, lines)
		base += float64(len(lines)) * 13.5
	}
	d.begin(paragraph)
	run(regular, 10, ink, p.before)
	run(bold, 11, brand, p.at)
	d.end()
	d.begin(paragraph)
	run(regular, 10, ink, p.after)
	d.text(mono, 17, ink, panelText, base+10, p.code)
	d.end()
	d.begin(paragraph)
	d.paragraph(regular, 8.5, 11.5, quiet, panelText, base+30, d.wrap(regular, 8.5, w, p.note))
	d.end()
	// After the code: who looks for the code in the page need not read the QR.
	d.begin(figure)
	x, qrTop := left+panelPad, y+(h-qrSide)/2
	f := &d.tags.all[d.tags.inside]
	f.alternate, f.left, f.bottom, f.wide, f.high = p.spoken, x, paperHeight-qrTop-qrSide, qrSide, qrSide
	d.drawQR(d.qr, x, qrTop, qrSide)
	d.end()
}

// drawQR draws the code on white with a quiet zone of four: as a picture of one bit a module, which has no seams between its parts, and
// takes a tenth of the room, and of the time to read the page, of a shape of rectangles.
func (d *drawing) drawQR(q qrCode, x, y, side float64) {
	d.rect(white, x, y, side, side)
	d.colour(ink)
	module := side / float64(q.side+8)
	inner := module * float64(q.side)
	d.content = append(d.content, "q "...)
	d.content = strconv.AppendFloat(d.content, inner, 'f', 4, 64)
	d.content = append(d.content, " 0 0 "...)
	d.content = strconv.AppendFloat(d.content, inner, 'f', 4, 64)
	d.content = append(d.content, ' ')
	d.numbers(x+4*module, paperHeight-y-side+4*module)
	d.content = append(d.content, "cm /QR Do Q\n"...)
}

// foot says how the signature can be checked without us.
type foot struct{ text string }

func (f foot) height(*drawing, density) float64 { return 10 }

func (f foot) draw(d *drawing, y float64, _ density) {
	const page = "1 / 1"
	d.begin(paragraph)
	d.paragraph(regular, 8, 10.5, quiet, left, y-5, d.wrap(regular, 8, width-15*mm, f.text))
	d.end()
	d.artifact()
	d.text(regular, 8, quiet, right-d.measure(regular, 8, page), y-5, page)
	d.endArtifact()
}
