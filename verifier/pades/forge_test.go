package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The forger writes updates and signatures of every wrong kind. With nothing changed it writes what our signer writes, which
// TestForgerIsAbleToPass shows; so each attack fails for its own reason and not because the forger cannot write.

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// world is an authority of ours and a signed file of it.
type world struct {
	set    *signer.Set
	roots  *keys.Roots
	page   []byte
	signed []byte
}

func newWorld(t testing.TB) *world {
	t.Helper()
	set, err := newSet()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{set: set, page: pdftest.Page()}
	if w.roots, err = set.Roots(); err != nil {
		t.Fatal(err)
	}
	w.signed, err = set.PDFSigner(rand.Reader).Sign(context.Background(), w.page, now, signer.SignInfo{Name: "Əmək Nazirliyi", Reason: "çıxarış"})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSigned     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidType       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTime       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidTST        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidToken      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidESS        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA1       = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSA      = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidECDSASHA1  = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	oidDocSigning = keys.OIDDocumentSigning
	oidTSUsage    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	con0, con1    = casn1.Tag(0).ContextSpecific().Constructed(), casn1.Tag(1).ContextSpecific().Constructed()
)

// forgedCMS is a SignedData with every part open to change.
type forgedCMS struct {
	contentType   asn1.ObjectIdentifier
	content       []byte
	digest        []byte
	key           crypto.Signer
	sid           *x509.Certificate // whom issuer and serial number point to
	hashed        []byte            // what signing-certificate-v2 is over; nil: no such attribute
	bag           [][]byte          // certificates in this order
	digestOID     asn1.ObjectIdentifier
	signatureOID  asn1.ObjectIdentifier
	more          [][]byte // further signed attributes
	unsorted      bool
	twoSigners    bool
	token         func(signature []byte) []byte // nil: no time stamp
	afterTheToken []byte                        // a further unsigned attribute
	versionOfData int64
}

func (w *world) cms(digest []byte) *forgedCMS {
	return &forgedCMS{
		contentType: oidData, digest: digest, key: w.set.SignerKey, sid: w.set.Signer, hashed: w.set.Signer.Raw,
		bag: [][]byte{w.set.Signer.Raw, w.set.CA.Raw}, digestOID: oidSHA256, signatureOID: oidECDSA, versionOfData: 1,
		token: func(signature []byte) []byte { return w.stamp(signature, now, nil) },
	}
}

// stamp makes a time stamp over a signature, with change applied before it is signed.
func (w *world) stamp(signature []byte, at time.Time, change func(*forgedCMS)) []byte {
	imprint := sha256.Sum256(signature)
	return w.stampOf(imprint[:], at, oidSHA256, change)
}

func (w *world) stampOf(imprint []byte, at time.Time, algorithm asn1.ObjectIdentifier, change func(*forgedCMS)) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 3, 4})
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(algorithm) })
			b.AddASN1OctetString(imprint)
		})
		b.AddASN1Int64(42)
		b.AddASN1GeneralizedTime(at)
	})
	info := b.BytesOrPanic()
	hash := sha256.Sum256(info)
	f := &forgedCMS{
		contentType: oidTST, content: info, digest: hash[:], key: w.set.TSAKey, sid: w.set.TSA, hashed: w.set.TSA.Raw,
		bag: [][]byte{w.set.TSA.Raw}, digestOID: oidSHA256, signatureOID: oidECDSA, versionOfData: 3,
	}
	if change != nil {
		change(f)
	}
	return f.der()
}

func attribute(oid asn1.ObjectIdentifier, value func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(casn1.SET, value)
	})
	return b.BytesOrPanic()
}

func (f *forgedCMS) der() []byte {
	algorithm := func(oid asn1.ObjectIdentifier) func(*cryptobyte.Builder) {
		return func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
		}
	}
	attributes := append([][]byte{
		attribute(oidType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(f.contentType) }),
		attribute(oidDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(f.digest) }),
	}, f.more...)
	if f.hashed != nil {
		hash := sha256.Sum256(f.hashed)
		attributes = append(attributes, attribute(oidESS, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1OctetString(hash[:]) })
				})
			})
		}))
	}
	slices.SortFunc(attributes, bytes.Compare)
	if f.unsorted {
		slices.Reverse(attributes)
	}
	joined := bytes.Join(attributes, nil)
	var set cryptobyte.Builder
	set.AddASN1(casn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(joined) })
	hash := sha256.Sum256(set.BytesOrPanic())
	signature, err := f.key.Sign(rand.Reader, hash[:], crypto.SHA256)
	if err != nil {
		panic(err)
	}
	info := func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(f.sid.RawIssuer)
				b.AddASN1BigInt(f.sid.SerialNumber)
			})
			algorithm(f.digestOID)(b)
			b.AddASN1(con0, func(b *cryptobyte.Builder) { b.AddBytes(joined) })
			algorithm(f.signatureOID)(b)
			b.AddASN1OctetString(signature)
			if f.token != nil {
				b.AddASN1(con1, func(b *cryptobyte.Builder) {
					b.AddBytes(attribute(oidToken, func(b *cryptobyte.Builder) { b.AddBytes(f.token(signature)) }))
					b.AddBytes(f.afterTheToken)
				})
			}
		})
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSigned)
		b.AddASN1(con0, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(f.versionOfData)
				b.AddASN1(casn1.SET, algorithm(f.digestOID))
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(f.contentType)
					if f.content != nil {
						b.AddASN1(con0, func(b *cryptobyte.Builder) { b.AddASN1OctetString(f.content) })
					}
				})
				b.AddASN1(con0, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(f.bag, nil)) })
				b.AddASN1(casn1.SET, func(b *cryptobyte.Builder) {
					info(b)
					if f.twoSigners {
						info(b)
					}
				})
			})
		})
	})
	return b.BytesOrPanic()
}

// forgedUpdate is an update with every part open to change.
type forgedUpdate struct {
	objects  []forgedObject
	trailer  string
	contents string // between ByteRange and the end of the signature's dictionary; %s is the hexadecimal string
	ranges   func(from, to, length int) string
	hex      func([]byte) string
	cms      func(*forgedCMS)
	raw      func([]byte) []byte        // changes the DER
	after    string                     // behind %%EOF
	sig      int                        // number of the signature's object
	stamp    func(digest []byte) []byte // instead of a signature, a token over the digest
	table    func(string) string        // changes the cross-reference table
}

type forgedObject struct {
	number int
	body   string
}

const room = 6144

// genuine is the update that our signer writes to the page of pdftest.
func (w *world) genuine() *forgedUpdate {
	object := func(number int) string {
		_, rest, ok := bytes.Cut(w.page, fmt.Appendf(nil, "\n%d 0 obj\n<<\n", number))
		if !ok {
			panic("the page is not what the test knows")
		}
		body, _, _ := bytes.Cut(rest, []byte("\n>>\nendobj"))
		return "<<\n" + string(body) + "\n"
	}
	_, info, _ := bytes.Cut(w.page, []byte("/Info "))
	info, _, _ = bytes.Cut(info, []byte("\n>>\nstartxref"))
	return &forgedUpdate{
		objects: []forgedObject{
			{1, object(1) + "/AcroForm <</Fields[13 0 R]/SigFlags 3>>\n/Perms <</DocMDP 12 0 R>>\n>>"},
			{5, object(5) + "/Annots [13 0 R]\n>>"},
			{12, "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M(D:20261121100000Z)" +
				"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]\n"},
			{13, "<</Type/Annot/Subtype/Widget/FT/Sig/T(Tesdiq)/V 12 0 R/P 5 0 R/Rect[0 0 0 0]/F 132>>"},
			{14, string(info)},
		},
		sig:      12,
		trailer:  "<</Size 15/Root 1 0 R/Info 14 0 R/Prev %d>>",
		contents: "/ByteRange%r\n/Contents%s>>",
		ranges:   func(from, to, length int) string { return fmt.Sprintf("[0 %d %d %d]", from, to, length-to) },
		hex:      func(b []byte) string { return "<" + hex.EncodeToString(b) + ">" },
	}
}

// replace changes text in an object.
func (u *forgedUpdate) replace(number int, old, new string) {
	for i, o := range u.objects {
		if o.number == number {
			if !strings.Contains(o.body, old) {
				panic(old + " is not in the object")
			}
			u.objects[i].body = strings.Replace(o.body, old, new, 1)
		}
	}
}

// write writes base and the update, and signs as asked.
func (u *forgedUpdate) write(w *world, base []byte) []byte {
	var out bytes.Buffer
	out.Write(base)
	offsets := map[int]int{}
	from, to, rangeAt := 0, 0, 0
	const rangeRoom = 60
	for _, o := range u.objects {
		offsets[o.number] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n%s", o.number, o.body)
		if o.number == u.sig && u.sig != 0 {
			before, rest, _ := strings.Cut(u.contents, "%r")
			between, after, _ := strings.Cut(rest, "%s")
			out.WriteString(before)
			rangeAt = out.Len()
			if before != "" {
				out.WriteString(strings.Repeat(" ", rangeRoom))
			}
			out.WriteString(between)
			from = out.Len()
			out.WriteString(u.hex(make([]byte, room)))
			to = out.Len()
			out.WriteString(after)
		}
		out.WriteString("\nendobj\n")
	}
	xref := out.Len()
	var table strings.Builder
	table.WriteString("xref\n")
	numbers := make([]int, 0, len(offsets))
	for n := range offsets {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		fmt.Fprintf(&table, "%d 1\n%010d 00000 n \n", n, offsets[n])
	}
	if u.table != nil {
		out.WriteString(u.table(table.String()))
	} else {
		out.WriteString(table.String())
	}
	_, tail, _ := bytes.Cut(base[bytes.LastIndex(base, []byte("startxref")):], []byte("\n"))
	prev, _, _ := bytes.Cut(tail, []byte("\n"))
	fmt.Fprintf(&out, "trailer\n%s\nstartxref\n%d\n%%%%EOF\n%s", strings.Replace(u.trailer, "%d", string(prev), 1), xref, u.after)
	file := out.Bytes()
	if u.sig == 0 {
		return file
	}
	copy(file[rangeAt:], u.ranges(from, to, len(file)))
	h := sha256.New()
	h.Write(file[:from])
	h.Write(file[to:])
	forged := w.cms(h.Sum(nil))
	if u.cms != nil {
		u.cms(forged)
	}
	var der []byte
	if u.stamp != nil {
		der = u.stamp(h.Sum(nil))
	} else {
		der = forged.der()
	}
	if u.raw != nil {
		der = u.raw(der)
	}
	copy(file[from:to], u.hex(append(der, make([]byte, room-len(der))...)))
	return file
}

// certificate issues a certificate of any kind.
func certificate(t testing.TB, change func(*x509.Certificate), parent *x509.Certificate, parentKey crypto.Signer) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Tesdiq document signer"}, BasicConstraintsValid: true,
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{oidDocSigning},
	}
	if change != nil {
		change(tmpl)
	}
	if parent == nil {
		parent, parentKey = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// authority makes a template one of a certification authority.
func authority(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage, c.UnknownExtKeyUsage = name, true, x509.KeyUsageCertSign, nil
	}
}

// stamping makes a template one of a time-stamp authority.
func stamping(critical bool) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		usage, err := asn1.Marshal([]asn1.ObjectIdentifier{oidTSUsage})
		if err != nil {
			panic(err)
		}
		c.Subject.CommonName, c.UnknownExtKeyUsage = "time stamps", nil
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: usage}}
	}
}
