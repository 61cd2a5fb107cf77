//go:build cgo

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/hsmtest"
	"github.com/tesdiq/tesdiq/internal/service"
)

// intoToken has all that signs in an installation's service keep its key in a token, by a ceremony of its own.
func (p *processes) intoToken(module string, token *hsmtest.Token) {
	p.in.t.Helper()
	plan, err := os.ReadFile("../../docs/ceremony.example.toml")
	if err != nil {
		p.in.t.Fatal(err)
	}
	head, keys, _ := strings.Cut(string(plan), "[document]")
	keys = strings.ReplaceAll(keys, `storage = "file"`, fmt.Sprintf("storage = \"pkcs11\"\nmodule = %q\ntoken = %q\npin_file = %q", module, token.Label, token.PINFile))
	p.in.write("hsm.toml", 0o644, head+"[document]"+keys)
	keysRun(p.in.t, p.in.dir, true, "ceremony", "-plan", "hsm.toml", "-out", "hsm")
	keysRun(p.in.t, p.in.dir, true, "ceremony", "-plan", "hsm.toml", "-out", "hsm", "-apply")
	if err := errors.Join(os.RemoveAll(p.in.path("issuer/keys")), os.Rename(p.in.path("hsm/service"), p.in.path("issuer/keys"))); err != nil {
		p.in.t.Fatal(err)
	}
	if found, _ := filepath.Glob(p.in.path("issuer/keys/*.key")); len(found) > 0 {
		p.in.t.Errorf("there are keys in files: %s", found)
	}
	p.copy("issuer/keys/roots.pem", "verifier/roots.pem", 0o644)
	p.copy("issuer/keys/document-signer.pem", "verifier/signers.pem", 0o644, "issuer/keys/issuing-ca.pem")
}

// refuses starts the issuer, which must end with a status and say why.
func (p *processes) refuses(path string, status int, says string) {
	p.in.t.Helper()
	ctx, cancel := context.WithTimeout(p.in.t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path, p.programs[service.Issuer].args...)
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	err := c.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != status || !strings.Contains(said.String(), says) {
		p.in.t.Errorf("%v, want status %d and %q: %s", err, status, says, &said)
	}
}

// The issuing process has its keys in a token: the main job across, and each thing that can be wrong at the start.
func TestTheIssuerSignsInAModule(t *testing.T) {
	token := hsmtest.New(t, "issuer")
	p := installThree(t)
	p.intoToken(token.Module, token)
	issuer := p.programs[service.Issuer]

	if err := os.WriteFile(token.PINFile, []byte("wrong"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.refuses(issuer.path, 78, "refuses the PIN in "+token.PINFile)
	if err := os.WriteFile(token.PINFile, []byte(hsmtest.PIN), 0o600); err != nil {
		t.Fatal(err)
	}
	back := token.Remove()
	p.refuses(issuer.path, 1, `is called "issuer"`)
	back()
	description := p.in.path("issuer/keys/document-signer.pkcs11")
	good, err := os.ReadFile(description)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(p.in.path("issuer/keys/time-stamp-signer.pkcs11"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, says string }{
		{strings.Replace(string(good), token.Module, "/nowhere/module.so", 1), "there is no module /nowhere/module.so: install it, or correct `module`"},
		{strings.Replace(string(good), "id = \"", "id = \"00", 1), "no private key with this id"},
		{string(other), "the certificate belongs to another"},
	} {
		p.in.write("issuer/keys/document-signer.pkcs11", 0o600, c.text)
		p.refuses(issuer.path, 1, c.says)
	}
	p.in.write("issuer/keys/document-signer.pkcs11", 0o600, string(good))

	running := p.start(three...)
	if err := p.do(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(p.excerpts) != 2 || len(p.checks) != 6 {
		t.Errorf("%d excerpts, %d checks", len(p.excerpts), len(p.checks))
	}
	// Other programs agree.
	dir := t.TempDir()
	for n, e := range p.excerpts {
		file := filepath.Join(dir, fmt.Sprintf("%d.pdf", n))
		if err := os.WriteFile(file, e.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "pdfsig", "-nocert", file).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Signature is Valid") {
			t.Errorf("pdfsig: %v %s", err, out)
		}
	}
	for _, run := range running {
		run.stop()
	}
}

// Built without cgo the programs do all but this, and say what is missing.
func TestWithoutCgoTheIssuerSaysWhatItNeeds(t *testing.T) {
	p := installThree(t)
	path := filepath.Join(t.TempDir(), "issuer")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../issuer")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	p.programs[service.Issuer].path = path
	running := p.start(service.Issuer) // with keys in files
	running[service.Issuer].stop()
	token := hsmtest.New(t, "without")
	p.intoToken(token.Module, token)
	p.refuses(path, 1, "built without cgo and cannot load a PKCS #11 module: build it with CGO_ENABLED=1")
}
