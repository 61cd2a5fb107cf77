package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/service/issuing"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/templates/all"
)

// prepare makes what the demonstration shows besides people: organisations, and an excerpt for every verdict.
// What was done before a crash is found again by its request key.
func prepare(ctx context.Context, p parts, dir string) (demoNotes, error) {
	notes, err := readNotes(dir)
	if err == nil && len(notes.Examples) > 0 {
		return notes, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return notes, err
	}
	if err := notes.organisations(ctx, organisationdb.Operator{Pool: p.Pools.Operator, Now: p.Now, Rand: rand.Reader}); err != nil {
		return notes, err
	}
	// The secret is shown once: keep it before anything else can fail.
	if err := notes.write(dir); err != nil {
		return notes, err
	}
	s := stage{parts: p, dir: filepath.Join(dir, "examples")}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return notes, err
	}
	// The expired one first: what a broken-off start left of it must not be taken up by a dispatcher of another day.
	made := make(map[tesdiq.Verdict]demoExample)
	for _, verdict := range []tesdiq.Verdict{tesdiq.Expired, tesdiq.Valid, tesdiq.Superseded, tesdiq.Withdrawn, tesdiq.Revoked, tesdiq.Altered, tesdiq.Unknown} {
		if made[verdict], err = s.example(ctx, verdict); err != nil {
			return notes, fmt.Errorf("example of %s: %w", verdict, err)
		}
	}
	for _, verdict := range []tesdiq.Verdict{tesdiq.Valid, tesdiq.Superseded, tesdiq.Expired, tesdiq.Withdrawn, tesdiq.Revoked, tesdiq.Altered, tesdiq.Unknown} {
		notes.Examples = append(notes.Examples, made[verdict])
	}
	return notes, notes.write(dir)
}

// stage makes examples before the service runs.
type stage struct {
	parts
	dir string
}

// example makes the excerpt for one verdict.
func (s stage) example(ctx context.Context, verdict tesdiq.Verdict) (demoExample, error) {
	if verdict == tesdiq.Unknown {
		code, err := tesdiq.NewCode(rand.Reader)
		return demoExample{Verdict: verdict, Code: code}, err
	}
	actor, daysAgo := people.Who("nermin"), 0
	switch verdict {
	case tesdiq.Superseded:
		actor = people.Who("elcin")
	case tesdiq.Expired:
		daysAgo = 45
	}
	books := registrydb.Reader{Pool: s.Pools.Cabinet}
	contracts, err := books.Contracts(ctx, actor.FIN)
	if err != nil || len(contracts) == 0 {
		return demoExample{}, errors.Join(err, errors.New("no contract"))
	}
	item, file, err := s.draw(ctx, actor.FIN, contracts[0].Contract.Number, string(verdict), daysAgo)
	if err != nil {
		return demoExample{}, err
	}
	e := demoExample{Verdict: verdict, Code: item.Code, File: filepath.Join(s.dir, string(verdict)+".pdf")}
	bytes := file.PDF
	switch verdict {
	case tesdiq.Withdrawn:
		err = s.desk(0).Withdraw(ctx, actor.FIN, item.Number)
	case tesdiq.Revoked:
		operator := issuerdb.Operator{Pool: s.Pools.Operator, Now: s.Now, Rand: rand.Reader}
		if _, err = operator.Revoke(ctx, string(item.Number), "Nümayiş üçün ləğv edilib", "nümayiş"); conflict(err) {
			err = nil // by the start that was broken off
		}
	case tesdiq.Superseded:
		err = s.raise(ctx, contracts[0])
	case tesdiq.Altered:
		bytes = append(append([]byte(nil), bytes...), "\n% something was added after the signature\n%%EOF\n"...)
	}
	if err != nil {
		return e, err
	}
	return e, os.WriteFile(e.File, bytes, 0o600)
}

// raise enters a rise in pay, which supersedes the excerpts that were drawn before.
func (s stage) raise(ctx context.Context, e contract.Entry) error {
	k := e.Contract
	if k.EffectiveOn == tesdiq.DateOf(s.Now()) {
		return nil
	}
	k.EffectiveOn, k.Salary = tesdiq.DateOf(s.Now()), k.Salary+150_00
	w := registrydb.Writer{Pool: s.Pools.Registry, Now: s.Now, Rand: rand.Reader}
	_, _, err := w.Enter(ctx, registry.Change{Act: registry.Append, Body: k, After: e.Version, By: "nümayiş"})
	return err
}

func (s stage) clock(daysAgo int) func() time.Time {
	return func() time.Time { return s.Now().AddDate(0, 0, -daysAgo) }
}

func (s stage) desk(daysAgo int) *issuerdb.Cabinet {
	return &issuerdb.Cabinet{Pool: s.Pools.Cabinet, Kinds: issuer.Kinds(all.Kinds), Now: s.clock(daysAgo), Rand: rand.Reader, Log: s.Log}
}

// draw asks for an excerpt as a citizen would have so many days ago, and issues it.
func (s stage) draw(ctx context.Context, fin tesdiq.FIN, number, name string, daysAgo int) (issuer.Item, issuer.File, error) {
	desk := s.desk(daysAgo)
	n, err := desk.Ask(ctx, fin, issuer.Request{Key: "demo-" + name, Kind: "contract", Entry: number, Lang: tesdiq.Az,
		Validity: issuer.Days30, Recipient: people.Organisations[0].Name, Purpose: "kredit"})
	if err != nil {
		return issuer.Item{}, issuer.File{}, err
	}
	item, err := desk.Item(ctx, fin, n)
	if err != nil {
		return item, issuer.File{}, err
	}
	if item.IssuedAt == nil {
		if err := s.issue(ctx, desk, fin, n, daysAgo); err != nil {
			return item, issuer.File{}, err
		}
		if item, err = desk.Item(ctx, fin, n); err != nil {
			return item, issuer.File{}, err
		}
	}
	file, err := desk.File(ctx, fin, n)
	return item, file, err
}

// issue makes the excerpt of an intent. A start that was broken off may have left an attempt, whose lease is waited for.
func (s stage) issue(ctx context.Context, desk *issuerdb.Cabinet, fin tesdiq.FIN, n issuer.Number, daysAgo int) error {
	host := s.host()
	host.Now = s.clock(daysAgo)
	host.Metrics = nil
	dispatcher, watch, err := issuing.Dispatcher(host, s.Pools, s.Keys, issuing.Stamps{}, nil, nil)
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- watch.While(dispatcher.Run)(working) }()
	_, err = desk.Wait(ctx, fin, n, time.Minute)
	stop()
	if ended := <-done; !errors.Is(ended, context.Canceled) {
		err = errors.Join(err, ended)
	}
	return err
}
