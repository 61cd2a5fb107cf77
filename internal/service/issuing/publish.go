package issuing

import (
	"context"
	"time"

	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/keysdb"
	"github.com/tesdiq/tesdiq/keys/signer"
)

// publisher says under /pki what is so of our certificates, before anybody asks (docs/adr/0013): all of it at the start, each thing anew
// within the hour, and what a revocation changes at once.
type publisher struct {
	pools  *postgres.Pools
	status *signer.Status
	trust  []byte // the signed list of who was valid when; nil: there is none
	now    func() time.Time

	said map[string]signer.Publication // without their bodies
}

// How often it looks whether something was revoked, and how long the database may take.
const (
	publishOften   = time.Second
	publishTimeout = 30 * time.Second
)

func (p *publisher) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	return p.run(ctx)
}

func (p *publisher) run(ctx context.Context) error {
	now := p.now()
	enough := func(path string, revocations int) bool {
		last, ok := p.said[path]
		age := now.Sub(last.Produced)
		return ok && last.Revocations >= revocations && (last.Until.IsZero() || age >= 0 && age < keys.AnswerRepeat)
	}
	all, err := p.status.Publish(now, enough)
	if err != nil {
		return err
	}
	if p.trust != nil && !enough(keys.PublishedTrust, 0) {
		all = append(all, signer.Publication{Path: keys.PublishedTrust, Body: p.trust, Produced: now})
	}
	if len(all) == 0 {
		return nil
	}
	rows := make([]keysdb.Publication, len(all))
	for i, x := range all {
		rows[i] = keysdb.Publication(x)
	}
	if err := keysdb.Publish(ctx, p.pools.Issuer, rows); err != nil {
		return err
	}
	if p.said == nil {
		p.said = map[string]signer.Publication{}
	}
	for _, x := range all {
		x.Body = nil
		p.said[x.Path] = x
	}
	return nil
}
