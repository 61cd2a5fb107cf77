package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/web"
)

var timed = flag.Int("lookups", 0, "how many answers of the look-up without sign-in to time (S10: 20000); 0: compare what they say, and no times")

// asker asks the running service without signing in, each time from another address.
type asker struct {
	*world
	token string
	n     atomic.Int64
}

// said is an answer as whoever asked gets it, without the date.
type said struct {
	Status int
	Header http.Header
	Body   string
	took   time.Duration
}

// lookups starts the service with other limits, behind a proxy whose word on addresses is believed.
func lookups(t *testing.T, n int, limits map[string]int) *asker {
	t.Helper()
	book, err := lookup.ReadBook()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]int{"proof_parts": 1, "proof_rounds": 1, "proof_bits": 1, "proof_doublings": 0, "address_day": 1_000_000, "misses_hour": 1_000_000,
		"office_day": 1_000_000, "operator_hour": 1_000_000, "answer_ms": 20}
	maps.Copy(values, limits)
	book = book.With(values)
	a := &asker{world: open(t, n, func(p *parts) { p.Lookups, p.Proxies = &book, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })}
	a.token = a.otherToken("calls")
	return a
}

// ask sends a request from an address of its own.
func (a *asker) ask(method, path, media string, body []byte, headers map[string]string) said {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.address+path, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	n := a.n.Add(1)
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.7", n>>8&255, n&255))
	r.Header.Set("Content-Type", media)
	r.Header.Set("Accept-Language", "en")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	began := time.Now()
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		a.t.Error(err)
		return said{}
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Error(err)
	}
	answer.Header.Del("Date")
	return said{answer.StatusCode, answer.Header, string(b), time.Since(began)}
}

func form(values url.Values) (media string, body []byte) {
	return "application/x-www-form-urlencoded", []byte(values.Encode())
}

var puzzleOnPage = regexp.MustCompile(`data-puzzle="([^"]+)"`)

// ways are how a question is asked over HTTP.
func (a *asker) ways() map[lookup.Way]func(lookup.Question) said {
	typed := func(q lookup.Question) url.Values {
		return url.Values{"document": {string(q.Card)}, "born": {q.Born.String()}}
	}
	return map[lookup.Way]func(lookup.Question) said{
		lookup.ByTelephone: func(q lookup.Question) said {
			media, body := form(typed(q))
			return a.ask(http.MethodPost, "/lookup", media, body, nil)
		},
		lookup.ByPage: func(q lookup.Question) said {
			page := a.ask(http.MethodGet, "/lookup", "", nil, nil)
			m := puzzleOnPage.FindStringSubmatch(page.Body)
			if m == nil {
				a.t.Errorf("the form has no puzzle: %d %.500s", page.Status, page.Body)
				return said{}
			}
			proof, err := lookup.Solve(m[1])
			if err != nil {
				a.t.Error(err)
			}
			values := typed(q)
			values.Set("puzzle", proof.Puzzle)
			values.Set("numbers", proof.Numbers)
			media, body := form(values)
			return a.ask(http.MethodPost, "/lookup", media, body, nil)
		},
		lookup.ByOffice: func(q lookup.Question) said {
			body, err := json.Marshal(map[string]string{"document": string(q.Card), "born": q.Born.ISO(), "operator": string(people.Who("leyla").FIN)})
			if err != nil {
				a.t.Error(err)
			}
			return a.ask(http.MethodPost, "/api/v1/lookups", "application/json", body, map[string]string{
				"Authorization": "Bearer " + a.token, "Idempotency-Key": fmt.Sprint("call ", a.n.Load(), " ", q.Card, rand.Uint64())})
		},
	}
}

// persons reads the question that matches each person of a statement.
func (a *asker) persons(where string) (all []lookup.Question) {
	a.t.Helper()
	rows, err := a.db.Admin.Query(a.t.Context(), `SELECT p.document, p.born FROM persons p WHERE NOT EXISTS (SELECT FROM persons o WHERE o.fin = p.fin AND o.entry_id <> p.entry_id) AND `+where+` ORDER BY p.fin`)
	if err != nil {
		a.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var q lookup.Question
		if err := rows.Scan(&q.Card, &q.Born); err != nil {
			a.t.Fatal(err)
		}
		all = append(all, q)
	}
	if err := rows.Err(); err != nil || len(all) == 0 {
		a.t.Fatalf("%d persons: %v", len(all), err)
	}
	return all
}

const (
	examined   = `EXISTS (SELECT FROM entries e WHERE e.book = 'examination' AND e.subject = p.fin AND e.act <> 'annul')`
	unexamined = `NOT EXISTS (SELECT FROM entries e WHERE e.book = 'examination' AND e.subject = p.fin)`
)

// cardDay is how often it may be asked about a card where causes are compared: more than any but one card is asked about.
const cardDay = 100

// causes are questions that show nothing, by their cause; each call gives another one. Half of the examined people are switched off, and about a fifth of
// their cards too much was asked already: of many, because whoever asks about one card at a time waits for the other, known or not.
func (a *asker) causes() map[string]func() lookup.Question {
	a.t.Helper()
	known := a.persons(examined)
	half, last := len(known)/2, len(known)-len(known)/5
	closed, open, used, never := known[:half], known[half:last], known[last:], a.persons(unexamined)
	if _, err := a.db.Admin.Exec(a.t.Context(), `INSERT INTO lookup_switches (subject, open, cause, at)
		SELECT p.fin, false, 'choice', now() FROM persons p JOIN unnest($1::text[]) AS c (document) ON c.document = p.document`, cardsOf(closed)); err != nil {
		a.t.Fatal(err)
	}
	var secret lookup.Secret
	if err := a.db.Admin.QueryRow(a.t.Context(), `SELECT key FROM lookup_secret`).Scan((*[]byte)(&secret)); err != nil {
		a.t.Fatal(err)
	}
	for _, q := range used {
		if _, err := a.db.Admin.Exec(a.t.Context(), `
			INSERT INTO lookup_tries (at, day, way, card, address, organisation_id, operator_fin, shown)
			SELECT now(), $2, w.way, $1, w.address, w.office, w.operator, true
			FROM (VALUES ('page', sha256('x'), NULL::bigint, NULL), ('office', NULL, 1, '5ZK8R2M')) AS w (way, address, office, operator), generate_series(1, $3)`,
			secret.Card(q.Card), tesdiq.DateOf(time.Now()), cardDay); err != nil {
			a.t.Fatal(err)
		}
	}
	one := func(from []lookup.Question) func() lookup.Question {
		return func() lookup.Question { return from[rand.IntN(len(from))] }
	}
	return map[string]func() lookup.Question{
		"no such card": func() lookup.Question {
			return lookup.Question{Card: tesdiq.DocumentNumber(fmt.Sprintf("AZ%07d", rand.IntN(10_000_000))), Born: one(open)().Born}
		},
		"another birthday": func() lookup.Question { q := one(open)(); q.Born = q.Born.AddDays(1 + rand.IntN(300)); return q },
		"switched off":     one(closed), "used up": one(used), "never examined": one(never),
	}
}

func cardsOf(all []lookup.Question) (cards []string) {
	for _, q := range all {
		cards = append(cards, string(q.Card))
	}
	return cards
}

// P1, S10: of an answer that shows nothing nobody can tell why: one body, one set of headers, one size for each way of asking; and, when it is timed,
// one time.
func TestNobodyLearnsAnythingFromAnswersThatShowNothing(t *testing.T) {
	n, limits := 60, map[string]int{"card_day": cardDay, "office_card_day": cardDay}
	if *timed > 0 {
		n, limits["answer_ms"] = 2000, 300 // as it is published
	}
	a := lookups(t, n, limits)
	causes, ways := a.causes(), a.ways()
	names := slices.Sorted(maps.Keys(causes))
	for _, way := range []lookup.Way{lookup.ByTelephone, lookup.ByPage, lookup.ByOffice} {
		ask, rounds, at := ways[way], 12, 4
		if *timed > 0 {
			rounds, at = *timed/len(names), 16
		}
		one := ask(causes["no such card"]())
		if one.Status != http.StatusOK || !strings.Contains(one.Body, map[lookup.Way]string{lookup.ByTelephone: "Your question was received", lookup.ByPage: "There is no result to show", lookup.ByOffice: `"status":"none"`}[way]) {
			t.Fatalf("%s: %d %s", way, one.Status, one.Body)
		}
		var mu sync.Mutex
		times := map[string][]float64{}
		var all sync.WaitGroup
		work := make(chan string)
		for range at {
			all.Go(func() {
				for name := range work {
					got := ask(causes[name]())
					mu.Lock()
					times[name] = append(times[name], float64(got.took)/float64(time.Millisecond))
					if got.Status != one.Status || got.Body != one.Body || !maps.EqualFunc(got.Header, one.Header, slices.Equal[[]string]) {
						t.Errorf("%s, %s: %d %v\n%s\ninstead of %d %v\n%s", way, name, got.Status, got.Header, got.Body, one.Status, one.Header, one.Body)
					}
					mu.Unlock()
				}
			})
		}
		for range rounds {
			for _, name := range names {
				work <- name
			}
		}
		close(work)
		all.Wait()
		if *timed > 0 {
			compareTimes(t, way, "no such card", times)
		}
	}
	if a.count(`SELECT count(*) FROM lookups WHERE outcome = 'closed'`) == 0 || a.count(`SELECT count(*) FROM lookups WHERE outcome = 'none'`) == 0 {
		t.Error("the questions matched nobody: nothing was compared")
	}
}

func (a *asker) count(sql string, args ...any) (n int) {
	a.t.Helper()
	if err := a.db.Admin.QueryRow(a.t.Context(), sql, args...).Scan(&n); err != nil {
		a.t.Fatal(err)
	}
	return n
}

// compareTimes compares each cause's times, in milliseconds, with those of one: medians closer than half a millisecond, and by Kolmogorov and Smirnov no
// difference (S10).
func compareTimes(t *testing.T, way lookup.Way, with string, times map[string][]float64) {
	t.Helper()
	for _, all := range times {
		slices.Sort(all)
	}
	for _, name := range slices.Sorted(maps.Keys(times)) {
		x, y := times[with], times[name]
		delta := math.Abs(x[len(x)/2] - y[len(y)/2])
		d, p := kolmogorovSmirnov(x, y)
		t.Logf("%-9s %-16s n=%d median %.3f ms, 99%% %.1f ms; to %q: Δmedian %.3f ms, D=%.4f, p=%.3f", way, name, len(y), y[len(y)/2], y[len(y)*99/100], with, delta, d, p)
		if name != with && (delta >= 0.5 || p <= 0.01) {
			t.Errorf("%s: %q can be told from %q by its time", way, name, with)
		}
	}
}

// kolmogorovSmirnov compares two sorted samples: the largest distance of their distributions, and how likely as large a one is when both are the same
// (the asymptotic formula of Kolmogorov, as in Press et al., Numerical Recipes, 14.3).
func kolmogorovSmirnov(x, y []float64) (d, p float64) {
	for i, j := 0, 0; i < len(x) && j < len(y); {
		v := min(x[i], y[j])
		for i < len(x) && x[i] == v {
			i++
		}
		for j < len(y) && y[j] == v {
			j++
		}
		d = max(d, math.Abs(float64(i)/float64(len(x))-float64(j)/float64(len(y))))
	}
	n := math.Sqrt(float64(len(x)) * float64(len(y)) / float64(len(x)+len(y)))
	lambda := (n + 0.12 + 0.11/n) * d
	for k, sign := 1.0, 1.0; k <= 100; k, sign = k+1, -sign {
		p += 2 * sign * math.Exp(-2*lambda*lambda*k*k)
	}
	return d, min(max(p, 0), 1)
}

func TestTimesAreComparedRightly(t *testing.T) {
	sample := func(shift float64, seed uint64) []float64 {
		r := rand.New(rand.NewPCG(1, seed))
		all := make([]float64, 4000)
		for i := range all {
			all[i] = r.ExpFloat64() + shift
		}
		slices.Sort(all)
		return all
	}
	if _, p := kolmogorovSmirnov(sample(0, 1), sample(0, 2)); p < 0.01 {
		t.Errorf("the same: p = %g", p)
	}
	if d, p := kolmogorovSmirnov(sample(0, 1), sample(0.1, 2)); p > 1e-6 || d < 0.05 {
		t.Errorf("another: D = %g, p = %g", d, p)
	}
}

// P3: everybody who was looked up is told in the cabinet with the answer itself, and at once by telephone.
func TestEverybodyWhoIsLookedUpHearsOfIt(t *testing.T) {
	a := lookups(t, 40, nil)
	known := a.persons(examined)
	for i, q := range known {
		if _, err := a.db.Admin.Exec(t.Context(), `
			WITH p AS (SELECT fin FROM persons WHERE document = $1 AND born = $2),
			c AS (INSERT INTO contacts (fin, channel, address, lang, given_at) SELECT fin, 'sms', $3, 'az', now() FROM p RETURNING id, fin, channel),
			k AS (INSERT INTO contact_confirmations (contact_id, fin, channel, confirmed_at) SELECT id, fin, channel, now() FROM c)
			SELECT 1`, q.Card, q.Born, fmt.Sprintf("+99450%07d", 1000000+i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.db.Admin.Exec(t.Context(), `INSERT INTO channel_choices (fin, channel, contact_id, lang, chosen_at) SELECT fin, 'sms', contact_id, 'az', now() FROM contact_confirmations`); err != nil {
		t.Fatal(err)
	}
	began, ways := time.Now(), a.ways()
	for _, way := range []lookup.Way{lookup.ByPage, lookup.ByTelephone, lookup.ByOffice} {
		for _, q := range known {
			if got := ways[way](q); got.Status != http.StatusOK {
				t.Fatalf("%s: %d %s", way, got.Status, got.Body)
			}
		}
		if n := a.count(`SELECT count(*) FROM lookups l WHERE NOT EXISTS (SELECT FROM messages m WHERE m.fin = l.subject AND m.sent_at = l.at AND m.key LIKE 'lookup.message.%')`); n != 0 {
			t.Errorf("%s: %d people find nothing in their cabinets", way, n)
		}
	}
	if n := a.count(`SELECT count(*) FROM lookups`); n != 3*len(known) {
		t.Errorf("%d of %d questions are recorded", n, 3*len(known))
	}
	for a.count(`SELECT count(*) FROM lookups l JOIN messages m ON m.fin = l.subject AND m.sent_at = l.at JOIN outbox_states s ON s.message_id = m.id AND s.state IN ('sent', 'delivered')`) < 3*len(known) {
		if time.Since(began) > time.Minute {
			t.Fatal("not all of them have an SMS after a minute")
		}
		time.Sleep(50 * time.Millisecond)
	}
	log := a.log.String()
	for _, q := range known {
		for _, secret := range []string{string(q.Card), q.Born.ISO(), q.Born.String()} {
			if strings.Contains(log, secret) {
				t.Errorf("the log says %s", secret)
			}
		}
	}
	t.Logf("%d people, three questions each: the last SMS is out %s after the first question", len(known), time.Since(began).Round(time.Millisecond))
}

// While too much is asked in vain, the page says so before anybody types, gives no answer to anybody, and somebody is warned, once.
func TestWhileCardsAreGuessedNothingIsShown(t *testing.T) {
	a := lookups(t, 0, map[string]int{"misses_hour": 3})
	page, nermin := a.ways()[lookup.ByPage], people.Who("nermin")
	for i := range 3 {
		if got := page(lookup.Question{Card: tesdiq.DocumentNumber(fmt.Sprintf("AZ000000%d", i)), Born: nermin.Born}); !strings.Contains(got.Body, "There is no result to show") {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	}
	for range 2 {
		if got := page(lookup.Question{Card: nermin.Card, Born: nermin.Born}); got.Status != http.StatusOK || !strings.Contains(got.Body, "Your question was received") || regexp.MustCompile(`\d\d\.\d\d\.\d{4}`).MatchString(got.Body) {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if got := a.ask(http.MethodGet, "/lookup", "", nil, nil); !strings.Contains(got.Body, "At the moment answers are not shown on the page") {
		t.Errorf("the form does not say it: %s", got.Body)
	}
	if n := strings.Count(a.log.String(), "cards are being guessed"); n != 1 {
		t.Errorf("warned %d times", n)
	}
	if _, _, metrics := a.world.ask(http.DefaultClient, http.MethodGet, "/metrics", "", nil); !strings.Contains(metrics, "tesdiq_lookups_tripped_total 2") {
		t.Error("it is not counted for whoever watches")
	}
	// A call centre knows who asks: there it goes on.
	if got := a.ways()[lookup.ByOffice](lookup.Question{Card: nermin.Card, Born: nermin.Born}); !strings.Contains(got.Body, `"status":"decided"`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// What somebody types wrongly is told field by field, on the page with what he typed, and counts for nothing.
func TestWhatIsTypedWronglyIsToldByField(t *testing.T) {
	a := lookups(t, 0, nil)
	sentence, err := web.Sentences(tesdiq.En)
	if err != nil {
		t.Fatal(err)
	}
	nermin := people.Who("nermin")
	for name, c := range map[string]struct {
		document, born string
		want           []string
	}{
		"nothing":       {"", "", []string{"lookup.card.missing", "date.missing"}},
		"letters":       {"XX 12", "12.04.1988", []string{"document.malformed"}},
		"a day":         {"4071826", "31.02.1988", []string{"date.malformed"}},
		"the future":    {"4071826", "01.01.2199", []string{"date.future"}},
		"long ago":      {"4071826", "01.01.1860", []string{"lookup.born.early"}},
		"html":          {`"><script>`, "<b>", []string{"document.malformed", "date.malformed"}},
		"zero bytes":    {"4071826\x00", "12.04.1988", []string{"document.malformed"}},
		"very long":     {strings.Repeat("1", 5000), "1", []string{"document.malformed", "date.malformed"}},
		"right to left": {"\u202e4071826", "12.04.1988", []string{"document.malformed"}},
	} {
		media, body := form(url.Values{"document": {c.document}, "born": {c.born}})
		got := a.ask(http.MethodPost, "/lookup", media, body, nil)
		if got.Status != http.StatusUnprocessableEntity || strings.Contains(got.Body, "<script>\"") || !puzzleOnPage.MatchString(got.Body) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		for _, want := range c.want {
			if !strings.Contains(html.UnescapeString(got.Body), sentence(tesdiq.Invalid(want))) {
				t.Errorf("%s: does not say %q", name, want)
			}
		}
	}
	bearer := map[string]string{"Authorization": "Bearer " + a.token, "Idempotency-Key": "1"}
	good := fmt.Sprintf(`{"document":%q,"born":%q,"operator":%q}`, nermin.Card, nermin.Born.ISO(), people.Who("leyla").FIN)
	for name, c := range map[string]struct {
		media, body string
		headers     map[string]string
		status      int
		want        []string
	}{
		"no token":            {"application/json", good, nil, http.StatusUnauthorized, []string{"token.missing"}},
		"another's token":     {"application/json", good, map[string]string{"Authorization": "Bearer x"}, http.StatusUnauthorized, []string{"token.unknown"}},
		"a bank's token":      {"application/json", good, map[string]string{"Authorization": "Bearer " + a.apiToken()}, http.StatusForbidden, []string{"lookup.duty"}},
		"a form":              {"application/x-www-form-urlencoded", good, bearer, http.StatusUnsupportedMediaType, []string{"json.media"}},
		"no key":              {"application/json", good, map[string]string{"Authorization": bearer["Authorization"]}, http.StatusUnprocessableEntity, []string{"idempotency.malformed"}},
		"no JSON":             {"application/json", good[1:], bearer, http.StatusUnprocessableEntity, []string{"json.malformed"}},
		"nothing":             {"application/json", `{}`, bearer, http.StatusUnprocessableEntity, []string{"lookup.card.missing", "date.missing", "fin.malformed"}},
		"a number":            {"application/json", `{"document":4071826,"born":"12.04.1988","operator":"x"}`, bearer, http.StatusUnprocessableEntity, []string{"json.type"}},
		"more fields":         {"application/json", `{"document":"4071826","born":"12.04.1988","operator":"x","name":"y"}`, bearer, http.StatusUnprocessableEntity, []string{"json.unknown"}},
		"the same name twice": {"application/json", `{"document":"4071826","born":"12.04.1988","operator":"x","operator":"y"}`, bearer, http.StatusUnprocessableEntity, []string{"json.twice"}},
		"an operator of none": {"application/json", strings.Replace(good, string(people.Who("leyla").FIN), string(nermin.FIN), 1), bearer, http.StatusUnprocessableEntity, []string{"lookup.operator.unknown"}},
		"too large":           {"application/json", `{"document":"` + strings.Repeat("1", 5000) + `"}`, bearer, http.StatusRequestEntityTooLarge, []string{"too-large"}},
	} {
		got := a.ask(http.MethodPost, "/api/v1/lookups", c.media, []byte(c.body), c.headers)
		if got.Status != c.status || got.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
		for _, want := range c.want {
			if !strings.Contains(got.Body, want) {
				t.Errorf("%s: does not say %s: %s", name, want, got.Body)
			}
		}
	}
	if n := a.count(`SELECT count(*) FROM lookup_tries`); n != 0 {
		t.Errorf("%d of them are counted", n)
	}
	// With everything right it is one question, as often as it is sent; the same key for another is refused.
	for range 3 {
		if got := a.ask(http.MethodPost, "/api/v1/lookups", "application/json", []byte(good), bearer); got.Status != http.StatusOK || !strings.Contains(got.Body, `"status":"decided"`) || !strings.Contains(got.Body, "The next examination") {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if got := a.ask(http.MethodPost, "/api/v1/lookups", "application/json", []byte(strings.Replace(good, "1988", "1989", 1)), bearer); got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Body, "idempotency.other") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if n := a.count(`SELECT count(*) FROM lookups`); n != 1 {
		t.Errorf("%d looks", n)
	}
	description := a.ask(http.MethodGet, "/api/v1/lookups/openapi.json", "", nil, nil)
	var doc struct {
		Paths map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(description.Body), &doc); err != nil || doc.Paths["/api/v1/lookups"] == nil {
		t.Errorf("%v %.300s", err, description.Body)
	}
}
