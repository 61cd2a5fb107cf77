// Package web is the shell of all pages: layout, languages, sessions, errors, headers and static files.
// A component's pages live in its own …web package, which is given a Shell and registers its routes on a Router of it.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/tesdiq/tesdiq"
)

//go:embed locale/*.json
var localeFiles embed.FS

//go:embed layout/*.html
var layoutFiles embed.FS

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed static/*
var staticFiles embed.FS

// MaxBody is how many bytes the body of a request may have, unless its route is made with Upload.
const MaxBody = 64 << 10

// Members tells what somebody may do for an organisation at this moment.
type Members interface {
	// Membership reads a current membership in an open organisation; else a Problem of kind NotFound.
	Membership(ctx context.Context, fin tesdiq.FIN, organisation int64) (Organisation, error)
}

// Inbox counts what somebody has not read yet.
type Inbox interface {
	Unread(ctx context.Context, fin tesdiq.FIN) (int, error)
}

// Config is what a Shell is made of. Sessions, Log, Now and Rand are required.
type Config struct {
	Sessions   scs.Store    // where sessions are kept; their tokens come hashed
	SignIns    scs.Store    // nil: Sessions holds who is signed in. Else another process keeps that here, and it is only read; Sessions holds the rest
	Members    Members      // nil: nobody acts for an organisation
	Inbox      Inbox        // nil: no count beside "messages"
	Log        *slog.Logger // gets one line per request, and every internal fault once
	Now        func() time.Time
	Rand       io.Reader
	Secure     bool                                               // served over HTTPS: __Host- cookies, Strict-Transport-Security
	Proxies    []netip.Prefix                                     // whose X-Forwarded-For is believed
	FormAction []string                                           // origins, besides our own, to which a form may lead: the sign-in provider's
	Idle       time.Duration                                      // a session ends after so long without a request; 0 means 30 minutes
	Lifetime   time.Duration                                      // a session ends after so long in any case; 0 means 12 hours
	Demo       bool                                               // every page says that the people are invented
	Draws      bool                                               // commissions are drawn by lot here, and every page leads to where
	Moved      func() (tesdiq.Date, bool)                         // the day by a demonstration's clock that was put forward; nil elsewhere
	Observe    func(route string, status int, took time.Duration) // for metrics; may be nil
	Patience   time.Duration                                      // an answer takes no longer, without the time in which a file comes in; 0 means 20 seconds
	Away       func(error) bool                                   // whether an error passes by itself, as when the database is away; may be nil
}

// Shell is the frame around all pages.
type Shell struct {
	Config
	sessions *scs.SessionManager
	signIns  *scs.SessionManager // where it is known who is signed in: sessions, or those of another process
	words    *words
	static   *static
	csp      string
	csrf     *http.CrossOriginProtection
	own      *Pages // problem, home, how, privacy
}

// New makes a shell. It reads every locale file and every page of its own, so that what is wrong with them is known at the start.
func New(c Config) (*Shell, error) {
	if c.Sessions == nil || c.Log == nil || c.Now == nil || c.Rand == nil {
		return nil, errors.New("web: Sessions, Log, Now and Rand are required")
	}
	if c.Patience <= 0 {
		c.Patience = 20 * time.Second
	}
	s := &Shell{Config: c, csp: contentSecurityPolicy(c.FormAction), csrf: http.NewCrossOriginProtection()}
	s.sessions = newSessions(c, c.Sessions, "session")
	s.signIns = s.sessions
	if c.SignIns != nil {
		s.sessions, s.signIns = newSessions(c, c.Sessions, "visit"), newSessions(c, c.SignIns, "session")
	}
	var err error
	if s.words, err = readWords(localeFiles); err != nil {
		return nil, err
	}
	if s.static, err = readStatic(staticFiles); err != nil {
		return nil, err
	}
	if s.own, err = s.Pages(pageFiles); err != nil {
		return nil, err
	}
	return s, nil
}

// T says the words of a key in a language. After the key come names and values of its placeholders, or one map of them.
// A key that no file has comes back as it is: a test sees to it that there is none.
func (s *Shell) T(lang tesdiq.Lang, key string, args ...any) string {
	return s.words.text(lang, key, args...)
}

// Has says whether the locale files have a key.
func (s *Shell) Has(key string) bool { return s.words.has(key) }

// TN is T in the form that the count wants; the placeholder Count is given.
func (s *Shell) TN(lang tesdiq.Lang, key string, count int, args ...any) string {
	return s.words.counted(lang, key, count, args...)
}

// sub opens a folder of an embedded file system whose folders are known.
func sub(files fs.FS, folder string) (fs.FS, error) {
	f, err := fs.Sub(files, folder)
	if err != nil {
		return nil, fmt.Errorf("web: %s: %w", folder, err)
	}
	return f, nil
}
