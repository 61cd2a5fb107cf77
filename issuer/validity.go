package issuer

import (
	"time"

	"github.com/tesdiq/tesdiq"
)

// Validity is how long an excerpt shall be in force.
type Validity string

// The three choices.
const (
	Days30 Validity = "30"
	Days90 Validity = "90"
	ToEnd  Validity = "end" // of what the entry states, at most a year
)

// Validities are all choices, in the order in which forms show them.
var Validities = []Validity{Days30, Days90, ToEnd}

// ParseValidity reads a choice. The error is a Problem of kind Invalid, "validity.unknown".
func ParseValidity(s string) (Validity, error) {
	for _, v := range Validities {
		if string(v) == s {
			return v, nil
		}
	}
	return "", tesdiq.Invalid("validity.unknown")
}

// ErrOver says that the term which the entry states is over, so that there is nothing to state as in force.
var ErrOver = tesdiq.NewProblem(tesdiq.Conflict, "excerpt.over")

// Until is the last day of an excerpt that was asked for at the moment t, counted in Baku: never later than until, the
// last day of what the entry states (none: indefinite), and never more than a year away.
func (v Validity) Until(t time.Time, until tesdiq.Date) (tesdiq.Date, error) {
	today := tesdiq.DateOf(t)
	day := today.AddYears(1)
	switch v {
	case Days30:
		day = today.AddDays(30)
	case Days90:
		day = today.AddDays(90)
	}
	if !until.IsZero() && until.Before(day) {
		day = until
	}
	if day.Before(today) {
		return tesdiq.Date{}, ErrOver.With("Until", until.String())
	}
	return day, nil
}
