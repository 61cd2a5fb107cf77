package signer_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// installation is what a ceremony left: the service's folder, and those of the authorities.
type installation struct {
	t                      *testing.T
	service, issuing, root string
	made                   time.Time
}

func held(t *testing.T, made time.Time) installation {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ceremony")
	if err := perform(t, made).Save(dir); err != nil {
		t.Fatal(err)
	}
	return installation{t, filepath.Join(dir, signer.ServiceFolder), filepath.Join(dir, signer.IssuingFolder), filepath.Join(dir, signer.RootFolder), made}
}

func (in installation) load() *signer.Set {
	in.t.Helper()
	s, err := signer.Load(in.service)
	if err != nil {
		in.t.Fatal(err)
	}
	return s
}

// rotate makes a new signer and writes it down.
func (in installation) rotate(role, authority string, from time.Time) signer.Duty {
	in.t.Helper()
	s := in.load()
	by, err := s.LoadAuthority(authority)
	if err != nil {
		in.t.Fatal(err)
	}
	d, err := s.Rotate(in.t.Context(), rand.Reader, by, signer.Rotation{Role: role, Years: 2, From: from}, in.made.Add(time.Hour))
	if err != nil {
		in.t.Fatal(err)
	}
	for range 2 { // again changes nothing
		if err := s.Update(in.service); err != nil {
			in.t.Fatal(err)
		}
	}
	return d
}

func TestANewSignerTakesOverAndTheOldOneStaysKnown(t *testing.T) {
	made := time.Now().Truncate(time.Second)
	in := held(t, made)
	handover := made.AddDate(0, 0, 30)
	old := in.load()
	document := in.rotate(keys.RoleDocumentSigner, in.issuing, handover)
	stamps := in.rotate(keys.RoleStampSigner, in.root, handover.Add(time.Hour))

	set := in.load()
	status := set.Status(rand.Reader, signer.NothingRevoked{})
	archivist, err := set.Archivist(rand.Reader, status)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		at             time.Time
		signer, stamps string
	}{
		{"before", handover.Add(-time.Second), keys.Serial(old.Signer), keys.Serial(old.TSA)},
		{"at the handover", handover, keys.Serial(document.Certificate), keys.Serial(old.TSA)},
		{"after both", handover.Add(time.Hour), keys.Serial(document.Certificate), keys.Serial(stamps.Certificate)},
	} {
		pdf, err := archivist.Sign(t.Context(), pdftest.Page(), c.at, signer.SignInfo{})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		// Whatever is signed, before and after, anybody who pinned the root passes it.
		r := pades.Read(pdf, roots)
		if r.Indication != pades.Passed || r.Level != "B-LTA" || r.SignerSerial != c.signer || r.StampSerial != c.stamps {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	// Who is known, and when.
	list := set.Trust
	var seen []string
	for _, l := range list.Certificates {
		if l.Serial == keys.Serial(old.Signer) && (l.Until == nil || !l.Until.Equal(handover)) {
			t.Errorf("the old signer is on duty until %v", l.Until)
		}
		if l.Serial == keys.Serial(document.Certificate) && (l.From == nil || !l.From.Equal(handover) || l.Until != nil) {
			t.Errorf("the new signer is on duty from %v to %v", l.From, l.Until)
		}
		seen = append(seen, l.Serial)
	}
	if len(seen) != 8 {
		t.Errorf("%d certificates are listed", len(seen))
	}
	d := &desk{t, in.service}
	name := keys.RoleDocumentSigner + "-" + keys.Serial(document.Certificate)[:8] + ".pem"
	d.run([]string{"OK"}, "openssl", "verify", "-x509_strict", "-crl_check_all", "-attime", strconv.FormatInt(made.Add(2*time.Hour).Unix(), 10), "-CAfile", "root.pem", "-untrusted", "issuing-ca.pem",
		"-CRLfile", "root.crl", "-CRLfile", "issuing-ca.crl", "-purpose", "any", name)
	lintCertificate(t, lintRules(t), "new document signer", document.Certificate)
	lintCertificate(t, lintRules(t), "new time-stamp signer", stamps.Certificate)

	// The old keys may be destroyed when nobody signs with them any more; the new one may not be missing.
	if err := os.Remove(filepath.Join(in.service, "document-signer.key")); err != nil {
		t.Fatal(err)
	}
	again, err := in.load().Archivist(rand.Reader, status)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Sign(t.Context(), pdftest.Page(), handover, signer.SignInfo{}); err != nil {
		t.Error(err)
	}
	if _, err := again.Sign(t.Context(), pdftest.Page(), made.Add(time.Minute), signer.SignInfo{}); err == nil {
		t.Error("somebody signs with a key that is gone")
	}
	if err := os.Remove(filepath.Join(in.service, strings.TrimSuffix(name, ".pem")+".key")); err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Load(in.service); err == nil {
		t.Error("nobody is left to sign, and the service starts")
	}
}

func TestARotationIsRefused(t *testing.T) {
	made := time.Now().Truncate(time.Second)
	in := held(t, made)
	s := in.load()
	issuing, err := s.LoadAuthority(in.issuing)
	if err != nil {
		t.Fatal(err)
	}
	root, err := s.LoadAuthority(in.root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadAuthority(held(t, made).issuing); err == nil || !strings.Contains(err.Error(), "another installation's") {
		t.Errorf("another installation's key: %v", err)
	}
	if _, err := s.LoadAuthority(t.TempDir()); err == nil {
		t.Error("an empty folder is an authority")
	}
	soon := made.Add(48 * time.Hour)
	for name, c := range map[string]struct {
		by   signer.Authorized
		r    signer.Rotation
		says string
	}{
		"the root certifies documents":    {root, signer.Rotation{Role: keys.RoleDocumentSigner, Years: 1, From: soon}, "certified by the issuing-ca"},
		"the issuing authority dates":     {issuing, signer.Rotation{Role: keys.RoleStampSigner, Years: 1, From: soon}, "certified by the root"},
		"a root by rotation":              {root, signer.Rotation{Role: keys.RoleRoot, Years: 1, From: soon}, "neither"},
		"in the past":                     {issuing, signer.Rotation{Role: keys.RoleDocumentSigner, Years: 1, From: made.Add(-time.Hour)}, "in the past"},
		"after the old one's end":         {issuing, signer.Rotation{Role: keys.RoleDocumentSigner, Years: 1, From: made.AddDate(3, 0, 0)}, "nobody would sign"},
		"longer than the authority lasts": {issuing, signer.Rotation{Role: keys.RoleDocumentSigner, Years: 9, From: soon}, "outlast"},
		"for no time":                     {issuing, signer.Rotation{Role: keys.RoleDocumentSigner, From: soon}, "years must be"},
	} {
		fresh := in.load()
		if _, err := fresh.Rotate(t.Context(), rand.Reader, c.by, c.r, made); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Twice the same would leave one that never signs.
	twice := in.load()
	again := signer.Rotation{Role: keys.RoleDocumentSigner, Years: 1, From: soon}
	if _, err := twice.Rotate(t.Context(), rand.Reader, issuing, again, made); err != nil {
		t.Fatal(err)
	}
	if _, err := twice.Rotate(t.Context(), rand.Reader, issuing, again, made); err == nil || !strings.Contains(err.Error(), "at that very moment already") {
		t.Errorf("twice the same: %v", err)
	}
}

// The lists are made anew with what was revoked; openssl, CRL and trust list agree.
func TestPublishingARevocation(t *testing.T) {
	made := time.Now().Truncate(time.Second)
	in := held(t, made)
	s := in.load()
	by, err := s.LoadAuthority(in.issuing)
	if err != nil {
		t.Fatal(err)
	}
	serial := keys.Serial(s.Signer)
	number := s.Trust.Number
	revoked := map[string]keys.Revoked{serial: {At: made, InvalidFrom: made.Add(-time.Hour), Reason: "keyCompromise", Why: "the module was stolen"}}
	for range 2 {
		if err := s.Publish(rand.Reader, by, revoked, made); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(in.service); err != nil {
			t.Fatal(err)
		}
	}
	again := in.load()
	if r, ok := again.Trust.RevokedFor(serial, made); !ok || r.Why != "the module was stolen" || again.Trust.Number != max(number+2, again.Trust.Number) {
		t.Errorf("%+v %v, list %d after %d", r, ok, again.Trust.Number, number)
	}
	d := &desk{t, in.service}
	d.run([]string{"Key Compromise", "Invalidity Date", "verify OK"}, "openssl", "crl", "-in", "issuing-ca.crl", "-CAfile", "issuing-ca.pem", "-noout", "-text", "-verify")
	lintList(t, lintRules(t), "a list with a revocation", again.CRL)
}
