package tseras

import (
	"time"

	"github.com/tesdiq/tesdiq/casework"
)

// Shown is a case as its person sees it.
type Shown struct {
	casework.Case
	Steps      []casework.Step
	Evidence   Evidence
	Looks      []Look
	Filed      []Filed         // what clerks did for the person
	Package    []byte          // of the decision as kept, which names the members: Nameless and Enclosed are for people; nil before
	Entry      string          // the examination's number; empty before, and where nothing was entered
	Explains   string          // the chair's, or the further member's where the chair refused, why the result differs from last time's; empty where it does not
	Asked      string          // the institution that has to refer; empty where none of ours is
	Appeals    []casework.Case // about this case, the newest first
	Newer      bool            // a later assessment of the person is decided
	First      *Shown          // of an appeal: what it is about, decided; nil for others
	Dispute    Dispute         // of an appeal
	Examined   *Examined       // of an appeal for which a commission is drawn
	Programme  *ProgrammeView  // of a programme; nil for others
	Correction *CorrectionView // of a correction; nil for others
}

// Look is somebody's look at a case in the course of office: when, and of which commission, body, office or institution.
type Look struct {
	Office  string
	At      time.Time
	Purpose string // an inspector's; empty for a commission's member, who assesses
}

// Withdrawable says whether the person may still take his application back.
func Withdrawable(c casework.Case) bool {
	return Machine.Allows(c.Kind, c.State, Withdrawn, casework.BySubject)
}
