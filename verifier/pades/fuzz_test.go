package pades_test

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// seeds gives files that reach deep: the page, signed files, and the forger's.
func seeds(w *world) [][]byte {
	small := withStream(w.page, 7, []byte("x"), "") // without its font, so that mutations hit what is read
	u := w.genuine()
	u.contents = "/ByteRange[0 1 2 3 4 5]/Contents%s%r>>"
	u.ranges = func(int, int, int) string { return "" }
	return [][]byte{
		w.page, w.signed, small, u.write(w, w.page), wrap(w.signed),
		[]byte("%PDF-1.7\n1 0 obj\n<</Length 3>>\nstream\nabc\nendstream\nendobj\nxref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<</Size 2/Root 1 0 R>>\nstartxref\n62\n%%EOF\n"),
		[]byte("%PDF-1.7\n1 0 obj\n[(a\\(\\101\\\n) <6 1> /A#20B -1.5 true null 1 0 R]\nendobj\n"),
	}
}

// othersSeeds gives files of every structure that others write, and what may follow a signature.
func othersSeeds(w *world) [][]byte {
	file := w.contract("/P 2", "")
	catalog := "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>"
	return [][]byte{
		file, store(file, [][]byte{w.set.CA.Raw}, nil, nil), w.stampDocument(file, 40, now.Add(time.Hour), "0 0 0 0", nil),
		w.signAgain(file, "", "/Rect[0 0 0 0]/F 132"), increment(file, edited(file, 17, "/V/Off/AS/Off", "/V/On/AS/On")),
		increment(file, stream(11, "", "q Q")), w.tagAgain(w.taggedContract("/P 3"), nil),
		plain(catalog, "<</Type/Pages/Kids[]/Count 0>>", "<</T(a)/FT/Sig>>"),
		packed(catalog, "/N 1/First 4", []byte("3 0 <</T(a)/FT/Sig/V<</Type/Sig>>>>")),
		[]byte("%PDF-1.4\n% c\n1 0 obj<</Linearized 1/L 300>>endobj\nxref\n1 1\n0000000014 00000 n \ntrailer<</Size 2/Root 1 0 R/Prev 120>>\nstartxref\n0\n%%EOF\nxref\n0 1\n0000000000 65535 f \ntrailer<</Size 1>>startxref\n49\n%%EOF"),
	}
}

// FuzzRead: nothing but what our signer signed may pass, and only with what may follow it.
func FuzzRead(f *testing.F) {
	w := newWorld(f)
	signed := map[int][]byte{}
	for _, s := range append(seeds(w), othersSeeds(w)...) {
		f.Add(s)
		if r := pades.Read(s, w.roots); r.Indication == pades.Passed {
			signed[r.Signed] = s[:r.Signed]
		}
	}
	f.Fuzz(func(t *testing.T, pdf []byte) {
		for _, roots := range []*keys.Roots{nil, w.roots} {
			r := pades.Read(pdf, roots)
			if r.Indication == pades.Passed && !bytes.Equal(pdf[:r.Signed], signed[r.Signed]) {
				t.Errorf("passed: %+v", r)
			}
			switch r.Integrity {
			case pades.Intact, pades.Extended, pades.Altered, pades.Broken, pades.Unsigned:
			default:
				t.Errorf("integrity %q", r.Integrity)
			}
			if (r.SubIndication == "") != (r.Indication == pades.Passed) || r.Reason == "" {
				t.Errorf("incomplete: %+v", r)
			}
		}
	})
}

func FuzzText(f *testing.F) {
	w := newWorld(f)
	for _, s := range seeds(w) {
		f.Add(s)
	}
	f.Add(withContent(w.page, []byte("BT /F1 12 Tf [<0003> -5 (\\000\\003)] TJ ET"), ""))
	f.Add(withMap(w.page, "1 beginbfchar\n<0003><D83DDE00>\nendbfchar 1 beginbfrange <0000><FFFF><0000> endbfrange"))
	f.Fuzz(func(t *testing.T, pdf []byte) {
		if lines, err := pades.Text(pdf); err != nil && lines != nil {
			t.Error("text beside an error")
		}
	})
}

func FuzzLint(f *testing.F) {
	w := newWorld(f)
	for _, s := range seeds(w) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pdf []byte) {
		// What lint passes must be readable to the end by everything else.
		if found := pades.Lint(pdf); len(found) == 0 {
			if _, err := pades.Text(pdf); err != nil {
				t.Errorf("lint finds nothing, text says %v", err)
			}
			if r := pades.Read(pdf, nil); r.Integrity != pades.Unsigned && r.Integrity != pades.Intact && r.Integrity != pades.Altered && r.Integrity != pades.Broken {
				t.Errorf("%+v", r)
			}
		}
	})
}

// FuzzCMS changes the DER inside a file whose structure and digest are right.
func FuzzCMS(f *testing.F) {
	w := newWorld(f)
	at := bytes.Index(w.signed, []byte("/Contents<")) + len("/Contents<")
	room := bytes.IndexByte(w.signed[at:], '>') / 2 // as the signer made it
	genuine := make([]byte, room)
	if _, err := hex.Decode(genuine, w.signed[at:at+2*room]); err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.TrimRight(genuine, "\x00"))
	f.Add(w.cms(make([]byte, 32)).der())
	f.Add(w.stamp([]byte("signature"), now, nil))
	file := bytes.Clone(w.signed)
	f.Fuzz(func(t *testing.T, der []byte) {
		if len(der) > room {
			return
		}
		padded := append(bytes.Clone(der), make([]byte, room-len(der))...)
		hex.Encode(file[at:], padded)
		if r := pades.Read(file, w.roots); r.Indication == pades.Passed && !bytes.Equal(padded, genuine) {
			t.Errorf("passed with another signature: %+v", r)
		}
	})
}
