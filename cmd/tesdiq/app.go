package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet/cabinetdb"
	"github.com/tesdiq/tesdiq/cabinet/cabinetweb"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/worker"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/issuer/issuerweb"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/keysweb"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/registry/registryweb"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/sandbox"
	"github.com/tesdiq/tesdiq/verifier/throttle"
	"github.com/tesdiq/tesdiq/verifier/verifierdb"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/signin"
	"github.com/tesdiq/tesdiq/web/signin/demoprovider"
)

// parts are what an installation is made of. All fields but Proxies, People and Example are required.
type parts struct {
	Pools     *postgres.Pools
	PublicURL string // without a path: "https://tesdiq.example"
	Proxies   []netip.Prefix
	SignIn    signin.Config
	Keys      *signer.Set
	StampFor  []netip.Prefix // who gets time stamps at /pki/tsa; nobody if empty
	Now       func() time.Time
	Log       *slog.Logger

	People  []demoprovider.Person // the demonstration's provider offers these; none: there is no such provider
	Example verifierweb.Example   // with which the page for engineers fills its requests
}

// app is the running service: all components in one process.
type app struct {
	parts
	roots      *keys.Roots
	status     *signer.Status
	cabinet    *issuerdb.Cabinet
	dispatcher *issuerdb.Dispatcher
	worker     *worker.Worker
	metrics    *metrics
	readers    *sandbox.Pool
	router     chi.Router
}

// newApp puts the components together. Nothing runs yet but the processes that read foreign files.
func newApp(ctx context.Context, p parts) (_ *app, err error) {
	a := &app{parts: p}
	defer func() {
		if err != nil && a.readers != nil {
			a.readers.Close()
		}
	}()
	if a.roots, err = p.Keys.Roots(); err != nil {
		return nil, err
	}
	a.status = p.status()
	archivist, err := p.Keys.Archivist(rand.Reader, a.status)
	if err != nil {
		return nil, err
	}
	m := newMetrics()
	a.metrics = m
	a.readers, err = sandbox.NewPool(ctx, sandbox.Config{
		Command: []string{"/proc/self/exe", readFiles}, Roots: a.roots, Children: runtime.GOMAXPROCS(0), Log: p.Log, Lost: m.lost.Inc,
	})
	if err != nil {
		return nil, err
	}
	kinds := issuer.Kinds(all.Kinds)
	a.cabinet = &issuerdb.Cabinet{Pool: p.Pools.Cabinet, Kinds: kinds, Now: p.Now, Rand: rand.Reader, Log: p.Log}
	a.dispatcher = &issuerdb.Dispatcher{
		Pool: p.Pools.Issuer, Now: p.Now, Rand: rand.Reader, Log: p.Log,
		Maker: &issuer.Maker{Kinds: kinds, Origin: p.PublicURL, Signer: documentSigner{archivist}, Roots: a.roots, Now: p.Now, Trace: m.step},
	}
	renewals := &issuerdb.Renewals{Pool: p.Pools.Issuer, Files: issuer.Renewing{With: archivist, Roots: a.roots}, Now: p.Now, Rand: rand.Reader, Log: p.Log}
	jobs := append(worker.Housekeeping(p.Pools.Worker, p.Now), worker.Periodic("renew-time-stamps", 10*time.Minute, renewals.Run))
	if a.worker, err = worker.New(p.Pools.Worker, worker.Config{Jobs: jobs, Log: p.Log}); err != nil {
		return nil, err
	}

	public, err := url.Parse(p.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("public address: %w", err)
	}
	roles := cabinetdb.DB{Pool: p.Pools.Cabinet}
	members := cabinetweb.Members(roles)
	shell, err := web.New(web.Config{
		Sessions: cabinetdb.Sessions(p.Pools.Cabinet), Members: members, Inbox: roles,
		Log: p.Log, Now: p.Now, Rand: rand.Reader, Secure: public.Scheme == "https", Proxies: p.Proxies,
		FormAction: formAction(p.SignIn.Issuer), Demo: len(p.People) > 0, Observe: m.observe, Away: postgres.Away,
	})
	if err != nil {
		return nil, err
	}
	routes, err := a.routes(shell, public.Host, members, roles, m)
	if err != nil {
		return nil, err
	}
	a.router = shell.Router(append(routes, m.operations(p.Pools.Ready))...)
	return a, nil
}

// members is what the shell and the sign-in ask about organisations.
type members interface {
	web.Members
	OrganisationByVOEN(ctx context.Context, fin tesdiq.FIN, voen tesdiq.VOEN) (int64, error)
}

// routes are the pages and interfaces of every component.
func (a *app) routes(shell *web.Shell, host string, m members, roles cabinetdb.DB, ops *metrics) ([]web.Routes, error) {
	signIn, err := signin.New(shell, a.SignIn, m)
	if err != nil {
		return nil, err
	}
	home := &cabinetweb.Web{Shell: shell, Homes: roles, Messages: roles, Roles: roles, Now: a.Now, KindTitle: kindTitle}
	if err := home.Prepare(); err != nil {
		return nil, err
	}
	books := &registryweb.Web{Shell: shell, Books: registrydb.Reader{Pool: a.Pools.Cabinet}, Now: a.Now}
	if err := books.Prepare(); err != nil {
		return nil, err
	}
	excerpts := &issuerweb.Web{Shell: shell, Desk: a.cabinet, Archive: a.cabinet, Kinds: a.cabinet.Kinds, Host: host, Now: a.Now, Rand: rand.Reader}
	if err := excerpts.Prepare(); err != nil {
		return nil, err
	}
	guard := throttle.New(throttle.Default, func(misses int) {
		ops.tripped.Inc()
		a.Log.Warn("codes are being guessed", "misses", misses)
	})
	db := &verifierdb.DB{Pool: a.Pools.Verifier}
	checks, err := verifierweb.New(verifierweb.Config{
		Shell: shell,
		Verifier: &verifier.Verifier{
			Excerpts: db, Checks: db, Reader: a.readers, Throttle: guard, Now: a.Now, Rand: rand.Reader,
			Alarm: func(ctx context.Context, sum verifier.Sum) {
				ops.unissued.Inc()
				a.Log.ErrorContext(ctx, "ALARM: a file bears our signature and was never issued", "sha256", hex.EncodeToString(sum[:]))
			},
		},
		Door: &verifier.Door{Clients: db, Throttle: guard, Now: a.Now, Rand: rand.Reader},
		Made: db, Seen: &verifierdb.Cabinet{Pool: a.Pools.Cabinet},
		KindTitle: kindTitle, Address: a.PublicURL, Example: a.Example, Now: a.Now,
	})
	if err != nil {
		return nil, err
	}
	trust := &keysweb.Web{Shell: shell, Roots: a.roots, Status: a.status, Stamper: a.Keys.Authority(rand.Reader), StampFor: a.StampFor, Now: a.Now}
	if err := trust.Prepare(); err != nil {
		return nil, err
	}
	routes := []web.Routes{shell.Public, signIn.Routes, home.Routes, books.Routes, excerpts.Routes, checks.Routes, trust.Routes}
	if len(a.People) > 0 {
		provider, err := demoprovider.New(shell, demoprovider.Config{
			Address: a.PublicURL, ClientID: a.SignIn.ClientID, Secret: a.SignIn.Secret, People: a.People,
			RedirectURLs: []string{a.SignIn.RedirectURL}, PostLogoutURLs: []string{a.SignIn.PostLogout},
		})
		if err != nil {
			return nil, err
		}
		routes = append(routes, provider.Routes)
	}
	return routes, nil
}

// kindTitle is the title of a kind of document, in the language of who reads of it.
func kindTitle(lang tesdiq.Lang, kind string) string {
	if k, ok := all.Lookup(kind); ok {
		return k.Title(lang)
	}
	return kind
}

// status answers whether our certificates were revoked: none is in this version.
func (p parts) status() *signer.Status { return p.Keys.Status(rand.Reader, signer.NothingRevoked{}) }

// formAction is the origin of the sign-in provider, to which a form may lead.
func formAction(issuer string) []string {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}

// documentSigner signs excerpts and says nothing beside the signature: everything stands on the page.
type documentSigner struct{ *signer.PDFSigner }

func (s documentSigner) Sign(ctx context.Context, pdf []byte, at time.Time) ([]byte, time.Time, error) {
	return s.PDFSigner.SignUntil(ctx, pdf, at, signer.SignInfo{})
}

// background runs what works without being asked, until wait is called, which returns when it has ended.
func (a *app) background(ctx context.Context) (wait func() error, err error) {
	if err := a.worker.Start(ctx); err != nil {
		return nil, err
	}
	// Not ended by ctx: a request that is under way when the service is told to stop still waits for its excerpt.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	results := make(chan error, 2)
	go func() { results <- a.dispatcher.Run(ctx) }()
	go func() { results <- a.cabinet.Listen(ctx) }()
	return func() error {
		cancel()
		stopping, done := context.WithTimeout(context.Background(), backgroundPatience)
		defer done()
		return errors.Join(a.worker.Stop(stopping), ended(<-results), ended(<-results))
	}, nil
}

// How long stopping waits: for requests, then for what is made and done in the background. Whoever stops the service
// (systemd, a person with Ctrl+C) waits for less than twenty seconds.
const (
	requestPatience    = 10 * time.Second
	backgroundPatience = 5 * time.Second
)

func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// serve answers requests until ctx ends, then lets those that are under way finish.
func (a *app) serve(ctx context.Context, l net.Listener) error {
	defer a.readers.Close()
	wait, err := a.background(ctx)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: a.metrics.watch(a.router),
		// A page is small and a file at most 20 MB: whoever is slower holds a place that somebody else wants.
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       slog.NewLogLogger(a.Log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err = <-failed:
	case <-ctx.Done():
		a.Log.Info("stopping", "because", context.Cause(ctx))
		stopping, done := context.WithTimeout(context.Background(), requestPatience)
		defer done()
		if err := server.Shutdown(stopping); err != nil {
			// Somebody sends slowly. What he asks for is not done, and he may ask again.
			a.Log.Warn("stopping: some requests did not end in time", "err", err)
			server.Close()
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, wait())
}
