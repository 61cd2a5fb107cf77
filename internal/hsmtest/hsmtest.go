// Package hsmtest gives tests real PKCS #11 tokens, of SoftHSM2, and a module that fails when it is told to.
package hsmtest

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// PIN is that of every token.
const PIN = "7351-tesdiq"

//go:embed testdata/faults.c
var faults []byte

// soft is a home of tokens, one for a test program: a module reads its configuration once.
type soft struct{ dir, module string }

var home = sync.OnceValues(func() (soft, error) {
	s := soft{}
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			s.module = path
			break
		}
	}
	if s.module == "" {
		return s, fmt.Errorf("hsmtest: SoftHSM2 is not there: scripts/install.sh test installs it")
	}
	var err error
	if s.dir, err = os.MkdirTemp("", "tesdiq-softhsm-"); err != nil {
		return s, err
	}
	if err := os.Mkdir(filepath.Join(s.dir, "tokens"), 0o700); err != nil {
		return s, err
	}
	conf := filepath.Join(s.dir, "softhsm2.conf")
	text := "directories.tokendir = " + filepath.Join(s.dir, "tokens") + "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return s, err
	}
	// For this program and for those that it starts.
	return s, os.Setenv("SOFTHSM2_CONF", conf)
})

// Token is a token with nothing in it.
type Token struct {
	Module, Label, PINFile string

	t    testing.TB
	home string
}

// New makes a token with a label.
func New(t testing.TB, label string) *Token {
	t.Helper()
	s, err := home()
	if err != nil {
		t.Fatal(err)
	}
	k := &Token{Module: s.module, Label: label, PINFile: filepath.Join(t.TempDir(), "pin"), t: t, home: s.dir}
	if err := os.WriteFile(k.PINFile, []byte(PIN+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), "softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", "so-"+PIN, "--pin", PIN).CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util: %v %s", err, said)
	}
	t.Cleanup(func() {
		if dir := k.folder(filepath.Join(k.home, "tokens")); dir != "" {
			os.RemoveAll(dir)
		}
	})
	return k
}

// folder finds the token's folder in another: its label stands in a file of it.
func (k *Token) folder(in string) string {
	all, _ := filepath.Glob(filepath.Join(in, "*", "token.object"))
	for _, file := range all {
		if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), fmt.Sprintf("%-32s", k.Label)) {
			return filepath.Dir(file)
		}
	}
	return ""
}

// Remove takes the token out, and gives how to put it back.
func (k *Token) Remove() (back func()) {
	k.t.Helper()
	dir := k.folder(filepath.Join(k.home, "tokens"))
	if dir == "" {
		k.t.Fatalf("no token %q", k.Label)
	}
	away := filepath.Join(k.home, "away-"+filepath.Base(dir))
	if err := os.Rename(dir, away); err != nil {
		k.t.Fatal(err)
	}
	return func() {
		if err := os.Rename(away, dir); err != nil {
			k.t.Fatal(err)
		}
	}
}

// Faults is a module that passes everything on to SoftHSM and fails as it is told.
type Faults struct {
	Module string

	t   testing.TB
	dir string
}

// NewFaults compiles the module.
func NewFaults(t testing.TB) *Faults {
	t.Helper()
	s, err := home()
	if err != nil {
		t.Fatal(err)
	}
	f := &Faults{t: t, dir: t.TempDir()}
	f.Module = filepath.Join(f.dir, "faults.so")
	source := filepath.Join(f.dir, "faults.c")
	if err := os.WriteFile(source, faults, 0o600); err != nil {
		t.Fatal(err)
	}
	// A copy of its own: the test program may have loaded the module itself.
	soft := filepath.Join(f.dir, "softhsm.so")
	copied, err := os.ReadFile(s.module)
	if err == nil {
		err = os.WriteFile(soft, copied, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), "gcc", "-shared", "-fPIC", "-O1", `-DSOFTHSM="`+soft+`"`, "-o", f.Module, source, "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v %s", err, said)
	}
	t.Setenv("TESDIQ_FAULTS", f.dir)
	return f
}

// Set has each signature take longer, in milliseconds ("slow"), or fail with a CKR_ value ("fail"); 0 ends that.
func (f *Faults) Set(what string, value int) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, what), fmt.Appendf(nil, "%d", value), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// Signed is how many signatures the module has given, to whomever.
func (f *Faults) Signed() int {
	data, _ := os.ReadFile(filepath.Join(f.dir, "signed"))
	return len(data)
}
