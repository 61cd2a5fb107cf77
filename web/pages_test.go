package web_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// leftover finds what no finished page has: a key instead of its words, an open placeholder, a Go value.
var leftover = regexp.MustCompile(`>[^<]*\b(?:web|signin|cabinet|problem|message|verifier|issuer|registry|demoprovider)\.[a-z-]+\.?[a-z-]*[^<]*<|<no value>|\{\{|%!|ZgotmplZ`)

func TestPublicPagesInEveryLanguage(t *testing.T) {
	s := webtest.Shell(t, func(c *web.Config) { c.Demo = true })
	b := webtest.Open(t, s, probe(s), s.Public)
	for _, lang := range tesdiq.Langs {
		for _, path := range []string{"/", "/how", "/privacy", "/nothing", "/fault", "/own"} {
			a := b.Get(path + "?lang=" + string(lang))
			if path == "/own" {
				a = b.Post(path, nil)
			}
			if !strings.Contains(a.Body, `<html lang="`+string(lang)+`">`) || a.Header.Get("Content-Language") != string(lang) {
				t.Errorf("%s is not in %s", path, lang)
			}
			if m := leftover.FindString(a.Body); m != "" {
				t.Errorf("%s in %s: %q", path, lang, m)
			}
			if n := strings.Count(a.Body, "<h1"); n != 1 {
				t.Errorf("%s in %s has %d h1", path, lang, n)
			}
		}
	}
}

func TestLanguageOfAnAnswer(t *testing.T) {
	s := webtest.Shell(t)
	for _, c := range []struct{ query, cookie, accept, want string }{
		{"", "", "", "az"},
		{"", "", "en-GB,en;q=0.9", "en"},
		{"", "", "de, ru;q=0.5, en;q=0.4", "ru"},
		{"", "", "de", "az"},
		{"", "ru", "en", "ru"},
		{"?lang=en", "ru", "az", "en"},
		{"?lang=xx", "", "en", "en"},
		{"", "xx", "en", "en"},
	} {
		b := webtest.Open(t, s, probe(s))
		b.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			b.Header.Set("Cookie", "lang="+c.cookie)
		}
		if got := strings.TrimPrefix(b.Get("/who"+c.query).Body, "|"); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	b := webtest.Open(t, s, probe(s))
	b.Get("/who?lang=ru")
	if got := b.Get("/who").Body; got != "|ru" {
		t.Errorf("not remembered: %s", got)
	}
}

func formPage(t *testing.T, s *web.Shell) web.Routes {
	t.Helper()
	pages, err := s.Pages(fstest.MapFS{
		"pages/_part.html": {Data: []byte(`{{define "part"}}<em>{{.}}</em>{{end}}`)},
		"pages/form.html": {Data: []byte(`{{define "main"}}{{template "errors" .}}<h1>{{.Title}}</h1>
{{template "field-text" (field . "code" .Data.Code "Label" "Kod" "Hint" "Məsələn" "Class" "code" "Maxlength" 40 "Focus" true)}}
{{template "field-area" (field . "note" .Data.Note "Label" "Qeyd")}}
{{template "field-select" (field . "kind" .Data.Kind "Label" "Növ" "Choices" .Data.Choices)}}
{{template "field-radios" (field . "purpose" .Data.Kind "Label" "Məqsəd" "Choices" .Data.Choices)}}
{{template "part" .Data.Note}} {{verdictTag .Data.Verdict}} {{template "verdict-mark" (verdictClass .Data.Verdict)}}
{{date .Data.Day}} {{iso .Data.Day}} {{clock .Data.At}} {{iso .Data.At}} {{date .Data.At}} {{problemFor . "code"}}{{end}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	type data struct {
		Code, Note, Kind string
		Choices          []web.Choice
		Verdict          tesdiq.Verdict
		Day              tesdiq.Date
		At               time.Time
	}
	view := func(r *http.Request) data {
		return data{r.PostFormValue("code"), r.PostFormValue("note"), "b", []web.Choice{{Value: "a", Label: "A"}, {Value: "b", Label: "B", Hint: "b?"}}, tesdiq.Expired,
			tesdiq.NewDate(2026, 11, 21), time.Date(2026, 11, 20, 21, 5, 0, 0, time.UTC)}
	}
	return func(r chi.Router) {
		r.Get("/form", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			return pages.Render(w, r, "form.html", web.Page{TitleText: "Forma", Data: view(r)})
		}))
		r.Post("/form", s.Do(func(w http.ResponseWriter, r *http.Request) error {
			_, err := tesdiq.ParseCode(r.PostFormValue("code"))
			var ps tesdiq.Problems
			ps.Add("code", err)
			ps.Add("purpose", tesdiq.Invalid("purpose.missing"))
			return pages.Render(w, r, "form.html", web.Page{TitleText: "Forma", Data: view(r), Problems: ps})
		}))
	}
}

func TestAFormComesBackFilledWithItsProblems(t *testing.T) {
	s := webtest.Shell(t)
	b := webtest.Open(t, s, formPage(t, s))
	a := b.Get("/form")
	for _, want := range []string{"21.11.2026 2026-11-21 21.11.2026, 01:05 2026-11-20T21:05:00Z 21.11.2026", `<span class="tag warn"><span aria-hidden="true">! </span>müddəti bitib</span>`,
		`<label for="code">Kod</label>`, `aria-describedby="code-hint"`, `maxlength="40"`, `<option value="b" selected>`, `id="purpose-2" value="b" checked`} {
		if !strings.Contains(a.Body, want) {
			t.Errorf("no %q in %s", want, a.Body)
		}
	}
	if strings.Contains(a.Body, `role="alert"`) {
		t.Error("problems without problems")
	}
	evil := `"><script>alert(1)</script>`
	a = b.Post("/form", map[string][]string{"code": {evil}, "note": {evil}})
	if a.Status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", a.Status)
	}
	for _, want := range []string{"<title>Səhv: Forma", `<a href="#code">`, `<a href="#purpose">`, `id="purpose"`, `aria-invalid="true"`, `aria-describedby="code-hint code-why"`, `value="&#34;&gt;&lt;script&gt;`} {
		if !strings.Contains(a.Body, want) {
			t.Errorf("no %q in %s", want, a.Body)
		}
	}
	if strings.Contains(a.Body, "<script") {
		t.Error("mark-up was typed and is mark-up")
	}
	if !strings.Contains(a.Body, `href="/form?lang=ru"`) {
		t.Error("the language links do not lead back to the form")
	}
}

func TestWhatIsWrongWithAPageIsKnownAtTheStart(t *testing.T) {
	s := webtest.Shell(t)
	for name, text := range map[string]string{"no main": `{{define "other"}}{{end}}`, "syntax": `{{define "main"}}{{if}}{{end}}`, "function": `{{define "main"}}{{nothing}}{{end}}`} {
		if _, err := s.Pages(fstest.MapFS{"a.html": {Data: []byte(text)}}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestProblemsForPrograms(t *testing.T) {
	s := webtest.Shell(t)
	ps := tesdiq.Problems{tesdiq.Invalid("fin.malformed").In("fin"), tesdiq.Invalid("purpose.missing").In("purpose")}
	b := webtest.Open(t, s, func(r chi.Router) {
		r.Get("/api/v1/two", s.Do(func(http.ResponseWriter, *http.Request) error { return ps }))
		r.Get("/api/v1/wait", s.Do(func(http.ResponseWriter, *http.Request) error {
			return tesdiq.NewProblem(tesdiq.TooMany, "web.form").With("Seconds", 30)
		}))
	})
	a := b.Get("/api/v1/two")
	var j web.ProblemJSON
	if err := json.Unmarshal([]byte(a.Body), &j); err != nil {
		t.Fatal(err)
	}
	if a.Header.Get("Content-Type") != "application/problem+json" || j.Status != 422 || a.Status != 422 || j.Type != "urn:tesdiq:problem:fin.malformed" ||
		j.Field != "fin" || len(j.Errors) != 2 || j.Errors[1].Field != "purpose" || strings.Contains(j.Detail, "problem.") {
		t.Errorf("%s", a.Body)
	}
	if a := b.Get("/api/v1/wait"); a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") != "30" {
		t.Errorf("%d, Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
	if got := b.Get("/api/nothing"); got.Status != http.StatusNotFound || !strings.HasPrefix(got.Body, "{") {
		t.Errorf("unknown: %d %s", got.Status, got.Body)
	}
}

func TestSectionsFitWhoIsThere(t *testing.T) {
	s := webtest.Shell(t, func(c *web.Config) { c.Members = members{"5ZK8R2M": true} })
	b := webtest.Open(t, s, s.Public)
	nav := regexp.MustCompile(`(?s)<nav class="sections".*?</nav>`)
	if got := nav.FindString(b.Get("/").Body); got != "" {
		t.Errorf("nobody has sections: %s", got)
	}
	b.SignIn("")
	for _, title := range []string{"Müayinələrin reyestri", "İş yerlərim", "Çıxarışların tarixçəsi", "Çıxarışın yoxlanılması", "Mənim yoxladığım çıxarışlar", "Mənim çıxarışlarımı yoxlayanlar", "Mesajlar"} {
		if !strings.Contains(nav.FindString(b.Get("/").Body), title) {
			t.Errorf("no section %s", title)
		}
	}
	s.Draws = true
	if got := nav.FindString(b.Get("/").Body); strings.Contains(got, `"/commission"`) {
		t.Errorf("who sits in no commission: %s", got)
	}
	b.Get("/test/signin?sits=yes")
	if got := nav.FindString(b.Get("/").Body); strings.Count(got, `"/commission"`) != 1 {
		t.Errorf("a member: %s", got)
	}
	b.Act()
	got := nav.FindString(b.Get("/").Body)
	if strings.Count(got, "<li>") != 2 || !strings.Contains(got, `"/check"`) || !strings.Contains(got, `"/cabinet/checked-by-me"`) {
		t.Errorf("acting for an organisation: %s", got)
	}
}
