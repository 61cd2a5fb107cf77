package issuer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// Step names one of the six steps of issuing.
type Step string

// The steps, in their order.
const (
	WriteDown Step = "write_down"
	Claim     Step = "claim"  // not a step of its own: the attempt that is committed before a key is called
	Attest    Step = "attest" // the first half of rendering: the facts, signed for machines
	Render    Step = "render"
	Lint      Step = "lint"
	Sign      Step = "sign"
	Check     Step = "check"
	Store     Step = "store"
)

// MaxAttempts is how often it is tried before the intent is void. The leases double, so eight of them outlast a key, a
// time stamp or a disk that is away for twelve minutes.
const MaxAttempts = 8

// Job is an intent whose attempt is committed, with what its excerpt will state.
type Job struct {
	Intent
	Standing
	Attempt int           // from 1
	Away    int           // at so many of those before, the key was away: they do not count
	Person  person.Person // as registered at asking
	Entry   registry.Body // as entered at asking
}

// ErrKeyAway says that a key cannot be called now, and later can: the excerpt waits, however long that takes.
var ErrKeyAway = errors.New("issuer: the key is away")

// Signer signs a PDF, and what is stated in it. It is the only way to a key.
type Signer interface {
	// Sign signs a PDF. until is when the certificates of its document time stamp end; zero: there is none.
	Sign(ctx context.Context, pdf []byte, at time.Time) (signed []byte, until time.Time, err error)
	// SignStatements signs the full statement as a JWS and the brief one, together with the address before it in the QR
	// code, as a COSE_Sign1. With them come the signer's certificate and those between it and the root.
	SignStatements(ctx context.Context, full, brief []byte, address string, at time.Time) (jws, cose []byte, signers []*x509.Certificate, err error)
}

// VoidError ends an intent for good.
type VoidError struct {
	Reason VoidReason
	Err    error // for us; may be nil
}

func (e *VoidError) Error() string {
	if e.Err == nil {
		return "issuer: void: " + string(e.Reason)
	}
	return "issuer: void: " + string(e.Reason) + ": " + e.Err.Error()
}

func (e *VoidError) Unwrap() error { return e.Err }

// Maker carries a job through steps 2 to 5. All fields but Trace are required.
type Maker struct {
	Kinds  Kinds
	Origin string // where excerpts are checked: https://tesdiq.example
	Signer Signer
	Roots  *keys.Roots // to which what was signed must chain: those that relying parties pin
	Now    func() time.Time
	Rand   io.Reader // for the salts of statements
	// Trace, if not nil, is told when a step begins and when it has ended: measurements and crash tests hang on it.
	Trace func(step Step, ended bool)
}

// Make turns a job into an excerpt that may be stored. Steps 1 and 6 are Ask and the store; a crash anywhere in between
// leaves the intent and its attempt, from which the next attempt begins anew.
//
// An error that is a VoidError ends the intent; after any other the next attempt may succeed.
func (m *Maker) Make(ctx context.Context, job Job) (Excerpt, error) {
	// 1 The intent and its code are written down, or there were no job. It states the entry as it was at asking; if that
	//   holds no longer, a signature now would say something that is not so.
	if !job.Current() {
		return Excerpt{}, &VoidError{Reason: NotCurrent}
	}

	// 2 Render, from the template version that was current at asking: state the facts, sign them for machines, since their
	//   signatures stand in the QR and in the attachment, and draw. The attempt was committed before: whoever counts the key's
	//   calls finds an attempt for each three of them.
	var sheet Sheet
	err := m.step(Attest, func() (err error) {
		sheet, err = m.state(ctx, job)
		return err
	})
	if err != nil {
		return Excerpt{}, err
	}
	if err := m.step(Render, sheet.draw); err != nil {
		return Excerpt{}, err
	}

	// 3 Lint: read the page back with other code than drew it, and compare. After this nothing is drawn any more.
	var linted pades.Inspection
	err = m.step(Lint, func() (err error) {
		linted, err = lint(sheet)
		return err
	})
	if err != nil {
		return Excerpt{}, err
	}

	// 4 Sign.
	at := Moment(m.Now())
	var signed []byte
	var until time.Time
	err = m.step(Sign, func() (err error) {
		signed, until, err = m.Signer.Sign(ctx, sheet.PDF, at)
		return err
	})
	if err != nil {
		return Excerpt{}, err
	}

	// 5 Check what was signed, with the code that relying parties use.
	var report pades.Report
	err = m.step(Check, func() (err error) {
		report, err = m.check(job, sheet, signed, linted)
		return err
	})
	if err != nil {
		return Excerpt{}, err
	}

	// 6 Store and hand out: the caller's part, see issuerdb.
	return Excerpt{Intent: job.Intent, Statement: sheet.Statement, PDF: signed, SHA256: sha256.Sum256(signed), Signed: signedPart(len(sheet.PDF), signed),
		IssuedAt: at, StampedUntil: until,
		SignerSerial: report.SignerSerial, StampSerial: report.StampSerial}, nil
}

func (m *Maker) step(s Step, do func() error) error {
	if m.Trace != nil {
		m.Trace(s, false)
	}
	if err := do(); err != nil {
		var void *VoidError
		if errors.As(err, &void) {
			return err
		}
		return fmt.Errorf("issuer: %s: %w", s, err)
	}
	if m.Trace != nil {
		m.Trace(s, true)
	}
	return nil
}

// signedPart is the SHA-256 of a file up to the end of the update that signs a page of so many bytes: its last line is the first of its
// kind after the page, since a signature stands there in digits.
func signedPart(page int, signed []byte) (sum [sha256.Size]byte) {
	const end = "\n%%EOF\n"
	n := bytes.Index(signed[page:], []byte(end))
	if n < 0 {
		return sha256.Sum256(signed)
	}
	return sha256.Sum256(signed[:page+n+len(end)])
}
