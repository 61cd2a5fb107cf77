package tserasdb_test

import (
	"errors"
	"fmt"
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
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
)

func (w *world) institutions() tserasdb.Institutions { return tserasdb.Institutions{Desk: w.desk} }

// other is another institution, at which nobody is registered.
func (w *world) other() tseras.Institution {
	w.Helper()
	pool := w.db.Pool(postgres.Operator)
	orgs := organisationdb.Operator{Pool: pool, Now: time.Now}
	o, err := orgs.Add(w.Context(), organisation.Organisation{VOEN: "1401555071", Name: "Başqa poliklinika", Sort: organisation.Medical})
	w.must(err)
	id, err := tserasdb.Operator{Pool: pool, Now: time.Now, Rand: w.desk.Rand}.AddInstitution(w.Context(), o.VOEN, "Xətai")
	w.must(err)
	i, err := w.desk.Institution(w.Context(), id)
	w.must(err)
	return i
}

// applied lets somebody of the cast apply, and the registers be asked.
func (w *world) applied(who string) (tesdiq.FIN, string) {
	w.Helper()
	fin, by := subject(who)
	c, err := w.desk.Apply(w.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	w.expect(fin, c.Number, tseras.AwaitingReferral)
	return fin, c.Number
}

func TestTheInstitutionOfRegistrationIsAskedAndTold(t *testing.T) {
	w := newWorld(t)
	orgs := organisationdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: time.Now}
	for who, role := range map[string]organisation.Role{"nigar": organisation.Manager, "aysel": organisation.Clerk} {
		_, err := orgs.AddMember(t.Context(), "1400057421", organisation.Member{FIN: people.Who(who).FIN, Name: "Nigar Şükürova", Role: role})
		w.must(err)
	}
	fin, number := w.applied("elcin")
	_, elsewhere := w.applied("nermin") // registered at an institution that is none of ours
	all, err := w.institutions().Awaiting(t.Context(), w.from, "", 10)
	if err != nil || len(all) != 1 || all[0].Case != number || all[0].Subject != fin || !strings.Contains(all[0].Name, "Elçin") ||
		all[0].Clock.Turn != casework.Institution || all[0].Born != people.Who("elcin").Born {
		t.Fatalf("%+v, %v", all, err)
	}
	// Elçin is on dialysis: ground 1.5.2.
	for days, is := range map[int]tesdiq.Date{5: all[0].Clock.DueBy, 7: w.state(people.Who("nermin").FIN, elsewhere).Clock.DueBy} {
		if due, _, err := w.desk.Calendar.Term(tesdiq.DateOf(w.now()), days); err != nil || is != due {
			t.Errorf("%d working days: until %s, want %s: %v", days, is, due, err)
		}
	}
	if s := w.state(fin, number); s.Asked != w.from.Name {
		t.Errorf("the person reads of %q", s.Asked)
	}
	if s := w.state(people.Who("nermin").FIN, elsewhere); s.Asked != "" {
		t.Errorf("%s has %q", elsewhere, s.Asked)
	}
	var told []string
	rows, err := w.db.Admin.Query(t.Context(), `SELECT fin || ' ' || (args->>'Number') FROM messages WHERE key = 'tseras.message.referral_wanted'`)
	w.must(err)
	for rows.Next() {
		var s string
		w.must(rows.Scan(&s))
		told = append(told, s)
	}
	if !slices.Equal(told, []string{string(people.Who("nigar").FIN) + " " + number}) {
		t.Errorf("told: %v", told)
	}
	other := w.other()
	if all, err := w.institutions().Awaiting(t.Context(), other, "", 10); err != nil || len(all) != 0 {
		t.Errorf("another institution sees %+v, %v", all, err)
	}
	if _, err := w.institutions().Awaited(t.Context(), other, number); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("another institution's: %v", err)
	}
	if a, err := w.institutions().Awaited(t.Context(), w.from, number); err != nil || a.Case != number {
		t.Errorf("%+v, %v", a, err)
	}
	_, err = w.desk.Refer(t.Context(), w.from, w.referral("elcin"), "signed")
	w.must(err)
	if all, err := w.institutions().Awaiting(t.Context(), w.from, "", 10); err != nil || len(all) != 0 {
		t.Errorf("referred, and still waited for: %+v, %v", all, err)
	}
}

// Whoever has to be led to an institution waits until the register says to which; whoever was referred does not.
func TestTheRegisterOfWhoIsRegisteredWhereIsSilent(t *testing.T) {
	w := newWorld(t)
	w.agencies.SetFaults([]agencies.Fault{{Register: gateway.Registration, Kind: agencies.Refusing}})
	fin, by := subject("elcin")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	referred, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	if s := w.expect(fin, c.Number, tseras.Gathering); len(s.Evidence.Silent()) != 1 {
		t.Errorf("%+v", s.Evidence.Silent())
	}
	w.expect(people.Who("nermin").FIN, referred.Number, tseras.Drawn)
}

func TestAnInstitutionSaysThatThereIsNoGround(t *testing.T) {
	w := newWorld(t)
	fin, number := w.applied("elcin")
	r := tseras.Refusal{Case: number, Reason: tseras.NoGround, Words: "Funksiya pozuntusu altı aydan az davam edir."}
	if _, err := w.institutions().Refuse(t.Context(), w.other(), r, "signed"); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("by an institution that was not asked: %v", err)
	}
	for field, bad := range map[string]tseras.Refusal{
		"case":   {Case: "x", Reason: tseras.DidNotCome},
		"reason": {Case: number, Reason: "because"},
		"words":  {Case: number, Reason: tseras.NoGround},
	} {
		if _, err := w.institutions().Refuse(t.Context(), w.from, bad, "signed"); err == nil || tesdiq.ProblemsOf(err)[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for range 2 { // the same again is the same
		if c, err := w.institutions().Refuse(t.Context(), w.from, r, "signed"); err != nil || c.State != tseras.Declined {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	r.Words = "Başqa söz"
	if _, err := w.institutions().Refuse(t.Context(), w.from, r, "signed"); !errors.Is(err, casework.ErrState) {
		t.Errorf("other words afterwards: %v", err)
	}
	s := w.expect(fin, number, tseras.Declined)
	last := s.Steps[len(s.Steps)-1]
	if last.By.Office != w.from.Name || last.Args["Ground"] != "no_ground" || !strings.Contains(last.Args["Reason"], "altı aydan") {
		t.Errorf("%+v", last)
	}
}

func TestAnInstitutionSeesItsOwnReferralsAndNoMoreThanItNeeds(t *testing.T) {
	w := newWorld(t)
	who := []string{"nermin", "elcin", "gunay", "cavid", "sevinc"}
	for n, name := range who {
		r := w.referral(name)
		r.Number = fmt.Sprintf("88/%d", n)
		_, err := w.desk.Refer(t.Context(), w.from, r, "signed")
		w.must(err)
		w.later += time.Second
	}
	other := w.other()
	var seen []string
	s := tseras.Sought{Limit: 2}
	for range 3 {
		page, err := w.institutions().Referrals(t.Context(), w.from, s)
		w.must(err)
		for _, x := range page {
			seen = append(seen, x.Referral.Number)
			s.Before = x.Case
			if x.Progress != tseras.WithRegisters || x.Result != nil {
				t.Errorf("%+v", x)
			}
		}
	}
	if !slices.Equal(seen, []string{"88/4", "88/3", "88/2", "88/1", "88/0"}) {
		t.Errorf("pages: %v", seen)
	}
	w.work()
	alone, err := w.institutions().Referrals(t.Context(), w.from, tseras.Sought{Progress: tseras.WithResult, Limit: 10})
	if err != nil || len(alone) != 1 || alone[0].Referral.Number != "88/4" {
		t.Fatalf("decided: %+v, %v", alone, err)
	}
	if by, err := w.institutions().Referrals(t.Context(), w.from, tseras.Sought{Number: "88/2", Limit: 10}); err != nil || len(by) != 1 || by[0].Referral.Number != "88/2" {
		t.Errorf("by number: %+v, %v", by, err)
	}
	for name, sought := range map[string]tseras.Sought{"all": {Limit: 9}, "by number": {Number: "88/2", Limit: 9}, "after somebody's": {Before: alone[0].Case, Limit: 9}} {
		if all, err := w.institutions().Referrals(t.Context(), other, sought); err != nil || len(all) > 0 {
			t.Errorf("%s: another institution sees %+v, %v", name, all, err)
		}
	}
	if _, err := w.institutions().Referral(t.Context(), other, alone[0].Case); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("another institution's: %v", err)
	}
	fin := people.Who("sevinc").FIN
	if looks := w.state(fin, alone[0].Case).Looks; len(looks) != 0 {
		t.Errorf("looks that nobody made: %+v", looks)
	}
	for range 2 {
		one, err := w.institutions().Referral(t.Context(), w.from, alone[0].Case)
		if err != nil || one.Result == nil || one.Result.Outcome != criteria.Disability || one.Result.On.IsZero() {
			t.Fatalf("%+v, %v", one, err)
		}
	}
	if looks := w.state(fin, alone[0].Case).Looks; len(looks) != 1 || looks[0].Office != w.from.Name {
		t.Errorf("the person sees %+v", looks)
	}
	member := w.from
	member.Member = people.Who("nigar").FIN
	_, err = w.institutions().Referral(t.Context(), member, alone[0].Case)
	w.must(err)
	w.later += 24 * time.Hour
	_, err = w.institutions().Referral(t.Context(), w.from, alone[0].Case)
	w.must(err)
	if looks := w.state(fin, alone[0].Case).Looks; len(looks) != 3 {
		t.Errorf("a member, and the next day: %+v", looks)
	}
	var lines int
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM ledger_lines WHERE kind = 'look' AND object LIKE 'result/%'`).Scan(&lines))
	if lines != 3 {
		t.Errorf("%d ledger lines", lines)
	}
}

func TestAReferralIsCheckedBeforeItIsSigned(t *testing.T) {
	w := newWorld(t)
	r := w.referral("nermin")
	if name, err := w.institutions().Check(t.Context(), w.from, r); err != nil || !strings.Contains(name, "Nərmin") {
		t.Errorf("%q, %v", name, err)
	}
	_, err := w.desk.Refer(t.Context(), w.from, r, "signed")
	w.must(err)
	if _, err := w.institutions().Check(t.Context(), w.from, r); err != nil {
		t.Errorf("the same again: %v", err)
	}
	wrong := func(change func(*tseras.Referral)) string {
		x := w.referral("nermin")
		change(&x)
		_, checked := w.institutions().Check(t.Context(), w.from, x)
		_, sent := w.desk.Refer(t.Context(), w.from, x, "signed")
		if checked == nil || sent == nil || checked.Error() != sent.Error() {
			t.Errorf("checked: %v, sent: %v", checked, sent)
		}
		return fmt.Sprint(checked)
	}
	if got := wrong(func(x *tseras.Referral) { x.Main.Code = "M06.0" }); got != "number: tseras.referral.number" {
		t.Errorf("another under the same number: %s", got)
	}
	if got := wrong(func(x *tseras.Referral) { x.Number, x.Subject, x.Ground = "88/3", "0000000", "9" }); got != "ground: tseras.referral.ground" {
		t.Errorf("something wrong with itself: %s", got)
	}
	if got := wrong(func(x *tseras.Referral) { x.Number, x.Subject = "88/3", "0000000" }); got != "subject: tseras.referral.nobody" {
		t.Errorf("nobody's FIN: %s", got)
	}
}
