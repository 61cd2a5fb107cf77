package tesdiq_test

import (
	"crypto/rand"
	"testing"

	"github.com/tesdiq/tesdiq"
)

func BenchmarkParseCode(b *testing.B) {
	code, err := tesdiq.NewCode(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	printed := code.String()
	for b.Loop() {
		if got, err := tesdiq.ParseCode(printed); err != nil || got != code {
			b.Fatal(got, err)
		}
	}
}

func BenchmarkNewCode(b *testing.B) {
	for b.Loop() {
		if _, err := tesdiq.NewCode(rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}
