package pades_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// maxSpent is what one file may cost, in processor time. On a machine with nothing else to do that is more than the time that passes,
// since whatever the collector does beside the reader counts too; and it is the same on a busy one.
const maxSpent = 5 * time.Second

// spent gives the processor time that this process has used, its own and the system's for it.
func spent(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Files that took down other readers (S5), and what a reader of this shape could be hurt by. Each must be refused, in bounded
// memory and time.
func TestBombs(t *testing.T) {
	w := newWorld(t)
	const header = "%PDF-1.7\n"
	fill := func(s string, size int) string { return strings.Repeat(s, size/len(s)) }
	chain := func() string {
		var b strings.Builder
		for i := 1; i < 19_000; i++ {
			fmt.Fprintf(&b, "%d 0 obj\n[%d 0 R]\nendobj\n", i, i+1)
		}
		return b.String()
	}
	for name, file := range map[string]string{
		"20,000 ByteRange pairs":       header + "1 0 obj\n<</Type/Sig/ByteRange[" + fill("0 1 2 3 4 5 ", 1_200_000) + "]>>\nendobj\n",
		"a table of 500,000,000":       header + "1 0 obj\n<<>>\nendobj\nxref\n0 500000000\n" + fill("0000000000 00000 n \n", 2_000_000),
		"ten megabytes of [":           header + "1 0 obj\n" + fill("[", 10_000_000),
		"ten megabytes of <<":          header + "1 0 obj\n" + fill("<</A", 10_000_000),
		"twenty megabytes of numbers":  header + "1 0 obj\n[" + fill("0 ", 19_000_000),
		"twenty megabytes of look-out": header + "1 0 obj\n[" + fill("1 0 ", 19_000_000),
		"twenty megabytes of (":        header + "1 0 obj\n" + fill("(", 19_000_000),
		"twenty megabytes of )":        header + "1 0 obj\n(" + fill("\\", 19_000_000),
		"twenty megabytes of hex":      header + "1 0 obj\n<" + fill("0", 19_000_000) + ">",
		"twenty megabytes of name":     header + "1 0 obj\n/" + fill("A", 19_000_000),
		"twenty megabytes of escapes":  header + "1 0 obj\n/" + fill("#80", 19_000_000),
		"twenty megabytes of digits":   header + "1 0 obj\n" + fill("9", 19_000_000),
		"twenty megabytes of blanks":   header + fill(" ", 19_000_000),
		"twenty megabytes of headers":  header + fill("%PDF-1.7\n", 19_000_000),
		"headers and signatures":       header + fill("%PDF-1.7\n/ByteRange", 19_000_000),
		"twenty megabytes of objects":  header + fill("1 0 obj\n0\nendobj\n", 19_000_000),
		"a stream longer than an int":  header + "1 0 obj\n<</Length 18446744073709551615>>\nstream\nendstream\nendobj\n",
		"a stream past the end":        header + "1 0 obj\n<</Length 999999999>>\nstream\nendstream\nendobj\n",
		"a chain of references":        header + chain(),
		"keys":                         header + "1 0 obj\n<<" + manyKeys(200_000) + ">>",
		"a bare update":                string(w.page) + "xref\ntrailer\n",
		"an update of updates":         string(w.page) + strings.Repeat(string(w.signed[len(w.page):]), 500),
		"parents":                      header + "1 0 obj\n<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Parent 1 0 R>>\nendobj\n",
		"deflate":                      string(withContent(w.page, deflated(64<<20), "/Filter/FlateDecode")),
		"characters of all glyphs":     string(withMap(w.page, strings.Repeat("1 beginbfrange\n<0000><FFFF><0000>\nendbfrange\n", 20_000))),
		"a million operands":           string(withContent(w.page, []byte(fill("1 ", 2_000_000)), "")),
		"a million operators":          string(withContent(w.page, []byte(fill("q Q ", 4_000_000)), "")),
		"nested content":               string(withContent(w.page, []byte(fill("[", 2_000_000)), "")),
	} {
		t.Run(name, func(t *testing.T) {
			data := []byte(file)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := spent(t)
			r := pades.Read(data, w.roots)
			_, _ = pades.Text(data)
			found := pades.Lint(data)
			took := spent(t) - began
			runtime.ReadMemStats(&after)
			if r.Indication == pades.Passed || len(found) == 0 {
				t.Errorf("accepted: %+v %q", r, found)
			}
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 192 {
				t.Errorf("three readings allocated %d MiB", used)
			}
			if took > maxSpent {
				t.Errorf("three readings took %s", took)
			}
			t.Logf("%d KiB in, %d MiB allocated, %s, %s %s", len(data)>>10, (after.TotalAlloc-before.TotalAlloc)>>20, took, r.Integrity, found[0])
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "/K%d 0", i)
	}
	return b.String()
}

func deflated(size int) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	for range size >> 16 {
		if _, err := z.Write(make([]byte, 1<<16)); err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// withContent writes the page anew with another content stream.
func withContent(page, content []byte, keys string) []byte {
	return withStream(page, 11, content, keys)
}

// withMap writes the page anew with another character map.
func withMap(page []byte, content string) []byte { return withStream(page, 6, []byte(content), "") }

// withStream writes the page anew with another stream in an object.
func withStream(page []byte, number int, content []byte, keys string) []byte {
	return pdftest.WithObject(page, number, fmt.Sprintf("<</Length %d%s>>\nstream\n%s\nendstream", len(content), keys, content))
}
