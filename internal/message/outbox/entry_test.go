package outbox

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
)

// noon is one in Baku.
var noon = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

var rules = Rules{QuietFrom: 22 * time.Hour, QuietUntil: 8 * time.Hour, DailyMost: 10, MessageFor: 48 * time.Hour, CodeFor: 15 * time.Minute, UnsureMost: 2, Settle: 10 * time.Minute}

func TestNext(t *testing.T) {
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	sms := Entry{ID: 1, Contact: 7, Channel: tesdiq.SMS, At: ago(time.Minute)}
	with := func(e Entry, tries ...Try) Entry { e.Tries = tries; return e }
	code := sms
	code.Code = true
	mail := sms
	mail.Channel = tesdiq.Mail
	crowded := sms
	crowded.Today = 10
	old := sms
	old.At = ago(48 * time.Hour)
	oldCode := code
	oldCode.At = ago(15 * time.Minute)
	night := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	morning := time.Date(2026, 11, 22, 8, 0, 0, 0, tesdiq.Baku)
	for _, c := range []struct {
		what  string
		e     Entry
		now   time.Time
		parts int
		want  Step
	}{
		{"a new message goes at once", sms, noon, 3, Step{Send: []int{1, 2, 3}}},
		{"nobody has chosen", Entry{ID: 1, At: noon}, noon, 1, Step{End: None}},
		{"at night it waits for the morning", sms, night, 1, Step{Until: morning}},
		{"a second before the morning", sms, morning.Add(-time.Second), 1, Step{Until: morning}},
		{"in the morning it goes", sms, morning, 1, Step{Send: []int{1}}},
		{"a code goes at night", code, noon, 1, Step{Send: []int{1}}},
		{"a mail goes at night", mail, night, 1, Step{Send: []int{1}}},
		{"a number that had ten today waits", crowded, noon, 1, Step{Until: noon.Add(time.Hour)}},
		{"but what was begun is finished", with(crowded, Try{Part: 1, Parts: 1, Attempt: 1, At: ago(time.Hour), Refused: true}), noon, 1, Step{Send: []int{1}}},
		{"all accepted", with(sms, Try{Part: 1, Parts: 1, Attempt: 1, Accepted: true}), noon, 1, Step{End: Sent}},
		{"a part is missing", with(sms, Try{Part: 1, Parts: 2, Attempt: 1, Accepted: true}, Try{Part: 2, Parts: 2, Attempt: 1, At: ago(time.Minute), Refused: true}),
			noon, 2, Step{Send: []int{2}}},
		{"refused for now", with(sms, Try{Part: 1, Parts: 1, Attempt: 1, At: ago(time.Second), Refused: true}), noon, 1, Step{Until: ago(time.Second).Add(time.Minute)}},
		{"for the third time", with(sms, Try{Part: 1, Parts: 1, Attempt: 3, At: ago(time.Minute), Refused: true}), noon, 1, Step{Until: ago(time.Minute).Add(4 * time.Minute)}},
		{"for the thousandth time", with(sms, Try{Part: 1, Parts: 1, Attempt: 999, At: ago(time.Minute), Refused: true}), noon, 1, Step{Until: ago(time.Minute).Add(time.Hour)}},
		{"nothing left", with(sms, Try{Part: 1, Parts: 1, Attempt: 1, At: noon, Unsent: true}), noon, 1, Step{Until: noon.Add(5 * time.Second)}},
		{"a crash left it open", with(sms, Try{Dispatch: 5, Part: 1, Parts: 1, Attempt: 1, At: ago(5 * time.Minute)}), noon, 1,
			Step{Lost: []int64{5}, Until: noon.Add(5 * time.Minute)}},
		{"unsure, and no receipt came", with(sms, Try{Dispatch: 5, Part: 1, Parts: 1, Attempt: 1, At: ago(10 * time.Minute), Unsure: true}), noon, 1, Step{Send: []int{1}}},
		{"unsure, and a receipt came", with(sms, Try{Dispatch: 5, Part: 1, Parts: 1, Attempt: 1, At: ago(10 * time.Minute), Unsure: true, Accepted: true}), noon, 1, Step{End: Sent}},
		{"unsure a second time: no more", with(sms, Try{Part: 1, Parts: 1, Attempt: 1, At: ago(time.Hour), Unsure: true}, Try{Part: 1, Parts: 1, Attempt: 2, At: noon, Unsure: true}), noon, 1,
			Step{End: Unsure}},
		{"one part unsure for good, another still to go", with(sms, Try{Part: 1, Parts: 2, Attempt: 1, At: ago(time.Hour), Unsure: true}, Try{Part: 1, Parts: 2, Attempt: 2, At: ago(time.Hour), Unsure: true},
			Try{Part: 2, Parts: 2, Attempt: 1, At: ago(time.Hour), Refused: true}), noon, 2, Step{Send: []int{2}}},
		{"a code does not wait for a receipt", with(code, Try{Part: 1, Parts: 1, Attempt: 1, At: noon, Unsure: true}), noon, 1, Step{Send: []int{1}}},
		{"too old", old, noon, 1, Step{End: Expired}},
		{"too old, and may have arrived", with(old, Try{Part: 1, Parts: 1, Attempt: 1, At: ago(time.Hour), Unsure: true}), noon, 1, Step{End: Unsure}},
		{"a code is old sooner", oldCode, noon, 1, Step{End: Expired}},
		{"the words have changed", with(sms, Try{Part: 1, Parts: 2, Attempt: 1, Accepted: true}), noon, 1, Step{End: Unsure}},
	} {
		got := c.e.Next(c.now, c.parts, rules, func(tesdiq.Channel) bool { return true })
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v\nwant %+v", c.what, got, c.want)
		}
	}
	if s := sms.Next(noon, 1, rules, func(tesdiq.Channel) bool { return false }); s.End != None {
		t.Errorf("a channel that is not configured: %+v", s)
	}
}

// However often it is unsure, and in whatever order, no part is sent more often than UnsureMost without an answer.
func TestNoPartIsSentMoreOftenThanTheRuleAllows(t *testing.T) {
	for pattern := range 1 << 8 {
		e := Entry{ID: 1, Contact: 1, Channel: tesdiq.SMS, At: noon}
		now, unsure := noon, 0
		for step := range 8 {
			s := e.Next(now, 1, rules, func(tesdiq.Channel) bool { return true })
			for ; !s.Until.IsZero(); s = e.Next(now, 1, rules, func(tesdiq.Channel) bool { return true }) {
				now = s.Until
			}
			if s.End != "" {
				break
			}
			lost := pattern>>step&1 == 1
			e.Tries = append(e.Tries, Try{Part: 1, Parts: 1, Attempt: e.attempt(1), At: now, Refused: !lost})
			if lost {
				unsure++
			}
		}
		if unsure > rules.UnsureMost {
			t.Fatalf("pattern %08b: %d times", pattern, unsure)
		}
	}
}

func TestRulesOfTheDay(t *testing.T) {
	b, err := ReadBook()
	if err != nil {
		t.Fatal(err)
	}
	if got := b.On(tesdiq.DateOf(noon)); got != rules {
		t.Errorf("%+v", got)
	}
	if r := b.WithoutQuiet().On(tesdiq.DateOf(noon)); r.QuietFrom != r.QuietUntil || r.DailyMost != rules.DailyMost {
		t.Errorf("without quiet hours: %+v", r)
	}
	b, err = readBook(rulesFile + "2027-01-01;quiet_from;21:30;ASSUMPTION;an example\n")
	if err != nil || b.On(tesdiq.NewDate(2026, 12, 31)).QuietFrom != 22*time.Hour || b.On(tesdiq.NewDate(2027, 1, 1)).QuietFrom != 21*time.Hour+30*time.Minute {
		t.Errorf("a later rule: %v", err)
	}
	for _, wrong := range []string{"2027-01-01;quiet_from;25:00;ASSUMPTION;x", "2027-01-01;daily_most;0;ASSUMPTION;x", "2027-01-01;daily_most;5;GUESS;x",
		"2027-01-01;daily_most;5;ASSUMPTION;", "x;daily_most;5;SEED;x", "2027-01-01;hourly_most;5;SEED;x", "2027-01-01;daily_most;5"} {
		if _, err := readBook(wrong); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	never := Rules{QuietFrom: time.Hour, QuietUntil: time.Hour}
	if _, quiet := never.Quiet(noon); quiet {
		t.Error("quiet for no time at all")
	}
	siesta := Rules{QuietFrom: 11 * time.Hour, QuietUntil: 13 * time.Hour}
	if until, quiet := siesta.Quiet(noon); !quiet || !until.Equal(noon.Add(time.Hour)) {
		t.Errorf("%v, %v", until, quiet)
	}
}
