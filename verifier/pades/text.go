package pades

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf16"
)

// Limits of what is decompressed and mapped, for one file.
const (
	maxInflated = 8 << 20 // bytes
	maxMapped   = 100_000 // glyphs given a meaning by all ranges of a character map
	maxOperands = 64
)

// Text gives what is written on the page of a file of ours, signed or not yet signed: one string for each piece of text that is drawn,
// in the order of drawing. It reads what a reader draws (content stream, fonts, their character maps), not what was meant to be
// drawn; so the issuer's lint can compare the two.
func Text(pdf []byte) ([]string, error) {
	if len(pdf) > MaxSize {
		return nil, fmt.Errorf("pades: text: %w", errLimit)
	}
	f, err := readFile(pdf)
	if err != nil {
		return nil, fmt.Errorf("pades: text: %w", err)
	}
	lines, err := f.text(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("pades: text: %w", err)
	}
	return lines, nil
}

// Says whether text that was drawn says fact. Blanks and line breaks count as one blank, so that a fact may run over several lines.
func Says(drawn []string, fact string) bool {
	fact = strings.Join(strings.Fields(fact), " ")
	return fact != "" && strings.Contains(strings.Join(strings.Fields(strings.Join(drawn, " ")), " "), fact)
}

var (
	errPage     = errors.New("no page as ours are built")
	errFont     = errors.New("a font without a character map")
	errOperator = errors.New("an operator that our pages do not use")
	errFilter   = errors.New("a filter that our files do not use")
)

// page finds the first page, newest version.
func (f *file) page() (*value, error) {
	catalog := f.resolve(f.trailer().get("Root"))
	kids := f.resolve(catalog.get("Pages")).get("Kids")
	if len(kids.items) == 0 {
		return nil, errPage
	}
	page := f.resolve(&kids.items[0])
	if !page.get("Type").isName("Page") {
		return nil, errPage
	}
	return page, nil
}

// text gives what the first page draws; each, if not nil, is told every operation of the page in its order, before it is done.
// until, if not nil, is told every line, and says after which no more is read.
func (f *file) text(each func(operation), until func(line string) bool) ([]string, error) {
	page, err := f.page()
	if err != nil {
		return nil, err
	}
	budget := maxInflated
	fonts, err := f.fonts(page, &budget)
	if err != nil {
		return nil, err
	}
	content, err := f.content(page, &budget)
	if err != nil {
		return nil, err
	}
	return readContent(content, fonts, each, until)
}

// content joins the page's content streams with a line feed, as ISO 32000-1, 7.8.2 has it.
func (f *file) content(page *value, budget *int) ([]byte, error) {
	contents := page.get("Contents")
	if contents.kind == reference {
		if o := f.object(int(contents.n)); o != nil && o.value.kind == array {
			contents = &o.value
		} else {
			contents = &value{kind: array, items: []value{*contents}}
		}
	}
	var all [][]byte
	for i := range contents.items {
		data, err := f.inflate(&contents.items[i], budget)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return bytes.Join(all, []byte("\n")), nil
}

// inflate gives the bytes of the stream that v refers to, within a budget for the whole file.
func (f *file) inflate(v *value, budget *int) ([]byte, error) {
	if v.kind != reference {
		return nil, errPage
	}
	o := f.object(int(v.n))
	if o == nil || o.stream == nil || o.value.has("DecodeParms") {
		return nil, errPage
	}
	filter := o.value.get("Filter")
	if filter.kind == array && len(filter.items) == 1 {
		filter = &filter.items[0]
	}
	var (
		data []byte
		err  error
	)
	switch {
	case filter.isName("FlateDecode"):
		data, err = unzip(o.stream, *budget)
	case filter.kind == null:
		data = o.stream
	default:
		err = errFilter
	}
	if err != nil {
		return nil, err
	}
	if *budget -= len(data); *budget < 0 {
		return nil, errLimit
	}
	return data, nil
}

// unzippers keeps decompressors, each of which has a window of 32 KiB.
var unzippers sync.Pool

// unzip decompresses, at most one byte more than limit. With an error it gives what came before it.
func unzip(src []byte, limit int) ([]byte, error) {
	in := bytes.NewReader(src)
	z, ok := unzippers.Get().(io.ReadCloser)
	var err error
	if ok {
		err = z.(zlib.Resetter).Reset(in, nil)
	} else {
		z, err = zlib.NewReader(in)
	}
	if err != nil {
		return nil, errFilter
	}
	defer unzippers.Put(z)
	var out bytes.Buffer
	out.Grow(min(limit, 4*len(src)) + bytes.MinRead)
	if _, err := out.ReadFrom(io.LimitReader(z, int64(limit)+1)); err != nil {
		return out.Bytes(), errFilter
	}
	return out.Bytes(), nil
}

// charmap gives the text of a two-byte glyph code.
type charmap map[uint16]string

// fonts reads the character maps of the page's fonts by their resource names.
func (f *file) fonts(page *value, budget *int) (map[string]charmap, error) {
	resources := page.get("Resources")
	if resources.kind == null { // inherited, ISO 32000-1, 7.7.3.4
		resources = f.resolve(page.get("Parent")).get("Resources")
	}
	dict := f.resolve(f.resolve(resources).get("Font"))
	fonts := map[string]charmap{}
	mapped := maxMapped
	var err error
	for i := range dict.pairs {
		font := f.resolve(&dict.pairs[i].value)
		if !font.get("Subtype").isName("Type0") || !font.get("Encoding").isName("Identity-H") {
			return nil, errFont
		}
		if fonts[dict.pairs[i].key], err = f.charmap(font.get("ToUnicode"), budget, &mapped); err != nil {
			return nil, err
		}
	}
	return fonts, nil
}

// Every page of ours has the same few character maps, and reading them takes longer than reading the page. So the last
// ones are kept by the hash of their stream; they are never changed. Large maps are none of ours and are not kept.
const (
	maxKept      = 16   // maps
	maxKeptGlyph = 2000 // in one map
)

var kept struct {
	sync.Mutex
	maps map[[sha256.Size]byte]charmap
}

// charmap reads the character map in the stream that v refers to.
func (f *file) charmap(v *value, budget, mapped *int) (charmap, error) {
	o := f.object(int(v.n))
	if v.kind != reference || o == nil || o.stream == nil {
		return nil, errFont
	}
	h := sha256.New()
	h.Write(o.value.get("Filter").s)
	h.Write([]byte{0})
	h.Write(o.stream)
	key := [sha256.Size]byte(h.Sum(nil))
	kept.Lock()
	m, known := kept.maps[key]
	kept.Unlock()
	if known && o.value.get("Filter").kind != array && !o.value.has("DecodeParms") {
		if *mapped -= len(m); *mapped < 0 {
			return nil, errLimit
		}
		return m, nil
	}
	data, err := f.inflate(v, budget)
	if err != nil {
		return nil, errFont
	}
	if m, err = readCharmap(data, mapped); err != nil {
		return nil, err
	}
	if len(m) <= maxKeptGlyph && o.value.get("Filter").kind != array {
		kept.Lock()
		defer kept.Unlock()
		if kept.maps == nil || len(kept.maps) >= maxKept {
			kept.maps = map[[sha256.Size]byte]charmap{}
		}
		kept.maps[key] = m
	}
	return m, nil
}

// readCharmap reads the bfchar and bfrange sections of a ToUnicode map (ISO 32000-1, 9.10.3).
func readCharmap(src []byte, mapped *int) (charmap, error) {
	m := charmap{}
	r := newReader(src)
	var held []value // values since the last keyword
	for {
		if r.space(); r.at == len(r.src) {
			return m, nil
		}
		var v value
		if err := r.token(0, &v); err != nil {
			return nil, err
		}
		if v.kind != keyword {
			if held = append(held, v); len(held) > 3*1000 {
				return nil, errLimit
			}
			continue
		}
		var err error
		switch string(v.s) {
		case "endbfrange":
			err = m.addRanges(held, mapped)
		case "endbfchar":
			err = m.addChars(held, mapped)
		}
		if err != nil {
			return nil, err
		}
		held = held[:0]
	}
}

func (m charmap) addRanges(v []value, mapped *int) error {
	if len(v)%3 != 0 {
		return errSyntax
	}
	for ; len(v) > 0; v = v[3:] {
		first, ok1 := glyph(&v[0])
		last, ok2 := glyph(&v[1])
		if !ok1 || !ok2 || first > last || v[2].kind != text || len(v[2].s) < 2 || len(v[2].s)%2 != 0 {
			return errSyntax
		}
		if *mapped -= int(last) - int(first) + 1; *mapped < 0 {
			return errLimit
		}
		to := append([]byte(nil), v[2].s...)
		for code := int(first); code <= int(last); code++ {
			m[uint16(code)] = utf16be(to)
			if to[len(to)-1]++; to[len(to)-1] == 0 && code < int(last) {
				return errSyntax // a range may change the last byte only
			}
		}
	}
	return nil
}

func (m charmap) addChars(v []value, mapped *int) error {
	if len(v)%2 != 0 {
		return errSyntax
	}
	for ; len(v) > 0; v = v[2:] {
		code, ok := glyph(&v[0])
		if !ok || v[1].kind != text || len(v[1].s) < 2 || len(v[1].s)%2 != 0 {
			return errSyntax
		}
		if *mapped--; *mapped < 0 {
			return errLimit
		}
		m[code] = utf16be(v[1].s)
	}
	return nil
}

func glyph(v *value) (uint16, bool) {
	if v.kind != text || len(v.s) != 2 {
		return 0, false
	}
	return uint16(v.s[0])<<8 | uint16(v.s[1]), true
}

func utf16be(b []byte) string {
	if len(b) > 64 {
		b = b[:64] // no glyph stands for more
	}
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, uint16(b[0])<<8|uint16(b[1]))
	}
	return string(utf16.Decode(units))
}

// operation is one operator of a content stream with its operands.
type operation struct {
	operator string
	operands []value
}

// eachOperation reads a content stream. The operands of an operation are gone when do returns.
func eachOperation(content []byte, do func(operation) error) error {
	r := newReader(content)
	m := r.borrow()
	defer func() { r.giveBack(m) }()
	operands := m.operands
	n := 0
	for {
		if r.space(); r.at == len(r.src) {
			if n != 0 {
				return errSyntax
			}
			return nil
		}
		v := &operands[n]
		if err := r.token(0, v); err != nil {
			return err
		}
		if v.kind != keyword {
			if n++; n > maxOperands {
				return errLimit
			}
			continue
		}
		if err := do(operation{string(v.s), operands[:n]}); err != nil {
			return err
		}
		clear(operands[:n+1])
		n = 0
		if n := used(m.items, r.itemsPiece); n > 0 {
			clear(m.items[:n])
			r.itemsPiece = m.items
		}
		if n := used(m.pairs, r.pairsPiece); n > 0 {
			clear(m.pairs[:n])
			r.pairsPiece = m.pairs
		}
	}
}

// readContent gives the text that a content stream draws.
func readContent(content []byte, fonts map[string]charmap, each func(operation), until func(line string) bool) ([]string, error) {
	var (
		lines []string
		font  charmap
	)
	err := eachOperation(content, func(op operation) error {
		if each != nil {
			each(op)
		}
		switch op.operator {
		case "Tf":
			if len(op.operands) != 2 || op.operands[0].kind != name {
				return errSyntax
			}
			var ok bool
			if font, ok = fonts[string(op.operands[0].s)]; !ok {
				return errFont
			}
		case "Tj", "TJ":
			if len(op.operands) != 1 || font == nil {
				return errSyntax
			}
			pieces := op.operands[:1]
			if op.operator == "TJ" {
				pieces = op.operands[0].items
			}
			var b strings.Builder
			for i := range pieces {
				if pieces[i].kind != text {
					continue // a distance
				}
				if err := font.decode(&b, pieces[i].s); err != nil {
					return err
				}
			}
			lines = append(lines, b.String())
			if until != nil && until(b.String()) {
				return errEnough
			}
		case "'", `"`, "BI", "gs": // other ways to write, inline images, and states that may set a font
			return errOperator
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return lines, err
}

// errEnough stops reading; it is never seen outside.
var errEnough = errors.New("enough")

func (m charmap) decode(b *strings.Builder, codes []byte) error {
	if len(codes)%2 != 0 {
		return errSyntax
	}
	for ; len(codes) > 0; codes = codes[2:] {
		s, ok := m[uint16(codes[0])<<8|uint16(codes[1])]
		if !ok {
			return errFont
		}
		b.WriteString(s)
	}
	return nil
}
