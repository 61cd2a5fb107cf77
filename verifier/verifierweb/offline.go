package verifierweb

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/web"
)

// The page that checks a QR code without network is one file: everything it needs stands in it, so that it can be saved and
// carried to where there is none.
var (
	//go:embed offline/page.html
	offlinePage string
	//go:embed offline/script.js
	offlineScript string
	//go:embed offline/style.css
	offlineStyle string
)

// offlinePolicy lets the page do nothing but run its own script: it cannot send what was typed to anybody, saved or not.
var offlinePolicy = "default-src 'none'; script-src '" + hashOf(offlineScript) + "'; style-src '" + hashOf(offlineStyle) + "'; base-uri 'none'; form-action 'none'"

// hashOf names an inline script or style sheet in a policy (CSP level 3, 6.7.3.3).
func hashOf(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// offlineSigner is a signer's key, as the page's script takes it.
type offlineSigner struct {
	ID   string    `json:"id"`
	SPKI string    `json:"spki"`
	Name string    `json:"name"`
	To   time.Time `json:"to"`
}

// offlineKinds are the kinds whose titles the page knows; another is named as it stands in the QR code.
var offlineKinds = []string{"examination", "contract"}

// writeOffline writes the page in each language, with the signers' keys as they are now.
func (h *Web) writeOffline() error {
	var signers []offlineSigner
	for _, c := range h.Signers {
		if c.IsCA {
			continue
		}
		id := keys.ID(c)
		signers = append(signers, offlineSigner{hex.EncodeToString(id[:]), base64.StdEncoding.EncodeToString(c.RawSubjectPublicKeyInfo), c.Subject.CommonName, c.NotAfter})
	}
	h.offline = map[tesdiq.Lang][]byte{}
	for _, lang := range tesdiq.Langs {
		words := map[string]string{}
		for word, key := range map[string]string{
			"genuine": "verifier.offline.genuine", "compare": "verifier.offline.compare", "today": "verifier.offline.today",
			"refused": "verifier.offline.refused", "none": "verifier.offline.none", "form": "verifier.offline.form",
			"stranger": "verifier.offline.stranger", "signature": "verifier.offline.signature", "browser": "verifier.offline.browser",
			"kind": "verifier.offline.kind", "number": "verifier.offline.number", "person": "verifier.offline.person",
			"until": "verifier.offline.until", "code": "verifier.code", "address": "verifier.offline.address", "signer": "verifier.offline.signer",
		} {
			words[word] = h.Shell.T(lang, key)
		}
		kinds := map[string]string{}
		for _, kind := range offlineKinds {
			kinds[kind] = h.KindTitle(lang, kind)
		}
		data, err := json.Marshal(map[string]any{"signers": signers, "words": words, "kinds": kinds})
		if err != nil {
			return fmt.Errorf("verifierweb: offline: %w", err)
		}
		t, err := template.New("offline").Funcs(template.FuncMap{"t": func(key string, args ...any) string { return h.Shell.T(lang, key, args...) }}).Parse(offlinePage)
		if err != nil {
			return fmt.Errorf("verifierweb: offline: %w", err)
		}
		var b bytes.Buffer
		if err := t.Execute(&b, map[string]any{
			"Lang": lang, "Policy": offlinePolicy, "Style": template.CSS(offlineStyle), "Script": template.JS(offlineScript),
			"Data": string(data), "Address": h.Address, "Day": tesdiq.DateOf(h.Now()).String(),
		}); err != nil {
			return fmt.Errorf("verifierweb: offline: %w", err)
		}
		h.offline[lang] = b.Bytes()
	}
	return nil
}

// checkOffline gives the page that checks a QR code without network.
func (h *Web) checkOffline(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Security-Policy", offlinePolicy+"; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.URL.Query().Has("save") {
		w.Header().Set("Content-Disposition", `attachment; filename="tesdiq-offline.html"`)
	}
	_, err := w.Write(h.offline[web.ViewerOf(r.Context()).Lang])
	return err
}

// schema gives the JSON Schema of the statement that is attached to an excerpt.
func (h *Web) schema(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/schema+json")
	_, err := w.Write(h.Schema)
	return err
}
