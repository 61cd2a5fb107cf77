package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/people"
)

// read asks the API of referrals as the polyclinic, which seals the request; change makes of the sealed words others.
func (w *world) read(path string, change func(sealed map[string]string) string) (int, http.Header, string) {
	w.t.Helper()
	sealed := map[string]string{"method": http.MethodGet, "url": w.address + path, "at": time.Now().UTC().Format(time.RFC3339)}
	token := ""
	if change != nil {
		token = change(sealed)
	}
	if token == "" {
		b, err := json.Marshal(sealed)
		if err != nil {
			w.t.Fatal(err)
		}
		token = "Seal " + w.seal(b, nil)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.address+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return a.StatusCode, a.Header, string(b)
}

// An institution reads how its referrals stand with a seal over the very request; with another, nobody reads anything.
func TestAnInstitutionReadsItsReferrals(t *testing.T) {
	w := open(t, 5)
	a, today := people.Who("sevinc"), tesdiq.DateOf(time.Now())
	ref, err := json.Marshal(tseras.Referral{
		Number: "88/ə 1", On: today, Subject: a.FIN, Born: a.Born, Ground: tseras.Evident, Main: tseras.Diagnosis{Code: "C34.1", Since: today.AddYears(-1)},
		Physicians: []tesdiq.FIN{"2AB3C4D"},
	})
	if err != nil {
		t.Fatal(err)
	}
	status, body := w.send(w.seal(ref, nil))
	var said struct{ Case, State, Turn string }
	if err := json.Unmarshal([]byte(body), &said); err != nil || status != http.StatusOK || said.State != "gathering" {
		t.Fatalf("%d %s", status, body)
	}
	w.until("/"+said.Case, tseras.Decided)
	path := "/api/v1/referrals/" + said.Case
	for name, c := range map[string]struct {
		change func(map[string]string) string
		status int
		says   string
	}{
		"as it is":           {nil, http.StatusOK, `"outcome":"disability"`},
		"no seal":            {func(map[string]string) string { return "Bearer x" }, http.StatusUnauthorized, "tseras.seal"},
		"a referral instead": {func(map[string]string) string { return "Seal " + w.seal(ref, nil) }, http.StatusUnauthorized, "tseras.seal.request"},
		"another address":    {func(s map[string]string) string { s["url"] = w.address + "/api/v1/referrals"; return "" }, http.StatusUnauthorized, "tseras.seal.request"},
		"another server":     {func(s map[string]string) string { s["url"] = "https://other.example" + path; return "" }, http.StatusUnauthorized, "tseras.seal.request"},
		"another method":     {func(s map[string]string) string { s["method"] = "POST"; return "" }, http.StatusUnauthorized, "tseras.seal.request"},
		"an old one": {func(s map[string]string) string {
			s["at"] = time.Now().Add(-3 * time.Minute).UTC().Format(time.RFC3339)
			return ""
		}, http.StatusUnauthorized, "tseras.seal.request"},
		"one of tomorrow": {func(s map[string]string) string {
			s["at"] = time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
			return ""
		}, http.StatusUnauthorized, "tseras.seal.request"},
		"something more in it": {func(s map[string]string) string { s["as"] = "P001"; return "" }, http.StatusUnauthorized, "tseras.seal.request"},
	} {
		status, head, body := w.read(path, c.change)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if (status == http.StatusUnauthorized) != (head.Get("WWW-Authenticate") != "") {
			t.Errorf("%s: WWW-Authenticate %q", name, head.Get("WWW-Authenticate"))
		}
	}
	_, _, one := w.read(path, nil)
	for _, word := range []string{string(a.FIN), "C34", "loss", "band", "cause", "reason", "81"} {
		if strings.Contains(strings.ReplaceAll(one, said.Case, ""), word) {
			t.Errorf("%q is more than an institution is told: %s", word, one)
		}
	}
	for query, want := range map[string]int{
		"": 1, "?state=decided": 1, "?state=commission": 0, "?number=" + url.QueryEscape("88/ə 1"): 1, "?number=88": 0, "?before=" + said.Case: 0, "?limit=1": 1,
	} {
		status, _, body := w.read("/api/v1/referrals"+query, nil)
		var page struct {
			Referrals []struct {
				Number string
				Result *struct{}
			}
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || status != http.StatusOK || len(page.Referrals) != want {
			t.Errorf("%s: %d %s", query, status, body)
		}
		for _, r := range page.Referrals {
			if r.Result != nil {
				t.Errorf("%s: a list tells results: %s", query, body)
			}
		}
	}
	for query, field := range map[string]string{"?state=signing": "state", "?limit=0": "limit", "?limit=many": "limit", "?before=1": "before", "/waiting?after=x": "after"} {
		if status, _, body := w.read("/api/v1/referrals"+query, nil); status != http.StatusUnprocessableEntity || !strings.Contains(body, `"field":"`+field+`"`) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	if status, _, body := w.read("/api/v1/referrals/T-2026-999999", nil); status != http.StatusNotFound {
		t.Errorf("none of its own: %d %s", status, body)
	}
	if status, _, page := w.ask(w.as("sevinc", "").http, http.MethodGet, "/cabinet/cases/"+said.Case, "", nil); status != http.StatusOK || !strings.Contains(page, "Nümunə Nəsimi poliklinikası</li>") {
		t.Errorf("the person does not see who looked: %d", status)
	}
}

// Somebody applies, is registered at the polyclinic, and stands in its list; the polyclinic says that there is no ground.
func TestAnInstitutionSeesWhoWaitsAndDeclines(t *testing.T) {
	w := open(t, 5)
	at := w.applied("elcin", tseras.AwaitingReferral)
	number := at[strings.LastIndex(at, "/")+1:]
	w.applied("nermin", tseras.AwaitingReferral) // registered elsewhere
	status, _, body := w.read("/api/v1/referrals/waiting", nil)
	var page struct {
		Waiting []struct {
			Case, Subject, Name, Born string
			DueBy                     string `json:"due_by"`
		}
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || status != http.StatusOK || len(page.Waiting) != 1 || page.Waiting[0].Case != number ||
		page.Waiting[0].Name != "Kərimov Elçin Vaqif oğlu" || page.Waiting[0].DueBy == "" {
		t.Fatalf("%d %s", status, body)
	}
	decline := func(text string) (int, string) {
		return w.sendTo("/api/v1/referrals/declined", w.seal([]byte(text), nil))
	}
	for text, says := range map[string]string{
		`{"case":"` + number + `","reason":"no_ground","words":""}`:                           `"field":"words"`,
		`{"case":"` + number + `","reason":"no","words":"x"}`:                                 `"field":"reason"`,
		`{"case":"` + number + `","case":"T-2026-000009","reason":"did_not_come","words":""}`: "json.twice",
		`{"reason":"did_not_come","words":""}`:                                                `"field":"case"`,
	} {
		if status, body := decline(text); status != http.StatusUnprocessableEntity || !strings.Contains(body, says) {
			t.Errorf("%s: %d %s", text, status, body)
		}
	}
	if status, body := decline(`{"case":"T-2026-999999","reason":"did_not_come","words":""}`); status != http.StatusNotFound {
		t.Errorf("none of its own: %d %s", status, body)
	}
	for range 2 {
		status, body := decline(`{"case":"` + number + `","reason":"no_ground","words":"Dializ müvəqqətidir, böyrək bərpa olunur."}`)
		if status != http.StatusOK || strings.TrimSpace(body) != `{"case":"`+number+`","state":"closed"}` {
			t.Errorf("%d %s", status, body)
		}
	}
	_, _, shown := w.ask(w.as("elcin", "").http, http.MethodGet, at, "", nil)
	for _, words := range []string{"Göndəriş üçün əsas tapılmadı. Dializ müvəqqətidir", "Nümunə Nəsimi poliklinikası"} {
		if !strings.Contains(shown, words) {
			t.Errorf("the person does not read %q: %s", words, shown)
		}
	}
	if _, _, body := w.read("/api/v1/referrals/waiting", nil); strings.TrimSpace(body) != `{"waiting":[]}` {
		t.Errorf("nobody waits any more: %s", body)
	}
}

// What is wrong with a referral's JSON is said by the path of the field, all at once, and nothing is kept.
func TestAReferralsJSONIsReadStrictly(t *testing.T) {
	w := open(t, 0)
	for text, want := range map[string][]string{
		`{"number":"88/1","number":"88/2"}`:                                    {"json.twice", `"field":"number"`},
		`{"main":{"code":"M05.8","code":"C34.1","since":"2024-01-01"}}`:        {"json.twice", `"field":"main.code"`},
		`{"treatments":[{"code":"A15"},{"from":"x","to":5,"inpatient":"no"}]}`: {`"field":"treatments[1].from"`, `"field":"treatments[1].to"`, `"field":"treatments[1].inpatient"`},
		`{"Subject":"5NQ7K2M"}`:                                                {"json.unknown", `"field":"Subject"`},
		`{"subject":null}`:                                                     {"json.type", `"field":"subject"`},
		`[]`:                                                                   {"json.malformed"},
		`{}`:                                                                   {`"field":"number"`, `"field":"subject"`, `"field":"ground"`, `"field":"physicians"`, `"field":"main.code"`},
	} {
		status, body := w.send(w.seal([]byte(text), nil))
		if status != http.StatusUnprocessableEntity || slices.ContainsFunc(want, func(x string) bool { return !strings.Contains(body, x) }) {
			t.Errorf("%s: %d %s", text, status, body)
		}
	}
	var kept int
	if err := w.db.Admin.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM tseras_referrals) + (SELECT count(*) FROM cases)`).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("%d rows of what was refused: %v", kept, err)
	}
}
