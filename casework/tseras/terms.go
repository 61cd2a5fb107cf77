package tseras

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

// Notice is what a person is told of the end of his term.
type Notice string

// The notices.
const (
	Invited  Notice = "invited"  // the window of the next examination opens soon
	Reminded Notice = "reminded" // the term ends soon, and nothing was asked for
	Ended    Notice = "ended"    // it has ended
)

// Notices are all of them, in the order in which they come.
var Notices = []Notice{Invited, Reminded, Ended}

// NoticeOn is what is told on a day of a term whose next examination's window opens on one day and that ends with another;
// false for nothing. Whoever has no last day is never bothered.
func NoticeOn(today tesdiq.Date, terms criteria.Terms, nextFrom, until tesdiq.Date) (Notice, bool) {
	_, opens := Noticed(today, terms)
	switch {
	case until.IsZero() || nextFrom.IsZero() || nextFrom.After(opens):
		return "", false
	case today.Before(nextFrom) || today.Before(until.AddDays(-terms.Remind)):
		return Invited, true
	case !today.After(until):
		return Reminded, true
	case !today.After(until.AddDays(terms.Late)):
		return Ended, true
	}
	return "", false
}

// Noticed says of which terms something may be told on a day: of those that end on a first day or later and whose window opens by
// a day.
func Noticed(today tesdiq.Date, terms criteria.Terms) (first, opens tesdiq.Date) {
	return today.AddDays(-terms.Late), today.AddDays(terms.Invite)
}
