package signin_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/signin"
	"github.com/tesdiq/tesdiq/web/signin/demoprovider"
	"github.com/tesdiq/tesdiq/web/webtest"
)

const bank = tesdiq.VOEN("1400057421")

// members are who may act for the bank, which is organisation 1.
type members map[tesdiq.FIN]bool

func (m members) Membership(_ context.Context, fin tesdiq.FIN, id int64) (web.Organisation, error) {
	if !m[fin] || id != 1 {
		return web.Organisation{}, tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
	}
	return web.Organisation{ID: 1, Name: "Nümunə Bank", Role: "clerk"}, nil
}

func (m members) OrganisationByVOEN(_ context.Context, fin tesdiq.FIN, voen tesdiq.VOEN) (int64, error) {
	if !m[fin] || voen != bank {
		return 0, tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
	}
	return 1, nil
}

var people = []demoprovider.Person{
	{FIN: "5ZK8R2M", Name: tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin", Father: "Əli"}, Sex: tesdiq.Female},
	{FIN: "7AB2C3D", Name: tesdiq.Name{Surname: "Həsənova", Given: "Aysel", Father: "Rauf"}, Sex: tesdiq.Female,
		Organisations: []demoprovider.Organisation{{VOEN: bank, Name: "Nümunə Bank"}}},
}

// who shows the viewer as text.
func who(s *web.Shell) web.Routes {
	return func(r chi.Router) {
		r.Get("/cabinet", s.Person(func(w http.ResponseWriter, r *http.Request) error {
			v := web.ViewerOf(r.Context())
			_, err := fmt.Fprintf(w, "%s|%s|%s", v.Label(), v.Person.FIN, v.Person.Method)
			return err
		}))
	}
}

// demo starts a service with the demo's provider on the same address.
func demo(t *testing.T, m members) *webtest.Browser {
	t.Helper()
	s := webtest.Shell(t, func(c *web.Config) { c.Members = m })
	var handler http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	p, err := demoprovider.New(s, demoprovider.Config{
		Address: srv.URL, ClientID: "tesdiq", Secret: "s:e+c%ret",
		RedirectURLs: []string{srv.URL + "/signin/callback"}, PostLogoutURLs: []string{srv.URL + "/signin/out"}, People: people,
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := signin.New(s, signin.Config{
		Issuer: p.Issuer(), ClientID: "tesdiq", Secret: "s:e+c%ret",
		RedirectURL: srv.URL + "/signin/callback", PostLogout: srv.URL + "/signin/out",
	}, m)
	if err != nil {
		t.Fatal(err)
	}
	handler = s.Router(h.Routes, p.Routes, who(s))
	return webtest.Another(t, srv)
}

// follow goes where a redirect leads, at the same server.
func follow(t *testing.T, b *webtest.Browser, a webtest.Answer) webtest.Answer {
	t.Helper()
	if a.Status != http.StatusSeeOther {
		t.Fatalf("no redirect but %d: %s", a.Status, a.Body)
	}
	return b.Get(strings.TrimPrefix(a.Header.Get("Location"), b.Server.URL))
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)

// pick fills in the provider's form as a person would.
func pick(t *testing.T, b *webtest.Browser, page webtest.Answer, person, method string) webtest.Answer {
	t.Helper()
	form := url.Values{"person": {person}, "method": {method}}
	for _, m := range hidden.FindAllStringSubmatch(page.Body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return b.Post("/demo-provider/authorize", form)
}

func TestSigningInAndOut(t *testing.T) {
	b := demo(t, members{"7AB2C3D": true})
	for _, c := range []struct{ person, method, want string }{
		{"5ZK8R2M", "face", "Nərmin Quliyeva|5ZK8R2M|face"},
		{"7AB2C3D", "number", "Aysel Həsənova|7AB2C3D|number"},
		{"7AB2C3D:" + string(bank), "e-signature", "Nümunə Bank · Aysel H.|7AB2C3D|e-signature"},
		{"7AB2C3D:" + string(bank), "token", "Nümunə Bank · Aysel H.|7AB2C3D|token"},
	} {
		page := follow(t, b, follow(t, b, b.Get("/cabinet")))
		back := pick(t, b, page, c.person, c.method)
		before := cookie(t, b)
		home := follow(t, b, back)
		if cookie(t, b) == before {
			t.Error("the session's token did not change at sign-in")
		}
		if home.Header.Get("Location") != "/cabinet" {
			t.Errorf("led to %q", home.Header.Get("Location"))
		}
		if got := b.Get("/cabinet").Body; got != c.want {
			t.Errorf("signed in as %q, want %q", got, c.want)
		}
		stolen := cookie(t, b)
		out := follow(t, b, follow(t, b, b.Post("/signout", nil)))
		if out.Status != http.StatusOK || !strings.Contains(out.Body, "Siz çıxdınız") {
			t.Errorf("out: %d %s", out.Status, out.Body)
		}
		thief := webtest.Another(t, b.Server)
		thief.Header.Set("Cookie", "session="+stolen)
		if a := thief.Get("/cabinet"); a.Status != http.StatusSeeOther {
			t.Errorf("a session that was signed out still answers %d: %s", a.Status, a.Body)
		}
	}
}

func cookie(t *testing.T, b *webtest.Browser) string {
	t.Helper()
	u, err := url.Parse(b.Server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Client.Jar.Cookies(u) {
		if c.Name == "session" {
			return c.Value
		}
	}
	t.Fatal("no session cookie")
	return ""
}

func TestWhoIsNoMemberDoesNotSignInForTheOrganisation(t *testing.T) {
	b := demo(t, members{})
	page := follow(t, b, follow(t, b, b.Get("/cabinet")))
	a := follow(t, b, pick(t, b, page, "7AB2C3D:"+string(bank), "e-signature"))
	if a.Status != http.StatusForbidden || !strings.Contains(a.Body, "üzv") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := b.Get("/cabinet"); a.Status != http.StatusSeeOther {
		t.Errorf("signed in all the same: %d", a.Status)
	}
}

func TestTheProviderRefusesBadRequests(t *testing.T) {
	b := demo(t, members{})
	begin := b.Get("/signin")
	good, err := url.Parse(begin.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, value, want string }{
		{"redirect_uri", "https://example.org/", "422"},
		{"redirect_uri", b.Server.URL + "/signin/callback/", "422"},
		{"client_id", "other", "422"},
		{"response_type", "token", "unsupported_response_type"},
		{"scope", "profile", "invalid_scope"},
		{"code_challenge_method", "plain", "invalid_request"},
		{"code_challenge", "", "invalid_request"},
	} {
		q := good.Query()
		q.Set(c.name, c.value)
		a := b.Get(good.Path + "?" + q.Encode())
		got := fmt.Sprint(a.Status)
		if a.Status == http.StatusSeeOther {
			u, err := url.Parse(a.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			got = u.Query().Get("error")
		}
		if got != c.want {
			t.Errorf("%s=%q: %s, want %s", c.name, c.value, got, c.want)
		}
	}
	page := b.Get(good.Path + "?" + good.RawQuery)
	for _, c := range []struct{ person, method string }{{"", "face"}, {"0000000", "face"}, {"5ZK8R2M", ""}, {"5ZK8R2M", "x"}, {"7AB2C3D:" + string(bank), "face"}, {"5ZK8R2M:" + string(bank), "token"}} {
		if a := pick(t, b, page, c.person, c.method); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `role="alert"`) {
			t.Errorf("%v: %d", c, a.Status)
		}
	}
}

func TestACodeWorksOnceAndOnlyWithItsVerifier(t *testing.T) {
	b := demo(t, members{})
	page := follow(t, b, b.Get("/signin"))
	code := func() string {
		u, err := url.Parse(pick(t, b, page, "5ZK8R2M", "face").Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get("code")
	}
	ask := func(code, verifier, secret string) webtest.Answer {
		return b.Post("/demo-provider/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "client_id": {"tesdiq"}, "client_secret": {secret},
			"redirect_uri": {b.Server.URL + "/signin/callback"},
		})
	}
	if a := ask(code(), "wrong", "s:e+c%ret"); a.Status != http.StatusBadRequest {
		t.Errorf("another verifier: %d %s", a.Status, a.Body)
	}
	if a := ask(code(), "wrong", "guess"); a.Status != http.StatusUnauthorized {
		t.Errorf("another secret: %d %s", a.Status, a.Body)
	}
	// The real client uses its code first; then nobody can.
	back := pick(t, b, page, "5ZK8R2M", "face")
	u, err := url.Parse(back.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	follow(t, b, back)
	if a := ask(u.Query().Get("code"), "anything", "s:e+c%ret"); a.Status != http.StatusBadRequest {
		t.Errorf("used code: %d %s", a.Status, a.Body)
	}
	// The callback itself works once as well.
	if a := b.Get(u.RequestURI()); a.Status != http.StatusBadRequest {
		t.Errorf("replayed callback: %d", a.Status)
	}
}

func TestCallbacksThatAreRefused(t *testing.T) {
	b := demo(t, members{})
	state := func() string {
		u, err := url.Parse(b.Get("/signin?to=/cabinet").Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		return u.Query().Get("state")
	}
	for _, c := range []struct {
		name, query string
		status      int
		says        string
	}{
		{"no state", "code=x", http.StatusBadRequest, "keçərli deyil"},
		{"another's state", "code=x&state=0000", http.StatusBadRequest, "keçərli deyil"},
		{"mixed-up issuer", "code=x&iss=https://example.org&state=" + state(), http.StatusBadRequest, "keçərli deyil"},
		{"refused by the person", "error=access_denied&state=" + state(), http.StatusForbidden, "Daxil olmadınız"},
		{"fault at the provider", "error=server_error&error_description=%3Cscript%3E&state=" + state(), http.StatusBadGateway, "Daxil olmaq alınmadı"},
		{"a code that the provider does not know", "code=x&state=" + state(), http.StatusBadGateway, "Daxil olmaq alınmadı"},
	} {
		a := b.Get("/signin/callback?" + c.query)
		if a.Status != c.status || !strings.Contains(a.Body, c.says) || strings.Contains(a.Body, "<script") {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
}

func TestAProviderThatIsDownStopsNothingElse(t *testing.T) {
	s := webtest.Shell(t)
	h, err := signin.New(s, signin.Config{Issuer: "http://127.0.0.1:1", ClientID: "x", RedirectURL: "http://127.0.0.1:2/signin/callback"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := webtest.Open(t, s, h.Routes, s.Public)
	if a := b.Get("/signin"); a.Status != http.StatusServiceUnavailable || !strings.Contains(a.Body, "cavab vermir") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := b.Get("/"); a.Status != http.StatusOK {
		t.Errorf("first page: %d", a.Status)
	}
	b.SignIn("")
	if a := b.Post("/signout", nil); a.Header.Get("Location") != "/signin/out" {
		t.Errorf("sign-out: %d to %q", a.Status, a.Header.Get("Location"))
	}
}

func TestNobodyIsSentElsewhere(t *testing.T) {
	for _, to := range []string{"https://example.org", "//example.org", `/\example.org`, "/\t/example.org", "javascript:alert(1)", "/..//example.org", "http:/example.org", "%2f%2fexample.org"} {
		b := demo(t, members{})
		page := follow(t, b, b.Get("/signin?to="+url.QueryEscape(to)))
		home := follow(t, b, pick(t, b, page, "5ZK8R2M", "face"))
		if got := home.Header.Get("Location"); got != "/cabinet" {
			t.Errorf("%q led to %q", to, got)
		}
	}
}

// forger is a provider that gives whatever ID token a test wants.
type forger struct {
	key    *ecdsa.PrivateKey
	issuer string
	client string
	nonce  string
	token  func(f *forger) string
}

func (f *forger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	var v any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		v = map[string]any{
			"issuer": f.issuer, "authorization_endpoint": f.issuer + "/a", "token_endpoint": f.issuer + "/t", "jwks_uri": f.issuer + "/k",
			"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
		}
	case "/k":
		v = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: f.key.Public(), KeyID: "one", Algorithm: "ES256", Use: "sig"}}}
	case "/t":
		v = map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": f.token(f)}
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func (f *forger) claims() map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": f.issuer, "sub": "1", "aud": f.client, "nonce": f.nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		"fin": "5ZK8R2M", "family_name": "Quliyeva", "given_name": "Nərmin", "middle_name": "Əli", "sex": "f", "amr": []string{"face"},
	}
}

func (f *forger) with(name string, value any) string {
	c := f.claims()
	if value == nil {
		delete(c, name)
	} else {
		c[name] = value
	}
	return f.signed(c)
}

func (f *forger) signed(claims map[string]any) string {
	return sign(jose.ES256, jose.JSONWebKey{Key: f.key, KeyID: "one"}, claims)
}

func sign(alg jose.SignatureAlgorithm, key any, claims any) string {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		panic(err)
	}
	raw, err := jwt.Signed(s).Claims(claims).Serialize()
	if err != nil {
		panic(err)
	}
	return raw
}

// S18: tokens that are not exactly ours are refused, whatever is wrong with them.
func TestForgedTokensAreRefused(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64 := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	old := time.Now().Add(-time.Hour).Unix()
	for _, c := range []struct {
		name  string
		good  bool
		token func(f *forger) string
	}{
		{"as it should be", true, func(f *forger) string { return f.with("azp", f.client) }},
		{"alg none", false, func(f *forger) string { return b64(map[string]string{"alg": "none"}) + "." + b64(f.claims()) + "." }},
		{"HMAC with the client's secret", false, func(f *forger) string { return sign(jose.HS256, []byte(strings.Repeat("secret", 8)), f.claims()) }},
		{"another key", false, func(f *forger) string { return sign(jose.ES256, jose.JSONWebKey{Key: other, KeyID: "one"}, f.claims()) }},
		{"kid of a file", false, func(f *forger) string {
			return sign(jose.ES256, jose.JSONWebKey{Key: other, KeyID: "../../dev/null"}, f.claims())
		}},
		{"key brought along", false, func(f *forger) string {
			s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: other}, &jose.SignerOptions{EmbedJWK: true})
			if err != nil {
				t.Fatal(err)
			}
			raw, err := jwt.Signed(s).Claims(f.claims()).Serialize()
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}},
		{"another audience", false, func(f *forger) string { return f.with("aud", "other") }},
		{"no audience", false, func(f *forger) string { return f.with("aud", nil) }},
		{"two audiences without azp", false, func(f *forger) string { return f.with("aud", []string{f.client, "other"}) }},
		{"azp of another", false, func(f *forger) string { return f.with("azp", "other") }},
		{"another issuer", false, func(f *forger) string { return f.with("iss", "https://example.org") }},
		{"over", false, func(f *forger) string { return f.with("exp", old) }},
		{"from the future", false, func(f *forger) string { return f.with("iat", time.Now().Add(time.Hour).Unix()) }},
		{"nonce of another sign-in", false, func(f *forger) string { return f.with("nonce", "replayed") }},
		{"no nonce", false, func(f *forger) string { return f.with("nonce", nil) }},
		{"access token of another", false, func(f *forger) string { return f.with("at_hash", "AAAAAAAAAAAAAAAAAAAAAA") }},
		{"no FIN", false, func(f *forger) string { return f.with("fin", nil) }},
		{"malformed FIN", false, func(f *forger) string { return f.with("fin", "5ZK8R2O") }},
		{"name with mark-up", false, func(f *forger) string { return f.with("given_name", "<script>") }},
		{"organisation without members", false, func(f *forger) string { return f.with("voen", string(bank)) }},
		{"no token at all", false, func(*forger) string { return "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &forger{key: key, client: "tesdiq", token: c.token}
			op := httptest.NewServer(f)
			t.Cleanup(op.Close)
			f.issuer = op.URL
			s := webtest.Shell(t)
			h, err := signin.New(s, signin.Config{Issuer: op.URL, ClientID: "tesdiq", Secret: strings.Repeat("secret", 8), RedirectURL: "http://127.0.0.1:2/signin/callback"}, nil)
			if err != nil {
				t.Fatal(err)
			}
			b := webtest.Open(t, s, h.Routes, who(s))
			u, err := url.Parse(b.Get("/signin").Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			f.nonce = u.Query().Get("nonce")
			a := b.Get("/signin/callback?code=x&state=" + u.Query().Get("state"))
			in := b.Get("/cabinet").Status == http.StatusOK
			if in != c.good || (a.Status == http.StatusSeeOther) != c.good {
				t.Errorf("signed in %v, status %d", in, a.Status)
			}
		})
	}
}

// leftover finds what no finished page has: a key instead of its words, an open placeholder.
var leftover = regexp.MustCompile(`>[^<]*\b(?:web|signin|problem|demoprovider)\.[a-z-]+[^<]*<|<no value>|\{\{|%!|ZgotmplZ`)

func TestPagesInEveryLanguage(t *testing.T) {
	for _, lang := range tesdiq.Langs {
		b := demo(t, members{"7AB2C3D": true})
		b.Get("/signin/out?lang=" + string(lang)) // remembers the language
		page := follow(t, b, b.Get("/signin"))
		state := func() string {
			u, err := url.Parse(b.Get("/signin").Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			return u.Query().Get("state")
		}
		for name, a := range map[string]webtest.Answer{
			"pick": page, "pick again": pick(t, b, page, "", ""), "out": b.Get("/signin/out"), "stale": b.Get("/signin/callback"),
			"denied": b.Get("/signin/callback?error=access_denied&state=" + state()), "provider": b.Get("/signin/callback?error=x&state=" + state()),
			"provider's refusal": b.Get("/demo-provider/authorize"), "provider's end": b.Get("/demo-provider/end_session"),
		} {
			if !strings.Contains(a.Body, `<html lang="`+string(lang)+`">`) || strings.Count(a.Body, "<h1") != 1 {
				t.Errorf("%s is not a page in %s: %s", name, lang, a.Body)
			}
			if m := leftover.FindString(a.Body); m != "" {
				t.Errorf("%s in %s: %q", name, lang, m)
			}
		}
	}
}

func TestWhoCancelsAtTheProviderComesBack(t *testing.T) {
	b := demo(t, members{})
	page := follow(t, b, b.Get("/signin?to=/check"))
	form := url.Values{"cancel": {"1"}}
	for _, m := range hidden.FindAllStringSubmatch(page.Body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	a := follow(t, b, b.Post("/demo-provider/authorize", form))
	if a.Status != http.StatusForbidden || !strings.Contains(a.Body, `href="/signin?to=%2Fcheck"`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

// Two windows may sign in at once; more than a few only push the oldest out.
func TestSeveralWindows(t *testing.T) {
	b := demo(t, members{})
	var pages []webtest.Answer
	for range 7 {
		pages = append(pages, follow(t, b, b.Get("/signin")))
	}
	if a := follow(t, b, pick(t, b, pages[0], "5ZK8R2M", "face")); a.Status != http.StatusBadRequest {
		t.Errorf("the oldest of seven: %d", a.Status)
	}
	if a := follow(t, b, pick(t, b, pages[3], "5ZK8R2M", "face")); a.Status != http.StatusSeeOther {
		t.Errorf("one of the last five: %d", a.Status)
	}
}
