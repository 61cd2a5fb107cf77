package issuerdb_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// S14 and the longest names: whatever can be typed is printed as text, in every language, and read back by other code.
func TestTheLongestAndTheWorstArePrintedAsText(t *testing.T) {
	w := newWorld(t)
	m := w.maker()
	long := tesdiq.Name{
		Surname: "Hacıbaloğlanzadə-Məlikməmmədbəyli", Given: "Əbdülrəhimxan-Şahinşah", Father: "Seyidməhəmmədəli-Ağa",
	}
	for _, tt := range []struct{ name, recipient, purpose string }{
		{"mark-up", `<script>alert(1)</script>`, `</html>&amp;"'`},
		{"a formula", `=HYPERLINK("http://x";"y")`, "@SUM(1+1)"},
		{"PDF syntax", `) Tj ET endstream endobj (`, `<</JS (app.alert(1))>> \) \\ %%EOF`},
		{"a template", "{{.Name}} {day} ${x}", "%s %d %!"},
		{"the longest", strings.Repeat("Ü", issuer.MaxLine), strings.Repeat("Щ", issuer.MaxLine)},
		{"all alphabets", "AaBbCcÇçDdEeƏəFfGgĞğ İiIıÖöŞşÜü", "Съешь же ещё этих мягких булок"},
	} {
		for _, lang := range tesdiq.Langs {
			r, err := issuer.Request{Key: "k", Kind: "examination", Lang: lang, Validity: issuer.Days30, Recipient: tt.recipient, Purpose: tt.purpose}.Check(templates.Kind{})
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			job := exampleJob()
			job.Lang, job.Recipient, job.Purpose, job.Person.Name = lang, r.Recipient, r.Purpose, long
			x, err := m.Make(t.Context(), job)
			if err != nil {
				t.Errorf("%s in %s: %v", tt.name, lang, err)
				continue
			}
			drawn, err := pades.Text(x.PDF)
			if err != nil {
				t.Fatal(err)
			}
			for _, fact := range []string{r.Recipient, r.Purpose, long.Full(tesdiq.Female)} {
				// A long word is broken at the end of the line, so blanks do not count.
				if !strings.Contains(strings.Join(strings.Fields(strings.Join(drawn, "")), ""), strings.Join(strings.Fields(fact), "")) {
					t.Errorf("%s in %s: %q does not stand on the page", tt.name, lang, fact)
				}
			}
			if report := pades.Read(x.PDF, m.Roots); report.Indication != pades.Passed || report.Code != job.Code.String() {
				t.Errorf("%s in %s: %+v", tt.name, lang, report)
			}
			var s templates.Statement
			if err := json.Unmarshal(x.Statement, &s); err != nil {
				t.Fatal(err)
			}
			if s.Lang != lang || s.Facts[0].Value != long.Full(tesdiq.Female) {
				t.Errorf("%s in %s: the statement is not what was printed", tt.name, lang)
			}
			if lang == tesdiq.Az {
				judge(t, tt.name, x.PDF)
			}
		}
	}
}

// judge asks programs that are not ours whether the file is whole.
func judge(t *testing.T, name string, pdf []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pdf")
	if err := os.WriteFile(path, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("qpdf", "--check", path).CombinedOutput(); err != nil {
		t.Errorf("%s: qpdf: %v\n%s", name, err, out)
	}
	out, err := exec.Command("pdfsig", "-nocert", path).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Signature is Valid") || !strings.Contains(string(out), "Total document signed") {
		t.Errorf("%s: pdfsig: %v\n%s", name, err, out)
	}
}

// Repeated after a crash, the page says the same: only signatures, time stamps and the statement's salt differ.
func TestTheSameJobGivesTheSamePage(t *testing.T) {
	w := newWorld(t)
	m := w.maker()
	job := exampleJob()
	a, err := m.Make(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	b, err := m.Make(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	one, another := pades.Inspect(a.PDF), pades.Inspect(b.PDF)
	if len(one.Drawn) == 0 || !slices.Equal(one.Drawn, another.Drawn) || !slices.Equal(one.Heard, another.Heard) || string(a.Statement) != string(b.Statement) {
		t.Error("the page or the statement differs")
	}
	unsalted := func(jws []byte) string {
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(jws), ".")[1])
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`"salt":"[^"]*"`).ReplaceAllString(string(payload), "")
	}
	if bytes.Equal(one.Attached, another.Attached) || unsalted(one.Attached) != unsalted(another.Attached) {
		t.Error("the attached statements differ in more than the salt, or not even in that")
	}
	if a.SHA256 == b.SHA256 {
		t.Error("two signatures are the same")
	}
}

// A signer that changes the page, signs nothing, or signs with somebody else's key is found before anything is stored.
func TestABadSignerIsFound(t *testing.T) {
	w := newWorld(t)
	m := w.maker()
	for name, s := range map[string]issuer.Signer{
		"nothing signed":      signerFunc(func(pdf []byte) []byte { return pdf }),
		"garbage after it":    signerFunc(func(pdf []byte) []byte { return append(append([]byte{}, pdf...), "garbage"...) }),
		"another page":        signerFunc(func(pdf []byte) []byte { return append([]byte("%PDF-1.7\n"), pdf...) }),
		"somebody else's key": &key{signer: otherAuthority(t)},
	} {
		m.Signer = s
		if _, err := m.Make(t.Context(), exampleJob()); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}
