package issuerweb

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/web"
)

// perPage is how many excerpts one page of the history shows.
const perPage = 50

type historyPage struct {
	Rows    []historyRow
	Filters []filter // empty while there is nothing to filter
	Next    string   // address of the older ones; "" none
	First   string   // address of the newest, when these are not
}

type historyRow struct {
	Number issuer.Number
	Title  string
	Path   string
	Asked  string
	For    string // for whom and what for
	Until  string // last day, while there is a document
	Tag    tag
	Issued bool
	Checks int
}

type filter struct {
	Title, Path string
	Current     bool
}

// history lists what the person asked for, the newest first.
func (h *Web) history(w http.ResponseWriter, r *http.Request) error {
	fin, lang := viewer(r)
	q := r.URL.Query()
	kind := q.Get("kind")
	if kind != "" {
		if _, err := h.Kinds.Kind(kind); err != nil {
			return err
		}
	}
	var before int64
	if s := q.Get("before"); s != "" {
		var err error
		if before, err = strconv.ParseInt(s, 10, 64); err != nil || before <= 0 {
			return issuer.ErrMissing
		}
	}
	items, more, err := h.Archive.History(r.Context(), fin, kind, before, perPage)
	if err != nil {
		return err
	}
	data := historyPage{}
	today := tesdiq.DateOf(h.Now())
	for _, item := range items {
		k, err := h.Kinds.Kind(item.Kind)
		if err != nil {
			return err
		}
		data.Rows = append(data.Rows, rowOf(item, k.Title(lang), today))
	}
	if len(items) > 0 || kind != "" || before > 0 {
		data.Filters = h.filters(lang, kind)
	}
	if more {
		data.Next = historyPath(kind, items[len(items)-1].ID)
	}
	if before > 0 {
		data.First = historyPath(kind, 0)
	}
	return h.pages.Render(w, r, "history.html", web.Page{Title: "issuer.history", Section: section, Data: data})
}

func rowOf(item issuer.Item, title string, today tesdiq.Date) historyRow {
	state := item.State(today)
	row := historyRow{
		Number: item.Number, Title: title, Path: path(item.Number), Asked: tesdiq.DateOf(item.AskedAt).String(),
		For: forWhom(item), Tag: tags[state], Issued: item.IssuedAt != nil, Checks: item.Checks,
	}
	if item.IssuedAt != nil {
		row.Until = item.ValidUntil.String()
	}
	return row
}

// forWhom joins for whom and what for, as far as they were given.
func forWhom(item issuer.Item) string {
	if item.Recipient != "" && item.Purpose != "" {
		return item.Recipient + ", " + item.Purpose
	}
	return item.Recipient + item.Purpose
}

// filters are all kinds, and each of them.
func (h *Web) filters(lang tesdiq.Lang, current string) []filter {
	fs := []filter{{h.Shell.T(lang, "issuer.history.all"), historyPath("", 0), current == ""}}
	for _, k := range h.Kinds {
		fs = append(fs, filter{k.Title(lang), historyPath(k.Name, 0), current == k.Name})
	}
	return fs
}

func historyPath(kind string, before int64) string {
	q := url.Values{}
	if kind != "" {
		q.Set("kind", kind)
	}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	if len(q) == 0 {
		return "/cabinet/excerpts"
	}
	return "/cabinet/excerpts?" + q.Encode()
}
