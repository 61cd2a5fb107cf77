package criteria

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tesdiq/tesdiq"
)

// Speaker says reasons and changes in one language.
type Speaker struct {
	Rules *Rules
	Day   tesdiq.Date // the case's own day
	Lang  tesdiq.Lang
	Text  func(key string, args ...any) string // the words of the locale files: a key, then names and values, or one map
}

// Reason is the sentence of a reason.
func (s Speaker) Reason(r Reason) string {
	args := make(map[string]any, len(r.Params))
	for _, p := range r.Params {
		args[p.Name] = s.value(p.Kind, p.Value)
	}
	return s.Text("criteria.reason."+r.Key, args)
}

// Act is the name of the act that a reason rests on, with the item where it is known.
func (s Speaker) Act(r Reason) string {
	if r.Act == "" {
		return ""
	}
	act := s.Text("criteria.act." + r.Act)
	if r.Item == "" {
		return act
	}
	return s.Text("criteria.item", map[string]any{"Act": act, "Item": r.Item})
}

// Label says how well the rule of a reason is known.
func (s Speaker) Label(r Reason) string {
	label, _, _ := strings.Cut(r.Label, " ")
	return s.Text("criteria.label." + label)
}

// Change is the sentence of what would change the result.
func (s Speaker) Change(c Change) string {
	args := map[string]any{"Result": s.Result(c.Outcome, c.Band, c.Degree)}
	if c.Criterion != "" {
		args["Criterion"], args["Grade"] = s.value("criterion", c.Criterion), s.value("grade", gradeValue(c.Criterion, c.Grade))
	}
	if len(c.Activities) > 0 {
		names := make([]string, len(c.Activities))
		for i, a := range c.Activities {
			names[i] = s.value("activity", a)
		}
		args["Activities"], args["Limit"] = strings.Join(names, ", "), s.Text("criteria.limit."+string(c.Limit))
	}
	if c.Document != "" {
		args["Document"] = s.value("document", c.Document)
	}
	if c.Cause != "" {
		args["Cause"] = s.value("cause", string(c.Cause))
	}
	args["On"] = c.On.String()
	return s.Text("criteria.change."+c.What, args)
}

// Result is an outcome as a phrase.
func (s Speaker) Result(o Outcome, b Band, degree string) string {
	args := map[string]any{"Band": s.value("band", string(b)), "Degree": degree}
	switch {
	case o == Disability && degree != "":
		return s.Text("criteria.result.degree", args)
	case o == Disability:
		return s.Text("criteria.result.band", args)
	case o == Child && b != "":
		return s.Text("criteria.result.child_band", args)
	case o == "":
		return ""
	}
	return s.Text("criteria.result." + string(o))
}

// System is the name of a body system, Term that of a term, Activity that of a life activity, Document that of a document.
func (s Speaker) System(name string) string { return s.Text("criteria.system." + name) }

// Term is the name of a term.
func (s Speaker) Term(t Term) string { return s.value("term", string(t)) }

// Activity is the name of a life activity.
func (s Speaker) Activity(name string) string { return s.value("activity", name) }

// Limit is the name of a limit.
func (s Speaker) Limit(l Limit) string { return s.Text("criteria.limit." + string(l)) }

// Document is the name of a document that proves a cause.
func (s Speaker) Document(name string) string { return s.value("document", name) }

// Register is the name of a register.
func (s Speaker) Register(name string) string { return s.value("register", name) }

// value is a parameter as it is said.
func (s Speaker) value(kind, v string) string {
	switch kind {
	case "date":
		d, err := tesdiq.ParseDate(v)
		if err != nil {
			return v
		}
		return d.String()
	case "criterion":
		if k, ok := s.Rules.Criterion(s.Day, v); ok {
			return k.Title(s.Lang)
		}
	case "grade":
		id, number, _ := strings.Cut(v, ":")
		if k, ok := s.Rules.Criterion(s.Day, id); ok {
			n, err := strconv.Atoi(number)
			if err == nil && k.knows(n) {
				return within(s.Lang, k.Grade(n, s.Lang))
			}
		}
	case "cause":
		return s.Text("registry.cause." + v)
	case "document":
		return s.Text("criteria.document." + v)
	case "activity":
		return s.Text("criteria.activity." + v)
	case "register":
		return s.Text("criteria.register." + v)
	case "term":
		return s.Text("criteria.term." + v)
	case "band":
		return strings.ReplaceAll(v, "-", "–")
	}
	return v
}

// within is a name as it stands in the middle of a sentence: what is capital only because it begins the name is small. A numeral, an abbreviation and
// the letter of a class stay as they are.
func within(lang tesdiq.Lang, name string) string {
	first, size := utf8.DecodeRuneInString(name)
	next, _ := utf8.DecodeRuneInString(name[size:])
	preposition := next == ' ' && unicode.Is(unicode.Cyrillic, first) // "С дыхательной недостаточностью"
	switch {
	case !unicode.IsUpper(first) || !unicode.IsLower(next) && !preposition:
		return name
	case lang == tesdiq.Az:
		return tesdiq.LowerAz(string(first)) + name[size:]
	}
	return string(unicode.ToLower(first)) + name[size:]
}
