package tserasdb_test

import (
	"slices"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/caseworkdb"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/tserasdb"
	"github.com/tesdiq/tesdiq/gateway"
)

// bodyDoes is what a rehabilitation body does in the programme that followed the decision.
func bodyDoes(do func(j *journey, r tserasdb.Rehabilitation) error) func(*journey) error {
	return func(j *journey) error { return done(do(j, tserasdb.Rehabilitation{Desk: j.desk})) }
}

// drafts makes the n-th draft, the same whenever it is made.
func drafts(n int, measure string) func(*journey) error {
	return bodyDoes(func(j *journey, r tserasdb.Rehabilitation) error {
		until := tesdiq.DateOf(j.meets).AddDays(60)
		return r.Draft(j.Context(), j.body, j.number, n, []tseras.Line{{Measure: measure, Provider: "Agentlik", Until: until}})
	})
}

func says(n int, word tseras.DraftWord, words string) func(*journey) error {
	return func(j *journey) error {
		_, by := subject(j.who)
		return done(j.desk.AnswerDraft(j.Context(), j.fin, j.number, by, n, word, words))
	}
}

// invites asks to come on the n-th working day from now.
func invites(n int) func(*journey) error {
	return bodyDoes(func(j *journey, r tserasdb.Rehabilitation) error {
		i := tseras.Invitation{Day: j.workday(n), Time: "10:30", Place: "Bakı, 1 saylı otaq"}
		j.meets = i.Day.Start().Add(11 * time.Hour)
		return r.Invite(j.Context(), j.body, j.number, i, false)
	})
}

func correct(j *journey) error {
	_, err := tserasdb.Corrector{Desk: j.desk, Registers: j.gatherer.Registers}.Correct(j.Context())
	return err
}

// declines says that the person does not want the programme; asksAgain, that he wants one after all.
func declines(j *journey) error {
	_, by := subject(j.who)
	return done(j.desk.DeclineProgramme(j.Context(), j.fin, j.number, by))
}

func asksAgain(j *journey) error {
	_, by := subject(j.who)
	c, err := j.desk.AskProgramme(j.Context(), j.fin, j.first, by, "again")
	j.number = c.Number
	return err
}

// notThere asks to come, again when the person was not there, and lets the day pass.
func notThere(again bool) func(*journey) error {
	return bodyDoes(func(j *journey, r tserasdb.Rehabilitation) error {
		if j.wanted.IsZero() {
			j.wanted = j.workday(2).Start()
		}
		return r.Invite(j.Context(), j.body, j.number, tseras.Invitation{Day: tesdiq.DateOf(j.wanted), Time: "10:30", Place: "2 saylı otaq"}, again)
	})
}

func (j *journey) passDay() {
	j.at(tesdiq.DateOf(j.wanted))
	j.wanted = time.Time{}
}

// byClerk is what a clerk does for the person, who is present.
func byClerk(do func(j *journey, f tserasdb.Filing) error) func(*journey) error {
	return func(j *journey) error { return done(do(j, tserasdb.Filing{Desk: j.desk})) }
}

// present is before what a clerk does: an office, whom the person shows his card.
func present(j *journey) error {
	var f tserasdb.Filing
	f, j.clerk = j.post()
	j.visit = j.present(f, j.clerk, j.who).ID
	return nil
}

// ring rings the clocks of so many days from now.
func ring(days int) func(*journey) error {
	return func(j *journey) error {
		j.later = time.Duration(days) * 24 * time.Hour
		_, err := caseworkdb.Alarms{Pool: j.desk.Pool, Calendar: j.desk.Calendar, Now: j.now}.Ring(j.Context())
		return err
	}
}

// Together the roads have each transaction of a programme, of a correction, of a clerk's acts and of the clocks.
var furtherRoads = []road{
	{name: "a programme", who: "sevinc", before: []deed{
		{"apply", applies}, {"decide alone", gather},
		{"a body is there", func(j *journey) error {
			j.body = j.world.body(1)
			j.number = j.openOf(j.fin).Number
			return nil
		}},
	}, deeds: []deed{
		{"take", bodyDoes(func(j *journey, r tserasdb.Rehabilitation) error { return r.Take(j.Context(), j.body, j.number) })},
		{"invite", invites(3)},
		{"wish for another time", func(j *journey) error {
			_, by := subject(j.who)
			return done(j.desk.WishProgramme(j.Context(), j.fin, j.number, by, "Başqa vaxt olsun"))
		}},
		{"move the meeting", invites(4)},
		{"draft", func(j *journey) error {
			j.later = time.Until(j.meets)
			return drafts(1, "physiotherapy")(j)
		}},
		{"miss something", says(1, tseras.Missing, "Ağ əsa da lazımdır")},
		{"draft again", drafts(2, "cane")},
		{"agree", says(2, tseras.Agreed, "")},
		{"enter", bodyDoes(func(j *journey, r tserasdb.Rehabilitation) error {
			return r.Enter(j.Context(), j.body, j.number, 2, "")
		})},
	}},
	{name: "a correction", who: "nermin", before: []deed{
		{"apply", applies}, {"ask registers, and then for a referral", gather},
		{"remember", func(j *journey) error { j.first = j.number; return nil }},
	}, deeds: []deed{
		{"say that a register is wrong", func(j *journey) error {
			_, by := subject(j.who)
			_, err := j.desk.AskCorrection(j.Context(), j.fin, j.first, gateway.Episodes, "never-was", "Orada müalicə almamışam", by, "form-2")
			return err
		}},
		{"correct it, and ask all registers again", correct},
		{"ask registers, and then for a referral again", gather},
	}},
	{name: "a programme to which nobody comes, asked for again and declined", who: "sevinc", before: []deed{
		{"apply", applies}, {"decide alone", gather},
		{"a body is there", func(j *journey) error {
			j.body = j.world.body(1)
			j.first, j.number = j.number, j.openOf(j.fin).Number
			return nil
		}},
	}, deeds: []deed{
		{"take", bodyDoes(func(j *journey, r tserasdb.Rehabilitation) error { return r.Take(j.Context(), j.body, j.number) })},
		{"invite", notThere(false)},
		{"say that nobody came, and invite again", func(j *journey) error {
			if !j.wanted.IsZero() && j.absent == 0 {
				j.passDay()
				j.absent++
			}
			return notThere(true)(j)
		}},
		{"let it lapse", bodyDoes(func(j *journey, r tserasdb.Rehabilitation) error {
			j.at(tesdiq.DateOf(j.wanted))
			return r.Lapse(j.Context(), j.body, j.number)
		})},
		{"ask for it again", asksAgain},
		{"decline it", declines},
	}},
	{name: "a correction that is refused", who: "sevinc", before: []deed{
		{"apply", applies}, {"decide alone", gather},
		{"remember", func(j *journey) error { j.first = j.number; return nil }},
	}, deeds: []deed{
		{"say that something is missing", func(j *journey) error {
			_, by := subject(j.who)
			_, err := j.desk.AskCorrection(j.Context(), j.fin, j.first, gateway.Contracts, "missing", "İş yerim yoxdur siyahıda", by, "form-2")
			return err
		}},
		{"refuse it", correct},
	}},
	{name: "a clerk applies and withdraws", who: "nermin", before: []deed{{"present", present}}, deeds: []deed{
		{"apply", byClerk(func(j *journey, f tserasdb.Filing) error {
			c, err := f.Apply(j.Context(), j.clerk, j.visit)
			j.number = c.Number
			return err
		})},
		{"withdraw", byClerk(func(j *journey, f tserasdb.Filing) error { return f.Withdraw(j.Context(), j.clerk, j.visit, j.number) })},
	}},
	{name: "a clerk appeals and asks for a correction", who: "sevinc", before: append(slices.Clone(decidedAlone), deed{"present", present}), deeds: []deed{
		{"appeal", byClerk(func(j *journey, f tserasdb.Filing) error {
			_, err := f.Appeal(j.Context(), j.clerk, j.visit, j.first, disputed, "form-3")
			return err
		})},
		{"ask for a correction", byClerk(func(j *journey, f tserasdb.Filing) error {
			_, err := f.AskCorrection(j.Context(), j.clerk, j.visit, j.first, gateway.Contracts, "missing", "İş yerim yoxdur siyahıda", "form-4")
			return err
		})},
	}},
	{name: "clocks ring", who: "nermin", before: []deed{{"apply", applies}, {"ask registers, and then for a referral", gather}}, deeds: []deed{
		{"before the end", ring(8)}, {"at the end", ring(14)},
	}},
}
