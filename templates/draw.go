package templates

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tesdiq/tesdiq"
)

//go:embed words/*.json
var frameFiles embed.FS

var frameWords = func() Words {
	f, err := fs.Sub(frameFiles, "words")
	if err != nil {
		panic(err)
	}
	return MustReadWords(f)
}()

// Sheet is what a page is drawn from. All fields are required, to Draw it.
type Sheet struct {
	Statement
	Number string // E-2026-0048213
	Code   tesdiq.Code
	// QR is what the QR code holds: https://tesdiq.example/v/<code without hyphens>, and a signed statement in the fragment.
	QR         string
	CheckAt    string    // the address that a person types: tesdiq.example/check
	IssuedAt   time.Time // becomes the file's creation date
	Attachment []byte    // the statement for machines: a JWS
}

// ErrTooLong says that the facts do not fit on the page at a legible size.
var ErrTooLong = errors.New("templates: the facts do not fit on one page")

// UnprintableError says which characters our fonts do not have.
type UnprintableError struct{ Runes []rune }

func (e *UnprintableError) Error() string {
	return fmt.Sprintf("templates: %d characters cannot be printed", len(e.Runes))
}

// Lines are the texts that stand on the page and matter: title, number, code, labels and values. A reader of the page
// finds each of them.
func (s Sheet) Lines() []string {
	lines := []string{s.Title, s.Number, s.Code.String()}
	for _, f := range s.Facts {
		lines = append(lines, f.Label, f.Value)
	}
	return lines
}

// Draw makes the page: one A4 sheet of PDF, unsigned. The same sheet gives the same bytes.
// It fails with an UnprintableError or ErrTooLong rather than leave out or cover a letter.
func Draw(s Sheet) ([]byte, error) {
	p, err := Lay(s)
	if err != nil {
		return nil, err
	}
	return p.Draw(s.QR, s.Attachment)
}

// Page is a sheet whose facts have their places.
type Page struct {
	sheet  Sheet
	faces  *[families]typeface
	blocks []block
	style  density
}

// Lay finds out whether a sheet can be drawn, and how closely its facts must stand; QR and Attachment need not be there
// yet. So nothing is signed for a page that cannot be.
func Lay(s Sheet) (*Page, error) {
	if missing := Unprintable(joined(append(s.Lines(), s.CheckAt))); len(missing) > 0 {
		return nil, &UnprintableError{missing}
	}
	faces, err := typefaces()
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	blocks, err := s.blocks()
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	d := &drawing{faces: faces}
	for _, style := range []density{roomy, close, dense} {
		if d.fits(blocks, style) {
			return &Page{s, faces, blocks, style}, nil
		}
	}
	return nil, ErrTooLong
}

// Draw draws the page with this text in its QR code and this file attached.
func (p *Page) Draw(qr string, attachment []byte) ([]byte, error) {
	s := p.sheet
	s.QR, s.Attachment = qr, attachment
	code, err := newQR(qr)
	if err != nil {
		return nil, err
	}
	d := &drawing{faces: p.faces, alphabets: alphabetOfRune(), content: make([]byte, 0, 12<<10), tags: newTags(), qr: code}
	return d.draw(s, p.blocks, p.style)
}

func joined(lines []string) string {
	n := 0
	for _, l := range lines {
		n += len(l)
	}
	b := make([]byte, 0, n)
	for _, l := range lines {
		b = append(b, l...)
	}
	return string(b)
}

// block is a part of the page in reading order.
type block interface {
	height(d *drawing, style density) float64
	draw(d *drawing, y float64, style density)
}

// blocks is the page in the order in which it is read.
func (s Sheet) blocks() ([]block, error) {
	say := func(key string, pairs ...string) (text string) {
		if text, err := frameWords.Say(s.Lang, key, pairs...); err == nil {
			return text
		}
		return ""
	}
	if _, ok := frameWords[s.Lang]; !ok {
		return nil, fmt.Errorf("no words in %q", s.Lang)
	}
	at := s.AsOf.In(tesdiq.Baku)
	blocks := []block{
		// A blank stands between what is drawn in two places and heard as one sentence.
		head{ministry: say("ministry"), system: say("system"), label: say("number") + " ", number: s.Number},
		title{text: s.Title, under: say("as_of", "day", at.Format("02.01.2006"), "time", at.Format("15:04"))},
	}
	for i := 0; i < len(s.Facts); {
		t := table{heading: s.Facts[i].Group}
		for ; i < len(s.Facts) && s.Facts[i].Group == t.heading; i++ {
			t.rows = append(t.rows, s.Facts[i])
		}
		blocks = append(blocks, t)
	}
	return append(blocks,
		panel{before: say("check_before") + " ", at: s.CheckAt, after: say("check_after") + " ", code: s.Code.String(), note: say("check_note"), spoken: say("qr")},
		foot{text: say("foot")},
	), nil
}

// FrameTexts are what stands on every page besides its facts, in a language. internal/bench draws them the plain way.
func FrameTexts(lang tesdiq.Lang) []string {
	words, texts := frameWords[lang], []string(nil)
	for _, key := range slices.Sorted(maps.Keys(words)) {
		texts = append(texts, words[key])
	}
	return texts
}

// Millimetres and colours of the page.
const (
	mm         = 72 / 25.4
	pageWidth  = 210 * mm
	pageHeight = 297 * mm
	// paperHeight is that of the file's MediaBox, from which y is turned: gopdf's A4 is rounded to points.
	paperHeight = 842
	left        = 20 * mm
	right       = pageWidth - 18*mm
	width       = right - left
	top         = 16 * mm
	footY       = pageHeight - 14*mm
	panelFloor  = pageHeight - 25*mm // where the check panel ends
)

type colour struct{ r, g, b uint8 }

var (
	ink    = colour{0x14, 0x23, 0x2b}
	quiet  = colour{0x4d, 0x5f, 0x68}
	line   = colour{0xcf, 0xd8, 0xdc}
	brand  = colour{0x0b, 0x53, 0x51}
	ground = colour{0xf4, 0xf7, 0xf6}
	white  = colour{0xff, 0xff, 0xff}
)

// density is how closely the facts stand; the closer ones are for the longest names.
type density struct{ size, leading, pad, groupGap, titleGap float64 }

var (
	roomy = density{size: 10.5, leading: 14.2, pad: 4.6, groupGap: 19, titleGap: 24}
	close = density{size: 9.5, leading: 12.4, pad: 3.0, groupGap: 12, titleGap: 15}
	dense = density{size: 8.5, leading: 10.6, pad: 1.9, groupGap: 8, titleGap: 9}
)

// drawing is a page under way: its content stream (ISO 32000-1, 7.8.2). Text is placed by its base line; y runs down.
type drawing struct {
	faces     *[families]typeface
	alphabets *[lastRune + 1]alphabet
	content   []byte
	tags      tags
	qr        qrCode
	alphabet  alphabet // the smallest that has every letter so far
	// What is set so far: the same is not set again, because every operator is read by everybody who reads the page.
	font    family
	size    float64
	filled  colour
	missing []rune // letters that no font has
}

// fits says whether everything has its place above the check panel.
func (d *drawing) fits(blocks []block, style density) bool {
	y := float64(top)
	for _, b := range blocks {
		switch b.(type) {
		case panel:
			return y <= panelFloor-b.height(d, style)-4*mm
		default:
			y += b.height(d, style)
		}
	}
	return false
}

func (d *drawing) draw(s Sheet, blocks []block, style density) ([]byte, error) {
	y := float64(top)
	for _, b := range blocks {
		switch b.(type) {
		case panel:
			y = panelFloor - b.height(d, style)
		case foot:
			y = footY
		}
		b.draw(d, y, style)
		y += b.height(d, style)
	}
	if len(d.missing) > 0 {
		return nil, &UnprintableError{d.missing}
	}
	paper, err := stationeryOf[d.alphabet]()
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return d.file(paper, s), nil
}

// text writes one line with its base line at y.
func (d *drawing) text(f family, size float64, c colour, x, y float64, s string) {
	d.colour(c)
	d.content = append(d.content, "BT\n"...)
	if f != d.font || size != d.size {
		d.font, d.size = f, size
		d.content = append(d.content, "/F"...)
		d.content = strconv.AppendInt(d.content, int64(f)+1, 10)
		d.content = append(d.content, ' ')
		d.numbers(size)
		d.content = append(d.content, "Tf\n"...)
	}
	d.numbers(x, paperHeight-y)
	d.content = append(d.content, "Td ("...)
	for _, r := range s {
		g := d.faces[f].glyph(r)
		if g.id == 0 {
			d.missing = append(d.missing, r)
			continue
		}
		d.alphabet = max(d.alphabet, d.alphabets[r])
		d.literal(byte(g.id >> 8))
		d.literal(byte(g.id))
	}
	d.content = append(d.content, ") Tj\nET\n"...)
}

// literal writes a byte of a literal string (ISO 32000-1, 7.3.4.2).
func (d *drawing) literal(b byte) {
	switch b {
	case '(', ')', '\\':
		d.content = append(d.content, '\\', b)
	case '\r':
		d.content = append(d.content, '\\', 'r')
	default:
		d.content = append(d.content, b)
	}
}

// paragraph writes lines under each other, the first base line at y.
func (d *drawing) paragraph(f family, size, leading float64, c colour, x, y float64, lines []string) {
	for i, l := range lines {
		d.text(f, size, c, x, y+float64(i)*leading, l)
	}
}

func (d *drawing) rect(c colour, x, y, w, h float64) {
	d.colour(c)
	d.numbers(x, paperHeight-y-h, w, h)
	d.content = append(d.content, "re f\n"...)
}

// rule is a hairline across the page, for the eye alone.
func (d *drawing) rule(c colour, y, thick float64) {
	d.artifact()
	d.rect(c, left, y-thick/2, width, thick)
	d.endArtifact()
}

func (d *drawing) colour(c colour) {
	if c == d.filled {
		return
	}
	d.filled = c
	for _, part := range [3]uint8{c.r, c.g, c.b} {
		d.content = append(strconv.AppendFloat(d.content, float64(part)/255, 'f', 3, 64), ' ')
	}
	d.content = append(d.content, "rg\n"...)
}

// numbers writes each in hundredths with a blank after it.
func (d *drawing) numbers(ns ...float64) {
	for _, n := range ns {
		d.content = append(strconv.AppendFloat(d.content, n, 'f', 2, 64), ' ')
	}
}
