package signer_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys/signer"
)

func BenchmarkSign(b *testing.B) {
	page, now := pdftest.Page(), time.Now()
	set, err := signer.NewThrowaway(rand.Reader, now)
	if err != nil {
		b.Fatal(err)
	}
	p := set.PDFSigner(rand.Reader)
	info := signer.SignInfo{Name: "Əmək və Əhalinin Sosial Müdafiəsi Nazirliyi", Reason: "çıxarış"}
	for b.Loop() {
		if _, err := p.Sign(context.Background(), page, now, info); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStamp is the part of BenchmarkSign that is the time stamp.
func BenchmarkStamp(b *testing.B) {
	now := time.Now()
	set, err := signer.NewThrowaway(rand.Reader, now)
	if err != nil {
		b.Fatal(err)
	}
	authority, digest := set.Authority(rand.Reader), sha256.Sum256(nil)
	for b.Loop() {
		if _, err := authority.Stamp(context.Background(), digest[:], now); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignArchived is what the service does: BenchmarkSign, and all that makes it B-LTA. The difference is the cost of that.
func BenchmarkSignArchived(b *testing.B) {
	page, now := pdftest.Page(), time.Now()
	set, err := signer.NewThrowawayAt(rand.Reader, now, "https://tesdiq.example")
	if err != nil {
		b.Fatal(err)
	}
	p, err := set.Archivist(rand.Reader, set.Status(rand.Reader, signer.NothingRevoked{}))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := p.Sign(context.Background(), page, now, signer.SignInfo{}); err != nil {
			b.Fatal(err)
		}
	}
}
