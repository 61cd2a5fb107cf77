package tserasdb_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/people"
)

// named are the answers that a decided case's package has to name, by the digests of what was exchanged.
func (w *world) named(s tseras.Shown, askedFor string) (all []criteria.Exchange) {
	w.Helper()
	for _, x := range []struct {
		register gateway.Register
		name     string
	}{
		{gateway.Population, "population"}, {gateway.Episodes, "hospital"}, {gateway.Oncology, "oncology"}, {gateway.Tuberculosis, "tuberculosis"},
		{gateway.Dialysis, "dialysis"}, {gateway.Occupational, "occupational"}, {gateway.Vision, "vision"},
	} {
		o, _ := s.Evidence.Of(x.register)
		exchange, err := w.log.Evidence(w.Context(), askedFor, o.Question)
		w.must(err)
		all = append(all, criteria.Exchange{Name: x.name, Type: tseras.ExchangeType, SHA256: tseras.Digest256(exchange), Bytes: exchange})
	}
	return all
}

// enclosed holds the person's own form of a case's package to what was exchanged for a case.
func (w *world) enclosed(s tseras.Shown, askedFor string) {
	w.Helper()
	file, err := s.Enclosed(w.Context(), w.log)
	w.must(err)
	p, err := criteria.ReadPackage(file)
	w.must(err)
	same := func(a, b criteria.Exchange) bool {
		return a.Name == b.Name && a.Type == b.Type && a.SHA256 == b.SHA256 && bytes.Equal(a.Bytes, b.Bytes) && a.Stamp == nil
	}
	if want := w.named(s, askedFor); !slices.EqualFunc(p.Answers, want, same) {
		w.Errorf("%s encloses %+v, want %+v", s.Number, p.Answers, want)
	}
	if !bytes.Equal(p.Committed().Bytes(), s.Package) || bytes.Equal(file, s.Package) {
		w.Errorf("%s: without what is only enclosed it is not what is stored", s.Number)
	}
	if bytes.Contains(s.Package, []byte(s.Subject)) || bytes.Contains(s.Package, []byte(`"bytes":"ey`)) && len(p.Signatures) == 0 {
		w.Errorf("%s: what is stored names the person, or holds answers", s.Number)
	}
	if _, _, err := p.Again(); err != nil {
		w.Errorf("%s: %v", s.Number, err)
	}
}

// What a commission's decision rests on is named in its package, in the order of the registers; who is related and who treated is not.
// An appeal rests on the same answers, under its own number.
func TestAPackageNamesWhatRegistersSigned(t *testing.T) {
	w := newWorld(t)
	first := w.decided(3)
	w.enclosed(first, first.Number)
	for _, r := range []gateway.Register{gateway.Relatives, gateway.Treating, gateway.Contracts, gateway.Registration} {
		if o, ok := first.Evidence.Of(r); !ok || !o.Answered || o.SHA256 != "" {
			t.Errorf("%s: %+v", r, o)
		}
	}
	s := w.appealed(first)
	w.meets(s)
	w.decide(first.Subject, s.Number, 3)
	done := w.expect(first.Subject, s.Number, tseras.Decided)
	w.enclosed(done, first.Number)

	// What is kept is another exchange than was decided by: nothing is handed out.
	o, _ := first.Evidence.Of(gateway.Dialysis)
	exchange, err := w.log.Evidence(t.Context(), first.Number, o.Question)
	w.must(err)
	w.log.exchanged.Store(first.Number+" "+o.Question, bytes.Replace(exchange, []byte(`"received_at":"20`), []byte(`"received_at":"21`), 1))
	if _, err := first.Enclosed(t.Context(), w.log); err == nil || !strings.Contains(err.Error(), "dialysis") {
		t.Errorf("another exchange is enclosed: %v", err)
	}
	w.log.exchanged.Delete(first.Number + " " + o.Question)
	if _, err := first.Enclosed(t.Context(), w.log); err == nil {
		t.Error("a missing exchange is passed over")
	}
}

// After a correction all registers are asked again: what they said then is named, and nothing of before.
func TestAPackageNamesTheLatestAnswers(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("nermin")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	before := w.expect(fin, c.Number, tseras.AwaitingReferral)
	_, err = w.desk.AskCorrection(t.Context(), fin, c.Number, gateway.Episodes, "never-was", "Orada müalicə almamışam", by, "form-2")
	w.must(err)
	w.correct()
	w.work()
	w.expect(fin, c.Number, tseras.AwaitingReferral)
	_, err = w.desk.Refer(t.Context(), w.from, w.referral("nermin"), "signed")
	w.must(err)
	w.work()
	w.work()
	w.decide(fin, c.Number, 3)
	done := w.expect(fin, c.Number, tseras.Decided)
	w.enclosed(done, c.Number)
	for _, a := range w.named(before, c.Number) {
		if bytes.Contains(done.Package, []byte(a.SHA256)) {
			t.Errorf("%s: what it said before the correction is named", a.Name)
		}
	}
}

// What nobody signed is not named: a register that answers without an exchange leaves the list as it is.
func TestAnAnswerWithoutAnExchangeIsNotNamed(t *testing.T) {
	o := tseras.OutcomeOf(gateway.Outcome{Question: gateway.Question{ID: "1", Register: gateway.Dialysis}, Answer: &gateway.Answer{}})
	if o.SHA256 != "" || len(tseras.Evidence{o}.Exchanges()) != 0 {
		t.Errorf("%+v", o)
	}
	text, err := json.Marshal(o)
	if err != nil || strings.Contains(string(text), "sha256") {
		t.Errorf("%s, %v", text, err)
	}
}

// Follows holds what was decided by to what was answered, about one person, for one case.
func TestWhatWasDecidedByFollowsFromTheAnswers(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	s := w.expect(fin, c.Number, tseras.Decided)
	w.enclosed(s, c.Number)
	p, err := criteria.ReadPackage(s.Package)
	w.must(err)
	in, _, err := p.Again()
	w.must(err)
	answers := map[string]gateway.Verified{}
	for r, name := range map[gateway.Register]string{gateway.Population: "population", gateway.Episodes: "hospital", gateway.Occupational: "occupational", gateway.Dialysis: "dialysis"} {
		o, _ := s.Evidence.Of(r)
		answers[name] = gateway.Verified{Question: gateway.Question{ID: o.Question, Register: r, Person: fin, Case: c.Number}, Answer: gateway.Answer{AsOf: o.At, Facts: o.Facts}}
	}
	if name, ok := tseras.Follows(in, answers); !ok {
		t.Fatal(name)
	}
	for what, change := range map[string]struct {
		name string
		do   func(*gateway.Verified)
	}{
		"another person":   {"population", func(v *gateway.Verified) { v.Question.Person = people.Who("elcin").FIN }},
		"another case":     {"population", func(v *gateway.Verified) { v.Question.Case = "T-2020-000001" }},
		"another register": {"dialysis", func(v *gateway.Verified) { v.Question.Register = gateway.Vision }},
		"another day":      {"hospital", func(v *gateway.Verified) { v.Answer.AsOf = v.Answer.AsOf.AddDate(0, 0, -2) }},
		"other facts": {"dialysis", func(v *gateway.Verified) {
			v.Answer.Facts.Dialysis = append(v.Answer.Facts.Dialysis, gateway.Course{Diagnosis: "N18.5", Began: tesdiq.DateOf(w.now()).AddDays(-9)})
		}},
		"a cause": {"occupational", func(v *gateway.Verified) {
			v.Answer.Facts.Occupational = []gateway.Act{{Kind: "injury", On: tesdiq.DateOf(w.now()).AddDays(-9)}}
		}},
	} {
		v := answers[change.name]
		good := v
		change.do(&v)
		answers[change.name] = v
		if _, ok := tseras.Follows(in, answers); ok {
			t.Errorf("%s is not noticed", what)
		}
		answers[change.name] = good
	}
}
