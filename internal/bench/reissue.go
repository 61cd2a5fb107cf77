package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
)

// Reissued is what became of excerpts whose signer was revoked, and how long it took to issue them anew.
type Reissued struct {
	What     string  `json:"what"`
	Excerpts int     `json:"excerpts"`  // that rest on the signer that was revoked
	Drawn    int     `json:"drawn"`     // of them, by the service; the others were written beside them
	Left     int     `json:"withdrawn"` // of them, which nobody signs again
	Anew     int     `json:"anew"`      // with exactly one new file that counts, read and found right
	Told     int     `json:"told"`      // holders, each exactly once
	Checkers int     `json:"checkers"`  // told of what they had checked, each exactly once
	Killed   int     `json:"killed_at"` // how many were done when the program was killed
	Seconds  float64 `json:"seconds"`   // of issuing anew, both runs together
	PerS     float64 `json:"per_s"`
	Load     float64 `json:"load"` // average of the machine meanwhile
	LoadMost float64 `json:"load_most"`

	IssuedPerS float64 `json:"issued_per_s"` // when they were first issued
}

// maxDrawn is how many excerpts the service draws. The others state the same under numbers and codes of their own, and each has a file of
// its own: one of those that were drawn, with its code behind it. No file of a revoked signer is ever read, and what is issued anew is
// drawn from the entry, so that the measurement is the same and takes half the time.
const maxDrawn = 2000

// withdrawnOf and checkedOf say of how many excerpts one is withdrawn, and one checked by somebody else.
const (
	withdrawnOf = 50
	checkedOf   = 10
)

// Reissue has n excerpts issued, has their signer revoked and replaced, and lets the program at self issue them anew as an operator does,
// by its commands. It kills the program in the middle, lets it go on, and then looks at every excerpt. An error says what is not as it
// must be. The database is always a private one.
func Reissue(ctx context.Context, o Options, self string, n int) (r Reissued, err error) {
	if o.Database != "" {
		return r, errors.New("bench: reissue: a private PostgreSQL is needed: unset DATABASE_URL")
	}
	if n < 2 {
		return r, fmt.Errorf("bench: reissue: %d excerpts are none to stop in the middle of", n)
	}
	db, err := openDatabase(ctx, o.filled(64))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	dir, err := os.MkdirTemp("", "tesdiq-reissue-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	in := &reissuing{o: o.filled(64), db: db, self: self, dir: dir, most: maxDrawn, Reissued: Reissued{What: "reissue", Excerpts: n}}
	if err := in.measure(ctx); err != nil {
		return in.Reissued, fmt.Errorf("bench: reissue: %w", err)
	}
	return in.Reissued, nil
}

// reissuing is one measurement under way.
type reissuing struct {
	o    Options
	db   *database
	self string
	dir  string // configuration, keys, passwords
	set  *signer.Set
	most int       // excerpts that the service draws
	from time.Time // since when what was signed does not count
	Reissued
}

func (r *reissuing) measure(ctx context.Context) error {
	for _, step := range []func(context.Context) error{r.install, r.issue, r.multiply, r.checked, r.revoke, r.rotate, r.again, r.audit} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// install makes keys, and a configuration such as a service has.
func (r *reissuing) install(context.Context) (err error) {
	r.from = r.o.Now().Add(-time.Second)
	if r.set, err = signer.NewThrowawayAt(r.o.Rand, r.o.Now(), origin); err != nil {
		return err
	}
	if err := r.set.Save(r.path("keys")); err != nil {
		return err
	}
	if err := os.Mkdir(r.path("passwords"), 0o700); err != nil {
		return err
	}
	for _, role := range postgres.Roles() { // the private server asks for none
		if err := os.WriteFile(filepath.Join(r.path("passwords"), string(role)), []byte("none\n"), 0o600); err != nil {
			return err
		}
	}
	address := r.db.url
	if at := strings.Index(address, "@"); at >= 0 { // each command signs in under its own role
		address = "postgres://" + address[at+1:]
	}
	config := fmt.Sprintf("public_url = %q\n[database]\nurl = %q\npasswords = %q\n[keys]\ndir = %q\n", origin, address, r.path("passwords"), r.path("keys"))
	return os.WriteFile(r.path("tesdiq.toml"), []byte(config), 0o600)
}

func (r *reissuing) path(name string) string { return filepath.Join(r.dir, name) }

// issue draws excerpts as citizens do, and withdraws some.
func (r *reissuing) issue(ctx context.Context) error {
	cabinet, err := r.db.cabinet(ctx, r.o)
	if err != nil {
		return err
	}
	papers, err := r.db.papers(ctx, cabinet, maxPapers)
	if err != nil {
		return err
	}
	draw, stop, err := r.db.drawer(ctx, r.o, cabinet, r.set, papers)
	if err != nil {
		return err
	}
	defer stop()
	r.Drawn = min(r.Excerpts, r.most)
	bar := progress(r.o.Progress, "issuing", r.Drawn)
	defer bar.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var begun, left atomic.Int64
	var clients sync.WaitGroup
	began := time.Now()
	for range r.o.Clients {
		clients.Go(func() {
			for n := begun.Add(1); n <= int64(r.Drawn) && ctx.Err() == nil; n = begun.Add(1) {
				fin, number, err := draw(ctx)
				if err == nil && n%withdrawnOf == 0 {
					left.Add(1)
					err = cabinet.Withdraw(ctx, fin, number)
				}
				if err != nil {
					cancel(err)
					return
				}
				_ = bar.Add(1) // what cannot be shown is done all the same
			}
		})
	}
	clients.Wait()
	r.IssuedPerS, r.Left = round(float64(r.Drawn)/time.Since(began).Seconds(), 1), int(left.Load())
	return context.Cause(ctx)
}

const sqlDrawn = `SELECT x.id FROM excerpts x WHERE NOT EXISTS (SELECT FROM withdrawals w WHERE w.excerpt_id = x.id) ORDER BY x.id`

const sqlMultiply = `
	WITH more AS (
		SELECT * FROM unnest(@codes::text[], @numbers::text[], @as::bigint[], @withdrawn::boolean[]) AS more (code, number, as_id, withdrawn)
	), asked AS (
		INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at)
		SELECT m.number, m.code, m.number, i.kind, i.template, i.lang, i.subject, i.entry_id, i.person_id, i.recipient, i.purpose, i.with_salary, i.valid_until, i.asked_at
		FROM more m JOIN intents i ON i.id = m.as_id
		RETURNING id, code, number
	), made AS (
		INSERT INTO excerpts (id, code, number, kind, lang, subject, entry_id, statement, valid_until, issued_at)
		SELECT a.id, a.code, a.number, x.kind, x.lang, x.subject, x.entry_id, x.statement, x.valid_until, x.issued_at
		FROM asked a JOIN more m ON m.code = a.code JOIN excerpts x ON x.id = m.as_id
	), filed AS (
		INSERT INTO excerpt_files (sha256, excerpt_id, size, bytes, stored_at, stamped_until, signer_serial, stamp_serial, signed_at)
		SELECT sha256(f.bytes || a.code::bytea), a.id, f.size + length(a.code), f.bytes || a.code::bytea, f.stored_at, f.stamped_until, f.signer_serial, f.stamp_serial, f.signed_at
		FROM asked a JOIN more m ON m.code = a.code JOIN excerpt_files f ON f.excerpt_id = m.as_id
	)
	INSERT INTO withdrawals (excerpt_id, withdrawn_at)
	SELECT a.id, @at FROM asked a JOIN more m ON m.code = a.code WHERE m.withdrawn`

// multiply writes as many beside what was drawn as are missing.
func (r *reissuing) multiply(ctx context.Context) error {
	bar := progress(r.o.Progress, "writing more", r.Excerpts-r.Drawn)
	defer bar.Close()
	return r.db.admin(ctx, func(c *pgx.Conn) error {
		rows, _ := c.Query(ctx, sqlDrawn)
		drawn, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		for n := r.Drawn; n < r.Excerpts; {
			var codes, numbers []string
			var as []int64
			var withdrawn []bool
			for ; n < r.Excerpts && len(codes) < 1000; n++ {
				code, err := tesdiq.NewCode(r.o.Rand)
				if err != nil {
					return err
				}
				gone := n%withdrawnOf == 0
				if gone {
					r.Left++
				}
				codes, numbers = append(codes, string(code)), append(numbers, fmt.Sprintf("E-2026-%07d", 1_000_000+n))
				as, withdrawn = append(as, drawn[n%len(drawn)]), append(withdrawn, gone)
			}
			_, err := c.Exec(ctx, sqlMultiply, pgx.NamedArgs{"codes": codes, "numbers": numbers, "as": as, "withdrawn": withdrawn, "at": r.o.Now()})
			if err != nil {
				return fmt.Errorf("more excerpts: %w", err)
			}
			_ = bar.Add(len(codes)) // what cannot be shown is written all the same
		}
		return nil
	})
}

// A private person checked one in ten; one in twenty of all twice, of which he is told once.
const sqlChecked = `
	INSERT INTO checks (id, at, way, excerpt_id, subject, sort, member_fin, purpose, verdict, reason)
	SELECT lpad(upper(to_hex(x.id * 2 + n)), 16, '0'), @at, 'code', x.id, x.subject, 'person', '0000099', 'other', 'valid', 'valid.code'
	FROM excerpts x, generate_series(0, 1) n
	WHERE x.id % @of = 0 AND (n = 0 OR x.id % (2 * @of) = 0)`

// checked writes down checks of the past.
func (r *reissuing) checked(ctx context.Context) error {
	return r.db.admin(ctx, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, sqlChecked, pgx.NamedArgs{"at": r.o.Now(), "of": checkedOf})
		if err == nil {
			_, err = c.Exec(ctx, `ANALYZE`) // a database that grew over years was
		}
		return err
	})
}

// command is the program with its installation.
func (r *reissuing) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, r.self, append(append([]string{"keys"}, args...), "--keys", r.path("keys"))...)
	c.Stderr = r.o.Progress
	return c
}

func (r *reissuing) run(ctx context.Context, args ...string) error {
	c := r.command(ctx, args...)
	if out, err := c.Output(); err != nil {
		return fmt.Errorf("keys %s: %w: %s", args[0], err, out)
	}
	return nil
}

func (r *reissuing) revoke(ctx context.Context) error {
	return r.run(ctx, "revoke", "--config", r.path("tesdiq.toml"), "--serial", keys.Serial(r.set.Signer), "--reason", "keyCompromise", "--why", "measurement",
		"--by", "bench", "--invalidity", r.from.UTC().Format(time.RFC3339), "--apply")
}

// rotate puts another signer on duty, and waits until it is.
func (r *reissuing) rotate(ctx context.Context) error {
	from := r.o.Now().Add(2 * time.Second).Truncate(time.Second)
	err := r.run(ctx, "rotate", "--authority", r.path("keys"), "--role", keys.RoleDocumentSigner, "--from", from.UTC().Format(time.RFC3339), "--apply")
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(from.Sub(r.o.Now())):
		return nil
	}
}

// again issues anew what still holds: once to the middle, where the program is killed, and once to the end.
func (r *reissuing) again(ctx context.Context) error {
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { r.Load, r.LoadMost = load(watching) })
	defer func() { stop(); watcher.Wait() }()

	args := []string{"reissue", "--config", r.path("tesdiq.toml"), "--serial", keys.Serial(r.set.Signer), "--apply",
		"--batch", strconv.Itoa(min(256, max(1, r.Excerpts/30)))}
	var before int
	if err := r.db.ask(ctx, sqlMessages, &before); err != nil {
		return err
	}
	first := r.command(ctx, args...)
	began := time.Now()
	if err := first.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	for told := 0; told < (r.Excerpts-r.Left)/2; told -= before {
		select {
		case err := <-ended:
			return fmt.Errorf("keys reissue ended before it was killed: %w", err)
		case <-time.After(20 * time.Millisecond): // a short run is half over soon
		}
		if err := r.db.ask(ctx, sqlMessages, &told); err != nil {
			return err
		}
	}
	if err := first.Process.Kill(); err != nil {
		return err
	}
	<-ended
	took := time.Since(began)
	if err := r.db.ask(ctx, `SELECT count(*) FROM messages WHERE key = 'message.reissued'`, &r.Killed); err != nil {
		return err
	}
	began = time.Now()
	if err := r.run(ctx, args...); err != nil {
		return err
	}
	took += time.Since(began)
	r.Seconds, r.PerS = round(took.Seconds(), 1), round(float64(r.Excerpts-r.Left)/took.Seconds(), 1)
	return nil
}

// sqlMessages counts about: while excerpts are issued anew, nothing else writes messages.
const sqlMessages = `SELECT coalesce(max(id), 0) FROM messages`

// ask reads one number.
func (db *database) ask(ctx context.Context, sql string, n *int, args ...any) error {
	return db.admin(ctx, func(c *pgx.Conn) error { return c.QueryRow(ctx, sql, args...).Scan(n) })
}

// load is the machine's load average over a while, and the highest, looked at each second; zero where the system does not say.
func load(ctx context.Context) (average, most float64) {
	sum, n := 0.0, 0
	for tick := time.NewTicker(time.Second); ; {
		if text, err := os.ReadFile("/proc/loadavg"); err == nil {
			if now, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64); err == nil {
				sum, n, most = sum+now, n+1, max(most, now)
			}
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return round(sum/float64(max(n, 1)), 1), most
		case <-tick.C:
		}
	}
}

// WriteJSON writes the one line for programs.
func (r Reissued) WriteJSON(w io.Writer) error {
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// WriteTable writes the same for people.
func (r Reissued) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "reissue\n")
	fmt.Fprintf(t, "  excerpts\t%d\tof which citizens asked for %d, issued as B-LTA at %.1f/s; the others were written beside them\n", r.Excerpts, r.Drawn, r.IssuedPerS)
	fmt.Fprintf(t, "  withdrawn\t%d\tand not issued anew\n", r.Left)
	fmt.Fprintf(t, "  issued anew\t%d\tin %.0f s, %.1f/s; killed at %d and continued\n", r.Anew, r.Seconds, r.PerS, r.Killed)
	fmt.Fprintf(t, "  told\t%d\tholders of the new file, %d persons of what they had checked; each once\n", r.Told, r.Checkers)
	fmt.Fprintf(t, "  load\t%.1f\ton average, %.1f at most\n", r.Load, r.LoadMost)
	return t.Flush()
}
