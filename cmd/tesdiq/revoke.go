package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
)

// revokeCommand revokes an excerpt.
type revokeCommand struct {
	change
	Excerpt string `arg:"" name:"code|number" help:"The excerpt's authentication code or its number."`
	Reason  string `help:"Why, as the person will read it." required:"" placeholder:"TEXT"`
}

// Run revokes an excerpt, or says which one it would be.
func (c revokeCommand) Run(ctx context.Context) error {
	return c.said(c.asRole(ctx, postgres.Operator, func(p *postgres.Pools) error {
		return c.revoke(ctx, issuerdb.Operator{Pool: p.Operator, Now: time.Now, Rand: rand.Reader})
	}), "Written, with its ledger line. The person is told.")
}

func (c revokeCommand) revoke(ctx context.Context, op issuerdb.Operator) error {
	x, err := op.Find(ctx, c.Excerpt)
	if errors.Is(err, issuer.ErrMissing) { // whose words are for the citizen
		return fmt.Errorf("there is no excerpt %s: compare the code or the number with the document", c.Excerpt)
	}
	if err != nil {
		return err
	}
	if err := issuerdb.CheckRevocation(c.Reason, c.By); err != nil {
		return err
	}
	if x.Revoked {
		return fmt.Errorf("%s is revoked already: there is nothing left to do", x.Number)
	}
	fmt.Printf("revoke %s: %s, in %s, issued %s, valid until %s", x.Number, x.Kind, x.Lang, tesdiq.ClockString(x.IssuedAt), x.ValidUntil)
	if x.Withdrawn {
		fmt.Print(", withdrawn by the person")
	}
	fmt.Println()
	if c.Apply {
		_, err = op.Revoke(ctx, c.Excerpt, c.Reason, c.By)
	}
	return err
}
