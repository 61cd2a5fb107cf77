package tserasweb_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/tesdiq/tesdiq/casework/tseras/tserasweb"
	"github.com/tesdiq/tesdiq/web"
	"github.com/tesdiq/tesdiq/web/webtest"
)

// The description has every route of the API and no other, and the fields of what is sent and answered.
func TestTheDescriptionOfReferralsIsTheRoutes(t *testing.T) {
	shell := webtest.Shell(t, func(*web.Config) {})
	h := &tserasweb.Institution{Shell: shell, Address: "https://tesdiq.example"}
	b := webtest.Open(t, shell, h.Routes)
	a := b.Get("/api/v1/referrals/openapi.json")
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ Summary, Description string }
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
				Required   []string
			}
		}
	}
	if err := json.Unmarshal([]byte(a.Body), &doc); err != nil || a.Status != http.StatusOK || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("%d %v %.300s", a.Status, err, a.Body)
	}
	var described, routes []string
	for path, operations := range doc.Paths {
		for method, o := range operations {
			if o.Summary == "" || o.Description == "" {
				t.Errorf("%s %s says nothing", method, path)
			}
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	r := chi.NewRouter()
	h.Routes(r)
	_ = chi.Walk(r, func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if path != "/api/v1/referrals/openapi.json" {
			routes = append(routes, method+" "+path)
		}
		return nil
	})
	slices.Sort(described)
	slices.Sort(routes)
	if !slices.Equal(described, routes) || len(routes) == 0 {
		t.Errorf("described %q, routes %q", described, routes)
	}
	phone, _ := doc.Components.Schemas["Referral"].Properties["phone"].(map[string]any)
	if said, _ := phone["description"].(string); !strings.Contains(said, "in the person's own name") || slices.Contains(doc.Components.Schemas["Referral"].Required, "phone") {
		t.Errorf("whose telephone it is, and that who has none is referred all the same, is not said: %v", phone)
	}
	for name, fields := range map[string][]string{
		"Referral": {"number", "on", "subject", "born", "ground", "main", "physicians"}, "Refusal": {"case", "reason", "words"}, "SealedRequest": {"method", "url", "at"},
	} {
		for _, f := range fields {
			if doc.Components.Schemas[name].Properties[f] == nil {
				t.Errorf("%s has no %s", name, f)
			}
		}
	}
}
