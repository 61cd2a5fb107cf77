package criteria

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tesdiq/tesdiq"
)

// Canonical is the input's one form in bytes: lists in their order, no blanks, no number but whole ones.
func (in Input) Canonical() []byte { return canonical(in.ordered()) }

// Canonical is the result's one form in bytes.
func (r Result) Canonical() []byte { return canonical(r) }

func canonical(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("criteria: canonical form: %v", err)) // our own types: texts, whole numbers, dates
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// ReadInput reads an input. Fields that it does not know are refused. The error is a Problem, "criteria.input_unreadable".
func ReadInput(b []byte) (Input, error) {
	var in Input
	if err := strictly(b, &in); err != nil {
		return Input{}, tesdiq.Invalid("criteria.input_unreadable")
	}
	return in, nil
}

// strictly reads one JSON value and nothing else.
func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
