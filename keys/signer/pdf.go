package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"time"
	"unicode/utf16"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

// How many bytes of signature a file has room for; the rest is zeros, twice as many in the file, and there for ever.
const (
	foreignRoom = 6144 // for authorities with RSA keys and a time stamp from elsewhere with its chain
	ownRoom     = 1056 // what a signature with P-256 keys and our own time stamp takes besides certificates, about 990, and some
)

// PDFSigner signs PDFs as ETSI.CAdES.detached over the whole file, certified with DocMDP P=1 (nothing may be added that changes it),
// time-stamped: PAdES B-T (EN 319 142-1); and with Witness and Roots, B-LTA: see archive.go. All other fields are required but Room
// and Chain, which holds the authorities between Certificate and the root. It may be used by several goroutines if Key,
// Stamper, Witness and Rand may.
type PDFSigner struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
	Chain       []*x509.Certificate
	Stamper     Stamper
	Rand        io.Reader
	Room        int // bytes that the signature may take; 0: enough for RSA keys and others' time stamps

	Witness Witness     // gives what is put into the file about the signer's and the time stamp's chains
	Roots   *keys.Roots // to which these chains lead

	stamps stampChains
	later  []turn[*PDFSigner] // who takes over
}

// SignInfo is what a reader shows beside the signature. Empty fields are left out.
type SignInfo struct {
	Name, Reason, Location string
}

// Sign appends one incremental update to pdf: the signature, its invisible field on the first page, and the catalog that
// points to them. pdf must be as gopdf writes it, one revision with a classic cross-reference table, without form,
// annotations or an earlier signature.
func (p *PDFSigner) Sign(ctx context.Context, pdf []byte, at time.Time, info SignInfo) ([]byte, error) {
	out, _, err := p.SignUntil(ctx, pdf, at, info)
	return out, err
}

// SignUntil is Sign, and says when the certificates of the last time stamp end: before that, the file must be renewed. The time is zero
// where nothing is archived.
func (p *PDFSigner) SignUntil(ctx context.Context, pdf []byte, at time.Time, info SignInfo) (_ []byte, until time.Time, err error) {
	p = onDuty(p, p.later, at)
	b, err := readBase(pdf)
	if err != nil {
		return nil, until, fmt.Errorf("signer: not a PDF that we sign: %w", err)
	}
	if at.Before(p.Certificate.NotBefore) || at.After(p.Certificate.NotAfter) {
		return nil, until, fmt.Errorf("signer: %s is outside the certificate's validity", at.UTC().Format(time.RFC3339))
	}
	if err := fits(p.Key, p.Certificate); err != nil {
		return nil, until, fmt.Errorf("signer: document signer: %w", err)
	}
	h := sha256.New()
	h.Write(pdf)
	room := p.Room
	if room <= 0 {
		room = foreignRoom
	}
	doc, gap := b.update(at, info, h.Sum(nil), room)
	h.Write(doc.pdf[len(pdf):gap.from])
	h.Write(doc.pdf[gap.to:])
	var token []byte
	signature, err := (&cms{
		contentType: oidData, digest: h.Sum(nil),
		certificate: p.Certificate, key: in(ctx, p.Key), certificates: append([]*x509.Certificate{p.Certificate}, p.Chain...),
		unsigned: func(signature []byte) (_ []byte, err error) {
			imprint := sha256.Sum256(signature)
			token, err = p.Stamper.Stamp(ctx, imprint[:], at)
			return token, err
		},
	}).sign(p.Rand)
	if err != nil {
		return nil, until, fmt.Errorf("signer: %w", err)
	}
	if len(signature) > room {
		return nil, until, fmt.Errorf("signer: the signature has %d bytes, there is room for %d", len(signature), room)
	}
	hex.Encode(doc.pdf[gap.from+1:], signature) // the rest keeps its zeros
	if p.Witness == nil {
		return doc.pdf, until, nil
	}
	chain, err := p.Roots.Chain(keys.DocumentSigning, p.Certificate, p.Chain, at)
	if err != nil {
		return nil, until, fmt.Errorf("signer: %w", err)
	}
	stamp, err := tsp.Read(token)
	if err != nil {
		return nil, until, fmt.Errorf("signer: time stamp: %w", err)
	}
	for _, c := range append([]*x509.Certificate{p.Certificate}, p.Chain...) {
		doc.inside = append(doc.inside, c.Raw)
	}
	return p.archive(ctx, doc, at, stamp, len(token), chain)
}

// update writes the file with its update, the signature still zeros, and says where /Contents stands, "<" and ">" included.
// digest is that of the original, for /ID.
func (b *base) update(at time.Time, info SignInfo, digest []byte, room int) (*document, span) {
	var (
		signature = len(b.offsets) + 1 // new objects continue the numbering
		widget    = signature + 1
		d         = &document{pdf: b.pdf, xrefAt: b.xrefAt, size: widget + 1, root: b.root, page: b.page, info: b.info, id: b.id}
		u         = d.begin(2*room + 2048)
	)
	d.catalog = b.catalog.with(
		entry{"/AcroForm", fmt.Appendf(nil, "<</Fields[%d 0 R]/SigFlags 3>>", widget)}, // signatures exist, append only
		entry{"/Perms", fmt.Appendf(nil, "<</DocMDP %d 0 R>>", signature)})
	u.dict(b.root, d.catalog)
	d.pageDict = b.pageDict.with(entry{"/Annots", fmt.Appendf(nil, "[%d 0 R]", widget)})
	u.dict(b.page, d.pageDict)

	u.object(signature, func(out *bytes.Buffer) {
		out.WriteString("<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached\n")
		fmt.Fprintf(out, "/M(D:%sZ)\n", at.UTC().Format("20060102150405"))
		for _, e := range []struct{ key, text string }{{"/Name", info.Name}, {"/Reason", info.Reason}, {"/Location", info.Location}} {
			if e.text != "" {
				fmt.Fprintf(out, "%s%s\n", e.key, textString(e.text))
			}
		}
		out.WriteString("/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]\n")
		u.contents(room)
	})
	u.field(widget, "Tesdiq", signature, b.page)

	if b.direct { // a reader may expect an indirect object there, ISO 32000-1 table 15
		u.object(d.size, func(out *bytes.Buffer) { out.Write(b.info) })
		d.info = fmt.Appendf(nil, "%d 0 R", d.size)
		d.size++
	}
	if d.id == nil {
		d.id = fmt.Appendf(nil, "<%x>", digest[:16])
	}
	// Drawn from the input alone: the same drawing signed again in the same second has the same /ID.
	return u.end(fmt.Appendf(digest, "%d %q", at.Unix(), info))
}

// textString writes text as UTF-16 with its mark, in hexadecimal: ə ş ğ ı are in no other encoding that every reader knows.
func textString(text string) string {
	b := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return "<" + hex.EncodeToString(b) + ">"
}
