package all_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/templates/all"
)

var keep = flag.String("keep", "", "folder to keep the drawn pages in, to look at them")

var at = time.Date(2026, 11, 21, 10, 2, 0, 0, time.UTC)

func somebody() person.Person {
	return person.Person{FIN: "5ZK8R2M", Name: tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin", Father: "Əli"}, Sex: tesdiq.Female,
		Born: tesdiq.MustDate("1987-03-08"), Document: "AA1234567"}
}

func exam() examination.Examination {
	return examination.Examination{Number: "M-2026-117204", Subject: "5ZK8R2M", Commission: "7 saylı TSEK", ExaminedOn: tesdiq.MustDate("2026-11-04"),
		Repeat: true, Outcome: examination.Disability, Loss: 75, Cause: "general_illness", From: tesdiq.MustDate("2026-11-04"),
		Until: tesdiq.MustDate("2028-11-04"), NextFrom: tesdiq.MustDate("2028-09-05")}
}

func job() contract.Contract {
	return contract.Contract{Number: "K-2021-0831452", Subject: "5ZK8R2M", Employer: "“Xəzər Tikinti” MMC", EmployerVOEN: "1400057421",
		Workplace: "Mühasibatlıq şöbəsi", Position: "Baş mühasib", Main: true, Salary: 145050, Concluded: tesdiq.MustDate("2021-03-10"),
		From: tesdiq.MustDate("2021-03-14"), State: contract.Active}
}

func long(words string, letters int) string {
	return strings.TrimSpace(string([]rune(strings.Repeat(words+" ", letters))[:letters]))
}

func longest() (person.Person, examination.Examination, contract.Contract) {
	p, e, c := somebody(), exam(), job()
	p.Name = tesdiq.Name{Surname: long("Ağamirzəyevşıxəliyevanın", 24) + "oğlunun" + long("Ağamirzəyevşıxəliyevanın", 24), Given: long("Məhəmmədhüseyn Ağaşirin", 100), Father: long("Əbülfəzağa", 100)}
	p.Document = "AZE12345678"
	e.Commission = long("Uşaqlar üzrə ixtisaslaşdırılmış tibbi-sosial ekspert komissiyası", 100)
	e.Cause = "defence_of_integrity"
	c.Employer = long("“Ümumdünya Şüşəqablaşdırma və Ağır Maşınqayırma Texnologiyaları” Qapalı Səhmdar Cəmiyyəti", 200)
	c.Position = long("Baş mühəndisin texniki nəzarət üzrə müavini", 150)
	c.Workplace = long("Bakı şəhəri, Nəsimi rayonu, Şəmsi Bədəlbəyli küçəsi", 200)
	return p, e, c
}

// pages draws every kind in every language, with the shortest and the longest facts.
func pages(t testing.TB) map[string]templates.Sheet {
	t.Helper()
	sheets := make(map[string]templates.Sheet)
	for _, size := range []string{"short", "long"} {
		p, e, c := somebody(), exam(), job()
		o := templates.Options{AsOf: at, ValidUntil: tesdiq.MustDate("2026-12-21"), WithSalary: true}
		if size == "long" {
			p, e, c = longest()
			o.Recipient, o.Purpose = long("“Nümunə İstehlak Kreditləri” Bank ASC", 100), long("güzəştli ipoteka krediti", 100)
		}
		for _, lang := range tesdiq.Langs {
			o.Lang = lang
			for _, k := range all.Kinds {
				entry := map[registry.Book]registry.Body{registry.Examinations: e, registry.Contracts: c}[k.Book]
				s, err := k.State(k.Current, entry, p, o)
				if err != nil {
					t.Fatal(err)
				}
				sheets[k.Name+"-"+string(lang)+"-"+size] = sheet(s)
			}
		}
	}
	return sheets
}

func sheet(s templates.Statement) templates.Sheet {
	// Of the sizes that signed statements have; what they say is tested where they are signed.
	return templates.Sheet{Statement: s, Number: "E-2026-0048213", Code: "7K2M9QXA4TRCW8HNR",
		QR:      "https://tesdiq.example/v/7K2M9QXA4TRCW8HNR#" + base32.StdEncoding.EncodeToString(noise(180)),
		CheckAt: "tesdiq.example/check", IssuedAt: at, Attachment: []byte(base64.RawURLEncoding.EncodeToString(noise(2600)))}
}

// noise looks as a signature does, and is the same each time.
func noise(n int) []byte {
	var b []byte
	for len(b) < n {
		sum := sha256.Sum256(b)
		b = append(b, sum[:]...)
	}
	return b[:n]
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	var problems bytes.Buffer
	c := exec.Command(name, args...)
	c.Stderr = &problems
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, out, problems.Bytes())
	}
	return string(out)
}

func TestEveryFactStandsOnThePageAndTheQRReads(t *testing.T) {
	for name, s := range pages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pdf, err := templates.Draw(s)
			if err != nil {
				t.Fatal(err)
			}
			if len(pdf) > 60<<10 {
				t.Errorf("%d bytes", len(pdf))
			}
			dir := t.TempDir()
			if *keep != "" {
				dir = *keep
			}
			file := filepath.Join(dir, name+".pdf")
			if err := os.WriteFile(file, pdf, 0o600); err != nil {
				t.Fatal(err)
			}
			command(t, "qpdf", "--check", file)
			// A value may be broken over lines: compare without white space.
			text := strings.Join(strings.Fields(command(t, "pdftotext", "-raw", file, "-")), "")
			for _, l := range s.Lines() {
				if !strings.Contains(text, strings.Join(strings.Fields(l), "")) {
					t.Errorf("the page does not say %q", l)
				}
			}
			if got := strings.TrimSpace(command(t, "pdfinfo", "-isodates", file)); !strings.Contains(got, s.Code.String()) || !strings.Contains(got, "Pages:           1\n") {
				t.Error(got)
			}
			if fonts := command(t, "pdffonts", file); strings.Count(fonts, " yes no  yes ") != 3 {
				t.Errorf("not every font is embedded:\n%s", fonts)
			}
			command(t, "pdftoppm", "-r", "150", "-png", "-singlefile", file, strings.TrimSuffix(file, ".pdf"))
			if got := strings.TrimSpace(command(t, "zbarimg", "-q", "--raw", strings.TrimSuffix(file, ".pdf")+".png")); got != s.QR {
				t.Errorf("the QR says %q", got)
			}
		})
	}
}

// The fonts of a page hold one of three sets of letters; each must have what it is chosen for, and stay small.
func TestEveryLetterThatFontsHaveCanBePrinted(t *testing.T) {
	var letters []string
	for r := rune('!'); r < 0x2300; r++ {
		if len(templates.Unprintable(string(r))) == 0 {
			letters = append(letters, string(r))
		}
	}
	if len(letters) < 350 {
		t.Fatalf("only %d letters", len(letters))
	}
	for letters := range slices.Chunk(letters, 60) {
		p := somebody()
		p.Name.Surname = strings.Join(letters, "")
		s, err := all.Kinds[0].State(1, exam(), p, templates.Options{Lang: tesdiq.Ru, AsOf: at, ValidUntil: tesdiq.MustDate("2026-12-21")})
		if err != nil {
			t.Fatal(err)
		}
		pdf, err := templates.Draw(sheet(s))
		if err != nil {
			t.Fatal(err)
		}
		if len(pdf) > 80<<10 { // letters that hardly anybody's name has: the whole fonts
			t.Errorf("%d bytes", len(pdf))
		}
		file := filepath.Join(t.TempDir(), "x.pdf")
		if err := os.WriteFile(file, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, "qpdf", "--check", file)
		text := strings.Join(strings.Fields(command(t, "pdftotext", "-raw", file, "-")), "")
		if want := strings.Join(strings.Fields(p.Name.Surname), ""); !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// The bytes of a published version never change; a mended layout is the next version's.
func TestPublishedVersionsAreNeverEdited(t *testing.T) {
	const golden = "testdata/published.txt"
	var got strings.Builder
	sheets := pages(t)
	for _, k := range all.Kinds {
		for _, lang := range tesdiq.Langs {
			for _, size := range []string{"short", "long"} {
				name := k.Name + "-" + string(lang) + "-" + size
				pdf, err := templates.Draw(sheets[name])
				if err != nil {
					t.Fatal(err)
				}
				sum := sha256.Sum256(pdf)
				fmt.Fprintf(&got, "%s v%d %s\n", name, k.Current, hex.EncodeToString(sum[:]))
			}
		}
	}
	if os.Getenv("TESDIQ_PUBLISH") != "" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("a published version draws other bytes than when it was published:\n%s", got.String())
	}
}

func TestTheSameSheetGivesTheSameBytesAlsoInParallel(t *testing.T) {
	s := pages(t)["contract-az-long"]
	first, err := templates.Draw(s)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if again, err := templates.Draw(s); err != nil || !bytes.Equal(first, again) {
					t.Error("other bytes", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestWhatCannotBePrintedIsRefused(t *testing.T) {
	for _, name := range []string{"日本", "a\u202eb", "a\x00b", "a\u200bb", "a\nb", "\u2066x", "\U0001F600", string([]byte{0xff})} {
		p := somebody()
		p.Name.Surname = name
		s, err := all.Kinds[0].State(1, exam(), p, templates.Options{Lang: tesdiq.Az, AsOf: at, ValidUntil: tesdiq.MustDate("2026-12-21")})
		if err != nil {
			t.Fatal(err)
		}
		_, err = templates.Draw(sheet(s))
		var u *templates.UnprintableError
		if !errors.As(err, &u) || len(u.Runes) == 0 {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestNamesAreInert(t *testing.T) {
	for _, name := range []string{`<script>alert(1)</script>`, `=HYPERLINK("http://x")`, `) Tj ET /JS (app.alert(1)) BT (`, `>> endobj 99 0 obj << /S /JavaScript`, `\(\)\\`, `%PDF-1.7 %%EOF`} {
		p := somebody()
		p.Name.Surname = name
		s, err := all.Kinds[0].State(1, exam(), p, templates.Options{Lang: tesdiq.En, AsOf: at, ValidUntil: tesdiq.MustDate("2026-12-21")})
		if err != nil {
			t.Fatal(err)
		}
		pdf, err := templates.Draw(sheet(s))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(pdf, []byte("JavaScript")) || bytes.Contains(pdf, []byte("script>")) || bytes.Count(pdf, []byte("%%EOF")) != 1 {
			t.Errorf("%q stands in the file as written", name)
		}
		file := filepath.Join(t.TempDir(), "x.pdf")
		if err := os.WriteFile(file, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(command(t, "pdftotext", "-raw", file, "-")), "")
		if !strings.Contains(text, strings.Join(strings.Fields(name), "")) {
			t.Errorf("the page does not say %q", name)
		}
	}
}

func TestTooMuchIsRefusedAndNothingIsCovered(t *testing.T) {
	p, _, c := longest()
	c.Employer = long("ŞŞŞŞ", 3000)
	s, err := all.Kinds[1].State(1, c, p, templates.Options{Lang: tesdiq.Az, AsOf: at, ValidUntil: tesdiq.MustDate("2026-12-21")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := templates.Draw(sheet(s)); !errors.Is(err, templates.ErrTooLong) {
		t.Error(err)
	}
}

func TestEveryResultTermAndCauseHasWords(t *testing.T) {
	measures := map[string]func(*examination.Examination){
		"61–80": func(*examination.Examination) {},
		"31–60": func(e *examination.Examination) { e.Loss = 35 },
		"81–100": func(e *examination.Examination) {
			e.Loss, e.Until, e.NextFrom = 100, tesdiq.Date{}, tesdiq.Date{}
		},
		"II": func(e *examination.Examination) {
			e.Loss, e.Degree, e.ExaminedOn = 0, "II", tesdiq.MustDate("2019-02-01")
		},
		"III": func(e *examination.Examination) {
			e.Loss, e.Group, e.ExaminedOn = 0, "III", tesdiq.MustDate("2009-02-01")
		},
		"18": func(e *examination.Examination) { e.Outcome = examination.ChildUnder18 },
	}
	for _, lang := range tesdiq.Langs {
		for word, change := range measures {
			for _, cause := range examination.Causes {
				e := exam()
				change(&e)
				e.Cause = cause
				s, err := all.Kinds[0].State(1, e, somebody(), templates.Options{Lang: lang, AsOf: at, ValidUntil: tesdiq.MustDate("2026-12-21")})
				if err != nil {
					t.Fatal(err)
				}
				if got := value(s, "result"); !strings.Contains(got, word) {
					t.Errorf("%s: %q does not say %s", lang, got, word)
				}
			}
		}
	}
}

func value(s templates.Statement, key string) string {
	for _, f := range s.Facts {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

func TestMaskedShowsInitialsAndNoMoreOfThePerson(t *testing.T) {
	s, err := all.Kinds[1].State(1, job(), somebody(), templates.Options{Lang: tesdiq.Az, AsOf: at, ValidUntil: tesdiq.MustDate("2026-12-21")})
	if err != nil {
		t.Fatal(err)
	}
	m := s.Masked()
	if value(m, "name") != "Q. N. Ə." || value(m, "fin") != "••••R2M" || value(m, "document") != "" || value(m, "born") != "" {
		t.Error(m.Facts)
	}
	if shown := fmt.Sprint(m); strings.Contains(shown, "Quliyeva") || strings.Contains(shown, "5ZK8R2M") || strings.Contains(shown, "1234567") || strings.Contains(shown, "1987") {
		t.Error(shown)
	}
	if value(s, "salary") != "" {
		t.Error("a salary that nobody ticked")
	}
	if value(s, "name") != "Quliyeva Nərmin Əli qızı" {
		t.Error("masking changed the statement itself")
	}
}

func BenchmarkDraw(b *testing.B) {
	s := pages(b)["contract-az-short"]
	for b.Loop() {
		if _, err := templates.Draw(s); err != nil {
			b.Fatal(err)
		}
	}
}
