package tserasdb_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/simulate"
)

// where a connection is cut.
type where string

const (
	beforeCommit where = "before its commit"
	afterCommit  where = "after its commit" // done, and whoever asked never hears of it
)

// axe cuts one connection at one commit of a transaction that has written, and from then on all others of its pools.
type axe struct {
	mu    sync.Mutex
	at    int // the how-manieth commit from now; 0: none
	place where
	fell  bool
	seen  int // commits of transactions that have written
	wrote map[net.Conn]bool
}

// swing lets the n-th commit from now be cut; 0: none.
func (a *axe) swing(n int, place where) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at, a.place, a.fell = 0, place, false
	if n > 0 {
		a.at = a.seen + n
	}
}

func (a *axe) commits() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen
}

// TraceQueryStart implements pgx.QueryTracer: it sees each statement before it is sent.
func (a *axe) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	a.statement(c, d.SQL)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*axe) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (a *axe) statement(c *pgx.Conn, sql string) {
	wire, ok := c.PgConn().Conn().(*cutWire)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch word := strings.ToLower(strings.TrimSpace(sql)); {
	case strings.HasPrefix(word, "begin"):
		a.wrote[wire] = false
	case word == "commit" && a.wrote[wire]:
		if a.seen++; a.seen == a.at {
			wire.cut, a.fell = a.place, true
		}
	case strings.Contains(word, "insert into"), strings.Contains(word, "update "):
		a.wrote[wire] = true
	}
}

// cutWire is a connection to PostgreSQL that can end at a commit.
type cutWire struct {
	net.Conn
	cut where
}

var errCut = errors.New("the connection is cut")

// Write cuts where it was told to.
func (w *cutWire) Write(b []byte) (int, error) {
	switch w.cut {
	case "":
		return w.Conn.Write(b)
	case afterCommit:
		if _, err := w.Conn.Write(b); err != nil {
			return 0, err
		}
		answer := make([]byte, 4096) // the server answers when it is done
		if _, err := w.Conn.Read(answer); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
	w.Conn.Close()
	return 0, errCut
}

// through lets the world work through connections that the axe can cut. Called again, it is the program that was started anew: it
// has nothing of before.
func (w *world) through(a *axe) {
	w.Helper()
	pool := func(role postgres.Role) *pgxpool.Pool {
		config, err := pgxpool.ParseConfig(w.db.URL(role))
		w.must(err)
		config.ConnConfig.Tracer = a
		config.MaxConns = 4
		dial := config.ConnConfig.DialFunc
		config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			return &cutWire{Conn: c}, err
		}
		p, err := pgxpool.NewWithConfig(w.Context(), config)
		w.must(err)
		w.Cleanup(p.Close)
		return p
	}
	casework := pool(postgres.Casework)
	w.desk.Pool = casework
	w.gatherer.Desk, w.decider.Desk = w.desk, w.desk
	w.drawer.Pool, w.rounds.Pool = casework, casework
	w.bench.Pool = pool(postgres.Commission)
	w.terms = tserasdb.Terms{Pool: casework, Now: w.now}
}

// rolledBack waits until the server knows, too, that what was cut is over: till then it holds the case, and whoever comes leaves it out.
func (w *world) rolledBack() {
	w.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for w.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL`) > 0 {
		if time.Now().After(deadline) {
			w.Fatal("a transaction that was cut goes on for ever")
		}
		time.Sleep(time.Millisecond)
	}
}

// deed is one thing that somebody or the program does on the road. It must bear being done again.
type deed struct {
	what string
	do   func(w *journey) error
}

// journey is one case on its road.
type journey struct {
	*world
	who    string
	fin    tesdiq.FIN
	number string
	blind  tseras.BlindNumber

	first         string    // of an appeal: the number of the case that it is about
	meets, wanted time.Time // of an appeal: when its slot begins, and when the one that the person wants; of a programme: its meeting
	body          tseras.Body
	absent        int // how often the person did not come to the body
	clerk         tseras.Clerk
	visit         string
}

// done is what is left when somebody does again what he has already done.
func done(err error) error {
	var p *tesdiq.Problem
	if errors.As(err, &p) && p.Kind == tesdiq.Conflict {
		return nil
	}
	return err
}

func gather(j *journey) error { _, _, err := j.gatherer.Gather(j.Context(), 0); return err }
func draw(j *journey) error   { _, err := j.drawer.Draw(j.Context()); return err }
func decide(j *journey) error { _, err := j.decider.Decide(j.Context()); return err }

func applies(j *journey) error {
	_, by := subject(j.who)
	c, err := j.desk.Apply(j.Context(), j.fin, by, "form-1")
	j.number = c.Number
	return err
}

func refer(j *journey) error {
	c, err := j.desk.Refer(j.Context(), j.from, j.referral(j.who), "signed")
	j.number = c.Number
	return err
}

// panel are those who sit and were not passed over, by a connection that nobody cuts, and their roles.
func (j *journey) panel() (all []tesdiq.FIN, roles map[tesdiq.FIN]tseras.Role) {
	j.Helper()
	rows, _ := j.db.Admin.Query(j.Context(), `SELECT m.fin, s.role, s.number FROM tseras_seats s JOIN commission_members m ON m.id = s.member_id
		WHERE NOT EXISTS (SELECT FROM tseras_passed o WHERE o.number = s.number AND o.member_id = s.member_id) ORDER BY s.seated_at, s.role, m.fin`)
	roles = map[tesdiq.FIN]tseras.Role{}
	var fin tesdiq.FIN
	var role tseras.Role
	_, err := pgx.ForEachRow(rows, []any{&fin, &role, &j.blind}, func() error {
		all, roles[fin] = append(all, fin), role
		return nil
	})
	j.must(err)
	return all, roles
}

func chairDoes(do func(j *journey, chair tesdiq.FIN) error) func(*journey) error {
	return func(j *journey) error {
		all, roles := j.panel()
		for _, fin := range all {
			if roles[fin] == tseras.Chair {
				return do(j, fin)
			}
		}
		return errors.New("nobody chairs")
	}
}

// passOver puts the clock to a day from now, on which nobody is waited for any longer, and passes over.
func passOver(days int) func(*journey) error {
	return func(j *journey) error {
		j.later = time.Duration(days) * 24 * time.Hour
		_, err := j.decider.PassOver(j.Context())
		return err
	}
}

// record lets everybody look and record who has not: the chair one grade, the others another.
func record(chair, others int) func(*journey) error {
	return func(j *journey) error {
		all, roles := j.panel()
		for _, fin := range all {
			grade := others
			if roles[fin] == tseras.Chair {
				grade = chair
			}
			if b, err := j.bench.Open(j.Context(), fin, j.blind); err != nil || b.Recorded {
				if err != nil {
					return err
				}
				continue
			}
			if err := done(j.bench.Record(j.Context(), fin, j.blind, findings("joints-rheumatoid", grade))); err != nil {
				return err
			}
		}
		return nil
	}
}

// sign lets everybody look and say his word who has not.
func sign(refuses tseras.Role) func(*journey) error {
	return func(j *journey) error {
		all, roles := j.panel()
		for _, fin := range all {
			b, err := j.bench.Open(j.Context(), fin, j.blind)
			if err != nil {
				return err
			}
			if b.Proposal == nil || b.Signed {
				continue
			}
			w := tseras.Word{N: b.Proposal.N, Signs: true, Evidence: "token"}
			switch roles[fin] {
			case refuses:
				w = tseras.Word{N: b.Proposal.N, Reason: "Nəticə tapıntılarıma uyğun deyil"}
			case tseras.Chair, tseras.Further:
				w.Explains = explained
			}
			if err := done(j.bench.Sign(j.Context(), fin, j.blind, w)); err != nil {
				return err
			}
		}
		return nil
	}
}

// road is a way that a case can go, deed by deed.
type road struct {
	name   string
	who    string
	later  time.Duration
	deeds  []deed
	before []deed // what was done before, and is not cut
}

// commits is what is done before anybody can know of a case.
const commits = "commit to rounds"

// Together the roads have each transaction of an assessment.
var roads = []road{
	{name: "by a commission", who: "nermin", deeds: []deed{
		{commits, draw},
		{"apply", applies},
		{"ask registers, and then for a referral", gather},
		{"refer", refer},
		{"ask registers, and then for a draw", gather},
		{"draw", draw},
		{"look", chairDoes(func(j *journey, chair tesdiq.FIN) error {
			_, err := j.bench.Open(j.Context(), chair, j.blind)
			return err
		})},
		{"ask for the longer term", chairDoes(func(j *journey, chair tesdiq.FIN) error {
			return done(j.bench.Extend(j.Context(), chair, j.blind, "Əlavə sınaq gözlənilir"))
		})},
		{"extend", decide},
		{"record", record(3, 3)},
		{"compute and propose", decide},
		{"sign", sign("")},
		{"decide", decide},
	}},
	{name: "by a further member", who: "nermin", deeds: []deed{
		{commits, draw},
		{"refer", refer},
		{"ask registers, and then for a draw", gather},
		{"draw", draw},
		{"record", record(3, 2)},
		{"call for a further member", decide},
		{"draw a further member", draw},
		{"the further member records", record(3, 2)},
		{"propose what the further member decided", decide},
		{"sign, and one refuses", sign(tseras.Chair)},
		{"decide against one", decide},
	}},
	{name: "a refusal", who: "nermin", deeds: []deed{
		{commits, draw},
		{"refer", refer},
		{"ask registers, and then for a draw", gather},
		{"draw", draw},
		{"record", record(2, 2)},
		{"compute and propose", decide},
		{"refuse to sign", sign(tseras.Chair)},
		{"back to a further member", decide},
	}},
	{name: "members are silent", who: "nermin", deeds: []deed{
		{commits, draw},
		{"refer", refer},
		{"ask registers, and then for a draw", gather},
		{"draw", draw},
		{"the chair records", chairDoes(func(j *journey, chair tesdiq.FIN) error {
			if _, err := j.bench.Open(j.Context(), chair, j.blind); err != nil {
				return err
			}
			return done(j.bench.Record(j.Context(), chair, j.blind, findings("joints-rheumatoid", 2)))
		})},
		{"pass over two", passOver(28)},
		{"draw two further members", draw},
		{"they record", record(2, 2)},
		{"compute and propose", decide},
		{"the chair signs", chairDoes(func(j *journey, chair tesdiq.FIN) error {
			if _, err := j.bench.Open(j.Context(), chair, j.blind); err != nil {
				return err
			}
			return done(j.bench.Sign(j.Context(), chair, j.blind, tseras.Word{N: 1, Signs: true, Evidence: "token"}))
		})},
		{"pass over two who do not sign", passOver(56)},
		{"too few have signed", decide},
		{"draw two more", draw},
		{"they record, too", record(2, 2)},
		{"compute and propose again", decide},
		{"sign", sign("")},
		{"decide", decide},
	}},
	{name: "a whole commission is silent", who: "nermin", deeds: []deed{
		{commits, draw},
		{"refer", refer},
		{"ask registers, and then for a draw", gather},
		{"draw", draw},
		{"pass over all", passOver(28)},
		{"draw another commission", draw},
		{"record", record(2, 2)},
		{"compute and propose", decide},
		{"sign", sign("")},
		{"decide", decide},
	}},
	{name: "by the registers alone", who: "sevinc", deeds: []deed{{"apply", applies}, {"decide alone", gather}}},
	{name: "declined", who: "elcin", deeds: []deed{
		{"apply", applies},
		{"ask registers, and then for a referral", gather},
		{"decline", func(j *journey) error {
			r := tseras.Refusal{Case: j.number, Reason: tseras.NoGround, Words: "Əsas yoxdur"}
			_, err := j.institutions().Refuse(j.Context(), j.from, r, "signed")
			return err
		}},
	}},
	{name: "withdrawn", who: "nermin", deeds: []deed{
		{"apply", applies},
		{"withdraw", func(j *journey) error {
			_, by := subject(j.who)
			return done(j.desk.Withdraw(j.Context(), j.fin, j.number, by))
		}},
	}},
	{name: "told of a term", who: "nermin", later: 370 * 24 * time.Hour, deeds: []deed{
		{"tell", func(j *journey) error { _, err := j.terms.Tell(j.Context(), nil); return err }},
	}},
}

// what is left of a road, without what is random in it. A look whose answer was lost is made again, and stands there twice.
const traces = `
	SELECT concat_ws(E'\n',
		(SELECT string_agg(concat_ws(' ', seq, from_state, to_state, part, what, turn), '; ' ORDER BY case_id, seq) FROM case_steps),
		(SELECT string_agg(concat_ws(' ', kind, n), '; ' ORDER BY kind) FROM (SELECT kind, count(*) AS n FROM ledger_lines WHERE kind <> 'look' GROUP BY kind) l),
		(SELECT string_agg(concat_ws(' ', key, n), '; ' ORDER BY key) FROM (SELECT key, count(*) AS n FROM messages GROUP BY key) m),
		(SELECT string_agg(concat_ws(' ', alone, entry_id IS NULL, convert_from(package, 'UTF8')::json->'result'), '; ') FROM tseras_decisions),
		(SELECT string_agg(concat_ws(' ', register, n, answered), '; ' ORDER BY case_id, register, n) FROM tseras_evidence),
		(SELECT string_agg(concat_ws(' ', n, signs, reason), '; ' ORDER BY n, signs, reason) FROM tseras_signatures),
		(SELECT concat_ws(' ', 'entries', count(*)) FROM entries), (SELECT concat_ws(' ', 'outbox', count(*)) FROM outbox), (SELECT concat_ws(' ', 'cases', count(*)) FROM cases),
		(SELECT concat_ws(' ', 'referrals', count(*)) FROM tseras_referrals), (SELECT concat_ws(' ', 'rounds', count(*)) FROM draw_rounds), (SELECT concat_ws(' ', 'seeds', count(*)) FROM draw_seeds),
		(SELECT concat_ws(' ', 'drawings', count(*)) FROM drawings), (SELECT concat_ws(' ', 'seats', count(*)) FROM tseras_seats), (SELECT concat_ws(' ', 'passed', count(*)) FROM tseras_passed), (SELECT concat_ws(' ', 'findings', count(*)) FROM tseras_findings),
		(SELECT string_agg(concat_ws(' ', 'slot', n), '; ' ORDER BY n) FROM tseras_slots), (SELECT string_agg(concat_ws(' ', 'given back', n, why), '; ' ORDER BY n) FROM tseras_slot_returns),
		(SELECT concat_ws(' ', 'absences', count(*)) FROM tseras_absences), (SELECT concat_ws(' ', 'reminders', count(*)) FROM tseras_slot_reminders), (SELECT concat_ws(' ', 'appeals', count(*)) FROM tseras_appeals),
		(SELECT concat_ws(' ', 'bodies', count(*)) FROM tseras_programme_bodies), (SELECT string_agg(concat_ws(' ', 'draft', n, draft->'lines'->0->>'measure'), '; ' ORDER BY n) FROM tseras_programme_drafts),
		(SELECT string_agg(concat_ws(' ', 'asked', n, answered, outcome, reason), '; ' ORDER BY n) FROM tseras_correction_outcomes),
		(SELECT concat_ws(' ', 'proposals', count(*)) FROM tseras_proposals), (SELECT concat_ws(' ', 'extensions', count(*)) FROM tseras_extensions), (SELECT concat_ws(' ', 'notices', count(*)) FROM term_notices),
		(SELECT string_agg(concat_ws(' ', 'alarm', turn, alarm), '; ' ORDER BY seq, alarm) FROM case_alarms))`

// travel goes a road to its end. If it is cut, the connection ends at each deed twice, first directly before the commit of what the deed
// writes, then directly after it; each time everything is started anew, and the deed is done again by whoever did not hear that it was done.
func travel(t *testing.T, r road, cut bool) (left string) {
	t.Helper()
	w := bareWorld(t)
	w.later = r.later
	fin, _ := subject(r.who)
	j := &journey{world: w, who: r.who, fin: fin}
	var entries int64
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT max(id) FROM entries`).Scan(&entries))
	a := &axe{wrote: map[net.Conn]bool{}}
	w.through(a)
	if r.deeds[0].what != commits {
		w.must(draw(j))
	}
	for _, d := range r.before {
		w.must(d.do(j))
	}
	for _, d := range r.deeds {
		if cut {
			for _, place := range []where{beforeCommit, afterCommit} {
				a.swing(1, place)
				err := d.do(j)
				if !a.fell {
					t.Errorf("%s was not cut %s", d.what, place)
				}
				if err == nil {
					t.Errorf("%s was cut %s, and whoever did it was told that all is well", d.what, place)
				}
				w.rolledBack()
				w.through(a)
			}
		}
		a.swing(0, "")
		before := a.commits()
		w.must(d.do(j))
		if !cut && a.commits() == before {
			t.Errorf("%s: nothing was written", d.what)
		}
	}
	w.must(w.db.Admin.QueryRow(t.Context(), traces).Scan(&left))
	_, wrong, err := simulate.Audit(t.Context(), w.db.Admin, entries, func(string) {})
	w.must(err)
	for _, what := range wrong {
		t.Error(what)
	}
	return left
}

// R2: at each transaction of each road the connection is cut directly before the commit and directly after it, and the case comes to the
// same end, once.
func TestCutAtEachCommitTheCaseComesToTheSameEnd(t *testing.T) {
	for _, r := range slices.Concat(roads, appealRoads, furtherRoads) {
		t.Run(r.name, func(t *testing.T) {
			whole := travel(t, r, false)
			if left := travel(t, r, true); left != whole {
				t.Errorf("it ended otherwise:\n%s\n\nundisturbed:\n%s", left, whole)
			}
		})
	}
}
