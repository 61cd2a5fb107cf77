package pades

import (
	"bytes"
	"errors"
)

// Limits. A file of ours has about 30 KB, 20 objects and 1,500 values; what goes beyond these limits is refused
// before it costs memory or time.
const (
	MaxSize    = 20 << 20 // bytes of a file
	maxNesting = 64       // arrays and dictionaries in each other
	maxValues  = 100_000  // values in one file
	maxObjects = 20_000   // indirect objects in one file
	maxToken   = 1 << 20  // bytes of one name, number or string
)

var (
	errSyntax = errors.New("not PDF syntax")
	errLimit  = errors.New("beyond the limits of what is read")
)

type kind uint8

const (
	null kind = iota
	boolean
	integer
	decimal
	name
	text // a string, literal or hexadecimal
	array
	dictionary
	reference
	keyword // only outside of values: obj, endobj, an operator of a content stream
)

// value is a PDF object as it stands in the file. Decoded names and strings share the file's memory where they can.
type value struct {
	kind   kind
	gen    uint16  // generation of a reference
	n      int32   // integer, boolean (0 or 1), number of a reference: nine digits at most
	at, to int32   // where it stands: src[at:to]
	s      []byte  // name without slash, string, keyword, digits of a decimal
	items  []value // of an array
	pairs  []pair  // of a dictionary, in the file's order, no key twice
}

type pair struct {
	key   string
	value value
}

// get gives the value of a key; null if there is none, as ISO 32000-1, 7.3.7 has it.
func (v *value) get(key string) *value {
	for i := range v.pairs {
		if v.pairs[i].key == key {
			return &v.pairs[i].value
		}
	}
	return &nothing
}

// nothing is null, for whoever only looks.
var nothing value

func (v *value) isName(s string) bool { return v.kind == name && string(v.s) == s }

func (v *value) isRef(number int) bool { return v.kind == reference && int(v.n) == number }

func (v *value) isTrue() bool { return v.kind == boolean && v.n == 1 }

func (v *value) isInt(n int) bool { return v.kind == integer && int(v.n) == n }

// same says whether two values mean the same, wherever and however they are written.
func same(a, b *value) bool {
	if a.kind != b.kind || a.n != b.n || len(a.items) != len(b.items) || len(a.pairs) != len(b.pairs) || !bytes.Equal(a.s, b.s) {
		return false
	}
	for i := range a.items {
		if !same(&a.items[i], &b.items[i]) {
			return false
		}
	}
	for i := range a.pairs {
		if a.pairs[i].key != b.pairs[i].key || !same(&a.pairs[i].value, &b.pairs[i].value) {
			return false
		}
	}
	return true
}

// reader reads PDF syntax from src, strictly: no comments, no generation but 0, no key twice in a dictionary.
// Everything it makes is counted, by file and not by value, so that many small things cannot cost more than one large one.
type reader struct {
	src    []byte
	at     int
	values *int // how many may still be made
	legal  bool // reads whatever ISO 32000 allows, not only what we write: comments, generations, needless escapes and zeros

	// What arrays and dictionaries under way have so far, inner ones last. When one ends, what it has is moved to a place
	// of exactly its size, cut from a larger piece: many small allocations cost more than all the reading.
	items      []value
	pairs      []pair
	itemsPiece []value
	pairsPiece []pair

	// A reader whose values are gone with its next use gives the same pieces again.
	reuse      bool
	firstItems []value
	firstPairs []pair
}

func newReader(src []byte) *reader {
	budget := maxValues
	return &reader{src: src, values: &budget}
}

// Classes of characters (ISO 32000-1, 7.2.2). Tables, because every byte of a file is asked for its class.
const (
	classSpace = 1 << iota
	classDelimiter
)

var (
	classes = [256]byte{
		' ': classSpace, '\n': classSpace, '\r': classSpace, '\t': classSpace, '\f': classSpace, 0: classSpace,
		'(': classDelimiter, ')': classDelimiter, '<': classDelimiter, '>': classDelimiter, '[': classDelimiter,
		']': classDelimiter, '{': classDelimiter, '}': classDelimiter, '/': classDelimiter, '%': classDelimiter,
	}
	nibbles = func() (t [256]int8) {
		for i := range t {
			switch c := byte(i); {
			case c >= '0' && c <= '9':
				t[i] = int8(c - '0')
			case c >= 'a' && c <= 'f':
				t[i] = int8(c - 'a' + 10)
			case c >= 'A' && c <= 'F':
				t[i] = int8(c - 'A' + 10)
			default:
				t[i] = -1
			}
		}
		return t
	}()
)

func isSpace(c byte) bool     { return classes[c] == classSpace }
func isDelimiter(c byte) bool { return classes[c] == classDelimiter }
func isRegular(c byte) bool   { return classes[c] == 0 }

// nibble gives the value of a hexadecimal digit, or -1.
func nibble(c byte) int { return int(nibbles[c]) }

func (r *reader) space() {
	for r.at < len(r.src) {
		switch c := r.src[r.at]; {
		case isSpace(c):
			r.at++
		case c == '%' && r.legal:
			for r.at < len(r.src) && r.src[r.at] != '\n' && r.src[r.at] != '\r' {
				r.at++
			}
		default:
			return
		}
	}
}

// take passes over what, if it stands here.
func (r *reader) take(what string) bool {
	if len(r.src)-r.at >= len(what) && string(r.src[r.at:r.at+len(what)]) == what {
		r.at += len(what)
		return true
	}
	return false
}

// word gives the run of regular characters that stands here.
func (r *reader) word() []byte {
	from := r.at
	for r.at < len(r.src) && isRegular(r.src[r.at]) {
		r.at++
	}
	return r.src[from:r.at]
}

// number reads digits without a sign or needless zeros, at most nine.
func (r *reader) number() (int, bool) {
	return canonical(r.word())
}

// canonical reads a number as we write it: "0", or digits without a leading zero. Nine digits cannot overflow an int.
func canonical(digits []byte) (int, bool) {
	if len(digits) == 0 || len(digits) > 9 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// digits reads a number as others may write it: with needless zeros.
func digits(w []byte) (int, bool) {
	for len(w) > 1 && w[0] == '0' {
		w = w[1:]
	}
	return canonical(w)
}

// value reads one value after white space. A keyword other than true, false and null is an error here.
func (r *reader) value(depth int) (v value, err error) {
	if err = r.token(depth, &v); err == nil && v.kind == keyword {
		err = errSyntax
	}
	return v, err
}

// token reads a value or a keyword into v, which is empty.
func (r *reader) token(depth int, v *value) (err error) {
	r.space()
	if depth > maxNesting {
		return errLimit
	}
	if *r.values--; *r.values < 0 {
		return errLimit
	}
	if r.at >= len(r.src) {
		return errSyntax
	}
	v.at = int32(r.at)
	switch c := r.src[r.at]; {
	case isRegular(c):
		err = r.regular(v)
	case c == '/':
		r.at++
		v.kind = name
		v.s, err = unescapeName(r.word(), r.legal)
	case c == '(':
		v.kind = text
		v.s, err = r.literal()
	case c == '<' && r.at+1 < len(r.src) && r.src[r.at+1] == '<':
		v.kind = dictionary
		v.pairs, err = r.dict(depth)
	case c == '<':
		v.kind = text
		v.s, err = r.hex()
	case c == '[':
		r.at++
		v.kind = array
		v.items, err = r.array(depth)
	default:
		return errSyntax
	}
	if err != nil {
		return err
	}
	if v.to = int32(r.at); len(v.s) > maxToken {
		return errLimit
	}
	return nil
}

// regular reads a number, a reference, or a keyword.
func (r *reader) regular(v *value) error {
	w := r.word()
	c := w[0]
	if c != '+' && c != '-' && c != '.' && (c < '0' || c > '9') {
		switch string(w) {
		case "null":
			v.kind = null
		case "true":
			v.kind, v.n = boolean, 1
		case "false":
			v.kind = boolean
		default:
			v.kind, v.s = keyword, w
		}
		return nil
	}
	n, ok := canonical(w)
	if !ok && r.legal {
		n, ok = digits(w)
	}
	if ok {
		v.kind, v.n = integer, int32(n)
		// "12 0 R" is one value. The look ahead is two words, whatever follows.
		mark := r.at
		r.space()
		gen, ok := 0, false
		if r.legal {
			if gen, ok = digits(r.word()); ok {
				ok = gen <= 65535
			}
		} else {
			ok = r.take("0")
		}
		if ok {
			if r.space(); r.take("R") && (r.at == len(r.src) || !isRegular(r.src[r.at])) {
				v.kind, v.gen = reference, uint16(gen)
				return nil
			}
		}
		r.at = mark
		return nil
	}
	ciphers, dots := 0, 0
	for i, c := range w {
		switch {
		case c >= '0' && c <= '9':
			ciphers++
		case c == '.':
			dots++
		case i > 0 || c != '-' && c != '+':
			return errSyntax
		}
	}
	if ciphers == 0 || dots > 1 || len(w) > 32 {
		return errSyntax
	}
	v.kind, v.s = decimal, w // signed integers too: nothing that we check has one
	return nil
}

func (r *reader) array(depth int) ([]value, error) {
	from := len(r.items)
	for {
		if r.space(); r.take("]") {
			return keep(&r.items, from, &r.itemsPiece, r.reuse, &r.firstItems), nil
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		r.items = append(roomFor(r.items), v)
	}
}

// maxKeys bounds one dictionary of ours, and with it the search for double keys; maxLegalKeys one of others, where the search has help.
const (
	maxKeys      = 256
	maxLegalKeys = 20_000
)

// frequentKeys are those of nearly every file: a string of its own for each would cost more than reading it.
var frequentKeys = func() map[string]string {
	m := map[string]string{}
	for _, k := range []string{
		"Type", "Subtype", "Length", "Filter", "S", "P", "K", "Pg", "A", "O", "Alt", "BBox", "Placement", "Scope", "Parent", "Kids", "Count", "Resources",
		"Contents", "MediaBox", "Font", "XObject", "ProcSet", "BaseFont", "DescendantFonts", "Encoding", "ToUnicode", "FontDescriptor", "FontFile2", "W", "MCID",
		"Root", "Size", "Info", "ID", "Prev", "V", "F", "T", "FT", "Rect", "ByteRange", "SubFilter", "Annots", "Fields", "SigFlags", "Width", "Height",
		"Pages", "AcroForm", "Perms", "DocMDP", "M", "Name", "Reason", "Location", "Reference", "TransformMethod", "TransformParams", "Title", "Author", "Producer",
		"CreationDate", "ModDate", "CIDSystemInfo", "CIDToGIDMap", "Registry", "Ordering", "Supplement", "DW", "FontName", "FontBBox", "Flags", "ItalicAngle",
		"Ascent", "Descent", "CapHeight", "StemV", "Metadata", "MarkInfo", "StructTreeRoot", "Lang", "OutputIntents", "ViewerPreferences", "StructParents",
	} {
		m[k] = k
	}
	return m
}()

// keyOf is a name as the key of a dictionary.
func keyOf(name []byte) string {
	if k, ok := frequentKeys[string(name)]; ok {
		return k
	}
	return string(name)
}

func (r *reader) dict(depth int) ([]pair, error) {
	if !r.take("<<") {
		return nil, errSyntax
	}
	from := len(r.pairs)
	var seen map[string]bool // once the dictionary is large
	for {
		if r.space(); r.take(">>") {
			return keep(&r.pairs, from, &r.pairsPiece, r.reuse, &r.firstPairs), nil
		}
		key, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d := value{pairs: r.pairs[from:]}
		word := keyOf(key.s)
		// Readers disagree on which of two equal keys counts, so a dictionary with both says two things.
		switch {
		case key.kind != name, len(d.pairs) >= maxKeys && !r.legal, len(d.pairs) >= maxLegalKeys:
			return nil, errSyntax
		case len(d.pairs) < 32:
			if d.has(word) {
				return nil, errSyntax
			}
		default:
			if seen == nil {
				seen = make(map[string]bool, 64)
				for i := range d.pairs {
					seen[d.pairs[i].key] = true
				}
			}
			if seen[word] {
				return nil, errSyntax
			}
			seen[word] = true
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		r.pairs = append(roomFor(r.pairs), pair{word, v})
	}
}

func (v *value) has(key string) bool {
	for i := range v.pairs {
		if v.pairs[i].key == key {
			return true
		}
	}
	return false
}

// unescapeName resolves #xx. An escape of a character that needs none only hides names; it is refused unless all that is legal is asked for.
func unescapeName(w []byte, legal bool) ([]byte, error) {
	if bytes.IndexByte(w, '#') < 0 {
		return w, nil
	}
	out := make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		c := w[i]
		if c == '#' {
			if i+2 >= len(w) {
				return nil, errSyntax
			}
			hi, lo := nibble(w[i+1]), nibble(w[i+2])
			if hi < 0 || lo < 0 {
				return nil, errSyntax
			}
			c = byte(hi<<4 | lo)
			if c > ' ' && c <= '~' && c != '#' && !isDelimiter(c) && !legal || c == 0 {
				return nil, errSyntax
			}
			i += 2
		}
		out = append(out, c)
	}
	return out, nil
}

// hex reads <…>. An odd number of digits is refused in ours, though ISO 32000-1 adds a zero.
func (r *reader) hex() ([]byte, error) {
	r.at++ // <
	n := bytes.IndexByte(r.src[r.at:], '>')
	if n < 0 {
		return nil, errSyntax
	}
	if n > 2*maxToken {
		return nil, errLimit
	}
	digits, whole := r.src[r.at:r.at+n], make([]byte, (n+1)/2)
	done := 0
	for ; len(digits) >= 2; done++ { // two by two, as nearly everybody writes; what follows a blank is read below
		d := int(nibbles[digits[0]])<<4 | int(nibbles[digits[1]])
		if d < 0 {
			break
		}
		whole[done], digits = byte(d), digits[2:]
	}
	out, high := whole[:done], -1
	for _, c := range digits {
		d := nibble(c)
		switch {
		case d < 0 && isSpace(c):
		case d < 0:
			return nil, errSyntax
		case high < 0:
			high = d
		default:
			out, high = append(out, byte(high<<4|d)), -1
		}
	}
	if high >= 0 {
		if !r.legal {
			return nil, errSyntax
		}
		out = append(out, byte(high<<4))
	}
	r.at += n + 1
	return out, nil
}

// literal reads (…), ISO 32000-1, 7.3.4.2.
func (r *reader) literal() ([]byte, error) {
	r.at++ // (
	from := r.at
	var out []byte // nil as long as the bytes are those of the file
	open := 1
	for ; r.at < len(r.src); r.at++ {
		c := r.src[r.at]
		switch {
		case r.at-from > maxToken:
			return nil, errLimit
		case c == '(':
			open++
		case c == ')':
			if open--; open == 0 {
				if out == nil {
					out = r.src[from:r.at]
				}
				r.at++
				return out, nil
			}
		case c == '\\' || c == '\r':
			if out == nil {
				out = append([]byte{}, r.src[from:r.at]...)
			}
			if c == '\r' { // an end of line reads as a line feed
				if r.at+1 < len(r.src) && r.src[r.at+1] == '\n' {
					r.at++
				}
				c = '\n'
				break
			}
			var skip bool
			if c, skip = r.escape(); skip {
				continue
			}
		}
		if out != nil {
			out = append(out, c)
		}
	}
	return nil, errSyntax
}

// escape reads what follows a backslash and stays on its last byte. skip: it stands for nothing.
func (r *reader) escape() (c byte, skip bool) {
	if r.at+1 >= len(r.src) {
		return 0, true // the literal has no end; its loop finds out
	}
	r.at++
	switch c = r.src[r.at]; c {
	case 'n':
		return '\n', false
	case 'r':
		return '\r', false
	case 't':
		return '\t', false
	case 'b':
		return '\b', false
	case 'f':
		return '\f', false
	case '\n':
		return 0, true
	case '\r':
		if r.at+1 < len(r.src) && r.src[r.at+1] == '\n' {
			r.at++
		}
		return 0, true
	}
	if c < '0' || c > '7' {
		return c, false
	}
	n := 0
	for i := 0; i < 3 && r.at < len(r.src) && r.src[r.at] >= '0' && r.src[r.at] <= '7'; i++ {
		n = n<<3 | int(r.src[r.at]-'0')
		r.at++
	}
	r.at--
	return byte(n), false
}
