//go:build cgo

package hsm_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/tesdiq/tesdiq/internal/hsmtest"
	"github.com/tesdiq/tesdiq/keys/signer/hsm"
)

var digest = sha256.Sum256([]byte("what is signed"))

func place(k *hsmtest.Token) hsm.Place {
	return hsm.Place{Module: k.Module, Token: k.Label, PINFile: k.PINFile}
}

func generate(t testing.TB, p hsm.Place) *hsm.Key {
	t.Helper()
	k, err := hsm.Generate(context.Background(), rand.Reader, p, "test", true)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustSign(t testing.TB, k *hsm.Key) {
	t.Helper()
	signature, err := k.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if !ecdsa.VerifyASN1(k.Public().(*ecdsa.PublicKey), digest[:], signature) {
		t.Fatal("the signature is not the key's")
	}
}

// back waits until a key that was away signs again.
func back(t testing.TB, k *hsm.Key) {
	t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = k.Open(t.Context()); err == nil {
			mustSign(t, k)
			if err := k.Ready(); err != nil {
				t.Errorf("signs, and says %v", err)
			}
			return
		}
	}
	t.Fatalf("not back: %v", err)
}

func TestAKeyStaysInItsToken(t *testing.T) {
	token := hsmtest.New(t, "stays")
	k := generate(t, place(token))
	mustSign(t, k)
	read, err := hsm.Read(k.Marshal())
	if err != nil || read != k.Place {
		t.Fatalf("%+v, %v", read, err)
	}
	again, err := hsm.New(read, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustSign(t, again)
	if _, err := k.Sign(nil, digest[:20], crypto.SHA1); err == nil {
		t.Error("signs what is no SHA-256")
	}

	// Another program sees it, and cannot have it.
	tool := func(args ...string) string {
		out, _ := exec.CommandContext(t.Context(), "pkcs11-tool", append([]string{"--module", token.Module, "--token-label", token.Label, "--login", "--pin", hsmtest.PIN}, args...)...).CombinedOutput()
		return string(out)
	}
	if said := tool("--list-objects", "--type", "privkey"); !strings.Contains(said, "sensitive, always sensitive, never extractable, local") || !strings.Contains(said, k.ID) {
		t.Errorf("pkcs11-tool: %s", said)
	}
	if value, err := k.Value(t.Context()); !errors.Is(err, pkcs11.Error(pkcs11.CKR_ATTRIBUTE_SENSITIVE)) || value != nil {
		t.Errorf("reading it: %d bytes, %v", len(value), err)
	}

	// A rehearsal's key is there for this program alone.
	forgotten, err := hsm.Generate(t.Context(), rand.Reader, place(token), "rehearsal", false)
	if err != nil {
		t.Fatal(err)
	}
	mustSign(t, forgotten)
	if said := tool("--list-objects", "--type", "privkey"); strings.Contains(said, forgotten.ID) {
		t.Errorf("the rehearsal's key is kept: %s", said)
	}

	if err := k.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if said := tool("--list-objects"); strings.Contains(said, k.ID) {
		t.Errorf("still there: %s", said)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	token, other := hsmtest.New(t, "wrongs"), hsmtest.New(t, "other wrongs")
	k := generate(t, place(token))
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pin := func(text string, mode os.FileMode) string {
		path := t.TempDir() + "/pin"
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	notAModule := t.TempDir() + "/module.so"
	if err := os.WriteFile(notAModule, []byte("no"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(p *hsm.Place)
		public crypto.PublicKey
		is     error
		says   string
	}{
		{"no module", func(p *hsm.Place) { p.Module = "/nowhere/module.so" }, k.Public(), hsm.ErrAway, "there is no module /nowhere/module.so: install it, or correct `module`"},
		{"not a module", func(p *hsm.Place) { p.Module = notAModule }, k.Public(), hsm.ErrAway, "is not a PKCS #11 module that can be loaded here"},
		{"no token", func(p *hsm.Place) { p.Token = "none" }, k.Public(), hsm.ErrAway, `is called "none" (there are: `},
		{"no key", func(p *hsm.Place) { p.ID = "00ff" }, k.Public(), hsm.ErrAway, "no private key with this id"},
		{"another's token", func(p *hsm.Place) { p.Token, p.PINFile = other.Label, other.PINFile }, k.Public(), hsm.ErrAway, "no private key with this id"},
		{"another's certificate", func(*hsm.Place) {}, stranger.Public(), hsm.ErrWrongKey, "the certificate belongs to another"},
		{"no PIN", func(p *hsm.Place) { p.PINFile = "/nowhere/pin" }, k.Public(), hsm.ErrAway, "pin_file"},
		{"an empty PIN", func(p *hsm.Place) { p.PINFile = pin("\n", 0o600) }, k.Public(), hsm.ErrAway, "does not hold one PIN"},
		{"a PIN for everybody", func(p *hsm.Place) { p.PINFile = pin(hsmtest.PIN, 0o644) }, k.Public(), hsm.ErrAway, "chmod 600"},
	} {
		p := k.Place
		c.change(&p)
		bad, err := hsm.New(p, c.public)
		if err != nil {
			t.Fatal(err)
		}
		if err := bad.Open(t.Context()); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := bad.Sign(nil, digest[:], crypto.SHA256); !errors.Is(err, c.is) {
			t.Errorf("%s: signs: %v", c.name, err)
		}
	}
	mustSign(t, k)
}

// A wrong PIN is tried once, however often somebody asks: the token does not lock.
func TestAWrongPINIsTriedOnce(t *testing.T) {
	token := hsmtest.New(t, "pins")
	k := generate(t, place(token))
	// The same program is signed in already, and would not be asked: another is not.
	wrong := t.TempDir() + "/wrong"
	if err := os.WriteFile(wrong, []byte("not this"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := hsmtest.New(t, "pins, too")
	p := place(other)
	p.PINFile = wrong
	p.ID = k.ID
	bad, err := hsm.New(p, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if err := bad.Open(t.Context()); !errors.Is(err, hsm.ErrPIN) || !strings.Contains(err.Error(), "refuses the PIN in "+wrong) || strings.Contains(err.Error(), "not this") {
			t.Fatal(err)
		}
	}
	if !errors.Is(bad.Ready(), hsm.ErrPIN) {
		t.Error(bad.Ready())
	}
	// The right one still opens it: SoftHSM would say that it is low or locked.
	good, err := hsm.Generate(t.Context(), rand.Reader, place(other), "after", true)
	if err != nil {
		t.Fatal(err)
	}
	mustSign(t, good)
}

func TestATokenThatIsTakenOutComesBack(t *testing.T) {
	token, beside := hsmtest.New(t, "taken out"), hsmtest.New(t, "beside")
	k, neighbour := generate(t, place(token)), generate(t, place(beside))
	mustSign(t, k)
	for range 2 {
		back2 := token.Remove()
		gone := false
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && !gone; time.Sleep(20 * time.Millisecond) {
			_, err := k.Sign(nil, digest[:], crypto.SHA256)
			gone = errors.Is(err, hsm.ErrAway)
			if err != nil && !gone {
				t.Fatal(err)
			}
		}
		if !gone {
			t.Fatal("signs without its token")
		}
		if err := k.Ready(); !errors.Is(err, hsm.ErrAway) {
			t.Errorf("ready: %v", err)
		}
		mustSign(t, neighbour)
		back2()
		back(t, k)
		mustSign(t, neighbour)
	}
}

func TestASlowModuleIsNotWaitedFor(t *testing.T) {
	faults := hsmtest.NewFaults(t)
	token := hsmtest.New(t, "slow")
	p := place(token)
	p.Module = faults.Module
	k := generate(t, p)
	k.Patience = 100 * time.Millisecond
	mustSign(t, k)
	faults.Set("slow", 700)
	began := time.Now()
	var all sync.WaitGroup
	for range 3 * hsm.Sessions {
		all.Go(func() {
			if _, err := k.Sign(nil, digest[:], crypto.SHA256); !errors.Is(err, hsm.ErrAway) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("slow: %v", err)
			}
		})
	}
	all.Wait()
	if took := time.Since(began); took > 600*time.Millisecond {
		t.Errorf("waited %s", took)
	}
	if err := k.Ready(); !errors.Is(err, hsm.ErrAway) {
		t.Errorf("ready: %v", err)
	}
	faults.Set("slow", 0)
	back(t, k)

	// What fails is tried with new sessions, and what goes on failing is away.
	before := faults.Signed()
	for _, rv := range []int{0x05, 0x30, 0x32, 0x82, 0xb3, 0xe0, 0x101} { // CKR_GENERAL_ERROR, DEVICE_ERROR, DEVICE_REMOVED, OBJECT_HANDLE_INVALID, SESSION_HANDLE_INVALID, TOKEN_NOT_PRESENT, USER_NOT_LOGGED_IN
		faults.Set("fail", rv)
		if _, err := k.Sign(nil, digest[:], crypto.SHA256); !errors.Is(err, hsm.ErrAway) {
			t.Errorf("%#x: %v", rv, err)
		}
		faults.Set("fail", 0)
		back(t, k)
	}
	if n := faults.Signed() - before; n != 7 {
		t.Errorf("%d signatures", n)
	}
}

func TestManyAtOnce(t *testing.T) {
	k := generate(t, place(hsmtest.New(t, "many")))
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 20 {
				if _, err := k.Sign(nil, digest[:], crypto.SHA256); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkSign(b *testing.B) {
	file, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	token := generate(b, place(hsmtest.New(b, "bench")))
	for name, k := range map[string]crypto.Signer{"file": file, "softhsm": token} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := k.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"-parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := k.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
