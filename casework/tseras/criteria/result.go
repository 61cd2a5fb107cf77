package criteria

import "github.com/tesdiq/tesdiq"

// Outcome is what was decided.
type Outcome string

// The outcomes; the first three are those of the register of examinations.
const (
	Disability    Outcome = "disability"     // an adult's
	Child         Outcome = "child"          // of a person under 18
	NotDisability Outcome = "not_disability" // no disability
	Kept          Outcome = "kept"           // an earlier indefinite disability stays as it is: nothing is entered
)

// Cause is the cause of a disability: the register's words.
type Cause string

// GeneralIllness is the cause where none else is proven.
const GeneralIllness Cause = "general_illness"

// Band is the band of a loss, as the register and excerpts state it.
type Band string

// The bands. The empty Band is no disability.
var bands = []Band{"", "31-60", "61-80", "81-100"}

// Result is what the rules say of an Input.
type Result struct {
	Rules      string      `json:"rules"` // version of the rules: name and SHA-256 of their data
	Law        string      `json:"law"`   // which law was applied: "413" or "187"
	Alone      bool        `json:"alone"` // decided by the registers' evidence, without a commission
	DecidedOn  tesdiq.Date `json:"decided_on"`
	Outcome    Outcome     `json:"outcome"`
	Loss       int         `json:"loss,omitempty"` // percent, since 01.07.2022
	Band       Band        `json:"band,omitempty"`
	Degree     string      `json:"degree,omitempty"` // I–III, an adult's, 30.12.2015–30.06.2022
	Cause      Cause       `json:"cause,omitempty"`
	From       tesdiq.Date `json:"from"`
	Until      tesdiq.Date `json:"until"`     // the last day; none: indefinite
	NextFrom   tesdiq.Date `json:"next_from"` // first day of the next examination's window
	Term       Term        `json:"term,omitempty"`
	Conditions []Valued    `json:"conditions"`
	Reasons    []Reason    `json:"reasons"`
	Changes    []Change    `json:"changes"` // what would change it
}

// Valued is a condition with what the rules make of it.
type Valued struct {
	Condition
	Percent int    `json:"percent"`          // of loss of function, by the criterion and the grade
	Counts  bool   `json:"counts"`           // gives grounds for disability by itself, so that it takes part in the combination
	Same    string `json:"same,omitempty"`   // the other criterion that describes the same disorder and counts instead
	Degree  int    `json:"degree,omitempty"` // severity that the list of 413 gives it: 3 is degree I
}

// Reason is one step of the decision, with its place in the law. Its sentence is "criteria.reason." and the key.
type Reason struct {
	Key    string  `json:"key"`
	Act    string  `json:"act"`            // its name is "criteria.act." and this
	Item   string  `json:"item,omitempty"` // where in the act, where it is known
	Label  string  `json:"label"`          // SEED, FOUND, RECALL or ASSUMPTION: how well the rule is known
	Source string  `json:"source"`         // where it was read
	Params []Param `json:"params,omitempty"`
}

// Param is a value that a sentence needs.
type Param struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"` // "text", "date", "criterion", "cause", "document", "activity", "register", "term", "months": how it is said
	Value string `json:"value"`
}

// Change is one thing that, being otherwise, would give another outcome, band, degree, cause or term. Its sentence is
// "criteria.change." and What.
type Change struct {
	What       string      `json:"what"` // "grade", "activity", "proof", "record", "added"
	Criterion  string      `json:"criterion,omitempty"`
	Grade      int         `json:"grade,omitempty"`      // with this grade instead
	Activities []string    `json:"activities,omitempty"` // any of these
	Limit      Limit       `json:"limit,omitempty"`      // with this limit instead
	Document   string      `json:"document,omitempty"`
	On         tesdiq.Date `json:"on"` // on this day, if it still is so
	Outcome    Outcome     `json:"outcome,omitempty"`
	Band       Band        `json:"band,omitempty"`
	Degree     string      `json:"degree,omitempty"`
	Cause      Cause       `json:"cause,omitempty"`
	Term       Term        `json:"term,omitempty"`
}
