package pades_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/verifier/pades"
)

// Every version of every kind, in every language, as it is really drawn: linted, signed, read.
func TestPagesThatAreReallyDrawn(t *testing.T) {
	w := newWorld(t)
	someone := person.Person{FIN: "5ZK8R2M", Name: tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin", Father: "Əli"}, Sex: tesdiq.Female,
		Born: tesdiq.MustDate("1987-03-08"), Document: "AA1234567"}
	entries := map[string]registry.Body{
		"examination": examination.Examination{Number: "M-2026-117204", Subject: "5ZK8R2M", Commission: "7 saylı TSEK", ExaminedOn: tesdiq.MustDate("2026-11-04"),
			Outcome: examination.Disability, Loss: 75, Cause: "general_illness", From: tesdiq.MustDate("2026-11-04"), Until: tesdiq.MustDate("2028-11-04")},
		"contract": contract.Contract{Number: "K-2021-0831452", Subject: "5ZK8R2M", Employer: "“Xəzər Tikinti” MMC", EmployerVOEN: "1400057421",
			Workplace: "Mühasibatlıq şöbəsi", Position: "Baş mühasib", Main: true, Salary: 145050, Concluded: tesdiq.MustDate("2021-03-10"),
			From: tesdiq.MustDate("2021-03-14"), State: contract.Active},
	}
	code, err := tesdiq.NewCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range all.Kinds {
		for version := range kind.Versions {
			for _, lang := range tesdiq.Langs {
				t.Run(kind.Name+"/"+string(lang), func(t *testing.T) {
					statement, err := kind.State(version, entries[kind.Name], someone, templates.Options{Lang: lang, AsOf: now, ValidUntil: tesdiq.MustDate("2027-02-19"), WithSalary: true})
					if err != nil {
						t.Fatal(err)
					}
					sheet := templates.Sheet{Statement: statement, Number: "E-2026-0048213", Code: code, IssuedAt: now,
						QR: "https://tesdiq.example/v/" + string(code), CheckAt: "tesdiq.example/check", Attachment: []byte("e30.e30.AA")}
					page, err := templates.Draw(sheet)
					if err != nil {
						t.Fatal(err)
					}
					text, err := pades.Text(page)
					if err != nil {
						t.Fatal(err)
					}
					for _, line := range sheet.Lines() {
						if !pades.Says(text, line) {
							t.Errorf("%q is not on the page", line)
						}
					}
					var heard []string
					for _, said := range pades.Inspect(page).Heard {
						heard = append(heard, said.Role+" "+said.Text)
					}
					aloud := strings.Join(heard, "\n")
					for _, want := range []string{"H1 " + statement.Title, "TH " + statement.Facts[0].Label + "\nTD " + statement.Facts[0].Value + "\nTH ", sheet.Code.String(), "\nFigure QR"} {
						if !strings.Contains(aloud, want) {
							t.Errorf("%q is not heard in\n%s", want, aloud)
						}
					}
					signed, err := w.set.PDFSigner(rand.Reader).Sign(context.Background(), page, now, signer.SignInfo{})
					if err != nil {
						t.Fatal(err)
					}
					for _, file := range [][]byte{page, signed} {
						if found := pades.Lint(file); len(found) != 0 {
							t.Errorf("lint: %q", found)
						}
					}
					if r := pades.Read(signed, w.roots); r.Indication != pades.Passed || r.Code != code.String() {
						t.Errorf("%+v", r)
					}
					again, err := pades.Text(signed)
					if err != nil || !slices.Equal(text, again) || !bytes.HasPrefix(signed, page) {
						t.Errorf("signing changed what is drawn: %v", err)
					}
				})
			}
		}
	}
}
