package signer

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

// TrustFile is the file in a set's folder with the signed list of who was valid when: keys.TrustList.
const TrustFile = "trust.json"

// trustDays is how long a list holds: until an authority's key is brought for its revocations anyway.
const trustDays = issuingListDays

// Duty is a signer that takes over from another at a moment.
type Duty struct {
	Role        string // keys.RoleDocumentSigner or keys.RoleStampSigner
	Certificate *x509.Certificate
	Key         crypto.Signer // nil where it is no longer needed, or not here
	From        time.Time
}

// on is the set as it is at a moment: with the document signer and the time-stamp signer on duty then.
func (s *Set) on(at time.Time) *Set {
	now := *s
	for _, d := range s.Later { // in the order in which they take over
		if at.Before(d.From) {
			continue
		}
		switch d.Role {
		case keys.RoleDocumentSigner:
			now.Signer, now.SignerKey = d.Certificate, d.Key
		case keys.RoleStampSigner:
			now.TSA, now.TSAKey = d.Certificate, d.Key
		}
	}
	now.Later = nil
	return &now
}

// turn is somebody's time on duty.
type turn[T any] struct {
	from time.Time
	who  T
}

// onDuty is whoever of several has the latest turn that has begun; first before all of them.
func onDuty[T any](first T, later []turn[T], at time.Time) T {
	for _, t := range later {
		if !at.Before(t.from) {
			first = t.who
		}
	}
	return first
}

// turns makes one for each moment at which somebody takes over.
func turns[T any](s *Set, who func(*Set) T) (all []turn[T]) {
	for _, d := range s.Later {
		all = append(all, turn[T]{d.From, who(s.on(d.From))})
	}
	return all
}

// newTrust lists the certificates of a set that was just made.
func (s *Set) newTrust(service string, issued, until time.Time) *keys.TrustList {
	t := &keys.TrustList{
		Version: 1, Number: issued.Unix(), Service: service, Issued: issued.UTC(), NextUpdate: until.UTC(),
		Certificates: []keys.Listed{
			keys.List(keys.RoleRoot, s.Root), keys.List(keys.RoleIssuingCA, s.CA), keys.List(keys.RoleDocumentSigner, s.Signer),
			keys.List(keys.RoleStampSigner, s.TSA),
		},
	}
	if s.Responder != nil {
		t.Certificates = append(t.Certificates, keys.List(keys.RoleResponder, s.Responder), keys.List(keys.RoleRootResponder, s.RootResponder))
	}
	return t
}

// signTrust signs a list with an authority's key and makes it the set's.
func (s *Set) signTrust(rand io.Reader, t *keys.TrustList, by Authorized) error {
	file, err := t.Sign(by.Certificate, func(digest []byte) ([]byte, error) { return by.Key.Sign(rand, digest, crypto.SHA256) })
	if err != nil {
		return fmt.Errorf("signer: %w", err)
	}
	roots, err := s.Roots()
	if err != nil {
		return err
	}
	// Read again as everybody will, before anybody relies on it.
	if s.Trust, err = keys.ReadTrustList(file, roots); err != nil {
		return fmt.Errorf("signer: %w", err)
	}
	s.TrustFile = file
	return nil
}

// loadTrust reads the list, and the signers that take over.
func (s *Set) loadTrust(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, TrustFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // made before there were lists
	}
	if err != nil {
		return err
	}
	roots, err := s.Roots()
	if err != nil {
		return err
	}
	if s.Trust, err = keys.ReadTrustList(data, roots); err != nil {
		return err
	}
	s.TrustFile = data
	for _, l := range s.Trust.Certificates {
		c := l.Certificate()
		if l.From == nil || c.Equal(s.Signer) || c.Equal(s.TSA) {
			continue
		}
		d := Duty{Role: l.Role, Certificate: c, From: *l.From}
		d.Key, err = readKey(filepath.Join(dir, laterName(l.Role, c)), c)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.Later = append(s.Later, d)
	}
	s.sortLater()
	return nil
}

func (s *Set) sortLater() {
	slices.SortStableFunc(s.Later, func(a, b Duty) int { return a.From.Compare(b.From) })
}

// laterName is the name of the files of a signer that took over from the first one.
func laterName(role string, c *x509.Certificate) string { return role + "-" + keys.Serial(c)[:8] }

// relieved says whether somebody takes over from the first signer of a role.
func (s *Set) relieved(role string) bool {
	return slices.ContainsFunc(s.Later, func(d Duty) bool { return d.Role == role })
}

// checkLater sees that those who take over fit to the set, and that whoever signs last has a key.
func (s *Set) checkLater() error {
	roots, err := s.Roots()
	if err != nil {
		return err
	}
	for _, d := range s.Later {
		purpose := keys.DocumentSigning
		if d.Role == keys.RoleStampSigner {
			purpose = keys.TimeStamping
		}
		if _, err := roots.Chain(purpose, d.Certificate, []*x509.Certificate{s.CA}, d.From); err != nil {
			return fmt.Errorf("%s from %s: %w", d.Role, d.From.Format(time.RFC3339), err)
		}
		if d.Key == nil {
			continue
		}
		if err := fits(d.Key, d.Certificate); err != nil {
			return fmt.Errorf("%s from %s: %w", d.Role, d.From.Format(time.RFC3339), err)
		}
	}
	if len(s.Later) == 0 {
		return nil
	}
	if last := s.on(s.Later[len(s.Later)-1].From); last.SignerKey == nil || last.TSAKey == nil {
		return errors.New("the signer that comes last has no key here")
	}
	return nil
}
