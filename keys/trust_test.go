package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
)

func trusted(t *testing.T) (*signer.Set, *keys.Roots) {
	t.Helper()
	set, err := signer.NewThrowawayAt(rand.Reader, time.Now(), "https://tesdiq.example")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	return set, roots
}

func signWith(key *ecdsa.PrivateKey) func([]byte) ([]byte, error) {
	return func(digest []byte) ([]byte, error) { return ecdsa.SignASN1(rand.Reader, key, digest) }
}

func TestATrustListIsReadAsItWasSigned(t *testing.T) {
	set, roots := trusted(t)
	list, err := keys.ReadTrustList(set.TrustFile, roots)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Certificates) != 6 || !list.Certificates[2].Certificate().Equal(set.Signer) || list.Service != "https://tesdiq.example" {
		t.Errorf("%+v", list)
	}
	// Others' code agrees that it is a JWS, and what it says.
	jws, err := jose.ParseSignedJSON(string(set.TrustFile), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := jws.Verify(set.Root.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var read keys.TrustList
	if err := json.Unmarshal(payload, &read); err != nil || read.Number != list.Number {
		t.Errorf("%v: %+v", err, read)
	}
	// The issuing authority may sign it as well.
	again, err := list.Sign(set.CA, signWith(set.CAKey.(*ecdsa.PrivateKey)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.ReadTrustList(again, roots); err != nil {
		t.Error(err)
	}
}

func TestATrustListIsRefused(t *testing.T) {
	set, roots := trusted(t)
	stranger, _ := trusted(t)
	list := set.Trust
	sign := func(l *keys.TrustList, by *x509.Certificate, key any) []byte {
		t.Helper()
		out, err := l.Sign(by, signWith(key.(*ecdsa.PrivateKey)))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	changed := func(change func(*keys.TrustList)) []byte {
		t.Helper()
		l := *list
		l.Certificates = append([]keys.Listed(nil), list.Certificates...)
		change(&l)
		return sign(&l, set.Root, set.RootKey)
	}
	header := func(h string) []byte {
		t.Helper()
		var jws map[string]string
		if err := json.Unmarshal(set.TrustFile, &jws); err != nil {
			t.Fatal(err)
		}
		jws["protected"] = base64.RawURLEncoding.EncodeToString([]byte(h))
		out, err := json.Marshal(jws)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"nothing":                        nil,
		"no list":                        []byte("{}"),
		"a foreign root's":               stranger.TrustFile,
		"a foreign authority's":          sign(list, stranger.CA, stranger.CAKey),
		"signed by a document signer":    sign(list, set.Signer, set.SignerKey),
		"signed by another key":          sign(list, set.Root, own),
		"with something after it":        append(bytes.Clone(set.TrustFile), '{', '}'),
		"without algorithm":              header(`{"alg":"none","typ":"tesdiq-trust+jws","kid":""}`),
		"with a MAC":                     header(`{"alg":"HS256","typ":"tesdiq-trust+jws","kid":""}`),
		"that brings its own key":        header(`{"alg":"ES256","typ":"tesdiq-trust+jws","kid":"","jwk":{}}`),
		"of another type":                header(`{"alg":"ES256","typ":"JWT","kid":""}`),
		"of another version":             changed(func(l *keys.TrustList) { l.Version = 2 }),
		"without certificates":           changed(func(l *keys.TrustList) { l.Certificates = nil }),
		"with another number beside one": changed(func(l *keys.TrustList) { l.Certificates[2].Serial = "01" }),
		"with a longer validity":         changed(func(l *keys.TrustList) { l.Certificates[2].NotAfter = time.Now().AddDate(50, 0, 0) }),
		"with a role that is none":       changed(func(l *keys.TrustList) { l.Certificates[2].Role = "everything" }),
		"with half a revocation": changed(func(l *keys.TrustList) {
			l.Certificates[2].Revoked = &keys.Revoked{At: time.Now(), Reason: "keyCompromise"}
		}),
		"with a reason that is none": changed(func(l *keys.TrustList) {
			l.Certificates[2].Revoked = &keys.Revoked{At: time.Now(), InvalidFrom: time.Now(), Reason: "mood"}
		}),
	} {
		if _, err := keys.ReadTrustList(data, roots); !errors.Is(err, keys.ErrTrustList) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// No letter of it may be another.
	text := strings.TrimSpace(string(set.TrustFile))
	for i := 0; i < len(text); i += 1 + len(text)/400 {
		mutant := []byte(text)
		if mutant[i] ^= 1; mutant[i] == '"' || text[i] == '"' {
			continue
		}
		if _, err := keys.ReadTrustList(mutant, roots); err == nil {
			t.Fatalf("letter %d was changed from %q to %q and nobody noticed", i, text[i], mutant[i])
		}
	}
}

func TestRevokedForGoesByTheTimeOfSigning(t *testing.T) {
	set, _ := trusted(t)
	at := time.Now()
	l := *set.Trust
	l.Certificates = append([]keys.Listed(nil), l.Certificates...)
	l.Certificates[2].Revoked = &keys.Revoked{At: at, InvalidFrom: at.Add(-time.Hour), Reason: "keyCompromise"}
	serial := keys.Serial(set.Signer)
	for _, c := range []struct {
		serial string
		when   time.Time
		want   bool
	}{
		{serial, at.Add(-2 * time.Hour), false}, {serial, at.Add(-time.Hour), true}, {serial, at.Add(time.Hour), true}, {keys.Serial(set.TSA), at, false},
	} {
		if _, got := l.RevokedFor(c.serial, c.when); got != c.want {
			t.Errorf("%s at %s: %v", c.serial, c.when, got)
		}
	}
}
