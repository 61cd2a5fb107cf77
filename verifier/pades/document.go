package pades

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// A document is any PDF, whoever wrote it: a list of revisions, each of which has a cross-reference section that says where its
// objects stand. It is read as ISO 32000-2 says and never repaired. A document that needs a guess is refused, because two readers
// may guess differently: errors say what was ambiguous, and whoever finds one judges the file to be broken.

// Limits of a document of others. Reading stops there with errLimit, before it costs memory or time.
const (
	maxRevisions  = 256
	maxEntries    = 400_000    // of all cross-reference sections
	maxKeptValues = 600_000    // values in memory at a time, about 90 bytes each
	maxOneObject  = 200_000    // values of one object
	maxAllValues  = 12_000_000 // values read in all, kept or not, however often a file is tried
	maxUnpacked   = 40 << 20   // bytes of all cross-reference and object streams together
	maxHashed     = 512 << 20  // bytes hashed for all signatures
	maxSteps      = 12_000_000 // of all walks
	maxPacked     = 200_000    // objects in one object stream
	maxHops       = 16         // references to references
)

type entryKind uint8

const (
	freeEntry   entryKind = iota
	plainEntry            // stands at an offset
	packedEntry           // stands in an object stream
)

// entry is one line of a cross-reference section.
type entry struct {
	kind  entryKind
	gen   uint16
	at    int32 // offset, or number of the object stream
	index int32 // place in the object stream
}

type span struct{ from, to int }

// placed is an object and where it begins.
type placed struct{ at, number int32 }

// section is a revision: what one cross-reference section adds to the ones before it.
type section struct {
	from, eof int // src[from:eof] is the revision, eof being behind the word %%EOF
	at        int // of the cross-reference table or stream
	entries   map[int32]entry
	trailer   value
	prev      int // -1 if none
	hybrid    int // /XRefStm, -1 if none
	spans     []span
	placed    []placed       // objects that stand in this revision, in their order
	carriers  map[int32]bool // numbers of object streams
	stream    int32          // number of the cross-reference stream, 0 if it is a table
	size      int
}

// item is an indirect object as it stands in one revision.
type item struct {
	value  value
	stream []byte // as stored
	isFlow bool   // is a stream
	packed bool   // from an object stream: its offsets are not the file's
	at, to int    // in the file, unless packed
}

type place struct{ container, at int32 }

// document is what is known of a file. load and resolve note the first thing that they could not read in bad; who reads a document
// asks for it before believing anything.
type document struct {
	src       []byte
	revisions []*section // oldest first
	keep      *reader    // reads what stays
	pass      *reader    // reads what is gone after one look
	left      int        // values that may still be kept
	*effort              // shared by all readings of one file
	room      *room
	items     map[place]*item
	packs     map[int32]*pack // by the offset of the container
	loading   int
	bad       error
}

// effort is what may still be spent on a file.
type effort struct {
	work     int // values to be read
	unpacked int // bytes to be decompressed
	hashed   int // bytes to be hashed
	steps    int // of walks
}

func newEffort() *effort {
	return &effort{work: maxAllValues, unpacked: maxUnpacked, hashed: maxHashed, steps: maxSteps}
}

var (
	errXref     = errors.New("a cross-reference section cannot be read")
	errEnd      = errors.New("a revision does not end with its startxref and %%EOF")
	errElse     = errors.New("a cross-reference entry points to something else")
	errTwice    = errors.New("something is defined twice")
	errHidden   = errors.New("bytes that belong to nothing")
	errStream   = errors.New("a stream cannot be read")
	errLocked   = errors.New("encrypted")
	errTrailing = errors.New("something follows the last %%EOF")
)

// openDocument reads all cross-reference sections of src, from the last to the first, and accounts for every byte.
func openDocument(src []byte, e *effort) (*document, error) {
	d := &document{src: src, left: maxKeptValues, effort: e,
		items: make(map[place]*item, 32), packs: map[int32]*pack{}}
	d.keep = &reader{src: src, values: &d.left, legal: true}
	d.room = d.keep.borrow()
	d.pass = &reader{src: src, values: new(int), legal: true}
	if !isHeader(src) {
		return d, errSyntax
	}
	if err := d.readSections(); err != nil {
		return d, err
	}
	for k := range d.revisions {
		if err := d.account(k); err != nil {
			return d, fmt.Errorf("revision %d: %w", k+1, err)
		}
	}
	return d, d.bad
}

// close gives back the memory of its values, none of which may be used any more. Who does not close leaves it to the collector.
func (d *document) close() { d.keep.giveBack(d.room) }

// isHeader says whether src begins with %PDF-1.x or %PDF-2.x, on a line of its own.
func isHeader(src []byte) bool {
	if !bytes.HasPrefix(src, []byte("%PDF-")) || len(src) < 16 {
		return false
	}
	v := src[5:]
	return (v[0] == '1' || v[0] == '2') && v[1] == '.' && v[2] >= '0' && v[2] <= '9' && isSpace(v[3])
}

// last is the number of the newest revision.
func (d *document) last() int { return len(d.revisions) - 1 }

// lookup finds the entry of an object as of a revision, and in which revision it was made.
func (d *document) lookup(number, rev int) (entry, int, bool) {
	for ; rev >= 0; rev-- {
		if e, ok := d.revisions[rev].entries[int32(number)]; ok {
			return e, rev, e.kind != freeEntry
		}
	}
	return entry{}, 0, false
}

// fail notes the first thing that cannot be read.
func (d *document) fail(err error) {
	if d.bad == nil {
		d.bad = err
	}
}

// load gives an object as of a revision; nil if there is none, which reads as null.
func (d *document) load(number, rev int) *item {
	e, made, ok := d.lookup(number, rev)
	if !ok || d.bad != nil {
		return nil
	}
	where := place{-1, e.at}
	if e.kind == packedEntry {
		carrier, _, ok := d.lookup(int(e.at), made)
		if !ok || carrier.kind != plainEntry {
			d.fail(errElse)
			return nil
		}
		where = place{carrier.at, e.index}
	}
	if it := d.items[where]; it != nil {
		return it
	}
	if d.loading++; d.loading > maxHops {
		d.fail(errLimit)
		return nil
	}
	defer func() { d.loading-- }()
	var (
		it  *item
		err error
	)
	before := d.left
	if e.kind == packedEntry {
		it, err = d.unpack(int(where.container), int(e.at), number, int(e.index), made)
	} else {
		it, err = d.readObject(d.keep, int(e.at), number, int(e.gen), made)
	}
	if d.work -= before - d.left; d.work < 0 {
		err = errLimit
	}
	if err != nil {
		d.fail(fmt.Errorf("object %d: %w", number, err))
		return nil
	}
	d.items[where] = it
	return it
}

// look is load for one look: while there is room the object is kept, later it is read again each time. The item must not be used
// after the next look.
func (d *document) look(number, rev int) *item {
	e, made, ok := d.lookup(number, rev)
	if !ok || d.bad != nil || e.kind == packedEntry || d.left > maxKeptValues/2 || d.items[place{-1, e.at}] != nil {
		return d.load(number, rev)
	}
	it, err := d.readObject(d.passing(), int(e.at), number, int(e.gen), made)
	if err != nil {
		d.fail(fmt.Errorf("object %d: %w", number, err))
		return nil
	}
	d.passed()
	return it
}

// passing gives the reader whose values are gone with its next use.
func (d *document) passing() *reader {
	*d.pass.values = min(maxOneObject, d.work)
	d.pass.itemsPiece, d.pass.pairsPiece = d.pass.firstItems, d.pass.firstPairs
	d.pass.items, d.pass.pairs = d.pass.items[:0], d.pass.pairs[:0]
	d.pass.reuse = true
	return d.pass
}

func (d *document) passed() { d.work -= min(maxOneObject, d.work) - *d.pass.values }

// resolve follows references as of a revision.
func (d *document) resolve(v *value, rev int) *value {
	for range maxHops {
		if v.kind != reference {
			return v
		}
		it := d.load(int(v.n), rev)
		if it == nil {
			return &nothing
		}
		v = &it.value
	}
	d.fail(errLimit)
	return &nothing
}

// root gives the number of the catalog as of a revision, and its dictionary.
func (d *document) root(rev int) (int, *value) {
	number, ok := refOf(d.revisions[rev].trailer.get("Root"))
	if !ok {
		return 0, &nothing
	}
	it := d.load(number, rev)
	if it == nil || it.value.kind != dictionary {
		return 0, &nothing
	}
	return number, &it.value
}

// readObject reads "12 0 obj … endobj" at an offset. rev is for an indirect /Length.
func (d *document) readObject(r *reader, at, number, gen, rev int) (*item, error) {
	if rest := d.left - maxOneObject; r == d.keep && rest > 0 {
		d.left = maxOneObject
		defer func() { d.left += rest }()
	}
	r.at = at
	n, g, ok := r.objectHeader()
	if !ok || n != number || g != gen {
		return nil, errElse
	}
	it := &item{at: at}
	if err := r.token(0, &it.value); err != nil {
		return nil, err
	}
	if it.value.kind == keyword {
		if string(it.value.s) != "endobj" {
			return nil, errSyntax
		}
		it.value = value{}
		it.to = r.at
		return it, nil
	}
	r.space()
	if it.value.kind == dictionary && r.take("stream") {
		mark := r.at
		length := it.value.get("Length")
		if length.kind == reference {
			if int(length.n) == number {
				return nil, errStream
			}
			length = d.resolve(length, rev)
		}
		r.at = mark
		if d.bad != nil || length.kind != integer {
			return nil, errStream
		}
		if !r.take("\r\n") && !r.take("\n") || int(length.n) > len(r.src)-r.at {
			return nil, errStream
		}
		it.isFlow = true
		it.stream = r.src[r.at : r.at+int(length.n) : r.at+int(length.n)]
		r.at += int(length.n)
		_ = r.take("\r\n") || r.take("\n") || r.take("\r")
		if !r.take("endstream") {
			return nil, errStream
		}
		r.space()
	}
	if !r.take("endobj") || r.at < len(r.src) && isRegular(r.src[r.at]) {
		return nil, errSyntax
	}
	it.to = r.at
	return it, nil
}

// objectHeader reads "12 0 obj".
func (r *reader) objectHeader() (number, gen int, ok bool) {
	if r.at >= len(r.src) {
		return 0, 0, false
	}
	number, ok = digits(r.word())
	if !ok {
		return 0, 0, false
	}
	r.space()
	gen, ok = digits(r.word())
	if !ok || gen > 65535 {
		return 0, 0, false
	}
	r.space()
	return number, gen, string(r.word()) == "obj"
}

// skip passes over white space and comments, but not over %%EOF.
func skip(src []byte, at int) int {
	for at < len(src) {
		switch c := src[at]; {
		case isSpace(c):
			at++
		case c == '%' && !bytes.HasPrefix(src[at:], []byte("%%EOF")):
			for at < len(src) && src[at] != '\n' && src[at] != '\r' {
				at++
			}
		default:
			return at
		}
	}
	return at
}

// account finds out whether every byte of a revision belongs to an object that its cross-reference section names, to the section
// itself, to white space or to a comment. What a reader that goes by the table would not see, one that repairs would.
func (d *document) account(k int) error {
	s := d.revisions[k]
	s.placed = make([]placed, 0, len(s.entries))
	for number, e := range s.entries {
		if e.kind == packedEntry {
			if !s.carriers[e.at] {
				carrier, _, ok := d.lookup(int(e.at), k)
				if !ok || carrier.kind != plainEntry {
					return fmt.Errorf("object %d: %w", number, errElse)
				}
				s.carriers[e.at] = true
			}
			continue
		}
		if e.kind != plainEntry {
			continue
		}
		if int(e.at) >= s.eof || int(e.at) < s.from && !d.stands(e.at, number, k) { // said again, or something older that comes back
			return fmt.Errorf("object %d: %w", number, errElse)
		}
		if int(e.at) >= s.from {
			s.placed = append(s.placed, placed{e.at, number})
		}
	}
	slices.SortFunc(s.placed, func(a, b placed) int { return int(a.at) - int(b.at) })
	for i := 1; i < len(s.placed); i++ {
		if s.placed[i].at == s.placed[i-1].at {
			return errTwice
		}
	}
	at, next := s.from, 0
	spans := s.spans
	for {
		at = skip(d.src, at)
		if len(spans) > 0 && at == spans[0].from {
			if next < len(s.placed) && int(s.placed[next].at) == at { // a cross-reference stream that names itself
				next++
			}
			at, spans = spans[0].to, spans[1:]
			continue
		}
		if at >= s.eof {
			break
		}
		number, gen := -1, -1
		if next < len(s.placed) && int(s.placed[next].at) == at {
			number = int(s.placed[next].number)
			gen = int(s.entries[int32(number)].gen)
			next++
		} else {
			// An object that the table does not name is a remainder, unless it is after a signature or says something twice.
			d.pass.at = at
			n, g, ok := d.pass.objectHeader()
			if !ok {
				return fmt.Errorf("at %d: %w", at, errHidden)
			}
			if e, known := s.entries[int32(n)]; known && e.kind != freeEntry && int(e.at) != at && !d.isHybrid(s, at) {
				return fmt.Errorf("object %d: %w", n, errTwice)
			}
			if !d.isHybrid(s, at) && k > 0 {
				return fmt.Errorf("object %d: %w", n, errHidden)
			}
			number, gen = n, g
		}
		it, err := d.first(at, number, gen, k)
		if err != nil {
			return fmt.Errorf("object %d: %w", number, err)
		}
		if len(spans) > 0 && it.to > spans[0].from {
			return errTwice
		}
		at = it.to
	}
	if next != len(s.placed) || len(spans) != 0 {
		return errElse
	}
	return nil
}

// stands says whether an object begins at an offset, in a revision before rev.
func (d *document) stands(at, number int32, rev int) bool {
	for k := rev - 1; k >= 0; k-- {
		s := d.revisions[k]
		if int(at) < s.from {
			continue
		}
		i, ok := slices.BinarySearchFunc(s.placed, at, func(p placed, at int32) int { return int(p.at) - int(at) })
		return ok && s.placed[i].number == number
	}
	return false
}

func (d *document) isHybrid(s *section, at int) bool { return s.hybrid == at }

// first reads an object for the first time, to find its end; while there is room it is kept.
func (d *document) first(at, number, gen, rev int) (*item, error) {
	if it := d.items[place{-1, int32(at)}]; it != nil {
		return it, nil
	}
	if d.left > maxKeptValues/2 {
		before := d.left
		it, err := d.readObject(d.keep, at, number, gen, rev)
		if d.work -= before - d.left; d.work < 0 {
			err = errLimit
		}
		if err == nil && d.bad == nil {
			d.items[place{-1, int32(at)}] = it
		}
		if d.bad != nil {
			err = d.bad
		}
		return it, err
	}
	it, err := d.readObject(d.passing(), at, number, gen, rev)
	d.passed()
	if d.bad != nil {
		err = d.bad
	}
	return it, err
}
