package signer

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// document is a PDF of ours, signed and perhaps archived, as far as a further update needs it.
type document struct {
	pdf       []byte
	xrefAt    int    // offset of the last "xref"
	size      int    // number of the next new object
	root      int    // object number of the catalog
	page      int    // of the first page
	catalog   dict   // in their newest versions
	pageDict  dict   //
	info      []byte // the trailer's /Info as written, nil if none
	id        []byte // first string of the trailer's /ID as written
	dss       dss
	objects   map[int]int // number → offset of the newest; only in a document that was read again
	revisions int         // updates after the original
	inside    [][]byte    // certificates that stand in the signature, DER; only where it was just made
}

// update is an incremental update being written: objects, table, trailer.
type update struct {
	*document
	out       bytes.Buffer
	placed    []placed
	byteRange int  // offset of its room; 0: no signature here
	gap       span // of /Contents, "<" and ">" included
}

type placed struct{ number, at int }

// span is a stretch of a file, to excluded.
type span struct{ from, to int }

// byteRangeRoom is the width of "[0 a b c]" with numbers up to maxPDF.
const byteRangeRoom = len("[0 12345678 12345678 12345678]")

// begin begins an update that will have about so many bytes.
func (d *document) begin(room int) *update {
	u := &update{document: d}
	u.out.Grow(len(d.pdf) + room)
	u.out.Write(d.pdf)
	return u
}

func (u *update) object(number int, body func(out *bytes.Buffer)) {
	u.placed = append(u.placed, placed{number, u.out.Len()})
	u.number(number)
	u.out.WriteString(" 0 obj\n")
	body(&u.out)
	u.out.WriteString("\nendobj\n")
}

func (u *update) number(n int) { u.out.Write(strconv.AppendInt(u.out.AvailableBuffer(), int64(n), 10)) }

// dict writes a dictionary object, an entry a line.
func (u *update) dict(number int, d dict) {
	u.object(number, func(out *bytes.Buffer) {
		out.WriteString("<<")
		for _, e := range d {
			out.WriteString("\n")
			out.WriteString(e.key)
			out.WriteString(" ")
			out.Write(e.value)
		}
		out.WriteString("\n>>")
	})
}

// contents writes the end of a signature's dictionary: /ByteRange, and /Contents with room for so many bytes.
func (u *update) contents(room int) {
	u.out.WriteString("/ByteRange")
	u.byteRange = u.out.Len()
	u.out.WriteString("                              "[:byteRangeRoom])
	u.out.WriteString("\n/Contents")
	u.gap.from = u.out.Len()
	u.out.WriteByte('<')
	zeros := u.out.AvailableBuffer()
	for range 2 * room {
		zeros = append(zeros, '0')
	}
	u.out.Write(zeros)
	u.out.WriteByte('>')
	u.gap.to = u.out.Len()
	u.out.WriteString(">>")
}

// field writes an invisible signature field, merged with its widget: printed, locked.
func (u *update) field(number int, name string, value, page int) {
	u.object(number, func(out *bytes.Buffer) {
		fmt.Fprintf(out, "<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/V %d 0 R/P %d 0 R/Rect[0 0 0 0]/F 132>>", name, value, page)
	})
}

// end writes table and trailer, and gives the document as it is then. seed makes the second half of /ID.
func (u *update) end(seed []byte) (*document, span) {
	xref := u.out.Len()
	u.out.WriteString("xref\n")
	slices.SortFunc(u.placed, func(a, b placed) int { return a.number - b.number })
	for i := 0; i < len(u.placed); {
		n := i + 1
		for n < len(u.placed) && u.placed[n].number == u.placed[n-1].number+1 {
			n++
		}
		fmt.Fprintf(&u.out, "%d %d\n", u.placed[i].number, n-i)
		for ; i < n; i++ {
			fmt.Fprintf(&u.out, "%010d 00000 n \n", u.placed[i].at)
		}
	}
	fmt.Fprintf(&u.out, "trailer\n<</Size %d/Root %d 0 R", u.size, u.root)
	if u.info != nil {
		u.out.WriteString("/Info ")
		u.out.Write(u.info)
	}
	sum := sha256.Sum256(seed)
	fmt.Fprintf(&u.out, "/Prev %d/ID[%s<%x>]>>\nstartxref\n%d\n%%%%EOF\n", u.xrefAt, u.id, sum[:16], xref)
	after := *u.document
	after.pdf, after.xrefAt = u.out.Bytes(), xref
	after.revisions++
	if u.byteRange > 0 {
		copy(after.pdf[u.byteRange:], fmt.Sprintf("[0 %d %d %d]", u.gap.from, u.gap.to, len(after.pdf)-u.gap.to))
	}
	return &after, u.gap
}

// with gives a dictionary in which entries are added, or replaced where they stand.
func (d dict) with(more ...entry) dict {
	out := slices.Clone(d)
next:
	for _, e := range more {
		for i := range out {
			if out[i].key == e.key {
				out[i].value = e.value
				continue next
			}
		}
		out = append(out, e)
	}
	return out
}

// Limits of a document that is read again.
const maxRevisions = 128 // a renewal adds two, every few years

// readDocument reads a file of ours with whatever updates it has: classic tables only, as update writes them. It is no check:
// what comes of it is read by verifier/pades.
func readDocument(pdf []byte) (*document, error) {
	if len(pdf) > maxPDF {
		return nil, fmt.Errorf("larger than %d bytes", maxPDF)
	}
	tail, ok := bytes.CutSuffix(pdf, []byte("\n%%EOF\n"))
	at := bytes.LastIndex(tail, []byte("startxref\n"))
	if !ok || at < 0 {
		return nil, errors.New("does not end with startxref, %%EOF and a line feed")
	}
	d := &document{pdf: pdf, objects: map[int]int{}}
	xref, err := number(tail[at+len("startxref\n"):])
	if err != nil {
		return nil, errors.New("startxref is not one number")
	}
	d.xrefAt = xref
	objects := d.objects
	var last dict
	for end := at; ; d.revisions++ {
		if d.revisions > maxRevisions || xref >= end {
			return nil, errors.New("too many updates, or a circle of them")
		}
		trailer, err := readTable(pdf[xref:end], objects)
		if err != nil {
			return nil, err
		}
		if last == nil {
			last = trailer
		}
		prev := trailer.get("/Prev")
		if prev == nil {
			break
		}
		end = xref
		if xref, err = number(prev); err != nil {
			return nil, errors.New("/Prev is not a number")
		}
	}
	if d.size, err = number(last.get("/Size")); err != nil {
		return nil, errors.New("/Size is not a number")
	}
	d.info = last.get("/Info")
	if d.id, err = firstString(last.get("/ID")); err != nil {
		return nil, err
	}
	return d, d.readTree(last, objects)
}

// readTable reads one table and its trailer. What objects has already is newer.
func readTable(src []byte, objects map[int]int) (dict, error) {
	rest, ok := bytes.CutPrefix(src, []byte("xref\n"))
	if !ok {
		return nil, errors.New("no cross-reference table")
	}
	for {
		if tail, ok := bytes.CutPrefix(rest, []byte("trailer\n")); ok {
			trailer, _, err := readDict(tail)
			return trailer, err
		}
		line, body, ok := bytes.Cut(rest, []byte("\n"))
		from, to, two := bytes.Cut(line, []byte(" "))
		first, err := number(from)
		count, err2 := number(to)
		if !ok || !two || err != nil || err2 != nil || count > maxObjects || len(body) < 20*count {
			return nil, errors.New("cross-reference table cannot be read")
		}
		for i := range count {
			line := body[20*i : 20*i+20]
			if line[17] != 'n' {
				continue
			}
			offset, err := number(bytes.TrimLeft(line[:9], "0"), line[9:10])
			if err != nil {
				return nil, errors.New("cross-reference table cannot be read")
			}
			if _, newer := objects[first+i]; !newer {
				objects[first+i] = offset
			}
		}
		rest = body[20*count:]
	}
}

// at gives what follows "12 0 obj".
func (d *document) at(number int, objects map[int]int) ([]byte, error) {
	offset, ok := objects[number]
	if !ok || offset >= len(d.pdf) {
		return nil, fmt.Errorf("object %d is not in the table", number)
	}
	src, ok := bytes.CutPrefix(d.pdf[offset:], []byte(strconv.Itoa(number)+" 0 obj\n"))
	if !ok {
		return nil, fmt.Errorf("object %d is not where the table says", number)
	}
	return src, nil
}

func (d *document) dictAt(value []byte, objects map[int]int) (int, dict, error) {
	n, err := reference(value)
	if err != nil {
		return 0, nil, err
	}
	src, err := d.at(n, objects)
	if err != nil {
		return 0, nil, err
	}
	found, _, err := readDict(src)
	return n, found, err
}

func (d *document) readTree(trailer dict, objects map[int]int) (err error) {
	if d.root, d.catalog, err = d.dictAt(trailer.get("/Root"), objects); err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	_, pages, err := d.dictAt(d.catalog.get("/Pages"), objects)
	if err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	kids, err := references(pages.get("/Kids"))
	if err != nil || len(kids) == 0 {
		return errors.New("pages: no kid")
	}
	if d.page, d.pageDict, err = d.dictAt(fmt.Appendf(nil, "%d 0 R", kids[0]), objects); err != nil {
		return fmt.Errorf("first page: %w", err)
	}
	return d.dss.read(d, objects)
}

// references reads an array of references.
func references(array []byte) ([]int, error) {
	inner, ok := bytes.CutPrefix(bytes.TrimSpace(array), []byte("["))
	inner, ok2 := bytes.CutSuffix(inner, []byte("]"))
	f := bytes.Fields(inner)
	if !ok || !ok2 || len(f)%3 != 0 || len(f)/3 > maxObjects {
		return nil, errors.New("not an array of references")
	}
	var out []int
	for ; len(f) > 0; f = f[3:] {
		n, err := number(f[0])
		if err != nil || string(f[1]) != "0" || string(f[2]) != "R" {
			return nil, errors.New("not an array of references")
		}
		out = append(out, n)
	}
	return out, nil
}

// refs writes an array of references.
func refs(numbers []int) []byte {
	out := []byte("[")
	for i, n := range numbers {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(strconv.AppendInt(out, int64(n), 10), " 0 R"...)
	}
	return append(out, ']')
}
