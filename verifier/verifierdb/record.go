package verifierdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/verifier"
)

// Checks that are made at the same time are written by one statement, which is one transaction and one journey: each
// check, its ledger line and its message commit together, and the answer comes when they are durable. Writing one by
// one costs the database twice as much. (ledgerdb and internal/message write the same columns, in several journeys.)
//
// A check whose key was used before, by its client or by a form, is left out, with its line and message; what was
// recorded comes back.
const sqlRecord = `
	WITH asked AS (
		SELECT *
		FROM unnest(@ids::text[], @ats::timestamptz[], @ways::text[], @excerpts::bigint[], @subjects::text[], @codes::text[], @sums::bytea[],
		            @sorts::text[], @organisations::bigint[], @members::text[], @clients::text[], @visitors::text[], @purposes::text[],
		            @notes::text[], @verdicts::text[], @reasons::text[], @keys::text[], @requests::bytea[],
		            @line_keys::bytea[], @line_macs::bytea[], @tell::text[], @tell_args::text[])
		     AS a (id, at, way, excerpt_id, subject, code, sha256, sort, organisation_id, member_fin, client_id, visitor, purpose,
		           note, verdict, reason, idempotency_key, request_sha256, line_key, line_mac, tell, tell_args)
	), recorded AS (
		INSERT INTO checks (id, at, way, excerpt_id, subject, code, sha256, sort, organisation_id, member_fin, client_id,
		                    visitor, purpose, note, verdict, reason, idempotency_key, request_sha256)
		SELECT id, at, way, excerpt_id, subject, code, sha256, sort, organisation_id, member_fin, client_id,
		       visitor, purpose, note, verdict, reason, idempotency_key, request_sha256
		FROM asked
		ON CONFLICT DO NOTHING
		RETURNING id
	), line AS (
		INSERT INTO ledger_lines (kind, object, key, mac)
		SELECT 'check', asked.id, asked.line_key, asked.line_mac
		FROM asked JOIN recorded ON recorded.id = asked.id
	), told AS (
		INSERT INTO messages (fin, key, args, link, sent_at)
		SELECT asked.tell, 'message.check', asked.tell_args::jsonb, '/cabinet/checks-of-mine', asked.at
		FROM asked JOIN recorded ON recorded.id = asked.id
		WHERE asked.tell IS NOT NULL
	)
	SELECT id FROM recorded`

// sqlRecordBare records one check by itself and without a ledger line.
const sqlRecordBare = `
	WITH told AS (
		INSERT INTO messages (fin, key, args, link, sent_at)
		SELECT @tell::text, 'message.check', @tell_args::jsonb, '/cabinet/checks-of-mine', @at
		WHERE @tell::text IS NOT NULL
	)
	INSERT INTO checks (id, at, way, excerpt_id, subject, code, sha256, sort, organisation_id, member_fin, client_id,
	                    visitor, purpose, note, verdict, reason, idempotency_key, request_sha256)
	VALUES (@id, @at, @way, @excerpt, @subject, @code, @sha256, @sort, @organisation, @member, @client,
	        @visitor, @purpose, @note, @verdict, @reason, @key, @request)`

// Bare are the statements of a check by code as somebody writes them who has one check at a time and no ledger, with
// the names of their arguments: internal/bench runs them with nothing around them, to find out what that costs.
func Bare() (find, record string) { return sqlByCode, sqlRecordBare }

// Record writes a check, its ledger line and the message to its subject. It waits for the check to be durable, or not,
// even if ctx ends meanwhile: the check may be in one statement with those of others.
func (db *DB) Record(ctx context.Context, c verifier.Check, line ledger.Line, tell *verifier.Telling) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("verifierdb: record: %w", err)
	}
	r := &recording{check: c, line: line, err: errUnwritten}
	if tell != nil {
		args, err := json.Marshal(told(c, tell))
		if err != nil {
			return fmt.Errorf("verifierdb: record: %w", err)
		}
		to, words := string(tell.To), string(args)
		r.tell, r.tellArgs = &to, &words
	}
	ctx = context.WithoutCancel(ctx)
	db.queue.Do(r, func(batch []*recording) { db.write(ctx, batch) })
	return r.err
}

var errUnwritten = errors.New("verifierdb: record: not written")

// recording is a check that waits to be written.
type recording struct {
	check          verifier.Check
	line           ledger.Line
	tell, tellArgs *string
	err            error
}

// writeTimeout is the longest that a check waits for its statement; the database gives up before.
const writeTimeout = 20 * time.Second

// write writes a batch and leaves with each what became of it.
func (db *DB) write(ctx context.Context, batch []*recording) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	recorded, err := db.insert(ctx, batch)
	if refused := new(pgconn.PgError); errors.As(err, &refused) && strings.HasPrefix(refused.Code, "2") && len(batch) > 1 {
		// The data of one of them are refused: the others must not fail for it.
		for _, r := range batch {
			db.write(ctx, []*recording{r})
		}
		return
	}
	for _, r := range batch {
		switch {
		case err != nil:
			r.err = fmt.Errorf("verifierdb: record: %w", err)
		case !recorded[r.check.ID]:
			r.err = verifier.ErrRepeated
		default:
			r.err = nil
		}
	}
}

var record = place(sqlRecord)

func (db *DB) insert(ctx context.Context, batch []*recording) (recorded map[verifier.CheckID]bool, err error) {
	n := len(batch)
	var (
		ids, ways, sorts, purposes, notes, verdicts, reasons             = texts(n), texts(n), texts(n), texts(n), texts(n), texts(n), texts(n)
		subjects, codes, members, clients, visitors, keys, tells, tellAs = nullable(n), nullable(n), nullable(n), nullable(n), nullable(n), nullable(n), nullable(n), nullable(n)
		excerpts, organisations                                          = make([]*int64, n), make([]*int64, n)
		sums, requests, lineKeys, lineMACs                               = make([][]byte, n), make([][]byte, n), make([][]byte, n), make([][]byte, n)
		ats                                                              = make([]time.Time, n)
	)
	for i, r := range batch {
		c := r.check
		ids[i], ats[i], ways[i], sorts[i], purposes[i] = string(c.ID), c.At, string(c.Way), string(c.By.Sort), string(c.Purpose)
		notes[i], verdicts[i], reasons[i] = c.Note, string(c.Verdict), string(c.Reason)
		excerpts[i], subjects[i], codes[i], sums[i] = none(c.Excerpt), none(string(c.Subject)), none(string(c.Code)), bytes(c.Sum)
		organisations[i], members[i], clients[i], visitors[i] = none(c.By.Organisation), none(string(c.By.Member)), none(c.By.Client), none(c.By.Visitor)
		keys[i], requests[i] = none(c.Key), bytes(c.Request)
		lineKeys[i], lineMACs[i], tells[i], tellAs[i] = r.line.Key, r.line.MAC, r.tell, r.tellArgs
	}
	rows, _ := db.Pool.Query(ctx, record.sql, record.args(pgx.NamedArgs{
		"ids": ids, "ats": ats, "ways": ways, "excerpts": excerpts, "subjects": subjects, "codes": codes, "sums": sums, "sorts": sorts,
		"organisations": organisations, "members": members, "clients": clients, "visitors": visitors, "purposes": purposes,
		"notes": notes, "verdicts": verdicts, "reasons": reasons, "keys": keys, "requests": requests,
		"line_keys": lineKeys, "line_macs": lineMACs, "tell": tells, "tell_args": tellAs,
	})...)
	recorded = make(map[verifier.CheckID]bool, n)
	var id verifier.CheckID
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { recorded[id] = true; return nil })
	return recorded, err
}

func texts(n int) []string     { return make([]string, n) }
func nullable(n int) []*string { return make([]*string, n) }

// told are the placeholders of the message; those that end in ".key" are keys of words themselves. The organisation is
// told, its clerk is not.
func told(c verifier.Check, tell *verifier.Telling) map[string]string {
	return map[string]string{
		"Organisation": c.By.Name, "Sort": string(c.By.Sort), "Kind.kind": tell.Kind, "Number": tell.Number,
		"Purpose.key": "verifier.purpose." + string(c.Purpose), "Verdict.key": "web.verdict." + string(c.Verdict),
	}
}

// none makes NULL of a zero value.
func none[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func bytes(s *verifier.Sum) []byte {
	if s == nil {
		return nil
	}
	return s[:]
}
