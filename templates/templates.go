// Package templates holds the documents with legal effect: what each kind and version states of an entry, in which
// words, and how it is drawn. It signs nothing and asks nobody.
//
// A kind is a folder, templates/<kind>/v<N>, and one line in templates/all. A published version is never edited, only
// followed by the next: a test holds each version's drawn bytes to their hash.
package templates

import (
	"fmt"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/person"
)

// Mask says what of a fact is shown to somebody who is not signed in.
type Mask string

// The masks.
const (
	AsPrinted Mask = ""      // the value
	Shortened Mask = "short" // Fact.Short instead of the value: initials, the last three characters of the FIN
	Hidden    Mask = "hide"  // nothing, not even that the row is there
)

// Fact is one printed row: its label and value in the words of the document's language.
type Fact struct {
	Key   string `json:"key"`   // stable, for programs: "name", "employer"
	Group string `json:"group"` // the heading that it stands under
	Label string `json:"label"`
	Value string `json:"value"`
	Mask  Mask   `json:"mask,omitempty"`
	Short string `json:"short,omitempty"`
}

// Statement is what an excerpt states, exactly as printed. It is stored with the excerpt and shown at each check.
type Statement struct {
	Kind    string      `json:"kind"`
	Version int         `json:"version"`
	Lang    tesdiq.Lang `json:"lang"`
	Title   string      `json:"title"`
	AsOf    time.Time   `json:"as_of"`
	Facts   []Fact      `json:"facts"`
}

// Masked is the statement as somebody who is not signed in may see it.
func (s Statement) Masked() Statement {
	facts := make([]Fact, 0, len(s.Facts))
	for _, f := range s.Facts {
		switch f.Mask {
		case Hidden:
			continue
		case Shortened:
			f.Value = f.Short
		}
		f.Mask, f.Short = AsPrinted, ""
		facts = append(facts, f)
	}
	s.Facts = facts
	return s
}

// Full is the statement as printed, without the marks that say what would be masked.
func (s Statement) Full() Statement {
	facts := make([]Fact, len(s.Facts))
	for i, f := range s.Facts {
		f.Mask, f.Short = AsPrinted, ""
		facts[i] = f
	}
	s.Facts = facts
	return s
}

// Options are what the person chose, and when the registry was read.
type Options struct {
	Lang       tesdiq.Lang
	AsOf       time.Time
	ValidUntil tesdiq.Date
	Recipient  string // for whom; may be empty
	Purpose    string // what for; may be empty
	WithSalary bool
}

// Version is one published form of a kind.
type Version struct {
	// State says in words what an entry states. It fails on an entry of another book and on one that this version has
	// no words for.
	State func(entry registry.Body, p person.Person, o Options) (Statement, error)
	// Title is what stands above the document.
	Title func(tesdiq.Lang) string
}

// Kind is one sort of document.
type Kind struct {
	Name     string
	Book     registry.Book // of which it states entries
	Salary   bool          // a salary is printed if the person ticks it
	Current  int           // the version that is issued now
	Versions map[int]Version
	// Until is the last day of what an entry states; none: indefinite, or, as of a contract that has ended, so for good.
	Until func(entry registry.Body) tesdiq.Date
}

// Title is that of the version that is issued now.
func (k Kind) Title(lang tesdiq.Lang) string { return k.Versions[k.Current].Title(lang) }

// State is that of the version that is asked for; an error if it was never published.
func (k Kind) State(version int, entry registry.Body, p person.Person, o Options) (Statement, error) {
	v, ok := k.Versions[version]
	if !ok {
		return Statement{}, fmt.Errorf("templates: %s has no version %d", k.Name, version)
	}
	s, err := v.State(entry, p, o)
	if err != nil {
		return Statement{}, fmt.Errorf("templates: %s version %d: %w", k.Name, version, err)
	}
	s.Kind, s.Version, s.Lang, s.AsOf = k.Name, version, o.Lang, o.AsOf
	return s, nil
}

// FileName is a neutral name for an excerpt's file: that somebody has a disability must not stand in a list of files.
func FileName(number string) string { return "tesdiq-" + number + ".pdf" }
