package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
)

var update = flag.Bool("update", false, "write testdata/routes.txt anew; read the difference as carefully as code")

// route is how one address is tried: with what belongs to its owner, and with what there is not.
type route struct {
	own     string // the address, with an id of the owner's
	missing string // the same with an id that nobody has; empty: the address has no id
	form    url.Values
	owner   string                    // the actor whose the id is, and who comes last; empty: Nərmin
	sealed  func(missing bool) string // what an institution's seal is put on, which others send bare
	later   func() string             // own, where the id comes to be only when the rows before it have been tried
}

// Those whose own id is answered otherwise than by 200 or by leading on, and why. That they are not told "not found" is asserted of them too.
var notGranted = map[string]string{
	"POST /cabinet/channel/{id}":               "a wrong code is said to be wrong",
	"POST /cabinet/corrections/new/{number}":   "nothing is filled in",
	"POST /commission/{number}/findings":       "nothing is filled in",
	"POST /commission/{number}/sign":           "nobody has recorded yet",
	"POST /commission/{number}/refuse":         "nobody has recorded yet",
	"POST /commission/{number}/absent":         "there is no meeting",
	"POST /filing/{visit}/appeal/{number}":     "nothing is filled in",
	"POST /filing/{visit}/correct/{number}":    "nothing is filled in",
	"POST /cabinet/programmes/{number}/answer": "there is no draft before the meeting",
	"POST /rehabilitation/{number}/enter":      "there is no draft before the meeting",
	"POST /rehabilitation/{number}/lapse":      "the person has not stayed away twice",
}

// Those that lead away from an id that nobody has, too: there is nothing to be told by it.
var leadsOn = map[string]string{
	"POST /filing/{visit}/end":                 "a visit that is over leads to where the next begins",
	"GET /institution/waiting/{case}/declined": "without a confirmation by the provider nothing is looked for",
}

// Those whose ids are everybody's.
var everybodys = []string{"GET /pki/crl/{file}", "GET /pki/certificates/{file}"}

// Those that come last, in this order: they end what others need, or need what others begin.
var lastRoutes = []string{
	"POST /cabinet/cases/{number}/appeal", "GET /cabinet/cases/{number}/slot", "POST /cabinet/cases/{number}/slot", // the slot is of the appeal that was opened
	"POST /rehabilitation/{number}/invite", "POST /cabinet/programmes/{number}/wish", "POST /cabinet/programmes/{number}/decline", "POST /cabinet/programmes/{number}/again",
	"POST /api/v1/referrals/declined", // of who waited for the pages of the institution
	"POST /cabinet/excerpts/{number}/withdraw", "POST /cabinet/cases/{number}/withdraw", "POST /cabinet/cases", "POST /filing/{visit}/end", "POST /cabinet/act", "POST /signout",
}

// others' ids: what the address of an id says to anybody but its owner must be what it says of an id that nobody has (S13).
func (w *world) routes(nermin *visitor, e summaryExcerpt, excerpt, withdrawn, check, seat, referred string) map[string]route {
	page := func(address string) route { return route{own: address} }
	asked := url.Values{"purpose": {"credit"}, "code": {e.Code}}
	code := strings.ReplaceAll(e.Code, "-", "")
	number := func(kind string) string {
		if err := nermin.open(w.t.Context(), w.address+"/cabinet/"+kind+"s"); err != nil {
			w.t.Fatal(err)
		}
		if err := nermin.follow(w.t.Context(), "/cabinet/"+kind+"s/", ""); err != nil {
			w.t.Fatal(err)
		}
		return nermin.at.Path
	}
	exam, job := number("examination"), number("contract")
	newExcerpt := url.Values{"kind": {"examination"}, "number": {exam[strings.LastIndex(exam, "/")+1:]}, "validity": {"30"}, "lang": {"az"}, "key": {"a-key-of-the-test"}}
	kase := w.applied("nermin", tseras.AwaitingReferral)
	visit, filed := w.filed("murad")
	programme := w.programme()
	present, decided := w.present("sevinc"), w.decided()
	w.faulty(agencies.Fault{Register: gateway.Episodes.Correction(), Person: people.Who("sevinc").FIN, Kind: agencies.Down}) // so that it stays asked
	correction := w.corrected(w.as("sevinc", ""), decided, string(gateway.Episodes), "never-was", "Orada müalicə almamışam")
	waits := w.applied("elcin", tseras.AwaitingReferral)
	waits = waits[strings.LastIndex(waits, "/")+1:]
	today := tesdiq.DateOf(time.Now())
	referral, err := json.Marshal(tseras.Referral{
		Number: "88/9", On: today, Subject: people.Who("xeyransa").FIN, Born: people.Who("xeyransa").Born, Ground: tseras.LongTreatment,
		Main: tseras.Diagnosis{Code: "I50.0", Since: today.AddYears(-2)}, Physicians: []tesdiq.FIN{"2AB3C4D"},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	appealed := func() (number string) { // what the row of the appeal has opened, once it has a slot
		if err := w.db.Admin.QueryRow(w.t.Context(), `SELECT number FROM cases WHERE kind = 'appeal'`).Scan(&number); err != nil {
			w.t.Fatal(err)
		}
		w.until("/"+number, tseras.Drawn)
		return "/cabinet/cases/" + number + "/slot"
	}
	const wrote = "AAAAAAAAAAAAAAAAAAAAAAAAAB" // a form's key
	const noReferral, noWaiting = "/institution/referrals/T-1999-000001", "/institution/waiting/T-1999-000001"
	const noProgramme, noBodyCase = "/cabinet/programmes/T-1999-000001", "/rehabilitation/T-1999-000001"
	plan, bodyCase := "/cabinet/programmes/"+programme, "/rehabilitation/"+programme
	const noVisit = "/filing/AAAAAAAAAAAAAAAAAAAAAAAAAA"
	const noCase = "/cabinet/cases/T-1999-000001"
	const noExcerpt, noCheck = "/cabinet/excerpts/E-2026-9999999", "0000-0000-0000-0000"
	return map[string]route{
		"GET /": page("/"), "GET /how": page("/how"), "GET /privacy": page("/privacy"), "GET /developers": page("/developers"),
		"GET /healthz": page("/healthz"), "GET /readyz": page("/readyz"), "GET /metrics": page("/metrics"),
		"GET /favicon.ico": page("/favicon.ico"), "GET /robots.txt": page("/robots.txt"), "GET /static/{file}": page("/static/none.css"),
		"GET /pki/roots.pem": page("/pki/roots.pem"), "GET /pki/signers.pem": page("/pki/signers.pem"),
		"GET /schema/statement-1.json": page("/schema/statement-1.json"), "GET /check/offline": page("/check/offline"),
		"GET /pki/crl/{file}":          {own: "/pki/crl/root.crl", missing: "/pki/crl/none.crl"},
		"GET /pki/trust.json":          page("/pki/trust.json"),
		"GET /pki/certificates/{file}": {own: "/pki/certificates/root.cer", missing: "/pki/certificates/none.cer"},
		"GET /pki/ocsp/*":              page("/pki/ocsp/AA=="), "POST /pki/ocsp": {own: "/pki/ocsp", form: url.Values{}}, "POST /pki/tsa": {own: "/pki/tsa", form: url.Values{}},
		"GET /api/openapi.json": page("/api/openapi.json"),

		"GET /check": page("/check"), "POST /check": {own: "/check", form: asked},
		"GET /v/{code}": {own: "/v/" + code}, "POST /v/{code}": {own: "/v/" + code, form: url.Values{"purpose": {"credit"}}},
		"GET /checked/{id}":      {own: "/checked/" + check, missing: "/checked/" + noCheck, owner: "manager"},
		"POST /api/v1/checks":    page("/api/v1/checks"),
		"POST /api/v1/documents": page("/api/v1/documents"),
		"GET /api/v1/referrals":  page("/api/v1/referrals"), "GET /api/v1/referrals/waiting": page("/api/v1/referrals/waiting"),
		"GET /api/v1/referrals/{case}": {own: "/api/v1/referrals/" + referred, missing: "/api/v1/referrals/T-1999-000001", owner: "seal"},
		// The first institution refers, and the second is told that there is an open case.
		"POST /api/v1/referrals": {own: "/api/v1/referrals", owner: "seal-2", sealed: func(bool) string { return string(referral) }},
		"POST /api/v1/referrals/declined": {own: "/api/v1/referrals/declined", missing: "/api/v1/referrals/declined", owner: "seal", sealed: func(missing bool) string {
			of := waits
			if missing {
				of = "T-1999-000001"
			}
			return `{"case":"` + of + `","reason":"did_not_come","words":""}`
		}},
		"GET /institution": page("/institution"), "GET /institution/refer": page("/institution/refer"), "POST /institution/refer": {own: "/institution/refer", form: url.Values{"do": {"check"}}},
		"GET /institution/referred":                page("/institution/referred"),
		"GET /institution/referrals/{case}":        {own: "/institution/referrals/" + referred, missing: noReferral, owner: "clinic"},
		"GET /institution/waiting/{case}":          {own: "/institution/waiting/" + waits, missing: noWaiting, owner: "clinic"},
		"POST /institution/waiting/{case}":         {own: "/institution/waiting/" + waits, missing: noWaiting, form: url.Values{"reason": {"did_not_come"}}, owner: "clinic"},
		"GET /institution/waiting/{case}/declined": {own: "/institution/waiting/" + waits + "/declined", missing: noWaiting + "/declined", owner: "clinic"},
		"GET /api/v1/checks/{id}":                  {own: "/api/v1/checks/" + check, missing: "/api/v1/checks/" + noCheck, owner: "bank-api"},
		"POST /oauth/token":                        {own: "/oauth/token", form: url.Values{"grant_type": {"client_credentials"}}},

		"GET /cabinet": page("/cabinet"), "GET /cabinet/messages": page("/cabinet/messages"),
		"POST /cabinet/messages/read": {own: "/cabinet/messages/read", form: url.Values{"upto": {"0"}}},
		"POST /cabinet/messages/{id}": {own: "/cabinet/messages/" + w.message(), missing: "/cabinet/messages/999999", form: url.Values{}},
		"GET /cabinet/channel":        page("/cabinet/channel"), "POST /cabinet/channel": {own: "/cabinet/channel", form: url.Values{"channel": {"cabinet"}, "lang": {"az"}}},
		"GET /cabinet/channel/{id}":        {own: "/cabinet/channel/" + w.contact(), missing: "/cabinet/channel/999999"},
		"POST /cabinet/channel/{id}":       {own: "/cabinet/channel/" + w.contact(), missing: "/cabinet/channel/999999", form: url.Values{"code": {"000000"}}},
		"POST /cabinet/channel/{id}/again": {own: "/cabinet/channel/" + w.contact() + "/again", missing: "/cabinet/channel/999999/again", form: url.Values{}},
		"GET /demo/sent":                   page("/demo/sent"),
		"GET /lookup":                      page("/lookup"), "POST /lookup": {own: "/lookup", form: url.Values{}},
		"GET /cabinet/lookup": page("/cabinet/lookup"), "POST /cabinet/lookup": {own: "/cabinet/lookup", form: url.Values{"open": {"no"}}},
		"POST /api/v1/lookups": page("/api/v1/lookups"), "GET /api/v1/lookups/openapi.json": page("/api/v1/lookups/openapi.json"),
		"GET /api/v1/referrals/openapi.json": page("/api/v1/referrals/openapi.json"),
		"GET /demo/clock":                    page("/demo/clock"), "POST /demo/clock": {own: "/demo/clock", form: url.Values{"day": {"31.12.2020"}}},
		"GET /cabinet/examinations": page("/cabinet/examinations"), "GET /cabinet/contracts": page("/cabinet/contracts"),
		"GET /cabinet/examinations/{number}": {own: exam, missing: "/cabinet/examinations/M-1999-000001"},
		"GET /cabinet/contracts/{number}":    {own: job, missing: "/cabinet/contracts/K-1999-0000001"},
		"GET /cabinet/excerpts":              page("/cabinet/excerpts"),
		"GET /cabinet/excerpts/new": {own: "/cabinet/excerpts/new?kind=examination&key=a-key-of-a-form-of-a-test0&number=" + newExcerpt.Get("number"),
			missing: "/cabinet/excerpts/new?kind=examination&key=a-key-of-a-form-of-a-test0&number=M-1999-000001"},
		"POST /cabinet/excerpts":                   {own: "/cabinet/excerpts", form: newExcerpt},
		"GET /cabinet/excerpts/{number}":           {own: excerpt, missing: noExcerpt},
		"GET /cabinet/excerpts/{number}/pdf":       {own: excerpt + "/pdf", missing: noExcerpt + "/pdf"},
		"GET /cabinet/excerpts/{number}/withdraw":  {own: withdrawn + "/withdraw", missing: noExcerpt + "/withdraw"},
		"POST /cabinet/excerpts/{number}/withdraw": {own: withdrawn + "/withdraw", missing: noExcerpt + "/withdraw", form: url.Values{}},
		"GET /cabinet/checks-of-mine":              page("/cabinet/checks-of-mine"), "GET /cabinet/checks-of-mine.csv": page("/cabinet/checks-of-mine.csv"),
		"GET /cabinet/checked-by-me": page("/cabinet/checked-by-me"), "GET /cabinet/checked-by-me.csv": page("/cabinet/checked-by-me.csv"),

		"GET /draws": page("/draws"), "GET /draws/{round}.json": page("/draws/none.json"),
		"GET /inspection":        page("/inspection"),
		"GET /inspection/clocks": page("/inspection/clocks"), "GET /inspection/clocks.csv": page("/inspection/clocks.csv"),
		"GET /inspection/draws": page("/inspection/draws"), "GET /inspection/draws.csv": page("/inspection/draws.csv"),
		"GET /inspection/findings": page("/inspection/findings"), "GET /inspection/findings.csv": page("/inspection/findings.csv"),
		"GET /inspection/looks": page("/inspection/looks"), "GET /inspection/looks.csv": page("/inspection/looks.csv"),
		"GET /inspection/statistics": page("/inspection/statistics"), "GET /inspection/statistics.csv": page("/inspection/statistics.csv"),
		"GET /inspection/case":        page("/inspection/case"),
		"POST /inspection/case":       {own: "/inspection/case", form: url.Values{"number": {"T-1999-000001"}, "purpose": {"court"}}},
		"GET /inspection/case/{look}": {own: w.looked(filed), missing: "/inspection/case/AAAAAAAAAAAAAAAAAAAAAAAAAA", owner: "inspector"},

		"GET /filing": page("/filing"), "POST /filing": {own: "/filing", form: url.Values{"document": {"AA0000000"}, "fin": {"0000000"}}},
		"GET /filing/{visit}":                    {own: visit, missing: noVisit, owner: "post"},
		"POST /filing/{visit}/apply":             {own: visit + "/apply", missing: noVisit + "/apply", form: url.Values{}, owner: "post"},
		"GET /filing/{visit}/withdraw/{number}":  {own: visit + "/withdraw/" + filed, missing: noVisit + "/withdraw/" + filed, owner: "post"},
		"POST /filing/{visit}/withdraw/{number}": {own: visit + "/withdraw/" + filed, missing: noVisit + "/withdraw/" + filed, form: url.Values{}, owner: "post"},
		"GET /filing/{visit}/receipt/{number}":   {own: visit + "/receipt/" + filed, missing: noVisit + "/receipt/" + filed, owner: "post"},
		"GET /filing/{visit}/appeal/{number}":    {own: present + "/appeal/" + decided, missing: noVisit + "/appeal/" + decided, owner: "post"},
		"POST /filing/{visit}/appeal/{number}":   {own: present + "/appeal/" + decided, missing: noVisit + "/appeal/" + decided, form: url.Values{"key": {"AAAAAAAAAAAAAAAAAAAAAAAAAA"}}, owner: "post"},
		"GET /filing/{visit}/correct/{number}":   {own: present + "/correct/" + decided, missing: noVisit + "/correct/" + decided, owner: "post"},
		"POST /filing/{visit}/correct/{number}":  {own: present + "/correct/" + decided, missing: noVisit + "/correct/" + decided, form: url.Values{"key": {"AAAAAAAAAAAAAAAAAAAAAAAAAA"}}, owner: "post"},
		"POST /filing/{visit}/end":               {own: visit + "/end", missing: noVisit + "/end", form: url.Values{}, owner: "post"},

		"GET /cabinet/programmes/{number}":            {own: plan, missing: noProgramme, owner: "sevinc"},
		"GET /cabinet/programmes/{number}/decline":    {own: plan + "/decline", missing: noProgramme + "/decline", owner: "sevinc"},
		"POST /cabinet/programmes/{number}/wish":      {own: plan + "/wish", missing: noProgramme + "/wish", form: url.Values{"wish": {"Evə gəlin"}}, owner: "sevinc"},
		"POST /cabinet/programmes/{number}/answer":    {own: plan + "/answer", missing: noProgramme + "/answer", form: url.Values{"n": {"1"}, "word": {"agreed"}}, owner: "sevinc"},
		"POST /cabinet/programmes/{number}/decline":   {own: plan + "/decline", missing: noProgramme + "/decline", form: url.Values{}, owner: "sevinc"},
		"POST /cabinet/programmes/{number}/again":     {own: plan + "/again", missing: noProgramme + "/again", form: url.Values{"key": {wrote}}, owner: "sevinc"},
		"GET /cabinet/corrections/new/{number}":       {own: "/cabinet/corrections/new/" + kase[strings.LastIndex(kase, "/")+1:], missing: "/cabinet/corrections/new/T-1999-000001"},
		"POST /cabinet/corrections/new/{number}":      {own: "/cabinet/corrections/new/" + kase[strings.LastIndex(kase, "/")+1:], missing: "/cabinet/corrections/new/T-1999-000001", form: url.Values{"key": {"AAAAAAAAAAAAAAAAAAAAAAAAAA"}}},
		"GET /cabinet/corrections/{number}":           {own: "/cabinet/corrections/" + correction, missing: "/cabinet/corrections/T-1999-000001", owner: "sevinc"},
		"POST /cabinet/corrections/{number}/withdraw": {own: "/cabinet/corrections/" + correction + "/withdraw", missing: "/cabinet/corrections/T-1999-000001/withdraw", form: url.Values{}, owner: "sevinc"},
		"GET /rehabilitation":                         page("/rehabilitation"),
		"GET /rehabilitation/{number}":                {own: bodyCase, missing: noBodyCase, owner: "rehab"},
		"POST /rehabilitation/{number}/take":          {own: bodyCase + "/take", missing: noBodyCase + "/take", form: url.Values{}, owner: "rehab"},
		"POST /rehabilitation/{number}/invite":        {own: bodyCase + "/invite", missing: noBodyCase + "/invite", form: url.Values{"day": {workday(w.t, today, 3).ISO()}, "time": {"10:00"}, "place": {"Nümunə küçəsi 1"}}, owner: "rehab"},
		"POST /rehabilitation/{number}/lapse":         {own: bodyCase + "/lapse", missing: noBodyCase + "/lapse", form: url.Values{}, owner: "rehab"},
		"POST /rehabilitation/{number}/draft":         {own: bodyCase + "/draft", missing: noBodyCase + "/draft", form: url.Values{}, owner: "rehab"},
		"POST /rehabilitation/{number}/enter":         {own: bodyCase + "/enter", missing: noBodyCase + "/enter", form: url.Values{"n": {"1"}}, owner: "rehab"},

		"GET /commission": page("/commission"), "GET /commission/{number}": {own: "/commission/" + seat, missing: "/commission/00000000", owner: "chair"},
		"GET /commission/{number}/signed":    {own: "/commission/" + seat + "/signed", missing: "/commission/00000000/signed", owner: "chair"},
		"POST /commission/{number}/findings": {own: "/commission/" + seat + "/findings", missing: "/commission/00000000/findings", form: url.Values{"do": {"save"}}, owner: "chair"},
		"POST /commission/{number}/sign":     {own: "/commission/" + seat + "/sign", missing: "/commission/00000000/sign", form: url.Values{}, owner: "chair"},
		"POST /commission/{number}/refuse":   {own: "/commission/" + seat + "/refuse", missing: "/commission/00000000/refuse", form: url.Values{"reason": {"Yox"}}, owner: "chair"},
		"POST /commission/{number}/absent":   {own: "/commission/" + seat + "/absent", missing: "/commission/00000000/absent", form: url.Values{"n": {"1"}}, owner: "chair"},
		"POST /commission/{number}/extend":   {own: "/commission/" + seat + "/extend", missing: "/commission/00000000/extend", form: url.Values{"longer": {"Daha uzun"}}, owner: "chair"},

		"GET /cabinet/cases": page("/cabinet/cases"), "GET /cabinet/cases/new": page("/cabinet/cases/new?key=AAAAAAAAAAAAAAAAAAAAAAAAAA"),
		"POST /cabinet/cases":                   {own: "/cabinet/cases", form: url.Values{"key": {"AAAAAAAAAAAAAAAAAAAAAAAAAA"}}},
		"GET /cabinet/cases/{number}":           {own: kase, missing: noCase},
		"GET /cabinet/cases/{number}/package":   {own: "/cabinet/cases/" + decided + "/package", missing: noCase + "/package", owner: "sevinc"},
		"GET /cabinet/cases/{number}/withdraw":  {own: kase + "/withdraw", missing: noCase + "/withdraw"},
		"POST /cabinet/cases/{number}/withdraw": {own: kase + "/withdraw", missing: noCase + "/withdraw", form: url.Values{}},
		"GET /cabinet/cases/{number}/appeal":    {own: "/cabinet/cases/" + decided + "/appeal?key=" + wrote, missing: noCase + "/appeal?key=" + wrote, owner: "sevinc"},
		"POST /cabinet/cases/{number}/appeal":   {own: "/cabinet/cases/" + decided + "/appeal", missing: noCase + "/appeal", form: url.Values{"key": {wrote}, "points": {"term"}}, owner: "sevinc"},
		"GET /cabinet/cases/{number}/slot":      {later: appealed, missing: noCase + "/slot", owner: "sevinc"},
		"POST /cabinet/cases/{number}/slot":     {later: appealed, missing: noCase + "/slot", form: url.Values{"do": {"cannot"}}, owner: "sevinc"},

		"GET /demo-provider/.well-known/openid-configuration": page("/demo-provider/.well-known/openid-configuration"),
		"GET /demo-provider/authorize":                        page("/demo-provider/authorize"), "POST /demo-provider/authorize": {own: "/demo-provider/authorize", form: url.Values{}},
		"GET /demo-provider/end_session": page("/demo-provider/end_session"), "GET /demo-provider/jwks": page("/demo-provider/jwks"),
		"POST /demo-provider/token": {own: "/demo-provider/token", form: url.Values{}},
		"GET /signin":               page("/signin?to=/cabinet"), "GET /signin/callback": page("/signin/callback"), "GET /signin/out": page("/signin/out"),
		// Last, because they change who somebody is: acting for another, signing out.
		"POST /cabinet/act": {own: "/cabinet/act", form: url.Values{"organisation": {"999999"}}},
		"POST /signout":     {own: "/signout", form: url.Values{}},
	}
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// What differs between two answers of the same page: numbers of requests, random keys of forms, and the id that was asked for.
var volatile = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{10,}|(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}|[EMKT]-\d{4}-\d+|(messages|channel|commission)(/|%2F)\d+`)

func TestEveryRouteForEveryRole(t *testing.T) {
	w := open(t, 5)
	type actor struct {
		name   string
		client *http.Client
		token  string
		seal   string // the folder of an institution's seal, which it puts on whatever it sends to the API of referrals
	}
	nermin, elcin := w.as("nermin", ""), w.as("elcin", "")
	e := w.drawn(nermin, "examination")
	excerpt := w.itemPath(nermin)
	w.drawn(nermin, "contract")
	withdrawn := w.itemPath(nermin)
	bank := w.apiToken()
	check, _ := w.apiCheck(bank, e.Code)
	seat, referred, chair, member := w.seat("gunay")
	w.secondClinic("samir")
	actors := []actor{
		{name: "nobody", client: &http.Client{}}, {name: "nermin", client: nermin.http}, {name: "elcin", client: elcin.http},
		{name: "clerk", client: w.as("aysel", "bank").http}, {name: "manager", client: w.as("murad", "bank").http}, {name: "market", client: w.as("konul", "market").http},
		{name: "bank-api", client: &http.Client{}, token: bank}, {name: "other-api", client: &http.Client{}, token: w.otherToken("market")}, {name: "wrong-api", client: &http.Client{}, token: "0000000000"},
		{name: "chair", client: chair.http}, {name: "member", client: member.http}, {name: "clinic", client: w.as("nigar", "clinic").http}, {name: "post", client: w.as("zaur", "post").http},
		{name: "inspector", client: w.as("orxan", "inspection").http}, {name: "rehab", client: w.as("sevda", "rehabilitation").http}, {name: "calls-api", client: &http.Client{}, token: w.otherToken("calls")},
	}
	actors = append(actors,
		actor{name: "sevinc", client: w.as("sevinc", "").http}, actor{name: "clinic-2", client: w.asOf("samir", secondVOEN).http},
		actor{name: "seal", client: &http.Client{}, seal: "clinic"}, actor{name: "seal-2", client: &http.Client{}, seal: "clinic-2"},
	)
	routes := w.routes(nermin, e, excerpt, withdrawn, check, seat, referred)
	var names []string
	chi.Walk(w.app.router, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		name := method + " " + pattern
		if _, ok := routes[name]; !ok {
			t.Errorf("%s has no row: say who may ask for it", name)
			return nil
		}
		names = append(names, name)
		return nil
	})
	for name := range routes {
		if !slices.Contains(names, name) {
			t.Errorf("%s has a row and is no route", name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		last := func(s string) int { return slices.Index(lastRoutes, s) }
		if d := last(a) - last(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var got strings.Builder
	fmt.Fprint(&got, "# Status by route and role; after a slash, for an id that nobody has. Ids are of whoever is answered positively; seal is an institution's program, which asks the API alone.\n")
	fmt.Fprintf(&got, "%-52s", "route")
	for _, a := range actors {
		fmt.Fprintf(&got, " %-9s", a.name)
	}
	got.WriteString("\n")
	for _, name := range names {
		r := routes[name]
		method, _, _ := strings.Cut(name, " ")
		fmt.Fprintf(&got, "%-52s", name)
		owner, own := cmp.Or(r.owner, "nermin"), r.own
		if r.later != nil {
			own = r.later()
		}
		// The owner comes last, so that nobody is refused only because the owner was there before.
		cells := make(map[string]string)
		order := slices.SortedStableFunc(slices.Values(actors), func(a, b actor) int { return compareBool(a.name == owner, b.name == owner) })
		for _, a := range order {
			if a.seal != "" && !strings.Contains(name, " /api/") { // it is a program, which has nothing else to say
				cells[a.name] = "-"
				continue
			}
			try := func(path string, missing bool) (int, string) {
				token, form, sealed := a.token, r.form, ""
				if r.sealed != nil {
					sealed = r.sealed(missing)
				}
				switch {
				case a.seal != "" && strings.HasPrefix(path, "/api/v1/referrals") && method == http.MethodGet:
					token = "Seal " + w.sealIn(a.seal, sealedGet(w.address+path), nil)
				case a.seal != "" && sealed != "":
					sealed = w.sealIn(a.seal, []byte(sealed), nil)
				}
				if sealed != "" {
					return w.sendBy(a.client, path, token, sealed)
				}
				status, _, body := w.ask(a.client, method, path, token, form)
				return status, body
			}
			status, body := try(own, false)
			cells[a.name] = fmt.Sprint(status)
			if r.missing == "" {
				continue
			}
			none, nothing := try(r.missing, true)
			cells[a.name] += fmt.Sprint("/", none)
			if status == none && volatile.ReplaceAllString(body, "*") != volatile.ReplaceAllString(nothing, "*") {
				t.Errorf("%s tells %s a foreign id from none:\n%s\n%s", name, a.name, body, nothing)
			}
			if slices.Contains(everybodys, name) {
				continue
			}
			if a.name != owner && status != none {
				t.Errorf("%s answers %s %d for a foreign id, and %d for one that nobody has", name, a.name, status, none)
			}
			granted := status == http.StatusOK || status == http.StatusSeeOther
			if a.name == owner && granted != (notGranted[name] == "") {
				t.Errorf("%s answers its owner %d: %s", name, status, body)
			}
			if a.name == owner && (status == none || none != http.StatusNotFound) && leadsOn[name] == "" {
				t.Errorf("%s answers its owner %d, and %d for an id that nobody has", name, status, none)
			}
		}
		for _, a := range actors {
			fmt.Fprintf(&got, " %-9s", cells[a.name])
		}
		got.WriteString("\n")
	}
	text := regexp.MustCompile(` +\n`).ReplaceAllString(got.String(), "\n")
	const golden = "testdata/routes.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("who may do what has changed:\n%s", text)
	}
}

// otherToken is a token of a program of an organisation.
func (w *world) otherToken(key string) string {
	w.t.Helper()
	operator := organisationdb.Operator{Pool: w.app.Pools.Operator, Now: time.Now, Rand: rand.Reader}
	of := people.Organisations[slices.IndexFunc(people.Organisations, func(o people.Organisation) bool { return o.Key == key })]
	client, secret, err := operator.AddClient(w.t.Context(), of.VOEN, "Başqa proqram")
	if err != nil {
		w.t.Fatal(err)
	}
	other := mainJob{address: w.address, client: summaryClient{client.ID, string(secret)}}
	token, err := other.token(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// seat has somebody of the cast referred, waits for the draw, and gives the blind number, the case's own, the one who was drawn to
// chair, and a member of another commission.
func (w *world) seat(who string) (number, referred string, chair, other *visitor) {
	w.t.Helper()
	// Nobody of the cast may be drawn: whoever chairs is not in the book of persons, each time.
	if _, err := w.db.Admin.Exec(w.t.Context(), `UPDATE commissions SET closed_at = now() WHERE id = 'K01'`); err != nil {
		w.t.Fatal(err)
	}
	a, today := people.Who(who), tesdiq.DateOf(time.Now())
	status, body := w.send(w.seal([]byte(fmt.Sprintf(
		`{"number":"88/7","on":%q,"subject":%q,"born":%q,"ground":"1.5.1","main":{"code":"M05.8","since":%q},"physicians":["2AB3C4D"]}`,
		today.ISO(), a.FIN, a.Born.ISO(), today.AddYears(-2).ISO())), nil))
	var said struct{ Case string }
	if err := json.Unmarshal([]byte(body), &said); err != nil || status != http.StatusOK {
		w.t.Fatalf("%d %s", status, body)
	}
	w.until("/"+said.Case, tseras.Drawn)
	var fin tesdiq.FIN
	if err := w.db.Admin.QueryRow(w.t.Context(), `
		SELECT b.number, m.fin
		FROM cases c JOIN tseras_blind b ON b.case_id = c.id JOIN tseras_seats s ON s.number = b.number JOIN commission_members m ON m.id = s.member_id
		WHERE c.number = $1 AND s.role = 'chair'`, said.Case).Scan(&number, &fin); err != nil {
		w.t.Fatal(err)
	}
	for _, c := range people.Commissions {
		sits := slices.IndexFunc(c.Members, func(m people.Actor) bool { return m.FIN == fin })
		v, err := w.signIn(w.t.Context(), c.Members[max(sits, 0)], "", "/commission")
		if err != nil {
			w.t.Fatal(err)
		}
		if sits >= 0 {
			chair = v
		} else {
			other = v
		}
	}
	if chair == nil {
		w.t.Fatalf("%s sits in no commission of the demonstration's", fin)
	}
	return number, said.Case, chair, other
}

// itemPath is the address of the newest excerpt.
func (w *world) itemPath(v *visitor) string {
	w.t.Helper()
	if err := v.open(w.t.Context(), w.address+"/cabinet/excerpts"); err != nil {
		w.t.Fatal(err)
	}
	if err := v.follow(w.t.Context(), "/cabinet/excerpts/E-", ""); err != nil {
		w.t.Fatal(err)
	}
	return v.at.Path
}
