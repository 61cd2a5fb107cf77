// Package people invents people for the demo and for tests: persons with their examinations and contracts, the same
// ones for the same seed and day. Nobody of them lives, and no employer of them exists.
package people

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

// When the books were opened; what happened before was entered on that day. Sources: the law of 27.12.2013 asked for all
// contracts by 01.07.2014; the subsystem of examinations has worked since September 2015.
var (
	contractsOpened    = tesdiq.NewDate(2014, 7, 1)
	examinationsOpened = tesdiq.NewDate(2015, 9, 14)
)

// Who entered what, as the books name them.
const (
	byPopulation = "Əhali reyestri"
	byEmployer   = "İşəgötürənin bildirişi"
	byOfficer    = "Reyestr şöbəsi"
)

// Generate invents the fixed cast and n further people, person by person, each with all versions of his entries in the
// order in which they were made. The same seed, n and today give the same versions. They lack only the ID.
// today is in 2026 or later. Everything has happened by the evening before, so nothing lies ahead of the clock.
func Generate(seed uint64, n int, today tesdiq.Date) iter.Seq[registry.Version] {
	return func(yield func(registry.Version) bool) {
		w := &world{today: today.AddDays(-1), numbers: map[string]int{}, employers: employersOf(min(max(n/40, 20), 5000))}
		cast := w.cast()
		taken := map[tesdiq.FIN]bool{}
		for _, v := range cast {
			if taken[v.Head.Subject] = true; !yield(v) {
				return
			}
		}
		for i, made := uint64(0), 0; made < n; i++ {
			fin := finOf(seed, i)
			if taken[fin] {
				continue
			}
			made++
			for _, v := range w.somebody(rand.New(rand.NewPCG(seed, i)), fin) {
				if !yield(v) {
					return
				}
			}
		}
	}
}

const finLetters = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// finOf is the i-th FIN of a seed: all differ, because the factor has no divisor in common with the number of all FINs.
func finOf(seed, i uint64) tesdiq.FIN {
	const all = 34 * 34 * 34 * 34 * 34 * 34 * 34
	const factor = 31_415_926_535 // odd and no multiple of 17
	// Each product stays below 2⁶⁴ for as many people as the country has.
	x := (i%(1<<28)*factor + seed%all*7) % all
	var b [7]byte
	for k := range b {
		b[k] = finLetters[x%34]
		x /= 34
	}
	return tesdiq.FIN(b[:])
}

// world is what the invented people share.
type world struct {
	today     tesdiq.Date
	numbers   map[string]int // the last number of each book and year
	employers []Employer
}

// firstNumber is where the numbers of a year begin, so that they look like those of a book in use.
var firstNumber = map[registry.Book]int{registry.Examinations: 117_203, registry.Contracts: 831_451}

// number is the next number of a book in the year of a day.
func (w *world) number(b registry.Book, day tesdiq.Date) string {
	first := registry.Number(b, day.Year(), 0)
	w.numbers[first]++
	return registry.Number(b, day.Year(), firstNumber[b]+w.numbers[first])
}

// life gathers the versions of one person.
type life struct {
	*world
	r        *rand.Rand
	person   person.Person
	versions []registry.Version
}

// enter makes the next version of an object on a day, at some hour of work; before is nil for a new object.
// Our own inventions must keep the rules: a refusal is a fault in this package.
func (l *life) enter(before *registry.Version, c registry.Change, day tesdiq.Date) *registry.Version {
	if before != nil {
		c.After = before.Head.Version
	}
	at := day.Start().Add(9*time.Hour + time.Duration(l.r.IntN(8*60*60))*time.Second)
	born := l.person.Born
	if c.Heading().Book == registry.Persons {
		born = tesdiq.Date{}
	}
	v, err := registry.Next(before, c, born, at)
	if err != nil {
		panic(fmt.Sprintf("people: the books refuse an invented entry: %v", err))
	}
	l.versions = append(l.versions, v)
	return &v
}

// day is a random day from…to, both included; from when there is none between.
func (l *life) day(from, to tesdiq.Date) tesdiq.Date {
	return from.AddDays(l.r.IntN(max(from.DaysUntil(to), 0) + 1))
}

// chance is true in n of 100 cases.
func (l *life) chance(n int) bool { return l.r.IntN(100) < n }

func later(a, b tesdiq.Date) tesdiq.Date {
	if a.Before(b) {
		return b
	}
	return a
}

// somebody invents one person and what the books know about him.
func (w *world) somebody(r *rand.Rand, fin tesdiq.FIN) []registry.Version {
	l := &life{world: w, r: r}
	p := person.Person{FIN: fin, Sex: tesdiq.Male, Born: l.birthday()}
	if r.IntN(2) == 0 {
		p.Sex = tesdiq.Female
	}
	p.Name = nameOf(r, p.Sex)
	p.Document = document(r, p.Born, w.today)
	l.enterPerson(p)
	if l.chance(28) {
		l.examinations()
	}
	l.employment()
	return l.versions
}

// birthday has a long tail: some people are over a hundred.
func (l *life) birthday() tesdiq.Date {
	years := l.r.IntN(80)
	switch n := l.r.IntN(1000); {
	case n < 3:
		years = 100 + l.r.IntN(12)
	case n < 50:
		years = 80 + l.r.IntN(20)
	}
	born := l.today.AddYears(-years).AddDays(-l.r.IntN(365))
	return born
}

// document is an identity card: the old series or the new one, which all children have.
func document(r *rand.Rand, born, today tesdiq.Date) tesdiq.DocumentNumber {
	if born.AddYears(18).Before(today) && r.IntN(3) == 0 {
		return tesdiq.DocumentNumber(fmt.Sprintf("AZE%08d", r.IntN(100_000_000)))
	}
	return tesdiq.DocumentNumber(fmt.Sprintf("AA%07d", r.IntN(10_000_000)))
}

func (l *life) enterPerson(p person.Person) {
	l.person = p
	l.enter(nil, registry.Change{Act: registry.Append, Body: p, By: byPopulation}, later(p.Born, contractsOpened))
}

// terms of a disability, in months. ASSUMPTION (DOMAIN 2.3): what the annexes of the criteria say was not found.
var terms = []int{6, 12, 12, 12, 24, 24, 36, 60}

// window is how many days before its end a disability may be examined again. ASSUMPTION (DOMAIN 2.3).
const window = 60

// examinations invents one course of disability: a first examination and its repeats until today.
func (l *life) examinations() {
	from := later(l.person.Born.AddMonths(10), tesdiq.NewDate(1999, 1, 4))
	day := l.day(from, l.today)
	cause := l.cause(day)
	severity := l.r.IntN(3)
	var numbers []*registry.Version
	for n := 0; n < 8 && !day.After(l.today); n++ {
		e := l.examination(day, cause, severity, n > 0)
		v := l.enter(nil, registry.Change{Act: registry.Append, Body: e, By: byOfficer}, later(day, examinationsOpened))
		numbers = append(numbers, v)
		if e.Outcome == examination.NotDisability || e.Until.IsZero() || l.chance(12) {
			break
		}
		day = l.day(e.NextFrom, e.Until)
		if l.chance(10) {
			day = e.Until.AddDays(1 + l.r.IntN(120)) // late: a gap without a disability
		}
		if l.chance(15) {
			severity = min(max(severity+l.r.IntN(3)-1, 0), 2)
		}
	}
	for _, v := range numbers {
		l.mend(v)
	}
}

// mend corrects or annuls a few examinations, some time after they were entered.
func (l *life) mend(v *registry.Version) {
	entered := tesdiq.DateOf(v.Head.EnteredAt)
	day := l.day(entered, l.today)
	if day == entered {
		return
	}
	switch n := l.r.IntN(100); {
	case n < 3:
		e := v.Body.(examination.Examination)
		e.Commission = commission(l.r)
		if e == v.Body.(examination.Examination) {
			return
		}
		l.enter(v, registry.Change{Act: registry.Correct, Body: e, By: byOfficer, Reason: "Komissiyanın adı səhv yazılmışdı"}, day)
	case n < 4:
		l.enter(v, registry.Change{Act: registry.Annul, Book: v.Head.Book, Number: v.Head.Number, By: byOfficer, Reason: "Qeyd başqa şəxsə aiddir"}, day)
	}
}

// cause is the cause of a disability that begins on a day. Terror has been one since November 2021 (DOMAIN 2.4).
func (l *life) cause(day tesdiq.Date) examination.Cause {
	if l.chance(60) {
		return "general_illness"
	}
	for {
		c := pick(l.r, examination.Causes)
		if c != "terror" || !day.Before(tesdiq.NewDate(2021, 12, 1)) {
			return c
		}
	}
}

func commission(r *rand.Rand) string { return fmt.Sprintf("%d saylı TSEK", 1+r.IntN(40)) }

// examination invents one examination by the law of its day; severity is 0, 1 or 2.
func (l *life) examination(day tesdiq.Date, cause examination.Cause, severity int, repeat bool) examination.Examination {
	e := examination.Examination{
		Number: l.number(registry.Examinations, day), Subject: l.person.FIN, Commission: commission(l.r),
		ExaminedOn: day, Repeat: repeat, Cause: cause, From: day,
	}
	percents := !day.Before(examination.PercentsSince)
	eighteen := l.person.Born.AddYears(18)
	if l.chance(7) {
		e.Outcome, e.Cause, e.From = examination.NotDisability, "", tesdiq.Date{}
		if percents {
			e.Loss = examination.Loss(5 * l.r.IntN(7))
		}
		return e
	}
	months := pick(l.r, terms)
	e.Until = day.AddMonths(months).AddDays(-1)
	if day.Before(eighteen) {
		e.Outcome = examination.ChildUnder18
		if l.chance(30) || e.Until.After(eighteen) {
			e.Until = eighteen
		}
		if e.Cause != "general_illness" {
			e.Cause = "childhood"
		}
		if percents {
			e.Loss = loss(l.r, severity)
		}
	} else {
		e.Outcome = examination.Disability
		switch {
		case percents:
			e.Loss = loss(l.r, severity)
		case !day.Before(examination.DegreesSince):
			e.Degree = examination.DisabilityDegree([]string{"III", "II", "I"}[severity])
		default:
			e.Group = examination.DisabilityGroup([]string{"III", "II", "I"}[severity])
		}
		if l.chance(18) {
			e.Until = tesdiq.Date{}
			return e
		}
	}
	e.NextFrom = later(e.Until.AddDays(-window), day.AddDays(1))
	return e
}

// loss is a loss of function in the band of a severity, in steps of five.
func loss(r *rand.Rand, severity int) examination.Loss {
	switch severity {
	case 0:
		return examination.Loss(35 + 5*r.IntN(6))
	case 1:
		return examination.Loss(65 + 5*r.IntN(4))
	default:
		return examination.Loss(85 + 5*r.IntN(4))
	}
}

// grounds of termination: articles of the Labour Code.
var grounds = []string{
	"Əmək Məcəlləsi, maddə 69", "Əmək Məcəlləsi, maddə 68, hissə 2, bənd «b»", "Əmək Məcəlləsi, maddə 70, bənd «a»",
	"Əmək Məcəlləsi, maddə 70, bənd «b»", "Əmək Məcəlləsi, maddə 73", "Əmək Məcəlləsi, maddə 75",
}

// employment invents a working life: one main job after another, now and then an additional one.
func (l *life) employment() {
	start := later(l.person.Born.AddYears(17+l.r.IntN(10)), tesdiq.NewDate(2008, 1, 8))
	retired := l.person.Born.AddYears(65)
	if l.chance(22) {
		return // never employed under a contract
	}
	for day := l.day(start, start.AddYears(3)); day.Before(l.today) && day.Before(retired); {
		end := day.AddMonths(5 + l.r.IntN(12*9))
		l.job(day, end, true)
		if l.chance(12) {
			l.job(l.day(day, end), end, false)
		}
		day = end.AddDays(1 + l.r.IntN(500))
	}
}

// job invents one contract from its conclusion to its end, as far as today has come.
func (l *life) job(from, end tesdiq.Date, main bool) {
	if from.After(l.today) {
		return
	}
	e := pick(l.r, l.employers)
	k := contract.Contract{
		Number: l.number(registry.Contracts, from), Subject: l.person.FIN, Employer: e.Name, EmployerVOEN: e.VOEN, Workplace: e.Workplace,
		Position: pick(l.r, e.positions), Main: main, PartTime: !main || l.chance(8), Salary: l.salary(from),
		Concluded: from.AddDays(-l.r.IntN(8)), From: from, State: contract.Active, EffectiveOn: from,
	}
	fixed := l.chance(20)
	if fixed {
		k.Until = end
	}
	v := l.enter(nil, registry.Change{Act: registry.Append, Body: k, By: byEmployer}, later(from, contractsOpened))
	for day := l.day(from.AddMonths(3), from.AddMonths(40)); l.chance(45) && day.Before(end) && !day.After(l.today); day = day.AddMonths(6 + l.r.IntN(40)) {
		k.EffectiveOn, k.Salary = day, (k.Salary*tesdiq.Qapik(105+l.r.IntN(20))/100/1000+1)*1000
		if l.chance(25) {
			k.Position = pick(l.r, e.positions)
		}
		v = l.enter(v, registry.Change{Act: registry.Append, Body: k, By: byEmployer}, later(day, contractsOpened))
	}
	if end.After(l.today) {
		return
	}
	k.State, k.Terminated, k.EffectiveOn, k.Ground = contract.Terminated, end, end, pick(l.r, grounds)
	if fixed {
		k.Ground = "Əmək Məcəlləsi, maddə 73"
	}
	l.enter(v, registry.Change{Act: registry.Append, Body: k, By: byEmployer}, later(end, contractsOpened))
}

// leastWage is the minimum wage of a year in manats. RECALL: enough to make an invented salary look right.
func leastWage(year int) int {
	switch {
	case year < 2014:
		return 90
	case year < 2019:
		return 130
	case year < 2022:
		return 250
	case year < 2025:
		return 345
	default:
		return 400
	}
}

// salary is a month's salary in tens of manats, many low and few high.
func (l *life) salary(day tesdiq.Date) tesdiq.Qapik {
	least := leastWage(day.Year())
	return tesdiq.Qapik((least+l.r.IntN(least)+l.r.IntN(1+l.r.IntN(4*least)))/10*10) * 100
}
