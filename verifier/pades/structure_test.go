package pades_test

import (
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/verifier/pades"
)

// taggedContract is a contract that says of its page what is a heading, a paragraph and a table's row. Its structure is at 50: root;
// 51: document; 52, 53: heading and paragraph; 54, 55: row and cell; 56: the parent tree, 57: what the page's marks stand for.
func (w *world) taggedContract(p string) []byte {
	return w.contractWith(p, "", func(u *forgedUpdate) {
		u.replace(1, "/AcroForm", "/StructTreeRoot 50 0 R/MarkInfo<</Marked true>>/AcroForm")
		u.replace(5, "/Type /Page", "/Type /Page/StructParents 0")
		u.objects = append(u.objects,
			forgedObject{50, "<</Type/StructTreeRoot/K 51 0 R/ParentTree 56 0 R/ParentTreeNextKey 1/RoleMap<</Chapter/Sect/Cell/TD>>>>"},
			forgedObject{51, "<</Type/StructElem/S/Document/P 50 0 R/K[52 0 R 53 0 R 54 0 R]>>"},
			forgedObject{52, "<</Type/StructElem/S/H1/P 51 0 R/Pg 5 0 R/K 0>>"},
			forgedObject{53, "<</Type/StructElem/S/P/P 51 0 R/Pg 5 0 R/K[1 2]>>"},
			forgedObject{54, "<</S/TR/P 51 0 R/K[55 0 R]>>"},
			forgedObject{55, "<</S/Cell/P 54 0 R/Pg 5 0 R/K[3]>>"},
			forgedObject{56, "<</Nums[0 57 0 R]>>"},
			forgedObject{57, "[52 0 R 53 0 R 53 0 R 55 0 R]"},
		)
		u.trailer = strings.Replace(u.trailer, "25", "58", 1)
	})
}

// tagAgain signs a tagged contract anew, in a new field that the structure names: element 60, by default behind the others of the document.
// change gets what is written of the structure, and may do better, or worse.
func (w *world) tagAgain(file []byte, change func(objects map[int]string)) []byte {
	objects := map[int]string{
		50: strings.Replace(body(file, 50), "Key 1", "Key 2", 1),
		51: strings.Replace(body(file, 51), "54 0 R]", "54 0 R 60 0 R]", 1),
		56: "<</Nums[0 57 0 R 1 60 0 R]>>",
		60: "<</Type/StructElem/S/Form/P 51 0 R/Pg 5 0 R/K<</Type/OBJR/Obj 31 0 R/Pg 5 0 R>>>>",
	}
	if change != nil {
		change(objects)
	}
	var more []forgedObject
	for number := range 80 {
		if text, ok := objects[number]; ok {
			more = append(more, forgedObject{number, text})
		}
	}
	return w.signAgain(file, "", "/Rect[0 0 0 0]/F 132/StructParent 1", more...)
}

func TestANewFieldMayBeNamedInTheStructure(t *testing.T) {
	w := newWorld(t)
	file := w.taggedContract("/P 2")
	if r := pades.Read(file, nil); r.Integrity != pades.Intact {
		t.Fatalf("%+v: %s", r, pades.Why(r))
	}
	for name, change := range map[string]func(o map[int]string){
		"behind the document's others": nil,
		"behind the document itself": func(o map[int]string) {
			delete(o, 51)
			o[50] = strings.Replace(o[50], "/K 51 0 R", "/K[51 0 R 60 0 R]", 1)
			o[60] = strings.Replace(o[60], "/P 51 0 R", "/P 50 0 R", 1)
		},
		"with an array of kids": func(o map[int]string) {
			o[60] = "<</S/Form/P 51 0 R/K[<</Type/OBJR/Obj 31 0 R>>]>>"
		},
		"the parent tree cut otherwise": func(o map[int]string) {
			o[56] = "<</Kids[61 0 R 62 0 R]>>"
			o[61] = "<</Limits[0 0]/Nums[0 63 0 R]>>"
			o[62] = "<</Limits[1 1]/Nums[1 60 0 R]>>"
			o[63] = "[52 0 R 53 0 R 53 0 R 55 0 R]"
		},
		"the parent tree in another object": func(o map[int]string) {
			o[50] = strings.Replace(o[50], "56 0 R", "61 0 R", 1)
			o[61] = o[56]
			delete(o, 56)
		},
		"without an element of its own": func(o map[int]string) {
			delete(o, 60)
			o[51] = strings.Replace(o[51], "60 0 R", "<</Type/OBJR/Obj 31 0 R>>", 1)
			o[51] = strings.Replace(o[51], "/S/Document", "/S/Document/Pg 5 0 R", 1)
			o[56] = "<</Nums[0 57 0 R 1 51 0 R]>>"
		},
		"an empty class map": func(o map[int]string) { o[50] = strings.Replace(o[50], "/K ", "/ClassMap<<>>/K ", 1) },
		"written again as it was": func(o map[int]string) {
			o[52], o[57] = "<</S/H1/K 0/P 51 0 R/Type/StructElem/Pg 5 0 R>>", "[52 0 R 53 0 R 53 0 R 55 0 R]"
		},
	} {
		t.Run(name, func(t *testing.T) {
			if r := pades.Read(w.tagAgain(file, change), nil); r.Integrity != pades.Extended {
				t.Errorf("%+v: %s", r, pades.Why(r))
			}
		})
	}
	t.Run("where nothing may be added", func(t *testing.T) {
		if r := pades.Read(w.tagAgain(w.taggedContract("/P 1"), nil), nil); r.Integrity != pades.Altered {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a note", func(t *testing.T) {
		file := w.taggedContract("/P 3")
		noted := increment(file,
			forgedObject{60, "<</Type/StructElem/S/Annot/P 51 0 R/K<</Type/OBJR/Obj 61 0 R>>>>"},
			forgedObject{61, "<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/Contents(seen)/P 5 0 R/StructParent 1>>"},
			forgedObject{56, "<</Nums[0 57 0 R 1 60 0 R]>>"}, edited(file, 51, "54 0 R]", "54 0 R 60 0 R]"), edited(file, 5, "24 0 R]", "24 0 R 61 0 R]"))
		if r := pades.Read(noted, nil); r.Integrity != pades.Extended {
			t.Errorf("%+v: %s", r, pades.Why(r))
		}
	})
}

// What a person hears must be what was signed: each of these says something else, or in another order, beside a signature that may come.
func TestNothingElseMayBeHeard(t *testing.T) {
	w := newWorld(t)
	file := w.taggedContract("/P 3")
	replace := func(number int, old, now string) func(o map[int]string) {
		return func(o map[int]string) {
			text, ok := o[number]
			if !ok {
				text = body(file, number)
			}
			if !strings.Contains(text, old) {
				panic(text)
			}
			o[number] = strings.Replace(text, old, now, 1)
		}
	}
	attacks := map[string]func(o map[int]string){
		"another text for a paragraph":       replace(53, "/S/P", "/S/P/ActualText(Group: 1)"),
		"another text for a heading":         replace(52, "/S/H1", "/S/H1/Alt(Group: 1)"),
		"an expansion":                       replace(52, "/S/H1", "/S/H1/E(Group: 1)"),
		"another language":                   replace(53, "/S/P", "/S/P/Lang(en)"),
		"a title":                            replace(53, "/S/P", "/S/P/T(Group: 1)"),
		"attributes":                         replace(55, "/S/Cell", "/S/Cell/A<</O/Table/ColSpan 2>>"),
		"a class":                            replace(55, "/S/Cell", "/S/Cell/C/Wide"),
		"an attached file":                   replace(51, "/S/Document", "/S/Document/AF[11 0 R]"),
		"another role":                       replace(52, "/S/H1", "/S/Artifact"),
		"another role by the map":            replace(50, "/Cell/TD", "/Cell/Artifact"),
		"a role more in the map":             replace(50, "/Cell/TD", "/Cell/TD/P/Artifact"),
		"classes":                            replace(50, "/K ", "/ClassMap<</Wide<</O/Table/ColSpan 2>>>>/K "),
		"a pronunciation":                    replace(50, "/K ", "/PronunciationLexicon[11 0 R]/K "),
		"a namespace":                        replace(50, "/K ", "/Namespaces[<</NS(x)/RoleMapNS<</P/Artifact>>>>]/K "),
		"an attached file of the whole":      replace(50, "/K ", "/AF[11 0 R]/K "),
		"a table of names":                   replace(50, "/K ", "/IDTree<</Names[(a)52 0 R]>>/K "),
		"another order":                      replace(51, "52 0 R 53 0 R", "53 0 R 52 0 R"),
		"an element gone":                    replace(51, "52 0 R ", ""),
		"an element twice":                   replace(51, "54 0 R", "54 0 R 52 0 R"),
		"another element instead":            func(o map[int]string) { replace(51, "52 0 R", "61 0 R")(o); o[61] = body(file, 52) },
		"the element between the others":     replace(51, "54 0 R 60 0 R", "60 0 R 54 0 R"),
		"the element before the others":      replace(51, "52 0 R 53 0 R 54 0 R 60 0 R", "60 0 R 52 0 R 53 0 R 54 0 R"),
		"an element without marks":           replace(53, "/K[1 2]", "/K[1]"),
		"marks in another order":             replace(53, "/K[1 2]", "/K[2 1]"),
		"another's marks":                    replace(52, "/K 0", "/K 3"),
		"another page's marks":               replace(52, "/Pg 5 0 R", "/Pg 4 0 R"),
		"another parent":                     replace(52, "/P 51 0 R", "/P 53 0 R"),
		"another document":                   func(o map[int]string) { replace(50, "51 0 R", "61 0 R")(o); o[61] = o[51] },
		"another root of the structure":      nil,
		"the parent tree says otherwise":     func(o map[int]string) { o[57] = "[53 0 R 52 0 R 53 0 R 55 0 R]" },
		"a line of the parent tree gone":     replace(56, "0 57 0 R ", ""),
		"a line twice":                       replace(56, "1 60 0 R", "0 61 0 R 1 60 0 R"),
		"a line for a mark more":             func(o map[int]string) { o[57] = "[52 0 R 53 0 R 53 0 R 55 0 R 52 0 R]" },
		"a line for nothing":                 replace(56, "1 60 0 R", "1 60 0 R 2 52 0 R"),
		"a line for another annotation":      replace(56, "1 60 0 R", "7 60 0 R"),
		"a line that leads to old text":      replace(56, "1 60 0 R", "1 52 0 R"),
		"limits that hide a line":            replace(56, "/Nums", "/Limits[1 1]/Nums"),
		"a copy of an element in a line":     func(o map[int]string) { o[57] = "[61 0 R 53 0 R 53 0 R 55 0 R]"; o[61] = body(file, 52) },
		"the next key smaller":               replace(50, "Key 2", "Key 0"),
		"a new element with a text":          replace(60, "/S/Form", "/S/Form/ActualText(Group: 1)"),
		"a new element with words for it":    replace(60, "/S/Form", "/S/Form/Alt(Group: 1)"),
		"a new element with a title":         replace(60, "/S/Form", "/S/Form/T(Group: 1)"),
		"a new element with attributes":      replace(60, "/S/Form", "/S/Form/A<</O/PrintField/Desc(Group: 1)>>"),
		"a new element with a file":          replace(60, "/S/Form", "/S/Form/AF[11 0 R]"),
		"a new paragraph":                    replace(60, "/S/Form", "/S/P"),
		"a new cell, by the map":             replace(60, "/S/Form", "/S/Cell"),
		"a new artefact":                     replace(60, "/S/Form", "/S/Artifact"),
		"a new element with old marks":       replace(60, "/K<</Type/OBJR/Obj 31 0 R/Pg 5 0 R>>", "/K 1"),
		"a new element with marks too":       replace(60, "/K<</Type/OBJR/Obj 31 0 R/Pg 5 0 R>>", "/K[<</Type/OBJR/Obj 31 0 R>> 1]"),
		"a new element with marks of a form": replace(60, "/K<</Type/OBJR/Obj 31 0 R/Pg 5 0 R>>", "/K<</Type/MCR/MCID 0/Stm 16 0 R/Pg 5 0 R>>"),
		"a new element for an old field":     replace(60, "31 0 R", "15 0 R"),
		"a new element for an annotation":    replace(60, "31 0 R", "24 0 R"),
		"a new element for the content":      replace(60, "31 0 R", "11 0 R"),
		"a new element on no page":           replace(60, "/Pg 5 0 R", "/Pg 11 0 R"),
		"a new element of another":           replace(60, "/P 51 0 R", "/P 52 0 R"),
		"a new element over an old one":      replace(60, "<</Type/OBJR/Obj 31 0 R/Pg 5 0 R>>", "[52 0 R]"),
		"two elements for one field": func(o map[int]string) {
			replace(51, "60 0 R", "60 0 R 61 0 R")(o)
			o[61] = o[60]
		},
		"an element in a paragraph": func(o map[int]string) {
			delete(o, 51)
			replace(53, "[1 2]", "[1 2 60 0 R]")(o)
			replace(60, "/P 51", "/P 53")(o)
		},
		"an element in a row": func(o map[int]string) {
			delete(o, 51)
			replace(54, "[55 0 R]", "[55 0 R 60 0 R]")(o)
			replace(60, "/P 51", "/P 54")(o)
		},
		"an element that nothing holds": func(o map[int]string) { delete(o, 51) },
		"marks beside the new field": func(o map[int]string) {
			delete(o, 60)
			o[51] = strings.Replace(o[51], "60 0 R", "<</Type/OBJR/Obj 31 0 R>> 1", 1)
			o[56] = "<</Nums[0 57 0 R 1 51 0 R]>>"
		},
		"an old field without an element": func(o map[int]string) {
			delete(o, 60)
			o[51] = strings.Replace(o[51], "60 0 R", "<</Type/OBJR/Obj 15 0 R>>", 1)
			o[56] = "<</Nums[0 57 0 R]>>"
		},
		"marks get a page": func(o map[int]string) { o[52] = "<</Type/StructElem/S/H1/P 51 0 R/Pg 1 0 R/K 0>>" },
		"a chain of new elements": func(o map[int]string) {
			replace(60, "<</Type/OBJR/Obj 31 0 R/Pg 5 0 R>>", "61 0 R")(o)
			o[61] = "<</S/Form/P 60 0 R/K<</Type/OBJR/Obj 31 0 R>>>>"
		},
	}
	attacks["another root of the structure"] = func(o map[int]string) {
		o[1] = strings.Replace(strings.Replace(body(file, 1), "/StructTreeRoot 50", "/StructTreeRoot 61", 1), "Fields[", "Fields[31 0 R ", 1)
		o[61] = o[50]
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			attacked := w.tagAgain(file, attack)
			for _, f := range [][]byte{attacked, w.stampDocument(attacked, 70, now, "0 0 0 0", nil)} {
				if r := pades.Read(f, nil); r.Integrity != pades.Altered && r.Integrity != pades.Broken {
					t.Errorf("%+v: %s", r, pades.Why(r))
				}
			}
		})
	}
	t.Run("alone", func(t *testing.T) {
		for _, c := range []forgedObject{edited(file, 53, "/S/P", "/S/P/ActualText(Group: 1)"), edited(file, 57, "52 0 R", "53 0 R"), {56, "<</Nums[]>>"}} {
			if r := pades.Read(increment(file, c), nil); r.Integrity != pades.Altered {
				t.Errorf("%+v", r)
			}
		}
	})
}
