package verifierweb_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier/verifierdb/verifierdbtest"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// token signs the bank's program in.
func (s *site) token() string {
	s.t.Helper()
	r := s.request(http.MethodPost, "/oauth/token", "application/x-www-form-urlencoded", strings.NewReader("grant_type=client_credentials"))
	r.SetBasicAuth("bank", secret)
	a := s.Do(r)
	var got struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || a.Status != http.StatusOK || got.TokenType != "Bearer" || got.ExpiresIn != 3600 {
		s.t.Fatalf("token: %d %s", a.Status, a.Body)
	}
	return got.AccessToken
}

type header map[string]string

// call asks the API with a token.
func (s *site) call(token, method, path string, h header, body io.Reader) webtest.Answer {
	s.t.Helper()
	r := s.request(method, path, "application/json", body)
	r.Header.Set("Authorization", "Bearer "+token)
	for k, v := range h {
		r.Header.Set(k, v)
	}
	return s.Do(r)
}

type apiAnswer struct {
	Verdict, Reason, Sentence, Next string
	Since                           *time.Time
	Statement                       *struct {
		Title, Number, Code string
		ValidUntil          string `json:"valid_until"`
		Facts               []struct{ Key, Label, Value string }
	}
	Check struct {
		ID, Way, Purpose, Note string
		At                     time.Time
	}
	Later *struct{ Verdict, Reason, Sentence string }
}

func (s *site) decode(a webtest.Answer) (got apiAnswer) {
	s.t.Helper()
	if a.Status != http.StatusOK {
		s.t.Fatalf("%d %s", a.Status, a.Body)
	}
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
		s.t.Fatal(err)
	}
	return got
}

func TestAPIChecks(t *testing.T) {
	s := open(t)
	token := s.token()
	got := s.decode(s.call(token, "POST", "/api/v1/checks", nil, strings.NewReader(`{"code":"`+s.contract.Code.String()+`","purpose":"credit","note":"17"}`)))
	if got.Verdict != "valid" || got.Check.Way != "code" || got.Statement == nil || got.Statement.Facts[0].Value != verifierdbtest.Name || got.Check.Note != "17" ||
		!strings.HasPrefix(got.Sentence, "The Ministry") || got.Statement.ValidUntil != "2027-11-21" {
		t.Errorf("%+v", got)
	}
	again := s.decode(s.call(token, "GET", "/api/v1/checks/"+got.Check.ID, header{"Accept-Language": "ru"}, nil))
	if again.Check != got.Check || !strings.HasPrefix(again.Sentence, "Выписку") || again.Later != nil {
		t.Errorf("%+v", again)
	}
	sum := sha256.Sum256(s.contract.File)
	byHash := s.decode(s.call(token, "POST", "/api/v1/checks", nil, strings.NewReader(`{"sha256":"`+hex.EncodeToString(sum[:])+`","purpose":"credit"}`)))
	if byHash.Reason != "valid.file" || byHash.Check.Way != "file" {
		t.Errorf("%+v", byHash)
	}
	byFile := s.decode(s.call(token, "POST", "/api/v1/documents?purpose=credit", header{"Content-Type": "application/pdf"}, strings.NewReader(string(s.contract.File))))
	if byFile.Reason != "valid.file" {
		t.Errorf("%+v", byFile)
	}
	part := s.uploadRequest("../../etc/passwd", "text/html", s.contract.File, url.Values{"purpose": {"court"}, "note": {"x1"}})
	byPart := s.decode(s.call(token, "POST", "/api/v1/documents", header{"Content-Type": part.Header.Get("Content-Type")}, part.Body))
	if byPart.Reason != "valid.file" || byPart.Check.Purpose != "court" || byPart.Check.Note != "x1" {
		t.Errorf("%+v", byPart)
	}
	altered := s.decode(s.call(token, "POST", "/api/v1/documents?purpose=credit", header{"Content-Type": "application/pdf"}, strings.NewReader(string(s.contract.File)+"x")))
	if altered.Reason != "altered.continued" || altered.Statement == nil || len(altered.Statement.Facts) == 0 {
		t.Errorf("%+v", altered)
	}
	s.Withdraw(s.contract)
	later := s.decode(s.call(token, "GET", "/api/v1/checks/"+got.Check.ID, nil, nil))
	if later.Verdict != "valid" || later.Later == nil || later.Later.Verdict != "withdrawn" || later.Statement != nil {
		t.Errorf("after the withdrawal: %+v", later)
	}
	other, _ := tesdiq.NewCode(rand.Reader)
	unknown := s.decode(s.call(token, "POST", "/api/v1/checks", nil, strings.NewReader(`{"code":"`+other.String()+`","purpose":"credit"}`)))
	if unknown.Reason != "unknown.code" || unknown.Statement != nil {
		t.Errorf("%+v", unknown)
	}
}

func TestAPIErrorsSayWhatToDo(t *testing.T) {
	s := open(t)
	token := s.token()
	code := s.contract.Code.String()
	pdf := header{"Content-Type": "application/pdf"}
	tests := []struct {
		name, method, path string
		h                  header
		body               string
		status             int
		key, field, detail string
	}{
		{"no JSON", "POST", "/api/v1/checks", nil, `{`, 422, "json.malformed", "", "not a JSON object"},
		{"null", "POST", "/api/v1/checks", nil, `null`, 422, "json.malformed", "", "not a JSON object"},
		{"two values", "POST", "/api/v1/checks", nil, `{} {}`, 422, "json.malformed", "", ""},
		{"another type", "POST", "/api/v1/checks", header{"Content-Type": "text/plain"}, `{}`, 415, "json.media", "Content-Type", "application/json"},
		{"unknown field", "POST", "/api/v1/checks", nil, `{"kode":"x"}`, 422, "json.unknown-field", "kode", "“kode”"},
		{"number for text", "POST", "/api/v1/checks", nil, `{"code":7,"purpose":"credit"}`, 422, "json.text", "code", "text"},
		{"mistyped", "POST", "/api/v1/checks", nil, `{"code":"7K2M-9QXA-4TRC-W8HN-4","purpose":"credit"}`, 422, "code.check", "code", "mistyped"},
		{"mistyped, in Azerbaijani", "POST", "/api/v1/checks", header{"Accept-Language": "az"}, `{"code":"7K2M-9QXA-4TRC-W8HN-4","purpose":"credit"}`, 422, "code.check", "code", "düz yazılmayıb"},
		{"nothing", "POST", "/api/v1/checks", nil, `{"purpose":"credit"}`, 422, "code.empty", "code", ""},
		{"both", "POST", "/api/v1/checks", nil, `{"code":"` + code + `","sha256":"00","purpose":"credit"}`, 422, "check.code-and-sha256", "sha256", ""},
		{"half a hash", "POST", "/api/v1/checks", nil, `{"sha256":"00","purpose":"credit"}`, 422, "sha256.malformed", "sha256", "64"},
		{"no purpose", "POST", "/api/v1/checks", nil, `{"code":"` + code + `"}`, 422, "purpose.missing", "purpose", ""},
		{"another purpose", "POST", "/api/v1/checks", nil, `{"code":"` + code + `","purpose":"fun"}`, 422, "purpose.unknown", "purpose", ""},
		{"a note over two lines", "POST", "/api/v1/checks", nil, `{"code":"` + code + `","purpose":"credit","note":"a\u202eb"}`, 422, "note.letter", "note", "U+202E"},
		{"an empty key", "POST", "/api/v1/checks", header{"Idempotency-Key": " "}, `{"code":"` + code + `","purpose":"credit"}`, 422, "idempotency.malformed", "Idempotency-Key", ""},
		{"no such check", "GET", "/api/v1/checks/0000-0000-0000-0000", nil, "", 404, "check.unknown", "", ""},
		{"no number of a check", "GET", "/api/v1/checks/x", nil, "", 404, "check.unknown", "", ""},
		{"no such address", "GET", "/api/v1/nothing", nil, "", 404, "web.no-page", "", ""},
		{"another method", "DELETE", "/api/v1/checks", nil, "", 405, "web.method", "", ""},
		{"a picture", "POST", "/api/v1/documents?purpose=credit", header{"Content-Type": "image/png"}, "x", 415, "document.media", "Content-Type", ""},
		{"a file as curl sends it untold", "POST", "/api/v1/documents?purpose=credit", header{"Content-Type": "application/x-www-form-urlencoded"}, "%PDF-1.7\n%\xe2;=%zz", 415, "document.media", "Content-Type", "application/pdf"},
		{"a file that is too large", "POST", "/api/v1/documents?purpose=credit", pdf, strings.Repeat("x", 21<<20), 413, "file.too_large", "file", "20 MB"},
		{"an empty file", "POST", "/api/v1/documents?purpose=credit", pdf, "", 422, "file.empty", "file", ""},
		{"a file without a purpose", "POST", "/api/v1/documents", pdf, "%PDF-1", 422, "purpose.missing", "purpose", ""},
		{"a file for fun", "POST", "/api/v1/documents?purpose=fun", pdf, "%PDF-1", 422, "purpose.unknown", "purpose", ""},
		{"a form without a file", "POST", "/api/v1/documents", header{"Content-Type": "multipart/form-data; boundary=b"}, "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ncredit\r\n--b--\r\n", 422, "file.missing", "file", ""},
		{"a form that breaks off", "POST", "/api/v1/documents", header{"Content-Type": "multipart/form-data; boundary=b"}, "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n%PDF", 422, "file.broken", "file", ""},
		{"a wrong token", "POST", "/api/v1/checks", header{"Authorization": "Bearer " + strings.Repeat("0", 52)}, `{}`, 401, "token.unknown", "", "/oauth/token"},
		{"no token", "POST", "/api/v1/checks", header{"Authorization": ""}, `{}`, 401, "token.missing", "", "/oauth/token"},
	}
	before := s.checks()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := s.call(token, tt.method, tt.path, tt.h, strings.NewReader(tt.body))
			var p struct {
				Type, Title, Detail, Field string
				Status                     int
			}
			if err := json.Unmarshal([]byte(a.Body), &p); err != nil {
				t.Fatalf("%v: %d %s", err, a.Status, a.Body)
			}
			if a.Status != tt.status || p.Status != tt.status || !strings.HasSuffix(p.Type, ":"+tt.key) || p.Field != tt.field ||
				!strings.Contains(p.Detail, tt.detail) || p.Title == "" || p.Detail == "" || strings.HasPrefix(p.Detail, "problem.") ||
				a.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	if n := s.checks(); n != before {
		t.Errorf("%d checks were recorded", n-before)
	}
}

func TestTokenEndpoint(t *testing.T) {
	s := open(t)
	basic := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(id, secret) }
	}
	tests := []struct {
		name, body string
		change     func(*http.Request)
		status     int
		code       string
	}{
		{"in the form", "grant_type=client_credentials&client_id=bank&client_secret=" + secret, nil, 200, ""},
		{"by Basic", "grant_type=client_credentials", basic("bank", secret), 200, ""},
		{"wrong secret", "grant_type=client_credentials", basic("bank", "x"), 401, "invalid_client"},
		{"no such client", "grant_type=client_credentials", basic("x", secret), 401, "invalid_client"},
		{"no text", "grant_type=client_credentials&client_id=%00%ff&client_secret=x", nil, 401, "invalid_client"},
		{"nobody", "grant_type=client_credentials", nil, 401, "invalid_client"},
		{"another grant", "grant_type=password", basic("bank", secret), 400, "unsupported_grant_type"},
		{"no grant", "", basic("bank", secret), 400, "unsupported_grant_type"},
		{"twice", "grant_type=client_credentials&client_secret=x", basic("bank", secret), 400, "invalid_request"},
		{"JSON", "{}", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, 400, "invalid_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.request(http.MethodPost, "/oauth/token", "application/x-www-form-urlencoded", strings.NewReader(tt.body))
			if tt.change != nil {
				tt.change(r)
			}
			a := s.Do(r)
			var got map[string]any
			if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
				t.Fatalf("%v: %s", err, a.Body)
			}
			if a.Status != tt.status || tt.code != "" && (got["error"] != tt.code || got["error_description"] == "") || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
}

// R20 over HTTP.
func TestAPIRepeats(t *testing.T) {
	s := open(t)
	token := s.token()
	body := `{"code":"` + s.contract.Code.String() + `","purpose":"credit"}`
	var wg sync.WaitGroup
	answers := make([]webtest.Answer, 100)
	for i := range answers {
		wg.Go(func() {
			answers[i] = s.call(token, "POST", "/api/v1/checks", header{"Idempotency-Key": "once"}, strings.NewReader(body))
		})
	}
	wg.Wait()
	for _, a := range answers {
		if got := s.decode(a); got.Check != s.decode(answers[0]).Check || got.Statement == nil {
			t.Fatalf("%s and %s", a.Body, answers[0].Body)
		}
	}
	if n := s.checks(); n != 1 {
		t.Errorf("%d checks, want 1", n)
	}
	a := s.call(token, "POST", "/api/v1/checks", header{"Idempotency-Key": "once"}, strings.NewReader(strings.Replace(body, "credit", "court", 1)))
	if a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, "idempotency.other") {
		t.Errorf("another body: %d %s", a.Status, a.Body)
	}
}

func TestAPIKeepsOrganisationsApart(t *testing.T) {
	s := open(t)
	shop := s.Organisation("Nümunə Market")
	s.World.Client(shop, "shop", "other secret")
	r := s.request(http.MethodPost, "/oauth/token", "application/x-www-form-urlencoded", strings.NewReader("grant_type=client_credentials&client_id=shop&client_secret=other+secret"))
	var got struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(s.Do(r).Body), &got); err != nil {
		t.Fatal(err)
	}
	mine := s.decode(s.call(s.token(), "POST", "/api/v1/checks", nil, strings.NewReader(`{"code":"`+s.contract.Code.String()+`","purpose":"credit"}`)))
	theirs, missing := s.call(got.AccessToken, "GET", "/api/v1/checks/"+mine.Check.ID, nil, nil), s.call(got.AccessToken, "GET", "/api/v1/checks/0000-0000-0000-0000", nil, nil)
	if theirs.Status != http.StatusNotFound || theirs.Body != missing.Body {
		t.Errorf("another organisation's check: %d %s; one that does not exist: %s", theirs.Status, theirs.Body, missing.Body)
	}
	// What a clerk checked on a page is the organisation's as well.
	page := s.as(aysel, true).Post("/check", form(s.contract.Code.String(), "credit"))
	id := strings.TrimPrefix(page.Header.Get("Location"), "/checked/")
	if a := s.call(s.token(), "GET", "/api/v1/checks/"+id, nil, nil); a.Status != http.StatusOK {
		t.Errorf("a clerk's check, read by the program: %d", a.Status)
	}
	mustHave(t, s.as(manager, true).Get("/checked/"+mine.Check.ID), "Çıxarış etibarlıdır", "bank")
}

// The description is OpenAPI 3.1, has every route of the API, and what the API says fits it.
func TestDescription(t *testing.T) {
	s := open(t)
	a := s.Get("/api/openapi.json")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Summary, Description string
			Responses            map[string]struct {
				Description string
				Content     map[string]struct{ Schema *huma.Schema }
			}
		}
	}
	if err := json.Unmarshal([]byte(a.Body), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("openapi %q", doc.OpenAPI)
	}
	for _, route := range []string{"post /oauth/token", "post /api/v1/checks", "get /api/v1/checks/{id}", "post /api/v1/documents"} {
		method, path, _ := strings.Cut(route, " ")
		op, ok := doc.Paths[path][method]
		if !ok || op.Summary == "" || op.Description == "" || len(op.Responses) < 4 {
			t.Errorf("%s is not described", route)
		}
		for status, r := range op.Responses {
			for media, c := range r.Content {
				if c.Schema == nil || r.Description == "" {
					t.Errorf("%s %s %s has no schema", route, status, media)
				}
			}
		}
	}
	if strings.Contains(a.Body, "$schema") || !strings.Contains(a.Body, `"superseded.newer"`) || !strings.Contains(a.Body, `"transport"`) {
		t.Error("the closed lists are not in the description")
	}
	checkReferences(t, []byte(a.Body))
}

// checkReferences finds every $ref.
func checkReferences(t *testing.T, doc []byte) {
	var whole map[string]any
	if err := json.Unmarshal(doc, &whole); err != nil {
		t.Fatal(err)
	}
	refs := regexp.MustCompile(`"\$ref":"#/([^"]+)"`).FindAllSubmatch(doc, -1)
	if len(refs) == 0 {
		t.Error("nothing refers to a schema")
	}
	for _, ref := range refs {
		at := any(whole)
		for part := range strings.SplitSeq(string(ref[1]), "/") {
			m, _ := at.(map[string]any)
			at = m[part]
		}
		if at == nil {
			t.Errorf("#/%s leads nowhere", ref[1])
		}
	}
}

const exampleCode = "7K2M-9QXA-4TRC-W8HN-X"

// The requests on the page for engineers run as they stand.
func TestRequestsForEngineersRun(t *testing.T) {
	dir := t.TempDir()
	const address = "http://address.invalid"
	s := open(t, func(c *verifierweb.Config) {
		c.Address, c.Example = address, verifierweb.Example{ClientID: "bank", Secret: secret, Code: exampleCode, File: "tesdiq-1.pdf"}
	})
	if err := os.WriteFile(filepath.Join(dir, "tesdiq-1.pdf"), s.contract.File, 0o600); err != nil {
		t.Fatal(err)
	}
	page := s.Get("/developers?lang=en")
	blocks := regexp.MustCompile(`(?s)<pre[^>]*><code>(.*?)</code></pre>`).FindAllStringSubmatch(page.Body, -1)
	if len(blocks) != 5 {
		t.Fatalf("%d requests on the page, want 5", len(blocks))
	}
	script := "set -euo pipefail\n"
	for _, b := range blocks {
		script += html.UnescapeString(b[1]) + "\necho\n"
	}
	// The server's address and the code are drawn when it starts.
	script = strings.NewReplacer(address, s.Server.URL, exampleCode, s.contract.Code.String()).Replace(script)
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), `"verdict":"valid"`); n != 4 {
		t.Errorf("%d valid answers, want 4:\n%s", n, out)
	}
	if n := s.checks(); n != 3 {
		t.Errorf("%d checks, want 3", n)
	}
}
