package tseras

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway"
)

// ExchangeType is the media type of a gateway.Exchange's bytes.
const ExchangeType = "application/vnd.tesdiq.exchange-1+json"

// Exchanges gives the captured exchange of a question that was asked for a case, as `tesdiq gateway verify` takes it; the bare
// exchange where there is no time stamp yet. gatewaydb.Log is one.
type Exchanges interface {
	Evidence(ctx context.Context, caseNumber, question string) ([]byte, error)
}

// Nameless is the package of a decided case as committed: what was decided and by what, and of signatures and answers the digests. It names nobody.
func (s Shown) Nameless() ([]byte, error) {
	p, err := s.committed()
	if err != nil {
		return nil, err
	}
	return p.Bytes(), nil
}

// committed is the stored package without what names its signers. Nothing is handed out of one that is not in its canonical form: what is left of it would
// not be what the digests of others are of.
func (s Shown) committed() (criteria.Package, error) {
	p, err := criteria.ReadPackage(s.Package)
	if err != nil {
		return criteria.Package{}, err
	}
	if !bytes.Equal(p.Bytes(), s.Package) {
		return criteria.Package{}, fmt.Errorf("tseras: package of %s is not in its canonical form", s.Number)
	}
	return p.Committed(), nil
}

// Enclosed is the package of a decided case with the answers that it names enclosed, for the person. Without them it is Nameless, byte
// for byte. What cannot be enclosed is an error.
func (s Shown) Enclosed(ctx context.Context, from Exchanges) ([]byte, error) {
	p, err := s.committed()
	if err != nil {
		return nil, err
	}
	askedFor := s.Number
	if s.First != nil { // an appeal rests on what was asked for the case that it is about
		askedFor = s.First.Number
	}
	for i := range p.Answers {
		a := &p.Answers[i]
		of := slices.IndexFunc(s.Evidence, func(o Outcome) bool { return o.SHA256 == a.SHA256 })
		if of < 0 {
			return nil, fmt.Errorf("tseras: package of %s: nobody answered what it names of %s", s.Number, a.Name)
		}
		file, err := from.Evidence(ctx, askedFor, s.Evidence[of].Question)
		if err != nil {
			return nil, fmt.Errorf("tseras: package of %s: %s: %w", s.Number, a.Name, err)
		}
		if err := enclose(a, file); err != nil {
			return nil, fmt.Errorf("tseras: package of %s: %s: %w", s.Number, a.Name, err)
		}
	}
	return p.Bytes(), nil
}

// enclose puts a captured exchange into an answer that names it.
func enclose(a *criteria.Exchange, file []byte) error {
	if a.Bytes = file; !gateway.IsExchange(file) {
		e, err := gateway.ParseEvidence(file)
		if err != nil {
			return err
		}
		if a.Stamp, err = json.Marshal(e.Stamp); err != nil {
			return err
		}
		a.Bytes = e.Exchange.Bytes()
	}
	if Digest256(a.Bytes) != a.SHA256 {
		return errors.New("the kept exchange is another than was decided by")
	}
	return nil
}

// Captured is an enclosed answer as `tesdiq gateway verify` takes it: with its time stamp, and bare where it has none. It judges nothing.
func Captured(a criteria.Exchange) ([]byte, error) {
	x, err := gateway.ParseExchange(a.Bytes)
	if err != nil || a.Stamp == nil {
		return a.Bytes, err
	}
	e := gateway.Evidence{Exchange: x}
	if err := json.Unmarshal(a.Stamp, &e.Stamp); err != nil {
		return nil, fmt.Errorf("tseras: time stamp of %s: %w", a.Name, err)
	}
	return e.Bytes(), nil
}

// CheckSigned is nil where a package's signatures are over itself, as it says, or where it does not say over what they are. It looks at no signature.
func CheckSigned(p criteria.Package) error {
	if p.Signed == nil {
		return nil
	}
	salt, err := hex.DecodeString(p.Signed.Salt)
	if err != nil {
		return fmt.Errorf("tseras: salt: %w", err)
	}
	if over := Digest(salt, p.Proposed().Bytes()); hex.EncodeToString(over[:]) != p.Signed.Over {
		return errors.New("NOT as signed: the signatures are over another package: what was signed has another digest")
	}
	return nil
}

// CheckAnswers is nil where a package was decided by what registers answered, and by nothing else. answers are those that are enclosed and verified,
// by the names that the rules give their registers. Each register that the decision rests on stands in the input once, has answered and is among them;
// all were asked about one person, for the case of the package or for the one that it is about; what the rules read of each is what went in, and causes
// are those that the register of occupational diseases told. The error is for whoever checks, and names the register.
func CheckAnswers(p criteria.Package, in criteria.Input, answers map[string]gateway.Verified) error {
	rules, err := criteria.ByVersion(p.Rules)
	if err != nil {
		return err
	}
	rests := rules.RestsOn(in.CaseOn)
	if len(rests) == 0 {
		return fmt.Errorf("NOT verified: the rules name no register for a case of %s", in.CaseOn)
	}
	for _, name := range rests {
		n := 0
		for _, a := range in.Evidence {
			if a.Register == name {
				n++
			}
		}
		if n != 1 {
			return fmt.Errorf("%s: NOT verified: a decision rests on what this register answered, and in the package it stands %d times, not once", name, n)
		}
	}
	for _, a := range in.Evidence { // whoever forges what a register said would leave its answer out
		name := a.Register
		if !slices.Contains(rests, name) {
			name = strconv.Quote(name) // anybody may have written it
		}
		if a.State == criteria.NoAnswer {
			return fmt.Errorf("%s: NOT verified: it did not answer, and while a register is silent nothing is decided", name)
		}
		if _, ok := answers[a.Register]; !ok {
			return fmt.Errorf("%s: NOT verified: it was decided by its answer, and that is not enclosed", name)
		}
	}
	askedFor := cmp.Or(p.About, p.Case)
	if askedFor == "" {
		return errors.New("NOT verified: the package bears no case number, so nobody can tell whether the answers are about its case")
	}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		switch v := answers[name]; {
		case v.Question.Case != askedFor:
			return fmt.Errorf("%s: NOT verified: it answered for case %q, and the package is of %s", name, v.Question.Case, askedFor)
		case v.Question.Person != answers[rests[0]].Question.Person:
			return fmt.Errorf("%s: NOT verified: it answered about another person than %s did", name, rests[0])
		case !went(in, name, v):
			return fmt.Errorf("%s: what was decided by is not what this register answered", name)
		}
	}
	return checkCauses(in, answers)
}

func form(in criteria.Input) string { return string(in.Canonical()) }

// said is what an answer is to the rules.
func said(v gateway.Verified) Evidence {
	return Evidence{OutcomeOf(gateway.Outcome{Question: v.Question, Answer: &v.Answer})}
}

// went says whether what the rules read of an answer is what went in as that of the register so named.
func went(in criteria.Input, name string, v gateway.Verified) bool {
	answers := said(v).Answers()
	i := slices.IndexFunc(answers, func(a criteria.Answer) bool { return a.Register == name && a.State != criteria.NoAnswer })
	j := slices.IndexFunc(in.Evidence, func(a criteria.Answer) bool { return a.Register == name })
	return i >= 0 && j >= 0 && form(criteria.Input{Evidence: answers[i : i+1]}) == form(criteria.Input{Evidence: in.Evidence[j : j+1]})
}

// checkCauses holds the causes to the one register that tells of any: without its answer there are none.
func checkCauses(in criteria.Input, answers map[string]gateway.Verified) error {
	name := ruled[gateway.Occupational]
	var proofs []criteria.Proof
	if v, ok := answers[name]; ok {
		proofs = said(v).Causes()
	}
	if form(criteria.Input{Causes: proofs}) != form(criteria.Input{Causes: in.Causes}) {
		return fmt.Errorf("%s: the causes that were decided by are not what this register answered", name)
	}
	return nil
}
