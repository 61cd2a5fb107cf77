// Package statement is what an excerpt says, for machines: a JSON statement signed as a JWS, which is attached to the PDF, and
// a brief one signed with COSE, which stands in the QR code behind the address. Both are checked with public keys alone, offline.
// It signs nothing: keys/signer does, and neither knows of the other.
//
// Offline, an excerpt can be found genuine as of the day when it was issued. Whether it holds today is said only by a
// check of its code.
package statement

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	_ "embed"

	"github.com/tesdiq/tesdiq"
)

// Schema names the form of a Statement. A change to what it may hold is another name.
const Schema = "tesdiq-statement-1"

// SchemaJSON is the JSON Schema of a Statement, which is public: served at /schema/statement-1.json.
//
//go:embed statement-1.json
var SchemaJSON []byte

// Statement is all that an excerpt says, as printed. Its members stand in the order of their names, so that its JSON is
// canonical (RFC 8785).
type Statement struct {
	AsOf       time.Time   `json:"as_of"` // when the register was read, UTC, whole seconds
	Code       string      `json:"code"`  // 7K2M-9QXA-4TRC-W8HN-R
	Facts      []Fact      `json:"facts"`
	Issuer     string      `json:"issuer"` // where it is checked: https://tesdiq.example
	Kind       string      `json:"kind"`
	Lang       tesdiq.Lang `json:"lang"`
	Number     string      `json:"number"`
	Salt       string      `json:"salt"` // 128 random bits, so that nobody can guess what a digest is of
	Schema     string      `json:"schema"`
	Title      string      `json:"title"`
	ValidUntil string      `json:"valid_until"` // the last day, 2026-12-21
	Version    int         `json:"version"`     // of the kind's form
}

// Fact is one printed row.
type Fact struct {
	Group string `json:"group"`
	Key   string `json:"key"` // stable, for programs
	Label string `json:"label"`
	Value string `json:"value"`
}

// saltSize is 128 bits.
const saltSize = 16

// NewSalt draws a salt.
func NewSalt(random io.Reader) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("statement: salt: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(salt), nil
}

// JSON writes a statement: the bytes that are signed and of which Brief has the digest.
func (s Statement) JSON() ([]byte, error) {
	s.Schema, s.AsOf = Schema, s.AsOf.UTC().Truncate(time.Second)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

var errForm = errors.New("statement: not as ours are written")

// Parse reads what JSON wrote, and nothing that is written in another way: one statement has one form of bytes.
func Parse(data []byte) (Statement, error) {
	var s Statement
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Statement{}, fmt.Errorf("%w: %v", errForm, err)
	}
	again, err := s.JSON()
	if err != nil || !bytes.Equal(again, data) || s.Schema != Schema {
		return Statement{}, errForm
	}
	if salt, err := base64.RawURLEncoding.DecodeString(s.Salt); err != nil || len(salt) != saltSize {
		return Statement{}, errForm
	}
	return s, nil
}
