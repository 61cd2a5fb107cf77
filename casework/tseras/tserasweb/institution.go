package tserasweb

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-jose/go-jose/v4"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework"
	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/web"
)

// Referrals is what medical institutions send and see. All but Sealer are of the institution that is named.
type Referrals interface {
	// Sealer is the institution whose seal has a thumbprint, and the seal's certificate; casework.ErrMissing when there is none.
	Sealer(ctx context.Context, thumbprint [sha256.Size]byte) (tseras.Institution, []byte, error)
	// Refer takes a referral; the same again gives its case.
	Refer(ctx context.Context, from tseras.Institution, r tseras.Referral, signed string) (casework.Case, error)
	// Refuse says that there is no referral; the same again gives its case.
	Refuse(ctx context.Context, from tseras.Institution, r tseras.Refusal, signed string) (casework.Case, error)
	Referrals(ctx context.Context, from tseras.Institution, s tseras.Sought) ([]tseras.Referred, error)
	// Referral writes down that the institution looked, where it is told a result.
	Referral(ctx context.Context, from tseras.Institution, number string) (tseras.Referred, error)
	Awaiting(ctx context.Context, from tseras.Institution, after string, limit int) ([]tseras.Awaited, error)
}

// Institution is the API for medical institutions. All fields are required.
type Institution struct {
	Shell     *web.Shell
	Referrals Referrals
	Address   string // of the service, as institutions reach it: https://tesdiq.example
	Now       func() time.Time
}

// maxReferral is how many bytes a signed referral may have: several times the longest that Validate lets through.
const maxReferral = 64 << 10

const referralsPath = "/api/v1/referrals"

// Routes registers the API's addresses.
func (h *Institution) Routes(r chi.Router) {
	const path = referralsPath
	r.Get(path+"/openapi.json", h.Shell.Do(h.description))
	r.Post(path, h.Shell.Do(h.Shell.Upload(h.refer, maxReferral)))
	r.Post(path+"/declined", h.Shell.Do(h.Shell.Upload(h.decline, maxReferral)))
	r.Get(path, h.Shell.Do(h.sealed(h.list)))
	r.Get(path+"/waiting", h.Shell.Do(h.sealed(h.waiting)))
	r.Get(path+"/{case}", h.Shell.Do(h.sealed(h.one)))
}

// errSeal: what came is not sealed by an institution that may refer. Why is never told apart.
var errSeal = tesdiq.NewProblem(tesdiq.SignIn, "tseras.seal")

// referralAnswer is what the API says of a referral.
type referralAnswer struct {
	Case        string          `json:"case" doc:"Number of the case, by which GET /api/v1/referrals/{case} reads it again." example:"T-2026-000123"`
	Number      string          `json:"number" doc:"The referral's number, your own." example:"88/1"`
	On          string          `json:"on" format:"date" doc:"Day of the referral."`
	State       tseras.Progress `json:"state" doc:"gathering: registers are asked; commission: a commission assesses; decided; closed: withdrawn, or the person has died. What goes on within a commission is not told."`
	Turn        casework.Turn   `json:"turn" doc:"Whose turn it is."`
	DueBy       string          `json:"due_by,omitempty" format:"date" doc:"Last day of that turn, in working days; absent where the law sets none."`
	Provisional bool            `json:"provisional,omitempty" doc:"due_by lies in a year whose movable holidays are not set, and may come to lie later."`
	Result      *resultAnswer   `json:"result,omitempty" doc:"What an institution is told of a decision. Only when one referral is read; the person sees that you read it."`
}

// resultAnswer is what an institution is told of a decision, and why no more: tseras.Told.
type resultAnswer struct {
	Outcome   criteria.Outcome `json:"outcome" doc:"disability, child (a disability of somebody under 18), not_disability, or kept: an earlier indefinite disability stays as it is."`
	DecidedOn string           `json:"decided_on" format:"date"`
	Until     string           `json:"until,omitempty" format:"date" doc:"Last day of the disability; absent where it is indefinite or there is none."`
	NextFrom  string           `json:"next_from,omitempty" format:"date" doc:"First day on which the person may be referred for the next examination."`
}

func referralAnswerOf(r tseras.Referred) referralAnswer {
	a := referralAnswer{
		r.Case, r.Referral.Number, r.Referral.On.ISO(), r.Progress, r.Clock.Turn, r.Clock.DueBy.ISO(), r.Clock.Provisional, nil,
	}
	if t := r.Result; t != nil {
		a.Result = &resultAnswer{t.Outcome, t.On.ISO(), t.Until.ISO(), t.NextFrom.ISO()}
	}
	return a
}

// listAnswer is a page of an institution's referrals.
type listAnswer struct {
	Referrals []referralAnswer `json:"referrals" doc:"The newest first."`
	Next      string           `json:"next,omitempty" doc:"Give it as before, and you have the next page; absent on the last."`
}

// waitingAnswer is a page of the people who wait for the institution.
type waitingAnswer struct {
	Waiting []awaitedAnswer `json:"waiting" doc:"Those due first come first."`
	Next    string          `json:"next,omitempty" doc:"Give it as after, and you have the next page; absent on the last."`
}

// awaitedAnswer is one of them: as much as is needed to call the person in.
type awaitedAnswer struct {
	Case        string     `json:"case" example:"T-2026-000123"`
	Subject     tesdiq.FIN `json:"subject" doc:"FIN of the person."`
	Name        string     `json:"name"`
	Born        string     `json:"born" format:"date"`
	Applied     string     `json:"applied" format:"date"`
	DueBy       string     `json:"due_by" format:"date" doc:"Until when you refer, or say that there is no ground: 7 working days, 5 on ground 1.5.2."`
	Provisional bool       `json:"provisional,omitempty"`
}

// body opens what came as a JWS, and reads what it says into a struct.
func (h *Institution) body(r *http.Request, into any) (from tseras.Institution, signed string, err error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/jose" {
		return from, "", tesdiq.NewProblem(tesdiq.Unsupported, "tseras.jose").In("Content-Type")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return from, "", fmt.Errorf("tserasweb: body: %w", err)
	}
	signed = string(bytes.TrimSpace(body))
	from, payload, err := h.open(r.Context(), signed)
	if err != nil {
		return from, "", err
	}
	return from, signed, web.ReadJSON(payload, into)
}

// refer takes a referral, a JWS in compact form. Who signs it is who refers: an institution acts for itself alone. The same
// referral sent again changes nothing and says how its case stands.
func (h *Institution) refer(w http.ResponseWriter, r *http.Request) error {
	var ref tseras.Referral
	from, signed, err := h.body(r, &ref)
	if err != nil {
		return err
	}
	c, err := h.Referrals.Refer(r.Context(), from, ref, signed)
	if err != nil {
		return err
	}
	return answer(w, referralAnswerOf(tseras.Referred{Case: c.Number, Progress: tseras.ProgressOf(c.State), Clock: c.Clock, Referral: ref}))
}

// declinedAnswer is what the API says of a refusal.
type declinedAnswer struct {
	Case  string          `json:"case" example:"T-2026-000123"`
	State tseras.Progress `json:"state" doc:"closed"`
}

// decline takes that an institution does not refer, a JWS in compact form.
func (h *Institution) decline(w http.ResponseWriter, r *http.Request) error {
	var refusal tseras.Refusal
	from, signed, err := h.body(r, &refusal)
	if err != nil {
		return err
	}
	c, err := h.Referrals.Refuse(r.Context(), from, refusal, signed)
	if err != nil {
		return err
	}
	return answer(w, declinedAnswer{c.Number, tseras.ProgressOf(c.State)})
}

// How many lines a page has.
const (
	usualLines = 50
	mostLines  = 100
)

// limit is how many lines a request wants.
func limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return usualLines, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostLines {
		return 0, tesdiq.Invalid("tseras.limit").With("Most", mostLines).In("limit")
	}
	return n, nil
}

func (h *Institution) list(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	var ps tesdiq.Problems
	q := r.URL.Query()
	lines, err := limit(r)
	ps.Add("limit", err)
	progress, err := tseras.ParseProgress(q.Get("state"))
	ps.Add("state", err)
	before, err := tseras.ParseCaseNumber(q.Get("before"))
	ps.Add("before", err)
	ps.Add("number", tesdiq.CheckText(q.Get("number"), tseras.MaxReferralNumber, false))
	if err := ps.Err(); err != nil {
		return err
	}
	all, err := h.Referrals.Referrals(r.Context(), from, tseras.Sought{Progress: progress, Number: q.Get("number"), Before: before, Limit: lines + 1})
	if err != nil {
		return err
	}
	page := listAnswer{Referrals: []referralAnswer{}}
	if len(all) > lines {
		all = all[:lines]
		page.Next = all[lines-1].Case
	}
	for _, x := range all {
		page.Referrals = append(page.Referrals, referralAnswerOf(x))
	}
	return answer(w, page)
}

func (h *Institution) one(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	x, err := h.Referrals.Referral(r.Context(), from, chi.URLParam(r, "case"))
	if err != nil {
		return err
	}
	return answer(w, referralAnswerOf(x))
}

func (h *Institution) waiting(w http.ResponseWriter, r *http.Request, from tseras.Institution) error {
	var ps tesdiq.Problems
	lines, err := limit(r)
	ps.Add("limit", err)
	after, err := tseras.ParseCaseNumber(r.URL.Query().Get("after"))
	ps.Add("after", err)
	if err := ps.Err(); err != nil {
		return err
	}
	all, err := h.Referrals.Awaiting(r.Context(), from, after, lines+1)
	if err != nil {
		return err
	}
	page := waitingAnswer{Waiting: []awaitedAnswer{}}
	if len(all) > lines {
		all = all[:lines]
		page.Next = all[lines-1].Case
	}
	for _, a := range all {
		page.Waiting = append(page.Waiting, awaitedAnswer{
			a.Case, a.Subject, a.Name, a.Born.ISO(), a.Applied.ISO(), a.Clock.DueBy.ISO(), a.Clock.Provisional,
		})
	}
	return answer(w, page)
}

func answer(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("tserasweb: answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append(b, '\n')) // an error means that the client has gone
	return nil
}

// sealedRequest is what an institution seals to read: this request, now. It reads nothing else and nothing later with it.
type sealedRequest struct {
	Method string    `json:"method"`
	URL    string    `json:"url"` // whole, with its query
	At     time.Time `json:"at"`
}

// sealLife is how far the moment of a sealed request may be from ours: somebody who has read one can only read the same again,
// and only so long.
const sealLife = 2 * time.Minute

// errRequest: the seal is good, and of another request.
var errRequest = tesdiq.NewProblem(tesdiq.SignIn, "tseras.seal.request").In("Authorization")

// sealed lets requests through that are sealed by an institution: Authorization: Seal, and a JWS over a sealedRequest. There
// is no token to steal, and nothing that one process would have to tell another.
func (h *Institution) sealed(handle func(http.ResponseWriter, *http.Request, tseras.Institution) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		from, payload, err := tseras.Institution{}, []byte(nil), error(errSeal)
		if strings.EqualFold(scheme, "Seal") {
			from, payload, err = h.open(r.Context(), strings.TrimSpace(text))
		}
		if err == nil {
			err = h.meant(r, payload)
		}
		if p := new(tesdiq.Problem); errors.As(err, &p) && p.Kind == tesdiq.SignIn {
			w.Header().Set("WWW-Authenticate", `Seal realm="tesdiq"`)
		}
		if err != nil {
			return err
		}
		return handle(w, r, from)
	}
}

// meant says whether this is the request that was sealed.
func (h *Institution) meant(r *http.Request, payload []byte) error {
	var q sealedRequest
	if web.ReadJSON(payload, &q) != nil {
		return errRequest
	}
	away := h.Now().Sub(q.At).Abs()
	if q.Method != r.Method || q.URL != strings.TrimSuffix(h.Address, "/")+r.URL.RequestURI() || away > sealLife {
		return errRequest
	}
	return nil
}

// open judges the seal. The key is that of a pinned certificate: nothing in the header can bring another, and the only
// algorithm is ES256.
func (h *Institution) open(ctx context.Context, signed string) (from tseras.Institution, payload []byte, err error) {
	jws, err := jose.ParseSignedCompact(signed, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || len(jws.Signatures) != 1 {
		return from, nil, errSeal
	}
	text, _ := jws.Signatures[0].Protected.ExtraHeaders["x5t#S256"].(string)
	id, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(id) != sha256.Size {
		return from, nil, errSeal
	}
	from, der, err := h.Referrals.Sealer(ctx, [sha256.Size]byte(id))
	if errors.Is(err, casework.ErrMissing) {
		return from, nil, errSeal
	}
	if err != nil {
		return from, nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return from, nil, fmt.Errorf("tserasweb: seal: %w", err)
	}
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	if now := h.Now(); !ok || key.Curve != elliptic.P256() || now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return from, nil, errSeal
	}
	if payload, err = jws.Verify(key); err != nil {
		return from, nil, errSeal
	}
	return from, payload, nil
}
