package pades

import "math"

// The rules for pages, for the document security store, and for what describes a document without being shown.

const maxPageTree = 64

var pageBoxes = setOf("MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox")

// pages compares a node of the page tree.
func (x *delta) pages(number, depth int) {
	if !x.step() {
		return
	}
	if depth > maxPageTree {
		x.d.fail(errLimit)
		return
	}
	oi, ni := x.d.load(number, x.old), x.d.load(number, x.new)
	if oi == nil || ni == nil || ni.value.kind != dictionary || x.roles[number] != 0 {
		x.deny("the page tree changed at %d", number)
		return
	}
	o, n := &oi.value, &ni.value
	isPage := n.get("Type").isName("Page") || !n.has("Kids")
	x.roles[number] = pagesRole
	if isPage {
		x.roles[number] = pageRole
	}
	x.allowed[number] = true
	each(o, n, func(key string, o, n *value) {
		switch {
		case key == "Kids" && !isPage:
			was, kids := x.before(o), x.take(n, otherRole)
			if kids.kind != array || !x.alike(was, kids) {
				x.deny("the page tree changed at %d", number)
				return
			}
			for i := range kids.items {
				kid, ok := refOf(&kids.items[i])
				if !ok {
					x.deny("a page is no object")
					return
				}
				x.pages(kid, depth+1)
			}
		case key == "Annots" && isPage:
			x.annotations(number, x.before(o), x.take(n, otherRole))
		case key == "LastModified" && n.kind == text:
		case pageBoxes[key] && x.close(o, n):
		case key == "Tabs" && o.kind == null && n.kind == name:
		default:
			x.same(key, o, n)
		}
	})
}

// annotations compares what stands on a page: the old ones stay as they are, widgets of new signatures may come.
func (x *delta) annotations(page int, o, n *value) {
	if n.kind == null && o.kind == null {
		return
	}
	if n.kind != array || o.kind != array && o.kind != null {
		x.deny("page %d: its annotations are gone", page)
		return
	}
	at := 0
	for i := range n.items {
		v := &n.items[i]
		if at < len(o.items) && x.alike(&o.items[at], v) {
			at++
			x.queue = append(x.queue, site{v, "Annots"})
			continue
		}
		number, ok := refOf(v)
		if !ok {
			x.deny("page %d: a new annotation", page)
			return
		}
		if w := x.widgets[number]; w != nil && !w.placed {
			w.placed = true
			if w.visible && (!x.fits(w, page) || x.covers(w.rect, page)) {
				x.deny("page %d: a new signature covers it", page)
			}
			continue
		}
		if !x.harmless(number, page) {
			x.deny("page %d: a new annotation", page)
			return
		}
		x.notes[number], x.marked = true, true
	}
	if at != len(o.items) {
		x.deny("page %d: an annotation is gone", page)
	}
}

// maxCover is the part of a page that a new signature may cover.
const maxCover = 0.25

// fits says whether a widget is small against its page.
func (x *delta) fits(w *widget, page int) bool {
	box := x.inherited(page, "MediaBox")
	if box.kind != array || len(box.items) != 4 {
		return false
	}
	var b [4]float64
	for i := range box.items {
		b[i] = numberOf(x.d.resolve(&box.items[i], x.new))
	}
	area := math.Abs((b[2] - b[0]) * (b[3] - b[1]))
	return math.Abs((w.rect[2]-w.rect[0])*(w.rect[3]-w.rect[1])) <= maxCover*area
}

// inherited gives an attribute of a page that may stand above it (ISO 32000-2, 7.7.3.4).
func (x *delta) inherited(page int, key string) *value {
	for range maxPageTree {
		it := x.d.load(page, x.new)
		if it == nil {
			break
		}
		if v := it.value.get(key); v.kind != null {
			return x.d.resolve(v, x.new)
		}
		var ok bool
		if page, ok = refOf(it.value.get("Parent")); !ok {
			break
		}
	}
	return &value{}
}

// store reads the document security store (EN 319 142-1, 5.4.2). It may be written anew as its author likes: it is not shown, and what is in it
// proves itself.
func (x *delta) store(o, n *value) {
	dss := x.take(n, otherRole)
	if dss.kind != dictionary {
		x.deny("/DSS is gone")
		return
	}
	for i := range dss.pairs {
		v := &dss.pairs[i].value
		switch dss.pairs[i].key {
		case "Type":
		case "Certs", "OCSPs", "CRLs":
			x.proofs(v)
		case "VRI":
			vri := x.take(v, otherRole)
			if vri.kind != dictionary {
				x.deny("/VRI is no dictionary")
			}
			for j := range vri.pairs {
				if vri.pairs[j].key == "Type" {
					continue
				}
				one := x.take(&vri.pairs[j].value, otherRole)
				for k := range one.pairs {
					switch p := &one.pairs[k].value; one.pairs[k].key {
					case "Type":
					case "TU":
						if x.take(p, otherRole).kind != text {
							x.deny("/TU is no time")
						}
					case "TS":
						x.proof(p)
					case "Cert", "OCSP", "CRL":
						x.proofs(p)
					default:
						x.deny("/DSS has /%s", one.pairs[k].key)
					}
				}
			}
		default:
			x.deny("/DSS has /%s", dss.pairs[i].key)
		}
	}
}

func (x *delta) proofs(v *value) {
	list := x.take(v, otherRole)
	if list.kind != array {
		x.deny("/DSS has something else than proofs")
	}
	for i := range list.items {
		x.proof(&list.items[i])
	}
}

// proof reads a stream with a certificate, an OCSP answer, a CRL or a time stamp.
func (x *delta) proof(v *value) {
	if v.kind != reference || !x.step() {
		x.deny("/DSS has something else than proofs")
		return
	}
	it := x.takeItem(v, otherRole)
	if it == nil || !it.isFlow || !onlyKeys(&it.value, "Length", "Filter", "DecodeParms", "Type", "Subtype") {
		x.deny("/DSS has something else than proofs")
		return
	}
	x.take(it.value.get("Length"), otherRole)
}

// metadata allows the XMP packet to be written anew: it is not shown.
func (x *delta) metadata(o, n *value) {
	if n.kind != reference || !x.changed(int(n.n)) && x.alike(o, n) {
		x.same("Metadata", o, n)
		return
	}
	it := x.takeItem(n, otherRole)
	if it == nil || !it.isFlow || !it.value.get("Type").isName("Metadata") || !onlyKeys(&it.value, "Type", "Subtype", "Length", "Filter", "DecodeParms") {
		x.deny("/Metadata changed")
		return
	}
	x.take(it.value.get("Length"), otherRole)
}

// information lets whoever updates a file say so in its document information, and nothing else there.
func (x *delta) information(o, n *value) {
	if n.kind == null {
		return
	}
	if n.kind != dictionary {
		x.deny("/Info changed")
		return
	}
	_, catalog := x.d.root(x.new)
	described := catalog.has("Metadata") // since PDF 2.0 that says it, and some writers remove it here
	each(o, n, func(key string, o, n *value) {
		switch key {
		case "ModDate", "Producer":
			if v := x.take(n, otherRole); v.kind == text || v.kind == null {
				return
			}
		case "CreationDate", "Creator":
			if o.kind == null && n.kind == text {
				return
			}
		}
		ov, nv := x.before(o), x.take(n, otherRole)
		if ov.kind == text && nv.kind == text && textOf(ov) == textOf(nv) || (ov.kind == text || ov.kind == name) && nv.kind == null && described {
			return
		}
		if !x.alike(ov, nv) || nv.kind == dictionary || nv.kind == array {
			x.deny("/Info changed: /%s", key)
		}
	})
}

// extensions allows developers' extensions to be named: words and numbers.
func (x *delta) extensions(o, n *value) {
	if n.kind != dictionary {
		x.deny("/Extensions changed")
		return
	}
	each(o, n, func(key string, o, n *value) {
		ov := x.before(o)
		list := []value{*x.take(n, otherRole)}
		if list[0].kind == array {
			list = list[0].items
		}
		if ov.kind != null && n.kind == null {
			x.deny("/Extensions lost /%s", key)
		}
		for i := range list {
			one := x.take(&list[i], otherRole)
			if one.kind == name {
				continue
			}
			if !onlyKeys(one, "Type", "BaseVersion", "ExtensionLevel", "ExtensionRevision", "URL") {
				x.deny("/Extensions has something else at /%s", key)
			}
			for j := range one.pairs {
				if k := one.pairs[j].value.kind; k == array || k == dictionary || k == reference {
					x.deny("/Extensions has something else at /%s", key)
				}
			}
		}
	})
}

// certified allows the certification to be named anew by the signature that comes with this step, as some writers do with every signature. Whether
// the one that it replaces certified anything is for permit.
func (x *delta) certified(n *value) bool {
	perms := x.take(n, otherRole)
	number, ok := refOf(perms.get("DocMDP"))
	x.recertified = true
	return ok && onlyKeys(perms, "DocMDP") && len(x.signed) == 1 && x.signed[0].sig == number
}
