// Package v1 is the first published version of the excerpt on disability.
package v1

import (
	"embed"
	"fmt"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates"
)

//go:embed words.*.json
var files embed.FS

var words = templates.MustReadWords(files)

// Title is what stands above the document.
func Title(lang tesdiq.Lang) string { return words.Title(lang) }

// State says what an examination states.
func State(entry registry.Body, p person.Person, o templates.Options) (templates.Statement, error) {
	e, ok := entry.(examination.Examination)
	if !ok {
		return templates.Statement{}, fmt.Errorf("an entry of type %T", entry)
	}
	w := &templates.Writer{Words: words, Lang: o.Lang}
	w.Person(p)
	w.Group("examination")
	w.Row("number", e.Number)
	w.Row("examined_on", e.ExaminedOn.String()+", "+w.Say(map[bool]string{false: "first", true: "repeat"}[e.Repeat]))
	w.Row("commission", e.Commission)
	w.Row("result", result(w, e))
	if e.Outcome != examination.NotDisability {
		w.Row("cause", w.Say("cause."+string(e.Cause)))
		if e.Until.IsZero() {
			w.Row("term", w.Say("indefinite_from", "day", e.From.String()))
			w.Row("next", w.Say("next_none"))
		} else {
			w.Row("term", e.From.String()+" – "+e.Until.String())
			if !e.NextFrom.IsZero() {
				w.Row("next", w.Say("next_from", "day", e.NextFrom.String()))
			}
		}
	}
	w.Use(o)
	return templates.Statement{Title: w.Say("title"), Facts: w.Facts}, w.Err
}

// result is what the commission found, by the measure of the law of its day.
func result(w *templates.Writer, e examination.Examination) string {
	switch {
	case e.Outcome == examination.NotDisability:
		return w.Say("result.none")
	case e.Outcome == examination.ChildUnder18:
		return w.Say("result.child")
	case e.Group != "":
		return w.Say("result.group", "group", string(e.Group))
	case e.Degree != "":
		return w.Say("result.degree", "degree", string(e.Degree))
	default:
		return w.Say("result.band", "band", strings.ReplaceAll(string(examination.BandOf(e.Loss)), "-", "–"))
	}
}
