package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// correctionPrefix begins the name of the service by which a register takes corrections: "correctvision".
const correctionPrefix = "correct"

// Correction is the further service of a register by which its agency is asked to correct what it answered. It has a schema of its
// own, and its answer is a Ruling.
func (r Register) Correction() Register { return correctionPrefix + r }

// Corrects is the register whose corrections a service takes; false where it takes none.
func (r Register) Corrects() (Register, bool) {
	of, ok := strings.CutPrefix(string(r), correctionPrefix)
	return Register(of), ok && purposes[Register(of)] != ""
}

// Corrections are the services that take corrections, by name.
func Corrections() []Register {
	var all []Register
	for _, r := range Registers() {
		all = append(all, r.Correction())
	}
	return all
}

// Wrong is what is wrong with an answer: a closed list.
type Wrong string

// Wrongs are all that can be wrong. ASSUMPTION: no agency has published such a list.
var Wrongs = []Wrong{"not-mine", "never-was", "date", "diagnosis", "ended", "missing", "other"}

// MaxDispute is how many letters the person's words may have.
const MaxDispute = 500

// Dispute says what is wrong with which answer.
type Dispute struct {
	Answer string // ID of the question whose answer is disputed
	Wrong  Wrong
	Words  string // the person's own
}

func (d Dispute) check(needed bool) error {
	switch {
	case !needed && d == Dispute{}:
		return nil
	case !needed:
		return fmt.Errorf("%w: a dispute, and no correction", errQuestion)
	case !idForm.MatchString(d.Answer), !slices.Contains(Wrongs, d.Wrong), tesdiq.CheckText(d.Words, MaxDispute, true) != nil:
		return fmt.Errorf("%w: the dispute", errQuestion)
	}
	return nil
}

// Outcomes of a Ruling.
const (
	RuledCorrected = "corrected" // the register says something else now
	RuledRefused   = "refused"   // it keeps to what it says
	RuledLater     = "later"     // the agency needs more time, and is asked again as of a day
)

// Ruling is what an agency says to a correction that was asked for. It has codes and no words: nothing about the person, or by him,
// comes back.
type Ruling struct {
	Outcome string      `json:"outcome"`
	Reason  string      `json:"reason"` // why it refuses: confirmed, no-proof, not-ours, examination; empty otherwise
	Until   tesdiq.Date `json:"until"`  // when to ask again; of "later" alone
}

func (Ruling) past() []tesdiq.Date { return nil }

func (r Ruling) contradiction() string {
	return first(when((r.Outcome == RuledRefused) != (r.Reason != ""), "a reason and no refusal, or the other way round"),
		when((r.Outcome == RuledLater) == r.Until.IsZero(), "a day and no delay, or the other way round"))
}
