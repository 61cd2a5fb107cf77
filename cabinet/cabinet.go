// Package cabinet is a signed-in person's first page: what is expected of him, the excerpts in force, messages, and the
// organisations that he may act for. It writes nothing but that a message was read.
package cabinet

import (
	"time"

	"github.com/tesdiq/tesdiq"
)

// Membership is somebody's current part in an open organisation.
type Membership struct {
	ID   int64  `db:"id"` // of the organisation
	Name string `db:"name"`
	Role string `db:"role"` // clerk or manager
	// What the organisation does beside checking excerpts: organisation.Duty.
	Duties []string `db:"duties"`
}

// Message is what was told to somebody: a key of the locale files and what its sentence needs.
type Message struct {
	ID     int64             `db:"id"`
	Key    string            `db:"key"`
	Args   map[string]string `db:"args"`
	Link   string            `db:"link"`
	SentAt time.Time         `db:"sent_at"`
	ReadAt *time.Time        `db:"read_at"` // nil: not read yet
	Out    *Out              `db:"-"`       // nil: it did not go out
}

// Told is what a message is about, said when it is read: the message itself, which also whoever sends SMS and e-mails reads, does not hold it.
type Told struct {
	Text  []string // sentences to be seen at once
	Lists []List
	Path  string // where something can be done about it, and the word for it; empty: nowhere
	Word  string
}

// List is sentences under a title.
type List struct {
	Title string
	Lines []string
}

// Excerpt is one that is in force.
type Excerpt struct {
	Number     string      `db:"number"`
	Kind       string      `db:"kind"`
	Title      string      `db:"title"`     // as printed, in the excerpt's own language
	Recipient  string      `db:"recipient"` // for whom, or empty
	Purpose    string      `db:"purpose"`   // what for, or empty
	ValidUntil tesdiq.Date `db:"valid_until"`
	Checks     int         `db:"checks"`     // by others
	LastCheck  *time.Time  `db:"last_check"` // nil: never
}

// Examination is as much of the latest examination as decides whose turn it is.
type Examination struct {
	NextFrom tesdiq.Date // first day of the next examination's window; none when indefinite or when no disability was found
	Until    tesdiq.Date // last day of the term; none when indefinite
}

// Case is one that is under way, in words.
type Case struct {
	Path  string // of its page
	Title string // whose turn it is
	Text  string // what is being done, and until when
}

// Home is what the first page shows.
type Home struct {
	Examination Examination // zero: there is none
	Excerpts    []Excerpt
	Unread      int
	Checks      int // of the person's excerpts by others, in the last LookBack days
	Looks       int // by offices into the person's entries, and by institutions before they referred, in the last LookBack days
}

// LookBack is how many days "lately" is.
const LookBack = 30

// Turn says whether something is expected of the person.
type Turn string

// The turns.
const (
	NoTurn Turn = "none"  // nothing is expected, and nothing is coming
	Later  Turn = "later" // a next examination can be asked for from a day on
	Now    Turn = "now"   // it can be asked for now, before the term ends
	Over   Turn = "over"  // the term has ended
)

// Turn is whose turn it is on a day.
func (e Examination) Turn(today tesdiq.Date) Turn {
	switch {
	case e.Until.IsZero() || e.NextFrom.IsZero():
		return NoTurn
	case today.Before(e.NextFrom):
		return Later
	case !today.After(e.Until):
		return Now
	}
	return Over
}
