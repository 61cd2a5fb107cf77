package web

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
)

// forms are the plural forms that a language has (Unicode CLDR).
var forms = map[tesdiq.Lang][]string{
	tesdiq.Az: {"one", "other"}, tesdiq.En: {"one", "other"}, tesdiq.Ru: {"few", "many", "one", "other"},
}

// readLocale reads what one locale file says: by key, its forms; a text without plural has only "other".
func readLocale(t *testing.T, name string) map[string]map[string]string {
	t.Helper()
	b, err := fs.ReadFile(localeFiles, name)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	out := make(map[string]map[string]string)
	for key, v := range raw {
		switch v := v.(type) {
		case string:
			out[key] = map[string]string{"": v}
		case map[string]any:
			out[key] = map[string]string{}
			for form, text := range v {
				s, ok := text.(string)
				if !ok {
					t.Fatalf("%s: %s.%s is no text", name, key, form)
				}
				out[key][form] = s
			}
		default:
			t.Fatalf("%s: %s is neither a text nor plural forms", name, key)
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`\.([A-Z]\w*)`)

func placeholdersOf(texts map[string]string) []string {
	seen := map[string]bool{}
	for _, s := range texts {
		for _, action := range regexp.MustCompile(`\{\{.*?\}\}`).FindAllString(s, -1) {
			for _, m := range placeholder.FindAllStringSubmatch(action, -1) {
				seen[m[1]] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func areas(t *testing.T) []string {
	t.Helper()
	names, err := fs.Glob(localeFiles, "locale/*.json")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, name := range names {
		area, lang, ok := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".json"), ".")
		if _, err := tesdiq.ParseLang(lang); !ok || err != nil {
			t.Errorf("%s: not area.lang.json", name)
		}
		seen[area] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

func TestEveryKeyStandsInEveryLanguageWithTheSamePlaceholders(t *testing.T) {
	home := map[string]string{}
	for _, area := range areas(t) {
		az := readLocale(t, "locale/"+area+".az.json")
		for key := range az {
			if home[key] != "" {
				t.Errorf("%s stands in two files: %s and %s", key, home[key], area)
			}
			home[key] = area
		}
		prefix := area + "."
		if strings.HasPrefix(area, "problem-") {
			prefix = "problem."
		}
		for key := range az {
			if !strings.HasPrefix(key, prefix) {
				t.Errorf("%s.az.json: %s does not begin with %s", area, key, prefix)
			}
		}
		for _, lang := range tesdiq.Langs {
			other := readLocale(t, "locale/"+area+"."+string(lang)+".json")
			for key, texts := range az {
				o, ok := other[key]
				if !ok {
					t.Errorf("%s.%s.json: %s is missing", area, lang, key)
					continue
				}
				if a, b := placeholdersOf(texts), placeholdersOf(o); !slices.Equal(a, b) {
					t.Errorf("%s.%s.json: %s has placeholders %v, Azerbaijani %v", area, lang, key, b, a)
				}
				_, plain := texts[""]
				if _, p := o[""]; p != plain {
					t.Errorf("%s.%s.json: %s has plural forms in only one language", area, lang, key)
				}
				if got := slices.Sorted(maps.Keys(o)); !plain && !slices.Equal(got, forms[lang]) {
					t.Errorf("%s.%s.json: %s has the forms %v, wants %v", area, lang, key, got, forms[lang])
				}
				for form, s := range o {
					if strings.TrimSpace(s) == "" || s != strings.TrimSpace(s) || strings.Contains(s, "<") {
						t.Errorf("%s.%s.json: %s %s: empty, with blanks at an end, or with mark-up: %q", area, lang, key, form, s)
					}
				}
			}
			for key := range other {
				if _, ok := az[key]; !ok {
					t.Errorf("%s.%s.json: %s is not in Azerbaijani", area, lang, key)
				}
			}
		}
	}
}

// Letters that give away a text in the wrong language.
func TestTextsAreInTheirLanguage(t *testing.T) {
	cyrillic, azerbaijani := regexp.MustCompile(`[А-Яа-яЁё]`), regexp.MustCompile(`[əƏğĞıİ]`)
	for _, area := range areas(t) {
		for _, lang := range tesdiq.Langs {
			for key, texts := range readLocale(t, "locale/"+area+"."+string(lang)+".json") {
				for _, s := range texts {
					words := regexp.MustCompile(`\{\{.*?\}\}|“[^”]*”|«[^»]*»`).ReplaceAllString(s, "")
					switch lang {
					case tesdiq.Az, tesdiq.En:
						if cyrillic.MatchString(words) {
							t.Errorf("%s.%s.json: %s: %q", area, lang, key, s)
						}
					}
					if lang != tesdiq.Az && azerbaijani.MatchString(words) {
						t.Errorf("%s.%s.json: %s: %q", area, lang, key, s)
					}
				}
			}
		}
	}
}

// sources are all Go and HTML files of the repository, tests left out.
func sources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != ".." && (strings.HasPrefix(name, ".") || name == "var" || name == "bin" || name == "node_modules" || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if ext := filepath.Ext(path); ext != ".html" && (ext != ".go" || strings.HasSuffix(path, "_test.go")) {
			return nil
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("found only %d sources", len(out))
	}
	return out
}

var (
	literal   = regexp.MustCompile("\"([a-z][a-z0-9_-]*(?:\\.[a-zA-Z0-9_-]+)*\\.?)\"")
	inPage    = regexp.MustCompile(`\b(?:t|tn) "([^"]+)"`)
	inProblem = regexp.MustCompile(`(?:tesdiq\.|\b)(?:Invalid|NewProblem)\((?:tesdiq\.)?(?:[A-Za-z]+, )?"([^"]+)"`)
	inMessage = regexp.MustCompile(`"(message\.[a-z-]+)"`)
)

// Every key that Go or a page names exists, and every key that exists is named somewhere. A literal that ends in a full
// stop ("verifier.purpose.") stands for all keys that begin so.
func TestEveryKeyUsedExistsAndNoneIsUnused(t *testing.T) {
	keys := map[string]bool{}
	for _, area := range areas(t) {
		for key := range readLocale(t, "locale/"+area+".az.json") {
			keys[key] = true
		}
	}
	used := map[string]bool{}
	var prefixes []string
	use := func(path, key string, must bool) {
		used[key] = true
		if must && !keys[key] && !strings.HasSuffix(key, ".") {
			t.Errorf("%s: no locale file has %s", path, key)
		}
	}
	for path, text := range sources(t) {
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			if strings.HasSuffix(m[1], ".") {
				prefixes = append(prefixes, m[1])
			}
			use(path, m[1], false)
			use(path, "problem."+m[1], false) // a problem's key may be a constant
		}
		if filepath.Ext(path) == ".html" {
			for _, m := range inPage.FindAllStringSubmatch(text, -1) {
				use(path, m[1], true)
			}
		}
		for _, m := range inProblem.FindAllStringSubmatch(text, -1) {
			use(path, "problem."+m[1], true)
		}
		for _, m := range inMessage.FindAllStringSubmatch(text, -1) {
			if _, suffix, _ := strings.Cut(m[1], "."); suffix != "" && !keys[m[1]] {
				use(path, m[1]+".title", true)
				use(path, m[1]+".text", true)
				used[m[1]+".short"] = true // what goes out of it by SMS, if it says more than that something is there
			}
		}
	}
	for key := range keys {
		if used[key] || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) && p != "problem." }) {
			continue
		}
		t.Errorf("nothing uses %s", key)
	}
}

// The texts can be filled in: no form of any key fails or leaves a placeholder open.
func TestTextsFillIn(t *testing.T) {
	w, err := readWords(localeFiles)
	if err != nil {
		t.Fatal(err)
	}
	for _, area := range areas(t) {
		for key, texts := range readLocale(t, "locale/"+area+".az.json") {
			args := map[string]any{}
			for _, name := range placeholdersOf(texts) {
				args[name] = "VALUE"
			}
			_, plain := texts[""]
			for _, lang := range tesdiq.Langs {
				for _, n := range []int{0, 1, 2, 5, 11, 21, 1234} {
					s := ""
					if plain {
						s = w.text(lang, key, args)
					} else {
						s = w.counted(lang, key, n, args)
					}
					if s == key || s == "" || strings.Contains(s, "<no value>") || strings.Contains(s, "{{") {
						t.Errorf("%s in %s for %d: %q", key, lang, n, s)
					}
				}
			}
		}
	}
}

func TestRussianCounts(t *testing.T) {
	w, err := readWords(localeFiles)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "1 проверка", 2: "2 проверки", 5: "5 проверок", 11: "11 проверок", 21: "21 проверка", 0: "0 проверок"} {
		if got := w.counted(tesdiq.Ru, "cabinet.checks", n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
