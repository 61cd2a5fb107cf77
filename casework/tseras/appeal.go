package tseras

import (
	_ "embed"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

// An appeal is examined in person by another commission, drawn as the first was. It decides in place of the first decision:
// from the same evidence and the same earlier decisions, with findings of its own (docs/adr/0021-appeals.md).

// AppealRules are the parameters of appeals on one day.
type AppealRules struct {
	Days   int // calendar days after the decision in which it can be appealed
	Notice int // working days at least between the draw and the slot that it gives
	Ahead  int // working days within which slots are given and offered
	Moves  int // how often the person may choose another slot
	Again  int // how often there is a new slot for who cannot come, or did not come
	Words  int // letters that the person may write
}

//go:embed appeal.csv
var appealFile string

// ruleLine is a line of such a file.
type ruleLine struct {
	since tesdiq.Date
	name  string
	value int
}

var appealLines = sync.OnceValue(func() []ruleLine {
	return ruleLines("appeal.csv", appealFile, func(name string) bool { return new(AppealRules).at(name) != nil })
})

// ruleLines reads a file of parameters with the day from which each holds, its label and its source; the earliest first.
func ruleLines(file, text string, known func(name string) bool) (all []ruleLine) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.Comment, r.FieldsPerRecord = ';', '#', 5
	lines, err := r.ReadAll()
	if err != nil {
		panic(err) // our own file; a test reads it
	}
	for _, f := range lines {
		n, err := strconv.Atoi(f[2])
		if err != nil || n < 1 || !known(f[1]) || !slices.Contains([]string{"SEED", "FOUND", "RECALL", "ASSUMPTION"}, f[3]) || f[4] == "" {
			panic("tseras: " + file + ": " + f[1])
		}
		all = append(all, ruleLine{tesdiq.MustDate(f[0]), f[1], n})
	}
	slices.SortStableFunc(all, func(a, b ruleLine) int { return a.since.Compare(b.since) })
	return all
}

func (r *AppealRules) at(name string) *int {
	switch name {
	case "days":
		return &r.Days
	case "notice":
		return &r.Notice
	case "ahead":
		return &r.Ahead
	case "moves":
		return &r.Moves
	case "again":
		return &r.Again
	case "words":
		return &r.Words
	}
	return nil
}

// AppealRulesOn are those of a day: of that of the decision for the right to appeal, of the appeal's for the rest.
func AppealRulesOn(day tesdiq.Date) (r AppealRules) {
	for _, l := range appealLines() {
		if !day.Before(l.since) {
			*r.at(l.name) = l.value
		}
	}
	return r
}

// AppealUntil is the last day on which a case that was decided at a moment can be appealed.
func AppealUntil(decided time.Time) tesdiq.Date {
	on := tesdiq.DateOf(decided)
	return on.AddDays(AppealRulesOn(on).Days)
}

// Point is what is disputed.
type Point string

// The points.
const (
	OfCondition  Point = "condition"  // an illness was not considered, or not as severe as it is
	OfActivities Point = "activities" // the limits in everyday life
	OfCause      Point = "cause"
	OfTerm       Point = "term"
	OfOther      Point = "other" // what the words say
)

// Points are all of them, in the order in which a form asks.
var Points = []Point{OfCondition, OfActivities, OfCause, OfTerm, OfOther}

// Dispute is what the person holds against a decision. It stays in the file: a commission reads neither, because words may
// name the person and points tell what the first decision was. What there is to say he says in the room.
type Dispute struct {
	Points []Point
	Words  string
}

// Validate lists what is wrong with it on a day, by the fields points and words.
func (d Dispute) Validate(on tesdiq.Date) (ps tesdiq.Problems) {
	if len(d.Points) == 0 {
		ps.Add("points", tesdiq.Invalid("tseras.appeal.points"))
	}
	for i, p := range d.Points {
		if !slices.Contains(Points, p) || slices.Contains(d.Points[:i], p) {
			ps.Add("points", tesdiq.Invalid("tseras.appeal.points"))
			break
		}
	}
	ps.Add("words", tesdiq.CheckText(d.Words, AppealRulesOn(on).Words, slices.Contains(d.Points, OfOther)))
	return ps
}

// Problems of appeals.
var (
	// ErrAppealed: the decision was appealed already.
	ErrAppealed = tesdiq.NewProblem(tesdiq.Conflict, "tseras.appeal.once")
	// ErrNewer: a later decision on the person has taken its place.
	ErrNewer = tesdiq.NewProblem(tesdiq.Conflict, "tseras.appeal.newer")
	// ErrTaken: the slot is not free, or none that was offered.
	ErrTaken = tesdiq.NewProblem(tesdiq.Conflict, "tseras.slot.taken").In("slot")
	// ErrNoMoves: the person has moved his slot as often as he may.
	ErrNoMoves = tesdiq.NewProblem(tesdiq.Conflict, "tseras.slot.moves")
	// ErrNoneAgain: there has been a new slot already for who could not come.
	ErrNoneAgain = tesdiq.NewProblem(tesdiq.Conflict, "tseras.slot.again")
	// ErrEarly: the person's slot has not begun.
	ErrEarly = tesdiq.NewProblem(tesdiq.Conflict, "tseras.slot.early")
	// ErrGoesOn: the person's slot is not over.
	ErrGoesOn = tesdiq.NewProblem(tesdiq.Conflict, "tseras.slot.goes_on")
)

// MayAppeal says whether a case can be appealed at a moment, where earlier are the appeals there have been and newer tells of
// a later decision on the person.
func MayAppeal(c casework.Case, earlier []casework.Case, newer bool, now time.Time) error {
	switch {
	case c.Kind != Assessment || c.State != Decided:
		return casework.ErrState
	case slices.ContainsFunc(earlier, func(a casework.Case) bool { return a.State != Withdrawn }):
		return ErrAppealed
	case newer:
		return ErrNewer
	case tesdiq.DateOf(now).After(AppealUntil(c.Since)):
		return tesdiq.NewProblem(tesdiq.Conflict, "tseras.appeal.late").With("Day", AppealUntil(c.Since).String())
	}
	return nil
}

// Appealable are those of a person's cases that can be appealed at a moment, where all are all that he has.
func Appealable(all []casework.Case, now time.Time) (open []casework.Case) {
	for _, c := range all {
		var earlier []casework.Case
		newer := false
		for _, x := range all {
			if x.Kind == Appeal && x.About == c.ID {
				earlier = append(earlier, x)
			}
			newer = newer || x.Kind == Assessment && x.State == Decided && x.ID > c.ID
		}
		if MayAppeal(c, earlier, newer, now) == nil {
			open = append(open, c)
		}
	}
	return open
}

// First is the decision that an appeal is about.
type First struct {
	Annulled bool   // its entry was annulled since: there is nothing to confirm, and what the appeal finds is entered
	Number   string // of its case
	Result   criteria.Result
	Entry    string       // the examination's number; empty where nothing was entered
	Panel    string       // the commission's ID; empty where the registers alone decided
	Members  []tesdiq.FIN // who had a seat, the further member too
}

// Confirms says whether an appeal's result is the first one's: in all that people would call the same. Days are not compared,
// because an appeal is decided later.
func Confirms(first, r criteria.Result) bool {
	return first.Outcome == r.Outcome && first.Loss == r.Loss && first.Band == r.Band && first.Degree == r.Degree && first.Cause == r.Cause && first.Term == r.Term
}

// What an appeal's last step is called.
const (
	Confirmed = "confirmed" // the first decision stays: nothing is entered
	Replaced  = "replaced"  // by a further entry
)
