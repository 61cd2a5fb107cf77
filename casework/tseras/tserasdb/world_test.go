package tserasdb_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/organisation"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
	"github.com/tesdiq/tesdiq/registry/registrydb"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStatements(t *testing.T) {
	pgtest.PrepareAll(t, pgtest.Open(t), postgres.Casework, postgres.Commission, postgres.Operator)
}

// memory is a gateway's log for as long as the test: it remembers when each question was asked first, and what was exchanged.
type memory struct{ asked, exchanged sync.Map }

func (m *memory) Asked(_ context.Context, all []gateway.Asking) (past []gateway.Past, err error) {
	for _, q := range all {
		first, _ := m.asked.LoadOrStore(q.ID, q.Asked)
		past = append(past, gateway.Past{Asked: first.(time.Time)})
	}
	return past, nil
}
func (*memory) Tried(context.Context, []gateway.Attempt) error { return nil }
func (m *memory) Answered(_ context.Context, a gateway.Attempt, x gateway.Exchange) ([]byte, error) {
	m.exchanged.Store(x.Request.Header(gateway.HeaderIssue)+" "+a.Question, x.Bytes())
	return x.Bytes(), nil
}

// Evidence implements tseras.Exchanges; nothing has a time stamp.
func (m *memory) Evidence(_ context.Context, caseNumber, question string) ([]byte, error) {
	x, ok := m.exchanged.Load(caseNumber + " " + question)
	if !ok {
		return nil, casework.ErrMissing
	}
	return x.([]byte), nil
}

// world is the books with invented people, the agencies with the same, commissions, an institution, and all who work on cases.
type world struct {
	*testing.T
	db       *pgtest.DB
	agencies *agencies.Server
	log      *memory
	desk     tserasdb.Desk
	gatherer tserasdb.Gatherer
	drawer   *tserasdb.Drawer
	decider  tserasdb.Decider
	bench    tserasdb.Bench
	terms    tserasdb.Terms
	rounds   tserasdb.Rounds
	from     tseras.Institution
	later    time.Duration // how far the test's clock has been put forward
}

func (w *world) now() time.Time { return time.Now().Add(w.later) }

const commissions = 12

// patience is how long a register may take, on a machine that is busy with other tests.
const patience = time.Minute

// memberFIN is the n-th member of a commission: nobody of the cast.
func memberFIN(commission, n int) tesdiq.FIN {
	return tesdiq.FIN(fmt.Sprintf("%02dZ%04d", commission, n))
}

// newWorld is a world in which rounds of draws are committed to: nobody is drawn by one that is younger than his case.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := bareWorld(t)
	_, err := w.drawer.Draw(t.Context())
	w.must(err)
	return w
}

func bareWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, db: pgtest.Open(t), log: &memory{}}
	today := tesdiq.DateOf(time.Now())
	if _, err := registrydb.Load(t.Context(), w.db.Pool(postgres.Registry), people.Generate(1, 20, today), rand.Reader, func(int) {}); err != nil {
		t.Fatal(err)
	}
	keys, err := agencies.Open(t.TempDir(), nil, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.agencies = &agencies.Server{World: agencies.NewWorld(1, 20, today), Keys: keys, Now: time.Now, Rand: rand.Reader}
	server := httptest.NewServer(w.agencies)
	t.Cleanup(server.Close)
	services := agencies.Services(server.URL)
	for i := range services {
		services[i].Pause, services[i].Trip = gateway.Millis(time.Millisecond), 1000
		services[i].Attempt, services[i].Deadline = gateway.Millis(patience), gateway.Millis(patience)
	}
	client, err := gateway.New(gateway.Config{Seal: keys.Asker, Trust: keys.Trust, Services: services, Log: w.log, Deadline: patience, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	pool := w.db.Pool(postgres.Casework)
	w.desk = tserasdb.Desk{Pool: pool, Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now, Rand: rand.Reader}
	w.gatherer = tserasdb.Gatherer{Desk: w.desk, Registers: client, Log: log}
	w.drawer = &tserasdb.Drawer{Pool: pool, Key: tseras.DrawKey(strings.Repeat("k", 32)), Calendar: tesdiq.AzerbaijanCalendar(), Now: w.now, Rand: rand.Reader, Log: log}
	w.decider = tserasdb.Decider{Desk: w.desk}
	w.bench = tserasdb.Bench{Pool: w.db.Pool(postgres.Commission), Now: w.now, Rand: rand.Reader}
	w.rounds = tserasdb.Rounds{Pool: pool, Now: w.now}
	w.staff()
	return w
}

// staff adds the commissions and the institution.
func (w *world) staff() {
	w.Helper()
	op := tserasdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: time.Now, Rand: w.desk.Rand}
	for c := range commissions {
		k := tseras.Commission{ID: fmt.Sprintf("K%02d", c+1), Name: fmt.Sprintf("%d saylı TSEK", c+1), Districts: []tseras.District{tseras.District(people.Districts[c])}}
		w.must(op.Add(w.Context(), k))
		for m := range 4 {
			_, err := op.AddMember(w.Context(), k.ID, memberFIN(c+1, m+1), "Həkim Nümunəvi", m < 2)
			w.must(err)
		}
		for day := time.Monday; day <= time.Friday; day++ {
			_, err := op.AddHours(w.Context(), tseras.Hours{Commission: k.ID, Weekday: day, Opens: 9 * 60, Closes: 11 * 60, Minutes: 30, AtATime: 1, Place: fmt.Sprintf("Nümunə küçəsi %d", c+1)})
			w.must(err)
		}
	}
	orgs := organisationdb.Operator{Pool: w.db.Pool(postgres.Operator), Now: time.Now, Rand: rand.Reader}
	clinic, err := orgs.Add(w.Context(), organisation.Organisation{VOEN: "1400057421", Name: "Nümunə Nəsimi poliklinikası", Sort: organisation.Medical})
	w.must(err)
	id, err := op.AddInstitution(w.Context(), clinic.VOEN, "Nəsimi")
	w.must(err)
	_, err = op.CodeInstitution(w.Context(), clinic.VOEN, tseras.InstitutionCode(people.PolyclinicOf(people.Who("elcin").FIN).Code))
	w.must(err)
	w.from, err = w.desk.Institution(w.Context(), id)
	w.must(err)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refer is a good referral of somebody of the cast.
func (w *world) referral(who string) tseras.Referral {
	a := people.Who(who)
	today := tesdiq.DateOf(w.now())
	return tseras.Referral{
		Number: "88/" + who, On: today, Subject: a.FIN, Born: a.Born, Ground: tseras.LongTreatment,
		Main:       tseras.Diagnosis{Code: "M05.8", Since: today.AddYears(-2)},
		Treatments: []tseras.Treatment{{Code: "M05.8", From: today.AddMonths(-7), To: today.AddMonths(-6), Inpatient: true}},
		Tests:      []tseras.Test{{Code: "barthel", Value: 55, On: today.AddDays(-9)}}, Physicians: []tesdiq.FIN{"2AB3C4D"},
	}
}

// work lets the registers be asked, commissions be drawn and decisions be made once.
func (w *world) work() {
	w.Helper()
	_, _, err := w.gatherer.Gather(w.Context(), 0)
	w.must(err)
	_, err = w.drawer.Draw(w.Context())
	w.must(err)
	_, err = w.decider.Decide(w.Context())
	w.must(err)
}

func (w *world) state(subject tesdiq.FIN, number string) tseras.Shown {
	w.Helper()
	s, err := w.desk.Show(w.Context(), subject, number)
	w.must(err)
	return s
}

func (w *world) expect(subject tesdiq.FIN, number string, want casework.State) tseras.Shown {
	w.Helper()
	s := w.state(subject, number)
	if s.State != want {
		w.Fatalf("%s is %s, want %s; %+v", number, s.State, want, s.Evidence)
	}
	return s
}

// seats are all members who have a seat in a case, with their seats.
func (w *world) seats(number tseras.BlindNumber) map[tesdiq.FIN]tseras.Seat {
	w.Helper()
	all := map[tesdiq.FIN]tseras.Seat{}
	rows, _ := w.db.Admin.Query(w.Context(), `SELECT DISTINCT m.fin FROM tseras_seats s JOIN commission_members m ON m.id = s.member_id`) // the error comes out of Collect
	members, err := pgx.CollectRows(rows, pgx.RowTo[tesdiq.FIN])
	w.must(err)
	for _, fin := range members {
		seats, err := w.bench.Seats(w.Context(), fin)
		w.must(err)
		for _, s := range seats {
			if number == "" || s.Number == number {
				all[fin] = s
			}
		}
	}
	return all
}

// findings are of a criterion's grade, with life activities that agree with it.
func findings(criterion string, grade int) criteria.Findings {
	limit := []criteria.Limit{criteria.NoLimit, criteria.NoLimit, criteria.LimitI, criteria.LimitII, criteria.Limit3}[grade]
	return criteria.Findings{
		Conditions: []criteria.Condition{{Criterion: criterion, Grade: grade}},
		Activities: criteria.Activities{
			SelfCare: limit, Movement: limit, Orientation: criteria.NoLimit, Communication: criteria.NoLimit, Behaviour: criteria.NoLimit,
			Learning: criteria.NoLimit, Work: limit,
		},
	}
}
