package archtest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/internal/archtest"
)

// listed is what `go list` says of a package.
type listed struct {
	archtest.Package
	Dir          string
	Standard     bool
	GoFiles      []string
	CgoFiles     []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func (p listed) ours() bool {
	return p.ImportPath == archtest.Module || strings.HasPrefix(p.ImportPath, archtest.Module+"/")
}

func list(t *testing.T) []listed {
	t.Helper()
	var complaint bytes.Buffer
	cmd := exec.Command("go", "list", "-deps",
		"-json=ImportPath,Imports,Dir,Standard,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles", archtest.Module+"/...")
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, &complaint)
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestImports(t *testing.T) {
	var packages []archtest.Package
	ours := 0
	for _, p := range list(t) {
		packages = append(packages, p.Package)
		if p.ours() {
			ours++
		}
	}
	if ours < 10 {
		t.Fatalf("go list finds %d packages of ours", ours)
	}
	for _, wrong := range archtest.Check(packages) {
		t.Error(wrong)
	}
}

func TestSources(t *testing.T) {
	files := 0
	for _, p := range list(t) {
		if !p.ours() {
			continue
		}
		for _, names := range [][]string{p.GoFiles, p.CgoFiles, p.TestGoFiles, p.XTestGoFiles} {
			for _, name := range names {
				content, err := os.ReadFile(filepath.Join(p.Dir, name))
				if err != nil {
					t.Fatal(err)
				}
				wrong, err := archtest.CheckSource(p.ImportPath, name, content)
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range wrong {
					t.Error(w)
				}
				files++
			}
		}
	}
	if files < 20 {
		t.Fatalf("%d files of ours", files)
	}
}

// Browser tests are not Go; what counts there is only that none is skipped.
func TestBrowserTestsAreNotSkipped(t *testing.T) {
	files, err := filepath.Glob("../../test/browser/*.[mc]js")
	if err != nil {
		t.Fatal(err)
	}
	skip := regexp.MustCompile(`\b(test|it|describe|t)\.(skip|todo|only)\b|\b(skip|todo|only):`)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(content), "\n") {
			if skip.MatchString(line) {
				t.Errorf("%s:%d: a test that is skipped: %s", file, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// The rules see what they are for: each wrong import below is found, each right one is not.
func TestWrongImportsAreFound(t *testing.T) {
	for _, c := range []struct {
		from, to string
		wrong    bool
	}{
		{".", "strings", false},
		{".", "database/sql/driver", false},
		{".", "golang.org/x/text/cases", true},
		{".", "+registry", true},
		{"issuer", "+verifier", true},
		{"verifier", "+issuer", true},
		{"organisation", "+cabinet", true},
		{"cabinet", "+organisation", true},
		{"issuer", "+verifier/pades", false},
		{"cabinet", "+verifier/pades", true},
		{"verifier/pades", "+keys", false},
		{"verifier/pades", "+verifier", true},
		{"issuer", "+registry/examination", false},
		{"issuer", "+registry/registrydb", true},
		{"issuer", "+issuer/issuerdb", true},
		{"issuer", "+issuer/issuerweb", true},
		{"issuer", "+issuer/layout", false},
		{"issuer", "+keys/signer", true},
		{"issuer", "+templates", false},
		{"issuer", "github.com/jackc/pgx/v5", true},
		{"issuer", "net/http", true},
		{"issuer", "net/url", false},
		{"issuer", "math/rand/v2", true},
		{"issuer", "testing", true},
		{"issuer/issuerdb", "+issuer", false},
		{"issuer/issuerdb", "+verifier", true},
		{"issuer/issuerdb", "+verifier/verifierdb", true},
		{"issuer/issuerdb", "+registry/registrydb", false},
		{"issuer/issuerdb", "+ledger/ledgerdb", false},
		{"issuer/issuerdb", "+internal/message", false},
		{"issuer/issuerdb", "+internal/worker", false},
		{"issuer/issuerdb", "+internal/postgres", true},
		{"issuer/issuerdb", "+internal/pgtest", true},
		{"issuer/issuerdb", "github.com/jackc/pgx/v5/pgxpool", false},
		{"issuer/issuerdb", "net/http", true},
		{"registry/registrydb", "github.com/jackc/pgx/v5", false},
		{"verifier/verifierweb", "+verifier", false},
		{"verifier/verifierweb", "+web", false},
		{"verifier/verifierweb", "+verifier/verifierdb", true},
		{"verifier/verifierweb", "+issuer", true},
		{"verifier/verifierweb", "+internal/message", true},
		{"keys/keysweb", "net/http", false},
		{"verifier/verifierweb", "github.com/jackc/pgx/v5", true},
		{"verifier/verifierweb", "github.com/go-chi/chi/v5", false},
		{"web", "+verifier", true},
		{"web", "+verifier/verifierweb", true},
		{"web", "net/http", false},
		{"templates/examination/v1", "+registry/examination", false},
		{"templates/examination/v1", "+issuer", true},
		{"keys", "+keys/signer", true},
		{"keys", "github.com/ThalesGroup/crypto11", true},
		{"keys/signer", "github.com/ThalesGroup/crypto11", false},
		{"ledger", "+ledger/ledgerdb", true},
		{"ledger/ledgerdb", "+ledger", false},
		{"internal/message", "+issuer", true},
		{"internal/message", "+internal/message/smpp", true},
		{"internal/message/smpp", "+internal/message", true},
		{"internal/message/outbox", "+internal/message/smpp", false},
		{"internal/message/outbox", "+issuer", true},
		{"issuer/issuerdb", "+internal/message/outbox", true},
		{"internal/service/citizens", "+internal/message/outbox", false},
		{"cmd/issuer", "+internal/message/outbox", true},
		{"internal/worker", "github.com/riverqueue/river", false},
		{"internal/people", "+issuer", true},
		{"verifier", "github.com/riverqueue/river", true},
		{"verifier", "github.com/digitorus/pdfsign/verify", true},
		{"cmd/tesdiq", "+issuer/issuerdb", false},
		{"cmd/tesdiq", "+keys/signer", false},
		{"cmd/tesdiq", "+internal/pgtest", true},
		{"cmd/tesdiq", "github.com/jackc/pgx/v5", true},
		{"cmd/verifier", "+keys/signer", true},
		{"cmd/verifier", "+issuer", true},
		{"cmd/verifier", "+web/signin", true},
		{"cmd/verifier", "+verifier/sandbox", false},
		{"cmd/verifier", "+keys/keysweb", false},
		{"cmd/casework", "+keys/signer", true},
		{"cmd/casework", "+verifier/sandbox", true},
		{"cmd/casework", "+issuer/issuerweb", false},
		{"cmd/issuer", "+keys/signer", false},
		{"cmd/issuer", "+verifier/verifierweb", true},
		{"cmd/issuer", "+cabinet/cabinetdb", true},
		{"cmd/issuer", "+web/signin/demoprovider", true},
		{"internal/service/checking", "+verifier/verifierweb", false},
		{"internal/service", "+internal/people", true},
		{"internal/service", "+cmd/tesdiq", true},
		{"internal/service", "github.com/jackc/pgx/v5", true},
		{"issuer/issuerdb", "+internal/service", true},
		{"cmd/checkpdf", "net/http", true},
		{"utils", "strings", true},
		{"internal/helpers", "strings", true},
	} {
		from := strings.TrimSuffix(archtest.Module+"/"+c.from, "/.")
		to := strings.Replace(c.to, "+", archtest.Module+"/", 1)
		wrong := archtest.Check([]archtest.Package{{ImportPath: from, Imports: []string{to}}})
		if (len(wrong) > 0) != c.wrong {
			t.Errorf("%s imports %s: found %q, want wrong = %v", c.from, c.to, wrong, c.wrong)
		}
	}
}

func TestWrongReachIsFound(t *testing.T) {
	packages := []archtest.Package{
		{ImportPath: archtest.Module + "/cmd/verifier", Imports: []string{"fmt", "example.org/library"}},
		{ImportPath: "example.org/library", Imports: []string{"example.org/library/deep"}},
		{ImportPath: "example.org/library/deep", Imports: []string{"example.org/library", archtest.Module + "/keys/signer"}},
	}
	wrong := archtest.Check(packages)
	if len(wrong) != 1 || !strings.Contains(wrong[0], "example.org/library → example.org/library/deep") {
		t.Errorf("found %q, want the way from cmd/verifier to keys/signer", wrong)
	}
}

func TestWrongSourcesAreFound(t *testing.T) {
	for _, c := range []struct {
		path, name, body string
		wrong            int
	}{
		{"issuer", "a.go", `import "time"; var now = time.Now`, 1},
		{"issuer", "a.go", `import clock "time"; var now = clock.Since(x)`, 1},
		{"issuer", "a.go", `import "time"; var d = time.Second`, 0},
		{"issuer", "a_test.go", `import "time"; var now = time.Now`, 0},
		{"cmd/tesdiq", "a.go", `import "time"; var now = time.Now`, 0},
		{"keys", "a.go", `import "crypto/rand"; var r = rand.Reader`, 1},
		{"cmd/tesdiq", "a.go", `import "crypto/rand"; var r = rand.Reader`, 0},
		{"issuer", "a_test.go", `func TestA(t *testing.T) { t.Skip("later") }`, 1},
		{"issuer", "a_test.go", `func FuzzA(f *testing.F) { f.Fuzz(func(t *testing.T, s string) { t.SkipNow() }) }`, 1},
		{"issuer", "a_test.go", `func TestA(t *testing.T) { if testing.Short() { return } }`, 1},
		{"issuer", "a.go", `func f(s scanner) { s.Skip() }`, 0},
		{"issuer", "a.go", "const sqlOne = `x`", 1},
		{"issuer", "a.go", "var q = `\n\tSELECT a FROM b`", 1},
		{"issuer", "a.go", "var q = `Select a language`", 0},
		{"issuer/issuerdb", "a.go", "const sqlOne = `SELECT a` + ` FROM b`", 0},
		{"issuer/issuerdb", "a.go", "var q = `SELECT a FROM b`", 1},
		{"issuer/issuerdb", "a.go", "const from = `SELECT a FROM b`\nconst sqlOne = from + ` WHERE c`", 0},
		{"issuer/issuerdb", "a.go", "const from = `SELECT a FROM b`\nconst sqlOne = `SELECT 1`", 1},
		{"issuer/issuerdb", "a_test.go", "var q = `SELECT a FROM b`", 0},
		{"internal/postgres", "a.go", "var q = `SELECT a FROM b`", 0},
		{"issuer", "a.go", "// TO" + "DO: later\nvar a = 1", 1},
	} {
		wrong, err := archtest.CheckSource(fmt.Sprint(archtest.Module, "/", c.path), c.name, []byte("package a\n"+c.body))
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		if len(wrong) != c.wrong {
			t.Errorf("%s/%s: %s: found %q, want %d", c.path, c.name, c.body, wrong, c.wrong)
		}
	}
}
