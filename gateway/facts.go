package gateway

import (
	"fmt"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// Facts are what a register has about a person. Only the member of the register that was asked is filled; empty, with Answer.Found false, means that
// the register says it has nothing. The forms are in schema/, one file for each register; what is not needed for the purpose is not in them.
type Facts struct {
	Episodes     []Episode
	Treating     []Treatment
	Oncology     []Tumour
	Tuberculosis []Infection
	Dialysis     []Course
	Occupational []Act
	Vision       []Sight
	Population   []Resident // one
	Relatives    []Relative
	Contact      []Telephone // one
	Contracts    []Employment
	Registration []Polyclinic // one
	Ruling       []Ruling     `json:",omitempty"` // one, of a correction
}

// Diagnosis is a code of ICD-10: C34.1.
type Diagnosis string

// Episode is one stay or course of treatment. It has no findings: what a commission needs beyond, it asks for by a case of its own.
type Episode struct {
	Number      string      `json:"number"`
	Institution string      `json:"institution"` // code
	Kind        string      `json:"kind"`        // inpatient, day, ambulatory
	Admitted    tesdiq.Date `json:"admitted"`
	Discharged  tesdiq.Date `json:"discharged"` // none: not yet
	Main        Diagnosis   `json:"main"`
	Secondary   []Diagnosis `json:"secondary"`
}

// Treatment says who treated the person: persons to exclude from the commission, without what for.
type Treatment struct {
	Institution string      `json:"institution"`
	Doctor      tesdiq.FIN  `json:"doctor"`
	Last        tesdiq.Date `json:"last"`
}

// Tumour is a line of the cancer register.
type Tumour struct {
	Number    string      `json:"number"`
	Diagnosis Diagnosis   `json:"diagnosis"`
	Diagnosed tesdiq.Date `json:"diagnosed"`
	Stage     string      `json:"stage"` // 0, I, II, III, IV
	StagedOn  tesdiq.Date `json:"staged_on"`
	Remission tesdiq.Date `json:"remission"` // since when; none: no
}

// Infection is a line of the tuberculosis register.
type Infection struct {
	Number     string      `json:"number"`
	Diagnosis  Diagnosis   `json:"diagnosis"`
	Registered tesdiq.Date `json:"registered"`
	Resistance string      `json:"resistance"` // none, mono, poly, multi, extensive
	Outcome    string      `json:"outcome"`    // treated, cured, completed, failed, interrupted
	OutcomeOn  tesdiq.Date `json:"outcome_on"` // none while treated
}

// Course is a line of the dialysis register.
type Course struct {
	Number      string      `json:"number"`
	Diagnosis   Diagnosis   `json:"diagnosis"`
	Institution string      `json:"institution"`
	Modality    string      `json:"modality"` // haemodialysis, peritoneal
	Began       tesdiq.Date `json:"began"`
	AWeek       int         `json:"sessions_a_week"`
	Last        tesdiq.Date `json:"last_session"`
	Ended       tesdiq.Date `json:"ended"` // none: not
	Why         string      `json:"why"`   // transplant, recovered, moved; empty while not ended
}

// Act is the act of an occupational disease or an injury at work.
type Act struct {
	Number    string      `json:"number"`
	On        tesdiq.Date `json:"on"`
	Kind      string      `json:"kind"` // disease, injury
	Diagnosis Diagnosis   `json:"diagnosis"`
	Percent   int         `json:"percent"`     // of the loss of professional capacity
	Until     tesdiq.Date `json:"valid_until"` // none: indefinite
}

// Eye is what one eye sees with the best glasses.
type Eye struct {
	Acuity int `json:"acuity"` // in hundredths: 4 is 0.04; 0 is none or light alone
	Field  int `json:"field"`  // degrees from the centre that are left, 0 to 90
}

// Sight is one examination of the register of visual disorders.
type Sight struct {
	Number      string      `json:"number"`
	On          tesdiq.Date `json:"on"`
	Institution string      `json:"institution"`
	Diagnosis   Diagnosis   `json:"diagnosis"`
	Right       Eye         `json:"right"`
	Left        Eye         `json:"left"`
	Lasting     bool        `json:"lasting"` // no treatment can better it
}

// Resident is what the population register says of the person. It has no address: for the draw the district is enough.
type Resident struct {
	Name     tesdiq.Name           `json:"name"`
	Sex      tesdiq.Sex            `json:"sex"`
	Born     tesdiq.Date           `json:"born"`
	Died     tesdiq.Date           `json:"died"`
	Document tesdiq.DocumentNumber `json:"document"`
	District string                `json:"district"` // of the registered address
}

// Relative is somebody who must not decide about the person.
type Relative struct {
	FIN     tesdiq.FIN `json:"fin"`
	Kinship string     `json:"kinship"` // spouse, parent, child, sibling
}

// Telephone is the number in the person's own name, to which messages go.
type Telephone struct {
	Number string      `json:"number"` // +994501234567
	Since  tesdiq.Date `json:"since"`
}

// Employment is a contract without its pay.
type Employment struct {
	Number   string      `json:"number"`
	Employer string      `json:"employer"`
	VOEN     tesdiq.VOEN `json:"employer_voen"`
	Main     bool        `json:"main"`
	From     tesdiq.Date `json:"from"`
	Until    tesdiq.Date `json:"until"` // when it ended or will; none: open
}

// Polyclinic is where the person is registered.
type Polyclinic struct {
	Institution string      `json:"institution"`
	District    string      `json:"district"`
	Since       tesdiq.Date `json:"since"`
}

// record is a line of any register: it says which of its days must lie behind, and what in it cannot be true at once.
type record interface {
	past() []tesdiq.Date
	contradiction() string
}

// order finds the first of the days that comes before the one ahead of it; days that are none are passed over.
func order(what string, days ...tesdiq.Date) string {
	var before tesdiq.Date
	for _, d := range days {
		if d.IsZero() {
			continue
		}
		if !before.IsZero() && d.Before(before) {
			return what
		}
		before = d
	}
	return ""
}

func first(contradictions ...string) string {
	for _, c := range contradictions {
		if c != "" {
			return c
		}
	}
	return ""
}

func when(wrong bool, what string) string {
	if wrong {
		return what
	}
	return ""
}

func (e Episode) past() []tesdiq.Date { return []tesdiq.Date{e.Admitted, e.Discharged} }
func (e Episode) contradiction() string {
	return order("discharged before admitted", e.Admitted, e.Discharged)
}

func (t Treatment) past() []tesdiq.Date { return []tesdiq.Date{t.Last} }
func (Treatment) contradiction() string { return "" }

func (t Tumour) past() []tesdiq.Date { return []tesdiq.Date{t.Diagnosed, t.StagedOn, t.Remission} }
func (t Tumour) contradiction() string {
	return first(order("in remission before it was diagnosed", t.Diagnosed, t.Remission), order("staged before it was diagnosed", t.Diagnosed, t.StagedOn),
		when(!strings.HasPrefix(string(t.Diagnosis), "C") && !strings.HasPrefix(string(t.Diagnosis), "D"), "a diagnosis that is no tumour"))
}

func (i Infection) past() []tesdiq.Date { return []tesdiq.Date{i.Registered, i.OutcomeOn} }
func (i Infection) contradiction() string {
	return first(order("an outcome before it was registered", i.Registered, i.OutcomeOn),
		when((i.Outcome == "treated") != i.OutcomeOn.IsZero(), "an outcome and no day of it"))
}

func (c Course) past() []tesdiq.Date { return []tesdiq.Date{c.Began, c.Last, c.Ended} }
func (c Course) contradiction() string {
	return first(order("a session outside the course", c.Began, c.Last, c.Ended), when((c.Why == "") != c.Ended.IsZero(), "an end and no reason"))
}

func (a Act) past() []tesdiq.Date   { return []tesdiq.Date{a.On} }
func (a Act) contradiction() string { return order("ended before it was made", a.On, a.Until) }

func (s Sight) past() []tesdiq.Date { return []tesdiq.Date{s.On} }
func (s Sight) contradiction() string {
	for _, e := range []Eye{s.Right, s.Left} {
		if e.Acuity > 0 && e.Field == 0 {
			return "an eye that sees without a field"
		}
	}
	return ""
}

func (r Resident) past() []tesdiq.Date { return []tesdiq.Date{r.Born, r.Died} }
func (r Resident) contradiction() string {
	return order("died before birth", r.Born, r.Died)
}

func (Relative) past() []tesdiq.Date   { return nil }
func (Relative) contradiction() string { return "" }

func (t Telephone) past() []tesdiq.Date { return []tesdiq.Date{t.Since} }
func (Telephone) contradiction() string { return "" }

func (e Employment) past() []tesdiq.Date   { return nil } // a contract may begin tomorrow
func (e Employment) contradiction() string { return order("ended before it began", e.From, e.Until) }

func (p Polyclinic) past() []tesdiq.Date { return []tesdiq.Date{p.Since} }
func (Polyclinic) contradiction() string { return "" }

// single are the registers that have one record of each person or none.
var single = map[Register]bool{Population: true, Contact: true, Registration: true}

// judge looks at what the schema cannot: days that have not come, and what cannot be true together.
func judge[R record](register Register, records []R, asOf tesdiq.Date) *failure {
	_, correction := register.Corrects()
	if (single[register] || correction) && len(records) > 1 {
		return fail(Contradictory, fmt.Sprintf("%d records of one person", len(records)))
	}
	for _, r := range records {
		for _, day := range r.past() {
			if day.After(asOf) {
				return fail(FutureDate, "")
			}
		}
		if c := r.contradiction(); c != "" {
			return fail(Contradictory, c)
		}
	}
	return nil
}
