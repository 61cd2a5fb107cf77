package verifierweb_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"html"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/statement"
	"github.com/tesdiq/tesdiq/verifier/verifierdb/verifierdbtest"
	"github.com/tesdiq/tesdiq/verifier/verifierweb"
)

// offlineSite is a site that knows the keys of a throwaway set, which holds from the site's day.
func offlineSite(t *testing.T) (*signer.Set, *site) {
	t.Helper()
	set, err := signer.NewThrowaway(rand.Reader, verifierdbtest.Day.AddDate(0, -1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return set, open(t, func(c *verifierweb.Config) { c.Signers, c.Schema = set.Signers(), statement.SchemaJSON })
}

// The script of the page, run as it is served, finds genuine what package statement finds genuine, and nothing else.
func TestThePageWithoutNetworkChecksTheQR(t *testing.T) {
	set, s := offlineSite(t)
	at := time.Date(2026, 11, 21, 10, 2, 0, 0, time.UTC)
	const address = "https://tesdiq.example/v/7K2M9QXA4TRCW8HNR"
	brief := func(at time.Time) []byte {
		b, err := statement.Brief{Kind: "contract", Number: "E-2026-0048213", Initials: "Q. N. Ə.", FINTail: "R2M", AsOf: at,
			ValidUntil: tesdiq.MustDate("2026-12-21"), Digest: sha256.Sum256([]byte("x"))}.CBOR()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sign := func(set *signer.Set, at time.Time) string {
		_, cose, _, err := set.PDFSigner(rand.Reader).SignStatements(context.Background(), []byte("{}"), brief(at), address, verifierdbtest.Day)
		if err != nil {
			t.Fatal(err)
		}
		return statement.QR(address, cose)
	}
	other, err := signer.NewThrowaway(rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	genuine := sign(set, at)

	page := s.Get("/check/offline").Body
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(page)
	data := regexp.MustCompile(`data-check="([^"]*)"`).FindStringSubmatch(page)
	if script == nil || data == nil {
		t.Fatalf("no script or no keys in %s", page)
	}
	check := func(text string) map[string]string {
		t.Helper()
		var out, problems bytes.Buffer
		c := exec.Command("node", "-e", `globalThis.crypto ??= require("crypto").webcrypto;`+script[1]+
			`;check(process.argv[1], JSON.parse(process.argv[2]).signers).then((r) => console.log(JSON.stringify(r)))`, text, html.UnescapeString(data[1]))
		c.Stdout, c.Stderr = &out, &problems
		if err := c.Run(); err != nil {
			t.Fatalf("%v\n%s", err, problems.Bytes())
		}
		var answer map[string]string
		if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
			t.Fatalf("%v: %s", err, out.Bytes())
		}
		return answer
	}
	got := check(" " + genuine + "\n")
	for key, want := range map[string]string{"asOf": "21.11.2026", "kind": "contract", "number": "E-2026-0048213", "person": "Q. N. Ə. ••••R2M",
		"validUntil": "21.12.2026", "code": "7K2M-9QXA-4TRC-W8HN-R", "address": address, "signer": set.Signer.Subject.CommonName} {
		if got[key] != want {
			t.Errorf("%s: %q, not %q", key, got[key], want)
		}
	}
	fragment := genuine[len(address)+1:]
	flipped := []byte(fragment)
	if i := len(flipped) - 20; flipped[i] == 'A' {
		flipped[i] = 'B'
	} else {
		flipped[i] = 'A'
	}
	for name, tt := range map[string][2]string{
		"no statement":         {address, "none"},
		"another site":         {"https://tesdiq.example.evil/v/7K2M9QXA4TRCW8HNR#" + fragment, "signature"},
		"another key":          {sign(other, at), "stranger"},
		"after the key's time": {sign(set, at.AddDate(3, 0, 0)), "stranger"},
		"damaged":              {address + "#" + fragment[:100], "form"},
		"nonsense":             {address + "#AAAA", "form"},
		"a bit":                {address + "#" + string(flipped), "signature"},
	} {
		if got := check(tt[0]); got["problem"] != tt[1] {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// The page can run its own script and nothing else, and what it says is never "valid".
func TestThePageWithoutNetworkCanDoNothingElse(t *testing.T) {
	_, s := offlineSite(t)
	for _, lang := range tesdiq.Langs {
		answer := s.Get("/check/offline?lang=" + string(lang))
		page := answer.Body
		policy := answer.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'sha256-") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "self") {
			t.Errorf("policy %q", policy)
		}
		meta := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
		if meta == nil || html.UnescapeString(meta[1])+"; frame-ancestors 'none'" != policy {
			t.Errorf("the saved page has another policy: %q", meta)
		}
		if !strings.Contains(page, `<html lang="`+string(lang)+`">`) || strings.Contains(page, "src=") || strings.Contains(page, "fetch(") {
			t.Errorf("%s: loads something, or has another language", lang)
		}
	}
	answer := s.Get("/check/offline?save=1")
	if got := answer.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment") {
		t.Errorf("saved as %q", got)
	}
	answer = s.Get("/schema/statement-1.json")
	if answer.Status != http.StatusOK || !json.Valid([]byte(answer.Body)) {
		t.Errorf("%d: %s", answer.Status, answer.Body)
	}
}
