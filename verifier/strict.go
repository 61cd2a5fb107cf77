package verifier

import (
	"context"
	"fmt"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// Reader reads a foreign PDF strictly, where it can do no harm. Whatever becomes of it there is a report; an error says
// that it could not be read now.
type Reader interface {
	Read(ctx context.Context, pdf []byte) (pades.Report, error)
}

// ErrBusy says that a file cannot be read strictly now. What is known of a file by its hash is told all the same.
var ErrBusy = tesdiq.NewProblem(tesdiq.Unavailable, "file.busy").With("Seconds", 10).In("file")

// judgeFile reads a file strictly that is not, bit for bit, one that was handed out. x is the excerpt of the beginning with
// which it agrees, or of the code that it bears, or none; what is found out is written to its State.
func (v *Verifier) judgeFile(ctx context.Context, f File, x *Excerpt) error {
	if f.Format != PDFFormat || !f.Signed {
		return nil
	}
	if f.held == nil {
		return ErrBusy
	}
	report, err := v.Reader.Read(ctx, f.held.bytes)
	if err != nil {
		return fmt.Errorf("verifier: strict reading: %w", err)
	}
	switch {
	case report.Indication == pades.Passed && x.Match == MatchContinued:
		// It begins with what we issued, and what follows changes nothing of it: somebody archived it with more validation data.
		x.Match = MatchArchived
	case report.Indication == pades.Passed:
		// Our key signed it, and we know nothing of it: whoever has the key is a thief, or a record of ours is lost.
		x.Missing = UnknownUnissued
		v.Alarm(ctx, f.Sum)
	case report.Reason == pades.ReasonIncomplete: // half of a genuine file is no forgery
		*x = Excerpt{State: State{Missing: UnknownIncomplete}}
	case x.Match == NoMatch && (report.Integrity == pades.Altered || report.Reason == pades.ReasonGaveUp):
		x.Missing = UnknownDamaged
	}
	return nil
}
