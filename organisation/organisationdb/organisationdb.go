// Package organisationdb keeps organisations, their members and programs in PostgreSQL. Nothing is deleted: a member or
// program ends, an organisation closes, and from that moment nobody acts for it.
package organisationdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/organisation"
)

// Operator changes organisations. The pool's role is tesdiq_operator.
type Operator struct {
	Pool    *pgxpool.Pool
	Now     func() time.Time
	Rand    io.Reader // of the programs' ids and secrets
	Preview bool      // do everything, and take it back
}

const sqlAdd = `
	INSERT INTO organisations (voen, name, sort, added_at)
	VALUES (@voen, @name, @sort, @added_at)
	RETURNING id, voen, name, sort, added_at, closed_at`

// Add adds an organisation. A VÖEN that is there is a Conflict, "organisation.exists", also when it is closed.
func (o Operator) Add(ctx context.Context, n organisation.Organisation) (organisation.Organisation, error) {
	if err := n.Validate().Err(); err != nil {
		return n, err
	}
	return write[organisation.Organisation](ctx, o, tesdiq.NewProblem(tesdiq.Conflict, "organisation.exists"), sqlAdd, pgx.NamedArgs{
		"voen": n.VOEN, "name": n.Name, "sort": n.Sort, "added_at": o.Now(),
	})
}

const sqlClose = `
	UPDATE organisations SET closed_at = @at
	WHERE voen = @voen AND closed_at IS NULL
	RETURNING id, voen, name, sort, added_at, closed_at`

// Close closes an organisation for good: its members and programs stop at once.
func (o Operator) Close(ctx context.Context, voen tesdiq.VOEN) (organisation.Organisation, error) {
	return write[organisation.Organisation](ctx, o, nil, sqlClose, pgx.NamedArgs{"voen": voen, "at": o.Now()})
}

// A closed organisation takes no new member or program.
const sqlAddMember = `
	INSERT INTO members (organisation_id, fin, name, role, added_at)
	SELECT id, @fin, @name, @role, @added_at
	FROM organisations
	WHERE voen = @voen AND closed_at IS NULL
	RETURNING id, organisation_id, fin, name, role, added_at, ended_at`

// AddMember adds a member to the open organisation with a VÖEN. Who is a member already is a Conflict,
// "organisation.member_exists": end his membership first, to give him another role.
func (o Operator) AddMember(ctx context.Context, voen tesdiq.VOEN, m organisation.Member) (organisation.Member, error) {
	if err := m.Validate().Err(); err != nil {
		return m, err
	}
	return write[organisation.Member](ctx, o, tesdiq.NewProblem(tesdiq.Conflict, "organisation.member_exists"), sqlAddMember, pgx.NamedArgs{
		"voen": voen, "fin": m.FIN, "name": m.Name, "role": m.Role, "added_at": o.Now(),
	})
}

const sqlEndMember = `
	UPDATE members SET ended_at = @at
	WHERE organisation_id = (SELECT id FROM organisations WHERE voen = @voen) AND fin = @fin AND ended_at IS NULL
	RETURNING id, organisation_id, fin, name, role, added_at, ended_at`

// EndMember ends a membership at once.
func (o Operator) EndMember(ctx context.Context, voen tesdiq.VOEN, fin tesdiq.FIN) (organisation.Member, error) {
	return write[organisation.Member](ctx, o, nil, sqlEndMember, pgx.NamedArgs{"voen": voen, "fin": fin, "at": o.Now()})
}

// A closed organisation takes no new duty.
const sqlAddDuty = `
	INSERT INTO organisation_duties (organisation_id, duty, added_at)
	SELECT id, @duty, @added_at
	FROM organisations
	WHERE voen = @voen AND closed_at IS NULL
	RETURNING id, organisation_id, duty, added_at, ended_at`

// AddDuty gives the open organisation with a VÖEN a duty. One that it has is a Conflict, "organisation.duty_exists".
func (o Operator) AddDuty(ctx context.Context, voen tesdiq.VOEN, d organisation.Duty) (organisation.Charge, error) {
	c := organisation.Charge{Duty: d}
	if err := c.Validate().Err(); err != nil {
		return c, err
	}
	return write[organisation.Charge](ctx, o, tesdiq.NewProblem(tesdiq.Conflict, "organisation.duty_exists"), sqlAddDuty, pgx.NamedArgs{
		"voen": voen, "duty": d, "added_at": o.Now(),
	})
}

const sqlEndDuty = `
	UPDATE organisation_duties SET ended_at = @at
	WHERE organisation_id = (SELECT id FROM organisations WHERE voen = @voen) AND duty = @duty AND ended_at IS NULL
	RETURNING id, organisation_id, duty, added_at, ended_at`

// EndDuty ends a duty at once.
func (o Operator) EndDuty(ctx context.Context, voen tesdiq.VOEN, d organisation.Duty) (organisation.Charge, error) {
	return write[organisation.Charge](ctx, o, nil, sqlEndDuty, pgx.NamedArgs{"voen": voen, "duty": d, "at": o.Now()})
}

const sqlAddClient = `
	INSERT INTO api_clients (id, organisation_id, name, secret_sha256, added_at)
	SELECT @id, id, @name, @secret_sha256, @added_at
	FROM organisations
	WHERE voen = @voen AND closed_at IS NULL
	RETURNING id, organisation_id, name, added_at, ended_at`

// AddClient adds a program to the open organisation with a VÖEN. Its secret is returned here and nowhere else.
func (o Operator) AddClient(ctx context.Context, voen tesdiq.VOEN, name string) (organisation.Client, organisation.Secret, error) {
	c := organisation.Client{Name: name}
	if err := c.Validate().Err(); err != nil {
		return c, "", err
	}
	id, err := tesdiq.RandomText(o.Rand, 12)
	if err != nil {
		return c, "", err
	}
	secret, err := organisation.NewSecret(o.Rand)
	if err != nil {
		return c, "", err
	}
	c, err = write[organisation.Client](ctx, o, tesdiq.NewProblem(tesdiq.Conflict, "organisation.client_exists"), sqlAddClient, pgx.NamedArgs{
		"voen": voen, "id": id, "name": name, "secret_sha256": secret.Hash(), "added_at": o.Now(),
	})
	if err != nil {
		return c, "", err
	}
	return c, secret, nil
}

const sqlEndClient = `
	UPDATE api_clients SET ended_at = @at
	WHERE id = @id AND ended_at IS NULL
	RETURNING id, organisation_id, name, added_at, ended_at`

// EndClient ends a program; its tokens stop within two seconds, for which the verifier remembers a token.
func (o Operator) EndClient(ctx context.Context, id string) (organisation.Client, error) {
	return write[organisation.Client](ctx, o, nil, sqlEndClient, pgx.NamedArgs{"id": id, "at": o.Now()})
}

const (
	sqlOrganisations = `
		SELECT id, voen, name, sort, added_at, closed_at
		FROM organisations
		WHERE @voen::text = '' OR voen = @voen
		ORDER BY name COLLATE "az-x-icu", id`
	sqlMembers = `
		SELECT m.id, m.organisation_id, m.fin, m.name, m.role, m.added_at, m.ended_at
		FROM members m JOIN organisations o ON o.id = m.organisation_id
		WHERE @voen::text = '' OR o.voen = @voen
		ORDER BY m.organisation_id, m.id`
	sqlClients = `
		SELECT k.id, k.organisation_id, k.name, k.added_at, k.ended_at
		FROM api_clients k JOIN organisations o ON o.id = k.organisation_id
		WHERE @voen::text = '' OR o.voen = @voen
		ORDER BY k.organisation_id, k.added_at, k.id`
	sqlDuties = `
		SELECT d.id, d.organisation_id, d.duty, d.added_at, d.ended_at
		FROM organisation_duties d JOIN organisations o ON o.id = d.organisation_id
		WHERE @voen::text = '' OR o.voen = @voen
		ORDER BY d.organisation_id, d.id`
)

// Listed is an organisation with all who ever acted for it.
type Listed struct {
	organisation.Organisation
	Members []organisation.Member
	Clients []organisation.Client
	Duties  []organisation.Charge
}

// List is all organisations, by name; only the one with a VÖEN, if that is not empty.
func (o Operator) List(ctx context.Context, voen tesdiq.VOEN) ([]Listed, error) {
	args := pgx.NamedArgs{"voen": voen}
	rows, _ := o.Pool.Query(ctx, sqlOrganisations, args) // the error comes out of Collect
	organisations, err := pgx.CollectRows(rows, pgx.RowToStructByName[organisation.Organisation])
	if err != nil {
		return nil, fmt.Errorf("organisationdb: list: %w", err)
	}
	rows, _ = o.Pool.Query(ctx, sqlMembers, args)
	members, err := pgx.CollectRows(rows, pgx.RowToStructByName[organisation.Member])
	if err != nil {
		return nil, fmt.Errorf("organisationdb: list members: %w", err)
	}
	rows, _ = o.Pool.Query(ctx, sqlClients, args)
	clients, err := pgx.CollectRows(rows, pgx.RowToStructByName[organisation.Client])
	if err != nil {
		return nil, fmt.Errorf("organisationdb: list clients: %w", err)
	}
	rows, _ = o.Pool.Query(ctx, sqlDuties, args)
	duties, err := pgx.CollectRows(rows, pgx.RowToStructByName[organisation.Charge])
	if err != nil {
		return nil, fmt.Errorf("organisationdb: list duties: %w", err)
	}
	listed := make([]Listed, len(organisations))
	place := make(map[int64]*Listed, len(organisations))
	for i, n := range organisations {
		listed[i].Organisation = n
		place[n.ID] = &listed[i]
	}
	for _, m := range members {
		if l, ok := place[m.Organisation]; ok {
			l.Members = append(l.Members, m)
		}
	}
	for _, c := range clients {
		if l, ok := place[c.Organisation]; ok {
			l.Clients = append(l.Clients, c)
		}
	}
	for _, d := range duties {
		if l, ok := place[d.Organisation]; ok {
			l.Duties = append(l.Duties, d)
		}
	}
	return listed, nil
}

// uniqueViolation is PostgreSQL's code for something that is there already.
const uniqueViolation = "23505"

// errPreview rolls a preview back.
var errPreview = errors.New("organisationdb: preview")

// write runs a statement that changes one row and returns it. No row is a Problem of kind NotFound,
// "organisation.unknown"; one too many the problem exists.
func write[T any](ctx context.Context, o Operator, exists *tesdiq.Problem, sql string, args pgx.NamedArgs) (T, error) {
	var row T
	err := pgx.BeginFunc(ctx, o.Pool, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, sql, args) // the error comes out of Collect
		if row, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T]); err != nil {
			return err
		}
		if o.Preview {
			return errPreview
		}
		return nil
	})
	var failed *pgconn.PgError
	switch {
	case err == nil, errors.Is(err, errPreview):
		return row, nil
	case errors.Is(err, pgx.ErrNoRows):
		return row, tesdiq.NewProblem(tesdiq.NotFound, "organisation.unknown")
	case errors.As(err, &failed) && failed.Code == uniqueViolation && exists != nil:
		return row, exists
	}
	return row, fmt.Errorf("organisationdb: write: %w", err)
}
