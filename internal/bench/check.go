package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/throttle"
	"github.com/tesdiq/tesdiq/verifier/verifierdb"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
	"github.com/tesdiq/tesdiq/web"
)

// maxExcerpts is how many excerpts are checked, at random.
const maxExcerpts = 5000

// perProgram is how many clients share one program's token, so that no program asks more than it may.
const perProgram = 50

// check measures checks by code over HTTP with a program's token, each recorded durably with its ledger line and
// message, beside a handler that only runs the same statements, and beside the statements alone.
func check(ctx context.Context, o Options) (_ Result, err error) {
	db, err := openDatabase(ctx, o)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	codes, err := db.excerpts(ctx, o)
	if err != nil {
		return Result{}, err
	}
	bank, programs, err := db.bank(ctx, o)
	if err != nil {
		return Result{}, err
	}
	service, tokens, err := db.verifier(ctx, o, programs)
	if err != nil {
		return Result{}, err
	}
	ours, err := newAsker(service, "/api/v1/checks", tokens, codes)
	if err != nil {
		return Result{}, err
	}
	defer ours.close()
	handler, err := newBare(ctx, o, db, bank, programs[0].id)
	if err != nil {
		return Result{}, err
	}
	bare, err := newAsker(handler, "/", tokens, codes)
	if err != nil {
		return Result{}, err
	}
	defer bare.close()
	statements, err := newPgbench(ctx, o, db, bank, programs[0].id, codes)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, statements.close()) }()
	a, b, err := compare(ctx, o, db.meter, side{"ours", ours.ask}, side{"baseline", bare.ask}, statements.run)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Ours: a.rate(), ours: "POST /api/v1/checks by code, recorded with ledger line and message before it is answered",
		Baseline: "bare net/http and pgx handler, the same statements", BaselineRate: b.rate(), Pgbench: statements.rate(),
		P50: a.at(0.5), P99: a.at(0.99),
		more: append(cost(a, b), [2]string{"", "ours writes checks that come together in one statement, the others each by itself"}),
	}, nil
}

const sqlIssued = `
	WITH asked AS (
		INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose,
		                     with_salary, valid_until, asked_at)
		VALUES (@number, @code, @number, @kind, @template, @lang, @subject, @entry, @person, @recipient, @purpose, false, @until, @at)
		RETURNING id)
	INSERT INTO excerpts (id, code, number, kind, lang, subject, entry_id, statement, valid_until, issued_at)
	SELECT asked.id, @code, @number, @kind, @lang, @subject, @entry, @statement::jsonb, @until, @at FROM asked`

// excerpts writes excerpts past the issuer: their files are not looked at here.
func (db *database) excerpts(ctx context.Context, o Options) (codes []tesdiq.Code, err error) {
	cabinet, err := db.cabinet(ctx, o)
	if err != nil {
		return nil, err
	}
	papers, err := db.papers(ctx, cabinet, maxPapers)
	if err != nil {
		return nil, err
	}
	bar := progress(o.Progress, "writing excerpts", maxExcerpts)
	defer bar.Close()
	err = db.admin(ctx, func(c *pgx.Conn) error {
		for len(codes) < maxExcerpts {
			var batch pgx.Batch
			for range 500 {
				p := papers[len(codes)%len(papers)]
				code, err := tesdiq.NewCode(o.Rand)
				if err != nil {
					return err
				}
				statement, err := json.Marshal(p.statement)
				if err != nil {
					return err
				}
				codes = append(codes, code)
				batch.Queue(sqlIssued, pgx.NamedArgs{
					"code": string(code), "number": fmt.Sprintf("E-2026-%07d", len(codes)), "kind": p.source.Kind.Name,
					"template": p.source.Kind.Current, "lang": p.statement.Lang, "subject": p.source.Entry.Head.Subject,
					"entry": p.source.Entry.Head.ID, "person": p.source.Person.Head.ID, "recipient": recipient, "purpose": purpose,
					"until": p.until, "at": o.Now(), "statement": string(statement),
				})
			}
			if err := c.SendBatch(ctx, &batch).Close(); err != nil {
				return fmt.Errorf("excerpts: %w", err)
			}
			_ = bar.Set(len(codes)) // what cannot be shown is not measured
		}
		_, err := c.Exec(ctx, "ANALYZE")
		return err
	})
	return codes, err
}

// program is a bank's program that may ask.
type program struct{ id, secret string }

const sqlBank = `
	INSERT INTO organisations (voen, name, sort, added_at)
	VALUES ('1234567890', 'Nümunə Bank', 'bank', @at)
	RETURNING id`

const sqlProgram = `
	INSERT INTO api_clients (id, organisation_id, name, secret_sha256, added_at)
	VALUES (@id, @bank, @id, @secret, @at)`

func (db *database) bank(ctx context.Context, o Options) (bank int64, programs []program, err error) {
	err = db.admin(ctx, func(c *pgx.Conn) error {
		if err := c.QueryRow(ctx, sqlBank, pgx.NamedArgs{"at": o.Now()}).Scan(&bank); err != nil {
			return err
		}
		for n := 0; n*perProgram < o.Clients; n++ {
			secret, err := tesdiq.RandomText(o.Rand, 32)
			if err != nil {
				return err
			}
			sum := sha256.Sum256([]byte(secret))
			p := program{fmt.Sprintf("bench-%d", n), secret}
			if _, err := c.Exec(ctx, sqlProgram, pgx.NamedArgs{"id": p.id, "bank": bank, "secret": sum[:], "at": o.Now()}); err != nil {
				return err
			}
			programs = append(programs, p)
		}
		return nil
	})
	return bank, programs, err
}

// verifier is the checking side as the service has it, and the programs' tokens.
func (db *database) verifier(ctx context.Context, o Options, programs []program) (http.Handler, []string, error) {
	pool, err := db.pool(ctx, postgres.Verifier)
	if err != nil {
		return nil, nil, err
	}
	// The log is written as ever, and thrown away.
	shell, err := web.New(web.Config{
		Sessions: memstore.New(), Log: slog.New(slog.NewJSONHandler(io.Discard, nil)), Now: o.Now, Rand: o.Rand,
	})
	if err != nil {
		return nil, nil, err
	}
	store := &verifierdb.DB{Pool: pool}
	th := throttle.New(throttle.Default, nil)
	door := &verifier.Door{Clients: store, Throttle: th, Now: o.Now, Rand: o.Rand}
	pages, err := verifierweb.New(verifierweb.Config{
		Shell: shell, Verifier: &verifier.Verifier{Excerpts: store, Checks: store, Throttle: th, Now: o.Now, Rand: o.Rand},
		Door: door, Made: store, Seen: &verifierdb.Cabinet{Pool: pool}, KindTitle: func(_ tesdiq.Lang, kind string) string { return kind }, Address: origin, Now: o.Now,
	})
	if err != nil {
		return nil, nil, err
	}
	var tokens []string
	for _, p := range programs {
		token, err := door.Enter(ctx, p.id, p.secret, "bench")
		if err != nil {
			return nil, nil, err
		}
		tokens = append(tokens, token)
	}
	return shell.Router(pages.Routes), tokens, nil
}

// asker asks a handler over HTTP on this machine: one connection a client, kept open, and as little work as possible, so
// that what is measured is the other end. It is the same for both sides.
type asker struct {
	server *http.Server
	host   string
	path   string
	tokens []string
	codes  []tesdiq.Code
	lines  chan *line
}

type line struct {
	conn net.Conn
	in   *bufio.Reader
}

func newAsker(h http.Handler, path string, tokens []string, codes []tesdiq.Code) (*asker, error) {
	server, url, err := serve(h)
	if err != nil {
		return nil, err
	}
	return &asker{server: server, host: strings.TrimPrefix(url, "http://"), path: path, tokens: tokens, codes: codes, lines: make(chan *line, 10_000)}, nil
}

func (a *asker) close() { a.server.Close() }

// ask checks one code, and sees that the answer is the right one.
func (a *asker) ask(ctx context.Context, client int) error {
	var l *line
	select {
	case l = <-a.lines:
	default:
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.host)
		if err != nil {
			return err
		}
		l = &line{conn, bufio.NewReader(conn)}
	}
	body := `{"code":"` + a.codes[rand.IntN(len(a.codes))].String() + `","purpose":"credit"}`
	var request bytes.Buffer
	fmt.Fprintf(&request, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		a.path, a.host, a.tokens[client/perProgram%len(a.tokens)], len(body), body)
	if err := l.conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	if _, err := l.conn.Write(request.Bytes()); err != nil {
		return err
	}
	answer, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || !bytes.Contains(said, []byte(`"verdict":"valid"`)) {
		return fmt.Errorf("answer %d: %.300s", answer.StatusCode, said)
	}
	a.lines <- l
	return nil
}
