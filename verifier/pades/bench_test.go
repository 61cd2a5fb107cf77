package pades_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/verifier/pades"
)

// BenchmarkVerify is one signature alone, to compare the others with on a machine that does other things too.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	hash := sha256.Sum256(w.page)
	signature, err := w.set.SignerKey.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if !ecdsa.VerifyASN1(w.set.SignerKey.Public().(*ecdsa.PublicKey), hash[:], signature) {
			b.Fatal("does not verify")
		}
	}
}

func BenchmarkRead(b *testing.B) {
	w := newWorld(b)
	b.SetBytes(int64(len(w.signed)))
	for b.Loop() {
		if r := pades.Read(w.signed, w.roots); r.Indication != pades.Passed {
			b.Fatalf("%+v", r)
		}
	}
}

// BenchmarkReadBesideSignatures says how many times as long as the two signatures in it reading a file takes, in processor time and by
// turns, so that a busy machine tells nearly the same as a quiet one.
func BenchmarkReadBesideSignatures(b *testing.B) {
	w := newWorld(b)
	hash := sha256.Sum256(w.page)
	signature, err := w.set.SignerKey.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	const turn = 50
	var reading, verifying time.Duration
	for b.Loop() {
		began := spent(b)
		for range turn {
			if r := pades.Read(w.signed, w.roots); r.Indication != pades.Passed || r.Code == "" {
				b.Fatalf("%+v", r)
			}
		}
		read := spent(b)
		for range 2 * turn {
			if !ecdsa.VerifyASN1(w.set.SignerKey.Public().(*ecdsa.PublicKey), hash[:], signature) {
				b.Fatal("does not verify")
			}
		}
		reading, verifying = reading+read-began, verifying+spent(b)-read
	}
	b.ReportMetric(float64(reading)/float64(verifying), "pairs/read")
	b.ReportMetric(float64(reading.Microseconds())/float64(turn*b.N), "cpu-µs/read")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkReadAltered is the common kind of bad file: whole, but its digest is another.
func BenchmarkReadAltered(b *testing.B) {
	w := newWorld(b)
	file := flip(w.signed, bytes.Index(w.signed, []byte("stream\n"))+20)
	for b.Loop() {
		if r := pades.Read(file, w.roots); r.Reason != pades.ReasonChanged {
			b.Fatalf("%+v", r)
		}
	}
}

func BenchmarkText(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		if _, err := pades.Text(w.page); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLint(b *testing.B) {
	w := newWorld(b)
	for b.Loop() {
		if found := pades.Lint(w.page); len(found) != 0 {
			b.Fatal(found)
		}
	}
}
