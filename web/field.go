package web

import (
	"fmt"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// Field is one question of a form, for the parts field-text, field-area, field-select and field-radios.
// In a page: {{template "field-text" (field . "code" .Data.Code "Label" (t "verifier.code") "Hint" (t "verifier.code.hint") "Class" "code")}}
type Field struct {
	Name  string // also its id, to which the error summary links
	Value string
	Label string
	Hint  string
	Why   string // what is wrong with it

	Type, Class, Inputmode string
	// Autocomplete is never "off": with it, browsers forget what was typed when somebody comes back from a page that
	// could not be reached. "one-time-code" is restored, and yet not offered to the next person at this browser.
	Autocomplete string
	Maxlength    int
	Focus        bool
	Choices      []Choice
}

// Choice is one possible answer.
type Choice struct{ Value, Label, Hint string }

// ID of the choice's input: the first has the field's own, so that the error summary leads there.
func (f Field) ID(i int) string {
	if i == 0 {
		return f.Name
	}
	return fmt.Sprintf("%s-%d", f.Name, i+1)
}

// Described lists what describes the input.
func (f Field) Described() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	if f.Why != "" {
		ids = append(ids, f.Name+"-why")
	}
	return strings.Join(ids, " ")
}

func (s *Shell) field(lang tesdiq.Lang, v View, name, value string, args []any) (Field, error) {
	f := Field{Name: name, Value: value, Type: "text"}
	for _, p := range v.Problems {
		if p.Field == name && f.Why == "" {
			f.Why = s.Sentence(lang, p)
		}
	}
	if len(args)%2 != 0 {
		return f, fmt.Errorf("field %s: names and values", name)
	}
	for i := 0; i < len(args); i += 2 {
		ok := true
		switch args[i] {
		case "Label":
			f.Label, ok = args[i+1].(string)
		case "Hint":
			f.Hint, ok = args[i+1].(string)
		case "Type":
			f.Type, ok = args[i+1].(string)
		case "Class":
			f.Class, ok = args[i+1].(string)
		case "Autocomplete":
			f.Autocomplete, ok = args[i+1].(string)
		case "Inputmode":
			f.Inputmode, ok = args[i+1].(string)
		case "Maxlength":
			f.Maxlength, ok = args[i+1].(int)
		case "Focus":
			f.Focus, ok = args[i+1].(bool)
		case "Choices":
			f.Choices, ok = args[i+1].([]Choice)
		default:
			ok = false
		}
		if !ok {
			return f, fmt.Errorf("field %s: %v", name, args[i])
		}
	}
	return f, nil
}
