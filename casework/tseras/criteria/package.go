package criteria

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"

	"github.com/tesdiq/tesdiq"
)

// PackageFormat is the format of decision packages that this program writes and reads.
const PackageFormat = "tesdiq-decision-1"

// MaxPackage is how many bytes a decision package may have, its answers enclosed: seven of a megabyte, twice in base 64.
const MaxPackage = 16 << 20

// Package is a decision as anybody can decide it again: what went in, by which rules, and what came out. It names
// nobody; the case number is for whoever holds the case.
//
// It has two forms. As committed it is what is stored, what the members signed (before there were signatures) and what the
// ledger's line is over: of each answer its name, type and SHA-256. As enclosed it has the answers' bytes and time stamps, too,
// which name the person. Without "bytes" and "stamp" in every one of its answers the enclosed form is the committed one,
// byte for byte: fields in the order below, no blanks, one line feed at the end.
type Package struct {
	Format     string          `json:"format"`
	Case       string          `json:"case,omitempty"`
	Rules      string          `json:"rules"`
	Input      json.RawMessage `json:"input"`  // canonical
	Result     json.RawMessage `json:"result"` // canonical
	Answers    []Exchange      `json:"answers,omitempty"`
	Signatures []Enclosure     `json:"signatures,omitempty"`
}

// Exchange is a question to a register and its signed answer, which the rules read, as they were captured. A register whose
// answer was not captured has none.
type Exchange struct {
	Name   string `json:"name"`   // the register, as Input.Evidence has it
	Type   string `json:"type"`   // media type of Bytes
	SHA256 string `json:"sha256"` // of Bytes, in hexadecimal

	Bytes []byte          `json:"bytes,omitempty"` // only as enclosed
	Stamp json.RawMessage `json:"stamp,omitempty"` // the time stamp over Bytes, only as enclosed; it comes some seconds later than the answer
}

// Enclosure is a signature over the package, as it was received.
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

// Committed is the package without what is only enclosed.
func (p Package) Committed() Package {
	p.Answers = slices.Clone(p.Answers)
	for i := range p.Answers {
		p.Answers[i].Bytes, p.Answers[i].Stamp = nil, nil
	}
	return p
}

// Enclosed is how many answers are enclosed.
func (p Package) Enclosed() (n int) {
	for _, a := range p.Answers {
		if a.Bytes != nil {
			n++
		}
	}
	return n
}

// ReadPackage reads a package's file in either form. The error is a Problem: "criteria.package_unreadable", "criteria.package_format";
// of an answer (Name) "criteria.package_answer_unnamed" where it has no name or no digest, "criteria.package_answer_differs" where what is enclosed
// has another one.
func ReadPackage(b []byte) (Package, error) {
	var p Package
	if len(b) > MaxPackage || strictly(b, &p) != nil {
		return Package{}, tesdiq.Invalid("criteria.package_unreadable")
	}
	if p.Format != PackageFormat {
		return Package{}, tesdiq.Invalid("criteria.package_format").With("Format", PackageFormat)
	}
	for _, a := range p.Answers {
		if err := a.check(); err != nil {
			return Package{}, err
		}
	}
	return p, nil
}

// answerName is what a register can be called: whoever writes the answers out makes a file's name of it.
var answerName = regexp.MustCompile(`^[a-z_]{1,40}$`)

func (x Exchange) check() error {
	digest, err := hex.DecodeString(x.SHA256)
	if err != nil || len(digest) != sha256.Size || hex.EncodeToString(digest) != x.SHA256 || !answerName.MatchString(x.Name) {
		return tesdiq.Invalid("criteria.package_answer_unnamed").With("Name", x.Name)
	}
	if own := sha256.Sum256(x.Bytes); x.Bytes == nil && x.Stamp != nil || x.Bytes != nil && !bytes.Equal(own[:], digest) {
		return tesdiq.Invalid("criteria.package_answer_differs").With("Name", x.Name)
	}
	return nil
}

// foreign is the name of an answer that the rules did not read, or that is there twice; "" where there is none.
func (p Package) foreign(in Input) string {
	for i, a := range p.Answers {
		same := func(x Exchange) bool { return x.Name == a.Name }
		read := func(e Answer) bool { return e.Register == a.Name && e.State != NoAnswer }
		if !slices.ContainsFunc(in.Evidence, read) || slices.ContainsFunc(p.Answers[:i], same) {
			return a.Name
		}
	}
	return ""
}

// Again decides again what the package says was decided, by the rules that it names, and compares every byte. The error is
// a Problem: "criteria.rules_unknown" where this program does not have these rules, "criteria.package_input" where the
// input is not in its canonical form or cannot be decided, "criteria.package_answer_extra" (Name) where an answer is none that went in,
// "criteria.package_differs" (Field) where the rules say something else.
func (p Package) Again() (Input, Result, error) {
	rules, err := ByVersion(p.Rules)
	if err != nil {
		return Input{}, Result{}, err
	}
	in, err := ReadInput(p.Input)
	if err != nil || !bytes.Equal(in.Canonical(), compact(p.Input)) {
		return Input{}, Result{}, tesdiq.Invalid("criteria.package_input")
	}
	if name := p.foreign(in); name != "" {
		return in, Result{}, tesdiq.Invalid("criteria.package_answer_extra").With("Name", name)
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
