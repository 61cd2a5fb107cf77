package issuerdb_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/registry"
)

// Two processes race for every intent: each is attempted once.
func TestTwoDispatchersShareTheWork(t *testing.T) {
	w := newWorld(t)
	w.listen()
	for range 2 {
		d := w.dispatcher()
		d.Lease = time.Minute
		w.run(d)
	}
	fin, number := w.person("Quliyeva")
	const n = 60
	var asking sync.WaitGroup
	for range n {
		asking.Go(func() {
			if _, _, err := draw(w, fin, request(number)); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if got := w.count(`SELECT count(*) FROM attempts`); got != n {
		t.Errorf("%d attempts for %d intents", got, n)
	}
	if got := w.keys.calls.Load(); got != n {
		t.Errorf("the key was called %d times", got)
	}
	w.consistent()
}

// R20: a double click, and a replay a hundred times at once, also by those who never got their answer.
func TestTheSameRequestGivesOneExcerpt(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	fin, number := w.person("Quliyeva")
	r := request(number)
	numbers := make([]issuer.Number, 100)
	var asking sync.WaitGroup
	for i := range numbers {
		asking.Go(func() {
			var err error
			if numbers[i], err = w.cabinet.Ask(t.Context(), fin, r); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	for _, n := range numbers {
		if n != numbers[0] {
			t.Fatalf("%s and %s for one request", numbers[0], n)
		}
	}
	w.wait(fin, numbers[0])
	if n := w.count(`SELECT count(*) FROM excerpts`); n != 1 {
		t.Errorf("%d excerpts", n)
	}
	if n := w.count(`SELECT count(*) FROM ledger_lines WHERE kind IN ('intent', 'excerpt')`); n != 2 {
		t.Errorf("%d ledger lines", n)
	}

	// Gone back to and changed, the same form asks for another one; and another person's key is his own.
	r.Lang = tesdiq.En
	if n := w.ask(fin, r); n == numbers[0] {
		t.Error("a changed form gave the first excerpt")
	}
	other, theirs := w.person("Məmmədova")
	r.Entry = theirs
	w.wait(other, w.ask(other, r))
}

// Word of an intent may be lost with the connection that carried it.
func TestWithoutNotificationThePollFindsIt(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Quliyeva")
	n := w.ask(fin, request(number)) // nobody listens, on either side
	w.run(w.dispatcher())
	if s := w.wait(fin, n).State(today); s != issuer.InForce {
		t.Errorf("state %s", s)
	}
	w.exec(`INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at)
		SELECT 'silent', '00000000000000000', 'E-2026-9999999', kind, template, lang, subject, entry_id, person_id, '', '', false, valid_until, asked_at FROM intents`)
	w.wait(fin, "E-2026-9999999") // written without a notification, while the dispatcher runs
}

// An intent whose transaction took long appears below others that are finished. Only a whole sweep looks there.
func TestALateCommitWithoutNotificationIsFound(t *testing.T) {
	w := newWorld(t)
	w.listen()
	fin, number := w.person("Quliyeva")
	w.exec(`SELECT setval(pg_get_serial_sequence('intents', 'id'), 1000)`)
	d := w.dispatcher()
	d.Poll = 5 * time.Millisecond
	w.run(d)
	w.wait(fin, w.ask(fin, request(number)))
	w.exec(`INSERT INTO intents (id, request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at)
		OVERRIDING SYSTEM VALUE
		SELECT 7, 'late', '00000000000000000', 'E-2026-9999999', kind, template, lang, subject, entry_id, person_id, '', '', false, valid_until, asked_at FROM intents`)
	if s := w.wait(fin, "E-2026-9999999").State(today); s != issuer.InForce {
		t.Errorf("state %s", s)
	}
}

// A notification that is none of ours, or about what is not there, does no harm.
func TestForeignNotificationsAreIgnored(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	for _, s := range []string{"", "x", "-1", "999999999", "99999999999999999999999"} {
		w.exec(`SELECT pg_notify('tesdiq_intent', $1), pg_notify('tesdiq_excerpt', $1)`, s)
	}
	fin, number := w.person("Quliyeva")
	w.wait(fin, w.ask(fin, request(number)))
	w.consistent()
}

func TestWhatCannotBeMadeIsVoidWithItsReason(t *testing.T) {
	for _, tt := range []struct {
		name    string
		surname string
		after   func(w *world, fin tesdiq.FIN, number string)
		want    issuer.VoidReason
		calls   int64
	}{
		{"a name with a letter that no font of ours has", "信", nil, issuer.Unprintable, 0},
		{"a name that does not fit", strings.Repeat("Ə", 100) + strings.Repeat(" Ə", 2000), nil, issuer.Unprintable, 0},
		{"something that makes a step panic", "Panic", nil, issuer.Failed, 0},
		{"a key that stays away", "Quliyeva", func(w *world, _ tesdiq.FIN, _ string) { w.keys.fail.Store(true) }, issuer.Failed, issuer.MaxAttempts},
		{"annulled since", "Quliyeva", func(w *world, fin tesdiq.FIN, number string) {
			w.examination(fin, number, 2, registry.Annul, today.AddDays(-17))
		}, issuer.NotCurrent, 0},
		{"corrected since", "Quliyeva", func(w *world, fin tesdiq.FIN, number string) {
			w.examination(fin, number, 2, registry.Correct, today.AddDays(-17))
		}, issuer.NotCurrent, 0},
		{"examined again since", "Quliyeva", func(w *world, fin tesdiq.FIN, _ string) {
			w.examination(fin, "M-2026-900000", 1, registry.Append, today)
		}, issuer.NotCurrent, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.listen()
			fin, number := w.person(tt.surname)
			n := w.ask(fin, request(number))
			if tt.after != nil {
				tt.after(w, fin, number)
			}
			d := w.dispatcher()
			d.Lease, d.Poll = 5*time.Millisecond, 5*time.Millisecond
			if tt.surname == "Panic" {
				d.Maker.Trace = func(step issuer.Step, _ bool) {
					if step == issuer.Attest {
						panic("the stating stumbled")
					}
				}
			}
			w.run(d)
			item := w.wait(fin, n)
			if item.State(today) != issuer.Void || issuer.VoidReason(*item.VoidReason) != tt.want {
				t.Fatalf("state %s, reason %v", item.State(today), item.VoidReason)
			}
			// On a slow machine the last attempt's lease may be over before it has called.
			if got := max(w.keys.calls.Load(), w.keys.stated.Load()); got > tt.calls || tt.calls > 0 && got == 0 {
				t.Errorf("the key was called %d times", got)
			}
			if _, err := w.cabinet.File(t.Context(), fin, n); err != issuer.ErrMissing {
				t.Errorf("a file of what is void: %v", err)
			}
			if got := w.count(`SELECT count(*) FROM messages WHERE fin = $1 AND key = 'message.void'`, fin); got != 1 {
				t.Errorf("%d messages", got)
			}
			w.consistent()
		})
	}
}

// Stopping finishes what was claimed and begins nothing more.
func TestStoppingFinishesWhatWasBegun(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Quliyeva")
	const n = 40
	for range n {
		w.ask(fin, request(number))
	}
	d := w.dispatcher()
	d.Lease = time.Minute // no second attempts
	begun := make(chan struct{}, 1000)
	d.Maker.Trace = func(step issuer.Step, ended bool) {
		if step == issuer.Sign && ended {
			begun <- struct{}{}
		}
	}
	stop := w.run(d)
	<-begun
	stop()
	made, attempts := w.count(`SELECT count(*) FROM excerpts`), w.count(`SELECT count(*) FROM attempts`)
	if made != attempts || made == 0 {
		t.Errorf("%d attempts, %d excerpts", attempts, made)
	}
	w.run(w.dispatcher())
	for i := range n {
		w.wait(fin, issuer.Number(fmt.Sprintf("E-2026-%07d", i+1)))
	}
	w.consistent()
}
