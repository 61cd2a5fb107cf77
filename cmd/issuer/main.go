// Command issuer is the only process that can sign: it makes excerpts of the intents that the cabinet wrote down. It
// answers who watches it, and whether its certificates were revoked.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/issuing"
)

func main() { service.Main(service.Issuer, run) }

func run(ctx context.Context, c service.Config) error {
	set, err := issuing.Keys(c)
	if err != nil {
		return err
	}
	if err := issuing.SameAddress(set, c.PublicURL); err != nil {
		return err
	}
	pools, err := c.Pools(ctx)
	if err != nil {
		return err
	}
	defer pools.Close()
	h := c.Host(time.Now, rand.Reader)
	shell, err := issuing.Shell(h)
	if err != nil {
		return err
	}
	stamps, err := issuing.NewStamps(h, c, set)
	if err != nil {
		return err
	}
	limits, err := issuing.Limits(c)
	if err != nil {
		return err
	}
	part, err := issuing.New(h, shell, pools, set, stamps, limits)
	if err != nil {
		return err
	}
	ready := func(ctx context.Context) error { return errors.Join(pools.Ready(ctx), part.Ready()) }
	return c.Listen(ctx, h, shell.Router(append(part.Routes, h.Metrics.Operations(ready))...), part.Loops...)
}
