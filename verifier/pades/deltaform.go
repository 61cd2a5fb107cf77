package pades

import (
	"bytes"
	"math"
	"slices"
)

// The rules for forms: which fields may be filled and signed, and which may be new.

// inherited is what a field has from the fields above it.
type inherited struct {
	name   string
	kind   string // /FT
	flags  int32  // /Ff
	signed bool   // had a signature before
	signs  bool   // gets one now
}

// Bits of /Ff and /F (ISO 32000-2, tables 227, 228, 167).
const (
	readOnlyField   = 1 << 0
	pushbuttonField = 1 << 16
	hiddenWidget    = 1 << 1
	noViewWidget    = 1 << 5
)

// form compares the interactive forms.
func (x *delta) form(o, n *value) {
	ov, nv := x.before(o), x.take(n, formRole)
	if nv.kind == null && ov.kind == null {
		return
	}
	if nv.kind != dictionary || ov.kind != dictionary && ov.kind != null {
		x.deny("the form is gone")
		return
	}
	if n.kind == reference && x.roles[int(n.n)] == 0 {
		x.roles[int(n.n)] = formRole
	}
	defer func() {
		// Fields that are drawn anew at each opening would be drawn in another font.
		if x.styled && x.before(ov.get("NeedAppearances")).isTrue() {
			x.deny("fields are drawn in another way")
		}
	}()
	each(ov, nv, func(key string, o, n *value) {
		switch key {
		case "Fields":
			x.fields(x.before(o), x.take(n, otherRole))
		case "SigFlags":
			if f := x.take(n, otherRole); f.kind != integer || f.n > 3 {
				x.deny("/SigFlags changed")
			}
		case "DR":
			x.resources(x.before(o), x.take(n, otherRole), 0)
		case "DA", "Q":
			if o.kind != null || n.kind != text && n.kind != integer {
				x.same(key, o, n)
			} else {
				x.styled = true
			}
		case "NeedAppearances":
			if n.kind != null && (n.kind != boolean || n.n != 0) {
				x.same(key, o, n)
			}
		default:
			x.same(key, o, n)
		}
	})
}

// resources lets fonts and the like be added for new fields; what is there stays as it is.
func (x *delta) resources(o, n *value, depth int) {
	if n.kind != dictionary || o.kind != dictionary && o.kind != null {
		if !x.alike(o, n) {
			x.deny("/DR changed")
		}
		return
	}
	each(o, n, func(key string, o, n *value) {
		switch ov, nv := x.before(o), n; {
		case o.kind == null:
			x.styled = true
			x.reach(n)
		case depth == 0 && ov.kind == dictionary:
			if nv = x.take(n, otherRole); nv.kind != dictionary {
				x.deny("/DR changed")
				return
			}
			if key == "XObject" { // how some writers keep the pictures of signatures; no field is drawn from here
				x.reach(nv)
				return
			}
			x.resources(ov, nv, 1)
		default:
			x.same(key, o, n)
		}
	})
}

// fields compares the lists of all fields: the old ones must be there, further ones must be signatures.
func (x *delta) fields(o, n *value) {
	if n.kind != array || o.kind != array && o.kind != null {
		x.deny("/Fields changed")
		return
	}
	old := map[int]bool{}
	for i := range o.items {
		if number, ok := refOf(&o.items[i]); ok {
			old[number] = true
			x.gatherNames(number, "", 0)
		}
	}
	found := 0
	for i := range n.items {
		number, ok := refOf(&n.items[i])
		switch {
		case !ok:
			x.deny("a field is no object")
		case old[number]:
			delete(old, number)
			found++
			x.field(number, inherited{}, 0)
		case x.roles[number] != 0:
			// twice in the list
		default:
			x.newField(number, 0, "")
		}
	}
	if len(old) != 0 {
		x.deny("a field is gone")
	}
	for _, painted := range x.painted { // a field looks otherwise only because it was filled
		if !x.valued[painted] {
			x.deny("field %q: looks otherwise and says the same", painted)
		}
	}
}

// gatherNames notes the names of all fields there were.
func (x *delta) gatherNames(number int, above string, depth int) {
	it := x.d.load(number, x.old)
	if it == nil || depth > maxFormTree || !x.step() {
		return
	}
	full := fieldName(above, it.value.get("T"))
	x.names[full] = true
	kids := x.before(it.value.get("Kids"))
	for i := range kids.items {
		if kid, ok := refOf(&kids.items[i]); ok {
			x.gatherNames(kid, full, depth+1)
		}
	}
}

// field compares a field, or a widget of it, with what it was.
func (x *delta) field(number int, above inherited, depth int) {
	if depth > maxFormTree || !x.step() || x.roles[number] == fieldRole {
		return
	}
	oi, ni := x.d.load(number, x.old), x.d.load(number, x.new)
	if oi == nil && ni == nil {
		return
	}
	if oi == nil || ni == nil || oi.value.kind != dictionary || ni.value.kind != dictionary || x.roles[number] != 0 {
		x.deny("field %d is gone", number)
		return
	}
	x.roles[number] = fieldRole
	if x.changed(number) {
		x.allowed[number] = true
	}
	o, n := &oi.value, &ni.value
	in := above
	in.name = fieldName(above.name, o.get("T"))
	if t := x.before(o.get("FT")); t.kind == name {
		in.kind = string(t.s)
	}
	if f := x.before(o.get("Ff")); f.kind == integer {
		in.flags = f.n
	}
	if in.kind == "Sig" {
		if x.before(o.get("V")).kind != null {
			in.signed = true
		} else if f, ok := x.d.sealOf(number, n, x.new); ok && !in.signed {
			in.signs = true
			f.name = in.name
			x.signed = append(x.signed, f)
			x.filled = append(x.filled, in.name)
			x.reach(n.get("V"))
		}
	}
	each(o, n, func(key string, o, n *value) { x.fieldKey(number, key, o, n, in, depth) })
}

// fieldKey compares one entry of a field.
func (x *delta) fieldKey(number int, key string, o, n *value, in inherited, depth int) {
	sig := in.kind == "Sig"
	fillable := !in.signed && (!sig || in.signs) && (in.kind != "Btn" || in.flags&pushbuttonField == 0)
	fill := func(ok bool) bool {
		switch hit := x.reach(n); {
		case x.alike(o, n) && !hit:
			x.queue = append(x.queue, site{n, key})
			return false
		case !fillable || !ok:
			x.deny("field %q: /%s changed", in.name, key)
			return false
		}
		x.filled = append(x.filled, in.name)
		return true
	}
	switch key {
	case "Kids":
		was, kids := x.before(o), x.take(n, otherRole)
		group := in.kind == "" && len(was.items) > 0 // holds fields, and is none
		if was.kind != kids.kind || len(kids.items) < len(was.items) || len(kids.items) > len(was.items) && !group {
			x.deny("field %q: /Kids changed", in.name)
			return
		}
		for i := range kids.items {
			kid, ok := refOf(&kids.items[i])
			switch {
			case i >= len(was.items) && ok:
				x.newField(kid, number, in.name)
			case i >= len(was.items) || !x.alike(&was.items[i], &kids.items[i]):
				x.deny("field %q: /Kids changed", in.name)
				return
			case ok:
				x.field(kid, in, depth+1)
			}
		}
	case "V":
		if sig && in.signs {
			return // the signature itself is read elsewhere
		}
		if fill(!sig) {
			x.valued[in.name] = true
		}
	case "AP":
		if fill(true) && !sig {
			x.painted = append(x.painted, in.name)
		}
	case "AS":
		if fill(!sig && n.kind == name) {
			x.valued[in.name] = true
		}
	case "I":
		fill(!sig)
	case "RV":
		fill(!sig && in.kind == "Tx")
	case "M":
		if in.signed || n.kind != text {
			x.same(key, o, n)
		}
	case "Ff":
		if in.signed || o.kind == integer && n.kind == integer && n.n != o.n|readOnlyField || o.kind == null && !n.isInt(readOnlyField) || o.kind != null && o.kind != integer {
			x.same(key, o, n)
		}
	case "F":
		if !in.signs || n.kind != integer || n.n&(hiddenWidget|noViewWidget) != 0 {
			x.same(key, o, n)
		}
	case "Rect":
		if (!in.signs || !isNowhere(n)) && !x.close(o, n) {
			x.same(key, o, n)
		}
	case "Lock": // whoever signs may allow less afterwards
		if !in.signs || o.kind != null {
			x.same(key, o, n)
		} else {
			x.reach(n)
		}
	case "DA", "MK":
		switch {
		case key == "MK" && x.close(without(o, n, "CA"), n): // a box that is ticked may lose its caption, which is for drawing it anew
		case !in.signs || key == "MK" && o.kind != null:
			x.same(key, o, n)
		default:
			x.reach(n)
		}
	case "BS", "Border":
		if !x.close(o, n) {
			x.same(key, o, n)
		}
	default:
		x.same(key, o, n)
	}
}

// rounding is by how much a program may write a number otherwise than another did, in points or parts of a colour.
const rounding = 0.01

// close says whether two values without references are the same but for rounding, as a browser writes what it read.
func (x *delta) close(o, n *value) bool {
	if !x.step() || isNumber(o) && isNumber(n) {
		return math.Abs(numberOf(o)-numberOf(n)) <= rounding
	}
	if o.kind != n.kind || o.kind == reference || len(o.items) != len(n.items) || len(o.pairs) != len(n.pairs) {
		return false
	}
	for i := range o.items {
		if !x.close(&o.items[i], &n.items[i]) {
			return false
		}
	}
	for i := range o.pairs {
		if !x.close(&o.pairs[i].value, n.get(o.pairs[i].key)) {
			return false
		}
	}
	return len(o.items)+len(o.pairs) > 0 || x.alike(o, n)
}

// without gives a dictionary without a key that another has not.
func without(o, n *value, key string) *value {
	if !o.has(key) || n.has(key) {
		return o
	}
	less := *o
	less.pairs = slices.DeleteFunc(slices.Clone(o.pairs), func(p pair) bool { return p.key == key })
	return &less
}

// isNowhere says whether a rectangle is without extent: a prepared field that is signed invisibly.
func isNowhere(v *value) bool {
	if v.kind != array || len(v.items) != 4 {
		return false
	}
	for i := range v.items {
		if !isNumber(&v.items[i]) || numberOf(&v.items[i]) != 0 {
			return false
		}
	}
	return true
}

// reach allows what a value leads to to be new, if nothing that must stay leads there too, and says whether something is new.
func (x *delta) reach(v *value) bool {
	hit := false
	visited := map[int]bool{}
	list := []*value{v}
	for len(list) > 0 && x.step() {
		v := list[len(list)-1]
		list = list[:len(list)-1]
		switch v.kind {
		case array:
			for i := range v.items {
				list = append(list, &v.items[i])
			}
		case dictionary:
			for i := range v.pairs {
				list = append(list, &v.pairs[i].value)
			}
		case reference:
			number := int(v.n)
			if visited[number] {
				continue
			}
			visited[number] = true
			if r := x.roles[number]; r != 0 && r != otherRole {
				continue
			}
			it := x.d.load(number, x.new)
			if it == nil {
				continue
			}
			if x.changed(number) {
				if t := it.value.get("Type"); t.isName("Page") || t.isName("Pages") || t.isName("Catalog") {
					x.deny("object %d is a page", number)
					return true
				}
				hit = true
				x.allowed[number] = true
				if x.roles[number] == 0 {
					x.roles[number] = otherRole
				}
			}
			list = append(list, &it.value)
		}
	}
	return hit
}

// newFieldKeys are what a new signature field may have.
var newFieldKeys = []string{"Type", "Subtype", "FT", "T", "TU", "TM", "V", "P", "Rect", "F", "Ff", "AP", "AS", "Lock", "SV", "DA", "MK", "BS", "Border", "NM", "M",
	"Kids", "StructParent", "DR", "Q", "H", "Parent", "DV"}

// newField allows a new field that is a signature. One that shows something must be signed: an empty field with an appearance is
// a picture on the page that nobody vouches for (the sneaky signature attack).
// parent is the field above it, 0 if it stands in the form's list, and above its name.
func (x *delta) newField(number, parent int, above string) {
	it := x.d.load(number, x.new)
	if it == nil || it.value.kind != dictionary || it.isFlow || !x.changed(number) || x.d.load(number, x.old) != nil {
		x.deny("field %d is not new", number)
		return
	}
	v := &it.value
	title := v.get("T")
	full := fieldName(above, title)
	if !onlyKeys(v, newFieldKeys...) || !v.get("FT").isName("Sig") || title.kind != text || x.names[full] ||
		v.has("Parent") != (parent != 0) || parent != 0 && !v.get("Parent").isRef(parent) ||
		v.has("DV") && !same(v.get("DV"), v.get("V")) { // LibreOffice says it twice
		x.deny("field %d is not a new signature", number)
		return
	}
	x.names[full] = true
	x.roles[number], x.allowed[number] = fieldRole, true
	x.grown = true
	f, signed := x.d.sealOf(number, v, x.new)
	if signed {
		f.name = full
		x.signed = append(x.signed, f)
		x.reach(v.get("V"))
	}
	kids := x.take(v.get("Kids"), otherRole)
	switch {
	case kids.kind == null:
		x.newWidget(number, v, signed)
	case kids.kind == array && len(kids.items) == 1 && kids.items[0].kind == reference && !v.has("Rect"):
		kid := int(kids.items[0].n)
		w := x.d.load(kid, x.new)
		if w == nil || !x.changed(kid) || x.d.load(kid, x.old) != nil || !onlyKeys(&w.value, newFieldKeys...) || w.value.has("Parent") && !w.value.get("Parent").isRef(number) ||
			w.value.has("T") || w.value.has("V") || w.value.has("Kids") {
			x.deny("field %d has another's widget", number)
			return
		}
		x.roles[kid], x.allowed[kid] = fieldRole, true
		x.newWidget(kid, &w.value, signed)
	default:
		x.deny("field %d has more than one widget", number)
	}
	for _, key := range []string{"Lock", "SV", "DR"} {
		x.reach(v.get(key))
	}
}

// isEmptyLook says whether an appearance paints nothing.
func (x *delta) isEmptyLook(v *value) bool {
	states := x.d.resolve(v, x.new)
	for i := range states.pairs {
		number, ok := refOf(&states.pairs[i].value)
		it := x.d.load(number, x.new)
		if !ok || it == nil || !it.isFlow {
			return false
		}
		content, ok := (&painter{d: x.d, rev: x.new}).decode(it)
		if !ok || len(bytes.TrimSpace(content)) > 0 {
			return false
		}
	}
	return states.kind == dictionary || states.kind == null
}

// newWidget notes how a new field shows itself.
func (x *delta) newWidget(number int, v *value, signed bool) {
	w := &widget{}
	rect := x.take(v.get("Rect"), otherRole)
	if rect.kind == array && len(rect.items) == 4 {
		for i := range rect.items {
			w.rect[i] = numberOf(&rect.items[i])
		}
	} else if rect.kind != null {
		x.deny("field %d has no place", number)
	}
	flags := x.take(v.get("F"), otherRole)
	area := w.rect[0] != w.rect[2] && w.rect[1] != w.rect[3]
	w.visible = area && flags.n&(hiddenWidget|noViewWidget) == 0
	if w.visible && !signed && (len(x.d.resolve(v.get("MK"), x.new).pairs) > 0 || !x.isEmptyLook(v.get("AP"))) {
		x.deny("field %d shows something and is not signed", number)
	}
	for _, key := range []string{"AP", "MK", "BS"} {
		x.reach(v.get(key))
	}
	x.same("P", v.get("P"), v.get("P"))
	x.widgets[number] = w
}
