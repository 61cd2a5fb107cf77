package tseras

import (
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

// Seat is a case in which a member has a seat.
type Seat struct {
	Number   BlindNumber
	Member   MemberID
	Role     Role
	State    casework.State
	Clock    casework.Clock
	Recorded bool // by this member
	Signed   bool // by this member, what was proposed last
	Passed   bool // he was passed over: the case is no more his
	Kind     casework.Kind
	Meets    *Meeting // of an appeal: when the person comes; nil for a further member, who decides by the file
}

// ErrPassed: the member answered too late, and the case went to others.
var ErrPassed = tesdiq.NewProblem(tesdiq.Conflict, "tseras.passed")

// Meeting is an examination in person as a member sees it.
type Meeting struct {
	N            int // of the slots that the person was given
	Starts, Ends time.Time
	Place        string
	Absent       bool // the chair has said that the person did not come
}

// Waits says whether a member has to wait for the person, who comes later.
func (s Seat) Waits(now time.Time) bool {
	return s.State == Drawn && s.Meets != nil && now.Before(s.Meets.Starts)
}

// Over says whether the person's slot is over: he may still come before.
func (s Seat) Over(now time.Time) bool { return s.Meets != nil && !now.Before(s.Meets.Ends) }

// Explains says whether the member, when he signs a result that differs from last time's, must say why: the chair; and the further
// member, so that a chair who refuses to sign keeps no such case from being decided.
func (s Seat) Explains() bool { return s.Role == Chair || s.Role == Further }

// Mine says whether it is the member's turn.
func (s Seat) Mine() bool {
	if s.Passed {
		return false
	}
	switch s.State {
	case Drawn, FurtherMember:
		return !s.Recorded
	case Signing:
		return !s.Signed
	}
	return false
}

// BlindCase is a case as a member sees it.
type BlindCase struct {
	Seat
	Referral BlindReferral
	Findings *criteria.Findings // the member's own; nil before
	Proposal *Proposal          // nil before the rules have computed
}

// Proposal is what the rules computed, for the members to sign.
type Proposal struct {
	N      int
	Result BlindResult
	Digest []byte
}

// Word is what a member says to a proposal.
type Word struct {
	N        int
	Signs    bool
	Reason   string // why not; empty when he signs
	Explains string // the chair or the further member, to the person: why the result differs from last time's
	Evidence string // what the sign-in provider signed over the digest
}
