package registryweb_test

import (
	"crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/registry/registryweb"
	"github.com/tesdiq/tesdiq/web/webtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// today is the real one: sessions end by the real clock.
var today = tesdiq.DateOf(time.Now())

// open serves the pages over the fixed cast.
func open(t *testing.T) (*webtest.Browser, registrydb.Reader) {
	t.Helper()
	db := pgtest.Open(t)
	if _, err := registrydb.Load(t.Context(), db.Pool(postgres.Registry), people.Generate(1, 0, today), rand.Reader, nil); err != nil {
		t.Fatal(err)
	}
	shell := webtest.Shell(t)
	books := registrydb.Reader{Pool: db.Pool(postgres.Cabinet)}
	h := &registryweb.Web{Shell: shell, Books: books, Now: time.Now}
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	return webtest.Open(t, shell, h.Routes), books
}

var markUp = regexp.MustCompile(`<[^>]*>|\s+`)

// text is what a page says, without mark-up.
func text(a webtest.Answer) string { return markUp.ReplaceAllString(a.Body, " ") }

func says(t *testing.T, a webtest.Answer, want ...string) {
	t.Helper()
	got := strings.Join(strings.Fields(text(a)), " ")
	for _, w := range want {
		if !strings.Contains(got, strings.Join(strings.Fields(w), " ")) {
			t.Errorf("the page (%d) does not say %q:\n%s", a.Status, w, got)
		}
	}
}

// in changes the language and asks for a page.
func in(b *webtest.Browser, lang tesdiq.Lang, path string) webtest.Answer {
	b.Get("/?lang=" + string(lang))
	return b.Get(path)
}

func TestExaminations(t *testing.T) {
	b, books := open(t)
	b.SignIn(people.Who("nermin").FIN)
	list := b.Get("/cabinet/examinations")
	entries, err := books.Examinations(t.Context(), people.Who("nermin").FIN)
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	says(t, list, "Müayinələrin reyestri", "61–80 faiz pozulmasına görə əlillik", "31–60 faiz", "✓ qüvvədədir", "– sonrakı ilə əvəz olunub",
		"Təkrar müayinəyə "+entries[0].NextFrom.String()+" tarixindən", "Çıxarış al")
	one := b.Get("/cabinet/examinations/" + entries[0].Head.Number)
	says(t, one, entries[0].Head.Number, "7 saylı TSEK", "65 faiz", "Ümumi xəstəlik", "təkrar", entries[0].Until.String(), "Yazan: Reyestr şöbəsi")
	if !strings.Contains(one.Body, `href="/cabinet/excerpts/new?kind=examination&amp;number=`+entries[0].Head.Number+`"`) {
		t.Error("no way to an excerpt")
	}
	old := b.Get("/cabinet/examinations/" + entries[1].Head.Number)
	says(t, old, "sonrakı ilə əvəz olunub", "Qüvvədə olan müayinə: "+entries[0].Head.Number)
	if strings.Contains(old.Body, "/cabinet/excerpts/new") {
		t.Error("an excerpt of what is replaced")
	}
}

func TestTheHistoryOfAnExamination(t *testing.T) {
	b, books := open(t)
	cavid := people.Who("cavid").FIN
	b.SignIn(cavid)
	entries, err := books.Examinations(t.Context(), cavid)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	says(t, b.Get("/cabinet/examinations/"+entries[0].Head.Number), "Düzəliş edilib", "Səbəb: Komissiyanın nömrəsi səhv yazılmışdı",
		"Komissiya: 19 saylı TSEK (əvvəl: 9 saylı TSEK)")
	heads, err := books.Subject(t.Context(), cavid)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range heads {
		if h.Act == "annul" {
			a := b.Get("/cabinet/examinations/" + h.Number)
			says(t, a, "✕ etibarsız sayılıb", "Qeyd başqa şəxsə aiddir", "heç vaxt doğru olmayıb")
			if strings.Contains(a.Body, "/cabinet/excerpts/new") {
				t.Error("an excerpt of what was annulled")
			}
		}
	}
}

func TestContracts(t *testing.T) {
	b, books := open(t)
	b.SignIn(people.Who("elcin").FIN)
	says(t, b.Get("/cabinet/contracts"), "İş yerlərim", "“Örnək Kollec”", "müəllim əsas iş yeri", "laborant əlavə iş yeri", "✓ qüvvədədir")

	b.SignIn(people.Who("sevinc").FIN)
	says(t, b.Get("/cabinet/contracts"), "Qüvvədə olan əmək müqaviləniz yoxdur", "Əvvəlki iş yerlərim", "– xitam verilib")
	jobs, err := books.Contracts(t.Context(), people.Who("sevinc").FIN)
	if err != nil || len(jobs) != 1 {
		t.Fatal(jobs, err)
	}
	one := b.Get("/cabinet/contracts/" + jobs[0].Head.Number)
	says(t, one, "Müqaviləyə xitam verilib", "Müqavilə bağlanıb", "500,00\u00a0₼", "Əmək Məcəlləsi, maddə 69", "Xitam verilmə tarixi: "+jobs[0].Terminated.String())
	if !strings.Contains(one.Body, "/cabinet/excerpts/new?kind=contract&amp;number=") {
		t.Error("no certificate of a former place of work")
	}

	b.SignIn(people.Who("nermin").FIN)
	jobs, err = books.Contracts(t.Context(), people.Who("nermin").FIN)
	if err != nil {
		t.Fatal(err)
	}
	says(t, b.Get("/cabinet/contracts/"+jobs[0].Head.Number), "Müqavilə dəyişdirilib", "1\u00a0820,00\u00a0₼ (əvvəl: 1\u00a0450,00\u00a0₼)")
}

func TestEveryPeriodOfTheLaw(t *testing.T) {
	b, _ := open(t)
	for key, want := range map[string]string{
		"oqtay": "II dərəcə əlillik", "xeyransa": "I qrup əlillik", "leman": "18 yaşınadək əlilliyi müəyyən edilmiş şəxs",
		"sevinc": "Əlillik müəyyən edilməyib", "gunay": "Reyestrdə sizin barənizdə müayinə yoxdur", "ebdulrehimxan": "81–100 faiz",
	} {
		b.SignIn(people.Who(key).FIN)
		says(t, b.Get("/cabinet/examinations"), want)
	}
	says(t, in(b, tesdiq.En, "/cabinet/examinations"), "My examinations")
	says(t, in(b, tesdiq.Ru, "/cabinet/examinations"), "Мои освидетельствования")
}

// Another's number answers exactly as one that is not there, and nobody who is not signed in reads anything.
func TestOthersAreNotThere(t *testing.T) {
	b, books := open(t)
	nermin := people.Who("nermin").FIN
	exams, err := books.Examinations(t.Context(), nermin)
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := books.Contracts(t.Context(), nermin)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{
		"/cabinet/examinations/" + exams[0].Head.Number: "/cabinet/examinations/M-2026-999999",
		"/cabinet/contracts/" + jobs[0].Head.Number:     "/cabinet/contracts/K-2026-9999999",
	}
	for path := range paths {
		if a := b.Get(path); a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/signin") {
			t.Errorf("%s for nobody: %d", path, a.Status)
		}
	}
	b.SignIn(people.Who("gunay").FIN)
	for foreign, absent := range paths {
		f, a := b.Get(foreign), b.Get(absent)
		same := strings.ReplaceAll(f.Body, foreign, absent) == a.Body
		if f.Status != http.StatusNotFound || a.Status != http.StatusNotFound || !same {
			t.Errorf("%s: %d, %s: %d; the pages are the same: %v", foreign, f.Status, absent, a.Status, same)
		}
	}
	for _, path := range []string{"/cabinet/examinations/M-2026-1", "/cabinet/examinations/'", "/cabinet/contracts/M-2026-000001", "/cabinet/contracts/%3Cscript%3E"} {
		if a := b.Get(path); a.Status != http.StatusNotFound || strings.Contains(a.Body, "<script>") {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
}

// TESDIQ_PAGES names a folder into which every page of every person of the cast is written, to be looked at.
func TestEveryPageInEveryLanguage(t *testing.T) {
	b, books := open(t)
	folder := os.Getenv("TESDIQ_PAGES")
	for _, a := range people.Cast {
		b.SignIn(a.FIN)
		heads, err := books.Subject(t.Context(), a.FIN)
		if err != nil {
			t.Fatal(err)
		}
		paths := map[string]bool{"/cabinet/examinations": true, "/cabinet/contracts": true}
		for _, h := range heads {
			if h.Book != "person" {
				paths["/cabinet/"+string(h.Book)+"s/"+h.Number] = true
			}
		}
		for path := range paths {
			for _, lang := range tesdiq.Langs {
				page := in(b, lang, path)
				if page.Status != http.StatusOK || strings.Contains(page.Body, "registry.") || strings.Contains(page.Body, "&lt;no value") || strings.Contains(page.Body, "problem.") {
					t.Errorf("%s in %s as %s: %d\n%s", path, lang, a.Key, page.Status, text(page))
				}
				if folder != "" {
					name := a.Key + strings.ReplaceAll(path, "/", "_") + "." + string(lang) + ".html"
					if err := os.WriteFile(filepath.Join(folder, name), []byte(page.Body), 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
