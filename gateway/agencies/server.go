package agencies

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
)

// Server answers for all agencies. World and Keys are required, Now and Rand too. It may be used by several goroutines.
type Server struct {
	World *World
	Keys  *Keys
	Now   func() time.Time
	Rand  io.Reader

	mu     sync.Mutex
	faults []Fault
	first  map[gateway.Register]gateway.Message // the first answers, to be replayed
	asked  map[string][sha256.Size]byte         // what each question said
	calls  map[gateway.Register]int
	struck map[gateway.Register]map[tesdiq.FIN]bool // whose entries were corrected away
}

// maxAsked bounds the questions that are remembered; beyond it all are forgotten.
const maxAsked = 200_000

// ServeHTTP answers questions.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.Now()
	id, err := gateway.ServiceOf(r.URL.Path)
	if err != nil {
		gateway.WriteError(w, &gateway.RequestError{Status: http.StatusNotFound, Type: "Client.BadRequest"}, "")
		return
	}
	q, request, bad := s.Keys.Trust.ReadRequest(r, now)
	if bad == nil && ServiceOf(q.Register) != id {
		bad = &gateway.RequestError{Status: http.StatusNotFound, Type: "Server.ServerProxy.UnknownService"}
	}
	if bad == nil && !s.same(q, request) {
		bad = &gateway.RequestError{Status: http.StatusConflict, Type: "Client.DuplicateId"}
	}
	if bad != nil {
		gateway.WriteError(w, bad, "")
		return
	}
	a := &answering{Server: s, w: w, r: r, q: q, request: request, service: id, now: now}
	for _, f := range s.strike(q) {
		if a.before(r.Context(), f) {
			return
		}
		a.faults = append(a.faults, f.Kind)
	}
	if err := a.answer(); err != nil {
		gateway.WriteError(w, &gateway.RequestError{Status: http.StatusInternalServerError, Type: "Server.ServerProxy.ServiceFailed"}, "")
	}
}

// same says whether a question says what it said when it was asked before, and remembers it.
func (s *Server) same(q gateway.Question, request gateway.Message) bool {
	sum := sha256.Sum256(request.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked == nil || len(s.asked) >= maxAsked {
		s.asked = map[string][sha256.Size]byte{}
	}
	if s.calls == nil {
		s.calls = map[gateway.Register]int{}
	}
	s.calls[q.Register]++
	before, known := s.asked[q.ID]
	s.asked[q.ID] = sum
	return !known || before == sum
}

// Calls says how many questions each register got.
func (s *Server) Calls() map[gateway.Register]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[gateway.Register]int{}
	for r, n := range s.calls {
		all[r] = n
	}
	return all
}

// drawn is a number below n.
func (s *Server) drawn(n int) int {
	var b [2]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return 0
	}
	return (int(b[0])<<8 | int(b[1])) % n
}

// answering is one question on its way.
type answering struct {
	*Server
	w       http.ResponseWriter
	r       *http.Request
	q       gateway.Question
	request gateway.Message
	service gateway.ServiceID
	now     time.Time
	faults  []Kind
}

func (a *answering) has(k Kind) bool {
	for _, f := range a.faults {
		if f == k {
			return true
		}
	}
	return false
}

// before does what goes wrong before there is an answer; true: there will be none.
func (a *answering) before(ctx context.Context, f Fault) bool {
	switch f.Kind {
	case Slow:
		t := time.NewTimer(time.Duration(f.Delay))
		defer t.Stop()
		select {
		case <-t.C:
			a.now = a.Now()
			return false
		case <-ctx.Done():
			return true
		}
	case Down:
		panic(http.ErrAbortHandler) // the server closes the connection and says nothing
	case Busy:
		a.w.Header().Set("Retry-After", "1")
		gateway.WriteError(a.w, &gateway.RequestError{Status: http.StatusServiceUnavailable, Type: "Server.ServerProxy.ServiceFailed"}, "")
	case Failing:
		gateway.WriteError(a.w, &gateway.RequestError{Status: http.StatusInternalServerError, Type: "Server.ServerProxy.DatabaseError"}, "")
	case Refusing:
		gateway.WriteError(a.w, &gateway.RequestError{Status: http.StatusForbidden, Type: "Server.ServerProxy.AccessDenied"}, "")
	case Redirecting:
		http.Redirect(a.w, a.r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
	case HTML:
		a.w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(a.w, "<html><body>Salam</body></html>")
	case Endless:
		a.w.WriteHeader(http.StatusOK)
		for block := bytes.Repeat([]byte(" "), 64<<10); ctx.Err() == nil; {
			if _, err := a.w.Write(block); err != nil {
				break
			}
		}
	default:
		return false
	}
	return true
}

// answer seals what the register says, and what goes wrong with it.
func (a *answering) answer() error {
	asOf := a.now
	if a.has(Stale) {
		asOf = asOf.AddDate(-1, 0, 0)
	}
	if a.has(FutureState) {
		asOf = asOf.AddDate(0, 0, 1)
	}
	var records any
	if of, ok := a.q.Register.Corrects(); ok {
		records = a.rule(of)
	} else if records = a.World.Records(a.q.Register, a.q.Person, a.q.Since, tesdiq.DateOf(a.now)); a.gone(a.q.Register) {
		records = []struct{}{}
	}
	if a.has(Nothing) {
		records = []struct{}{}
	}
	body, err := gateway.Body(a.q, a.request, a.service, asOf, records)
	if err != nil {
		return err
	}
	if body, err = a.spoil(body); err != nil {
		return err
	}
	id, err := gateway.NewID(a.Rand)
	if err != nil {
		return err
	}
	request, service, at := a.request, a.service, a.now
	seal := a.Keys.seals[a.service.Member()]
	switch {
	case a.has(Early):
		at = at.Add(-time.Hour)
	case a.has(WrongHash):
		request.Body = append(bytes.Clone(request.Body), ' ')
	case a.has(WrongID):
		request.Headers = replaced(request.Headers, gateway.HeaderID, id)
	case a.has(WrongClient):
		request.Headers = replaced(request.Headers, gateway.HeaderClient, Instance+"/COM/BANK/LOANS")
	case a.has(WrongService):
		service = ServiceOf(gateway.Contact)
	case a.has(Stranger):
		seal = a.Keys.stranger
	case a.has(Expired):
		seal = a.Keys.expired
	case a.has(Revoked):
		seal = a.Keys.revoked
	case a.has(OtherMember):
		for _, m := range members {
			if m.id != a.service.Member() {
				seal = a.Keys.seals[m.id]
			}
		}
	}
	reply, err := seal.Reply(request, service, id, body, at)
	if err != nil {
		return err
	}
	a.send(a.kept(reply))
	return nil
}

// rule is what the agency says to a correction: what never was, or is another's, it strikes out; what is missing needs a proof that it
// does not have; the rest it corrects.
func (a *answering) rule(of gateway.Register) []gateway.Ruling {
	switch {
	case a.has(Later):
		return []gateway.Ruling{{Outcome: gateway.RuledLater, Until: tesdiq.DateOf(a.now).AddDays(3)}}
	case a.has(Denies):
		return []gateway.Ruling{{Outcome: gateway.RuledRefused, Reason: "confirmed"}}
	case a.q.Dispute.Wrong == "missing":
		return []gateway.Ruling{{Outcome: gateway.RuledRefused, Reason: "no-proof"}}
	case of != gateway.Population && (a.q.Dispute.Wrong == "never-was" || a.q.Dispute.Wrong == "not-mine"):
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.struck == nil {
			a.struck = map[gateway.Register]map[tesdiq.FIN]bool{}
		}
		if a.struck[of] == nil {
			a.struck[of] = map[tesdiq.FIN]bool{}
		}
		a.struck[of][a.q.Person] = true
	}
	return []gateway.Ruling{{Outcome: gateway.RuledCorrected}}
}

// gone says whether a person's entries in a register were corrected away.
func (a *answering) gone(r gateway.Register) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.struck[r][a.q.Person]
}

func replaced(headers []gateway.Header, name, value string) []gateway.Header {
	out := make([]gateway.Header, len(headers))
	copy(out, headers)
	for i := range out {
		if out[i].Name == name {
			out[i].Value = value
		}
	}
	return out
}

// kept remembers the first answer of a register, and gives it again where that is the fault.
func (a *answering) kept(m gateway.Message) gateway.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first == nil {
		a.first = map[gateway.Register]gateway.Message{}
	}
	old, ok := a.first[a.q.Register]
	if !ok {
		a.first[a.q.Register] = m
	}
	if ok && a.has(Replay) {
		return old
	}
	return m
}

// send writes the answer, or what is left of it.
func (a *answering) send(m gateway.Message) {
	switch {
	case a.has(Unsigned):
		m.Headers = m.Headers[:len(m.Headers)-1]
	case a.has(BadSignature):
		last := m.Headers[len(m.Headers)-1]
		at := strings.LastIndexByte(last.Value, '.') + 1
		rs, err := base64.RawURLEncoding.DecodeString(last.Value[at:])
		if err == nil {
			rs[40] ^= 1
			m.Headers = replaced(m.Headers, last.Name, last.Value[:at]+base64.RawURLEncoding.EncodeToString(rs))
		}
	case a.has(Half):
		for _, h := range m.Headers {
			a.w.Header().Set(h.Name, h.Value)
		}
		a.w.Header().Set("Content-Length", strconv.Itoa(len(m.Body)))
		_, _ = a.w.Write(m.Body[:len(m.Body)/2])
		if f, ok := a.w.(http.Flusher); ok {
			f.Flush()
		}
		panic(http.ErrAbortHandler)
	}
	m.Write(a.w)
}

// spoil makes an answer say what it must not.
func (a *answering) spoil(body []byte) ([]byte, error) {
	switch {
	case a.has(Garbage):
		return body[:len(body)/2], nil
	case a.has(Twice):
		return append([]byte(`{"person":"`+string(a.q.Person)+`",`), body[1:]...), nil
	}
	if len(a.faults) == 0 {
		return body, nil
	}
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("agencies: %w", err)
	}
	records, _ := m["records"].([]any)
	for _, k := range a.faults {
		switch k {
		case WrongCase:
			m["case"] = "T-2019-000001"
		case WrongPerson:
			m["person"] = "0000000"
		case UnknownField:
			m["diagnosis_of_the_neighbour"] = "F20.0"
		case MissingField:
			delete(m, "as_of")
		case OtherSchema:
			m["schema"] = string(a.q.Register) + "-2"
		case Contradictory:
			m["found"] = len(records) == 0
		case Future:
			for _, r := range records {
				if o, ok := r.(map[string]any); ok {
					ahead(o, tesdiq.DateOf(a.now).AddDays(40).ISO())
				}
			}
		case Dead:
			for _, r := range records {
				if o, ok := r.(map[string]any); ok && a.q.Register == gateway.Population {
					o["died"] = tesdiq.DateOf(a.now).AddDays(-3).ISO()
				}
			}
		}
	}
	return json.Marshal(m)
}

// ahead puts the first of a record's days that must lie behind into the future.
func ahead(record map[string]any, day string) {
	for _, name := range []string{"admitted", "last", "staged_on", "registered", "last_session", "on", "born", "since"} {
		if _, ok := record[name]; ok {
			record[name] = day
			if name == "admitted" {
				record["discharged"] = ""
			}
			return
		}
	}
}
