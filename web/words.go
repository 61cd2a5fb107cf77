package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"github.com/tesdiq/tesdiq"
)

// words are the texts of all locale files: locale/<area>.<lang>.json, each a flat object of keys and texts.
// A text that depends on a number is an object with its plural forms: {"one": …, "few": …, "many": …, "other": …}.
type words struct {
	localizers map[tesdiq.Lang]*i18n.Localizer
	keys       map[string]bool // as Azerbaijani has them
}

func readWords(files fs.FS) (*words, error) {
	w := &words{localizers: make(map[tesdiq.Lang]*i18n.Localizer), keys: make(map[string]bool)}
	bundle := i18n.NewBundle(language.Azerbaijani)
	names, err := fs.Glob(files, "locale/*.json")
	if err != nil {
		return nil, fmt.Errorf("web: locale: %w", err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("web: locale: %w", err)
		}
		f, err := bundle.ParseMessageFileBytes(b, path.Base(name))
		if err != nil {
			return nil, fmt.Errorf("web: locale: %s: %w", name, err)
		}
		if strings.HasSuffix(name, ".az.json") {
			var flat map[string]json.RawMessage
			if err := json.Unmarshal(b, &flat); err != nil {
				return nil, fmt.Errorf("web: locale: %s: %w", name, err)
			}
			for k := range flat {
				w.keys[k] = true
			}
			if len(f.Messages) != len(flat) {
				return nil, fmt.Errorf("web: locale: %s: %d texts were read of %d", name, len(f.Messages), len(flat))
			}
		}
	}
	for _, l := range tesdiq.Langs {
		w.localizers[l] = i18n.NewLocalizer(bundle, string(l))
	}
	return w, nil
}

// Sentences are what problems say to people in one language, for programs without pages.
func Sentences(lang tesdiq.Lang) (func(*tesdiq.Problem) string, error) {
	w, err := readWords(localeFiles)
	if err != nil {
		return nil, err
	}
	return func(p *tesdiq.Problem) string { return w.text(lang, "problem."+p.Key, p.Args) }, nil
}

// Texts are all texts in one language, for programs without pages: a key, then names and values, or one map of them.
func Texts(lang tesdiq.Lang) (func(key string, args ...any) string, error) {
	w, err := readWords(localeFiles)
	if err != nil {
		return nil, err
	}
	return func(key string, args ...any) string { return w.text(lang, key, args...) }, nil
}

func (w *words) has(key string) bool { return w.keys[key] }

func (w *words) text(lang tesdiq.Lang, key string, args ...any) string {
	return w.say(lang, key, &i18n.LocalizeConfig{MessageID: key, TemplateData: placeholders(args)})
}

func (w *words) counted(lang tesdiq.Lang, key string, count int, args ...any) string {
	data := placeholders(args)
	data["Count"] = count
	return w.say(lang, key, &i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: count})
}

func (w *words) say(lang tesdiq.Lang, key string, c *i18n.LocalizeConfig) string {
	l, ok := w.localizers[lang]
	if !ok {
		l = w.localizers[tesdiq.Az]
	}
	s, err := l.Localize(c)
	if err != nil {
		return key
	}
	return s
}

// placeholders makes a map of names and values that follow each other, or of one map.
func placeholders(args []any) map[string]any {
	m := make(map[string]any, len(args)/2+1)
	if len(args) == 1 {
		switch given := args[0].(type) {
		case map[string]any:
			for k, v := range given {
				m[k] = v
			}
		case map[string]string:
			for k, v := range given {
				m[k] = v
			}
		}
		return m
	}
	for i := 0; i+1 < len(args); i += 2 {
		if name, ok := args[i].(string); ok {
			m[name] = args[i+1]
		}
	}
	return m
}
