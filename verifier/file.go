package verifier

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync/atomic"
	"unicode/utf16"

	"github.com/tesdiq/tesdiq"
)

// MaxFile is the most that we take of a file, in bytes: 20 MB.
const MaxFile = 20 << 20

// Sum is the SHA-256 of a file, or of its beginning.
type Sum [sha256.Size]byte

// Format is what a file seems to be, by its first bytes.
type Format int

// The formats that we tell apart; each has its own advice.
const (
	OtherFormat Format = iota
	PDFFormat
	PictureFormat
)

// File is what is known of a file that was shown to us. The bytes of a signed PDF stay in memory until it is checked and
// Forget is called; those of anything else are gone when it has been read.
type File struct {
	Size       int64
	Sum        Sum
	Beginnings []Sum // of what ends at its first %%EOF lines, longest first
	Format     Format
	Encrypted  bool
	Incomplete bool        // a PDF whose end is not there
	Signed     bool        // it has a /ByteRange, whatever that is worth
	Code       tesdiq.Code // in the /Subject of a document information dictionary; empty if none

	held *held // nil: there was no room for it, or nothing to read in it
}

// Room is how many bytes of files may be in memory at a time, of all who check together. It may be shared by goroutines.
type Room struct{ left atomic.Int64 }

// NewRoom makes room for so many bytes.
func NewRoom(size int64) *Room {
	r := &Room{}
	r.left.Store(size)
	return r
}

// held are a file's bytes, in the room that they take.
type held struct {
	room  *Room
	bytes []byte
}

// add says whether there was room.
func (h *held) add(b []byte) bool {
	if h.room.left.Add(-int64(len(b))) < 0 {
		h.room.left.Add(int64(len(b)))
		return false
	}
	h.bytes = append(h.bytes, b...)
	return true
}

func (h *held) forget() {
	h.room.left.Add(int64(len(h.bytes)))
	h.bytes = nil
}

// Forget gives up the bytes. It may be called again, and for no file.
func (f *File) Forget() {
	if f != nil && f.held != nil {
		f.held.forget()
	}
}

const (
	maxEOFs     = 16  // of an issued file: one for each revision. Ours have four, and two more for each renewal; what we signed ends with the second
	maxSubjects = 8   // that we look at for a code
	maxSubject  = 256 // bytes of each
)

// ReadFile reads a file once, from beginning to end. It keeps hashes and a code, and of a signed PDF the bytes if room has
// place for them; then the caller must Forget them.
// Errors that are Problems: "file.empty", and "file.too_large" as soon as more than MaxFile bytes have come.
func ReadFile(r io.Reader, room *Room) (_ File, err error) {
	s := scan{whole: sha256.New(), held: &held{room: room}}
	defer func() {
		if err != nil {
			s.drop()
		}
	}()
	n, err := io.Copy(&s, io.LimitReader(r, MaxFile+1))
	switch {
	case n > MaxFile:
		return File{}, TooLarge()
	case err != nil:
		var p *tesdiq.Problem
		if errors.As(err, &p) {
			return File{}, p
		}
		return File{}, fmt.Errorf("verifier: read a file: %w", err)
	case n == 0:
		return File{}, tesdiq.Invalid("file.empty").In("file")
	}
	return s.file(n), nil
}

// TooLarge is the Problem of a file beyond MaxFile.
func TooLarge() *tesdiq.Problem {
	return tesdiq.NewProblem(tesdiq.TooLarge, "file.too_large").In("file").With("Megabytes", MaxFile>>20)
}

// Missing is the reason to give when nothing is known of the file.
func (f File) Missing() Reason {
	switch {
	case f.Format == PictureFormat:
		return UnknownPicture
	case f.Format != PDFFormat:
		return UnknownNotPDF
	case f.Encrypted:
		return UnknownEncrypted
	case f.Incomplete:
		return UnknownIncomplete
	case f.Signed:
		return UnknownForeign
	default:
		return UnknownUnsigned
	}
}

// scan hashes a stream and looks, byte by byte, for the few words that say something about it. Of what is no PDF it holds
// less than two kilobytes at any time.
type scan struct {
	held      *held // nil: dropped
	whole     hash.Hash
	sums      []Sum
	eofs      int
	eof       int // how much of %%EOF has been seen; 5: all, 6: and \r
	head      []byte
	tail      []byte
	name      []byte // a /Name being read, with its slash
	subject   []byte // what follows /Subject, being read
	subjects  int
	encrypted bool
	signed    bool
	code      tesdiq.Code
}

const (
	eofMark = "%%EOF"
	maxHead = 1024 // bytes in which a PDF says that it is one; readers allow for rubbish before it
	maxTail = 1024 // bytes in which it says that it ends; readers allow for rubbish after it
)

func (s *scan) isPDF() bool { return bytes.Contains(s.head, []byte("%PDF-")) }

func (s *scan) drop() {
	if s.held != nil {
		s.held.forget()
		s.held = nil
	}
}

// Write never fails.
func (s *scan) Write(b []byte) (int, error) {
	if s.tail = append(s.tail, b[max(0, len(b)-maxTail):]...); len(s.tail) > maxTail {
		s.tail = append(s.tail[:0], s.tail[len(s.tail)-maxTail:]...)
	}
	if room := maxHead - len(s.head); room > 0 {
		s.head = append(s.head, b[:min(room, len(b))]...)
	}
	if s.held != nil && (len(s.head) == maxHead && !s.isPDF() || !s.held.add(b)) {
		s.drop()
	}
	done := 0
	for i, c := range b {
		if s.eofs < maxEOFs || s.eof >= len(eofMark) {
			if s.eofByte(c) {
				s.whole.Write(b[done : i+1])
				done = i + 1
				s.sums = append(s.sums, Sum(s.whole.Sum(nil)))
			}
		}
		s.nameByte(c)
	}
	s.whole.Write(b[done:])
	return len(b), nil
}

// eofByte says whether a file could end after this byte: after %%EOF, or after the line end that follows it.
func (s *scan) eofByte(c byte) bool {
	switch {
	case s.eof == len(eofMark) && c == '\r':
		s.eof++
		return true
	case s.eof >= len(eofMark) && c == '\n':
		s.eof = 0
		return true
	case s.eof >= len(eofMark):
		s.eof = 0
	}
	switch {
	case s.eofs == maxEOFs:
	case c == eofMark[s.eof]:
		s.eof++
	case c == '%' && s.eof == 2: // %%%EOF
	case c == '%':
		s.eof = 1
	default:
		s.eof = 0
	}
	if s.eof == len(eofMark) {
		s.eofs++
		return true
	}
	return false
}

// nameByte reads PDF names, and remembers what follows /Subject.
func (s *scan) nameByte(c byte) {
	if s.subject != nil {
		s.subject = append(s.subject, c)
		if len(s.subject) == maxSubject {
			s.endSubject()
		}
	}
	if len(s.name) > 0 {
		if !isDelimiter(c) {
			if len(s.name) < 16 {
				s.name = append(s.name, c)
			}
			return
		}
		s.endName(c)
	}
	if c == '/' {
		s.name = append(s.name[:0], c)
	}
}

func (s *scan) endName(next byte) {
	switch string(s.name) {
	case "/Encrypt":
		s.encrypted = true
	case "/ByteRange":
		s.signed = true
	case "/Subject":
		if s.code == "" && s.subject == nil && s.subjects < maxSubjects {
			s.subjects++
			s.subject = append(make([]byte, 0, maxSubject), next)
		}
	}
	s.name = s.name[:0]
}

func (s *scan) endSubject() {
	s.code = codeIn(pdfText(s.subject))
	s.subject = nil
}

func isDelimiter(c byte) bool { return c <= ' ' || strings.IndexByte("()<>[]{}/%", c) >= 0 }

func (s *scan) file(size int64) File {
	if s.subject != nil {
		s.endSubject()
	}
	f := File{Size: size, Sum: Sum(s.whole.Sum(nil)), Encrypted: s.encrypted, Signed: s.signed, Code: s.code}
	for i := len(s.sums) - 1; i >= 0; i-- {
		if s.sums[i] != f.Sum {
			f.Beginnings = append(f.Beginnings, s.sums[i])
		}
	}
	switch {
	case bytes.HasPrefix(s.head, []byte("%PDF-")):
		f.Format = PDFFormat
	case IsPicture(s.head):
		f.Format = PictureFormat
	case s.isPDF():
		f.Format = PDFFormat
	}
	f.Incomplete = f.Format == PDFFormat && !bytes.Contains(s.tail, []byte(eofMark))
	if f.Format != PDFFormat || !f.Signed {
		s.drop()
	}
	f.held = s.held
	return f
}

// IsPicture knows by its first bytes what telephones and scanners make: JPEG, PNG, GIF, TIFF, BMP, WebP, HEIC and AVIF.
func IsPicture(head []byte) bool {
	for _, magic := range []string{"\xff\xd8\xff", "\x89PNG\r\n", "GIF8", "II*\x00", "MM\x00*", "BM"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	if len(head) < 12 {
		return false
	}
	return string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" || string(head[4:8]) == "ftyp"
}

// pdfText reads the beginning of b as a PDF string, literal or hexadecimal, in UTF-16 or a one-byte encoding. It reads
// only as much as a code needs: letters, digits and hyphens come out right, and anything else may come out as anything.
func pdfText(b []byte) string {
	b = bytes.TrimLeft(b, "\x00\t\n\f\r ")
	var raw []byte
	switch {
	case bytes.HasPrefix(b, []byte("<")) && !bytes.HasPrefix(b, []byte("<<")):
		raw = hexString(b[1:])
	case bytes.HasPrefix(b, []byte("(")):
		raw = literalString(b[1:])
	default:
		return ""
	}
	if len(raw) >= 2 && raw[0] == 0xfe && raw[1] == 0xff {
		var units []uint16
		for i := 2; i+1 < len(raw); i += 2 {
			units = append(units, uint16(raw[i])<<8|uint16(raw[i+1]))
		}
		return string(utf16.Decode(units))
	}
	return string(raw)
}

func hexString(b []byte) []byte {
	var out []byte
	half, high := false, byte(0)
	for _, c := range b {
		if c == '>' {
			break
		}
		v := strings.IndexByte("0123456789abcdef", c|0x20)
		if c < '0' || v < 0 {
			continue
		}
		if half {
			out = append(out, high|byte(v))
		} else {
			high = byte(v) << 4
		}
		half = !half
	}
	return out
}

func literalString(b []byte) []byte {
	var out []byte
	depth := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '\\' && i+1 < len(b):
			i++
			out = append(out, b[i])
		case c == '(':
			depth++
			out = append(out, c)
		case c == ')' && depth == 0:
			return out
		case c == ')':
			depth--
			out = append(out, c)
		default:
			out = append(out, c)
		}
	}
	return out
}

// codeIn finds the first word of s that is a code with a right check character.
func codeIn(s string) tesdiq.Code {
	for _, word := range strings.Fields(s) {
		if code, err := tesdiq.ParseCode(word); err == nil {
			return code
		}
	}
	return ""
}
