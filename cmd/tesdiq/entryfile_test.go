package main

import (
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq/registry"
)

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
