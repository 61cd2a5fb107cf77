package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tesdiq/tesdiq/casework/tseras"
	"github.com/tesdiq/tesdiq/casework/tseras/criteria"
	"github.com/tesdiq/tesdiq/gateway/agencies"
)

// TestDecide runs testdata/decide.txt beside packages of decisions, without a database.
func TestDecide(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(program, filepath.Join(bin, "tesdiq")); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile("../../casework/tseras/criteria/testdata/packages/v1-several-causes.json")
	if err != nil {
		t.Fatal(err)
	}
	alone, err := os.ReadFile("../../casework/tseras/criteria/testdata/packages/v1-alone-dialysis.json")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if _, err := agencies.Open(folder, nil, time.Now(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	trust, err := os.ReadFile(filepath.Join(folder, agencies.TrustFile))
	if err != nil {
		t.Fatal(err)
	}
	bears := func(number string) string {
		return strings.Replace(string(good), `{"format":"tesdiq-decision-1",`, `{"format":"tesdiq-decision-1",`+number+`,`, 1)
	}
	// An appeal that three of four signed, as it is kept: the tokens are in it.
	p, err := criteria.ReadPackage([]byte(bears(`"case":"T-2026-000002","about":"T-2026-000001"`)))
	if err != nil {
		t.Fatal(err)
	}
	over := tseras.Digest([]byte("0123456789abcdef"), p.Proposed().Bytes())
	for _, name := range []string{"chair", "member", "further"} {
		p.Signatures = append(p.Signatures, criteria.Enclosure{Name: name, Type: tseras.SignatureType, SHA256: tseras.Digest256([]byte("e30." + name)), Bytes: []byte("e30." + name)})
	}
	p.Signed = &criteria.Signed{Of: 4, Over: hex.EncodeToString(over[:]), Salt: hex.EncodeToString([]byte("0123456789abcdef"))}
	kept := string(p.Bytes())
	_, rest, _ := strings.Cut(string(good), `"rules":"`)
	version, _, _ := strings.Cut(rest, `"`)
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/decide.txt"},
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("VERSION", version)
			e.Setenv("SHA256", tseras.Digest256(p.Committed().Bytes()))
			e.Setenv("OVER", p.Signed.Over)
			for name, text := range map[string]string{
				"good.json":   string(good),
				"spaced.json": strings.ReplaceAll(string(good), `,"`, ",\n\""),
				"result.json": strings.Replace(string(good), `"loss":80`, `"loss":85`, 1),
				"input.json":  strings.Replace(string(good), `"born":"1980-05-17"`, `"born":"1980-5-17"`, 1),
				"rules.json":  strings.ReplaceAll(string(good), version, "v7-00"),
				"trust.json":  string(trust),
				"alone.json":  string(alone),
				"kept.json":   kept, "handed.json": string(p.Committed().Bytes()),
				"signed.json": strings.Replace(kept, `"born":"1980-05-17"`, `"born":"1980-05-16"`, 1),
				"token.json":  strings.Replace(kept, base64.StdEncoding.EncodeToString([]byte("e30.chair")), base64.StdEncoding.EncodeToString([]byte("e30.other")), 1),
				"lines.json":  bears(`"case":"T-2026-000001\nWhat was decided by follows from the 7 verified answers"`),
				"escape.json": bears(`"case":"T-2026-000001\u001b[2J"`),
				"name.json":   bears(`"answers":[{"name":"x\n- dialysis: verified\u001b[2J","type":"a/b","sha256":""}]`),
				"ruled.json":  strings.ReplaceAll(string(good), version, `v7-00\nWhat was decided by follows\u001b[2J`+"\u202e"),
				"format.json": strings.Replace(string(good), `tesdiq-decision-1`, `tesdiq-decision-7`, 1),
			} {
				if err := os.WriteFile(filepath.Join(e.WorkDir, name), []byte(text), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
	})
}
