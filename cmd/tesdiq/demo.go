package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup/lookupweb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
	"github.com/tesdiq/tesdiq/web/democlock"
	"github.com/tesdiq/tesdiq/web/demosent"
	"github.com/tesdiq/tesdiq/web/signin"
	"github.com/tesdiq/tesdiq/web/signin/demoprovider"
)

// demoCommand starts everything on this machine, with invented people and keys that nobody must trust.
type demoCommand struct {
	Addr   string `help:"Where to listen; ${default}." default:"localhost:8080" placeholder:"HOST:PORT"`
	Data   string `help:"Folder for the database, the keys and what was set up; kept between runs; ${default}." default:"var/demo" placeholder:"DIR"`
	People int    `help:"How many people to invent at the first start; 10000, with -once 200." default:"-1" placeholder:"N"`
	Once   bool   `help:"Do the main job once over HTTP, without a person, and end."`
	Out    string `help:"With -once: where to write summary.json and the PDFs." placeholder:"DIR"`
	Seed   uint64 `help:"Which people are invented." default:"1" hidden:""`
	Past   int    `help:"How many cases were closed before the first start, at most." default:"36" hidden:""`
}

// Run starts the demonstration.
func (d demoCommand) Run(ctx context.Context) error {
	switch {
	case d.Once && d.Out == "":
		return misuse("-once needs -out DIR: where to write summary.json and the PDFs")
	case !d.Once && d.Out != "":
		return misuse("-out goes with -once")
	case d.People < -1 || d.People > 10_000_000:
		return misuse("-people: a number from 0 to 10000000")
	case d.Data == "":
		return misuse("-data: a folder, for example var/demo")
	}
	if d.People < 0 {
		d.People = map[bool]int{false: 10_000, true: 200}[d.Once]
	}
	if d.Once {
		d.Past = 0 // nobody looks
		return d.once(ctx)
	}
	host, _, err := net.SplitHostPort(d.Addr)
	if err != nil {
		return misuse("-addr " + d.Addr + ": a host and a port, for example localhost:8080")
	}
	if !service.Local(host) {
		fmt.Fprintln(os.Stderr, "Careful: others than this machine can reach "+d.Addr+", and anybody may sign in there as anybody.")
	}
	l, err := net.Listen("tcp", d.Addr)
	if err != nil {
		// Who types "make run" twice wants to hear of the first one, not of the address.
		if running := held(d.Data); running != nil {
			return running
		}
		return fmt.Errorf("%s cannot be used: %w. Name another with -addr, or with make run ARGS=\"-addr localhost:8081\"", d.Addr, err)
	}
	defer l.Close()
	run, err := d.start(ctx, l.Addr().String(), host, os.Stderr, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	fmt.Print(run.welcome())
	return errors.Join(run.app.serve(ctx, l), run.stop())
}

// demonstration is a demo that is set up.
type demonstration struct {
	app    *app
	notes  demoNotes
	dir    string
	lock   *os.File // held while it runs
	pools  *postgres.Pools
	source database
}

func (d *demonstration) stop() (err error) {
	if d.pools != nil {
		d.pools.Close()
	}
	if d.source.stop != nil {
		err = d.source.stop()
	}
	return errors.Join(err, d.lock.Close())
}

// start opens the database, makes keys and people if there are none yet, and puts the service together.
// Broken off midway and started again, it goes on where it was.
func (d demoCommand) start(ctx context.Context, listening, host string, progress io.Writer, log *slog.Logger) (_ *demonstration, err error) {
	_, port, err := net.SplitHostPort(listening)
	if err != nil {
		return nil, err
	}
	public := "http://" + net.JoinHostPort(host, port)
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return nil, noFolder(err)
	}
	run := &demonstration{dir: d.Data}
	if run.lock, err = lockData(d.Data, public); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, run.stop())
		}
	}()
	if run.source, err = demoDatabaseIn(ctx, d.Data); err != nil {
		return nil, err
	}
	if run.pools, err = run.source.pools(ctx); err != nil {
		return nil, err
	}
	if err := d.invent(ctx, run.pools, progress); err != nil {
		return nil, err
	}
	secret, err := tesdiq.RandomText(rand.Reader, 32)
	if err != nil {
		return nil, err
	}
	set, err := demoKeys(filepath.Join(d.Data, "keys"), public)
	if err != nil {
		return nil, err
	}
	clock, err := demoClock(d.Data, set)
	if err != nil {
		return nil, err
	}
	p := parts{
		Pools: run.pools, PublicURL: public, Keys: set, Now: clock.Now, Clock: clock, Log: log, People: demoPeople(),
		SignIn: signin.Config{Issuer: public + demoprovider.Path, ClientID: "tesdiq", Secret: secret,
			RedirectURL: public + "/signin/callback", PostLogout: public + "/signin/out"},
	}
	if p.Lookups, err = demoLookups(); err != nil {
		return nil, err
	}
	if run.notes, err = prepare(ctx, p, d.Data); err != nil {
		return nil, err
	}
	if p.Agencies, err = d.agencies(ctx, &p); err != nil {
		return nil, err
	}
	p.Example = run.notes.example()
	run.app, err = newApp(ctx, p)
	return run, err
}

// demoLookups are the limits of the look-up without sign-in, but those of an address: everybody who tries it out comes from one.
func demoLookups() (*lookup.Book, error) {
	book, err := lookup.ReadBook()
	if err != nil {
		return nil, err
	}
	book = book.With(map[string]int{"address_day": 1000, "proof_doublings": 1})
	return &book, nil
}

// demoKeys loads the throwaway keys, or makes them for a service at public. They hold from a year ago, so that the demonstration
// can have excerpts that are over.
func demoKeys(dir, public string) (*signer.Set, error) {
	if _, err := os.Stat(dir); err == nil {
		set, err := signer.Load(dir)
		if err == nil && set.Responder == nil {
			err = set.AddResponders(dir, rand.Reader)
		}
		return set, err
	}
	set, err := signer.NewThrowawayAt(rand.Reader, time.Now().AddDate(-1, 0, 0), public)
	if err != nil {
		return nil, err
	}
	return set, set.Save(dir)
}

// invent fills the books of record and the organisations, once.
func (d demoCommand) invent(ctx context.Context, pools *postgres.Pools, progress io.Writer) error {
	reader := registrydb.Reader{Pool: pools.Registry}
	if _, err := reader.Person(ctx, people.Cast[0].FIN); err == nil {
		return nil
	} else if !errors.Is(err, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")) {
		return err
	}
	progress = onTerminal(progress, d.People+len(people.Cast))
	bar := progressbar.NewOptions(len(people.Cast)+d.People, progressbar.OptionSetWriter(progress), progressbar.OptionSetDescription("Inventing people"),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	versions := func(yield func(registry.Version) bool) {
		for v := range people.Generate(d.Seed, d.People, tesdiq.DateOf(time.Now())) {
			if v.Head.Book == registry.Persons && v.Head.Version == 1 {
				bar.Add(1)
			}
			if !yield(v) {
				return
			}
		}
	}
	_, err := registrydb.Load(ctx, pools.Registry, versions, rand.Reader, nil)
	return errors.Join(err, bar.Finish())
}

// onTerminal is where to draw a bar: only somebody who watches wants one, not a file. The file gets one line.
func onTerminal(w io.Writer, people int) io.Writer {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice == 0 {
			fmt.Fprintf(w, "Inventing %d people.\n", people)
			return io.Discard
		}
	}
	return w
}

// demoPeople are those whom the provider offers.
func demoPeople() []demoprovider.Person {
	var all []demoprovider.Person
	seats := map[string]bool{}
	for _, c := range people.Commissions {
		for _, m := range c.Members {
			seats[m.Key] = true
		}
	}
	for _, a := range people.Cast {
		if seats[a.Key] {
			continue
		}
		p := demoprovider.Person{FIN: a.FIN, Name: a.Name, Sex: a.Sex, Try: "demo.try." + a.Key}
		for _, o := range people.Organisations {
			for _, m := range o.Members {
				if m.Key == a.Key {
					p.Organisations = append(p.Organisations, demoprovider.Organisation{VOEN: o.VOEN, Name: o.Name})
				}
			}
		}
		all = append(all, p)
	}
	for _, c := range people.Commissions {
		for _, m := range c.Members {
			all = append(all, demoprovider.Person{FIN: m.FIN, Name: m.Name, Sex: m.Sex, Commission: c.Name})
		}
	}
	return all
}

// demoNotes is what the set-up leaves for the next start: var/demo/demo.json.
type demoNotes struct {
	ClientID string        `json:"client_id"`
	Secret   string        `json:"secret"`
	Examples []demoExample `json:"examples"`
}

// demoExample is an excerpt, or a file, that gets a certain verdict.
type demoExample struct {
	Verdict tesdiq.Verdict `json:"verdict"`
	Code    tesdiq.Code    `json:"code,omitempty"`
	File    string         `json:"file,omitempty"`
}

func (n demoNotes) example() verifierweb.Example {
	e := verifierweb.Example{ClientID: n.ClientID, Secret: n.Secret}
	for _, x := range n.Examples {
		if x.Verdict == tesdiq.Valid {
			e.Code, e.File = x.Code.String(), x.File
			if whole, err := filepath.Abs(x.File); err == nil {
				e.File = whole // the terminal into which the requests are pasted may be in another folder
			}
		}
	}
	return e
}

const notesFile = "demo.json"

func readNotes(dir string) (n demoNotes, err error) {
	b, err := os.ReadFile(filepath.Join(dir, notesFile))
	if err != nil {
		return n, err
	}
	return n, json.Unmarshal(b, &n)
}

// write keeps the notes whole or not at all.
func (n demoNotes) write(dir string) error {
	b, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, notesFile), append(b, '\n'))
}

// organisations adds those of the demonstration with their members, and gives the first one's program its secret.
func (n *demoNotes) organisations(ctx context.Context, o organisationdb.Operator) error {
	for _, x := range people.Organisations {
		_, err := o.Add(ctx, organisation.Organisation{VOEN: x.VOEN, Name: x.Name, Sort: organisation.Sort(x.Sort)})
		if err != nil && !conflict(err) {
			return err
		}
		for _, m := range x.Members {
			a := people.Who(m.Key)
			_, err := o.AddMember(ctx, x.VOEN, organisation.Member{FIN: a.FIN, Name: a.Name.Short(), Role: organisation.Role(m.Role)})
			if err != nil && !conflict(err) {
				return err
			}
		}
		for _, d := range x.Duties {
			if _, err := o.AddDuty(ctx, x.VOEN, organisation.Duty(d)); err != nil && !conflict(err) {
				return err
			}
		}
		if x.Client != "" && x.Sort == string(organisation.Bank) && n.ClientID == "" {
			client, secret, err := o.AddClient(ctx, x.VOEN, x.Client)
			if err != nil {
				return err
			}
			n.ClientID, n.Secret = client.ID, string(secret)
		}
	}
	return nil
}

func conflict(err error) bool {
	var p *tesdiq.Problem
	return errors.As(err, &p) && p.Kind == tesdiq.Conflict
}

// welcome says who can sign in and what to try.
func (d *demonstration) welcome() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nTəsdiq runs at %s (stop it with Ctrl+C). Everybody in it is invented.\n\n", d.app.PublicURL)
	b.WriteString("Sign in as, among others:\n")
	for _, x := range [][2]string{{"nermin", "a citizen with a disability and a job"}, {"elcin", "a citizen with three jobs"}, {"gunay", "somebody with no entries yet"}} {
		fmt.Fprintf(&b, "  %-22s %s\n", people.Who(x[0]).Name.Short(), x[1])
	}
	for _, o := range people.Organisations {
		fmt.Fprintf(&b, "  %-22s %s, %s\n", people.Who(o.Members[0].Key).Name.Short(), o.Sort, o.Name)
	}
	fmt.Fprintf(&b, "\nCheck at %s/check:\n", d.app.PublicURL)
	for _, e := range d.notes.Examples {
		what := e.Code.String()
		if e.Verdict == tesdiq.Altered {
			what = "the file"
		}
		fmt.Fprintf(&b, "  %-11s %-22s %s\n", e.Verdict, what, e.File)
	}
	kept := people.Who("cavid")
	fmt.Fprintf(&b, "\nWithout sign-in: %s%s, for example card %s, born %s (until he signs in)\n", d.app.PublicURL, lookupweb.Path, kept.Card, kept.Born)
	fmt.Fprintf(&b, "\nSMS and e-mails that were sent: %s%s\n", d.app.PublicURL, demosent.Path)
	fmt.Fprintf(&b, "The clock, which you may put forward: %s%s\n", d.app.PublicURL, democlock.Path)
	if day, moved := d.app.Clock.Moved(); moved {
		fmt.Fprintf(&b, "It was put forward: here it is %s.\n", day)
	}
	fmt.Fprintf(&b, "\nFor programs: %s/developers, client %s, secret in %s\n\n", d.app.PublicURL, d.notes.ClientID, filepath.Join(d.dir, notesFile))
	return b.String()
}
