package pades

import (
	"bytes"
	"fmt"
	"strconv"
)

// A delta is the difference between two neighbouring revisions, judged object by object. The newer document is walked from its trailer
// along every reference. Each place that a reader would look at has a rule: what a rule does not name must be as it was, with
// everything that can be reached from it. So an object that changed is allowed only if every way to it goes through a rule that
// allows the change; it does not matter by how many other ways it can be reached, or whether it was prepared before signing.

// role is what a rule has read an object as.
type role uint8

const (
	catalogRole role = iota + 1
	formRole
	pagesRole
	pageRole
	fieldRole
	structureRole
	elementRole
	otherRole // something that only its rule may refer to
)

// identity lists the keys under which catalog, pages and fields are only named, not used: a change of what they are is judged
// where they are used.
var identity = setOf("P", "Pg", "Page", "Parent", "Kids", "Obj", "T", "Fields", "CO", "D", "Dest", "Dests", "Names", "Nums", "K", "Annots", "Data",
	"OpenAction", "Popup", "IRT")

// delta is one such difference, while it is judged.
type delta struct {
	d        *document
	old, new int
	memo     map[int]bool // whether an object changed
	roles    map[int]role
	allowed  map[int]bool // changed objects that a rule has seen
	queue    []site       // what must be as it was
	denied   error

	names   map[string]bool // of all fields before
	widgets map[int]*widget // of new signature fields
	notes   map[int]bool    // new annotations of harmless kinds; true once they stand on a page
	signed  []sealField     // fields that got their signature
	filled  []string        // names of fields that were filled
	painted []string        // names of fields that look otherwise
	valued  map[string]bool // names of fields that have another value
	grown   bool            // new fields, signed or not
	styled  bool            // what fields are drawn with has grown
	marked  bool            // new annotations of harmless kinds

	recertified bool // the catalog names another certification
}

// site is a value and the key under which it stands.
type site struct {
	value *value
	key   string
}

// widget is how a new signature field shows itself.
type widget struct {
	rect    [4]float64
	visible bool
	placed  bool // stands on a page
}

// compare judges the step from revision rev-1 to rev.
func (d *document) compare(rev int) *delta {
	x := &delta{d: d, old: rev - 1, new: rev, memo: map[int]bool{}, roles: map[int]role{}, allowed: map[int]bool{},
		names: map[string]bool{}, widgets: map[int]*widget{}, notes: map[int]bool{}, valued: map[string]bool{}}
	x.carriers()
	x.trailer()
	x.rest()
	x.orphans()
	return x
}

// deny notes the first thing that is not allowed.
func (x *delta) deny(format string, args ...any) {
	if x.denied == nil {
		x.denied = fmt.Errorf(format, args...)
	}
}

// step says whether a walk may go on.
func (x *delta) step() bool {
	if x.d.steps--; x.d.steps < 0 {
		x.d.fail(errLimit)
	}
	return x.d.bad == nil && x.denied == nil
}

// changed says whether the newer revision gives an object another content. What is written again as it was has not changed.
func (x *delta) changed(number int) bool {
	e, ok := x.d.revisions[x.new].entries[int32(number)]
	if !ok {
		return false
	}
	if known, ok := x.memo[number]; ok {
		return known
	}
	before, _, was := x.d.lookup(number, x.old)
	now := e.kind != freeEntry
	changed := was != now || was && e != before
	if changed && was && now {
		o, n := x.d.load(number, x.old), x.d.load(number, x.new)
		changed = o == nil || n == nil || e.gen != before.gen || o.isFlow != n.isFlow || !bytes.Equal(o.stream, n.stream) || !x.alike(&o.value, &n.value)
	}
	x.memo[number] = changed
	return changed
}

// alike says whether two values mean the same. Keys may stand in another order, and null is as good as absent.
func (x *delta) alike(a, b *value) bool {
	if !x.step() {
		return false
	}
	if a == b {
		return true
	}
	if a.kind != b.kind {
		return isNumber(a) && isNumber(b) && numberOf(a) == numberOf(b)
	}
	switch a.kind {
	case decimal:
		return bytes.Equal(a.s, b.s) || numberOf(a) == numberOf(b)
	case array:
		if len(a.items) != len(b.items) {
			return false
		}
		for i := range a.items {
			if !x.alike(&a.items[i], &b.items[i]) {
				return false
			}
		}
		return true
	case dictionary:
		for i := range a.pairs {
			if !x.alike(&a.pairs[i].value, b.get(a.pairs[i].key)) {
				return false
			}
		}
		for i := range b.pairs {
			if b.pairs[i].value.kind != null && !a.has(b.pairs[i].key) {
				return false
			}
		}
		return true
	}
	return a.n == b.n && a.gen == b.gen && bytes.Equal(a.s, b.s)
}

func isNumber(v *value) bool { return v.kind == integer || v.kind == decimal }

// numberOf gives a number's value; the syntax was checked when it was read.
func numberOf(v *value) float64 {
	if v.kind == integer {
		return float64(v.n)
	}
	f, _ := strconv.ParseFloat(string(v.s), 64) // its own error value, 0 or infinite, is as good
	return f
}

// carriers denies a new version of an object stream that older objects stand in: they would change with it unseen.
func (x *delta) carriers() {
	now := x.d.revisions[x.new].entries
	for k := 0; k <= x.old; k++ {
		for number := range x.d.revisions[k].carriers {
			if _, again := now[number]; again && x.changed(int(number)) {
				x.deny("object stream %d is written anew", number)
			}
		}
	}
}

// each gives the values of every key that one of two dictionaries has.
func each(o, n *value, do func(key string, o, n *value)) {
	for i := range n.pairs {
		do(n.pairs[i].key, o.get(n.pairs[i].key), &n.pairs[i].value)
	}
	for i := range o.pairs {
		if !n.has(o.pairs[i].key) {
			do(o.pairs[i].key, &o.pairs[i].value, &value{})
		}
	}
}

// same demands that a value is as it was, with everything behind it.
func (x *delta) same(key string, o, n *value) {
	if x.denied != nil {
		return
	}
	if !x.alike(o, n) {
		x.deny("/%s changed", key)
		return
	}
	x.queue = append(x.queue, site{n, key})
}

// take follows a reference that only the rule at hand may use, and allows what it leads to to be new.
func (x *delta) take(v *value, r role) *value {
	for range maxHops {
		if v.kind != reference {
			return v
		}
		it := x.takeItem(v, r)
		if it == nil {
			return &value{}
		}
		v = &it.value
	}
	x.d.fail(errLimit)
	return &value{}
}

func (x *delta) takeItem(v *value, r role) *item {
	number := int(v.n)
	if x.changed(number) {
		if old := x.roles[number]; old != 0 && old != r {
			x.deny("object %d is two things", number)
		}
		x.roles[number], x.allowed[number] = r, true
	}
	return x.d.load(number, x.new)
}

// before resolves a value in the older revision.
func (x *delta) before(v *value) *value { return x.d.resolve(v, x.old) }

// trailer compares the trailers: only those keys of it count that readers use.
func (x *delta) trailer() {
	o, n := &x.d.revisions[x.old].trailer, &x.d.revisions[x.new].trailer
	number, ok := refOf(n.get("Root"))
	if !ok || !x.alike(o.get("Root"), n.get("Root")) {
		x.deny("/Root changed")
		return
	}
	if size := n.get("Size"); size.kind != integer || int(size.n) < x.d.revisions[x.old].size {
		x.deny("/Size shrank")
	}
	x.catalog(number)
	x.information(x.before(o.get("Info")), x.take(n.get("Info"), otherRole))
	for i := range n.pairs {
		switch key := n.pairs[i].key; key {
		case "Root", "Info", "Size", "Prev", "XRefStm", "ID", "Type", "W", "Index", "Filter", "Length", "DecodeParms":
		default:
			x.same(key, o.get(key), &n.pairs[i].value)
		}
	}
}

// catalog compares the catalogs. Fields come before pages, because a page may show only what is a field by then.
func (x *delta) catalog(number int) {
	oi, ni := x.d.load(number, x.old), x.d.load(number, x.new)
	if oi == nil || ni == nil || oi.value.kind != dictionary || ni.value.kind != dictionary || ni.isFlow {
		x.deny("the catalog is gone")
		return
	}
	o, n := &oi.value, &ni.value
	x.roles[number], x.allowed[number] = catalogRole, true
	x.form(o.get("AcroForm"), n.get("AcroForm"))
	each(o, n, func(key string, o, n *value) {
		switch key {
		case "AcroForm", "StructTreeRoot":
		case "Pages":
			if !x.alike(o, n) || n.kind != reference {
				x.deny("/Pages changed")
				return
			}
			x.pages(int(n.n), 0)
		case "DSS":
			x.store(o, n)
		case "Extensions":
			x.extensions(x.before(o), x.take(n, otherRole))
		case "Metadata":
			x.metadata(o, n)
		case "Perms":
			if x.alike(o, n) || !x.certified(n) {
				x.same(key, o, n)
			}
		case "Version":
			if n.kind != name {
				x.deny("/Version changed")
			}
		default:
			x.same(key, o, n)
		}
	})
	x.structure(o.get("StructTreeRoot"), n.get("StructTreeRoot"))
	for _, w := range x.widgets {
		if w.visible && !w.placed {
			x.deny("a visible signature stands on no page")
		}
	}
}

// rest walks what must be as it was.
func (x *delta) rest() {
	visited := map[int]bool{}
	for len(x.queue) > 0 && x.step() {
		s := x.queue[len(x.queue)-1]
		x.queue = x.queue[:len(x.queue)-1]
		switch s.value.kind {
		case array:
			for i := range s.value.items {
				x.push(&s.value.items[i], s.key)
			}
		case dictionary:
			for i := range s.value.pairs {
				x.push(&s.value.pairs[i].value, s.value.pairs[i].key)
			}
		case reference:
			number := int(s.value.n)
			r := x.roles[number]
			named := r != 0 && r != otherRole && identity[s.key]
			if x.changed(number) && !named {
				x.deny("object %d changed, used as /%s", number, s.key)
				return
			}
			if named || visited[number] {
				continue
			}
			visited[number] = true
			it := x.d.look(number, x.new)
			if it == nil {
				continue
			}
			// The references alone outlive the look.
			x.references(&it.value, s.key)
		}
	}
}

func (x *delta) push(v *value, key string) {
	if v.kind == reference || v.kind == array || v.kind == dictionary {
		x.queue = append(x.queue, site{v, key})
	}
}

// references queues copies of all references in a value.
func (x *delta) references(v *value, key string) {
	switch v.kind {
	case reference:
		x.queue = append(x.queue, site{&value{kind: reference, n: v.n, gen: v.gen}, key})
	case array:
		for i := range v.items {
			x.references(&v.items[i], key)
		}
	case dictionary:
		for i := range v.pairs {
			x.references(&v.pairs[i].value, v.pairs[i].key)
		}
	}
}

// orphans denies new objects that nothing refers to: they cannot be seen now, and would be there to be switched in.
func (x *delta) orphans() {
	s := x.d.revisions[x.new]
	idle := true
	for number, e := range s.entries {
		if e.kind == freeEntry || !x.changed(int(number)) {
			continue
		}
		if x.allowed[int(number)] {
			idle = false
			continue
		}
		if s.carriers[number] {
			continue
		}
		if number == s.stream || x.isXref(int(number)) {
			continue
		}
		if it := x.d.load(int(number), x.new); it != nil && x.isLeftover(it, int(number)) {
			continue
		}
		x.deny("object %d: nothing refers to it", number)
	}
	if idle {
		x.deny("an update that does nothing")
	}
}

// isLeftover says whether an object is what some writers leave behind: nothing, or, where they drew a field, a draft of it or of its
// resources, which is no drawing by itself.
func (x *delta) isLeftover(it *item, number int) bool {
	_, _, was := x.d.lookup(number, x.old)
	drawn := !was && len(x.filled) > 0
	if !it.isFlow {
		return isBlank(&it.value) || drawn && it.value.kind == dictionary && onlyKeys(&it.value, "Font", "ProcSet", "XObject", "ExtGState", "ColorSpace")
	}
	return drawn && onlyKeys(&it.value, "Length", "Filter") && it.value.get("Length").kind == integer
}

// isBlank says whether a value is of those that some writers leave behind: nothing in it, or a font without a name.
func isBlank(v *value) bool {
	switch v.kind {
	case null:
		return true
	case array:
		return len(v.items) == 0
	case dictionary:
		return len(v.pairs) == 0 || len(v.pairs) == 1 && v.get("Type").isName("Font")
	}
	return false
}

// isXref says whether an object is a cross-reference stream, which nothing refers to by its number.
func (x *delta) isXref(number int) bool {
	it := x.d.load(number, x.new)
	return it != nil && it.isFlow && it.value.get("Type").isName("XRef")
}
