package message_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq/internal/message"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStatements(t *testing.T) { pgtest.PrepareAll(t, pgtest.Open(t), postgres.Cabinet) }

var at = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// Every role that tells people of a change may say so aloud, and none learns where to.
func TestAMessageGoesOutIfAndOnlyIfTheChangeCommits(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	broken := errors.New("the change is not made")
	for _, role := range []postgres.Role{postgres.Registry, postgres.Issuer, postgres.Verifier, postgres.Operator, postgres.Cabinet} {
		for _, failure := range []error{nil, broken} {
			err := pgx.BeginFunc(t.Context(), db.Pool(role), func(tx pgx.Tx) error {
				err := message.Send(t.Context(), tx,
					message.Message{To: "5NQ7K2M", Key: "message.entry", At: at, Aloud: true},
					message.Message{To: "5NQ7K2M", Key: "message.check", At: at},
					message.Message{To: "4CM9J7S", Key: "message.entry", At: at.Add(time.Second), Aloud: true})
				return errors.Join(err, failure)
			})
			if !errors.Is(err, failure) {
				t.Fatalf("%s: %v", role, err)
			}
		}
		var messages, aloud, quiet int
		err := db.Admin.QueryRow(t.Context(), `
			SELECT count(*), count(*) FILTER (WHERE m.key = 'message.entry' AND o.due_at = m.sent_at), count(*) FILTER (WHERE m.key = 'message.check' AND o.id IS NULL)
			FROM messages m LEFT JOIN outbox o ON o.message_id = m.id`).Scan(&messages, &aloud, &quiet)
		if err != nil || messages != 3 || aloud != 2 || quiet != 1 {
			t.Errorf("%s: %d messages, %d in the outbox, %d only in the cabinet, %v", role, messages, aloud, quiet, err)
		}
		if _, err := db.Admin.Exec(t.Context(), "TRUNCATE outbox, messages CASCADE"); err != nil {
			t.Fatal(err)
		}
		if role != postgres.Cabinet {
			if _, err := db.Pool(role).Exec(t.Context(), "SELECT address FROM contacts"); err == nil {
				t.Errorf("%s reads addresses", role)
			}
		}
	}
}

func TestNobodyChoosesAnAddressThatIsNotHisAndConfirmed(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t)
	do := func(statement string, args ...any) error {
		_, err := db.Pool(postgres.Cabinet).Exec(t.Context(), statement, args...)
		return err
	}
	const choose = "INSERT INTO channel_choices (fin, channel, contact_id, lang, chosen_at) VALUES ($1, $2, $3, 'az', $4)"
	var id int64
	err := db.Pool(postgres.Cabinet).QueryRow(t.Context(),
		"INSERT INTO contacts (fin, channel, address, lang, given_at) VALUES ('5NQ7K2M', 'sms', '+994501234567', 'az', $1) RETURNING id", at).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	if do(choose, "5NQ7K2M", "sms", id, at) == nil {
		t.Error("an unconfirmed address was chosen")
	}
	if err := do("INSERT INTO contact_confirmations (contact_id, fin, channel, confirmed_at) VALUES ($1, '5NQ7K2M', 'sms', $2)", id, at); err != nil {
		t.Fatal(err)
	}
	if do(choose, "4CM9J7S", "sms", id, at) == nil || do(choose, "5NQ7K2M", "email", id, at) == nil || do(choose, "5NQ7K2M", "cabinet", id, at) == nil {
		t.Error("another's address was chosen, or one of another channel")
	}
	if err := do(choose, "5NQ7K2M", "sms", id, at); err != nil {
		t.Error(err)
	}
	for _, address := range []string{"+99450123456", "0501234567", "+994501234567\n", "x"} {
		if do("INSERT INTO contacts (fin, channel, address, lang, given_at) VALUES ('5NQ7K2M', 'sms', $1, 'az', $2)", address, at) == nil {
			t.Errorf("%q was taken", address)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := pgx.BeginFunc(ctx, db.Pool(postgres.Cabinet), func(tx pgx.Tx) error { return message.SendCode(ctx, tx, id, at) }); err != nil {
		t.Error(err)
	}
}
