package pades

import (
	"bytes"
	"slices"
)

// Cross-reference tables and streams, hybrid files and linearized ones (ISO 32000-2, 7.5.4, 7.5.8, annex F).

// readSections follows startxref and /Prev from the newest section to the oldest.
func (d *document) readSections() error {
	end := len(d.src)
	for end > 0 && isSpace(d.src[end-1]) {
		end--
	}
	if !bytes.HasSuffix(d.src[:end], []byte("%%EOF")) {
		return errTrailing
	}
	mark := bytes.LastIndex(d.src[:end], []byte("startxref"))
	if mark < 0 || end-mark > 64 {
		return errEnd
	}
	at, ok := d.readStart(mark)
	if !ok {
		return errEnd
	}
	count := 0
	for {
		s, err := d.readSection(at)
		if err != nil {
			return err
		}
		if s.trailer.get("Root").kind != reference {
			return errXref
		}
		start, eof, err := d.readEnd(s)
		if err != nil && s.prev < s.at { // a linearized file's first section may do without
			return err
		}
		if count += len(s.entries); count > maxEntries || len(d.revisions) >= maxRevisions {
			return errLimit
		}
		d.revisions = append(d.revisions, s)
		switch {
		case s.prev >= s.at:
			// Only the two halves of a linearized original refer forward: the first page's section to the main one at the end.
			if err := d.readMain(s); err != nil {
				return err
			}
			count += len(s.entries)
		case start != s.at:
			return errEnd
		default:
			s.eof = eof
		}
		if s.prev < 0 {
			break
		}
		at = s.prev
	}
	slices.Reverse(d.revisions)
	from := 0
	for _, s := range d.revisions {
		s.from = from
		if from = s.eof; s.at < s.from {
			return errEnd
		}
	}
	if from != end {
		return errTrailing
	}
	return nil
}

// readStart reads "startxref", a number and %%EOF, and gives the number.
func (d *document) readStart(mark int) (int, bool) {
	r := reader{src: d.src, at: mark}
	if !r.take("startxref") {
		return 0, false
	}
	r.space()
	n, ok := digits(r.word())
	if !ok {
		return 0, false
	}
	r.at = skip(r.src, r.at)
	if !r.take("%%EOF") {
		return 0, false
	}
	n = d.blank(n)
	return n, n < len(d.src)
}

// blank passes over white space: some writers point to the line end before a section.
func (d *document) blank(at int) int {
	for at < len(d.src) && isSpace(d.src[at]) {
		at++
	}
	return at
}

// readEnd reads what must follow a section: startxref, a number, %%EOF. It gives the number and the place behind.
func (d *document) readEnd(s *section) (start, eof int, err error) {
	last := &s.spans[len(s.spans)-1]
	r := reader{src: d.src, at: skip(d.src, last.to)}
	if !r.take("startxref") {
		return 0, 0, errEnd
	}
	r.space()
	start, ok := digits(r.word())
	if !ok {
		return 0, 0, errEnd
	}
	r.at = skip(r.src, r.at)
	if !r.take("%%EOF") {
		return 0, 0, errEnd
	}
	last.to = r.at
	return d.blank(start), r.at, nil
}

// readMain reads the main section of a linearized file into the first page's section. The two may not say anything of the same object.
func (d *document) readMain(s *section) error {
	r := reader{src: d.src, legal: true, values: new(int)}
	*r.values = 200
	r.at = skip(d.src, 0)
	if _, _, ok := r.objectHeader(); !ok {
		return errXref
	}
	var v value
	if r.token(0, &v) != nil || v.kind != dictionary || !v.has("Linearized") {
		return errXref
	}
	main, err := d.readSection(s.prev)
	if err != nil {
		return err
	}
	start, eof, err := d.readEnd(main)
	if err != nil {
		return err
	}
	if start != s.at || main.prev >= 0 || main.hybrid >= 0 || s.hybrid >= 0 || !v.get("L").isInt(eof) && !isInside(v.get("L"), eof, d.src) {
		return errXref
	}
	for number, e := range main.entries {
		if old, twice := s.entries[number]; twice && (number != 0 || old.kind != freeEntry) {
			return errTwice
		}
		s.entries[number] = e
	}
	for c := range main.carriers {
		s.carriers[c] = true
	}
	s.spans = append(s.spans, main.spans...)
	s.eof, s.prev = eof, -1
	s.size = max(s.size, main.size)
	return nil
}

// isInside says whether a linearized file's /L is where it ends, give or take the line end behind %%EOF.
func isInside(length *value, eof int, src []byte) bool {
	n := int(length.n)
	return length.kind == integer && n > eof && n <= eof+2 && n <= len(src) && len(bytes.TrimSpace(src[eof:n])) == 0
}

// readSection reads the cross-reference section at an offset.
func (d *document) readSection(at int) (*section, error) {
	if at <= 0 || at >= len(d.src) {
		return nil, errXref
	}
	s := &section{at: at, prev: -1, hybrid: -1, carriers: map[int32]bool{}}
	var err error
	if bytes.HasPrefix(d.src[at:], []byte("xref")) {
		err = d.readTable(s)
	} else {
		err = d.readXrefStream(s, at)
	}
	if err != nil {
		return nil, err
	}
	if s.trailer.has("Encrypt") {
		return nil, errLocked
	}
	if prev := s.trailer.get("Prev"); prev.kind != null {
		if prev.kind != integer {
			return nil, errXref
		}
		s.prev = d.blank(int(prev.n))
	}
	for number := range s.entries {
		if int(number) >= s.size {
			return nil, errXref
		}
	}
	return s, nil
}

// readTable reads "xref … trailer <<…>>".
func (d *document) readTable(s *section) error {
	r := d.keep
	r.at = s.at + len("xref")
	s.entries = map[int32]entry{}
	for {
		r.space()
		if r.take("trailer") {
			break
		}
		first, ok := digits(r.word())
		if !ok {
			return errXref
		}
		r.space()
		count, ok := digits(r.word())
		if !ok {
			return errXref
		}
		r.space()
		if len(r.src)-r.at < 20*count || len(s.entries)+count > maxEntries || first+count > 1<<30 {
			return errXref
		}
		for number := first; number < first+count; number++ {
			e, ok := tableEntry(r.src[r.at : r.at+20])
			if !ok {
				return errXref
			}
			r.at += 20
			if _, twice := s.entries[int32(number)]; twice {
				return errTwice
			}
			s.entries[int32(number)] = e
		}
	}
	if err := r.token(0, &s.trailer); err != nil {
		return err
	}
	size := s.trailer.get("Size")
	if s.trailer.kind != dictionary || size.kind != integer || s.trailer.has("Type") {
		return errXref
	}
	s.size = int(size.n)
	s.spans = []span{{s.at, r.at}}
	stm := s.trailer.get("XRefStm")
	if stm.kind == null {
		return nil
	}
	// A hybrid file: the stream names what older readers shall not see.
	if stm.kind != integer || int(stm.n) >= len(d.src) {
		return errXref
	}
	s.hybrid = int(stm.n)
	table, trailer, size2 := s.entries, s.trailer, s.size
	spans := s.spans
	if err := d.readXrefStream(s, s.hybrid); err != nil {
		return err
	}
	for number, e := range table {
		if other, both := s.entries[number]; both && e.kind != freeEntry && e != other {
			return errTwice
		} else if !both || e.kind != freeEntry {
			s.entries[number] = e
		}
	}
	s.trailer, s.size, s.spans = trailer, size2, spans
	return nil
}

// tableEntry reads the twenty bytes of a line.
func tableEntry(line []byte) (entry, bool) {
	at, ok1 := digits(line[:10])
	if !ok1 { // ten digits
		return entry{}, false
	}
	gen, ok2 := digits(line[11:16])
	end := string(line[18:])
	if !ok2 || gen > 65535 && line[17] != 'f' || line[10] != ' ' || line[16] != ' ' || end != " \n" && end != "\r\n" && end != " \r" {
		return entry{}, false
	}
	switch {
	case line[17] == 'f', line[17] == 'n' && at == 0: // nothing can stand at 0, where the header is
		return entry{kind: freeEntry}, true
	case line[17] == 'n':
		return entry{kind: plainEntry, gen: uint16(gen), at: int32(at)}, true
	}
	return entry{}, false
}

// readXrefStream reads a cross-reference stream.
func (d *document) readXrefStream(s *section, at int) error {
	r := d.keep
	r.at = at
	number, gen, ok := r.objectHeader()
	if !ok {
		return errXref
	}
	it, err := d.readObject(r, at, number, gen, -1) // no revision is known yet: its /Length cannot be indirect
	if err != nil || !it.isFlow || !it.value.get("Type").isName("XRef") {
		return errXref
	}
	v := &it.value
	size := v.get("Size")
	w := v.get("W")
	if size.kind != integer || w.kind != array || len(w.items) != 3 {
		return errXref
	}
	var width [3]int
	total := 0
	for i := range w.items {
		if w.items[i].kind != integer || w.items[i].n > 8 {
			return errXref
		}
		width[i] = int(w.items[i].n)
		total += width[i]
	}
	if width[1] == 0 {
		return errXref
	}
	ranges := []int{0, int(size.n)}
	if index := v.get("Index"); index.kind != null {
		if index.kind != array || len(index.items)%2 != 0 {
			return errXref
		}
		ranges = ranges[:0]
		for i := range index.items {
			if index.items[i].kind != integer {
				return errXref
			}
			ranges = append(ranges, int(index.items[i].n))
		}
	}
	need := 0
	for i := 1; i < len(ranges); i += 2 {
		need = min(need+ranges[i]*total, maxUnpacked)
	}
	data, err := d.decode(it, 0, need)
	if err != nil {
		return err
	}
	s.entries = map[int32]entry{}
	for ; len(ranges) > 0; ranges = ranges[2:] {
		first, count := ranges[0], ranges[1]
		if count > len(data)/total || len(s.entries)+count > maxEntries {
			return errXref
		}
		for n := first; n < first+count; n++ {
			e, ok := streamEntry(data[:total], width)
			if !ok {
				return errXref
			}
			data = data[total:]
			if _, twice := s.entries[int32(n)]; twice {
				return errTwice
			}
			s.entries[int32(n)] = e
		}
	}
	if len(data) != 0 {
		return errXref
	}
	s.trailer, s.size = it.value, int(size.n)
	s.spans = []span{{at, it.to}}
	s.stream = int32(number)
	return nil
}

// streamEntry reads one entry of a cross-reference stream.
func streamEntry(b []byte, width [3]int) (entry, bool) {
	var f [3]uint64
	for i, w := range width {
		for range w {
			f[i] = f[i]<<8 | uint64(b[0])
			b = b[1:]
		}
	}
	if width[0] == 0 {
		f[0] = 1
	}
	switch {
	case f[0] == 0:
		return entry{kind: freeEntry}, true
	case f[0] == 1 && f[1] == 0:
		return entry{kind: freeEntry}, true
	case f[0] == 1 && f[1] < MaxSize+1 && f[2] <= 65535:
		return entry{kind: plainEntry, at: int32(f[1]), gen: uint16(f[2])}, true
	case f[0] == 2 && f[1] < 1<<30 && f[2] < maxPacked:
		return entry{kind: packedEntry, at: int32(f[1]), index: int32(f[2])}, true
	}
	return entry{}, false
}
