package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/assessing"
	"github.com/tesdiq/tesdiq/internal/service/checking"
	"github.com/tesdiq/tesdiq/internal/service/citizens"
	"github.com/tesdiq/tesdiq/internal/service/issuing"
	"github.com/tesdiq/tesdiq/internal/service/looking"
	"github.com/tesdiq/tesdiq/internal/service/pages"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/statement"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/democlock"
	"github.com/tesdiq/tesdiq/web/demosent"
	"github.com/tesdiq/tesdiq/web/signin"
	"github.com/tesdiq/tesdiq/web/signin/demoprovider"
)

// parts are what an installation is made of. All fields but Proxies, Assess, Lookups, Carriers, People, Clock and Example are required.
type parts struct {
	Pools     *postgres.Pools
	PublicURL string // without a path: "https://tesdiq.example"
	Proxies   []netip.Prefix
	SignIn    signin.Config
	Keys      *signer.Set
	Stamps    issuing.Stamps          // who dates what is signed, and for whom we do
	Limits    map[string]signer.Limit // of the keys, by role; a demonstration has none
	Assess    *assessing.Settings     // nil: no assessments are offered
	Lookups   *lookup.Book            // limits of the look-up without sign-in; nil: the published ones
	Carriers  service.Carriers        // by which messages go out; the demonstration has its own
	Now       func() time.Time
	Log       *slog.Logger

	People   []demoprovider.Person // the demonstration's provider offers these; none: there is no such provider
	Clock    *democlock.Clock      // the demonstration's, of which Now is the time; nil elsewhere
	Agencies service.Loop          // the demonstration plays the agencies, too; nil: others do
	Example  verifierweb.Example   // with which the page for engineers fills its requests
}

func (p parts) host() service.Host {
	return service.Host{PublicURL: p.PublicURL, Proxies: p.Proxies, Now: p.Now, Rand: rand.Reader, Log: p.Log, Metrics: service.NewMetrics()}
}

// app is the running service: what cmd/issuer, cmd/verifier and cmd/casework are made of, in one process.
type app struct {
	parts
	host     service.Host
	roots    *keys.Roots
	signers  *statement.Signers
	loops    []service.Loop
	checking *checking.Checking
	router   chi.Router
}

// newApp puts the components together. Nothing runs yet but the processes that read foreign files.
func newApp(ctx context.Context, p parts) (_ *app, err error) {
	a := &app{parts: p, host: p.host()}
	shell, err := pages.Shell(a.host, p.Pools, p.SignIn.Issuer, len(p.People) > 0)
	if err != nil {
		return nil, err
	}
	made, err := issuing.New(a.host, shell, p.Pools, p.Keys, p.Stamps, p.Limits)
	if err != nil {
		return nil, err
	}
	a.roots = made.Roots
	if p.Agencies != nil {
		a.loops = append(a.loops, p.Agencies)
	}
	a.signers = statement.NewSigners(a.roots, p.Keys.Signers()...)
	sentPath := ""
	var sent web.Routes
	if len(p.People) > 0 {
		var loops []service.Loop
		if p.Carriers, loops, sent, err = demoCarriers(a.host, shell); err != nil {
			return nil, err
		}
		sentPath, a.loops = demosent.Path, append(a.loops, loops...)
	}
	assess, err := assessing.Maybe(a.host, shell, p.Pools, p.Assess)
	if err != nil {
		return nil, err
	}
	clock, err := a.clock(shell, assess)
	if err != nil {
		return nil, err
	}
	cabinet, err := citizens.New(a.host, shell, p.Pools, p.SignIn, p.Carriers, sentPath, assess.Cases(), assess.Seats(), assess.Telling())
	if err != nil {
		return nil, err
	}
	assess.ConfirmBy(cabinet.SignIn)
	a.loops = append(append(append(a.loops, made.Loops...), cabinet.Loops...), assess.Loops...)
	lookups, err := looking.New(a.host, shell, p.Pools, p.Lookups)
	if err != nil {
		return nil, err
	}
	routes := append(append(append(cabinet.Routes, made.Routes...), assess.Routes...), lookups, a.host.Metrics.Operations(p.Pools.Ready))
	if len(p.People) > 0 {
		provider, err := demoprovider.New(shell, demoprovider.Config{
			Address: p.PublicURL, ClientID: p.SignIn.ClientID, Secret: p.SignIn.Secret, People: p.People,
			RedirectURLs: []string{p.SignIn.RedirectURL}, PostLogoutURLs: []string{p.SignIn.PostLogout},
		})
		if err != nil {
			return nil, err
		}
		routes = append(routes, provider.Routes, sent, clock)
	}
	others := []verifierweb.Other{verifierweb.Lookups}
	if p.Assess != nil {
		others = []verifierweb.Other{verifierweb.Referrals, verifierweb.Lookups}
	}
	if a.checking, err = checking.New(ctx, a.host, shell, p.Pools, a.roots, a.signers, p.Example, others...); err != nil {
		return nil, err
	}
	a.router = shell.Router(append(routes, a.checking.Routes...)...)
	return a, nil
}

// serve answers requests until ctx ends, then lets those that are under way finish.
func (a *app) serve(ctx context.Context, l net.Listener) error {
	defer a.checking.Close()
	return service.Serve(ctx, a.host, l, a.router, a.loops...)
}

// clock is the page of the demonstration's clock; no routes where there is no such clock.
func (a *app) clock(shell *web.Shell, assess *assessing.Assessing) (web.Routes, error) {
	if a.Clock == nil {
		return func(chi.Router) {}, nil
	}
	shell.Moved = a.Clock.Moved
	a.Clock.OnMove(assess.Moved)
	page := &democlock.Page{Shell: shell, Clock: a.Clock}
	return page.Routes, page.Prepare()
}
