// Package verifierdbtest writes the rows that tests of checking need, past the components that write them otherwise.
// It is for tests only.
package verifierdbtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// Day is when the fixture's world is: a moment in the middle of a working day in Baku.
var Day = time.Date(2026, 11, 21, 10, 2, 17, 0, time.UTC)

// World writes rows into one test's database.
type World struct {
	t  testing.TB
	db *pgtest.DB
	n  int
}

// New begins.
func New(t testing.TB, db *pgtest.DB) *World { return &World{t: t, db: db} }

// Exec runs a statement as the superuser.
func (w *World) Exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Admin.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// ID runs a statement that returns one number.
func (w *World) ID(sql string, args ...any) (id int64) {
	w.t.Helper()
	if err := w.db.Admin.QueryRow(w.t.Context(), sql, args...).Scan(&id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// Organisation adds a bank.
func (w *World) Organisation(name string) int64 {
	w.n++
	return w.ID(`INSERT INTO organisations (voen, name, sort, added_at) VALUES ($1, $2, 'bank', $3) RETURNING id`,
		fmt.Sprintf("%010d", w.n), name, Day.AddDate(0, -1, 0))
}

// Member adds a member of an organisation.
func (w *World) Member(organisation int64, fin tesdiq.FIN, name, role string) {
	w.Exec(`INSERT INTO members (organisation_id, fin, name, role, added_at) VALUES ($1, $2, $3, $4, $5)`,
		organisation, string(fin), name, role, Day.AddDate(0, -1, 0))
}

// Client adds a program of an organisation with its secret.
func (w *World) Client(organisation int64, id, secret string) {
	sum := sha256.Sum256([]byte(secret))
	w.Exec(`INSERT INTO api_clients (id, organisation_id, name, secret_sha256, added_at) VALUES ($1, $2, $3, $4, $5)`,
		id, organisation, "Program "+id, sum[:], Day.AddDate(0, -1, 0))
}

// Entry appends a version of an examination's or contract's object; act is append, correct or annul.
func (w *World) Entry(book string, fin tesdiq.FIN, number string, version int, act string, effective tesdiq.Date) int64 {
	reason, chain := "", string(fin)
	if act != "append" {
		reason = "test"
	}
	if book != "examination" {
		chain = number
	}
	return w.ID(`INSERT INTO entries (book, number, version, act, subject, chain, effective_on, entered_at, entered_by, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'test', $9) RETURNING id`,
		book, number, version, act, string(fin), chain, effective, Day.Add(-time.Hour), reason)
}

// Issued is an excerpt that was handed out.
type Issued struct {
	ID   int64
	Code tesdiq.Code
	File []byte
}

// Excerpt issues an excerpt of an entry whose kind is the entry's book, valid to a day.
func (w *World) Excerpt(entry int64, validUntil tesdiq.Date) Issued {
	w.t.Helper()
	var kind, subject string
	if err := w.db.Admin.QueryRow(w.t.Context(), `SELECT book, subject FROM entries WHERE id = $1`, entry).Scan(&kind, &subject); err != nil {
		w.t.Fatal(err)
	}
	code, err := tesdiq.NewCode(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	w.n++
	number := fmt.Sprintf("E-2026-%07d", w.n)
	x := Issued{Code: code, File: PDF(code, fmt.Sprintf("body of %s", number))}
	x.ID = w.ID(`INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose,
		with_salary, valid_until, asked_at) VALUES ($1, $2, $3, $4, 1, 'az', $5, $6, $6, '', '', false, $7, $8) RETURNING id`,
		number, string(code), number, kind, subject, entry, validUntil, Day.Add(-2*time.Hour))
	w.Exec(`INSERT INTO excerpts (id, code, number, kind, lang, subject, entry_id, statement, valid_until, issued_at)
		VALUES ($1, $2, $3, $4, 'az', $5, $6, $7, $8, $9)`,
		x.ID, string(code), number, kind, subject, entry, Statement(kind), validUntil, Day.Add(-2*time.Hour))
	w.File(x, x.File)
	return x
}

// File hands out one more version of an excerpt's file.
func (w *World) File(x Issued, content []byte) {
	sum := sha256.Sum256(content)
	w.Exec(`INSERT INTO excerpt_files (sha256, excerpt_id, size, bytes, stored_at) VALUES ($1, $2, $3, $4, $5)`,
		sum[:], x.ID, len(content), content, Day.Add(-2*time.Hour))
}

// Revoke revokes an excerpt.
func (w *World) Revoke(x Issued) {
	w.Exec(`INSERT INTO revocations (excerpt_id, reason, by, revoked_at) VALUES ($1, 'test', 'test', $2)`, x.ID, Day.Add(-time.Hour))
}

// Withdraw withdraws an excerpt.
func (w *World) Withdraw(x Issued) {
	w.Exec(`INSERT INTO withdrawals (excerpt_id, withdrawn_at) VALUES ($1, $2)`, x.ID, Day.Add(-time.Hour))
}

// Name is the subject's in every statement of the fixture; Initials is how it is masked.
const (
	Name     = "Quliyeva Nərmin Əli qızı"
	Initials = "Q. N. Ə."
	Document = "AA 1234567"
)

var titles = map[string]string{"contract": "İş yerinə dair arayış", "examination": "Əlilliyin müəyyən edilməsi barədə çıxarış"}

// Statement is what the fixture's excerpts say.
func Statement(kind string) templates.Statement {
	return templates.Statement{
		Kind: kind, Version: 1, Lang: "az", Title: titles[kind],
		AsOf: Day.Add(-2 * time.Hour),
		Facts: []templates.Fact{
			{Key: "name", Group: "Şəxs", Label: "Soyadı, adı, atasının adı", Value: Name, Mask: templates.Shortened, Short: Initials},
			{Key: "fin", Group: "Şəxs", Label: "FİN", Value: "5ZK8R2M", Mask: templates.Shortened, Short: "····R2M"},
			{Key: "document", Group: "Şəxs", Label: "Şəxsiyyət vəsiqəsi", Value: Document, Mask: templates.Hidden},
			{Key: "employer", Group: "İş yeri", Label: "İşəgötürən", Value: "“Xəzər Tikinti” MMC"},
			{Key: "position", Group: "İş yeri", Label: "Vəzifə", Value: "Baş mühasib, əsas iş yeri"},
			{Key: "valid_until", Group: "Təyinat", Label: "Çıxarış qüvvədədir", Value: "21.11.2027-dək, bu gün də daxil olmaqla"},
		},
	}
}

// PDF has the outline of a signed file of ours: the code in the information dictionary, two revisions, a signature.
func PDF(code tesdiq.Code, body string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%%PDF-1.7\n1 0 obj\n<< /Subject (%s) >>\nendobj\n%% %s\nstartxref\n9\n%%%%EOF\n", code, body)
	fmt.Fprintf(&b, "2 0 obj\n<< /Type /Sig /ByteRange [0 1 2 3] >>\nendobj\nstartxref\n99\n%%%%EOF\n")
	return b.Bytes()
}

// Reader reads in this process what the service reads in another one.
type Reader struct{}

// Read trusts nobody: it never passes a file.
func (Reader) Read(_ context.Context, pdf []byte) (pades.Report, error) {
	return pades.Read(pdf, nil), nil
}
