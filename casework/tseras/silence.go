package tseras

import (
	"slices"

	"github.com/tesdiq/tesdiq/casework"
)

// A case does not stay with who says nothing (docs/adr/0025). Who has not recorded or signed when the clock is over by as many working days as
// clocks.csv says, or is a member no more, is passed over. So many further members are drawn that at least a panel's number speaks, and
// what more than half of those who spoke sign is decided. Where a whole commission said nothing another one is drawn, and where nobody may be
// drawn it is the turn of who keeps the list of commissions, whose clock rings again and again.

// Variants of the clocks.
const (
	ClockSilent = "silent" // for how long who is silent is waited for, once the term is over
	ClockAgain  = "again"  // others are drawn in his place
	ClockNobody = "nobody" // nobody may be drawn
)

// The steps in which a case is taken from who is silent.
const (
	StepSilent    = "silent"             // members are passed over, and further ones are drawn in their place
	StepAnother   = "another_commission" // nobody of the commission has spoken
	StepPassed    = "passed_over"        // members are passed over who have not signed
	StepUndecided = "undecided"          // of those who spoke no more than half sign, or nobody explains
	StepNobody    = "nobody"             // nobody may be drawn
	StepAble      = "draw_possible"      // somebody may be drawn again
)

// Attending is a member who has a seat and was not passed over.
type Attending struct {
	Member   MemberID
	Ended    bool // he is a member no more
	Recorded bool // what he found
	Signed   bool // he has said his word on the latest proposal
}

// Silence is what is done about who is silent.
type Silence struct {
	Passed []Attending
	To     casework.State
	What   string
}

// Silent says what is done about a case in which somebody is silent, and false where there is still to be waited. called: a draw was
// called for and not made. over: the clock is over, and the days are over for which who is silent is waited for.
func Silent(state casework.State, seats []Attending, called, over bool) (Silence, bool) {
	if state == AwaitingDraw || state == FurtherMember && called {
		return Silence{To: state, What: StepNobody}, over
	}
	missing := slices.DeleteFunc(slices.Clone(seats), func(a Attending) bool {
		if state == Signing {
			return a.Signed
		}
		return a.Recorded
	})
	left := slices.ContainsFunc(missing, func(a Attending) bool { return !a.Ended })
	if len(missing) == 0 || left && !over { // those who left are passed over with the others whom the case waits for
		return Silence{}, false
	}
	s := Silence{Passed: missing, To: FurtherMember, What: StepSilent}
	switch {
	case state == Signing:
		s.To, s.What = Signing, StepPassed
	case state == Drawn && len(missing) == len(seats):
		s.To, s.What = AwaitingDraw, StepAnother
	}
	return s, true
}

// FurtherWanted is how many further members are drawn for a case in which so many are left: so many that a panel's number speaks, and one at least.
func FurtherWanted(left int) int { return max(1, panelSize-left) }

// Panelled says whether more have recorded than a panel has: then a further member has already been heard between them.
func Panelled(recorded int) bool { return recorded > panelSize }

// least is how many must have spoken: more than half of a panel. ASSUMPTION.
const least = panelSize/2 + 1

// Carried says whether a proposal is signed: by more than half of those who spoke, when enough have spoken.
func Carried(signed, spoken int) bool { return spoken >= least && 2*signed > spoken }
