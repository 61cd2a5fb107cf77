package tseras

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq/ledger"
)

// Moment is a time in UTC to the microsecond, which has one way to be written.
type Moment time.Time

const momentLayout = "2006-01-02T15:04:05.000000Z"

func (m Moment) String() string { return time.Time(m).UTC().Format(momentLayout) }

// MarshalText writes "2006-01-02T15:04:05.000000Z".
func (m Moment) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (m *Moment) UnmarshalText(b []byte) error {
	t, err := time.Parse(momentLayout, string(b))
	if err != nil {
		return errors.New("tseras: not a moment")
	}
	*m = Moment(t)
	return nil
}

// RoundLine is the ledger's line of a round's commitment. Its key is public, as no other line's is: what it commits to is public, too.
type RoundLine struct {
	Kind   ledger.Kind `json:"kind"`
	Object string      `json:"object"`
	Key    []byte      `json:"key"`
	MAC    []byte      `json:"mac"`
}

// Promised is what a round's ledger line commits to: the commitment to its seed (32 bytes), and when it was written, as Moment is written.
func Promised(commitment []byte, at time.Time) []byte {
	return slices.Concat(commitment, []byte(Moment(at).String()))
}

// promised says what is wrong with the ledger line of a round.
func (r Round) promised() error {
	switch l := ledger.Line(r.Line); {
	case len(l.MAC) == 0:
		return fmt.Errorf("round %d comes without its ledger line", r.Number)
	case l.Kind != ledger.Round || l.Object != number(r.Number):
		return fmt.Errorf("round %d: the ledger line is another's", r.Number)
	case !l.Opens(Promised(r.Commitment, time.Time(r.Committed))):
		return fmt.Errorf("round %d: the ledger line does not commit to this promise at this time", r.Number)
	}
	return nil
}
