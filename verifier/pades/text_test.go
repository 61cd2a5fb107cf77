package pades_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

func TestTextOfThePage(t *testing.T) {
	w := newWorld(t)
	for name, file := range map[string][]byte{"before signing": w.page, "signed": w.signed} {
		lines, err := pades.Text(file)
		if err != nil || !slices.Equal(lines, pdftest.Facts) {
			t.Errorf("%s: got %q, %v", name, lines, err)
		}
	}
}

func TestTextReadsWhatIsDrawn(t *testing.T) {
	w := newWorld(t)
	const ascii = "1 beginbfrange\n<0020><007E><0020>\nendbfrange\n2 beginbfchar\n<0100><0259>\n<0101><D83DDE00>\nendbfchar\n"
	for _, c := range []struct {
		name, content string
		want          []string // nil: an error
	}{
		{"one piece for each operator", "BT /F1 9 Tf <00410042> Tj [<0043> -120 <0044>] TJ ET", []string{"AB", "CD"}},
		{"a literal string", "BT /F1 9 Tf (\\000A\\000B) Tj ET", []string{"AB"}},
		{"letters beyond Latin, and beyond 16 bits", "BT /F1 9 Tf <01000101> Tj ET", []string{"ə😀"}},
		{"nothing", "q Q", []string{}},
		{"a glyph without a meaning", "BT /F1 9 Tf <0200> Tj ET", nil},
		{"half a glyph", "BT /F1 9 Tf <004100> Tj ET", nil},
		{"a font that is not there", "BT /F2 9 Tf <0041> Tj ET", nil},
		{"no font", "BT <0041> Tj ET", nil},
		{"another way to write", "BT /F1 9 Tf <0041> ' ET", nil},
		{"an inline image", "BI /W 1 ID x EI", nil},
		{"operands without an operator", "1 2 3", nil},
		{"a comment", "% BT\nq Q", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := withContent(withMap(w.page, ascii), []byte(c.content), "")
			lines, err := pades.Text(file)
			if (err != nil) != (c.want == nil) || !slices.Equal(lines, c.want) {
				t.Errorf("got %q, %v", lines, err)
			}
		})
	}
}

func TestSays(t *testing.T) {
	drawn := []string{"Soyad, ad, ata adı:", "Əliyeva  Şəfəq", "İsmayıl qızı"}
	for fact, want := range map[string]bool{
		"Əliyeva Şəfəq İsmayıl qızı": true, "adı: Əliyeva": true, "Əliyeva Şəfəq İsmayil": false, "": false, "Şəfəqİsmayıl": false,
	} {
		if got := pades.Says(drawn, fact); got != want {
			t.Errorf("%q: got %v", fact, got)
		}
	}
}

func TestLintFindsNothingInWhatWeSign(t *testing.T) {
	w := newWorld(t)
	for name, file := range map[string][]byte{"before signing": w.page, "signed": w.signed, "by the forger": w.genuine().write(w, w.page)} {
		if found := pades.Lint(file); len(found) != 0 {
			t.Errorf("%s: %q", name, found)
		}
	}
}

func TestLintFinds(t *testing.T) {
	w := newWorld(t)
	// swap changes a text of the page for one of the same length, so that the table stays right.
	swap := func(old, new string) []byte {
		if !strings.Contains(string(w.page), old) || len(new) > len(old) {
			t.Fatalf("%q cannot be swapped for %q", old, new)
		}
		return []byte(strings.Replace(string(w.page), old, new+strings.Repeat(" ", len(old)-len(new)), 1))
	}
	catalog := func(more string) []byte {
		return pdftest.WithObject(w.page, 1, "<</Type/Catalog/Pages 2 0 R"+more+">>")
	}
	page := func(more string) []byte {
		return pdftest.WithObject(w.page, 5, "<</Type/Page/Parent 2 0 R/Resources 4 0 R/Contents 11 0 R"+more+">>")
	}
	for _, c := range []struct {
		file []byte
		want string
	}{
		{nil, "structure: not PDF syntax"},
		{append(slices.Clone(w.signed), '\n'), "structure: something follows the signature"},
		{catalog("/OpenAction[5 0 R/Fit]"), "action: /OpenAction"},
		{catalog("/AA<<>>"), "catalog: has /AA"},
		{catalog("/Names<</EmbeddedFiles 3 0 R>>"), "embedded file: /EmbeddedFiles"},
		{catalog("/Names<</JavaScript 3 0 R>>"), "script: /JavaScript"},
		{catalog("/AcroForm<</Fields[]/XFA()>>"), "form: /XFA"},
		{catalog("/OCProperties<<>>"), "optional content: /OCProperties"},
		{catalog("/ViewerPreferences<</S/Launch>>"), "action: /S /Launch"},
		{catalog("/Metadata 99 0 R"), "object 99: referred to, but not there"},
		{page("/Annots[3 0 R]"), "page: has annotations"},
		{page("/CropBox[0 0 9 9]"), "page: has /CropBox"},
		{page("/Group<</A<</S/URI>>>>"), "action: /S /URI"},
		{swap("/Count 1", "/Count 2"), "pages: not exactly one"},
		{pdftest.WithObject(w.page, 3, "<</Type/Outlines/Count 1>>"), "object 3: nothing refers to it"},
		{swap("/FontFile2 7 0 R", "/FontFile2 8 0 R"), "font text: not embedded"},
		{swap("/ToUnicode 6 0 R", ""), "font text: no character map"},
		{swap("/Subtype /Type0", "/Subtype /Type3"), "font text: Type3, not an embedded TrueType font by glyph"},
		{pdftest.WithObject(w.page, 4, "<</Font<</F1 10 0 R>>/XObject<</X 10 0 R>>>>"), "page: drawing /X is not an image"},
		{withContent(w.page, []byte("BT 3 Tr ET"), ""), `page: operator "Tr"`},
		{withContent(w.page, []byte("q"), "/Filter/LZWDecode"), "page: a filter that our files do not use"},
	} {
		t.Run(c.want, func(t *testing.T) {
			if found := pades.Lint(c.file); !slices.Contains(found, c.want) {
				t.Errorf("got %q", found)
			}
		})
	}
}

// Character maps are kept by their bytes: many different ones, again and again, at once, never stand in for each other.
func TestKeptMapsAreNotMixedUp(t *testing.T) {
	w := newWorld(t)
	files := make([][]byte, 40)
	for i := range files {
		m := fmt.Sprintf("1 beginbfchar\n<0041><%04X>\nendbfchar\n", 'a'+i)
		files[i] = withContent(withMap(w.page, m), []byte("BT /F1 9 Tf <0041> Tj ET"), "")
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 3 {
				for i, file := range files {
					lines, err := pades.Text(file)
					if err != nil || len(lines) != 1 || lines[0] != string(rune('a'+i)) {
						t.Errorf("map %d: %q, %v", i, lines, err)
					}
				}
			}
		})
	}
	readers.Wait()
}
