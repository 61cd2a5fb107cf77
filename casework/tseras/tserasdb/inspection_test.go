package tserasdb_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection/inspectiondb"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection/inspectionweb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// inspected is a world with a case that went the whole road, with a refusal, a further member and another result than last time, one
// that a clerk filed, and one that is late.
func inspected(t *testing.T) (w *world, i inspectiondb.Inspector, by inspection.Officer, decided string) {
	t.Helper()
	w = newWorld(t)
	filing, clerk := w.post()
	nermin, elcin := people.Who("nermin"), people.Who("elcin")
	v, err := filing.Identify(t.Context(), clerk, elcin.Card, elcin.FIN)
	w.must(err)
	_, err = filing.Apply(t.Context(), clerk, v.ID)
	w.must(err)
	c, err := w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	number := w.record(w.seats(""), func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", 3) })
	w.work()
	w.sign(number, tseras.Member)
	w.work() // a member refused: a further one is called for
	w.work() // and drawn
	w.record(w.seats(number), func(tseras.Seat) criteria.Findings { return findings("joints-rheumatoid", 3) })
	w.work()
	// What the rules compute differs from last time only after an earlier decision of ours; here it is said to.
	_, err = w.db.Admin.Exec(t.Context(), `UPDATE tseras_proposals SET result = result || '{"differs": true}' WHERE number = $1 AND n = 2`, number)
	w.must(err)
	for fin, s := range w.seats(number) {
		word := tseras.Word{N: 2, Signs: true, Evidence: "token"}
		if s.Explains() {
			word.Explains = explained
		}
		w.must(w.bench.Sign(t.Context(), fin, number, word))
	}
	w.work()
	w.expect(nermin.FIN, c.Number, tseras.Decided)
	i = inspectiondb.Inspector{Pool: w.db.Pool(postgres.Inspection), Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now, Rand: w.desk.Rand, Log: slog.New(slog.DiscardHandler)}
	by = inspection.Officer{FIN: people.Who("orxan").FIN, Name: people.Who("orxan").Name.Short(), Organisation: clerk.Organisation, Office: "Nümunə Sosial Nəzarət Xidməti"}
	return w, i, by, c.Number
}

func thisYear(w *world) inspection.Period {
	return inspection.Periods(tesdiq.DateOf(w.now()))[0]
}

// count asks the database as its owner, in other words than the views do.
func (w *world) count(sql string, args ...any) (n int) {
	w.Helper()
	w.must(w.db.Admin.QueryRow(w.Context(), sql, args...).Scan(&n))
	return n
}

func TestInspectorsSeeWhatIsSo(t *testing.T) {
	w, i, _, decided := inspected(t)
	ctx := t.Context()
	year := thisYear(w)

	standings, err := i.Standings(ctx)
	w.must(err)
	open := 0
	for _, s := range standings {
		open += s.Open
		if got := w.count(`SELECT count(*) FROM cases WHERE kind = $1 AND state = $2`, s.Kind, s.State); got != s.Open {
			t.Errorf("%+v, and there are %d", s, got)
		}
	}
	if want := w.count(`SELECT count(*) FROM cases WHERE state <> 'decided'`); open != want || open == 0 {
		t.Errorf("%d open, want %d", open, want)
	}
	if late, err := i.Overdue(ctx, 0, 10); err != nil || len(late) != 0 {
		t.Errorf("late today: %v, %v", late, err)
	}
	w.later = 40 * 24 * time.Hour
	late, err := i.Overdue(ctx, 0, 10)
	w.must(err)
	if want := w.count(`SELECT count(*) FROM cases c JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq WHERE s.due_by IS NOT NULL AND c.state <> 'decided'`); len(late) != want || want == 0 {
		t.Errorf("%d late, want %d", len(late), want)
	}
	if second, err := i.Overdue(ctx, 1, 10); err != nil || len(second) != len(late)-1 {
		t.Errorf("the second page: %v, %v", second, err)
	}
	w.later = 0

	// What the view counts of the lots is what every drawing says.
	tallies, err := i.Tallies(ctx, year)
	w.must(err)
	drawn, expected := map[string]int{}, map[string]float64{}
	rounds, err := w.rounds.Drawn(ctx, 0, 100)
	w.must(err)
	for _, s := range rounds {
		r, err := w.rounds.Round(ctx, s.Number)
		w.must(err)
		for _, o := range r.Opened {
			if w.count(`SELECT count(*) FROM drawings d JOIN cases c ON c.id = d.case_id WHERE d.ref = $1 AND c.state = 'decided'`, o.Drawing.Ref) == 0 {
				open++ // whom he waits for is not counted before his case is closed
				continue
			}
			for _, step := range o.Drawing.Steps {
				for _, c := range step.Candidates {
					expected[string(step.Role)+" "+c] += float64(len(step.Drawn)) / float64(len(step.Candidates))
				}
				for _, d := range step.Drawn {
					drawn[string(step.Role)+" "+d]++
				}
			}
		}
	}
	for _, x := range tallies {
		key := x.Role + " " + x.Name
		if x.Drawn != drawn[key] || x.Expected < expected[key]-1e-9 || x.Expected > expected[key]+1e-9 {
			t.Errorf("%+v, want %d of %f", x, drawn[key], expected[key])
		}
		delete(expected, key)
	}
	if len(expected) > 0 || len(tallies) == 0 {
		t.Errorf("not counted: %v", expected)
	}
	if got, err := i.Rounds(ctx, year, 0, 100); err != nil || len(got) != len(rounds) {
		t.Errorf("%d rounds of %d, %v", len(got), len(rounds), err)
	}

	for what, said := range map[string]string{"contradictions": explained, "refusals": "Nəticə tapıntılarıma uyğun deyil", "further": ""} {
		all, err := i.Findings(ctx, what, year, 0, 10)
		w.must(err)
		if want := map[string]int{"refusals": 2}[what]; len(all) != max(1, want) || all[0].Number != decided || all[0].Said != said || !strings.HasSuffix(all[0].Commission, "saylı TSEK") {
			t.Errorf("%s: %+v", what, all)
		}
		if none, err := i.Findings(ctx, what, inspection.Periods(tesdiq.DateOf(w.now()))[1], 0, 10); err != nil || len(none) != 0 {
			t.Errorf("%s last year: %v, %v", what, none, err)
		}
	}

	// Of a quarter that is not over nothing is said of anybody's health; when it is over, one case is no table.
	quarter := inspection.Periods(tesdiq.DateOf(w.now()))[2]
	for _, later := range []time.Duration{0, 100 * 24 * time.Hour} {
		w.later = later
		for _, p := range []inspection.Period{year, quarter} {
			s, err := i.Statistics(ctx, p)
			w.must(err)
			if got := s.Totals["closed"]; len(got) != 1 || got[0].Value != "assessment.decided" || got[0].Cases != 1 || len(s.Totals["month"]) != 1 {
				t.Errorf("%s: %v", p.Key, s.Totals)
			}
			if want := later > 0 && p == quarter; (s.Tables != nil) != want || len(s.Tables["outcome"]) > 0 || len(s.Tables["band"]) > 0 {
				t.Errorf("%s after %s: %v", p.Key, later, s.Tables)
			}
		}
	}
	w.later = 0
	counted := func(from tesdiq.Date) map[string]string {
		t.Helper()
		rows, _ := w.db.Pool(postgres.Inspection).Query(ctx, `SELECT dimension, value || ' ' || cases FROM inspection_quarter($1)`, from)
		all, got := map[string]string{}, [2]string{}
		_, err := pgx.ForEachRow(rows, []any{&got[0], &got[1]}, func() error { all[got[0]] = got[1]; return nil })
		w.must(err)
		return all
	}
	want := map[string]string{"way": "commission 1", "outcome": "disability 1", "band": "61-80 1", "cause": "general_illness 1", "term": "limited 1",
		"region": string(people.DistrictOf(people.Who("nermin").FIN)) + " 1"}
	if got := counted(quarter.From); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, from := range []tesdiq.Date{quarter.From.AddDays(-1), quarter.From.AddDays(1), quarter.From.AddMonths(1), quarter.From.AddMonths(-1)} {
		if got := counted(from); len(got) > 0 {
			t.Errorf("from %s, when no quarter begins: %v", from, got)
		}
	}

	lookers, err := i.Lookers(ctx, year, 0, 100)
	w.must(err)
	looks, clerks := 0, 0
	for _, l := range lookers {
		switch l.Part {
		case "member":
			looks += l.Looks
			if l.Cases != 1 || l.Unrelated != 0 {
				t.Errorf("%+v", l)
			}
		case "clerk":
			clerks++
			if l.Who != people.Who("zaur").Name.Short() || l.Cases != 1 || l.Unrelated != 0 || l.Misses != 0 {
				t.Errorf("%+v", l)
			}
		}
		if l.Anomalous() {
			t.Errorf("unusual: %+v", l)
		}
	}
	if want := w.count(`SELECT count(*) FROM tseras_looks`); looks != want || clerks != 1 {
		t.Errorf("%d looks of %d; %d clerks", looks, want, clerks)
	}
}

func TestTheInspectorsRoleCanReadNoPerson(t *testing.T) {
	w, i, by, number := inspected(t)
	pool := w.db.Pool(postgres.Inspection)
	denied := func(sql string) {
		t.Helper()
		var failed *pgconn.PgError
		if _, err := pool.Exec(t.Context(), sql); !errors.As(err, &failed) || failed.Code != "42501" {
			t.Errorf("%s: %v, want 42501", sql, err)
		}
	}
	var tables []string
	w.must(w.db.Admin.QueryRow(t.Context(), `
		SELECT array_agg(DISTINCT table_name::text) FROM information_schema.columns
		WHERE table_schema = 'public' AND column_name IN ('fin', 'subject', 'surname', 'person', 'document', 'born', 'actor_fin', 'clerk_fin', 'package', 'referral', 'findings', 'outcome')`).Scan(&tables))
	if len(tables) < 15 {
		t.Fatalf("%d tables with persons: %v", len(tables), tables)
	}
	for _, table := range tables {
		denied(`SELECT * FROM ` + pgx.Identifier{table}.Sanitize())
	}
	for _, sql := range []string{`UPDATE inspection_looks SET purpose = 'court'`, `DELETE FROM inspection_looks`, `INSERT INTO cases DEFAULT VALUES`,
		`INSERT INTO inspection_looks (xact) VALUES (1)`, `UPDATE cases SET state = 'decided'`} {
		denied(sql)
	}
	// Nothing that the role can read holds anything of any person of the cast.
	var views []string
	w.must(w.db.Admin.QueryRow(t.Context(), `
		SELECT array_agg(c.relname::text) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
		AND has_table_privilege('tesdiq_inspection', c.oid, 'SELECT')`).Scan(&views))
	if len(views) < 9 {
		t.Fatalf("%v", views)
	}
	var all strings.Builder
	for _, view := range views {
		var text string
		w.must(pool.QueryRow(t.Context(), `SELECT coalesce(string_agg(v::text, E'\n'), '') FROM `+pgx.Identifier{view}.Sanitize()+` AS v`).Scan(&text))
		all.WriteString(text)
	}
	if !strings.Contains(all.String(), number) {
		t.Error("the scan saw nothing")
	}
	for _, a := range people.Cast {
		for _, x := range []string{string(a.FIN), string(a.Card), a.Name.Surname + "|" + a.Name.Given} {
			if strings.Contains(all.String(), x) {
				t.Errorf("%s can be read", x)
			}
		}
	}
	// A name only for a look that stays: one that is rolled back gives none, by whatever way it was begun.
	var id casework.ID
	w.must(pool.QueryRow(t.Context(), `SELECT id FROM inspection_cases WHERE number = $1`, number).Scan(&id))
	tx, err := pool.Begin(t.Context())
	w.must(err)
	nested, err := tx.Begin(t.Context())
	w.must(err)
	token := strings.Repeat("A", inspection.TokenLength)
	var look int64
	w.must(nested.QueryRow(t.Context(), `
		INSERT INTO inspection_looks (token, case_id, organisation_id, office, officer_fin, officer, purpose, at)
		VALUES ($1, $2, $3, 'x', $4, 'x', 'court', now()) RETURNING id`, token, id, by.Organisation, by.FIN).Scan(&look))
	_, err = nested.Exec(t.Context(), `INSERT INTO ledger_lines (kind, object, key, mac) VALUES ('look', 'inspection/' || $1::bigint, $2, $2)`, look, make([]byte, 32))
	w.must(err)
	w.must(nested.Commit(t.Context()))
	var surname string
	if err := tx.QueryRow(t.Context(), `SELECT surname FROM inspection_person($1, $2)`, token, by.FIN).Scan(&surname); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("a name before the look is committed: %q, %v", surname, err)
	}
	w.must(tx.Rollback(t.Context()))

	token, err = i.Look(t.Context(), by, number, "complaint")
	w.must(err)
	s, err := i.Show(t.Context(), by, token)
	w.must(err)
	if s.Name != people.Who("nermin").Name || s.Case.Number != number || len(s.Steps) < 6 {
		t.Errorf("%+v", s)
	}
	other := by
	other.FIN = people.Who("zaur").FIN
	if _, err := i.Show(t.Context(), other, token); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("another's look: %v", err)
	}
	w.later = inspection.LookLength
	if _, err := i.Show(t.Context(), by, token); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("after its time: %v", err)
	}
	w.later = 0
	// The person was told, and sees it at the case, with the purpose.
	if keys := w.keys(people.Who("nermin").FIN); keys[len(keys)-1] != inspection.Told {
		t.Errorf("told %v", keys)
	}
	shown := w.state(people.Who("nermin").FIN, number)
	if l := shown.Looks[0]; l.Office != by.Office || l.Purpose != "complaint" {
		t.Errorf("%+v", l)
	}
	var l inspection.Look
	line := ledger.Line{Kind: ledger.Look}
	w.must(w.db.Admin.QueryRow(t.Context(), `
		SELECT i.id, i.token, i.case_id, i.organisation_id, i.office, i.officer_fin, i.officer, i.purpose, i.at, g.object, g.key, g.mac
		FROM inspection_looks i JOIN ledger_lines g ON g.object = 'inspection/' || i.id`).Scan(
		&l.ID, &l.Token, &l.Case, &l.Organisation, &l.Office, &l.OfficerFIN, &l.Officer, &l.Purpose, &l.At, &line.Object, &line.Key, &line.MAC))
	content, err := l.Content()
	w.must(err)
	if !line.Opens(content) {
		t.Error("the look's line does not open")
	}
}

// S19: the twentieth look of a day is an alarm, and after the fortieth nothing is shown.
func TestManyLooksAreAnAlarm(t *testing.T) {
	w, i, by, number := inspected(t)
	alarms := 0
	i.Alarm = func() { alarms++ }
	if _, err := i.Look(t.Context(), by, number, "curiosity"); !errors.Is(err, tesdiq.Invalid("inspection.purpose").In("purpose")) {
		t.Errorf("without a purpose of the list: %v", err)
	}
	if _, err := i.Look(t.Context(), by, "T-2026-999999", "court"); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("no such case: %v", err)
	}
	for n := 1; n <= inspection.MostADay; n++ {
		_, err := i.Look(t.Context(), by, number, "court")
		w.must(err)
		if want := max(0, n-inspection.AlarmAt+1); alarms != want {
			t.Fatalf("%d alarms after %d looks, want %d", alarms, n, want)
		}
	}
	var p *tesdiq.Problem
	if _, err := i.Look(t.Context(), by, number, "court"); !errors.As(err, &p) || p.Key != "inspection.most" {
		t.Errorf("beyond the limit: %v", err)
	}
	if got := w.count(`SELECT count(*) FROM inspection_looks`); got != inspection.MostADay {
		t.Errorf("%d looks", got)
	}
	w.later = 24 * time.Hour
	if _, err := i.Look(t.Context(), by, number, "court"); err != nil {
		t.Errorf("the next day: %v", err)
	}
}

var lookOf = regexp.MustCompile(`^/inspection/case/[0-9A-Z]{26}$`)

func TestTheInspectorsPages(t *testing.T) {
	w, i, by, number := inspected(t)
	w.later = 40 * 24 * time.Hour
	_, err := caseworkdb.Alarms{Pool: w.db.Pool(postgres.Casework), Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now}.Ring(t.Context())
	w.must(err)
	shell := webtest.Shell(t, func(c *web.Config) {
		c.Now = w.now
		c.Members = memberships{web.Organisation{ID: by.Organisation, Name: by.Office, Role: "manager", Duties: []string{"inspection"}}}
	})
	h := &inspectionweb.Web{Shell: shell, Inspector: i, Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now}
	w.must(h.Prepare())
	b := webtest.Open(t, shell, h.Routes)
	b.SignIn(by.FIN)
	if a := b.Get("/inspection/clocks"); a.Status != http.StatusForbidden {
		t.Errorf("acts for himself: %d", a.Status)
	}
	b.Act()
	nermin := people.Who("nermin")
	said := func(a webtest.Answer, status int, want ...string) webtest.Answer {
		t.Helper()
		if a.Status != status {
			t.Fatalf("%d, want %d: %s", a.Status, status, a.Body)
		}
		for _, x := range want {
			if !strings.Contains(a.Body, x) {
				t.Errorf("%q is not on the page: %s", x, a.Body)
			}
		}
		for _, key := range []string{"inspection.", "tseras-person.", "filing.", "problem.", "registry.", "clocks."} {
			if strings.Contains(a.Body, ">"+key) {
				t.Errorf("a key instead of words: %s", a.Body)
			}
		}
		return a
	}
	period := url.Values{"period": {thisYear(w).Key}}
	if tesdiq.DateOf(w.now()).Year() != tesdiq.DateOf(time.Now()).Year() {
		period.Set("period", fmt.Sprint(tesdiq.DateOf(time.Now()).Year()))
	}
	for view, want := range map[string]string{
		"clocks": "T-2026-", "draws": "K0", "findings": explained, "looks": people.Who("zaur").Name.Short(), "statistics": "<svg",
	} {
		for _, lang := range tesdiq.Langs {
			period.Set("lang", string(lang))
			a := said(b.Get("/inspection/"+view+"?"+period.Encode()), http.StatusOK, want)
			for _, x := range []string{nermin.Name.Surname, string(nermin.FIN), people.Who("elcin").Name.Surname} {
				if strings.Contains(a.Body, x) {
					t.Errorf("%s names somebody: %s", view, x)
				}
			}
		}
		a := said(b.Get("/inspection/"+view+".csv?"+period.Encode()), http.StatusOK)
		reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.Body, "\ufeff")))
		reader.FieldsPerRecord = -1
		if rows, err := reader.ReadAll(); err != nil || len(rows) < 3 || a.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("%s.csv: %d rows, %v", view, len(rows), err)
		}
		period.Del("lang")
	}
	said(b.Get("/inspection/statistics?period=1999"), http.StatusOK)
	said(b.Get("/inspection/clocks?list=overdue&page=20"), http.StatusOK)
	for _, lang := range tesdiq.Langs {
		said(b.Get("/inspection/case?lang="+string(lang)+"&number="+number), http.StatusOK, number)
	}
	said(b.Post("/inspection/case", url.Values{"number": {number}}), http.StatusUnprocessableEntity, `id="purpose-why"`)
	said(b.Post("/inspection/case", url.Values{"number": {"T-2026-999999"}, "purpose": {"court"}}), http.StatusUnprocessableEntity, `id="number-why"`)
	for _, lang := range tesdiq.Langs {
		b.Get("/inspection/case?lang=" + string(lang))
		for number, key := range map[string]string{"": "number-missing", "  ": "number-missing", "123": "number-malformed", "T-2026-12": "number-malformed"} {
			said(b.Post("/inspection/case", url.Values{"number": {number}}), http.StatusUnprocessableEntity, `id="number-why"`, `id="purpose-why"`,
				shell.T(lang, "problem.inspection."+key), shell.T(lang, "problem.inspection.purpose"))
		}
	}
	w.later = 0
	a := said(b.Post("/inspection/case", url.Values{"number": {" " + strings.ToLower(number)}, "purpose": {"complaint"}}), http.StatusSeeOther)
	a = said(b.Post("/inspection/case", url.Values{"number": {number}, "purpose": {"court"}}), http.StatusSeeOther)
	if !lookOf.MatchString(a.Header.Get("Location")) {
		t.Fatalf("leads to %s", a.Header.Get("Location"))
	}
	for _, lang := range tesdiq.Langs {
		said(b.Get(a.Header.Get("Location")+"?lang="+string(lang)), http.StatusOK, nermin.Name.Short(), number)
	}
	said(b.Get("/inspection/case/"+strings.Repeat("A", inspection.TokenLength)), http.StatusNotFound)
}
