package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
)

// keysCommands make and keep the keys that excerpts are signed with.
type keysCommands struct {
	Ceremony keysCeremony `cmd:"" help:"Make root, authorities and signers from one reviewed plan."`
	List     keysList     `cmd:"" help:"List who is and was valid, on duty, revoked."`
	Rotate   keysRotate   `cmd:"" help:"Make a new document or time-stamp signer, which takes over at a moment to come."`
	Publish  keysPublish  `cmd:"" help:"Make the trust list and a list of revocations anew, because they end."`
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

// keysFolder names the keys that a command is about.
type keysFolder struct {
	Keys string `help:"The service's folder of keys (keys.dir)." required:"" placeholder:"DIR"`
}

// load reads the keys and their trust list.
func (k keysFolder) load() (*signer.Set, error) {
	s, err := signer.Load(k.Keys)
	if err != nil {
		return nil, err
	}
	if s.Trust == nil {
		return nil, fmt.Errorf("%s has no %s: these keys were not made by `tesdiq keys ceremony`", k.Keys, signer.TrustFile)
	}
	return s, nil
}

// keysChange are the flags of the commands that need an authority's key and change the folder.
type keysChange struct {
	keysFolder
	Authority string `help:"The folder with the authority's key, brought back from where it is kept." required:"" placeholder:"DIR"`
	Apply     bool   `help:"Do it. Without this, only say what would be done."`
}

// with runs do with keys and authority, and writes what it changed if it is to be written.
func (c keysChange) with(do func(*signer.Set, signer.Authorized) error) error {
	s, err := c.load()
	if err != nil {
		return err
	}
	by, err := s.LoadAuthority(c.Authority)
	if err != nil {
		return err
	}
	if err := do(s, by); err != nil {
		return err
	}
	fmt.Printf("%s no. %d, until %s; list of revocations of %s\n", signer.TrustFile, s.Trust.Number, s.Trust.NextUpdate.Format(time.DateOnly), by.Name())
	if !c.Apply {
		fmt.Println(dryRun)
		return nil
	}
	if err := s.Update(c.Keys); err != nil {
		return err
	}
	fmt.Println("Written. Take the authority's key away, and restart the service.")
	return nil
}

// keysList shows the trust list.
type keysList struct{ keysFolder }

// Run lists certificates.
func (c keysList) Run(context.Context) error {
	s, err := c.load()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, l := range s.Trust.Certificates {
		fmt.Fprintf(w, "%s\t%s\t%s\tvalid %s to %s%s\n", l.Role, l.Serial, l.Certificate().Subject.CommonName,
			l.NotBefore.Format(time.DateOnly), l.NotAfter.Format(time.DateOnly), duty(l))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("List no. %d of %s, until %s.\n", s.Trust.Number, s.Trust.Issued.Format(time.RFC3339), s.Trust.NextUpdate.Format(time.DateOnly))
	return nil
}

// duty says when somebody signs, and what ended it.
func duty(l keys.Listed) (said string) {
	if l.From != nil {
		said += ", signs from " + l.From.Format(time.RFC3339)
	}
	if l.Until != nil {
		said += ", signs until " + l.Until.Format(time.RFC3339)
	}
	if l.Revoked != nil {
		said += fmt.Sprintf(", REVOKED %s (%s: %s), not counted from %s", l.Revoked.At.Format(time.RFC3339), l.Revoked.Reason, l.Revoked.Why, l.Revoked.InvalidFrom.Format(time.RFC3339))
	}
	return said
}

// keysRotate makes a new signer.
type keysRotate struct {
	keysChange
	Role  string    `help:"document-signer (the issuing authority's key is needed) or time-stamp-signer (the root's)." required:"" enum:"document-signer,time-stamp-signer"`
	From  time.Time `help:"When it takes over (2027-01-01T00:00:00Z). The old one signs until then." required:"" placeholder:"TIME"`
	Years int       `help:"How many years it holds." default:"2"`
	Name  string    `help:"Its name; else the one before's with the year." placeholder:"NAME"`
}

// Run makes a new signer under the same authority.
func (c keysRotate) Run(context.Context) error {
	return c.with(func(s *signer.Set, by signer.Authorized) error {
		d, err := s.Rotate(rand.Reader, by, signer.Rotation{Role: c.Role, Name: c.Name, Years: c.Years, From: c.From}, time.Now())
		if err != nil {
			return err
		}
		fmt.Printf("new %s: %s, serial %s, valid to %s, takes over at %s\n", d.Role, d.Certificate.Subject.CommonName, keys.Serial(d.Certificate),
			d.Certificate.NotAfter.Format(time.DateOnly), d.From.Format(time.RFC3339))
		return nil
	})
}

// keysPublish renews the lists.
type keysPublish struct{ keysChange }

// Run makes the lists anew.
func (c keysPublish) Run(context.Context) error {
	return c.with(func(s *signer.Set, by signer.Authorized) error { return s.Publish(rand.Reader, by, nil, time.Now()) })
}
