package tserasdb_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/people"
)

// Each application asks seven registers and sends messages: nobody opens them without end, and a clerk cannot use up what is the person's own.
func TestNobodyAppliesWithoutEnd(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	fin, by := subject("elcin")
	clerk := casework.Actor{Part: casework.ByClerk, FIN: people.Who("aysel").FIN, Office: "Poçt"}
	var first string
	for i := range tseras.OpensPerDay {
		for _, by := range []casework.Actor{by, clerk} {
			c, err := w.desk.Apply(ctx, fin, by, fmt.Sprint(by.Part, i))
			w.must(err)
			w.must(w.desk.Withdraw(ctx, fin, c.Number, by))
			if first == "" {
				first = c.Number
			}
		}
	}
	for _, by := range []casework.Actor{by, clerk} {
		if c, err := w.desk.Apply(ctx, fin, by, "too many"); !errors.Is(err, tseras.ErrOften) {
			t.Errorf("%s: %s, %v", by.Part, c.Number, err)
		}
	}
	if c, err := w.desk.Apply(ctx, fin, by, fmt.Sprint(by.Part, 0)); err != nil || c.Number != first {
		t.Errorf("the same form again: %s, %v", c.Number, err)
	}
	if all, err := w.desk.Cases(ctx, fin); err != nil || len(all) != 2*tseras.OpensPerDay {
		t.Errorf("%d cases, %v", len(all), err)
	}
	w.later = 25 * time.Hour
	_, err := w.desk.Apply(ctx, fin, by, "a day later")
	w.must(err)
}

// A member's list has what is open, and of the closed cases the latest: it does not grow for as long as he serves.
func TestAMembersListDoesNotGrowForEver(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	fin, by := subject("nermin")
	c, err := w.desk.Refer(ctx, w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	var member tesdiq.FIN
	var number tseras.BlindNumber
	for f, s := range w.seats("") {
		member, number = f, s.Number
	}
	w.must(w.desk.Withdraw(ctx, fin, c.Number, by))
	w.must(pgx.BeginFunc(ctx, w.db.Admin, func(tx pgx.Tx) error {
		for _, sql := range []string{
			`SET LOCAL session_replication_role = replica`, // the copies' earlier steps are not needed here
			`INSERT INTO cases (number, procedure, kind, subject, opened_at, law_on, request, seq, state)
			 SELECT 'T-2026-9' || lpad(i::text, 5, '0'), procedure, kind, subject, opened_at, law_on, 'copy ' || i, seq, state FROM cases, generate_series(1, 130) AS i`,
			`INSERT INTO case_steps (case_id, procedure, kind, seq, from_state, to_state, at, part, actor_fin, office, what, args, turn, began, due_by, provisional)
			 SELECT c.id, s.procedure, s.kind, s.seq, s.from_state, s.to_state, s.at, s.part, s.actor_fin, s.office, s.what, s.args, s.turn, s.began, s.due_by, s.provisional
			 FROM cases c, case_steps s WHERE c.request LIKE 'copy %' AND s.to_state = 'withdrawn'`,
			`INSERT INTO tseras_blind (number, case_id, referral)
			 SELECT lpad(c.id::text, 8, '0'), c.id, b.referral FROM cases c, tseras_blind b WHERE c.request LIKE 'copy %'`,
			`INSERT INTO tseras_seats (number, member_id, role, seq, seated_at)
			 SELECT lpad(c.id::text, 8, '0'), s.member_id, s.role, s.seq, s.seated_at - interval '1 hour' FROM cases c, tseras_seats s WHERE c.request LIKE 'copy %'`,
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	}))
	seats, err := w.bench.Seats(ctx, member)
	w.must(err)
	if len(seats) != 100 || !slices.ContainsFunc(seats, func(s tseras.Seat) bool { return s.Number == number }) {
		t.Errorf("%d seats, want the latest 100", len(seats))
	}
}

// Each correction asks an agency: who takes one back and asks for another comes to the same limit.
func TestNobodyDisputesWithoutEnd(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("nermin")
	c, err := w.desk.Apply(t.Context(), fin, by, "form")
	w.must(err)
	w.work()
	w.expect(fin, c.Number, tseras.AwaitingReferral)
	ask := func(i int) (casework.Case, error) {
		return w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Episodes, "never-was", "Orada müalicə almamışam", by, fmt.Sprint("form", i))
	}
	for i := 1; i < tseras.OpensPerDay; i++ {
		k, err := ask(i)
		w.must(err)
		w.must(w.desk.Withdraw(t.Context(), fin, k.Number, by))
	}
	if k, err := ask(tseras.OpensPerDay); !errors.Is(err, tseras.ErrOften) {
		t.Errorf("%s, %v", k.Number, err)
	}
}
