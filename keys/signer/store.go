package signer

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer/hsm"
)

// RootsFile is the file in a set's folder that relying parties need; it may be given to anybody.
const RootsFile = "roots.pem"

// Names of the pairs in a folder: NAME.pem is the certificate, NAME.key the private key.
const (
	rootName, caName, signerName, tsaName = "root", "issuing-ca", "document-signer", "time-stamp-signer"
)

const maxFile = 64 << 10 // bytes of one PEM file

// Save writes the set into a new folder, which with its keys is for its owner alone; RootsFile may be copied out of it.
// Either the whole folder is there afterwards or none of it. A folder that already holds something is never touched.
func (s *Set) Save(dir string) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("signer: save: %w", err)
	}
	var files []file
	for _, p := range []struct {
		role role
		cert *x509.Certificate
		key  crypto.Signer
	}{
		{rootRole, s.Root, s.RootKey}, {issuingRole, s.CA, s.CAKey}, {documentRole, s.Signer, s.SignerKey}, {stampRole, s.TSA, s.TSAKey},
		{answersRole, s.Responder, s.ResponderKey}, {rootAnswersRole, s.RootResponder, nil},
	} {
		if p.cert == nil {
			continue
		}
		files = append(files, file{string(p.role) + ".pem", "CERTIFICATE", p.cert.Raw, 0o644})
		if p.key == nil {
			continue
		}
		f, err := keyFile(string(p.role), p.key)
		if err != nil {
			return fmt.Errorf("signer: save %s: %w", p.role, err)
		}
		files = append(files, f)
	}
	if s.TrustFile != nil {
		files = append(files, file{TrustFile, "", s.TrustFile, 0o644})
	}
	return saveNew(dir, append(files, file{RootsFile, "CERTIFICATE", s.Root.Raw, 0o644}))
}

func writePEM(path, kind string, der []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Load reads a set that Save wrote, and sees that its keys in modules are there. It refuses key files that others than their owner can
// read, and a set that does not fit together. The keys of root and issuing authority may be absent, and those of signers who were
// relieved.
func Load(dir string) (*Set, error) {
	s, err := Read(dir)
	if err != nil {
		return nil, err
	}
	for _, k := range s.inModules() {
		if err := k.Open(context.Background()); err != nil {
			return nil, fmt.Errorf("signer: load %s: %w", dir, err)
		}
	}
	return s, nil
}

// inModules are the set's keys that are in modules.
func (s *Set) inModules() (all []*hsm.Key) {
	keys := []crypto.Signer{s.RootKey, s.CAKey, s.SignerKey, s.TSAKey, s.ResponderKey}
	for _, d := range s.Later {
		keys = append(keys, d.Key)
	}
	for _, key := range keys {
		if k, ok := key.(*hsm.Key); ok {
			all = append(all, k)
		}
	}
	return all
}

// Places says where those keys are, for people.
func (s *Set) Places() (all []string) {
	for _, k := range s.inModules() {
		all = append(all, k.Place.String())
	}
	return all
}

// Patience sets how long a caller waits for a module's signature.
func (s *Set) Patience(most time.Duration) {
	for _, k := range s.inModules() {
		k.Patience = most
	}
}

// Read is Load without a word to any module: for whoever signs nothing.
func Read(dir string) (*Set, error) {
	s := &Set{}
	for _, p := range []struct {
		name string
		cert **x509.Certificate
		key  *crypto.Signer
	}{
		{rootName, &s.Root, &s.RootKey}, {caName, &s.CA, &s.CAKey},
		{signerName, &s.Signer, &s.SignerKey}, {tsaName, &s.TSA, &s.TSAKey}, // or check refuses
	} {
		der, err := readPEM(filepath.Join(dir, p.name+".pem"), "CERTIFICATE", 0)
		if err != nil {
			return nil, fmt.Errorf("signer: load: %w", err)
		}
		if *p.cert, err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("signer: load %s: %w", p.name, err)
		}
		key, err := readKey(filepath.Join(dir, p.name), *p.cert)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("signer: load: %w", err)
		}
		*p.key = key
	}
	if err := s.loadTrust(dir); err != nil {
		return nil, fmt.Errorf("signer: load: %w", err)
	}
	for _, p := range []struct {
		role string
		key  crypto.Signer
	}{{keys.RoleDocumentSigner, s.SignerKey}, {keys.RoleStampSigner, s.TSAKey}} {
		if p.key == nil && !s.relieved(p.role) {
			return nil, fmt.Errorf("signer: load: %s.key: %w", filepath.Join(dir, p.role), fs.ErrNotExist)
		}
	}
	if err := s.loadStatus(dir); err != nil {
		return nil, fmt.Errorf("signer: load: %w", err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("signer: load %s: %w", dir, err)
	}
	return s, nil
}

// loadStatus reads what answers about the set's certificates, where it is there: the OCSP responder, and NAME.crl, the lists that
// authorities made whose keys are elsewhere.
func (s *Set) loadStatus(dir string) error {
	for _, p := range []struct {
		name string
		cert **x509.Certificate
	}{{responderName, &s.Responder}, {rootResponderName, &s.RootResponder}} {
		der, err := readPEM(filepath.Join(dir, p.name+".pem"), "CERTIFICATE", 0)
		if errors.Is(err, fs.ErrNotExist) && p.name == responderName {
			break // the other may be there alone, if AddResponders was stopped midway
		}
		if err != nil {
			return err
		}
		if *p.cert, err = x509.ParseCertificate(der); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if s.Responder != nil {
		var err error
		if s.ResponderKey, err = readKey(filepath.Join(dir, responderName), s.Responder); err != nil {
			return err
		}
	}
	for _, p := range []struct {
		name      string
		list      *[]byte
		authority *x509.Certificate
	}{{caName, &s.CRL, s.CA}, {rootName, &s.RootCRL, s.Root}} {
		der, err := readPEM(filepath.Join(dir, p.name+".crl"), "X509 CRL", 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		crl, err := x509.ParseRevocationList(der)
		if err != nil {
			return fmt.Errorf("%s.crl: %w", p.name, err)
		}
		if err := crl.CheckSignatureFrom(p.authority); err != nil {
			return fmt.Errorf("%s.crl: %w", p.name, err)
		}
		*p.list = der
	}
	return nil
}

// moduleFile is what the name of a file ends with that says where in a module a key is, instead of ".key" with the key itself.
const moduleFile = ".pkcs11"

// keyFile is what is written of a private key beside NAME.pem: the key, or where it is.
func keyFile(name string, key crypto.Signer) (file, error) {
	if k, ok := key.(*hsm.Key); ok {
		return file{name + moduleFile, "", k.Marshal(), 0o600}, nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return file{name + ".key", "PRIVATE KEY", der, 0o600}, err
}

// readKey reads what keyFile wrote, of the certificate's key. Nobody but its owner may be able to read it, or to say that it is elsewhere.
func readKey(name string, c *x509.Certificate) (crypto.Signer, error) {
	data, err := readFile(name+moduleFile, 0o077)
	if errors.Is(err, fs.ErrNotExist) {
		return readKeyFile(name + ".key")
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(name + ".key"); err == nil {
		return nil, fmt.Errorf("%s.key and %[1]s%s are both there: only one can be the key", name, moduleFile)
	}
	p, err := hsm.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", name, moduleFile, err)
	}
	key, err := hsm.New(p, c.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", name, moduleFile, err)
	}
	return key, nil
}

func readKeyFile(path string) (crypto.Signer, error) {
	der, err := readPEM(path, "PRIVATE KEY", 0o077)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		// The error is not wrapped: it may quote what was read.
		return nil, fmt.Errorf("%s: not a PKCS #8 private key", filepath.Base(path))
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: a %T cannot sign", filepath.Base(path), key)
	}
	return signer, nil
}

// AddResponders completes a folder of throwaway keys that was made before there were OCSP responders.
func (s *Set) AddResponders(dir string, rand io.Reader) error {
	if s.CAKey == nil || s.RootKey == nil {
		return errors.New("signer: the authorities' keys are elsewhere, so nobody can be made to answer for them here")
	}
	if err := s.addResponders(rand, ""); err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(s.ResponderKey)
	if err != nil {
		return fmt.Errorf("signer: save %s: %w", responderName, err)
	}
	// The certificate that makes Load look for the others comes last.
	for _, f := range []struct {
		name, kind string
		der        []byte
		mode       fs.FileMode
	}{
		{responderName + ".key", "PRIVATE KEY", der, 0o600},
		{rootResponderName + ".pem", "CERTIFICATE", s.RootResponder.Raw, 0o644},
		{responderName + ".pem", "CERTIFICATE", s.Responder.Raw, 0o644},
	} {
		path := filepath.Join(dir, f.name)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // left by one who was stopped midway
			return fmt.Errorf("signer: save: %w", err)
		}
		if err := writePEM(path, f.kind, f.der, f.mode); err != nil {
			return fmt.Errorf("signer: save: %w", err)
		}
	}
	return syncDir(dir)
}

// readPEM reads the one block of a file whose mode has none of the bits of forbidden.
func readPEM(path, kind string, forbidden fs.FileMode) ([]byte, error) {
	data, err := readFile(path, forbidden)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != kind || len(rest) != 0 {
		return nil, fmt.Errorf("%s does not hold exactly one PEM block %q", path, kind)
	}
	return block.Bytes, nil
}

// readFile reads a small file whose mode has none of the bits of forbidden.
func readFile(path string, forbidden fs.FileMode) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of the open file, so that it cannot be exchanged in between
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case mode.Perm()&forbidden != 0:
		return nil, fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it, or better replace the key", path, mode.Perm())
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s is larger than %d bytes", path, maxFile)
	}
	data := make([]byte, info.Size())
	if _, err := f.ReadAt(data, 0); err != nil {
		return nil, err
	}
	return data, nil
}
