package main

import (
	"context"
	"fmt"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
)

type orgDistrictAdd struct {
	operating
	VOEN     string          `arg:"" name:"voen" help:"VÖEN of a body with the duty rehabilitation."`
	District tseras.District `arg:"" help:"A district as the population register writes it."`
}

// Run lets a body serve a district.
func (c orgDistrictAdd) Run(ctx context.Context) error {
	return c.district(ctx, c.VOEN, c.District, "add to", tserasdb.Operator.AddDistrict)
}

type orgDistrictEnd struct {
	operating
	VOEN     string          `arg:"" name:"voen" help:"VÖEN of the body."`
	District tseras.District `arg:"" help:"The district."`
}

// Run ends that.
func (c orgDistrictEnd) Run(ctx context.Context) error {
	return c.district(ctx, c.VOEN, c.District, "end in", tserasdb.Operator.EndDistrict)
}

// district changes which districts a body serves, and says so.
func (c operating) district(ctx context.Context, voen string, d tseras.District, what string,
	do func(tserasdb.Operator, context.Context, tesdiq.VOEN, tseras.District) (int64, error)) error {
	v, err := tesdiq.ParseVOEN(voen)
	if err != nil {
		return err
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if _, err := do(op, ctx, v, d); err != nil {
			return err
		}
		fmt.Printf("%s %s: district %s\n", what, v, d)
		return nil
	})
}
