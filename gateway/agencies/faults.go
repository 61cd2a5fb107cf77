package agencies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
)

// Fault is something that goes wrong, and for whom.
type Fault struct {
	Register gateway.Register `json:"register,omitempty"` // empty: all
	Person   tesdiq.FIN       `json:"person,omitempty"`   // empty: everybody
	Kind     Kind             `json:"kind"`
	Delay    gateway.Millis   `json:"delay,omitempty"` // of "slow"
	Percent  int              `json:"percent,omitempty"`
	Times    int              `json:"times,omitempty"` // how often; 0: until it is taken away
}

// Kind is what goes wrong.
type Kind string

// What can go wrong.
const (
	Slow          Kind = "slow"          // answers after Delay
	Down          Kind = "down"          // breaks the connection
	Busy          Kind = "busy"          // 503 with Retry-After
	Failing       Kind = "failing"       // 500, as X-Road says it
	Refusing      Kind = "refusing"      // 403, as X-Road says it
	Redirecting   Kind = "redirecting"   // to another address
	Half          Kind = "half"          // half an answer, then the connection breaks
	Endless       Kind = "endless"       // more than anybody reads
	Garbage       Kind = "garbage"       // sealed, and no JSON
	HTML          Kind = "html"          // a page of some proxy
	Unsigned      Kind = "unsigned"      // no seal
	BadSignature  Kind = "bad-signature" // a seal over something else
	Stranger      Kind = "stranger"      // sealed by nobody who is known
	Expired       Kind = "expired"       // sealed with a certificate whose time is over
	Revoked       Kind = "revoked"       // sealed with a certificate that was taken back
	OtherMember   Kind = "other-member"  // sealed by another agency
	WrongID       Kind = "wrong-id"      // names another question
	WrongHash     Kind = "wrong-hash"    // names another request
	WrongCase     Kind = "wrong-case"
	WrongPerson   Kind = "wrong-person"  // says something about somebody else
	WrongService  Kind = "wrong-service" // is from another register
	WrongClient   Kind = "wrong-client"  // is for somebody else
	UnknownField  Kind = "unknown-field"
	MissingField  Kind = "missing-field"
	Twice         Kind = "twice"         // a member that stands there twice
	OtherSchema   Kind = "other-schema"  // a version that nobody knows
	Future        Kind = "future"        // something that has not happened yet
	FutureState   Kind = "future-state"  // a state of tomorrow
	Stale         Kind = "stale"         // a state of last year
	Replay        Kind = "replay"        // the first answer that it ever gave to this register's askers
	Early         Kind = "early"         // sealed before it was asked
	Contradictory Kind = "contradictory" // found, and nothing there
	Dead          Kind = "dead"          // says that the person died, which the other registers do not know
	Nothing       Kind = "nothing"       // says that there is nothing: a true answer, and a wrong one
	Later         Kind = "later"         // of a correction: needs more time
	Denies        Kind = "denies"        // of a correction: refuses it
)

// Kinds are all of them.
var Kinds = []Kind{Slow, Down, Busy, Failing, Refusing, Redirecting, Half, Endless, Garbage, HTML, Unsigned, BadSignature, Stranger, Expired, Revoked, OtherMember,
	WrongID, WrongHash, WrongCase, WrongPerson, WrongService, WrongClient, UnknownField, MissingField, Twice, OtherSchema, Future, FutureState, Stale, Replay, Early,
	Contradictory, Dead, Nothing, Later, Denies}

// ParseFaults reads a list of faults: JSON with no member that is not known. An empty list is a day without trouble.
func ParseFaults(data []byte) ([]Fault, error) {
	var all []Fault
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("agencies: faults: %w", err)
	}
	for i, f := range all {
		if !slices.Contains(Kinds, f.Kind) {
			return nil, fmt.Errorf("agencies: fault %d: no kind %q", i+1, f.Kind)
		}
		if f.Register != "" && f.Register.Purpose() == "" {
			return nil, fmt.Errorf("agencies: fault %d: no register %q", i+1, f.Register)
		}
		if f.Percent < 0 || f.Percent > 100 || f.Times < 0 {
			return nil, fmt.Errorf("agencies: fault %d: percent or times out of range", i+1)
		}
	}
	return all, nil
}

// SetFaults takes the place of all faults.
func (s *Server) SetFaults(all []Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.Clone(all)
}

// Faults are those that are left.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// strike finds the faults that hit a question, and counts them.
func (s *Server) strike(q gateway.Question) (hit []Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.faults[:0:0]
	for _, f := range s.faults {
		fits := (f.Register == "" || f.Register == q.Register) && (f.Person == "" || f.Person == q.Person)
		if fits && (f.Percent == 0 || s.drawn(100) < f.Percent) {
			hit = append(hit, f)
			if f.Times == 1 {
				continue
			}
			f.Times = max(f.Times-1, 0)
		}
		left = append(left, f)
	}
	s.faults = left
	return hit
}
