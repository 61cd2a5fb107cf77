package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"
)

// TrustList is our own signed statement of which certificates are ours: who was valid from when to when, who is on duty, and what
// was revoked since when and why. docs/trust-list.md describes it for others.
type TrustList struct {
	Version      int       `json:"version"` // 1
	Number       int64     `json:"number"`  // rises with every list
	Service      string    `json:"service"` // address
	Issued       time.Time `json:"issued"`
	NextUpdate   time.Time `json:"next_update"`
	Certificates []Listed  `json:"certificates"`
}

// Listed is one certificate of a TrustList.
type Listed struct {
	Role      string     `json:"role"` // Root, IssuingCA, DocumentSigner, …
	Subject   string     `json:"subject"`
	Serial    string     `json:"serial"` // lower-case hexadecimal
	SHA256    string     `json:"sha256"` // of the certificate
	NotBefore time.Time  `json:"not_before"`
	NotAfter  time.Time  `json:"not_after"`
	From      *time.Time `json:"on_duty_from,omitempty"`  // signers: since when this one signs for us; without it from the beginning
	Until     *time.Time `json:"on_duty_until,omitempty"` // … and until when; without it to the end
	Revoked   *Revoked   `json:"revoked,omitempty"`
	DER       []byte     `json:"certificate"` // base64

	certificate *x509.Certificate
}

// Revoked is the end of a certificate before its time.
type Revoked struct {
	At          time.Time `json:"at"`
	InvalidFrom time.Time `json:"invalid_from"` // what was signed from then on does not count
	Reason      string    `json:"reason"`       // as RFC 5280, 5.3.1, writes it: "keyCompromise"
	Why         string    `json:"why"`          // in our words
}

// Roles of a TrustList.
const (
	RoleRoot           = "root"
	RoleIssuingCA      = "issuing-ca"
	RoleDocumentSigner = "document-signer"
	RoleStampSigner    = "time-stamp-signer"
	RoleResponder      = "ocsp-responder"
	RoleRootResponder  = "root-ocsp-responder"
)

var trustRoles = []string{RoleRoot, RoleIssuingCA, RoleDocumentSigner, RoleStampSigner, RoleResponder, RoleRootResponder}

// RevocationReasons are those of RFC 5280, 5.3.1, that we give, with their numbers.
var RevocationReasons = map[string]int{
	"unspecified": 0, "keyCompromise": 1, "cACompromise": 2, "affiliationChanged": 3, "superseded": 4, "cessationOfOperation": 5,
}

// Limits of what is read.
const (
	maxTrustList = 1 << 20
	maxListed    = 500
)

// ErrTrustList says that a trust list is not ours, or not sound.
var ErrTrustList = errors.New("keys: trust list")

// List writes what a certificate says of itself into a line of the list.
func List(role string, c *x509.Certificate) Listed {
	return Listed{
		Role: role, Subject: c.Subject.String(), Serial: Serial(c), SHA256: hexSHA256(c.Raw),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), DER: c.Raw, certificate: c,
	}
}

// Serial is a certificate's number as we write it: lower-case hexadecimal.
func Serial(c *x509.Certificate) string { return c.SerialNumber.Text(16) }

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Certificate is the parsed DER.
func (l Listed) Certificate() *x509.Certificate { return l.certificate }

// flattened is a JWS in the flattened JSON serialization, RFC 7515, 7.2.2.
type flattened struct {
	Payload   string `json:"payload"`
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// ReadTrustList reads a list, a JWS (RFC 7515, flattened; ES256) signed by a pinned root or by an authority directly under one. What
// the list or the signature says of its own signer is not believed.
func ReadTrustList(data []byte, roots *Roots) (*TrustList, error) {
	if len(data) > maxTrustList {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTrustList, maxTrustList)
	}
	var jws flattened
	if err := decodeOne(data, &jws); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrustList, err)
	}
	payload, err := base64.RawURLEncoding.Strict().DecodeString(jws.Payload)
	if err != nil {
		return nil, fmt.Errorf("%w: payload: %v", ErrTrustList, err)
	}
	t := &TrustList{}
	if err := decodeOne(payload, t); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrustList, err)
	}
	if t.Version != 1 || len(t.Certificates) == 0 || len(t.Certificates) > maxListed {
		return nil, fmt.Errorf("%w: version %d with %d certificates", ErrTrustList, t.Version, len(t.Certificates))
	}
	for i := range t.Certificates {
		if err := t.Certificates[i].parse(); err != nil {
			return nil, fmt.Errorf("%w: certificate %d: %v", ErrTrustList, i+1, err)
		}
	}
	if err := t.verify(jws, roots); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrustList, err)
	}
	return t, nil
}

// decodeOne reads one JSON value that has no member that we do not know.
func decodeOne(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

// parse reads the certificate, and sees that what is written beside it is what it says.
func (l *Listed) parse() error {
	c, err := x509.ParseCertificate(l.DER)
	if err != nil {
		return err
	}
	said := List(l.Role, c)
	if !slices.Contains(trustRoles, l.Role) || l.Subject != said.Subject || l.Serial != said.Serial || l.SHA256 != said.SHA256 ||
		!l.NotBefore.Equal(said.NotBefore) || !l.NotAfter.Equal(said.NotAfter) {
		return fmt.Errorf("what stands beside %q is not what it says", c.Subject.CommonName)
	}
	if l.Revoked != nil {
		if _, known := RevocationReasons[l.Revoked.Reason]; !known || l.Revoked.At.IsZero() || l.Revoked.InvalidFrom.IsZero() {
			return fmt.Errorf("revocation of %q is not whole", c.Subject.CommonName)
		}
	}
	l.certificate = c
	return nil
}

// jwsHeader is the protected header, in the only form that is accepted.
type jwsHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid"` // SHA-256 of the certificate; it only says which to try
}

const (
	jwsAlgorithm = "ES256"
	jwsType      = "tesdiq-trust+jws"
)

// signers are the certificates that may sign a list: the pinned roots, and authorities directly under one of them.
func (t *TrustList) signers(roots *Roots) []*x509.Certificate {
	found := roots.Certificates()
	for _, l := range t.Certificates {
		c := l.certificate
		if l.Role != RoleIssuingCA || !c.IsCA || !c.BasicConstraintsValid || c.KeyUsage&x509.KeyUsageCertSign == 0 || Strong(c) != nil {
			continue
		}
		for _, root := range roots.certs {
			if bytes.Equal(c.RawIssuer, root.RawSubject) && c.CheckSignatureFrom(root) == nil && !t.Issued.Before(c.NotBefore) && !t.Issued.After(c.NotAfter) {
				found = append(found, c)
			}
		}
	}
	return found
}

func (t *TrustList) verify(jws flattened, roots *Roots) error {
	header, err := base64.RawURLEncoding.Strict().DecodeString(jws.Protected)
	if err != nil {
		return errors.New("the JWS cannot be read")
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(jws.Signature)
	if err != nil {
		return errors.New("the JWS cannot be read")
	}
	var h jwsHeader
	// A member that is not known ("crit", "jwk", "x5u") would ask for more than is done here.
	if err := decodeOne(header, &h); err != nil || h.Algorithm != jwsAlgorithm || h.Type != jwsType || len(signature) != 64 {
		return errors.New("the JWS is of another kind")
	}
	for _, c := range t.signers(roots) {
		key, ok := c.PublicKey.(*ecdsa.PublicKey)
		if !ok || key.Curve != elliptic.P256() || hexSHA256(c.Raw) != h.KeyID {
			continue
		}
		if ecdsa.Verify(key, jws.digest(), new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
			return nil
		}
		return errors.New("the signature does not match")
	}
	return errors.New("not signed by a pinned root, nor by an authority under one")
}

// digest is the SHA-256 of the signing input of RFC 7515, 5.1.
func (j flattened) digest() []byte {
	sum := sha256.Sum256([]byte(j.Protected + "." + j.Payload))
	return sum[:]
}

// Sign writes the list as ReadTrustList reads it. sign signs a SHA-256 digest with the key of by, an authority on P-256, and gives
// an ECDSA signature as X.509 writes it.
func (t *TrustList) Sign(by *x509.Certificate, sign func(digest []byte) ([]byte, error)) ([]byte, error) {
	payload, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrustList, err)
	}
	header, err := json.Marshal(jwsHeader{jwsAlgorithm, jwsType, hexSHA256(by.Raw)})
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrustList, err)
	}
	jws := flattened{Payload: base64.RawURLEncoding.EncodeToString(payload), Protected: base64.RawURLEncoding.EncodeToString(header)}
	der, err := sign(jws.digest())
	if err != nil {
		return nil, fmt.Errorf("%w: sign: %w", ErrTrustList, err)
	}
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) > 0 || rs.R.Sign() <= 0 || rs.S.Sign() <= 0 || rs.R.BitLen() > 256 || rs.S.BitLen() > 256 {
		return nil, fmt.Errorf("%w: the key does not give ECDSA signatures on P-256", ErrTrustList)
	}
	fixed := make([]byte, 64) // RFC 7518, 3.4
	rs.R.FillBytes(fixed[:32])
	rs.S.FillBytes(fixed[32:])
	jws.Signature = base64.RawURLEncoding.EncodeToString(fixed)
	out, err := json.Marshal(jws)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrustList, err)
	}
	return append(out, '\n'), nil
}

// RevokedFor says whether what the certificate with this serial number signed at a moment no longer counts, and why.
func (t *TrustList) RevokedFor(serial string, signedAt time.Time) (Revoked, bool) {
	for _, l := range t.Certificates {
		if l.Serial == serial && l.Revoked != nil && !signedAt.Before(l.Revoked.InvalidFrom) {
			return *l.Revoked, true
		}
	}
	return Revoked{}, false
}
