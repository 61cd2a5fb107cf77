// Package contract is the entry of the book of employment contracts, made from employers' notifications:
// conclusion, amendment, termination. Source: Labour Code, articles 43 and 49.
package contract

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
)

// State is what the latest notification made of the contract.
type State string

// The states.
const (
	Active     State = "active"
	Terminated State = "terminated"
)

// Contract is what one version of an entry says.
type Contract struct {
	Number       string       `json:"number" db:"number"` // K-2021-0831452
	Subject      tesdiq.FIN   `json:"subject" db:"subject"`
	Employer     string       `json:"employer" db:"employer"`
	EmployerVOEN tesdiq.VOEN  `json:"employer_voen" db:"employer_voen"`
	Workplace    string       `json:"workplace,omitempty" db:"workplace"` // unit or address; may be empty
	Position     string       `json:"position" db:"position"`
	Main         bool         `json:"main" db:"main"`           // main place of work, or an additional one
	PartTime     bool         `json:"part_time" db:"part_time"` // otherwise full time
	Salary       tesdiq.Qapik `json:"salary" db:"salary"`       // a month, before tax
	Concluded    tesdiq.Date  `json:"concluded" db:"concluded"` // day of the contract
	From         tesdiq.Date  `json:"from" db:"from_day"`       // first working day
	Until        tesdiq.Date  `json:"until" db:"until_day"`     // end of a fixed term; none: indefinite
	State        State        `json:"state" db:"state"`
	Terminated   tesdiq.Date  `json:"terminated" db:"terminated"`   // none while active
	Ground       string       `json:"ground,omitempty" db:"ground"` // article of the Labour Code by which it was terminated
	EffectiveOn  tesdiq.Date  `json:"effective_on" db:"effective"`  // day from which this version holds
}

// Entry is a contract as entered.
type Entry struct {
	registry.Head
	Contract
}
