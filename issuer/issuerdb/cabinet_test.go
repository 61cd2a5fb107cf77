package issuerdb_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// Nobody uses up what the keys may sign in a day: not by one request after another, nor by many at once. The same request again is none.
func TestAPersonAsksForSoManyADay(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Vəliyeva")
	other, theirs := w.person("Orucov")
	w.cabinet.PerDay = 5
	first := request(number)
	asked := w.ask(fin, first)
	var all sync.WaitGroup
	var mu sync.Mutex
	written := 1
	for range 20 {
		all.Go(func() {
			_, err := w.cabinet.Ask(t.Context(), fin, request(number))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				written++
			} else if !errors.Is(err, issuer.ErrTooMany) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	// Batches that do not see each other may both be within the limit.
	if n := w.count(`SELECT count(*) FROM intents`); written != n || n < w.cabinet.PerDay || n > 2*w.cabinet.PerDay {
		t.Errorf("%d, of which %d are written", written, n)
	}
	if _, err := w.cabinet.Ask(t.Context(), fin, request(number)); !errors.Is(err, issuer.ErrTooMany) {
		t.Error(err)
	}
	if again := w.ask(fin, first); again != asked {
		t.Errorf("the same again is %s, not %s", again, asked)
	}
	w.ask(other, request(theirs))
	w.exec(`UPDATE intents SET asked_at = asked_at - interval '1 day' WHERE subject = $1`, fin)
	w.ask(fin, request(number))
}

func TestWhatIsRefused(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Quliyeva")
	other, theirs := w.person("Məmmədova")
	w.examination(fin, "M-2026-800000", 1, registry.Append, today)                // supersedes number
	w.examination(other, "M-2025-800001", 1, registry.Append, today.AddYears(-1)) // older than theirs
	w.examination(other, "M-2026-800002", 1, registry.Append, today.AddDays(1))   // newer, but annulled:
	w.examination(other, "M-2026-800002", 2, registry.Annul, today.AddDays(1))    // theirs holds
	nobody, theirExamination := w.person("Kərimov")
	w.entry(registry.Head{Book: registry.Persons, Number: string(nobody), Version: 2, Act: registry.Annul, Subject: nobody, Chain: string(nobody), EffectiveOn: today})
	third, old := w.person("Həsənov")
	w.examination(third, old, 2, registry.Annul, today)
	w.examination(third, "M-2020-800003", 1, registry.Append, today.AddYears(-3)) // ended a year ago
	for _, tt := range []struct {
		name   string
		fin    tesdiq.FIN
		change func(*issuer.Request)
		want   *tesdiq.Problem
	}{
		{"somebody else's", fin, func(r *issuer.Request) { r.Entry = theirs }, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")},
		{"not there", fin, func(r *issuer.Request) { r.Entry = "M-2026-777777" }, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")},
		{"no such kind", fin, func(r *issuer.Request) { r.Kind = "award" }, tesdiq.NewProblem(tesdiq.NotFound, "excerpt.kind")},
		{"superseded", fin, func(r *issuer.Request) { r.Entry = number }, issuer.ErrSuperseded},
		{"superseded by an older effective day", other, func(r *issuer.Request) { r.Entry = "M-2025-800001" }, issuer.ErrSuperseded},
		{"annulled", other, func(r *issuer.Request) { r.Entry = "M-2026-800002" }, issuer.ErrAnnulled},
		{"no number at all", fin, func(r *issuer.Request) { r.Entry = "\x00\xff" }, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")},
		{"of somebody annulled", nobody, func(r *issuer.Request) { r.Entry = theirExamination }, issuer.ErrAnnulled},
		{"its term is over", third, func(r *issuer.Request) { r.Entry = "M-2020-800003" }, issuer.ErrOver},
	} {
		r := request("")
		tt.change(&r)
		_, err := w.cabinet.Ask(t.Context(), tt.fin, r)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	var p *tesdiq.Problem
	if _, err := w.cabinet.Ask(t.Context(), fin, request(number)); !errors.As(err, &p) || p.Args["Number"] != "M-2026-800000" {
		t.Errorf("the one that holds is not named: %v", err)
	}
	w.ask(other, request(theirs))
	if n := w.count(`SELECT count(*) FROM intents`); n != 1 {
		t.Errorf("%d intents", n)
	}
}

func TestNumbersOutgrowTheirSevenDigits(t *testing.T) {
	w := newWorld(t)
	fin, number := w.person("Quliyeva")
	if n := w.ask(fin, request(number)); n != "E-2026-0000001" {
		t.Errorf("the first is %s", n)
	}
	w.exec(`SELECT setval('excerpt_numbers', 9999998)`)
	for _, want := range []issuer.Number{"E-2026-9999999", "E-2026-10000000"} {
		if n := w.ask(fin, request(number)); n != want {
			t.Errorf("%s, want %s", n, want)
		}
	}
}

func TestWithdrawing(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	fin, number := w.person("Quliyeva")
	stranger, _ := w.person("Məmmədova")
	n := w.ask(fin, request(number))
	w.wait(fin, n)
	if err := w.cabinet.Withdraw(t.Context(), stranger, n); err != issuer.ErrMissing {
		t.Errorf("a stranger: %v", err)
	}
	if err := w.cabinet.Withdraw(t.Context(), fin, "E-2026-9999999"); err != issuer.ErrMissing {
		t.Errorf("none: %v", err)
	}
	for range 3 {
		if err := w.cabinet.Withdraw(t.Context(), fin, n); err != nil {
			t.Fatal(err)
		}
	}
	item, err := w.cabinet.Item(t.Context(), fin, n)
	if err != nil || item.State(today) != issuer.Withdrawn {
		t.Errorf("%s, %v", item.State(today), err)
	}
	if got := w.count(`SELECT count(*) FROM ledger_lines WHERE kind = 'withdrawal'`); got != 1 {
		t.Errorf("%d ledger lines", got)
	}
	if got := w.count(`SELECT count(*) FROM messages WHERE key = 'message.withdrawn'`); got != 1 {
		t.Errorf("%d messages", got)
	}
	second := w.ask(fin, request(number))
	w.wait(fin, second)
	w.exec(`INSERT INTO revocations SELECT id, 'issued by mistake', 'operator', now() FROM excerpts WHERE number = $1`, second)
	if err := w.cabinet.Withdraw(t.Context(), fin, second); !errors.Is(err, tesdiq.NewProblem(tesdiq.Conflict, "excerpt.revoked")) {
		t.Errorf("revoked: %v", err)
	}
}

func TestTheHistoryShowsWhatBecameOfEach(t *testing.T) {
	w := newWorld(t)
	w.listen()
	stop := w.run(w.dispatcher())
	fin, number := w.person("Quliyeva")
	want := map[issuer.Number]issuer.State{}
	drawn := func(s issuer.State) issuer.Number {
		n := w.ask(fin, request(number))
		w.wait(fin, n)
		want[n] = s
		return n
	}
	w.exec(`INSERT INTO revocations SELECT id, 'mistake', 'operator', now() FROM excerpts WHERE number = $1`, drawn(issuer.Revoked))
	if err := w.cabinet.Withdraw(t.Context(), fin, drawn(issuer.Withdrawn)); err != nil {
		t.Fatal(err)
	}
	drawn(issuer.InForce)
	checked := drawn(issuer.InForce)
	for i, c := range []struct{ sort, member any }{{"anonymous", nil}, {"person", string(fin)}, {"person", "0000009"}} {
		w.exec(`INSERT INTO checks (id, at, way, excerpt_id, subject, sort, member_fin, purpose, verdict, reason)
			SELECT $1, now(), 'code', id, subject, $2, $3, 'other', 'valid', 'x' FROM excerpts WHERE number = $4`, fmt.Sprintf("%016d", i), c.sort, c.member, checked)
	}
	stop()
	making := w.ask(fin, request(number))
	want[making] = issuer.Making

	items, more, err := w.cabinet.History(t.Context(), fin, "examination", 0, 50)
	if err != nil || more || len(items) != len(want) {
		t.Fatalf("%d items, more %v, %v", len(items), more, err)
	}
	for i, item := range items {
		if got := item.State(today); got != want[item.Number] {
			t.Errorf("%s is %s, want %s", item.Number, got, want[item.Number])
		}
		if i > 0 && item.ID >= items[i-1].ID {
			t.Error("not the newest first")
		}
		if item.Number == checked && item.Checks != 2 {
			t.Errorf("%d checks by others", item.Checks)
		}
		if got := item.State(today.AddYears(2)); want[item.Number] == issuer.InForce && got != issuer.Expired {
			t.Errorf("%s after two years is %s", item.Number, got)
		}
	}
	if items, _, err := w.cabinet.History(t.Context(), fin, "contract", 0, 50); err != nil || len(items) != 0 {
		t.Errorf("of another kind: %d, %v", len(items), err)
	}
	first, more, err := w.cabinet.History(t.Context(), fin, "", 0, 2)
	if err != nil || !more || len(first) != 2 {
		t.Fatalf("first page: %d, %v, %v", len(first), more, err)
	}
	rest, more, err := w.cabinet.History(t.Context(), fin, "", first[1].ID, 50)
	if err != nil || more || len(rest) != len(want)-2 {
		t.Errorf("rest: %d, %v, %v", len(rest), more, err)
	}

	// A new examination supersedes, an annulment of the old one revokes: nothing is written to the excerpts for it.
	w.examination(fin, "M-2026-800000", 1, registry.Append, today)
	if item, err := w.cabinet.Item(t.Context(), fin, checked); err != nil || item.State(today) != issuer.Superseded {
		t.Errorf("superseded: %s, %v", item.State(today), err)
	}
	w.examination(fin, number, 2, registry.Annul, today)
	if item, err := w.cabinet.Item(t.Context(), fin, checked); err != nil || item.State(today) != issuer.Revoked {
		t.Errorf("annulled: %s, %v", item.State(today), err)
	}
}

// S13: what is somebody else's answers as what is not there.
func TestAStrangerFindsNothing(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	fin, number := w.person("Quliyeva")
	stranger, _ := w.person("Məmmədova")
	n := w.ask(fin, request(number))
	w.wait(fin, n)
	if _, err := w.cabinet.Item(t.Context(), stranger, n); err != issuer.ErrMissing {
		t.Errorf("item: %v", err)
	}
	if _, err := w.cabinet.File(t.Context(), stranger, n); err != issuer.ErrMissing {
		t.Errorf("file: %v", err)
	}
	if _, err := w.cabinet.Wait(t.Context(), stranger, n, time.Second); err != issuer.ErrMissing {
		t.Errorf("wait: %v", err)
	}
	if items, _, err := w.cabinet.History(t.Context(), stranger, "", 0, 50); err != nil || len(items) != 0 {
		t.Errorf("history: %d, %v", len(items), err)
	}
}

// Every line opens with what stands in the tables, and with nothing else.
func TestEveryLedgerLineOpens(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	fin, number := w.person("Quliyeva")
	r := request(number)
	r.Recipient, r.Purpose = "Nümunə <Bank> & Co", "kredit “ən yaxşı”"
	n := w.ask(fin, r)
	item := w.wait(fin, n)
	if err := w.cabinet.Withdraw(t.Context(), fin, n); err != nil {
		t.Fatal(err)
	}
	var x issuer.Excerpt
	var sum []byte
	var withdrawn time.Time
	err := w.db.Admin.QueryRow(t.Context(), `
		SELECT x.number, x.code, x.kind, x.lang, x.subject, x.entry_id, x.statement, x.valid_until, x.issued_at, f.sha256, w.withdrawn_at
		FROM excerpts x JOIN excerpt_files f ON f.excerpt_id = x.id JOIN withdrawals w ON w.excerpt_id = x.id`).
		Scan(&x.Number, &x.Code, &x.Kind, &x.Lang, &x.Subject, &x.EntryID, &x.Statement, &x.ValidUntil, &x.IssuedAt, &sum, &withdrawn)
	if err != nil {
		t.Fatal(err)
	}
	copy(x.SHA256[:], sum)
	excerpt, err := issuer.ExcerptContent(x)
	if err != nil {
		t.Fatal(err)
	}
	contents := map[ledger.Kind][]byte{
		ledger.Intent: issuer.IntentContent(item.Intent), ledger.Excerpt: excerpt, ledger.Withdrawal: issuer.WithdrawalContent(n, withdrawn),
	}
	lines, err := pgx.CollectRows(w.rows(`SELECT kind, object, key, mac FROM ledger_lines ORDER BY seq`), pgx.RowToStructByName[ledger.Line])
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(contents) {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		if !l.Opens(contents[l.Kind]) {
			t.Errorf("%s does not open", l.Kind)
		}
		if l.Opens(append(contents[l.Kind], ' ')) {
			t.Errorf("%s opens with something else", l.Kind)
		}
	}
	x.Statement, err = json.Marshal(map[string]string{"title": "another"})
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := issuer.ExcerptContent(x); err != nil || lines[1].Opens(changed) {
		t.Errorf("a changed statement opens (%v)", err)
	}
}

// The SQL of a standing says what registry.StandingOf says, for whatever chain.
func TestStandingAgreesWithTheRegistry(t *testing.T) {
	w := newWorld(t)
	w.next = 1
	dice := rand.New(rand.NewPCG(1, 2))
	reader := registrydb.Reader{Pool: w.db.Pool(postgres.Issuer)}
	seen := map[registry.Standing]int{}
	for c := range 40 {
		fin := tesdiq.FIN(fmt.Sprintf("A%06d", c))
		versions := map[string]int{}
		annulled := map[string]bool{}
		for range 1 + dice.IntN(7) {
			number := registry.Number(registry.Examinations, 2026, 10*c+dice.IntN(3))
			if annulled[number] {
				continue
			}
			versions[number]++
			act := registry.Append
			if versions[number] > 1 {
				act = []registry.Act{registry.Append, registry.Correct, registry.Annul}[dice.IntN(3)]
			}
			annulled[number] = act == registry.Annul
			w.examination(fin, number, versions[number], act, today.AddDays(-dice.IntN(3)))
		}
		chain, err := reader.Chain(t.Context(), registry.Examinations, string(fin))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range chain {
			want := registry.StandingOf(h.ID, chain)
			seen[want]++
			var s issuer.Standing
			err := w.db.Admin.QueryRow(t.Context(), `SELECT `+issuerdb.StandingForTest+` FROM entries e WHERE e.id = $1`, h.ID).Scan(&s.Annulled, &s.Newer)
			if err != nil {
				t.Fatal(err)
			}
			got := registry.InForce
			switch {
			case s.Annulled:
				got = registry.Annulled
			case s.Newer:
				got = registry.Superseded
			}
			if got != want {
				t.Errorf("chain %v: entry %d is %s, the registry says %s", chain, h.ID, got, want)
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("not every standing was seen: %v", seen)
	}
}

func TestCanonicalJSONDoesNotDependOnOrder(t *testing.T) {
	a, err := issuer.CanonicalJSON([]byte(`{"b": [1.50, "<ə>"], "a": {"y": null, "x": true}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := issuer.CanonicalJSON([]byte("{\"a\":{\"x\":true,\"y\":null},\n\"b\":[1.50,\"<ə>\"]}"))
	if err != nil || !reflect.DeepEqual(a, b) || string(a) != `{"a":{"x":true,"y":null},"b":[1.50,"<ə>"]}` {
		t.Errorf("%s, %s, %v", a, b, err)
	}
	if _, err := issuer.CanonicalJSON([]byte(`{"a"`)); err == nil {
		t.Error("half a text was read")
	}
}

// Many who ask at the same moment are written down together; each gets his own answer.
func TestEachOfManyGetsHisOwnAnswer(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	fin, number := w.person("Quliyeva")
	other, theirs := w.person("Məmmədova")
	third, annulled := w.person("Həsənov")
	w.examination(third, annulled, 2, registry.Annul, today)
	twice := request(number)
	var mu sync.Mutex
	given := map[issuer.Number]int{}
	var asking sync.WaitGroup
	for range 40 {
		for _, a := range []struct {
			fin  tesdiq.FIN
			r    issuer.Request
			want error
		}{
			{fin, request(number), nil}, {other, request(theirs), nil}, {fin, twice, nil},
			{fin, request(theirs), tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")},
			{third, request(annulled), issuer.ErrAnnulled},
			{fin, request("\x00"), tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")},
		} {
			asking.Go(func() {
				n, err := w.cabinet.Ask(t.Context(), a.fin, a.r)
				if !errors.Is(err, a.want) {
					t.Errorf("%s: %v instead of %v", a.r.Entry, err, a.want)
				}
				if err != nil {
					return
				}
				mu.Lock()
				given[n]++
				mu.Unlock()
				item, err := w.cabinet.Wait(t.Context(), a.fin, n, time.Minute)
				if err != nil || item.EntryNumber != a.r.Entry || item.Subject != a.fin {
					t.Errorf("%s is about %s: %v", n, item.EntryNumber, err)
				}
			})
		}
	}
	asking.Wait()
	if len(given) != 81 || w.count(`SELECT count(*) FROM intents`) != 81 {
		t.Errorf("%d numbers for 81 requests", len(given))
	}
	w.consistent()
}
