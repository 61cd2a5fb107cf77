// Package demosent is the demonstration's page of the SMS and e-mails that were sent: everybody in it is invented, so
// everybody may read them. No other program has it.
package demosent

import (
	"embed"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

// Path is the page's address.
const Path = "/demo/sent"

// Item is one SMS or e-mail as its reader sees it.
type Item struct {
	Channel tesdiq.Channel
	From    string
	To      string
	Subject string // of an e-mail
	Text    string
	Parts   int    // of an SMS
	Coding  string // of an SMS
	At      time.Time
}

// Lang is the language of the text, told by its letters: an SMS does not carry it.
func (x Item) Lang() tesdiq.Lang {
	switch {
	case strings.ContainsAny(x.Text, "ıİəƏşŞğĞ"):
		return tesdiq.Az
	case strings.ContainsFunc(x.Text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }):
		return tesdiq.Ru
	}
	return tesdiq.En
}

// most is how many are kept, the newest.
const most = 200

// Web keeps what was sent, in memory, and shows it.
type Web struct {
	pages *web.Pages
	mu    sync.Mutex
	items []Item // the newest last
}

// New makes the page in a shell.
func New(shell *web.Shell) (*Web, error) {
	pages, err := shell.Pages(pageFiles)
	return &Web{pages: pages}, err
}

// Add keeps an item.
func (s *Web) Add(x Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items = append(s.items, x); len(s.items) > most {
		s.items = append([]Item(nil), s.items[len(s.items)-most:]...)
	}
}

// Routes registers the page.
func (s *Web) Routes(shell *web.Shell) web.Routes {
	return func(r chi.Router) { r.Get(Path, shell.Do(s.show)) }
}

func (s *Web) show(w http.ResponseWriter, r *http.Request) error {
	s.mu.Lock()
	items := make([]Item, 0, len(s.items))
	for i := len(s.items) - 1; i >= 0; i-- {
		items = append(items, s.items[i])
	}
	s.mu.Unlock()
	w.Header().Set("Cache-Control", "no-store")
	return s.pages.Render(w, r, "sent.html", web.Page{Title: "demo.sent.title", Data: items, NoIndex: true})
}
