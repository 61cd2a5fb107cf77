package tserasdb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection/inspectiondb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/organisation"
)

// officials look at one case after the other, by rows as their components write them; the keys of others' tables are not looked at.
type officials struct {
	*world
	office int64
	name   string
}

func (o officials) exec(sql string, args ...any) {
	o.Helper()
	o.must(pgx.BeginFunc(o.Context(), o.db.Admin, func(tx pgx.Tx) error {
		if _, err := tx.Exec(o.Context(), `SET LOCAL session_replication_role = replica`); err != nil {
			return err
		}
		_, err := tx.Exec(o.Context(), sql, args...)
		return err
	}))
}

// S19: the twentieth look of a day that nothing explains is an alarm, whoever looks; the nineteenth is none.
func TestTheTwentiethLookIsAnAlarmForEveryKind(t *testing.T) {
	w := newWorld(t)
	o, err := w.orgs().Add(t.Context(), organisation.Organisation{VOEN: "1700000061", Name: "Nümunə idarəsi", Sort: organisation.Office})
	w.must(err)
	who := people.Who("zaur")
	_, err = w.orgs().AddMember(t.Context(), o.VOEN, organisation.Member{FIN: who.FIN, Name: who.Name.Short(), Role: organisation.Clerk})
	w.must(err)
	x := officials{w, o.ID, o.Name}
	i := inspectiondb.Inspector{Pool: w.db.Pool(postgres.Inspection), Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now}
	at := tesdiq.MustDate("2026-11-02").Start().Add(12 * time.Hour)
	fin := func(n int) string { return fmt.Sprintf("5ZN00%02d", n) }

	for kind, look := range map[string]func(n int){
		"member": func(n int) { // at a case that is closed
			x.exec(`INSERT INTO tseras_blind (number, case_id, referral) VALUES (lpad($1::bigint::text, 8, '0'), $1::bigint, '{}')`, n)
			x.exec(`INSERT INTO case_steps (case_id, procedure, kind, seq, from_state, to_state, at, part, actor_fin, office, what, args, turn, began, provisional)
				VALUES ($1::bigint, 'tseras', 'assessment', 2, 'gathering', 'withdrawn', $2, 'subject', $3, '', 'withdrawn', '{}', 'nobody', '2026-11-02', false)`, n, at, fin(n))
			x.exec(`INSERT INTO tseras_looks (number, member_id, at) VALUES (lpad($1::bigint::text, 8, '0'), 'K01-1', $2)`, n, at.Add(time.Minute))
		},
		"inspector": func(n int) {
			x.exec(`INSERT INTO inspection_looks (token, case_id, organisation_id, office, officer_fin, officer, purpose, at) VALUES (lpad($1::bigint::text, 26, 'A'), $1::bigint, $2, $3, $4, $5, 'court', $6)`,
				n, x.office, x.name, who.FIN, who.Name.Short(), at)
		},
		"clerk": func(n int) { // opens a person's page, and does nothing
			x.exec(`INSERT INTO filing_tries (visit, organisation_id, office, clerk_fin, clerk, subject, at) VALUES (lpad($1::bigint::text, 26, 'B'), $2, $3, $4, $5, $6, $7)`,
				n, x.office, x.name, who.FIN, who.Name.Short(), fin(n), at)
		},
		"clerk who guesses": func(int) {
			x.exec(`INSERT INTO filing_tries (organisation_id, office, clerk_fin, clerk, at) VALUES ($1, $2, $3, $4, $5)`, x.office, x.name, fin(0), "Başqa Əməkdaş", at)
		},
		"rehabilitation": func(n int) {
			x.exec(`INSERT INTO tseras_programme_looks (case_id, organisation_id, fin, at) VALUES ($1, $2, $3, $4)`, n, x.office, who.FIN, at)
		},
		"institution": func(n int) {
			x.exec(`INSERT INTO tseras_result_looks (case_id, organisation_id, member, day, at) VALUES ($1, $2, $3, '2026-11-02', $4)`, n, x.office, who.FIN, at)
		},
		"institution's program": func(n int) {
			x.exec(`INSERT INTO tseras_result_looks (case_id, organisation_id, day, at) VALUES ($1, $2, '2026-11-02', $3)`, n, x.office, at)
		},
		"call_centre": func(n int) {
			x.exec(`INSERT INTO lookups (at, subject, way, organisation_id, client_id, operator_fin, outcome, decided_on, indefinite) VALUES ($1, $2, 'office', $3, 'p', $4, 'decided', '2026-10-01', true)`,
				at, fin(n), x.office, who.FIN)
		},
		"call_centre that guesses": func(n int) {
			x.exec(`INSERT INTO lookup_tries (at, day, way, card, organisation_id, operator_fin, shown) VALUES ($1, '2026-11-02', 'office', sha256($2::bigint::text::bytea), $3, $4, false)`,
				at, n, x.office, fin(0))
		},
	} {
		seen := func() inspection.Looker {
			t.Helper()
			all, err := i.Lookers(t.Context(), inspection.PeriodOf("2026-11", inspection.Periods(tesdiq.MustDate("2026-11-02"))), 0, 100)
			w.must(err)
			if len(all) != 1 || all[0].Day != tesdiq.MustDate("2026-11-02") {
				t.Fatalf("%s: %+v", kind, all)
			}
			return all[0]
		}
		for n := 1; n <= 21; n++ {
			look(n)
			if n < 19 {
				continue
			}
			l := seen()
			if l.Unrelated+l.Misses != n || l.Anomalous() != (n >= 20) {
				t.Errorf("%s, %d looks: %+v", kind, n, l)
			}
			if named := l.Who != ""; named != (kind != "institution's program" && kind != "call_centre that guesses") || l.Office == "" {
				t.Errorf("%s: %+v", kind, l)
			}
		}
		// The same again on the same day is no other case, and on the next day it counts anew.
		for _, sql := range []string{`UPDATE tseras_looks SET at = at + interval '1 day' WHERE number > '00000019'`, `UPDATE inspection_looks SET at = at + interval '1 day' WHERE case_id > 19`,
			`UPDATE filing_tries SET at = at + interval '1 day' WHERE id > (SELECT min(id) + 18 FROM filing_tries)`, `UPDATE tseras_programme_looks SET at = at + interval '1 day' WHERE case_id > 19`,
			`UPDATE tseras_result_looks SET at = at + interval '1 day', day = day + 1 WHERE case_id > 19`, `UPDATE lookups SET at = at + interval '1 day' WHERE id > (SELECT min(id) + 18 FROM lookups)`,
			`UPDATE lookup_tries SET day = day + 1 WHERE id > (SELECT min(id) + 18 FROM lookup_tries)`} {
			x.exec(sql)
		}
		all, err := i.Lookers(t.Context(), inspection.PeriodOf("2026-11", inspection.Periods(tesdiq.MustDate("2026-11-02"))), 0, 100)
		w.must(err)
		if len(all) != 2 || all[0].Anomalous() || all[1].Unrelated+all[1].Misses != 19 || all[0].Unrelated+all[0].Misses != 2 {
			t.Errorf("%s on two days: %+v", kind, all)
		}
		for _, table := range []string{"tseras_looks", "tseras_blind", "case_steps", "inspection_looks", "filing_tries", "tseras_programme_looks", "tseras_result_looks", "lookups", "lookup_tries"} {
			x.exec(`DELETE FROM ` + table)
		}
	}

	// What explains a look: the clerk acted for the person then; the specialist acted in the case on that day; the case was open when the member looked.
	for n := 1; n <= 21; n++ {
		x.exec(`INSERT INTO tseras_programme_looks (case_id, organisation_id, fin, at) VALUES ($1, $2, $3, $4)`, n, x.office, who.FIN, at)
		x.exec(`INSERT INTO case_steps (case_id, procedure, kind, seq, from_state, to_state, at, part, actor_fin, office, what, args, turn, began, provisional)
			VALUES ($1, 'tseras', 'programme', 2, 'awaiting_invitation', 'awaiting_invitation', $2, 'office', $3, $4, 'taken', '{}', 'office', '2026-11-02', false)`, n, at.Add(time.Hour), who.FIN, x.name)
		x.exec(`INSERT INTO tseras_blind (number, case_id, referral) VALUES (lpad($1::bigint::text, 8, '0'), $1::bigint, '{}')`, n)
		x.exec(`INSERT INTO tseras_looks (number, member_id, at) VALUES (lpad($1::bigint::text, 8, '0'), 'K01-1', $2)`, n, at)
	}
	all, err := i.Lookers(t.Context(), inspection.PeriodOf("2026-11", inspection.Periods(tesdiq.MustDate("2026-11-02"))), 0, 100)
	w.must(err)
	if len(all) != 2 {
		t.Fatalf("%+v", all)
	}
	for _, l := range all {
		if l.Cases != 21 || l.Unrelated != 0 || l.Anomalous() {
			t.Errorf("%+v", l)
		}
	}
}
