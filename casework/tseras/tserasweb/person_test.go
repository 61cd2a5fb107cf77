package tserasweb_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasweb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// desk has one case, of webtest.Nermin.
type desk struct {
	shown tseras.Shown
	slots []tseras.Slot
	// refuse is what is wrong with an appeal; nil: it is opened.
	refuse tesdiq.Problems
}

func (*desk) Apply(context.Context, tesdiq.FIN, casework.Actor, string) (casework.Case, error) {
	return casework.Case{}, casework.ErrOpen
}

func (d *desk) Withdraw(_ context.Context, _ tesdiq.FIN, _ string, by casework.Actor) error {
	if !tseras.Machine.Allows(d.shown.Kind, d.shown.State, tseras.Withdrawn, by.Part) {
		return casework.ErrState
	}
	d.shown.State, d.shown.Clock = tseras.Withdrawn, casework.Clock{Turn: casework.Nobody}
	return nil
}

func (d *desk) Appeal(context.Context, tesdiq.FIN, string, casework.Actor, tseras.Dispute, string) (casework.Case, error) {
	return casework.Case{Head: casework.Head{Number: "T-2026-000009"}}, d.refuse.Err()
}

func (d *desk) Slots(context.Context, tesdiq.FIN, string) ([]tseras.Slot, error) { return d.slots, nil }

func (d *desk) Move(_ context.Context, _ tesdiq.FIN, _ string, _ casework.Actor, starts time.Time) error {
	if d.shown.Examined.Moves == 0 {
		return tseras.ErrNoMoves
	}
	for _, s := range d.slots {
		if s.Starts.Equal(starts) {
			d.shown.Examined.Slot = s
			return nil
		}
	}
	return tseras.ErrTaken
}

func (d *desk) CannotCome(context.Context, tesdiq.FIN, string, casework.Actor) error {
	if d.shown.Examined.Again == 0 {
		return tseras.ErrNoneAgain
	}
	d.shown.Examined.Again--
	return nil
}

func (d *desk) Cases(_ context.Context, fin tesdiq.FIN) ([]casework.Case, error) {
	if fin != d.shown.Subject {
		return nil, nil
	}
	return []casework.Case{d.shown.Case}, nil
}

func (d *desk) Asked(context.Context, tesdiq.FIN) (map[string]string, error) {
	return map[string]string{d.shown.Number: d.shown.Asked}, nil
}

func (d *desk) Show(_ context.Context, fin tesdiq.FIN, number string) (tseras.Shown, error) {
	if fin != d.shown.Subject || number != d.shown.Number {
		return tseras.Shown{}, casework.ErrMissing
	}
	return d.shown, nil
}

func (*desk) Filed(context.Context, tesdiq.FIN, string) ([]tseras.Filed, error) { return nil, nil }

var now = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

const at = "/cabinet/cases/T-2026-000001"

func open(t *testing.T) (*desk, *webtest.Browser) {
	t.Helper()
	d := &desk{shown: tseras.Shown{Case: casework.Case{
		Head:  casework.Head{Number: "T-2026-000001", Procedure: tseras.Procedure, Kind: tseras.Assessment, Subject: webtest.Nermin.FIN, Opened: now, LawOn: tesdiq.DateOf(now)},
		State: tseras.Gathering, Clock: casework.Clock{Turn: casework.Agencies, Began: tesdiq.DateOf(now), DueBy: tesdiq.DateOf(now).AddDays(2)},
	}}}
	shell := webtest.Shell(t)
	h := &tserasweb.Person{Shell: shell, Desk: d, Calendar: tesdiq.AzerbaijanCalendar(), Now: func() time.Time { return now }, Rand: rand.Reader}
	if err := h.Prepare(); err != nil {
		t.Fatal(err)
	}
	b := webtest.Open(t, shell, h.Routes)
	b.SignIn("")
	return d, b
}

// A key that stands on a page has no words.
var wordless = regexp.MustCompile(`(tseras-person|criteria|registry)\.[a-z_.-]+`)

func TestEveryStateStepAndRegisterHasWords(t *testing.T) {
	d, b := open(t)
	for _, x := range tseras.Machine.Transitions {
		d.shown.State = x.To
		if d.shown.Clock.Turn = casework.Commission; tseras.Machine.Closed(tseras.Assessment, x.To) {
			d.shown.Clock.Turn = casework.Nobody
		}
		d.shown.Steps = nil
		for _, what := range []string{"applied", "referred", "referral_asked", "evidence_complete", "drawn", "extended", "further_member", "computed", "refused",
			tseras.StepSilent, tseras.StepAnother, tseras.StepPassed, tseras.StepUndecided, tseras.StepNobody, tseras.StepAble,
			"decided", "decided_alone", "declined", "died", "withdrawn"} {
			d.shown.Steps = append(d.shown.Steps, casework.Step{What: what, At: now, By: casework.Actor{Part: casework.BySystem}})
		}
		for _, lang := range tesdiq.Langs {
			r := b.Get(at + "?lang=" + string(lang))
			if r.Status != http.StatusOK {
				t.Fatalf("%s: %d %s", x.To, r.Status, r.Body)
			}
			if key := wordless.FindString(r.Body); key != "" {
				t.Errorf("%s in %s: %s has no words", x.To, lang, key)
			}
		}
	}
}

// No answer is shown as what it is, since when and when it is asked again; never as "nothing".
func TestASilentRegisterIsShownAsSilent(t *testing.T) {
	d, b := open(t)
	for i, r := range tseras.Registers {
		o := tseras.Outcome{Register: r, Answered: i != 4 && i != 5, At: now.Add(-time.Hour)}
		if !o.Answered {
			o.Why, o.Again = gateway.Unreachable, now.Add(time.Hour)
		}
		if i == 5 {
			o.Why = gateway.BadSignature
		}
		d.shown.Evidence = append(d.shown.Evidence, o)
	}
	body := b.Get(at + "?lang=en").Body
	for _, want := range []string{"Silent since 23.11.2026", "It will be asked again", "2 registers have not answered yet", "An answer came on 23.11.2026", "No answer does not mean that there is nothing"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not there: %s", want, body)
		}
	}
	if strings.Count(body, "</span>Answered") != len(tseras.Registers)-2 {
		t.Error("a register counts as answered that is silent, or the other way round")
	}
}

func TestTheChairsExplanationIsRead(t *testing.T) {
	d, b := open(t)
	on := tesdiq.DateOf(now)
	in := criteria.Input{CaseOn: on, DecidedOn: on, Born: on.AddYears(-40), Findings: criteria.Findings{
		Conditions: []criteria.Condition{{Criterion: "joints-rheumatoid", Grade: 3}},
		Activities: criteria.Activities{SelfCare: "II", Movement: "II", Orientation: "none", Communication: "none", Behaviour: "none", Learning: "none", Work: "II"},
	}}
	r, err := criteria.Decide(in)
	if err != nil {
		t.Fatal(err)
	}
	d.shown.State, d.shown.LawOn, d.shown.Package = tseras.Decided, on, criteria.Pack("T-2026-000001", in, r).Bytes()
	const why = "Why the result differs from last time"
	if body := b.Get(at + "?lang=en").Body; strings.Contains(body, why) {
		t.Error("there is nothing to explain, and a heading for it")
	}
	d.shown.Explains = "X-ray of <today> is worse"
	if body := b.Get(at + "?lang=en").Body; !strings.Contains(body, why) || !strings.Contains(body, "X-ray of &lt;today&gt; is worse") {
		t.Errorf("the person does not read it: %s", body)
	}
}

func TestWithdrawing(t *testing.T) {
	d, b := open(t)
	d.shown.State = tseras.Signing
	if r := b.Get(at); strings.Contains(r.Body, at+"/withdraw") {
		t.Error("all findings are in, and it can be withdrawn")
	}
	if r := b.Get(at + "/withdraw"); r.Status != http.StatusSeeOther {
		t.Errorf("%d", r.Status)
	}
	d.shown.State = tseras.AwaitingReferral
	if r := b.Get(at + "/withdraw"); r.Status != http.StatusOK || d.shown.State != tseras.AwaitingReferral {
		t.Errorf("the question: %d, %s", r.Status, d.shown.State)
	}
	for range 2 {
		if r := b.Post(at+"/withdraw", nil); r.Status != http.StatusSeeOther || r.Header.Get("Location") != at || d.shown.State != tseras.Withdrawn {
			t.Errorf("%d, %s", r.Status, d.shown.State)
		}
	}
}

func TestNobodySeesAnothersCase(t *testing.T) {
	_, b := open(t)
	b.SignIn("1KF6W0Z")
	for _, path := range []string{at, at + "/package", at + "/package?answers=no", at + "/withdraw", "/cabinet/cases/T-1999-000001"} {
		if r := b.Get(path); r.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.Status)
		}
	}
	if r := b.Get("/cabinet/cases?lang=en"); !strings.Contains(r.Body, "You have no case yet") {
		t.Errorf("%s", r.Body)
	}
}

// A list says of each case what it is, under way or closed: a programme is easily taken for the assessment before it.
func TestTheListSaysOfWhichKindACaseIs(t *testing.T) {
	d, b := open(t)
	for _, k := range []struct {
		kind       casework.Kind
		open, over casework.State
		words      map[tesdiq.Lang]string
	}{
		{tseras.Assessment, tseras.Gathering, tseras.Decided, map[tesdiq.Lang]string{tesdiq.Az: "Əlillik müayinəsi", tesdiq.En: "Assessment of disability", tesdiq.Ru: "Освидетельствование на инвалидность"}},
		{tseras.Appeal, tseras.AwaitingDraw, tseras.Lapsed, map[tesdiq.Lang]string{tesdiq.Az: "Şikayət", tesdiq.En: "Appeal", tesdiq.Ru: "Жалоба"}},
		{tseras.Programme, tseras.AwaitingInvitation, tseras.Entered, map[tesdiq.Lang]string{tesdiq.Az: "Reabilitasiya proqramı", tesdiq.En: "Rehabilitation programme", tesdiq.Ru: "Программа реабилитации"}},
		{tseras.Correction, tseras.Asked, tseras.Refused, map[tesdiq.Lang]string{tesdiq.Az: "Reyestrin düzəldilməsi", tesdiq.En: "Correction of a register", tesdiq.Ru: "Исправление реестра"}},
	} {
		d.shown.Kind = k.kind
		for lang, word := range k.words {
			d.shown.State, d.shown.Clock.Turn = k.open, casework.Agencies
			if body := b.Get("/cabinet/cases?lang=" + string(lang)).Body; !strings.Contains(body, "<h2>"+word+": ") {
				t.Errorf("%s under way in %s: %s", k.kind, lang, body)
			}
			d.shown.State, d.shown.Clock.Turn = k.over, casework.Nobody
			if body := b.Get("/cabinet/cases?lang=" + string(lang)).Body; !strings.Contains(body, ">"+word+"</td>") {
				t.Errorf("%s closed in %s: %s", k.kind, lang, body)
			}
		}
	}
}
