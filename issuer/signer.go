package issuer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// SignerRevocation says that what one of our certificates signed from a moment on does not count.
type SignerRevocation struct {
	Serial      string    `db:"serial"` // keys.Serial
	Role        string    `db:"role"`   // keys.RoleDocumentSigner or keys.RoleStampSigner
	Reason      string    `db:"reason"` // of keys.RevocationReasons
	Why         string    `db:"why"`    // in our words
	By          string    `db:"by"`
	InvalidFrom time.Time `db:"invalid_from"`
	RevokedAt   time.Time `db:"revoked_at"`
}

// ErrOtherStatement says that an excerpt would state something else now than it did: it cannot be issued anew under its number.
var ErrOtherStatement = errors.New("issuer: reissue: the page would state something else than what was issued")

// Remake makes the file of an excerpt anew, whose old one does not count any more because a certificate was revoked: the same page
// under the same number and code, signed by whoever is on duty now. stated is what the excerpt states, as it is stored.
// An entry that holds no longer is a VoidError, as in Make.
func (m *Maker) Remake(ctx context.Context, job Job, stated []byte) (Excerpt, error) {
	x, err := m.Make(ctx, job)
	if err != nil {
		return Excerpt{}, err
	}
	before, err := CanonicalJSON(stated)
	if err != nil {
		return Excerpt{}, err
	}
	now, err := CanonicalJSON(x.Statement)
	if err != nil {
		return Excerpt{}, err
	}
	if !bytes.Equal(before, now) {
		return Excerpt{}, fmt.Errorf("%w: %s", ErrOtherStatement, job.Number)
	}
	return x, nil
}

// CheckSignerRevocation says whether a reason is one of RFC 5280 that a signer's certificate can have.
func CheckSignerRevocation(reason string) error {
	if _, known := keys.RevocationReasons[reason]; !known || reason == "cACompromise" {
		return fmt.Errorf("issuer: %q is no reason: unspecified, keyCompromise, affiliationChanged, superseded or cessationOfOperation", reason)
	}
	return nil
}
