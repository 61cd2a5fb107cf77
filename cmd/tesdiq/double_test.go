package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/people"
)

// clicks is how often each thing is sent at once.
const clicks = 100

// sent is one answer.
type sent struct {
	status   int
	location string
	body     string
}

// atOnce does a thing clicks times at the same moment.
func atOnce(do func(n int) sent) []sent {
	all := make([]sent, clicks)
	var ready, wait sync.WaitGroup
	ready.Add(clicks)
	for n := range clicks {
		wait.Go(func() {
			ready.Done()
			ready.Wait()
			all[n] = do(n)
		})
	}
	wait.Wait()
	return all
}

// tally counts answers by status and where they lead.
func tally(all []sent) map[string]int {
	counts := map[string]int{}
	for _, s := range all {
		counts[strings.TrimSpace(fmt.Sprint(s.status, " ", s.location))]++
	}
	return counts
}

// only says whether all answers are of some statuses, one of them given so often.
func (w *world) only(what string, all []sent, status, times int, others ...int) {
	w.t.Helper()
	n := 0
	for _, s := range all {
		if s.status == status {
			n++
		} else if !slices.Contains(others, s.status) {
			w.t.Errorf("%s: %d %.300s", what, s.status, s.body)
		}
	}
	if n != times {
		w.t.Errorf("%s: %d was answered %d times, not %d: %v", what, status, n, times, tally(all))
	}
}

// once counts what has come of it all.
func (w *world) once(what string, want int, sql string, args ...any) {
	w.t.Helper()
	var n int
	if err := w.db.Admin.QueryRow(w.t.Context(), sql, args...).Scan(&n); err != nil || n != want {
		w.t.Errorf("%s: %d, not %d; %v", what, n, want, err)
	}
}

const (
	sqlCasesOf = `SELECT count(*) FROM cases WHERE subject = $1`
	sqlStepsOf = `SELECT count(*) FROM case_steps s JOIN cases c ON c.id = s.case_id WHERE c.subject = $1 AND s.what = $2`
	sqlLinesOf = `SELECT count(*) FROM ledger_lines l JOIN cases c ON l.object = c.id || '/' || (SELECT s.seq FROM case_steps s WHERE s.case_id = c.id AND s.what = $2) WHERE c.subject = $1 AND l.kind = 'step'`
	sqlToldOf  = `SELECT count(*) FROM messages WHERE fin = $1 AND key = 'tseras.message.' || $2`
)

// effects expects that a step was made once, with its line and its message.
func (w *world) effects(who, what string) {
	w.t.Helper()
	fin := people.Who(who).FIN
	for name, sql := range map[string]string{"steps": sqlStepsOf, "ledger lines": sqlLinesOf, "messages": sqlToldOf} {
		w.once(what+": "+name, 1, sql, fin, what)
	}
}

// R20: whatever the person and the institution send, sent a hundred times at once, happens once, and each is told something sensible.
func TestSentAHundredTimesAtOnceItHappensOnce(t *testing.T) {
	w := open(t, 5)
	form := func(v *visitor, path string, f url.Values) sent {
		status, head, body := w.ask(v.http, http.MethodPost, path, "", f)
		return sent{status, head.Get("Location"), body}
	}

	t.Run("apply with one form", func(t *testing.T) {
		v := w.as("cavid", "")
		_, head, _ := w.ask(v.http, http.MethodGet, "/cabinet/cases/new", "", nil)
		at, err := url.Parse(head.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		key := at.Query().Get("key")
		all := atOnce(func(int) sent { return form(v, "/cabinet/cases", url.Values{"key": {key}}) })
		w.only("apply", all, http.StatusSeeOther, clicks)
		if n := len(tally(all)); n != 1 {
			t.Errorf("they were led to %d places: %v", n, tally(all))
		}
		w.once("cases", 1, sqlCasesOf, people.Who("cavid").FIN)
		w.effects("cavid", "applied")

		path := all[0].location + "/withdraw"
		w.until(all[0].location, tseras.AwaitingReferral)
		all = atOnce(func(int) sent { return form(v, path, url.Values{}) })
		for _, s := range all { // who comes when it is withdrawn already is led to the case, too
			if s.status != http.StatusSeeOther && s.status != http.StatusConflict {
				t.Errorf("withdraw: %d %.300s", s.status, s.body)
			}
		}
		w.effects("cavid", "withdrawn")
	})

	t.Run("apply with many forms", func(t *testing.T) {
		v := w.as("elcin", "")
		keys := make([]string, clicks)
		for n := range keys {
			_, head, _ := w.ask(v.http, http.MethodGet, "/cabinet/cases/new", "", nil)
			at, err := url.Parse(head.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			keys[n] = at.Query().Get("key")
		}
		all := atOnce(func(n int) sent { return form(v, "/cabinet/cases", url.Values{"key": {keys[n]}}) })
		for _, s := range all {
			if s.status != http.StatusSeeOther && s.status != http.StatusConflict {
				t.Errorf("%d %.300s", s.status, s.body)
			}
		}
		w.once("cases", 1, sqlCasesOf, people.Who("elcin").FIN)
		w.effects("elcin", "applied")
	})

	a, today := people.Who("nermin"), tesdiq.DateOf(time.Now())
	sealed := func(number string) string {
		b, err := json.Marshal(tseras.Referral{
			Number: number, On: today, Subject: a.FIN, Born: a.Born, Ground: tseras.LongTreatment, Main: tseras.Diagnosis{Code: "M05.8", Since: today.AddYears(-2)},
			Physicians: []tesdiq.FIN{"2AB3C4D"},
		})
		if err != nil {
			t.Fatal(err)
		}
		return w.seal(b, nil)
	}
	t.Run("refer", func(t *testing.T) {
		same := sealed("88/1")
		all := atOnce(func(int) sent { status, body := w.send(same); return sent{status, "", body} })
		w.only("refer", all, http.StatusOK, clicks)
		number := map[string]bool{}
		for _, s := range all {
			var said struct{ Case string }
			if err := json.Unmarshal([]byte(s.body), &said); err != nil {
				t.Fatal(err)
			}
			number[said.Case] = true
		}
		if len(number) != 1 {
			t.Errorf("they were told of %d cases: %v", len(number), number)
		}
		w.once("cases", 1, sqlCasesOf, a.FIN)
		w.effects("nermin", "referred")

		others := make([]string, clicks)
		for n := range others {
			others[n] = sealed(fmt.Sprintf("88/%d", n+2))
		}
		all = atOnce(func(n int) sent { status, body := w.send(others[n]); return sent{status, "", body} })
		w.only("refer somebody who has an open case", all, http.StatusConflict, clicks)
		w.once("cases", 1, sqlCasesOf, a.FIN)
		w.once("referrals", 1, `SELECT count(*) FROM tseras_referrals WHERE referral->>'subject' = $1`, a.FIN)
	})
	if text := w.log.String(); strings.Contains(text, "request failed") {
		t.Errorf("something failed inside: %s", text)
	}
}
