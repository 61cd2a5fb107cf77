package keysweb_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/x509"

	"github.com/tesdiq/tesdiq/keys/keysweb"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/web/webtest"
	"golang.org/x/crypto/ocsp"
)

// revocations is what was revoked until now.
type revocations struct {
	mu  sync.Mutex
	all []signer.Revocation
}

func (r *revocations) Revoked(*x509.Certificate) ([]signer.Revocation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all, nil
}

func (r *revocations) add(c *x509.Certificate, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, signer.Revocation{Serial: c.SerialNumber, At: at, InvalidFrom: at.Add(-time.Hour), Reason: 1})
}

// place is a listening server whose address stands in its certificates, and a folder for openssl.
type place struct {
	t       *testing.T
	dir     string
	address string
	set     *signer.Set
	revoked *revocations
}

// open serves /pki; who asks from one of stampFor gets time stamps.
func open(t *testing.T, stampFor ...netip.Prefix) *place {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: t.TempDir(), address: "http://" + listener.Addr().String(), revoked: &revocations{}}
	if p.set, err = signer.NewThrowawayAt(rand.Reader, time.Now(), p.address); err != nil {
		t.Fatal(err)
	}
	roots, err := p.set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	shell := webtest.Shell(t)
	pages := &keysweb.Web{
		Shell: shell, Status: p.set.Status(rand.Reader, p.revoked), Stamper: p.set.Authority(rand.Reader), StampFor: stampFor, Now: time.Now,
	}
	if err := pages.Prepare(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(shell.Router(pages.Routes, keysweb.Pinned(shell, roots, []byte("signers"))))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	for name, c := range map[string]*x509.Certificate{"signer.pem": p.set.Signer, "tsa.pem": p.set.TSA, "ca.pem": p.set.CA} {
		p.write(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	p.write("roots.pem", p.get("/pki/roots.pem"))
	return p
}

func (p *place) write(name string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), data, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) get(path string) []byte {
	p.t.Helper()
	r, err := http.Get(p.address + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %d, %v", path, r.StatusCode, err)
	}
	return body
}

func (p *place) post(path, kind string, body []byte) (int, []byte) {
	p.t.Helper()
	r, err := http.Post(p.address+path, kind, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.StatusCode, answer
}

// openssl runs it in the folder; it must end as said and say every one of words.
func (p *place) openssl(well bool, words []string, args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "openssl", args...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if (err == nil) != well {
		p.t.Errorf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	for _, w := range words {
		if !bytes.Contains(out, []byte(w)) {
			p.t.Errorf("openssl %s does not say %q:\n%s", strings.Join(args, " "), w, out)
		}
	}
}

// TestOpensslAgrees asks the running server as a stranger's program does, and lets openssl judge.
func TestOpensslAgrees(t *testing.T) {
	p := open(t, netip.MustParsePrefix("127.0.0.0/8"))
	ask := func(certificate, issuer, word string, more ...string) {
		t.Helper()
		args := append([]string{"ocsp", "-issuer", issuer, "-cert", certificate, "-CAfile", "roots.pem", "-url", p.address + "/pki/ocsp"}, more...)
		p.openssl(true, []string{"Response verify OK", certificate + ": " + word}, args...)
	}
	// With a nonce, which openssl adds and looks for; without; by SHA-1 and by SHA-256.
	ask("signer.pem", "ca.pem", "good")
	ask("signer.pem", "ca.pem", "good", "-no_nonce")
	p.openssl(true, []string{"Response verify OK", "signer.pem: good"}, "ocsp", "-sha256", "-issuer", "ca.pem", "-cert", "signer.pem", "-CAfile", "roots.pem", "-url", p.address+"/pki/ocsp")
	ask("tsa.pem", "roots.pem", "good")
	ask("ca.pem", "roots.pem", "good")

	list := func(name string) {
		t.Helper()
		p.write(name+".crl", p.get("/pki/crl/"+name+".crl"))
	}
	list("issuing-ca")
	list("root")
	p.openssl(true, []string{"verify OK"}, "crl", "-inform", "DER", "-in", "issuing-ca.crl", "-CAfile", "ca.pem", "-noout", "-verify")
	p.openssl(true, []string{"verify OK"}, "crl", "-inform", "DER", "-in", "root.crl", "-CAfile", "roots.pem", "-noout", "-verify")
	verify := []string{"verify", "-CAfile", "roots.pem", "-untrusted", "ca.pem", "-crl_check_all", "-CRLfile", "all.crl", "-x509_strict", "-purpose", "any", "signer.pem"}
	both := func() {
		t.Helper()
		var all []byte
		for _, name := range []string{"issuing-ca", "root"} {
			all = append(all, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: p.get("/pki/crl/" + name + ".crl")})...)
		}
		p.write("all.crl", all)
	}
	both()
	p.openssl(true, []string{"signer.pem: OK"}, verify...)
	// openssl finds the lists by the addresses in the certificates.
	p.openssl(true, []string{"signer.pem: OK"}, "verify", "-CAfile", "roots.pem", "-untrusted", "ca.pem", "-crl_check", "-crl_download", "-purpose", "any", "signer.pem")
	p.write("found.cer", p.get(strings.TrimPrefix(p.set.Signer.IssuingCertificateURL[0], p.address)))
	p.openssl(true, []string{"CN=Tesdiq issuing authority"}, "x509", "-inform", "DER", "-in", "found.cer", "-noout", "-subject", "-nameopt", "RFC2253,utf8")

	p.write("data", []byte("what is to be stamped"))
	for _, more := range [][]string{{"-cert"}, {"-cert", "-no_nonce"}, {"-cert", "-tspolicy", "2.999.2"}} {
		p.openssl(true, nil, append([]string{"ts", "-query", "-data", "data", "-sha256", "-out", "query"}, more...)...)
		query, err := os.ReadFile(filepath.Join(p.dir, "query"))
		if err != nil {
			t.Fatal(err)
		}
		status, reply := p.post("/pki/tsa", "application/timestamp-query", query)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, reply)
		}
		p.write("reply", reply)
		p.openssl(true, []string{"Verification: OK"}, "ts", "-verify", "-in", "reply", "-queryfile", "query", "-CAfile", "roots.pem")
		p.openssl(true, []string{"Verification: OK"}, "ts", "-verify", "-in", "reply", "-data", "data", "-CAfile", "roots.pem")
	}
	// What we do not do is said in the protocol's own words.
	for _, c := range []struct {
		word string
		more []string
	}{{"unrecognized or unsupported algorithm", []string{"-sha512"}}, {"the requested TSA policy is not supported by the TSA", []string{"-sha256", "-tspolicy", "2.999.9"}}} {
		p.openssl(true, nil, append([]string{"ts", "-query", "-data", "data", "-out", "query"}, c.more...)...)
		query, err := os.ReadFile(filepath.Join(p.dir, "query"))
		if err != nil {
			t.Fatal(err)
		}
		_, reply := p.post("/pki/tsa", "application/timestamp-query", query)
		p.write("reply", reply)
		p.openssl(true, []string{c.word}, "ts", "-reply", "-in", "reply", "-text")
	}

	// And all of them see a revocation at once.
	p.revoked.add(p.set.Signer, time.Now().Add(-time.Second))
	ask("signer.pem", "ca.pem", "revoked")
	ask("signer.pem", "ca.pem", "revoked", "-no_nonce")
	both()
	p.openssl(false, []string{"certificate revoked"}, verify...)
	list("issuing-ca")
	p.openssl(true, []string{"Key Compromise", "Invalidity Date"}, "crl", "-inform", "DER", "-in", "issuing-ca.crl", "-noout", "-text")
}

// A GET may be kept on the way, a POST never; base64 has characters that an address must escape.
func TestOCSPByGet(t *testing.T) {
	p := open(t)
	request, err := ocsp.CreateRequest(p.set.Signer, p.set.CA, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(request)
	for _, path := range []string{url.QueryEscape(text), url.PathEscape(text), text} {
		r, err := http.Get(p.address + "/pki/ocsp/" + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.Header.Get("Content-Type") != "application/ocsp-response" || !strings.Contains(r.Header.Get("Cache-Control"), "max-age=") {
			t.Errorf("%s: %v, %v", path, r.Header, err)
		}
		if a, err := ocsp.ParseResponseForCert(body, p.set.Signer, p.set.CA); err != nil || a.Status != ocsp.Good {
			t.Errorf("%s: %+v, %v", path, a, err)
		}
	}
	for _, path := range []string{"", "%%", "!", strings.Repeat("A", 5000)} {
		r, err := http.Get(p.address + "/pki/ocsp/" + url.PathEscape(path))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if _, fault := ocsp.ParseResponse(body, nil); err != nil || fault != ocsp.ResponseError(ocsp.ResponseError{Status: ocsp.Malformed}) || strings.Contains(r.Header.Get("Cache-Control"), "public") {
			t.Errorf("%.20q: %v, %v", path, fault, err)
		}
	}
}

// Nobody gets a time stamp but who is named; there is nothing else to be had either.
func TestWhoGetsNothing(t *testing.T) {
	p := open(t, netip.MustParsePrefix("192.0.2.0/24"))
	if status, _ := p.post("/pki/tsa", "application/timestamp-query", []byte("x")); status != http.StatusNotFound {
		t.Errorf("time stamps: %d", status)
	}
	for _, path := range []string{"/pki/crl/none.crl", "/pki/crl/root", "/pki/certificates/none.cer", "/pki/certificates/root.key", "/pki/ocsp"} {
		r, err := http.Get(p.address + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	named := open(t, netip.MustParsePrefix("127.0.0.1/32"))
	for _, c := range []struct {
		path, kind string
		body       []byte
		want       int
	}{
		{"/pki/tsa", "text/plain", []byte("x"), http.StatusUnsupportedMediaType},
		{"/pki/ocsp", "text/plain", []byte("x"), http.StatusUnsupportedMediaType},
		{"/pki/tsa", "application/timestamp-query", make([]byte, 5000), http.StatusRequestEntityTooLarge},
		{"/pki/ocsp", "application/ocsp-request", make([]byte, 5000), http.StatusRequestEntityTooLarge},
		{"/pki/ocsp", "application/ocsp-request", []byte("x"), http.StatusOK}, // "malformed" is an answer
	} {
		if status, body := named.post(c.path, c.kind, c.body); status != c.want {
			t.Errorf("%s: %d, want %d: %.100s", c.path, status, c.want, body)
		}
	}
}
