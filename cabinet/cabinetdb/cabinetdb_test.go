package cabinetdb_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/cabinet/cabinetdb"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	nermin = tesdiq.FIN("5NQ7K2M")
	aysel  = tesdiq.FIN("1HS7N3B")
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Cabinet, postgres.Reception)
}

func open(t *testing.T) (*pgtest.DB, cabinetdb.DB) {
	t.Helper()
	pg := pgtest.Open(t)
	return pg, cabinetdb.DB{Pool: pg.Pool(postgres.Cabinet)}
}

func exec(t *testing.T, pg *pgtest.DB, sql string, args ...any) {
	t.Helper()
	if _, err := pg.Admin.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func TestMembershipsEndWithTheMemberAndWithTheOrganisation(t *testing.T) {
	pg, db := open(t)
	exec(t, pg, `INSERT INTO organisations (voen, name, sort, added_at) VALUES ('1400057421', 'Çinar Bank', 'bank', now()), ('1401555071', 'Alma Bank', 'bank', now())`)
	exec(t, pg, `INSERT INTO members (organisation_id, fin, name, role, added_at) SELECT id, $1, 'Aysel Həsənova', 'clerk', now() FROM organisations`, aysel)
	all, err := db.Memberships(t.Context(), aysel)
	if err != nil || len(all) != 2 || all[0].Name != "Alma Bank" || all[1].Name != "Çinar Bank" {
		t.Fatalf("memberships %v, %v", all, err)
	}
	alma, cinar := all[0].ID, all[1].ID
	exec(t, pg, `INSERT INTO organisation_duties (organisation_id, duty, added_at) VALUES ($1, 'filing', now())`, cinar)
	exec(t, pg, `INSERT INTO organisation_duties (organisation_id, duty, added_at, ended_at) VALUES ($1, 'inspection', now(), now())`, cinar)
	if m, err := db.MembershipByVOEN(t.Context(), aysel, "1400057421"); err != nil || !reflect.DeepEqual(m, cabinet.Membership{ID: cinar, Name: "Çinar Bank", Role: "clerk", Duties: []string{"filing"}}) {
		t.Errorf("by VÖEN: %v, %v", m, err)
	}
	refused := func(fin tesdiq.FIN, id int64) {
		t.Helper()
		if _, err := db.Membership(t.Context(), fin, id); tesdiq.ProblemsOf(err)[0].Kind != tesdiq.NotFound {
			t.Errorf("membership of %s in %d: %v", fin, id, err)
		}
	}
	refused(nermin, alma)
	refused(aysel, 12345)
	exec(t, pg, `UPDATE members SET ended_at = now() WHERE organisation_id = $1`, alma)
	refused(aysel, alma)
	exec(t, pg, `UPDATE organisations SET closed_at = now() WHERE id = $1`, cinar)
	refused(aysel, cinar)
	if all, err := db.Memberships(t.Context(), aysel); err != nil || len(all) != 0 {
		t.Errorf("afterwards: %v, %v", all, err)
	}
}

func TestMessagesComeInPagesAndAreReadOnlyByTheirOwner(t *testing.T) {
	pg, db := open(t)
	ctx := t.Context()
	err := pgx.BeginFunc(ctx, pg.Pool(postgres.Cabinet), func(tx pgx.Tx) error {
		for i := range 5 {
			// Two come at the same moment: their order is still one.
			m := message.Message{To: nermin, Key: "message.excerpt", Args: map[string]string{"Number": fmt.Sprint(i)}, Link: "/cabinet/excerpts/" + fmt.Sprint(i), At: now.Add(time.Duration(i/2) * time.Hour)}
			if err := message.Send(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	var ids []int64
	for before := int64(0); ; {
		page, err := db.Messages(ctx, nermin, before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			seen, ids = append(seen, m.Args["Number"]), append(ids, m.ID)
			before = m.ID
		}
		if len(page) < 2 {
			break
		}
	}
	if fmt.Sprint(seen) != "[4 3 2 1 0]" {
		t.Errorf("pages showed %v", seen)
	}
	if page, err := db.Messages(ctx, aysel, ids[0], 10); err != nil || len(page) != 0 {
		t.Errorf("another's page: %v, %v", page, err)
	}
	if _, err := db.Read(ctx, aysel, ids[0], now); !errors.Is(err, tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-message")) {
		t.Errorf("another read it: %v", err)
	}
	if link, err := db.Read(ctx, nermin, ids[0], now); err != nil || link != "/cabinet/excerpts/4" {
		t.Errorf("read: %q, %v", link, err)
	}
	if _, err := db.Read(ctx, nermin, ids[0], now.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	page, err := db.Messages(ctx, nermin, 0, 1)
	if err != nil || page[0].ReadAt == nil || !page[0].ReadAt.Equal(now) {
		t.Errorf("read at %v, %v: the first time counts", page[0].ReadAt, err)
	}
	if n, err := db.Unread(ctx, nermin); err != nil || n != 4 {
		t.Errorf("unread %d, %v", n, err)
	}
	// The newest of those on the page was ids[1]; one that came later stays unread.
	if err := db.ReadAll(ctx, nermin, ids[2], now); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Unread(ctx, nermin); err != nil || n != 1 {
		t.Errorf("unread %d, %v", n, err)
	}
}

// enter writes an entry of an examination and says its id.
func enter(t *testing.T, pg *pgtest.DB, number string, version int, act string, effective tesdiq.Date, nextFrom, until tesdiq.Date) (id int64) {
	t.Helper()
	reason := ""
	if act != "append" {
		reason = "səhv"
	}
	err := pg.Admin.QueryRow(t.Context(), `
		INSERT INTO entries (book, number, version, act, subject, chain, effective_on, entered_at, entered_by, reason)
		VALUES ('examination', $1, $2, $3, $4, $4, $5, $6, 'sınaq', $7) RETURNING id`, number, version, act, nermin, effective, now, reason).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, pg, `
		INSERT INTO examinations (entry_id, commission, examined_on, repeat, outcome, loss, degree, old_group, cause, from_day, until_day, next_from)
		VALUES ($1, '7 saylı TSEK', $2, false, 'disability', 65, '', '', 'general_illness', $2, $3, $4)`, id, effective, until, nextFrom)
	return id
}

// issue writes an excerpt of an entry.
func issue(t *testing.T, pg *pgtest.DB, n int, entry int64, until tesdiq.Date) (id int64) {
	t.Helper()
	number, code := fmt.Sprintf("E-2026-%07d", n), fmt.Sprintf("%017d", n)
	err := pg.Admin.QueryRow(t.Context(), `
		INSERT INTO intents (request, code, number, kind, template, lang, subject, entry_id, person_id, recipient, purpose, with_salary, valid_until, asked_at)
		VALUES ($1, $2, $1, 'examination', 1, 'az', $3, $4, $4, 'Nümunə Bank', 'kredit', false, $5, $6) RETURNING id`, number, code, nermin, entry, until, now).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, pg, `
		INSERT INTO excerpts (id, code, number, kind, lang, subject, entry_id, statement, valid_until, issued_at)
		VALUES ($1, $2, $3, 'examination', 'az', $4, $5, '{"title": "Çıxarış"}', $6, $7)`, id, code, number, nermin, entry, until, now.Add(time.Duration(n)*time.Second))
	return id
}

func TestHomeShowsWhatIsInForce(t *testing.T) {
	pg, db := open(t)
	today, later := tesdiq.NewDate(2026, 11, 21), tesdiq.NewDate(2026, 12, 21)
	first := enter(t, pg, "M-2024-000001", 1, "append", tesdiq.NewDate(2024, 11, 4), tesdiq.NewDate(2026, 9, 4), tesdiq.NewDate(2026, 11, 4))
	old := issue(t, pg, 1, first, later)
	entry := enter(t, pg, "M-2026-000002", 1, "append", tesdiq.NewDate(2026, 11, 4), tesdiq.NewDate(2028, 9, 4), tesdiq.NewDate(2028, 11, 4))
	good := issue(t, pg, 2, entry, later)
	withdrawn, revoked := issue(t, pg, 3, entry, later), issue(t, pg, 4, entry, later)
	issue(t, pg, 5, entry, today.AddDays(-1))
	lastDay := issue(t, pg, 6, entry, today)
	exec(t, pg, `INSERT INTO withdrawals (excerpt_id, withdrawn_at) VALUES ($1, $2)`, withdrawn, now)
	exec(t, pg, `INSERT INTO revocations (excerpt_id, reason, by, revoked_at) VALUES ($1, 'səhv', 'sınaq', $2)`, revoked, now)
	check := `INSERT INTO checks (id, at, way, excerpt_id, subject, sort, member_fin, purpose, verdict, reason) VALUES ($1, $2, 'code', $3, $4, $5, $6, 'credit', 'valid', 'x')`
	exec(t, pg, check, "0000000000000001", now.Add(-time.Hour), good, nermin, "anonymous", nil)
	exec(t, pg, check, "0000000000000002", now, good, nermin, "person", aysel)
	exec(t, pg, check, "0000000000000003", now, good, nermin, "person", nermin) // her own does not count
	exec(t, pg, check, "0000000000000004", now.AddDate(0, -2, 0), old, nermin, "person", aysel)
	exec(t, pg, `INSERT INTO looks (subject, office, by, purpose, at) VALUES ($1, 'idarə', 'sınaq', 'şikayət', $2)`, nermin, now)
	exec(t, pg, `WITH o AS (INSERT INTO organisations (voen, name, sort, added_at) VALUES ('1401555071', 'Başqa poliklinika', 'medical', $1) RETURNING id),
		m AS (INSERT INTO medical_institutions (organisation_id, district) SELECT id, 'Xətai' FROM o)
		INSERT INTO tseras_referral_looks (organisation_id, subject, told, day, at) SELECT id, $2, 'name', $1::timestamptz::date, $1 FROM o`, now, nermin)

	h, err := db.Home(t.Context(), nermin, today)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Excerpts) != 2 || h.Excerpts[0].Number != "E-2026-0000006" || h.Excerpts[1].Number != "E-2026-0000002" {
		t.Fatalf("in force %v; the last day of %d belongs to it", h.Excerpts, lastDay)
	}
	if x := h.Excerpts[1]; x.Checks != 2 || x.LastCheck == nil || !x.LastCheck.Equal(now) || x.Title != "Çıxarış" || x.Recipient != "Nümunə Bank" || x.Purpose != "kredit" {
		t.Errorf("checked: %+v", x)
	}
	if x := h.Excerpts[0]; x.Checks != 0 || x.LastCheck != nil {
		t.Errorf("not checked: %+v", x)
	}
	if h.Checks != 2 || h.Looks != 2 {
		t.Errorf("lately %d checks, %d looks", h.Checks, h.Looks)
	}
	if want := (cabinet.Examination{NextFrom: tesdiq.NewDate(2028, 9, 4), Until: tesdiq.NewDate(2028, 11, 4)}); h.Examination != want {
		t.Errorf("examination %v", h.Examination)
	}
	// A correction supersedes; an annulment lets the entry before hold again.
	enter(t, pg, "M-2026-000002", 2, "annul", tesdiq.NewDate(2026, 11, 4), tesdiq.NewDate(2028, 9, 4), tesdiq.NewDate(2028, 11, 4))
	h, err = db.Home(t.Context(), nermin, today)
	if err != nil || len(h.Excerpts) != 1 || h.Excerpts[0].Number != "E-2026-0000001" || h.Examination.Until != tesdiq.NewDate(2026, 11, 4) {
		t.Errorf("after annulling: %+v, %v", h, err)
	}
	if h, err := db.Home(t.Context(), aysel, today); err != nil || len(h.Excerpts) != 0 || h.Checks != 0 || h.Examination != (cabinet.Examination{}) {
		t.Errorf("another's home: %+v, %v", h, err)
	}
}
