package templates

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// A page's own objects, counted from the first after the stationery's. Structure elements follow, the document first.
const (
	contentAt = iota
	qrAt
	catalogAt
	structureAt
	parentsAt
	metadataAt
	infoAt
	filespecAt
	attachmentAt
	elementsAt
)

// AttachmentName is the name of the file that is attached: the statement, signed for machines.
const AttachmentName = "statement.jws"

// file is a file under way.
type file struct {
	paper *stationery
	b     []byte
	at    []int // offsets of the page's own objects
}

// file puts a page together: the stationery, its content after the mark, its structure, and what the document is called.
func (d *drawing) file(paper *stationery, of Sheet) []byte {
	f := &file{paper: paper, at: make([]int, 0, elementsAt+len(d.tags.all))}
	f.b = make([]byte, 0, len(paper.head)+len(d.content)/2+len(paper.xref)+100*len(d.tags.all)+len(of.Attachment)+8<<10)
	f.b = append(f.b, paper.head...)

	f.begin()
	packed := packFast(paper.mark, d.content)
	f.text("<</Filter/FlateDecode/Length ").number(packed.Len()).text(">>\nstream\n")
	f.b = append(f.b, packed.Bytes()...)
	packed.done()
	f.text("\nendstream").end()

	// The ink stands in the content; the picture says only where.
	f.begin()
	code := d.qr.packed()
	f.text("<</Type/XObject/Subtype/Image/ImageMask true/BitsPerComponent 1/Decode[1 0]/Width ").number(d.qr.side).text("/Height ").number(d.qr.side).
		text("/Length ").number(len(code)).text(">>\nstream\n")
	f.b = append(f.b, code...)
	f.text("\nendstream").end()

	f.begin()
	f.text("<</Type/Catalog/Pages 2 0 R/Lang(").text(string(of.Lang)).text(")/MarkInfo<</Marked true>>/ViewerPreferences<</DisplayDocTitle true>>/OutputIntents[3 0 R]/Metadata ").
		ref(metadataAt).text("/StructTreeRoot ").ref(structureAt).text("/AF[").ref(filespecAt).
		text("]/Names<</EmbeddedFiles<</Names[(" + AttachmentName + ")").ref(filespecAt).text("]>>>>>>").end()

	f.begin()
	f.text("<</Type/StructTreeRoot/K ").ref(elementsAt).text("/ParentTree ").ref(parentsAt).text("/ParentTreeNextKey 1>>").end()

	f.begin()
	f.text("<</Nums[0[")
	for _, leaf := range d.tags.leaves {
		f.ref(elementsAt + leaf).text(" ")
	}
	f.text("]]>>").end()

	f.begin()
	metadata := metadataOf(of)
	f.text("<</Type/Metadata/Subtype/XML/Length ").number(len(metadata)).text(">>\nstream\n").text(metadata).text("\nendstream").end()

	f.begin()
	f.text("<</Title ")
	f.b = appendText(f.b, of.Title)
	f.text("/Subject ")
	f.b = appendText(f.b, of.Code.String())
	f.text("/Creator(Tesdiq)/CreationDate(D:")
	f.b = of.IssuedAt.UTC().AppendFormat(f.b, "20060102150405Z)>>")
	f.end()

	// The same facts for machines, as a file associated with the document (ISO 19005-3, 6.8).
	f.begin()
	f.text("<</Type/Filespec/F(" + AttachmentName + ")/UF(" + AttachmentName + ")/AFRelationship/Data/Desc ")
	f.b = appendText(f.b, frameWords[of.Lang]["attachment"])
	f.text("/EF<</F ").ref(attachmentAt).text("/UF ").ref(attachmentAt).text(">>>>").end()
	f.begin()
	f.text("<</Type/EmbeddedFile/Subtype/application#2Fjose/Params<</Size ").number(len(of.Attachment)).text("/ModDate(D:")
	f.b = of.IssuedAt.UTC().AppendFormat(f.b, "20060102150405Z)>>/Length ")
	f.number(len(of.Attachment)).text(">>\nstream\n")
	f.b = append(f.b, of.Attachment...)
	f.text("\nendstream").end()

	for i := range d.tags.all {
		f.element(&d.tags, i)
	}

	xref := len(f.b)
	size := paper.next + len(f.at)
	f.text("xref\n0 ").number(size).text("\n")
	f.b = append(f.b, paper.xref...)
	for _, at := range f.at {
		for unit := 1_000_000_000; unit > 0; unit /= 10 {
			f.b = append(f.b, '0'+byte(at/unit%10))
		}
		f.text(" 00000 n \n")
	}
	sum := sha256.Sum256(f.b[len(paper.head):xref])
	id := hex.EncodeToString(sum[:16])
	f.text("trailer\n<</Size ").number(size).text("/Root ").ref(catalogAt).text("/Info ").ref(infoAt).
		text("/ID[<").text(id).text("><").text(id).text(">]>>\nstartxref\n").number(xref).text("\n%%EOF\n")
	return f.b
}

// packer packs what a page has of its own by the fastest method: the best one would take longer than drawing and checking the page.
type packer struct {
	bytes.Buffer
	z *zlib.Writer
}

// packers are kept for as many pages as are drawn at a time: one weighs a megabyte, and a sync.Pool would be emptied with each collection.
var packers = make(chan *packer, 16)

// done gives a packer back.
func (p *packer) done() {
	select {
	case packers <- p:
	default:
	}
}

func newPacker() *packer {
	p := new(packer)
	z, err := zlib.NewWriterLevel(&p.Buffer, zlib.BestSpeed)
	if err != nil {
		panic("templates: " + err.Error()) // a level that there is not
	}
	p.z = z
	return p
}

// packFast compresses the parts. Whoever is done with the result says so.
func packFast(parts ...[]byte) (p *packer) {
	select {
	case p = <-packers:
	default:
		p = newPacker()
	}
	p.Reset()
	p.z.Reset(&p.Buffer)
	for _, part := range parts {
		p.z.Write(part) // a bytes.Buffer takes everything
	}
	p.z.Close()
	return p
}

// element writes a structure element (ISO 32000-1, 14.7.2).
func (f *file) element(t *tags, i int) {
	e := &t.all[i]
	f.begin()
	f.text("<</S/").text(string(e.role)).text("/P ")
	if i == 0 {
		f.ref(structureAt)
	} else {
		f.ref(elementsAt + e.parent)
	}
	switch e.role {
	case rowHead:
		f.text("/A ").number(f.paper.next - 1).text(" 0 R")
	case figure:
		f.text("/A<</O/Layout/Placement/Block/BBox[")
		for _, n := range [4]float64{e.left, e.bottom, e.left + e.wide, e.bottom + e.high} {
			f.b = append(strconv.AppendFloat(f.b, n, 'f', 2, 64), ' ')
		}
		f.text("]>>/Alt ")
		f.b = appendText(f.b, e.alternate)
	}
	if e.content != none {
		f.text("/Pg ").number(f.paper.page).text(" 0 R/K ").number(e.content)
	} else {
		f.text("/K[")
		for child := e.first; child != 0; child = t.all[child].next {
			f.ref(elementsAt + child).text(" ")
		}
		f.text("]")
	}
	f.text(">>").end()
}

func (f *file) begin() {
	f.at = append(f.at, len(f.b))
	f.number(f.paper.next + len(f.at) - 1).text(" 0 obj\n")
}

func (f *file) end() { f.text("\nendobj\n") }

func (f *file) text(s string) *file {
	f.b = append(f.b, s...)
	return f
}

func (f *file) number(n int) *file {
	f.b = strconv.AppendInt(f.b, int64(n), 10)
	return f
}

// ref refers to one of the page's own objects.
func (f *file) ref(own int) *file { return f.number(f.paper.next + own).text(" 0 R") }

// metadataOf is the XMP packet (ISO 16684-1): what the document is called, as in its information dictionary, and that it
// claims PDF/A-3a and PDF/UA-1. PDF/A wants the schema of the latter described (ISO 19005-3, 6.6.2.3.3).
func metadataOf(s Sheet) string {
	return metadata.Replace(xmlText.Replace(s.Title), xmlText.Replace(s.Code.String()), string(s.Lang), s.IssuedAt.UTC().Format(time.RFC3339))
}

// xmlText writes text into XML. What is on our pages has no characters that XML does not know: printable refuses them.
var xmlText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// pieces are texts with places between them.
type pieces []string

// Replace fills the places.
func (p pieces) Replace(values ...string) string {
	var b strings.Builder
	n := 0
	for _, s := range p {
		n += len(s)
	}
	for _, s := range values {
		n += len(s)
	}
	b.Grow(n)
	for i, s := range p {
		b.WriteString(s)
		if i < len(values) {
			b.WriteString(values[i])
		}
	}
	return b.String()
}

var metadata = pieces{
	"<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfaid:part="3" pdfaid:conformance="A" pdfuaid:part="1" xmp:CreatorTool="Tesdiq">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">`, `</rdf:li></rdf:Alt></dc:title>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">`, `</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>`, `</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>`, `</xmp:CreateDate>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA identification</pdfaSchema:schema><pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI><pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource"><pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType><pdfaProperty:category>internal</pdfaProperty:category><pdfaProperty:description>Part of ISO 14289</pdfaProperty:description></rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`,
}

// appendText writes a text string in UTF-16 (ISO 32000-1, 7.9.2.2), in hexadecimal digits so that nothing in it acts.
func appendText(b []byte, s string) []byte {
	b = append(b, "<FEFF"...)
	for _, unit := range utf16.Encode([]rune(s)) {
		b = appendHex(b, unit)
	}
	return append(b, '>')
}

func appendHex(b []byte, n uint16) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, digits[n>>12], digits[n>>8&15], digits[n>>4&15], digits[n&15])
}
