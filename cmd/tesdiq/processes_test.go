package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/gateway/agencies"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/internal/service"
	"github.com/tesdiq/tesdiq/organisation/organisationdb"
	"github.com/tesdiq/tesdiq/registry/registrydb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/signin/demoprovider"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// three are the programs by their names, in no order that matters.
var three = []service.Program{service.Issuer, service.Verifier, service.Casework}

var builtThree = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "tesdiq-bin-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir+"/", "../issuer", "../verifier", "../casework").CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
	}
	return dir, err
})

// processes is an installation of the three programs behind a proxy, set up as docs/processes.md says.
type processes struct {
	in *installation
	mainJob
	admin    *pgxpool.Pool
	programs map[service.Program]*program
	routes   map[string]service.Program // of docs/nginx.example.conf: prefix → program
	front    *httptest.Server
}

func installThree(t *testing.T) *processes {
	t.Helper()
	return installBehind(t, "")
}

// installBehind sets up the programs for an address; without one, for that of a proxy of this test's own.
func installBehind(t *testing.T, address string) *processes {
	t.Helper()
	p := &processes{in: install(t), programs: map[service.Program]*program{}, routes: map[string]service.Program{}}
	dir, err := builtThree()
	if err != nil {
		t.Fatal(err)
	}
	if c, said := p.in.command(t.Context(), "migrate"); c.Run() != nil {
		t.Fatal(said)
	}
	if p.admin, err = pgxpool.New(t.Context(), p.in.admin); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.admin.Close)
	conf, err := os.ReadFile("../../docs/nginx.example.conf")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\s*location (/\S*)\s+\{ proxy_pass http://(\w+); \}$`).FindAllStringSubmatch(string(conf), -1) {
		p.routes[m[1]] = service.Program(m[2])
	}
	p.front = httptest.NewTLSServer(http.HandlerFunc(p.pass))
	t.Cleanup(p.front.Close)
	if p.address = address; address == "" {
		p.address = p.front.URL
	}
	provider := p.signInProvider()

	socket := regexp.MustCompile(`host=([^&]+)`).FindString(p.in.admin)
	for _, name := range three {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		home := p.in.path(string(name))
		if err := os.MkdirAll(home+"/passwords", 0o700); err != nil {
			t.Fatal(err)
		}
		for _, role := range name.Roles() {
			p.copy("passwords/"+string(role), string(name)+"/passwords/"+string(role), 0o600)
		}
		example, err := os.ReadFile("../../docs/" + string(name) + ".example.toml")
		if err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(`(?m)^address = .*$`).ReplaceAllLiteralString(string(example), `address = "`+address+`"`)
		if name == service.Casework {
			text += p.offersAssessments()
		}
		p.in.write(string(name)+"/"+string(name)+".toml", 0o600, strings.NewReplacer(
			"postgres://db.example:5432/tesdiq?sslmode=verify-full", "postgres:///tesdiq?"+socket, "/etc/tesdiq/"+string(name), home,
			"https://tesdiq.example", p.address, "https://sign-in.example", provider).Replace(text))
		p.programs[name] = &program{t: t, path: filepath.Join(dir, string(name)), dir: home, address: "http://" + address, log: p.in.path(string(name) + ".log"),
			args: []string{"-config", home + "/" + string(name) + ".toml"}, env: append(os.Environ(), "SSL_CERT_FILE="+p.in.path("provider.pem"))}
	}
	p.holdCeremony("three", p.plan())
	p.copy("issuer/keys/roots.pem", "verifier/roots.pem", 0o644)
	p.copy("issuer/keys/document-signer.pem", "verifier/signers.pem", 0o644, "issuer/keys/issuing-ca.pem")
	p.copy("sign-in.secret", "casework/sign-in.secret", 0o600)
	p.people()
	p.trustFront()
	return p
}

// offersAssessments starts the agencies of an instance of its own, and is what the configuration says to ask them.
func (p *processes) offersAssessments() string {
	t := p.in.t
	t.Helper()
	dir := p.in.path("agencies")
	played, err := openAgencies(dir, nil, 1, 20, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(played)
	t.Cleanup(server.Close)
	if err := agencies.WriteServices(dir, server.URL); err != nil {
		t.Fatal(err)
	}
	p.in.write("casework/draw.key", 0o600, strings.Repeat("k", tseras.MinDrawKey))
	f := agencies.Files(dir)
	return fmt.Sprintf("\n[gateway]\nmember = %q\nkey = %q\ncertificate = %q\ntrust = %q\nservices = %q\n\n[draws]\nkey = %q\n",
		f.Member, f.Key, f.Certificate, f.Trust, f.Services, p.in.path("casework/draw.key"))
}

// plan is the example's, for this installation's address.
func (p *processes) plan() string {
	p.in.t.Helper()
	plan, err := os.ReadFile("../../docs/ceremony.example.toml")
	if err != nil {
		p.in.t.Fatal(err)
	}
	return strings.Replace(string(plan), "https://tesdiq.example", p.address, 1)
}

// holdCeremony has the issuer sign with the keys of a ceremony of this plan.
func (p *processes) holdCeremony(name, plan string) {
	p.in.t.Helper()
	p.in.write(name+".toml", 0o644, plan)
	keysRun(p.in.t, p.in.dir, true, "ceremony", "-plan", name+".toml", "-out", name)
	keysRun(p.in.t, p.in.dir, true, "ceremony", "-plan", name+".toml", "-out", name, "-apply")
	if err := errors.Join(os.RemoveAll(p.in.path("issuer/keys")), os.Rename(p.in.path(name+"/service"), p.in.path("issuer/keys"))); err != nil {
		p.in.t.Fatal(err)
	}
}

// copy copies a file, and what is to follow it.
func (p *processes) copy(from, to string, mode os.FileMode, more ...string) {
	p.in.t.Helper()
	var all []byte
	for _, name := range append([]string{from}, more...) {
		b, err := os.ReadFile(p.in.path(name))
		if err != nil {
			p.in.t.Fatal(err)
		}
		all = append(all, b...)
	}
	p.in.write(to, mode, string(all))
}

// people fills the books and lets the organisations in, as the operator does.
func (p *processes) people() {
	p.in.t.Helper()
	roles := service.Operator.Roles()
	passwords, err := service.Passwords(p.in.path("passwords"), roles...)
	if err != nil {
		p.in.t.Fatal(err)
	}
	pools, err := postgres.OpenRoles(p.in.t.Context(), p.in.admin, passwords, roles...)
	if err != nil {
		p.in.t.Fatal(err)
	}
	defer pools.Close()
	if _, err := registrydb.Load(p.in.t.Context(), pools.Registry, people.Generate(1, 5, tesdiq.DateOf(time.Now())), rand.Reader, nil); err != nil {
		p.in.t.Fatal(err)
	}
	var notes demoNotes
	if err := notes.organisations(p.in.t.Context(), organisationdb.Operator{Pool: pools.Operator, Now: time.Now, Rand: rand.Reader}); err != nil {
		p.in.t.Fatal(err)
	}
	p.client = summaryClient{notes.ClientID, notes.Secret}
}

// signInProvider serves the demonstration's provider under an address that does not say so, which the programs would refuse.
func (p *processes) signInProvider() (issuer string) {
	p.in.t.Helper()
	var provider http.Handler
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/id"); ok {
			r.URL.Path = demoprovider.Path + rest
		}
		provider.ServeHTTP(w, r)
	}))
	p.in.t.Cleanup(server.Close)
	secret, err := service.Secret(p.in.path("sign-in.secret"))
	if err != nil {
		p.in.t.Fatal(err)
	}
	shell := webtest.Shell(p.in.t, func(c *web.Config) { c.FormAction = []string{p.address} })
	made, err := demoprovider.New(shell, demoprovider.Config{Address: server.URL, Issuer: server.URL + "/id", ClientID: "tesdiq", Secret: secret, People: demoPeople(),
		RedirectURLs: []string{p.address + "/signin/callback"}, PostLogoutURLs: []string{p.address + "/signin/out"}})
	if err != nil {
		p.in.t.Fatal(err)
	}
	provider = shell.Router(made.Routes)
	return made.Issuer()
}

// trustFront lets the test's clients believe the certificate of its own servers.
func (p *processes) trustFront() {
	roots := x509.NewCertPool()
	roots.AddCert(p.front.Certificate())
	usual := http.DefaultTransport
	ours := usual.(*http.Transport).Clone()
	ours.TLSClientConfig = &tls.Config{RootCAs: roots}
	http.DefaultTransport = ours
	p.in.t.Cleanup(func() { http.DefaultTransport = usual })
}

// program that answers an address: the longest prefix wins.
func (p *processes) program(path string) service.Program {
	best := ""
	for prefix := range p.routes {
		if strings.HasPrefix(path, prefix) && len(prefix) > len(best) {
			best = prefix
		}
	}
	return p.routes[best]
}

// pass is the proxy.
func (p *processes) pass(w http.ResponseWriter, r *http.Request) {
	to, err := url.Parse(p.programs[p.program(r.URL.Path)].address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(q *httputil.ProxyRequest) {
			q.SetURL(to)
			q.SetXForwarded()
			q.Out.Host = q.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	proxy.ServeHTTP(w, r)
}

func (p *processes) start(names ...service.Program) map[service.Program]*process {
	p.in.t.Helper()
	running := map[service.Program]*process{}
	for _, name := range names {
		running[name] = p.programs[name].start()
	}
	for _, run := range running {
		run.mustBeReady()
	}
	return running
}

// The main job across the three real programs, with one or two of them away in between.
func TestTheMainJobAcrossThreeProcesses(t *testing.T) {
	p := installThree(t)
	ctx := t.Context()
	running := p.start(three...)
	if err := p.do(ctx); err != nil {
		t.Fatal(err)
	}
	if len(p.excerpts) != 2 || len(p.checks) != 6 || len(p.seen) != 6 {
		t.Errorf("%d excerpts, %d checks, %d seen", len(p.excerpts), len(p.checks), len(p.seen))
	}
	bank := people.Organisations[0]
	citizen, err := p.signIn(ctx, people.Who("nermin"), "", "/cabinet")
	if err != nil {
		t.Fatal(err)
	}
	clerk, err := p.signIn(ctx, people.Who(bank.Members[0].Key), ":"+string(bank.VOEN), "/check")
	if err != nil {
		t.Fatal(err)
	}

	// The issuer is killed. Who asks is told that it is being made, and when the issuer is back, it is.
	running[service.Issuer].kill()
	if err := p.ask(ctx, citizen, "examination"); err != nil {
		t.Fatal(err)
	}
	if codePattern.MatchString(citizen.text()) {
		t.Error("there is an excerpt, and nobody who could sign it")
	}
	running[service.Issuer] = p.start(service.Issuer)[service.Issuer]
	deadline := time.Now().Add(time.Minute)
	for !codePattern.MatchString(citizen.text()) && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
		if err := citizen.open(ctx, citizen.at.String()); err != nil {
			t.Fatal(err)
		}
	}
	e, err := p.fetch(ctx, citizen, "examination")
	if err != nil {
		t.Fatal(err)
	}

	// Issuer and casework are killed: who checks notices nothing, signed in or not, by whatever way.
	running[service.Issuer].kill()
	running[service.Casework].kill()
	p.onlyTheVerifiersRolesAreConnected()
	before := len(p.checks)
	if err := p.checkThreeWays(ctx, clerk, e); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/how", "/check", "/developers", "/pki/roots.pem", "/pki/signers.pem", "/check/offline", "/schema/statement-1.json", "/api/openapi.json"} {
		if err := clerk.open(ctx, p.address+path); err != nil {
			t.Error(err)
		}
	}
	if err := citizen.open(ctx, p.address+"/cabinet"); err == nil || citizen.status != http.StatusBadGateway {
		t.Errorf("the cabinet answers %d, %v", citizen.status, err)
	}

	// Back again: the citizen is still signed in, and sees who checked meanwhile.
	running[service.Casework] = p.start(service.Casework)[service.Casework]
	p.seen = nil
	if err := p.read(ctx, citizen); err != nil {
		t.Fatal(err)
	}
	if err := p.compare(); err != nil || len(p.checks) != before+3 {
		t.Errorf("%d checks, %v", len(p.checks)-before, err)
	}
	// Signed out at casework is signed out at the verifier.
	if err := clerk.open(ctx, p.address+"/check"); err != nil || !strings.Contains(clerk.text(), bank.Name) {
		t.Errorf("the clerk is not known: %v", err)
	}
	if err := clerk.signOut(ctx); err != nil {
		t.Fatal(err)
	}
	if err := clerk.open(ctx, p.address+"/check"); err != nil || strings.Contains(clerk.text(), bank.Name) {
		t.Errorf("the clerk is still known: %v", err)
	}
	for _, name := range []service.Program{service.Verifier, service.Casework} {
		running[name].stop()
	}
	for _, name := range three {
		if found := p.programs[name].panics(); len(found) > 0 {
			t.Errorf("%s: %s", name, found)
		}
	}
}

// checkThreeWays has the bank check an excerpt by code, QR and file.
func (p *processes) checkThreeWays(ctx context.Context, clerk *visitor, e summaryExcerpt) error {
	token, err := p.token(ctx)
	if err != nil {
		return err
	}
	by := people.Organisations[0].Name
	if err := p.checkByAPI(ctx, token, tesdiq.ByCode, "/api/v1/checks", "application/json", fmt.Appendf(nil, `{"code": %q, "purpose": "credit"}`, e.Code), e, by); err != nil {
		return err
	}
	if err := p.checkByQR(ctx, clerk, e, by); err != nil {
		return err
	}
	return p.checkByAPI(ctx, token, tesdiq.ByFile, "/api/v1/documents?purpose=credit", "application/pdf", e.bytes, e, by)
}

// signOut presses the button that is on every page.
func (v *visitor) signOut(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.at.ResolveReference(&url.URL{Path: "/signout"}).String(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return v.do(r)
}

func (p *processes) onlyTheVerifiersRolesAreConnected() {
	p.in.t.Helper()
	// The server notices in its own time that the others are dead.
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		rows, _ := p.admin.Query(p.in.t.Context(), `SELECT DISTINCT usename::text FROM pg_stat_activity WHERE usename LIKE 'tesdiq\_%' ORDER BY 1`)
		roles, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err == nil && slices.Equal(roles, []string{string(postgres.Reception), string(postgres.Verifier)}) {
			return
		}
		if err != nil || time.Now().After(end) {
			p.in.t.Errorf("connected are %s, %v", roles, err)
			return
		}
	}
}

// Every address of the service is one program's, and the proxy of docs/nginx.example.conf asks that one.
func TestEveryAddressIsOneProgramsAndTheProxyKnowsIt(t *testing.T) {
	p := installThree(t)
	p.start(three...)
	golden, err := os.ReadFile("testdata/routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	inside := []string{"/healthz", "/readyz", "/metrics"}
	everywhere := append([]string{"/static/{file}", "/favicon.ico", "/robots.txt"}, inside...)
	want := map[string]bool{}
	braces := regexp.MustCompile(`\{\w+\}|\*`)
	for _, m := range regexp.MustCompile(`(?m)^(GET|POST) (/\S*)`).FindAllStringSubmatch(string(golden), -1) {
		method, pattern := m[1], m[2]
		if strings.HasPrefix(pattern, demoprovider.Path) || strings.HasPrefix(pattern, "/demo/") {
			continue
		}
		want[pattern] = true
		for _, name := range three {
			r, err := http.NewRequestWithContext(t.Context(), method, p.programs[name].address+braces.ReplaceAllString(pattern, "x"), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultTransport.RoundTrip(r) // without following a redirect
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
	}
	has := map[string][]service.Program{}
	for _, name := range three {
		answer, err := http.Get(p.programs[name].address + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		answered := map[string]bool{"/metrics": true}
		for _, m := range regexp.MustCompile(`tesdiq_http_request_seconds_count\{route="(/[^"]*)"`).FindAllSubmatch(page, -1) {
			answered[string(m[1])] = true
		}
		for pattern := range answered {
			has[pattern] = append(has[pattern], name)
		}
	}
	if len(want) < 40 {
		t.Fatalf("only %d addresses", len(want))
	}
	for pattern := range want {
		programs := has[pattern]
		switch {
		case slices.Contains(everywhere, pattern):
			if len(programs) != len(three) {
				t.Errorf("%s is answered by %s only", pattern, programs)
			}
		case len(programs) != 1:
			t.Errorf("%s is answered by %s, want one", pattern, programs)
		case pattern != "/pki/tsa" && p.program(pattern) != programs[0]: // which no proxy passes on
			t.Errorf("%s is answered by %s, and the proxy asks %s", pattern, programs[0], p.program(pattern))
		}
	}
	for pattern := range has {
		if !want[pattern] {
			t.Errorf("%s is not in testdata/routes.txt", pattern)
		}
	}
}

// Each program refuses what is missing, unsafe or another's, and another role's password does not let it in.
func TestEachProgramRefusesWhatIsNotForIt(t *testing.T) {
	p := installThree(t)
	try := func(name service.Program, change func(config string) string, says ...string) {
		t.Helper()
		file := p.in.path(string(name) + "/" + string(name) + ".toml")
		good, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p.in.write(string(name)+"/changed.toml", 0o600, change(string(good)))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		c := exec.CommandContext(ctx, p.programs[name].path, "-config", p.in.path(string(name)+"/changed.toml"))
		var said bytes.Buffer
		c.Stdout, c.Stderr = &said, &said
		if err := c.Run(); err == nil || ctx.Err() != nil {
			t.Errorf("%s starts: %v %s", name, err, &said)
		}
		for _, s := range says {
			if !strings.Contains(said.String(), s) {
				t.Errorf("%s does not say %q: %s", name, s, &said)
			}
		}
	}
	add := func(text string) func(string) string {
		return func(config string) string { return config + "\n" + text + "\n" }
	}
	instead := func(old, new string) func(string) string {
		return func(config string) string {
			if !strings.Contains(config, old) {
				t.Fatalf("no %q in %s", old, config)
			}
			return strings.Replace(config, old, new, 1)
		}
	}
	keys := "[keys]\ndir = \"" + p.in.path("issuer/keys") + "\""
	try(service.Verifier, add(keys), "keys.dir: does not belong to verifier: only the issuing process has keys")
	try(service.Casework, add(keys), "keys.dir: does not belong to casework: only the issuing process has keys")
	try(service.Verifier, instead("[trust]", "client_secret_file = \"x\"\n[trust]"), "sign_in.client_secret_file: does not belong to verifier")
	try(service.Issuer, add("[sign_in]\nissuer = \"https://sign-in.example\""), "sign_in.issuer: does not belong to issuer")
	try(service.Issuer, instead("127.0.0.1", "0.0.0.0"), "may be reached by everybody")
	try(service.Issuer, instead("127.0.0.1", ""), "may be reached by everybody")
	try(service.Issuer, instead("127.0.0.1", "192.0.2.1"), "may be reached by everybody")
	for _, name := range three {
		try(name, func(string) string { return "" }, "database.passwords", "public_url", "address")
	}
	try(service.Verifier, func(string) string { return "" }, "trust.roots", "sign_in.issuer")
	try(service.Casework, func(string) string { return "" }, "sign_in.client_id", "sign_in.client_secret_file", "sign_in.issuer")
	try(service.Issuer, func(string) string { return "" }, "keys.dir")

	if err := os.Chmod(p.in.path("verifier/roots.pem"), 0o666); err != nil {
		t.Fatal(err)
	}
	try(service.Verifier, add(""), "trust.roots", "can be changed by others")
	if err := os.Chmod(p.in.path("verifier/roots.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.copy("passwords/tesdiq_issuer", "verifier/passwords/tesdiq_issuer", 0o600)
	try(service.Verifier, add(""), "holds the password of tesdiq_issuer, which verifier must not have")
	// Under its own name, another's password opens nothing.
	if err := os.Rename(p.in.path("verifier/passwords/tesdiq_issuer"), p.in.path("verifier/passwords/tesdiq_verifier")); err != nil {
		t.Fatal(err)
	}
	try(service.Verifier, add(""), "does not let us in", "tesdiq_verifier")
	p.copy("passwords/tesdiq_cabinet", "issuer/passwords/tesdiq_issuer", 0o600)
	try(service.Issuer, add(""), "does not let us in", "tesdiq_issuer")
}
