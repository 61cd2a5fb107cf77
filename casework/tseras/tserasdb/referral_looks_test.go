package tserasdb_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/ledger"
)

// looked is how many looks at somebody of the cast there are that told something.
func (w *world) looked(who, told string) int {
	w.Helper()
	return w.count(`SELECT count(*) FROM tseras_referral_looks WHERE subject = $1 AND told = $2`, people.Who(who).FIN, told)
}

// Whoever learns a name by FIN and birth date is written down before it is told, once a day: the person sees it, and inspectors count it.
func TestWhoeverLearnsANameLeavesATrace(t *testing.T) {
	w := newWorld(t)
	w.applied("elcin") // waits for the institution
	from := w.from
	from.Member = people.Who("nigar").FIN
	check := func(from tseras.Institution, who string) {
		t.Helper()
		if name, err := w.institutions().Check(t.Context(), from, w.referral(who)); err != nil || name == "" {
			t.Fatalf("%q, %v", name, err)
		}
	}
	for range 2 { // once a day for each who looks
		check(from, "nermin")
	}
	if n := w.looked("nermin", "name"); n != 1 {
		t.Fatalf("%d looks", n)
	}
	other := from
	other.Member = people.Who("aysel").FIN
	check(other, "nermin")
	check(w.other(), "nermin")
	w.later += 24 * time.Hour
	check(from, "nermin")
	if n := w.looked("nermin", "name"); n != 4 {
		t.Errorf("%d looks, want 4: another member's, another institution's, and the next day's", n)
	}
	if check(from, "elcin"); w.looked("elcin", "name") != 0 {
		t.Error("who waits for the institution is in its list: that is no look")
	}
	// A referral that is taken explains a look; the same referral looked at again is none.
	check(from, "sevinc")
	unrelated := func() (n int) {
		w.must(w.db.Pool(postgres.Inspection).QueryRow(t.Context(), `SELECT unrelated FROM inspection_lookers WHERE part = 'institution' AND office = $1 AND day = $2 AND cases = 2`,
			from.Name, tesdiq.DateOf(w.now())).Scan(&n))
		return n
	}
	if n := unrelated(); n != 2 {
		t.Errorf("inspectors count %d", n)
	}
	_, err := w.desk.Refer(t.Context(), from, w.referral("sevinc"), "signed")
	w.must(err)
	check(from, "sevinc")
	if n := unrelated(); n != 1 || w.looked("sevinc", "name") != 1 || w.looked("sevinc", "open") != 0 {
		t.Errorf("inspectors count %d once she is referred", n)
	}
	w.referralLooksAreInTheLedger(5)
}

// referralLooksAreInTheLedger: each has its line, which opens with what is kept of it.
func (w *world) referralLooksAreInTheLedger(want int) {
	w.Helper()
	rows, err := w.db.Admin.Query(w.Context(), `
		SELECT convert_to(m.organisation_id::text || ' ' || m.subject || ' ' || coalesce(m.member, '') || ' ' || m.told || ' ' ||
		                  to_char(m.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8'), l.object, l.key, l.mac
		FROM tseras_referral_looks m JOIN ledger_lines l ON l.kind = 'look' AND l.object = 'referral-look/' || m.id`)
	w.must(err)
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		line, content := ledger.Line{Kind: ledger.Look}, []byte(nil)
		w.must(rows.Scan(&content, &line.Object, &line.Key, &line.MAC))
		if !line.Opens(content) {
			w.Errorf("the line of %s does not open", line.Object)
		}
	}
	if w.must(rows.Err()); n != want || w.count(`SELECT count(*) FROM tseras_referral_looks`) != want {
		w.Errorf("%d lines, want %d", n, want)
	}
}

// That somebody has an open case is told only whoever signs a referral of him, and not without a look; never on the page before.
func TestAnOpenCaseIsNotToldWithoutATrace(t *testing.T) {
	w := newWorld(t)
	w.applied("elcin")
	fin, by := subject("nermin")
	_, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	if _, err := w.institutions().Check(t.Context(), w.from, w.referral("nermin")); err != nil {
		t.Errorf("on the page: %v", err)
	}
	for range 2 {
		if _, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed"); err == nil || err.Error() != "subject: tseras.referral.gathering" {
			t.Errorf("while registers are asked: %v", err)
		}
	}
	if w.looked("nermin", "open") != 1 || w.looked("nermin", "name") != 1 {
		t.Errorf("%d looks at an open case, %d at a name", w.looked("nermin", "open"), w.looked("nermin", "name"))
	}
	_, err = w.desk.Refer(t.Context(), w.from, w.referral("elcin"), "signed")
	w.must(err)
	again := w.referral("elcin")
	again.Number = "88/2"
	if _, err := w.desk.Refer(t.Context(), w.other(), again, "signed"); err == nil || w.looked("elcin", "open") != 1 {
		t.Errorf("by another institution: %v; %d looks", err, w.looked("elcin", "open"))
	}
	// What is wrong with a referral itself tells nothing of whom it is about, and is written nowhere.
	for years := range 2 {
		bad := w.guessed("sevinc", "88/9", years)
		bad.Ground = "9"
		_, checked := w.institutions().Check(t.Context(), w.from, bad)
		_, sent := w.desk.Refer(t.Context(), w.from, bad, "signed")
		for _, err := range []error{checked, sent} {
			if err == nil || err.Error() != "ground: tseras.referral.ground" {
				t.Errorf("%d years off: %v", years, err)
			}
		}
	}
	if n := w.count(`SELECT count(*) FROM tseras_referral_misses`); n != 0 {
		t.Errorf("%d misses", n)
	}
	w.referralLooksAreInTheLedger(3)
}

// An appeal is an open case, too.
func TestAnOpenAppealIsNotToldWithoutATrace(t *testing.T) {
	w := newWorld(t)
	w.appealed(w.decided(3))
	r := w.referral("nermin")
	r.Number = "88/2"
	if _, err := w.desk.Refer(t.Context(), w.from, r, "signed"); err == nil || err.Error() != "subject: tseras.referral.open" || w.looked("nermin", "open") != 1 {
		t.Errorf("%v; %d looks", err, w.looked("nermin", "open"))
	}
}

// lookedToday lets a member have looked today at n people of no register.
func (w *world) lookedToday(from tseras.Institution, n int) {
	w.Helper()
	for i := range n {
		_, err := w.db.Admin.Exec(w.Context(), `INSERT INTO tseras_referral_looks (organisation_id, subject, member, told, day, at) VALUES ($1, $2, nullif($3, ''), 'name', $4, $5)`,
			from.ID, memberFIN(i, 9), from.Member, tesdiq.DateOf(w.now()), w.now())
		w.must(err)
	}
}

// Beyond the limit nobody is told anything of another person, whether he has a case or none; who waits, and who was looked at already, can be referred.
func TestNobodyIsLookedAtBeyondTheLimit(t *testing.T) {
	w := newWorld(t)
	w.applied("elcin")
	fin, by := subject("nermin")
	_, err := w.desk.Apply(t.Context(), fin, by, "form-1") // has an open case
	w.must(err)
	limit := tseras.GuessesOn(tesdiq.DateOf(w.now()))
	from := w.from
	from.Member = people.Who("nigar").FIN
	w.lookedToday(from, limit.Member-1)
	var told, refused atomic.Int32
	var all sync.WaitGroup
	begin := make(chan struct{})
	for _, who := range []string{"sevinc", "nermin", "zaur"} { // at once: one of them is the last
		all.Go(func() {
			<-begin
			_, err := w.institutions().Check(context.WithoutCancel(t.Context()), from, w.referral(who))
			switch {
			case err == nil:
				told.Add(1)
			case tooMany(err, "tseras.referral.looks.member"):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if told.Load() != 1 || refused.Load() != 2 {
		t.Fatalf("%d were told, %d refused", told.Load(), refused.Load())
	}
	for _, who := range []string{"sevinc", "nermin", "zaur"} {
		if w.looked(who, "name") == 1 {
			continue
		}
		if _, err := w.desk.Refer(t.Context(), from, w.referral(who), "signed"); !tooMany(err, "tseras.referral.looks.member") {
			t.Errorf("%s, who was not looked at: %v", who, err)
		}
	}
	for _, who := range []string{"sevinc", "nermin", "zaur"} {
		if _, err := w.desk.Refer(t.Context(), from, w.referral(who), "signed"); w.looked(who, "name") == 1 && tooMany(err, "tseras.referral.looks.member") {
			t.Errorf("%s, who was looked at: %v", who, err)
		}
	}
	_, err = w.desk.Refer(t.Context(), from, w.referral("elcin"), "signed")
	w.must(err)
	// Another member may, until all of the institution have looked at too many; then its program may not either.
	other := from
	other.Member = people.Who("aysel").FIN
	if _, err := w.institutions().Check(t.Context(), other, w.referral("murad")); err != nil {
		t.Errorf("another member: %v", err)
	}
	for i := range limit.Institution {
		_, err := w.db.Admin.Exec(t.Context(), `INSERT INTO tseras_referral_looks (organisation_id, subject, told, day, at) VALUES ($1, $2, 'open', $3, $4)`,
			from.ID, memberFIN(i, 8), tesdiq.DateOf(w.now()), w.now())
		w.must(err)
	}
	for _, who := range []string{"samir", "kamal"} {
		if _, err := w.desk.Refer(t.Context(), w.from, w.referral(who), "signed"); !tooMany(err, "tseras.referral.looks") {
			t.Errorf("the program, %s: %v", who, err)
		}
	}
	w.later += 24 * time.Hour
	_, err = w.desk.Refer(t.Context(), w.from, w.referral("samir"), "signed")
	w.must(err)
}
