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

// stationery is what all pages of an alphabet share: fonts, resources and mark as gopdf draws them, and what PDF/A-3
// and PDF/UA-1 ask for in every file. The page's own objects follow it (file.go).
type stationery struct {
	head []byte // everything before the first object of the page's own
	xref []byte // the table's lines for the objects in head, and object 0
	mark []byte // content, which goes before the page's own
	page int    // number of the page's object
	next int    // number of the first object of the page's own
}

// stationeryOf is the stationery of an alphabet, made when it is first asked for.
var stationeryOf = func() (all [alphabets]func() (*stationery, error)) {
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

// takeApart splits a file of gopdf's into its objects and keeps those that pages share: packed where gopdf does not, with
// the map from characters to glyphs that PDF/A wants written down. Catalog, page and content are each page's own, so their
// places are taken by objects of ours: a table must not have gaps.
func takeApart(file []byte) (*stationery, error) {
	front, rest, ok := bytes.Cut(file, []byte("1 0 obj\n"))
	body, _, ok2 := bytes.Cut(rest, []byte("\n\nxref\n"))
	if !ok || !ok2 {
		return nil, errApart
	}
	var objects [][]byte
	for more := true; more; {
		var object []byte
		object, body, more = bytes.Cut(body, fmt.Appendf(nil, "\n\n%d 0 obj\n", len(objects)+2))
		objects = append(objects, object)
	}
	s := &stationery{head: bytes.Clone(front), xref: []byte("0000000000 65535 f \n"), next: 1}
	const resources = 4
	content := len(objects)
	if s.page = content - 1; content < 5 || !bytes.Contains(objects[0], []byte("/Catalog")) ||
		!bytes.Contains(objects[2], []byte("/Outlines")) || !bytes.Contains(objects[s.page-1], []byte("/Type /Page\n")) {
		return nil, errApart
	}
	mark, _, ok := plainStream(objects[content-1])
	if !ok {
		return nil, errApart
	}
	s.mark = fmt.Appendf(nil, "/Artifact BMC\n%sEMC\n", mark)
	profile := pack(sRGB())
	for i, object := range objects {
		switch number := i + 1; number {
		case 1: // gopdf's catalog
			object = stream("/N 3/Filter/FlateDecode", profile)
		case 3: // gopdf's bookmarks, which nothing refers to
			object = []byte("<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2.1)/DestOutputProfile 1 0 R>>\nendobj")
		case content:
			object = []byte("<</O/Table/Scope/Row>>\nendobj") // attributes of what heads a row
		case resources:
			from := []byte("/XObject <<\n")
			if !bytes.Contains(object, from) {
				return nil, errApart
			}
			object = bytes.Replace(object, from, fmt.Appendf(nil, "/XObject <<\n/QR %d 0 R\n", content+1+qrAt), 1)
		case s.page:
			object = fmt.Appendf(nil, "<</Type/Page/Parent 2 0 R/Resources 4 0 R/Contents %d 0 R/StructParents 0/Tabs/S>>\nendobj", content+1+contentAt)
		default:
			if inside, _, ok := plainStream(object); ok {
				object = stream("/Filter/FlateDecode", pack(inside))
			}
			object = bytes.Replace(narrow(object), []byte("/Subtype /CIDFontType2\n"), []byte("/Subtype /CIDFontType2\n/CIDToGIDMap /Identity\n"), 1)
		}
		s.add(object)
	}
	return s, nil
}

// plainStream is the inside of a stream without a filter, as gopdf writes it.
func plainStream(object []byte) (inside, after []byte, ok bool) {
	if !bytes.HasPrefix(object, []byte("<<\n/Length ")) {
		return nil, nil, false
	}
	if _, inside, ok = bytes.Cut(object, []byte("\n>>\nstream\n")); !ok {
		return nil, nil, false
	}
	return bytes.Cut(inside, []byte("endstream\nendobj"))
}

// stream is an object of these entries and bytes.
func stream(entries string, inside []byte) []byte {
	return fmt.Appendf(nil, "<<%s/Length %d>>\nstream\n%s\nendstream\nendobj", entries, len(inside), inside)
}

// add puts the next object into the head.
func (s *stationery) add(object []byte) {
	s.xref = fmt.Appendf(s.xref, "%010d 00000 n \n", len(s.head))
	s.head = fmt.Appendf(s.head, "%d 0 obj\n%s\n\n", s.next, object)
	s.next++
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
