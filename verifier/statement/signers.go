package statement

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/veraison/go-cose"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys"
)

// Signers are the certificates of those who sign excerpts, and of the authorities between them and the roots: what
// /pki/signers.pem holds. A Signers may be shared by goroutines.
type Signers struct {
	roots   *keys.Roots
	signers []*x509.Certificate
	bag     []*x509.Certificate
}

const (
	maxPEM     = 1 << 20 // bytes
	maxSigners = 1000
)

// NewSigners tells signers from authorities. Whether they chain to the roots is found out when they are used, for the
// day of the statement.
func NewSigners(roots *keys.Roots, certificates ...*x509.Certificate) *Signers {
	s := &Signers{roots: roots}
	for _, c := range certificates {
		if c.IsCA {
			s.bag = append(s.bag, c)
		} else {
			s.signers = append(s.signers, c)
		}
	}
	return s
}

// ParseSigners reads certificates from PEM.
func ParseSigners(roots *keys.Roots, data []byte) (*Signers, error) {
	if len(data) > maxPEM {
		return nil, fmt.Errorf("statement: signers: more than %d bytes", maxPEM)
	}
	var certificates []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("statement: signers: a %q block, only CERTIFICATE belongs here", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("statement: signers: certificate %d: %w", len(certificates)+1, err)
		}
		if certificates = append(certificates, c); len(certificates) > maxSigners {
			return nil, fmt.Errorf("statement: signers: more than %d certificates", maxSigners)
		}
	}
	s := NewSigners(roots, certificates...)
	if len(s.signers) == 0 {
		return nil, errors.New("statement: signers: no signer's certificate")
	}
	return s, nil
}

// Certificates gives all of them, signers first.
func (s *Signers) Certificates() []*x509.Certificate {
	return append(slices.Clone(s.signers), s.bag...)
}

// PEM writes them so that ParseSigners and openssl read them.
func (s *Signers) PEM() []byte {
	var b []byte
	for _, c := range s.Certificates() {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return b
}

// Why a statement is not accepted. Errors of this package wrap one of them, or ErrNoStatement, or say that the form is not ours.
var (
	ErrStranger  = errors.New("statement: signed by a key that is not among the signers")
	ErrSignature = errors.New("statement: the signature does not verify")
)

// Genuine is a QR code whose statement verified.
type Genuine struct {
	Brief
	Address string
	Code    tesdiq.Code
	Signer  *x509.Certificate
}

// ReadQR verifies the text of a QR code: the brief statement, signed together with the address before it, by a signer who
// could sign on its day.
func (s *Signers) ReadQR(text string) (Genuine, error) {
	address, code, data, err := splitQR(text)
	if err != nil {
		return Genuine{}, err
	}
	var message cose.Sign1Message
	if err := message.UnmarshalCBOR(data); err != nil {
		return Genuine{}, fmt.Errorf("%w: %v", errForm, err)
	}
	// Our headers and no others: algorithm and key, both protected.
	kid, ok := message.Headers.Protected[cose.HeaderLabelKeyID].([]byte)
	if alg, err := message.Headers.Protected.Algorithm(); !ok || err != nil || alg != cose.AlgorithmES256 || len(message.Headers.Protected) != 2 || len(message.Headers.Unprotected) != 0 {
		return Genuine{}, fmt.Errorf("%w: headers", errForm)
	}
	brief, err := ParseBrief(message.Payload)
	if err != nil {
		return Genuine{}, err
	}
	signer, err := s.find(kid, brief.AsOf)
	if err != nil {
		return Genuine{}, err
	}
	verifier, err := cose.NewVerifier(cose.AlgorithmES256, signer.PublicKey)
	if err != nil {
		return Genuine{}, fmt.Errorf("%w: %v", ErrStranger, err)
	}
	if err := message.Verify([]byte(address), verifier); err != nil {
		return Genuine{}, ErrSignature
	}
	return Genuine{brief, address, code, signer}, nil
}

// find finds the signer with a key's name who could still sign at that time. What is stated may be older than the signer's certificate: an
// excerpt that is issued anew states what it did, signed by whoever is on duty then. That gives nothing away: whoever has a key may write
// any time into a statement.
func (s *Signers) find(kid []byte, at time.Time) (*x509.Certificate, error) {
	for _, c := range s.signers {
		id := keys.ID(c)
		if !bytes.Equal(id[:], kid) {
			continue
		}
		if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("%w: not a P-256 key", ErrStranger)
		}
		if at.Before(c.NotBefore) {
			at = c.NotBefore
		}
		if _, err := s.roots.Chain(keys.DocumentSigning, c, s.bag, at); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrStranger, err)
		}
		return c, nil
	}
	return nil, ErrStranger
}

// Type is the "typ" of our JWS: a signature of the same key over something else is none.
const Type = "tesdiq-statement"

// header is the protected header of our JWS.
type header struct {
	Alg string `json:"alg"`
	Kid string `json:"kid"` // keys.ID in base64url
	Typ string `json:"typ"`
}

// maxJWS is far above what one page can state.
const maxJWS = 256 << 10

// ReadJWS verifies the attachment: a JWS in compact serialization (RFC 7515) over Statement.JSON, by a signer who could
// sign on its day.
func (s *Signers) ReadJWS(jws []byte) (Statement, *x509.Certificate, error) {
	jws = bytes.TrimRight(jws, "\r\n")
	parts := bytes.Split(jws[:min(len(jws), maxJWS)], []byte("."))
	if len(parts) != 3 || len(jws) > maxJWS {
		return Statement{}, nil, errForm
	}
	var decoded [3][]byte
	for i, p := range parts {
		var err error
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(string(p)); err != nil {
			return Statement{}, nil, fmt.Errorf("%w: %v", errForm, err)
		}
	}
	var h header
	d := json.NewDecoder(bytes.NewReader(decoded[0]))
	d.DisallowUnknownFields() // "crit" and "b64" would change what is signed
	if err := d.Decode(&h); err != nil || h.Alg != "ES256" || h.Typ != Type || len(decoded[2]) != 64 {
		return Statement{}, nil, fmt.Errorf("%w: header", errForm)
	}
	kid, err := base64.RawURLEncoding.DecodeString(h.Kid)
	if err != nil {
		return Statement{}, nil, fmt.Errorf("%w: key", errForm)
	}
	statement, err := Parse(decoded[1])
	if err != nil {
		return Statement{}, nil, err
	}
	signer, err := s.find(kid, statement.AsOf)
	if err != nil {
		return Statement{}, nil, err
	}
	digest := sha256.Sum256(jws[:len(parts[0])+1+len(parts[1])])
	r, t := new(big.Int).SetBytes(decoded[2][:32]), new(big.Int).SetBytes(decoded[2][32:])
	if !ecdsa.Verify(signer.PublicKey.(*ecdsa.PublicKey), digest[:], r, t) {
		return Statement{}, nil, ErrSignature
	}
	return statement, signer, nil
}
