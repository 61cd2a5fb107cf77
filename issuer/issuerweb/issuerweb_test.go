package issuerweb_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/issuer/issuerweb"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/web/webtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var today = tesdiq.NewDate(2026, 11, 21)

func morning() time.Time { return today.Start().Add(14 * time.Hour) }

// town is the cast with the real pages, database and signer.
type town struct {
	t          *testing.T
	db         *pgtest.DB
	cabinet    *issuerdb.Cabinet
	books      registrydb.Reader
	browser    *webtest.Browser
	dispatcher *issuerdb.Dispatcher
}

func newTown(t *testing.T) *town {
	t.Helper()
	db := pgtest.Open(t)
	if _, err := registrydb.Load(t.Context(), db.Pool(postgres.Registry), people.Generate(1, 0, today), rand.Reader, nil); err != nil {
		t.Fatal(err)
	}
	set, err := signer.NewThrowaway(rand.Reader, today.Start())
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	town := &town{t: t, db: db, books: registrydb.Reader{Pool: db.Pool(postgres.Cabinet)}}
	town.cabinet = &issuerdb.Cabinet{Pool: db.Pool(postgres.Cabinet), Kinds: all.Kinds, Now: morning, Rand: rand.Reader, Log: quiet}
	town.dispatcher = &issuerdb.Dispatcher{
		Pool: db.Pool(postgres.Issuer), Now: morning, Rand: rand.Reader, Log: quiet, Lease: 20 * time.Millisecond, Poll: 20 * time.Millisecond,
		Maker: &issuer.Maker{Kinds: all.Kinds, Origin: "https://tesdiq.example", Signer: pen{set.PDFSigner(rand.Reader)}, Roots: roots, Now: morning, Rand: rand.Reader},
	}
	shell := webtest.Shell(t) // sessions end by the real clock, whatever day the pages show
	pages := &issuerweb.Web{
		Shell: shell, Desk: town.cabinet, Archive: town.cabinet, Kinds: all.Kinds, Host: "tesdiq.example", Now: morning, Rand: rand.Reader,
	}
	if err := pages.Prepare(); err != nil {
		t.Fatal(err)
	}
	town.browser = webtest.Open(t, shell, pages.Routes)
	return town
}

type pen struct{ *signer.PDFSigner }

func (p pen) Sign(ctx context.Context, pdf []byte, at time.Time) ([]byte, time.Time, error) {
	return p.PDFSigner.SignUntil(ctx, pdf, at, signer.SignInfo{})
}

// work runs the issuing process until the returned function is called.
func (w *town) work() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.dispatcher.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	running.Go(func() {
		if err := w.cabinet.Listen(ctx); err != nil {
			w.t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(stop)
	return stop
}

func (w *town) examination(key string) examination.Entry {
	w.t.Helper()
	es, err := w.books.Examinations(w.t.Context(), people.Who(key).FIN)
	if err != nil || len(es) == 0 {
		w.t.Fatalf("%s has no examination: %v", key, err)
	}
	return es[0]
}

func (w *town) contract(key string) string {
	w.t.Helper()
	cs, err := w.books.Contracts(w.t.Context(), people.Who(key).FIN)
	if err != nil || len(cs) == 0 {
		w.t.Fatalf("%s has no contract: %v", key, err)
	}
	return cs[0].Head.Number
}

func (w *town) get(path string, status int) string {
	w.t.Helper()
	a := w.browser.Get(path)
	if a.Status != status {
		w.t.Fatalf("GET %s: %d, want %d\n%s", path, a.Status, status, a.Body)
	}
	return a.Body
}

var keyPattern = regexp.MustCompile(`name="key" value="([^"]+)"`)

// form opens the form, whose address gets a key.
func (w *town) form(kind, number string) string {
	w.t.Helper()
	a := w.browser.Get("/cabinet/excerpts/new?" + url.Values{"kind": {kind}, "number": {number}}.Encode())
	if a.Status != http.StatusSeeOther {
		w.t.Fatalf("the form: %d\n%s", a.Status, a.Body)
	}
	return w.get(a.Header.Get("Location"), http.StatusOK)
}

// filled is the form as a person fills it in.
func (w *town) filled(kind, number string) url.Values {
	w.t.Helper()
	page := w.form(kind, number)
	key := keyPattern.FindStringSubmatch(page)
	if key == nil {
		w.t.Fatalf("no key in the form\n%s", page)
	}
	return url.Values{"key": {key[1]}, "kind": {kind}, "number": {number}, "lang": {"az"}, "validity": {"30"}}
}

// draw asks for an excerpt and returns the address of its page.
func (w *town) draw(kind, number string, change func(url.Values)) string {
	w.t.Helper()
	form := w.filled(kind, number)
	if change != nil {
		change(form)
	}
	a := w.browser.Post("/cabinet/excerpts", form)
	if a.Status != http.StatusSeeOther {
		w.t.Fatalf("POST: %d\n%s", a.Status, a.Body)
	}
	return a.Header.Get("Location")
}

func (w *town) shows(page string, texts ...string) {
	w.t.Helper()
	for _, s := range texts {
		if !strings.Contains(html.UnescapeString(page), s) {
			w.t.Errorf("the page does not show %q\n%s", s, page)
		}
	}
}

func TestACitizenDrawsAnExcerptAndTakesItBack(t *testing.T) {
	w := newTown(t)
	w.work()
	w.browser.SignIn(people.Who("nermin").FIN)
	w.shows(w.get("/cabinet/excerpts", 200), "Burada hələ çıxarış yoxdur.")
	number := w.examination("nermin").Head.Number
	path := w.draw("examination", number, func(f url.Values) { f.Set("recipient", "Nümunə Bank"); f.Set("purpose", "kredit <b>") })

	page := w.get(path, 200)
	w.shows(page, "qüvvədədir", "21.12.2026", "PDF faylını endir", "Nümunə Bank", "kredit <b>", "hələ yox", "tesdiq.example")
	if groups := regexp.MustCompile(`<span>([0-9A-Z]{4})</span>`).FindAllString(page, -1); len(groups) != 4 {
		t.Errorf("the code stands in %d groups", len(groups))
	}
	file := w.browser.Get(path + "/pdf")
	var sum []byte
	var stored []byte
	if err := w.db.Admin.QueryRow(t.Context(), `SELECT sha256, bytes FROM excerpt_files`).Scan(&sum, &stored); err != nil {
		t.Fatal(err)
	}
	if file.Status != 200 || file.Body != string(stored) || sha256.Sum256([]byte(file.Body)) != [32]byte(sum) {
		t.Error("the file is not what was stored, byte for byte")
	}
	name := strings.TrimPrefix(path, "/cabinet/excerpts/")
	for k, v := range map[string]string{
		"Content-Type": "application/pdf", "Content-Disposition": `attachment; filename="tesdiq-` + name + `.pdf"`,
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "ETag": `"` + hex.EncodeToString(sum) + `"`,
	} {
		if got := file.Header.Get(k); got != v {
			t.Errorf("%s: %q, want %q", k, got, v)
		}
	}
	w.shows(w.get("/cabinet/excerpts", 200), name, "Nümunə Bank, kredit <b>", "qüvvədədir")

	w.shows(w.get(path+"/withdraw", 200), "Çıxarışı geri götürmək istəyirsiniz?")
	for range 2 {
		if a := w.browser.Post(path+"/withdraw", nil); a.Status != http.StatusSeeOther || a.Header.Get("Location") != path {
			t.Fatalf("withdraw: %d", a.Status)
		}
	}
	w.shows(w.get(path, 200), "geri götürülüb")
	if a := w.browser.Get(path + "/withdraw"); a.Status != http.StatusSeeOther {
		t.Errorf("asking again whether to withdraw: %d", a.Status)
	}
}

func TestADoubleClickGivesOneExcerpt(t *testing.T) {
	w := newTown(t)
	w.work()
	w.browser.SignIn(people.Who("nermin").FIN)
	form := w.filled("examination", w.examination("nermin").Head.Number)
	first := w.browser.Post("/cabinet/excerpts", form).Header.Get("Location")
	if second := w.browser.Post("/cabinet/excerpts", form).Header.Get("Location"); second != first || first == "" {
		t.Errorf("%q, then %q", first, second)
	}
}

// Whoever comes back to the form because the answer was lost finds the same key there.
func TestComingBackToTheFormAsksForTheSame(t *testing.T) {
	w := newTown(t)
	w.browser.SignIn(people.Who("nermin").FIN)
	opened := w.browser.Get("/cabinet/excerpts/new?kind=examination&number=" + w.examination("nermin").Head.Number)
	address := opened.Header.Get("Location")
	first, second := keyPattern.FindString(w.get(address, http.StatusOK)), keyPattern.FindString(w.get(address, http.StatusOK))
	if first == "" || second != first {
		t.Errorf("%q, then %q", first, second)
	}
	if again := w.browser.Get("/cabinet/excerpts/new?kind=examination&number=" + w.examination("nermin").Head.Number).Header.Get("Location"); again == address {
		t.Error("another form has the same key")
	}
}

func TestWhileItIsBeingMade(t *testing.T) {
	w := newTown(t) // nobody works
	w.browser.SignIn(people.Who("nermin").FIN)
	began := time.Now()
	path := w.draw("examination", w.examination("nermin").Head.Number, nil)
	if took := time.Since(began); took > 20*time.Second { // patience and a busy machine's delays; without an end of its own it would wait for ever
		t.Errorf("the form took %s", took)
	}
	a := w.browser.Get(path)
	w.shows(a.Body, "hazırlanır", "Səhifəni yenilə")
	if a.Header.Get("Refresh") == "" {
		t.Error("the page does not refresh")
	}
	if a := w.browser.Get(path + "/pdf"); a.Status != http.StatusNotFound {
		t.Errorf("a file of what is not made: %d", a.Status)
	}
}

// Everything wrong with a form is told at its field, and nothing typed is lost.
func TestABadFormComesBackFilled(t *testing.T) {
	w := newTown(t)
	w.browser.SignIn(people.Who("nermin").FIN)
	long := strings.Repeat("ə", 101)
	a := w.browser.Post("/cabinet/excerpts", url.Values{
		"kind": {"examination"}, "number": {w.examination("nermin").Head.Number}, "lang": {"xx"}, "validity": {"1000"}, "recipient": {long}, "purpose": {"a\u202eb"},
	})
	if a.Status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d", a.Status)
	}
	w.shows(a.Body, long, "U+202E", "101", "Forma köhnəlib")
	for _, field := range []string{"lang", "validity", "recipient", "purpose"} {
		if !strings.Contains(a.Body, `href="#`+field+`"`) || !strings.Contains(a.Body, `id="`+field+`"`) {
			t.Errorf("the summary does not lead to %s", field)
		}
	}
	if !keyPattern.MatchString(a.Body) {
		t.Error("the form has no new key")
	}
}

// S14: what people type and are called is inert in pages; a formula is text.
func TestInjectionIsInert(t *testing.T) {
	w := newTown(t)
	w.work()
	w.browser.SignIn(people.Who("nermin").FIN)
	evil := `"><script>alert(1)</script>{{.}}=HYPERLINK("x")`
	path := w.draw("examination", w.examination("nermin").Head.Number, func(f url.Values) { f.Set("recipient", evil) })
	for _, p := range []string{path, "/cabinet/excerpts"} {
		page := w.get(p, 200)
		if strings.Contains(page, "<script") {
			t.Errorf("%s: mark-up came through", p)
		}
		w.shows(page, evil)
	}
}

func TestWhatCannotBeDrawnSaysWhereToGoOn(t *testing.T) {
	w := newTown(t)
	w.browser.SignIn(people.Who("nermin").FIN)
	e := w.examination("nermin")
	old := e.Head.Number
	writer := registrydb.Writer{Pool: w.db.Pool(postgres.Registry), Now: morning, Rand: rand.Reader}
	next := e.Examination
	next.Number, next.ExaminedOn, next.Repeat = "M-2026-999999", today, true
	next.From, next.Until, next.NextFrom = today, today.AddYears(2), today.AddYears(2).AddMonths(-2)
	if next.Cause == "" || next.Outcome != examination.Disability {
		t.Fatalf("nermin's examination has changed: %+v", next)
	}
	if e.Until.IsZero() {
		next.Until, next.NextFrom = tesdiq.Date{}, tesdiq.Date{}
	}
	if _, _, err := writer.Enter(t.Context(), registry.Change{Act: registry.Append, Body: next, By: "test"}); err != nil {
		t.Fatal(err)
	}
	page := w.get("/cabinet/excerpts/new?kind=examination&number="+old, http.StatusConflict)
	w.shows(page, "M-2026-999999")
	if !strings.Contains(page, `href="/cabinet/examinations/M-2026-999999"`) {
		t.Error("no link to the entry that holds")
	}
}

// S13: every route with somebody else's excerpt or entry answers as with none; nobody signed in gets nowhere.
func TestOthersExcerptsAreNotThere(t *testing.T) {
	w := newTown(t)
	w.work()
	w.browser.SignIn(people.Who("nermin").FIN)
	number := w.examination("nermin").Head.Number
	path := w.draw("examination", number, nil)
	theirs := strings.TrimPrefix(path, "/cabinet/excerpts/")
	mask := func(body, id string) string { return strings.ReplaceAll(body, id, "ID") }

	stranger := webtest.Another(t, w.browser.Server)
	stranger.SignIn(people.Who("oqtay").FIN)
	for _, suffix := range []string{"", "/pdf", "/withdraw"} {
		foreign, none := stranger.Get("/cabinet/excerpts/"+theirs+suffix), stranger.Get("/cabinet/excerpts/E-2026-9999999"+suffix)
		if foreign.Status != http.StatusNotFound || none.Status != foreign.Status || mask(foreign.Body, theirs) != mask(none.Body, "E-2026-9999999") {
			t.Errorf("GET %s: %d and %d", suffix, foreign.Status, none.Status)
		}
	}
	foreign, none := stranger.Post(path+"/withdraw", nil), stranger.Post("/cabinet/excerpts/E-2026-9999999/withdraw", nil)
	if foreign.Status != http.StatusNotFound || none.Status != foreign.Status || mask(foreign.Body, theirs) != mask(none.Body, "E-2026-9999999") {
		t.Errorf("POST withdraw: %d and %d", foreign.Status, none.Status)
	}
	for _, n := range []string{number, "M-2026-999998"} {
		if a := stranger.Get("/cabinet/excerpts/new?kind=examination&number=" + n); a.Status != http.StatusNotFound {
			t.Errorf("form for %s: %d", n, a.Status)
		}
		if a := stranger.Post("/cabinet/excerpts", url.Values{"key": {"k"}, "kind": {"examination"}, "number": {n}, "lang": {"az"}, "validity": {"30"}}); a.Status != http.StatusNotFound {
			t.Errorf("request for %s: %d", n, a.Status)
		}
	}
	if body := stranger.Get("/cabinet/excerpts").Body; strings.Contains(body, theirs) {
		t.Error("in a stranger's history")
	}
	for _, bad := range []string{"/cabinet/excerpts/x", "/cabinet/excerpts/E-2026-1", "/cabinet/excerpts/..%2f", "/cabinet/excerpts?kind=award", "/cabinet/excerpts?before=-1", "/cabinet/excerpts?before=x", "/cabinet/excerpts/new"} {
		if a := stranger.Get(bad); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", bad, a.Status)
		}
	}

	nobody := webtest.Another(t, w.browser.Server)
	for _, suffix := range []string{"", "/pdf", "/withdraw"} {
		if a := nobody.Get(path + suffix); a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/signin") {
			t.Errorf("not signed in, GET %s: %d", suffix, a.Status)
		}
	}
	for _, p := range []string{path + "/withdraw", "/cabinet/excerpts"} {
		if a := nobody.Post(p, nil); a.Status != http.StatusUnauthorized {
			t.Errorf("not signed in, POST %s: %d", p, a.Status)
		}
	}
}

// Every page in every language and state, without a key that no file has.
func TestEveryStateInEveryLanguage(t *testing.T) {
	w := newTown(t)
	stop := w.work()
	actor := people.Who("nermin")
	w.browser.SignIn(actor.FIN)
	number := w.examination("nermin").Head.Number
	drawn := func() string { return w.draw("examination", number, nil) }
	pages := map[string]string{"in_force": drawn(), "withdrawn": drawn(), "revoked": drawn(), "expired": drawn()}
	w.browser.Post(pages["withdrawn"]+"/withdraw", nil)
	w.exec(`INSERT INTO revocations SELECT id, 'Səhvən verilib', 'operator', $2 FROM excerpts WHERE '/cabinet/excerpts/' || number = $1`, pages["revoked"], morning())
	w.exec(`UPDATE intents SET valid_until = $2 WHERE '/cabinet/excerpts/' || number = $1`, pages["expired"], today.AddDays(-1))
	stop()
	asked := func(key string) string {
		n, err := w.cabinet.Ask(t.Context(), actor.FIN, issuer.Request{Key: key, Kind: "examination", Entry: number, Lang: tesdiq.Az, Validity: issuer.Days30})
		if err != nil {
			t.Fatal(err)
		}
		return "/cabinet/excerpts/" + string(n)
	}
	pages["making"] = asked("making")
	for _, reason := range []issuer.VoidReason{issuer.NotCurrent, issuer.Unprintable, issuer.Failed} {
		pages["void "+string(reason)] = asked(string(reason))
		w.exec(`INSERT INTO voids SELECT id, $2, $3 FROM intents WHERE '/cabinet/excerpts/' || number = $1`, pages["void "+string(reason)], reason, morning())
	}
	pages["history"], pages["filtered"], pages["none of it"] = "/cabinet/excerpts", "/cabinet/excerpts?kind=examination", "/cabinet/excerpts?kind=contract"
	key26 := "&key=" + strings.Repeat("K", issuer.KeyLength)
	pages["form"] = "/cabinet/excerpts/new?kind=examination&number=" + number + key26
	pages["form with salary"] = "/cabinet/excerpts/new?kind=contract&number=" + w.contract("nermin") + key26
	pages["withdraw"] = pages["in_force"] + "/withdraw"
	key := regexp.MustCompile(`(issuer|problem|web)\.[a-z_]+[a-z_.]*`)
	for name, path := range pages {
		seen := map[string]bool{}
		for _, lang := range tesdiq.Langs {
			sep := "?"
			if strings.Contains(path, "?") {
				sep = "&"
			}
			a := w.browser.Get(path + sep + "lang=" + string(lang))
			if a.Status == http.StatusSeeOther { // the choice of language is kept, then the page is asked for again
				a = w.browser.Get(path)
			}
			if a.Status != 200 {
				t.Fatalf("%s in %s: %d\n%s", name, lang, a.Status, a.Body)
			}
			if k := key.FindString(a.Body); k != "" {
				t.Errorf("%s in %s shows the key %s", name, lang, k)
			}
			if !strings.Contains(a.Body, fmt.Sprintf(`<html lang="%s"`, lang)) {
				t.Errorf("%s is not in %s", name, lang)
			}
			main := a.Body[strings.Index(a.Body, "<main"):]
			if seen[main] {
				t.Errorf("%s says the same in two languages", name)
			}
			seen[main] = true
			if strings.Contains(main, "style=") || strings.Contains(main, "<no value>") {
				t.Errorf("%s in %s: style or missing value", name, lang)
			}
		}
	}
}

func TestTheHistoryIsPaged(t *testing.T) {
	w := newTown(t)
	w.browser.SignIn(people.Who("nermin").FIN)
	number := w.examination("nermin").Head.Number
	for i := range 51 {
		if _, err := w.cabinet.Ask(t.Context(), people.Who("nermin").FIN, issuer.Request{
			Key: fmt.Sprint(i), Kind: "examination", Entry: number, Lang: tesdiq.Az, Validity: issuer.Days30,
		}); err != nil {
			t.Fatal(err)
		}
	}
	page := w.get("/cabinet/excerpts", 200)
	if n := strings.Count(page, "<tr><td"); n != 50 {
		t.Errorf("%d rows", n)
	}
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(page)
	if next == nil {
		t.Fatal("no next page")
	}
	page = w.get(html.UnescapeString(next[1]), 200)
	if n := strings.Count(page, "<tr><td"); n != 1 || strings.Contains(page, `rel="next"`) {
		t.Errorf("second page: %d rows", n)
	}
	w.shows(page, "Ən yeniləri", "E-2026-0000001")
}

func (w *town) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Admin.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}
