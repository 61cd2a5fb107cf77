package caseworkdb_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

// Each clock rings once for each alarm, on the day that Clock.Alarm says, whoever looks; and the person is told of what concerns
// him, once.
func TestClocksRingOnce(t *testing.T) {
	db := pgtest.Open(t)
	pool := db.Pool(postgres.Casework)
	cal := tesdiq.AzerbaijanCalendar()
	var now time.Time
	alarms := caseworkdb.Alarms{Pool: pool, Calendar: cal, Now: func() time.Time { return now }}
	var all []casework.Case
	for i := range 6 {
		c, _, err := open(t, pool, tesdiq.FIN(fmt.Sprintf("5NQ7K2%d", i)), fmt.Sprintf("subject:%d", i))
		if err != nil {
			t.Fatal(err)
		}
		// They stand in different states: with the registers, the institution, the commission, and closed.
		for _, to := range [][]casework.State{{}, {tseras.AwaitingReferral}, {tseras.AwaitingDraw}, {tseras.AwaitingDraw, tseras.Drawn}, {tseras.Withdrawn}, {tseras.AwaitingDraw}}[i] {
			by := system
			if to == tseras.Withdrawn {
				by = casework.Actor{Part: casework.BySubject, FIN: c.Subject}
			}
			var s casework.Step
			c, s = move(t, c, to, by)
			err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
				return caseworkdb.Write(t.Context(), tx, zeros{}, tseras.Procedure, caseworkdb.Moved{Case: c, Step: s})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, c)
	}
	want := map[string]string{} // alarm by case, turn, last day and kind; the day on which it rang
	for day := range 25 {
		now = at.AddDate(0, 0, day)
		for _, c := range all {
			a, err := c.Clock.Alarm(cal, tesdiq.DateOf(now))
			if err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprintf("%d %s %s", c.ID, c.Clock.Turn, a)
			if _, rang := want[key]; a != casework.Quiet && !rang {
				want[key] = tesdiq.DateOf(now).ISO()
			}
		}
		var twice sync.WaitGroup
		for range 3 {
			twice.Go(func() {
				if _, err := alarms.Ring(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
		}
		twice.Wait()
	}
	rows, err := db.Admin.Query(t.Context(), `SELECT case_id || ' ' || turn || ' ' || alarm, (at AT TIME ZONE 'Asia/Baku')::date::text FROM case_alarms`)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var key, day string
	if _, err := pgx.ForEachRow(rows, []any{&key, &day}, func() error { got[key] = day; return nil }); err != nil {
		t.Fatal(err)
	}
	if len(want) != 10 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("rang %v\nwant %v", got, want)
	}
	for i, want := range []string{"agencies", "institution", "commission", "commission", "", "commission"} {
		if want != "" {
			want = "clocks.message.overdue." + want
		}
		var keys []string
		if err := db.Admin.QueryRow(t.Context(), `SELECT coalesce(array_agg(key), '{}') FROM messages WHERE fin = $1`, all[i].Subject).Scan(&keys); err != nil {
			t.Fatal(err)
		}
		if strings.Join(keys, " ") != want {
			t.Errorf("case %d: told %v, want %q", i, keys, want)
		}
	}
	// A further term is another clock.
	c := all[3]
	k, err := casework.Clocks().Start(cal, c, tseras.Drawn, "extended", tesdiq.DateOf(now))
	if err != nil {
		t.Fatal(err)
	}
	c, s, err := tseras.Machine.Move(c, tseras.Drawn, casework.Actor{Part: casework.ByChair, FIN: "5NQ7K2M", Office: "K01"}, "extended", nil, k, at)
	if err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		return caseworkdb.Write(t.Context(), tx, zeros{}, tseras.Procedure, caseworkdb.Moved{Case: c, Step: s})
	})
	if err != nil {
		t.Fatal(err)
	}
	rang, err := alarms.Ring(t.Context())
	if err != nil || len(rang) != 1 || rang[casework.Ring{Turn: casework.Commission, Alarm: casework.Overdue}] != 1 {
		t.Errorf("after the longer term: %v, %v", rang, err)
	}
}

// zeros are a ledger line's keys where none is looked at.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// The states that are closed are those from which no way leads, in the index and in the statement.
func TestTheOpenCasesAreThoseOfTheMachine(t *testing.T) {
	var closed []string
	seen := map[casework.State]bool{}
	for _, w := range tseras.Machine.Transitions {
		if tseras.Machine.Closed(w.Kind, w.To) && !seen[w.To] {
			seen[w.To] = true
			closed = append(closed, string(w.To))
		}
	}
	slices.Sort(closed)
	db := pgtest.Open(t)
	for what, sql := range map[string]string{
		"index": `SELECT array_agg(m[1] ORDER BY m[1]) FROM pg_indexes, regexp_matches(indexdef, '''(\w+)''', 'g') AS m WHERE indexname = 'cases_open'`,
		"view":  `SELECT array_agg(m[1] ORDER BY m[1]) FROM regexp_matches(pg_get_viewdef('inspection_cases'), '''(\w+)''', 'g') AS m`,
	} {
		var got []string
		if err := db.Admin.QueryRow(t.Context(), sql).Scan(&got); err != nil || !slices.Equal(got, closed) {
			t.Errorf("%s: %v, %v; want %v", what, got, err, closed)
		}
	}
}
