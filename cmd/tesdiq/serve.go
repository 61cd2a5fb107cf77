package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/web/signin"
)

// serveCommand runs the service in production.
type serveCommand struct {
	Config string `help:"Configuration (docs/tesdiq.example.toml)." required:"" placeholder:"FILE"`
}

// Run refuses to start on what is missing or unsafe, and says what.
func (s serveCommand) Run(ctx context.Context) error {
	c, err := readConfig(s.Config)
	if err != nil {
		return err
	}
	p, err := c.parts()
	if err != nil {
		return err
	}
	source, err := c.database()
	if err != nil {
		return err
	}
	if p.Pools, err = source.pools(ctx); err != nil {
		if postgres.Away(err) {
			return fmt.Errorf("database.url: the database does not answer: %w", err)
		}
		return fmt.Errorf("the database does not let us in: run `tesdiq migrate -config %s` first, and see database.passwords: %w", s.Config, err)
	}
	defer p.Pools.Close()
	a, err := newApp(ctx, p)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.Address)
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	p.Log.Info("ready", "address", l.Addr().String(), "public", p.PublicURL)
	return a.serve(ctx, l)
}

// parts is everything but the database.
func (c config) parts() (parts, error) {
	word, err := secret(c.SignIn.ClientSecret)
	if err != nil {
		return parts{}, err
	}
	set, err := signer.Load(c.Keys.Dir)
	if err != nil {
		return parts{}, fmt.Errorf("keys.dir: %w", err)
	}
	if set.Throwaway() {
		return parts{}, errors.New("keys.dir: these are the demonstration's keys: whoever has the program's source can make the like. docs/keys.md says how to make real ones")
	}
	if set.Responder == nil {
		return parts{}, errors.New("keys.dir: ocsp-responder.pem, ocsp-responder.key and root-ocsp-responder.pem are missing: what is signed could not be vouched for later. docs/keys.md says how to make them")
	}
	claims := c.SignIn.Claims
	return parts{
		PublicURL: c.PublicURL, Proxies: c.proxies, Keys: set, StampFor: c.stampFor, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(os.Stdout, nil)),
		SignIn: signin.Config{Issuer: c.SignIn.Issuer, ClientID: c.SignIn.ClientID, Secret: word,
			RedirectURL: c.PublicURL + "/signin/callback", PostLogout: c.PublicURL + "/signin/out",
			Claims: signin.Claims{FIN: claims["fin"], Surname: claims["surname"], Given: claims["given"], Father: claims["father"],
				Sex: claims["sex"], VOEN: claims["voen"]}},
	}, nil
}
