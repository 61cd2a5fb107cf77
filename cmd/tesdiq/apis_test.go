package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/web"
)

// Whoever writes a program finds the descriptions of all interfaces from the page for engineers, in each language, and from the main description.
func TestTheDescriptionsOfAllInterfacesAreLinked(t *testing.T) {
	w := open(t, 0)
	get := func(path string) string {
		t.Helper()
		status, _, body := w.ask(http.DefaultClient, http.MethodGet, path, "", nil)
		if status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		return body
	}
	var main struct {
		Info         struct{ Description string }
		ExternalDocs struct{ URL string }
	}
	if err := json.Unmarshal([]byte(get("/api/openapi.json")), &main); err != nil {
		t.Fatal(err)
	}
	get(strings.TrimPrefix(main.ExternalDocs.URL, w.address))
	for path, words := range map[string][]string{
		"/api/v1/referrals/openapi.json": {"Tibb müəssisələri üçün göndərişlər", "Referrals, for medical institutions", "Направления: для медицинских учреждений"},
		"/api/v1/lookups/openapi.json":   {"Çağrı mərkəzləri üçün sonuncu müayinə", "The last examination, for call centres", "Последнее освидетельствование"},
	} {
		if !strings.Contains(main.Info.Description, "("+w.address+path+")") {
			t.Errorf("the main description does not lead to %s: %s", path, main.Info.Description)
		}
		var doc struct{ OpenAPI string }
		if err := json.Unmarshal([]byte(get(path)), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
			t.Errorf("%s: %v %q", path, err, doc.OpenAPI)
		}
		for i, lang := range tesdiq.Langs {
			if link := `<a href="` + path + `">` + words[i]; !strings.Contains(get("/developers?lang="+string(lang)), link) {
				t.Errorf("%s: /developers has no %s", lang, link)
			}
		}
	}
}

// tellsHowToGoOn is in every sentence that tells a program's maker how to go on.
var tellsHowToGoOn = regexp.MustCompile(`(?i)\b(check|send|give|write|sign|keep|see|draw up|choose|remove|wait|leave|enter|for example)\b`)

// Whatever is wrong with what an institution sends, it is told as application/problem+json: what, where, and what to do.
func TestWhatIsWrongWithAReferralIsAProblemThatTellsHowToGoOn(t *testing.T) {
	w := open(t, 5)
	nermin, elcin, today := people.Who("nermin"), people.Who("elcin"), tesdiq.DateOf(time.Now())
	text := func(change func(*tseras.Referral)) []byte {
		r := tseras.Referral{
			Number: "88/1", On: today, Subject: nermin.FIN, Born: nermin.Born, Ground: tseras.LongTreatment, Main: tseras.Diagnosis{Code: "M05.8", Since: today.AddYears(-2)},
			Physicians: []tesdiq.FIN{"2AB3C4D"},
		}
		if change != nil {
			change(&r)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sealed := func(change func(*tseras.Referral)) string { return w.seal(text(change), nil) }
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := w.send(sealed(nil)); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	const jose = "application/jose"
	many := func(r *tseras.Referral) {
		r.Number, r.On, r.Subject, r.Born, r.Phone, r.Ground = strings.Repeat("8", 41), today.AddDays(2), "123", tesdiq.Date{}, "050", "1.6"
		r.Main = tseras.Diagnosis{Code: "ABC", Since: tesdiq.NewDate(1899, 12, 31)}
		r.Others = make([]tseras.Diagnosis, tseras.MaxDiagnoses+1)
		r.Treatments = []tseras.Treatment{{Code: "M05.8", From: today.AddDays(-3), To: today.AddDays(-4)}}
		r.Tests = []tseras.Test{{Code: "no", Value: 1, On: today}, {Code: "gfr", Value: 100_000, On: today}, {Code: "gfr", Value: 9, On: nermin.Born.AddYears(-1)}}
		r.Physicians = []tesdiq.FIN{}
	}
	for name, c := range map[string]struct {
		path, media, body string
		status            int
		fields            []string
	}{
		"too large":            {"", jose, strings.Repeat("a", 70<<10), http.StatusRequestEntityTooLarge, nil},
		"a refusal too large":  {"/declined", jose, strings.Repeat("a", 70<<10), http.StatusRequestEntityTooLarge, nil},
		"no signature":         {"", jose, string(text(nil)), http.StatusUnauthorized, nil},
		"another key":          {"", jose, w.seal(text(nil), stranger), http.StatusUnauthorized, nil},
		"of another kind":      {"", "application/json", string(text(nil)), http.StatusUnsupportedMediaType, []string{"Content-Type"}},
		"no JSON":              {"", jose, w.seal([]byte("{"), nil), http.StatusUnprocessableEntity, nil},
		"twice the same field": {"", jose, w.seal([]byte(`{"number":"1","number":"2"}`), nil), http.StatusUnprocessableEntity, []string{"number"}},
		"a field too many":     {"", jose, w.seal([]byte(`{"name":"x"}`), nil), http.StatusUnprocessableEntity, []string{"name"}},
		"another type":         {"", jose, w.seal([]byte(`{"number":5}`), nil), http.StatusUnprocessableEntity, []string{"number"}},
		"nothing in it":        {"", jose, w.seal([]byte(`{}`), nil), http.StatusUnprocessableEntity, []string{"number", "on", "subject", "born", "ground", "main.code", "main.since", "physicians"}},
		"everything wrong": {"", jose, sealed(many), http.StatusUnprocessableEntity, []string{
			"number", "on", "subject", "phone", "ground", "main.code", "main.since", "others", "treatments[0].to", "tests[0].code", "tests[1].value", "tests[2].code", "physicians",
		}},
		"somebody else's FIN":     {"", jose, sealed(func(r *tseras.Referral) { r.Number, r.Subject = "88/3", elcin.FIN }), http.StatusUnprocessableEntity, []string{"born"}},
		"nobody's FIN":            {"", jose, sealed(func(r *tseras.Referral) { r.Number, r.Subject = "88/4", "9ZZ9Z9Z" }), http.StatusUnprocessableEntity, []string{"subject"}},
		"an old one":              {"", jose, sealed(func(r *tseras.Referral) { r.Number, r.On = "88/5", today.AddMonths(-2) }), http.StatusUnprocessableEntity, []string{"on"}},
		"by the person himself":   {"", jose, sealed(func(r *tseras.Referral) { r.Number, r.Physicians = "88/6", []tesdiq.FIN{nermin.FIN} }), http.StatusUnprocessableEntity, []string{"physicians[0]"}},
		"a second one":            {"", jose, sealed(func(r *tseras.Referral) { r.Number = "88/2" }), http.StatusConflict, []string{"subject"}},
		"the number once more":    {"", jose, sealed(func(r *tseras.Referral) { r.Subject, r.Born = elcin.FIN, elcin.Born }), http.StatusConflict, []string{"number"}},
		"nobody waits":            {"/declined", jose, w.seal([]byte(`{"case":"T-2026-999999","reason":"did_not_come","words":""}`), nil), http.StatusNotFound, nil},
		"a refusal without words": {"/declined", jose, w.seal([]byte(`{"case":"T-2026-999999","reason":"no_ground","words":""}`), nil), http.StatusUnprocessableEntity, []string{"words"}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.address+"/api/v1/referrals"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.media)
		r.Header.Set("Accept-Language", "en")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var p web.ProblemJSON
		err = json.NewDecoder(a.Body).Decode(&p)
		a.Body.Close()
		if err != nil || a.StatusCode != c.status || p.Status != c.status || a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s %+v %v", name, a.StatusCode, a.Header.Get("Content-Type"), p, err)
		}
		all := p.Errors
		if len(all) == 0 {
			all = []web.ProblemField{{Type: p.Type, Detail: p.Detail, Field: p.Field}}
		}
		var fields []string
		for _, e := range all {
			if e.Field != "" {
				fields = append(fields, e.Field)
			}
			if !strings.HasPrefix(e.Type, "urn:tesdiq:problem:") || !tellsHowToGoOn.MatchString(e.Detail) || !strings.HasSuffix(e.Detail, ".") {
				t.Errorf("%s: %s at %q does not say what to do: %s", name, e.Type, e.Field, e.Detail)
			}
		}
		for _, f := range c.fields {
			if !slices.Contains(fields, f) {
				t.Errorf("%s: %q is not named, but %q", name, f, fields)
			}
		}
		if len(c.fields) == 0 && len(fields) > 0 {
			t.Errorf("%s: %q are named", name, fields)
		}
	}
}
