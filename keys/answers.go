package keys

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// AnswerRepeat is for how long the issuing process says the same about a certificate before it says it anew, and others may keep it.
const AnswerRepeat = time.Hour

// Folders below /pki of what is published.
const (
	PublishedAnswers      = "ocsp/"
	PublishedLists        = "crl/"          // NAME.crl
	PublishedCertificates = "certificates/" // NAME.cer
	PublishedTrust        = "trust.json"
)

// AnswerPath is where the OCSP answer about a certificate is published, by how the question names it (CertID, RFC 6960, 4.1.1, DER): who
// looks it up need not understand a byte of it.
func AnswerPath(certID []byte) string {
	sum := sha256.Sum256(certID)
	return PublishedAnswers + hex.EncodeToString(sum[:])
}
