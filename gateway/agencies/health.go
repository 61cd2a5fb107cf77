package agencies

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/registry/examination"
)

// illness is a course of disease as the registers see it. What they know follows from it, so that they agree with each other.
type illness struct {
	diagnosis gateway.Diagnosis
	where     string // institution; "" is the person's own
	write     func(p *patient, i illness, began tesdiq.Date)
}

// patient gathers what is written about one person.
type patient struct {
	*World
	*citizen
	gateway.Facts
	r     *rand.Rand
	today tesdiq.Date
	n     int // numbers of records
}

// Illnesses by how heavy they are: 0, 1, 2, as the bands of loss of function are.
var illnesses = [3][]illness{
	{
		{"I11.9", "", plain}, {"M16.1", "", plain}, {"J45.8", "", plain}, {"E11.6", "", plain}, {"G40.3", "", plain}, {"H40.1", "M002", seen(30, 60)},
		{"C50.9", "M001", tumour("I")}, {"A15.0", "", infection("none")},
	},
	{
		{"I25.2", "", plain}, {"I69.3", "", plain}, {"M05.8", "", plain}, {"F20.0", "", plain}, {"G35", "", plain}, {"H35.3", "M002", seen(6, 25)},
		{"C18.7", "M001", tumour("II")}, {"C50.9", "M001", tumour("III")}, {"A15.0", "", infection("multi")},
	},
	{
		{"N18.5", "M003", dialysis}, {"C34.1", "M001", tumour("IV")}, {"H54.0", "M002", seen(0, 3)}, {"I69.4", "", plain}, {"G12.2", "", plain},
		{"I50.0", "", plain}, {"A15.0", "", infection("extensive")}, {"N18.5", "M003", dialysis},
	},
}

// Illnesses of children.
var childhood = []illness{{"G80.0", "", plain}, {"Q90.9", "", plain}, {"E10.9", "", plain}, {"C91.0", "M001", tumour("II")}, {"H35.1", "M002", seen(0, 5)}, {"F84.0", "", plain}}

// health writes what the health registers know of somebody: from his examinations, by the story of the cast, or by chance.
func (w *World) health(c *citizen, today tesdiq.Date) gateway.Facts {
	p := &patient{World: w, citizen: c, r: w.random(c.FIN, "health"), today: today}
	if c.Born.IsZero() {
		return p.Facts
	}
	story, cast := stories[c.FIN]
	switch {
	case cast:
		story(p)
	case len(c.examined) > 0:
		p.disabled()
	case p.r.IntN(100) < 30:
		i := pick(p.r, illnesses[0])
		plain(p, i, p.day(p.World.day.AddDays(-800), p.World.day))
	}
	slices.SortFunc(p.Episodes, func(a, b gateway.Episode) int { return a.Admitted.Compare(b.Admitted) })
	p.treated()
	return p.Facts
}

// disabled writes what made a commission find what it found.
func (p *patient) disabled() {
	first, last := p.examined[0], p.examined[len(p.examined)-1]
	severity := severityOf(last)
	began := first.ExaminedOn.AddDays(-150 - p.r.IntN(300))
	if began.Before(p.Born) {
		began = p.Born
	}
	i := pick(p.r, illnesses[severity])
	if last.Outcome == examination.ChildUnder18 {
		i = pick(p.r, childhood)
	}
	i.write(p, i, began)
	switch last.Cause {
	case "occupational_disease":
		p.act("disease", "J62.8", first.ExaminedOn.AddDays(-40), severity)
	case "work_injury":
		p.act("injury", "T93.2", first.ExaminedOn.AddDays(-90), severity)
	}
}

func severityOf(e examination.Examination) int {
	switch {
	case e.Loss >= 81, e.Degree == "I", e.Group == "I":
		return 2
	case e.Loss >= 61, e.Degree == "II", e.Group == "II":
		return 1
	}
	return 0
}

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// day is a day from…to, both included, never after today.
func (p *patient) day(from, to tesdiq.Date) tesdiq.Date {
	return p.past(from.AddDays(p.r.IntN(max(from.DaysUntil(to), 0) + 1)))
}

func (p *patient) past(d tesdiq.Date) tesdiq.Date {
	if d.After(p.today) {
		return p.today
	}
	return d
}

func (p *patient) number(book string) string {
	p.n++
	return fmt.Sprintf("%s-%s-%d", book, p.FIN, p.n)
}

func (p *patient) institution(i illness) string {
	if i.where != "" {
		return i.where
	}
	return people.PolyclinicOf(p.FIN).Code
}

// plain is an illness that no register of its own has: two to five stays, the first when it began.
func plain(p *patient, i illness, began tesdiq.Date) {
	day := began
	for n := 2 + p.r.IntN(4); n > 0 && !day.After(p.today); n-- {
		p.stay(i, day, 5+p.r.IntN(25))
		day = day.AddDays(60 + p.r.IntN(240))
	}
}

func (p *patient) stay(i illness, admitted tesdiq.Date, days int) {
	e := gateway.Episode{Number: p.number("H"), Institution: p.institution(i), Kind: pick(p.r, []string{"inpatient", "inpatient", "day", "ambulatory"}),
		Admitted: admitted, Discharged: admitted.AddDays(days), Main: i.diagnosis, Secondary: []gateway.Diagnosis{}}
	if p.r.IntN(3) == 0 && i.diagnosis != "I10" {
		e.Secondary = append(e.Secondary, "I10")
	}
	if e.Discharged.After(p.today) {
		e.Discharged = tesdiq.Date{}
	}
	p.Episodes = append(p.Episodes, e)
}

func tumour(stage string) func(*patient, illness, tesdiq.Date) {
	return func(p *patient, i illness, began tesdiq.Date) {
		t := gateway.Tumour{Number: p.number("O"), Diagnosis: i.diagnosis, Diagnosed: began, Stage: stage, StagedOn: p.past(began.AddDays(14))}
		if stage == "I" && began.AddMonths(30).Before(p.today) {
			t.Remission = began.AddMonths(26)
		}
		p.Oncology = append(p.Oncology, t)
		plain(p, i, began)
	}
}

func infection(resistance string) func(*patient, illness, tesdiq.Date) {
	return func(p *patient, i illness, began tesdiq.Date) {
		t := gateway.Infection{Number: p.number("T"), Diagnosis: i.diagnosis, Registered: began, Resistance: resistance, Outcome: "treated"}
		if over := began.AddMonths(20); resistance != "extensive" && over.Before(p.today) {
			t.Outcome, t.OutcomeOn = "cured", over
			if resistance == "multi" {
				t.Outcome = "failed"
			}
		}
		p.Tuberculosis = append(p.Tuberculosis, t)
		plain(p, i, began)
	}
}

func dialysis(p *patient, i illness, began tesdiq.Date) {
	start := p.past(began.AddDays(60))
	c := gateway.Course{Number: p.number("D"), Diagnosis: i.diagnosis, Institution: "M003", Modality: "haemodialysis", Began: start, AWeek: 3, Last: p.past(later(start, p.today.AddDays(-1-p.r.IntN(2))))}
	if p.r.IntN(10) == 0 {
		c.Modality, c.AWeek = "peritoneal", 7
	}
	p.Dialysis = append(p.Dialysis, c)
	p.stay(i, began, 12)
}

func later(a, b tesdiq.Date) tesdiq.Date {
	if a.Before(b) {
		return b
	}
	return a
}

// seen is an examination of the eyes: acuity of the better eye from…to, in hundredths.
func seen(from, to int) func(*patient, illness, tesdiq.Date) {
	return func(p *patient, i illness, began tesdiq.Date) {
		better, worse := from+p.r.IntN(to-from+1), from/2
		s := gateway.Sight{Number: p.number("V"), On: p.past(began.AddDays(30)), Institution: "M002", Diagnosis: i.diagnosis,
			Right: eye(better), Left: eye(worse), Lasting: to < 30}
		if p.r.IntN(2) == 0 {
			s.Right, s.Left = s.Left, s.Right
		}
		p.Vision = append(p.Vision, s)
		p.stay(i, began, 3)
	}
}

func eye(acuity int) gateway.Eye {
	return gateway.Eye{Acuity: acuity, Field: map[bool]int{true: 0, false: min(5+acuity, 60)}[acuity == 0]}
}

func (p *patient) act(kind string, diagnosis gateway.Diagnosis, on tesdiq.Date, severity int) {
	p.Occupational = append(p.Occupational, gateway.Act{Number: p.number("A"), On: p.past(on), Kind: kind, Diagnosis: diagnosis, Percent: 25 + 30*severity + 5*p.r.IntN(3)})
}

// treated says who treated: one doctor for each institution of the last three years.
func (p *patient) treated() {
	if len(p.doctors) == 0 {
		return
	}
	for n := len(p.Episodes) - 1; n >= 0; n-- {
		e := p.Episodes[n]
		if e.Admitted.AddYears(3).Before(p.today) || slices.ContainsFunc(p.Treating, func(t gateway.Treatment) bool { return t.Institution == e.Institution }) {
			continue
		}
		h := p.random(tesdiq.FIN(e.Institution), "who works there")
		doctor := p.doctors[h.IntN(len(p.doctors))]
		if doctor == p.FIN {
			continue
		}
		last := e.Discharged
		if last.IsZero() {
			last = p.today
		}
		p.Treating = append(p.Treating, gateway.Treatment{Institution: e.Institution, Doctor: doctor, Last: last})
	}
}

// stories are what the registers know of the cast; days are counted back from the day on which the people were invented. Who is not named here
// has nothing: that too is an answer.
var stories = map[tesdiq.FIN]func(*patient){
	// A disability that is soon over, and the disease goes on.
	people.Who("nermin").FIN: func(p *patient) {
		i := illness{"M05.8", "", plain}
		for _, months := range []int{-40, -28, -16, -7, -2} {
			p.stay(i, p.World.day.AddMonths(months), 14)
		}
	},
	// An old occupational disease, indefinite.
	people.Who("oqtay").FIN: func(p *patient) {
		p.act("disease", "J62.8", tesdiq.NewDate(2019, 2, 4), 1)
		p.stay(illness{"J62.8", "", plain}, tesdiq.NewDate(2018, 11, 12), 21)
		p.stay(illness{"J62.8", "", plain}, p.World.day.AddMonths(-11), 10)
	},
	// A child with a lifelong condition.
	people.Who("leman").FIN: func(p *patient) {
		p.stay(illness{"G80.0", "", plain}, p.Born.AddMonths(9), 30)
		p.stay(illness{"G80.0", "", plain}, p.World.day.AddMonths(-9), 20)
	},
	// Nearly blind.
	people.Who("ebdulrehimxan").FIN: func(p *patient) {
		i := illness{"H54.0", "M002", nil}
		p.Vision = append(p.Vision, gateway.Sight{Number: p.number("V"), On: p.World.day.AddMonths(-4), Institution: "M002", Diagnosis: i.diagnosis,
			Right: eye(2), Left: eye(0), Lasting: true})
		p.stay(i, p.World.day.AddMonths(-5), 6)
	},
	// No disability yet, and dialysis since a few weeks: the registers alone decide.
	people.Who("elcin").FIN: func(p *patient) {
		i := illness{"N18.5", "M003", nil}
		began := p.World.day.AddDays(-45)
		p.stay(i, began.AddDays(-20), 18)
		p.Dialysis = append(p.Dialysis, gateway.Course{Number: p.number("D"), Diagnosis: i.diagnosis, Institution: "M003", Modality: "haemodialysis",
			Began: began, AWeek: 3, Last: p.today.AddDays(-1)})
	},
	// Cancer in the fourth stage: the registers alone decide.
	people.Who("sevinc").FIN: func(p *patient) {
		i := illness{"C50.9", "M001", nil}
		p.Oncology = append(p.Oncology, gateway.Tumour{Number: p.number("O"), Diagnosis: i.diagnosis, Diagnosed: p.World.day.AddDays(-50), Stage: "IV", StagedOn: p.World.day.AddDays(-31)})
		p.stay(i, p.World.day.AddDays(-52), 16)
	},
	// Very old, with a heart that fails.
	people.Who("xeyransa").FIN: func(p *patient) { p.stay(illness{"I50.0", "", plain}, p.World.day.AddMonths(-14), 12) },
	// An injury at work, and eight months of treatment.
	people.Who("cavid").FIN: func(p *patient) {
		p.act("injury", "T93.2", p.World.day.AddMonths(-11), 1)
		for _, months := range []int{-12, -10, -8, -6, -4} {
			p.stay(illness{"T93.2", "", plain}, p.World.day.AddMonths(months), 40)
		}
	},
	people.Who("gunay").FIN: func(*patient) {},
	people.Who("aysel").FIN: func(*patient) {},
	people.Who("murad").FIN: func(*patient) {},
	people.Who("konul").FIN: func(*patient) {},
	people.Who("samir").FIN: func(*patient) {},
}
