package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// patience is how long the loops may take on a machine that is busy with other tests.
const loopPatience = 2 * time.Minute

// applied opens a case for somebody of the cast as his page does, waits until it is in a state, and gives its address.
func (w *world) applied(who string, want casework.State) string {
	w.t.Helper()
	v := w.as(who, "")
	_, head, _ := w.ask(v.http, http.MethodGet, "/cabinet/cases/new", "", nil)
	form, err := url.Parse(head.Get("Location"))
	if err != nil || form.Query().Get("key") == "" {
		w.t.Fatalf("the form is at %q: %v", head.Get("Location"), err)
	}
	status, head, body := w.ask(v.http, http.MethodPost, "/cabinet/cases", "", url.Values{"key": {form.Query().Get("key")}})
	if status != http.StatusSeeOther {
		w.t.Fatalf("apply: %d %s", status, body)
	}
	at := head.Get("Location")
	if _, again, _ := w.ask(v.http, http.MethodPost, "/cabinet/cases", "", url.Values{"key": {form.Query().Get("key")}}); again.Get("Location") != at {
		w.t.Errorf("sent twice: %s and %s", at, again.Get("Location"))
	}
	w.until(at, want)
	return at
}

// until waits for a case's state.
func (w *world) until(at string, want casework.State) {
	w.t.Helper()
	number, state := at[strings.LastIndex(at, "/")+1:], ""
	for end := time.Now().Add(loopPatience); state != string(want); time.Sleep(100 * time.Millisecond) {
		if err := w.db.Admin.QueryRow(w.t.Context(), `SELECT state FROM cases WHERE number = $1`, number).Scan(&state); err != nil {
			w.t.Fatal(err)
		}
		if time.Now().After(end) {
			w.t.Fatalf("%s is %s, want %s; %s", number, state, want, w.log)
		}
	}
}

// The road that needs no commission: apply, and the registers decide alone; the decision is read, its package computed
// again, and the excerpt of the new entry drawn.
func TestTheRegistersAloneDecideAndTheExcerptIsDrawn(t *testing.T) {
	w := open(t, 5)
	v, bank := w.as("sevinc", ""), w.apiToken()
	before := w.drawn(v, "examination") // of what was found a month ago
	if _, verdict := w.apiCheck(bank, before.Code); verdict != tesdiq.Valid {
		t.Errorf("before the decision: %s", verdict)
	}
	at := w.applied("sevinc", tseras.Decided)
	if _, verdict := w.apiCheck(bank, before.Code); verdict != tesdiq.Superseded {
		t.Errorf("an excerpt of what was found before is %s once it is decided anew", verdict)
	}
	for lang, words := range map[string][]string{
		"az": {"Heç bir məmur qərara qarışmayıb", "81–100", "Reyestrdəki qeydə bax"},
		"en": {"No official had a part in it", "What would change", "Heç kim"},
		"ru": {"Ни одно должностное лицо", "Основания"},
	} {
		status, _, body := w.ask(v.http, http.MethodGet, at+"?lang="+lang, "", nil)
		for _, word := range words {
			if lang == "en" && word == "Heç kim" {
				if strings.Contains(body, word) {
					t.Errorf("the English page has Azerbaijani words")
				}
				continue
			}
			if status != http.StatusOK || !strings.Contains(body, word) {
				t.Errorf("%s: %d, %q is not there: %s", lang, status, word, body)
			}
		}
		if strings.Contains(body, "tseras-person.") || strings.Contains(body, "criteria.") {
			t.Errorf("%s: a key without words: %s", lang, body)
		}
	}
	w.tellsTheDecision(v, "sevinc", at)
	number := at[strings.LastIndex(at, "/")+1:]
	const key = "?key=AAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, path := range []string{"/cabinet/cases", "/cabinet/cases/new" + key, at, at + "/appeal" + key, "/cabinet/corrections/new/" + number} {
		status, _, body := w.ask(v.http, http.MethodGet, path, "", nil)
		if status != http.StatusOK || strings.Contains(body, `type="file"`) || strings.Contains(body, "multipart/") || strings.Contains(body, `name="diagnos`) {
			t.Errorf("%s: %d, or it asks the person for a paper: %s", path, status, body)
		}
	}
	_, head, pack := w.ask(v.http, http.MethodGet, at+"/package?answers=no", "", nil)
	p, err := criteria.ReadPackage([]byte(pack))
	if err != nil {
		t.Fatal(err)
	}
	if _, r, err := p.Again(); err != nil || !r.Alone {
		t.Errorf("%+v, %v", r, err)
	}
	if strings.Contains(pack, string(people.Who("sevinc").FIN)) || !strings.Contains(head.Get("Content-Disposition"), "T-20") {
		t.Errorf("%s: %s", head.Get("Content-Disposition"), pack)
	}
	if _, verdict := w.apiCheck(bank, w.drawn(v, "examination").Code); verdict != tesdiq.Valid {
		t.Errorf("the excerpt of the new entry is %s", verdict)
	}
	if status, _, body := w.ask(w.as("elcin", "").http, http.MethodGet, at, "", nil); status != http.StatusNotFound || strings.Contains(body, "81–100") {
		t.Errorf("somebody else sees it: %d", status)
	}
}

// tellsTheDecision expects that the cabinet's message of a decision says the result, its reasons, what would change it, and until when and where it
// can be appealed; and that whoever sends SMS and e-mails can read none of it.
func (w *world) tellsTheDecision(v *visitor, who, at string) {
	w.t.Helper()
	until := tseras.AppealUntil(time.Now()).String()
	for lang, words := range map[string][]string{
		"az": {"Əlillik 81–100 faiz aralığında müəyyən edilir.", "Səbəblər", "onkoloji reyestr", "bənd 1.5.2", "Nə dəyişsə, qərar dəyişər", until + " tarixinədək şikayət edə bilərsiniz"},
		"en": {"Disability of the band 81–100 percent is found.", "Reasons", "What would change the decision", "You can appeal until " + until},
		"ru": {"Устанавливается инвалидность в пределах 81–100 процентов.", "Основания", "Что изменило бы решение", until},
	} {
		status, _, body := w.ask(v.http, http.MethodGet, "/cabinet/messages?lang="+lang, "", nil)
		for _, word := range append(words, `href="`+at+`/appeal"`) {
			if status != http.StatusOK || !strings.Contains(body, word) {
				w.t.Errorf("%s: the message does not say %q: %d %s", lang, word, status, body)
			}
		}
	}
	if _, _, body := w.ask(w.as("elcin", "").http, http.MethodGet, "/cabinet/messages", "", nil); strings.Contains(body, "81–100") {
		w.t.Error("somebody else reads it")
	}
	number, sender, fin := at[strings.LastIndex(at, "/")+1:], w.db.Pool(postgres.Sender), people.Who(who).FIN
	var args string
	if err := sender.QueryRow(w.t.Context(), `
		SELECT m.args::text FROM outbox o JOIN messages m ON m.id = o.message_id WHERE m.fin = $1 AND m.key = 'tseras.message.decided'`, fin).Scan(&args); err != nil || args != `{"Number": "`+number+`"}` {
		w.t.Errorf("the sender reads %s: %v", args, err)
	}
	for _, table := range []string{"cases", "tseras_decisions", "entries", "tseras_blind", "tseras_referrals", "case_steps"} {
		if _, err := sender.Exec(w.t.Context(), "SELECT FROM "+table); err == nil {
			w.t.Errorf("the sender reads %s", table)
		}
	}
}

// seal signs a referral as the polyclinic does; by another key than its own if one is given.
func (w *world) seal(payload []byte, other *ecdsa.PrivateKey) string {
	w.t.Helper()
	return w.sealIn("clinic", payload, other)
}

// sealIn signs by the seal that is in a folder.
func (w *world) sealIn(dir string, payload []byte, other *ecdsa.PrivateKey) string {
	w.t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(w.dir, dir, name))
		if err != nil {
			w.t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		return block.Bytes
	}
	key, err := x509.ParsePKCS8PrivateKey(read(clinicKey))
	if err != nil {
		w.t.Fatal(err)
	}
	if other != nil {
		key = other
	}
	id := sha256.Sum256(read(clinicSeal))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("x5t#S256", base64.RawURLEncoding.EncodeToString(id[:])))
	if err != nil {
		w.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		w.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		w.t.Fatal(err)
	}
	return text
}

// send sends a body to the API of referrals.
func (w *world) send(body string) (int, string) { return w.sendTo("/api/v1/referrals", body) }

func (w *world) sendTo(path, body string) (int, string) {
	return w.sendBy(http.DefaultClient, path, "", body)
}

// sendBy sends it as somebody who is signed in, or as a program with a token.
func (w *world) sendBy(c *http.Client, path, token, body string) (int, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.address+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/jose")
	if token != "" {
		r.Header.Set("Authorization", authorization(token))
	}
	a, err := c.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return a.StatusCode, string(b)
}

// A sealed referral opens a case, the same again is the same case, and what is wrong with one is said by its fields.
func TestAnInstitutionRefers(t *testing.T) {
	w := open(t, 5)
	a, today := people.Who("nermin"), tesdiq.DateOf(time.Now())
	good := tseras.Referral{
		Number: "88/1", On: today, Subject: a.FIN, Born: a.Born, Ground: tseras.LongTreatment, Main: tseras.Diagnosis{Code: "M05.8", Since: today.AddYears(-2)},
		Physicians: []tesdiq.FIN{"2AB3C4D"},
	}
	text := func(change func(*tseras.Referral)) []byte {
		r := good
		change(&r)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	same := func(*tseras.Referral) {}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"no signature":         {string(text(same)), http.StatusUnauthorized, "seal"},
		"another key":          {w.seal(text(same), stranger), http.StatusUnauthorized, "seal"},
		"no JSON":              {w.seal([]byte("{"), nil), http.StatusUnprocessableEntity, "json"},
		"a field too many":     {w.seal([]byte(`{"number":"1","name":"x"}`), nil), http.StatusUnprocessableEntity, "json"},
		"an unknown code":      {w.seal(text(func(r *tseras.Referral) { r.Main.Code = "ABC" }), nil), http.StatusUnprocessableEntity, "main.code"},
		"somebody else's FIN":  {w.seal(text(func(r *tseras.Referral) { r.Subject = people.Who("elcin").FIN }), nil), http.StatusUnprocessableEntity, "born"},
		"a date in the future": {w.seal(text(func(r *tseras.Referral) { r.On = today.AddDays(3) }), nil), http.StatusUnprocessableEntity, `"on"`},
		"too large":            {strings.Repeat("a", 70<<10), http.StatusRequestEntityTooLarge, ""},
	} {
		if status, body := w.send(c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	status, first := w.send(w.seal(text(same), nil))
	var said struct{ Case, State string }
	if err := json.Unmarshal([]byte(first), &said); err != nil || status != http.StatusOK || said.Case == "" {
		t.Fatalf("%d %s", status, first)
	}
	if status, again := w.send(w.seal(text(same), nil)); status != http.StatusOK || !strings.Contains(again, said.Case) {
		t.Errorf("again: %d %s", status, again)
	}
	if status, body := w.send(w.seal(text(func(r *tseras.Referral) { r.Number = "88/2" }), nil)); status != http.StatusConflict {
		t.Errorf("a second referral while one is open: %d %s", status, body)
	}
	w.until("/"+said.Case, tseras.Drawn)
}
