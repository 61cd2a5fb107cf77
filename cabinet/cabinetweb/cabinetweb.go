// Package cabinetweb is the first page of the cabinet, its messages, and the choice for whom somebody acts.
package cabinetweb

import (
	"context"
	"embed"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Roles tells who may act for whom.
type Roles interface {
	Memberships(ctx context.Context, fin tesdiq.FIN) ([]cabinet.Membership, error)
}

// Messages are somebody's messages.
type Messages interface {
	Messages(ctx context.Context, fin tesdiq.FIN, before int64, limit int) ([]cabinet.Message, error)
	Read(ctx context.Context, fin tesdiq.FIN, id int64, now time.Time) (link string, err error)
	ReadAll(ctx context.Context, fin tesdiq.FIN, upto int64, now time.Time) error
}

// Contacts are the ways by which somebody wants messages, besides the cabinet.
type Contacts interface {
	Choices(ctx context.Context, fin tesdiq.FIN) ([]cabinet.Choice, error)
	Contact(ctx context.Context, fin tesdiq.FIN, id int64) (cabinet.Contact, error)
	Choose(ctx context.Context, fin tesdiq.FIN, channel tesdiq.Channel, address string, lang tesdiq.Lang, now time.Time) (id int64, err error)
	Confirm(ctx context.Context, fin tesdiq.FIN, id int64, code string, now time.Time) error
	Again(ctx context.Context, fin tesdiq.FIN, id int64, now time.Time) error
}

// Cases finds a person's case that is under way, in the words of a language; false when there is none.
type Cases func(ctx context.Context, fin tesdiq.FIN, lang tesdiq.Lang) (cabinet.Case, bool, error)

// Telling says what a message of somebody's is about, in the words of a language; false where the message says it all.
type Telling func(ctx context.Context, fin tesdiq.FIN, lang tesdiq.Lang, m cabinet.Message) (cabinet.Told, bool, error)

// Homes reads first pages.
type Homes interface {
	Home(ctx context.Context, fin tesdiq.FIN, today tesdiq.Date) (cabinet.Home, error)
}

// Web serves the cabinet's own pages. All fields but Cases, Seats, Telling, Channels, SentPath and KindTitle are required.
type Web struct {
	Shell     *web.Shell
	Homes     Homes
	Messages  Messages
	Roles     Roles
	Contacts  Contacts
	Cases     Cases            // nil: no cases are offered here, and no page speaks of them
	Seats     Cases            // finds what waits for a member of a commission; nil: nobody is one
	Telling   Telling          // nil: every message says it all
	Channels  []tesdiq.Channel // besides the cabinet, by which messages can go out from here
	SentPath  string           // the demonstration's page of what was sent, or empty
	Now       func() time.Time
	KindTitle func(lang tesdiq.Lang, kind string) string // a document's title in a language; nil: as it was printed

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Web) Prepare() (err error) {
	h.pages, err = h.Shell.Pages(pageFiles)
	return err
}

// Routes registers the cabinet's own addresses.
func (h *Web) Routes(r chi.Router) {
	r.Get("/cabinet", h.Shell.Person(h.home))
	r.Post("/cabinet/act", h.Shell.Person(h.act))
	r.Get("/cabinet/messages", h.Shell.Private(h.messages))
	r.Post("/cabinet/messages/read", h.Shell.Private(h.readAll))
	r.Post("/cabinet/messages/{id}", h.Shell.Private(h.read))
	r.Get("/cabinet/channel", h.Shell.Private(h.channel))
	r.Post("/cabinet/channel", h.Shell.Private(h.choose))
	r.Get("/cabinet/channel/{id}", h.Shell.Private(h.code))
	r.Post("/cabinet/channel/{id}", h.Shell.Private(h.confirm))
	r.Post("/cabinet/channel/{id}/again", h.Shell.Private(h.again))
}

func (h *Web) title(lang tesdiq.Lang, x cabinet.Excerpt) string {
	if h.KindTitle != nil {
		return h.KindTitle(lang, x.Kind)
	}
	return x.Title
}

func (h *Web) kindTitle(lang tesdiq.Lang, kind string) string {
	if h.KindTitle != nil {
		return h.KindTitle(lang, kind)
	}
	return kind
}

// act makes the person act for an organisation, or for himself: organisation is its id, or 0. next is the page of ours that he wanted to see.
func (h *Web) act(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(r.PostFormValue("organisation"), 10, 64)
	if err != nil || id < 0 {
		return tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-member")
	}
	if err := h.Shell.Act(r, id); err != nil {
		return err
	}
	next := web.LocalPath(r.PostFormValue("next"))
	if next == "" {
		next = "/cabinet"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
