package tserasdb_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet/cabinetdb"
	"github.com/tesdiq/tesdiq/cabinet/cabinetweb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasweb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/signin"
	"github.com/tesdiq/tesdiq/web/signin/demoprovider"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// site is the members' pages over a world, with a provider that lets any member be picked.
type site struct {
	*world
	server *httptest.Server
	shell  *web.Shell
}

func (w *world) site() *site {
	w.Helper()
	shell := webtest.Shell(w.T, func(c *web.Config) { c.Now = w.now })
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	w.Cleanup(srv.Close)
	var all []demoprovider.Person
	for c := range commissions {
		for m := range 4 {
			all = append(all, demoprovider.Person{FIN: memberFIN(c+1, m+1), Name: tesdiq.Name{Surname: "Nümunəvi", Given: "Həkim", Father: "Əli"}, Sex: tesdiq.Female})
		}
	}
	all = append(all, demoprovider.Person{FIN: people.Who("nermin").FIN, Name: people.Who("nermin").Name, Sex: tesdiq.Female})
	p, err := demoprovider.New(shell, demoprovider.Config{Address: srv.URL, ClientID: "tesdiq", Secret: "secret",
		RedirectURLs: []string{srv.URL + "/signin/callback"}, PostLogoutURLs: []string{srv.URL + "/signin/out"}, People: all})
	w.must(err)
	in, err := signin.New(shell, signin.Config{Issuer: p.Issuer(), ClientID: "tesdiq", Secret: "secret", RedirectURL: srv.URL + "/signin/callback"}, nil)
	w.must(err)
	pages := &tserasweb.Commission{Shell: shell, Bench: w.bench, Confirmer: in, Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now}
	w.must(pages.Prepare())
	draws := &tserasweb.Draws{Shell: shell, Rounds: w.rounds}
	w.must(draws.Prepare())
	person := &tserasweb.Person{Shell: shell, Desk: w.desk, Answers: w.log, Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now, Rand: rand.Reader}
	w.must(person.Prepare())
	roles := cabinetdb.DB{Pool: w.db.Pool(postgres.Cabinet)}
	home := &cabinetweb.Web{Shell: shell, Homes: roles, Messages: roles, Roles: roles, Contacts: roles, Now: w.now}
	w.must(home.Prepare())
	handler = shell.Router(in.Routes, p.Routes, pages.Routes, draws.Routes, person.Routes, home.Routes)
	return &site{w, srv, shell}
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// reader is a browser that remembers all that it was sent.
type reader struct {
	*webtest.Browser
	s    *site
	fin  tesdiq.FIN
	seen strings.Builder
}

func (m *reader) keep(a webtest.Answer) webtest.Answer {
	m.seen.WriteString(a.Body)
	for k, v := range a.Header {
		m.seen.WriteString(k + strings.Join(v, " "))
	}
	return a
}

func (m *reader) get(path string) webtest.Answer { return m.keep(m.Get(path)) }
func (m *reader) post(path string, f url.Values) webtest.Answer {
	return m.keep(m.Post(path, f))
}

// provider goes to the provider, picks somebody and comes back.
func (m *reader) provider(a webtest.Answer, fin tesdiq.FIN) webtest.Answer {
	m.s.Helper()
	local := func(a webtest.Answer) string {
		if a.Status != http.StatusSeeOther {
			m.s.Fatalf("no redirect but %d: %s", a.Status, a.Body)
		}
		return strings.TrimPrefix(a.Header.Get("Location"), m.s.server.URL)
	}
	page := m.Get(local(a)) // the provider's own page lists people of the demonstration; it is not ours to scan
	form := url.Values{"person": {string(fin)}, "method": {"e-signature"}}
	for _, f := range hiddenField.FindAllStringSubmatch(page.Body, -1) {
		form.Set(f[1], html.UnescapeString(f[2]))
	}
	return m.keep(m.Get(local(m.Post("/demo-provider/authorize", form))))
}

func (s *site) signedIn(fin tesdiq.FIN) *reader {
	s.Helper()
	m := &reader{Browser: webtest.Another(s.T, s.server), s: s, fin: fin}
	if a := m.provider(m.Get("/signin?to=/commission"), fin); a.Header.Get("Location") != "/commission" {
		s.Fatalf("sign in: %d %s", a.Status, a.Body)
	}
	return m
}

// typed is the form of findings(criterion, grade).
func typed(criterion, grade string) url.Values {
	v := url.Values{"do": {"save"}, "criterion": {criterion}, "grade-" + criterion: {grade}}
	limit := map[string]string{"1": "none", "2": "I", "3": "II", "4": "III"}[grade]
	for _, name := range criteria.ActivityNames {
		v.Set("activity-"+name, "none")
	}
	for _, name := range []string{"self_care", "movement", "work"} {
		v.Set("activity-"+name, limit)
	}
	return v
}

// drawnFor refers Nərmin, lets a commission be drawn, and signs its members in.
func (s *site) drawnFor() (number string, path string, all map[tseras.Role][]*reader) {
	s.Helper()
	c, err := s.desk.Refer(s.Context(), s.from, s.referral("nermin"), "signed")
	s.must(err)
	s.work()
	s.work()
	all = map[tseras.Role][]*reader{}
	for fin, seat := range s.seats("") {
		path = "/commission/" + string(seat.Number)
		all[seat.Role] = append(all[seat.Role], s.signedIn(fin))
	}
	return c.Number, path, all
}

func TestMembersRecordAndSign(t *testing.T) {
	s := newWorld(t).site()
	number, path, all := s.drawnFor()
	members := append(all[tseras.Chair], all[tseras.Member]...)
	if len(members) != 3 {
		t.Fatalf("%d members", len(members))
	}
	for i, m := range members {
		for _, lang := range tesdiq.Langs {
			if a := m.get("/commission?lang=" + string(lang)); a.Status != http.StatusOK || !strings.Contains(a.Body, path) {
				t.Fatalf("list: %d %s", a.Status, a.Body)
			}
			a := m.get(path + "?lang=" + string(lang))
			if a.Status != http.StatusOK || !strings.Contains(a.Body, "M05.8") || strings.Contains(a.Body, "tseras-commission.") || strings.Contains(a.Body, "criteria.") {
				t.Fatalf("case: %d %s", a.Status, a.Body)
			}
		}
		m.get(path + "?lang=az")
		// What was typed stays, and what is wrong stands at its field.
		half := typed("joints-rheumatoid", "")
		half.Set("activity-learning", "")
		if a := m.post(path+"/findings", half); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `id="grade-joints-rheumatoid-why"`) || !strings.Contains(a.Body, "checked") {
			t.Errorf("no grade: %d %s", a.Status, a.Body)
		}
		half = typed("joints-rheumatoid", "3")
		half.Set("activity-learning", "")
		if a := m.post(path+"/findings", half); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `id="activity-learning-why"`) {
			t.Errorf("an activity is missing: %d %s", a.Status, a.Body)
		}
		half.Set("do", "add")
		half.Set("add", "heart-failure-nobody-has")
		if a := m.post(path+"/findings", half); a.Status != http.StatusOK || strings.Count(a.Body, `name="criterion"`) != 2 {
			t.Errorf("add: %d %s", a.Status, a.Body)
		}
		half.Set("do", "remove:joints-rheumatoid")
		half.Del("add")
		if a := m.post(path+"/findings", half); a.Status != http.StatusOK || strings.Contains(a.Body, `name="criterion"`) {
			t.Errorf("remove: %d", a.Status)
		}
		if a := m.post(path+"/sign", nil); a.Status != http.StatusConflict {
			t.Errorf("signs before there is a result: %d", a.Status)
		}
		if i == 0 {
			if a := m.post(path+"/extend", url.Values{"longer": {""}}); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `id="longer-why"`) {
				t.Errorf("longer term without a reason: %d %s", a.Status, a.Body)
			}
			if a := m.post(path+"/extend", url.Values{"longer": {"Əlavə sınaq gözlənilir"}}); a.Status != http.StatusSeeOther {
				t.Errorf("longer term: %d %s", a.Status, a.Body)
			}
		} else if a := m.post(path+"/extend", url.Values{"longer": {"Əlavə sınaq"}}); a.Status != http.StatusForbidden {
			t.Errorf("a member asks for the longer term: %d", a.Status)
		}
		// R20: sent many times at once, it is recorded once.
		var once sync.WaitGroup
		answers := make([]webtest.Answer, 5)
		for n := range answers {
			once.Go(func() { answers[n] = m.Post(path+"/findings", typed("joints-rheumatoid", "3")) })
		}
		once.Wait()
		for _, a := range answers { // each click ends on the same page
			if m.keep(a); a.Status != http.StatusSeeOther || a.Header.Get("Location") != path {
				t.Errorf("record: %d %s", a.Status, a.Body)
			}
		}
	}
	s.work()
	s.expect(people.Who("nermin").FIN, number, tseras.Signing)
	for i, m := range members {
		if a := m.get(path); a.Status != http.StatusOK || !strings.Contains(a.Body, `id="result"`) {
			t.Fatalf("result: %d %s", a.Status, a.Body)
		}
		if a := m.get(path + "/signed"); a.Status != http.StatusSeeOther {
			t.Errorf("back without a proof: %d", a.Status)
		}
		if i == 1 {
			// S20: whoever else confirms at the provider, nothing is signed.
			if a := m.provider(m.post(path+"/sign", nil), members[0].fin); a.Status != http.StatusForbidden {
				t.Errorf("another person confirms: %d %s", a.Status, a.Body)
			}
			m.get(path + "/signed")
		}
		if s.signed(m.fin) {
			t.Fatal("signed without a confirmation")
		}
		back := m.provider(m.post(path+"/sign", nil), m.fin)
		for range 2 {
			if a := m.get(back.Header.Get("Location")); a.Status != http.StatusSeeOther || a.Header.Get("Location") != path {
				t.Errorf("signed: %d %s", a.Status, a.Body)
			}
		}
		if !s.signed(m.fin) {
			t.Fatalf("%s has not signed", m.fin)
		}
		if a := m.post(path+"/refuse", url.Values{"reason": {"Fikrimi dəyişdim"}}); a.Status != http.StatusConflict {
			t.Errorf("refuses what he has signed: %d", a.Status)
		}
	}
	s.work()
	shown := s.expect(people.Who("nermin").FIN, number, tseras.Decided)
	pack, err := criteria.ReadPackage(shown.Package)
	s.must(err)
	if len(pack.Signatures) != 3 || strings.Count(string(pack.Signatures[0].Bytes), ".") != 2 {
		t.Errorf("signatures: %+v", pack.Signatures)
	}
	s.nothingOf("nermin", members)
}

// signed says whether a member has signed what was proposed last.
func (s *site) signed(fin tesdiq.FIN) bool {
	return s.seats("")[fin].Signed
}

// Nobody types a percentage, a degree or a term: whatever else a form sends is not read.
func TestWhatAFormAddsToTheFindingsChangesNothing(t *testing.T) {
	s := newWorld(t).site()
	_, path, all := s.drawnFor()
	for i, m := range append(all[tseras.Chair], all[tseras.Member]...) {
		f := typed("joints-rheumatoid", "2")
		if i != 1 {
			for name, value := range map[string]string{"loss": "80", "term": "indefinite", "degree": "I", "band": "81-100", "cause": "work_injury", "outcome": "disability", "until": "", "percent": "80"} {
				f.Set(name, value)
			}
		}
		if a := m.post(path+"/findings", f); a.Status != http.StatusSeeOther {
			t.Fatalf("record: %d %s", a.Status, a.Body)
		}
	}
	s.work()
	var same int
	var text []byte
	s.must(s.db.Admin.QueryRow(t.Context(), `SELECT count(DISTINCT findings) FROM tseras_findings`).Scan(&same))
	s.must(s.db.Admin.QueryRow(t.Context(), `SELECT result FROM tseras_proposals`).Scan(&text))
	var r tseras.BlindResult
	s.must(json.Unmarshal(text, &r))
	if same != 1 || r.Loss == 0 || r.Loss == 80 || r.Band == "81-100" || r.Degree != "" || r.Term == "indefinite" || r.Cause == "work_injury" {
		t.Errorf("%d different findings; %s", same, text)
	}
}

func TestARefusalNeedsAReasonAndNoProvider(t *testing.T) {
	s := newWorld(t).site()
	number, path, all := s.drawnFor()
	members := append(all[tseras.Chair], all[tseras.Member]...)
	for _, m := range members {
		if a := m.post(path+"/findings", typed("joints-rheumatoid", "2")); a.Status != http.StatusSeeOther {
			t.Fatalf("record: %d %s", a.Status, a.Body)
		}
	}
	s.work()
	m := members[2]
	if a := m.post(path+"/refuse", url.Values{"reason": {""}}); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `id="reason-why"`) {
		t.Errorf("no reason: %d %s", a.Status, a.Body)
	}
	if a := m.post(path+"/refuse", url.Values{"reason": {"Nəticə tapıntılarıma uyğun deyil"}}); a.Status != http.StatusSeeOther {
		t.Errorf("refuse: %d %s", a.Status, a.Body)
	}
	for _, m := range members[:2] {
		m.get(m.provider(m.post(path+"/sign", nil), m.fin).Header.Get("Location"))
	}
	s.work()
	s.expect(people.Who("nermin").FIN, number, tseras.FurtherMember)
}

// The same findings under the same law give another result than last time: it cannot be signed before the chair has said
// why, and the person reads it.
func TestAnotherResultForTheSameFindingsIsExplained(t *testing.T) {
	s := newWorld(t).site()
	fin := people.Who("nermin").FIN
	decide := func(number, path string, all map[tseras.Role][]*reader, found url.Values) (chair *reader) {
		chair = all[tseras.Chair][0]
		for _, m := range append(all[tseras.Member], chair) {
			if a := m.post(path+"/findings", found); a.Status != http.StatusSeeOther {
				t.Fatalf("record: %d %s", a.Status, a.Body)
			}
		}
		s.work()
		s.expect(fin, number, tseras.Signing)
		for _, m := range all[tseras.Member] {
			m.get(m.provider(m.post(path+"/sign", nil), m.fin).Header.Get("Location"))
		}
		return chair
	}
	number, path, all := s.drawnFor()
	chair := decide(number, path, all, typed("joints-rheumatoid", "3"))
	if a := chair.get(path); strings.Contains(a.Body, `id="explains"`) {
		t.Error("the first result of ours is to be explained")
	}
	chair.get(chair.provider(chair.post(path+"/sign", nil), chair.fin).Header.Get("Location"))
	s.work()
	if shown := s.expect(fin, number, tseras.Decided); shown.Explains != "" {
		t.Errorf("explained: %q", shown.Explains)
	}

	// A year later: the same condition of the same grade, and life activities that are limited more.
	s.later = 366 * 24 * time.Hour
	ref := s.referral("nermin")
	ref.Number, ref.Ground = "88/again", tseras.Changed
	c, err := s.desk.Refer(t.Context(), s.from, ref, "signed")
	s.must(err)
	s.work()
	s.work()
	var next tseras.BlindNumber
	s.must(s.db.Admin.QueryRow(t.Context(), `SELECT b.number FROM tseras_blind b JOIN cases c ON c.id = b.case_id WHERE c.number = $1`, c.Number).Scan(&next))
	again := map[tseras.Role][]*reader{}
	for fin, seat := range s.seats(next) { // some of them may have sat on the first case too
		again[seat.Role] = append(again[seat.Role], s.signedIn(fin))
	}
	path = "/commission/" + string(next)
	worse := typed("joints-rheumatoid", "3")
	for _, name := range criteria.ActivityNames {
		worse.Set("activity-"+name, "III")
	}
	chair = decide(c.Number, path, again, worse)
	if a := chair.get(path); !strings.Contains(a.Body, `id="explains"`) {
		t.Fatalf("nothing is to be explained: %s", a.Body)
	}
	if a := chair.post(path+"/sign", url.Values{"explains": {""}}); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `id="explains-why"`) {
		t.Errorf("signed without a word: %d %s", a.Status, a.Body)
	}
	s.work()
	s.expect(fin, c.Number, tseras.Signing)
	const why = "Gündəlik fəaliyyət ötən dəfədən daha çox məhdudlaşıb"
	chair.get(chair.provider(chair.post(path+"/sign", url.Values{"explains": {why}}), chair.fin).Header.Get("Location"))
	s.work()
	s.expect(fin, c.Number, tseras.Decided)
	nermin := s.signedIn(fin)
	if a := nermin.get("/cabinet/cases/" + c.Number); a.Status != http.StatusOK || !strings.Contains(a.Body, why) {
		t.Errorf("the person does not read why: %d %s", a.Status, a.Body)
	}
}

// S13, S20: who is no member, has no seat or is not signed in is told what he is told of a case that there is not; and of
// two sessions of one person the second changes nothing.
func TestWhoHasNoSeatSeesNothingOnThePages(t *testing.T) {
	s := newWorld(t).site()
	_, path, all := s.drawnFor()
	member := all[tseras.Member][0]
	again := s.signedIn(member.fin)
	if a := member.post(path+"/findings", typed("joints-rheumatoid", "2")); a.Status != http.StatusSeeOther {
		t.Fatalf("record: %d", a.Status)
	}
	if a := again.post(path+"/findings", typed("joints-rheumatoid", "4")); a.Status != http.StatusConflict {
		t.Errorf("the same person's other session records again: %d", a.Status)
	}
	var without *reader
	seats := s.seats("")
	for c := range commissions {
		if fin := memberFIN(c+1, 1); seats[fin].Number == "" {
			without = s.signedIn(fin)
			break
		}
	}
	if a := without.get("/commission"); a.Status != http.StatusOK || strings.Contains(a.Body, path) {
		t.Errorf("a member without cases: %d", a.Status)
	}
	nermin := s.signedIn(people.Who("nermin").FIN)
	if a := nermin.get("/commission"); a.Status != http.StatusNotFound {
		t.Errorf("no member: %d", a.Status)
	}
	const none = "/commission/00000000"
	clean := regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{10,}|\d{8}`)
	for _, v := range []*reader{without, nermin} {
		for _, do := range []func(p string) webtest.Answer{
			func(p string) webtest.Answer { return v.get(p) },
			func(p string) webtest.Answer { return v.get(p + "/signed") },
			func(p string) webtest.Answer { return v.post(p+"/findings", typed("joints-rheumatoid", "2")) },
			func(p string) webtest.Answer { return v.post(p+"/sign", nil) },
			func(p string) webtest.Answer { return v.post(p+"/refuse", url.Values{"reason": {"Yox"}}) },
			func(p string) webtest.Answer { return v.post(p+"/extend", url.Values{"longer": {"Daha uzun"}}) },
		} {
			a, b := do(path), do(none)
			if a.Status != http.StatusNotFound || b.Status != a.Status || clean.ReplaceAllString(a.Body, "*") != clean.ReplaceAllString(b.Body, "*") {
				t.Errorf("%d and %d:\n%s\n%s", a.Status, b.Status, a.Body, b.Body)
			}
		}
	}
	nobody := webtest.Another(t, s.server)
	if a := nobody.Get(path); a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/signin") {
		t.Errorf("nobody: %d", a.Status)
	}
}

// A10: what everybody can download recomputes, and does not any more when somebody else was drawn.
func TestEverybodyRecomputesTheDraws(t *testing.T) {
	s := newWorld(t).site()
	_, _, all := s.drawnFor()
	b := webtest.Another(t, s.server)
	round := func() (r tseras.Round) {
		a := b.Get("/draws/100.json") // the youngest of those that were committed to ahead
		if a.Status != http.StatusOK || json.Unmarshal([]byte(a.Body), &r) != nil {
			t.Fatalf("round: %d %s", a.Status, a.Body)
		}
		return r
	}
	sealed := round()
	if n, err := sealed.Verify(); err != nil || n != 0 || len(sealed.Drawings) != 1 {
		t.Errorf("sealed: %+v, %v", sealed, err)
	}
	fin, by := subject("nermin")
	cases, err := s.desk.Cases(t.Context(), fin)
	s.must(err)
	s.must(s.desk.Withdraw(t.Context(), fin, cases[0].Number, by))
	s.later = 400 * 24 * time.Hour // a withdrawn case's drawing stays sealed for a year
	open := round()
	if n, err := open.Verify(); err != nil || n != 1 {
		t.Errorf("open: %+v, %v", open, err)
	}
	if chair := open.Opened[0].Drawing.Drawn(tseras.Chair); len(chair) != 1 || s.seats("")[all[tseras.Chair][0].fin].Member != tseras.MemberID(chair[0]) {
		t.Errorf("chair: %v", chair)
	}
	steps := open.Opened[0].Drawing.Steps
	steps[0].Drawn[0] = "K99"
	if _, err := open.Verify(); err == nil {
		t.Error("somebody else was drawn, and it is right")
	}
	for _, lang := range tesdiq.Langs {
		a := b.Get("/draws?lang=" + string(lang))
		drawn, promised, both := strings.Cut(a.Body, "<details>")
		if a.Status != http.StatusOK || !both || strings.Count(drawn, ".json\"") != 1 || !strings.Contains(drawn, `href="/draws/100.json"`) || !strings.Contains(html.UnescapeString(drawn), base64.StdEncoding.EncodeToString(open.Line.MAC)[:12]+"…") || strings.Contains(a.Body, "tseras-draws.") {
			t.Errorf("page: %d, %s", a.Status, a.Body)
		}
		if !strings.Contains(drawn, ": 1–99, 101.") || strings.Count(promised, ".json\"") != 100 {
			t.Errorf("promised rounds: %s", a.Body)
		}
	}
	for _, none := range []string{"/draws/999.json", "/draws/x.json", "/draws?before=x", "/draws?before=0", "/draws?before=100", "/draws?before=3000000000"} {
		if a := b.Get(none); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", none, a.Status)
		}
	}
}

// R20: whatever a member sends, sent a hundred times at once, happens once, with one line; the others are told that it is not his turn any more.
func TestWhatMembersSendAHundredTimesAtOnceHappensOnce(t *testing.T) {
	s := newWorld(t).site()
	_, path, all := s.drawnFor()
	atOnce := func(what string, want int, do func() webtest.Answer) {
		t.Helper()
		answers := make([]webtest.Answer, clicks)
		var ready, wait sync.WaitGroup
		ready.Add(clicks)
		for n := range answers {
			wait.Go(func() {
				ready.Done()
				ready.Wait()
				answers[n] = do()
			})
		}
		wait.Wait()
		did := 0
		for _, a := range answers {
			switch a.Status {
			case http.StatusSeeOther:
				did++
			case http.StatusConflict:
			default:
				t.Errorf("%s: %d %.300s", what, a.Status, a.Body)
			}
		}
		if did != want {
			t.Errorf("%s: %d of %d were told that it is done", what, did, want)
		}
	}
	once := func(what string, want int, sql string) {
		t.Helper()
		var n int
		if s.must(s.db.Admin.QueryRow(t.Context(), sql).Scan(&n)); n != want {
			t.Errorf("%s: %d, not %d", what, n, want)
		}
	}
	chair, members := all[tseras.Chair][0], append(all[tseras.Chair], all[tseras.Member]...)
	atOnce("extend", 1, func() webtest.Answer {
		return chair.Post(path+"/extend", url.Values{"longer": {"Əlavə sınaq gözlənilir"}})
	})
	once("extensions", 1, `SELECT count(*) FROM tseras_extensions`)
	for _, m := range members {
		m.get(path)
		atOnce("record", clicks, func() webtest.Answer { return m.Post(path+"/findings", typed("joints-rheumatoid", "2")) })
	}
	once("findings", 3, `SELECT count(*) FROM tseras_findings`)
	once("lines of findings", 3, `SELECT count(*) FROM ledger_lines WHERE kind = 'finding'`)
	// The loops of several processes at once.
	var loops sync.WaitGroup
	for range 8 {
		loops.Go(func() {
			if _, err := s.decider.Decide(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	loops.Wait()
	once("steps to sign", 1, `SELECT count(*) FROM case_steps WHERE to_state = 'signing'`)
	once("proposals", 1, `SELECT count(*) FROM tseras_proposals`)
	for n, m := range members {
		m.get(path)
		if n == 2 {
			atOnce("refuse", 1, func() webtest.Answer {
				return m.Post(path+"/refuse", url.Values{"reason": {"Nəticə tapıntılarıma uyğun deyil"}})
			})
			continue
		}
		// The provider's proof is shown once; a second look at its address finds the signature there.
		back := m.provider(m.post(path+"/sign", nil), m.fin).Header.Get("Location")
		answers := make([]webtest.Answer, clicks)
		var wait sync.WaitGroup
		for n := range answers {
			wait.Go(func() { answers[n] = m.Get(back) })
		}
		wait.Wait()
		for _, a := range answers {
			if a.Status != http.StatusSeeOther || a.Header.Get("Location") != path {
				t.Errorf("sign: %d %.300s", a.Status, a.Body)
			}
		}
	}
	once("words", 3, `SELECT count(*) FROM tseras_signatures`)
	once("signatures", 2, `SELECT count(*) FROM tseras_signatures WHERE signs`)
	once("lines of findings and words", 6, `SELECT count(*) FROM ledger_lines WHERE kind = 'finding'`)
}

// R20: an appeal that is sent a hundred times at once is one, and a second one from another form is refused.
func TestAnAppealSentAHundredTimesAtOnceIsOne(t *testing.T) {
	w := newWorld(t)
	first := w.decided(3)
	fin, by := subject("nermin")
	about := tseras.Dispute{Points: []tseras.Point{tseras.Points[0]}, Words: "Nəticə ilə razı deyiləm"}
	numbers, failed := make([]string, clicks), make([]error, clicks)
	var wait sync.WaitGroup
	for n := range clicks {
		wait.Go(func() {
			c, err := w.desk.Appeal(t.Context(), fin, first.Number, by, about, "form-1")
			numbers[n], failed[n] = c.Number, err
		})
	}
	wait.Wait()
	for n := range clicks {
		if failed[n] != nil || numbers[n] != numbers[0] {
			t.Errorf("%s, %v", numbers[n], failed[n])
		}
	}
	if _, err := w.desk.Appeal(t.Context(), fin, first.Number, by, about, "form-2"); err == nil {
		t.Error("another form opens another appeal")
	}
	var cases, lines, told int
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM cases WHERE kind = 'appeal'`).Scan(&cases))
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM ledger_lines l JOIN cases c ON l.object = c.id || '/1' WHERE c.kind = 'appeal' AND l.kind = 'step'`).Scan(&lines))
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM messages WHERE key = 'tseras-appeal.message.appealed'`).Scan(&told))
	if cases != 1 || lines != 1 || told != 1 {
		t.Errorf("%d appeals, %d lines, %d messages", cases, lines, told)
	}
}
