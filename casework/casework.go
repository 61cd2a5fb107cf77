// Package casework is what all procedures share: a case goes from state to state by steps, each step says who did it, and
// in each state it is somebody's turn until a day. It knows no procedure's own facts and decides nothing.
package casework

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq"
)

// ID numbers cases in the order in which they were opened.
type ID int64

// Procedure is a procedure that ends in an entry.
type Procedure string

// Kind is a kind of case within a procedure: an assessment, an appeal.
type Kind string

// State is where a case stands. The empty State is before its first step.
type State string

// Turn says who must act next.
type Turn string

// The turns.
const (
	Subject     Turn = "subject"     // the person whom the case is about
	Institution Turn = "institution" // the medical institution
	Agencies    Turn = "agencies"    // other bodies' registers
	Commission  Turn = "commission"
	Office      Turn = "office" // a body that acts by its officials
	Nobody      Turn = "nobody" // the case is closed
)

// Part is in what capacity somebody acts.
type Part string

// The parts.
const (
	BySubject     Part = "subject"
	ByClerk       Part = "clerk" // for the person, who is present; the person sees it
	ByInstitution Part = "institution"
	ByMember      Part = "member"
	ByChair       Part = "chair"
	ByOffice      Part = "office"
	BySystem      Part = "system"
)

// Actor is who does a step.
type Actor struct {
	Part   Part
	FIN    tesdiq.FIN // the person, whatever the account: nobody is two people by having two; none for programs
	Office string     // the body, as the subject is told; empty for the subject and the system
}

// Head is what of a case never changes.
type Head struct {
	ID        ID
	Number    string // T-2026-000123
	Procedure Procedure
	Kind      Kind
	Subject   tesdiq.FIN
	Opened    time.Time
	LawOn     tesdiq.Date // the day whose law applies
	About     ID          // the earlier case that it is about; 0 for none
}

// Case is a case as it stands now.
type Case struct {
	Head
	Seq   int // of its latest step, from 1; 0 before the first
	State State
	Since time.Time // of the latest step
	Clock Clock
}

// Step is one change of a case's state. Steps are only ever added.
type Step struct {
	Case     ID
	Seq      int
	From, To State
	At       time.Time
	By       Actor
	What     string            // what was done, as a key: the sentence is "case.step." + What
	Args     map[string]string // what the sentence needs
	Clock    Clock             // that runs from this step on
}

// Transition is a step that a machine allows, and in which part.
type Transition struct {
	Kind     Kind
	From, To State
	By       []Part
}

// Machine is the states of one procedure and the ways between them. The database holds the same in a CHECK, which a test
// compares with it.
type Machine struct {
	Procedure   Procedure
	Transitions []Transition
}

// Allows says whether a case may go this way by this part.
func (m Machine) Allows(k Kind, from, to State, by Part) bool {
	return slices.ContainsFunc(m.Transitions, func(t Transition) bool {
		return t.Kind == k && t.From == from && t.To == to && slices.Contains(t.By, by)
	})
}

// Closed says whether no way leads out of a state.
func (m Machine) Closed(k Kind, s State) bool {
	return s != "" && !slices.ContainsFunc(m.Transitions, func(t Transition) bool { return t.Kind == k && t.From == s })
}

// Errors that each procedure's cases have in common.
var (
	// ErrState: the case is not where this could be done.
	ErrState = tesdiq.NewProblem(tesdiq.Conflict, "case.state")
	// ErrMissing: there is no such case, or it is none of the one who asks; never told apart.
	ErrMissing = tesdiq.NewProblem(tesdiq.NotFound, "case.missing")
	// ErrOpen: the person has an open case of this kind already.
	ErrOpen = tesdiq.NewProblem(tesdiq.Conflict, "case.open")
)

// Move is the case after one step, and the step. ErrState where the machine does not allow it.
func (m Machine) Move(c Case, to State, by Actor, what string, args map[string]string, clock Clock, now time.Time) (Case, Step, error) {
	if !m.Allows(c.Kind, c.State, to, by.Part) {
		return c, Step{}, ErrState
	}
	if now.Before(c.Since) {
		now = c.Since // two machines' clocks may differ; the order of the steps may not
	}
	now = now.UTC().Truncate(time.Microsecond)
	s := Step{Case: c.ID, Seq: c.Seq + 1, From: c.State, To: to, At: now, By: by, What: what, Args: args, Clock: clock}
	c.Seq, c.State, c.Since, c.Clock = s.Seq, to, now, clock
	return c, s, nil
}

// Content is the canonical bytes of a step, to which its ledger line commits: JSON with the fields in their declared
// order, moments in UTC to the microsecond.
func (s Step) Content() ([]byte, error) {
	content, err := json.Marshal(struct {
		Case        ID                `json:"case"`
		Seq         int               `json:"seq"`
		From        State             `json:"from"`
		To          State             `json:"to"`
		At          time.Time         `json:"at"`
		Part        Part              `json:"part"`
		FIN         tesdiq.FIN        `json:"fin"`
		Office      string            `json:"office"`
		What        string            `json:"what"`
		Args        map[string]string `json:"args"`
		Turn        Turn              `json:"turn"`
		Began       tesdiq.Date       `json:"began"`
		DueBy       tesdiq.Date       `json:"due_by"`
		Provisional bool              `json:"provisional"`
	}{
		s.Case, s.Seq, s.From, s.To, s.At.UTC().Truncate(time.Microsecond), s.By.Part, s.By.FIN, s.By.Office, s.What, s.Args,
		s.Clock.Turn, s.Clock.Began, s.Clock.DueBy, s.Clock.Provisional,
	})
	if err != nil {
		return nil, fmt.Errorf("casework: content of step %d of case %d: %w", s.Seq, s.Case, err)
	}
	return content, nil
}
