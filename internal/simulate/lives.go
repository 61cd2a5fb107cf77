package simulate

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
)

// life is one case as those who take part in it live it.
type life struct {
	n      int // of all cases, from 0
	fin    tesdiq.FIN
	born   tesdiq.Date
	r      *rand.Rand // of what they do: the same for the same seed, whatever else happens
	from   tseras.Institution
	appeal bool // against what was decided
	id     int64
	number string
	state  casework.State // as was last seen
	seq    int
	seats  []seat
}

// seat is a member's seat in it.
type seat struct {
	number tseras.BlindNumber
	fin    tesdiq.FIN
	role   tseras.Role
}

// act is what somebody does on a day.
type act struct {
	what deed
	life *life
	seat seat
	done bool
}

type deed string

// What people do.
const (
	applies   deed = "applies"
	refers    deed = "refers"
	declines  deed = "declines"
	withdraws deed = "withdraws"
	extends   deed = "asks for the longer term"
	records   deed = "records"
	signs     deed = "signs"
	refuses   deed = "refuses to sign"
	reads     deed = "reads"
	appeals   deed = "appeals"
)

// in gives the n-th working day after today.
func (y *year) in(days int) int {
	d, err := tesdiq.AzerbaijanCalendar().AddWorkingDays(begins.AddDays(y.day), days)
	if err != nil { // the feasts of that year are not set yet
		return y.day + days + 2*(days/5)
	}
	return begins.DaysUntil(d)
}

func (y *year) plan(day int, a *act) { y.due[day] = append(y.due[day], a) }

// chance is true in n of a thousand.
func (l *life) chance(n int) bool { return l.r.IntN(1000) < n }

// born lets everybody who applies in the year be invented, on a day of his own.
func (y *year) lots() {
	var working []int
	for day := range y.Days {
		if y.works(day) {
			working = append(working, day)
		}
	}
	for n := range y.Cases {
		fin := y.people[n%len(y.people)]
		l := &life{n: n, fin: fin, born: y.born[fin], r: rand.New(rand.NewPCG(y.Seed+1, uint64(n))), from: y.institutions[people.PolyclinicOf(fin).Name]}
		day := working[l.r.IntN(len(working))]
		y.plan(day, &act{what: applies, life: l})
	}
	for n := range max(0, y.Crashes) {
		y.crashes = append(y.crashes, crash{working[n*len(working)/y.Crashes], []string{brokenOff, cut, killed}[n%3]})
	}
}

// works says whether a day is a working day.
func (y *year) works(day int) bool {
	d := begins.AddDays(day)
	on, err := tesdiq.AzerbaijanCalendar().Working(d)
	if err != nil { // the feasts of that year are not set yet
		w := d.Start().Add(12 * 60 * 60 * 1e9).Weekday()
		return w != 0 && w != 6
	}
	return on
}

// do carries out acts, Clients at a time, each until it is done; what a crash broke off stays to be done.
func (y *year) do(ctx context.Context, acts []*act) error {
	queue := make(chan *act)
	var wait sync.WaitGroup
	var once sync.Once
	var failed error
	for range y.Clients {
		wait.Go(func() {
			for a := range queue {
				if a.done || ctx.Err() != nil {
					continue
				}
				switch err := y.one(ctx, a); {
				case err == nil:
					a.done = true
				default:
					once.Do(func() { failed = fmt.Errorf("simulate: case %d: somebody %s: %w", a.life.n, a.what, err) })
				}
			}
		})
	}
	for _, a := range acts {
		queue <- a
	}
	close(queue)
	wait.Wait()
	return failed
}

// one carries out an act. What is refused because the case has gone on meanwhile is done with.
func (y *year) one(ctx context.Context, a *act) error {
	l := a.life
	var err error
	switch a.what {
	case applies:
		return y.apply(ctx, l)
	case refers:
		err = y.refer(ctx, l)
	case declines:
		r := tseras.Refusal{Case: l.number, Reason: tseras.NoGround, Words: "Göndəriş üçün əsas yoxdur"}
		_, err = tserasdb.Institutions{Desk: y.desk}.Refuse(ctx, l.from, r, "a seal")
	case withdraws:
		err = y.desk.Withdraw(ctx, l.fin, l.number, casework.Actor{Part: casework.BySubject, FIN: l.fin})
	case appeals:
		err = y.against(ctx, l)
	case reads:
		_, err = y.desk.Show(ctx, l.fin, l.number)
	case extends:
		err = y.bench.Extend(ctx, a.seat.fin, a.seat.number, "Əlavə müayinənin nəticəsi gözlənilir")
	case records:
		err = y.record(ctx, l, a.seat)
	case signs, refuses:
		err = y.sign(ctx, l, a.seat, a.what == signs)
	}
	var p *tesdiq.Problem
	switch {
	case errors.As(err, &p) && (p.Kind == tesdiq.Conflict || p.Kind == tesdiq.NotFound):
		y.count("came too late or twice: "+string(a.what), 1)
		return nil
	case err == nil:
		y.count(string(a.what), 1)
	}
	return err
}

// apply opens the case, in one of the ways that there are.
func (y *year) apply(ctx context.Context, l *life) error {
	if l.chance(2) { // it will turn out that he has died
		y.agencies.SetFaults(append(y.agencies.Faults(), agencies.Fault{Register: gateway.Population, Person: l.fin, Kind: agencies.Dead}))
	}
	var c casework.Case
	var err error
	how := rand.New(rand.NewPCG(y.Seed+2, uint64(l.n))).IntN(100) // the same again after a crash
	switch {
	case how < 20:
		c, err = y.desk.Refer(ctx, l.from, y.referral(l), "a seal")
	case how < 30:
		c, err = y.desk.Apply(ctx, l.fin, casework.Actor{Part: casework.ByClerk, FIN: y.staff[0], Office: "Nümunə poçt şöbəsi"}, strconv.Itoa(l.n))
	default:
		c, err = y.desk.Apply(ctx, l.fin, casework.Actor{Part: casework.BySubject, FIN: l.fin}, strconv.Itoa(l.n))
	}
	if err != nil {
		return err
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	l.id, l.number = int64(c.ID), c.Number
	y.lives[l.id] = l
	y.did["cases opened"]++
	if l.chance(25) {
		y.plan(y.in(l.r.IntN(15)), &act{what: withdraws, life: l})
	}
	if l.chance(20) {
		y.plan(y.in(1+l.r.IntN(20)), &act{what: reads, life: l})
	}
	return nil
}

// refer sends the referral that was asked for. Where the case that waited for it is closed meanwhile, it opens one of its own.
func (y *year) refer(ctx context.Context, l *life) error {
	c, err := y.desk.Refer(ctx, l.from, y.referral(l), "a seal")
	if err != nil || int64(c.ID) == l.id {
		return err
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.lives[int64(c.ID)] == nil {
		y.lives[int64(c.ID)] = &life{n: l.n, fin: l.fin, born: l.born, from: l.from, r: rand.New(rand.NewPCG(y.Seed+7, uint64(l.n))), id: int64(c.ID), number: c.Number}
	}
	return nil
}

// against lets the person appeal against what was decided; he comes when he is expected.
func (y *year) against(ctx context.Context, l *life) error {
	about := tseras.Dispute{Points: []tseras.Point{tseras.OfCondition}, Words: "Nəticə ilə razı deyiləm"}
	c, err := y.desk.Appeal(ctx, l.fin, l.number, casework.Actor{Part: casework.BySubject, FIN: l.fin}, about, strconv.Itoa(l.n))
	if err != nil {
		return err
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	y.lives[int64(c.ID)] = &life{n: l.n, fin: l.fin, born: l.born, from: l.from, r: rand.New(rand.NewPCG(y.Seed+6, uint64(l.n))), id: int64(c.ID), number: c.Number, appeal: true}
	return nil
}

// referral is what the institution sends: by what it treated the person for, or by what it found now.
func (y *year) referral(l *life) tseras.Referral {
	today := tesdiq.DateOf(y.now())
	r := rand.New(rand.NewPCG(y.Seed+3, uint64(l.n)))
	ref := tseras.Referral{
		Number: "88/" + strconv.Itoa(l.n), On: today, Subject: l.fin, Born: l.born, Ground: tseras.Grounds[r.IntN(len(tseras.Grounds))],
		Main: tseras.Diagnosis{Code: "I69.3", Since: later(today.AddMonths(-7), l.born)},
		// Who refers often sits in a commission himself: the lot must leave him out.
		Physicians: []tesdiq.FIN{"2AB3C4D", y.staff[r.IntN(len(y.staff))]},
	}
	if ref.Physicians[1] == l.fin {
		ref.Physicians = ref.Physicians[:1]
	}
	if all, ok := y.world.Records(gateway.Episodes, l.fin, tesdiq.Date{}, today).([]gateway.Episode); ok && len(all) > 0 {
		e := all[len(all)-1]
		ref.Main = tseras.Diagnosis{Code: tseras.ICD(e.Main), Since: later(e.Admitted, l.born)}
		if from := later(e.Admitted, l.born); !e.Discharged.Before(from) {
			ref.Treatments = []tseras.Treatment{{Code: tseras.ICD(e.Main), From: from, To: e.Discharged, Inpatient: true}}
		}
	}
	if r.IntN(2) == 0 {
		ref.Tests = []tseras.Test{{Code: "barthel", Value: 5 * r.IntN(20), On: later(today.AddDays(-9), l.born)}}
	}
	return ref
}

func later(a, b tesdiq.Date) tesdiq.Date {
	if a.Before(b) {
		return b
	}
	return a
}

// record lets a member look at his case and record. Members find the same, but for one in twenty.
func (y *year) record(ctx context.Context, l *life, s seat) error {
	b, err := y.bench.Open(ctx, s.fin, s.number)
	if err != nil {
		return err
	}
	if b.Findings != nil {
		return casework.ErrState
	}
	if b.Waits(y.now()) { // the person comes later
		y.mu.Lock()
		defer y.mu.Unlock()
		y.plan(max(y.day+1, begins.DaysUntil(tesdiq.DateOf(b.Meets.Starts))), &act{what: records, life: l, seat: s})
		return nil
	}
	own := rand.New(rand.NewPCG(y.Seed+4, uint64(l.n)<<8|uint64(hash(string(s.fin))%256)))
	grade := []int{1, 1, 2, 2, 2, 3, 3, 3, 4, 2}[rand.New(rand.NewPCG(y.Seed+5, uint64(l.n))).IntN(10)]
	if l.appeal && l.n%3 == 0 {
		grade = 1 + grade%4 // seen in person it is another one
	}
	if own.IntN(20) == 0 {
		grade = 1 + own.IntN(4)
	}
	return y.bench.Record(ctx, s.fin, s.number, Finding(b.Referral.Main.Code, grade, b.Referral.Age, tesdiq.DateOf(y.now())))
}

func hash(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // it cannot fail
	return h.Sum32()
}

// sign lets a member look at the result and say his word.
func (y *year) sign(ctx context.Context, l *life, s seat, signs bool) error {
	b, err := y.bench.Open(ctx, s.fin, s.number)
	if err != nil {
		return err
	}
	if b.Proposal == nil || b.Signed {
		return casework.ErrState
	}
	w := tseras.Word{N: b.Proposal.N, Signs: signs, Evidence: "a token of the sign-in provider"}
	switch {
	case !signs:
		w.Reason, w.Evidence = "Nəticə tapıntılarıma uyğun deyil", ""
	case b.Explains() && b.Proposal.Result.Differs:
		w.Explains = "Meyarların cədvəli dəyişib"
	}
	return y.bench.Sign(ctx, s.fin, s.number, w)
}

type found struct {
	code  tseras.ICD
	grade int
	age   tseras.AgeGroup
}

var findings sync.Map // found → criteria.Findings

// Finding is what a member of a commission finds of a diagnosis: the criterion that it belongs to, or, where there is none for the
// age, another one, in the nearest grade that the criterion knows.
func Finding(code tseras.ICD, grade int, age tseras.AgeGroup, on tesdiq.Date) criteria.Findings {
	key := found{code, grade, age}
	if f, ok := findings.Load(key); ok {
		return f.(criteria.Findings)
	}
	all := criteria.Current().Criteria(on)
	start := int(hash(string(code)) % uint32(len(all)))
	for i, k := range all {
		if k.Fits(age.Adult()) && covered(k, string(code)) {
			start = i
			break
		}
	}
	for n := range all {
		k := all[(start+n)%len(all)]
		for _, g := range []int{grade, grade - 1, grade + 1, grade - 2, grade + 2} {
			if g < 1 || g > 4 || !k.Fits(age.Adult()) {
				continue
			}
			f := of(k.ID, g, age)
			if tseras.CheckFindings(f, age, on) == nil {
				findings.Store(key, f)
				return f
			}
		}
	}
	panic("simulate: no criterion fits anybody of " + age.String())
}

func covered(k *criteria.Criterion, code string) bool {
	for _, own := range k.ICD {
		low, high, isRange := strings.Cut(own, "-")
		if isRange && code >= low && code[:min(len(high), len(code))] <= high || !isRange && strings.HasPrefix(code, low) {
			return true
		}
	}
	return false
}

func of(criterion string, grade int, age tseras.AgeGroup) criteria.Findings {
	limit := []criteria.Limit{criteria.NoLimit, criteria.NoLimit, criteria.LimitI, criteria.LimitII, criteria.Limit3}[grade]
	f := criteria.Findings{Conditions: []criteria.Condition{{Criterion: criterion, Grade: grade}}, Activities: criteria.Activities{
		SelfCare: limit, Movement: limit, Orientation: criteria.NoLimit, Communication: criteria.NoLimit, Behaviour: criteria.NoLimit,
		Learning: criteria.NoLimit, Work: limit,
	}}
	if !age.Works() {
		f.Activities.Work = ""
	}
	return f
}
