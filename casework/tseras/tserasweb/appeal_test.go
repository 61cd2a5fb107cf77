package tserasweb_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// decidedBy is a decided case with the package of a finding's grade.
func decidedBy(t *testing.T, number string, grade int) tseras.Shown {
	t.Helper()
	on := tesdiq.DateOf(now)
	in := criteria.Input{CaseOn: on, DecidedOn: on, Born: on.AddYears(-40), Findings: criteria.Findings{
		Conditions: []criteria.Condition{{Criterion: "joints-rheumatoid", Grade: grade}},
		Activities: criteria.Activities{SelfCare: "none", Movement: "none", Orientation: "none", Communication: "none", Behaviour: "none", Learning: "none", Work: "none"},
	}}
	r, err := criteria.Decide(in)
	if err != nil {
		t.Fatal(err)
	}
	return tseras.Shown{
		Case: casework.Case{
			Head:  casework.Head{Number: number, Procedure: tseras.Procedure, Kind: tseras.Assessment, Subject: webtest.Nermin.FIN, Opened: now, LawOn: on},
			State: tseras.Decided, Since: now, Clock: casework.Clock{Turn: casework.Nobody},
		},
		Package: criteria.Pack(number, in, r).Bytes(), Entry: "M-2026-000001",
	}
}

// appealed is the person's appeal against a decision, with a slot on the next day.
func appealed(t *testing.T) (*desk, func(string) string) {
	t.Helper()
	d, b := open(t)
	first := decidedBy(t, "T-2026-000000", 2)
	first.Subject = d.shown.Subject
	d.shown.Kind, d.shown.State, d.shown.First = tseras.Appeal, tseras.Drawn, &first
	d.shown.Dispute = tseras.Dispute{Points: tseras.Points, Words: "Tək <yeriyə> bilmirəm"}
	for i := range 3 {
		starts := now.Add(time.Duration(24+i) * time.Hour)
		d.slots = append(d.slots, tseras.Slot{Commission: "K07", Starts: starts, Ends: starts.Add(30 * time.Minute), Lane: 1, Place: "Nümunə küçəsi 5"})
	}
	d.shown.Examined = &tseras.Examined{Ticket: "58204417", N: 1, Slot: d.slots[0], Moves: 2, Again: 1}
	d.shown.Clock.Turn = casework.Commission
	return d, func(path string) string {
		r := b.Get(path)
		if r.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, r.Status, r.Body)
		}
		return r.Body
	}
}

func TestEveryStateAndStepOfAnAppealHasWords(t *testing.T) {
	d, get := appealed(t)
	slot := map[string]string{"Day": "24.11.2026", "Time": "09:30", "Place": "Nümunə küçəsi 5"}
	for _, what := range []string{"appealed", "drawn", "slot_moved", "slot_cannot", "slot_absent", "lapsed", "further_member", "computed", "refused", "confirmed", "replaced", "withdrawn"} {
		d.shown.Steps = append(d.shown.Steps, casework.Step{What: what, At: now, By: casework.Actor{Part: casework.BySystem}, Args: slot})
	}
	for _, x := range tseras.Machine.Transitions {
		if x.Kind != tseras.Appeal {
			continue
		}
		d.shown.State = x.To
		if d.shown.Clock.Turn = casework.Commission; tseras.Machine.Closed(tseras.Appeal, x.To) {
			d.shown.Clock.Turn = casework.Nobody
		}
		for _, lang := range tesdiq.Langs {
			for _, p := range []string{at, at + "/withdraw"} {
				if p != at && !tseras.Withdrawable(d.shown.Case) {
					continue
				}
				body := get(p + "?lang=" + string(lang))
				if i := strings.Index(body, "tseras-appeal."); i >= 0 {
					t.Errorf("%s in %s: no words for %s", x.To, lang, body[i:i+40])
				}
				if key := wordless.FindString(body); key != "" {
					t.Errorf("%s in %s: %s has no words", x.To, lang, key)
				}
			}
		}
	}
	if body := get(at + "?lang=en"); !strings.Contains(body, "Tək &lt;yeriyə&gt; bilmirəm") || !strings.Contains(body, "09:30, Nümunə küçəsi 5") {
		t.Errorf("%s", body)
	}
}

func TestTheSlotIsShownAndMoved(t *testing.T) {
	d, get := appealed(t)
	body := get(at + "?lang=en")
	for _, want := range []string{"5820 4417", "Nümunə küçəsi 5", "24.11.2026, 12:00", at + "/slot", "T-2026-000000"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not there: %s", want, body)
		}
	}
	body = get(at + "/slot?lang=en")
	if strings.Count(body, `type="radio"`) != 3 || !strings.Contains(body, "2 more times") || !strings.Contains(body, `value="cannot"`) {
		t.Errorf("%s", body)
	}
	d.shown.Examined.Moves, d.shown.Examined.Again = 0, 0
	if body = get(at + "/slot?lang=en"); strings.Contains(body, `type="radio"`) || strings.Contains(body, `value="cannot"`) {
		t.Errorf("nothing is left, and it is offered: %s", body)
	}
}

func TestAnAppealIsFiledFromTheDecision(t *testing.T) {
	d, b := open(t)
	d.shown = decidedBy(t, "T-2026-000001", 2)
	until := tesdiq.DateOf(now).AddDays(30).String()
	if r := b.Get(at + "?lang=en"); !strings.Contains(r.Body, until) || !strings.Contains(r.Body, at+"/appeal") {
		t.Fatalf("%s", r.Body)
	}
	r := b.Get(at + "/appeal")
	form := r.Header.Get("Location")
	if r.Status != http.StatusSeeOther || !strings.HasPrefix(form, at+"/appeal?key=") {
		t.Fatalf("%d %s", r.Status, form)
	}
	if r = b.Get(form); r.Status != http.StatusOK || strings.Count(r.Body, `type="checkbox"`) != len(tseras.Points) {
		t.Fatalf("%d %s", r.Status, r.Body)
	}
	// What is wrong stands at its field, and what was typed stays.
	d.refuse = tseras.Dispute{Points: []tseras.Point{tseras.OfTerm}, Words: strings.Repeat("a", 2000)}.Validate(tesdiq.DateOf(now))
	key := form[strings.Index(form, "=")+1:]
	r = b.Post(form, url.Values{"key": {key}, "points": {"term"}, "words": {"bir\r\niki"}})
	if r.Status != http.StatusUnprocessableEntity || !strings.Contains(r.Body, `id="words-why"`) || !strings.Contains(r.Body, "bir iki") || !strings.Contains(r.Body, `value="term" checked`) {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	d.refuse = nil
	if r = b.Post(form, url.Values{"key": {key}, "points": {"term"}}); r.Status != http.StatusSeeOther || r.Header.Get("Location") != "/cabinet/cases/T-2026-000009" {
		t.Errorf("%d %s", r.Status, r.Body)
	}
	// One that there is, and the time that is over.
	d.shown.Appeals = []casework.Case{{Head: casework.Head{Number: "T-2026-000009", Kind: tseras.Appeal}, State: tseras.Drawn}}
	if r = b.Get(at + "?lang=en"); !strings.Contains(r.Body, "/cabinet/cases/T-2026-000009") || strings.Contains(r.Body, at+"/appeal") {
		t.Errorf("%s", r.Body)
	}
	if r = b.Get(form); r.Status != http.StatusSeeOther || r.Header.Get("Location") != at {
		t.Errorf("a second form: %d", r.Status)
	}
	d.shown.Appeals, d.shown.Since = nil, now.AddDate(0, 0, -31)
	if r = b.Get(at + "?lang=en"); !strings.Contains(r.Body, "The time to appeal ended") || strings.Contains(r.Body, at+"/appeal") {
		t.Errorf("%s", r.Body)
	}
}

func TestTheOutcomeStandsBesideTheFirstDecision(t *testing.T) {
	for _, c := range []struct {
		grade int
		says  string
		entry string
	}{{2, "is confirmed and stays in force", "M-2026-000001"}, {3, "This decision replaces the first", "M-2026-000002"}} {
		d, get := appealed(t)
		done := decidedBy(t, d.shown.Number, c.grade)
		d.shown.Package, d.shown.State, d.shown.LawOn = done.Package, tseras.Decided, done.LawOn
		if c.grade != 2 {
			d.shown.Entry = "M-2026-000002"
		}
		body := get(at + "?lang=en")
		for _, want := range []string{c.says, "/cabinet/examinations/" + c.entry, "First decision", "On the appeal"} {
			if !strings.Contains(body, want) {
				t.Errorf("grade %d: %q is not there: %s", c.grade, want, body)
			}
		}
	}
}
