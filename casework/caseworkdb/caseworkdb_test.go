package caseworkdb_test

import (
	"crypto/rand"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Casework)
}

var (
	at      = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	today   = tesdiq.DateOf(at)
	person  = casework.Actor{Part: casework.BySubject, FIN: "5NQ7K2M"}
	system  = casework.Actor{Part: casework.BySystem}
	subject = tesdiq.FIN("5NQ7K2M")
)

func move(t *testing.T, c casework.Case, to casework.State, by casework.Actor) (casework.Case, casework.Step) {
	t.Helper()
	k, err := casework.Clocks().Start(tesdiq.AzerbaijanCalendar(), c, to, "", today)
	if err != nil {
		t.Fatal(err)
	}
	c, s, err := tseras.Machine.Move(c, to, by, "test", map[string]string{"N": "1"}, k, at)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

func open(t *testing.T, pool *pgxpool.Pool, fin tesdiq.FIN, request string) (c casework.Case, fresh bool, err error) {
	t.Helper()
	head := casework.Case{Head: casework.Head{Procedure: tseras.Procedure, Kind: tseras.Assessment, Subject: fin, LawOn: today}}
	head, first := move(t, head, tseras.Gathering, casework.Actor{Part: casework.BySubject, FIN: fin})
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		c, fresh, err = caseworkdb.Open(t.Context(), tx, rand.Reader, head, first, request)
		return err
	})
	return c, fresh, err
}

func TestACaseIsOpenedAndMoved(t *testing.T) {
	pool := pgtest.Open(t).Pool(postgres.Casework)
	c, fresh, err := open(t, pool, subject, "subject:5NQ7K2M:1")
	if err != nil || !fresh || !regexp.MustCompile(`^T-2026-\d{6}$`).MatchString(c.Number) {
		t.Fatalf("%+v, %v, %v", c, fresh, err)
	}
	again, fresh, err := open(t, pool, subject, "subject:5NQ7K2M:1")
	if err != nil || fresh || again.Number != c.Number {
		t.Errorf("asked again: %+v, %v, %v", again, fresh, err)
	}
	if _, _, err := open(t, pool, subject, "subject:5NQ7K2M:2"); !errors.Is(err, casework.ErrOpen) {
		t.Errorf("a second case: %v", err)
	}
	other, _, err := open(t, pool, "2RD8V4X", "subject:2RD8V4X:1")
	if err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		locked, err := caseworkdb.LockAll(t.Context(), tx, tseras.Procedure, tseras.Assessment, tseras.Gathering, []casework.ID{c.ID, other.ID, 999})
		if err != nil || len(locked) != 2 {
			t.Fatalf("locked %+v, %v", locked, err)
		}
		var moved []caseworkdb.Moved
		for _, l := range locked {
			after, step := move(t, l, tseras.AwaitingReferral, system)
			moved = append(moved, caseworkdb.Moved{Case: after, Step: step})
		}
		return caseworkdb.Write(t.Context(), tx, rand.Reader, tseras.Procedure, moved...)
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err = caseworkdb.ByNumber(t.Context(), pool, subject, c.Number)
	if err != nil || c.State != tseras.AwaitingReferral || c.Seq != 2 || c.Clock.Turn != casework.Institution || c.Clock.DueBy.ISO() != "2026-12-02" {
		t.Errorf("%+v, %v", c, err)
	}
	history, err := caseworkdb.History(t.Context(), pool, c.ID)
	if err != nil || len(history) != 2 || history[0].By != person || history[1].By != system || history[1].Args["N"] != "1" {
		t.Errorf("%+v, %v", history, err)
	}
	if _, err := caseworkdb.ByNumber(t.Context(), pool, "2RD8V4X", c.Number); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("somebody else's case: %v", err)
	}
	if mine, err := caseworkdb.Of(t.Context(), pool, subject); err != nil || len(mine) != 1 {
		t.Errorf("%+v, %v", mine, err)
	}
}

// Whoever waits for a case that somebody else moves gets it as it is then, and not none.
func TestWhoWaitsForACaseGetsItAsItIsThen(t *testing.T) {
	pool := pgtest.Open(t).Pool(postgres.Casework)
	c, _, err := open(t, pool, subject, "subject:5NQ7K2M:1")
	if err != nil {
		t.Fatal(err)
	}
	held, got := make(chan struct{}), make(chan error, 1)
	go func() {
		<-held
		got <- pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			later, err := caseworkdb.Lock(t.Context(), tx, c.ID)
			if err == nil && (later.Seq != 2 || later.State != tseras.Withdrawn) {
				t.Errorf("it is %s, step %d", later.State, later.Seq)
			}
			return err
		})
	}()
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		first, err := caseworkdb.Lock(t.Context(), tx, c.ID)
		if err != nil {
			return err
		}
		close(held)
		after, step := move(t, first, tseras.Withdrawn, person)
		if err := caseworkdb.Write(t.Context(), tx, rand.Reader, tseras.Procedure, caseworkdb.Moved{Case: after, Step: step}); err != nil {
			return err
		}
		for waiting := 0; waiting == 0; { // until the other one waits
			if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(&waiting); err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("who waited: %v", err)
	}
}

// What the database refuses even of the role that moves cases.
func TestNoStateIsReachedButByAStep(t *testing.T) {
	db := pgtest.Open(t)
	pool := db.Pool(postgres.Casework)
	c, _, err := open(t, pool, subject, "subject:5NQ7K2M:1")
	if err != nil {
		t.Fatal(err)
	}
	step := func(seq int, from, to, part string) string {
		return strings.NewReplacer("SEQ", string(rune('0'+seq)), "FROM", from, "TO", to, "PART", part).Replace(`
			INSERT INTO case_steps (case_id, procedure, kind, seq, from_state, to_state, at, part, office, what, args, turn, began, provisional)
			VALUES ($1, 'tseras', 'assessment', SEQ, 'FROM', 'TO', now(), 'PART', '', 'x', '{}', 'nobody', '2026-11-23', false)`)
	}
	for what, sql := range map[string]string{
		"a state without a step":           `UPDATE cases SET state = 'decided' WHERE id = $1`,
		"a step that never was":            `UPDATE cases SET seq = 2, state = 'decided' WHERE id = $1`,
		"a way that there is not":          step(2, "gathering", "signing", "system"),
		"a way, by somebody else":          step(2, "gathering", "decided", "member"),
		"a step from where the case isn't": step(2, "signing", "decided", "system"),
		"a step that skips one":            step(3, "gathering", "awaiting_draw", "system"),
		"the same step again":              step(1, "", "gathering", "institution"),
		"another subject":                  `UPDATE cases SET subject = '2RD8V4X' WHERE id = $1`,
		"a step taken back":                `DELETE FROM case_steps WHERE case_id = $1`,
		"a step rewritten":                 `UPDATE case_steps SET at = now() WHERE case_id = $1`,
		"a case removed":                   `DELETE FROM cases WHERE id = $1`,
	} {
		_, err := pool.Exec(t.Context(), sql, c.ID)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if now, err := caseworkdb.ByNumber(t.Context(), pool, subject, c.Number); err != nil || now.Seq != 1 || now.State != tseras.Gathering {
		t.Errorf("%+v, %v", now, err)
	}
}

// The CHECKs and the machine are the same list.
func TestTheDatabaseKnowsTheSameWays(t *testing.T) {
	db := pgtest.Open(t)
	rows, _ := db.Admin.Query(t.Context(), `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname LIKE 'case_steps_ways_%'`)
	checks, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var inDatabase, inMachine []string
	for _, check := range checks {
		parts := regexp.MustCompile(`procedure <> '(\w+)'::text\) OR \(kind <> '(\w+)'::text\) OR .* = ANY \('\{(.*)\}'::text\[\]\)`).FindStringSubmatch(check)
		if parts == nil {
			t.Fatalf("a CHECK of another form: %s", check)
		}
		for way := range strings.SplitSeq(parts[3], ",") {
			inDatabase = append(inDatabase, strings.Join(append(parts[1:3:3], strings.Split(strings.Trim(way, `"`), ">")...), " "))
		}
	}
	for _, way := range tseras.Machine.Transitions {
		for _, part := range way.By {
			inMachine = append(inMachine, strings.Join([]string{string(tseras.Procedure), string(way.Kind), string(way.From), string(way.To), string(part)}, " "))
		}
	}
	slices.Sort(inDatabase)
	slices.Sort(inMachine)
	if !slices.Equal(inDatabase, inMachine) {
		t.Errorf("the database: %s\nthe machine:  %s", strings.Join(inDatabase, "; "), strings.Join(inMachine, "; "))
	}
	// A kind without a CHECK of its own could go any way.
	var kinds string
	if err := db.Admin.QueryRow(t.Context(), `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'cases_kind_check'`).Scan(&kinds); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(kinds, "kind = "); n != len(checks) {
		t.Errorf("%d kinds, %d CHECKs of ways: %s", n, len(checks), kinds)
	}
}
