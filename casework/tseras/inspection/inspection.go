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

// Round is a round of draws.
type Round struct {
	Number    int64
	Committed time.Time
	Opened    *time.Time
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
	Said       string // the chair's reason, or why he refused; empty for a further member
}

// Looker is who looked at how many cases on a day.
type Looker struct {
	Day       tesdiq.Date
	Part      string // member, inspector, clerk
	Office    string
	Who       string
	Looks     int
	Cases     int
	Unrelated int
	Misses    int
}

// Anomalous says whether he looked at more than his work explains (S19).
func (l Looker) Anomalous() bool { return l.Unrelated >= AlarmAt || l.Misses >= AlarmAt }

// Count is how many cases have a value of a dimension, and how many days they took together.
type Count struct {
	Value string
	Cases int
	Days  int
}

// Smallest is the least number of people that is shown where it says something of a person's health: of fewer, somebody who knows one of
// them would learn it.
const Smallest = 5

// Cell is a count as it is shown.
type Cell struct {
	Count
	Hidden bool // there are fewer than Smallest, or it would let one such number be computed
}

// Personal are the dimensions that say something of people's health or home. In them small numbers are hidden.
var Personal = []string{"outcome", "region", "band", "cause", "term"}

// Hide hides what is below Smallest, and if that is one number alone the next smallest too: else it would be the sum less the rest.
// Nothing (0) is shown: nobody is in it.
func Hide(counts []Count) []Cell {
	cells := make([]Cell, len(counts))
	hidden := 0
	for i, c := range counts {
		cells[i] = Cell{c, c.Cases > 0 && c.Cases < Smallest}
		if cells[i].Hidden {
			hidden++
		}
	}
	if hidden != 1 {
		return cells
	}
	next := -1
	for i, c := range cells {
		if !c.Hidden && c.Cases > 0 && (next < 0 || c.Cases < cells[next].Cases) {
			next = i
		}
	}
	if next >= 0 {
		cells[next].Hidden = true
	}
	return cells
}

// Period is whole months, so that no two periods differ by a few days alone.
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
		from := first.AddMonths(-3 * i)
		all = append(all, Period{fmt.Sprintf("%d-Q%d", from.Year(), (int(from.Month())+2)/3), from, from.AddMonths(3)})
	}
	for i := range 12 {
		from := month(y, m).AddMonths(-i)
		all = append(all, Period{fmt.Sprintf("%d-%02d", from.Year(), int(from.Month())), from, from.AddMonths(1)})
	}
	return all
}

// PeriodOf finds a period by its key; the first, this year, where there is none such.
func PeriodOf(key string, today tesdiq.Date) Period {
	all := Periods(today)
	if i := slices.IndexFunc(all, func(p Period) bool { return p.Key == key }); i >= 0 {
		return all[i]
	}
	return all[0]
}
