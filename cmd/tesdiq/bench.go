package main

import (
	"context"
	"crypto/rand"
	"io"
	"os"
	"time"

	"github.com/tesdiq/tesdiq/internal/bench"
)

// benchCommand measures what this machine carries.
type benchCommand struct {
	What    string        `arg:"" enum:"issue,check,verify,decide,reissue" help:"What to measure: issue (excerpts drawn), check (checks by code), verify (files read offline), decide (disability assessments by the rules), reissue (a revoked signer's excerpts issued anew)."`
	For     time.Duration `help:"How long each side works." default:"10s"`
	Clients int           `help:"How many ask at a time; by default 64, for verify and decide one a processor." placeholder:"N"`
	People  int           `help:"How many invented people are in the books." default:"2000" placeholder:"N"`
	N       int           `name:"excerpts" short:"n" help:"How many excerpts reissue issues, and issues anew; it takes as long as that takes." default:"1000" placeholder:"N"`
	JSON    bool          `name:"json" help:"One line of JSON instead of a table."`
}

// Run measures beside a baseline, on a private PostgreSQL or in a database of its own on the one of DATABASE_URL.
func (c benchCommand) Run(ctx context.Context) error {
	o := bench.Options{
		For: c.For, Clients: c.Clients, People: c.People, Database: os.Getenv("DATABASE_URL"), Now: time.Now, Rand: rand.Reader, Progress: os.Stderr,
	}
	result, err := c.measure(ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		return result.WriteJSON(os.Stdout)
	}
	return result.WriteTable(os.Stdout)
}

// measured is what both sorts of result can do.
type measured interface {
	WriteJSON(io.Writer) error
	WriteTable(io.Writer) error
}

func (c benchCommand) measure(ctx context.Context, o bench.Options) (measured, error) {
	if c.What != "reissue" {
		return bench.Run(ctx, c.What, o)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return bench.Reissue(ctx, o, self, c.N)
}
