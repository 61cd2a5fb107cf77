package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// commissionCommands keep the commissions from which assessments are drawn.
type commissionCommands struct {
	Add    commissionAdd   `cmd:"" help:"Add a commission."`
	Close  commissionClose `cmd:"" help:"Close a commission for good: it is not drawn any more; the cases that it has go on."`
	Member struct {
		Add commissionMemberAdd `cmd:"" help:"Add a member to a commission."`
		End commissionMemberEnd `cmd:"" help:"End a membership, at once."`
	} `cmd:"" help:"Members of commissions."`
	Hours struct {
		Add commissionHoursAdd `cmd:"" help:"Say when a commission examines in person, on one day of the week."`
		End commissionHoursEnd `cmd:"" help:"End its hours on one day of the week: no further slot is given, and those that people have stay theirs."`
	} `cmd:"" help:"When commissions examine in person (appeals)."`
	List    commissionList    `cmd:"" help:"List commissions with their members."`
	Changes commissionChanges `cmd:"" help:"List every change of commissions, members, hours, medical institutions, seals and rehabilitation districts, by the database's own clock."`
}

// institutionCommands keep the medical institutions that refer.
type institutionCommands struct {
	Add  institutionAdd         `cmd:"" help:"Say in which district a medical organisation (org add --sort medical) works, so that it can refer."`
	Code institutionCodeCommand `cmd:"" help:"Say by which code the register of who is registered where names it, so that people are led to it."`
}

// commissions runs do with the commissions, for the operator.
func (w where) commissions(ctx context.Context, do func(tserasdb.Operator) error) error {
	return w.asRole(ctx, postgres.Operator, func(p *postgres.Pools) error {
		return do(tserasdb.Operator{Pool: p.Operator, Now: time.Now, Rand: rand.Reader})
	})
}

// commissions runs do with the commissions, and says at the end whether anything was written.
func (c operating) commissions(ctx context.Context, do func(tserasdb.Operator) error) error {
	return c.said(c.where.commissions(ctx, func(o tserasdb.Operator) error {
		o.Preview = !c.Apply
		return do(o)
	}), "Written.")
}

type commissionAdd struct {
	operating
	ID       string   `arg:"" name:"id" help:"Its number: K and two or three digits, K07."`
	Name     string   `arg:"" help:"Its name, as decisions state it."`
	District []string `help:"District that it serves, whose people it must not assess; several times." required:"" placeholder:"NAME"`
}

// Run adds a commission.
func (c commissionAdd) Run(ctx context.Context) error {
	id, err := tseras.ParseCommissionID(c.ID)
	if err != nil {
		return err
	}
	k := tseras.Commission{ID: id, Name: c.Name}
	for _, d := range c.District {
		k.Districts = append(k.Districts, tseras.District(d))
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if err := op.Add(ctx, k); err != nil {
			return err
		}
		fmt.Printf("add commission %s: %s, of %s\n", k.ID, k.Name, strings.Join(c.District, ", "))
		return nil
	})
}

type commissionClose struct {
	operating
	ID string `arg:"" name:"id" help:"Number of the commission."`
}

// Run closes a commission.
func (c commissionClose) Run(ctx context.Context) error {
	id, err := tseras.ParseCommissionID(c.ID)
	if err != nil {
		return err
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if err := op.Close(ctx, id); err != nil {
			return err
		}
		fmt.Printf("close commission %s\n", id)
		return nil
	})
}

type commissionMemberAdd struct {
	operating
	ID    string `arg:"" name:"id" help:"Number of the commission."`
	FIN   string `arg:"" name:"fin" help:"FIN of the person."`
	Name  string `arg:"" help:"Given name and surname."`
	Chair bool   `help:"May be drawn to lead."`
}

// Run adds a member.
func (c commissionMemberAdd) Run(ctx context.Context) error {
	var ps tesdiq.Problems
	id, err := tseras.ParseCommissionID(c.ID)
	ps.Add("id", err)
	fin, err := tesdiq.ParseFIN(c.FIN)
	ps.Add("fin", err)
	if err := ps.Err(); err != nil {
		return err
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		member, err := op.AddMember(ctx, id, fin, c.Name, c.Chair)
		if err != nil {
			return err
		}
		fmt.Printf("add to %s: %s %s, %s\n", id, member, fin, c.Name)
		return nil
	})
}

type commissionMemberEnd struct {
	operating
	ID string `arg:"" name:"id" help:"Number of the member: K07-3."`
}

// Run ends a membership.
func (c commissionMemberEnd) Run(ctx context.Context) error {
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if err := op.EndMember(ctx, tseras.MemberID(c.ID)); err != nil {
			return err
		}
		fmt.Printf("end member %s\n", c.ID)
		return nil
	})
}

// weekdays are how the days of the week are typed.
var weekdays = map[string]time.Weekday{"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday, "fri": time.Friday,
	"sat": time.Saturday, "sun": time.Sunday}

type commissionHoursAdd struct {
	operating
	ID      string `arg:"" name:"id" help:"Number of the commission."`
	Day     string `arg:"" enum:"mon,tue,wed,thu,fri,sat,sun" help:"Day of the week: ${enum}."`
	From    string `required:"" placeholder:"09:00" help:"When the first examination begins."`
	Until   string `required:"" placeholder:"13:00" help:"When the last one ends."`
	Minutes int    `default:"30" help:"How long one takes."`
	AtATime int    `default:"1" help:"How many go on side by side."`
	Place   string `required:"" help:"Where people come: street, house, room."`
}

// Run adds hours.
func (c commissionHoursAdd) Run(ctx context.Context) error {
	var ps tesdiq.Problems
	id, err := tseras.ParseCommissionID(c.ID)
	ps.Add("id", err)
	h := tseras.Hours{Commission: id, Weekday: weekdays[c.Day], Minutes: c.Minutes, AtATime: c.AtATime, Place: c.Place}
	for _, t := range []struct {
		text string
		to   *int
	}{{c.From, &h.Opens}, {c.Until, &h.Closes}} {
		at, err := time.Parse("15:04", t.text)
		if err != nil {
			ps.Add("until", tesdiq.Invalid("tseras.hours.until"))
		}
		*t.to = 60*at.Hour() + at.Minute()
	}
	if err := ps.Err(); err != nil {
		return err
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if _, err := op.AddHours(ctx, h); err != nil {
			return err
		}
		fmt.Printf("add to %s: %s %s to %s, %d minutes, %d at a time, %s\n", id, c.Day, c.From, c.Until, c.Minutes, c.AtATime, c.Place)
		return nil
	})
}

type commissionHoursEnd struct {
	operating
	ID  string `arg:"" name:"id" help:"Number of the commission."`
	Day string `arg:"" enum:"mon,tue,wed,thu,fri,sat,sun" help:"Day of the week: ${enum}."`
}

// Run ends hours.
func (c commissionHoursEnd) Run(ctx context.Context) error {
	id, err := tseras.ParseCommissionID(c.ID)
	if err != nil {
		return err
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if _, err := op.EndHours(ctx, id, weekdays[c.Day]); err != nil {
			return err
		}
		fmt.Printf("end hours of %s on %s\n", id, c.Day)
		return nil
	})
}

type commissionList struct{ where }

// Run lists commissions.
func (c commissionList) Run(ctx context.Context) error {
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		all, err := op.List(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, k := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, k.Name, strings.Join(k.Districts, ", "), since(k.Added, k.Closed))
			for _, m := range k.Members {
				part := "member"
				if m.Chair {
					part = "chair"
				}
				fmt.Fprintf(w, "  %s\t%s %s\t%s\t%s\n", m.ID, m.FIN, part, m.Name, since(m.Added, earlier(m.Ended, k.Closed)))
			}
		}
		return w.Flush()
	})
}

type commissionChanges struct{ where }

// Run lists what was changed in the lists.
func (c commissionChanges) Run(ctx context.Context) error {
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		all, err := op.Changes(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		for _, x := range all {
			note := ""
			if x.Backdated() {
				note = "its own time is earlier"
			}
			fmt.Fprintf(w, "%d\t%s\t%s %s\t%s\t%s\n", x.ID, x.Written.UTC().Format(time.RFC3339), x.List, x.Act, x.Content, note)
		}
		return w.Flush()
	})
}

type institutionAdd struct {
	operating
	VOEN     string `arg:"" name:"voen" help:"VÖEN of the organisation."`
	District string `arg:"" help:"District in which it works."`
	Code     string `help:"By which code the register of who is registered where names it. Without one nobody is led to it." placeholder:"CODE"`
}

// Run says where an institution works.
func (c institutionAdd) Run(ctx context.Context) error {
	voen, err := tesdiq.ParseVOEN(c.VOEN)
	if err != nil {
		return err
	}
	code, err := institutionCode(c.Code)
	if err != nil {
		return err
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if _, err := op.AddInstitution(ctx, voen, tseras.District(c.District)); err != nil {
			return err
		}
		if code != "" && c.Apply { // in a dry run there is nothing that could have a code
			if _, err := op.CodeInstitution(ctx, voen, code); err != nil {
				return err
			}
		}
		fmt.Printf("add medical institution %s in %s %s\n", voen, c.District, code)
		return nil
	})
}

// institutionCode reads a code, if there is one.
func institutionCode(s string) (tseras.InstitutionCode, error) {
	if s == "" {
		return "", nil
	}
	return tseras.ParseInstitutionCode(s)
}

type institutionCodeCommand struct {
	operating
	VOEN string `arg:"" name:"voen" help:"VÖEN of the organisation."`
	Code string `arg:"" help:"The code."`
}

// Run says by which code the register names an institution.
func (c institutionCodeCommand) Run(ctx context.Context) error {
	voen, err := tesdiq.ParseVOEN(c.VOEN)
	if err != nil {
		return err
	}
	code, err := tseras.ParseInstitutionCode(c.Code)
	if err != nil {
		return err
	}
	return c.commissions(ctx, func(op tserasdb.Operator) error {
		if _, err := op.CodeInstitution(ctx, voen, code); err != nil {
			return err
		}
		fmt.Printf("medical institution %s has the code %s\n", voen, code)
		return nil
	})
}
