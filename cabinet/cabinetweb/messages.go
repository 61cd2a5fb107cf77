package cabinetweb

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/cabinet"
	"github.com/tesdiq/tesdiq/web"
)

// perPage is how many messages a page shows.
const perPage = 50

type messagesView struct {
	Lines  []messageLine
	Newest int64  // id of the newest on this page, up to which "all" are marked as read
	Unread int    // on this page
	Older  int64  // id after which the next page begins; 0: there is none
	First  bool   // this is the first page
	Sent   string // the demonstration's page of what was sent
}

// messageLine is a message in words.
type messageLine struct {
	ID          int64
	Title, Text string
	At          time.Time
	New         bool
	Link        bool
	Told        *cabinet.Told
	Out         *cabinet.Out // what became of it by SMS or e-mail; nil: it did not go out
}

// messages shows a page of messages. Looking at it changes nothing: what is new stays marked until it is opened.
func (h *Web) messages(w http.ResponseWriter, r *http.Request) error {
	v := web.ViewerOf(r.Context())
	before := int64(0)
	if q := r.URL.Query().Get("before"); q != "" {
		var err error
		if before, err = strconv.ParseInt(q, 10, 64); err != nil || before < 1 {
			return tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
		}
	}
	found, err := h.Messages.Messages(r.Context(), v.Person.FIN, before, perPage+1)
	if err != nil {
		return err
	}
	view := messagesView{First: before == 0, Sent: h.SentPath}
	if len(found) > perPage {
		found = found[:perPage]
		view.Older = found[perPage-1].ID
	}
	for _, m := range found {
		title, text := h.words(v.Lang, m)
		line := messageLine{ID: m.ID, Title: title, Text: text, At: m.SentAt, New: m.ReadAt == nil, Link: web.LocalPath(m.Link) != ""}
		if h.Telling != nil {
			told, ok, err := h.Telling(r.Context(), v.Person.FIN, v.Lang, m)
			if err != nil {
				return err
			}
			if ok {
				line.Told = &told
			}
		}
		if m.Out != nil && m.Out.State != "none" {
			line.Out = m.Out
		}
		if line.New {
			view.Unread++
		}
		view.Newest = max(view.Newest, m.ID)
		view.Lines = append(view.Lines, line)
	}
	return h.pages.Render(w, r, "messages.html", web.Page{Title: "web.section.messages", Section: "messages", Data: view})
}

// words are a message's title and text. An argument whose name ends in ".key" is a key itself, one that ends
// in ".kind" a kind of document; the others stand as they are.
func (h *Web) words(lang tesdiq.Lang, m cabinet.Message) (title, text string) {
	args := make(map[string]any, len(m.Args))
	for name, value := range m.Args {
		if plain, ok := strings.CutSuffix(name, ".key"); ok {
			name, value = plain, h.Shell.T(lang, value)
		} else if plain, ok := strings.CutSuffix(name, ".kind"); ok {
			name, value = plain, h.kindTitle(lang, value)
		}
		first, size := utf8.DecodeRuneInString(name)
		args[string(unicode.ToUpper(first))+name[size:]] = value
	}
	return h.Shell.T(lang, m.Key+".title", args), h.Shell.T(lang, m.Key+".text", args)
}

// read marks a message as read and goes where it leads.
func (h *Web) read(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil {
		return tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-message")
	}
	link, err := h.Messages.Read(r.Context(), web.ViewerOf(r.Context()).Person.FIN, id, h.Now())
	if err != nil {
		return err
	}
	if link = web.LocalPath(link); link == "" {
		link = "/cabinet/messages"
	}
	http.Redirect(w, r, link, http.StatusSeeOther)
	return nil
}

// readAll marks everything up to the newest message that the page showed.
func (h *Web) readAll(w http.ResponseWriter, r *http.Request) error {
	upto, err := strconv.ParseInt(r.PostFormValue("upto"), 10, 64)
	if err != nil || upto < 0 {
		return tesdiq.NewProblem(tesdiq.NotFound, "cabinet.no-message")
	}
	if err := h.Messages.ReadAll(r.Context(), web.ViewerOf(r.Context()).Person.FIN, upto, h.Now()); err != nil {
		return err
	}
	http.Redirect(w, r, "/cabinet/messages", http.StatusSeeOther)
	return nil
}
