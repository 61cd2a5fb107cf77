package tserasdb_test

import (
	"time"

	"github.com/tesdiq/tesdiq"
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

// Together the roads have each transaction of a programme that is entered, and of a correction.
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
}
