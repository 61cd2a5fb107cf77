package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/tesdiq/tesdiq/keys/signer"
)

// stampRequest is a TimeStampReq as tests write it, RFC 3161, 2.4.1.
type stampRequest struct {
	Version int
	Imprint struct {
		Algorithm struct{ OID asn1.ObjectIdentifier }
		Digest    []byte
	}
	Policy       asn1.ObjectIdentifier `asn1:"optional"`
	Nonce        *big.Int              `asn1:"optional"`
	Certificates bool                  `asn1:"optional"`
}

func (r stampRequest) der(t testing.TB, change func(*stampRequest)) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte("data"))
	r.Version, r.Imprint.Algorithm.OID, r.Imprint.Digest = 1, asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, digest[:]
	change(&r)
	der, err := asn1.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func authority(t testing.TB) (*signer.Set, *signer.Authority) {
	t.Helper()
	set, err := signer.NewThrowaway(rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	return set, set.Authority(rand.Reader)
}

// granted says whether an answer has a time stamp.
func granted(t *testing.T, reply []byte) bool {
	t.Helper()
	var r struct {
		Info struct {
			Status int
			Fault  asn1.BitString `asn1:"optional"`
		}
		Token asn1.RawValue `asn1:"optional"`
	}
	rest, err := asn1.Unmarshal(reply, &r)
	if err != nil || len(rest) > 0 || (r.Info.Status == 0) != (len(r.Token.FullBytes) > 0) || (r.Info.Status == 2) != (r.Info.Fault.BitLength > 0) {
		t.Fatalf("%x: %v", reply, err)
	}
	return r.Info.Status == 0
}

func TestStampRequestsThatAreRefused(t *testing.T) {
	_, a := authority(t)
	plain := stampRequest{}.der(t, func(*stampRequest) {})
	if reply, err := a.Reply(plain, now); err != nil || !granted(t, reply) {
		t.Fatalf("%x, %v", reply, err)
	}
	for name, request := range map[string][]byte{
		"nothing":             nil,
		"one byte more":       append(bytes.Clone(plain), 0),
		"version 2":           stampRequest{}.der(t, func(r *stampRequest) { r.Version = 2 }),
		"another length":      stampRequest{}.der(t, func(r *stampRequest) { r.Imprint.Digest = r.Imprint.Digest[1:] }),
		"SHA-1":               stampRequest{}.der(t, func(r *stampRequest) { r.Imprint.Algorithm.OID = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26} }),
		"another policy":      stampRequest{}.der(t, func(r *stampRequest) { r.Policy = asn1.ObjectIdentifier{1, 2, 3} }),
		"a nonce of 33 bytes": stampRequest{}.der(t, func(r *stampRequest) { r.Nonce = new(big.Int).Lsh(big.NewInt(1), 257) }),
		"a nonce of 800":      stampRequest{}.der(t, func(r *stampRequest) { r.Nonce = new(big.Int).Lsh(big.NewInt(1), 6400) }),
		"a policy of 2 kB":    stampRequest{}.der(t, func(r *stampRequest) { r.Policy = append(asn1.ObjectIdentifier{1, 2}, make([]int, 2000)...) }),
	} {
		if reply, err := a.Reply(request, now); err != nil || granted(t, reply) {
			t.Errorf("%s: %x, %v", name, reply, err)
		}
	}
	for i := range plain {
		if reply, err := a.Reply(plain[:i], now); err != nil || granted(t, reply) {
			t.Errorf("cut to %d bytes: %x, %v", i, reply, err)
		}
	}
}

// Whatever is asked, there is an answer; and a time stamp is over what another reader finds in the question, with its nonce.
func FuzzStampReply(f *testing.F) {
	set, a := authority(f)
	for _, change := range []func(*stampRequest){
		func(*stampRequest) {},
		func(r *stampRequest) { r.Nonce, r.Certificates = big.NewInt(-5), true },
		func(r *stampRequest) { r.Policy = asn1.ObjectIdentifier{2, 999, 2} },
	} {
		f.Add(stampRequest{}.der(f, change))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		reply, err := a.Reply(request, now)
		if err != nil {
			t.Fatal(err)
		}
		if !granted(t, reply) {
			return
		}
		stamp, err := timestamp.ParseResponse(reply)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := timestamp.ParseRequest(request); err == nil && (q.HashAlgorithm != crypto.SHA256 || !bytes.Equal(q.HashedMessage, stamp.HashedMessage) ||
			(q.Nonce == nil) != (stamp.Nonce == nil) || q.Nonce != nil && q.Nonce.Cmp(stamp.Nonce) != 0 || q.Certificates != (len(stamp.Certificates) == 1)) {
			t.Fatalf("%+v for %+v", stamp, q)
		}
		if !bytes.Contains(request, stamp.HashedMessage) || !stamp.Time.Equal(now.UTC().Truncate(time.Second)) || stamp.Certificates != nil && !stamp.Certificates[0].Equal(set.TSA) {
			t.Fatalf("%+v", stamp)
		}
	})
}

// same gives the same byte for ever.
type same byte

func (s same) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s)
	}
	return len(p), nil
}

// Whatever an authority elsewhere answers, a time stamp is taken only if another reader finds in it what was asked.
func FuzzStampReplyFromElsewhere(f *testing.F) {
	set, a := authority(f)
	roots, err := set.Roots()
	if err != nil {
		f.Fatal(err)
	}
	digest := sha256.Sum256([]byte("data"))
	var reply []byte
	elsewhere := &signer.Remote{Roots: roots, Now: func() time.Time { return now }, Rand: same(0x42),
		Ask: func(context.Context, []byte) ([]byte, error) { return reply, nil }}
	genuine := &signer.Remote{Roots: roots, Now: elsewhere.Now, Rand: elsewhere.Rand}
	genuine.Ask = func(_ context.Context, request []byte) ([]byte, error) {
		reply, err = a.Reply(request, now)
		return reply, err
	}
	if _, err := genuine.Stamp(f.Context(), digest[:], now); err != nil {
		f.Fatal(err)
	}
	f.Add(reply)
	f.Fuzz(func(t *testing.T, answer []byte) {
		reply = answer
		token, err := elsewhere.Stamp(t.Context(), digest[:], now)
		if err != nil {
			return
		}
		stamp, err := timestamp.Parse(token)
		if err != nil || !bytes.Equal(stamp.HashedMessage, digest[:]) || stamp.Nonce == nil || !stamp.Time.Equal(now.UTC().Truncate(time.Second)) {
			t.Fatalf("%+v, %v", stamp, err)
		}
	})
}
