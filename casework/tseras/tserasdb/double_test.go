package tserasdb_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// clicks is how often each thing is sent at once.
const clicks = 100

// atOnce does something that often at the same moment. Each is done, or is told what of allowed.
func (w *world) atOnce(what string, do func(n int) error, allowed ...error) (did int) {
	w.Helper()
	failed := make([]error, clicks)
	var ready, wait sync.WaitGroup
	ready.Add(clicks)
	for n := range clicks {
		wait.Go(func() {
			ready.Done()
			ready.Wait()
			failed[n] = do(n)
		})
	}
	wait.Wait()
	for _, err := range failed {
		if err == nil {
			did++
		} else if !slices.ContainsFunc(allowed, func(a error) bool { return errors.Is(err, a) }) {
			w.Errorf("%s: %v", what, err)
		}
	}
	return did
}

func (w *world) has(want int, sql string, args ...any) {
	w.Helper()
	var n int
	if w.must(w.db.Admin.QueryRow(w.Context(), sql, args...).Scan(&n)); n != want {
		w.Errorf("%d, not %d: %s", n, want, sql)
	}
}

// R20: whatever the person sends of his slot a hundred times at once happens once.
func TestASlotIsMovedOnce(t *testing.T) {
	w := newWorld(t)
	s := w.appealed(w.decided(3))
	by := casework.Actor{Part: casework.BySubject, FIN: s.Subject}
	slots, err := w.desk.Slots(t.Context(), s.Subject, s.Number)
	w.must(err)
	if did := w.atOnce("move", func(int) error { return w.desk.Move(t.Context(), s.Subject, s.Number, by, slots[0].Starts) }); did != clicks {
		t.Errorf("%d were told that it is done", did)
	}
	w.has(1, `SELECT count(*) FROM tseras_slot_returns WHERE why = 'moved'`)
	w.has(1, `SELECT count(*) FROM messages WHERE key = 'tseras-appeal.message.slot_moved'`)
	// To different times: as often as he may.
	if did := w.atOnce("choose", func(n int) error {
		return w.desk.Move(t.Context(), s.Subject, s.Number, by, slots[1+n%(len(slots)-1)].Starts)
	}, tseras.ErrNoMoves, tseras.ErrTaken); did < 1 {
		t.Error("nobody moved")
	}
	w.has(2, `SELECT count(*) FROM tseras_slot_returns WHERE why = 'moved'`)
	if did := w.atOnce("cannot come", func(int) error { return w.desk.CannotCome(t.Context(), s.Subject, s.Number, by) }, tseras.ErrNoneAgain); did != 1 {
		t.Errorf("another slot was given %d times", did)
	}
	w.has(1, `SELECT count(*) FROM tseras_slot_returns WHERE why = 'cannot'`)
	w.has(1, `SELECT count(*) FROM tseras_slots_held`)
}

// Two people want the same slot of one commission, by the draw and by their own choice: one has it, the other has another one.
func TestTwoWantOneSlot(t *testing.T) {
	w := newWorld(t)
	fins := map[string]tesdiq.FIN{}
	firsts := map[string]tseras.Shown{}
	for _, who := range []string{"nermin", "cavid"} {
		fin, _ := subject(who)
		fins[who] = fin
		c, err := w.desk.Refer(t.Context(), w.from, w.referral(who), "signed")
		w.must(err)
		w.work()
		w.work()
		w.decide(fin, c.Number, 2)
		firsts[who] = w.expect(fin, c.Number, tseras.Decided)
	}
	// Only one commission sees people: none of those that decided, nor of their districts.
	var only string
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT min(id) FROM commissions k WHERE NOT EXISTS (SELECT FROM tseras_seats s JOIN commission_members m ON m.id = s.member_id WHERE m.commission_id = k.id)
		AND NOT districts && $1`, []string{people.DistrictOf(fins["nermin"]), people.DistrictOf(fins["cavid"]), string(w.from.District)}).Scan(&only))
	_, err := w.db.Admin.Exec(t.Context(), `UPDATE commission_hours SET ended_at = clock_timestamp() + interval '1 hour' WHERE commission_id <> $1`, only)
	w.must(err)
	for who, first := range firsts {
		_, by := subject(who)
		_, err := w.desk.Appeal(t.Context(), first.Subject, first.Number, by, disputed, "form")
		w.must(err)
	}
	var wait sync.WaitGroup
	for range 8 { // drawers of several processes
		wait.Go(func() {
			for range 2 {
				if _, err := w.drawer.Draw(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	w.has(2, `SELECT count(*) FROM tseras_slots_held WHERE commission_id = $1`, only)
	w.has(2, `SELECT count(DISTINCT (starts_at, lane)) FROM tseras_slots_held`)
	numbers := map[string]string{}
	for who, fin := range fins {
		var number string
		w.must(w.db.Admin.QueryRow(t.Context(), `SELECT number FROM cases WHERE kind = 'appeal' AND subject = $1`, fin).Scan(&number))
		numbers[who] = number
	}
	free, err := w.desk.Slots(t.Context(), fins["nermin"], numbers["nermin"])
	w.must(err)
	want := free[len(free)-1].Starts
	did := w.atOnce("move", func(n int) error {
		who := []string{"nermin", "cavid"}[n%2]
		_, by := subject(who)
		return w.desk.Move(t.Context(), fins[who], numbers[who], by, want)
	}, tseras.ErrTaken)
	if did != clicks/2 { // whoever has it is told so each time
		t.Errorf("%d of %d have it", did, clicks)
	}
	w.has(1, `SELECT count(*) FROM tseras_slots_held WHERE starts_at = $1`, want)
	w.has(2, `SELECT count(*) FROM tseras_slots_held`)
	w.has(1, `SELECT count(*) FROM tseras_slot_returns`)
	// The database itself: who skips the order of turns or takes what is held is refused by its keys.
	for _, sql := range []string{
		`INSERT INTO tseras_slots (number, n, commission_id, starts_at, lane, turn, ends_at, place, given_at) SELECT number, n + 1, commission_id, starts_at, lane, turn, ends_at, place, given_at FROM tseras_slots_held JOIN tseras_slots USING (number, n, commission_id, starts_at, lane, ends_at, place, given_at) LIMIT 1`,
		`INSERT INTO tseras_slots (number, n, commission_id, starts_at, lane, turn, ends_at, place, given_at) SELECT s.number, s.n + 1, s.commission_id, s.starts_at, s.lane, s.turn + 1, s.ends_at, s.place, s.given_at FROM tseras_slots s JOIN tseras_slots_held h ON h.number = s.number AND h.n = s.n LIMIT 1`,
	} {
		if _, err := w.db.Pool(postgres.Casework).Exec(t.Context(), sql); err == nil {
			t.Errorf("written: %s", sql)
		}
	}
}

// R20: a correction, a wish and a word on a draft that are sent a hundred times at once are one.
func TestWhatIsSaidOfAProgrammeAHundredTimesIsSaidOnce(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	_, p := w.decidedAlone("form-1")
	r, b := w.rehabilitation(), w.body(1, people.DistrictOf(fin))
	did := w.atOnce("take", func(int) error { return r.Take(t.Context(), b, p.Number) })
	if did != clicks {
		t.Errorf("%d took it", did)
	}
	w.has(1, `SELECT count(*) FROM case_steps WHERE what = $1`, tseras.StepTaken)
	i := tseras.Invitation{Day: w.workday(2), Time: "10:30", Home: true}
	w.must(r.Invite(t.Context(), b, p.Number, i, false))
	w.atOnce("wish", func(int) error {
		return w.desk.WishProgramme(t.Context(), fin, p.Number, by, "Gələ bilmirəm, evə gəlin")
	})
	w.has(3, `SELECT count(*) FROM case_steps WHERE case_id = $1 AND seq > 1`, p.ID)
	w.at(i.Day)
	w.must(r.Draft(t.Context(), b, p.Number, 1, linesUntil(w.workday(20))))
	w.atOnce("agree", func(int) error {
		return w.desk.AnswerDraft(t.Context(), fin, p.Number, by, 1, tseras.Agreed, "")
	})
	w.has(5, `SELECT count(*) FROM case_steps WHERE case_id = $1 AND seq > 1`, p.ID)
	w.atOnce("enter", func(int) error { return r.Enter(t.Context(), b, p.Number, 1, "") }, casework.ErrState)
	w.has(6, `SELECT count(*) FROM case_steps WHERE case_id = $1 AND seq > 1`, p.ID)
	w.has(6+1, `SELECT count(*) FROM ledger_lines WHERE kind = 'step' AND object LIKE $1::bigint || '/%'`, p.ID)
}

func TestACorrectionAndAClerksFilingSentAHundredTimesAreOne(t *testing.T) {
	w := newWorld(t)
	filing, clerk := w.post()
	nermin := people.Who("nermin")
	v, err := filing.Identify(t.Context(), clerk, nermin.Card, nermin.FIN)
	w.must(err)
	if did := w.atOnce("apply", func(int) error { _, err := filing.Apply(t.Context(), clerk, v.ID); return err }); did != clicks {
		t.Errorf("%d were told that it is done", did)
	}
	w.has(1, `SELECT count(*) FROM cases`)
	w.has(1, `SELECT count(*) FROM messages WHERE key = 'filing.message.applied'`)
	cases, err := w.desk.Cases(t.Context(), nermin.FIN)
	w.must(err)
	w.work()
	by := casework.Actor{Part: casework.BySubject, FIN: nermin.FIN}
	numbers := make([]string, clicks)
	w.atOnce("ask", func(n int) error {
		c, err := w.desk.AskCorrection(t.Context(), nermin.FIN, cases[0].Number, gateway.Episodes, "never-was", "Orada müalicə almamışam", by, "form")
		numbers[n] = c.Number
		return err
	})
	if slices.Sort(numbers); numbers[0] != numbers[clicks-1] || numbers[0] == "" {
		t.Errorf("%s … %s", numbers[0], numbers[clicks-1])
	}
	w.atOnce("ask by many forms", func(n int) error {
		_, err := w.desk.AskCorrection(t.Context(), nermin.FIN, cases[0].Number, gateway.Episodes, "date", "Tarix səhvdir", by, "form-"+time.Duration(n).String())
		return err
	}, casework.ErrOpen)
	w.has(1, `SELECT count(*) FROM cases WHERE kind = 'correction'`)
	w.atOnce("withdraw", func(int) error { return filing.Withdraw(t.Context(), clerk, v.ID, cases[0].Number) }, casework.ErrState)
	w.has(1, `SELECT count(*) FROM messages WHERE key = 'filing.message.withdrawn'`)
}

// The first decision's entry is annulled while the appeal is open: there is nothing to confirm, so what the appeal finds is entered, the same too.
func TestTheEntryIsAnnulledWhileTheAppealIsOpen(t *testing.T) {
	for _, grade := range []int{3, 2} {
		w := newWorld(t)
		first := w.decided(3)
		s := w.appealed(first)
		v, err := registrydb.Reader{Pool: w.db.Pool(postgres.Casework)}.ExaminationByNumber(t.Context(), first.Subject, first.Entry)
		w.must(err)
		books := registrydb.Writer{Pool: w.db.Pool(postgres.Registry), Now: w.now, Rand: rand.Reader}
		_, _, err = books.Enter(t.Context(), registry.Change{Act: registry.Annul, Book: registry.Examinations, Number: first.Entry, After: v.Head.Version, By: "Reyestr şöbəsi", Reason: "Səhv"})
		w.must(err)
		w.meets(s)
		w.decide(first.Subject, s.Number, grade)
		done := w.expect(first.Subject, s.Number, tseras.Decided)
		if done.Entry == "" || done.Entry == first.Entry || done.Steps[len(done.Steps)-1].What != tseras.Replaced {
			t.Errorf("grade %d: %q after %q, %+v", grade, done.Entry, first.Entry, done.Steps[len(done.Steps)-1])
		}
	}
}
