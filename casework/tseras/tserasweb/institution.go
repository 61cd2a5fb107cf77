package tserasweb

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-jose/go-jose/v4"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

// Referrals takes referrals of medical institutions.
type Referrals interface {
	// Sealer is the institution whose seal has a thumbprint, and the seal's certificate; casework.ErrMissing when there is none.
	Sealer(ctx context.Context, thumbprint [sha256.Size]byte) (tseras.Institution, []byte, error)
	// Refer takes a referral; the same again gives its case.
	Refer(ctx context.Context, from tseras.Institution, r tseras.Referral, signed string) (casework.Case, error)
}

// Institution is the API for medical institutions. All fields are required.
type Institution struct {
	Shell     *web.Shell
	Referrals Referrals
	Now       func() time.Time
}

// maxReferral is how many bytes a signed referral may have: several times the longest that Validate lets through.
const maxReferral = 64 << 10

// Routes registers the API's addresses.
func (h *Institution) Routes(r chi.Router) {
	r.Post("/api/v1/referrals", h.Shell.Do(h.Shell.Upload(h.refer, maxReferral)))
}

// errSeal: the body is not sealed by an institution that may refer. Why is never told apart.
var errSeal = tesdiq.NewProblem(tesdiq.SignIn, "tseras.seal")

// referred is what the API says of a referral.
type referred struct {
	Case        string         `json:"case"`
	Number      string         `json:"number"` // the institution's own
	State       casework.State `json:"state"`
	Turn        casework.Turn  `json:"turn"`
	DueBy       string         `json:"due_by,omitempty"`
	Provisional bool           `json:"provisional,omitempty"`
}

// refer takes a referral, a JWS in compact form. Who signs it is who refers: an institution acts for itself alone. The same
// referral sent again changes nothing and says how its case stands.
func (h *Institution) refer(w http.ResponseWriter, r *http.Request) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/jose" {
		return tesdiq.NewProblem(tesdiq.Unsupported, "tseras.jose").In("Content-Type")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("tserasweb: body: %w", err)
	}
	from, payload, err := h.open(r.Context(), body)
	if err != nil {
		return err
	}
	var ref tseras.Referral
	if err := strictly(payload, &ref); err != nil {
		return err
	}
	c, err := h.Referrals.Refer(r.Context(), from, ref, string(bytes.TrimSpace(body)))
	if err != nil {
		return err
	}
	answer, err := json.Marshal(referred{c.Number, ref.Number, c.State, c.Clock.Turn, c.Clock.DueBy.ISO(), c.Clock.Provisional})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(answer, '\n')) // an error means that the client has gone
	return nil
}

// open judges the seal. The key is that of a pinned certificate: nothing in the header can bring another, and the only
// algorithm is ES256.
func (h *Institution) open(ctx context.Context, body []byte) (from tseras.Institution, payload []byte, err error) {
	jws, err := jose.ParseSignedCompact(string(bytes.TrimSpace(body)), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(jws.Signatures) != 1 {
		return from, nil, errSeal
	}
	text, _ := jws.Signatures[0].Protected.ExtraHeaders["x5t#S256"].(string)
	id, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(id) != sha256.Size {
		return from, nil, errSeal
	}
	from, der, err := h.Referrals.Sealer(ctx, [sha256.Size]byte(id))
	if errors.Is(err, casework.ErrMissing) {
		return from, nil, errSeal
	}
	if err != nil {
		return from, nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return from, nil, fmt.Errorf("tserasweb: seal: %w", err)
	}
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if now := h.Now(); !ok || key.Curve != elliptic.P256() || now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return from, nil, errSeal
	}
	if payload, err = jws.Verify(key); err != nil {
		return from, nil, errSeal
	}
	return from, payload, nil
}

// strictly reads JSON that has nothing but what is known.
func strictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind):
		return tesdiq.Invalid("tseras.json").In(kind.Field)
	case err != nil:
		return tesdiq.Invalid("json.malformed")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return tesdiq.Invalid("json.malformed")
	}
	return nil
}
