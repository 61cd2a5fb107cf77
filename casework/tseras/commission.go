package tseras

import (
	"regexp"
	"strings"

	"github.com/tesdiq/tesdiq"
)

var commissionPattern = regexp.MustCompile(`^K\d{2,3}$`)

// ParseCommissionID reads the number of a commission: K07. The problem is "tseras.commission.id".
func ParseCommissionID(s string) (string, error) {
	if s = strings.ToUpper(strings.TrimSpace(s)); !commissionPattern.MatchString(s) {
		return "", tesdiq.Invalid("tseras.commission.id")
	}
	return s, nil
}

// Limits of what stands in the list of commissions, in letters.
const (
	MaxCommissionName = 100 // what an entry takes
	MaxMemberName     = 200
	MaxDistricts      = 100
	maxDistrict       = 60
)

// Validate lists what is wrong with a commission, by the fields id, name, districts.
func (c Commission) Validate() (ps tesdiq.Problems) {
	if id, err := ParseCommissionID(c.ID); err != nil || id != c.ID {
		ps.Add("id", tesdiq.Invalid("tseras.commission.id"))
	}
	ps.Add("name", tesdiq.CheckText(c.Name, MaxCommissionName, true))
	if len(c.Districts) == 0 || len(c.Districts) > MaxDistricts {
		ps.Add("districts", tesdiq.Invalid("tseras.commission.districts").With("Limit", MaxDistricts))
	}
	for i, d := range c.Districts {
		ps.Add(nth("districts", i), d.Validate())
	}
	return ps
}

// Validate says whether d can be a district's name. The problem is CheckText's.
func (d District) Validate() error { return tesdiq.CheckText(string(d), maxDistrict, true) }
