package verifierweb

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/web"
)

// checkView is the form where an excerpt is checked.
type checkView struct {
	Code, Purpose, Note string // as typed
	Action              string // where the form is sent
	Key                 string // of this form: sent twice, it is one check
	QR                  bool   // came by the QR: there is a code and no choice
	Organisation        bool   // may add a note
	Offline             bool   // there is a page that checks without network
	Purposes            []web.Choice
	Today               []line // what the organisation has checked today
	Manager             bool
	Next                string // address of the next page of Today
	More                bool   // this is not the first page of Today
}

// keptPurpose is the session's last purpose, so that a clerk chooses it once.
const keptPurpose = "verifier.purpose"

// checkForm shows the form. It records nothing, like every GET.
func (h *Web) checkForm(w http.ResponseWriter, r *http.Request) error {
	after, err := verifier.ParseCursor(r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	return h.form(w, r, checkView{Action: "/check", Purpose: h.Shell.Kept(r, keptPurpose)}, after, nil)
}

// qrForm is where the QR leads: the code is known, purpose and consent are not.
func (h *Web) qrForm(w http.ResponseWriter, r *http.Request) error {
	v := checkView{QR: true, Purpose: h.Shell.Kept(r, keptPurpose)}
	var ps tesdiq.Problems
	v.Code, v.Action = h.qrCode(r, &ps)
	return h.form(w, r, v, verifier.Cursor{}, ps)
}

// qrCode reads the code in the address. What is none is shown in the form of /check, to be typed by hand.
func (h *Web) qrCode(r *http.Request, ps *tesdiq.Problems) (shown, action string) {
	typed := chi.URLParam(r, "code")
	code, err := tesdiq.ParseCode(typed)
	if err != nil {
		ps.Add("code", err)
		return typed, "/check"
	}
	return code.String(), "/v/" + code.String()
}

// form shows the form, with what was typed and what is wrong with it.
func (h *Web) form(w http.ResponseWriter, r *http.Request, v checkView, after verifier.Cursor, ps tesdiq.Problems) error {
	viewer := web.ViewerOf(r.Context())
	for _, p := range tesdiq.Purposes {
		v.Purposes = append(v.Purposes, web.Choice{Value: string(p), Label: h.Shell.T(viewer.Lang, "verifier.purpose."+string(p))})
	}
	if v.Action == "/check" {
		v.QR = false
	}
	var err error
	if v.Key, err = tesdiq.RandomText(h.Shell.Rand, formKey); err != nil {
		return err
	}
	title := "verifier.check.title"
	if v.QR {
		title = "verifier.qr.title"
	} else if viewer.Organisation != nil {
		by := h.asker(r)
		rows, err := h.Made.Made(r.Context(), by, tesdiq.DateOf(h.Now()).Start(), after, verifier.PageSize+1)
		if err != nil {
			return err
		}
		v.Today, v.Next = h.page(viewer.Lang, rows, "/check?after=")
		v.Manager, v.More = by.Manager, !after.At.IsZero()
	}
	v.Organisation, v.Offline = viewer.Organisation != nil, h.offline != nil && !v.QR
	p := web.Page{Title: title, Section: "check", Data: v, Problems: ps, NoIndex: v.QR}
	if len(ps) > 0 && ps[0].Kind != tesdiq.Refused {
		p.Status = web.StatusOf(ps[0].Kind)
	}
	return h.pages.Render(w, r, "check.html", p)
}

// line is a row of a list in words.
type line struct {
	verifier.Row
	Title string // of the document; empty when none was found or nothing of it may be said
}

func (h *Web) line(lang tesdiq.Lang, r verifier.Row) line {
	l := line{Row: r}
	if r.Kind != "" {
		l.Title = h.KindTitle(lang, r.Kind)
	}
	return l
}

// page cuts the one row more than a page that was asked for to know whether there is a next page.
func (h *Web) page(lang tesdiq.Lang, rows []verifier.Row, address string) (lines []line, next string) {
	if len(rows) > verifier.PageSize {
		rows = rows[:verifier.PageSize]
		next = address + verifier.After(rows[len(rows)-1]).String()
	}
	for _, r := range rows {
		lines = append(lines, h.line(lang, r))
	}
	return lines, next
}

// check (a POST) records a check by what was typed, scanned or uploaded, and leads to its answer.
func (h *Web) check(w http.ResponseWriter, r *http.Request) error {
	f, err := h.readForm(w, r, h.Shell.ClientPrefix(r))
	defer func() { f.file.Forget() }()
	var p *tesdiq.Problem
	if errors.As(err, &p) && p.Field != "" {
		return h.form(w, r, typed(f), verifier.Cursor{}, tesdiq.Problems{p})
	}
	if err != nil {
		return err
	}
	var ps tesdiq.Problems
	q := verifier.Question{}
	switch {
	case f.wrong != nil:
		ps.Add("file", f.wrong)
	case f.file != nil && f.values["code"] != "":
		ps.Add("code", tesdiq.Invalid("check.both"))
	case f.file != nil:
		q.Way, q.File = tesdiq.ByFile, f.file
	case strings.TrimSpace(f.values["code"]) == "":
		ps.Add("code", tesdiq.Invalid("check.nothing"))
	default:
		q.Code, q.Way, err = verifier.ParseScan(f.values["code"])
		ps.Add("code", err)
	}
	return h.ask(w, r, q, f, typed(f), ps)
}

// checkQR (a POST) records a check of the code in the address.
func (h *Web) checkQR(w http.ResponseWriter, r *http.Request) error {
	f, err := h.readForm(w, r, h.Shell.ClientPrefix(r))
	defer func() { f.file.Forget() }()
	if err != nil {
		return err
	}
	var ps tesdiq.Problems
	v := typed(f)
	v.QR = true
	v.Code, v.Action = h.qrCode(r, &ps)
	code, _ := tesdiq.ParseCode(v.Code) // its error is in ps already
	return h.ask(w, r, verifier.Question{Way: tesdiq.ByQR, Code: code}, f, v, ps)
}

// upload is check for a body that may be a file. One that says beforehand that it is too large is refused unread, with
// the form to go on with.
func (h *Web) upload(w http.ResponseWriter, r *http.Request) error {
	err := h.Shell.Upload(h.check, maxUpload)(w, r)
	var p *tesdiq.Problem
	if errors.As(err, &p) && p.Kind == tesdiq.TooLarge {
		return h.form(w, r, checkView{Action: "/check", Purpose: h.Shell.Kept(r, keptPurpose)}, verifier.Cursor{}, tesdiq.Problems{verifier.TooLarge()})
	}
	return err
}

// formKey is how many random characters the key of a form has; it stands in the address that the form is sent to.
// So that address is never the page's own: a browser would forget the page, and all that was typed there, when it cannot
// reach us.
const formKey = 26

// keyOf is the key of the form that was sent; empty for whoever sends without one.
func keyOf(r *http.Request) string {
	key := r.URL.Query().Get("key")
	if len(key) != formKey {
		return ""
	}
	return key
}

// once makes a question that one form asks twice one check: after a double click, or when the first answer was lost on its
// way. The same form with anything else in it is another question.
func once(q *verifier.Question, key string) {
	if key == "" {
		return
	}
	var sum verifier.Sum
	if q.File != nil {
		sum = q.File.Sum
	}
	all := fmt.Sprintf("form %q %q %d %q %q %q %q %x %q %q", key, q.By.Sort, q.By.Organisation, q.By.Member, q.By.Visitor, q.Way, q.Code, sum, q.Purpose, q.Note)
	request := verifier.Sum(sha256.Sum256([]byte(all)))
	q.Key, q.Request = hex.EncodeToString(request[:]), &request
}

// typed is the form as it was sent.
func typed(f fields) checkView {
	return checkView{Action: "/check", Code: f.values["code"], Purpose: f.values["purpose"], Note: f.values["note"]}
}

// ask checks, or shows the form again.
func (h *Web) ask(w http.ResponseWriter, r *http.Request, q verifier.Question, f fields, v checkView, ps tesdiq.Problems) error {
	var err error
	q.Purpose, err = tesdiq.ParsePurpose(f.values["purpose"])
	ps.Add("purpose", err)
	if web.ViewerOf(r.Context()).Organisation != nil { // nobody else has the field
		q.Note, err = verifier.ParseNote(f.values["note"])
		ps.Add("note", err)
	}
	if len(ps) > 0 {
		return h.form(w, r, v, verifier.Cursor{}, ps)
	}
	h.Shell.Keep(r, keptPurpose, string(q.Purpose))
	key := keyOf(r)
	if web.ViewerOf(r.Context()).Person == nil {
		h.Shell.VisitorOfForm(r, key)
	}
	q.By = h.asker(r)
	once(&q, key)
	a, err := h.Verifier.Check(r.Context(), q)
	var p *tesdiq.Problem
	if errors.As(err, &p) && (p.Kind == tesdiq.TooMany || p.Kind == tesdiq.Refused) {
		retryAfter(w, p)
		return h.form(w, r, v, verifier.Cursor{}, tesdiq.Problems{p})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/checked/"+a.Check.ID.String(), http.StatusSeeOther)
	return nil
}

// answerView is the answer to a check.
type answerView struct {
	verifier.Answer
	Facts   []fact
	Masked  bool
	By      string // who asked, in words
	Clerk   string
	Altered bool
	Tells   bool   // the subject reads of it
	Purpose string // for the next check of a clerk
	Key     string // of the form for it
	Old     bool   // what it says is not shown any more
}

type fact struct {
	Label, Value string
	Lang         tesdiq.Lang // of the excerpt, where it is the excerpt that speaks
	Mono         bool
}

// checked shows the answer to a check, to whoever asked.
func (h *Web) checked(w http.ResponseWriter, r *http.Request) error {
	id, err := verifier.ParseCheckID(chi.URLParam(r, "id"))
	if err != nil {
		return err
	}
	a, err := h.Verifier.Read(r.Context(), id, h.asker(r))
	if err != nil {
		return err
	}
	viewer := web.ViewerOf(r.Context())
	v := answerView{
		Answer: a, Facts: h.facts(viewer.Lang, a), Masked: a.Shown.Disclosure == verifier.ShowMasked, By: a.Check.By.Name,
		Purpose: string(a.Check.Purpose), Altered: a.Check.Verdict == tesdiq.Altered, Tells: a.Check.Excerpt != 0 && !a.Shown.Own,
		Old: a.Shown.Disclosure == verifier.ShowDocument && h.Now().Sub(a.Check.At) > verifier.Reread && standing(a) != tesdiq.Revoked,
	}
	if kept, err := tesdiq.ParsePurpose(h.Shell.Kept(r, keptPurpose)); err == nil {
		v.Purpose = string(kept)
	}
	if v.Key, err = tesdiq.RandomText(h.Shell.Rand, formKey); err != nil {
		return err
	}
	if v.By == "" {
		v.By = h.Shell.T(viewer.Lang, "verifier.by."+string(a.Check.By.Sort))
	}
	switch {
	case viewer.Person != nil && a.Check.By.Member == viewer.Person.FIN:
		v.Clerk = viewer.Person.Name.Short()
	case a.Check.By.Client != "":
		v.Clerk = a.Check.By.Client
	}
	return h.pages.Render(w, r, "verdict.html", web.Page{
		Title: "verifier.verdict." + string(a.Check.Verdict), Section: "check", Data: v, NoIndex: true,
	})
}

// standing is the verdict of now, if it changed, or that of then.
func standing(a verifier.Answer) tesdiq.Verdict {
	if a.Later != nil {
		return a.Later.Verdict
	}
	return a.Judgement.Verdict
}

// facts are what the excerpt says, and what is printed around it.
func (h *Web) facts(lang tesdiq.Lang, a verifier.Answer) []fact {
	s := a.Shown
	if s.Disclosure == verifier.ShowNothing {
		return nil
	}
	t := func(key string) string { return h.Shell.T(lang, "verifier.fact."+key) }
	facts := []fact{{Label: t("title"), Value: s.Statement.Title, Lang: s.Statement.Lang}}
	for _, f := range s.Statement.Facts {
		facts = append(facts, fact{Label: f.Label, Value: f.Value, Lang: s.Statement.Lang})
	}
	facts = append(facts, fact{Label: t("number"), Value: s.Number, Mono: true}, fact{Label: t("issued"), Value: tesdiq.ClockString(s.IssuedAt)})
	return append(facts, fact{Label: t("code"), Value: s.Code.String(), Mono: true})
}

// ClockSeconds is the moment of a check to the second: several may fall into a minute.
func (answerView) ClockSeconds(t time.Time) string {
	return t.In(tesdiq.Baku).Format("02.01.2006, 15:04:05")
}
