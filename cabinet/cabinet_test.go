package cabinet

import (
	"testing"

	"github.com/tesdiq/tesdiq"
)

func TestTurn(t *testing.T) {
	e := Examination{NextFrom: tesdiq.NewDate(2028, 9, 4), Until: tesdiq.NewDate(2028, 11, 4)}
	for _, c := range []struct {
		e     Examination
		today tesdiq.Date
		want  Turn
	}{
		{Examination{}, tesdiq.NewDate(2026, 1, 1), NoTurn},
		{e, tesdiq.NewDate(2028, 9, 3), Later},
		{e, tesdiq.NewDate(2028, 9, 4), Now},
		{e, tesdiq.NewDate(2028, 11, 4), Now},
		{e, tesdiq.NewDate(2028, 11, 5), Over},
	} {
		if got := c.e.Turn(c.today); got != c.want {
			t.Errorf("%v on %s: %s, want %s", c.e, c.today, got, c.want)
		}
	}
}
