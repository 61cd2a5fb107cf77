package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/tesdiq/tesdiq"
)

// Handler answers a request, or says why it cannot: Do makes a page of its error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Do runs a handler and makes a page, or application/problem+json for programs, of its error.
func (s *Shell) Do(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := form(r)
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			s.Problem(w, r, err)
		}
	}
}

// Person is Do for who is signed in. Somebody else is sent to sign in and back when he only reads; what he sends is refused.
func (s *Shell) Person(h Handler) http.HandlerFunc {
	return s.Do(func(w http.ResponseWriter, r *http.Request) error {
		if ViewerOf(r.Context()).Person != nil {
			return h(w, r)
		}
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			http.Redirect(w, r, SignInPath(r.URL.RequestURI()), http.StatusSeeOther)
			return nil
		}
		return tesdiq.NewProblem(tesdiq.SignIn, "web.sign-in")
	})
}

// Private is Person for a page of somebody's own affairs: it is closed while he acts for an organisation.
func (s *Shell) Private(h Handler) http.HandlerFunc {
	return s.Person(func(w http.ResponseWriter, r *http.Request) error {
		if o := ViewerOf(r.Context()).Organisation; o != nil {
			return tesdiq.NewProblem(tesdiq.Forbidden, "web.acting").With("Name", o.Name)
		}
		return h(w, r)
	})
}

// Duty is Person for a page that is open to who acts for an organisation with a duty, and to nobody else.
func (s *Shell) Duty(duty string, h Handler) http.HandlerFunc {
	return s.Person(func(w http.ResponseWriter, r *http.Request) error {
		if !ViewerOf(r.Context()).Has(duty) {
			return tesdiq.NewProblem(tesdiq.Forbidden, "web.duty")
		}
		return h(w, r)
	})
}

// statuses are the HTTP statuses of the kinds of problem.
var statuses = map[tesdiq.Kind]int{
	tesdiq.Internal:    http.StatusInternalServerError,
	tesdiq.Refused:     http.StatusUnprocessableEntity,
	tesdiq.NotFound:    http.StatusNotFound,
	tesdiq.Conflict:    http.StatusConflict,
	tesdiq.Forbidden:   http.StatusForbidden,
	tesdiq.SignIn:      http.StatusUnauthorized,
	tesdiq.TooMany:     http.StatusTooManyRequests,
	tesdiq.TooLarge:    http.StatusRequestEntityTooLarge,
	tesdiq.Unsupported: http.StatusUnsupportedMediaType,
	tesdiq.Unavailable: http.StatusServiceUnavailable,
}

// statusClosed is what the log has for a request whose client went away.
const statusClosed = 499

// StatusOf is the HTTP status of a kind of problem.
func StatusOf(k tesdiq.Kind) int {
	if status, ok := statuses[k]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// What somebody is told while the database does not answer: a program may then send the same again.
const (
	keyAway     = "web.away"
	awaySeconds = 2
)

// Problem answers with an error. An internal fault is logged here, once; nothing of it is shown.
func (s *Shell) Problem(w http.ResponseWriter, r *http.Request, err error) {
	if e := new(http.MaxBytesError); errors.As(err, &e) {
		err = tooLarge(e.Limit)
	}
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		w.WriteHeader(statusClosed) // nobody waits for the answer any more: this is for the log
		return
	}
	ps := tesdiq.ProblemsOf(err)
	if ps[0].Kind == tesdiq.Internal {
		s.Log.ErrorContext(r.Context(), "request failed", "request", r.Context().Value(requestKey{}), "err", err)
		if s.Away != nil && s.Away(err) {
			ps = tesdiq.Problems{tesdiq.NewProblem(tesdiq.Unavailable, keyAway).With("Seconds", awaySeconds)}
		}
	}
	if rw, ok := w.(*response); ok && rw.status != 0 {
		return // half an answer is out: the log has the cause
	}
	s.write(w, r, ps)
}

// write answers with problems, as a page or as JSON. A status replaces that of the first problem's kind.
func (s *Shell) write(w http.ResponseWriter, r *http.Request, ps tesdiq.Problems, status ...int) {
	code := StatusOf(ps[0].Kind)
	if len(status) > 0 {
		code = status[0]
	}
	if seconds, ok := ps[0].Args["Seconds"].(int); ok && (code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable) {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	if strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/oauth/") || wantsJSON(r) {
		s.writeJSON(w, r, ps, code)
		return
	}
	type problem struct {
		Kind, Request string
		SignIn        string // where to sign in, when that helps
		Acting        string // the organisation that the viewer acts for, when that is in the way
		Internal      bool
	}
	v := ViewerOf(r.Context())
	data := problem{Kind: kindName(ps[0].Kind), Internal: ps[0].Kind == tesdiq.Internal || ps[0].Kind == tesdiq.Unavailable}
	data.Request, _ = r.Context().Value(requestKey{}).(string)
	if ps[0].Kind == tesdiq.SignIn {
		data.SignIn = SignInPath("")
	}
	if ps[0].Key == "web.acting" && v.Organisation != nil {
		data.Acting = v.Organisation.Name
	}
	err := s.own.Render(w, r, "problem.html", Page{
		Title: "web.problem." + data.Kind, Data: data, Problems: ps, Status: code, NoIndex: true, Self: "/", plain: ps[0].Kind == tesdiq.Internal || ps[0].Key == keyAway,
	})
	if err != nil { // the page of errors has an error: say it without a page
		s.Log.ErrorContext(r.Context(), "problem page", "err", err)
		http.Error(w, http.StatusText(code), code)
	}
}

// ProblemJSON is an error as RFC 9457 writes it for programs.
type ProblemJSON struct {
	Type   string         `json:"type"`             // stable: "urn:tesdiq:problem:" and the key
	Title  string         `json:"title"`            // what kind of error
	Status int            `json:"status"`           // as in the answer's first line
	Detail string         `json:"detail"`           // a sentence that a person can act on
	Field  string         `json:"field,omitempty"`  // what it is about
	Errors []ProblemField `json:"errors,omitempty"` // all of them, when there are several
}

// ProblemField is one of several errors.
type ProblemField struct {
	Type   string `json:"type"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
}

// JSONOf puts problems into the words of a language.
func (s *Shell) JSONOf(lang tesdiq.Lang, ps tesdiq.Problems) ProblemJSON {
	const urn = "urn:tesdiq:problem:"
	p := ps[0]
	j := ProblemJSON{urn + p.Key, s.T(lang, "web.problem."+kindName(p.Kind)), StatusOf(p.Kind), s.Sentence(lang, p), p.Field, nil}
	if len(ps) > 1 {
		for _, p := range ps {
			j.Errors = append(j.Errors, ProblemField{urn + p.Key, s.Sentence(lang, p), p.Field})
		}
	}
	return j
}

// Sentence is what a problem says to people.
func (s *Shell) Sentence(lang tesdiq.Lang, p *tesdiq.Problem) string {
	return s.T(lang, "problem."+p.Key, p.Args)
}

func (s *Shell) writeJSON(w http.ResponseWriter, r *http.Request, ps tesdiq.Problems, status int) {
	j := s.JSONOf(ViewerOf(r.Context()).Lang, ps)
	j.Status = status
	b, err := json.Marshal(j)
	if err != nil { // strings and numbers always marshal
		b = []byte("{}")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // an error means that the client has gone
}

// kindName is the last part of a kind's title key.
func kindName(k tesdiq.Kind) string {
	switch k {
	case tesdiq.Refused:
		return "refused"
	case tesdiq.NotFound:
		return "not-found"
	case tesdiq.Conflict:
		return "conflict"
	case tesdiq.Forbidden:
		return "forbidden"
	case tesdiq.SignIn:
		return "sign-in"
	case tesdiq.TooMany:
		return "too-many"
	case tesdiq.TooLarge:
		return "too-large"
	case tesdiq.Unsupported:
		return "unsupported"
	case tesdiq.Unavailable:
		return "unavailable"
	}
	return "internal"
}
