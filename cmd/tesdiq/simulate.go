package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/tesdiq/tesdiq/internal/simulate"
)

// simulateCommands play whole procedures.
type simulateCommands struct {
	Tseras simulateTserasCommand `cmd:"" help:"A year of disability assessments with late agencies, disagreeing members and crashes."`
}

// simulateTserasCommand plays a year of assessments on a private PostgreSQL.
type simulateTserasCommand struct {
	Cases   int    `help:"How many people apply in the year." default:"1000" placeholder:"N"`
	Seed    uint64 `help:"What is invented: the same seed tells the same story." default:"1" placeholder:"S"`
	Crashes int    `help:"How often the program or its database is killed; by default by the number of cases, -1 for never." default:"0" placeholder:"N"`
	Sealed  int    `help:"Of one case in N the registers are asked through the gateway, sealed and logged; 1 for all." default:"0" placeholder:"N"`
	Days    int    `help:"On how many of the year's first days they apply: fewer days, busier ones; by default all 364." default:"0" placeholder:"N"`
	JSON    bool   `name:"json" help:"One line of JSON instead of tables."`
}

var errSimulated = errors.New("something is wrong with what was played; the report says what")

// Run plays the year, and fails when anything in it is not as it must be.
func (c simulateTserasCommand) Run(ctx context.Context) error {
	r, err := simulate.Run(ctx, simulate.Options{Cases: c.Cases, Seed: c.Seed, Crashes: c.Crashes, Sealed: c.Sealed, Days: c.Days, Now: time.Now, Progress: os.Stderr})
	if err != nil {
		return err
	}
	write := r.WriteTable
	if c.JSON {
		write = r.WriteJSON
	}
	if err := write(os.Stdout); err != nil {
		return err
	}
	if !r.Good() {
		return errSimulated
	}
	return nil
}
