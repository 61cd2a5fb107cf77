package tseras

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway"
)

// Institution is a medical institution that refers, and who acts for it.
type Institution struct {
	ID       int64
	Name     string
	District District
	Member   tesdiq.FIN // who acts for it; none for its program
}

// InstitutionCode is how the health registers name an institution.
type InstitutionCode string

var codePattern = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{0,15}$`)

// ParseInstitutionCode reads a code. The problem is "tseras.institution.code".
func ParseInstitutionCode(s string) (InstitutionCode, error) {
	if !codePattern.MatchString(s) {
		return "", tesdiq.Invalid("tseras.institution.code")
	}
	return InstitutionCode(s), nil
}

// Progress is how far a case is, as its institution is told: what goes on within a commission is not the institution's.
type Progress string

// The progresses.
const (
	WithRegisters  Progress = "gathering"
	WithCommission Progress = "commission"
	WithResult     Progress = "decided"
	WithoutResult  Progress = "closed" // withdrawn, or the person has died: nothing more comes
)

// progresses say which states are told as what; a state that is none of these has no referral.
var progresses = map[Progress][]casework.State{
	WithRegisters: {Gathering}, WithCommission: {AwaitingDraw, Drawn, FurtherMember, Signing}, WithResult: {Decided}, WithoutResult: {Declined, Withdrawn},
}

// Progresses are all of them, in their order.
var Progresses = []Progress{WithRegisters, WithCommission, WithResult, WithoutResult}

// ProgressOf is what an institution is told of a state.
func ProgressOf(s casework.State) Progress {
	for p, states := range progresses {
		if slices.Contains(states, s) {
			return p
		}
	}
	return WithRegisters
}

// States are those that are told as this.
func (p Progress) States() []casework.State { return progresses[p] }

// ParseProgress reads one; empty stays empty, for all of them. The problem is "tseras.progress".
func ParseProgress(s string) (Progress, error) {
	if s == "" || slices.Contains(Progresses, Progress(s)) {
		return Progress(s), nil
	}
	return "", tesdiq.Invalid("tseras.progress")
}

// Sought is what of its referrals an institution wants to see.
type Sought struct {
	Progress Progress // empty: all
	Number   string   // the institution's own; empty: all
	Before   string   // the case after which the next page begins; empty: the newest first
	Limit    int
}

// Referred is a referral as the institution that sent it sees it.
type Referred struct {
	Case     string
	Progress Progress
	Clock    casework.Clock
	Referral Referral
	Result   *Told // what it is told of the decision; nil before, and in lists
}

// Told is what the institution that referred a person is told of the decision (DOMAIN 2.6, step 6: "result to hospital"):
// whether there is a disability, until when, and from when it may refer again (ground 1.5.3). It needs no percentage, cause,
// reason or finding for that, and gets none.
type Told struct {
	Outcome  criteria.Outcome
	On       tesdiq.Date
	Until    tesdiq.Date // none: indefinite, or no disability
	NextFrom tesdiq.Date
}

// ToldOf leaves of a result what the institution is told.
func ToldOf(r criteria.Result) Told { return Told{r.Outcome, r.DecidedOn, r.Until, r.NextFrom} }

// Awaited is a person who applied, is registered at the institution and waits for its referral: it must know whom to call.
type Awaited struct {
	Case    string
	Subject tesdiq.FIN
	Name    string // in full
	Born    tesdiq.Date
	Applied tesdiq.Date
	Clock   casework.Clock
}

// RefusalReason is why an institution does not refer.
type RefusalReason string

// The reasons. Source of the first two: metbuat.az/1499960 (FOUND); of the third none (ASSUMPTION).
const (
	NoGround           RefusalReason = "no_ground"           // none of 1.5.1 to 1.5.5 is there
	DiagnosticsRefused RefusalReason = "diagnostics_refused" // the person did not want to be examined
	DidNotCome         RefusalReason = "did_not_come"        // within the term
)

// RefusalReasons are all of them.
var RefusalReasons = []RefusalReason{NoGround, DiagnosticsRefused, DidNotCome}

// Refusal says that an institution does not refer a person who waits for it. The person reads reason and words.
type Refusal struct {
	Case   string        `json:"case"`
	Reason RefusalReason `json:"reason"`
	Words  string        `json:"words"`
}

// MaxRefusalWords is how many letters an institution may write to the person.
const MaxRefusalWords = 500

// Validate lists what is wrong with a refusal, by its JSON fields. That there is no ground must be explained.
func (r Refusal) Validate() (ps tesdiq.Problems) {
	if !numberPattern.MatchString(r.Case) {
		ps.Add("case", tesdiq.Invalid("tseras.case.number"))
	}
	if !slices.Contains(RefusalReasons, r.Reason) {
		ps.Add("reason", tesdiq.Invalid("tseras.refusal.reason"))
	}
	ps.Add("words", tesdiq.CheckText(r.Words, MaxRefusalWords, r.Reason == NoGround))
	return ps
}

// ParseCaseNumber reads a case's number; empty stays empty. The problem is "tseras.case.number".
func ParseCaseNumber(s string) (string, error) {
	if s != "" && !numberPattern.MatchString(s) {
		return "", tesdiq.Invalid("tseras.case.number")
	}
	return s, nil
}

// ReferralNonce is what the sign-in provider signs when a member of an institution refers: SHA-256 of label, institution and
// the referral's JSON, in base 64 for addresses. Anybody who has the token can compare.
func ReferralNonce(i Institution, r Referral) (string, error) {
	return signedNonce("tesdiq referral v1", i, r)
}

// RefusalNonce is the same of a refusal.
func RefusalNonce(i Institution, r Refusal) (string, error) {
	return signedNonce("tesdiq refusal v1", i, r)
}

func signedNonce(label string, i Institution, what any) (string, error) {
	content, err := json.Marshal(what)
	if err != nil {
		return "", fmt.Errorf("tseras: nonce: %w", err)
	}
	h := sha256.New()
	for _, part := range []string{label, strconv.FormatInt(i.ID, 10), string(content)} {
		h.Write(framed(part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)), nil
}

// evident are the facts that are ground 1.5.2 by themselves, for which the institution has the shorter term. Source:
// metbuat.az/1499960 (FOUND): anatomical defects, resistant tuberculosis, cancer IV, kidney disease V; which fact of a register
// shows which of them is an ASSUMPTION, as in facts.csv.
var evident = []string{"amputation", "drug_resistant", "stage_4", "ckd_5", "chronic_dialysis"}

// urgent is the variant of the institution's clock.
const urgent = "urgent"

// variant of the clock by which the institution has to refer.
func (e Evidence) variant() string {
	for _, a := range e.Answers() {
		for _, f := range a.Facts {
			if slices.Contains(evident, f.Fact) && f.Until.IsZero() {
				return urgent
			}
		}
	}
	return ""
}

// RegisteredAt is the code of the institution where the person is registered; empty where the register knows none.
func (e Evidence) RegisteredAt() string {
	o, _ := e.Of(gateway.Registration)
	for _, p := range o.Facts.Registration {
		return p.Institution
	}
	return ""
}
