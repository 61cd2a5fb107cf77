package tseras

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
)

// Filing is done by a clerk for a person who is present: what stands on the person's card opens his page for some minutes,
// and each try to open one is kept and, if it hit, told to the person (docs/adr/0023).

// Clerk is who files, and for which office.
type Clerk struct {
	FIN          tesdiq.FIN
	Name         string // as the person is told
	Organisation int64
	Office       string // its name
}

// Actor is the clerk as the one who does a step.
func (c Clerk) Actor() casework.Actor {
	return casework.Actor{Part: casework.ByClerk, FIN: c.FIN, Office: c.Office}
}

// VisitLength is how long a person's page stays open to the clerk. ASSUMPTION: an application takes two or three minutes.
const VisitLength = 10 * time.Minute

// Limits of tries that hit nobody, and of people whom one clerk serves. ASSUMPTION: a card is mistyped now and then, and 150
// people a day are one in three minutes.
const (
	MissesPerHour = 5   // by one clerk
	MissesPerDay  = 30  // by one office; then whoever of it has missed within the hour is refused: one who has not keeps filing
	VisitsPerDay  = 150 // by one clerk
)

// Problems of filing.
var (
	// ErrNoMatch: card and FIN are not one person's. Which of them is wrong, or whether either exists, is not told.
	ErrNoMatch = tesdiq.Invalid("filing.no_match")
	// ErrSelf: a clerk has a cabinet of his own.
	ErrSelf = tesdiq.NewProblem(tesdiq.Forbidden, "filing.self")
	// ErrVisit: the person's page is not open to this clerk, or not any more.
	ErrVisit = tesdiq.NewProblem(tesdiq.NotFound, "filing.over")
)

// VisitIDLength is how many characters, of five random bits each, a visit's name has.
const VisitIDLength = 26

// Visit is a person who is present at a clerk's.
type Visit struct {
	ID      string
	Subject tesdiq.FIN
	Name    tesdiq.Name
	Began   time.Time
}

// Ends is when the person's page closes by itself.
func (v Visit) Ends() time.Time { return v.Began.Add(VisitLength) }

// Try is a clerk's try to open somebody's page; without Visit and Subject it hit nobody.
type Try struct {
	ID           int64      `json:"id"`
	Visit        string     `json:"visit"`
	Organisation int64      `json:"organisation"`
	Office       string     `json:"office"`
	ClerkFIN     tesdiq.FIN `json:"clerk_fin"`
	Clerk        string     `json:"clerk"`
	Subject      tesdiq.FIN `json:"subject"`
	At           time.Time  `json:"at"`
}

// Content is the canonical bytes of a try, to which its ledger line commits.
func (t Try) Content() ([]byte, error) {
	t.At = t.At.UTC().Truncate(time.Microsecond)
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("tseras: content of try %d: %w", t.ID, err)
	}
	return b, nil
}

// Filed is what a clerk did for a person: opened his page, or did a step of a case.
type Filed struct {
	At     time.Time
	Office string
	Clerk  string // his name
	Number string // of the case; empty: the page was opened
	Kind   casework.Kind
	What   string // the step; empty: the page was opened
}
