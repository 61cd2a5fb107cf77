package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
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

// published makes what a status says, by its path; what enough has is left out.
func published(t *testing.T, s *signer.Status, at time.Time, enough map[string]signer.Publication) map[string]signer.Publication {
	t.Helper()
	all, err := s.Publish(at, func(path string, revocations int) bool {
		p, ok := enough[path]
		return ok && p.Revocations >= revocations
	})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]signer.Publication{}
	for _, p := range all {
		if _, twice := said[p.Path]; twice || len(p.Body) == 0 || !p.Produced.Equal(at) {
			t.Errorf("%s, %d bytes, %s", p.Path, len(p.Body), p.Produced)
		}
		said[p.Path] = p
	}
	return said
}

// answerPath is where a program would find the answer about c: by the CertID in the request that another library writes.
func answerPath(t *testing.T, c, issuer *x509.Certificate, hash crypto.Hash) string {
	t.Helper()
	der, err := ocsp.CreateRequest(c, issuer, &ocsp.RequestOptions{Hash: hash})
	if err != nil {
		t.Fatal(err)
	}
	in := cryptobyte.String(der)
	var raw cryptobyte.String
	for range 4 { // OCSPRequest, TBSRequest, requestList, Request
		if !in.ReadASN1(&in, casn1.SEQUENCE) {
			t.Fatalf("%x", der)
		}
	}
	if !in.ReadASN1Element(&raw, casn1.SEQUENCE) {
		t.Fatalf("%x", der)
	}
	return keys.AnswerPath(raw)
}

// Of each certificate there is an answer before anybody asks, and a new one once it says something else.
func TestWhatIsPublished(t *testing.T) {
	set, _ := archivist(t, now)
	var gone revoked
	status := set.Status(rand.Reader, &gone)
	first := published(t, status, now, nil)
	if len(first) != 3*4+2*2 { // three certificates, each asked for in four ways; two authorities
		t.Errorf("%d publications", len(first))
	}
	for _, c := range []struct{ of, by *x509.Certificate }{{set.Signer, set.CA}, {set.CA, set.Root}, {set.TSA, set.Root}} {
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
			p := first[answerPath(t, c.of, c.by, hash)]
			r, err := ocsp.ParseResponseForCert(p.Body, c.of, c.by)
			if err != nil || r.Status != ocsp.Good || !r.NextUpdate.Equal(p.Until) || r.ProducedAt.After(now) || p.Serial != keys.Serial(c.of) || p.Revocations != 0 {
				t.Errorf("%s: %+v, %v", p.Path, r, err)
			}
		}
	}
	if more := published(t, status, now.Add(time.Minute), first); len(more) != 0 {
		t.Errorf("%d made anew", len(more))
	}
	at := now.Add(2 * time.Minute)
	gone = revoked{{Serial: set.Signer.SerialNumber, At: at, Reason: 1}}
	more := published(t, status, at, first)
	if len(more) != 4+2 { // and both lists, since it is both authorities that say so here
		t.Errorf("%d made anew after a revocation", len(more))
	}
	p := more[answerPath(t, set.Signer, set.CA, crypto.SHA256)]
	if r, err := ocsp.ParseResponseForCert(p.Body, set.Signer, set.CA); err != nil || r.Status != ocsp.Revoked || p.Revocations != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	crl := more["crl/issuing-ca.crl"]
	list, err := x509.ParseRevocationList(crl.Body)
	if err != nil || len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].ReasonCode != 1 || !list.NextUpdate.Equal(crl.Until) {
		t.Errorf("%+v, %v", list, err)
	}
}

// A list from elsewhere is given as it is; one that is out of date is put into no file.
func TestListFromElsewhere(t *testing.T) {
	set, _ := archivist(t, now)
	made := set.Status(rand.Reader, signer.NothingRevoked{})
	crl := published(t, made, now, nil)["crl/root.crl"]
	set.RootKey, set.RootCRL = nil, crl.Body
	status := set.Status(rand.Reader, signer.NothingRevoked{})
	if got := published(t, status, now.AddDate(1, 0, 0), nil)["crl/root.crl"]; !bytes.Equal(got.Body, crl.Body) || !got.Until.Equal(crl.Until) {
		t.Errorf("until %s", got.Until)
	}
	chain := []*x509.Certificate{set.TSA, set.Root}
	if e, err := status.Evidence(t.Context(), chain, now); err != nil || len(e.CRLs) != 1 {
		t.Errorf("%d lists, %v", len(e.CRLs), err)
	}
	if e, err := status.Evidence(t.Context(), chain, now.AddDate(1, 0, 0)); err != nil || len(e.CRLs) != 0 || len(e.OCSPs) != 1 {
		t.Errorf("%d lists, %d answers, %v", len(e.CRLs), len(e.OCSPs), err)
	}
	set.RootCRL = nil
	if _, there := published(t, set.Status(rand.Reader, signer.NothingRevoked{}), now, nil)["crl/root.crl"]; there {
		t.Error("a list without a key")
	}
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
