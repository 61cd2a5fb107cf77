package verifierweb

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/web"
)

// kinds are those by which the list can be filtered: the cabinet's two registers.
var kinds = []string{"examination", "contract"}

// listView is a page of a list.
type listView struct {
	Rows    []line
	Kind    string // "" for all
	Kinds   []string
	Next    string // address of the next page, if there is one
	First   string // address of the first page, if this is another
	CSV     string
	Manager bool // sees who asked for the organisation
	Name    string
}

// checksOfMine shows a person who checked what is about him.
func (h *Web) checksOfMine(w http.ResponseWriter, r *http.Request) error {
	kind, err := readKind(r)
	if err != nil {
		return err
	}
	after, err := verifier.ParseCursor(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	rows, err := h.Seen.OfSubject(r.Context(), string(web.ViewerOf(r.Context()).Person.FIN), kind, after, verifier.PageSize+1)
	if err != nil {
		return err
	}
	v := listView{Kind: kind, Kinds: kinds, CSV: address("/cabinet/checks-of-mine.csv", "kind", kind)}
	v.Rows, v.Next = h.page(web.ViewerOf(r.Context()).Lang, rows, address("/cabinet/checks-of-mine", "kind", kind, "after", ""))
	if !after.At.IsZero() {
		v.First = address("/cabinet/checks-of-mine", "kind", kind)
	}
	return h.pages.Render(w, r, "checks-of-mine.html", web.Page{Title: "verifier.of-mine.title", Section: "checks-of-mine", Data: v})
}

// readKind reads the filter. What is none of ours is a page that does not exist.
func readKind(r *http.Request) (string, error) {
	kind := r.URL.Query().Get("kind")
	for _, k := range append([]string{""}, kinds...) {
		if k == kind {
			return k, nil
		}
	}
	return "", tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
}

// address adds what is not empty to a path; an empty value at the end is left open for what follows.
func address(path string, pairs ...string) string {
	sep := "?"
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" && i+2 < len(pairs) || pairs[i+1] == "" && pairs[i] != "after" {
			continue
		}
		path += sep + pairs[i] + "=" + url.QueryEscape(pairs[i+1])
		sep = "&"
	}
	return path
}

// checkedByMe shows somebody what he, or his organisation, has checked.
func (h *Web) checkedByMe(w http.ResponseWriter, r *http.Request) error {
	after, err := verifier.ParseCursor(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	by := h.asker(r)
	rows, err := h.Made.Made(r.Context(), by, time.Time{}, after, verifier.PageSize+1)
	if err != nil {
		return err
	}
	v := listView{CSV: "/cabinet/checked-by-me.csv", Manager: by.Manager, Name: by.Name}
	v.Rows, v.Next = h.page(web.ViewerOf(r.Context()).Lang, rows, "/cabinet/checked-by-me?after=")
	if !after.At.IsZero() {
		v.First = "/cabinet/checked-by-me"
	}
	title := "verifier.by-me.title"
	if by.Sort == verifier.ByOrganisation {
		title = "verifier.by-us.title"
	}
	return h.pages.Render(w, r, "checked-by-me.html", web.Page{Title: title, Section: "checked-by-me", Data: v})
}

// checksOfMineCSV is the whole list for a spreadsheet.
func (h *Web) checksOfMineCSV(w http.ResponseWriter, r *http.Request) error {
	kind, err := readKind(r)
	if err != nil {
		return err
	}
	viewer := web.ViewerOf(r.Context())
	t := func(key string) string { return h.Shell.T(viewer.Lang, key) }
	head := []string{t("verifier.csv.at"), t("verifier.csv.by"), t("verifier.csv.document"), t("verifier.csv.number"),
		t("verifier.csv.way"), t("verifier.csv.purpose"), t("verifier.csv.note"), t("verifier.csv.verdict"), t("verifier.csv.check")}
	next := func(ctx context.Context, after verifier.Cursor) ([]verifier.Row, error) {
		return h.Seen.OfSubject(ctx, string(viewer.Person.FIN), kind, after, csvChunk)
	}
	return writeCSV(w, r, "checks-of-mine.csv", head, next, func(row verifier.Row) []string {
		if row.Look() {
			return []string{tesdiq.ClockString(row.At), row.Name, t("verifier.look"), "", "", row.Purpose, "", "", ""}
		}
		if row.Referral() {
			return []string{tesdiq.ClockString(row.At), row.Name, t("verifier.referral"), "", "", "", "", t("verifier.referral." + row.Purpose), ""}
		}
		if row.Lookup() {
			return []string{tesdiq.ClockString(row.At), h.who(viewer.Lang, row), t("verifier.lookup"), "", "", "", "", t("verifier.lookup." + row.Purpose), ""}
		}
		return []string{tesdiq.ClockString(row.At), h.who(viewer.Lang, row), h.line(viewer.Lang, row).Title, row.Number, t("verifier.way." + string(row.Way)),
			t("verifier.purpose." + row.Purpose), row.Note, t("web.verdict." + string(row.Verdict)), row.ID.String()}
	})
}

// who is the asker as the subject reads of him.
func (h *Web) who(lang tesdiq.Lang, row verifier.Row) string {
	switch {
	case row.Own:
		return h.Shell.T(lang, "verifier.by.own")
	case row.Name != "":
		return row.Name
	case row.Lookup():
		return h.Shell.T(lang, "verifier.by.anonymous")
	default:
		return h.Shell.T(lang, "verifier.by."+string(row.Sort))
	}
}

// checkedByMeCSV is the whole list for a spreadsheet.
func (h *Web) checkedByMeCSV(w http.ResponseWriter, r *http.Request) error {
	by, lang := h.asker(r), web.ViewerOf(r.Context()).Lang
	t := func(key string) string { return h.Shell.T(lang, key) }
	head := []string{t("verifier.csv.at"), t("verifier.csv.document"), t("verifier.csv.number"), t("verifier.csv.way"),
		t("verifier.csv.purpose"), t("verifier.csv.note"), t("verifier.csv.verdict"), t("verifier.csv.check")}
	if by.Manager {
		head = append(head, t("verifier.csv.clerk"))
	}
	next := func(ctx context.Context, after verifier.Cursor) ([]verifier.Row, error) {
		return h.Made.Made(ctx, by, time.Time{}, after, csvChunk)
	}
	return writeCSV(w, r, "checked-by-me.csv", head, next, func(row verifier.Row) []string {
		cells := []string{tesdiq.ClockString(row.At), h.line(lang, row).Title, row.Number, t("verifier.way." + string(row.Way)),
			t("verifier.purpose." + row.Purpose), row.Note, t("web.verdict." + string(row.Verdict)), row.ID.String()}
		if by.Manager {
			cells = append(cells, row.Clerk)
		}
		return cells
	})
}
