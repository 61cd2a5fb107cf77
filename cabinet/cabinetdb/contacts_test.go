package cabinetdb_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/cabinet/cabinetdb"
	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

const (
	elcin = tesdiq.FIN("4CM9J7S")
	phone = "+994501234567"
)

var noon = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// sent is what the sender does with a code for a contact.
func sent(t *testing.T, pg *pgtest.DB, contact int64, code string, at time.Time) {
	t.Helper()
	salt := make([]byte, 16)
	hash, err := message.HashCode(code, salt)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pg.Pool(postgres.Sender).Exec(t.Context(), `
		INSERT INTO contact_codes (contact_id, n, salt, hash, drawn_at, expires_at)
		SELECT $1, 1 + count(*), $2, $3, $4, $4::timestamptz + interval '15 minutes' FROM contact_codes WHERE contact_id = $1`, contact, salt, hash, at)
	if err != nil {
		t.Fatal(err)
	}
}

func current(t *testing.T, db cabinetdb.DB, fin tesdiq.FIN) string {
	t.Helper()
	choices, err := db.Choices(t.Context(), fin)
	if err != nil {
		t.Fatal(err)
	}
	if len(choices) == 0 {
		return "none"
	}
	return fmt.Sprintf("%s %s %s, %d in all", choices[0].Channel, choices[0].Address, choices[0].Lang, len(choices))
}

func is(t *testing.T, what string, err error, kind tesdiq.Kind, key string) {
	t.Helper()
	if !errors.Is(err, tesdiq.NewProblem(kind, key)) {
		t.Errorf("%s: %v, want %s", what, err, key)
	}
}

func TestAnAddressIsUsedOnlyAfterItsCode(t *testing.T) {
	t.Parallel()
	pg := pgtest.Open(t)
	db := cabinetdb.DB{Pool: pg.Pool(postgres.Cabinet)}
	ctx := t.Context()
	id, err := db.Choose(ctx, nermin, tesdiq.SMS, phone, tesdiq.Ru, noon)
	if err != nil || id == 0 || current(t, db, nermin) != "none" {
		t.Fatalf("%d, %v, %s", id, err, current(t, db, nermin))
	}
	is(t, "before it was sent", db.Confirm(ctx, nermin, id, "123456", noon), tesdiq.Refused, "cabinet.code-wrong")
	sent(t, pg, id, "123456", noon)
	is(t, "another's", db.Confirm(ctx, elcin, id, "123456", noon), tesdiq.NotFound, "cabinet.no-contact")
	is(t, "another's, again", db.Again(ctx, elcin, id, noon), tesdiq.NotFound, "cabinet.no-contact")
	is(t, "wrong", db.Confirm(ctx, nermin, id, "654321", noon), tesdiq.Refused, "cabinet.code-wrong")
	is(t, "late", db.Confirm(ctx, nermin, id, "123456", noon.Add(15*time.Minute)), tesdiq.Refused, "cabinet.code-expired")
	if current(t, db, nermin) != "none" {
		t.Error("used without its code")
	}
	if err := db.Confirm(ctx, nermin, id, "123456", noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := db.Confirm(ctx, nermin, id, "123456", noon.Add(time.Minute)); err != nil { // twice clicked
		t.Error(err)
	}
	if got := current(t, db, nermin); got != "sms +994501234567 ru, 1 in all" {
		t.Error(got)
	}
	// Back to the cabinet, and to the same number, which needs no code any more; to another person it is a new one.
	for _, c := range []struct {
		channel tesdiq.Channel
		address string
		want    string
	}{{tesdiq.CabinetOnly, "", "cabinet  en, 2 in all"}, {tesdiq.SMS, phone, "sms +994501234567 en, 3 in all"}} {
		if id, err := db.Choose(ctx, nermin, c.channel, c.address, tesdiq.En, noon); id != 0 || err != nil || current(t, db, nermin) != c.want {
			t.Errorf("%d, %v, %s", id, err, current(t, db, nermin))
		}
	}
	if id, err := db.Choose(ctx, elcin, tesdiq.SMS, phone, tesdiq.En, noon); id == 0 || err != nil {
		t.Errorf("another's number without a code: %d, %v", id, err)
	}
	// The number that was left heard of it.
	var told int
	if err := pg.Admin.QueryRow(ctx, "SELECT count(*) FROM outbox o JOIN messages m ON m.id = o.message_id WHERE m.key = 'message.channel' AND o.contact_id = $1", id).Scan(&told); err != nil || told != 1 {
		t.Errorf("%d, %v", told, err)
	}
}

func TestThereIsNoSixthGuess(t *testing.T) {
	t.Parallel()
	pg := pgtest.Open(t)
	db := cabinetdb.DB{Pool: pg.Pool(postgres.Cabinet)}
	id, err := db.Choose(t.Context(), nermin, tesdiq.Mail, "nermin@example.az", tesdiq.Az, noon)
	if err != nil {
		t.Fatal(err)
	}
	sent(t, pg, id, "123456", noon)
	var all sync.WaitGroup
	for i := range 30 { // all at once
		all.Go(func() { _ = db.Confirm(context.Background(), nermin, id, fmt.Sprintf("%06d", i), noon) })
	}
	all.Wait()
	is(t, "the right one, too late", db.Confirm(t.Context(), nermin, id, "123456", noon), tesdiq.TooMany, "cabinet.guesses")
	is(t, "another code for it", db.Again(t.Context(), nermin, id, noon), tesdiq.TooMany, "cabinet.codes-asked")
	c, err := db.Contact(t.Context(), nermin, id)
	if err != nil || c.Guesses != cabinet.MaxGuesses || c.Confirmed {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestNobodyBuriesATelephoneInCodes(t *testing.T) {
	t.Parallel()
	pg := pgtest.Open(t)
	db := cabinetdb.DB{Pool: pg.Pool(postgres.Cabinet)}
	ask := func(fin tesdiq.FIN, address string, at time.Time) (err error) {
		_, err = db.Choose(t.Context(), fin, tesdiq.SMS, address, tesdiq.Az, at)
		return err
	}
	for i := range cabinet.MaxCodesAddress { // several people, one number
		if err := ask(tesdiq.FIN(fmt.Sprintf("1KF6W%02d", i)), phone, noon); err != nil {
			t.Fatal(err)
		}
	}
	is(t, "a seventh to one number", ask(nermin, phone, noon), tesdiq.TooMany, "cabinet.codes-asked")
	for i := range cabinet.MaxCodesPerson { // one person, several numbers
		if err := ask(elcin, fmt.Sprintf("+99455000000%d", i), noon); err != nil {
			t.Fatal(err)
		}
	}
	is(t, "a seventh of one person", ask(elcin, "+994550000009", noon), tesdiq.TooMany, "cabinet.codes-asked")
	if err := ask(nermin, phone, noon.Add(25*time.Hour)); err != nil {
		t.Errorf("a day later: %v", err)
	}
}
