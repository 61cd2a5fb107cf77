// Package tseras is the assessment of disability (TSERAS): from application and referral by a commission drawn by lot,
// which sees neither person nor sender, to the entry in the book of examinations. The rules compute the result
// (criteria); nobody types a percentage, a degree or a term. It cannot sign a document, and reads no register itself.
package tseras

import (
	"github.com/tesdiq/tesdiq/casework"
)

// Procedure is the name of this procedure.
const Procedure casework.Procedure = "tseras"

// Assessment is the kind of case that ends in an examination.
const Assessment casework.Kind = "assessment"

// The states of an assessment.
const (
	Gathering        casework.State = "gathering"         // the registers are asked
	AwaitingReferral casework.State = "awaiting_referral" // the registers do not decide alone; the institution examines and refers
	AwaitingDraw     casework.State = "awaiting_draw"     // all is known that a commission needs; the next draw is for it
	Drawn            casework.State = "drawn"             // a commission was drawn; each member records what he finds, unseen by the others
	FurtherMember    casework.State = "further_member"    // their results differ; a member of another commission was drawn
	Signing          casework.State = "signing"           // the rules have computed; chair and members sign
	Decided          casework.State = "decided"           // entered in the book of examinations
	Declined         casework.State = "declined"          // the institution found no ground for a referral, or the person has died
	Withdrawn        casework.State = "withdrawn"         // by the person
)

// Machine is the states and the ways between them; ARCHITECTURE.md draws it.
var Machine = casework.Machine{Procedure: Procedure, Transitions: []casework.Transition{
	{Kind: Assessment, From: "", To: Gathering, By: parts(casework.BySubject, casework.ByClerk, casework.ByInstitution)},
	{Kind: Assessment, From: Gathering, To: Decided, By: parts(casework.BySystem)},
	{Kind: Assessment, From: Gathering, To: AwaitingReferral, By: parts(casework.BySystem)},
	{Kind: Assessment, From: Gathering, To: AwaitingDraw, By: parts(casework.BySystem)},
	{Kind: Assessment, From: Gathering, To: Declined, By: parts(casework.BySystem)}, // the person has died
	{Kind: Assessment, From: Gathering, To: Withdrawn, By: parts(casework.BySubject, casework.ByClerk)},
	{Kind: Assessment, From: AwaitingReferral, To: Gathering, By: parts(casework.ByInstitution)},
	{Kind: Assessment, From: AwaitingReferral, To: Declined, By: parts(casework.ByInstitution)},
	{Kind: Assessment, From: AwaitingReferral, To: Withdrawn, By: parts(casework.BySubject, casework.ByClerk)},
	{Kind: Assessment, From: AwaitingDraw, To: Drawn, By: parts(casework.BySystem)},
	{Kind: Assessment, From: AwaitingDraw, To: Withdrawn, By: parts(casework.BySubject, casework.ByClerk)},
	{Kind: Assessment, From: Drawn, To: Drawn, By: parts(casework.ByChair)}, // the term is extended
	{Kind: Assessment, From: Drawn, To: FurtherMember, By: parts(casework.BySystem)},
	{Kind: Assessment, From: Drawn, To: Signing, By: parts(casework.BySystem)},
	{Kind: Assessment, From: Drawn, To: Withdrawn, By: parts(casework.BySubject, casework.ByClerk)},
	{Kind: Assessment, From: FurtherMember, To: Signing, By: parts(casework.BySystem)},
	{Kind: Assessment, From: Signing, To: FurtherMember, By: parts(casework.ByMember, casework.ByChair)}, // refuses to sign
	{Kind: Assessment, From: Signing, To: Decided, By: parts(casework.BySystem)},
}}

func parts(p ...casework.Part) []casework.Part { return p }
