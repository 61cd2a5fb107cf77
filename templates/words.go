package templates

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry/person"
)

// Words are the texts of one version of a document in all languages. They are kept with the version, not with the
// pages' texts, because what was printed once is never reworded.
type Words map[tesdiq.Lang]map[string]string

// ReadWords reads words.az.json, words.en.json and words.ru.json, which must have the same keys.
func ReadWords(files fs.FS) (Words, error) {
	w := make(Words)
	for _, lang := range tesdiq.Langs {
		b, err := fs.ReadFile(files, "words."+string(lang)+".json")
		if err != nil {
			return nil, fmt.Errorf("templates: words: %w", err)
		}
		var m map[string]string
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, fmt.Errorf("templates: words.%s.json: %w", lang, err)
		}
		w[lang] = m
	}
	for _, lang := range tesdiq.Langs {
		for key, text := range w[tesdiq.Az] {
			if w[lang][key] == "" || strings.Count(text, "{") != strings.Count(w[lang][key], "{") {
				return nil, fmt.Errorf("templates: words.%s.json: %s is missing or has other placeholders", lang, key)
			}
		}
		if len(w[lang]) != len(w[tesdiq.Az]) {
			return nil, fmt.Errorf("templates: words.%s.json has words that words.az.json does not", lang)
		}
	}
	return w, nil
}

// MustReadWords reads words that are embedded in the program.
func MustReadWords(files fs.FS) Words {
	w, err := ReadWords(files)
	if err != nil {
		panic(err)
	}
	return w
}

// Say gives the words of key, with {name} replaced by its value. A key that is not there is an error, never an empty row.
func (w Words) Say(lang tesdiq.Lang, key string, pairs ...string) (string, error) {
	text, ok := w[lang][key]
	if !ok {
		return "", fmt.Errorf("no words for %q in %q", key, lang)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text, nil
}

// Title is the words of "title", which every version has.
func (w Words) Title(lang tesdiq.Lang) string { return w[lang]["title"] }

// Writer collects the facts of a statement in one language and keeps the first error.
type Writer struct {
	Words Words
	Lang  tesdiq.Lang
	Facts []Fact
	Err   error
	group string
}

// Say gives words, or keeps the error.
func (w *Writer) Say(key string, pairs ...string) string {
	text, err := w.Words.Say(w.Lang, key, pairs...)
	if err != nil && w.Err == nil {
		w.Err = err
	}
	return text
}

// Group begins a heading; the key of its words is "group.<name>".
func (w *Writer) Group(name string) { w.group = w.Say("group." + name) }

// Row adds a fact whose label's key is "label.<key>"; a fact without a value is left out.
func (w *Writer) Row(key, value string) { w.row(Fact{Key: key, Value: value}) }

// Short adds a fact that somebody who is not signed in sees shortened.
func (w *Writer) Short(key, value, short string) {
	w.row(Fact{Key: key, Value: value, Mask: Shortened, Short: short})
}

// Hide adds a fact that somebody who is not signed in does not see.
func (w *Writer) Hide(key, value string) { w.row(Fact{Key: key, Value: value, Mask: Hidden}) }

func (w *Writer) row(f Fact) {
	if f.Value == "" {
		return
	}
	f.Group, f.Label = w.group, w.Say("label."+f.Key)
	w.Facts = append(w.Facts, f)
}

// Person adds who the excerpt is about.
func (w *Writer) Person(p person.Person) {
	w.Group("person")
	w.Short("name", p.Name.Full(p.Sex), p.Name.Initials())
	w.Short("fin", string(p.FIN), "••••"+p.FIN.Tail())
	w.Hide("document", p.Document.String())
	w.Hide("born", p.Born.String())
}

// Use adds for whom, what for and until when.
func (w *Writer) Use(o Options) {
	w.Group("use")
	w.Row("recipient", o.Recipient)
	w.Row("purpose", o.Purpose)
	w.Row("valid_until", w.Say("until", "day", o.ValidUntil.String()))
}
