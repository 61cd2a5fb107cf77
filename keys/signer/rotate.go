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
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer/hsm"
)

// Authorized is an authority together with its key, brought back from where it is kept.
type Authorized struct {
	Certificate *x509.Certificate
	Key         crypto.Signer

	role role
}

// LoadAuthority reads the folder of an authority that a ceremony made, RootFolder or IssuingFolder. It must be of the set.
func (s *Set) LoadAuthority(dir string) (Authorized, error) {
	for _, a := range []Authorized{{Certificate: s.CA, role: issuingRole}, {Certificate: s.Root, role: rootRole}} {
		key, err := readKey(filepath.Join(dir, string(a.role)), a.Certificate)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return a, fmt.Errorf("signer: authority: %w", err)
		}
		if a.Key = key; fits(key, a.Certificate) != nil {
			return a, fmt.Errorf("signer: authority: the key in %s is another installation's", dir)
		}
		if k, ok := key.(*hsm.Key); ok {
			if err := k.Open(context.Background()); err != nil {
				return a, fmt.Errorf("signer: authority: %w", err)
			}
		}
		return a, nil
	}
	return Authorized{}, fmt.Errorf("signer: authority: %s holds neither %s.key nor %s.key, and no description of either (%s)", dir, rootName, caName, moduleFile)
}

// Name says which authority it is.
func (a Authorized) Name() string { return string(a.role) }

// Rotation is what a new signer is to be.
type Rotation struct {
	Role  string // keys.RoleDocumentSigner or keys.RoleStampSigner
	Name  string // empty: as the one before, with the year
	Years int
	From  time.Time // when it takes over

	Storage string    // StorageFile or StorageModule; empty: where the one before is
	Place   hsm.Place // of StorageModule
	Keep    bool      // keep a key in a module: without it, this is a rehearsal
}

// storage says where the new key goes.
func (r Rotation) storage(before crypto.Signer) PlannedKey {
	k := PlannedKey{Storage: r.Storage, Module: r.Place.Module, Token: r.Place.Token, PINFile: r.Place.PINFile}
	if k.Storage == "" {
		k.Storage = StorageFile
		if h, ok := before.(*hsm.Key); ok {
			k.Storage, k.Module, k.Token, k.PINFile = StorageModule, h.Module, h.Token, h.PINFile
		}
	}
	return k
}

// Rotate makes a new signer, which takes over at a moment to come; the old one signs until then and stays listed. The set is changed
// in memory; Update writes it.
func (s *Set) Rotate(ctx context.Context, rand io.Reader, by Authorized, r Rotation, now time.Time) (_ Duty, err error) {
	now = now.UTC().Truncate(time.Second)
	from := r.From.UTC().Truncate(time.Second)
	certified, old := role(r.Role), s.on(from)
	before, its := old.Signer, old.SignerKey
	want := issuingRole
	switch r.Role {
	case keys.RoleDocumentSigner:
	case keys.RoleStampSigner:
		before, its, want = old.TSA, old.TSAKey, rootRole
	default:
		return Duty{}, fmt.Errorf("signer: rotate: %q is neither %s nor %s", r.Role, keys.RoleDocumentSigner, keys.RoleStampSigner)
	}
	switch {
	case s.Trust == nil:
		return Duty{}, fmt.Errorf("signer: rotate: there is no %s: these keys were not made by a ceremony", TrustFile)
	case by.role != want:
		return Duty{}, fmt.Errorf("signer: rotate: a %s is certified by the %s, and this is the key of the %s", r.Role, want, by.role)
	case from.Before(now):
		return Duty{}, errors.New("signer: rotate: the new signer cannot take over in the past")
	case r.Years < 1 || r.Years > maxYears:
		return Duty{}, fmt.Errorf("signer: rotate: years must be from 1 to %d", maxYears)
	case !from.Before(before.NotAfter):
		return Duty{}, fmt.Errorf("signer: rotate: the one before ends %s, and nobody would sign until then", before.NotAfter.Format(time.RFC3339))
	case len(s.Later) > 0 && from.Before(s.Later[len(s.Later)-1].From):
		return Duty{}, fmt.Errorf("signer: rotate: another signer takes over only at %s", s.Later[len(s.Later)-1].From.Format(time.RFC3339))
	}
	for _, d := range s.Later {
		if d.Role == r.Role && d.From.Equal(from) {
			return Duty{}, fmt.Errorf("signer: rotate: %q takes over at that very moment already: name a later one", d.Certificate.Subject.CommonName)
		}
	}
	name := r.Name
	if name == "" {
		name = fmt.Sprintf("%s %d", s.first(r.Role).Subject.CommonName, from.Year())
	}
	if err := nameFits(name); err != nil {
		return Duty{}, fmt.Errorf("signer: rotate: the name %q %w", name, err)
	}
	storage := r.storage(its)
	if err := storage.checkStorage(); err != nil {
		return Duty{}, fmt.Errorf("signer: rotate: %w", err)
	}
	key, err := storage.make(ctx, rand, certified, r.Keep)
	if err != nil {
		return Duty{}, fmt.Errorf("signer: rotate: %w", err)
	}
	defer func() {
		if err != nil && r.Keep {
			err = errors.Join(err, destroy(ctx, []crypto.Signer{key}))
		}
	}()
	subjectOf := subject{
		name: pkix.Name{Country: before.Subject.Country, Organization: before.Subject.Organization, CommonName: name},
		from: now, to: from.AddDate(r.Years, 0, 0).Add(-time.Second), policies: before.Policies,
	}
	c, err := certificate(rand, certified, subjectOf, s.Trust.Service, key.Public(), by.Certificate, by.role, by.Key)
	if err != nil {
		return Duty{}, err
	}
	d := Duty{Role: r.Role, Certificate: c, Key: key, From: from}
	s.Later = append(s.Later, d)
	s.sortLater()
	t := *s.Trust
	t.Certificates = slices.Clone(t.Certificates)
	for i := range t.Certificates {
		if l := &t.Certificates[i]; l.Role == r.Role && l.Until == nil {
			l.Until = &from
		}
	}
	l := keys.List(r.Role, c)
	l.From = &from
	t.Certificates = append(t.Certificates, l)
	s.Trust = &t
	return d, errors.Join(s.check(), s.Publish(rand, by, nil, now))
}

// first is the certificate with which a role began.
func (s *Set) first(role string) *x509.Certificate {
	if role == keys.RoleStampSigner {
		return s.TSA
	}
	return s.Signer
}

// Publish makes the list of trust and the list of revocations of an authority anew, with further revocations by serial number; it
// does so too where none is new, because lists end. The set is changed in memory; Update writes it.
func (s *Set) Publish(rand io.Reader, by Authorized, revoked map[string]keys.Revoked, now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	if s.Trust == nil {
		return fmt.Errorf("signer: publish: there is no %s: these keys were not made by a ceremony", TrustFile)
	}
	t := *s.Trust
	t.Number = max(t.Number+1, now.Unix())
	t.Issued, t.NextUpdate = now, now.AddDate(0, 0, trustDays)
	t.Certificates = slices.Clone(t.Certificates)
	var entries []x509.RevocationListEntry
	for i := range t.Certificates {
		l := &t.Certificates[i]
		if r, ok := revoked[l.Serial]; ok && l.Revoked == nil {
			l.Revoked = &r
		}
		c := l.Certificate()
		if l.Revoked == nil || !bytes.Equal(c.RawIssuer, by.Certificate.RawSubject) || bytes.Equal(c.RawIssuer, c.RawSubject) {
			continue
		}
		value, err := asn1.MarshalWithParams(l.Revoked.InvalidFrom.UTC().Truncate(time.Second), "generalized")
		if err != nil {
			return fmt.Errorf("signer: publish: %w", err)
		}
		entries = append(entries, x509.RevocationListEntry{
			SerialNumber: c.SerialNumber, RevocationTime: l.Revoked.At.UTC(), ReasonCode: keys.RevocationReasons[l.Revoked.Reason],
			ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: value}}, // invalidityDate, RFC 5280, 5.3.2
		})
	}
	days, list, number := issuingListDays, &s.CRL, now.Unix()
	if by.role == rootRole {
		days, list = rootListDays, &s.RootCRL
	}
	if *list != nil {
		last, err := x509.ParseRevocationList(*list)
		if err != nil {
			return fmt.Errorf("signer: publish: the last list of revocations: %w", err)
		}
		number = max(number, last.Number.Int64()+1)
	}
	der, err := x509.CreateRevocationList(rand, &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, days), RevokedCertificateEntries: entries,
	}, by.Certificate, by.Key)
	if err != nil {
		return fmt.Errorf("signer: publish: list of revocations: %w", err)
	}
	*list = der
	return s.signTrust(rand, &t, by)
}

// Update writes what Rotate and Publish changed into the set's folder. Keys are added, never replaced; each list is replaced in one
// step. It may be repeated.
func (s *Set) Update(dir string) error {
	for _, d := range s.Later {
		if d.Key == nil {
			continue
		}
		name := filepath.Join(dir, laterName(d.Role, d.Certificate))
		if _, err := os.Stat(name + ".pem"); err == nil {
			continue
		}
		f, err := keyFile(name, d.Key)
		if err == nil {
			err = f.write(f.name)
		}
		if err != nil {
			return fmt.Errorf("signer: update: %w", err)
		}
		if err := writePEM(name+".pem", "CERTIFICATE", d.Certificate.Raw, 0o644); err != nil {
			return fmt.Errorf("signer: update: %w", err)
		}
	}
	for _, f := range []file{
		{rootName + ".crl", "X509 CRL", s.RootCRL, 0o644}, {caName + ".crl", "X509 CRL", s.CRL, 0o644}, {TrustFile, "", s.TrustFile, 0o644},
	} {
		if f.data == nil {
			continue
		}
		fresh := filepath.Join(dir, "."+f.name+".new")
		if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) { // left by one who was stopped midway
			return fmt.Errorf("signer: update: %w", err)
		}
		if err := f.write(fresh); err != nil {
			return fmt.Errorf("signer: update: %w", err)
		}
		if err := os.Rename(fresh, filepath.Join(dir, f.name)); err != nil {
			return fmt.Errorf("signer: update: %w", err)
		}
	}
	return syncDir(dir)
}
