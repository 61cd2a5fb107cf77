package tserasweb_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasweb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// asking takes what is said of the registers of desk's case.
type asking struct {
	*desk
	asked   []string // what, in the order in which it came
	refused error
}

func (d *asking) AskCorrection(_ context.Context, fin tesdiq.FIN, about string, r tseras.Register, wrong tseras.Wrong, words string, by casework.Actor, key string) (casework.Case, error) {
	if d.refused != nil {
		return casework.Case{}, d.refused
	}
	d.asked = append(d.asked, strings.Join([]string{string(fin), string(by.Part), about, string(r), string(wrong), words, key}, "|"))
	return casework.Case{Head: casework.Head{Number: "T-2026-000005"}}, nil
}

const (
	newAt  = "/cabinet/corrections/new/T-2026-000001"
	rightN = "/cabinet/corrections/T-2026-000001"
)

// corrections is desk's case with all registers answered but vision, and its pages.
func corrections(t *testing.T) (*asking, *webtest.Browser) {
	t.Helper()
	d, _ := open(t)
	a := &asking{desk: d}
	for _, r := range tseras.Registers {
		d.shown.Evidence = append(d.shown.Evidence, tseras.Outcome{Register: r, Answered: r != gateway.Vision, Why: gateway.Unreachable, At: now})
	}
	shell := webtest.Shell(t)
	person := &tserasweb.Person{Shell: shell, Desk: d, Calendar: tesdiq.AzerbaijanCalendar(), Now: func() time.Time { return now }, Rand: rand.Reader}
	h := &tserasweb.Corrections{Person: person, Desk: a}
	for _, p := range []interface{ Prepare() error }{person, h} {
		if err := p.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	b := webtest.Open(t, shell, person.Routes, h.Routes)
	b.SignIn("")
	return a, b
}

// about turns desk's case into a correction.
func (d *asking) about(state casework.State, k tseras.CorrectionView) {
	k.About, k.Register, k.Wrong, k.Words = "T-2026-000009", gateway.Episodes, "never-was", "Orada <müalicə> almamışam"
	d.shown.Kind, d.shown.State, d.shown.Correction = tseras.Correction, state, &k
	d.shown.Clock.Turn = casework.Agencies
	if tseras.Machine.Closed(tseras.Correction, state) {
		d.shown.Clock = casework.Clock{Turn: casework.Nobody}
	}
}

func TestACorrectionIsAskedFor(t *testing.T) {
	d, b := corrections(t)
	if r := b.Get(at + "?lang=en"); !strings.Contains(r.Body, `href="`+newAt+`"`) {
		t.Errorf("the case does not lead there: %s", r.Body)
	}
	form := b.Get(newAt)
	if form.Status != http.StatusOK || strings.Count(form.Body, `name="register"`) != len(tseras.Registers)-1 || strings.Contains(form.Body, `value="vision"`) || strings.Count(form.Body, `name="wrong"`) != len(tseras.Wrongs()) {
		t.Fatalf("%d %s", form.Status, form.Body)
	}
	_, key, _ := strings.Cut(form.Body, `name="key" value="`)
	key, _, _ = strings.Cut(key, `"`)
	good := url.Values{"key": {key}, "register": {"episodes"}, "wrong": {"never-was"}, "words": {" Orada\r\nmüalicə almamışam "}}
	change := func(field, value string) url.Values {
		v := url.Values{}
		for k, x := range good {
			v[k] = x
		}
		v.Set(field, value)
		return v
	}
	for _, c := range []struct {
		field, value, why string
	}{
		{"register", "", "register-why"}, {"register", "vision", "register-why"}, {"register", "gold", "register-why"}, {"wrong", "", "wrong-why"}, {"wrong", "all", "wrong-why"},
		{"words", "", "words-why"}, {"words", " \r\n ", "words-why"}, {"words", strings.Repeat("ə", gateway.MaxDispute+1), "words-why"}, {"words", "sağdan \u202e sola", "words-why"},
	} {
		r := b.Post(newAt, change(c.field, c.value))
		if r.Status != http.StatusUnprocessableEntity || !strings.Contains(r.Body, `id="`+c.why+`"`) || strings.Count(r.Body, `class="why"`) != 1 || len(d.asked) != 0 {
			t.Errorf("%s %q: %d %s", c.field, c.value, r.Status, r.Body)
		}
		if c.field != "words" && !strings.Contains(r.Body, "Orada müalicə almamışam") || c.field != "wrong" && !strings.Contains(r.Body, `value="never-was" checked`) {
			t.Errorf("%s %q: what was typed is gone: %s", c.field, c.value, r.Body)
		}
	}
	if r := b.Post(newAt, change("key", "short")); r.Status != http.StatusConflict {
		t.Errorf("a key of nobody's form: %d", r.Status)
	}
	for range 2 {
		if r := b.Post(newAt, good); r.Status != http.StatusSeeOther || r.Header.Get("Location") != "/cabinet/corrections/T-2026-000005" {
			t.Errorf("%d %s", r.Status, r.Body)
		}
	}
	want := "5ZK8R2M|subject|T-2026-000001|episodes|never-was|Orada müalicə almamışam|" + key
	if len(d.asked) != 2 || d.asked[0] != want || d.asked[1] != want {
		t.Errorf("%q, want twice %q: the same form is the same correction", d.asked, want)
	}
	d.refused = casework.ErrOpen
	if r := b.Post(newAt+"?lang=en", good); r.Status != http.StatusUnprocessableEntity && r.Status != http.StatusConflict || !strings.Contains(r.Body, "its answer is awaited") || !strings.Contains(r.Body, "Orada müalicə almamışam") {
		t.Errorf("one is open: %d %s", r.Status, r.Body)
	}
}

func TestWhereNoRegisterHasAnsweredNothingIsCorrected(t *testing.T) {
	d, b := corrections(t)
	d.shown.Evidence = d.shown.Evidence[:0]
	if r := b.Get(at); strings.Contains(r.Body, newAt) {
		t.Error("the case leads to a form that has nothing to ask")
	}
	if r := b.Get(newAt + "?lang=en"); !strings.Contains(r.Body, "No register has answered yet") || strings.Contains(r.Body, "<textarea") {
		t.Errorf("%s", r.Body)
	}
	// An appeal has no registers of its own: its page leads to those of the case that it is about.
	d, b = corrections(t)
	first := decidedBy(t, "T-2026-000000", 2)
	d.shown.Kind, d.shown.State, d.shown.First = tseras.Appeal, tseras.Drawn, &first
	if r := b.Get(at); !strings.Contains(r.Body, "/cabinet/corrections/new/T-2026-000000") || strings.Contains(r.Body, newAt) {
		t.Errorf("%s", r.Body)
	}
	if r := b.Get(newAt); r.Status != http.StatusNotFound {
		t.Errorf("a form about an appeal: %d", r.Status)
	}
}

func TestWhatTheAgencySaidIsRead(t *testing.T) {
	until := tesdiq.DateOf(now).AddDays(20)
	for name, c := range map[string]struct {
		state casework.State
		k     tseras.CorrectionView
		says  []string
		not   []string
	}{
		"asked":  {tseras.Asked, tseras.CorrectionView{State: tseras.Gathering}, []string{"The agency that keeps the register has to answer", "Take it back"}, []string{"No answer", "What the agency said"}},
		"silent": {tseras.Asked, tseras.CorrectionView{State: tseras.Gathering, Asked: 2, Reason: "unreachable", Again: now.Add(time.Hour)}, []string{"No answer. That is no refusal.", "It is asked again", "23.11.2026"}, nil},
		"later":  {tseras.Asked, tseras.CorrectionView{State: tseras.Gathering, Asked: 1, Answered: true, Outcome: gateway.RuledLater, Again: now.AddDate(0, 0, 3)}, []string{"It needs more time", "26.11.2026"}, nil},
		"refused": {tseras.Refused, tseras.CorrectionView{State: tseras.Gathering, Asked: 1, Answered: true, Outcome: gateway.RuledRefused, Reason: "no-proof"},
			[]string{"Nothing proves the change"}, []string{"Take it back", "asked again"}},
		"corrected, and asked again": {tseras.Corrected, tseras.CorrectionView{State: tseras.AwaitingReferral, Reopened: true, Asked: 1, Answered: true, Outcome: gateway.RuledCorrected},
			[]string{"The register was corrected", "all registers are asked again"}, []string{"Take it back", "with its commission"}},
		"corrected, the commission is drawn": {tseras.Corrected, tseras.CorrectionView{State: tseras.Drawn, Asked: 1, Answered: true, Outcome: gateway.RuledCorrected},
			[]string{"with its commission already", "the corrected register counts for it"}, []string{"all registers are asked again"}},
		"corrected, decided": {tseras.Corrected, tseras.CorrectionView{State: tseras.Decided, Until: until, Asked: 1, Answered: true, Outcome: gateway.RuledCorrected},
			[]string{"does not change by itself", "the corrected register counts for it", "Until " + until.String() + " you can also appeal"}, []string{"all registers are asked again"}},
		"corrected, withdrawn": {tseras.Corrected, tseras.CorrectionView{State: tseras.Withdrawn, Asked: 1, Answered: true, Outcome: gateway.RuledCorrected},
			[]string{"The register was corrected"}, []string{"are asked again", "does not change"}},
		"withdrawn": {tseras.Withdrawn, tseras.CorrectionView{State: tseras.Gathering}, nil, []string{"Take it back"}},
	} {
		d, b := corrections(t)
		d.about(c.state, c.k)
		for _, what := range []string{tseras.StepCorrectionAsked, tseras.StepCorrectionCorrected, tseras.StepCorrectionRefused, "withdrawn"} {
			d.shown.Steps = append(d.shown.Steps, casework.Step{What: what, At: now, By: casework.Actor{Part: casework.BySystem}})
		}
		for _, lang := range tesdiq.Langs {
			r := b.Get(rightN + "?lang=" + string(lang))
			if i := strings.Index(r.Body, "tseras-correction."); r.Status != http.StatusOK || i >= 0 || wordless.MatchString(r.Body) {
				t.Fatalf("%s in %s: %d, no words for something: %s", name, lang, r.Status, r.Body)
			}
			if !strings.Contains(r.Body, "Orada &lt;müalicə&gt; almamışam") || !strings.Contains(r.Body, "/cabinet/cases/T-2026-000009") {
				t.Errorf("%s in %s: %s", name, lang, r.Body)
			}
		}
		body := b.Get(rightN + "?lang=en").Body
		for _, want := range c.says {
			if !strings.Contains(body, want) {
				t.Errorf("%s: %q is not there: %s", name, want, body)
			}
		}
		for _, not := range c.not {
			if strings.Contains(body, not) {
				t.Errorf("%s: %q is there: %s", name, not, body)
			}
		}
	}
	for _, reason := range []string{"confirmed", "no-proof", "not-ours", "examination"} {
		d, b := corrections(t)
		d.about(tseras.Refused, tseras.CorrectionView{State: tseras.Gathering, Asked: 1, Answered: true, Outcome: gateway.RuledRefused, Reason: reason})
		if r := b.Get(rightN); strings.Contains(r.Body, "tseras-correction.") {
			t.Errorf("%s has no words: %s", reason, r.Body)
		}
	}
}

func TestACorrectionIsTakenBack(t *testing.T) {
	d, b := corrections(t)
	if r := b.Get(rightN); r.Status != http.StatusNotFound {
		t.Errorf("an assessment is no correction: %d", r.Status)
	}
	d.about(tseras.Asked, tseras.CorrectionView{State: tseras.Gathering})
	if r := b.Get(at); r.Status != http.StatusSeeOther || r.Header.Get("Location") != rightN {
		t.Errorf("the list's link: %d %s", r.Status, r.Header.Get("Location"))
	}
	for range 2 {
		if r := b.Post(rightN+"/withdraw", nil); r.Status != http.StatusSeeOther || r.Header.Get("Location") != rightN || d.shown.State != tseras.Withdrawn {
			t.Errorf("%d, %s", r.Status, d.shown.State)
		}
	}
	b.SignIn("1KF6W0Z")
	for _, path := range []string{rightN, newAt} {
		if r := b.Get(path); r.Status != http.StatusNotFound {
			t.Errorf("%s of somebody else: %d", path, r.Status)
		}
	}
	if r := b.Post(newAt, url.Values{"key": {strings.Repeat("A", 26)}}); r.Status != http.StatusNotFound || len(d.asked) != 0 {
		t.Errorf("%d", r.Status)
	}
}
