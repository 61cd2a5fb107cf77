package main

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/web/democlock"
)

// put puts the demonstration's clock forward as its page does.
func (w *world) put(day tesdiq.Date) {
	w.t.Helper()
	if status, _, body := w.ask(&http.Client{}, http.MethodPost, democlock.Path, "", url.Values{"day": {day.String()}}); status != http.StatusSeeOther {
		w.t.Fatalf("%d %s", status, body)
	}
}

// All of the demonstration goes by the clock that was put forward: who must act is late, whose term ends is told so, and far
// beyond the three months of the agencies' trust file registers are asked, decisions made, excerpts drawn and found valid.
func TestTheDemonstrationsClock(t *testing.T) {
	w := open(t, 5)
	at := w.applied("nermin", tseras.AwaitingReferral)
	nermin := w.as("nermin", "")
	today := tesdiq.DateOf(w.clock.Now())
	var body string
	late := func() bool {
		_, _, body = w.ask(nermin.http, http.MethodGet, at+"?lang=en", "", nil)
		return strings.Contains(body, "The clock was put forward") && strings.Contains(body, "The time ended on")
	}
	if late() {
		t.Error("late before its time")
	}
	w.put(today.AddDays(20))
	if !late() {
		t.Errorf("not late after 20 days: %s", body)
	}
	// His term ends in nine months. He is invited fifteen days before the window of his next examination opens.
	invited := people.Who("ebdulrehimxan").FIN
	told := func() (n int) {
		if err := w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM messages WHERE fin = $1 AND key = 'tseras.message.invited'`, invited).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var opens tesdiq.Date
	if err := w.db.Admin.QueryRow(t.Context(), `SELECT x.next_from FROM examinations x JOIN entries e ON e.id = x.entry_id WHERE e.subject = $1`, invited).Scan(&opens); err != nil {
		t.Fatal(err)
	}
	w.put(opens.AddDays(-16))
	if n := told(); n != 0 {
		t.Errorf("invited %d times before the time", n)
	}
	w.put(opens.AddDays(-15))
	if n := told(); n != 1 {
		t.Errorf("invited %d times", n)
	}
	w.applied("sevinc", tseras.Decided)
	sevinc := w.as("sevinc", "")
	e := w.drawn(sevinc, "examination")
	if _, verdict := w.apiCheck(w.apiToken(), e.Code); verdict != tesdiq.Valid {
		t.Errorf("the excerpt is %s", verdict)
	}
}

func TestTheDemonstrationsClockIsKept(t *testing.T) {
	dir := t.TempDir()
	set, err := signer.NewThrowaway(rand.Reader, time.Now().AddDate(-1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	c, err := demoClock(dir, set)
	if err != nil {
		t.Fatal(err)
	}
	day := tesdiq.DateOf(time.Now()).AddDays(40)
	if err := c.Put(t.Context(), day); err != nil {
		t.Fatal(err)
	}
	again, err := demoClock(dir, set)
	if err != nil {
		t.Fatal(err)
	}
	if at, moved := again.Moved(); !moved || at.Before(day) {
		t.Errorf("at the next start it is %s", at)
	}
	if err := again.Put(t.Context(), tesdiq.DateOf(set.Signer.NotAfter)); err == nil {
		t.Error("put to a day on which nothing can be signed")
	}
}
