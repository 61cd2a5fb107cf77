package tserasdb_test

import (
	"context"
	"errors"
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

// guessed is a referral of somebody with another birth date, under a number of its own.
func (w *world) guessed(who, number string, years int) tseras.Referral {
	r := w.referral(who)
	r.Number, r.Born = number, r.Born.AddYears(years)
	return r
}

func tooMany(err error, key string) bool {
	var p *tesdiq.Problem
	return errors.As(err, &p) && p.Kind == tesdiq.TooMany && p.Key == key
}

// Nobody learns a birth date by trying: after three for a FIN in a day the right one is refused as the wrong ones are.
func TestABirthDateCannotBeGuessed(t *testing.T) {
	w := newWorld(t)
	limit := tseras.GuessesOn(tesdiq.DateOf(w.now()))
	for n := range limit.Person {
		_, err := w.desk.Refer(t.Context(), w.from, w.guessed("nermin", "88/1", n+1), "signed")
		if err == nil || err.Error() != "born: tseras.referral.born" {
			t.Fatalf("%d: %v", n, err)
		}
	}
	right := w.guessed("nermin", "88/2", 0)
	if _, err := w.desk.Refer(t.Context(), w.from, right, "signed"); !tooMany(err, "tseras.referral.guesses.person") {
		t.Errorf("the right one after %d: %v", limit.Person, err)
	}
	if _, err := w.institutions().Check(t.Context(), w.from, right); !tooMany(err, "tseras.referral.guesses.person") {
		t.Errorf("on the page: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM tseras_referrals`) + w.count(`SELECT count(*) FROM cases`); n != 0 {
		t.Errorf("%d rows of what was refused", n)
	}
	if n := w.count(`SELECT count(*) FROM tseras_referral_misses`); n != limit.Person {
		t.Errorf("%d are counted: what is refused for the limit tells nothing and is none", n)
	}
	// Another institution is not kept from referring her; nor this one from referring others.
	_, err := w.desk.Refer(t.Context(), w.other(), right, "signed")
	w.must(err)
	if _, err := w.institutions().Check(t.Context(), w.from, w.guessed("sevinc", "88/3", 0)); err != nil {
		t.Errorf("another person: %v", err)
	}
	// A number that was used opens no way around: it is refused for the number, whatever the birth date.
	sent := w.guessed("sevinc", "88/3", 0)
	_, err = w.desk.Refer(t.Context(), w.from, sent, "signed")
	w.must(err)
	before := w.count(`SELECT count(*) FROM tseras_referral_misses`)
	for years := range 2 {
		if _, err := w.institutions().Check(t.Context(), w.from, w.guessed("elcin", "88/3", years)); err == nil || err.Error() != "number: tseras.referral.number" {
			t.Errorf("a number that was used: %v", err)
		}
	}
	if c, err := w.desk.Refer(t.Context(), w.from, sent, "signed"); err != nil || c.Number == "" {
		t.Errorf("the same again: %v", err)
	}
	if n := w.count(`SELECT count(*) FROM tseras_referral_misses`); n != before {
		t.Errorf("%d more are counted", n-before)
	}
	w.later = 25 * time.Hour
	if _, err := w.desk.Refer(t.Context(), w.from, w.guessed("nermin", "88/2", 1), "signed"); err == nil || err.Error() != "born: tseras.referral.born" {
		t.Errorf("the next day: %v", err)
	}
	w.missesAreInTheLedger()
}

// missesAreInTheLedger: each has its line, which opens with what is kept of it.
func (w *world) missesAreInTheLedger() {
	w.Helper()
	rows, err := w.db.Admin.Query(w.Context(), `
		SELECT convert_to(m.organisation_id::text || ' ' || m.subject || ' ' || coalesce(m.member, '') || ' ' || to_char(m.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8'),
		       l.object, l.key, l.mac
		FROM tseras_referral_misses m LEFT JOIN ledger_lines l ON l.kind = 'look' AND l.object = 'referral-miss/' || m.id`)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		line, content := ledger.Line{Kind: ledger.Look}, []byte(nil)
		w.must(rows.Scan(&content, &line.Object, &line.Key, &line.MAC))
		if !line.Opens(content) {
			w.Errorf("the line of %s does not open", line.Object)
		}
	}
	w.must(rows.Err())
}

// A hundred at once, of as many FINs that there are and are not, are counted one after the other; who waits can be referred all the same, and the
// inspector sees it.
func TestWrongBirthDatesAreCountedAtOnce(t *testing.T) {
	w := newWorld(t)
	waits, _ := w.applied("elcin")
	limit := tseras.GuessesOn(tesdiq.DateOf(w.now())).Day
	from := w.from
	from.Member = people.Who("nigar").FIN
	var all sync.WaitGroup
	var told, refused atomic.Int32
	begin := make(chan struct{})
	for n := range 100 {
		r := w.guessed("nermin", "88/1", 0)
		r.Subject = memberFIN(n, 7) // nobody's
		all.Go(func() {
			<-begin
			_, err := w.desk.Refer(context.WithoutCancel(t.Context()), from, r, "signed")
			switch {
			case tooMany(err, "tseras.referral.guesses"):
				refused.Add(1)
			case err != nil && err.Error() == "subject: tseras.referral.nobody":
				told.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if int(told.Load()) != limit || told.Load()+refused.Load() != 100 || w.count(`SELECT count(*) FROM tseras_referral_misses`) != limit {
		t.Errorf("%d were told and %d refused, want %d told", told.Load(), refused.Load(), limit)
	}
	if _, err := w.desk.Refer(t.Context(), from, w.guessed("nermin", "88/2", 0), "signed"); !tooMany(err, "tseras.referral.guesses") {
		t.Errorf("the right one of another: %v", err)
	}
	r := w.referral("elcin")
	if r.Subject != waits {
		t.Fatal(r.Subject)
	}
	_, err := w.desk.Refer(t.Context(), from, r, "signed")
	w.must(err)
	var misses int
	w.must(w.db.Pool(postgres.Inspection).QueryRow(t.Context(), `SELECT misses FROM inspection_lookers WHERE part = 'institution' AND office = $1`, from.Name).Scan(&misses))
	if misses != limit {
		t.Errorf("the inspector sees %d", misses)
	}
	w.missesAreInTheLedger()
}
