// Package demoprovider is the demonstration's own OpenID Connect provider: who wants to sign in picks one of a handful
// of invented persons. It asks for no proof, so it must never stand in front of real data.
package demoprovider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Path is under which the provider is served; its issuer address is the service's address and this.
const Path = "/demo-provider"

// Person is one of those who may be picked.
type Person struct {
	FIN           tesdiq.FIN
	Name          tesdiq.Name
	Sex           tesdiq.Sex
	Try           string // key of the locale files: what to try as this person
	Organisations []Organisation
	Commission    string // that he is a member of: he is offered among the members of commissions, which are many
}

// Organisation is one with whose e-signature the person may sign in.
type Organisation struct {
	VOEN tesdiq.VOEN
	Name string
}

// Config names the only client, and the people.
type Config struct {
	Address          string // of the service, without a path: "http://localhost:8080"
	Issuer           string // the provider's name and address; empty: Address and Path
	ClientID, Secret string
	RedirectURLs     []string // exact
	PostLogoutURLs   []string // exact
	People           []Person
}

// Provider answers as an OpenID Connect provider.
type Provider struct {
	shell  *web.Shell
	config Config
	pages  *web.Pages
	key    *ecdsa.PrivateKey
	kid    string

	mu    sync.Mutex
	codes map[string]grant // guarded by mu
}

// grant is what a code stands for.
type grant struct {
	person      Person
	voen        tesdiq.VOEN
	method      string
	redirectURL string
	nonce       string
	challenge   string
	until       time.Time
}

// Methods are the ways to sign in that the real provider has, with their "amr".
var Methods = []struct{ Method, AMR string }{{"e-signature", "esign"}, {"face", "face"}, {"number", "pin"}, {"token", "hwk"}}

const (
	codeLife  = time.Minute
	tokenLife = 5 * time.Minute
	mostCodes = 10_000 // under way at once; far more than a demonstration has
)

// New makes a provider with a key of its own, which nobody keeps.
func New(s *web.Shell, c Config) (*Provider, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), s.Rand)
	if err != nil {
		return nil, fmt.Errorf("demoprovider: %w", err)
	}
	kid, err := tesdiq.RandomText(s.Rand, 16)
	if err != nil {
		return nil, fmt.Errorf("demoprovider: %w", err)
	}
	pages, err := s.Pages(pageFiles)
	if err != nil {
		return nil, err
	}
	return &Provider{shell: s, config: c, pages: pages, key: key, kid: kid, codes: make(map[string]grant)}, nil
}

// Issuer is the provider's name and address.
func (p *Provider) Issuer() string {
	if p.config.Issuer != "" {
		return p.config.Issuer
	}
	return p.config.Address + Path
}

// Routes registers the provider's addresses.
func (p *Provider) Routes(r chi.Router) {
	r.Get(Path+"/.well-known/openid-configuration", p.shell.Do(p.discovery))
	r.Get(Path+"/jwks", p.shell.Do(p.jwks))
	r.Get(Path+"/authorize", p.shell.Do(p.ask))
	r.Post(Path+"/authorize", p.shell.Do(p.answer))
	r.Post(Path+"/token", p.shell.Do(p.token))
	r.Get(Path+"/end_session", p.shell.Do(p.endSession))
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, map[string]any{
		"issuer":                                         p.Issuer(),
		"authorization_endpoint":                         p.Issuer() + "/authorize",
		"token_endpoint":                                 p.Issuer() + "/token",
		"jwks_uri":                                       p.Issuer() + "/jwks",
		"end_session_endpoint":                           p.Issuer() + "/end_session",
		"scopes_supported":                               []string{"openid", "profile"},
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{"authorization_code"},
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"ES256"},
		"code_challenge_methods_supported":               []string{"S256"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"claims_supported":                               []string{"sub", "fin", "family_name", "given_name", "middle_name", "sex", "amr", "voen"},
		"ui_locales_supported":                           tesdiq.Langs,
		"authorization_response_iss_parameter_supported": true,
	})
}

func (p *Provider) jwks(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: p.key.Public(), KeyID: p.kid, Algorithm: string(jose.ES256), Use: "sig"},
	}})
}

// request is an authorization request that may be answered by a redirect.
type request struct{ redirectURL, state, nonce, challenge string }

var challengePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// errClient is for a request whose client or redirect address is not ours: it must not be redirected anywhere.
var errClient = tesdiq.Invalid("demoprovider.client")

// parse reads an authorization request. An error code of RFC 6749, 4.1.2.1 goes back to the client.
func (p *Provider) parse(q url.Values) (request, string, error) {
	a := request{q.Get("redirect_uri"), q.Get("state"), q.Get("nonce"), q.Get("code_challenge")}
	switch {
	case q.Get("client_id") != p.config.ClientID, !slices.Contains(p.config.RedirectURLs, a.redirectURL):
		return a, "", errClient
	case q.Get("response_type") != "code":
		return a, "unsupported_response_type", nil
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		return a, "invalid_scope", nil
	case q.Get("code_challenge_method") != "S256", !challengePattern.MatchString(a.challenge):
		return a, "invalid_request", nil
	}
	return a, "", nil
}

// back sends the browser to the client.
func (p *Provider) back(w http.ResponseWriter, r *http.Request, a request, name, value string) error {
	u, err := url.Parse(a.redirectURL)
	if err != nil {
		return fmt.Errorf("demoprovider: redirect: %w", err)
	}
	q := u.Query()
	q.Set(name, value)
	q.Set("iss", p.Issuer())
	if a.state != "" {
		q.Set("state", a.state)
	}
	u.RawQuery = q.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
	return nil
}

// parameters of a request that the page's form carries on.
var parameters = []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"}

type parameter struct{ Name, Value string }

type choice struct {
	Value, Name, Organisation, Try string
	Commission                     string
}

func (p *Provider) page(w http.ResponseWriter, r *http.Request, q url.Values, problems tesdiq.Problems) error {
	var data struct {
		Parameters     []parameter
		People         []choice
		Members        []choice // of commissions
		Member         bool     // one of them was picked before
		Methods        []web.Choice
		Person, Method string
		Cancel         string
	}
	lang := web.ViewerOf(r.Context()).Lang
	for _, name := range parameters {
		data.Parameters = append(data.Parameters, parameter{name, q.Get(name)})
	}
	for _, person := range p.config.People {
		c := choice{Value: string(person.FIN), Name: person.Name.Short(), Try: person.Try}
		if c.Commission = person.Commission; c.Commission != "" {
			data.Members = append(data.Members, c)
			data.Member = data.Member || c.Value == r.PostFormValue("person")
			continue
		}
		if len(person.Organisations) > 0 {
			c.Try = "demoprovider.myself" // what there is to try is tried for the organisation
		}
		data.People = append(data.People, c)
		for _, o := range person.Organisations {
			data.People = append(data.People, choice{Value: string(person.FIN) + ":" + string(o.VOEN), Name: person.Name.Short(), Organisation: o.Name, Try: person.Try})
		}
	}
	for _, m := range Methods {
		data.Methods = append(data.Methods, web.Choice{Value: m.Method, Label: p.shell.T(lang, "signin.method."+m.Method)})
	}
	data.Person, data.Method = r.PostFormValue("person"), r.PostFormValue("method")
	if data.Method == "" {
		data.Method = Methods[0].Method
	}
	self := Path + "/authorize?" + q.Encode()
	if r.Method == http.MethodGet {
		self = ""
	}
	return p.pages.Render(w, r, "pick.html", web.Page{Title: "demoprovider.title", Data: data, Problems: problems, NoIndex: true, Bare: true, Self: self})
}

// ask shows the people to pick from.
func (p *Provider) ask(w http.ResponseWriter, r *http.Request) error {
	a, code, err := p.parse(r.URL.Query())
	switch {
	case err != nil:
		return err
	case code != "":
		return p.back(w, r, a, "error", code)
	}
	return p.page(w, r, r.URL.Query(), nil)
}

// answer gives the client a code for the person who was picked.
func (p *Provider) answer(w http.ResponseWriter, r *http.Request) error {
	a, code, err := p.parse(r.PostForm)
	switch {
	case err != nil:
		return err
	case code != "":
		return p.back(w, r, a, "error", code)
	case r.PostFormValue("cancel") != "":
		return p.back(w, r, a, "error", "access_denied")
	}
	var problems tesdiq.Problems
	person, voen, ok := p.person(r.PostFormValue("person"))
	if !ok {
		problems.Add("person", tesdiq.Invalid("demoprovider.person"))
	}
	method := r.PostFormValue("method")
	i := slices.IndexFunc(Methods, func(m struct{ Method, AMR string }) bool { return m.Method == method })
	switch {
	case i < 0:
		problems.Add("method", tesdiq.Invalid("demoprovider.method"))
	case voen != "" && method != "e-signature" && method != "token":
		problems.Add("method", tesdiq.Invalid("demoprovider.organisation-signs"))
	}
	if problems.Err() != nil {
		return p.page(w, r, r.PostForm, problems)
	}
	code, err = p.issue(grant{person, voen, Methods[i].AMR, a.redirectURL, a.nonce, a.challenge, p.shell.Now().Add(codeLife)})
	if err != nil {
		return err
	}
	return p.back(w, r, a, "code", code)
}

func (p *Provider) person(value string) (Person, tesdiq.VOEN, bool) {
	fin, voen, acting := strings.Cut(value, ":")
	for _, person := range p.config.People {
		if string(person.FIN) != fin {
			continue
		}
		if !acting {
			return person, "", true
		}
		for _, o := range person.Organisations {
			if string(o.VOEN) == voen {
				return person, o.VOEN, true
			}
		}
	}
	return Person{}, "", false
}

// issue makes a code, and forgets those that are over.
func (p *Provider) issue(g grant) (string, error) {
	code, err := tesdiq.RandomText(p.shell.Rand, 32)
	if err != nil {
		return "", fmt.Errorf("demoprovider: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, old := range p.codes {
		if p.shell.Now().After(old.until) {
			delete(p.codes, c)
		}
	}
	if len(p.codes) >= mostCodes {
		return "", tesdiq.NewProblem(tesdiq.TooMany, "demoprovider.busy").With("Seconds", int(codeLife.Seconds()))
	}
	p.codes[code] = g
	return code, nil
}

// redeem takes a code, which works once.
func (p *Provider) redeem(code string) (grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.codes[code]
	delete(p.codes, code)
	return g, ok && !p.shell.Now().After(g.until)
}

// token exchanges a code for an ID token.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) error {
	id, secret, basic := r.BasicAuth()
	if basic { // RFC 6749, 2.3.1: both come form-encoded
		var err1, err2 error
		id, err1 = url.QueryUnescape(id)
		secret, err2 = url.QueryUnescape(secret)
		if errors.Join(err1, err2) != nil {
			id = ""
		}
	} else {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if !same(id, p.config.ClientID) || !same(secret, p.config.Secret) {
		w.Header().Set("WWW-Authenticate", `Basic realm="demo-provider"`)
		return reply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	}
	if r.PostFormValue("grant_type") != "authorization_code" {
		return reply(w, http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type"})
	}
	g, ok := p.redeem(r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || g.redirectURL != r.PostFormValue("redirect_uri") || !same(g.challenge, base64.RawURLEncoding.EncodeToString(sum[:])) {
		return reply(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
	}
	access, err := tesdiq.RandomText(p.shell.Rand, 32)
	if err != nil {
		return fmt.Errorf("demoprovider: %w", err)
	}
	raw, err := p.idToken(g)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "id_token": raw})
}

func (p *Provider) idToken(g grant) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: p.key, KeyID: p.kid}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("demoprovider: %w", err)
	}
	now := p.shell.Now()
	claims := map[string]any{
		"iss": p.Issuer(), "sub": string(g.person.FIN), "aud": p.config.ClientID, "azp": p.config.ClientID,
		"iat": now.Unix(), "exp": now.Add(tokenLife).Unix(), "auth_time": now.Unix(), "amr": []string{g.method},
		"fin": string(g.person.FIN), "family_name": g.person.Name.Surname, "given_name": g.person.Name.Given,
		"middle_name": g.person.Name.Father, "sex": string(g.person.Sex),
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	if g.voen != "" {
		claims["voen"] = string(g.voen)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("demoprovider: %w", err)
	}
	return raw, nil
}

// endSession sends the browser back to the client. There is nothing to end: nobody stays signed in here.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	to := q.Get("post_logout_redirect_uri")
	if !slices.Contains(p.config.PostLogoutURLs, to) || !p.ours(q.Get("id_token_hint")) {
		return p.pages.Render(w, r, "out.html", web.Page{Title: "signin.out.title", NoIndex: true, Bare: true})
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// ours says whether an ID token was signed here, for the client, at whatever time.
func (p *Provider) ours(raw string) bool {
	t, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return false
	}
	var c jwt.Claims
	if err := t.Claims(p.key.Public(), &c); err != nil {
		return false
	}
	return c.Issuer == p.Issuer() && c.Audience.Contains(p.config.ClientID)
}

func same(a, b string) bool { return b != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func reply(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("demoprovider: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // an error means that the client has gone
	return nil
}
