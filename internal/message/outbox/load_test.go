package outbox_test

import (
	"testing"
	"time"
)

// A day's decisions at once: most people want no more than the cabinet, and the others' SMS go as fast as the centre takes them.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	w := open(t, nil)
	const quiet, chosen = 5000, 400
	_, err := w.db.Admin.Exec(t.Context(), `
		WITH m AS (INSERT INTO messages (fin, key, args, sent_at) SELECT 'Q' || n, 'message.entry', '{}', $1 FROM generate_series(1, $2::int) n RETURNING id)
		INSERT INTO outbox (message_id, at, due_at) SELECT id, $1, $1 FROM m`, w.clock(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	w.await("that nobody else is told", func() bool {
		var open int
		w.db.Admin.QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE due_at IS NOT NULL").Scan(&open)
		return open == 0
	})
	t.Logf("%.0f a second that stay in the cabinet", quiet/time.Since(begin).Seconds())
	_, err = w.db.Admin.Exec(t.Context(), `
		WITH c AS (INSERT INTO contacts (fin, channel, address, lang, given_at) SELECT 'C' || n, 'sms', '+99450' || (1000000 + n), 'en', $1 FROM generate_series(1, $2::int) n RETURNING id, fin, channel),
		k AS (INSERT INTO contact_confirmations (contact_id, fin, channel, confirmed_at) SELECT id, fin, channel, $1 FROM c),
		h AS (INSERT INTO channel_choices (fin, channel, contact_id, lang, chosen_at) SELECT fin, channel, id, 'en', $1 FROM c),
		m AS (INSERT INTO messages (fin, key, args, sent_at) SELECT fin, 'message.entry', '{}', $1 FROM c RETURNING id)
		INSERT INTO outbox (message_id, at, due_at) SELECT id, $1, $1 FROM m`, w.clock(), chosen)
	if err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	w.await("every receipt", func() bool {
		var delivered int
		w.db.Admin.QueryRow(t.Context(), "SELECT count(*) FROM dispatch_events WHERE event = 'delivered'").Scan(&delivered)
		return delivered == chosen
	})
	t.Logf("%.0f SMS a second, receipts and all", chosen/time.Since(begin).Seconds())
	if n := len(w.arrived()); n != chosen {
		t.Errorf("%d SMS for %d messages", n, chosen)
	}
	if texts := w.arrived(); texts[0].Text != "There is a new entry about you. You can see it in your cabinet. 142" {
		t.Errorf("%+v", texts[0])
	}
	var nobody string
	if err := w.db.Admin.QueryRow(t.Context(), "SELECT coalesce(min(outcome), '') || coalesce(max(outcome), '') FROM outbox_ends e JOIN outbox o ON o.id = e.outbox_id JOIN messages m ON m.id = o.message_id WHERE m.fin LIKE 'Q%'").Scan(&nobody); err != nil || nobody != "nonenone" {
		t.Errorf("%s, %v", nobody, err)
	}
}
