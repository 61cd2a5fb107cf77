package templates

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/signintech/gopdf"
)

// alphabet says how many letters the embedded fonts of a page have: a page takes the smallest that has all of its own.
// Three sets made once, instead of one for each page, save the time of cutting and packing fonts, which is ten times
// that of all else; and the file tells nothing about a name by the letters that its fonts lack.
type alphabet int

const (
	latin    alphabet = iota // ASCII, Azerbaijani, the usual marks
	cyrillic                 // those and Russian
	whole                    // every character of our fonts
	alphabets
)

const azerbaijani = "ÇçƏəĞğİıÖöŞşÜü" + "\u00a0§°«»–—‘’“”„…№₼"

func alphabetOf(r rune) alphabet {
	switch {
	case r >= ' ' && r <= '~', strings.ContainsRune(azerbaijani, r):
		return latin
	case r >= 'А' && r <= 'я', r == 'Ё', r == 'ё':
		return cyrillic
	default:
		return whole
	}
}

// alphabetOfRune is alphabetOf for the characters of our fonts.
var alphabetOfRune = sync.OnceValue(func() *[lastRune + 1]alphabet {
	of := new([lastRune + 1]alphabet)
	for r := range of {
		of[r] = alphabetOf(rune(r))
	}
	return of
})

// stationery is what all pages of an alphabet share, as gopdf draws it: the file up to the page's content, which is the
// last object, and of the content the mark.
type stationery struct {
	head []byte // everything before the content's object
	xref []byte // the table's lines for the objects in head, and object 0
	mark []byte // content
	last int    // number of the content's object
}

var stationeries = func() (all [alphabets]func() (*stationery, error)) {
	for a := range all {
		all[a] = sync.OnceValues(func() (*stationery, error) {
			s, err := newStationery(alphabet(a))
			if err != nil {
				return nil, fmt.Errorf("stationery: %w", err)
			}
			return s, nil
		})
	}
	return all
}()

func newStationery(a alphabet) (*stationery, error) {
	faces, err := typefaces()
	if err != nil {
		return nil, err
	}
	var pdf gopdf.GoPdf
	pdf.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
	pdf.SetNoCompression() // of the content, which each page has its own of; gopdf packs fonts always
	for f, name := range fontNames {
		if err := pdf.AddTTFFontData(name, *fontFiles[f]); err != nil {
			return nil, err
		}
		var letters []rune
		for r := range rune(lastRune + 1) {
			if faces[f].glyph(r).id != 0 && alphabetOf(r) <= a {
				letters = append(letters, r)
			}
		}
		if err := pdf.SetFont(name, "", 10); err != nil {
			return nil, err
		}
		if _, err := pdf.MeasureTextWidth(string(letters)); err != nil { // what is measured is embedded
			return nil, err
		}
	}
	pdf.AddPage()
	drawMark(&pdf, left, top, markSize)
	file, err := pdf.GetBytesPdfReturnErr()
	if err != nil {
		return nil, err
	}
	return takeApart(file)
}

var errApart = errors.New("not a file as gopdf writes it")

// takeApart splits a file of gopdf's into its objects, packs those that gopdf does not, and keeps the last, which is the
// content, apart.
func takeApart(file []byte) (*stationery, error) {
	front, rest, ok := bytes.Cut(file, []byte("1 0 obj\n"))
	body, _, ok2 := bytes.Cut(rest, []byte("\n\nxref\n"))
	if !ok || !ok2 {
		return nil, errApart
	}
	s := &stationery{head: bytes.Clone(front), xref: []byte("0000000000 65535 f \n"), last: 1}
	for {
		next := fmt.Appendf(nil, "\n\n%d 0 obj\n", s.last+1)
		object, rest, more := bytes.Cut(body, next)
		stream, plain := bytes.CutPrefix(object, []byte("<<\n/Length "))
		_, stream, ok := bytes.Cut(stream, []byte("\n>>\nstream\n"))
		stream, _, ok2 := bytes.Cut(stream, []byte("endstream\nendobj"))
		plain = plain && ok && ok2
		if !more {
			if !plain {
				return nil, errApart
			}
			s.mark = stream
			return s, nil
		}
		s.xref = fmt.Appendf(s.xref, "%010d 00000 n \n", len(s.head))
		object = narrow(object)
		if plain {
			packed := pack(stream)
			s.head = fmt.Appendf(s.head, "%d 0 obj\n<<\n/Filter /FlateDecode\n/Length %d\n>>\nstream\n%s\nendstream\nendobj\n\n", s.last, len(packed), packed)
		} else {
			s.head = fmt.Appendf(s.head, "%d 0 obj\n%s\n\n", s.last, object)
		}
		body, s.last = rest, s.last+1
	}
}

var widths, width1 = regexp.MustCompile(`/W \[(\d+\[\d+\])*\]`), regexp.MustCompile(`(\d+)\[(\d+)\]`)

// narrow writes the widths of a font's glyphs by runs of neighbours, where gopdf writes an array for each glyph: whoever
// reads the file has a tenth of the values to read.
func narrow(object []byte) []byte {
	return widths.ReplaceAllFunc(object, func(w []byte) []byte {
		of := map[int]string{}
		for _, m := range width1.FindAllSubmatch(w, -1) {
			glyph, _ := strconv.Atoi(string(m[1])) // digits
			of[glyph] = string(m[2])
		}
		b := []byte("/W [")
		last := -2
		for _, glyph := range slices.Sorted(maps.Keys(of)) {
			switch {
			case glyph == last+1:
				b = append(b, ' ')
			case last < 0:
				b = fmt.Appendf(b, "%d[", glyph)
			default:
				b = fmt.Appendf(b, "]%d[", glyph)
			}
			b, last = append(b, of[glyph]...), glyph
		}
		return append(b, "]]"...)
	})
}

// file puts a page together: the stationery, its content after the mark, and what the document is called.
func (s *stationery) file(content []byte, of Sheet) []byte {
	b := make([]byte, 0, len(s.head)+len(s.mark)+len(content)+len(s.xref)+1024)
	b = append(b, s.head...)
	at := len(b)
	// Not packed: what is signed is read back twice, and a page takes longer to pack and unpack than to draw and read.
	b = fmt.Appendf(b, "%d 0 obj\n<<\n/Length %d\n>>\nstream\n", s.last, len(s.mark)+len(content))
	b = append(append(append(b, s.mark...), content...), "endstream\nendobj\n\n"...)
	info := len(b)
	b = fmt.Appendf(b, "%d 0 obj\n<<\n/Title ", s.last+1)
	b = append(appendText(b, of.Title), "\n/Subject "...)
	b = append(appendText(b, of.Code.String()), "\n/Creator (Tesdiq)\n/CreationDate "...)
	b = of.IssuedAt.UTC().AppendFormat(b, "(D:20060102150405Z)\n>>\nendobj\n\n")
	xref := len(b)
	b = fmt.Appendf(b, "xref\n0 %d\n%s%010d 00000 n \n%010d 00000 n \n", s.last+2, s.xref, at, info)
	return fmt.Appendf(b, "trailer\n<<\n/Size %d\n/Root 1 0 R\n/Info %d 0 R\n>>\nstartxref\n%d\n%%%%EOF\n", s.last+2, s.last+1, xref)
}

// appendText writes a text string in UTF-16 (ISO 32000-1, 7.9.2.2), in hexadecimal digits so that nothing in it acts.
func appendText(b []byte, s string) []byte {
	b = append(b, "<FEFF"...)
	for _, unit := range utf16.Encode([]rune(s)) {
		b = appendHex(b, unit)
	}
	return append(b, '>')
}

func appendHex(b []byte, n uint16) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, digits[n>>12], digits[n>>8&15], digits[n>>4&15], digits[n&15])
}

// pack compresses as the filter FlateDecode expects it.
func pack(b []byte) []byte {
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestCompression)
	if err != nil {
		panic("templates: " + err.Error()) // a level that there is not
	}
	z.Write(b) // a bytes.Buffer takes everything
	z.Close()
	return packed.Bytes()
}
