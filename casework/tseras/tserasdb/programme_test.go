package tserasdb_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
)

func (w *world) orgs() organisationdb.Operator {
	return organisationdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: w.now, Rand: rand.Reader}
}

func (w *world) rehabilitation() tserasdb.Rehabilitation {
	return tserasdb.Rehabilitation{Desk: w.desk}
}

// body adds a rehabilitation body that serves districts.
func (w *world) body(n int, districts ...string) tseras.Body {
	w.Helper()
	voen := tesdiq.VOEN(fmt.Sprintf("17000000%d1", n))
	o, err := w.orgs().Add(w.Context(), organisation.Organisation{VOEN: voen, Name: fmt.Sprintf("%d saylı bərpa mərkəzi", n), Sort: organisation.Office})
	w.must(err)
	_, err = w.orgs().AddDuty(w.Context(), voen, organisation.Rehabilitation)
	w.must(err)
	op := tserasdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: w.now, Rand: w.desk.Rand}
	for _, d := range districts {
		_, err := op.AddDistrict(w.Context(), voen, tseras.District(d))
		w.must(err)
		if _, err := op.AddDistrict(w.Context(), voen, tseras.District(d)); !errors.Is(err, tesdiq.NewProblem(tesdiq.Conflict, "tseras.district.exists")) {
			w.Errorf("served twice: %v", err)
		}
	}
	return tseras.Body{ID: o.ID, Name: o.Name, FIN: tesdiq.FIN(fmt.Sprintf("9ZB000%d", n))}
}

func voenOf(b tseras.Body) tesdiq.VOEN { return tesdiq.VOEN("17000000" + b.Name[:1] + "1") }

// decidedAlone lets the registers decide on Sevinc, and gives her open programme.
func (w *world) decidedAlone(key string) (decided, programme casework.Case) {
	w.Helper()
	fin, by := subject("sevinc")
	c, err := w.desk.Apply(w.Context(), fin, by, key)
	w.must(err)
	w.work()
	w.expect(fin, c.Number, tseras.Decided)
	return c, w.openOf(fin)
}

// openOf is a person's programme that is under way.
func (w *world) openOf(fin tesdiq.FIN) casework.Case {
	w.Helper()
	cases, err := w.desk.Cases(w.Context(), fin)
	w.must(err)
	for _, c := range cases {
		if c.Kind == tseras.Programme && !tseras.Machine.Closed(c.Kind, c.State) {
			return c
		}
	}
	w.Fatal("no programme is under way")
	return casework.Case{}
}

// workday is the n-th working day from today on.
func (w *world) workday(n int) tesdiq.Date {
	w.Helper()
	d, _, err := tesdiq.AzerbaijanCalendar().Term(tesdiq.DateOf(w.now()), n)
	w.must(err)
	return d
}

// at puts the clock to a day's noon.
func (w *world) at(d tesdiq.Date) {
	w.later += d.Start().Add(12 * time.Hour).Sub(w.now())
}

func (w *world) messages(fin tesdiq.FIN) (keys []string) {
	w.Helper()
	rows, _ := w.db.Admin.Query(w.Context(), `SELECT key FROM messages WHERE fin = $1 AND key LIKE 'tseras-programme.%' ORDER BY id`, fin)
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	w.must(err)
	for i, k := range keys {
		keys[i] = strings.TrimPrefix(k, "tseras-programme.message.")
	}
	return keys
}

var lines = []tseras.Line{{Measure: "wheelchair_room", Provider: "Dövlət Tibbi-Sosial Ekspertiza və Reabilitasiya Agentliyi"}}

// linesUntil are the lines, each until a day.
func linesUntil(d tesdiq.Date) (all []tseras.Line) {
	for _, l := range lines {
		l.Until = d
		all = append(all, l)
	}
	return all
}

func TestAProgrammeIsMadeWithThePerson(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	district := people.DistrictOf(fin)
	b, other := w.body(1, district), w.body(2, "Qusar")
	decided, p := w.decidedAlone("form-1")
	if p.State != tseras.AwaitingInvitation || p.About != decided.ID || p.Clock.Turn != casework.Office || p.Clock.DueBy != w.workday(10) {
		t.Fatalf("%+v", p)
	}
	r := w.rehabilitation()
	if own, free, err := r.List(t.Context(), other.ID); err != nil || len(own)+len(free) != 0 {
		t.Errorf("another district's body sees %v %v, %v", own, free, err)
	}
	own, free, err := r.List(t.Context(), b.ID)
	if err != nil || len(own) != 0 || len(free) != 1 || free[0].Number != p.Number || free[0].District != district {
		t.Fatalf("%+v %+v, %v", own, free, err)
	}
	// Nobody sees whom it is about who has not taken it, and nobody of another district can take it.
	if _, err := r.Open(t.Context(), b, p.Number); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("opened without having it: %v", err)
	}
	if err := r.Take(t.Context(), other, p.Number); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("another district's body takes it: %v", err)
	}
	var once sync.WaitGroup
	for range 4 {
		once.Go(func() {
			if err := r.Take(t.Context(), b, p.Number); err != nil {
				t.Error(err)
			}
		})
	}
	once.Wait()
	if s := w.state(fin, p.Number); len(s.Steps) != 2 || s.Steps[1].What != tseras.StepTaken || s.Clock != p.Clock || s.Programme.Body != b.Name {
		t.Errorf("taken four times at once: %+v", s)
	}
	f, err := r.Open(t.Context(), b, p.Number)
	w.must(err)
	if f.Name != people.Who("sevinc").Name || f.Need.Band != "81-100" || f.District != district {
		t.Errorf("%+v", f)
	}
	w.inviteAndMove(r, b, p, fin, by)
	w.draftAndEnter(r, b, p, fin, by)
	if s := w.state(fin, p.Number); len(s.Looks) != 1 || s.Looks[0].Office != b.Name {
		t.Errorf("the person sees of a look: %+v", s.Looks)
	}
	if got := strings.Join(w.messages(fin), " "); got != "opened invited moved drafted drafted entered" {
		t.Errorf("messages: %s", got)
	}
	w.programmeLines()
}

// inviteAndMove invites to a meeting, which is then moved at the person's wish.
func (w *world) inviteAndMove(r tserasdb.Rehabilitation, b tseras.Body, p casework.Case, fin tesdiq.FIN, by casework.Actor) {
	w.Helper()
	sunday := w.workday(1)
	for sunday.Weekday() != time.Sunday {
		sunday = sunday.AddDays(1)
	}
	for field, i := range map[string]tseras.Invitation{
		"day: tseras.programme.soon":         {Day: tesdiq.DateOf(w.now()), Time: "10:30", Place: "2 saylı otaq"},
		"day: tseras.programme.late":         {Day: w.workday(11), Time: "10:30", Place: "2 saylı otaq"},
		"day: tseras.programme.holiday":      {Day: sunday, Time: "10:30", Place: "2 saylı otaq"},
		"day: date.missing":                  {Time: "10:30", Place: "2 saylı otaq"},
		"time: tseras.programme.time":        {Day: w.workday(3), Time: "03:30", Place: "2 saylı otaq"},
		"place: text.missing":                {Day: w.workday(3), Time: "10:30"},
		"place: tseras.programme.two_places": {Day: w.workday(3), Time: "10:30", Place: "2 saylı otaq", Home: true},
	} {
		if err := r.Invite(w.Context(), b, p.Number, i, false); err == nil || err.Error() != field {
			w.Errorf("%+v: %v, want %s", i, err, field)
		}
	}
	first := tseras.Invitation{Day: w.workday(3), Time: "10:30", Place: "2 saylı otaq"}
	for range 2 {
		w.must(r.Invite(w.Context(), b, p.Number, first, false))
	}
	s := w.expect(fin, p.Number, tseras.AwaitingMeeting)
	due, _, err := tesdiq.AzerbaijanCalendar().Term(first.Day, 2)
	w.must(err)
	if s.Clock.Began != first.Day || s.Clock.DueBy != due || s.Programme.Invitation != first {
		w.Errorf("2 working days count from the meeting: %+v %+v", s.Clock, s.Programme)
	}
	if err := r.Draft(w.Context(), b, p.Number, 1, linesUntil(w.workday(9))); !errors.Is(err, casework.ErrState) {
		w.Errorf("drafted before they met: %v", err)
	}
	if err := r.Invite(w.Context(), b, p.Number, tseras.Invitation{Day: w.workday(4), Time: "10:30", Home: true}, true); !errors.Is(err, casework.ErrState) {
		w.Errorf("absent before the hour has come: %v", err)
	}
	for words, want := range map[string]string{"": "wish: text.missing", strings.Repeat("ə", tseras.MaxWish+1): "wish: text.long"} {
		if err := w.desk.WishProgramme(w.Context(), fin, p.Number, by, words); err == nil || err.Error() != want {
			w.Errorf("a wish of %d bytes: %v", len(words), err)
		}
	}
	for range 2 {
		w.must(w.desk.WishProgramme(w.Context(), fin, p.Number, by, "Gələ bilmirəm, evə gəlin: Nizami 5"))
	}
	own, _, err := r.List(w.Context(), b.ID)
	if s := w.state(fin, p.Number); err != nil || len(own) != 1 || !own[0].Wish || s.Clock.DueBy != due || len(s.Steps) != 4 {
		w.Errorf("a wish: %+v, %v", own, err)
	}
	moved := tseras.Invitation{Day: w.workday(5), Time: "11:00", Home: true}
	w.must(r.Invite(w.Context(), b, p.Number, moved, false))
	if s := w.state(fin, p.Number); s.Programme.Wish != "" || s.Programme.Invitation != moved || s.Clock.Began != moved.Day {
		w.Errorf("%+v", s.Programme)
	}
	w.at(moved.Day)
}

// draftAndEnter drafts, hears what is missing, drafts again, and enters what the person agrees to.
func (w *world) draftAndEnter(r tserasdb.Rehabilitation, b tseras.Body, p casework.Case, fin tesdiq.FIN, by casework.Actor) {
	w.Helper()
	until := w.workday(1).AddDays(60)
	for want, l := range map[string][]tseras.Line{
		"add: tseras.programme.empty":                        nil,
		"add: tseras.programme.measure":                      {{Measure: "gold", Provider: "Bank", Until: until}},
		"provider-wheelchair_room: text.missing":             {{Measure: "wheelchair_room", Until: until}},
		"until-wheelchair_room: date.missing":                {{Measure: "wheelchair_room", Provider: "Agentlik"}},
		"until-wheelchair_room: tseras.programme.past":       {{Measure: "wheelchair_room", Provider: "Agentlik", Until: w.workday(1).AddYears(-1)}},
		"until-wheelchair_room: tseras.programme.after_term": {{Measure: "wheelchair_room", Provider: "Agentlik", Until: until.AddYears(90)}},
		"provider-wheelchair_room: tseras.programme.twice":   append(linesUntil(until), linesUntil(until)...),
	} {
		if err := r.Draft(w.Context(), b, p.Number, 1, l); err == nil || err.Error() != want {
			w.Errorf("%v: %v, want %s", l, err, want)
		}
	}
	for range 2 {
		w.must(r.Draft(w.Context(), b, p.Number, 1, linesUntil(until)))
	}
	s := w.expect(fin, p.Number, tseras.Drafted)
	if len(s.Programme.Drafts) != 1 || s.Clock.DueBy != w.workday(1) {
		w.Errorf("%+v", s)
	}
	if err := r.Enter(w.Context(), b, p.Number, 1, ""); !errors.Is(err, tesdiq.NewProblem(tesdiq.Conflict, "tseras.programme.word")) {
		w.Errorf("entered before the person has said a word: %v", err)
	}
	if err := w.desk.AnswerDraft(w.Context(), fin, p.Number, by, 1, tseras.Missing, ""); err == nil {
		w.Error("something is missing, and nobody says what")
	}
	if err := w.desk.AnswerDraft(w.Context(), fin, p.Number, by, 1, tseras.Missing, strings.Repeat("a", tseras.MaxWish+1)); err == nil || err.Error() != "missing: text.long" {
		w.Errorf("what is missing, without end: %v", err)
	}
	for n := range tseras.MaxSaid - 1 {
		w.must(w.desk.AnswerDraft(w.Context(), fin, p.Number, by, 1, tseras.Missing, fmt.Sprint("Başqa şey: ", n)))
	}
	for range 2 { // the last that he may say; said again it is the same
		w.must(w.desk.AnswerDraft(w.Context(), fin, p.Number, by, 1, tseras.Missing, "Ağ əsa da lazımdır"))
	}
	if err := w.desk.AnswerDraft(w.Context(), fin, p.Number, by, 1, tseras.Missing, "Və əsa"); err == nil || err.Error() != "missing: tseras.programme.said" {
		w.Errorf("said without end: %v", err)
	}
	if err := r.Enter(w.Context(), b, p.Number, 1, ""); err == nil || err.Error() != "reason: tseras.programme.answer" {
		w.Errorf("entered without an answer: %v", err)
	}
	second := append(linesUntil(until), tseras.Line{Measure: "cane", Provider: "Agentlik", Until: until})
	if err := r.Draft(w.Context(), b, p.Number, 1, second); !errors.Is(err, casework.ErrState) {
		w.Errorf("the first draft anew: %v", err)
	}
	w.must(r.Draft(w.Context(), b, p.Number, 2, second))
	if err := w.desk.AnswerDraft(w.Context(), fin, p.Number, by, 1, tseras.Agreed, ""); !errors.Is(err, casework.ErrState) {
		w.Errorf("agrees to a draft that is another meanwhile: %v", err)
	}
	for range 2 {
		w.must(w.desk.AnswerDraft(w.Context(), fin, p.Number, by, 2, tseras.Agreed, ""))
	}
	for range 2 {
		w.must(r.Enter(w.Context(), b, p.Number, 2, ""))
	}
	s = w.expect(fin, p.Number, tseras.Entered)
	d, _ := s.Programme.Latest()
	content, err := d.Content(p.Number)
	w.must(err)
	if last := s.Steps[len(s.Steps)-1]; last.Args["SHA256"] != tseras.Digest256(content) || len(d.Lines) != 2 || s.Clock.Turn != casework.Nobody {
		w.Errorf("%+v", s)
	}
	if err := r.Draft(w.Context(), b, p.Number, 3, second); !errors.Is(err, casework.ErrState) {
		w.Errorf("what was entered is drafted again: %v", err)
	}
}

// programmeLines says that every look at a programme has its ledger line.
func (w *world) programmeLines() {
	w.Helper()
	type look struct {
		ID     int64
		Number string
		Body   int64
		FIN    tesdiq.FIN
		At     time.Time
	}
	rows, _ := w.db.Admin.Query(w.Context(), `SELECT l.id, c.number, l.organisation_id, l.fin, l.at FROM tseras_programme_looks l JOIN cases c ON c.id = l.case_id`)
	looks, err := pgx.CollectRows(rows, pgx.RowToStructByPos[look])
	w.must(err)
	for _, l := range looks {
		rows, _ := w.db.Admin.Query(w.Context(), `SELECT kind, object, key, mac FROM ledger_lines WHERE kind = 'look' AND object = $1`, fmt.Sprintf("programme/%d", l.ID))
		line, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[ledger.Line])
		w.must(err)
		if !line.Opens(tserasdb.ProgrammeLookContent(l.Number, l.Body, l.FIN, l.At)) {
			w.Errorf("the line of look %d does not open", l.ID)
		}
	}
	if len(looks) == 0 {
		w.Error("nobody looked")
	}
}

func TestAPersonWhoDoesNotCome(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	b := w.body(1) // it serves no district: where nobody does, any body may
	decided, p := w.decidedAlone("form-1")
	r := w.rehabilitation()
	w.must(r.Take(t.Context(), b, p.Number))
	for n := range 2 {
		i := tseras.Invitation{Day: w.workday(2), Time: "10:30", Place: "2 saylı otaq"}
		w.must(r.Invite(t.Context(), b, p.Number, i, n > 0))
		if err := r.Lapse(t.Context(), b, p.Number); !errors.Is(err, casework.ErrState) {
			t.Errorf("lapsed before the hour has come: %v", err)
		}
		w.at(i.Day)
		if err := r.Lapse(t.Context(), b, p.Number); n == 0 && !errors.Is(err, casework.ErrState) {
			t.Errorf("lapsed when the person did not come once: %v", err)
		}
	}
	w.must(r.Lapse(t.Context(), b, p.Number))
	w.expect(fin, p.Number, tseras.Lapsed)
	// He asks for another one, declines it, and asks again: each is one case, however often the form is sent.
	for n, key := range []string{"again-1", "again-2"} {
		var numbers []string
		for range 2 {
			c, err := w.desk.AskProgramme(t.Context(), fin, decided.Number, by, key)
			w.must(err)
			numbers = append(numbers, c.Number)
		}
		if numbers[0] != numbers[1] || w.openOf(fin).Number != numbers[0] {
			t.Errorf("%v", numbers)
		}
		if _, err := w.desk.AskProgramme(t.Context(), fin, decided.Number, by, "more"); !errors.Is(err, casework.ErrOpen) {
			t.Errorf("two under way: %v", err)
		}
		if n == 0 {
			w.must(r.Take(t.Context(), b, numbers[0]))
			for range 2 {
				w.must(w.desk.DeclineProgramme(t.Context(), fin, numbers[0], by))
			}
			w.expect(fin, numbers[0], tseras.Withdrawn)
			if _, err := r.Open(t.Context(), b, numbers[0]); !errors.Is(err, casework.ErrMissing) {
				t.Errorf("the body reads on what the person does not want any more: %v", err)
			}
		}
	}
	nermin, _ := subject("nermin")
	if _, err := w.desk.AskProgramme(t.Context(), nermin, decided.Number, by, "foreign"); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("another's decision: %v", err)
	}
	if err := w.desk.DeclineProgramme(t.Context(), nermin, p.Number, by); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("another's programme: %v", err)
	}
}

func TestABodyWhoseDutyEndsHasNothing(t *testing.T) {
	w := newWorld(t)
	fin, _ := subject("sevinc")
	district := people.DistrictOf(fin)
	a, b, employer := w.body(1, district), w.body(2, district), w.from
	_, p := w.decidedAlone("form-1")
	r := w.rehabilitation()
	w.must(r.Take(t.Context(), a, p.Number))
	i := tseras.Invitation{Day: w.workday(2), Time: "10:30", Place: "2 saylı otaq"}
	strangers := func(x tseras.Body) {
		t.Helper()
		for what, err := range map[string]error{
			"take": r.Take(t.Context(), x, p.Number), "invite": r.Invite(t.Context(), x, p.Number, i, false), "lapse": r.Lapse(t.Context(), x, p.Number),
			"draft": r.Draft(t.Context(), x, p.Number, 1, linesUntil(i.Day)), "enter": r.Enter(t.Context(), x, p.Number, 1, ""),
		} {
			if !errors.Is(err, casework.ErrMissing) {
				t.Errorf("%s by %s: %v", what, x.Name, err)
			}
		}
		if _, err := r.Open(t.Context(), x, p.Number); !errors.Is(err, casework.ErrMissing) {
			t.Errorf("open by %s: %v", x.Name, err)
		}
		if own, free, err := r.List(t.Context(), x.ID); err != nil || len(own)+len(free) > 0 {
			t.Errorf("%s sees %v %v, %v", x.Name, own, free, err)
		}
	}
	strangers(b)
	strangers(tseras.Body{ID: employer.ID, Name: employer.Name, FIN: b.FIN})
	w.must(r.Invite(t.Context(), a, p.Number, i, false))
	_, err := w.orgs().EndDuty(t.Context(), voenOf(a), organisation.Rehabilitation)
	w.must(err)
	strangers(a)
	if s := w.state(fin, p.Number); s.Programme.Body != "" {
		t.Errorf("the person is told that %s has it", s.Programme.Body)
	}
	w.must(r.Take(t.Context(), b, p.Number))
	w.must(r.Invite(t.Context(), b, p.Number, tseras.Invitation{Day: w.workday(3), Time: "10:30", Home: true}, false))
}

func TestAnotherDecisionEndsTheProgrammeOfTheEarlier(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	b := w.body(1, people.DistrictOf(fin))
	first, p := w.decidedAlone("form-1")
	r := w.rehabilitation()
	w.must(r.Take(t.Context(), b, p.Number))
	i := tseras.Invitation{Day: w.workday(2), Time: "10:30", Place: "2 saylı otaq"}
	w.must(r.Invite(t.Context(), b, p.Number, i, false))
	_, q := w.decidedAlone("form-2")
	if s := w.expect(fin, p.Number, tseras.Declined); s.Steps[len(s.Steps)-1].What != tseras.StepReplaced {
		t.Errorf("%+v", s.Steps)
	}
	if _, err := w.desk.AskProgramme(t.Context(), fin, first.Number, by, "old"); !errors.Is(err, casework.ErrState) {
		t.Errorf("a programme after a decision that no longer holds: %v", err)
	}
	w.must(r.Take(t.Context(), b, q.Number))
	w.must(r.Invite(t.Context(), b, q.Number, i, false))
	w.at(i.Day)
	w.must(r.Draft(t.Context(), b, q.Number, 1, linesUntil(w.workday(9))))
	w.at(w.workday(1)) // the person says nothing, and the last day has come
	w.must(r.Enter(t.Context(), b, q.Number, 1, ""))
	// What was entered stays, and a further programme follows it.
	decision := w.state(fin, q.Number).Programme.Decision
	further, err := w.desk.AskProgramme(t.Context(), fin, decision, by, "further")
	w.must(err)
	w.must(r.Take(t.Context(), b, further.Number))
	i.Day = w.workday(2)
	w.must(r.Invite(t.Context(), b, further.Number, i, false))
	w.at(i.Day)
	w.must(r.Draft(t.Context(), b, further.Number, 1, linesUntil(w.workday(9))))
	w.must(w.desk.AnswerDraft(t.Context(), fin, further.Number, by, 1, tseras.Agreed, ""))
	w.must(r.Enter(t.Context(), b, further.Number, 1, ""))
	if s := w.state(fin, q.Number); s.Programme.Replaced != further.Number {
		t.Errorf("replaced by %q", s.Programme.Replaced)
	}
	if s := w.state(fin, further.Number); s.Programme.Replaced != "" {
		t.Errorf("the latest is replaced by %q", s.Programme.Replaced)
	}
}

// A body is told what it needs, and no diagnosis, percentage or cause.
func TestABodyLearnsNoDiagnosis(t *testing.T) {
	w := newWorld(t)
	fin, _ := subject("nermin")
	b := w.body(1, people.DistrictOf(fin))
	c, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	number := w.record(w.seats(""), func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", 3) })
	w.work()
	w.sign(number, "")
	w.work()
	w.expect(fin, c.Number, tseras.Decided)
	p := w.openOf(fin)
	r := w.rehabilitation()
	w.must(r.Take(t.Context(), b, p.Number))
	f, err := r.Open(t.Context(), b, p.Number)
	w.must(err)
	if f.Need.Activities.Movement == "" || f.Need.Band == "" {
		t.Errorf("%+v", f.Need)
	}
	seen, err := json.Marshal(struct {
		N any
		V any
	}{f.Need, f.ProgrammeView})
	w.must(err)
	for _, hidden := range []string{"rheumatoid", "M05", "Loss", "percent", "general_illness", "Cause"} {
		if strings.Contains(string(seen), hidden) {
			t.Errorf("it is told %s: %s", hidden, seen)
		}
	}
}
