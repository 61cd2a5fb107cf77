package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

// thing is one for which a ledger line must be there, and the line, if it is.
type thing struct {
	object   string // of the table; empty: there is a line and no thing
	line     string // of the line; empty: there is a thing and no line
	key, mac []byte
	content  []byte
}

// written are the things that have lines, by kind, with the bytes that each line must open with where the database can write them.
var written = []struct {
	kind   ledger.Kind
	object string // the lines of this kind that are ours begin so
	sql    string // gives object and content
}{
	{ledger.Round, "", `
		SELECT round::text AS object, commitment || convert_to(to_char(committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8') AS content FROM draw_rounds`},
	{ledger.Drawing, "", `SELECT round::text || '/' || ref AS object, commitment AS content FROM drawings`},
	{ledger.Decision, "", `SELECT case_id::text AS object, package AS content FROM tseras_decisions`},
	{ledger.Look, "tseras/", `SELECT 'tseras/' || id::text AS object, convert_to(number || ' ' || member_id || ' ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8') AS content FROM tseras_looks`},
	{ledger.Look, "programme/", `
		SELECT 'programme/' || l.id AS object, convert_to(c.number || ' ' || l.organisation_id || ' ' || l.fin || ' ' || to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8') AS content
		FROM tseras_programme_looks l JOIN cases c ON c.id = l.case_id`},
	{ledger.List, "", `
		SELECT id::text AS object, convert_to(list || ' ' || act || ' ' || to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || ' ' || content::text, 'UTF8') AS content
		FROM list_changes`},
	{ledger.Look, "referral-look/", `
		SELECT 'referral-look/' || id AS object, convert_to(organisation_id || ' ' || subject || ' ' || coalesce(member, '') || ' ' || told || ' ' ||
		       to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8') AS content
		FROM tseras_referral_looks`},
	{ledger.Look, "referral-miss/", `
		SELECT 'referral-miss/' || id AS object, convert_to(organisation_id || ' ' || subject || ' ' || coalesce(member, '') || ' ' ||
		       to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8') AS content
		FROM tseras_referral_misses`},
	{ledger.Look, "result/", `
		SELECT 'result/' || id AS object, convert_to(case_id || ' ' || organisation_id || ' ' || coalesce(member, '') || ' ' ||
		       to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8') AS content
		FROM tseras_result_looks`},
	{ledger.Finding, "", `
		SELECT number || '/' || member_id AS object, convert_to(findings::text, 'UTF8') AS content FROM tseras_findings
		UNION ALL
		SELECT g.number || '/' || g.member_id || '/' || g.n, p.digest || convert_to(CASE WHEN g.signs THEN 'true' ELSE 'false' END || g.reason, 'UTF8')
		FROM tseras_signatures g JOIN tseras_proposals p ON p.number = g.number AND p.n = g.n`},
	{ledger.Step, "", `
		SELECT case_id || '/' || seq AS object, convert_to(json_build_object('case', case_id, 'seq', seq, 'from', from_state, 'to', to_state,
		       'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'part', part, 'fin', coalesce(actor_fin, ''), 'office', office, 'what', what, 'args', args,
		       'turn', turn, 'began', began, 'due_by', due_by, 'provisional', provisional)::text, 'UTF8') AS content
		FROM case_steps`},
}

// ledgerOpens looks for one line for each thing and one thing for each line, and opens all of them.
func ledgerOpens(ctx context.Context, admin Querier, entriesAfter int64) (n int, wrong []string, err error) {
	for _, w := range written {
		rows, _ := admin.Query(ctx, `
			SELECT coalesce(t.object, ''), coalesce(l.object, ''), l.key, l.mac, t.content
			FROM (`+w.sql+`) t
			FULL JOIN (SELECT object, key, mac FROM ledger_lines WHERE kind = @kind AND starts_with(object, @begins)) l ON l.object = t.object`,
			pgx.NamedArgs{"kind": string(w.kind), "begins": w.object}) // the error comes out of ForEachRow
		var t thing
		bad := map[string]int{}
		_, err := pgx.ForEachRow(rows, []any{&t.object, &t.line, &t.key, &t.mac, &t.content}, func() error {
			n++
			content, err := canonical(w.kind, t)
			switch {
			case t.line == "":
				bad["without a line"]++
			case t.object == "":
				bad["there is a line for, and they are not there"]++
			case err != nil:
				return err
			case !(ledger.Line{Kind: w.kind, Object: t.line, Key: t.key, MAC: t.mac}).Opens(content):
				bad["whose line does not open"]++
			}
			return nil
		})
		if err != nil {
			return n, wrong, fmt.Errorf("simulate: ledger lines of %s: %w", w.kind, err)
		}
		for what, k := range bad {
			wrong = append(wrong, fmt.Sprintf("ledger: %d of kind %s %s", k, w.kind, what))
		}
	}
	entries, bad, err := entriesOpen(ctx, admin, entriesAfter)
	return n + entries, append(wrong, bad...), err
}

// canonical is what a line commits to, where the database's own JSON is not that.
func canonical(k ledger.Kind, t thing) ([]byte, error) {
	switch {
	case t.object == "" || k != ledger.Step && (k != ledger.Finding || len(t.content) == 0 || t.content[0] != '{'):
		return t.content, nil
	case k == ledger.Finding:
		var f criteria.Findings
		if err := json.Unmarshal(t.content, &f); err != nil {
			return t.content, nil // a signature, whose digest happens to begin so
		}
		return json.Marshal(f)
	}
	var s struct {
		Case        casework.ID       `json:"case"`
		Seq         int               `json:"seq"`
		From        casework.State    `json:"from"`
		To          casework.State    `json:"to"`
		At          time.Time         `json:"at"`
		Part        casework.Part     `json:"part"`
		FIN         tesdiq.FIN        `json:"fin"`
		Office      string            `json:"office"`
		What        string            `json:"what"`
		Args        map[string]string `json:"args"`
		Turn        casework.Turn     `json:"turn"`
		Began       tesdiq.Date       `json:"began"`
		DueBy       *tesdiq.Date      `json:"due_by"`
		Provisional bool              `json:"provisional"`
	}
	if err := json.Unmarshal(t.content, &s); err != nil {
		return nil, fmt.Errorf("simulate: step %s: %w", t.object, err)
	}
	step := casework.Step{Case: s.Case, Seq: s.Seq, From: s.From, To: s.To, At: s.At, By: casework.Actor{Part: s.Part, FIN: s.FIN, Office: s.Office}, What: s.What, Args: s.Args,
		Clock: casework.Clock{Turn: s.Turn, Began: s.Began, Provisional: s.Provisional}}
	if s.DueBy != nil {
		step.Clock.DueBy = *s.DueBy
	}
	return step.Content()
}

const sqlEntriesLines = `
	SELECT e.id, e.subject, l.key, l.mac
	FROM (SELECT id, subject FROM entries WHERE id > @after) e
	FULL JOIN (SELECT object, key, mac FROM ledger_lines WHERE kind = 'entry' AND object::bigint > @after) l ON l.object = e.id::text
	ORDER BY e.id`

const sqlEntriesOfNobody = `
	SELECT count(*)
	FROM entries e
	WHERE e.id > @after AND e.act <> 'annul' AND NOT EXISTS (SELECT FROM tseras_decisions d WHERE d.entry_id = e.id)`

// entriesOpen opens the lines of entries, and looks for one decision for each.
func entriesOpen(ctx context.Context, admin Querier, after int64) (n int, wrong []string, err error) {
	type line struct {
		ID       *int64
		Subject  *string
		Key, MAC []byte
	}
	rows, _ := admin.Query(ctx, sqlEntriesLines, pgx.NamedArgs{"after": after}) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[line])
	if err != nil {
		return 0, nil, fmt.Errorf("simulate: entries: %w", err)
	}
	books, bad := registrydb.Reader{Pool: admin}, 0
	const batch = 1000
	for len(all) > 0 {
		some := all[:min(batch, len(all))]
		all = all[len(some):]
		var ids []int64
		for _, l := range some {
			if l.ID == nil || l.Key == nil {
				bad++
				continue
			}
			ids = append(ids, *l.ID)
		}
		rows, _ := admin.Query(ctx, `SELECT id, book, number, version, act, subject, chain, effective_on, entered_at, entered_by, reason FROM entries WHERE id = ANY (@ids)`,
			pgx.NamedArgs{"ids": ids}) // the error comes out of Collect
		heads, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (h registry.Head, err error) {
			return h, r.Scan(&h.ID, &h.Book, &h.Number, &h.Version, &h.Act, &h.Subject, &h.Chain, &h.EffectiveOn, &h.EnteredAt, &h.EnteredBy, &h.Reason)
		})
		if err != nil {
			return n, nil, fmt.Errorf("simulate: entries: %w", err)
		}
		versions, err := books.Versions(ctx, heads...)
		if err != nil {
			return n, nil, err
		}
		for _, l := range some {
			if l.ID == nil || l.Key == nil {
				continue
			}
			n++
			v := versions[registry.EntryID(*l.ID)]
			content, err := registry.Content(v.Head, v.Body)
			if err != nil {
				return n, nil, err
			}
			if !(ledger.Line{Kind: ledger.Entry, Object: strconv.FormatInt(*l.ID, 10), Key: l.Key, MAC: l.MAC}).Opens(content) {
				bad++
			}
		}
	}
	if bad > 0 {
		wrong = append(wrong, fmt.Sprintf("ledger: %d entries without their line, or lines without their entry", bad))
	}
	if err := admin.QueryRow(ctx, sqlEntriesOfNobody, pgx.NamedArgs{"after": after}).Scan(&bad); err != nil {
		return n, wrong, fmt.Errorf("simulate: entries: %w", err)
	}
	if bad > 0 {
		wrong = append(wrong, fmt.Sprintf("%d entries that no decision made", bad))
	}
	return n, wrong, nil
}
