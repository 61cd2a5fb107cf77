package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/internal/service/assessing"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/organisation"
)

// How the demonstration assesses: fast enough to watch.
const (
	demoDrawEvery = 15 * time.Second
	demoPause     = time.Second
)

// agencies plays the agencies on a free port of this machine, with the people that the demonstration invented, appoints
// commissions, and lets the service ask and draw. It sets p.Assess.
func (d demoCommand) agencies(ctx context.Context, p *parts) (service.Loop, error) {
	dir := filepath.Join(d.Data, "agencies")
	roots, err := p.Keys.Roots()
	if err != nil {
		return nil, err
	}
	before, err := openPast(dir, roots.PEM(), d.Past, p.Now())
	if err != nil {
		return nil, err
	}
	server, err := openAgencies(dir, roots.PEM(), d.Seed, d.People, p.Now)
	if err != nil {
		return nil, err
	}
	if p.Clock != nil {
		p.Clock.OnMove(func(context.Context) error { // a trust file ends after three months: here it is made anew in time
			_, err := agencies.Open(dir, roots.PEM(), p.Now(), rand.Reader)
			return err
		})
	}
	o, clinic := tserasdb.Operator{Pool: p.Pools.Operator, Now: p.Now, Rand: rand.Reader}, filepath.Join(d.Data, "clinic")
	if before != nil {
		o.Now = before.clock.now // they were there already
	}
	if err := appoint(ctx, o); err != nil {
		return nil, err
	}
	if err := sealClinic(ctx, o, clinic, o.Now()); err != nil {
		return nil, err
	}
	if before != nil {
		if err := before.play(ctx, d, p, dir, clinic, server); err != nil {
			return nil, err
		}
	}
	return playAgencies(p, dir, server)
}

// playAgencies listens for the gateway's questions, and for what shall go wrong, and gives p the settings with which it asks. Where that is stands in
// the folder's list of services, for whoever wants to see an agency silent or wrong (docs/gateway.md).
func playAgencies(p *parts, dir string, server *agencies.Server) (service.Loop, error) {
	key, err := drawKey(filepath.Join(dir, "draw.key"))
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	url := "http://" + l.Addr().String()
	if err := agencies.WriteServices(dir, url); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	answers := http.NewServeMux()
	answers.Handle("/", server)
	answers.Handle("/faults", server.Operator())
	p.Assess = &assessing.Settings{
		Gateway:   gateway.Config{Seal: server.Keys.Asker, Trust: server.Keys.Trust, Services: agencies.Services(url)},
		TrustFile: filepath.Join(dir, agencies.TrustFile),
		Stamps:    ownStamps{p.Keys.Authority(rand.Reader), p.Now}, DrawKey: key, DrawEvery: demoDrawEvery, Pause: demoPause,
	}
	return func(ctx context.Context) error {
		s := &http.Server{Handler: answers, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			_ = s.Close() // whatever is under way may be cut: nothing here is kept
			<-ended
			return ctx.Err()
		}
	}, nil
}

// ownStamps dates answers by our own time-stamp signer, without a detour over HTTP.
type ownStamps struct {
	authority *signer.Authority
	now       func() time.Time
}

// Stamp implements gateway.TimeStamper.
func (s ownStamps) Stamp(ctx context.Context, digest []byte) ([]byte, error) {
	return s.authority.Stamp(ctx, digest, s.now())
}

// drawKey reads the secret of the draws, or makes one.
func drawKey(path string) (tseras.DrawKey, error) {
	key, err := assessing.ReadDrawKey(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	key = make(tseras.DrawKey, tseras.MinDrawKey)
	if _, err := io.ReadFull(rand.Reader, key); err != nil {
		return nil, err
	}
	return key, os.WriteFile(path, key, 0o600)
}

// appoint enters the commissions with their members and hours, and the districts of the medical institution and the rehabilitation
// centre. What is there stays.
func appoint(ctx context.Context, o tserasdb.Operator) error {
	for _, c := range people.Commissions {
		k := tseras.Commission{ID: c.ID, Name: c.Name}
		for _, d := range c.Districts {
			k.Districts = append(k.Districts, tseras.District(d))
		}
		if err := o.Add(ctx, k); err != nil && !conflict(err) {
			return err
		}
		for n, m := range c.Members {
			if _, err := o.AddMember(ctx, c.ID, m.FIN, m.Name.Short(), people.Chair(n)); err != nil && !conflict(err) {
				return err
			}
		}
		for day := time.Monday; day <= time.Friday; day++ {
			h := tseras.Hours{Commission: c.ID, Weekday: day, Opens: 9 * 60, Closes: 17 * 60, Minutes: 30, AtATime: 2, Place: c.Place}
			if _, err := o.AddHours(ctx, h); err != nil && !conflict(err) {
				return err
			}
		}
	}
	for _, x := range people.Organisations {
		if slices.Contains(x.Duties, string(organisation.Rehabilitation)) {
			if _, err := o.AddDistrict(ctx, x.VOEN, tseras.District(x.District)); err != nil && !conflict(err) {
				return err
			}
		}
		if x.Sort != "medical" {
			continue
		}
		if _, err := o.AddInstitution(ctx, x.VOEN, tseras.District(x.District)); err != nil && !conflict(err) {
			return err
		}
		for _, i := range people.Institutions {
			if i.Name != x.Name {
				continue
			}
			if _, err := o.CodeInstitution(ctx, x.VOEN, tseras.InstitutionCode(i.Code)); err != nil {
				return err
			}
		}
	}
	return nil
}
