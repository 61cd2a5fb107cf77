package tseras

import (
	_ "embed"
	"encoding/csv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tesdiq/tesdiq"
)

// Ground is why an institution refers. Source: item 1.5 of the rules, as metbuat.az/1499960 cites it (FOUND).
type Ground string

// The grounds.
const (
	LongTreatment Ground = "1.5.1" // six months' treatment without function restored
	Evident       Ground = "1.5.2" // without waiting: anatomical or mental defects, resistant tuberculosis, cancer IV, kidney disease V
	TermOver      Ground = "1.5.3" // the term is over and the disorder goes on
	WorkCapacity  Ground = "1.5.4" // percent of the loss of professional capacity
	Changed       Ground = "1.5.5" // the state of health has changed
)

// Grounds are all of them.
var Grounds = []Ground{LongTreatment, Evident, TermOver, WorkCapacity, Changed}

// Urgent says whether the institution has the shorter term.
func (g Ground) Urgent() bool { return g == Evident }

// ICD is a diagnosis by its code in the International Classification of Diseases, tenth revision: G35, H54.0.
type ICD string

var icdPattern = regexp.MustCompile(`^[A-Z]\d{2}(\.\d{1,2})?$`)

// ParseICD reads a code. It is too short and of another form to be a FIN or a card's number. The problem is "tseras.icd".
func ParseICD(s string) (ICD, error) {
	if !icdPattern.MatchString(s) {
		return "", tesdiq.Invalid("tseras.icd")
	}
	return ICD(s), nil
}

// TestCode is a functional test of tests.csv.
type TestCode string

// TestKind is what may be said of a test.
type TestKind struct {
	Code        TestCode
	Unit        string
	Least, Most int
}

//go:embed tests.csv
var testsFile string

// TestKinds are the tests that a referral may carry, in the order in which pages show them.
var TestKinds = sync.OnceValue(func() []TestKind {
	r := csv.NewReader(strings.NewReader(testsFile))
	r.Comma, r.Comment, r.FieldsPerRecord = ';', '#', 6
	lines, err := r.ReadAll()
	if err != nil {
		panic(err) // our own file; a test reads it
	}
	var kinds []TestKind
	for _, f := range lines {
		least, err1 := strconv.Atoi(f[2])
		most, err2 := strconv.Atoi(f[3])
		if err1 != nil || err2 != nil || most <= least {
			panic("tseras: tests.csv: " + f[0])
		}
		kinds = append(kinds, TestKind{TestCode(f[0]), f[1], least, most})
	}
	return kinds
})

// Diagnosis is one that the institution made.
type Diagnosis struct {
	Code  ICD         `json:"code"`
	Since tesdiq.Date `json:"since"`
}

// Treatment is one episode of treatment.
type Treatment struct {
	Code      ICD         `json:"code"`
	From      tesdiq.Date `json:"from"`
	To        tesdiq.Date `json:"to"` // none: it goes on
	Inpatient bool        `json:"inpatient"`
}

// Test is the result of a functional test.
type Test struct {
	Code  TestCode    `json:"code"`
	Value int         `json:"value"` // in the unit of its TestKind
	On    tesdiq.Date `json:"on"`
}

// Referral is a referral (göndəriş, form 88) as a medical institution sends it. It has no free text: what a commission
// reads could otherwise name the person. ASSUMPTION: the form's own list of fields was not found (DOMAIN 2.5).
type Referral struct {
	Number  string      `json:"number"` // of the institution's own
	On      tesdiq.Date `json:"on"`
	Subject tesdiq.FIN  `json:"subject"`
	Born    tesdiq.Date `json:"born"` // compared with the register: a mistyped FIN is found by it
	// Phone stands on form 88, in the person's own name (FOUND dtsera.gov.az, DOMAIN 2.5). Who has none in his own name, as a child, is referred all the
	// same (ASSUMPTION): a number keeps nobody from an assessment, and nobody else's is to be given for it.
	Phone      string       `json:"phone,omitempty" doc:"Mobile telephone in the person's own name, as form 88 has it: +994 and 9 digits. Absent where the person has none in his own name, as a child: nobody else's is given instead." example:"+994501234567"`
	Ground     Ground       `json:"ground"`
	Main       Diagnosis    `json:"main"`
	Others     []Diagnosis  `json:"others,omitempty"`
	Treatments []Treatment  `json:"treatments,omitempty"`
	Tests      []Test       `json:"tests,omitempty"`
	Physicians []tesdiq.FIN `json:"physicians"` // of its advisory commission, who signed it and treated the person
}

// Limits of a referral.
const (
	MaxReferralNumber = 40
	MaxDiagnoses      = 10
	MaxTreatments     = 50
	MaxTests          = 24
	MaxPhysicians     = 10
)

// numberPattern is the form of a case's number.
var numberPattern = regexp.MustCompile(`^T-\d{4}-\d{6,9}$`)

var phonePattern = regexp.MustCompile(`^\+994\d{9}$`)

// oldest is the earliest day that a referral can speak of.
var oldest = tesdiq.NewDate(1900, 1, 1)

// Validate lists all that is wrong with a referral on a day, by its JSON fields. born is what the register of persons says.
func (r Referral) Validate(today, born tesdiq.Date) (ps tesdiq.Problems) {
	ps.Add("number", tesdiq.CheckText(r.Number, MaxReferralNumber, true))
	ps.Add("on", past(r.On, today))
	if !r.On.IsZero() && r.On.Before(today.AddMonths(-1)) {
		ps.Add("on", tesdiq.Invalid("tseras.referral.old"))
	}
	if fin, err := tesdiq.ParseFIN(string(r.Subject)); err != nil || fin != r.Subject {
		ps.Add("subject", tesdiq.Invalid("fin.malformed"))
	}
	if r.Born.IsZero() {
		ps.Add("born", tesdiq.Invalid("date.missing"))
	} else if r.Born != born {
		ps.Add("born", tesdiq.Invalid("tseras.referral.born"))
	}
	if r.Phone != "" && !phonePattern.MatchString(r.Phone) {
		ps.Add("phone", tesdiq.Invalid("tseras.phone"))
	}
	if !slices.Contains(Grounds, r.Ground) {
		ps.Add("ground", tesdiq.Invalid("tseras.referral.ground"))
	}
	ps = append(ps, r.diagnoses(today, born)...)
	ps = append(ps, r.treatments(today, born)...)
	ps = append(ps, r.tests(today, born)...)
	if len(r.Physicians) == 0 || len(r.Physicians) > MaxPhysicians {
		ps.Add("physicians", tesdiq.Invalid("tseras.referral.physicians").With("Limit", MaxPhysicians))
	}
	for i, p := range r.Physicians {
		if fin, err := tesdiq.ParseFIN(string(p)); err != nil || fin != p {
			ps.Add(nth("physicians", i), tesdiq.Invalid("fin.malformed"))
		} else if p == r.Subject {
			ps.Add(nth("physicians", i), tesdiq.Invalid("tseras.referral.own"))
		}
	}
	return ps
}

func (r Referral) diagnoses(today, born tesdiq.Date) (ps tesdiq.Problems) {
	if len(r.Others) > MaxDiagnoses {
		ps.Add("others", tesdiq.Invalid("tseras.referral.many").With("Limit", MaxDiagnoses))
	}
	check := func(field string, d Diagnosis) {
		if icd, err := ParseICD(string(d.Code)); err != nil || icd != d.Code {
			ps.Add(field+".code", tesdiq.Invalid("tseras.icd"))
		}
		ps.Add(field+".since", lived(d.Since, today, born))
	}
	check("main", r.Main)
	for i, d := range r.Others {
		check(nth("others", i), d)
	}
	return ps
}

func (r Referral) treatments(today, born tesdiq.Date) (ps tesdiq.Problems) {
	if len(r.Treatments) > MaxTreatments {
		ps.Add("treatments", tesdiq.Invalid("tseras.referral.many").With("Limit", MaxTreatments))
	}
	for i, t := range r.Treatments {
		field := nth("treatments", i)
		if icd, err := ParseICD(string(t.Code)); err != nil || icd != t.Code {
			ps.Add(field+".code", tesdiq.Invalid("tseras.icd"))
		}
		ps.Add(field+".from", lived(t.From, today, born))
		if !t.To.IsZero() {
			ps.Add(field+".to", past(t.To, today))
			if t.To.Before(t.From) {
				ps.Add(field+".to", tesdiq.Invalid("tseras.referral.ends_early"))
			}
		}
	}
	return ps
}

func (r Referral) tests(today, born tesdiq.Date) (ps tesdiq.Problems) {
	if len(r.Tests) > MaxTests {
		ps.Add("tests", tesdiq.Invalid("tseras.referral.many").With("Limit", MaxTests))
	}
	seen := map[TestCode]bool{}
	for i, t := range r.Tests {
		field := nth("tests", i)
		k := slices.IndexFunc(TestKinds(), func(k TestKind) bool { return k.Code == t.Code })
		switch {
		case k < 0:
			ps.Add(field+".code", tesdiq.Invalid("tseras.test.unknown"))
		case seen[t.Code]:
			ps.Add(field+".code", tesdiq.Invalid("tseras.test.twice"))
		case t.Value < TestKinds()[k].Least || t.Value > TestKinds()[k].Most:
			ps.Add(field+".value", tesdiq.Invalid("tseras.test.value").With("Least", TestKinds()[k].Least).With("Most", TestKinds()[k].Most))
		}
		seen[t.Code] = true
		ps.Add(field+".on", lived(t.On, today, born))
	}
	return ps
}

func nth(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

// past refuses a day that is missing or lies ahead.
func past(d, today tesdiq.Date) error {
	switch {
	case d.IsZero():
		return tesdiq.Invalid("date.missing")
	case d.After(today):
		return tesdiq.Invalid("date.future")
	case d.Before(oldest):
		return tesdiq.Invalid("tseras.referral.ancient")
	}
	return nil
}

// lived refuses a day that is not of the person's life so far.
func lived(d, today, born tesdiq.Date) error {
	if err := past(d, today); err != nil {
		return err
	}
	if d.Before(born) {
		return tesdiq.Invalid("tseras.referral.before_birth")
	}
	return nil
}
