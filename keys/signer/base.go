package signer

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

const (
	maxPDF     = 20 << 20 // bytes; CONTRACT of uploads, and far above any excerpt
	maxObjects = 20_000
	maxDepth   = 32
)

// base is what the signer needs to know of a PDF that was just drawn: one revision, a classic cross-reference table,
// nothing that is or looks like a signature.
type base struct {
	pdf      []byte
	xrefAt   int   // offset of "xref"
	offsets  []int // of the objects 1…; offsets[0] is object 1
	root     int   // object number of the catalog
	page     int   // object number of the first page
	catalog  dict
	pageDict dict
	info     []byte // the trailer's /Info as written, nil if none; a reference or a direct dictionary
	direct   bool   // info is a direct dictionary
	id       []byte // first string of the trailer's /ID as written, nil if none
}

// dict is a dictionary as written: keys in their order, values as raw bytes.
type dict []entry

type entry struct {
	key   string // with its slash
	value []byte
}

func (d dict) get(key string) []byte {
	for _, e := range d {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

func readBase(pdf []byte) (*base, error) {
	switch {
	case len(pdf) > maxPDF:
		return nil, fmt.Errorf("larger than %d bytes", maxPDF)
	case !bytes.HasPrefix(pdf, []byte("%PDF-1.")):
		return nil, errors.New("no PDF header")
	case !bytes.HasSuffix(pdf, []byte("\n%%EOF\n")):
		return nil, errors.New("does not end with %%EOF and a line feed")
	case bytes.Contains(pdf, []byte("/ByteRange")):
		return nil, errors.New("has a signature already")
	}
	b := &base{pdf: pdf}
	at := bytes.LastIndex(pdf, []byte("startxref\n"))
	if at < 0 {
		return nil, errors.New("no startxref")
	}
	var err error
	if b.xrefAt, err = number(bytes.TrimSuffix(pdf[at+len("startxref\n"):], []byte("\n%%EOF\n"))); err != nil || b.xrefAt >= at {
		return nil, errors.New("startxref is not one number inside the file")
	}
	trailer, err := b.readXref(at)
	if err != nil {
		return nil, err
	}
	for _, e := range trailer {
		switch e.key {
		case "/Size", "/Root":
		case "/Info":
			b.info, b.direct = e.value, bytes.HasPrefix(e.value, []byte("<<"))
		case "/ID":
			if b.id, err = firstString(e.value); err != nil {
				return nil, err
			}
		default: // /Prev, /Encrypt and /XRefStm most of all
			return nil, fmt.Errorf("trailer has %s", e.key)
		}
	}
	if size, err := number(trailer.get("/Size")); err != nil || size != len(b.offsets)+1 {
		return nil, errors.New("/Size is not that of the table")
	}
	return b, b.readTree(trailer)
}

// readXref reads the one table and its trailer, which must reach exactly to startxref at end.
func (b *base) readXref(end int) (dict, error) {
	rest, ok := bytes.CutPrefix(b.pdf[b.xrefAt:end], []byte("xref\n0 "))
	if !ok {
		return nil, errors.New("no cross-reference table where startxref points")
	}
	line, rest, ok := bytes.Cut(rest, []byte("\n"))
	count, err := number(line)
	if !ok || err != nil || count < 2 || count > maxObjects || len(rest) < 20*count {
		return nil, errors.New("cross-reference table cannot be read")
	}
	for i := range count {
		e := rest[20*i : 20*i+20]
		offset, err := number(bytes.TrimLeft(e[:9], "0"), e[9:10])
		kind := string(e[10:])
		switch {
		case err != nil:
			return nil, fmt.Errorf("cross-reference of object %d cannot be read", i)
		case i == 0 && kind == " 65535 f \n":
		case i > 0 && kind == " 00000 n \n" && offset < b.xrefAt:
			b.offsets = append(b.offsets, offset)
		default:
			return nil, fmt.Errorf("cross-reference of object %d is not in use, or outside", i)
		}
	}
	tail, ok := bytes.CutPrefix(rest[20*count:], []byte("trailer\n"))
	if !ok {
		return nil, errors.New("no trailer after the table")
	}
	trailer, n, err := readDict(tail)
	if err != nil {
		return nil, fmt.Errorf("trailer: %w", err)
	}
	if len(bytes.TrimSpace(tail[n:])) != 0 {
		return nil, errors.New("something stands between trailer and startxref")
	}
	return trailer, nil
}

func (b *base) readTree(trailer dict) (err error) {
	if b.root, err = reference(trailer.get("/Root")); err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	if b.catalog, err = b.object(b.root, "/Catalog"); err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	for _, key := range []string{"/AcroForm", "/Perms"} {
		if b.catalog.get(key) != nil {
			return fmt.Errorf("catalog has %s: signed already, or a form", key)
		}
	}
	number, err := reference(b.catalog.get("/Pages"))
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	pages, err := b.object(number, "/Pages")
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	kids := bytes.TrimSpace(bytes.TrimPrefix(pages.get("/Kids"), []byte("[")))
	first, _, ok := bytes.Cut(kids, []byte(" R"))
	if !ok {
		return errors.New("pages: no kid")
	}
	if b.page, err = reference(append(bytes.Clone(first), " R"...)); err != nil {
		return fmt.Errorf("first page: %w", err)
	}
	if b.pageDict, err = b.object(b.page, "/Page"); err != nil {
		return fmt.Errorf("first page: %w", err)
	}
	if b.pageDict.get("/Annots") != nil {
		return errors.New("first page has annotations")
	}
	return nil
}

// object reads a dictionary object of a type.
func (b *base) object(number int, kind string) (dict, error) {
	if number < 1 || number > len(b.offsets) {
		return nil, fmt.Errorf("object %d is not in the table", number)
	}
	src, ok := bytes.CutPrefix(b.pdf[b.offsets[number-1]:b.xrefAt], []byte(strconv.Itoa(number)+" 0 obj\n"))
	if !ok {
		return nil, fmt.Errorf("object %d is not where the table says", number)
	}
	d, n, err := readDict(src)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(bytes.TrimLeft(src[n:], "\n"), []byte("endobj\n")) {
		return nil, fmt.Errorf("object %d is more than a dictionary", number)
	}
	if string(d.get("/Type")) != kind {
		return nil, fmt.Errorf("object %d is not a %s", number, kind)
	}
	return d, nil
}

// number reads decimal digits, of all parts together, and nothing else.
func number(parts ...[]byte) (int, error) {
	digits := bytes.Join(parts, nil)
	if len(digits) == 0 || len(digits) > 9 {
		return 0, errors.New("not a number")
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, errors.New("not a number")
		}
		n = 10*n + int(c-'0')
	}
	return n, nil
}

// reference reads "12 0 R".
func reference(value []byte) (int, error) {
	f := bytes.Fields(value)
	if len(f) != 3 || string(f[1]) != "0" || string(f[2]) != "R" {
		return 0, fmt.Errorf("%q is not a reference", value)
	}
	return number(f[0])
}

// firstString gives the first element of an array of strings, as written.
func firstString(array []byte) ([]byte, error) {
	s := scanner{src: array}
	if !s.take("[") {
		return nil, errors.New("/ID is not an array")
	}
	s.space()
	from := s.at
	if err := s.value(0); err != nil {
		return nil, fmt.Errorf("/ID: %w", err)
	}
	if c := array[from]; c != '<' && c != '(' {
		return nil, errors.New("/ID does not hold strings")
	}
	return array[from:s.at], nil
}

// readDict reads the dictionary that src begins with, and says how long it is.
func readDict(src []byte) (dict, int, error) {
	s := scanner{src: src}
	d, err := s.dict(0)
	return d, s.at, err
}

// scanner finds where values begin and end. It knows what gopdf and our own post-processing write; comments, for one, are refused.
type scanner struct {
	src []byte
	at  int
}

var errScan = errors.New("cannot be read")

func (s *scanner) space() {
	for s.at < len(s.src) && isSpace(s.src[s.at]) {
		s.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

func (s *scanner) take(what string) bool {
	if bytes.HasPrefix(s.src[s.at:], []byte(what)) {
		s.at += len(what)
		return true
	}
	return false
}

// word reads a run of regular characters.
func (s *scanner) word() []byte {
	from := s.at
	for s.at < len(s.src) && !isSpace(s.src[s.at]) && !isDelimiter(s.src[s.at]) {
		s.at++
	}
	return s.src[from:s.at]
}

func (s *scanner) dict(depth int) (dict, error) {
	if depth > maxDepth || !s.take("<<") {
		return nil, errScan
	}
	var d dict
	for {
		s.space()
		if s.take(">>") {
			return d, nil
		}
		from := s.at
		if !s.take("/") || len(s.word()) == 0 {
			return nil, errScan
		}
		key := string(s.src[from:s.at])
		if d.get(key) != nil {
			return nil, fmt.Errorf("%s stands there twice", key)
		}
		s.space()
		from = s.at
		if err := s.value(depth + 1); err != nil {
			return nil, err
		}
		d = append(d, entry{key, s.src[from:s.at]})
	}
}

// value passes over one value.
func (s *scanner) value(depth int) error {
	if depth > maxDepth || s.at >= len(s.src) {
		return errScan
	}
	switch c := s.src[s.at]; {
	case bytes.HasPrefix(s.src[s.at:], []byte("<<")):
		_, err := s.dict(depth)
		return err
	case c == '<':
		n := bytes.IndexByte(s.src[s.at:], '>')
		if n < 0 {
			return errScan
		}
		s.at += n + 1
	case c == '(':
		return s.literal()
	case c == '[':
		s.at++
		for {
			s.space()
			if s.take("]") {
				return nil
			}
			if err := s.value(depth + 1); err != nil {
				return err
			}
		}
	case c == '/':
		s.at++
		s.word()
	case isDelimiter(c):
		return errScan
	default:
		first := s.word()
		// A reference is three words; anything else is one.
		mark := s.at
		if _, err := number(first); err == nil {
			s.space()
			if string(s.word()) == "0" {
				s.space()
				if string(s.word()) == "R" {
					return nil
				}
			}
		}
		s.at = mark
	}
	return nil
}

func (s *scanner) literal() error {
	for depth := 0; s.at < len(s.src); s.at++ {
		switch s.src[s.at] {
		case '\\':
			s.at++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.at++
				return nil
			}
		}
	}
	return errScan
}
