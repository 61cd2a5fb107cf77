package verifier

import (
	"time"

	"github.com/tesdiq/tesdiq"
)

// Match says how what was shown to us hangs together with the excerpt that was found.
type Match int

// The matches. Only MatchCode, MatchFile and MatchArchived may ever lead to tesdiq.Valid.
const (
	NoMatch        Match = iota // nothing was found
	MatchCode                   // the code was given; nothing is known of the paper that bears it
	MatchFile                   // the file is bit for bit one that was handed out
	MatchContinued              // the file begins with one that was handed out, and goes on
	MatchArchived               // the file begins with one that was handed out, and only validation data were added
	MatchClaimed                // the file bears the excerpt's code, and is none that was handed out
)

// Reason is the stable key of the one sentence that explains a verdict: "verifier.reason.<key>.text" says why,
// "verifier.reason.<key>.next" what to do.
type Reason string

// The reasons. A verdict's word is the first part of its reasons.
const (
	AlteredContinued    Reason = "altered.continued"    // something was added after issuing
	AlteredClaimed      Reason = "altered.claimed"      // another file under a genuine code
	RevokedByIssuer     Reason = "revoked.issuer"       // this excerpt was revoked
	RevokedSigner       Reason = "revoked.signer"       // the certificate that signed the file was revoked, as of a moment before
	RevokedAnnulled     Reason = "revoked.annulled"     // its entry was never right
	WithdrawnBySubject  Reason = "withdrawn.subject"    // the citizen took it back
	SupersededCorrected Reason = "superseded.corrected" // the entry was written down wrongly, and corrected
	SupersededNewer     Reason = "superseded.newer"     // something newer was entered
	ExpiredTerm         Reason = "expired.term"         // its own time is over
	ValidCode           Reason = "valid.code"           // compare what you hold with what stands here
	ValidFile           Reason = "valid.file"           // exactly the file that was issued
	ValidArchived       Reason = "valid.archived"       // the file that was issued, with validation data that somebody added
	UnknownCode         Reason = "unknown.code"         // nothing was issued under this code
	UnknownHash         Reason = "unknown.hash"         // no file with this SHA-256 was issued
	UnknownUnsigned     Reason = "unknown.unsigned"     // a PDF without a signature: a scan, or printed again
	UnknownForeign      Reason = "unknown.foreign"      // a PDF that somebody else signed
	UnknownDamaged      Reason = "unknown.damaged"      // a PDF that was changed after somebody signed it, or cannot be read
	UnknownUnissued     Reason = "unknown.unissued"     // a PDF that our key signed and that was never issued
	UnknownIncomplete   Reason = "unknown.incomplete"   // a PDF that was not received whole
	UnknownEncrypted    Reason = "unknown.encrypted"    // a PDF under a password
	UnknownPicture      Reason = "unknown.picture"      // a photograph or scan
	UnknownNotPDF       Reason = "unknown.not_pdf"      // some other kind of file
)

// Reasons are all of them.
var Reasons = []Reason{
	AlteredContinued, AlteredClaimed, RevokedByIssuer, RevokedSigner, RevokedAnnulled, WithdrawnBySubject, SupersededCorrected,
	SupersededNewer, ExpiredTerm, ValidCode, ValidFile, ValidArchived, UnknownCode, UnknownHash, UnknownUnsigned, UnknownForeign, UnknownDamaged, UnknownIncomplete, UnknownUnissued,
	UnknownEncrypted, UnknownPicture, UnknownNotPDF,
}

// State is all that a verdict depends on, read from the primary in one query at the moment of the check.
// A zero time means that it did not happen.
type State struct {
	Match        Match
	Missing      Reason      // why nothing was found, when Match is NoMatch
	ValidUntil   tesdiq.Date // the last day in Baku on which the excerpt holds
	RevokedAt    time.Time   // a revocation of this excerpt
	KeyRevokedAt time.Time   // since when the file, or every file of the excerpt, does not count: its signer's certificate was revoked
	AnnulledAt   time.Time   // the latest version of its entry's object annuls it
	WithdrawnAt  time.Time
	CorrectedAt  time.Time // its entry is not the latest version of its object, and the latest is a correction
	NewerAt      time.Time // the latest version is something new, or another object of the chain is later
}

// Judgement is a verdict, why, and since when; Since is zero where it has no beginning.
type Judgement struct {
	Verdict tesdiq.Verdict
	Reason  Reason
	Since   time.Time
}

// Judge decides by the precedence altered, revoked, withdrawn, superseded, expired, valid.
func Judge(s State, now time.Time) Judgement {
	switch s.Match {
	case MatchContinued:
		return Judgement{Verdict: tesdiq.Altered, Reason: AlteredContinued}
	case MatchClaimed:
		return Judgement{Verdict: tesdiq.Altered, Reason: AlteredClaimed}
	case MatchCode, MatchFile, MatchArchived:
		return s.standing(now)
	default:
		return Judgement{Verdict: tesdiq.Unknown, Reason: s.Missing}
	}
}

// standing is the verdict on the excerpt itself, whatever became of the copy that was shown.
func (s State) standing(now time.Time) Judgement {
	switch {
	case !s.RevokedAt.IsZero():
		return Judgement{tesdiq.Revoked, RevokedByIssuer, s.RevokedAt}
	case !s.KeyRevokedAt.IsZero():
		return Judgement{tesdiq.Revoked, RevokedSigner, s.KeyRevokedAt}
	case !s.AnnulledAt.IsZero():
		return Judgement{tesdiq.Revoked, RevokedAnnulled, s.AnnulledAt}
	case !s.WithdrawnAt.IsZero():
		return Judgement{tesdiq.Withdrawn, WithdrawnBySubject, s.WithdrawnAt}
	case !s.CorrectedAt.IsZero():
		return Judgement{tesdiq.Superseded, SupersededCorrected, s.CorrectedAt}
	case !s.NewerAt.IsZero():
		return Judgement{tesdiq.Superseded, SupersededNewer, s.NewerAt}
	case tesdiq.DateOf(now).After(s.ValidUntil):
		return Judgement{tesdiq.Expired, ExpiredTerm, s.ValidUntil.End()}
	case s.Match == MatchArchived:
		return Judgement{Verdict: tesdiq.Valid, Reason: ValidArchived}
	case s.Match == MatchFile:
		return Judgement{Verdict: tesdiq.Valid, Reason: ValidFile}
	default:
		return Judgement{Verdict: tesdiq.Valid, Reason: ValidCode}
	}
}

// Disclosure is how much of an excerpt an answer shows.
type Disclosure int

// The disclosures, from least to most. Never more than stands on the excerpt itself.
const (
	ShowNothing  Disclosure = iota // the verdict alone, not even what sort of document it is
	ShowDocument                   // which document, its number and when it was issued; no fact
	ShowMasked                     // what it says, with the person as initials and the end of the FIN
	ShowAll                        // what it says, as printed
)

// Reread is how long what an excerpt says may be read again under a check that was recorded: a working day. Afterwards
// the check itself stays readable; whoever wants the facts checks again, and the citizen is told again.
const Reread = 24 * time.Hour

// Disclose is the one place that decides what is shown of an excerpt.
//
//	standing of the excerpt             organisation, or its subject   anybody else
//	valid, superseded, expired          as printed                     masked
//	revoked (also by annulment)         which document                 which document
//	withdrawn, unknown                  nothing                        nothing
//
// An altered file shows what was issued, so that the two can be compared, but only as far as the excerpt's own standing
// allows: an altered copy must not open what the citizen withdrew. What is superseded or expired is shown because it was
// true and stands on the paper in the asker's hands; what is revoked may never have been true.
func Disclose(s State, toAll bool, checkedAt, now time.Time) Disclosure {
	if s.Match == NoMatch {
		return ShowNothing
	}
	switch s.standing(now).Verdict {
	case tesdiq.Valid, tesdiq.Superseded, tesdiq.Expired:
		switch {
		case now.Sub(checkedAt) > Reread:
			return ShowDocument
		case toAll:
			return ShowAll
		default:
			return ShowMasked
		}
	case tesdiq.Revoked:
		return ShowDocument
	default:
		return ShowNothing
	}
}
