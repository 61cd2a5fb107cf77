package verifierweb

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/web"
)

// tokenAnswer is RFC 6749, 5.1.
type tokenAnswer struct {
	AccessToken string `json:"access_token" doc:"Send it as Authorization: Bearer …" example:"0V5R…"`
	TokenType   string `json:"token_type" enum:"Bearer"`
	ExpiresIn   int    `json:"expires_in" doc:"Seconds." example:"3600"`
}

// tokenError is RFC 6749, 5.2.
type tokenError struct {
	Error       string `json:"error" enum:"invalid_request,invalid_client,unsupported_grant_type,temporarily_unavailable"`
	Description string `json:"error_description,omitempty" doc:"A sentence that a person can act on."`
}

// token gives a program a token (RFC 6749, 4.4), by HTTP Basic or by fields of the form, not by both.
func (h *Web) token(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Pragma", "no-cache") // RFC 6749, 5.1
	form := r.PostForm
	id, secret, basic := r.BasicAuth()
	if basic {
		// RFC 6749, 2.3.1: both are encoded as in a form first. What does not decode is taken as it stands.
		id, secret = unescape(id), unescape(secret)
	}
	switch {
	case form == nil:
		return h.refuse(w, r, http.StatusBadRequest, "invalid_request", "problem.token.form")
	case form.Get("grant_type") != "client_credentials":
		return h.refuse(w, r, http.StatusBadRequest, "unsupported_grant_type", "problem.token.grant")
	case len(form["client_id"]) > 1 || len(form["client_secret"]) > 1 || basic && form.Has("client_secret"):
		return h.refuse(w, r, http.StatusBadRequest, "invalid_request", "problem.token.twice")
	case !basic:
		id, secret = form.Get("client_id"), form.Get("client_secret")
	}
	token, err := h.Door.Enter(r.Context(), id, secret, h.Shell.ClientPrefix(r))
	var p *tesdiq.Problem
	switch {
	case errors.Is(err, verifier.ErrNoClient):
		w.Header().Set("WWW-Authenticate", `Basic realm="tesdiq"`)
		return h.refuse(w, r, http.StatusUnauthorized, "invalid_client", "problem.client.unknown")
	case errors.As(err, &p) && p.Kind == tesdiq.TooMany:
		retryAfter(w, p)
		return writeJSON(w, http.StatusTooManyRequests, tokenError{"temporarily_unavailable", h.Shell.Sentence(web.ViewerOf(r.Context()).Lang, p)})
	case err != nil:
		return err
	}
	return writeJSON(w, http.StatusOK, tokenAnswer{token, "Bearer", int(verifier.TokenLife.Seconds())})
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

func (h *Web) refuse(w http.ResponseWriter, r *http.Request, status int, code, key string) error {
	return writeJSON(w, status, tokenError{code, h.Shell.T(web.ViewerOf(r.Context()).Lang, key)})
}

func retryAfter(w http.ResponseWriter, p *tesdiq.Problem) {
	if seconds, ok := p.Args["Seconds"].(int); ok {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // an error means that the client has gone
	return nil
}
