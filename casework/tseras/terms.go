package tseras

import "github.com/tesdiq/tesdiq"

// Notice is what a person is told of the end of his term.
type Notice string

// The notices.
const (
	Invited  Notice = "invited"  // the window of the next examination has opened
	Reminded Notice = "reminded" // the term ends soon, and nothing was asked for
	Ended    Notice = "ended"    // it has ended
)

// Notices are all of them, in the order in which they come.
var Notices = []Notice{Invited, Reminded, Ended}

const (
	// remindDays is how many days before the last day the reminder comes. ASSUMPTION.
	remindDays = 14
	// lateDays is for how many days after the last day it is still told that the term has ended: when the service begins, nobody
	// hears of what ended years ago. ASSUMPTION.
	lateDays = 30
)

// NoticeOn is what is told on a day of a term whose next examination's window opens on one day and that ends with another;
// false for nothing. Whoever has no last day is never bothered.
func NoticeOn(today, nextFrom, until tesdiq.Date) (Notice, bool) {
	switch {
	case until.IsZero() || nextFrom.IsZero() || today.Before(nextFrom):
		return "", false
	case today.Before(until.AddDays(-remindDays)):
		return Invited, true
	case !today.After(until):
		return Reminded, true
	case !today.After(until.AddDays(lateDays)):
		return Ended, true
	}
	return "", false
}

// Window is the range of last days of which something may be told on a day: Told looks at these alone.
func Window(today tesdiq.Date) (first tesdiq.Date) { return today.AddDays(-lateDays) }
