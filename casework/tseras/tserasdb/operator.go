package tserasdb

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
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/ledger/ledgerdb"
)

// Operator keeps the list of commissions, their members and the medical institutions. Nothing is deleted: a member ends,
// a commission closes, and from that moment is not drawn; cases that they have go on.
type Operator struct {
	Pool    *pgxpool.Pool // as tesdiq_operator
	Now     func() time.Time
	Rand    io.Reader // of the ledger lines' keys
	Preview bool      // do everything, and take it back
}

var errPreview = errors.New("tserasdb: preview")

const sqlListChange = `
	INSERT INTO list_changes (list, act, content)
	VALUES (@list, @act, @content)
	RETURNING id, written_at`

// write runs a statement that changes one row of a list and returns what into takes, and the row as JSON; it writes the change down with its
// ledger line, and takes all back in a preview.
func (o Operator) write(ctx context.Context, list tseras.List, act tseras.ListAct, sql string, args pgx.NamedArgs, exists *tesdiq.Problem, into ...any) error {
	err := pgx.BeginFunc(ctx, o.Pool, func(tx pgx.Tx) error {
		change := tseras.ListChange{List: list, Act: act}
		if err := tx.QueryRow(ctx, sql, args).Scan(append(into, &change.Content)...); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, sqlListChange, pgx.NamedArgs{"list": list, "act": act, "content": change.Content}).Scan(&change.ID, &change.Written); err != nil {
			return err
		}
		line, err := ledger.NewLine(o.Rand, ledger.List, change.Object(), change.Canonical())
		if err != nil {
			return err
		}
		if err := ledgerdb.Append(ctx, tx, line); err != nil {
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
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return tesdiq.NewProblem(tesdiq.NotFound, "tseras.commission.unknown")
	case errors.As(err, &failed) && failed.Code == uniqueViolation:
		return exists
	}
	return fmt.Errorf("tserasdb: operator: %w", err)
}

const sqlAddCommission = `
	INSERT INTO commissions (id, name, districts, added_at)
	VALUES (@id, @name, @districts, @now)
	RETURNING id, (to_jsonb(commissions) - 'closed_at')::text`

// Add adds a commission. A number that is there is a Conflict, "tseras.commission.exists", also when it is closed.
func (o Operator) Add(ctx context.Context, c tseras.Commission) error {
	if err := c.Validate().Err(); err != nil {
		return err
	}
	return o.write(ctx, tseras.ListCommission, tseras.ListAdded, sqlAddCommission, pgx.NamedArgs{"id": c.ID, "name": c.Name, "districts": c.Districts, "now": o.Now()},
		tesdiq.NewProblem(tesdiq.Conflict, "tseras.commission.exists").In("id"), &c.ID)
}

const sqlCloseCommission = `
	UPDATE commissions SET closed_at = @now
	WHERE id = @id AND closed_at IS NULL
	RETURNING id, to_jsonb(commissions)::text`

// Close closes a commission for good.
func (o Operator) Close(ctx context.Context, id string) error {
	return o.write(ctx, tseras.ListCommission, tseras.ListEnded, sqlCloseCommission, pgx.NamedArgs{"id": id, "now": o.Now()}, nil, &id)
}

// A member's number is the commission's and the next of those that it ever had.
const sqlAddMember = `
	INSERT INTO commission_members (id, commission_id, fin, name, chair, added_at)
	SELECT k.id || '-' || 1 + (SELECT count(*) FROM commission_members m WHERE m.commission_id = k.id), k.id, @fin, @name, @chair, @now
	FROM commissions k
	WHERE k.id = @commission AND k.closed_at IS NULL
	RETURNING id, (to_jsonb(commission_members) - 'ended_at')::text`

// AddMember adds a member to an open commission. Who sits in one already is a Conflict, "tseras.member.exists": nobody sits
// in two.
func (o Operator) AddMember(ctx context.Context, commission string, fin tesdiq.FIN, name string, chair bool) (id tseras.MemberID, err error) {
	var ps tesdiq.Problems
	ps.Add("name", tesdiq.CheckText(name, tseras.MaxMemberName, true))
	if err := ps.Err(); err != nil {
		return "", err
	}
	err = o.write(ctx, tseras.ListMember, tseras.ListAdded, sqlAddMember, pgx.NamedArgs{"commission": commission, "fin": fin, "name": name, "chair": chair, "now": o.Now()},
		tesdiq.NewProblem(tesdiq.Conflict, "tseras.member.exists").In("fin"), &id)
	return id, err
}

const sqlEndMember = `
	UPDATE commission_members SET ended_at = @now
	WHERE id = @id AND ended_at IS NULL
	RETURNING id, to_jsonb(commission_members)::text`

// EndMember ends a membership at once.
func (o Operator) EndMember(ctx context.Context, id tseras.MemberID) error {
	return o.write(ctx, tseras.ListMember, tseras.ListEnded, sqlEndMember, pgx.NamedArgs{"id": id, "now": o.Now()}, nil, &id)
}

const sqlAddInstitution = `
	INSERT INTO medical_institutions (organisation_id, district)
	SELECT id, @district
	FROM organisations
	WHERE voen = @voen AND sort = 'medical' AND closed_at IS NULL
	RETURNING organisation_id, (to_jsonb(medical_institutions) - 'code')::text`

// AddInstitution says in which district a medical organisation works, without which it cannot refer.
func (o Operator) AddInstitution(ctx context.Context, voen tesdiq.VOEN, district tseras.District) (id int64, err error) {
	if err := district.Validate(); err != nil {
		return 0, err
	}
	err = o.write(ctx, tseras.ListInstitution, tseras.ListAdded, sqlAddInstitution, pgx.NamedArgs{"voen": voen, "district": district},
		tesdiq.NewProblem(tesdiq.Conflict, "tseras.institution.exists").In("voen"), &id)
	return id, err
}

const sqlCodeInstitution = `
	UPDATE medical_institutions m SET code = @code
	FROM organisations o
	WHERE o.id = m.organisation_id AND o.voen = @voen AND o.closed_at IS NULL
	RETURNING m.organisation_id, to_jsonb(m)::text`

// CodeInstitution says by which code the register of who is registered where names an institution that can refer; without one,
// nobody is led to it. A code that another has is a Conflict, "tseras.institution.exists".
func (o Operator) CodeInstitution(ctx context.Context, voen tesdiq.VOEN, code tseras.InstitutionCode) (id int64, err error) {
	err = o.write(ctx, tseras.ListInstitution, tseras.ListCoded, sqlCodeInstitution, pgx.NamedArgs{"voen": voen, "code": code},
		tesdiq.NewProblem(tesdiq.Conflict, "tseras.institution.exists").In("code"), &id)
	return id, err
}

const sqlListCommissions = `
	SELECT k.id, k.name, k.districts, k.added_at, k.closed_at, m.id, m.fin, m.name, m.chair, m.added_at, m.ended_at
	FROM commissions k
	LEFT JOIN commission_members m ON m.commission_id = k.id
	ORDER BY k.id, m.id`

// Listed is a commission with all members that it ever had.
type Listed struct {
	ID, Name  string
	Districts []string
	Added     time.Time
	Closed    *time.Time
	Members   []ListedMember
}

// ListedMember is one of them.
type ListedMember struct {
	ID    tseras.MemberID
	FIN   tesdiq.FIN
	Name  string
	Chair bool
	Added time.Time
	Ended *time.Time
}

// List lists all commissions.
func (o Operator) List(ctx context.Context) ([]Listed, error) {
	rows, _ := o.Pool.Query(ctx, sqlListCommissions) // the error comes out of ForEachRow
	var all []Listed
	var k Listed
	var id, fin, name *string
	var chair *bool
	var added, ended *time.Time
	_, err := pgx.ForEachRow(rows, []any{&k.ID, &k.Name, &k.Districts, &k.Added, &k.Closed, &id, &fin, &name, &chair, &added, &ended}, func() error {
		if len(all) == 0 || all[len(all)-1].ID != k.ID {
			all = append(all, k)
		}
		if id != nil {
			last := &all[len(all)-1]
			last.Members = append(last.Members, ListedMember{tseras.MemberID(*id), tesdiq.FIN(*fin), *name, *chair, *added, ended})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tserasdb: commissions: %w", err)
	}
	return all, nil
}

const sqlListChanges = `
	SELECT id, list, act, content::text, written_at
	FROM list_changes
	ORDER BY id`

// Changes are all changes of the lists, the oldest first.
func (o Operator) Changes(ctx context.Context) ([]tseras.ListChange, error) {
	rows, _ := o.Pool.Query(ctx, sqlListChanges) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tseras.ListChange])
	if err != nil {
		return nil, fmt.Errorf("tserasdb: changes of lists: %w", err)
	}
	return all, nil
}
