package gateway

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// TrustFile is what an instance pins: whose seals are whose, since when one no longer counts, and whose time stamps are believed. It is what X-Road
// calls global configuration; here it is a file that the operator gets from the instance's governing body and puts in place, as roots.pem is.
type TrustFile struct {
	Version     int             `json:"version"` // 1
	Instance    string          `json:"instance"`
	Number      int64           `json:"number"` // rises with every file
	Issued      time.Time       `json:"issued"`
	NextUpdate  time.Time       `json:"next_update"` // after it nothing is asked
	Authorities [][]byte        `json:"authorities"` // certificates, DER: who may issue seals
	Members     []TrustedMember `json:"members"`
	Revoked     []RevokedSeal   `json:"revoked"`
	TimeStamps  string          `json:"time_stamps"` // roots, PEM
}

// TrustedMember is a member with its seals.
type TrustedMember struct {
	ID    MemberID `json:"id"`
	Name  string   `json:"name"`
	Seals [][]byte `json:"seals"` // certificates, DER
}

// RevokedSeal is the end of a certificate before its time.
type RevokedSeal struct {
	SHA256      string    `json:"sha256"`       // of the certificate, hexadecimal
	InvalidFrom time.Time `json:"invalid_from"` // what was sealed from then on does not count
	Reason      string    `json:"reason"`       // as RFC 5280, 5.3.1, writes it
	Why         string    `json:"why"`
}

// Trust is a TrustFile that was read and judged. It may be used by several goroutines.
type Trust struct {
	TrustFile
	seals   map[[sha256.Size]byte]sealOf
	revoked map[[sha256.Size]byte]RevokedSeal
	stamps  *keys.Roots
}

type sealOf struct {
	member      MemberID
	certificate *x509.Certificate
	authority   *x509.Certificate
}

const (
	maxTrust     = 4 << 20
	trustVersion = 1
)

// ErrTrust says that a trust file is not sound.
var ErrTrust = errors.New("gateway: trust file")

// ParseTrust reads a trust file: JSON with no member that is not known. Every seal must come from one of its authorities.
func ParseTrust(data []byte) (*Trust, error) {
	if len(data) > maxTrust {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTrust, maxTrust)
	}
	if err := once(data); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrust, err)
	}
	t := &Trust{seals: map[[sha256.Size]byte]sealOf{}, revoked: map[[sha256.Size]byte]RevokedSeal{}}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&t.TrustFile); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrust, err)
	}
	if t.Version != trustVersion || !part.MatchString(t.Instance) || t.Issued.IsZero() || !t.Issued.Before(t.NextUpdate) {
		return nil, fmt.Errorf("%w: version, instance or times", ErrTrust)
	}
	authorities, err := readAuthorities(t.Authorities)
	if err != nil {
		return nil, err
	}
	for _, m := range t.Members {
		if err := t.admit(m, authorities); err != nil {
			return nil, fmt.Errorf("%w: member %s: %v", ErrTrust, m.ID, err)
		}
	}
	for _, r := range t.Revoked {
		sum, err := hex.DecodeString(r.SHA256)
		if _, known := keys.RevocationReasons[r.Reason]; err != nil || len(sum) != sha256.Size || !known || r.InvalidFrom.IsZero() || r.Why == "" {
			return nil, fmt.Errorf("%w: the revocation of %q is not whole", ErrTrust, r.SHA256)
		}
		t.revoked[[sha256.Size]byte(sum)] = r
	}
	if t.TimeStamps != "" {
		if t.stamps, err = keys.ParseRoots([]byte(t.TimeStamps)); err != nil {
			return nil, fmt.Errorf("%w: time stamps: %v", ErrTrust, err)
		}
	}
	return t, nil
}

func readAuthorities(all [][]byte) (authorities []*x509.Certificate, err error) {
	for _, der := range all {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: authority: %v", ErrTrust, err)
		}
		if !c.IsCA || !c.BasicConstraintsValid || c.KeyUsage&x509.KeyUsageCertSign == 0 || keys.Strong(c) != nil {
			return nil, fmt.Errorf("%w: %q may issue no seals", ErrTrust, c.Subject.CommonName)
		}
		authorities = append(authorities, c)
	}
	return authorities, nil
}

func (t *Trust) admit(m TrustedMember, authorities []*x509.Certificate) error {
	if _, err := ParseMemberID(string(m.ID)); err != nil || m.ID.Instance() != t.Instance {
		return errors.New("of another instance, or no member")
	}
	for _, der := range m.Seals {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(authorities, func(a *x509.Certificate) bool {
			return bytes.Equal(a.RawSubject, c.RawIssuer) && c.CheckSignatureFrom(a) == nil
		})
		if i < 0 || c.IsCA || c.KeyUsage&(x509.KeyUsageContentCommitment|x509.KeyUsageDigitalSignature) == 0 || keys.Strong(c) != nil {
			return fmt.Errorf("%q is no seal of an authority", c.Subject.CommonName)
		}
		id := sha256.Sum256(c.Raw)
		if _, twice := t.seals[id]; twice {
			return fmt.Errorf("%q stands there twice", c.Subject.CommonName)
		}
		t.seals[id] = sealOf{m.ID, c, authorities[i]}
	}
	return nil
}

// JSON writes the file as ParseTrust reads it.
func (f TrustFile) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTrust, err)
	}
	return append(b, '\n'), nil
}

// Revoke takes a seal back from a moment on: the next file of the instance.
func (f TrustFile) Revoke(c *x509.Certificate, invalidFrom time.Time, reason, why string) TrustFile {
	sum := sha256.Sum256(c.Raw)
	f.Revoked = append(slices.Clone(f.Revoked), RevokedSeal{hex.EncodeToString(sum[:]), invalidFrom.UTC(), reason, why})
	f.Number++
	return f
}

// judge says whether a member sealed a message. proven is a moment at which the signature is known to have been there already: when it was received, or
// its time stamp's. The certificate must have been valid then, and not taken back before.
func (t *Trust) judge(m Message, names []string, member MemberID, proven time.Time) (signature, *failure) {
	if !m.well(names) {
		return signature{}, fail(BadSignature, "headers")
	}
	s, bad := readSignature(m.Header(HeaderSignature), names)
	if bad != nil {
		return s, bad
	}
	id, err := decodeThumbprint(s.header.Certificate)
	if err != nil {
		return s, fail(BadSignature, "certificate")
	}
	seal, ok := t.seals[id]
	if !ok || seal.member != member {
		return s, fail(Stranger, "")
	}
	if !s.over(m, seal.certificate.PublicKey) {
		return s, fail(BadSignature, "")
	}
	for _, c := range []*x509.Certificate{seal.certificate, seal.authority} {
		if proven.Before(c.NotBefore) || proven.After(c.NotAfter) {
			return s, fail(OutOfTime, "")
		}
	}
	if r, is := t.revoked[id]; is && !proven.Before(r.InvalidFrom) {
		return s, fail(Revoked, r.Reason)
	}
	return s, nil
}
