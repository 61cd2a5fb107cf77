package signer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

// maxSkew is how far another authority's clock may be from ours.
const maxSkew = tsp.MaxSkew

// Remote is a time-stamp authority elsewhere (RFC 3161). What it gives is believed only after keys/tsp has checked it; without it nothing is
// signed. All fields but Policy and OCSP are required. It may be used by several goroutines.
type Remote struct {
	Ask    tsp.Ask
	Roots  *keys.Roots // that may end the chain of a time stamp
	Policy x509.OID    // zero: whichever the authority has
	OCSP   tsp.Ask     // asks whether its certificates were revoked; nil: nobody can be asked
	Now    func() time.Time
	Rand   io.Reader

	mu      sync.Mutex
	answers map[string]remoteAnswer // by serial number
}

// Stamp implements Stamper. The authority has its own clock.
func (r *Remote) Stamp(ctx context.Context, digest []byte, _ time.Time) ([]byte, error) {
	return tsp.Client{Ask: r.Ask, Roots: r.Roots, Policy: r.Policy, Now: r.Now, Rand: r.Rand}.Stamp(ctx, digest)
}

type remoteAnswer struct {
	der   []byte
	asked time.Time
	until time.Time
}

// Evidence implements Witness for the authority's own chain: what its OCSP responder says, asked for again each hour. Where nobody can be
// asked, it is the certificates alone.
func (r *Remote) Evidence(ctx context.Context, chain []*x509.Certificate, at time.Time) (Evidence, error) {
	e := Evidence{Certificates: chain}
	if r.OCSP == nil {
		return e, nil
	}
	for i, c := range chain[:max(0, len(chain)-1)] {
		if noCheck(c) {
			continue
		}
		der, err := r.answer(ctx, c, chain[i+1], at)
		if err != nil {
			return e, err
		}
		e.OCSPs = append(e.OCSPs, der)
	}
	return e, nil
}

func noCheck(c *x509.Certificate) bool {
	for _, x := range c.Extensions {
		if x.Id.Equal(oidOCSPNoCheck) {
			return true
		}
	}
	return false
}

func (r *Remote) answer(ctx context.Context, c, issuer *x509.Certificate, at time.Time) ([]byte, error) {
	id := string(c.RawIssuer) + string(c.SerialNumber.Bytes())
	r.mu.Lock()
	kept, ok := r.answers[id]
	r.mu.Unlock()
	if ok && at.Before(kept.asked.Add(answerRepeat)) && at.Before(kept.until) {
		return kept.der, nil
	}
	request, err := ocsp.CreateRequest(c, issuer, nil)
	if err != nil {
		return nil, fmt.Errorf("signer: ocsp: %w", err)
	}
	der, err := r.OCSP(ctx, request)
	if err != nil {
		if ok && at.Before(kept.until) {
			return kept.der, nil // it still holds; the next signature asks again
		}
		return nil, fmt.Errorf("signer: ocsp of %q: %w", c.Subject.CommonName, err)
	}
	answer, err := ocsp.ParseResponseForCert(der, c, issuer)
	switch {
	case err != nil:
		return nil, fmt.Errorf("signer: ocsp of %q: %w", c.Subject.CommonName, err)
	case answer.Status == ocsp.Revoked:
		return nil, fmt.Errorf("%w: %q", ErrRevoked, c.Subject.CommonName)
	case answer.Status != ocsp.Good:
		return nil, fmt.Errorf("signer: ocsp of %q: status %d", c.Subject.CommonName, answer.Status)
	case answer.ThisUpdate.After(at.Add(maxSkew)), !answer.NextUpdate.IsZero() && answer.NextUpdate.Before(at):
		return nil, fmt.Errorf("signer: ocsp of %q: not of this time", c.Subject.CommonName)
	}
	until := answer.NextUpdate
	if until.IsZero() {
		until = answer.ThisUpdate.Add(answerRepeat)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil || len(r.answers) >= 16 {
		r.answers = map[string]remoteAnswer{}
	}
	r.answers[id] = remoteAnswer{der, at, until}
	return der, nil
}

// stampedElsewhere vouches for our chains by our own status, and for the other authority's by what it says itself.
type stampedElsewhere struct {
	own    *Status
	remote *Remote
}

func (w stampedElsewhere) Evidence(ctx context.Context, chain []*x509.Certificate, at time.Time) (Evidence, error) {
	if w.own.register(chain[len(chain)-1]) != nil {
		return w.own.Evidence(ctx, chain, at)
	}
	return w.remote.Evidence(ctx, chain, at)
}

// StampedBy lets an authority elsewhere stamp what a signer of ours signs. The signer's roots must be those of both.
func (p *PDFSigner) StampedBy(r *Remote) error {
	own, ok := p.Witness.(*Status)
	if !ok {
		return errors.New("signer: stamped elsewhere: who vouches for the signer is missing")
	}
	for _, who := range append([]*PDFSigner{p}, whoLater(p.later)...) {
		who.Stamper, who.Witness, who.Roots, who.Room = r, stampedElsewhere{own, r}, r.Roots, foreignRoom
	}
	return nil
}

func whoLater(turns []turn[*PDFSigner]) (all []*PDFSigner) {
	for _, t := range turns {
		all = append(all, t.who)
	}
	return all
}
