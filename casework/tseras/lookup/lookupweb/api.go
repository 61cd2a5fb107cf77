package lookupweb

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/casework/tseras/lookup"
	"github.com/tesdiq/tesdiq/web"
)

// maxRequest is how many bytes a request may have: many times what its three fields need.
const maxRequest = 4 << 10

// lookupRequest is the body of POST /api/v1/lookups.
type lookupRequest struct {
	Document string `json:"document" doc:"The number of the identity card, with its series or without: 7 digits alone are AA's, 8 digits AZE's." example:"AA1234567"`
	Born     string `json:"born" doc:"The caller's day of birth: yyyy-mm-dd, dd.mm.yyyy, or the eight digits ddmmyyyy." example:"1981-04-17"`
	Operator string `json:"operator" doc:"The FIN of the operator who has the caller on the line: a current member of your organisation. It is recorded; the person is told your organisation and the moment." example:"5ZK8R2M"`
}

// lookupAnswer is what the API says.
type lookupAnswer struct {
	Status     lookup.Outcome `json:"status" doc:"none: there is nothing to tell. It is the same answer whether the card is unknown, the birthday another, the look-up switched off by the person, too much asked about the card today, or no examination known." enum:"decided,under_review,none"`
	DecidedOn  string         `json:"decided_on,omitempty" format:"date" doc:"The day of the last examination's decision."`
	NextOn     string         `json:"next_on,omitempty" format:"date" doc:"The first day on which the next examination can be asked for."`
	Indefinite bool           `json:"indefinite,omitempty" doc:"There is no next examination (müddətsiz)."`
	Sentence   string         `json:"sentence" doc:"The same as a sentence that may be read out, in the language of Accept-Language."`
}

// errToken is what who has no token is told.
var errToken = tesdiq.NewProblem(tesdiq.SignIn, "token.missing")

// api answers an office's program for a named operator.
func (h *Web) api(w http.ResponseWriter, r *http.Request) error {
	began := h.Now()
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tesdiq"`)
		return errToken
	}
	office, err := h.Desk.Enter(r.Context(), strings.TrimSpace(token))
	if err != nil {
		if ps := tesdiq.ProblemsOf(err); ps[0].Kind == tesdiq.SignIn {
			w.Header().Set("WWW-Authenticate", `Bearer realm="tesdiq", error="invalid_token"`)
		}
		return err
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return tesdiq.NewProblem(tesdiq.Unsupported, "json.media").In("Content-Type")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("lookupweb: body: %w", err)
	}
	q := lookup.Asked{Way: lookup.ByOffice, Office: office}
	if q.Question, q.Office.Operator, err = h.readRequest(body); err != nil {
		return err
	}
	if q.Office.Key, err = web.IdempotencyKey(r.Header); err != nil {
		return err
	}
	q.Office.Request = sha256.Sum256(append([]byte("lookups\n"), body...))
	a, err := h.Desk.Ask(r.Context(), q)
	if err != nil {
		return err
	}
	if err := h.wait(r.Context(), began); err != nil {
		return err
	}
	return writeJSON(w, h.answerOf(web.ViewerOf(r.Context()).Lang, a.Result))
}

func (h *Web) answerOf(lang tesdiq.Lang, r lookup.Result) lookupAnswer {
	return lookupAnswer{Status: r.Outcome, DecidedOn: r.DecidedOn.ISO(), NextOn: r.NextOn.ISO(), Indefinite: r.Indefinite, Sentence: h.sentence(lang, r)}
}

// sentence says a result in words.
func (h *Web) sentence(lang tesdiq.Lang, r lookup.Result) string {
	t := func(key string, args ...any) string { return h.Shell.T(lang, key, args...) }
	var all []string
	if r.Outcome == lookup.UnderReview {
		all = append(all, t("lookup.say.review"))
	}
	if !r.DecidedOn.IsZero() {
		all = append(all, t("lookup.say.decided", "Day", r.DecidedOn.String()))
		switch {
		case r.Indefinite:
			all = append(all, t("lookup.say.indefinite"))
		case !r.NextOn.IsZero():
			all = append(all, t("lookup.say.next", "Day", r.NextOn.String()))
		default:
			all = append(all, t("lookup.say.no-next"))
		}
	}
	if !r.Shows() {
		all = []string{t("lookup.say.none")}
	}
	return strings.Join(all, " ")
}

// request is what an office's program sends.
type request struct {
	Document string `json:"document"`
	Born     string `json:"born"`
	Operator string `json:"operator"`
}

// readRequest reads the body, and says all that is wrong with it at once.
func (h *Web) readRequest(body []byte) (q lookup.Question, operator tesdiq.FIN, err error) {
	var r request
	if err := web.ReadJSON(body, &r); err != nil {
		return q, "", err
	}
	q, ps := h.read(r.Document, r.Born)
	operator, err = tesdiq.ParseFIN(r.Operator)
	ps.Add("operator", err)
	return q, operator, ps.Err()
}

func writeJSON(w http.ResponseWriter, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(b, '\n')) // an error means that the client has gone
	return nil
}

// description is this API in OpenAPI 3.1.
func (h *Web) description(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	_, _ = w.Write(h.openapi) // an error means that the client has gone
	return nil
}

const intro = `What the call centre tells a caller of his last examination: its status, the day of the decision, and the day of the next one or
that it is without term. Never a degree, a percentage, a cause or a diagnosis.

Every question that matches somebody is recorded with the operator before you have the answer, and the person sees at once that your
organisation asked. Tokens come from /oauth/token, as for checks (/api/openapi.json). Your organisation needs the duty call_centre.
**Answers take a fixed step of time**, and those that tell nothing are the same bytes, whatever the cause.`

// describe writes the description from the types that the handler uses.
func (h *Web) describe() ([]byte, error) {
	registry := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Answer")
	})
	schema := func(v any) *huma.Schema { return registry.Schema(reflect.TypeOf(v), true, "") }
	problem, request, answer := schema(web.ProblemJSON{}), schema(lookupRequest{}), schema(lookupAnswer{})
	registry.Map()["LookupRequest"].AdditionalProperties = false
	responses := map[string]*huma.Response{"200": {Description: "The answer.", Content: map[string]*huma.MediaType{"application/json": {Schema: answer,
		Example: lookupAnswer{Status: lookup.Decided, DecidedOn: "2025-11-04", NextOn: "2028-09-04", Sentence: "The decision was made on 04.11.2025. The next examination: from 04.09.2028."}}}}}
	for status, text := range map[string]string{
		"401": "No token, or one that has expired: get a new one from /oauth/token.",
		"403": "Your organisation has not the duty call_centre.",
		"415": "The body is not application/json.",
		"422": "A field is wrong; the problem names each. Or the key was used for another request.",
		"429": "The organisation's questions of the day, or the operator's of the hour, are used up: wait as many seconds as Retry-After says.",
		"503": "A part of the service does not answer: send the same again with the same Idempotency-Key.",
	} {
		responses[status] = &huma.Response{Description: text, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}}
	}
	doc := huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "Tesdiq: last examination, for call centres", Version: "1.0", Description: intro},
		Servers: []*huma.Server{{URL: strings.TrimSuffix(h.Address, "/")}},
		Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{"program": {
			Type: "oauth2", Description: "An organisation's program.",
			Flows: &huma.OAuthFlows{ClientCredentials: &huma.OAuthFlow{TokenURL: "/oauth/token", Scopes: map[string]string{}}},
		}}},
		Security: []map[string][]string{{"program": {}}},
	}
	doc.AddOperation(&huma.Operation{
		Method: http.MethodPost, Path: "/api/v1/lookups", OperationID: "lookUp", Tags: []string{"Calls"},
		Summary: "Look up a caller's last examination",
		Parameters: []*huma.Param{
			{Name: "Idempotency-Key", In: "header", Required: true, Schema: &huma.Schema{Type: "string"}, Example: "call-2026-11-22-0017",
				Description: "Up to 200 printable characters of your own, one for each call. The same key with the same body is the same question."},
			{Name: "Accept-Language", In: "header", Schema: &huma.Schema{Type: "string", Enum: []any{"az", "en", "ru"}}, Description: "Language of sentences."},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: request,
			Example: lookupRequest{Document: "AA1234567", Born: "1981-04-17", Operator: "5ZK8R2M"}}}},
		Responses: responses,
	})
	b, err := json.Marshal(&doc)
	if err != nil {
		return nil, errors.Join(errors.New("lookupweb: description"), err)
	}
	return b, nil
}
