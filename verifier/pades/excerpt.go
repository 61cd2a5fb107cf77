package pades

import (
	"bytes"
	"encoding/hex"
	"time"
)

// signature is where a file of ours has its signature.
type signature struct {
	from, to int    // the gap of the ByteRange, which is /Contents with its < and >
	contents []byte // DER, and zeros up to the end of the room
}

// readExcerpt says whether the file is built as our signer builds it: the update changes catalog and first page by exactly one
// entry each, and adds exactly the signature, its field, and the document information that the original had in its trailer.
func readExcerpt(f *file) (*signature, bool) {
	base, up := f.base, f.update
	root, ok := refOf(base.trailer.get("Root"))
	if !ok || !up.trailer.get("Root").isRef(root) {
		return nil, false
	}
	oldCatalog, oldPage, page, ok := firstPage(base, root)
	if !ok {
		return nil, false
	}
	sig, widget, count := base.size, base.size+1, 4
	infoNow := up.trailer.get("Info")
	if info := base.trailer.get("Info"); info.kind == dictionary {
		o := up.object(base.size + 2)
		if o == nil || !infoNow.isRef(base.size+2) || !same(&o.value, info) {
			return nil, false
		}
		count++
	} else if !same(info, infoNow) {
		return nil, false
	}
	if len(up.objects) != count || up.size != base.size+count-2 || !onlyKeys(&up.trailer, "Size", "Root", "Info", "Prev", "ID") {
		return nil, false
	}
	for _, o := range up.objects {
		if o.stream != nil {
			return nil, false
		}
	}

	catalog, pageNow, sigObject, widgetObject := up.object(root), up.object(page), up.object(sig), up.object(widget)
	if catalog == nil || pageNow == nil || sigObject == nil || widgetObject == nil {
		return nil, false
	}
	if !extends(&catalog.value, oldCatalog, "AcroForm", "Perms") || !extends(&pageNow.value, oldPage, "Annots") {
		return nil, false
	}
	form, perms, annots := catalog.value.get("AcroForm"), catalog.value.get("Perms"), pageNow.value.get("Annots")
	if !onlyKeys(form, "Fields", "SigFlags") || !oneRef(form.get("Fields"), widget) || !form.get("SigFlags").isInt(3) ||
		!onlyKeys(perms, "DocMDP") || !perms.get("DocMDP").isRef(sig) || !oneRef(annots, widget) {
		return nil, false
	}
	if !isField(&widgetObject.value, sig, page) {
		return nil, false
	}
	return readSignature(f.src[:up.to], &sigObject.value)
}

// firstPage finds catalog and first page of the original.
func firstPage(base *revision, root int) (catalog, page *value, number int, ok bool) {
	o := base.object(root)
	if o == nil || !o.value.get("Type").isName("Catalog") || o.value.has("AcroForm") || o.value.has("Perms") {
		return nil, nil, 0, false
	}
	catalog = &o.value
	pages, ok := refOf(catalog.get("Pages"))
	if !ok {
		return nil, nil, 0, false
	}
	if o = base.object(pages); o == nil || !o.value.get("Type").isName("Pages") {
		return nil, nil, 0, false
	}
	kids := o.value.get("Kids")
	if len(kids.items) == 0 {
		return nil, nil, 0, false
	}
	if number, ok = refOf(&kids.items[0]); !ok {
		return nil, nil, 0, false
	}
	if o = base.object(number); o == nil || !o.value.get("Type").isName("Page") || o.value.has("Annots") {
		return nil, nil, 0, false
	}
	return catalog, &o.value, number, true
}

func refOf(v *value) (int, bool) { return int(v.n), v.kind == reference }

func oneRef(v *value, number int) bool {
	return v.kind == array && len(v.items) == 1 && v.items[0].isRef(number)
}

// onlyKeys says whether a value is a dictionary that has none but these keys.
func onlyKeys(v *value, keys ...string) bool {
	if v.kind != dictionary {
		return false
	}
next:
	for i := range v.pairs {
		for _, k := range keys {
			if v.pairs[i].key == k {
				continue next
			}
		}
		return false
	}
	return true
}

// extends says whether now is before with exactly these keys added at its end, in this order.
func extends(now, before *value, keys ...string) bool {
	if now.kind != dictionary || len(now.pairs) != len(before.pairs)+len(keys) {
		return false
	}
	head := value{kind: dictionary, pairs: now.pairs[:len(before.pairs)]}
	if !same(&head, before) {
		return false
	}
	for i, k := range keys {
		if now.pairs[len(before.pairs)+i].key != k {
			return false
		}
	}
	return true
}

// isField says whether v is the invisible field of the signature, merged with its widget.
func isField(v *value, sig, page int) bool {
	rect := v.get("Rect")
	if !onlyKeys(v, "Type", "Subtype", "FT", "T", "V", "P", "Rect", "F") || rect.kind != array || len(rect.items) != 4 {
		return false
	}
	for i := range rect.items {
		if !rect.items[i].isInt(0) {
			return false
		}
	}
	return v.get("Type").isName("Annot") && v.get("Subtype").isName("Widget") && v.get("FT").isName("Sig") &&
		v.get("V").isRef(sig) && v.get("P").isRef(page) && v.get("T").kind == text && v.get("F").isInt(132)
}

// readSignature reads the signature's dictionary. src ends where the update that holds it ends, as the file did when it was
// signed; the ByteRange must be four numbers that cover all of it but for exactly the string that is /Contents of this dictionary.
func readSignature(src []byte, v *value) (*signature, bool) {
	if !onlyKeys(v, "Type", "Filter", "SubFilter", "M", "Name", "Reason", "Location", "Reference", "ByteRange", "Contents") ||
		!v.get("Type").isName("Sig") || !v.get("Filter").isName("Adobe.PPKLite") || !v.get("SubFilter").isName("ETSI.CAdES.detached") ||
		!isDocMDP(v.get("Reference")) {
		return nil, false
	}
	for _, key := range []string{"Name", "Reason", "Location"} {
		if v.has(key) && v.get(key).kind != text {
			return nil, false
		}
	}
	// The time that the signer claims; what counts is the time stamp.
	if _, err := time.Parse("D:20060102150405Z", string(v.get("M").s)); err != nil || v.get("M").kind != text {
		return nil, false
	}
	return readContents(src, v)
}

// readContents reads /ByteRange and /Contents of a signature's dictionary.
func readContents(src []byte, v *value) (*signature, bool) {
	contents := v.get("Contents")
	if contents.kind != text {
		return nil, false
	}
	from, to := int(contents.at), int(contents.to)
	der, ok := lowerHex(src[from:to])
	if !ok {
		return nil, false
	}
	b := v.get("ByteRange")
	if b.kind != array || len(b.items) != 4 {
		return nil, false
	}
	for i, want := range [4]int{0, from, to, len(src) - to} {
		if !b.items[i].isInt(want) {
			return nil, false
		}
	}
	return &signature{from: from, to: to, contents: der}, true
}

// isDocMDP says whether the signature certifies the file and allows no change (ISO 32000-1, 12.8.2.2, P 1).
func isDocMDP(v *value) bool {
	if v.kind != array || len(v.items) != 1 {
		return false
	}
	ref := &v.items[0]
	params := ref.get("TransformParams")
	return onlyKeys(ref, "Type", "TransformMethod", "TransformParams") && ref.get("Type").isName("SigRef") &&
		ref.get("TransformMethod").isName("DocMDP") && onlyKeys(params, "Type", "P", "V") &&
		params.get("Type").isName("TransformParams") && params.get("P").isInt(1) && params.get("V").isName("1.2")
}

// lowerHex decodes <…> written in lower-case digits without white space. The string is the one part of the file that
// the signature does not cover, so it may be written in one way only.
func lowerHex(s []byte) ([]byte, bool) {
	if len(s) < 4 || len(s)%2 != 0 || s[0] != '<' || s[len(s)-1] != '>' {
		return nil, false
	}
	s = s[1 : len(s)-1]
	if bytes.ContainsAny(s, "ABCDEF") {
		return nil, false
	}
	out := make([]byte, len(s)/2)
	if _, err := hex.Decode(out, s); err != nil {
		return nil, false
	}
	return out, true
}
