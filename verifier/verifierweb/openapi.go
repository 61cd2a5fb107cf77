package verifierweb

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/web"
)

// description is the API in OpenAPI 3.1.
func (h *Web) description(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	_, _ = w.Write(h.openapi) // an error means that the client has gone
	return nil
}

const intro = `Check excerpts of the Ministry of Labour and Social Protection: by their authentication code, by the SHA-256 of
a file that stays with you, or by the file itself. The answer is one word with its reason, and what the excerpt says, so that
you can compare it with what you hold.

Every check is recorded before you have the answer, and the person whom the excerpt is about sees at once who asked and what for.

**Sign in** with your client id and secret at /oauth/token (client credentials); a token lasts an hour.
**Repeat safely**: send an Idempotency-Key, and the same request again is the same check.
**Errors** are application/problem+json with a stable type, and a sentence in the language of Accept-Language (az, en, ru).`

// intro is what the description begins with; it leads to the descriptions of the other interfaces.
func (h *Web) intro() string {
	text := intro
	if len(h.Others) > 0 {
		text += "\n\n**Other interfaces** at this address have descriptions of their own:"
		for _, o := range h.Others {
			text += fmt.Sprintf(" [%s](%s),", o.Title, strings.TrimSuffix(h.Address, "/")+o.Path)
		}
		text = strings.TrimSuffix(text, ",") + "."
	}
	return text
}

// describe writes the description from the types that the handlers use; huma makes their schemas.
func (h *Web) describe() ([]byte, error) {
	registry := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Answer")
	})
	schema := func(v any) *huma.Schema { return registry.Schema(reflect.TypeOf(v), true, "") }
	doc := huma.OpenAPI{
		OpenAPI:      "3.1.0",
		Info:         &huma.Info{Title: "Tesdiq", Version: "1.0", Description: h.intro()},
		Servers:      []*huma.Server{{URL: strings.TrimSuffix(h.Address, "/")}},
		ExternalDocs: &huma.ExternalDocs{Description: "Requests to try, and all descriptions.", URL: strings.TrimSuffix(h.Address, "/") + "/developers"},
		Components: &huma.Components{
			Schemas: registry,
			SecuritySchemes: map[string]*huma.SecurityScheme{"program": {
				Type: "oauth2", Description: "An organisation's program.",
				Flows: &huma.OAuthFlows{ClientCredentials: &huma.OAuthFlow{TokenURL: "/oauth/token", Scopes: map[string]string{}}},
			}},
		},
		Security: []map[string][]string{{"program": {}}},
	}
	problem := schema(web.ProblemJSON{})
	answer := schema(checkAnswer{})
	request := schema(checkRequest{})
	h.finish(registry)
	key := &huma.Param{Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string"}, Example: "contract-17-2026",
		Description: "Up to 200 printable characters of your own. The same key with the same request is the same check; with another request it is refused."}
	language := &huma.Param{Name: "Accept-Language", In: "header", Schema: &huma.Schema{Type: "string", Enum: []any{"az", "en", "ru"}},
		Description: "Language of sentences; English if absent."}
	errors := func(answers map[string]string) map[string]*huma.Response {
		all := map[string]*huma.Response{}
		for status, description := range answers {
			all[status] = &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}}}
		}
		return all
	}
	fine := func(responses map[string]*huma.Response, schema *huma.Schema, example any) map[string]*huma.Response {
		responses["200"] = &huma.Response{Description: "The answer. Every verdict is an answer, unknown too.",
			Content: map[string]*huma.MediaType{"application/json": {Schema: schema, Example: example}}}
		return responses
	}
	common := func(more map[string]string) map[string]string {
		more["401"] = "No token, or one that has expired: get a new one from /oauth/token."
		more["429"] = "Too much was asked, or too often in vain: wait as many seconds as Retry-After says."
		more["500"] = "Our fault: try again with the same Idempotency-Key."
		more["503"] = "A part of the service does not answer, or too many files came at once: wait as many seconds as Retry-After says, and send the same again with the same Idempotency-Key."
		return more
	}
	purpose := &huma.Param{Name: "purpose", In: "query", Schema: purposeSchema(), Description: "What you check for; or a part of the form."}
	note := &huma.Param{Name: "note", In: "query", Schema: &huma.Schema{Type: "string", MaxLength: ptr(verifier.MaxNote)}, Description: "One line of your own; or a part of the form."}
	binary := &huma.Schema{Type: "string", Format: "binary"}

	doc.AddOperation(&huma.Operation{
		Method: http.MethodPost, Path: "/oauth/token", OperationID: "token", Tags: []string{"Signing in"}, Security: []map[string][]string{},
		Summary:     "Get a token",
		Description: "RFC 6749, client credentials: by HTTP Basic, or by client_id and client_secret in the form.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/x-www-form-urlencoded": {Schema: &huma.Schema{
			Type: "object", Required: []string{"grant_type"},
			Properties: map[string]*huma.Schema{
				"grant_type": {Type: "string", Enum: []any{"client_credentials"}},
				"client_id":  {Type: "string"}, "client_secret": {Type: "string"},
			},
		}}}},
		Responses: tokenResponses(schema(tokenAnswer{}), schema(tokenError{})),
	})
	doc.AddOperation(&huma.Operation{
		Method: http.MethodPost, Path: "/api/v1/checks", OperationID: "check", Tags: []string{"Checking"},
		Summary: "Check by code or SHA-256", Description: "Give exactly one of code and sha256.",
		Parameters: []*huma.Param{key, language},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {
			Schema: request, Example: checkRequest{Code: exampleCode, Purpose: "credit", Note: "17-2026"},
		}}},
		Responses: fine(errors(common(map[string]string{
			"415": "The body is not application/json.",
			"422": "A field is wrong; the problem names each. A mistyped code is told by its check character and is not recorded.",
		})), answer, exampleAnswer),
	})
	doc.AddOperation(&huma.Operation{
		Method: http.MethodGet, Path: "/api/v1/checks/{id}", OperationID: "checked", Tags: []string{"Checking"},
		Summary:     "Read a check again",
		Description: "A check of your organisation. It is not a new check: it says what was answered then, and under later what has changed since.",
		Parameters: []*huma.Param{
			{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}, Example: exampleAnswer.Check.ID}, language,
		},
		Responses: fine(errors(common(map[string]string{"404": "No such check, or none of yours."})), answer, exampleAnswer),
	})
	doc.AddOperation(&huma.Operation{
		Method: http.MethodPost, Path: "/api/v1/documents", OperationID: "checkDocument", Tags: []string{"Checking"},
		Summary:     "Check a file",
		Description: "The file as the whole body, or as the part \"file\" of a form; at most 20 MB. It is kept nowhere: only its SHA-256 and the verdict are. Only the exact bytes that were issued are ever valid.",
		Parameters:  []*huma.Param{purpose, note, key, language},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/pdf": {Schema: binary}, "application/octet-stream": {Schema: binary},
			"multipart/form-data": {Schema: &huma.Schema{
				Type: "object", Required: []string{"file"},
				Properties: map[string]*huma.Schema{"file": binary, "purpose": purposeSchema(), "note": {Type: "string"}},
			}},
		}},
		Responses: fine(errors(common(map[string]string{
			"413": "The file has more than 20 MB.", "415": "The body is neither a PDF nor a form.", "422": "A field is wrong, or the file is empty.",
		})), answer, exampleAnswer),
	})
	b, err := json.Marshal(&doc)
	if err != nil {
		return nil, fmt.Errorf("verifierweb: description: %w", err)
	}
	return b, nil
}

// finish puts the closed lists into the schemas, from where they are defined.
func (h *Web) finish(registry huma.Registry) {
	all := registry.Map()
	all["CheckRequest"].Properties["purpose"] = purposeSchema()
	all["CheckRequest"].AdditionalProperties = false
	for _, name := range []string{"Check", "Later"} {
		properties := all[name].Properties
		properties["verdict"].Enum = verdictNames()
		for _, r := range verifier.Reasons {
			properties["reason"].Enum = append(properties["reason"].Enum, string(r))
		}
	}
	all["CheckRecord"].Properties["purpose"] = purposeSchema()
	all["CheckRecord"].Properties["way"].Enum = []any{string(tesdiq.ByCode), string(tesdiq.ByQR), string(tesdiq.ByFile)}
}

func tokenResponses(fine, wrong *huma.Schema) map[string]*huma.Response {
	responses := map[string]*huma.Response{
		"200": {Description: "A token.", Content: map[string]*huma.MediaType{"application/json": {Schema: fine}}},
	}
	for status, description := range map[string]string{
		"400": "The form is wrong.", "401": "No such client, or another secret.", "429": "Too many wrong secrets: wait as many seconds as Retry-After says.",
	} {
		responses[status] = &huma.Response{Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: wrong}}}
	}
	return responses
}

func purposeSchema() *huma.Schema { return &huma.Schema{Type: "string", Enum: purposeNames()} }

func purposeNames() (names []any) {
	for _, p := range tesdiq.Purposes {
		names = append(names, string(p))
	}
	return names
}

func verdictNames() (names []any) {
	for _, v := range tesdiq.Verdicts {
		names = append(names, string(v))
	}
	return names
}

func ptr[T any](v T) *T { return &v }

const exampleCode = "7K2M-9QXA-4TRC-W8HN-R"

var exampleAnswer = checkAnswer{
	Verdict: tesdiq.Valid, Reason: verifier.ValidCode,
	Sentence: "The Ministry issued this excerpt, and it is in force today.",
	Next:     "Compare what is printed in the document you hold with what stands here.",
	Statement: &statementAnswer{
		Title: "İş yerinə dair arayış", Number: "E-2026-0048213", Code: exampleCode,
		IssuedAt: tesdiq.MustDate("2026-11-19").Start().UTC(), ValidUntil: "2026-12-19",
		Facts: []factAnswer{{"employer", "İşəgötürən", "“Xəzər Tikinti” MMC"}},
	},
	Check: checkRecord{ID: "3XQ7-0C4V-K9ZT-1MDE", At: tesdiq.MustDate("2026-11-21").Start().UTC(), Way: tesdiq.ByCode, Purpose: "credit", Note: "17-2026"},
}
