package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Pools are the pools of all components, for a process that runs all of them: each under its own role, so that no
// component has another's rights even here.
type Pools struct {
	Registry, Issuer, Verifier, Cabinet, Operator, Worker *pgxpool.Pool
}

// sizes are how many connections each pool may hold; together they stay under a server's usual hundred.
var sizes = map[Role]int{Registry: 4, Issuer: 12, Verifier: 24, Cabinet: 24, Operator: 4, Worker: 4}

// OpenAll opens a pool for every role. url leads to the database; passwords may be empty where the server asks for none.
func OpenAll(ctx context.Context, url string, passwords map[Role]string) (*Pools, error) {
	p := &Pools{}
	for role, pool := range p.byRole() {
		var err error
		if *pool, err = OpenConfig(ctx, Config{URL: url, Role: role, Password: passwords[role], MaxConns: sizes[role]}); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

func (p *Pools) byRole() map[Role]**pgxpool.Pool {
	return map[Role]**pgxpool.Pool{Registry: &p.Registry, Issuer: &p.Issuer, Verifier: &p.Verifier, Cabinet: &p.Cabinet,
		Operator: &p.Operator, Worker: &p.Worker}
}

// Ready says whether the database answers every component.
func (p *Pools) Ready(ctx context.Context) error {
	var errs []error
	for role, pool := range p.byRole() {
		if err := (*pool).Ping(ctx); err != nil {
			errs = append(errs, fmt.Errorf("postgres: %s: %w", role, err))
		}
	}
	return errors.Join(errs...)
}

// Close closes all pools that are open.
func (p *Pools) Close() {
	for _, pool := range p.byRole() {
		if *pool != nil {
			(*pool).Close()
		}
	}
}
