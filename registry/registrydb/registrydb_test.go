package registrydb_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	today = tesdiq.NewDate(2026, 11, 21)
	noon  = today.Start().Add(12 * time.Hour)
)

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Registry, postgres.Operator)
}

func writer(db *pgtest.DB) registrydb.Writer {
	return registrydb.Writer{Pool: db.Pool(postgres.Registry), Now: func() time.Time { return noon }, Rand: rand.Reader}
}

// cast loads the fixed cast and some others.
func cast(t *testing.T, db *pgtest.DB, n int) {
	t.Helper()
	if _, err := registrydb.Load(t.Context(), db.Pool(postgres.Registry), people.Generate(1, n, today), rand.Reader, nil); err != nil {
		t.Fatal(err)
	}
}

// assertLedger recomputes every entry's line from the rows: each entry has exactly one line, which opens with its content.
func assertLedger(t *testing.T, db *pgtest.DB) {
	t.Helper()
	ctx := t.Context()
	rows, _ := db.Admin.Query(ctx, `SELECT kind, object, key, mac FROM ledger_lines WHERE kind = 'entry'`)
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l ledger.Line, err error) {
		return l, row.Scan(&l.Kind, &l.Object, &l.Key, &l.MAC)
	})
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]ledger.Line{}
	for _, l := range lines {
		if _, twice := of[l.Object]; twice {
			t.Errorf("entry %s has two lines", l.Object)
		}
		of[l.Object] = l
	}
	rows, _ = db.Admin.Query(ctx, `SELECT id FROM entries`)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[registry.EntryID])
	if err != nil {
		t.Fatal(err)
	}
	if len(ids) != len(lines) {
		t.Errorf("%d entries and %d lines", len(ids), len(lines))
	}
	versions, err := allVersions(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) != len(ids) {
		t.Errorf("%d entries, of which %d have a body", len(ids), len(versions))
	}
	for _, v := range versions {
		content, err := registry.Content(v.Head, v.Body)
		if err != nil {
			t.Fatal(err)
		}
		if !of[strconv.FormatInt(int64(v.Head.ID), 10)].Opens(content) {
			t.Errorf("the line of entry %d does not open with %s", v.Head.ID, content)
		}
	}
}

func allVersions(ctx context.Context, db *pgtest.DB) (all []registry.Version, err error) {
	rows, _ := db.Admin.Query(ctx, `SELECT DISTINCT subject FROM entries`)
	fins, err := pgx.CollectRows(rows, pgx.RowTo[tesdiq.FIN])
	if err != nil {
		return nil, err
	}
	r := registrydb.Reader{Pool: db.Admin}
	for _, fin := range fins {
		heads, err := r.Subject(ctx, fin)
		if err != nil {
			return nil, err
		}
		for _, h := range heads {
			v, err := r.Version(ctx, h)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
	}
	return all, nil
}

func TestLoadKeepsWhatWasGenerated(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 60)
	stored, err := allVersions(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]registry.Version{}
	for v := range people.Generate(1, 60, today) {
		want[fmt.Sprint(v.Head.Book, v.Head.Number, v.Head.Version)] = v
	}
	if len(stored) != len(want) {
		t.Errorf("%d versions stored, want %d", len(stored), len(want))
	}
	for _, v := range stored {
		w := want[fmt.Sprint(v.Head.Book, v.Head.Number, v.Head.Version)]
		w.Head.ID, v.Head.EnteredAt = v.Head.ID, v.Head.EnteredAt.UTC()
		if v != w {
			t.Errorf("stored %+v, want %+v", v, w)
		}
	}
	assertLedger(t, db)

	// What is entered afterwards has IDs beyond those that COPY set.
	if _, _, err := writer(db).Enter(t.Context(), firstExamination("gunay")); err != nil {
		t.Error(err)
	}
}

func TestLoadOfSomethingTwiceLeavesNothingOfTheSecond(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	var before, after int
	count := func(n *int) {
		if err := db.Admin.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM ledger_lines)`).Scan(n); err != nil {
			t.Fatal(err)
		}
	}
	count(&before)
	if _, err := registrydb.Load(t.Context(), db.Pool(postgres.Registry), people.Generate(1, 10, today), rand.Reader, nil); err == nil {
		t.Error("the same people were loaded twice")
	}
	if count(&after); before != after {
		t.Errorf("%d rows before, %d after", before, after)
	}
}

func firstExamination(key string) registry.Change {
	return registry.Change{Act: registry.Append, By: "Reyestr şöbəsi", Body: examination.Examination{
		Subject: people.Who(key).FIN, Commission: "4 saylı TSEK", ExaminedOn: today.AddDays(-3), Outcome: examination.Disability,
		Loss: 40, Cause: "general_illness", From: today.AddDays(-3), Until: today.AddYears(1), NextFrom: today.AddMonths(10),
	}}
}

func TestTheLifeOfAnExamination(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	ctx, w, r, gunay := t.Context(), writer(db), registrydb.Reader{Pool: db.Pool(postgres.Cabinet)}, people.Who("gunay").FIN

	before, v, err := w.Enter(ctx, firstExamination("gunay"))
	if err != nil {
		t.Fatal(err)
	}
	number := v.Head.Number
	if before != nil || v.Head.Version != 1 || registry.CheckNumber(registry.Examinations, number) != nil {
		t.Errorf("entered %+v after %+v", v.Head, before)
	}
	e, err := r.ExaminationByNumber(ctx, gunay, number)
	if err != nil || e.Examination != v.Body {
		t.Errorf("read %+v, %v", e, err)
	}

	corrected := e.Examination
	corrected.Loss = 65
	if _, _, err := w.Enter(ctx, registry.Change{Act: registry.Correct, Body: corrected, After: 1, By: "Reyestr şöbəsi", Reason: "Faiz səhv köçürülmüşdü"}); err != nil {
		t.Fatal(err)
	}
	if e, err = r.ExaminationByNumber(ctx, gunay, number); err != nil || e.Loss != 65 || e.Version != 2 {
		t.Errorf("after the correction %+v, %v", e, err)
	}
	if _, _, err := w.Enter(ctx, registry.Change{Act: registry.Annul, Book: registry.Examinations, Number: number, After: 2, By: "Reyestr şöbəsi", Reason: "Başqa şəxsin müayinəsidir"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ExaminationByNumber(ctx, gunay, number); !errors.Is(err, tesdiq.NewProblem(tesdiq.NotFound, "entry.unknown")) {
		t.Errorf("an annulled examination is read as current: %v", err)
	}
	versions, err := r.ExaminationVersions(ctx, gunay, number)
	if err != nil || len(versions) != 3 || versions[0].Loss != 40 || versions[1].Reason != "Faiz səhv köçürülmüşdü" || versions[2].Act != registry.Annul {
		t.Errorf("versions %+v, %v", versions, err)
	}
	// Nothing comes after an annulment.
	_, _, err = w.Enter(ctx, registry.Change{Act: registry.Correct, Body: e.Examination, After: 3, By: "Reyestr şöbəsi", Reason: "Yox, onundur"})
	if !errors.Is(err, tesdiq.NewProblem(tesdiq.Conflict, "entry.annulled")) {
		t.Errorf("after an annulment: %v", err)
	}
	// Each change told the person, with a link and without what it says.
	rows, _ := db.Admin.Query(ctx, `SELECT key || ' ' || (args->>'Act.key') || ' ' || link FROM messages WHERE fin = $1 ORDER BY id`, gunay)
	told, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(told) != 3 || told[1] != "message.entry registry.act.correct /cabinet/examinations/"+number {
		t.Errorf("messages %q, %v", told, err)
	}
	assertLedger(t, db)
}

func TestAContractIsAmendedAndTerminated(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	ctx, w, r, elcin := t.Context(), writer(db), registrydb.Reader{Pool: db.Pool(postgres.Issuer)}, people.Who("elcin").FIN
	jobs, err := r.Contracts(ctx, elcin)
	if err != nil || len(jobs) != 3 || !jobs[0].Main || jobs[1].Main {
		t.Fatalf("Elçin's contracts: %+v, %v", jobs, err)
	}
	main := jobs[0]
	k := main.Contract
	k.Salary, k.EffectiveOn = 1_100_00, today
	if _, _, err := w.Enter(ctx, registry.Change{Act: registry.Append, Body: k, After: main.Version, By: "İşəgötürən"}); err != nil {
		t.Fatal(err)
	}
	k.State, k.Terminated, k.Ground = contract.Terminated, today, "Əmək Məcəlləsi, maddə 69"
	if _, _, err := w.Enter(ctx, registry.Change{Act: registry.Append, Body: k, After: 2, By: "İşəgötürən"}); err != nil {
		t.Fatal(err)
	}
	if jobs, err = r.Contracts(ctx, elcin); err != nil || len(jobs) != 3 || jobs[2].Head.Number != main.Head.Number {
		t.Errorf("the ended contract is not the last: %+v, %v", jobs, err)
	}
	old, err := r.Version(ctx, registry.Head{ID: main.ID, Book: registry.Contracts})
	if err != nil || old.Body != registry.Body(main.Contract) {
		t.Errorf("the first version reads %+v, %v", old, err)
	}
	chain, err := r.Chain(ctx, registry.Contracts, main.Head.Number)
	if err != nil || registry.StandingOf(main.ID, chain) != registry.Superseded || registry.StandingOf(chain[2].ID, chain) != registry.InForce {
		t.Errorf("chain %+v, %v", chain, err)
	}
	assertLedger(t, db)
}

func TestWhatTheBooksKnewThen(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	ctx, w, gunay := t.Context(), writer(db), people.Who("gunay").FIN
	if _, _, err := w.Enter(ctx, firstExamination("gunay")); err != nil {
		t.Fatal(err)
	}
	heads, err := registrydb.Reader{Pool: w.Pool}.Subject(ctx, gunay)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(registry.AsOf(heads, noon.Add(-time.Second))); n != 1 {
		t.Errorf("a second before, the books knew %d entries of Günay, want 1", n)
	}
	if n := len(registry.AsOf(heads, noon)); n != 2 {
		t.Errorf("then, the books knew %d entries of Günay, want 2", n)
	}
}

func TestRefusalsWriteNothing(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	ctx, w := t.Context(), writer(db)
	count := func() (n int) {
		err := db.Admin.QueryRow(ctx, `SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM ledger_lines) + (SELECT count(*) FROM messages)`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	stranger := firstExamination("gunay")
	e := stranger.Body.(examination.Examination)
	e.Subject = "ZZZZZZZ"
	stranger.Body = e
	bad := firstExamination("gunay")
	e = bad.Body.(examination.Examination)
	e.Loss, e.Cause, e.Commission = 33, "bad luck", "\u202eTSEK"
	bad.Body = e
	for _, c := range []struct {
		change registry.Change
		want   string
	}{
		{stranger, "subject: entry.person_unknown"},
		{bad, "commission: text.letter; loss: examination.loss; loss: examination.loss_low; cause: examination.cause"},
		{registry.Change{Act: registry.Annul, Book: registry.Contracts, Number: "K-2020-9999999", After: 1, By: "X", Reason: "Y"}, "number: entry.unknown"},
		{registry.Change{Act: registry.Append, Body: person.Person{FIN: people.Who("gunay").FIN}, By: "X"}, "number: entry.exists"},
	} {
		if _, _, err := w.Enter(ctx, c.change); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if after := count(); after != before {
		t.Errorf("%d rows before, %d after", before, after)
	}
}

func TestAPreviewWritesNothing(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	_, v, err := writer(db).Preview(t.Context(), firstExamination("gunay"))
	if err != nil || v.Head.Version != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	e, err := registrydb.Reader{Pool: db.Admin}.Examinations(t.Context(), people.Who("gunay").FIN)
	if err != nil || len(e) != 0 {
		t.Errorf("after a preview there are %+v, %v", e, err)
	}
	assertLedger(t, db)
}

// Twenty people correct the same entry at once, each having seen the same version: one is right, nineteen are told.
func TestOneOfTwentyWritersWins(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	ctx, w, nermin := t.Context(), writer(db), people.Who("nermin").FIN
	e, err := registrydb.Reader{Pool: w.Pool}.Examinations(ctx, nermin)
	if err != nil {
		t.Fatal(err)
	}
	for round := 1; round <= 5; round++ {
		won, told := 0, 0
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				c := e[0].Examination
				c.Commission = fmt.Sprintf("%d saylı TSEK, %d", i, round)
				_, _, err := w.Enter(ctx, registry.Change{Act: registry.Correct, Body: c, After: round, By: "Reyestr şöbəsi", Reason: "Ad səhvdir"})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					won++
				case errors.Is(err, tesdiq.NewProblem(tesdiq.Conflict, "entry.moved")):
					told++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won != 1 || told != 19 {
			t.Errorf("round %d: %d won and %d were told, want 1 and 19", round, won, told)
		}
	}
	assertLedger(t, db)
}

// Twenty new examinations of one year at once: each has a number of its own.
func TestTwentyWritersGetTwentyNumbers(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	ctx, w := t.Context(), writer(db)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, _, err := w.Enter(ctx, firstExamination("gunay")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	e, err := registrydb.Reader{Pool: w.Pool}.Examinations(ctx, people.Who("gunay").FIN)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]bool{}
	for _, e := range e {
		numbers[e.Head.Number] = true
	}
	if len(numbers) != 20 {
		t.Errorf("%d numbers, want 20", len(numbers))
	}
	assertLedger(t, db)
}

func TestOthersEntriesAreNotThere(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	ctx, r := t.Context(), registrydb.Reader{Pool: db.Pool(postgres.Cabinet)}
	e, err := r.Examinations(ctx, people.Who("nermin").FIN)
	if err != nil || len(e) != 2 {
		t.Fatal(e, err)
	}
	_, foreign := r.ExaminationByNumber(ctx, people.Who("gunay").FIN, e[0].Head.Number)
	_, missing := r.ExaminationByNumber(ctx, people.Who("gunay").FIN, "M-2026-999999")
	if foreign == nil || missing == nil || foreign.Error() != missing.Error() {
		t.Errorf("another's examination: %v; none: %v", foreign, missing)
	}
	versions, err := r.ExaminationVersions(ctx, people.Who("gunay").FIN, e[0].Head.Number)
	if err != nil || len(versions) != 0 {
		t.Errorf("another's versions: %v, %v", versions, err)
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		db := pgtest.Open(b)
		n, err := registrydb.Load(b.Context(), db.Pool(postgres.Registry), people.Generate(1, 10_000, today), rand.Reader, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n), "entries")
	}
}

func TestAnOfficersLookIsWrittenBeforeHeSees(t *testing.T) {
	db := pgtest.Open(t)
	cast(t, db, 0)
	ctx, nermin := t.Context(), people.Who("nermin").FIN
	o := registrydb.Officer{Pool: db.Pool(postgres.Operator), Now: func() time.Time { return noon }, Rand: rand.Reader}
	l := registry.Look{Subject: nermin, Office: "Nazirlik", By: "Operator Səid", Purpose: "Müraciətə baxılması"}
	seen, err := o.Look(ctx, l)
	if err != nil || len(seen) != 5 {
		t.Errorf("%d versions, %v", len(seen), err)
	}
	var line ledger.Line
	var told string
	err = db.Admin.QueryRow(ctx, `
		SELECT k.id, k.at, l.kind, l.object, l.key, l.mac, (SELECT args->>'Office' FROM messages WHERE fin = k.subject AND key = 'message.look')
		FROM looks k JOIN ledger_lines l ON l.kind = 'look' AND l.object = k.id::text`).Scan(&l.ID, &l.At, &line.Kind, &line.Object, &line.Key, &line.MAC, &told)
	if err != nil {
		t.Fatal(err)
	}
	content, err := l.Content()
	if err != nil || !line.Opens(content) || told != "Nazirlik" {
		t.Errorf("the line does not open with %s, %v; told %q", content, err, told)
	}
	for subject, want := range map[tesdiq.FIN]string{"ZZZZZZZ": "subject: entry.unknown", "1": "subject: fin.malformed"} {
		l.Subject = subject
		if seen, err := o.Look(ctx, l); err == nil || err.Error() != want || seen != nil {
			t.Errorf("%v, want %s", err, want)
		}
	}
	var looks int
	if err := db.Admin.QueryRow(ctx, `SELECT count(*) FROM looks`).Scan(&looks); err != nil || looks != 1 {
		t.Errorf("%d looks, %v", looks, err)
	}
}
