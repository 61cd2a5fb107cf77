package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
)

// verdictLine is a verdict and the key of what it means.
type verdictLine struct {
	Verdict tesdiq.Verdict
	Key     string
}

// Public registers the pages that need no component: the first page, how checking works, privacy.
func (s *Shell) Public(r chi.Router) {
	// The good answer first: this is for people, not the precedence by which a verdict is decided.
	var verdicts []verdictLine
	for _, v := range []tesdiq.Verdict{tesdiq.Valid, tesdiq.Superseded, tesdiq.Expired, tesdiq.Withdrawn, tesdiq.Revoked, tesdiq.Altered, tesdiq.Unknown} {
		verdicts = append(verdicts, verdictLine{v, "web.how.verdict." + string(v)})
	}
	page := func(path, name, title string, data any) {
		r.Get(path, s.Do(func(w http.ResponseWriter, r *http.Request) error {
			return s.own.Render(w, r, name, Page{Title: title, Data: data})
		}))
	}
	page("/", "home.html", "web.home.title", nil)
	page("/how", "how.html", "web.how.title", verdicts)
	page("/privacy", "privacy.html", "web.privacy.title", nil)
}
