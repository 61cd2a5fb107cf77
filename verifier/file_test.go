package verifier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/tesdiq/tesdiq"
)

const code = tesdiq.Code("7K2M9QXA4TRCW8HN0") // its check character is put right in init

var good tesdiq.Code

func init() {
	for _, c := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
		if p, err := tesdiq.ParseCode(string(code[:16]) + string(c)); err == nil {
			good = p
		}
	}
}

func read(t *testing.T, r io.Reader) File {
	t.Helper()
	f, err := ReadFile(r, NewRoom(MaxFile))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReadFileFindsWhatAFileBeginsWith(t *testing.T) {
	first := "%PDF-1.7\nfirst\n%%EOF"
	for _, end := range []string{"", "\n", "\r\n", "\r"} {
		issued := first + end
		for _, more := range []string{"x", "\nsecond\n%%EOF\n", "%%%EOF", "%%EO"} {
			f := read(t, iotest.OneByteReader(strings.NewReader(issued+more)))
			whole := read(t, strings.NewReader(issued+more))
			if fmt.Sprint(f) != fmt.Sprint(whole) {
				t.Fatalf("byte by byte %v, at once %v", f, whole)
			}
			if f.Sum != sha256.Sum256([]byte(issued+more)) {
				t.Errorf("%q: the sum of the whole is wrong", issued+more)
			}
			if !slices.Contains(f.Beginnings, Sum(sha256.Sum256([]byte(issued)))) {
				t.Errorf("%q begins with %q, unseen", issued+more, issued)
			}
			if slices.Contains(f.Beginnings, f.Sum) {
				t.Errorf("%q: the whole is among its beginnings", issued+more)
			}
		}
	}
}

func TestReadFileIsBounded(t *testing.T) {
	f := read(t, strings.NewReader("%PDF-"+strings.Repeat("%%EOF\r\n", 100_000)))
	if n := len(f.Beginnings); n != maxEOFs*3 {
		t.Errorf("%d beginnings, want %d", n, maxEOFs*3)
	}
	endless := io.LimitReader(zeros{}, 1<<40)
	if _, err := ReadFile(endless, NewRoom(MaxFile)); !errors.Is(err, TooLarge()) {
		t.Errorf("an endless file: %v", err)
	}
	if _, err := ReadFile(io.LimitReader(zeros{}, MaxFile), NewRoom(MaxFile)); err != nil {
		t.Errorf("the largest file that we take: %v", err)
	}
	if _, err := ReadFile(io.LimitReader(zeros{}, MaxFile+1), NewRoom(MaxFile)); !errors.Is(err, TooLarge()) {
		t.Errorf("one byte more: %v", err)
	}
	if _, err := ReadFile(strings.NewReader(""), NewRoom(MaxFile)); !errors.Is(err, tesdiq.Invalid("file.empty")) {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := ReadFile(io.MultiReader(strings.NewReader("%PDF-"), iotest.ErrReader(io.ErrUnexpectedEOF)), NewRoom(MaxFile)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that broke off: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestReadFileMemoryIsFlat(t *testing.T) {
	per := testing.AllocsPerRun(3, func() { _, _ = ReadFile(io.LimitReader(zeros{}, MaxFile), NewRoom(MaxFile)) })
	if per > 50 {
		t.Errorf("%.0f allocations for 20 MB", per)
	}
}

func TestMissing(t *testing.T) {
	tests := []struct {
		name, content string
		want          Reason
	}{
		{"scan in a PDF", "%PDF-1.4\n1 0 obj << /XObject 2 0 R >>\n%%EOF", UnknownUnsigned},
		{"somebody else's", "%PDF-1.4\n<< /Type/Sig/ByteRange[0 1 2 3] >>\n%%EOF", UnknownForeign},
		{"under a password", "%PDF-1.4\ntrailer << /Encrypt 5 0 R /ByteRange [0] >>\n%%EOF", UnknownEncrypted},
		{"rubbish before it", "\n\n junk %PDF-1.4\n%%EOF", UnknownUnsigned},
		{"photograph", "\xff\xd8\xff\xe0 JFIF", UnknownPicture},
		{"telephone's photograph", "\x00\x00\x00\x18ftypheic....", UnknownPicture},
		{"web page", "<!doctype html><script>alert(1)</script>", UnknownNotPDF},
		{"zip", "PK\x03\x04", UnknownNotPDF},
		{"one byte", "x", UnknownNotPDF},
		{"picture that says PDF later", "\x89PNG\r\n\x1a\n %PDF-1.4", UnknownPicture},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := read(t, strings.NewReader(tt.content)).Missing(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReadFileFindsTheCode(t *testing.T) {
	utf := "\xfe\xff"
	for _, u := range utf16.Encode([]rune(good.String())) {
		utf += string([]byte{byte(u >> 8), byte(u)})
	}
	tests := []struct {
		name, subject string
		want          tesdiq.Code
	}{
		{"literal", "(" + good.String() + ")", good},
		{"without hyphens", " \n(" + string(good) + ")", good},
		{"hexadecimal", "<" + hex.EncodeToString([]byte(good.String())) + ">", good},
		{"UTF-16", "(" + utf + ")", good},
		{"UTF-16 in hexadecimal", "<" + strings.ToUpper(hex.EncodeToString([]byte(utf))) + ">", good},
		{"among words", "(Kod: " + good.String() + " \\(e\\))", good},
		{"no string", "5 0 R", ""},
		{"a dictionary", "<< /A (" + good.String() + ") >>", ""},
		{"nothing", "", ""},
		{"never closed", "(" + strings.Repeat("a ", 500), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			content := "%PDF-1.7\n<< /Subject" + tt.subject + " /Title (x) >>\n/ByteRange [0]\n%%EOF"
			f := read(t, strings.NewReader(content))
			if f.Code != tt.want {
				t.Errorf("code %q, want %q", f.Code, tt.want)
			}
			if !f.Signed {
				t.Error("what follows the subject was not read")
			}
		})
	}
}

func TestParseScan(t *testing.T) {
	printed := good.String()
	tests := []struct {
		in   string
		way  tesdiq.Way
		fine bool
	}{
		{printed, tesdiq.ByCode, true},
		{strings.ToLower(printed) + "\r\n", tesdiq.ByCode, true},
		{"https://tesdiq.example/v/" + printed, tesdiq.ByQR, true},
		{"https://tesdiq.example/v/" + string(good) + "#" + strings.Repeat("2KCE3IQBEYCERP6CC6SYWOTVX6", 12), tesdiq.ByQR, true},
		{"HTTPS://TESDIQ.EXAMPLE/V/" + string(good), tesdiq.ByQR, true},
		{"  http://localhost:8080/v/" + printed + "?lang=en#x ", tesdiq.ByQR, true},
		{"https://tesdiq.example/v/" + printed + "/", tesdiq.ByQR, true},
		{"https://tesdiq.example/check", tesdiq.ByCode, false},
		{"https://tesdiq.example/v/", tesdiq.ByQR, false},
		{strings.Repeat("/v/", 1000), tesdiq.ByCode, false},
		{"", tesdiq.ByCode, false},
	}
	for _, tt := range tests {
		c, way, err := ParseScan(tt.in)
		if way != tt.way || tt.fine && (err != nil || c != good) || !tt.fine && err == nil {
			t.Errorf("%.60q: %q, %s, %v", tt.in, c, way, err)
		}
	}
}

func FuzzParseScan(f *testing.F) {
	f.Add("https://tesdiq.example/v/" + good.String())
	f.Add("\u0130/V/ŞĞ")
	f.Fuzz(func(t *testing.T, s string) {
		c, way, err := ParseScan(s)
		if err == nil {
			again, _, err := ParseScan(c.String())
			if err != nil || again != c || way == "" {
				t.Errorf("%q is not read as itself: %v", c, err)
			}
		} else if !errors.As(err, new(*tesdiq.Problem)) {
			t.Errorf("not a problem: %v", err)
		}
	})
}

func FuzzReadFile(f *testing.F) {
	f.Add([]byte("%PDF-1.7\n<< /Subject (" + good.String() + ") >>\n%%EOF\r\nx%%EOF"))
	f.Add([]byte("%PDF-1.7\n<< /Subject <FEFF0037> /Encrypt 5 0 R >>\n%%%EOF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, err := ReadFile(bytes.NewReader(b), NewRoom(MaxFile))
		if len(b) == 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		halves, err := ReadFile(iotest.HalfReader(bytes.NewReader(b)), NewRoom(MaxFile))
		if err != nil || fmt.Sprint(whole) != fmt.Sprint(halves) {
			t.Errorf("%v in one piece, %v in several (%v)", whole, halves, err)
		}
		if whole.Sum != sha256.Sum256(b) {
			t.Error("the sum is wrong")
		}
		for _, s := range whole.Beginnings {
			found := false
			for i := range b {
				found = found || Sum(sha256.Sum256(b[:i])) == s
				if len(b) > 4096 {
					return
				}
			}
			if !found {
				t.Error("a beginning that is none")
			}
		}
	})
}

func FuzzParseNote(f *testing.F) {
	f.Add("müqavilə 17-A")
	f.Add("a\u202eb\x00")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseNote(s)
		if err == nil && (len([]rune(n)) > MaxNote || strings.ContainsAny(n, "\x00\n\r\t\u202e\u2028")) {
			t.Errorf("%q", n)
		}
	})
}

func FuzzParseCursor(f *testing.F) {
	f.Add(Cursor{noon, "c7K2M9QXA4TRCW8HN"}.String())
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		if err != nil || c.At.IsZero() {
			return
		}
		again, err := ParseCursor(c.String())
		if err != nil || !again.At.Equal(c.At) || again.Mark != c.Mark {
			t.Errorf("%q: %+v, then %+v, %v", s, c, again, err)
		}
	})
}

func BenchmarkReadFile(b *testing.B) {
	content := bytes.Repeat([]byte("0 1 2 /Name (abc) % comment\n"), 1<<20/28)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if _, err := ReadFile(bytes.NewReader(content), NewRoom(MaxFile)); err != nil {
			b.Fatal(err)
		}
	}
}

// Only what may be read strictly takes room, and all of it is given back.
func TestRoom(t *testing.T) {
	const size = 1 << 20
	room := NewRoom(size)
	signed := "%PDF-1.7\n/ByteRange\n" + strings.Repeat("x", 300_000)
	for _, tt := range []struct {
		name, content string
		held          int
	}{
		{"signed", signed, len(signed)},
		{"not signed", "%PDF-1.7\n" + strings.Repeat("x", 300_000), 0},
		{"no PDF", strings.Repeat("x", 3000) + "%PDF-1.7 /ByteRange ", 0},
		{"more than there is room for", signed + strings.Repeat("x", size), 0},
	} {
		f, err := ReadFile(strings.NewReader(tt.content), room)
		if err != nil {
			t.Fatal(err)
		}
		held := 0
		if f.held != nil {
			if held = len(f.held.bytes); string(f.held.bytes) != tt.content {
				t.Errorf("%s: other bytes are held", tt.name)
			}
		}
		if held != tt.held || room.left.Load() != int64(size-held) {
			t.Errorf("%s: %d bytes held, room for %d left", tt.name, held, room.left.Load())
		}
		f.Forget()
		f.Forget()
		if room.left.Load() != size {
			t.Errorf("%s: room for %d left after it was forgotten", tt.name, room.left.Load())
		}
	}
	if _, err := ReadFile(io.MultiReader(strings.NewReader(signed), iotest.ErrReader(io.ErrUnexpectedEOF)), room); err == nil || room.left.Load() != size {
		t.Errorf("broken off: %v, room for %d left", err, room.left.Load())
	}
}
