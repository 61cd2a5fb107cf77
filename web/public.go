package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// Public registers the pages that need no component: the first page, how checking works, privacy.
func (s *Shell) Public(r chi.Router) {
	for path, name := range map[string]string{"/": "home"} {
		r.Get(path, s.Do(func(w http.ResponseWriter, r *http.Request) error {
			return s.own.Render(w, r, name+".html", Page{Title: "web." + name + ".title"})
		}))
	}
}
