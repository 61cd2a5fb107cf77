package issuerweb

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/web"
)

type excerptPage struct {
	Number      issuer.Number
	Title       string
	State       tag
	Why, Next   string // one sentence each; empty while in force
	NextPath    string // where Next leads
	Making      bool
	Issued      bool // there is a file
	CanGive     bool // it is of use to somebody
	CanWithdraw bool
	Path        string
	Groups      []string // of the code
	Host        string
	Asked       time.Time
	Until       string
	Lang        string
	Recipient   string
	Purpose     string
	Salary      bool // printed
	ShowSalary  bool // could be
	Checks      int
}

// excerpt shows one of the person's excerpts: the file and its code, or why there is none.
func (h *Web) excerpt(w http.ResponseWriter, r *http.Request) error {
	data, err := h.page(r)
	if err != nil {
		return err
	}
	if data.Making {
		// Works without script; the page has a link besides.
		w.Header().Set("Refresh", "3")
	}
	return h.pages.Render(w, r, "excerpt.html", web.Page{TitleText: data.Title, Section: section, Data: data})
}

func (h *Web) page(r *http.Request) (excerptPage, error) {
	fin, lang := viewer(r)
	n, err := number(r)
	if err != nil {
		return excerptPage{}, err
	}
	item, err := h.Archive.Item(r.Context(), fin, n)
	if err != nil {
		return excerptPage{}, err
	}
	k, err := h.Kinds.Kind(item.Kind)
	if err != nil {
		return excerptPage{}, err
	}
	state := item.State(tesdiq.DateOf(h.Now()))
	p := excerptPage{
		Number: n, Title: k.Title(lang), State: tags[state], Making: state == issuer.Making, Issued: item.IssuedAt != nil,
		CanGive: state == issuer.InForce, CanWithdraw: item.IssuedAt != nil && item.WithdrawnAt == nil && state != issuer.Revoked,
		Path: path(n), Groups: strings.Split(item.Code.String(), "-"), Host: h.Host, Asked: item.AskedAt, Until: item.ValidUntil.String(),
		Lang: h.Shell.T(lang, "issuer.lang."+string(item.Lang)), Recipient: item.Recipient, Purpose: item.Purpose,
		Salary: item.WithSalary, ShowSalary: k.Salary, Checks: item.Checks,
	}
	p.Why, p.Next = h.explain(lang, item, state)
	if p.Next != "" {
		p.NextPath = entries(k)
	}
	return p, nil
}

// explain says in one sentence why an excerpt is not in force, and in another what can be done.
func (h *Web) explain(lang tesdiq.Lang, item issuer.Item, state issuer.State) (why, next string) {
	t := func(key string, args ...any) string { return h.Shell.T(lang, key, args...) }
	switch state {
	case issuer.Making:
		return t("issuer.why.making"), ""
	case issuer.Void:
		switch issuer.VoidReason(*item.VoidReason) {
		case issuer.NotCurrent:
			return t("issuer.why.not_current"), t("issuer.next.entries")
		case issuer.Unprintable:
			return t("issuer.why.unprintable"), t("issuer.next.entries")
		default:
			return t("issuer.why.failed"), t("issuer.next.entries")
		}
	case issuer.Revoked:
		if item.RevokedAt == nil && !item.Annulled {
			return t("issuer.why.signer", "Day", tesdiq.DateOf(*item.KeyRevokedAt).String()), t("issuer.next.signer")
		}
		if item.RevokedAt == nil {
			return t("issuer.why.annulled"), t("issuer.next.entries")
		}
		return t("issuer.why.revoked", "Day", tesdiq.DateOf(*item.RevokedAt).String(), "Reason", *item.RevokeReason), t("issuer.next.entries")
	case issuer.Withdrawn:
		return t("issuer.why.withdrawn", "At", tesdiq.ClockString(*item.WithdrawnAt)), t("issuer.next.entries")
	case issuer.Superseded:
		return t("issuer.why.superseded"), t("issuer.next.entries")
	case issuer.Expired:
		return t("issuer.why.expired", "Day", item.ValidUntil.String()), t("issuer.next.entries")
	}
	return "", ""
}

// pdf hands the file out, byte for byte as it was stored. Its name says nothing of its kind.
func (h *Web) pdf(w http.ResponseWriter, r *http.Request) error {
	fin, _ := viewer(r)
	n, err := number(r)
	if err != nil {
		return err
	}
	file, err := h.Archive.File(r.Context(), fin, n)
	if err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Type", "application/pdf")
	head.Set("Content-Disposition", `attachment; filename="`+templates.FileName(string(n))+`"`) // a Number has no character to be escaped
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-store")
	head.Set("ETag", strconv.Quote(hex.EncodeToString(file.SHA256[:])))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.PDF))
	return nil
}

// confirm asks whether the person means it.
func (h *Web) confirm(w http.ResponseWriter, r *http.Request) error {
	data, err := h.page(r)
	if err != nil {
		return err
	}
	if !data.CanWithdraw {
		http.Redirect(w, r, data.Path, http.StatusSeeOther)
		return nil
	}
	return h.pages.Render(w, r, "withdraw.html", web.Page{Title: "issuer.withdraw", Section: section, Data: data})
}

// withdraw (a POST) takes the excerpt back. Again, it changes nothing.
func (h *Web) withdraw(w http.ResponseWriter, r *http.Request) error {
	fin, _ := viewer(r)
	n, err := number(r)
	if err != nil {
		return err
	}
	if err := h.Desk.Withdraw(r.Context(), fin, n); err != nil {
		return err
	}
	http.Redirect(w, r, path(n), http.StatusSeeOther)
	return nil
}
