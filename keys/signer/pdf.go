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
)

// How many bytes of signature a file has room for; the rest is zeros, twice as many in the file, and there for ever.
const (
	foreignRoom = 6144 // for authorities with RSA keys and a time stamp from elsewhere with its chain
	ownRoom     = 3072 // a signature with P-256 keys and our own time stamp takes about 2,200
)

// byteRangeRoom is the width of "[0 a b c]" with numbers up to maxPDF.
const byteRangeRoom = len("[0 12345678 12345678 12345678]")

// PDFSigner signs PDFs as PAdES B-T (EN 319 142-1): ETSI.CAdES.detached over the whole file, certified with DocMDP P=1
// (nothing may be added that changes it), time-stamped. All fields are required but Room and Chain, which holds the authorities
// between Certificate and the root. It may be used by several goroutines if Key, Stamper and Rand may.
type PDFSigner struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
	Chain       []*x509.Certificate
	Stamper     Stamper
	Rand        io.Reader
	Room        int // bytes that the signature may take; 0: enough for RSA keys and others' time stamps
}

// SignInfo is what a reader shows beside the signature. Empty fields are left out.
type SignInfo struct {
	Name, Reason, Location string
}

// Sign appends one incremental update to pdf: the signature, its invisible field on the first page, and the catalog that
// points to them. pdf must be as gopdf writes it, one revision with a classic cross-reference table, without form,
// annotations or an earlier signature.
func (p *PDFSigner) Sign(ctx context.Context, pdf []byte, at time.Time, info SignInfo) ([]byte, error) {
	b, err := readBase(pdf)
	if err != nil {
		return nil, fmt.Errorf("signer: not a PDF that we sign: %w", err)
	}
	if at.Before(p.Certificate.NotBefore) || at.After(p.Certificate.NotAfter) {
		return nil, fmt.Errorf("signer: %s is outside the certificate's validity", at.UTC().Format(time.RFC3339))
	}
	if err := fits(p.Key, p.Certificate); err != nil {
		return nil, fmt.Errorf("signer: document signer: %w", err)
	}
	h := sha256.New()
	h.Write(pdf)
	room := p.Room
	if room <= 0 {
		room = foreignRoom
	}
	out, gap := b.update(at, info, h.Sum(nil), room)
	h.Write(out[len(pdf):gap.from])
	h.Write(out[gap.to:])
	signature, err := (&cms{
		contentType: oidData, digest: h.Sum(nil),
		certificate: p.Certificate, key: p.Key, certificates: append([]*x509.Certificate{p.Certificate}, p.Chain...),
		unsigned: func(signature []byte) ([]byte, error) {
			imprint := sha256.Sum256(signature)
			return p.Stamper.Stamp(ctx, imprint[:], at)
		},
	}).sign(p.Rand)
	if err != nil {
		return nil, fmt.Errorf("signer: %w", err)
	}
	if len(signature) > room {
		return nil, fmt.Errorf("signer: the signature has %d bytes, there is room for %d", len(signature), room)
	}
	hex.Encode(out[gap.from+1:], signature) // the rest keeps its zeros
	return out, nil
}

// span is a stretch of a file, to excluded.
type span struct{ from, to int }

// update writes the file with its update, the signature still zeros, and says where /Contents stands, "<" and ">" included.
// digest is that of the original, for /ID.
func (b *base) update(at time.Time, info SignInfo, digest []byte, room int) ([]byte, span) {
	var (
		signature = len(b.offsets) + 1 // new objects continue the numbering
		widget    = signature + 1
		size      = widget + 1
		out       bytes.Buffer
		offsets   = map[int]int{}
		gap       span
	)
	out.Grow(len(b.pdf) + 2*room + 2048)
	out.Write(b.pdf)
	begin := func(number int) {
		offsets[number] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj\n", number)
	}
	end := func() { out.WriteString("\nendobj\n") }

	begin(b.root)
	b.catalog.write(&out,
		entry{"/AcroForm", fmt.Appendf(nil, "<</Fields[%d 0 R]/SigFlags 3>>", widget)}, // signatures exist, append only
		entry{"/Perms", fmt.Appendf(nil, "<</DocMDP %d 0 R>>", signature)})
	end()

	begin(b.page)
	b.pageDict.write(&out, entry{"/Annots", fmt.Appendf(nil, "[%d 0 R]", widget)})
	end()

	begin(signature)
	out.WriteString("<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached\n")
	fmt.Fprintf(&out, "/M(D:%sZ)\n", at.UTC().Format("20060102150405"))
	for _, e := range []struct{ key, text string }{{"/Name", info.Name}, {"/Reason", info.Reason}, {"/Location", info.Location}} {
		if e.text != "" {
			fmt.Fprintf(&out, "%s%s\n", e.key, textString(e.text))
		}
	}
	out.WriteString("/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>]\n")
	out.WriteString("/ByteRange")
	byteRange := out.Len()
	out.Write(bytes.Repeat([]byte(" "), byteRangeRoom))
	out.WriteString("\n/Contents")
	gap.from = out.Len()
	out.WriteByte('<')
	out.Write(bytes.Repeat([]byte("0"), 2*room))
	out.WriteByte('>')
	gap.to = out.Len()
	out.WriteString(">>")
	end()

	begin(widget)
	fmt.Fprintf(&out, "<</Type/Annot/Subtype/Widget/FT/Sig/T(Tesdiq)/V %d 0 R/P %d 0 R/Rect[0 0 0 0]/F 132>>", signature, b.page) // printed, locked
	end()

	infoValue := b.info
	if b.direct { // a reader may expect an indirect object there, ISO 32000-1 table 15
		begin(size)
		out.Write(b.info)
		end()
		infoValue = fmt.Appendf(nil, "%d 0 R", size)
		size++
	}

	xref := out.Len()
	out.WriteString("xref\n")
	first, second := min(b.root, b.page), max(b.root, b.page)
	for _, s := range []span{{first, first + 1}, {second, second + 1}, {signature, size}} {
		fmt.Fprintf(&out, "%d %d\n", s.from, s.to-s.from)
		for number := s.from; number < s.to; number++ {
			fmt.Fprintf(&out, "%010d 00000 n \n", offsets[number])
		}
	}
	fmt.Fprintf(&out, "trailer\n<</Size %d/Root %d 0 R", size, b.root)
	if infoValue != nil {
		out.WriteString("/Info ")
		out.Write(infoValue)
	}
	firstID := b.id
	if firstID == nil {
		firstID = fmt.Appendf(nil, "<%x>", digest[:16])
	}
	// Drawn from the input alone: the same drawing signed again in the same second has the same /ID.
	sum := sha256.Sum256(fmt.Appendf(digest, "%d %q", at.Unix(), info))
	fmt.Fprintf(&out, "/Prev %d/ID[%s<%x>]>>\nstartxref\n%d\n%%%%EOF\n", b.xrefAt, firstID, sum[:16], xref)

	file := out.Bytes()
	copy(file[byteRange:], fmt.Sprintf("[0 %d %d %d]", gap.from, gap.to, len(file)-gap.to))
	return file, gap
}

// write writes the dictionary with further entries at its end.
func (d dict) write(out *bytes.Buffer, more ...entry) {
	out.WriteString("<<")
	for _, e := range append(d[:len(d):len(d)], more...) {
		out.WriteString("\n")
		out.WriteString(e.key)
		out.WriteString(" ")
		out.Write(e.value)
	}
	out.WriteString("\n>>")
}

// textString writes text as UTF-16 with its mark, in hexadecimal: ə ş ğ ı are in no other encoding that every reader knows.
func textString(text string) string {
	b := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return "<" + hex.EncodeToString(b) + ">"
}
