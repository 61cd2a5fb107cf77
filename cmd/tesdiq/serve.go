package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/assessing"
	"github.com/tesdiq/tesdiq/internal/service/citizens"
	"github.com/tesdiq/tesdiq/internal/service/issuing"
)

// serveCommand runs the service in production.
type serveCommand struct {
	Config string `help:"Configuration (docs/tesdiq.example.toml)." required:"" placeholder:"FILE"`
}

// Run refuses to start on what is missing or unsafe, and says what.
func (s serveCommand) Run(ctx context.Context) error {
	c, err := service.ReadConfig(s.Config, service.AllInOne)
	if err != nil {
		return err
	}
	p := parts{PublicURL: c.PublicURL, Proxies: c.Proxies, Now: time.Now, Log: slog.New(slog.NewJSONHandler(os.Stdout, nil))}
	if p.Keys, err = issuing.Keys(c); err != nil {
		return err
	}
	if err := issuing.SameAddress(p.Keys, c.PublicURL); err != nil {
		return err
	}
	if p.Stamps, err = issuing.NewStamps(p.host(), c, p.Keys); err != nil {
		return err
	}
	if p.Limits, err = issuing.Limits(c); err != nil {
		return err
	}
	if p.SignIn, err = citizens.SignIn(c); err != nil {
		return err
	}
	if p.Carriers, err = c.Carriers(p.host()); err != nil {
		return err
	}
	if p.Assess, err = assessing.FromConfig(p.host(), c); err != nil {
		return err
	}
	if p.Pools, err = c.Pools(ctx); err != nil {
		return err
	}
	defer p.Pools.Close()
	a, err := newApp(ctx, p)
	if err != nil {
		return err
	}
	defer a.checking.Close()
	return c.Listen(ctx, a.host, a.router, a.loops...)
}
