package tserasweb

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/web"
)

// findingsForm is what a member has typed so far, as text: whatever is wrong with it stays to be seen.
type findingsForm struct {
	Conditions []typedCondition
	Activities map[string]string // limit by activity

	Explains, Reason, Longer string // what is said when signing, refusing, asking for the longer term
}

type typedCondition struct{ Criterion, Grade, Cause string }

// mostConditions is how many lines a form keeps: more than anybody has.
const mostConditions = 30

// blankForm is the form before anything was typed; after recording it shows what was recorded.
func blankForm(c tseras.BlindCase) findingsForm {
	f := findingsForm{Activities: map[string]string{}}
	if c.Findings == nil {
		return f
	}
	for _, k := range c.Findings.Conditions {
		f.Conditions = append(f.Conditions, typedCondition{k.Criterion, strconv.Itoa(k.Grade), string(k.Cause)})
	}
	for _, name := range criteria.ActivityNames {
		f.Activities[name] = string(*c.Findings.Activities.At(name))
	}
	return f
}

// readForm reads the form and does what its button says: "add", "remove:" and a criterion, or "save", for which it returns true.
func readForm(v url.Values) (findingsForm, bool) {
	do := v.Get("do")
	f := findingsForm{Activities: map[string]string{}}
	add := func(id string) {
		known := slices.ContainsFunc(f.Conditions, func(c typedCondition) bool { return c.Criterion == id })
		if id != "" && !known && len(f.Conditions) < mostConditions && "remove:"+id != do {
			f.Conditions = append(f.Conditions, typedCondition{id, v.Get("grade-" + id), v.Get("cause-" + id)})
		}
	}
	for _, id := range v["criterion"] {
		add(id)
	}
	add(v.Get("add"))
	for _, name := range criteria.ActivityNames {
		f.Activities[name] = v.Get("activity-" + name)
	}
	return f, do == "save" && v.Get("add") == ""
}

// missing are the conditions without a grade.
func (f findingsForm) missing(say criteria.Speaker) (ps tesdiq.Problems) {
	for _, c := range f.Conditions {
		if n, err := strconv.Atoi(c.Grade); err != nil || n < 1 {
			ps.Add("grade-"+c.Criterion, tesdiq.Invalid("tseras.grade.missing").With("Condition", titleOf(say, c.Criterion)))
		}
	}
	return ps
}

// findings are what the form says about somebody of an age group.
func (f findingsForm) findings(age tseras.AgeGroup) criteria.Findings {
	found := criteria.Findings{Conditions: []criteria.Condition{}}
	for _, c := range f.Conditions {
		n, _ := strconv.Atoi(c.Grade) // missing has seen to it
		found.Conditions = append(found.Conditions, criteria.Condition{Criterion: c.Criterion, Grade: n, Cause: criteria.Cause(c.Cause)})
	}
	for name, limit := range f.Activities {
		if name != "work" || age.Works() {
			*found.Activities.At(name) = criteria.Limit(limit)
		}
	}
	return found
}

// placed puts the rules' problems to the fields of the form, and names those of which there are several.
func (f findingsForm) placed(say criteria.Speaker, all tesdiq.Problems) (ps tesdiq.Problems) {
	for _, p := range all {
		field := "add"
		if name, ok := strings.CutPrefix(p.Field, "findings.activities."); ok {
			field = "activity-" + name
			if p.Key == "criteria.limit_missing" {
				p = tesdiq.Invalid("tseras.limit.missing").With("Activity", say.Activity(name))
			}
		} else if id, ok := p.Args["Criterion"].(string); ok && slices.ContainsFunc(f.Conditions, func(c typedCondition) bool { return c.Criterion == id }) {
			field = "grade-" + id
		}
		ps = append(ps, p.In(field))
	}
	return ps
}

// blindPage is a case as its page shows it.
type blindPage struct {
	seatLine
	Facts      []namedValue
	Diagnoses  []namedValue
	Tests      []namedValue
	Registers  []namedValue
	Systems    []system
	Conditions []conditionRow
	Activities []activityRow
	Limits     []web.Choice
	Findings   bool // recorded: what was found is shown and cannot be changed
	Records    bool // it is the member's turn to record
	Signs      bool // … to sign
	Explain    bool // the chair must say why the result differs from last time's
	Extends    bool // the chair may ask for the longer term
	Appeal     bool
	Absence    bool // the chair may say that the person did not come
	Result     *resultView
	Form       findingsForm
}

type namedValue struct{ Name, Value string }

type conditionRow struct {
	ID, Title, Cause string
	Grade, GradeText string
	Grades, Causes   []web.Choice
}

type activityRow struct{ Name, Label, Value, Text string }

type resultView struct {
	Text    string
	Facts   []namedValue
	Valued  []namedValue
	Digest  string
	Differs bool
}

// casePageOf says a case in the words of a language. today chooses the rules whose words are shown.
func casePageOf(shell *web.Shell, lang tesdiq.Lang, today tesdiq.Date, c tseras.BlindCase, f findingsForm) blindPage {
	say := speaker(shell, lang, today)
	t := func(key string, args ...any) string { return shell.T(lang, "tseras-commission."+key, args...) }
	when := func(key string, m tseras.Months) string {
		if m == 0 {
			return t("this-month")
		}
		return shell.TN(lang, "tseras-commission."+key, int(m))
	}
	months := func(m tseras.Months) string { return when("months-ago", m) }
	p := blindPage{
		Form: f, Findings: c.Recorded,
		Records: !c.Recorded && (c.State == tseras.Drawn || c.State == tseras.FurtherMember),
		Signs:   c.State == tseras.Signing && !c.Signed && c.Proposal != nil,
		Extends: c.Role == tseras.Chair && c.State == tseras.Drawn && c.Kind != tseras.Appeal,
		Appeal:  c.Kind == tseras.Appeal,
	}
	b := c.Referral
	yes := map[bool]string{true: t("yes"), false: t("no")}
	p.Facts = []namedValue{{t("age"), b.Age.String()}, {t("again"), yes[b.Again]}}
	if b.Main.Code != "" { // there is a referral
		p.Facts = append(p.Facts, namedValue{t("ground"), t("ground." + string(b.Ground))},
			namedValue{t("inpatient"), strconv.Itoa(b.Inpatient)}, namedValue{t("treated"), strconv.Itoa(int(b.Treated))})
		p.Diagnoses = append(p.Diagnoses, namedValue{string(b.Main.Code) + " · " + t("main"), months(b.Main.Since)})
	}
	for _, d := range b.Others {
		p.Diagnoses = append(p.Diagnoses, namedValue{string(d.Code), months(d.Since)})
	}
	for _, x := range b.Tests {
		p.Tests = append(p.Tests, namedValue{t("test." + string(x.Code)), strconv.Itoa(x.Value) + " · " + when("tested-ago", x.Ago)})
	}
	for _, x := range b.Facts {
		p.Registers = append(p.Registers, namedValue{t("register." + string(x.Register)), t("fact."+string(x.Code)) + " · " + string(x.ICD) + " · " + months(x.Since)})
	}
	var chosen []string
	for _, typed := range f.Conditions {
		chosen = append(chosen, typed.Criterion)
		p.Conditions = append(p.Conditions, conditionRowOf(say, typed))
	}
	if p.Records {
		p.Systems = systems(say, b.Age, chosen)
	}
	for _, l := range []criteria.Limit{criteria.NoLimit, criteria.LimitI, criteria.LimitII, criteria.Limit3} {
		p.Limits = append(p.Limits, web.Choice{Value: string(l), Label: say.Limit(l)})
	}
	for _, name := range criteria.ActivityNames {
		if name == "work" && !b.Age.Works() {
			continue
		}
		row := activityRow{Name: name, Label: say.Activity(name), Value: f.Activities[name]}
		if row.Value != "" && c.Recorded {
			row.Text = say.Limit(criteria.Limit(row.Value))
		}
		p.Activities = append(p.Activities, row)
	}
	if c.Proposal != nil {
		p.Explain = p.Signs && c.Explains() && c.Proposal.Result.Differs
		p.Result = resultOf(say, t, *c.Proposal)
	}
	return p
}

// titleOf is a criterion's name; its id where the rules of the day do not have it.
func titleOf(say criteria.Speaker, id string) string {
	if k, ok := say.Rules.Criterion(say.Day, id); ok {
		return k.Title(say.Lang)
	}
	return id
}

func conditionRowOf(say criteria.Speaker, typed typedCondition) conditionRow {
	row := conditionRow{ID: typed.Criterion, Title: typed.Criterion, Grade: typed.Grade, Cause: typed.Cause}
	if k, ok := say.Rules.Criterion(say.Day, typed.Criterion); ok {
		row.Title = k.Title(say.Lang)
		for n := 1; n <= 4; n++ {
			if words := k.Grade(n, say.Lang); words != "" {
				row.Grades = append(row.Grades, web.Choice{Value: strconv.Itoa(n), Label: strconv.Itoa(n) + " · " + words})
				if typed.Grade == strconv.Itoa(n) {
					row.GradeText = words
				}
			}
		}
	}
	causes, _ := say.Rules.Causes(say.Day)
	row.Causes = []web.Choice{{Value: "", Label: say.Text("registry.cause." + string(criteria.GeneralIllness))}}
	for _, cause := range causes {
		if cause != criteria.GeneralIllness {
			row.Causes = append(row.Causes, web.Choice{Value: string(cause), Label: say.Text("registry.cause." + string(cause))})
		}
	}
	return row
}

// resultOf says what the rules made of all members' findings.
func resultOf(say criteria.Speaker, t func(string, ...any) string, p tseras.Proposal) *resultView {
	r := p.Result
	v := &resultView{Text: sentence(say.Lang, say.Result(r.Outcome, r.Band, r.Degree)), Differs: r.Differs}
	for _, b := range p.Digest {
		const hex = "0123456789abcdef"
		v.Digest += string([]byte{hex[b>>4], hex[b&15]})
	}
	if r.Loss > 0 {
		v.Facts = append(v.Facts, namedValue{t("loss"), strconv.Itoa(r.Loss) + " %"})
	}
	if r.Cause != "" {
		v.Facts = append(v.Facts, namedValue{t("cause"), say.Text("registry.cause." + string(r.Cause))})
	}
	if r.Term != "" {
		v.Facts = append(v.Facts, namedValue{t("term"), say.Term(r.Term)})
	}
	for _, c := range r.Conditions {
		title := c.Criterion
		if k, ok := say.Rules.Criterion(say.Day, c.Criterion); ok {
			title = k.Title(say.Lang) + " · " + k.Grade(c.Grade, say.Lang)
		}
		v.Valued = append(v.Valued, namedValue{title, strconv.Itoa(c.Percent) + " %"})
	}
	return v
}
