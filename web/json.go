package web

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tesdiq/tesdiq"
)

// mostWrong is how many problems of one body are told: who has more has sent another thing.
const mostWrong = 20

// ReadJSON reads what a program sent into a struct that says all that may be in it: every name once and spelled exactly so,
// in nested objects too, and nothing else. encoding/json would take the last of two, and "NUMBER" for "number": then who
// signed one thing could be understood to have said another. All that is wrong is told at once, each by its path.
func ReadJSON(b []byte, into any) error {
	if !utf8.Valid(b) || !json.Valid(b) || !bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		return tesdiq.Invalid("json.malformed")
	}
	var s strict
	s.look("", b, reflect.TypeOf(into).Elem())
	if len(s.wrong) > 0 {
		return s.wrong[:min(len(s.wrong), mostWrong)]
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("web: json: %w", err) // strict has seen to it
	}
	return nil
}

type strict struct{ wrong tesdiq.Problems }

var readsText = reflect.TypeFor[encoding.TextUnmarshaler]()

// look compares a value with a type.
func (s *strict) look(path string, raw json.RawMessage, t reflect.Type) {
	raw = bytes.TrimSpace(raw)
	text := reflect.PointerTo(t).Implements(readsText)
	switch {
	case bytes.Equal(raw, []byte("null")):
		s.wrong.Add(path, tesdiq.Invalid("json.type"))
	case t.Kind() == reflect.Struct && !text:
		s.object(path, raw, t)
	case t.Kind() == reflect.Slice && !text:
		var items []json.RawMessage
		if json.Unmarshal(raw, &items) != nil {
			s.wrong.Add(path, tesdiq.Invalid("json.type"))
			return
		}
		for i, item := range items {
			s.look(path+"["+strconv.Itoa(i)+"]", item, t.Elem())
		}
	default:
		err := json.Unmarshal(raw, reflect.New(t).Interface())
		var p *tesdiq.Problem
		switch {
		case errors.As(err, &p):
			s.wrong.Add(path, p)
		case err != nil:
			s.wrong.Add(path, tesdiq.Invalid("json.type"))
		}
	}
}

// object compares the members of an object with a struct's fields.
func (s *strict) object(path string, raw json.RawMessage, t reflect.Type) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		s.wrong.Add(path, tesdiq.Invalid("json.type"))
		return
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		name, _ := token.(string)
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			s.wrong.Add(path, tesdiq.Invalid("json.malformed"))
			return
		}
		at := strings.TrimPrefix(path+"."+short(name), ".")
		field, known := member(t, name)
		switch {
		case !known:
			s.wrong.Add(at, tesdiq.Invalid("json.unknown").With("Name", short(name)))
		case seen[name]:
			s.wrong.Add(at, tesdiq.Invalid("json.twice").With("Name", short(name)))
		default:
			s.look(at, value, field)
		}
		seen[name] = true
	}
}

// member is the type of a struct's field by its JSON name.
func member(t reflect.Type, name string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name && tag != "" && tag != "-" {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

// short is a name that somebody made up, as far as it is told back.
func short(name string) string {
	if len(name) > 50 {
		return strings.ToValidUTF8(name[:50], "")
	}
	return name
}

// IdempotencyKey is the key by which a program sends a request again: 1 to 200 printable ASCII characters. The error is a Problem of
// kind Invalid, "idempotency.malformed".
func IdempotencyKey(h http.Header) (string, error) {
	key := strings.TrimSpace(strings.Join(h["Idempotency-Key"], ", "))
	if key == "" || len(key) > 200 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", tesdiq.Invalid("idempotency.malformed").In("Idempotency-Key")
	}
	return key, nil
}
