// Package examination is the entry of the book of disability examinations (müayinələrin reyestri), for both periods of
// the law: percent bands of the loss of body functions since 01.07.2022, degrees and groups I–III before.
// No diagnosis is kept here.
package examination

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
)

// Loss is the loss of body functions in percent, a multiple of five from 35 to 100; 0 where the law of the day knew none.
// Source: Cabinet of Ministers, 187 of 13.05.2022.
type Loss int

// Band is the band that a loss falls into, as an excerpt states it.
type Band string

// The bands of the law in force since 01.07.2022.
const (
	Band31 Band = "31-60"
	Band61 Band = "61-80"
	Band81 Band = "81-100"
)

// BandOf is the band of a loss; empty for none or for a loss of 30 percent and less, which is no disability.
func BandOf(l Loss) Band {
	switch {
	case l < 31 || l > 100:
		return ""
	case l <= 60:
		return Band31
	case l <= 80:
		return Band61
	default:
		return Band81
	}
}

// DisabilityDegree is that of 30.12.2015–30.06.2022: read, never written anew. Source: Cabinet 413 of 30.12.2015.
type DisabilityDegree string

// DisabilityGroup is that before 30.12.2015: read, never written anew. Source: Cabinet 99 of 29.08.1997.
type DisabilityGroup string

// Outcome is what the commission found.
type Outcome string

// The outcomes.
const (
	Disability    Outcome = "disability"     // an adult's, with a band, degree or group
	ChildUnder18  Outcome = "child"          // disability of a person under 18
	NotDisability Outcome = "not_disability" // loss of 30 percent and less
)

// Cause is the cause of disability. Source: the state agency's list, dost.gov.az/en/page/elilliyin-qiymetlendirilmesi.
type Cause string

// The causes that the law knows.
var Causes = []Cause{
	"general_illness", "work_injury", "occupational_disease", "chernobyl", "military_service", "combat_zone", "terror",
	"defence_of_integrity", "twenty_january", "military_duty", "chernobyl_military", "childhood",
}

// Examination is what one version of an entry says.
type Examination struct {
	Number     string           `json:"number" db:"number"` // M-2026-117204
	Subject    tesdiq.FIN       `json:"subject" db:"subject"`
	Commission string           `json:"commission" db:"commission"` // its name: "7 saylı TSEK"
	ExaminedOn tesdiq.Date      `json:"examined_on" db:"examined_on"`
	Repeat     bool             `json:"repeat" db:"repeat"`
	Outcome    Outcome          `json:"outcome" db:"outcome"`
	Loss       Loss             `json:"loss,omitempty" db:"loss"`
	Degree     DisabilityDegree `json:"degree,omitempty" db:"degree"`
	Group      DisabilityGroup  `json:"group,omitempty" db:"old_group"`
	Cause      Cause            `json:"cause,omitempty" db:"cause"` // empty when no disability was found
	From       tesdiq.Date      `json:"from" db:"from_day"`
	Until      tesdiq.Date      `json:"until" db:"until_day"`     // none: indefinite (müddətsiz)
	NextFrom   tesdiq.Date      `json:"next_from" db:"next_from"` // first day of the next examination's window; none when indefinite
}

// Entry is an examination as entered.
type Entry struct {
	registry.Head
	Examination
}
