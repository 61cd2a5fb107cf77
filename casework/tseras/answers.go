package tseras

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

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

// Enclosed is the package of a decided case with the answers that it names enclosed, for the person. Without them it is the
// stored package, byte for byte: what is not, is an error.
func (s Shown) Enclosed(ctx context.Context, from Exchanges) ([]byte, error) {
	p, err := criteria.ReadPackage(s.Package)
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
	if !bytes.Equal(p.Committed().Bytes(), s.Package) {
		return nil, fmt.Errorf("tseras: package of %s is not in its canonical form", s.Number)
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

// Follows says whether what a decision rested on is what registers answered: of every verified answer, by the name that the rules give its
// register, what they read of it is what went in, and all were asked about one person for one case. name is the first of which that is not so.
func Follows(in criteria.Input, answers map[string]gateway.Verified) (name string, ok bool) {
	form := func(in criteria.Input) string { return string(in.Canonical()) }
	var first *gateway.Verified
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		v := answers[name]
		if first == nil {
			first = &v
		}
		e := Evidence{OutcomeOf(gateway.Outcome{Question: v.Question, Answer: &v.Answer})}
		said := slices.IndexFunc(e.Answers(), func(a criteria.Answer) bool { return a.Register == name && a.State != criteria.NoAnswer })
		went := slices.IndexFunc(in.Evidence, func(a criteria.Answer) bool { return a.Register == name })
		switch {
		case said < 0 || went < 0, v.Question.Person != first.Question.Person, v.Question.Case != first.Question.Case,
			form(criteria.Input{Evidence: e.Answers()[said : said+1]}) != form(criteria.Input{Evidence: in.Evidence[went : went+1]}),
			v.Question.Register == gateway.Occupational && form(criteria.Input{Causes: e.Causes()}) != form(criteria.Input{Causes: in.Causes}):
			return name, false
		}
	}
	return "", true
}
