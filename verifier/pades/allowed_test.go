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
				r := pades.Read(c.change(w.contract(p.said, "")), w.roots)
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
		file := w.contract("", "")
		u := w.signAgain(file, "/Lock<</Type/SigFieldLock/Action/Include/Fields[(Ad)]>>", "")
		if r := pades.Read(u, nil); r.Integrity != altered { // a lock that comes with the signature was not there when the field was made
			t.Errorf("%+v", r)
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
