package templates

import (
	_ "embed"
	"fmt"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/signintech/gopdf"
)

//go:embed fonts/NotoSans-Regular.ttf
var regularFile []byte

//go:embed fonts/NotoSans-Bold.ttf
var boldFile []byte

//go:embed fonts/NotoSansMono-Bold.ttf
var monoFile []byte

// family is one of our fonts.
type family int

const (
	regular family = iota
	bold
	mono
	families
)

// The fonts' files, and their names in a document.
var (
	fontFiles = [families]*[]byte{&regularFile, &boldFile, &monoFile}
	fontNames = [families]string{"text", "bold", "mono"}
)

// FontFiles are our fonts as files: text, bold, and that of the code. internal/bench draws the plain way with them.
func FontFiles() [families][]byte { return [families][]byte{regularFile, boldFile, monoFile} }

// glyph is a character's place in a font and its width in thousandths of the font's size. There is none at place 0.
type glyph struct{ id, width uint16 }

// lastRune is the highest character of our fonts: the minus sign.
const lastRune = 0x2212

// typeface are the glyphs of a font by their characters.
type typeface [lastRune + 1]glyph

func (t *typeface) glyph(r rune) glyph {
	if r < 0 || r > lastRune {
		return glyph{}
	}
	return t[r]
}

var typefaces = sync.OnceValues(func() (faces *[families]typeface, err error) {
	faces = new([families]typeface)
	for f, file := range fontFiles {
		var font gopdf.SubsetFontObj
		if err := font.SetTTFData(*file); err != nil {
			return nil, fmt.Errorf("font %s: %w", fontNames[f], err)
		}
		for r := rune(' '); r <= lastRune; r++ {
			if !printable(r) {
				continue
			}
			if id, err := font.CharCodeToGlyphIndex(r); err == nil && id != 0 {
				faces[f][r] = glyph{uint16(id), uint16(font.GlyphIndexToPdfWidth(id))}
			}
		}
	}
	return faces, nil
})

// printable refuses control characters, direction overrides and other marks that change how their neighbours look.
func printable(r rune) bool {
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// Unprintable lists the characters of s that cannot stand on the page, each once: those that our fonts do not have.
func Unprintable(s string) []rune {
	faces, err := typefaces()
	if err != nil {
		return []rune(s)
	}
	var missing []rune
	seen := make(map[rune]bool)
	for _, r := range s {
		if faces[regular].glyph(r).id != 0 || seen[r] {
			continue
		}
		seen[r] = true
		missing = append(missing, r)
	}
	return missing
}

// measure is the width of s in points.
func (d *drawing) measure(f family, size float64, s string) float64 {
	w := 0
	for _, r := range s {
		w += int(d.faces[f].glyph(r).width)
	}
	return float64(w) * size / 1000
}

// wrap breaks s into lines of at most width points: between words where it can, inside a word that is too long alone. The
// blank at which a line was broken stays at its end, where nobody sees it, for those who hear the page or copy from it.
func (d *drawing) wrap(f family, size, width float64, s string) []string {
	var lines []string
	room := width * 1000 / size
	from, taken := 0, 0.0 // where the line begins, how wide it is up to at
	blank := -1           // where the line may be broken
	for at := 0; at < len(s); {
		r, n := utf8.DecodeRuneInString(s[at:])
		taken += float64(d.faces[f].glyph(r).width)
		if r == ' ' && at > from {
			blank = at
		}
		if taken <= room || at == from {
			at += n
			continue
		}
		switch {
		case blank >= 0:
			lines, from = append(lines, s[from:blank+1]), blank+1
		default:
			lines, from = append(lines, s[from:at]), at
		}
		at, taken, blank = from, 0, -1
	}
	if from < len(s) || len(lines) == 0 {
		lines = append(lines, s[from:])
	}
	return lines
}
