package statement_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/verifier/statement"
)

var now = time.Date(2026, 11, 21, 10, 2, 0, 0, time.UTC)

const address = "https://tesdiq.example/v/7K2M9QXA4TRCW8HNR"

func example(t testing.TB) statement.Statement {
	t.Helper()
	salt, err := statement.NewSalt(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return statement.Statement{AsOf: now, Code: "7K2M-9QXA-4TRC-W8HN-R", Issuer: "https://tesdiq.example", Kind: "contract", Lang: tesdiq.Az, Number: "E-2026-0048213",
		Salt: salt, Title: "İş yerinə dair arayış", ValidUntil: "2026-12-21", Version: 1,
		Facts: []statement.Fact{{Group: "Şəxs", Key: "name", Label: "Soyadı, adı, atasının adı", Value: "Quliyeva Nərmin Əli qızı <&>"}}}
}

func brief(full []byte) statement.Brief {
	return statement.Brief{Kind: "contract", Number: "E-2026-0048213", Initials: "Q. N. Ə.", FINTail: "R2M", AsOf: now,
		ValidUntil: tesdiq.MustDate("2026-12-21"), Digest: sha256.Sum256(full)}
}

// world signs an example with a throwaway set.
type world struct {
	set     *signer.Set
	signers *statement.Signers
	full    []byte
	jws     []byte
	qr      string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	set, err := signer.NewThrowaway(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{set: set}
	if w.signers, err = statement.ParseSigners(roots, statement.NewSigners(roots, set.Signers()...).PEM()); err != nil {
		t.Fatal(err)
	}
	if w.full, err = example(t).JSON(); err != nil {
		t.Fatal(err)
	}
	short, err := brief(w.full).CBOR()
	if err != nil {
		t.Fatal(err)
	}
	jws, cose, _, err := set.PDFSigner(rand.Reader).SignStatements(context.Background(), w.full, short, address, now)
	if err != nil {
		t.Fatal(err)
	}
	w.jws, w.qr = jws, statement.QR(address, cose)
	return w
}

func TestWhatWasSignedIsRead(t *testing.T) {
	w := newWorld(t)
	g, err := w.signers.ReadQR(w.qr + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if g.Brief != brief(w.full) || g.Address != address || g.Code != "7K2M9QXA4TRCW8HNR" || !g.Signer.Equal(w.set.Signer) {
		t.Errorf("%+v", g)
	}
	s, by, err := w.signers.ReadJWS(w.jws)
	if err != nil || !by.Equal(w.set.Signer) {
		t.Fatal(err)
	}
	if written, err := s.JSON(); err != nil || sha256.Sum256(written) != g.Digest {
		t.Error("the QR's digest is not that of the statement", err)
	}
	if n := len(w.qr); n > 350 {
		t.Errorf("the QR holds %d characters", n)
	}
	if strings.Contains(w.qr, s.Salt) {
		t.Error("the salt is in the QR")
	}
}

// A bank's program takes a library, which shares nothing with us.
func TestALibraryReadsTheJWS(t *testing.T) {
	w := newWorld(t)
	j, err := jose.ParseSignedCompact(string(w.jws), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := j.Verify(w.set.Signer.PublicKey)
	if err != nil || !bytes.Equal(payload, w.full) {
		t.Errorf("%s, %v", payload, err)
	}
}

// RFC 8785: read and written again by the order of names, it has the same bytes.
func TestTheJSONIsCanonical(t *testing.T) {
	full, err := example(t).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(full, &v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	if got := bytes.TrimSpace(b.Bytes()); !bytes.Equal(got, full) {
		t.Errorf("%s\n%s", got, full)
	}
}

// The schema that is public names the members that a statement has.
func TestTheSchemaIsThatOfTheStatement(t *testing.T) {
	var schema struct {
		Required   []string                   `json:"required"`
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(statement.SchemaJSON, &schema); err != nil {
		t.Fatal(err)
	}
	full, err := example(t).JSON()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(full, &members); err != nil {
		t.Fatal(err)
	}
	for name := range members {
		if schema.Properties[name] == nil {
			t.Errorf("the schema does not know %s", name)
		}
	}
	if len(members) != len(schema.Properties) || len(members) != len(schema.Required) {
		t.Errorf("%d members, %d in the schema, %d of them required", len(members), len(schema.Properties), len(schema.Required))
	}
}

func TestForgeriesAreRefused(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	read := func(qr string) error { _, err := w.signers.ReadQR(qr); return err }
	fragment := w.qr[strings.IndexByte(w.qr, '#')+1:]
	for name, tt := range map[string]struct {
		qr   string
		want error
	}{
		"another site's address":   {"https://tesdiq.example.evil/v/7K2M9QXA4TRCW8HNR#" + fragment, statement.ErrSignature},
		"the code of another":      {"https://tesdiq.example/v/" + otherCode(t) + "#" + fragment, statement.ErrSignature},
		"an unknown signer":        {other.qr, statement.ErrStranger},
		"no statement":             {address, statement.ErrNoStatement},
		"an empty statement":       {address + "#", statement.ErrNoStatement},
		"no address":               {"#" + fragment, statement.ErrNoStatement},
		"a form's fragment":        {address + "#main", nil},
		"small letters":            {address + "#" + strings.ToLower(fragment), nil},
		"cut":                      {w.qr[:len(w.qr)-8], nil},
		"longer than any QR":       {w.qr + strings.Repeat("A", 5000), statement.ErrNoStatement},
		"a bit that means nothing": {address + "#" + fragment[:len(fragment)-1] + "B", nil},
	} {
		if err := read(tt.qr); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range w.jws {
		flipped := bytes.Clone(w.jws)
		flipped[i] ^= 1
		if _, _, err := w.signers.ReadJWS(flipped); err == nil {
			t.Errorf("byte %d of the JWS changed: accepted", i)
		}
	}
	for i := len(address) + 1; i < len(w.qr); i++ {
		b := []byte(w.qr)
		b[i] ^= 1
		if read(string(b)) == nil {
			t.Errorf("character %d of the QR changed: accepted", i)
		}
	}
	parts := strings.Split(string(w.jws), ".")
	none := "eyJhbGciOiJub25lIiwidHlwIjoidGVzZGlxLXN0YXRlbWVudCJ9." + parts[1] + "."
	for _, jws := range []string{none, other.string(), parts[0] + "." + parts[1], "", "...", strings.Repeat("A", 1<<20)} {
		if _, _, err := w.signers.ReadJWS([]byte(jws)); err == nil {
			t.Errorf("%.40s: accepted", jws)
		}
	}
}

func (w *world) string() string { return string(w.jws) }

func otherCode(t *testing.T) string {
	c, err := tesdiq.NewCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(c)
}

// Who could not sign any more on the day did not; an older statement may be signed anew.
func TestASignerIsTrustedOnlyInHisTime(t *testing.T) {
	w := newWorld(t)
	for at, want := range map[time.Time]error{now.AddDate(-1, 0, 0): nil, now.AddDate(3, 0, 0): statement.ErrStranger} {
		b := brief(w.full)
		b.AsOf = at
		short, err := b.CBOR()
		if err != nil {
			t.Fatal(err)
		}
		_, cose, _, err := w.set.PDFSigner(rand.Reader).SignStatements(context.Background(), w.full, short, address, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.signers.ReadQR(statement.QR(address, cose)); !errors.Is(err, want) {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func FuzzReadQR(f *testing.F) {
	w := newWorld(f)
	f.Add(w.qr)
	f.Add(address + "#AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		if g, err := w.signers.ReadQR(text); err == nil && (g.Brief != brief(w.full) || g.Address != address) {
			t.Errorf("%q: %+v", text, g)
		}
	})
}

func FuzzReadJWS(f *testing.F) {
	w := newWorld(f)
	f.Add(w.jws)
	f.Add([]byte("e30.e30.AA"))
	f.Fuzz(func(t *testing.T, jws []byte) {
		if s, _, err := w.signers.ReadJWS(jws); err == nil {
			if written, err := s.JSON(); err != nil || !bytes.Equal(written, w.full) {
				t.Errorf("%q: %s", jws, written)
			}
		}
	})
}
