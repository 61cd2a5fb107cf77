package pades_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"golang.org/x/crypto/ocsp"
)

// vault is an authority that writes B-LTA, and a file of it.
type vault struct {
	set    *signer.Set
	roots  *keys.Roots
	signer *signer.PDFSigner
	file   []byte
}

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

func TestArchivedFilePasses(t *testing.T) {
	v := newVault(t)
	signed := 0 // where the signed revision ends
	for range 2 {
		signed += bytes.Index(v.file[signed:], []byte("%%EOF\n")) + len("%%EOF\n")
	}
	want := pades.Report{
		Integrity: pades.Intact, Indication: pades.Passed, Reason: pades.ReasonPassed,
		Signer: "Tesdiq document signer (DEMO, not for real use)", SignedAt: now, Level: "B-LTA", Code: pdftest.Code, Signed: signed,
		SignerSerial: keys.Serial(v.set.Signer), StampSerial: keys.Serial(v.set.TSA),
	}
	for _, at := range []time.Time{{}, now, now.AddDate(4, 0, 0)} { // the signer's certificate ends after two years
		if got := pades.ReadAt(v.file, v.roots, at); got != want {
			t.Errorf("at %s: got %+v, want %+v", at, got, want)
		}
	}
}

// S2 for a file with everything: the last time stamp covers all that came before it, so that not even the certificates may change.
func TestEveryByteOfAnArchivedFileCounts(t *testing.T) {
	v := newVault(t)
	seed := uint64(time.Now().UnixNano())
	random := mathrand.New(mathrand.NewPCG(seed, 0))
	file := bytes.Clone(v.file)
	for i := random.IntN(stride()); i < len(file); i += stride() {
		old := file[i]
		mutants := []byte{old ^ 1<<random.IntN(8), old ^ byte(1+random.IntN(255)), old ^ 0x20}
		if stride() > 1 {
			mutants = mutants[:1]
		}
		for _, mutant := range mutants {
			file[i] = mutant
			for _, roots := range []*keys.Roots{nil, v.roots} {
				if r := pades.Read(file, roots); r.Indication == pades.Passed || r.Integrity == pades.Intact || r.Integrity == pades.Extended {
					t.Errorf("byte %d: %#x instead of %#x gives %+v (seed %d)", i, mutant, old, r, seed)
				}
			}
		}
		file[i] = old
	}
}

// authorityOfTime makes a time-stamp authority under our root, valid between two years from now.
func (w *world) authorityOfTime(t *testing.T, from, to int) func(*forgedCMS) {
	t.Helper()
	cert, key := certificate(t, func(c *x509.Certificate) {
		stamping(true)(c)
		c.NotBefore, c.NotAfter = now.AddDate(from, 0, 0), now.AddDate(to, 0, 0)
	}, w.set.Root, w.set.RootKey)
	return func(f *forgedCMS) { f.key, f.sid, f.hashed, f.bag = key, cert, cert.Raw, [][]byte{cert.Raw} }
}

func TestTimeMovesPastTheCertificates(t *testing.T) {
	w := newWorld(t)
	file := w.contract("/P 1", "") // its time stamp's certificate ends after five years, its signer's after two
	rogue, rogueKey := certificate(t, stamping(true), nil, nil)
	stranger := func(f *forgedCMS) { f.key, f.sid, f.hashed, f.bag = rogueKey, rogue, rogue.Raw, [][]byte{rogue.Raw} }
	renewed := w.stampDocument(file, 40, now.AddDate(4, 0, 0), "0 0 0 0", w.authorityOfTime(t, 3, 8))
	twice := w.stampDocument(renewed, 50, now.AddDate(7, 0, 0), "0 0 0 0", w.authorityOfTime(t, 6, 9))
	tooLate := w.stampDocument(file, 40, now.AddDate(6, 0, 0), "0 0 0 0", w.authorityOfTime(t, 3, 8))
	tooEarly := w.stampDocument(file, 40, now.Add(-30*time.Second), "0 0 0 0", w.authorityOfTime(t, -1, 8))
	byStranger := w.stampDocument(file, 40, now.Add(time.Minute), "0 0 0 0", stranger)
	byStrangerToo := w.stampDocument(renewed, 50, now.AddDate(7, 0, 0), "0 0 0 0", stranger)
	ok := outcome{pades.Intact, pades.Passed, "", pades.ReasonPassed}
	stale := outcome{pades.Intact, pades.Indeterminate, pades.OutOfBoundsNoPOE, pades.ReasonStale}
	for _, c := range []struct {
		name  string
		file  []byte
		years int
		want  outcome
	}{
		{"today", file, 0, ok},
		{"after the signer's certificate", file, 4, ok},
		{"after the time stamp's certificate", file, 6, stale},
		{"before it", file, -1, outcome{pades.Intact, pades.Indeterminate, pades.TimestampOrderFailure, pades.ReasonUntrustedTime}},
		{"renewed", renewed, 7, ok},
		{"renewed, and that has ended", renewed, 9, stale},
		{"renewed twice", twice, 8, ok},
		{"renewed twice, and that has ended", twice, 10, stale},
		{"renewed too late", tooLate, 7, stale},
		{"renewed before it was signed", tooEarly, 7, outcome{pades.Intact, pades.Indeterminate, pades.TimestampOrderFailure, pades.ReasonUntrustedTime}},
		{"a stranger's time stamp changes nothing", byStranger, 4, ok},
		{"and holds nothing up", byStranger, 6, stale},
		{"a stranger's after ours", byStrangerToo, 7, ok},
		{"a stranger's after ours, and that has ended", byStrangerToo, 9, stale},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := pades.ReadAt(c.file, w.roots, now.AddDate(c.years, 0, 1))
			if got := (outcome{r.Integrity, r.Indication, r.SubIndication, r.Reason}); got != c.want {
				t.Errorf("got %+v, want %v", r, c.want)
			}
			if r.Signed != len(file) || r.Indication == pades.Passed && !r.SignedAt.Equal(now) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestFileThatProvesARevocation(t *testing.T) {
	w := newWorld(t)
	file := w.contract("/P 1", "")
	invalid := func(at time.Time) []pkix.Extension {
		der, err := asn1.MarshalWithParams(at, "generalized")
		if err != nil {
			t.Fatal(err)
		}
		return []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: der}}
	}
	answer := func(c, issuer *x509.Certificate, key crypto.Signer, status int, at time.Time, extensions []pkix.Extension) [][]byte {
		der, err := ocsp.CreateResponse(issuer, issuer, ocsp.Response{Status: status, SerialNumber: c.SerialNumber, ThisUpdate: now, NextUpdate: now.Add(time.Hour),
			RevokedAt: at, RevocationReason: ocsp.KeyCompromise, ExtraExtensions: extensions}, key)
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{der}
	}
	list := func(c, issuer *x509.Certificate, key crypto.Signer, at time.Time) [][]byte {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(time.Hour),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: c.SerialNumber, RevocationTime: at}}}, issuer, key)
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{der}
	}
	s := w.set
	otherCA, otherKey := certificate(t, func(c *x509.Certificate) {
		authority("")(c)
		c.Subject = s.CA.Subject
		c.KeyUsage |= x509.KeyUsageCRLSign
	}, nil, nil)
	before, after := now.Add(-time.Second), now.Add(time.Second)
	ok := outcome{pades.Intact, pades.Passed, "", pades.ReasonPassed}
	gone := outcome{pades.Intact, pades.Failed, pades.Revoked, pades.ReasonRevoked}
	for _, c := range []struct {
		name        string
		ocsps, crls [][]byte
		want        outcome
	}{
		{"good", answer(s.Signer, s.CA, s.CAKey, ocsp.Good, now, nil), nil, ok},
		{"revoked before", answer(s.Signer, s.CA, s.CAKey, ocsp.Revoked, before, nil), nil, gone},
		{"revoked at that moment", answer(s.Signer, s.CA, s.CAKey, ocsp.Revoked, now, nil), nil, gone},
		{"revoked afterwards", answer(s.Signer, s.CA, s.CAKey, ocsp.Revoked, after, nil), nil, ok},
		{"revoked afterwards, invalid before", answer(s.Signer, s.CA, s.CAKey, ocsp.Revoked, after, invalid(before)), nil, gone},
		{"revoked, by a stranger", answer(s.Signer, otherCA, otherKey, ocsp.Revoked, before, nil), nil, ok},
		{"another revoked", answer(s.TSA, s.CA, s.CAKey, ocsp.Revoked, before, nil), nil, ok},
		{"good first, then revoked", append(answer(s.Signer, s.CA, s.CAKey, ocsp.Good, now, nil), answer(s.Signer, s.CA, s.CAKey, ocsp.Revoked, before, nil)...), nil, gone},
		{"listed before", nil, list(s.Signer, s.CA, s.CAKey, before), gone},
		{"listed afterwards", nil, list(s.Signer, s.CA, s.CAKey, after), ok},
		{"listed by a stranger", nil, list(s.Signer, otherCA, otherKey, before), ok},
		{"the authority listed", nil, list(s.CA, s.Root, s.RootKey, before), outcome{pades.Intact, pades.Indeterminate, pades.RevokedCANoPOE, pades.ReasonRevoked}},
		{"the time stamp's signer listed", nil, list(s.TSA, s.Root, s.RootKey, before), outcome{pades.Intact, pades.Indeterminate, pades.NoPOE, pades.ReasonUntrustedTime}},
		{"rubbish", [][]byte{[]byte("rubbish")}, [][]byte{{0x30, 0}}, ok},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := pades.ReadAt(store(file, [][]byte{s.CA.Raw}, c.ocsps, c.crls), w.roots, now.Add(time.Minute))
			if got := (outcome{r.Integrity, r.Indication, r.SubIndication, r.Reason}); got != c.want {
				t.Errorf("got %+v, want %v", r, c.want)
			}
			if r.Indication == pades.Passed && r.Level != "B-LT" {
				t.Errorf("level %s", r.Level)
			}
		})
	}
}
