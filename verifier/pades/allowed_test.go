package pades_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/verifier/pades"
)

// What may follow a signature, by what the signer said of changes.
func TestWhatSignersAllow(t *testing.T) {
	w := newWorld(t)
	filled := func(file []byte) []byte {
		return increment(file, edited(file, 15, "(Aysel)", "(Leyla)"), stream(16, "/Type/XObject/Subtype/Form/BBox[0 0 150 20]/Resources<</Font<</F1 10 0 R>>>>", "BT /F1 9 Tf (Leyla) Tj ET"))
	}
	checked := func(file []byte) []byte { return increment(file, edited(file, 17, "/V/Off/AS/Off", "/V/On/AS/On")) }
	signed := func(file []byte) []byte { return w.signAgain(file, "/AP<</N 32 0 R>>", "", look(32)) }
	signedNew := func(file []byte) []byte {
		return w.signAgain(file, "", "/Rect[300 100 400 140]/F 132/AP<</N 32 0 R>>", look(32))
	}
	noted := func(file []byte) []byte {
		return increment(file, forgedObject{33, "<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/P 5 0 R/Contents(Bax)/F 28>>"}, edited(file, 5, "24 0 R]", "24 0 R 33 0 R]"))
	}
	nothing := func(file []byte) []byte { return file }
	stored := func(file []byte) []byte {
		return store(file, [][]byte{w.set.CA.Raw}, nil, nil)
	}
	stamped := func(file []byte) []byte { return w.stampDocument(file, 40, now.Add(time.Hour), "0 0 0 0", nil) }
	informed := func(file []byte) []byte {
		return increment(file, forgedObject{14, strings.Replace(body(file, 14), "/Producer", "/ModDate(D:20261121120000Z)/Producer", 1)})
	}
	const intact, extended, altered = pades.Intact, pades.Extended, pades.Altered
	for _, c := range []struct {
		name             string
		change           func([]byte) []byte
		none, p1, p2, p3 pades.Integrity
	}{
		{"nothing", nothing, intact, intact, intact, intact},
		{"a store", stored, intact, intact, intact, intact},
		{"a document time stamp", stamped, intact, intact, intact, intact},
		{"a store and a time stamp, twice", func(f []byte) []byte {
			return w.stampDocument(stamped(stored(f)), 50, now.Add(2*time.Hour), "0 0 0 0", nil)
		}, intact, intact, intact, intact},
		{"when it was last changed", informed, intact, intact, intact, intact},
		{"a field filled", filled, extended, altered, extended, extended},
		{"a box checked", checked, extended, altered, extended, extended},
		{"the empty signature field signed", signed, extended, altered, extended, extended},
		{"a new signature", signedNew, extended, altered, extended, extended},
		{"filled, then signed, then stamped", func(f []byte) []byte { return stamped(signed(filled(f))) }, extended, altered, extended, extended},
		{"a note", noted, altered, altered, altered, extended},
	} {
		for _, p := range []struct {
			said string
			want pades.Integrity
		}{{"", c.none}, {"/P 1", c.p1}, {"/P 2", c.p2}, {"/P 3", c.p3}} {
			t.Run(c.name+p.said, func(t *testing.T) {
				file := c.change(w.contract(p.said, ""))
				judge(t, w, file, p.want != altered)
				r := pades.Read(file, w.roots)
				if r.Integrity != p.want {
					t.Errorf("got %+v, want %s", r, p.want)
				}
				if (r.Indication == pades.Passed) != (p.want == intact) {
					t.Errorf("got %s", r.Indication)
				}
			})
		}
	}
	t.Run("locks", func(t *testing.T) {
		for lock, want := range map[string][3]pades.Integrity{ // filled, checked, signed
			"<</Type/SigFieldLock/Action/All>>":                            {altered, altered, altered},
			"<</Type/SigFieldLock/Action/Include/Fields[(Ad)]>>":           {altered, extended, extended},
			"<</Type/SigFieldLock/Action/Exclude/Fields[(Ad)]>>":           {extended, altered, altered},
			"<</Type/SigFieldLock/Action/Exclude/Fields[(Ad)(Customer)]>>": {extended, altered, extended},
			"<</Type/SigFieldLock/Action/Include/Fields[(None)]/P 1>>":     {altered, altered, altered},
			"<</Type/SigFieldLock/Action/Include/Fields[(A)(Adı)(Ad.b)]>>": {extended, extended, extended},
		} {
			file := w.contract("", "/Lock"+lock)
			for i, change := range []func([]byte) []byte{filled, checked, signed} {
				if r := pades.Read(change(file), nil); r.Integrity != want[i] {
					t.Errorf("%s, change %d: got %+v, want %s", lock, i, r, want[i])
				}
			}
		}
	})
	t.Run("a certification where there was none", func(t *testing.T) {
		file := w.contract("", "")
		again := w.signAgain(file, "", "/Rect[0 0 0 0]/F 132", edited(file, 1, "/AcroForm <</Fields[", "/Perms <</DocMDP 30 0 R>>/AcroForm <</Fields[31 0 R "))
		if r := pades.Read(again, nil); r.Integrity != extended {
			t.Errorf("%+v: %s", r, pades.Why(r))
		}
	})
	t.Run("the second signature's lock", func(t *testing.T) {
		const locked = "/Lock<</Type/SigFieldLock/Action/Include/Fields[(Ad)]>>"
		file := w.signAgain(w.contract("", ""), locked, "")
		if r := pades.Read(file, nil); r.Integrity != extended { // whoever signs may allow less
			t.Errorf("%+v: %s", r, pades.Why(r))
		}
		if r := pades.Read(filled(file), nil); r.Integrity != altered {
			t.Errorf("%+v: what it locks was filled", r)
		}
		other := w.contractWith("", "", func(u *forgedUpdate) { u.replace(18, "/FT/Sig", "/FT/Sig"+locked) })
		if r := pades.Read(increment(other, edited(other, 18, "(Ad)", "(Razi)")), nil); r.Integrity != altered {
			t.Errorf("%+v: a lock was replaced", r)
		}
	})
	t.Run("a signature that is its field's default too", func(t *testing.T) { // as LibreOffice writes it
		if r := pades.Read(w.signAgain(w.contract("", ""), "", "/Rect[0 0 0 0]/F 132/DV 30 0 R"), nil); r.Integrity != extended {
			t.Errorf("%+v: %s", r, pades.Why(r))
		}
		if r := pades.Read(w.signAgain(w.contract("", ""), "", "/Rect[0 0 0 0]/F 132/DV 11 0 R"), nil); r.Integrity != altered {
			t.Errorf("%+v: another default", r)
		}
	})
	t.Run("notes", func(t *testing.T) {
		file := w.contract("/P 3", "")
		type note = struct {
			objects []forgedObject
			want    pades.Integrity
		}
		marked := func(content, keys string) note {
			return note{[]forgedObject{{41, "<</Type/Annot/Subtype/Highlight/Rect[50 700 300 790]/QuadPoints[50 790 300 790 50 700 300 700]/C[1 1 0]/AP<</N 42 0 R>>>>"},
				stream(42, "/Type/XObject/Subtype/Form/BBox[50 700 300 790]/Resources<</ExtGState<</GS<</BM/Multiply>>/N<</BM/Normal>>>>>>"+keys, content),
				edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, extended}
		}
		markedBadly := func(content, keys string) note {
			n := marked(content, keys)
			n.want = altered
			return n
		}
		lined := func(keys string, want pades.Integrity) note {
			return note{[]forgedObject{{41, "<</Type/Annot" + keys + "/C[1 1 1]>>"}, edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, want}
		}
		for name, c := range map[string]note{
			"two lines struck through":                lined("/Subtype/StrikeOut/Rect[50 760 300 790]/QuadPoints[50 790 300 790 50 778 300 778 50 774 300 774 50 762 300 762]", extended),
			"a word set on its side, underlined":      lined("/Subtype/Underline/Rect[50 600 62 790]/QuadPoints[50 600 50 790 62 600 62 790]", extended),
			"underlined where it stands":              lined("/Subtype/Underline/Rect[50 760 300 775]", extended),
			"covered by a thick line":                 lined("/Subtype/StrikeOut/Rect[50 600 300 790]/QuadPoints[50 790 300 790 50 600 300 600]", altered),
			"covered by a thick line among thin ones": lined("/Subtype/Squiggly/Rect[50 600 300 790]/QuadPoints[50 790 300 790 50 778 300 778 50 790 300 790 50 600 300 600]", altered),
			"covered by a line across":                lined("/Subtype/Underline/Rect[50 600 300 790]/QuadPoints[50 778 300 778 300 790 50 790]", altered),
			"covered by a thick line where it stands": lined("/Subtype/StrikeOut/Rect[50 600 300 790]", altered),
			"lined by half a quadrilateral":           lined("/Subtype/StrikeOut/Rect[50 600 300 790]/QuadPoints[50 790 300 790]", altered),
			"with its window": {[]forgedObject{{41, "<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/Contents(seen)/Popup 42 0 R>>"},
				{42, "<</Type/Annot/Subtype/Popup/Rect[30 30 200 100]/Parent 41 0 R>>"}, edited(file, 5, "24 0 R]", "24 0 R 41 0 R 42 0 R]")}, extended},
			"with a picture that writes":     {[]forgedObject{{41, "<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/AP<</N 43 0 R>>>>"}, look(43), edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, altered},
			"with a picture beside the text": {[]forgedObject{{41, "<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/AP<</N 43 0 R>>>>"}, stream(43, "/Type/XObject/Subtype/Form/BBox[0 0 9 9]", "1 1 0 rg 0 0 9 9 re f"), edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, extended},
			"with a picture over a word":     {[]forgedObject{{41, "<</Type/Annot/Subtype/Text/Rect[60 765 90 785]/AP<</N 43 0 R>>>>"}, look(43), edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, altered},
			"with a picture over a field":    {[]forgedObject{{41, "<</Type/Annot/Subtype/Text/Rect[60 50 90 70]/AP<</N 43 0 R>>>>"}, look(43), edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, altered},
			"with a window that is no window": {[]forgedObject{{41, "<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/Popup 42 0 R>>"},
				{42, "<</Type/Annot/Subtype/Stamp/Rect[0 0 500 500]/AP<</N 43 0 R>>>>"}, look(43), edited(file, 5, "24 0 R]", "24 0 R 41 0 R 42 0 R]")}, altered},
			"marked in yellow":            {[]forgedObject{{41, "<</Type/Annot/Subtype/Highlight/Rect[50 700 300 790]/QuadPoints[50 790 300 790 50 700 300 700]/C[1 1 0]>>"}, edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, extended},
			"marked in black":             {[]forgedObject{{41, "<</Type/Annot/Subtype/Highlight/Rect[50 700 300 790]/QuadPoints[50 790 300 790 50 700 300 700]/C[0 0 0]>>"}, edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, altered},
			"marked in grey":              {[]forgedObject{{41, "<</Type/Annot/Subtype/Highlight/Rect[50 700 300 790]/QuadPoints[50 790 300 790 50 700 300 700]/C[0]>>"}, edited(file, 5, "24 0 R]", "24 0 R 41 0 R]")}, altered},
			"marked with a picture of it": marked("/GS gs 1 1 0 rg 50 700 250 90 re f", ""),
			"marked with a picture of it, before the colour's mode": marked("q 1 1 0 rg /GS gs 50 700 m 300 700 l 300 790 l h f* Q", ""),
			"marked in black, in a picture":                         markedBadly("/GS gs 0 0 0 rg 50 700 250 90 re f", ""),
			"marked in no colour":                                   markedBadly("/GS gs 50 700 250 90 re f", ""),
			"painted over":                                          markedBadly("1 1 0 rg 50 700 250 90 re f", ""),
			"painted over behind a marking":                         markedBadly("1 1 1 rg q /GS gs 50 700 9 9 re f Q 50 700 250 90 re f", ""),
			"painted over in another mode":                          markedBadly("/GS gs /N gs 1 1 1 rg 50 700 250 90 re f", ""),
			"marked with words":                                     markedBadly("/GS gs 1 1 0 rg BT /F1 40 Tf 50 700 Td (III) Tj ET", ""),
			"marked with another drawing":                           markedBadly("/GS gs /X Do", ""),
			"marked with an image":                                  markedBadly("/GS gs BI /W 1 /H 1 /BPC 8 /CS /G ID x EI", ""),
			"marked by itself":                                      markedBadly("/GS gs 1 1 0 rg 50 700 250 90 re f", "/Group<</S/Transparency/I true>>"),
			"marked in a layer":                                     markedBadly("/GS gs 1 1 0 rg 50 700 250 90 re f", "/OC 11 0 R"),
			"twice on the page":                                     {[]forgedObject{{41, "<</Type/Annot/Subtype/Text/Rect[10 10 30 30]>>"}, edited(file, 5, "24 0 R]", "24 0 R 41 0 R 41 0 R]")}, altered},
		} {
			t.Run(name, func(t *testing.T) {
				if r := pades.Read(increment(file, c.objects...), nil); r.Integrity != c.want {
					t.Errorf("%+v: %s", r, pades.Why(r))
				}
			})
		}
	})
	t.Run("fields", func(t *testing.T) {
		file := w.contractWith("/P 2", "", func(u *forgedUpdate) {
			u.objects = append(u.objects, forgedObject{26, "<</T(Parties)/Kids[27 0 R]>>"},
				forgedObject{27, "<</Type/Annot/Subtype/Widget/FT/Tx/T(One)/Parent 26 0 R/P 5 0 R/Rect[0 0 0 0]/F 4>>"})
			u.replace(1, "[13 0 R", "[26 0 R 13 0 R")
			u.trailer = strings.Replace(u.trailer, "25", "28", 1)
		})
		empty := func(keys string, more ...forgedObject) []forgedObject {
			return append(more, forgedObject{41, "<</Type/Annot/Subtype/Widget/FT/Sig/T(New)/P 5 0 R/Rect[300 100 400 140]/F 4" + keys + ">>"},
				edited(file, 1, "Fields[", "Fields[41 0 R "), edited(file, 5, "24 0 R]", "24 0 R 41 0 R]"))
		}
		below := func(keys string) []forgedObject {
			return []forgedObject{{41, "<</Type/Annot/Subtype/Widget/T(Two)/Rect[0 0 0 0]/F 132" + keys + ">>"}, edited(file, 26, "[27 0 R]", "[27 0 R 41 0 R]")}
		}
		nothing := stream(42, "/Type/XObject/Subtype/Form/BBox[0 0 100 40]", " ")
		for name, c := range map[string]struct {
			objects []forgedObject
			want    pades.Integrity
		}{
			"an empty one":                       {empty(""), extended},
			"an empty one that paints nothing":   {empty("/AP<</N 42 0 R>>/MK<<>>", nothing), extended},
			"an empty one that paints":           {empty("/AP<</N 42 0 R>>", look(42)), altered},
			"an empty one that paints when down": {empty("/AP<</N 42 0 R/D 43 0 R>>", nothing, look(43)), altered},
			"an empty one with a background":     {empty("/MK<</BG[0 0 0]>>"), altered},
			"with a widget that does not name it": {[]forgedObject{{41, "<</FT/Sig/T(New)/Kids[42 0 R]>>"}, {42, "<</Type/Annot/Subtype/Widget/P 5 0 R/Rect[0 0 0 0]/F 132>>"},
				edited(file, 1, "Fields[", "Fields[41 0 R "), edited(file, 5, "24 0 R]", "24 0 R 42 0 R]")}, extended},
			"with a widget that names another": {[]forgedObject{{41, "<</FT/Sig/T(New)/Kids[42 0 R]>>"}, {42, "<</Type/Annot/Subtype/Widget/Parent 26 0 R/P 5 0 R/Rect[0 0 0 0]/F 132>>"},
				edited(file, 1, "Fields[", "Fields[41 0 R ")}, altered},
			"below another":                     {below("/FT/Sig/Parent 26 0 R"), extended},
			"below another that it names not":   {below("/FT/Sig"), altered},
			"a text below another":              {below("/FT/Tx/V(III)/Parent 26 0 R"), altered},
			"below another, by a name there is": {[]forgedObject{{41, "<</Type/Annot/Subtype/Widget/FT/Sig/T(One)/Rect[0 0 0 0]/Parent 26 0 R>>"}, edited(file, 26, "[27 0 R]", "[27 0 R 41 0 R]")}, altered},
			"before the others":                 {[]forgedObject{{41, "<</Type/Annot/Subtype/Widget/FT/Sig/T(Two)/Rect[0 0 0 0]/Parent 26 0 R>>"}, edited(file, 26, "[27 0 R]", "[41 0 R 27 0 R]")}, altered},
			"below a text":                      {[]forgedObject{{41, "<</Type/Annot/Subtype/Widget/FT/Sig/T(Two)/Rect[0 0 0 0]/Parent 27 0 R>>"}, edited(file, 27, "/F 4", "/F 4/Kids[41 0 R]")}, altered},
		} {
			t.Run(name, func(t *testing.T) {
				if r := pades.Read(increment(file, c.objects...), nil); r.Integrity != c.want {
					t.Errorf("%+v: %s", r, pades.Why(r))
				}
			})
		}
	})
	t.Run("numbers rounded", func(t *testing.T) { // as a browser writes what it fills
		file := w.contractWith("", "", func(u *forgedUpdate) {
			u.replace(15, "/F 4", "/F 4/MK<</BG[.843137 .5 1]/BC[.1 .1 .1]>>/BS<</W 1.004>>")
		})
		for change, want := range map[[2]string]pades.Integrity{
			{".843137", "0.84"}: extended, {".843137", "0.1"}: altered, {"1.004", "1"}: extended, {"1.004", "40"}: altered, {"[50 50 200 70]", "[50.001 50 200 70]"}: extended,
			{"[50 50 200 70]", "[50 500 200 520]"}: altered, {"/BC[.1 .1 .1]", "/BC[.1 .1 .1]/I 16 0 R"}: altered, {"/BC[.1 .1 .1]", ""}: altered,
		} {
			if r := pades.Read(increment(file, edited(file, 15, "(Aysel)", "(Leyla)", change[0], change[1])), nil); r.Integrity != want {
				t.Errorf("%s instead of %s: %+v: %s", change[1], change[0], r, pades.Why(r))
			}
		}
	})
	t.Run("what is left behind", func(t *testing.T) {
		file := w.contract("", "")
		fill := edited(file, 15, "(Aysel)", "(Leyla)")
		for name, c := range map[string]struct {
			objects []forgedObject
			want    pades.Integrity
		}{
			"a font without a name":       {[]forgedObject{fill, {41, "<</Type/Font>>"}}, extended},
			"nothing":                     {[]forgedObject{fill, {41, "null"}, {42, "[]"}}, extended},
			"a draft of the field":        {[]forgedObject{fill, stream(41, "", "BT (x) Tj ET")}, extended},
			"a draft of its resources":    {[]forgedObject{fill, {41, "<</Font<</F1 10 0 R>>/ProcSet[/PDF/Text]>>"}}, extended},
			"resources with a drawing":    {[]forgedObject{fill, {41, "<</XObject<</X 42 0 R>>>>"}, look(42)}, altered},
			"a drawing":                   {[]forgedObject{fill, look(41)}, altered},
			"a page":                      {[]forgedObject{fill, {41, "<</Type/Page>>"}}, altered},
			"words":                       {[]forgedObject{fill, {41, "(Group: 1)"}}, altered},
			"a draft, and nothing filled": {[]forgedObject{{14, body(file, 14)}, stream(41, "", "BT (x) Tj ET")}, altered},
			"nothing, and nothing else":   {[]forgedObject{{41, "<<>>"}}, altered},
		} {
			t.Run(name, func(t *testing.T) {
				if r := pades.Read(increment(file, c.objects...), nil); r.Integrity != c.want {
					t.Errorf("%+v: %s", r, pades.Why(r))
				}
			})
		}
	})
	t.Run("whatever follows, the signed beginning is told", func(t *testing.T) {
		file := w.contract("", "")
		if r := pades.Read(stamped(stored(file)), w.roots); r.Signed != len(file) || r.Level != "B-T" {
			t.Errorf("%+v, want %d", r, len(file))
		}
	})
	if r := pades.Read(signed(signed2(w)), nil); r.Integrity != altered {
		t.Errorf("a signature signed over: %+v", r)
	}
}

// signed2 is a contract whose second field is signed already.
func signed2(w *world) []byte {
	return bytes.Clone(w.signAgain(w.contract("", ""), " ", ""))
}

// look is an appearance.
func look(number int) forgedObject {
	return stream(number, "/Type/XObject/Subtype/Form/BBox[0 0 100 40]/Resources<</Font<</F1 10 0 R>>>>", "BT /F1 9 Tf (signed) Tj ET")
}
