package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
)

// orgCommands keep the organisations that check excerpts.
type orgCommands struct {
	Add    orgAdd   `cmd:"" help:"Add an organisation."`
	Close  orgClose `cmd:"" help:"Close an organisation for good; its members and programs stop at once."`
	Member struct {
		Add orgMemberAdd `cmd:"" help:"Let a person act for an organisation."`
		End orgMemberEnd `cmd:"" help:"End that, at once."`
	} `cmd:"" help:"Who may act for an organisation."`
	Client struct {
		Add orgClientAdd `cmd:"" help:"Let a program of an organisation use the API. Its secret is shown once."`
		End orgClientEnd `cmd:"" help:"End that, at once."`
	} `cmd:"" help:"Programs of an organisation."`
	Duty struct {
		Add orgDutyAdd `cmd:"" help:"Give an organisation a duty."`
		End orgDutyEnd `cmd:"" help:"End that, at once."`
	} `cmd:"" help:"What an organisation does beside checking excerpts."`
	District struct {
		Add orgDistrictAdd `cmd:"" help:"Let a body with the duty rehabilitation serve a district."`
		End orgDistrictEnd `cmd:"" help:"End that, at once; cases that it has stay with it."`
	} `cmd:"" help:"Districts for whose people a body makes programmes; where none does, any body may."`
	Seal struct {
		Add  orgSealAdd  `cmd:"" help:"Pin the seal by which a medical institution signs referrals."`
		End  orgSealEnd  `cmd:"" help:"End a seal, at once; what it signed stays."`
		List orgSealList `cmd:"" help:"List the seals that an institution has and had."`
	} `cmd:"" help:"Seals of medical institutions."`
	List orgList `cmd:"" help:"List organisations with their members and programs."`
}

// organisations runs do with the organisations, for the operator.
func (w where) organisations(ctx context.Context, do func(organisationdb.Operator) error) error {
	return w.asRole(ctx, postgres.Operator, func(p *postgres.Pools) error {
		return do(organisationdb.Operator{Pool: p.Operator, Now: time.Now, Rand: rand.Reader})
	})
}

// organisations runs do with the organisations, and says at the end whether anything was written.
func (c operating) organisations(ctx context.Context, do func(organisationdb.Operator) error) error {
	return c.said(c.where.organisations(ctx, func(o organisationdb.Operator) error {
		o.Preview = !c.Apply
		return do(o)
	}), "Written.")
}

type orgAdd struct {
	operating
	VOEN string            `arg:"" name:"voen" help:"VÖEN of the organisation."`
	Name string            `arg:"" help:"Its name, as people read it when it has checked them."`
	Sort organisation.Sort `help:"bank, employer or office." required:"" placeholder:"SORT"`
}

// Run adds an organisation.
func (c orgAdd) Run(ctx context.Context) error {
	voen, err := tesdiq.ParseVOEN(c.VOEN)
	if err != nil {
		return err
	}
	if !voen.CheckDigit() {
		fmt.Println("Warning: the check digit of the VÖEN does not fit.")
	}
	return c.organisations(ctx, func(op organisationdb.Operator) error {
		o, err := op.Add(ctx, organisation.Organisation{VOEN: voen, Name: c.Name, Sort: c.Sort})
		if err != nil {
			return err
		}
		fmt.Printf("add %s %s: %s\n", o.Sort, o.VOEN, o.Name)
		return nil
	})
}

type orgClose struct {
	operating
	VOEN string `arg:"" name:"voen" help:"VÖEN of the organisation."`
}

// Run closes an organisation.
func (c orgClose) Run(ctx context.Context) error {
	voen, err := tesdiq.ParseVOEN(c.VOEN)
	if err != nil {
		return err
	}
	return c.organisations(ctx, func(op organisationdb.Operator) error {
		o, err := op.Close(ctx, voen)
		if err != nil {
			return err
		}
		fmt.Printf("close %s: %s\n", o.VOEN, o.Name)
		return nil
	})
}

type orgMemberAdd struct {
	operating
	VOEN string            `arg:"" name:"voen" help:"VÖEN of the organisation."`
	FIN  string            `arg:"" name:"fin" help:"FIN of the person."`
	Name string            `arg:"" help:"Given name and surname, for colleagues."`
	Role organisation.Role `help:"clerk: sees his own checks; manager: sees all of the organisation's." default:"clerk" placeholder:"ROLE"`
}

// Run adds a member.
func (c orgMemberAdd) Run(ctx context.Context) error {
	voen, fin, err := both(c.VOEN, c.FIN)
	if err != nil {
		return err
	}
	return c.organisations(ctx, func(op organisationdb.Operator) error {
		m, err := op.AddMember(ctx, voen, organisation.Member{FIN: fin, Name: c.Name, Role: c.Role})
		if err != nil {
			return err
		}
		fmt.Printf("add to %s: %s %s, %s\n", voen, m.Role, m.FIN, m.Name)
		return nil
	})
}

type orgMemberEnd struct {
	operating
	VOEN string `arg:"" name:"voen" help:"VÖEN of the organisation."`
	FIN  string `arg:"" name:"fin" help:"FIN of the member."`
}

// Run ends a membership.
func (c orgMemberEnd) Run(ctx context.Context) error {
	voen, fin, err := both(c.VOEN, c.FIN)
	if err != nil {
		return err
	}
	return c.organisations(ctx, func(op organisationdb.Operator) error {
		m, err := op.EndMember(ctx, voen, fin)
		if err != nil {
			return err
		}
		fmt.Printf("end in %s: %s %s, %s\n", voen, m.Role, m.FIN, m.Name)
		return nil
	})
}

func both(voen, fin string) (tesdiq.VOEN, tesdiq.FIN, error) {
	var ps tesdiq.Problems
	v, err := tesdiq.ParseVOEN(voen)
	ps.Add("voen", err)
	f, err := tesdiq.ParseFIN(fin)
	ps.Add("fin", err)
	return v, f, ps.Err()
}

type orgClientAdd struct {
	operating
	VOEN string `arg:"" name:"voen" help:"VÖEN of the organisation."`
	Name string `arg:"" help:"What the program is called."`
}

// Run adds a program and prints its secret, which is kept nowhere.
func (c orgClientAdd) Run(ctx context.Context) error {
	voen, err := tesdiq.ParseVOEN(c.VOEN)
	if err != nil {
		return err
	}
	return c.organisations(ctx, func(op organisationdb.Operator) error {
		client, secret, err := op.AddClient(ctx, voen, c.Name)
		if err != nil {
			return err
		}
		fmt.Printf("add to %s: program %s\n", voen, client.Name)
		if c.Apply {
			fmt.Printf("id: %s\nsecret: %s\nThe secret is not shown again. If it is lost, end this program and add another.\n", client.ID, string(secret))
		}
		return nil
	})
}

type orgClientEnd struct {
	operating
	ID string `arg:"" name:"id" help:"Id of the program."`
}

// Run ends a program.
func (c orgClientEnd) Run(ctx context.Context) error {
	return c.organisations(ctx, func(op organisationdb.Operator) error {
		client, err := op.EndClient(ctx, c.ID)
		if err != nil {
			return err
		}
		fmt.Printf("end: program %s, %s\n", client.ID, client.Name)
		return nil
	})
}

type orgDutyAdd struct {
	operating
	VOEN string            `arg:"" name:"voen" help:"VÖEN of the organisation."`
	Duty organisation.Duty `arg:"" help:"filing: applies for people who are present; call_centre: answers calls; inspection: sees clocks, draws and statistics; rehabilitation: makes programmes."`
}

// Run gives a duty.
func (c orgDutyAdd) Run(ctx context.Context) error {
	return c.duty(ctx, c.VOEN, c.Duty, "add to", organisationdb.Operator.AddDuty)
}

type orgDutyEnd struct {
	operating
	VOEN string            `arg:"" name:"voen" help:"VÖEN of the organisation."`
	Duty organisation.Duty `arg:"" help:"The duty."`
}

// Run ends a duty.
func (c orgDutyEnd) Run(ctx context.Context) error {
	return c.duty(ctx, c.VOEN, c.Duty, "end in", organisationdb.Operator.EndDuty)
}

// duty gives or ends a duty, and says so.
func (c operating) duty(ctx context.Context, voen string, d organisation.Duty, what string,
	do func(organisationdb.Operator, context.Context, tesdiq.VOEN, organisation.Duty) (organisation.Charge, error)) error {
	v, err := tesdiq.ParseVOEN(voen)
	if err != nil {
		return err
	}
	return c.organisations(ctx, func(op organisationdb.Operator) error {
		charge, err := do(op, ctx, v, d)
		if err != nil {
			return err
		}
		fmt.Printf("%s %s: duty %s\n", what, v, charge.Duty)
		return nil
	})
}

type orgList struct {
	where
	VOEN string `arg:"" optional:"" name:"voen" help:"Only the one with this VÖEN."`
}

// Run lists organisations.
func (c orgList) Run(ctx context.Context) error {
	var voen tesdiq.VOEN
	if c.VOEN != "" {
		var err error
		if voen, err = tesdiq.ParseVOEN(c.VOEN); err != nil {
			return err
		}
	}
	return c.organisations(ctx, func(op organisationdb.Operator) error {
		listed, err := op.List(ctx, voen)
		if err != nil {
			return err
		}
		if len(listed) == 0 && voen != "" {
			return fmt.Errorf("no organisation has the VÖEN %s", voen)
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, o := range listed {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", o.VOEN, o.Sort, o.Name, since(o.Added, o.Closed))
			for _, m := range o.Members {
				fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", m.FIN, m.Role, m.Name, since(m.Added, earlier(m.Ended, o.Closed)))
			}
			for _, d := range o.Duties {
				fmt.Fprintf(w, "  %s\tduty\t\t%s\n", d.Duty, since(d.Added, earlier(d.Ended, o.Closed)))
			}
			for _, k := range o.Clients {
				fmt.Fprintf(w, "  %s\tprogram\t%s\t%s\n", k.ID, k.Name, since(k.Added, earlier(k.Ended, o.Closed)))
			}
		}
		return w.Flush()
	})
}

// earlier of two ends: members and programs stop with their organisation.
func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// since says from when until when something is so.
func since(from time.Time, until *time.Time) string {
	if until == nil {
		return "since " + tesdiq.DateOf(from).String()
	}
	return tesdiq.DateOf(from).String() + " to " + tesdiq.DateOf(*until).String()
}
