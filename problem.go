package tesdiq

import (
	"errors"
	"fmt"
	"strings"
)

// Kind sorts problems by what the person or program that asked can do about them.
type Kind int

// The kinds, from "ours" to "yours".
const (
	Internal    Kind = iota // our fault; the cause is in the log, never on the page
	Refused                 // the input is understood and not acceptable (Invalid)
	NotFound                // no such thing, or none of yours: never told apart
	Conflict                // the state of the thing does not allow it
	Forbidden               // known, and not allowed
	SignIn                  // nobody is signed in
	TooMany                 // asked too often; Args["Seconds"] says when to try again
	TooLarge                // more bytes than we take
	Unsupported             // a kind of content that we do not read
	Unavailable             // try again: a part does not answer
)

// Problem is an error for people: a key whose sentence stands in the locale files, and what the sentence needs.
// It never carries personal data, an internal name or the text of another error.
type Problem struct {
	Kind  Kind
	Key   string         // "fin.malformed": the sentence is "problem.fin.malformed"
	Field string         // the form or API field it is about, if any
	Args  map[string]any // placeholders of the sentence
}

func (p *Problem) Error() string {
	if p.Field != "" {
		return p.Field + ": " + p.Key
	}
	return p.Key
}

// In says which field the problem is about.
func (p *Problem) In(field string) *Problem {
	q := *p
	q.Field = field
	return &q
}

// With adds a placeholder's value.
func (p *Problem) With(name string, value any) *Problem {
	q := *p
	q.Args = map[string]any{name: value}
	for k, v := range p.Args {
		if k != name {
			q.Args[k] = v
		}
	}
	return &q
}

// Is makes errors.Is compare problems by kind and key.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Kind == p.Kind && t.Key == p.Key
}

// NewProblem makes a problem of a kind.
func NewProblem(kind Kind, key string) *Problem { return &Problem{Kind: kind, Key: key} }

// Invalid makes a problem with what somebody typed or sent.
func Invalid(key string) *Problem { return NewProblem(Refused, key) }

// Problems are all that is wrong with one form or request, so that a person can mend all of it at once.
type Problems []*Problem

func (ps Problems) Error() string {
	s := make([]string, len(ps))
	for i, p := range ps {
		s[i] = p.Error()
	}
	return strings.Join(s, "; ")
}

// Add appends err under a field when it is a Problem, and panics on any other error: only parsers' results belong here.
func (ps *Problems) Add(field string, err error) {
	if err == nil {
		return
	}
	var p *Problem
	if !errors.As(err, &p) {
		panic(fmt.Sprintf("tesdiq: not a problem: %v", err))
	}
	if p.Field == "" {
		p = p.In(field)
	}
	*ps = append(*ps, p)
}

// Err is nil when nothing is wrong.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// ProblemsOf finds what an error has to say to people. Without a Problem inside it is an internal fault:
// one Problem of kind Internal, "internal".
func ProblemsOf(err error) Problems {
	var ps Problems
	if errors.As(err, &ps) {
		return ps
	}
	var p *Problem
	if errors.As(err, &p) {
		return Problems{p}
	}
	return Problems{NewProblem(Internal, "internal")}
}
