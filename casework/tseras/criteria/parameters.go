package criteria

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// parameter is one dated value that the law gives or leaves open.
type parameter struct {
	span
	ref
	name  string
	value string
}

// num is a number with where it comes from.
type num struct {
	ref
	n int
}

// word is a word with where it comes from.
type word struct {
	ref
	value string
}

// params are the parameters in force on one day, by name in parameters.csv.
type params struct {
	adultAge, workAge int

	step, noneUpTo, cap, add, countsFrom   num // percent
	bandFrom                               [4]num
	chromosomeLeast                        num // percent; 0 where there is no such rule
	activitiesRaise                        num // bands
	keepIndefinite                         word
	usualTerm                              [4]word // by severity 1 to 3
	childTerm, raisedTerm                  word
	childLifelong                          word   // of a child whose disorder does not pass; none: the criterion's own line says it
	record                                 [4]num // years, by severity
	recordMixed, recordGap                 num    // years, days
	recordHigher, recordChild, recordToEnd word
	window, invite, remind, late           num // days
	priorProves                            word
	registers                              []string // which must have answered before anything is decided alone
	registersRef                           ref
	registersFresh                         num // days
}

// ofPercents are the names of what only the law of percents knows, by their beginnings: a version may have them from it on.
var ofPercents = []string{"percent.", "combination.", "band.", "chromosome.", "activities.", "term.raised", "record.", "alone."}

// since2 are those that came with version 2.
var since2 = []string{"term.child_lifelong", "late.days"}

// mayLack says whether a version is whole on a day without a parameter.
func (g *regime) mayLack(name string) bool {
	return g.law.Method != percents && slices.ContainsFunc(ofPercents, func(begins string) bool { return strings.HasPrefix(name, begins) }) ||
		slices.Contains(since2, name)
}

// setParams finds each parameter on a day. What may be lacking is 0 or "".
func (g *regime) setParams(all []parameter, day tesdiq.Date) error {
	var wrong []string
	used := map[string]bool{}
	find := func(name string) parameter {
		used[name] = true
		var found []parameter
		for _, p := range all {
			if p.name == name && p.holds(day) {
				found = append(found, p)
			}
		}
		if len(found) == 0 && g.mayLack(name) {
			return parameter{}
		}
		if len(found) != 1 {
			wrong = append(wrong, fmt.Sprintf("%s: %d values", name, len(found)))
			return parameter{}
		}
		return found[0]
	}
	number := func(name string) num {
		p := find(name)
		if p.name == "" {
			return num{}
		}
		n, err := strconv.Atoi(p.value)
		if err != nil || n < 0 {
			wrong = append(wrong, fmt.Sprintf("%s: not a number: %q", name, p.value))
		}
		return num{p.ref, n}
	}
	text := func(name string, allowed ...string) word {
		p := find(name)
		if p.name != "" && !slices.Contains(allowed, p.value) {
			wrong = append(wrong, fmt.Sprintf("%s: %q is none of %v", name, p.value, allowed))
		}
		return word{p.ref, p.value}
	}
	terms := strings.Fields(find("term.allowed").value)
	for _, t := range terms {
		if Term(t).length() == 0 {
			wrong = append(wrong, fmt.Sprintf("term.allowed: %q is no term", t))
		}
	}
	for _, k := range g.listed {
		if k.Term != "" && !slices.Contains(terms, string(k.Term)) {
			wrong = append(wrong, fmt.Sprintf("criterion %s: the term %q is not allowed", k.ID, k.Term))
		}
	}
	registers := find("alone.registers")
	g.params = params{
		adultAge: number("adult.age").n, workAge: number("work.age").n,
		step: number("percent.step"), noneUpTo: number("percent.none_up_to"), cap: number("percent.cap"),
		add: number("combination.add"), countsFrom: number("combination.counts_from"),
		bandFrom:        [4]num{{}, number("band.1"), number("band.2"), number("band.3")},
		chromosomeLeast: number("chromosome.least"),
		activitiesRaise: number("activities.raise"),
		keepIndefinite:  text("indefinite.kept", "yes", "no"),
		usualTerm:       [4]word{{}, text("term.1", terms...), text("term.2", terms...), text("term.3", terms...)},
		childTerm:       text("term.child", terms...), raisedTerm: text("term.raised", "usual", "criterion"),
		childLifelong: text("term.child_lifelong", string(To18)),
		record:        [4]num{{}, number("record.1"), number("record.2"), number("record.3")},
		recordMixed:   number("record.mixed"), recordGap: number("record.gap"),
		recordHigher: text("record.higher_counts", "yes", "no"), recordChild: text("record.child_counts", "stated", "no"),
		recordToEnd: text("record.counts_to_end", "yes", "no"),
		window:      number("window.days"), invite: number("invite.days"), remind: number("remind.days"), late: number("late.days"),
		priorProves:    text("cause.prior_proves", "yes", "no"),
		registers:      strings.Fields(registers.value),
		registersRef:   registers.ref,
		registersFresh: number("alone.registers_fresh"),
	}
	for _, p := range all {
		if p.holds(day) && !used[p.name] {
			wrong = append(wrong, p.name+": nothing knows it")
		}
	}
	if g.invite.n <= g.window.n || g.window.n <= g.remind.n {
		wrong = append(wrong, "invitation, window and reminder do not follow each other")
	}
	if len(wrong) > 0 {
		return fmt.Errorf("parameters: %s", strings.Join(wrong, "; "))
	}
	return nil
}
