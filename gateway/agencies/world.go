package agencies

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

// World is what all registers together know: the same for the same seed, number of people and day.
type World struct {
	seed    uint64
	day     tesdiq.Date
	citizen map[tesdiq.FIN]*citizen
	doctors []tesdiq.FIN
}

// citizen is a person with what our own books say of him, so that the registers fit them.
type citizen struct {
	person.Person
	examined  []examination.Examination // in force, oldest first
	contracts []contract.Contract       // latest version of each
	couple    *couple                   // that he belongs to
	parents   *couple
}

type couple struct {
	husband, wife *citizen
	children      []*citizen
}

// NewWorld invents it. day is the day on which the people were invented, so that they stay the same afterwards.
func NewWorld(seed uint64, n int, day tesdiq.Date) *World {
	w := &World{seed: seed, day: day, citizen: map[tesdiq.FIN]*citizen{}}
	annulled := map[string]bool{}
	for v := range people.Generate(seed, n, day) {
		c := w.citizen[v.Head.Subject]
		if c == nil {
			c = &citizen{}
			w.citizen[v.Head.Subject] = c
		}
		if v.Head.Act == registry.Annul {
			annulled[v.Head.Number] = true
			continue
		}
		switch body := v.Body.(type) {
		case person.Person:
			c.Person = body
		case examination.Examination:
			c.examined = append(slices.DeleteFunc(c.examined, func(e examination.Examination) bool { return e.Number == body.Number }), body)
		case contract.Contract:
			c.contracts = append(slices.DeleteFunc(c.contracts, func(k contract.Contract) bool { return k.Number == body.Number }), body)
		}
	}
	for _, c := range w.citizen {
		c.examined = slices.DeleteFunc(c.examined, func(e examination.Examination) bool { return annulled[e.Number] })
		slices.SortFunc(c.examined, func(a, b examination.Examination) int { return a.ExaminedOn.Compare(b.ExaminedOn) })
	}
	w.families()
	return w
}

// People are all of them, by FIN.
func (w *World) People() []tesdiq.FIN {
	all := make([]tesdiq.FIN, 0, len(w.citizen))
	for fin := range w.citizen {
		all = append(all, fin)
	}
	slices.Sort(all)
	return all
}

// random draws always the same for the same person and subject.
func (w *World) random(fin tesdiq.FIN, subject string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(subject + "\x00" + string(fin))) // it cannot fail
	return rand.New(rand.NewPCG(w.seed, h.Sum64()))
}

// families marries men and women of about the same age, gives them children of the next generation, and lets some adults be doctors.
func (w *World) families() {
	var men, women, all []*citizen
	for _, fin := range w.People() {
		c := w.citizen[fin]
		all = append(all, c)
		if c.Born.AddYears(22).After(w.day) {
			continue
		}
		if c.Sex == tesdiq.Male {
			men = append(men, c)
		} else {
			women = append(women, c)
		}
		if age := c.Born.AddYears(28); !age.After(w.day) && c.Born.AddYears(65).After(w.day) && w.random(fin, "doctor").IntN(50) == 0 {
			w.doctors = append(w.doctors, fin)
		}
	}
	byAge := func(a, b *citizen) int {
		if n := a.Born.Compare(b.Born); n != 0 {
			return n
		}
		return strings.Compare(string(a.FIN), string(b.FIN))
	}
	slices.SortFunc(men, byAge)
	slices.SortFunc(women, byAge)
	var couples []*couple
	for i := range min(len(men), len(women)) {
		if w.random(men[i].FIN, "married").IntN(100) < 65 {
			k := &couple{husband: men[i], wife: women[i]}
			men[i].couple, women[i].couple = k, k
			couples = append(couples, k)
		}
	}
	for _, c := range all {
		r := w.random(c.FIN, "parents")
		for try := 0; try < 8 && len(couples) > 0 && c.parents == nil; try++ {
			k := couples[r.IntN(len(couples))]
			if c.Born.Before(k.wife.Born.AddYears(18)) || c.Born.After(k.wife.Born.AddYears(43)) || c.Born.Before(k.husband.Born.AddYears(18)) {
				continue
			}
			c.parents = k
			k.children = append(k.children, c)
		}
	}
}

func (w *World) relatives(c *citizen) (all []gateway.Relative) {
	add := func(kinship string, who ...*citizen) {
		for _, x := range who {
			if x != nil && x != c {
				all = append(all, gateway.Relative{FIN: x.FIN, Kinship: kinship})
			}
		}
	}
	if k := c.couple; k != nil {
		add("spouse", k.husband, k.wife)
		add("child", k.children...)
	}
	if k := c.parents; k != nil {
		add("parent", k.husband, k.wife)
		add("sibling", k.children...)
	}
	return all
}

// Records are what a register has about somebody, as gateway.Body writes it; what ended before since is left out. Nothing happens after today.
func (w *World) Records(register gateway.Register, fin tesdiq.FIN, since, today tesdiq.Date) any {
	c := w.citizen[fin]
	if c == nil {
		c = &citizen{Person: person.Person{FIN: fin}}
	}
	switch register {
	case gateway.Population:
		return w.population(c)
	case gateway.Relatives:
		return w.relatives(c)
	case gateway.Contact:
		return w.contact(c)
	case gateway.Registration:
		return w.registration(c)
	case gateway.Contracts:
		return sinceDay(w.contracts(c, today), since, func(e gateway.Employment) tesdiq.Date { return e.Until })
	}
	h := w.health(c, today)
	switch register {
	case gateway.Episodes:
		return sinceDay(h.Episodes, since, func(e gateway.Episode) tesdiq.Date { return e.Discharged })
	case gateway.Treating:
		return sinceDay(h.Treating, since, func(t gateway.Treatment) tesdiq.Date { return t.Last })
	case gateway.Oncology:
		return h.Oncology
	case gateway.Tuberculosis:
		return sinceDay(h.Tuberculosis, since, func(i gateway.Infection) tesdiq.Date { return i.OutcomeOn })
	case gateway.Dialysis:
		return sinceDay(h.Dialysis, since, func(d gateway.Course) tesdiq.Date { return d.Ended })
	case gateway.Occupational:
		return sinceDay(h.Occupational, since, func(a gateway.Act) tesdiq.Date { return a.Until })
	case gateway.Vision:
		return sinceDay(h.Vision, since, func(s gateway.Sight) tesdiq.Date { return s.On })
	}
	return nil
}

// sinceDay leaves out what ended before a day; what has no end is there.
func sinceDay[R any](all []R, since tesdiq.Date, end func(R) tesdiq.Date) []R {
	return slices.DeleteFunc(all, func(r R) bool { return !since.IsZero() && !end(r).IsZero() && end(r).Before(since) })
}

func (w *World) population(c *citizen) []gateway.Resident {
	if c.Born.IsZero() {
		return nil
	}
	return []gateway.Resident{{Name: c.Name, Sex: c.Sex, Born: c.Born, Document: c.Document, District: people.DistrictOf(c.FIN)}}
}

func (w *World) contact(c *citizen) []gateway.Telephone {
	r := w.random(c.FIN, "telephone")
	if c.Born.IsZero() || c.Born.AddYears(18).After(w.day) || r.IntN(100) < 6 {
		return nil // nobody under 18 has a number in his own name, and some others have none
	}
	number := []byte("+994" + []string{"50", "51", "55", "70", "77"}[r.IntN(5)] + "0000000")
	for i := len(number) - 7; i < len(number); i++ {
		number[i] = '0' + byte(r.IntN(10))
	}
	return []gateway.Telephone{{Number: string(number), Since: w.day.AddDays(-30 - r.IntN(3000))}}
}

func (w *World) registration(c *citizen) []gateway.Polyclinic {
	if c.Born.IsZero() {
		return nil
	}
	since := c.Born.AddDays(40)
	if since.After(w.day) {
		since = w.day
	}
	p := people.PolyclinicOf(c.FIN)
	return []gateway.Polyclinic{{Institution: p.Code, District: p.District, Since: since}}
}

func (w *World) contracts(c *citizen, today tesdiq.Date) (all []gateway.Employment) {
	for _, k := range c.contracts {
		e := gateway.Employment{Number: k.Number, Employer: k.Employer, VOEN: k.EmployerVOEN, Main: k.Main, From: k.From, Until: k.Until}
		if k.State == contract.Terminated {
			e.Until = k.Terminated
		}
		if !e.From.After(today) {
			all = append(all, e)
		}
	}
	return all
}
