package pades_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// drawn is a page with one fact.
func drawn(t testing.TB) []byte {
	t.Helper()
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	page, err := templates.Draw(templates.Sheet{
		Statement: templates.Statement{Kind: "examination", Version: 1, Lang: tesdiq.En, Title: "Excerpt", AsOf: at,
			Facts: []templates.Fact{{Key: "result", Group: "Examination", Label: "Result", Value: "No disability established"}}},
		Number: "E-2026-0048213", Code: "7K2M9QXA4TRCW8HNR", QR: "https://tesdiq.example/v/7K2M9QXA4TRCW8HNR", CheckAt: "tesdiq.example/check", IssuedAt: at, Attachment: []byte("e30.e30.AA"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return unpacked(t, page)
}

// unpacked is a page whose content is not packed, for tests that change it.
func unpacked(t testing.TB, page []byte) []byte {
	t.Helper()
	packed := regexp.MustCompile(`\n\d+ 0 obj\n(<</Filter/FlateDecode/Length \d+>>\nstream\n)`).FindAllSubmatchIndex(page, -1)
	at := packed[len(packed)-1]
	end := at[3] + bytes.Index(page[at[3]:], []byte("\nendstream"))
	z, err := zlib.NewReader(bytes.NewReader(page[at[3]:end]))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return replaced(t, page, string(page[at[2]:end]), fmt.Sprintf("<</Length %d>>\nstream\n%s", len(content), content))
}

// replaced is a page with one text in the place of another, and a table that fits. In the content, the two must be of one length.
func replaced(t testing.TB, page []byte, was, now string) []byte {
	t.Helper()
	at := bytes.Index(page, []byte(was))
	if at < 0 {
		t.Fatalf("the page has no %q", was)
	}
	moved := len(now) - len(was)
	changed := bytes.Replace(page, []byte(was), []byte(now), 1)
	changed = regexp.MustCompile(`\d{10} 00000 n`).ReplaceAllFunc(changed, func(line []byte) []byte {
		offset, err := strconv.Atoi(string(line[:10]))
		if err != nil {
			t.Fatal(err)
		}
		if offset > at {
			offset += moved
		}
		return fmt.Appendf(nil, "%010d 00000 n", offset)
	})
	return regexp.MustCompile(`startxref\n\d+`).ReplaceAll(changed, fmt.Appendf(nil, "startxref\n%d", bytes.LastIndex(changed, []byte("\nxref\n"))+1))
}

// Changes that leave the page as it looks.
func TestWhatIsHeardIsWhatIsSeen(t *testing.T) {
	page := drawn(t)
	if found := pades.Lint(page); len(found) != 0 {
		t.Fatalf("%q", found)
	}
	for name, change := range map[string][2]string{
		"a fact is not heard":            {"/TD <</MCID 7>>BDC\n", "/Artifact       BMC"},
		"a fact is in nothing":           {"/TD <</MCID 7>>BDC\n", "                   "},
		"other text is heard":            {"/TD <</MCID 7>>BDC\n", "/TD <</ActualT()>>B"},
		"two pieces have one identifier": {"/TD <</MCID 7>>BDC\n", "/TD <</MCID 6>>BDC\n"},
		"text in place of a fact":        {"/S/TD/P ", "/S/TD/Alt(Disability)/P "},
		"a role under another name":      {"/Type/StructTreeRoot/K", "/RoleMap<</TD/P>>/Type/StructTreeRoot/K"},
		"expansion":                      {"/S/TD/P ", "/S/TD/E(Disability)/P "},
		"no language":                    {"/Lang(en)", "/PageMode/UseNone"},
		"order of drawing":               {"/Tabs/S", "/Tabs/R"},
		"no identifier in the tree":      {"/K 7>>", "/K 8>>"},
	} {
		other := replaced(t, page, change[0], change[1])
		if found := pades.Lint(other); len(found) == 0 || strings.HasPrefix(found[0], "structure") {
			t.Errorf("%s: %q", name, found)
		}
	}
}
