package verifierweb

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/verifier"
	"github.com/tesdiq/tesdiq/web/webtest"
)

func FuzzReadCheckRequest(f *testing.F) {
	f.Add([]byte(`{"code":"7K2M-9QXA-4TRC-W8HN-R","purpose":"credit","note":"17"}`))
	f.Add([]byte(`{"sha256":"00","purpose":null,"x":{}}`))
	f.Add([]byte(`[]`))
	f.Add([]byte("{\"\xff\":1}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := readCheckRequest(body)
		var ps tesdiq.Problems
		var p *tesdiq.Problem
		switch {
		case err == nil && (q.Code == "") == (q.Sum == nil):
			t.Errorf("%+v asks for nothing, or for two things", q)
		case err == nil && q.Purpose == "":
			t.Errorf("%+v has no purpose", q)
		case err != nil && !errors.As(err, &ps) && !errors.As(err, &p):
			t.Errorf("not a problem: %v", err)
		}
	})
}

func FuzzReadForm(f *testing.F) {
	f.Add("b", []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../x\"\r\n\r\n%PDF-1\r\n--b--\r\n"))
	f.Add("b", []byte("--b\r\nContent-Disposition: form-data; name=\"code\"\r\n\r\nx\r\n--b--"))
	h := &Web{room: verifier.NewRoom(maxHeld), Config: Config{Shell: webtest.Shell(f), Now: time.Now}}
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/check", bytes.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		got, err := h.readForm(httptest.NewRecorder(), r, "who")
		got.file.Forget()
		var p *tesdiq.Problem
		if err != nil && !errors.As(err, &p) {
			t.Errorf("not a problem: %v", err)
		}
		if got.file != nil && got.file.Size > int64(len(body)) {
			t.Error("the file is larger than what was sent")
		}
		if h.uploads.all != 0 {
			t.Error("a place was not given back")
		}
	})
}
