package pades_test

import (
	"bytes"
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// stride is how many bytes apart S2 changes a file; with TESDIQ_EVERY_BYTE set (make flip) it changes every one.
func stride() int {
	if os.Getenv("TESDIQ_EVERY_BYTE") != "" {
		return 1
	}
	return 7
}

// S2: no byte of a signed file can change and the file still pass; each byte is changed at random.
func TestEveryByteCounts(t *testing.T) {
	w := newWorld(t)
	seed := uint64(time.Now().UnixNano())
	random := mathrand.New(mathrand.NewPCG(seed, 0))
	file := bytes.Clone(w.signed)
	for i := random.IntN(stride()); i < len(w.signed); i += stride() {
		old := w.signed[i]
		mutants := []byte{old ^ byte(1+random.IntN(255))}
		padding := bytes.HasPrefix(w.signed[i:], []byte("00000000")) // of the signature's room
		if i > len(w.page) && !padding {                             // more in the part that the signature itself does not cover
			mutants = append(mutants, old^1<<random.IntN(8), old^0x20)
		}
		for _, mutant := range mutants {
			file[i] = mutant
			r := pades.Read(file, w.roots)
			// What is left of the authority's certificate still names it: the file is whole, but nobody vouches for it.
			if r.Indication == pades.Passed || r.Integrity == pades.Intact && r.Reason != pades.ReasonStranger {
				t.Errorf("byte %d: %#x instead of %#x gives %+v (seed %d)", i, mutant, old, r, seed)
			}
		}
		file[i] = old
	}
	if r := pades.Read(file, w.roots); r.Indication != pades.Passed {
		t.Fatalf("the file itself: %+v", r)
	}
}

func TestNoBeginningOfAFilePasses(t *testing.T) {
	w := newWorld(t)
	for n := range w.signed {
		if n%7 != 0 && n < len(w.signed)-300 {
			continue
		}
		if r := pades.Read(w.signed[:n], w.roots); r.Integrity == pades.Intact || r.Integrity == pades.Altered {
			t.Errorf("%d bytes of %d: %+v", n, len(w.signed), r)
		}
	}
}

// The signer cannot be brought to sign on top of what is signed already.
func TestSignedFileIsNotSignedAgain(t *testing.T) {
	w := newWorld(t)
	if _, err := w.set.PDFSigner(rand.Reader).Sign(context.Background(), w.signed, now, signer.SignInfo{}); err == nil {
		t.Error("signed a second time")
	}
}
