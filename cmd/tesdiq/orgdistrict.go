package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

type orgDistrictAdd struct {
	orgChange
	VOEN     string          `arg:"" name:"voen" help:"VÖEN of a body with the duty rehabilitation."`
	District tseras.District `arg:"" help:"A district as the population register writes it."`
}

// Run lets a body serve a district.
func (c orgDistrictAdd) Run(ctx context.Context) error {
	return c.district(ctx, c.VOEN, c.District, "add to", tserasdb.Operator.AddDistrict)
}

type orgDistrictEnd struct {
	orgChange
	VOEN     string          `arg:"" name:"voen" help:"VÖEN of the body."`
	District tseras.District `arg:"" help:"The district."`
}

// Run ends that.
func (c orgDistrictEnd) Run(ctx context.Context) error {
	return c.district(ctx, c.VOEN, c.District, "end in", tserasdb.Operator.EndDistrict)
}

// district changes which districts a body serves, and says so.
func (c orgChange) district(ctx context.Context, voen string, d tseras.District, what string,
	do func(tserasdb.Operator, context.Context, tesdiq.VOEN, tseras.District) (int64, error)) error {
	v, err := tesdiq.ParseVOEN(voen)
	if err != nil {
		return err
	}
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer db.stop()
	pool, err := postgres.OpenConfig(ctx, db.as(postgres.Operator))
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := do(tserasdb.Operator{Pool: pool, Now: time.Now, Preview: !c.Apply}, ctx, v, d); err != nil {
		return err
	}
	fmt.Printf("%s %s: district %s\n", what, v, d)
	if !c.Apply {
		fmt.Println(dryRun)
		return nil
	}
	fmt.Println("Written.")
	return nil
}
