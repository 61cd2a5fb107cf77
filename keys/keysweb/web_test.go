package keysweb_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pgtest"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/keysdb"
	"github.com/tesdiq/tesdiq/keys/keysweb"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/web/webtest"
	"golang.org/x/crypto/ocsp"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// place is a listening server whose address stands in its certificates, and a folder for openssl.
type place struct {
	t       *testing.T
	dir     string
	address string
	set     *signer.Set
	db      *pgtest.DB
	revoked []signer.Revocation
	now     func() time.Time
}

// Revoked implements signer.Revocations.
func (p *place) Revoked(*x509.Certificate) ([]signer.Revocation, error) { return p.revoked, nil }

// publish is what the issuing process does at its start.
func (p *place) publish() {
	p.t.Helper()
	all, err := p.set.Status(rand.Reader, p).Publish(time.Now(), func(string, int) bool { return false })
	if err != nil {
		p.t.Fatal(err)
	}
	rows := []keysdb.Publication{{Path: keys.PublishedTrust, Body: []byte("list"), Produced: time.Now()}}
	for _, x := range all {
		rows = append(rows, keysdb.Publication(x))
	}
	if err := keysdb.Publish(p.t.Context(), p.db.Pool(postgres.Issuer), rows); err != nil {
		p.t.Fatal(err)
	}
}

// revoke writes it down as the operator does; the issuing process has not heard of it yet.
func (p *place) revoke(c *x509.Certificate) {
	p.t.Helper()
	at := time.Now().Add(-time.Second)
	p.revoked = append(p.revoked, signer.Revocation{Serial: c.SerialNumber, At: at, InvalidFrom: at.Add(-time.Hour), Reason: 1})
	if _, err := p.db.Pool(postgres.Operator).Exec(p.t.Context(), `INSERT INTO certificate_revocations (serial, role, reason, why, by, invalid_from, revoked_at)
		VALUES ($1, 'document-signer', 'keyCompromise', 'stolen', 'Operator', $2, $3)`, keys.Serial(c), at.Add(-time.Hour), at); err != nil {
		p.t.Fatal(err)
	}
}

// open serves /pki.
func open(t *testing.T) *place {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: t.TempDir(), address: "http://" + listener.Addr().String(), db: pgtest.Open(t), now: time.Now}
	if p.set, err = signer.NewThrowawayAt(rand.Reader, time.Now(), p.address); err != nil {
		t.Fatal(err)
	}
	roots, err := p.set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	p.publish()
	shell := webtest.Shell(t)
	clock := func() time.Time { return p.now() }
	pages := &keysweb.Web{Shell: shell, Shelf: &keysdb.Shelf{Pool: p.db.Pool(postgres.Verifier), Now: clock}, Now: clock}
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
	p := open(t)
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

	// And all of them see a revocation at once: nobody is told "good" any more, even before the issuing process has heard of it.
	p.revoke(p.set.Signer)
	p.now = func() time.Time { return time.Now().Add(2 * time.Second) } // what is known is as old as a second
	p.openssl(false, []string{"Responder Error: trylater (3)"}, "ocsp", "-issuer", "ca.pem", "-cert", "signer.pem", "-CAfile", "roots.pem", "-url", p.address+"/pki/ocsp")
	ask("tsa.pem", "roots.pem", "good")
	p.publish()
	p.now = func() time.Time { return time.Now().Add(4 * time.Second) }
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

// What is not there, and what is asked wrongly.
func TestWhoGetsNothing(t *testing.T) {
	p := open(t)
	for _, path := range []string{"/pki/crl/none.crl", "/pki/crl/root", "/pki/crl/..%2ftrust.json", "/pki/certificates/none.cer", "/pki/certificates/root.key", "/pki/ocsp", "/pki/tsa"} {
		r, err := http.Get(p.address + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	for _, c := range []struct {
		kind string
		body []byte
		want int
	}{
		{"text/plain", []byte("x"), http.StatusUnsupportedMediaType},
		{"", []byte("x"), http.StatusUnsupportedMediaType},
		{"application/ocsp-request", make([]byte, 5000), http.StatusRequestEntityTooLarge},
		{"application/ocsp-request", []byte("x"), http.StatusOK}, // "malformed" is an answer
		{"application/ocsp-request; charset=utf-8", []byte("x"), http.StatusOK},
	} {
		if status, body := p.post("/pki/ocsp", c.kind, c.body); status != c.want {
			t.Errorf("%s, %d bytes: %d, want %d: %.100s", c.kind, len(c.body), status, c.want, body)
		}
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions, "ANY"} {
		r, err := http.NewRequestWithContext(t.Context(), method, p.address+"/pki/ocsp", nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != http.StatusMethodNotAllowed && a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", method, a.StatusCode)
		}
	}
}

// However often and whatever is asked, the database is asked once a second, and no key at all; an answer that is over is not given.
func TestQuestionsCostNothing(t *testing.T) {
	p := open(t)
	at := time.Now()
	p.now = func() time.Time { return at }
	good, err := ocsp.CreateRequest(p.set.Signer, p.set.CA, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, first := p.post("/pki/ocsp", "application/ocsp-request", good)
	if _, err := p.db.Admin.Exec(t.Context(), "ALTER TABLE publications RENAME TO away; ALTER VIEW current_publications RENAME TO gone"); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		strange := *p.set.Signer
		strange.SerialNumber = big.NewInt(int64(i) + 1)
		request, err := ocsp.CreateRequest(&strange, p.set.CA, &ocsp.RequestOptions{Hash: crypto.SHA256})
		if err != nil {
			t.Fatal(err)
		}
		status, body := p.post("/pki/ocsp", "application/ocsp-request", request)
		if _, err := ocsp.ParseResponse(body, nil); status != http.StatusOK || err != (ocsp.ResponseError{Status: ocsp.Unauthorized}) {
			t.Fatalf("%d, %v", status, err)
		}
	}
	for _, c := range []struct {
		later time.Duration
		same  bool
	}{{0, true}, {50 * time.Second, true}, {2 * time.Minute, false}} { // the database does not answer, and what is known grows old
		p.now = func() time.Time { return at.Add(c.later) }
		if _, body := p.post("/pki/ocsp", "application/ocsp-request", good); bytes.Equal(body, first) != c.same {
			t.Errorf("after %s: %x", c.later, body)
		}
	}
	if _, err := p.db.Admin.Exec(t.Context(), "ALTER TABLE away RENAME TO publications; ALTER VIEW gone RENAME TO current_publications"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		later time.Duration
		same  bool
	}{{3 * time.Minute, true}, {23 * time.Hour, true}, {25 * time.Hour, false}} {
		p.now = func() time.Time { return at.Add(c.later) }
		if _, body := p.post("/pki/ocsp", "application/ocsp-request", good); bytes.Equal(body, first) != c.same {
			t.Errorf("after %s: %x", c.later, body)
		}
	}
}
