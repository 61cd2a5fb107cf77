package tserasdb_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasweb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// post is a post office with its clerk.
func (w *world) post() (tserasdb.Filing, tseras.Clerk) {
	w.Helper()
	orgs := organisationdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: time.Now, Rand: w.desk.Rand}
	for _, o := range people.Organisations {
		if o.Key == "post" {
			added, err := orgs.Add(w.Context(), organisation.Organisation{VOEN: o.VOEN, Name: o.Name, Sort: organisation.Sort(o.Sort)})
			w.must(err)
			return tserasdb.Filing{Desk: w.desk}, tseras.Clerk{FIN: people.Who("zaur").FIN, Name: people.Who("zaur").Name.Short(), Organisation: added.ID, Office: o.Name}
		}
	}
	w.Fatal("no post office in the cast")
	return tserasdb.Filing{}, tseras.Clerk{}
}

// keys are those of a person's messages, the oldest first.
func (w *world) keys(fin tesdiq.FIN) (all []string) {
	w.Helper()
	w.must(w.db.Admin.QueryRow(w.Context(), `SELECT coalesce(array_agg(key ORDER BY id), '{}') FROM messages WHERE fin = $1`, fin).Scan(&all))
	return all
}

func TestAClerkFilesForAPersonWhoIsPresent(t *testing.T) {
	w := newWorld(t)
	filing, clerk := w.post()
	nermin, elcin := people.Who("nermin"), people.Who("elcin")
	ctx := t.Context()

	// What stands on two cards opens nobody's page, and is told to nobody.
	if _, err := filing.Identify(ctx, clerk, elcin.Card, nermin.FIN); !errors.Is(err, tseras.ErrNoMatch) {
		t.Errorf("another's card: %v", err)
	}
	if _, err := filing.Identify(ctx, clerk, nermin.Card, "1234567"); !errors.Is(err, tseras.ErrNoMatch) {
		t.Errorf("nobody's FIN: %v", err)
	}
	if _, err := filing.Identify(ctx, clerk, people.Who("zaur").Card, clerk.FIN); !errors.Is(err, tseras.ErrSelf) {
		t.Errorf("himself: %v", err)
	}
	if got := w.keys(nermin.FIN); len(got) != 0 {
		t.Errorf("told of a miss: %v", got)
	}

	v, err := filing.Identify(ctx, clerk, nermin.Card, nermin.FIN)
	w.must(err)
	if v.Name != nermin.Name || v.Subject != nermin.FIN {
		t.Errorf("%+v", v)
	}
	if got := strings.Join(w.keys(nermin.FIN), " "); got != "filing.message.visit" {
		t.Errorf("messages: %s", got)
	}
	// R20: sent many times at once it is one case, and one message.
	var once sync.WaitGroup
	numbers := make([]string, 10)
	for i := range numbers {
		once.Go(func() {
			c, err := filing.Apply(context.WithoutCancel(ctx), clerk, v.ID)
			if err != nil {
				t.Error(err)
			}
			numbers[i] = c.Number
		})
	}
	once.Wait()
	for _, n := range numbers {
		if n != numbers[0] || n == "" {
			t.Fatalf("%v", numbers)
		}
	}
	if got := strings.Join(w.keys(nermin.FIN), " "); got != "filing.message.visit filing.message.applied" {
		t.Errorf("messages: %s", got)
	}
	number := numbers[0]
	s := w.expect(nermin.FIN, number, tseras.Gathering)
	if by := s.Steps[0].By; by.Part != casework.ByClerk || by.FIN != clerk.FIN || by.Office != clerk.Office {
		t.Errorf("%+v", by)
	}
	if len(s.Filed) != 1 || s.Filed[0].Clerk != clerk.Name || s.Filed[0].Office != clerk.Office || s.Filed[0].What != "applied" {
		t.Errorf("on the case: %+v", s.Filed)
	}
	cases, done, err := filing.Cases(ctx, clerk, v)
	w.must(err)
	if len(cases) != 1 || cases[0].Number != number || len(done) != 1 || done[0].What != "applied" {
		t.Errorf("%+v, %+v", cases, done)
	}

	// Nobody else's page, and not from another office.
	other := clerk
	other.FIN = people.Who("aysel").FIN
	elsewhere := clerk
	elsewhere.Organisation = w.from.ID
	for _, stranger := range []tseras.Clerk{other, elsewhere} {
		if _, err := filing.Visit(ctx, stranger, v.ID); !errors.Is(err, tseras.ErrVisit) {
			t.Errorf("another clerk: %v", err)
		}
		if err := filing.Withdraw(ctx, stranger, v.ID, number); !errors.Is(err, tseras.ErrVisit) {
			t.Errorf("another clerk withdraws: %v", err)
		}
	}
	w.must(filing.Withdraw(ctx, clerk, v.ID, number))
	w.expect(nermin.FIN, number, tseras.Withdrawn)
	if err := filing.Withdraw(ctx, clerk, v.ID, number); !errors.Is(err, casework.ErrState) {
		t.Errorf("withdrawn twice: %v", err)
	}

	// Nobody's case but this person's.
	c, err := w.desk.Apply(ctx, elcin.FIN, casework.Actor{Part: casework.BySubject, FIN: elcin.FIN}, "his own")
	w.must(err)
	if err := filing.Withdraw(ctx, clerk, v.ID, c.Number); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("another's case: %v", err)
	}

	all, err := w.desk.Filed(ctx, nermin.FIN, "")
	w.must(err)
	var what []string
	for _, f := range all {
		what = append(what, f.What)
		if f.Office != clerk.Office || f.Clerk != clerk.Name {
			t.Errorf("%+v", f)
		}
	}
	if strings.Join(what, " ") != "withdrawn applied " {
		t.Errorf("the person sees %q", what)
	}

	// The page closes by itself, and when the person goes.
	w.later = tseras.VisitLength
	if _, err := filing.Apply(ctx, clerk, v.ID); !errors.Is(err, tseras.ErrVisit) {
		t.Errorf("after ten minutes: %v", err)
	}
	v, err = filing.Identify(ctx, clerk, nermin.Card, nermin.FIN)
	w.must(err)
	w.must(filing.End(ctx, clerk, v.ID))
	w.must(filing.End(ctx, clerk, v.ID))
	if _, err := filing.Visit(ctx, clerk, v.ID); !errors.Is(err, tseras.ErrVisit) {
		t.Errorf("after he has gone: %v", err)
	}

	w.triesAreInTheLedger(4)
}

// triesAreInTheLedger: every try has its line, which opens with what is kept of it.
func (w *world) triesAreInTheLedger(want int) {
	w.Helper()
	rows, err := w.db.Admin.Query(w.Context(), `
		SELECT t.id, coalesce(t.visit, ''), t.organisation_id, t.office, t.clerk_fin, t.clerk, coalesce(t.subject, ''), t.at, l.object, l.key, l.mac
		FROM filing_tries t LEFT JOIN ledger_lines l ON l.kind = 'look' AND l.object = 'filing/' || t.id`)
	w.must(err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var t tseras.Try
		line := ledger.Line{Kind: ledger.Look}
		w.must(rows.Scan(&t.ID, &t.Visit, &t.Organisation, &t.Office, &t.ClerkFIN, &t.Clerk, &t.Subject, &t.At, &line.Object, &line.Key, &line.MAC))
		content, err := t.Content()
		w.must(err)
		if !line.Opens(content) {
			w.Errorf("the line of try %d does not open", t.ID)
		}
	}
	w.must(rows.Err())
	if n != want {
		w.Errorf("%d tries, want %d", n, want)
	}
}

// A clerk cannot search for people: what does not match is counted, however many ask at the same moment.
func TestTriesThatMissAreCounted(t *testing.T) {
	w := newWorld(t)
	filing, clerk := w.post()
	nermin := people.Who("nermin")
	tooMany := func(err error, key string) bool {
		var p *tesdiq.Problem
		return errors.As(err, &p) && p.Kind == tesdiq.TooMany && p.Key == key
	}
	var all sync.WaitGroup
	results := make([]error, 4*tseras.MissesPerHour)
	for i := range results {
		all.Go(func() {
			_, results[i] = filing.Identify(context.WithoutCancel(t.Context()), clerk, "AA0000001", tesdiq.FIN("0000"+strconv.Itoa(100+i)))
		})
	}
	all.Wait()
	missed := 0
	for _, err := range results {
		switch {
		case errors.Is(err, tseras.ErrNoMatch):
			missed++
		case !tooMany(err, "filing.misses"):
			t.Error(err)
		}
	}
	if missed != tseras.MissesPerHour {
		t.Errorf("%d misses, want %d", missed, tseras.MissesPerHour)
	}
	// What is right is refused as well: else the limit would say which guess was right.
	if _, err := filing.Identify(t.Context(), clerk, nermin.Card, nermin.FIN); !tooMany(err, "filing.misses") {
		t.Errorf("after the limit: %v", err)
	}
	w.later = time.Hour
	if _, err := filing.Identify(t.Context(), clerk, nermin.Card, nermin.FIN); err != nil {
		t.Errorf("an hour later: %v", err)
	}
	// The office's limit holds for all its clerks together, once they miss; who has not missed serves on.
	for i := tseras.MissesPerHour; i < tseras.MissesPerDay; i++ {
		c := clerk
		c.FIN = memberFIN(90, i)
		if _, err := filing.Identify(t.Context(), c, "AA0000001", nermin.FIN); !errors.Is(err, tseras.ErrNoMatch) {
			t.Fatal(err)
		}
	}
	unlucky := clerk
	unlucky.FIN = memberFIN(90, tseras.MissesPerHour)
	if _, err := filing.Identify(t.Context(), unlucky, nermin.Card, nermin.FIN); !tooMany(err, "filing.misses") {
		t.Errorf("the office's limit: %v", err)
	}
	fresh := clerk
	fresh.FIN = memberFIN(91, 1)
	if _, err := filing.Identify(t.Context(), fresh, nermin.Card, nermin.FIN); err != nil {
		t.Errorf("others' misses keep a clerk from serving: %v", err)
	}
	if _, err := filing.Identify(t.Context(), fresh, "AA0000001", nermin.FIN); !errors.Is(err, tseras.ErrNoMatch) {
		t.Error(err)
	}
	if _, err := filing.Identify(t.Context(), fresh, nermin.Card, nermin.FIN); !tooMany(err, "filing.misses") {
		t.Errorf("the office's limit after a miss: %v", err)
	}
	w.triesAreInTheLedger(tseras.MissesPerDay + 3)
}

// memberships is one organisation with a duty.
type memberships struct {
	organisation web.Organisation
}

func (m memberships) Membership(context.Context, tesdiq.FIN, int64) (web.Organisation, error) {
	return m.organisation, nil
}

var visitOf = regexp.MustCompile(`^/filing/[0-9A-Z]{26}$`)

func TestTheClerksPages(t *testing.T) {
	w := newWorld(t)
	filing, clerk := w.post()
	elcin := people.Who("elcin")
	pages := func(duties ...string) *webtest.Browser {
		shell := webtest.Shell(t, func(c *web.Config) {
			c.Now = w.now
			c.Members = memberships{web.Organisation{ID: clerk.Organisation, Name: clerk.Office, Role: "clerk", Duties: duties}}
		})
		h := &tserasweb.Clerk{Shell: shell, Filing: filing, Now: w.now, Rand: w.desk.Rand}
		w.must(h.Prepare())
		return webtest.Open(t, shell, h.Routes)
	}
	b := pages("filing")
	if a := b.Get("/filing"); a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "/signin") {
		t.Errorf("not signed in: %d", a.Status)
	}
	b.SignIn(clerk.FIN)
	if a := b.Get("/filing"); a.Status != http.StatusForbidden {
		t.Errorf("acts for himself: %d", a.Status)
	}
	b.Act()
	other := pages("call_centre")
	other.SignIn(clerk.FIN)
	other.Act()
	if a := other.Get("/filing"); a.Status != http.StatusForbidden {
		t.Errorf("an office without the duty: %d", a.Status)
	}
	said := func(a webtest.Answer, status int, want ...string) webtest.Answer {
		t.Helper()
		if a.Status != status {
			t.Fatalf("%d, want %d: %s", a.Status, status, a.Body)
		}
		for _, x := range want {
			if !strings.Contains(a.Body, x) {
				t.Errorf("%q is not on the page: %s", x, a.Body)
			}
		}
		for _, key := range []string{"filing.", "tseras-person.", "problem."} {
			if strings.Contains(a.Body, ">"+key) {
				t.Errorf("a key instead of words: %s", a.Body)
			}
		}
		return a
	}
	for _, lang := range tesdiq.Langs {
		said(b.Get("/filing?lang="+string(lang)), http.StatusOK, `name="document"`, `name="fin"`)
	}
	said(b.Post("/filing", url.Values{"document": {"12"}, "fin": {""}}), http.StatusUnprocessableEntity, `id="document-why"`, `id="fin-why"`)
	said(b.Post("/filing", url.Values{"document": {"AA 0000000"}, "fin": {string(elcin.FIN)}}), http.StatusUnprocessableEntity, "AA 0000000", `role="alert"`)
	a := said(b.Post("/filing", url.Values{"document": {elcin.Card.String()}, "fin": {strings.ToLower(string(elcin.FIN))}}), http.StatusSeeOther)
	visit := a.Header.Get("Location")
	if !visitOf.MatchString(visit) {
		t.Fatalf("goes to %s", visit)
	}
	for _, lang := range tesdiq.Langs {
		a := said(b.Get(visit+"?lang="+string(lang)), http.StatusOK, elcin.Name.Short())
		if strings.Contains(a.Body, string(elcin.FIN)) || strings.Contains(a.Body, string(elcin.Card)) {
			t.Error("the page shows what stands on the card")
		}
	}
	a = said(b.Post(visit+"/apply", url.Values{}), http.StatusSeeOther)
	receipt := a.Header.Get("Location")
	number := receipt[strings.LastIndex(receipt, "/")+1:]
	for _, lang := range tesdiq.Langs {
		said(b.Get(receipt+"?lang="+string(lang)), http.StatusOK, elcin.Name.Short(), number, clerk.Office, webtest.Nermin.Name.Short())
		said(b.Get(visit+"/withdraw/"+number+"?lang="+string(lang)), http.StatusOK, elcin.Name.Short(), number)
	}
	if a := said(b.Get(visit), http.StatusOK, number, receipt); strings.Contains(a.Body, "/apply") {
		t.Error("a second application is offered")
	}
	said(b.Get(visit+"/receipt/T-2026-999999"), http.StatusNotFound)
	said(b.Get(visit+"/withdraw/T-2026-999999"), http.StatusNotFound)
	if a := said(b.Post(visit+"/withdraw/"+number, url.Values{}), http.StatusSeeOther); a.Header.Get("Location") != receipt {
		t.Errorf("withdrawn: %s", a.Header.Get("Location"))
	}
	said(b.Post(visit+"/withdraw/"+number, url.Values{}), http.StatusSeeOther)
	w.expect(elcin.FIN, number, tseras.Withdrawn)
	said(b.Post(visit+"/end", url.Values{}), http.StatusSeeOther)
	for _, gone := range []string{visit, receipt, "/filing/AAAAAAAAAAAAAAAAAAAAAAAAAA", "/filing/none"} {
		said(b.Get(gone), http.StatusNotFound)
	}
	for _, body := range []url.Values{nil, {"number": {number}}} {
		said(b.Post(visit+"/apply", body), http.StatusNotFound)
	}
}
