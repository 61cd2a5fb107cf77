package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/internal/people"
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
	at := w.applied("sevinc", tseras.Decided)
	v := w.as("sevinc", "")
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
	_, head, pack := w.ask(v.http, http.MethodGet, at+"/package", "", nil)
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
	if e := w.drawn(v, "examination"); e.Code == "" {
		t.Error("no excerpt of the new entry")
	}
	if status, _, body := w.ask(w.as("elcin", "").http, http.MethodGet, at, "", nil); status != http.StatusNotFound || strings.Contains(body, "81") {
		t.Errorf("somebody else sees it: %d", status)
	}
}
