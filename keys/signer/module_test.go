//go:build cgo

package signer_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/hsmtest"
	"github.com/tesdiq/tesdiq/internal/pdftest"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/keys/signer/hsm"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// inModule has a plan keep the keys of some sections in tokens.
func inModule(t *testing.T, plan string, tokens map[string]*hsmtest.Token) string {
	t.Helper()
	for section, k := range tokens {
		from := strings.Index(plan, "\n["+section+"]\n")
		if from < 0 {
			t.Fatalf("no [%s]", section)
		}
		plan = plan[:from] + strings.Replace(plan[from:], `storage = "file"`,
			fmt.Sprintf("storage = \"pkcs11\"\nmodule = %q\ntoken = %q\npin_file = %q", k.Module, k.Label, k.PINFile), 1)
	}
	return plan
}

func objects(t *testing.T, k *hsmtest.Token) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "pkcs11-tool", "--module", k.Module, "--token-label", k.Label, "--login", "--pin", hsmtest.PIN, "--list-objects").CombinedOutput()
	if err != nil {
		t.Fatalf("pkcs11-tool: %v %s", err, out)
	}
	return strings.Count(string(out), " Key Object;")
}

// A ceremony whose keys are all in tokens, and what follows: signing, rotation, lists.
func TestACeremonyWithModules(t *testing.T) {
	service, authorities := hsmtest.New(t, "service"), hsmtest.New(t, "authorities")
	now := time.Now()
	text := inModule(t, string(examplePlan(t)), map[string]*hsmtest.Token{
		"root": authorities, "issuing": authorities, "document": service, "time_stamp": service, "answers": service})
	plan, err := signer.ReadPlan([]byte(text), now)
	if err != nil {
		t.Fatal(err)
	}
	// A rehearsal leaves nothing behind, nor does a ceremony that cannot be saved.
	if _, err := signer.Perform(t.Context(), rand.Reader, plan, now, false); err != nil {
		t.Fatal(err)
	}
	if n, m := objects(t, service), objects(t, authorities); n+m != 0 {
		t.Errorf("the rehearsal left %d keys", n+m)
	}
	made, err := signer.Perform(t.Context(), rand.Reader, plan, now, true)
	if err != nil {
		t.Fatal(err)
	}
	if n, m := objects(t, service), objects(t, authorities); n != 6 || m != 4 {
		t.Errorf("%d and %d halves of keys", n, m)
	}
	if err := made.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, m := objects(t, service), objects(t, authorities); n+m != 0 {
		t.Errorf("%d keys are left", n+m)
	}

	if made, err = signer.Perform(t.Context(), rand.Reader, plan, now, true); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{`token         service, of ` + service.Module, `token         authorities`, "in the module document-signer "} {
		if !strings.Contains(made.Protocol(), says) {
			t.Errorf("the protocol does not say %q:\n%s", says, made.Protocol())
		}
	}
	dir := filepath.Join(t.TempDir(), "ceremony")
	if err := made.Save(dir); err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*", "*.key")); len(found) > 0 {
		t.Errorf("keys in files: %s", found)
	}
	in := installation{t, filepath.Join(dir, signer.ServiceFolder), filepath.Join(dir, signer.IssuingFolder), filepath.Join(dir, signer.RootFolder), now}
	sign := func(s *signer.Set, at time.Time) {
		t.Helper()
		status := s.Status(rand.Reader, signer.NothingRevoked{})
		p, err := s.Archivist(rand.Reader, status)
		if err != nil {
			t.Fatal(err)
		}
		file, err := p.Sign(t.Context(), pdftest.Page(), at, signer.SignInfo{})
		if err != nil {
			t.Fatal(err)
		}
		roots, err := s.Roots()
		if err != nil {
			t.Fatal(err)
		}
		if r := pades.Read(file, roots); r.Indication != pades.Passed || r.Level != "B-LTA" {
			t.Errorf("%+v", r)
		}
	}
	sign(in.load(), now.Add(time.Second))

	from := now.Add(time.Hour).UTC().Truncate(time.Second)
	s := in.load()
	by, err := s.LoadAuthority(in.issuing)
	if err != nil {
		t.Fatal(err)
	}
	before := objects(t, service)
	rotation := signer.Rotation{Role: keys.RoleDocumentSigner, Years: 1, From: from}
	if _, err := in.load().Rotate(t.Context(), rand.Reader, by, rotation, now); err != nil || objects(t, service) != before {
		t.Errorf("rehearsing: %v, %d objects", err, objects(t, service)-before)
	}
	rotation.Keep = true
	d, err := s.Rotate(t.Context(), rand.Reader, by, rotation, now)
	if err != nil {
		t.Fatal(err)
	}
	if k, ok := d.Key.(*hsm.Key); !ok || k.Token != "service" || objects(t, service) != before+2 {
		t.Errorf("the successor's key is %T", d.Key)
	}
	for range 2 {
		if err := s.Update(in.service); err != nil {
			t.Fatal(err)
		}
	}
	s = in.load()
	sign(s, from.Add(time.Minute))
	if err := s.Publish(rand.Reader, by, nil, now); err != nil {
		t.Error(err)
	}
	// Out of a file into a module, and back, is a rotation too.
	rotation = signer.Rotation{Role: keys.RoleDocumentSigner, Years: 1, From: from.Add(time.Hour), Storage: signer.StorageFile}
	if d, err := s.Rotate(t.Context(), rand.Reader, by, rotation, now); err != nil {
		t.Error(err)
	} else if _, ok := d.Key.(*hsm.Key); ok {
		t.Error("a file was asked for")
	}

	// Who signs nothing needs no PIN; who signs is told what is wrong.
	if err := os.Remove(service.PINFile); err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Read(in.service); err != nil {
		t.Error(err)
	}
	name := filepath.Join(in.service, "document-signer.pkcs11")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		old, now string
		is       error
		says     string
	}{
		{`token = "service"`, `token = "none"`, hsm.ErrAway, "pin_file"},
		{service.Module, "/nowhere.so", hsm.ErrAway, "pin_file"},
		{`id = "`, `id = "xx`, nil, "not a key's id"},
		{`id = `, `key = `, nil, "is not a setting"},
	} {
		if err := os.WriteFile(name, []byte(strings.Replace(string(good), c.old, c.now, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := signer.Load(in.service); err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.now, err)
		}
	}
	if err := errors.Join(os.WriteFile(name, good, 0o600), os.WriteFile(filepath.Join(in.service, "document-signer.key"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Load(in.service); err == nil || !strings.Contains(err.Error(), "only one can be the key") {
		t.Errorf("two keys: %v", err)
	}
}

func TestAPlanForModulesIsJudged(t *testing.T) {
	k := &hsmtest.Token{Module: "/lib/module.so", Label: "token", PINFile: "/etc/pin"}
	all := map[string]*hsmtest.Token{"document": k, "issuing": {Module: "/lib/module.so", Label: "offline", PINFile: "/etc/pin"}}
	good := inModule(t, string(examplePlan(t)), all)
	if _, err := signer.ReadPlan([]byte(good), time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, now, says string }{
		{`token = "offline"`, `token = "token"`, "issuing.token: holds a key of the service, too"},
		{`token = "token"`, `token = ""`, "document.token"},
		{`module = "/lib/module.so"`, `module = "module.so"`, "module: \"module.so\" is not the whole path"},
		{`pin_file = "/etc/pin"`, `pin = "1234"`, "pin: is not a setting"},
		{"\nstorage = \"pkcs11\"", "\nstorage = \"file\"", `storage: module, token and pin_file are for "pkcs11"`},
		{"\nstorage = \"pkcs11\"", "\nstorage = \"cloud\"", `storage: must be "file" or "pkcs11"`},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatalf("no %s", c.old)
		}
		if _, err := signer.ReadPlan([]byte(strings.Replace(good, c.old, c.now, 1)), time.Now()); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.now, err)
		}
	}
}
