// Package verifierweb is the verifier's pages and API: where an excerpt is checked, what the answer was, and who checked what.
// It decides nothing about an excerpt and shows only what the verifier hands out.
package verifierweb

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Made lists what somebody checked.
type Made interface {
	// Made lists the checks of a signed-in asker since a moment, the newest first, after a place in the list.
	Made(ctx context.Context, by verifier.Asker, since time.Time, after verifier.Cursor, limit int) ([]verifier.Row, error)
}

// Seen lists who checked somebody's excerpts.
type Seen interface {
	// OfSubject lists the checks of a person's excerpts of a kind ("" for all, and looks by offices), the newest first.
	OfSubject(ctx context.Context, subject, kind string, after verifier.Cursor, limit int) ([]verifier.Row, error)
}

// Config is what a Web is made of. SubjectRoutes needs Shell, Seen, KindTitle and Now; Routes needs all but Seen, and
// Example and Others may be empty.
type Config struct {
	Shell    *web.Shell
	Verifier *verifier.Verifier
	Door     *verifier.Door
	Made     Made
	Seen     Seen
	// KindTitle is the title of a kind of document, in the language of who reads of it.
	KindTitle func(lang tesdiq.Lang, kind string) string
	Address   string  // where the service is reached from outside: "https://tesdiq.example"
	Example   Example // what the page for engineers fills its requests with
	Now       func() time.Time
	// Signers are the certificates of those who sign excerpts, for the page that checks without network; none: there is none.
	Signers []*x509.Certificate
	Others  []Other // what else programs can ask at the same address
	Schema  []byte  // JSON Schema of the statement that is attached to an excerpt
}

// Other is another interface for programs, with a description of its own.
type Other struct {
	Path  string // of its description in OpenAPI
	Title string // as that description has it, in English
	Word  string // key of what links to it on the page for engineers
}

// The others: the process that answers for cases has them, which a proxy puts at the same address (docs/processes.md).
var (
	Referrals = Other{"/api/v1/referrals/openapi.json", "referrals of medical institutions", "verifier.developers.referrals"}
	Lookups   = Other{"/api/v1/lookups/openapi.json", "last examination, for call centres", "verifier.developers.lookups"}
)

// Example is a program and an excerpt with which the requests on the page for engineers run as they stand: the demo's.
// Without one the page shows places to fill in.
type Example struct {
	ClientID, Secret string
	Code             string
	File             string // name of an excerpt's file
}

// Web serves the pages and the API.
type Web struct {
	Config
	pages   *web.Pages
	uploads uploads
	room    *verifier.Room // for files that wait to be read strictly
	openapi []byte
	offline map[tesdiq.Lang][]byte // the page that checks without network
}

// New parses the pages and writes the API's description.
func New(c Config) (*Web, error) {
	pages, err := c.Shell.Pages(pageFiles)
	if err != nil {
		return nil, err
	}
	h := &Web{Config: c, pages: pages, room: verifier.NewRoom(maxHeld)}
	if h.openapi, err = h.describe(); err != nil {
		return nil, err
	}
	if len(c.Signers) > 0 {
		if err := h.writeOffline(); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// SubjectRoutes registers the addresses where a person sees who checked what is about him.
func (h *Web) SubjectRoutes(r chi.Router) {
	r.Get("/cabinet/checks-of-mine", h.Shell.Private(h.checksOfMine))
	r.Get("/cabinet/checks-of-mine.csv", h.Shell.Private(h.checksOfMineCSV))
}

// Routes registers the addresses of whoever checks.
func (h *Web) Routes(r chi.Router) {
	s := h.Shell
	r.Get("/check", s.Do(h.checkForm))
	r.Post("/check", s.Do(h.upload))
	if h.offline != nil {
		r.Get("/check/offline", s.Do(h.checkOffline))
	}
	r.Get("/schema/statement-1.json", s.Do(h.schema))
	r.Get("/v/{code}", s.Do(h.qrForm))
	r.Post("/v/{code}", s.Do(h.checkQR))
	r.Get("/checked/{id}", s.Do(h.checked))
	r.Get("/cabinet/checked-by-me", s.Person(h.checkedByMe))
	r.Get("/cabinet/checked-by-me.csv", s.Person(h.checkedByMeCSV))
	r.Get("/developers", s.Do(h.developers))

	r.Get("/api/openapi.json", s.Do(h.description))
	r.Post("/oauth/token", s.Do(h.token))
	r.Post("/api/v1/checks", s.Do(h.program(h.apiCheck)))
	r.Get("/api/v1/checks/{id}", s.Do(h.program(h.apiChecked)))
	r.Post("/api/v1/documents", s.Do(h.program(h.apiDocument)))
}

// asker is who sees a page, as one who asks.
func (h *Web) asker(r *http.Request) verifier.Asker {
	v := web.ViewerOf(r.Context())
	by := verifier.Asker{Sort: verifier.ByAnonymous, Visitor: visitorHash(v.Visitor), Prefix: h.Shell.ClientPrefix(r)}
	if v.Person == nil {
		return by
	}
	by.Sort, by.Member, by.Visitor = verifier.ByPerson, v.Person.FIN, ""
	if v.Organisation != nil {
		by.Sort, by.Organisation, by.Name = verifier.ByOrganisation, v.Organisation.ID, v.Organisation.Name
		by.Manager = v.Organisation.Role == "manager"
	}
	return by
}

// visitorHash is what is stored of a session's id: it finds the session's own checks and nothing else.
func visitorHash(id string) string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("tesdiq visitor " + id))
	return hex.EncodeToString(sum[:16])
}
