package gateway

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Seal signs what a member sends. It may be used by several goroutines if Key and Rand may.
type Seal struct {
	Member      MemberID
	Key         crypto.Signer // P-256
	Certificate *x509.Certificate
	Rand        io.Reader
}

// ReadSeal reads a member's key and certificate from PEM.
func ReadSeal(member MemberID, key, certificate []byte, random io.Reader) (*Seal, error) {
	block, _ := pem.Decode(certificate)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("gateway: seal: no certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("gateway: seal: %w", err)
	}
	if block, _ = pem.Decode(key); block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("gateway: seal: no key")
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("gateway: seal: the key cannot be read") // the parser's own words may hold bytes of it
	}
	signer, ok := k.(*ecdsa.PrivateKey)
	if !ok || signer.Curve != elliptic.P256() || !signer.PublicKey.Equal(c.PublicKey) {
		return nil, errors.New("gateway: seal: the key is not the certificate's, or not on P-256")
	}
	return &Seal{member, signer, c, random}, nil
}

// sealHeader is the protected header of our signatures: a detached JWS (RFC 7515, appendix F; RFC 7797) in the form of JAdES, ETSI TS 119 182-1, 5.2.8.3.2.
// Its members stand in the order of their names.
type sealHeader struct {
	Algorithm   string   `json:"alg"`
	Base64      bool     `json:"b64"`
	Critical    []string `json:"crit"`
	At          int64    `json:"iat"` // seconds since 1970
	Data        sealData `json:"sigD"`
	Certificate string   `json:"x5t#S256"` // base64url of its SHA-256
}

type sealData struct {
	Mechanism string   `json:"mId"`
	Headers   []string `json:"pars"`
}

const (
	sealAlgorithm = "ES256"
	sealMechanism = "http://uri.etsi.org/19182/HttpHeaders"
)

var sealCritical = []string{"b64", "sigD"}

func thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sign adds digest and signature to a message whose other headers stand in it.
func (s *Seal) sign(m *Message, names []string, at time.Time) error {
	header, err := json.Marshal(sealHeader{sealAlgorithm, false, sealCritical, at.Unix(), sealData{sealMechanism, names}, thumbprint(s.Certificate)})
	if err != nil {
		return fmt.Errorf("gateway: seal: %w", err)
	}
	protected := base64.RawURLEncoding.EncodeToString(header)
	digest := sha256.Sum256(append([]byte(protected+"."), m.signed(names)...))
	der, err := s.Key.Sign(s.Rand, digest[:], crypto.SHA256)
	if err != nil {
		return fmt.Errorf("gateway: seal: %w", err)
	}
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) > 0 || rs.R.BitLen() > 256 || rs.S.BitLen() > 256 {
		return errors.New("gateway: seal: the key does not sign on P-256")
	}
	fixed := make([]byte, 64) // RFC 7518, 3.4
	rs.R.FillBytes(fixed[:32])
	rs.S.FillBytes(fixed[32:])
	m.Headers = append(m.Headers, Header{HeaderSignature, protected + ".." + base64.RawURLEncoding.EncodeToString(fixed)})
	return nil
}

// signature is one that was read, and not yet judged.
type signature struct {
	header    sealHeader
	protected string
	rs        []byte
}

// readSignature reads a detached JWS in our form and no other: what a header could ask for besides ("jwk", "x5u", "alg") is not done.
func readSignature(text string, names []string) (signature, *failure) {
	all := strings.Split(text, ".")
	if len(all) != 3 || all[1] != "" {
		return signature{}, fail(BadSignature, "no detached JWS")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(all[0])
	if err != nil {
		return signature{}, fail(BadSignature, "no detached JWS")
	}
	rs, err := base64.RawURLEncoding.Strict().DecodeString(all[2])
	if err != nil || len(rs) != 64 {
		return signature{}, fail(BadSignature, "no detached JWS")
	}
	s := signature{protected: all[0], rs: rs}
	if err := json.Unmarshal(raw, &s.header); err != nil {
		return s, fail(BadSignature, "header")
	}
	h := s.header
	// Written again it must be the same bytes: no member that is not known, none twice, none in another spelling.
	if again, err := json.Marshal(h); err != nil || string(again) != string(raw) || h.Algorithm != sealAlgorithm || h.Base64 ||
		!slices.Equal(h.Critical, sealCritical) || h.Data.Mechanism != sealMechanism || !slices.Equal(h.Data.Headers, names) {
		return s, fail(BadSignature, "a header of another kind")
	}
	return s, nil
}

func (s signature) at() time.Time { return time.Unix(s.header.At, 0).UTC() }

// over says whether the signature is of the key over the message.
func (s signature) over(m Message, key any) bool {
	p, ok := key.(*ecdsa.PublicKey)
	if !ok || p.Curve != elliptic.P256() || m.Header(HeaderDigest) != digestOf(m.Body) {
		return false
	}
	digest := sha256.Sum256(append([]byte(s.protected+"."), m.signed(s.header.Data.Headers)...))
	return ecdsa.Verify(p, digest[:], new(big.Int).SetBytes(s.rs[:32]), new(big.Int).SetBytes(s.rs[32:]))
}

func decodeThumbprint(text string) (id [sha256.Size]byte, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != len(id) {
		return id, errors.New("gateway: no thumbprint")
	}
	return [sha256.Size]byte(b), nil
}
