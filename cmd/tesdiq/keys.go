package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tesdiq/tesdiq/keys/signer"
)

// keysCommands make and keep the keys that excerpts are signed with.
type keysCommands struct {
	Ceremony keysCeremony `cmd:"" help:"Make root, authorities and signers from one reviewed plan."`
}

// keysCeremony makes all keys of an installation.
type keysCeremony struct {
	Plan  string `help:"The reviewed plan (docs/ceremony.example.toml)." required:"" placeholder:"FILE"`
	Out   string `help:"New folder for what is made." required:"" placeholder:"DIR"`
	Apply bool   `help:"Write it. Without this it is a rehearsal: everything is made, shown and forgotten."`
}

// Run performs the ceremony and prints its protocol.
func (c keysCeremony) Run(context.Context) error {
	plan, err := os.ReadFile(filepath.Clean(c.Plan))
	if err != nil {
		return err
	}
	now := time.Now()
	p, err := signer.ReadPlan(plan, now)
	if err != nil {
		return err
	}
	if have, err := os.ReadDir(c.Out); err == nil && len(have) > 0 {
		return fmt.Errorf("%s is not empty, and keys are never overwritten: name a new folder with -out", c.Out)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	made, err := signer.Perform(rand.Reader, p, now)
	if err != nil {
		return err
	}
	if !c.Apply {
		fmt.Println("REHEARSAL. These keys are forgotten when this command ends; the real ones will have other numbers and fingerprints.")
		fmt.Println()
		fmt.Print(made.Protocol())
		fmt.Println(dryRun)
		return nil
	}
	if err := made.Save(c.Out); err != nil {
		return err
	}
	fmt.Print(made.Protocol())
	fmt.Printf("Written to %s. Print %s and sign it. Take %s and %s offline now; the service needs only %s.\n", c.Out, signer.Protocol,
		filepath.Join(c.Out, signer.RootFolder), filepath.Join(c.Out, signer.IssuingFolder), filepath.Join(c.Out, signer.ServiceFolder))
	return nil
}
