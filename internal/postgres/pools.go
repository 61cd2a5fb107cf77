package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Pools are the components' pools in one process: each under its own role, so that no component has another's rights even
// where one process runs all of them. Those that the process does not need are nil.
type Pools struct {
	Registry, Issuer, Verifier, Cabinet, Operator, Worker, Reception, Sender, Casework, Commission, Lookup, Inspection *pgxpool.Pool
}

// sizes are how many connections each pool may hold; those of one process together stay under a server's usual hundred.
var sizes = map[Role]int{Registry: 4, Issuer: 12, Verifier: 24, Cabinet: 24, Operator: 4, Worker: 4, Reception: 12, Sender: 4, Casework: 8, Commission: 4, Lookup: 6, Inspection: 3}

// OneProcess are the roles of a process that runs all components. Who is signed in its cabinet keeps.
func OneProcess() []Role {
	return []Role{Registry, Issuer, Verifier, Cabinet, Operator, Worker, Sender, Casework, Commission, Lookup, Inspection}
}

// OpenAll opens the pools of a process that runs all components. url leads to the database; passwords may be empty where
// the server asks for none.
func OpenAll(ctx context.Context, url string, passwords map[Role]string) (*Pools, error) {
	return OpenRoles(ctx, url, passwords, OneProcess()...)
}

// OpenRoles opens a pool for each of some roles.
func OpenRoles(ctx context.Context, url string, passwords map[Role]string, roles ...Role) (*Pools, error) {
	p := &Pools{}
	byRole := p.byRole()
	for _, role := range roles {
		var err error
		if *byRole[role], err = OpenConfig(ctx, Config{URL: url, Role: role, Password: passwords[role], MaxConns: sizes[role]}); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

func (p *Pools) byRole() map[Role]**pgxpool.Pool {
	return map[Role]**pgxpool.Pool{Registry: &p.Registry, Issuer: &p.Issuer, Verifier: &p.Verifier, Cabinet: &p.Cabinet,
		Operator: &p.Operator, Worker: &p.Worker, Reception: &p.Reception, Sender: &p.Sender,
		Casework: &p.Casework, Commission: &p.Commission, Lookup: &p.Lookup,
		Inspection: &p.Inspection}
}

// Ready says whether the database answers every component of the process.
func (p *Pools) Ready(ctx context.Context) error {
	var errs []error
	for role, pool := range p.byRole() {
		if *pool == nil {
			continue
		}
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
