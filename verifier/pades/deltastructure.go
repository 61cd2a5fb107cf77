package pades

// The rules for the structure of a tagged document (ISO 32000-2, 14.7), by which a screen reader says what stands on the pages. Whoever
// adds a field or a note adds an element that names it, behind the others of a group, and its line in the parent tree. Nothing
// else may come, and what was there stays: its order, its roles, and every word that is said in place of the page's.

const maxStructure = 200 // elements in each other

// tagging is what a step adds to the structure.
type tagging struct {
	roles *value      // the role map as it was
	named map[int]int // new annotations, and the element that names each
}

// structure compares the structure trees. It comes after fields and pages, for which new elements may be.
func (x *delta) structure(o, n *value) {
	number, ok := refOf(n)
	if !ok || !x.alike(o, n) || !x.retagged(number) {
		x.same("StructTreeRoot", o, n)
		return
	}
	oi, ni := x.d.load(number, x.old), x.d.load(number, x.new)
	if oi == nil || ni == nil || oi.value.kind != dictionary || ni.value.kind != dictionary || ni.isFlow || x.roles[number] != 0 {
		x.deny("the structure is gone")
		return
	}
	x.roles[number], x.allowed[number] = structureRole, true
	t := &tagging{roles: x.before(oi.value.get("RoleMap")), named: map[int]int{}}
	x.elements(t, number, true, oi.value.get("K"), ni.value.get("K"), 0)
	each(&oi.value, &ni.value, func(key string, o, n *value) {
		switch key {
		case "K":
		case "ParentTree":
			x.parents(t, o, n)
		case "ParentTreeNextKey":
			if n.kind != integer || o.kind != null && (o.kind != integer || n.n < o.n) {
				x.deny("/ParentTreeNextKey changed")
			}
		case "RoleMap", "ClassMap":
			if o.kind != null || n.kind != dictionary || len(n.pairs) > 0 { // some writers add an empty one
				x.same(key, o, n)
			}
		default:
			x.same(key, o, n)
		}
	})
}

// retagged says whether a step writes anything of the structure anew.
func (x *delta) retagged(root int) bool {
	for number, e := range x.d.revisions[x.new].entries {
		if e.kind == freeEntry || !x.changed(int(number)) {
			continue
		}
		it := x.d.load(int(number), x.new)
		if int(number) == root || it != nil && it.value.kind == dictionary && isElement(&it.value) {
			return true
		}
	}
	return false
}

// isElement says whether a dictionary is a structure element, whose /Type may be absent.
func isElement(v *value) bool {
	t := v.get("Type")
	return t.isName("StructElem") || t.kind == null && v.get("S").kind == name && v.get("P").kind == reference
}

// standard gives the standard type that a type of structure stands for.
func (x *delta) standard(t *tagging, s *value) string {
	for range maxHops {
		mapped := x.before(t.roles.get(string(s.s)))
		if s.kind != name || mapped.kind != name || string(mapped.s) == string(s.s) {
			break
		}
		s = mapped
	}
	return string(s.s)
}

// groups are the types of elements behind whose last kid another one says nothing else about the others. A cell at the end of a row is
// not so, nor a word at the end of a paragraph.
var groups = setOf("Document", "DocumentFragment", "Part", "Art", "Sect", "Div", "NonStruct")

// kids gives /K of an element as a list, as of the newer revision if it is to be taken.
func (x *delta) kids(v *value, take bool) []value {
	list := x.before(v)
	if take {
		if list = x.d.resolve(v, x.new); list.kind == array {
			list = x.take(v, otherRole)
		}
	}
	switch {
	case list.kind == array:
		return list.items
	case v.kind == null:
		return nil
	}
	return []value{*v}
}

// elements compares the kids of an element or of the root: the old ones first, in their order, then new ones.
func (x *delta) elements(t *tagging, parent int, group bool, o, n *value, depth int) {
	before, now := x.kids(o, false), x.kids(n, true)
	if len(now) < len(before) || len(now) > len(before) && !group {
		x.deny("the structure changed at %d", parent)
		return
	}
	for i := range now {
		if i >= len(before) {
			x.newElement(t, parent, &now[i])
			continue
		}
		if !x.alike(&before[i], &now[i]) {
			x.deny("the structure changed at %d", parent)
			return
		}
		if number, ok := refOf(&now[i]); ok {
			if it := x.d.load(number, x.old); it != nil && isElement(&it.value) {
				x.elementAt(t, number, depth+1)
				continue
			}
		}
		x.queue = append(x.queue, site{&now[i], "K"})
	}
}

// elementAt compares an element with what it was.
func (x *delta) elementAt(t *tagging, number, depth int) {
	if !x.step() || x.roles[number] == elementRole {
		return
	}
	if depth > maxStructure {
		x.d.fail(errLimit)
		return
	}
	oi, ni := x.d.load(number, x.old), x.d.load(number, x.new)
	if oi == nil || ni == nil || ni.value.kind != dictionary || ni.isFlow || x.roles[number] != 0 {
		x.deny("the structure changed at %d", number)
		return
	}
	x.roles[number] = elementRole
	if x.changed(number) {
		x.allowed[number] = true
	}
	each(&oi.value, &ni.value, func(key string, o, n *value) {
		switch {
		case key == "K":
			x.elements(t, number, groups[x.standard(t, oi.value.get("S"))], o, n, depth)
		case key == "Pg" && o.kind == null && x.onlyElements(x.kids(oi.value.get("K"), false)):
			x.onPage(n) // for what is new
		default:
			x.same(key, o, n)
		}
	})
}

// onlyElements says whether there are no marks among the kids, which would be on the page that their element names.
func (x *delta) onlyElements(kids []value) bool {
	for i := range kids {
		if kids[i].kind != reference || !isElement(x.before(&kids[i])) {
			return false
		}
	}
	return true
}

// newElement allows an element that names one new annotation and says nothing itself.
func (x *delta) newElement(t *tagging, parent int, v *value) {
	if x.d.resolve(v, x.new).get("Type").isName("OBJR") {
		x.nameNew(t, parent, v)
		return
	}
	number, ok := refOf(v)
	it := x.d.load(number, x.new)
	if !ok || it == nil || it.value.kind != dictionary || it.isFlow || !x.changed(number) || x.d.load(number, x.old) != nil || x.roles[number] != 0 {
		x.deny("element %d is not new", number)
		return
	}
	e := &it.value
	role := x.standard(t, e.get("S"))
	kids := x.kids(e.get("K"), true)
	if !onlyKeys(e, "Type", "S", "P", "K", "Pg", "NS") || !isElement(e) || role != "Form" && role != "Annot" || !e.get("P").isRef(parent) || len(kids) != 1 {
		x.deny("element %d says more than that there is a field", number)
		return
	}
	x.same("NS", e.get("NS"), e.get("NS"))
	x.onPage(e.get("Pg"))
	x.roles[number], x.allowed[number] = elementRole, true
	x.nameNew(t, number, &kids[0])
}

// nameNew allows an object reference to a new annotation as a kid of an element.
func (x *delta) nameNew(t *tagging, element int, v *value) {
	r := x.take(v, otherRole)
	annotation, ok := refOf(r.get("Obj"))
	_, note := x.notes[annotation]
	if !ok || !onlyKeys(r, "Type", "Obj", "Pg") || !r.get("Type").isName("OBJR") || x.widgets[annotation] == nil && !note || t.named[annotation] != 0 {
		x.deny("element %d is for nothing new", element)
		return
	}
	x.onPage(r.get("Pg"))
	t.named[annotation] = element
}

func (x *delta) onPage(page *value) {
	if at, ok := refOf(page); page.kind != null && (!ok || x.roles[at] != pageRole) {
		x.deny("an element is on no page")
	}
}

// parents compares the parent trees, however they are cut: each old line is there, and a new one leads from a new annotation to its
// element.
func (x *delta) parents(t *tagging, o, n *value) {
	before, now := map[int32]*value{}, map[int32]*value{}
	x.lines(before, o, false, 0)
	x.lines(now, n, true, 0)
	for key, was := range before {
		is := now[key]
		switch {
		case is == nil:
			x.deny("line %d of the parent tree is gone", key)
		case x.alike(was, is):
			x.queue = append(x.queue, site{is, "Nums"})
		default:
			w, list := x.before(was), x.take(is, otherRole)
			if w.kind != array || list.kind != array || !x.alike(w, list) {
				x.deny("line %d of the parent tree changed", key)
				continue
			}
			x.queue = append(x.queue, site{list, "Nums"})
		}
	}
	for key, is := range now {
		if before[key] != nil {
			continue
		}
		element, _ := refOf(is)
		named := false
		for annotation, by := range t.named {
			it := x.d.load(annotation, x.new)
			named = named || by == element && it != nil && it.value.get("StructParent").isInt(int(key))
		}
		if !named {
			x.deny("line %d of the parent tree is for nothing new", key)
		}
	}
}

// lines gathers a number tree (ISO 32000-2, 7.9.7).
func (x *delta) lines(found map[int32]*value, v *value, take bool, depth int) {
	resolve := x.before
	if take {
		resolve = func(v *value) *value { return x.take(v, otherRole) }
	}
	node := resolve(v)
	if node.kind == null && depth == 0 {
		return
	}
	if depth > maxFormTree {
		x.d.fail(errLimit)
		return
	}
	if !x.step() || node.kind != dictionary || take && !onlyKeys(node, "Type", "Kids", "Nums", "Limits") {
		x.deny("the parent tree changed")
		return
	}
	kids := resolve(node.get("Kids"))
	for i := range kids.items {
		x.lines(found, &kids.items[i], take, depth+1)
	}
	nums := resolve(node.get("Nums"))
	for i := 0; i+1 < len(nums.items); i += 2 {
		key := &nums.items[i]
		if key.kind != integer || take && found[key.n] != nil {
			x.deny("the parent tree changed")
			return
		}
		if found[key.n] == nil {
			found[key.n] = &nums.items[i+1]
		}
	}
	limits := resolve(node.get("Limits"))
	if take && limits.kind == array && len(nums.items) > 1 &&
		(len(limits.items) != 2 || !x.alike(&limits.items[0], &nums.items[0]) || !x.alike(&limits.items[1], &nums.items[len(nums.items)-2])) {
		x.deny("the parent tree changed")
	}
}
