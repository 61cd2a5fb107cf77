package signer_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	"github.com/zmap/zlint/v3/lint"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
)

// examplePlan is the one that the documentation gives people to copy.
func examplePlan(t *testing.T) []byte {
	t.Helper()
	plan, err := os.ReadFile("../../docs/ceremony.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func perform(t *testing.T, now time.Time) *signer.Ceremony {
	t.Helper()
	plan, err := signer.ReadPlan(examplePlan(t), now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := signer.Perform(t.Context(), rand.Reader, plan, now, true)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lintRules are those of zlint that stand in the standards that we follow; rules of browsers for web servers are not.
func lintRules(t *testing.T) lint.Registry {
	t.Helper()
	rules, err := lint.GlobalRegistry().Filter(lint.FilterOptions{
		IncludeSources: lint.SourceList{lint.RFC5280, lint.RFC5480, lint.RFC5891, lint.RFC8813, lint.Community},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func lintCertificate(t *testing.T, rules lint.Registry, name string, c *x509.Certificate) {
	t.Helper()
	z, err := zx509.ParseCertificate(c.Raw)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	findings(t, name, zlint.LintCertificateEx(z, rules))
}

func lintList(t *testing.T, rules lint.Registry, name string, der []byte) {
	t.Helper()
	z, err := zx509.ParseRevocationList(der)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	findings(t, name, zlint.LintRevocationListEx(z, rules))
}

func findings(t *testing.T, name string, found *zlint.ResultSet) {
	t.Helper()
	passed := 0
	for rule, r := range found.Results {
		switch r.Status {
		case lint.Pass:
			passed++
		case lint.Warn, lint.Error, lint.Fatal:
			t.Errorf("%s: %s: %s %s", name, rule, r.Status, r.Details)
		}
	}
	if passed < 5 {
		t.Errorf("%s: only %d rules looked at it", name, passed)
	}
}

// RFC 5280 and its neighbours, by zlint: every profile, of a ceremony and of a throwaway set.
func TestEveryProfileIsLinted(t *testing.T) {
	now := time.Now()
	throwaway, err := signer.NewThrowawayAt(rand.Reader, now, "https://tesdiq.example")
	if err != nil {
		t.Fatal(err)
	}
	rules := lintRules(t)
	for sort, s := range map[string]*signer.Set{"ceremony": perform(t, now).Set, "throwaway": throwaway} {
		for name, c := range map[string]*x509.Certificate{
			"root": s.Root, "issuing authority": s.CA, "document signer": s.Signer, "time-stamp signer": s.TSA,
			"responder": s.Responder, "the root's responder": s.RootResponder,
		} {
			lintCertificate(t, rules, sort+", "+name, c)
		}
	}
	s := perform(t, now).Set
	lintList(t, rules, "the root's list", s.RootCRL)
	lintList(t, rules, "the issuing authority's list", s.CRL)
}

// A certificate that is wrong must be found, or the test above says nothing.
func TestTheLintFindsWhatIsWrong(t *testing.T) {
	s := perform(t, time.Now()).Set
	name := s.Signer.Subject
	name.CommonName = strings.Repeat("long", 20)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: s.Signer.SerialNumber, Subject: name, NotBefore: s.Signer.NotBefore, NotAfter: s.Signer.NotAfter,
	}, s.Root, s.Signer.PublicKey, s.RootKey)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zx509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if found := zlint.LintCertificateEx(z, lintRules(t)); !found.ErrorsPresent {
		t.Error("a name of eighty letters passes")
	}
}

func TestACeremonyMakesWhatTheServiceAndOpensslAccept(t *testing.T) {
	now := time.Now()
	c := perform(t, now)
	dir := filepath.Join(t.TempDir(), "made", "here")
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(dir); err == nil || !strings.Contains(err.Error(), "never overwritten") {
		t.Errorf("again: %v", err)
	}
	var got []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		got = append(got, name)
		switch mode := info.Mode().Perm(); {
		case e.IsDir() && mode != 0o700, strings.HasSuffix(name, ".key") && mode != 0o600:
			t.Errorf("%s has mode %04o", name, mode)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"root/root.key", "issuing-ca/issuing-ca.key", "service/document-signer.key", "service/roots.pem", "protocol.txt"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing: %v", want, got)
		}
	}
	for _, not := range []string{"service/root.key", "service/issuing-ca.key"} {
		if slices.Contains(got, not) {
			t.Errorf("%s is where the service is", not)
		}
	}

	set, err := signer.Load(filepath.Join(dir, signer.ServiceFolder))
	if err != nil {
		t.Fatal(err)
	}
	if set.Throwaway() || set.RootKey != nil || set.CAKey != nil || set.CRL == nil || set.RootCRL == nil {
		t.Errorf("loaded: throwaway %v, root's key %v", set.Throwaway(), set.RootKey != nil)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roots.Chain(keys.DocumentSigning, set.Signer, []*x509.Certificate{set.CA}, now); err != nil {
		t.Error(err)
	}
	digest := bytes.Repeat([]byte{7}, 32)
	token, err := set.Authority(rand.Reader).Stamp(t.Context(), digest, now)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t, filepath.Join(dir, signer.ServiceFolder)}
	d.write("token.der", token)
	d.run([]string{"Verification: OK"}, "openssl", "ts", "-verify", "-token_in", "-in", "token.der", "-digest", strings.Repeat("07", 32), "-CAfile", "roots.pem")
	d.run([]string{"1.3.6.1.4.1.32473.1.1"}, "openssl", "ts", "-reply", "-token_in", "-token_out", "-in", "token.der", "-text")
	d.run([]string{"OK"}, "openssl", "verify", "-x509_strict", "-crl_check_all", "-CAfile", "root.pem", "-untrusted", "issuing-ca.pem",
		"-CRLfile", "root.crl", "-CRLfile", "issuing-ca.crl", "-purpose", "any", "document-signer.pem")
	d.run([]string{"OK"}, "openssl", "verify", "-x509_strict", "-crl_check_all", "-CAfile", "root.pem", "-CRLfile", "root.crl", "-purpose", "timestampsign", "time-stamp-signer.pem")
	d.run([]string{"OK"}, "openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing-ca.pem", "-purpose", "ocsphelper", "ocsp-responder.pem")
	d.run([]string{"OK"}, "openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-purpose", "ocsphelper", "root-ocsp-responder.pem")

	protocol := c.Protocol()
	for _, want := range []string{"A. Aliyeva", "keeps the root's key", set.Signer.SerialNumber.Text(16), "CN=Time stamps", set.Root.NotAfter.Format(time.RFC3339)} {
		if !strings.Contains(protocol, want) {
			t.Errorf("the protocol lacks %q:\n%s", want, protocol)
		}
	}
}

func TestAPlanThatIsNotSoundIsRefused(t *testing.T) {
	now := time.Now()
	good := string(examplePlan(t))
	for name, c := range map[string]struct{ old, new, says string }{
		"nobody else present":    {"name = \"B. Babayev\"\npart = \"keeps the root's key\"\n\n[[present]]\nname = \"C. Cəfərova\"\npart = \"witness\"", "name = \"A. Aliyeva\"\npart = \"x\"", "stands there twice"},
		"a setting that is none": {"country =", "land = 1\ncountry =", "land: is not a setting"},
		"no country":             {`country = "AZ"`, `country = "Az"`, "country: must be two capital"},
		"the demonstration":      {`organization = "Ministry"`, `organization = "DEMO, not for real use"`, "is the demonstration's"},
		"a name too long":        {`"Document signer"`, `"` + strings.Repeat("ə", 65) + `"`, "document.name: has more than 64"},
		"a name twice":           {`"Document signer"`, `"Root authority"`, "another's name"},
		"outlasts its authority": {"name = \"Document signer\"\nyears = 2", "name = \"Document signer\"\nyears = 6", "document.years: must not be more than its authority's 5"},
		"no end":                 {"years = 10", "years = 100", "root.years: must be from 1"},
		"the examples' arc":      {"1.3.6.1.4.1.32473.1.1", "2.999.7", "arc for examples"},
		"no policy":              {"1.3.6.1.4.1.32473.1.1", "rules", "time_stamp_policy: must be"},
		"an address in clear":    {"https://tesdiq.example", "http://tesdiq.example", "address: must be"},
		"another address":        {"https://tesdiq.example", "tesdiq.example", "address: must be"},
		"back-dated":             {"# begins = 2026-12-01T09:00:00Z", "begins = 2020-01-01T09:00:00Z", "begins: must not be"},
		"another storage":        {"years = 10\nstorage = \"file\"", "years = 10\nstorage = \"paper\"", "root.storage: must be"},
		"no TOML":                {"title =", "title", "plan"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the example has no %q", c.old)
			}
			_, err := signer.ReadPlan([]byte(strings.Replace(good, c.old, c.new, 1)), now)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := signer.ReadPlan(nil, now); err == nil || strings.Count(err.Error(), "\n") < 15 {
		t.Errorf("an empty plan: %v", err)
	}
}
