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
	nameless, err := s.Nameless()
	w.must(err)
	kept, err := criteria.ReadPackage(s.Package)
	w.must(err)
	if !bytes.Equal(p.Committed().Bytes(), nameless) || !bytes.Equal(kept.Committed().Bytes(), nameless) || bytes.Equal(file, nameless) {
		w.Errorf("%s: what is kept, what is enclosed and what is nameless come to different bytes", s.Number)
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

// CheckAnswers holds what was decided by to what was answered, about one person, for one case, by every register that a decision rests on. What is
// forged here is forged whole: the rules decide by it, and the package says what they say.
func TestWhatWasDecidedByFollowsFromTheAnswers(t *testing.T) {
	w := newWorld(t)
	fin, by := subject("sevinc")
	c, err := w.desk.Apply(t.Context(), fin, by, "form-1")
	w.must(err)
	w.work()
	s := w.expect(fin, c.Number, tseras.Decided)
	w.enclosed(s, c.Number)
	genuine, err := criteria.ReadPackage(s.Package)
	w.must(err)
	input, _, err := genuine.Again()
	w.must(err)
	registers := map[string]gateway.Register{
		"population": gateway.Population, "hospital": gateway.Episodes, "occupational": gateway.Occupational, "dialysis": gateway.Dialysis,
		"oncology": gateway.Oncology, "tuberculosis": gateway.Tuberculosis, "vision": gateway.Vision,
	}
	answered := func() map[string]gateway.Verified {
		all := map[string]gateway.Verified{}
		for name, r := range registers {
			o, _ := s.Evidence.Of(r)
			all[name] = gateway.Verified{Question: gateway.Question{ID: o.Question, Register: r, Person: fin, Case: c.Number}, Answer: gateway.Answer{AsOf: o.At, Facts: o.Facts}}
		}
		return all
	}
	if err := tseras.CheckAnswers(genuine, input, answered()); err != nil {
		t.Fatal(err)
	}
	// decided is a commission's package by an input that somebody has made up, which is decided again to the same bytes.
	decided := func(change func(*criteria.Input)) (criteria.Package, criteria.Input) {
		t.Helper()
		in := input
		in.Evidence, in.Causes = slices.Clone(in.Evidence), slices.Clone(in.Causes)
		in.Findings = findings("joints-rheumatoid", 4)
		change(&in)
		r, err := criteria.Decide(in)
		w.must(err)
		p, err := criteria.ReadPackage(criteria.Pack(c.Number, in, r).Bytes())
		w.must(err)
		in, _, err = p.Again()
		w.must(err)
		return p, in
	}
	without := func(name string) func(*criteria.Input) {
		return func(in *criteria.Input) {
			in.Evidence = slices.DeleteFunc(in.Evidence, func(a criteria.Answer) bool { return a.Register == name })
		}
	}
	work := criteria.Proof{Cause: "work_injury", Document: "accident_act", Issued: tesdiq.DateOf(w.now()).AddDays(-9)}
	leaveOut := func(names ...string) func(map[string]gateway.Verified) {
		return func(all map[string]gateway.Verified) {
			for _, name := range names {
				delete(all, name)
			}
		}
	}
	same := func(map[string]gateway.Verified) {}
	every := []string{"dialysis", "hospital", "occupational", "oncology", "population", "tuberculosis", "vision"}
	for what, c := range map[string]struct {
		change  func(*criteria.Input)
		answers func(map[string]gateway.Verified)
		says    string
	}{
		"as it was": {func(*criteria.Input) {}, same, ""},
		"no evidence and no answer": {func(in *criteria.Input) { in.Evidence = nil }, leaveOut(every...),
			"dialysis: NOT verified: a decision rests on what this register answered, and in the package it stands 0 times"},
		"one register and its answer left out": {without("oncology"), leaveOut("oncology"), "oncology: NOT verified: a decision rests on"},
		"a register silent, its answer left out": {func(in *criteria.Input) {
			without("dialysis")(in)
			in.Evidence = append(in.Evidence, criteria.Answer{Register: "dialysis", State: criteria.NoAnswer})
		}, leaveOut("dialysis"), "dialysis: NOT verified: it did not answer"},
		"all silent": {func(in *criteria.Input) {
			in.Evidence = nil
			for _, name := range every {
				in.Evidence = append(in.Evidence, criteria.Answer{Register: name, State: criteria.NoAnswer})
			}
		}, leaveOut(every...), "dialysis: NOT verified: it did not answer"},
		"a cause, and the register that tells of it left out": {func(in *criteria.Input) {
			without("occupational")(in)
			in.Causes = []criteria.Proof{work}
		}, leaveOut("occupational"), "occupational: NOT verified: a decision rests on"},
		"a cause that nobody told of": {func(in *criteria.Input) { in.Causes = []criteria.Proof{work} }, same, "occupational: the causes"},
		"a register that is none, silent": {func(in *criteria.Input) {
			in.Evidence = append(in.Evidence, criteria.Answer{Register: "x\nWhat was decided by follows", State: criteria.NoAnswer})
		}, same, `"x\nWhat was decided by follows": NOT verified`},
		"a register that is none": {func(in *criteria.Input) {
			in.Evidence = append(in.Evidence, criteria.Answer{Register: "kin", State: criteria.Nothing, On: in.DecidedOn})
		}, same, `"kin": NOT verified: it was decided by its answer`},
	} {
		p, in := decided(c.change)
		answers := answered()
		c.answers(answers)
		if err := tseras.CheckAnswers(p, in, answers); (err == nil) != (c.says == "") || err != nil && !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%s: %v, wants %q", what, err, c.says)
		}
	}
	for what, c := range map[string]struct {
		name string
		do   func(*gateway.Verified)
		says string
	}{
		"another person":   {"population", func(v *gateway.Verified) { v.Question.Person = people.Who("elcin").FIN }, "population: NOT verified: it answered about another person"},
		"another case":     {"population", func(v *gateway.Verified) { v.Question.Case = "T-2020-000001" }, `population: NOT verified: it answered for case "T-2020-000001"`},
		"another register": {"dialysis", func(v *gateway.Verified) { v.Question.Register = gateway.Vision }, "dialysis: what was decided by"},
		"another day":      {"hospital", func(v *gateway.Verified) { v.Answer.AsOf = v.Answer.AsOf.AddDate(0, 0, -2) }, "hospital: what was decided by"},
		"other facts": {"dialysis", func(v *gateway.Verified) {
			v.Answer.Facts.Dialysis = append(v.Answer.Facts.Dialysis, gateway.Course{Diagnosis: "N18.5", Began: tesdiq.DateOf(w.now()).AddDays(-9)})
		}, "dialysis: what was decided by"},
		"a cause": {"occupational", func(v *gateway.Verified) {
			v.Answer.Facts.Occupational = []gateway.Act{{Kind: "injury", On: tesdiq.DateOf(w.now()).AddDays(-9)}}
		}, "occupational: "},
	} {
		answers := answered()
		v := answers[c.name]
		c.do(&v)
		answers[c.name] = v
		if err := tseras.CheckAnswers(genuine, input, answers); err == nil || !strings.HasPrefix(err.Error(), c.says) {
			t.Errorf("%s: %v, wants %q", what, err, c.says)
		}
	}
	// The answers are of another case than the package is of; or it is of none.
	for number, says := range map[string]string{"T-2020-000001": "dialysis: NOT verified: it answered for case", "": "NOT verified: the package bears no case number"} {
		p := genuine
		p.Case = number
		if err := tseras.CheckAnswers(p, input, answered()); err == nil || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%q: %v, wants %q", number, err, says)
		}
	}
}

// The rules name the registers that a decision rests on, and the registers whose answers the rules read are these, on every day on which anything is decided.
func TestTheRulesRestOnTheRegistersThatAreAsked(t *testing.T) {
	var read []string
	for _, a := range (tseras.Evidence{}).Answers() {
		read = append(read, a.Register)
	}
	slices.Sort(read)
	for _, rules := range criteria.Versions() {
		for _, on := range []string{"2015-12-30", "2022-06-30", "2022-07-01", "2026-11-22", "2040-01-01"} {
			if rests := rules.RestsOn(tesdiq.MustDate(on)); !slices.Equal(rests, read) {
				t.Errorf("%s on %s: %v, read are %v", rules.Version, on, rests, read)
			}
		}
		if rests := rules.RestsOn(tesdiq.MustDate("2015-12-29")); len(rests) > 0 {
			t.Errorf("before anything is decided: %v", rests)
		}
	}
}
