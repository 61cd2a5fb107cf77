package pades

import (
	"bytes"
	"strings"
	"unicode/utf16"
)

// A seal is a signature or a document time stamp: a signature field with a value. Here is found where seals are, and whether each
// covers the revision that brought it, byte by byte, but for its own /Contents.

// Limits of forms.
const (
	maxFields   = 20_000
	maxFormTree = 32 // fields in each other
	maxSeals    = 64
)

// sealField is a signature field that has a value.
type sealField struct {
	number  int    // of the field
	name    string // in full
	value   *value // the signature's dictionary
	sig     int    // its object's number, 0 if it stands in the field itself
	carrier int    // number of the object in which the dictionary stands
	lock    *value
}

// seals lists the signature fields with a value, as of a revision.
func (d *document) seals(rev int) []sealField {
	_, catalog := d.root(rev)
	form := d.resolve(catalog.get("AcroForm"), rev)
	if form.kind != dictionary {
		return nil
	}
	var found []sealField
	seen := map[int]bool{}
	var walk func(fields *value, above, ft string, depth int)
	walk = func(fields *value, above, ft string, depth int) {
		if depth > maxFormTree {
			d.fail(errLimit)
			return
		}
		for i := range fields.items {
			number, ok := refOf(&fields.items[i])
			if d.steps--; !ok || seen[number] {
				continue
			}
			if seen[number] = true; len(seen) > maxFields || d.steps < 0 {
				d.fail(errLimit)
				return
			}
			it := d.load(number, rev)
			if it == nil || it.value.kind != dictionary {
				continue
			}
			full, ft := fieldName(above, it.value.get("T")), ft
			if t := d.resolve(it.value.get("FT"), rev); t.kind == name {
				ft = string(t.s)
			}
			if f, ok := d.sealOf(number, &it.value, rev); ok && ft == "Sig" {
				f.name = full
				found = append(found, f)
			}
			if kids := d.resolve(it.value.get("Kids"), rev); kids.kind == array {
				walk(kids, full, ft, depth+1)
			}
		}
	}
	walk(d.resolve(form.get("Fields"), rev), "", "", 0)
	if len(found) > maxSeals {
		d.fail(errLimit)
	}
	return found
}

// sealOf gives the value of a field, if it is a dictionary.
func (d *document) sealOf(number int, field *value, rev int) (sealField, bool) {
	v := field.get("V")
	f := sealField{number: number, carrier: number, value: v, lock: d.resolve(field.get("Lock"), rev)}
	if v.kind == reference {
		it := d.load(int(v.n), rev)
		if it == nil {
			return f, false
		}
		f.sig, f.carrier, f.value = int(v.n), int(v.n), &it.value
	}
	return f, f.value.kind != null
}

// fieldName joins the partial names of fields (ISO 32000-2, 12.7.4.2).
func fieldName(parent string, t *value) string {
	switch own := textOf(t); {
	case t.kind != text:
		return parent
	case parent == "":
		return own
	default:
		return parent + "." + own
	}
}

// textOf reads a text string: UTF-16, or else bytes as they are.
func textOf(v *value) string {
	if len(v.s) >= 2 && v.s[0] == 0xfe && v.s[1] == 0xff {
		var units []uint16
		for b := v.s[2:]; len(b) >= 2; b = b[2:] {
			units = append(units, uint16(b[0])<<8|uint16(b[1]))
		}
		return string(utf16.Decode(units))
	}
	return strings.TrimPrefix(string(v.s), "\xef\xbb\xbf")
}

// lock is which fields may no longer change (ISO 32000-2, 12.8.2.4).
type lock struct {
	action string // All, Include, Exclude
	fields []string
}

func (l lock) holds(name string) bool {
	listed := false
	for _, f := range l.fields {
		listed = listed || name == f || strings.HasPrefix(name, f+".")
	}
	switch l.action {
	case "Include":
		return listed
	case "Exclude":
		return !listed
	}
	return true
}

// seal is a signature with its place and what it allows.
type seal struct {
	sealField
	rev      int
	from, to int // the gap, which is /Contents with its < and >
	end      int // where the file ended
	kind     cmsKind
	contents []byte
	allows   int // P of DocMDP or of a field's lock; 0 if it says nothing
	locks    []lock
	cms      *signedData
	stamp    *stamp // of a document time stamp
}

// readSeal reads the dictionary of a signature that revision rev brought.
func (d *document) readSeal(f sealField, rev int) (*seal, *failure) {
	structure := &failure{Failed, FormatFailure, ReasonStructure}
	s := &seal{sealField: f, rev: rev}
	v := f.value
	e, made, ok := d.lookup(f.carrier, rev)
	if !ok || made != rev || e.kind != plainEntry || int(e.at) < d.revisions[rev].from || v.kind != dictionary {
		return nil, structure
	}
	switch sub := v.get("SubFilter"); {
	case sub.isName("ETSI.CAdES.detached"):
		s.kind = cadesKind
	case sub.isName("adbe.pkcs7.detached"):
		s.kind = adobeKind
	case sub.isName("ETSI.RFC3161"):
		s.kind = tokenKind
	case sub.isName("adbe.pkcs7.sha1"), sub.isName("adbe.x509.rsa_sha1"):
		return nil, &tooWeak
	default:
		return nil, structure
	}
	if v.get("Filter").kind != name || v.has("Cert") {
		return nil, structure
	}
	contents := v.get("Contents")
	s.from, s.to = int(contents.at), int(contents.to)
	if contents.kind != text || s.to > len(d.src) {
		return nil, structure
	}
	if s.contents = contents.s; !isPlainHex(d.src[s.from:s.to], s.contents) {
		return nil, structure
	}
	if !d.readRange(s, v.get("ByteRange")) || !d.readLocks(s, v.get("Reference")) {
		return nil, structure
	}
	if rev == d.last() && s.end != len(d.src) {
		return nil, &wasAppended
	}
	return s, nil
}

// readRange checks that ByteRange is four numbers that cover the file, as it was when it was signed, but for exactly /Contents.
func (d *document) readRange(s *seal, b *value) bool {
	if b.kind != array || len(b.items) != 4 {
		return false
	}
	for i := range b.items {
		if b.items[i].kind != integer {
			return false
		}
	}
	if !b.items[0].isInt(0) || !b.items[1].isInt(s.from) || !b.items[2].isInt(s.to) {
		return false
	}
	eof := d.revisions[s.rev].eof
	s.end = s.to + int(b.items[3].n)
	if s.end < eof || s.end > len(d.src) || len(bytes.TrimLeft(d.src[eof:s.end], "\x00\t\n\f\r ")) != 0 {
		return false
	}
	return s.to <= eof
}

// readLocks reads what the signature allows afterwards: its transforms, and the lock of its field.
func (d *document) readLocks(s *seal, references *value) bool {
	allow := func(p *value) bool {
		switch {
		case p.kind == null || p.isInt(0): // 0: how some writers say that they do not certify
			return true
		case p.kind != integer || p.n < 1 || p.n > 3:
			return false
		case s.allows == 0 || int(p.n) < s.allows:
			s.allows = int(p.n)
		}
		return true
	}
	fields := func(v *value) bool {
		l := lock{action: string(d.resolve(v.get("Action"), s.rev).s)}
		if l.action != "All" && l.action != "Include" && l.action != "Exclude" {
			return false
		}
		names := d.resolve(v.get("Fields"), s.rev)
		for i := range names.items {
			l.fields = append(l.fields, textOf(d.resolve(&names.items[i], s.rev)))
		}
		s.locks = append(s.locks, l)
		return true
	}
	references = d.resolve(references, s.rev)
	for i := range references.items {
		ref := d.resolve(&references.items[i], s.rev)
		params := d.resolve(ref.get("TransformParams"), s.rev)
		switch method := d.resolve(ref.get("TransformMethod"), s.rev); {
		case method.isName("DocMDP"):
			p := d.resolve(params.get("P"), s.rev)
			if p.kind == null {
				p = &value{kind: integer, n: 2}
			}
			if !allow(p) {
				return false
			}
		case method.isName("FieldMDP"):
			if !fields(params) {
				return false
			}
		}
	}
	if s.lock.kind == dictionary {
		return fields(s.lock) && allow(d.resolve(s.lock.get("P"), s.rev))
	}
	return true
}

// Classes of characters of a hexadecimal string, for isPlainHex.
const (
	hexSmall = 1 << iota
	hexLarge
	hexOther
)

var hexClasses = func() (t [256]byte) {
	for i := range t {
		switch c := byte(i); {
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'f':
			t[i] = hexSmall
		case c >= 'A' && c <= 'F':
			t[i] = hexLarge
		default:
			t[i] = hexOther
		}
	}
	return t
}()

// isPlainHex says whether a string that was read stands in the file as <…> without white space. The string is the one part of the file that
// the signature does not cover, so it may be written in one way only: with all its letters small, or all of them large.
func isPlainHex(s, decoded []byte) bool {
	if len(s) < 4 || s[0] != '<' || s[len(s)-1] != '>' || len(s) != 2*len(decoded)+2 {
		return false
	}
	seen := byte(0)
	for _, c := range s[1 : len(s)-1] {
		seen |= hexClasses[c]
	}
	return seen == 0 || seen == hexSmall || seen == hexLarge
}

// check reads the CMS and compares it with the file. A failure with HashFailure means that bytes were changed.
func (s *seal) check(src []byte) *failure {
	parts := [][]byte{src[:s.from], src[s.to:s.end]}
	if s.kind == tokenKind {
		token, rest, ok := toDER(s.contents)
		if !ok || len(bytes.Trim(rest, "\x00")) != 0 {
			return &unreadable
		}
		var bad *failure
		if s.stamp, bad = readStamp(token); bad != nil {
			return bad
		}
		if !s.stamp.over(parts...) {
			return &failure{Failed, HashFailure, ReasonChanged}
		}
		s.cms = s.stamp.signedData
		return nil
	}
	var bad *failure
	if s.cms, bad = readCMS(s.contents, s.kind); bad != nil {
		return bad
	}
	h := s.cms.hash.New()
	for _, part := range parts {
		h.Write(part)
	}
	digest := h.Sum(nil)
	if !s.cms.covers(digest) {
		return &failure{Failed, HashFailure, ReasonChanged}
	}
	if bad := s.cms.verify(digest); bad != nil {
		return bad
	}
	return s.cms.identify()
}
