package issuerdb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// All that asking must know first, for many in one journey: the entry, whom it is about as registered now, the number
// that the same request already got, and how many others the person asked for within a day.
const sqlEntriesByNumber = `
	SELECT a.nr - 1 AS nr, f.*
	FROM unnest(@books::text[], @numbers::text[], @subjects::text[], @requests::text[]) WITH ORDINALITY AS a (book, number, subject, request, nr)
	CROSS JOIN LATERAL (
		SELECT e.id, e.book,
		       (SELECT p.id FROM entries p
		        WHERE p.book = 'person' AND p.number = e.subject AND p.act <> 'annul'
		          AND NOT EXISTS (SELECT FROM entries v WHERE v.book = p.book AND v.number = p.number AND v.version > p.version)) AS person,
		       (SELECT i.number FROM intents i WHERE i.subject = e.subject AND i.request = a.request) AS asked,
		       CASE WHEN @limited::boolean THEN (SELECT count(*) FROM intents i WHERE i.subject = e.subject AND i.asked_at > @since) ELSE 0 END AS lately, ` + standing + `
		FROM entries e
		WHERE e.book = a.book AND e.number = a.number AND e.subject = a.subject
		ORDER BY e.version DESC
		LIMIT 1) f`

const sqlHolding = `
	SELECT e.number
	FROM entries e
	WHERE e.book = @book AND e.chain = (SELECT o.chain FROM entries o WHERE o.id = @id) AND e.act <> 'annul'
	  AND NOT EXISTS (SELECT FROM entries v WHERE v.book = e.book AND v.number = e.number AND v.version > e.version)
	ORDER BY e.effective_on DESC, (SELECT f.id FROM entries f WHERE f.book = e.book AND f.number = e.number AND f.version = 1) DESC
	LIMIT 1`

type entryRow struct {
	Nr     int               `db:"nr"`
	ID     registry.EntryID  `db:"id"`
	Book   registry.Book     `db:"book"`
	Person *registry.EntryID `db:"person"`
	Asked  *issuer.Number    `db:"asked"`
	Lately int               `db:"lately"`
	issuer.Standing
}

// found is as much of a Source as asking needs; or the number that the same request got before; or why there is none.
type found struct {
	entry  registry.Version
	person registry.EntryID
	asked  issuer.Number
	lately int // excerpts that the person asked for within a day, if there is a limit
	err    error
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Entry finds what an excerpt of the kind about the person's object with this number would state, and who it is about.
// An object that is not there, or is somebody else's, is a Problem of kind NotFound. One that holds no longer is a
// Conflict: "excerpt.entry_annulled", or "excerpt.entry_superseded" with the Number of the one that holds.
func (c *Cabinet) Entry(ctx context.Context, fin tesdiq.FIN, kind, number string) (issuer.Source, error) {
	k, err := c.Kinds.Kind(kind)
	if err != nil {
		return issuer.Source{}, err
	}
	all, err := c.find(ctx, c.Pool, []want{{fin: fin, kind: k, number: number}})
	if err != nil {
		return issuer.Source{}, err
	}
	f := all[0]
	if f.err != nil {
		return issuer.Source{}, f.err
	}
	v, err := registrydb.Reader{Pool: c.Pool}.Version(ctx, registry.Head{ID: f.person, Book: registry.Persons})
	if err != nil {
		return issuer.Source{}, fmt.Errorf("issuerdb: person: %w", err)
	}
	p, ok := v.Body.(person.Person)
	if !ok {
		return issuer.Source{}, fmt.Errorf("issuerdb: entry %d is no person", f.person)
	}
	return issuer.Source{Kind: k, Entry: f.entry, Person: person.Entry{Head: v.Head, Person: p}}, nil
}

// find looks for what each wants, in their order.
func (c *Cabinet) find(ctx context.Context, q querier, wants []want) ([]found, error) {
	all := make([]found, len(wants))
	books, numbers, subjects, requests := make([]string, len(wants)), make([]string, len(wants)), make([]string, len(wants)), make([]string, len(wants))
	for i, w := range wants {
		all[i].err = tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown") // until a row says otherwise
		if registry.CheckNumber(w.kind.Book, w.number) == nil {          // the database would not even take some of what a form can send
			books[i], numbers[i], subjects[i], requests[i] = string(w.kind.Book), w.number, string(w.fin), w.identity
		}
	}
	rows, _ := q.Query(ctx, sqlEntriesByNumber, pgx.NamedArgs{"books": books, "numbers": numbers, "subjects": subjects, "requests": requests,
		"limited": c.PerDay > 0, "since": issuer.Moment(c.Now().Add(-24 * time.Hour))})
	entries, err := pgx.CollectRows(rows, pgx.RowToStructByName[entryRow])
	if err != nil {
		return nil, fmt.Errorf("issuerdb: entry: %w", err)
	}
	var heads []registry.Head
	for _, e := range entries {
		f := &all[e.Nr]
		f.err = nil
		switch {
		case e.Asked != nil:
			f.asked = *e.Asked
		case e.Annulled:
			f.err = issuer.ErrAnnulled
		case e.Newer:
			var holding string
			if err := q.QueryRow(ctx, sqlHolding, pgx.NamedArgs{"book": e.Book, "id": e.ID}).Scan(&holding); err != nil {
				return nil, fmt.Errorf("issuerdb: holding entry: %w", err)
			}
			f.err = issuer.ErrSuperseded.With("Number", holding)
		case e.Person == nil:
			f.err = fmt.Errorf("issuerdb: entry %d is about nobody in the book of persons", e.ID)
		default:
			f.person, f.lately = *e.Person, e.Lately
			heads = append(heads, registry.Head{ID: e.ID, Book: e.Book})
		}
	}
	versions, err := registrydb.Reader{Pool: q}.Versions(ctx, heads...)
	if err != nil {
		return nil, fmt.Errorf("issuerdb: entry: %w", err)
	}
	for _, e := range entries {
		if f := &all[e.Nr]; f.person != 0 {
			f.entry = versions[e.ID]
		}
	}
	return all, nil
}
