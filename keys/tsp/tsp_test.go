package tsp_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/tsp"
)

func authority(t testing.TB) (tsp.Client, *keys.Roots) {
	t.Helper()
	set, err := signer.NewThrowawayAt(rand.Reader, time.Now().Add(-time.Hour), "http://localhost")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := set.Roots()
	if err != nil {
		t.Fatal(err)
	}
	a := set.Authority(rand.Reader)
	return tsp.Client{Roots: roots, Now: time.Now, Rand: rand.Reader,
		Ask: func(_ context.Context, r []byte) ([]byte, error) { return a.Reply(r, time.Now()) }}, roots
}

func TestVerify(t *testing.T) {
	client, roots := authority(t)
	_, strangers := authority(t)
	digest, other := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("other"))
	token, err := client.Stamp(t.Context(), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if at, err := tsp.Verify(token, digest[:], roots); err != nil || time.Since(at).Abs() > time.Minute {
		t.Fatal(at, err)
	}
	if _, err := tsp.Verify(token, other[:], roots); !errors.Is(err, tsp.ErrImprint) {
		t.Error(err)
	}
	if _, err := tsp.Verify(token, digest[:], strangers); !errors.Is(err, tsp.ErrChain) {
		t.Error(err)
	}
	for i := range token {
		changed := append([]byte(nil), token...)
		changed[i] ^= 1 << (i % 8)
		if _, err := tsp.Verify(changed, digest[:], roots); err == nil {
			t.Errorf("byte %d of %d changed, and accepted", i, len(token))
		}
		if _, err := tsp.Verify(token[:i], digest[:], roots); err == nil {
			t.Errorf("cut at %d, and accepted", i)
		}
	}
	if _, err := tsp.Verify(append(token, 0), digest[:], roots); err == nil {
		t.Error("with something behind it, and accepted")
	}
	if _, err := client.Stamp(t.Context(), digest[:5]); err == nil {
		t.Error("five bytes are taken for a digest")
	}
}

func FuzzRead(f *testing.F) {
	client, roots := authority(f)
	digest := sha256.Sum256([]byte("one"))
	token, err := client.Stamp(f.Context(), digest[:])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Fuzz(func(t *testing.T, data []byte) {
		if at, err := tsp.Verify(data, digest[:], roots); err == nil && at.IsZero() {
			t.Error("verified, and of no time")
		}
	})
}
