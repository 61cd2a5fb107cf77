package casework

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/tesdiq/tesdiq"
)

// Clock is whose turn it is, and until when.
type Clock struct {
	Turn  Turn
	Began tesdiq.Date
	DueBy tesdiq.Date // last day; none where the law sets no term
	// Provisional: DueBy lies in a year whose movable holidays are not set yet, and may come to lie later.
	Provisional bool
}

// Alarm says how urgent a clock is.
type Alarm string

// The alarms.
const (
	Quiet   Alarm = ""
	Soon    Alarm = "soon"    // the last day is near, and the turn did not begin today
	Overdue Alarm = "overdue" // it has passed
)

// soon is how many working days before the last day a clock becomes urgent. ASSUMPTION.
const soon = 2

// Alarm is how urgent the clock is on a day.
func (c Clock) Alarm(cal *tesdiq.Calendar, today tesdiq.Date) (Alarm, error) {
	switch {
	case c.DueBy.IsZero():
		return Quiet, nil
	case today.After(c.DueBy):
		return Overdue, nil
	}
	near, err := Near(cal, today)
	if err != nil || near.Before(c.DueBy) || !today.After(c.Began) {
		return Quiet, err
	}
	return Soon, nil
}

// Near is the latest last day that is near on a day: a clock with this or an earlier one is urgent, unless it only began today.
func Near(cal *tesdiq.Calendar, today tesdiq.Date) (tesdiq.Date, error) {
	near, _, err := cal.Term(today, soon)
	return near, err
}

// Ring is an alarm of a clock, as it is found and told.
type Ring struct {
	Number  string
	Subject tesdiq.FIN
	Turn    Turn
	DueBy   tesdiq.Date
	Alarm   Alarm
}

// Message is what the person is told of a ring, and whether aloud: that it is his turn and until when, and when somebody else is late. That
// somebody else's last day is near is for that somebody. "" means nothing.
func (r Ring) Message() (key string, aloud bool) {
	switch {
	case r.Turn == Subject && r.Alarm == Soon:
		return "clocks.message." + string(Soon), true
	case r.Alarm == Overdue:
		return "clocks.message.overdue." + string(r.Turn), r.Turn != Agencies // a silent register is asked again without anybody's doing
	}
	return "", false
}

// Rule is one line of clocks.csv: in this state it is somebody's turn, for so many working days.
type Rule struct {
	Procedure Procedure
	Kind      Kind
	State     State
	Variant   string // tells rules of one state apart: "urgent"; empty for the usual one
	Since     tesdiq.Date
	Turn      Turn
	Days      int  // working days; 0: no term
	Goes      bool // the clock that ran in the state before goes on, and only the turn is new
	Label     string
	Source    string
}

// Rules are the clocks of all procedures.
type Rules []Rule

//go:embed clocks.csv
var clocksFile string

// Clocks are the rules that the program brings along.
var Clocks = sync.OnceValue(func() Rules {
	r, err := readRules(strings.NewReader(clocksFile))
	if err != nil {
		panic(err) // our own file; a test reads it
	}
	return r
})

func readRules(file io.Reader) (Rules, error) {
	r := csv.NewReader(file)
	r.Comma, r.Comment, r.FieldsPerRecord = ';', '#', 9
	var rules Rules
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rules, nil
		}
		if err != nil {
			return nil, fmt.Errorf("casework: clocks: %w", err)
		}
		rule := Rule{Procedure: Procedure(f[0]), Kind: Kind(f[1]), State: State(f[2]), Variant: f[3], Turn: Turn(f[5]), Label: f[7], Source: f[8]}
		if rule.Since, err = tesdiq.ParseDate(f[4]); err != nil {
			return nil, fmt.Errorf("casework: clocks: since %q: %w", f[4], err)
		}
		if f[6] == "goes on" {
			rule.Goes = true
		} else if rule.Days, err = strconv.Atoi(f[6]); err != nil || rule.Days < 0 {
			return nil, fmt.Errorf("casework: clocks: days %q", f[6])
		}
		if rule.Label == "" || rule.Source == "" {
			return nil, errors.New("casework: clocks: label and source are needed")
		}
		rules = append(rules, rule)
	}
}

// Start is the clock of a state that a case enters on a day, coming from a state whose clock was before. A state without
// a rule is nobody's turn and has no term.
func (rs Rules) Start(cal *tesdiq.Calendar, c Case, to State, variant string, on tesdiq.Date) (Clock, error) {
	var rule *Rule
	for i := range rs {
		r := &rs[i]
		if r.Procedure == c.Procedure && r.Kind == c.Kind && r.State == to && r.Variant == variant && !r.Since.After(c.LawOn) &&
			(rule == nil || r.Since.After(rule.Since)) {
			rule = r
		}
	}
	switch {
	case rule == nil && variant != "":
		return Clock{}, fmt.Errorf("casework: %s of %s %s has no clock %q", to, c.Procedure, c.Kind, variant)
	case rule == nil:
		return Clock{Turn: Nobody, Began: on}, nil
	case rule.Goes:
		c.Clock.Turn = rule.Turn
		return c.Clock, nil
	case rule.Days == 0:
		return Clock{Turn: rule.Turn, Began: on}, nil
	}
	if variant != "" && to == c.State {
		on = c.Clock.Began // an extension counts from where the term began
	}
	due, provisional, err := cal.Term(on, rule.Days)
	return Clock{rule.Turn, on, due, provisional}, err
}
