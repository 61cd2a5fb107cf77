package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// complaints is a test that only notes what is wrong with it.
type complaints struct {
	testing.TB
	said []string
}

func (c *complaints) Errorf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

// The auditor would see if something were lost, doubled or changed: with the superuser's rights and the triggers off,
// each of these is done to what was acknowledged.
func TestTheAuditorSeesWhatIsLost(t *testing.T) {
	t.Parallel()
	in := installDemo(t)
	errands := in.clients()
	stop := in.load(errands)
	for in.shared.figures.of(drawn) < 8 || in.shared.figures.of(checked) < 4 || in.shared.figures.of(pageChecked) < 2 {
		if t.Failed() {
			return
		}
		in.shared.wait()
	}
	stop()
	in.audit(new(figures))
	if t.Failed() {
		return
	}
	events, err := readHistory(filepath.Join(in.dir, "history.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var excerpts, checks []event
	for _, e := range events {
		switch e.What {
		case drawn:
			excerpts = append(excerpts, e)
		case checked:
			checks = append(checks, e)
		}
	}
	id := func(i int) string { return strings.ReplaceAll(checks[i].ID, "-", "") }
	harms := []struct{ name, sql, arg, seen string }{
		{"an excerpt is gone", `WITH gone AS (DELETE FROM excerpts WHERE number = $1 RETURNING id) DELETE FROM excerpt_files USING gone WHERE excerpt_id = gone.id`,
			excerpts[0].Number, excerpts[0].Number}, // lost, or made anew in the meantime by the service, which finds its intent open: then its line does not open
		{"a file has another byte", `UPDATE excerpt_files f SET bytes = set_byte(bytes, 300, get_byte(bytes, 300) # 1) FROM excerpts x WHERE x.id = f.excerpt_id AND x.number = $1`,
			excerpts[1].Number, excerpts[1].Number + ": the stored file is TOTAL-FAILED"},
		{"a file was replaced by another", `UPDATE excerpt_files f SET sha256 = sha256('x') FROM excerpts x WHERE x.id = f.excerpt_id AND x.number = $1`,
			excerpts[2].Number, excerpts[2].Number + " is another than was handed out"},
		{"an attempt is gone", `DELETE FROM attempts a USING intents i WHERE i.id = a.intent_id AND i.number = $1`,
			excerpts[3].Number, "excerpts that were not attempted before they were signed: 1"},
		{"an intent is gone", `DELETE FROM intents WHERE number = $1`,
			excerpts[4].Number, "excerpts without an intent that says the same: 1"},
		{"an excerpt says something else", `UPDATE excerpts SET statement = statement || '{"title": "x"}' WHERE number = $1`,
			excerpts[5].Number, "the line of excerpt " + excerpts[5].Number + " does not open"},
		{"a request was taken twice", `INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at)
			SELECT request || 'x', reverse(code), 'E-2026-9999999', kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at FROM intents WHERE number = $1`,
			excerpts[6].Number, "E-2026-9999999 was asked for by nobody"},
		{"a check is gone", `DELETE FROM checks WHERE id = $1`, id(0), "the check " + checks[0].ID + " is lost"},
		{"a check is another's", `UPDATE checks SET idempotency_key = 'x' WHERE id = $1`, id(1), "the check " + checks[1].ID + " is another than was acknowledged"},
		{"a check is hidden from its subject", `UPDATE checks SET excerpt_id = NULL, subject = NULL, verdict = 'unknown' WHERE id = $1`,
			id(2), "the check " + checks[2].ID + " is not seen by its subject"},
		{"a line is gone", `DELETE FROM ledger_lines WHERE object = $1`, id(3), "ledger: no line for check " + id(3)},
	}
	c := &complaints{TB: t}
	a := newAuditor(t, in.adminURL(), in.program)
	for _, harm := range harms {
		tx, err := a.db.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `SET LOCAL session_replication_role = replica`); err != nil {
			t.Fatal(err)
		}
		tag, err := tx.Exec(t.Context(), harm.sql, harm.arg)
		if err != nil || tag.RowsAffected() == 0 {
			t.Fatalf("%s: %v %v", harm.name, tag, err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a.t = c
	a.consistent()
	a.account(events, new(figures))
	for _, harm := range harms {
		if !slices.ContainsFunc(c.said, func(s string) bool { return strings.Contains(s, harm.seen) }) {
			t.Errorf("%s: the auditor does not say %q but only\n%s", harm.name, harm.seen, strings.Join(c.said, "\n"))
		}
	}
}
