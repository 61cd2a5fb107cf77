package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/people"
)

// The note that somebody waits leads its reader, who acts for himself, to the very case once he has said that he acts for the institution.
func TestTheNoteLeadsToWhoWaits(t *testing.T) {
	w := open(t, 5)
	at := w.applied("elcin", tseras.AwaitingReferral)
	number := at[strings.LastIndex(at, "/")+1:]
	v := w.as("nigar", "")
	var id, institution string
	if err := w.db.Admin.QueryRow(t.Context(), `
		SELECT m.id::text, (SELECT q.organisation_id::text FROM tseras_referral_requests q JOIN cases c ON c.id = q.case_id WHERE c.number = $1)
		FROM messages m WHERE m.fin = $2 AND m.key = 'tseras.message.referral_wanted'`, number, people.Who("nigar").FIN).Scan(&id, &institution); err != nil {
		t.Fatal(err)
	}
	_, head, _ := w.ask(v.http, http.MethodPost, "/cabinet/messages/"+id, "", url.Values{})
	link := head.Get("Location")
	if link != "/institution/waiting/"+number+"?for="+institution {
		t.Fatalf("the note leads to %q", link)
	}
	for lang, words := range map[string]string{"ru": "от имени", "en": "acting for", "az": "adından"} {
		status, _, body := w.ask(v.http, http.MethodGet, link+"&lang="+lang, "", nil)
		if status != http.StatusOK || !strings.Contains(body, words) || !strings.Contains(body, `name="next" value="/institution/waiting/`+number+`"`) || strings.Contains(body, "Elçin") || strings.Contains(body, ">tseras-") {
			t.Errorf("%s: %d %s", lang, status, body)
		}
	}
	if status, _, body := w.ask(w.as("aysel", "").http, http.MethodGet, link, "", nil); status != http.StatusNotFound || strings.Contains(body, "poliklinika") {
		t.Errorf("who may not act for it: %d %s", status, body)
	}
	_, head, _ = w.ask(v.http, http.MethodPost, "/cabinet/act", "", url.Values{"organisation": {institution}, "next": {"/institution/waiting/" + number}})
	for _, path := range []string{head.Get("Location"), link} {
		if status, _, body := w.ask(v.http, http.MethodGet, path, "", nil); status != http.StatusOK || !strings.Contains(body, "Kərimov Elçin Vaqif oğlu") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// A member of the polyclinic sees who waits, refers him by form 88, signs at the provider, and says of another that there is no ground.
func TestAMemberOfAnInstitutionRefersAndDeclines(t *testing.T) {
	w := open(t, 5)
	at := w.applied("elcin", tseras.AwaitingReferral)
	number := at[strings.LastIndex(at, "/")+1:]
	v := w.as("nigar", "clinic")
	get := func(path string, want int, words ...string) {
		t.Helper()
		status, _, body := w.ask(v.http, http.MethodGet, path, "", nil)
		if status != want {
			t.Fatalf("%s: %d %s", path, status, body)
		}
		for _, word := range words {
			if !strings.Contains(body, word) {
				t.Errorf("%s: %q is not there: %s", path, word, body)
			}
		}
		if strings.Contains(body, "tseras-clinic.") {
			t.Errorf("%s: a key without words: %s", path, body)
		}
	}
	for lang, word := range map[string]string{"az": "Göndərişinizi gözləyənlər", "en": "People who wait for your referral", "ru": "Ждут вашего направления"} {
		get("/institution?lang="+lang, http.StatusOK, word, number, "Kərimov Elçin Vaqif oğlu")
		get("/institution/refer?lang="+lang, http.StatusOK)
		get("/institution/waiting/"+number+"?lang="+lang, http.StatusOK, "Elçin")
	}
	get("/institution?lang=az", http.StatusOK)
	get("/institution/refer?case="+number, http.StatusOK, `value="4CM9J7S"`, `value="08.01.1983"`)
	get("/institution/refer?case=T-2026-999999", http.StatusNotFound)
	get("/institution?number="+url.QueryEscape("no such"), http.StatusOK, "Belə göndəriş yoxdur")
	get("/institution?state=signing", http.StatusUnprocessableEntity)

	a, today := people.Who("elcin"), tesdiq.DateOf(time.Now())
	form := func(pairs ...string) url.Values {
		f := url.Values{
			"do": {"check"}, "number": {"88/7"}, "on": {today.String()}, "subject": {string(a.FIN)}, "born": {a.Born.String()}, "ground": {"1.5.2"},
			"main-code": {"n18.5"}, "main-since": {today.AddMonths(-2).String()}, "tests-0-code": {"gfr"}, "tests-0-value": {"9"}, "tests-0-since": {today.AddDays(-3).String()},
			"treatments-0-code": {""}, "treatments-0-since": {""}, "others-0-code": {""}, "others-0-since": {""},
			"physicians-0-code": {"2AB3C4D"},
		}
		for i := 0; i < len(pairs); i += 2 {
			f.Set(pairs[i], pairs[i+1])
		}
		return f
	}
	for field, bad := range map[string]url.Values{
		"born": form("born", "01.01.1983"), "on": form("on", today.AddDays(2).String()), "main-code": form("main-code", "ABC"), "ground": form("ground", ""),
		"tests-0-value": form("tests-0-value", "nine"), "physicians-0-code": form("physicians-0-code", "x"), "subject": form("subject", "0000000"),
		"others-0-since": form("others-0-code", "I10"), "treatments-0-to": form("treatments-0-code", "N18.5", "treatments-0-since", today.AddDays(-9).String(), "treatments-0-to", today.AddDays(-10).String()),
	} {
		status, _, body := w.ask(v.http, http.MethodPost, "/institution/refer", "", bad)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `href="#`+field+`"`) || !strings.Contains(body, `value="88/7"`) || !strings.Contains(body, `id="`+field+`"`) {
			t.Errorf("%s: %d %s", field, status, body)
		}
	}
	// An empty form names all that is missing at once, each with a link to its field.
	empty := form()
	for name := range empty {
		if name != "do" {
			empty.Set(name, "")
		}
	}
	status, _, body := w.ask(v.http, http.MethodPost, "/institution/refer", "", empty)
	place := 0
	for _, c := range []struct{ field, named string }{ // in the form's order; a sentence that fits several fields says which one it is
		{"number", "Göndərişin nömrəsi: "}, {"on", "Göndəriş günü: "}, {"subject", "FİN "}, {"born", "Doğum günü: "}, {"ground", "Göndərişin əsasını "},
		{"main-code", "Əsas diaqnoz: "}, {"main-since", "Əsas diaqnoz · Nə vaxtdan: "}, {"physicians-0-code", "Həkimin FİN-i 1: "},
	} {
		link := strings.Index(body[place:], `<a href="#`+c.field+`">`+c.named)
		if status != http.StatusUnprocessableEntity || link < 0 || !strings.Contains(body, `id="`+c.field+`"`) {
			t.Errorf("an empty form does not lead to %s by its name, or not after those before it: %d", c.field, status)
			continue
		}
		place += link
	}
	if status, _, body := w.ask(v.http, http.MethodPost, "/institution/refer", "", form("do", "more-tests")); status != http.StatusOK || !strings.Contains(body, `name="tests-1-code"`) || !strings.Contains(body, `value="9"`) {
		t.Errorf("one more test: %d", status)
	}
	if err := v.open(t.Context(), w.address+"/institution/refer?case="+number); err != nil {
		t.Fatal(err)
	}
	status, _, body = w.ask(v.http, http.MethodPost, "/institution/refer", "", form())
	if status != http.StatusOK || !strings.Contains(body, "Kərimov Elçin Vaqif oğlu") || !strings.Contains(body, "N18.5") {
		t.Fatalf("to be signed: %d %s", status, body)
	}
	_, rest, _ := strings.Cut(body, `name="referral" value="`)
	hidden, _, _ := strings.Cut(rest, `"`)
	sealed := strings.ReplaceAll(hidden, "&#34;", `"`)
	if status, _, body := w.ask(v.http, http.MethodPost, "/institution/refer", "", url.Values{"do": {"edit"}, "referral": {sealed}}); status != http.StatusOK || !strings.Contains(body, `value="N18.5"`) {
		t.Errorf("changed: %d", status)
	}
	get("/institution/referred", http.StatusSeeOther) // without a proof nothing is written
	w.until(at, tseras.AwaitingReferral)
	w.prove(v, "/institution/refer", url.Values{"do": {"sign"}, "referral": {sealed}}, "nigar", "clinic")
	w.until(at, tseras.Drawn)
	get("/institution/referrals/"+number, http.StatusOK, "88/7", "N18.5", "Komissiya")
	get("/institution?number=88/7", http.StatusOK, number)
	get("/institution/waiting/"+number, http.StatusNotFound)
	var member, token string
	if err := w.db.Admin.QueryRow(t.Context(), `SELECT member, signed FROM tseras_referrals WHERE number = '88/7'`).Scan(&member, &token); err != nil ||
		member != string(people.Who("nigar").FIN) || strings.Count(token, ".") != 2 {
		t.Errorf("%s %q: %v", member, token, err)
	}

	w.ask(w.as("elcin", "").http, http.MethodPost, at+"/withdraw", "", url.Values{})
	at = w.applied("elcin", tseras.AwaitingReferral)
	number = at[strings.LastIndex(at, "/")+1:]
	page := "/institution/waiting/" + number
	if status, _, body := w.ask(v.http, http.MethodPost, page, "", url.Values{"reason": {"no_ground"}, "words": {""}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, `href="#words"`) {
		t.Errorf("without words: %d", status)
	}
	get(page+"/declined", http.StatusSeeOther)
	w.until(at, tseras.AwaitingReferral)
	w.prove(v, page, url.Values{"reason": {"no_ground"}, "words": {"Müalicə davam edir."}}, "nigar", "clinic")
	w.until(at, tseras.Declined)
}

// prove sends a form that leads to the provider, and confirms there.
func (w *world) prove(v *visitor, path string, form url.Values, who, organisation string) {
	w.t.Helper()
	status, head, body := w.ask(v.http, http.MethodPost, path, "", form)
	if status != http.StatusSeeOther || !strings.Contains(head.Get("Location"), "prompt=login") {
		w.t.Fatalf("%s: %d to %q: %s", path, status, head.Get("Location"), body)
	}
	if err := v.open(w.t.Context(), head.Get("Location")); err != nil {
		w.t.Fatal(err)
	}
	voen := ""
	for _, o := range people.Organisations {
		if o.Key == organisation {
			voen = ":" + string(o.VOEN)
		}
	}
	if err := v.submit(w.t.Context(), "person", string(people.Who(who).FIN)+voen, "method", "e-signature"); err != nil {
		w.t.Fatal(err)
	}
}
