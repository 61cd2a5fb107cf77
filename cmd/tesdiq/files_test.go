package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys/signer"
)

// What the processes that read foreign files find out: who stole the key is found, and nothing but what was issued is valid.
func TestFilesThatWereNeverIssued(t *testing.T) {
	w := open(t, 0)
	e := w.drawn(w.as("nermin", ""), "examination")
	token := w.apiToken()
	issued := e.bytes
	stolen, err := w.app.Keys.PDFSigner(rand.Reader).Sign(t.Context(), pdftest.Page(), time.Now(), signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := signer.NewThrowaway(rand.Reader, time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := other.PDFSigner(rand.Reader).Sign(t.Context(), pdftest.Page(), time.Now(), signer.SignInfo{})
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(stolen)
	changed[bytes.Index(changed, []byte("/MediaBox"))+len("/MediaBox [")+1] ^= 1
	for _, tt := range []struct {
		name            string
		pdf             []byte
		verdict, reason string
	}{
		{"as issued", issued, "valid", "valid.file"},
		{"signed with our key, and never issued", stolen, "unknown", "unknown.unissued"},
		{"signed by another, whole", foreign, "unknown", "unknown.foreign"},
		{"not issued, and changed", changed, "unknown", "unknown.damaged"},
		{"issued, and added to", append(bytes.Clone(issued), "\n1 0 obj\nnull\nendobj\n%%EOF\n"...), "altered", "altered.continued"},
	} {
		verdict, reason := w.apiFile(token, tt.pdf)
		if verdict != tt.verdict || reason != tt.reason {
			t.Errorf("%s: %s because of %s", tt.name, verdict, reason)
		}
	}
	if n := strings.Count(w.log.String(), "ALARM"); n != 1 {
		t.Errorf("%d alarms in the log, want 1", n)
	}
	if page := w.metrics(); !strings.Contains(page, "tesdiq_unissued_files_total 1\n") || !strings.Contains(page, "tesdiq_file_readers_lost_total 0\n") {
		t.Errorf("metrics:\n%s", page)
	}
}

// apiFile checks a file as the bank's program.
func (w *world) apiFile(token string, pdf []byte) (verdict, reason string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.address+"/api/v1/documents?purpose=credit", bytes.NewReader(pdf))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/pdf")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var answer struct{ Verdict, Reason string }
	if err := json.Unmarshal(body, &answer); err != nil || answer.Verdict == "" {
		w.t.Fatalf("%d %s: %v", resp.StatusCode, body, err)
	}
	return answer.Verdict, answer.Reason
}

// metrics is the page of the monitor.
func (w *world) metrics() string {
	w.t.Helper()
	status, _, body := w.ask(http.DefaultClient, http.MethodGet, "/metrics", "", nil)
	if status != http.StatusOK {
		w.t.Fatalf("metrics: %d", status)
	}
	return body
}
