// Package registryweb is a signed-in person's pages about what the books say of him: examinations and places of work,
// each with all its versions. What belongs to somebody else answers exactly as what is not there.
package registryweb

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var files embed.FS

// Books are what these pages read.
type Books interface {
	Examinations(ctx context.Context, fin tesdiq.FIN) ([]examination.Entry, error)
	ExaminationVersions(ctx context.Context, fin tesdiq.FIN, number string) ([]examination.Entry, error)
	Contracts(ctx context.Context, fin tesdiq.FIN) ([]contract.Entry, error)
	ContractVersions(ctx context.Context, fin tesdiq.FIN, number string) ([]contract.Entry, error)
}

// Web are the pages. All fields are required.
type Web struct {
	Shell *web.Shell
	Books Books
	Now   func() time.Time

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Web) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(files); err != nil {
		return fmt.Errorf("registryweb: %w", err)
	}
	return nil
}

// Routes registers the pages' addresses.
func (h *Web) Routes(r chi.Router) {
	r.Get("/cabinet/examinations", h.Shell.Private(h.examinations))
	r.Get("/cabinet/examinations/{number}", h.Shell.Private(h.examination))
	r.Get("/cabinet/contracts", h.Shell.Private(h.contracts))
	r.Get("/cabinet/contracts/{number}", h.Shell.Private(h.contract))
}

// missing is the answer for a number that is not there and for one that is somebody else's.
var missing = tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")

// say writes texts in the viewer's language.
type say func(key string, args ...any) string

func (h *Web) say(r *http.Request) say {
	lang := web.ViewerOf(r.Context()).Lang
	return func(key string, args ...any) string { return h.Shell.T(lang, key, args...) }
}

// fact is one row of what an entry says. Key is stable; it tells which rows of two versions belong together.
type fact struct{ Key, Label, Value string }

// facts gathers rows; an empty value makes none.
type facts struct {
	say  say
	rows []fact
}

func (f *facts) add(key, value string) {
	if value != "" {
		f.rows = append(f.rows, fact{key, f.say("registry.fact." + key), value})
	}
}

// tag is a state in a few words with its mark.
type tag struct{ Class, Mark, Text string }

func good(text string) tag { return tag{"good", "✓", text} }
func warn(text string) tag { return tag{"warn", "!", text} }
func bad(text string) tag  { return tag{"bad", "✕", text} }
func none(text string) tag { return tag{"none", "–", text} }

// version is one version of an object on its page.
type version struct {
	At      time.Time
	Act     string // what it did, in words
	By      string
	Reason  string
	Changes []change
}

// change is a row that a version made different.
type change struct{ Label, Was, Is string } // Was and Is may be empty: there was, or is, no such row

// compare lists the rows in which two versions differ, in the order of the newer one, then those that are gone.
func compare(was, is []fact) (changes []change) {
	old := make(map[string]fact, len(was))
	for _, f := range was {
		old[f.Key] = f
	}
	for _, f := range is {
		if before := old[f.Key].Value; before != f.Value {
			changes = append(changes, change{f.Label, before, f.Value})
		}
		delete(old, f.Key)
	}
	for _, f := range was {
		if _, gone := old[f.Key]; gone {
			changes = append(changes, change{f.Label, f.Value, ""})
		}
	}
	return changes
}

// object is the page of one examination or contract.
type object struct {
	Number   string
	Tag      tag
	Why      string // a sentence when it does not hold, or not any more
	Newer    string // the number of the one that holds instead
	Facts    []fact
	Draw     string // where to take an excerpt, or ""
	Versions []version
}

// versions tells the story of an object, the newest first; says are the rows of each version, the oldest first.
func versions(say say, heads []registry.Head, says [][]fact, act func(i int) string) []version {
	all := make([]version, 0, len(heads))
	for i := len(heads) - 1; i >= 0; i-- {
		v := version{At: heads[i].EnteredAt, Act: say(act(i)), By: heads[i].EnteredBy, Reason: heads[i].Reason}
		if i > 0 {
			v.Changes = compare(says[i-1], says[i])
		}
		all = append(all, v)
	}
	return all
}
