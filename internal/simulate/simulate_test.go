package simulate

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/casework/tseras"
)

// decidedBy are the questions to a register that packages name.
const decidedBy = `SELECT q.id FROM gateway_questions q JOIN gateway_exchanges x ON x.question_id = q.id JOIN cases c ON c.number = q.case_number
	JOIN tseras_decisions d ON d.case_id = c.id WHERE strpos(convert_from(d.package, 'UTF8'), encode(sha256(x.exchange), 'hex')) > 0 AND q.register = `

// damages are what somebody who owns the database, or a fault of ours, could do, and by which words the audit must say it.
var damages = []struct{ name, sql, says string }{
	{"a ledger line is gone", `DELETE FROM ledger_lines WHERE seq = (SELECT max(seq) FROM ledger_lines WHERE kind = 'step')`, "1 of kind step without a line"},
	{"a ledger line is there twice", `INSERT INTO ledger_lines (kind, object, key, mac) SELECT kind, object, key, mac FROM ledger_lines WHERE kind = 'decision' LIMIT 1`, "no two ledger lines"},
	{"a finding is changed", `UPDATE tseras_findings SET findings = jsonb_set(findings, '{conditions,0,grade}', '4') WHERE (number, member_id) IN
		(SELECT number, member_id FROM tseras_findings WHERE findings->'conditions'->0->>'grade' <> '4' LIMIT 1)`, "kind finding whose line does not open"},
	{"a look is gone", `DELETE FROM tseras_looks WHERE id = (SELECT max(id) FROM tseras_looks)`, "kind look there is a line for"},
	{"a step is back-dated", `UPDATE case_steps SET at = at - interval '1 year' WHERE (case_id, seq) IN (SELECT case_id, seq FROM case_steps WHERE seq = 2 LIMIT 1)`, "none earlier than it"},
	{"a decision says another result", `UPDATE tseras_decisions SET package = convert_to(replace(convert_from(package, 'UTF8'), '"loss":', '"loss":1'), 'UTF8')
		WHERE case_id = (SELECT case_id FROM tseras_decisions WHERE convert_from(package, 'UTF8') LIKE '%"loss":%' LIMIT 1)`, "the package of case"},
	{"a register's answer is another", `UPDATE gateway_exchanges SET exchange = exchange || '\x20' WHERE question_id = (` + decidedBy + `'dialysis' LIMIT 1)`, "names an answer of dialysis that nobody gave"},
	{"a register's answer is gone", `DELETE FROM gateway_exchanges WHERE question_id = (` + decidedBy + `'episodes' LIMIT 1)`, "names an answer of hospital that nobody gave"},
	{"an examination is of another loss", `UPDATE examinations SET loss = loss + 5 WHERE entry_id = (SELECT max(entry_id) FROM tseras_decisions JOIN examinations USING (entry_id) WHERE loss BETWEEN 31 AND 90)`, "than was entered"},
	{"an examination was entered past the procedure", `WITH e AS (INSERT INTO entries (book, number, version, act, subject, chain, effective_on, entered_at, entered_by, reason)
		SELECT book, 'EX-2026-999999', 1, act, subject, chain, effective_on, entered_at, entered_by, reason FROM entries WHERE id = (SELECT max(entry_id) FROM tseras_decisions) RETURNING id)
		INSERT INTO examinations (entry_id, commission, examined_on, repeat, outcome, loss, degree, old_group, cause, from_day, until_day, next_from)
		SELECT e.id, commission, examined_on, repeat, outcome, loss, degree, old_group, cause, from_day, until_day, next_from FROM e, examinations WHERE entry_id = (SELECT max(entry_id) FROM tseras_decisions)`, "entries that no decision made"},
	{"somebody else took a seat", `UPDATE tseras_seats SET member_id = (SELECT min(id) FROM commission_members m WHERE NOT EXISTS (SELECT FROM tseras_seats t WHERE t.number = tseras_seats.number AND t.member_id = m.id))
		WHERE (number, member_id) IN (SELECT s.number, s.member_id FROM tseras_seats s WHERE s.role = 'member' AND NOT EXISTS (SELECT FROM tseras_looks l WHERE l.number = s.number AND l.member_id = s.member_id) LIMIT 1)`, "who sits is who was drawn"},
	{"who sits has signed the referral", `UPDATE tseras_referrals r SET member = m.fin FROM tseras_blind b JOIN tseras_seats s ON s.number = b.number JOIN commission_members m ON m.id = s.member_id
		WHERE b.case_id = r.case_id AND s.role = 'chair' AND r.case_id = (SELECT min(r.case_id) FROM tseras_referrals r JOIN tseras_blind b ON b.case_id = r.case_id)`, "nobody sits who acted for the person"},
	{"who sits has filed the case", `UPDATE case_steps t SET part = 'clerk', office = 'Poçt', actor_fin = m.fin FROM tseras_blind b JOIN tseras_seats s ON s.number = b.number
		JOIN commission_members m ON m.id = s.member_id WHERE t.case_id = b.case_id AND t.seq = 1 AND s.role = 'chair'`, "nobody sits who acted for the person"},
	{"a district is no longer barred", `UPDATE commissions SET districts = districts[2:] WHERE id = 'K01'`, "2 times it is not so that who may be drawn"},
	{"a member was appointed past the list", `INSERT INTO commission_members (id, commission_id, fin, name, chair, added_at) SELECT 'K01-99', 'K01', '0000000', name, true, added_at FROM commission_members LIMIT 1`, "1 times it is not so that who may be drawn"},
	{"a member is one again", `UPDATE commission_members SET ended_at = NULL WHERE id = (SELECT min(id) FROM commission_members WHERE ended_at IS NOT NULL)`, "1 times it is not so that who may be drawn"},
	{"a change of the lists is another", `UPDATE list_changes SET written_at = written_at - interval '1 year' WHERE id = 1`, "1 of kind list whose line does not open"},
	{"a commission was shown something else", `UPDATE tseras_blind SET referral = jsonb_set(referral, '{inpatient}', '99') WHERE number = (SELECT min(number) FROM tseras_blind)`, "1 commissions were shown something else"},
	{"what a commission was shown has another salt", `UPDATE tseras_blind SET salt = substr(sha256(salt), 1, 16), referral = referral || '{"main": {"code": "G35", "since_months": 3}}' WHERE number = (SELECT min(number) FROM tseras_blind)`, "1 commissions were shown something else"},
	{"a commission was drawn for again", `DROP INDEX drawings_once; INSERT INTO drawings (round, ref, case_id, seq, commitment, salt, drawing) SELECT round, 'AGAIN', case_id, seq, commitment, salt, drawing FROM drawings LIMIT 1`, "a case is drawn for once"},
	{"a round was committed to when its case was known", `UPDATE draw_rounds r SET committed_at = t.at + interval '1 microsecond' FROM (SELECT d.round, min(t.at) AS at FROM drawings d
		JOIN case_steps t ON t.case_id = d.case_id AND t.seq = d.seq GROUP BY d.round ORDER BY d.round LIMIT 1) t WHERE t.round = r.round`, "drawn for by a round that was committed to before the step"},
	{"a round's line was written for another promise", `UPDATE ledger_lines SET key = sha256(key) WHERE seq = (SELECT min(seq) FROM ledger_lines WHERE kind = 'round')`, "the ledger line does not commit to this promise at this time"},
	{"a member treated the person years ago", `UPDATE tseras_evidence e SET outcome = e.outcome || jsonb_build_object('facts', jsonb_build_object('Treating', jsonb_build_array(jsonb_build_object('doctor', s.fin))))
		FROM (SELECT b.case_id, max(m.fin) AS fin FROM tseras_seats s JOIN tseras_blind b ON b.number = s.number JOIN tseras_referrals r ON r.case_id = b.case_id
		      JOIN commission_members m ON m.id = s.member_id GROUP BY b.case_id ORDER BY b.case_id LIMIT 1) s
		WHERE e.case_id = s.case_id AND e.register = 'treating'`, "nobody sits over himself, a relative, a patient"},
	{"somebody was passed over too early", `UPDATE case_steps t SET due_by = due_by + 365 FROM tseras_passed o WHERE o.case_id = t.case_id AND o.seq = t.seq + 1 AND o.why = 'silent'`, "passed over before the clock"},
	{"who was passed over has spoken", `UPDATE tseras_passed SET at = at - interval '1 year'`, "who was passed over said nothing"},
	{"a seed was exchanged", `UPDATE draw_seeds SET seed = sha256(seed) WHERE round = (SELECT round FROM drawings d JOIN cases c ON c.id = d.case_id WHERE c.state = 'decided' LIMIT 1)`, "the seed is not the one"},
	{"a person was not told", `DELETE FROM messages WHERE id = (SELECT max(id) FROM messages WHERE key = 'tseras.message.decided')`, "told of each step"},
	{"a programme is another than was entered", `UPDATE tseras_programme_drafts SET draft = jsonb_set(draft, '{lines,0,provider}', '"Başqası"') WHERE (case_id, n) = (SELECT case_id, n FROM tseras_programme_drafts ORDER BY 1, 2 LIMIT 1)`, "drafts of programmes are not what"},
	{"a decision has no programme", `UPDATE cases SET about = 0 WHERE id = (SELECT min(id) FROM cases WHERE kind = 'programme')`, "opens one programme"},
	{"nobody looked into a programme", `DELETE FROM tseras_programme_looks WHERE id = (SELECT max(id) FROM tseras_programme_looks)`, "kind look there is a line for"},
	{"an agency ruled otherwise", `UPDATE tseras_correction_outcomes SET outcome = CASE outcome WHEN 'refused' THEN 'corrected' ELSE 'refused' END WHERE (case_id, n) =
		(SELECT o.case_id, o.n FROM tseras_correction_outcomes o JOIN cases c ON c.id = o.case_id WHERE c.state IN ('corrected', 'refused') AND o.outcome = c.state LIMIT 1)`, "a correction ends as its agency has ruled"},
	{"a message goes out twice", `INSERT INTO outbox (message_id, at, due_at) SELECT message_id, at, due_at FROM outbox WHERE message_id = (SELECT max(id) FROM messages WHERE key = 'tseras.message.applied')`, "goes out once"},
	{"a message names a diagnosis", `UPDATE messages SET args = args || '{"Why": "M05.8"}' WHERE id = (SELECT max(id) FROM messages WHERE key = 'tseras.message.applied')`, "neither diagnosis nor degree"},
}

// TestTheAuditSeesWhatIsWrong plays a short year, finds nothing wrong with it, and then everything that is damaged.
func TestTheAuditSeesWhatIsWrong(t *testing.T) {
	o, err := Options{Cases: 40, Seed: 3, Crashes: 3, Sealed: 20, Now: time.Now, Progress: io.Discard}.filled()
	if err != nil {
		t.Fatal(err)
	}
	y := newYear(o, t.TempDir())
	t.Cleanup(func() {
		if err := y.close(); err != nil {
			t.Error(err)
		}
	})
	if err := y.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := y.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := y.judge(t.Context())
	if err != nil || !r.Good() {
		t.Fatalf("%v, %v", r.Wrong, err)
	}
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			tx, err := y.admin.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
			// Past triggers and references, as whoever has the server's files could do it.
			if _, err := tx.Exec(t.Context(), `SET LOCAL session_replication_role = replica`); err != nil {
				t.Fatal(err)
			}
			tag, err := tx.Exec(t.Context(), d.sql, pgx.QueryExecModeSimpleProtocol)
			if err != nil || tag.RowsAffected() == 0 {
				t.Fatalf("nothing is damaged: %v", err)
			}
			_, wrong, err := Audit(t.Context(), tx, y.loaded, func(string) {})
			if err != nil || !strings.Contains(strings.Join(wrong, "\n"), d.says) {
				t.Errorf("%q is not said: %q, %v", d.says, wrong, err)
			}
		})
	}
}

// The members' findings are such as the rules take for everybody whom a commission may meet.
func TestThereIsAFindingForEverybody(t *testing.T) {
	for _, age := range []tseras.AgeGroup{0, 3, 7, 15, 18, 25, 35, 45, 55, 65, 75} {
		for _, code := range []tseras.ICD{"M05.8", "G80.0", "N18.5", "Q90.9", "I69.3", "Z99.9"} {
			for grade := 1; grade <= 4; grade++ {
				f := Finding(code, grade, age, begins)
				if err := tseras.CheckFindings(f, age, begins); err != nil || len(f.Conditions) != 1 {
					t.Errorf("%s %d %s: %+v, %v", code, grade, age, f, err)
				}
			}
		}
	}
}
