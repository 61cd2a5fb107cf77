package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.FixedZone("Baku", 4*3600))

func newSet(t testing.TB) *signer.Set {
	t.Helper()
	set, err := signer.NewThrowaway(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestThrowawayCertificates(t *testing.T) {
	set := newSet(t)
	for _, c := range []struct {
		cert  *x509.Certificate
		years int
		ca    bool
	}{{set.Root, 10, true}, {set.CA, 5, true}, {set.Signer, 2, false}, {set.TSA, 5, false}} {
		name := c.cert.Subject.CommonName
		if !strings.Contains(name, "DEMO, not for real use") {
			t.Errorf("%s does not say that it is a demo's", name)
		}
		if key, ok := c.cert.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() || c.cert.SignatureAlgorithm != x509.ECDSAWithSHA256 {
			t.Errorf("%s is not P-256 with SHA-256", name)
		}
		if bits := c.cert.SerialNumber.BitLen(); bits < 64 || bits > 159 {
			t.Errorf("%s has a serial number of %d bits", name, bits)
		}
		if c.cert.IsCA != c.ca || !c.cert.NotAfter.Equal(c.cert.NotBefore.AddDate(c.years, 0, 0)) || c.cert.NotBefore.After(now) {
			t.Errorf("%s: authority %v, from %s to %s", name, c.cert.IsCA, c.cert.NotBefore, c.cert.NotAfter)
		}
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roots.Chain(keys.DocumentSigning, set.Signer, []*x509.Certificate{set.CA}, now); err != nil {
		t.Errorf("document signer: %v", err)
	}
	if _, err := roots.Chain(keys.TimeStamping, set.TSA, nil, now); err != nil {
		t.Errorf("time-stamp signer: %v", err)
	}
	if !set.Throwaway() {
		t.Error("not known as throwaway")
	}
	if other := newSet(t); other.Root.SerialNumber.Cmp(set.Root.SerialNumber) == 0 {
		t.Error("two sets have one serial number")
	}
}

func TestSaveAndLoad(t *testing.T) {
	set := newSet(t)
	dir := filepath.Join(t.TempDir(), "data", "keys")
	if err := set.Save(dir); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 13 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, ".key") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %04o", f, info.Mode().Perm())
		}
	}
	loaded, err := signer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !loaded.Signer.Equal(set.Signer) || !loaded.TSA.Equal(set.TSA) || !loaded.Root.Equal(set.Root) || !loaded.CA.Equal(set.CA) || !loaded.Throwaway() {
		t.Error("another set came back")
	}
	rootsPEM, err := os.ReadFile(filepath.Join(dir, signer.RootsFile))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := keys.ParseRoots(rootsPEM)
	if err != nil {
		t.Fatal(err)
	}
	out, err := loaded.PDFSigner(rand.Reader).Sign(context.Background(), pdftest.Page(), now, signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if r := pades.Read(out, roots); r.Indication != pades.Passed {
		t.Errorf("signed with the loaded set: %+v", r)
	}
	if err := newSet(t).Save(dir); err == nil {
		t.Error("keys were overwritten")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), ".keys-*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestSaveIntoAnEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	if err := newSet(t).Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Load(dir); err != nil {
		t.Error(err)
	}
}

func TestLoadRefuses(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other")
	if err := newSet(t).Save(other); err != nil {
		t.Fatal(err)
	}
	copyFrom := func(dir, name string) error {
		data, err := os.ReadFile(filepath.Join(other, name))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), data, 0o600)
	}
	for _, c := range []struct {
		name, fault string
		spoil       func(dir string) error
	}{
		{"a key that the group can read", "can be read by others", func(dir string) error { return os.Chmod(filepath.Join(dir, "document-signer.key"), 0o640) }},
		{"a key that all can read", "can be read by others", func(dir string) error { return os.Chmod(filepath.Join(dir, "root.key"), 0o604) }},
		{"no document signer's key", "does not exist", func(dir string) error { return os.Remove(filepath.Join(dir, "document-signer.key")) }},
		{"no certificate", "no such file", func(dir string) error { return os.Remove(filepath.Join(dir, "time-stamp-signer.pem")) }},
		{"another's key", "the key is not the certificate's", func(dir string) error { return copyFrom(dir, "document-signer.key") }},
		{"another's signer", "no chain to a pinned root", func(dir string) error {
			return errors.Join(copyFrom(dir, "document-signer.key"), copyFrom(dir, "document-signer.pem"))
		}},
		{"a key cut short", "exactly one PEM block", func(dir string) error { return os.Truncate(filepath.Join(dir, "document-signer.key"), 50) }},
		{"an empty key", "exactly one PEM block", func(dir string) error { return os.Truncate(filepath.Join(dir, "document-signer.key"), 0) }},
		{"a folder for a key", "not a regular file", func(dir string) error {
			path := filepath.Join(dir, "document-signer.key")
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
		}},
		{"a certificate for a key", "exactly one PEM block", func(dir string) error {
			data, err := os.ReadFile(filepath.Join(dir, "root.pem"))
			return errors.Join(err, os.WriteFile(filepath.Join(dir, "document-signer.key"), data, 0o600))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			if err := newSet(t).Save(dir); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := signer.Load(dir); err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLoadWithoutTheAuthoritiesKeys(t *testing.T) {
	set := newSet(t)
	set.RootKey, set.CAKey = nil, nil
	dir := filepath.Join(t.TempDir(), "keys")
	if err := set.Save(dir); err != nil {
		t.Fatal(err)
	}
	loaded, err := signer.Load(dir)
	if err != nil || loaded.RootKey != nil || loaded.CAKey != nil || loaded.SignerKey == nil {
		t.Errorf("%v", err)
	}
}

func TestStampIsReadByAnotherLibrary(t *testing.T) {
	set := newSet(t)
	digest := sha256.Sum256([]byte("signature"))
	token, err := set.Authority(rand.Reader).Stamp(context.Background(), digest[:], now)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := timestamp.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	if !ts.Time.Equal(now.Truncate(time.Second)) || !bytes.Equal(ts.HashedMessage, digest[:]) || ts.HashAlgorithm != crypto.SHA256 || ts.Accuracy != time.Second {
		t.Errorf("got %+v", ts)
	}
}

func TestStampRefuses(t *testing.T) {
	set := newSet(t)
	digest := make([]byte, sha256.Size)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		digest []byte
		at     time.Time
	}{
		{"another length", context.Background(), digest[:20], now},
		{"before the certificate", context.Background(), digest, now.AddDate(0, 0, -1)},
		{"after the certificate", context.Background(), digest, now.AddDate(6, 0, 0)},
		{"when nobody waits any more", gone, digest, now},
	} {
		if token, err := set.Authority(rand.Reader).Stamp(c.ctx, c.digest, c.at); err == nil || token != nil {
			t.Errorf("%s: stamped", c.name)
		}
	}
}

func TestSignKeepsThePage(t *testing.T) {
	page := pdftest.Page()
	out, err := newSet(t).PDFSigner(rand.Reader).Sign(context.Background(), page, now, signer.SignInfo{Name: "Ə", Reason: "(x) \\ ş", Location: "Bakı"})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out, page) || !bytes.Equal(page, pdftest.Page()) {
		t.Error("the page is not the beginning of what was signed, or was changed in place")
	}
	for _, want := range []string{"/M(D:20261121060000Z)", "/Name<feff018f>", "/Location<feff00420061006b0131>", "/SubFilter/ETSI.CAdES.detached"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("%s is missing", want)
		}
	}
}

// stamper is a time-stamp authority elsewhere.
type stamper func() ([]byte, error)

func (s stamper) Stamp(context.Context, []byte, time.Time) ([]byte, error) { return s() }

func TestSignRefuses(t *testing.T) {
	page := pdftest.Page()
	swap := func(old, new string) []byte {
		if !bytes.Contains(page, []byte(old)) {
			t.Fatalf("the page has no %q", old)
		}
		return bytes.Replace(page, []byte(old), []byte(new), 1)
	}
	set := newSet(t)
	signed, err := set.PDFSigner(rand.Reader).Sign(context.Background(), page, now, signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, fault string
		pdf         []byte
	}{
		{"nothing", "no PDF header", nil},
		{"another kind of file", "no PDF header", []byte("PK\x03\x04")},
		{"too large", "larger than", make([]byte, 20<<20+1)},
		{"cut short", "does not end", page[:len(page)-1]},
		{"with more behind", "does not end", append(bytes.Clone(page), 'x')},
		{"signed already", "has a signature already", signed},
		{"with a form", "has /AcroForm", pdftest.WithObject(page, 1, "<</Type /Catalog/Pages 2 0 R/AcroForm<<>>>>")},
		{"with permissions", "has /Perms", pdftest.WithObject(page, 1, "<</Type /Catalog/Pages 2 0 R/Perms 3 0 R>>")},
		{"with annotations", "has annotations", pdftest.WithObject(page, 5, "<</Type /Page/Parent 2 0 R/Annots[]>>")},
		{"encrypted", "trailer has /Encrypt", swap("/Root 1 0 R\n", "/Root 1 0 R/Encrypt 3 0 R\n")},
		{"updated already", "trailer has /Prev", swap("/Root 1 0 R\n", "/Root 1 0 R/Prev 1\n")},
		{"two roots", "stands there twice", swap("/Root 1 0 R\n", "/Root 1 0 R/Root 2 0 R\n")},
		{"another size", "/Size", swap("/Size 12", "/Size 13")},
		{"a table of more", "cannot be read", swap("xref\n0 12", "xref\n0 99999")},
		{"a table elsewhere", "no cross-reference table", swap("startxref\n7", "startxref\n6")},
		{"a table past the end", "startxref is not", swap("startxref\n", "startxref\n9")},
		{"an object elsewhere", "is not where the table says", swap("\n0000000016 ", "\n0000000017 ")},
		{"the root no catalog", "is not a /Catalog", swap("/Root 1 0 R", "/Root 2 0 R")},
		{"a comment in the catalog", "catalog", pdftest.WithObject(page, 1, "<</Type/Catalog %/Pages 2 0 R\n/Pages 2 0 R>>")},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := set.PDFSigner(rand.Reader).Sign(context.Background(), c.pdf, now, signer.SignInfo{})
			if err == nil || out != nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %v", err)
			}
		})
	}
	fault := errors.New("the authority does not answer")
	for _, c := range []struct {
		name, fault string
		spoil       func(*signer.PDFSigner) time.Time
	}{
		{"after the certificate's end", "outside the certificate's validity", func(*signer.PDFSigner) time.Time { return now.AddDate(3, 0, 0) }},
		{"before its beginning", "outside the certificate's validity", func(*signer.PDFSigner) time.Time { return now.AddDate(0, 0, -1) }},
		{"with another key", "the key is not the certificate's", func(p *signer.PDFSigner) time.Time { p.Key = set.TSAKey; return now }},
		{"without a key", "missing", func(p *signer.PDFSigner) time.Time { p.Key = nil; return now }},
		{"without a time stamp", fault.Error(), func(p *signer.PDFSigner) time.Time {
			p.Stamper = stamper(func() ([]byte, error) { return nil, fault })
			return now
		}},
		{"with a time stamp too large", "there is room for", func(p *signer.PDFSigner) time.Time {
			p.Stamper = stamper(func() ([]byte, error) { return make([]byte, 7000), nil })
			return now
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := set.PDFSigner(rand.Reader)
			at := c.spoil(p)
			if out, err := p.Sign(context.Background(), page, at, signer.SignInfo{}); err == nil || out != nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzSign: whatever the signer accepts as a page, the strict reading accepts once it is signed, or calls it by its own fault;
// and it never panics.
func FuzzSign(f *testing.F) {
	f.Add(pdftest.Page())
	f.Add([]byte("%PDF-1.7\n1 0 obj\n<</Type /Catalog /Pages 2 0 R>>\nendobj\n"))
	set := newSet(f)
	roots, err := set.Roots()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, pdf []byte) {
		out, err := set.PDFSigner(rand.Reader).Sign(context.Background(), pdf, now, signer.SignInfo{})
		if err != nil {
			return
		}
		if !bytes.HasPrefix(out, pdf) {
			t.Error("what was signed does not begin with the page")
		}
		if r := pades.Read(out, roots); r.Indication != pades.Passed && r.Integrity != pades.Broken && r.Integrity != pades.Altered {
			t.Errorf("%+v", r)
		}
	})
}
