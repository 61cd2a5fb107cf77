// Package issuing puts together what only the issuing process has: the keys, the dispatcher that makes excerpts of
// intents, and what is said beforehand about the keys' certificates. Nothing in it answers strangers.
package issuing

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/signer/hsm"
	"github.com/tesdiq/tesdiq/keys/tsaweb"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/web"
)

// Issuing is that part of a process.
type Issuing struct {
	Ready  func() error // says why nothing can be signed now
	Roots  *keys.Roots  // of what it signs
	Routes []web.Routes
	Loops  []service.Loop
}

// Shell makes the shell of a process in which nobody signs in.
func Shell(h service.Host) (*web.Shell, error) {
	return web.New(web.Config{Sessions: memstore.NewWithCleanupInterval(0), Log: h.Log, Now: h.Now, Rand: h.Rand,
		Secure: strings.HasPrefix(h.PublicURL, "https:"), Proxies: h.Proxies, Observe: h.Metrics.Observe, Away: postgres.Away})
}

// New puts the part together, as the role tesdiq_issuer.
func New(h service.Host, shell *web.Shell, pools *postgres.Pools, set *signer.Set, stamps Stamps, limits map[string]signer.Limit) (*Issuing, error) {
	steps := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tesdiq_issue_steps_total",
		Help: "Steps of issuing that began and that ended. Of those that began, each of attest is two calls of the key and each of sign one: more of either than attempts in the database are an alarm."},
		[]string{"step", "point"})
	h.Metrics.Registry.MustRegister(steps)
	watch, set, err := NewWatch(h, pools, set, limits)
	if err != nil {
		return nil, err
	}
	archivist, roots, err := newArchivist(h, pools, set, stamps)
	if err != nil {
		return nil, err
	}
	dispatcher := newDispatcher(h, pools, archivist, watch, roots, func(s issuer.Step, ended bool) {
		point := "began"
		if ended {
			point = "ended"
		}
		steps.WithLabelValues(string(s), point).Inc()
	})
	said := &publisher{pools: pools, status: status(h, pools, set), trust: set.TrustFile, now: h.Now}
	if err := said.start(); err != nil {
		return nil, err
	}
	tsa := &tsaweb.Web{Shell: shell, Stamper: set.Authority(h.Rand).ForOthers(), For: stamps.For, Now: h.Now}
	renewals := &issuerdb.Renewals{Pool: pools.Issuer, Permits: watch, Files: issuer.Renewing{With: renewer{archivist}, Roots: roots}, Now: h.Now, Rand: h.Rand, Log: h.Log}
	return &Issuing{
		Ready: watch.Ready, Roots: roots, Routes: []web.Routes{tsa.Routes},
		Loops: []service.Loop{watch.While(dispatcher.Run), watch.Run, service.Every(10*time.Minute, h, "renew-time-stamps", renewals.Run),
			service.Every(publishOften, h, "publish", said.run)},
	}, nil
}

// Dispatcher makes excerpts outside of a service, with the same keys and time stamps. trace is told of each step; it may be nil.
func Dispatcher(h service.Host, pools *postgres.Pools, set *signer.Set, stamps Stamps, limits map[string]signer.Limit, trace func(issuer.Step, bool)) (*issuerdb.Dispatcher, *Watch, error) {
	watch, set, err := NewWatch(h, pools, set, limits)
	if err != nil {
		return nil, nil, err
	}
	archivist, roots, err := newArchivist(h, pools, set, stamps)
	if err != nil {
		return nil, nil, err
	}
	return newDispatcher(h, pools, archivist, watch, roots, trace), watch, nil
}

// newArchivist is who signs and renews, and the roots to which that leads.
func newArchivist(h service.Host, pools *postgres.Pools, set *signer.Set, stamps Stamps) (*signer.PDFSigner, *keys.Roots, error) {
	archivist, err := set.Archivist(h.Rand, status(h, pools, set))
	if err != nil {
		return nil, nil, err
	}
	if stamps.Other != nil {
		if err := archivist.StampedBy(stamps.Other); err != nil {
			return nil, nil, err
		}
	}
	return archivist, archivist.Roots, nil
}

func newDispatcher(h service.Host, pools *postgres.Pools, archivist *signer.PDFSigner, watch *Watch, roots *keys.Roots, trace func(issuer.Step, bool)) *issuerdb.Dispatcher {
	return &issuerdb.Dispatcher{
		Pool: pools.Issuer, Permits: watch, Ready: watch.Ready, Now: h.Now, Rand: h.Rand, Log: h.Log,
		Maker: &issuer.Maker{Kinds: issuer.Kinds(all.Kinds), Origin: h.PublicURL, Signer: documentSigner{archivist},
			Roots: roots, Now: h.Now, Rand: h.Rand, Trace: trace},
	}
}

// Keys loads the keys of a service in production.
func Keys(c service.Config) (*signer.Set, error) {
	set, err := signer.Load(c.Keys.Dir)
	if err != nil {
		err = fmt.Errorf("keys.dir: %w", err)
		if errors.Is(err, hsm.ErrPIN) {
			return nil, service.Halt{Err: err}
		}
		return nil, err
	}
	if set.Throwaway() {
		return nil, errors.New("keys.dir: these are the demonstration's keys: whoever has the program's source can make the like. docs/keys.md says how to make real ones")
	}
	if err := set.CanState(); err != nil {
		return nil, fmt.Errorf("keys.dir: %w", err)
	}
	if set.Responder == nil {
		return nil, errors.New("keys.dir: ocsp-responder.pem, ocsp-responder.key and root-ocsp-responder.pem are missing: what is signed could not be vouched for later. docs/keys.md says how to make them")
	}
	set.Patience(c.Keys.Deadline)
	return set, nil
}

// SameAddress refuses a configuration that says another address than the ceremony put into the certificates: what is issued would send
// people to the one, and programs to the other. Keys that were not made for an address go with any.
func SameAddress(set *signer.Set, publicURL string) error {
	if set.Trust == nil || set.Trust.Service == "" {
		return nil
	}
	if made := strings.TrimRight(set.Trust.Service, "/"); made != strings.TrimRight(publicURL, "/") {
		return fmt.Errorf("public_url is %q, and the keys were made for %q, which stands in the certificates and cannot be changed: set public_url to it, or hold a new ceremony", publicURL, made)
	}
	return nil
}

// status answers whether our certificates were revoked, from what the operator wrote down.
func status(h service.Host, pools *postgres.Pools, set *signer.Set) *signer.Status {
	return set.Status(h.Rand, revocations{set: set, known: &issuerdb.RevokedCertificates{Pool: pools.Issuer, Now: h.Now}})
}

// revocations puts what is written in the database into the words of signer.
type revocations struct {
	set   *signer.Set
	known *issuerdb.RevokedCertificates
}

// Revoked implements signer.Revocations.
func (r revocations) Revoked(authority *x509.Certificate) ([]signer.Revocation, error) {
	all, err := r.known.All()
	if err != nil || len(all) == 0 {
		return nil, err
	}
	issued := map[string]*x509.Certificate{}
	for _, register := range r.set.Registers() {
		if register.Authority.Equal(authority) {
			for _, c := range register.Issued {
				issued[keys.Serial(c)] = c
			}
		}
	}
	var of []signer.Revocation
	for _, x := range all {
		if c := issued[x.Serial]; c != nil {
			of = append(of, signer.Revocation{Serial: c.SerialNumber, At: x.RevokedAt, InvalidFrom: x.InvalidFrom, Reason: keys.RevocationReasons[x.Reason]})
		}
	}
	return of, nil
}

// documentSigner signs excerpts and says nothing beside the signature: everything stands on the page.
type documentSigner struct{ signer *signer.PDFSigner }

// Sign signs one excerpt, and says until when it is stamped.
func (s documentSigner) Sign(ctx context.Context, pdf []byte, at time.Time) ([]byte, time.Time, error) {
	signed, until, err := s.signer.SignUntil(ctx, pdf, at, signer.SignInfo{})
	return signed, until, away(err)
}

// SignStatements signs what an excerpt says for machines.
func (s documentSigner) SignStatements(ctx context.Context, full, brief []byte, address string, at time.Time) (jws, cose []byte, signers []*x509.Certificate, err error) {
	jws, cose, signers, err = s.signer.SignStatements(ctx, full, brief, address, at)
	return jws, cose, signers, away(err)
}

// renewer renews time stamps.
type renewer struct{ signer *signer.PDFSigner }

// Renew appends what proves the last time stamp, and a new one.
func (r renewer) Renew(ctx context.Context, pdf []byte, at time.Time) ([]byte, time.Time, error) {
	renewed, until, err := r.signer.Renew(ctx, pdf, at)
	return renewed, until, away(err)
}
