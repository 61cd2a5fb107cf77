package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"github.com/tesdiq/tesdiq/verifier/statement"
)

func TestMain(m *testing.M) {
	// The files are of one day, and so is the judging of them: the tests hold whatever the clock says.
	checkpdf := func() {
		os.Exit(run(append([]string{"-at", "2026-11-21T10:00:01Z"}, os.Args[1:]...), os.Stdout, os.Stderr))
	}
	testscript.Main(m, map[string]func(){"checkpdf": checkpdf})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: setup})
}

// setup puts signed files and roots into a script's folder.
func setup(env *testscript.Env) error {
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	files := map[string][]byte{"unsigned.pdf": pdftest.Page(), "empty.pdf": nil, "page.html": []byte("<html>")}
	for _, name := range []string{"", "other-"} {
		set, err := signer.NewThrowaway(rand.Reader, at)
		if err != nil {
			return err
		}
		roots, err := set.Roots()
		if err != nil {
			return err
		}
		files[name+"roots.pem"] = roots.PEM()
		files[name+"signers.pem"] = statement.NewSigners(roots, set.Signers()...).PEM()
		if name == "" {
			excerpts, err := issued(env, set, at)
			if err != nil {
				return err
			}
			maps.Copy(files, excerpts)
		}
		if files[name+"signed.pdf"], err = set.PDFSigner(rand.Reader).Sign(context.Background(), pdftest.Page(), at, signer.SignInfo{}); err != nil {
			return err
		}
	}
	signed := files["signed.pdf"]
	files["appended.pdf"] = append(bytes.Clone(signed), '\n')
	files["changed.pdf"] = bytes.Replace(signed, []byte("/Producer <FEFF0054"), []byte("/Producer <FEFF0055"), 2)
	files["cut.pdf"] = signed[:len(signed)-100]
	files["large.pdf"] = append(bytes.Clone(signed), make([]byte, pades.MaxSize)...)
	files["encrypted.pdf"] = bytes.Replace(pdftest.Page(), []byte("/Root 1 0 R\n"), []byte("/Root 1 0 R\n/Encrypt 3 0 R\n"), 1)
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), data, 0o600); err != nil {
			return err
		}
	}
	return os.Mkdir(filepath.Join(env.WorkDir, "folder"), 0o700)
}

func TestEveryReasonHasItsSentenceInEveryLanguage(t *testing.T) {
	english, err := readWords("en")
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"az", "en", "ru"} {
		words, err := readWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Sorted(maps.Keys(words)), slices.Sorted(maps.Keys(english)); !slices.Equal(got, want) {
			t.Errorf("%s has other keys than en: %q", lang, got)
		}
		for _, r := range pades.Reasons() {
			if words[string(r)] == "" {
				t.Errorf("%s: no sentence for %s", lang, r)
			}
		}
		for _, key := range append([]string{fileMissing, fileDirectory, fileUnreadable, filePicture, trustRevoked}, slices.Concat(statementKeys, useKeys)...) {
			if words[key] == "" {
				t.Errorf("%s: no sentence for %s", lang, key)
			}
		}
	}
}

func TestNamesCannotPaintTheScreen(t *testing.T) {
	if got := printable("a\x1b[31m\u202eb\n"); got != "a\ufffd[31m\ufffdb\ufffd" {
		t.Errorf("got %q", got)
	}
}

func TestAPipeThatIsClosedIsNotSuccess(t *testing.T) {
	name := filepath.Join(t.TempDir(), "unsigned.pdf")
	if err := os.WriteFile(name, pdftest.Page(), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := run([]string{"-integrity", name}, w, io.Discard); got == allPassed {
		t.Error("exit status 0")
	}
}

// What was revoked after a file was made the file cannot know; the issuer's list does.
func TestTheTrustListKnowsWhatWasRevokedLater(t *testing.T) {
	at := time.Now().Truncate(time.Second)
	set, err := signer.NewThrowaway(rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := set.PDFSigner(rand.Reader).Sign(t.Context(), pdftest.Page(), at, signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := set.Save(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "keys", "root.key")); err != nil { // so that the issuing authority's is found
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	rootsFile, file := write("roots.pem", roots.PEM()), write("signed.pdf", pdf)
	checked := func(name string, list []byte) (int, string) {
		t.Helper()
		var out, complaint bytes.Buffer
		status := run([]string{"-roots", rootsFile, "-trust", write(name, list), "-json", file}, &out, &complaint)
		return status, out.String() + complaint.String()
	}
	if status, said := checked("nothing.json", set.TrustFile); status != allPassed {
		t.Errorf("nothing is revoked: %d %s", status, said)
	}
	authority, err := set.LoadAuthority(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		serial string
		from   time.Time
		status int
		says   string
	}{
		{"later", keys.Serial(set.Signer), at.Add(time.Second), allPassed, "TOTAL-PASSED"},
		{"at once", keys.Serial(set.Signer), at, someNot, `"indication":"TOTAL-FAILED","sub_indication":"REVOKED"`},
		{"the time stamp's", keys.Serial(set.TSA), at.Add(-time.Hour), someNot, "REVOKED"},
	} {
		fresh := *set
		revoked := map[string]keys.Revoked{c.serial: {At: at.Add(time.Hour), InvalidFrom: c.from, Reason: "keyCompromise", Why: "a test"}}
		if err := fresh.Publish(rand.Reader, authority, revoked, at.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if status, said := checked(c.name, fresh.TrustFile); status != c.status || !strings.Contains(said, c.says) {
			t.Errorf("%s: %d %s", c.name, status, said)
		}
	}
	other, err := signer.NewThrowaway(rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	if status, said := checked("foreign.json", other.TrustFile); status != wrongUse || !strings.Contains(said, "not signed by a pinned root") {
		t.Errorf("a foreign list: %d %s", status, said)
	}
}

// Whatever people have instead of the file that was issued, each has its own sentence in each language, with what to do.
func TestWrongFilesEachHaveTheirSentence(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	picture := image.NewGray(image.Rect(0, 0, 40, 60))
	var jpg, other bytes.Buffer
	if err := errors.Join(jpeg.Encode(&jpg, picture, nil), png.Encode(&other, picture)); err != nil {
		t.Fatal(err)
	}
	unsigned := write("unsigned.pdf", pdftest.Page())
	encrypted := filepath.Join(dir, "encrypted.pdf")
	if out, err := exec.CommandContext(t.Context(), "qpdf", "--encrypt", "secret", "owner", "256", "--", unsigned, encrypted).CombinedOutput(); err != nil {
		t.Fatalf("qpdf: %v %s", err, out)
	}
	files := []struct {
		name string
		path string
		key  string
	}{
		{"a PDF without signature", unsigned, "pades.unsigned"},
		{"a PDF that is only a picture", write("scan.pdf", scannedPDF(jpg.Bytes())), "pades.unsigned"},
		{"a PDF with a password", encrypted, "pades.encrypted"},
		{"a letter", write("letter.docx", []byte("PK\x03\x04word")), "pades.not_pdf"},
		{"a web page", write("page.html", []byte("<html>")), "pades.not_pdf"},
		{"nothing", write("empty.pdf", nil), "pades.empty"},
		{"21 MB", write("large.pdf", append([]byte("%PDF-1.7\n"), make([]byte, 21<<20)...)), "pades.too_large"},
		{"a photograph", write("photo.jpg", jpg.Bytes()), "file.picture"},
		{"a picture by the name of a PDF", write("photo.pdf", other.Bytes()), "file.picture"},
	}
	set, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	anchors := write("roots.pem", roots.PEM())
	for _, lang := range []string{"az", "en", "ru"} {
		words, err := readWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		said := map[string]string{}
		for _, f := range files {
			for _, way := range [][]string{{"-integrity"}, {"-roots", anchors}} {
				var out, fault bytes.Buffer
				if status := run(append(way, "-lang", lang, f.path), &out, &fault); status != someNot || fault.Len() > 0 || !strings.Contains(out.String(), words[f.key]) {
					t.Errorf("%s, %s: %d, %s%s", lang, f.name, status, &out, &fault)
				}
			}
			if key, ok := said[words[f.key]]; ok && key != f.key {
				t.Errorf("%s: %s and %s have one sentence", lang, key, f.key)
			}
			said[words[f.key]] = f.key
			if sentences := strings.Count(words[f.key], ". ") + strings.Count(words[f.key], ": "); sentences < 1 {
				t.Errorf("%s: %s does not say what to do: %s", lang, f.key, words[f.key])
			}
		}
	}
}

// scannedPDF is what a scanner makes: one page with one picture.
func scannedPDF(jpg []byte) []byte {
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 600]/Resources<</XObject<</I 4 0 R>>>>/Contents 5 0 R>>",
		fmt.Sprintf("<</Type/XObject/Subtype/Image/Width 40/Height 60/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode/Length %d>>\nstream\n%s\nendstream", len(jpg), jpg),
		"<</Length 28>>\nstream\nq 400 0 0 600 0 0 cm /I Do Q\nendstream",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	table := "0000000000 65535 f \n"
	for i, o := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	fmt.Fprintf(&b, "xref\n0 %d\n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table, len(objects)+1, b.Len())
	return b.Bytes()
}
