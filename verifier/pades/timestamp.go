package pades

import (
	"bytes"
	"crypto"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var untrusted = failure{Indeterminate, NoPOE, ReasonUntrustedTime}

// stamp is a time stamp that is whole and over what it should be. Whether its authority is one of ours is for trust.
type stamp struct {
	*signedData
	at      time.Time // UTC
	hash    crypto.Hash
	imprint []byte
}

// readStamp reads a time-stamp token and checks its own signature; over what it is, is for covers.
func readStamp(der []byte) (*stamp, *failure) {
	token, bad := readCMS(der, tokenKind)
	if bad != nil {
		return nil, bad
	}
	h := token.hash.New()
	h.Write(token.content)
	content := h.Sum(nil)
	s := &stamp{signedData: token}
	if bad := s.readInfo(); bad != nil {
		return nil, bad
	}
	if !token.covers(content) {
		return nil, &untrusted
	}
	if bad := token.verify(content); bad != nil {
		return nil, bad
	}
	if bad := token.identify(); bad != nil {
		return nil, bad
	}
	return s, nil
}

// over says whether the stamp is over data.
func (s *stamp) over(data ...[]byte) bool {
	h := s.hash.New()
	for _, d := range data {
		h.Write(d)
	}
	return bytes.Equal(h.Sum(nil), s.imprint)
}

// readInfo reads RFC 3161's TSTInfo.
func (s *stamp) readInfo() *failure {
	var (
		in                  = cryptobyte.String(s.content)
		info, message, hash cryptobyte.String
		version             int64
		policy              cryptobyte.String
		serial              = new(big.Int)
		ordering            bool
	)
	if !in.ReadASN1(&info, casn1.SEQUENCE) || !in.Empty() ||
		!info.ReadASN1Integer(&version) || version != 1 ||
		!info.ReadASN1(&policy, casn1.OBJECT_IDENTIFIER) || // a UUID under 2.25 does not fit asn1.ObjectIdentifier
		!info.ReadASN1(&message, casn1.SEQUENCE) {
		return &unreadable
	}
	h, bad := readHash(&message)
	if bad != nil {
		return bad
	}
	if !message.ReadASN1(&hash, casn1.OCTET_STRING) || !message.Empty() || len(hash) != h.Size() {
		return &unreadable
	}
	s.hash, s.imprint = h, hash
	at, ok := readGeneralizedTime(&info, serial)
	if !ok {
		return &unreadable
	}
	s.at = at
	if !info.SkipOptionalASN1(casn1.SEQUENCE) || // accuracy
		info.PeekASN1Tag(casn1.BOOLEAN) && !info.ReadASN1Boolean(&ordering) ||
		info.PeekASN1Tag(casn1.INTEGER) && !info.SkipASN1(casn1.INTEGER) || // nonce
		!info.SkipOptionalASN1(context0) || // the authority's name
		!info.SkipOptionalASN1(context1) || !info.Empty() {
		return &unreadable
	}
	return nil
}

// readGeneralizedTime reads serial number and time. The time may have fractions of a second, which are dropped.
func readGeneralizedTime(info *cryptobyte.String, serial *big.Int) (time.Time, bool) {
	var raw cryptobyte.String
	if !info.ReadASN1Integer(serial) || !info.ReadASN1(&raw, casn1.GeneralizedTime) {
		return time.Time{}, false
	}
	at, err := time.Parse("20060102150405Z", string(raw))
	if err != nil {
		at, err = time.Parse("20060102150405.999999999Z", string(raw))
	}
	return at.UTC(), err == nil
}
