package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/inspection"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// auditor compares the database with what the clients wrote down outside of it, with statements of its own and the
// rights of the superuser, and over HTTP as the people concerned.
type auditor struct {
	t        testing.TB
	db       *pgxpool.Pool
	job      mainJob // for the address and the bank's program
	roots    *keys.Roots
	examples map[string]bool // codes of the excerpts that the demonstration's set-up drew
}

// newAuditor needs the program running, and its database's address for the superuser.
func newAuditor(t testing.TB, database string, p *program) *auditor {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	notes, err := readNotes(p.dir)
	if err != nil {
		t.Fatal(err)
	}
	a := &auditor{t: t, db: pool, job: mainJob{address: p.address, client: summaryClient{notes.ClientID, notes.Secret}}, examples: map[string]bool{}}
	for _, e := range notes.Examples {
		a.examples[string(e.Code)] = true
	}
	answer, err := http.Get(p.address + "/pki/roots.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	pem, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if a.roots, err = keys.ParseRoots(pem); err != nil {
		t.Fatal(err)
	}
	return a
}

// count runs a query that gives one number.
func (a *auditor) count(sql string, args ...any) (n int) {
	a.t.Helper()
	if err := a.db.QueryRow(a.t.Context(), sql, args...).Scan(&n); err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func collect[T any](a *auditor, sql string, read pgx.RowToFunc[T]) []T {
	a.t.Helper()
	rows, _ := a.db.Query(a.t.Context(), sql) // the error comes out of Collect
	all, err := pgx.CollectRows(rows, read)
	if err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
	return all
}

const sqlUnsettled = `
	SELECT count(*) FROM intents i
	WHERE NOT EXISTS (SELECT FROM excerpts x WHERE x.id = i.id) AND NOT EXISTS (SELECT FROM voids v WHERE v.intent_id = i.id)`

// settled waits until every intent has its end: the fifth attempt's lease is 48 seconds.
func (a *auditor) settled() {
	a.t.Helper()
	end := time.Now().Add(2 * time.Minute)
	for a.count(sqlUnsettled) > 0 {
		if time.Now().After(end) {
			a.t.Errorf("%d intents have no end", a.count(sqlUnsettled))
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// invariants are true of any database of ours, whatever happened; each is a query that counts what breaks it.
var invariants = map[string]string{
	"intents with two ends":                    `SELECT count(*) FROM excerpts JOIN voids ON intent_id = id`,
	"voids without a reason":                   `SELECT count(*) FROM voids WHERE reason NOT IN ('not_current', 'unprintable', 'failed')`,
	"voids for failing that had attempts left": `SELECT count(*) FROM voids v WHERE reason = 'failed' AND (SELECT count(*) FROM attempts a WHERE a.intent_id = v.intent_id) < 5`,
	"excerpts without an intent that says the same": `
		SELECT count(*) FROM excerpts x LEFT JOIN intents i USING (id)
		WHERE (x.code, x.number, x.kind, x.lang, x.subject, x.entry_id, x.valid_until) IS DISTINCT FROM (i.code, i.number, i.kind, i.lang, i.subject, i.entry_id, i.valid_until)`,
	"excerpts that were not attempted before they were signed": `
		SELECT count(*) FROM excerpts x WHERE NOT EXISTS (SELECT FROM attempts a WHERE a.intent_id = x.id AND a.attempted_at <= x.issued_at)`,
	"excerpts without a file":                     `SELECT count(*) FROM excerpts x WHERE NOT EXISTS (SELECT FROM excerpt_files f WHERE f.excerpt_id = x.id)`,
	"files that are not what their hash says":     `SELECT count(*) FROM excerpt_files WHERE sha256(bytes) <> sha256 OR size <> length(bytes)`,
	"excerpts without exactly one message":        `SELECT count(*) FROM excerpts x WHERE (SELECT count(*) FROM messages m WHERE m.key = 'message.excerpt' AND m.fin = x.subject AND m.args->>'Number' = x.number) <> 1`,
	"voids without exactly one message":           `SELECT count(*) FROM voids v JOIN intents i ON i.id = v.intent_id WHERE (SELECT count(*) FROM messages m WHERE m.key = 'message.void' AND m.fin = i.subject AND m.args->>'Number' = i.number) <> 1`,
	"subjects told of more or fewer checks":       `SELECT count(*) FROM (SELECT subject, count(*) AS n FROM checks WHERE subject IS NOT NULL AND subject IS DISTINCT FROM member_fin GROUP BY subject) c FULL JOIN (SELECT fin, count(*) AS n FROM messages WHERE key = 'message.check' GROUP BY fin) m ON m.fin = c.subject WHERE c.n IS DISTINCT FROM m.n`,
	"checks of excerpts that are somebody else's": `SELECT count(*) FROM checks c LEFT JOIN excerpts x ON x.id = c.excerpt_id WHERE c.subject IS DISTINCT FROM x.subject`,
	"keys of a client with two checks":            `SELECT count(*) FROM (SELECT FROM checks WHERE idempotency_key IS NOT NULL GROUP BY client_id, idempotency_key HAVING count(*) > 1) twice`,
	"requests with two numbers":                   `SELECT count(*) FROM (SELECT FROM intents GROUP BY subject, request HAVING count(*) > 1) twice`,
	"numbers or codes given twice":                `SELECT count(*) FROM (SELECT FROM intents GROUP BY number HAVING count(*) > 1 UNION ALL SELECT FROM intents GROUP BY code HAVING count(*) > 1) twice`,
	"entries without their body":                  `SELECT count(*) FROM entries e WHERE (SELECT count(*) FROM persons b WHERE b.entry_id = e.id) + (SELECT count(*) FROM examinations b WHERE b.entry_id = e.id) + (SELECT count(*) FROM contracts b WHERE b.entry_id = e.id) <> 1`,
}

// consistent asserts the invariants, and opens every line of the ledger with what it was written for.
func (a *auditor) consistent() {
	a.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(invariants)) {
		if n := a.count(invariants[name]); n != 0 {
			a.t.Errorf("%s: %d", name, n)
		}
	}
	a.ledgerOpens()
}

// ledgerOpens looks for exactly one line for each thing and one thing for each line, and opens it.
func (a *auditor) ledgerOpens() {
	a.t.Helper()
	contents := a.contents()
	found := map[ledger.Kind]map[string]bool{}
	for _, l := range collect(a, `SELECT kind, object, key, mac FROM ledger_lines`, pgx.RowToStructByPos[ledger.Line]) {
		if found[l.Kind] == nil {
			found[l.Kind] = map[string]bool{}
		}
		content, ok := contents[l.Kind][l.Object]
		switch {
		case found[l.Kind][l.Object]:
			a.t.Errorf("ledger: two lines for %s %s", l.Kind, l.Object)
		case !ok:
			a.t.Errorf("ledger: a line for %s %s, which is not there", l.Kind, l.Object)
		case !l.Opens(content):
			a.t.Errorf("ledger: the line of %s %s does not open with %s", l.Kind, l.Object, content)
		}
		found[l.Kind][l.Object] = true
	}
	for kind, things := range contents {
		for object := range things {
			if !found[kind][object] {
				a.t.Errorf("ledger: no line for %s %s", kind, object)
			}
		}
	}
}

// contents are what the ledger's lines must open with, written anew from the tables.
func (a *auditor) contents() map[ledger.Kind]map[string][]byte {
	a.t.Helper()
	all := map[ledger.Kind]map[string][]byte{}
	for _, k := range []ledger.Kind{ledger.Entry, ledger.Intent, ledger.Excerpt, ledger.Check, ledger.Withdrawal, ledger.Revocation, ledger.Look, ledger.Renewal,
		ledger.Reissue, ledger.Certificate, ledger.Round, ledger.Drawing, ledger.Step, ledger.Finding, ledger.Decision, ledger.Lookup, ledger.List} {
		all[k] = map[string][]byte{}
	}
	add := func(k ledger.Kind, object string, content []byte, err error) {
		if err != nil {
			a.t.Fatal(err)
		}
		all[k][object] = content
	}
	books := registrydb.Reader{Pool: a.db}
	for _, fin := range collect(a, `SELECT DISTINCT subject FROM entries`, pgx.RowTo[tesdiq.FIN]) {
		heads, err := books.Subject(a.t.Context(), fin)
		if err != nil {
			a.t.Fatal(err)
		}
		for _, h := range heads {
			v, err := books.Version(a.t.Context(), h)
			if err != nil {
				a.t.Fatal(err)
			}
			content, err := registry.Content(v.Head, v.Body)
			add(ledger.Entry, strconv.FormatInt(int64(h.ID), 10), content, err)
		}
	}
	intents := map[issuer.Number]issuer.Intent{}
	for _, i := range collect(a, `SELECT id, request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at FROM intents`, pgx.RowToStructByName[issuer.Intent]) {
		intents[i.Number] = i
		add(ledger.Intent, string(i.Number), issuer.IntentContent(i), nil)
	}
	// Of an excerpt's files the one that was stored first is what was issued. A later one is issued anew, if it was signed when it was stored;
	// else it carries on from the one before, with its signature.
	type file struct {
		Number            issuer.Number
		Statement, SHA256 []byte
		IssuedAt          time.Time
		StoredAt          time.Time
		First, Anew       bool
	}
	for _, f := range collect(a, `
		SELECT x.number, x.statement::text::bytea, f.sha256, x.issued_at, f.stored_at,
		       row_number() OVER (PARTITION BY f.excerpt_id ORDER BY f.stored_at, f.size) = 1, f.signed_at IS NOT DISTINCT FROM f.stored_at
		FROM excerpts x JOIN excerpt_files f ON f.excerpt_id = x.id`, pgx.RowToStructByPos[file]) {
		sum := hex.EncodeToString(f.SHA256)
		switch {
		case f.First:
			content, err := issuer.ExcerptContent(issuer.Excerpt{Intent: intents[f.Number], Statement: f.Statement, SHA256: [32]byte(f.SHA256), IssuedAt: f.IssuedAt})
			add(ledger.Excerpt, string(f.Number), content, err)
		case f.Anew:
			add(ledger.Reissue, sum, issuer.ReissueContent(f.Number, f.SHA256, f.StoredAt), nil)
		default:
			add(ledger.Renewal, sum, issuer.RenewalContent(f.Number, f.SHA256, f.StoredAt), nil)
		}
	}
	for _, r := range collect(a, `SELECT serial, role, reason, why, by, invalid_from, revoked_at FROM certificate_revocations`, pgx.RowToStructByName[issuer.SignerRevocation]) {
		add(ledger.Certificate, r.Serial, issuer.CertificateContent(r), nil)
	}
	for _, c := range collect(a, `
		SELECT id, at, way, coalesce(excerpt_id, 0), coalesce(subject, ''), coalesce(code, ''), sha256, sort, coalesce(organisation_id, 0),
		       coalesce(member_fin, ''), coalesce(client_id, ''), coalesce(visitor, ''), purpose, note, verdict, reason FROM checks`, checkRow) {
		add(ledger.Check, string(c.ID), c.Canonical(), nil)
	}
	a.cases(add)
	for _, c := range collect(a, `SELECT id, list, act, content::text, written_at FROM list_changes`, pgx.RowToStructByPos[tseras.ListChange]) {
		add(ledger.List, c.Object(), c.Canonical(), nil)
	}
	for _, l := range collect(a, `
		SELECT id, at, subject, way, coalesce(organisation_id, 0), coalesce(client_id, ''), coalesce(operator_fin, ''), outcome, decided_on, next_on, indefinite
		FROM lookups`, func(row pgx.CollectableRow) (l lookup.Look, err error) {
		return l, row.Scan(&l.ID, &l.At, &l.Subject, &l.Way, &l.Office.Organisation, &l.Office.Client, &l.Office.Operator, &l.Outcome, &l.DecidedOn, &l.NextOn, &l.Indefinite)
	}) {
		content, err := l.Content()
		add(ledger.Lookup, strconv.FormatInt(l.ID, 10), content, err)
	}
	for _, w := range collect(a, `SELECT id, at, subject, open, cause FROM lookup_switches`, pgx.RowToStructByPos[lookup.Switched]) {
		content, err := w.Content()
		add(ledger.Lookup, w.Object(), content, err)
	}
	type ending struct {
		Number     issuer.Number
		Reason, By string
		At         time.Time
	}
	for _, e := range collect(a, `SELECT x.number, '', '', w.withdrawn_at FROM withdrawals w JOIN excerpts x ON x.id = w.excerpt_id`, pgx.RowToStructByPos[ending]) {
		add(ledger.Withdrawal, string(e.Number), issuer.WithdrawalContent(e.Number, e.At), nil)
	}
	for _, e := range collect(a, `SELECT x.number, r.reason, r.by, r.revoked_at FROM revocations r JOIN excerpts x ON x.id = r.excerpt_id`, pgx.RowToStructByPos[ending]) {
		add(ledger.Revocation, string(e.Number), issuer.RevocationContent(e.Number, e.Reason, e.By, e.At), nil)
	}
	if n := a.count(`SELECT count(*) FROM looks`); n != 0 {
		a.t.Errorf("%d looks that nobody made", n)
	}
	return all
}

func checkRow(row pgx.CollectableRow) (c verifier.Check, err error) {
	var sum []byte
	err = row.Scan(&c.ID, &c.At, &c.Way, &c.Excerpt, &c.Subject, &c.Code, &sum, &c.By.Sort, &c.By.Organisation, &c.By.Member, &c.By.Client,
		&c.By.Visitor, &c.Purpose, &c.Note, &c.Verdict, &c.Reason)
	if len(sum) > 0 {
		s := verifier.Sum(sum)
		c.Sum = &s
	}
	return c, err
}

// stored is an excerpt as the database has it.
type stored struct {
	Number, Code, Subject string
	SHA256, Bytes         []byte
}

// account compares the database with the history, and gives figures for the table.
func (a *auditor) account(events []event, count *figures) {
	a.t.Helper()
	files := map[string][]stored{} // an excerpt may have several
	n := 0
	for _, s := range collect(a, `SELECT x.number, x.code, x.subject, f.sha256, f.bytes FROM excerpts x JOIN excerpt_files f ON f.excerpt_id = x.id`, pgx.RowToStructByPos[stored]) {
		if report := pades.Read(s.Bytes, a.roots); report.Indication != pades.Passed || strings.ReplaceAll(report.Code, "-", "") != s.Code {
			a.t.Errorf("%s: the stored file is %s %s (%s), code %s", s.Number, report.Indication, report.SubIndication, report.Reason, report.Code)
		}
		if sum := sha256.Sum256(s.Bytes); !bytes.Equal(sum[:], s.SHA256) {
			a.t.Errorf("%s: the stored file has another hash than its name", s.Number)
		}
		s.Bytes = nil
		files[s.Number] = append(files[s.Number], s)
		n++
	}
	count.add("excerpts stored", len(files))
	count.add("files of them, each TOTAL-PASSED", n)
	a.accountExcerpts(events, files, count)
	a.accountChecks(events, count)
}

// accountExcerpts: every acknowledged excerpt is there exactly once with that code and those bytes, every key has one
// number, and nothing is there that nobody asked for.
func (a *auditor) accountExcerpts(events []event, files map[string][]stored, count *figures) {
	a.t.Helper()
	type intent struct{ Subject, Request, Number, Code, Void string }
	byRequest, byNumber := map[string]intent{}, map[string]intent{}
	for _, i := range collect(a, `SELECT i.subject, i.request, i.number, i.code, coalesce(v.reason, '') FROM intents i LEFT JOIN voids v ON v.intent_id = i.id`, pgx.RowToStructByPos[intent]) {
		byRequest[i.Subject+i.Request], byNumber[i.Number] = i, i
	}
	asked, numberOf, keyOf, acknowledged := map[string]bool{}, map[string]string{}, map[string]string{}, map[string]bool{}
	for _, e := range events {
		switch e.What {
		case asking:
			asked[e.identity()] = true
		case numbered:
			if n, ok := numberOf[e.Key]; ok && n != e.Number {
				a.t.Errorf("the key %s got the numbers %s and %s", e.Key, n, e.Number)
			}
			if k, ok := keyOf[e.Number]; ok && k != e.Key {
				a.t.Errorf("the number %s was given to the keys %s and %s", e.Number, k, e.Key)
			}
			numberOf[e.Key], keyOf[e.Number] = e.Number, e.Key
			if got := byRequest[e.identity()].Number; got != e.Number {
				a.t.Errorf("the key %s was told %s, and the database has %q", e.Key, e.Number, got)
			}
		case void:
			if i, ok := byNumber[e.Number]; !ok || i.Void == "" {
				a.t.Errorf("%s was told to be void, and is not", e.Number)
			}
		case drawn:
			switch {
			case acknowledged[e.Number]:
				a.t.Errorf("%s was acknowledged twice", e.Number)
			case len(files[e.Number]) == 0:
				a.t.Errorf("%s is lost", e.Number)
			case !slices.ContainsFunc(files[e.Number], func(s stored) bool {
				return s.Subject == string(people.Who(e.Who).FIN) && s.Code == strings.ReplaceAll(e.Code, "-", "") && hex.EncodeToString(s.SHA256) == e.SHA256
			}):
				a.t.Errorf("%s is another than was handed out", e.Number)
			}
			acknowledged[e.Number] = true
		}
	}
	for request, i := range byRequest {
		if !asked[request] && !a.examples[i.Code] {
			a.t.Errorf("%s was asked for by nobody", i.Number)
		}
	}
	count.add("keys of forms", len(asked))
	count.add("excerpts acknowledged and found once", len(acknowledged))
	count.add("intents void", a.count(`SELECT count(*) FROM voids`))
	count.add("intents", len(byNumber))
	count.add("attempts", a.count(`SELECT count(*) FROM attempts`))
}

// identity is what the database has as the request of the form that was sent.
func (e event) identity() string {
	r := issuer.Request{Key: e.Key, Kind: e.Kind, Entry: e.Entry, Lang: tesdiq.Lang(e.Lang), Validity: issuer.Days30}
	return string(people.Who(e.Who).FIN) + r.Identity()
}

// accountChecks: every acknowledged check is there exactly once, its subject sees it, and no key has two.
func (a *auditor) accountChecks(events []event, count *figures) {
	a.t.Helper()
	type check struct{ ID, Code, Key, Subject, Member string }
	byID, byKey, byPage := map[string]check{}, map[string]check{}, 0
	for _, c := range collect(a, `SELECT id, coalesce(code, ''), coalesce(idempotency_key, ''), coalesce(subject, ''), coalesce(member_fin, '') FROM checks`, pgx.RowToStructByPos[check]) {
		byID[c.ID] = c
		if c.Member != "" {
			byPage++ // its key is the form's, made from what was asked
		} else {
			byKey[c.Key] = c
		}
	}
	seen := a.seenBySubjects()
	asked, sent, shown := map[string]bool{}, 0, 0
	acknowledged := map[string]bool{}
	for _, e := range events {
		switch e.What {
		case progAsking:
			asked[e.Key] = true
		case pageAsking:
			sent++
		case checked, pageChecked:
			id := strings.ReplaceAll(e.ID, "-", "")
			c, ok := byID[id]
			switch {
			case acknowledged[id]:
				a.t.Errorf("the check %s was acknowledged twice", e.ID)
			case !ok:
				a.t.Errorf("the check %s is lost", e.ID)
			case c.Code != strings.ReplaceAll(e.Code, "-", "") || e.What == checked && c.Key != e.Key || e.What == pageChecked && c.Member == "":
				a.t.Errorf("the check %s is another than was acknowledged", e.ID)
			case !seen[c.Subject][e.ID]:
				a.t.Errorf("the check %s is not seen by its subject", e.ID)
			}
			acknowledged[id] = true
			if e.What == pageChecked {
				shown++
			}
		}
	}
	for key, c := range byKey {
		if !asked[key] {
			a.t.Errorf("the check %s has a key that nobody used", c.ID)
		}
	}
	if byPage > sent || byPage < shown {
		a.t.Errorf("%d checks by clerks, who sent the form %d times and were shown %d", byPage, sent, shown)
	}
	count.add("keys of checks", len(asked))
	count.add("checks acknowledged, found once and seen by the subject", len(acknowledged))
	count.add("checks stored", len(byID))
	a.readAgain(events)
}

// seenBySubjects are the numbers of the checks that each person of the cast finds in the list of who checked.
func (a *auditor) seenBySubjects() map[string]map[string]bool {
	a.t.Helper()
	all := map[string]map[string]bool{}
	for _, who := range people.Cast {
		v, err := a.job.signIn(a.t.Context(), who, "", "/cabinet")
		if err == nil {
			err = v.open(a.t.Context(), a.job.address+"/cabinet/checks-of-mine.csv")
		}
		if err != nil {
			a.t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(v.body, []byte("\ufeff")))).ReadAll()
		if err != nil {
			a.t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, row := range rows {
			for _, cell := range row {
				if _, err := verifier.ParseCheckID(cell); err == nil {
					if seen[cell] {
						a.t.Errorf("the check %s stands twice in its subject's list", cell)
					}
					seen[cell] = true
				}
			}
		}
		all[string(who.FIN)] = seen
	}
	return all
}

// readAgain fetches a part of what was acknowledged once more over HTTP, as the citizen and as the bank.
func (a *auditor) readAgain(events []event) {
	a.t.Helper()
	const most = 300 // of each
	ctx := a.t.Context()
	token, err := a.job.token(ctx)
	if err != nil {
		a.t.Fatal(err)
	}
	bankVOEN := ":" + string(people.Organisations[0].VOEN)
	manager, err := a.job.signIn(ctx, people.Who("murad"), bankVOEN, "/check")
	if err != nil {
		a.t.Fatal(err)
	}
	browsers := map[string]*visitor{}
	read := map[string]int{}
	for _, e := range slices.Backward(events) {
		if read[e.What]++; read[e.What] > most {
			continue
		}
		var err error
		switch e.What {
		case drawn:
			if browsers[e.Who] == nil {
				if browsers[e.Who], err = a.job.signIn(ctx, people.Who(e.Who), "", "/cabinet"); err != nil {
					a.t.Fatal(err)
				}
			}
			v := browsers[e.Who]
			err = v.open(ctx, a.job.address+"/cabinet/excerpts/"+e.Number+"/pdf")
			if sum := sha256.Sum256(v.body); err == nil && hex.EncodeToString(sum[:]) != e.SHA256 {
				err = fmt.Errorf("other bytes")
			}
		case checked:
			err = a.readCheck(ctx, token, e)
		case pageChecked:
			if err = manager.open(ctx, a.job.address+"/checked/"+e.ID); err == nil && !strings.Contains(manager.text(), e.ID) {
				err = fmt.Errorf("another page")
			}
		}
		if err != nil {
			a.t.Errorf("%s %s%s read again: %v", e.What, e.Number, e.ID, err)
		}
	}
}

func (a *auditor) readCheck(ctx context.Context, token string, e event) error {
	var again struct {
		Verdict tesdiq.Verdict
		Check   struct{ ID string }
	}
	if err := call(ctx, http.MethodGet, a.job.address+"/api/v1/checks/"+e.ID, token, "application/json", nil, &again); err != nil {
		return err
	}
	if again.Check.ID != e.ID || again.Verdict != tesdiq.Valid {
		b, _ := json.Marshal(again)
		return fmt.Errorf("answered %s", b)
	}
	return nil
}

// cases adds what is written of cases and draws.
func (a *auditor) cases(add func(k ledger.Kind, object string, content []byte, err error)) {
	a.t.Helper()
	type named struct {
		Object  string
		Content []byte
	}
	for kind, sql := range map[ledger.Kind]string{
		ledger.Round:    `SELECT round::text, commitment || convert_to(to_char(committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8') FROM draw_rounds`,
		ledger.Drawing:  `SELECT round::text || '/' || ref, commitment FROM drawings`,
		ledger.Decision: `SELECT case_id::text, package FROM tseras_decisions`,
		ledger.Look: `SELECT 'tseras/' || id::text, convert_to(number || ' ' || member_id || ' ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8')
			FROM tseras_looks
			UNION ALL
			SELECT 'programme/' || l.id, convert_to(c.number || ' ' || l.organisation_id || ' ' || l.fin || ' ' || to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8')
			FROM tseras_programme_looks l JOIN cases c ON c.id = l.case_id
			UNION ALL
			SELECT 'result/' || id::text, convert_to(case_id::text || ' ' || organisation_id || ' ' || coalesce(member, '') || ' ' ||
				to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8')
			FROM tseras_result_looks
			UNION ALL
			SELECT 'referral-miss/' || id::text, convert_to(organisation_id::text || ' ' || subject || ' ' || coalesce(member, '') || ' ' ||
				to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8')
			FROM tseras_referral_misses
			UNION ALL
			SELECT 'referral-look/' || id::text, convert_to(organisation_id::text || ' ' || subject || ' ' || coalesce(member, '') || ' ' || told || ' ' ||
				to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'UTF8')
			FROM tseras_referral_looks`,
	} {
		for _, n := range collect(a, sql, pgx.RowToStructByPos[named]) {
			add(kind, n.Object, n.Content, nil)
		}
	}
	for _, t := range collect(a, `
		SELECT id, coalesce(visit, ''), organisation_id, office, clerk_fin, clerk, coalesce(subject, ''), at FROM filing_tries`, pgx.RowToStructByPos[tseras.Try]) {
		content, err := t.Content()
		add(ledger.Look, "filing/"+strconv.FormatInt(t.ID, 10), content, err)
	}
	for _, l := range collect(a, `
		SELECT id, token, case_id, organisation_id, office, officer_fin, officer, purpose, at FROM inspection_looks`, pgx.RowToStructByPos[inspection.Look]) {
		content, err := l.Content()
		add(ledger.Look, "inspection/"+strconv.FormatInt(l.ID, 10), content, err)
	}
	for _, id := range collect(a, `SELECT id FROM cases`, pgx.RowTo[casework.ID]) {
		steps, err := caseworkdb.History(a.t.Context(), a.db, id)
		if err != nil {
			a.t.Fatal(err)
		}
		for _, s := range steps {
			content, err := s.Content()
			add(ledger.Step, fmt.Sprintf("%d/%d", s.Case, s.Seq), content, err)
		}
	}
	type found struct {
		Object   string
		Findings criteria.Findings
	}
	for _, f := range collect(a, `SELECT number || '/' || member_id, findings FROM tseras_findings`, pgx.RowToStructByPos[found]) {
		content, err := json.Marshal(f.Findings)
		add(ledger.Finding, f.Object, content, err)
	}
	type word struct {
		Object string
		Digest []byte
		Signs  bool
		Reason string
	}
	for _, w := range collect(a, `SELECT g.number || '/' || g.member_id || '/' || g.n, p.digest, g.signs, g.reason
		FROM tseras_signatures g JOIN tseras_proposals p ON p.number = g.number AND p.n = g.n`, pgx.RowToStructByPos[word]) {
		add(ledger.Finding, w.Object, append(w.Digest, strconv.FormatBool(w.Signs)+w.Reason...), nil)
	}
}
