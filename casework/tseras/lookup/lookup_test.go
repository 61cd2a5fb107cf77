package lookup

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
)

var today = tesdiq.NewDate(2026, 11, 22)

func TestACardIsReadWithAndWithoutItsSeries(t *testing.T) {
	for typed, want := range map[string]string{
		"AA1234567": "AA1234567", "aa 123-45-67": "AA1234567", "1234567": "AA1234567", " 12345678 ": "AZE12345678", "AZE 12345678": "AZE12345678", "ab7654321": "AB7654321",
	} {
		if got, err := ReadCard(typed); err != nil || string(got) != want {
			t.Errorf("%q: %s, %v", typed, got, err)
		}
	}
	for typed, want := range map[string]string{
		"": "lookup.card.missing", " - ": "lookup.card.missing", "123456": "document.malformed", "123456789": "document.malformed", "AA12345678": "document.malformed",
		"BB1234567": "document.malformed", "AZE1234567": "document.malformed", "١٢٣٤٥٦٧": "document.malformed", "AA123456'": "document.malformed",
	} {
		if got, err := ReadCard(typed); !errors.Is(err, tesdiq.Invalid(want)) {
			t.Errorf("%q: %s, %v", typed, got, err)
		}
	}
}

func TestABirthdayIsRead(t *testing.T) {
	for typed, want := range map[string]string{"17.04.1981": "1981-04-17", "7.4.1981": "1981-04-07", "17041981": "1981-04-17", " 1981-04-17": "1981-04-17"} {
		if got, err := ReadBorn(typed, today); err != nil || got.ISO() != want {
			t.Errorf("%q: %s, %v", typed, got, err)
		}
	}
	for typed, want := range map[string]string{
		"": "date.missing", "x": "date.malformed", "31.02.1981": "date.malformed", "23.11.2026": "date.future", "21.11.1896": "lookup.born.early", "99999999": "date.malformed",
	} {
		if got, err := ReadBorn(typed, today); !errors.Is(err, tesdiq.Invalid(want)) {
			t.Errorf("%q: %s, %v", typed, got, err)
		}
	}
}

func TestWhatIsToldOfWhatIsFound(t *testing.T) {
	examined, until, next := tesdiq.NewDate(2025, 11, 4), tesdiq.NewDate(2028, 11, 4), tesdiq.NewDate(2028, 9, 4)
	f := Found{Subject: "5ZK8R2M", Open: true, ExaminedOn: examined, Disability: true, Until: until, Next: next}
	for name, c := range map[string]struct {
		change func(*Found)
		want   Result
	}{
		"a term":                      {func(*Found) {}, Result{Decided, examined, next, false}},
		"a term without a window":     {func(f *Found) { f.Next = tesdiq.Date{} }, Result{Decided, examined, until, false}},
		"indefinite":                  {func(f *Found) { f.Next, f.Until = tesdiq.Date{}, tesdiq.Date{} }, Result{Decided, examined, tesdiq.Date{}, true}},
		"no disability":               {func(f *Found) { f.Disability, f.Next, f.Until = false, tesdiq.Date{}, tesdiq.Date{} }, Result{Decided, examined, tesdiq.Date{}, false}},
		"under review again":          {func(f *Found) { f.UnderReview = true }, Result{UnderReview, examined, next, false}},
		"under review the first time": {func(f *Found) { *f = Found{Subject: f.Subject, Open: true, UnderReview: true} }, Result{Outcome: UnderReview}},
		"never examined":              {func(f *Found) { *f = Found{Subject: f.Subject, Open: true} }, Result{Outcome: None}},
		"switched off":                {func(f *Found) { f.Open, f.UnderReview = false, true }, Result{Outcome: Closed}},
		"nobody":                      {func(f *Found) { f.Subject = "" }, Result{Outcome: None}},
	} {
		g := f
		c.change(&g)
		if got := g.Result(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestTheLimitsAreData(t *testing.T) {
	b, err := ReadBook()
	if err != nil {
		t.Fatal(err)
	}
	l := b.On(today)
	if l.CardDay != 3 || l.AddressDay != 10 || l.ProofParts == 0 || l.ProofFor == 0 || l.Step == 0 || l.MissesHour == 0 || l.OfficeDay == 0 || l.OperatorHour == 0 || l.OfficeCardDay == 0 {
		t.Errorf("%+v", l)
	}
	if b.On(tesdiq.NewDate(2015, 12, 31)) != (Limits{}) {
		t.Error("limits hold before their day")
	}
	if w := b.With(map[string]int{"card_day": 7}).On(today); w.CardDay != 7 || w.AddressDay != 10 {
		t.Errorf("%+v", w)
	}
	for _, line := range []string{"2016-01-01;card_day;3;GUESS;x", "2016-01-01;card_day;3;ASSUMPTION;", "2016-01-01;card_day;many;ASSUMPTION;x", "2016-01-01;cards;3;ASSUMPTION;x", "x;card_day;3;ASSUMPTION;x", "2016-01-01;card_day;-1;ASSUMPTION;x"} {
		if _, err := readBook(line); err == nil {
			t.Errorf("%s is read", line)
		}
	}
	now := time.Date(2026, 11, 22, 19, 59, 0, 0, time.UTC) // a minute before midnight in Baku
	for name, c := range map[string]struct {
		way    Way
		counts Counts
		want   string
	}{
		"one address's day": {ByPage, Counts{Address: 10}, "lookup.address"}, "by telephone too": {ByTelephone, Counts{Address: 10}, "lookup.address"},
		"an office's day": {ByOffice, Counts{Office: 2000}, "lookup.office"}, "an operator's hour": {ByOffice, Counts{Operator: 60}, "lookup.operator"},
		"not for an office": {ByOffice, Counts{Address: 10, Misses: 1 << 20}, ""}, "a card's day is not told": {ByPage, Counts{Card: 3, Address: 9, Misses: 1 << 20}, ""},
	} {
		err := l.Refusal(c.way, c.counts, now)
		if c.want == "" && err == nil {
			continue
		}
		p := tesdiq.ProblemsOf(err)[0]
		if p.Key != c.want || p.Kind != tesdiq.TooMany || c.want != "lookup.operator" && p.Args["Seconds"] != 61 {
			t.Errorf("%s: %v %v", name, err, p.Args)
		}
	}
	if l.Over(ByPage, Counts{Card: 2}) || !l.Over(ByPage, Counts{Card: 3}) || l.Over(ByOffice, Counts{Card: 2}) || !l.Over(ByOffice, Counts{Card: 3}) {
		t.Error("a card's day")
	}
	if l.Tripped(Counts{Misses: l.MissesHour - 1}) || !l.Tripped(Counts{Misses: l.MissesHour}) {
		t.Error("the tripwire")
	}
	if l.Bits(0) != l.ProofBits || l.Bits(2) != l.ProofBits+2 || l.Bits(1000) != l.ProofBits+l.ProofDoublings {
		t.Error("the cost of a proof")
	}
}

// P4: what is forged, expired, wrong or too short is refused, each part of it.
func TestAProofIsCheckedWhole(t *testing.T) {
	secret, now := Secret(bytes.Repeat([]byte{7}, 32)), time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	l := Limits{ProofParts: 3, ProofRounds: 2, ProofBits: 6, ProofDoublings: 2, ProofFor: time.Minute}
	p, err := l.NewPuzzle(1, now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text := p.Text(secret)
	proof, err := Solve(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := proof.Check(secret, now); err != nil || got.ID != p.ID || got.Bits != 7 || got.Parts != 3 || got.Rounds != 2 || !got.Until.Equal(p.Until) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := proof.Check(secret, p.Until.Add(-time.Nanosecond)); err != nil {
		t.Error(err)
	}
	refused := func(name string, q Proof, at time.Time, s Secret, want error) {
		t.Helper()
		if _, err := q.Check(s, at); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	refused("expired", proof, p.Until, secret, ErrProofExpired)
	refused("of another installation", proof, now, Secret(bytes.Repeat([]byte{8}, 32)), ErrProofWrong)
	numbers := strings.Split(proof.Numbers, ".")
	for part := range numbers {
		n, _ := strconv.ParseUint(numbers[part], 10, 32)
		for n++; ; n++ { // the next number that is none
			if zeros, _ := p.zeros(text, part, n); zeros < p.Bits {
				break
			}
		}
		wrong := append([]string{}, numbers...)
		wrong[part] = strconv.FormatUint(n, 10)
		refused("a wrong part", Proof{text, strings.Join(wrong, ".")}, now, secret, ErrProofWrong)
	}
	for _, n := range []string{"", "x", ".", "..", strings.Join(numbers[:2], "."), proof.Numbers + ".0", "-" + proof.Numbers, "0" + proof.Numbers, "+" + proof.Numbers, "4294967296.0.0", proof.Numbers + "\n"} {
		refused("numbers "+n, Proof{text, n}, now, secret, ErrProofWrong)
	}
	// Each letter of the text is covered by the signature.
	for i := range text {
		other := byte('A')
		if text[i] == 'A' {
			other = 'B'
		}
		refused("a forged puzzle", Proof{text[:i] + string(other) + text[i+1:], proof.Numbers}, now, secret, ErrProofWrong)
	}
	refused("no puzzle", Proof{"", proof.Numbers}, now, secret, ErrProofWrong)
	refused("half a puzzle", Proof{text[:20], proof.Numbers}, now, secret, ErrProofWrong)
	// A cheaper one under our own name does not come from us.
	cheap := p
	cheap.Parts = 0
	refused("without parts", Proof{cheap.Text(Secret("x")), ""}, now, secret, ErrProofWrong)
}

func TestAnswersComeAtSteps(t *testing.T) {
	const step = 300 * time.Millisecond
	for taken, want := range map[time.Duration]time.Duration{0: step, time.Millisecond: 299 * time.Millisecond, 299 * time.Millisecond: time.Millisecond, step: step, 450 * time.Millisecond: 150 * time.Millisecond} {
		if got := Wait(taken, step); got != want {
			t.Errorf("after %s: %s, want %s", taken, got, want)
		}
	}
	if Wait(time.Second, 0) != 0 {
		t.Error("without a step there is a wait")
	}
}

// What is counted is under a name that nobody can read back, and differs by purpose.
func TestCardsAndAddressesAreCountedUnderHMACs(t *testing.T) {
	a, b := Secret(bytes.Repeat([]byte{1}, 32)), Secret(bytes.Repeat([]byte{2}, 32))
	if bytes.Equal(a.Card("AA1234567"), b.Card("AA1234567")) || bytes.Equal(a.Card("AA1234567"), a.Card("AA1234568")) || bytes.Equal(a.Card("x"), a.Address("x")) || len(a.Card("")) != 32 {
		t.Error("HMACs are alike")
	}
}

// BenchmarkSolve is the browser's work at the first question; BenchmarkCheck ours.
func BenchmarkSolve(b *testing.B) {
	book, err := ReadBook()
	if err != nil {
		b.Fatal(err)
	}
	secret, now := Secret(bytes.Repeat([]byte{7}, 32)), time.Now()
	for b.Loop() {
		p, err := book.On(today).NewPuzzle(0, now, rand.Reader)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Solve(p.Text(secret)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	book, err := ReadBook()
	if err != nil {
		b.Fatal(err)
	}
	secret, now := Secret(bytes.Repeat([]byte{7}, 32)), time.Now()
	p, err := book.On(today).NewPuzzle(0, now, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	proof, err := Solve(p.Text(secret))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := proof.Check(secret, now); err != nil {
			b.Fatal(err)
		}
	}
}
