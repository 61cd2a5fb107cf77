// Package hsm signs with keys that never leave a hardware module, by PKCS #11 (OASIS, version 2.40). Every key is on P-256.
//
// A call into a module cannot be interrupted. So each runs in a goroutine of its own that its caller leaves behind when his patience
// ends, and no more of them are in a module at a time than it has sessions. What fails is tried once more with new sessions, and then
// the module counts as away until it lets us in again. A PIN that was refused is never tried again: tokens lock after a few.
package hsm

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Place says where a key is. It holds no secret: the PIN is in a file of its own.
type Place struct {
	Module  string `toml:"module"`   // the PKCS #11 library, such as /usr/lib/softhsm/libsofthsm2.so
	Token   string `toml:"token"`    // label of the token
	PINFile string `toml:"pin_file"` // file with the user's PIN, for its owner alone
	Label   string `toml:"label"`    // CKA_LABEL, for people
	ID      string `toml:"id"`       // CKA_ID in hexadecimal, by which the key is found
}

// DefaultPatience is how long a caller waits for a signature: a thousand times as long as a usual module needs.
const DefaultPatience = 2 * time.Second

// Sessions is how many calls are in a token at a time.
const Sessions = 8

// What can be wrong, for errors.Is.
var (
	// ErrAway says that the module, the token or the key is not there now, or does not answer in time. Later it may.
	ErrAway = errors.New("hsm: the module is away")
	// ErrPIN says that the token refused the PIN, or will refuse it.
	ErrPIN = errors.New("hsm: PIN")
	// ErrNoCgo says that this program was built without cgo, and so without PKCS #11.
	ErrNoCgo = errors.New("hsm: this program was built without cgo and cannot load a PKCS #11 module: build it with CGO_ENABLED=1 and a C compiler")
	// ErrWrongKey says that the key is not what its certificate or its place says.
	ErrWrongKey = errors.New("hsm: wrong key")
)

// Check says what is wrong with where a token is to be; nil: nothing. label and id are not looked at.
func (p Place) Check() error {
	switch {
	case !filepath.IsAbs(p.Module):
		return fmt.Errorf("module: %q is not the whole path of a PKCS #11 library", p.Module)
	case p.Token == "" || len(p.Token) > 32 || strings.TrimSpace(p.Token) != p.Token:
		return fmt.Errorf("token: %q is not a token's label (1 to 32 characters)", p.Token)
	case !filepath.IsAbs(p.PINFile):
		return fmt.Errorf("pin_file: %q is not the whole path of a file", p.PINFile)
	}
	return nil
}

// Read reads a description that Marshal wrote.
func Read(data []byte) (p Place, err error) {
	meta, err := toml.Decode(string(data), &p)
	if err != nil {
		return p, err
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return p, fmt.Errorf("%s is not a setting", unknown[0])
	}
	if id, err := hex.DecodeString(p.ID); err != nil || len(id) == 0 || len(id) > 64 {
		return p, fmt.Errorf("id: %q is not a key's id in hexadecimal", p.ID)
	}
	return p, p.Check()
}

// Marshal describes the place in a file for people and for Read.
func (p Place) Marshal() []byte {
	return fmt.Appendf(nil, `# This key never leaves its module; here is where to find it. There is no secret in this file.
# module and pin_file may be changed where they lie elsewhere on this machine.
module = %q
token = %q
pin_file = %q
label = %q
id = %q
`, p.Module, p.Token, p.PINFile, p.Label, p.ID)
}

// String names the place for people.
func (p Place) String() string {
	return fmt.Sprintf("key %s (id %s) of token %q in %s", p.Label, p.ID, p.Token, p.Module)
}

func (p Place) id() []byte {
	id, _ := hex.DecodeString(p.ID) // Read and Generate saw to it
	return id
}

// maxPIN is how long a PIN may be, in bytes.
const maxPIN = 256

// pin reads the PIN; whoever else could read the file has the key, too.
func (p Place) pin() (string, error) {
	f, err := os.Open(p.PINFile)
	if err != nil {
		return "", fmt.Errorf("hsm: pin_file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", fmt.Errorf("hsm: pin_file: %w", err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("hsm: pin_file: %s is not a regular file", p.PINFile)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("hsm: pin_file: %s can be read by others: chmod 600 it, or better change the PIN", p.PINFile)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPIN+2))
	if err != nil {
		return "", fmt.Errorf("hsm: pin_file: %w", err)
	}
	pin := strings.TrimRight(string(data), "\r\n")
	if pin == "" || len(pin) > maxPIN {
		return "", fmt.Errorf("hsm: pin_file: %s does not hold one PIN", p.PINFile)
	}
	return pin, nil
}

// Key is a key in a module: a crypto.Signer of SHA-256 digests. It may be used by several goroutines.
type Key struct {
	Place
	Patience time.Duration // how long a caller waits at most; 0: DefaultPatience

	public *ecdsa.PublicKey
	token  *token
}

// New is the key at a place whose certificate has the public key. Nothing is asked of the module before Open or the first signature.
func New(p Place, public crypto.PublicKey) (*Key, error) {
	point, ok := public.(*ecdsa.PublicKey)
	if !ok || point.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: the certificate's is not on P-256", ErrWrongKey)
	}
	return &Key{Place: p, public: point, token: tokenOf(p)}, nil
}

// Generate makes a key in the token that p names, sensitive and not extractable. One that is not kept is forgotten when the program
// ends: rehearsals make such keys.
func Generate(ctx context.Context, rand io.Reader, p Place, name string, keep bool) (*Key, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(rand, id); err != nil {
		return nil, fmt.Errorf("hsm: id: %w", err)
	}
	p.ID, p.Label = hex.EncodeToString(id), name+" "+hex.EncodeToString(id[:4])
	k := &Key{Place: p, token: tokenOf(p)}
	ctx, cancel := context.WithTimeout(ctx, generatePatience)
	defer cancel()
	var err error
	if k.public, err = k.token.generate(ctx, p, keep); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, p)
	}
	return k, nil
}

// generatePatience is how long a new key may take.
const generatePatience = 30 * time.Second

// Public gives the public key.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Open sees that the key is there, is the certificate's, and cannot leave the module. It is also how to find out whether a module that
// was away is back.
func (k *Key) Open(ctx context.Context) error {
	ctx, cancel := k.patience(ctx)
	defer cancel()
	if err := k.token.check(ctx, k.Place, k.public); err != nil {
		return fmt.Errorf("%w (%s)", err, k.Place)
	}
	return nil
}

// Destroy removes the key from its token for good.
func (k *Key) Destroy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, generatePatience)
	defer cancel()
	return k.token.destroy(ctx, k.Place)
}

// Ready says, without asking the module, why nothing can be signed now; nil: as far as is known, it can.
func (k *Key) Ready() error { return k.token.ready() }

// Sign implements crypto.Signer for SHA-256 digests. The randomness is the module's own.
func (k *Key) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return k.SignContext(context.Background(), digest)
}

// SignContext is Sign for a caller who may lose his patience even sooner. What the module gives is verified: a faulty signature could
// betray the key.
func (k *Key) SignContext(ctx context.Context, digest []byte) ([]byte, error) {
	if len(digest) != crypto.SHA256.Size() {
		return nil, fmt.Errorf("hsm: %d bytes are no SHA-256 digest", len(digest))
	}
	ctx, cancel := k.patience(ctx)
	defer cancel()
	raw, err := k.token.sign(ctx, k.Place, k.public, digest)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, k.Place)
	}
	if len(raw) == 0 || len(raw)%2 != 0 { // CKM_ECDSA gives r and s, equally long
		return nil, fmt.Errorf("hsm: the module gives %d bytes for a signature (%s)", len(raw), k.Place)
	}
	r, s := new(big.Int).SetBytes(raw[:len(raw)/2]), new(big.Int).SetBytes(raw[len(raw)/2:])
	if !ecdsa.Verify(k.public, digest, r, s) {
		return nil, fmt.Errorf("%w: the module's signature is not the certificate's (%s)", ErrWrongKey, k.Place)
	}
	return asn1.Marshal(struct{ R, S *big.Int }{r, s})
}

func (k *Key) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if k.Patience > 0 {
		return context.WithTimeout(ctx, k.Patience)
	}
	return context.WithTimeout(ctx, DefaultPatience)
}
