package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/issuer"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/verifier/pades"
	"github.com/tesdiq/tesdiq/verifier/statement"
)

// pen signs as the service does, and keeps what stood in the QR code. swap, if not nil, changes what is attached.
type pen struct {
	*signer.PDFSigner
	qr   string
	swap []byte
}

func (p *pen) SignStatements(ctx context.Context, full, brief []byte, address string, at time.Time) (jws, cose []byte, signers []*x509.Certificate, err error) {
	jws, cose, signers, err = p.PDFSigner.SignStatements(ctx, full, brief, address, at)
	p.qr = statement.QR(address, cose)
	return jws, cose, signers, err
}

func (p *pen) Sign(ctx context.Context, pdf []byte, at time.Time) ([]byte, time.Time, error) {
	if p.swap != nil {
		own, err := pades.Attachment(pdf)
		if err != nil || len(own) != len(p.swap) {
			return nil, time.Time{}, fmt.Errorf("%d bytes are attached, not %d: %w", len(own), len(p.swap), err)
		}
		pdf = bytes.Replace(pdf, own, p.swap, 1)
	}
	signed, err := p.PDFSigner.Sign(ctx, pdf, at, signer.SignInfo{})
	return signed, time.Time{}, err
}

// issued makes excerpts as the service does: for two people, and one of the first to which the second's statement is attached.
func issued(env *testscript.Env, set *signer.Set, at time.Time) (files map[string][]byte, err error) {
	roots, err := set.Roots()
	if err != nil {
		return nil, err
	}
	files = map[string][]byte{"signers.pem": statement.NewSigners(roots, set.Signers()...).PEM()}
	entry := contract.Contract{Number: "K-2021-0831452", Subject: "5ZK8R2M", Employer: "“Xəzər Tikinti” MMC", EmployerVOEN: "1400057421",
		Position: "Baş mühasib", Main: true, Concluded: tesdiq.MustDate("2021-03-10"), From: tesdiq.MustDate("2021-03-14"), State: contract.Active}
	for _, who := range []struct{ name, given string }{{"nermin", "Nərmin"}, {"sevinc", "Sevinç"}} {
		p := &pen{PDFSigner: set.PDFSigner(rand.Reader)}
		m := &issuer.Maker{Kinds: all.Kinds, Origin: "https://tesdiq.example", Signer: p, Roots: roots, Now: func() time.Time { return at }, Rand: rand.Reader}
		code, err := tesdiq.NewCode(rand.Reader)
		if err != nil {
			return nil, err
		}
		x, err := m.Make(context.Background(), issuer.Job{
			Intent: issuer.Intent{Code: code, Number: "E-2026-0048213", Kind: "contract", Template: 1, Lang: tesdiq.Az, Subject: "5ZK8R2M", ValidUntil: tesdiq.MustDate("2026-12-21"), AskedAt: at},
			Person: person.Person{FIN: "5ZK8R2M", Name: tesdiq.Name{Surname: "Quliyeva", Given: who.given, Father: "Əli"}, Sex: tesdiq.Female, Born: tesdiq.MustDate("1987-03-08"), Document: "AA1234567"},
			Entry:  entry,
		})
		if err != nil {
			return nil, err
		}
		env.Setenv("QR_"+who.name, p.qr)
		files[who.name+".pdf"] = x.PDF
		if files[who.name+".jws"], err = pades.Attachment(x.PDF); err != nil {
			return nil, err
		}
	}
	// Signed by our key, and still: what is attached is another's.
	first := files["nermin.pdf"]
	own := files["nermin.jws"]
	page := first[:bytes.Index(first, []byte("%%EOF\n"))+len("%%EOF\n")]
	swapped := &pen{PDFSigner: set.PDFSigner(rand.Reader), swap: files["sevinc.jws"]}
	if len(own) != len(swapped.swap) {
		return nil, fmt.Errorf("the names are not of one length: %d and %d bytes", len(own), len(swapped.swap))
	}
	if files["swapped.pdf"], _, err = swapped.Sign(context.Background(), page, at); err != nil {
		return nil, err
	}
	return files, nil
}
