package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"golang.org/x/crypto/cryptobyte"
)

func TestSignedFilePasses(t *testing.T) {
	w := newWorld(t)
	got := pades.Read(w.signed, w.roots)
	want := pades.Report{
		Integrity: pades.Intact, Indication: pades.Passed, Reason: pades.ReasonPassed,
		Signer: "Tesdiq document signer (DEMO, not for real use)", SignedAt: now, Level: "B-T", Code: pdftest.Code, Signed: len(w.signed),
		SignerSerial: keys.Serial(w.set.Signer), StampSerial: keys.Serial(w.set.TSA),
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWithoutRootsOnlyIntegrityIsSaid(t *testing.T) {
	w := newWorld(t)
	want := pades.Report{Integrity: pades.Intact, Indication: pades.Indeterminate, SubIndication: pades.NoCertificateChainFound, Reason: pades.ReasonIntact, Signed: len(w.signed)}
	if got := pades.Read(w.signed, nil); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestForgerIsAbleToPass(t *testing.T) {
	w := newWorld(t)
	if got := pades.Read(w.genuine().write(w, w.page), w.roots); got.Indication != pades.Passed {
		t.Errorf("the forger's control does not pass: %+v", got)
	}
}

// outcome is what an attack must come to.
type outcome struct {
	integrity  pades.Integrity
	indication pades.Indication
	sub        pades.SubIndication
	reason     pades.Reason
}

func expect(t *testing.T, w *world, file []byte, want outcome) {
	t.Helper()
	judge(t, w, file, false)
	r := pades.Read(file, w.roots)
	if got := (outcome{r.Integrity, r.Indication, r.SubIndication, r.Reason}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if r.Signer != "" || r.Code != "" || r.Level != "" || !r.SignedAt.IsZero() {
		t.Errorf("claims of a file that did not pass: %+v", r)
	}
	// Without roots the certificates that came along have only each other to agree with.
	if r := pades.Read(file, nil); r.Integrity != want.integrity && (want.integrity != pades.Intact || r.Integrity != pades.Broken) {
		t.Errorf("integrity without roots: got %s, want %s", r.Integrity, want.integrity)
	}
}

var (
	isBroken  = outcome{pades.Broken, pades.Failed, pades.FormatFailure, pades.ReasonStructure}
	badCMS    = outcome{pades.Broken, pades.Failed, pades.FormatFailure, pades.ReasonSignature}
	badCrypto = outcome{pades.Broken, pades.Failed, pades.SigCryptoFailure, pades.ReasonSignature}
	isWeak    = outcome{pades.Broken, pades.Indeterminate, pades.CryptoConstraintsFailure, pades.ReasonWeak}
	changed   = outcome{pades.Altered, pades.Failed, pades.HashFailure, pades.ReasonChanged}
	appended  = outcome{pades.Altered, pades.Failed, pades.FormatFailure, pades.ReasonAppended}
	stranger  = outcome{pades.Intact, pades.Indeterminate, pades.NoCertificateChainFound, pades.ReasonStranger}
	noStamp   = outcome{pades.Intact, pades.Indeterminate, pades.NoPOE, pades.ReasonNoTime}
	badStamp  = outcome{pades.Intact, pades.Indeterminate, pades.NoPOE, pades.ReasonUntrustedTime}
	// stampBroken: the time stamp contradicts itself or the signature; badStamp: it is whole, but not by one of ours.
	stampBroken = outcome{pades.Broken, pades.Indeterminate, pades.NoPOE, pades.ReasonUntrustedTime}
	noCert      = outcome{pades.Broken, pades.Indeterminate, pades.NoSigningCertificateFound, pades.ReasonCertificate}
	unsigned    = outcome{pades.Unsigned, pades.Failed, pades.FormatFailure, pades.ReasonUnsigned}
)

func TestFilesThatAreNotSignedPDFs(t *testing.T) {
	w := newWorld(t)
	format := func(r pades.Reason) outcome { return outcome{pades.Broken, pades.Failed, pades.FormatFailure, r} }
	for _, c := range []struct {
		name string
		file []byte
		want outcome
	}{
		{"empty", nil, format(pades.ReasonEmpty)},
		{"HTML", []byte("<html>%PDF-1.7"), format(pades.ReasonNotPDF)},
		{"only a header", []byte("%PDF-1.7\n"), outcome{pades.Unsigned, pades.Failed, pades.FormatFailure, pades.ReasonIncomplete}},
		{"too large", make([]byte, pades.MaxSize+1), format(pades.ReasonTooLarge)},
		{"the page before signing", w.page, unsigned},
		{"encrypted, in our shape", bytes.Replace(w.page, []byte("/Root 1 0 R\n"), []byte("/Root 1 0 R\n/Encrypt 9 0 R\n"), 1), format(pades.ReasonEncrypted)},
		{"encrypted, in another shape", []byte("%PDF-1.7\n%%\nxref trailer <</Encrypt 9 0 R>>"), format(pades.ReasonEncrypted)},
		{"signed by others, in another shape", []byte("%PDF-1.7\n%%\n1 0 obj<</Type/Sig/ByteRange [0 1 2 3]>>\n%%EOF"), isBroken},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, w, c.file, c.want) })
	}
}

func TestChangesAfterSigning(t *testing.T) {
	w := newWorld(t)
	update := func(objects []forgedObject) []byte {
		u := &forgedUpdate{objects: objects, trailer: "<</Size 15/Root 1 0 R/Info 14 0 R/Prev %d>>", hex: func([]byte) string { return "" }, ranges: func(int, int, int) string { return "" }}
		return u.write(w, w.signed)
	}
	content := bytes.Replace(w.signed, []byte("/Type /Pages"), []byte("/Type /Pagez"), 1)
	for _, c := range []struct {
		name string
		file []byte
		want outcome
	}{
		{"A1: an update that replaces the page", update([]forgedObject{{5, "<</Type/Page/Parent 2 0 R/Contents 15 0 R>>"}}), appended},
		{"A1: an update that replaces the content", update([]forgedObject{{11, "<</Length 0>>\nstream\nendstream"}}), appended},
		{"the signature redefined without /Reference", update([]forgedObject{{12, "<</Type/Sig/Filter/Adobe.PPKLite"}}), appended},
		{"an update with nothing in it", append(bytes.Clone(w.signed), "xref\n0 1\n0000000000 65535 f \ntrailer\n<<>>\nstartxref\n0\n%%EOF\n"...), appended},
		{"a line feed at the end", append(bytes.Clone(w.signed), '\n'), appended},
		{"a zero at the end", append(bytes.Clone(w.signed), 0), appended},
		{"another file at the end", append(bytes.Clone(w.signed), w.page...), appended},
		{"the same file twice", append(bytes.Clone(w.signed), w.signed...), appended},
		{"a letter of a key", content, changed},
		{"a digit of a stream", flip(w.signed, bytes.Index(w.signed, []byte("stream\n"))+20), changed},
		{"A3: wrapped in another file", wrap(w.signed), outcome{pades.Altered, pades.Failed, pades.FormatFailure, pades.ReasonWrapped}},
		{"behind other bytes", append([]byte("%PDF-1.4\njunk\n"), w.signed...), outcome{pades.Altered, pades.Failed, pades.FormatFailure, pades.ReasonWrapped}},
		{"the update alone taken away", w.signed[:len(w.page)], unsigned},
		{"/M changed", bytes.Replace(w.signed, []byte("/M(D:20261121"), []byte("/M(D:20261122"), 1), changed},
	} {
		t.Run(c.name, func(t *testing.T) { expect(t, w, c.file, c.want) })
	}
}

func flip(file []byte, at int) []byte {
	out := bytes.Clone(file)
	out[at] ^= 1
	return out
}

// wrap puts a file into a stream of a new one.
func wrap(inner []byte) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	offsets := []int{b.Len()}
	b.WriteString("1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n")
	offsets = append(offsets, b.Len())
	b.WriteString("2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n")
	offsets = append(offsets, b.Len())
	fmt.Fprintf(&b, "3 0 obj\n<</Length %d>>\nstream\n%s\nendstream\nendobj\n", len(inner), inner)
	xref := b.Len()
	b.WriteString("xref\n0 4\n0000000000 65535 f \n")
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", xref)
	return b.Bytes()
}

// Each of these is signed with the genuine key and stamped: only the structure is wrong.
func TestStructuresThatWeNeverWrite(t *testing.T) {
	w := newWorld(t)
	ranges := func(format string, args ...any) func(u *forgedUpdate) {
		return func(u *forgedUpdate) {
			u.ranges = func(from, to, length int) string {
				return strings.NewReplacer("FROM", fmt.Sprint(from), "TO", fmt.Sprint(to), "REST", fmt.Sprint(length-to)).Replace(format)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(u *forgedUpdate)
	}{
		{"no ByteRange, content inside the CMS", func(u *forgedUpdate) {
			u.contents = "%r/Contents%s>>"
			u.ranges = func(int, int, int) string { return "" }
			u.cms = func(f *forgedCMS) { f.content = []byte("x") }
		}},
		{"two ByteRanges", func(u *forgedUpdate) { u.contents = "/ByteRange[0 1 2 3]/ByteRange%r/Contents%s>>" }},
		{"two Contents", func(u *forgedUpdate) { u.contents = "/ByteRange%r/Contents<00>/Contents%s>>" }},
		{"an escaped second ByteRange", func(u *forgedUpdate) { u.contents = "/Byte#52ange[0 1 2 3]/ByteRange%r/Contents%s>>" }},
		{"ByteRange not from 0", ranges("[1 FROM TO REST]")},
		{"ByteRange that skips the page", ranges("[0 100 TO REST]")},
		{"ByteRange that stops before the end", ranges("[0 FROM TO 10]")},
		{"ByteRange with a wider gap", ranges("[0 FROM TO 0]")},
		{"ByteRange of six", ranges("[0 FROM TO REST 0 0]")},
		{"ByteRange of two", ranges("[0 FROM]")},
		{"ByteRange with a sign", ranges("[0 +FROM TO REST]")},
		{"ByteRange negative", ranges("[-1 FROM TO REST]")},
		{"ByteRange of reals", ranges("[0.0 FROM TO REST]")},
		{"ByteRange past 2^64", ranges("[0 FROM TO 18446744073709551617]")},
		{"ByteRange that overflows", ranges("[0 FROM TO 9223372036854775807]")},
		{"ByteRange of references", ranges("[0 0 R FROM TO REST]")},
		{"ByteRange nested", ranges("[0 [FROM] TO REST]")},
		{"ByteRange not an array", ranges("FROM")},
		{"white space in the string", func(u *forgedUpdate) {
			u.hex = func(b []byte) string { return "< " + hex.EncodeToString(b) + " >" }
		}},
		{"an odd digit in the string", func(u *forgedUpdate) {
			u.hex = func(b []byte) string { return "<" + hex.EncodeToString(b) + "0>" }
		}},
		{"a literal string", func(u *forgedUpdate) {
			u.hex = func(b []byte) string {
				var s strings.Builder
				for _, c := range b {
					fmt.Fprintf(&s, "\\%03o", c)
				}
				return "(" + s.String() + ")"
			}
		}},
		{"a key of the catalog twice", func(u *forgedUpdate) { u.replace(1, "/AcroForm", "/Pages 2 0 R/AcroForm") }},
		{"a text field", func(u *forgedUpdate) { u.replace(13, "/FT/Sig", "/FT/Tx") }},
		{"the content redefined", func(u *forgedUpdate) {
			u.objects = append(u.objects, forgedObject{11, "<</Length 2>>\nstream\nq Q\nendstream"})
		}},
		{"an object twice", func(u *forgedUpdate) { u.objects = append(u.objects, forgedObject{13, "<<>>"}) }},
		{"an indirect length", func(u *forgedUpdate) { u.replace(13, "/F 132>>", "/F 132/Length 14 0 R>>\nstream\nendstream") }},
		{"another /Prev", func(u *forgedUpdate) { u.trailer = strings.Replace(u.trailer, "%d", "1%d", 1) }},
		{"another /Root", func(u *forgedUpdate) { u.trailer = strings.Replace(u.trailer, "Root 1", "Root 2", 1) }},
		{"a hybrid file", func(u *forgedUpdate) { u.trailer = strings.Replace(u.trailer, "/Size", "/XRefStm 9/Size", 1) }},
		{"a table that points elsewhere", func(u *forgedUpdate) {
			u.table = func(s string) string { return strings.Replace(s, "5 1\n0", "5 1\n1", 1) }
		}},
		{"a table of 500,000,000", func(u *forgedUpdate) {
			u.table = func(s string) string { return strings.Replace(s, "5 1\n", "5 500000000\n", 1) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := w.genuine()
			c.change(u)
			expect(t, w, u.write(w, w.page), isBroken)
		})
	}
}

// Others may write what we never do, if it can be read in one way only. Signed with the genuine key it is what our key signed; that
// no issued excerpt knows it is for the verifier to find.
func TestStructuresThatOthersWrite(t *testing.T) {
	w := newWorld(t)
	ranges := func(format string, args ...any) func(u *forgedUpdate) {
		return func(u *forgedUpdate) {
			u.ranges = func(from, to, length int) string {
				return strings.NewReplacer("FROM", fmt.Sprint(from), "TO", fmt.Sprint(to), "REST", fmt.Sprint(length-to)).Replace(format)
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(u *forgedUpdate)
	}{
		{"ByteRange with a leading zero", ranges("[0 0FROM TO REST]")},
		{"ByteRange with a comment", ranges("[0 FROM TO REST %\n]")},
		{"upper-case digits", func(u *forgedUpdate) {
			u.hex = func(b []byte) string { return "<" + strings.ToUpper(hex.EncodeToString(b)) + ">" }
		}},
		{"a further key in the signature", func(u *forgedUpdate) { u.contents = "/ByteRange%r/Contents%s/Changes[1 2 3]>>" }},
		{"adbe.pkcs7.detached", func(u *forgedUpdate) { u.replace(12, "ETSI.CAdES.detached", "adbe.pkcs7.detached") }},
		{"another filter", func(u *forgedUpdate) { u.replace(12, "Adobe.PPKLite", "Entrust.PPKEF") }},
		{"no /Reference", func(u *forgedUpdate) {
			u.replace(12, "/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]", "")
		}},
		{"DocMDP that allows forms", func(u *forgedUpdate) { u.replace(12, "/P 1", "/P 2") }},
		{"a time that is none", func(u *forgedUpdate) { u.replace(12, "D:20261121100000Z", "D:20261321100000Z") }},
		{"no /Perms", func(u *forgedUpdate) { u.replace(1, "/Perms <</DocMDP 12 0 R>>\n", "") }},
		{"/Perms of another", func(u *forgedUpdate) { u.replace(1, "DocMDP 12 0 R", "UR3 12 0 R") }},
		{"an action at opening", func(u *forgedUpdate) { u.replace(1, "/AcroForm", "/OpenAction<</S/JavaScript/JS(1)>>/AcroForm") }},
		{"a form that needs appearances", func(u *forgedUpdate) { u.replace(1, "/SigFlags 3", "/SigFlags 3/NeedAppearances true") }},
		{"flags by reference", func(u *forgedUpdate) { u.replace(1, "/SigFlags 3", "/SigFlags 3 0 R") }},
		{"two fields", func(u *forgedUpdate) { u.replace(1, "Fields[13 0 R]", "Fields[13 0 R 13 0 R]") }},
		{"another page tree", func(u *forgedUpdate) { u.replace(1, "/Pages 2 0 R", "/Pages 5 0 R") }},
		{"two annotations", func(u *forgedUpdate) { u.replace(5, "/Annots [13 0 R]", "/Annots [13 0 R 13 0 R]") }},
		{"other content", func(u *forgedUpdate) { u.replace(5, "11 0 R", "12 0 R") }},
		{"a visible field", func(u *forgedUpdate) { u.replace(13, "Rect[0 0 0 0]", "Rect[0 0 500 800]") }},
		{"a field with an appearance", func(u *forgedUpdate) { u.replace(13, "/F 132", "/F 132/AP<</N 11 0 R>>") }},
		{"a field with an action", func(u *forgedUpdate) { u.replace(13, "/F 132", "/F 132/A<</S/URI>>") }},
		{"other information", func(u *forgedUpdate) { u.replace(14, "/Producer <FEFF0054", "/Producer <FEFF0055") }},
		{"a further object", func(u *forgedUpdate) {
			u.objects = append(u.objects, forgedObject{15, "<<>>"})
			u.trailer = strings.Replace(u.trailer, "15", "16", 1)
		}},
		{"a stream in the update", func(u *forgedUpdate) { u.replace(13, "/F 132>>", "/F 132/Length 0>>\nstream\nendstream") }},
		{"a hidden object in a comment", func(u *forgedUpdate) { u.replace(13, "<</Type", "% 13 0 obj\n<</Type") }},
		{"another /Size", func(u *forgedUpdate) { u.trailer = strings.Replace(u.trailer, "15", "16", 1) }},
		{"a table that frees an object", func(u *forgedUpdate) {
			u.table = func(s string) string { return s + "3 1\n0000000000 00001 f \n" }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := w.genuine()
			c.change(u)
			file := u.write(w, w.page)
			judge(t, w, file, true)
			if r := pades.Read(file, w.roots); r.Indication != pades.Passed {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Each of these has the right structure and digest: only the CMS is wrong.
func TestSignaturesThatAreNotOurs(t *testing.T) {
	w := newWorld(t)
	ca, caKey := w.set.CA, w.set.CAKey
	lookalikeCA, lookalikeKey := certificate(t, authority(ca.Subject.CommonName), nil, nil)
	lookalike, lookalikeSignerKey := certificate(t, nil, lookalikeCA, lookalikeKey)
	selfSigned, selfKey := certificate(t, nil, nil, nil)
	twin, twinKey := certificate(t, func(c *x509.Certificate) { c.SerialNumber = w.set.Signer.SerialNumber; c.Subject = ca.Subject }, nil, nil)
	sameKey := resignedWithKey(t, w)
	leafAsCA, leafAsCAKey := certificate(t, nil, w.set.Signer, w.set.SignerKey)
	badSerial, badSerialKey := certificate(t, nil, ca, caKey)

	for _, c := range []struct {
		name   string
		change func(f *forgedCMS)
		want   outcome
	}{
		{"the attacker's key, the genuine certificate named", func(f *forgedCMS) { f.key = selfKey }, badCrypto},
		{"the attacker's certificate named, the genuine one first in the bag", func(f *forgedCMS) {
			f.key, f.sid, f.hashed, f.bag = selfKey, selfSigned, selfSigned.Raw, [][]byte{w.set.Signer.Raw, ca.Raw, selfSigned.Raw}
		}, stranger},
		{"A2: a lookalike authority and our root in the bag", func(f *forgedCMS) {
			f.key, f.sid, f.hashed = lookalikeSignerKey, lookalike, lookalike.Raw
			f.bag = [][]byte{lookalike.Raw, lookalikeCA.Raw, ca.Raw, w.set.Root.Raw}
		}, stranger},
		{"a certificate under our signer's", func(f *forgedCMS) {
			f.key, f.sid, f.hashed, f.bag = leafAsCAKey, leafAsCA, leafAsCA.Raw, [][]byte{leafAsCA.Raw, w.set.Signer.Raw, ca.Raw}
		}, stranger},
		{"a certificate with the genuine one's issuer and number, both in the bag", func(f *forgedCMS) {
			f.key, f.sid, f.hashed, f.bag = twinKey, w.set.Signer, twin.Raw, [][]byte{w.set.Signer.Raw, ca.Raw, twin.Raw}
		}, noCert},
		{"a certificate with the genuine one's issuer and number", func(f *forgedCMS) {
			f.key, f.sid, f.hashed, f.bag = twinKey, w.set.Signer, twin.Raw, [][]byte{twin.Raw, ca.Raw}
		}, stranger},
		{"signing-certificate of another", func(f *forgedCMS) { f.hashed = sameKey.Raw },
			outcome{pades.Broken, pades.Indeterminate, pades.NoSigningCertificateFound, pades.ReasonCertificate}},
		{"no signing-certificate", func(f *forgedCMS) { f.hashed = nil },
			outcome{pades.Intact, pades.Indeterminate, pades.SigConstraintsFailure, pades.ReasonCertificate}},
		{"no certificate at all", func(f *forgedCMS) { f.bag = nil }, noCert},
		{"named, but not in the bag", func(f *forgedCMS) { f.sid = badSerial; f.key = badSerialKey }, noCert},
		{"the authority's certificate missing", func(f *forgedCMS) { f.bag = f.bag[:1] }, stranger},
		{"forty-one certificates", func(f *forgedCMS) {
			for range 39 {
				f.bag = append(f.bag, []byte{0x30, 0})
			}
		}, badCMS},
		{"two signers", func(f *forgedCMS) { f.twoSigners = true }, badCMS},
		{"content inside", func(f *forgedCMS) { f.content = []byte("%PDF-") }, badCMS},
		{"content of another type", func(f *forgedCMS) { f.contentType, f.content = oidTST, []byte("x") }, badCMS},
		{"another digest", func(f *forgedCMS) { f.digest = bytes.Repeat([]byte{1}, 32) }, changed},
		{"a digest cut short", func(f *forgedCMS) { f.digest = f.digest[:31] }, badCMS},
		{"SHA-1", func(f *forgedCMS) { f.digestOID = oidSHA1 }, isWeak},
		{"ECDSA with SHA-1", func(f *forgedCMS) { f.signatureOID = oidECDSASHA1 }, isWeak},
		{"a digest twice", func(f *forgedCMS) {
			f.more = [][]byte{attribute(oidDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(make([]byte, 32)) })}
		}, badCMS},
		{"a further unsigned attribute", func(f *forgedCMS) {
			f.afterTheToken = attribute(oidTime, func(b *cryptobyte.Builder) { b.AddASN1UTCTime(now) })
		}, badCMS},
		{"version 3", func(f *forgedCMS) { f.versionOfData = 3 }, badCMS},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := w.genuine()
			u.cms = c.change
			expect(t, w, u.write(w, w.page), c.want)
		})
	}
}

// resignedWithKey gives another certificate for the signer's own key.
func resignedWithKey(t *testing.T, w *world) *x509.Certificate {
	t.Helper()
	tmpl := *w.set.Signer
	tmpl.SerialNumber = w.set.CA.SerialNumber
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, w.set.CA, w.set.SignerKey.Public(), w.set.CAKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDERThatIsNotOurs(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
		want   outcome
	}{
		{"garbage", func([]byte) []byte { return []byte("garbage") }, badCMS},
		{"nothing", func([]byte) []byte { return nil }, badCMS},
		{"a byte behind", func(der []byte) []byte { return append(der, 1) }, badCMS},
		{"a zero and a byte behind", func(der []byte) []byte { return append(der, 0, 1) }, badCMS},
		{"zeros at its end", func(der []byte) []byte { return der[:len(der)-9] }, stampBroken},
		{"indefinite length in one hundred levels", func(der []byte) []byte { return bytes.Repeat([]byte{0x30, 0x80}, 100) }, badCMS},
		{"a length past the end", func(der []byte) []byte { return append([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, der[4:]...) }, badCMS},
		{"a length of nine bytes", func(der []byte) []byte { return append([]byte{0x30, 0x89, 0, 0, 0, 0, 0, 0, 0, 1, 0}, der[4:]...) }, badCMS},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := w.genuine()
			u.raw = c.change
			expect(t, w, u.write(w, w.page), c.want)
		})
	}
}

func TestCertificatesThatMayNotSignDocuments(t *testing.T) {
	w := newWorld(t)
	purpose := outcome{pades.Intact, pades.Indeterminate, pades.ChainConstraintsFailure, pades.ReasonPurpose}
	for _, c := range []struct {
		name   string
		change func(*x509.Certificate)
		want   outcome
	}{
		{"a TLS certificate of the same authority", func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}, purpose},
		{"an e-mail certificate", func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
		}, purpose},
		{"any purpose", func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
		}, purpose},
		{"no extended key usage", func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }, purpose},
		{"a key for agreement", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }, purpose},
		{"no key usage", func(c *x509.Certificate) { c.KeyUsage = 0 }, purpose},
		{"expired when stamped", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) },
			outcome{pades.Intact, pades.Indeterminate, pades.OutOfBoundsNoPOE, pades.ReasonExpired}},
		{"not yet valid when stamped", func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) },
			outcome{pades.Intact, pades.Failed, pades.NotYetValid, pades.ReasonTooEarly}},
		{"an unknown critical extension", func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5}, Critical: true, Value: []byte{5, 0}}}
		}, stranger},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert, key := certificate(t, c.change, w.set.CA, w.set.CAKey)
			u := w.genuine()
			u.cms = func(f *forgedCMS) {
				f.key, f.sid, f.hashed, f.bag = key, cert, cert.Raw, [][]byte{cert.Raw, w.set.CA.Raw}
			}
			expect(t, w, u.write(w, w.page), c.want)
		})
	}
}

func TestWeakAndForeignKeysAreRefused(t *testing.T) {
	w := newWorld(t)
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// As large as fits into a certificate that is read: whoever checked a signature with it would be busy for long.
	vast := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 30_000, 1), E: 1<<31 - 1}
	for _, c := range []struct {
		name   string
		public crypto.PublicKey
		key    crypto.Signer
	}{{"P-224", p224.Public(), p224}, {"RSA of 30,000 bits", vast, rsa2048}} {
		t.Run(c.name, func(t *testing.T) {
			tmpl := *w.set.Signer
			der, err := x509.CreateCertificate(rand.Reader, &tmpl, w.set.CA, c.public, w.set.CAKey)
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			u := w.genuine()
			u.cms = func(f *forgedCMS) {
				f.key, f.sid, f.hashed, f.bag = c.key, cert, cert.Raw, [][]byte{cert.Raw, w.set.CA.Raw}
				f.token = nil // to leave room
			}
			file := u.write(w, w.page)
			began := spent(t)
			expect(t, w, file, isWeak)
			if took := spent(t) - began; took > time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestTimeStampsThatProveNothing(t *testing.T) {
	w := newWorld(t)
	rogueRoot, rogueRootKey := certificate(t, authority("Tesdiq root authority"), nil, nil)
	rogue, rogueKey := certificate(t, stamping(true), rogueRoot, rogueRootKey)
	lax, laxKey := certificate(t, stamping(false), w.set.Root, w.set.RootKey)
	expired, expiredKey := certificate(t, func(c *x509.Certificate) {
		stamping(true)(c)
		c.NotAfter = now.Add(-time.Minute)
	}, w.set.Root, w.set.RootKey)
	by := func(cert *x509.Certificate, key crypto.Signer, bag ...*x509.Certificate) func(*forgedCMS) {
		return func(f *forgedCMS) {
			f.key, f.sid, f.hashed, f.bag = key, cert, cert.Raw, [][]byte{cert.Raw}
			for _, c := range bag {
				f.bag = append(f.bag, c.Raw)
			}
		}
	}
	tokens := []struct {
		name  string
		token func(signature []byte) []byte
		want  outcome
	}{
		{"none", nil, noStamp},
		{"over another signature", func([]byte) []byte { return w.stamp([]byte("another"), now, nil) }, stampBroken},
		{"by SHA-1", func(s []byte) []byte { return w.stampOf(make([]byte, 20), now, oidSHA1, nil) }, stampBroken},
		{"of another root", func(s []byte) []byte { return w.stamp(s, now, by(rogue, rogueKey, rogueRoot)) }, badStamp},
		{"of an authority whose usage is not critical", func(s []byte) []byte { return w.stamp(s, now, by(lax, laxKey)) }, badStamp},
		{"of an expired authority", func(s []byte) []byte { return w.stamp(s, now, by(expired, expiredKey)) }, badStamp},
		{"by the document signer itself", func(s []byte) []byte { return w.stamp(s, now, by(w.set.Signer, w.set.SignerKey, w.set.CA)) }, badStamp},
		{"by another key", func(s []byte) []byte { return w.stamp(s, now, func(f *forgedCMS) { f.key = rogueKey }) }, stampBroken},
		{"with another content", func(s []byte) []byte {
			return w.stamp(s, now, func(f *forgedCMS) { f.content = append(bytes.Clone(f.content[:len(f.content)-1]), 'Y') })
		}, stampBroken},
		{"without signing-certificate", func(s []byte) []byte { return w.stamp(s, now, func(f *forgedCMS) { f.hashed = nil }) }, stampBroken},
		{"before its authority existed", func(s []byte) []byte { return w.stamp(s, now.AddDate(-1, 0, 0), nil) }, badStamp},
		{"not a token", func(s []byte) []byte { return []byte{0x30, 0} }, stampBroken},
	}
	for _, c := range tokens {
		t.Run(c.name, func(t *testing.T) {
			u := w.genuine()
			u.cms = func(f *forgedCMS) { f.token = c.token }
			expect(t, w, u.write(w, w.page), c.want)
		})
	}
	t.Run("an expired signer with a back-dated stamp of a rogue", func(t *testing.T) {
		cert, key := certificate(t, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0)
		}, w.set.CA, w.set.CAKey)
		u := w.genuine()
		u.cms = func(f *forgedCMS) {
			f.key, f.sid, f.hashed, f.bag = key, cert, cert.Raw, [][]byte{cert.Raw, w.set.CA.Raw}
			f.token = func(s []byte) []byte { return w.stamp(s, now.AddDate(-1, -6, 0), by(rogue, rogueKey, rogueRoot)) }
		}
		got := pades.Read(u.write(w, w.page), w.roots)
		if got.Indication != pades.Indeterminate {
			t.Errorf("got %+v", got)
		}
	})
}

func TestAnotherAuthoritysRootsKnowNoOneHere(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	got := pades.Read(w.signed, other.roots)
	want := pades.Report{Integrity: pades.Intact, Indication: pades.Indeterminate, SubIndication: pades.NoCertificateChainFound, Reason: pades.ReasonStranger, Signed: len(w.signed)}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestManyReadAndSignAtOnce(t *testing.T) {
	w := newWorld(t)
	p := w.set.PDFSigner(rand.Reader)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				file, err := p.Sign(context.Background(), w.page, now, signer.SignInfo{})
				if err != nil {
					t.Error(err)
					return
				}
				if r := pades.Read(file, w.roots); r.Indication != pades.Passed {
					t.Errorf("%+v", r)
				}
			}
		})
	}
	all.Wait()
}
