package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/tesdiq/tesdiq/templates"
)

// Sheet is a page before it is signed.
type Sheet struct {
	Statement []byte // JSON of templates.Statement, exactly as printed: this is what a check shows
	Facts     []templates.Fact
	Lines     []string // the texts that must be found on the page
	PDF       []byte
}

// print writes and draws the page of a job. It is a pure function: the same job gives the same bytes, so a step that is
// repeated after a crash signs the same page. A fact that cannot stand on it is a VoidError.
func (m *Maker) print(job Job) (Sheet, error) {
	k, err := m.Kinds.Kind(job.Kind)
	if err != nil {
		return Sheet{}, fmt.Errorf("kind %q: %w", job.Kind, err)
	}
	statement, err := k.State(job.Template, job.Entry, job.Person, templates.Options{
		Lang: job.Lang, AsOf: job.AskedAt, ValidUntil: job.ValidUntil, Recipient: job.Recipient, Purpose: job.Purpose, WithSalary: job.WithSalary,
	})
	if err != nil {
		return Sheet{}, err
	}
	sheet := templates.Sheet{
		Statement: statement, Number: string(job.Number), Code: job.Code, IssuedAt: job.AskedAt,
		CheckURL: m.Origin + "/v/" + string(job.Code), CheckAt: m.host() + "/check",
	}
	pdf, err := templates.Draw(sheet)
	var unprintable *templates.UnprintableError
	if errors.As(err, &unprintable) || errors.Is(err, templates.ErrTooLong) {
		return Sheet{}, &VoidError{Reason: Unprintable, Err: err}
	}
	if err != nil {
		return Sheet{}, err
	}
	stored, err := json.Marshal(statement)
	if err != nil {
		return Sheet{}, fmt.Errorf("statement: %w", err)
	}
	return Sheet{Statement: stored, Facts: statement.Facts, Lines: sheet.Lines(), PDF: pdf}, nil
}

// host is Origin as people read and type it.
func (m *Maker) host() string {
	u, err := url.Parse(m.Origin)
	if err != nil || u.Host == "" {
		return m.Origin
	}
	return u.Host
}
