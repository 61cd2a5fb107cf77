package pades

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for crypto.Hash.New
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The algorithms that are accepted, whoever signed: SHA-256, SHA-384, SHA-512; RSA from 2048 bits on, by PKCS #1 v1.5 and PSS; ECDSA on
// P-256, P-384 and P-521. Everything else is too weak (SHA-1, MD5) or not known to be strong.

var (
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}

	oidRSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidMGF1    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidPSS     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidECKey   = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidRSAWith = map[string]crypto.Hash{
		"1.2.840.113549.1.1.11": crypto.SHA256, "1.2.840.113549.1.1.12": crypto.SHA384, "1.2.840.113549.1.1.13": crypto.SHA512,
	}
	oidECDSAWith = map[string]crypto.Hash{
		"1.2.840.10045.4.3.2": crypto.SHA256, "1.2.840.10045.4.3.3": crypto.SHA384, "1.2.840.10045.4.3.4": crypto.SHA512,
	}
)

// scheme is how a signature is computed from a hash.
type scheme int

const (
	ecdsaScheme scheme = iota + 1
	rsaScheme
	pssScheme
)

// algorithmID is an AlgorithmIdentifier.
type algorithmID struct {
	oid        asn1.ObjectIdentifier
	parameters cryptobyte.String // nil if absent or NULL
}

func readAlgorithmID(in *cryptobyte.String) (algorithmID, bool) {
	var (
		a         algorithmID
		algorithm cryptobyte.String
	)
	if !in.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&a.oid) {
		return a, false
	}
	if algorithm.Empty() {
		return a, true
	}
	var null cryptobyte.String
	if algorithm.PeekASN1Tag(casn1.NULL) {
		return a, algorithm.ReadASN1(&null, casn1.NULL) && null.Empty() && algorithm.Empty()
	}
	a.parameters = algorithm
	return a, true
}

// hash gives the hash function of a digest algorithm, or 0.
func (a algorithmID) hash() crypto.Hash {
	switch {
	case a.parameters != nil:
		return 0
	case a.oid.Equal(oidSHA256):
		return crypto.SHA256
	case a.oid.Equal(oidSHA384):
		return crypto.SHA384
	case a.oid.Equal(oidSHA512):
		return crypto.SHA512
	}
	return 0
}

// readHash reads a digest algorithm.
func readHash(in *cryptobyte.String) (crypto.Hash, *failure) {
	a, ok := readAlgorithmID(in)
	if !ok {
		return 0, &unreadable
	}
	h := a.hash()
	if h == 0 {
		return 0, &tooWeak
	}
	return h, nil
}

// readScheme reads a signature algorithm, which must agree with the digest's.
func readScheme(in *cryptobyte.String, digest crypto.Hash) (scheme, *failure) {
	a, ok := readAlgorithmID(in)
	if !ok {
		return 0, &unreadable
	}
	if a.oid.Equal(oidPSS) {
		return readPSS(a.parameters, digest)
	}
	var (
		s scheme
		h crypto.Hash
	)
	name := a.oid.String()
	switch {
	case a.parameters != nil:
		return 0, &unreadable
	case a.oid.Equal(oidRSA):
		return rsaScheme, nil
	case a.oid.Equal(oidECKey):
		return ecdsaScheme, nil
	case oidRSAWith[name] != 0:
		s, h = rsaScheme, oidRSAWith[name]
	case oidECDSAWith[name] != 0:
		s, h = ecdsaScheme, oidECDSAWith[name]
	default:
		return 0, &tooWeak
	}
	if h != digest {
		return 0, &unreadable
	}
	return s, nil
}

// readPSS reads RSASSA-PSS-params (RFC 4055, 3.1). The defaults are SHA-1, so what is absent is weak.
func readPSS(in cryptobyte.String, digest crypto.Hash) (scheme, *failure) {
	var params, hash, mask, salt, trailer cryptobyte.String
	context2, context3 := casn1.Tag(2).ContextSpecific().Constructed(), casn1.Tag(3).ContextSpecific().Constructed()
	if !in.ReadASN1(&params, casn1.SEQUENCE) || !in.Empty() {
		return 0, &unreadable
	}
	if !params.ReadASN1(&hash, context0) || !params.ReadASN1(&mask, context1) {
		return 0, &tooWeak
	}
	if params.PeekASN1Tag(context2) && !params.ReadASN1(&salt, context2) || params.PeekASN1Tag(context3) && !params.ReadASN1(&trailer, context3) || !params.Empty() {
		return 0, &unreadable
	}
	h, bad := readHash(&hash)
	if bad != nil {
		return 0, bad
	}
	m, ok := readAlgorithmID(&mask)
	if !ok || !m.oid.Equal(oidMGF1) {
		return 0, &unreadable
	}
	mgf, bad := readHash(&m.parameters)
	if bad != nil {
		return 0, bad
	}
	one := 1
	if len(trailer) > 0 && (!trailer.ReadASN1Integer(&one) || one != 1) || h != digest || mgf != digest {
		return 0, &unreadable
	}
	return pssScheme, nil
}

// verifyWith checks a signature over a hash with the key of a certificate.
func verifyWith(c *x509.Certificate, s scheme, h crypto.Hash, digest, signature []byte) *failure {
	wrong := &failure{Failed, SigCryptoFailure, ReasonSignature}
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() && key.Curve != elliptic.P521() {
			return &tooWeak
		}
		if s != ecdsaScheme || !ecdsa.VerifyASN1(key, digest, signature) {
			return wrong
		}
		return nil
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 || bits > 8192 || key.E > 1<<31-1 {
			return &tooWeak
		}
		var err error
		switch s {
		case rsaScheme:
			err = rsa.VerifyPKCS1v15(key, h, digest, signature)
		case pssScheme:
			err = rsa.VerifyPSS(key, h, digest, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: h})
		default:
			return wrong
		}
		if err != nil {
			return wrong
		}
		return nil
	}
	return &tooWeak
}
