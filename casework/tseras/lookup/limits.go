package lookup

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
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
type Book struct{ figures tesdiq.Figures }

// ReadBook reads the limits that are part of the program.
func ReadBook() (Book, error) { return readBook(limitsFile) }

func readBook(text string) (Book, error) {
	all, err := tesdiq.ReadFigures(text, new(Limits).set)
	if err != nil {
		return Book{}, fmt.Errorf("lookup: limits: %w", err)
	}
	return Book{all}, nil
}

// With is the book with other values from the first day on, for tests and measurements.
func (b Book) With(values map[string]int) Book {
	out := Book{slices.DeleteFunc(slices.Clone(b.figures), func(f tesdiq.Figure) bool { _, ok := values[f.Name]; return ok })}
	for name, value := range values {
		out.figures = append(out.figures, tesdiq.Figure{Since: tesdiq.NewDate(2016, 1, 1), Name: name, Value: strconv.Itoa(value)})
	}
	return out
}

// On are the limits of a day.
func (b Book) On(day tesdiq.Date) (l Limits) {
	b.figures.On(day, l.set)
	return l
}

func (l *Limits) set(name, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > 1_000_000 {
		return fmt.Errorf("%q is not a number from 0 to 1000000", value)
	}
	counts := map[string]*int{"card_day": &l.CardDay, "office_card_day": &l.OfficeCardDay, "address_day": &l.AddressDay,
		"misses_hour": &l.MissesHour, "office_day": &l.OfficeDay, "operator_hour": &l.OperatorHour, "proof_parts": &l.ProofParts,
		"proof_rounds": &l.ProofRounds, "proof_bits": &l.ProofBits, "proof_doublings": &l.ProofDoublings}
	switch to, ok := counts[name]; {
	case ok:
		*to = n
	case name == "proof_minutes":
		l.ProofFor = time.Duration(n) * time.Minute
	case name == "answer_ms":
		l.Step = time.Duration(n) * time.Millisecond
	default:
		return fmt.Errorf("%q is not a limit", name)
	}
	return nil
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
