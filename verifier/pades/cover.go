package pades

import (
	"bytes"
	"encoding/ascii85"
	"math"
)

// A new signature may show itself on a page, but not over what the page says (the sneaky signature attack: a signature whose picture is
// another amount). Here the page is followed operator by operator, only to know roughly where its text and pictures stand.

// matrix is a transformation as ISO 32000-2, 8.3.3 writes it.
type matrix [6]float64

var unit = matrix{1, 0, 0, 1, 0, 0}

// times gives the transformation that does m first and then n.
func (m matrix) times(n matrix) matrix {
	return matrix{m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3], m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5]}
}

// box is a rectangle: left, bottom, right, top.
type box [4]float64

func boxOf(r [4]float64) box {
	return box{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
}

// over gives the box around a transformed one.
func (b box) over(m matrix) box {
	out := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range [4][2]float64{{b[0], b[1]}, {b[2], b[1]}, {b[0], b[3]}, {b[2], b[3]}} {
		x, y := p[0]*m[0]+p[1]*m[2]+m[4], p[0]*m[1]+p[1]*m[3]+m[5]
		out = box{min(out[0], x), min(out[1], y), max(out[2], x), max(out[3], y)}
	}
	return out
}

func (b box) meets(c box) bool { return b[0] < c[2] && c[0] < b[2] && b[1] < c[3] && c[1] < b[3] }

func (b box) area() float64 { return (b[2] - b[0]) * (b[3] - b[1]) }

const (
	maxForms      = 6    // drawings in each other
	maxOperations = 2e6  // of one page
	coverEdge     = 1.5  // points by which a signature may touch something
	glyphWidth    = 0.45 // of the font's size: a guess, rather too small
	background    = 0.5  // of a page: a picture that is larger is what the page is drawn on
)

// painter follows the drawing of a page.
type painter struct {
	d     *document
	rev   int
	rect  box
	page  float64 // area
	left  int     // operations
	hit   bool    // something stands under rect, or it cannot be told
	depth int
}

// graphics is the part of the graphics state that matters.
type graphics struct {
	ctm                  matrix
	size, space, scale   float64
	leading, rise        float64
	composite, invisible bool
}

// covers says whether rect lies over text, a picture or an annotation of a page, as of the newer revision.
func (x *delta) covers(rect [4]float64, page int) bool {
	it := x.d.load(page, x.new)
	if it == nil {
		return true
	}
	p := &painter{d: x.d, rev: x.new, rect: boxOf(rect), left: maxOperations}
	p.rect = box{p.rect[0] + coverEdge, p.rect[1] + coverEdge, p.rect[2] - coverEdge, p.rect[3] - coverEdge}
	if media, ok := p.box(x.inherited(page, "MediaBox")); ok {
		p.page = media.area()
	}
	old := x.d.load(page, x.old)
	if old != nil {
		p.annotations(x.before(old.value.get("Annots")), x.old)
	}
	content, ok := p.content(it.value.get("Contents"))
	if !ok {
		return true
	}
	p.paint(content, x.inherited(page, "Resources"), graphics{ctm: unit, scale: 1})
	return p.hit
}

func (p *painter) box(v *value) (box, bool) {
	var b [4]float64
	if v.kind != array || len(v.items) != 4 {
		return b, false
	}
	for i := range v.items {
		b[i] = numberOf(p.d.resolve(&v.items[i], p.rev))
	}
	return boxOf(b), true
}

// annotations looks at what stood on the page before.
func (p *painter) annotations(list *value, rev int) {
	for i := range list.items {
		a := p.d.resolve(&list.items[i], rev)
		if s := a.get("Subtype"); s.isName("Link") || s.isName("Popup") || a.get("F").n&(hiddenWidget|noViewWidget) != 0 {
			continue
		}
		if b, ok := p.box(p.d.resolve(a.get("Rect"), rev)); ok && b.area() > 0 && b.meets(p.rect) {
			p.hit = true
		}
	}
}

// content joins a page's streams. Which filters it may have are those of documents; ok is false for others.
func (p *painter) content(v *value) ([]byte, bool) {
	list := []value{*v}
	if r := p.d.resolve(v, p.rev); r.kind == array {
		list = r.items
	}
	var all [][]byte
	for i := range list {
		if list[i].kind == null {
			continue
		}
		it := p.d.load(int(list[i].n), p.rev)
		if list[i].kind != reference || it == nil || !it.isFlow {
			return nil, false
		}
		data, ok := p.decode(it)
		if !ok {
			return nil, false
		}
		all = append(all, data)
	}
	return bytes.Join(all, []byte("\n")), true
}

// decode undoes the filters that content is written with.
func (p *painter) decode(it *item) ([]byte, bool) {
	filters := p.d.resolve(it.value.get("Filter"), p.rev)
	if filters.kind != array {
		filters = &value{kind: array, items: []value{*filters}}
	}
	data := it.stream
	for i := range filters.items {
		switch f := &filters.items[i]; {
		case f.kind == null:
		case f.isName("ASCII85Decode"):
			end := bytes.Index(data, []byte("~>"))
			if end < 0 {
				end = len(data)
			}
			out := make([]byte, len(data[:end])*4+8) // a z stands for four bytes
			if p.d.unpacked -= len(out); p.d.unpacked < 0 {
				return nil, false
			}
			n, _, err := ascii85.Decode(out, data[:end], true)
			if err != nil {
				return nil, false
			}
			data = out[:n]
		case f.isName("FlateDecode") && !it.value.has("DecodeParms"):
			out, err := unzip(data, p.d.unpacked)
			if p.d.unpacked -= len(out); err != nil || p.d.unpacked < 0 {
				return nil, false
			}
			data = out
		default:
			return nil, false
		}
	}
	return data, true
}

// paint follows a content stream.
func (p *painter) paint(content []byte, resources *value, g graphics) {
	if p.depth++; p.depth > maxForms {
		p.hit = true
	}
	defer func() { p.depth-- }()
	values := min(maxOneObject, p.d.work)
	before := values
	r := &reader{src: content, values: &values, legal: true}
	var (
		operands []value
		stack    []graphics
		at, line = unit, unit
	)
	number := func(i int) float64 {
		if i < len(operands) {
			return numberOf(&operands[i])
		}
		return 0
	}
	six := func() matrix { return matrix{number(0), number(1), number(2), number(3), number(4), number(5)} }
	next := func(x, y float64) { line = matrix{1, 0, 0, 1, x, y}.times(line); at = line }
	show := func(v *value) {
		advance := 0.0
		pieces := []value{*v}
		if v.kind == array {
			pieces = v.items
		}
		for i := range pieces {
			if pieces[i].kind != text {
				advance -= numberOf(&pieces[i]) / 1000 * g.size * g.scale
				continue
			}
			glyphs := float64(len(pieces[i].s))
			if g.composite {
				glyphs /= 2
			}
			wide := glyphs * (glyphWidth*g.size + g.space) * g.scale
			if len(bytes.TrimSpace(pieces[i].s)) > 0 && !g.invisible {
				b := box{advance, g.rise, advance + wide, g.rise + 0.7*g.size}
				if g.size < 0 {
					b = box{advance + wide, g.rise + 0.7*g.size, advance, g.rise}
				}
				p.hit = p.hit || b.over(at.times(g.ctm)).meets(p.rect)
			}
			advance += wide
		}
		at = matrix{1, 0, 0, 1, advance, 0}.times(at)
	}
	for !p.hit {
		if r.space(); r.at >= len(r.src) {
			break
		}
		var v value
		if p.left--; p.left < 0 || r.token(0, &v) != nil {
			p.hit = true
			break
		}
		if v.kind != keyword {
			if operands = append(operands, v); len(operands) > 1000 {
				p.hit = true
			}
			continue
		}
		switch string(v.s) {
		case "q":
			if stack = append(stack, g); len(stack) > 500 {
				p.hit = true
			}
		case "Q":
			if len(stack) > 0 {
				g, stack = stack[len(stack)-1], stack[:len(stack)-1]
			}
		case "cm":
			g.ctm = six().times(g.ctm)
		case "BT":
			at, line = unit, unit
		case "Tf":
			if len(operands) == 2 {
				font := p.resource(resources, "Font", &operands[0])
				g.size, g.composite = number(1), font.get("Subtype").isName("Type0")
			}
		case "Tc":
			g.space = number(0)
		case "Tz":
			g.scale = number(0) / 100
		case "TL":
			g.leading = number(0)
		case "Ts":
			g.rise = number(0)
		case "Tr":
			g.invisible = number(0) == 3
		case "Td":
			next(number(0), number(1))
		case "TD":
			g.leading = -number(1)
			next(number(0), number(1))
		case "Tm":
			line = six()
			at = line
		case "T*":
			next(0, -g.leading)
		case "Tj", "TJ":
			if len(operands) == 1 {
				show(&operands[0])
			}
		case "'", `"`:
			next(0, -g.leading)
			if len(operands) > 0 {
				show(&operands[len(operands)-1])
			}
		case "Do":
			if len(operands) == 1 {
				p.draw(resources, &operands[0], g)
			}
		case "BI":
			end := bytes.Index(r.src[r.at:], []byte("EI"))
			for end > 0 && r.at+end+2 < len(r.src) && !(isSpace(r.src[r.at+end-1]) && isSpace(r.src[r.at+end+2])) {
				more := bytes.Index(r.src[r.at+end+2:], []byte("EI"))
				if more < 0 {
					end = -1
					break
				}
				end += 2 + more
			}
			if end < 0 {
				p.hit = true
				break
			}
			r.at += end + 2
			p.picture(g)
		}
		operands = operands[:0]
		r.items, r.pairs = r.items[:0], r.pairs[:0]
		values = min(before, maxOneObject)
	}
	p.d.work -= len(content) / 4
}

// resource gives a resource by its name.
func (p *painter) resource(resources *value, kind string, key *value) *value {
	return p.d.resolve(p.d.resolve(p.d.resolve(resources, p.rev).get(kind), p.rev).get(string(key.s)), p.rev)
}

// draw follows a drawing of its own, or places a picture.
func (p *painter) draw(resources, key *value, g graphics) {
	ref := p.d.resolve(p.d.resolve(resources, p.rev).get("XObject"), p.rev).get(string(key.s))
	if ref.kind != reference {
		return
	}
	it := p.d.load(int(ref.n), p.rev)
	switch {
	case it == nil || !it.isFlow:
	case it.value.get("Subtype").isName("Image"):
		p.picture(g)
	case it.value.get("Subtype").isName("Form"):
		m := p.d.resolve(it.value.get("Matrix"), p.rev)
		if m.kind == array && len(m.items) == 6 {
			var n matrix
			for i := range m.items {
				n[i] = numberOf(p.d.resolve(&m.items[i], p.rev))
			}
			g.ctm = n.times(g.ctm)
		}
		content, ok := p.decode(it)
		if !ok {
			p.hit = true
			return
		}
		own := p.d.resolve(it.value.get("Resources"), p.rev)
		if own.kind == null {
			own = resources
		}
		p.paint(content, own, g)
	}
}

// picture looks at a picture in the unit square.
func (p *painter) picture(g graphics) {
	b := box{0, 0, 1, 1}.over(g.ctm)
	if b.meets(p.rect) && b.area() < background*p.page {
		p.hit = true
	}
}
