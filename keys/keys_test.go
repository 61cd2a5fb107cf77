package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/keys"
)

var now = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// issued is a certificate with its key.
type issued struct {
	*x509.Certificate
	key crypto.Signer
}

// issue makes a certificate that parent signs; nil: itself. Without change it is a document signer's.
func issue(t *testing.T, parent *issued, change func(*x509.Certificate)) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return issueFor(t, key, parent, change)
}

func issueFor(t *testing.T, key crypto.Signer, parent *issued, change func(*x509.Certificate)) *issued {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "signer"}, BasicConstraintsValid: true,
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{keys.OIDDocumentSigning},
	}
	if change != nil {
		change(tmpl)
	}
	by := &issued{tmpl, key}
	if parent != nil {
		by = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, by.Certificate, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{c, key}
}

func authority(name string, changes ...func(*x509.Certificate)) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage, c.UnknownExtKeyUsage = name, true, x509.KeyUsageCertSign, nil
		c.NotBefore, c.NotAfter = now.AddDate(-2, 0, 0), now.AddDate(2, 0, 0)
		for _, change := range changes {
			change(c)
		}
	}
}

func pin(t *testing.T, c *issued) *keys.Roots {
	t.Helper()
	r, err := keys.NewRoots(c.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestChain(t *testing.T) {
	root := issue(t, nil, authority("root"))
	ca := issue(t, root, authority("ca"))
	short := issue(t, root, authority("ca without successors", func(c *x509.Certificate) { c.MaxPathLenZero = true }))
	limited := issue(t, root, authority("ca for servers", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }))
	brief := issue(t, root, authority("ca of one month", func(c *x509.Certificate) { c.NotAfter = now.AddDate(0, -1, 0) }))
	notCA := issue(t, root, nil)
	lookalike := issue(t, nil, authority("root"))
	weakKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	below := issue(t, short, authority("ca below"))
	bag := func(cs ...*issued) (all []*x509.Certificate) {
		for _, c := range cs {
			all = append(all, c.Certificate)
		}
		return all
	}
	for _, c := range []struct {
		name string
		leaf *issued
		bag  []*x509.Certificate
		at   time.Time
		want error
	}{
		{"through the authority", issue(t, ca, nil), bag(ca), now, nil},
		{"under the root itself", issue(t, root, nil), nil, now, nil},
		{"with RSA of 2048 bits", issueFor(t, weakKey, ca, nil), bag(ca), now, nil},
		{"on P-224", issueFor(t, p224, ca, nil), bag(ca), now, keys.ErrWeak},
		{"at the first second", issue(t, ca, nil), bag(ca), now.AddDate(-1, 0, 0), nil},
		{"at the last second", issue(t, ca, nil), bag(ca), now.AddDate(1, 0, 0), nil},
		{"a second after", issue(t, ca, nil), bag(ca), now.AddDate(1, 0, 0).Add(time.Second), keys.ErrExpired},
		{"a second before", issue(t, ca, nil), bag(ca), now.AddDate(-1, 0, 0).Add(-time.Second), keys.ErrNotYetValid},
		{"no time", issue(t, ca, nil), bag(ca), time.Time{}, keys.ErrNotYetValid},
		{"after the authority's end", issue(t, brief, nil), bag(brief), now, keys.ErrExpired},
		{"without the authority", issue(t, ca, nil), nil, now, keys.ErrNoChain},
		{"under a lookalike of the root", issue(t, lookalike, nil), bag(lookalike), now, keys.ErrNoChain},
		{"under what is no authority", issue(t, notCA, nil), bag(notCA), now, keys.ErrNoChain},
		{"under an authority too deep", issue(t, below, nil), bag(below, short), now, keys.ErrNoChain},
		{"under an authority for servers", issue(t, limited, nil), bag(limited), now, keys.ErrPurpose},
		{"an authority", ca, nil, now, keys.ErrPurpose},
		{"the root", root, nil, now, keys.ErrPurpose},
		{"another purpose", issue(t, ca, func(c *x509.Certificate) { c.UnknownExtKeyUsage = nil }), bag(ca), now, keys.ErrPurpose},
		{"too many in the bag", issue(t, ca, nil), bag(ca, ca, ca, ca, ca, ca, ca, ca, ca), now, keys.ErrNoChain},
	} {
		t.Run(c.name, func(t *testing.T) {
			roots := pin(t, root)
			for range 2 { // the second time perhaps from what was kept
				chain, err := roots.Chain(keys.DocumentSigning, c.leaf.Certificate, c.bag, c.at)
				if !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				if err == nil && (!chain[0].Equal(c.leaf.Certificate) || !chain[len(chain)-1].Equal(root.Certificate)) {
					t.Errorf("the chain does not lead from the signer to the root")
				}
			}
		})
	}
}

func TestWhatWasFoundIsForItsTimeAndPurposeOnly(t *testing.T) {
	root := issue(t, nil, authority("root"))
	leaf := issue(t, root, nil)
	roots := pin(t, root)
	if _, err := roots.Chain(keys.DocumentSigning, leaf.Certificate, nil, now); err != nil {
		t.Fatal(err)
	}
	if _, err := roots.Chain(keys.DocumentSigning, leaf.Certificate, nil, now.AddDate(2, 0, 0)); !errors.Is(err, keys.ErrExpired) {
		t.Errorf("later: %v", err)
	}
	if _, err := roots.Chain(keys.TimeStamping, leaf.Certificate, nil, now); !errors.Is(err, keys.ErrPurpose) {
		t.Errorf("for time stamps: %v", err)
	}
	for range 600 { // what is kept has an end
		if _, err := roots.Chain(keys.DocumentSigning, leaf.Certificate, []*x509.Certificate{issue(t, nil, nil).Certificate}, now); err != nil {
			t.Fatal(err)
		}
	}
}

func TestChainForTimeStamps(t *testing.T) {
	root := issue(t, nil, authority("root"))
	stamping := func(critical bool, usages ...asn1.ObjectIdentifier) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			der, err := asn1.Marshal(usages)
			if err != nil {
				t.Fatal(err)
			}
			c.UnknownExtKeyUsage = nil
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: critical, Value: der}}
		}
	}
	usage, other := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
	for _, c := range []struct {
		name   string
		change func(*x509.Certificate)
		want   error
	}{
		{"critical and alone", stamping(true, usage), nil},
		{"not critical", stamping(false, usage), keys.ErrPurpose},
		{"beside another", stamping(true, usage, other), keys.ErrPurpose},
		{"beside document signing", stamping(true, usage, keys.OIDDocumentSigning), keys.ErrPurpose},
		{"a document signer", nil, keys.ErrPurpose},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := pin(t, root).Chain(keys.TimeStamping, issue(t, root, c.change).Certificate, nil, now)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// An authority elsewhere dates our documents and cannot make any.
func TestAnchorsForTimeStampsAlone(t *testing.T) {
	ours, theirs := issue(t, nil, authority("root")), issue(t, nil, authority("another root"))
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		t.Fatal(err)
	}
	stamping := func(c *x509.Certificate) {
		c.UnknownExtKeyUsage = nil
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}}
	}
	first, err := pin(t, ours).WithTimeStamps(theirs.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	second, err := keys.ParseRoots(first.PEM())
	if err != nil {
		t.Fatal(err)
	}
	for _, roots := range []*keys.Roots{first, second} {
		for _, c := range []struct {
			name    string
			purpose keys.Purpose
			leaf    *issued
			want    error
		}{
			{"their time stamp", keys.TimeStamping, issue(t, theirs, stamping), nil},
			{"our time stamp", keys.TimeStamping, issue(t, ours, stamping), nil},
			{"our document", keys.DocumentSigning, issue(t, ours, nil), nil},
			{"their document", keys.DocumentSigning, issue(t, theirs, nil), keys.ErrNoChain},
		} {
			if _, err := roots.Chain(c.purpose, c.leaf.Certificate, nil, now); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
		if len(roots.Certificates()) != 1 {
			t.Error("an anchor for time stamps is given out as one for everything")
		}
	}
	if _, err := pin(t, ours).WithTimeStamps(ours.Certificate); err == nil {
		t.Error("one certificate twice")
	}
	if _, err := pin(t, theirs).WithTimeStamps(issue(t, ours, nil).Certificate); err == nil {
		t.Error("an anchor that is no authority")
	}
}

func TestParseRoots(t *testing.T) {
	root, other := issue(t, nil, authority("root")), issue(t, nil, authority("other"))
	ca := issue(t, root, authority("ca"))
	encode := func(kind string, ders ...[]byte) string {
		var b strings.Builder
		for _, der := range ders {
			b.Write(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		}
		return b.String()
	}
	for _, c := range []struct {
		name, file, fault string
	}{
		{"one", encode("CERTIFICATE", root.Raw), ""},
		{"two with words between", "the root\n" + encode("CERTIFICATE", root.Raw) + "and\n" + encode("CERTIFICATE", other.Raw) + "end\n", ""},
		{"none", "", "no certificate"},
		{"words only", "hello", "no certificate"},
		{"twice the same", encode("CERTIFICATE", root.Raw, root.Raw), "twice"},
		{"an authority that is no root", encode("CERTIFICATE", ca.Raw), "not self-signed"},
		{"a signer", encode("CERTIFICATE", issue(t, nil, nil).Raw), "not a certification authority"},
		{"a key", encode("CERTIFICATE", root.Raw) + encode("PRIVATE KEY", []byte{1}), "only CERTIFICATE"},
		{"garbage in a block", encode("CERTIFICATE", []byte{1, 2, 3}), "certificate 1"},
		{"cut short", encode("CERTIFICATE", root.Raw)[:200], "cannot be read"},
		{"too large", strings.Repeat(" ", 1<<20+1), "more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := keys.ParseRoots([]byte(c.file))
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := keys.ParseRoots(r.PEM())
			if err != nil || !bytes.Equal(again.PEM(), r.PEM()) || len(again.Certificates()) != len(r.Certificates()) {
				t.Errorf("written and read again: %v", err)
			}
		})
	}
}

func FuzzParseRoots(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := keys.ParseRoots(data); err == nil && len(r.Certificates()) == 0 {
			t.Error("roots without a certificate")
		}
	})
}
