package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/privatepg"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/web/democlock"
	"github.com/tesdiq/tesdiq/web/demosent"
)

// installation is what an operator prepares on a Tuesday: database, passwords, keys, secret, configuration.
type installation struct {
	t        *testing.T
	dir      string
	admin    string // DATABASE_URL
	config   string // the configuration's text
	address  string
	provider *httptest.Server
}

func install(t *testing.T) *installation {
	t.Helper()
	in := &installation{t: t, dir: t.TempDir()}
	// A server that asks every component for its password.
	hba := filepath.Join(in.dir, "pg_hba.conf")
	in.write("pg_hba.conf", 0o644, "local all postgres trust\nlocal all all scram-sha-256\n")
	for _, dir := range []string{in.dir, filepath.Dir(in.dir)} {
		if err := os.Chmod(dir, 0o755); err != nil { // the server may run as another user than the test
			t.Fatal(err)
		}
	}
	server, err := privatepg.Start(t.Context(), privatepg.Options{Dir: filepath.Join(in.dir, "pg"), FsyncOff: true, Settings: map[string]string{"hba_file": hba}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	if err := postgres.EnsureDatabase(t.Context(), server.URL("postgres", "postgres"), "tesdiq"); err != nil {
		t.Fatal(err)
	}
	in.admin = server.URL("postgres", "tesdiq")

	if err := os.Mkdir(in.path("passwords"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, role := range postgres.Roles() {
		word, err := tesdiq.RandomText(rand.Reader, 24)
		if err != nil {
			t.Fatal(err)
		}
		in.write("passwords/"+string(role), 0o600, word+"\n")
	}
	in.write("sign-in.secret", 0o600, "the provider's secret\n")
	in.makeKeys()

	in.provider = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/.well-known/openid-configuration" {
			json.NewEncoder(w).Encode(map[string]any{"issuer": in.provider.URL, "authorization_endpoint": in.provider.URL + "/authorize",
				"token_endpoint": in.provider.URL + "/token", "jwks_uri": in.provider.URL + "/jwks", "id_token_signing_alg_values_supported": []string{"ES256"}})
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(in.provider.Close)
	in.write("provider.pem", 0o644, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: in.provider.Certificate().Raw})))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	in.address = l.Addr().String()
	l.Close()
	example, err := os.ReadFile("../../docs/tesdiq.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	socket := regexp.MustCompile(`host=([^&]+)`).FindString(in.admin)
	in.config = strings.NewReplacer(
		"127.0.0.1:8080", in.address, "postgres://db.example:5432/tesdiq?sslmode=verify-full", "postgres:///tesdiq?"+socket,
		"/etc/tesdiq/passwords", in.path("passwords"), "/etc/tesdiq/sign-in.secret", in.path("sign-in.secret"),
		"/etc/tesdiq/keys", in.path("keys"), "https://sign-in.example", in.provider.URL).Replace(string(example))
	return in
}

func (in *installation) path(name string) string { return filepath.Join(in.dir, name) }

func (in *installation) write(name string, mode os.FileMode, text string) {
	in.t.Helper()
	if err := os.WriteFile(in.path(name), []byte(text), mode); err != nil {
		in.t.Fatal(err)
	}
}

// makeKeys holds the ceremony of docs/keys.md with the example's plan, and runs its commands as they stand.
func (in *installation) makeKeys() {
	in.t.Helper()
	plan, err := os.ReadFile("../../docs/ceremony.example.toml")
	if err != nil {
		in.t.Fatal(err)
	}
	in.write("ceremony.toml", 0o644, string(plan))
	doc, err := os.ReadFile("../../docs/keys.md")
	if err != nil {
		in.t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(doc, -1)
	if len(blocks) == 0 {
		in.t.Fatal("docs/keys.md has no command")
	}
	for _, block := range blocks {
		c := exec.Command("sh", "-ec", string(block[1]))
		c.Dir = in.dir
		c.Env = append(os.Environ(), "PATH="+filepath.Dir(binary(in.t))+":"+os.Getenv("PATH"))
		if out, err := c.CombinedOutput(); err != nil {
			in.t.Fatalf("docs/keys.md: %v\n%s\n%s", err, block[1], out)
		}
	}
}

// command runs the program with the configuration.
func (in *installation) command(ctx context.Context, args ...string) (*exec.Cmd, *bytes.Buffer) {
	in.write("tesdiq.toml", 0o600, in.config)
	c := exec.CommandContext(ctx, binary(in.t), append(args, "-config", in.path("tesdiq.toml"))...)
	c.Env = append(os.Environ(), "DATABASE_URL="+in.admin, "SSL_CERT_FILE="+in.path("provider.pem"))
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	return c, &said
}

func TestServeRunsAgainstAnExternalDatabaseAndProvider(t *testing.T) {
	in := install(t)
	// Without the tables it says what to do.
	c, said := in.command(t.Context(), "serve")
	if err := c.Run(); err == nil || !strings.Contains(said.String(), "tesdiq migrate") {
		t.Fatalf("%v: %s", err, said)
	}
	for range 2 { // again changes nothing
		c, said = in.command(t.Context(), "migrate")
		if err := c.Run(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, said = in.command(ctx, "serve")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ready := false
	for range 200 {
		if answer, err := http.Get("http://" + in.address + "/readyz"); err == nil {
			answer.Body.Close()
			if ready = answer.StatusCode == http.StatusOK; ready {
				break
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !ready {
		c.Process.Kill()
		c.Wait()
		t.Fatalf("not ready: %s", said)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get("http://" + in.address + "/signin?to=/cabinet")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	to, err := answer.Location()
	if err != nil {
		t.Fatalf("%s: %v", answer.Status, err)
	}
	q := to.Query()
	if !strings.HasPrefix(to.String(), in.provider.URL+"/authorize?") || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" ||
		q.Get("code_challenge") == "" || q.Get("nonce") == "" || q.Get("state") == "" || q.Get("redirect_uri") != "https://tesdiq.example/signin/callback" {
		t.Errorf("sign-in leads to %s", to)
	}
	cookie := answer.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q lacks %s", cookie, want)
		}
	}
	for _, only := range []string{"/demo-provider/jwks", democlock.Path, demosent.Path} {
		if answer, err := client.Get("http://" + in.address + only); err != nil || answer.StatusCode != http.StatusNotFound {
			t.Errorf("the demonstration's %s answers: %v", only, err)
		}
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("stopping: %v: %s", err, said)
	}
}

func TestServeRefusesWhatIsMissingOrUnsafe(t *testing.T) {
	in := install(t)
	good := in.config
	throwaway, err := signer.NewThrowaway(rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := throwaway.Save(in.path("throwaway")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(in.path("throwaway"), 0o700); err != nil {
		t.Fatal(err)
	}
	in.write("loose.secret", 0o644, "secret")
	for name, c := range map[string]struct{ old, new, says string }{
		"the demonstration's keys":     {in.path("keys"), in.path("throwaway"), "demonstration's keys"},
		"the demonstration's provider": {in.provider.URL, "https://tesdiq.example/demo-provider", "anybody may sign in"},
		"a provider over plain HTTP":   {in.provider.URL, "http://provider.example", "sign_in.issuer: must begin with https"},
		"plain HTTP":                   {`public_url = "https://tesdiq.example"`, `public_url = "http://tesdiq.example"`, "public_url: must begin with https"},
		"an address with a path":       {`public_url = "https://tesdiq.example"`, `public_url = "https://tesdiq.example/x"`, "public_url"},
		"no address":                   {`address = "` + in.address + `"`, "", "address: is missing"},
		"an address of one word":       {`address = "` + in.address + `"`, `address = "here"`, "address: \"here\" is not a host and a port"},
		"a database without TLS":       {"postgres:///tesdiq?host=", "postgres://db.example/tesdiq?sslmode=disable&x=", "sslmode=verify-full"},
		"another way to name its host": {"postgres:///tesdiq?host=", "postgres:///tesdiq?sslmode=disable&host=db.example&x=", "sslmode=verify-full"},
		"a user in the database's URL": {"postgres:///tesdiq?", "postgres://postgres@/tesdiq?", "must not name a user"},
		"a secret that others read":    {in.path("sign-in.secret"), in.path("loose.secret"), "chmod 600"},
		"a secret that is not there":   {in.path("sign-in.secret"), in.path("none"), "cannot be read"},
		"a setting that is none":       {"[keys]", "[keys]\npin = \"1234\"", "keys.pin: is not a setting"},
		"a proxy that is no range":     {"127.0.0.1/32", "everybody", "trusted_proxies"},
		"no TOML":                      {"[keys]", "[keys", "configuration"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the configuration has no %q", c.old)
			}
			in.config = strings.Replace(good, c.old, c.new, 1)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			cmd, said := in.command(ctx, "serve")
			if err := cmd.Run(); err == nil || !strings.Contains(said.String(), c.says) {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
	// All at once, not one after the other.
	in.config = "address = \"127.0.0.1:0\"\n"
	cmd, said := in.command(t.Context(), "serve")
	if err := cmd.Run(); err == nil || strings.Count(said.String(), "is missing") < 6 {
		t.Errorf("%v: %s", err, said)
	}
}
