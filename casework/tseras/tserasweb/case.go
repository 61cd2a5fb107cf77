package tserasweb

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/web"
)

type casePage struct {
	Number, Path string
	Area         string // where the kind's words stand
	Tag          tag
	Closed       bool
	Turn         turn
	Steps        []stepLine // the newest first
	Registers    []registerLine
	Silent       int // registers that have not answered
	Looks        []lookLine
	CanWithdraw  bool
	Corrects     string // where the person says that a register is wrong; empty while none has answered
	Decision     *decision
	Right        *appealRight // of a decided assessment
	Appeal       *appealView  // of an appeal
}

// stepLine is one step in plain words.
type stepLine struct {
	At   time.Time
	What string
	Who  string
	Why  string // a reason that somebody gave; empty
}

// registerLine is one register with what became of the question to it.
type registerLine struct {
	Name string
	Tag  tag
	What string
}

// decision is a result with its reasons, in words.
type decision struct {
	Class      string // good, warn
	Result     string // in a word
	Sentence   string // who decided, and how
	Facts      []fact
	Reasons    []reason
	Explains   string // the chair's, why it differs from last time
	Changes    []string
	Conditions []condition
	Entry      string // the examination's page; empty where nothing was entered
	Package    string // where the package is
}

type fact struct{ Name, Value string }

type reason struct{ Text, Act, Label string }

type condition struct{ Name, Grade, Percent, Counts string }

// refreshEvery is how many seconds a page waits before it looks again, while registers are asked.
const refreshEvery = 5

// show is the page of a case.
func (h *Person) show(w http.ResponseWriter, r *http.Request) error {
	_, lang := viewer(r)
	s, err := h.found(r)
	if err != nil {
		return err
	}
	if s.Kind == tseras.Correction {
		http.Redirect(w, r, correctionPath(s.Number), http.StatusSeeOther)
		return nil
	}
	if s.Kind == tseras.Programme {
		http.Redirect(w, r, programmePath(s.Number), http.StatusSeeOther)
		return nil
	}
	data, err := h.page(lang, s)
	if err != nil {
		return err
	}
	if s.State == tseras.Gathering && data.Silent == 0 {
		w.Header().Set("Refresh", strconv.Itoa(refreshEvery)) // works without script; the page can be loaded again by hand, too
	}
	return h.pages.Render(w, r, "person-case.html", web.Page{Section: "cases", TitleText: h.Shell.T(lang, pageArea(s.Kind)+"case", "Number", s.Number), Data: data})
}

func (h *Person) page(lang tesdiq.Lang, s tseras.Shown) (casePage, error) {
	p := casePage{
		Number: s.Number, Path: path(s.Number), Area: pageArea(s.Kind), Tag: tagOf(s.State), Closed: closed(s.Case), Looks: looksOf(s.Looks), CanWithdraw: tseras.Withdrawable(s.Case),
	}
	var err error
	if p.Turn, err = h.turnOf(lang, s.Case, s.Asked); err != nil {
		return p, err
	}
	for i := len(s.Steps) - 1; i >= 0; i-- {
		p.Steps = append(p.Steps, h.step(lang, s.Kind, s.Steps[i], s.Filed))
	}
	p.registers(h.Shell, lang, s)
	if slices.ContainsFunc(s.Evidence, func(o tseras.Outcome) bool { return o.Answered }) {
		about := s.Number
		if s.First != nil { // an appeal goes by what the registers said for the case that it is about
			about = s.First.Number
		}
		p.Corrects = newCorrectionPath(about)
	}
	p.Right = h.rightOf(lang, s)
	if p.Appeal, err = h.appealOf(lang, s); err == nil && s.Package != nil {
		p.Decision, err = h.decision(lang, s)
	}
	return p, err
}

func (h *Person) step(lang tesdiq.Lang, k casework.Kind, s casework.Step, filed []tseras.Filed) stepLine {
	l := stepLine{At: s.At, What: stepWords(h.Shell, lang, k, s), Why: s.Args["Reason"]}
	if ground := s.Args["Ground"]; ground != "" {
		l.Why = strings.TrimSpace(h.Shell.T(lang, "tseras-person.refusal."+ground) + " " + l.Why)
	}
	if s.By.Office != "" {
		l.Who = s.By.Office
	} else {
		l.Who = h.Shell.T(lang, "tseras-person.by."+string(s.By.Part))
	}
	for _, f := range filed {
		if s.By.Part == casework.ByClerk && f.What == s.What && f.At.Equal(s.At) {
			l.Who = h.Shell.T(lang, "filing.mine.by", "Office", f.Office, "Clerk", f.Clerk)
		}
	}
	return l
}

// pageArea is where the words of a case's page stand: an appeal's are its own.
func pageArea(k casework.Kind) string {
	if k == tseras.Appeal {
		return area(k)
	}
	return area(tseras.Assessment)
}

// stepWords says a step in words, with what it tells of.
func stepWords(shell *web.Shell, lang tesdiq.Lang, k casework.Kind, s casework.Step) string {
	if strings.HasPrefix(s.What, "correction_") || s.What == tseras.StepRegisterCorrected || k == tseras.Correction && s.What == string(tseras.Withdrawn) {
		return shell.T(lang, "tseras-correction.step."+s.What)
	}
	where := pageArea(k)
	if strings.HasPrefix(s.What, "programme_") {
		where = area(tseras.Programme)
	} else if k != tseras.Appeal {
		return shell.T(lang, where+"step."+s.What)
	}
	var args []any
	for _, name := range []string{"Day", "Time", "Draft", "Place"} {
		args = append(args, name, s.Args[name])
	}
	return shell.T(lang, where+"step."+s.What, args...)
}

// registers says of each register what became of the question to it. No answer is told as what it is, never as "nothing".
func (p *casePage) registers(shell *web.Shell, lang tesdiq.Lang, s tseras.Shown) {
	t := func(key string, args ...any) string { return shell.T(lang, "tseras-person."+key, args...) }
	for _, r := range tseras.Registers {
		o, asked := s.Evidence.Of(r)
		l := registerLine{Name: t("register." + string(r))}
		switch {
		case asked && o.Answered:
			l.Tag = tag{"good", "✓", "tseras-person.answered"}
			l.What = t("answered.at", "At", tesdiq.ClockString(o.At))
		case asked:
			p.Silent++
			l.Tag = tag{"warn", "!", "tseras-person.silent"}
			said := "silent.since"
			if o.Why.Doubted() {
				said = "silent.doubted"
			}
			l.What = t(said, "At", tesdiq.ClockString(o.At))
			if !p.Closed && !o.Again.IsZero() {
				l.What += " " + t("silent.again", "At", tesdiq.ClockString(o.Again))
			}
		case p.Closed:
			l.Tag = tag{"none", "–", "tseras-person.not-asked"}
		default:
			l.Tag = tag{"none", "…", "tseras-person.asking"}
		}
		p.Registers = append(p.Registers, l)
	}
}

// decision says a decision in words, from its package: what the person reads is what anybody can compute again.
func (h *Person) decision(lang tesdiq.Lang, s tseras.Shown) (*decision, error) {
	r, say, err := h.resultOf(lang, s.Case, s.Package)
	if err != nil {
		return nil, err
	}
	t := say.Text
	d := &decision{Class: "good", Result: sentence(lang, say.Result(r.Outcome, r.Band, r.Degree)), Package: path(s.Number) + "/package", Explains: s.Explains}
	if r.Outcome == criteria.NotDisability {
		d.Class = "warn"
	}
	by := "commission"
	if r.Alone {
		by = "alone"
	}
	d.Sentence = t("tseras-person.decided."+by, "Day", r.DecidedOn.String())
	entry, holds := s.Entry, r
	if s.First != nil {
		first, _, err := h.resultOf(lang, s.First.Case, s.First.Package)
		if err != nil {
			return nil, err
		}
		d.Sentence = t("tseras-appeal.decided.replaced", "Day", r.DecidedOn.String())
		if s.Entry == "" && tseras.Confirms(first, r) { // then the first decision's days hold, and its entry
			d.Sentence = t("tseras-appeal.decided.confirmed", "Day", r.DecidedOn.String())
			entry, holds = s.First.Entry, first
		}
	}
	if entry != "" {
		d.Entry = "/cabinet/examinations/" + entry
	}
	d.Facts = h.facts(lang, say, holds)
	for _, x := range r.Reasons {
		d.Reasons = append(d.Reasons, reason{say.Reason(x), say.Act(x), say.Label(x)})
	}
	for _, c := range r.Changes {
		d.Changes = append(d.Changes, say.Change(c))
	}
	for _, c := range r.Conditions {
		d.Conditions = append(d.Conditions, h.condition(lang, say, c))
	}
	return d, nil
}

func (h *Person) facts(lang tesdiq.Lang, say criteria.Speaker, r criteria.Result) (all []fact) {
	add := func(name, value string) {
		if value != "" {
			all = append(all, fact{h.Shell.T(lang, "tseras-person.fact."+name), value})
		}
	}
	if r.Loss > 0 {
		add("loss", h.Shell.T(lang, "tseras-person.percent", "N", r.Loss))
	}
	if r.Outcome == criteria.NotDisability || r.Outcome == criteria.Kept {
		return all
	}
	if r.Cause != "" {
		add("cause", h.Shell.T(lang, "registry.cause."+string(r.Cause)))
	}
	add("from", day(r.From))
	if r.Until.IsZero() {
		add("until", h.Shell.T(lang, "tseras-person.indefinite"))
	} else {
		add("until", day(r.Until))
	}
	add("next", day(r.NextFrom))
	return all
}

func day(d tesdiq.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func (h *Person) condition(lang tesdiq.Lang, say criteria.Speaker, v criteria.Valued) condition {
	c := condition{Name: v.Criterion, Percent: h.Shell.T(lang, "tseras-person.percent", "N", v.Percent)}
	if k, ok := say.Rules.Criterion(say.Day, v.Criterion); ok {
		c.Name, c.Grade = k.Title(lang), k.Grade(v.Grade, lang)
	}
	switch {
	case v.Same != "":
		c.Counts = "tseras-person.counts.same"
	case v.Counts:
		c.Counts = "tseras-person.counts.yes"
	default:
		c.Counts = "tseras-person.counts.no"
	}
	return c
}

// sentence begins a phrase with a capital letter of its language.
func sentence(lang tesdiq.Lang, phrase string) string {
	first, rest := cut(phrase)
	if lang == tesdiq.Az && first == "i" {
		return "İ" + rest
	}
	return strings.ToUpper(first) + rest
}

// cut takes the first letter off.
func cut(s string) (first, rest string) {
	for i := range s {
		if i > 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}
