package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
)

// maxEntryFile is how many bytes an entry may have. ASSUMPTION: the longest is a few kilobytes.
const maxEntryFile = 64 << 10

// entryFile is what an operator wrote: one entry as a JSON object with the fields of its book.
type entryFile struct {
	name  string
	body  registry.Body
	lines map[string]int // where each field stands
}

// readEntryFile reads an entry from a file, or from in when the name is "-". The error tells line and field.
func readEntryFile(book registry.Book, name string, in io.Reader) (entryFile, error) {
	f := entryFile{name: name, lines: make(map[string]int)}
	if name == "-" {
		f.name = "stdin"
	} else {
		file, err := os.Open(name)
		if err != nil {
			return f, err
		}
		defer file.Close()
		in = file
	}
	b, err := io.ReadAll(io.LimitReader(in, maxEntryFile+1))
	if err != nil {
		return f, err
	}
	if len(b) > maxEntryFile {
		return f, fmt.Errorf("%s: more than %d KB", f.name, maxEntryFile>>10)
	}
	switch book {
	case registry.Persons:
		var p person.Person
		err = f.fill(b, 1, reflect.ValueOf(&p).Elem())
		f.body = p
	case registry.Examinations:
		var e examination.Examination
		err = f.fill(b, 1, reflect.ValueOf(&e).Elem())
		f.body = e
	case registry.Contracts:
		var k contract.Contract
		err = f.fill(b, 1, reflect.ValueOf(&k).Elem())
		f.body = k
	}
	return f, err
}

// fill reads one JSON object, which begins on a line, into a struct. encoding/json alone would neither tell the line
// nor all errors at once, and it would take a field twice.
func (f entryFile) fill(b []byte, line int, into reflect.Value) error {
	fields := make(map[string]int)
	var names []string
	for i := range into.NumField() {
		name, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		fields[name] = i
		names = append(names, name)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	at := func(offset int64) int { return line + bytes.Count(b[:offset], []byte("\n")) }
	malformed := func(err error) error {
		var syntax *json.SyntaxError
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("%s:%d: the JSON ends too early", f.name, at(int64(len(b))))
		case errors.As(err, &syntax):
			return fmt.Errorf("%s:%d: not JSON: %w", f.name, at(min(syntax.Offset, int64(len(b)))), err)
		}
		return fmt.Errorf("%s:%d: %w", f.name, at(d.InputOffset()), err)
	}
	if start, err := d.Token(); err != nil {
		return malformed(err)
	} else if start != json.Delim('{') {
		return fmt.Errorf("%s:%d: an object is needed, { … }", f.name, at(d.InputOffset()))
	}
	var wrong []error
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return malformed(err)
		}
		name, where := token.(string), at(d.InputOffset())
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return malformed(err)
		}
		begins := at(d.InputOffset() - int64(len(value)))
		i, known := fields[name]
		switch _, twice := f.lines[name]; {
		case !known:
			wrong = append(wrong, fmt.Errorf("%s:%d: %s: there is no such field; there are %s", f.name, where, name, strings.Join(names, ", ")))
			continue
		case twice:
			wrong = append(wrong, fmt.Errorf("%s:%d: %s: stands there twice", f.name, where, name))
			continue
		}
		f.lines[name] = where
		if field := into.Field(i); field.Type() == reflect.TypeFor[tesdiq.Name]() {
			err = f.fill(value, begins, field)
		} else if err = json.Unmarshal(value, field.Addr().Interface()); err != nil {
			err = fmt.Errorf("%s:%d: %s: %s", f.name, where, name, unreadable(err))
		}
		if err != nil {
			wrong = append(wrong, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return malformed(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s:%d: there is something after the end of the object", f.name, at(d.InputOffset()))
	}
	return errors.Join(wrong...)
}

// unreadable says why a value is none of its field.
func unreadable(err error) string {
	var kind *json.UnmarshalTypeError
	var p *tesdiq.Problem
	switch {
	case errors.As(err, &p):
		return operatorWords(p)
	case errors.As(err, &kind):
		value, isNumber := strings.CutPrefix(kind.Value, "number ") // "number 1820.50", but "string"
		if !isNumber {
			value = "a " + value
		}
		switch {
		case kind.Type == reflect.TypeFor[tesdiq.Qapik]():
			return "whole qapiks are needed (182050 is 1 820,50 ₼), not " + value
		case kind.Type.Kind() == reflect.Bool:
			return "true or false is needed, not " + value
		case kind.Type.Kind() == reflect.Int, kind.Type.Kind() == reflect.Int64:
			return "a whole number is needed, not " + value
		}
		return "text is needed, not " + value
	}
	return err.Error()
}

// locate puts file and line before what is wrong with the entry.
func (f entryFile) locate(err error) error {
	var ps tesdiq.Problems
	var p *tesdiq.Problem
	if !errors.As(err, &ps) && !errors.As(err, &p) {
		return err
	}
	var wrong []error
	for _, p := range tesdiq.ProblemsOf(err) {
		if _, isPerson := f.body.(person.Person); isPerson && p.Field == "number" {
			p = p.In("fin") // the number of a person in the book
		}
		switch line, there := f.lines[p.Field]; {
		case there:
			wrong = append(wrong, fmt.Errorf("%s:%d: %s: %s", f.name, line, p.Field, operatorWords(p)))
		case p.Field != "":
			wrong = append(wrong, fmt.Errorf("%s: %s: %s", f.name, p.Field, operatorWords(p)))
		default:
			wrong = append(wrong, fmt.Errorf("%s: %s", f.name, operatorWords(p)))
		}
	}
	return errors.Join(wrong...)
}
