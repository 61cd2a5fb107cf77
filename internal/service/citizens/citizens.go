// Package citizens puts together what serves a signed-in person: signing in, the cabinet, his entries, asking for
// excerpts, who checked them, what goes out to him, and the housekeeping. It asks for excerpts and waits; it cannot make one.
package citizens

import (
	"context"
	"net/url"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet/cabinetdb"
	"github.com/tesdiq/tesdiq/cabinet/cabinetweb"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup/lookupdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/pages"
	"github.com/tesdiq/tesdiq/internal/worker"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/issuer/issuerweb"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/registry/registryweb"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/verifier/verifierdb"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/signin"
)

// Citizens is that part of a process.
type Citizens struct {
	Routes []web.Routes
	Loops  []service.Loop
	SignIn *signin.Web // by which who is signed in may confirm something
}

// New puts the part together, as the roles tesdiq_cabinet, tesdiq_worker and tesdiq_sender. sentPath is the demonstration's page
// of what was sent, or empty; cases finds somebody's open case, seats what waits for a
// member of a commission, and telling what a message is about, or they are nil.
func New(h service.Host, shell *web.Shell, pools *postgres.Pools, s signin.Config, c service.Carriers, sentPath string, cases, seats cabinetweb.Cases, telling cabinetweb.Telling) (*Citizens, error) {
	public, err := url.Parse(h.PublicURL)
	if err != nil {
		return nil, err
	}
	roles := cabinetdb.DB{Pool: pools.Cabinet}
	signIn, err := signin.New(shell, s, pages.Members{Roles: roles})
	if err != nil {
		return nil, err
	}
	signIn.SignedIn = lookupdb.Switches{Pool: pools.Cabinet, Now: h.Now, Rand: h.Rand}.SignedIn
	if seats != nil {
		signIn.Sits = func(ctx context.Context, fin tesdiq.FIN) (bool, error) {
			_, sits, err := seats(ctx, fin, tesdiq.Az)
			return sits, err
		}
	}
	home := &cabinetweb.Web{Shell: shell, Homes: roles, Messages: roles, Roles: roles, Contacts: roles, Cases: cases, Seats: seats, Telling: telling, Channels: c.Channels(),
		SentPath: sentPath, Now: h.Now, KindTitle: pages.KindTitle}
	books := &registryweb.Web{Shell: shell, Books: registrydb.Reader{Pool: pools.Cabinet}, Now: h.Now}
	perDay := issuer.MaxPerDay
	if sentPath != "" {
		perDay = 0 // everybody who tries it out is one of the demonstration's few people
	}
	desk := &issuerdb.Cabinet{Pool: pools.Cabinet, Kinds: issuer.Kinds(all.Kinds), PerDay: perDay, Now: h.Now, Rand: h.Rand, Log: h.Log}
	excerpts := &issuerweb.Web{Shell: shell, Desk: desk, Archive: desk, Kinds: desk.Kinds, Host: public.Host, Now: h.Now, Rand: h.Rand}
	for _, w := range []interface{ Prepare() error }{home, books, excerpts} {
		if err := w.Prepare(); err != nil {
			return nil, err
		}
	}
	seen, err := verifierweb.New(verifierweb.Config{Shell: shell, Seen: &verifierdb.Cabinet{Pool: pools.Cabinet}, KindTitle: pages.KindTitle, Now: h.Now})
	if err != nil {
		return nil, err
	}
	jobs, err := worker.New(pools.Worker, worker.Config{Jobs: worker.Housekeeping(pools.Worker, h.Now), Log: h.Log})
	if err != nil {
		return nil, err
	}
	out, err := sender(h, shell, pools, c)
	if err != nil {
		return nil, err
	}
	return &Citizens{SignIn: signIn,
		Routes: []web.Routes{signIn.Routes, home.Routes, books.Routes, excerpts.Routes, seen.SubjectRoutes},
		Loops:  []service.Loop{desk.Listen, work(jobs), run(out)},
	}, nil
}

// work runs background jobs until ctx ends, and then waits for those under way.
func work(jobs *worker.Worker) service.Loop {
	return func(ctx context.Context) error {
		switch err := jobs.Start(ctx); {
		case ctx.Err() != nil && err != nil:
			return nil // the service ends before its database was there
		case err != nil:
			return err
		}
		<-ctx.Done()
		stopping, done := context.WithTimeout(context.WithoutCancel(ctx), service.BackgroundPatience)
		defer done()
		return jobs.Stop(stopping)
	}
}

// SignIn is how people sign in, as the configuration says.
func SignIn(c service.Config) (signin.Config, error) {
	word, err := service.Secret(c.SignIn.ClientSecret)
	if err != nil {
		return signin.Config{}, err
	}
	claims := c.SignIn.Claims
	return signin.Config{Issuer: c.SignIn.Issuer, ClientID: c.SignIn.ClientID, Secret: word,
		RedirectURL: c.PublicURL + "/signin/callback", PostLogout: c.PublicURL + "/signin/out",
		Claims: signin.Claims{FIN: claims["fin"], Surname: claims["surname"], Given: claims["given"], Father: claims["father"],
			Sex: claims["sex"], VOEN: claims["voen"]}}, nil
}
