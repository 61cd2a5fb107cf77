package tserasdb_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/simulate"
)

// The step that draws a commission, and so the ledger, commits to what the commission is shown: of an assessment, of an appeal, and where another
// commission is shown it anew. Whoever changes that afterwards is found, and no member can read what hides it.
func TestWhatACommissionWasShownStandsInTheLedger(t *testing.T) {
	w := newWorld(t)
	var entries int64
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT max(id) FROM entries`).Scan(&entries))
	first := w.decided(3)
	s := w.appealed(first)
	for _, number := range []string{first.Number, s.Number} {
		var salt, text []byte
		w.must(w.db.Admin.QueryRow(t.Context(), `SELECT b.salt, b.referral FROM tseras_blind b JOIN cases c ON c.id = b.case_id WHERE c.number = $1`, number).Scan(&salt, &text))
		var blind tseras.BlindReferral
		w.must(json.Unmarshal(text, &blind))
		commitment, err := blind.Commitment(salt)
		w.must(err)
		for _, x := range w.state(first.Subject, number).Steps {
			if said := x.Args[tseras.StepShown]; (x.What == "drawn") != (said == hex.EncodeToString(commitment[:])) {
				t.Errorf("%s, %s commits to %q", number, x.What, said)
			}
		}
		for fin := range w.seats(w.blind(number)) {
			seat, err := w.bench.Open(t.Context(), fin, w.blind(number))
			w.must(err)
			read, err := json.Marshal(seat)
			w.must(err)
			if strings.Contains(string(read), hex.EncodeToString(commitment[:])) {
				t.Errorf("%s reads the commitment", fin)
			}
		}
	}
	w.refusedBy(postgres.Commission, "reads a salt", `SELECT salt FROM tseras_blind`)
	w.refusedBy(postgres.Commission, "reads a later salt", `SELECT salt FROM tseras_blind_anew`)
	if n := w.count(`SELECT count(*) FROM messages WHERE args ? 'Shown'`); n != 0 {
		t.Errorf("%d messages tell of it", n)
	}

	audited := func() string {
		_, wrong, err := simulate.Audit(t.Context(), w.db.Admin, entries, func(string) {})
		w.must(err)
		return strings.Join(wrong, "\n")
	}
	if wrong := audited(); wrong != "" {
		t.Errorf("before anything is changed: %s", wrong)
	}
	_, err := w.db.Admin.Exec(t.Context(), `UPDATE tseras_blind SET referral = jsonb_set(referral, '{inpatient}', '99') WHERE number = $1`, w.blind(s.Number))
	w.must(err)
	if wrong := audited(); !strings.Contains(wrong, "1 commissions were shown something else") {
		t.Errorf("after: %s", wrong)
	}
}
