package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/web"
)

// registryCommands are the operator's way to the books of record.
type registryCommands struct {
	Append  registryAppend  `cmd:"" help:"Enter something new: a person, an examination, a contract, a contract's amendment or end."`
	Correct registryCorrect `cmd:"" help:"Correct what was written down wrongly, by a further entry."`
	Annul   registryAnnul   `cmd:"" help:"Annul what was never right."`
	Show    registryShow    `cmd:"" help:"Read everything about a person. The person is told that you looked."`
}

type registryAppend struct {
	change
	Book  registry.Book `arg:"" enum:"person,examination,contract" help:"person, examination or contract."`
	File  string        `arg:"" optional:"" default:"-" help:"The entry as a JSON object (docs/registry.md); - reads standard input."`
	After int           `help:"The version that you have seen, as show prints it; 0 for a new one." placeholder:"N"`
}

// Run appends an entry.
func (c registryAppend) Run(ctx context.Context) error {
	f, err := readEntryFile(c.Book, c.File, os.Stdin)
	if err != nil {
		return err
	}
	err = c.enter(ctx, registry.Change{Act: registry.Append, Body: f.body, After: c.After, By: c.By})
	return f.locate(err)
}

type registryCorrect struct {
	change
	Book   registry.Book `arg:"" enum:"person,examination,contract" help:"person, examination or contract."`
	File   string        `arg:"" optional:"" default:"-" help:"The whole entry as it should have been, as a JSON object (docs/registry.md); - reads standard input."`
	After  int           `help:"The version that you have seen, as show prints it." required:"" placeholder:"N"`
	Reason string        `help:"Why, as the person will read it." required:"" placeholder:"TEXT"`
}

// Run corrects an entry.
func (c registryCorrect) Run(ctx context.Context) error {
	f, err := readEntryFile(c.Book, c.File, os.Stdin)
	if err != nil {
		return err
	}
	err = c.enter(ctx, registry.Change{Act: registry.Correct, Body: f.body, After: c.After, By: c.By, Reason: c.Reason})
	return f.locate(err)
}

type registryAnnul struct {
	change
	Book   registry.Book `arg:"" enum:"person,examination,contract" help:"person, examination or contract."`
	Number string        `arg:"" help:"Number of the examination or contract; a person's FIN."`
	After  int           `help:"The version that you have seen, as show prints it." required:"" placeholder:"N"`
	Reason string        `help:"Why, as the person will read it." required:"" placeholder:"TEXT"`
}

// Run annuls an entry.
func (c registryAnnul) Run(ctx context.Context) error {
	return c.enter(ctx, registry.Change{Act: registry.Annul, Book: c.Book, Number: c.Number, After: c.After, By: c.By, Reason: c.Reason})
}

// enter enters a change, or says what it would be.
func (c change) enter(ctx context.Context, change registry.Change) error {
	var after registry.Version
	err := c.asRole(ctx, postgres.Registry, func(p *postgres.Pools) error {
		w := registrydb.Writer{Pool: p.Registry, Now: time.Now, Rand: rand.Reader}
		do := w.Preview
		if c.Apply {
			do = w.Enter
		}
		before, made, err := do(ctx, change)
		if err != nil {
			return err
		}
		after = made
		return describe(os.Stdout, before, after)
	})
	return c.said(err, fmt.Sprintf("Written: entry %d, and its ledger line. The person is told.", after.Head.ID))
}

// describe says what a change makes. It shows what the operator wrote himself, and nothing that only the book knew:
// to read that is a look, which the person sees.
func describe(w io.Writer, before *registry.Version, after registry.Version) error {
	h := after.Head
	fmt.Fprintf(w, "%s %s %s: version %d\n", h.Act, h.Book, h.Number, h.Version)
	if h.Act == registry.Annul {
		return nil
	}
	says, err := json.MarshalIndent(after.Body, "  ", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "  %s\n", says)
	if before != nil {
		fmt.Fprintf(w, "Differs from version %d in: %s\n", before.Head.Version, strings.Join(differences(before.Body, after.Body), ", "))
	}
	if k, ok := after.Body.(contract.Contract); ok && !k.EmployerVOEN.CheckDigit() {
		// Old numbers are in use that break the rule, so it is only said.
		fmt.Fprintln(w, "Warning: employer_voen: the check digit does not fit. Compare it with the employer's papers.")
	}
	return nil
}

// differences names the fields in which two bodies of one book differ.
func differences(a, b registry.Body) (names []string) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if !x.Field(i).Equal(y.Field(i)) {
			name, _, _ := strings.Cut(x.Type().Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

type registryShow struct {
	where
	FIN     string `arg:"" name:"fin" help:"Whom to read about."`
	Purpose string `help:"What for, in a few words. The person reads it." required:"" placeholder:"TEXT"`
	By      string `help:"Who reads." required:"" placeholder:"NAME"`
	Office  string `help:"Of which office. The person reads it." default:"Əmək və Əhalinin Sosial Müdafiəsi Nazirliyi" placeholder:"NAME"`
	At      string `help:"What the books knew at the end of this day, instead of now." placeholder:"YYYY-MM-DD"`
}

// Run prints every version of every entry, one JSON object each, after the look is written.
func (c registryShow) Run(ctx context.Context) error {
	fin, err := tesdiq.ParseFIN(c.FIN)
	if err != nil {
		return err
	}
	at := time.Now()
	if c.At != "" {
		day, err := tesdiq.ParseDate(c.At)
		if err != nil {
			return err
		}
		at = day.End()
	}
	var seen []registry.Version
	err = c.asRole(ctx, postgres.Operator, func(p *postgres.Pools) (err error) {
		officer := registrydb.Officer{Pool: p.Operator, Now: time.Now, Rand: rand.Reader}
		seen, err = officer.Look(ctx, registry.Look{Subject: fin, Office: c.Office, By: c.By, Purpose: c.Purpose})
		return err
	})
	if err != nil {
		return err
	}
	for _, v := range seen {
		if v.Head.EnteredAt.After(at) {
			continue
		}
		h := v.Head
		fmt.Printf("%s %s, version %d: %s, %s, by %s\n", h.Book, h.Number, h.Version, h.Act, tesdiq.ClockString(h.EnteredAt), h.EnteredBy)
		if h.Reason != "" {
			fmt.Printf("  reason: %s\n", h.Reason)
		}
		says, err := json.MarshalIndent(v.Body, "  ", "  ")
		if err != nil {
			return err
		}
		fmt.Printf("  %s\n", says)
	}
	return nil
}

// sentences are the problems' sentences in English, the operator's language for now.
var sentences = sync.OnceValues(func() (func(*tesdiq.Problem) string, error) { return web.Sentences(tesdiq.En) })

// operatorWords is what a problem says to the operator.
func operatorWords(p *tesdiq.Problem) string {
	say, err := sentences()
	if err != nil {
		return p.Key
	}
	return say(p)
}
