package issuer

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates"
)

// Kinds are the kinds of documents that are issued, in the order in which they are shown: templates/all.
type Kinds []templates.Kind

// Kind is the one with this name. What is none is a Problem of kind NotFound, "excerpt.kind".
func (ks Kinds) Kind(name string) (templates.Kind, error) {
	for _, k := range ks {
		if k.Name == name {
			return k, nil
		}
	}
	return templates.Kind{}, tesdiq.NewProblem(tesdiq.NotFound, "excerpt.kind")
}

// Source is what an excerpt would state: an entry that holds, and who it is about.
type Source struct {
	Kind   templates.Kind
	Entry  registry.Version
	Person person.Entry
}

// Until is the last day of what the entry states; none: indefinite.
func (s Source) Until() tesdiq.Date { return s.Kind.Until(s.Entry.Body) }

// Why an excerpt cannot be drawn from an entry.
var (
	ErrAnnulled   = tesdiq.NewProblem(tesdiq.Conflict, "excerpt.entry_annulled")
	ErrSuperseded = tesdiq.NewProblem(tesdiq.Conflict, "excerpt.entry_superseded") // Args["Number"] holds instead
)

// File is one version of an excerpt's file, as handed out.
type File struct {
	SHA256 [32]byte
	PDF    []byte
}
