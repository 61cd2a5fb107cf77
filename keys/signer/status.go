package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// Revocation is the end of a certificate before its time.
type Revocation struct {
	Serial      *big.Int
	At          time.Time // when it was revoked
	InvalidFrom time.Time // since when the key is believed to be in other hands (RFC 5280, 5.3.2); zero: not said
	Reason      int       // CRLReason, RFC 5280, 5.3.1
}

// Revocations says which certificates were revoked. It is asked often and must answer from memory.
type Revocations interface {
	// Revoked gives all that an authority ever revoked.
	Revoked(authority *x509.Certificate) ([]Revocation, error)
}

// NothingRevoked is what is known where nobody revokes: a demonstration, a measurement.
type NothingRevoked struct{}

// Revoked gives none.
func (NothingRevoked) Revoked(*x509.Certificate) ([]Revocation, error) { return nil, nil }

// Register is what one authority of ours says about the certificates that it issued.
type Register struct {
	Name         string            // of its CRL and certificate under /pki: "issuing-ca"
	Authority    *x509.Certificate // which issued Issued and Responder
	Issued       []*x509.Certificate
	Responder    *x509.Certificate // id-kp-OCSPSigning, id-pkix-ocsp-nocheck
	ResponderKey crypto.Signer
	Key          crypto.Signer // signs the CRL; nil where it is kept elsewhere
	CRL          []byte        // DER, made where Key is; nil: there is Key, or no CRL
}

// Status answers for our own authorities whether a certificate was revoked: by OCSP (RFC 6960) and by CRL (RFC 5280).
// Nobody asks it: what it says to everybody is made beforehand (Publish), so that no question costs a signature and no byte of a
// stranger's reaches the keys. It may be used by several goroutines.
type Status struct {
	Registers   []Register
	Revocations Revocations
	Rand        io.Reader

	mu      sync.Mutex
	answers map[answerID]answer
	crls    map[string]list
}

// How long what we say holds, and how long we say the same again.
const (
	answerValid  = 24 * time.Hour
	answerRepeat = keys.AnswerRepeat
	crlValid     = 7 * 24 * time.Hour
	crlRepeat    = time.Hour
)

// ErrRevoked says that a certificate cannot be vouched for: nothing is signed or archived with it.
var ErrRevoked = errors.New("signer: the certificate is revoked")

// Evidence is what shows, later and to anybody, that a chain was good at a moment.
type Evidence struct {
	Certificates []*x509.Certificate
	OCSPs, CRLs  [][]byte // DER
}

// Witness gives evidence.
type Witness interface {
	// Evidence vouches for a chain, leaf first and root last, at a moment; what it gives was made in that second, so that whoever
	// trusts it need not ask what happened between the answer and the signature (EN 319 102-1, 5.2.5).
	Evidence(ctx context.Context, chain []*x509.Certificate, at time.Time) (Evidence, error)
}

// Evidence implements Witness for chains of our own authorities.
func (s *Status) Evidence(_ context.Context, chain []*x509.Certificate, at time.Time) (Evidence, error) {
	e := Evidence{Certificates: chain}
	for i, c := range chain[:max(0, len(chain)-1)] {
		r := s.register(chain[i+1])
		if r == nil || !r.issued(c.SerialNumber) {
			return e, fmt.Errorf("signer: no authority of ours vouches for %q", c.Subject.CommonName)
		}
		der, state, err := s.fresh(r, c.SerialNumber, at)
		switch {
		case err != nil:
			return e, err
		case state.revoked != nil:
			return e, fmt.Errorf("%w: %q", ErrRevoked, c.Subject.CommonName)
		}
		e.OCSPs = append(e.OCSPs, der)
		// A list is there for readers who know no OCSP. One that is out of date helps nobody.
		if crl, until, err := s.list(r, at); err == nil && at.Before(until) {
			e.CRLs = append(e.CRLs, crl)
		}
	}
	return e, nil
}

func (s *Status) register(authority *x509.Certificate) *Register {
	for i := range s.Registers {
		if s.Registers[i].Authority.Equal(authority) {
			return &s.Registers[i]
		}
	}
	return nil
}

func (r *Register) issued(serial *big.Int) bool {
	for _, c := range r.Issued {
		if c.SerialNumber.Cmp(serial) == 0 && bytes.Equal(c.RawIssuer, r.Authority.RawSubject) {
			return true
		}
	}
	return false
}

// state is what is so of a certificate: good where both are empty.
type state struct {
	revoked *Revocation
	unknown bool
}

func (s *Status) state(r *Register, serial *big.Int, at time.Time) (state, error) {
	revoked, err := s.Revocations.Revoked(r.Authority)
	if err != nil {
		return state{}, fmt.Errorf("signer: revocations of %s: %w", r.Name, err)
	}
	for _, x := range revoked {
		if x.Serial.Cmp(serial) == 0 && !x.At.Truncate(time.Second).After(at) { // answers know no fractions
			return state{revoked: &x}, nil
		}
	}
	return state{unknown: !r.issued(serial)}, nil
}

// list is a CRL that was made.
type list struct {
	der         []byte
	made, until time.Time
	entries     int
}

var errNoCRL = errors.New("signer: no list of revocations")

func (s *Status) list(r *Register, now time.Time) ([]byte, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.crls[r.Name]
	if r.Key == nil {
		if r.CRL == nil {
			return nil, time.Time{}, fmt.Errorf("%w of %s: its key is elsewhere, and none was brought from there", errNoCRL, r.Name)
		}
		if !ok {
			crl, err := x509.ParseRevocationList(r.CRL)
			if err != nil {
				return nil, time.Time{}, fmt.Errorf("signer: CRL of %s: %w", r.Name, err)
			}
			kept = list{der: r.CRL, until: crl.NextUpdate}
			s.keepList(r.Name, kept)
		}
		return kept.der, kept.until, nil
	}
	all, err := s.Revocations.Revoked(r.Authority)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("signer: revocations of %s: %w", r.Name, err)
	}
	var entries []x509.RevocationListEntry
	for _, x := range all {
		if x.At.After(now) {
			continue
		}
		entry := x509.RevocationListEntry{SerialNumber: x.Serial, RevocationTime: x.At.UTC(), ReasonCode: x.Reason}
		if !x.InvalidFrom.IsZero() {
			value, err := asn1.MarshalWithParams(x.InvalidFrom.UTC().Truncate(time.Second), "generalized")
			if err != nil {
				return nil, time.Time{}, fmt.Errorf("signer: CRL of %s: %w", r.Name, err)
			}
			entry.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: value}} // invalidityDate
		}
		entries = append(entries, entry)
	}
	made := now.UTC().Truncate(crlRepeat)
	if made.Before(r.Authority.NotBefore) {
		made = r.Authority.NotBefore
	}
	if ok && len(entries) == kept.entries && kept.made.Equal(made) {
		return kept.der, kept.until, nil
	}
	thisUpdate := made
	if len(entries) > 0 && ok && kept.made.Equal(made) {
		thisUpdate = now.UTC().Truncate(time.Second) // something new within the hour
	}
	der, err := x509.CreateRevocationList(s.Rand, &x509.RevocationList{
		Number: big.NewInt(thisUpdate.Unix()), ThisUpdate: thisUpdate, NextUpdate: made.Add(crlValid), RevokedCertificateEntries: entries,
	}, r.Authority, r.Key)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("signer: CRL of %s: %w", r.Name, err)
	}
	kept = list{der: der, made: made, until: made.Add(crlValid), entries: len(entries)}
	s.keepList(r.Name, kept)
	return kept.der, kept.until, nil
}

func (s *Status) keepList(name string, l list) {
	if s.crls == nil {
		s.crls = map[string]list{}
	}
	s.crls[name] = l
}

// Registers are what the set's two authorities say: the issuing authority about the document signer, the root about the
// issuing authority and the time-stamp signer, and each about further certificates, those of former signers.
func (s *Set) Registers(further ...*x509.Certificate) []Register {
	issuing := Register{Name: caName, Authority: s.CA, Issued: []*x509.Certificate{s.Signer}, Responder: s.Responder, ResponderKey: s.ResponderKey, Key: s.CAKey, CRL: s.CRL}
	root := Register{Name: rootName, Authority: s.Root, Issued: []*x509.Certificate{s.CA, s.TSA}, Responder: s.RootResponder, ResponderKey: s.ResponderKey, Key: s.RootKey, CRL: s.RootCRL}
	for _, d := range s.Later {
		further = append(further, d.Certificate)
	}
	for _, c := range further {
		for _, r := range []*Register{&issuing, &root} {
			if bytes.Equal(c.RawIssuer, r.Authority.RawSubject) {
				r.Issued = append(r.Issued, c)
			}
		}
	}
	return []Register{issuing, root}
}

// Status answers for the set's authorities.
func (s *Set) Status(rand io.Reader, revocations Revocations, further ...*x509.Certificate) *Status {
	return &Status{Registers: s.Registers(further...), Revocations: revocations, Rand: rand}
}
