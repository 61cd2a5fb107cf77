package signin

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

// What somebody signs, he signs by signing in again: the provider is asked anew (prompt=login, max_age=0) with a nonce that
// says what is signed, and its ID token over that nonce, for the same person, is the evidence. docs/adr/0017 says what this
// proves and what not.

// Confirmation is what somebody is to confirm.
type Confirmation struct {
	About string // what it is about, in the words of who asks: the proof is given back for these alone
	Nonce string // what the provider is to sign; says what is confirmed
	Kept  string // what who asks wants back with the proof
	To    string // where to go afterwards: a path of ours
}

// Proof is what somebody has confirmed.
type Proof struct {
	Confirmation
	Token string // the ID token as the provider signed it
	At    time.Time
}

const (
	proofKey  = "signin.proof"
	proofLife = 5 * time.Minute // from the provider's answer until it is used
)

// Prove sends who is signed in to the provider, to confirm. Where the provider does not answer the page says so, and
// nothing has happened.
func (h *Web) Prove(w http.ResponseWriter, r *http.Request, c Confirmation) error {
	person := web.ViewerOf(r.Context()).Person
	if person == nil {
		return tesdiq.NewProblem(tesdiq.SignIn, "web.sign-in")
	}
	if c.About == "" || c.Nonce == "" || web.LocalPath(c.To) != c.To || c.To == "" {
		return fmt.Errorf("signin: nothing to confirm: %q", c.About)
	}
	p, err := h.provider(r.Context())
	if err != nil {
		return h.down(w, r, err, flow{To: c.To, About: c.About})
	}
	f, err := h.newFlow(c.To)
	if err != nil {
		return err
	}
	f.Nonce, f.About, f.Kept, f.FIN = c.Nonce, c.About, c.Kept, person.FIN
	if err := h.begun(r, f); err != nil {
		return err
	}
	http.Redirect(w, r, p.oauth.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier),
		oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"),
		oauth2.SetAuthURLParam("ui_locales", string(web.ViewerOf(r.Context()).Lang))), http.StatusSeeOther)
	return nil
}

// proved keeps a confirmation that came back, if it is of the same person and was made for it. Who is signed in does not change.
func (h *Web) proved(w http.ResponseWriter, r *http.Request, f flow, who identity, token string) error {
	v := web.ViewerOf(r.Context())
	why := ""
	switch {
	case v.Person == nil || v.Person.FIN != f.FIN || who.person.FIN != f.FIN:
		why = "another"
	// max_age=0 makes auth_time a must (OpenID Connect Core 3.1.2.1): somebody who was signed in there anyhow proves nothing.
	case who.authTime.IsZero() || who.authTime.Before(f.At.Add(-skew)) || who.authTime.After(h.shell.Now().Add(skew)),
		who.issuedAt.Before(f.At.Add(-skew)):
		why = "old"
	}
	if why != "" {
		h.shell.Log.WarnContext(r.Context(), "confirmation refused", "why", why)
		return h.failed(w, r, why, http.StatusForbidden, f)
	}
	b, err := json.Marshal(Proof{Confirmation{f.About, f.Nonce, f.Kept, f.To}, token, h.shell.Now()})
	if err != nil {
		return fmt.Errorf("signin: %w", err)
	}
	h.shell.Keep(r, proofKey, string(b))
	http.Redirect(w, r, f.To, http.StatusSeeOther)
	return nil
}

// Proven takes the proof of what was to be confirmed: false when there is none, or one of something else. nonce says what
// the provider had to sign, from what was kept. It is given once.
func (h *Web) Proven(r *http.Request, about string, nonce func(kept string) string) (Proof, bool) {
	var p Proof
	kept := h.shell.Take(r, proofKey)
	if kept == "" || json.Unmarshal([]byte(kept), &p) != nil {
		return Proof{}, false
	}
	if h.shell.Now().Sub(p.At) > proofLife || p.About != about || subtle.ConstantTimeCompare([]byte(p.Nonce), []byte(nonce(p.Kept))) != 1 {
		return Proof{}, false
	}
	return p, true
}
