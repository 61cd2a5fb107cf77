package criteria_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
)

var update = flag.Bool("update", false, "write what is said of each situation; what is expected of it is never written")

// situation is one file of testdata/situations: read by lawyers, and by this test.
type situation struct {
	path     string
	text     string
	in       criteria.Input
	expected map[string]string
}

// The parts of a file. Said and would are written by -update, and read by whoever signs.
const (
	partGiven    = "GIVEN"
	partLaw      = "THE LAW SAYS"
	partExpected = "EXPECTED"
	partSaid     = "SAID TO THE PERSON"
)

func TestSituations(t *testing.T) {
	files, err := filepath.Glob("testdata/situations/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 60 {
		t.Errorf("%d situations, 60 are the least", len(files))
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			s := readSituation(t, path)
			got, said := s.decide(t)
			for name, want := range s.expected {
				if got[name] != want {
					t.Errorf("%s: %q, expected %q", name, got[name], want)
				}
			}
			whole := s.text[:strings.Index(s.text, partSaid)] + partSaid + "\n\n" + said
			if *update {
				if err := os.WriteFile(path, []byte(whole), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if whole != s.text {
				t.Errorf("what is said differs (-args -update writes it, then read it):\n%s", said)
			}
		})
	}
}

// decide is what comes out, by the names of EXPECTED, and what is said of it.
func (s situation) decide(t *testing.T) (map[string]string, string) {
	t.Helper()
	got := map[string]string{}
	var r criteria.Result
	if _, alone := s.expected["alone"]; alone {
		var enough bool
		r, enough = criteria.Alone(s.in)
		got["alone"] = "no"
		if enough {
			got["alone"] = "yes"
		}
	} else {
		var err error
		if r, err = criteria.Decide(s.in); err != nil {
			var keys []string
			for _, p := range tesdiq.ProblemsOf(err) {
				keys = append(keys, p.Field+" "+p.Key)
			}
			got["refused"] = strings.Join(keys, "; ")
			return got, "- " + strings.Join(sentences(t, tesdiq.ProblemsOf(err)), "\n- ") + "\n"
		}
	}
	var reasons []string
	for _, x := range r.Reasons {
		reasons = append(reasons, x.Key)
	}
	got["law"], got["outcome"], got["cause"], got["term"] = r.Law, string(r.Outcome), string(r.Cause), string(r.Term)
	got["loss"], got["band"], got["degree"] = strconv.Itoa(r.Loss)+" percent", string(r.Band), r.Degree
	got["from"], got["until"], got["next from"] = r.From.String(), r.Until.String(), r.NextFrom.String()
	for name, want := range s.expected {
		switch key, isReason := strings.CutPrefix(name, "reason "); {
		case isReason && slices.Contains(reasons, key):
			got[name] = "yes"
		case isReason:
			got[name] = "no"
		case want == "none" && got[name] == "":
			got[name] = "none"
		}
	}
	p := criteria.Speaker{Rules: criteria.Current(), Day: s.in.CaseOn, Lang: tesdiq.Az, Text: wordsIn(t, tesdiq.Az)}
	var b strings.Builder
	for _, x := range r.Reasons {
		fmt.Fprintf(&b, "- %s\n  [%s; %s]\n", p.Reason(x), p.Act(x), p.Label(x))
	}
	if len(r.Changes) > 0 {
		b.WriteString("\nWHAT WOULD CHANGE IT\n\n")
	}
	for _, c := range r.Changes {
		fmt.Fprintf(&b, "- %s\n", p.Change(c))
	}
	return got, b.String()
}

var given = regexp.MustCompile(`^  ([a-z0-9 ]+?): +(.+)$`)

func readSituation(t *testing.T, path string) situation {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := situation{path: path, text: string(b), expected: map[string]string{}}
	s.in.Findings.Activities = free()
	s.in.Findings.Conditions = []criteria.Condition{}
	_, rest, ok1 := strings.Cut(s.text, "\n"+partGiven+"\n")
	before, rest, ok := strings.Cut(rest, "\n"+partLaw+"\n")
	_, rest, ok2 := strings.Cut(rest, "\n"+partExpected+"\n")
	after, _, ok3 := strings.Cut(rest, "\n"+partSaid+"\n")
	if !ok || !ok1 || !ok2 || !ok3 {
		t.Fatalf("%s: a part is missing", path)
	}
	for _, line := range strings.Split(strings.TrimSpace(before), "\n") {
		m := given.FindStringSubmatch("  " + strings.TrimSpace(line))
		if m == nil {
			t.Fatalf("%s: %q", path, line)
		}
		s.take(t, m[1], m[2])
	}
	if s.in.CaseOn.Before(s.in.Born.AddYears(15)) && !strings.Contains(before, "limited: work") {
		s.in.Findings.Activities.Work = ""
	}
	for _, line := range strings.Split(strings.TrimSpace(after), "\n") {
		m := given.FindStringSubmatch("  " + strings.TrimSpace(strings.ReplaceAll(line, "_", " ")))
		if m == nil {
			t.Fatalf("%s: %q", path, line)
		}
		_, value, _ := strings.Cut(line, ":")
		name := strings.TrimSpace(strings.SplitN(line, ":", 2)[0])
		s.expected[name] = strings.TrimSpace(value)
	}
	return s
}

// take reads one line of GIVEN.
func (s *situation) take(t *testing.T, what, text string) {
	t.Helper()
	f := strings.Fields(strings.NewReplacer(",", " ", "(", " ", ")", " ").Replace(text))
	at := func(s string) tesdiq.Date { return tesdiq.MustDate(s) }
	after := func(word string) string {
		if i := slices.Index(f, word); i >= 0 && i+1 < len(f) {
			return f[i+1]
		}
		return ""
	}
	dateAfter := func(word string) tesdiq.Date {
		if v := after(word); v != "" {
			return at(v)
		}
		return tesdiq.Date{}
	}
	switch what {
	case "case of":
		s.in.CaseOn = at(text)
	case "decided":
		s.in.DecidedOn = at(text)
	case "born":
		s.in.Born = at(text)
	case "found":
		grade, err := strconv.Atoi(after("grade"))
		if err != nil {
			t.Fatalf("%s: %q", s.path, text)
		}
		s.in.Findings.Conditions = append(s.in.Findings.Conditions, criteria.Condition{Criterion: f[0], Grade: grade, Cause: criteria.Cause(after("from"))})
	case "limited":
		at := s.in.Findings.Activities.At(f[0])
		if at == nil {
			t.Fatalf("%s: %q", s.path, text)
		}
		if *at = criteria.Limit(f[1]); f[1] == "unassessed" {
			*at = ""
		}
	case "act":
		p := criteria.Proof{Document: f[0], Issued: dateAfter("of"), Cause: criteria.Cause(after("for"))}
		if icd := after("naming"); icd != "" {
			p.ICD = []string{icd}
		}
		s.in.Causes = append(s.in.Causes, p)
	case "earlier":
		p := criteria.Prior{From: dateAfter("from"), Until: dateAfter("until"), Outcome: criteria.Disability, Cause: criteria.Cause(after("cause")), Degree: after("degree"), Group: after("group")}
		if v := after("percent"); v != "" {
			p.Loss, _ = strconv.Atoi(v)
		}
		if slices.Contains(f, "child") {
			p.Outcome = criteria.Child
		}
		if slices.Contains(f, "nothing") {
			p.Outcome = criteria.NotDisability
		}
		if id := after("by"); id != "" {
			grade, _ := strconv.Atoi(after("grade"))
			p.Conditions = []criteria.Condition{{Criterion: id, Grade: grade}}
		}
		s.in.Prior = append(s.in.Prior, p)
	case "registers":
		names, _ := criteria.Current().Registers(day("2026-01-01"))
		for _, n := range names {
			s.in.Evidence = append(s.in.Evidence, criteria.Answer{Register: n, State: criteria.Nothing, On: dateAfter("on")})
		}
	case "register":
		i := slices.IndexFunc(s.in.Evidence, func(a criteria.Answer) bool { return a.Register == f[0] })
		if i < 0 {
			s.in.Evidence = append(s.in.Evidence, criteria.Answer{Register: f[0]})
			i = len(s.in.Evidence) - 1
		}
		a := &s.in.Evidence[i]
		switch {
		case slices.Contains(f, "silent"):
			a.State, a.On = criteria.NoAnswer, tesdiq.Date{}
		default:
			a.State = criteria.Answered
			if on := dateAfter("on"); !on.IsZero() {
				a.On = on
			}
			a.Facts = append(a.Facts, criteria.Fact{Fact: f[1], ICD: f[2], Since: dateAfter("since"), Until: dateAfter("until")})
		}
	default:
		t.Fatalf("%s: %q is not known", s.path, what)
	}
}

// wordsIn are the texts of a language.
func wordsIn(t *testing.T, lang tesdiq.Lang) func(string, ...any) string {
	t.Helper()
	texts := map[string]string{}
	for _, area := range []string{"criteria", "registry"} {
		b, err := os.ReadFile("../../../web/locale/" + area + "." + string(lang) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var some map[string]any
		if err := json.Unmarshal(b, &some); err != nil {
			t.Fatal(err)
		}
		for k, v := range some {
			if text, ok := v.(string); ok {
				texts[k] = text
			}
		}
	}
	return func(key string, args ...any) string {
		text, ok := texts[key]
		if !ok {
			t.Errorf("no text for %s", key)
		}
		return fill(t, text, args)
	}
}

func fill(t *testing.T, text string, args []any) string {
	t.Helper()
	var data any
	if len(args) == 1 {
		data = args[0]
	}
	var b strings.Builder
	tmpl, err := template.New("").Option("missingkey=error").Parse(text)
	if err == nil {
		err = tmpl.Execute(&b, data)
	}
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return b.String()
}

// sentences are what problems say.
func sentences(t *testing.T, ps tesdiq.Problems) (out []string) {
	t.Helper()
	b, err := os.ReadFile("../../../web/locale/problem-criteria.az.json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := errors.Join(json.Unmarshal(b, &texts)); err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		out = append(out, fill(t, texts["problem."+p.Key], []any{p.Args}))
	}
	return out
}
