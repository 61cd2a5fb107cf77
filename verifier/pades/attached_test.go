package pades_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

func TestTheAttachmentIsFoundAsItIs(t *testing.T) {
	page := drawn(t)
	if data, err := pades.Attachment(page); err != nil || string(data) != "e30.e30.AA" {
		t.Errorf("%q, %v", data, err)
	}
	if got := pades.Inspect(page).Attached; string(got) != "e30.e30.AA" {
		t.Errorf("%q", got)
	}
	if data, err := pades.Attachment(pdftest.Page()); err != nil || data != nil {
		t.Errorf("a page without one: %q, %v", data, err)
	}
}

// One file, with one name, found in the same place by both ways; nothing that a reader may take for another.
func TestOtherAttachmentsAreRefused(t *testing.T) {
	page := drawn(t)
	for name, change := range map[string][2]string{
		"a program":                  {"/F(statement.jws)/UF(statement.jws)", "/F(statement.exe)/UF(statement.exe)"},
		"two names":                  {"/UF(statement.jws)", "/UF(other.pdf)"},
		"another name in the tree":   {"/Names[(statement.jws)", "/Names[(statement.exe)"},
		"a second file in the tree":  {"/Names[(statement.jws)", "/Names[(a)3 0 R(statement.jws)"},
		"only in the tree":           {"/AF[", "/PageMode/UseNone/Piece["},
		"not associated by its data": {"/AFRelationship/Data", "/AFRelationship/Source"},
		"another sort of file":       {"/Subtype/application#2Fjose", "/Subtype/application#2Fpdf"},
		"another size":               {"/Params<</Size 10", "/Params<</Size 11"},
		"a script in the name tree":  {"/Names<</EmbeddedFiles", "/Names<</JavaScript<</Names[(x)3 0 R]>>/EmbeddedFiles"},
		"a file in the page":         {"/Tabs/S", "/Tabs/S/AF[3 0 R]"},
		"a checksum that may be odd": {"/Params<</Size 10", "/Params<</CheckSum(x)/Size 10"},
	} {
		other := replaced(t, page, change[0], change[1])
		found := pades.Lint(other)
		if len(found) == 0 || strings.HasPrefix(found[0], "structure") {
			t.Errorf("%s: %q", name, found)
		}
		if data, err := pades.Attachment(other); err == nil && !bytes.Equal(data, []byte("e30.e30.AA")) {
			t.Errorf("%s: %q is attached", name, data)
		}
	}
}
