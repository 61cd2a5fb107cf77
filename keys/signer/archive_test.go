package signer_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crypto/x509"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"golang.org/x/crypto/ocsp"
)

// revoked is what an authority revoked.
type revoked []signer.Revocation

func (r revoked) Revoked(*x509.Certificate) ([]signer.Revocation, error) { return r, nil }

// archivist signs as B-LTA with a set made at a moment.
func archivist(t testing.TB, at time.Time) (*signer.Set, *signer.PDFSigner) {
	t.Helper()
	set, err := signer.NewThrowawayAt(rand.Reader, at, "https://tesdiq.example")
	if err != nil {
		t.Fatal(err)
	}
	p, err := set.Archivist(rand.Reader, set.Status(rand.Reader, signer.NothingRevoked{}))
	if err != nil {
		t.Fatal(err)
	}
	return set, p
}

func level(t testing.TB, set *signer.Set, pdf []byte, want string) pades.Report {
	t.Helper()
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	r := pades.Read(pdf, roots)
	if r.Integrity != pades.Intact || r.Indication != pades.Passed || r.Level != want || r.Code != pdftest.Code {
		t.Errorf("%+v, want %s", r, want)
	}
	return r
}

func TestRenewedAtOnce(t *testing.T) {
	set, p := archivist(t, now)
	file, err := p.Sign(t.Context(), pdftest.Page(), now, signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	// The same answers stand in the file already: only a time stamp is added.
	file, _, err = p.Renew(t.Context(), file, now)
	if err != nil {
		t.Fatal(err)
	}
	level(t, set, file, "B-LTA")
}

func TestSignedAndArchived(t *testing.T) {
	set, p := archivist(t, now)
	file, err := p.Sign(t.Context(), pdftest.Page(), now, signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	level(t, set, file, "B-LTA")
	if !bytes.HasPrefix(file, pdftest.Page()) {
		t.Error("the page is not the beginning")
	}
	if got := len(file) - len(pdftest.Page()); got > 24<<10 {
		t.Errorf("signature and archive take %d bytes", got)
	}
	// Whatever revision it is cut back to, it is whole; and only the whole is B-LTA.
	for _, c := range []struct {
		revisions int
		level     string
	}{{2, "B-T"}, {3, "B-LT"}, {4, "B-LTA"}} {
		level(t, set, cut(file, c.revisions), c.level)
	}
}

// cut gives the first revisions of a file.
func cut(file []byte, revisions int) []byte {
	to := 0
	for range revisions {
		to += bytes.Index(file[to:], []byte("%%EOF\n")) + len("%%EOF\n")
	}
	return file[:to]
}

// Every byte after the signature counts, as do those before it: see the strict reading's own tests.
func TestArchiveIsWholeOrNotAtAll(t *testing.T) {
	set, p := archivist(t, now)
	file, err := p.Sign(t.Context(), pdftest.Page(), now, signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	for at := len(cut(file, 2)); at < len(file); at += 1 + at%3 {
		changed := bytes.Clone(file)
		changed[at] ^= 1
		if r := pades.Read(changed, roots); r.Integrity == pades.Intact || r.Indication == pades.Passed {
			t.Fatalf("byte %d of %d (%q): %+v", at, len(file), file[at-min(at, 40):at+1], r)
		}
	}
}

func TestRenewed(t *testing.T) {
	set, p := archivist(t, now)
	file, err := p.Sign(t.Context(), pdftest.Page(), now, signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := p.StampedUntil(file)
	if err != nil || !first.Equal(set.TSA.NotAfter) {
		t.Errorf("stamped until %s, %v", first, err)
	}
	later := now
	for range 3 {
		later = later.AddDate(1, 0, 0)
		older := file
		var until time.Time
		if file, until, err = p.Renew(t.Context(), older, later); err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(file, older) || !until.Equal(set.TSA.NotAfter) {
			t.Error("not a continuation of what it renews")
		}
		level(t, set, file, "B-LTA")
		if grown := len(file) - len(older); grown > 8<<10 {
			t.Errorf("a renewal takes %d bytes", grown)
		}
	}
	if n := bytes.Count(file, []byte("/DocTimeStamp")); n != 4 {
		t.Errorf("%d document time stamps", n)
	}
	// One that was signed before there was an archive gets everything.
	plain, err := set.PDFSigner(rand.Reader).Sign(t.Context(), pdftest.Page(), now, signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	if file, _, err = p.Renew(t.Context(), plain, later); err != nil {
		t.Fatal(err)
	}
	level(t, set, file, "B-LTA")

	for name, pdf := range map[string][]byte{"nothing": nil, "a page": pdftest.Page(), "cut": file[:len(file)-1]} {
		if out, _, err := p.Renew(t.Context(), pdf, later); err == nil || out != nil {
			t.Errorf("%s: renewed", name)
		}
	}
}

func FuzzRenew(f *testing.F) {
	_, p := archivist(f, now)
	file, err := p.Sign(f.Context(), pdftest.Page(), now, signer.SignInfo{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, pdf []byte) {
		if out, _, err := p.Renew(context.Background(), pdf, now); err == nil && !bytes.HasPrefix(out, pdf) {
			t.Error("not a continuation of what it renews")
		}
	})
}

func TestNothingIsSignedWithARevokedCertificate(t *testing.T) {
	set, _ := archivist(t, now)
	for _, c := range []*x509.Certificate{set.Signer, set.CA, set.TSA} {
		status := set.Status(rand.Reader, revoked{{Serial: c.SerialNumber, At: now, Reason: 1}})
		p, err := set.Archivist(rand.Reader, status)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := p.Sign(t.Context(), pdftest.Page(), now, signer.SignInfo{}); !errors.Is(err, signer.ErrRevoked) || out != nil {
			t.Errorf("%s: %v", c.Subject.CommonName, err)
		}
		// What was signed before is as it was.
		before := now.Add(-time.Second)
		if _, err := p.Sign(t.Context(), pdftest.Page(), before, signer.SignInfo{}); err != nil {
			t.Errorf("%s, a second before: %v", c.Subject.CommonName, err)
		}
	}
}

// An answer in a file was made in the second of the signature, and once however many are signed in it.
func TestAnswersOfASecond(t *testing.T) {
	set, _ := archivist(t, now)
	status := set.Status(rand.Reader, signer.NothingRevoked{})
	chain := []*x509.Certificate{set.Signer, set.CA, set.Root}
	one, err := status.Evidence(t.Context(), chain, now)
	if err != nil || len(one.OCSPs) != 2 || len(one.CRLs) != 2 || len(one.Certificates) != 3 {
		t.Fatalf("%d answers, %d lists, %v", len(one.OCSPs), len(one.CRLs), err)
	}
	again, err := status.Evidence(t.Context(), chain, now.Truncate(time.Second))
	if err != nil || !bytes.Equal(one.OCSPs[0], again.OCSPs[0]) || !bytes.Equal(one.CRLs[0], again.CRLs[0]) {
		t.Errorf("another answer in the same second: %v", err)
	}
	for i, issuer := range []*x509.Certificate{set.CA, set.Root} {
		r, err := ocsp.ParseResponseForCert(one.OCSPs[i], chain[i], issuer)
		if err != nil || r.Status != ocsp.Good || !r.ProducedAt.Equal(now.Truncate(time.Second)) || !r.ThisUpdate.Equal(r.ProducedAt) {
			t.Errorf("%+v, %v", r, err)
		}
		crl, err := x509.ParseRevocationList(one.CRLs[i])
		if err != nil || crl.CheckSignatureFrom(issuer) != nil || crl.ThisUpdate.After(now) || !crl.NextUpdate.After(now) {
			t.Errorf("%+v, %v", crl, err)
		}
	}
	next, err := status.Evidence(t.Context(), chain, now.Add(time.Second))
	if err != nil || bytes.Equal(one.OCSPs[0], next.OCSPs[0]) {
		t.Errorf("the answer of the second before: %v", err)
	}
	stranger, _ := archivist(t, now)
	if _, err := status.Evidence(t.Context(), []*x509.Certificate{stranger.Signer, set.CA, set.Root}, now); err == nil {
		t.Error("vouched for a certificate of somebody else's")
	}
}

func TestAnswersAreKeptButNotTooLong(t *testing.T) {
	set, _ := archivist(t, now)
	var gone revoked
	status := set.Status(rand.Reader, &gone)
	request, err := ocsp.CreateRequest(set.Signer, set.CA, nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(at time.Time, want int) []byte {
		t.Helper()
		der, until, err := status.Answer(request, at)
		if err != nil || !until.After(at) {
			t.Fatalf("until %s, %v", until, err)
		}
		r, err := ocsp.ParseResponse(der, set.CA)
		if err != nil || r.Status != want || r.NextUpdate.Before(at) || r.ProducedAt.After(at) {
			t.Fatalf("%+v, %v", r, err)
		}
		return der
	}
	at := now
	first := ask(at, ocsp.Good)
	if second := ask(at.Add(50*time.Minute), ocsp.Good); !bytes.Equal(first, second) {
		t.Error("made anew within the hour")
	}
	if third := ask(at.Add(70*time.Minute), ocsp.Good); bytes.Equal(first, third) {
		t.Error("an hour old")
	}
	// A revocation shows at once.
	gone = revoked{{Serial: set.Signer.SerialNumber, At: at.Add(71 * time.Minute), Reason: 1}}
	ask(at.Add(72*time.Minute), ocsp.Revoked)
	other, _ := archivist(t, now)
	if request, err = ocsp.CreateRequest(other.Signer, set.CA, nil); err != nil {
		t.Fatal(err)
	}
	ask(at.Add(72*time.Minute), ocsp.Unknown) // nor revoked: it may be anything
	crl, _, err := status.CRL("issuing-ca", at.Add(72*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(crl)
	if err != nil || len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].ReasonCode != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// A list from elsewhere is given as it is; one that is out of date is put into no file.
func TestListFromElsewhere(t *testing.T) {
	set, _ := archivist(t, now)
	made := set.Status(rand.Reader, signer.NothingRevoked{})
	crl, until, err := made.CRL("root", now)
	if err != nil {
		t.Fatal(err)
	}
	set.RootKey, set.RootCRL = nil, crl
	status := set.Status(rand.Reader, signer.NothingRevoked{})
	got, same, err := status.CRL("root", now.AddDate(1, 0, 0))
	if err != nil || !bytes.Equal(got, crl) || !same.Equal(until) {
		t.Errorf("until %s, %v", same, err)
	}
	chain := []*x509.Certificate{set.TSA, set.Root}
	if e, err := status.Evidence(t.Context(), chain, now); err != nil || len(e.CRLs) != 1 {
		t.Errorf("%d lists, %v", len(e.CRLs), err)
	}
	if e, err := status.Evidence(t.Context(), chain, now.AddDate(1, 0, 0)); err != nil || len(e.CRLs) != 0 || len(e.OCSPs) != 1 {
		t.Errorf("%d lists, %d answers, %v", len(e.CRLs), len(e.OCSPs), err)
	}
	set.RootCRL = nil
	if _, _, err := set.Status(rand.Reader, signer.NothingRevoked{}).CRL("root", now); err == nil {
		t.Error("a list without a key")
	}
}

func TestOCSPRequestsThatAreRefused(t *testing.T) {
	set, _ := archivist(t, now)
	status := set.Status(rand.Reader, signer.NothingRevoked{})
	other, _ := archivist(t, now)
	foreign, err := ocsp.CreateRequest(other.Signer, other.CA, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		request []byte
		want    ocsp.ResponseStatus
	}{
		"nothing":           {nil, ocsp.Malformed},
		"no request":        {[]byte("0\x03\x02\x01\x05"), ocsp.Malformed},
		"too large":         {bytes.Repeat([]byte{0x30}, signer.MaxOCSPRequest+1), ocsp.Malformed},
		"another authority": {foreign, ocsp.Unauthorized},
	} {
		der, until, err := status.Answer(c.request, now)
		if err != nil || !until.IsZero() {
			t.Errorf("%s: %s, %v", name, until, err)
		}
		var fault ocsp.ResponseError
		if _, err := ocsp.ParseResponse(der, nil); !errors.As(err, &fault) || fault.Status != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOCSPAnswer(f *testing.F) {
	set, _ := archivist(f, now)
	status := set.Status(rand.Reader, signer.NothingRevoked{})
	for _, c := range []*x509.Certificate{set.Signer} {
		request, err := ocsp.CreateRequest(c, set.CA, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(request)
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		der, _, err := status.Answer(request, now)
		if err != nil || len(der) == 0 {
			t.Errorf("%d bytes, %v", len(der), err)
		}
	})
}

func TestAddResponders(t *testing.T) {
	set := newSet(t)
	dir := filepath.Join(t.TempDir(), "keys")
	if err := set.Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ocsp-responder.pem", "ocsp-responder.key"} { // as if it was made before there were any, and stopped midway
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	old, err := signer.Load(dir)
	if err != nil || old.Responder != nil {
		t.Fatalf("%v, %v", old.Responder, err)
	}
	if _, err := old.Archivist(rand.Reader, old.Status(rand.Reader, signer.NothingRevoked{})); err == nil {
		t.Error("archives without anybody who answers")
	}
	if err := old.AddResponders(dir, rand.Reader); err != nil {
		t.Fatal(err)
	}
	loaded, err := signer.Load(dir)
	if err != nil || !loaded.Responder.Equal(old.Responder) || !loaded.RootResponder.Equal(old.RootResponder) {
		t.Fatal(err)
	}
	loaded.RootKey = nil
	if err := loaded.AddResponders(dir, rand.Reader); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("without the root's key: %v", err)
	}
}

func TestCertificatesSayWhereToAsk(t *testing.T) {
	set, _ := archivist(t, now)
	for _, c := range []*x509.Certificate{set.CA, set.Signer, set.TSA} {
		by := "issuing-ca"
		if bytes.Equal(c.RawIssuer, set.Root.RawSubject) {
			by = "root"
		}
		got := strings.Join(append(append(c.OCSPServer, c.CRLDistributionPoints...), c.IssuingCertificateURL...), " ")
		if want := "http://tesdiq.example/pki/ocsp http://tesdiq.example/pki/crl/" + by + ".crl http://tesdiq.example/pki/certificates/" + by + ".cer"; got != want {
			t.Errorf("%s: %s", c.Subject.CommonName, got)
		}
	}
}

// contentsOf gives the DER in the last /Contents of a file, and what it is over.
func contentsOf(t testing.TB, file []byte) (der, over []byte) {
	t.Helper()
	from := bytes.LastIndex(file, []byte("/Contents<")) + len("/Contents")
	to := from + bytes.IndexByte(file[from:], '>') + 1
	der = make([]byte, (to-from-2)/2)
	if _, err := hex.Decode(der, file[from+1:to-1]); err != nil {
		t.Fatal(err)
	}
	return der, append(bytes.Clone(file[:from]), file[to:]...)
}
