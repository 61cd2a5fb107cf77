package web

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
)

// Pages are the pages of one …web package, parsed in every language.
type Pages struct {
	shell *Shell
	byKey map[pageKey]*template.Template
}

type pageKey struct {
	lang tesdiq.Lang
	name string
}

// Pages parses pages/*.html of files, or *.html where there is no such folder. Every page defines "main". A file whose
// name begins with "_" is no page: what it defines is there in all pages beside it.
func (s *Shell) Pages(files fs.FS) (*Pages, error) {
	if _, err := fs.Stat(files, "pages"); err == nil {
		if files, err = sub(files, "pages"); err != nil {
			return nil, err
		}
	}
	all, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("web: pages: %w", err)
	}
	p := &Pages{s, make(map[pageKey]*template.Template)}
	for _, lang := range tesdiq.Langs {
		base, err := template.New("").Funcs(s.funcs(lang)).ParseFS(layoutFiles, "layout/*.html")
		if err != nil {
			return nil, fmt.Errorf("web: layout: %w", err)
		}
		for _, name := range all {
			if strings.HasPrefix(name, "_") {
				if _, err := base.ParseFS(files, name); err != nil {
					return nil, fmt.Errorf("web: part: %w", err)
				}
			}
		}
		for _, name := range all {
			if strings.HasPrefix(name, "_") {
				continue
			}
			t, err := base.Clone()
			if err != nil {
				return nil, fmt.Errorf("web: page %s: %w", name, err)
			}
			if t, err = t.ParseFS(files, name); err != nil {
				return nil, fmt.Errorf("web: page: %w", err)
			}
			if t.Lookup("main") == nil {
				return nil, fmt.Errorf(`web: page %s does not define "main"`, name)
			}
			p.byKey[pageKey{lang, path.Base(name)}] = t
		}
	}
	return p, nil
}

// Page is what a handler says about a page.
type Page struct {
	Title     string            // key of the locale files
	TitleText string            // instead of Title: text in the viewer's language
	Section   string            // key of the section that it belongs to, or ""
	Data      any               // for the page's own template
	Problems  tesdiq.Problems   // what is wrong with the form
	Labels    map[string]string // of fields whose problem's sentence fits others, too: said before it where all are listed
	Status    int               // 0: 200, or 422 when there are Problems
	NoIndex   bool              // not for search engines
	Bare      bool              // without account and sections: the sign-in provider's pages
	Self      string            // address for the language links, where it is not the request's own

	plain bool // do not ask the database for anything: it may be what failed
}

// View is the dot of every page.
type View struct {
	Lang     tesdiq.Lang
	Viewer   Viewer
	Path     string
	Title    string
	Section  string
	Sections []Section
	Unread   int
	Data     any
	Problems tesdiq.Problems
	Labels   map[string]string
	NoIndex  bool
	Demo     bool
	Moved    tesdiq.Date // the day by the demonstration's clock, where it was put forward
	Draws    bool
	Bare     bool
	SignIn   string // where to sign in and come back
	langs    url.Values
	self     string
}

// Section is one line of the navigation of who is signed in.
type Section struct {
	Key, Path string
	Title     string // key of the locale files
	Count     int
}

// sections are for who is signed in: all for himself, for who acts for an organisation its duties and what concerns checking.
// cases says whether cases are worked on here.
func sections(v Viewer, unread int, cases bool) []Section {
	switch {
	case v.Person == nil:
		return nil
	case v.Organisation != nil:
		var all []Section
		if v.Has("filing") {
			all = append(all, Section{Key: "filing", Path: "/filing", Title: "web.section.filing"})
		}
		if v.Has("rehabilitation") {
			all = append(all, Section{Key: "rehabilitation", Path: "/rehabilitation", Title: "web.section.rehabilitation"})
		}
		if v.Has("inspection") {
			all = append(all, Section{Key: "inspection", Path: "/inspection/clocks", Title: "web.section.inspection"})
		}
		if v.Has("referral") {
			all = append(all, Section{Key: "institution", Path: "/institution", Title: "web.section.institution"})
		}
		return append(all,
			Section{Key: "check", Path: "/check", Title: "web.section.check"},
			Section{Key: "checked-by-me", Path: "/cabinet/checked-by-me", Title: "web.section.checked-by-us"})
	}
	var all []Section
	if cases && v.Person.Sits {
		all = append(all, Section{Key: "commission", Path: "/commission", Title: "web.section.commission"})
	}
	all = append(all, Section{Key: "examinations", Path: "/cabinet/examinations", Title: "web.section.examinations"})
	if cases {
		all = append(all, Section{Key: "cases", Path: "/cabinet/cases", Title: "web.section.cases"})
	}
	return append(all, []Section{
		{Key: "contracts", Path: "/cabinet/contracts", Title: "web.section.contracts"},
		{Key: "excerpts", Path: "/cabinet/excerpts", Title: "web.section.excerpts"},
		{Key: "checks-of-mine", Path: "/cabinet/checks-of-mine", Title: "web.section.checks-of-mine"},
		{Key: "check", Path: "/check", Title: "web.section.check"},
		{Key: "checked-by-me", Path: "/cabinet/checked-by-me", Title: "web.section.checked-by-me"},
		{Key: "messages", Path: "/cabinet/messages", Title: "web.section.messages", Count: unread},
	}...)
}

// Render writes a whole page: into memory first, so that an error in it never becomes half a page.
func (p *Pages) Render(w http.ResponseWriter, r *http.Request, name string, page Page) error {
	v := ViewerOf(r.Context())
	t, ok := p.byKey[pageKey{v.Lang, name}]
	if !ok {
		return fmt.Errorf("web: no page %s", name)
	}
	view := View{
		Lang: v.Lang, Viewer: v, Path: r.URL.Path, Title: page.TitleText, Section: page.Section, Data: page.Data,
		Problems: page.Problems, Labels: page.Labels, NoIndex: page.NoIndex || v.Person != nil, Demo: p.shell.Demo, Draws: p.shell.Draws, Bare: page.Bare, SignIn: SignInPath(""),
	}
	if view.Title == "" {
		view.Title = p.shell.T(v.Lang, page.Title)
	}
	if p.shell.Moved != nil {
		view.Moved, _ = p.shell.Moved()
	}
	view.self, view.langs = self(r, page)
	if r.Method == http.MethodGet && page.Status == 0 && r.URL.Path != "/" {
		view.SignIn = SignInPath(r.URL.RequestURI())
	}
	if v.Private() && !page.plain {
		var err error
		if view.Unread, err = p.shell.unread(r.Context(), v.Person.FIN); err != nil {
			return err
		}
	}
	if !page.Bare {
		view.Sections = sections(v, view.Unread, p.shell.Draws)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", view); err != nil {
		return fmt.Errorf("web: page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", string(v.Lang))
	h.Set("Vary", "Accept, Accept-Language, Cookie")
	status := page.Status
	switch {
	case status != 0:
	case len(page.Problems) > 0:
		status = http.StatusUnprocessableEntity
	default:
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error means that the client has gone
	return nil
}

func (s *Shell) unread(ctx context.Context, fin tesdiq.FIN) (int, error) {
	if s.Inbox == nil {
		return 0, nil
	}
	return s.Inbox.Unread(ctx, fin)
}

// self is the address that the language links lead to: this page, asked for with GET; or the first page, where that is not possible.
func self(r *http.Request, page Page) (string, url.Values) {
	if page.Self != "" {
		if u, err := url.Parse(page.Self); err == nil {
			return u.Path, u.Query()
		}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r.URL.Path, r.URL.Query()
	}
	if c := chi.RouteContext(r.Context()); c != nil && c.Routes != nil && c.Routes.Match(chi.NewRouteContext(), http.MethodGet, r.URL.Path) {
		return r.URL.Path, url.Values{}
	}
	return "/", url.Values{}
}

// In is this page's address in another language.
func (v View) In(lang tesdiq.Lang) string {
	q := url.Values{}
	for k, values := range v.langs {
		q[k] = values
	}
	q.Set("lang", string(lang))
	return v.self + "?" + q.Encode()
}

// Langs are all languages, for the layout.
func (View) Langs() []tesdiq.Lang { return tesdiq.Langs }

// SignInPath is where to sign in, and come back to a page of ours.
func SignInPath(to string) string {
	if to = LocalPath(to); to == "" {
		return "/signin"
	}
	return "/signin?to=" + url.QueryEscape(to)
}

// funcs are what templates may call, in one language.
func (s *Shell) funcs(lang tesdiq.Lang) template.FuncMap {
	return template.FuncMap{
		"t":        func(key string, args ...any) string { return s.T(lang, key, args...) },
		"tn":       func(key string, count int, args ...any) string { return s.TN(lang, key, count, args...) },
		"sentence": func(p *tesdiq.Problem) string { return s.Sentence(lang, p) },
		"problemFor": func(v View, field string) string {
			for _, p := range v.Problems {
				if p.Field == field {
					return s.Sentence(lang, p)
				}
			}
			return ""
		},
		"field": func(v View, name, value string, args ...any) (Field, error) {
			return s.field(lang, v, name, value, args)
		},
		"date":         date,
		"clock":        tesdiq.ClockString,
		"iso":          iso,
		"verdictTag":   func(v tesdiq.Verdict) template.HTML { return s.verdictTag(lang, v) },
		"verdictClass": func(v tesdiq.Verdict) string { return verdictClass(v) },
		"static":       func(name string) string { return s.static.url(name) },
	}
}

// date is dd.mm.yyyy of a tesdiq.Date, or of a moment in Baku.
func date(v any) (string, error) {
	switch v := v.(type) {
	case tesdiq.Date:
		return v.String(), nil
	case time.Time:
		return tesdiq.DateOf(v).String(), nil
	case *time.Time:
		return tesdiq.DateOf(*v).String(), nil
	}
	return "", fmt.Errorf("date of %T", v)
}

// iso is the machine's form of a date or a moment, for <time datetime>.
func iso(v any) (string, error) {
	switch v := v.(type) {
	case tesdiq.Date:
		return v.ISO(), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339), nil
	case *time.Time:
		return v.UTC().Format(time.RFC3339), nil
	}
	return "", fmt.Errorf("iso of %T", v)
}

// verdictClass is the class of the style sheet that goes with a verdict: good, warn, bad, none.
func verdictClass(v tesdiq.Verdict) string {
	switch v {
	case tesdiq.Valid:
		return "good"
	case tesdiq.Superseded, tesdiq.Expired, tesdiq.Withdrawn:
		return "warn"
	case tesdiq.Altered, tesdiq.Revoked:
		return "bad"
	}
	return "none"
}

// verdictTag is a verdict in one word, with its mark: meaning is never in the colour alone.
func (s *Shell) verdictTag(lang tesdiq.Lang, v tesdiq.Verdict) template.HTML {
	class := verdictClass(v)
	mark := map[string]string{"good": "✓", "warn": "!", "bad": "✕", "none": "?"}[class]
	return template.HTML(`<span class="tag ` + class + `"><span aria-hidden="true">` + mark + ` </span>` +
		template.HTMLEscapeString(s.T(lang, "web.verdict."+string(v))) + `</span>`)
}
