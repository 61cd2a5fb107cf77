package issuer

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/verifier/statement"
)

// Sheet is a page before it is signed.
type Sheet struct {
	Statement []byte // JSON of templates.Statement, exactly as printed: this is what a check shows
	Facts     []templates.Fact
	Lines     []string // the texts that must be found on the page
	PDF       []byte

	Full    []byte // statement.Statement in JSON: what the attachment states
	JWS     []byte // the attachment
	QR      string // the address, with the brief statement behind it
	Signers []*x509.Certificate

	page *templates.Page
}

// state writes what a job's page states, for people and for machines, and has the latter signed. But for the salt and the
// signatures the same job gives the same statements. A fact that cannot stand on the page is a VoidError, before any key
// is called.
func (m *Maker) state(ctx context.Context, job Job) (Sheet, error) {
	k, err := m.Kinds.Kind(job.Kind)
	if err != nil {
		return Sheet{}, fmt.Errorf("kind %q: %w", job.Kind, err)
	}
	printed, err := k.State(job.Template, job.Entry, job.Person, templates.Options{
		Lang: job.Lang, AsOf: job.AskedAt, ValidUntil: job.ValidUntil, Recipient: job.Recipient, Purpose: job.Purpose, WithSalary: job.WithSalary,
	})
	if err != nil {
		return Sheet{}, err
	}
	laid := templates.Sheet{
		Statement: printed, Number: string(job.Number), Code: job.Code, IssuedAt: job.AskedAt, CheckAt: m.host() + "/check",
	}
	page, err := templates.Lay(laid)
	var unprintable *templates.UnprintableError
	if errors.As(err, &unprintable) || errors.Is(err, templates.ErrTooLong) {
		return Sheet{}, &VoidError{Reason: Unprintable, Err: err}
	}
	if err != nil {
		return Sheet{}, err
	}
	sheet := Sheet{Facts: printed.Facts, Lines: laid.Lines(), page: page}
	if sheet.Statement, err = json.Marshal(printed); err != nil {
		return Sheet{}, fmt.Errorf("statement: %w", err)
	}
	return sheet, m.attest(ctx, job, printed, &sheet)
}

// attest has a statement signed for machines, whole and in brief.
func (m *Maker) attest(ctx context.Context, job Job, printed templates.Statement, sheet *Sheet) error {
	salt, err := statement.NewSalt(m.Rand)
	if err != nil {
		return err
	}
	full := statement.Statement{
		AsOf: job.AskedAt, Code: job.Code.String(), Facts: make([]statement.Fact, 0, len(printed.Facts)), Issuer: m.Origin, Kind: job.Kind, Lang: job.Lang,
		Number: string(job.Number), Salt: salt, Title: printed.Title, ValidUntil: job.ValidUntil.ISO(), Version: job.Template,
	}
	for _, f := range printed.Facts {
		full.Facts = append(full.Facts, statement.Fact{Group: f.Group, Key: f.Key, Label: f.Label, Value: f.Value})
	}
	if sheet.Full, err = full.JSON(); err != nil {
		return err
	}
	brief, err := statement.Brief{
		Kind: job.Kind, Number: string(job.Number), Initials: job.Person.Name.Initials(), FINTail: job.Person.FIN.Tail(),
		AsOf: job.AskedAt, ValidUntil: job.ValidUntil, Digest: sha256.Sum256(sheet.Full),
	}.CBOR()
	if err != nil {
		return err
	}
	address := statement.Address(m.Origin, job.Code)
	jws, cose, signers, err := m.Signer.SignStatements(ctx, sheet.Full, brief, address, Moment(m.Now()))
	if err != nil {
		return err
	}
	sheet.JWS, sheet.QR, sheet.Signers = jws, statement.QR(address, cose), signers
	return nil
}

// draw draws the page. It is a pure function of what was stated and signed.
func (s *Sheet) draw() (err error) {
	s.PDF, err = s.page.Draw(s.QR, s.JWS)
	return err
}

// host is Origin as people read and type it.
func (m *Maker) host() string {
	u, err := url.Parse(m.Origin)
	if err != nil || u.Host == "" {
		return m.Origin
	}
	return u.Host
}
