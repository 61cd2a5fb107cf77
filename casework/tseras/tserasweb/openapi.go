package tserasweb

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/web"
)

const referralsIntro = `A medical institution refers people to an assessment of disability, reads how its referrals stand and who waits for one, and says that there is no ground for one.

Who seals is who acts: there is no token. What is sent is a JWS in compact form (ES256, with x5t#S256, the SHA-256 of the seal's pinned certificate, in the protected header);
its payload is the schema named at the operation. What is read is asked for with "Authorization: Seal" and a JWS over SealedRequest, no further than two minutes from the clock.`

// description is this API in OpenAPI 3.1.
func (h *Institution) description(w http.ResponseWriter, _ *http.Request) error {
	b, err := h.describe()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	_, _ = w.Write(b) // an error means that the client has gone
	return nil
}

// describe writes the description from the types that the handlers use.
func (h *Institution) describe() ([]byte, error) {
	registry := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		name := huma.DefaultSchemaNamer(t, hint)
		return strings.ToUpper(name[:1]) + name[1:]
	})
	schema := func(v any) *huma.Schema { return registry.Schema(reflect.TypeOf(v), true, "") }
	problem := schema(web.ProblemJSON{})
	for _, payload := range []any{tseras.Referral{}, tseras.Refusal{}, sealedRequest{}} {
		schema(payload)
	}
	doc := huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "Tesdiq: referrals of medical institutions", Version: "1.0", Description: referralsIntro},
		Servers: []*huma.Server{{URL: strings.TrimSuffix(h.Address, "/")}},
		Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{"seal": {
			Type: "apiKey", In: "header", Name: "Authorization", Description: "Seal, and a JWS over SealedRequest.",
		}}},
	}
	text := &huma.Schema{Type: "string"}
	query := func(name, what string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Schema: text, Description: what}
	}
	add := func(method, path, id, summary, says string, gives any, also map[string]string, params ...*huma.Param) {
		op := &huma.Operation{Method: method, Path: path, OperationID: id, Summary: summary, Description: says, Parameters: params, Responses: map[string]*huma.Response{
			"200": {Description: "The answer.", Content: map[string]*huma.MediaType{"application/json": {Schema: schema(gives)}}},
		}}
		if method == http.MethodPost {
			op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/jose": {Schema: text}}}
		} else {
			op.Security = []map[string][]string{{"seal": {}}}
		}
		also["401"] = "It is not sealed by an institution that may refer, or the seal is over something else."
		for status, what := range also {
			op.Responses[status] = &huma.Response{Description: what, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}}
		}
		doc.AddOperation(op)
	}
	sent := func(conflict string) map[string]string {
		return map[string]string{
			"409": conflict, "413": "The body is longer than 64 KB.", "415": "The body is not application/jose.", "422": "Fields are wrong; the problem names each.",
		}
	}
	refers := sent("The person has another case, or the number is taken.")
	refers["429"] = "Too many wrong birth dates, or too many people who have an open case, today: the problem says what to do."
	add(http.MethodPost, referralsPath, "refer", "Refer a person", "The payload is Referral. The same again is the same case, and says how it stands.", referralAnswer{}, refers)
	declines := sent("The case waits no more.")
	declines["404"] = "The case does not wait for your institution."
	add(http.MethodPost, referralsPath+"/declined", "decline", "Say that there is no referral", "The payload is Refusal. The person reads it. The same again is the same.", declinedAnswer{}, declines)
	add(http.MethodGet, referralsPath, "list", "Your referrals", "The newest first, without results.", listAnswer{}, map[string]string{"422": "A parameter is wrong."},
		query("state", "gathering, commission, decided or closed; all without it."), query("number", "Your own number."), query("limit", "Lines, 50 without it, up to 100."), query("before", "The next of the page before."))
	add(http.MethodGet, referralsPath+"/waiting", "waiting", "Who waits for your referral", "Those due first come first.", waitingAnswer{}, map[string]string{"422": "A parameter is wrong."},
		query("limit", "Lines, 50 without it, up to 100."), query("after", "The next of the page before."))
	add(http.MethodGet, referralsPath+"/{case}", "read", "One of your referrals", "With what you are told of the result. The person sees that you read it.", referralAnswer{}, map[string]string{"404": "It is none of yours."},
		&huma.Param{Name: "case", In: "path", Required: true, Schema: text, Description: "The number of the case."})
	b, err := json.Marshal(&doc)
	if err != nil {
		return nil, fmt.Errorf("tserasweb: description: %w", err)
	}
	return b, nil
}
