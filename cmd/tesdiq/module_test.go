//go:build cgo

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/internal/hsmtest"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/internal/service"
)

// intoToken has all that signs in an installation's service keep its key in a token, by a ceremony of its own.
func (p *processes) intoToken(module string, token *hsmtest.Token) {
	p.in.t.Helper()
	head, keys, _ := strings.Cut(p.plan(), "[document]")
	keys = strings.ReplaceAll(keys, `storage = "file"`, fmt.Sprintf("storage = \"pkcs11\"\nmodule = %q\ntoken = %q\npin_file = %q", module, token.Label, token.PINFile))
	p.holdCeremony("hsm", head+"[document]"+keys)
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

	// The token is taken out while it runs. Who asks is told that it is being made; nothing is void; it is made when the token is back.
	ctx := t.Context()
	citizen, err := p.signIn(ctx, people.Who("nermin"), "", "/cabinet")
	if err != nil {
		t.Fatal(err)
	}
	back = token.Remove()
	p.until("the keys are away", func() bool { return strings.Contains(p.metricsOf(service.Issuer), "tesdiq_keys_ready 0\n") })
	if status, _ := p.get(service.Issuer, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("the issuer is ready without its keys: %d", status)
	}
	if err := p.ask(ctx, citizen, "examination"); err != nil {
		t.Fatal(err)
	}
	if codePattern.MatchString(citizen.text()) {
		t.Error("there is an excerpt, and no key")
	}
	if !strings.Contains(citizen.text(), "hazırlanır") {
		t.Errorf("the person is not told that it is being made: %s", citizen.text())
	}
	back()
	made := time.Now()
	p.until("the excerpt is there", func() bool {
		if err := citizen.open(ctx, citizen.at.String()); err != nil {
			t.Fatal(err)
		}
		return codePattern.MatchString(citizen.text())
	})
	t.Logf("made %s after the token came back", time.Since(made).Round(time.Millisecond))
	p.until("the keys are back", func() bool { return strings.Contains(p.metricsOf(service.Issuer), "tesdiq_keys_ready 1\n") })

	// And once more across a restart in between.
	back = token.Remove()
	p.until("the keys are away", func() bool { return strings.Contains(p.metricsOf(service.Issuer), "tesdiq_keys_ready 0\n") })
	if err := p.ask(ctx, citizen, "contract"); err != nil {
		t.Fatal(err)
	}
	running[service.Issuer].stop()
	p.refuses(issuer.path, 1, `is called "issuer"`)
	back()
	running[service.Issuer] = p.start(service.Issuer)[service.Issuer]
	p.until("the excerpt is there", func() bool {
		if err := citizen.open(ctx, citizen.at.String()); err != nil {
			t.Fatal(err)
		}
		return codePattern.MatchString(citizen.text())
	})
	if n := p.number(`SELECT count(*) FROM voids`); n != 0 {
		t.Errorf("%d are void", n)
	}
	for _, run := range running {
		run.stop()
	}
	// Every call that was made is written down, and as many as the attempts allow at most.
	excerpts, attempts, absent := p.number(`SELECT count(*) FROM excerpts`), p.number(`SELECT count(*) FROM attempts`), p.number(`SELECT count(*) FROM key_absences`)
	documents, stamps := p.number(`SELECT coalesce(sum(calls), 0) FROM key_uses WHERE role = 'document-signer'`), p.number(`SELECT coalesce(sum(calls), 0) FROM key_uses WHERE role = 'time-stamp-signer'`)
	if excerpts != 4 || documents < 3*excerpts || documents > 3*attempts || stamps < 2*excerpts || stamps > 2*attempts || attempts-absent != excerpts {
		t.Errorf("%d excerpts, %d attempts, at %d the keys were away; %d and %d calls", excerpts, attempts, absent, documents, stamps)
	}
	log, err := os.ReadFile(issuer.log)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "ALARM: the keys are away"); n != 2 || strings.Count(string(log), "ALARM") != n {
		t.Errorf("%d alarms: %s", n, log)
	}
}

// until waits for something that must come.
func (p *processes) until(what string, is func() bool) {
	p.in.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			p.in.t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (p *processes) get(name service.Program, path string) (status int, page string) {
	p.in.t.Helper()
	answer, err := http.Get(p.programs[name].address + path)
	if err != nil {
		p.in.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.in.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func (p *processes) metricsOf(name service.Program) string {
	_, page := p.get(name, "/metrics")
	return page
}

// number runs a query that gives one number.
func (p *processes) number(sql string) (n int) {
	p.in.t.Helper()
	if err := p.admin.QueryRow(p.in.t.Context(), sql).Scan(&n); err != nil {
		p.in.t.Fatal(err)
	}
	return n
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
