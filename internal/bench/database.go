package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/templates"
)

// database is a database with invented people in it, made for one measurement, and gone after it. Everything committed
// is on the disk: fsync is on.
type database struct {
	url   string
	pools []*pgxpool.Pool
	drop  func() error
	meter meter
}

// poolSize is how many connections each side has: as many as the service's verifier and cabinet (internal/postgres).
const poolSize = 24

func openDatabase(ctx context.Context, o Options) (*database, error) {
	if o.Database == "" {
		return privateDatabase(ctx, o)
	}
	word, err := tesdiq.RandomText(o.Rand, 12)
	if err != nil {
		return nil, err
	}
	name := "tesdiq_bench_" + word
	address, err := url.Parse(o.Database)
	if err != nil {
		return nil, errors.New("the database's address cannot be read") // it may hold a password
	}
	if err := postgres.EnsureDatabase(ctx, o.Database, name); err != nil {
		return nil, err
	}
	address.Path = "/" + name
	return fill(ctx, o, &database{url: address.String(), drop: func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		admin, err := pgx.Connect(ctx, o.Database)
		if err != nil {
			return err
		}
		defer admin.Close(ctx)
		_, err = admin.Exec(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize())
		return err
	}})
}

func privateDatabase(ctx context.Context, o Options) (*database, error) {
	dir, err := os.MkdirTemp("", "tesdiq-bench-")
	if err != nil {
		return nil, err
	}
	server, err := privatepg.Start(ctx, privatepg.Options{Dir: dir, Log: o.Log})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return fill(ctx, o, &database{url: server.URL(privatepg.Superuser, "postgres"), meter: meter{server.Pid()}, drop: func() error {
		return errors.Join(server.Stop(), os.RemoveAll(dir))
	}})
}

// fill makes tables, roles and people.
func fill(ctx context.Context, o Options, db *database) (*database, error) {
	err := postgres.Migrate(ctx, db.url)
	if err == nil {
		err = db.people(ctx, o)
	}
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

func (db *database) close() error {
	for _, p := range db.pools {
		p.Close()
	}
	if err := db.drop(); err != nil {
		return fmt.Errorf("the database is left behind: %w", err)
	}
	return nil
}

// pool opens connections that have a role's rights, whoever signs in. Both sides take theirs from here.
func (db *database) pool(ctx context.Context, role postgres.Role) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(db.url)
	if err != nil {
		return nil, errors.New("the database's address cannot be read")
	}
	config.MaxConns = poolSize
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan" // as internal/postgres has it
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "SET ROLE "+pgx.Identifier{string(role)}.Sanitize())
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	db.pools = append(db.pools, pool)
	return pool, nil
}

// admin runs statements as the owner of the server.
func (db *database) admin(ctx context.Context, do func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, db.url)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	return do(c)
}

func (db *database) people(ctx context.Context, o Options) error {
	pool, err := db.pool(ctx, postgres.Registry)
	if err != nil {
		return err
	}
	bar := progress(o.Progress, "inventing people", -1)
	defer bar.Close()
	const seed = 1
	_, err = registrydb.Load(ctx, pool, people.Generate(seed, o.People, tesdiq.DateOf(o.Now())), o.Rand, func(n int) { _ = bar.Set(n) })
	return err
}

// paper is an excerpt that a person may have drawn, and what it would state.
type paper struct {
	source    issuer.Source
	until     tesdiq.Date
	statement templates.Statement
}

const sqlEntries = `
	SELECT DISTINCT ON (e.book, e.subject) e.book, e.subject, e.number
	FROM entries e
	WHERE e.book = ANY (@books) AND e.act <> 'annul'
	  AND NOT EXISTS (SELECT FROM entries later WHERE later.book = e.book AND later.number = e.number AND later.version > e.version)
	ORDER BY e.book, e.subject, e.effective_on DESC, e.id DESC
	LIMIT @most`

// papers finds excerpts that can be drawn, of all kinds and in all languages.
func (db *database) papers(ctx context.Context, cabinet *issuerdb.Cabinet, most int) ([]paper, error) {
	var found []paper
	for _, k := range cabinet.Kinds {
		rows, _ := cabinet.Pool.Query(ctx, sqlEntries, pgx.NamedArgs{"books": []registry.Book{k.Book}, "most": most / len(cabinet.Kinds)})
		heads, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (h registry.Head, err error) {
			return h, r.Scan(&h.Book, &h.Subject, &h.Number)
		})
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			source, err := cabinet.Entry(ctx, h.Subject, k.Name, h.Number)
			if notNow(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			p, err := newPaper(source, tesdiq.Langs[len(found)%len(tesdiq.Langs)], cabinet.Now())
			if notNow(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("there is nothing that an excerpt could be drawn from: more people are needed")
	}
	return found, nil
}

// notNow says whether an entry is one of those from which nothing can be drawn: superseded, or its term is over.
func notNow(err error) bool {
	var p *tesdiq.Problem
	return errors.As(err, &p)
}

func newPaper(source issuer.Source, lang tesdiq.Lang, now time.Time) (paper, error) {
	until, err := validity.Until(now, source.Until())
	if err != nil {
		return paper{}, err
	}
	statement, err := source.Kind.State(source.Kind.Current, source.Entry.Body, source.Person.Person, templates.Options{
		Lang: lang, AsOf: now, ValidUntil: until, Recipient: recipient, Purpose: purpose,
	})
	return paper{source, until, statement}, err
}

// What everybody asks for.
const (
	validity  = issuer.Days30
	recipient = "“Nümunə Bank” ASC"
	purpose   = "kredit müqaviləsi"
)
