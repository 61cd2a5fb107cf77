package tserasdb_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
)

func (w *world) correct() {
	w.Helper()
	_, err := tserasdb.Corrector{Desk: w.desk, Registers: w.gatherer.Registers}.Correct(w.Context())
	w.must(err)
}

func TestACorrectedRegisterIsAskedAgain(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("nermin")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	if _, err := w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Episodes, "never-was", "Orada müalicə almamışam", by, "early"); !errors.Is(err, casework.ErrState) {
		t.Errorf("a register that has not answered: %v", err)
	}
	w.work()
	before := w.expect(fin, c.Number, tseras.AwaitingReferral)
	if o, _ := before.Evidence.Of(gateway.Episodes); len(o.Facts.Episodes) == 0 {
		t.Fatal("the register has nothing that could be wrong")
	}
	other, _ := subject("sevinc")
	if _, err := w.desk.AskCorrection(t.Context(), other, c.Number, gateway.Episodes, "never-was", "Yox", by, "foreign"); !errors.Is(err, casework.ErrMissing) {
		t.Errorf("another's case: %v", err)
	}
	if _, err := w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Episodes, "all", "", by, "bad"); err == nil || err.Error() != "wrong: tseras.correction.wrong; words: text.missing" {
		t.Errorf("%v", err)
	}
	var k casework.Case
	for range 2 {
		k, err = w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Episodes, "never-was", "Orada müalicə almamışam", by, "form-2")
		w.must(err)
	}
	if _, err := w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Episodes, "date", "Tarix səhvdir", by, "form-3"); !errors.Is(err, casework.ErrOpen) {
		t.Errorf("a second one for the same register: %v", err)
	}
	// The agency is silent, then needs time, then corrects.
	w.agencies.SetFaults([]agencies.Fault{{Kind: agencies.BadSignature}})
	w.correct()
	if s := w.expect(fin, k.Number, tseras.Asked); s.Correction.Answered || s.Correction.Reason != string(gateway.BadSignature) || s.Correction.Again.IsZero() || s.Clock.DueBy.IsZero() {
		t.Errorf("%+v", s.Correction)
	}
	w.later += 4 * time.Hour
	w.agencies.SetFaults([]agencies.Fault{{Kind: agencies.Later}})
	w.correct()
	w.correct() // it is not asked before the day that it named
	if s := w.expect(fin, k.Number, tseras.Asked); s.Correction.Outcome != gateway.RuledLater || s.Correction.Asked != 2 {
		t.Errorf("%+v", s.Correction)
	}
	w.later += 4 * 24 * time.Hour
	w.agencies.SetFaults(nil)
	w.correct()
	if s := w.expect(fin, k.Number, tseras.Corrected); !s.Correction.Reopened || s.Correction.Outcome != gateway.RuledCorrected || s.Clock.Turn != casework.Nobody {
		t.Errorf("%+v", s.Correction)
	}
	if s := w.expect(fin, c.Number, tseras.Gathering); s.Steps[len(s.Steps)-1].What != tseras.StepRegisterCorrected {
		t.Errorf("%+v", s.Steps)
	}
	w.work()
	s := w.expect(fin, c.Number, tseras.AwaitingReferral)
	if o, _ := s.Evidence.Of(gateway.Episodes); !o.Answered || len(o.Facts.Episodes) != 0 {
		t.Errorf("it says still: %+v", o)
	}
}

func TestARefusedCorrectionOfADecidedCase(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	w.expect(fin, c.Number, tseras.Decided)
	k, err := w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Contracts, "missing", "İş yerim yoxdur siyahıda", by, "form-2")
	w.must(err)
	w.correct()
	s := w.expect(fin, k.Number, tseras.Refused)
	if s.Correction.Reason != "no-proof" || s.Correction.Until.IsZero() || s.Correction.About != c.Number {
		t.Errorf("%+v", s.Correction)
	}
	// The step, and with it the ledger, commits to what was asked, and does not say the words again.
	digest := sha256.Sum256([]byte("İş yerim yoxdur siyahıda"))
	want := map[string]string{"About": c.Number, "Register": "contracts", "Wrong": "missing", "Words": hex.EncodeToString(digest[:])}
	if !maps.Equal(s.Steps[0].Args, want) {
		t.Errorf("the first step says %v", s.Steps[0].Args)
	}
	k, err = w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Contracts, "date", "Tarix səhvdir", by, "form-3")
	w.must(err)
	w.must(w.desk.Withdraw(t.Context(), fin, k.Number, by))
	w.correct()
	w.expect(fin, k.Number, tseras.Withdrawn)
	w.expect(fin, c.Number, tseras.Decided)
}

// odd answers the first question with nothing that can be read, and no other.
type odd struct{ first tesdiq.FIN }

func (o odd) Ask(_ context.Context, all []gateway.Question) (out []gateway.Outcome) {
	for _, q := range all {
		x := gateway.Outcome{Question: q, No: &gateway.NoAnswer{Reason: gateway.BadSignature, Since: time.Now(), Next: time.Now().Add(time.Hour)}}
		if q.Person == o.first {
			x = gateway.Outcome{Question: q, Answer: &gateway.Answer{}}
		}
		out = append(out, x)
	}
	return out
}

func TestACorrectionThatFailsKeepsNobodyWaiting(t *testing.T) {
	tserasdb.SmallBatches(t)
	w := newWorld(t)
	var first tesdiq.FIN
	for _, who := range []string{"nermin", "elcin"} {
		fin, by := subject(who)
		c, err := w.desk.Apply(t.Context(), fin, by, "form")
		w.must(err)
		w.work()
		_, err = w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Population, "other", "Ünvanım başqadır", by, "form-2")
		w.must(err)
		if first == "" {
			first = fin
		}
	}
	n, err := tserasdb.Corrector{Desk: w.desk, Registers: odd{first}}.Correct(t.Context())
	if n != 1 || err == nil {
		t.Errorf("%d were asked for, %v; want the second, and what is wrong with the first", n, err)
	}
	var asked int
	w.must(w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM tseras_correction_outcomes`).Scan(&asked))
	if asked != 1 {
		t.Errorf("%d outcomes", asked)
	}
}
