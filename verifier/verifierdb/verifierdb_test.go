package verifierdb_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/ledger"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/verifier/throttle"
	"github.com/tesdiq/tesdiq/verifier/verifierdb"
	"github.com/tesdiq/tesdiq/verifier/verifierdb/verifierdbtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestPrepareAll(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Verifier, postgres.Cabinet)
}

const (
	nermin = tesdiq.FIN("5ZK8R2M")
	elcin  = tesdiq.FIN("2AB3C4D")
	aysel  = tesdiq.FIN("7HV1K9T")
)

var (
	day      = tesdiq.MustDate
	nextYear = tesdiq.MustDate("2027-11-21")
)

type bench struct {
	*verifierdbtest.World
	db *verifierdb.DB
	v  *verifier.Verifier
}

func open(t *testing.T) (*bench, *pgtest.DB) {
	pg := pgtest.Open(t)
	db := &verifierdb.DB{Pool: pg.Pool(postgres.Verifier)}
	return &bench{verifierdbtest.New(t, pg), db, &verifier.Verifier{
		Excerpts: db, Checks: db, Reader: verifierdbtest.Reader{}, Throttle: throttle.New(throttle.Default, nil),
		Now: func() time.Time { return verifierdbtest.Day }, Rand: rand.Reader,
	}}, pg
}

func TestStandingIsDerivedFromTheRegistry(t *testing.T) {
	tests := []struct {
		name string
		make func(w *bench) verifierdbtest.Issued
		want verifier.Reason
	}{
		{"in force", func(w *bench) verifierdbtest.Issued {
			return w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
		}, verifier.ValidCode},
		{"on its last day", func(w *bench) verifierdbtest.Issued {
			return w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), day("2026-11-21"))
		}, verifier.ValidCode},
		{"the day after", func(w *bench) verifierdbtest.Issued {
			return w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), day("2026-11-20"))
		}, verifier.ExpiredTerm},
		{"revoked", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Revoke(x)
			w.Withdraw(x)
			return x
		}, verifier.RevokedByIssuer},
		{"withdrawn", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Withdraw(x)
			w.Entry("examination", nermin, "M-2", 1, "append", day("2026-11-05"))
			return x
		}, verifier.WithdrawnBySubject},
		{"entry corrected", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("examination", nermin, "M-1", 2, "correct", day("2026-11-04"))
			return x
		}, verifier.SupersededCorrected},
		{"of the correction itself", func(w *bench) verifierdbtest.Issued {
			w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04"))
			return w.Excerpt(w.Entry("examination", nermin, "M-1", 2, "correct", day("2026-11-04")), nextYear)
		}, verifier.ValidCode},
		{"entry annulled", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("examination", nermin, "M-1", 2, "annul", day("2026-11-04"))
			return x
		}, verifier.RevokedAnnulled},
		{"the person annulled", func(w *bench) verifierdbtest.Issued {
			w.Entry("person", nermin, string(nermin), 1, "append", day("1987-03-08"))
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("person", nermin, string(nermin), 2, "annul", day("1987-03-08"))
			return x
		}, verifier.RevokedAnnulled},
		{"another person annulled, this one corrected", func(w *bench) verifierdbtest.Issued {
			w.Entry("person", elcin, string(elcin), 1, "append", day("1987-03-08"))
			w.Entry("person", elcin, string(elcin), 2, "annul", day("1987-03-08"))
			w.Entry("person", nermin, string(nermin), 1, "append", day("1987-03-08"))
			w.Entry("person", nermin, string(nermin), 2, "correct", day("1987-03-08"))
			return w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
		}, verifier.ValidCode},
		{"contract amended", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
			w.Entry("contract", nermin, "K-1", 2, "append", day("2026-11-20"))
			return x
		}, verifier.SupersededNewer},
		{"another contract of the same person", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
			w.Entry("contract", nermin, "K-2", 1, "append", day("2026-11-20"))
			return x
		}, verifier.ValidCode},
		{"a later examination", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("examination", nermin, "M-2", 1, "append", day("2026-11-20"))
			return x
		}, verifier.SupersededNewer},
		{"a later examination that was annulled", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("examination", nermin, "M-2", 1, "append", day("2026-11-20"))
			w.Entry("examination", nermin, "M-2", 2, "annul", day("2026-11-20"))
			return x
		}, verifier.ValidCode},
		{"an earlier examination that was entered later", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("examination", nermin, "M-2", 1, "append", day("2024-11-04"))
			return x
		}, verifier.ValidCode},
		{"on the same day the one first entered later counts, whatever was corrected when", func(w *bench) verifierdbtest.Issued {
			w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04"))
			x := w.Excerpt(w.Entry("examination", nermin, "M-2", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("examination", nermin, "M-1", 2, "correct", day("2026-11-04"))
			return x
		}, verifier.ValidCode},
		{"another person's examination", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("examination", elcin, "M-2", 1, "append", day("2026-11-20"))
			return x
		}, verifier.ValidCode},
		{"the later one was corrected to a day before", func(w *bench) verifierdbtest.Issued {
			x := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
			w.Entry("examination", nermin, "M-2", 1, "append", day("2026-11-20"))
			w.Entry("examination", nermin, "M-2", 2, "correct", day("2026-10-20"))
			return x
		}, verifier.ValidCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, _ := open(t)
			x := tt.make(w)
			a, err := w.v.Check(t.Context(), anonymous(x.Code))
			if err != nil {
				t.Fatal(err)
			}
			if a.Judgement.Reason != tt.want {
				t.Errorf("reason %s, want %s", a.Judgement.Reason, tt.want)
			}
		})
	}
}

func anonymous(code tesdiq.Code) verifier.Question {
	return verifier.Question{
		By:  verifier.Asker{Sort: verifier.ByAnonymous, Visitor: "v", Prefix: "192.0.2.0/24"},
		Way: tesdiq.ByCode, Code: code, Purpose: "other",
	}
}

func sum(b []byte) *verifier.Sum {
	s := verifier.Sum(sha256.Sum256(b))
	return &s
}

func TestOnlyTheExactBytesAreValid(t *testing.T) {
	w, _ := open(t)
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	withdrawn := w.Excerpt(w.Entry("contract", nermin, "K-2", 1, "append", day("2021-03-14")), nextYear)
	w.Withdraw(withdrawn)
	later := append(append([]byte{}, x.File...), "3 0 obj\n<< >>\nendobj\n%%EOF\n"...)
	w.File(x, later) // with a renewed time stamp
	other, _ := tesdiq.NewCode(rand.Reader)
	flipped := append([]byte{}, x.File...)
	flipped[len(flipped)/2] ^= 1
	tests := []struct {
		name   string
		file   []byte
		want   verifier.Reason
		facts  bool
		record int64
	}{
		{"as handed out", x.File, verifier.ValidFile, true, x.ID},
		{"the later version", later, verifier.ValidFile, true, x.ID},
		{"one more line end", append(append([]byte{}, later...), '\n'), verifier.AlteredContinued, true, x.ID},
		{"one more update", append(append([]byte{}, x.File...), "9 0 obj\n1\nendobj\n%%EOF"...), verifier.AlteredContinued, true, x.ID},
		{"a bit flipped", flipped, verifier.AlteredClaimed, true, x.ID},
		{"cut off", x.File[:len(x.File)-9], verifier.UnknownIncomplete, false, 0},
		{"half of it", x.File[:50], verifier.UnknownIncomplete, false, 0},
		{"an altered copy of what was withdrawn", append(withdrawn.File, '!'), verifier.AlteredContinued, false, withdrawn.ID},
		{"what was withdrawn", withdrawn.File, verifier.WithdrawnBySubject, false, withdrawn.ID},
		{"a code that nobody issued", verifierdbtest.PDF(other, ""), verifier.UnknownForeign, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := read(t, tt.file)
			a, err := w.v.Check(t.Context(), verifier.Question{By: anonymous("").By, Way: tesdiq.ByFile, File: &f, Purpose: "other"})
			if err != nil {
				t.Fatal(err)
			}
			if a.Judgement.Reason != tt.want || a.Check.Excerpt != tt.record || (len(a.Shown.Statement.Facts) > 0) != tt.facts {
				t.Errorf("got %+v, excerpt %d, %d facts", a.Judgement, a.Check.Excerpt, len(a.Shown.Statement.Facts))
			}
		})
	}
}

func TestCheckIsWrittenWithItsLineAndItsMessage(t *testing.T) {
	w, pg := open(t)
	bank := w.Organisation("Nümunə Bank")
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	q := anonymous(x.Code)
	q.By = verifier.Asker{Sort: verifier.ByOrganisation, Organisation: bank, Name: "Nümunə Bank", Member: aysel, Prefix: "p"}
	q.Note = "müqavilə 17-A"
	a, err := w.v.Check(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := w.db.ByID(t.Context(), a.Check.ID, q.By)
	if err != nil {
		t.Fatal(err)
	}
	q.By.Prefix = ""
	want := a.Check
	want.By.Prefix = ""
	if !reflect.DeepEqual(c, want) {
		t.Errorf("read back %+v, want %+v", c, want)
	}
	line := ledger.Line{Kind: ledger.Check, Object: string(c.ID)}
	if err := pg.Admin.QueryRow(t.Context(), "SELECT key, mac FROM ledger_lines WHERE kind = 'check' AND object = $1", string(c.ID)).Scan(&line.Key, &line.MAC); err != nil {
		t.Fatal(err)
	}
	if !line.Opens(c.Canonical()) {
		t.Error("the ledger line does not open with the check as it was read back")
	}
	var args map[string]string
	if err := pg.Admin.QueryRow(t.Context(), "SELECT args FROM messages WHERE fin = $1 AND key = 'message.check'", string(nermin)).Scan(&args); err != nil {
		t.Fatal(err)
	}
	if args["Organisation"] != "Nümunə Bank" || args["Verdict.key"] != "web.verdict.valid" || contains(args, "Aysel") || contains(args, string(aysel)) {
		t.Errorf("message %v", args)
	}
}

func contains(args map[string]string, s string) bool {
	for _, v := range args {
		if v == s {
			return true
		}
	}
	return false
}

func TestOwnAndUnknownChecksTellNobody(t *testing.T) {
	w, _ := open(t)
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	q := anonymous(x.Code)
	q.By = verifier.Asker{Sort: verifier.ByPerson, Member: nermin, Prefix: "p"}
	a, err := w.v.Check(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if a.Shown.Disclosure != verifier.ShowAll {
		t.Error("the subject does not see the whole excerpt")
	}
	other, _ := tesdiq.NewCode(rand.Reader)
	if _, err := w.v.Check(t.Context(), anonymous(other)); err != nil {
		t.Fatal(err)
	}
	if n := w.ID("SELECT count(*) FROM messages"); n != 0 {
		t.Errorf("%d messages", n)
	}
	if n := w.ID("SELECT count(*) FROM checks c JOIN ledger_lines l ON l.object = c.id"); n != 2 {
		t.Errorf("%d checks with a ledger line, want 2", n)
	}
}

// R20: a repeated request is one check, one line, one message.
func TestSameKeyIsTheSameCheck(t *testing.T) {
	w, _ := open(t)
	bank := w.Organisation("Nümunə Bank")
	w.Client(bank, "bank", "secret")
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	q := anonymous(x.Code)
	q.By = verifier.Client{ID: "bank", Organisation: bank, Name: "Nümunə Bank"}.Asker("p")
	q.Key, q.Request = "once", sum([]byte("body"))
	var wg sync.WaitGroup
	ids := make([]verifier.CheckID, 100)
	for i := range ids {
		wg.Go(func() {
			a, err := w.v.Check(t.Context(), q)
			if err != nil {
				t.Error(err)
			}
			ids[i] = a.Check.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("check %s and check %s", id, ids[0])
		}
	}
	for _, table := range []string{"checks", "ledger_lines", "messages"} {
		if n := w.ID("SELECT count(*) FROM " + table); n != 1 {
			t.Errorf("%d rows in %s, want 1", n, table)
		}
	}
	q.Request = sum([]byte("another body"))
	if _, err := w.v.Check(t.Context(), q); !errors.Is(err, tesdiq.Invalid("idempotency.other")) {
		t.Errorf("another body under the same key: %v", err)
	}
}

// S21, R5: whatever happens to the connection, an answer exists only with its record, and asking again under the same
// key gives the same check.
func TestNoAnswerWithoutRecord(t *testing.T) {
	w, _ := open(t)
	bank := w.Organisation("Nümunə Bank")
	w.Client(bank, "bank", "secret")
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	answered, cut := 0, 0
	for i := range 300 {
		q := anonymous(x.Code)
		q.By = verifier.Client{ID: "bank", Organisation: bank, Name: "Nümunə Bank"}.Asker("p")
		q.Key, q.Request = fmt.Sprint("key ", i), sum([]byte("body"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%60)*50*time.Microsecond)
		a, err := w.v.Check(ctx, q)
		cancel()
		if err == nil {
			answered++
			if n := w.ID("SELECT count(*) FROM checks JOIN ledger_lines ON object = id WHERE id = $1", string(a.Check.ID)); n != 1 {
				t.Fatalf("an answer without a record")
			}
			continue
		}
		cut++
		if a.Check.ID != "" || a.Judgement.Verdict != "" {
			t.Fatalf("an error with an answer: %+v", a)
		}
		again, err := w.v.Check(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if n := w.ID("SELECT count(*) FROM checks WHERE idempotency_key = $1 AND id = $2", q.Key, string(again.Check.ID)); n != 1 {
			t.Fatalf("%d checks under one key", n)
		}
	}
	if answered == 0 || cut == 0 {
		t.Fatalf("%d answered, %d cut off: nothing was shown", answered, cut)
	}
	if n := w.ID("SELECT count(*) FROM checks"); n != 300 {
		t.Errorf("%d checks, want 300", n)
	}
}

func TestWhoMayReadACheck(t *testing.T) {
	w, _ := open(t)
	bank, shop := w.Organisation("Nümunə Bank"), w.Organisation("Nümunə Market")
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	askers := map[string]verifier.Asker{
		"clerk":          {Sort: verifier.ByOrganisation, Organisation: bank, Member: aysel},
		"other clerk":    {Sort: verifier.ByOrganisation, Organisation: bank, Member: elcin},
		"manager":        {Sort: verifier.ByOrganisation, Organisation: bank, Member: "9XX9XX9", Manager: true},
		"other's boss":   {Sort: verifier.ByOrganisation, Organisation: shop, Member: "8XX8XX8", Manager: true},
		"clerk at home":  {Sort: verifier.ByPerson, Member: aysel},
		"subject":        {Sort: verifier.ByPerson, Member: nermin},
		"visitor":        {Sort: verifier.ByAnonymous, Visitor: "v"},
		"other visitor":  {Sort: verifier.ByAnonymous, Visitor: "w"},
		"nobody at all":  {Sort: verifier.ByAnonymous},
		"without a sort": {},
	}
	may := map[string][]string{
		"clerk": {"clerk", "manager"}, "other clerk": {"other clerk", "manager"}, "clerk at home": {"clerk at home"},
		"visitor": {"visitor"}, "subject": {"subject"},
	}
	for maker, readers := range may {
		q := anonymous(x.Code)
		q.By = askers[maker]
		a, err := w.v.Check(t.Context(), q)
		if err != nil {
			t.Fatal(maker, err)
		}
		for reader, by := range askers {
			_, err := w.v.Read(t.Context(), a.Check.ID, by)
			allowed := false
			for _, r := range readers {
				allowed = allowed || r == reader
			}
			if allowed && err != nil || !allowed && !errors.Is(err, verifier.ErrNoCheck) {
				t.Errorf("%s's check read by %s: %v", maker, reader, err)
			}
		}
	}
}

func TestReadingAgainShowsNoMoreThanNow(t *testing.T) {
	w, _ := open(t)
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	q := anonymous(x.Code)
	a, err := w.v.Check(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.v.Read(t.Context(), a.Check.ID, q.By)
	if err != nil || again.Later != nil || len(again.Shown.Statement.Facts) == 0 {
		t.Fatalf("%+v, %v", again, err)
	}
	w.Withdraw(x)
	again, err = w.v.Read(t.Context(), a.Check.ID, q.By)
	if err != nil {
		t.Fatal(err)
	}
	if again.Judgement.Verdict != tesdiq.Valid || again.Later == nil || again.Later.Verdict != tesdiq.Withdrawn || again.Shown.Kind != "" || again.Shown.Statement.Title != "" {
		t.Errorf("after the withdrawal: %+v", again)
	}
	if n := w.ID("SELECT count(*) FROM checks"); n != 1 {
		t.Errorf("reading made %d checks", n)
	}
}

func TestHistories(t *testing.T) {
	w, pg := open(t)
	cabinet := &verifierdb.Cabinet{Pool: pg.Pool(postgres.Cabinet)}
	bank := w.Organisation("Nümunə Bank")
	w.Member(bank, aysel, "Aysel Həsənova", "clerk")
	contract := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	examination := w.Excerpt(w.Entry("examination", nermin, "M-1", 1, "append", day("2026-11-04")), nextYear)
	clerk := verifier.Asker{Sort: verifier.ByOrganisation, Organisation: bank, Name: "Nümunə Bank", Member: aysel, Prefix: "p"}
	for i := range 120 { // all at the same moment: the order must still be total
		q := anonymous(contract.Code)
		if i%3 == 0 {
			q = anonymous(examination.Code)
		}
		q.By = clerk
		if _, err := w.v.Check(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	w.Exec(`INSERT INTO looks (subject, office, by, purpose, at) VALUES ($1, 'DOST', 'somebody', 'müraciət 12', $2)`, string(nermin), verifierdbtest.Day)

	w.Exec(`INSERT INTO medical_institutions (organisation_id, district) SELECT min(id), 'Xətai' FROM organisations`)
	w.Exec(`INSERT INTO tseras_referral_looks (organisation_id, subject, told, day, at) SELECT organisation_id, $1, 'open', $2::timestamptz::date, $2 FROM medical_institutions`,
		string(nermin), verifierdbtest.Day)

	seen, pages := map[string]bool{}, 0
	for after := (verifier.Cursor{}); ; pages++ {
		rows, err := cabinet.OfSubject(t.Context(), string(nermin), "", after, 50)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			if seen[r.Mark] {
				t.Errorf("%s is on two pages", r.Mark)
			}
			seen[r.Mark] = true
			if r.Clerk != "" {
				t.Errorf("the subject sees a clerk: %s", r.Clerk)
			}
		}
		c := verifier.After(rows[len(rows)-1])
		if after, err = verifier.ParseCursor(c.String()); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 122 || pages != 3 {
		t.Errorf("%d rows on %d pages, want 122 on 3", len(seen), pages)
	}
	rows, err := cabinet.OfSubject(t.Context(), string(nermin), "examination", verifier.Cursor{}, 200)
	if err != nil || len(rows) != 40 {
		t.Errorf("%d examinations, want 40; %v", len(rows), err)
	}
	if rows, err := cabinet.OfSubject(t.Context(), string(elcin), "", verifier.Cursor{}, 200); err != nil || len(rows) != 0 {
		t.Errorf("another person sees %d rows; %v", len(rows), err)
	}
	w.Withdraw(examination)
	for name, by := range map[string]verifier.Asker{"clerk": clerk, "manager": {Sort: verifier.ByOrganisation, Organisation: bank, Manager: true}} {
		rows, err := w.db.Made(t.Context(), by, verifierdbtest.Day.Add(-time.Hour), verifier.Cursor{}, 200)
		if err != nil || len(rows) != 120 || rows[0].Clerk != "Aysel Həsənova" {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
		for _, r := range rows {
			if r.Number == "E-2026-0000003" {
				t.Errorf("%s still reads what was withdrawn", name)
			}
		}
	}
	if rows, _ := w.db.Made(t.Context(), clerk, verifierdbtest.Day.Add(time.Hour), verifier.Cursor{}, 200); len(rows) != 0 {
		t.Errorf("%d rows after the last", len(rows))
	}
}

func TestTokens(t *testing.T) {
	w, pg := open(t)
	bank := w.Organisation("Nümunə Bank")
	w.Client(bank, "bank", "secret")
	now := verifierdbtest.Day
	door := &verifier.Door{Clients: w.db, Throttle: throttle.New(throttle.Default, nil), Now: func() time.Time { return now }, Rand: rand.Reader}
	for _, tt := range [][2]string{{"bank", "wrong"}, {"nobody", "secret"}, {"bank", ""}, {"", ""}, {"nobody", ""}} {
		if _, err := door.Enter(t.Context(), tt[0], tt[1], "p"); !errors.Is(err, verifier.ErrNoClient) {
			t.Errorf("%v: %v", tt, err)
		}
	}
	token, err := door.Enter(t.Context(), "bank", "secret", "p")
	if err != nil {
		t.Fatal(err)
	}
	c, err := door.Open(t.Context(), token)
	if err != nil || c.Organisation != bank || c.Name != "Nümunə Bank" {
		t.Fatalf("%+v, %v", c, err)
	}
	if n := w.ID("SELECT count(*) FROM api_tokens WHERE encode(sha256, 'escape') LIKE '%' || $1 || '%'", token); n != 0 {
		t.Error("the token is stored as it is")
	}
	if _, err := pg.Admin.Exec(t.Context(), "UPDATE api_clients SET ended_at = $1", now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(4 * time.Second)
	if _, err := door.Open(t.Context(), token); !errors.Is(err, verifier.ErrNoToken) {
		t.Errorf("four seconds after the client was closed: %v", err)
	}
	if _, err := pg.Admin.Exec(t.Context(), "UPDATE api_clients SET ended_at = NULL"); err != nil {
		t.Fatal(err)
	}
	if _, err := door.Open(t.Context(), token); err != nil {
		t.Error(err)
	}
	now = now.Add(time.Hour)
	if _, err := door.Open(t.Context(), token); !errors.Is(err, verifier.ErrNoToken) {
		t.Errorf("after its hour: %v", err)
	}
}

// Who signed in is known: other addresses do not help him to guess on, and his neighbours at one address neither lock him
// out nor are locked out by him.
func TestWhoSignedInIsCountedByHimself(t *testing.T) {
	w, _ := open(t)
	x := w.Excerpt(w.Entry("contract", nermin, "K-1", 1, "append", day("2021-03-14")), nextYear)
	ask := func(by verifier.Asker, code tesdiq.Code) error {
		q := anonymous(code)
		q.By = by
		_, err := w.v.Check(t.Context(), q)
		return err
	}
	none, err := tesdiq.NewCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	guesser := verifier.Asker{Sort: verifier.ByPerson, Member: elcin}
	for i := range throttle.Default.Misses + 1 {
		guesser.Prefix = fmt.Sprintf("192.0.%d.0/24", i)
		err := ask(guesser, none)
		var p *tesdiq.Problem
		if refused := errors.As(err, &p) && p.Kind == tesdiq.TooMany; refused != (i == throttle.Default.Misses) {
			t.Fatalf("guess %d: %v", i+1, err)
		}
	}
	for _, by := range []verifier.Asker{
		{Sort: verifier.ByPerson, Member: nermin, Prefix: guesser.Prefix},
		{Sort: verifier.ByAnonymous, Visitor: "v", Prefix: guesser.Prefix},
	} {
		if err := ask(by, x.Code); err != nil {
			t.Errorf("%s beside a guesser: %v", by.Sort, err)
		}
	}
}
