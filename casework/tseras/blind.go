package tseras

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
)

// BlindNumber is how a commission knows a case: eight random digits that stand nowhere else, shown as "5820 4417".
type BlindNumber string

// NewBlindNumber draws a number.
func NewBlindNumber(random io.Reader) (BlindNumber, error) {
	digits := make([]byte, 0, 8)
	var b [1]byte
	for len(digits) < cap(digits) {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("tseras: number: %w", err)
		}
		if b[0] < 250 { // so that each digit is as likely as the others
			digits = append(digits, '0'+b[0]%10)
		}
	}
	return BlindNumber(digits), nil
}

// ParseBlindNumber reads a number that stands in an address or was typed. The problem is ErrMissing's: such a case there is not.
func ParseBlindNumber(s string) (BlindNumber, error) {
	s = strings.ReplaceAll(s, " ", "")
	if len(s) != 8 || strings.Trim(s, "0123456789") != "" {
		return "", tesdiq.NewProblem(tesdiq.NotFound, "case.missing")
	}
	return BlindNumber(s), nil
}

// String groups the digits.
func (b BlindNumber) String() string {
	if len(b) != 8 {
		return string(b)
	}
	return string(b[:4]) + " " + string(b[4:])
}

// AgeGroup is an age as a commission is told it, by the group's first year; the groups are those that the law and the
// clinical scales tell apart.
type AgeGroup int

var ageGroups = []AgeGroup{0, 3, 7, 15, 18, 25, 35, 45, 55, 65, 75}

// AgeGroupOf is the group of somebody born on a day, on another day.
func AgeGroupOf(born, on tesdiq.Date) AgeGroup {
	group := AgeGroup(0)
	for _, g := range ageGroups {
		if !on.Before(born.AddYears(int(g))) {
			group = g
		}
	}
	return group
}

// String is "35–44", "75+".
func (g AgeGroup) String() string {
	for i, known := range ageGroups {
		if known == g && i+1 < len(ageGroups) {
			return fmt.Sprintf("%d–%d", g, ageGroups[i+1]-1)
		}
	}
	return fmt.Sprintf("%d+", g)
}

// Adult says whether the group's people are 18 or older.
func (g AgeGroup) Adult() bool { return g >= 18 }

// Works says whether the life activity "work" is assessed: not under 15. Source: pia.az/…461885 (FOUND).
func (g AgeGroup) Works() bool { return g >= 15 }

// Months is how long ago something was, in whole months; ten years and more is told as ten years.
type Months int

// mostMonths is where Months end: longer ago tells more of a person than of the disease.
const mostMonths = 120

func monthsAgo(d, on tesdiq.Date) Months {
	n := Months(0)
	for n < mostMonths && !d.AddMonths(int(n)+1).After(on) {
		n++
	}
	return n
}

// BlindDiagnosis is a diagnosis as a commission sees it.
type BlindDiagnosis struct {
	Code  ICD    `json:"code"`
	Since Months `json:"since_months"`
}

// BlindTest is a test's result as a commission sees it.
type BlindTest struct {
	Code  TestCode `json:"code"`
	Value int      `json:"value"`
	Ago   Months   `json:"ago_months"`
}

// FactCode is a fact of a register in the words of the rules: "diagnosis", "chronic_dialysis".
type FactCode string

// BlindFact is what a register says, as a commission sees it.
type BlindFact struct {
	Register gateway.Register `json:"register"`
	Code     FactCode         `json:"code"`
	ICD      ICD              `json:"icd,omitempty"`
	Since    Months           `json:"since_months"`
}

// BlindReferral is a referral as the commission sees it: a type that can hold neither the person nor the sender. It has
// no text, no day and no number of anything but measures, and its codes come from closed lists (A11).
type BlindReferral struct {
	Age       AgeGroup         `json:"age"`
	Ground    Ground           `json:"ground"`
	Again     bool             `json:"again"` // assessed before
	Main      BlindDiagnosis   `json:"main"`
	Others    []BlindDiagnosis `json:"others,omitempty"`
	Inpatient int              `json:"inpatient"`      // stays in hospital in the last two years
	Treated   Months           `json:"treated_months"` // months of treatment in the last two years
	Tests     []BlindTest      `json:"tests,omitempty"`
	Facts     []BlindFact      `json:"facts,omitempty"`
}

// Commitment is what the step that draws a commission, and so its ledger line, says of what the commission is shown: SHA-256 of label, salt and the
// referral's JSON. A case is about so little that without the salt it could be found by trying.
func (b BlindReferral) Commitment(salt []byte) ([sha256.Size]byte, error) {
	text, err := json.Marshal(b)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("tseras: blind referral: %w", err)
	}
	h := sha256.New()
	for _, part := range []string{"tesdiq blind referral v1", string(salt), string(text)} {
		h.Write(framed(part))
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// StepShown is under what the step that draws a commission has that commitment, in hexadecimal.
const StepShown = "Shown"

// lookBack is how many years of treatment a commission is told of. ASSUMPTION.
const lookBack = 2

// Blind is what a commission sees of a referral and of the registers' facts about a person born on a day.
func Blind(r Referral, e Evidence, born tesdiq.Date, again bool) BlindReferral {
	b := BlindReferral{Age: AgeGroupOf(born, r.On), Ground: r.Ground, Again: again, Main: r.Main.blind(r.On)}
	for _, d := range r.Others {
		b.Others = append(b.Others, d.blind(r.On))
	}
	since := r.On.AddYears(-lookBack)
	days := 0
	for _, t := range r.Treatments {
		from, to := t.From, t.To
		if to.IsZero() || to.After(r.On) {
			to = r.On
		}
		if from.Before(since) {
			from = since
		}
		if to.Before(from) {
			continue
		}
		days += from.DaysUntil(to) + 1
		if t.Inpatient {
			b.Inpatient++
		}
	}
	const daysOfMonth = 30
	b.Treated = min(Months(days/daysOfMonth), lookBack*12)
	for _, t := range r.Tests {
		b.Tests = append(b.Tests, BlindTest{t.Code, t.Value, monthsAgo(t.On, r.On)})
	}
	for _, o := range e {
		for _, f := range factsOf(o) {
			if icd, err := ParseICD(f.ICD); err == nil {
				b.Facts = append(b.Facts, BlindFact{o.Register, FactCode(f.Fact), icd, monthsAgo(f.Since, r.On)})
			}
		}
	}
	return b
}

func (d Diagnosis) blind(on tesdiq.Date) BlindDiagnosis {
	return BlindDiagnosis{d.Code, monthsAgo(d.Since, on)}
}
