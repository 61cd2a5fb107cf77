package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/tesdiq/tesdiq"
)

// Keys of a session's values.
const (
	keyPerson       = "person"
	keyOrganisation = "organisation"
	keyVisitor      = "visitor"
	keyEnded        = "ended" // organisation for which the person was told that he may no longer act, where he signed in elsewhere
)

// newSessions prepares sessions in a store, under a cookie of that name.
func newSessions(c Config, store scs.Store, cookie string) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.HashTokenInStore = true
	m.IdleTimeout, m.Lifetime = c.Idle, c.Lifetime
	if m.IdleTimeout == 0 {
		m.IdleTimeout = 30 * time.Minute
	}
	if m.Lifetime == 0 {
		m.Lifetime = 12 * time.Hour
	}
	m.Cookie.Name = cookie
	if c.Secure {
		m.Cookie.Name = "__Host-" + cookie // a browser takes it only from this very host, over HTTPS, for every path
	}
	m.Cookie.Secure = c.Secure
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Persist = false // it ends with the browser
	return m
}

// Person is who is signed in, as the sign-in provider told.
type Person struct {
	FIN        tesdiq.FIN  `json:"fin"`
	Name       tesdiq.Name `json:"name"`
	Sex        tesdiq.Sex  `json:"sex"`
	Method     string      `json:"method"` // the provider's "amr"
	SignedInAt time.Time   `json:"at"`
	Sits       bool        `json:"sits,omitempty"` // he was a member of a commission then; what he may do is looked up each time
}

// Organisation is what somebody acts for.
type Organisation struct {
	ID   int64
	Name string
	Role string // clerk or manager
	// What it does beside checking excerpts: organisation.Duty.
	Duties []string
}

// Has says whether the viewer acts for an organisation with a duty.
func (v Viewer) Has(duty string) bool {
	return v.Person != nil && v.Organisation != nil && slices.Contains(v.Organisation.Duties, duty)
}

// Viewer is who sees the page.
type Viewer struct {
	Person       *Person       // nil: not signed in
	Organisation *Organisation // nil: acts for himself
	Visitor      string        // random id of a session without sign-in; "" until Shell.Visitor makes it
	Lang         tesdiq.Lang
}

// Private says whether somebody is signed in and acts for himself.
func (v Viewer) Private() bool { return v.Person != nil && v.Organisation == nil }

// Label is how the header names the viewer: "Nərmin Quliyeva", or "Nümunə Bank · Aysel H.".
func (v Viewer) Label() string {
	if v.Person == nil {
		return ""
	}
	if v.Organisation == nil {
		return v.Person.Name.Short()
	}
	short := v.Person.Name.Given
	for _, r := range v.Person.Name.Surname {
		short += " " + tesdiq.UpperAz(string(r)) + "."
		break
	}
	return v.Organisation.Name + " · " + short
}

// state is what a request's context holds of its viewer.
type state struct {
	Viewer
	session bool // the context holds a session
}

type stateKey struct{}

func stateOf(ctx context.Context) *state {
	if st, ok := ctx.Value(stateKey{}).(*state); ok {
		return st
	}
	return &state{Viewer: Viewer{Lang: tesdiq.Az}}
}

// ViewerOf tells who sees the page. Outside a Shell's router it is nobody, in Azerbaijani.
func ViewerOf(ctx context.Context) Viewer { return stateOf(ctx).Viewer }

// load finds the session of a request and who is signed in there. A membership is asked anew for every request, so
// that an ended one ends at once; the request that notices it is refused, because its sender believes to act for
// somebody for whom he no longer may.
func (s *Shell) load(w http.ResponseWriter, r *http.Request) (*http.Request, error) {
	v := &state{Viewer: Viewer{Lang: s.language(w, r)}}
	ctx := context.WithValue(r.Context(), stateKey{}, v)
	r = r.WithContext(ctx)
	if stateless(r.URL.Path) {
		return r, nil
	}
	for _, m := range s.managers() {
		token := ""
		if c, err := r.Cookie(m.Cookie.Name); err == nil {
			token = c.Value
		}
		var err error
		if ctx, err = m.Load(ctx, token); err != nil {
			return r, fmt.Errorf("web: load session: %w", err)
		}
	}
	r = r.WithContext(ctx)
	v.session = true
	v.Visitor = s.sessions.GetString(ctx, keyVisitor)
	if b := s.signIns.GetString(ctx, keyPerson); b != "" {
		p := new(Person)
		switch err := json.Unmarshal([]byte(b), p); {
		// Another version of the program wrote it: the person signs in again, rather than being locked out.
		case err != nil && s.elsewhere():
			return r, nil
		case err != nil:
			return r, s.SignOut(r)
		}
		v.Person = p
	}
	if v.Person != nil && v.Visitor != "" && s.elsewhere() { // what was before the sign-in is forgotten here, too
		v.Visitor = ""
		s.sessions.Remove(ctx, keyVisitor)
	}
	id := s.signIns.GetInt64(ctx, keyOrganisation)
	if v.Person == nil || id == 0 || id == s.sessions.GetInt64(ctx, keyEnded) {
		return r, nil
	}
	o, err := s.membership(ctx, v.Person.FIN, id)
	if err != nil {
		if p := tesdiq.ProblemsOf(err)[0]; p.Kind == tesdiq.NotFound {
			if s.elsewhere() {
				s.sessions.Put(ctx, keyEnded, id)
			} else {
				s.sessions.Remove(ctx, keyOrganisation)
			}
			return r, tesdiq.NewProblem(tesdiq.Forbidden, "web.membership-ended")
		}
		return r, err
	}
	v.Organisation = &o
	return r, nil
}

// managers are those of all sessions that a request may have: one, or two where another process keeps who is signed in.
func (s *Shell) managers() []*scs.SessionManager {
	if s.elsewhere() {
		return []*scs.SessionManager{s.sessions, s.signIns}
	}
	return []*scs.SessionManager{s.sessions}
}

// elsewhere says whether people sign in and out at another process.
func (s *Shell) elsewhere() bool { return s.signIns != s.sessions }

// errElsewhere is what a page gets that wants to change who is signed in where that is only read.
var errElsewhere = errors.New("web: people sign in at another process")

func (s *Shell) membership(ctx context.Context, fin tesdiq.FIN, id int64) (Organisation, error) {
	if s.Members == nil {
		return Organisation{}, tesdiq.NewProblem(tesdiq.NotFound, "web.membership-ended")
	}
	return s.Members.Membership(ctx, fin, id)
}

// save writes the session back and gives the browser its cookie. It runs before the first byte of the answer.
func (s *Shell) save(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	kept := w.Header()["Cache-Control"]
	defer func() { w.Header()["Cache-Control"] = kept }() // scs adds a weaker one than ours
	for _, m := range s.managers() {
		switch m.Status(ctx) {
		case scs.Modified:
			token, expiry, err := m.Commit(ctx)
			if err != nil {
				return fmt.Errorf("web: save session: %w", err)
			}
			m.WriteSessionCookie(ctx, w, token, expiry)
		case scs.Destroyed:
			m.WriteSessionCookie(ctx, w, "", time.Time{})
		}
	}
	return nil
}

// Visitor is the random id of a session without sign-in; it is made at the first call and remembered.
func (s *Shell) Visitor(r *http.Request) string {
	v := stateOf(r.Context())
	if !v.session {
		return ""
	}
	if v.Visitor == "" {
		id, err := tesdiq.RandomText(s.Rand, 26)
		if err != nil {
			panic(fmt.Sprintf("web: no randomness: %v", err)) // nothing may go on without it; becomes a page 500
		}
		v.Visitor = id
		s.sessions.Put(r.Context(), keyVisitor, id)
	}
	return v.Visitor
}

// VisitorOfForm is Visitor for a form whose key is known to one browser alone. Where the session has no id yet, it
// follows from the key: a form that is sent twice before its first answer, and with it the session's cookie, has come
// is then of one visitor.
func (s *Shell) VisitorOfForm(r *http.Request, key string) string {
	v := stateOf(r.Context())
	if v.session && v.Visitor == "" && key != "" {
		sum := sha256.Sum256([]byte("tesdiq visitor of form " + key))
		v.Visitor = hex.EncodeToString(sum[:16])
		s.sessions.Put(r.Context(), keyVisitor, v.Visitor)
	}
	return s.Visitor(r)
}

// SignIn makes the session a person's. Its token changes and everything that it held before is forgotten, so that
// nobody who knew or shared the session of before has a part in it.
func (s *Shell) SignIn(r *http.Request, p Person, organisation int64) error {
	if s.elsewhere() {
		return errElsewhere
	}
	ctx := r.Context()
	if err := s.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("web: sign in: %w", err)
	}
	if err := s.sessions.Clear(ctx); err != nil {
		return fmt.Errorf("web: sign in: %w", err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("web: sign in: %w", err)
	}
	s.sessions.SetDeadline(ctx, s.Now().Add(s.sessions.Lifetime))
	s.sessions.Put(ctx, keyPerson, string(b))
	if organisation != 0 {
		s.sessions.Put(ctx, keyOrganisation, organisation)
	}
	return nil
}

// SignOut destroys the session where it is kept: its token is worth nothing afterwards.
func (s *Shell) SignOut(r *http.Request) error {
	if s.elsewhere() {
		return errElsewhere
	}
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return fmt.Errorf("web: sign out: %w", err)
	}
	return nil
}

// Act makes a signed-in person act for an organisation of his, or for himself (0). The session's token changes with the role.
func (s *Shell) Act(r *http.Request, organisation int64) error {
	if s.elsewhere() {
		return errElsewhere
	}
	ctx := r.Context()
	v := ViewerOf(ctx)
	if v.Person == nil {
		return tesdiq.NewProblem(tesdiq.SignIn, "web.sign-in")
	}
	if organisation != 0 {
		if _, err := s.membership(ctx, v.Person.FIN, organisation); err != nil {
			return err
		}
	}
	if err := s.sessions.RenewToken(ctx); err != nil {
		return fmt.Errorf("web: act: %w", err)
	}
	s.sessions.Put(ctx, keyOrganisation, organisation)
	return nil
}

// Keep remembers a short text in the session; Kept reads it, and Take reads and forgets it.
func (s *Shell) Keep(r *http.Request, key, value string) {
	s.sessions.Put(r.Context(), "kept."+key, value)
}

// Kept reads what Keep remembered, or "".
func (s *Shell) Kept(r *http.Request, key string) string {
	return s.sessions.GetString(r.Context(), "kept."+key)
}

// Take reads what Keep remembered, and forgets it.
func (s *Shell) Take(r *http.Request, key string) string {
	return s.sessions.PopString(r.Context(), "kept."+key)
}
