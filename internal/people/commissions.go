package people

import (
	"fmt"

	"github.com/tesdiq/tesdiq"
)

// Commission is an invented commission that assesses disability, with its members, of whom the first two are chairs.
type Commission struct {
	ID        string
	Name      string
	Districts []string
	Members   []Actor
	Place     string // where it examines in person
}

// Sizes of what is invented.
const (
	commissions = 12
	perPanel    = 4
)

// seated are those of the cast who sit in a commission: by commission and place.
var seated = map[[2]int]string{{0, 0}: "rena", {0, 2}: "kamal", {1, 2}: "sebine"}

// Commissions are the demonstration's: each has districts of its own, and together they have all.
var Commissions = func() []Commission {
	surnames := []string{"Abbas", "Babay", "Cabbar", "Dadaş", "Eyvaz", "Fərəc", "Həmid", "İbrahim", "Kazım", "Mahmud", "Nəsir", "Orucəl"}
	given := [perPanel]string{"Sevda", "Ramin", "Ülviyyə", "Anar"}
	fathers := []string{"Hikmət", "Rafiq", "Tofiq", "Əkbər"}
	all := make([]Commission, commissions)
	for i := range all {
		c := &all[i]
		c.ID, c.Name = fmt.Sprintf("K%02d", i+1), fmt.Sprintf("%d saylı Nümunə TSEK", i+1)
		c.Place = fmt.Sprintf("Nümunə küçəsi %d, 1-ci mərtəbə, otaq %d", 10+i, 101+i)
		for d := i; d < len(Districts); d += commissions {
			c.Districts = append(c.Districts, Districts[d])
		}
		for n := range perPanel {
			if key, ok := seated[[2]int{i, n}]; ok {
				c.Members = append(c.Members, Who(key))
				continue
			}
			a := Actor{
				Key: fmt.Sprintf("%s-%d", c.ID, n+1), FIN: tesdiq.FIN(fmt.Sprintf("%02dZ%04d", i+1, n+1)), Sex: tesdiq.Female,
				Name: tesdiq.Name{Surname: surnames[i] + "ova", Given: given[n], Father: fathers[(i+n)%len(fathers)]},
			}
			if n%2 == 1 {
				a.Sex, a.Name.Surname = tesdiq.Male, surnames[i]+"ov"
			}
			c.Members = append(c.Members, a)
		}
	}
	return all
}()

// Chair says whether the n-th member of a commission, counted from 0, may chair it.
func Chair(n int) bool { return n < 2 }
