package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/internal/people"
)

func TestTheMainJob(t *testing.T) {
	w := open(t, 200)
	if err := w.do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(w.excerpts) != 2 || len(w.checks) != 6 || len(w.seen) != 6 {
		t.Errorf("%d excerpts, %d checks, %d seen", len(w.excerpts), len(w.checks), len(w.seen))
	}
	w.everyChangeHasItsLine()
	w.nothingPersonalIsLogged()
}

// everyChangeHasItsLine counts ledger lines against what they commit to. That each opens with its content is tested in
// the packages that write them.
func (w *world) everyChangeHasItsLine() {
	w.t.Helper()
	const sqlCounts = `
		SELECT k, (SELECT count(*) FROM ledger_lines WHERE kind = k), n FROM (
			SELECT 'entry' AS k, count(*) AS n FROM entries UNION ALL SELECT 'intent', count(*) FROM intents
			UNION ALL SELECT 'excerpt', count(*) FROM excerpts UNION ALL SELECT 'check', count(*) FROM checks
			UNION ALL SELECT 'withdrawal', count(*) FROM withdrawals UNION ALL SELECT 'revocation', count(*) FROM revocations
			UNION ALL SELECT 'look', count(*) FROM looks) counts`
	rows, err := w.db.Admin.Query(w.t.Context(), sqlCounts)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind string
		var lines, things int
		if err := rows.Scan(&kind, &lines, &things); err != nil {
			w.t.Fatal(err)
		}
		if lines != things {
			w.t.Errorf("%d lines of kind %s for %d", lines, kind, things)
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
}

// nothingPersonalIsLogged looks for every seeded name and identifier, and for every code, in what was logged (S22, S25).
func (w *world) nothingPersonalIsLogged() {
	w.t.Helper()
	logged := w.log.String()
	if !strings.Contains(logged, "/v/{code}") || !strings.Contains(logged, "/cabinet/excerpts/{number}") {
		w.t.Error("the log does not tell routes: this test would prove nothing")
	}
	secrets := []string{w.client.Secret}
	for _, e := range w.excerpts {
		secrets = append(secrets, e.Code, strings.ReplaceAll(e.Code, "-", ""), e.SHA256)
	}
	for _, c := range w.checks {
		secrets = append(secrets, c.ID)
	}
	for _, a := range people.Cast {
		secrets = append(secrets, string(a.FIN), a.Name.Surname, a.Name.Given, string(a.Card))
	}
	rows, err := w.db.Admin.Query(w.t.Context(), `SELECT fin FROM persons UNION ALL SELECT document FROM persons UNION ALL SELECT surname FROM persons`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			w.t.Fatal(err)
		}
		secrets = append(secrets, s)
	}
	if len(secrets) < 200 {
		w.t.Errorf("only %d seeds", len(secrets))
	}
	for _, s := range secrets {
		if regexp.MustCompile(`(^|[^\pL\pN])` + regexp.QuoteMeta(s) + `($|[^\pL\pN])`).MatchString(logged) {
			w.t.Errorf("the log holds %q", s)
		}
	}
}
