package tserasdb_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

func subject(who string) (tesdiq.FIN, casework.Actor) {
	fin := people.Who(who).FIN
	return fin, casework.Actor{Part: casework.BySubject, FIN: fin}
}

func TestTheRegistersAloneDecide(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	s := w.expect(fin, c.Number, tseras.Decided)
	p, err := criteria.ReadPackage(s.Package)
	w.must(err)
	_, r, err := p.Again()
	if err != nil || !r.Alone || r.Band != "81-100" {
		t.Fatalf("%+v, %v", r, err)
	}
	x, err := registrydb.Reader{Pool: w.db.Pool(postgres.Cabinet)}.ExaminationByNumber(t.Context(), fin, s.Entry)
	if err != nil || x.Outcome != examination.Disability || x.Commission != tseras.ByRules || int(x.Loss) != r.Loss || !x.Repeat {
		t.Errorf("%+v, %v", x, err)
	}
	if s.Clock.Turn != casework.Nobody || len(s.Steps) != 2 || len(s.Looks) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestACommissionDecides(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("nermin")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	if again, err := w.desk.Apply(t.Context(), fin, by, "form-1"); err != nil || again.Number != c.Number {
		t.Errorf("the same form again: %s, %v", again.Number, err)
	}
	if _, err := w.desk.Apply(t.Context(), fin, by, "form-2"); !errors.Is(err, casework.ErrOpen) {
		t.Errorf("a second application: %v", err)
	}
	w.work()
	s := w.expect(fin, c.Number, tseras.AwaitingReferral)
	if s.Clock.Turn != casework.Institution || s.Clock.DueBy.IsZero() {
		t.Errorf("%+v", s.Clock)
	}
	referred, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	if again, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed"); err != nil || again.Number != referred.Number || again.Number != c.Number {
		t.Errorf("the same referral again: %s, %v", again.Number, err)
	}
	w.work()
	w.work()
	w.expect(fin, c.Number, tseras.Drawn)
	seats := w.seats("")
	if len(seats) != 3 {
		t.Fatalf("seats: %+v", seats)
	}
	number := w.record(seats, func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", 3) })
	w.work()
	w.expect(fin, c.Number, tseras.Signing)
	w.sign(number, "")
	w.work()
	s = w.expect(fin, c.Number, tseras.Decided)
	p, err := criteria.ReadPackage(s.Package)
	w.must(err)
	if _, r, err := p.Again(); err != nil || r.Alone || len(p.Signatures) != 3 {
		t.Errorf("%+v, %v, %d signatures", r, err, len(p.Signatures))
	}
	x, err := registrydb.Reader{Pool: w.db.Pool(postgres.Cabinet)}.ExaminationByNumber(t.Context(), fin, s.Entry)
	if err != nil || !strings.HasSuffix(x.Commission, "saylı TSEK") || !x.Repeat {
		t.Errorf("%+v, %v", x, err)
	}
	if s.Explains != explained {
		t.Errorf("the person reads of the chair: %q", s.Explains)
	}
	if len(s.Looks) != 3 {
		t.Errorf("the person sees %d looks of 3", len(s.Looks))
	}
	w.drawnRight()
}

// record lets everybody who has a seat look and record, and returns the case's blind number.
func (w *world) record(seats map[tesdiq.FIN]tseras.Seat, found func(tseras.Seat) criteria.Findings) (number tseras.BlindNumber) {
	w.Helper()
	for fin, s := range seats {
		if number = s.Number; s.Recorded {
			continue
		}
		blind, err := w.bench.Open(w.Context(), fin, s.Number)
		w.must(err)
		if blind.Findings != nil || blind.Proposal != nil {
			w.Errorf("%s sees something before he has recorded: %+v", fin, blind)
		}
		w.must(w.bench.Record(w.Context(), fin, s.Number, found(s)))
		if err := w.bench.Record(w.Context(), fin, s.Number, found(s)); err != nil {
			w.Errorf("the same again: %v", err)
		}
		other := found(s)
		other.Conditions = nil
		if err := w.bench.Record(w.Context(), fin, s.Number, other); !errors.Is(err, casework.ErrState) {
			w.Errorf("recorded twice: %v", err)
		}
	}
	return number
}

// explained is what the chair writes to the person.
const explained = "Yeni müayinənin nəticəsi daha ağırdır"

// sign lets everybody sign, but one role, who refuses.
func (w *world) sign(number tseras.BlindNumber, refuses tseras.Role) {
	w.Helper()
	for fin, s := range w.seats(number) {
		word := tseras.Word{N: 1, Signs: true, Evidence: "token"}
		if s.Role == refuses {
			word.Signs, word.Reason = false, "Nəticə tapıntılarıma uyğun deyil"
		} else if s.Explains() {
			word.Explains = explained
		}
		w.must(w.bench.Sign(w.Context(), fin, number, word))
		if err := w.bench.Sign(w.Context(), fin, number, word); !errors.Is(err, casework.ErrState) {
			w.Errorf("signed twice: %v", err)
		}
	}
}

// drawnRight recomputes every round from what is public, and expects all closed cases to be open.
func (w *world) drawnRight() {
	w.Helper()
	all, err := w.rounds.Drawn(w.Context(), 0, 100)
	w.must(err)
	opened := 0
	for _, s := range all {
		r, err := w.rounds.Round(w.Context(), s.Number)
		w.must(err)
		n, err := r.Verify()
		w.must(err)
		if n != s.Shown {
			w.Errorf("round %d: %d right of %d", s.Number, n, s.Shown)
		}
		opened += n
	}
	if opened == 0 {
		w.Error("no drawing is open")
	}
}

func TestAFurtherMemberDecidesBetweenThem(t *testing.T) {
	w := newWorld(t)
	fin, _ := subject("nermin")
	c, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	w.expect(fin, c.Number, tseras.Drawn)
	number := w.record(w.seats(""), func(s tseras.Seat) criteria.Findings {
		if s.Role == tseras.Chair {
			return findings("joints-rheumatoid", 3)
		}
		return findings("joints-rheumatoid", 2)
	})
	w.work()
	w.expect(fin, c.Number, tseras.FurtherMember)
	w.work()
	seats := w.seats(number)
	if len(seats) != 4 {
		t.Fatalf("seats: %+v", seats)
	}
	w.record(seats, func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", 3) })
	w.work()
	w.expect(fin, c.Number, tseras.Signing)
	w.sign(number, tseras.Chair)
	w.work()
	s := w.expect(fin, c.Number, tseras.Decided)
	p, err := criteria.ReadPackage(s.Package)
	w.must(err)
	if len(p.Signatures) != 3 {
		t.Errorf("three of four signed, and the package has %d signatures", len(p.Signatures))
	}
	in, _, err := p.Again()
	if err != nil || in.Findings.Conditions[0].Grade != 3 {
		t.Errorf("two against two, and the further member found 3: %+v, %v", in.Findings, err)
	}
	w.drawnRight()
}

func TestWhoRefusesToSignBringsAFurtherMember(t *testing.T) {
	w := newWorld(t)
	fin, _ := subject("nermin")
	c, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	found := func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", 2) }
	number := w.record(w.seats(""), found)
	w.work()
	w.sign(number, tseras.Chair)
	w.work()
	w.expect(fin, c.Number, tseras.FurtherMember)
	w.work()
	w.record(w.seats(number), found)
	w.work()
	w.expect(fin, c.Number, tseras.Signing)
	for fin, s := range w.seats(number) {
		if s.Signed {
			t.Fatalf("%s has signed what was not proposed yet", fin)
		}
		w.must(w.bench.Sign(t.Context(), fin, number, tseras.Word{N: 2, Signs: true, Evidence: "token"}))
	}
	w.work()
	w.expect(fin, c.Number, tseras.Decided)
}

// A chair who refuses to sign and to explain cannot keep a case from being decided: then the further member explains.
func TestAChairCannotBlockAResultThatDiffers(t *testing.T) {
	w := newWorld(t)
	fin, _ := subject("nermin")
	c, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	found := func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", 2) }
	number := w.record(w.seats(""), found)
	w.work()
	w.sign(number, tseras.Chair)
	w.work()
	w.work()
	w.record(w.seats(number), found)
	w.work()
	w.expect(fin, c.Number, tseras.Signing)
	_, err = w.db.Admin.Exec(t.Context(), `UPDATE tseras_proposals SET result = result || '{"differs": true}' WHERE n = 2`)
	w.must(err)
	const why = "Meyarların cədvəli dəyişib"
	for fin, s := range w.seats(number) {
		word := tseras.Word{N: 2, Signs: true, Evidence: "token"}
		switch s.Role {
		case tseras.Chair:
			word = tseras.Word{N: 2, Reason: "Nəticə tapıntılarıma uyğun deyil"}
		case tseras.Further:
			if err := w.bench.Sign(t.Context(), fin, number, word); len(tesdiq.ProblemsOf(err)) != 1 || tesdiq.ProblemsOf(err)[0].Key != "tseras.explains.missing" {
				t.Errorf("the further member signs without a word: %v", err)
			}
			word.Explains = why
		}
		w.must(w.bench.Sign(t.Context(), fin, number, word))
	}
	w.work()
	if s := w.expect(fin, c.Number, tseras.Decided); s.Explains != why {
		t.Errorf("the person reads %q", s.Explains)
	}
}

// However many cases cannot go on, those after them do: a batch that is full of them is not the last.
func TestManyThatCannotGoOnKeepNobodyWaiting(t *testing.T) {
	tserasdb.SmallBatches(t)
	w := newWorld(t)
	ctx := t.Context()
	for _, who := range []string{"nermin", "cavid"} {
		_, err := w.desk.Refer(ctx, w.from, w.referral(who), "signed")
		w.must(err)
	}
	_, _, err := w.gatherer.Gather(ctx, 0)
	w.must(err)
	for range 2 {
		_, err := w.drawer.Draw(ctx)
		w.must(err)
	}
	numbers := map[tseras.BlindNumber]bool{}
	for c := range commissions {
		for m := range 4 {
			seats, err := w.bench.Seats(ctx, memberFIN(c+1, m+1))
			w.must(err)
			for _, s := range seats {
				numbers[s.Number] = true
				if s.Recorded {
					continue
				}
				_, err := w.bench.Open(ctx, memberFIN(c+1, m+1), s.Number)
				w.must(err)
				w.must(w.bench.Record(ctx, memberFIN(c+1, m+1), s.Number, findings("joints-rheumatoid", 2)))
			}
		}
	}
	if len(numbers) != 2 {
		t.Fatalf("%d of 2 cases were drawn for", len(numbers))
	}
	moved, err := w.decider.Decide(ctx)
	if err != nil || moved != 2 {
		t.Fatalf("%d of 2 went on: %v", moved, err)
	}
	// What the first's commission signs cannot be read; it stays ripe for ever.
	var first tseras.BlindNumber
	w.must(w.db.Admin.QueryRow(ctx, `SELECT number FROM tseras_blind ORDER BY case_id LIMIT 1`).Scan(&first))
	_, err = w.db.Admin.Exec(ctx, `UPDATE tseras_proposals SET package = 'nothing' WHERE number = $1`, first)
	w.must(err)
	for number := range numbers {
		w.sign(number, "")
	}
	if moved, err := w.decider.Decide(ctx); err == nil || moved != 1 {
		t.Errorf("%d went on, %v", moved, err)
	}
	var states []string
	w.must(w.db.Admin.QueryRow(ctx, `SELECT array_agg(state ORDER BY id) FROM cases`).Scan(&states))
	if states[0] != "signing" || states[1] != "decided" {
		t.Errorf("%v", states)
	}
}

// A register that does not answer is seen on the case and never taken for "nothing": nothing is decided.
func TestASilentRegisterIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	w.agencies.SetFaults([]agencies.Fault{{Register: gateway.Oncology, Kind: agencies.Down}})
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	s := w.expect(fin, c.Number, tseras.Gathering)
	if silent := s.Evidence.Silent(); len(silent) != 1 || silent[0] != gateway.Oncology {
		t.Errorf("silent: %v", silent)
	}
	if o, _ := s.Evidence.Of(gateway.Oncology); o.Why != gateway.Unreachable || o.Again.IsZero() {
		t.Errorf("%+v", o)
	}
	w.agencies.SetFaults(nil)
	w.work()
	w.expect(fin, c.Number, tseras.Gathering) // it is not asked again before its time
	w.later += 4 * time.Hour
	w.work()
	w.expect(fin, c.Number, tseras.Decided)
}

func TestWithdrawn(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("nermin")
	c, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	other, asOther := subject("oqtay")
	if err := w.desk.Withdraw(t.Context(), other, c.Number, asOther); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("somebody else withdraws: %v", err)
	}
	w.must(w.desk.Withdraw(t.Context(), fin, c.Number, by))
	if err := w.desk.Withdraw(t.Context(), fin, c.Number, by); !errors.Is(err, casework.ErrState) {
		t.Errorf("withdrawn twice: %v", err)
	}
	for member, s := range w.seats("") {
		if err := w.bench.Record(t.Context(), member, s.Number, findings("joints-rheumatoid", 2)); !errors.Is(err, casework.ErrState) {
			t.Errorf("recorded for a withdrawn case: %v", err)
		}
	}
	w.work()
	w.expect(fin, c.Number, tseras.Withdrawn)
	if _, err := w.desk.Apply(t.Context(), fin, by, "form-9"); err != nil {
		t.Errorf("a new application: %v", err)
	}
}

// S19: who withdraws once he knows his commission, and asks again, has the same one again; also if he asks and withdraws in between.
func TestWhoAsksAgainDrawsNoOtherCommission(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("nermin")
	var first []tesdiq.FIN
	for n := range 4 {
		r := w.referral("nermin")
		r.Number += fmt.Sprint("/", n)
		c, err := w.desk.Refer(t.Context(), w.from, r, "signed")
		w.must(err)
		if n == 2 { // before anybody was drawn
			w.must(w.desk.Withdraw(t.Context(), fin, c.Number, by))
			continue
		}
		w.work()
		w.work()
		w.expect(fin, c.Number, tseras.Drawn)
		var blind tseras.BlindNumber
		w.must(w.db.Admin.QueryRow(t.Context(), `SELECT b.number FROM tseras_blind b JOIN cases c ON c.id = b.case_id WHERE c.number = $1`, c.Number).Scan(&blind))
		drawn := slices.Sorted(maps.Keys(w.seats(blind)))
		if n > 0 && !slices.Equal(drawn, first) {
			t.Errorf("asked again: %v, before: %v", drawn, first)
		}
		first = drawn
		w.must(w.desk.Withdraw(t.Context(), fin, c.Number, by))
	}
	// What the same members will be drawn for again stays sealed so long, by the districts that were left out in it.
	openings := func() (n int) {
		t.Helper()
		list, err := w.rounds.Drawn(t.Context(), 0, 100)
		w.must(err)
		for _, r := range list {
			round, err := w.rounds.Round(t.Context(), r.Number)
			w.must(err)
			if len(round.Opened) != r.Shown {
				t.Errorf("round %d opens %d and says %d", r.Number, len(round.Opened), r.Shown)
			}
			n += len(round.Opened)
		}
		return n
	}
	if n := openings(); n != 0 {
		t.Errorf("%d drawings of withdrawn cases are open", n)
	}
	w.later = 400 * 24 * time.Hour
	if n := openings(); n != 3 {
		t.Errorf("a year later %d of 3 drawings are open", n)
	}
	for n := range 20 { // a year later it is chance again: one of 20 draws among eleven commissions is another, but once in 10^20
		r := w.referral("nermin")
		r.Number += fmt.Sprint("/later/", n)
		c, err := w.desk.Refer(t.Context(), w.from, r, "signed")
		w.must(err)
		w.work()
		w.work()
		var blind tseras.BlindNumber
		w.must(w.db.Admin.QueryRow(t.Context(), `SELECT b.number FROM tseras_blind b JOIN cases c ON c.id = b.case_id WHERE c.number = $1`, c.Number).Scan(&blind))
		if !slices.Equal(slices.Sorted(maps.Keys(w.seats(blind))), first) {
			return
		}
		w.must(w.desk.Withdraw(t.Context(), fin, c.Number, by))
		w.later += 400 * 24 * time.Hour
	}
	t.Error("years later it is the same commission each time")
}

// S20, A11: who has no seat sees nothing, whatever he knows; and what members read holds nothing of the person.
func TestOnlyWhoWasDrawnSeesTheCase(t *testing.T) {
	w := newWorld(t)
	a := people.Who("nermin")
	_, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	seats := w.seats("")
	var number tseras.BlindNumber
	for fin, s := range seats {
		number = s.Number
		b, err := w.bench.Open(t.Context(), fin, number)
		w.must(err)
		text := strings.ToUpper(sprint(b))
		for _, id := range []string{string(a.FIN), a.Name.Surname, a.Name.Given, string(a.Card), a.Born.ISO(), a.Born.String(), "88/nermin", w.from.Name, string(w.from.District), people.DistrictOf(a.FIN)} {
			if strings.Contains(text, strings.ToUpper(id)) {
				t.Errorf("a member reads %q", id)
			}
		}
	}
	for c := range commissions {
		for m := range 4 {
			fin := memberFIN(c+1, m+1)
			if _, drawn := seats[fin]; drawn {
				continue
			}
			if _, err := w.bench.Open(t.Context(), fin, number); !errors.Is(err, casework.ErrMissing) {
				t.Errorf("%s has no seat, and: %v", fin, err)
			}
		}
	}
	pool := w.db.Pool(postgres.Commission)
	for _, sql := range []string{
		`SELECT subject FROM cases`, `SELECT case_id FROM tseras_blind`, `SELECT referral FROM tseras_referrals`, `SELECT outcome FROM tseras_evidence`,
		`SELECT fin FROM persons`, `SELECT package FROM tseras_proposals`, `SELECT salt FROM tseras_proposals`, `SELECT package FROM tseras_decisions`, `SELECT exchange FROM gateway_exchanges`, `SELECT leaf FROM gateway_answers`,
		`SELECT drawing FROM drawings`, `SELECT at FROM tseras_looks`, `SELECT member_id FROM tseras_looks`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err == nil {
			t.Errorf("the commission's role may: %s", sql)
		}
	}
}

func sprint(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
