// Package registrydb keeps the books of record in PostgreSQL: it reads entries and their versions, writes changes
// together with their ledger line and message, and loads many at once. It decides nothing: the rules are in registry.
package registrydb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

// Querier is a pool or a transaction of a role that may read the books: tesdiq_registry, tesdiq_issuer, tesdiq_cabinet,
// tesdiq_operator.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Reader reads the books. What is not there, is somebody else's or is annulled is a Problem of kind NotFound,
// "entry.unknown", unless a method says otherwise.
type Reader struct {
	Pool Querier
}

const columnsHead = `e.id, e.book, e.number, e.version, e.act, e.subject, e.chain, e.effective_on, e.entered_at, e.entered_by, e.reason`

// onlyLatest keeps the latest version of each object, unless its act annulled it.
const onlyLatest = `
	AND e.act <> 'annul'
	AND NOT EXISTS (SELECT FROM entries later WHERE later.book = e.book AND later.number = e.number AND later.version > e.version)`

const columnsPerson = `SELECT ` + columnsHead + `,
	       p.fin, p.surname, p.given, p.father, p.sex, p.born, p.document
	FROM entries e JOIN persons p ON p.entry_id = e.id`

const sqlPerson = columnsPerson + `
	WHERE e.book = 'person' AND e.number = @fin` + onlyLatest

// Person is the current version of a person.
func (r Reader) Person(ctx context.Context, fin tesdiq.FIN) (person.Entry, error) {
	return one(ctx, r.Pool, scanPerson, sqlPerson, pgx.NamedArgs{"fin": fin})
}

const sqlPeople = columnsPerson + `
	WHERE e.book = 'person' AND e.number = ANY (@fins)` + onlyLatest

// People are the current versions of persons; who is not there or annulled is left out.
func (r Reader) People(ctx context.Context, fins ...tesdiq.FIN) (map[tesdiq.FIN]person.Entry, error) {
	es, err := some(ctx, r.Pool, scanPerson, sqlPeople, pgx.NamedArgs{"fins": fins})
	people := make(map[tesdiq.FIN]person.Entry, len(es))
	for _, e := range es {
		people[e.FIN] = e
	}
	return people, err
}

const sqlPersonVersions = columnsPerson + `
	WHERE e.book = 'person' AND e.number = @fin
	ORDER BY e.version`

// PersonVersions are all versions of a person, the oldest first, annulled or not.
func (r Reader) PersonVersions(ctx context.Context, fin tesdiq.FIN) ([]person.Entry, error) {
	return some(ctx, r.Pool, scanPerson, sqlPersonVersions, pgx.NamedArgs{"fin": fin})
}

const columnsExamination = `SELECT ` + columnsHead + `,
	       x.commission, x.examined_on, x.repeat, x.outcome, x.loss, x.degree, x.old_group, x.cause, x.from_day, x.until_day, x.next_from
	FROM entries e JOIN examinations x ON x.entry_id = e.id`

const sqlExaminationByNumber = columnsExamination + `
	WHERE e.book = 'examination' AND e.number = @number AND e.subject = @fin` + onlyLatest

// ExaminationByNumber is the current version of a person's examination.
func (r Reader) ExaminationByNumber(ctx context.Context, fin tesdiq.FIN, number string) (examination.Entry, error) {
	return one(ctx, r.Pool, scanExamination, sqlExaminationByNumber, pgx.NamedArgs{"fin": fin, "number": number})
}

const sqlExaminations = columnsExamination + `
	WHERE e.book = 'examination' AND e.subject = ANY (@fins)` + onlyLatest + `
	ORDER BY e.effective_on DESC, (SELECT f.id FROM entries f WHERE f.book = e.book AND f.number = e.number AND f.version = 1) DESC`

// Examinations are the current versions of a person's examinations, the newest first: the first one holds.
func (r Reader) Examinations(ctx context.Context, fin tesdiq.FIN) ([]examination.Entry, error) {
	return r.ExaminationsOf(ctx, fin)
}

// ExaminationsOf are the current versions of the examinations of several people, the newest first: of each person the first one holds.
func (r Reader) ExaminationsOf(ctx context.Context, fins ...tesdiq.FIN) ([]examination.Entry, error) {
	return some(ctx, r.Pool, scanExamination, sqlExaminations, pgx.NamedArgs{"fins": fins})
}

const sqlExaminationVersions = columnsExamination + `
	WHERE e.book = 'examination' AND e.number = @number AND e.subject = @fin
	ORDER BY e.version`

// ExaminationVersions are all versions of a person's examination, the oldest first, annulled or not.
func (r Reader) ExaminationVersions(ctx context.Context, fin tesdiq.FIN, number string) ([]examination.Entry, error) {
	return some(ctx, r.Pool, scanExamination, sqlExaminationVersions, pgx.NamedArgs{"fin": fin, "number": number})
}

const columnsContract = `SELECT ` + columnsHead + `,
	       k.employer, k.employer_voen, k.workplace, k.position, k.main, k.part_time, k.salary, k.concluded,
	       k.from_day, k.until_day, k.state, k.terminated, k.ground
	FROM entries e JOIN contracts k ON k.entry_id = e.id`

const sqlContractByNumber = columnsContract + `
	WHERE e.book = 'contract' AND e.number = @number AND e.subject = @fin` + onlyLatest

// ContractByNumber is the current version of a person's contract.
func (r Reader) ContractByNumber(ctx context.Context, fin tesdiq.FIN, number string) (contract.Entry, error) {
	return one(ctx, r.Pool, scanContract, sqlContractByNumber, pgx.NamedArgs{"fin": fin, "number": number})
}

const sqlContracts = columnsContract + `
	WHERE e.book = 'contract' AND e.subject = @fin` + onlyLatest + `
	ORDER BY k.state, k.main DESC, k.from_day DESC, e.id DESC`

// Contracts are the current versions of a person's contracts: active ones first, of those the main one, then the newest.
func (r Reader) Contracts(ctx context.Context, fin tesdiq.FIN) ([]contract.Entry, error) {
	return some(ctx, r.Pool, scanContract, sqlContracts, pgx.NamedArgs{"fin": fin})
}

const sqlContractVersions = columnsContract + `
	WHERE e.book = 'contract' AND e.number = @number AND e.subject = @fin
	ORDER BY e.version`

// ContractVersions are all versions of a person's contract, the oldest first, annulled or not.
func (r Reader) ContractVersions(ctx context.Context, fin tesdiq.FIN, number string) ([]contract.Entry, error) {
	return some(ctx, r.Pool, scanContract, sqlContractVersions, pgx.NamedArgs{"fin": fin, "number": number})
}

const sqlChain = `
	SELECT ` + columnsHead + `
	FROM entries e
	WHERE e.book = @book AND e.chain = @chain
	ORDER BY e.id`

// Chain are the heads of all entries of a chain, the oldest first; see registry.StandingOf.
func (r Reader) Chain(ctx context.Context, book registry.Book, chain string) ([]registry.Head, error) {
	return some(ctx, r.Pool, func(row pgx.CollectableRow) (h registry.Head, err error) {
		return h, row.Scan(head(&h)...)
	}, sqlChain, pgx.NamedArgs{"book": book, "chain": chain})
}

const sqlSubject = `
	SELECT ` + columnsHead + `
	FROM entries e
	WHERE e.subject = @fin
	ORDER BY e.id`

// Subject are the heads of all entries about a person in all books, the oldest first; see registry.AsOf.
func (r Reader) Subject(ctx context.Context, fin tesdiq.FIN) ([]registry.Head, error) {
	return some(ctx, r.Pool, func(row pgx.CollectableRow) (h registry.Head, err error) {
		return h, row.Scan(head(&h)...)
	}, sqlSubject, pgx.NamedArgs{"fin": fin})
}

// Version reads what an entry says, whatever its book.
func (r Reader) Version(ctx context.Context, h registry.Head) (registry.Version, error) {
	vs, err := r.Versions(ctx, h)
	if err != nil {
		return registry.Version{}, err
	}
	v, ok := vs[h.ID]
	if !ok {
		return v, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")
	}
	return v, nil
}

const (
	sqlPersonsByID      = columnsPerson + ` WHERE e.id = ANY(@ids)`
	sqlExaminationsByID = columnsExamination + ` WHERE e.id = ANY(@ids)`
	sqlContractsByID    = columnsContract + ` WHERE e.id = ANY(@ids)`
)

// Versions reads what entries say, one statement for each book that is among them. What is not there is left out.
func (r Reader) Versions(ctx context.Context, heads ...registry.Head) (map[registry.EntryID]registry.Version, error) {
	ids := map[registry.Book][]registry.EntryID{}
	for _, h := range heads {
		ids[h.Book] = append(ids[h.Book], h.ID)
	}
	found := make(map[registry.EntryID]registry.Version, len(heads))
	for book, ids := range ids {
		var err error
		switch args := (pgx.NamedArgs{"ids": ids}); book {
		case registry.Persons:
			var es []person.Entry
			es, err = some(ctx, r.Pool, scanPerson, sqlPersonsByID, args)
			for _, e := range es {
				found[e.Head.ID] = registry.Version{Head: e.Head, Body: e.Person}
			}
		case registry.Examinations:
			var es []examination.Entry
			es, err = some(ctx, r.Pool, scanExamination, sqlExaminationsByID, args)
			for _, e := range es {
				found[e.Head.ID] = registry.Version{Head: e.Head, Body: e.Examination}
			}
		case registry.Contracts:
			var es []contract.Entry
			es, err = some(ctx, r.Pool, scanContract, sqlContractsByID, args)
			for _, e := range es {
				found[e.Head.ID] = registry.Version{Head: e.Head, Body: e.Contract}
			}
		default:
			err = fmt.Errorf("registrydb: no book %q", book)
		}
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

func head(h *registry.Head) []any {
	return []any{&h.ID, &h.Book, &h.Number, &h.Version, &h.Act, &h.Subject, &h.Chain, &h.EffectiveOn, &h.EnteredAt, &h.EnteredBy, &h.Reason}
}

func scanPerson(row pgx.CollectableRow) (e person.Entry, err error) {
	p := &e.Person
	return e, row.Scan(append(head(&e.Head), &p.FIN, &p.Name.Surname, &p.Name.Given, &p.Name.Father, &p.Sex, &p.Born, &p.Document)...)
}

func scanExamination(row pgx.CollectableRow) (e examination.Entry, err error) {
	x := &e.Examination
	err = row.Scan(append(head(&e.Head), &x.Commission, &x.ExaminedOn, &x.Repeat, &x.Outcome, &x.Loss, &x.Degree, &x.Group,
		&x.Cause, &x.From, &x.Until, &x.NextFrom)...)
	x.Number, x.Subject = e.Head.Number, e.Head.Subject
	return e, err
}

func scanContract(row pgx.CollectableRow) (e contract.Entry, err error) {
	k := &e.Contract
	err = row.Scan(append(head(&e.Head), &k.Employer, &k.EmployerVOEN, &k.Workplace, &k.Position, &k.Main, &k.PartTime, &k.Salary,
		&k.Concluded, &k.From, &k.Until, &k.State, &k.Terminated, &k.Ground)...)
	k.Number, k.Subject, k.EffectiveOn = e.Head.Number, e.Head.Subject, e.Head.EffectiveOn
	return e, err
}

func one[E any](ctx context.Context, q Querier, scan pgx.RowToFunc[E], sql string, args pgx.NamedArgs) (E, error) {
	rows, _ := q.Query(ctx, sql, args) // the error comes out of Collect
	e, err := pgx.CollectExactlyOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return e, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")
	}
	if err != nil {
		return e, fmt.Errorf("registrydb: read: %w", err)
	}
	return e, nil
}

func some[E any](ctx context.Context, q Querier, scan pgx.RowToFunc[E], sql string, args pgx.NamedArgs) ([]E, error) {
	rows, _ := q.Query(ctx, sql, args) // the error comes out of Collect
	es, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("registrydb: read: %w", err)
	}
	return es, nil
}
