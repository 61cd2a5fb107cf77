package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/issuing"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/signer/hsm"
)

// keysCommands make and keep the keys that excerpts are signed with.
type keysCommands struct {
	Ceremony keysCeremony `cmd:"" help:"Make root, authorities and signers from one reviewed plan."`
	List     keysList     `cmd:"" help:"List who is and was valid, on duty, revoked."`
	Rotate   keysRotate   `cmd:"" help:"Make a new document or time-stamp signer, which takes over at a moment to come."`
	Revoke   keysRevoke   `cmd:"" help:"Revoke a signer: what it signed from a moment on does not count any more."`
	Reissue  keysReissue  `cmd:"" help:"Issue anew, under the same number and code, what a revoked signer signed and still holds."`
	Publish  keysPublish  `cmd:"" help:"Make the trust list and a list of revocations anew, because they end."`
}

// keysCeremony makes all keys of an installation.
type keysCeremony struct {
	Plan  string `help:"The reviewed plan (docs/ceremony.example.toml)." required:"" placeholder:"FILE"`
	Out   string `help:"New folder for what is made." required:"" placeholder:"DIR"`
	Apply bool   `help:"Write it. Without this it is a rehearsal: everything is made, shown and forgotten."`
}

// Run performs the ceremony and prints its protocol.
func (c keysCeremony) Run(ctx context.Context) error {
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
	made, err := signer.Perform(ctx, rand.Reader, p, now, c.Apply)
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
		return errors.Join(err, made.Discard(context.WithoutCancel(ctx)))
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

// load reads the keys and their trust list, and asks no module.
func (k keysFolder) load() (*signer.Set, error) { return k.loadBy(signer.Read) }

func (k keysFolder) loadBy(load func(string) (*signer.Set, error)) (*signer.Set, error) {
	s, err := load(k.Keys)
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
	for _, p := range s.Places() {
		fmt.Fprintln(w, p)
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
	Role  string `help:"document-signer (the issuing authority's key is needed) or time-stamp-signer (the root's)." required:"" enum:"document-signer,time-stamp-signer"`
	From  string `help:"When it takes over: 2027-01-01T00:00:00Z, 2027-01-01, or now. The old one signs until then." required:"" placeholder:"TIME"`
	Years int    `help:"How many years it holds." default:"2"`
	Name  string `help:"Its name; else the one before's with the year." placeholder:"NAME"`

	Storage string `help:"Where its key goes: file or pkcs11; else where the one before's is." enum:",file,pkcs11" default:""`
	Module  string `help:"With pkcs11: the module." placeholder:"FILE"`
	Token   string `help:"With pkcs11: the token's label." placeholder:"LABEL"`
	PINFile string `help:"With pkcs11: the file with the token's PIN." placeholder:"FILE"`
}

// Run makes a new signer under the same authority.
func (c keysRotate) Run(ctx context.Context) error {
	now := time.Now()
	from, err := now, error(nil)
	if c.From != "now" {
		from, err = momentOf(c.From)
	}
	if err != nil {
		return fmt.Errorf("-from: %w", err)
	}
	return c.with(func(s *signer.Set, by signer.Authorized) error {
		d, err := s.Rotate(ctx, rand.Reader, by, signer.Rotation{Role: c.Role, Name: c.Name, Years: c.Years, From: from,
			Storage: c.Storage, Place: hsm.Place{Module: c.Module, Token: c.Token, PINFile: c.PINFile}, Keep: c.Apply}, now)
		if err != nil {
			return err
		}
		fmt.Printf("new %s: %s, serial %s, valid to %s, takes over at %s\n", d.Role, d.Certificate.Subject.CommonName, keys.Serial(d.Certificate),
			d.Certificate.NotAfter.Format(time.DateOnly), d.From.Format(time.RFC3339))
		if k, ok := d.Key.(*hsm.Key); ok {
			fmt.Printf("its %s\n", k.Place)
		}
		return nil
	})
}

// keysPublish renews the lists.
type keysPublish struct {
	keysChange
	Config string `help:"Configuration of the service: what its database says was revoked goes into the lists." placeholder:"FILE"`
	Data   string `help:"Folder of a demonstration, for the same." placeholder:"DIR"`
}

// Run makes the lists anew.
func (c keysPublish) Run(ctx context.Context) error {
	var revoked map[string]keys.Revoked
	if c.Config != "" || c.Data != "" {
		var err error
		if revoked, err = revokedIn(ctx, where{Config: c.Config, Data: c.Data}); err != nil {
			return err
		}
	}
	return c.with(func(s *signer.Set, by signer.Authorized) error {
		return s.Publish(rand.Reader, by, revoked, time.Now())
	})
}

// revokedIn is what an installation's database says was revoked.
func revokedIn(ctx context.Context, w where) (map[string]keys.Revoked, error) {
	revoked := map[string]keys.Revoked{}
	err := w.asRole(ctx, postgres.Operator, func(p *postgres.Pools) error {
		all, err := issuerdb.SignerRevocations(ctx, p.Operator)
		for _, r := range all {
			revoked[r.Serial] = keys.Revoked{At: r.RevokedAt, InvalidFrom: r.InvalidFrom, Reason: r.Reason, Why: r.Why}
		}
		return err
	})
	return revoked, err
}

// keysRevoke revokes a signer.
type keysRevoke struct {
	change
	keysFolder
	Serial     string `help:"Serial number of its certificate, as tesdiq keys list shows it." required:"" placeholder:"HEX"`
	Reason     string `help:"keyCompromise, superseded, cessationOfOperation, affiliationChanged or unspecified (RFC 5280)." required:"" placeholder:"NAME"`
	Why        string `help:"Why, in words, for the trust list." required:"" placeholder:"TEXT"`
	Invalidity string `help:"Since when what it signed does not count: 2026-11-21, or 2026-11-21T10:00:00Z." required:"" placeholder:"DATE"`
}

// Run revokes a signer in the database, from which every check and OCSP know it at once.
func (c keysRevoke) Run(ctx context.Context) error {
	from, err := momentOf(c.Invalidity)
	if err != nil {
		return err
	}
	s, err := c.load()
	if err != nil {
		return err
	}
	l, err := listedSigner(s, c.Serial)
	if err != nil {
		return err
	}
	return c.said(c.asRole(ctx, postgres.Operator, func(p *postgres.Pools) error {
		op := issuerdb.Operator{Pool: p.Operator, Now: time.Now, Rand: rand.Reader}
		done, err := op.RevokeSigner(ctx, issuer.SignerRevocation{Serial: l.Serial, Role: l.Role, Reason: c.Reason, Why: c.Why, By: c.By, InvalidFrom: from}, !c.Apply)
		if err != nil {
			return err
		}
		fmt.Printf("revoke %s %s, %s: what it signed from %s on does not count\n", l.Role, l.Serial, l.Certificate().Subject.CommonName, from.Format(time.RFC3339))
		fmt.Printf("%d excerpts have a file that does not count then; %d messages to persons who checked one.\n", done.Excerpts, done.Told)
		return nil
	}), "Written, with its ledger line.\nNext: tesdiq keys publish, with the authority's key, for the lists; tesdiq keys rotate, if it was on duty; tesdiq keys reissue.")
}

// momentOf reads a moment, or the beginning of a day in Baku.
func momentOf(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	d, err := tesdiq.ParseDate(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a day (2026-11-21) nor a moment (2026-11-21T10:00:00Z)", s)
	}
	return d.Start(), nil
}

// listedSigner is the signer with a serial number.
func listedSigner(s *signer.Set, serial string) (keys.Listed, error) {
	for _, l := range s.Trust.Certificates {
		if l.Serial == serial && (l.Role == keys.RoleDocumentSigner || l.Role == keys.RoleStampSigner) {
			return l, nil
		}
	}
	return keys.Listed{}, fmt.Errorf("%q is the serial number of none of our signers: see tesdiq keys list. An authority is not revoked here: revoke each of its signers, and hold a new ceremony", serial)
}

// keysReissue issues anew what a revoked signer signed.
type keysReissue struct {
	where
	Keys   string `help:"The service's folder of keys; with -config the one that it names." placeholder:"DIR"`
	Serial string `help:"Serial number of the revoked certificate." required:"" placeholder:"HEX"`
	Batch  int    `help:"How many in one transaction." default:"256" placeholder:"N"`
	Apply  bool   `help:"Do it. Without this, only say how many there are."`
}

// Run issues anew what still holds. Broken off, it goes on where it was.
func (c keysReissue) Run(ctx context.Context) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	host := service.Host{Now: time.Now, Rand: rand.Reader, Log: log}
	s, stamps, limits, err := c.issuing(&host)
	if err != nil {
		return err
	}
	if _, err := listedSigner(s, c.Serial); err != nil {
		return err
	}
	db, err := c.openFor(ctx, []postgres.Role{postgres.Issuer})
	if err != nil {
		return err
	}
	defer db.stop()
	pool, err := postgres.OpenConfig(ctx, postgres.Config{URL: db.url, Role: postgres.Issuer, Password: db.passwords[postgres.Issuer], MaxConns: 4})
	if err != nil {
		return err
	}
	defer pool.Close()
	dispatcher, watch, err := issuing.Dispatcher(host, &postgres.Pools{Issuer: pool}, s, stamps, limits, nil)
	if err != nil {
		return err
	}
	r := &issuerdb.Reissue{Pool: pool, Maker: dispatcher.Maker, Permits: watch, Now: time.Now, Rand: rand.Reader, Log: log, Batch: c.Batch}
	left, err := r.Left(ctx, c.Serial)
	if err != nil {
		return err
	}
	fmt.Printf("%d excerpts have no file that counts; %d of them no longer hold and stay as they are; %d are to be issued anew\n", left.Excerpts, left.Gone, left.Open())
	if most, want := limits[keys.RoleDocumentSigner].PerDay, int64(left.Open())*issuerdb.DocumentCalls; most > 0 && want > most {
		fmt.Printf("That takes %d signatures, and the document signer's limit is %d a day: keys.limits.%s.per_day and per_second in the configuration raise it.\n",
			want, most, keys.RoleDocumentSigner)
	}
	if !c.Apply {
		fmt.Println(dryRun)
		return nil
	}
	bar := progressbar.NewOptions(left.Open(), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("Issuing anew"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionSetPredictTime(true))
	r.Progress = func(n int) { _ = bar.Add(n) } // a bar that cannot be drawn changes nothing
	began := time.Now()
	var made, failed int
	watching, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- watch.Run(watching) }()
	err = watch.While(func(ctx context.Context) (err error) {
		made, failed, err = r.Run(ctx, c.Serial)
		return err
	})(ctx)
	stop()
	<-ended // it ends because it was told to
	fmt.Fprintln(os.Stderr)
	fmt.Printf("%d issued anew in %s, their persons are told", made, time.Since(began).Round(time.Second))
	if failed > 0 {
		fmt.Printf("; %d could not be: the log says why", failed)
	}
	if made < left.Open() {
		fmt.Println(". Run it again to go on.")
	} else {
		fmt.Println(". None is left.")
	}
	return err
}

// issuing is who signs and who stamps, as the service has it, and how often; a demonstration has no limits. host learns the address that stands in the QR.
func (c keysReissue) issuing(host *service.Host) (*signer.Set, issuing.Stamps, map[string]signer.Limit, error) {
	folder := keysFolder{c.Keys}
	if c.Config == "" { // a demonstration has no other address than the one that its keys were made for
		if c.Keys == "" {
			return nil, issuing.Stamps{}, nil, misuse("name the folder of keys with -keys, or the service's configuration with -config")
		}
		s, err := folder.loadBy(signer.Load)
		if err == nil {
			host.PublicURL = s.Trust.Service
		}
		return s, issuing.Stamps{}, nil, err
	}
	config, err := service.ReadConfig(c.Config, service.Reissuer)
	if err != nil {
		return nil, issuing.Stamps{}, nil, err
	}
	if folder.Keys == "" {
		folder.Keys = config.Keys.Dir
	}
	s, err := folder.loadBy(signer.Load)
	if err != nil {
		return nil, issuing.Stamps{}, nil, err
	}
	if err := issuing.SameAddress(s, config.PublicURL); err != nil {
		return nil, issuing.Stamps{}, nil, err
	}
	host.PublicURL = config.PublicURL
	stamps, err := issuing.NewStamps(*host, config, s)
	if err != nil {
		return nil, issuing.Stamps{}, nil, err
	}
	s.Patience(config.Keys.Deadline)
	limits, err := issuing.Limits(config)
	return s, stamps, limits, err
}
