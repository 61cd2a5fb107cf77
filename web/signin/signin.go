// Package signin signs people in by OpenID Connect: authorization code, PKCE, nonce and state, against any provider.
package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

// Config names the provider, and us to it.
type Config struct {
	Issuer      string // address of the provider, as its ID tokens say it
	ClientID    string
	Secret      string
	RedirectURL string            // our /signin/callback, as registered at the provider
	PostLogout  string            // our /signin/out, as registered at the provider
	Scopes      []string          // besides openid; empty means profile
	Claims      Claims            // zero fields take the usual names
	Methods     map[string]string // values of "amr" → e-signature, face, number, token; nil means the usual ones
}

// Claims are the names under which the provider tells about a person.
type Claims struct {
	FIN, Surname, Given, Father, Sex string
	VOEN                             string // present when somebody signed in with an organisation's e-signature
}

func (c Claims) withDefaults() Claims {
	or := func(s *string, usual string) {
		if *s == "" {
			*s = usual
		}
	}
	or(&c.FIN, "fin")
	or(&c.Surname, "family_name")
	or(&c.Given, "given_name")
	or(&c.Father, "middle_name")
	or(&c.Sex, "sex")
	or(&c.VOEN, "voen")
	return c
}

// usualMethods are values of RFC 8176, and the demo's word for an e-signature.
var usualMethods = map[string]string{
	"esign": "e-signature", "sc": "e-signature", "swk": "e-signature",
	"face": "face", "pin": "number", "otp": "number", "hwk": "token",
}

// algorithms with which an ID token may be signed. "none" and the symmetric ones are not among them.
var algorithms = []string{oidc.ES256, oidc.ES384, oidc.PS256, oidc.PS384, oidc.RS256, oidc.EdDSA}

const (
	discoveryDeadline = 5 * time.Second
	exchangeDeadline  = 10 * time.Second
	skew              = time.Minute // that the provider's clock may differ from ours
	maxAnswer         = 1 << 20     // bytes of an answer of the provider
)

// Organisations tells for which organisation somebody may act.
type Organisations interface {
	// OrganisationByVOEN is the id of the open organisation with a VÖEN whose current member somebody is; else a Problem of kind NotFound.
	OrganisationByVOEN(ctx context.Context, fin tesdiq.FIN, voen tesdiq.VOEN) (int64, error)
}

// Web is the sign-in's side of the service.
type Web struct {
	// SignedIn is told of each sign-in before the session is somebody's; may be nil. Its error refuses the sign-in.
	SignedIn func(ctx context.Context, fin tesdiq.FIN) error
	// Sits says whether somebody is a member of a commission, whose pages the navigation then leads to; may be nil.
	Sits func(ctx context.Context, fin tesdiq.FIN) (bool, error)

	shell         *web.Shell
	config        Config
	organisations Organisations // nil: nobody signs in with an organisation's e-signature
	pages         *web.Pages
	client        *http.Client
	turn          chan struct{} // held by who asks for the provider's description
	found         *provider     // guarded by turn
}

// provider is what the provider says about itself.
type provider struct {
	oauth      oauth2.Config
	verifier   *oidc.IDTokenVerifier
	endSession string
}

// New prepares signing in. The provider is asked about itself at the first sign-in, so that the service starts without it.
func New(s *web.Shell, c Config, o Organisations) (*Web, error) {
	for _, address := range []string{c.Issuer, c.RedirectURL} {
		if u, err := url.Parse(address); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("signin: not an address: %q", address)
		}
	}
	if c.ClientID == "" {
		return nil, errors.New("signin: no client id")
	}
	c.Claims = c.Claims.withDefaults()
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile"}
	}
	if c.Methods == nil {
		c.Methods = usualMethods
	}
	pages, err := s.Pages(pageFiles)
	if err != nil {
		return nil, err
	}
	return &Web{
		shell: s, config: c, organisations: o, pages: pages, turn: make(chan struct{}, 1),
		client: &http.Client{Transport: bounded{http.DefaultTransport}, Timeout: exchangeDeadline},
	}, nil
}

// provider asks the provider about itself, once it answered never again. A provider that is down is asked again at the next sign-in.
func (h *Web) provider(ctx context.Context) (*provider, error) {
	ctx, cancel := context.WithTimeout(ctx, discoveryDeadline)
	defer cancel()
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("signin: provider: %w", ctx.Err())
	}
	if h.found != nil {
		return h.found, nil
	}
	p, err := oidc.NewProvider(oidc.ClientContext(ctx, h.client), h.config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("signin: provider: %w", err)
	}
	var more struct {
		EndSession string   `json:"end_session_endpoint"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := p.Claims(&more); err != nil {
		return nil, fmt.Errorf("signin: provider: %w", err)
	}
	algs := slices.DeleteFunc(slices.Clone(algorithms), func(a string) bool { return !slices.Contains(more.Algorithms, a) })
	if len(algs) == 0 {
		return nil, fmt.Errorf("signin: provider signs with none of %v", algorithms)
	}
	h.found = &provider{
		oauth: oauth2.Config{
			ClientID: h.config.ClientID, ClientSecret: h.config.Secret, Endpoint: p.Endpoint(),
			RedirectURL: h.config.RedirectURL, Scopes: append([]string{oidc.ScopeOpenID}, h.config.Scopes...),
		},
		verifier:   p.Verifier(&oidc.Config{ClientID: h.config.ClientID, SupportedSigningAlgs: algs, Now: h.shell.Now}),
		endSession: more.EndSession,
	}
	return h.found, nil
}

// identity is what an ID token says.
type identity struct {
	person web.Person
	voen   tesdiq.VOEN // "" when the person signed in for himself

	authTime time.Time // when the provider asked the person; zero: it does not say
	issuedAt time.Time
}

// identify exchanges a code for an ID token and checks it.
func (h *Web) identify(ctx context.Context, p *provider, f flow, code string) (identity, string, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, h.client), exchangeDeadline)
	defer cancel()
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return identity{}, "", fmt.Errorf("signin: exchange: %w", withoutBody(err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return identity{}, "", errors.New("signin: the provider gave no ID token")
	}
	id, err := p.verifier.Verify(ctx, raw) // signature, alg, iss, aud, exp
	if err != nil {
		return identity{}, "", fmt.Errorf("signin: ID token: %w", err)
	}
	if err := h.checkToken(id, f.Nonce, token.AccessToken); err != nil {
		return identity{}, "", err
	}
	who, err := h.read(id)
	return who, raw, err
}

// checkToken checks what the library leaves to us: nonce, azp, iat and at_hash (OpenID Connect Core 3.1.3.7).
func (h *Web) checkToken(id *oidc.IDToken, nonce, accessToken string) error {
	var c struct {
		AZP string `json:"azp"`
	}
	if err := id.Claims(&c); err != nil {
		return fmt.Errorf("signin: ID token: %w", err)
	}
	switch {
	case nonce == "" || id.Nonce != nonce:
		return errors.New("signin: ID token: not our nonce")
	case c.AZP != "" && c.AZP != h.config.ClientID, c.AZP == "" && len(id.Audience) > 1:
		return errors.New("signin: ID token: for another party")
	case id.IssuedAt.After(h.shell.Now().Add(skew)):
		return errors.New("signin: ID token: issued in the future")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(accessToken); err != nil {
			return fmt.Errorf("signin: ID token: %w", err)
		}
	}
	return nil
}

// read takes a person out of an ID token that has been checked.
func (h *Web) read(id *oidc.IDToken) (identity, error) {
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return identity{}, fmt.Errorf("signin: claims: %w", err)
	}
	text := func(name string) string { s, _ := claims[name].(string); return s }
	names := h.config.Claims
	fin, err := tesdiq.ParseFIN(text(names.FIN))
	if err != nil {
		return identity{}, fmt.Errorf("signin: claim %s: %v", names.FIN, err)
	}
	name, err := tesdiq.ParseName(text(names.Surname), text(names.Given), text(names.Father))
	if err != nil {
		return identity{}, fmt.Errorf("signin: claims of the name: %v", err)
	}
	who := identity{issuedAt: id.IssuedAt, person: web.Person{FIN: fin, Name: name, Method: "other", SignedInAt: h.shell.Now()}}
	if at, ok := claims["auth_time"].(float64); ok {
		who.authTime = time.Unix(int64(at), 0)
	}
	if sex := tesdiq.Sex(text(names.Sex)); sex.Valid() {
		who.person.Sex = sex
	}
	if list, ok := claims["amr"].([]any); ok {
		for _, v := range list {
			if s, ok := v.(string); ok && h.config.Methods[s] != "" {
				who.person.Method = h.config.Methods[s]
				break
			}
		}
	}
	if v := text(names.VOEN); v != "" {
		if who.voen, err = tesdiq.ParseVOEN(v); err != nil {
			return identity{}, fmt.Errorf("signin: claim %s: %v", names.VOEN, err)
		}
	}
	return who, nil
}

// withoutBody keeps the provider's words, which may hold anything, out of the log: its error code is enough.
func withoutBody(err error) error {
	if e := new(oauth2.RetrieveError); errors.As(err, &e) {
		status := 0
		if e.Response != nil {
			status = e.Response.StatusCode
		}
		return fmt.Errorf("the provider answered %d %.40q", status, e.ErrorCode)
	}
	return err
}

// bounded is a transport whose answers end after maxAnswer bytes.
type bounded struct{ next http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}
