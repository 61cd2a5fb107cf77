package signer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of CMS (RFC 5652), ESS (RFC 5035), time stamps (RFC 3161) and algorithms (RFC 5754, RFC 5758).
var (
	oidData            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTSTInfo         = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidTimeStampToken  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSigningCertV2   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	tagContext0        = casn1.Tag(0).ContextSpecific().Constructed()
	tagContext1        = casn1.Tag(1).ContextSpecific().Constructed()
)

// version is that of the SignedData: 1 for plain data, 3 for any other content (RFC 5652, 5.1).
func (c *cms) version() int64 {
	if c.contentType.Equal(oidData) {
		return 1
	}
	return 3
}

// cms is one SignedData with one signer: ECDSA on P-256 with SHA-256, and the signed attributes that CAdES asks for
// (EN 319 122-1): contentType, messageDigest, signingCertificateV2. There is no signing-time: PAdES puts it into /M.
type cms struct {
	contentType  asn1.ObjectIdentifier
	content      []byte // nil: detached, only the digest is signed
	digest       []byte // SHA-256 of the content
	certificate  *x509.Certificate
	key          crypto.Signer
	certificates []*x509.Certificate // sent along, certificate among them
	// unsigned gives the value of the signature-time-stamp attribute for the signature; nil: none.
	unsigned func(signature []byte) ([]byte, error)
}

// sign gives the DER ContentInfo.
func (c *cms) sign(rand io.Reader) ([]byte, error) {
	if c.certificate == nil {
		return nil, errors.New("certificate missing")
	}
	if public, ok := c.key.Public().(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		return nil, errors.New("the key is not on P-256")
	}
	attributes, err := c.signedAttributes()
	if err != nil {
		return nil, err
	}
	// What is signed is the SET OF (RFC 5652, 5.4); what is written is the same under the tag [0].
	var set cryptobyte.Builder
	set.AddASN1(casn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
	signed, err := set.Bytes()
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(signed)
	signature, err := c.key.Sign(rand, hash[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	var token []byte
	if c.unsigned != nil {
		if token, err = c.unsigned(signature); err != nil {
			return nil, err
		}
	}

	b := cryptobyte.NewBuilder(make([]byte, 0, 4096))
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(tagContext0, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(c.version())
				b.AddASN1(casn1.SET, addSHA256)
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(c.contentType)
					if c.content != nil {
						b.AddASN1(tagContext0, func(b *cryptobyte.Builder) { b.AddASN1OctetString(c.content) })
					}
				})
				if len(c.certificates) > 0 {
					b.AddASN1(tagContext0, func(b *cryptobyte.Builder) {
						for _, raw := range sortedDER(c.certificates) {
							b.AddBytes(raw)
						}
					})
				}
				b.AddASN1(casn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1Int64(1)
						b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddBytes(c.certificate.RawIssuer)
							b.AddASN1BigInt(c.certificate.SerialNumber)
						})
						addSHA256(b)
						b.AddASN1(tagContext0, func(b *cryptobyte.Builder) { b.AddBytes(attributes) })
						b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidECDSAWithSHA256) })
						b.AddASN1OctetString(signature)
						if token != nil {
							b.AddASN1(tagContext1, func(b *cryptobyte.Builder) {
								addAttribute(b, oidTimeStampToken, func(b *cryptobyte.Builder) { b.AddBytes(token) })
							})
						}
					})
				})
			})
		})
	})
	return b.Bytes()
}

// signedAttributes gives the attributes one after the other, in DER's order for a SET OF.
func (c *cms) signedAttributes() ([]byte, error) {
	certHash := sha256.Sum256(c.certificate.Raw)
	values := []struct {
		oid   asn1.ObjectIdentifier
		value func(*cryptobyte.Builder)
	}{
		{oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(c.contentType) }},
		{oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(c.digest) }},
		{oidSigningCertV2, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // SigningCertificateV2
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // certs
					b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { // ESSCertIDv2; SHA-256 is the default and left out
						b.AddASN1OctetString(certHash[:])
					})
				})
			})
		}},
	}
	var attributes [][]byte
	for _, v := range values {
		var b cryptobyte.Builder
		addAttribute(&b, v.oid, v.value)
		der, err := b.Bytes()
		if err != nil {
			return nil, err
		}
		attributes = append(attributes, der)
	}
	slices.SortFunc(attributes, bytes.Compare)
	return bytes.Join(attributes, nil), nil
}

func addAttribute(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, value func(*cryptobyte.Builder)) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(casn1.SET, value)
	})
}

// addSHA256 writes the algorithm without parameters, RFC 5754, 2.
func addSHA256(b *cryptobyte.Builder) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidSHA256) })
}

func sortedDER(certs []*x509.Certificate) [][]byte {
	raw := make([][]byte, len(certs))
	for i, c := range certs {
		raw[i] = c.Raw
	}
	slices.SortFunc(raw, bytes.Compare)
	return raw
}
