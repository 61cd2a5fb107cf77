package agencies_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
)

var day = tesdiq.NewDate(2026, 11, 22)

// TestTheSameWorldAgain: the registers know the same of everybody after a restart, and nothing that has not happened.
func TestTheSameWorldAgain(t *testing.T) {
	w, again, other := agencies.NewWorld(7, 300, day), agencies.NewWorld(7, 300, day), agencies.NewWorld(8, 300, day)
	if len(w.People()) < 300 || !slices.Equal(w.People(), again.People()) || slices.Equal(w.People(), other.People()) {
		t.Fatal("other people")
	}
	found := map[gateway.Register]int{}
	for _, fin := range w.People() {
		for _, r := range gateway.Registers() {
			a, err := json.Marshal(w.Records(r, fin, tesdiq.Date{}, day))
			if err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(again.Records(r, fin, tesdiq.Date{}, day))
			if err != nil || string(a) != string(b) {
				t.Fatalf("%s of %s: %s, then %s", r, fin, a, b)
			}
			if string(a) != "null" && string(a) != "[]" {
				found[r]++
			}
		}
	}
	for _, r := range gateway.Registers() {
		if found[r] == 0 || found[r] == len(w.People()) && r != gateway.Population && r != gateway.Registration {
			t.Errorf("%s has something about %d of %d", r, found[r], len(w.People()))
		}
	}
	if records := w.Records(gateway.Population, "0000000", tesdiq.Date{}, day); len(records.([]gateway.Resident)) != 0 {
		t.Error("somebody is known whom nobody invented")
	}
}

// TestRelativesAreMutual: who is somebody's wife has him as husband, and the other way round.
func TestRelativesAreMutual(t *testing.T) {
	w := agencies.NewWorld(1, 400, day)
	back := map[string]string{"spouse": "spouse", "parent": "child", "child": "parent", "sibling": "sibling"}
	n := map[string]int{}
	for _, fin := range w.People() {
		for _, x := range w.Records(gateway.Relatives, fin, tesdiq.Date{}, day).([]gateway.Relative) {
			n[x.Kinship]++
			theirs := w.Records(gateway.Relatives, x.FIN, tesdiq.Date{}, day).([]gateway.Relative)
			if x.FIN == fin || !slices.Contains(theirs, gateway.Relative{FIN: fin, Kinship: back[x.Kinship]}) {
				t.Fatalf("%s has %s as %s, who does not know it", fin, x.FIN, x.Kinship)
			}
		}
	}
	for kinship := range back {
		if n[kinship] == 0 {
			t.Errorf("nobody has a %s", kinship)
		}
	}
}

// TestWhatEndedBeforeIsNotTold: who asks for the last years gets no older course of treatment.
func TestWhatEndedBeforeIsNotTold(t *testing.T) {
	w := agencies.NewWorld(1, 20, day)
	fin := people.Who("nermin").FIN
	all := w.Records(gateway.Episodes, fin, tesdiq.Date{}, day).([]gateway.Episode)
	late := w.Records(gateway.Episodes, fin, day.AddMonths(-12), day).([]gateway.Episode)
	if len(late) == 0 || len(late) >= len(all) {
		t.Fatalf("%d of %d", len(late), len(all))
	}
	for _, e := range late {
		if !e.Discharged.IsZero() && e.Discharged.Before(day.AddMonths(-12)) {
			t.Errorf("%+v", e)
		}
	}
}

// TestTheOperatorIsOnThisMachine: faults are set from here and by a name of here, so that no page elsewhere can set them through a browser.
func TestTheOperatorIsOnThisMachine(t *testing.T) {
	s := &agencies.Server{}
	for _, c := range []struct {
		from, host, method, body string
		status                   int
	}{
		{"127.0.0.1:999", "localhost:8091", "GET", "", 200},
		{"[::1]:999", "[::1]:8091", "GET", "", 200},
		{"127.0.0.1:999", "127.0.0.1", "PUT", `[{"kind":"slow","delay":10}]`, 204},
		{"127.0.0.1:999", "evil.example", "PUT", `[]`, 403},
		{"10.0.0.7:999", "localhost:8091", "GET", "", 403},
		{"127.0.0.1:999", "localhost", "PUT", `[{"kind":"slow","unknown":1}]`, 400},
		{"127.0.0.1:999", "localhost", "PUT", `[{"kind":"slow","percent":101}]`, 400},
		{"127.0.0.1:999", "localhost", "PUT", `[{"register":"income","kind":"slow"}]`, 400},
		{"127.0.0.1:999", "localhost", "DELETE", ``, 405},
	} {
		r := httptest.NewRequest(c.method, "http://"+c.host+"/faults", strings.NewReader(c.body))
		r.RemoteAddr = c.from
		rw := httptest.NewRecorder()
		s.Operator().ServeHTTP(rw, r)
		if rw.Code != c.status {
			t.Errorf("%s %s from %s: %d %s", c.method, c.host, c.from, rw.Code, rw.Body)
		}
	}
	if f := s.Faults(); len(f) != 1 || f[0].Kind != agencies.Slow || time.Duration(f[0].Delay) != 10*time.Millisecond {
		t.Errorf("%+v", f)
	}
}

// TestFaultsForSome: of one register, of one person, of some of a hundred, and for so many times.
func TestFaultsForSome(t *testing.T) {
	b := start(t, func(s *gateway.Service) { s.Attempts = 1 })
	ask := func(r gateway.Register, who string) bool {
		return b.client.Ask(t.Context(), []gateway.Question{question(t, r, who)})[0].Answer != nil
	}
	b.SetFaults([]agencies.Fault{{Register: gateway.Vision, Person: people.Who("elcin").FIN, Kind: agencies.Failing, Times: 2}})
	if !ask(gateway.Vision, "nermin") || !ask(gateway.Dialysis, "elcin") || ask(gateway.Vision, "elcin") || ask(gateway.Vision, "elcin") || !ask(gateway.Vision, "elcin") {
		t.Error("it strikes others, or not as often as it should")
	}
	b.SetFaults([]agencies.Fault{{Kind: agencies.Failing, Percent: 50}})
	struck := 0
	for range 60 {
		if !ask(gateway.Vision, "elcin") {
			struck++
		}
	}
	if struck == 0 || struck == 60 {
		t.Errorf("half of them: %d of 60", struck)
	}
	// The same question with other words under the same ID is a conflict.
	b.SetFaults(nil)
	q := question(t, gateway.Vision, "elcin")
	if b.client.Ask(t.Context(), []gateway.Question{q})[0].Answer == nil {
		t.Fatal("no answer")
	}
	q.Since = day.AddYears(-1)
	b.log.mu.Lock()
	delete(b.log.past, q.ID) // as a second asker with a log of its own would
	b.log.mu.Unlock()
	if o := b.client.Ask(t.Context(), []gateway.Question{q})[0]; o.No == nil || o.No.Reason != gateway.Refused || o.No.Detail != "Client.DuplicateId" {
		t.Errorf("%+v", o)
	}
}
