package issuerdb_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/issuer/issuerdb"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// successor is the tests' set after a rotation: another document signer is on duty.
func successor(t testing.TB) *signer.Set {
	t.Helper()
	set, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/keys"
	if err := set.Save(dir); err != nil {
		t.Fatal(err)
	}
	fresh := *set
	by, err := fresh.LoadAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Rotate(t.Context(), rand.Reader, by, signer.Rotation{Role: keys.RoleDocumentSigner, Years: 1, From: now()}, now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	return &fresh
}

// revoke revokes a certificate of the tests' set.
func (w *world) revoke(serial string, from time.Time) issuerdb.SignerRevoked {
	w.t.Helper()
	op := issuerdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: now, Rand: rand.Reader}
	r := issuer.SignerRevocation{Serial: serial, Role: keys.RoleDocumentSigner, Reason: "keyCompromise", Why: "modul oğurlanıb", By: "Əməliyyatçı", InvalidFrom: from}
	preview, err := op.RevokeSigner(w.t.Context(), r, true)
	if err != nil {
		w.t.Fatal(err)
	}
	done, err := op.RevokeSigner(w.t.Context(), r, false)
	if err != nil {
		w.t.Fatal(err)
	}
	if preview != done {
		w.t.Errorf("the preview says %+v, and it was %+v", preview, done)
	}
	if _, err := op.RevokeSigner(w.t.Context(), r, false); !errors.Is(err, tesdiq.NewProblem(tesdiq.Conflict, "certificate.revoked")) {
		w.t.Errorf("again: %v", err)
	}
	return done
}

// reissue is a run with a set's keys.
func (w *world) reissue(set *signer.Set) *issuerdb.Reissue {
	m := w.maker()
	m.Signer = &key{signer: set.PDFSigner(rand.Reader)}
	return &issuerdb.Reissue{Pool: w.db.Pool(postgres.Issuer), Maker: m, Now: now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Batch: 2}
}

func TestWhatARevokedSignerSignedIsIssuedAnew(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	set, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	type one struct {
		fin    tesdiq.FIN
		number issuer.Number
		before issuer.File
		code   string
	}
	draw := func() one {
		t.Helper()
		fin, entry := w.person("Quliyeva")
		x := one{fin: fin, number: w.ask(fin, request(entry))}
		w.wait(fin, x.number)
		if x.before, err = w.cabinet.File(t.Context(), fin, x.number); err != nil {
			t.Fatal(err)
		}
		x.code = pades.Read(x.before.PDF, roots).Code
		return x
	}
	state := func(x one) issuer.State {
		t.Helper()
		item, err := w.cabinet.Item(t.Context(), x.fin, x.number)
		if err != nil {
			t.Fatal(err)
		}
		return item.State(today)
	}
	early := draw()
	stolen := now()
	var late []one
	for range 5 {
		late = append(late, draw())
	}
	withdrawn := late[4]
	if err := w.cabinet.Withdraw(t.Context(), withdrawn.fin, withdrawn.number); err != nil {
		t.Fatal(err)
	}
	// A private person had checked one of them.
	w.exec(`INSERT INTO checks (id, at, way, excerpt_id, subject, sort, member_fin, purpose, verdict, reason)
		SELECT '0000000000000001', $1, 'code', id, subject, 'person', '0000099', 'other', 'valid', 'valid.code' FROM excerpts WHERE number = $2`, now(), late[0].number)

	serial := keys.Serial(set.Signer)
	if n := w.count(`SELECT count(*) FROM excerpt_files WHERE signer_serial = $1 AND stamp_serial = $2 AND signed_at IS NOT NULL`, serial, keys.Serial(set.TSA)); n != 6 {
		t.Errorf("%d files say who signed them", n)
	}
	done := w.revoke(serial, stolen)
	if done.Excerpts != 5 || done.Told != 1 {
		t.Errorf("%+v", done)
	}
	if n := w.count(`SELECT count(*) FROM messages WHERE key = 'message.checked' AND fin = '0000099' AND args->>'Number' = $1`, late[0].number); n != 1 {
		t.Errorf("who checked was told %d times", n)
	}
	if s := state(early); s != issuer.InForce {
		t.Errorf("what was signed before is %s", s)
	}
	for _, x := range late {
		if s := state(x); s != issuer.Revoked {
			t.Errorf("what was signed after is %s", s)
		}
	}

	// With the revoked signer nothing that counts can be made.
	same := w.reissue(set)
	if left, err := same.Left(t.Context(), serial); err != nil || left.Open() != 4 || left.Gone != 1 {
		t.Errorf("%+v, %v", left, err)
	}
	if made, _, err := same.Run(t.Context(), serial); made != 0 || err != nil {
		t.Errorf("with the revoked key: %d, %v", made, err)
	}

	// A run that is broken off goes on; a whole one does all; one more does nothing.
	run := w.reissue(successor(t))
	ctx, stop := context.WithCancel(t.Context())
	run.Progress = func(int) { stop() }
	if made, _, err := run.Run(ctx, serial); made != 2 || !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: %d, %v", made, err)
	}
	run.Progress = nil
	for _, want := range []int{2, 0} {
		if made, failed, err := run.Run(t.Context(), serial); made != want || failed != 0 || err != nil {
			t.Errorf("%d made and %d failed, want %d; %v", made, failed, want, err)
		}
	}
	for _, x := range late[:4] {
		if s := state(x); s != issuer.InForce {
			t.Errorf("issued anew, and %s", s)
		}
		after, err := w.cabinet.File(t.Context(), x.fin, x.number)
		if err != nil {
			t.Fatal(err)
		}
		report := pades.Read(after.PDF, roots)
		if after.SHA256 == x.before.SHA256 || report.Code != x.code || report.Indication != pades.Passed || report.SignerSerial == serial {
			t.Errorf("%s: the file is the old one, or another excerpt: %+v", x.number, report)
		}
		if n := w.count(`SELECT count(*) FROM messages WHERE key = 'message.reissued' AND fin = $1`, x.fin); n != 1 {
			t.Errorf("the person was told %d times", n)
		}
		var l ledger.Line
		var at time.Time
		object := fmt.Sprintf("%x", after.SHA256)
		err = w.db.Admin.QueryRow(t.Context(), `SELECT kind, object, key, mac, (SELECT signed_at FROM excerpt_files WHERE sha256 = $1) FROM ledger_lines WHERE object = $2`,
			after.SHA256[:], object).Scan(&l.Kind, &l.Object, &l.Key, &l.MAC, &at)
		if err != nil || !l.Opens(issuer.ReissueContent(x.number, after.SHA256[:], at)) {
			t.Errorf("line: %v", err)
		}
	}
	if s := state(withdrawn); s != issuer.Revoked {
		t.Errorf("what was withdrawn is %s", s)
	}
	if n := w.count(`SELECT count(*) FROM reissue_attempts`); n < 4 {
		t.Errorf("the key was called for %d attempts", n)
	}
}

// What would now say something else is not issued anew under the old number.
func TestAnotherStatementIsNotIssuedUnderTheOldNumber(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.run(w.dispatcher())
	fin, entry := w.person("Quliyeva")
	w.wait(fin, w.ask(fin, request(entry)))
	set, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	w.revoke(keys.Serial(set.Signer), today.Start())
	w.exec(`UPDATE excerpts SET statement = jsonb_set(statement, '{title}', '"another"')`)
	if made, failed, err := w.reissue(successor(t)).Run(t.Context(), keys.Serial(set.Signer)); made != 0 || failed != 1 || err == nil {
		t.Errorf("%d made, %d failed, %v", made, failed, err)
	}
}

// BenchmarkReissue is how fast excerpts are issued anew; cmd/tesdiq says the same of a whole installation.
func BenchmarkReissue(b *testing.B) {
	w := newWorld(b)
	w.listen()
	w.run(w.dispatcher())
	fin, entry := w.person("Quliyeva")
	w.wait(fin, w.ask(fin, request(entry)))
	set, err := authority()
	if err != nil {
		b.Fatal(err)
	}
	serial := keys.Serial(set.Signer)
	// As many as are wanted, of one entry: each is drawn, signed, checked and stored by itself.
	for n := 1; n < b.N; {
		var codes, numbers []string
		for ; n < b.N && len(codes) < 10_000; n++ {
			code, err := tesdiq.NewCode(rand.Reader)
			if err != nil {
				b.Fatal(err)
			}
			codes, numbers = append(codes, string(code)), append(numbers, fmt.Sprintf("E-2026-%07d", 1_000_000+n))
		}
		w.exec(`WITH m AS (SELECT * FROM unnest($1::text[], $2::text[]) AS m (code, number)), i AS (
				INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at)
				SELECT m.number, m.code, m.number, o.kind, o.template, o.lang, o.subject, o.entry_id, o.person_id, o.recipient, o.purpose, o.with_salary, o.valid_until, o.asked_at
				FROM m, (SELECT * FROM intents ORDER BY id LIMIT 1) o RETURNING *), x AS (
				INSERT INTO excerpts (id, code, number, kind, lang, subject, entry_id, statement, valid_until, issued_at)
				SELECT i.id, i.code, i.number, i.kind, i.lang, i.subject, i.entry_id, (SELECT statement FROM excerpts ORDER BY id LIMIT 1), i.valid_until, $3 FROM i RETURNING id)
			INSERT INTO excerpt_files (sha256, excerpt_id, size, bytes, stored_at, signer_serial, stamp_serial, signed_at)
			SELECT sha256(x.id::text::bytea), x.id, 1, '\x00', $3, $4, $5, $3 FROM x`, codes, numbers, now(), serial, keys.Serial(set.TSA))
	}
	w.exec(`ANALYZE`)
	w.revoke(serial, today.Start())
	run := w.reissue(successor(b))
	run.Batch = 0
	b.ResetTimer()
	made, failed, err := run.Run(b.Context(), serial)
	if err != nil || failed > 0 || made != b.N {
		b.Fatalf("%d of %d, %d failed: %v", made, b.N, failed, err)
	}
	b.ReportMetric(float64(made)/b.Elapsed().Seconds(), "excerpts/s")
}
