package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/examination"
)

// The examples of docs/registry.md are entries that the books take, and its list of causes is whole.
func TestRegistryDocIsTrue(t *testing.T) {
	doc, err := os.ReadFile("../../docs/registry.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)## (\\w+)\n\n```json\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
	if len(examples) != 3 {
		t.Fatalf("%d examples, want one of each book", len(examples))
	}
	for _, x := range examples {
		file, err := readEntryFile(registry.Book(x[1]), "-", strings.NewReader(x[2]))
		if err != nil {
			t.Errorf("%s: %v", x[1], err)
			continue
		}
		c := registry.Circumstances{Today: tesdiq.NewDate(2026, 11, 21), Born: tesdiq.NewDate(1990, 2, 3)}
		for _, p := range file.body.Validate(c) {
			if p.Field != "number" { // which is given when it is entered
				t.Errorf("%s: %s: %s", x[1], p.Field, operatorWords(p))
			}
		}
	}
	for _, cause := range examination.Causes {
		if !strings.Contains(string(doc), "`"+string(cause)+"`") {
			t.Errorf("the cause %s is missing", cause)
		}
	}
}

// Whatever somebody writes is read or refused with its file and line, never a panic.
func FuzzReadEntryFile(f *testing.F) {
	f.Add("person", `{"fin": "QW1E2R3", "name": {"surname": "Nəsirova", "given": "Əsmər"}, "sex": "f", "born": "1990-02-03", "document": "AA1234567"}`)
	f.Add("examination", "{\n\"loss\": 40,\n\"loss\": 1, \"until\": \"\"}")
	f.Add("contract", `{"main": true, "salary": 90000, "name": null}`)
	f.Add("person", `{"name": []}`)
	f.Fuzz(func(t *testing.T, book, text string) {
		b := registry.Book(book)
		if b != registry.Persons && b != registry.Examinations && b != registry.Contracts {
			return
		}
		file, err := readEntryFile(b, "-", strings.NewReader(text))
		if err != nil && !strings.HasPrefix(err.Error(), "stdin") {
			t.Fatalf("%q: %v", text, err)
		}
		if err == nil && file.body == nil {
			t.Fatal("neither an entry nor an error")
		}
	})
}
