// Command casework serves signed-in people: the cabinet, their entries, asking for excerpts, who checked them; it sends
// their messages by SMS and e-mail, and does the housekeeping; where the configuration lets it ask other agencies, it assesses
// disability; and it answers the look-up without sign-in. It asks for excerpts and waits for them. It has no key that signs documents.
package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/assessing"
	"github.com/tesdiq/tesdiq/internal/service/citizens"
	"github.com/tesdiq/tesdiq/internal/service/looking"
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
	settings, err := assessing.FromConfig(h, c)
	if err != nil {
		return err
	}
	assess, err := assessing.Maybe(h, shell, pools, settings)
	if err != nil {
		return err
	}
	part, err := citizens.New(h, shell, pools, signIn, carriers, "", assess.Cases(), assess.Seats(), assess.Telling())
	if err != nil {
		return err
	}
	assess.ConfirmBy(part.SignIn)
	lookups, err := looking.New(h, shell, pools, nil)
	if err != nil {
		return err
	}
	routes := append(append(part.Routes, assess.Routes...), lookups, h.Metrics.Operations(pools.Ready))
	return c.Listen(ctx, h, shell.Router(routes...), append(part.Loops, assess.Loops...)...)
}
