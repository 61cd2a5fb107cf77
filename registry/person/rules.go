package person

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
)

// maxAge is how many years back a birth may lie. ASSUMPTION; people well over 100 live in the country.
const maxAge = 130

// Heading of a person: the number is the FIN, and each person is a chain of his own.
// It takes effect with the birth: versions are ordered by number, and nothing else shares the chain.
func (p Person) Heading() registry.Head {
	return registry.Head{Book: registry.Persons, Number: string(p.FIN), Subject: p.FIN, Chain: string(p.FIN), EffectiveOn: p.Born}
}

// Validate lists what is wrong with the person, by the fields fin, surname, given, father, sex, born, document.
func (p Person) Validate(c registry.Circumstances) (ps tesdiq.Problems) {
	if fin, err := tesdiq.ParseFIN(string(p.FIN)); err != nil || fin != p.FIN {
		ps.Add("fin", tesdiq.Invalid("fin.malformed"))
	}
	for _, part := range []struct {
		field, value string
		needed       bool
	}{{"surname", p.Name.Surname, true}, {"given", p.Name.Given, true}, {"father", p.Name.Father, false}} {
		switch err := tesdiq.CheckText(part.value, tesdiq.MaxNamePart, part.needed); {
		case err != nil:
			ps.Add(part.field, err)
		case part.value != "":
			// Of one part; the others are judged in their own turn.
			if _, err := tesdiq.ParseName(part.value, part.value, ""); err != nil {
				ps.Add(part.field, tesdiq.Invalid("name.malformed"))
			}
		}
	}
	if !p.Sex.Valid() {
		ps.Add("sex", tesdiq.Invalid("person.sex"))
	}
	switch {
	case p.Born.IsZero():
		ps.Add("born", tesdiq.Invalid("date.missing"))
	case p.Born.After(c.Today):
		ps.Add("born", tesdiq.Invalid("date.future"))
	case p.Born.Before(c.Today.AddYears(-maxAge)):
		ps.Add("born", tesdiq.Invalid("person.age"))
	}
	if d, err := tesdiq.ParseDocumentNumber(string(p.Document)); err != nil || d != p.Document {
		ps.Add("document", tesdiq.Invalid("document.malformed"))
	}
	return ps
}

// Follows allows a new name, document, or whatever else changed in life; something must have.
func (p Person) Follows(before registry.Body) (ps tesdiq.Problems) {
	if registry.Body(p) == before {
		ps = append(ps, tesdiq.Invalid("entry.unchanged"))
	}
	return ps
}
