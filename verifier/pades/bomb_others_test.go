package pades_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/verifier/pades"
)

var plain = pades.PlainFile

// withXrefStream writes a file of these objects and of a cross-reference stream with these keys and data.
func withXrefStream(keys string, data []byte, objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	for i, o := range objects {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "%d 0 obj\n<</Type/XRef/Root 1 0 R/Length %d%s>>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, len(data), keys, data, at)
	return b.Bytes()
}

// Where its own section ends must not depend on an object that the section is needed to find.
func TestACrossReferenceStreamSaysItsOwnLength(t *testing.T) {
	table := []byte{0, 0, 0, 0, 1, 0, 9, 0}
	whole := withXrefStream("/Size 2/W[1 2 1]/X(/ByteRange)", table, "8")
	for _, file := range [][]byte{
		bytes.Replace(whole, []byte("/Length 8"), []byte("/Length 1 0 R"), 1),
		bytes.Replace(whole, []byte("/Length 8"), []byte("/Length 2 0 R"), 1),
	} {
		if r := pades.Read(file, nil); r.Integrity != pades.Broken {
			t.Errorf("%+v: %s", r, pades.Why(r))
		}
	}
}

// Files that are rightly built and hurt whoever reads everything in them. The word /ByteRange in each makes the reader look for a signature.
func TestBombsThatAreWellFormed(t *testing.T) {
	w := newWorld(t)
	const catalog = "<</Type/Catalog/X(/ByteRange)/Pages 2 0 R/AcroForm<</Fields[3 0 R]>>>>"
	many := func(n int, object func(i int) string) []string {
		all := []string{catalog, "<</Type/Pages/Kids[]/Count 0>>"}
		for i := range n {
			all = append(all, object(i+3))
		}
		return all
	}
	zeros := deflated(48 << 20)
	updates := func(file []byte, n int) []byte {
		for i := range n {
			file = increment(file, forgedObject{14, fmt.Sprintf("<</ModDate(D:%d)>>", i)})
		}
		return file
	}
	signed := w.genuine()
	signed.replace(1, "/AcroForm", "/X 15 0 R/AcroForm")
	signed.objects = append(signed.objects, forgedObject{15, "[" + strings.Repeat("0 ", 90_000) + "]"})
	signed.replace(14, "/Producer", "/ModDate(D)/Was")
	signed.trailer = strings.Replace(signed.trailer, "15", "16", 1)
	signed.objects[4] = forgedObject{14, "<</ModDate(D)>>"}
	large := signed.write(w, w.page)
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"400,000 objects", plain(many(399_900, func(int) string { return "0" })...)},
		{"450,000 objects", plain(many(450_000, func(int) string { return "0" })...)},
		{"an array of nine million", plain(many(1, func(int) string { return "[" + strings.Repeat("0 ", 9_000_000) + "]" })...)},
		{"forty arrays of 200,000", plain(many(40, func(int) string { return "[" + strings.Repeat("0 ", 200_000) + "]" })...)},
		{"a dictionary of a million", plain(many(1, func(int) string { return "<<" + manyKeys(1_000_000) + ">>" })...)},
		{"references to references", plain(many(100_000, func(i int) string { return fmt.Sprintf("%d 0 R", i+1) })...)},
		{"a field below itself", plain(many(1, func(i int) string { return "<</T(a)/Kids[3 0 R 3 0 R]/Parent 3 0 R>>" })...)},
		{"fields a thousand deep", plain(many(1000, func(i int) string { return fmt.Sprintf("<</T(a)/Kids[%d 0 R]>>", i+1) })...)},
		{"fields that all have all", plain(many(3000, func(i int) string { return "<</T(a)/Kids[" + refs(3, 600) + "]>>" })...)},
		{"a length that is its own", plain(many(1, func(i int) string { return "<</Length 3 0 R>>\nstream\n\nendstream" })...)},
		{"lengths of lengths", plain(many(5000, func(i int) string { return fmt.Sprintf("<</Length %d 0 R>>\nstream\n\nendstream", i+1) })...)},
		{"a cross-reference stream of 2^30", withXrefStream("/Size 1073741824/W[0 1 0]", []byte("123456789"), catalog)},
		{"a cross-reference stream of nothing", withXrefStream("/Size 1073741824/W[0 0 0]", nil, catalog)},
		{"a cross-reference stream of 48 MB", withXrefStream("/Size 600000/W[1 4 2]/Filter/FlateDecode", zeros, catalog)},
		{"a cross-reference stream with a predictor", withXrefStream("/Size 600000/W[1 4 2]/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 65536/Colors 32>>", zeros, catalog)},
		{"an object stream of 48 MB", packed(catalog, "/N 10000/First 90000000/Filter/FlateDecode", zeros)},
		{"an object stream of 200,000", packed(catalog, "/N 200000/First 1200000", []byte(strings.Repeat("3 0   ", 200_000)+"0"))},
		{"sections that lead to themselves", []byte("%PDF-1.7\n%/ByteRange\nxref\n0 0\ntrailer\n<</Size 1/Root 1 0 R/Prev 21>>\nstartxref\n21\n%%EOF\n")},
		{"250 updates of a large file", updates(large, 250)},
		{"300 updates", updates(w.contract("", ""), 300)},
		{"a signature in ten megabytes", append(bytes.Clone(w.signed), strings.Repeat("%%EOF\n", 1_700_000)...)},
		{"beginnings and ends", append(bytes.Clone(w.signed), strings.Repeat("%PDF-1.7\n/ByteRange\n%%EOF\n", 700_000)...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if len(c.file) > pades.MaxSize {
				t.Fatalf("%d bytes are refused by their size", len(c.file))
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := spent(t)
			r := pades.Read(c.file, w.roots)
			took := spent(t) - began
			runtime.ReadMemStats(&after)
			used := (after.TotalAlloc - before.TotalAlloc) >> 20
			if r.Indication == pades.Passed && c.name != "250 updates of a large file" { // that only say when it was changed
				t.Errorf("accepted: %+v", r)
			}
			if used > 256 {
				t.Errorf("allocated %d MiB", used)
			}
			if took > maxSpent {
				t.Errorf("took %s", took)
			}
			t.Logf("%d KiB in, %d MiB allocated, %s, %s: %s", len(c.file)>>10, used, took.Round(time.Millisecond), r.Integrity, pades.Why(r))
		})
	}
}

// refs lists references.
func refs(from, count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "%d 0 R ", from+i)
	}
	return b.String()
}

// packed writes a file whose field stands in an object stream, object 2.
func packed(catalog, keys string, data []byte) []byte {
	carrier := fmt.Sprintf("<</Type/ObjStm/Length %d%s>>\nstream\n%s\nendstream", len(data), keys, data)
	offset := len("%PDF-1.7\n")
	second := offset + len("1 0 obj\n") + len(catalog) + len("\nendobj\n")
	line := func(kind byte, at, index int) []byte {
		return []byte{kind, byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at), byte(index >> 8), byte(index)}
	}
	table := bytes.Join([][]byte{line(0, 0, 0), line(1, offset, 0), line(1, second, 0), line(2, 2, 0)}, nil)
	return withXrefStream("/Size 4/W[1 4 2]", table, catalog, carrier)
}
