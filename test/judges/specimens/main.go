// Command specimens makes excerpts for independent judges: every kind in every language, with the shortest and the longest
// facts, as B-T and as B-LTA, and some renewed. usage: specimens FOLDER; the files are named kind-language-length.level.pdf,
// the trust anchors roots.pem.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tesdiq/tesdiq"
	"github.com/tesdiq/tesdiq/keys/signer"
	"github.com/tesdiq/tesdiq/registry"
	"github.com/tesdiq/tesdiq/registry/contract"
	"github.com/tesdiq/tesdiq/registry/examination"
	"github.com/tesdiq/tesdiq/registry/person"
	"github.com/tesdiq/tesdiq/templates"
	"github.com/tesdiq/tesdiq/templates/all"
	"github.com/tesdiq/tesdiq/verifier/statement"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: specimens FOLDER")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "specimens:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder string, now time.Time) error {
	set, err := signer.NewThrowawayAt(rand.Reader, now, origin)
	if err != nil {
		return err
	}
	roots, err := set.Roots()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "roots.pem"), roots.PEM(), 0o644); err != nil {
		return err
	}
	archivist, err := set.Archivist(rand.Reader, set.Status(rand.Reader, signer.NothingRevoked{}))
	if err != nil {
		return err
	}
	sheets, err := sheets(now)
	if err != nil {
		return err
	}
	save := func(name string, pdf []byte) error {
		return os.WriteFile(filepath.Join(folder, name+".pdf"), pdf, 0o644)
	}
	for name, s := range sheets {
		if err := attest(ctx, archivist, &s, name, now); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		page, err := templates.Draw(s)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		about := signer.SignInfo{Name: "Tesdiq", Reason: s.Title, Location: "Bakı"}
		archived, err := archivist.Sign(ctx, page, now, about)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := save(name+".B-LTA", archived); err != nil {
			return err
		}
		if strings.HasSuffix(name, "long") {
			renewed, _, err := archivist.Renew(ctx, archived, now)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if err := save(name+".B-LTA-renewed", renewed); err != nil {
				return err
			}
			continue
		}
		stamped, err := set.PDFSigner(rand.Reader).Sign(ctx, page, now, about)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := save(name+".B-T", stamped); err != nil {
			return err
		}
	}
	return nil
}

const origin = "https://tesdiq.example"

// attest puts the same facts for machines into the attachment and behind the address in the QR, as the issuer does.
func attest(ctx context.Context, p *signer.PDFSigner, s *templates.Sheet, name string, now time.Time) error {
	salt, err := statement.NewSalt(rand.Reader)
	if err != nil {
		return err
	}
	kind, _, _ := strings.Cut(name, "-")
	until := tesdiq.DateOf(now.AddDate(0, 1, 0))
	full := statement.Statement{AsOf: now.UTC().Truncate(time.Microsecond), Code: s.Code.String(), Issuer: origin, Kind: kind, Lang: s.Lang, Number: s.Number, Salt: salt,
		Title: s.Title, ValidUntil: until.ISO(), Version: 1}
	for _, f := range s.Facts {
		full.Facts = append(full.Facts, statement.Fact{Group: f.Group, Key: f.Key, Label: f.Label, Value: f.Value})
	}
	facts, err := full.JSON()
	if err != nil {
		return err
	}
	brief, err := statement.Brief{Kind: kind, Number: s.Number, Initials: "N.Ə.Q.", FINTail: "R2M", AsOf: full.AsOf, ValidUntil: until, Digest: sha256.Sum256(facts)}.CBOR()
	if err != nil {
		return err
	}
	address := statement.Address(origin, s.Code)
	jws, cose, _, err := p.SignStatements(ctx, facts, brief, address, full.AsOf)
	if err != nil {
		return err
	}
	s.QR, s.Attachment = statement.QR(address, cose), jws
	return nil
}

// sheets are the pages, by kind, language and length.
func sheets(now time.Time) (map[string]templates.Sheet, error) {
	code, err := tesdiq.NewCode(rand.Reader)
	if err != nil {
		return nil, err
	}
	out := map[string]templates.Sheet{}
	for _, size := range []string{"short", "long"} {
		who, exam, job := facts(now)
		o := templates.Options{AsOf: now, ValidUntil: tesdiq.DateOf(now.AddDate(0, 1, 0)), WithSalary: true}
		if size == "long" {
			who.Name = tesdiq.Name{Surname: long("Ağamirzəyevşıxəliyevanın", 58), Given: long("Məhəmmədhüseyn Ağaşirin", 100), Father: long("Əbülfəzağa", 100)}
			exam.Commission = long("Uşaqlar üzrə ixtisaslaşdırılmış tibbi-sosial ekspert komissiyası", 100)
			job.Employer = long("“Ümumdünya Şüşəqablaşdırma və Ağır Maşınqayırma Texnologiyaları” Qapalı Səhmdar Cəmiyyəti", 200)
			job.Position = long("Baş mühəndisin texniki nəzarət üzrə müavini", 150)
			job.Workplace = long("Bakı şəhəri, Nəsimi rayonu, Şəmsi Bədəlbəyli küçəsi", 200)
			o.Recipient, o.Purpose = long("“Nümunə İstehlak Kreditləri” Bank ASC", 100), long("güzəştli ipoteka krediti", 100)
		}
		for _, o.Lang = range tesdiq.Langs {
			for _, k := range all.Kinds {
				entry := map[registry.Book]registry.Body{registry.Examinations: exam, registry.Contracts: job}[k.Book]
				s, err := k.State(k.Current, entry, who, o)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", k.Name, err)
				}
				out[k.Name+"-"+string(o.Lang)+"-"+size] = templates.Sheet{Statement: s, Number: "E-2026-0048213", Code: code,
					CheckAt: "tesdiq.example/check", IssuedAt: now}
			}
		}
	}
	return out, nil
}

func facts(now time.Time) (person.Person, examination.Examination, contract.Contract) {
	day := tesdiq.DateOf(now)
	return person.Person{FIN: "5ZK8R2M", Name: tesdiq.Name{Surname: "Quliyeva", Given: "Nərmin", Father: "Əli"}, Sex: tesdiq.Female,
			Born: tesdiq.MustDate("1987-03-08"), Document: "AA1234567"},
		examination.Examination{Number: "M-2026-117204", Subject: "5ZK8R2M", Commission: "7 saylı TSEK", ExaminedOn: day, Repeat: true,
			Outcome: examination.Disability, Loss: 75, Cause: "general_illness", From: day, Until: tesdiq.DateOf(now.AddDate(2, 0, 0)),
			NextFrom: tesdiq.DateOf(now.AddDate(1, 10, 0))},
		contract.Contract{Number: "K-2021-0831452", Subject: "5ZK8R2M", Employer: "“Xəzər Tikinti” MMC", EmployerVOEN: "1400057421",
			Workplace: "Mühasibatlıq şöbəsi", Position: "Baş mühasib", Main: true, Salary: 145050, Concluded: tesdiq.MustDate("2021-03-10"),
			From: tesdiq.MustDate("2021-03-14"), State: contract.Active}
}

// long repeats words until there are so many letters.
func long(words string, letters int) string {
	return strings.TrimSpace(string([]rune(strings.Repeat(words+" ", letters))[:letters]))
}
