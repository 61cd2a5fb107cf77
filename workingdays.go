package tesdiq

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "embed"
)

// calendarFile is the calendar that the program brings along.
//
//go:embed calendar.csv
var calendarFile string

// Calendar knows which days are working days in Azerbaijan (Labour Code, articles 105–107), in the years that its data
// cover and in no other.
type Calendar struct {
	rest  map[Date]bool // working days of the week on which nobody works
	work  map[Date]bool // weekend days on which everybody works
	known map[int]bool  // years
	// The years of which at least the yearly holidays are marked.
	since, until int
}

// AzerbaijanCalendar is the calendar that the program brings along: 2016 to 2026.
var AzerbaijanCalendar = sync.OnceValue(func() *Calendar {
	c, err := ReadCalendar(strings.NewReader(calendarFile))
	if err != nil {
		panic(err) // our own file; a test reads it
	}
	return c
})

// calendarLine is one line of data; see calendar.csv.
type calendarLine struct {
	kind     string
	since    int
	from, to string
}

// ReadCalendar reads a calendar from files in the form of calendar.csv; later files add to earlier ones.
func ReadCalendar(files ...io.Reader) (*Calendar, error) {
	var lines []calendarLine
	for _, f := range files {
		r := csv.NewReader(f)
		r.Comma, r.Comment, r.FieldsPerRecord = ';', '#', 7
		for {
			fields, err := r.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("tesdiq: calendar: %w", err)
			}
			n, _ := r.FieldPos(0)
			l, err := readCalendarLine(fields)
			if err != nil {
				return nil, fmt.Errorf("tesdiq: calendar: line %d: %w", n, err)
			}
			lines = append(lines, l)
		}
	}
	return newCalendar(lines)
}

func readCalendarLine(fields []string) (calendarLine, error) {
	l := calendarLine{kind: fields[0], from: fields[2], to: fields[3]}
	if l.to == "" {
		l.to = l.from
	}
	year := ""
	switch l.kind {
	case "every", "mourning":
		n, err := strconv.Atoi(fields[1])
		if err != nil {
			return l, fmt.Errorf("since %q", fields[1])
		}
		l.since, year = n, "2000-" // a leap year, to try the days with
	case "holiday", "feast", "polling", "off", "work":
	default:
		return l, fmt.Errorf("kind %q", l.kind)
	}
	if fields[5] != "FOUND" && fields[5] != "RECALL" || fields[6] == "" {
		return l, errors.New("label and source are needed")
	}
	from, err1 := ParseDate(year + l.from)
	to, err2 := ParseDate(year + l.to)
	if err := errors.Join(err1, err2); err != nil {
		return l, err
	}
	if to.Before(from) || from.DaysUntil(to) > 14 {
		return l, fmt.Errorf("from %s to %s", l.from, l.to)
	}
	return l, nil
}

// each calls f with every day of the line in a year.
func (l calendarLine) each(year int, f func(Date)) {
	prefix := ""
	if l.since > 0 {
		if year < l.since {
			return
		}
		prefix = fmt.Sprintf("%04d-", year)
	}
	d, err1 := ParseDate(prefix + l.from)
	to, err2 := ParseDate(prefix + l.to)
	if err1 != nil || err2 != nil {
		return // 29 February, which this year does not have
	}
	for ; !d.After(to); d = d.AddDays(1) {
		if d.Year() == year {
			f(d)
		}
	}
}

// ahead is for how many years after the last known one the yearly holidays are marked, for Term.
const ahead = 3

// newCalendar applies the rules to the data of all years that are known.
func newCalendar(lines []calendarLine) (*Calendar, error) {
	c := &Calendar{rest: make(map[Date]bool), work: make(map[Date]bool), known: make(map[int]bool)}
	feasts := map[int]int{} // Novruz, Ramazan and Qurban: by these a year is known
	first, last := 0, 0
	for _, l := range lines {
		if l.kind == "holiday" || l.kind == "feast" {
			y := MustDate(l.from).Year()
			if feasts[y]++; feasts[y] >= 3 {
				c.known[y] = true
				if first == 0 {
					first, last = y, y
				}
				first, last = min(first, y), max(last, y)
			}
		}
	}
	if len(c.known) == 0 {
		return nil, errors.New("tesdiq: calendar: no year has Novruz, Ramazan and Qurban")
	}

	c.since, c.until = first, last+ahead
	holidays, still := map[Date]int{}, map[Date]bool{} // holidays: how many of them fall on a day; still: not carried over
	feast := map[Date]bool{}
	for year := first; year <= c.until; year++ {
		for _, l := range lines {
			l.each(year, func(d Date) {
				switch l.kind {
				case "every", "holiday":
					holidays[d]++
				case "feast":
					holidays[d]++
					feast[d] = true
				case "mourning", "polling":
					still[d] = true
				}
			})
		}
	}
	c.carry(holidays, still, feast)
	for year := first; year <= last; year++ {
		for _, l := range lines {
			l.each(year, func(d Date) {
				switch l.kind {
				case "off":
					c.rest[d] = true
					delete(c.work, d)
				case "work":
					delete(c.rest, d)
					c.work[d] = true
				}
			})
		}
	}
	return c, nil
}

// carry marks all holidays, and for each that falls on a weekend, or is a feast on another holiday, the next working day.
// Source: Labour Code, article 105, paragraphs 5 and 6. A day can ask for two: 21 March 2026 was a Saturday, Novruz and
// Ramazan, and that month nobody worked from the 20th to the 30th.
func (c *Calendar) carry(holidays map[Date]int, still, feast map[Date]bool) {
	days := make([]Date, 0, len(holidays))
	for d := range holidays {
		c.rest[d] = true
		days = append(days, d)
	}
	for d := range still {
		c.rest[d] = true
	}
	slices.SortFunc(days, Date.Compare)
	for _, d := range days {
		n := 0
		if weekend(d) {
			n++
		}
		if feast[d] && holidays[d] > 1 {
			n++
		}
		for next := d.AddDays(1); n > 0; next = next.AddDays(1) {
			if !weekend(next) && !c.rest[next] {
				c.rest[next] = true
				n--
			}
		}
	}
}

func weekend(d Date) bool { return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday }

// Working says whether d is a working day. The error is a Problem of kind Unavailable, "calendar.unknown" (Year): the
// Cabinet of Ministers sets the movable holidays each December, so of a further year nobody can know.
func (c *Calendar) Working(d Date) (bool, error) {
	if !c.known[d.Year()] {
		return false, NewProblem(Unavailable, "calendar.unknown").With("Year", d.Year())
	}
	return c.work[d] || !weekend(d) && !c.rest[d], nil
}

// AddWorkingDays is the n-th working day after from, which does not count itself: a term of 15 working days that begins
// with a registration ends on AddWorkingDays(registered, 15). It is from when n is 0; n is not negative.
func (c *Calendar) AddWorkingDays(from Date, n int) (Date, error) {
	if n < 0 {
		panic("tesdiq: a negative number of working days")
	}
	for n > 0 {
		from = from.AddDays(1)
		working, err := c.Working(from)
		if err != nil {
			return Date{}, err
		}
		if working {
			n--
		}
	}
	return from, nil
}

// Term is the last day of a term of n working days that begins with from, which does not count itself. Where it reaches
// into years whose movable holidays are not set yet (see Working), it counts these by the yearly holidays alone and is
// provisional: the day may come to lie later. It is for telling people until when something is due, and for no decision
// that hangs on a day. The error is that of Working, for years that are further ahead or before the data.
func (c *Calendar) Term(from Date, n int) (last Date, provisional bool, err error) {
	if n < 0 {
		panic("tesdiq: a negative number of working days")
	}
	for n > 0 {
		from = from.AddDays(1)
		working, err := c.Working(from)
		if err != nil {
			if from.Year() < c.since || from.Year() > c.until {
				return Date{}, false, err
			}
			provisional, working = true, !weekend(from) && !c.rest[from]
		}
		if working {
			n--
		}
	}
	return from, provisional, nil
}

// Left counts the working days after from up to and including to, negative when to comes first. It counts as Term does, and is
// for the same: Left(from, last of Term(from, n)) is n.
func (c *Calendar) Left(from, to Date) (n int, err error) {
	if to.Before(from) {
		n, err := c.Left(to, from)
		return -n, err
	}
	for {
		next, _, err := c.Term(from, 1)
		if err != nil || to.Before(next) {
			return n, err
		}
		from = next
		n++
	}
}

// Between counts the working days after from up to and including to; negative when to comes first.
func (c *Calendar) Between(from, to Date) (int, error) {
	if to.Before(from) {
		n, err := c.Between(to, from)
		return -n, err
	}
	n := 0
	for from.Before(to) {
		from = from.AddDays(1)
		working, err := c.Working(from)
		if err != nil {
			return 0, err
		}
		if working {
			n++
		}
	}
	return n, nil
}
