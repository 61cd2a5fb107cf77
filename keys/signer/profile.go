package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// role is what a certificate is for. Its text is the name of the certificate's file.
type role string

const (
	rootRole        role = rootName
	issuingRole     role = caName
	documentRole    role = signerName
	stampRole       role = tsaName
	answersRole     role = responderName
	rootAnswersRole role = rootResponderName
)

// Names of the OCSP responder's pair. It has one key and two certificates, the second without a key of its own.
const responderName, rootResponderName = "ocsp-responder", "root-ocsp-responder"

// Where a service has what its certificates point to, below its address.
const (
	pathOCSP         = "/pki/ocsp"
	pathCRL          = "/pki/crl/"          // NAME.crl
	pathCertificates = "/pki/certificates/" // NAME.cer
)

var (
	oidExtendedUsage   = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidUseTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
)

// profile writes into a template all that certificates of a role have in common. authority is the name of the issuer's files.
//
//	role                path  key usage                          extended key usage
//	root                1     certSign, cRLSign
//	issuing authority   0     certSign, cRLSign
//	document signer           digitalSignature, nonRepudiation   documentSigning (RFC 9336), emailProtection
//	time-stamp signer         digitalSignature                   timeStamping, critical and alone (RFC 3161, 2.3)
//	OCSP responder            digitalSignature                   OCSPSigning, with ocsp-nocheck (RFC 6960, 4.2.2.2)
//
// E-mail protection is there because poppler and openssl do not know document signing. The time-stamp signer is directly under the
// root: whoever has the issuing authority's key still cannot date documents.
func profile(t *x509.Certificate, r role, address string, authority role) error {
	t.BasicConstraintsValid = true
	t.KeyUsage = x509.KeyUsageDigitalSignature
	switch r {
	case rootRole, issuingRole:
		t.IsCA, t.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		t.MaxPathLen, t.MaxPathLenZero = 1, false
		if r == issuingRole {
			t.MaxPathLen, t.MaxPathLenZero = 0, true
		}
	case documentRole:
		t.KeyUsage |= x509.KeyUsageContentCommitment
		t.UnknownExtKeyUsage = []asn1.ObjectIdentifier{keys.OIDDocumentSigning}
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	case stampRole:
		// Written by hand because x509 never marks this extension critical, and RFC 3161 asks for that.
		usage, err := asn1.Marshal([]asn1.ObjectIdentifier{oidUseTimeStamping})
		if err != nil {
			return fmt.Errorf("signer: time-stamp usage: %w", err)
		}
		t.ExtraExtensions = []pkix.Extension{{Id: oidExtendedUsage, Critical: true, Value: usage}}
	case answersRole, rootAnswersRole:
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		// Nobody need ask whether it was revoked: who would answer?
		t.ExtraExtensions = []pkix.Extension{{Id: oidOCSPNoCheck, Value: asn1.NullBytes}}
	default:
		return fmt.Errorf("signer: no profile for %q", r)
	}
	if r == rootRole || address == "" {
		return nil // nobody but itself could speak for the root
	}
	// Plain HTTP: what is there is signed, and whoever needs it to judge a certificate of TLS could not get it otherwise (RFC 5280,
	// 4.2.1.13 and section 8).
	if host, ok := strings.CutPrefix(address, "https://"); ok {
		address = "http://" + host
	}
	t.IssuingCertificateURL = []string{address + pathCertificates + string(authority) + ".cer"}
	if t.CRLDistributionPoints = []string{address + pathCRL + string(authority) + ".crl"}; r == answersRole || r == rootAnswersRole {
		t.CRLDistributionPoints = nil
		return nil
	}
	t.OCSPServer = []string{address + pathOCSP}
	return nil
}

// subject is what a certificate of ours says about whom it belongs to, and for how long.
type subject struct {
	name     pkix.Name
	from, to time.Time
	policies []x509.OID
}

// certificate makes one after its role's profile, for public, signed by parentKey; parent nil: by itself.
func certificate(rand io.Reader, r role, s subject, address string, public crypto.PublicKey, parent *x509.Certificate, authority role, parentKey crypto.Signer) (*x509.Certificate, error) {
	serial, err := newSerial(rand)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{SerialNumber: serial, Subject: s.name, NotBefore: s.from, NotAfter: s.to, Policies: s.policies}
	if err := profile(t, r, address, authority); err != nil {
		return nil, err
	}
	point, ok := public.(*ecdsa.PublicKey)
	if !ok || point.Curve != elliptic.P256() {
		return nil, fmt.Errorf("signer: key of %q is not on P-256", s.name.CommonName)
	}
	bits, err := point.Bytes()
	if err != nil {
		return nil, fmt.Errorf("signer: key of %q: %w", s.name.CommonName, err)
	}
	id := sha256.Sum256(bits)
	t.SubjectKeyId = id[:20] // RFC 7093, method 1
	if parent == nil {
		parent = t
	} else if t.NotAfter.After(parent.NotAfter) {
		return nil, fmt.Errorf("signer: %q would outlast its authority, which ends %s", s.name.CommonName, parent.NotAfter.Format(time.DateOnly))
	}
	der, err := x509.CreateCertificate(rand, t, parent, point, parentKey)
	if err != nil {
		return nil, fmt.Errorf("signer: certificate of %q: %w", s.name.CommonName, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("signer: certificate of %q: %w", s.name.CommonName, err)
	}
	return c, nil
}
