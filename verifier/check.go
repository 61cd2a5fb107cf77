package verifier

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

// CheckID is the number of a check: 16 random characters of Crockford's base 32, so that nobody finds other people's.
type CheckID string

const idLength = 16

// ParseCheckID reads the number of a check, with or without its hyphens. What is none is told as one that is not
// there: a Problem of kind NotFound, "check.unknown".
func ParseCheckID(s string) (CheckID, error) {
	s = strings.ToUpper(strings.ReplaceAll(s, "-", ""))
	if len(s) != idLength || strings.Trim(s, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
		return "", ErrNoCheck
	}
	return CheckID(s), nil
}

// String groups the number as it is printed: 7K2M-9QXA-4TRC-W8HN.
func (id CheckID) String() string { return tesdiq.Code(id).String() }

// Sort is what sort of asker somebody is.
type Sort string

// The sorts. Nobody can choose his own: it follows from how he signed in.
const (
	ByOrganisation Sort = "organisation" // a member who acts for it, or its program
	ByPerson       Sort = "person"       // somebody who signed in and acts for himself
	ByAnonymous    Sort = "anonymous"    // somebody who did not sign in
)

// Asker is who asks.
type Asker struct {
	Sort         Sort
	Organisation int64      // 0 unless ByOrganisation
	Name         string     // of the organisation; empty otherwise
	Manager      bool       // sees all checks of the organisation, otherwise only his own
	Member       tesdiq.FIN // of the organisation's member or of the person; empty for a program and for nobody
	Client       string     // id of an organisation's program; empty otherwise
	Visitor      string     // of somebody who did not sign in: the hash of his session's id
	Prefix       string     // of his address, for the throttle; never stored
}

// guesser is under what somebody's misses are counted. Who signed in is counted by himself: he cannot go on guessing from
// other addresses, and nobody who shares his address can lock him out. The throttle gets a hash, so that it knows no person.
func (a Asker) guesser() string {
	if a.Member == "" {
		return a.Prefix
	}
	sum := sha256.Sum256([]byte("tesdiq guesser " + string(a.Member)))
	return hex.EncodeToString(sum[:16])
}

// MaxNote is how many characters a note may have.
const MaxNote = 200

// ParseNote reads the line that an organisation may add to a check: letters, digits and punctuation on one line.
// Errors are Problems of kind Invalid: "note.length" (Args["Max"]), "note.letter" (Args["Letter"]), "note.empty".
func ParseNote(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	var p *tesdiq.Problem
	switch err := tesdiq.CheckText(s, MaxNote, false); {
	case !errors.As(err, &p):
		return s, nil
	case p.Key == "text.long":
		return "", tesdiq.Invalid("note.length").With("Max", MaxNote)
	case p.Key == "text.letter":
		return "", tesdiq.Invalid("note.letter").With("Letter", p.Args["Letter"])
	default:
		return "", tesdiq.Invalid("note.empty")
	}
}

// Question is what is asked. Exactly one of Code, Sum and File is given.
type Question struct {
	By      Asker
	Way     tesdiq.Way
	Code    tesdiq.Code
	Sum     *Sum // of a file that the asker keeps to himself
	File    *File
	Purpose tesdiq.Purpose
	Note    string // organisations only
	// Key makes the question repeatable: the same key of the same client is the same check; without a client, the key
	// itself stands for who asks and what. Request is what it must be the key of; both or neither are given.
	Key     string
	Request *Sum
}

// Check is one question about one excerpt, as recorded. It is never changed.
type Check struct {
	ID      CheckID
	At      time.Time
	Way     tesdiq.Way
	Excerpt int64      // 0: none was found
	Subject tesdiq.FIN // of the excerpt
	Code    tesdiq.Code
	Sum     *Sum
	By      Asker
	Purpose tesdiq.Purpose
	Note    string
	Verdict tesdiq.Verdict
	Reason  Reason
	Key     string
	Request *Sum
}

// Canonical are the bytes that the check's ledger line commits to. The names and their order never change.
func (c Check) Canonical() []byte {
	b, err := json.Marshal(struct {
		ID           CheckID        `json:"id"`
		At           string         `json:"at"`
		Way          tesdiq.Way     `json:"way"`
		Excerpt      int64          `json:"excerpt"`
		Subject      string         `json:"subject"`
		Code         string         `json:"code"`
		SHA256       string         `json:"sha256"`
		Sort         Sort           `json:"sort"`
		Organisation int64          `json:"organisation"`
		Member       string         `json:"member"`
		Client       string         `json:"client"`
		Visitor      string         `json:"visitor"`
		Purpose      tesdiq.Purpose `json:"purpose"`
		Note         string         `json:"note"`
		Verdict      tesdiq.Verdict `json:"verdict"`
		Reason       Reason         `json:"reason"`
	}{
		c.ID, c.At.UTC().Format("2006-01-02T15:04:05.000000Z"), c.Way, c.Excerpt, string(c.Subject), string(c.Code), c.Sum.hex(),
		c.By.Sort, c.By.Organisation, string(c.By.Member), c.By.Client, c.By.Visitor, c.Purpose, c.Note, c.Verdict, c.Reason,
	})
	if err != nil {
		panic(fmt.Sprintf("verifier: canonical form: %v", err)) // strings and numbers only: cannot fail
	}
	return b
}

// hex is empty for none.
func (s *Sum) hex() string {
	if s == nil {
		return ""
	}
	return hex.EncodeToString(s[:])
}

// ParseSum reads a SHA-256 in hexadecimal. The error is a Problem of kind Invalid, "sha256.malformed".
func ParseSum(s string) (Sum, error) {
	var sum Sum
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != len(sum) {
		return Sum{}, tesdiq.Invalid("sha256.malformed")
	}
	return Sum(b), nil
}
