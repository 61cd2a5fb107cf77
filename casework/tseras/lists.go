package tseras

import (
	"encoding/json"
	"strconv"
	"time"
)

// List is one of the lists that the operator keeps.
type List string

// The lists.
const (
	ListCommission  List = "commission"
	ListMember      List = "member"
	ListHours       List = "hours" // when a commission examines in person
	ListInstitution List = "institution"
	ListSeal        List = "seal"     // by which an institution refers
	ListDistrict    List = "district" // for whose people a body makes programmes
)

// ListAct is what was done to a row of a list.
type ListAct string

// The acts. Nothing is taken out of a list, and an institution's code alone is replaced.
const (
	ListAdded ListAct = "added"
	ListEnded ListAct = "ended"
	ListCoded ListAct = "coded"
)

// ListChange is a change of a list, as its ledger line commits to it. Content names people.
type ListChange struct {
	ID      int64
	List    List
	Act     ListAct
	Content string    // the row after the change, as the database wrote it in JSON
	Written time.Time // by the database's clock
}

// Object is by what its ledger line knows it.
func (c ListChange) Object() string { return strconv.FormatInt(c.ID, 10) }

// Canonical is the bytes to which its ledger line commits.
func (c ListChange) Canonical() []byte {
	return []byte(string(c.List) + " " + string(c.Act) + " " + Moment(c.Written).String() + " " + c.Content)
}

// backdated is how far a row's own time may lie before the database's: one machine's clock is not the other's.
const backdated = time.Minute

// Backdated says whether the row's own time, which the operator's program gave, lies before that at which the change was written.
func (c ListChange) Backdated() bool {
	var row struct {
		Added  time.Time  `json:"added_at"`
		Closed *time.Time `json:"closed_at"`
		Ended  *time.Time `json:"ended_at"`
	}
	if err := json.Unmarshal([]byte(c.Content), &row); err != nil {
		return true // not what we write
	}
	said := row.Added
	if c.Act == ListEnded {
		for _, t := range []*time.Time{row.Closed, row.Ended} {
			if t != nil {
				said = *t
			}
		}
	}
	return !said.IsZero() && said.Before(c.Written.Add(-backdated))
}
