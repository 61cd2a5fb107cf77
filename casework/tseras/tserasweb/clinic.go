package tserasweb

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/signin"
)

//go:embed pages/clinic-*.html pages/_clinic-parts.html
var clinicPages embed.FS

// ClinicDesk is what the pages of a medical institution's members ask.
type ClinicDesk interface {
	Referrals
	Institution(ctx context.Context, id int64) (tseras.Institution, error)
	Check(ctx context.Context, from tseras.Institution, r tseras.Referral) (name string, err error)
	Awaited(ctx context.Context, from tseras.Institution, number string) (tseras.Awaited, error)
}

// Clinic is the pages of who acts for a medical institution. Nothing is written without a confirmation at the sign-in
// provider. All fields are required.
type Clinic struct {
	Shell     *web.Shell
	Desk      ClinicDesk
	Confirmer Confirmer
	Calendar  *tesdiq.Calendar
	Now       func() time.Time

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Clinic) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(clinicPages); err != nil {
		return fmt.Errorf("tserasweb: %w", err)
	}
	return nil
}

const clinicPath = "/institution"

// clinicDuty is what a medical institution does: its organisation's sort gives it, not the operator.
const clinicDuty = "referral"

// Routes registers the pages' addresses, after Prepare.
func (h *Clinic) Routes(r chi.Router) {
	for path, get := range map[string]clinicHandler{
		"": h.list, "/referrals/{case}": h.one, "/refer": h.form, "/referred": h.referred, "/waiting/{case}": h.waiting, "/waiting/{case}/declined": h.declined,
	} {
		r.Get(clinicPath+path, h.acting(get))
	}
	r.Post(clinicPath+"/refer", h.acting(h.refer))
	r.Post(clinicPath+"/waiting/{case}", h.acting(h.decline))
}

type clinicHandler func(http.ResponseWriter, *http.Request, tseras.Institution) error

// acting lets in who acts for a medical institution that may refer. A message leads its reader here while he acts for himself, and names
// the institution by the parameter for: who may act for it is asked whether he wants to.
func (h *Clinic) acting(handle clinicHandler) http.HandlerFunc {
	return h.Shell.Person(func(w http.ResponseWriter, r *http.Request) error {
		v := web.ViewerOf(r.Context())
		if id, err := strconv.ParseInt(r.URL.Query().Get("for"), 10, 64); err == nil && r.Method == http.MethodGet && (v.Organisation == nil || v.Organisation.ID != id) {
			return h.offer(w, r, id)
		}
		if !v.Has(clinicDuty) {
			return tesdiq.NewProblem(tesdiq.Forbidden, "web.duty")
		}
		from, err := h.Desk.Institution(r.Context(), v.Organisation.ID)
		if errors.Is(err, casework.ErrMissing) {
			return tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
		}
		if err != nil {
			return err
		}
		from.Member = v.Person.FIN
		return handle(w, r, from)
	})
}

type actPage struct {
	Organisation web.Organisation
	Next         string // the page that he wanted to see
}

// offer asks somebody whether he wants to act for an institution, to see a page of its.
func (h *Clinic) offer(w http.ResponseWriter, r *http.Request, id int64) error {
	o, err := h.Shell.Members.Membership(r.Context(), web.ViewerOf(r.Context()).Person.FIN, id)
	if err != nil {
		return err
	}
	title := h.Shell.T(web.ViewerOf(r.Context()).Lang, "tseras-clinic.act", "Name", o.Name)
	return h.pages.Render(w, r, "clinic-act.html", web.Page{TitleText: title, Data: actPage{o, r.URL.Path}})
}

// dueLine is until when something is to be done.
type dueLine struct {
	Day         tesdiq.Date
	Alarm       casework.Alarm
	Provisional bool
	Left        string // how many working days are left
}

func (h *Clinic) due(lang tesdiq.Lang, c casework.Clock) (dueLine, error) {
	today := tesdiq.DateOf(h.Now())
	alarm, err := c.Alarm(h.Calendar, today)
	if err != nil {
		return dueLine{}, fmt.Errorf("tserasweb: clock: %w", err)
	}
	days, err := left(h.Shell, lang, h.Calendar, c, today)
	return dueLine{c.DueBy, alarm, c.Provisional, days}, err
}

type awaitedLine struct {
	tseras.Awaited
	Path string
	Due  dueLine
}

type referredLine struct {
	Case, Number, Path string
	On                 tesdiq.Date
	Tag                tag
	Turn               string // key of a sentence
	Due                dueLine
}

var progressTags = map[tseras.Progress]tag{
	tseras.WithRegisters: {"none", "…", ""}, tseras.WithCommission: {"none", "…", ""}, tseras.WithResult: {"good", "✓", ""}, tseras.WithoutResult: {"warn", "!", ""},
}

func (h *Clinic) referredLine(lang tesdiq.Lang, r tseras.Referred) (referredLine, error) {
	l := referredLine{Case: r.Case, Number: r.Referral.Number, Path: clinicPath + "/referrals/" + r.Case, On: r.Referral.On, Tag: progressTags[r.Progress]}
	l.Tag.Word, l.Turn = "tseras-clinic.state."+string(r.Progress), "tseras-clinic.turn."+string(r.Clock.Turn)
	var err error
	if r.Clock.Turn != casework.Nobody {
		l.Due, err = h.due(lang, r.Clock)
	}
	return l, err
}

type clinicList struct {
	Waiting     []awaitedLine
	Referrals   []referredLine
	Number      string
	State       string
	States      []web.Choice
	Next, Later string // addresses of the next pages of referrals and of who waits
	First       string // address of the first page, if this is another
}

// clinicPage is how many lines a page has.
const clinicPage = 20

// list shows who waits for the institution, and what it has referred.
func (h *Clinic) list(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	lang, q := web.ViewerOf(r.Context()).Lang, r.URL.Query()
	p := clinicList{Number: q.Get("number"), State: q.Get("state")}
	p.States = append(p.States, web.Choice{Value: "", Label: h.Shell.T(lang, "tseras-clinic.state.all")})
	for _, s := range tseras.Progresses {
		p.States = append(p.States, web.Choice{Value: string(s), Label: h.Shell.T(lang, "tseras-clinic.state."+string(s))})
	}
	var ps tesdiq.Problems
	ps.Add("number", tesdiq.CheckText(p.Number, tseras.MaxReferralNumber, false))
	progress, err := tseras.ParseProgress(p.State)
	ps.Add("state", err)
	before, wrong1 := tseras.ParseCaseNumber(q.Get("before"))
	after, wrong2 := tseras.ParseCaseNumber(q.Get("after"))
	if wrong1 != nil || wrong2 != nil {
		return tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
	}
	if len(ps) == 0 {
		if err := h.fill(r.Context(), from, &p, tseras.Sought{Progress: progress, Number: p.Number, Before: before, Limit: clinicPage + 1}, after); err != nil {
			return err
		}
	}
	return h.pages.Render(w, r, "clinic-list.html", web.Page{Title: "tseras-clinic.title", Section: "institution", Data: p, Problems: ps})
}

func (h *Clinic) fill(ctx context.Context, from tseras.Institution, p *clinicList, s tseras.Sought, after string) error {
	waiting, err := h.Desk.Awaiting(ctx, from, after, clinicPage+1)
	if err != nil {
		return err
	}
	if len(waiting) > clinicPage {
		waiting = waiting[:clinicPage]
		p.Later = clinicPath + "?after=" + waiting[clinicPage-1].Case
	}
	for _, a := range waiting {
		due, err := h.due(web.ViewerOf(ctx).Lang, a.Clock)
		if err != nil {
			return err
		}
		p.Waiting = append(p.Waiting, awaitedLine{a, clinicPath + "/waiting/" + a.Case, due})
	}
	all, err := h.Desk.Referrals(ctx, from, s)
	if err != nil {
		return err
	}
	sought := url.Values{}
	for name, value := range map[string]string{"number": p.Number, "state": p.State} {
		if value != "" {
			sought.Set(name, value)
		}
	}
	if s.Before != "" || after != "" {
		p.First = clinicPath + "?" + sought.Encode()
	}
	if len(all) > clinicPage {
		all = all[:clinicPage]
		sought.Set("before", all[clinicPage-1].Case)
		p.Next = clinicPath + "?" + sought.Encode()
	}
	for _, x := range all {
		l, err := h.referredLine(web.ViewerOf(ctx).Lang, x)
		if err != nil {
			return err
		}
		p.Referrals = append(p.Referrals, l)
	}
	return nil
}

type referredPage struct {
	referredLine
	Facts  []namedValue // what the institution wrote
	Result []namedValue // what it is told; empty before the decision
}

// one shows one referral. Where it is decided, that it was looked at is written down before.
func (h *Clinic) one(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	x, err := h.Desk.Referral(r.Context(), from, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	lang := web.ViewerOf(r.Context()).Lang
	t := func(key string, args ...any) string { return h.Shell.T(lang, "tseras-clinic."+key, args...) }
	p := referredPage{Facts: h.facts(lang, x.Referral)}
	if p.referredLine, err = h.referredLine(lang, x); err != nil {
		return err
	}
	if told := x.Result; told != nil {
		p.Result = []namedValue{{t("outcome"), t("outcome." + string(told.Outcome))}, {t("decided-on"), told.On.String()}}
		if !told.Until.IsZero() {
			p.Result = append(p.Result, namedValue{t("until"), told.Until.String()})
		}
		if !told.NextFrom.IsZero() {
			p.Result = append(p.Result, namedValue{t("next-from"), told.NextFrom.String()})
		}
	}
	return h.pages.Render(w, r, "clinic-referral.html", web.Page{TitleText: t("referral", "Number", p.Number), Section: "institution", Data: p})
}

// facts are a referral in words, as the institution wrote it.
func (h *Clinic) facts(lang tesdiq.Lang, x tseras.Referral) []namedValue {
	t := func(key string, args ...any) string { return h.Shell.T(lang, "tseras-clinic."+key, args...) }
	all := []namedValue{
		{t("number"), x.Number}, {t("on"), x.On.String()}, {t("subject"), string(x.Subject)}, {t("born"), x.Born.String()},
		{t("ground"), t("ground." + string(x.Ground))}, {t("main"), string(x.Main.Code) + ", " + x.Main.Since.String()},
	}
	if x.Phone != "" {
		all = append(all, namedValue{t("phone"), x.Phone})
	}
	for _, d := range x.Others {
		all = append(all, namedValue{t("other"), string(d.Code) + ", " + d.Since.String()})
	}
	for _, k := range x.Treatments {
		until := "…"
		if !k.To.IsZero() {
			until = k.To.String()
		}
		where := "outpatient"
		if k.Inpatient {
			where = "inpatient"
		}
		all = append(all, namedValue{t("treatment"), string(k.Code) + ", " + k.From.String() + "–" + until + ", " + t(where)})
	}
	for _, k := range x.Tests {
		all = append(all, namedValue{h.Shell.T(lang, "tseras-commission.test."+string(k.Code)), fmt.Sprintf("%d, %s", k.Value, k.On)})
	}
	for _, f := range x.Physicians {
		all = append(all, namedValue{t("physician"), string(f)})
	}
	return all
}

type referPage struct {
	Form   typedReferral
	Review *review
	Tests  []web.Choice
	Ground []web.Choice
	Where  []web.Choice
}

// review is what is signed, before it is.
type review struct {
	Name  string // whom the register knows under the FIN
	Facts []namedValue
	JSON  string
}

// form is the form of a referral; of somebody who waits it knows the person already.
func (h *Clinic) form(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	f := typedReferral{On: tesdiq.DateOf(h.Now()).String()}
	if number := r.URL.Query().Get("case"); number != "" {
		a, err := h.Desk.Awaited(r.Context(), from, number)
		if err != nil {
			return err
		}
		f.Subject, f.Born = string(a.Subject), a.Born.String()
	}
	return h.render(w, r, f.padded(""), nil, nil)
}

func (h *Clinic) render(w http.ResponseWriter, r *http.Request, f typedReferral, shown *review, ps tesdiq.Problems) error {
	lang := web.ViewerOf(r.Context()).Lang
	p := referPage{Form: f, Review: shown, Tests: []web.Choice{{Value: "", Label: "—"}}}
	for _, k := range tseras.TestKinds() {
		p.Tests = append(p.Tests, web.Choice{Value: string(k.Code), Label: h.Shell.T(lang, "tseras-commission.test."+string(k.Code))})
	}
	for _, g := range tseras.Grounds {
		p.Ground = append(p.Ground, web.Choice{Value: string(g), Label: h.Shell.T(lang, "tseras-clinic.ground."+string(g))})
	}
	for _, where := range []string{"outpatient", "inpatient"} {
		p.Where = append(p.Where, web.Choice{Value: where, Label: h.Shell.T(lang, "tseras-clinic."+where)})
	}
	title := "tseras-clinic.refer"
	if shown != nil {
		title = "tseras-clinic.review"
	}
	labels := f.labels(func(key string) string { return h.Shell.T(lang, "tseras-clinic."+key) })
	said := map[string]string{}
	for _, l := range labels {
		said[l.Name] = l.Value
	}
	place := func(p *tesdiq.Problem) int {
		return slices.IndexFunc(labels, func(l namedValue) bool { return l.Name == p.Field })
	}
	slices.SortStableFunc(ps, func(a, b *tesdiq.Problem) int { return place(a) - place(b) })
	return h.pages.Render(w, r, "clinic-refer.html", web.Page{Title: title, Section: "institution", Data: p, Problems: ps, Labels: said, Self: clinicPath + "/refer"})
}

// aboutReferral names a referral to the sign-in provider's confirmation.
const aboutReferral = "tseras referral"

// refer takes what is done with the form: another line, looking at it, changing it, signing it.
func (h *Clinic) refer(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	do := r.PostForm.Get("do")
	if do == "sign" || do == "edit" {
		var x tseras.Referral
		if json.Unmarshal([]byte(r.PostForm.Get("referral")), &x) != nil {
			return tesdiq.Invalid("web.form")
		}
		if do == "edit" {
			return h.render(w, r, typedOf(x).padded(""), nil, nil)
		}
		return h.sign(w, r, from, x)
	}
	f := readReferral(r.PostForm)
	if do != "check" {
		return h.render(w, r, f.padded(do), nil, nil)
	}
	x, ps := f.referral()
	name, err := "", error(nil)
	if len(ps) == 0 {
		name, err = h.Desk.Check(r.Context(), from, x)
	} else if wrong := x.Validate(tesdiq.DateOf(h.Now()), x.Born); len(wrong) > 0 { // what cannot be read is no reason to keep the rest for the next time
		err = wrong
	}
	if ps, err = wrongIn(err, ps); err != nil {
		return err
	}
	if len(ps) > 0 {
		return h.render(w, r, f.padded(""), nil, ps)
	}
	b, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("tserasweb: referral: %w", err)
	}
	return h.render(w, r, f, &review{name, h.facts(web.ViewerOf(r.Context()).Lang, x), string(b)}, nil)
}

// sign sends a member to the provider, to sign the digest of a referral in which nothing is wrong.
func (h *Clinic) sign(w http.ResponseWriter, r *http.Request, from tseras.Institution, x tseras.Referral) error {
	_, err := h.Desk.Check(r.Context(), from, x)
	ps, err := wrongIn(err, nil)
	if err != nil {
		return err
	}
	if len(ps) > 0 {
		return h.render(w, r, typedOf(x).padded(""), nil, ps)
	}
	b, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("tserasweb: referral: %w", err)
	}
	nonce, err := tseras.ReferralNonce(from, x)
	if err != nil {
		return err
	}
	return h.Confirmer.Prove(w, r, signin.Confirmation{About: aboutReferral, Nonce: nonce, Kept: string(b), To: clinicPath + "/referred"})
}

// referred is where a member comes back to from the provider: with its proof, which is given once, the referral is written.
func (h *Clinic) referred(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	var x tseras.Referral
	proof, ok := h.Confirmer.Proven(r, aboutReferral, func(kept string) string {
		if json.Unmarshal([]byte(kept), &x) != nil {
			return ""
		}
		nonce, _ := tseras.ReferralNonce(from, x) // empty is no nonce
		return nonce
	})
	if !ok {
		http.Redirect(w, r, clinicPath, http.StatusSeeOther)
		return nil
	}
	c, err := h.Desk.Refer(r.Context(), from, x, proof.Token)
	ps, err := wrongIn(err, nil)
	if err != nil {
		return err
	}
	if len(ps) > 0 { // something happened meanwhile
		return h.render(w, r, typedOf(x).padded(""), nil, ps)
	}
	http.Redirect(w, r, clinicPath+"/referrals/"+c.Number, http.StatusSeeOther)
	return nil
}

type waitingPage struct {
	awaitedLine
	Refer   string
	Reasons []web.Choice
	Reason  string
	Words   string
}

// waiting shows somebody who waits, and how to refer him or to say that there is no ground.
func (h *Clinic) waiting(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	return h.renderWaiting(w, r, from, tseras.Refusal{}, nil)
}

func (h *Clinic) renderWaiting(w http.ResponseWriter, r *http.Request, from tseras.Institution, f tseras.Refusal, ps tesdiq.Problems) error {
	a, err := h.Desk.Awaited(r.Context(), from, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	lang := web.ViewerOf(r.Context()).Lang
	due, err := h.due(lang, a.Clock)
	if err != nil {
		return err
	}
	p := waitingPage{awaitedLine: awaitedLine{a, clinicPath + "/waiting/" + a.Case, due}, Refer: clinicPath + "/refer?case=" + a.Case, Reason: string(f.Reason), Words: f.Words}
	for _, x := range tseras.RefusalReasons {
		p.Reasons = append(p.Reasons, web.Choice{Value: string(x), Label: h.Shell.T(lang, "tseras-clinic.refusal."+string(x))})
	}
	return h.pages.Render(w, r, "clinic-waiting.html", web.Page{TitleText: h.Shell.T(lang, "tseras-clinic.case", "Number", a.Case), Section: "institution", Data: p, Problems: ps, Self: p.Path})
}

func aboutRefusal(number string) string { return "tseras refusal " + number }

// decline sends a member to the provider, to sign that there is no referral. Nothing is written yet.
func (h *Clinic) decline(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	f := tseras.Refusal{Case: chi.URLParam(r, "case"), Reason: tseras.RefusalReason(r.PostForm.Get("reason")), Words: oneLine(r.PostForm.Get("words"))}
	if _, err := h.Desk.Awaited(r.Context(), from, f.Case); err != nil {
		return err
	}
	if ps := f.Validate(); len(ps) > 0 {
		return h.renderWaiting(w, r, from, f, ps)
	}
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("tserasweb: refusal: %w", err)
	}
	nonce, err := tseras.RefusalNonce(from, f)
	if err != nil {
		return err
	}
	return h.Confirmer.Prove(w, r, signin.Confirmation{About: aboutRefusal(f.Case), Nonce: nonce, Kept: string(b), To: clinicPath + "/waiting/" + f.Case + "/declined"})
}

// declined is where a member comes back to from the provider.
func (h *Clinic) declined(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	var f tseras.Refusal
	number := chi.URLParam(r, "case")
	proof, ok := h.Confirmer.Proven(r, aboutRefusal(number), func(kept string) string {
		if json.Unmarshal([]byte(kept), &f) != nil {
			return ""
		}
		nonce, _ := tseras.RefusalNonce(from, f) // empty is no nonce
		return nonce
	})
	if ok {
		if _, err := h.Desk.Refuse(r.Context(), from, f, proof.Token); err != nil {
			return err
		}
	}
	http.Redirect(w, r, clinicPath, http.StatusSeeOther)
	return nil
}
