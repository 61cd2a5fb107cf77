package pades_test

import (
	"bytes"
	"testing"

	"github.com/tesdiq/tesdiq/verifier/pades"
)

// A file that was not received whole is neither a forgery nor a scan: it is to be fetched again. Wherever one of ours breaks off, but
// for the few bytes between its objects and at its ends, this is said, and never more.
func TestWhatWasNotReceivedWhole(t *testing.T) {
	v := newVault(t)
	said, cuts := 0, 0
	for n := 20; n < len(v.file); n += 97 {
		r := pades.Read(v.file[:n], v.roots)
		cuts++
		switch {
		case r.Integrity == pades.Intact || r.Integrity == pades.Extended || r.Indication == pades.Passed:
			t.Fatalf("the first %d bytes: %+v", n, r)
		case r.Reason == pades.ReasonIncomplete:
			said++
			holds := bytes.Contains(v.file[:n], []byte("/ByteRange")) || bytes.Contains(v.file[:n], []byte("/DocMDP"))
			if holds != (r.Integrity == pades.Broken) || !holds && r.Integrity != pades.Unsigned {
				t.Errorf("the first %d bytes: %s", n, r.Integrity)
			}
		}
	}
	if said*100 < cuts*94 {
		t.Errorf("said of %d cuts in %d", said, cuts)
	}
}

// What whole objects say, no download left there: an update without its end is an attack that some viewers repair.
func TestAnUpdateWithoutItsEndIsNoHalfFile(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ name, more string }{
		{"objects", "5 0 obj\n<</Type/Page>>\nendobj\n"},
		{"objects and table", "5 0 obj\n<<>>\nendobj\nxref\n5 1\n0000000000 00000 n \n"},
		{"no object", "Group: 1 (text without an object)"},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, w, append(bytes.Clone(w.signed), c.more...), appended) })
	}
}
