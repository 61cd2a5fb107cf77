// Package issuer turns an entry of a book of record into an excerpt, in six steps of which each may be repeated after
// a crash (steps.go): write down the intent and the code; render; lint; sign; check what was signed; store and hand out.
//
// It cannot write an entry and holds no key: it asks a Signer, and only after an attempt was committed. What is not
// stored is never handed out. All state is derived from what was appended: intents, attempts, excerpts, voids.
package issuer

import (
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
)

// Number names an excerpt to its owner: E-2026-0048213. It opens nothing to anybody else; the Code does.
type Number string

var numberPattern = regexp.MustCompile(`^E-\d{4}-\d{7,}$`)

// NumberPrefix is what the number of an excerpt begins with that was asked for at the moment t; the year is that of Baku.
// At least seven digits follow, which the database counts.
func NumberPrefix(t time.Time) string { return fmt.Sprintf("E-%04d-", tesdiq.DateOf(t).Year()) }

// ParseNumber reads a number out of an address. What is none is not there: a Problem of kind NotFound, "excerpt.missing".
func ParseNumber(s string) (Number, error) {
	if len(s) > 32 || !numberPattern.MatchString(s) {
		return "", ErrMissing
	}
	return Number(s), nil
}

// ErrMissing says that there is no such excerpt, or none of the asker's: never told apart.
var ErrMissing = tesdiq.NewProblem(tesdiq.NotFound, "excerpt.missing")

// Intent is what a person asked for, as it was written down before anything else was done.
type Intent struct {
	ID         int64            `db:"id"`
	Request    string           `db:"request"` // see Request.Identity
	Code       tesdiq.Code      `db:"code"`
	Number     Number           `db:"number"`
	Kind       string           `db:"kind"`     // of the document: a folder of templates
	Template   int              `db:"template"` // its version
	Lang       tesdiq.Lang      `db:"lang"`
	Subject    tesdiq.FIN       `db:"subject"`
	EntryID    registry.EntryID `db:"entry_id"`  // what it states: the entry at asking, whatever comes later
	PersonID   registry.EntryID `db:"person_id"` // who it is about, as registered at asking
	Recipient  string           `db:"recipient"`
	Purpose    string           `db:"purpose"`
	WithSalary bool             `db:"with_salary"`
	ValidUntil tesdiq.Date      `db:"valid_until"` // the last day
	AskedAt    time.Time        `db:"asked_at"`
}

// Excerpt is what was signed, checked and is to be stored together with its bytes.
type Excerpt struct {
	Intent
	Statement []byte // JSON of what is printed
	PDF       []byte
	SHA256    [32]byte
	IssuedAt  time.Time

	Signed [32]byte // SHA-256 of the file without the archive that follows the signature

	// The certificates on which the file rests, as read back by the check: keys.Serial.
	SignerSerial, StampSerial string

	StampedUntil time.Time // when the certificates of its last time stamp end; zero: it has no document time stamp
}

// Moment is now, to the microsecond that PostgreSQL keeps: what a ledger line commits to must be readable back.
func Moment(now time.Time) time.Time { return now.UTC().Truncate(time.Microsecond) }

// KeyLength is how many characters the key of a form has.
const KeyLength = 26

// NewRequestKey draws the key that a form carries, so that sending it twice asks once.
func NewRequestKey(random io.Reader) (string, error) { return tesdiq.RandomText(random, KeyLength) }
