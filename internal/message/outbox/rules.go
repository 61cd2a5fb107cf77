package outbox

import (
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
type Book struct{ figures tesdiq.Figures }

// ReadBook reads the rules that are part of the program.
func ReadBook() (Book, error) { return readBook(rulesFile) }

func readBook(text string) (Book, error) {
	all, err := tesdiq.ReadFigures(text, new(Rules).set)
	if err != nil {
		return Book{}, fmt.Errorf("outbox: rules: %w", err)
	}
	return Book{all}, nil
}

// WithoutQuiet is the book without its quiet hours, for the demonstration: whoever tries it at night waits for no morning.
func (b Book) WithoutQuiet() Book {
	return Book{slices.DeleteFunc(slices.Clone(b.figures), func(f tesdiq.Figure) bool { return strings.HasPrefix(f.Name, "quiet_") })}
}

// On are the rules of a day.
func (b Book) On(day tesdiq.Date) (r Rules) {
	b.figures.On(day, r.set)
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
