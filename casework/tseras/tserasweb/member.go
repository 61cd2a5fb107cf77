package tserasweb

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/signin"
)

//go:embed pages/member-*.html pages/_member-parts.html
var memberPages embed.FS

// Bench is what the members' pages ask.
type Bench interface {
	Member(ctx context.Context, fin tesdiq.FIN) (id tseras.MemberID, commission string, err error)
	Seats(ctx context.Context, fin tesdiq.FIN) ([]tseras.Seat, error)
	Open(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber) (tseras.BlindCase, error)
	Record(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, found criteria.Findings) error
	Sign(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, w tseras.Word) error
	Extend(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, reason string) error
	Absent(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber, n int) error
}

// Confirmer lets who is signed in confirm with the sign-in provider; signin.Web is one.
type Confirmer interface {
	Prove(w http.ResponseWriter, r *http.Request, c signin.Confirmation) error
	Proven(r *http.Request, about string, nonce func(kept string) string) (signin.Proof, bool)
}

// Commission is the members' pages. They show a case by a number that leads nowhere, and of nobody what others found. All
// fields are required.
type Commission struct {
	Shell     *web.Shell
	Bench     Bench
	Confirmer Confirmer
	Calendar  *tesdiq.Calendar
	Now       func() time.Time

	pages *web.Pages
}

// Prepare parses the pages.
func (h *Commission) Prepare() (err error) {
	if h.pages, err = h.Shell.Pages(memberPages); err != nil {
		return fmt.Errorf("tserasweb: %w", err)
	}
	return nil
}

const commissionPath = "/commission"

// Routes registers the pages' addresses, after Prepare.
func (h *Commission) Routes(r chi.Router) {
	private := h.Shell.Private
	r.Get(commissionPath, private(h.list))
	r.Get(commissionPath+"/{number}", private(h.show))
	r.Post(commissionPath+"/{number}/findings", private(h.record))
	r.Post(commissionPath+"/{number}/sign", private(h.sign))
	r.Get(commissionPath+"/{number}/signed", private(h.signed))
	r.Post(commissionPath+"/{number}/refuse", private(h.refuse))
	r.Post(commissionPath+"/{number}/extend", private(h.extend))
	r.Post(commissionPath+"/{number}/absent", private(h.absent))
}

// seatLine is a case in a member's list.
type seatLine struct {
	tseras.Seat
	Path, Role, State string
	Alarm             casework.Alarm
	Left              string // how many working days, in words
	Waiting           bool   // for the person, who comes later
}

type seatsPage struct {
	Member      tseras.MemberID
	Commission  string
	Mine, Other []seatLine // it is the member's turn, or others'
	Closed      []seatLine
}

// list shows the cases of who is signed in, the next deadline first.
func (h *Commission) list(w http.ResponseWriter, r *http.Request) error {
	v := web.ViewerOf(r.Context())
	var p seatsPage
	var err error
	p.Member, p.Commission, err = h.Bench.Member(r.Context(), v.Person.FIN)
	if errors.Is(err, casework.ErrMissing) {
		return tesdiq.NewProblem(tesdiq.NotFound, "web.no-page")
	}
	if err != nil {
		return err
	}
	seats, err := h.Bench.Seats(r.Context(), v.Person.FIN)
	if err != nil {
		return err
	}
	for _, s := range seats {
		l, err := h.seatLine(v.Lang, s)
		if err != nil {
			return err
		}
		switch {
		case ended(s.State), s.Passed:
			p.Closed = append(p.Closed, l)
		case s.Mine() && !l.Waiting:
			p.Mine = append(p.Mine, l)
		default:
			p.Other = append(p.Other, l)
		}
	}
	return h.pages.Render(w, r, "member-cases.html", web.Page{Title: "tseras-commission.title", Section: "commission", Data: p})
}

// Waiting says to a member how many cases wait for him, for the first page of the cabinet; false to everybody else.
func (h *Commission) Waiting(ctx context.Context, fin tesdiq.FIN, lang tesdiq.Lang) (address, title, text string, ok bool, err error) {
	switch _, _, err := h.Bench.Member(ctx, fin); {
	case errors.Is(err, casework.ErrMissing):
		return "", "", "", false, nil
	case err != nil:
		return "", "", "", false, err
	}
	seats, err := h.Bench.Seats(ctx, fin)
	if err != nil {
		return "", "", "", false, err
	}
	n := 0
	for _, s := range seats {
		if s.Mine() {
			n++
		}
	}
	if n == 0 {
		return commissionPath, h.Shell.T(lang, "tseras-commission.title"), h.Shell.T(lang, "tseras-commission.home.none"), true, nil
	}
	return commissionPath, h.Shell.TN(lang, "tseras-commission.home", n), h.Shell.T(lang, "tseras-commission.home.text"), true, nil
}

// seatLine says where a case stands for a member.
func (h *Commission) seatLine(lang tesdiq.Lang, s tseras.Seat) (seatLine, error) {
	l := seatLine{Seat: s, Path: commissionPath + "/" + string(s.Number), Role: h.Shell.T(lang, "tseras-commission.role."+string(s.Role))}
	l.State = h.Shell.T(lang, "tseras-commission.state."+stateKey(s))
	if s.Mine() && s.Waits(h.Now()) {
		l.Waiting = true
		l.State = h.Shell.T(lang, "tseras-commission.state.meets", "At", tesdiq.ClockString(s.Meets.Starts))
	}
	if ended(s.State) || s.Passed {
		l.Clock.DueBy = tesdiq.Date{}
		return l, nil
	}
	today := tesdiq.DateOf(h.Now())
	var err error
	if l.Alarm, err = s.Clock.Alarm(h.Calendar, today); err != nil {
		return l, fmt.Errorf("tserasweb: clock: %w", err)
	}
	if l.Left, err = left(h.Shell, lang, h.Calendar, s.Clock, today); err != nil {
		return l, fmt.Errorf("tserasweb: clock: %w", err)
	}
	return l, nil
}

func ended(s casework.State) bool {
	return s == tseras.Decided || s == tseras.Declined || s == tseras.Withdrawn || s == tseras.Lapsed
}

// stateKey is what a member is told of a case: what he is to do, or that he waits.
func stateKey(s tseras.Seat) string {
	switch {
	case ended(s.State):
		return string(s.State)
	case s.Passed:
		return "passed"
	case s.Meets != nil && s.Meets.Absent:
		return "absent"
	case s.Mine() && s.State == tseras.Signing:
		return "sign"
	case s.Mine():
		return "record"
	case s.State == tseras.Signing:
		return "signed"
	}
	return "recorded"
}

// open shows who is signed in the case of the address, and writes down that he looked.
func (h *Commission) open(r *http.Request) (tseras.BlindCase, error) {
	number, err := tseras.ParseBlindNumber(chi.URLParam(r, "number"))
	if err != nil {
		return tseras.BlindCase{}, err
	}
	fin := web.ViewerOf(r.Context()).Person.FIN
	c, err := h.Bench.Open(r.Context(), fin, number)
	if errors.Is(err, casework.ErrMissing) {
		h.noSeat(r.Context(), fin, number)
	}
	return c, err
}

// noSeat says in the log that a member has asked for a case that he was not drawn for; he himself is told that there is no such case.
func (h *Commission) noSeat(ctx context.Context, fin tesdiq.FIN, number tseras.BlindNumber) {
	if member, commission, err := h.Bench.Member(ctx, fin); err == nil {
		h.Shell.Log.WarnContext(ctx, "a member has asked for a case that he has no seat in", "member", member, "commission", commission, "number", number)
	}
}

func (h *Commission) show(w http.ResponseWriter, r *http.Request) error {
	c, err := h.open(r)
	if err != nil {
		return err
	}
	return h.render(w, r, c, blankForm(c), nil)
}

// record takes what a member does with the form of findings: adds or removes a condition, or saves all of it, once.
func (h *Commission) record(w http.ResponseWriter, r *http.Request) error {
	c, err := h.open(r)
	if err != nil {
		return err
	}
	f, save := readForm(r.PostForm)
	if c.Recorded && save && c.Findings != nil && c.Findings.Same(f.findings(c.Referral.Age)) { // the second of two clicks
		http.Redirect(w, r, commissionPath+"/"+string(c.Number), http.StatusSeeOther)
		return nil
	}
	if c.State != tseras.Drawn && c.State != tseras.FurtherMember || c.Recorded {
		return casework.ErrState
	}
	if !save {
		return h.render(w, r, c, f, nil)
	}
	v := web.ViewerOf(r.Context())
	say := speaker(h.Shell, v.Lang, tesdiq.DateOf(h.Now()))
	ps := f.missing(say)
	if len(ps) == 0 {
		err = h.Bench.Record(r.Context(), v.Person.FIN, c.Number, f.findings(c.Referral.Age))
		if err == nil {
			http.Redirect(w, r, commissionPath+"/"+string(c.Number), http.StatusSeeOther)
			return nil
		}
		var found tesdiq.Problems
		if !errors.As(err, &found) {
			return err
		}
		ps = f.placed(say, found)
	}
	return h.render(w, r, c, f, ps)
}

// about names a proposal to the sign-in provider's confirmation.
func about(c tseras.BlindCase) string {
	return "tseras " + string(c.Number) + " " + strconv.Itoa(c.Proposal.N)
}

// toSign is the case of the address, if it is the member's turn to sign it.
func (h *Commission) toSign(r *http.Request) (tseras.BlindCase, error) {
	c, err := h.open(r)
	if err == nil && (c.State != tseras.Signing || c.Signed || c.Proposal == nil) {
		err = casework.ErrState
	}
	return c, err
}

// sign sends a member to the provider, to sign the digest of what was computed by signing in again. Nothing is written yet.
func (h *Commission) sign(w http.ResponseWriter, r *http.Request) error {
	c, err := h.toSign(r)
	if err != nil {
		return err
	}
	f := blankForm(c)
	f.Explains = r.PostFormValue("explains")
	if ps := explainsProblems(c, f.Explains); len(ps) > 0 {
		return h.render(w, r, c, f, ps)
	}
	return h.Confirmer.Prove(w, r, signin.Confirmation{
		About: about(c), Nonce: tseras.SignatureNonce(c.Proposal.Digest, f.Explains), Kept: f.Explains,
		To: commissionPath + "/" + string(c.Number) + "/signed",
	})
}

// maxWords is how long a reason or an explanation may be, in letters.
const maxWords = 500

func explainsProblems(c tseras.BlindCase, explains string) (ps tesdiq.Problems) {
	must := c.Explains() && c.Proposal.Result.Differs
	if must && explains == "" {
		ps.Add("explains", tesdiq.Invalid("tseras.explains.missing"))
		return ps
	}
	ps.Add("explains", tesdiq.CheckText(explains, maxWords, false))
	if !must && explains != "" {
		ps.Add("explains", tesdiq.Invalid("tseras.reason.unwanted"))
	}
	return ps
}

// signed is where a member comes back to from the provider: with its proof, which is given once, the signature is written;
// without one nothing is.
func (h *Commission) signed(w http.ResponseWriter, r *http.Request) error {
	c, err := h.open(r)
	if err != nil {
		return err
	}
	if c.State == tseras.Signing && !c.Signed && c.Proposal != nil {
		proof, ok := h.Confirmer.Proven(r, about(c), func(explains string) string { return tseras.SignatureNonce(c.Proposal.Digest, explains) })
		if ok {
			word := tseras.Word{N: c.Proposal.N, Signs: true, Explains: proof.Kept, Evidence: proof.Token}
			err := h.Bench.Sign(r.Context(), web.ViewerOf(r.Context()).Person.FIN, c.Number, word)
			if err != nil && !errors.Is(err, casework.ErrState) { // it is signed meanwhile, or has gone on: the case's page shows which
				return err
			}
		}
	}
	http.Redirect(w, r, commissionPath+"/"+string(c.Number), http.StatusSeeOther)
	return nil
}

// refuse writes down that a member does not sign, and why.
func (h *Commission) refuse(w http.ResponseWriter, r *http.Request) error {
	c, err := h.toSign(r)
	if err != nil {
		return err
	}
	f := blankForm(c)
	f.Reason = r.PostFormValue("reason")
	word := tseras.Word{N: c.Proposal.N, Reason: f.Reason}
	return h.said(w, r, c, f, h.Bench.Sign(r.Context(), web.ViewerOf(r.Context()).Person.FIN, c.Number, word))
}

// extend asks for the longer term, which is the chair's to ask.
func (h *Commission) extend(w http.ResponseWriter, r *http.Request) error {
	c, err := h.open(r)
	if err != nil {
		return err
	}
	f := blankForm(c)
	f.Longer = r.PostFormValue("longer")
	err = h.Bench.Extend(r.Context(), web.ViewerOf(r.Context()).Person.FIN, c.Number, f.Longer)
	var p *tesdiq.Problem
	if errors.As(err, &p) && p.Kind == tesdiq.Refused && p.Field == "" {
		err = tesdiq.Problems{p.In("longer")}
	}
	return h.said(w, r, c, f, err)
}

// absent writes down that the person did not come, which is the chair's to say.
func (h *Commission) absent(w http.ResponseWriter, r *http.Request) error {
	c, err := h.open(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PostFormValue("n"))
	if err != nil {
		return casework.ErrState
	}
	return h.said(w, r, c, blankForm(c), h.Bench.Absent(r.Context(), web.ViewerOf(r.Context()).Person.FIN, c.Number, n))
}

// said leads back to the case after a member's word, or shows what is wrong with it.
func (h *Commission) said(w http.ResponseWriter, r *http.Request, c tseras.BlindCase, f findingsForm, err error) error {
	var ps tesdiq.Problems
	switch {
	case errors.As(err, &ps):
		return h.render(w, r, c, f, ps)
	case err != nil:
		return err
	}
	http.Redirect(w, r, commissionPath+"/"+string(c.Number), http.StatusSeeOther)
	return nil
}

// render shows a case with a form as it was typed.
func (h *Commission) render(w http.ResponseWriter, r *http.Request, c tseras.BlindCase, f findingsForm, ps tesdiq.Problems) error {
	lang := web.ViewerOf(r.Context()).Lang
	l, err := h.seatLine(lang, c.Seat)
	if err != nil {
		return err
	}
	today := tesdiq.DateOf(h.Now())
	p := casePageOf(h.Shell, lang, today, c, f)
	p.seatLine = l
	if p.Waiting || c.Meets != nil && c.Meets.Absent {
		p.Records = false
	}
	p.Absence = c.Role == tseras.Chair && c.State == tseras.Drawn && c.Meets != nil && !c.Meets.Absent && c.Over(h.Now()) && !c.Recorded
	return h.pages.Render(w, r, "member-case.html", web.Page{
		TitleText: h.Shell.T(lang, "tseras-commission.case", "Number", c.Number.String()), Section: "commission", Data: p, Problems: ps,
		Self: commissionPath + "/" + string(c.Number),
	})
}

// speaker says the rules' words.
func speaker(shell *web.Shell, lang tesdiq.Lang, today tesdiq.Date) criteria.Speaker {
	return criteria.Speaker{Rules: criteria.Current(), Day: today, Lang: lang, Text: func(key string, args ...any) string { return shell.T(lang, key, args...) }}
}

// systems are the criteria that fit an age, by body system.
func systems(say criteria.Speaker, age tseras.AgeGroup, chosen []string) (all []system) {
	for _, k := range say.Rules.Criteria(say.Day) {
		if !k.Fits(age.Adult()) || slices.Contains(chosen, k.ID) {
			continue
		}
		i := slices.IndexFunc(all, func(s system) bool { return s.id == k.System })
		if i < 0 {
			i = len(all)
			all = append(all, system{id: k.System, Name: say.System(k.System)})
		}
		all[i].Criteria = append(all[i].Criteria, web.Choice{Value: k.ID, Label: k.Title(say.Lang)})
	}
	for _, s := range all {
		slices.SortFunc(s.Criteria, func(a, b web.Choice) int { return cmp.Compare(a.Label, b.Label) })
	}
	return all
}

// system is a body system with the criteria that can be chosen of it.
type system struct {
	id, Name string
	Criteria []web.Choice
}
