package tseras

import (
	"crypto/sha256"
	_ "embed"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

// Sort is what a measure of a rehabilitation programme is.
type Sort string

// The sorts: the three kinds of rehabilitation, and technical means.
const (
	MedicalMeasure      Sort = "medical"
	ProfessionalMeasure Sort = "professional"
	SocialMeasure       Sort = "social"
	Device              Sort = "device"
)

// Sorts are all of them, in the order in which pages show them.
var Sorts = []Sort{MedicalMeasure, ProfessionalMeasure, SocialMeasure, Device}

// Measure is a line of measures.csv: what a programme may hold.
type Measure struct {
	Code          string
	Sort          Sort
	Since, Until  tesdiq.Date // days on which it may be entered; Until none: open
	words         map[tesdiq.Lang]string
	Label, Source string // how well the line is known, and from where
}

// Name is the measure in a language.
func (m Measure) Name(lang tesdiq.Lang) string { return m.words[lang] }

// On says whether the measure may be entered on a day.
func (m Measure) On(day tesdiq.Date) bool {
	return !m.Since.After(day) && (m.Until.IsZero() || !m.Until.Before(day))
}

//go:embed measures.csv
var measuresFile string

// Measures are all that there ever were, in the order in which pages show them.
var Measures = sync.OnceValue(func() []Measure {
	r := csv.NewReader(strings.NewReader(measuresFile))
	r.Comma, r.Comment, r.FieldsPerRecord = ';', '#', 9
	lines, err := r.ReadAll()
	if err != nil {
		panic(err) // our own file; a test reads it
	}
	var all []Measure
	for _, f := range lines {
		m := Measure{Code: f[0], Sort: Sort(f[1]), words: map[tesdiq.Lang]string{tesdiq.Az: f[4], tesdiq.En: f[5], tesdiq.Ru: f[6]}, Label: f[7], Source: f[8]}
		m.Since = tesdiq.MustDate(f[2])
		if f[3] != "" {
			m.Until = tesdiq.MustDate(f[3])
		}
		all = append(all, m)
	}
	return all
})

// MeasureOf finds a measure by its code.
func MeasureOf(code string) (Measure, bool) {
	i := slices.IndexFunc(Measures(), func(m Measure) bool { return m.Code == code })
	if i < 0 {
		return Measure{}, false
	}
	return Measures()[i], true
}

// Body is a rehabilitation body and who acts for it.
type Body struct {
	ID   int64 // of the organisation
	Name string
	FIN  tesdiq.FIN // of the specialist
}

// Actor is the body in a step.
func (b Body) Actor() casework.Actor {
	return casework.Actor{Part: casework.ByOffice, FIN: b.FIN, Office: b.Name}
}

// Invitation says when and where a programme is prepared with the person.
type Invitation struct {
	Day   tesdiq.Date
	Time  string // "10:30"
	Home  bool   // at the person's, who cannot come
	Place string // empty at home
}

// Limits of a programme's texts, in letters, and of its lines.
const (
	MaxMeeting  = 200
	MaxProvider = 200
	MaxWish     = 500
	MaxSaid     = 5 // how often the person may say something else before the body has answered: another invitation, another draft
	MaxLines    = 30
)

// timePattern is a time of an office's day. ASSUMPTION: no office hours were found; nobody is invited before 8 or after 18.
var timePattern = regexp.MustCompile(`^(0[89]|1[0-7]):[0-5]\d$`)

// Validate lists what is wrong with an invitation that is sent on a day, by its form's fields. latest is the last day of a meeting.
func (i Invitation) Validate(cal *tesdiq.Calendar, today, latest tesdiq.Date) (ps tesdiq.Problems) {
	// A term of one working day that begins on the day before ends on a working day; also in a year whose movable holidays are not set.
	working, _, err := cal.Term(i.Day.AddDays(-1), 1)
	switch {
	case i.Day.IsZero():
		ps.Add("day", tesdiq.Invalid("date.missing"))
	case !i.Day.After(today):
		ps.Add("day", tesdiq.Invalid("tseras.programme.soon"))
	case i.Day.After(latest):
		ps.Add("day", tesdiq.Invalid("tseras.programme.late").With("Day", latest.String()))
	case err != nil || working != i.Day:
		ps.Add("day", tesdiq.Invalid("tseras.programme.holiday"))
	}
	if !timePattern.MatchString(i.Time) {
		ps.Add("time", tesdiq.Invalid("tseras.programme.time"))
	}
	if i.Home && i.Place != "" {
		ps.Add("place", tesdiq.Invalid("tseras.programme.two_places"))
	} else {
		ps.Add("place", tesdiq.CheckText(i.Place, MaxMeeting, !i.Home))
	}
	return ps
}

// Args are an invitation as the step keeps it.
func (i Invitation) Args() map[string]string {
	a := map[string]string{"Day": i.Day.String(), "Time": i.Time, "Place": i.Place}
	if i.Home {
		a["Home"] = "1"
	}
	return a
}

// InvitationOf reads what Args wrote; false where there is none.
func InvitationOf(args map[string]string) (i Invitation, ok bool) {
	day, err := tesdiq.ParseDate(args["Day"])
	return Invitation{Day: day, Time: args["Time"], Home: args["Home"] != "", Place: args["Place"]}, err == nil
}

// Began says whether the meeting's hour has come.
func (i Invitation) Began(now time.Time) bool {
	at, err := time.ParseInLocation("15:04", i.Time, tesdiq.Baku)
	if err != nil {
		return !now.Before(i.Day.Start())
	}
	return !now.Before(i.Day.Start().Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute))
}

// Line is one measure of a programme, with who provides it and until when.
type Line struct {
	Measure  string      `json:"measure"`
	Provider string      `json:"provider"`
	Until    tesdiq.Date `json:"until"`
}

// Draft is a programme as it was prepared with the person. It is never edited: another one follows it.
type Draft struct {
	N     int       `json:"n"` // from 1
	Made  time.Time `json:"made"`
	Body  string    `json:"body"`
	Lines []Line    `json:"lines"`
}

// CheckLines lists what is wrong with a programme's lines on a day, by the fields of its form. ends is the disability's last
// day; none: indefinite.
func CheckLines(lines []Line, today, ends tesdiq.Date) (ps tesdiq.Problems) {
	if len(lines) == 0 {
		ps.Add("add", tesdiq.Invalid("tseras.programme.empty"))
	}
	if len(lines) > MaxLines {
		ps.Add("add", tesdiq.Invalid("tseras.programme.many").With("Limit", MaxLines))
	}
	seen := map[string]bool{}
	for _, l := range lines {
		m, ok := MeasureOf(l.Measure)
		switch {
		case !ok || !m.On(today):
			ps.Add("add", tesdiq.Invalid("tseras.programme.measure"))
			continue
		case seen[l.Measure]:
			ps.Add("provider-"+l.Measure, tesdiq.Invalid("tseras.programme.twice"))
		}
		seen[l.Measure] = true
		ps.Add("provider-"+l.Measure, tesdiq.CheckText(l.Provider, MaxProvider, true))
		switch {
		case l.Until.IsZero():
			ps.Add("until-"+l.Measure, tesdiq.Invalid("date.missing"))
		case l.Until.Before(today):
			ps.Add("until-"+l.Measure, tesdiq.Invalid("tseras.programme.past"))
		case !ends.IsZero() && l.Until.After(ends):
			ps.Add("until-"+l.Measure, tesdiq.Invalid("tseras.programme.after_term").With("Day", ends.String()))
		}
	}
	return ps
}

// Content is the canonical bytes of a draft, whose SHA-256 stands in the step that made it, and in the one that entered it.
func (d Draft) Content(number string) ([]byte, error) {
	d.Made = d.Made.UTC().Truncate(time.Microsecond)
	b, err := json.Marshal(struct {
		Case string `json:"case"`
		Draft
	}{number, d})
	if err != nil {
		return nil, fmt.Errorf("tseras: programme: %w", err)
	}
	return b, nil
}

// Digest256 names a draft's content in a step.
func Digest256(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Need is what a rehabilitation body is told of a decision: enough to choose measures by, and no diagnosis, no percentage and no
// cause. What else matters the person tells at the meeting.
type Need struct {
	Outcome    criteria.Outcome
	Band       criteria.Band
	Degree     string
	Until      tesdiq.Date         // none: indefinite
	Activities criteria.Activities // how far each life activity is limited; empty where the registers alone decided
}

// NeedOf leaves of a decision what a body may see.
func NeedOf(in criteria.Input, r criteria.Result) Need {
	return Need{r.Outcome, r.Band, r.Degree, r.Until, in.Findings.Activities}
}

// Needs says whether a result is followed by a programme: a disability that was entered anew.
func Needs(r criteria.Result) bool {
	return r.Outcome == criteria.Disability || r.Outcome == criteria.Child
}

// DraftWord is a person's word on a draft.
type DraftWord string

// The words.
const (
	NoWord  DraftWord = ""
	Agreed  DraftWord = "agreed"
	Missing DraftWord = "missing" // something is missing, and what
)

// The steps of a programme.
const (
	StepOpened    = "programme_opened"
	StepTaken     = "programme_taken"
	StepInvited   = "programme_invited"
	StepMoved     = "programme_moved"
	StepWished    = "programme_wished"
	StepAbsent    = "programme_absent"
	StepLapsed    = "programme_lapsed"
	StepDrafted   = "programme_drafted"
	StepAgreed    = "programme_agreed"
	StepMissing   = "programme_missing"
	StepEntered   = "programme_entered"
	StepWithdrawn = "programme_withdrawn"
	StepReplaced  = "programme_replaced"
)

// Course is what a programme's steps say of where it stands.
type Course struct {
	Invitation Invitation // the latest; none before
	Wish       string     // the person's, for another time or place, not answered yet
	Said       int        // how often he has wished or missed something since the body's last invitation or draft
	Absences   int        // times that the person did not come
	Word       DraftWord  // of the person on the latest draft
	Missing    string     // what he says is missing
	Answer     string     // why it was entered without
}

// CourseOf reads a programme's steps.
func CourseOf(steps []casework.Step) (c Course) {
	for _, s := range steps {
		switch s.What {
		case StepInvited, StepMoved, StepAbsent:
			c.Invitation, _ = InvitationOf(s.Args)
			c.Wish, c.Said = "", 0
			if s.What == StepAbsent {
				c.Absences++
			}
		case StepWished:
			c.Wish = s.Args["Reason"]
			c.Said++
		case StepDrafted:
			c.Word, c.Missing, c.Said = NoWord, "", 0
		case StepAgreed:
			c.Word, c.Missing = Agreed, ""
		case StepMissing:
			c.Word, c.Missing = Missing, s.Args["Reason"]
			c.Said++
		case StepEntered:
			c.Answer = s.Args["Reason"]
		}
	}
	return c
}

// MaySay says whether the person may say something else; the problem is about a field of the form.
func (c Course) MaySay(field string) error {
	if c.Said < MaxSaid {
		return nil
	}
	var ps tesdiq.Problems
	ps.Add(field, tesdiq.NewProblem(tesdiq.Conflict, "tseras.programme.said").With("Limit", MaxSaid))
	return ps
}

// MayLapse says whether a body may close the case because the person did not come: he must have missed an earlier meeting, too.
func (c Course) MayLapse(now time.Time) bool { return c.Absences > 0 && c.Invitation.Began(now) }

// MayEnter says whether a draft may be entered: the person has agreed, or has said what is missing and is answered, or has said
// nothing until the last day.
func (c Course) MayEnter(answer string, due, today tesdiq.Date) error {
	switch {
	case c.Word == Agreed, c.Word == Missing && answer != "":
		return nil
	case c.Word == Missing:
		return tesdiq.Invalid("tseras.programme.answer").In("reason")
	case today.Before(due):
		return tesdiq.NewProblem(tesdiq.Conflict, "tseras.programme.word").With("Day", due.String())
	}
	return nil
}

// ProgrammeView is a rehabilitation programme's case as its person sees it.
type ProgrammeView struct {
	Course
	Decision string // the number of the case that it follows
	Body     string // who has it; empty: nobody yet
	Drafts   []Draft
	Replaced string // the number of the programme that was entered later; empty: this one holds
}

// Latest is the draft that counts; false before the first.
func (p ProgrammeView) Latest() (Draft, bool) {
	if len(p.Drafts) == 0 {
		return Draft{}, false
	}
	return p.Drafts[len(p.Drafts)-1], true
}

// ListedProgramme is a programme's case in a body's list: nothing of who it is about.
type ListedProgramme struct {
	Number   string
	State    casework.State
	Opened   time.Time
	District string // empty: not known
	Clock    casework.Clock
	Wish     bool // the person has asked for something
}

// ProgrammeFile is a programme's case as the body sees it that has it.
type ProgrammeFile struct {
	casework.Case
	ProgrammeView
	Steps     []casework.Step
	Name      tesdiq.Name
	Born      tesdiq.Date
	District  string
	Telephone string // in the person's own name, or confirmed by him; empty: none is known
	Need      Need
}

// DraftNumber names a draft in a step.
func DraftNumber(n int) string { return strconv.Itoa(n) }
