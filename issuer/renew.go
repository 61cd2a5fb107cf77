package issuer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// Stored is the newest version of an excerpt's file, whose last time stamp ends soon.
type Stored struct {
	ID           int64
	Number       Number
	Code         tesdiq.Code
	SHA256       []byte
	PDF          []byte
	StampedUntil *time.Time // nil: it has no document time stamp
}

// Renewal is the version that comes after it.
type Renewal struct {
	Of           Stored
	PDF          []byte
	SHA256       [32]byte
	RenewedAt    time.Time
	StampedUntil time.Time
}

// Renewer appends what proves the last time stamp, and a new time stamp over everything; until is when the new one's certificates end.
type Renewer interface {
	Renew(ctx context.Context, pdf []byte, at time.Time) (renewed []byte, until time.Time, err error)
}

// Renewing makes the versions that follow. Both fields are required.
type Renewing struct {
	With  Renewer
	Roots *keys.Roots // to which what was renewed must chain: those that relying parties pin
}

// ErrNoGain says that a new time stamp would end no later than the old one: the time-stamp signer must be replaced first.
var ErrNoGain = errors.New("issuer: renew: the time-stamp signer's certificate ends no later than the time stamp to be renewed")

// Next makes the next version of a file, and checks it with the code that relying parties use.
func (r Renewing) Next(ctx context.Context, of Stored, now time.Time) (Renewal, error) {
	at := Moment(now)
	pdf, until, err := r.With.Renew(ctx, of.PDF, at)
	if err != nil {
		return Renewal{}, fmt.Errorf("issuer: renew: %w", err)
	}
	if of.StampedUntil != nil && !until.After(*of.StampedUntil) {
		return Renewal{}, ErrNoGain
	}
	switch report := pades.Read(pdf, r.Roots); {
	case !bytes.HasPrefix(pdf, of.PDF) || len(pdf) == len(of.PDF):
		return Renewal{}, errors.New("issuer: renew: not a continuation of the file")
	case report.Integrity != pades.Intact, report.Indication != pades.Passed:
		return Renewal{}, fmt.Errorf("issuer: renew: %s, %s (%s): %s", report.Integrity, report.Indication, report.SubIndication, report.Reason)
	case report.Code != of.Code.String():
		return Renewal{}, errors.New("issuer: renew: the page carries another code")
	}
	return Renewal{Of: of, PDF: pdf, SHA256: sha256.Sum256(pdf), RenewedAt: at, StampedUntil: until}, nil
}

// RenewalContent is what the line of kind renewal commits to; its object is the SHA-256 of the new version, in hexadecimal.
func RenewalContent(n Number, sum []byte, at time.Time) []byte {
	return content(struct {
		Number    Number `json:"number"`
		SHA256    string `json:"sha256"`
		RenewedAt string `json:"renewed_at"`
	}{n, hex.EncodeToString(sum), clock(at)})
}
