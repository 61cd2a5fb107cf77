package issuerdb_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

func TestARevocationIsWrittenOnceAndTold(t *testing.T) {
	db, ctx := pgtest.Open(t), t.Context()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	_, err := registrydb.Load(ctx, db.Pool(postgres.Registry), people.Generate(1, 0, tesdiq.DateOf(now)), rand.Reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	nermin := people.Who("nermin").FIN
	if _, err := db.Admin.Exec(ctx, `
		WITH i AS (
			INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at)
			SELECT 'r', '7K2M9QXA4TRCW8HNR', 'E-2026-0000001', 'examination', 1, 'az', subject, id, id, '', '', false, '2026-12-21', now()
			FROM entries WHERE book = 'person' AND number = $1
			RETURNING id, code, number, kind, lang, subject, entry_id, valid_until)
		INSERT INTO excerpts (id, code, number, kind, lang, subject, entry_id, statement, valid_until, issued_at)
		SELECT id, code, number, kind, lang, subject, entry_id, '{}', valid_until, now() FROM i`, nermin); err != nil {
		t.Fatal(err)
	}
	op := issuerdb.Operator{Pool: db.Pool(postgres.Operator), Now: func() time.Time { return now }, Rand: rand.Reader}
	x, err := op.Find(ctx, "7k2m-9qxa-4trc-w8hn-r")
	if err != nil || x.Number != "E-2026-0000001" || x.Revoked || x.Withdrawn {
		t.Fatalf("%+v, %v", x, err)
	}
	for in, want := range map[string]error{
		"E-2026-0000002": issuer.ErrMissing, "7K2M-9QXA-4TRC-W8HN-S": tesdiq.Invalid("code.check"), "": tesdiq.Invalid("code.empty"),
	} {
		if _, err := op.Revoke(ctx, in, "Saxta sənəd", "Əməliyyatçı"); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", in, err, want)
		}
	}
	if _, err := op.Revoke(ctx, "E-2026-0000001", "", "a\x00"); err == nil || err.Error() != "reason: text.missing; by: text.letter" {
		t.Error(err)
	}
	if _, err := op.Revoke(ctx, "E-2026-0000001", "Səhvən verilib", "Əməliyyatçı"); err != nil {
		t.Fatal(err)
	}
	if _, err := op.Revoke(ctx, "E-2026-0000001", "Yenə", "Əməliyyatçı"); !errors.Is(err, tesdiq.NewProblem(tesdiq.Conflict, "excerpt.revoked")) {
		t.Errorf("again: %v", err)
	}
	var l ledger.Line
	var told int
	err = db.Admin.QueryRow(ctx, `
		SELECT kind, object, key, mac, (SELECT count(*) FROM messages WHERE fin = $1 AND key = 'message.revoked')
		FROM ledger_lines WHERE kind = 'revocation'`, nermin).Scan(&l.Kind, &l.Object, &l.Key, &l.MAC, &told)
	if err != nil || told != 1 || !l.Opens(issuer.RevocationContent("E-2026-0000001", "Səhvən verilib", "Əməliyyatçı", now)) {
		t.Errorf("told %d times, line %v, %v", told, l.Object, err)
	}
}
