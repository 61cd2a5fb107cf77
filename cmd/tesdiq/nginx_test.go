package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/keys/signer"
)

// behindNginx are the three programs behind a real nginx with docs/nginx.example.conf, of which only ports, paths and the
// patience with slow clients are other.
type behindNginx struct {
	*processes
	plain string // address of the server without TLS
	log   string
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func installBehindNginx(t *testing.T) *behindNginx {
	t.Helper()
	secure, plain := freePort(t), freePort(t)
	n := &behindNginx{processes: installBehind(t, "https://127.0.0.1:"+secure), plain: "http://127.0.0.1:" + plain}
	dir := t.TempDir()
	n.log = filepath.Join(dir, "error.log")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The certificate of the test's own servers, which its clients trust.
	pair := n.front.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	write("cert.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	example, err := os.ReadFile("../../docs/nginx.example.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := string(example)
	for _, r := range [][2]string{
		{"127.0.0.1:8082", strings.TrimPrefix(n.programs[service.Verifier].address, "http://")},
		{"127.0.0.1:8083", strings.TrimPrefix(n.programs[service.Casework].address, "http://")},
		{"listen 443 ", "listen 127.0.0.1:" + secure + " "}, {"listen [::]:443 ", "listen [::1]:" + secure + " "},
		{"listen 80;", "listen 127.0.0.1:" + plain + ";"}, {"listen [::]:80;", "listen [::1]:" + plain + ";"},
		{"server_name tesdiq.example;", "server_name 127.0.0.1;"},
		{"/etc/ssl/tesdiq.example.pem", dir + "/cert.pem"}, {"/etc/ssl/private/tesdiq.example.key", dir + "/cert.key"},
		{"/var/log/nginx/tesdiq.log", n.log}, {"client_header_timeout 10s;", "client_header_timeout 1s;"}, {"client_body_timeout   30s;", "client_body_timeout 2s;"},
		// Browsers name the port beside the host where it is not the usual one.
		{"Host            $host;", "Host $http_host;"},
	} {
		if !strings.Contains(text, r[0]) {
			t.Fatalf("docs/nginx.example.conf does not say %q", r[0])
		}
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	write("tesdiq.conf", text)
	var temporary strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	// Around it what Debian's nginx.conf has, without modules and other sites.
	write("nginx.conf", fmt.Sprintf("daemon off;\nworker_processes 2;\npid %s/pid;\nerror_log %s crit;\nevents { worker_connections 768; }\nhttp {\n%sinclude %s/tesdiq.conf;\n}\n", dir, n.log, temporary.String(), dir))

	program := "nginx"
	if _, err := exec.LookPath(program); err != nil {
		program = "/usr/sbin/nginx"
	}
	args := []string{"-p", dir, "-e", n.log, "-c", dir + "/nginx.conf"}
	if out, err := exec.CommandContext(t.Context(), program, append(args, "-t")...).CombinedOutput(); err != nil {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	ctx, stop := context.WithCancel(context.Background())
	run := exec.CommandContext(ctx, program, args...)
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) } // its workers end with it
	var said bytes.Buffer
	run.Stdout, run.Stderr = &said, &said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = run.Wait() // it says that it was interrupted
		if said.Len() > 0 {
			t.Errorf("nginx says: %s", said.Bytes())
		}
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", "127.0.0.1:"+plain)
		if err == nil {
			c.Close()
			return n
		}
		if time.Now().After(end) {
			t.Fatalf("nginx does not listen: %v, %s", err, said.Bytes())
		}
	}
}

// ask asks through nginx, and gives status, headers and body. It follows no redirect.
func (n *behindNginx) ask(method, address string, body io.Reader, headers ...string) (int, http.Header, []byte) {
	n.in.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = n.address + address
	}
	r, err := http.NewRequestWithContext(n.in.t.Context(), method, address, body)
	if err != nil {
		n.in.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		n.in.t.Fatalf("%s %s: %v", method, address, err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		n.in.t.Fatalf("%s %s: %v", method, address, err)
	}
	return answer.StatusCode, answer.Header, all
}

func TestBehindNginx(t *testing.T) {
	n := installBehindNginx(t)
	running := n.start(three...)
	if err := n.do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(n.excerpts) != 2 || len(n.checks) != 6 || len(n.seen) != 6 {
		t.Errorf("%d excerpts, %d checks, %d seen", len(n.excerpts), len(n.checks), len(n.seen))
	}
	token, err := n.token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	set, err := signer.Load(n.in.path("issuer/keys"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("what is nobody's from outside", func(t *testing.T) {
		for _, path := range []string{"/pki/tsa", "/healthz", "/readyz", "/metrics"} {
			for _, address := range []string{n.address, n.plain} {
				if status, _, body := n.ask(http.MethodPost, address+path, strings.NewReader("x"), "Content-Type", "application/timestamp-query"); status != http.StatusNotFound && (status != http.StatusMovedPermanently || address == n.address) {
					t.Errorf("%s%s: %d %.80s", address, path, status, body)
				}
			}
		}
	})
	t.Run("plain HTTP", func(t *testing.T) {
		if status, h, _ := n.ask(http.MethodGet, n.plain+"/check?lang=az", nil); status != http.StatusMovedPermanently || h.Get("Location") != "https://127.0.0.1/check?lang=az" {
			t.Errorf("%d, %s", status, h.Get("Location"))
		}
		for _, path := range []string{"/pki/roots.pem", "/pki/signers.pem", "/pki/crl/root.crl", "/pki/crl/issuing-ca.crl", "/pki/certificates/root.cer", "/pki/trust.json"} {
			if status, _, body := n.ask(http.MethodGet, n.plain+path, nil); status != http.StatusOK || len(body) == 0 {
				t.Errorf("%s: %d", path, status)
			}
		}
	})
	t.Run("OCSP", func(t *testing.T) { n.ocsp(t, set) })
	t.Run("large files", func(t *testing.T) { n.largeFiles(t, token) })
	t.Run("static files", func(t *testing.T) {
		_, _, page := n.ask(http.MethodGet, "/", nil)
		found := regexp.MustCompile(`/static/[^"]+\.css`).FindString(string(page))
		status, h, body := n.ask(http.MethodGet, found, nil)
		if status != http.StatusOK || !strings.Contains(h.Get("Cache-Control"), "immutable") || len(body) == 0 {
			t.Errorf("%q: %d, %v", found, status, h)
		}
		_, h, _ = n.ask(http.MethodGet, "/check", nil)
		if h.Get("Cache-Control") != "no-store" || h.Get("Strict-Transport-Security") == "" || h.Get("Content-Security-Policy") == "" || strings.Contains(h.Get("Server"), "/") {
			t.Errorf("a page: %v", h)
		}
	})
	t.Run("a large header", func(t *testing.T) {
		for size, want := range map[int]string{7 << 10: "200", 20 << 10: "4", 60 << 10: "4"} { // in HTTP/2 nginx closes the connection instead
			answer, err := n.raw(t, "GET /check HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: x="+strings.Repeat("y", size)+"\r\n\r\n")
			if line, _, _ := strings.Cut(string(answer), "\r\n"); !strings.HasPrefix(line, "HTTP/1.1 "+want) {
				t.Errorf("%d bytes: %q, %v", size, line, err)
			}
		}
	})
	t.Run("slow clients", n.slowClients)
	t.Run("a forged address", n.forgedAddress)
	t.Run("nothing of codes in logs", func(t *testing.T) {
		running[service.Verifier].kill()
		code := n.excerpts[0].Code
		if status, _, _ := n.ask(http.MethodGet, "/v/"+strings.ReplaceAll(code, "-", ""), nil); status != http.StatusBadGateway {
			t.Errorf("without the verifier: %d", status)
		}
		log, err := os.ReadFile(n.log)
		if err != nil {
			t.Fatal(err)
		}
		if len(log) > 0 {
			t.Errorf("nginx wrote: %.500s", log)
		}
	})
	for _, name := range three {
		if found := n.programs[name].panics(); len(found) > 0 {
			t.Errorf("%s: %s", name, found)
		}
	}
}

// ocsp asks as certificates say: by plain HTTP, in an address whose base64 may have two slashes in a row.
func (n *behindNginx) ocsp(t *testing.T, set *signer.Set) {
	stranger := *set.Signer // with a number that we never gave
	stranger.SerialNumber = new(big.Int).SetBytes(bytes.Repeat([]byte{0xff}, 12))
	for _, c := range []*x509.Certificate{set.Signer, &stranger} {
		question, err := ocsp.CreateRequest(c, set.CA, nil)
		if err != nil {
			t.Fatal(err)
		}
		text := base64.StdEncoding.EncodeToString(question)
		if c == &stranger && !strings.Contains(text, "//") {
			t.Errorf("no two slashes in %s", text)
		}
		for _, path := range []string{url.QueryEscape(text), text} {
			status, h, body := n.ask(http.MethodGet, n.plain+"/pki/ocsp/"+path, nil)
			a, err := ocsp.ParseResponse(body, set.CA)
			good := err == nil && a.Status == ocsp.Good && strings.Contains(h.Get("Cache-Control"), "max-age=")
			if c == &stranger {
				good = err == (ocsp.ResponseError{Status: ocsp.Unauthorized})
			}
			if status != http.StatusOK || !good {
				t.Errorf("%s: %d, %v, %v", path, status, err, h)
			}
		}
	}
	dir := t.TempDir()
	for name, c := range map[string]*x509.Certificate{"signer.pem": set.Signer, "ca.pem": set.CA} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "openssl", "ocsp", "-issuer", "ca.pem", "-cert", "signer.pem", "-CAfile", n.in.path("verifier/roots.pem"), "-url", n.plain+"/pki/ocsp")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("Response verify OK")) || !bytes.Contains(out, []byte("signer.pem: good")) {
		t.Errorf("openssl: %v\n%s", err, out)
	}
}

// largeFiles sends a file of just 20 MB, which is read, and larger ones, of which the program says so in its own words.
func (n *behindNginx) largeFiles(t *testing.T, token string) {
	for megabytes, want := range map[int]int{20: http.StatusOK, 21: http.StatusRequestEntityTooLarge, 30: http.StatusRequestEntityTooLarge} {
		file := append([]byte("%PDF-1.7\n"), make([]byte, megabytes<<20-9)...)
		status, _, body := n.ask(http.MethodPost, "/api/v1/documents?purpose=credit", bytes.NewReader(file), "Authorization", "Bearer "+token, "Content-Type", "application/pdf")
		var said struct {
			Type    string         `json:"type"`
			Verdict tesdiq.Verdict `json:"verdict"`
		}
		if err := json.Unmarshal(body, &said); err != nil || status != want || (want == http.StatusOK) != (said.Verdict == tesdiq.Unknown) || (want != http.StatusOK) != strings.Contains(said.Type, "too") {
			t.Errorf("%d MB: %d, %v, %.300s", megabytes, status, err, body)
		}
	}
}

// raw sends bytes and gives all that comes until nginx closes the connection.
func (n *behindNginx) raw(t *testing.T, send string) ([]byte, error) {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(n.address, "https://"), &tls.Config{RootCAs: http.DefaultTransport.(*http.Transport).TLSClientConfig.RootCAs})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, send); err != nil {
		t.Fatal(err)
	}
	return io.ReadAll(conn)
}

// slowClients are let go: one that never ends its header, and one that never sends its file.
func (n *behindNginx) slowClients(t *testing.T) {
	for name, begin := range map[string]string{
		"a header that never ends": "GET /check HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
		"a file that never comes":  "POST /api/v1/documents HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/pdf\r\nContent-Length: 1000000\r\n\r\n%PDF",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer, err := n.raw(t, begin)
			if err != nil || bytes.Contains(answer, []byte(" 200 ")) || bytes.Contains(answer, []byte(" 50")) {
				t.Errorf("%v, %.200s", err, answer)
			}
		})
	}
}

// forgedAddress guesses codes and says of each guess that it comes from elsewhere: it is counted all the same.
func (n *behindNginx) forgedAddress(t *testing.T) {
	limited := 0
	for i := range 40 {
		code, err := tesdiq.NewCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		address := fmt.Sprintf("198.51.%d.%d", i, i)
		status, _, body := n.ask(http.MethodPost, "/v/"+string(code), strings.NewReader(url.Values{"purpose": {"credit"}}.Encode()),
			"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin",
			"X-Forwarded-For", address, "Forwarded", "for="+address, "X-Real-IP", address)
		switch status {
		case http.StatusTooManyRequests:
			limited++
		case http.StatusOK, http.StatusNotFound, http.StatusSeeOther, http.StatusUnprocessableEntity:
		default:
			t.Fatalf("guess %d: %d, %.300s", i, status, body)
		}
	}
	if limited < 15 {
		t.Errorf("%d of 40 guesses were refused", limited)
	}
}
