package tseras

import (
	"errors"
	"slices"
)

// AgainMonths is for how many months after a withdrawal the commission that had been drawn is drawn again. ASSUMPTION: no rule speaks of
// it; a year is longer than waiting for another commission is worth.
const AgainMonths = 12

// DrawnBefore is who was drawn for a case that the person withdrew after the draw.
type DrawnBefore struct {
	Commission string // empty: there is no such case
	Chair      MemberID
	Members    []MemberID // all of them
}

// DrawPanelAgain is DrawPanel for a person's further case: who withdraws and asks again would else draw until a commission suits him. It
// draws among those who had been drawn, with the same chair; where one of them may not be drawn any more among their
// commission, and where that may not, among all. Whoever recomputes the draw reads there that no other could be drawn.
func (s Seed) DrawPanelAgain(round int64, ref string, all []Commission, b Barred, before DrawnBefore) (Drawing, error) {
	var same []Commission
	for _, c := range all {
		if c.ID == before.Commission {
			same = append(same, c)
		}
	}
	var seated []Commission
	for _, c := range same {
		c.Members = slices.DeleteFunc(slices.Clone(c.Members), func(m CommissionMember) bool { return !slices.Contains(before.Members, m.ID) })
		for i := range c.Members {
			c.Members[i].Chair = c.Members[i].ID == before.Chair
		}
		seated = append(seated, c)
	}
	for _, among := range [][]Commission{seated, same} {
		if d, err := s.DrawPanel(round, ref, among, b); !errors.Is(err, ErrNobody) {
			return d, err
		}
	}
	return s.DrawPanel(round, ref, all, b)
}
