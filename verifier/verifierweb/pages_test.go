package verifierweb_test

import (
	"crypto/rand"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/verifierdb/verifierdbtest"
	"github.com/tesdiq/tesdiq/web/webtest"
)

func mustHave(t *testing.T, a webtest.Answer, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(a.Body, w) {
			t.Errorf("%q is not on the page: %.1500s", w, text(a.Body))
		}
	}
}

func mustNotHave(t *testing.T, a webtest.Answer, unwanted ...string) {
	t.Helper()
	for _, w := range unwanted {
		if strings.Contains(a.Body, w) {
			t.Errorf("%q is on the page", w)
		}
	}
}

func TestEverybodySeesWhatHeMay(t *testing.T) {
	s := open(t)
	code := s.contract.Code.String()
	nobody := s.check(s.as("", false), form(code, "other"))
	mustHave(t, nobody, "Çıxarış etibarlıdır", verifierdbtest.Initials, "····R2M", "Xəzər Tikinti", "Adını bildirməyən şəxs", code)
	mustNotHave(t, nobody, verifierdbtest.Name, "5ZK8R2M", verifierdbtest.Document)

	private := s.check(s.as(manager, false), form(code, "other"))
	mustHave(t, private, verifierdbtest.Initials)
	mustNotHave(t, private, verifierdbtest.Name, "5ZK8R2M", verifierdbtest.Document)

	subject := s.check(s.as(nermin, false), form(code, "other"))
	mustHave(t, subject, verifierdbtest.Name, verifierdbtest.Document)
	mustNotHave(t, subject, "dərhal öz kabinetində")

	values := form(code, "credit")
	values.Set("note", "müqavilə 17-A")
	clerk := s.check(s.as(aysel, true), values)
	mustHave(t, clerk, verifierdbtest.Name, "5ZK8R2M", verifierdbtest.Document, "Nümunə Bank", "müqavilə 17-A", "Kredit", "dərhal öz kabinetində")
}

func TestWhatIsGoneIsNotShown(t *testing.T) {
	s := open(t)
	s.Withdraw(s.contract)
	s.Revoke(s.examination)
	clerk := s.as(aysel, true)
	withdrawn := s.check(clerk, form(s.contract.Code.String(), "credit"))
	mustHave(t, withdrawn, "Çıxarış geri götürülüb")
	mustNotHave(t, withdrawn, "Xəzər", "İş yerinə dair arayış", verifierdbtest.Name, "E-2026-")
	revoked := s.check(clerk, form(s.examination.Code.String(), "credit"))
	mustHave(t, revoked, "Çıxarış ləğv edilib", "Əlilliyin müəyyən edilməsi", "E-2026-", "21.11.2026")
	mustNotHave(t, revoked, "Xəzər", verifierdbtest.Name)
}

func TestAGetRecordsNothing(t *testing.T) {
	s := open(t)
	a := s.check(s.Browser, form(s.contract.Code.String(), "other"))
	_, id, _ := strings.Cut(a.Body, `Yoxlama №</dt><dd class="mono">`)
	id, _, _ = strings.Cut(id, "<")
	before := s.checks()
	for _, path := range []string{
		"/check", "/check?code=" + s.contract.Code.String(), "/v/" + s.contract.Code.String(), "/v/" + string(s.contract.Code) + "?purpose=credit",
		"/v/nonsense", "/checked/" + id, "/developers", "/api/openapi.json",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := s.request(method, path, "", nil)
			r.Header.Set("Purpose", "prefetch")
			r.Header.Set("Sec-Purpose", "prefetch;prerender")
			if a := s.Do(r); a.Status >= 500 || a.Status == http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, a.Status)
			}
		}
	}
	if after := s.checks(); after != before {
		t.Errorf("%d checks were recorded by reading", after-before)
	}
}

func TestQRAsksFirst(t *testing.T) {
	s := open(t)
	path := "/v/" + s.contract.Code.String()
	page := s.Get(path)
	mustHave(t, page, s.contract.Code.String(), "Nə üçün yoxlayırsınız?", `action="`+path+`?key=`)
	mustNotHave(t, page, "Xəzər", "İş yerinə", "etibarlıdır")
	if ref := page.Header.Get("Referrer-Policy"); ref != "no-referrer" {
		t.Errorf("Referrer-Policy %q", ref)
	}
	if cc := page.Header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control %q", cc)
	}
	if a := s.Post(path, url.Values{}); a.Status != http.StatusUnprocessableEntity || s.checks() != 0 {
		t.Errorf("without a purpose: %d, %d checks", a.Status, s.checks())
	}
	a := s.Post(path, url.Values{"purpose": {"transport"}})
	if a.Status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.Status, text(a.Body))
	}
	mustHave(t, s.read(s.Browser, a), "Çıxarış etibarlıdır", "QR kodla")
	wrong := s.Get("/v/7K2M-9QXA")
	if wrong.Status != http.StatusUnprocessableEntity {
		t.Errorf("a malformed code: %d", wrong.Status)
	}
	mustHave(t, wrong, `action="/check?key=`, `value="7K2M-9QXA"`)
}

func TestAFormComesBackFilled(t *testing.T) {
	s := open(t)
	clerk := s.as(aysel, true)
	long := strings.Repeat("uzun ", 60)
	tests := []struct {
		name   string
		values url.Values
		want   []string
	}{
		{"nothing", url.Values{}, []string{"Kodu yazın və ya PDF faylı seçin", "Nə üçün yoxladığınızı seçin"}},
		{"mistyped", url.Values{"code": {"7K2M-9QXA-4TRC-W8HN-4"}, "purpose": {"credit"}, "note": {"qeyd"}}, []string{"simvollardan biri düz yazılmayıb", `value="7K2M-9QXA-4TRC-W8HN-4"`, `value="credit" checked`, `value="qeyd"`}},
		{"too short", form("7K2M", "credit"), []string{"burada 4 simvol var"}},
		{"a strange letter", form("7K2M-9QXA-4TRC-W8HU-R", "credit"), []string{"“U” simvolu olmur"}},
		{"no such purpose", form(s.contract.Code.String(), "fun"), []string{"Məqsədi siyahıdan seçin", s.contract.Code.String()}},
		{"a long note", url.Values{"code": {s.contract.Code.String()}, "purpose": {"credit"}, "note": {long}}, []string{"200 simvoldan uzun", s.contract.Code.String(), strings.TrimSpace(long)}},
		{"mark-up", form(`"><script>alert(1)</script>`, "credit"), []string{"&lt;script&gt;"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := clerk.Post("/check", tt.values)
			if a.Status != http.StatusUnprocessableEntity {
				t.Errorf("status %d", a.Status)
			}
			mustHave(t, a, append(tt.want, `class="errors"`)...)
			mustNotHave(t, a, "<script")
		})
	}
	if n := s.checks(); n != 0 {
		t.Errorf("%d checks", n)
	}
}

func TestNobodyUnknownAddsANote(t *testing.T) {
	s := open(t)
	values := form(s.contract.Code.String(), "other")
	values.Set("note", "Mən bankam")
	s.check(s.Browser, values)
	s.check(s.as(nermin, false), values)
	if n := s.ID("SELECT count(*) FROM checks WHERE note <> ''"); n != 0 {
		t.Errorf("%d notes of people who act for nobody", n)
	}
}

func TestAClerksDay(t *testing.T) {
	s := open(t)
	clerk := s.as(aysel, true)
	mustHave(t, clerk.Get("/check"), "Bu gün hələ heç nə yoxlanmayıb", `name="code" class="code"`, "autofocus")
	values := form("https://tesdiq.example/v/"+s.contract.Code.String()+"\n", "credit")
	mustHave(t, s.check(clerk, values), "Çıxarış etibarlıdır", "QR kodla")
	mustHave(t, clerk.Get("/check"), `value="credit" checked`, "İş yerinə dair arayış", "etibarlıdır")
	for range verifier.PageSize {
		s.check(clerk, form(s.examination.Code.String(), "employment"))
	}
	first := clerk.Get("/check")
	_, next, found := strings.Cut(first.Body, `<a href="/check?after=`)
	if !found || strings.Count(first.Body, `<a href="/checked/`) != verifier.PageSize {
		t.Fatalf("no next page after %d checks", verifier.PageSize+1)
	}
	next, _, _ = strings.Cut(next, `"`)
	second := clerk.Get("/check?after=" + next)
	mustHave(t, second, "Ən yenilərə qayıt")
	if n := strings.Count(second.Body, `<a href="/checked/`); n != 1 {
		t.Errorf("%d checks on the second page, want 1", n)
	}
	s.clock.pass(24 * time.Hour)
	mustHave(t, clerk.Get("/check"), "Bu gün hələ heç nə yoxlanmayıb")
	mustHave(t, clerk.Get("/cabinet/checked-by-me"), "İş yerinə dair arayış", "Daha əvvəlkilər")
}

func TestTheSubjectSeesTheOrganisationNotItsClerk(t *testing.T) {
	s := open(t)
	values := form(s.contract.Code.String(), "credit")
	values.Set("note", "17-A")
	s.check(s.as(aysel, true), values)
	s.check(s.as("", false), form(s.examination.Code.String(), "other"))
	s.Exec(`INSERT INTO looks (subject, office, by, purpose, at) VALUES ($1, 'DOST Mərkəzi', 'R. Məmmədov', 'müraciət 12', $2)`, string(nermin), verifierdbtest.Day)
	s.Exec(`INSERT INTO organisations (voen, name, sort, added_at) VALUES ('1401555071', 'Başqa poliklinika', 'medical', $1)`, verifierdbtest.Day)
	s.Exec(`INSERT INTO medical_institutions (organisation_id, district) SELECT id, 'Xətai' FROM organisations WHERE voen = '1401555071'`)
	for _, told := range []string{"name", "open"} {
		s.Exec(`INSERT INTO tseras_referral_looks (organisation_id, subject, member, told, day, at) SELECT id, $1, $2, $3, $4::timestamptz::date, $4 FROM organisations WHERE voen = '1401555071'`,
			string(nermin), string(aysel), told, verifierdbtest.Day)
	}
	subject := s.as(nermin, false)
	a := subject.Get("/cabinet/checks-of-mine")
	mustHave(t, a, "Nümunə Bank", "17-A", "Kredit", "Adını bildirməyən şəxs", "DOST Mərkəzi", "müraciət 12", "etibarlıdır", "Başqa poliklinika", "Adınızı görüb", "Açıq müraciətiniz olduğunu öyrənib")
	mustHave(t, subject.Get("/cabinet/checks-of-mine.csv"), "Başqa poliklinika", "Göndəriş hazırlanarkən baxış", "Açıq müraciətiniz olduğunu öyrənib")
	mustNotHave(t, a, "Aysel", "Həsənova", string(aysel), "R. Məmmədov")
	only := subject.Get("/cabinet/checks-of-mine?kind=examination")
	mustHave(t, only, "Adını bildirməyən şəxs")
	mustNotHave(t, only, "Nümunə Bank", "DOST Mərkəzi", "Başqa poliklinika")
	if a := subject.Get("/cabinet/checks-of-mine?kind=x"); a.Status != http.StatusNotFound {
		t.Errorf("a kind that there is not: %d", a.Status)
	}
	if a := subject.Get("/cabinet/checks-of-mine?after=x"); a.Status != http.StatusUnprocessableEntity {
		t.Errorf("a cursor that is none: %d", a.Status)
	}
	mustHave(t, s.as(manager, false).Get("/cabinet/checks-of-mine"), "Hələ heç kim")
	mustHave(t, s.as(manager, false).Get("/cabinet/checked-by-me"), "Siz hələ heç bir çıxarış yoxlamamısınız")
	mustHave(t, s.as(manager, true).Get("/cabinet/checked-by-me"), "Aysel Həsənova")
}

// S13, for the routes of this package: every role at its own and at other people's.
func TestOtherPeoplesAreNotThere(t *testing.T) {
	s := open(t)
	people := map[string]*webtest.Browser{
		"visitor": s.as("", false), "other visitor": s.as("", false), "subject": s.as(nermin, false), "clerk": s.as(aysel, true),
		"manager": s.as(manager, true), "clerk for herself": s.as(aysel, false),
	}
	also := map[string]string{"clerk": "manager"} // whose checks somebody else sees as well
	for maker, b := range people {
		a := b.Post("/check", form(s.contract.Code.String(), "other"))
		if a.Status != http.StatusSeeOther {
			t.Fatalf("%s: %d", maker, a.Status)
		}
		path := a.Header.Get("Location")
		for reader, r := range people {
			got, missing := r.Get(path), r.Get("/checked/0000-0000-0000-0000")
			if reader == maker || also[maker] == reader {
				if got.Status != http.StatusOK {
					t.Errorf("%s's check, read by %s: %d", maker, reader, got.Status)
				}
				continue
			}
			if got.Status != http.StatusNotFound || text(got.Body) != text(missing.Body) {
				t.Errorf("%s's check, read by %s: %d %q; one that does not exist: %q", maker, reader, got.Status, text(got.Body), text(missing.Body))
			}
		}
	}
	for _, path := range []string{"/cabinet/checks-of-mine", "/cabinet/checks-of-mine.csv", "/cabinet/checked-by-me", "/cabinet/checked-by-me.csv"} {
		if a := people["visitor"].Get(path); a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/signin") {
			t.Errorf("%s, not signed in: %d", path, a.Status)
		}
	}
	if a := people["clerk"].Get("/cabinet/checks-of-mine"); a.Status != http.StatusForbidden {
		t.Errorf("one's own affairs while acting for the bank: %d", a.Status)
	}
}

func TestSpreadsheetsComputeNothing(t *testing.T) {
	s := open(t)
	s.Exec(`UPDATE organisations SET name = '=HYPERLINK("http://x","Bank")'`)
	names := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "a\"b,c\nd", "<script>alert(1)</script>"}
	for i, note := range names {
		s.Exec(`INSERT INTO checks (id, at, way, excerpt_id, subject, sort, organisation_id, member_fin, purpose, note, verdict, reason)
			VALUES ($1, $2, 'code', $3, $4, 'organisation', 1, $5, 'credit', $6, 'valid', 'valid.code')`,
			fmt.Sprintf("%016d", i), verifierdbtest.Day.Add(-time.Duration(i)*time.Second), s.contract.ID, string(nermin), string(aysel), note)
	}
	s.Exec(`INSERT INTO looks (subject, office, by, purpose, at) VALUES ($1, '=cmd()', 'x', '@x', $2)`, string(nermin), verifierdbtest.Day)
	for path, b := range map[string]*webtest.Browser{
		"/cabinet/checks-of-mine.csv": s.as(nermin, false), "/cabinet/checked-by-me.csv": s.as(manager, true),
	} {
		a := b.Get(path)
		if !strings.HasPrefix(a.Body, "\ufeff") || a.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(a.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %v %.20q", path, a.Header, a.Body)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.Body, "\ufeff"))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(rows) < len(names)+1 || !strings.Contains(a.Body, "\r\n") {
			t.Errorf("%s: %d rows", path, len(rows))
		}
		for _, row := range rows {
			for _, cell := range row {
				if strings.IndexAny(cell, "=+-@\t\r\n") == 0 {
					t.Errorf("%s: the cell %q is a formula", path, cell)
				}
			}
		}
	}
	page := s.as(nermin, false).Get("/cabinet/checks-of-mine")
	mustNotHave(t, page, "<script")
	mustHave(t, page, "&lt;script&gt;")
}

// S9, scaled: 20,000 guesses from 1,000 prefixes.
func TestGuessingFindsNothing(t *testing.T) {
	s := open(t)
	guesses, refused := 0, 0
	for i := range 20_000 {
		code, err := tesdiq.NewCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		prefix := fmt.Sprintf("198.51.%d.0/24", i%1000)
		a, err := s.v.Check(t.Context(), verifier.Question{
			By: verifier.Asker{Sort: verifier.ByAnonymous, Visitor: "v", Prefix: prefix}, Way: tesdiq.ByCode, Code: code, Purpose: "other",
		})
		switch {
		case err != nil && tesdiq.ProblemsOf(err)[0].Kind == tesdiq.TooMany:
			refused++
		case err != nil:
			t.Fatal(err)
		case a.Judgement.Verdict != tesdiq.Unknown:
			t.Fatalf("a guess found something")
		default:
			guesses++
		}
	}
	// Within one minute each prefix has one guess once the tripwire has sprung.
	if guesses > 1000+200 || refused < 18_000 {
		t.Errorf("%d guesses were answered, %d refused", guesses, refused)
	}
}

func TestThrottledPageSaysWhen(t *testing.T) {
	s := open(t)
	var a webtest.Answer
	for range 21 {
		code, _ := tesdiq.NewCode(rand.Reader)
		a = s.Post("/check", form(code.String(), "other"))
	}
	if a.Status != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	mustHave(t, a, "saniyədən sonra yenidən cəhd edin", `name="code"`)
	s.clock.pass(time.Minute)
	s.check(s.Browser, form(s.contract.Code.String(), "other"))
}

// S22, S25: neither codes nor people are in the log.
func TestTheLogHasNoCodes(t *testing.T) {
	s := open(t)
	code := s.contract.Code
	clerk := s.as(aysel, true)
	values := form(code.String(), "credit")
	values.Set("note", "GIZLI-17")
	s.check(clerk, values)
	clerk.Get("/v/" + code.String())
	clerk.Post("/v/"+code.String(), url.Values{"purpose": {"credit"}})
	clerk.Post("/check?code="+code.String(), form("7K2M-9QXA-4TRC-W8HN-4", "credit"))
	s.upload(clerk, "x.pdf", "application/pdf", s.contract.File, url.Values{"purpose": {"credit"}})
	log := s.log.String()
	if !strings.Contains(log, "/v/{code}") {
		t.Fatal("the log has no line of the route")
	}
	for _, secret := range []string{string(code), code.String(), "7K2M", string(aysel), string(nermin), "Aysel", "GIZLI", verifierdbtest.Name} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

func TestEveryPageInEveryLanguage(t *testing.T) {
	s := open(t)
	subject, clerk, boss := s.as(nermin, false), s.as(aysel, true), s.as(manager, true)
	a := clerk.Post("/check", form(s.contract.Code.String(), "credit"))
	answer := a.Header.Get("Location")
	for _, lang := range tesdiq.Langs {
		for path, b := range map[string]*webtest.Browser{
			"/check": s.Browser, "/v/" + s.contract.Code.String(): s.Browser, "/developers": s.Browser, answer: clerk,
			"/cabinet/checks-of-mine": subject, "/cabinet/checked-by-me": boss, "/cabinet/checks-of-mine?kind=contract": subject,
		} {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			a := b.Get(path + sep + "lang=" + string(lang))
			if a.Status != http.StatusOK {
				t.Errorf("%s in %s: %d", path, lang, a.Status)
			}
			mustNotHave(t, a, "verifier.", "problem.", "<no value>")
		}
	}
	for _, v := range verifier.Reasons {
		for _, end := range []string{".text", ".next"} {
			if !s.has("verifier.reason." + string(v) + end) {
				t.Errorf("no words for %s%s", v, end)
			}
		}
	}
}

// Spreadsheets in Azerbaijani and Russian divide cells at semicolons, whatever the commas say.
func TestANoteWithSemicolonsIsNoFormula(t *testing.T) {
	s := open(t)
	clerk := s.as(aysel, true)
	for _, note := range []string{"a;=1+1;b", "a; +1", ";@x", "a;b-c", "1;-1;=2"} {
		f := form(s.contract.Code.String(), "credit")
		f.Set("note", note)
		s.check(clerk, f)
	}
	list := s.as(nermin, false).Get("/cabinet/checks-of-mine.csv")
	for line := range strings.SplitSeq(list.Body, "\r\n") {
		for cell := range strings.SplitSeq(line, ";") {
			if cell = strings.Trim(cell, " \""); cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
				t.Errorf("the cell %q is a formula", cell)
			}
		}
	}
	for _, want := range []string{"a;'=1+1;b", "a;b-c", "1;'-1;'=2"} {
		if !strings.Contains(list.Body, want) {
			t.Errorf("no %s in %s", want, list.Body)
		}
	}
}

var formKeyPattern = regexp.MustCompile(`action="(/[^"?]+\?key=[0-9A-Z]{26})"`)

// A double click, or the same form once more after its answer was lost, is one check; another question by the same form
// is another.
func TestAFormSentTwiceIsOneCheck(t *testing.T) {
	s := open(t)
	for who, b := range map[string]*webtest.Browser{"nobody": s.as("", false), "a person": s.as(manager, false), "a clerk": s.as(aysel, true)} {
		for _, page := range []string{"/check", "/v/" + s.contract.Code.String()} {
			found := formKeyPattern.FindStringSubmatch(b.Get(page).Body)
			if found == nil {
				t.Fatalf("%s, %s: the form has no key", who, page)
			}
			before := s.checks()
			var first string
			for range 3 {
				a := b.Post(found[1], form(s.contract.Code.String(), "credit"))
				if first == "" {
					first = a.Header.Get("Location")
				}
				if a.Status != http.StatusSeeOther || a.Header.Get("Location") != first {
					t.Errorf("%s, %s: %d %s, first %s", who, page, a.Status, a.Header.Get("Location"), first)
				}
				s.read(b, a)
			}
			if n := s.checks() - before; n != 1 {
				t.Errorf("%s, %s: %d checks", who, page, n)
			}
			if a := b.Post(found[1], form(s.contract.Code.String(), "court")); a.Header.Get("Location") == first {
				t.Errorf("%s, %s: for another purpose the same check", who, page)
			}
		}
	}
	if lines, checks := s.ID("SELECT count(*) FROM ledger_lines WHERE kind = 'check'"), s.checks(); lines != checks {
		t.Errorf("%d lines, %d checks", lines, checks)
	}
}

// Neither of two clicks waits for the other: the second comes from a browser that has no cookie yet.
func TestTheFirstFormSentTwiceAtOnceIsOneCheck(t *testing.T) {
	s := open(t)
	action := formKeyPattern.FindStringSubmatch(s.Get("/check").Body)[1]
	locations := make(chan string, 8)
	for range cap(locations) {
		go func() {
			b := webtest.Another(t, s.Server)
			a := b.Post(action, form(s.contract.Code.String(), "credit"))
			locations <- a.Header.Get("Location") + " " + fmt.Sprint(b.Get(a.Header.Get("Location")).Status)
		}()
	}
	first := <-locations
	for range cap(locations) - 1 {
		if other := <-locations; other != first || !strings.HasSuffix(first, " 200") {
			t.Errorf("%s and %s", first, other)
		}
	}
	if n := s.checks(); n != 1 {
		t.Errorf("%d checks", n)
	}
	// The key is worth nothing to somebody else who asks something else, or as somebody.
	if a := s.as(aysel, true).Post(action, form(s.contract.Code.String(), "credit")); a.Status != http.StatusSeeOther || s.checks() != 2 {
		t.Errorf("a clerk with the same key: %d, %d checks", a.Status, s.checks())
	}
}

// What is refused before it is read leaves a form to go on with.
func TestTooLargeAFileLeavesTheForm(t *testing.T) {
	s := open(t)
	a := s.upload(s.Browser, "x.pdf", "application/pdf", make([]byte, verifier.MaxFile+1<<20), url.Values{"purpose": {"credit"}})
	if a.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", a.Status)
	}
	mustHave(t, a, "20 MB", `href="#file"`, `name="code"`)
	long := form(strings.Repeat("7", 5000), "credit")
	for _, field := range []string{"code", "note"} {
		values := url.Values{field: {long.Get("code")}}
		if a := s.upload(s.as(aysel, true), "", "application/pdf", nil, values); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `href="#`+field+`"`) {
			t.Errorf("5 KB in %s: %d %s", field, a.Status, text(a.Body))
		}
	}
	if n := s.checks(); n != 0 {
		t.Errorf("%d checks", n)
	}
}
