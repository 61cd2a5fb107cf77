package main

import (
	"context"
	"fmt"

	"github.com/tesdiq/tesdiq/internal/postgres"
)

// dryRun is said by every command that would change data, and did not.
const dryRun = "Dry run: nothing was written. Add -apply to do it."

// operating are the flags of the operator's commands that change something.
type operating struct {
	where
	Apply bool `help:"Do it. Without this, only say what would be done."`
}

// said ends a command that has done its work, or only looked: it says what was written, or that nothing was.
func (c operating) said(err error, written string) error {
	if err != nil {
		return err
	}
	if !c.Apply {
		written = dryRun
	}
	fmt.Println(written)
	return nil
}

// change are the flags of the commands that change something in somebody's name.
type change struct {
	operating
	By string `help:"Who enters it: an office or officer, as the person will read it." required:"" placeholder:"NAME"`
}

// asRole opens the installation's database as one component for as long as do takes.
func (w where) asRole(ctx context.Context, role postgres.Role, do func(*postgres.Pools) error) error {
	db, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer db.stop()
	pools, err := postgres.OpenRoles(ctx, db.url, db.passwords, role)
	if err != nil {
		return err
	}
	defer pools.Close()
	return do(pools)
}
