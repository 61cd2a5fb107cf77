package tserasdb_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasweb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// present opens the page of somebody of the cast.
func (w *world) present(filing tserasdb.Filing, clerk tseras.Clerk, who string) tseras.Visit {
	w.Helper()
	v, err := filing.Identify(w.Context(), clerk, people.Who(who).Card, people.Who(who).FIN)
	w.must(err)
	return v
}

// alone is the case of Sevinc, whom the registers alone decide.
func (w *world) alone() tseras.Shown {
	w.Helper()
	c, _ := w.decidedAlone("form-1")
	return w.state(c.Subject, c.Number)
}

// A clerk appeals for a person who is present, and takes it back: the same act as the person's own, which the person sees with office and clerk.
func TestAClerkAppealsForAPerson(t *testing.T) {
	w := newWorld(t)
	filing, clerk := w.post()
	first := w.alone()
	v := w.present(filing, clerk, "sevinc")
	if cases, _, err := filing.Cases(t.Context(), clerk, v); err != nil || !slices.ContainsFunc(cases, func(c casework.Case) bool { return c.Number == first.Number }) {
		t.Errorf("a decision that can be appealed is not there: %+v, %v", cases, err)
	}
	var all sync.WaitGroup
	numbers := make([]string, 8)
	for i := range numbers { // R20
		all.Go(func() {
			c, err := filing.Appeal(context.WithoutCancel(t.Context()), clerk, v.ID, first.Number, disputed, "form")
			if err != nil {
				t.Error(err)
			}
			numbers[i] = c.Number
		})
	}
	all.Wait()
	for _, n := range numbers {
		if n != numbers[0] || n == "" {
			t.Fatalf("%v", numbers)
		}
	}
	if _, err := filing.Appeal(t.Context(), clerk, v.ID, first.Number, disputed, "another form"); !errors.Is(err, tseras.ErrAppealed) {
		t.Errorf("appealed twice: %v", err)
	}
	s := w.expect(first.Subject, numbers[0], tseras.AwaitingDraw)
	if by := s.Steps[0].By; by.Part != casework.ByClerk || by.FIN != clerk.FIN || by.Office != clerk.Office {
		t.Errorf("%+v", by)
	}
	if len(s.Filed) != 1 || s.Filed[0].Clerk != clerk.Name || s.Filed[0].What != "appealed" || s.Filed[0].Kind != tseras.Appeal {
		t.Errorf("the person sees %+v", s.Filed)
	}
	stranger := clerk
	stranger.FIN = people.Who("aysel").FIN
	if _, err := filing.Appeal(t.Context(), stranger, v.ID, first.Number, disputed, "form"); !errors.Is(err, tseras.ErrVisit) {
		t.Errorf("another clerk: %v", err)
	}
	other := w.present(filing, clerk, "elcin")
	if _, err := filing.Appeal(t.Context(), clerk, other.ID, first.Number, disputed, "form"); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("of another person's decision: %v", err)
	}
	w.must(filing.Withdraw(t.Context(), clerk, v.ID, s.Number))
	w.expect(first.Subject, s.Number, tseras.Withdrawn)
	told := strings.Join(w.keys(first.Subject), " ")
	if !strings.HasSuffix(told, "filing.message.visit tseras-appeal.message.appealed_for filing.message.withdrawn") {
		t.Errorf("told: %s", told)
	}
	w.later = tseras.VisitLength
	if _, err := filing.Appeal(t.Context(), clerk, v.ID, first.Number, disputed, "late"); !errors.Is(err, tseras.ErrVisit) {
		t.Errorf("after ten minutes: %v", err)
	}
	v = w.present(filing, clerk, "sevinc")
	again, err := filing.Appeal(t.Context(), clerk, v.ID, first.Number, disputed, "form")
	if err != nil || again.Number == s.Number {
		t.Errorf("appealed again after it was withdrawn: %+v, %v", again, err)
	}
}

// A clerk asks for a correction for a person who is present, and takes it back.
func TestAClerkAsksForACorrection(t *testing.T) {
	w := newWorld(t)
	filing, clerk := w.post()
	fin, number := w.applied("nermin")
	v := w.present(filing, clerk, "nermin")
	ask := func(by tseras.Clerk, visit, about, key string) (casework.Case, error) {
		return filing.AskCorrection(context.WithoutCancel(t.Context()), by, visit, about, gateway.Episodes, "never-was", "Orada müalicə almamışam", key)
	}
	var all sync.WaitGroup
	numbers := make([]string, 8)
	for i := range numbers {
		all.Go(func() {
			c, err := ask(clerk, v.ID, number, "form")
			if err != nil {
				t.Error(err)
			}
			numbers[i] = c.Number
		})
	}
	all.Wait()
	for _, n := range numbers {
		if n != numbers[0] || n == "" {
			t.Fatalf("%v", numbers)
		}
	}
	if _, err := ask(clerk, v.ID, number, "another form"); !errors.Is(err, casework.ErrOpen) {
		t.Errorf("asked twice: %v", err)
	}
	s := w.expect(fin, numbers[0], tseras.Asked)
	if len(s.Filed) != 1 || s.Filed[0].Office != clerk.Office || s.Filed[0].What != tseras.StepCorrectionAsked || s.Filed[0].Kind != tseras.Correction {
		t.Errorf("the person sees %+v", s.Filed)
	}
	stranger := clerk
	stranger.Organisation = w.from.ID
	if _, err := ask(stranger, v.ID, number, "x"); !errors.Is(err, tseras.ErrVisit) {
		t.Errorf("from another office: %v", err)
	}
	other := w.present(filing, clerk, "elcin")
	if _, err := ask(clerk, other.ID, number, "x"); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("of another person's case: %v", err)
	}
	w.must(filing.Withdraw(t.Context(), clerk, v.ID, s.Number))
	w.expect(fin, s.Number, tseras.Withdrawn)
	if told := strings.Join(w.keys(fin), " "); strings.Count(told, "filing.message.correction_asked") != 1 || !strings.HasSuffix(told, "filing.message.withdrawn") {
		t.Errorf("told: %s", told)
	}
	if c, err := ask(clerk, v.ID, number, "a third form"); err != nil || c.Number == s.Number {
		t.Errorf("asked again after it was withdrawn: %+v, %v", c, err)
	}
}

// markup is what nobody reads; there are random characters in it, which may be anything.
var markup = regexp.MustCompile(`<[^>]*>`)

var keyOfForm = regexp.MustCompile(`name="key" value="([0-9A-Z]{26})"`)

// The pages of these acts say all that is wrong at once with links to the fields, tell the clerk nothing of results or registers, and forget what was typed.
func TestTheClerksPagesOfAppealAndCorrection(t *testing.T) {
	w := newWorld(t)
	filing, clerk := w.post()
	first := w.alone()
	shell := webtest.Shell(t, func(c *web.Config) {
		c.Now = w.now
		c.Members = memberships{web.Organisation{ID: clerk.Organisation, Name: clerk.Office, Role: "clerk", Duties: []string{"filing"}}}
	})
	h := &tserasweb.Clerk{Shell: shell, Filing: filing, Now: w.now, Rand: w.desk.Rand}
	person := &tserasweb.Person{Shell: shell, Desk: w.desk, Answers: w.log, Calendar: w.desk.Calendar, Now: w.now, Rand: w.desk.Rand}
	w.must(h.Prepare())
	w.must(person.Prepare())
	b := webtest.Open(t, shell, h.Routes, person.Routes)
	b.SignIn(clerk.FIN)
	b.Act()
	ok := func(a webtest.Answer, status int, want ...string) webtest.Answer {
		t.Helper()
		if a.Status != status {
			t.Fatalf("%d, want %d: %s", a.Status, status, a.Body)
		}
		for _, x := range want {
			if !strings.Contains(a.Body, x) {
				t.Errorf("%q is not on the page: %s", x, a.Body)
			}
		}
		for _, key := range []string{">filing.", ">tseras-", ">problem."} {
			if strings.Contains(a.Body, key) {
				t.Errorf("a key instead of words: %s", a.Body)
			}
		}
		return a
	}
	sevinc := people.Who("sevinc")
	visit := ok(b.Post("/filing", url.Values{"document": {sevinc.Card.String()}, "fin": {string(sevinc.FIN)}}), http.StatusSeeOther).Header.Get("Location")
	appeal, correct := visit+"/appeal/"+first.Number, visit+"/correct/"+first.Number
	for _, lang := range tesdiq.Langs {
		a := ok(b.Get(visit+"?lang="+string(lang)), http.StatusOK, appeal, correct, first.Number, tseras.AppealUntil(first.Since).String(), visit+"/apply")
		for _, word := range []string{"81", "100", "müddətsiz", "indefinite", "бессрочно", first.Entry} {
			if strings.Contains(strings.ReplaceAll(markup.ReplaceAllString(a.Body, ""), first.Number, ""), word) {
				t.Errorf("%s: the clerk reads %q of the result", lang, word)
			}
		}
		ok(b.Get(appeal+"?lang="+string(lang)), http.StatusOK, sevinc.Name.Short(), first.Number, `name="points"`)
		ok(b.Get(correct+"?lang="+string(lang)), http.StatusOK, sevinc.Name.Short(), first.Number, `name="register"`, `value="oncology"`)
	}
	for _, gone := range []string{visit + "/appeal/T-2026-999999", visit + "/correct/T-2026-999999", "/filing/AAAAAAAAAAAAAAAAAAAAAAAAAA/appeal/" + first.Number} {
		ok(b.Get(gone), http.StatusNotFound)
	}
	key := keyOfForm.FindStringSubmatch(ok(b.Get(appeal), http.StatusOK).Body)[1]
	ok(b.Post(appeal, url.Values{"key": {key}, "points": {"other"}}), http.StatusUnprocessableEntity, `href="#words"`, `id="words-why"`, key)
	ok(b.Post(appeal, url.Values{"key": {key}}), http.StatusUnprocessableEntity, `href="#points"`)
	ok(b.Post(appeal, url.Values{"points": {"term"}}), http.StatusConflict)
	receipt := ""
	for range 2 {
		a := ok(b.Post(appeal, url.Values{"key": {key}, "points": {"term"}, "words": {"Müddət qısadır"}}), http.StatusSeeOther)
		if at := a.Header.Get("Location"); receipt == "" {
			receipt = at
		} else if at != receipt {
			t.Errorf("sent twice: %s and %s", receipt, at)
		}
	}
	number := receipt[strings.LastIndex(receipt, "/")+1:]
	for _, lang := range tesdiq.Langs {
		if a := ok(b.Get(receipt+"?lang="+string(lang)), http.StatusOK, number, sevinc.Name.Short()); strings.Contains(a.Body, "qısadır") {
			t.Error("what was typed is shown again")
		}
	}
	if a := ok(b.Get(visit), http.StatusOK, visit+"/withdraw/"+number); strings.Contains(a.Body, appeal) || strings.Contains(a.Body, "/apply") {
		t.Error("another appeal or application is offered")
	}
	ok(b.Get(visit+"/withdraw/"+number+"?lang=az"), http.StatusOK, number, "İlk qərar")
	ok(b.Post(visit+"/withdraw/"+number, url.Values{}), http.StatusSeeOther)

	key = keyOfForm.FindStringSubmatch(ok(b.Get(correct), http.StatusOK).Body)[1]
	ok(b.Post(correct, url.Values{"key": {key}}), http.StatusUnprocessableEntity, `href="#register"`, `href="#wrong"`, `href="#words"`)
	good := url.Values{"key": {key}, "register": {"contracts"}, "wrong": {"missing"}, "words": {"İş yerim yoxdur siyahıda"}}
	asked := ok(b.Post(correct, good), http.StatusSeeOther).Header.Get("Location")
	if again := ok(b.Post(correct, good), http.StatusSeeOther).Header.Get("Location"); again != asked {
		t.Errorf("sent twice: %s and %s", asked, again)
	}
	other := ok(b.Get(correct), http.StatusOK)
	good.Set("key", keyOfForm.FindStringSubmatch(other.Body)[1])
	ok(b.Post(correct, good), http.StatusUnprocessableEntity, `href="#register"`)
	ok(b.Get(asked), http.StatusOK, sevinc.Name.Short())
	ok(b.Get(visit+"/withdraw/"+asked[strings.LastIndex(asked, "/")+1:]), http.StatusOK)
	ok(b.Post(visit+"/end", url.Values{}), http.StatusSeeOther)
	for _, at := range []string{appeal, correct} {
		ok(b.Get(at), http.StatusNotFound)
		ok(b.Post(at, good), http.StatusNotFound)
	}

	// Before a register has answered nothing can be wrong with it, and this is said.
	elcin := people.Who("elcin")
	c, err := w.desk.Apply(t.Context(), elcin.FIN, casework.Actor{Part: casework.BySubject, FIN: elcin.FIN}, "form")
	w.must(err)
	visit = ok(b.Post("/filing", url.Values{"document": {elcin.Card.String()}, "fin": {string(elcin.FIN)}}), http.StatusSeeOther).Header.Get("Location")
	ok(b.Post(visit+"/correct/"+c.Number, good), http.StatusUnprocessableEntity, `href="#register"`, "hələ cavab verməyib")
	w.work()

	// The person reads who did what, in his language, and in the list of his cases who is waited for.
	b.SignIn(sevinc.FIN)
	ok(b.Get("/cabinet/cases?lang=az"), http.StatusOK, clerk.Office+" · "+webtest.Nermin.Name.Short(), number+": Şikayət qeydə alındı", number+": Şikayət geri götürüldü")
	b.SignIn(elcin.FIN)
	ok(b.Get("/cabinet/cases"), http.StatusOK, w.from.Name)
}
