package simulate

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/gateway/gatewaydb"
	"github.com/tesdiq/tesdiq/internal/bench"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// clock is the simulation's: it moves by itself only so far that no two moments are the same.
type clock struct{ micro atomic.Int64 }

func (c *clock) now() time.Time { return time.UnixMicro(c.micro.Add(1)).UTC() }

// to puts the clock forward.
func (c *clock) to(t time.Time) {
	if m := t.UnixMicro(); m > c.micro.Load() {
		c.micro.Store(m)
	}
}

// dice are random bytes that can be foretold: in a simulation there is nothing to keep secret.
type dice struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (d *dice) Read(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.Read(b)
}

// year is a year that is being played.
type year struct {
	Options
	clock
	further
	dir    string
	dice   *dice
	chance *rand.Rand // of what happens to all: faults, crashes

	server *privatepg.Server
	admin  *pgxpool.Pool // the superuser, who only looks
	*program

	keys         *agencies.Keys
	agencies     *agencies.Server
	world        *agencies.World
	people       []tesdiq.FIN // who may apply, those with an examination among them first
	born         map[tesdiq.FIN]tesdiq.Date
	staff        []tesdiq.FIN // members of the commissions
	institutions map[string]tseras.Institution
	loaded       int64 // the last entry that was there before

	day     int
	lives   map[int64]*life // by the case's ID
	due     map[int][]*act  // by day
	known   map[string]bool // seats that have been told of
	crashes []crash         // still to come, in their order
	struck  int

	here, database, counted time.Duration            // processor time: of this process, of PostgreSQL, and what was counted of the one that runs
	worked                  map[string]time.Duration // processor time of both, by what was done

	spent map[string]time.Duration // by what was done
	turns map[string]int           // how often
	did   map[string]int
	wrong map[string]int // what went wrong and must not have, how often
	late  map[string]int // overdue clocks by what is waited for, counted on each evening
	mu    sync.Mutex     // of did and wrong
}

// program is what a process of ours has: it is thrown away and made anew when it was killed.
type program struct {
	casework, commission *pgxpool.Pool
	desk                 tserasdb.Desk
	gatherer             tserasdb.Gatherer
	drawer               *tserasdb.Drawer
	decider              tserasdb.Decider
	terms                tserasdb.Terms
	reminders            tserasdb.Reminders
	alarms               caseworkdb.Alarms
	bench                tserasdb.Bench
	rehabilitation       tserasdb.Rehabilitation
	corrector            tserasdb.Corrector
}

const database = "tesdiq"

func (y *year) url() string { return y.server.URL(privatepg.Superuser, database) }

// start starts PostgreSQL, with everything that is committed on the disk.
func (y *year) start(ctx context.Context) (err error) {
	y.server, err = privatepg.Start(ctx, privatepg.Options{Dir: filepath.Join(y.dir, "postgres"), Log: y.Log, Settings: map[string]string{
		"shared_buffers": "512MB", "autovacuum_naptime": "5s", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "work_mem": "64MB", "maintenance_work_mem": "256MB",
	}})
	return err
}

// open sets the stage: database, people, agencies, commissions, institutions.
func (y *year) open(ctx context.Context) error {
	y.say("starting PostgreSQL")
	if err := y.start(ctx); err != nil {
		return err
	}
	if err := postgres.EnsureDatabase(ctx, y.server.URL(privatepg.Superuser, "postgres"), database); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, y.url()); err != nil {
		return err
	}
	y.to(begins.Start().Add(-time.Hour))
	for _, do := range []func(context.Context) error{y.invent, y.hire, y.restart, y.admit, y.draw} { // the first turn of the drawer commits to rounds, as when a program starts
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (y *year) close() (err error) {
	y.program.stop()
	if y.admin != nil {
		y.admin.Close()
	}
	if y.server != nil {
		err = y.server.Stop()
	}
	return err
}

func (p *program) stop() {
	if p == nil {
		return
	}
	p.casework.Close()
	p.commission.Close()
}

// restart starts the program, once more if it was running: nothing is left of what it had in memory.
func (y *year) restart(ctx context.Context) error {
	y.program.stop()
	p := &program{}
	var err error
	if p.casework, err = postgres.OpenConfig(ctx, postgres.Config{URL: y.url(), Role: postgres.Casework, MaxConns: y.Clients + 4}); err != nil {
		return err
	}
	if p.commission, err = postgres.OpenConfig(ctx, postgres.Config{URL: y.url(), Role: postgres.Commission, MaxConns: y.Clients}); err != nil {
		return err
	}
	if y.admin == nil {
		if y.admin, err = pgxpool.New(ctx, y.url()); err != nil {
			return err
		}
	}
	registers, err := y.registers(gatewaydb.Log{Pool: p.casework})
	if err != nil {
		return err
	}
	calendar := tesdiq.AzerbaijanCalendar()
	p.desk = tserasdb.Desk{Pool: p.casework, Calendar: calendar, Now: y.now, Rand: y.dice}
	p.gatherer = tserasdb.Gatherer{Desk: p.desk, Registers: registers, Log: y.Log}
	p.drawer = &tserasdb.Drawer{Pool: p.casework, Key: drawKey, Calendar: calendar, Now: y.now, Rand: y.dice, Log: y.Log}
	p.decider = tserasdb.Decider{Desk: p.desk}
	p.reminders = tserasdb.Reminders{Pool: p.casework, Calendar: calendar, Now: y.now}
	p.terms = tserasdb.Terms{Pool: p.casework, Now: y.now}
	p.alarms = caseworkdb.Alarms{Pool: p.casework, Calendar: calendar, Now: y.now}
	p.rehabilitation, p.corrector = tserasdb.Rehabilitation{Desk: p.desk}, tserasdb.Corrector{Desk: p.desk, Registers: registers}
	p.bench = tserasdb.Bench{Pool: p.commission, Now: y.now, Rand: y.dice}
	y.program = p
	return nil
}

// drawKey is the draws' secret, which here is none.
var drawKey = tseras.DrawKey("a simulation's key that keeps no secret")

// invent fills the books with invented people. Contracts are left out: no part of an assessment reads our own.
func (y *year) invent(ctx context.Context) error {
	pool, err := postgres.Open(ctx, y.url(), postgres.Registry)
	if err != nil {
		return err
	}
	defer pool.Close()
	n := y.Cases + y.Cases/8 + 200
	y.born = map[tesdiq.FIN]tesdiq.Date{}
	var examined, others []tesdiq.FIN
	seen := map[tesdiq.FIN]bool{}
	only := func(all iter.Seq[registry.Version]) iter.Seq[registry.Version] {
		return func(yield func(registry.Version) bool) {
			for v := range all {
				switch v.Head.Book {
				case registry.Contracts:
					continue
				case registry.Persons:
					others = append(others, v.Head.Subject)
				case registry.Examinations:
					if !seen[v.Head.Subject] {
						seen[v.Head.Subject] = true
						examined = append(examined, v.Head.Subject)
					}
				}
				if !yield(v) {
					return
				}
			}
		}
	}
	versions := only(people.Generate(y.Seed, n, begins))
	if _, err := registrydb.Load(ctx, pool, versions, y.dice, func(n int) { y.say(fmt.Sprintf("inventing people: %d entries", n)) }); err != nil {
		return err
	}
	// Of three who apply two have been examined before, as far as there are so many.
	for len(others) > 0 || len(examined) > 0 {
		for range 2 {
			if len(examined) > 0 {
				y.people, examined = append(y.people, examined[0]), examined[1:]
			}
		}
		for len(others) > 0 {
			next := others[0]
			if others = others[1:]; !seen[next] {
				y.people = append(y.people, next)
				break
			}
		}
	}
	y.say("inventing agencies")
	y.world = agencies.NewWorld(y.Seed, n, begins)
	if y.keys, err = agencies.Open(filepath.Join(y.dir, "agencies"), nil, y.now(), y.dice); err != nil {
		return err
	}
	y.agencies = &agencies.Server{World: y.world, Keys: y.keys, Now: y.now, Rand: y.dice}
	for _, fin := range y.people {
		if r, ok := y.world.Records(gateway.Population, fin, tesdiq.Date{}, begins).([]gateway.Resident); ok && len(r) > 0 {
			y.born[fin] = r[0].Born
		}
	}
	return nil
}

// Sizes of what is staffed.
const (
	panels   = 40
	perPanel = 5
)

// hire appoints commissions. Their members are the doctors who treat the invented people, as far as there are so many, so that
// the lot must leave some of them out.
func (y *year) hire(ctx context.Context) error {
	seen := map[tesdiq.FIN]bool{}
	for _, fin := range y.people[:min(len(y.people), 20_000)] {
		if all, ok := y.world.Records(gateway.Treating, fin, tesdiq.Date{}, begins).([]gateway.Treatment); ok {
			for _, t := range all {
				if !seen[t.Doctor] && len(y.staff) < panels*perPanel {
					seen[t.Doctor] = true
					y.staff = append(y.staff, t.Doctor)
				}
			}
		}
	}
	for n := 1; len(y.staff) < panels*perPanel; n++ {
		y.staff = append(y.staff, tesdiq.FIN(fmt.Sprintf("%02dZ%04d", n%100, n)))
	}
	y.chance.Shuffle(len(y.staff), func(i, j int) { y.staff[i], y.staff[j] = y.staff[j], y.staff[i] })
	pool, err := postgres.Open(ctx, y.url(), postgres.Operator)
	if err != nil {
		return err
	}
	defer pool.Close()
	op := tserasdb.Operator{Pool: pool, Now: y.now, Rand: y.dice}
	for c := range panels {
		k := tseras.Commission{ID: fmt.Sprintf("K%02d", c+1), Name: fmt.Sprintf("%d saylı Nümunə TSEK", c+1)}
		for d := c; d < len(people.Districts); d += panels {
			k.Districts = append(k.Districts, tseras.District(people.Districts[d]))
		}
		if err := op.Add(ctx, k); err != nil {
			return err
		}
		for day := time.Monday; day <= time.Friday; day++ { // when it examines in person
			h := tseras.Hours{Commission: k.ID, Weekday: day, Opens: 9 * 60, Closes: 17 * 60, Minutes: 30, AtATime: 2, Place: "Nümunə küçəsi 1"}
			if _, err := op.AddHours(ctx, h); err != nil {
				return err
			}
		}
		for m := range perPanel {
			if _, err := op.AddMember(ctx, k.ID, y.staff[c*perPanel+m], "Həkim Nümunəvi", m < 2); err != nil {
				return err
			}
		}
	}
	orgs := organisationdb.Operator{Pool: pool, Now: y.now, Rand: y.dice}
	if err := y.rehabilitate(ctx, orgs); err != nil {
		return err
	}
	serial := 500
	for _, i := range people.Institutions {
		var voen tesdiq.VOEN
		for voen == "" {
			serial++
			for check := '0'; check <= '9'; check++ {
				if v := tesdiq.VOEN(fmt.Sprintf("98%06d%c1", serial, check)); v.CheckDigit() {
					voen = v
				}
			}
		}
		if _, err := orgs.Add(ctx, organisation.Organisation{VOEN: voen, Name: i.Name, Sort: organisation.Medical}); err != nil {
			return err
		}
		if _, err := op.AddInstitution(ctx, voen, tseras.District(i.District)); err != nil {
			return err
		}
		if _, err := op.CodeInstitution(ctx, voen, tseras.InstitutionCode(i.Code)); err != nil {
			return err
		}
		if _, err := op.CodeInstitution(ctx, voen, tseras.InstitutionCode(i.Code)); err != nil {
			return err
		}
	}
	return nil
}

const sqlInstitutions = `
	SELECT m.organisation_id, o.name
	FROM medical_institutions m
	JOIN organisations o ON o.id = m.organisation_id`

const sqlLastEntry = `SELECT coalesce(max(id), 0) FROM entries`

// admit lets the desk find the institutions, and remembers where the books stand.
func (y *year) admit(ctx context.Context) error {
	y.institutions = map[string]tseras.Institution{}
	rows, err := y.admin.Query(ctx, sqlInstitutions)
	if err != nil {
		return err
	}
	ids := map[int64]string{}
	for rows.Next() {
		var id int64
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
		ids[id] = name
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for id, name := range ids {
		i, err := y.desk.Institution(ctx, id)
		if err != nil {
			return err
		}
		y.institutions[name] = i
	}
	return y.admin.QueryRow(ctx, sqlLastEntry).Scan(&y.loaded)
}

// Ways in which the program ends in the middle.
const (
	brokenOff = "broken off" // what it does is cancelled, and it starts again
	cut       = "cut off"    // PostgreSQL ends all its connections
	killed    = "database killed"
)

// meter notes how much processor time was used so far; that of a PostgreSQL is gone with it. Without /proc nothing is known of it.
func (y *year) meter() time.Duration {
	if here, database, err := bench.Spent(y.server.Pid()); err == nil {
		y.here = here
		y.database += database - y.counted
		y.counted = database
	}
	return y.here + y.database
}

// crash is one that will come from a day on, as soon as it meets the program at work.
type crash struct {
	day int
	how string
}

// phase does something once, or, when it is killed in the middle, until it has been done. do must bear being done again.
func (y *year) phase(ctx context.Context, what string, do func(context.Context) error) error {
	for {
		y.turns[what]++
		began, worked := y.Now(), y.meter()
		inner, cancel := context.WithCancel(ctx)
		hit := y.strike(inner, what, cancel)
		err := do(inner)
		struck := hit()
		cancel()
		y.spent[what] += y.Now().Sub(began)
		y.worked[what] += y.meter() - worked
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if struck == "" {
			return err
		}
		y.struck++
		y.did["killed: "+struck]++
		began = y.Now()
		if err := y.restart(ctx); err != nil {
			return fmt.Errorf("simulate: start again: %w", err)
		}
		y.spent["starting again"] += y.Now().Sub(began)
	}
}

const sqlCut = `
	SELECT count(pg_terminate_backend(pid))
	FROM pg_stat_activity
	WHERE usename IN ('tesdiq_casework', 'tesdiq_commission')`

// strike lets the next crash of the day come at a random moment of what is being done. The function that it returns says how it
// was killed; "" when it came to its end before.
func (y *year) strike(ctx context.Context, what string, cancel func()) func() string {
	if len(y.crashes) == 0 || y.crashes[0].day > y.day || y.chance.IntN(3) > 0 {
		return func() string { return "" }
	}
	how := y.crashes[0].how
	usual := y.spent[what] / time.Duration(y.turns[what])
	delay := time.Duration(y.chance.Int64N(int64(max(usual, time.Millisecond))))
	done, ended := make(chan struct{}), make(chan string, 1)
	go func() {
		select {
		case <-done:
			ended <- ""
			return
		case <-time.After(delay):
		}
		switch how {
		case brokenOff:
			cancel()
		case cut:
			_, _ = y.admin.Exec(context.WithoutCancel(ctx), sqlCut) // without its connections it could not be said
		case killed:
			y.meter()
			y.server.Kill()
		}
		ended <- how
	}()
	return func() string {
		close(done)
		struck := <-ended
		if struck != "" {
			y.crashes = y.crashes[1:]
		}
		if struck == killed {
			if err := y.start(context.WithoutCancel(ctx)); err != nil {
				y.fault("PostgreSQL does not start again: " + err.Error())
			}
			y.counted = 0
			y.admin.Close()
			y.admin = nil // the server's socket is another one now
		}
		return struck
	}
}

// fault notes something that must not have happened.
func (y *year) fault(what string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.wrong[what]++
}

func (y *year) count(what string, n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.did[what] += n
}

func (y *year) say(what string) {
	if y.Progress != nil {
		fmt.Fprintf(y.Progress, "\r\033[K%s", what)
	}
}
