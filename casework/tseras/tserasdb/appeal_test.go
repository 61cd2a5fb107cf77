package tserasdb_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

var disputed = tseras.Dispute{Points: []tseras.Point{tseras.OfActivities, tseras.OfOther}, Words: "Nərmin Quliyeva: evdən tək çıxa bilmirəm"}

// decided refers Nərmin, and lets a commission that finds a grade decide.
func (w *world) decided(grade int) (s tseras.Shown) {
	w.Helper()
	fin, _ := subject("nermin")
	c, err := w.desk.Refer(w.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	w.decide(fin, c.Number, grade)
	s = w.expect(fin, c.Number, tseras.Decided)
	return s
}

// decide lets everybody who has a seat in a case that is drawn record the same grade and sign.
func (w *world) decide(fin tesdiq.FIN, number string, grade int) tseras.BlindNumber {
	w.Helper()
	w.expect(fin, number, tseras.Drawn)
	blind := w.blind(number)
	w.record(w.seats(blind), func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", grade) })
	w.work()
	w.expect(fin, number, tseras.Signing)
	w.sign(blind, "")
	w.work()
	return blind
}

// blind is the number by which a case's commission knows it.
func (w *world) blind(number string) (blind tseras.BlindNumber) {
	w.Helper()
	w.must(w.db.Admin.QueryRow(w.Context(), `SELECT b.number FROM tseras_blind b JOIN cases c ON c.id = b.case_id WHERE c.number = $1`, number).Scan(&blind))
	return blind
}

// appealed appeals against a decision, and lets a commission be drawn.
func (w *world) appealed(first tseras.Shown) tseras.Shown {
	w.Helper()
	by := casework.Actor{Part: casework.BySubject, FIN: first.Subject}
	c, err := w.desk.Appeal(w.Context(), first.Subject, first.Number, by, disputed, "form")
	w.must(err)
	w.work()
	s := w.expect(first.Subject, c.Number, tseras.Drawn)
	if s.Examined == nil || s.Examined.Slot.Place == "" {
		w.Fatalf("no slot: %+v", s)
	}
	return s
}

// meets puts the clock forward to when the person is expected.
func (w *world) meets(s tseras.Shown) {
	w.Helper()
	w.later = time.Until(s.Examined.Slot.Starts) + time.Minute
}

// over moves the clock to the end of the slot.
func (w *world) over(s tseras.Shown) {
	w.Helper()
	w.later = time.Until(s.Examined.Slot.Ends) + time.Minute
}

// heard is what the person was told of appeals, in order.
func (w *world) heard(fin tesdiq.FIN) (keys []string) {
	w.Helper()
	rows, err := w.db.Admin.Query(w.Context(), `SELECT substr(key, 23) FROM messages WHERE fin = $1 AND key LIKE 'tseras-appeal.message.%' ORDER BY id`, fin)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var key string
		w.must(rows.Scan(&key))
		keys = append(keys, key)
	}
	return keys
}

// entries are the numbers of a person's examinations.
func (w *world) entries(fin tesdiq.FIN) (numbers []string) {
	w.Helper()
	all, err := registrydb.Reader{Pool: w.db.Pool(postgres.Cabinet)}.Examinations(w.Context(), fin)
	w.must(err)
	for _, e := range all {
		numbers = append(numbers, e.Head.Number)
	}
	return numbers
}

// panel is the commission that a case was drawn for, and all of its seats' people.
func (w *world) panel(number string) (commissions []string, people []tesdiq.FIN) {
	w.Helper()
	rows, err := w.db.Admin.Query(w.Context(), `
		SELECT m.commission_id, m.fin FROM cases c JOIN tseras_blind b ON b.case_id = c.id JOIN tseras_seats s ON s.number = b.number
		JOIN commission_members m ON m.id = s.member_id WHERE c.number = $1 ORDER BY s.role`, number)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var k string
		var fin tesdiq.FIN
		w.must(rows.Scan(&k, &fin))
		commissions, people = append(commissions, k), append(people, fin)
	}
	return commissions, people
}

// result is what a decision package says.
func (w *world) result(pack []byte) (r criteria.Result) {
	w.Helper()
	p, err := criteria.ReadPackage(pack)
	w.must(err)
	_, r, err = p.Again()
	w.must(err)
	return r
}

func TestAnAppealConfirms(t *testing.T) {
	w := newWorld(t)
	first := w.decided(3)
	before := w.entries(first.Subject)
	s := w.appealed(first)
	if s.First == nil || s.First.Number != first.Number || s.Clock.Turn != casework.Commission || s.Clock.DueBy.IsZero() || s.LawOn != first.LawOn {
		t.Errorf("%+v", s)
	}
	if s.Dispute.Words != disputed.Words || !slices.Equal(s.Dispute.Points, disputed.Points) {
		t.Errorf("disputed: %+v", s.Dispute)
	}
	if first, _, err := tesdiq.AzerbaijanCalendar().Term(tesdiq.DateOf(w.now()), 3); err != nil || tesdiq.DateOf(s.Examined.Slot.Starts).Before(first) {
		t.Errorf("the slot is on %s, without three working days' notice: %v", s.Examined.Slot.Starts, err)
	}
	k, who := w.panel(first.Number)
	again, whoAgain := w.panel(s.Number)
	if again[0] == k[0] {
		t.Errorf("the same commission %s", k[0])
	}
	for _, fin := range whoAgain {
		if slices.Contains(who, fin) {
			t.Errorf("%s had a part in the first decision", fin)
		}
	}
	// Nothing is recorded before the person comes, and nobody says that he did not.
	for fin, seat := range w.seats(w.blind(s.Number)) {
		if seat.Kind != tseras.Appeal || seat.Meets == nil || !seat.Waits(w.now()) || seat.Meets.Place != s.Examined.Slot.Place {
			t.Errorf("%+v", seat)
		}
		if err := w.bench.Record(t.Context(), fin, seat.Number, findings("joints-rheumatoid", 3)); !errors.Is(err, tseras.ErrEarly) {
			t.Errorf("recorded before the person has come: %v", err)
		}
		if err := w.bench.Absent(t.Context(), fin, seat.Number, 1); err == nil {
			t.Error("absent before the slot")
		}
	}
	w.meets(s)
	number := w.decide(first.Subject, s.Number, 3)
	done := w.expect(first.Subject, s.Number, tseras.Decided)
	if after := w.entries(first.Subject); !slices.Equal(after, before) || done.Entry != "" {
		t.Errorf("entered %s, %v", done.Entry, after)
	}
	p, err := criteria.ReadPackage(done.Package)
	w.must(err)
	in, r, err := p.Again()
	w.must(err)
	if p.Case != s.Number || len(p.Signatures) != 3 || !tseras.Confirms(w.result(done.First.Package), r) {
		t.Errorf("%+v", p)
	}
	if len(in.Prior) != len(before)-1 {
		t.Errorf("the appeal decides in place of the first decision, and knows %d of %d earlier ones", len(in.Prior), len(before))
	}
	if got := w.heard(first.Subject); !slices.Equal(got, []string{"appealed", "slot", "confirmed"}) {
		t.Errorf("told: %v", got)
	}
	if len(done.Looks) != 3 {
		t.Errorf("%d looks", len(done.Looks))
	}
	// What the person wrote is nowhere where members read.
	for fin := range w.seats(number) {
		b, err := w.bench.Open(t.Context(), fin, number)
		w.must(err)
		if text := sprint(b); strings.Contains(text, "Nərmin") || strings.Contains(text, "evdən") || strings.Contains(text, string(tseras.OfActivities)+"\",\"other") {
			t.Errorf("a member reads %s", text)
		}
	}
	w.drawnRight()
}

func TestAnAppealReplaces(t *testing.T) {
	w := newWorld(t)
	first := w.decided(2)
	before := w.entries(first.Subject)
	s := w.appealed(first)
	w.meets(s)
	w.decide(first.Subject, s.Number, 3)
	done := w.expect(first.Subject, s.Number, tseras.Decided)
	after := w.entries(first.Subject)
	if len(after) != len(before)+1 || done.Entry == "" || done.Entry == first.Entry || !slices.Contains(after, done.Entry) {
		t.Fatalf("entered %q, %v", done.Entry, after)
	}
	r, old := w.result(done.Package), w.result(first.Package)
	if r.Loss <= old.Loss {
		t.Errorf("%d percent after %d", r.Loss, old.Loss)
	}
	// The further entry supersedes the first one, by the order of the book.
	all, err := registrydb.Reader{Pool: w.db.Pool(postgres.Cabinet)}.Examinations(t.Context(), first.Subject)
	w.must(err)
	latest := all[0]
	for _, e := range all {
		if e.EffectiveOn.After(latest.EffectiveOn) || e.EffectiveOn == latest.EffectiveOn && e.Head.ID > latest.Head.ID {
			latest = e
		}
	}
	if latest.Head.Number != done.Entry || int(latest.Loss) != r.Loss || latest.From != r.From {
		t.Errorf("%+v", latest)
	}
	if last := done.Steps[len(done.Steps)-1]; last.What != tseras.Replaced {
		t.Errorf("%+v", last)
	}
	if got := w.heard(first.Subject); !slices.Equal(got, []string{"appealed", "slot", "replaced"}) {
		t.Errorf("told: %v", got)
	}
	if x := w.expect(first.Subject, first.Number, tseras.Decided); len(x.Appeals) != 1 || x.Appeals[0].Number != s.Number {
		t.Errorf("%+v", x.Appeals)
	}
}

// A decision that the registers alone made has no referral: the commission reads what they said.
func TestAnAppealAgainstTheRegistersAlone(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	first := w.expect(fin, c.Number, tseras.Decided)
	w.work() // commits to a round
	s := w.appealed(first)
	blind := w.blind(s.Number)
	for fin := range w.seats(blind) {
		b, err := w.bench.Open(t.Context(), fin, blind)
		w.must(err)
		if b.Referral.Main.Code != "" || b.Referral.Ground != "" || len(b.Referral.Facts) == 0 || b.Referral.Age == 0 {
			t.Errorf("%+v", b.Referral)
		}
	}
	w.meets(s)
	old := w.result(first.Package)
	same := criteria.Findings{Activities: findings("x", 1).Activities}
	for _, v := range old.Conditions {
		same.Conditions = append(same.Conditions, v.Condition)
	}
	w.record(w.seats(blind), func(tseras.Seat) criteria.Findings { return same })
	w.work()
	w.expect(fin, s.Number, tseras.Signing)
	w.sign(blind, "")
	w.work()
	done := w.expect(fin, s.Number, tseras.Decided)
	if r := w.result(done.Package); r.Alone || !tseras.Confirms(old, r) {
		t.Errorf("%+v\n%+v", old, r)
	}
	w.drawnRight()
}

func TestTheRightToAppeal(t *testing.T) {
	w := newWorld(t)
	first := w.decided(2)
	fin, by := first.Subject, casework.Actor{Part: casework.BySubject, FIN: first.Subject}
	other, asOther := subject("oqtay")
	if _, err := w.desk.Appeal(t.Context(), other, first.Number, asOther, disputed, "form"); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("somebody else appeals: %v", err)
	}
	for what, d := range map[string]tseras.Dispute{
		"nothing":       {},
		"unknown":       {Points: []tseras.Point{"x"}},
		"twice":         {Points: []tseras.Point{tseras.OfTerm, tseras.OfTerm}},
		"other, silent": {Points: []tseras.Point{tseras.OfOther}},
		"a novel":       {Points: []tseras.Point{tseras.OfTerm}, Words: strings.Repeat("a", 1001)},
	} {
		var ps tesdiq.Problems
		if _, err := w.desk.Appeal(t.Context(), fin, first.Number, by, d, "form"); !errors.As(err, &ps) {
			t.Errorf("%s: %v", what, err)
		}
	}
	clerk := casework.Actor{Part: casework.ByClerk, FIN: people.Who("oqtay").FIN, Office: "Nümunə poçt"}
	// R20: the same form at once many times is one appeal.
	var once sync.WaitGroup
	numbers := make([]string, 6)
	for i := range numbers {
		once.Go(func() {
			c, err := w.desk.Appeal(t.Context(), fin, first.Number, clerk, disputed, "form")
			if err != nil {
				t.Errorf("the same form: %v", err)
			}
			numbers[i] = c.Number
		})
	}
	once.Wait()
	if n := len(slices.Compact(slices.Sorted(slices.Values(numbers)))); n != 1 {
		t.Errorf("%d appeals", n)
	}
	if _, err := w.desk.Appeal(t.Context(), fin, first.Number, by, disputed, "another form"); !errors.Is(err, tseras.ErrAppealed) {
		t.Errorf("a second one: %v", err)
	}
	if s := w.state(fin, numbers[0]); s.Steps[0].By != clerk {
		t.Errorf("the person sees of the clerk: %+v", s.Steps[0].By)
	}
	if _, err := w.desk.Apply(t.Context(), fin, by, "form-2"); !errors.Is(err, casework.ErrOpen) {
		t.Errorf("an assessment while an appeal is open: %v", err)
	}
	// Taken back it may be filed again within the time, to the last day.
	w.must(w.desk.Withdraw(t.Context(), fin, numbers[0], by))
	last := tseras.AppealUntil(first.Since)
	w.later = time.Until(last.End()) - time.Minute
	c, err := w.desk.Appeal(t.Context(), fin, first.Number, by, disputed, "form-3")
	w.must(err)
	w.must(w.desk.Withdraw(t.Context(), fin, c.Number, by))
	w.later = time.Until(last.End()) + time.Minute
	var p *tesdiq.Problem
	if _, err := w.desk.Appeal(t.Context(), fin, first.Number, by, disputed, "form-4"); !errors.As(err, &p) || p.Key != "tseras.appeal.late" {
		t.Errorf("a minute too late: %v", err)
	}
	if tesdiq.DateOf(first.Since).DaysUntil(last) != 30 {
		t.Errorf("until %s after %s", last, first.Since)
	}
	if _, err := w.desk.Appeal(t.Context(), fin, c.Number, by, disputed, "form-5"); !errors.Is(err, casework.ErrState) {
		t.Errorf("an appeal against an appeal: %v", err)
	}
}

func TestAnOlderDecisionIsNotAppealed(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	w.expect(fin, c.Number, tseras.Decided)
	_, err = w.desk.Apply(t.Context(), fin, by, "form-2")
	w.must(err)
	if _, err := w.desk.Appeal(t.Context(), fin, c.Number, by, disputed, "form"); !errors.Is(err, casework.ErrOpen) {
		t.Errorf("while another assessment is open: %v", err)
	}
	w.work()
	if _, err := w.desk.Appeal(t.Context(), fin, c.Number, by, disputed, "form"); !errors.Is(err, tseras.ErrNewer) {
		t.Errorf("against an older decision: %v", err)
	}
}

func TestASlotIsMoved(t *testing.T) {
	w := newWorld(t)
	s := w.appealed(w.decided(2))
	fin, by := s.Subject, casework.Actor{Part: casework.BySubject, FIN: s.Subject}
	had := s.Examined.Slot
	for i := range 2 {
		free, err := w.desk.Slots(t.Context(), fin, s.Number)
		if err != nil || len(free) < 10 {
			t.Fatalf("%d slots, %v", len(free), err)
		}
		to := free[3+i]
		w.must(w.desk.Move(t.Context(), fin, s.Number, by, to.Starts))
		s = w.expect(fin, s.Number, tseras.Drawn)
		if !s.Examined.Slot.Starts.Equal(to.Starts) || s.Examined.Moves != 1-i || s.Examined.N != 2+i {
			t.Errorf("%+v", s.Examined)
		}
	}
	free, err := w.desk.Slots(t.Context(), fin, s.Number)
	w.must(err)
	if !slices.ContainsFunc(free, func(f tseras.Slot) bool { return f.Starts.Equal(had.Starts) }) {
		t.Error("the slot that was given back is nobody's")
	}
	if err := w.desk.Move(t.Context(), fin, s.Number, by, free[0].Starts); !errors.Is(err, tseras.ErrNoMoves) {
		t.Errorf("a third time: %v", err)
	}
	other, asOther := subject("oqtay")
	if err := w.desk.Move(t.Context(), other, s.Number, asOther, free[0].Starts); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("somebody else moves it: %v", err)
	}
	// Who cannot come has a new one, once; and it may be the first one's turn again.
	w.must(w.desk.CannotCome(t.Context(), fin, s.Number, by))
	moved := w.expect(fin, s.Number, tseras.Drawn)
	if !moved.Examined.Slot.Starts.After(s.Examined.Slot.Starts) || moved.Examined.Again != 0 {
		t.Errorf("%+v", moved.Examined)
	}
	if err := w.desk.CannotCome(t.Context(), fin, s.Number, by); !errors.Is(err, tseras.ErrNoneAgain) {
		t.Errorf("a second time: %v", err)
	}
	if got := w.heard(fin); !slices.Equal(got, []string{"appealed", "slot", "slot_moved", "slot_moved", "slot_cannot"}) {
		t.Errorf("told: %v", got)
	}
	if moved.Clock.Began != s.Clock.Began || !moved.Clock.DueBy.After(tesdiq.DateOf(moved.Examined.Slot.Starts)) {
		t.Errorf("due by %s, the slot is on %s", moved.Clock.DueBy, moved.Examined.Slot.Starts)
	}
	// Taken back, its slot is free for others.
	w.must(w.desk.Withdraw(t.Context(), fin, s.Number, by))
	var held int
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM tseras_slots_held`).Scan(&held))
	if held != 0 {
		t.Errorf("%d slots are held by nobody's case", held)
	}
}

func TestWhoDoesNotComeHasAnotherSlotOnce(t *testing.T) {
	w := newWorld(t)
	first := w.decided(2)
	s := w.appealed(first)
	for i := range 2 {
		w.meets(s)
		if _, err := w.desk.Slots(t.Context(), s.Subject, s.Number); !errors.Is(err, casework.ErrState) {
			t.Errorf("moved when it has begun: %v", err)
		}
		for fin, seat := range w.seats(w.blind(s.Number)) {
			if err := w.bench.Absent(t.Context(), fin, seat.Number, i+1); seat.Role == tseras.Chair && !errors.Is(err, tseras.ErrGoesOn) {
				t.Errorf("absent while he may still come: %v", err)
			}
		}
		w.over(s)
		for fin, seat := range w.seats(w.blind(s.Number)) {
			err := w.bench.Absent(t.Context(), fin, seat.Number, i+1)
			if (err == nil) != (seat.Role == tseras.Chair) {
				t.Errorf("%s: %v", seat.Role, err)
			}
		}
		for fin, seat := range w.seats(w.blind(s.Number)) {
			if err := w.bench.Record(t.Context(), fin, seat.Number, findings("joints-rheumatoid", 2)); !errors.Is(err, casework.ErrState) {
				t.Errorf("recorded of somebody who did not come: %v", err)
			}
		}
		w.work()
		if i == 0 {
			again := w.expect(s.Subject, s.Number, tseras.Drawn)
			if !again.Examined.Slot.Starts.After(s.Examined.Slot.Starts) || again.Examined.Again != 0 {
				t.Errorf("%+v", again.Examined)
			}
			s = again
		}
	}
	s = w.expect(s.Subject, s.Number, tseras.Lapsed)
	if last := s.Steps[len(s.Steps)-1]; last.By.Part != casework.ByChair || last.By.Office == "" || s.Package != nil {
		t.Errorf("%+v", last)
	}
	if got := w.heard(s.Subject); !slices.Equal(got, []string{"appealed", "slot", "slot_absent", "lapsed"}) {
		t.Errorf("told: %v", got)
	}
	by := casework.Actor{Part: casework.BySubject, FIN: s.Subject}
	if _, err := w.desk.Appeal(t.Context(), s.Subject, first.Number, by, disputed, "form-2"); !errors.Is(err, tseras.ErrAppealed) {
		t.Errorf("once more: %v", err)
	}
	w.drawnRight()
}

// What the chair says and what a member records at the same moment cannot both be so.
func TestNobodyIsBothSeenAndAbsent(t *testing.T) {
	w := newWorld(t)
	s := w.appealed(w.decided(2))
	w.over(s)
	var both sync.WaitGroup
	var mu sync.Mutex
	said := 0
	for fin, seat := range w.seats(w.blind(s.Number)) {
		both.Go(func() {
			var err error
			if seat.Role == tseras.Chair {
				err = w.bench.Absent(t.Context(), fin, seat.Number, 1)
			} else {
				err = w.bench.Record(t.Context(), fin, seat.Number, findings("joints-rheumatoid", 2))
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil && seat.Role == tseras.Chair:
				said += 10
			case err == nil:
				said++
			case !errors.Is(err, casework.ErrState):
				t.Error(err)
			}
		})
	}
	both.Wait()
	if said != 10 && said != 2 {
		t.Errorf("said: %d", said)
	}
}

func TestThePersonIsRemindedTheWorkingDayBefore(t *testing.T) {
	w := newWorld(t)
	s := w.appealed(w.decided(2))
	r := tserasdb.Reminders{Pool: w.db.Pool(postgres.Casework), Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now}
	day, err := tseras.Reminder(r.Calendar, s.Examined.Slot)
	w.must(err)
	for _, c := range []struct {
		at   time.Time
		want int
	}{{day.Start().Add(-time.Minute), 0}, {day.Start().Add(time.Minute), 1}, {day.Start().Add(time.Hour), 0}, {s.Examined.Slot.Starts.Add(-time.Minute), 0}} {
		w.later = time.Until(c.at)
		if n, err := r.Remind(t.Context()); err != nil || n != c.want {
			t.Errorf("at %s %d were reminded, want %d; %v", c.at, n, c.want, err)
		}
	}
	if got := w.heard(s.Subject); !slices.Equal(got, []string{"appealed", "slot", "slot_tomorrow"}) {
		t.Errorf("told: %v", got)
	}
}

// A11 for an appeal: in all that its members are sent there is nothing that tells who comes, who sent him, what was decided first or
// what he wrote; and the road goes by the pages.
func TestMembersSeeWhoComesByANumberAlone(t *testing.T) {
	s := newWorld(t).site()
	first := s.decided(2)
	a := s.appealed(first)
	path := "/commission/" + string(s.blind(a.Number))
	var members []*reader
	for fin, seat := range s.seats(s.blind(a.Number)) {
		m := s.signedIn(fin)
		members = append(members, m)
		for _, lang := range tesdiq.Langs {
			l, c := m.get("/commission?lang="+string(lang)), m.get(path+"?lang="+string(lang))
			if !strings.Contains(l.Body, tesdiq.ClockString(a.Examined.Slot.Starts)) || !strings.Contains(c.Body, a.Examined.Slot.Place) || !strings.Contains(c.Body, a.Examined.Ticket.String()) {
				t.Errorf("%s: %s %s", lang, l.Body, c.Body)
			}
			if strings.Contains(l.Body+c.Body, "tseras-commission.") || strings.Contains(c.Body, "/findings") || strings.Contains(c.Body, "/absent") || strings.Contains(c.Body, "/extend") {
				t.Errorf("before the person comes: %s", c.Body)
			}
		}
		m.get(path + "?lang=az")
		if r := m.post(path+"/findings", typed("joints-rheumatoid", "3")); r.Status != 409 {
			t.Errorf("recorded before: %d", r.Status)
		}
		if r := m.post(path+"/absent", url.Values{"n": {"1"}}); r.Status != 409 && (seat.Role == tseras.Chair || r.Status != 403) {
			t.Errorf("absent before: %d", r.Status)
		}
	}
	s.meets(a)
	for _, m := range members {
		if b := m.get(path).Body; !strings.Contains(b, path+"/findings") || strings.Contains(b, path+"/absent") {
			t.Errorf("while the person may come: %s", b)
		}
	}
	s.over(a)
	for _, m := range members {
		if b := m.get(path).Body; !strings.Contains(b, path+"/findings") || strings.Contains(b, path+"/absent") != (s.seats("")[m.fin].Role == tseras.Chair) {
			t.Errorf("when the person comes: %s", b)
		}
		if r := m.post(path+"/findings", typed("joints-rheumatoid", "3")); r.Status != 303 {
			t.Errorf("record: %d %s", r.Status, r.Body)
		}
	}
	s.work()
	s.expect(a.Subject, a.Number, tseras.Signing)
	for _, m := range members {
		m.get(path)
		m.get(m.provider(m.post(path+"/sign", nil), m.fin).Header.Get("Location"))
	}
	s.work()
	s.expect(a.Subject, a.Number, tseras.Decided)
	s.later = 0 // the referral is of the day on which it was written
	s.nothingOf("nermin", members)
	for _, m := range members {
		for _, hidden := range []string{disputed.Words, "evdən tək", first.Number, first.Entry, a.Number} {
			if strings.Contains(m.seen.String(), hidden) {
				t.Errorf("a member was sent %q", hidden)
			}
		}
	}
}
