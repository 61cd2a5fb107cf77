package criteria

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// ref is where a line of data comes from.
type ref struct {
	Act    string // "187", "413", "11" …: its name stands in the locale files
	Item   string // where in the act, as it is printed: "1.5.2"; empty: not known
	Label  string // SEED, FOUND, RECALL (with its confidence), ASSUMPTION
	Source string
}

// reason is a reason that rests on the line.
func (r ref) reason(key string, params ...Param) Reason {
	return Reason{Key: key, Act: r.Act, Item: r.Item, Label: r.Label, Source: r.Source, Params: params}
}

// span is when a line of data holds, both days included; no last day: still.
type span struct{ from, to tesdiq.Date }

func (s span) holds(day tesdiq.Date) bool {
	return !day.Before(s.from) && (s.to.IsZero() || !day.After(s.to))
}

// method is how a law measures disability.
type method string

const (
	groups   method = "groups"
	degrees  method = "degrees"
	percents method = "percents"
)

type law struct {
	span
	ref
	ID     string
	Method method
}

// childRule is how a criterion treats persons under 18.
type childRule string

const (
	adultOnly childRule = "no"   // not for children
	childOnly childRule = "only" // for children alone
	childTo18 childRule = "to18" // until the eighteenth birthday
	childTerm childRule = "term" // for the term of the line, or the usual term of a child
)

// Criterion is one line of the table of criteria: a disorder, and the loss of function at each grade.
type Criterion struct {
	span
	ref
	ID       string
	System   string // body system: its name is "criteria.system." and this
	ICD      []string
	Percents [5]int // by grade 1 to 4; 0: the criterion does not know the grade
	Term     Term   // empty: the usual term of the band
	Child    childRule
	Family   string // of lines that describe one disorder; only the highest of a family counts
	Lifelong bool   // it does not pass: at the end of a term the registers can confirm it
	Titles   map[tesdiq.Lang]string
	Grades   [5]map[tesdiq.Lang]string // what each grade means

	scale string
	place int // among the systems
}

// Title is what the criterion is called.
func (k *Criterion) Title(lang tesdiq.Lang) string { return k.Titles[lang] }

// Grade says what a grade means; empty for one that the criterion does not know.
func (k *Criterion) Grade(n int, lang tesdiq.Lang) string {
	if !k.knows(n) {
		return ""
	}
	return k.Grades[n][lang]
}

// Fits says whether the criterion is for adults, or for persons under 18.
func (k *Criterion) Fits(adult bool) bool {
	return adult && k.Child != childOnly || !adult && k.Child != adultOnly
}

func (k *Criterion) knows(grade int) bool {
	return grade >= 1 && grade <= 4 && k.Percents[grade] > 0
}

// covers says whether a disease belongs to the criterion, by its code in ICD-10.
func (k *Criterion) covers(icd string) bool {
	return slices.ContainsFunc(k.ICD, func(own string) bool { return covers(own, icd) })
}

// covers says whether a code lies in a range ("I20-I25"), or at or below a code ("E10").
func covers(own, icd string) bool {
	if icd == "" {
		return false
	}
	low, high, isRange := strings.Cut(own, "-")
	if !isRange {
		return icd == low || strings.HasPrefix(icd, low+".") || len(low) > 3 && strings.HasPrefix(icd, low)
	}
	return icd >= low && icd[:min(len(high), len(icd))] <= high
}

// cause is one line of the table of causes.
type cause struct {
	span
	ref
	ID    Cause
	Rank  int    // 1: the best social guarantees
	Needs string // the document that proves it; empty: none is needed
	ByAct bool   // the act sets it, whatever members say
}

// listed is the degree that the list of 413 gives a criterion at a grade.
type listed struct {
	span
	ref
	criterion  string
	grade      int
	severity   int // 3 for degree I
	indefinite bool
}

// grade is what one grade of a scale means.
type grade struct {
	scale  string
	number int
	titles map[tesdiq.Lang]string
}

// aloneRule says which evidence decides a criterion without a commission.
type aloneRule struct {
	span
	ref
	criterion string // "*": every lifelong one
	register  string
	fact      string
	grade     int  // the grade that the evidence proves; 0: that of the earlier decision
	fresh     int  // days that the answer may be old
	standing  int  // days that the fact must have lasted
	prior     bool // an earlier decision of ours must have found the same, and its term must be near its end or over
}

// tables are the lines of a version as read.
type tables struct {
	laws     []law
	criteria []*Criterion
	causes   []cause
	listed   []listed
	grades   []grade
	alone    []aloneRule
	params   []parameter
}

// readTable reads semicolon-separated lines under a head line; lines that begin with # are comments.
func readTable(name string, b []byte) ([]map[string]string, error) {
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma, r.Comment, r.TrimLeadingSpace = ';', '#', true
	head, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("criteria: %s: %w", name, err)
	}
	var lines []map[string]string
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, fmt.Errorf("criteria: %s: %w", name, err)
		}
		line := make(map[string]string, len(head))
		for i, h := range head {
			line[h] = strings.TrimSpace(fields[i])
		}
		lines = append(lines, line)
	}
}

// systems are the body systems, in the order in which they are listed.
var systems = []string{
	"vision", "hearing", "speech", "nervous", "mental", "heart", "breath", "digestion", "kidney", "endocrine", "blood",
	"limbs", "joints", "skin", "tumour", "infection", "chromosomal", "congenital",
}

// add takes one line.
func (t *tables) add(file string, line map[string]string) error {
	at := ref{line["act"], line["item"], line["label"], line["source"]}
	if file != "grades.csv" && (at.Label == "" || at.Source == "") {
		return errors.New("no label or source")
	}
	s, err := readSpan(line)
	if err != nil {
		return err
	}
	var wrong []error
	number := func(field string) int {
		if line[field] == "" {
			return 0
		}
		n, err := strconv.Atoi(line[field])
		if err != nil || n < 0 {
			wrong = append(wrong, fmt.Errorf("%s: not a number: %q", field, line[field]))
		}
		return n
	}
	yes := func(field string) bool {
		if v := line[field]; v != "yes" && v != "" {
			wrong = append(wrong, fmt.Errorf("%s: %q is not yes", field, v))
		}
		return line[field] == "yes"
	}
	titles := func() map[tesdiq.Lang]string {
		m := map[tesdiq.Lang]string{tesdiq.Az: line["az"], tesdiq.En: line["en"], tesdiq.Ru: line["ru"]}
		for l, s := range m {
			if s == "" {
				wrong = append(wrong, fmt.Errorf("no title in %s", l))
			}
		}
		return m
	}
	switch file {
	case "laws.csv":
		t.laws = append(t.laws, law{s, at, line["id"], method(line["method"])})
	case "criteria.csv":
		k := &Criterion{
			span: s, ref: at, ID: line["id"], System: line["system"], ICD: strings.Fields(line["icd"]), scale: line["scale"],
			Percents: [5]int{0, number("p1"), number("p2"), number("p3"), number("p4")},
			Term:     Term(line["term"]), Child: childRule(line["child"]), Lifelong: yes("lifelong"), Family: line["family"], Titles: titles(),
			place: slices.Index(systems, line["system"]),
		}
		switch {
		case k.place < 0:
			return fmt.Errorf("unknown system %q", k.System)
		case k.Percents == [5]int{}:
			return errors.New("no grade has a percentage")
		case len(k.ICD) == 0:
			return errors.New("no code of ICD-10")
		case !slices.Contains([]childRule{adultOnly, childOnly, childTo18, childTerm}, k.Child):
			return fmt.Errorf("unknown rule for children %q", k.Child)
		case k.Term == To18:
			return errors.New("until 18 is for the column of children")
		}
		for n := range 4 {
			if p := k.Percents[n+1]; p > 100 || p > 0 && p < slices.Max(k.Percents[:n+1]) {
				return fmt.Errorf("grade %d has %d percent", n+1, p)
			}
		}
		t.criteria = append(t.criteria, k)
	case "causes.csv":
		t.causes = append(t.causes, cause{s, at, Cause(line["id"]), number("rank"), line["needs"], yes("by_act")})
	case "degrees.csv":
		t.listed = append(t.listed, listed{s, at, line["criterion"], number("grade"), 4 - len(line["degree"]), yes("indefinite")})
	case "grades.csv":
		t.grades = append(t.grades, grade{line["scale"], number("grade"), titles()})
	case "alone.csv":
		t.alone = append(t.alone, aloneRule{
			s, at, line["criterion"], line["register"], line["fact"], number("grade"), number("fresh"), number("standing"), yes("prior"),
		})
	case "parameters.csv":
		t.params = append(t.params, parameter{s, at, line["name"], line["value"]})
	default:
		return fmt.Errorf("unknown table %s", file)
	}
	return errors.Join(wrong...)
}

func readSpan(line map[string]string) (s span, err error) {
	from, dated := line["valid_from"]
	if !dated {
		return s, nil
	}
	if s.from, err = tesdiq.ParseDate(from); err != nil {
		return s, err
	}
	if to := line["valid_to"]; to != "" {
		s.to, err = tesdiq.ParseDate(to)
	}
	return s, err
}

// build makes the regimes: one from each day on which any line begins or ends.
func (t *tables) build(r *Rules) error {
	days := map[tesdiq.Date]bool{}
	note := func(s span) {
		days[s.from] = true
		if !s.to.IsZero() {
			days[s.to.AddDays(1)] = true
		}
	}
	for _, x := range t.laws {
		note(x.span)
	}
	for _, x := range t.criteria {
		note(x.span)
	}
	for _, x := range t.causes {
		note(x.span)
	}
	for _, x := range t.listed {
		note(x.span)
	}
	for _, x := range t.alone {
		note(x.span)
	}
	for _, x := range t.params {
		note(x.span)
	}
	for _, day := range slices.SortedFunc(maps.Keys(days), tesdiq.Date.Compare) {
		g, err := t.regime(day)
		if err != nil {
			return fmt.Errorf("on %s: %w", day, err)
		}
		r.regimes = append(r.regimes, g)
	}
	return nil
}

// regime is what holds on a day.
func (t *tables) regime(day tesdiq.Date) (*regime, error) {
	g := &regime{since: day, criteria: map[string]*Criterion{}, causes: map[Cause]cause{}, degrees: map[string][5]listed{}, alone: map[string][]aloneRule{}}
	found := 0
	for _, l := range t.laws {
		if l.holds(day) {
			g.law, found = l, found+1
		}
	}
	if found != 1 {
		return nil, fmt.Errorf("%d laws", found)
	}
	if g.law.Method == groups {
		return g, nil // read as history: nothing is decided by it
	}
	for _, k := range t.criteria {
		if !k.holds(day) {
			continue
		}
		if g.criteria[k.ID] != nil {
			return nil, fmt.Errorf("criterion %s twice", k.ID)
		}
		for _, level := range t.grades {
			if level.scale == k.scale && level.number >= 1 && level.number <= 4 {
				k.Grades[level.number] = level.titles
			}
		}
		for n := range k.Percents {
			if k.knows(n) && k.Grades[n] == nil {
				return nil, fmt.Errorf("criterion %s: scale %q has no grade %d", k.ID, k.scale, n)
			}
		}
		g.criteria[k.ID] = k
		g.listed = append(g.listed, k)
	}
	slices.SortFunc(g.listed, func(a, b *Criterion) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.ID, b.ID))
	})
	for _, c := range t.causes {
		if c.holds(day) {
			g.causes[c.ID] = c
		}
	}
	for _, l := range t.listed {
		if !l.holds(day) {
			continue
		}
		if k := g.criteria[l.criterion]; k == nil || !k.knows(l.grade) {
			return nil, fmt.Errorf("degrees: criterion %s has no grade %d", l.criterion, l.grade)
		}
		of := g.degrees[l.criterion]
		of[l.grade] = l
		g.degrees[l.criterion] = of
	}
	for _, a := range t.alone {
		if !a.holds(day) {
			continue
		}
		for id, k := range g.criteria {
			if a.criterion == id || a.criterion == "*" && k.Lifelong {
				if a.grade > 0 && !k.knows(a.grade) {
					return nil, fmt.Errorf("alone: criterion %s has no grade %d", id, a.grade)
				}
				g.alone[id] = append(g.alone[id], a)
			}
		}
		if a.criterion != "*" && g.criteria[a.criterion] == nil {
			return nil, fmt.Errorf("alone: no criterion %s", a.criterion)
		}
	}
	return g, g.setParams(t.params, day)
}
