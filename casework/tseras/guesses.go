package tseras

import (
	_ "embed"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Guesses is how often a day an institution's referrals may miss: name a birth date that is not that of the FIN, or a FIN that is nobody's.
// Whoever has a FIN would else learn the birth date by sending referrals until one is not refused for it. And it is of how many people somebody, or
// all of an institution, may learn the name, or that they have an open case, without referring them (docs/adr/0024).
type Guesses struct{ Person, Day, Member, Institution int }

//go:embed guesses.csv
var guessesFile string

var guessLines = sync.OnceValue(func() []ruleLine {
	return ruleLines("guesses.csv", guessesFile, func(name string) bool { return new(Guesses).at(name) != nil })
})

func (g *Guesses) at(name string) *int {
	switch name {
	case "person":
		return &g.Person
	case "day":
		return &g.Day
	case "member":
		return &g.Member
	case "institution":
		return &g.Institution
	}
	return nil
}

// GuessesOn are those of a day.
func GuessesOn(day tesdiq.Date) (g Guesses) {
	for _, l := range guessLines() {
		if !day.Before(l.since) {
			*g.at(l.name) = l.value
		}
	}
	return g
}

// Refusal says whether an institution whose referrals missed so often today may name another birth date; of the person, and in all. Beyond the
// limit the right one is refused, too, for it would tell that it is right. The error is of kind TooMany, with Args["Seconds"].
func (g Guesses) Refusal(person, day int, now time.Time) error {
	left := untilTomorrow(now)
	switch {
	case person >= g.Person:
		return tesdiq.NewProblem(tesdiq.TooMany, "tseras.referral.guesses.person").With("Limit", g.Person).With("Seconds", left).In("born")
	case day >= g.Day:
		return tesdiq.NewProblem(tesdiq.TooMany, "tseras.referral.guesses").With("Limit", g.Day).With("Seconds", left).In("born")
	}
	return nil
}

// LookRefusal says whether somebody who acts for an institution may name another person, who looked at so many others today without referring them; he
// himself, and all of the institution. Beyond the limit every referral is refused, whether the person has a case or none. The error is of kind
// TooMany, with Args["Seconds"].
func (g Guesses) LookRefusal(member, institution int, now time.Time) error {
	left := untilTomorrow(now)
	switch {
	case member >= g.Member:
		return tesdiq.NewProblem(tesdiq.TooMany, "tseras.referral.looks.member").With("Limit", g.Member).With("Seconds", left).In("subject")
	case institution >= g.Institution:
		return tesdiq.NewProblem(tesdiq.TooMany, "tseras.referral.looks").With("Limit", g.Institution).With("Seconds", left).In("subject")
	}
	return nil
}

// untilTomorrow is for how many seconds the day goes on.
func untilTomorrow(now time.Time) int {
	return max(1, int(tesdiq.DateOf(now).End().Sub(now)/time.Second)+1)
}
