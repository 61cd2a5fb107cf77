package ledger_test

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/tesdiq/tesdiq/ledger"
)

// BenchmarkLine draws a line's key and commits to as much as an excerpt says, then opens it.
func BenchmarkLine(b *testing.B) {
	content := bytes.Repeat([]byte("x"), 2000)
	for b.Loop() {
		line, err := ledger.NewLine(rand.Reader, ledger.Excerpt, "E-2026-0048213", content)
		if err != nil {
			b.Fatal(err)
		}
		if !line.Opens(content) {
			b.Fatal("the line does not open")
		}
	}
}
