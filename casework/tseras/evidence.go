package tseras

import (
	"context"
	_ "embed"
	"encoding/csv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway"
)

// Registers are all that are asked for an assessment. Source: abc.az/en/news/51474 (FOUND); kinship, treating doctors
// and district decide who is not drawn, and who is registered where, which institution has to refer.
var Registers = []gateway.Register{
	gateway.Population, gateway.Relatives, gateway.Treating, gateway.Episodes, gateway.Oncology, gateway.Tuberculosis, gateway.Dialysis,
	gateway.Occupational, gateway.Vision, gateway.Contracts, gateway.Registration,
}

// ruled are the registers whose answers the rules read, by the names that the rules give them.
var ruled = map[gateway.Register]string{
	gateway.Population: "population", gateway.Episodes: "hospital", gateway.Oncology: "oncology", gateway.Tuberculosis: "tuberculosis",
	gateway.Dialysis: "dialysis", gateway.Occupational: "occupational", gateway.Vision: "vision",
}

// Outcome is what became of the question to one register.
type Outcome struct {
	Register gateway.Register `json:"register"`
	Question string           `json:"question"`       // its ID at the gateway, by which the signed exchange is found
	Answered bool             `json:"answered"`       // false: there is no answer, which is never "nothing found"
	Why      gateway.Reason   `json:"why,omitempty"`  // there is none
	At       time.Time        `json:"at"`             // the state of the register; or when it was asked in vain
	Again    time.Time        `json:"again,omitzero"` // when it is worth asking again
	Facts    gateway.Facts    `json:"facts,omitzero"`
	SHA256   string           `json:"sha256,omitempty"` // of the signed exchange, where the rules read the answer; empty where nothing was signed
}

// OutcomeOf keeps of what the gateway says what a case needs.
func OutcomeOf(o gateway.Outcome) Outcome {
	kept := Outcome{Register: o.Question.Register, Question: o.Question.ID}
	if o.Answer != nil {
		kept.Answered, kept.At, kept.Facts = true, o.Answer.AsOf, o.Answer.Facts
		if _, read := ruled[kept.Register]; read && o.Answer.Exchange.Response.Start != "" {
			kept.SHA256 = Digest256(o.Answer.Exchange.Bytes())
		}
		return kept
	}
	kept.Why, kept.At, kept.Again = o.No.Reason, o.No.Since, o.No.Next
	return kept
}

// Registry asks other agencies, each question with its retries and within a deadline; gateway.Client is one.
type Registry interface {
	Ask(ctx context.Context, questions []gateway.Question) []gateway.Outcome
}

// Ask asks for a case the registers that have not answered and may be asked (again) at a moment. A question that was asked
// in vain is asked under the same ID: it is the same question.
func Ask(ctx context.Context, r Registry, c casework.Case, e Evidence, now time.Time) []Outcome {
	var questions []gateway.Question
	for _, silent := range e.Silent() {
		if o, asked := e.Of(silent); asked && o.Again.After(now) {
			continue
		}
		questions = append(questions, gateway.Question{
			ID: gateway.IDOf(c.Number, silent, c.Subject, c.Seq), Case: c.Number, Purpose: silent.Purpose(), Register: silent, Person: c.Subject,
		})
	}
	if len(questions) == 0 {
		return nil
	}
	var kept []Outcome
	for _, o := range r.Ask(ctx, questions) {
		kept = append(kept, OutcomeOf(o))
	}
	return kept
}

// Evidence is the latest outcome of each register.
type Evidence []Outcome

// Of is the outcome of a register; false when it was not asked yet.
func (e Evidence) Of(r gateway.Register) (Outcome, bool) {
	i := slices.IndexFunc(e, func(o Outcome) bool { return o.Register == r })
	if i < 0 {
		return Outcome{}, false
	}
	return e[i], true
}

// Silent are the registers that have not answered.
func (e Evidence) Silent() []gateway.Register {
	return slices.DeleteFunc(slices.Clone(Registers), func(r gateway.Register) bool {
		o, ok := e.Of(r)
		return ok && o.Answered
	})
}

// Answers are what the rules read of the evidence, one for each register that they know.
func (e Evidence) Answers() []criteria.Answer {
	var all []criteria.Answer
	for _, r := range Registers {
		name, ok := ruled[r]
		if !ok {
			continue
		}
		a := criteria.Answer{Register: name, State: criteria.NoAnswer}
		if o, ok := e.Of(r); ok && o.Answered {
			a.On, a.Facts, a.State = tesdiq.DateOf(o.At), factsOf(o), criteria.Answered
			if len(a.Facts) == 0 {
				a.State = criteria.Nothing
			}
		}
		all = append(all, a)
	}
	return all
}

// Exchanges are the signed exchanges that the rules' answers come from, in the order of Answers: by their digests alone.
func (e Evidence) Exchanges() []criteria.Exchange {
	var all []criteria.Exchange
	for _, r := range Registers {
		if o, ok := e.Of(r); ok && o.Answered && o.SHA256 != "" {
			all = append(all, criteria.Exchange{Name: ruled[r], Type: ExchangeType, SHA256: o.SHA256})
		}
	}
	return all
}

// Causes are the acts that prove a cause.
func (e Evidence) Causes() []criteria.Proof {
	o, _ := e.Of(gateway.Occupational)
	var proofs []criteria.Proof
	for _, a := range o.Facts.Occupational {
		p := criteria.Proof{Cause: "occupational_disease", Document: "occupational_act", Issued: a.On, ICD: []string{string(a.Diagnosis)}}
		if a.Kind == "injury" {
			p.Cause, p.Document = "work_injury", "accident_act"
		}
		proofs = append(proofs, p)
	}
	return proofs
}

// Barred is who must not be drawn for a person's case: the person's and the institution's districts, the person, his
// relatives, those who referred and those who treated him.
func (e Evidence) Barred(subject tesdiq.FIN, institution District, physicians []tesdiq.FIN) Barred {
	b := Barred{People: append([]tesdiq.FIN{subject}, physicians...)}
	if institution != "" {
		b.Districts = append(b.Districts, institution)
	}
	for _, o := range e {
		for _, p := range o.Facts.Population {
			b.Districts = append(b.Districts, District(p.District))
		}
		for _, x := range o.Facts.Relatives {
			b.People = append(b.People, x.FIN)
		}
		for _, x := range o.Facts.Treating {
			b.People = append(b.People, x.Doctor)
		}
	}
	return b
}

// factRule is a line of facts.csv.
type factRule struct {
	register gateway.Register
	begins   string
	fact     string
}

//go:embed facts.csv
var factsFile string

var factRules = sync.OnceValue(func() []factRule {
	r := csv.NewReader(strings.NewReader(factsFile))
	r.Comma, r.Comment, r.FieldsPerRecord = ';', '#', 5
	lines, err := r.ReadAll()
	if err != nil {
		panic(err) // our own file; a test reads it
	}
	var all []factRule
	for _, f := range lines {
		all = append(all, factRule{gateway.Register(f[0]), f[1], f[2]})
	}
	return all
})

// factsOf is what an answer says in the words of the rules.
func factsOf(o Outcome) (facts []criteria.Fact) {
	add := func(fact string, d gateway.Diagnosis, since, until tesdiq.Date) {
		facts = append(facts, criteria.Fact{Fact: fact, ICD: string(d), Since: since, Until: until})
	}
	f := o.Facts
	for _, e := range f.Episodes {
		for _, d := range append([]gateway.Diagnosis{e.Main}, e.Secondary...) {
			add("diagnosis", d, e.Admitted, tesdiq.Date{})
			for _, r := range factRules() {
				if r.register == gateway.Episodes && strings.HasPrefix(string(d), r.begins) {
					add(r.fact, d, e.Admitted, tesdiq.Date{})
				}
			}
		}
	}
	for _, t := range f.Oncology {
		switch {
		case !t.Remission.IsZero():
		case t.Stage == "IV":
			add("stage_4", t.Diagnosis, t.StagedOn, tesdiq.Date{})
		default:
			add("diagnosis", t.Diagnosis, t.Diagnosed, tesdiq.Date{})
		}
	}
	for _, i := range f.Tuberculosis {
		switch {
		case i.Outcome == "cured" || i.Outcome == "completed":
		case i.Resistance == "multi" || i.Resistance == "extensive":
			add("drug_resistant", i.Diagnosis, i.Registered, tesdiq.Date{})
		default:
			add("diagnosis", i.Diagnosis, i.Registered, tesdiq.Date{})
		}
	}
	for _, c := range f.Dialysis {
		add("chronic_dialysis", c.Diagnosis, c.Began, c.Ended)
	}
	for _, a := range f.Occupational {
		add("diagnosis", a.Diagnosis, a.On, a.Until)
	}
	for _, s := range f.Vision {
		add("diagnosis", s.Diagnosis, s.On, tesdiq.Date{})
		if s.Lasting && max(s.Right.Acuity, s.Left.Acuity) <= blindAcuity {
			add("irreversible_blindness", s.Diagnosis, s.On, tesdiq.Date{})
		}
	}
	return facts
}

// blindAcuity is the highest acuity of the better eye, in hundredths, of the gravest grade: 0.04–0 (grades.csv).
const blindAcuity = 4
