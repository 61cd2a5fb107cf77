// Package v1 is the first published version of the certificate on a place of work.
package v1

import (
	"embed"
	"fmt"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates"
)

//go:embed words.*.json
var files embed.FS

var words = templates.MustReadWords(files)

// Title is what stands above the document.
func Title(lang tesdiq.Lang) string { return words.Title(lang) }

// State says what a contract states.
func State(entry registry.Body, p person.Person, o templates.Options) (templates.Statement, error) {
	c, ok := entry.(contract.Contract)
	if !ok {
		return templates.Statement{}, fmt.Errorf("an entry of type %T", entry)
	}
	w := &templates.Writer{Words: words, Lang: o.Lang}
	w.Person(p)
	w.Group("work")
	w.Row("employer", c.Employer)
	w.Row("employer_voen", string(c.EmployerVOEN))
	w.Row("workplace", c.Workplace)
	w.Row("position", c.Position)
	w.Row("sort", w.Say(map[bool]string{true: "main", false: "additional"}[c.Main])+", "+
		w.Say(map[bool]string{true: "part_time", false: "full_time"}[c.PartTime]))
	w.Row("number", c.Number+", "+c.Concluded.String())
	if c.Until.IsZero() {
		w.Row("term", w.Say("indefinite_from", "day", c.From.String()))
	} else {
		w.Row("term", c.From.String()+" – "+c.Until.String())
	}
	if c.State == contract.Terminated {
		w.Row("state", w.Say("state.terminated", "day", c.Terminated.String()))
	} else {
		w.Row("state", w.Say("state.active"))
	}
	if o.WithSalary {
		w.Row("salary", c.Salary.String())
	}
	w.Use(o)
	return templates.Statement{Title: w.Say("title"), Facts: w.Facts}, w.Err
}
