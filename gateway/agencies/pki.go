package agencies

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq/gateway"
)

// Instance is the X-Road instance of the demonstration.
const Instance = "AZ-TEST"

// Asker is who asks: the ministry with this service.
const Asker gateway.MemberID = Instance + "/GOV/MLSPP/TESDIQ"

// The members that answer, and what for.
var members = []struct {
	id        gateway.MemberID
	name      string
	registers []gateway.Register
}{
	{Instance + "/GOV/MOH/REGISTERS", "Səhiyyə Nazirliyi", []gateway.Register{gateway.Episodes, gateway.Treating, gateway.Oncology, gateway.Tuberculosis,
		gateway.Dialysis, gateway.Occupational, gateway.Vision, gateway.Registration}},
	{Instance + "/GOV/MOJ/POPULATION", "Ədliyyə Nazirliyi", []gateway.Register{gateway.Population, gateway.Relatives}},
	{Instance + "/GOV/MDDT/NUMBERS", "Rəqəmsal İnkişaf və Nəqliyyat Nazirliyi", []gateway.Register{gateway.Contact}},
	{Instance + "/GOV/MLSPP/CONTRACTS", "Əmək müqaviləsi bildirişləri sistemi", []gateway.Register{gateway.Contracts}},
}

// ServiceOf is the service of a register.
func ServiceOf(r gateway.Register) gateway.ServiceID {
	of := r
	if x, ok := r.Corrects(); ok {
		of = x // whoever keeps a register corrects it
	}
	for _, m := range members {
		for _, x := range m.registers {
			if x == of {
				return gateway.ServiceID(string(m.id) + "/" + string(r))
			}
		}
	}
	return ""
}

// Keys are those of the whole instance. A real one would never have them in one hand.
type Keys struct {
	Trust *gateway.Trust
	Asker *gateway.Seal
	seals map[gateway.MemberID]*gateway.Seal
	// Seals with which nobody must get through: one whose time is over, one that was revoked, and one that is in no trust file. Each answers for the first member.
	expired, revoked, stranger *gateway.Seal
}

// What the files of a folder are called.
const (
	TrustFile    = "trust.json"
	ServicesFile = "services.json"
	askerFolder  = "asker" // key.pem and seal.pem of who asks: what the gateway is given
	sealsFolder  = "seals"
)

// Files are what the folder of an instance has for who asks.
func Files(dir string) gateway.Files {
	return gateway.Files{Member: Asker, Key: filepath.Join(dir, askerFolder, "key.pem"), Certificate: filepath.Join(dir, askerFolder, "seal.pem"),
		Trust: filepath.Join(dir, TrustFile), Services: filepath.Join(dir, ServicesFile)}
}

// Open loads the keys of a folder, or makes them. timeStamps are roots, PEM, of the authority whose time stamps the gateway uses; may be empty. A folder
// whose trust file has other ones gets a new trust file.
func Open(dir string, timeStamps []byte, now time.Time, random io.Reader) (*Keys, error) {
	data, err := os.ReadFile(filepath.Join(dir, TrustFile))
	if errors.Is(err, os.ErrNotExist) {
		if err = create(dir, timeStamps, now, random); err == nil {
			data, err = os.ReadFile(filepath.Join(dir, TrustFile))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("agencies: %w", err)
	}
	k := &Keys{seals: map[gateway.MemberID]*gateway.Seal{}}
	if k.Trust, err = gateway.ParseTrust(data); err != nil {
		return nil, err
	}
	if old := []byte(k.Trust.TimeStamps); !bytes.Equal(old, timeStamps) || now.After(k.Trust.NextUpdate.Add(-24*time.Hour)) {
		f := k.Trust.TrustFile
		f.TimeStamps, f.Number, f.Issued, f.NextUpdate = string(timeStamps), f.Number+1, now.UTC().Truncate(time.Second), now.UTC().AddDate(0, 3, 0).Truncate(time.Second)
		if k.Trust, err = keep(dir, f); err != nil {
			return nil, err
		}
	}
	if k.Asker, err = k.load(dir, askerFolder, Asker, random); err != nil {
		return nil, err
	}
	for _, m := range members {
		if k.seals[m.id], err = k.load(dir, sealFolder(m.id), m.id, random); err != nil {
			return nil, err
		}
	}
	for name, to := range map[string]**gateway.Seal{"expired": &k.expired, "revoked": &k.revoked, "stranger": &k.stranger} {
		if *to, err = k.load(dir, filepath.Join(sealsFolder, name), members[0].id, random); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func sealFolder(m gateway.MemberID) string {
	return filepath.Join(sealsFolder, strings.ReplaceAll(string(m), "/", "."))
}

func (*Keys) load(dir, folder string, member gateway.MemberID, random io.Reader) (*gateway.Seal, error) {
	key, err := os.ReadFile(filepath.Join(dir, folder, "key.pem"))
	if err != nil {
		return nil, fmt.Errorf("agencies: %w", err)
	}
	certificate, err := os.ReadFile(filepath.Join(dir, folder, "seal.pem"))
	if err != nil {
		return nil, fmt.Errorf("agencies: %w", err)
	}
	return gateway.ReadSeal(member, key, certificate, random)
}

// keep writes a trust file whole or not at all.
func keep(dir string, f gateway.TrustFile) (*gateway.Trust, error) {
	data, err := f.JSON()
	if err != nil {
		return nil, err
	}
	t, err := gateway.ParseTrust(data)
	if err != nil {
		return nil, err
	}
	return t, write(filepath.Join(dir, TrustFile), data, 0o644)
}

func write(path string, data []byte, mode os.FileMode) error {
	if err := os.WriteFile(path+".new", data, mode); err != nil {
		return fmt.Errorf("agencies: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("agencies: %w", err)
	}
	return nil
}

// maker issues the seals of a new instance.
type maker struct {
	random    io.Reader
	now       time.Time
	key       *ecdsa.PrivateKey
	authority *x509.Certificate
}

// create makes an instance. The trust file is written last: without it nothing counts as made.
func create(dir string, timeStamps []byte, now time.Time, random io.Reader) error {
	now = now.UTC().Truncate(time.Second)
	m := &maker{random: random, now: now}
	if err := m.begin(); err != nil {
		return fmt.Errorf("agencies: keys: %w", err)
	}
	f := gateway.TrustFile{Version: 1, Instance: Instance, Number: 1, Issued: now, NextUpdate: now.AddDate(0, 3, 0), Authorities: [][]byte{m.authority.Raw},
		Members: []gateway.TrustedMember{}, Revoked: []gateway.RevokedSeal{}, TimeStamps: string(timeStamps)}
	whole := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.AddDate(5, 0, 0) }
	c, err := m.seal(dir, askerFolder, Asker, whole)
	if err != nil {
		return err
	}
	f.Members = append(f.Members, gateway.TrustedMember{ID: Asker, Name: "Tesdiq", Seals: [][]byte{c.Raw}})
	for i, x := range members {
		if c, err = m.seal(dir, sealFolder(x.id), x.id, whole); err != nil {
			return err
		}
		t := gateway.TrustedMember{ID: x.id, Name: x.name, Seals: [][]byte{c.Raw}}
		if i == 0 {
			expired, err := m.seal(dir, filepath.Join(sealsFolder, "expired"), x.id, func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = now.AddDate(-3, 0, 0), now.AddDate(-1, 0, 0)
			})
			if err != nil {
				return err
			}
			revoked, err := m.seal(dir, filepath.Join(sealsFolder, "revoked"), x.id, whole)
			if err != nil {
				return err
			}
			if _, err = m.seal(dir, filepath.Join(sealsFolder, "stranger"), x.id, whole); err != nil { // in no list
				return err
			}
			t.Seals = append(t.Seals, expired.Raw, revoked.Raw)
			f = f.Revoke(revoked, now.AddDate(0, -1, 0), "keyCompromise", "an example of a seal that was taken back")
		}
		f.Members = append(f.Members, t)
	}
	_, err = keep(dir, f)
	return err
}

func (m *maker) begin() (err error) {
	if m.key, err = ecdsa.GenerateKey(elliptic.P256(), m.random); err != nil {
		return err
	}
	c := &x509.Certificate{Subject: pkix.Name{CommonName: Instance + " seals (invented, trust it for nothing)"}, IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: m.now.AddDate(-4, 0, 0), NotAfter: m.now.AddDate(10, 0, 0)}
	m.authority, err = m.issue(c, c, &m.key.PublicKey)
	return err
}

func (m *maker) issue(c, parent *x509.Certificate, key *ecdsa.PublicKey) (*x509.Certificate, error) {
	number := make([]byte, 16)
	if _, err := io.ReadFull(m.random, number); err != nil {
		return nil, err
	}
	number[0] = number[0]&0x3f | 0x40 // positive, and always 16 bytes
	c.SerialNumber = new(big.Int).SetBytes(number)
	der, err := x509.CreateCertificate(m.random, c, parent, key, m.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// seal makes a member's key and certificate and writes them into a folder.
func (m *maker) seal(dir, folder string, member gateway.MemberID, when func(*x509.Certificate)) (*x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), m.random)
	if err != nil {
		return nil, fmt.Errorf("agencies: keys: %w", err)
	}
	parts := strings.Split(string(member), "/")
	c := &x509.Certificate{Subject: pkix.Name{Organization: []string{parts[2]}, OrganizationalUnit: []string{parts[3]}, CommonName: "Seal of " + parts[2] + " (invented)"},
		KeyUsage: x509.KeyUsageContentCommitment, BasicConstraintsValid: true}
	when(c)
	if c, err = m.issue(c, m.authority, &key.PublicKey); err != nil {
		return nil, fmt.Errorf("agencies: keys: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("agencies: keys: %w", err)
	}
	path := filepath.Join(dir, folder)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("agencies: %w", err)
	}
	err = write(filepath.Join(path, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
	return c, errors.Join(err, write(filepath.Join(path, "seal.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o644))
}

// SealOf is a member's seal.
func (k *Keys) SealOf(m gateway.MemberID) *gateway.Seal { return k.seals[m] }
