package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
	"github.com/tesdiq/tesdiq/verifier/verifierdb"
)

// bare answers a check by code with the service's own statements and nothing around them: no sign-in, no throttle, no
// ledger line, no words.
type bare struct {
	pool    *pgxpool.Pool
	find    statement
	record  statement
	bank    int64
	program string
	rand    io.Reader
	now     func() time.Time
}

// statement is one with its arguments by place, as pgx sends it; order are their names.
type statement struct {
	sql   string
	order []string
}

var argument = regexp.MustCompile(`@[a-z_0-9]+`)

// placed writes the named arguments of a statement as $1, $2 …
func placed(sql string) (s statement) {
	at := map[string]int{}
	s.sql = argument.ReplaceAllStringFunc(sql, func(name string) string {
		if at[name] == 0 {
			s.order = append(s.order, name[1:])
			at[name] = len(s.order)
		}
		return "$" + strconv.Itoa(at[name])
	})
	return s
}

func (s statement) args(named map[string]any) []any {
	args := make([]any, len(s.order))
	for i, name := range s.order {
		args[i] = named[name]
	}
	return args
}

func newBare(ctx context.Context, o Options, db *database, bank int64, program string) (*bare, error) {
	pool, err := db.pool(ctx, postgres.Verifier)
	if err != nil {
		return nil, err
	}
	find, record := verifierdb.Bare()
	return &bare{pool: pool, find: placed(find), record: placed(record), bank: bank, program: program, rand: o.Rand, now: o.Now}, nil
}

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := b.check(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return // the client has gone
	}
}

type bareAnswer struct {
	Verdict   string          `json:"verdict"`
	Check     string          `json:"check"`
	Statement json.RawMessage `json:"statement"`
}

func (b *bare) check(r *http.Request) (bareAnswer, error) {
	var question struct{ Code, Purpose string }
	if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
		return bareAnswer{}, err
	}
	var (
		id                                                             int64
		code, number, kind, subject                                    string
		said                                                           []byte
		until, issued                                                  time.Time
		revoked, withdrawn, annulled, corrected, isNewerAt, keyRevoked *time.Time
	)
	question.Code = strings.ReplaceAll(question.Code, "-", "")
	err := b.pool.QueryRow(r.Context(), b.find.sql, b.find.args(map[string]any{"code": question.Code})...).Scan(
		&id, &code, &number, &kind, &subject, &said, &until, &issued, &revoked, &withdrawn, &annulled, &corrected, &isNewerAt, &keyRevoked)
	if err != nil {
		return bareAnswer{}, err
	}
	now := b.now()
	verdict := "valid"
	switch {
	case revoked != nil, annulled != nil, keyRevoked != nil:
		verdict = "revoked"
	case withdrawn != nil:
		verdict = "withdrawn"
	case corrected != nil, isNewerAt != nil:
		verdict = "superseded"
	case now.After(until.AddDate(0, 0, 1)):
		verdict = "expired"
	}
	check, err := tesdiq.RandomText(b.rand, 16)
	if err != nil {
		return bareAnswer{}, err
	}
	_, err = b.pool.Exec(r.Context(), b.record.sql, b.record.args(map[string]any{
		"id": check, "at": now, "way": "code", "excerpt": id, "subject": subject, "code": code, "sort": "organisation",
		"organisation": b.bank, "client": b.program, "purpose": question.Purpose, "note": "", "verdict": verdict, "reason": "bare",
		"tell": subject, "tell_args": `{"Organisation": "Nümunə Bank", "Sort": "organisation", "Kind": "` + kind + `", "Number": "` + number +
			`", "Purpose.key": "verifier.purpose.credit", "Verdict.key": "web.verdict.` + verdict + `"}`,
	})...)
	return bareAnswer{verdict, check, said}, err
}

// pgbench runs the same statements from PostgreSQL's own measuring program, without Go and without HTTP.
type pgbench struct {
	program string // empty: not installed
	dir     string
	url     string
	clients int
	turns   int
	total
}

const sqlCodes = `
	CREATE TABLE bench_codes (n int PRIMARY KEY, code text NOT NULL);
	GRANT SELECT ON bench_codes TO tesdiq_verifier`

func newPgbench(ctx context.Context, o Options, db *database, bank int64, program string, codes []tesdiq.Code) (*pgbench, error) {
	path, err := pgbenchProgram()
	if err != nil {
		fmt.Fprintln(o.Progress, "pgbench is not installed: its figure is left out")
		return &pgbench{}, nil
	}
	err = db.admin(ctx, func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, sqlCodes); err != nil {
			return err
		}
		_, err := c.CopyFrom(ctx, pgx.Identifier{"bench_codes"}, []string{"n", "code"}, pgx.CopyFromSlice(len(codes), func(i int) ([]any, error) {
			return []any{i + 1, string(codes[i])}, nil
		}))
		return err
	})
	if err != nil {
		return nil, err
	}
	p := &pgbench{program: path, url: db.url, clients: o.Clients}
	if p.dir, err = os.MkdirTemp("", "tesdiq-pgbench-"); err != nil {
		return nil, err
	}
	return p, os.WriteFile(p.script(), []byte(pgbenchScript(bank, program, len(codes))), 0o600)
}

func pgbenchProgram() (string, error) {
	if path, err := privatepg.Program("pgbench"); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return exec.LookPath("pgbench")
}

func (p *pgbench) close() error { return os.RemoveAll(p.dir) }

func (p *pgbench) script() string { return filepath.Join(p.dir, "check.sql") }

// pgbenchScript is a check as pgbench runs it: the statements with their arguments as variables.
func pgbenchScript(bank int64, program string, codes int) string {
	find, record := verifierdb.Bare()
	write := func(sql string, args map[string]string) string {
		sql = argument.ReplaceAllStringFunc(sql, func(name string) string {
			if value, ok := args[name[1:]]; ok {
				return value
			}
			return "NULL"
		})
		return strings.Join(strings.Fields(sql), " ")
	}
	return fmt.Sprintf("\\set n random(1, %d)\n\\set id random(1, 9000000000000000000)\n", codes) +
		write(find, map[string]string{"code": "(SELECT b.code FROM bench_codes b WHERE b.n = :n)"}) + " \\gset x_\n" +
		write(record, map[string]string{
			"id": "lpad(upper(to_hex(:id::bigint)), 16, '0')", "at": "now()", "way": "'code'", "excerpt": ":x_id::bigint", "subject": ":x_subject::text",
			"code": ":x_code::text", "sort": "'organisation'", "organisation": strconv.FormatInt(bank, 10), "client": "'" + program + "'",
			"purpose": "'credit'", "note": "''", "verdict": "'valid'", "reason": "'pgbench'", "tell": ":x_subject",
			"tell_args": "jsonb_build_object('Organisation', 'Nümunə Bank', 'Sort', 'organisation', 'Kind', :x_kind::text, 'Number', :x_number::text, " +
				"'Purpose.key', 'verifier.purpose.credit', 'Verdict.key', 'web.verdict.valid')",
		}) + ";\n"
}

var (
	tpsLine  = regexp.MustCompile(`(?m)^tps = ([0-9.]+) \(without initial connection time\)`)
	doneLine = regexp.MustCompile(`(?m)^number of transactions actually processed: (\d+)`)
)

// Its time runs from before it has connected, so a turn must be longer than one of ours; it takes every third.
const (
	pgbenchTurn   = 3 * time.Second
	pgbenchEvery  = 3
	pgbenchLonger = 10 * time.Second // where it could not do one in that time
)

// run runs it, if it is its turn.
func (p *pgbench) run(ctx context.Context) error {
	turn := p.turns
	if p.turns++; p.program == "" || turn%pgbenchEvery != 0 {
		return nil
	}
	n, rate, err := p.measure(ctx, pgbenchTurn)
	if err == nil && n == 0 {
		n, rate, err = p.measure(ctx, pgbenchLonger)
	}
	if err == nil && n == 0 {
		return fmt.Errorf("pgbench did not finish one in %s", pgbenchLonger)
	}
	if err != nil {
		return err
	}
	p.done += n
	p.took += time.Duration(float64(n) / rate * float64(time.Second))
	return nil
}

// measure runs it once. Connecting does not count in the rate.
func (p *pgbench) measure(ctx context.Context, length time.Duration) (n int, rate float64, err error) {
	c := exec.CommandContext(ctx, p.program, "-n", "-M", "prepared", "-f", p.script(), "-c", strconv.Itoa(p.clients), "-j", "2",
		"-T", strconv.Itoa(int(length/time.Second)), p.url)
	c.Env = append(os.Environ(), "PGOPTIONS=-c role="+string(postgres.Verifier))
	var said, wrong bytes.Buffer
	c.Stdout, c.Stderr = &said, &wrong
	if err := c.Run(); err != nil {
		return 0, 0, fmt.Errorf("pgbench: %w: %s", err, wrong.Bytes())
	}
	tps, done := tpsLine.FindSubmatch(said.Bytes()), doneLine.FindSubmatch(said.Bytes())
	if tps == nil || done == nil {
		return 0, 0, nil
	}
	if rate, err = strconv.ParseFloat(string(tps[1]), 64); err != nil || rate <= 0 {
		return 0, 0, fmt.Errorf("pgbench: a rate of %s", tps[1])
	}
	n, err = strconv.Atoi(string(done[1]))
	return n, rate, err
}
