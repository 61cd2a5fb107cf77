package issuer

import (
	"time"

	"github.com/tesdiq/tesdiq"
)

// State is what became of a request, as its person reads it.
type State string

// The states, in their precedence where more than one is true.
const (
	Making     State = "making"     // written down; the file comes in a moment
	Void       State = "void"       // could not be made; Item.VoidReason says why
	Revoked    State = "revoked"    // by the issuer, or because the entry was annulled
	Withdrawn  State = "withdrawn"  // by the person
	Superseded State = "superseded" // a newer entry says something else
	Expired    State = "expired"
	InForce    State = "in_force"
)

// VoidReason says why an intent will have no excerpt.
type VoidReason string

// The reasons.
const (
	NotCurrent  VoidReason = "not_current" // the entry was superseded or annulled between asking and signing
	Unprintable VoidReason = "unprintable" // a fact of the entry has a letter that the document's font does not have, or does not fit
	Failed      VoidReason = "failed"      // it could not be made in MaxAttempts attempts
)

// Standing is how an entry stands among the later ones.
type Standing struct {
	Annulled bool `db:"annulled"` // the object was never right
	Newer    bool `db:"newer"`    // a later version of the object, or a later object in its chain
}

// Current says whether an excerpt may be drawn from the entry.
func (s Standing) Current() bool { return !s.Annulled && !s.Newer }

// Item is one line of a person's history of excerpts.
type Item struct {
	Intent
	Standing
	IssuedAt     *time.Time `db:"issued_at"` // nil: no excerpt
	VoidReason   *string    `db:"void_reason"`
	WithdrawnAt  *time.Time `db:"withdrawn_at"`
	RevokedAt    *time.Time `db:"revoked_at"`
	RevokeReason *string    `db:"revoke_reason"`
	KeyRevokedAt *time.Time `db:"key_revoked_at"` // since when its file does not count: the signer's certificate was revoked
	EntryNumber  string     `db:"entry_number"`
	Checks       int        `db:"checks"` // by others
}

// State derives what became of the request, on a day in Baku.
func (i Item) State(today tesdiq.Date) State {
	switch {
	case i.IssuedAt == nil && i.VoidReason != nil:
		return Void
	case i.IssuedAt == nil:
		return Making
	case i.RevokedAt != nil, i.KeyRevokedAt != nil, i.Annulled:
		return Revoked
	case i.WithdrawnAt != nil:
		return Withdrawn
	case i.Newer:
		return Superseded
	case i.ValidUntil.Before(today):
		return Expired
	default:
		return InForce
	}
}
