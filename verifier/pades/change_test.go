package pades_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/verifier/pades"
)

// The attacks that were published on signed PDFs (incremental saving, shadow, evil annotation, sneaky signature), and what else could be
// changed behind a signature. Each is written with right offsets, tables and trailers, on a file that allows much (DocMDP 2 and 3, and
// nothing said) and on one of ours; each must come out altered or broken.
func TestNothingElseMayFollow(t *testing.T) {
	w := newWorld(t)
	page := func(f []byte, old, new string) []byte { return increment(f, edited(f, 5, old, new)) }
	catalog := func(f []byte, keys string) []byte { return increment(f, edited(f, 1, "/AcroForm", keys+"/AcroForm")) }
	annotation := func(f []byte, body string) []byte {
		return increment(f, forgedObject{33, "<</Type/Annot/P 5 0 R" + body + ">>"}, edited(f, 5, "24 0 R]", "24 0 R 33 0 R]"))
	}
	text := stream(40, "", "BT /F1 40 Tf 50 500 Td (III) Tj ET")
	attacks := map[string]func(f []byte) []byte{
		// Incremental saving.
		"another content":       func(f []byte) []byte { return increment(f, edited(f, 5, "11 0 R", "40 0 R"), text) },
		"more content":          func(f []byte) []byte { return increment(f, edited(f, 5, "11 0 R", "[11 0 R 40 0 R]"), text) },
		"the content redefined": func(f []byte) []byte { return increment(f, stream(11, "", "q Q")) },
		"the content freed":     func(f []byte) []byte { return freed(f, 11) },
		"the page redefined":    func(f []byte) []byte { return page(f, "/Type /Page", "/Type /Page/Rotate 90") },
		"the page cropped":      func(f []byte) []byte { return page(f, "/Type /Page", "/Type /Page/CropBox[0 0 100 100]") },
		"a page with an action": func(f []byte) []byte { return page(f, "/Type /Page", "/Type /Page/AA<</O<</S/JavaScript/JS(1)>>>>") },
		"other resources":       func(f []byte) []byte { return page(f, "/Resources 4 0 R", "/Resources<<>>") },
		"resources redefined":   func(f []byte) []byte { return increment(f, forgedObject{4, "<<>>"}) },
		"another font":          func(f []byte) []byte { return increment(f, edited(f, 10, "/BaseFont", "/BaseFont/Evil/Was")) },
		"another font file":     func(f []byte) []byte { return increment(f, stream(7, "", "another")) },
		"another character map": func(f []byte) []byte { return increment(f, stream(6, "", "another")) },
		"another page tree": func(f []byte) []byte {
			return increment(f, edited(f, 1, "/Pages 2 0 R", "/Pages 41 0 R"), forgedObject{41, "<</Type/Pages/Count 1/Kids[5 0 R]>>"})
		},
		"a page more": func(f []byte) []byte {
			return increment(f, edited(f, 2, "5 0 R", "5 0 R 41 0 R"), forgedObject{41, "<</Type/Page/Parent 2 0 R>>"})
		},
		"a page twice":      func(f []byte) []byte { return increment(f, edited(f, 2, "5 0 R", "5 0 R 5 0 R")) },
		"no page":           func(f []byte) []byte { return increment(f, edited(f, 2, "5 0 R", "")) },
		"another media box": func(f []byte) []byte { return increment(f, edited(f, 2, "595.00", "100.00")) },
		"another root": func(f []byte) []byte {
			return incrementWith(f, "/Root 41 0 R/Info 14 0 R", forgedObject{41, body(f, 1)})
		},
		"the form dropped":          func(f []byte) []byte { return increment(f, forgedObject{1, "<</Type/Catalog/Pages 2 0 R>>"}) },
		"the form emptied":          func(f []byte) []byte { return increment(f, edited(f, 1, "Fields[13 0 R", "Fields[")) },
		"the certification dropped": func(f []byte) []byte { return increment(f, edited(f, 1, "/Perms <</DocMDP 12 0 R>>", "")) },
		"a form that draws itself": func(f []byte) []byte {
			return increment(f, edited(f, 1, "/SigFlags 3", "/SigFlags 3/NeedAppearances true"))
		},
		"an action at opening":      func(f []byte) []byte { return catalog(f, "/OpenAction<</S/JavaScript/JS(1)>>") },
		"an action of the document": func(f []byte) []byte { return catalog(f, "/AA<</WC<</S/JavaScript/JS(1)>>>>") },
		"scripts": func(f []byte) []byte {
			return catalog(f, "/Names<</JavaScript<</Names[(a)<</S/JavaScript/JS(1)>>]>>>>")
		},
		"attachments":                   func(f []byte) []byte { return catalog(f, "/Names<</EmbeddedFiles<</Names[]>>>>") },
		"layers":                        func(f []byte) []byte { return catalog(f, "/OCProperties<</OCGs[]/D<<>>>>") },
		"another reading order":         func(f []byte) []byte { return catalog(f, "/StructTreeRoot<</Type/StructTreeRoot>>") },
		"another language":              func(f []byte) []byte { return catalog(f, "/Lang(ru)") },
		"extensions that are something": func(f []byte) []byte { return catalog(f, "/Extensions<</ADBE 11 0 R>>") },
		"the subject": func(f []byte) []byte {
			return increment(f, forgedObject{14, strings.Replace(body(f, 14), "/Producer", "/Subject(7K2M-9QXA-4TRC-W8HN-R)/Producer", 1)})
		},
		"the title": func(f []byte) []byte {
			return increment(f, forgedObject{14, strings.Replace(body(f, 14), "/Title <FEFF", "/Title <FEFF0041", 1)})
		},
		"metadata that are a page's": func(f []byte) []byte {
			return increment(f, edited(f, 1, "/AcroForm", "/Metadata 11 0 R/AcroForm"), stream(11, "/Type/Metadata/Subtype/XML", "q Q"))
		},
		"an object that nothing needs":    func(f []byte) []byte { return increment(f, forgedObject{41, "<</Type/Page>>"}) },
		"the signature redefined":         func(f []byte) []byte { return increment(f, edited(f, 12, "/M(D:2026", "/M(D:2027")) },
		"the signature's field redefined": func(f []byte) []byte { return increment(f, edited(f, 13, "/F 132", "/F 4")) },
		"the signature's look":            func(f []byte) []byte { return increment(f, edited(f, 13, "/F 132", "/F 132/AP<</N 40 0 R>>"), text) },
		"the signature out of its field":  func(f []byte) []byte { return increment(f, edited(f, 13, "/V 12 0 R", "")) },
		"the field renamed":               func(f []byte) []byte { return increment(f, edited(f, 13, "/T(Tesdiq)", "/T(Other)")) },
		"the signature copied": func(f []byte) []byte {
			return increment(f, forgedObject{41, body(f, 12)}, forgedObject{42, strings.Replace(body(f, 13), "/T(Tesdiq)/V 12", "/T(Copy)/V 41", 1)}, edited(f, 1, "Fields[", "Fields[42 0 R "))
		},
		"the signature copied and the page changed": func(f []byte) []byte {
			return increment(f, forgedObject{12, body(f, 12)}, edited(f, 5, "11 0 R", "40 0 R"), text)
		},
		"a store and a page": func(f []byte) []byte { return store(f, [][]byte{w.set.CA.Raw}, nil, nil, stream(11, "", "q Q")) },
		"a store that is the content": func(f []byte) []byte {
			return increment(f, edited(f, 1, "/AcroForm", "/DSS<</Certs[11 0 R]>>/AcroForm"), stream(11, "", "q Q"))
		},
		"a store with a script": func(f []byte) []byte { return catalog(f, "/DSS<</Certs[]/JS(1)>>") },
		"a time stamp and a page": func(f []byte) []byte {
			return w.stampDocument(increment(f, stream(11, "", "q Q")), 50, now, "0 0 0 0", nil)
		},
		"a time stamp that is seen": func(f []byte) []byte { return w.stampDocument(f, 50, now, "0 0 595 842", nil) },
		"a time stamp over something else": func(f []byte) []byte {
			return flip(w.stampDocument(f, 50, now, "0 0 0 0", nil), len(f)+40)
		},
		"changed and changed back": func(f []byte) []byte {
			return increment(increment(f, stream(11, "", "q Q")), forgedObject{11, body(f, 11)})
		},
		"an object stream": func(f []byte) []byte {
			return increment(f, stream(41, "/Type/ObjStm/N 1/First 4", "5 0 <</Type/Page>>"))
		},
		"a hybrid that says otherwise": func(f []byte) []byte {
			file := increment(f, stream(41, "/Type/XRef/Size 42/W[1 4 2]/Index[11 1]/Root 1 0 R", "\x01\x00\x00\x00\x09\x00\x00"))
			at := bytes.LastIndex(file, []byte("\n41 0 obj")) + 1
			tail := bytes.Replace(file[len(f):], []byte("/Info 14 0 R/Prev"), fmt.Appendf(nil, "/Info 14 0 R/XRefStm %d/Prev", at), 1)
			return append(bytes.Clone(f), tail...)
		},
		"an empty update": func(f []byte) []byte { return increment(f) },
		"two updates in one": func(f []byte) []byte {
			return append(increment(f, stream(11, "", "q Q")), "startxref\n17\n%%EOF\n"...)
		},
		"objects without a table": func(f []byte) []byte {
			return append(bytes.Clone(f), "11 0 obj\n<</Length 0>>\nstream\n\nendstream\nendobj\n"...)
		},
		"a table that leads back": func(f []byte) []byte {
			return append(bytes.Clone(f), "xref\n0 0\ntrailer\n<</Size 25/Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF\n"...)
		},
		"another file behind":      func(f []byte) []byte { return append(bytes.Clone(f), w.page...) },
		"the first revision again": func(f []byte) []byte { return append(append(bytes.Clone(f), "%"...), w.page...) },
		"hidden before the table": func(f []byte) []byte {
			file := increment(f, forgedObject{14, strings.Replace(body(f, 14), "/Producer", "/ModDate(D:20261121120000Z)/Producer", 1)})
			at := bytes.LastIndex(file, []byte("xref\n14"))
			hidden := []byte("11 0 obj\n<</Length 0>>\nstream\n\nendstream\nendobj\n")
			out := append(append(bytes.Clone(file[:at]), hidden...), file[at:]...)
			return bytes.Replace(out, fmt.Appendf(nil, "startxref\n%d\n", at), fmt.Appendf(nil, "startxref\n%d\n", at+len(hidden)), 1)
		},

		// Evil annotations, and what else may stand on a page.
		"a free text": func(f []byte) []byte {
			return annotation(f, "/Subtype/FreeText/Rect[50 500 300 540]/Contents(III)/DA(/F1 40 Tf)")
		},
		"a stamp": func(f []byte) []byte {
			return increment(f, forgedObject{33, "<</Type/Annot/Subtype/Stamp/Rect[0 0 595 842]/AP<</N 40 0 R>>>>"}, edited(f, 5, "24 0 R]", "24 0 R 33 0 R]"), look(40))
		},
		"a redaction": func(f []byte) []byte { return annotation(f, "/Subtype/Redact/Rect[50 500 300 540]/OC[1 1 1]") },
		"a square":    func(f []byte) []byte { return annotation(f, "/Subtype/Square/Rect[50 500 300 540]/IC[1 1 1]") },
		"a line":      func(f []byte) []byte { return annotation(f, "/Subtype/Line/L[0 0 500 500]/Rect[0 0 500 500]") },
		"ink":         func(f []byte) []byte { return annotation(f, "/Subtype/Ink/InkList[[0 0 9 9]]/Rect[0 0 500 500]") },
		"a link": func(f []byte) []byte {
			return annotation(f, "/Subtype/Link/Rect[0 0 500 500]/A<</S/URI/URI(http://evil.example)>>")
		},
		"a file":                    func(f []byte) []byte { return annotation(f, "/Subtype/FileAttachment/Rect[0 0 9 9]/FS<</EF<<>>>>") },
		"a film":                    func(f []byte) []byte { return annotation(f, "/Subtype/Screen/Rect[0 0 500 500]") },
		"a note as large as a page": func(f []byte) []byte { return annotation(f, "/Subtype/Text/Rect[0 0 595 842]/Contents(x)") },
		"a note with an action":     func(f []byte) []byte { return annotation(f, "/Subtype/Text/Rect[0 0 9 9]/A<</S/JavaScript/JS(1)>>") },
		"a highlight that paints": func(f []byte) []byte {
			return increment(f, forgedObject{33, "<</Type/Annot/Subtype/Highlight/Rect[0 0 595 842]/AP<</N 40 0 R>>>>"}, edited(f, 5, "24 0 R]", "24 0 R 33 0 R]"), look(40))
		},
		"an annotation without object": func(f []byte) []byte { return page(f, "24 0 R]", "24 0 R<</Subtype/Text/Rect[0 0 9 9]>>]") },
		"an annotation gone":           func(f []byte) []byte { return page(f, " 24 0 R]", "]") },
		"an annotation hidden":         func(f []byte) []byte { return increment(f, edited(f, 24, "/F 4", "/F 2")) },
		"an annotation moved":          func(f []byte) []byte { return increment(f, edited(f, 24, "[200 300", "[100 300")) },
		"a prepared picture shown":     func(f []byte) []byte { return increment(f, edited(f, 24, "/F 4", "/F 4/AP<</N 21 0 R>>")) },

		// Fields.
		"a text field more": func(f []byte) []byte {
			return increment(f, forgedObject{41, "<</Type/Annot/Subtype/Widget/FT/Tx/T(New)/V(III)/P 5 0 R/Rect[50 500 300 540]>>"}, edited(f, 1, "Fields[", "Fields[41 0 R "), edited(f, 5, "24 0 R]", "24 0 R 41 0 R]"))
		},
		"a field on no list": func(f []byte) []byte {
			return annotation(f, "/Subtype/Widget/FT/Tx/T(New)/V(III)/Rect[50 500 300 540]")
		},
		"a field moved":           func(f []byte) []byte { return increment(f, edited(f, 15, "[50 50 200 70]", "[50 500 200 520]")) },
		"a field hidden":          func(f []byte) []byte { return increment(f, edited(f, 15, "/F 4", "/F 2")) },
		"a field of another kind": func(f []byte) []byte { return increment(f, edited(f, 15, "/FT/Tx", "/FT/Btn")) },
		"a field with an action": func(f []byte) []byte {
			return increment(f, edited(f, 15, "/F 4", "/F 4/AA<</K<</S/JavaScript/JS(1)>>>>"))
		},
		"a field that only looks":  func(f []byte) []byte { return increment(f, edited(f, 15, "/N 16 0 R", "/N 40 0 R"), look(40)) },
		"a field's look redefined": func(f []byte) []byte { return increment(f, look(16)) },
		"a field's font redefined": func(f []byte) []byte {
			return increment(f, edited(f, 15, "(Aysel)", "(Leyla)"), forgedObject{10, "<</Type/Font/Subtype/Type3>>"})
		},
		"a field whose look is the page's content": func(f []byte) []byte {
			return increment(f, edited(f, 15, "(Aysel)", "(Leyla)", "/N 16 0 R", "/N 11 0 R"), stream(11, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]", "q Q"))
		},
		"a field gone": func(f []byte) []byte { return increment(f, edited(f, 1, " 15 0 R", "")) },
		"a field with a child": func(f []byte) []byte {
			return increment(f, edited(f, 15, "/F 4", "/F 4/Kids[41 0 R]"), forgedObject{41, "<</Type/Annot/Subtype/Widget/Parent 15 0 R/Rect[0 500 500 600]>>"})
		},

		// Sneaky signatures.
		"an empty signature with a look": func(f []byte) []byte {
			return increment(f, forgedObject{41, "<</Type/Annot/Subtype/Widget/FT/Sig/T(New)/P 5 0 R/Rect[50 500 300 540]/F 4/AP<</N 40 0 R>>>>"}, look(40), edited(f, 1, "Fields[", "Fields[41 0 R "), edited(f, 5, "24 0 R]", "24 0 R 41 0 R]"))
		},
		"an empty signature with a background": func(f []byte) []byte {
			return increment(f, forgedObject{41, "<</Type/Annot/Subtype/Widget/FT/Sig/T(New)/P 5 0 R/Rect[50 500 300 540]/F 4/MK<</BG[1 1 1]>>>>"}, edited(f, 1, "Fields[", "Fields[41 0 R "), edited(f, 5, "24 0 R]", "24 0 R 41 0 R]"))
		},
		"the empty field gets a look": func(f []byte) []byte { return increment(f, edited(f, 18, "/F 4", "/F 4/AP<</N 40 0 R>>"), look(40)) },
		"the empty field gets rubbish": func(f []byte) []byte {
			return increment(f, edited(f, 18, "/F 4", "/F 4/AP<</N 40 0 R>>/V<</Type/Sig>>"), look(40))
		},
		"a signature over the page": func(f []byte) []byte { return w.signAgain(f, "", "/Rect[0 0 595 842]/F 132/AP<</N 32 0 R>>", look(32)) },
		"a signature over a word": func(f []byte) []byte {
			return w.signAgain(f, "", "/Rect[60 765 120 785]/F 132/AP<</N 32 0 R>>", look(32))
		},
		"a signature over a field": func(f []byte) []byte {
			return w.signAgain(f, "", "/Rect[60 40 120 60]/F 132/AP<</N 32 0 R>>", look(32))
		},
		"a signature over an annotation": func(f []byte) []byte {
			return w.signAgain(f, "", "/Rect[190 290 230 330]/F 132/AP<</N 32 0 R>>", look(32))
		},
		"a signature with an action": func(f []byte) []byte {
			return w.signAgain(f, "", "/Rect[0 0 0 0]/F 132/A<</S/URI/URI(http://evil.example)>>")
		},
		"a signature by another's name": func(f []byte) []byte {
			return bytes.Replace(w.signAgain(f, "", "/Rect[0 0 0 0]/F 132"), []byte("/T(Second)"), []byte("/T(Tesdiq)"), 1)
		},
		"a signature and a page": func(f []byte) []byte { return w.signAgain(f, "", "/Rect[0 0 0 0]/F 132", stream(11, "", "q Q")) },
		"another certification": func(f []byte) []byte {
			return w.signAgain(f, "", "/Rect[0 0 0 0]/F 132", edited(f, 1, "Fields[", "Fields[31 0 R ", "/DocMDP 12 0 R", "/DocMDP 30 0 R"))
		},
		"a signature after a change": func(f []byte) []byte {
			return w.signAgain(increment(f, stream(11, "", "q Q")), "", "/Rect[0 0 0 0]/F 132")
		},
		"a signature where the field was moved": func(f []byte) []byte {
			return bytes.Replace(w.signAgain(f, " ", ""), []byte("/Rect[300 50 400 90]"), []byte("/Rect[300 60 400 90]"), 2)
		},
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			for _, said := range []string{"", "/P 1", "/P 2", "/P 3"} {
				base := w.contract(said, "")
				if said == "" && strings.Contains(name, "certification") {
					continue // there is none
				}
				if said == "" || said == "/P 2" {
					judge(t, w, attack(base), false, said)
				}
				for _, roots := range []bool{true, false} {
					r := pades.Read(attack(base), nil)
					if roots {
						r = pades.Read(attack(base), w.roots)
					}
					t.Logf("DocMDP %q: %s, %s", said, r.Integrity, pades.Why(r))
					if r.Integrity != pades.Altered && r.Integrity != pades.Broken || r.Indication == pades.Passed || r.Signer != "" {
						t.Errorf("DocMDP %q: %+v", said, r)
					}
				}
			}
		})
	}
}

// freed writes an update that frees an object.
func freed(file []byte, number int) []byte {
	u := &forgedUpdate{trailer: fmt.Sprintf("<</Size %d/Root 1 0 R/Info 14 0 R/Prev %%d>>", sizeAfter(file, nil)),
		table: func(s string) string { return s + fmt.Sprintf("%d 1\n0000000000 00001 f \n", number) }}
	return u.write(nil, file)
}
