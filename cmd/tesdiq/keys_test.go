package main

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/postgres"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
)

// keysRun runs `tesdiq keys …` in a folder.
func keysRun(t *testing.T, dir string, well bool, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), binary(t), append([]string{"keys"}, args...)...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if (err == nil) != well {
		t.Fatalf("keys %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestKeysFromCeremonyToRotation(t *testing.T) {
	dir := t.TempDir()
	plan, err := os.ReadFile("../../docs/ceremony.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plan.toml"), plan, 0o600); err != nil {
		t.Fatal(err)
	}
	if said := keysRun(t, dir, true, "ceremony", "-plan", "plan.toml", "-out", "made"); !strings.Contains(said, "REHEARSAL") || !strings.Contains(said, dryRun) {
		t.Errorf("rehearsal: %s", said)
	}
	if _, err := os.Stat(filepath.Join(dir, "made")); !os.IsNotExist(err) {
		t.Error("the rehearsal wrote something")
	}
	said := keysRun(t, dir, true, "ceremony", "-plan", "plan.toml", "-out", "made", "-apply")
	protocol, err := os.ReadFile(filepath.Join(dir, "made", "protocol.txt"))
	if err != nil || !strings.HasPrefix(said, string(protocol)) {
		t.Errorf("the protocol that is printed is not the one that is written: %v", err)
	}
	if said := keysRun(t, dir, false, "ceremony", "-plan", "plan.toml", "-out", "made", "-apply"); !strings.Contains(said, "never overwritten") {
		t.Errorf("again: %s", said)
	}

	from := time.Now().Add(time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	rotate := []string{"rotate", "-keys", "made/service", "-authority", "made/issuing-ca", "-role", "document-signer", "-from", from}
	before := keysRun(t, dir, true, "list", "-keys", "made/service")
	if said := keysRun(t, dir, true, rotate...); !strings.Contains(said, dryRun) || keysRun(t, dir, true, "list", "-keys", "made/service") != before {
		t.Errorf("a dry run changed something: %s", said)
	}
	keysRun(t, dir, true, append(rotate, "-apply")...)
	after := keysRun(t, dir, true, "list", "-keys", "made/service")
	if !strings.Contains(after, "signs from "+from) || !strings.Contains(after, "signs until "+from) || strings.Count(after, "document-signer") != 2 {
		t.Errorf("list: %s", after)
	}
	keysRun(t, dir, false, "publish", "-keys", "made/service", "-authority", "made/service")
	if said := keysRun(t, dir, true, "publish", "-keys", "made/service", "-authority", "made/root", "-apply"); !strings.Contains(said, "list of revocations of root") {
		t.Errorf("publish: %s", said)
	}
}

// The whole of it, by the operator's commands, on a service that runs: what a stolen key signed is revoked for every check and in every
// list at once, a new signer takes over, and the excerpt holds again with a new file.
func TestAStolenSignerIsReplaced(t *testing.T) {
	w := open(t, 5)
	nermin, token := w.as("nermin", ""), w.apiToken()
	e := w.drawn(nermin, "examination")
	old := w.fileOf(e)
	dir := t.TempDir()
	if err := w.app.Keys.Save(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "passwords"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, role := range postgres.Roles() { // of which the test's server wants none
		if err := os.WriteFile(filepath.Join(dir, "passwords", string(role)), []byte("none"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("DATABASE_URL", w.db.AdminURL())
	serial := keys.Serial(w.app.Keys.Signer)
	revoke := []string{"revoke", "-data", dir, "-keys", "keys", "-serial", serial, "-reason", "keyCompromise", "-why", "the module was stolen", "-by", "Operator",
		"-invalidity", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}
	keysRun(t, dir, true, revoke...)
	if _, v := w.apiCheck(token, e.Code); v != tesdiq.Valid {
		t.Fatalf("after a dry run: %s", v)
	}
	if said := keysRun(t, dir, true, append(revoke, "-apply")...); !strings.Contains(said, "1 excerpts have a file that does not count") {
		t.Errorf("revoke: %s", said)
	}
	if said := keysRun(t, dir, false, append(revoke, "-apply")...); !strings.Contains(said, "revoked already") {
		t.Errorf("again: %s", said)
	}
	if _, v := w.apiCheck(token, e.Code); v != tesdiq.Revoked {
		t.Errorf("by code: %s", v)
	}
	// The list and the answers are made anew when the issuing process hears of it.
	var crl *x509.RevocationList
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		_, _, list := w.ask(http.DefaultClient, http.MethodGet, "/pki/crl/issuing-ca.crl", "", nil)
		var err error
		if crl, err = x509.ParseRevocationList([]byte(list)); err != nil {
			t.Fatal(err)
		}
		if len(crl.RevokedCertificateEntries) > 0 {
			break
		}
	}
	if len(crl.RevokedCertificateEntries) != 1 || keys.Serial(w.app.Keys.Signer) != crl.RevokedCertificateEntries[0].SerialNumber.Text(16) {
		t.Errorf("list of revocations: %+v", crl)
	}
	question, err := ocsp.CreateRequest(w.app.Keys.Signer, w.app.Keys.CA, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, told := w.ask(http.DefaultClient, http.MethodGet, "/pki/ocsp/"+url.PathEscape(base64.StdEncoding.EncodeToString(question)), "", nil)
	if a, err := ocsp.ParseResponseForCert([]byte(told), w.app.Keys.Signer, w.app.Keys.CA); err != nil || a.Status != ocsp.Revoked {
		t.Errorf("answer: %+v, %v", a, err)
	}

	reissue := []string{"reissue", "-data", dir, "-keys", "keys", "-serial", serial}
	if said := keysRun(t, dir, true, reissue...); !strings.Contains(said, "1 are to be issued anew") {
		t.Errorf("dry run: %s", said)
	}
	// Whoever was revoked cannot do it.
	keysRun(t, dir, false, append(reissue, "-apply")...)
	from := time.Now().Add(1500 * time.Millisecond).UTC().Truncate(time.Second).Add(time.Second)
	keysRun(t, dir, true, "rotate", "-keys", "keys", "-authority", "keys", "-role", "document-signer", "-from", from.Format(time.RFC3339), "-apply")
	if said := keysRun(t, dir, true, "publish", "-data", dir, "-keys", "keys", "-authority", "keys", "-apply"); !strings.Contains(said, "issuing-ca") {
		t.Errorf("publish: %s", said)
	}
	if said := keysRun(t, dir, true, "list", "-keys", "keys"); !strings.Contains(said, "the module was stolen") {
		t.Errorf("list: %s", said)
	}
	time.Sleep(time.Until(from))
	for _, want := range []string{"1 issued anew", "0 issued anew"} {
		if said := keysRun(t, dir, true, append(reissue, "-apply")...); !strings.Contains(said, want) {
			t.Errorf("want %q: %s", want, said)
		}
	}
	if _, v := w.apiCheck(token, e.Code); v != tesdiq.Valid {
		t.Errorf("issued anew, by code: %s", v)
	}
	if fresh := w.fileOf(e); bytes.Equal(fresh, old) {
		t.Error("the person still gets the old file")
	}
	// Whoever audits tells what was issued first from what was issued anew.
	(&auditor{t: t, db: w.db.Admin}).ledgerOpens()
}

// What is issued anew is as the service would issue it: with its address and its time stamps, or not at all.
func TestReissuingAsksTheServicesConfiguration(t *testing.T) {
	in := install(t)
	if c, said := in.command(t.Context(), "migrate"); c.Run() != nil {
		t.Fatal(said)
	}
	set, err := signer.Load(in.path("keys"))
	if err != nil {
		t.Fatal(err)
	}
	good := in.config
	for name, c := range map[string]struct{ old, new, says string }{
		"as it is":         {"", "", "0 excerpts have no file that counts"},
		"another address":  {`public_url = "https://tesdiq.example"`, `public_url = "https://other.example"`, `and the keys were made for "https://tesdiq.example"`},
		"no address":       {`public_url = "https://tesdiq.example"`, "", "public_url: is missing"},
		"no keys":          {"dir = ", "# dir = ", "keys.dir: is missing"},
		"stamps by nobody": {"[time_stamps]", "[time_stamps]\nauthority = \"https://tsa.example\"", "time_stamps.roots: is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the configuration does not have %q", c.old)
			}
			in.config = strings.Replace(good, c.old, c.new, 1)
			run, said := in.command(t.Context(), "keys", "reissue", "-serial", keys.Serial(set.Signer))
			if err := run.Run(); (err == nil) != (c.old == "") || !strings.Contains(said.String(), c.says) {
				t.Errorf("%v: want %q: %s", err, c.says, said)
			}
		})
	}
	// The service refuses the other address, too.
	in.config = strings.Replace(good, "https://tesdiq.example", "https://other.example", 1)
	if run, said := in.command(t.Context(), "serve"); run.Run() == nil || !strings.Contains(said.String(), "and the keys were made for") {
		t.Errorf("serve: %s", said)
	}
}

// fileOf is the newest version of an excerpt's file.
func (w *world) fileOf(e summaryExcerpt) (pdf []byte) {
	w.t.Helper()
	err := w.db.Admin.QueryRow(w.t.Context(), `SELECT f.bytes FROM excerpt_files f JOIN excerpts x ON x.id = f.excerpt_id WHERE x.code = $1 ORDER BY f.stored_at DESC, f.size DESC LIMIT 1`,
		strings.ReplaceAll(e.Code, "-", "")).Scan(&pdf)
	if err != nil {
		w.t.Fatal(err)
	}
	return pdf
}
