package templates

import (
	_ "embed"
	"sync"
	"unicode"

	"github.com/signintech/gopdf"
)

//go:embed fonts/NotoSans-Regular.ttf
var regularFile []byte

//go:embed fonts/NotoSans-Bold.ttf
var boldFile []byte

//go:embed fonts/NotoSansMono-Bold.ttf
var monoFile []byte

// The families, as the drawing names them.
const (
	regular = "text"
	bold    = "bold"
	mono    = "mono"
)

// fontSet is what all pages share: the parsed fonts, and how wide each letter is in thousandths of the font's size.
type fontSet struct {
	container *gopdf.FontContainer
	width     map[string]map[rune]float64
}

var fonts = sync.OnceValues(readFonts)

// lastRune is the highest character of our fonts: the minus sign.
const lastRune = 0x2212

func readFonts() (*fontSet, error) {
	f := &fontSet{container: &gopdf.FontContainer{}, width: make(map[string]map[rune]float64)}
	for family, file := range map[string][]byte{regular: regularFile, bold: boldFile, mono: monoFile} {
		if err := f.container.AddTTFFontData(family, file); err != nil {
			return nil, err
		}
	}
	for _, family := range []string{regular, bold, mono} {
		gp := gopdf.GoPdf{}
		gp.Start(gopdf.Config{PageSize: *gopdf.PageSizeA4})
		if err := gp.AddTTFFontFromFontContainer(family, f.container); err != nil {
			return nil, err
		}
		if err := gp.SetFont(family, "", 1000); err != nil {
			return nil, err
		}
		widths := make(map[rune]float64)
		for r := rune(' '); r <= lastRune; r++ {
			if !printable(r) {
				continue
			}
			if ok, err := gp.IsCurrFontContainGlyph(r); err != nil || !ok {
				continue
			}
			w, err := gp.MeasureTextWidth(string(r))
			if err != nil {
				return nil, err
			}
			widths[r] = w
		}
		f.width[family] = widths
	}
	return f, nil
}

// printable refuses control characters, direction overrides and other marks that change how their neighbours look.
func printable(r rune) bool {
	return !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// Unprintable lists the characters of s that cannot stand on the page, each once: those that our fonts do not have.
func Unprintable(s string) []rune {
	f, err := fonts()
	if err != nil {
		return []rune(s)
	}
	var missing []rune
	seen := make(map[rune]bool)
	for _, r := range s {
		if _, ok := f.width[regular][r]; ok || seen[r] {
			continue
		}
		seen[r] = true
		missing = append(missing, r)
	}
	return missing
}

// measure is the width of s in points.
func (f *fontSet) measure(family string, size float64, s string) float64 {
	var w float64
	for _, r := range s {
		w += f.width[family][r]
	}
	return w * size / 1000
}

// wrap breaks s into lines of at most width points: between words where it can, inside a word that is too long alone.
func (f *fontSet) wrap(family string, size, width float64, s string) []string {
	var lines []string
	line, lineWidth := []rune(nil), 0.0
	lastBlank := -1 // where the line may be broken
	for _, r := range s {
		w := f.width[family][r] * size / 1000
		if r == ' ' {
			lastBlank = len(line)
		}
		line, lineWidth = append(line, r), lineWidth+w
		if lineWidth <= width || len(line) == 1 {
			continue
		}
		cut, next := len(line)-1, len(line)-1
		if r == ' ' {
			cut, next = len(line)-1, len(line)
		} else if lastBlank > 0 {
			cut, next = lastBlank, lastBlank+1
		}
		lines = append(lines, string(line[:cut]))
		line = append([]rune(nil), line[next:]...)
		lineWidth, lastBlank = f.measure(family, size, string(line)), -1
	}
	if len(line) > 0 || len(lines) == 0 {
		lines = append(lines, string(line))
	}
	return lines
}
