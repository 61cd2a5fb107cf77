// Package tseras is the assessment of disability (TSERAS): from application and referral by a commission drawn by lot,
// which sees neither person nor sender, to the entry in the book of examinations. The rules compute the result
// (criteria); nobody types a percentage, a degree or a term. It cannot sign a document, and reads no register itself.
package tseras

import (
	"slices"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
)

// Procedure is the name of this procedure.
const Procedure casework.Procedure = "tseras"

// The kinds of cases. All but an assessment are about an earlier case.
const (
	Assessment casework.Kind = "assessment" // ends in an examination
	Appeal     casework.Kind = "appeal"     // against what was decided: examined in person, by another commission
	Programme  casework.Kind = "programme"  // of rehabilitation (fərdi reabilitasiya proqramı), made with the person after a decision
	Correction casework.Kind = "correction" // of what a register answered, by the agency that keeps it
)

// The states.
const (
	Gathering          casework.State = "gathering"           // the registers are asked
	AwaitingReferral   casework.State = "awaiting_referral"   // the registers do not decide alone; the institution examines and refers
	AwaitingDraw       casework.State = "awaiting_draw"       // all is known that a commission needs; the next draw is for it
	Drawn              casework.State = "drawn"               // a commission was drawn; each member records what he finds, unseen by the others
	FurtherMember      casework.State = "further_member"      // their results differ, or too few have spoken; members of other commissions are drawn
	Signing            casework.State = "signing"             // the rules have computed; chair and members sign
	Decided            casework.State = "decided"             // entered in the book of examinations
	Declined           casework.State = "declined"            // the institution found no ground for a referral, or the person has died
	Withdrawn          casework.State = "withdrawn"           // by the person
	Lapsed             casework.State = "lapsed"              // the person did not come
	AwaitingInvitation casework.State = "awaiting_invitation" // the office has to say when and where
	AwaitingMeeting    casework.State = "awaiting_meeting"    // the person knows when and where
	Drafted            casework.State = "drafted"             // programme made with the person, not entered yet
	Entered            casework.State = "entered"             // the programme holds
	Asked              casework.State = "asked"               // the agency has to answer
	Corrected          casework.State = "corrected"           // it has changed what its register says
	Refused            casework.State = "refused"             // it keeps to what its register says, for a reason
)

// OpensPerDay is how many cases somebody opens in 24 hours himself, and as many again through clerks, so that nobody's clerk can use up
// his own. Each asks seven registers and sends messages. ASSUMPTION: applying, withdrawing and thinking again three times is plenty.
const OpensPerDay = 10

// ErrOften: so many cases were opened in 24 hours.
var ErrOften = tesdiq.NewProblem(tesdiq.TooMany, "tseras.often")

// Machine is the states and the ways between them; ARCHITECTURE.md draws it.
var Machine = casework.Machine{Procedure: Procedure, Transitions: slices.Concat(assessment, appeal, programme, correction)}

var assessment = ways(Assessment,
	way{"", Gathering, parts(casework.BySubject, casework.ByClerk, casework.ByInstitution)},
	way{Gathering, Decided, bySystem},
	way{Gathering, AwaitingReferral, bySystem},
	way{Gathering, AwaitingDraw, bySystem},
	way{Gathering, Declined, bySystem},  // the person has died
	way{Gathering, Gathering, bySystem}, // a register was corrected
	way{Gathering, Withdrawn, byPerson},
	way{AwaitingReferral, Gathering, parts(casework.ByInstitution, casework.BySystem)}, // system: a register was corrected
	way{AwaitingReferral, Declined, parts(casework.ByInstitution)},
	way{AwaitingReferral, Withdrawn, byPerson},
	way{AwaitingDraw, Gathering, bySystem},    // a register was corrected
	way{AwaitingDraw, AwaitingDraw, bySystem}, // nobody may be drawn
	way{AwaitingDraw, Drawn, bySystem},
	way{AwaitingDraw, Withdrawn, byPerson},
	way{Drawn, Drawn, parts(casework.ByChair)}, // the term is extended
	way{Drawn, AwaitingDraw, bySystem},         // the whole commission was silent: another one
	way{Drawn, FurtherMember, bySystem},        // their results differ, or members are passed over
	way{Drawn, Signing, bySystem},
	way{Drawn, Withdrawn, byPerson},
	way{FurtherMember, FurtherMember, bySystem}, // members are passed over, or nobody may be drawn
	way{FurtherMember, Signing, bySystem},
	way{Signing, Signing, bySystem},                                                            // members are passed over
	way{Signing, FurtherMember, parts(casework.ByMember, casework.ByChair, casework.BySystem)}, // refuses to sign; system: too few sign
	way{Signing, Decided, bySystem},
)

var appeal = ways(Appeal,
	way{"", AwaitingDraw, byPerson},
	way{AwaitingDraw, AwaitingDraw, bySystem},
	way{AwaitingDraw, Drawn, bySystem},
	way{AwaitingDraw, Withdrawn, byPerson},
	way{Drawn, Drawn, parts(casework.BySubject, casework.ByClerk, casework.ByChair)}, // another place in the queue
	way{Drawn, AwaitingDraw, bySystem},
	way{Drawn, FurtherMember, bySystem},
	way{Drawn, Signing, bySystem},
	way{Drawn, Lapsed, parts(casework.ByChair)},
	way{Drawn, Withdrawn, byPerson},
	way{FurtherMember, FurtherMember, bySystem},
	way{FurtherMember, Signing, bySystem},
	way{Signing, Signing, bySystem},
	way{Signing, FurtherMember, parts(casework.ByMember, casework.ByChair, casework.BySystem)},
	way{Signing, Decided, bySystem},
)

var programme = ways(Programme,
	way{"", AwaitingInvitation, parts(casework.BySystem, casework.BySubject, casework.ByClerk)}, // with the decision, or later at the person's wish
	way{AwaitingInvitation, AwaitingInvitation, byOffice},                                       // a body takes it
	way{AwaitingInvitation, AwaitingMeeting, byOffice},
	way{AwaitingInvitation, Withdrawn, byPerson},
	way{AwaitingInvitation, Declined, bySystem},                                                           // another decision holds now
	way{AwaitingMeeting, AwaitingMeeting, parts(casework.BySubject, casework.ByClerk, casework.ByOffice)}, // another time or place, wished or given
	way{AwaitingMeeting, Drafted, byOffice},
	way{AwaitingMeeting, Lapsed, byOffice},
	way{AwaitingMeeting, Withdrawn, byPerson},
	way{AwaitingMeeting, Declined, bySystem},
	way{Drafted, Drafted, parts(casework.BySubject, casework.ByClerk, casework.ByOffice)}, // the person's word on it; another draft
	way{Drafted, Entered, byOffice},
	way{Drafted, Withdrawn, byPerson},
	way{Drafted, Declined, bySystem},
)

var correction = ways(Correction,
	way{"", Asked, byPerson},
	way{Asked, Corrected, bySystem},
	way{Asked, Refused, bySystem},
	way{Asked, Withdrawn, byPerson},
)

// way is a transition of one kind of case.
type way struct {
	from, to casework.State
	by       []casework.Part
}

var (
	bySystem = parts(casework.BySystem)
	byPerson = parts(casework.BySubject, casework.ByClerk)
	byOffice = parts(casework.ByOffice)
)

func parts(p ...casework.Part) []casework.Part { return p }

func ways(k casework.Kind, all ...way) (ts []casework.Transition) {
	for _, w := range all {
		ts = append(ts, casework.Transition{Kind: k, From: w.from, To: w.to, By: w.by})
	}
	return ts
}
