package main

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tesdiq/tesdiq/casework/tseras"
)

// referralCommands are the blocks of commands in docs/referrals.md, in their order.
func referralCommands(t *testing.T) (blocks []string) {
	t.Helper()
	doc, err := os.ReadFile("../../docs/referrals.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(doc, -1) {
		blocks = append(blocks, string(b[1]))
	}
	if len(blocks) != 4 {
		t.Fatalf("docs/referrals.md has %d blocks of commands, not sealing, form 88, its state and a refusal", len(blocks))
	}
	return blocks
}

// typed runs blocks of commands in one shell, as whoever reads the document would type them, and gives what each wrote.
func (w *world) typed(seal string, blocks ...string) ([]string, error) {
	w.t.Helper()
	c := exec.CommandContext(w.t.Context(), "sh", "-ec", strings.Join(blocks, "\nprintf '\\036'\n"))
	c.Dir = w.t.TempDir()
	c.Env = append(os.Environ(), "TESDIQ="+w.address, "SEAL="+seal)
	var out, complaints bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaints
	err := c.Run()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, complaints.String())
	}
	return strings.Split(out.String(), "\x1e"), err
}

// The commands of docs/referrals.md, run as they stand: form 88 under the polyclinic's seal, how it stands, who waits, and a refusal, which the person reads.
func TestTheCommandsOfTheDocumentationRefer(t *testing.T) {
	w, blocks := open(t, 5), referralCommands(t)
	at := w.applied("elcin", tseras.AwaitingReferral)
	waiting := at[strings.LastIndex(at, "/")+1:]

	// Under a key that is not the seal's, and under a seal that nobody pinned, nothing is opened.
	strange := t.TempDir()
	if _, err := openSeal(strange, time.Now()); err != nil {
		t.Fatal(err)
	}
	refused := func(what string) {
		t.Helper()
		out, err := w.typed(strange, blocks...)
		if err == nil || !strings.Contains(err.Error(), "401") || len(out) != 2 || !strings.Contains(out[1], "tseras.seal") {
			t.Errorf("%s: %q, %v", what, out, err)
		}
	}
	refused("another seal")
	pinned, err := os.ReadFile(filepath.Join(w.dir, "clinic", clinicSeal))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(strange, clinicSeal), pinned, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("another key")
	var referred int
	if err := w.db.Admin.QueryRow(t.Context(), `SELECT count(*) FROM tseras_referrals`).Scan(&referred); err != nil || referred != 0 {
		t.Fatalf("%d referrals under what is no seal: %v", referred, err)
	}

	out, err := w.typed(filepath.Join(w.dir, "clinic"), blocks...)
	if err != nil || len(out) != len(blocks) {
		t.Fatalf("%q: %v", out, err)
	}
	number := regexp.MustCompile(`T-\d{4}-\d{6}`).FindString(out[1])
	for i, says := range [][]string{
		1: {`{"case":"` + number + `","number":"88/1",`, `"state":"gathering","turn":"agencies"`},
		2: {`{"referrals":[{"case":"` + number + `","number":"88/1",`, "}\n{\"case\":\"" + number + `","number":"88/1",`},
		3: {`"case":"` + waiting + `"`, "Kərimov Elçin Vaqif oğlu", `{"case":"` + waiting + `","state":"closed"}`},
	} {
		for _, s := range says {
			if !strings.Contains(out[i], s) {
				t.Errorf("%s\nsays %q, without %q", blocks[i], out[i], s)
			}
		}
	}
	w.until(number, tseras.Drawn) // registers have nothing that decides alone
	w.until(waiting, tseras.Declined)
	// Typed once more on the same day it is the same referral; and nobody waits any more.
	again, err := w.typed(filepath.Join(w.dir, "clinic"), blocks...)
	if err == nil || len(again) != 4 || !strings.Contains(again[1], `"case":"`+number+`"`) || !strings.Contains(again[3], `{"waiting":[]}`) || !strings.Contains(again[3], `"field":"case"`) {
		t.Errorf("typed again: %q: %v", again, err)
	}
}

// A signature's two numbers are 32 bytes each, also where one of them is shorter: one in 128 signatures.
func TestTheCommandsOfTheDocumentationPadSignatures(t *testing.T) {
	sealing := referralCommands(t)[0]
	most := new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(1))
	for _, numbers := range [][2]*big.Int{{big.NewInt(1), most}, {most, big.NewInt(255)}, {new(big.Int).Rsh(most, 8), new(big.Int).Rsh(most, 4)}} {
		der, err := asn1.Marshal(struct{ R, S *big.Int }{numbers[0], numbers[1]})
		if err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), "sh", "-ec", sealing+"\nraw")
		c.Stdin = bytes.NewReader(der)
		got, err := c.Output()
		want := append(numbers[0].FillBytes(make([]byte, 32)), numbers[1].FillBytes(make([]byte, 32))...)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%x instead of %x: %v", got, want, err)
		}
	}
}
