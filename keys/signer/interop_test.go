package signer_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/templates"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The tests of this file lay what we sign before programs that others wrote. `make test` installs them.

// desk is a folder with a signed file, its signature, its time stamp and our roots, as these programs want them.
type desk struct {
	t   *testing.T
	dir string
}

// run runs a program in the folder and gives what it says; it must end well and say every one of words.
func (d *desk) run(words []string, name string, args ...string) {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), name, args...)
	cmd.Dir, cmd.Env = d.dir, append(os.Environ(), "HOME="+d.dir, "LC_ALL=C.UTF-8", "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	for _, w := range words {
		if !bytes.Contains(out, []byte(w)) {
			d.t.Errorf("%s does not say %q:\n%s", name, w, out)
		}
	}
}

func (d *desk) write(name string, data []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// newDesk signs a page now, since these programs judge by their own clock.
func newDesk(t *testing.T, page []byte) *desk {
	t.Helper()
	at := time.Now()
	set, err := signer.NewThrowaway(rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	file, err := set.PDFSigner(rand.Reader).Sign(t.Context(), page, at, signer.SignInfo{Name: "Əmək Nazirliyi", Reason: "çıxarış", Location: "Bakı"})
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t, t.TempDir()}
	d.write("signed.pdf", file)
	d.write("roots.pem", roots.PEM())

	from := bytes.Index(file, []byte("/Contents<")) + len("/Contents")
	to := from + bytes.IndexByte(file[from:], '>') + 1
	contents := make([]byte, (to-from-2)/2)
	if _, err := hex.Decode(contents, file[from+1:to-1]); err != nil {
		t.Fatal(err)
	}
	var cms, der cryptobyte.String = contents, nil
	if !cms.ReadASN1Element(&der, casn1.SEQUENCE) {
		t.Fatal("no DER in /Contents")
	}
	d.write("signature.der", der)
	d.write("content", append(bytes.Clone(file[:from]), file[to:]...))
	signature, token := tokenOf(t, der)
	d.write("token.der", token)
	d.write("signature.bin", signature)
	return d
}

// tokenOf walks to the signature value and the time-stamp token of the one signer.
func tokenOf(t *testing.T, der cryptobyte.String) (signature, token []byte) {
	t.Helper()
	var outer, inner, body, infos, info, unsigned, attribute, value, raw, sig cryptobyte.String
	context0, context1 := casn1.Tag(0).ContextSpecific().Constructed(), casn1.Tag(1).ContextSpecific().Constructed()
	ok := der.ReadASN1(&outer, casn1.SEQUENCE) && outer.SkipASN1(casn1.OBJECT_IDENTIFIER) && outer.ReadASN1(&inner, context0) &&
		inner.ReadASN1(&body, casn1.SEQUENCE) && body.SkipASN1(casn1.INTEGER) && body.SkipASN1(casn1.SET) && body.SkipASN1(casn1.SEQUENCE) &&
		body.SkipASN1(context0) && body.ReadASN1(&infos, casn1.SET) && infos.ReadASN1(&info, casn1.SEQUENCE) &&
		info.SkipASN1(casn1.INTEGER) && info.SkipASN1(casn1.SEQUENCE) && info.SkipASN1(casn1.SEQUENCE) && info.SkipASN1(context0) &&
		info.SkipASN1(casn1.SEQUENCE) && info.ReadASN1(&sig, casn1.OCTET_STRING) && info.ReadASN1(&unsigned, context1) &&
		unsigned.ReadASN1(&attribute, casn1.SEQUENCE) && attribute.SkipASN1(casn1.OBJECT_IDENTIFIER) &&
		attribute.ReadASN1(&value, casn1.SET) && value.ReadASN1Element(&raw, casn1.SEQUENCE)
	if !ok {
		t.Fatal("the signature is not built as expected")
	}
	return sig, raw
}

// onEachPage runs a test on a page of the tests and on one as the service draws it.
func onEachPage(t *testing.T, test func(t *testing.T, d *desk)) {
	code, err := tesdiq.NewCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	real, err := templates.Draw(templates.Sheet{
		Statement: templates.Statement{Lang: tesdiq.Az, Title: "Əlilliyin müəyyən edilməsi barədə çıxarış", AsOf: at, Facts: []templates.Fact{
			{Key: "name", Group: "Şəxs", Label: "Soyad, ad, ata adı", Value: "Əliyeva Şəfəq İsmayıl qızı"}}},
		Number: "E-2026-0048213", Code: code, QR: "https://tesdiq.example/v/" + string(code), CheckAt: "tesdiq.example/check", IssuedAt: at, Attachment: []byte("e30.e30.AA"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("page of the tests", func(t *testing.T) { test(t, newDesk(t, pdftest.Page())) })
	t.Run("page of the service", func(t *testing.T) { test(t, newDesk(t, real)) })
}

func TestInteropPdfsig(t *testing.T) { onEachPage(t, pdfsig) }

func pdfsig(t *testing.T, d *desk) {
	d.run([]string{"Signature is Valid", "Total document signed", "ETSI.CAdES.detached", "SHA-256"}, "pdfsig", "-nocert", "signed.pdf")

	// With our root in its store, it also trusts the certificate.
	if err := os.Mkdir(filepath.Join(d.dir, "nss"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.run(nil, "certutil", "-N", "-d", "sql:nss", "--empty-password")
	d.run(nil, "certutil", "-A", "-d", "sql:nss", "-n", "tesdiq", "-t", "CT,CT,CT", "-a", "-i", "roots.pem")
	d.run([]string{"Signature is Valid", "Total document signed", "Certificate is Trusted"}, "pdfsig", "-nssdir", "sql:nss", "signed.pdf")
}

func TestInteropQpdfAndMutool(t *testing.T) { onEachPage(t, qpdfAndMutool) }

func qpdfAndMutool(t *testing.T, d *desk) {
	d.run([]string{"No syntax or stream encoding errors found"}, "qpdf", "--check", "signed.pdf")
	d.run([]string{"Pages: 1"}, "mutool", "info", "signed.pdf")
	d.run([]string{"Əlilliyin müəyyən edilməsi barədə çıxarış", "Əliyeva Şəfəq İsmayıl qızı"}, "pdftotext", "-layout", "signed.pdf", "-")
}

func TestInteropOpensslCMS(t *testing.T) {
	d := newDesk(t, pdftest.Page())
	// With e-mail protection beside document signing, openssl's default purpose is content; -cades checks signing-certificate-v2.
	d.run([]string{"Verification successful"}, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "signature.der",
		"-content", "content", "-CAfile", "roots.pem", "-no-CApath", "-no-CAstore", "-out", os.DevNull)
}

func TestInteropOpensslTS(t *testing.T) {
	d := newDesk(t, pdftest.Page())
	d.run([]string{"Verification: OK"}, "openssl", "ts", "-verify", "-token_in", "-in", "token.der", "-data", "signature.bin", "-CAfile", "roots.pem")
}

// What the service issues is B-LTA. The document's signature does not cover the archive that follows it, and cannot.
func TestInteropArchived(t *testing.T) {
	set, p := archivist(t, time.Now())
	d := &desk{t, t.TempDir()}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	d.write("roots.pem", roots.PEM())
	file, err := p.Sign(t.Context(), pdftest.Page(), time.Now(), signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	renewed, _, err := p.Renew(t.Context(), file, time.Now().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for name, pdf := range map[string][]byte{"archived": file, "renewed": renewed} {
		d.write(name+".pdf", pdf)
		d.run([]string{"Signature is Valid", "ETSI.CAdES.detached", "Signature Field Name: Tesdiq stamp 1", "Total document signed"}, "pdfsig", "-nocert", name+".pdf")
		d.run([]string{"No syntax or stream encoding errors found"}, "qpdf", "--check", name+".pdf")
		d.run([]string{"Pages: 1"}, "mutool", "info", name+".pdf")
		der, over := contentsOf(t, pdf)
		var cms, token cryptobyte.String = der, nil
		if !cms.ReadASN1Element(&token, casn1.SEQUENCE) {
			t.Fatal("no DER in /Contents")
		}
		d.write("stamp.der", token)
		d.write("over", over)
		d.run([]string{"Verification: OK"}, "openssl", "ts", "-verify", "-token_in", "-in", "stamp.der", "-data", "over", "-CAfile", "roots.pem")
	}
}

// The judges see a change, so their good word counts for something.
func TestInteropJudgesSeeAChange(t *testing.T) {
	d := newDesk(t, pdftest.Page())
	file, err := os.ReadFile(filepath.Join(d.dir, "signed.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(file, []byte("/Producer <FEFF0054"))
	file[at+len("/Producer <FEFF00")] = '4'
	d.write("changed.pdf", file)
	d.run([]string{"Digest Mismatch"}, "pdfsig", "-nocert", "changed.pdf")
}
