// Command casework serves signed-in people: the cabinet, their entries, asking for excerpts, who checked them; it sends
// their messages by SMS and e-mail, and does the housekeeping. It asks for excerpts and waits for them. It has no key.
package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/citizens"
	"github.com/tesdiq/tesdiq/internal/service/pages"
)

func main() { service.Main(service.Casework, run) }

func run(ctx context.Context, c service.Config) error {
	signIn, err := citizens.SignIn(c)
	if err != nil {
		return err
	}
	pools, err := c.Pools(ctx)
	if err != nil {
		return err
	}
	defer pools.Close()
	h := c.Host(time.Now, rand.Reader)
	shell, err := pages.Shell(h, pools, signIn.Issuer, false)
	if err != nil {
		return err
	}
	carriers, err := c.Carriers(h)
	if err != nil {
		return err
	}
	part, err := citizens.New(h, shell, pools, signIn, carriers, "")
	if err != nil {
		return err
	}
	return c.Listen(ctx, h, shell.Router(append(part.Routes, h.Metrics.Operations(pools.Ready))...), part.Loops...)
}
