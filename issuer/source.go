package issuer

import (
	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/person"
)

// Kind is what asking must know of a kind of document.
type Kind struct {
	Name    string
	Version int           // of the template that is current
	Book    registry.Book // of which it states entries
	Salary  bool          // a salary may be printed, if the person ticks it
	// Until is the last day of what an entry states; none: indefinite.
	Until func(registry.Body) tesdiq.Date
	// Unprintable finds the characters that its fonts do not have.
	Unprintable func(string) []rune
}

// Kinds are all kinds of documents.
type Kinds interface {
	// Kind is one of them. What is none is a Problem of kind NotFound, "excerpt.kind".
	Kind(name string) (Kind, error)
	// Names are all, in the order in which they are shown.
	Names() []string
}

// Source is what an excerpt would state: an entry that holds, and who it is about.
type Source struct {
	Kind   Kind
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
