package pades_test

import (
	"crypto/rand"
	"crypto/x509"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// vault is an authority that writes B-LTA, and a file of it.
type vault struct {
	set    *signer.Set
	roots  *keys.Roots
	signer *signer.PDFSigner
	file   []byte
}

// revocations is what an authority has revoked.
type revocations []signer.Revocation

func (r revocations) Revoked(*x509.Certificate) ([]signer.Revocation, error) { return r, nil }

func newVault(t testing.TB) *vault {
	t.Helper()
	set, err := signer.NewThrowawayAt(rand.Reader, now, "https://tesdiq.example")
	if err != nil {
		t.Fatal(err)
	}
	v := &vault{set: set}
	if v.roots, err = set.Roots(); err != nil {
		t.Fatal(err)
	}
	if v.signer, err = set.Archivist(rand.Reader, set.Status(rand.Reader, signer.NothingRevoked{})); err != nil {
		t.Fatal(err)
	}
	if v.file, err = v.signer.Sign(t.Context(), pdftest.Page(), now, signer.SignInfo{}); err != nil {
		t.Fatal(err)
	}
	return v
}

func BenchmarkReadArchived(b *testing.B) {
	v := newVault(b)
	b.SetBytes(int64(len(v.file)))
	for b.Loop() {
		if r := pades.ReadAt(v.file, v.roots, now.Add(time.Hour)); r.Indication != pades.Passed || r.Level != "B-LTA" {
			b.Fatalf("%+v", r)
		}
	}
}
