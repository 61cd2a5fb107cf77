package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/templates/all"
)

// origin is where the excerpts of a measurement say that they are checked.
const origin = "https://tesdiq.example"

// maxPapers is how many different excerpts are drawn, in turn.
const maxPapers = 1000

// issue measures drawing excerpts as the service does it, from the citizen's asking to the stored file with its ledger
// line, beside drawing, signing, time-stamping and storing the same pages with the libraries as their READMEs show.
func issue(ctx context.Context, o Options) (_ Result, err error) {
	db, err := openDatabase(ctx, o)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	cabinet, err := db.cabinet(ctx, o)
	if err != nil {
		return Result{}, err
	}
	papers, err := db.papers(ctx, cabinet, maxPapers)
	if err != nil {
		return Result{}, err
	}
	set, err := signer.NewThrowaway(o.Rand, o.Now())
	if err != nil {
		return Result{}, err
	}
	ours, stop, err := db.service(ctx, o, cabinet, set, papers)
	if err != nil {
		return Result{}, err
	}
	defer stop()
	plain, err := newPlain(ctx, o, db, set, papers)
	if err != nil {
		return Result{}, err
	}
	defer plain.close()
	a, b, err := compare(ctx, o, db.meter, ours, side{"baseline", plain.issue}, nil)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Ours: a.rate(), ours: "asked for, drawn, linted, signed (B-LTA), checked, stored with its ledger line",
		Baseline: "gopdf, go-qrcode and pdfsign as their READMEs show, the same pages, time-stamped and stored", BaselineRate: b.rate(),
		P50: a.at(0.5), P99: a.at(0.99), more: cost(a, b),
	}, nil
}

// cabinet is the citizens' side.
func (db *database) cabinet(ctx context.Context, o Options) (*issuerdb.Cabinet, error) {
	pool, err := db.pool(ctx, postgres.Cabinet)
	if err != nil {
		return nil, err
	}
	return &issuerdb.Cabinet{Pool: pool, Kinds: all.Kinds, Now: o.Now, Rand: o.Rand, Log: o.Log}, nil
}

// service is drawing excerpts over and over until stop is called.
func (db *database) service(ctx context.Context, o Options, cabinet *issuerdb.Cabinet, set *signer.Set, papers []paper) (_ side, stop func(), err error) {
	draw, stop, err := db.drawer(ctx, o, cabinet, set, papers)
	return side{"ours", func(ctx context.Context, _ int) error {
		_, _, err := draw(ctx)
		return err
	}}, stop, err
}

// drawer runs the issuing side until stop is called. draw asks for the next paper and waits for it, as a citizen does.
func (db *database) drawer(ctx context.Context, o Options, cabinet *issuerdb.Cabinet, set *signer.Set, papers []paper) (
	draw func(context.Context) (tesdiq.FIN, issuer.Number, error), stop func(), err error) {
	roots, err := set.Roots()
	if err != nil {
		return nil, nil, err
	}
	pool, err := db.pool(ctx, postgres.Issuer)
	if err != nil {
		return nil, nil, err
	}
	archivist, err := set.Archivist(o.Rand, set.Status(o.Rand, signer.NothingRevoked{}))
	if err != nil {
		return nil, nil, err
	}
	dispatcher := &issuerdb.Dispatcher{
		Pool: pool, Now: o.Now, Rand: o.Rand, Log: o.Log,
		Maker: &issuer.Maker{Kinds: all.Kinds, Origin: origin, Signer: pdfSigner{archivist}, Roots: roots, Now: o.Now, Rand: o.Rand},
	}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = dispatcher.Run(ctx) }) // returns nil; what it cannot make is seen by who waits for it
	running.Go(func() { _ = cabinet.Listen(ctx) }) // likewise
	var asked atomic.Int64
	draw = func(ctx context.Context) (tesdiq.FIN, issuer.Number, error) {
		n := asked.Add(1)
		p := papers[int(n)%len(papers)]
		fin := p.source.Person.Head.Subject
		number, err := cabinet.Ask(ctx, fin, issuer.Request{
			Key: fmt.Sprintf("bench-%d", n), Kind: p.source.Kind.Name, Entry: p.source.Entry.Head.Number,
			Lang: p.statement.Lang, Validity: validity, Recipient: recipient, Purpose: purpose,
		})
		if err != nil {
			return fin, number, err
		}
		item, err := cabinet.Wait(ctx, fin, number, time.Minute)
		if err != nil {
			return fin, number, err
		}
		if state := item.State(tesdiq.DateOf(o.Now())); state != issuer.InForce {
			return fin, number, fmt.Errorf("an excerpt is %s after a minute", state)
		}
		return fin, number, nil
	}
	return draw, func() { cancel(); running.Wait() }, nil
}

type pdfSigner struct{ *signer.PDFSigner }

func (s pdfSigner) Sign(ctx context.Context, pdf []byte, at time.Time) ([]byte, time.Time, error) {
	return s.PDFSigner.SignUntil(ctx, pdf, at, signer.SignInfo{})
}
