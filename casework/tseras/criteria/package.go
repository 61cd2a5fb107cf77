package criteria

import (
	"bytes"
	"encoding/json"

	"github.com/tesdiq/tesdiq"
)

// PackageFormat is the format of decision packages that this program writes and reads.
const PackageFormat = "tesdiq-decision-1"

// MaxPackage is how many bytes a decision package may have.
const MaxPackage = 8 << 20

// Package is a decision as anybody can decide it again: what went in, by which rules, and what came out. It names
// nobody; the case number is for whoever holds the case.
type Package struct {
	Format     string          `json:"format"`
	Case       string          `json:"case,omitempty"`
	Rules      string          `json:"rules"`
	Input      json.RawMessage `json:"input"`  // canonical
	Result     json.RawMessage `json:"result"` // canonical
	Answers    []Enclosure     `json:"answers,omitempty"`
	Signatures []Enclosure     `json:"signatures,omitempty"`
}

// Enclosure is a signed answer of a register, or a signature over the package, as it was received.
type Enclosure struct {
	Name  string `json:"name"`
	Type  string `json:"type"` // media type
	Bytes []byte `json:"bytes"`
}

// Pack makes the package of a decision.
func Pack(number string, in Input, r Result) Package {
	return Package{Format: PackageFormat, Case: number, Rules: r.Rules, Input: in.Canonical(), Result: r.Canonical()}
}

// Bytes is the package as a file.
func (p Package) Bytes() []byte { return append(canonical(p), '\n') }

// ReadPackage reads a package's file. The error is a Problem: "criteria.package_unreadable", "criteria.package_format".
func ReadPackage(b []byte) (Package, error) {
	var p Package
	if len(b) > MaxPackage || strictly(b, &p) != nil {
		return Package{}, tesdiq.Invalid("criteria.package_unreadable")
	}
	if p.Format != PackageFormat {
		return Package{}, tesdiq.Invalid("criteria.package_format").With("Format", PackageFormat)
	}
	return p, nil
}

// Again decides again what the package says was decided, by the rules that it names, and compares every byte. The error is
// a Problem: "criteria.rules_unknown" where this program does not have these rules, "criteria.package_input" where the
// input is not in its canonical form or cannot be decided, "criteria.package_differs" (Field) where the rules say something else.
func (p Package) Again() (Input, Result, error) {
	rules, err := ByVersion(p.Rules)
	if err != nil {
		return Input{}, Result{}, err
	}
	in, err := ReadInput(p.Input)
	if err != nil || !bytes.Equal(in.Canonical(), compact(p.Input)) {
		return Input{}, Result{}, tesdiq.Invalid("criteria.package_input")
	}
	var said struct {
		Alone bool `json:"alone"`
	}
	if json.Unmarshal(p.Result, &said) != nil {
		return in, Result{}, tesdiq.Invalid("criteria.package_unreadable")
	}
	var again Result
	if said.Alone {
		var enough bool
		if again, enough = rules.Alone(in); !enough {
			return in, again, tesdiq.Invalid("criteria.package_differs").With("Field", "alone")
		}
	} else if again, err = rules.Decide(in); err != nil {
		return in, Result{}, tesdiq.Invalid("criteria.package_input")
	}
	if differs := firstDifference(again.Canonical(), compact(p.Result)); differs != "" {
		return in, again, tesdiq.Invalid("criteria.package_differs").With("Field", differs)
	}
	return in, again, nil
}

func compact(b []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return b
	}
	return out.Bytes()
}

// firstDifference names the first field of two results that is not the same in both; "" when the bytes are equal.
func firstDifference(a, b []byte) string {
	if bytes.Equal(a, b) {
		return ""
	}
	var x, y map[string]json.RawMessage
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return "result"
	}
	for _, field := range []string{
		"rules", "law", "alone", "decided_on", "outcome", "loss", "band", "degree", "cause", "from", "until", "next_from", "term",
		"conditions", "reasons", "changes",
	} {
		if !bytes.Equal(x[field], y[field]) {
			return field
		}
	}
	return "result"
}
