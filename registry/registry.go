// Package registry holds the books of record: persons, disability examinations, employment contracts.
// An entry is appended, corrected by a further entry or annulled; it is never edited or deleted.
// It cannot sign, issue or check anything.
package registry

import (
	"time"

	"github.com/tesdiq/tesdiq"
)

// Book names one book of record.
type Book string

// The books.
const (
	Persons      Book = "person"
	Examinations Book = "examination"
	Contracts    Book = "contract"
)

// Act is what an entry does to its object.
type Act string

// The acts.
const (
	Append  Act = "append"  // something new is so: an examination, an amendment of a contract
	Correct Act = "correct" // the version before was written down wrongly
	Annul   Act = "annul"   // the object was never right; all its versions fall
)

// EntryID numbers entries in the order in which they were written.
type EntryID int64

// Head is what every entry has in common, whatever its book.
type Head struct {
	ID      EntryID    `db:"id"`
	Book    Book       `db:"book"`
	Number  string     `db:"number"`  // of the object in its book: an examination's or contract's number, a person's FIN
	Version int        `db:"version"` // of the object, from 1
	Act     Act        `db:"act"`
	Subject tesdiq.FIN `db:"subject"`
	// Chain groups the objects of which the latest in force supersedes the others: the FIN for examinations,
	// the object's own number for contracts and persons.
	Chain       string      `db:"chain"`
	EffectiveOn tesdiq.Date `db:"effective_on"` // orders the objects of a chain
	EnteredAt   time.Time   `db:"entered_at"`
	EnteredBy   string      `db:"entered_by"`
	Reason      string      `db:"reason"` // of a correction or annulment; empty when appended
}
