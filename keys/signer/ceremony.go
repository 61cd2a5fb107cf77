package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq/keys/signer/hsm"
)

// Folders that a ceremony makes. Only the first is for the service; the others leave the machine.
const (
	ServiceFolder = "service"    // certificates, lists, and the keys of the signers
	RootFolder    = "root"       // root.key: offline, and back for a new time-stamp signer or issuing authority
	IssuingFolder = "issuing-ca" // issuing-ca.key: offline, and back for a new document signer and for lists of revocations
)

// Protocol is the name of the file that those present sign.
const Protocol = "protocol.txt"

// How long the lists of revocations hold that authorities make whose keys are offline: until somebody brings the key again.
const (
	rootListDays    = 366
	issuingListDays = 100
)

// Ceremony is what was made after a plan, before it is saved.
type Ceremony struct {
	Plan Plan
	Set  *Set
	Made time.Time
}

// Perform makes all keys and certificates of a plan, and sees that they are what was planned. Files are written by Save alone; in a
// module keys are kept at once if they are for good, and Discard removes them again.
func Perform(ctx context.Context, rand io.Reader, plan Plan, now time.Time, forGood bool) (_ *Ceremony, err error) {
	var made []crypto.Signer
	defer func() {
		if err != nil && forGood {
			err = errors.Join(err, destroy(ctx, made))
		}
	}()
	planned := map[role]PlannedKey{rootRole: plan.Root, issuingRole: plan.Issuing, documentRole: plan.Document, stampRole: plan.TimeStamp, answersRole: plan.Answers}
	now = now.UTC().Truncate(time.Second)
	from := plan.Begins.UTC()
	if plan.Begins.IsZero() {
		from = now
	}
	named := func(k PlannedKey) subject {
		return subject{
			name: pkix.Name{Country: []string{plan.Country}, Organization: []string{plan.Organization}, CommonName: k.Name},
			from: from, to: from.AddDate(k.Years, 0, 0).Add(-time.Second),
		}
	}
	b := blueprint{address: plan.Address, listed: from.AddDate(0, 0, trustDays), subjects: map[role]subject{
		rootRole: named(plan.Root), issuingRole: named(plan.Issuing), documentRole: named(plan.Document), stampRole: named(plan.TimeStamp),
		answersRole: named(plan.Answers), rootAnswersRole: named(plan.Answers),
	}}
	b.key = func(r role) (crypto.Signer, error) {
		key, err := planned[r].make(ctx, rand, r, forGood)
		if err == nil {
			made = append(made, key)
		}
		return key, err
	}
	stamps := b.subjects[stampRole]
	stamps.policies = []x509.OID{plan.policy}
	b.subjects[stampRole] = stamps
	set, err := b.make(rand)
	if err != nil {
		return nil, err
	}
	if set.RootCRL, err = emptyList(rand, set.Root, set.RootKey, from, rootListDays); err != nil {
		return nil, err
	}
	if set.CRL, err = emptyList(rand, set.CA, set.CAKey, from, issuingListDays); err != nil {
		return nil, err
	}
	if err := set.check(); err != nil {
		return nil, fmt.Errorf("signer: ceremony: what was made does not fit together: %w", err)
	}
	if set.Throwaway() {
		return nil, errors.New("signer: ceremony: made the demonstration's keys")
	}
	return &Ceremony{Plan: plan, Set: set, Made: now}, nil
}

// Discard removes from their modules the keys of a ceremony that could not be saved.
func (c *Ceremony) Discard(ctx context.Context) error {
	return destroy(ctx, []crypto.Signer{c.Set.RootKey, c.Set.CAKey, c.Set.SignerKey, c.Set.TSAKey, c.Set.ResponderKey})
}

// destroy removes those of the keys that are in modules.
func destroy(ctx context.Context, all []crypto.Signer) (err error) {
	for _, key := range all {
		if k, ok := key.(*hsm.Key); ok {
			err = errors.Join(err, k.Destroy(ctx))
		}
	}
	return err
}

// emptyList is a list that says of nothing that it was revoked.
func emptyList(rand io.Reader, authority *x509.Certificate, key crypto.Signer, from time.Time, days int) ([]byte, error) {
	der, err := x509.CreateRevocationList(rand, &x509.RevocationList{
		Number: big.NewInt(from.Unix()), ThisUpdate: from, NextUpdate: from.AddDate(0, 0, days),
	}, authority, key)
	if err != nil {
		return nil, fmt.Errorf("signer: list of revocations of %q: %w", authority.Subject.CommonName, err)
	}
	return der, nil
}

// file is one of those that are written together.
type file struct {
	name string // with its folder
	kind string // of the PEM block; empty: data as it is
	data []byte
	mode fs.FileMode
}

// Save writes everything into a new folder; all of it is there afterwards or nothing. A folder that holds something is never touched.
func (c *Ceremony) Save(dir string) error {
	s := c.Set
	public := func(folder string, r role, cert *x509.Certificate) file {
		return file{folder + "/" + string(r) + ".pem", "CERTIFICATE", cert.Raw, 0o644}
	}
	files := []file{
		{Protocol, "", []byte(c.Protocol()), 0o644},
		public(RootFolder, rootRole, s.Root), public(IssuingFolder, issuingRole, s.CA), public(IssuingFolder, rootRole, s.Root),
		public(ServiceFolder, rootRole, s.Root), public(ServiceFolder, issuingRole, s.CA), public(ServiceFolder, documentRole, s.Signer),
		public(ServiceFolder, stampRole, s.TSA), public(ServiceFolder, answersRole, s.Responder), public(ServiceFolder, rootAnswersRole, s.RootResponder),
		{ServiceFolder + "/" + RootsFile, "CERTIFICATE", s.Root.Raw, 0o644},
		{ServiceFolder + "/" + rootName + ".crl", "X509 CRL", s.RootCRL, 0o644},
		{ServiceFolder + "/" + caName + ".crl", "X509 CRL", s.CRL, 0o644},
		{ServiceFolder + "/" + TrustFile, "", s.TrustFile, 0o644},
	}
	for _, k := range []struct {
		folder string
		role   role
		key    crypto.Signer
	}{
		{RootFolder, rootRole, s.RootKey}, {IssuingFolder, issuingRole, s.CAKey}, {ServiceFolder, documentRole, s.SignerKey},
		{ServiceFolder, stampRole, s.TSAKey}, {ServiceFolder, answersRole, s.ResponderKey},
	} {
		f, err := keyFile(k.folder+"/"+string(k.role), k.key)
		if err != nil {
			return fmt.Errorf("signer: save %s: %w", k.role, err)
		}
		files = append(files, f)
	}
	return saveNew(dir, files)
}

// saveNew writes files into a new folder that is for its owner alone, as are the folders in it.
func saveNew(dir string, files []file) (err error) {
	dir = filepath.Clean(dir)
	if have, err := os.ReadDir(dir); err == nil && len(have) > 0 {
		return fmt.Errorf("signer: save: %s is not empty, and keys are never overwritten", dir)
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return fmt.Errorf("signer: save: %w", err)
	}
	temp, err := os.MkdirTemp(parent, ".keys-") // 0700
	if err != nil {
		return fmt.Errorf("signer: save: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(temp)
		}
	}()
	made := map[string]bool{filepath.Clean(temp): true}
	for _, f := range files {
		path := filepath.Join(temp, filepath.FromSlash(f.name))
		if folder := filepath.Dir(path); !made[folder] {
			if err := os.Mkdir(folder, 0o700); err != nil {
				return fmt.Errorf("signer: save: %w", err)
			}
			made[folder] = true
		}
		if err := f.write(path); err != nil {
			return fmt.Errorf("signer: save: %w", err)
		}
	}
	for folder := range made {
		if err := syncDir(folder); err != nil {
			return fmt.Errorf("signer: save: %w", err)
		}
	}
	// Makes room if the folder was there, and fails if it is not empty.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("signer: save: %w", err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return fmt.Errorf("signer: save: %w", err)
	}
	return syncDir(parent)
}

// write writes the file, which must not be there.
func (f file) write(path string) error {
	if f.kind != "" {
		return writePEM(path, f.kind, f.data, f.mode)
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return err
	}
	_, err = out.Write(f.data)
	return errors.Join(err, out.Sync(), out.Close())
}

// Protocol is what was made, for those present to compare and sign. It holds no secret.
func (c *Ceremony) Protocol() string {
	var b strings.Builder
	fmt.Fprintf(&b, "PROTOCOL OF A KEY CEREMONY\n%s\n\nHeld at %s\nFor the service at %s\nRules of time stamps: %s\n\n",
		c.Plan.Title, c.Made.Format(time.RFC3339), c.Plan.Address, c.Plan.TimeStampPolicy)
	for _, k := range []struct {
		what    string
		planned PlannedKey
		cert    *x509.Certificate
		where   string
		key     crypto.Signer
	}{
		{"Root", c.Plan.Root, c.Set.Root, RootFolder, c.Set.RootKey}, {"Issuing authority", c.Plan.Issuing, c.Set.CA, IssuingFolder, c.Set.CAKey},
		{"Document signer", c.Plan.Document, c.Set.Signer, ServiceFolder, c.Set.SignerKey},
		{"Time-stamp signer", c.Plan.TimeStamp, c.Set.TSA, ServiceFolder, c.Set.TSAKey},
		{"Answers about the issuing authority's certificates", c.Plan.Answers, c.Set.Responder, ServiceFolder, c.Set.ResponderKey},
		{"Answers about the root's certificates (the same key)", c.Plan.Answers, c.Set.RootResponder, ServiceFolder, c.Set.ResponderKey},
	} {
		fmt.Fprintf(&b, "%s\n", k.what)
		describe(&b, k.cert)
		fmt.Fprintf(&b, "  key           %s, in %s/\n", k.planned.Storage, k.where)
		if key, ok := k.key.(*hsm.Key); ok {
			fmt.Fprintf(&b, "  in the module %s, id %s\n  token         %s, of %s\n", key.Label, key.ID, key.Token, key.Module)
		}
		b.WriteString("\n")
	}
	b.WriteString("Lists of revocations, empty\n")
	for _, l := range []struct {
		name string
		der  []byte
		days int
	}{{rootName, c.Set.RootCRL, rootListDays}, {caName, c.Set.CRL, issuingListDays}} {
		fmt.Fprintf(&b, "  %s.crl, for %d days, SHA-256 %s\n", l.name, l.days, fingerprint(l.der))
	}
	b.WriteString("\nWe were present, saw what is written here, and compared the fingerprints.\n\n")
	for _, who := range c.Plan.Present {
		fmt.Fprintf(&b, "%s, %s\n\n  ________________________________  (signature, time)\n\n", who.Name, who.Part)
	}
	return b.String()
}

// describe says of a certificate what people compare.
func describe(b *strings.Builder, c *x509.Certificate) {
	fmt.Fprintf(b, "  subject       %s\n  issuer        %s\n  serial        %x\n  valid         %s to %s\n  SHA-256       %s\n",
		c.Subject, c.Issuer, c.SerialNumber, c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339), fingerprint(c.Raw))
	if k, ok := c.PublicKey.(*ecdsa.PublicKey); ok && k.Curve == elliptic.P256() {
		fmt.Fprintf(b, "  public key    P-256, SHA-256 %s\n", fingerprint(c.RawSubjectPublicKeyInfo))
	}
}

// fingerprint is a SHA-256 as people read it to each other: groups of four digits.
func fingerprint(data []byte) string {
	sum := sha256.Sum256(data)
	var groups []string
	for i := 0; i < len(sum); i += 2 {
		groups = append(groups, fmt.Sprintf("%X", sum[i:i+2]))
	}
	return strings.Join(groups, " ")
}
