package tesdiq_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
)

// rule is what a table sets: one figure.
type rule int

func (r *rule) set(name, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || name != "days" {
		return fmt.Errorf("%s: %q", name, value)
	}
	*r = rule(n)
	return nil
}

func TestFiguresHoldFromTheirDayOn(t *testing.T) {
	figures, err := tesdiq.ReadFigures("# a comment\n\n2026-07-01;days;10;FOUND;a later act\n2016-01-01;days;30;ASSUMPTION;none was found\n", new(rule).set)
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[tesdiq.Date]rule{
		tesdiq.NewDate(2015, 12, 31): 0, tesdiq.NewDate(2016, 1, 1): 30, tesdiq.NewDate(2026, 6, 30): 30, tesdiq.NewDate(2026, 7, 1): 10,
	} {
		var r rule
		if figures.On(day, r.set); r != want {
			t.Errorf("%s: %d, want %d", day, r, want)
		}
	}
}

func TestFiguresAreReadStrictly(t *testing.T) {
	for _, line := range []string{
		"2016-01-01;days;30;ASSUMPTION", "2016-01-01;days;30;ASSUMPTION;", "2016-01-01;days;30;GUESS;so", "2016-01-01;days;30;SEED;so;more",
		"01.13.2016;days;30;SEED;so", "2016-01-01;weeks;30;SEED;so", "2016-01-01;days;many;SEED;so",
	} {
		if _, err := tesdiq.ReadFigures("# first\n"+line, new(rule).set); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
