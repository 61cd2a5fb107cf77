package criteria

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tesdiq/tesdiq"
)

// A published version is never edited: whoever changes a table makes the next version. The file holds each version's hash.
func TestPublishedVersionsAreNotEdited(t *testing.T) {
	b, err := os.ReadFile("testdata/published.txt")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, r := range Versions() {
		have = append(have, r.Version)
	}
	if held := strings.Fields(string(b)); !slices.Equal(held, have) {
		t.Errorf("the tables are\n%s\nand were published as\n%s", strings.Join(have, "\n"), strings.Join(held, "\n"))
	}
	for _, v := range have {
		if r, err := ByVersion(v); err != nil || r.Version != v {
			t.Errorf("%s: %v", v, err)
		}
	}
	if Current().Version != have[len(have)-1] {
		t.Error("the current version is not the last")
	}
}

// The tenth version comes after the ninth.
func TestVersionsAreOrderedByNumber(t *testing.T) {
	for version, want := range map[string]int{"v1-00": 1, "v9-00": 9, "v10-00": 10} {
		if got := (&Rules{Version: version}).number(); got != want {
			t.Errorf("%s is version %d", version, got)
		}
	}
}

func TestRounding(t *testing.T) {
	g := Current().on(tesdiq.NewDate(2026, 1, 1))
	for percent, want := range map[int]int{0: 0, 1: 5, 5: 5, 29: 30, 30: 30, 31: 35, 32: 35, 35: 35, 36: 40, 61: 65, 81: 85, 96: 100, 100: 100} {
		if got := g.round(percent); got != want {
			t.Errorf("%d percent is %d, want %d", percent, got, want)
		}
	}
	for loss, want := range map[int]int{0: 0, 30: 0, 31: 1, 35: 1, 60: 1, 61: 2, 80: 2, 81: 3, 100: 3} {
		if got := g.severity(loss); got != want {
			t.Errorf("%d percent is of severity %d, want %d", loss, got, want)
		}
	}
}

func TestCodesOfICD(t *testing.T) {
	for _, c := range []struct {
		own, icd string
		want     bool
	}{
		{"E10", "E10", true}, {"E10", "E10.7", true}, {"E10", "E11", false}, {"E10", "E1", false}, {"E10", "", false},
		{"N18.5", "N18.5", true}, {"N18.5", "N18", false}, {"N18.5", "N18.4", false}, {"Z89.7", "Z89.70", true},
		{"I20-I25", "I20", true}, {"I20-I25", "I25.9", true}, {"I20-I25", "I26", false}, {"I20-I25", "I19.9", false},
		{"G82.3-G82.5", "G82.4", true}, {"G82.3-G82.5", "G82.2", false}, {"G82.3-G82.5", "G82", false}, {"C00-C97", "D00", false},
	} {
		if got := covers(c.own, c.icd); got != c.want {
			t.Errorf("%s covers %s: %t", c.own, c.icd, got)
		}
	}
}

var (
	icdForm  = regexp.MustCompile(`^[A-Z]\d\d(\.\d)?(-[A-Z]\d\d(\.\d)?)?$`)
	idForm   = regexp.MustCompile(`^[a-z]+(-[a-z0-9]+)+$`)
	cyrillic = regexp.MustCompile(`[А-Яа-яЁё]`)
	azLetter = regexp.MustCompile(`[əƏğĞıİ]`)
)

func TestCriteriaAreSound(t *testing.T) {
	for _, r := range Versions() {
		if n := len(r.Criteria(tesdiq.NewDate(2026, 1, 1))); n < 100 {
			t.Errorf("%s: only %d criteria", r.Version, n)
		}
		covered, titles, scales := map[string]int{}, map[string]string{}, map[string]bool{}
		for _, k := range r.tables.criteria {
			covered[k.System]++
			scales[k.scale] = true
			if !idForm.MatchString(k.ID) || !strings.HasPrefix(k.ID, k.System+"-") {
				t.Errorf("%s: not an id of %s", k.ID, k.System)
			}
			for _, icd := range k.ICD {
				if !icdForm.MatchString(icd) {
					t.Errorf("%s: %s is no code of ICD-10", k.ID, icd)
				}
			}
			for l, title := range k.Titles {
				if other := titles[string(l)+title]; other != "" && other != k.ID {
					t.Errorf("%s and %s are both called %s", k.ID, other, title)
				}
				titles[string(l)+title] = k.ID
				if l == tesdiq.Ru != cyrillic.MatchString(title) {
					t.Errorf("%s: %q is not in %s", k.ID, title, l)
				}
				if l != tesdiq.Az && azLetter.MatchString(title) {
					t.Errorf("%s: %q is not in %s", k.ID, title, l)
				}
			}
			for _, p := range k.Percents {
				if p%5 != 0 {
					t.Errorf("%s: %d percent is no step of five", k.ID, p)
				}
			}
			if k.Label == "FOUND" && strings.Contains(k.Source, "ASSUMPTION") || k.Label == "PARTLY" && !strings.Contains(k.Source, "ASSUMPTION") {
				t.Errorf("%s: %s does not fit its source", k.ID, k.Label)
			}
			if k.Child == childOnly && k.Term == Indefinite {
				t.Errorf("%s: a child's disability is never indefinite", k.ID)
			}
		}
		for _, system := range systems {
			if covered[system] < 4 {
				t.Errorf("%s has only %d criteria", system, covered[system])
			}
		}
		for _, g := range r.tables.grades {
			if !scales[g.scale] {
				t.Errorf("no criterion uses the scale %s", g.scale)
			}
		}
	}
}

// Every word that the tables and the rules use is said in the locale files, and the locale files say nothing else.
func TestEverythingCanBeSaid(t *testing.T) {
	b, err := os.ReadFile("../../../web/locale/criteria.az.json")
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]string
	if err := json.Unmarshal(b, &said); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	use := func(key string) {
		if used["criteria."+key] = true; said["criteria."+key] == "" {
			t.Errorf("criteria.%s is not said", key)
		}
	}
	for _, r := range Versions() {
		for _, l := range r.tables.laws {
			use("act." + l.Act)
			use("label." + l.Label)
		}
		for _, k := range r.tables.criteria {
			use("system." + k.System)
			use("act." + k.Act)
			use("label." + k.Label)
		}
		for _, c := range r.tables.causes {
			if c.Needs != "" {
				use("document." + c.Needs)
			}
			use("act." + c.Act)
			use("label." + c.Label)
		}
		for _, p := range r.tables.params {
			use("act." + p.Act)
			use("label." + p.Label)
		}
		for _, a := range r.tables.alone {
			use("act." + a.Act)
			use("register." + a.register)
			use("label." + a.Label)
		}
		names, _ := r.Registers(tesdiq.NewDate(2026, 1, 1))
		for _, n := range names {
			use("register." + n)
		}
	}
	use("item")
	for _, name := range ActivityNames {
		use("activity." + name)
	}
	for _, l := range limits[1:] {
		use("limit." + string(l))
	}
	for _, term := range []Term{Months6, Year1, Years2, Years3, Years5, To18, Indefinite} {
		use("term." + string(term))
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reason := regexp.MustCompile(`(?:because|\.not|\.reason)\("([a-z0-9_]+)"|Key: "([a-z_]+)"|key(?: :?=|, at = found.key)? "([a-z_]+)"|record\{"([a-z_]+)"`)
	change := regexp.MustCompile(`What: "([a-z]+)"`)
	result := regexp.MustCompile(`"criteria\.result\.([a-z_]+)"`)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reason.FindAllStringSubmatch(string(b), -1) {
			use("reason." + m[1] + m[2] + m[3] + m[4])
		}
		for _, m := range change.FindAllStringSubmatch(string(b), -1) {
			use("change." + m[1])
		}
		for _, m := range result.FindAllStringSubmatch(string(b), -1) {
			use("result." + m[1])
		}
	}
	for _, o := range []Outcome{NotDisability, Child, Kept} {
		use("result." + string(o))
	}
	for key := range said {
		if !used[key] && key != "criteria.label.SEED" && key != "criteria.label.RECALL" {
			t.Errorf("nothing says %s", key)
		}
	}
}

// A line holds no longer before its act than its act is old: since version 2; the first is published as it is. A criterion is older than its act, so
// that cases under 413 can be recorded by it, and no reason of theirs rests on it.
func TestLinesAreNotOlderThanTheirActs(t *testing.T) {
	b, err := os.ReadFile("../../../web/locale/criteria.az.json")
	if err != nil {
		t.Fatal(err)
	}
	var said map[string]string
	if err := json.Unmarshal(b, &said); err != nil {
		t.Fatal(err)
	}
	written, looked := regexp.MustCompile(`\b\d\d\.\d\d\.\d{4}\b`), 0
	look := func(s span, at ref) {
		of := written.FindString(said["criteria.act."+at.Act])
		if of == "" {
			return
		}
		if looked++; s.from.Before(tesdiq.MustDate(of)) {
			t.Errorf("Cabinet %s of %s since %s: %s", at.Act, of, s.from, at.Source)
		}
		if at.Act == "413" && (s.to.IsZero() || s.to.After(tesdiq.MustDate("2022-06-30"))) {
			t.Errorf("Cabinet 413 until %s: %s", s.to, at.Source)
		}
	}
	for _, r := range Versions()[1:] {
		for _, x := range r.tables.laws {
			look(x.span, x.ref)
		}
		for _, x := range r.tables.causes {
			look(x.span, x.ref)
		}
		for _, x := range r.tables.listed {
			look(x.span, x.ref)
		}
		for _, x := range r.tables.alone {
			look(x.span, x.ref)
		}
		for _, x := range r.tables.params {
			look(x.span, x.ref)
		}
	}
	if looked < 100 {
		t.Errorf("only %d lines were looked at", looked)
	}
}

// What is wrong with a table is found when the program starts, not when somebody is assessed.
func TestTablesThatAreNotWholeAreRefused(t *testing.T) {
	version, _, _ := strings.Cut(Current().Version, "-")
	folder := "data/" + version
	good := func() fstest.MapFS {
		files := fstest.MapFS{}
		for _, name := range tableFiles {
			b, err := fs.ReadFile(published, folder+"/"+name)
			if err != nil {
				t.Fatal(err)
			}
			files["x/"+name] = &fstest.MapFile{Data: b}
		}
		return files
	}
	if r, err := load(good(), "x", version); err != nil || r.Version != Current().Version {
		t.Fatalf("the published tables: %v", err)
	}
	for name, c := range map[string]struct{ file, from, to string }{
		"no file":             {"laws.csv", "", ""},
		"no head":             {"laws.csv", "*", "# nothing\n"},
		"two laws":            {"laws.csv", "2022-06-30", "2022-07-01"},
		"no law":              {"laws.csv", "2022-06-30", "2022-06-29"},
		"no label":            {"laws.csv", ";FOUND;", ";;"},
		"no parameter":        {"parameters.csv", "window.days;", "window.weeks;"},
		"a gap":               {"parameters.csv", "window.days;2020-01-16", "window.days;2020-01-17"},
		"invited too late":    {"parameters.csv", "invite.days;2020-01-16;;75", "invite.days;2020-01-16;;60"},
		"not in its period":   {"parameters.csv", "percent.step;2022-07-01", "percent.step;2022-07-02"},
		"two values":          {"parameters.csv", "chromosome.least;2023-07-26", "chromosome.least;2022-07-26"},
		"a word for a number": {"parameters.csv", "percent.cap;2022-07-01;;100", "percent.cap;2022-07-01;;hundred"},
		"a word too many":     {"parameters.csv", "indefinite.kept;2022-07-01;;yes", "indefinite.kept;2022-07-01;;perhaps"},
		"unknown system":      {"criteria.csv", ";vision;", ";second sight;"},
		"unknown term":        {"criteria.csv", ";6m;", ";6w;"},
		"unknown child rule":  {"criteria.csv", ";to18;", ";to81;"},
		"unknown scale":       {"criteria.csv", ";acuity;", ";acuteness;"},
		"falling percentages": {"criteria.csv", ";;40;70;90;", ";;40;90;70;"},
		"over a hundred":      {"criteria.csv", ";;40;70;90;", ";;40;70;190;"},
		"twice":               {"criteria.csv", "vision-field;2015-12-30", "vision-acuity;2015-12-30"},
		"not a day":           {"criteria.csv", ";2015-12-30;", ";2015-13-30;"},
		"listed, no such":     {"degrees.csv", "limbs-thigh;3", "limbs-thigh;2"},
		"alone, no such":      {"alone.csv", "kidney-dialysis;", "kidney-analysis;"},
		"alone, no grade":     {"alone.csv", "chronic_dialysis;4", "chronic_dialysis;3"},
		"yes or no":           {"causes.csv", ";yes;", ";maybe;"},
		"no title":            {"grades.csv", ";GMFCS I;GMFCS I;", ";GMFCS I;;"},
		"too few fields":      {"grades.csv", ";GMFCS I;GMFCS I;", ";GMFCS I;"},
	} {
		t.Run(name, func(t *testing.T) {
			files := good()
			f := files["x/"+c.file]
			switch c.from {
			case "":
				delete(files, "x/"+c.file)
			case "*":
				f.Data = []byte(c.to)
			default:
				changed := strings.Replace(string(f.Data), c.from, c.to, 1)
				if changed == string(f.Data) {
					t.Fatalf("%q does not stand in %s", c.from, c.file)
				}
				f.Data = []byte(changed)
			}
			if _, err := load(files, "x", version); err == nil {
				t.Error("it was taken")
			}
		})
	}
}

func TestEveryDayHasItsRules(t *testing.T) {
	r := Current()
	if r.on(tesdiq.NewDate(1997, 8, 28)) != nil {
		t.Error("rules of before the first law")
	}
	var laws []string
	for day := tesdiq.NewDate(1997, 8, 29); day.Before(tesdiq.NewDate(2030, 1, 1)); day = day.AddDays(1) {
		g := r.on(day)
		if g == nil || day.Before(g.since) {
			t.Fatalf("no rules on %s", day)
		}
		if name := fmt.Sprint(g.law.ID, " ", g.law.Method); len(laws) == 0 || laws[len(laws)-1] != name {
			laws = append(laws, name)
		}
	}
	if want := []string{"99 groups", "413 degrees", "187 percents"}; !slices.Equal(laws, want) {
		t.Errorf("%v, want %v", laws, want)
	}
	for day, want := range map[string]string{"2015-12-29": "", "2015-12-30": "413", "2022-06-30": "413", "2022-07-01": "187"} {
		if got := r.Law(tesdiq.MustDate(day)); got != want {
			t.Errorf("on %s: %q, want %q", day, got, want)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := load(published, "data/v1", "v1"); err != nil {
			b.Fatal(err)
		}
	}
}
