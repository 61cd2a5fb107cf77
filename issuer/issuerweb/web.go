// Package issuerweb is a signed-in person's pages about excerpts: to ask for one, fetch it, see what became of each,
// and take one back. Whatever belongs to somebody else answers exactly as what is not there.
package issuerweb

import (
	"context"
	"embed"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var files embed.FS

// patience is how long sending the form waits for the excerpt before it shows that it is being made.
const patience = 2 * time.Second

// Desk takes requests.
type Desk interface {
	Entry(ctx context.Context, fin tesdiq.FIN, kind, number string) (issuer.Source, error)
	Ask(ctx context.Context, fin tesdiq.FIN, r issuer.Request) (issuer.Number, error)
	Wait(ctx context.Context, fin tesdiq.FIN, number issuer.Number, limit time.Duration) (issuer.Item, error)
	Withdraw(ctx context.Context, fin tesdiq.FIN, number issuer.Number) error
}

// Archive shows what was asked for.
type Archive interface {
	History(ctx context.Context, fin tesdiq.FIN, kind string, before int64, limit int) (items []issuer.Item, more bool, err error)
	Item(ctx context.Context, fin tesdiq.FIN, number issuer.Number) (issuer.Item, error)
	File(ctx context.Context, fin tesdiq.FIN, number issuer.Number) (issuer.File, error)
}

// Web are the pages. All fields are required.
type Web struct {
	Shell   *web.Shell
	Desk    Desk
	Archive Archive
	Kinds   issuer.Kinds
	Host    string // where codes are checked, as people read it: "tesdiq.example"
	Now     func() time.Time
	Rand    io.Reader

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Web) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(files); err != nil {
		return fmt.Errorf("issuerweb: %w", err)
	}
	return nil
}

// Routes registers the pages' addresses, after Prepare.
func (h *Web) Routes(r chi.Router) {
	private := h.Shell.Private
	r.Get("/cabinet/excerpts", private(h.history))
	r.Post("/cabinet/excerpts", private(h.ask))
	r.Get("/cabinet/excerpts/new", private(h.form))
	r.Get("/cabinet/excerpts/{number}", private(h.excerpt))
	r.Get("/cabinet/excerpts/{number}/pdf", private(h.pdf))
	r.Get("/cabinet/excerpts/{number}/withdraw", private(h.confirm))
	r.Post("/cabinet/excerpts/{number}/withdraw", private(h.withdraw))
}

const section = "excerpts"

// viewer is who asks; the routes let only people in who are signed in and act for themselves.
func viewer(r *http.Request) (fin tesdiq.FIN, lang tesdiq.Lang) {
	v := web.ViewerOf(r.Context())
	return v.Person.FIN, v.Lang
}

// number is that of the address.
func number(r *http.Request) (issuer.Number, error) {
	return issuer.ParseNumber(chi.URLParam(r, "number"))
}

// path is the address of an excerpt's page.
func path(n issuer.Number) string { return "/cabinet/excerpts/" + string(n) }

// entries is the address of the list of a kind's entries.
func entries(k templates.Kind) string { return "/cabinet/" + string(k.Book) + "s" }

// tag is a state in one word, with its mark: meaning is never in the colour alone.
type tag struct{ Class, Mark, Word string }

var tags = map[issuer.State]tag{
	issuer.Making:     {"none", "…", "issuer.state.making"},
	issuer.Void:       {"bad", "✕", "issuer.state.void"},
	issuer.Revoked:    {"bad", "✕", "issuer.state.revoked"},
	issuer.Withdrawn:  {"warn", "!", "issuer.state.withdrawn"},
	issuer.Superseded: {"warn", "!", "issuer.state.superseded"},
	issuer.Expired:    {"warn", "!", "issuer.state.expired"},
	issuer.InForce:    {"good", "✓", "issuer.state.in_force"},
}
