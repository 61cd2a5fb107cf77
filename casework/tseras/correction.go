package tseras

import (
	"context"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/gateway"
)

// Register is a register of the gateway's, and Wrong what can be wrong with what it says: as pages name them, which do not know the gateway.
type (
	Register = gateway.Register
	Wrong    = gateway.Wrong
)

// Wrongs are all that can be wrong.
func Wrongs() []Wrong { return slices.Clone(gateway.Wrongs) }

// CorrectionView is what the person asked an agency to correct, and what it said.
type CorrectionView struct {
	About    string // the number of the case in which the register answered
	State    casework.State
	Reopened bool        // that case asked all registers again after the correction
	Until    tesdiq.Date // the last day to appeal, where that case is decided and it can be; none otherwise
	Register gateway.Register
	Disputes string // the gateway's question whose answer is disputed
	Wrong    gateway.Wrong
	Words    string
	Asked    int // times
	Outcome  string
	Reason   string // why the agency refuses, as a code; or why there is no answer
	Answered bool
	Again    time.Time // when it is asked again; zero: not
}

// CheckDispute lists what is wrong with what a person says of an answer, by the form's fields.
func CheckDispute(wrong gateway.Wrong, words string) (ps tesdiq.Problems) {
	if !slices.Contains(gateway.Wrongs, wrong) {
		ps.Add("wrong", tesdiq.Invalid("tseras.correction.wrong"))
	}
	ps.Add("words", tesdiq.CheckText(words, gateway.MaxDispute, true))
	return ps
}

// AskCorrection asks the agency of a register for a correction, for its n-th time: the same n is the same question.
func AskCorrection(ctx context.Context, r Registry, c casework.Case, v CorrectionView, n int) gateway.Outcome {
	register := v.Register.Correction()
	return r.Ask(ctx, []gateway.Question{{
		ID: gateway.IDOf(c.Number, register, c.Subject, n), Case: c.Number, Purpose: register.Purpose(), Register: register, Person: c.Subject,
		Dispute: gateway.Dispute{Answer: v.Disputes, Wrong: v.Wrong, Words: v.Words},
	}})[0]
}

// Reopens says whether a case whose register was corrected asks the registers again.
func Reopens(c casework.Case) bool {
	return Machine.Allows(c.Kind, c.State, Gathering, casework.BySystem)
}

// The steps of a correction.
const (
	StepCorrectionAsked     = "correction_asked"
	StepCorrectionCorrected = "correction_corrected"
	StepCorrectionRefused   = "correction_refused"
	StepRegisterCorrected   = "register_corrected" // of the case in which the register answered
)
