// Package lookup is the look-up without sign-in: by the number of an identity card and the day of birth, the status of somebody's last
// examination, the day of its decision and of the next one. Never a degree, a percentage, a cause or a diagnosis (docs/adr/0019).
package lookup

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Question is what everybody may ask who has seen the card.
type Question struct {
	Card tesdiq.DocumentNumber
	Born tesdiq.Date
}

// series are those that the length of a number alone tells. FOUND: metbuat.az/1371702 (AZE and 8 digits); RECALL: AA and 7 digits.
var series = map[int]string{7: "AA", 8: "AZE"}

// ReadCard reads the number of an identity card, with its series or without: 7 digits are AA's and 8 digits AZE's, because a caller
// can key in digits only. The error is a Problem of kind Invalid, "lookup.card.missing" or "document.malformed".
func ReadCard(s string) (tesdiq.DocumentNumber, error) {
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s)
	if digits == "" {
		return "", tesdiq.Invalid("lookup.card.missing")
	}
	if strings.Trim(digits, "0123456789") == "" {
		s = series[len(digits)] + digits
	}
	return tesdiq.ParseDocumentNumber(s)
}

// eldest is how many years ago somebody can have been born. ASSUMPTION, as in the book of persons.
const eldest = 130

// ReadBorn reads a day of birth; eight digits alone are day, month and year. The errors are Problems of kind Invalid: "date.missing",
// "date.malformed", "date.future", "lookup.born.early".
func ReadBorn(s string, today tesdiq.Date) (tesdiq.Date, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return tesdiq.Date{}, tesdiq.Invalid("date.missing")
	}
	if len(s) == 8 && strings.Trim(s, "0123456789") == "" {
		s = s[:2] + "." + s[2:4] + "." + s[4:]
	}
	born, err := tesdiq.ParseDate(s)
	switch {
	case err != nil:
		return born, err
	case born.After(today):
		return born, tesdiq.Invalid("date.future")
	case born.Before(today.AddYears(-eldest)):
		return born, tesdiq.Invalid("lookup.born.early")
	}
	return born, nil
}

// Way is how it is asked, and with it where the answer goes.
type Way string

// The ways.
const (
	ByPage      Way = "page"      // on the page, after a proof of work; the answer is shown
	ByTelephone Way = "telephone" // on the page, without one; the answer goes by the channel that the person chose
	ByOffice    Way = "office"    // by a named operator of an organisation with the duty call_centre
)

// Outcome is what a question comes to.
type Outcome string

// The outcomes. Whoever asked cannot tell None, Closed and a question that matches nobody from each other.
const (
	Decided     Outcome = "decided"
	UnderReview Outcome = "under_review" // an assessment is under way; the result before it, if any, is told too
	None        Outcome = "none"         // no examination, and no assessment under way
	Closed      Outcome = "closed"       // the person has switched the look-up off
)

// Result is all that is ever told.
type Result struct {
	Outcome    Outcome
	DecidedOn  tesdiq.Date // zero: no examination yet
	NextOn     tesdiq.Date // of the next examination; zero: none is due
	Indefinite bool        // müddətsiz
}

// Shows says whether there is anything to tell.
func (r Result) Shows() bool { return r.Outcome == Decided || r.Outcome == UnderReview }

// Found is what is known of the person whom a question matches.
type Found struct {
	Subject     tesdiq.FIN // empty: it matches nobody, or more than one
	Open        bool       // he lets himself be looked up
	ExaminedOn  tesdiq.Date
	Disability  bool // whether one was found; it decides what "no next day" means, and is not told
	Until, Next tesdiq.Date
	UnderReview bool
}

// Result is what may be told of the person.
func (f Found) Result() Result {
	switch {
	case f.Subject == "":
		return Result{Outcome: None}
	case !f.Open:
		return Result{Outcome: Closed}
	}
	r := Result{Outcome: None, DecidedOn: f.ExaminedOn}
	if !f.ExaminedOn.IsZero() {
		r.Outcome = Decided
		r.Indefinite = f.Disability && f.Until.IsZero()
		if r.NextOn = f.Next; r.NextOn.IsZero() {
			r.NextOn = f.Until
		}
	}
	if f.UnderReview {
		r.Outcome = UnderReview
	}
	return r
}

// Office is who asks for a caller.
type Office struct {
	Organisation int64
	Client       string     // id of the organisation's program
	Operator     tesdiq.FIN // a member of the organisation; the person is told the organisation and the moment
	Key          string     // the program's own: the same request sent again is the same question
	Request      [32]byte   // hash of what it is the key of
}

// Look is a question that matched somebody: who asked, and what was told. It is never changed.
type Look struct {
	ID      int64
	At      time.Time
	Subject tesdiq.FIN
	Way     Way
	Office  Office // zero unless ByOffice; without Key and Request
	Result
}

// Content is the canonical bytes of a look, to which its ledger line commits. The names and their order never change.
func (l Look) Content() ([]byte, error) {
	b, err := json.Marshal(struct {
		ID           int64       `json:"id"`
		At           string      `json:"at"`
		Subject      string      `json:"subject"`
		Way          Way         `json:"way"`
		Organisation int64       `json:"organisation"`
		Client       string      `json:"client"`
		Operator     string      `json:"operator"`
		Outcome      Outcome     `json:"outcome"`
		DecidedOn    tesdiq.Date `json:"decided_on"`
		NextOn       tesdiq.Date `json:"next_on"`
		Indefinite   bool        `json:"indefinite"`
	}{l.ID, l.At.UTC().Format("2006-01-02T15:04:05.000000Z"), string(l.Subject), l.Way, l.Office.Organisation, l.Office.Client,
		string(l.Office.Operator), l.Outcome, l.DecidedOn, l.NextOn, l.Indefinite})
	if err != nil {
		return nil, fmt.Errorf("lookup: content of look %d: %w", l.ID, err)
	}
	return b, nil
}

// Asked is a question with all that decides whether it is answered.
type Asked struct {
	Question
	Way    Way
	Prefix string // of the address; ByPage and ByTelephone
	Proof  Proof  // ByPage
	Office Office // ByOffice
}

// Answer is what whoever asked gets.
type Answer struct {
	Result Result // None whenever nothing is shown, whatever the cause
	Way    Way    // by which it went: ByTelephone instead of ByPage while too much is asked in vain everywhere
}

// Setting is what somebody's switch says.
type Setting struct {
	Open   bool
	Chosen bool      // by himself; else it is as it was from the beginning, or since his first sign-in
	Since  time.Time // zero: from the beginning
}

// Cause is why a switch was switched.
type Cause string

// The causes.
const (
	BySignIn Cause = "sign_in" // the first one
	ByChoice Cause = "choice"
)

// Switched is one turn of somebody's switch. It is never changed.
type Switched struct {
	ID      int64
	At      time.Time
	Subject tesdiq.FIN
	Open    bool
	Cause   Cause
}

// Object is what its ledger line, of the kind of look-ups, calls it.
func (s Switched) Object() string { return "switch/" + strconv.FormatInt(s.ID, 10) }

// Content is the canonical bytes to which its ledger line commits. The names and their order never change.
func (s Switched) Content() ([]byte, error) {
	b, err := json.Marshal(struct {
		ID      int64  `json:"id"`
		At      string `json:"at"`
		Subject string `json:"subject"`
		Open    bool   `json:"open"`
		Cause   Cause  `json:"cause"`
	}{s.ID, s.At.UTC().Format("2006-01-02T15:04:05.000000Z"), string(s.Subject), s.Open, s.Cause})
	if err != nil {
		return nil, fmt.Errorf("lookup: content of switch %d: %w", s.ID, err)
	}
	return b, nil
}

// Seen is a question as the person sees it: when, how, by which office, and what it came to.
type Seen struct {
	At      time.Time
	Way     Way
	Office  string // empty unless ByOffice
	Outcome Outcome
}

// Shown says whether whoever asked was told anything.
func (s Seen) Shown() bool { return Result{Outcome: s.Outcome}.Shows() }

// Wait is for how long an answer still has to wait that was begun for so long: answers come at multiples of a step, so that the
// time that one takes says nothing.
func Wait(taken, step time.Duration) time.Duration {
	if step <= 0 {
		return 0
	}
	return (taken/step+1)*step - taken
}
