package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/simulate"
)

var (
	caseKills = flag.Int("case-kills", 5, "how often the service is killed while cases move")
	caseSeed  = flag.Uint64("case-seed", 0, "when it is killed, and who does what; 0: another each time")
)

// applicants apply while the service is killed: the registers alone decide on the first, who appeals then; the last takes it back.
var applicants = []string{"sevinc", "nermin", "elcin", "oqtay", "aysel", "cavid"}

// moving is cases that move, those who move them, and the database that nobody kills.
type moving struct {
	*installed
	w     *world // for the polyclinic's seal
	admin *pgxpool.Pool
	bench tserasdb.Bench
	ended chan struct{}
}

// insist sends a request until it has an answer that is no fault of the service: whoever lost the connection tries again.
func (m *moving) insist(v *visitor, method, path string, form url.Values) (status int, location, body string) {
	still := *v.http
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		r, err := http.NewRequestWithContext(m.t.Context(), method, m.program.address+path, strings.NewReader(form.Encode()))
		if err != nil {
			m.t.Error(err)
			return 0, "", ""
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		a, err := still.Do(r)
		if err != nil {
			continue
		}
		b, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err == nil && a.StatusCode < http.StatusInternalServerError {
			return a.StatusCode, a.Header.Get("Location"), string(b)
		}
	}
	m.t.Errorf("%s %s: no answer in two minutes", method, path)
	return 0, "", ""
}

// fill opens a form that is named by a key, and sends it until it is taken; sent again it must lead to the same place.
func (m *moving) fill(v *visitor, form, to string, values url.Values) (at string) {
	_, led, _ := m.insist(v, http.MethodGet, form, nil)
	u, err := url.Parse(led)
	if err != nil || u.Query().Get("key") == "" {
		m.t.Errorf("%s leads to %q", form, led)
		return ""
	}
	values.Set("key", u.Query().Get("key"))
	if to == "" {
		to = u.RequestURI()
	}
	for range 2 {
		status, location, body := m.insist(v, http.MethodPost, to, values)
		if status != http.StatusSeeOther || at != "" && location != at {
			m.t.Errorf("%s: %d, %q and %q: %.300s", form, status, at, location, body)
		}
		at = location
	}
	return at
}

// state waits until a case is in one of some states.
func (m *moving) state(number string, want ...casework.State) (is casework.State) {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end) && m.t.Context().Err() == nil; time.Sleep(100 * time.Millisecond) {
		if err := m.admin.QueryRow(m.t.Context(), `SELECT state FROM cases WHERE number = $1`, number).Scan(&is); err != nil {
			m.t.Errorf("%s was acknowledged, and is lost: %v", number, err)
			return is
		}
		for _, s := range want {
			if is == s {
				return is
			}
		}
	}
	m.t.Errorf("%s stays %s, and is to be one of %s", number, is, want)
	return is
}

func (m *moving) applies(v *visitor, who string) {
	at := m.fill(v, "/cabinet/cases/new", "/cabinet/cases", url.Values{})
	if at == "" {
		return
	}
	number := at[strings.LastIndex(at, "/")+1:]
	if who == applicants[len(applicants)-1] {
		if status, _, body := m.insist(v, http.MethodPost, at+"/withdraw", url.Values{}); status != http.StatusSeeOther {
			m.t.Errorf("withdraw: %d %.300s", status, body)
		}
		m.state(number, tseras.Withdrawn)
		return
	}
	if m.state(number, tseras.AwaitingReferral, tseras.Decided) == tseras.AwaitingReferral {
		m.refers(who)
		m.state(number, tseras.Decided)
		return
	}
	m.fill(v, at+"/appeal", "", url.Values{"points": {"activities"}, "words": {"Tək yeriyə bilmirəm"}})
}

// refers sends the polyclinic's sealed referral until it is taken.
func (m *moving) refers(who string) {
	a, today := people.Who(who), tesdiq.DateOf(time.Now())
	text, err := json.Marshal(tseras.Referral{
		Number: "88/" + who, On: today, Subject: a.FIN, Born: a.Born, Ground: tseras.LongTreatment, Main: tseras.Diagnosis{Code: "M05.8", Since: today.AddYears(-2)},
		Physicians: []tesdiq.FIN{"2AB3C4D"},
	})
	if err != nil {
		m.t.Error(err)
		return
	}
	sealed := m.w.seal(text, nil)
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		answer, err := http.Post(m.program.address+"/api/v1/referrals", "application/jose", strings.NewReader(sealed))
		if err != nil {
			continue
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		switch {
		case err == nil && answer.StatusCode == http.StatusOK:
			return
		case err == nil && answer.StatusCode < http.StatusInternalServerError:
			m.t.Errorf("refer %s: %d %s", who, answer.StatusCode, body)
			return
		}
	}
	m.t.Errorf("the referral of %s is not taken in two minutes", who)
}

const sqlHisTurn = `
	SELECT m.fin, s.number
	FROM tseras_seats s
	JOIN commission_members m ON m.id = s.member_id
	JOIN tseras_blind b ON b.number = s.number
	JOIN cases c ON c.id = b.case_id
	WHERE c.state IN ('drawn', 'signing') AND c.kind = 'assessment'`

// sit lets members record and sign as soon as it is their turn, by the component that their pages call.
func (m *moving) sit() {
	for {
		select {
		case <-m.ended:
			return
		case <-time.After(200 * time.Millisecond):
		}
		rows, err := m.admin.Query(m.t.Context(), sqlHisTurn)
		if err != nil {
			m.t.Error(err)
			return
		}
		turns := map[tesdiq.FIN]tseras.BlindNumber{}
		for rows.Next() {
			var fin tesdiq.FIN
			var number tseras.BlindNumber
			if err := rows.Scan(&fin, &number); err != nil {
				m.t.Error(err)
			}
			turns[fin] = number
		}
		rows.Close()
		for fin, number := range turns {
			var p *tesdiq.Problem
			if err := m.act(fin, number); err != nil && !(errors.As(err, &p) && p.Kind == tesdiq.Conflict) {
				m.t.Errorf("a member: %v", err)
			}
		}
	}
}

func (m *moving) act(fin tesdiq.FIN, number tseras.BlindNumber) error {
	ctx := m.t.Context()
	b, err := m.bench.Open(ctx, fin, number)
	switch {
	case err != nil:
		return err
	case b.Proposal == nil && !b.Recorded:
		return m.bench.Record(ctx, fin, number, criteria.Findings{Conditions: []criteria.Condition{{Criterion: "joints-rheumatoid", Grade: 3}}, Activities: criteria.Activities{
			SelfCare: criteria.LimitII, Movement: criteria.LimitII, Orientation: criteria.NoLimit, Communication: criteria.NoLimit, Behaviour: criteria.NoLimit,
			Learning: criteria.NoLimit, Work: criteria.LimitII,
		}})
	case b.Proposal == nil || b.Signed:
		return nil
	}
	word := tseras.Word{N: b.Proposal.N, Signs: true, Evidence: "a token of the sign-in provider"}
	if b.Explains() && b.Proposal.Result.Differs {
		word.Explains = "Meyarların cədvəli dəyişib"
	}
	return m.bench.Sign(ctx, fin, number, word)
}

// R2: while cases move the service is killed at random moments and started anew. Each thing that was acknowledged is there, once; every case is
// decided, or waits for something that is missing; and the audit of a played year finds nothing wrong.
func TestCasesAreDecidedThoughTheServiceIsKilled(t *testing.T) {
	seed := *caseSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-args -case-seed %d -case-kills %d", seed, *caseKills)
	chance := mathrand.New(mathrand.NewPCG(seed, 0))
	in := installDemo(t)
	ctx := t.Context()
	notes, err := readNotes(in.program.dir)
	if err != nil {
		t.Fatal(err)
	}
	job := mainJob{address: in.program.address, client: summaryClient{notes.ClientID, notes.Secret}}
	m := &moving{installed: in, w: &world{mainJob: job, t: t, dir: in.program.dir}, ended: make(chan struct{})}
	if m.admin, err = pgxpool.New(ctx, in.adminURL()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.admin.Close)
	commission, err := postgres.Open(ctx, in.adminURL(), postgres.Commission)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(commission.Close)
	m.bench = tserasdb.Bench{Pool: commission, Now: time.Now, Rand: rand.Reader}
	var entries int64
	var decided int // by the demonstration's set-up
	if err := m.admin.QueryRow(ctx, `SELECT max(id), (SELECT count(*) FROM tseras_decisions) FROM entries`).Scan(&entries, &decided); err != nil {
		t.Fatal(err)
	}

	var persons, members sync.WaitGroup
	members.Go(m.sit)
	for _, who := range applicants {
		v, err := job.signIn(ctx, people.Who(who), "", "/cabinet")
		if err != nil {
			t.Fatal(err)
		}
		persons.Go(func() { m.applies(v, who) })
	}
	began := time.Now()
	for range *caseKills {
		life := time.Duration(chance.Int64N(int64(4 * time.Second)))
		if chance.IntN(3) > 0 { // else it may be killed while it starts
			in.running.mustBeReady()
		}
		time.Sleep(life)
		in.running.kill()
		in.running = in.program.start()
	}
	in.running.mustBeReady()
	killed := time.Since(began)
	persons.Wait()

	// What is open waits for somebody: the appeal for its day, programmes for a body. What the program itself has to do it does.
	var waits []string
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		open, err := simulate.Open(ctx, m.admin)
		if err != nil {
			t.Fatal(err)
		}
		waits = waits[:0]
		idle := 0
		for _, w := range open {
			if waits = append(waits, fmt.Sprintf("%s: %s", w.State, w.Waits)); w.Waits == "" {
				idle++
			}
		}
		if idle == 0 {
			break
		}
		if time.Now().After(end) {
			t.Errorf("cases that wait for nothing: %q", waits)
			break
		}
	}
	close(m.ended)
	members.Wait()
	audited, wrong, err := simulate.Audit(ctx, m.admin, entries, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range wrong {
		t.Error(what)
	}
	for _, who := range applicants {
		var n, states int
		err := m.admin.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE state IN ('decided', 'withdrawn')) FROM cases WHERE subject = $1 AND kind = 'assessment'`, people.Who(who).FIN).Scan(&n, &states)
		if err != nil || n != 1 || states != 1 {
			t.Errorf("%s has %d assessments, %d of them ended: %v", who, n, states, err)
		}
	}
	if audited.Packages != decided+len(applicants)-1 || audited.Drawings == 0 {
		t.Errorf("%+v", audited)
	}
	a := newAuditor(t, in.adminURL(), in.program)
	a.consistent()
	for _, line := range in.program.panics() {
		t.Errorf("the log tells of a panic: %s", line)
	}
	t.Logf("killed %d times in %s; %d decisions, %d ledger lines; open: %q", *caseKills, killed.Round(time.Second), audited.Packages, audited.Lines, waits)
}
