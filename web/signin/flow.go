package signin

import (
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-chi/chi/v5"
	"golang.org/x/oauth2"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// flow is one sign-in under way, kept in the session of the browser that began it.
type flow struct {
	State, Nonce, Verifier string
	To                     string // where to go afterwards: a path of ours
	At                     time.Time

	About, Kept string     // of what somebody who is signed in confirms; empty: a sign-in
	FIN         tesdiq.FIN // his
}

const (
	flowsKey  = "signin"
	tokenKey  = "signin.id_token"
	mostFlows = 5                // sign-ins under way in one browser, one per window
	flowLife  = 15 * time.Minute // that somebody may take at the provider
)

// Routes registers the sign-in's addresses.
func (h *Web) Routes(r chi.Router) {
	r.Get("/signin", h.shell.Do(h.begin))
	r.Get("/signin/callback", h.shell.Do(h.callback))
	r.Post("/signout", h.shell.Do(h.signOut))
	r.Get("/signin/out", h.shell.Do(h.signedOut))
}

// begin sends the browser to the provider.
func (h *Web) begin(w http.ResponseWriter, r *http.Request) error {
	to := web.LocalPath(r.URL.Query().Get("to"))
	if to == "" {
		to = "/cabinet"
	}
	if web.ViewerOf(r.Context()).Person != nil {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	p, err := h.provider(r.Context())
	if err != nil {
		return h.down(w, r, err, flow{To: to})
	}
	f, err := h.newFlow(to)
	if err != nil {
		return err
	}
	if err := h.begun(r, f); err != nil {
		return err
	}
	http.Redirect(w, r, p.oauth.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier),
		oauth2.SetAuthURLParam("ui_locales", string(web.ViewerOf(r.Context()).Lang))), http.StatusSeeOther)
	return nil
}

// begun keeps a sign-in that goes to the provider now.
func (h *Web) begun(r *http.Request, f flow) error {
	flows := append(h.flows(r), f)
	if len(flows) > mostFlows {
		flows = flows[len(flows)-mostFlows:]
	}
	return h.keep(r, flows)
}

// newFlow draws the secrets of a sign-in, 160 random bits or more each.
func (h *Web) newFlow(to string) (flow, error) {
	f := flow{To: to, At: h.shell.Now()}
	for _, secret := range []struct {
		to  *string
		len int
	}{{&f.State, 32}, {&f.Nonce, 32}, {&f.Verifier, 52}} {
		s, err := tesdiq.RandomText(h.shell.Rand, secret.len)
		if err != nil {
			return f, fmt.Errorf("signin: %w", err)
		}
		*secret.to = s
	}
	return f, nil
}

// flows are the sign-ins under way in this browser that are not too old.
func (h *Web) flows(r *http.Request) []flow {
	var all, current []flow
	if err := json.Unmarshal([]byte(h.shell.Kept(r, flowsKey)), &all); err != nil {
		return nil // none yet
	}
	for _, f := range all {
		if h.shell.Now().Sub(f.At) < flowLife {
			current = append(current, f)
		}
	}
	return current
}

func (h *Web) keep(r *http.Request, flows []flow) error {
	b, err := json.Marshal(flows)
	if err != nil {
		return fmt.Errorf("signin: %w", err)
	}
	h.shell.Keep(r, flowsKey, string(b))
	return nil
}

// take finds the sign-in with a state and forgets it: a callback works once.
func (h *Web) take(r *http.Request, state string) (flow, bool, error) {
	flows := h.flows(r)
	for i, f := range flows {
		if state != "" && subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) == 1 {
			return f, true, h.keep(r, append(flows[:i:i], flows[i+1:]...))
		}
	}
	return flow{}, false, nil
}

// callback is where the provider sends the browser back.
func (h *Web) callback(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f, ok, err := h.take(r, q.Get("state"))
	if err != nil {
		return err
	}
	if !ok {
		return h.failed(w, r, "stale", http.StatusBadRequest, flow{})
	}
	if iss := q.Get("iss"); iss != "" && iss != h.config.Issuer { // RFC 9207
		return h.failed(w, r, "stale", http.StatusBadRequest, f)
	}
	switch q.Get("error") {
	case "":
	case "access_denied":
		return h.failed(w, r, "denied", http.StatusForbidden, f)
	default:
		return h.failed(w, r, "provider", http.StatusBadGateway, f)
	}
	p, err := h.provider(r.Context())
	if err != nil {
		return h.down(w, r, err, f)
	}
	who, token, err := h.identify(r.Context(), p, f, q.Get("code"))
	if err != nil {
		h.shell.Log.WarnContext(r.Context(), "sign-in refused", "err", err)
		return h.failed(w, r, "provider", http.StatusBadGateway, f)
	}
	if f.About != "" {
		return h.proved(w, r, f, who, token)
	}
	organisation, err := h.organisation(r, who)
	if errors.Is(err, notMember) {
		return h.failed(w, r, "not-member", http.StatusForbidden, f)
	}
	if err != nil {
		return err
	}
	if h.SignedIn != nil {
		if err := h.SignedIn(r.Context(), who.person.FIN); err != nil {
			return err
		}
	}
	if h.Sits != nil {
		if who.person.Sits, err = h.Sits(r.Context(), who.person.FIN); err != nil {
			return err
		}
	}
	if err := h.shell.SignIn(r, who.person, organisation); err != nil {
		return err
	}
	h.shell.Keep(r, tokenKey, token) // the provider wants it back at sign-out
	http.Redirect(w, r, f.To, http.StatusSeeOther)
	return nil
}

var notMember = tesdiq.NewProblem(tesdiq.Forbidden, "signin.not-member")

// organisation is the id of the one with whose e-signature somebody signed in, or 0.
func (h *Web) organisation(r *http.Request, who identity) (int64, error) {
	if who.voen == "" {
		return 0, nil
	}
	if h.organisations == nil {
		return 0, notMember
	}
	id, err := h.organisations.OrganisationByVOEN(r.Context(), who.person.FIN, who.voen)
	if err != nil && tesdiq.ProblemsOf(err)[0].Kind == tesdiq.NotFound {
		return 0, notMember
	}
	return id, err
}

// signOut ends the session here, whatever the provider does, and then at the provider.
func (h *Web) signOut(w http.ResponseWriter, r *http.Request) error {
	token := h.shell.Kept(r, tokenKey)
	if err := h.shell.SignOut(r); err != nil {
		return err
	}
	p, err := h.provider(r.Context())
	if err != nil || p.endSession == "" || token == "" {
		http.Redirect(w, r, "/signin/out", http.StatusSeeOther)
		return nil
	}
	u, err := url.Parse(p.endSession)
	if err != nil {
		return fmt.Errorf("signin: end_session_endpoint: %w", err)
	}
	q := u.Query()
	q.Set("id_token_hint", token)
	q.Set("client_id", h.config.ClientID)
	if h.config.PostLogout != "" {
		q.Set("post_logout_redirect_uri", h.config.PostLogout)
	}
	u.RawQuery = q.Encode()
	http.Redirect(w, r, u.String(), http.StatusSeeOther)
	return nil
}

func (h *Web) signedOut(w http.ResponseWriter, r *http.Request) error {
	return h.pages.Render(w, r, "out.html", web.Page{Title: "signin.out.title", NoIndex: true})
}

// failed is the page of a sign-in that did not come about, with a button to try again; or of a confirmation, which leads
// back to where it began.
func (h *Web) failed(w http.ResponseWriter, r *http.Request, why string, status int, f flow) error {
	data := struct {
		Text, Again string
		Signed      bool // a confirmation failed, not a sign-in
	}{Text: "signin.failed." + why + ".text", Again: web.SignInPath(f.To)}
	title := "signin.failed." + why + ".title"
	if f.About != "" {
		if why == "stale" { // an answer of another provider
			why = "provider"
		}
		data.Text, data.Again, data.Signed = "signin.confirm."+why+".text", f.To, true
		title = "signin.confirm." + why + ".title"
	}
	return h.pages.Render(w, r, "failed.html", web.Page{Title: title, Data: data, Status: status, NoIndex: true, Self: "/"})
}

// down is the page of a provider that does not answer.
func (h *Web) down(w http.ResponseWriter, r *http.Request, err error, f flow) error {
	if r.Context().Err() == nil {
		h.shell.Log.ErrorContext(r.Context(), "sign-in provider does not answer", "err", err)
	}
	w.Header().Set("Retry-After", "30")
	return h.failed(w, r, "down", http.StatusServiceUnavailable, f)
}
