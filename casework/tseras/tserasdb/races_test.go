package tserasdb_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
)

// meanwhile lets something be done whose transaction stays open, before it writes to a table, until something else has been done or waits. It returns
// what came of both.
func (w *world) meanwhile(table string, first, second func() error) (ofFirst, ofSecond error) {
	w.Helper()
	tx, err := w.db.Admin.Begin(w.Context())
	w.must(err)
	_, err = tx.Exec(w.Context(), `LOCK TABLE `+table+` IN EXCLUSIVE MODE`)
	w.must(err)
	begin := func(do func() error) chan error {
		came := make(chan error, 1)
		go func() { came <- do() }()
		return came
	}
	until := func(wanted int, done chan error) {
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			var waiting int
			w.must(w.db.Admin.QueryRow(w.Context(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(&waiting))
			if waiting >= wanted || len(done) > 0 {
				return
			}
		}
		w.Fatalf("nobody waits")
	}
	one := begin(first)
	until(1, one)
	if len(one) > 0 {
		w.Fatalf("the first did not stay open: %v", <-one)
	}
	two := begin(second)
	until(2, two)
	w.must(tx.Rollback(w.Context()))
	return <-one, <-two
}

// applies lets Sevinc apply anew: the registers alone will decide.
func (w *world) applies(key string) casework.Case {
	w.Helper()
	fin, by := subject("sevinc")
	c, err := w.desk.Apply(w.Context(), fin, by, key)
	w.must(err)
	return c
}

func (w *world) gather() error {
	_, _, err := w.gatherer.Gather(w.Context(), 0)
	return err
}

// Whoever appeals while another decision is being written down in place of the one that he disputes, and waits for it, is told so.
func TestNobodyAppealsAgainstADecisionThatIsBeingReplaced(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	old, _ := w.decidedAlone("form-1")
	fresh := w.applies("form-2")
	decides, appeals := w.meanwhile("messages", w.gather, func() error {
		_, err := w.desk.Appeal(t.Context(), fin, old.Number, by, disputed, "form")
		return err
	})
	w.must(decides)
	if !errors.Is(appeals, tseras.ErrNewer) {
		t.Errorf("the appeal: %v", appeals)
	}
	w.expect(fin, fresh.Number, tseras.Decided)
	w.has(0, `SELECT count(*) FROM cases WHERE kind = 'appeal'`)
}

// Of a programme that is asked for and a decision that is written at the same moment, whoever is second sees the first: one programme is open, about the decision that holds.
func TestNoProgrammeFollowsADecisionThatIsBeingReplaced(t *testing.T) {
	for name, askedFirst := range map[string]bool{"the decision first": false, "the programme first": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			fin, by := subject("sevinc")
			old, p := w.decidedAlone("form-1")
			w.must(w.desk.DeclineProgramme(t.Context(), fin, p.Number, by))
			fresh := w.applies("form-2")
			asks := func() error {
				_, err := w.desk.AskProgramme(t.Context(), fin, old.Number, by, "again")
				return err
			}
			if askedFirst {
				asked, decided := w.meanwhile("tseras_programmes", asks, w.gather)
				w.must(asked)
				w.must(decided)
			} else {
				decided, asked := w.meanwhile("tseras_programmes", w.gather, asks)
				if w.must(decided); !errors.Is(asked, casework.ErrState) {
					t.Errorf("asked: %v", asked)
				}
			}
			w.expect(fin, fresh.Number, tseras.Decided)
			w.has(1, `SELECT count(*) FROM cases WHERE kind = 'programme' AND state = 'awaiting_invitation'`)
			w.has(1, `SELECT count(*) FROM cases WHERE kind = 'programme' AND state = 'awaiting_invitation' AND about = $1`, fresh.ID)
		})
	}
}

// chair is who leads the commission that has the case now.
func (q *quiet) chair() tesdiq.FIN {
	q.Helper()
	all, seats := q.attending()
	if len(all) == 0 || seats[all[0]].Role != tseras.Chair {
		q.Fatalf("no chair: %+v", seats)
	}
	return all[0]
}

// extended are the chairs in whose names the term of a case was made longer.
func (q *quiet) extended() (by []tesdiq.FIN) {
	q.Helper()
	for _, s := range q.state(q.fin, q.number).Steps {
		if s.What == "extended" {
			by = append(by, s.By.FIN)
		}
	}
	return by
}

// Each commission may have the longer term once: what the chair wished who was passed over keeps nobody else from it, and is done for nobody else.
func TestEachChairAsksForTheLongerTermOnce(t *testing.T) {
	q := quietly(t)
	first := q.chair()
	extend := func(fin tesdiq.FIN) error {
		return q.bench.Extend(t.Context(), fin, q.blind, "Əlavə sınaq gözlənilir")
	}
	q.must(extend(first))
	if err := extend(first); !errors.Is(err, casework.ErrState) {
		t.Errorf("once more: %v", err)
	}
	q.decideOnce()
	q.silence()
	q.draws()
	second := q.chair()
	q.decideOnce()
	if by := q.extended(); !slices.Equal(by, []tesdiq.FIN{first}) {
		t.Errorf("extended by %v before the second chair asked", by)
	}
	if err := extend(first); !errors.Is(err, tseras.ErrPassed) {
		t.Errorf("the first chair, passed over: %v", err)
	}
	due := q.state(q.fin, q.number).Clock.DueBy
	q.must(extend(second))
	if err := extend(second); !errors.Is(err, casework.ErrState) {
		t.Errorf("the second chair, twice: %v", err)
	}
	for range 2 {
		q.decideOnce()
	}
	if by := q.extended(); !slices.Equal(by, []tesdiq.FIN{first, second}) {
		t.Errorf("extended by %v, want %s and %s", by, first, second)
	}
	if s := q.expect(q.fin, q.number, tseras.Drawn); !s.Clock.DueBy.After(due) {
		t.Errorf("until %s, before until %s", s.Clock.DueBy, due)
	}
}

// A wish that nobody has read when its chair is passed over is nobody's, whenever it was written.
func TestAWishOfWhoIsPassedOverIsNotDoneForOthers(t *testing.T) {
	for _, when := range []string{"before", "meanwhile"} {
		t.Run(when, func(t *testing.T) {
			q := quietly(t)
			first := q.chair()
			extend := func() error { return q.bench.Extend(t.Context(), first, q.blind, "Əlavə sınaq gözlənilir") }
			q.later += 28 * 24 * time.Hour
			if when == "before" {
				q.must(extend())
				q.pass(1)
			} else {
				passes, wishes := q.meanwhile("messages", func() error { _, err := q.decider.PassOver(t.Context()); return err }, extend)
				if q.must(passes); !errors.Is(wishes, tseras.ErrPassed) {
					t.Errorf("the wish: %v", wishes)
				}
			}
			q.draws()
			due := q.expect(q.fin, q.number, tseras.Drawn).Clock.DueBy
			q.decideOnce()
			if s := q.expect(q.fin, q.number, tseras.Drawn); len(q.extended()) != 0 || s.Clock.DueBy != due {
				t.Errorf("extended by %v, until %s instead of %s", q.extended(), s.Clock.DueBy, due)
			}
		})
	}
}

// A register that is corrected while a commission has the case is asked again when that commission is passed over: the next one reads what it says now.
func TestARegisterCorrectedUnderASilentCommissionIsAskedAgain(t *testing.T) {
	q := quietly(t)
	_, by := subject("nermin")
	k, err := q.desk.AskCorrection(t.Context(), q.fin, q.number, gateway.Episodes, "never-was", "Orada müalicə almamışam", by, "form-2")
	q.must(err)
	q.correct()
	q.expect(q.fin, k.Number, tseras.Corrected)
	if s := q.expect(q.fin, q.number, tseras.Drawn); len(s.Steps) == 0 {
		t.Fatal("no steps")
	}
	s := q.silence()
	if n := len(s.Steps); s.State != tseras.Gathering || s.Steps[n-1].What != tseras.StepRegisterCorrected || s.Steps[n-2].What != tseras.StepAnother {
		t.Fatalf("%s: %+v", s.State, s.Steps[len(s.Steps)-2:])
	}
	if !q.state(q.fin, k.Number).Correction.Reopened {
		t.Error("the person does not read that the registers are asked again")
	}
	q.must(q.gather())
	fresh := q.draws()
	if len(fresh) != 3 {
		t.Fatalf("%d were drawn", len(fresh))
	}
	for _, fin := range fresh {
		b, err := q.bench.Open(t.Context(), fin, q.blind)
		q.must(err)
		if slices.ContainsFunc(b.Referral.Facts, func(f tseras.BlindFact) bool { return f.Register == gateway.Episodes }) {
			t.Errorf("%s sees %+v", fin, b.Referral.Facts)
		}
	}
	// The next commission that says nothing is replaced without the registers: nothing was corrected since.
	if s := q.silence(); s.State != tseras.AwaitingDraw {
		t.Errorf("after a second silence it is %s", s.State)
	}
	again := q.draws()
	q.finds(2, again...)
	q.decideOnce()
	q.ends(3)
}
