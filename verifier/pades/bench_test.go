package pades_test

import (
	"bytes"
	"testing"

	"github.com/tesdiq/tesdiq/verifier/pades"
)

func BenchmarkRead(b *testing.B) {
	w := newWorld(b)
	b.SetBytes(int64(len(w.signed)))
	for b.Loop() {
		if r := pades.Read(w.signed, w.roots); r.Indication != pades.Passed {
			b.Fatalf("%+v", r)
		}
	}
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
