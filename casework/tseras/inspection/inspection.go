// Package inspection is what inspectors see of assessments: how cases keep to their terms, whom the draw drew, where results
// differ, who looked, and how many were decided how; and of one case, for a purpose, whose it is. It changes nothing.
package inspection

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
)

// Officer is an inspector, and the office for which he looks.
type Officer struct {
	FIN          tesdiq.FIN
	Name         string
	Organisation int64
	Office       string
}

// Purpose is what an inspector looks at a case by name for. The list is closed; the person reads it.
type Purpose string

// Purposes are all of them; the database has the same.
var Purposes = []Purpose{"complaint", "overdue", "contradiction", "conflict", "court"}

// What one officer may look at by name in a day. S19: the twentieth is an alarm; beyond the limit nothing is shown. The limit is an
// ASSUMPTION: twice the alarm.
const (
	AlarmAt  = 20
	MostADay = 2 * AlarmAt
)

// LookLength is for how long a look shows the case. ASSUMPTION; the database's function has the same.
const LookLength = 15 * time.Minute

// TokenLength is how many characters, of five random bits each, name a look.
const TokenLength = 26

// Look is a look at one case by name.
type Look struct {
	ID           int64       `json:"id"`
	Token        string      `json:"token"`
	Case         casework.ID `json:"case"`
	Organisation int64       `json:"organisation"`
	Office       string      `json:"office"`
	OfficerFIN   tesdiq.FIN  `json:"officer_fin"`
	Officer      string      `json:"officer"`
	Purpose      Purpose     `json:"purpose"`
	At           time.Time   `json:"at"`
}

// Content is the canonical bytes of a look, to which its ledger line commits.
func (l Look) Content() ([]byte, error) {
	l.At = l.At.UTC().Truncate(time.Microsecond)
	b, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("inspection: content of look %d: %w", l.ID, err)
	}
	return b, nil
}

// messages is what the database's trigger sends the person with each look; the words stand under this key.
const messages = "inspection.message."

// Told is the key of the message to the person whose case was looked at.
const Told = messages + "look"

// Case is a case without its person.
type Case struct {
	ID     casework.ID
	Number string
	Kind   casework.Kind
	State  casework.State
	Opened time.Time
	Clock  casework.Clock
}

// Standing is how many open cases of a kind stand in a state.
type Standing struct {
	Kind                casework.Kind
	State               casework.State
	Turn                casework.Turn
	Open, Soon, Overdue int
}

// Step is a step of a case, by what body it was done.
type Step struct {
	Seq    int
	To     casework.State
	At     time.Time
	Part   casework.Part
	Office string
	What   string
	DueBy  tesdiq.Date
}

// Shown is one case, looked at by name.
type Shown struct {
	Look  Look
	Case  Case
	Name  tesdiq.Name
	Steps []Step
	Rings []Ring
}

// Ring is an alarm of a case's clock.
type Ring struct {
	Alarm casework.Alarm
	Turn  casework.Turn
	DueBy tesdiq.Date
	At    time.Time
}

// Round is a round of draws that was drawn.
type Round struct {
	Number    int64
	Committed time.Time
	Opened    time.Time
	Drawings  int
}

// Tally is how often somebody was drawn of the lots in which he was a candidate, and how often that is to be expected.
type Tally struct {
	Role     string
	Name     string
	Lots     int
	Drawn    int
	Expected float64
}

// ChiSquare compares what was drawn with what is to be expected: the statistic, its degrees of freedom, and how probable a
// deviation at least as large is when all lots are fair. Candidates who are expected fewer than five times in all count together, as
// the test wants (Cochran 1954).
func ChiSquare(all []Tally) (x float64, freedom int, p float64) {
	var rest Tally
	groups := -1
	add := func(t Tally) {
		if t.Expected > 0 {
			d := float64(t.Drawn) - t.Expected
			x += d * d / t.Expected
			groups++
		}
	}
	for _, t := range all {
		if t.Expected < 5 {
			rest.Drawn += t.Drawn
			rest.Expected += t.Expected
			continue
		}
		add(t)
	}
	if rest.Expected >= 5 || groups < 0 {
		add(rest)
	}
	if groups < 1 {
		return 0, 0, 1
	}
	return x, groups, upperGamma(float64(groups)/2, x/2)
}

// upperGamma is the regularised incomplete gamma function Q(a, x), by its series or its continued fraction (Abramowitz and Stegun 6.5.29,
// 6.5.31).
func upperGamma(a, x float64) float64 {
	if x <= 0 {
		return 1
	}
	lg, _ := math.Lgamma(a)
	front := math.Exp(a*math.Log(x) - x - lg)
	if x < a+1 {
		sum, term := 1/a, 1/a
		for n := a + 1; term > sum*1e-15; n++ {
			term *= x / n
			sum += term
		}
		return 1 - front*sum
	}
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1.0; i < 1000; i++ {
		an := -i * (i - a)
		b += 2
		d = 1 / cmp.Or(an*d+b, tiny)
		c = cmp.Or(b+an/c, tiny)
		h *= d * c
		if math.Abs(d*c-1) < 1e-15 {
			break
		}
	}
	return front * h
}

// Finding is something that a commission did otherwise than alone and alike.
type Finding struct {
	Number     string
	At         time.Time
	Commission string
	Member     string
	Said       string // the chair's reason, why he refused, or why he was passed over ("silent", "ended"); empty for a further member
}

// Looker is who looked at how many cases or persons on a day.
type Looker struct {
	Day       tesdiq.Date
	Part      string // member, inspector, clerk, rehabilitation, institution, call_centre
	Office    string
	Who       string // empty: an institution's program
	Looks     int
	Cases     int // of a clerk and an operator of a call centre: persons
	Unrelated int // of them those for which nothing explains the look
	Misses    int // questions that found nobody
}

// Anomalous says whether he looked at more than his work explains (S19).
func (l Looker) Anomalous() bool { return l.Unrelated >= AlarmAt || l.Misses >= AlarmAt }

// Count is how many cases have a value of a dimension, and how many days they took together.
type Count struct {
	Value string
	Cases int
	Days  int
}

// Smallest is the least number of people that is shown where it says something of a person's health or home: of fewer, somebody who
// knows one of them would learn it.
const Smallest = 5

// Statistics are how many cases were closed in a period.
type Statistics struct {
	Totals map[string][]Count // "closed", "month"; they say nothing of anybody's health or home
	Tables map[string][]Cell  // "way", "outcome", "region", "band", "cause", "term"; nil unless the period is a quarter that is over
}

// Cell is a line of a table as it is shown.
type Cell struct {
	Count
	Rest bool // several values together, of which at least one is small; Value is empty
}

// Disability is the outcome of those of whom the tables "band", "cause" and "term" speak.
const Disability = "disability"

// Publish makes the tables of a quarter of the counts. The tables way, outcome and region are of all who were decided, the others of
// those who are found to have a disability. How many those are is shown by each of their tables as the sum: they are shown only where
// that number may be.
func Publish(counts map[string][]Count) map[string][]Cell {
	shown := map[string][]Cell{}
	for _, name := range []string{"way", "outcome", "region"} {
		shown[name] = Together(counts[name])
	}
	if slices.ContainsFunc(shown["outcome"], func(c Cell) bool { return !c.Rest && c.Value == Disability }) {
		for _, name := range []string{"band", "cause", "term"} {
			shown[name] = Together(counts[name])
		}
	}
	return shown
}

// Together puts all that is below Smallest together with the next larger value, and with those that are as many as that. So in the rest there is
// always one that is not small, and which one is not said: each of its values may be that one, however much of the rule and of the sum is
// known. Nothing is left where that is all there is, as there is nothing to compare with. A value that is not shown may as well have nobody.
func Together(counts []Count) (shown []Cell) {
	all := slices.DeleteFunc(slices.Clone(counts), func(c Count) bool { return c.Cases == 0 })
	slices.SortStableFunc(all, func(a, b Count) int { return cmp.Compare(a.Cases, b.Cases) })
	rest, n := Cell{Rest: true}, 0
	if len(all) > 0 && all[0].Cases < Smallest {
		for ; n < len(all) && (all[max(0, n-1)].Cases < Smallest || all[n].Cases == all[n-1].Cases); n++ {
			rest.Cases += all[n].Cases
			rest.Days += all[n].Days
		}
	}
	if n == len(all) {
		return nil
	}
	for _, c := range counts { // in their own order
		if slices.Contains(all[n:], c) {
			shown = append(shown, Cell{Count: c})
		}
	}
	if n > 0 {
		shown = append(shown, rest)
	}
	return shown
}

// Period is whole months.
type Period struct {
	Key   string // 2026, 2026-Q3, 2026-11
	From  tesdiq.Date
	Until tesdiq.Date // the day after the last
}

// Periods are those that may be asked for on a day: this year and the last, the last four quarters, the last twelve months.
func Periods(today tesdiq.Date) []Period {
	month := func(y, m int) tesdiq.Date { return tesdiq.NewDate(y, 1, 1).AddMonths(m - 1) }
	y, m := today.Year(), int(today.Month())
	all := []Period{
		{fmt.Sprintf("%d", y), month(y, 1), month(y+1, 1)},
		{fmt.Sprintf("%d", y-1), month(y-1, 1), month(y, 1)},
	}
	first := month(y, (m-1)/3*3+1)
	for i := range 4 {
		all = append(all, quarter(first.AddMonths(-3*i)))
	}
	for i := range 12 {
		from := month(y, m).AddMonths(-i)
		all = append(all, Period{fmt.Sprintf("%d-%02d", from.Year(), int(from.Month())), from, from.AddMonths(1)})
	}
	return all
}

// Quarters are the last eight that are over, the latest first. No two of them have a day in common, and nothing is closed in them any more:
// so there is nothing to subtract from one another.
func Quarters(today tesdiq.Date) (all []Period) {
	first := tesdiq.NewDate(today.Year(), 1, 1).AddMonths((int(today.Month()) - 1) / 3 * 3)
	for i := range 8 {
		all = append(all, quarter(first.AddMonths(-3*(i+1))))
	}
	return all
}

func quarter(from tesdiq.Date) Period {
	return Period{fmt.Sprintf("%d-Q%d", from.Year(), (int(from.Month())+2)/3), from, from.AddMonths(3)}
}

// ForStatistics are the periods of which statistics may be asked for: the quarters that are over, then those of Periods that are no
// such quarter.
func ForStatistics(today tesdiq.Date) []Period {
	all := Quarters(today)
	for _, p := range Periods(today) {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// PeriodOf finds a period by its key; the first where there is none such.
func PeriodOf(key string, all []Period) Period {
	if i := slices.IndexFunc(all, func(p Period) bool { return p.Key == key }); i >= 0 {
		return all[i]
	}
	return all[0]
}
