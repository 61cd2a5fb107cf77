package pades

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var untrusted = failure{Indeterminate, NoPOE, ReasonUntrustedTime}

// stamp is a signature time stamp that is whole and over this signature. Whether its authority is one of ours is for trust.
type stamp struct {
	*signedData
	at time.Time // UTC
}

// readStamp reads the signature time stamp. Whatever is wrong with it, the outcome is the same: nothing proves when the signature existed.
func readStamp(s *signedData) (*stamp, *failure) {
	if s.token == nil {
		return nil, &failure{Indeterminate, NoPOE, ReasonNoTime}
	}
	imprint := sha256.Sum256(s.signature)
	if stamp, ok := readToken(s.token, imprint[:]); ok {
		return stamp, nil
	}
	return nil, &untrusted
}

// trust says whether the stamp's authority is under roots, and was valid at the time it writes.
func (s *stamp) trust(roots *keys.Roots) *failure {
	chain, err := roots.Chain(keys.TimeStamping, s.signer, s.certificates, s.at)
	if err != nil || !s.onlyHas(chain) {
		return &untrusted
	}
	return nil
}

// readTSTInfo reads RFC 3161's TSTInfo and gives its time, if it is over imprint.
func readTSTInfo(der, imprint []byte) (time.Time, bool) {
	var (
		in                  = cryptobyte.String(der)
		info, message, hash cryptobyte.String
		version             int64
		policy              cryptobyte.String
		serial              = new(big.Int)
		at                  time.Time
		ordering            bool
	)
	if !in.ReadASN1(&info, casn1.SEQUENCE) || !in.Empty() ||
		!info.ReadASN1Integer(&version) || version != 1 ||
		!info.ReadASN1(&policy, casn1.OBJECT_IDENTIFIER) || // a UUID under 2.25 does not fit asn1.ObjectIdentifier
		!info.ReadASN1(&message, casn1.SEQUENCE) {
		return at, false
	}
	if !readImprintAlgorithm(&message) || !message.ReadASN1(&hash, casn1.OCTET_STRING) || !message.Empty() || !bytes.Equal(hash, imprint) {
		return at, false
	}
	if !info.ReadASN1Integer(serial) || serial.Sign() <= 0 || !info.ReadASN1GeneralizedTime(&at) {
		return at, false
	}
	if !info.SkipOptionalASN1(casn1.SEQUENCE) || // accuracy
		info.PeekASN1Tag(casn1.BOOLEAN) && !info.ReadASN1Boolean(&ordering) ||
		info.PeekASN1Tag(casn1.INTEGER) && !info.SkipASN1(casn1.INTEGER) || // nonce
		!info.SkipOptionalASN1(context0) || !info.Empty() { // the authority's name; extensions are refused
		return at, false
	}
	return at.UTC(), true
}

// readImprintAlgorithm reads SHA-256, with NULL parameters or none: authorities write both.
func readImprintAlgorithm(in *cryptobyte.String) bool {
	var (
		algorithm, parameters cryptobyte.String
		oid                   asn1.ObjectIdentifier
	)
	return in.ReadASN1(&algorithm, casn1.SEQUENCE) && algorithm.ReadASN1ObjectIdentifier(&oid) && oid.Equal(oidSHA256) &&
		(algorithm.Empty() || algorithm.ReadASN1(&parameters, casn1.NULL) && parameters.Empty() && algorithm.Empty())
}
