// Command verifier answers whoever checks an excerpt: pages, interface, roots to pin. It reads excerpts and records
// checks. It has no key, signs nobody in, and holds no cases.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/checking"
	"github.com/tesdiq/tesdiq/internal/service/pages"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/verifier/statement"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
)

func main() {
	if checking.Child() {
		return
	}
	service.Main(service.Verifier, run)
}

func run(ctx context.Context, c service.Config) error {
	pem, err := os.ReadFile(c.Trust.Roots)
	if err != nil {
		return fmt.Errorf("trust.roots: %w", err)
	}
	roots, err := keys.ParseRoots(pem)
	if err != nil {
		return fmt.Errorf("trust.roots: %w", err)
	}
	var signers *statement.Signers
	if c.Trust.Signers != "" {
		if pem, err = os.ReadFile(c.Trust.Signers); err != nil {
			return fmt.Errorf("trust.signers: %w", err)
		}
		if signers, err = statement.ParseSigners(roots, pem); err != nil {
			return fmt.Errorf("trust.signers: %w", err)
		}
	}
	pools, err := c.Pools(ctx)
	if err != nil {
		return err
	}
	defer pools.Close()
	h := c.Host(time.Now, rand.Reader)
	shell, err := pages.Reception(h, pools, c.SignIn.Issuer)
	if err != nil {
		return err
	}
	part, err := checking.New(ctx, h, shell, pools, roots, signers, verifierweb.Example{}, verifierweb.Referrals, verifierweb.Lookups)
	if err != nil {
		return err
	}
	defer part.Close()
	return c.Listen(ctx, h, shell.Router(append(part.Routes, h.Metrics.Operations(pools.Ready))...))
}
