package tserasdb_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/simulate"
)

// quiet is one case of which somebody says nothing.
type quiet struct {
	*world
	fin     tesdiq.FIN
	number  string
	blind   tseras.BlindNumber
	entries int64 // that there were before
}

// quietly refers Nərmin and lets a commission be drawn.
func quietly(t *testing.T) *quiet {
	t.Helper()
	q := &quiet{world: newWorld(t)}
	q.fin, _ = subject("nermin")
	q.must(q.db.Admin.QueryRow(t.Context(), `SELECT max(id) FROM entries`).Scan(&q.entries))
	c, err := q.desk.Refer(t.Context(), q.from, q.referral("nermin"), "signed")
	q.must(err)
	q.work()
	q.work()
	q.number, q.blind = c.Number, q.world.blind(c.Number)
	return q
}

// silence puts the clock so far forward that nobody is waited for any longer, and passes over.
func (q *quiet) silence() tseras.Shown {
	q.Helper()
	q.later += 28 * 24 * time.Hour
	return q.pass(1)
}

// pass passes over, and again, which does nothing; then what can be drawn is drawn.
func (q *quiet) pass(want int) tseras.Shown {
	q.Helper()
	for _, want := range []int{want, 0} {
		if n, err := q.decider.PassOver(q.Context()); err != nil || n != want {
			q.Fatalf("%d cases went on, not %d: %v", n, want, err)
		}
	}
	return q.state(q.fin, q.number)
}

// attending are those who have a seat and were not passed over, in the order of their numbers.
func (q *quiet) attending() (all []tesdiq.FIN, seats map[tesdiq.FIN]tseras.Seat) {
	q.Helper()
	seats = q.seats(q.blind)
	for fin, s := range seats {
		if !s.Passed {
			all = append(all, fin)
		}
	}
	slices.SortFunc(all, func(a, b tesdiq.FIN) int { // the chair first, then members, then further ones
		order := map[tseras.Role]int{tseras.Chair: 0, tseras.Member: 1, tseras.Further: 2}
		if d := order[seats[a].Role] - order[seats[b].Role]; d != 0 {
			return d
		}
		return len(a) - len(b) + map[bool]int{true: -1, false: 1}[a < b]
	})
	return all, seats
}

// record lets some look and record who have not.
func (q *quiet) finds(grade int, some ...tesdiq.FIN) {
	q.Helper()
	for _, fin := range some {
		b, err := q.bench.Open(q.Context(), fin, q.blind)
		q.must(err)
		if b.Recorded {
			continue
		}
		if b.Proposal != nil || b.Findings != nil {
			q.Errorf("%s sees something before he has recorded", fin)
		}
		q.must(q.bench.Record(q.Context(), fin, q.blind, findings("joints-rheumatoid", grade)))
	}
}

// says lets some look and say their word on what was proposed last.
func (q *quiet) says(signs bool, some ...tesdiq.FIN) {
	q.Helper()
	for _, fin := range some {
		b, err := q.bench.Open(q.Context(), fin, q.blind)
		q.must(err)
		w := tseras.Word{N: b.Proposal.N, Signs: signs, Evidence: "token"}
		if !signs {
			w.Reason, w.Evidence = "Nəticə tapıntılarıma uyğun deyil", ""
		}
		q.must(q.bench.Sign(q.Context(), fin, q.blind, w))
	}
}

// draws lets those be drawn who are called for, and returns who is new.
func (q *quiet) draws() (fresh []tesdiq.FIN) {
	q.Helper()
	before := q.seats(q.blind)
	for range 2 {
		_, err := q.drawer.Draw(q.Context())
		q.must(err)
	}
	all, _ := q.attending()
	return slices.DeleteFunc(all, func(fin tesdiq.FIN) bool { _, was := before[fin]; return was })
}

func (q *quiet) decideOnce() {
	q.Helper()
	_, err := q.decider.Decide(q.Context())
	q.must(err)
}

// ends lets everybody who attends sign, and looks whether all of it is as it must be: decided, told, recomputed, with its lines.
func (q *quiet) ends(signatures int) tseras.Shown {
	q.Helper()
	all, _ := q.attending()
	q.says(true, all...)
	q.decideOnce()
	s := q.expect(q.fin, q.number, tseras.Decided)
	var n int
	q.must(q.db.Admin.QueryRow(q.Context(), `SELECT count(*) FROM tseras_signatures g WHERE g.signs AND g.n = (SELECT max(n) FROM tseras_proposals WHERE number = g.number)`).Scan(&n))
	if n != signatures {
		q.Errorf("%d signatures, not %d", n, signatures)
	}
	q.audited()
	return s
}

func (q *quiet) audited() {
	q.Helper()
	_, wrong, err := simulate.Audit(q.Context(), q.db.Admin, q.entries, func(string) {})
	q.must(err)
	for _, what := range wrong {
		q.Error(what)
	}
	rounds, err := q.rounds.Drawn(q.Context(), 0, 100)
	q.must(err)
	for _, r := range rounds {
		round, err := q.rounds.Round(q.Context(), r.Number)
		q.must(err)
		if _, err := round.Verify(); err != nil {
			q.Error(err)
		}
	}
}

// passedOver says whether somebody can do nothing in the case any more, though he sits.
func (q *quiet) passedOver(some ...tesdiq.FIN) {
	q.Helper()
	for _, fin := range some {
		if s := q.seats(q.blind)[fin]; !s.Passed || s.Mine() {
			q.Errorf("%s was not passed over: %+v", fin, s)
		}
		if _, err := q.bench.Open(q.Context(), fin, q.blind); !errors.Is(err, tseras.ErrPassed) {
			q.Errorf("%s opens the case: %v", fin, err)
		}
		if err := q.bench.Record(q.Context(), fin, q.blind, findings("joints-rheumatoid", 2)); !errors.Is(err, tseras.ErrPassed) {
			q.Errorf("%s records: %v", fin, err)
		}
		if err := q.bench.Sign(q.Context(), fin, q.blind, tseras.Word{N: 1, Signs: true}); !errors.Is(err, tseras.ErrPassed) {
			q.Errorf("%s signs: %v", fin, err)
		}
	}
}

func (q *quiet) last(want string) {
	q.Helper()
	s := q.state(q.fin, q.number)
	if last := s.Steps[len(s.Steps)-1]; last.What != want {
		q.Errorf("the last step is %s, not %s", last.What, want)
	}
}

func TestWhoDoesNotRecordIsPassedOver(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	q.finds(2, all[0], all[2])
	q.decideOnce()
	q.later = 15 * 24 * time.Hour // the clock is over, and he is still waited for
	if n, err := q.decider.PassOver(t.Context()); err != nil || n != 0 {
		t.Fatalf("%d, %v", n, err)
	}
	s := q.silence()
	if s.State != tseras.FurtherMember || s.Clock.Turn != casework.Commission || !s.Clock.DueBy.After(tesdiq.DateOf(q.now())) {
		t.Errorf("%s, %+v", s.State, s.Clock)
	}
	q.last(tseras.StepSilent)
	q.passedOver(all[1])
	fresh := q.draws()
	if len(fresh) != 1 {
		t.Fatalf("%d were drawn", len(fresh))
	}
	q.finds(2, fresh...)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Signing)
	q.ends(3)
	if told := q.told("tseras.message.silent"); told != 1 {
		t.Errorf("told %d times", told)
	}
}

func (q *quiet) told(key string) (n int) {
	q.Helper()
	q.must(q.db.Admin.QueryRow(q.Context(), `SELECT count(*) FROM messages WHERE fin = $1 AND key = $2`, q.fin, key).Scan(&n))
	return n
}

// Two of three say nothing: two are drawn, and what the three who spoke find different is decided by one more.
func TestTwoWhoDoNotRecordArePassedOver(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	q.finds(2, all[2])
	q.silence()
	q.passedOver(all[0], all[1])
	fresh := q.draws()
	if len(fresh) != 2 {
		t.Fatalf("%d were drawn", len(fresh))
	}
	q.finds(3, fresh[0])
	q.finds(2, fresh[1])
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.FurtherMember)
	q.last("further_member")
	one := q.draws()
	if len(one) != 1 {
		t.Fatalf("%d were drawn", len(one))
	}
	// He is silent, too: yet another one.
	q.silence()
	q.passedOver(one...)
	other := q.draws()
	if len(other) != 1 || other[0] == one[0] {
		t.Fatalf("%v were drawn after %v", other, one)
	}
	q.finds(2, other...)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Signing)
	q.ends(4)
}

func TestAWholeCommissionThatIsSilentIsReplaced(t *testing.T) {
	q := quietly(t)
	all, seats := q.attending()
	s := q.silence()
	if s.State != tseras.AwaitingDraw || !s.Clock.DueBy.After(tesdiq.DateOf(q.now())) {
		t.Errorf("%s %+v", s.State, s.Clock)
	}
	q.passedOver(all...)
	fresh := q.draws()
	now, theirs := q.attending()
	if len(fresh) != 3 || len(now) != 3 || theirs[fresh[0]].Role != tseras.Chair || theirs[fresh[0]].Member[:3] == seats[all[0]].Member[:3] {
		t.Fatalf("%v after %v", theirs, seats)
	}
	q.finds(2, fresh...)
	q.decideOnce()
	q.ends(3)
	if told := q.told("tseras.message.another_commission"); told != 1 {
		t.Errorf("told %d times", told)
	}
}

// Between two commissions a register is corrected: the one that is drawn sees what the register says now, and the one before sees nothing more.
func TestAnotherCommissionSeesTheCorrectedRegister(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	b, err := q.bench.Open(t.Context(), all[0], q.blind)
	q.must(err)
	facts := len(b.Referral.Facts)
	if facts == 0 {
		t.Fatal("the registers say nothing that could be wrong")
	}
	q.silence()
	_, by := subject("nermin")
	_, err = q.desk.AskCorrection(t.Context(), q.fin, q.number, gateway.Episodes, "never-was", "Orada müalicə almamışam", by, "form-2")
	q.must(err)
	q.correct()
	q.expect(q.fin, q.number, tseras.Gathering)
	_, _, err = q.gatherer.Gather(t.Context(), 0)
	q.must(err)
	fresh := q.draws()
	if len(fresh) != 3 {
		t.Fatalf("%d were drawn", len(fresh))
	}
	for _, fin := range fresh {
		b, err := q.bench.Open(t.Context(), fin, q.blind)
		q.must(err)
		if len(b.Referral.Facts) >= facts || slices.ContainsFunc(b.Referral.Facts, func(f tseras.BlindFact) bool { return f.Register == gateway.Episodes }) {
			t.Errorf("%s sees %+v", fin, b.Referral.Facts)
		}
	}
	q.passedOver(all...)
	q.finds(2, fresh...)
	q.decideOnce()
	q.ends(3)
}

func TestWhoDoesNotSignIsPassedOver(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	q.finds(2, all...)
	q.decideOnce()
	q.says(true, all[0], all[1])
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Signing)
	q.silence()
	q.last(tseras.StepPassed)
	q.passedOver(all[2])
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Decided)
	q.audited()
}

// Two of three do not sign: one is too few, and two more are drawn, who find for themselves first.
func TestOneSignatureIsTooFew(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	q.finds(2, all...)
	q.decideOnce()
	q.says(true, all[1])
	q.silence()
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.FurtherMember)
	q.last(tseras.StepUndecided)
	fresh := q.draws()
	if len(fresh) != 2 {
		t.Fatalf("%d were drawn", len(fresh))
	}
	q.finds(2, fresh...)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Signing)
	q.ends(3)
}

// Nobody signs at all: the entry stands under the name of the commission of somebody who has signed.
func TestNobodySigns(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	q.finds(2, all...)
	q.decideOnce()
	q.silence()
	q.decideOnce()
	fresh := q.draws()
	if len(fresh) != 3 {
		t.Fatalf("%d were drawn", len(fresh))
	}
	q.finds(2, fresh...)
	q.decideOnce()
	s := q.ends(3)
	var by string
	q.must(q.db.Admin.QueryRow(t.Context(), `SELECT x.commission FROM examinations x JOIN entries e ON e.id = x.entry_id WHERE e.number = $1`, s.Entry).Scan(&by))
	var signed []string
	q.must(q.db.Admin.QueryRow(t.Context(), `SELECT array_agg(k.name) FROM tseras_signatures g JOIN commission_members m ON m.id = g.member_id JOIN commissions k ON k.id = m.commission_id`).Scan(&signed))
	if !slices.Contains(signed, by) {
		t.Errorf("entered by %s, signed by %v", by, signed)
	}
}

// Two of four refuse, and then three of five: each time one more is drawn, until more than half sign.
func TestWhatHalfRefuseToSignGoesToOneMore(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	q.finds(2, all...)
	q.decideOnce()
	q.says(false, all[0], all[1])
	q.says(true, all[2])
	q.decideOnce()
	q.last("refused")
	for refuse := range 2 { // with the further member two of four; then three of five
		fresh := q.draws()
		if len(fresh) != 1 {
			t.Fatalf("%d were drawn", len(fresh))
		}
		q.finds(2, fresh...)
		q.decideOnce()
		q.expect(q.fin, q.number, tseras.Signing)
		now, _ := q.attending()
		q.says(false, now[:2+refuse]...)
		q.says(true, now[2+refuse:]...)
		q.decideOnce()
		q.expect(q.fin, q.number, tseras.FurtherMember)
		q.last(tseras.StepUndecided)
	}
	q.finds(2, q.draws()...)
	q.decideOnce()
	now, _ := q.attending()
	if len(now) != 6 {
		t.Fatalf("%d attend", len(now))
	}
	q.says(false, now[:2]...)
	q.says(true, now[2:]...)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Decided)
	q.audited()
}

// Whose membership ends before he has spoken is not waited for: nobody else is missing.
func TestWhoIsAMemberNoMoreIsNotWaitedFor(t *testing.T) {
	q := quietly(t)
	all, seats := q.attending()
	op := tserasdb.Operator{Pool: q.db.Pool(postgres.Operator), Now: q.now, Rand: q.desk.Rand}
	q.must(op.EndMember(t.Context(), seats[all[1]].Member))
	if s := q.pass(0); s.State != tseras.Drawn {
		t.Errorf("%s while others are still to record", s.State)
	}
	q.finds(2, all[0], all[2])
	q.pass(1)
	q.expect(q.fin, q.number, tseras.FurtherMember)
	q.finds(2, q.draws()...)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Signing)
	// One more leaves before he has signed.
	q.must(op.EndMember(t.Context(), seats[all[2]].Member))
	now, _ := q.attending()
	now = slices.DeleteFunc(now, func(fin tesdiq.FIN) bool { return fin == all[2] || fin == all[1] })
	q.says(true, now...)
	q.pass(1)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Decided)
	q.audited()
}

// Where nobody may be drawn it is the turn of who appoints, and his clock rings each time that it is over; when somebody is appointed the case
// goes on by itself.
func TestWhereNobodyIsLeftTheClockRingsAgain(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	q.finds(2, all[0], all[1])
	op := tserasdb.Operator{Pool: q.db.Pool(postgres.Operator), Now: q.now, Rand: q.desk.Rand}
	rows, _ := q.db.Admin.Query(t.Context(), `SELECT id FROM commission_members WHERE NOT EXISTS (SELECT FROM tseras_seats s WHERE s.member_id = id)`)
	others, err := pgx.CollectRows(rows, pgx.RowTo[tseras.MemberID])
	q.must(err)
	for _, id := range others {
		q.must(op.EndMember(t.Context(), id))
	}
	q.silence()
	alarms := caseworkdb.Alarms{Pool: q.db.Pool(postgres.Casework), Calendar: tesdiq.AzerbaijanCalendar(), Now: q.now}
	rings := func() (n int) {
		_, err := alarms.Ring(t.Context())
		q.must(err)
		q.must(q.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM case_alarms WHERE turn = 'office' AND alarm = 'overdue'`).Scan(&n))
		return n
	}
	for n := range 3 {
		if fresh := q.draws(); len(fresh) != 0 {
			t.Fatalf("%v were drawn", fresh)
		}
		s := q.silence()
		if s.State != tseras.FurtherMember || s.Clock.Turn != casework.Office {
			t.Fatalf("%s, %+v", s.State, s.Clock)
		}
		q.last(tseras.StepNobody)
		if got := rings(); got != n {
			t.Errorf("it rang %d times, not %d", got, n)
		}
		q.later += 12 * 24 * time.Hour // the office's days are over
		if got := rings(); got != n+1 {
			t.Errorf("it rang %d times, not %d", got, n+1)
		}
		q.later -= 12 * 24 * time.Hour
	}
	for c := range commissions {
		_, err := op.AddMember(t.Context(), "K"+string('0'+rune((c+1)/10))+string('0'+rune((c+1)%10)), memberFIN(c+1, 5), "Həkim Nümunəvi", true)
		q.must(err)
	}
	q.draws()
	s := q.state(q.fin, q.number)
	if s.Clock.Turn != casework.Commission || s.State != tseras.FurtherMember {
		t.Fatalf("%s, %+v", s.State, s.Clock)
	}
	var fin tesdiq.FIN
	q.must(q.db.Admin.QueryRow(t.Context(), `SELECT m.fin FROM tseras_seats s JOIN commission_members m ON m.id = s.member_id WHERE s.role = 'further'`).Scan(&fin))
	q.finds(2, fin)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Signing)
	q.says(true, all[0], all[1], fin)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Decided)
	q.audited()
}

// Of an appeal whose commission says nothing the person is given a slot at another one, which does not count as his.
func TestAnAppealWhoseCommissionIsSilentIsSeenByAnother(t *testing.T) {
	w := newWorld(t)
	first := w.decided(3)
	s := w.appealed(first)
	q := &quiet{world: w, fin: first.Subject, number: s.Number, blind: w.blind(s.Number)}
	before := s.Examined.Slot
	all, _ := q.attending()
	shown := q.silence()
	if shown.State != tseras.AwaitingDraw || shown.Examined != nil {
		t.Fatalf("%s %+v", shown.State, shown.Examined)
	}
	q.passedOver(all...)
	if fresh := q.draws(); len(fresh) != 3 {
		t.Fatalf("%v were drawn", fresh)
	}
	shown = q.expect(q.fin, q.number, tseras.Drawn)
	x := shown.Examined
	if x == nil || x.Slot.Commission == before.Commission || !x.Slot.Starts.After(q.now()) || x.N != 2 || x.Moves != s.Examined.Moves || x.Again != s.Examined.Again {
		t.Fatalf("%+v after %+v", x, s.Examined)
	}
	w.meets(shown)
	now, _ := q.attending()
	q.finds(3, now...)
	q.decideOnce()
	q.says(true, now...)
	q.decideOnce()
	q.expect(q.fin, q.number, tseras.Decided)
}

// In eight processes at once, while a member records at the last moment: he has either recorded or was passed over.
func TestPassingOverAtOnce(t *testing.T) {
	q := quietly(t)
	all, _ := q.attending()
	q.finds(2, all[0], all[1])
	_, err := q.bench.Open(t.Context(), all[2], q.blind)
	q.must(err)
	q.later = 28 * 24 * time.Hour
	var wait sync.WaitGroup
	var moved, failed [8]error
	counts := [8]int{}
	for n := range counts {
		wait.Go(func() { counts[n], moved[n] = q.decider.PassOver(t.Context()) })
	}
	wait.Go(func() { failed[0] = q.bench.Record(t.Context(), all[2], q.blind, findings("joints-rheumatoid", 2)) })
	wait.Wait()
	went := 0
	for n := range counts {
		q.must(moved[n])
		went += counts[n]
	}
	if recorded := failed[0] == nil; recorded == (went == 1) || went > 1 {
		t.Errorf("passed over %d times, recorded %v", went, failed[0])
	}
	var passed int
	q.must(q.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM tseras_passed`).Scan(&passed))
	if passed != went {
		t.Errorf("%d rows of %d", passed, went)
	}
	q.audited()
}

// The database itself lets nobody speak who was passed over, and has one drawing for each step that calls for one.
func TestTheDatabaseKeepsWhoWasPassedOverSilent(t *testing.T) {
	q := quietly(t)
	all, seats := q.attending()
	q.finds(2, all[0], all[1])
	q.silence()
	q.draws()
	pool := q.db.Pool(postgres.Commission)
	for _, sql := range []string{
		`INSERT INTO tseras_findings (number, member_id, findings, recorded_at) VALUES (@number, @member, '{}', now())`,
	} {
		if _, err := pool.Exec(t.Context(), sql, pgx.NamedArgs{"number": q.blind, "member": seats[all[2]].Member}); err == nil {
			t.Errorf("%s: written", sql)
		}
	}
	if _, err := q.db.Pool(postgres.Casework).Exec(t.Context(), `INSERT INTO drawings (round, ref, case_id, seq, commitment, salt, drawing)
		SELECT (SELECT min(round) FROM draw_rounds), 'again', case_id, seq, commitment, salt, drawing FROM drawings ORDER BY seq DESC LIMIT 1`); err == nil {
		t.Error("drawn again for the same step")
	}
}
