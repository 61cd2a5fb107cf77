package simulate

import (
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
)

// line carries questions to the agencies without a network: what is sealed, answered and judged is the same.
type line struct{ to http.Handler }

// RoundTrip implements http.RoundTripper.
func (l line) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	a := &answer{head: http.Header{}, status: http.StatusOK}
	defer func() {
		if broken := recover(); broken != nil { // http.ErrAbortHandler: the agency closes the connection
			resp, err = nil, fmt.Errorf("the connection is closed: %v", broken)
		}
	}()
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.Path, "127.0.0.1:1"
	l.to.ServeHTTP(a, in)
	return &http.Response{StatusCode: a.status, Header: a.head, Body: io.NopCloser(&a.body), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

type answer struct {
	head   http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.head }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// registers asks the agencies: of one case in Options.Sealed as the service does, with seals, log and judgement; of the others the
// agencies' knowledge is taken as it is, and what is silent is silent for both. A sealed question and its answer take nearly a millisecond
// of a processor, a case has ten to twenty, and a year of them would measure the gateway and nothing else.
type registers struct {
	y       *year
	gateway *gateway.Client
	trust   sync.Mutex
}

func (y *year) registers(log gateway.Log) (tseras.Registry, error) {
	services := agencies.Services("http://localhost:1")
	for i := range services {
		s := &services[i]
		s.Parallel, s.Attempts, s.Pause, s.Attempt, s.Deadline = 16, 2, gateway.Millis(time.Millisecond), gateway.Millis(20*time.Second), gateway.Millis(time.Minute)
	}
	client, err := gateway.New(gateway.Config{
		Seal: y.keys.Asker, Trust: y.keys.Trust, Services: services, Log: log, HTTP: line{y.agencies}, Deadline: time.Minute, Now: y.now, Rand: y.dice,
	})
	return &registers{y: y, gateway: client}, err
}

// sealed says whether a case is one of those whose questions go through the gateway.
func (y *year) sealed(number string) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(y.disputed(number))) // it cannot fail
	return h.Sum32()%uint32(y.Sealed) == 0
}

// Ask implements tseras.Registry.
func (r *registers) Ask(ctx context.Context, questions []gateway.Question) []gateway.Outcome {
	out := make([]gateway.Outcome, len(questions))
	var through []gateway.Question
	var place []int
	for i, q := range questions {
		if r.y.sealed(q.Case) {
			through, place = append(through, q), append(place, i)
			continue
		}
		out[i] = r.y.unsealed(q)
	}
	if len(through) > 0 {
		r.renew()
		for n, o := range r.gateway.Ask(ctx, through) {
			out[place[n]] = o
		}
	}
	r.y.count("questions to registers", len(questions))
	r.y.count("questions sealed and logged", len(through))
	return out
}

// renew puts the instance's next trust file in place when the old one ends, as its governing body does.
func (r *registers) renew() {
	r.trust.Lock()
	defer r.trust.Unlock()
	now := r.y.now()
	if now.Before(r.y.keys.Trust.NextUpdate.Add(-48 * time.Hour)) {
		return
	}
	keys, err := agencies.Open(filepath.Join(r.y.dir, "agencies"), nil, r.y.keys.Trust.NextUpdate.Add(-time.Hour), r.y.dice)
	if err != nil {
		r.y.fault("the trust file cannot be renewed: " + err.Error())
		return
	}
	r.y.keys.Trust = keys.Trust
	if err := r.gateway.Renew(keys.Trust); err != nil {
		r.y.fault("the trust file is not taken: " + err.Error())
	}
}

// unsealed is what an agency would say, or its silence, without seals.
func (y *year) unsealed(q gateway.Question) gateway.Outcome {
	now := y.now()
	for _, f := range y.agencies.Faults() {
		if (f.Register == "" || f.Register == q.Register || f.Register.Correction() == q.Register) && (f.Person == "" || f.Person == q.Person) && f.Kind != agencies.Dead && y.struckBy(q, f) {
			return gateway.Outcome{Question: q, No: &gateway.NoAnswer{Reason: gateway.Unreachable, Since: now, Attempts: 1, Next: now.Add(gateway.LaterThan(1))}}
		}
	}
	a := &gateway.Answer{AsOf: now.Truncate(time.Second)}
	if _, ok := q.Register.Corrects(); ok {
		a.Facts.Ruling = []gateway.Ruling{y.ruling(q)}
		return gateway.Outcome{Question: q, Answer: a}
	}
	switch all := y.world.Records(q.Register, q.Person, q.Since, tesdiq.DateOf(now)).(type) {
	case []gateway.Episode:
		a.Facts.Episodes = all
	case []gateway.Treatment:
		a.Facts.Treating = all
	case []gateway.Tumour:
		a.Facts.Oncology = all
	case []gateway.Infection:
		a.Facts.Tuberculosis = all
	case []gateway.Course:
		a.Facts.Dialysis = all
	case []gateway.Act:
		a.Facts.Occupational = all
	case []gateway.Sight:
		a.Facts.Vision = all
	case []gateway.Resident:
		a.Facts.Population = all
		for i := range all {
			if y.dead(q.Person) {
				all[i].Died = tesdiq.DateOf(now).AddDays(-3)
			}
		}
	case []gateway.Relative:
		a.Facts.Relatives = all
	case []gateway.Employment:
		a.Facts.Contracts = all
	case []gateway.Polyclinic:
		a.Facts.Registration = all
	default:
		y.fault("a register's records have no place among the facts: " + string(q.Register))
	}
	return gateway.Outcome{Question: q, Answer: a}
}

// struckBy says whether a fault that hits some hits this question: the same question on the same day always, or never.
func (y *year) struckBy(q gateway.Question, f agencies.Fault) bool {
	if f.Percent == 0 {
		return true
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %d", q.ID, y.day)
	return int(h.Sum32()%100) < f.Percent
}

func (y *year) dead(fin tesdiq.FIN) bool {
	for _, f := range y.agencies.Faults() {
		if f.Kind == agencies.Dead && f.Person == fin {
			return true
		}
	}
	return false
}

// troubles are what agencies do wrong, each for some days.
var troubles = []agencies.Kind{agencies.Down, agencies.Down, agencies.Busy, agencies.Failing, agencies.Refusing, agencies.Half, agencies.Garbage, agencies.HTML,
	agencies.BadSignature, agencies.Stranger, agencies.Revoked, agencies.WrongID, agencies.WrongCase, agencies.WrongPerson, agencies.OtherSchema, agencies.Future,
	agencies.Stale, agencies.Replay, agencies.Contradictory, agencies.MissingField}

// trouble says which agencies are late, wrong or silent on a day.
func (y *year) trouble() {
	var left []agencies.Fault
	for _, f := range y.agencies.Faults() {
		if f.Kind == agencies.Dead || y.chance.IntN(3) > 0 { // two days of three it goes on
			left = append(left, f)
		}
	}
	if y.day >= y.Days {
		left = nil
	} else if y.chance.IntN(100) < 14 {
		f := agencies.Fault{Register: tseras.Registers[y.chance.IntN(len(tseras.Registers))], Kind: troubles[y.chance.IntN(len(troubles))]}
		if y.chance.IntN(2) == 0 {
			f.Percent = 10 + y.chance.IntN(60)
		}
		left = append(left, f)
		y.count("troubles of agencies", 1)
	}
	y.agencies.SetFaults(left)
}
