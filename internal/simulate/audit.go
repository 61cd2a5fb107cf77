package simulate

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/ledger"
)

// Querier is a pool or a transaction of the superuser.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Waiting says of an open case whose turn it is, since when, until when, and for what it waits; Waits is empty where nothing is
// missing, and then the program should have gone on.
type Waiting struct {
	ID    int64
	State casework.State
	Turn  casework.Turn
	Since time.Time
	Due   tesdiq.Date
	Waits string
}

// Of a case in each state, what is missing, by what the tables say and nothing else.
const sqlWaiting = `
	SELECT c.id, c.state, s.turn, s.at, s.due_by, coalesce(CASE c.state
	       WHEN 'gathering' THEN (
	           SELECT 'registers that do not answer: ' || string_agg(latest.register, ', ' ORDER BY latest.register)
	           FROM (SELECT DISTINCT ON (e.register) e.register, e.answered FROM tseras_evidence e WHERE e.case_id = c.id AND e.at >= s.at ORDER BY e.register, e.n DESC) latest
	           WHERE NOT latest.answered)
	       WHEN 'awaiting_referral' THEN 'the institution''s referral'
	       WHEN 'awaiting_draw' THEN CASE s.turn WHEN 'office' THEN 'somebody who may be drawn' END
	       WHEN 'awaiting_invitation' THEN 'a rehabilitation body''s invitation'
	       WHEN 'awaiting_meeting' THEN CASE s.what WHEN 'programme_wished' THEN 'the body''s answer to a wish' ELSE 'a meeting and a draft of a programme' END
	       WHEN 'drafted' THEN CASE s.what WHEN 'programme_drafted' THEN 'the person''s word on a draft' ELSE 'a programme''s entry, or another draft' END
	       WHEN 'asked' THEN (
	           SELECT CASE WHEN o.outcome = 'later' THEN 'an agency that needs more time' WHEN NOT o.answered THEN 'an agency that does not answer' END
	           FROM tseras_correction_outcomes o WHERE o.case_id = c.id ORDER BY o.n DESC LIMIT 1)
	       WHEN 'drawn' THEN (
	           SELECT 'findings of ' || count(*) || ' member(s)' FROM tseras_blind b JOIN tseras_seats t ON t.number = b.number
	           WHERE b.case_id = c.id AND NOT EXISTS (SELECT FROM tseras_findings f WHERE f.number = t.number AND f.member_id = t.member_id)
	             AND NOT EXISTS (SELECT FROM tseras_passed o WHERE o.number = t.number AND o.member_id = t.member_id) HAVING count(*) > 0)
	       WHEN 'further_member' THEN (
	           SELECT CASE WHEN count(*) > 0 THEN 'findings of further members' WHEN s.turn = 'office' THEN 'somebody who may be drawn' END
	           FROM tseras_blind b JOIN tseras_seats t ON t.number = b.number
	           WHERE b.case_id = c.id AND NOT EXISTS (SELECT FROM tseras_findings f WHERE f.number = t.number AND f.member_id = t.member_id)
	             AND NOT EXISTS (SELECT FROM tseras_passed o WHERE o.number = t.number AND o.member_id = t.member_id))
	       WHEN 'signing' THEN (
	           SELECT CASE WHEN said.silent > 0 THEN 'the word of ' || said.silent || ' member(s)' END
	           FROM (SELECT count(*) FILTER (WHERE g.signs IS NULL) AS silent
	                 FROM tseras_blind b JOIN tseras_seats t ON t.number = b.number
	                 LEFT JOIN tseras_signatures g ON g.number = t.number AND g.member_id = t.member_id
	                      AND g.n = (SELECT max(p.n) FROM tseras_proposals p WHERE p.number = t.number)
	                 WHERE b.case_id = c.id AND NOT EXISTS (SELECT FROM tseras_passed o WHERE o.number = t.number AND o.member_id = t.member_id)) said)
	       END, '')
	FROM cases c
	JOIN case_steps s ON s.case_id = c.id AND s.seq = c.seq
	WHERE c.id = ANY (@ids)`

func explain(ctx context.Context, admin Querier, ids []int64) (map[int64]Waiting, error) {
	rows, _ := admin.Query(ctx, sqlWaiting, pgx.NamedArgs{"ids": ids}) // the error comes out of Collect
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Waiting])
	if err != nil {
		return nil, fmt.Errorf("simulate: explain: %w", err)
	}
	all := map[int64]Waiting{}
	for _, w := range found {
		all[w.ID] = w
	}
	return all, nil
}

const sqlOpenCases = `
	SELECT id
	FROM cases
	WHERE state NOT IN ('decided', 'declined', 'withdrawn', 'lapsed', 'entered', 'corrected', 'refused')
	ORDER BY id`

// Open explains all cases that are not closed.
func Open(ctx context.Context, admin Querier) (all []Waiting, err error) {
	rows, _ := admin.Query(ctx, sqlOpenCases) // the error comes out of Collect
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, fmt.Errorf("simulate: open cases: %w", err)
	}
	why, err := explain(ctx, admin, ids)
	for _, id := range ids {
		all = append(all, why[id])
	}
	return all, err
}

// laws are true of any database with assessments, whatever happened to the program; each is a statement that counts what breaks it.
var laws = []struct{ says, sql string }{
	{"a case stands where its last step led", `
		SELECT count(*) FROM cases c LEFT JOIN LATERAL (SELECT s.seq, s.to_state FROM case_steps s WHERE s.case_id = c.id ORDER BY s.seq DESC LIMIT 1) s ON true
		WHERE (c.seq, c.state) IS DISTINCT FROM (s.seq, s.to_state)`},
	{"the steps of a case are 1, 2, 3 …, each from where the one before led, and none earlier than it", `
		SELECT count(*) FROM (SELECT s.seq, s.from_state, s.at, row_number() OVER w AS n, lag(s.to_state, 1, '') OVER w AS led, lag(s.at) OVER w AS before
			FROM case_steps s WINDOW w AS (PARTITION BY s.case_id ORDER BY s.seq)) t WHERE t.seq <> t.n OR t.from_state <> t.led OR t.at < t.before`},
	{"nobody has two open cases", `
		SELECT count(*) FROM (SELECT FROM cases WHERE kind = 'assessment' AND state NOT IN ('decided', 'declined', 'withdrawn') GROUP BY subject HAVING count(*) > 1) twice`},
	{"a case is decided if and only if it has a decision", `
		SELECT count(*) FROM cases c FULL JOIN tseras_decisions d ON d.case_id = c.id
		WHERE c.kind = 'assessment' AND (c.state = 'decided') IS DISTINCT FROM (d.case_id IS NOT NULL)`},
	{"each decision enters one examination, of the person, on the day; or none, where an indefinite one is kept", `
		SELECT count(*) FROM tseras_decisions d JOIN cases c ON c.id = d.case_id LEFT JOIN entries e ON e.id = d.entry_id LEFT JOIN examinations x ON x.entry_id = e.id
		WHERE CASE WHEN d.entry_id IS NULL AND c.kind = 'appeal' THEN false -- it confirms what was entered
		      WHEN d.entry_id IS NULL THEN convert_from(d.package, 'UTF8')::json->'result'->>'outcome' <> 'kept'
		      ELSE e.subject <> c.subject OR x.entry_id IS NULL OR e.entered_at <> d.decided_at OR x.outcome NOT IN ('not_disability', 'disability', 'child') END`},
	{"a commission's decision is signed by more than half of those who spoke, of whom there are two at least, and all have spoken who were not passed over", `
		SELECT count(*) FROM tseras_decisions d JOIN tseras_blind b ON b.case_id = d.case_id
		CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE g.signs) AS signed, count(g.signs) AS spoke, count(*) FILTER (WHERE g.signs IS NULL AND o.number IS NULL) AS silent
			FROM tseras_seats s
			LEFT JOIN tseras_passed o ON o.number = s.number AND o.member_id = s.member_id
			LEFT JOIN tseras_signatures g ON g.number = s.number AND g.member_id = s.member_id AND g.n = (SELECT max(p.n) FROM tseras_proposals p WHERE p.number = s.number)
			WHERE s.number = b.number) said
		WHERE NOT d.alone AND (2 * said.signed <= said.spoke OR said.spoke < 2 OR said.silent > 0)`},
	{"who was passed over said nothing afterwards, and a step says so", `
		SELECT count(*) FROM tseras_passed o
		LEFT JOIN tseras_findings f ON f.number = o.number AND f.member_id = o.member_id
		LEFT JOIN case_steps t ON t.case_id = o.case_id AND t.seq = o.seq AND t.at = o.at AND t.what IN ('silent', 'another_commission', 'passed_over')
		WHERE f.recorded_at > o.at OR t.seq IS NULL OR NOT EXISTS (SELECT FROM tseras_blind b WHERE b.number = o.number AND b.case_id = o.case_id)
			OR EXISTS (SELECT FROM tseras_signatures g WHERE g.number = o.number AND g.member_id = o.member_id AND g.signed_at > o.at)`},
	{"nobody is passed over before the clock is over, but who is a member no more", `
		SELECT count(*) FROM tseras_passed o JOIN case_steps t ON t.case_id = o.case_id AND t.seq = o.seq - 1
		WHERE o.why = 'silent' AND t.due_by >= (o.at AT TIME ZONE 'Asia/Baku')::date
			OR o.why = 'ended' AND NOT EXISTS (SELECT FROM commission_members m WHERE m.id = o.member_id AND m.ended_at <= o.at)`},
	{"what the registers decided alone, no member has recorded anything for", `
		SELECT count(*) FROM tseras_decisions d
		WHERE d.alone = EXISTS (SELECT FROM tseras_blind b JOIN tseras_findings f ON f.number = b.number WHERE b.case_id = d.case_id)`},
	{"a panel is three of one commission with one chair, and further members are of others, as many as are missing and one at least", `
		SELECT count(*) FROM (
			SELECT count(*) FILTER (WHERE s.role = 'chair') AS chairs, count(*) FILTER (WHERE s.role = 'member') AS members, count(*) FILTER (WHERE s.role = 'further') AS further,
			       count(DISTINCT m.commission_id) FILTER (WHERE s.role <> 'further') AS panels,
			       bool_or(s.role = 'further' AND m.commission_id IN (SELECT o.commission_id FROM tseras_seats q JOIN commission_members o ON o.id = q.member_id WHERE q.number = s.number AND q.role = 'chair')) AS own,
			       3 - (SELECT count(*) FROM tseras_seats q LEFT JOIN tseras_passed o ON o.number = q.number AND o.member_id = q.member_id
			            WHERE q.number = s.number AND q.seq < s.seq AND (o.seq IS NULL OR o.seq > s.seq)) AS missing
			FROM tseras_seats s JOIN commission_members m ON m.id = s.member_id GROUP BY s.number, s.seq) t
		WHERE own OR CASE WHEN further = 0 THEN (chairs, members, panels) <> (1, 2, 1) ELSE chairs + members > 0 OR further <> greatest(1, missing) END`},
	{"another commission is drawn only where nobody of the one before has spoken", `
		SELECT count(*) FROM tseras_seats s JOIN tseras_seats q ON q.number = s.number AND q.role <> 'further' AND q.seq < s.seq
		WHERE s.role = 'chair' AND (EXISTS (SELECT FROM tseras_findings f WHERE f.number = q.number AND f.member_id = q.member_id)
			OR NOT EXISTS (SELECT FROM tseras_passed o WHERE o.number = q.number AND o.member_id = q.member_id))`},
	{"nobody sits over himself, a relative, a patient or one whom he referred, nor over his own district's or institution's people", `
		SELECT count(*) FROM tseras_seats s
		JOIN tseras_blind b ON b.number = s.number JOIN cases c ON c.id = b.case_id JOIN tseras_referrals r ON r.case_id = c.id
		JOIN commission_members m ON m.id = s.member_id JOIN commissions k ON k.id = m.commission_id
		LEFT JOIN LATERAL (
			SELECT array_agg(p.value->>'fin') FILTER (WHERE p.part = 'Relatives') || array_agg(p.value->>'doctor') FILTER (WHERE p.part = 'Treating') AS people,
			       array_agg(p.value->>'district') FILTER (WHERE p.part = 'Population') AS districts
			FROM (SELECT DISTINCT ON (e.register) e.outcome FROM tseras_evidence e WHERE e.case_id = c.id AND e.at <= s.seated_at ORDER BY e.register, e.n DESC) e,
			     (VALUES ('Relatives'), ('Treating'), ('Population')) AS parts (part),
			     LATERAL (SELECT parts.part, v.value FROM jsonb_array_elements(CASE jsonb_typeof(e.outcome->'facts'->parts.part) WHEN 'array' THEN e.outcome->'facts'->parts.part ELSE '[]' END) v) p) out ON true
		WHERE m.fin = c.subject OR r.referral->'physicians' ? m.fin OR m.fin = ANY (out.people) OR k.districts && out.districts OR r.district = ANY (k.districts)`},
	{"nobody sits who acted for the person at a counter, or referred him or refused to for an institution, in a case of his before", `
		SELECT count(*) FROM tseras_seats s
		JOIN tseras_blind b ON b.number = s.number JOIN cases c ON c.id = b.case_id JOIN commission_members m ON m.id = s.member_id
		WHERE EXISTS (SELECT FROM cases p JOIN case_steps t ON t.case_id = p.id WHERE p.subject = c.subject AND t.part = 'clerk' AND t.actor_fin = m.fin AND t.at < s.seated_at)
			OR EXISTS (SELECT FROM cases p JOIN tseras_referrals r ON r.case_id = p.id
			           WHERE p.subject = c.subject AND r.received_at < s.seated_at AND (r.member = m.fin OR r.referral->'physicians' ? m.fin))
			OR EXISTS (SELECT FROM cases p JOIN tseras_refusals f ON f.case_id = p.id WHERE p.subject = c.subject AND f.at < s.seated_at AND f.member = m.fin)`},
	{"a case is drawn for once for each step that calls for it", `
		SELECT count(*) FROM drawings d JOIN case_steps t ON t.case_id = d.case_id AND t.seq = d.seq
		WHERE t.to_state <> CASE d.drawing->'steps'->0->>'role' WHEN 'further' THEN 'further_member' ELSE 'awaiting_draw' END
			OR EXISTS (SELECT FROM drawings o WHERE o.case_id = d.case_id AND o.seq = d.seq AND o.ref <> d.ref)`},
	{"who sits is who was drawn", `
		SELECT count(*) FROM (SELECT b.case_id, s.member_id FROM tseras_seats s JOIN tseras_blind b ON b.number = s.number) s
		FULL JOIN (SELECT d.case_id, who.value AS member_id FROM drawings d, json_array_elements(d.drawing->'steps') step, json_array_elements_text(step->'drawn') who
		           WHERE step->>'role' <> 'commission') d USING (case_id, member_id)
		WHERE s.case_id IS NULL OR d.case_id IS NULL`},
	{"a round's commitment stood before its seed was opened", `
		SELECT count(*) FROM draw_rounds r JOIN draw_seeds s ON s.round = r.round WHERE s.opened_at < r.committed_at`},
	{"a case is drawn for by a round that was committed to before the step that called for it", `
		SELECT count(*) FROM drawings d JOIN draw_rounds r ON r.round = d.round JOIN case_steps t ON t.case_id = d.case_id AND t.seq = d.seq WHERE r.committed_at > t.at`},
	{"nobody records or signs without having looked, and a look comes before", `
		SELECT count(*) FROM (SELECT number, member_id, recorded_at AS at FROM tseras_findings UNION ALL SELECT number, member_id, signed_at FROM tseras_signatures) a
		WHERE NOT EXISTS (SELECT FROM tseras_looks l WHERE l.number = a.number AND l.member_id = a.member_id AND l.at <= a.at)`},
	{"the person is told of each step that is told, once, and of no other", `
		SELECT count(*) FROM (
			SELECT c.subject AS fin, c.number,
			       CASE WHEN s.part = 'clerk' THEN 'filing' ELSE 'tseras' END || '.message.' || CASE s.what WHEN 'decided_alone' THEN 'decided' ELSE s.what END AS key, count(*) AS n
			FROM case_steps s JOIN cases c ON c.id = s.case_id
			WHERE c.kind = 'assessment' AND s.what IN ('applied', 'referred', 'referral_asked', 'died', 'declined', 'withdrawn', 'decided', 'decided_alone') GROUP BY 1, 2, 3) s
		FULL JOIN (
			SELECT m.fin, m.args->>'Number' AS number, m.key, count(*) AS n
			FROM messages m JOIN cases c ON c.number = m.args->>'Number' AND c.kind = 'assessment'
			WHERE m.key IN ('tseras.message.applied', 'tseras.message.referred', 'tseras.message.referral_asked', 'tseras.message.died', 'tseras.message.declined',
			                'tseras.message.withdrawn', 'tseras.message.decided', 'filing.message.applied', 'filing.message.withdrawn')
			GROUP BY 1, 2, 3) m USING (fin, number, key)
		WHERE s.n IS DISTINCT FROM m.n`},
	{"an appeal is decided by others than those who decided before, and at most once", `
		SELECT count(*) FROM cases a WHERE a.kind = 'appeal' AND (
			(SELECT count(*) FROM cases o WHERE o.about = a.about AND o.kind = 'appeal' AND o.state NOT IN ('withdrawn', 'lapsed')) > 1
			OR EXISTS (SELECT FROM tseras_blind b JOIN tseras_seats s ON s.number = b.number JOIN commission_members m ON m.id = s.member_id,
			           tseras_blind fb JOIN tseras_seats fs ON fs.number = fb.number JOIN commission_members fm ON fm.id = fs.member_id
			           WHERE b.case_id = a.id AND fb.case_id = a.about AND m.fin = fm.fin))`},
	{"each examination that was decided is told of, once", `
		SELECT count(*) FROM (SELECT d.entry_id, e.subject, e.number FROM tseras_decisions d JOIN entries e ON e.id = d.entry_id) d
		WHERE (SELECT count(*) FROM messages m WHERE m.fin = d.subject AND m.key = 'message.entry' AND m.args->>'Number' = d.number
		       AND m.args->>'Act.key' = 'registry.act.append') <> 1 -- that an appeal took it out of the book is told of, too`},
	{"what is to be heard goes out once", `
		SELECT count(*) FROM messages m WHERE (m.key LIKE 'tseras.message.%' AND m.key <> 'tseras.message.referral_wanted' -- an institution reads it in its cabinet
			OR m.key = 'message.entry') AND (SELECT count(*) FROM outbox o WHERE o.message_id = m.id) <> 1`},
	{"each notice of a term is told once", `
		SELECT count(*) FROM (SELECT e.subject, e.number, n.notice, count(*) AS n FROM term_notices n JOIN entries e ON e.id = n.entry_id GROUP BY 1, 2, 3) t
		FULL JOIN (SELECT m.fin AS subject, m.args->>'Number' AS number, substr(m.key, length('tseras.message.') + 1) AS notice, count(*) AS n
		           FROM messages m WHERE m.key IN ('tseras.message.invited', 'tseras.message.reminded', 'tseras.message.ended') GROUP BY 1, 2, 3) m USING (subject, number, notice)
		WHERE t.n IS DISTINCT FROM m.n`},
	{"a message of a case names neither diagnosis nor degree", `
		SELECT count(*) FROM messages m WHERE m.key LIKE 'tseras.message.%' AND m.args::text ~ '[A-Z]\d{2}\.\d|faiz|%'`},
	{"a question was answered at most once, by one exchange", `
		SELECT count(*) FROM gateway_answers a WHERE (SELECT count(*) FROM gateway_exchanges x WHERE x.question_id = a.question_id) <> 1`},
	{"who may be drawn, when, and whose seals refer is what the changes of the lists say", `
		WITH lists (list, act, content) AS (
			SELECT 'commission', 'added', to_jsonb(x) - 'closed_at' FROM commissions x
			UNION ALL SELECT 'commission', 'ended', to_jsonb(x) FROM commissions x WHERE x.closed_at IS NOT NULL
			UNION ALL SELECT 'member', 'added', to_jsonb(x) - 'ended_at' FROM commission_members x
			UNION ALL SELECT 'member', 'ended', to_jsonb(x) FROM commission_members x WHERE x.ended_at IS NOT NULL
			UNION ALL SELECT 'hours', 'added', to_jsonb(x) - 'ended_at' FROM commission_hours x
			UNION ALL SELECT 'hours', 'ended', to_jsonb(x) FROM commission_hours x WHERE x.ended_at IS NOT NULL
			UNION ALL SELECT 'district', 'added', to_jsonb(x) - 'ended_at' FROM organisation_districts x
			UNION ALL SELECT 'district', 'ended', to_jsonb(x) FROM organisation_districts x WHERE x.ended_at IS NOT NULL
			UNION ALL SELECT 'seal', 'added', to_jsonb(x) - 'ended_at' - 'certificate' || jsonb_build_object('thumbprint', sha256(x.certificate)) FROM institution_seals x
			UNION ALL SELECT 'seal', 'ended', to_jsonb(x) - 'certificate' FROM institution_seals x WHERE x.ended_at IS NOT NULL
			UNION ALL SELECT 'institution', 'added', to_jsonb(x) - 'code' FROM medical_institutions x
			UNION ALL SELECT 'institution', 'coded', to_jsonb(x) FROM medical_institutions x WHERE x.code IS NOT NULL
		), said AS ( -- the times as this session writes them; of codes the last
			SELECT l.list, l.act, l.content::jsonb || jsonb_build_object('added_at', (l.content->>'added_at')::timestamptz, 'ended_at', (l.content->>'ended_at')::timestamptz,
			       'closed_at', (l.content->>'closed_at')::timestamptz) AS content
			FROM list_changes l
			WHERE l.act <> 'coded' OR NOT EXISTS (SELECT FROM list_changes n WHERE n.act = 'coded' AND n.id > l.id AND n.content->>'organisation_id' = l.content->>'organisation_id')
		), a AS (SELECT list, act, jsonb_strip_nulls(content) FROM lists), b AS (SELECT list, act, jsonb_strip_nulls(content) FROM said)
		SELECT count(*) FROM ((SELECT * FROM a EXCEPT ALL SELECT * FROM b) UNION ALL (SELECT * FROM b EXCEPT ALL SELECT * FROM a)) other`},
	{"no two ledger lines speak of one thing", `
		SELECT count(*) FROM (SELECT FROM ledger_lines GROUP BY kind, object HAVING count(*) > 1) twice`},
}

// index makes the audit's statements quick; they are for it alone.
var index = []string{
	`CREATE INDEX IF NOT EXISTS audit_messages ON messages (fin, key)`,
	`CREATE INDEX IF NOT EXISTS audit_lines ON ledger_lines (kind, object)`,
	`CREATE INDEX IF NOT EXISTS audit_looks ON tseras_looks (number, member_id, at)`,
	`CREATE INDEX IF NOT EXISTS audit_outbox ON outbox (message_id)`,
	`ANALYZE`,
}

// Audited is what an audit looked at.
type Audited struct {
	Laws     int `json:"laws"`     // statements that count what breaks them
	Lines    int `json:"lines"`    // ledger lines that opened with what they were written for
	Packages int `json:"packages"` // decided again to the same bytes
	Rounds   int `json:"rounds"`   // of draws, recomputed
	Drawings int `json:"drawings"`
}

// Audit compares everything that a database says of assessments with everything else, as the superuser and by statements of its own; it
// adds indexes, so the database is one that is thrown away. wrong says what is not as it must be. entriesAfter: entries up to it were
// there before.
func Audit(ctx context.Context, admin Querier, entriesAfter int64, progress func(string)) (a Audited, wrong []string, err error) {
	for _, sql := range index {
		if _, err := admin.Exec(ctx, sql); err != nil {
			return a, nil, fmt.Errorf("simulate: audit: %w", err)
		}
	}
	for _, law := range slices.Concat(laws, furtherLaws) {
		progress("audit: " + law.says)
		var n int
		if err := admin.QueryRow(ctx, law.sql).Scan(&n); err != nil {
			return a, wrong, fmt.Errorf("simulate: audit: %s: %w", law.says, err)
		}
		if a.Laws++; n != 0 {
			wrong = append(wrong, fmt.Sprintf("%d times it is not so that %s", n, law.says))
		}
	}
	drafts, err := draftsAgain(ctx, admin)
	if err != nil {
		return a, wrong, err
	}
	wrong = append(wrong, drafts...)
	shown, err := shownAgain(ctx, admin)
	if err != nil {
		return a, wrong, err
	}
	wrong = append(wrong, shown...)
	progress("audit: ledger lines")
	lines, bad, err := ledgerOpens(ctx, admin, entriesAfter)
	if err != nil {
		return a, wrong, err
	}
	a.Lines, wrong = lines, append(wrong, bad...)
	progress("audit: draws")
	if a.Rounds, a.Drawings, bad, err = drawsAgain(ctx, admin); err != nil {
		return a, wrong, err
	}
	wrong = append(wrong, bad...)
	progress("audit: decision packages")
	if a.Packages, bad, err = packagesAgain(ctx, admin); err != nil {
		return a, wrong, err
	}
	return a, append(wrong, bad...), nil
}

// A round with what is drawn in it, and whether each drawing's case is closed, so that it is open to everybody.
const sqlDraws = `
	SELECT r.round, r.commitment, r.committed_at, coalesce(l.key, ''), coalesce(l.mac, ''), s.seed, coalesce(d.ref, ''), d.commitment, d.salt, d.drawing, coalesce(c.state IN ('decided', 'declined', 'withdrawn'), false)
	FROM draw_rounds r
	LEFT JOIN (SELECT DISTINCT ON (object) object, key, mac FROM ledger_lines WHERE kind = 'round' ORDER BY object, seq) l ON l.object = r.round::text
	LEFT JOIN draw_seeds s ON s.round = r.round
	LEFT JOIN drawings d ON d.round = r.round
	LEFT JOIN cases c ON c.id = d.case_id
	ORDER BY r.round, d.ref`

// drawsAgain recomputes every round from what is public of it.
func drawsAgain(ctx context.Context, admin Querier) (rounds, drawings int, wrong []string, err error) {
	var round tseras.Round
	verify := func() {
		if round.Number == 0 {
			return
		}
		n, err := round.Verify()
		switch {
		case err != nil:
			wrong = append(wrong, "draws: "+err.Error())
		case n != len(round.Opened):
			wrong = append(wrong, fmt.Sprintf("draws: of round %d %d of %d drawings can be recomputed", round.Number, n, len(round.Opened)))
		}
		rounds, drawings = rounds+1, drawings+n
	}
	rows, _ := admin.Query(ctx, sqlDraws) // the error comes out of ForEachRow
	var number int64
	var promised, key, mac, seed, sealed, salt, text []byte
	var committed time.Time
	var ref string
	var open bool
	_, err = pgx.ForEachRow(rows, []any{&number, &promised, &committed, &key, &mac, &seed, &ref, &sealed, &salt, &text, &open}, func() error {
		if number != round.Number {
			verify()
			round = tseras.Round{Number: number, Commitment: bytes.Clone(promised), Committed: tseras.Moment(committed),
				Line: tseras.RoundLine{Kind: ledger.Round, Object: strconv.FormatInt(number, 10), Key: bytes.Clone(key), MAC: bytes.Clone(mac)}}
			if seed != nil {
				own := tseras.Seed(seed)
				round.Seed = &own
			}
		}
		if ref == "" {
			return nil
		}
		round.Drawings = append(round.Drawings, tseras.Sealed{Ref: ref, Commitment: bytes.Clone(sealed)})
		if open {
			o := tseras.Opening{Salt: bytes.Clone(salt)}
			if err := json.Unmarshal(text, &o.Drawing); err != nil {
				return err
			}
			round.Opened = append(round.Opened, o)
		}
		return nil
	})
	if err != nil {
		return rounds, drawings, wrong, fmt.Errorf("simulate: draws: %w", err)
	}
	verify()
	return rounds, drawings, wrong, nil
}

// What each commission was shown, and what the step that drew it says of it.
const sqlShown = `
	SELECT coalesce(t.args->>'Shown', ''), x.salt, x.referral
	FROM (SELECT b.case_id, (SELECT min(s.seq) FROM case_steps s WHERE s.case_id = b.case_id AND s.what = 'drawn') AS seq, b.salt, b.referral FROM tseras_blind b
	      UNION ALL SELECT n.case_id, n.seq + 1, n.salt, n.referral FROM tseras_blind_anew n) x
	FULL JOIN (SELECT s.case_id, s.seq, s.args FROM case_steps s WHERE s.what = 'drawn') t USING (case_id, seq)`

// shownAgain compares what commissions were shown with that to which steps, and so the ledger, commit.
func shownAgain(ctx context.Context, admin Querier) (wrong []string, err error) {
	rows, _ := admin.Query(ctx, sqlShown) // the error comes out of ForEachRow
	var said string
	var salt, text []byte
	bad := 0
	_, err = pgx.ForEachRow(rows, []any{&said, &salt, &text}, func() error {
		var b tseras.BlindReferral
		strict := json.NewDecoder(bytes.NewReader(text))
		strict.DisallowUnknownFields()
		if strict.Decode(&b) != nil {
			bad++
			return nil
		}
		c, err := b.Commitment(salt)
		if hex.EncodeToString(c[:]) != said {
			bad++
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("simulate: what commissions were shown: %w", err)
	}
	if bad > 0 {
		wrong = append(wrong, fmt.Sprintf("%d commissions were shown something else than the step that drew them commits to", bad))
	}
	return wrong, nil
}

// The exchanges are those of the case in which the registers were asked: an appeal rests on those of the case that it is about.
const sqlPackages = `
	SELECT d.case_id, d.package, d.alone, coalesce(x.outcome, ''), coalesce(x.loss, 0), p.package,
	       ARRAY(SELECT o.outcome->>'sha256' FROM tseras_evidence o WHERE o.case_id = coalesce(a.id, c.id) AND o.outcome->>'sha256' <> ''),
	       ARRAY(SELECT coalesce(encode(sha256(e.exchange), 'hex'), '') FROM gateway_questions q LEFT JOIN gateway_exchanges e ON e.question_id = q.id
	             WHERE q.case_number = coalesce(a.number, c.number))
	FROM tseras_decisions d
	JOIN cases c ON c.id = d.case_id
	LEFT JOIN cases a ON a.id = c.about AND c.kind = 'appeal'
	LEFT JOIN examinations x ON x.entry_id = d.entry_id
	LEFT JOIN tseras_blind b ON b.case_id = d.case_id
	LEFT JOIN LATERAL (SELECT package FROM tseras_proposals WHERE number = b.number ORDER BY n DESC LIMIT 1) p ON true`

// packagesAgain decides all decisions again from their packages, and compares what was entered with what they say.
func packagesAgain(ctx context.Context, admin Querier) (n int, wrong []string, err error) {
	type decision struct {
		Case     int64
		Package  []byte
		Alone    bool
		Outcome  string
		Loss     int
		Proposed []byte
		Signed   []string
		Captured []string
	}
	all := make(chan decision, 64)
	var wait sync.WaitGroup
	var done, bad atomic.Int64
	var mu sync.Mutex
	for range 4 {
		wait.Go(func() {
			for d := range all {
				if why := again(d.Package, d.Proposed, d.Signed, d.Captured, d.Alone, d.Outcome, d.Loss); why != nil {
					if bad.Add(1) <= 5 {
						mu.Lock()
						wrong = append(wrong, fmt.Sprintf("the package of case %d: %v", d.Case, why))
						mu.Unlock()
					}
				}
				done.Add(1)
			}
		})
	}
	rows, _ := admin.Query(ctx, sqlPackages) // the error comes out of ForEachRow
	var d decision
	_, err = pgx.ForEachRow(rows, []any{&d.Case, &d.Package, &d.Alone, &d.Outcome, &d.Loss, &d.Proposed, &d.Signed, &d.Captured}, func() error {
		all <- decision{d.Case, bytes.Clone(d.Package), d.Alone, d.Outcome, d.Loss, bytes.Clone(d.Proposed), slices.Clone(d.Signed), slices.Clone(d.Captured)}
		return nil
	})
	close(all)
	wait.Wait()
	if err != nil {
		return int(done.Load()), wrong, fmt.Errorf("simulate: packages: %w", err)
	}
	if k := bad.Load(); k > 0 {
		wrong = append(wrong, fmt.Sprintf("%d packages in all do not hold", k))
	}
	return int(done.Load()), wrong, nil
}

// rests says whether a package names what every register signed that answered, and nothing else; of a case whose questions were not sealed,
// nothing. signed are the digests as they were recorded, captured those of what the gateway's log has, which is empty where another log was kept.
func rests(p criteria.Package, in criteria.Input, signed, captured []string) error {
	answered := 0
	for _, a := range in.Evidence {
		if a.State != criteria.NoAnswer {
			answered++
		}
	}
	if len(signed) == 0 {
		answered = 0
	}
	if len(p.Answers) != answered || p.Enclosed() != 0 {
		return fmt.Errorf("names %d signed answers of %d", len(p.Answers), answered)
	}
	for _, a := range p.Answers {
		if !slices.Contains(signed, a.SHA256) || len(captured) > 0 && !slices.Contains(captured, a.SHA256) {
			return fmt.Errorf("names an answer of %s that nobody gave", a.Name)
		}
	}
	return nil
}

// again decides by a package again.
func again(pack, proposed []byte, signed, captured []string, alone bool, outcome string, loss int) error {
	p, err := criteria.ReadPackage(pack)
	if err != nil {
		return err
	}
	in, r, err := p.Again()
	if err != nil {
		return err
	}
	if err := rests(p, in, signed, captured); err != nil {
		return err
	}
	if r.Alone != alone || outcome != "" && (string(r.Outcome) != outcome || r.Loss != loss) {
		return errors.New("says something else than was entered")
	}
	if alone {
		return nil
	}
	if !bytes.Equal(p.Proposed().Bytes(), proposed) {
		return errors.New("is not what was proposed for signature")
	}
	if p.Signed == nil || !tseras.Carried(len(p.Signatures), p.Signed.Of) {
		return errors.New("is signed by no more than half of those who spoke")
	}
	if err := tseras.CheckSigned(p); err != nil {
		return err
	}
	for _, s := range p.Signatures {
		if s.Type != tseras.SignatureType {
			return errors.New("a signature of another kind")
		}
	}
	return nil
}
