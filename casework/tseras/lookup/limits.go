package lookup

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

//go:embed limits.csv
var limitsFile string

// Limits are the parameters of one day; limits.csv says what each means.
type Limits struct {
	CardDay, OfficeCardDay, AddressDay, MissesHour, OfficeDay, OperatorHour int
	ProofParts, ProofRounds, ProofBits, ProofDoublings                      int
	ProofFor                                                                time.Duration
	Step                                                                    time.Duration
}

// Book is the limits of all days.
type Book struct{ lines []limitLine }

type limitLine struct {
	from  tesdiq.Date
	name  string
	value int
}

// ReadBook reads the limits that are part of the program.
func ReadBook() (Book, error) { return readBook(limitsFile) }

func readBook(text string) (b Book, err error) {
	lines := bufio.NewScanner(strings.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, ";")
		if len(f) != 5 || !slices.Contains([]string{"SEED", "FOUND", "RECALL", "ASSUMPTION"}, f[3]) || f[4] == "" {
			return b, fmt.Errorf("lookup: limits: line %d: five columns, with a label and its source", n)
		}
		l := limitLine{name: f[1]}
		if l.from, err = tesdiq.ParseDate(f[0]); err != nil {
			return b, fmt.Errorf("lookup: limits: line %d: %w", n, err)
		}
		if l.value, err = strconv.Atoi(f[2]); err != nil || l.value < 0 || l.value > 1_000_000 {
			return b, fmt.Errorf("lookup: limits: line %d: %q is not a number from 0 to 1000000", n, f[2])
		}
		if !new(Limits).set(l.name, l.value) {
			return b, fmt.Errorf("lookup: limits: line %d: %q is not a limit", n, l.name)
		}
		b.lines = append(b.lines, l)
	}
	slices.SortStableFunc(b.lines, func(x, y limitLine) int { return x.from.Compare(y.from) })
	return b, lines.Err()
}

// With is the book with other values from the first day on, for tests and measurements.
func (b Book) With(values map[string]int) Book {
	out := Book{slices.DeleteFunc(slices.Clone(b.lines), func(l limitLine) bool { _, ok := values[l.name]; return ok })}
	for name, value := range values {
		out.lines = append(out.lines, limitLine{name: name, value: value, from: tesdiq.NewDate(2016, 1, 1)})
	}
	return out
}

// On are the limits of a day.
func (b Book) On(day tesdiq.Date) (l Limits) {
	for _, line := range b.lines {
		if !day.Before(line.from) {
			l.set(line.name, line.value)
		}
	}
	return l
}

func (l *Limits) set(name string, value int) bool {
	counts := map[string]*int{"card_day": &l.CardDay, "office_card_day": &l.OfficeCardDay, "address_day": &l.AddressDay,
		"misses_hour": &l.MissesHour, "office_day": &l.OfficeDay, "operator_hour": &l.OperatorHour, "proof_parts": &l.ProofParts,
		"proof_rounds": &l.ProofRounds, "proof_bits": &l.ProofBits, "proof_doublings": &l.ProofDoublings}
	switch to, ok := counts[name]; {
	case ok:
		*to = value
	case name == "proof_minutes":
		l.ProofFor = time.Duration(value) * time.Minute
	case name == "answer_ms":
		l.Step = time.Duration(value) * time.Millisecond
	default:
		return false
	}
	return true
}

// Bits is how many zero bits each part of a proof must have after so many questions of an address prefix on that day.
func (l Limits) Bits(asked int) int { return l.ProofBits + min(asked, l.ProofDoublings) }

// Counts are what has been asked before a question.
type Counts struct {
	Card     int // about the card today: by pages, or by offices
	Address  int // by the address prefix today
	Misses   int // by all addresses in the last hour, in vain
	Office   int // by the organisation today
	Operator int // by the operator in the last hour
}

// Refusal says whether a question may be asked at all at a moment; the error is a Problem of kind TooMany with Args["Seconds"]. It does
// not depend on the card: whoever is refused learns nothing of it.
func (l Limits) Refusal(way Way, c Counts, now time.Time) error {
	left := func(end time.Time) int { return max(1, int(end.Sub(now)/time.Second)+1) }
	tomorrow := left(tesdiq.DateOf(now).End())
	switch {
	case way != ByOffice && c.Address >= l.AddressDay:
		return tesdiq.NewProblem(tesdiq.TooMany, "lookup.address").With("Limit", l.AddressDay).With("Seconds", tomorrow)
	case way == ByOffice && c.Office >= l.OfficeDay:
		return tesdiq.NewProblem(tesdiq.TooMany, "lookup.office").With("Seconds", tomorrow)
	case way == ByOffice && c.Operator >= l.OperatorHour:
		return tesdiq.NewProblem(tesdiq.TooMany, "lookup.operator").With("Seconds", int(time.Hour/time.Second))
	}
	return nil
}

// Over says whether so much has been asked about the card today that nothing is answered any more. Whoever asks is not told.
func (l Limits) Over(way Way, c Counts) bool {
	if way == ByOffice {
		return c.Card >= l.OfficeCardDay
	}
	return c.Card >= l.CardDay
}

// Tripped says whether so much is asked in vain everywhere that nothing is shown to anybody without a telephone of his own.
func (l Limits) Tripped(c Counts) bool { return c.Misses >= l.MissesHour }
