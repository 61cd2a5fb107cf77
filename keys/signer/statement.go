package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/veraison/go-cose"

	"github.com/tesdiq/tesdiq/keys"
)

// statementType is the "typ" of the JWS, so that it passes for nothing else.
const statementType = "tesdiq-statement"

// SignStatements signs full as a JWS (RFC 7515), and brief as a COSE_Sign1 (RFC 9052) with address as external data,
// with the key that signs excerpts. No two of a PDF's signature, a JWS and a COSE_Sign1 are over bytes that could be
// taken for each other: DER, base64 and CBOR begin differently. signers are the certificate of the key and those between it
// and the root. The key must be P-256, or a QR code could not hold it.
func (p *PDFSigner) SignStatements(ctx context.Context, full, brief []byte, address string, at time.Time) (jws, sign1 []byte, signers []*x509.Certificate, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, nil, err
	}
	p = onDuty(p, p.later, at)
	if at.Before(p.Certificate.NotBefore) || at.After(p.Certificate.NotAfter) {
		return nil, nil, nil, fmt.Errorf("signer: statements: %s is outside the certificate's validity", at.UTC().Format(time.RFC3339))
	}
	if err := canState(p.Certificate); err != nil {
		return nil, nil, nil, fmt.Errorf("signer: statements: %w", err)
	}
	if err := fits(p.Key, p.Certificate); err != nil {
		return nil, nil, nil, fmt.Errorf("signer: statements: %w", err)
	}
	id := keys.ID(p.Certificate)

	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid"`
		Typ string `json:"typ"`
	}{"ES256", base64.RawURLEncoding.EncodeToString(id[:]), statementType})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("signer: statements: %w", err)
	}
	jws = base64.RawURLEncoding.AppendEncode(nil, header)
	jws = base64.RawURLEncoding.AppendEncode(append(jws, '.'), full)
	digest := sha256.Sum256(jws)
	key := in(ctx, p.Key)
	der, err := key.Sign(p.Rand, digest[:], crypto.SHA256)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("signer: statements: %w", err)
	}
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) != 0 {
		return nil, nil, nil, errors.New("signer: statements: the key gives no ECDSA signature")
	}
	raw := make([]byte, 64) // RFC 7518, 3.4
	rs.R.FillBytes(raw[:32])
	rs.S.FillBytes(raw[32:])
	jws = base64.RawURLEncoding.AppendEncode(append(jws, '.'), raw)

	signer, err := cose.NewSigner(cose.AlgorithmES256, key)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("signer: statements: %w", err)
	}
	headers := cose.Headers{Protected: cose.ProtectedHeader{cose.HeaderLabelAlgorithm: cose.AlgorithmES256, cose.HeaderLabelKeyID: id[:]}}
	sign1, err = cose.Sign1(p.Rand, signer, headers, brief, []byte(address))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("signer: statements: %w", err)
	}
	return jws, sign1, append([]*x509.Certificate{p.Certificate}, p.Chain...), nil
}

// canState says whether a document signer's key can sign statements.
func canState(c *x509.Certificate) error {
	if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return errors.New("the document signer's key is not P-256: a QR code has no room for its signatures")
	}
	return nil
}

// CanState says whether all document signers of the set can sign statements, which a service must know before it starts.
func (s *Set) CanState() error {
	if err := canState(s.Signer); err != nil {
		return err
	}
	for _, d := range s.Later {
		if d.Role != keys.RoleDocumentSigner {
			continue
		}
		if err := canState(d.Certificate); err != nil {
			return err
		}
	}
	return nil
}

// Signers are the certificates that relying parties need to check statements: of all document signers, those on duty, later
// and earlier, but for the revoked, and of the authorities between them and the root.
func (s *Set) Signers() []*x509.Certificate {
	all := []*x509.Certificate{s.Signer, s.CA}
	add := func(c *x509.Certificate) {
		if c != nil && !slices.ContainsFunc(all, c.Equal) {
			all = append(all, c)
		}
	}
	for _, d := range s.Later {
		if d.Role == keys.RoleDocumentSigner {
			add(d.Certificate)
		}
	}
	if s.Trust == nil {
		return all
	}
	for _, l := range s.Trust.Certificates {
		if l.Role != keys.RoleDocumentSigner && l.Role != keys.RoleIssuingCA {
			continue
		}
		if c := l.Certificate(); l.Revoked == nil {
			add(c)
		} else if c != nil {
			all = slices.DeleteFunc(all, c.Equal)
		}
	}
	return all
}
