package pades

import (
	"bytes"
	"strconv"
)

// A file of ours is read from its first byte to its last: header, objects one after the other, cross-reference table,
// trailer, startxref, %%EOF; then the update in the same way. Nothing may stand in between but white space, and the table must
// name exactly the objects that were found, where they were found. So no byte has two meanings: a reader that goes by the
// table and one that goes by the objects see the same, and nothing can be hidden beside them.

// object is an indirect object.
type object struct {
	number int
	at     int // where "12 0 obj" begins
	value  value
	stream []byte // as stored, filters not applied; nil if it is no stream
}

// revision is the original file or one update of it.
type revision struct {
	from, to int // src[from:to]
	objects  []object
	index    map[int]int // number → place in objects
	xrefAt   int
	trailer  value
	size     int // the trailer's /Size
}

func (v *revision) object(number int) *object {
	i, ok := v.index[number]
	if !ok {
		return nil
	}
	return &v.objects[i]
}

// file is what was read of a PDF: the original, and its update if there is one. Bytes after to were not read.
type file struct {
	src          []byte
	base, update *revision
	to           int
}

// object gives the newest version.
func (f *file) object(number int) *object {
	if f.update != nil {
		if o := f.update.object(number); o != nil {
			return o
		}
	}
	return f.base.object(number)
}

// resolve follows a reference, once: we never write a reference to a reference.
func (f *file) resolve(v *value) *value {
	if v.kind != reference {
		return v
	}
	if o := f.object(int(v.n)); o != nil && o.value.kind != reference {
		return &o.value
	}
	return &value{}
}

// trailer gives the newest trailer.
func (f *file) trailer() *value {
	if f.update != nil {
		return &f.update.trailer
	}
	return &f.base.trailer
}

// readFile reads the original and, if anything follows, one update. With an error the file holds what was whole before it.
func readFile(src []byte) (*file, error) {
	f := &file{src: src}
	r := newReader(src)
	if !r.header() {
		return f, errSyntax
	}
	var err error
	if f.base, err = r.revision(0, nil); err != nil {
		f.base = nil
		return f, err
	}
	if f.to = f.base.to; f.to == len(src) {
		return f, nil
	}
	update, err := r.revision(f.to, f.base)
	if err != nil {
		return f, err
	}
	f.update, f.to = update, update.to
	return f, nil
}

// header passes over "%PDF-1.x" and the comment of high bytes that says that the file is binary.
func (r *reader) header() bool {
	if !r.take("%PDF-1.") || r.at+1 >= len(r.src) || r.src[r.at] < '4' || r.src[r.at] > '7' || r.src[r.at+1] != '\n' {
		return false
	}
	r.at += 2
	if r.take("%") {
		for i := 0; ; i++ {
			switch {
			case r.at >= len(r.src) || i > 16:
				return false
			case r.src[r.at] == '\n':
				r.at++
				return true
			case r.src[r.at] < 0x80:
				return false
			}
			r.at++
		}
	}
	return true
}

// roomForObjects is for how many objects there is room from the beginning, if a file seems to have them: two pages of ours.
const roomForObjects = 200

// revision reads objects, table and trailer up to the line feed after %%EOF. before is nil for the original.
func (r *reader) revision(from int, before *revision) (*revision, error) {
	room := min(bytes.Count(r.src[from:], []byte("\nendobj\n")), roomForObjects)
	v := &revision{from: from, index: make(map[int]int, room), objects: make([]object, 0, room)}
	for {
		r.space()
		at := r.at
		if r.take("xref\n") {
			v.xrefAt = at
			break
		}
		o, err := r.object()
		if err != nil {
			return nil, err
		}
		if _, twice := v.index[o.number]; twice || len(v.objects) >= maxObjects {
			return nil, errSyntax
		}
		v.index[o.number] = len(v.objects)
		v.objects = append(v.objects, o)
	}
	if err := r.xref(v, before == nil); err != nil {
		return nil, err
	}
	if err := r.end(v, before); err != nil {
		return nil, err
	}
	v.to = r.at
	return v, nil
}

// object reads "12 0 obj … endobj".
func (r *reader) object() (object, error) {
	o := object{at: r.at}
	var ok bool
	if o.number, ok = r.number(); !ok || o.number == 0 || !r.take(" 0 obj\n") {
		return o, errSyntax
	}
	var err error
	if o.value, err = r.value(0); err != nil {
		return o, err
	}
	if o.value.kind == reference {
		return o, errSyntax
	}
	r.space()
	if o.value.kind == dictionary && r.take("stream") {
		if o.stream, err = r.stream(&o.value); err != nil {
			return o, err
		}
		r.space()
	}
	if !r.take("endobj\n") {
		return o, errSyntax
	}
	return o, nil
}

// stream reads exactly as many bytes as /Length says. An indirect /Length is refused: with it, where the stream ends would
// depend on an object that an update may replace.
func (r *reader) stream(dict *value) ([]byte, error) {
	if !r.take("\n") && !r.take("\r\n") {
		return nil, errSyntax
	}
	length := dict.get("Length")
	if length.kind != integer || int(length.n) > len(r.src)-r.at || dict.has("F") {
		return nil, errSyntax
	}
	from := r.at
	r.at += int(length.n)
	data := r.src[from:r.at:r.at]
	_ = r.take("\r\n") || r.take("\n") // an end of line that /Length does not count may stand here
	if !r.take("endstream") {
		return nil, errSyntax
	}
	return data, nil
}

// xref reads the table and compares it with the objects. Memory does not depend on what the table claims.
func (r *reader) xref(v *revision, original bool) error {
	found, last := 0, -1
	for !r.take("trailer") {
		first, ok := r.number()
		if !ok || !r.take(" ") {
			return errSyntax
		}
		count, ok := r.number()
		if !ok || !r.take("\n") || count == 0 || first <= last || len(r.src)-r.at < 20*count {
			return errSyntax
		}
		for number := first; number < first+count; number++ {
			line := r.src[r.at : r.at+20]
			r.at += 20
			if number == 0 {
				if string(line) != "0000000000 65535 f \n" || !original {
					return errSyntax
				}
				continue
			}
			o := v.object(number)
			if o == nil || string(line[10:]) != " 00000 n \n" || !isOffset(line[:10], o.at) {
				return errSyntax
			}
			found++
		}
		last = first + count - 1
		if original && first != 0 {
			return errSyntax
		}
	}
	if found != len(v.objects) || found == 0 {
		return errSyntax
	}
	return nil
}

// isOffset says whether ten digits are the number n.
func isOffset(digits []byte, n int) bool {
	var b [10]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return bytes.Equal(b[:], digits)
}

// end reads trailer, startxref and %%EOF.
func (r *reader) end(v, before *revision) error {
	var err error
	if v.trailer, err = r.value(0); err != nil {
		return err
	}
	if v.trailer.kind != dictionary {
		return errSyntax
	}
	highest := 0
	for _, o := range v.objects {
		highest = max(highest, o.number)
	}
	prev := v.trailer.get("Prev")
	if before == nil && prev.kind != null || before != nil && (!prev.isInt(before.xrefAt)) {
		return errSyntax
	}
	if before != nil {
		highest = max(highest, before.size-1)
	}
	size := v.trailer.get("Size")
	if !size.isInt(highest + 1) {
		return errSyntax
	}
	v.size = highest + 1
	r.space()
	if !r.take("startxref\n" + strconv.Itoa(v.xrefAt) + "\n%%EOF\n") {
		return errSyntax
	}
	return nil
}
