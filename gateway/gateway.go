package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq"
)

// Register is what is asked.
type Register string

// The registers. Each is a service of its own with a schema of its own and one purpose, so that nobody gets more than he asked for.
const (
	Episodes     Register = "episodes"     // treatment: when, where, for what
	Treating     Register = "treating"     // who treated, to exclude him from the commission
	Oncology     Register = "oncology"     //
	Tuberculosis Register = "tuberculosis" //
	Dialysis     Register = "dialysis"     //
	Occupational Register = "occupational" // acts of occupational disease
	Vision       Register = "vision"       //
	Population   Register = "population"   // name, birth, death, district
	Relatives    Register = "relatives"    // whom to exclude from the commission
	Contact      Register = "contact"      // the telephone in the person's own name
	Contracts    Register = "contracts"    // employment
	Registration Register = "registration" // the polyclinic
)

// Purpose is what an answer is used for, and nothing else.
type Purpose string

// The purposes.
const (
	Assessment Purpose = "disability-assessment"
	Exclusion  Purpose = "exclusion-from-commission"
	Contacting Purpose = "contact"
	Correcting Purpose = "correction" // of what a register answered before; see Register.Correction
)

// purposes says what each register may be asked for.
var purposes = map[Register]Purpose{
	Episodes: Assessment, Oncology: Assessment, Tuberculosis: Assessment, Dialysis: Assessment, Occupational: Assessment, Vision: Assessment,
	Population: Assessment, Contracts: Assessment, Registration: Assessment,
	Treating: Exclusion, Relatives: Exclusion, Contact: Contacting,
}

// Registers are all of them, by name.
func Registers() []Register {
	all := make([]Register, 0, len(purposes))
	for r := range purposes {
		all = append(all, r)
	}
	slices.Sort(all)
	return all
}

// Purpose is what the register is asked for; empty if there is no such register.
func (r Register) Purpose() Purpose {
	if _, ok := r.Corrects(); ok {
		return Correcting
	}
	return purposes[r]
}

// Question asks one register about one person, for one case.
type Question struct {
	ID       string      // a UUID (NewID). Asked again with the same ID it is the same question, and has one answer
	Case     string      // T-2026-000123: X-Road-Issue
	Purpose  Purpose     // the register's own; empty: the same
	Register Register    //
	Person   tesdiq.FIN  //
	Since    tesdiq.Date // what ended before that day is not asked for; none: everything
	Asked    time.Time   // when it was asked first; zero: now, in whole seconds
	Dispute  Dispute     // of a correction, and of nothing else
}

var (
	idForm   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	caseForm = regexp.MustCompile(`^[A-Z]{1,3}-[0-9]{4}-[0-9]{6,9}$`)
)

var errQuestion = errors.New("gateway: not a question")

// check sees that a question can be asked.
func (q Question) check() error {
	switch {
	case !idForm.MatchString(q.ID):
		return fmt.Errorf("%w: id", errQuestion)
	case !caseForm.MatchString(q.Case):
		return fmt.Errorf("%w: no case", errQuestion)
	case q.Register.Purpose() == "" || q.Purpose != q.Register.Purpose():
		return fmt.Errorf("%w: %s is not asked for %q", errQuestion, q.Register, q.Purpose)
	case q.Dispute.check(q.Purpose == Correcting) != nil:
		return q.Dispute.check(q.Purpose == Correcting)
	case q.Asked.IsZero() || !q.Asked.Equal(q.Asked.Truncate(time.Second)):
		return fmt.Errorf("%w: when it was asked", errQuestion)
	}
	if _, err := tesdiq.ParseFIN(string(q.Person)); err != nil {
		return fmt.Errorf("%w: the person", errQuestion)
	}
	return nil
}

// NewID draws a question's ID: a UUID of version 4 (RFC 9562), as X-Road recommends.
func NewID(random io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("gateway: id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return uuid(b), nil
}

// IDOf is the ID of a case's question to a register at its n-th asking: the same on every machine and after every crash, so that whoever
// forgot that he asked asks the same question again. It is a UUID of version 8 (RFC 9562): one's own way to fill it.
func IDOf(caseNumber string, register Register, person tesdiq.FIN, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "tesdiq-question\n%s\n%s\n%s\n%d", caseNumber, register, string(person), n))
	b := [16]byte(sum[:16])
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return uuid(b)
}

func uuid(b [16]byte) string {
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Outcome is what became of one question: an Answer or a NoAnswer, never both, never neither.
type Outcome struct {
	Question Question
	Answer   *Answer
	No       *NoAnswer
}

// Answer is what a register says, checked.
type Answer struct {
	AsOf     time.Time // the state of the register
	Found    bool      // false: the register says that it has nothing about the person
	Facts    Facts
	Exchange Exchange // the whole, as it can be checked again
}

// NoAnswer says that a register is not known to have anything, nor to have nothing.
type NoAnswer struct {
	Reason   Reason
	Detail   string    // for the operator: an error code of X-Road, a field's name; nothing about the person
	Since    time.Time // when the question was asked first
	Attempts int       // how often it was sent, by all who asked it
	Next     time.Time // when it is worth asking again
}
