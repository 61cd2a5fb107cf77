package issuerweb

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/web"
)

type formPage struct {
	Typed      typed
	Title      string // of the document
	Entry      string // its entry's number
	EntryPath  string
	Langs      []web.Choice
	Validities []web.Choice
	Salary     bool // the kind can print one
	MaxLine    int
}

// typed is what stands in the form, right or wrong.
type typed struct {
	Key, Kind, Number, Lang, Validity, Recipient, Purpose string
	Salary                                                bool
}

func typedIn(q url.Values) typed {
	return typed{
		Key: q.Get("key"), Kind: q.Get("kind"), Number: q.Get("number"), Lang: q.Get("lang"), Validity: q.Get("validity"),
		Recipient: q.Get("recipient"), Purpose: q.Get("purpose"), Salary: q.Get("salary") != "",
	}
}

func (t typed) formPath() string {
	return "/cabinet/excerpts/new?" + url.Values{"key": {t.Key}, "kind": {t.Kind}, "number": {t.Number}}.Encode()
}

func (t typed) request() issuer.Request {
	return issuer.Request{
		Key: t.Key, Kind: t.Kind, Entry: t.Number, Lang: tesdiq.Lang(t.Lang), Validity: issuer.Validity(t.Validity),
		Recipient: t.Recipient, Purpose: t.Purpose, WithSalary: t.Salary,
	}
}

// form asks in which language, for how long, for whom and what for. Its address holds the request's key: whoever comes
// back to it because the answer was lost on its way, and sends the same again, asks for the same excerpt.
func (h *Web) form(w http.ResponseWriter, r *http.Request) error {
	fin, lang := viewer(r)
	q := r.URL.Query()
	source, err := h.Desk.Entry(r.Context(), fin, q.Get("kind"), q.Get("number"))
	if err != nil {
		return h.refuse(w, r, q.Get("kind"), err)
	}
	t := typed{Key: q.Get("key"), Kind: source.Kind.Name, Number: q.Get("number"), Lang: string(lang), Validity: string(issuer.Days30)}
	if len(t.Key) != issuer.KeyLength {
		if t.Key, err = issuer.NewRequestKey(h.Rand); err != nil {
			return err
		}
		http.Redirect(w, r, t.formPath(), http.StatusSeeOther)
		return nil
	}
	return h.show(w, r, source, t, nil)
}

// ask (a POST) writes the request down and waits a moment for its excerpt. Sent twice, it asks once.
func (h *Web) ask(w http.ResponseWriter, r *http.Request) error {
	fin, _ := viewer(r)
	t := typedIn(r.PostForm)
	n, err := h.Desk.Ask(r.Context(), fin, t.request())
	if err != nil {
		ps := tesdiq.ProblemsOf(err)
		if ps[0].Kind != tesdiq.Refused {
			return h.refuse(w, r, t.Kind, err)
		}
		source, err := h.Desk.Entry(r.Context(), fin, t.Kind, t.Number)
		if err != nil {
			return h.refuse(w, r, t.Kind, err)
		}
		// A new key, so that the form is sent to another address than that of its page: a browser would forget the
		// page, and all that was typed there, when it cannot reach us.
		if t.Key, err = issuer.NewRequestKey(h.Rand); err != nil {
			return err
		}
		return h.show(w, r, source, t, ps)
	}
	// It is written down: whatever happens while waiting, the excerpt's own page tells how it stands.
	_, _ = h.Desk.Wait(r.Context(), fin, n, patience)
	http.Redirect(w, r, path(n), http.StatusSeeOther)
	return nil
}

func (h *Web) show(w http.ResponseWriter, r *http.Request, source issuer.Source, t typed, ps tesdiq.Problems) error {
	_, lang := viewer(r)
	data := formPage{
		Typed: t, Title: source.Kind.Title(lang), Entry: source.Entry.Head.Number,
		EntryPath: entries(source.Kind) + "/" + url.PathEscape(source.Entry.Head.Number), Salary: source.Kind.Salary, MaxLine: issuer.MaxLine,
	}
	for _, l := range tesdiq.Langs {
		data.Langs = append(data.Langs, web.Choice{Value: string(l), Label: h.Shell.T(lang, "issuer.lang."+string(l))})
	}
	for _, v := range issuer.Validities {
		until, err := v.Until(h.Now(), source.Until())
		if err != nil {
			return h.refuse(w, r, t.Kind, err)
		}
		data.Validities = append(data.Validities, web.Choice{
			Value: string(v), Label: h.Shell.T(lang, "issuer.validity."+string(v)), Hint: h.Shell.T(lang, "issuer.validity.until", "Day", until.String()),
		})
	}
	return h.pages.Render(w, r, "new.html", web.Page{
		Title: "issuer.new", Section: section, Data: data, Problems: ps, Self: t.formPath(),
	})
}

type refusedPage struct {
	Why, Next, Path string
}

// refuse says why no excerpt can be drawn from an entry, and where to go on. What has no page of its own goes on as an error.
func (h *Web) refuse(w http.ResponseWriter, r *http.Request, kind string, err error) error {
	_, lang := viewer(r)
	var p *tesdiq.Problem
	if !errors.As(err, &p) || p.Kind != tesdiq.Conflict {
		return err
	}
	k, unknown := h.Kinds.Kind(kind)
	if unknown != nil {
		return unknown
	}
	data := refusedPage{Why: h.Shell.Sentence(lang, p), Next: h.Shell.T(lang, "issuer.refused.entries"), Path: entries(k)}
	if n, ok := p.Args["Number"].(string); ok && errors.Is(p, issuer.ErrSuperseded) {
		data.Next = h.Shell.T(lang, "issuer.refused.newer", "Number", n)
		data.Path = entries(k) + "/" + url.PathEscape(n)
	}
	return h.pages.Render(w, r, "refused.html", web.Page{
		Title: "issuer.refused", Section: section, Data: data, Status: http.StatusConflict, Self: "/cabinet/excerpts",
	})
}
