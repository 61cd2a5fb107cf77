package pades_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/tesdiq/tesdiq/verifier/pades"
)

// Readings use each other's memory when they are over. None may see anything of another, whichever was before it or is at the same time.
func TestReadingsSeeNothingOfEachOther(t *testing.T) {
	w := newWorld(t)
	files := append(seeds(w), othersSeeds(w)...)
	files = append(files,
		w.signed[:len(w.signed)/2], append(bytes.Clone(w.signed), w.page...), // tried in many ways
		withContent(w.page, []byte("[(a) (b) [(c) <</D(e)>>"), ""), // ends in the middle of arrays
		plain("<</Type/Catalog/X(/ByteRange)/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0/Y["+strings.Repeat("[0 1]", 3000)+"]>>"),
	)
	want := make([]pades.Report, len(files))
	for i, f := range files {
		want[i] = pades.Read(bytes.Clone(f), w.roots)
	}
	var all sync.WaitGroup
	for k := range 8 {
		all.Go(func() {
			for i := range 4 * len(files) {
				n := (i*(2*k+1) + k) % len(files)
				got := pades.Read(bytes.Clone(files[n]), w.roots)
				if pades.Why(got) != pades.Why(want[n]) || !same(got, want[n]) {
					t.Errorf("file %d: %+v, then %+v", n, want[n], got)
				}
			}
		})
	}
	all.Wait()
}

// same compares what reports say; why is another error each time.
func same(a, b pades.Report) bool {
	return a.Integrity == b.Integrity && a.Indication == b.Indication && a.SubIndication == b.SubIndication && a.Reason == b.Reason && a.Signer == b.Signer &&
		a.SignedAt.Equal(b.SignedAt) && a.Level == b.Level && a.Code == b.Code && a.Signed == b.Signed && a.SignerSerial == b.SignerSerial && a.StampSerial == b.StampSerial
}
