package tsaweb_test

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/tsaweb"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// place is a listening authority, and a folder for openssl.
type place struct {
	t       *testing.T
	dir     string
	address string
}

// open serves /pki/tsa; who asks from one of those gets time stamps.
func open(t *testing.T, stampFor ...netip.Prefix) *place {
	t.Helper()
	set, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	shell := webtest.Shell(t)
	w := &tsaweb.Web{Shell: shell, Stamper: set.Authority(rand.Reader), For: stampFor, Now: time.Now}
	server := httptest.NewServer(shell.Router(w.Routes))
	t.Cleanup(server.Close)
	p := &place{t: t, dir: t.TempDir(), address: server.URL}
	p.write("roots.pem", roots.PEM())
	p.write("data", []byte("what is to be stamped"))
	return p
}

func (p *place) write(name string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), data, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) openssl(word string, args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "openssl", args...)
	cmd.Dir = p.dir
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(word)) {
		p.t.Errorf("openssl %s: %v, does not say %q\n%s", args, err, word, out)
	}
}

// query has openssl write a question.
func (p *place) query(args ...string) []byte {
	p.t.Helper()
	p.openssl("", append([]string{"ts", "-query", "-data", "data", "-out", "query"}, args...)...)
	q, err := os.ReadFile(filepath.Join(p.dir, "query"))
	if err != nil {
		p.t.Fatal(err)
	}
	return q
}

func (p *place) post(kind string, body []byte, headers ...string) (int, []byte) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.address+"/pki/tsa", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	for _, h := range headers {
		r.Header.Set(h, "127.0.0.1")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	reply, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer.StatusCode, reply
}

const queryType = "application/timestamp-query"

// TestOpensslAgrees asks as a program of ours would, and lets openssl judge.
func TestOpensslAgrees(t *testing.T) {
	p := open(t, netip.MustParsePrefix("127.0.0.0/8"))
	for _, more := range [][]string{{"-cert"}, {"-cert", "-no_nonce"}, {"-cert", "-tspolicy", "2.999.2"}} {
		status, reply := p.post(queryType, p.query(append(more, "-sha256")...))
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, reply)
		}
		p.write("reply", reply)
		p.openssl("Verification: OK", "ts", "-verify", "-in", "reply", "-queryfile", "query", "-CAfile", "roots.pem")
		p.openssl("Verification: OK", "ts", "-verify", "-in", "reply", "-data", "data", "-CAfile", "roots.pem")
	}
	// What we do not do is said in the protocol's own words.
	for word, more := range map[string][]string{
		"unrecognized or unsupported algorithm":                {"-sha512"},
		"the requested TSA policy is not supported by the TSA": {"-sha256", "-tspolicy", "2.999.9"},
	} {
		_, reply := p.post(queryType, p.query(more...))
		p.write("reply", reply)
		p.openssl(word, "ts", "-reply", "-in", "reply", "-text")
	}
}

// Nobody gets a time stamp but who is named, and who asks himself: what a proxy passes on may come from anybody.
func TestWhoGetsNone(t *testing.T) {
	named := netip.MustParsePrefix("127.0.0.1/32")
	for _, c := range []struct {
		name    string
		who     []netip.Prefix
		kind    string
		body    []byte
		headers []string
		want    int
	}{
		{"nobody is named", nil, queryType, []byte("x"), nil, http.StatusNotFound},
		{"another is named", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, queryType, []byte("x"), nil, http.StatusNotFound},
		{"another, who sends much", nil, queryType, make([]byte, 5000), nil, http.StatusNotFound},
		{"through a proxy", []netip.Prefix{named}, queryType, []byte("x"), []string{"X-Forwarded-For"}, http.StatusNotFound},
		{"through another proxy", []netip.Prefix{named}, queryType, []byte("x"), []string{"Forwarded"}, http.StatusNotFound},
		{"named", []netip.Prefix{named}, queryType, []byte("x"), nil, http.StatusOK},
		{"named, text", []netip.Prefix{named}, "text/plain", []byte("x"), nil, http.StatusUnsupportedMediaType},
		{"named, too large", []netip.Prefix{named}, queryType, make([]byte, 5000), nil, http.StatusRequestEntityTooLarge},
	} {
		if status, body := open(t, c.who...).post(c.kind, c.body, c.headers...); status != c.want {
			t.Errorf("%s: %d, want %d: %.100s", c.name, status, c.want, body)
		}
	}
}
