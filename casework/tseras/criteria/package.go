package criteria

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"

	"github.com/tesdiq/tesdiq"
)

// PackageFormat is the format of decision packages that this program writes and reads.
const PackageFormat = "tesdiq-decision-1"

// MaxPackage is how many bytes a decision package may have, its answers enclosed: seven of a megabyte, twice in base 64.
const MaxPackage = 16 << 20

// Package is a decision as anybody can decide it again: what went in, by which rules, and what came out. Its own fields have no name and no
// number of a person, but the birth date and all that was found of the health; the case number is for whoever holds the case. What is
// enclosed in it does name people, which makes three forms of it:
//
//   - As kept it is what is stored and what the ledger's line is over. Each signature has what the sign-in provider signed, which names the member;
//     of each answer there is the digest alone. Nobody is handed it but who audits the instance.
//   - As committed it has of signatures and of answers name, type and SHA-256, and names nobody. It follows from each of the others: leave out "bytes" and
//     "stamp" wherever they are. All holders come to the same bytes.
//   - As enclosed, for the person, it is as committed, and its answers have their bytes and time stamps, which name him.
//
// Fields stand in the order below, without blanks, with one line feed at the end. What members sign is the form as committed before there
// are signatures (Proposed).
type Package struct {
	Format     string          `json:"format"`
	Case       string          `json:"case,omitempty"`
	About      string          `json:"about,omitempty"` // of an appeal: the first case, for which the registers were asked; older ones do not say it
	Rules      string          `json:"rules"`
	Input      json.RawMessage `json:"input"`  // canonical
	Result     json.RawMessage `json:"result"` // canonical
	Answers    []Exchange      `json:"answers,omitempty"`
	Signatures []Enclosure     `json:"signatures,omitempty"`
	Signed     *Signed         `json:"signed,omitempty"` // of a commission's decision; older ones do not say it
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

// Enclosure is a signature over the package, as it was received. In packages of before it has no digest, and its name is the member's number.
type Enclosure struct {
	Name   string `json:"name,omitempty"` // "chair", "member" or "further": never who
	Type   string `json:"type"`           // media type of Bytes
	SHA256 string `json:"sha256,omitempty"`

	Bytes []byte `json:"bytes,omitempty"` // only as kept: it names who signed
}

// Signed says what the signatures are over, and of how many.
type Signed struct {
	Of   int    `json:"of"`   // who spoke: those who signed, and those who refused to
	Over string `json:"over"` // the digest that was signed, of Salt and Proposed; in hexadecimal, as Salt
	Salt string `json:"salt"` // without it who signs blindly might try birth dates
}

// Pack makes the package of a decision.
func Pack(number string, in Input, r Result) Package {
	return Package{Format: PackageFormat, Case: number, Rules: r.Rules, Input: in.Canonical(), Result: r.Canonical()}
}

// Bytes is the package as a file.
func (p Package) Bytes() []byte { return append(canonical(p), '\n') }

// Committed is the package without what is only enclosed or kept.
func (p Package) Committed() Package {
	p.Answers = slices.Clone(p.Answers)
	for i := range p.Answers {
		p.Answers[i].Bytes, p.Answers[i].Stamp = nil, nil
	}
	p.Signatures = slices.Clone(p.Signatures)
	for i := range p.Signatures {
		p.Signatures[i] = p.Signatures[i].committed()
	}
	return p
}

// Proposed is the package as it was laid before those who signed.
func (p Package) Proposed() Package {
	p = p.Committed()
	p.Signatures, p.Signed = nil, nil
	return p
}

// committed is the signature by its digest. The name of before, which is a member's number, goes.
func (e Enclosure) committed() Enclosure {
	if e.SHA256 == "" {
		e.SHA256 = digestOf(e.Bytes)
	}
	if !slices.Contains(signers, e.Name) {
		e.Name = ""
	}
	e.Bytes = nil
	return e
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

// ReadPackage reads a package's file in any form, with or without blanks between the values. The error is a Problem: "criteria.package_unreadable", "criteria.package_format",
// "criteria.package_case" where it bears or is about something else than a case; of an answer (Name) "criteria.package_answer_unnamed" where it
// has no name or no digest, "criteria.package_answer_differs" where what is enclosed has another one; "criteria.package_signature" of a signature.
func ReadPackage(b []byte) (Package, error) {
	var p Package
	if len(b) > MaxPackage || strictly(b, &p) != nil {
		return Package{}, tesdiq.Invalid("criteria.package_unreadable")
	}
	if p.Format != PackageFormat {
		return Package{}, tesdiq.Invalid("criteria.package_format").With("Format", PackageFormat)
	}
	if p.Case != "" && !caseNumber.MatchString(p.Case) || p.About != "" && (!caseNumber.MatchString(p.About) || p.Case == "" || p.About == p.Case) {
		return Package{}, tesdiq.Invalid("criteria.package_case")
	}
	for _, a := range p.Answers {
		if err := a.check(); err != nil {
			return Package{}, err
		}
	}
	for _, e := range p.Signatures {
		if !e.right() {
			return Package{}, tesdiq.Invalid("criteria.package_signature")
		}
	}
	if s := p.Signed; s != nil && (!isDigest(s.Over) || !saltForm.MatchString(s.Salt) || len(p.Signatures) == 0 || s.Of < len(p.Signatures) || s.Of > maxList) {
		return Package{}, tesdiq.Invalid("criteria.package_signature")
	}
	// Blanks change nothing. A field that is there twice or spelled otherwise would say one thing to us and another to who reads with another program.
	if !bytes.Equal(append(compact(b), '\n'), p.Bytes()) {
		return Package{}, tesdiq.Invalid("criteria.package_unreadable")
	}
	return p, nil
}

// What stands in a package and is shown, written out or named: nothing else can be in it than such a name.
var (
	caseNumber = regexp.MustCompile(`^[A-Z]{1,3}-[0-9]{4}-[0-9]{6,9}$`)
	answerName = regexp.MustCompile(`^[a-z_]{1,40}$`)           // a register; whoever writes the answers out makes a file's name of it
	memberName = regexp.MustCompile(`^[A-Za-z0-9-]{0,40}$`)     // of signatures of before
	mediaType  = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9.+-]+$`) // of signatures
	saltForm   = regexp.MustCompile(`^([0-9a-f]{2}){16,64}$`)   // in hexadecimal
	signers    = []string{"chair", "member", "further"}         // as a signature names who signed
)

func isDigest(s string) bool {
	digest, err := hex.DecodeString(s)
	return err == nil && len(digest) == sha256.Size && hex.EncodeToString(digest) == s
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// right says whether a signature is as it is written: by its digest, with what has it or without; or as before, without a digest.
func (e Enclosure) right() bool {
	if !mediaType.MatchString(e.Type) {
		return false
	}
	if e.SHA256 == "" {
		return e.Bytes != nil && memberName.MatchString(e.Name)
	}
	return isDigest(e.SHA256) && (e.Name == "" || slices.Contains(signers, e.Name)) && (e.Bytes == nil || digestOf(e.Bytes) == e.SHA256)
}

func (x Exchange) check() error {
	if !isDigest(x.SHA256) || !answerName.MatchString(x.Name) {
		return tesdiq.Invalid("criteria.package_answer_unnamed").With("Name", strconv.QuoteToASCII(x.Name))
	}
	if x.Bytes == nil && x.Stamp != nil || x.Bytes != nil && digestOf(x.Bytes) != x.SHA256 {
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
