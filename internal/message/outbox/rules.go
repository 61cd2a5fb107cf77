package outbox

import (
	"bufio"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
)

//go:embed rules.csv
var rulesFile string

// Rules are the parameters of one day.
type Rules struct {
	QuietFrom, QuietUntil time.Duration // since midnight in Baku; equal: never quiet
	DailyMost             int
	MessageFor            time.Duration
	CodeFor               time.Duration
	UnsureMost            int
	Settle                time.Duration
}

// Book is the rules of all days.
type Book struct{ lines []ruleLine }

type ruleLine struct {
	from        tesdiq.Date
	name, value string
}

// ReadBook reads the rules that are part of the program.
func ReadBook() (Book, error) { return readBook(rulesFile) }

func readBook(text string) (b Book, err error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if line := lines.Text(); line != "" && line[0] != '#' {
			f := strings.Split(line, ";")
			if len(f) != 5 || !slices.Contains([]string{"SEED", "FOUND", "RECALL", "ASSUMPTION"}, f[3]) || f[4] == "" {
				return b, fmt.Errorf("outbox: rules: line %d: five columns, with a label and its source", n)
			}
			from, err := tesdiq.ParseDate(f[0])
			if err != nil {
				return b, fmt.Errorf("outbox: rules: line %d: %w", n, err)
			}
			if err := new(Rules).set(f[1], f[2]); err != nil {
				return b, fmt.Errorf("outbox: rules: line %d: %w", n, err)
			}
			b.lines = append(b.lines, ruleLine{from, f[1], f[2]})
		}
	}
	slices.SortStableFunc(b.lines, func(x, y ruleLine) int { return x.from.Compare(y.from) })
	return b, lines.Err()
}

// WithoutQuiet is the book without its quiet hours, for the demonstration: whoever tries it at night waits for no morning.
func (b Book) WithoutQuiet() Book {
	return Book{slices.DeleteFunc(slices.Clone(b.lines), func(l ruleLine) bool { return strings.HasPrefix(l.name, "quiet_") })}
}

// On are the rules of a day.
func (b Book) On(day tesdiq.Date) (r Rules) {
	for _, l := range b.lines {
		if !day.Before(l.from) {
			_ = r.set(l.name, l.value) // it was tried when it was read
		}
	}
	return r
}

func (r *Rules) set(name, value string) error {
	number := func(unit time.Duration, to *time.Duration) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > 10_000 {
			return fmt.Errorf("%s: %q is not a number from 1 to 10000", name, value)
		}
		*to = time.Duration(n) * unit
		return nil
	}
	count := func(to *int) error {
		var d time.Duration
		err := number(1, &d)
		*to = int(d)
		return err
	}
	clock := func(to *time.Duration) error {
		t, err := time.Parse("15:04", value)
		if err != nil {
			return fmt.Errorf("%s: %q is not a time of day", name, value)
		}
		*to = time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
		return nil
	}
	switch name {
	case "quiet_from":
		return clock(&r.QuietFrom)
	case "quiet_until":
		return clock(&r.QuietUntil)
	case "daily_most":
		return count(&r.DailyMost)
	case "unsure_most":
		return count(&r.UnsureMost)
	case "message_hours":
		return number(time.Hour, &r.MessageFor)
	case "code_minutes":
		return number(time.Minute, &r.CodeFor)
	case "settle_minutes":
		return number(time.Minute, &r.Settle)
	}
	return fmt.Errorf("%q is not a rule", name)
}

// Quiet says whether a moment is in the quiet hours, and when they end.
func (r Rules) Quiet(now time.Time) (until time.Time, quiet bool) {
	midnight := tesdiq.DateOf(now).Start()
	clock := now.Sub(midnight)
	switch {
	case r.QuietFrom == r.QuietUntil:
		return now, false
	case r.QuietFrom < r.QuietUntil:
		return midnight.Add(r.QuietUntil), r.QuietFrom <= clock && clock < r.QuietUntil
	case clock < r.QuietUntil:
		return midnight.Add(r.QuietUntil), true
	}
	return midnight.Add(24*time.Hour + r.QuietUntil), clock >= r.QuietFrom
}
