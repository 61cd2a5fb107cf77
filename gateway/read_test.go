package gateway_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/gateway"
	"github.com/tesdiq/tesdiq/gateway/agencies"
)

// reader answers any body, sealed as it must be: what then decides is the body alone.
type reader struct {
	*town
	client  *gateway.Client
	q       gateway.Question
	service gateway.ServiceID
	request gateway.Message
	at      time.Time
	seal    *gateway.Seal
}

func newReader(t testing.TB, register gateway.Register, who string) *reader {
	w := build(t, nil)
	r := &reader{town: w, client: w.client(t), q: question(t, register, who), service: agencies.ServiceOf(register), at: time.Now().Truncate(time.Second)}
	r.q.Purpose, r.q.Asked = register.Purpose(), r.at.UTC()
	r.seal = w.Keys.SealOf(r.service.Member())
	var err error
	if r.request, err = r.client.RequestOf(r.q, r.at); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reader) good(t testing.TB) []byte {
	body, err := gateway.Body(r.q, r.request, r.service, r.at, r.World.Records(r.q.Register, r.q.Person, tesdiq.Date{}, tesdiq.DateOf(r.at)))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (r *reader) read(t testing.TB, body []byte) (gateway.Answer, error) {
	m, err := r.seal.Reply(r.request, r.service, r.q.ID, body, r.at)
	if err != nil {
		t.Fatal(err)
	}
	x := gateway.Exchange{Request: r.request, Response: m, Sent: r.at, Received: r.at.Add(time.Second)}
	return r.Keys.Trust.Read(r.q, gateway.Expected{Client: agencies.Asker, Service: r.service, MaxAge: time.Hour}, x, x.Received)
}

// TestStrictReading changes a good answer in every place where a loose reader would not mind.
func TestStrictReading(t *testing.T) {
	r := newReader(t, gateway.Oncology, "sevinc")
	good := string(r.good(t))
	if a, err := r.read(t, []byte(good)); err != nil || !a.Found || a.Facts.Oncology[0].Stage != "IV" {
		t.Fatal(err)
	}
	if _, err := r.read(t, []byte(strings.ReplaceAll(good, `,"`, ", \n\"")+"\n")); err != nil {
		t.Errorf("blanks between are fine in JSON: %v", err)
	}
	for name, c := range map[string]struct {
		old, new string
		want     gateway.Reason
	}{
		"unknown member":           {`{"as_of"`, `{"note":"","as_of"`, gateway.UnknownField},
		"unknown in a record":      {`{"number"`, `{"morphology":"8500/3","number"`, gateway.UnknownField},
		"member twice":             {`"found":true`, `"found":false,"found":true`, gateway.WrongSchema},
		"twice in a record":        {`"stage":"IV"`, `"stage":"I","stage":"IV"`, gateway.WrongSchema},
		"other spelling":           {`"stage"`, `"Stage"`, gateway.UnknownField},
		"escaped twin":             {`"stage":"IV"`, `"stage":"IV","\u0073tage":"I"`, gateway.WrongSchema},
		"no such stage":            {`"stage":"IV"`, `"stage":"V"`, gateway.WrongSchema},
		"stage as number":          {`"stage":"IV"`, `"stage":4`, gateway.WrongSchema},
		"null":                     {`"stage":"IV"`, `"stage":null`, gateway.WrongSchema},
		"records null":             {`"records":[`, `"records":null,"x":[`, gateway.UnknownField},
		"no day":                   {`"remission":""`, `"remission":"2026-02-30"`, gateway.WrongSchema},
		"another's day":            {`"remission":""`, `"remission":"21.11.2026"`, gateway.WrongSchema},
		"code of another list":     {`"C50.9"`, `"c50.9"`, gateway.WrongSchema},
		"no tumour":                {`"C50.9"`, `"I10"`, gateway.Contradictory},
		"remission before":         {`"remission":""`, `"remission":"2001-01-01"`, gateway.Contradictory},
		"ahead":                    {`"remission":""`, `"remission":"2099-01-01"`, gateway.FutureDate},
		"nothing, with records":    {`"found":true`, `"found":false`, gateway.Contradictory},
		"follows":                  {`]`, `]}{"x":[]`, gateway.Garbage},
		"case of another":          {r.q.Case, "T-2026-000124", gateway.WrongCase},
		"person of another":        {string(r.q.Person), "5NQ7K2M", gateway.WrongPerson},
		"schema of another":        {`"oncology-1"`, `"vision-1"`, gateway.WrongSchema},
		"version to come":          {`"oncology-1"`, `"oncology-2"`, gateway.WrongSchema},
		"service of another":       {string(r.service), strings.Replace(string(r.service), "oncology", "vision", 1), gateway.WrongService},
		"state with a zone":        {`Z","case"`, `+04:00","case"`, gateway.WrongSchema},
		"deep":                     {`"records":[`, `"records":[[[[[[[[[[[[]]]]]]]]]]]],"y":[`, gateway.Garbage},
		"big number":               {`"found":true`, `"found":1e999`, gateway.WrongSchema},
		"invalid UTF-8":            {`"IV"`, "\"I\xff\"", gateway.WrongSchema},
		"byte order mark":          {`{"as_of"`, "\ufeff{\"as_of\"", gateway.Garbage},
		"a comment":                {`{"as_of"`, `/* */{"as_of"`, gateway.Garbage},
		"question of another hash": {`"question_sha256":"`, `"question_sha256":"00`, gateway.WrongSchema},
	} {
		body := strings.Replace(good, c.old, c.new, 1)
		if body == good {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := r.read(t, []byte(body)); err == nil {
			t.Errorf("%s is accepted", name)
		} else if reason, detail := gateway.ReasonOf(err); reason != c.want || strings.Contains(detail, string(r.q.Person)) {
			t.Errorf("%s: %s (%s), not %s", name, reason, detail, c.want)
		}
	}
}

// TestJOSE lays our signatures before go-jose, which knows nothing of ours.
func TestJOSE(t *testing.T) {
	r := newReader(t, gateway.Vision, "elcin")
	reply, err := r.seal.Reply(r.request, r.service, r.q.ID, r.good(t), r.at)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]gateway.Message{"question": r.request, "answer": reply} {
		text := m.Header(gateway.HeaderSignature)
		seal := r.Keys.Asker
		if name == "answer" {
			seal = r.seal
		}
		protected, _, _ := strings.Cut(text, ".")
		raw, err := base64.RawURLEncoding.DecodeString(protected)
		if err != nil {
			t.Fatal(err)
		}
		var header map[string]any
		if err := json.Unmarshal(raw, &header); err != nil || header["alg"] != "ES256" || header["b64"] != false {
			t.Fatalf("%s: %s", name, raw)
		}
		// go-jose knows "b64" (RFC 7797) and, as it must, refuses a critical header that it does not know; what is signed it checks all the same
		// once that is taken out of its sight: the signature is over these very bytes.
		var sig [64]byte
		if _, err := base64.RawURLEncoding.Decode(sig[:], []byte(text[strings.LastIndexByte(text, '.')+1:])); err != nil {
			t.Fatal(err)
		}
		if _, err := jose.ParseDetached(text, m.SignedOf(), []jose.SignatureAlgorithm{jose.ES256}); err != nil {
			t.Errorf("%s: not a detached JWS: %v", name, err)
		}
		if !verifyES256(seal.Certificate.PublicKey, append([]byte(protected+"."), m.SignedOf()...), sig) {
			t.Errorf("%s: the signature does not verify", name)
		}
	}
}

// TestRequestHash computes X-Road-Request-Hash as its specification and X-Road's own code say, apart from ours.
func TestRequestHash(t *testing.T) {
	r := newReader(t, gateway.Vision, "elcin")
	var head bytes.Buffer
	head.WriteString("POST\r\n/r1/" + string(r.service) + "/v1\r\n")
	for _, h := range r.request.Headers {
		head.WriteString(h.Name + ":" + h.Value + "\r\n")
	}
	a, b := sha512.Sum512(head.Bytes()), sha512.Sum512(r.request.Body)
	sum := sha512.Sum512(slices.Concat(a[:], b[:]))
	if want := base64.StdEncoding.EncodeToString(sum[:]); r.request.HashOf() != want {
		t.Errorf("%s, not %s", r.request.HashOf(), want)
	}
}

// TestTheAgencyReadsAsStrictly: what is no question of the ministry's is refused with X-Road's words.
func TestTheAgencyReadsAsStrictly(t *testing.T) {
	r := newReader(t, gateway.Vision, "elcin")
	for name, c := range map[string]struct {
		change func(*http.Request)
		status int
	}{
		"as it is":             {func(*http.Request) {}, 200},
		"unsigned":             {func(h *http.Request) { h.Header.Del(gateway.HeaderSignature) }, 400},
		"two signatures":       {func(h *http.Request) { h.Header.Add(gateway.HeaderSignature, "x") }, 400},
		"another case":         {func(h *http.Request) { h.Header.Set(gateway.HeaderIssue, "T-2026-000009") }, 403},
		"another client":       {func(h *http.Request) { h.Header.Set(gateway.HeaderClient, "AZ-TEST/COM/BANK/LOANS") }, 403},
		"another service":      {func(h *http.Request) { h.URL.Path = agencies.ServiceOf(gateway.Dialysis).Path() }, 404},
		"another instance":     {func(h *http.Request) { h.URL.Path = "/r1/EE/GOV/MOH/REGISTERS/vision/v1" }, 404},
		"a version to come":    {func(h *http.Request) { h.URL.Path = strings.Replace(h.URL.Path, "/r1/", "/r2/", 1) }, 404},
		"another body":         {func(h *http.Request) { h.Body = body(append([]byte(" "), r.request.Body...)) }, 403},
		"a query of parts":     {func(h *http.Request) { h.URL.RawQuery = "person=5NQ7K2M" }, 200}, // it is not looked at: nothing of it can be asked
		"by GET":               {func(h *http.Request) { h.Method = http.MethodGet }, 404},
		"too long":             {func(h *http.Request) { h.Body = body(bytes.Repeat([]byte("x"), gateway.MaxBody+1)) }, 413},
		"a header with a line": {func(h *http.Request) { h.Header.Set(gateway.HeaderIssue, "T-2026-000123\r\nx: y") }, 400},
	} {
		h := httptest.NewRequest(http.MethodPost, r.service.Path(), bytes.NewReader(r.request.Body))
		for _, x := range r.request.Headers {
			h.Header.Set(x.Name, x.Value)
		}
		c.change(h)
		rw := httptest.NewRecorder()
		r.ServeHTTP(rw, h)
		if rw.Code != c.status || (rw.Code != 200) != (rw.Header().Get(gateway.HeaderError) != "") {
			t.Errorf("%s: %d %s", name, rw.Code, rw.Body)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	r := newReader(f, gateway.Vision, "ebdulrehimxan")
	f.Add(r.good(f))
	f.Add([]byte(`{"as_of":"2026-11-22T00:00:00Z","case":"T-2026-000123","found":false,"id":"","person":"","records":[],"schema":"vision-1"}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := r.read(t, data)
		if err != nil {
			if reason, _ := gateway.ReasonOf(err); reason == "" {
				t.Errorf("without a reason: %v", err)
			}
			return
		}
		if a.Found != (len(a.Facts.Vision) > 0) || a.AsOf.After(r.at.Add(time.Minute)) {
			t.Errorf("%+v", a)
		}
		if !json.Valid(data) || !bytes.Contains(data, []byte(r.q.ID)) || !bytes.Contains(data, []byte(r.q.Person)) {
			t.Errorf("%q", data)
		}
	})
}

func FuzzEvidence(f *testing.F) {
	w := build(f, nil)
	e := w.evidence(f, gateway.Vision, "elcin", 2)
	f.Add(e.Bytes())
	f.Add(e.Exchange.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := gateway.ParseEvidence(data)
		if err != nil {
			return
		}
		if !bytes.Equal(read.Bytes(), data) {
			t.Error("read, and not written as it was")
		}
		if _, err := w.Keys.Trust.Verify(read); err == nil && !bytes.Equal(data, e.Bytes()) {
			t.Errorf("something else is verified: %q", data)
		}
	})
}

func FuzzTrust(f *testing.F) {
	w := build(f, nil)
	data, err := w.Keys.Trust.JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if trust, err := gateway.ParseTrust(data); err == nil {
			if _, err := trust.JSON(); err != nil {
				t.Error(err)
			}
		}
	})
}

func body(b []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }

func verifyES256(key any, signed []byte, rs [64]byte) bool {
	p, ok := key.(*ecdsa.PublicKey)
	digest := sha256.Sum256(signed)
	return ok && ecdsa.Verify(p, digest[:], new(big.Int).SetBytes(rs[:32]), new(big.Int).SetBytes(rs[32:]))
}
