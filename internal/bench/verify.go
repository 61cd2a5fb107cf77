package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/digitorus/pdfsign/verify"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/internal/people"
	"github.com/tesdiq/tesdiq/keys"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// verifyFiles measures the strict reading of an excerpt of ours beside pdfsign's verification of the same file.
func verifyFiles(ctx context.Context, o Options) (Result, error) {
	file, roots, err := signedFile(ctx, o)
	if err != nil {
		return Result{}, err
	}
	ours := func(context.Context, int) error {
		if r := pades.Read(file, roots); r.Indication != pades.Passed {
			return fmt.Errorf("%s: %s", r.Indication, r.Reason)
		}
		return nil
	}
	plain := func(context.Context, int) error {
		r, err := verify.VerifyWithOptions(bytes.NewReader(file), int64(len(file)), verify.DefaultVerifyOptions())
		if err != nil {
			return err
		}
		if len(r.Signers) != 1 || !r.Signers[0].ValidSignature {
			return fmt.Errorf("%d signers, or the signature is not valid", len(r.Signers))
		}
		return nil
	}
	a, b, err := compare(ctx, o, meter{}, side{"ours", ours}, side{"baseline", plain}, nil)
	if err != nil {
		return Result{}, err
	}
	r := Result{
		Ours: a.rate(), ours: "strict reading with pinned roots and the time stamp",
		Baseline: "pdfsign's verify, the same file", BaselineRate: b.rate(), P50: a.at(0.5), P99: a.at(0.99),
		more: append(cost(a, b), [2]string{"file", fmt.Sprintf("%d bytes", len(file))}),
	}
	took, err := pdfsig(ctx, file)
	if err != nil {
		return Result{}, err
	}
	if took > 0 {
		r.more = append(r.more, [2]string{"poppler's pdfsig", fmt.Sprintf("%.1f ms a file, with the start of the program", float64(took.Microseconds())/1000)})
	}
	return r, nil
}

// signedFile draws and signs an invented person's examination.
func signedFile(ctx context.Context, o Options) ([]byte, *keys.Roots, error) {
	now := o.Now()
	set, err := signer.NewThrowaway(o.Rand, now)
	if err != nil {
		return nil, nil, err
	}
	roots, err := set.Roots()
	if err != nil {
		return nil, nil, err
	}
	var who person.Person
	for v := range people.Generate(1, 10, tesdiq.DateOf(now)) {
		if p, ok := v.Body.(person.Person); ok {
			who = p
		}
		if v.Head.Book != registry.Examinations || v.Head.Act == registry.Annul || v.Head.Subject != who.FIN {
			continue
		}
		k := all.Kinds[0]
		s, err := k.State(k.Current, v.Body, who, templates.Options{Lang: tesdiq.Az, AsOf: now, ValidUntil: tesdiq.DateOf(now).AddDays(30)})
		if err != nil {
			return nil, nil, err
		}
		code, err := tesdiq.NewCode(o.Rand)
		if err != nil {
			return nil, nil, err
		}
		page, err := templates.Draw(templates.Sheet{
			Statement: s, Number: "E-2026-0000001", Code: code, QR: origin + "/v/" + string(code), CheckAt: "tesdiq.example/check", IssuedAt: now, Attachment: []byte("e30.e30.AA"),
		})
		if err != nil {
			return nil, nil, err
		}
		signed, _, err := pdfSigner{set.PDFSigner(o.Rand)}.Sign(ctx, page, now)
		return signed, roots, err
	}
	return nil, nil, fmt.Errorf("no examination among the invented people")
}

// pdfsig is how long poppler's program takes for the signature of the file, without the certificate, whose root it does
// not know; 0 where it is not installed.
func pdfsig(ctx context.Context, file []byte) (time.Duration, error) {
	program, err := exec.LookPath("pdfsig")
	if err != nil {
		return 0, nil
	}
	dir, err := os.MkdirTemp("", "tesdiq-pdfsig-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "excerpt.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		return 0, err
	}
	const times = 5
	began := time.Now()
	for range times {
		c := exec.CommandContext(ctx, program, "-nocert", name)
		if said, err := c.CombinedOutput(); !bytes.Contains(said, []byte("Signature is Valid")) {
			return 0, fmt.Errorf("pdfsig: %w: %s", err, said)
		}
	}
	return time.Since(began) / times, nil
}
