package pades

import "fmt"

// AttachmentName is the name of the one file that may be attached to an excerpt: what it states, signed for machines.
const AttachmentName = "statement.jws"

// Attachment gives the file that is attached to a file of ours, signed or not yet signed; nil if there is none. It judges
// nothing: whether the PDF is as it was signed says Read.
func Attachment(pdf []byte) ([]byte, error) {
	if len(pdf) > MaxSize {
		return nil, fmt.Errorf("pades: attachment: %w", errLimit)
	}
	f, err := readFile(pdf)
	if err != nil {
		return nil, fmt.Errorf("pades: attachment: %w", err)
	}
	data, _, ok := f.attachment()
	if !ok {
		return nil, fmt.Errorf("pades: attachment: %w", errSyntax)
	}
	return data, nil
}

// attachment finds the attached file by the two ways that readers take (ISO 19005-3, 6.8, and the name tree), which must
// lead to the same: one file, with one name, not packed. Of what it consists is returned too, by place in memory: there,
// and only there, the lint allows what it else forbids. Neither way there is right too.
func (f *file) attachment() (data []byte, parts map[*value]bool, ok bool) {
	catalog := f.resolve(f.trailer().get("Root"))
	if !catalog.has("AF") && !catalog.has("Names") {
		return nil, nil, true
	}
	associated, names := catalog.get("AF"), catalog.get("Names")
	files := names.get("EmbeddedFiles")
	leaf := files.get("Names")
	if associated.kind != array || len(associated.items) != 1 || !onlyKeys(names, "EmbeddedFiles") || !onlyKeys(files, "Names") ||
		leaf.kind != array || len(leaf.items) != 2 || string(leaf.items[0].s) != AttachmentName || leaf.items[0].kind != text {
		return nil, nil, false
	}
	number, isRef := refOf(&associated.items[0])
	if !isRef || !leaf.items[1].isRef(number) {
		return nil, nil, false
	}
	spec := f.resolve(&associated.items[0])
	ef := spec.get("EF")
	inside, isRef := refOf(ef.get("F"))
	if !isRef || !onlyKeys(spec, "Type", "F", "UF", "AFRelationship", "Desc", "EF") || !spec.get("Type").isName("Filespec") ||
		string(spec.get("F").s) != AttachmentName || string(spec.get("UF").s) != AttachmentName || !spec.get("AFRelationship").isName("Data") ||
		spec.get("Desc").kind != text || !onlyKeys(ef, "F", "UF") || !ef.get("UF").isRef(inside) {
		return nil, nil, false
	}
	o := f.object(inside)
	if o == nil || o.stream == nil || !onlyKeys(&o.value, "Type", "Subtype", "Params", "Length") || !o.value.get("Type").isName("EmbeddedFile") ||
		!o.value.get("Subtype").isName("application/jose") || !onlyKeys(o.value.get("Params"), "Size", "ModDate") || !o.value.get("Params").get("Size").isInt(len(o.stream)) {
		return nil, nil, false
	}
	return o.stream, map[*value]bool{catalog: true, names: true, files: true, spec: true, &o.value: true}, true
}
